//! The unit cache: what earlier runs know about units. For each unit it has the files that were
//! read, the paths where headers were looked up in vain, and the digests of its facts. For each run
//! of which a report is stored, it has the same for all units together.
//!
//! A unit is read again only if a file that it read has changed in more than comments, or if
//! something now exists where a header was looked up in vain. The facts themselves are stored in
//! the cache, once for each version of a file.
//!
//! Nothing here depends on where a tree is, so that checkouts can share it. It must never know what
//! facts mean.

mod numbers;
mod saved;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::compdb::Unit;
use crate::scan::Scan;
use crate::sources::{LookedFor, Sources, is_old};
use cowrap_base::cache::{Cache, EntryKind, Listing, PathState, StatCache, list_directory};
use cowrap_base::files::{Digest, Digester, Identities, Overlay, Tree};
use cowrap_facts::{ParseStatus, UnitFacts};

use numbers::{Index, Numbers, Ranges};
pub use saved::SavedUnits;
use saved::{Absent, FileVersion, Piece, Run, UnitVersion, mark, path};

/// How many versions of a unit are stored, those of other branches included.
const MOST_VERSIONS: usize = 8;

/// How many of them were not on the disk.
const MOST_IN_MEMORY: usize = 2;

/// How a stored version of a file compares with the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    /// They differ.
    No,
    /// They differ in comments only, and no code has moved.
    Code,
    /// They are the same.
    Text,
}

/// A stored unit cache, compared with a snapshot of the tree.
#[derive(Debug)]
pub struct Compared {
    /// For each file, the digest of its current content.
    now: Vec<Option<Digest>>,
    states: Vec<Match>,
    /// The absent paths where something is now.
    appeared: FxHashSet<u32>,
    /// The links that lead elsewhere now.
    relinked: FxHashSet<u32>,
    /// Directories that had to be listed, with their states, and nothing was at their absent paths.
    clear: Vec<(u32, PathState)>,
}

/// A unit whose stored version is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedUnit {
    unit: usize,
    version: usize,
}

/// A stored run whose files are the current ones, except perhaps for comments that do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedRun {
    /// The key of its report.
    pub report: Digest,
    /// The files of its program: absolute.
    pub files: Vec<PathBuf>,
    /// Whether comments differ.
    pub has_new_comments: bool,
    /// Its position in the list.
    position: usize,
}

/// What some units depend on.
#[derive(Clone, Debug)]
pub struct Dependencies {
    states: Vec<bool>,
    absent: Vec<bool>,
    links: Vec<bool>,
}

/// What a report was made of, besides what its units depend on.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The request, and all that the report depends on besides files of the tree.
    pub key: Digest,
    /// The files whose exact texts were used, by absolute path, with their digests; `None` for one that does not exist.
    pub exact: Vec<(PathBuf, Option<Digest>)>,
    /// The files of the program: absolute.
    pub files: Vec<PathBuf>,
    /// The key of the report.
    pub report: Digest,
}

/// The digest of a file in a snapshot, by its real path; `None` if it is not there.
fn current_digest(path: &Path, stat_cache: &StatCache, overlay: &Overlay) -> Option<Digest> {
    match overlay.text(path) {
        Some(text) => Some(Digest::of(text)),
        None if overlay.is_gone(path) => None,
        None => stat_cache.digest_of_identity(path),
    }
}

/// The keys of units: their files and arguments, wherever the tree is.
pub fn keys(units: &[Unit], tree: &Tree) -> Vec<Digest> {
    // Many units have the same arguments.
    let group = |unit: &Unit| unit.arguments.as_ptr().addr();
    let mut groups: HashMap<usize, Digest> = HashMap::new();
    for unit in units {
        groups.entry(group(unit)).or_insert_with(|| {
            let mut digester = Digester::new();
            unit.arguments.iter().for_each(|argument| digester.update(&without_place(argument.as_bytes(), tree)));
            digester.finish()
        });
    }
    let key = |unit: &Unit| {
        let mut digester = Digester::new();
        for path in [&unit.file, &unit.directory] {
            digester.update(tree.portable(path).as_os_str().as_bytes());
        }
        digester.update(groups[&group(unit)].bytes());
        digester.finish()
    };
    units.par_iter().with_min_len(64).map(key).collect()
}

