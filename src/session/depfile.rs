//! Depfiles: the inputs of a file, as a rule for make and ninja.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The rule of a target. If it has an input that a depfile cannot name, or if it is to be made
/// `always`, it also depends on a file that never exists: then ninja makes it every time. `None` if
/// a depfile cannot name the target.
pub(super) fn depfile<'p>(target: &Path, inputs: impl Iterator<Item = &'p Path>, always: bool) -> Option<Vec<u8>> {
    let target = word(target)?;
    let mut text = [target.as_slice(), b":"].concat();
    let mut always = always;
    for input in inputs {
        match word(input) {
            Some(word) => text.extend([b" \\\n  ", word.as_slice()].concat()),
            None => always = true,
        }
    }
    if always {
        text.extend([b" \\\n  ", target.as_slice(), b".missing"].concat());
    }
    text.push(b'\n');
    Some(text)
}

/// A path as a word of a rule; `None` if it has bytes that some version of ninja does not accept in
/// a name (see its `depfile_parser.in.cc`).
pub(super) fn word(path: &Path) -> Option<Vec<u8>> {
    let mut word = Vec::new();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b' ' | b'#' => word.extend([b'\\', byte]),
            b'$' => word.extend(b"$$"),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => word.push(byte),
            _ if b"+,/_:.~()}{%=@[]!-".contains(&byte) => word.push(byte),
            _ => return None,
        }
    }
    let ends_well = word.last().is_some_and(|byte| *byte != b':');
    ends_well.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_or_refused() {
        let word = |path: &str| word(Path::new(path)).map(|word| String::from_utf8(word).unwrap());
        assert_eq!(word("/a b/c#d/$e.h").as_deref(), Some("/a\\ b/c\\#d/$$e.h"));
        assert_eq!(word("/a:b/ü[1].h").as_deref(), Some("/a:b/ü[1].h"));
        for path in ["", "a\nb", "a\rb", "a\\b", "a;b", "a|b", "a*b", "it's", "a\"b", "a:", "a\tb", "a\0b"] {
            assert_eq!(word(path), None, "{path:?}");
        }
    }

    #[test]
    fn an_input_that_cannot_be_named_makes_the_target_always_stale() {
        let text = |inputs: &[&str], always| {
            let inputs = inputs.iter().map(Path::new);
            depfile(Path::new("o"), inputs, always).map(|text| String::from_utf8(text).unwrap())
        };
        assert_eq!(text(&["a", "b c"], false).as_deref(), Some("o: \\\n  a \\\n  b\\ c\n"));
        assert_eq!(text(&["a", "x\ny: z"], false).as_deref(), Some("o: \\\n  a \\\n  o.missing\n"));
        assert_eq!(text(&["a"], true).as_deref(), Some("o: \\\n  a \\\n  o.missing\n"));
        assert_eq!(depfile(Path::new("o\n"), std::iter::empty(), false), None);
    }
}
