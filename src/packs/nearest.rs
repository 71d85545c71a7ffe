//! Suggestions for misspelled names.

/// The name that is most similar to a word, if one is similar enough.
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let rated = names.map(|name| (strsim::jaro_winkler(word, name), name));
    // Of several that are equally similar, the first.
    let best = rated.fold(None, |best: Option<(f64, &str)>, (rate, name)| match best {
        Some((known, _)) if known >= rate => best,
        _ => Some((rate, name)),
    });
    best.filter(|(rate, _)| *rate > 0.75).map(|(_, name)| name)
}

/// A suggestion for a word that serde does not know. Serde's message has the word and then the known words, each in
/// backquotes.
pub fn hint(message: &str) -> String {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return String::new();
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let meant = names.next().and_then(|word| nearest(word, names));
    meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
