//! Include graphs of small trees, for tests that need no compiler.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Identities, Tree};

use crate::compdb::Unit;
use crate::scan::Names;
use crate::sources::Sources;

use super::headers::{Follow, HeaderId, Headers};
use super::macros::Macros;

/// A tree with units, and its include graph.
pub struct Graph {
    /// The files.
    pub headers: Headers,
    /// Their macros.
    pub macros: Macros,
    sources: Sources,
    root: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Graph {
    /// The graph of these files; those that end in `.c` are the units.
    pub fn new(files: &[(&str, &str)]) -> Graph {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        for (name, text) in files {
            std::fs::write(root.join(name), text).unwrap();
        }
        let sources = Sources::new(Path::new("/none"), HashMap::new(), std::time::SystemTime::now());
        let unit = |name: &str| Unit {
            file: root.join(name),
            directory: root.clone(),
            arguments: Vec::new().into(),
            outputs: Vec::new(),
            entry: 0,
            dropped: Vec::new(),
        };
        let path = sources.resolver.path(&sources.search_path(&unit("")).unwrap_or_default());
        let (identities, tree) = (Identities::default(), Tree { root: root.clone(), build: None });
        let Sources { scans, resolver, .. } = &sources;
        let follow = Follow { scans, resolver, path, identities: &identities, tree: &tree };
        let mut headers = Headers::default();
        for (name, _) in files.iter().filter(|(name, _)| name.ends_with(".c")) {
            headers.add(&unit(name).file, &follow).unwrap();
        }
        headers.settle(&[], &sources.scans);
        let mut macros = Macros::default();
        for id in 0..headers.count() {
            macros.add(&headers.get(id).scan, true, sources.scans.names());
        }
        macros.finish(std::iter::empty(), sources.scans.names());
        Graph { headers, macros, sources, root, _scratch: scratch }
    }

    /// The file with this name.
    pub fn id(&self, name: &str) -> HeaderId {
        self.headers.find(&self.root.join(name)).unwrap()
    }

    /// The names in all files.
    pub fn names(&self) -> &Names {
        self.sources.scans.names()
    }
}
