//! A state of a tree that differs from the disk in some files.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The texts of files that differ from the disk, by their identities. All other files are as on
/// disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    texts: BTreeMap<PathBuf, Option<Arc<Vec<u8>>>>,
}

/// The state on the disk.
pub static ON_DISK: Overlay = Overlay { texts: BTreeMap::new() };

impl Overlay {
    /// Whether the state is that of the disk.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Gives a file a text, or removes it.
    pub fn set(&mut self, path: PathBuf, text: Option<Arc<Vec<u8>>>) {
        self.texts.insert(path, text);
    }

    /// The text of a file that differs from the disk.
    pub fn text(&self, path: &Path) -> Option<&Arc<Vec<u8>>> {
        self.texts.get(path).and_then(Option::as_ref)
    }

    /// Whether a file was removed, although it may be on disk.
    pub fn is_gone(&self, path: &Path) -> bool {
        matches!(self.texts.get(path), Some(None))
    }

    /// Whether a path is a file with a text here, or a directory above one.
    pub fn is_there(&self, path: &Path) -> bool {
        let mut below = self
            .texts
            .range::<Path, _>((Bound::Included(path), Bound::Unbounded))
            .take_while(|(file, _)| file.starts_with(path));
        below.any(|(_, text)| text.is_some())
    }

    /// The files that are not taken from the disk, sorted, with their texts; without one they are
    /// not there.
    pub fn entries(&self) -> impl Iterator<Item = (&Path, Option<&Arc<Vec<u8>>>)> {
        self.texts.iter().map(|(path, text)| (path.as_path(), text.as_ref()))
    }

    /// The files whose texts differ from the disk, sorted.
    pub fn texts(&self) -> impl Iterator<Item = (&Path, &Arc<Vec<u8>>)> {
        self.texts.iter().filter_map(|(path, text)| Some((path.as_path(), text.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_files_and_lacks_others() {
        let mut overlay = Overlay::default();
        assert!(overlay.is_empty());
        overlay.set("/t/a/b.h".into(), Some(Arc::new(b"x".to_vec())));
        overlay.set("/t/a.h".into(), None);
        let is_there = |path: &str| overlay.is_there(Path::new(path));
        assert!(is_there("/t/a/b.h") && is_there("/t/a") && is_there("/t"));
        assert!(!is_there("/t/a.h") && !is_there("/t/a/b") && !is_there("/t/b"));
        assert!(overlay.is_gone(Path::new("/t/a.h")) && !overlay.is_gone(Path::new("/t/b.h")));
        assert_eq!(overlay.text(Path::new("/t/a/b.h")).map(|text| text.as_slice()), Some(&b"x"[..]));
        assert_eq!(overlay.texts().count(), 1);
    }
}
