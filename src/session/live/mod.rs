//! A tree that stays open while its files are edited: for editors, and for `cowrap watch`.
//!
//! A [`LiveTree`] keeps what a run would load anew each time: the database, the unit cache, the linked program, and
//! libclang in its workers. Each [`LiveState`] of the tree is checked as `cowrap check` would check it, with the same
//! result.
//!
//! If many units have to be read, what an editor shows is read first, and analysed together with what the other units
//! said before ([`provisional`]). The others are read while that analysis is in use.
//!
//! It must never know a protocol, a terminal, or when a state is due.

mod analysis;
mod provisional;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cowrap_analysis::program::{Program, SavedProgram};
use cowrap_base::cache::{CacheLocation, DEFAULT_LIMIT};
use cowrap_base::files::{Digest, TemporaryDirectory, Texts, Tree};
use cowrap_facts::{ReadingId, SharedFileFacts};
use cowrap_packs::PackSet;
use cowrap_report::{Details, Problem};

use crate::caches::Checkout;
use crate::comments::{FileComment, find_comments};
use crate::evaluate::{Evaluated, EvaluationInput, evaluate, texts_of};
use crate::index_file::Coverage;
use crate::inputs::identify_paths;
use crate::readings::Readings;
use crate::request::{Progress, Request};
use crate::rule_names::require_rules;
use crate::session::Session;
use crate::snapshot::Snapshot;
use crate::units::{Origin, Purpose, UnitResult, count_unknown_arguments};
use crate::{Error, compare, fix};

use provisional::{provisional, representatives};

pub use analysis::Analysis;
pub use cowrap_analysis::queries::editor::Word;

/// A tree that stays open while its files are edited.
pub struct LiveTree<'r> {
    session: Session<'r>,
    /// The program of the last state that was read, if any was.
    saved: Option<SavedProgram>,
    /// The problems of the units in that state.
    problems: Vec<Option<Problem>>,
}

/// A cache that ends with the process, for a request without one: a live tree reads in each state what is not in its
/// cache.
#[derive(Debug)]
pub struct TemporaryCache {
    /// Removes it when it is dropped.
    _directory: TemporaryDirectory,
}

impl TemporaryCache {
    /// Gives a request a temporary cache if it has none.
    ///
    /// # Errors
    ///
    /// No temporary directory can be made.
    pub fn give(request: &mut Request) -> io::Result<Option<TemporaryCache>> {
        if request.cache.is_some() {
            return Ok(None);
        }
        let directory = TemporaryDirectory::make()?;
        let place = directory.path().join("cache");
        request.cache = Some(CacheLocation { directory: place, limit: DEFAULT_LIMIT });
        Ok(Some(TemporaryCache { _directory: directory }))
    }
}

/// A state of a live tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveState {
    /// The texts of open files, by their absolute real paths. A text that the disk has as well makes no difference, and
    /// neither does one of a file that is not on the disk.
    pub texts: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    /// The files whose findings are wanted first, by their absolute real paths.
    pub first: Vec<PathBuf>,
    /// Whether files on the disk may have changed since the last state.
    pub disk_changed: bool,
}

