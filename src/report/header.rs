//! Diagnostics of headers that a wrapper generator reads, as plain data.

use std::path::PathBuf;

use cowrap_base::diagnostic::TextDiagnostic;

/// The diagnostics of the headers of one generated file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderDiagnostics {
    /// The headers, by their paths as given, and the texts that the diagnostics are about.
    pub headers: Vec<(PathBuf, String)>,
    /// The diagnostics, sorted by header and offset.
    pub diagnostics: Vec<TextDiagnostic>,
}
