//! The unit cache as it is stored: tables of all that units read and looked for, and for each unit and each run which
//! entries of these tables it depends on.
//!
//! Entries are only added, so that what one run adds is a small value on top of a large one ([`Layers`]). When that has
//! grown, everything is stored anew. Loading that drops the entries that nothing needs any more. Paths are portable; see
//! [`Tree::portable`](cowrap_base::files::Tree::portable).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use cowrap_base::cache::{Cache, Layers, PathState};
use cowrap_base::files::Digest;
use cowrap_facts::ParseStatus;

use super::numbers::{Names, Numbers, Ranges};

/// How long the change on top of a whole may become.
const LONGEST_CHANGE: usize = 256 << 10;

/// How many runs are stored, those of other states and requests included.
const MOST_RUNS: usize = 32;

/// The unit cache. Its parts name each other by numbers, which may be wrong in a damaged cache.
#[derive(Debug, Default)]
pub struct SavedUnits {
    pub(super) files: Names,
    pub(super) states: Vec<FileVersion>,
    pub(super) directories: Names,
    /// For each directory, its state if nothing was at any of the absent paths in it then. It need not be listed while
    /// it is in this state.
    pub(super) clear: Vec<Option<PathState>>,
    pub(super) absent: Absent,
    pub(super) links: Names,
    /// The target of each of the links.
    pub(super) targets: Names,
    pub(super) pieces: Vec<Piece>,
    pub(super) units: Vec<(Digest, Vec<UnitVersion>)>,
    pub(super) runs: Vec<Run>,
    /// The part that is stored as a whole.
    whole: Option<Whole>,
    /// What changed since then, besides new entries.
    pub(super) changed_units: BTreeSet<usize>,
    pub(super) changed_directories: BTreeSet<usize>,
}

/// A version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct FileVersion {
    pub file: u32,
    pub content: Digest,
    /// The digest of the content without comments; `None` if the file was not read as C.
    pub normalized: Option<Digest>,
}

/// The paths where headers were looked up in vain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Absent {
    /// The number of the directory of each.
    pub directories: Vec<u32>,
    pub names: Names,
}

/// The facts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Piece {
    pub digest: Digest,
    /// How long they are in bytes.
    pub length: u32,
}

/// What a unit read, and its facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UnitVersion {
    /// The file versions that it read.
    pub states: Numbers,
    /// The paths where headers were looked up in vain.
    pub absent: Numbers,
    /// The symbolic links through which it found files.
    pub links: Numbers,
    /// The facts of its files, in their order.
    pub pieces: Vec<u32>,
    pub parse_status: ParseStatus,
    /// Whether all files were read from the disk, and none was a text in memory.
    pub of_disk: bool,
}

/// A run of which a report is stored, and all that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// The request, and all that the report depends on besides files of the tree.
    pub key: Digest,
    /// The file versions that it read, one of each file.
    pub states: Ranges,
    /// Those of them whose comments matter too.
    pub exact: Ranges,
    pub absent: Ranges,
    pub links: Ranges,
    /// The files of the program.
    pub files: Ranges,
    /// The key of the report.
    pub report: Digest,
}

/// What is stored as a whole.
#[derive(Clone, Copy, Debug)]
struct Whole {
    name: [u8; 16],
    sizes: Sizes,
}

/// How many entries the tables have.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    files: usize,
    states: usize,
    directories: usize,
    absent: usize,
    links: usize,
    pieces: usize,
}

/// A stored part: everything, or what was added and changed.
#[derive(Default, Serialize, Deserialize)]
struct Part {
    files: Names,
    states: Vec<FileVersion>,
    directories: Names,
    clear: Vec<(u32, Option<PathState>)>,
    absent: Absent,
    links: Names,
    targets: Names,
    pieces: Vec<Piece>,
    units: Vec<(Digest, Vec<UnitVersion>)>,
    /// All runs, since there are few.
    runs: Vec<Run>,
}

