//! The texts of a tree's files: as they were read, and as edits change them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::read::{LONGEST_TEXT, read_source};

/// A text, and where its lines begin.
type TextLines = (Arc<Vec<u8>>, Arc<[usize]>);

/// Of how many texts it is known where the lines begin: threads look at different ones.
const MOST_TEXTS_WITH_LINES: usize = 16;

/// The texts of files by path; relative paths start from the root of a tree. Each file is read
/// once.
#[derive(Debug)]
pub struct Texts {
    root: PathBuf,
    /// The time after which files must not have been written, if any.
    since: Option<SystemTime>,
    read: Mutex<HashMap<PathBuf, Arc<Vec<u8>>>>,
    /// Files that could not be read.
    unread: Mutex<BTreeSet<PathBuf>>,
    changed: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    /// Where the lines begin in the texts that were asked for last, the latest last.
    lines: Mutex<VecDeque<TextLines>>,
}

impl Texts {
    /// The texts of a tree. A file that was written after `since` is an error: what is known about
    /// it is older.
    pub fn new(root: &Path, since: Option<SystemTime>) -> Texts {
        Texts {
            root: root.to_path_buf(),
            since,
            read: Mutex::default(),
            unread: Mutex::default(),
            changed: BTreeMap::new(),
            lines: Mutex::default(),
        }
    }

    /// A file's text: the changed one, or that on disk.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or was written after `since`.
    pub fn text(&self, path: &Path) -> io::Result<Arc<Vec<u8>>> {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        match self.changed.get(path) {
            Some(text) => Ok(Arc::clone(text)),
            None => self.original(path),
        }
    }

    /// The same, without storing it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn glance(&self, path: &Path) -> io::Result<Arc<Vec<u8>>> {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        match self.changed.get(relative) {
            Some(text) => Ok(Arc::clone(text)),
            None => read_source(&self.root.join(relative), LONGEST_TEXT).map(Arc::new),
        }
    }

    /// A file's text on disk.
    ///
    /// # Errors
    ///
    /// As [`Texts::text`].
    pub fn original(&self, path: &Path) -> io::Result<Arc<Vec<u8>>> {
        let known = |read: &HashMap<PathBuf, Arc<Vec<u8>>>| read.get(path).map(Arc::clone);
        if let Some(text) = self.read.lock().ok().as_deref().and_then(known) {
            return Ok(text);
        }
        let file = self.root.join(path);
        let text = read_source(&file, LONGEST_TEXT).inspect_err(|_| {
            if let Ok(mut unread) = self.unread.lock() {
                unread.insert(path.to_path_buf());
            }
        })?;
        let text = Arc::new(text);
        let written = std::fs::metadata(&file).and_then(|metadata| metadata.modified());
        if let (Some(since), Ok(written)) = (self.since, written)
            && written > since
        {
            return Err(io::Error::other("the file has changed since it was read; run again"));
        }
        if let Ok(mut read) = self.read.lock() {
            read.insert(path.to_path_buf(), Arc::clone(&text));
        }
        Ok(text)
    }

    /// The offset of a location in a text of a file here, as [`offset`]; quick for many in one text.
    pub fn offset(&self, text: &Arc<Vec<u8>>, line: u32, column: u32) -> Option<usize> {
        let starts = self.line_starts(text);
        let start = *starts.get(line.checked_sub(1)? as usize)?;
        let end = starts.get(line as usize).map_or(text.len(), |next| next - 1);
        let at = start.checked_add(column.checked_sub(1)? as usize)?;
        (at <= end).then_some(at)
    }

    /// Where the lines of a text begin.
    fn line_starts(&self, text: &Arc<Vec<u8>>) -> Arc<[usize]> {
        let find = || std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|end| end + 1)).collect();
        let Ok(mut last) = self.lines.lock() else { return find() };
        if let Some((_, starts)) = last.iter().find(|(known, _)| Arc::ptr_eq(known, text)) {
            return Arc::clone(starts);
        }
        let starts: Arc<[usize]> = find();
        if last.len() == MOST_TEXTS_WITH_LINES {
            last.pop_front();
        }
        last.push_back((Arc::clone(text), Arc::clone(&starts)));
        starts
    }

    /// The absolute paths of all files that were read or could not be read, sorted.
    pub fn consulted(&self) -> BTreeSet<PathBuf> {
        let mut paths = BTreeSet::new();
        if let Ok(read) = self.read.lock() {
            paths.extend(read.keys().map(|path| self.root.join(path)));
        }
        if let Ok(unread) = self.unread.lock() {
            paths.extend(unread.iter().map(|path| self.root.join(path)));
        }
        paths
    }

    /// Gives a file another text in memory, or that on disk again. Returns the former text in
    /// memory.
    pub fn change(&mut self, path: &Path, text: Option<Arc<Vec<u8>>>) -> Option<Arc<Vec<u8>>> {
        match text {
            Some(text) => self.changed.insert(path.to_path_buf(), text),
            None => self.changed.remove(path),
        }
    }

    /// Whether a file has another text in memory.
    pub fn is_changed(&self, path: &Path) -> bool {
        self.changed.contains_key(path.strip_prefix(&self.root).unwrap_or(path))
    }

    /// The files with a text in memory, and that text, sorted.
    pub fn changed(&self) -> impl Iterator<Item = (&Path, &Arc<Vec<u8>>)> {
        self.changed.iter().map(|(path, text)| (path.as_path(), text))
    }
}

