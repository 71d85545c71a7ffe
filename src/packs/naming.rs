//! How the names of wrappers and their targets follow from each other.

/// `bdrv_co_foo` for `bdrv_foo`; the first `_` splits off the subsystem. `None` for a name that does not split, or
/// that has the infix already.
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
    fn wrappers_and_targets_are_named_after_each_other() {
        assert_eq!(with_infix("co", "bdrv_pread").as_deref(), Some("bdrv_co_pread"));
        assert_eq!(with_infix("co", "nbd_do_connect").as_deref(), Some("nbd_co_do_connect"));
        assert_eq!(with_infix("co", "bdrv_co_pread"), None);
        assert_eq!(with_infix("co", "abort"), None);
        assert_eq!(without_infix("co", "bdrv_co_pread").as_deref(), Some("bdrv_pread"));
        assert_eq!(without_infix("co", "bdrv_common"), None);
    }
}
