//! The facts of some of a tree's units, in files: several processes read a part each, on one machine or on many, and
//! [`link`] makes of their files the index that one process would have made.
//!
//! A unit is known by a digest of all that its entry in the database says, and not by its number, so that what was read of it
//! stays good when others come and go. The order of all units is in a list of its own: each shard has it, and so has
//! the file [`LIST`] that goes with a ninja file.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_analysis::program::Linker;
use cowrap_base::files::{Digest, Digester, Tree, write_whole};
use cowrap_facts::{FileFacts, SharedFileFacts, paths};
use cowrap_frontend::compdb::Unit;
use cowrap_packs::{Pack, PackError};

use cowrap_report::{Details, MarkLocation, ParseDetails, Problem, ProblemKind, SharingStats};

use crate::Error as ReadError;
use crate::depfile::depfile;
use crate::file_format::{Kind, Words, damaged};
use crate::index_file::{Coverage, Index};
use crate::inputs::pack_of;
use crate::request::{Progress, Request};
use crate::session::{Session, UnitRead};
use crate::snapshot::Snapshot;

const KIND: Kind = Kind { magic: b"cowrap facts ", name: "facts file" };

/// How the names of facts files end in a directory of them.
const EXTENSION: &str = "facts";

/// The file in a directory of facts that has the list of all units, and the facts of none.
pub(super) const LIST: &str = "units.facts";

/// What a unit costs beside its own text, in bytes of such text: the headers.
const EACH: u64 = 32 << 10;

/// How many units an error names.
const MOST_NAMED: usize = 3;

/// One of several parts, of much the same size, of all units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    number: u32,
    /// Of how many.
    of: u32,
}

impl Shard {
    /// Shard `number`, from 1, of `of`; `None` when there is no such shard.
    pub fn new(number: u32, of: u32) -> Option<Shard> {
        (1..=of).contains(&number).then_some(Shard { number, of })
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `K/N`.
    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let shard = numbers.and_then(|(number, of)| Shard::new(number, of));
        shard.ok_or_else(|| "K/N is wanted, such as 2/4, with K from 1 to N".to_owned())
    }
}

/// Which units are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A shard.
    Shard(Shard),
    /// One unit, by the digest that a ninja file names it by.
    Unit(Digest),
}

/// The facts of some units.
#[derive(Debug)]
pub struct Extracted {
    stored: Vec<u8>,
    files: BTreeSet<PathBuf>,
    /// How many of the units could not be read.
    pub unread: usize,
    /// What became of sharing.
    pub shared: SharingStats,
}

/// What facts files are joined to.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    /// The files, and directories of them.
    pub facts: Vec<PathBuf>,
    /// The pack's file; QEMU's when there is none.
    pub pack: Option<PathBuf>,
    /// The root of the tree, when it is not where the facts were read.
    pub root: Option<PathBuf>,
    /// Whether units may be missing.
    pub allow_missing: bool,
}

/// Why facts could not be written or joined.
#[derive(Debug, Error)]
pub enum FactsError {
    /// The tree could not be read.
    #[error(transparent)]
    Tree(#[from] ReadError),
    /// No usable pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// There is no such unit.
    #[error(
        "the compilation database has no unit {digest}; make the ninja file again with `cowrap index --emit-ninja`"
    )]
    NoSuchUnit {
        /// Its digest.
        digest: Digest,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A path that cannot be written where it has to be.
    #[error("{path:?} cannot be named in a {in_what}; use a path without line breaks and unusual characters")]
    Unnameable {
        /// The path.
        path: PathBuf,
        /// In what.
        in_what: &'static str,
    },
    /// It is no facts file, or damaged, or of another version or pack.
    #[error("{path} {problem}; make it again with `cowrap index`")]
    Unusable {
        /// The file.
        path: String,
        /// What is the matter with it.
        problem: String,
    },
    /// Two files do not belong together.
    #[error("{path} and {other} do not belong together: {problem}")]
    Apart {
        /// One file.
        path: String,
        /// The other one.
        other: String,
        /// In what they differ.
        problem: String,
    },
    /// A directory without facts.
    #[error("{path}: there is no facts file (*.facts) in this directory")]
    Empty {
        /// The directory.
        path: String,
    },
    /// Nothing tells which units there are.
    #[error("none of the files tells which units there are: {LIST}, which `--emit-ninja` writes, is missing")]
    NoList,
    /// Units are missing.
    #[error("the facts of {missing} of {all} units are missing: {what}\n  give them too, or --allow-incomplete")]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        all: usize,
        /// Which.
        what: String,
    },
}

