//! Reads the units of a state: first those that an editor shows, then the others while something is shown already.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cowrap_analysis::program::{Program, SavedProgram};
use cowrap_base::files::Digest;
use cowrap_facts::SharedFileFacts;
use cowrap_report::{Details, Problem};

use super::provisional::{provisional, representatives};
use super::view::View;
use super::{LiveState, LiveTree, Observer};
use crate::Error;
use crate::request::Progress;
use crate::session::Session;
use crate::snapshot::Snapshot;
use crate::units::{Origin, UnitResult};

/// While somebody types, units in the background are not worth beginning with.
const PAUSE: Duration = Duration::from_millis(300);

/// Parsing longer than this is not finished for a state that is outdated.
const LONG: Duration = Duration::from_secs(1);

/// How often it is asked whether a state is outdated.
const INTERVAL: Duration = Duration::from_millis(10);

/// A state whose units were found in the cache or read.
pub(super) struct StateRead {
    /// The units, in the order of the database; `None` for one that was not read.
    pub(super) units: Vec<Option<UnitResult>>,
    pub(super) details: Details,
}

/// The units of a state that have to be read.
struct Plan {
    /// Before anything is shown.
    now: Vec<usize>,
    /// Afterwards.
    later: Vec<usize>,
}

impl LiveTree<'_> {
    /// Reads the units of a state. Some may be missing if the state is outdated.
    pub(super) fn read(
        &mut self,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<StateRead, Error> {
        observer.begin();
        if state.disk_changed {
            if self.session.inputs.may_be_indirect {
                // Response files are read when the tree is opened.
                self.open_again()?;
            }
            self.session.look_again();
        }
        self.session.require_marks()?;
        let snapshot = self.snapshot(state);
        self.drop_unrecorded(state.disk_changed, &snapshot.differing(&self.session.current.snapshot));
        self.session.enter(&snapshot);
        self.session.prepare()?;
        self.session.compare();
        let all: Vec<usize> = (0..self.session.current.units.len()).collect();
        let mut read = StateRead { units: self.session.find(&all), details: self.session.details.clone() };
        for (number, result) in std::mem::take(&mut self.unrecorded) {
            if let Some(unit @ None) = read.units.get_mut(number) {
                *unit = Some(result);
            }
        }
        let Plan { now, later } = self.plan(&read, state, &snapshot.differing(&self.shown));
        for numbers in now.chunks(self.session.indexer.threads()) {
            self.parse(numbers, &mut read, observer, progress)?;
            if observer.is_outdated() {
                return Ok(read);
            }
        }
        if !later.is_empty() {
            self.read_later(&later, &mut read, state, observer, progress)?;
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

    /// Forgets the results that are in no cache, as far as they may be others now. `changed` are the texts in memory that
    /// differ.
    fn drop_unrecorded(&mut self, disk_changed: bool, changed: &[PathBuf]) {
        let (tree, units) = (&self.session.tree, &self.session.current.units);
        let is_unit = |path: &PathBuf| units.iter().any(|unit| unit.file == *path);
        let has_headers = changed.iter().any(|path| !is_unit(path));
        self.unrecorded.retain(|number, result| {
            let may_differ = match &result.origin {
                Origin::Parser(Some(facts)) => facts.files.iter().any(|file| changed.contains(&tree.absolute(file))),
                // Nobody knows what it would have read.
                _ => has_headers || units.get(*number).is_none_or(|unit| changed.contains(&unit.file)),
            };
            !disk_changed && !may_differ
        });
    }

    /// What has to be read. `changed` are the files that have another text than in the state that was shown last.
    fn plan(&self, read: &StateRead, state: &LiveState, changed: &[PathBuf]) -> Plan {
        let missing = read.units.iter().enumerate().filter(|(_, unit)| unit.is_none());
        let missing: Vec<usize> = missing.map(|(number, _)| number).collect();
        let threads = self.session.indexer.threads();
        if missing.len() <= threads {
            return Plan { now: missing, later: Vec::new() };
        }
        let file = |number: &usize| self.session.current.units[*number].file.as_path();
        let is_changed = |number: &usize| changed.iter().any(|path| path == file(number));
        let is_first = |number: &usize| state.first.iter().any(|path| path == file(number));
        let (mut now, others): (Vec<usize>, Vec<usize>) = missing.into_iter().partition(is_changed);
        let others: BTreeSet<usize> = others.into_iter().collect();
        if let Some(saved) = &self.saved {
            now.extend(representatives(saved, changed, &now, &others));
        }
        // What is open comes next, but not so much that nothing is shown for long.
        let open = others.iter().filter(|number| is_first(number) && !now.contains(number)).copied();
        let open: Vec<usize> = open.take((2 * threads).saturating_sub(now.len())).collect();
        now.extend(open);
        Plan { later: others.into_iter().filter(|number| !now.contains(number)).collect(), now }
    }

    /// Parses units of a state. If that takes long, it ends when the state is outdated: a parser is killed then, and the
    /// next one has to load libclang first.
    fn parse(
        &self,
        numbers: &[usize],
        read: &mut StateRead,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        let (session, cancellation) = (&self.session, self.session.indexer.cancellation());
        let details = &mut read.details;
        let (done, is_done) = channel();
        let begun = Instant::now();
        let parsed = std::thread::scope(|scope| {
            let parser = scope.spawn(move || {
                let parsed = session.parse_until_cancelled(numbers, false, details, progress);
                // Nobody waits for it any more if it was cancelled.
                let _ = done.send(());
                parsed
            });
            while is_done.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if begun.elapsed() > LONG && observer.is_outdated() {
                    cancellation.cancel();
                    break;
                }
            }
            let parsed = parser.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            cancellation.reset();
            parsed
        });
        for (number, parsed) in numbers.iter().zip(parsed?) {
            read.units[*number] = parsed;
        }
        Ok(())
    }

    /// Shows what follows from the units that were read, and reads the others meanwhile.
    fn read_later(
        &self,
        later: &[usize],
        read: &mut StateRead,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        let program = self.provisional(read);
        let (session, cancellation) = (&self.session, self.session.indexer.cancellation());
        let view = View::of(session, &state.texts, false);
        let (problems, before) = (self.problems(read), read.details.clone());
        let details = &mut read.details;
        let parsed = std::thread::scope(|scope| {
            let parser = scope.spawn(|| {
                let parsed = match is_quiet(observer) {
                    true => session.parse_until_cancelled(later, false, details, progress),
                    false => Ok(Vec::new()),
                };
                observer.rest_is_read();
                parsed
            });
            let shown = match &program {
                Some(program) => {
                    let (programs, comments) = view.prepare(program, session.checkout());
                    let analysis = view.analyse(program, &programs, &comments, problems, before);
                    analysis.map(|analysis| observer.observe(&analysis))
                }
                None => Ok(()),
            };
            while program.is_none() && !parser.is_finished() && !observer.is_outdated() {
                sleep(INTERVAL);
            }
            if !parser.is_finished() {
                cancellation.cancel();
            }
            let parsed = parser.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            cancellation.reset();
            shown.and(parsed)
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

    /// The problems of a state. Units that were not read yet have those of the last one.
    pub(super) fn problems(&self, read: &StateRead) -> Vec<Problem> {
        let of_unit = |(number, unit): (usize, &Option<UnitResult>)| match unit {
            Some(unit) => unit.facts.as_ref().err().cloned(),
            None => self.problems.get(number)?.clone(),
        };
        let problems: Vec<Problem> = read.units.iter().enumerate().filter_map(of_unit).collect();
        self.session.problems(problems.iter())
    }
}

/// Adds the units that were parsed to the unit cache, and frees what only their state needed. The result has those that
/// the cache does not take, such as units that cannot be read: as long as nothing changes, they need not be read again.
pub(super) fn record(session: &mut Session<'_>, read: StateRead) -> BTreeMap<usize, UnitResult> {
    let StateRead { units, mut details } = read;
    let units = units.into_iter().enumerate().filter_map(|(number, unit)| Some((number, unit?)));
    let (parsed, failed): (Vec<_>, Vec<_>) = units
        .filter(|(_, unit)| !matches!(unit.origin, Origin::Cache(_)))
        .partition(|(_, unit)| matches!(unit.origin, Origin::Parser(Some(_))));
    let (numbers, results): (Vec<usize>, Vec<UnitResult>) = parsed.into_iter().unzip();
    let recorded = session.record(&numbers, &results.iter().collect::<Vec<_>>());
    session.flush(&mut details);
    // The next report says so.
    session.details.cache_failure = details.cache_failure;
    session.forget_facts();
    let refused = numbers.into_iter().zip(results).zip(recorded).filter(|(_, recorded)| recorded.is_none());
    failed.into_iter().chain(refused.map(|(unit, _)| unit)).collect()
}

/// Waits for a moment. Whether the state is still wanted then.
fn is_quiet(observer: &dyn Observer) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PAUSE && !observer.is_outdated() {
        sleep(INTERVAL);
    }
    !observer.is_outdated()
}
