//! What a run is asked to do.

use std::ffi::OsString;
use std::path::PathBuf;

use globset::GlobSet;

use cowrap_base::cache::CacheLocation;
use cowrap_base::limits::Limits;
use cowrap_frontend::worker::Isolation;
use cowrap_packs::Settings;

use crate::gate::Gate;
use crate::warning::Warning;

/// What a run reads, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the translation units come from.
    pub input: Input,
    /// The directory that relative paths start from.
    pub working_directory: PathBuf,
    /// The root of the tree; detected if there is none.
    pub root: Option<PathBuf>,
    /// The files and directories that the report is limited to; the whole tree if there are none.
    pub report_on: Vec<PathBuf>,
    /// The units to read, by their path relative to the root; all if there are no patterns.
    pub only: Option<GlobSet>,
    /// The units not to read, although `only` matches them.
    pub exclude: Option<GlobSet>,
    /// Whether `only` is an option of this run, not a setting of the tree. Then the run sees only a
    /// part of the tree, and a suppression or baseline entry that matches nothing may match a
    /// finding in another unit.
    pub is_partial: bool,
    /// The packs: built-in names or files; QEMU's if there is none. Queries use the first.
    pub packs: Vec<PathBuf>,
    /// Whether the tree may define no mark of the packs. Otherwise that is an error, since nothing could be found.
    pub may_lack_marks: bool,
    /// The headers that the generator of wrappers reads; detected if there are none.
    pub inputs: Vec<PathBuf>,
    /// The opt-in rules to run, by name.
    pub enable: Vec<String>,
    /// The settings of the tree.
    pub settings: Settings,
    /// What the report is compared with.
    pub gate: Gate,
    /// The number of workers; 0 means one for each processor.
    pub jobs: usize,
    /// Whether units share precompiled headers.
    pub sharing: SharingRequest,
    /// The cache; `None` if the run uses none.
    pub cache: Option<CacheLocation>,
    /// Tells the user something that stops nothing; perhaps several times.
    pub warn: fn(&Warning),
    /// How much one part of the input may cost.
    pub limits: Limits,
    /// Where libclang runs.
    pub isolation: Isolation,
}

impl Request {
    /// A request for a whole tree with QEMU's pack, and nothing else that differs from the defaults:
    /// no settings, no baseline but the tree's own, no cache. libclang runs in this process, which
    /// need not be the program `cowrap`.
    pub fn new(input: Input, working_directory: PathBuf) -> Request {
        Request {
            input,
            working_directory,
            root: None,
            report_on: Vec::new(),
            only: None,
            exclude: None,
            is_partial: false,
            packs: Vec::new(),
            may_lack_marks: false,
            inputs: Vec::new(),
            enable: Vec::new(),
            settings: Settings::default(),
            gate: Gate::default(),
            jobs: 0,
            sharing: SharingRequest::default(),
            cache: None,
            warn: |_| {},
            limits: Limits::default(),
            isolation: Isolation::InProcess,
        }
    }
}

/// Whether units share precompiled headers (PCH sharing). The facts are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SharingRequest {
    /// They share.
    #[default]
    Yes,
    /// Each unit is parsed without sharing.
    No,
    /// Each unit is parsed twice, with and without sharing, and the facts are compared.
    Verify,
}

/// Where the translation units come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A compilation database: a directory or the file itself; searched for if there is none.
    Database(Option<PathBuf>),
    /// A saved index.
    Index(PathBuf),
    /// Single files.
    Files {
        /// The C files.
        files: Vec<PathBuf>,
        /// The flags that all of them are parsed with.
        flags: Vec<OsString>,
    },
}

/// Receives the progress of a run.
pub trait Progress {
    /// This many units will be parsed.
    fn start(&self, units: usize);
    /// One more unit has been parsed.
    fn step(&self);
    /// All of them have been parsed.
    fn finish(&self);
}
