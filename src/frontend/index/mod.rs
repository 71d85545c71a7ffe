//! Scheduling: every translation unit is parsed, with the headers that make marks visible, and read, in parallel,
//! and handed on in its order.
//!
//! It must never know what facts mean, and it never prints.

mod unit_cache;
mod marks;

pub(crate) mod sources;

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};

use rayon::iter::{ParallelBridge, ParallelIterator};
use serde_json::json;
use tempfile::TempDir;
use thiserror::Error;

use crate::clang::{Index, Library, ParseError, Purpose, Severity, TranslationUnit, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::{Paths, Vocabulary, extract};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Identities, Overlay, Tree};
use cowrap_facts::{SharedFileFacts, UnitFacts};

pub use crate::pch::{Sharing, SharingStats};
pub use marks::{MarkDefinition, MarkHeaders, VisibleMarks, definitions, make_visible};
pub use sources::{Sources, is_old, normalized_digest};
pub use unit_cache::{CachedUnit, SavedUnits, UnitCache, UnitInputs};

/// What the names of the threads that read units begin with.
pub const WORKER: &str = "cowrap-worker";

/// The stack of a worker: syntax trees can be deep, and both libclang and the control flow recurse.
const STACK_BYTES: usize = 256 << 20;

/// Arguments that every unit is parsed with, beside its own.
///
/// Warnings are not wanted, and what newer compilers made errors by default is still a warning to the gcc or
/// clang that the tree is built with (clang's `DiagnosticSemaKinds.td`, `DefaultError`).
const OWN_ARGUMENTS: &[&str] = &[
    "-w",
    "-Wno-error",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=incompatible-function-pointer-types",
    "-Wno-error=incompatible-pointer-types",
    "-Wno-error=int-conversion",
    "-Wno-error=return-mismatch",
    "-Wno-error=return-type",
    "-Wno-unknown-warning-option",
    "-Wno-unused-command-line-argument",
    "--no-default-config",
];

/// The name of the overlay file.
const OVERLAY: &str = "overlay.json";

/// How often one unit is tried again without an argument that its libclang turned out not to know.
const MOST_RETRIES: usize = 16;

/// What became of a unit.
#[derive(Debug)]
pub enum UnitOutcome {
    /// It was read. Whether it parsed cleanly is part of its facts.
    Read(Box<UnitFacts>),
    /// Nothing can be said about it.
    Failed(Failure),
}

/// Why nothing came out of a unit.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// libclang made no translation unit.
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// A path or an argument holds a NUL byte, which no argument can.
    #[error("a path or an argument holds a NUL byte")]
    Nul,
    /// cowrap itself panicked.
    #[error("cowrap panicked while it read this file (please report this): {0}")]
    Panic(String),
}

/// Everything that reading units needs, the same for all of them.
#[derive(Debug)]
pub struct Indexer {
    library: Library,
    pub(crate) vocabulary: Vocabulary,
    headers: Vec<UnsavedFile>,
    /// The directory of the overlay file, if there is one.
    added: Option<TempDir>,
    pub(crate) files: Files,
    workers: rayon::ThreadPool,
}

/// The paths of the tree, as extraction asks for them.
#[derive(Debug)]
pub(crate) struct Files {
    tree: Tree,
    identities: Identities,
    /// Texts of files that were asked for, and those in memory, by their absolute paths.
    texts: Mutex<HashMap<PathBuf, Arc<[u8]>>>,
}

impl Files {
    /// Texts in memory stand for those on disk.
    fn set_texts(&mut self, headers: &[UnsavedFile]) {
        let texts = headers.iter().map(|header| (header.path(), Arc::from(header.contents()))).collect();
        self.texts = Mutex::new(texts);
    }
}

