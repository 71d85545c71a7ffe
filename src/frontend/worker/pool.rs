//! The workers of a run: each thread that reads a unit takes one, and a worker that died is
//! replaced.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, OsString};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cowrap_base::files::{Digest, Tree};
use cowrap_base::limits::Limits;
use cowrap_facts::{SharedFileFacts, UnitFacts};
use thiserror::Error;

use super::process::{Budget, Worker};
use super::protocol::{Answer, Bytes, CommonInput, LibraryInfo, Parse, Parsed, Request, SharingOutput, frame};
use crate::clang::{LoadError, Purpose, UnsavedFile};
use crate::extract::Vocabulary;
use crate::failure::Failure;
use crate::scan::SkippedLines;

/// How often a unit is read again because somebody killed the worker. The system does so when memory
/// is short, so that one that needs much is not tried for ever.
const MOST_TRIES: u32 = 3;

/// Where libclang runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In processes of its own.
    Processes {
        /// This program.
        program: PathBuf,
    },
    /// In threads of this process, for tests and for debugging: there are no limits, and a crash ends
    /// the process. Everything else is the same.
    InProcess,
}

/// Why no worker could be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// libclang cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The process cannot be started.
    #[error("cannot start a worker process: {0}")]
    Start(#[from] io::Error),
    /// The process ended.
    #[error("cannot load libclang: {0}")]
    Ended(Failure),
}

/// The workers of a run.
#[derive(Debug)]
pub struct Workers {
    isolation: Isolation,
    limits: Limits,
    library: LibraryInfo,
    idle: Mutex<Vec<Worker>>,
    /// The frame with what all units have in common, and its number.
    common: (u64, Vec<u8>),
    /// The number of the run; each begins without facts and summaries.
    run: AtomicU64,
    next_summary: AtomicU64,
    /// The facts that workers sent in this run.
    facts: Mutex<HashMap<Digest, SharedFileFacts>>,
    /// The most memory that a worker used which has ended.
    peak: AtomicU64,
    /// Whether a worker has waited in vain.
    has_waited: AtomicBool,
    /// Whether a worker came with another libclang than the first one.
    is_replaced: AtomicBool,
    cancellation: Cancellation,
}

/// Cancels what workers read, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// From now on, no unit is read, and those that are being read are given up.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// From now on, units are read again.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether no unit is read.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Workers of which the first loads libclang.
#[derive(Debug)]
pub struct StartingWorkers {
    isolation: Isolation,
    limits: Limits,
    first: Worker,
}

/// The requests about one unit.
#[derive(Debug)]
pub struct Conversation<'w> {
    workers: &'w Workers,
    worker: &'w mut Worker,
    budget: Budget,
}

impl StartingWorkers {
    /// Waits until the first worker has loaded libclang.
    ///
    /// # Errors
    ///
    /// There is no usable libclang, or the worker has ended.
    pub fn ready(mut self) -> Result<Workers, StartError> {
        let mut times = 1;
        let library = loop {
            match self.first.library(&self.limits) {
                Err(Failure::Killed { .. }) if times < MOST_TRIES => {
                    self.first = Worker::start(&self.isolation)?;
                    times += 1;
                }
                library => break library.map_err(StartError::Ended)??,
            }
        };
        let workers = Workers::with_library(&self.isolation, &self.limits, library);
        lock(&workers.idle).push(self.first);
        Ok(workers)
    }
}

impl Workers {
    /// Starts the first worker.
    ///
    /// # Errors
    ///
    /// The system reports one.
    pub fn start(isolation: &Isolation, limits: &Limits) -> Result<StartingWorkers, StartError> {
        let first = Worker::start(isolation)?;
        Ok(StartingWorkers { isolation: isolation.clone(), limits: *limits, first })
    }

    /// Workers that are started when they are needed, with the libclang that an earlier run used. It may have been
    /// replaced; see [`Workers::confirm`].
    pub fn with_library(isolation: &Isolation, limits: &Limits, library: LibraryInfo) -> Workers {
        Workers {
            isolation: isolation.clone(),
            limits: *limits,
            library,
            idle: Mutex::default(),
            common: (0, Vec::new()),
            run: AtomicU64::new(0),
            next_summary: AtomicU64::new(0),
            facts: Mutex::default(),
            peak: AtomicU64::new(0),
            has_waited: AtomicBool::new(false),
            is_replaced: AtomicBool::new(false),
            cancellation: Cancellation::default(),
        }
    }