impl SavedUnits {
    /// Compares the unit cache with the disk, or with another snapshot of the tree.
    pub fn compare(&self, tree: &Tree, stat_cache: &StatCache, sources: &Sources, overlay: &Overlay) -> Compared {
        let linked = self.linked_directories(tree);
        let digest = |file: u32| {
            let path = self.file(file)?;
            if !linked.is_empty() && path.ancestors().any(|above| linked.contains(above.as_os_str().as_bytes())) {
                return None;
            }
            current_digest(&tree.absolute(&path), stat_cache, overlay)
        };
        let files = 0..self.files.len() as u32;
        let now: Vec<Option<Digest>> = files.into_par_iter().with_min_len(64).map(digest).collect();
        let compare = |state: &FileVersion| {
            self.compare_version(state, now.get(state.file as usize).copied().flatten(), tree, sources)
        };
        let states = self.states.par_iter().with_min_len(64).map(compare).collect();
        let is_relinked = |link: &u32| {
            !self.link(*link).is_some_and(|(link, target)| {
                tree.absolute(&link).canonicalize().is_ok_and(|now| now == tree.absolute(&target))
            })
        };
        let relinked = (0..self.links.len() as u32).into_par_iter().filter(is_relinked).collect();
        let (mut appeared, clear) = self.appeared(tree, stat_cache);
        self.add_overlay(&mut appeared, tree, overlay);
        Compared { now, states, appeared, relinked, clear }
    }

    /// Compares the unit cache with another snapshot of the tree, in which only texts of files differ that exist on the
    /// disk under these real paths: `changed`. `compared` is the comparison with the other snapshot.
    pub fn compare_texts(
        &self,
        compared: &mut Compared,
        changed: &[PathBuf],
        tree: &Tree,
        stat_cache: &StatCache,
        sources: &Sources,
        overlay: &Overlay,
    ) {
        for path in changed {
            let portable = tree.portable(path);
            let name = portable.as_os_str().as_bytes();
            let Some(position) = self.files.iter().position(|known| known == name) else { continue };
            let (file, now) = (position as u32, current_digest(path, stat_cache, overlay));
            if let Some(known) = compared.now.get_mut(position) {
                *known = now;
            }
            for (state, matches) in self.states.iter().zip(&mut compared.states) {
                if state.file == file {
                    *matches = self.compare_version(state, now, tree, sources);
                }
            }
        }
    }

    /// How a stored version of a file compares with the current one, whose digest is `now`.
    fn compare_version(&self, version: &FileVersion, now: Option<Digest>, tree: &Tree, sources: &Sources) -> Match {
        match now {
            Some(content) if content == version.content => Match::Text,
            Some(content) => {
                let path = self.file(version.file).filter(|_| version.normalized.is_some());
                let scan = path.and_then(|path| sources.scans.get(&tree.absolute(&path)));
                let is_same = |scan: &Scan| scan.content == content && Some(scan.normalized) == version.normalized;
                if scan.is_some_and(|scan| is_same(&scan)) { Match::Code } else { Match::No }
            }
            None => Match::No,
        }
    }

    /// The directories of files in whose place symbolic links are now: the files below have other identities.
    fn linked_directories(&self, tree: &Tree) -> FxHashSet<&[u8]> {
        let mut directories: FxHashSet<&[u8]> = FxHashSet::default();
        for mut path in self.files.iter() {
            while let Some(end) = path.iter().rposition(|byte| *byte == b'/').filter(|end| *end > 0) {
                path = &path[..end];
                if !directories.insert(path) {
                    break;
                }
            }
        }
        let is_link = |directory: &&[u8]| {
            // The root and the build directory are what they are.
            *directory != b"." && *directory != b"@" && tree.absolute(&path(directory)).is_symlink()
        };
        directories.into_par_iter().filter(is_link).collect()
    }

