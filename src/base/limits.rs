//! How much one part of the input may cost, so that a hostile one costs only itself.
//!
//! The defaults are generous: no unit of QEMU comes near them. Options and `cowrap.toml` change
//! them.

use std::time::Duration;

/// The limits of a run. What exceeds one is told as a problem that names the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The processor time that reading one translation unit may take.
    pub unit_time: Duration,
    /// The memory that reading one translation unit may take, in bytes.
    pub unit_memory: u64,
    /// The length of one source file or header, in bytes.
    pub source_bytes: u64,
    /// How deep statements and expressions may be nested.
    pub depth: u32,
    /// The number of entries of a compilation database.
    pub database_entries: usize,
    /// The facts of all translation units together, in bytes. They decide how much memory the
    /// program takes.
    pub facts_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            unit_time: Duration::from_secs(120),
            unit_memory: 4 << 30,
            source_bytes: crate::files::LONGEST_TEXT,
            depth: 10_000,
            database_entries: 1_000_000,
            facts_bytes: 8 << 30,
        }
    }
}
