//! The arguments that select what is read, for all subcommands that read a tree.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use globset::GlobSet;

use cowrap_session::{
    BaselineRequest, Gate, Input, Isolation, Limit, Limits, PatternError, Request, Settings, SharingRequest, Valued,
    path_patterns,
};

use super::cache::PlaceArguments;
use super::messages::warn_once;

#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(super) struct InputArguments {
    /// Build directory or compile_commands.json [default: ., build/ or the only build*/]
    #[arg(short = 'p', long = "build", value_name = "PATH")]
    build: Option<PathBuf>,

    /// Use the index in FILE, which `cowrap index` wrote, instead of reading the tree
    #[arg(long, value_name = "FILE", conflicts_with_all = ["build", "root", "only"])]
    index: Option<PathBuf>,

    /// Root of the tree [default: detected]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Read only translation units that match GLOB; may be repeated
    ///
    /// GLOB is matched with paths relative to the root. `*` stays within a directory, `**` does
    /// not.
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// Packs: built-in names or files, separated by commas [default: qemu]
    #[arg(long = "pack", value_name = "PACK", value_delimiter = ',')]
    packs: Vec<PathBuf>,

    /// Settings file [default: cowrap.toml, here or in a parent directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Ignore cowrap.toml
    #[arg(long, conflicts_with = "config")]
    no_config: bool,

    /// Number of translation units read in parallel [default: one per processor]
    #[arg(help_heading = "Performance")]
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,

    /// Parse each translation unit without shared precompiled headers
    #[arg(long, help_heading = "Performance")]
    no_sharing: bool,

    /// Parse each translation unit with and without precompiled headers, and compare the results
    #[arg(long, help_heading = "Performance", conflicts_with = "no_sharing")]
    verify_sharing: bool,

    #[command(flatten, next_help_heading = "Performance")]
    place: PlaceArguments,

    /// Neither read nor write the cache
    #[arg(long, help_heading = "Performance", conflicts_with_all = ["cache_dir", "cache_size"])]
    no_cache: bool,

    /// Run libclang in this process, without limits on time and memory; a crash ends the run
    #[arg(long, help_heading = "Performance")]
    no_isolation: bool,

    #[command(flatten)]
    limits: LimitArguments,
}

/// How much reading the tree may cost.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArguments {
    /// Processor time for reading one translation unit [default: 120]
    #[arg(long, value_name = "SECONDS")]
    limit_time: Option<NonZeroU32>,

    /// Memory for reading one translation unit [default: 4096]
    #[arg(long, value_name = "MIB")]
    limit_memory: Option<NonZeroU32>,

    /// Length of one source file or header [default: 64]
    #[arg(long, value_name = "MIB")]
    limit_source: Option<NonZeroU32>,

    /// Depth to which statements and expressions are nested [default: 10000]
    #[arg(long, value_name = "N")]
    limit_depth: Option<NonZeroU32>,

    /// Number of entries of the compilation database [default: 1000000]
    #[arg(long, value_name = "N")]
    limit_entries: Option<NonZeroU32>,

    /// Facts of all translation units together [default: 8192]
    #[arg(long, value_name = "MIB")]
    limit_facts: Option<NonZeroU32>,
}

impl LimitArguments {
    /// The limits that are given.
    pub(super) fn given(&self) -> impl Iterator<Item = (Limit, NonZeroU32)> {
        let LimitArguments { limit_time: time, limit_memory: memory, limit_source: source, .. } = *self;
        let LimitArguments { limit_depth: depth, limit_entries: entries, limit_facts: facts, .. } = *self;
        let given = Limit::ALL.into_iter().zip([time, memory, source, depth, entries, facts]);
        given.filter_map(|(limit, value)| Some((limit, value?)))
    }

    /// The limits of a run: those that are given, else those of the settings.
    fn limits(&self, settings: &Settings) -> Limits {
        let mut limits = Limits::default();
        let set = settings.limits.iter().map(|set| (set.limit, set.value));
        set.chain(self.given()).for_each(|(limit, value)| limits.set(limit, value));
        limits
    }
}

/// Arguments that `cowrap.toml` can set, too.
pub(super) struct Given<'a> {
    pub(super) build: Option<&'a Path>,
    pub(super) packs: &'a [PathBuf],
    pub(super) only: &'a [String],
    pub(super) limits: &'a LimitArguments,
}

impl InputArguments {
    /// Whether the arguments say where the translation units are.
    pub(super) fn is_given(&self) -> bool {
        self.build.is_some() || self.index.is_some()
    }

    /// Whether the arguments name an index.
    pub(super) fn has_index(&self) -> bool {
        self.index.is_some()
    }

