//! The include graph of a group of units, by what the texts say.
//!
//! An edge is certain when no condition controls the `#include`. It must never know libclang, or
//! what is shared.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scan::{Guard, IncludeKind, Name, PathId, Resolver, Scan, Scans, SkippedLines};
use cowrap_base::files::{Identities, Tree};

use super::bit_set::BitSet;
use super::macros::{argument_names, defines};

/// The position of a file among [`Headers`].
pub type HeaderId = usize;

/// The files that units with one search path may read, and what each may include.
#[derive(Debug, Default)]
pub struct Headers {
    list: Vec<Header>,
    numbers: HashMap<PathBuf, HeaderId>,
    /// Files by device and inode: a compiler takes hard links for one file.
    inodes: HashMap<(u64, u64), HeaderId>,
    /// Symbolic links whose inclusions are known, or are about to be.
    links: HashSet<PathBuf>,
}

/// A file.
#[derive(Debug)]
pub struct Header {
    /// Its absolute path without symbolic links.
    pub path: PathBuf,
    /// Whether it belongs to the tree.
    pub own: bool,
    /// What its text says.
    pub scan: Arc<Scan>,
    /// The inclusions that find a file, in the order of the text.
    pub edges: Vec<Edge>,
    /// The files that may include it, and the lines.
    pub includers: Vec<(HeaderId, u32)>,
    /// Why reading it may do something else than its text says.
    pub oddity: Option<Oddity>,
    /// Whether its guard cannot be relied on, since the guard's macro is also defined elsewhere:
    /// then it may be read twice, or not at all.
    has_open_guard: bool,
}

/// Why a file may do something else than its text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Symbolic links in other directories lead to it, and its includes are looked up beside the
    /// link.
    SymbolicallyLinked,
    /// It has a hard link.
    HardLinked,
    /// It has a guard, and may be included inside a declaration, where it means something else.
    InsideDeclaration,
}

/// An inclusion.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// What is included.
    pub to: HeaderId,
    /// The line of the `#include`, from 1.
    pub line: u32,
    /// Whether the file is included whatever is defined.
    pub is_certain: bool,
    /// The position of the `#include` in the text.
    pub position: usize,
}

/// Inclusions: the including file, the line, and the included file.
pub type Inclusions = HashSet<(HeaderId, u32, HeaderId)>;

/// The files that are certainly read with a file.
#[derive(Debug)]
pub struct IncludeClosure {
    /// All of them, with the file itself.
    pub set: BitSet,
    /// The files in the order in which they are entered, without the file itself: which, from which
    /// line of the file itself, and by which edge of which file.
    pub order: Vec<(HeaderId, u32, (HeaderId, usize))>,
}

/// What is needed to find included files.
pub struct Follow<'a> {
    /// The texts.
    pub scans: &'a Scans,
    /// Finds headers.
    pub resolver: &'a Resolver,
    /// The search path.
    pub path: PathId,
    /// The identities of files.
    pub identities: &'a Identities,
    /// The tree.
    pub tree: &'a Tree,
}