/// Whoever wants to know what follows from the states of a live tree.
pub trait Observer: Sync {
    /// Takes the analysis of a state. It stays valid until this returns.
    ///
    /// If it is not complete, the rest of the tree is read meanwhile. [`Observer::rest_is_read`] says when that is done,
    /// and the complete analysis follows when this has returned. If this returns earlier, the rest is not wanted any
    /// more.
    fn observe(&self, analysis: &Analysis<'_>);

    /// The rest of the tree has been read: [`Observer::observe`] should return. This comes from another thread.
    fn rest_is_read(&self);

    /// Whether a newer state is waiting, so that this one need not be checked.
    fn is_outdated(&self) -> bool;
}

/// A state whose units were found in the cache or read.
struct StateRead {
    /// The units, in the order of the database; `None` for one that was not read.
    units: Vec<Option<UnitResult>>,
    details: Details,
}

impl<'r> LiveTree<'r> {
    /// Opens the tree of a request.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check()).
    pub fn open(request: &'r Request) -> Result<LiveTree<'r>, Error> {
        identify_paths(request, &request.report_on)?;
        identify_paths(request, &request.inputs)?;
        let session = Session::open(request)?;
        require_rules(&request.enable, &session.packs)?;
        Ok(LiveTree { session, saved: None, problems: Vec::new() })
    }

    /// The root of the tree: absolute.
    pub fn root(&self) -> &Path {
        &self.session.tree.root
    }

    /// The files of which a change means that the tree has to be opened again, absolute: the database, packs, settings
    /// and the baseline. Some may not exist.
    pub fn configuration(&self) -> Vec<PathBuf> {
        self.session.configuration()
    }

    /// Checks a state, and shows the observer what follows from it.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check()). The tree can be checked again, in this state or another.
    pub fn check(
        &mut self,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        let read = match self.read(state, observer, progress) {
            Err(Error::LibraryReplaced) => {
                (self.session, self.saved) = (self.session.open_again()?, None);
                self.read(state, observer, progress)?
            }
            read => read?,
        };
        match read.units.iter().all(Option::is_some) && !observer.is_outdated() {
            true => self.show(read, observer, progress),
            false => {
                // What was read is not lost.
                record(&mut self.session, read);
                Ok(())
            }
        }
    }

    /// Reads the units of a state. Some may be missing if the state is outdated.
    fn read(
        &mut self,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<StateRead, Error> {
        if state.disk_changed {
            self.session.look_again();
        }
        let snapshot = self.snapshot(state);
        let changed = snapshot.differing(&self.session.current.snapshot);
        self.session.enter(&snapshot);
        self.session.prepare()?;
        self.session.compare();
        let all: Vec<usize> = (0..self.session.current.units.len()).collect();
        let mut read = StateRead { units: self.session.find(&all), details: self.session.details.clone() };
        let first: HashSet<&Path> = state.first.iter().map(PathBuf::as_path).collect();
        let (now, later) = self.plan(&read, &first, &changed);
        self.parse(&now, &mut read, progress)?;
        if !later.is_empty() && !observer.is_outdated() {
            self.read_later(&later, &mut read, observer, progress)?;
        }
        Ok(read)
    }

    /// The snapshot of a state.
    fn snapshot(&self, state: &LiveState) -> Snapshot {
        let differs = |path: &Path, text: &[u8]| match self.session.digest_on_disk(path) {
            Some(on_disk) => on_disk != Digest::of(text),
            None => false,
        };
        let texts = state.texts.iter().filter(|(path, text)| differs(path, text));
        Snapshot::disk().with_texts(texts.map(|(path, text)| (path.clone(), Arc::clone(text))))
    }

    /// The units that have to be read before anything is shown, and the others that have to be read. `changed` are the
    /// files that the last state had in another version.
    fn plan(&self, read: &StateRead, first: &HashSet<&Path>, changed: &[PathBuf]) -> (Vec<usize>, Vec<usize>) {
        let missing = read.units.iter().enumerate().filter(|(_, unit)| unit.is_none());
        let missing: Vec<usize> = missing.map(|(number, _)| number).collect();
        if missing.len() <= self.session.indexer.threads() {
            return (missing, Vec::new());
        }
        let files = &self.session.current.units;
        let is_first = |number: &usize| first.contains(files[*number].file.as_path());
        let (mut now, later): (Vec<usize>, Vec<usize>) = missing.into_iter().partition(is_first);
        let later: BTreeSet<usize> = later.into_iter().collect();
        let representatives = match &self.saved {
            Some(saved) => representatives(saved, changed, &now, &later),
            None => BTreeSet::new(),
        };
        now.extend(&representatives);
        (now, later.difference(&representatives).copied().collect())
    }

    /// Parses units of a state.
    fn parse(&self, numbers: &[usize], read: &mut StateRead, progress: &dyn Progress) -> Result<(), Error> {
        let parsed = self.session.parse_until_cancelled(numbers, false, &mut read.details, progress)?;
        for (number, parsed) in numbers.iter().zip(parsed) {
            read.units[*number] = parsed;
        }
        Ok(())
    }

    /// Shows what follows from the units that were read, and reads the others meanwhile.
    fn read_later(
        &self,
        later: &[usize],
        read: &mut StateRead,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        let Some(program) = self.provisional(read) else {
            return self.parse(later, read, progress);
        };
        let (session, cancellation) = (&self.session, self.session.indexer.cancellation());
        let view = View::of(session, false);
        let (problems, before) = (self.problems(read), read.details.clone());
        let details = &mut read.details;
        let parsed = std::thread::scope(|scope| {
            let parser = scope.spawn(|| {
                let parsed = session.parse_until_cancelled(later, false, details, progress);
                observer.rest_is_read();
                parsed
            });
            let (programs, comments) = view.prepare(&program, session.checkout());
            let analysis = view.analyse(&program, &programs, &comments, problems, before);
            analysis.iter().for_each(|analysis| observer.observe(analysis));
            if !parser.is_finished() {
                cancellation.cancel();
            }
            let parsed = parser.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            cancellation.reset();
            analysis.and(parsed)
        });
        for (number, parsed) in later.iter().zip(parsed?) {
            read.units[*number] = parsed;
        }
        Ok(())
    }

    /// The program of the units that were read. The others say what they said in the last state, apart from what other
    /// units show to be different. `None` if the cache lacks some of that: files that have just been written are not in
    /// it.
    fn provisional(&self, read: &StateRead) -> Option<Program> {
        let caches = self.session.caches.as_ref()?;
        let before = self.saved.clone().unwrap_or_default();
        let now = read.units.iter().map(|unit| self.session.digests(unit.as_ref()?)).collect::<Vec<_>>();
        let parsed = read.units.iter().flatten().filter_map(UnitResult::file_facts).flatten();
        let parsed: HashMap<Digest, &SharedFileFacts> = parsed.map(|facts| (facts.digest(), facts)).collect();
        let load = |digest: &Digest| match parsed.get(digest) {
            Some(facts) => Some((*facts).clone()),
            None => caches.facts(digest),
        };
        let units = provisional(&before, now, &load);
        let tree = &self.session.tree;
        let updated = before.update(&units, &load, |path| tree.absolute(path));
        updated.map(SavedProgram::into_program)
    }

    /// Shows what follows from a state of which all units were read.
    fn show(
        &mut self,
        read: StateRead,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        self.problems = read.units.iter().map(|unit| unit.as_ref()?.facts.as_ref().err().cloned()).collect();
        let problems = self.problems(&read);
        let StateRead { units, mut details } = read;
        let mut units: Vec<UnitResult> = units.into_iter().flatten().collect();
        let before = self.saved.take().or_else(|| self.session.caches.as_ref()?.program(&self.session.packs));
        let updated = before.and_then(|before| self.session.update(before, &units));
        let saved = match updated {
            Some(saved) => saved,
            None => {
                let all: Vec<usize> = (0..units.len()).collect();
                self.session.link(&all, &mut units, Purpose::default(), &mut details, progress)?
            }
        };
        count_unknown_arguments(&units, &mut details);
        let program = self.saved.insert(saved).to_program();
        let view = View::of(&self.session, true);
        let (programs, comments) = view.prepare(&program, self.session.checkout());
        let analysis = view.analyse(&program, &programs, &comments, problems, details.clone())?;
        let session = &mut self.session;
        std::thread::scope(|scope| {
            // Nobody waits for that.
            scope.spawn(|| record(session, StateRead { units: units.into_iter().map(Some).collect(), details }));
            observer.observe(&analysis);
        });
        Ok(())
    }

    /// The problems of a state. Units that were not read yet have those of the last one.
    fn problems(&self, read: &StateRead) -> Vec<Problem> {
        let of_unit = |(number, unit): (usize, &Option<UnitResult>)| match unit {
            Some(unit) => unit.facts.as_ref().err().cloned(),
            None => self.problems.get(number)?.clone(),
        };
        let problems: Vec<Problem> = read.units.iter().enumerate().filter_map(of_unit).collect();
        self.session.problems(problems.iter())
    }
}

/// Adds the units that were parsed to the unit cache, and frees what only their state needed.
fn record(session: &mut Session<'_>, read: StateRead) {
    let StateRead { units, mut details } = read;
    let parsed = |(number, unit): (usize, Option<UnitResult>)| {
        let unit = unit?;
        matches!(unit.origin, Origin::Parser(Some(_))).then_some((number, unit))
    };
    let (numbers, units): (Vec<usize>, Vec<UnitResult>) = units.into_iter().enumerate().filter_map(parsed).unzip();
    session.record(&numbers, &units.iter().collect::<Vec<_>>());
    session.flush(&mut details);
    session.forget_facts();
}

/// What an analysis is made with. It does not borrow the session, which goes on meanwhile.
struct View<'r> {
    request: &'r Request,
    packs: PackSet,
    readings: Vec<ReadingId>,
    tree: Tree,
    snapshot: Snapshot,
    texts: Texts,
    coverage: Coverage,
    is_complete: bool,
}

impl<'r> View<'r> {
    fn of(session: &Session<'r>, is_complete: bool) -> View<'r> {
        let Session { request, packs, readings, tree, .. } = session;
        let coverage = session.coverage();
        let snapshot = session.current.snapshot.clone();
        View {
            request,
            packs: packs.clone(),
            readings: readings.clone(),
            tree: tree.clone(),
            texts: texts_of(&snapshot, tree),
            snapshot,
            coverage: Coverage { is_whole: coverage.is_whole && is_complete, ..coverage },
            is_complete,
        }
    }

    /// The program as each pack reads it, and the comments for cowrap in its files.
    fn prepare<'v>(&'v self, program: &'v Program, checkout: Option<&Checkout>) -> (Readings<'v>, Vec<FileComment>) {
        rayon::join(
            || Readings::of(program, &self.packs, &self.readings),
            || find_comments(program, &self.tree, &self.texts, checkout),
        )
    }

    fn analyse<'v>(
        &'v self,
        program: &'v Program,
        programs: &'v Readings<'v>,
        comments: &[FileComment],
        problems: Vec<Problem>,
        details: Details,
    ) -> Result<Analysis<'v>, Error> {
        let View { request, packs, tree, texts, snapshot, .. } = self;
        let input = EvaluationInput { request, program, packs, tree, texts, overlay: snapshot.overlay() };
        let Evaluated { mut report, effects, introspection } =
            evaluate(&input, programs, comments, problems, &self.coverage, details);
        fix::plan_edits(&mut report.findings, texts, tree, packs, request, introspection.as_ref());
        compare::apply_baseline(request, &mut report, &identify_paths(request, &request.report_on)?)?;
        Ok(Analysis { report, effects, is_complete: self.is_complete })
    }
}
