//! Extracts the facts of a part of a tree into a facts file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use cowrap_base::files::{Digest, Digester, Place, Tree};
use cowrap_facts::SharedFileFacts;
use cowrap_frontend::compdb::Unit;
use cowrap_report::SharingStats;

use crate::depfile::depfile;
use crate::file_format::ReadWith;
use crate::request::{Progress, Request};
use crate::session::{Session, UnitRead};
use crate::snapshot::Snapshot;

use super::{EncodedFileFacts, EncodedUnit, FORMAT, FactsError, FactsFile, UnitList, not_written, write};

/// The cost of parsing the headers of a unit, in bytes of its own text.
const HEADER_COST: u64 = 32 << 10;

/// The steps in which the length of a unit's own text counts, in bytes.
const STEP: u64 = 16 << 10;

/// One of several parts of a tree, each with units of about the same total size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, from 1.
    pub(super) number: u32,
    /// The number of shards.
    pub(super) of: u32,
}

impl Shard {
    /// Shard `number`, from 1, of `of`; `None` if there is no such shard.
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
        shard.ok_or_else(|| "expected K/N, such as 2/4, with K from 1 to N".to_owned())
    }
}

/// The units to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitSelection {
    /// A shard.
    Shard(Shard),
    /// One unit, by its digest in the ninja file.
    Unit(Digest),
}

/// The facts of some units.
#[derive(Debug)]
pub struct Extracted {
    content: Vec<u8>,
    files: BTreeSet<PathBuf>,
    /// The number of units that could not be read.
    pub unread: usize,
    /// What PCH sharing did.
    pub sharing: SharingStats,
}

/// Reads some of a tree's units.
///
/// # Errors
///
/// The tree cannot be opened, or has no such unit. A unit that cannot be read is not an error: the
/// file has its problem.
pub fn extract(request: &Request, selection: UnitSelection, progress: &dyn Progress) -> Result<Extracted, FactsError> {
    // With one process for each unit, opening the cache costs more than it saves, and all processes
    // would write to it.
    let uncached;
    let request = match selection {
        UnitSelection::Unit(_) => {
            uncached = Request { cache: None, ..request.clone() };
            &uncached
        }
        UnitSelection::Shard(_) => request,
    };
    let mut session = Session::open(request)?;
    let list = UnitList::of(&session);
    let chosen: Vec<usize> = match selection {
        UnitSelection::Shard(shard) => divide(&session.inputs.units, shard),
        UnitSelection::Unit(digest) => {
            let number = list.units.iter().position(|unit| *unit == digest);
            vec![number.ok_or(FactsError::NoSuchUnit { digest })?]
        }
    };
    let (units, details) = session.units(&Snapshot::disk(), &chosen, progress)?;
    let mut builder = Builder::default();
    for unit in units {
        let file = &session.inputs.units[unit.number].file;
        builder.add(list.units[unit.number], file, unit, &session.tree);
    }
    let (shard, list) = match selection {
        UnitSelection::Shard(shard) => (Some(shard), Some(list)),
        UnitSelection::Unit(_) => (None, None),
    };
    let unread = builder.units.iter().filter(|unit| unit.facts.is_err()).count();
    let files = std::mem::take(&mut builder.files);
    let content = builder.finish(&session, shard, list)?;
    Ok(Extracted { content, files, unread, sharing: details.sharing })
}

/// A facts file with the list of a tree's units and no facts.
pub(crate) fn list_file(session: &Session<'_>, list: UnitList) -> Result<Vec<u8>, FactsError> {
    Builder::default().finish(session, None, Some(list))
}

impl Extracted {
    /// Writes the facts to a file, whole or not at all. A file that has them already is not
    /// touched.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or the facts were read from it.
    pub fn save(&self, place: &Place) -> Result<(), FactsError> {
        self.refuse_read(place)?;
        write(place, &self.content)
    }

    fn refuse_read(&self, place: &Place) -> Result<(), FactsError> {
        place
            .refuse_source()
            .and_then(|()| place.refuse_inputs(&self.files))
            .map_err(|source| not_written(place.path(), source))
    }

    /// Writes a depfile for ninja, with every file that was read. If a unit could not be read,
    /// ninja extracts it every time, because the depfile may lack the file that was missing.
    ///
    /// # Errors
    ///
    /// The depfile cannot be written, or cannot contain the path of the facts file.
    pub fn save_depfile(&self, place: &Place, facts: &Path) -> Result<(), FactsError> {
        self.refuse_read(place)?;
        let files = self.files.iter().map(PathBuf::as_path);
        let unnameable = || FactsError::Unnameable { path: facts.to_path_buf(), in_what: "depfile" };
        write(place, &depfile(facts, files, self.unread > 0).ok_or_else(unnameable)?)
    }
}

/// Collects the content of a facts file.
#[derive(Default)]
struct Builder {
    file_facts: Vec<EncodedFileFacts<'static>>,
    positions: HashMap<Digest, u32>,
    units: Vec<EncodedUnit>,
    files: BTreeSet<PathBuf>,
}

