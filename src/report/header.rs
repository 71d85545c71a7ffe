//! What is wrong with the headers that a generator reads, as plain data.

use std::ops::Range;
use std::path::PathBuf;

/// What is wrong with the headers of one generated file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderDiagnostics {
    /// The headers as they were named, and their texts.
    pub headers: Vec<(PathBuf, String)>,
    /// What is wrong, by header and place.
    pub diagnostics: Vec<HeaderDiagnostic>,
}

/// Something that cannot be read or wrapped, or that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderDiagnostic {
    /// Whether nothing may be written; else it is a warning.
    pub is_fatal: bool,
    /// The fact, in lower case and without a full stop.
    pub message: String,
    /// The header: an index into [`HeaderDiagnostics::headers`].
    pub header: usize,
    /// The bytes that it is about, in the header; `None` when it is about the header as a whole.
    pub span: Option<Range<usize>>,
    /// A remark at the place; may be empty.
    pub label: String,
    /// Another place: a header, its bytes, and a remark.
    pub other: Option<(usize, Range<usize>, String)>,
    /// What to do.
    pub help: String,
}
