//! A session: a tree that is open for reading, in any of its snapshots.
//!
//! Everything that needs a program gets it here: checks, fixes, queries, indexes, shards, and the
//! comparison with an earlier state. A session knows how units are read and which caches help; it
//! must never know what a program is used for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use cowrap_analysis::program::Program;
use cowrap_base::cache::{Cache, CacheError, CacheLocation};
use cowrap_base::files::{Identities, Shown, Tree};
use cowrap_base::git::is_tracked;
use cowrap_facts::{ReadingId, SharedFileFacts};
use cowrap_fix::is_unfinished;
use cowrap_frontend::compdb::Unit;
use cowrap_frontend::index::{FactsBudget, Indexer};
use cowrap_frontend::marks::{MarkDefinition, VisibleMarks, make_visible};
use cowrap_frontend::sources::Sources;
use cowrap_frontend::worker::{LibraryInfo, Workers};
use cowrap_packs::{Pack, PackSet};
use cowrap_report::{Details, MarkLocation, ParseDetails, Problem};

use crate::caches::{Caches, FilesRead};
use crate::file_format::ReadWith;
use crate::index_file::{Coverage, Index};
use crate::inputs::{Inputs, inputs, packs_of};
use crate::problems::{failed, refused};
use crate::request::{Input, Progress, Request, SharingRequest};
use crate::snapshot::Snapshot;
use crate::units::{Purpose, UnitResult, count_unknown_arguments, link};
use crate::vocabulary::{mark_headers, vocabulary};
use crate::warning::Warning;
use crate::{Error, index_file};

/// A tree that is open for reading.
pub(crate) struct Session<'r> {
    pub(crate) request: &'r Request,
    pub(crate) packs: PackSet,
    /// How each pack reads bodies.
    pub(crate) readings: Vec<ReadingId>,
    pub(crate) tree: Tree,
    pub(crate) inputs: Inputs,
    /// The libclang in use and where marks are defined. Each program adds its own details to a
    /// copy.
    pub(crate) details: Details,
    /// The units that are not read, because their entries are refused.
    pub(crate) refused: Vec<Problem>,
    /// The libclang in use.
    pub(crate) library: LibraryInfo,
    pub(crate) indexer: Indexer,
    pub(crate) cache: Option<Cache>,
    /// The snapshot that is read now.
    pub(crate) current: CurrentSnapshot,
}

/// The snapshot that a session reads now, with what belongs to it.
pub(crate) struct CurrentSnapshot {
    pub(crate) snapshot: Snapshot,
    /// The units that the snapshot has, in the order of the database.
    pub(crate) units: Arc<[Unit]>,
    pub(crate) sources: Arc<Sources>,
}

/// A program, and the files that it was made from.
pub(crate) struct ProgramRead {
    pub(crate) index: Index,
    /// The files that the units read and looked for; `None` if a later run could not compare them
    /// with the disk.
    pub(crate) files_read: Option<FilesRead>,
}

/// A unit that was read.
pub(crate) struct UnitRead {
    /// Its number among the units of the snapshot. They are those of the database, unless the
    /// snapshot has other files than the disk.
    pub(crate) number: usize,
    /// The facts of its files, or why there are none.
    pub(crate) facts: Result<Vec<SharedFileFacts>, Problem>,
    /// The files that it read, as facts name them.
    pub(crate) files: Vec<PathBuf>,
    /// Arguments that were left out because libclang does not know them.
    pub(crate) unknown_arguments: Vec<String>,
}

/// Reads the program that a request is about: from the tree on the disk, or from a saved index.
///
/// # Errors
///
/// The tree cannot be opened, or the index cannot be used.
pub fn index(request: &Request, progress: &dyn Progress) -> Result<Index, Error> {
    let read = match saved_program(request)? {
        Some(saved) => saved,
        None => Session::open(request)?.program(&Snapshot::disk(), None, progress)?,
    };
    Ok(read.index)
}

/// The program of the saved index that a request names; `None` if it names a tree.
pub(crate) fn saved_program(request: &Request) -> Result<Option<ProgramRead>, Error> {
    let Input::Index(path) = &request.input else { return Ok(None) };
    let packs = packs_of(&request.packs, &request.settings)?;
    let index = index_file::load(&request.working_directory.join(path), packs)?;
    require_marks(request, &index.packs, &index.details.parsing.marks, &index.tree)?;
    Ok(Some(ProgramRead { index, files_read: None }))
}

