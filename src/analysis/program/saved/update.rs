//! Makes the program of one state from that of another.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use cowrap_base::files::Digest;
use cowrap_facts::{FileFacts, SharedFileFacts};

use super::super::link::{Linked, Linker, located};
use super::super::{FileId, Id};
use super::matching::match_units;
use super::replace::replace;
use super::{LoadFacts, SavedProgram};

/// If more than one in this many of the facts has to be linked again, all are.
const MOST_CHANGED: usize = 4;

/// The units of the new state.
pub(super) struct NewUnits {
    /// For each unit its facts: positions among the records of the saved program, and behind them in `added`.
    pub units: Vec<Vec<u32>>,
    /// The facts that the saved program does not have.
    pub added: Vec<Digest>,
    /// For each unit of the saved program, its number now.
    pub numbers: Vec<Option<u32>>,
}

/// What to link again.
struct Changed {
    /// The files of the saved program in which something changes.
    files: HashSet<FileId>,
    /// The records of the saved program that say something in these files, and those that are gone.
    before: HashSet<u32>,
    /// The facts that say something in these files now, by their positions in [`NewUnits`].
    after: HashMap<u32, SharedFileFacts>,
}

impl SavedProgram {
    /// The program of another state; `None` if everything has to be linked anew.
    pub(super) fn updated(
        self,
        units: &[Vec<Digest>],
        load: &LoadFacts<'_>,
        absolute: &dyn Fn(&Path) -> PathBuf,
    ) -> Option<SavedProgram> {
        let new = self.new_units(units);
        if new.units == self.units {
            return Some(self);
        }
        let changed = self.changed(&new, load, absolute)?;
        let before = self.records_of(&changed.before, &changed, load)?;
        if !before.iter().chain(changed.after.values()).all(|facts| self.is_updatable(facts.facts())) {
            return None;
        }
        let (before, after) = (link_any(&before, absolute), link_again(&new.units, &changed.after, absolute));
        replace(self, new, &changed.files, before, after)
    }

    /// Finds the facts of the new units among the records.
    fn new_units(&self, units: &[Vec<Digest>]) -> NewUnits {
        let mut positions: HashMap<Digest, u32> = HashMap::default();
        let mut added = Vec::new();
        let digest = |record: &u32| self.records[*record as usize].digest;
        let same = |at: usize, list: &[Digest]| {
            let old = self.units.get(at)?;
            (old.len() == list.len() && old.iter().map(digest).eq(list.iter().copied())).then(|| old.clone())
        };
        let mut find = |wanted: &Digest| {
            if positions.is_empty() {
                positions.extend(self.records.iter().zip(0..).map(|(record, position)| (record.digest, position)));
            }
            *positions.entry(*wanted).or_insert_with(|| {
                added.push(*wanted);
                (self.records.len() + added.len() - 1) as u32
            })
        };
        let units: Vec<Vec<u32>> = units
            .iter()
            .enumerate()
            .map(|(at, list)| {
                // Most units list what they did, and few are new or gone.
                let from_end = (at + self.units.len()).checked_sub(units.len());
                let known = same(at, list).or_else(|| same(from_end?, list));
                known.unwrap_or_else(|| list.iter().map(&mut find).collect())
            })
            .collect();
        let mut numbers = vec![None; self.units.len()];
        for (number, old) in match_units(&self.units, &units).into_iter().enumerate() {
            if let Some(old) = old {
                numbers[old as usize] = Some(number as u32);
            }
        }
        NewUnits { units, added, numbers }
    }

    /// What has to be linked again; `None` if it is too much, or facts are lost.
    fn changed(&self, new: &NewUnits, load: &LoadFacts<'_>, absolute: &dyn Fn(&Path) -> PathBuf) -> Option<Changed> {
        let known = self.records.len() as u32;
        let is_much = |facts: usize| facts > 8 && facts * MOST_CHANGED > self.records.len();
        let order = first_listed(&new.units, self.records.len() + new.added.len());
        let mut is_listed = vec![false; self.records.len()];
        order.iter().filter(|facts| **facts < known).for_each(|facts| is_listed[*facts as usize] = true);
        let mut before: HashSet<u32> = (0..known).filter(|record| !is_listed[*record as usize]).collect();
        if is_much(before.len().max(new.added.len())) {
            return None;
        }
        let mut after: HashMap<u32, SharedFileFacts> = HashMap::default();
        let loaded: Option<Vec<SharedFileFacts>> = new.added.par_iter().map(load).collect();
        after.extend((known..).zip(loaded?));

        let files_of = |record: &u32| &self.records[*record as usize].located;
        let mut files: HashSet<FileId> = before.iter().flat_map(files_of).copied().collect();
        files.extend(self.relisted(new, &is_listed).iter().flat_map(files_of));
        files.extend(self.reordered(order.iter().copied().filter(|facts| *facts < known)));
        for facts in after.values().map(SharedFileFacts::facts) {
            let paths = located(facts).map(|file| absolute(&facts.files[file.0 as usize]));
            files.extend(paths.filter_map(|path| self.program.files.binary_search(&path).ok().map(FileId::from_index)));
        }
        // Facts that say something in several files tie these together.
        loop {
            let touches = |record: &u32| files_of(record).iter().any(|file| files.contains(file));
            let more: Vec<u32> = (0..known).filter(|record| !before.contains(record) && touches(record)).collect();
            if more.is_empty() {
                break;
            }
            files.extend(more.iter().flat_map(files_of));
            before.extend(more);
        }
        if is_much(before.len()) {
            return None;
        }
        let kept: Vec<u32> = before.iter().copied().filter(|record| is_listed[*record as usize]).collect();
        let load = |record: &u32| Some((*record, load(&self.records[*record as usize].digest)?));
        let loaded: Option<Vec<(u32, SharedFileFacts)>> = kept.par_iter().map(load).collect();
        after.extend(loaded?);
        Some(Changed { files, before, after })
    }