/// All units of a tree, and what else is known without reading them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct List {
    /// Their files, in the order of the database.
    #[serde(with = "paths")]
    pub files: Vec<PathBuf>,
    /// What they are known by, in the same order.
    pub units: Vec<Digest>,
    /// The entries that are not read at all.
    refused: Vec<Problem>,
    other_languages: BTreeMap<String, usize>,
    /// Where each mark is defined.
    marks: Vec<MarkLocation>,
    /// Whether these are all units of the tree.
    is_whole: bool,
}

impl List {
    /// That of a tree of which nothing was read yet.
    pub fn of(session: &Session<'_>) -> List {
        let Session { inputs, tree, details, refused, .. } = session;
        List {
            files: inputs.units.iter().map(|unit| tree.portable(&unit.file)).collect(),
            units: inputs.units.iter().map(|unit| digest(unit, tree)).collect(),
            refused: refused.clone(),
            other_languages: inputs.other_languages.clone(),
            marks: details.parsing.marks.clone(),
            is_whole: inputs.is_whole,
        }
    }
}

/// What is in a facts file.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    words: Words,
    /// The version of libclang, and how it is told with its place.
    version: String,
    clang: String,
    root: PathBuf,
    build: Option<PathBuf>,
    shard: Option<Shard>,
    list: Option<List>,
    /// Each piece once.
    #[serde(borrow)]
    pieces: Vec<StoredPiece<'a>>,
    units: Vec<StoredUnit>,
}

/// A piece. Most are in many files, and so they are not read before it is known that they are new.
#[derive(Serialize, Deserialize)]
struct StoredPiece<'a> {
    digest: Digest,
    #[serde(borrow)]
    facts: Cow<'a, [u8]>,
}

/// What became of a unit.
#[derive(Serialize, Deserialize)]
struct StoredUnit {
    digest: Digest,
    unknown_arguments: BTreeMap<String, usize>,
    /// Its pieces, by their positions in the file.
    outcome: Result<Vec<u32>, Problem>,
}

/// Reads some of a tree's units.
///
/// # Errors
///
/// There is nothing to read, or no such unit. Units that cannot be read are no error.
pub fn extract(request: &Request, part: Part, progress: &dyn Progress) -> Result<Extracted, FactsError> {
    // One process for each unit: to open the cache would cost more than it saves, and they would all write to it.
    let uncached;
    let request = match part {
        Part::Unit(_) => {
            uncached = Request { cache: None, ..request.clone() };
            &uncached
        }
        Part::Shard(_) => request,
    };
    let mut session = Session::open(request)?;
    let list = List::of(&session);
    let chosen: Vec<usize> = match part {
        Part::Shard(shard) => divide(&session.inputs.units, shard),
        Part::Unit(digest) => {
            let number = list.units.iter().position(|unit| *unit == digest);
            vec![number.ok_or(FactsError::NoSuchUnit { digest })?]
        }
    };
    let (units, details) = session.units(&Snapshot::disk(), &chosen, progress)?;
    let mut maker = Maker::default();
    for unit in units {
        let file = &session.inputs.units[unit.number].file;
        maker.add(list.units[unit.number], file, unit, &session.tree);
    }
    let (shard, list) = match part {
        Part::Shard(shard) => (Some(shard), Some(list)),
        Part::Unit(_) => (None, None),
    };
    let unread = maker.units.iter().filter(|unit| unit.outcome.is_err()).count();
    let files = std::mem::take(&mut maker.files);
    let stored = maker.finish(&session, shard, list)?;
    Ok(Extracted { stored, files, unread, shared: details.sharing })
}

/// The file that has the list of all units of a tree, and the facts of none.
pub(super) fn list_file(session: &Session<'_>, list: List) -> Result<Vec<u8>, FactsError> {
    Maker::default().finish(session, None, Some(list))
}

/// The name of a unit's own facts file.
pub(super) fn file_name(unit: Digest) -> String {
    format!("{unit}.{EXTENSION}")
}

