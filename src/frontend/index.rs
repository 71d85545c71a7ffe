//! Scheduling: reads all translation units in parallel, with or without PCH sharing, and hands on
//! the results in their order.
//!
//! It must never know what facts mean, and it never prints.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::SystemTime;

use rayon::iter::{ParallelBridge, ParallelIterator};

use crate::clang::{Library, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::Vocabulary;
use crate::parse::Parser;
use crate::pch::{Pch, Sharing};
use crate::sources::Sources;
use crate::unit_reader::{TreePaths, UnitOutcome, UnitReader};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Overlay, Tree};
use cowrap_facts::SharedFileFacts;

/// How the names of the threads begin that read units.
pub const WORKER: &str = "cowrap-worker";

/// The stack of a worker. Syntax trees can be deep, and both libclang and the control flow analysis
/// recurse.
const STACK_BYTES: usize = 256 << 20;

/// Reads the units of a tree on a pool of workers.
#[derive(Debug)]
pub struct Indexer {
    reader: UnitReader,
    workers: rayon::ThreadPool,
}

impl Indexer {
    /// Prepares for a tree. `texts` replace files on disk, such as headers with visible marks.
    /// `jobs` is the number of workers; 0 means one for each processor.
    pub fn new(
        library: Library,
        vocabulary: Vocabulary,
        texts: Vec<UnsavedFile>,
        tree: Tree,
        jobs: usize,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let workers = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .stack_size(STACK_BYTES)
            .thread_name(|number| format!("{WORKER}-{number}"))
            .build()?;
        let paths = TreePaths::new(tree, &texts);
        Ok(Indexer { reader: UnitReader { parser: Parser::new(library, texts), vocabulary, paths }, workers })
    }

    /// Replaces the texts that stand for files on disk, some of which may not exist there.
    ///
    /// # Errors
    ///
    /// A temporary file cannot be written.
    pub fn set_texts(&mut self, texts: Vec<UnsavedFile>) -> io::Result<()> {
        self.reader.paths.set_texts(&texts);
        self.reader.parser.set_texts(texts)
    }

    /// Reads all units in parallel, and hands each result to `sink` in the order of `units`.
    ///
    /// Memory holds only what is being read or waits for an earlier unit, and equal facts of a file
    /// once.
    pub fn run(&self, units: &[Unit], sharing: Option<&Sharing<'_>>, mut sink: impl FnMut(usize, UnitOutcome)) {
        let (sender, outcomes) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let sender = sender;
                self.workers.install(|| match sharing {
                    Some(sharing) => SharedRun { reader: &self.reader, units, sharing }.start(&sender),
                    // A bridge hands out the units in their order. Splitting the range would begin
                    // in its middle, and half of all facts would wait in memory for their turn.
                    None => units.iter().enumerate().par_bridge().for_each_with(sender, |sender, (number, unit)| {
                        // The receiver is gone only when the run is being abandoned.
                        let _ = sender.send((number, self.reader.read(unit)));
                    }),
                });
            });
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
                while let Some(outcome) = waiting.remove(&next) {
                    sink(next, outcome);
                    next += 1;
                }
            }
        });
    }

    /// The texts of the tree as they are now, or in another state of it.
    /// `started` is when nothing of it had been read yet.
    pub fn sources(&self, overlay: &Overlay, started: SystemTime) -> Arc<Sources> {
        let texts = overlay.texts().map(|(path, text)| (path.to_path_buf(), Arc::clone(text))).collect();
        Arc::new(Sources::new(self.reader.parser.resource_directory(), texts, started))
    }

    /// Plans which header work these units share; `None` when no directory for precompiled headers
    /// can be made. With `verify`, every unit that shares is also parsed plainly, the plain result
    /// counts, and the two are compared.
    pub fn share<'a>(&self, units: &[Unit], sources: &Arc<Sources>, verify: bool) -> Option<Sharing<'a>> {
        let TreePaths { tree, identities, .. } = &self.reader.paths;
        self.workers.install(|| Sharing::new(units, tree, identities, sources, verify)).ok()
    }

    /// Stores precompiled headers in a cache, for later runs. `base` is the digest of all that
    /// facts depend on except files and arguments.
    pub fn keep<'a>(&self, sharing: Sharing<'a>, cache: &'a Cache, base: Digest) -> Sharing<'a> {
        let Tree { root, build } = &self.reader.paths.tree;
        let parser = &self.reader.parser;
        let places = [root, build.as_deref().unwrap_or(root), parser.resource_directory()];
        sharing.with_store(cache, base, &places, parser.texts())
    }

    /// Runs something on the workers.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.workers.install(work)
    }
}

/// A run in which units share precompiled headers: each precompiled header is made before
/// everything that stands on it.
#[derive(Clone, Copy)]
struct SharedRun<'a> {
    reader: &'a UnitReader,
    units: &'a [Unit],
    sharing: &'a Sharing<'a>,
}

impl<'a> SharedRun<'a> {
    /// Reads all units.
    fn start(self, sender: &Sender<(usize, UnitOutcome)>) {
        rayon::scope(|scope| {
            for (number, node) in self.sharing.nodes().iter().enumerate() {
                if node.below.is_none() {
                    let sender = sender.clone();
                    scope.spawn(move |scope| self.node(number, None, sender, scope));
                }
            }
            for unit in (0..self.units.len()).filter(|unit| !self.sharing.has_node(*unit)) {
                let sender = sender.clone();
                scope.spawn(move |_| self.unit(unit, None, &sender));
            }
        });
    }

    /// Makes a precompiled header, and then everything that stands on it.
    fn node(
        self,
        number: usize,
        below: Option<Arc<Pch>>,
        sender: Sender<(usize, UnitOutcome)>,
        scope: &rayon::Scope<'a>,
    ) {
        // What should stand on a header that cannot be made stands on the one below it.
        let pch = self.sharing.precompile(self.reader, self.units, number, below.as_ref()).map(Arc::new).or(below);
        let node = &self.sharing.nodes()[number];
        for &unit in &node.units {
            let (pch, sender) = (pch.clone(), sender.clone());
            scope.spawn(move |_| self.unit(unit, pch.as_deref(), &sender));
        }
        for &above in &node.above {
            let (pch, sender) = (pch.clone(), sender.clone());
            scope.spawn(move |scope| self.node(above, pch, sender, scope));
        }
    }

    fn unit(self, unit: usize, pch: Option<&Pch>, sender: &Sender<(usize, UnitOutcome)>) {
        // The receiver is gone only when the run is being abandoned.
        let _ = sender.send((unit, self.sharing.read(self.reader, self.units, unit, pch)));
    }
}
