//! Step 3, certify: facts that come by way of precompiled headers must be those of a plain parse.
//!
//! Each check is a function, and refuses with a [`Refusal`]. What is not certified is not shared:
//! headers are left out of a precompiled header, or a unit is parsed plainly. `testdata/sharing`
//! has trees for every check.
//!
//! | check | `header` | `unit` |
//! |---|---|---|
//! | the compiler reports nothing | `check_messages` | `check_errors` |
//! | facts do not depend on the reader | `check_mismatch` | `check_mismatch` |
//! | the files that were read are those of the plan | `check_inclusions` | `check_main_file` |
//! | the order of files does not matter | `check_interference` | `check_inclusions`, `check_main_text` |
//! | names are declared where they are used | `check_name_uses` | `check_name_uses` |
//! | records are defined where fields are used | `check_field_uses` | `check_field_uses` |
//! | no name is numbered | `check_counted_names` | `check_counted_names` |
//!
//! It must never know how precompiled headers are stored or scheduled.

mod header;
mod unit;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::extract::{Paths, PchMismatch};
use crate::scan::{Name, Scan};
use crate::sources::Sources;

use super::bit_set::BitSet;
use super::compile::Skipped;
use super::headers::{HeaderId, Headers};
use super::interference::Conflict;
use super::macros::Macros;
use super::refusal::Refusal;

pub use header::{Certificate, active, active_inclusions, certify_header, check_compilation};
pub use unit::{SharedUnit, UnitRejection, certify_unit, last_early_line};

/// Facts of precompiled headers must be those of their headers here. Whether a constant gets its value
/// before or behind what uses it is for `check_interference` and its like.
fn check_mismatch(mismatch: Option<PchMismatch>) -> Result<(), Refusal> {
    match mismatch {
        None | Some(PchMismatch::ConstantDefined) => Ok(()),
        Some(mismatch) => Err(Refusal::Mismatch(mismatch)),
    }
}

/// What checks need to know.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The files of the group.
    pub headers: &'a Headers,
    /// The header that all units of the group include before everything else.
    pub first: Option<HeaderId>,
    /// The macros of all groups.
    pub macros: &'a Macros,
    /// The texts.
    pub sources: &'a Sources,
    /// The paths that facts use.
    pub paths: &'a dyn Paths,
}

/// Why a precompiled header was not certified, and which of its headers to leave out next time;
/// without any there is no hope.
#[derive(Debug, Default)]
pub struct Rejection {
    /// The reasons.
    pub refusals: Vec<Refusal>,
    /// The headers to leave out.
    pub leave_out: BitSet,
}

impl Context<'_> {
    /// The file that facts call so.
    fn find(&self, path: &Path) -> Option<HeaderId> {
        self.headers.find(&self.paths.absolute(path))
    }

    /// The files that facts call so.
    fn find_all(&self, paths: &[PathBuf]) -> Vec<Option<HeaderId>> {
        paths.iter().map(|path| self.find(path)).collect()
    }

    /// What a file says without what the compiler skipped in it.
    fn active(&self, file: HeaderId, skipped: &Skipped) -> Arc<Scan> {
        let header = self.headers.get(file);
        let skipped = skipped.get(&header.path).map(Vec::as_slice).unwrap_or_default();
        self.sources.scans.get_active(&header.path, skipped).unwrap_or_else(|| Arc::clone(&header.scan))
    }

    fn path(&self, file: HeaderId) -> PathBuf {
        self.headers.get(file).path.clone()
    }

    fn name(&self, name: Name) -> String {
        String::from_utf8_lossy(&self.sources.scans.names().text(name)).into_owned()
    }

    /// The refusal for a conflict with a text, which is in `other` if the plan does not know its
    /// file.
    fn interference(&self, conflict: &Conflict, other: Option<&Path>) -> Refusal {
        let file = conflict.file.map(|file| self.path(file));
        let other = conflict.other.map(|file| self.path(file)).or(other.map(Path::to_path_buf));
        match conflict.macro_name {
            Some(name) => Refusal::Interference { name: self.name(name), file, other },
            None => Refusal::CompilerState { file: file.or(other) },
        }
    }
}
