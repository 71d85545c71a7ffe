//! What a group of units includes: a graph of files, by what their texts say.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scan::{Guard, IncludeKind, Name, PathId, Resolver, Scan, Scans};
use cowrap_base::files::{Identities, Tree};

use super::cluster::BitSet;

/// The number of a file among [`Headers`].
pub type HeaderId = usize;

/// The files that units with one search path may read, and what each may include.
#[derive(Debug, Default)]
pub struct Headers {
    list: Vec<Header>,
    numbers: HashMap<PathBuf, HeaderId>,
    /// Files by their device and inode: hard links are one file to a compiler.
    inodes: HashMap<(u64, u64), HeaderId>,
    /// Links whose inclusions are known, or about to be.
    links: HashSet<PathBuf>,
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
    pub includers: Vec<(HeaderId, u32)>,
    /// Why it cannot be told what reading it does.
    pub oddity: Option<Oddity>,
    /// Whether it may be read again although it has a guard, or not be read although it was not: its guard's macro is defined
    /// elsewhere, too.
    open: bool,
}

/// What makes that little can be said of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Links lead to it from other directories: what it includes is looked for beside the link.
    Linked,
    /// It has another name as well, which is no link.
    Named,
    /// It has a guard and may be included within a declaration, where it means something else.
    Inside,
}

/// An inclusion.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// What is included.
    pub to: HeaderId,
    /// Where: the line, from 1.
    pub line: u32,
    /// Whether it is included whatever is defined.
    pub must: bool,
    /// The position among the includes of the text.
    pub position: usize,
}

/// Inclusions: the file that includes, the line, and what is included.
pub type Inclusions = HashSet<(HeaderId, u32, HeaderId)>;

