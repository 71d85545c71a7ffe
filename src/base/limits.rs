//! How much one part of the input may cost, so that a hostile one costs only itself.
//!
//! The defaults are generous: no unit of QEMU comes near them. Options and `cowrap.toml` change
//! them.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of a run. What exceeds one is reported as a problem that names the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// One of the limits, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Limit {
    /// [`Limits::unit_time`], in seconds.
    Time,
    /// [`Limits::unit_memory`], in MiB.
    Memory,
    /// [`Limits::source_bytes`], in MiB.
    Source,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::database_entries`].
    Entries,
    /// [`Limits::facts_bytes`], in MiB.
    Facts,
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

impl Limits {
    /// Changes a limit; the value is in the limit's unit.
    pub fn set(&mut self, limit: Limit, value: NonZeroU32) {
        let (value, number) = (value.get(), value.get() as usize);
        match limit {
            Limit::Time => self.unit_time = Duration::from_secs(value.into()),
            Limit::Memory => self.unit_memory = u64::from(value) << 20,
            Limit::Source => self.source_bytes = u64::from(value) << 20,
            Limit::Depth => self.depth = value,
            Limit::Entries => self.database_entries = number,
            Limit::Facts => self.facts_bytes = u64::from(value) << 20,
        }
    }

    /// A limit, in its unit.
    pub fn get(&self, limit: Limit) -> u64 {
        match limit {
            Limit::Time => self.unit_time.as_secs(),
            Limit::Memory => self.unit_memory >> 20,
            Limit::Source => self.source_bytes >> 20,
            Limit::Depth => self.depth.into(),
            Limit::Entries => self.database_entries as u64,
            Limit::Facts => self.facts_bytes >> 20,
        }
    }
}

impl Limit {
    /// All limits, in the order in which help and documentation list them.
    pub const ALL: [Limit; 6] = [Limit::Time, Limit::Memory, Limit::Source, Limit::Depth, Limit::Entries, Limit::Facts];

    /// The key in the table `[limits]` of `cowrap.toml`.
    pub fn key(self) -> &'static str {
        match self {
            Limit::Time => "time",
            Limit::Memory => "memory",
            Limit::Source => "source",
            Limit::Depth => "depth",
            Limit::Entries => "entries",
            Limit::Facts => "facts",
        }
    }

    /// The option of the command line. Messages name it.
    pub fn option(self) -> &'static str {
        match self {
            Limit::Time => "--limit-time",
            Limit::Memory => "--limit-memory",
            Limit::Source => "--limit-source",
            Limit::Depth => "--limit-depth",
            Limit::Entries => "--limit-entries",
            Limit::Facts => "--limit-facts",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_set_in_its_unit() {
        let mut limits = Limits::default();
        for (limit, value) in Limit::ALL.into_iter().zip(7..) {
            limits.set(limit, NonZeroU32::new(value).unwrap());
            assert_eq!((limits.get(limit), limit.option()), (value.into(), &*format!("--limit-{}", limit.key())));
        }
        assert_eq!((limits.unit_time, limits.unit_memory), (Duration::from_secs(7), 8 << 20));
    }
}