/// Whether a file has such a name, and which unit's.
pub(super) fn named_unit(name: &OsStr) -> Option<&str> {
    let stem = name.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    (stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(stem)
}

impl Extracted {
    /// Keeps the facts in a file, whole or not at all. A file that has them already is not touched.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> Result<(), FactsError> {
        write(path, &self.stored)
    }

    /// Writes what the facts depend on, as a rule for ninja: every file that was read. Facts that lack a unit are made again every
    /// time, since what was missing need not be among these files.
    ///
    /// # Errors
    ///
    /// Those of the file system, and a name of the facts file that cannot be written.
    pub fn save_depfile(&self, path: &Path, facts: &Path) -> Result<(), FactsError> {
        let files = self.files.iter().map(PathBuf::as_path);
        let unnameable = || FactsError::Unnameable { path: facts.to_path_buf(), in_what: "depfile" };
        write(path, &depfile(facts, files, self.unread > 0).ok_or_else(unnameable)?)
    }
}

/// Writes a file, whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), FactsError> {
    let failed = |source| FactsError::Write { path: path.display().to_string(), source };
    write_whole(path, bytes).map(|_| ()).map_err(failed)
}

/// What goes into a facts file.
#[derive(Default)]
struct Maker {
    pieces: Vec<StoredPiece<'static>>,
    positions: HashMap<Digest, u32>,
    units: Vec<StoredUnit>,
    files: BTreeSet<PathBuf>,
}

impl Maker {
    fn add(&mut self, digest: Digest, file: &Path, unit: UnitRead, tree: &Tree) {
        let UnitRead { facts, files, unknown_arguments, .. } = unit;
        self.files.insert(file.to_path_buf());
        self.files.extend(files.iter().map(|file| tree.absolute(file)));
        let unknown_arguments = unknown_arguments.into_iter().fold(BTreeMap::new(), |mut counts, argument| {
            *counts.entry(argument).or_default() += 1;
            counts
        });
        let outcome = facts.map(|pieces| self.positions(&pieces));
        self.units.push(StoredUnit { digest, unknown_arguments, outcome });
    }

    fn positions(&mut self, facts: &[SharedFileFacts]) -> Vec<u32> {
        let Maker { pieces, positions, .. } = self;
        let position = |piece: &SharedFileFacts| {
            *positions.entry(piece.digest()).or_insert_with(|| {
                // Plain data can always be written to memory.
                let facts = postcard::to_stdvec(piece.facts()).unwrap_or_default();
                pieces.push(StoredPiece { digest: piece.digest(), facts: facts.into() });
                pieces.len() as u32 - 1
            })
        };
        facts.iter().map(position).collect()
    }

    fn finish(self, session: &Session<'_>, shard: Option<Shard>, list: Option<List>) -> Result<Vec<u8>, FactsError> {
        let stored = Stored {
            words: Words::of(&session.pack),
            version: session.clang.clone(),
            clang: session.details.parsing.clang.clone(),
            root: session.tree.root.clone(),
            build: session.tree.build.clone(),
            shard,
            list,
            pieces: self.pieces,
            units: self.units,
        };
        let unwritable = |error| FactsError::Write { path: "facts".to_owned(), source: std::io::Error::other(error) };
        Ok(KIND.seal(postcard::to_stdvec(&stored).map_err(unwritable)?))
    }
}

/// What a unit is known by: all that decides what is read in it, wherever the tree is.
fn digest(unit: &Unit, tree: &Tree) -> Digest {
    let mut digester = Digester::new();
    for path in [&unit.file, &unit.directory] {
        digester.update(tree.portable(path).as_os_str().as_bytes());
    }
    for argument in &unit.arguments {
        let mut argument = argument.as_bytes().to_vec();
        // No argument has a NUL byte in it.
        let places = [(tree.build.as_ref(), b"\0@"), (Some(&tree.root), b"\0.")];
        for (place, sign) in places.into_iter().filter_map(|(place, sign)| Some((place?, sign))) {
            argument = replace_directory(&argument, place.as_os_str().as_bytes(), sign);
        }
        digester.update(&argument);
    }
    digester.finish()
}

/// Puts a sign in the place of a directory, wherever a path in some text begins with it.
fn replace_directory(text: &[u8], directory: &[u8], sign: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        match rest.strip_prefix(directory) {
            Some(after) if after.first().is_none_or(|byte| *byte == b'/') => {
                replaced.extend_from_slice(sign);
                rest = after;
            }
            _ => {
                replaced.push(*first);
                rest = behind;
            }
        }
    }
    replaced
}

