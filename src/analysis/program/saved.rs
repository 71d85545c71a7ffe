//! A linked program in the form in which caches store it, which later runs update with what changed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use cowrap_base::files::Digest;
use cowrap_facts::SharedFileFacts;

use super::{Linker, PackCounts, Program};

/// A linked program, with what is needed to update it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SavedProgram {
    /// The program, before [`Program::relate_bodies`]: an update must not rest on what follows from bodies that it
    /// replaces.
    program: Program,
    /// For each unit, the digests of its facts.
    units: Vec<Vec<Digest>>,
}

/// Returns the facts with a digest; `None` if they are lost.
pub type LoadFacts<'l> = dyn Fn(&Digest) -> Option<SharedFileFacts> + Sync + 'l;

impl SavedProgram {
    /// Links the facts of units, in their order. A unit that could not be read has none. `absolute` returns the absolute
    /// form of a path in the facts.
    pub fn link<'f>(
        units: impl Iterator<Item = Option<&'f [SharedFileFacts]>>,
        absolute: impl Fn(&Path) -> PathBuf,
    ) -> SavedProgram {
        let mut linker = Linker::default();
        let mut digests = Vec::new();
        for (number, file_facts) in units.enumerate() {
            let file_facts = file_facts.unwrap_or_default();
            file_facts.iter().for_each(|facts| linker.add(number as u32, facts));
            digests.push(file_facts.iter().map(SharedFileFacts::digest).collect());
        }
        SavedProgram { program: linker.finish_bodies_alone(absolute), units: digests }
    }

    /// Whether all numbers in it are numbers of something. One that was read from a file must not be used otherwise.
    pub fn is_consistent(&self, packs: PackCounts) -> bool {
        self.program.is_consistent(packs)
    }

    /// The digests of each unit's facts.
    pub fn units(&self) -> &[Vec<Digest>] {
        &self.units
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
        if self.units == units {
            return Some(self);
        }
        let facts: Option<Vec<Vec<SharedFileFacts>>> =
            units.iter().map(|digests| digests.iter().map(load).collect()).collect();
        Some(SavedProgram::link(facts?.iter().map(|facts| Some(facts.as_slice())), absolute))
    }
}