impl<'r> Session<'r> {
    /// Opens the tree of a request: finds its units, and the marks that it defines.
    ///
    /// # Errors
    ///
    /// libclang is missing, the pack or the database cannot be used, or the tree defines no mark.
    pub(crate) fn open(request: &'r Request) -> Result<Session<'r>, Error> {
        let packs = packs_of(&request.packs, &request.settings)?;
        // libclang is loaded meanwhile.
        let workers = Workers::start(&request.isolation, &request.limits)?;
        let (inputs, tree) = inputs(request)?;
        warn_of_unfinished_fix(request, &tree);
        let started = SystemTime::now();
        let visible = make_visible(&tree.root, &mark_headers(&packs), &Default::default());
        let workers = workers.ready()?;
        let library = workers.library().clone();
        let parsing = ParseDetails {
            clang: format!("{} ({})", library.version, library.path().shown()),
            marks: visible.definitions.iter().map(|definition| mark_detail(definition, packs.first(), &tree)).collect(),
            ..ParseDetails::default()
        };
        require_marks(request, &packs, &parsing.marks, &tree)?;
        let details = Details { parsing, ..Details::default() };
        let cache = match &request.cache {
            // Verifying reads everything.
            Some(location) if request.sharing != SharingRequest::Verify => open_cache(request, location),
            _ => None,
        };
        let (vocabulary, readings) = vocabulary(packs.packs());
        let indexer = Indexer::new(workers, vocabulary, visible.headers, tree.clone(), request.jobs)?;
        let refused = inputs.refused.iter().map(|refusal| refused(refusal, &tree)).collect();
        let current = CurrentSnapshot {
            snapshot: Snapshot::disk(),
            units: inputs.units.as_slice().into(),
            sources: indexer.sources(Snapshot::disk().overlay(), started),
        };
        Ok(Session { request, packs, readings, tree, inputs, details, refused, library, indexer, cache, current })
    }

    /// Switches to a snapshot: from now on, its files are read.
    fn enter(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        if snapshot.is_disk() && self.current.snapshot.is_disk() {
            return Ok(());
        }
        let sources = self.indexer.sources(snapshot.overlay(), SystemTime::now());
        let texts = snapshot.overlay().texts().map(|(path, text)| (path.to_path_buf(), Arc::clone(text))).collect();
        let VisibleMarks { headers, .. } = make_visible(&self.tree.root, &mark_headers(&self.packs), &texts);
        self.indexer.set_texts(headers).map_err(Error::Snapshot)?;
        let identities = Identities::default();
        let units = self.inputs.units.iter().filter_map(|unit| {
            let on_disk = identities.identify(&unit.directory, &unit.file);
            let file = snapshot.locate(&on_disk)?;
            // A database may name a file by a path that leads through symbolic links.
            let file = if file == on_disk { unit.file.clone() } else { file.to_path_buf() };
            Some(Unit { file, ..unit.clone() })
        });
        self.current = CurrentSnapshot { snapshot: snapshot.clone(), units: units.collect(), sources };
        Ok(())
    }

    /// The program of a snapshot. If more than `limit` units would have to be parsed, none is.
    ///
    /// # Errors
    ///
    /// Too many units would have to be parsed, or the snapshot cannot be passed to libclang. A unit
    /// that cannot be read is not an error, but one of the index's problems.
    pub(crate) fn program(
        &mut self,
        snapshot: &Snapshot,
        limit: Option<usize>,
        progress: &dyn Progress,
    ) -> Result<ProgramRead, Error> {
        self.enter(snapshot)?;
        let session = &*self;
        let mut details = session.details.clone();
        let caches = session.cache.as_ref().map(|cache| Caches::open(cache, session));
        let all: Vec<usize> = (0..session.current.units.len()).collect();
        let purpose = Purpose { limit, files: false };
        let mut units = session.read(&all, caches.as_ref(), purpose, &mut details, progress)?;
        let key = caches.as_ref().and_then(|caches| caches.program_key(&units));
        let cached = caches.as_ref().zip(key).and_then(|(caches, key)| caches.load::<Program>(&key));
        let program = match cached {
            Some(mut program) => {
                program.connect();
                program
            }
            None => {
                session.complete(&all, &mut units, caches.as_ref(), purpose, &mut details, progress);
                let fits = session.limit_facts(&mut units);
                let program = link(units.iter().map(UnitResult::file_facts), &session.tree);
                if let Some((caches, key)) = caches.as_ref().zip(key).filter(|_| fits) {
                    caches.store(key, &program);
                }
                program
            }
        };
        let files_read = caches.and_then(|caches| caches.record(&all, &units));
        // The run cache does not compare response files, so it must not return a report that
        // depends on any.
        let files_read = files_read.filter(|_| !session.inputs.may_be_indirect);
        session.flush(&mut details);
        details.memory.worker = session.indexer.peak();
        details.memory.limit = session.request.limits.unit_memory;
        let problems = session.problems(units.iter().filter_map(|unit| unit.facts.as_ref().err()));
        count_unknown_arguments(&units, &mut details);
        let index = Index {
            program,
            packs: session.packs.clone(),
            readings: session.readings.clone(),
            read_with: ReadWith::of(&session.packs),
            tree: session.tree.clone(),
            details,
            problems,
            coverage: session.coverage(),
        };
        Ok(ProgramRead { index, files_read })
    }

    /// Takes away the facts of the units with which all facts exceed their limit; whether there are
    /// none.
    fn limit_facts(&self, units: &mut [UnitResult]) -> bool {
        let mut budget = FactsBudget::new(&self.request.limits);
        let mut fits = true;
        for (unit, result) in self.current.units.iter().zip(units) {
            if let Ok(Some(facts)) = &result.facts
                && let Err(failure) = budget.admit(facts)
            {
                result.facts = Err(failed(&failure, &unit.file, &self.tree));
                fits = false;
            }
        }
        fits
    }

    /// The facts of some units of a snapshot, and the files that each unit read. Units that the
    /// unit cache does not have are parsed. The second result has details for a report.
    ///
    /// # Errors
    ///
    /// As [`Session::program`].
    pub(crate) fn units(
        &mut self,
        snapshot: &Snapshot,
        numbers: &[usize],
        progress: &dyn Progress,
    ) -> Result<(Vec<UnitRead>, Details), Error> {
        self.enter(snapshot)?;
        let session = &*self;
        let mut details = session.details.clone();
        let caches = session.cache.as_ref().map(|cache| Caches::open(cache, session));
        let purpose = Purpose { limit: None, files: true };
        let mut results = session.read(numbers, caches.as_ref(), purpose, &mut details, progress)?;
        session.complete(numbers, &mut results, caches.as_ref(), purpose, &mut details, progress);
        let files: Vec<Vec<PathBuf>> = results.iter().map(|result| result.files(caches.as_ref())).collect();
        if let Some(caches) = caches {
            caches.record(numbers, &results);
        }
        session.flush(&mut details);
        count_unknown_arguments(&results, &mut details);
        let units = results.into_iter().zip(files).zip(numbers).map(|((result, files), number)| UnitRead {
            number: *number,
            facts: result.facts.map(Option::unwrap_or_default),
            files,
            unknown_arguments: result.unknown_arguments,
        });
        Ok((units.collect(), details))
    }

    /// The problems of a report, sorted: refused units, and the given ones.
    pub(crate) fn problems<'p>(&self, unread: impl Iterator<Item = &'p Problem>) -> Vec<Problem> {
        let mut problems = self.refused.clone();
        problems.extend(unread.cloned());
        problems.sort();
        problems
    }

