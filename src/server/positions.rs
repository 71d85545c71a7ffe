//! Positions: the protocol's lines and characters, and offsets in bytes.
//!
//! Nothing else converts positions. It must never know documents or files.

use std::sync::Arc;

use gen_lsp_types::{Position, PositionEncodingKind, Range};

/// What a character of a position is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A byte of UTF-8.
    Utf8,
    /// A code unit of UTF-16, which every client understands.
    #[default]
    Utf16,
    /// A code point.
    Utf32,
}

impl Encoding {
    /// The encoding to use with a client, which offers these, the best first. Bytes cost nothing to count.
    pub(crate) fn negotiated<'o>(offered: impl IntoIterator<Item = &'o str>) -> Encoding {
        let of_name = |name: &str| match name {
            "utf-8" => Some(Encoding::Utf8),
            "utf-32" => Some(Encoding::Utf32),
            "utf-16" => Some(Encoding::Utf16),
            _ => None,
        };
        let offered: Vec<Encoding> = offered.into_iter().filter_map(of_name).collect();
        match offered.contains(&Encoding::Utf8) {
            true => Encoding::Utf8,
            false => offered.first().copied().unwrap_or_default(),
        }
    }

    /// Its name in the protocol.
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    /// The length of a character.
    fn length(self, character: char) -> usize {
        match self {
            Encoding::Utf8 => character.len_utf8(),
            Encoding::Utf16 => character.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }
}

/// A text, and where its lines begin. A line ends with LF, CR LF or CR, in the protocol as in C.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    bytes: Arc<Vec<u8>>,
    /// Where the lines begin: 0, and the offset behind each line end.
    starts: Vec<usize>,
    /// Whether it is UTF-8. Otherwise it is read as Latin-1, which is what editors show such a file in: each byte is a
    /// character, which UTF-8 encodes in two bytes if it is not ASCII.
    is_utf8: bool,
}

impl Text {
    /// A text with these bytes.
    pub(crate) fn new(bytes: Vec<u8>) -> Text {
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        let mut text = Text { bytes: Arc::new(bytes), starts: vec![0], is_utf8 };
        text.find_lines(0);
        text
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &Arc<Vec<u8>> {
        &self.bytes
    }

    /// Replaces a part, which begins and ends at a position; see [`Text::offset`].
    pub(crate) fn replace(&mut self, range: Range, encoding: Encoding, new: &str) {
        let (start, end) = (self.offset(range.start, encoding), self.offset(range.end, encoding));
        let (start, end) = (start.min(end), start.max(end));
        Arc::make_mut(&mut self.bytes).splice(start..end, new.bytes());
        // The byte before may be a CR, whose line ends elsewhere if an LF is behind it now.
        let line = self.starts.partition_point(|begins| *begins < start);
        self.find_lines(line.saturating_sub(1));
    }

    /// Finds the lines anew from one on.
    fn find_lines(&mut self, from: usize) {
        self.starts.truncate(from + 1);
        let start = self.starts.last().copied().unwrap_or(0);
        let rest = &self.bytes[start..];
        let ends = memchr::memchr2_iter(b'\n', b'\r', rest);
        let is_end = |at: &usize| rest[*at] == b'\n' || rest.get(at + 1) != Some(&b'\n');
        self.starts.extend(ends.filter(is_end).map(|at| start + at + 1));
    }

    /// The offset of a position. A position behind the end of its line is at this end, one behind the text at its end,
    /// and one inside of a character at its beginning.
    pub(crate) fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let Some(line) = self.line(position.line as usize) else { return self.bytes.len() };
        let wanted = position.character as usize;
        let content = &self.bytes[line.clone()];
        let within = match std::str::from_utf8(content) {
            _ if content.is_ascii() => wanted.min(content.len()),
            Ok(content) if self.is_utf8 => offset_in(content.char_indices(), content.len(), wanted, encoding),
            _ => offset_in(latin_1(content), content.len(), wanted, encoding),
        };
        line.start + within
    }

