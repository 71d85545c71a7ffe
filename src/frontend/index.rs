//! Scheduling: reads all translation units in parallel, with or without PCH sharing, and hands on
//! the results in their order.
//!
//! It must never know what facts mean, and it never prints.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::SystemTime;

use rayon::iter::{ParallelBridge, ParallelIterator};

use crate::clang::UnsavedFile;
use crate::compdb::Unit;
use crate::compiler_input::CompilerInput;
use crate::extract::Vocabulary;
use crate::failure::Failure;
use crate::pch::{Pch, Sharing};
use crate::preamble::Preambles;
use crate::sources::Sources;
use crate::tree_paths::TreePaths;
use crate::unit_reader::{UnitOutcome, UnitReader};
use crate::worker::{Cancellation, StartError, Workers};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Overlay, Tree};
use cowrap_base::limits::{Limit, Limits};
use cowrap_facts::SharedFileFacts;

/// How the names of the threads begin that have units read.
pub const WORKER: &str = "cowrap-worker";

/// The stack of a thread. While it waits for a part of its work, it may take up other work on top of
/// that.
const STACK_BYTES: usize = 256 << 20;

/// Reads the units of a tree: each thread of a pool has a worker read one.
#[derive(Debug)]
pub struct Indexer {
    reader: UnitReader,
    threads: rayon::ThreadPool,
}

impl Indexer {
    /// Prepares for a tree. `texts` replace files on disk, such as headers with visible marks.
    /// `jobs` is the number of units that are read at the same time; 0 means one for each processor.
    pub fn new(
        mut workers: Workers,
        vocabulary: Vocabulary,
        texts: Vec<UnsavedFile>,
        tree: Tree,
        jobs: usize,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .stack_size(STACK_BYTES)
            .thread_name(|number| format!("{WORKER}-{number}"))
            .build()?;
        workers.set_common(&vocabulary, &tree, &texts);
        let paths = TreePaths::new(tree, &texts, workers.limits().source_bytes);
        let input = CompilerInput::new(workers.library().resource_directory().to_path_buf(), texts);
        Ok(Indexer { reader: UnitReader { workers, input, vocabulary, paths }, threads })
    }

    /// Replaces the texts that stand for files on disk, some of which may not exist there.
    ///
    /// # Errors
    ///
    /// A temporary file cannot be written.
    pub fn set_texts(&mut self, texts: Vec<UnsavedFile>) -> io::Result<()> {
        let UnitReader { workers, input, vocabulary, paths } = &mut self.reader;
        workers.set_common(vocabulary, &paths.tree, &texts);
        // What was a file may be a link by now.
        *paths = TreePaths::new(paths.tree.clone(), &texts, workers.limits().source_bytes);
        input.set_texts(texts)
    }

