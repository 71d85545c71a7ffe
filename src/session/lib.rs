//! One run of cowrap: check, fix, queries, generation of wrappers, indexes and shards.
//!
//! A [`Request`] says what is asked for. [`session`] reads a tree in any of its [snapshots](snapshot), by way of the caches, and
//! is the only way to a program; what is done with the program is in a module for each command.
//!
//! It must never know argument syntax or output formats.

#![warn(missing_docs)]

mod request;
mod error;
mod gate;

mod check;
mod fix;
mod patches;
mod query;
mod index_file;
mod facts_file;
mod ninja;
mod generate;

mod session;
mod snapshot;
mod reading;
mod caches;
mod run_cache;
mod inputs;
mod vocabulary;
mod problems;

mod policy;
mod compare;
mod changes;
mod baseline;
mod generated_files;
mod summary;

mod file_format;
mod depfile;

pub use baseline::write_baseline;
pub use check::{check, rule_infos};
pub use cowrap_analysis::queries::Selection;
pub use cowrap_base::files::{Digest, write_whole};
pub use cowrap_fix::unified_diff;
pub use cowrap_frontend::index::WORKER;
pub use cowrap_packs::{Settings, Valued, nearest};
pub use error::Error;
pub use facts_file::{Extracted, FactsError, LinkRequest, Part, Shard, extract, link};
pub use fix::{Applied, FixError, FixRequest, Fixed, NotApplied, Step, fix};
pub use gate::{BASELINE, BaselineRequest, Gate, Since};
pub use generate::{
    GenerateError, GenerateRequest, Generated, Job, Known, generate, known_jobs, set_jobs, write_depfile,
};
pub use index_file::{Coverage, Index, IndexError, save};
pub use ninja::{NinjaRequest, emit_ninja};
pub use patches::{PatchError, check_patch_directory, write_patches};
pub use query::{AskError, Query, ask};
pub use request::{Input, Progress, Request, SharingRequest};
pub use session::index;
pub use vocabulary::{mark_headers, vocabulary};

/// The cache's location and administration.
pub mod cache {
    pub use cowrap_base::cache::{CacheLocation, DEFAULT_LIMIT, clean, default_directory, info};
}
