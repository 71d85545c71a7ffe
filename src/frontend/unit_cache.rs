//! The unit cache: what earlier runs know about units. For each unit it has the files that were
//! read, the paths where headers were looked up in vain, and the digests of its facts.
//!
//! A unit is read again only if a file that it read has changed in more than comments, or if
//! something now exists where a header was looked up in vain. The facts themselves are stored in
//! the cache, once for each version of a file.
//!
//! Nothing here depends on where a tree is, so that checkouts can share it. It must never know what
//! facts mean.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::compdb::Unit;
use cowrap_base::cache::{Cache, EntryKind, StatCache};
use cowrap_base::files::{Digest, Digester, Identities, Overlay, Tree};
use cowrap_facts::{ParseStatus, SharedFileFacts, UnitFacts};

use crate::sources::{Sources, is_old};

/// How many versions of a unit are stored, those of other branches included.
const MOST_VERSIONS: usize = 8;

/// The unit cache as it is stored. Paths are portable; see [`Tree::portable`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SavedUnits {
    #[serde(with = "cowrap_facts::paths")]
    files: Vec<PathBuf>,
    states: Vec<FileVersion>,
    #[serde(with = "cowrap_facts::paths")]
    absent: Vec<PathBuf>,
    #[serde(with = "cowrap_facts::paths")]
    links: Vec<PathBuf>,
    /// The target of each of the links.
    #[serde(with = "cowrap_facts::paths")]
    targets: Vec<PathBuf>,
    pieces: Vec<Digest>,
    units: Vec<(Digest, Vec<UnitVersion>)>,
}

/// A version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct FileVersion {
    file: u32,
    content: Digest,
    /// The digest of the content without comments.
    normalized: Digest,
}

/// What a unit read, and its facts. All lists but the parse status are positions in the lists of
/// [`SavedUnits`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct UnitVersion {
    /// The file versions that it read, sorted.
    #[serde(with = "gaps")]
    states: Vec<u32>,
    /// The paths where headers were looked up in vain, sorted.
    #[serde(with = "gaps")]
    absent: Vec<u32>,
    /// The symbolic links through which it found files, sorted.
    #[serde(with = "gaps")]
    links: Vec<u32>,
    /// The facts of its files, in their order.
    pieces: Vec<u32>,
    parse_status: ParseStatus,
}

/// The unit cache, compared with a snapshot of the tree.
#[derive(Debug)]
pub struct UnitCache<'a> {
    known: SavedUnits,
    cache: &'a Cache,
    tree: &'a Tree,
    /// The position of each unit, by its key.
    units: HashMap<Digest, usize>,
    /// For each file version, whether it is the current one.
    valid: Vec<bool>,
    /// For each absent path and each link, whether it is unchanged.
    still_absent: Vec<bool>,
    still_linked: Vec<bool>,
    pieces: Mutex<HashMap<Digest, SharedFileFacts>>,
    /// The digest that every key includes.
    base: Digest,
    /// The time at which this was made.
    started: SystemTime,
}

/// What some units depend on: the files that they read and the paths that they looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitInputs {
    /// The files that they read, each with the digest of its text without comments.
    pub files: BTreeMap<PathBuf, Digest>,
    /// The paths where headers were looked up in vain.
    pub absent: BTreeSet<PathBuf>,
    /// The symbolic links through which they found files, with their targets.
    pub links: BTreeMap<PathBuf, PathBuf>,
}

/// A unit whose stored version is the current one.
#[derive(Clone, Copy, Debug)]
pub struct CachedUnit {
    unit: usize,
    variant: usize,
}