/// The offset of a location in a text. Line and column count from 1, the column in bytes.
pub fn offset(text: &[u8], line: u32, column: u32) -> Option<usize> {
    let (line, column) = (line.checked_sub(1)? as usize, column.checked_sub(1)? as usize);
    let start = match line {
        0 => 0,
        line => text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(line - 1)?.0 + 1,
    };
    let end = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| start + length);
    (start + column <= end).then_some(start + column)
}

/// The location of an offset in a text: the opposite of [`offset`].
pub fn place(text: &[u8], offset: usize) -> (u32, u32) {
    let before = &text[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    (line as u32 + 1, column as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_place() {
        let text = b"ab\n\ncd";
        let (texts, shared) = (Texts::new(Path::new(""), None), Arc::new(text.to_vec()));
        for (line, column) in [(0, 1), (1, 0), (1, 5), (2, 2), (4, 1), (9, 9)] {
            assert_eq!(offset(text, line, column), texts.offset(&shared, line, column), "{line}:{column}");
        }
        for at in 0..=text.len() {
            let (line, column) = place(text, at);
            assert_eq!(offset(text, line, column), Some(at));
            assert_eq!(texts.offset(&shared, line, column), Some(at));
        }
        assert_eq!(place(text, 99), (3, 3));
    }

    #[test]
    fn a_place_is_an_offset() {
        let text = b"ab\ncd\n";
        assert_eq!(offset(text, 1, 1), Some(0));
        assert_eq!(offset(text, 2, 2), Some(4));
        assert_eq!(offset(text, 2, 3), Some(5));
        assert_eq!(offset(text, 2, 4), None);
        assert_eq!(offset(text, 3, 1), Some(6));
        assert_eq!(offset(text, 4, 1), None);
        assert_eq!(offset(text, 0, 1), None);
        assert_eq!(offset(b"", 1, 1), Some(0));
    }

    #[test]
    fn a_text_is_read_once_and_changed_in_memory() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("a.c"), "old").unwrap();
        let mut texts = Texts::new(scratch.path(), None);
        assert_eq!(**texts.text(Path::new("a.c")).unwrap(), *b"old");
        std::fs::write(scratch.path().join("a.c"), "other").unwrap();
        assert_eq!(**texts.text(Path::new("a.c")).unwrap(), *b"old");
        assert_eq!(texts.change(Path::new("a.c"), Some(Arc::new(b"new".to_vec()))), None);
        assert_eq!(**texts.text(Path::new("a.c")).unwrap(), *b"new");
        assert_eq!(**texts.original(Path::new("a.c")).unwrap(), *b"old");
        assert_eq!(texts.changed().count(), 1);
        texts.change(Path::new("a.c"), None);
        assert_eq!(**texts.text(Path::new("a.c")).unwrap(), *b"old");
        assert!(texts.text(Path::new("none.c")).is_err());
    }

    #[test]
    fn what_is_newer_than_what_is_known_of_it_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        std::fs::write(&path, "x").unwrap();
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        let before = written - std::time::Duration::from_secs(1);
        assert!(Texts::new(scratch.path(), Some(before)).text(Path::new("a.c")).is_err());
        assert!(Texts::new(scratch.path(), Some(written)).text(Path::new("a.c")).is_ok());
    }
}
