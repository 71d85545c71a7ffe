//! Identifiers of C, and the names of wrappers and their targets, each derived from the other.

/// Whether a name is an identifier of C.
pub fn is_identifier(name: &str) -> bool {
    !name.bytes().next().is_none_or(|byte| byte.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a text can be the name of functions, or a pattern of names, in which `*` stands for any characters.
pub fn is_pattern(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '*');
    name.starts_with(|c: char| is_part(c) && !c.is_ascii_digit()) && name.chars().all(is_part)
}

/// What is wrong with the name of a pack.
pub fn pack_name_problem(name: &str) -> Option<String> {
    if name.trim().is_empty() || name.contains(['/', ',']) {
        let message = "the pack's name must not be empty, and have neither `/` nor `,`; users write `pack/rule`";
        return Some(message.to_owned());
    }
    name.contains(is_invisible)
        .then(|| format!("the pack's name `{}` has control characters; write a name of one line", name.escape_debug()))
}

/// Whether a character controls how others are shown, and is not seen itself.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `bdrv_co_foo` for `bdrv_foo`; the subsystem ends at the first `_`. `None` for a name without `_`, or with the infix.
pub fn with_infix(infix: &str, name: &str) -> Option<String> {
    let (subsystem, rest) = name.split_once('_')?;
    let already = rest.split_once('_').is_some_and(|(first, _)| first == infix);
    (!subsystem.is_empty() && !rest.is_empty() && !already).then(|| format!("{subsystem}_{infix}_{rest}"))
}

/// `bdrv_foo` for `bdrv_co_foo`. `None` for a name without the infix.
pub fn without_infix(infix: &str, name: &str) -> Option<String> {
    let (subsystem, rest) = name.split_once('_')?;
    let rest = rest.strip_prefix(infix)?.strip_prefix('_')?;
    (!subsystem.is_empty() && !rest.is_empty()).then(|| format!("{subsystem}_{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_does_not_begin_with_a_digit() {
        assert!(["f", "_f1", "F"].into_iter().all(is_identifier));
        assert!(!["", "1f", "f()", "a b", "f*"].into_iter().any(is_identifier));
    }

    #[test]
    fn patterns_are_of_names() {
        assert!(["f", "*_from_isr", "*", "a*b", "größe", "$f"].into_iter().all(is_pattern));
        assert!(!["", "a b", "a?[b]", "a\0b", "1f", "f()", "a-b"].into_iter().any(is_pattern));
    }

    #[test]
    fn names_of_packs_can_be_seen() {
        assert!(["qemu", "my pack", "größe"].into_iter().all(|name| pack_name_problem(name).is_none()));
        assert!(
            ["", " ", "a/b", "a,b", "a\nb", "a\u{1b}[31m", "b\u{202e}"]
                .into_iter()
                .all(|name| pack_name_problem(name).is_some())
        );
    }

    #[test]
    fn names_of_wrappers_and_targets_correspond() {
        assert_eq!(with_infix("co", "bdrv_pread").as_deref(), Some("bdrv_co_pread"));
        assert_eq!(with_infix("co", "nbd_do_connect").as_deref(), Some("nbd_co_do_connect"));
        assert_eq!(with_infix("co", "bdrv_co_pread"), None);
        assert_eq!(with_infix("co", "abort"), None);
        assert_eq!(without_infix("co", "bdrv_co_pread").as_deref(), Some("bdrv_pread"));
        assert_eq!(without_infix("co", "bdrv_common"), None);
    }
}