    /// The absent paths where something is now on the disk, and directories that were listed, with their states, and
    /// nothing was at their absent paths.
    fn appeared(&self, tree: &Tree, stat_cache: &StatCache) -> (FxHashSet<u32>, Vec<(u32, PathState)>) {
        let changed = |directory: &u32| {
            let path = tree.absolute(&path(self.directories.get(*directory).unwrap_or_default()));
            let is_clear = self.clear.get(*directory as usize).copied().flatten();
            is_clear.is_none() || stat_cache.state(&path) != is_clear
        };
        let directories = 0..self.directories.len() as u32;
        let changed: FxHashSet<u32> = directories.into_par_iter().with_min_len(16).filter(changed).collect();
        let found: Vec<(u32, Option<PathState>, Vec<u32>)> = self
            .absent_in(&changed)
            .into_par_iter()
            .map(|(directory, absent)| {
                let (state, appeared) = self.list(directory, absent, tree);
                (directory, state, appeared)
            })
            .collect();
        let clear = found.iter().filter(|(.., appeared)| appeared.is_empty());
        let clear = clear.filter_map(|(directory, state, _)| Some((*directory, (*state)?))).collect();
        (found.into_iter().flat_map(|(.., appeared)| appeared).collect(), clear)
    }

    /// The absent paths in some directories, by directory.
    fn absent_in(&self, directories: &FxHashSet<u32>) -> Vec<(u32, Vec<u32>)> {
        let mut absent: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        if !directories.is_empty() {
            for (number, directory) in (0..).zip(&self.absent.directories) {
                if directories.contains(directory) {
                    absent.entry(*directory).or_default().push(number);
                }
            }
        }
        absent.into_iter().collect()
    }

    /// The state of a directory on the disk, and which of some absent paths in it are there.
    fn list(&self, directory: u32, absent: Vec<u32>, tree: &Tree) -> (Option<PathState>, Vec<u32>) {
        let Some(directory) = self.directories.get(directory) else { return (None, absent) };
        let directory = tree.absolute(&path(directory));
        let name = |absent: u32| OsStr::from_bytes(self.absent.names.get(absent).unwrap_or_default());
        match list_directory(&directory) {
            Ok(Listing { names, digest }) => {
                let appeared = absent.into_iter().filter(|absent| names.contains(name(*absent))).collect();
                (Some(PathState::Directory(digest)), appeared)
            }
            Err(_) if !directory.exists() => (Some(PathState::Absent), Vec::new()),
            // What is in it is known by trying.
            Err(_) => {
                let is_there = |absent: &u32| directory.join(name(*absent)).symlink_metadata().is_ok();
                (None, absent.into_iter().filter(is_there).collect())
            }
        }
    }

    /// Adds the absent paths where an overlay has something, and removes those where it has removed something.
    fn add_overlay(&self, appeared: &mut FxHashSet<u32>, tree: &Tree, overlay: &Overlay) {
        for (file, text) in overlay.entries() {
            // The directories above a file exist if it does.
            let above = if text.is_some() { usize::MAX } else { 1 };
            for path in file.ancestors().take(above) {
                let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
                let parent = tree.portable(parent);
                let is_parent = |name: &[u8]| name == parent.as_os_str().as_bytes();
                let Some(directory) = self.directories.iter().position(is_parent) else { continue };
                for (number, of) in (0..).zip(&self.absent.directories) {
                    if *of as usize == directory && self.absent.names.get(number) == Some(name.as_bytes()) {
                        match overlay.is_there(path) {
                            true => drop(appeared.insert(number)),
                            false if overlay.is_gone(path) => drop(appeared.remove(&number)),
                            false => {}
                        }
                    }
                }
            }
        }
    }

    /// The directories of all files, and those where headers were looked up in vain: absolute.
    pub fn watched_directories(&self, tree: &Tree) -> BTreeSet<PathBuf> {
        let parent = |name: &[u8]| path(name).parent().map(Path::to_path_buf);
        let of_files: BTreeSet<PathBuf> = self.files.iter().filter_map(parent).collect();
        let of_absent = self.directories.iter().map(path);
        of_files.into_iter().chain(of_absent).map(|directory| tree.absolute(&directory)).collect()
    }

    /// Finds units whose stored versions are the current ones, by their keys.
    pub fn find(&self, keys: &[Digest], compared: &Compared) -> Vec<Option<CachedUnit>> {
        let positions: rustc_hash::FxHashMap<Digest, usize> =
            self.units.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect();
        let is_current = |version: &UnitVersion| {
            version.states.iter().all(|state| compared.state(state) != Match::No)
                && (compared.appeared.is_empty() || !version.absent.iter().any(|at| compared.appeared.contains(&at)))
                && !version.links.iter().any(|at| compared.relinked.contains(&at) || self.links.get(at).is_none())
        };
        let find = |key: &Digest| {
            let unit = *positions.get(key)?;
            let version = self.units[unit].1.iter().position(is_current)?;
            Some(CachedUnit { unit, version })
        };
        keys.par_iter().with_min_len(16).map(find).collect()
    }

