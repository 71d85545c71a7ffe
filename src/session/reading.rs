//! Reading the units of a snapshot: from the unit cache where they are as they were, else by parsing them.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use cowrap_analysis::program::{Linker, Program};
use cowrap_base::files::Tree;
use cowrap_facts::{SharedFileFacts, UnitFacts};
use cowrap_frontend::unit_cache::CachedUnit;
use cowrap_frontend::unit_reader::UnitOutcome;
use cowrap_report::{Details, Problem, SharingStats};

use crate::Error;
use crate::caches::Caches;
use crate::problems::{failed, parse_problem};
use crate::request::{Progress, SharingRequest};
use crate::session::Session;

/// So few units are parsed plainly: planning what they share would cost more than it saves.
const PARSED_PLAINLY: usize = 6;

/// What became of a unit.
#[derive(Debug)]
pub(crate) struct UnitReading {
    /// The facts of its files, or why there are none. `None` as long as they are only in the cache.
    pub(crate) facts: Result<Option<Vec<SharedFileFacts>>, Problem>,
    pub(crate) origin: Origin,
    /// Arguments that were left out since libclang does not know them.
    pub(crate) unknown_arguments: Vec<String>,
}

/// Where a unit's facts came from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// Nowhere: libclang made nothing of it.
    Nowhere,
    /// The unit cache.
    Cache(CachedUnit),
    /// The parser, with the files that it read. `None` where nobody wants to know these.
    Parser(Option<Box<UnitFacts>>),
}

/// What reading units is for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purpose {
    /// The most units that may be parsed, if there is a limit.
    pub(crate) limit: Option<usize>,
    /// Whether the files that each unit read are wanted.
    pub(crate) files: bool,
}