impl<'a> UnitCache<'a> {
    /// Compares a stored unit cache with the disk, or with another snapshot of the tree. `base` is
    /// the digest of all that facts depend on except files and arguments.
    pub fn new(
        known: SavedUnits,
        base: Digest,
        cache: &'a Cache,
        tree: &'a Tree,
        stamps: &StatCache,
        sources: &Sources,
        overlay: &Overlay,
    ) -> UnitCache<'a> {
        let started = sources.started;
        let digest = |path: &Path| match overlay.text(path) {
            Some(text) => Some(Digest::of(text)),
            None if overlay.is_gone(path) => None,
            None => stamps.digest(path),
        };
        let now: Vec<Option<Digest>> =
            known.files.par_iter().with_min_len(64).map(|file| digest(&tree.absolute(file))).collect();
        let is_valid = |state: &FileVersion| match now.get(state.file as usize).copied().flatten() {
            Some(content) if content == state.content => true,
            Some(_) => {
                let path = known.files.get(state.file as usize).map(|file| tree.absolute(file));
                path.and_then(|path| sources.scans.get(&path)).is_some_and(|scan| scan.normalized == state.normalized)
            }
            None => false,
        };
        let valid = known.states.par_iter().with_min_len(64).map(is_valid).collect();
        let still_absent = still_absent(&known.absent, tree, overlay);
        let links = known.links.par_iter().zip(&known.targets);
        let still_linked = links
            .map(|(link, target)| tree.absolute(link).canonicalize().is_ok_and(|now| now == tree.absolute(target)))
            .collect();
        let units = known.units.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect();
        let pieces = Mutex::default();
        UnitCache { known, cache, tree, units, valid, still_absent, still_linked, pieces, base, started }
    }

    /// The key of a unit: its file and its arguments, wherever the tree is.
    fn key(&self, unit: &Unit) -> Digest {
        let mut digester = Digester::new();
        digester.update(self.base.bytes());
        for path in [&unit.file, &unit.directory] {
            digester.update(self.tree.portable(path).as_os_str().as_bytes());
        }
        for argument in &unit.arguments {
            digester.update(&without_place(argument.as_bytes(), self.tree));
        }
        digester.finish()
    }

    /// Finds a unit whose stored version is the current one.
    pub fn find(&self, unit: &Unit) -> Option<CachedUnit> {
        let unit = *self.units.get(&self.key(unit))?;
        let all = |list: &[u32], holds: &[bool]| list.iter().all(|at| holds.get(*at as usize) == Some(&true));
        let is_as_it_was = |variant: &UnitVersion| {
            all(&variant.states, &self.valid)
                && all(&variant.absent, &self.still_absent)
                && all(&variant.links, &self.still_linked)
        };
        let variant = self.known.units[unit].1.iter().position(is_as_it_was)?;
        Some(CachedUnit { unit, variant })
    }

    fn variant(&self, found: CachedUnit) -> &UnitVersion {
        &self.known.units[found.unit].1[found.variant]
    }

    /// The digests of a unit's facts; `None` when the cache is damaged.
    pub fn digests(&self, found: CachedUnit) -> Option<Vec<Digest>> {
        self.variant(found).pieces.iter().map(|piece| self.known.pieces.get(*piece as usize).copied()).collect()
    }

    /// The facts of a unit without those of its files. It lists the unit's files only if the unit
    /// has errors, since the first error refers to one of them.
    pub fn outline(&self, unit: &Unit, found: CachedUnit) -> Option<UnitFacts> {
        let variant = self.variant(found);
        let mut outline = UnitFacts { parse_status: variant.parse_status.clone(), ..UnitFacts::default() };
        if outline.parse_status.errors > 0 {
            let file = |state: &u32| {
                let state = self.known.states.get(*state as usize)?;
                self.known.files.get(state.file as usize).cloned()
            };
            let mut files: Vec<PathBuf> = variant.states.iter().map(file).collect::<Option<_>>()?;
            let main = self.tree.portable(&Identities::default().identify(&unit.directory, &unit.file));
            files.sort_by(|one, other| (*one != main, one).cmp(&(*other != main, other)));
            outline.files = files;
        }
        Some(outline)
    }

    /// The facts of a unit; `None` when some of them are lost.
    pub fn facts(&self, unit: &Unit, found: CachedUnit) -> Option<UnitFacts> {
        let mut facts = self.outline(unit, found)?;
        let pieces = self.digests(found)?.into_iter().map(|digest| self.piece(digest));
        facts.file_facts = pieces.collect::<Option<_>>()?;
        Some(facts)
    }

    /// The files that a unit read, sorted; empty when the cache is damaged.
    pub fn files(&self, found: CachedUnit) -> Vec<PathBuf> {
        let file = |state: &u32| {
            let state = self.known.states.get(*state as usize)?;
            self.known.files.get(state.file as usize).cloned()
        };
        self.variant(found).states.iter().map(file).collect::<Option<_>>().unwrap_or_default()
    }

    /// Loads the facts of a unit's files into memory, for [`UnitCache::facts`].
    pub fn prepare(&self, found: CachedUnit) {
        for digest in self.digests(found).into_iter().flatten() {
            // Lost facts are noticed when they are needed.
            let _ = self.piece(digest);
        }
    }

    fn piece(&self, digest: Digest) -> Option<SharedFileFacts> {
        if let Some(known) = self.pieces.lock().ok().and_then(|pieces| pieces.get(&digest).cloned()) {
            return Some(known);
        }
        let piece = SharedFileFacts::from_bytes(digest, &self.cache.get(EntryKind::FileFacts, &digest)?)?;
        if let Ok(mut pieces) = self.pieces.lock() {
            pieces.insert(digest, piece.clone());
        }
        Some(piece)
    }

    /// What cached units depend on.
    pub fn consulted(&self, found: &[CachedUnit]) -> UnitInputs {
        let count = |list: &[PathBuf]| vec![false; list.len()];
        let SavedUnits { files, states, absent, links, targets, .. } = &self.known;
        let (mut of_states, mut of_absent, mut of_links) = (vec![false; states.len()], count(absent), count(links));
        let mark = |marks: &mut Vec<bool>, at: &u32| {
            if let Some(mark) = marks.get_mut(*at as usize) {
                *mark = true;
            }
        };
        for found in found {
            let variant = self.variant(*found);
            variant.states.iter().for_each(|at| mark(&mut of_states, at));
            variant.absent.iter().for_each(|at| mark(&mut of_absent, at));
            variant.links.iter().for_each(|at| mark(&mut of_links, at));
        }
        let chosen = |list: &[PathBuf], marks: &[bool]| {
            let chosen = list.iter().zip(marks).filter(|(_, mark)| **mark);
            chosen.map(|(path, _)| self.tree.absolute(path)).collect()
        };
        // Several versions of a file may be current, which differ in comments only.
        let read = states
            .iter()
            .zip(&of_states)
            .filter(|(_, mark)| **mark)
            .filter_map(|(state, _)| Some((self.tree.absolute(files.get(state.file as usize)?), state.normalized)));
        let followed = links.iter().zip(targets).zip(&of_links).filter(|(_, mark)| **mark);
        UnitInputs {
            files: read.collect(),
            absent: chosen(absent, &of_absent),
            links: followed.map(|((link, to), _)| (self.tree.absolute(link), self.tree.absolute(to))).collect(),
        }
    }

    /// Adds units that were read. Returns the unit cache to store, and what these units depend on,
    /// if all of them could be added.
    ///
    /// A unit is left out if one of its files may have changed while it was read, or if its search
    /// path is not known.
    pub fn record(
        self,
        units: &[(&Unit, &UnitFacts)],
        stamps: &StatCache,
        sources: &Sources,
        overlay: &Overlay,
    ) -> (SavedUnits, Option<UnitInputs>) {
        let is_disk = overlay.is_empty();
        let mut consulted = Some(UnitInputs::default());
        let keys: Vec<Digest> = units.iter().map(|(unit, _)| self.key(unit)).collect();
        let UnitCache { known, cache, tree, started, .. } = self;
        let looked_for: Vec<_> = units
            .par_iter()
            .map(|(unit, facts)| {
                let files: Vec<PathBuf> = facts.files.iter().map(|file| tree.absolute(file)).collect();
                sources.looked_for(unit, &files)
            })
            .collect();
        let mut recorder = Recorder::new(known, tree, started);
        for ((key, (_, facts)), looked_for) in keys.into_iter().zip(units).zip(looked_for) {
            let states = recorder.states(&facts.files, stamps, sources, overlay);
            let Some((looked_for, mut states)) = looked_for.zip(states) else {
                consulted = None;
                continue;
            };
            if let Some(consulted) = &mut consulted {
                let forms = states.iter().map(|state| recorder.known.states[*state as usize].normalized);
                consulted.files.extend(facts.files.iter().map(|file| tree.absolute(file)).zip(forms));
                consulted.absent.extend(looked_for.absent.iter().cloned());
                let links = looked_for.links.iter().filter_map(|link| Some((link.clone(), recorder.target(link)?)));
                consulted.links.extend(links);
            }
            states.sort_unstable();
            let mut absent: Vec<u32> = looked_for.absent.iter().map(|path| recorder.absent(path)).collect();
            let mut links: Vec<u32> = looked_for.links.iter().filter_map(|path| recorder.link(path)).collect();
            absent.sort_unstable();
            links.sort_unstable();
            let mut pieces = Vec::new();
            for piece in &facts.file_facts {
                let (position, is_new) = recorder.piece(piece.digest());
                if is_new || cache.get(EntryKind::FileFacts, &piece.digest()).is_none() {
                    cache.put(EntryKind::FileFacts, piece.digest(), piece.to_bytes());
                }
                pieces.push(position);
            }
            recorder.add(
                key,
                is_disk,
                UnitVersion { states, absent, links, pieces, parse_status: facts.parse_status.clone() },
            );
        }
        (recorder.known, consulted)
    }
}

