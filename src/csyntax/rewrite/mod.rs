//! Where an edit goes in the text of C: marks, calls, declarations of wrappers, and lists in `meson.build`.
//!
//! Each function takes the bytes of a file and the offset of a name in it, and returns the edits, or why there are none.
//! A place that cannot be understood with certainty is refused: what is written here is compiled by people who did not
//! ask how it was found.
//!
//! Besides the words that change, an edit keeps the layout: lines that were aligned behind a `(` stay aligned, and a
//! list that no longer fits into [`LIMIT`] columns is filled anew.
//!
//! It must never know the program, findings or files.

mod call;
mod include;
mod lex;
mod list;
mod mark;
mod wrap;
mod wrapper;

#[cfg(test)]
mod tests;

use std::ops::Range;

use thiserror::Error;

pub use call::rename_call;
pub use include::add_include;
pub use lex::{Kind, Source as Lexed, Token};
pub use list::add_to_list;
pub use mark::{mark_function, mark_pointer, unmark};
pub use wrap::LIMIT;
pub use wrapper::add_wrapper;

/// One replacement in a text. Several in a `Vec` are sorted by their ranges, which have no byte in common, and mean the
/// text as it was before all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty where something is only inserted.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: Vec<u8>,
}

/// Why an edit cannot be made here. It is shown in lower case and without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Another text than the name is at its offset.
    #[error("`{0}` is not written here: it comes out of a macro")]
    NotWritten(String),
    /// The name is in a `#define`, or in another directive.
    #[error("`{0}` is written in a preprocessor directive")]
    InDirective(String),
    /// Directives are between the words of a declaration.
    #[error("the declaration of `{0}` has preprocessor directives in it")]
    SplitByDirective(String),
    /// No parameters or arguments are behind the name.
    #[error("no `(` follows `{0}`")]
    NoList(String),
    /// The parameters or arguments do not end.
    #[error("the `(` behind `{0}` is not closed")]
    Unclosed(String),
    /// What is before the name is no type: this is no declaration.
    #[error("no type is written before `{0}`")]
    NoType(String),
    /// A mark before one declarator would mean its neighbours, too.
    #[error("`{0}` shares its declaration with others")]
    Shared(String),
    /// The type of a pointer is a name, as in `Handler *read`.
    #[error("the type of `{0}` is not written out as a pointer to a function")]
    NotWrittenOut(String),
    /// There is nothing to do.
    #[error("`{name}` has the mark `{mark}` already")]
    AlreadyMarked {
        /// What has it.
        name: String,
        /// The mark.
        mark: String,
    },
    /// A prototype is needed, and this is a definition.
    #[error("`{0}` is defined here, and not only declared")]
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
    #[error("`{0}` is listed already")]
    AlreadyListed(String),
}

/// A text with edits made. They must be sorted, disjoint, and within the text, as all are that come from here.
pub fn apply(text: &[u8], edits: &[Edit]) -> Vec<u8> {
    apply_within(text, 0..text.len(), edits)
}

/// A part of a text, with those edits made that are within it.
fn apply_within(text: &[u8], part: Range<usize>, edits: &[Edit]) -> Vec<u8> {
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

/// Where the byte at an offset is when the edits are made; it must not be in one of them.
fn moved(offset: usize, edits: &[Edit]) -> usize {
    let before = edits.iter().filter(|edit| edit.range.end <= offset);
    before.fold(offset, |offset, edit| offset + edit.text.len() - edit.range.len())
}