    /// The records with lists of units that differ.
    fn relisted(&self, new: &NewUnits, is_listed: &[bool]) -> Vec<u32> {
        let has_units = |record: usize| self.records.get(record).is_some_and(|record| record.has_units);
        let lists = |units: &mut dyn Iterator<Item = (Option<u32>, &Vec<u32>)>| {
            let mut lists: Vec<Vec<Option<u32>>> = vec![Vec::new(); self.records.len()];
            for (number, unit) in units {
                let listed = unit.iter().filter(|facts| has_units(**facts as usize));
                listed.for_each(|facts| lists[*facts as usize].push(number));
            }
            lists
        };
        let old = lists(&mut new.numbers.iter().copied().zip(&self.units));
        let now = lists(&mut (0..).map(Some).zip(&new.units));
        (0..self.records.len() as u32)
            .filter(|record| is_listed[*record as usize] && old[*record as usize] != now[*record as usize])
            .collect()
    }

    /// The files of which records say something in another order than before. `order` has the records in their order.
    fn reordered(&self, order: impl Iterator<Item = u32>) -> HashSet<FileId> {
        let mut last: Vec<u32> = vec![0; self.program.files.len()];
        let mut files = HashSet::default();
        for record in order {
            for file in &self.records[record as usize].located {
                let last = &mut last[file.index()];
                if record < *last {
                    files.insert(*file);
                }
                *last = record;
            }
        }
        files
    }

    /// The facts of records.
    fn records_of(
        &self,
        records: &HashSet<u32>,
        changed: &Changed,
        load: &LoadFacts<'_>,
    ) -> Option<Vec<SharedFileFacts>> {
        let load = |record: &u32| match changed.after.get(record) {
            Some(facts) => Some(facts.clone()),
            None => load(&self.records[*record as usize].digest),
        };
        let records: Vec<u32> = records.iter().copied().collect();
        records.par_iter().map(load).collect()
    }

    /// Whether facts say and mention nothing of functions that an update cannot change.
    fn is_updatable(&self, facts: &FileFacts) -> bool {
        let is_special = |name: &String| self.special.binary_search(name).is_ok();
        !facts.declarations.iter().any(|declaration| declaration.weak || declaration.alias.is_some())
            && !facts.symbols.iter().any(|symbol| is_special(&symbol.name))
    }
}

/// The facts of units in the order in which they are first listed.
pub(super) fn first_listed(units: &[Vec<u32>], count: usize) -> Vec<u32> {
    let mut is_listed = vec![false; count];
    let all = units.iter().flatten().copied();
    all.filter(|facts| !std::mem::replace(&mut is_listed[*facts as usize], true)).collect()
}

/// Links facts, of which only the mentions are needed.
fn link_any(facts: &[SharedFileFacts], absolute: &dyn Fn(&Path) -> PathBuf) -> Linked {
    let mut linker = Linker::default();
    facts.iter().for_each(|facts| linker.add(0, facts));
    linker.finish_bodies_alone(absolute)
}

/// Links some of the facts of units.
fn link_again(
    units: &[Vec<u32>],
    facts: &HashMap<u32, SharedFileFacts>,
    absolute: &dyn Fn(&Path) -> PathBuf,
) -> Linked {
    let mut linker = Linker::default();
    let is_linked: Vec<bool> =
        (0..=facts.keys().max().copied().unwrap_or(0)).map(|number| facts.contains_key(&number)).collect();
    for (number, unit) in (0..).zip(units) {
        for listed in unit.iter().filter(|listed| is_linked.get(**listed as usize) == Some(&true)) {
            if let Some(facts) = facts.get(listed) {
                linker.add(number, facts);
            }
        }
    }
    linker.finish_bodies_alone(absolute)
}
