//! The words of a pack: what its code base calls the two contexts, their requirements, and what goes with them.
//!
//! Messages are made with these words, so that no other crate needs to know any. A pack without words has neutral ones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Effect;
use super::template::Template;

/// The words of a pack. Each has the name of its key in `[words]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Where inside is, after a verb: "in a signal handler".
    pub inside: String,
    /// Where outside is, after a verb.
    pub outside: String,
    /// The inside context as a noun: "asserts …", "out of …".
    pub inside_context: String,
    /// The outside context as a noun.
    pub outside_context: String,
    /// What requires the inside context, before a name: "main-thread-only".
    pub inside_only: String,
    /// What requires the outside context, before a name: "async-signal-unsafe".
    pub outside_only: String,
    /// What runs in both contexts, before a name.
    pub mixed: String,
    /// What starts inside and owes nothing to callers, before a name: "signal handler".
    pub entry: String,
    /// Where an entry runs, after a verb: "runs it in a signal handler". That is `inside` for most packs.
    pub entered: String,
    /// What the summary counts calls of `creators` as, in the singular.
    pub creation: String,
    /// The label of a call of a creator, without "here".
    pub created: String,
    /// What a function may do that reaches a primitive: "may sleep".
    pub may: String,
    /// What a function does that certainly reaches none: "never sleeps".
    pub never: String,
    /// The same as `may` in a sentence about one function: "may put its task to sleep".
    pub may_in_full: String,
    /// The same as `never` in a sentence about one function.
    pub never_in_full: String,
    /// How the pack lists primitives: "the pack lists `x` …".
    pub listed: String,
}

/// The keys of `[words]`.
pub(super) const KEYS: &[&str] = &[
    "inside",
    "outside",
    "inside_context",
    "outside_context",
    "inside_only",
    "outside_only",
    "mixed",
    "entry",
    "entered",
    "creation",
    "created",
    "may",
    "never",
    "may_in_full",
    "never_in_full",
    "listed",
];

/// What is wrong with a word or a help text: it is a part of a line.
pub(super) fn form_problem(text: &str) -> Option<String> {
    let problem = match () {
        () if text.trim().is_empty() => "is empty",
        () if text.trim() != text => "begins or ends with a space",
        () if text.contains(char::is_control) => "is more than one line",
        () if text.ends_with('.') => "ends with a full stop",
        () => return None,
    };
    Some(format!("the text `{}` {problem}; write a part of a sentence", text.escape_debug()))
}

/// What is wrong with a word, and whether it is the key.
pub(super) fn problem(key: &str, word: &str) -> Option<(bool, String)> {
    if !KEYS.contains(&key) {
        let meant = super::nearest(key, KEYS.iter().copied()).map(|key| format!("; did you mean `{key}`?"));
        let keys: Vec<String> = KEYS.iter().map(|key| format!("`{key}`")).collect();
        return Some((
            true,
            format!("unknown word `{key}`; known are {}{}", keys.join(", "), meant.unwrap_or_default()),
        ));
    }
    form_problem(word).map(|message| (false, message))
}

/// The effect of a general name, which every pack understands.
fn generic_effect(word: &str) -> Option<Effect> {
    match word {
        "either" => Some(Effect::Mixed),
        _ => Effect::ALL.into_iter().find(|effect| effect.name() == word),
    }
}

/// How the names of contexts begin, as in "on the main thread". Behind "out of", they have no preposition.
const PREPOSITIONS: &[&str] = &["in ", "on ", "at ", "during ", "inside ", "under ", "within "];