impl SavedUnits {
    /// Loads a unit cache. `None` if it is damaged.
    pub fn load(layers: &Layers) -> Option<SavedUnits> {
        let mut saved = SavedUnits::default();
        saved.add(postcard::from_bytes(layers.whole()).ok()?);
        saved.whole = Some(Whole { name: layers.name, sizes: saved.sizes() });
        (saved.changed_units, saved.changed_directories) = Default::default();
        if let Some(change) = layers.change() {
            saved.add(postcard::from_bytes(change).ok()?);
        }
        // A whole is stored with what nothing needs any more, and a long change is soon part of one.
        if layers.change().is_none_or(|change| change.len() > LONGEST_CHANGE / 2) {
            saved.drop_unused();
        }
        Some(saved)
    }

    /// Adds a part.
    fn add(&mut self, part: Part) {
        let Part { files, states, directories, clear, absent, links, targets, pieces, units, runs } = part;
        if self.files.len() == 0 {
            (self.files, self.directories, self.links, self.targets) = (files, directories, links, targets);
            self.absent = absent;
        } else {
            self.files.extend(&files);
            self.directories.extend(&directories);
            self.links.extend(&links);
            self.targets.extend(&targets);
            self.absent.directories.extend(absent.directories);
            self.absent.names.extend(&absent.names);
        }
        self.states.extend(states);
        self.pieces.extend(pieces);
        self.clear.resize(self.directories.len(), None);
        for (directory, state) in clear {
            self.set_clear(directory, state);
        }
        let known: FxHashMap<Digest, usize> = match self.units.is_empty() {
            true => FxHashMap::default(),
            false => self.units.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect(),
        };
        for (key, versions) in units {
            let position = known.get(&key).copied().unwrap_or(self.units.len());
            match self.units.get_mut(position) {
                Some((_, known)) => *known = versions,
                None => self.units.push((key, versions)),
            }
            self.changed_units.insert(position);
        }
        self.runs = runs;
    }

