//! A linked program in the form in which caches store it, which later runs update with what changed.
//!
//! An update gives exactly the program that linking everything anew would give. It takes back what the facts that are
//! gone say, and adds what the new ones say:
//!
//! * What has a location (declarations, bodies, stores, misplaced marks) is replaced file by file. If any facts that
//!   say something in a file have changed, all that is in the file goes, and all facts that say something there are
//!   linked anew, in the order in which units list them. Facts that say something in several files tie these together.
//! * Files, functions and slots are there as long as facts mention them, so mentions are counted. What slots are like
//!   is counted as well, since every unit that mentions a slot says what it is like (`link/mentions.rs`).
//! * What follows from bodies for other bodies (flags that they pass on, contexts in which they return) is not saved.
//!   It is found anew for each program ([`Program::relate_bodies`]).
//!
//! Functions with other names and weak bodies depend on what all facts say together. If facts change that mention one,
//! everything is linked anew. So is a program of which much has changed.

mod encoding;
mod matching;
mod merge;
mod replace;
mod update;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cowrap_base::files::Digest;
use cowrap_facts::SharedFileFacts;

use super::link::{FactsRecord, Linked, Mentions};
use super::{Linker, PackCounts, Program};

/// A linked program, with what is needed to update it.
#[derive(Clone, Debug, Default)]
pub struct SavedProgram {
    /// The program, before [`Program::relate_bodies`].
    program: Program,
    mentions: Mentions,
    /// The distinct facts, in the order in which units first list them.
    records: Vec<FactsRecord>,
    /// For each unit, its facts: positions in `records`.
    units: Vec<Vec<u32>>,
    /// The names of functions that no update can change, sorted.
    special: Vec<String>,
}

/// Returns the facts with a digest; `None` if they are lost.
pub type LoadFacts<'l> = dyn Fn(&Digest) -> Option<SharedFileFacts> + Sync + 'l;

impl SavedProgram {
    /// Links the facts of units, in their order. A unit that could not be read has none. `absolute` returns the
    /// absolute form of a path in the facts.
    pub fn link<'f>(
        units: impl Iterator<Item = Option<&'f [SharedFileFacts]>>,
        absolute: impl Fn(&Path) -> PathBuf,
    ) -> SavedProgram {
        let mut linker = Linker::default();
        let mut numbers = Vec::new();
        for (unit, file_facts) in units.enumerate() {
            let file_facts = file_facts.unwrap_or_default().iter();
            numbers.push(file_facts.map(|facts| linker.add_numbered(unit as u32, facts)).collect());
        }
        let Linked { program, mentions, records, special } = linker.finish_bodies_alone(absolute);
        SavedProgram { program, mentions, records, units: numbers, special }
    }

    /// Whether all numbers in it are numbers of something. One that was read from a file must not be used otherwise.
    pub fn is_consistent(&self, packs: PackCounts) -> bool {
        let SavedProgram { program, mentions, records, units, .. } = self;
        let is_file = |file: super::FileId| (file.0 as usize) < program.files.len();
        let mut said = mentions.slots.iter().flatten();
        program.is_consistent(packs)
            && mentions.files.len() == program.files.len()
            && mentions.functions.len() == program.functions.len()
            && mentions.slots.len() == program.slots.len()
            && mentions.assigned.len() == program.slots.len()
            && said.all(|(mention, _)| mention.is_consistent(program.files.len(), packs))
            && records.iter().all(|record| record.located.iter().all(|file| is_file(*file)))
            && units.iter().flatten().all(|facts| (*facts as usize) < records.len())
    }

    /// How many units have other facts in a state for which `units` has the digests of each unit's facts.
    pub fn differing(&self, units: &[Vec<Digest>]) -> usize {
        let digest = |record: &u32| self.records.get(*record as usize).map(|record| record.digest);
        let is_same = |own: &[u32], other: &[Digest]| own.iter().map(digest).eq(other.iter().copied().map(Some));
        let differing = self.units.iter().zip(units).filter(|(own, other)| !is_same(own, other)).count();
        differing + self.units.len().abs_diff(units.len())
    }

    /// The digests of a unit's facts; `None` if there is no such unit.
    pub fn facts_of(&self, unit: usize) -> Option<Vec<Digest>> {
        let records = self.units.get(unit)?.iter();
        Some(records.filter_map(|record| self.records.get(*record as usize)).map(|record| record.digest).collect())
    }

    /// The units that have facts about a file, for each version of these facts. `file` is absolute.
    pub fn units_about(&self, file: &Path) -> Vec<Vec<usize>> {
        let Ok(file) = self.program.files.binary_search_by(|known| known.as_path().cmp(file)) else {
            return Vec::new();
        };
        let file = super::FileId(file as u32);
        let about = (0..).zip(&self.records).filter(|(_, record)| record.located.contains(&file));
        let mut units: BTreeMap<u32, Vec<usize>> = about.map(|(record, _)| (record, Vec::new())).collect();
        for (unit, records) in self.units.iter().enumerate() {
            for record in records {
                if let Some(units) = units.get_mut(record) {
                    units.push(unit);
                }
            }
        }
        units.into_values().collect()
    }

    /// The program, which shares what it can with this one.
    pub fn to_program(&self) -> Program {
        let mut program = self.program.clone();
        program.relate_bodies();
        program
    }

    /// The program.
    pub fn into_program(self) -> Program {
        let mut program = self.program;
        program.relate_bodies();
        program
    }

    /// The program of another state, for which `units` has the digests of each unit's facts: what
    /// [`SavedProgram::link`] gives for that state. `None` if facts are lost.
    pub fn update(
        self,
        units: &[Vec<Digest>],
        load: &LoadFacts<'_>,
        absolute: impl Fn(&Path) -> PathBuf,
    ) -> Option<SavedProgram> {
        self.updated(units, load, &absolute).or_else(|| {
            let facts: Option<Vec<Vec<SharedFileFacts>>> =
                units.iter().map(|digests| digests.iter().map(load).collect()).collect();
            Some(SavedProgram::link(facts?.iter().map(|facts| Some(facts.as_slice())), absolute))
        })
    }
}