    fn version(&self, found: CachedUnit) -> &UnitVersion {
        &self.units[found.unit].1[found.version]
    }

    /// The digests of a unit's facts; `None` when the cache is damaged.
    pub fn digests(&self, found: CachedUnit) -> Option<Vec<Digest>> {
        let pieces = self.version(found).pieces.iter();
        pieces.map(|piece| Some(self.pieces.get(*piece as usize)?.digest)).collect()
    }

    /// How long the facts of units are in bytes, each counted once.
    pub fn length_of_facts(&self, found: impl Iterator<Item = CachedUnit>) -> u64 {
        let mut used = vec![false; self.pieces.len()];
        found.for_each(|found| mark(&mut used, self.version(found).pieces.iter().copied()));
        self.pieces.iter().zip(used).filter(|(_, used)| *used).map(|(piece, _)| u64::from(piece.length)).sum()
    }

    /// The facts of a unit without those of its files. It lists the unit's files only if the unit
    /// has errors, since the first error refers to one of them.
    pub fn outline(&self, unit: &Unit, found: CachedUnit, tree: &Tree) -> Option<UnitFacts> {
        let version = self.version(found);
        let mut outline = UnitFacts { parse_status: version.parse_status.clone(), ..UnitFacts::default() };
        if outline.parse_status.errors > 0 {
            let mut files = self.paths(version)?;
            let main = tree.portable(&Identities::default().identify(&unit.directory, &unit.file));
            files.sort_by(|one, other| (*one != main, one).cmp(&(*other != main, other)));
            outline.files = files;
        }
        Some(outline)
    }

    /// The files that a unit read; empty when the cache is damaged.
    pub fn files(&self, found: CachedUnit) -> Vec<PathBuf> {
        self.paths(self.version(found)).unwrap_or_default()
    }

    fn paths(&self, version: &UnitVersion) -> Option<Vec<PathBuf>> {
        version.states.iter().map(|state| self.file(self.states.get(state as usize)?.file)).collect()
    }

    /// Finds the latest run with a key whose files are the current ones. Comments may differ in files for which
    /// `may_differ` says so of the current text, by its digest, if they do not matter to the report.
    pub fn find_run(
        &self,
        key: &Digest,
        compared: &Compared,
        tree: &Tree,
        may_differ: impl Fn(&Digest, &Path) -> bool,
    ) -> Option<CachedRun> {
        let (states, absent, links) = (self.states.len(), self.absent.directories.len(), self.links.len());
        self.runs.iter().enumerate().filter(|(_, run)| run.key == *key).find_map(|(position, run)| {
            let is_whole = run.states.is_below(states) && run.absent.is_below(absent) && run.links.is_below(links);
            if !is_whole
                || run.states.iter(states).any(|state| compared.state(state) == Match::No)
                || run.exact.iter(states).any(|state| compared.state(state) != Match::Text)
                || !compared.appeared.is_empty() && run.absent.iter(absent).any(|at| compared.appeared.contains(&at))
                || run.links.iter(links).any(|link| compared.relinked.contains(&link))
            {
                return None;
            }
            let commented = run.states.iter(states).filter(|state| compared.state(*state) == Match::Code);
            let mut has_new_comments = false;
            for state in commented {
                has_new_comments = true;
                let number = self.states.get(state as usize)?.file;
                let now = compared.now.get(number as usize).copied().flatten()?;
                if !may_differ(&now, &tree.absolute(&self.file(number)?)) {
                    return None;
                }
            }
            let files = run.files.iter(self.files.len()).filter_map(|file| self.file(file));
            let files = files.map(|file| tree.absolute(&file)).collect();
            Some(CachedRun { report: run.report, files, has_new_comments, position })
        })
    }