/// Adds units to a stored unit cache.
struct Recorder<'a> {
    known: SavedUnits,
    tree: &'a Tree,
    started: SystemTime,
    identities: Identities,
    files: HashMap<PathBuf, u32>,
    states: HashMap<FileVersion, u32>,
    absent: HashMap<PathBuf, u32>,
    links: HashMap<(PathBuf, PathBuf), u32>,
    pieces: HashMap<Digest, u32>,
    units: HashMap<Digest, usize>,
    /// The current version of each file, if it is certain.
    now: HashMap<PathBuf, Option<u32>>,
}

/// The position of a value in a list, to which a new value is added; and whether it is new.
fn number<T: Clone + Eq + std::hash::Hash>(known: &mut HashMap<T, u32>, list: &mut Vec<T>, value: &T) -> (u32, bool) {
    if let Some(position) = known.get(value) {
        return (*position, false);
    }
    let position = list.len() as u32;
    list.push(value.clone());
    known.insert(value.clone(), position);
    (position, true)
}

fn numbers<T: Clone + Eq + std::hash::Hash>(list: &[T]) -> HashMap<T, u32> {
    list.iter().cloned().zip(0..).collect()
}

impl<'a> Recorder<'a> {
    fn new(known: SavedUnits, tree: &'a Tree, started: SystemTime) -> Self {
        let links = known.links.iter().cloned().zip(known.targets.iter().cloned()).zip(0..).collect();
        Recorder {
            tree,
            started,
            identities: Identities::default(),
            files: numbers(&known.files),
            states: numbers(&known.states),
            absent: numbers(&known.absent),
            links,
            pieces: numbers(&known.pieces),
            units: known.units.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect(),
            now: HashMap::new(),
            known,
        }
    }

