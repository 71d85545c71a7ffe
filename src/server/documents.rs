//! The documents that the client has open, with their texts in memory.
//!
//! It must never know the tree or what its files mean.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};

use crate::positions::{Encoding, Text};
use crate::uris::{identity, path_of};

/// The longest document whose text is kept. Longer ones are read from the disk, where limits apply, too.
const LONGEST_DOCUMENT: usize = 64 << 20;

/// The open documents.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    open: HashMap<Uri, Document>,
    /// How often something changed.
    changes: u64,
}

/// An open document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// The client's name for it.
    pub(crate) uri: Uri,
    /// The client's version of the text.
    pub(crate) version: i32,
    pub(crate) text: Arc<Text>,
    /// When it last changed, among all documents.
    changed: u64,
}

/// The open documents at one time, by the identity of their files. A file that the client has open under several names
/// has several documents; the one that changed last is first.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenFiles {
    files: BTreeMap<PathBuf, Vec<Document>>,
    /// The identities of files by the client's names for them.
    identities: HashMap<Uri, PathBuf>,
}

impl Documents {
    /// Opens a document, or gives an open one another text.
    ///
    /// # Errors
    ///
    /// It is too long.
    pub(crate) fn open(&mut self, uri: Uri, version: i32, text: String) -> Result<(), String> {
        self.changes += 1;
        let text = Arc::new(Text::new(text.into_bytes()));
        self.open.insert(uri.clone(), Document { uri: uri.clone(), version, text, changed: self.changes });
        self.require_short(&uri)
    }

    /// Changes the text of a document.
    ///
    /// # Errors
    ///
    /// It is not open, or becomes too long. A version that is not newer is an error, too, but the change is made: the
    /// client has this text.
    pub(crate) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Result<(), String> {
        let Some(document) = self.open.get_mut(uri) else { return Err(format!("{uri} changed, but is not open")) };
        self.changes += 1;
        document.changed = self.changes;
        let before = std::mem::replace(&mut document.version, version);
        let text = Arc::make_mut(&mut document.text);
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    text.replace(part.range, encoding, &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    *text = Text::new(whole.text.into_bytes());
                }
            }
            if text.bytes().len() > LONGEST_DOCUMENT {
                break;
            }
        }
        self.require_short(uri)?;
        match version > before {
            true => Ok(()),
            false => Err(format!("{uri} has version {version} after version {before}")),
        }
    }

    /// Closes a document.
    ///
    /// # Errors
    ///
    /// It is not open.
    pub(crate) fn close(&mut self, uri: &Uri) -> Result<(), String> {
        self.changes += 1;
        self.open.remove(uri).map(|_| ()).ok_or_else(|| format!("{uri} was closed, but is not open"))
    }

    /// The version of a document, if it is open.
    pub(crate) fn version(&self, uri: &Uri) -> Option<i32> {
        self.open.get(uri).map(|document| document.version)
    }

    /// The documents that are files, as they are now.
    pub(crate) fn files(&self) -> OpenFiles {
        let mut files: BTreeMap<PathBuf, Vec<Document>> = BTreeMap::new();
        let mut identities = HashMap::new();
        for (uri, document) in &self.open {
            let Some(path) = path_of(uri) else { continue };
            let identity = identity(&path);
            identities.insert(uri.clone(), identity.clone());
            files.entry(identity).or_default().push(document.clone());
        }
        files.values_mut().for_each(|documents| documents.sort_by_key(|document| std::cmp::Reverse(document.changed)));
        OpenFiles { files, identities }
    }

    fn require_short(&mut self, uri: &Uri) -> Result<(), String> {
        let is_long = |document: &Document| document.text.bytes().len() > LONGEST_DOCUMENT;
        if !self.open.get(uri).is_some_and(is_long) {
            return Ok(());
        }
        self.open.remove(uri);
        Err(format!("{uri} is longer than {} MiB; cowrap reads it from the disk", LONGEST_DOCUMENT >> 20))
    }
}

impl OpenFiles {
    /// The documents of a file, by its identity.
    pub(crate) fn of(&self, path: &Path) -> &[Document] {
        self.files.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    /// The documents of all files, by identity.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Path, &[Document])> {
        self.files.iter().map(|(path, documents)| (path.as_path(), documents.as_slice()))
    }

