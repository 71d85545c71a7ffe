//! What is wrong with the headers that a generator reads, as plain data.

use std::path::PathBuf;

use cowrap_base::diagnostic::TextDiagnostic;

/// What is wrong with the headers of one generated file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderDiagnostics {
    /// The headers as they were named, and the texts that the diagnostics are about.
    pub headers: Vec<(PathBuf, String)>,
    /// What is wrong, by header and offset.
    pub diagnostics: Vec<TextDiagnostic>,
}