    /// The current versions of files, if they are those that were scanned.
    fn states(
        &mut self,
        files: &[PathBuf],
        stamps: &StatCache,
        sources: &Sources,
        overlay: &Overlay,
    ) -> Option<Vec<u32>> {
        files.iter().map(|file| self.state(file, stamps, sources, overlay)).collect()
    }

    fn state(&mut self, file: &Path, stamps: &StatCache, sources: &Sources, overlay: &Overlay) -> Option<u32> {
        if let Some(known) = self.now.get(file) {
            return *known;
        }
        let path = self.tree.absolute(file);
        let scan = sources.scans.get(&path);
        let now = match overlay.text(&path) {
            Some(text) => Some(Digest::of(text)),
            None => {
                let is_old = path.metadata().is_ok_and(|metadata| is_old(&metadata, self.started));
                stamps.digest(&path).filter(|_| is_old)
            }
        };
        let scan = scan.filter(|scan| now == Some(scan.content));
        let state = scan.map(|scan| {
            let (file, _) = number(&mut self.files, &mut self.known.files, &file.to_path_buf());
            let state = FileVersion { file, content: scan.content, normalized: scan.normalized };
            number(&mut self.states, &mut self.known.states, &state).0
        });
        self.now.insert(file.to_path_buf(), state);
        state
    }

