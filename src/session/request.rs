//! What a run is asked to do.

use std::ffi::OsString;
use std::path::PathBuf;

use globset::GlobSet;

use cowrap_base::cache::CacheLocation;
use cowrap_packs::Settings;

use crate::gate::Gate;

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
        flags: Vec<OsString>,
    },
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
