//! What a group of units includes: a graph of files, by what their texts say.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scan::{Guard, IncludeKind, PathId, Resolver, Scan, Scans};
use crate::source::{Identities, Tree};

use super::cluster::Set;

/// The number of a file among [`Headers`].
pub type Number = usize;

/// The files that units with one search path may read, and what each may include.
#[derive(Debug, Default)]
pub struct Headers {
    list: Vec<Header>,
    numbers: HashMap<PathBuf, Number>,
}

/// A file.
#[derive(Debug)]
pub struct Header {
    /// Its identity: absolute, without symbolic links.
    pub path: PathBuf,
    /// Whether it belongs to the tree.
    pub own: bool,
    /// What its text says.
    pub scan: Arc<Scan>,
    /// What it includes, in its order, as far as that is found.
    pub edges: Vec<Edge>,
    /// What may include it, and in which line.
    pub includers: Vec<(Number, u32)>,
}

/// An inclusion.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// What is included.
    pub to: Number,
    /// Where: the line, from 1.
    pub line: u32,
    /// Whether it is included whatever is defined.
    pub must: bool,
    /// The position among the includes of the text.
    pub position: usize,
}

/// Inclusions: the file that includes, the line, and what is included.
pub type Inclusions = HashSet<(Number, u32, Number)>;

/// What a unit certainly reads.
#[derive(Debug)]
pub struct Walk {
    /// All of it.
    pub set: Set,
    /// The files in the order in which they are entered, the main file left out: which, from which line of the main file,
    /// and by which edge of which file.
    pub order: Vec<(Number, u32, (Number, usize))>,
}

/// What is needed to follow inclusions.
pub struct Follow<'a> {
    /// The texts.
    pub scans: &'a Scans,
    /// Where headers are found.
    pub resolver: &'a Resolver,
    /// The search path.
    pub path: PathId,
    /// The identities of files.
    pub identities: &'a Identities,
    /// The tree.
    pub tree: &'a Tree,
}

impl Headers {
    /// A file by its number.
    pub fn get(&self, number: Number) -> &Header {
        &self.list[number]
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The number of a file, by its identity.
    pub fn find(&self, path: &Path) -> Option<Number> {
        self.numbers.get(path).copied()
    }

    /// Adds a file, and all that it may include; `None` when it cannot be read.
    pub fn add(&mut self, file: &Path, follow: &Follow<'_>) -> Option<Number> {
        let number = self.enter(file, follow)?;
        let mut open = vec![number];
        while let Some(at) = open.pop() {
            let (path, scan) = (self.list[at].path.clone(), Arc::clone(&self.list[at].scan));
            let found = follow.resolver.of_file(follow.path, follow.resolver.file(&path), &scan);
            let mut edges = Vec::new();
            for (position, (include, found)) in scan.includes.iter().zip(&found.includes).enumerate() {
                let Some(found) = found else { continue };
                let known = self.list.len();
                let Some(to) = self.enter(&follow.resolver.path_of(*found), follow) else { continue };
                if to == known {
                    open.push(to);
                }
                let must = !include.conditional && !include.next && include.kind != IncludeKind::Computed;
                edges.push(Edge { to, line: include.line, must, position });
                self.list[to].includers.push((at, include.line));
            }
            self.list[at].edges = edges;
        }
        Some(number)
    }

    /// The number of a file, whose inclusions may not be known yet.
    fn enter(&mut self, file: &Path, follow: &Follow<'_>) -> Option<Number> {
        let path = follow.identities.identify(Path::new("/"), file);
        if let Some(number) = self.numbers.get(&path) {
            return Some(*number);
        }
        let scan = follow.scans.get(&path)?;
        let own = follow.tree.is_own(&path);
        self.list.push(Header { path: path.clone(), own, scan, edges: Vec::new(), includers: Vec::new() });
        self.numbers.insert(path, self.list.len() - 1);
        Some(self.list.len() - 1)
    }

    /// What is certainly read with a file, when it certainly reads what these inclusions read, too.
    pub fn walk(&self, main: Number, also: &Inclusions) -> Walk {
        let mut walk = Walk { set: Set::default(), order: Vec::new() };
        walk.set.insert(main);
        // Files that are being read, with the next of their edges; and the line of the main file.
        let mut open = vec![(main, 0)];
        let mut line = 0;
        while let Some((at, next)) = open.last_mut() {
            let at = *at;
            let Some(edge) = self.list[at].edges.get(*next) else {
                open.pop();
                continue;
            };
            *next += 1;
            if open.len() == 1 {
                line = edge.line;
            }
            let is_certain = edge.must || also.contains(&(at, edge.line, edge.to));
            if is_certain && walk.set.insert(edge.to) {
                walk.order.push((edge.to, line, (at, edge.position)));
                open.push((edge.to, 0));
            }
        }
        walk
    }

    /// All that may be read with files.
    pub fn closure(&self, files: impl IntoIterator<Item = Number>) -> Set {
        let mut open: Vec<Number> = files.into_iter().collect();
        let mut closure: Set = open.iter().copied().collect();
        while let Some(at) = open.pop() {
            open.extend(self.list[at].edges.iter().map(|edge| edge.to).filter(|to| closure.insert(*to)));
        }
        closure
    }
}

impl Header {
    /// Whether reading it for the second time reads nothing.
    pub fn is_guarded(&self) -> bool {
        self.scan.guard != Guard::None
    }
}
