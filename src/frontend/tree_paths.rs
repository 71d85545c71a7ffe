//! The paths of a tree, as facts name them.
//!
//! It must never know libclang.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::clang::UnsavedFile;
use crate::extract::Paths;
use cowrap_base::files::{Identities, Tree, read_source};

/// The paths of the tree, as extraction asks for them.
#[derive(Debug)]
pub(crate) struct TreePaths {
    /// The tree.
    pub tree: Tree,
    /// The identities of its files.
    pub identities: Identities,
    /// Texts of files that were asked for, and those in memory, by their absolute paths.
    texts: Mutex<HashMap<PathBuf, Arc<[u8]>>>,
    /// The most that is read of one file, in bytes.
    most: u64,
}

impl TreePaths {
    /// The paths of a tree; `texts` replace files on disk. At most `most` bytes are read of a file.
    pub fn new(tree: Tree, texts: &[UnsavedFile], most: u64) -> TreePaths {
        let texts = texts.iter().map(|text| (text.path(), Arc::from(text.contents()))).collect();
        TreePaths { tree, identities: Identities::default(), texts: Mutex::new(texts), most }
    }
}

impl Paths for TreePaths {
    fn text(&self, file: &Path) -> Arc<[u8]> {
        let path = self.tree.absolute(file);
        let Ok(mut texts) = self.texts.lock() else { return Arc::default() };
        let text = || Arc::from(read_source(&path, self.most).unwrap_or_default());
        Arc::clone(texts.entry(path.clone()).or_insert_with(text))
    }

    fn identify(&self, directory: &Path, path: &Path) -> PathBuf {
        self.tree.portable(&self.identities.identify(directory, path))
    }

    fn absolute(&self, file: &Path) -> PathBuf {
        self.tree.absolute(file)
    }

    fn is_own(&self, file: &Path) -> bool {
        self.tree.is_own(&self.tree.absolute(file))
    }
}