    /// Stores the unit cache: what changed, or everything if that is much. Numbers stay as they are: what was compared
    /// with a snapshot refers to them.
    pub fn store(&mut self, cache: &Cache, key: Digest) {
        if let Some(whole) = self.whole
            && let Ok(change) = postcard::to_stdvec(&self.change(whole.sizes))
            && change.len() <= LONGEST_CHANGE
        {
            return cache.put_change(key, whole.name, &change);
        }
        if let Ok(bytes) = postcard::to_stdvec(&self.everything()) {
            let name = cache.put_whole(key, &bytes);
            self.whole = Some(Whole { name, sizes: self.sizes() });
            (self.changed_units, self.changed_directories) = Default::default();
        }
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            files: self.files.len(),
            states: self.states.len(),
            directories: self.directories.len(),
            absent: self.absent.directories.len(),
            links: self.links.len(),
            pieces: self.pieces.len(),
        }
    }

    /// What was added and changed since the tables had these sizes.
    fn change(&self, sizes: Sizes) -> Part {
        let clear = self.changed_directories.iter();
        // That a directory has to be listed again is news, too.
        let clear = clear.filter_map(|directory| Some((*directory as u32, *self.clear.get(*directory)?)));
        Part {
            files: self.files.tail(sizes.files),
            states: self.states.get(sizes.states..).unwrap_or_default().to_vec(),
            directories: self.directories.tail(sizes.directories),
            clear: clear.collect(),
            absent: Absent {
                directories: self.absent.directories.get(sizes.absent..).unwrap_or_default().to_vec(),
                names: self.absent.names.tail(sizes.absent),
            },
            links: self.links.tail(sizes.links),
            targets: self.targets.tail(sizes.links),
            pieces: self.pieces.get(sizes.pieces..).unwrap_or_default().to_vec(),
            units: self.changed_units.iter().filter_map(|unit| self.units.get(*unit)).cloned().collect(),
            runs: self.runs.clone(),
        }
    }

    fn everything(&self) -> Part {
        let clear = (0..).zip(self.clear.iter().copied()).filter(|(_, state)| state.is_some());
        Part { clear: clear.collect(), units: self.units.clone(), ..self.change(Sizes::default()) }
    }

    /// The path of a file.
    pub(super) fn file(&self, file: u32) -> Option<PathBuf> {
        self.files.get(file).map(path)
    }

    /// The symbolic link with a number, and its target.
    pub(super) fn link(&self, link: u32) -> Option<(PathBuf, PathBuf)> {
        Some((path(self.links.get(link)?), path(self.targets.get(link)?)))
    }

    /// Notes that nothing is at the absent paths of a directory in this state; `None` if it has to be listed.
    pub(super) fn set_clear(&mut self, directory: u32, state: Option<PathState>) {
        let directory = directory as usize;
        if let Some(clear) = self.clear.get_mut(directory)
            && *clear != state
        {
            *clear = state;
            self.changed_directories.insert(directory);
        }
    }

    /// Adds a run, as the latest one.
    pub(super) fn add_run(&mut self, run: Run) {
        let is_same = |known: &Run| Run { report: run.report, files: run.files.clone(), ..known.clone() } == run;
        self.runs.retain(|known| !is_same(known));
        self.runs.insert(0, run);
        self.runs.truncate(MOST_RUNS);
    }

    /// Drops the entries of tables that no unit and no run needs.
    fn drop_unused(&mut self) {
        let sizes = self.sizes();
        let mut used = Used {
            states: vec![false; sizes.states],
            absent: vec![false; sizes.absent],
            links: vec![false; sizes.links],
            pieces: vec![false; sizes.pieces],
        };
        for version in self.units.iter().flat_map(|(_, versions)| versions) {
            mark(&mut used.states, version.states.iter());
            mark(&mut used.absent, version.absent.iter());
            mark(&mut used.links, version.links.iter());
            mark(&mut used.pieces, version.pieces.iter().copied());
        }
        for run in &self.runs {
            mark(&mut used.states, run.states.iter(sizes.states));
            mark(&mut used.absent, run.absent.iter(sizes.absent));
            mark(&mut used.links, run.links.iter(sizes.links));
        }
        let unused = |used: &[bool]| used.iter().filter(|used| !**used).count();
        // Numbering everything anew costs more than a few entries too many.
        if [&used.states, &used.absent, &used.pieces].iter().all(|used| unused(used) <= used.len() / 4) {
            return;
        }
        self.renumber(&used);
        // What is stored has other numbers.
        self.whole = None;
    }

    fn renumber(&mut self, used: &Used) {
        // Files and directories follow from what is used of them. The files of programs are among those that are read.
        let mut files = vec![false; self.files.len()];
        let chosen = self.states.iter().zip(&used.states).filter(|(_, used)| **used);
        mark(&mut files, chosen.map(|(state, _)| state.file));
        let mut directories = vec![false; self.directories.len()];
        let chosen = self.absent.directories.iter().zip(&used.absent).filter(|(_, used)| **used);
        mark(&mut directories, chosen.map(|(directory, _)| *directory));

        let (file_numbers, directory_numbers) = (new_numbers(&files), new_numbers(&directories));
        let new = |numbers: &[Option<u32>], old: u32| numbers.get(old as usize).copied().flatten();
        self.files = select_names(&self.files, &files);
        self.clear = select(&self.clear, &directories);
        self.directories = select_names(&self.directories, &directories);
        self.states = select(&self.states, &used.states);
        // What has no number any more is damaged, and names nothing.
        self.states.iter_mut().for_each(|state| state.file = new(&file_numbers, state.file).unwrap_or(u32::MAX));
        self.absent.names = select_names(&self.absent.names, &used.absent);
        self.absent.directories = select(&self.absent.directories, &used.absent);
        for directory in &mut self.absent.directories {
            *directory = new(&directory_numbers, *directory).unwrap_or(u32::MAX);
        }
        self.links = select_names(&self.links, &used.links);
        self.targets = select_names(&self.targets, &used.links);
        self.pieces = select(&self.pieces, &used.pieces);

        let numbers = [&used.states, &used.absent, &used.links, &used.pieces].map(|used| new_numbers(used));
        let [states, absent, links, pieces] = &numbers;
        let renumbered = |list: &Numbers, numbers: &[Option<u32>]| {
            Numbers::of(list.iter().map(|old| new(numbers, old).unwrap_or(u32::MAX)))
        };
        for version in self.units.iter_mut().flat_map(|(_, versions)| versions) {
            version.states = renumbered(&version.states, states);
            version.absent = renumbered(&version.absent, absent);
            version.links = renumbered(&version.links, links);
            version.pieces.iter_mut().for_each(|piece| *piece = new(pieces, *piece).unwrap_or(u32::MAX));
        }
        let ranges = |ranges: &Ranges, numbers: &[Option<u32>], used: &[bool]| {
            let mut marked = vec![false; used.iter().filter(|used| **used).count()];
            mark(&mut marked, ranges.iter(used.len()).filter_map(|old| new(numbers, old)));
            Ranges::of(&marked)
        };
        for run in &mut self.runs {
            run.states = ranges(&run.states, states, &used.states);
            run.exact = ranges(&run.exact, states, &used.states);
            run.absent = ranges(&run.absent, absent, &used.absent);
            run.links = ranges(&run.links, links, &used.links);
            run.files = ranges(&run.files, &file_numbers, &files);
        }
    }
}

