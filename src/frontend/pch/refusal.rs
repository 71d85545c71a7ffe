//! Why header work is not shared: what a check refused to certify.

use std::fmt;
use std::path::PathBuf;

use crate::extract::PchMismatch;
use cowrap_base::files::Shown;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// A precompiled header, which was then made without some headers or not at all.
    Header,
    /// The use of precompiled headers by a unit, which was then parsed plainly.
    Unit,
}

/// Why it was refused. The variants are the checks that `certify` makes; see there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The compiler reports something in a precompiled header.
    CompilerMessage {
        /// Its message.
        message: String,
    },
    /// The unit has errors. Only a plain parse reports them as they are.
    UnitErrors,
    /// Facts of a precompiled header may not be those of its headers in the unit.
    Mismatch(PchMismatch),
    /// A file that was read cannot be scanned.
    UnreadableFile {
        /// The file.
        file: PathBuf,
    },
    /// A file was read that the plan does not know.
    UnforeseenFile {
        /// The file.
        file: PathBuf,
    },
    /// A header was not included by the header that should include it.
    NotIncluded {
        /// The header.
        file: PathBuf,
    },
    /// A precompiled header includes the unit's own file.
    IncludesUnit,
    /// Reading files in another order may change what a macro or a declaration means.
    Interference {
        /// The macro or the declared name.
        name: String,
        /// The file of the precompiled header.
        file: Option<PathBuf>,
        /// The other file.
        other: Option<PathBuf>,
    },
    /// A file may leave the compiler in another state, or depends on where it is included.
    CompilerState {
        /// The file.
        file: Option<PathBuf>,
    },
    /// A file uses a name that only precompiled headers declare.
    UndeclaredName {
        /// The name.
        name: String,
        /// The file that uses it.
        file: PathBuf,
    },
    /// A file uses fields of a record that only precompiled headers define.
    UndeclaredFields {
        /// The file that uses them.
        file: PathBuf,
    },
    /// Names in facts may be numbered by `__COUNTER__`, which precompiled headers do not continue.
    CountedNames {
        /// The file that may count.
        file: Option<PathBuf>,
    },
}

impl Refusal {
    /// The name of each check, as [`Refusal::check`] gives it.
    pub const CHECKS: &[&str] = &[
        "compiler-message",
        "unit-errors",
        "static-elsewhere",
        "read-again",
        "declared-later",
        "unreadable-file",
        "unforeseen-file",
        "not-included",
        "includes-unit",
        "interference",
        "compiler-state",
        "undeclared-name",
        "undeclared-fields",
        "counted-names",
    ];

    /// Whether it is about the texts of files, so that it counts what the compiler skipped in them.
    pub fn is_about_texts(&self) -> bool {
        matches!(self, Refusal::Interference { .. } | Refusal::CompilerState { .. } | Refusal::CountedNames { .. })
    }

    /// The name of the check that refused.
    pub fn check(&self) -> &'static str {
        match self {
            Refusal::CompilerMessage { .. } => "compiler-message",
            Refusal::UnitErrors => "unit-errors",
            Refusal::Mismatch(PchMismatch::StaticElsewhere) => "static-elsewhere",
            Refusal::Mismatch(PchMismatch::ReadAgain) => "read-again",
            Refusal::Mismatch(PchMismatch::DeclaredLater | PchMismatch::ConstantDefined) => "declared-later",
            Refusal::UnreadableFile { .. } => "unreadable-file",
            Refusal::UnforeseenFile { .. } => "unforeseen-file",
            Refusal::NotIncluded { .. } => "not-included",
            Refusal::IncludesUnit => "includes-unit",
            Refusal::Interference { .. } => "interference",
            Refusal::CompilerState { .. } => "compiler-state",
            Refusal::UndeclaredName { .. } => "undeclared-name",
            Refusal::UndeclaredFields { .. } => "undeclared-fields",
            Refusal::CountedNames { .. } => "counted-names",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Header => "precompiled header",
            Refused::Unit => "translation unit",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |file: &Option<PathBuf>| file.as_ref().map_or("a file".into(), |file| file.shown().to_string());
        match self {
            Refusal::CompilerMessage { message } => write!(f, "the compiler reports: {message}"),
            Refusal::UnitErrors => f.write_str("it has errors"),
            Refusal::Mismatch(PchMismatch::StaticElsewhere) => {
                f.write_str("a static function that a shared header declares is defined in another file")
            }
            Refusal::Mismatch(PchMismatch::ReadAgain) => f.write_str("a shared header was read a second time"),
            Refusal::Mismatch(PchMismatch::DeclaredLater | PchMismatch::ConstantDefined) => {
                f.write_str("something is declared that the facts of a shared header depend on")
            }
            Refusal::UnreadableFile { file } => write!(f, "{} cannot be read", file.shown()),
            Refusal::UnforeseenFile { file } => {
                write!(f, "{} was included, but no scanned `#include` finds it", file.shown())
            }
            Refusal::NotIncluded { file } => {
                write!(f, "{} was not included by the header that should include it", file.shown())
            }
            Refusal::IncludesUnit => f.write_str("a shared header includes its own file"),
            Refusal::Interference { name, file, other } => write!(
                f,
                "the order of {} and {} matters: one may define `{name}` and the other may use it",
                shown(file),
                shown(other)
            ),
            Refusal::CompilerState { file } => {
                write!(f, "{} may change the compiler's state or depend on where it is included", shown(file))
            }
            Refusal::UndeclaredName { name, file } => {
                write!(f, "{} uses `{name}`, which may not be declared there without sharing", file.shown())
            }
            Refusal::UndeclaredFields { file } => {
                write!(f, "{} uses fields of a record that may not be defined there without sharing", file.shown())
            }
            Refusal::CountedNames { file } => {
                write!(f, "{} may number names with `__COUNTER__`", shown(file))
            }
        }
    }
}