/// The units of a shard, in their order. Units that are compiled alike, and their neighbours in the tree, come into one shard as
/// far as it goes: they include the same headers, and share them.
fn divide(units: &[Unit], shard: Shard) -> Vec<usize> {
    let weights: Vec<u64> = units.iter().map(|unit| EACH + unit.file.metadata().map_or(0, |file| file.len())).collect();
    let mut order: Vec<usize> = (0..units.len()).collect();
    let key = |number: &usize| -> (&[OsString], &Path, &Path, usize) {
        let unit = &units[*number];
        (&unit.arguments, &unit.file, &unit.directory, *number)
    };
    order.sort_by(|one, other| key(one).cmp(&key(other)));
    let mut chosen = runs(&order.iter().map(|number| weights[*number]).collect::<Vec<_>>(), shard.of)
        .into_iter()
        .zip(&order)
        .filter(|(run, _)| *run + 1 == shard.number)
        .map(|(_, number)| *number)
        .collect::<Vec<_>>();
    chosen.sort_unstable();
    chosen
}

/// Cuts a row of weights into runs of much the same weight; the number of each one's run, from 0.
fn runs(weights: &[u64], count: u32) -> Vec<u32> {
    let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut before: u128 = 0;
    let run = |weight: &u64| {
        // Where its middle is decides; twice of everything, so that there are no halves.
        let middle = 2 * before + u128::from(*weight);
        before += u128::from(*weight);
        (middle * u128::from(count) / (2 * all).max(1)).min(u128::from(count) - 1) as u32
    };
    weights.iter().map(run).collect()
}

// --- linking ----------------------------------------------------------------------------------------------------

/// Joins facts files into an index, the same whatever the order in which they are given.
///
/// # Errors
///
/// Files that cannot be used or do not belong together, and units that are missing.
pub fn link(request: &LinkRequest) -> Result<Index, FactsError> {
    let pack = pack_of(request.pack.as_deref())?;
    let root = match &request.root {
        Some(root) => {
            Some(root.canonicalize().map_err(|_| ReadError::NoSuchPath { path: root.display().to_string() })?)
        }
        None => None,
    };
    let mut joined = Joined::default();
    for path in files(&request.facts)? {
        let failed = |source| FactsError::Read { path: path.display().to_string(), source };
        let bytes = std::fs::read(&path).map_err(failed)?;
        let unusable = |problem| FactsError::Unusable { path: path.display().to_string(), problem };
        let body = KIND.unseal(&bytes).map_err(unusable)?;
        let stored: Stored<'_> = postcard::from_bytes(body).map_err(|_| unusable(damaged()))?;
        stored.words.vet(&pack).map_err(unusable)?;
        joined.add(&path, stored, root.as_deref())?;
    }
    joined.finish(pack, request.allow_missing)
}

