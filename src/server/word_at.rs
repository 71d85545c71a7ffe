//! The word at a position.
//!
//! It must never know what a word means.

use std::path::Path;

use cowrap_session::live::Word;

use crate::positions::Text;

/// The word that contains an offset of a text, or ends there, as editors see it.
pub(crate) fn word_at<'t>(text: &'t Text, path: &'t Path, offset: usize) -> Option<Word<'t>> {
    let bytes = text.bytes().as_slice();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let before = bytes.get(..offset)?.iter().rev().take_while(|byte| is_word(byte)).count();
    let behind = bytes[offset..].iter().take_while(|byte| is_word(byte)).count();
    let start = offset - before;
    let word = std::str::from_utf8(&bytes[start..offset + behind]).ok().filter(|word| !word.is_empty())?;
    let (line, column) = text.line_column(start);
    let left = bytes[..start].trim_ascii_end();
    let is_member = left.ends_with(b"->") || (left.ends_with(b".") && !left.ends_with(b"..."));
    Some(Word { path, line, column, word, is_member })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_from_each_of_its_ends() {
        let text = Text::new(b"a\n  bs->drv . bdrv_co (x...y)".to_vec());
        let at = |offset: usize| word_at(&text, Path::new("/a.c"), offset);
        let bs = at(4).unwrap();
        assert_eq!((bs.word, bs.line, bs.column, bs.is_member), ("bs", 2, 3, false));
        assert_eq!((at(6).unwrap().word, at(8).unwrap().word), ("bs", "drv"));
        assert!(at(8).unwrap().is_member && at(16).unwrap().is_member);
        let y = text.bytes().iter().position(|byte| *byte == b'y').unwrap();
        assert_eq!((at(y).unwrap().word, at(y).unwrap().is_member), ("y", false));
        assert_eq!(at(3), None);
        assert_eq!(at(999), None);
    }
}