/// Which entries are used.
struct Used {
    states: Vec<bool>,
    absent: Vec<bool>,
    links: Vec<bool>,
    pieces: Vec<bool>,
}

/// Marks numbers.
pub(super) fn mark(marks: &mut [bool], numbers: impl Iterator<Item = u32>) {
    for number in numbers {
        if let Some(mark) = marks.get_mut(number as usize) {
            *mark = true;
        }
    }
}

/// The number of each entry among those that are used.
fn new_numbers(used: &[bool]) -> Vec<Option<u32>> {
    let mut next = 0..;
    used.iter().map(|used| if *used { next.next() } else { None }).collect()
}

fn select<T: Clone>(list: &[T], used: &[bool]) -> Vec<T> {
    list.iter().zip(used).filter(|(_, used)| **used).map(|(entry, _)| entry.clone()).collect()
}

fn select_names(names: &Names, used: &[bool]) -> Names {
    let mut selected = Names::default();
    for (name, _) in names.iter().zip(used).filter(|(_, used)| **used) {
        selected.push(name);
    }
    selected
}

/// The path with these bytes.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(bytes)).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_needs_is_dropped_when_a_whole_is_loaded() {
        let mut saved = SavedUnits::default();
        for number in 0..40u32 {
            let file = saved.files.push(format!("./{number}.c").as_bytes());
            saved.states.push(FileVersion { file, content: Digest::of(&number.to_le_bytes()), normalized: None });
        }
        let version = UnitVersion {
            states: Numbers::of([7, 31]),
            absent: Numbers::default(),
            links: Numbers::default(),
            pieces: Vec::new(),
            parse_status: ParseStatus::default(),
            of_disk: true,
        };
        saved.units.push((Digest::of(b"unit"), vec![version]));
        saved.changed_units.insert(0);
        let scratch = tempfile::tempdir().unwrap();
        let cache = Cache::open(scratch.path(), 1 << 20).unwrap();
        let key = Digest::of(b"key");
        saved.store(&cache, key);
        for _ in 0..2 {
            let mut loaded = SavedUnits::load(&cache.layers(&key).unwrap()).unwrap();
            assert_eq!((loaded.files.len(), loaded.states.len()), (2, 2));
            let states = loaded.units[0].1[0].states.iter();
            let files: Vec<PathBuf> =
                states.map(|state| loaded.file(loaded.states[state as usize].file).unwrap()).collect();
            assert_eq!(files, [Path::new("./7.c"), Path::new("./31.c")]);
            // The numbers are others than the stored ones, so everything is stored.
            loaded.store(&cache, key);
        }
    }
}