impl Builder {
    fn add(&mut self, digest: Digest, file: &Path, unit: UnitRead, tree: &Tree) {
        let UnitRead { facts, files, unknown_arguments, .. } = unit;
        self.files.insert(file.to_path_buf());
        self.files.extend(files.iter().map(|file| tree.absolute(file)));
        let unknown_arguments = unknown_arguments.into_iter().fold(BTreeMap::new(), |mut counts, argument| {
            *counts.entry(argument).or_default() += 1;
            counts
        });
        let facts = facts.map(|file_facts| self.positions(&file_facts));
        self.units.push(EncodedUnit { digest, unknown_arguments, facts });
    }

    /// The positions of the facts of files. New facts are added.
    fn positions(&mut self, file_facts: &[SharedFileFacts]) -> Vec<u32> {
        let Builder { file_facts: encoded, positions, .. } = self;
        let position = |facts: &SharedFileFacts| {
            *positions.entry(facts.digest()).or_insert_with(|| {
                // Plain data can always be encoded.
                let bytes = postcard::to_stdvec(facts.facts()).unwrap_or_default();
                encoded.push(EncodedFileFacts { digest: facts.digest(), facts: bytes.into() });
                encoded.len() as u32 - 1
            })
        };
        file_facts.iter().map(position).collect()
    }

    fn finish(
        self,
        session: &Session<'_>,
        shard: Option<Shard>,
        list: Option<UnitList>,
    ) -> Result<Vec<u8>, FactsError> {
        let content = FactsFile {
            read_with: ReadWith::of(&session.packs),
            version: session.library.version.clone(),
            clang: session.details.parsing.clang.clone(),
            root: session.tree.root.clone(),
            build: session.tree.build.clone(),
            shard,
            list,
            file_facts: self.file_facts,
            units: self.units,
        };
        let unwritable = |error| FactsError::Write { path: "facts".to_owned(), source: std::io::Error::other(error) };
        Ok(FORMAT.encode(postcard::to_stdvec(&content).map_err(unwritable)?))
    }
}

/// The digest of a unit: of everything in its entry that decides what is read. It does not depend
/// on where the tree is.
pub(super) fn digest(unit: &Unit, tree: &Tree) -> Digest {
    let mut digester = Digester::new();
    for path in [&unit.file, &unit.directory] {
        digester.update(tree.portable(path).as_os_str().as_bytes());
    }
    for argument in unit.arguments.iter() {
        let mut argument = argument.as_bytes().to_vec();
        // No argument contains a NUL byte.
        let directories = [(tree.build.as_ref(), b"\0@"), (Some(&tree.root), b"\0.")];
        for (directory, sign) in directories.into_iter().filter_map(|(directory, sign)| Some((directory?, sign))) {
            argument = replace_directory(&argument, directory.as_os_str().as_bytes(), sign);
        }
        digester.update(&argument);
    }
    digester.finish()
}

/// Replaces a directory by a sign, wherever a path in a text begins with it.
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

/// The units of a shard, in the order of the database. Units with the same arguments and
/// neighbouring files are in one shard if possible: they include the same headers, so they can
/// share precompiled ones.
fn divide(units: &[Unit], shard: Shard) -> Vec<usize> {
    // In large steps, so that an edit does not move units to another shard, whose cache may not have them.
    let weight = |unit: &Unit| HEADER_COST + unit.file.metadata().map_or(0, |file| file.len()) / STEP * STEP;
    let weights: Vec<u64> = units.iter().map(weight).collect();
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

/// Divides a list of weights into runs of about the same total. The result has the number of each
/// weight's run, from 0.
fn runs(weights: &[u64], count: u32) -> Vec<u32> {
    let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut before: u128 = 0;
    let run = |weight: &u64| {
        // The middle of a weight decides its run. All numbers are doubled to avoid halves.
        let middle = 2 * before + u128::from(*weight);
        before += u128::from(*weight);
        (middle * u128::from(count) / (2 * all).max(1)).min(u128::from(count) - 1) as u32
    };
    weights.iter().map(run).collect()
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
    fn the_digest_of_a_unit_depends_on_its_entry_and_not_on_the_root() {
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
    fn units_with_the_same_arguments_are_in_one_shard() {
        let units: Vec<Unit> = (0..40)
            .map(|number| unit(&format!("/src/{number:02}.c"), if number % 2 == 0 { &["-DA"] } else { &["-DB"] }))
            .collect();
        let first = divide(&units, Shard { number: 1, of: 2 });
        assert_eq!(first, (0..40).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn a_shard_is_parsed_from_two_numbers() {
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
                let own = found.iter().zip(&weights).filter(|(at, _)| **at == run);
                let own: u64 = own.map(|(_, weight)| weight).sum();
                prop_assert!(own <= all / u64::from(count) + 1000, "{} of {}", own, all);
            }
        }
    }
}