/// The files that are given, and those in the directories.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, FactsError> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |source| FactsError::Read { path: path.display().to_string(), source };
        let mut found = Vec::new();
        for entry in path.read_dir().map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|end| end == EXTENSION) && file.is_file() {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(FactsError::Empty { path: path.display().to_string() });
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

/// What came together so far.
#[derive(Default)]
struct Joined {
    files: Vec<File>,
    tree: Option<Tree>,
    /// The list, and the file that has it.
    list: Option<(List, usize)>,
    /// How libclang was told; where it is may differ from machine to machine.
    clang: Option<String>,
    /// Each piece once.
    pieces: HashMap<Digest, SharedFileFacts>,
    /// What was read, with the file that has it.
    units: HashMap<Digest, (LinkedUnit, usize)>,
}

/// A facts file.
struct File {
    path: PathBuf,
    version: String,
    shard: Option<Shard>,
}

/// A unit as it was read.
struct LinkedUnit {
    unknown_arguments: BTreeMap<String, usize>,
    outcome: Result<Vec<SharedFileFacts>, Problem>,
}

impl Joined {
    fn add(&mut self, path: &Path, stored: Stored<'_>, root: Option<&Path>) -> Result<(), FactsError> {
        let Stored { version, clang, shard, list, .. } = stored;
        let unusable = || FactsError::Unusable { path: path.display().to_string(), problem: damaged() };
        let number = self.files.len();
        self.files.push(File { path: path.to_path_buf(), version, shard });
        if self.files[0].version != self.files[number].version {
            let problem = format!("libclang was {}, and {}", self.files[number].version, self.files[0].version);
            return Err(self.apart(number, 0, problem));
        }
        let tree = moved(Tree { root: stored.root, build: stored.build }, root);
        let first = self.tree.get_or_insert_with(|| tree.clone());
        if *first != tree {
            let problem =
                format!("the tree was at {}, and at {}; --root tells where it is now", shown(&tree), shown(first));
            return Err(self.apart(number, 0, problem));
        }
        match (&self.list, list) {
            (Some((known, other)), Some(list)) if *known != list => {
                let problem = "the tree, its database or what was chosen of it was not the same".to_owned();
                return Err(self.apart(number, *other, problem));
            }
            (None, Some(list)) => self.list = Some((list, number)),
            _ => {}
        }
        if self.clang.as_ref().is_none_or(|known| clang < *known) {
            self.clang = Some(clang);
        }
        let mut pieces = Vec::with_capacity(stored.pieces.len());
        for StoredPiece { digest, facts } in stored.pieces {
            let piece = match self.pieces.entry(digest) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(vacant) => {
                    let facts: FileFacts = postcard::from_bytes(&facts).map_err(|_| unusable())?;
                    vacant.insert(SharedFileFacts::new(facts)).clone()
                }
            };
            if piece.digest() != digest {
                return Err(unusable());
            }
            pieces.push(piece);
        }
        for StoredUnit { digest, unknown_arguments, outcome } in stored.units {
            let outcome = match outcome {
                Ok(positions) => {
                    let piece = |position: u32| pieces.get(position as usize).cloned().ok_or_else(unusable);
                    Ok(positions.into_iter().map(piece).collect::<Result<Vec<SharedFileFacts>, FactsError>>()?)
                }
                Err(problem) => Err(problem),
            };
            if let Some((_, other)) = self.units.insert(digest, (LinkedUnit { unknown_arguments, outcome }, number)) {
                let problem = match (self.files[number].shard, self.files[other].shard) {
                    (Some(one), Some(two)) if one == two => format!("both are shard {}/{}", one.number, one.of),
                    _ => format!("both have the facts of {}", self.name(digest)),
                };
                return Err(self.apart(number, other, problem));
            }
        }
        Ok(())
    }

    fn finish(mut self, pack: Pack, allow_missing: bool) -> Result<Index, FactsError> {
        let Some((list, lister)) = self.list.take() else { return Err(FactsError::NoList) };
        let Some(tree) = self.tree.take() else { return Err(FactsError::NoList) };
        let listed: BTreeSet<&Digest> = list.units.iter().collect();
        let strays = self.units.iter().filter(|(digest, _)| !listed.contains(digest));
        if let Some(stray) = strays.map(|(_, (_, number))| *number).min() {
            let problem = format!("the first has units that {} does not list", self.files[lister].path.display());
            return Err(self.apart(stray, lister, problem));
        }
        let absent = list.units.iter().zip(&list.files).filter(|(digest, _)| !self.units.contains_key(digest));
        let missing: Vec<&Path> = absent.map(|(_, file)| file.as_path()).collect();
        if !missing.is_empty() && !allow_missing {
            let what = self.missing(&missing);
            return Err(FactsError::Missing { missing: missing.len(), all: list.units.len(), what });
        }
        let mut parsing =
            ParseDetails { clang: self.clang.unwrap_or_default(), marks: list.marks, ..ParseDetails::default() };
        let mut problems = list.refused;
        let units = list.units.len() + problems.len();
        let mut linker = Linker::default();
        for (number, (digest, file)) in list.units.iter().zip(&list.files).enumerate() {
            let Some((unit, _)) = self.units.remove(digest) else {
                let file = tree.relative(&tree.absolute(file)).to_path_buf();
                let message = "its facts were not given".to_owned();
                problems.push(Problem { file, kind: ProblemKind::Failed, message, at: None, help: None });
                continue;
            };
            for (argument, count) in unit.unknown_arguments {
                *parsing.unknown_arguments.entry(argument).or_default() += count;
            }
            match unit.outcome {
                Ok(pieces) => pieces.iter().for_each(|piece| linker.add(number as u32, piece)),
                Err(problem) => problems.push(problem),
            }
        }
        problems.sort();
        let details = Details { parsing, ..Details::default() };
        let coverage = Coverage { units, other_languages: list.other_languages, is_whole: list.is_whole };
        let program = linker.finish(|path| tree.absolute(path));
        Ok(Index { program, pack, tree, details, problems, coverage })
    }

    /// Says that two files do not belong together.
    fn apart(&self, one: usize, other: usize, problem: String) -> FactsError {
        let path = |number: usize| self.files[number].path.display().to_string();
        FactsError::Apart { path: path(one), other: path(other), problem }
    }

    /// What a unit is called.
    fn name(&self, unit: Digest) -> String {
        let known = self.list.as_ref().and_then(|(list, _)| {
            let number = list.units.iter().position(|digest| *digest == unit)?;
            Some(list.files.get(number)?.display().to_string())
        });
        known.unwrap_or_else(|| format!("the unit {unit}"))
    }

    /// Says what is missing: the shards, if shards were given, and some of the files.
    fn missing(&self, files: &[&Path]) -> String {
        let given: BTreeSet<Shard> = self.files.iter().filter_map(|file| file.shard).collect();
        let mut what = Vec::new();
        if let Some(of) = given.first().map(|shard| shard.of)
            && given.iter().all(|shard| shard.of == of)
        {
            let absent = (1..=of).filter(|number| !given.contains(&Shard { number: *number, of }));
            what.extend(absent.take(MOST_NAMED * 10).map(|number| format!("shard {number}/{of}")));
        }
        if what.is_empty() {
            what.extend(files.iter().take(MOST_NAMED).map(|file| file.display().to_string()));
            if files.len() > MOST_NAMED {
                what.push("others".to_owned());
            }
        }
        what.join(", ")
    }
}

