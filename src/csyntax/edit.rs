//! Edits of one text, and why one cannot be made.

use std::ops::Range;

use thiserror::Error;

/// One replacement in a text. Several in a `Vec` are sorted by their ranges, which do not overlap,
/// and all ranges are those in the text before any of them is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes that are replaced; empty for an insertion.
    pub range: Range<usize>,
    /// What replaces them.
    pub text: Vec<u8>,
}

/// Why an edit cannot be made. The message is lower case and has no full stop.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// The name is not at its offset.
    #[error("`{0}` is not written here: it comes from a macro")]
    NotWritten(String),
    /// The name is in a `#define`, or in another directive.
    #[error("`{0}` is written in a preprocessor directive")]
    InDirective(String),
    /// A directive is in the middle of a declaration.
    #[error("the declaration of `{0}` has preprocessor directives in it")]
    SplitByDirective(String),
    /// No parameters or arguments follow the name.
    #[error("no `(` follows `{0}`")]
    NoList(String),
    /// The parameters or arguments do not end.
    #[error("the `(` after `{0}` is not closed")]
    Unclosed(String),
    /// No type precedes the name: this is not a declaration.
    #[error("no type is written before `{0}`")]
    NoType(String),
    /// A mark before one declarator would apply to its neighbours, too.
    #[error("`{0}` shares its declaration with other names")]
    Shared(String),
    /// The type of a pointer is a name, as in `Handler *read`.
    #[error("the type of `{0}` is not written out as a pointer to a function")]
    NotWrittenOut(String),
    /// There is nothing to do.
    #[error("`{name}` already has the mark `{mark}`")]
    AlreadyMarked {
        /// What has it.
        name: String,
        /// The mark.
        mark: String,
    },
    /// A prototype is needed, and this is a definition.
    #[error("`{0}` is defined here, not only declared")]
    Definition(String),
    /// No `;` ends the declaration.
    #[error("the declaration of `{0}` does not end with `;`")]
    NoEnd(String),
    /// The known entry of a list is not there.
    #[error("no list has the entry `{0}`")]
    NotListed(String),
    /// The known entry is there more than once.
    #[error("the entry `{0}` is listed more than once")]
    ListedTwice(String),
    /// The new entry is there.
    #[error("`{0}` is already listed")]
    AlreadyListed(String),
}

/// A text with edits made. They must be sorted, disjoint, and within the text, as those of this
/// crate are.
pub fn apply(text: &[u8], edits: &[TextEdit]) -> Vec<u8> {
    apply_within(text, 0..text.len(), edits)
}

/// A part of a text, with the edits made that are within it.
pub(crate) fn apply_within(text: &[u8], part: Range<usize>, edits: &[TextEdit]) -> Vec<u8> {
    let mut new = Vec::with_capacity(part.len());
    let mut at = part.start;
    for edit in edits.iter().filter(|edit| part.start <= edit.range.start && edit.range.end <= part.end) {
        new.extend_from_slice(&text[at..edit.range.start]);
        new.extend_from_slice(&edit.text);
        at = edit.range.end;
    }
    new.extend_from_slice(&text[at..part.end]);
    new
}

/// Where the byte at an offset is after the edits; none of them may replace it.
pub(crate) fn moved(offset: usize, edits: &[TextEdit]) -> usize {
    let before = edits.iter().filter(|edit| edit.range.end <= offset);
    before.fold(offset, |offset, edit| offset + edit.text.len() - edit.range.len())
}