    /// Adds the run that has the report of another one, whose comments differ.
    pub fn repeat_run(&mut self, found: &CachedRun, compared: &mut Compared) {
        let Some(mut run) = self.runs.get(found.position).cloned() else { return };
        let mut marked = vec![false; self.states.len()];
        mark(&mut marked, run.states.iter(self.states.len()));
        self.use_current_texts(&mut marked, compared);
        run.states = Ranges::of(&marked);
        self.add_run(run);
    }

    /// What units depend on.
    pub fn dependencies(&self, found: &[CachedUnit]) -> Dependencies {
        let none = || Dependencies {
            states: vec![false; self.states.len()],
            absent: vec![false; self.absent.directories.len()],
            links: vec![false; self.links.len()],
        };
        let add = |mut all: Dependencies, found: &CachedUnit| {
            let version = self.version(*found);
            mark(&mut all.states, version.states.iter());
            mark(&mut all.absent, version.absent.iter());
            mark(&mut all.links, version.links.iter());
            all
        };
        let join = |one: &mut [bool], other: &[bool]| one.iter_mut().zip(other).for_each(|(one, other)| *one |= other);
        found.par_iter().with_min_len(256).fold(none, add).reduce(none, |mut one, other| {
            join(&mut one.states, &other.states);
            join(&mut one.absent, &other.absent);
            join(&mut one.links, &other.links);
            one
        })
    }

    /// Adds a run, for the current snapshot.
    pub fn record_run(&mut self, dependencies: Dependencies, record: RunRecord, compared: &mut Compared, tree: &Tree) {
        let Dependencies { mut states, mut absent, links } = dependencies;
        states.resize(self.states.len(), false);
        self.use_current_texts(&mut states, compared);
        let mut files = Index::of(self.files.iter());
        let mut exact = vec![false; self.states.len()];
        let of_file = (0..).zip(&states).filter(|(_, used)| **used);
        let of_file: HashMap<u32, u32> = of_file.map(|(state, _)| (self.states[state as usize].file, state)).collect();
        for (path, content) in record.exact {
            let portable = tree.portable(&path);
            let Some(content) = content else {
                let number = self.absent_path(&portable);
                absent.resize(self.absent.directories.len().max(absent.len()), false);
                mark(&mut absent, number.into_iter());
                continue;
            };
            let name = portable.as_os_str().as_bytes();
            let file = self.file_number(&mut files, name, compared);
            let known = of_file.get(&file).copied().filter(|known| self.states[*known as usize].content == content);
            let state = known.unwrap_or_else(|| {
                self.states.push(FileVersion { file, content, normalized: None });
                compared.states.push(Match::Text);
                self.states.len() as u32 - 1
            });
            exact.resize(self.states.len(), false);
            states.resize(self.states.len(), false);
            (exact[state as usize], states[state as usize]) = (true, true);
        }
        let mut of_program = vec![false; self.files.len()];
        for path in record.files {
            let file = self.file_number(&mut files, tree.portable(&path).as_os_str().as_bytes(), compared);
            of_program.resize(self.files.len(), false);
            of_program[file as usize] = true;
        }
        let [states, exact, absent, links, files] =
            [&states, &exact, &absent, &links, &of_program].map(|marked| Ranges::of(marked));
        self.add_run(Run { key: record.key, states, exact, absent, links, files, report: record.report });
    }

    /// Puts the current version of a file in the place of each one that differs from it in comments.
    fn use_current_texts(&mut self, states: &mut Vec<bool>, compared: &mut Compared) {
        for state in 0..states.len() {
            if !states[state] || compared.state(state as u32) != Match::Code {
                continue;
            }
            states[state] = false;
            let known = self.states[state];
            let Some(content) = compared.now.get(known.file as usize).copied().flatten() else { continue };
            let current = FileVersion { content, ..known };
            let number = self.states.iter().position(|known| *known == current).unwrap_or_else(|| {
                self.states.push(current);
                compared.states.push(Match::Text);
                self.states.len() - 1
            });
            states.resize(self.states.len().max(states.len()), false);
            states[number] = true;
        }
    }

    /// The number of a file, which is added if it is new.
    fn file_number(&mut self, files: &mut Index, name: &[u8], compared: &mut Compared) -> u32 {
        let (number, is_new) = files.number(name, self.files.len(), |at| self.files.get(at) == Some(name));
        if is_new {
            self.files.push(name);
            compared.now.push(None);
        }
        number
    }