/// A tree at another place; what is below its root goes along.
fn moved(tree: Tree, root: Option<&Path>) -> Tree {
    let Some(root) = root else { return tree };
    let build = tree.build.map(|build| match build.strip_prefix(&tree.root) {
        Ok(below) if below.as_os_str().is_empty() => root.to_path_buf(),
        Ok(below) => root.join(below),
        Err(_) => build,
    });
    Tree { root: root.to_path_buf(), build }
}

fn shown(tree: &Tree) -> String {
    match &tree.build {
        Some(build) => format!("{} (built in {})", tree.root.display(), build.display()),
        None => tree.root.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(file: &str, arguments: &[&str]) -> Unit {
        Unit {
            file: PathBuf::from(file),
            directory: PathBuf::from("/src/build"),
            arguments: arguments.iter().map(OsString::from).collect(),
            outputs: Vec::new(),
            entry: 0,
            dropped: Vec::new(),
        }
    }

    #[test]
    fn a_unit_is_known_by_its_entry_wherever_the_tree_is() {
        let tree = |root: &str| Tree { root: root.into(), build: Some(Path::new(root).join("build")) };
        let at = |root: &str| {
            let mut unit = unit(&format!("{root}/a.c"), &["-I", &format!("{root}/include"), &format!("-iquote{root}")]);
            unit.directory = Path::new(root).join("build");
            digest(&unit, &tree(root))
        };
        assert_eq!(at("/src"), at("/home/me/src"));
        let of = |unit: &Unit| digest(unit, &tree("/src"));
        let known = of(&unit("/src/a.c", &["-DX", "-DY"]));
        for other in [
            unit("/src/b.c", &["-DX", "-DY"]),
            unit("/src/a.c", &["-DX -DY"]),
            unit("/src/a.c", &["-DY", "-DX"]),
            unit("/src/a.c", &["-DX"]),
        ] {
            assert_ne!(of(&other), known);
        }
        assert_ne!(of(&unit("/src/a.c", &["-I/src2"])), of(&unit("/src/a.c", &["-I.2"])));
    }

    #[test]
    fn units_that_are_compiled_alike_come_into_one_shard() {
        let units: Vec<Unit> = (0..40)
            .map(|number| unit(&format!("/src/{number:02}.c"), if number % 2 == 0 { &["-DA"] } else { &["-DB"] }))
            .collect();
        let first = divide(&units, Shard { number: 1, of: 2 });
        assert_eq!(first, (0..40).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn a_shard_is_read_from_two_numbers() {
        assert_eq!("2/4".parse(), Ok(Shard { number: 2, of: 4 }));
        for text in ["", "2", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1/99999999999"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn runs_are_in_order_and_balanced(weights in prop::collection::vec(0u64..1000, 0..200), count in 1u32..12) {
            let found = runs(&weights, count);
            prop_assert!(found.is_sorted());
            prop_assert!(found.iter().all(|run| *run < count));
            let all: u64 = weights.iter().sum();
            for run in 0..count {
                let own = found.iter().zip(&weights).filter(|(at, _)| **at == run).map(|(_, weight)| weight).sum::<u64>();
                prop_assert!(own <= all / u64::from(count) + 1000, "{} of {}", own, all);
            }
        }
    }
}
