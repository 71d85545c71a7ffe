//! One run from top to bottom, naming each stage once.
//!
//! It must never know argument syntax or how reports are drawn. What it reports is plain data, and its names are
//! those of the JSON format, so a field is not renamed lightly.

#![warn(missing_docs)]

mod again;
mod ask;
mod depfile;
mod facts;
mod fix;
mod gate;
mod generate;
mod generation;
mod index;
mod judge;
mod ninja;
mod patches;
mod recall;
mod stored;
mod vocabulary;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use globset::GlobSet;
use thiserror::Error;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::FunctionId;
use cowrap_analysis::rules;
use cowrap_base::cache::CacheLocation;
use cowrap_base::cache::StatCache;
use cowrap_base::files::{Identities, ON_DISK, Overlay, Texts, Tree};
use cowrap_base::git::GitError;
use cowrap_facts::{CallKind, UnitFacts};
use cowrap_frontend::clang::{Library, LoadError};
use cowrap_frontend::compdb::{self, Database, RefusedEntry, Unit};
use cowrap_frontend::index::Indexer;
pub use cowrap_frontend::index::WORKER;
use cowrap_frontend::marks::{MarkDefinition, make_visible};
use cowrap_frontend::unit_cache::UnitInputs;
use cowrap_frontend::unit_reader::UnitOutcome;
use cowrap_packs::{Effect, Pack, PackError};
use cowrap_report::{BaselineError, Finding, Level, Span};
use cowrap_report::{
    Comparison, Details, MarkLocation, ParseDetails, Problem, ProblemKind, Report, RuleInfo, SharingStats, Summary,
    Unknown, UnmatchedCut,
};

use again::Again;
pub use ask::{AskError, Query, ask};
pub use cowrap_analysis::queries::Selection;
pub use cowrap_base::files::{Digest, write_whole};
pub use cowrap_fix::unified as unified_diff;
pub use cowrap_packs::{Settings, Valued, nearest};

/// The cache's location and administration.
pub mod cache {
    pub use cowrap_base::cache::{CacheLocation, DEFAULT_LIMIT, clean, default_directory, info};
}
pub use facts::{Extracted, FactsError, LinkRequest, Part, Shard, extract, link};
pub use fix::{Applied, FixError, FixRequest, Fixed, NotApplied, Step, fix};
pub use gate::{BASELINE, BaselineRequest, Gate, Since, write_baseline};
pub use generate::{
    GenerateError, GenerateRequest, Generated, Job, Known, generate, known_jobs, set_jobs, write_depfile,
};
pub use index::{Coverage, Index, IndexError, save};
use judge::judge;
pub use ninja::{NinjaRequest, emit_ninja};
pub use patches::{PatchError, check_patch_directory, write_patches};
use recall::Reading;
pub use vocabulary::{mark_headers, vocabulary};

/// What to check.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which translation units there are.
    pub input: Input,
    /// The directory that relative paths start from.
    pub working_directory: PathBuf,
    /// The root of the tree, when it is not to be found out.
    pub root: Option<PathBuf>,
    /// Files and directories that findings are reported in; everywhere when empty.
    pub report_on: Vec<PathBuf>,
    /// Which units are indexed, by their path relative to the root.
    pub only: Option<GlobSet>,
    /// Which of those are not.
    pub exclude: Option<GlobSet>,
    /// Whether `only` is of this run alone, and not what the tree says of itself: then what is not found may be in other units.
    pub is_partial: bool,
    /// The pack's file; QEMU's when there is none.
    pub pack: Option<PathBuf>,
    /// The headers that the wrappers' generator reads; found out when there are none.
    pub inputs: Vec<PathBuf>,
    /// The rules that run only when they are asked for, by name.
    pub enable: Vec<String>,
    /// What the tree's settings say, as far as it is not in other fields.
    pub settings: Settings,
    /// What the report is compared with.
    pub gate: Gate,
    /// How many workers; 0 means one for each processor.
    pub jobs: usize,
    /// Whether units share header work.
    pub sharing: SharingRequest,
    /// Where what earlier runs found out is kept, if it is.
    pub cache: Option<CacheLocation>,
}