    /// Whether libclang has been replaced since the first worker loaded it.
    pub fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Relaxed)
    }

    /// Cancels what these workers read.
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Starts the first worker if there is none. Whether it uses [`Workers::library`].
    ///
    /// # Errors
    ///
    /// There is no usable libclang, or the worker cannot be started or has ended.
    pub fn confirm(&self) -> Result<bool, StartError> {
        if !lock(&self.idle).is_empty() {
            return Ok(true);
        }
        let Workers { library, mut idle, .. } = Workers::start(&self.isolation, &self.limits)?.ready()?;
        let is_same = library == self.library;
        if is_same {
            lock(&self.idle).append(idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(is_same)
    }

    /// The libclang that workers use.
    pub fn library(&self) -> &LibraryInfo {
        &self.library
    }

    /// The limits on what reading a unit may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sets what all units have in common from now on: the words that extraction looks for, the
    /// tree, and the texts that replace files on disk.
    pub(crate) fn set_common(&mut self, vocabulary: &Vocabulary, tree: &Tree, texts: &[UnsavedFile]) {
        let common = CommonInput::new(vocabulary.clone(), tree, texts.to_vec(), self.limits);
        // Without a frame, workers have nothing to begin with, and each unit fails.
        self.common = (self.common.0 + 1, frame(&Request::SetUp(Box::new(common))).unwrap_or_default());
    }

    /// Ends a run: what workers sent is forgotten, and all but one of them end, since they take
    /// memory.
    pub(crate) fn end_run(&self) {
        self.run.fetch_add(1, Ordering::Relaxed);
        lock(&self.facts).clear();
        let mut idle = lock(&self.idle);
        let kept = idle.len().min(1);
        let ended = idle.split_off(kept);
        drop(idle);
        let peak = ended.iter().map(Worker::peak).max().unwrap_or(0);
        self.peak.fetch_max(peak, Ordering::Relaxed);
    }

    /// Forgets that a worker has waited in vain.
    pub fn forget_waits(&self) {
        self.has_waited.store(false, Ordering::Relaxed);
    }

    /// A number for a summary.
    pub(crate) fn number_summary(&self) -> u64 {
        self.next_summary.fetch_add(1, Ordering::Relaxed)
    }

    /// The most memory that a worker has used so far, in bytes; 0 where that is not known.
    pub fn peak(&self) -> u64 {
        let idle = lock(&self.idle).iter().map(Worker::peak).max().unwrap_or(0);
        self.peak.load(Ordering::Relaxed).max(idle)
    }

    /// Reads something about one unit with a worker. If somebody kills the worker, another one does
    /// it all again. So it does, once, if the worker waited: a file system may have been stuck for a
    /// while, and only what waits twice shortens the time that others may wait.
    ///
    /// # Errors
    ///
    /// Those of `read`, or no worker can be started.
    pub(crate) fn with<T>(
        &self,
        mut read: impl FnMut(&mut Conversation<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut has_waited_here = false;
        for times in 1.. {
            if self.cancellation.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            let result = self.take().and_then(|mut worker| {
                let budget = Budget::new(&worker, &self.limits, self.has_waited.load(Ordering::Relaxed));
                let budget = budget.until(&self.cancellation);
                let result = read(&mut Conversation { workers: self, worker: &mut worker, budget });
                self.put_back(worker);
                result
            });
            match result {
                Err(Failure::Waited) if !has_waited_here && !self.has_waited.load(Ordering::Relaxed) => {
                    has_waited_here = true;
                }
                Err(Failure::Waited) => {
                    self.has_waited.store(true, Ordering::Relaxed);
                    return Err(Failure::Waited);
                }
                Err(Failure::Killed { .. }) if times < MOST_TRIES => {}
                Err(Failure::Killed { .. }) => return Err(Failure::Killed { times }),
                result => return result,
            }
        }
        Err(Failure::Killed { times: MOST_TRIES })
    }

    /// A worker that knows what all units have in common.
    fn take(&self) -> Result<Worker, Failure> {
        let idle = lock(&self.idle).pop();
        let mut worker = match idle {
            Some(worker) => worker,
            None => {
                let no_worker = |error: &dyn std::fmt::Display| Failure::NoWorker(error.to_string());
                let mut worker = Worker::start(&self.isolation).map_err(|error| no_worker(&error))?;
                let library = worker.library(&self.limits)?.map_err(|error| no_worker(&error))?;
                if library != self.library {
                    self.is_replaced.store(true, Ordering::Relaxed);
                    return Err(no_worker(&"libclang has been replaced"));
                }
                worker
            }
        };
        let run = self.run.load(Ordering::Relaxed);
        if worker.run != run {
            worker.send(&frame(&Request::Begin).unwrap_or_default())?;
            worker.summaries.clear();
            worker.run = run;
        }
        let (number, frame) = &self.common;
        if worker.common != *number {
            worker.send(frame)?;
            worker.common = *number;
        }
        Ok(worker)
    }

    /// Puts back a worker that is of further use.
    fn put_back(&self, mut worker: Worker) {
        let is_left = !worker.is_dead() && worker.send(&frame(&Request::Release).unwrap_or_default()).is_ok();
        // What a unit leaves behind in memory must not count for the next ones.
        let is_large = worker.leftover() > self.limits.unit_memory / 2;
        match is_left && !is_large {
            true => lock(&self.idle).push(worker),
            false => drop(self.peak.fetch_max(worker.peak(), Ordering::Relaxed)),
        }
    }

    /// The facts that a worker sent, or sent before.
    fn decode(&self, digest: Digest, bytes: Option<Bytes>) -> Option<SharedFileFacts> {
        if let Some(known) = lock(&self.facts).get(&digest) {
            return Some(known.clone());
        }
        let facts = SharedFileFacts::from_bytes(digest, &bytes?.0)?;
        Some(lock(&self.facts).entry(digest).or_insert(facts).clone())
    }
}

impl Conversation<'_> {
    /// Sends the worker the summary of a precompiled header, if it does not have it.
    pub fn send_summary(
        &mut self,
        id: u64,
        below: Option<u64>,
        summary: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Failure> {
        if !self.worker.summaries.insert(id) {
            return Ok(());
        }
        let request = Request::Summary { id, below, summary: summary() };
        self.worker.send(&frame(&request).ok_or(Failure::Damaged)?)
    }

    /// Parses a unit and extracts its facts.
    pub fn parse(&mut self, parse: Parse) -> Result<(UnitFacts, Option<SharingOutput>), Failure> {
        let keep = parse.sharing.and_then(|sharing| sharing.keep);
        let Answer::Parsed(parsed) = self.worker.ask(&Request::Parse(Box::new(parse)), &mut self.budget)? else {
            return Err(self.worker.give_up(Failure::Damaged));
        };
        self.worker.summaries.extend(keep);
        let Parsed { files, file_facts, parse_status, sharing } = *parsed;
        let facts = file_facts.into_iter().map(|(digest, bytes)| self.workers.decode(digest, bytes));
        match facts.collect() {
            Some(file_facts) => Ok((UnitFacts { files, file_facts, parse_status }, sharing)),
            None => Err(self.worker.give_up(Failure::Damaged)),
        }
    }

    /// Which of some names files of the unit refer to; see [`Request::ReferredNames`].
    pub fn referred_names(&mut self, wanted: Vec<(OsString, Vec<String>)>) -> Result<Vec<(u32, String)>, Failure> {
        match self.worker.ask(&Request::ReferredNames(wanted), &mut self.budget)? {
            Answer::ReferredNames(found) => Ok(found),
            _ => Err(self.worker.give_up(Failure::Damaged)),
        }
    }

    /// The lines that the compiler skipped in the unit; see [`Answer::Skipped`].
    pub fn skipped(&mut self) -> Result<BTreeMap<PathBuf, Vec<SkippedLines>>, Failure> {
        self.ask_skipped(&Request::Skipped)
    }

    /// Parses a unit, and finds the lines that the compiler skips.
    pub fn find_skipped(&mut self, parse: Parse) -> Result<BTreeMap<PathBuf, Vec<SkippedLines>>, Failure> {
        self.ask_skipped(&Request::Parse(Box::new(Parse { purpose: Purpose::Preprocess, ..parse })))
    }

    fn ask_skipped(&mut self, request: &Request) -> Result<BTreeMap<PathBuf, Vec<SkippedLines>>, Failure> {
        match self.worker.ask(request, &mut self.budget)? {
            Answer::Skipped(found) => Ok(found.into_iter().map(|(path, lines)| (path.into(), lines)).collect()),
            _ => Err(self.worker.give_up(Failure::Damaged)),
        }
    }

    /// Saves the unit as a precompiled header; whether that succeeded.
    pub fn save(&mut self, path: &CStr) -> Result<bool, Failure> {
        match self.worker.ask(&Request::Save(path.to_owned()), &mut self.budget)? {
            Answer::Saved(saved) => Ok(saved),
            _ => Err(self.worker.give_up(Failure::Damaged)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
