//! A session: a tree that is open for reading, in any of its snapshots.
//!
//! Everything that needs a program gets it here: checks, fixes, queries, indexes, shards, and the
//! comparison with an earlier state. A session knows how units are read and which caches help; it
//! must never know what a program is used for.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cowrap_analysis::program::SavedProgram;
use cowrap_base::cache::{Cache, CacheError, CacheLocation};
use cowrap_base::files::{Digest, Identities, LONGEST_TEXT, Shown, Tree, read_source};
use cowrap_base::git::is_tracked;
use cowrap_facts::{ReadingId, SharedFileFacts};
use cowrap_fix::is_unfinished;
use cowrap_frontend::compdb::{FILE_NAME as DATABASE_NAME, Unit};
use cowrap_frontend::index::{FactsBudget, Indexer};
use cowrap_frontend::marks::{MarkDefinition, VisibleMarks, make_visible, make_visible_in};
use cowrap_frontend::sources::Sources;
use cowrap_frontend::unit_cache::{self, CachedUnit, Compared};
use cowrap_frontend::worker::{LibraryInfo, Workers};
use cowrap_packs::{Pack, PackSet, SETTINGS_NAME};
use cowrap_report::{Details, MarkLocation, ParseDetails, Problem};

use crate::baseline::baseline_place;
use crate::caches::{Caches, Checkout, LoadedUnits, files_of};
use crate::file_format::ReadWith;
use crate::index_file::{Coverage, Index};
use crate::inputs::{Inputs, inputs, packs_of};
use crate::problems::{failed, refused};
use crate::request::{Input, Progress, Request, SharingRequest};
use crate::snapshot::Snapshot;
use crate::units::{Origin, PARSED_PLAINLY, Purpose, UnitResult, count_unknown_arguments};
use crate::vocabulary::{mark_headers, vocabulary};
use crate::warning::Warning;
use crate::{Error, index_file};

/// From this many units on whose facts differ, a program is stored anew, so that later runs have less to update.
const MOST_UPDATED: usize = 100;

/// A tree that is open for reading.
pub(crate) struct Session<'r> {
    pub(crate) request: &'r Request,
    /// Where its cache is, if it has one: that of the request, or another in its place.
    cache: Option<CacheLocation>,
    pub(crate) packs: PackSet,
    /// How each pack reads bodies.
    pub(crate) readings: Vec<ReadingId>,
    pub(crate) tree: Tree,
    pub(crate) inputs: Inputs,
    /// The libclang in use and where marks are defined. Each program adds its own details to a
    /// copy.
    pub(crate) details: Details,
    /// The marks on the disk.
    marks: VisibleMarks,
    /// The units that are not read, because their entries are refused.
    pub(crate) refused: Vec<Problem>,
    /// The libclang in use.
    pub(crate) library: LibraryInfo,
    pub(crate) indexer: Indexer,
    pub(crate) caches: Option<Caches>,
    /// The snapshot that is read now.
    pub(crate) current: CurrentSnapshot,
}

/// The snapshot that a session reads now, with what belongs to it.
pub(crate) struct CurrentSnapshot {
    pub(crate) snapshot: Snapshot,
    /// The units that the snapshot has, in the order of the database.
    pub(crate) units: Arc<[Unit]>,
    /// Their keys in the unit cache; empty without one.
    pub(crate) keys: Vec<Digest>,
    pub(crate) sources: Arc<Sources>,
    /// Whether those who parse have its texts.
    has_texts: bool,
    /// How the unit cache compares with the snapshot, once that was asked for.
    pub(crate) compared: Option<Compared>,
}

/// A program, and the units that it was made from.
pub(crate) struct ProgramRead {
    pub(crate) index: Index,
    /// The units in the unit cache; `None` if it does not have all of them.
    pub(crate) units: Option<Vec<CachedUnit>>,
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
        None => {
            let mut session = Session::open(request)?;
            let mut read = session.program(&Snapshot::disk(), None, progress)?;
            session.flush(&mut read.index.details);
            read
        }
    };
    Ok(read.index)
}

