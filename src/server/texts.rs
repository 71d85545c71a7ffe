//! The texts of files as an analysis has them, for locations and edits.
//!
//! It must never know what is said about a location.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::{Location, Range, Uri};

use cowrap_report::Span;
use cowrap_session::live::Analysis;
use cowrap_session::{LONGEST_TEXT, read_source};

use crate::documents::{Document, OpenFiles};
use crate::positions::{Encoding, Text};
use crate::uris::uri_of;

/// The texts of files. Each is asked for once.
pub(crate) struct FileTexts<'a> {
    analysis: &'a Analysis<'a>,
    files: &'a OpenFiles,
    pub(crate) encoding: Encoding,
    read: RefCell<HashMap<PathBuf, Arc<Text>>>,
}

impl<'a> FileTexts<'a> {
    /// The texts that an analysis is about, with these documents open.
    pub(crate) fn new(analysis: &'a Analysis<'a>, files: &'a OpenFiles, encoding: Encoding) -> FileTexts<'a> {
        FileTexts { analysis, files, encoding, read: RefCell::default() }
    }

    /// The text of a file; an empty one if it cannot be read.
    pub(crate) fn text(&self, path: &Path) -> Arc<Text> {
        let path = self.absolute(path);
        if let Some(document) = self.files.of(&path).first() {
            return Arc::clone(&document.text);
        }
        let read = || Text::new(self.analysis.text(&path).map(Arc::unwrap_or_clone).unwrap_or_default());
        Arc::clone(self.read.borrow_mut().entry(path.clone()).or_insert_with(|| Arc::new(read())))
    }

    /// The text of a file that can be edited; none if the disk has another one by now, on which an edit would be wrong.
    pub(crate) fn editable(&self, path: &Path) -> Option<Arc<Text>> {
        let text = self.text(path);
        let path = self.absolute(path);
        let is_current = || read_source(&path, LONGEST_TEXT).is_ok_and(|on_disk| on_disk == **text.bytes());
        (!self.files.of(&path).is_empty() || is_current()).then_some(text)
    }

    /// The absolute path of a file that a report names.
    fn absolute(&self, path: &Path) -> PathBuf {
        self.analysis.report.tree.root.join(path)
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