impl Paths for Files {
    fn text(&self, file: &Path) -> Arc<[u8]> {
        let path = self.tree.absolute(file);
        let Ok(mut texts) = self.texts.lock() else { return Arc::default() };
        let text = || Arc::from(std::fs::read(&path).unwrap_or_default());
        Arc::clone(texts.entry(path.clone()).or_insert_with(text))
    }

    fn identify(&self, directory: &Path, path: &Path) -> PathBuf {
        self.tree.portable(&self.identities.identify(directory, path))
    }

    fn absolute(&self, file: &Path) -> PathBuf {
        self.tree.absolute(file)
    }

    fn is_own(&self, file: &Path) -> bool {
        self.tree.is_own(&self.tree.absolute(file))
    }
}

impl Indexer {
    /// Prepares for a tree. `jobs` is the number of workers; 0 means one for each processor.
    pub fn new(
        library: Library,
        vocabulary: Vocabulary,
        headers: Vec<UnsavedFile>,
        tree: Tree,
        jobs: usize,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let workers = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .stack_size(STACK_BYTES)
            .thread_name(|number| format!("{WORKER}-{number}"))
            .build()?;
        let mut files = Files { tree, identities: Identities::default(), texts: Mutex::default() };
        files.set_texts(&headers);
        Ok(Indexer { library, vocabulary, headers, added: None, files, workers })
    }

    /// Reads other in-memory texts from now on.
    pub fn set_headers(&mut self, headers: Vec<UnsavedFile>) {
        self.files.set_texts(&headers);
        self.headers = headers;
    }

    /// The same, when some of them stand for files that are not on the disk.
    ///
    /// An in-memory text stands for one spelling of a path, and is found where a header is looked for in another one only when
    /// there is a file. So clang is given an overlay file, too (`-ivfsoverlay`).
    pub fn set_state(&mut self, headers: Vec<UnsavedFile>) -> io::Result<()> {
        self.set_headers(headers);
        let absent: Vec<&UnsavedFile> = self.headers.iter().filter(|header| !header.path().exists()).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let added = tempfile::tempdir()?;
        let mut roots = Vec::new();
        for (number, header) in absent.iter().enumerate() {
            let (contents, path) = (added.path().join(number.to_string()), header.path());
            std::fs::write(&contents, header.contents())?;
            let [directory, name] =
                [path.parent(), path.file_name().map(Path::new)].map(|part| part.and_then(Path::to_str));
            // A path that is not UTF-8 cannot be written there; units that need it cannot be read, and say so.
            let (Some(directory), Some(name)) = (directory, name) else { continue };
            let file = json!({ "name": name, "type": "file", "external-contents": contents });
            roots.push(json!({ "name": directory, "type": "directory", "contents": [file] }));
        }
        let overlay = json!({ "version": 0, "case-sensitive": "true", "use-external-names": "false", "roots": roots });
        std::fs::write(added.path().join(OVERLAY), overlay.to_string())?;
        self.added = Some(added);
        Ok(())
    }