impl Headers {
    /// A file by its id.
    pub fn get(&self, number: HeaderId) -> &Header {
        &self.list[number]
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The file with this absolute path without symbolic links.
    pub fn find(&self, path: &Path) -> Option<HeaderId> {
        self.numbers.get(path).copied()
    }

    /// Adds a file and all files that it may include; `None` when it cannot be read.
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
                    to_header.oddity.get_or_insert(Oddity::InsideDeclaration);
                }
                to_header.includers.push((at, include.line));
                let is_certain = !include.conditional && !include.next && include.kind != IncludeKind::Computed;
                edges.push(Edge { to, line: include.line, is_certain, position });
            }
            self.list[at].edges.extend(edges);
        }
        Some(number)
    }

    /// The id of a file, which is added if it is new. If its inclusions are not known yet, `open`
    /// gets the file, and the path beside which they are looked up.
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
                self.list.push(Header {
                    path: path.clone(),
                    own,
                    scan,
                    edges,
                    includers,
                    oddity,
                    has_open_guard: false,
                });
                self.numbers.insert(path.clone(), number);
                open.push((number, path.clone()));
                number
            }
        };
        // Another directory has other files beside it.
        let directory = file.parent().map(|parent| follow.identities.identify(root, parent));
        if file != path && directory.as_deref() != path.parent() && !self.list[number].scan.includes.is_empty() {
            self.list[number].oddity = Some(Oddity::SymbolicallyLinked);
            if self.links.insert(file.to_path_buf()) {
                open.push((number, file.to_path_buf()));
            }
        }
        Some(number)
    }

    /// Notes that a file is one that has another name already.
    fn other_name(&mut self, path: &Path, number: HeaderId) -> Option<Oddity> {
        let metadata = std::fs::metadata(path).ok().filter(|metadata| metadata.nlink() > 1)?;
        let other = *self.inodes.entry((metadata.dev(), metadata.ino())).or_insert(number);
        if other == number {
            return None;
        }
        self.list[other].oddity.get_or_insert(Oddity::HardLinked);
        Some(Oddity::HardLinked)
    }

    /// Finds the guards that cannot be relied on, after all files were added. `arguments` are those
    /// of the units; every name in them counts as a macro that they define.
    pub fn settle(&mut self, arguments: &[OsString], scans: &Scans) {
        let mut times: HashMap<Name, usize> = HashMap::new();
        let defined = self.list.iter().flat_map(|header| defines(&header.scan)).map(|(name, _)| name);
        let given = arguments.iter().flat_map(|argument| argument_names(argument, scans.names()));
        for name in defined.chain(given) {
            *times.entry(name).or_default() += 1;
        }
        for header in &mut self.list {
            header.has_open_guard = matches!(header.scan.guard, Guard::Macro(name) if times.get(&name) > Some(&1));
            if header.has_open_guard || header.oddity == Some(Oddity::SymbolicallyLinked) {
                header.edges.iter_mut().for_each(|edge| edge.is_certain = false);
            }
        }
        for at in 0..self.list.len() {
            for position in 0..self.list[at].edges.len() {
                let Edge { to, .. } = self.list[at].edges[position];
                if self.list[to].oddity == Some(Oddity::InsideDeclaration) {
                    self.list[at].edges[position].is_certain = false;
                }
            }
        }
    }

    /// The files that are certainly read with a file. The inclusions of `also` count as certain.
    pub fn certain_closure(&self, main: HeaderId, also: &Inclusions) -> IncludeClosure {
        let mut closure = IncludeClosure { set: BitSet::default(), order: Vec::new() };
        closure.set.insert(main);
        // The files being read, each with the position of its next edge; and the current line of
        // the main file.
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
            let is_certain = edge.is_certain || also.contains(&(at, edge.line, edge.to));
            if is_certain && closure.set.insert(edge.to) {
                closure.order.push((edge.to, line, (at, edge.position)));
                open.push((edge.to, 0));
            }
        }
        closure
    }

    /// The inclusions of a file that was read once, with `skipped` lines: they are made whenever it is
    /// read so.
    pub fn active_inclusions(
        &self,
        file: HeaderId,
        skipped: &[SkippedLines],
    ) -> impl Iterator<Item = (HeaderId, u32, HeaderId)> {
        let header = self.get(file);
        let is_known = header.oddity.is_none() && !header.has_open_guard;
        let is_read = |line: u32| !skipped.iter().any(|(first, last)| *first < line && line < *last);
        let can_count = move |edge: &&Edge| {
            let include = header.scan.includes.get(edge.position);
            let is_plain = include.is_some_and(|include| !include.next && include.kind != IncludeKind::Computed);
            is_known && is_plain && self.get(edge.to).oddity.is_none() && is_read(edge.line)
        };
        header.edges.iter().filter(can_count).map(move |edge| (file, edge.line, edge.to))
    }

    /// The files that may be read with these files, with these files.
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
        self.scan.guard != Guard::None && !self.has_open_guard
    }

    /// Whether including it by its absolute path means the same.
    pub fn can_be_listed(&self) -> bool {
        let mut all = self.scan.includes.iter().chain(&self.scan.probes);
        self.is_guarded() && self.oddity.is_none() && !all.any(|include| include.next)
    }
}