/// What a unit certainly reads.
#[derive(Debug)]
pub struct IncludeClosure {
    /// All of it.
    pub set: BitSet,
    /// The files in the order in which they are entered, the main file left out: which, from which line of the main file,
    /// and by which edge of which file.
    pub order: Vec<(HeaderId, u32, (HeaderId, usize))>,
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
    pub fn get(&self, number: HeaderId) -> &Header {
        &self.list[number]
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The number of a file, by its identity.
    pub fn find(&self, path: &Path) -> Option<HeaderId> {
        self.numbers.get(path).copied()
    }

    /// Adds a file, and all that it may include; `None` when it cannot be read.
    pub fn add(&mut self, file: &Path, follow: &Follow<'_>) -> Option<HeaderId> {
        let mut open = Vec::new();
        let number = self.enter(file, follow, &mut open)?;
        while let Some((at, path)) = open.pop() {
            let scan = Arc::clone(&self.list[at].scan);
            let found = follow.resolver.of_file(follow.path, follow.resolver.file(&path), &scan);
            let mut edges = Vec::new();
            for (position, (include, found)) in scan.includes.iter().zip(&found.includes).enumerate() {
                let Some(found) = found else { continue };
                let Some(to) = self.enter(&follow.resolver.path_of(*found), follow, &mut open) else { continue };
                let to_header = &mut self.list[to];
                if include.inside && to_header.scan.guard != Guard::None {
                    to_header.oddity.get_or_insert(Oddity::Inside);
                }
                to_header.includers.push((at, include.line));
                let must = !include.conditional && !include.next && include.kind != IncludeKind::Computed;
                edges.push(Edge { to, line: include.line, must, position });
            }
            self.list[at].edges.extend(edges);
        }
        Some(number)
    }

    /// The number of a file. When its inclusions are not known yet, it is among the open ones, by the path from which these are
    /// looked for.
    fn enter(&mut self, file: &Path, follow: &Follow<'_>, open: &mut Vec<(HeaderId, PathBuf)>) -> Option<HeaderId> {
        let root = Path::new("/");
        let path = follow.identities.identify(root, file);
        let number = match self.numbers.get(&path) {
            Some(number) => *number,
            None => {
                let scan = follow.scans.get(&path)?;
                let own = follow.tree.is_own(&path);
                let number = self.list.len();
                let oddity = self.other_name(&path, number);
                let (edges, includers) = (Vec::new(), Vec::new());
                self.list.push(Header { path: path.clone(), own, scan, edges, includers, oddity, open: false });
                self.numbers.insert(path.clone(), number);
                open.push((number, path.clone()));
                number
            }
        };
        // In another directory, other files are beside it.
        let directory = file.parent().map(|parent| follow.identities.identify(root, parent));
        if file != path && directory.as_deref() != path.parent() && !self.list[number].scan.includes.is_empty() {
            self.list[number].oddity = Some(Oddity::Linked);
            if self.links.insert(file.to_path_buf()) {
                open.push((number, file.to_path_buf()));
            }
        }
        Some(number)
    }

    /// Notes that a file is one that is known by another name.
    fn other_name(&mut self, path: &Path, number: HeaderId) -> Option<Oddity> {
        let metadata = std::fs::metadata(path).ok().filter(|metadata| metadata.nlink() > 1)?;
        let other = *self.inodes.entry((metadata.dev(), metadata.ino())).or_insert(number);
        if other == number {
            return None;
        }
        self.list[other].oddity.get_or_insert(Oddity::Named);
        Some(Oddity::Named)
    }

    /// Finds out which guards can be relied on, once all files are there. `arguments` are those of the units.
    pub fn settle(&mut self, arguments: &[OsString], scans: &Scans) {
        let mut times: HashMap<Name, usize> = HashMap::new();
        for header in &self.list {
            let guard = match header.scan.guard {
                Guard::Macro(name) => Some(name),
                _ => None,
            };
            for name in header.scan.defines.iter().map(|(name, _)| *name).chain(guard) {
                *times.entry(name).or_default() += 1;
            }
        }
        // Whatever could be the name of a macro in an argument is taken for one that it defines.
        for argument in arguments {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let words = argument.as_bytes().split(|byte| !is_name(byte));
            let joined = words.clone().filter_map(|word| word.strip_prefix(b"D").or(word.strip_prefix(b"U")));
            for name in words.clone().chain(joined).filter_map(|word| scans.names().find(word)) {
                *times.entry(name).or_default() += 1;
            }
        }
        for header in &mut self.list {
            header.open = matches!(header.scan.guard, Guard::Macro(name) if times.get(&name) > Some(&1));
            if header.open || header.oddity == Some(Oddity::Linked) {
                header.edges.iter_mut().for_each(|edge| edge.must = false);
            }
        }
        for at in 0..self.list.len() {
            for position in 0..self.list[at].edges.len() {
                let Edge { to, .. } = self.list[at].edges[position];
                if self.list[to].oddity == Some(Oddity::Inside) {
                    self.list[at].edges[position].must = false;
                }
            }
        }
    }

    /// What is certainly read with a file, when it certainly reads what these inclusions read, too.
    pub fn walk(&self, main: HeaderId, also: &Inclusions) -> IncludeClosure {
        let mut walk = IncludeClosure { set: BitSet::default(), order: Vec::new() };
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
    pub fn closure(&self, files: impl IntoIterator<Item = HeaderId>) -> BitSet {
        let mut open: Vec<HeaderId> = files.into_iter().collect();
        let mut closure: BitSet = open.iter().copied().collect();
        while let Some(at) = open.pop() {
            open.extend(self.list[at].edges.iter().map(|edge| edge.to).filter(|to| closure.insert(*to)));
        }
        closure
    }
}

impl Header {
    /// Whether reading it for the second time reads nothing.
    pub fn is_guarded(&self) -> bool {
        self.scan.guard != Guard::None && !self.open
    }

    /// Whether it means the same when it is included by its path alone.
    pub fn can_be_listed(&self) -> bool {
        let mut all = self.scan.includes.iter().chain(&self.scan.probes);
        self.is_guarded() && self.oddity.is_none() && !all.any(|include| include.next)
    }
}
