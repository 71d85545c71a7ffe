//! Why a unit could not be read.

use std::path::PathBuf;

use cowrap_base::files::{ReadRefusal, Shown};
use cowrap_base::limits::{Limit, Limits};
use thiserror::Error;

use crate::clang::ParseError;

/// Why a unit could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// libclang made no translation unit.
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// A path or an argument contains a NUL byte, which cannot be passed to libclang.
    #[error("a path or an argument contains a NUL byte")]
    Nul,
    /// cowrap itself panicked.
    #[error("cowrap panicked while reading this file (please report this): {0}")]
    Panic(String),
    /// The unit may read something that must not be read.
    #[error("{}: {why}", .file.shown())]
    Refused {
        /// The file.
        file: PathBuf,
        /// Why it must not be read.
        why: ReadRefusal,
    },
    /// libclang, or cowrap itself, crashed.
    #[error("the parser crashed with {}", signal_name(*.signal))]
    Crashed {
        /// The signal.
        signal: i32,
    },
    /// libclang ended the worker.
    #[error("the parser ended with status {status}")]
    Ended {
        /// The worker's exit status.
        status: i32,
    },
    /// Somebody killed the workers that read the unit.
    #[error("the parser was killed {times} times")]
    Killed {
        /// How often it was tried.
        times: u32,
    },
    /// Reading the unit exceeded a limit.
    #[error("reading this file exceeded {} {most}", .limit.option())]
    Exceeded {
        /// The limit.
        limit: Limit,
        /// Its value, in its unit.
        most: u64,
    },
    /// Reading the unit took too long although it used little processor time.
    #[error("reading this file took {seconds} s, most of them without using the processor")]
    Slow {
        /// The time.
        seconds: u64,
    },
    /// The parser waited, most likely for a pipe or a device.
    #[error("the parser waited for something that is no regular file, such as a pipe")]
    Waited,
    /// No worker can be started.
    #[error("cannot start a worker process: {0}")]
    NoWorker(String),
    /// Nobody wants the unit any more.
    #[error("reading this file was cancelled")]
    Cancelled,
    /// A worker sent something else than facts.
    #[error("the parser's answer is damaged")]
    Damaged,
}

impl Failure {
    /// That a limit was exceeded.
    pub(crate) fn exceeded(limit: Limit, limits: &Limits) -> Failure {
        Failure::Exceeded { limit, most: limits.get(limit) }
    }

    /// Whether the fault may be that of a precompiled header, or of nobody, so that reading the unit
    /// plainly may help.
    pub(crate) fn may_be_passing(&self) -> bool {
        !matches!(
            self,
            Failure::Refused { .. }
                | Failure::Exceeded { .. }
                | Failure::Waited
                | Failure::Slow { .. }
                | Failure::Cancelled
        )
    }
}

/// The name of a signal that ends a process.
fn signal_name(signal: i32) -> String {
    let known = [
        (rustix::process::Signal::ABORT, "SIGABRT"),
        (rustix::process::Signal::BUS, "SIGBUS"),
        (rustix::process::Signal::FPE, "SIGFPE"),
        (rustix::process::Signal::ILL, "SIGILL"),
        (rustix::process::Signal::KILL, "SIGKILL"),
        (rustix::process::Signal::SEGV, "SIGSEGV"),
        (rustix::process::Signal::SYS, "SIGSYS"),
        (rustix::process::Signal::TRAP, "SIGTRAP"),
    ];
    let name = known.iter().find(|(known, _)| known.as_raw() == signal).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("signal {signal}"))
}