    /// Reads all units in parallel, and hands each outcome to `sink` in the order of `units`.
    ///
    /// Only what is being read, or waits for an earlier unit, is in memory, and each piece of facts once.
    pub fn run(&self, units: &[Unit], sharing: Option<&Sharing<'_>>, mut sink: impl FnMut(usize, UnitOutcome)) {
        let (sender, outcomes) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let sender = sender;
                self.workers.install(|| match sharing {
                    Some(sharing) => crate::pch::run(self, units, sharing, sender),
                    // A bridge hands the units out in their order; splitting the range would begin in its
                    // middle, and half of all facts would wait in memory for their turn.
                    None => units.iter().enumerate().par_bridge().for_each_with(sender, |sender, (number, unit)| {
                        // The receiver is gone only when the run is being abandoned.
                        let _ = sender.send((number, self.read(unit)));
                    }),
                });
            });
            let mut pieces: HashMap<Digest, SharedFileFacts> = HashMap::new();
            let mut waiting = BTreeMap::new();
            let mut next = 0;
            for (number, mut outcome) in outcomes {
                if let UnitOutcome::Read(facts) = &mut outcome {
                    for piece in &mut facts.file_facts {
                        *piece = pieces.entry(piece.digest()).or_insert_with(|| piece.clone()).clone();
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
    pub fn sources(&self, overlay: &Overlay) -> Arc<Sources> {
        let texts = overlay.texts().map(|(path, text)| (path.to_path_buf(), Arc::clone(text))).collect();
        Arc::new(Sources::new(self.library.resource_directory(), texts))
    }

    /// Plans what header work these units share; `None` when there is no place for precompiled headers. With `verify`, plain
    /// parses are what counts, and what is shared is compared with them.
    pub fn share<'a>(&self, units: &[Unit], sources: &Arc<Sources>, verify: bool) -> Option<Sharing<'a>> {
        let Files { tree, identities, .. } = &self.files;
        self.workers.install(|| Sharing::new(units, tree, identities, sources, verify)).ok()
    }

    /// Keeps precompiled headers in a cache, for later runs. `base` is the digest of all that facts depend on beside files and
    /// arguments.
    pub fn keep<'a>(&self, sharing: Sharing<'a>, cache: &'a Cache, base: Digest) -> Sharing<'a> {
        let Tree { root, build } = &self.files.tree;
        let places = [root, build.as_deref().unwrap_or(root), self.library.resource_directory()];
        sharing.keep(cache, base, &places, &self.headers)
    }

    /// Runs something on the workers.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.workers.install(work)
    }

    /// Reads one unit, without sharing. A crash of libclang or a panic costs this unit alone.
    pub(crate) fn read(&self, unit: &Unit) -> UnitOutcome {
        guarded(|| {
            let parse = Parse { purpose: Purpose::Walk, below: None, source: None, more: &[] };
            self.parse(unit, parse, |parsed, unknown_arguments| {
                let mut facts = extract(parsed, &unit.directory, &self.files, &self.vocabulary, None).facts;
                facts.parse_status.unknown_arguments = unknown_arguments;
                facts
            })
        })
    }

    /// Parses a unit, or a header with its arguments, and does something with it.
    pub(crate) fn parse<T>(
        &self,
        unit: &Unit,
        parse: Parse<'_>,
        use_it: impl FnOnce(&TranslationUnit<'_>, Vec<String>) -> T,
    ) -> Result<T, Failure> {
        let index = Index::new(&self.library);
        let mut arguments = self.arguments(unit)?;
        for argument in parse.more {
            arguments.push(c_string(argument.as_bytes())?);
        }
        if let Some(below) = parse.below {
            // What is in it is known to be what is on disk, whatever the times of the files say.
            for argument in ["-Xclang", "-fno-validate-pch", "-include-pch"] {
                arguments.push(c_string(argument.as_bytes())?);
            }
            arguments.push(below.to_owned());
        }
        let file = match &parse.source {
            Some((path, _)) => path.clone(),
            None => c_string(unit.file.as_os_str().as_bytes())?,
        };
        let with_source: Vec<UnsavedFile>;
        let headers = match parse.source {
            Some((_, source)) => {
                with_source = self.headers.iter().cloned().chain([source]).collect();
                &with_source
            }
            None => &self.headers,
        };
        let mut unknown_arguments = Vec::new();
        let parsed = loop {
            let parsed = match index.parse(&file, &arguments, headers, parse.purpose) {
                Ok(parsed) => parsed,
                // It does not say which argument was too much for it, but another compiler's processors and
                // language versions are.
                Err(ParseError::Failure) => match foreign_values(&arguments) {
                    foreign if foreign.is_empty() => return Err(ParseError::Failure.into()),
                    foreign => {
                        arguments.retain(|argument| !foreign.contains(argument));
                        unknown_arguments.extend(foreign.iter().map(|a| a.to_string_lossy().into_owned()));
                        continue;
                    }
                },
                Err(error) => return Err(error.into()),
            };
            let unknown = unknown_argument(&parsed, &arguments);
            match unknown {
                Some(position) if unknown_arguments.len() < MOST_RETRIES => {
                    let removed = arguments.remove(position);
                    unknown_arguments.push(removed.to_string_lossy().into_owned());
                }
                _ => break parsed,
            }
        };
        Ok(use_it(&parsed, unknown_arguments))
    }

    pub(crate) fn arguments(&self, unit: &Unit) -> Result<Vec<CString>, Failure> {
        let mut arguments = Vec::new();
        for argument in &unit.arguments {
            arguments.push(c_string(argument.as_bytes())?);
        }
        for argument in OWN_ARGUMENTS {
            arguments.push(c_string(argument.as_bytes())?);
        }
        let mut working_directory = b"-working-directory=".to_vec();
        working_directory.extend_from_slice(unit.directory.as_os_str().as_bytes());
        arguments.push(c_string(&working_directory)?);
        arguments.push(c_string(b"-resource-dir")?);
        arguments.push(c_string(self.library.resource_directory().as_os_str().as_bytes())?);
        if let Some(added) = &self.added {
            arguments.push(c_string(b"-ivfsoverlay")?);
            arguments.push(c_string(added.path().join(OVERLAY).as_os_str().as_bytes())?);
        }
        Ok(arguments)
    }
}

/// What is parsed with a unit's arguments, and what for.
pub(crate) struct Parse<'a> {
    pub(crate) purpose: Purpose,
    /// A precompiled header to begin with.
    pub(crate) below: Option<&'a CStr>,
    /// A file in memory, in place of the unit's own.
    pub(crate) source: Option<(CString, UnsavedFile)>,
    /// More arguments.
    pub(crate) more: &'a [&'a str],
}