    /// Reads all units in parallel, and hands each result to `sink` in the order of `units`.
    /// `sources` are the texts of the tree as it is now. With `preambles`, units are read on top of them,
    /// and a few more are made; they are for units that somebody edited, and not for sharing.
    ///
    /// Memory holds only what is being read or waits for an earlier unit, and equal facts of a file
    /// once.
    pub fn run(
        &self,
        units: &[Unit],
        sources: &Sources,
        sharing: Option<&Sharing<'_>>,
        preambles: Option<&Preambles<'_>>,
        mut sink: impl FnMut(usize, UnitOutcome),
    ) {
        let workers = &self.reader.workers;
        let is_full = AtomicBool::new(false);
        let (sender, outcomes) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let run = Run { reader: &self.reader, units, sources, sharing, preambles, is_full: &is_full };
                self.threads.install(|| run.start(sender));
            });
            let mut budget = FactsBudget::new(workers.limits());
            let mut known: HashMap<Digest, SharedFileFacts> = HashMap::new();
            let mut waiting = BTreeMap::new();
            let mut next = 0;
            for (number, mut outcome) in outcomes {
                if let UnitOutcome::Read(facts) = &mut outcome {
                    for file_facts in &mut facts.file_facts {
                        *file_facts = known.entry(file_facts.digest()).or_insert_with(|| file_facts.clone()).clone();
                    }
                }
                waiting.insert(number, outcome);
                while let Some(mut outcome) = waiting.remove(&next) {
                    if let UnitOutcome::Read(facts) = &outcome
                        && let Err(failure) = budget.admit(&facts.file_facts)
                    {
                        is_full.store(true, Ordering::Relaxed);
                        outcome = UnitOutcome::Failed(failure);
                    }
                    sink(next, outcome);
                    next += 1;
                }
            }
        });
        workers.end_run();
    }

    /// Starts a worker if there is none. Whether workers use the libclang that they were thought to use; see
    /// [`Workers::confirm`].
    ///
    /// # Errors
    ///
    /// No worker can be started.
    pub fn confirm_library(&self) -> Result<bool, StartError> {
        self.reader.workers.confirm()
    }

    /// Whether libclang has been replaced while units were read.
    pub fn is_library_replaced(&self) -> bool {
        self.reader.workers.is_replaced()
    }

    /// Cancels the reading of units.
    pub fn cancellation(&self) -> &Cancellation {
        self.reader.workers.cancellation()
    }

    /// Gives workers all the time again to wait for something: what was stuck may not be stuck any more.
    pub fn forget_waits(&self) {
        self.reader.workers.forget_waits();
    }

    /// The most memory that a worker has used so far, in bytes; 0 where that is not known.
    pub fn peak(&self) -> u64 {
        self.reader.workers.peak()
    }

    /// The texts of the tree as they are now, or in another state of it.
    /// `started` is when nothing of it had been read yet.
    pub fn sources(&self, overlay: &Overlay, started: SystemTime) -> Arc<Sources> {
        let texts = overlay.texts().map(|(path, text)| (path.to_path_buf(), Arc::clone(text))).collect();
        let sources = Sources::new(self.reader.input.resource_directory(), texts, started);
        Arc::new(sources.with_limit(self.reader.workers.limits().source_bytes))
    }

    /// Plans which header work these units share. With `verify`, every unit that shares is also parsed
    /// plainly, the plain result counts, and the two are compared.
    ///
    /// # Errors
    ///
    /// No directory for precompiled headers can be made.
    pub fn share<'a>(&self, units: &[Unit], sources: &Arc<Sources>, verify: bool) -> std::io::Result<Sharing<'a>> {
        let TreePaths { tree, identities, .. } = &self.reader.paths;
        self.threads.install(|| Sharing::new(units, tree, identities, sources, verify))
    }

    /// Stores precompiled headers in a cache, for later runs. `base` is the digest of all that
    /// facts depend on except files and arguments.
    pub fn keep<'a>(&self, sharing: Sharing<'a>, cache: &'a Cache, base: Digest) -> Sharing<'a> {
        let Tree { root, build } = &self.reader.paths.tree;
        let input = &self.reader.input;
        let places = [root, build.as_deref().unwrap_or(root), input.resource_directory()];
        sharing.with_store(cache, base, &places, input.texts())
    }

    /// How many units are read at the same time.
    pub fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// Runs something on the threads.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.threads.install(work)
    }
}

/// Which facts of a run fit into its limit.
#[derive(Debug)]
pub struct FactsBudget {
    limits: Limits,
    known: HashSet<Digest>,
    bytes: u64,
}

impl FactsBudget {
    /// A budget for a run.
    pub fn new(limits: &Limits) -> FactsBudget {
        FactsBudget { limits: *limits, known: HashSet::new(), bytes: 0 }
    }

    /// Adds the facts of the next unit. Once they exceed the limit, no unit's do any more, so that it
    /// does not depend on chance which ones fit.
    ///
    /// # Errors
    ///
    /// They exceed the limit.
    pub fn admit(&mut self, facts: &[SharedFileFacts]) -> Result<(), Failure> {
        let new = facts.iter().filter(|facts| self.known.insert(facts.digest()));
        self.bytes += new.map(|facts| u64::from(facts.encoded_length())).sum::<u64>();
        if self.bytes > self.limits.facts_bytes { Err(Failure::exceeded(Limit::Facts, &self.limits)) } else { Ok(()) }
    }
}

/// A run over units. When they share precompiled headers, each precompiled header is made before
/// everything that stands on it.
#[derive(Clone, Copy)]
struct Run<'a> {
    reader: &'a UnitReader,
    units: &'a [Unit],
    sources: &'a Sources,
    sharing: Option<&'a Sharing<'a>>,
    preambles: Option<&'a Preambles<'a>>,
    /// Whether the facts that were read exceed their limit.
    is_full: &'a AtomicBool,
}