impl Words {
    /// The words of a pack that has these, by their keys. Others follow from them.
    pub(super) fn new(own: &BTreeMap<String, String>) -> Words {
        let word = |key: &str, default: &str| own.get(key).map_or(default, String::as_str).to_owned();
        let inside = word("inside", "in the inside context");
        let outside = word("outside", "in the outside context");
        let noun = |place: &str| {
            let without = PREPOSITIONS.iter().find_map(|preposition| place.strip_prefix(preposition));
            without.unwrap_or(place).to_owned()
        };
        let inside_context = word("inside_context", &noun(&inside));
        let (may, never) = (
            word("may", &format!("may need {inside_context}")),
            word("never", &format!("never needs {inside_context}")),
        );
        Words {
            outside_context: word("outside_context", &noun(&outside)),
            inside_only: word("inside_only", "inside-only"),
            outside_only: word("outside_only", "outside-only"),
            mixed: word("mixed", "mixed"),
            entry: word("entry", "entry"),
            entered: word("entered", &inside),
            creation: word("creation", "context creation"),
            created: word("created", "context created"),
            may_in_full: word("may_in_full", &may),
            never_in_full: word("never_in_full", &never),
            listed: word("listed", "among its primitives"),
            inside,
            outside,
            inside_context,
            may,
            never,
        }
    }

    /// The word of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        Some(match key {
            "inside" => &self.inside,
            "outside" => &self.outside,
            "inside_context" => &self.inside_context,
            "outside_context" => &self.outside_context,
            "inside_only" => &self.inside_only,
            "outside_only" => &self.outside_only,
            "mixed" => &self.mixed,
            "entry" => &self.entry,
            "entered" => &self.entered,
            "creation" => &self.creation,
            "created" => &self.created,
            "may" => &self.may,
            "never" => &self.never,
            "may_in_full" => &self.may_in_full,
            "never_in_full" => &self.never_in_full,
            "listed" => &self.listed,
            _ => return None,
        })
    }

    /// What an effect is called, before a name.
    pub fn effect(&self, effect: Effect) -> &str {
        match effect {
            Effect::InsideOnly => &self.inside_only,
            Effect::Mixed => &self.mixed,
            Effect::OutsideOnly => &self.outside_only,
            Effect::Entry => &self.entry,
        }
    }

    /// The effect that a word means: one of these words, or a generic one.
    pub fn effect_of(&self, word: &str) -> Option<Effect> {
        generic_effect(word).or_else(|| Effect::ALL.into_iter().find(|effect| self.effect(*effect) == word))
    }

    /// A word that means two effects: the keys of the effects, and the message.
    pub(super) fn ambiguity(&self) -> Option<([&'static str; 2], String)> {
        let key = |effect: Effect| match effect {
            Effect::InsideOnly => "inside_only",
            Effect::OutsideOnly => "outside_only",
            Effect::Mixed => "mixed",
            Effect::Entry => "entry",
        };
        Effect::ALL.into_iter().enumerate().find_map(|(position, effect)| {
            let word = self.effect(effect);
            let others = Effect::ALL[position + 1..].iter().copied();
            if let Some(other) = others.into_iter().find(|other| self.effect(*other) == word) {
                let message = format!("`{word}` is the word for two effects; use another one for `{}`", key(other));
                return Some(([key(effect), key(other)], message));
            }
            let general = generic_effect(word).filter(|general| *general != effect)?;
            let message = format!("`{word}` is the general name of another effect; use another word");
            Some(([key(effect), key(general)], message))
        })
    }

    /// The message about a word that is no effect.
    pub(super) fn unknown_effect(&self, word: &str) -> String {
        let mut known: Vec<&str> =
            Effect::ALL.into_iter().flat_map(|effect| [self.effect(effect), effect.name()]).collect();
        let mut seen = std::collections::HashSet::new();
        known.retain(|word| seen.insert(*word));
        let meant = super::nearest(word, known.iter().copied()).map(|word| format!("; did you mean `{word}`?"));
        let known: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        format!("unknown effect `{word}`; known are {}{}", known.join(", "), meant.unwrap_or_default())
    }

    /// A text of cowrap's own with the keys of words as placeholders, and others that `value` knows.
    pub fn fill(&self, text: &str, others: &[(&str, &str)]) -> String {
        let known: Vec<&str> = KEYS.iter().copied().chain(others.iter().map(|(name, _)| *name)).collect();
        match Template::parse(text, &known) {
            Ok(template) => self.fill_template(&template, others),
            Err(_) => text.to_owned(),
        }
    }

    /// A template with these words, and with other values.
    pub(super) fn fill_template(&self, template: &Template, others: &[(&str, &str)]) -> String {
        template.fill(|name| {
            let other = others.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            other.or_else(|| self.get(name)).map(Cow::Borrowed)
        })
    }
}