/// Does something that may fail or panic, which costs nothing else.
fn guarded(read: impl FnOnce() -> Result<UnitFacts, Failure>) -> UnitOutcome {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(facts)) => UnitOutcome::Read(Box::new(facts)),
        Ok(Err(failure)) => UnitOutcome::Failed(failure),
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "no message".to_owned());
            UnitOutcome::Failed(Failure::Panic(message))
        }
    }
}

/// The position of the argument that the compiler's driver says it does not know; it belongs to another compiler.
///
/// The driver names it as a whole, or as a value and the option that it belongs to (clang's
/// `DiagnosticDriverKinds.td`).
fn unknown_argument(unit: &TranslationUnit<'_>, arguments: &[CString]) -> Option<usize> {
    let is_about_arguments = |message: &&String| {
        ["unknown argument", "unsupported option", "unsupported argument", "invalid value"]
            .iter()
            .any(|words| message.starts_with(words))
    };
    let diagnostics = unit.diagnostics();
    let messages = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity >= Severity::Error && diagnostic.location.is_none())
        .map(|diagnostic| &diagnostic.message);
    messages.filter(is_about_arguments).find_map(|message| {
        let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
        let named = |argument: &CString| {
            let argument = argument.to_string_lossy();
            match quoted.as_slice() {
                [whole] => argument == *whole,
                [one, other, ..] => {
                    argument == *one || argument == format!("{other}{one}") || argument == format!("{one}{other}")
                }
                [] => false,
            }
        };
        arguments.iter().position(named)
    })
}

/// The arguments whose values only some compilers know: first those that choose a processor, then the language.
fn foreign_values(arguments: &[CString]) -> Vec<CString> {
    let starting = |prefix: &[u8]| -> Vec<CString> {
        arguments.iter().filter(|argument| argument.as_bytes().starts_with(prefix)).cloned().collect()
    };
    let processors = starting(b"-m");
    if processors.is_empty() { starting(b"-std=") } else { processors }
}

fn c_string(bytes: &[u8]) -> Result<CString, Failure> {
    CString::new(bytes).map_err(|_| Failure::Nul)
}