/// The program of the saved index that a request names; `None` if it names a tree.
pub(crate) fn saved_program(request: &Request) -> Result<Option<ProgramRead>, Error> {
    let Input::Index(path) = &request.input else { return Ok(None) };
    let packs = packs_of(&request.packs, &request.settings)?;
    let index = index_file::load(&request.working_directory.join(path), packs)?;
    require_marks(request, &index.packs, &index.details.parsing.marks, &index.tree)?;
    Ok(Some(ProgramRead { index, units: None }))
}

impl<'r> Session<'r> {
    /// Opens the tree of a request: finds its units, and the marks that it defines.
    ///
    /// # Errors
    ///
    /// libclang is missing, the pack or the database cannot be used, or the tree defines no mark.
    pub(crate) fn open(request: &'r Request) -> Result<Session<'r>, Error> {
        Session::open_with(request, request.cache.clone(), true)
    }

    /// The same tree with another cache.
    pub(crate) fn with_cache(&self, location: CacheLocation) -> Result<Session<'r>, Error> {
        Session::open_with(self.request, Some(location), true)
    }

    /// Opens a tree. `trust_library` says whether the libclang in use may be that of an earlier run; then a worker is
    /// started only when one is needed.
    fn open_with(
        request: &'r Request,
        cache: Option<CacheLocation>,
        trust_library: bool,
    ) -> Result<Session<'r>, Error> {
        let started = SystemTime::now();
        let packs = packs_of(&request.packs, &request.settings)?;
        let checkout = match &cache {
            // Verifying reads everything.
            Some(location) if request.sharing != SharingRequest::Verify => Checkout::open(request, location, started),
            _ => None,
        };
        let known = checkout.as_ref().filter(|_| trust_library).and_then(Checkout::library);
        // Otherwise libclang is loaded meanwhile.
        let starting = match &known {
            Some(_) => None,
            None => Some(Workers::start(&request.isolation, &request.limits)?),
        };
        let (inputs, tree) = inputs(request, checkout.as_ref())?;
        warn_of_unfinished_fix(request, &tree);
        let marks = mark_headers(&packs);
        let load = |checkout: &Checkout, library: &LibraryInfo| LoadedUnits::load(checkout, library, &packs, &tree);
        let (visible, loaded) = match &checkout {
            None => (make_visible(&tree.root, &marks, &Default::default()), None),
            Some(checkout) => rayon::join(
                || checkout.make_visible(&tree, &marks, checkout.digest_of_packs(&packs, request)),
                || known.as_ref().map(|library| load(checkout, library)),
            ),
        };
        let workers = match (starting, known) {
            (None, Some(library)) => Workers::with_library(&request.isolation, &request.limits, library),
            (Some(starting), _) => starting.ready()?,
            (None, None) => Workers::start(&request.isolation, &request.limits)?.ready()?,
        };
        let library = workers.library().clone();
        let parsing = ParseDetails {
            clang: format!("{} ({})", library.version, library.path().shown()),
            marks: visible.definitions.iter().map(|definition| mark_detail(definition, packs.first(), &tree)).collect(),
            ..ParseDetails::default()
        };
        require_marks(request, &packs, &parsing.marks, &tree)?;
        let caches = checkout.map(|checkout| {
            let loaded = loaded.unwrap_or_else(|| {
                checkout.store_library(&library);
                load(&checkout, &library)
            });
            Caches::new(checkout, loaded)
        });
        let details = Details { parsing, ..Details::default() };
        let (vocabulary, readings) = vocabulary(packs.packs());
        let indexer = Indexer::new(workers, vocabulary, visible.headers.clone(), tree.clone(), request.jobs)?;
        let refused = inputs.refused.iter().map(|refusal| refused(refusal, &tree)).collect();
        let units: Arc<[Unit]> = inputs.units.as_slice().into();
        let current = CurrentSnapshot {
            snapshot: Snapshot::disk(),
            keys: caches.as_ref().map(|_| unit_cache::keys(&units, &tree)).unwrap_or_default(),
            units,
            sources: indexer.sources(Snapshot::disk().overlay(), started),
            has_texts: true,
            compared: None,
        };
        Ok(Session {
            request,
            cache,
            packs,
            readings,
            tree,
            inputs,
            details,
            marks: visible,
            refused,
            library,
            indexer,
            caches,
            current,
        })
    }

    /// Switches to a snapshot: from now on, its files are read.
    pub(crate) fn enter(&mut self, snapshot: &Snapshot) {
        if *snapshot == self.current.snapshot {
            return;
        }
        let sources = self.indexer.sources(snapshot.overlay(), SystemTime::now());
        if self.current.snapshot.has_disk_layout() && snapshot.has_disk_layout() {
            // Only texts differ, as after each edit in an editor.
            if let (Some(caches), Some(compared)) = (&self.caches, &mut self.current.compared) {
                let changed = snapshot.differing(&self.current.snapshot);
                let (stat_cache, overlay) = (&caches.checkout.stat_cache, snapshot.overlay());
                caches.units.compare_texts(compared, &changed, &self.tree, stat_cache, &sources, overlay);
            }
            (self.current.snapshot, self.current.sources, self.current.has_texts) = (snapshot.clone(), sources, false);
            return;
        }
        let units: Arc<[Unit]> = match snapshot.has_all_files() {
            true => self.inputs.units.as_slice().into(),
            false => {
                let identities = Identities::default();
                let units = self.inputs.units.iter().filter_map(|unit| {
                    let on_disk = identities.identify(&unit.directory, &unit.file);
                    let file = snapshot.locate(&on_disk)?;
                    // A database may name a file by a path that leads through symbolic links.
                    let file = if file == on_disk { unit.file.clone() } else { file.to_path_buf() };
                    Some(Unit { file, ..unit.clone() })
                });
                units.collect()
            }
        };
        let keys = self.caches.as_ref().map(|_| unit_cache::keys(&units, &self.tree)).unwrap_or_default();
        let (snapshot, has_texts) = (snapshot.clone(), false);
        self.current = CurrentSnapshot { snapshot, units, keys, sources, has_texts, compared: None };
    }

    /// Looks at the disk again from now on: files may have changed since the session looked at them.
    pub(crate) fn look_again(&mut self) {
        if let Some(caches) = &mut self.caches {
            caches.checkout.look_again();
        }
        self.marks = self.find_marks();
        let definitions = self.marks.definitions.iter();
        self.details.parsing.marks =
            definitions.map(|definition| mark_detail(definition, self.packs.first(), &self.tree)).collect();
        self.indexer.forget_waits();
        let sources = self.indexer.sources(self.current.snapshot.overlay(), SystemTime::now());
        (self.current.sources, self.current.has_texts, self.current.compared) = (sources, false, None);
    }

    /// Checks that the tree defines marks; see [`Session::look_again`].
    pub(crate) fn require_marks(&self) -> Result<(), Error> {
        require_marks(self.request, &self.packs, &self.details.parsing.marks, &self.tree)
    }

    /// The directories in which units of this or an earlier state read files, or looked for some: absolute.
    pub(crate) fn directories(&self) -> BTreeSet<PathBuf> {
        self.caches.as_ref().map(|caches| caches.units.watched_directories(&self.tree)).unwrap_or_default()
    }

    /// The marks on the disk.
    fn find_marks(&self) -> VisibleMarks {
        let marks = mark_headers(&self.packs);
        match self.checkout() {
            Some(checkout) => {
                let packs = checkout.digest_of_packs(&self.packs, self.request);
                checkout.make_visible(&self.tree, &marks, packs)
            }
            None => make_visible(&self.tree.root, &marks, &Default::default()),
        }
    }

    /// The digest of a file of the disk, given by its real path; `None` if it cannot be read or has another real path.
    pub(crate) fn digest_on_disk(&self, path: &Path) -> Option<Digest> {
        match &self.caches {
            Some(caches) => caches.checkout.stat_cache.digest_of_identity(path),
            None => read_source(path, LONGEST_TEXT).ok().map(|text| Digest::of(&text)),
        }
    }

    /// The files besides sources that decide what is checked and reported, absolute: the database, the settings, packs
    /// and the baseline. Some may not exist.
    pub(crate) fn configuration(&self) -> Vec<PathBuf> {
        let request = self.request;
        let absolute = |path: &Path| request.working_directory.join(path);
        let mut files: Vec<PathBuf> = self.packs.packs().iter().flat_map(|pack| files_of(pack, request)).collect();
        files.push(request.settings.file.as_deref().map_or_else(|| self.tree.root.join(SETTINGS_NAME), absolute));
        files.extend(baseline_place(request, &self.tree));
        files.extend(self.inputs.database.clone());
        if let Input::Database(None) = &request.input {
            // A database there comes first.
            files.push(request.working_directory.join(DATABASE_NAME));
        }
        files
    }

    /// Gives the texts of the current snapshot to those who parse.
    pub(crate) fn prepare(&mut self) -> Result<(), Error> {
        if !self.current.has_texts {
            let texts = self.current.snapshot.overlay().texts();
            let texts = texts.map(|(path, text)| (path.to_path_buf(), Arc::clone(text))).collect();
            let marks = mark_headers(&self.packs);
            let VisibleMarks { headers, .. } = match self.current.snapshot.has_disk_layout() {
                true => make_visible_in(&self.marks, &self.tree.root, &marks, &texts),
                false => make_visible(&self.tree.root, &marks, &texts),
            };
            self.indexer.set_texts(headers).map_err(Error::Snapshot)?;
            self.current.has_texts = true;
        }
        Ok(())
    }

    /// Compares the unit cache with the current snapshot.
    pub(crate) fn compare(&mut self) {
        if let Some(caches) = &self.caches
            && self.current.compared.is_none()
        {
            let CurrentSnapshot { snapshot, sources, .. } = &self.current;
            let compare = || caches.units.compare(&self.tree, &caches.checkout.stat_cache, sources, snapshot.overlay());
            self.current.compared = Some(self.indexer.install(compare));
        }
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
        self.again_if_replaced(|session| session.try_program(snapshot, limit, progress))
    }

    /// Does something that may find that libclang has been replaced since an earlier run. Then the tree is opened again,
    /// and it is done once more.
    fn again_if_replaced<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        match work(self) {
            Err(Error::LibraryReplaced) => {
                let before = std::mem::take(&mut self.inputs.units);
                *self = self.open_again()?;
                // The caller's numbers are those of the database as it was.
                if self.inputs.units != before {
                    return Err(Error::LibraryReplaced);
                }
                work(self)
            }
            result => result,
        }
    }

    /// The same tree with the libclang that is there now.
    pub(crate) fn open_again(&self) -> Result<Session<'r>, Error> {
        Session::open_with(self.request, self.cache.clone(), false)
    }

    fn try_program(
        &mut self,
        snapshot: &Snapshot,
        limit: Option<usize>,
        progress: &dyn Progress,
    ) -> Result<ProgramRead, Error> {
        self.enter(snapshot);
        self.prepare()?;
        self.compare();
        let session = &*self;
        let mut details = session.details.clone();
        let all: Vec<usize> = (0..session.current.units.len()).collect();
        let purpose = Purpose { limit, files: false };
        let mut saved = None;
        let units = std::thread::scope(|scope| {
            // While units are parsed, the other processor loads the stored program.
            scope.spawn(|| saved = session.caches.as_ref().and_then(|caches| caches.program(&session.packs)));
            session.read(&all, purpose, &mut details, progress)
        });
        let mut units = units?;
        let program = match saved.and_then(|saved| session.update(saved, &units)) {
            Some(program) => program,
            None => session.link(&all, &mut units, purpose, &mut details, progress)?,
        };
        let program = program.into_program();
        let recorded = self.record(&all, &units.iter().collect::<Vec<_>>()).into_iter().collect();
        // What took long to read should not be lost if the run is interrupted.
        if units.iter().filter(|unit| matches!(unit.origin, Origin::Parser(_))).count() > PARSED_PLAINLY {
            self.flush(&mut details);
        }
        let session = &*self;
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
        Ok(ProgramRead { index, units: recorded })
    }

    /// Updates a stored program with the facts that differ. `None` if facts are lost, or exceed their limit.
    pub(crate) fn update(&self, saved: SavedProgram, units: &[UnitResult]) -> Option<SavedProgram> {
        let caches = self.caches.as_ref()?;
        if !self.fits(units) {
            return None;
        }
        let digests = units.iter().map(|unit| self.digests(unit)).collect::<Option<Vec<Vec<Digest>>>>()?;
        let is_near = saved.differing(&digests) <= MOST_UPDATED;
        let parsed = units.iter().filter_map(|unit| unit.file_facts()).flatten();
        let parsed: HashMap<Digest, &SharedFileFacts> = parsed.map(|facts| (facts.digest(), facts)).collect();
        let load = |digest: &Digest| match parsed.get(digest) {
            Some(facts) => Some((*facts).clone()),
            None => caches.facts(digest),
        };
        let updated = saved.update(&digests, &load, |path| self.tree.absolute(path))?;
        if !is_near && self.is_whole() {
            caches.store_program(&updated);
        }
        Some(updated)
    }

    /// Links the facts of all units.
    pub(crate) fn link(
        &self,
        all: &[usize],
        units: &mut [UnitResult],
        purpose: Purpose,
        details: &mut Details,
        progress: &dyn Progress,
    ) -> Result<SavedProgram, Error> {
        self.complete(all, units, purpose, details, progress)?;
        let fits = self.limit_facts(units);
        let saved = SavedProgram::link(units.iter().map(UnitResult::file_facts), |path| self.tree.absolute(path));
        if let Some(caches) = self.caches.as_ref().filter(|_| fits && self.is_whole()) {
            caches.store_program(&saved);
        }
        Ok(saved)
    }

    /// Whether the program is that of the whole tree on the disk, which most runs are about. Others take no place from
    /// it in the cache.
    fn is_whole(&self) -> bool {
        !self.request.is_partial && self.current.snapshot.is_disk()
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
        self.again_if_replaced(|session| session.try_units(snapshot, numbers, progress))
    }

    fn try_units(
        &mut self,
        snapshot: &Snapshot,
        numbers: &[usize],
        progress: &dyn Progress,
    ) -> Result<(Vec<UnitRead>, Details), Error> {
        self.enter(snapshot);
        self.prepare()?;
        self.compare();
        let mut details = self.details.clone();
        let purpose = Purpose { limit: None, files: true };
        let mut results = self.read(numbers, purpose, &mut details, progress)?;
        self.complete(numbers, &mut results, purpose, &mut details, progress)?;
        let files: Vec<Vec<PathBuf>> = results.iter().map(|result| self.files(result)).collect();
        self.record(numbers, &results.iter().collect::<Vec<_>>());
        self.flush(&mut details);
        count_unknown_arguments(&results, &mut details);
        let units = results.into_iter().zip(files).zip(numbers).map(|((result, files), number)| UnitRead {
            number: *number,
            facts: result.facts.map(Option::unwrap_or_default),
            files,
            unknown_arguments: result.unknown_arguments,
        });
        Ok((units.collect(), details))
    }

    /// What the cache knows about the files of the checkout, if there is a cache.
    pub(crate) fn checkout(&self) -> Option<&Checkout> {
        self.caches.as_ref().map(|caches| &caches.checkout)
    }

    /// The problems of a report, sorted: refused units, and the given ones.
    pub(crate) fn problems<'p>(&self, unread: impl Iterator<Item = &'p Problem>) -> Vec<Problem> {
        let mut problems = self.refused.clone();
        problems.extend(unread.cloned());
        problems.sort();
        problems
    }

    /// Writes new cache entries to the disk.
    pub(crate) fn flush(&mut self, details: &mut Details) {
        if let Some(failure) = self.caches.as_mut().and_then(Caches::flush) {
            details.cache_failure = Some(failure);
        }
    }

    /// Frees the facts that were loaded.
    pub(crate) fn forget_facts(&mut self) {
        if let Some(caches) = &mut self.caches {
            caches.forget_facts();
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
