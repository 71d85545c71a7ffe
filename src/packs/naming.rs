//! Identifiers of C, and the names of wrappers and their targets, each derived from the other.

/// Whether a name is an identifier of C.
pub fn is_identifier(name: &str) -> bool {
    !name.bytes().next().is_none_or(|byte| byte.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
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
    fn names_of_wrappers_and_targets_correspond() {
        assert_eq!(with_infix("co", "bdrv_pread").as_deref(), Some("bdrv_co_pread"));
        assert_eq!(with_infix("co", "nbd_do_connect").as_deref(), Some("nbd_co_do_connect"));
        assert_eq!(with_infix("co", "bdrv_co_pread"), None);
        assert_eq!(with_infix("co", "abort"), None);
        assert_eq!(without_infix("co", "bdrv_co_pread").as_deref(), Some("bdrv_pread"));
        assert_eq!(without_infix("co", "bdrv_common"), None);
    }
}