    /// The number of an absent path, which is added if it is new. This is slow.
    fn absent_path(&mut self, portable: &Path) -> Option<u32> {
        let (parent, name) = (portable.parent()?.as_os_str().as_bytes(), portable.file_name()?.as_bytes());
        let known = self.directories.iter().position(|known| known == parent);
        let directory = known.map_or_else(|| self.add_directory(parent), |known| known as u32);
        let mut known = (0..).zip(&self.absent.directories);
        let known = known.find(|(number, of)| **of == directory && self.absent.names.get(*number) == Some(name));
        if let Some((number, _)) = known {
            return Some(number);
        }
        self.unclear(directory);
        self.absent.directories.push(directory);
        Some(self.absent.names.push(name))
    }

    fn add_directory(&mut self, name: &[u8]) -> u32 {
        self.clear.push(None);
        self.directories.push(name)
    }

    /// Adds units that were read. For each unit, the result says where it is; `None` if it was left out because one of
    /// its files may have changed while it was read, or its search path is not known.
    pub fn record(
        &mut self,
        units: &[(Digest, &Unit, &UnitFacts)],
        place: &Place<'_>,
        compared: &mut Compared,
    ) -> Vec<Option<CachedUnit>> {
        let Place { tree, sources, overlay, cache, .. } = place;
        let looked_for: Vec<Option<LookedFor>> = units
            .par_iter()
            .map(|(_, unit, facts)| {
                let files: Vec<PathBuf> = facts.files.iter().map(|file| tree.absolute(file)).collect();
                sources.looked_for(unit, &files)
            })
            .collect();
        // New absent paths make directories unclear again, whatever was there when they were listed.
        self.note_listed(compared);
        // Those that are noted from now on have news.
        compared.clear.clear();
        let mut recorder = Recorder::new(self, compared, place);
        let mut recorded = Vec::with_capacity(units.len());
        for ((key, _, facts), looked_for) in units.iter().zip(looked_for) {
            let Some((looked_for, mut states)) = looked_for.zip(recorder.states(&facts.files)) else {
                recorded.push(None);
                continue;
            };
            states.sort_unstable();
            let mut absent: Vec<u32> = looked_for.absent.iter().filter_map(|path| recorder.absent(path)).collect();
            let mut links: Vec<u32> = looked_for.links.iter().filter_map(|path| recorder.link(path)).collect();
            absent.sort_unstable();
            links.sort_unstable();
            let mut pieces = Vec::new();
            for piece in &facts.file_facts {
                let length = piece.encoded_length();
                let (position, is_new) = recorder.piece(Piece { digest: piece.digest(), length });
                if is_new || cache.get(EntryKind::FileFacts, &piece.digest()).is_none() {
                    cache.put(EntryKind::FileFacts, piece.digest(), piece.to_bytes());
                }
                pieces.push(position);
            }
            let [states, absent, links] = [states, absent, links].map(Numbers::of);
            let parse_status: ParseStatus = facts.parse_status.clone();
            let of_disk = !facts.files.iter().any(|file| overlay.text(&tree.absolute(file)).is_some());
            let version = UnitVersion { states, absent, links, pieces, parse_status, of_disk };
            recorded.push(Some(recorder.add(*key, version)));
        }
        self.note_clear(tree);
        recorded
    }

    /// Notes which directories need not be listed while they are as they are now.
    fn note_clear(&mut self, tree: &Tree) {
        let unclear = |directory: &u32| self.clear.get(*directory as usize).is_some_and(Option::is_none);
        let unclear: FxHashSet<u32> = (0..self.directories.len() as u32).filter(unclear).collect();
        let listed: Vec<(u32, PathState)> = self
            .absent_in(&unclear)
            .into_par_iter()
            .filter_map(|(directory, absent)| match self.list(directory, absent, tree) {
                (Some(state), appeared) if appeared.is_empty() => Some((directory, state)),
                _ => None,
            })
            .collect();
        listed.into_iter().for_each(|(directory, state)| self.set_clear(directory, Some(state)));
    }