/// Whether units share header work. The facts are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SharingRequest {
    /// They do.
    #[default]
    Yes,
    /// Each is parsed for itself.
    No,
    /// They do, and each is parsed for itself, too; then both are compared.
    Verify,
}

/// Where the translation units come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A compilation database: a directory or the file itself; looked for when there is none.
    Database(Option<PathBuf>),
    /// An index that was saved.
    Index(PathBuf),
    /// Single files, parsed with these flags.
    Files {
        /// The C files.
        files: Vec<PathBuf>,
        /// The compiler's flags.
        flags: Vec<std::ffi::OsString>,
    },
}

/// All rules, sorted by name.
pub fn rule_infos() -> Vec<RuleInfo> {
    let info = |rule: &rules::Rule| RuleInfo {
        name: rule.name,
        level: rule.level,
        summary: rule.summary,
        opt_in: rule.opt_in,
        fixes: rule.fixes,
        page: rule.page,
    };
    rules::RULES.iter().map(info).collect()
}

/// Why there is no report at all.
#[derive(Debug, Error)]
pub enum Error {
    /// No libclang.
    #[error(transparent)]
    Clang(#[from] LoadError),
    /// No usable pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// No usable database.
    #[error(transparent)]
    Database(#[from] compdb::Error),
    /// A path on the command line is not there.
    #[error("{path}: no such file or directory")]
    NoSuchPath {
        /// The path as given.
        path: String,
    },
    /// A rule that is to be enabled is not there.
    #[error("there is no rule `{name}`; those that run only when they are enabled are {opt_in}")]
    NoSuchRule {
        /// The name.
        name: String,
        /// The rules that there are.
        opt_in: String,
    },
    /// There is nothing to read.
    #[error("{0}")]
    Nothing(String),
    /// The tree defines none of the pack's marks, so that nothing could ever be found.
    #[error(
        "no mark of the pack `{pack}` is defined below {root}\n  looked for {marks}\n  give the tree's root with \
         --root, or the code base's own pack with --pack"
    )]
    NoMarks {
        /// The pack's name.
        pack: String,
        /// The root.
        root: String,
        /// The marks.
        marks: String,
    },
    /// The index that was saved cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Git cannot tell what changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The baseline is none.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The baseline cannot be read.
    #[error("cannot read the baseline {path}: {source}; `cowrap baseline` writes one")]
    ReadBaseline {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The baseline cannot be written.
    #[error("cannot write the baseline {path}: {source}")]
    WriteBaseline {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// What is to be overwritten is something else.
    #[error("{path} is no baseline, and would be lost; remove it, or name another file with --output")]
    PreciousBaseline {
        /// The file.
        path: String,
    },
    /// What is staged cannot be told from an index of something else.
    #[error("an index does not hold what is staged; name the build directory with -p instead of --index")]
    StagedIndex,
    /// Another state of the tree cannot be made known to the compiler.
    #[error("cannot write temporary files: {0}; set TMPDIR to a directory that can be written to")]
    State(std::io::Error),
    /// More units would have to be read than is allowed.
    #[error("{units} units would have to be read")]
    TooMuch {
        /// How many.
        units: usize,
    },
    /// No workers could be started.
    #[error("cannot start workers: {0}")]
    Workers(#[from] rayon::ThreadPoolBuildError),
}

/// Told how far a run is.
pub trait Progress {
    /// So many units are to be read.
    fn start(&self, units: usize);
    /// One more unit has been read.
    fn step(&self);
    /// All units have been read.
    fn finish(&self);
}

/// Checks a tree.
pub fn check(request: &Request, progress: &dyn Progress) -> Result<Report, Error> {
    let report_on = identify_paths(request, &request.report_on)?;
    // A header that is misspelt here would make every wrapper look as if it were not generated.
    identify_paths(request, &request.inputs)?;
    vet_rules(&request.enable)?;
    let changes = match request.gate.since {
        Some(Since::Staged) if matches!(request.input, Input::Index(_)) => return Err(Error::StagedIndex),
        Some(_) => gate::changes(request, &tree_of(request)?)?,
        None => None,
    };
    let now = changes.as_ref().map(|changes| changes.now.clone()).unwrap_or_default();
    let again = Again::new(request).filter(|_| now.is_empty());
    let mut report = whole(request, &now, again.as_ref(), progress)?;
    gate::apply(request, &mut report, changes, again.as_ref(), &report_on, progress)?;
    Ok(report)
}

/// The report on all of a tree, in some state, compared with nothing.
fn whole(
    request: &Request,
    overlay: &Overlay,
    again: Option<&Again>,
    progress: &dyn Progress,
) -> Result<Report, Error> {
    if let Some(report) = again.and_then(Again::report) {
        return Ok(report);
    }
    let Checked { mut report, pack, texts, consulted } = checked(request, Reading::of(overlay), progress)?;
    fix::write_out(&mut report.findings, &texts, &report.tree, &pack, request);
    if let Some((again, (consulted, stamps))) = again.zip(consulted) {
        again.keep(&report, consulted, &stamps, &texts);
    }
    Ok(report)
}

/// A report, with what it was made of.
struct Checked {
    report: Report,
    pack: Pack,
    texts: Texts,
    /// What was read for it, if it could be remembered.
    consulted: Option<(UnitInputs, StatCache)>,
}

/// Checks a tree in some state; edits of fixes are not written out.
fn checked(request: &Request, state: Reading<'_>, progress: &dyn Progress) -> Result<Checked, Error> {
    let (Index { program, pack, tree, mut details, problems, coverage }, consulted) = read(request, state, progress)?;
    let mut texts = Texts::new(&tree.root, None);
    for (path, text) in state.overlay.texts() {
        texts.change(tree.relative(path), Some(text.clone()));
    }
    let mut effects = Effects::new(&program, &pack, &tree);
    (effects.generation, details.not_compared) = generation::generation(&effects, request, &texts, &[]);
    let is_whole = coverage.is_whole && problems.is_empty();
    let findings = judge(&effects, request, &request.enable, &texts, is_whole);
    details.unmatched.models = effects.unused_models().into_iter().map(str::to_owned).collect();
    let cuts = effects.unused_cuts().into_iter();
    details.unmatched.cuts =
        cuts.map(|cut| UnmatchedCut { caller: cut.caller.clone(), callee: cut.callee.clone() }).collect();
    let summary = summarise(&effects, &findings, &problems, &coverage, details.not_compared.len());
    drop(effects);
    let overlay = state.overlay.clone();
    let files = program.files.iter().cloned().collect();
    let is_partial = !coverage.is_whole;
    let report = Report { findings, problems, summary, tree, details, is_partial, rules: rule_infos(), overlay, files };
    Ok(Checked { report, pack, texts, consulted })
}

fn is_reported(finding: &Finding, report_on: &[PathBuf], tree: &Tree) -> bool {
    let path = tree.root.join(&finding.primary.at.path);
    report_on.iter().any(|wanted| path.starts_with(wanted))
}

/// Refuses rules that are not there.
fn vet_rules(rules: &[String]) -> Result<(), Error> {
    let Some(unknown) = rules.iter().find(|name| !rules::RULES.iter().any(|rule| rule.name == **name)) else {
        return Ok(());
    };
    let opt_in = rules::RULES.iter().filter(|rule| rule.opt_in).map(|rule| rule.name);
    Err(Error::NoSuchRule { name: unknown.clone(), opt_in: opt_in.collect::<Vec<_>>().join(", ") })
}

/// Reads a tree, or an index that was saved.
pub fn index(request: &Request, progress: &dyn Progress) -> Result<Index, Error> {
    Ok(read(request, Reading::of(&ON_DISK), progress)?.0)
}

/// Reads a tree, or an index that was saved; and says what was read for that, if it could be remembered.
fn read(
    request: &Request,
    state: Reading<'_>,
    progress: &dyn Progress,
) -> Result<(Index, Option<(UnitInputs, StatCache)>), Error> {
    let pack = pack_of(request.pack.as_deref())?.with(&request.settings);
    if let Input::Index(path) = &request.input {
        return Ok((index::load(&request.working_directory.join(path), pack)?, None));
    }
    let opened = open(request, pack)?;
    recall::read_tree(request, opened, state, progress)
}

/// The pack that is asked for.
fn pack_of(path: Option<&Path>) -> Result<Pack, PackError> {
    match path {
        Some(path) => Pack::read(path),
        None => Pack::qemu(),
    }
}

/// A tree of which the units can be read.
struct Opened {
    indexer: Indexer,
    /// The libclang in use, by its version.
    clang: String,
    inputs: Inputs,
    tree: Tree,
    pack: Pack,
    details: Details,
    /// Those units that are not read at all.
    problems: Vec<Problem>,
}

/// Finds the units of a tree, and the marks that it defines.
fn open(request: &Request, pack: Pack) -> Result<Opened, Error> {
    let library = Library::load()?;
    let (inputs, tree) = inputs(request)?;
    let visible = make_visible(&tree.root, &mark_headers(&pack), &HashMap::new());
    if visible.definitions.is_empty() {
        return Err(no_marks(&pack, &tree));
    }
    let parsing = ParseDetails {
        clang: format!("{} ({})", library.version(), library.path().display()),
        marks: visible.definitions.iter().map(|definition| mark_detail(definition, &pack, &tree)).collect(),
        unknown_arguments: BTreeMap::new(),
    };
    let details = Details { parsing, ..Details::default() };
    let clang = library.version().to_owned();
    let indexer = Indexer::new(library, vocabulary(&pack), visible.headers, tree.clone(), request.jobs)?;
    let problems = inputs.refused.iter().map(|refusal| refused(refusal, &tree)).collect();
    Ok(Opened { indexer, clang, inputs, tree, pack, details, problems })
}

/// The facts of a unit, or why there are none.
fn read_unit(outcome: UnitOutcome, file: &Path, tree: &Tree, details: &mut Details) -> Result<UnitFacts, Problem> {
    let facts = match outcome {
        UnitOutcome::Read(facts) => facts,
        UnitOutcome::Failed(failure) => {
            let (shown, kind) = (tree.relative(file).to_path_buf(), ProblemKind::Failed);
            if file.symlink_metadata().is_err() {
                let (message, help) = ("there is no such file", "build again: the database is older than the tree");
                return Err(Problem { file: shown, kind, message: message.into(), at: None, help: Some(help.into()) });
            }
            return Err(Problem { file: shown, kind, message: failure.to_string(), at: None, help: None });
        }
    };
    for argument in &facts.parse_status.unknown_arguments {
        *details.parsing.unknown_arguments.entry(argument.clone()).or_default() += 1;
    }
    match parse_problem(file, &facts, tree) {
        // What a unit with errors says is not to be trusted.
        Some(problem) => Err(problem),
        None => Ok(*facts),
    }
}

/// What is to be read.
struct Inputs {
    units: Vec<Unit>,
    refused: Vec<RefusedEntry>,
    other_languages: BTreeMap<String, usize>,
    /// Whether more files than the database say what the units are.
    may_be_indirect: bool,
    /// Whether these are all units of the tree.
    is_whole: bool,
}

fn inputs(request: &Request) -> Result<(Inputs, Tree), Error> {
    let (mut inputs, mut tree) = match &request.input {
        Input::Database(explicit) => from_database(request, explicit.as_deref())?,
        Input::Index(path) => return Err(Error::NoSuchPath { path: path.display().to_string() }),
        Input::Files { files, flags } => from_files(request, files, flags)?,
    };
    if let Some(root) = &request.root {
        let root = request.working_directory.join(root);
        tree.root = root.canonicalize().map_err(|_| Error::NoSuchPath { path: root.display().to_string() })?;
    }
    if let Some(only) = &request.only {
        let identities = Identities::default();
        let wanted = |file: &Path| only.is_match(tree.relative(&identities.identify(&tree.root, file)));
        inputs.units.retain(|unit| wanted(&unit.file));
        inputs.refused.retain(|refusal| wanted(&refusal.file));
    }
    if let Some(exclude) = &request.exclude {
        let identities = Identities::default();
        let wanted = |file: &Path| !exclude.is_match(tree.relative(&identities.identify(&tree.root, file)));
        inputs.units.retain(|unit| wanted(&unit.file));
        inputs.refused.retain(|refusal| wanted(&refusal.file));
    }
    if inputs.units.is_empty() && inputs.refused.is_empty() {
        let why =
            if request.only.is_some() { "no C file of the database matches --only" } else { "no C file to check" };
        let others: Vec<String> =
            inputs.other_languages.iter().map(|(language, count)| format!("{count} {language}")).collect();
        let others = if others.is_empty() { String::new() } else { format!(" (other entries: {})", others.join(", ")) };
        return Err(Error::Nothing(format!("{why}{others}")));
    }
    Ok((inputs, tree))
}

fn from_database(request: &Request, explicit: Option<&Path>) -> Result<(Inputs, Tree), Error> {
    let json = compdb::find(&request.working_directory, explicit)?;
    let database: Database = compdb::read(&json)?;
    let build = database.path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let sources: Vec<&Path> = database.units.iter().map(|unit| unit.file.as_path()).collect();
    let tree = Tree::of_database(&build, &sources);
    let other_languages =
        database.other_languages.iter().map(|(language, count)| (language.to_string(), *count)).collect();
    let may_be_indirect = database.may_be_indirect;
    let is_whole = !request.is_partial;
    let Database { units, refused, .. } = database;
    Ok((Inputs { units, refused, other_languages, may_be_indirect, is_whole }, tree))
}

fn from_files(request: &Request, files: &[PathBuf], flags: &[std::ffi::OsString]) -> Result<(Inputs, Tree), Error> {
    let mut inputs = Inputs {
        units: Vec::new(),
        refused: Vec::new(),
        other_languages: BTreeMap::new(),
        may_be_indirect: false,
        is_whole: false,
    };
    for file in files {
        if !request.working_directory.join(file).is_file() {
            return Err(Error::NoSuchPath { path: file.display().to_string() });
        }
        match compdb::single(file, &request.working_directory, flags) {
            Ok(unit) => inputs.units.push(unit),
            Err(refusal) => inputs.refused.push(refusal),
        }
    }
    let paths: Vec<PathBuf> = files.iter().map(|file| request.working_directory.join(file)).collect();
    Ok((inputs, Tree::of_files(&request.working_directory, &paths)))
}

/// The tree of a request, without reading it.
fn tree_of(request: &Request) -> Result<Tree, Error> {
    match &request.input {
        Input::Index(path) => {
            let pack = pack_of(request.pack.as_deref())?;
            Ok(index::load(&request.working_directory.join(path), pack)?.tree)
        }
        Input::Database(explicit) => {
            let json = compdb::find(&request.working_directory, explicit.as_deref())?;
            let json = std::path::absolute(&json).unwrap_or(json);
            let known = json.parent().filter(|_| request.root.is_none()).and_then(Tree::of_meson);
            known.map_or_else(|| Ok(inputs(request)?.1), Ok)
        }
        Input::Files { .. } => Ok(inputs(request)?.1),
    }
}

/// The identities of paths that are named on the command line.
fn identify_paths(request: &Request, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let identify = |path: &PathBuf| {
        let absolute = request.working_directory.join(path);
        absolute.canonicalize().map_err(|_| Error::NoSuchPath { path: path.display().to_string() })
    };
    paths.iter().map(identify).collect()
}

fn no_marks(pack: &Pack, tree: &Tree) -> Error {
    let marks: Vec<&str> = pack.marks.iter().map(|mark| mark.name.as_str()).collect();
    Error::NoMarks { pack: pack.name.clone(), root: tree.root.display().to_string(), marks: marks.join(", ") }
}

fn mark_detail(definition: &MarkDefinition, pack: &Pack, tree: &Tree) -> MarkLocation {
    let path = tree.relative(&definition.path).to_path_buf();
    MarkLocation { mark: pack.mark(definition.mark).name.clone(), path, line: definition.line }
}

fn refused(refusal: &RefusedEntry, tree: &Tree) -> Problem {
    Problem {
        file: tree.relative(&refusal.file).to_path_buf(),
        kind: ProblemKind::Refused,
        message: format!("entry {}: `{}` is refused: {}", refusal.entry, refusal.argument, refusal.reason),
        at: None,
        help: Some("take the argument out of the database, or the entry".to_owned()),
    }
}

/// What became of sharing, for the report.
fn shared_summary(shared: cowrap_frontend::pch::SharingStats) -> SharingStats {
    let cowrap_frontend::pch::SharingStats { units, headers, kept, refusals, differing } = shared;
    SharingStats { units, headers, reused: kept, refusals, differing }
}

/// The unit's first error, if it had any.
fn parse_problem(file: &Path, facts: &UnitFacts, tree: &Tree) -> Option<Problem> {
    if facts.parse_status.errors == 0 {
        return None;
    }
    let error = facts.parse_status.first_error.as_ref();
    let message = error.map_or_else(|| "the compiler reported errors".to_owned(), |error| error.message.clone());
    let at = error.and_then(|error| error.location).map(|place| Span {
        path: tree.relative(&tree.absolute(&facts.files[place.file.0 as usize])).to_path_buf(),
        line: place.line,
        column: place.column,
    });
    let help = message.ends_with("file not found").then(|| {
        "if the build generates this header, build the generated headers first; else install what provides it"
            .to_owned()
    });
    Some(Problem { file: tree.relative(file).to_path_buf(), kind: ProblemKind::Parse, message, at, help })
}

fn summarise(
    effects: &Effects<'_>,
    findings: &[Finding],
    problems: &[Problem],
    coverage: &Coverage,
    not_compared: usize,
) -> Summary {
    let program = effects.program;
    let at = |level| findings.iter().filter(|finding| finding.level == level).count();
    let mut summary = Summary {
        units: coverage.units,
        failed_units: problems.len(),
        other_languages: coverage.other_languages.clone(),
        errors: at(Level::Error),
        warnings: at(Level::Warning),
        notes: at(Level::Note),
        unknown: Unknown { generated_files: not_compared, ..Unknown::default() },
        ..Summary::default()
    };
    let creators: HashSet<FunctionId> = effects.pack.creators.iter().flat_map(|name| program.named(name)).collect();
    for function in program.function_ids() {
        let linked = program.function(function);
        summary.functions += usize::from(!linked.bodies.is_empty());
        summary.coroutine_only += usize::from(effects.requirement(function).effect == Some(Effect::CoroutineOnly));
        let wraps = effects.context_marks(function).iter().any(|(mark, _)| {
            effects.pack.mark(mark.mark).wrapper.as_ref().is_some_and(|wraps| wraps.calls == Effect::CoroutineOnly)
        });
        let generated = || linked.bodies.iter().any(|body| effects.is_generated(program.body(*body).location));
        summary.wrappers += usize::from(wraps && generated());
        let called = !program.incoming(function).is_empty();
        let no_body = linked.bodies.is_empty() && !linked.declarations.is_empty();
        summary.unknown.bodies += usize::from(called && no_body);
    }
    for body in &program.bodies {
        summary.unknown.pointer_calls += body.slot_calls.iter().filter(|call| !effects.is_resolved(call)).count();
        for call in &body.calls {
            match call.kind {
                CallKind::Unresolved => summary.unknown.unresolved_calls += 1,
                CallKind::Written | CallKind::Cleanup | CallKind::Region => summary.calls += 1,
            }
            let creates = creators.contains(&call.callee);
            summary.creations += usize::from(creates && !effects.is_generated(call.location));
        }
    }
    summary
}
