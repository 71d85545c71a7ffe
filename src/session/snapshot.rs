//! Snapshots: the states of a tree that can be read.
//!
//! A snapshot is the tree on the disk, with other texts in place of some files: from git's index,
//! from a revision, or from a fix that is being tried. It must never know how its files are read or
//! what is found in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cowrap_base::files::Overlay;
use cowrap_base::git::{Change, Git, GitError, Side};

/// A state of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The files that differ from the disk, by their absolute paths.
    overlay: Overlay,
    /// The files that have another path on the disk: path on the disk, path in the snapshot.
    moved: BTreeMap<PathBuf, PathBuf>,
}

impl Snapshot {
    /// The tree on the disk.
    pub fn disk() -> Snapshot {
        Snapshot::default()
    }

    /// What git has staged: the tree of the next commit.
    pub fn staged(git: &Git) -> Result<Snapshot, GitError> {
        let mut overlay = Overlay::default();
        for Change { old, new, old_text, .. } in git.changes(Side::Index, Side::WorkTree)? {
            if let Some(new) = new.filter(|new| Some(new) != old.as_ref()) {
                overlay.set(new, None);
            }
            if let Some(old) = old {
                overlay.set(old, old_text);
            }
        }
        Ok(Snapshot { overlay, moved: BTreeMap::new() })
    }

    /// This snapshot without some changes.
    ///
    /// # Errors
    ///
    /// The path of something that was not a regular file before the changes.
    pub fn before(&self, changes: &[Change]) -> Result<Snapshot, PathBuf> {
        let mut before = self.clone();
        for Change { old, new, .. } in changes {
            let Some(new) = new else { continue };
            if Some(new) != old.as_ref() {
                before.overlay.set(new.clone(), None);
                if let Some(old) = old {
                    before.moved.insert(new.clone(), old.clone());
                }
            }
        }
        // Last, because another file may now have the path of a file that was moved.
        for Change { old, old_text, .. } in changes {
            let Some(old) = old else { continue };
            if old_text.is_none() {
                return Err(old.clone());
            }
            before.overlay.set(old.clone(), old_text.clone());
        }
        Ok(before)
    }

    /// This snapshot with other texts of some files, by their absolute paths.
    pub fn with_texts(&self, texts: impl IntoIterator<Item = (PathBuf, Arc<Vec<u8>>)>) -> Snapshot {
        let mut changed = self.clone();
        for (path, text) in texts {
            changed.overlay.set(path, Some(text));
        }
        changed
    }

    /// The files that have another text in memory than in another snapshot, or in one of the two alone.
    pub fn differing(&self, other: &Snapshot) -> Vec<PathBuf> {
        let files = self.overlay.entries().chain(other.overlay.entries()).map(|(path, _)| path);
        let differs = |path: &&Path| self.overlay.text(path) != other.overlay.text(path);
        let files: BTreeSet<&Path> = files.filter(differs).collect();
        files.into_iter().map(Path::to_path_buf).collect()
    }

    /// Whether no file differs from the disk.
    pub fn is_disk(&self) -> bool {
        self.overlay.is_empty()
    }

    /// Whether all files of the disk exist, at their paths. Others may be added.
    pub fn has_all_files(&self) -> bool {
        self.moved.is_empty() && self.overlay.entries().all(|(_, text)| text.is_some())
    }

    /// Whether the same files exist as on the disk: none was added, removed or moved.
    pub fn has_disk_layout(&self) -> bool {
        // A path that leads through a symbolic link names another file for whoever reads it.
        let is_file = |(path, text): (&Path, Option<&Arc<Vec<u8>>>)| {
            text.is_some() && path.is_file() && path.canonicalize().is_ok_and(|identity| identity == path)
        };
        self.moved.is_empty() && self.overlay.entries().all(is_file)
    }

    /// The files that differ from the disk.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The path in this snapshot of a file that has the path `on_disk` on the disk; `None` if the
    /// snapshot does not have it.
    pub fn locate<'p>(&'p self, on_disk: &'p Path) -> Option<&'p Path> {
        match self.moved.get(on_disk) {
            Some(path) => Some(path),
            None if self.overlay.is_gone(on_disk) => None,
            None => Some(on_disk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(old: Option<&str>, new: Option<&str>, text: &str) -> Change {
        let old_text = old.map(|_| Arc::new(text.as_bytes().to_vec()));
        Change { old: old.map(PathBuf::from), new: new.map(PathBuf::from), old_text, new_text: None, lines: Vec::new() }
    }

    #[test]
    fn before_a_change_files_have_their_old_texts_and_paths() {
        let changes = [
            change(Some("/t/edited.c"), Some("/t/edited.c"), "old"),
            change(Some("/t/from.c"), Some("/t/to.c"), "moved"),
            change(None, Some("/t/added.c"), ""),
            change(Some("/t/removed.c"), None, "removed"),
        ];
        let before = Snapshot::disk().before(&changes).unwrap();
        let text = |path: &str| before.overlay().text(Path::new(path)).map(|text| text.as_slice().to_vec());
        assert_eq!(text("/t/edited.c").as_deref(), Some(&b"old"[..]));
        assert_eq!(text("/t/from.c").as_deref(), Some(&b"moved"[..]));
        assert_eq!(text("/t/removed.c").as_deref(), Some(&b"removed"[..]));
        assert_eq!(before.locate(Path::new("/t/to.c")), Some(Path::new("/t/from.c")));
        assert_eq!(before.locate(Path::new("/t/added.c")), None);
        assert_eq!(before.locate(Path::new("/t/other.c")), Some(Path::new("/t/other.c")));
    }

    #[test]
    fn two_files_that_swapped_their_paths_both_exist_before() {
        let changes = [change(Some("/t/a.c"), Some("/t/b.c"), "a"), change(Some("/t/b.c"), Some("/t/a.c"), "b")];
        let before = Snapshot::disk().before(&changes).unwrap();
        assert!(!before.overlay().is_gone(Path::new("/t/a.c")) && !before.overlay().is_gone(Path::new("/t/b.c")));
        assert_eq!(before.locate(Path::new("/t/b.c")), Some(Path::new("/t/a.c")));
    }

    #[test]
    fn changed_texts_do_not_change_the_layout() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().canonicalize().unwrap().join("a.c");
        std::fs::write(&path, "old").unwrap();
        let with = |path: PathBuf| Snapshot::disk().with_texts([(path, Arc::new(b"new".to_vec()))]);
        assert!(Snapshot::disk().has_disk_layout() && with(path.clone()).has_disk_layout());
        let link = scratch.path().join("link.c");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(!with(link).has_disk_layout(), "units know the file by its own path");
        assert!(!with(scratch.path().join("b.c")).has_disk_layout());
        let added = with(scratch.path().join("b.c"));
        assert!(added.has_all_files() && Snapshot::disk().has_all_files());
        assert!(!Snapshot::disk().before(&[change(None, Some("/t/new.c"), "")]).unwrap().has_all_files());
        let mut removed = change(Some("/t/a.c"), None, "a");
        removed.old = Some(path);
        removed.new = Some(scratch.path().join("c.c"));
        assert!(!Snapshot::disk().before(&[removed]).unwrap().has_disk_layout());
    }

    #[test]
    fn a_path_that_was_not_a_regular_file_is_an_error() {
        let mut changes = [change(Some("/t/a.c"), Some("/t/a.c"), "a")];
        changes[0].old_text = None;
        assert_eq!(Snapshot::disk().before(&changes).unwrap_err(), Path::new("/t/a.c"));
    }
}
