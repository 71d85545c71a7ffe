//! Why a unit is not read on top of a precompiled preamble.

use std::path::PathBuf;

use crate::extract::PchMismatch;

/// Why a unit is not read on top of a precompiled preamble. Then it is parsed plainly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// The unit begins with no `#include`, or cannot be read.
    NoPreamble,
    /// The unit's arguments include files, or texts in memory stand for files that do not exist.
    Arguments,
    /// A file that the unit could include must not be read.
    Refused,
    /// The headers are so short that reading them takes no time.
    Short,
    /// The preamble or the unit has errors, or arguments that libclang does not know.
    Errors,
    /// A header includes the unit's own file.
    IncludesUnit,
    /// A header may leave the compiler in a state that a precompiled header does not have.
    CompilerState {
        /// The header.
        file: PathBuf,
    },
    /// A header was written while it was read, or just before.
    Changed {
        /// The header.
        file: PathBuf,
    },
    /// It is not known where the unit looks for headers.
    UnknownSearchPath,
    /// Something behind the preamble changes what headers mean.
    Mismatch(PchMismatch),
    /// What follows the preamble may count with `__COUNTER__`.
    Counted,
    /// The facts are not those of a plain parse, for a reason that is not known.
    Differing,
    /// An earlier run found one of these reasons.
    KnownUnfit,
    /// The facts of headers are lost, or the precompiled header cannot be written.
    Lost,
    /// Reading the unit with a precompiled preamble failed.
    Failed,
    /// The unit's text changed meanwhile.
    OtherText,
}