    /// The position of an offset.
    pub(crate) fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let offset = offset.min(self.bytes.len());
        let number = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts[number];
        let before = &self.bytes[start..offset];
        let length = |characters: &mut dyn Iterator<Item = char>| characters.map(|c| encoding.length(c)).sum();
        let character: usize = match std::str::from_utf8(before) {
            _ if before.is_ascii() => before.len(),
            Ok(before) if self.is_utf8 => length(&mut before.chars()),
            // Inside of a character: its beginning counts.
            Err(error) if self.is_utf8 => {
                let whole = std::str::from_utf8(&before[..error.valid_up_to()]).unwrap_or_default();
                length(&mut whole.chars())
            }
            _ => length(&mut latin_1(before).map(|(_, c)| c)),
        };
        Position { line: number as u32, character: character as u32 }
    }

    /// The offset of a line and a column of bytes, both from 1; clamped as in [`Text::offset`].
    pub(crate) fn offset_of(&self, line: u32, column: u32) -> usize {
        match self.line((line as usize).saturating_sub(1)) {
            Some(line) => (line.start + (column as usize).saturating_sub(1)).min(line.end),
            None => self.bytes.len(),
        }
    }

    /// The line and the column of bytes, both from 1, of an offset.
    pub(crate) fn line_column(&self, offset: usize) -> (u32, u32) {
        let number = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        (number as u32 + 1, (offset - self.starts[number]) as u32 + 1)
    }

    /// The range of the word at a line and a column of bytes, both from 1; at least a character, unless the line ends
    /// there.
    pub(crate) fn word(&self, line: u32, column: u32, encoding: Encoding) -> Range {
        let start = self.offset_of(line, column);
        let end = self.line((line as usize).saturating_sub(1)).map_or(start, |line| line.end).max(start);
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
        let length = self.bytes[start..end].iter().take_while(|byte| is_word(byte)).count();
        self.range(start, (start + length.max(1)).min(end), encoding)
    }

    /// The range between two offsets.
    pub(crate) fn range(&self, start: usize, end: usize, encoding: Encoding) -> Range {
        Range { start: self.position(start, encoding), end: self.position(end, encoding) }
    }

    /// The bytes of a line, counted from 0, without its end.
    fn line(&self, number: usize) -> Option<std::ops::Range<usize>> {
        let start = *self.starts.get(number)?;
        let mut end = self.starts.get(number + 1).copied().unwrap_or(self.bytes.len());
        while end > start && self.starts.len() > number + 1 && matches!(self.bytes[end - 1], b'\n' | b'\r') {
            end -= 1;
        }
        Some(start..end)
    }
}

/// The characters of a text in Latin-1, with their offsets.
fn latin_1(bytes: &[u8]) -> impl Iterator<Item = (usize, char)> {
    bytes.iter().enumerate().map(|(at, byte)| (at, char::from(*byte)))
}