    fn absent(&mut self, path: &Path) -> u32 {
        number(&mut self.absent, &mut self.known.absent, &self.tree.portable(path)).0
    }

    /// The target of a path, if it differs from the path.
    fn target(&self, path: &Path) -> Option<PathBuf> {
        Some(self.identities.identify(Path::new("/"), path)).filter(|target| target != path)
    }

    /// The position of a path that may be a symbolic link.
    fn link(&mut self, path: &Path) -> Option<u32> {
        let target = self.target(path)?;
        let link = (self.tree.portable(path), self.tree.portable(&target));
        if let Some(position) = self.links.get(&link) {
            return Some(*position);
        }
        let position = self.known.links.len() as u32;
        self.known.links.push(link.0.clone());
        self.known.targets.push(link.1.clone());
        self.links.insert(link, position);
        Some(position)
    }

    fn piece(&mut self, digest: Digest) -> (u32, bool) {
        number(&mut self.pieces, &mut self.known.pieces, &digest)
    }

    /// Adds a version of a unit. The first version is the last one that was on disk, and stays
    /// whatever is tried in memory.
    fn add(&mut self, key: Digest, is_disk: bool, variant: UnitVersion) {
        let position = *self.units.entry(key).or_insert_with(|| {
            self.known.units.push((key, Vec::new()));
            self.known.units.len() - 1
        });
        let variants = &mut self.known.units[position].1;
        variants.retain(|known| known.states != variant.states);
        let position = if is_disk { 0 } else { variants.len().min(1) };
        variants.insert(position, variant);
        variants.truncate(MOST_VERSIONS);
    }
}

/// For each path, whether nothing is there. Each directory is listed once.
fn still_absent(paths: &[PathBuf], tree: &Tree, overlay: &Overlay) -> Vec<bool> {
    let absolute: Vec<PathBuf> = paths.par_iter().map(|path| tree.absolute(path)).collect();
    let mut directories: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    for (position, path) in absolute.iter().enumerate() {
        directories.entry(path.parent().unwrap_or(path)).or_default().push(position);
    }
    let directories: Vec<(&Path, Vec<usize>)> = directories.into_iter().collect();
    let appeared: Vec<usize> = directories
        .par_iter()
        .flat_map_iter(|(directory, positions)| {
            let names: Option<HashSet<OsString>> = std::fs::read_dir(directory)
                .ok()
                .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<_>>().ok());
            let is_there = |position: &&usize| match (&names, absolute[**position].file_name()) {
                (Some(names), Some(name)) => names.contains(name),
                _ => absolute[**position].exists(),
            };
            positions.iter().filter(is_there).copied().collect::<Vec<usize>>()
        })
        .collect();
    let mut absent = vec![true; paths.len()];
    appeared.into_iter().for_each(|position| absent[position] = false);
    if !overlay.is_empty() {
        for (path, absent) in absolute.iter().zip(&mut absent) {
            *absent = (*absent || overlay.is_gone(path)) && !overlay.is_there(path);
        }
    }
    absent
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

/// Stores sorted numbers as the gaps between them, which are small.
mod gaps {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(numbers: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        let gaps: Vec<u32> =
            numbers.iter().map(|number| number.wrapping_sub(std::mem::replace(&mut last, *number))).collect();
        gaps.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let mut last = 0u32;
        let mut numbers = Vec::<u32>::deserialize(deserializer)?;
        for number in &mut numbers {
            last = last.wrapping_add(*number);
            *number = last;
        }
        Ok(numbers)
    }
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

    #[test]
    fn sorted_numbers_come_back() {
        let variant = UnitVersion {
            states: vec![0, 1, 7, 4_000_000_000],
            absent: Vec::new(),
            links: vec![3],
            pieces: vec![9, 2],
            parse_status: ParseStatus::default(),
        };
        let bytes = postcard::to_stdvec(&variant).unwrap();
        let back: UnitVersion = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((back.states, back.absent, back.links), (variant.states, variant.absent, variant.links));
    }
}
