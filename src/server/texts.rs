//! The texts of files as an analysis has them, for locations.
//!
//! It must never know what is said about a location.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::{Location, Range, Uri};

use cowrap_report::{Report, Span};
use cowrap_session::{LONGEST_TEXT, read_source};

use crate::documents::{Document, OpenFiles};
use crate::positions::{Encoding, Text};
use crate::uris::uri_of;

/// The texts of files. Each is read once.
pub(crate) struct FileTexts<'a> {
    report: &'a Report,
    files: &'a OpenFiles,
    pub(crate) encoding: Encoding,
    read: RefCell<HashMap<PathBuf, Arc<Text>>>,
}

impl<'a> FileTexts<'a> {
    /// The texts that a report is about, with these documents open.
    pub(crate) fn new(report: &'a Report, files: &'a OpenFiles, encoding: Encoding) -> FileTexts<'a> {
        FileTexts { report, files, encoding, read: RefCell::default() }
    }

    /// The text of a file; an empty one if it cannot be read.
    pub(crate) fn text(&self, path: &Path) -> Arc<Text> {
        let path = self.absolute(path);
        if let Some(document) = self.files.of(&path).first() {
            return Arc::clone(&document.text);
        }
        let read = || Text::new(read_source(&path, LONGEST_TEXT).unwrap_or_default());
        Arc::clone(self.read.borrow_mut().entry(path.clone()).or_insert_with(|| Arc::new(read())))
    }

    /// The absolute path of a file that a report names.
    fn absolute(&self, path: &Path) -> PathBuf {
        self.report.tree.root.join(path)
    }

    /// The documents in which the client has a file open.
    pub(crate) fn documents(&self, path: &Path) -> &'a [Document] {
        self.files.of(&self.absolute(path))
    }

    /// All open documents.
    pub(crate) fn open(&self) -> impl Iterator<Item = &'a Document> {
        self.files.iter().flat_map(|(_, documents)| documents)
    }

    /// The URI of a file, as the client knows it, if it does.
    pub(crate) fn uri(&self, path: &Path) -> Uri {
        match self.documents(path).first() {
            Some(document) => document.uri.clone(),
            None => uri_of(&self.absolute(path)),
        }
    }

    /// The range of the word at a location.
    pub(crate) fn range(&self, at: &Span) -> Range {
        self.text(&at.path).word(at.line, at.column, self.encoding)
    }

    /// The location of a word.
    pub(crate) fn location(&self, at: &Span) -> Location {
        Location { uri: self.uri(&at.path), range: self.range(at) }
    }
}