    /// Notes the directories that had to be listed. Whether that should be stored: not if another checkout, which has
    /// them in another state, would have to do the same.
    pub fn note_listed(&mut self, compared: &Compared) -> bool {
        let is_unknown =
            |(directory, _): &(u32, PathState)| self.clear.get(*directory as usize).is_some_and(Option::is_none);
        let is_news = compared.clear.iter().any(is_unknown);
        compared.clear.iter().for_each(|(directory, state)| self.set_clear(*directory, Some(*state)));
        is_news
    }

    /// Notes that a directory has to be listed, because it has another absent path now.
    fn unclear(&mut self, directory: u32) {
        self.set_clear(directory, None);
    }
}

impl Compared {
    fn state(&self, state: u32) -> Match {
        self.states.get(state as usize).copied().unwrap_or(Match::No)
    }
}

/// Where units were read, and what is known of the files there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// The digests of its files.
    pub stat_cache: &'a StatCache,
    /// Its texts.
    pub sources: &'a Sources,
    /// What differs from the disk.
    pub overlay: &'a Overlay,
    /// The cache that gets the facts.
    pub cache: &'a Cache,
}

/// Adds units to a stored unit cache.
struct Recorder<'a> {
    saved: &'a mut SavedUnits,
    compared: &'a mut Compared,
    place: &'a Place<'a>,
    started: SystemTime,
    identities: Identities,
    files: Index,
    states: Index,
    directories: Index,
    absent: Index,
    links: Index,
    pieces: Index,
    units: HashMap<Digest, usize>,
    /// The current version of each file, if it is certain.
    now: HashMap<PathBuf, Option<u32>>,
    /// The number of each directory that was looked up.
    parents: HashMap<PathBuf, u32>,
}

impl<'a> Recorder<'a> {
    fn new(saved: &'a mut SavedUnits, compared: &'a mut Compared, place: &'a Place<'a>) -> Self {
        Recorder {
            started: place.sources.started,
            identities: Identities::default(),
            files: Index::of(saved.files.iter()),
            states: Index::of(saved.states.iter()),
            directories: Index::of(saved.directories.iter()),
            absent: Index::of(saved.absent.directories.iter().copied().zip(saved.absent.names.iter())),
            links: Index::of(saved.links.iter().zip(saved.targets.iter())),
            pieces: Index::of(saved.pieces.iter()),
            units: saved.units.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect(),
            now: HashMap::new(),
            parents: HashMap::new(),
            saved,
            compared,
            place,
        }
    }

    /// The current versions of files, if they are those that were scanned.
    fn states(&mut self, files: &[PathBuf]) -> Option<Vec<u32>> {
        files.iter().map(|file| self.state(file)).collect()
    }

    fn state(&mut self, file: &Path) -> Option<u32> {
        if let Some(known) = self.now.get(file) {
            return *known;
        }
        let Place { tree, stat_cache, sources, overlay, .. } = self.place;
        let path = tree.absolute(file);
        let scan = sources.scans.get(&path);
        let now = match overlay.text(&path) {
            Some(text) => Some(Digest::of(text)),
            None => {
                let is_old = path.metadata().is_ok_and(|metadata| is_old(&metadata, self.started));
                stat_cache.digest_of_identity(&path).filter(|_| is_old)
            }
        };
        let scan = scan.filter(|scan| now == Some(scan.content));
        let state = scan.map(|scan| {
            let name = file.as_os_str().as_bytes();
            let file = self.saved.file_number(&mut self.files, name, self.compared);
            let (content, normalized) = (scan.content, Some(scan.normalized));
            if let Some(now) = self.compared.now.get_mut(file as usize) {
                *now = Some(content);
            }
            let state = FileVersion { file, content, normalized };
            let saved = &mut *self.saved;
            let is_same = |at: u32| saved.states.get(at as usize) == Some(&state);
            let (number, is_new) = self.states.number(state, saved.states.len(), is_same);
            if is_new {
                saved.states.push(state);
                self.compared.states.push(Match::Text);
            }
            number
        });
        self.now.insert(file.to_path_buf(), state);
        state
    }

