//! Texts without comments.
//!
//! A normalized text has the same tokens at the same lines and columns:
//!
//! * A comment's bytes are blanks. Its line ends are continued lines (`\` and the line's end),
//!   which do not end a directive either.
//! * Blanks at the end of a line are left out.
//!
//! So texts that are equal when normalized have the same tokens at the same places. The caller must
//! make sure that a `\` does not come to end a line because the comment behind it became blanks,
//! and that what looks like a comment is one.

use std::ops::Range;

/// Normalizes a text from its beginning to its end.
#[derive(Debug)]
pub(super) struct Normalizer<'t> {
    text: &'t [u8],
    /// The length of the text that is in `out`.
    done: usize,
    /// The length of `out` from which no blanks are removed.
    floor: usize,
    out: Vec<u8>,
}

impl<'t> Normalizer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Normalizer { text, done: 0, floor: 0, out: Vec::with_capacity(text.len() + 1) }
    }

    /// Keeps the text up to here unchanged, including blanks at its end.
    pub(super) fn keep(&mut self, to: usize) {
        self.copy(to);
        self.floor = self.out.len();
    }

    /// Replaces a comment. A comment that ends with its line does not include the line's end.
    pub(super) fn comment(&mut self, comment: Range<usize>) {
        self.copy(comment.start);
        let mut line = comment.start;
        for at in comment.clone() {
            if self.text[at] == b'\n' {
                self.trim();
                let end: &[u8] = if self.text[..at].ends_with(b"\r") { b"\\\r\n" } else { b"\\\n" };
                self.out.extend_from_slice(end);
                line = at + 1;
            }
        }
        self.out.resize(self.out.len() + (comment.end - line), b' ');
        self.done = comment.end;
    }

    /// Removes the blanks before the end of a line, which is at this byte outside of comments.
    pub(super) fn line_end(&mut self, at: usize) {
        let blank_before = at == self.done || self.text[..at].last().is_some_and(|byte| is_blank(*byte));
        if blank_before {
            self.copy(at);
            self.trim();
        }
    }

    /// The normalized text.
    pub(super) fn finish(mut self) -> Vec<u8> {
        // A last line without an end keeps its blanks: a compiler may report the place where the
        // text ends.
        self.copy(self.text.len());
        self.out
    }

    fn copy(&mut self, to: usize) {
        self.out.extend_from_slice(&self.text[self.done..to]);
        self.done = to;
    }

    fn trim(&mut self) {
        let end = self.out.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
        self.out.truncate(end.max(self.floor));
    }
}

/// Whether a byte is blank, within a line.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c)
}