    /// Writes new cache entries to the disk.
    fn flush(&self, details: &mut Details) {
        if let Some(error) = self.cache.as_ref().and_then(|cache| cache.flush().err()) {
            details.cache_failure = Some(error.to_string());
        }
    }

    /// How many units the snapshot has, and whether they are the whole tree.
    pub(crate) fn coverage(&self) -> Coverage {
        Coverage {
            units: self.current.units.len() + self.refused.len(),
            other_languages: self.inputs.other_languages.clone(),
            is_whole: self.inputs.is_whole,
        }
    }
}

/// Opens the cache of a request. If it cannot be used, this warns, and the run goes on without.
pub(crate) fn open_cache(request: &Request, location: &CacheLocation) -> Option<Cache> {
    let opened = Cache::open(&location.directory, location.limit).and_then(|cache| {
        let directory = || location.directory.shown().to_string();
        match is_tracked(&location.directory) {
            Ok(false) => Ok(cache),
            Ok(true) => Err(CacheError::Tracked { directory: directory() }),
            Err(error) => Err(CacheError::Unknown { directory: directory(), reason: error.to_string() }),
        }
    });
    opened.map_err(|error| (request.warn)(&Warning::NoCache(error))).ok()
}

/// Warns if a killed run of `cowrap fix` has left the tree half changed.
pub(crate) fn warn_of_unfinished_fix(request: &Request, tree: &Tree) {
    if is_unfinished(&tree.root) {
        (request.warn)(&Warning::UnfinishedFix(tree.root.clone()));
    }
}

/// The marks of a pack on declarations, if it has some and the tree defines none of them.
pub(crate) fn missing_marks(pack: &Pack, defined: &[MarkLocation]) -> Vec<String> {
    let own: Vec<&str> = pack.declared_marks().map(|mark| mark.name.as_str()).collect();
    match own.iter().any(|name| defined.iter().any(|mark| mark.mark == *name)) {
        true => Vec::new(),
        false => own.into_iter().map(str::to_owned).collect(),
    }
}

/// Checks that not all packs lack their marks. A check could not find anything then.
fn require_marks(request: &Request, packs: &PackSet, defined: &[MarkLocation], tree: &Tree) -> Result<(), Error> {
    let missing: Vec<Vec<String>> = packs.packs().iter().map(|pack| missing_marks(pack, defined)).collect();
    if request.may_lack_marks || missing.iter().any(Vec::is_empty) {
        return Ok(());
    }
    let names: Vec<&str> = packs.packs().iter().map(|pack| pack.name.as_str()).collect();
    Err(Error::NoMarks {
        pack: names.join("`, `"),
        root: tree.root.shown().to_string(),
        marks: missing.concat().join(", "),
    })
}

/// A definition of a mark, for reports.
pub(crate) fn mark_detail(definition: &MarkDefinition, pack: &Pack, tree: &Tree) -> MarkLocation {
    let path = tree.relative(&definition.path).to_path_buf();
    MarkLocation { mark: pack.mark(definition.mark).name.clone(), path, line: definition.line }
}