    /// The number of the path of something that is missing.
    fn absent(&mut self, path: &Path) -> Option<u32> {
        let (parent, name) = (path.parent()?, path.file_name()?.as_bytes());
        let directory = match self.parents.get(parent) {
            Some(known) => *known,
            None => {
                let portable = self.place.tree.portable(parent);
                let (text, saved) = (portable.as_os_str().as_bytes(), &mut *self.saved);
                let is_same = |at: u32| saved.directories.get(at) == Some(text);
                let (number, is_new) = self.directories.number(text, saved.directories.len(), is_same);
                if is_new {
                    saved.add_directory(text);
                }
                self.parents.insert(parent.to_path_buf(), number);
                number
            }
        };
        let Absent { directories, names } = &mut self.saved.absent;
        let is_same = |at: u32| directories.get(at as usize) == Some(&directory) && names.get(at) == Some(name);
        let (number, is_new) = self.absent.number((directory, name), directories.len(), is_same);
        if is_new {
            directories.push(directory);
            names.push(name);
            self.saved.unclear(directory);
        }
        Some(number)
    }

    /// The number of a path that may be a symbolic link; `None` if it leads to itself.
    fn link(&mut self, path: &Path) -> Option<u32> {
        let target = self.identities.identify(Path::new("/"), path);
        if target == path {
            return None;
        }
        let [link, target] = [path, &target].map(|path| self.place.tree.portable(path));
        let [link, target] = [&link, &target].map(|path| path.as_os_str().as_bytes());
        let saved = &mut *self.saved;
        let is_same = |at: u32| saved.links.get(at) == Some(link) && saved.targets.get(at) == Some(target);
        let (number, is_new) = self.links.number((link, target), saved.links.len(), is_same);
        if is_new {
            saved.links.push(link);
            saved.targets.push(target);
        }
        Some(number)
    }

    fn piece(&mut self, piece: Piece) -> (u32, bool) {
        let saved = &mut *self.saved;
        let is_same = |at: u32| saved.pieces.get(at as usize) == Some(&piece);
        let (number, is_new) = self.pieces.number(piece, saved.pieces.len(), is_same);
        if is_new {
            saved.pieces.push(piece);
        }
        (number, is_new)
    }

    /// Adds a version of a unit. The first version is the last one that was on disk, and stays
    /// whatever is tried in memory.
    fn add(&mut self, key: Digest, version: UnitVersion) -> CachedUnit {
        let unit = *self.units.entry(key).or_insert_with(|| {
            self.saved.units.push((key, Vec::new()));
            self.saved.units.len() - 1
        });
        let versions = &mut self.saved.units[unit].1;
        versions.retain(|known| known.states != version.states);
        // Somebody who types makes many versions, and must not drive out those of other branches.
        let mut in_memory = usize::from(!version.of_disk);
        versions.retain(|known| {
            in_memory += usize::from(!known.of_disk);
            known.of_disk || in_memory <= MOST_IN_MEMORY
        });
        let position = if version.of_disk { 0 } else { versions.len().min(1) };
        versions.insert(position, version);
        versions.truncate(MOST_VERSIONS);
        self.saved.changed_units.insert(unit);
        CachedUnit { unit, version: position }
    }
}

/// An argument with `NUL r` and `NUL b` in place of the tree's root and its build directory. No
/// argument contains a NUL byte.
fn without_place(argument: &[u8], tree: &Tree) -> Vec<u8> {
    let mut rest = argument;
    let mut out = Vec::with_capacity(argument.len());
    let places = [(Some(&tree.root), &b"\0r"[..]), (tree.build.as_ref(), &b"\0b"[..])];
    'next: while let Some(first) = rest.first() {
        for (place, mark) in places {
            let Some(place) = place.map(|place| place.as_os_str().as_bytes()).filter(|place| place.len() > 1) else {
                continue;
            };
            if let Some(behind) = rest.strip_prefix(place)
                && matches!(behind.first(), None | Some(b'/'))
            {
                out.extend_from_slice(mark);
                rest = behind;
                continue 'next;
            }
        }
        out.push(*first);
        rest = &rest[1..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_do_not_tell_where_the_tree_is() {
        let at = |root: &str, build: &str| Tree { root: root.into(), build: Some(build.into()) };
        let (here, there) = (at("/a/src", "/a/src/build"), at("/x", "/x/build"));
        for (one, other) in [("-I/a/src/include", "-I/x/include"), ("/a/src", "/x")] {
            assert_eq!(without_place(one.as_bytes(), &here), without_place(other.as_bytes(), &there));
        }
        assert_eq!(without_place(b"/a/srcs/b", &here), b"/a/srcs/b");
    }
}
