//! Reads the units of a snapshot: from the unit cache if their files have not changed, else by
//! parsing them.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use cowrap_analysis::program::{Linker, Program};
use cowrap_base::files::{Digest, Tree};
use cowrap_facts::{SharedFileFacts, UnitFacts};
use cowrap_frontend::failure::Failure;
use cowrap_frontend::preamble::Preambles;
use cowrap_frontend::unit_cache::{CachedUnit, Place};
use cowrap_frontend::unit_reader::UnitOutcome;
use cowrap_report::{Details, Problem, SharingStats};

use crate::Error;
use crate::problems::{failed, parse_problem};
use crate::request::{Progress, SharingRequest};
use crate::session::Session;
use crate::warning::Warning;

/// Up to this many units are parsed without PCH sharing: planning it would cost more than it saves.
pub(crate) const PARSED_PLAINLY: usize = 6;

/// The result of reading a unit.
#[derive(Debug)]
pub(crate) struct UnitResult {
    /// The facts of its files, or why there are none. `None` if they are only in the cache yet.
    pub(crate) facts: Result<Option<Vec<SharedFileFacts>>, Problem>,
    pub(crate) origin: Origin,
    /// Arguments that were left out because libclang does not know them.
    pub(crate) unknown_arguments: Vec<String>,
}

/// Where a unit's facts came from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// Nowhere: libclang could not read the unit.
    Nowhere,
    /// The unit cache.
    Cache(CachedUnit),
    /// The parser, with the unit as it was parsed; `None` if neither its files are wanted nor a
    /// cache is in use.
    Parser(Option<Box<UnitFacts>>),
}

/// What the caller needs, and how much may be done for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purpose {
    /// The most units that may be parsed, if there is a limit.
    pub(crate) limit: Option<usize>,
    /// Whether the files that each unit read are wanted.
    pub(crate) files: bool,
}

