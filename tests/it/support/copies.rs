//! Copies of the trees in `testdata/`, to be changed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A copy of a tree, removed when it is dropped.
pub struct Copy {
    scratch: TempDir,
    /// Its root: absolute, without symbolic links.
    pub root: PathBuf,
}

impl Copy {
    /// A copy of `testdata/miniblock`.
    pub fn of_miniblock() -> Copy {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("tree");
        copy_directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock"), &root);
        Copy { scratch, root }
    }

    /// A directory beside the tree.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Replaces a text in a file, once, as most editors save.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let file = self.root.join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{}: {from}", file.display());
        let new = file.with_extension("new");
        std::fs::write(&new, text.replace(from, to)).unwrap();
        std::fs::rename(new, file).unwrap();
    }
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_directory(&entry.path(), &target),
            false => std::fs::copy(entry.path(), target).map(|_| ()).unwrap(),
        }
    }
}