    /// Whether the arguments or the settings of the tree say where the translation units are.
    pub(super) fn is_known(&self) -> Result<bool, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
        Ok(self.is_given() || self.settings(&working_directory)?.build.is_some())
    }

    /// The arguments that `cowrap.toml` can set, too.
    pub(super) fn given(&self) -> Given<'_> {
        Given { build: self.build.as_deref(), packs: &self.packs, only: &self.only, limits: &self.limits }
    }

    /// The settings of the tree.
    pub(super) fn settings(&self, working_directory: &Path) -> Result<Settings, String> {
        settings(self.config.as_deref(), self.no_config, working_directory)
    }

    /// The request for a report on some paths, or with compiler flags for these C files instead of a database.
    pub(super) fn request_on(&self, paths: &[PathBuf], flags: &[OsString], has_flags: bool) -> Result<Request, String> {
        let mut request = self.request()?;
        if has_flags {
            if self.is_given() {
                return Err("use only one of -p, --index and compiler flags after `--`".to_owned());
            }
            if paths.is_empty() {
                return Err("name the C files to check before `--`".to_owned());
            }
            request.input = Input::Files { files: paths.to_vec(), flags: flags.to_vec() };
            request.report_on.clear();
        } else if !paths.is_empty() {
            request.report_on = paths.to_vec();
        }
        Ok(request)
    }

    pub(super) fn request(&self) -> Result<Request, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
        let settings = self.settings(&working_directory)?;
        let of = |setting: &Option<Valued<PathBuf>>| setting.as_ref().map(|setting| setting.value.clone());
        let patterns = match &settings.only {
            _ if self.index.is_some() => Vec::new(),
            Some(only) if self.only.is_empty() => only.value.clone(),
            _ => self.only.clone(),
        };
        let only = globs(&patterns).map_err(|error| format!("--only: {error}"))?;
        let exclude = settings.exclude.as_ref().map(|exclude| globs(&exclude.value));
        let exclude = exclude.transpose().map_err(|error| format!("exclude: {error}"))?;
        let packs = packs(&self.packs, &settings)?;
        let input = match &self.index {
            Some(index) => Input::Index(index.clone()),
            None => Input::Database(self.build.clone().or_else(|| of(&settings.build))),
        };
        let baseline = of(&settings.baseline).map_or(BaselineRequest::IfExists, BaselineRequest::Configured);
        let cache = if self.no_cache { None } else { self.place.place(&working_directory)? };
        Ok(Request {
            input,
            working_directory,
            root: self.root.clone(),
            report_on: settings.paths.as_ref().map(|paths| paths.value.clone()).unwrap_or_default(),
            only: (!patterns.is_empty()).then_some(only),
            exclude: exclude.filter(|_| self.index.is_none()),
            is_partial: !self.only.is_empty(),
            packs,
            may_lack_marks: false,
            inputs: Vec::new(),
            enable: settings.enable.as_ref().map(|enable| enable.value.clone()).unwrap_or_default(),
            limits: self.limits.limits(&settings),
            isolation: if self.no_isolation { Isolation::InProcess } else { isolation() },
            settings,
            gate: Gate { baseline, ..Gate::default() },
            jobs: self.jobs,
            sharing: match (self.no_sharing, self.verify_sharing) {
                (true, _) => SharingRequest::No,
                (_, true) => SharingRequest::Verify,
                _ => SharingRequest::Yes,
            },
            cache,
            warn: warn_once,
        })
    }
}

/// The directories in which the settings of a tree may name outputs of the generator: that of the
/// settings, the build directory on the command line, and that of the settings if meson built the
/// tree there.
pub(super) fn generator_roots(settings: &Settings, build: &Path) -> Vec<PathBuf> {
    let home = settings.file.as_deref().and_then(Path::parent);
    let configured = settings.build.as_ref().map(|build| build.value.as_path());
    let is_of_tree = |build: &&Path| home.is_some_and(|home| cowrap_session::is_built_from(build, home));
    home.into_iter().chain([build]).chain(configured.filter(is_of_tree)).map(Path::to_path_buf).collect()
}

/// Processes of this program. The file that it was started from may have been replaced since then,
/// so Linux starts the program that runs.
fn isolation() -> Isolation {
    let running = Path::new("/proc/self/exe");
    let started = || std::env::current_exe().ok().or_else(|| std::env::args_os().next().map(PathBuf::from));
    let program = if running.exists() { running.to_path_buf() } else { started().unwrap_or_default() };
    Isolation::Processes { program }
}

/// The settings in a file: the one that is named, or the `cowrap.toml` that applies to a directory.
pub(super) fn settings(file: Option<&Path>, none: bool, working_directory: &Path) -> Result<Settings, String> {
    let is_given = file.is_some();
    let file = match file {
        Some(file) => Some(working_directory.join(file)),
        None if none => None,
        None => Settings::find(working_directory),
    };
    let settings = file.map(|file| Settings::read(&file)).transpose();
    let mut settings = settings.map(Option::unwrap_or_default).map_err(|error| error.to_string())?;
    // The user stands in the tree that a given file is for.
    if is_given {
        settings.homes.push(working_directory.to_path_buf());
    }
    Ok(settings)
}

/// The packs of a run: those that are given, or those of the settings. The settings are checked with them.
pub(super) fn packs(given: &[PathBuf], settings: &Settings) -> Result<Vec<PathBuf>, String> {
    let packs = match (given, &settings.packs) {
        ([], Some(packs)) => packs.value.clone(),
        _ => given.to_vec(),
    };
    cowrap_session::check_settings(settings, &packs).map_err(|error| error.to_string())?;
    Ok(packs)
}

/// Patterns, in which `*` stays within a directory.
fn globs(patterns: &[String]) -> Result<GlobSet, PatternError> {
    path_patterns(patterns.iter().map(String::as_str))
}
