//! A message about the text of an input.
//!
//! It is here, and not in `report`, because the generator of wrappers makes such messages and must
//! not know reports, and reports show them and must not know the generator.

use std::ops::Range;

/// An error or a warning about one of several texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextDiagnostic {
    /// Whether this is an error; else it is a warning.
    pub is_error: bool,
    /// The fact, in lower case and without a full stop.
    pub message: String,
    /// Which text: an index into the texts that were read.
    pub text: usize,
    /// The bytes that it is about; `None` if it is about the text as a whole.
    pub span: Option<Range<usize>>,
    /// What to say at the span; may be empty.
    pub label: String,
    /// Another location: the text, the bytes, and what to say there.
    pub other: Option<(usize, Range<usize>, String)>,
    /// What to do.
    pub help: String,
}