impl Session<'_> {
    /// Reads units of the current snapshot, by their numbers. The results are in the same order.
    ///
    /// # Errors
    ///
    /// More units would have to be parsed than `purpose` allows, or none can be.
    pub(crate) fn read(
        &self,
        numbers: &[usize],
        purpose: Purpose,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Result<Vec<UnitResult>, Error> {
        let cached = self.find(numbers);
        let missing = numbers.iter().zip(&cached).filter(|(_, cached)| cached.is_none());
        let missing: Vec<usize> = missing.map(|(number, _)| *number).collect();
        if purpose.limit.is_some_and(|limit| missing.len() > limit) {
            return Err(Error::TooManyUnits { units: missing.len() });
        }
        let mut parsed = self.parse(&missing, purpose.files, details, progress)?.into_iter();
        Ok(cached.into_iter().filter_map(|cached| cached.or_else(|| parsed.next())).collect())
    }

    /// The units whose files are in the snapshot as they were when they were cached.
    pub(crate) fn find(&self, numbers: &[usize]) -> Vec<Option<UnitResult>> {
        let (Some(caches), Some(compared)) = (&self.caches, &self.current.compared) else {
            return numbers.iter().map(|_| None).collect();
        };
        let keys: Vec<Digest> = numbers.iter().map(|number| self.current.keys[*number]).collect();
        let result = |(cached, number): (Option<CachedUnit>, &usize)| {
            let cached = cached?;
            let unit = &self.current.units[*number];
            let outline = caches.units.outline(unit, cached, &self.tree)?;
            let problem = parse_problem(&unit.file, &outline, &self.tree);
            Some(UnitResult {
                facts: problem.map_or(Ok(None), Err),
                origin: Origin::Cache(cached),
                unknown_arguments: outline.parse_status.unknown_arguments,
            })
        };
        let found = self.indexer.install(|| caches.units.find(&keys, compared));
        found.into_iter().zip(numbers).map(result).collect()
    }

    /// Loads the facts that are only in the cache yet. Units whose facts the cache has lost are
    /// parsed.
    ///
    /// # Errors
    ///
    /// No unit can be parsed.
    pub(crate) fn complete(
        &self,
        numbers: &[usize],
        results: &mut [UnitResult],
        purpose: Purpose,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let Some(caches) = &self.caches else { return Ok(()) };
        let lost = |(position, result): (usize, &mut UnitResult)| {
            let (Ok(facts @ None), Origin::Cache(cached)) = (&mut result.facts, &result.origin) else { return None };
            let digests = caches.units.digests(*cached);
            *facts = digests.and_then(|digests| digests.iter().map(|digest| caches.facts(digest)).collect());
            facts.is_none().then_some(position)
        };
        let lost: Vec<usize> = self.indexer.install(|| results.par_iter_mut().enumerate().filter_map(lost).collect());
        let lost_numbers: Vec<usize> = lost.iter().map(|position| numbers[*position]).collect();
        let parsed = self.parse(&lost_numbers, purpose.files, details, progress)?;
        for (position, result) in lost.into_iter().zip(parsed) {
            results[position] = result;
        }
        Ok(())
    }

    /// The digests of a unit's facts; `None` if the cache is damaged.
    pub(crate) fn digests(&self, result: &UnitResult) -> Option<Vec<Digest>> {
        match (&result.facts, &result.origin, &self.caches) {
            (Ok(None), Origin::Cache(cached), Some(caches)) => caches.units.digests(*cached),
            (Ok(facts), ..) => Some(facts.iter().flatten().map(SharedFileFacts::digest).collect()),
            (Err(_), ..) => Some(Vec::new()),
        }
    }

    /// Whether the facts of units certainly do not exceed their limit.
    pub(crate) fn fits(&self, results: &[UnitResult]) -> bool {
        let Some(caches) = &self.caches else { return false };
        let cached = results.iter().filter_map(|result| match result.origin {
            Origin::Cache(cached) => Some(cached),
            _ => None,
        });
        let parsed = results.iter().filter_map(UnitResult::file_facts).flatten();
        let parsed: u64 = parsed.map(|facts| u64::from(facts.encoded_length())).sum();
        caches.units.length_of_facts(cached) + parsed <= self.request.limits.facts_bytes
    }

    /// The files that a unit read, as facts name them; empty if they are not known.
    pub(crate) fn files(&self, result: &UnitResult) -> Vec<PathBuf> {
        match (&result.origin, &self.caches) {
            (Origin::Cache(cached), Some(caches)) => caches.units.files(*cached),
            (Origin::Parser(Some(facts)), _) => facts.files.clone(),
            _ => Vec::new(),
        }
    }

    /// Adds the units that were parsed to the unit cache. For each unit, the result says where it is there; `None` if it
    /// is not.
    ///
    /// Headers are looked up on the disk. So units of a snapshot that has other files than the disk
    /// are not added.
    pub(crate) fn record(&mut self, numbers: &[usize], results: &[&UnitResult]) -> Vec<Option<CachedUnit>> {
        let (Some(caches), Some(compared)) = (&mut self.caches, &mut self.current.compared) else {
            return vec![None; results.len()];
        };
        let (snapshot, units) = (&self.current.snapshot, &self.current.units);
        let parsed = numbers.iter().zip(results).filter_map(|(number, result)| match &result.origin {
            Origin::Parser(Some(facts)) => Some((self.current.keys[*number], &units[*number], &**facts)),
            _ => None,
        });
        let parsed: Vec<_> = parsed.collect();
        let mut recorded = Vec::new();
        if !parsed.is_empty() && snapshot.has_disk_layout() {
            let place = Place {
                tree: &self.tree,
                stat_cache: &caches.checkout.stat_cache,
                sources: &self.current.sources,
                overlay: snapshot.overlay(),
                cache: &caches.checkout.cache,
            };
            recorded = self.indexer.install(|| caches.units.record(&parsed, &place, compared));
            caches.has_news = true;
        }
        let mut recorded = recorded.into_iter();
        let found = results.iter().map(|result| match result.origin {
            Origin::Cache(cached) => Some(cached),
            Origin::Parser(Some(_)) => recorded.next().flatten(),
            Origin::Parser(None) | Origin::Nowhere => None,
        });
        found.collect()
    }

    /// Parses units. The results are in the same order.
    fn parse(
        &self,
        numbers: &[usize],
        want_files: bool,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Result<Vec<UnitResult>, Error> {
        let parsed = self.parse_until_cancelled(numbers, want_files, details, progress)?;
        parsed.into_iter().collect::<Option<_>>().ok_or(Error::Cancelled)
    }

    /// The same. Units that are not parsed because that is cancelled have no result.
    pub(crate) fn parse_until_cancelled(
        &self,
        numbers: &[usize],
        want_files: bool,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<UnitResult>>, Error> {
        let units: Vec<_> = numbers.iter().map(|number| self.current.units[*number].clone()).collect();
        if units.is_empty() {
            return Ok(Vec::new());
        }
        if !self.indexer.confirm_library()? {
            return Err(Error::LibraryReplaced);
        }
        let sources = &self.current.sources;
        let snapshot = &self.current.snapshot;
        let sharing = match self.request.sharing {
            SharingRequest::No => None,
            // PCH sharing looks up headers on the disk.
            _ if !snapshot.has_disk_layout() => None,
            SharingRequest::Yes if units.len() <= PARSED_PLAINLY => None,
            SharingRequest::Yes => Some(self.indexer.share(&units, sources, false)),
            SharingRequest::Verify => Some(self.indexer.share(&units, sources, true)),
        };
        let unshared = |error| (self.request.warn)(&Warning::NoSharing(error));
        let sharing = sharing.and_then(|sharing| sharing.map_err(unshared).ok());
        let sharing = match (sharing, &self.caches) {
            // libclang checks the times of files when it loads a stored PCH; texts in memory have
            // others.
            (Some(sharing), Some(caches)) if snapshot.is_disk() => {
                Some(self.indexer.keep(sharing, &caches.checkout.cache, caches.base))
            }
            (sharing, _) => sharing,
        };
        // A few units of many were edited, and may be edited again. PCHs have the layout of the disk.
        let has_others = units.len() < self.current.units.len();
        let may_share = self.request.sharing == SharingRequest::Yes && snapshot.has_disk_layout();
        let preambles = self.caches.as_ref().filter(|_| has_others && may_share);
        let preambles = preambles.map(|caches| Preambles::new(&caches.checkout.cache, caches.base));
        let mut results = Vec::with_capacity(units.len());
        progress.start(units.len());
        self.indexer.run(&units, sources, sharing.as_ref(), preambles.as_ref(), |position, outcome| {
            progress.step();
            // The list of files is long, so it is dropped if nobody needs it.
            let keep_files = want_files || self.caches.is_some();
            let file = &units[position].file;
            results.push(UnitResult::parsed(outcome, file, &self.tree, keep_files));
        });
        progress.finish();
        if self.indexer.is_library_replaced() {
            return Err(Error::LibraryReplaced);
        }
        if let Some(sharing) = sharing {
            let stats = sharing.stats();
            if stats.unsaved > 0 {
                (self.request.warn)(&Warning::Unsaved(stats.unsaved));
            }
            details.sharing = sharing_stats(stats);
        }
        Ok(results)
    }
}

impl UnitResult {
    /// The result of parsing a unit; `None` if that was cancelled.
    fn parsed(outcome: UnitOutcome, file: &Path, tree: &Tree, keep_files: bool) -> Option<UnitResult> {
        let facts = match outcome {
            UnitOutcome::Read(facts) => facts,
            UnitOutcome::Failed(Failure::Cancelled) => return None,
            UnitOutcome::Failed(failure) => {
                let facts = Err(failed(&failure, file, tree));
                return Some(UnitResult { facts, origin: Origin::Nowhere, unknown_arguments: Vec::new() });
            }
        };
        // The facts of a unit with errors cannot be trusted.
        let usable = match parse_problem(file, &facts, tree) {
            Some(problem) => Err(problem),
            None => Ok(Some(facts.file_facts.clone())),
        };
        let unknown_arguments = facts.parse_status.unknown_arguments.clone();
        Some(UnitResult { facts: usable, origin: Origin::Parser(keep_files.then_some(facts)), unknown_arguments })
    }

    /// The facts, if there are any and they are in memory.
    pub(crate) fn file_facts(&self) -> Option<&[SharedFileFacts]> {
        self.facts.as_ref().ok()?.as_deref()
    }
}

/// Counts the arguments that libclang does not know, for the report.
pub(crate) fn count_unknown_arguments(results: &[UnitResult], details: &mut Details) {
    for argument in results.iter().flat_map(|result| &result.unknown_arguments) {
        *details.parsing.unknown_arguments.entry(argument.clone()).or_default() += 1;
    }
}

/// Links the facts of units, in their order, into a program.
pub(crate) fn link<'p>(units: impl Iterator<Item = Option<&'p [SharedFileFacts]>>, tree: &Tree) -> Program {
    let mut linker = Linker::default();
    for (number, file_facts) in units.enumerate() {
        file_facts.into_iter().flatten().for_each(|facts| linker.add(number as u32, facts));
    }
    linker.finish(|path| tree.absolute(path))
}

/// What PCH sharing did, for the report.
fn sharing_stats(stats: cowrap_frontend::pch::SharingStats) -> SharingStats {
    let cowrap_frontend::pch::SharingStats { units, headers, reused, refusals, differing, unsaved: _ } = stats;
    let worded = |((refused, refusal), times)| (format!("{refused}: {refusal}"), times);
    SharingStats { units, headers, reused, refusals: refusals.into_iter().map(worded).collect(), differing }
}