impl Session<'_> {
    /// Reads units of the snapshot that was entered, by their numbers. The result has them in the same order.
    ///
    /// # Errors
    ///
    /// More units would have to be parsed than `purpose` allows.
    pub(crate) fn read(
        &self,
        numbers: &[usize],
        caches: Option<&Caches<'_>>,
        purpose: Purpose,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Result<Vec<UnitReading>, Error> {
        let units = &self.entered.units;
        let cached: Vec<Option<(CachedUnit, UnitFacts)>> = match caches {
            None => numbers.iter().map(|_| None).collect(),
            Some(caches) => {
                self.indexer.install(|| numbers.par_iter().map(|number| caches.find(&units[*number])).collect())
            }
        };
        let missing = numbers.iter().zip(&cached).filter(|(_, cached)| cached.is_none());
        let missing: Vec<usize> = missing.map(|(number, _)| *number).collect();
        if purpose.limit.is_some_and(|limit| missing.len() > limit) {
            return Err(Error::TooManyUnits { units: missing.len() });
        }
        let parsed = std::thread::scope(|scope| {
            // Most likely the program is another one and is linked anew. To decode the facts of the other units takes about
            // as long as to parse one, which keeps one processor busy.
            if let Some(caches) = caches
                && (1..=PARSED_PLAINLY).contains(&missing.len())
            {
                scope.spawn(|| cached.iter().flatten().for_each(|(found, _)| caches.decode(*found)));
            }
            self.parse(&missing, caches, purpose.files, details, progress)
        });
        let mut parsed = parsed.into_iter();
        let readings = numbers.iter().zip(cached).filter_map(|(number, cached)| match cached {
            Some((found, outline)) => {
                let problem = parse_problem(&units[*number].file, &outline, &self.tree);
                Some(UnitReading {
                    facts: problem.map_or(Ok(None), Err),
                    origin: Origin::Cache(found),
                    unknown_arguments: outline.parse_status.unknown_arguments,
                })
            }
            None => parsed.next(),
        });
        Ok(readings.collect())
    }

    /// Makes sure that the facts of all units are in memory. What the cache has lost is parsed.
    pub(crate) fn complete(
        &self,
        numbers: &[usize],
        readings: &mut [UnitReading],
        caches: Option<&Caches<'_>>,
        purpose: Purpose,
        details: &mut Details,
        progress: &dyn Progress,
    ) {
        let Some(caches) = caches else { return };
        let units = &self.entered.units;
        let lost = |(position, reading): (usize, &mut UnitReading)| {
            let (Ok(facts @ None), Origin::Cache(found)) = (&mut reading.facts, &reading.origin) else { return None };
            *facts = caches.facts(&units[numbers[position]], *found);
            facts.is_none().then_some(position)
        };
        let lost: Vec<usize> = self.indexer.install(|| readings.par_iter_mut().enumerate().filter_map(lost).collect());
        let lost_numbers: Vec<usize> = lost.iter().map(|position| numbers[*position]).collect();
        let parsed = self.parse(&lost_numbers, Some(caches), purpose.files, details, progress);
        for (position, reading) in lost.into_iter().zip(parsed) {
            readings[position] = reading;
        }
    }

    /// Parses units, in their order.
    fn parse(
        &self,
        numbers: &[usize],
        caches: Option<&Caches<'_>>,
        want_files: bool,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Vec<UnitReading> {
        let units: Vec<_> = numbers.iter().map(|number| self.entered.units[*number].clone()).collect();
        if units.is_empty() {
            return Vec::new();
        }
        let sources = &self.entered.sources;
        let snapshot = &self.entered.snapshot;
        let sharing = match self.request.sharing {
            SharingRequest::No => None,
            // Where headers are is looked up on the disk.
            _ if !snapshot.has_disk_layout() => None,
            SharingRequest::Yes if units.len() <= PARSED_PLAINLY => None,
            SharingRequest::Yes => self.indexer.share(&units, sources, false),
            SharingRequest::Verify => self.indexer.share(&units, sources, true),
        };
        let sharing = match (sharing, caches) {
            // Libclang knows texts in memory by other times than those on the disk.
            (Some(sharing), Some(caches)) if snapshot.is_disk() => {
                Some(self.indexer.keep(sharing, caches.cache, caches.base))
            }
            (sharing, _) => sharing,
        };
        let mut readings = Vec::with_capacity(units.len());
        progress.start(units.len());
        self.indexer.run(&units, sharing.as_ref(), |position, outcome| {
            progress.step();
            // Which files a unit read is a long list.
            let keep_files = want_files || caches.is_some();
            let file = &units[position].file;
            readings.push(UnitReading::parsed(outcome, file, &self.tree, keep_files));
        });
        progress.finish();
        if let Some(sharing) = sharing {
            details.sharing = sharing_stats(sharing.stats());
        }
        readings
    }
}

impl UnitReading {
    /// The reading of a unit that was parsed.
    fn parsed(outcome: UnitOutcome, file: &Path, tree: &Tree, keep_files: bool) -> UnitReading {
        let facts = match outcome {
            UnitOutcome::Read(facts) => facts,
            UnitOutcome::Failed(failure) => {
                let facts = Err(failed(&failure, file, tree));
                return UnitReading { facts, origin: Origin::Nowhere, unknown_arguments: Vec::new() };
            }
        };
        // What a unit with errors says is not to be trusted.
        let usable = match parse_problem(file, &facts, tree) {
            Some(problem) => Err(problem),
            None => Ok(Some(facts.file_facts.clone())),
        };
        let unknown_arguments = facts.parse_status.unknown_arguments.clone();
        UnitReading { facts: usable, origin: Origin::Parser(keep_files.then_some(facts)), unknown_arguments }
    }

    /// The facts, if it has some and they are in memory.
    pub(crate) fn pieces(&self) -> Option<&[SharedFileFacts]> {
        self.facts.as_ref().ok()?.as_deref()
    }

    /// The files that it read, as facts name them; empty where this is not known.
    pub(crate) fn files(&self, caches: Option<&Caches<'_>>) -> Vec<PathBuf> {
        match (&self.origin, caches) {
            (Origin::Cache(found), Some(caches)) => caches.files(*found),
            (Origin::Parser(Some(facts)), _) => facts.files.clone(),
            _ => Vec::new(),
        }
    }
}

/// Counts the arguments that libclang does not know, for the report.
pub(crate) fn count_unknown_arguments(readings: &[UnitReading], details: &mut Details) {
    for argument in readings.iter().flat_map(|reading| &reading.unknown_arguments) {
        *details.parsing.unknown_arguments.entry(argument.clone()).or_default() += 1;
    }
}

/// Links the facts of units, in their order, to a program.
pub(crate) fn link<'p>(units: impl Iterator<Item = Option<&'p [SharedFileFacts]>>, tree: &Tree) -> Program {
    let mut linker = Linker::default();
    for (number, pieces) in units.enumerate() {
        pieces.into_iter().flatten().for_each(|piece| linker.add(number as u32, piece));
    }
    linker.finish(|path| tree.absolute(path))
}

/// What sharing did, for the report.
pub(crate) fn sharing_stats(stats: cowrap_frontend::pch::SharingStats) -> SharingStats {
    let cowrap_frontend::pch::SharingStats { units, headers, reused, refusals, differing } = stats;
    let worded = |((refused, refusal), times)| (format!("{refused}: {refusal}"), times);
    SharingStats { units, headers, reused, refusals: refusals.into_iter().map(worded).collect(), differing }
}