/// The offset of the character that is so far from the beginning of a line.
fn offset_in(
    characters: impl Iterator<Item = (usize, char)>,
    length: usize,
    wanted: usize,
    encoding: Encoding,
) -> usize {
    let mut before = 0;
    for (at, character) in characters {
        before += encoding.length(character);
        if before > wanted {
            return at;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn characters_count_as_the_encoding_says() {
        let text = Text::new("a\n/* äß𝄞 */ foo();\n".as_bytes().to_vec());
        let foo = "a\n/* äß𝄞 */ ".len();
        for (encoding, character) in [(Encoding::Utf8, 15), (Encoding::Utf16, 11), (Encoding::Utf32, 10)] {
            assert_eq!(text.position(foo, encoding), at(1, character));
            assert_eq!(text.offset(at(1, character), encoding), foo);
            assert_eq!(text.word(2, 16, encoding), Range { start: at(1, character), end: at(1, character + 3) });
        }
    }

    #[test]
    fn a_position_inside_of_a_character_is_at_its_beginning() {
        let text = Text::new("𝄞x".as_bytes().to_vec());
        assert_eq!(text.offset(at(0, 1), Encoding::Utf16), 0);
        assert_eq!(text.offset(at(0, 3), Encoding::Utf8), 0);
        assert_eq!(text.position(2, Encoding::Utf16), at(0, 0));
    }

    #[test]
    fn what_is_outside_of_the_text_is_at_its_end() {
        let text = Text::new(b"ab\r\ncd".to_vec());
        assert_eq!(text.offset(at(0, 99), Encoding::Utf16), 2);
        assert_eq!(text.offset(at(7, 0), Encoding::Utf16), 6);
        assert_eq!(text.offset(at(u32::MAX, u32::MAX), Encoding::Utf16), 6);
        assert_eq!(text.offset_of(1, 99), 2);
        assert_eq!(text.offset_of(99, 1), 6);
        assert_eq!(text.word(99, 1, Encoding::Utf16), Range { start: at(1, 2), end: at(1, 2) });
    }

    #[test]
    fn every_line_end_counts() {
        let text = Text::new(b"a\rb\r\nc\nd".to_vec());
        for (line, offset) in [(0, 0), (1, 2), (2, 5), (3, 7)] {
            assert_eq!(text.offset(at(line, 0), Encoding::Utf16), offset);
            assert_eq!(text.position(offset, Encoding::Utf16), at(line, 0));
            assert_eq!(text.line_column(offset), (line + 1, 1));
        }
    }

    #[test]
    fn a_text_that_is_not_utf_8_has_a_character_for_each_byte() {
        let text = Text::new(b"/* \xe4\xf6 \xc3\xa4 */ foo();".to_vec());
        assert_eq!(text.position(12, Encoding::Utf16), at(0, 12));
        assert_eq!(text.position(12, Encoding::Utf32), at(0, 12));
        assert_eq!(text.position(12, Encoding::Utf8), at(0, 16));
        assert_eq!(text.offset(at(0, 16), Encoding::Utf8), 12);
    }

    #[test]
    fn the_client_offers_encodings() {
        assert_eq!(Encoding::negotiated([]), Encoding::Utf16);
        assert_eq!(Encoding::negotiated(["utf-16", "utf-8"]), Encoding::Utf8);
        assert_eq!(Encoding::negotiated(["utf-32", "utf-16"]), Encoding::Utf32);
        assert_eq!(Encoding::negotiated(["utf-7"]), Encoding::Utf16);
    }

    proptest! {
        #[test]
        fn an_offset_is_a_position(bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0xc3u8), Just(0xa4u8), any::<u8>()
        ], 0..40)) {
            let text = Text::new(bytes.clone());
            for encoding in ALL {
                for offset in 0..=bytes.len() {
                    let found = text.offset(text.position(offset, encoding), encoding);
                    // A line end of two bytes has one position, and so has each character.
                    prop_assert!(found <= offset);
                    prop_assert_eq!(text.position(found, encoding).line, text.position(offset, encoding).line);
                }
            }
        }

        #[test]
        fn a_replaced_part_leaves_the_lines_that_the_text_has(
            old in "[ab\r\nä𝄞]{0,12}", new in "[ab\r\nä𝄞]{0,6}",
            from in (0u32..6, 0u32..6), to in (0u32..6, 0u32..6), encoding in 0usize..3,
        ) {
            let mut text = Text::new(old.clone().into_bytes());
            text.replace(Range { start: at(from.0, from.1), end: at(to.0, to.1) }, ALL[encoding], &new);
            let fresh = Text::new(text.bytes().to_vec());
            prop_assert!(fresh.is_utf8);
            prop_assert_eq!(&text.starts, &fresh.starts, "{:?} {:?} {:?}", old, new, text.bytes());
        }
    }
}