    /// The identity of the file that a client names; none if it names no file of this machine.
    pub(crate) fn identity(&self, uri: &Uri) -> Option<PathBuf> {
        self.identities.get(uri).cloned().or_else(|| Some(identity(&path_of(uri)?)))
    }

    /// The version of an open document.
    pub(crate) fn version(&self, uri: &Uri) -> Option<i32> {
        let documents = self.of(self.identities.get(uri)?);
        documents.iter().find(|document| document.uri == *uri).map(|document| document.version)
    }
}

#[cfg(test)]
mod tests {
    use gen_lsp_types::{Position, Range, TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument};

    use super::*;

    const UTF_16: Encoding = Encoding::Utf16;

    fn part(from: (u32, u32), to: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        let at = |(line, character)| Position { line, character };
        let range = Range { start: at(from), end: at(to) };
        let part = TextDocumentContentChangePartial { range, text: text.to_owned(), ..Default::default() };
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part)
    }

    fn whole(text: &str) -> TextDocumentContentChangeEvent {
        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(TextDocumentContentChangeWholeDocument {
            text: text.to_owned(),
        })
    }

    fn text(documents: &Documents, uri: &Uri) -> String {
        String::from_utf8(documents.open[uri].text.bytes().to_vec()).unwrap()
    }

    #[test]
    fn changes_apply_one_after_the_other() {
        let (mut documents, uri) = (Documents::default(), Uri::from("file:///a.c"));
        documents.open(uri.clone(), 1, "int ä;\nint b;\n".to_owned()).unwrap();
        let changes = vec![part((0, 4), (0, 5), "xy"), part((1, 0), (2, 0), ""), part((1, 0), (1, 0), "long c;")];
        documents.change(&uri, 2, changes, UTF_16).unwrap();
        assert_eq!(text(&documents, &uri), "int xy;\nlong c;");
        documents.change(&uri, 3, vec![whole("a"), part((0, 1), (0, 1), "b")], UTF_16).unwrap();
        assert_eq!((text(&documents, &uri).as_str(), documents.version(&uri)), ("ab", Some(3)));
        documents.close(&uri).unwrap();
        assert_eq!(documents.version(&uri), None);
    }

    #[test]
    fn nonsense_is_an_error_and_no_panic() {
        let (mut documents, uri) = (Documents::default(), Uri::from("file:///a.c"));
        assert!(documents.change(&uri, 1, vec![whole("")], UTF_16).is_err());
        assert!(documents.close(&uri).is_err());
        documents.open(uri.clone(), 5, "ab\n".to_owned()).unwrap();
        assert!(documents.change(&uri, 4, vec![whole("cd")], UTF_16).is_err());
        assert_eq!(text(&documents, &uri), "cd");
        documents.change(&uri, 5, vec![part((9, 9), (8, 8), "x"), part((0, 2), (0, 1), "")], UTF_16).unwrap();
        assert_eq!(text(&documents, &uri), "cx");
        let long = "x".repeat(LONGEST_DOCUMENT / 4);
        let append = || part((u32::MAX, u32::MAX), (u32::MAX, u32::MAX), &long);
        assert!(documents.change(&uri, 6, (0..9).map(|_| append()).collect(), UTF_16).is_err());
        assert_eq!(documents.version(&uri), None);
    }

    #[test]
    fn a_file_that_is_open_twice_has_the_text_that_changed_last() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        std::fs::write(root.join("a.c"), "").unwrap();
        std::os::unix::fs::symlink("a.c", root.join("b.c")).unwrap();
        let uri = |name: &str| crate::uris::uri_of(&root.join(name));
        let mut documents = Documents::default();
        documents.open(uri("a.c"), 1, "one".to_owned()).unwrap();
        documents.open(uri("b.c"), 1, "two".to_owned()).unwrap();
        documents.open(Uri::from("untitled:x"), 1, "three".to_owned()).unwrap();
        let first = |documents: &Documents| documents.files().of(&root.join("a.c"))[0].uri.clone();
        assert_eq!(first(&documents), uri("b.c"));
        documents.change(&uri("a.c"), 2, vec![whole("four")], UTF_16).unwrap();
        assert_eq!(first(&documents), uri("a.c"));
        assert_eq!(documents.files().of(&root.join("a.c")).len(), 2);
        assert_eq!(documents.files().iter().count(), 1);
        assert_eq!(documents.files().identity(&uri("b.c")), Some(root.join("a.c")));
        assert_eq!(documents.files().version(&uri("a.c")), Some(2));
    }
}