impl<'a> Run<'a> {
    /// Reads all units.
    fn start(self, sender: Sender<(usize, UnitOutcome)>) {
        let Some(sharing) = self.sharing else {
            // A bridge hands out the units in their order. Splitting the range would begin in its
            // middle, and half of all facts would wait in memory for their turn.
            let units = (0..self.units.len()).par_bridge();
            return units.for_each_with(sender, |sender, unit| self.unit(unit, None, sender));
        };
        rayon::scope(|scope| {
            for (number, node) in sharing.nodes().iter().enumerate() {
                if node.below.is_none() {
                    let sender = sender.clone();
                    scope.spawn(move |scope| self.node(sharing, number, None, sender, scope));
                }
            }
            for unit in (0..self.units.len()).filter(|unit| !sharing.has_node(*unit)) {
                let sender = sender.clone();
                scope.spawn(move |_| self.unit(unit, None, &sender));
            }
        });
    }

    /// Makes a precompiled header, and then everything that stands on it.
    fn node(
        self,
        sharing: &'a Sharing<'a>,
        number: usize,
        below: Option<Arc<Pch>>,
        sender: Sender<(usize, UnitOutcome)>,
        scope: &rayon::Scope<'a>,
    ) {
        let node = &sharing.nodes()[number];
        let made = match self.refused(node.unit) {
            None if self.reader.workers.cancellation().is_cancelled() => None,
            None => sharing.precompile(self.reader, self.units, number, below.as_ref()).map(Arc::new),
            Some(_) => None,
        };
        // What should stand on a header that cannot be made stands on the one below it.
        let pch = made.or(below);
        for &unit in &node.units {
            let (pch, sender) = (pch.clone(), sender.clone());
            scope.spawn(move |_| self.unit(unit, pch.as_deref(), &sender));
        }
        for &above in &node.above {
            let (pch, sender) = (pch.clone(), sender.clone());
            scope.spawn(move |scope| self.node(sharing, above, pch, sender, scope));
        }
    }

    /// Reads a unit.
    fn unit(self, number: usize, pch: Option<&Pch>, sender: &Sender<(usize, UnitOutcome)>) {
        let unit = &self.units[number];
        if let (Some(preambles), None) = (self.preambles, self.sharing) {
            // Other processors have nothing to do then.
            let may_make = self.units.len() < rayon::current_num_threads();
            // The receiver is gone only when the run is being abandoned.
            let send = |outcome| drop(sender.send((number, outcome)));
            return preambles.read(self.reader, self.sources, unit, may_make, || self.outcome(number, None), send);
        }
        // As above.
        let _ = sender.send((number, self.outcome(number, pch)));
    }

    /// The result of reading a unit.
    fn outcome(self, number: usize, pch: Option<&Pch>) -> UnitOutcome {
        let unit = &self.units[number];
        if self.reader.workers.cancellation().is_cancelled() {
            UnitOutcome::Failed(Failure::Cancelled)
        } else if self.is_full.load(Ordering::Relaxed) {
            UnitOutcome::Failed(Failure::exceeded(Limit::Facts, self.reader.workers.limits()))
        } else if let Some(failure) = self.refused(number) {
            UnitOutcome::Failed(failure)
        } else {
            match self.sharing {
                Some(sharing) => sharing.read(self.reader, self.units, number, pch),
                None => self.reader.read(unit),
            }
        }
    }

    /// Why a unit must not be read, as far as the texts say.
    fn refused(self, number: usize) -> Option<Failure> {
        // The plan has looked at all files of the units that have a place in it.
        let is_known = self.sharing.is_some_and(|sharing| sharing.has_node(number));
        if is_known && !self.sources.has_refusals() {
            return None;
        }
        self.sources.refused(&self.units[number]).map(|(file, why)| Failure::Refused { file, why })
    }
}

#[cfg(test)]
mod tests {
    use cowrap_facts::FileFacts;

    use super::*;

    #[test]
    fn behind_a_unit_with_too_many_facts_no_unit_has_any() {
        let facts = |name: &str| SharedFileFacts::new(FileFacts { files: vec![name.into()], ..FileFacts::default() });
        let length = u64::from(facts("a.h").encoded_length());
        let mut budget = FactsBudget::new(&Limits { facts_bytes: 2 * length, ..Limits::default() });
        assert_eq!(budget.admit(&[facts("a.h"), facts("b.h")]), Ok(()));
        assert_eq!(budget.admit(&[facts("a.h"), facts("b.h")]), Ok(()), "the same facts count once");
        let exceeded = Err(Failure::Exceeded { limit: Limit::Facts, most: 0 });
        assert_eq!(budget.admit(&[facts("c.h")]), exceeded);
        assert_eq!(budget.admit(&[facts("a.h")]), exceeded);
    }
}
