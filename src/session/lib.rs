//! One run of cowrap: check, fix, queries, generation of wrappers, indexes and shards.
//!
//! A [`Request`] says what to do. [`session`] reads a tree in any of its [snapshots](snapshot),
//! with the help of the caches, and is the only way to a program. Each command has a module that
//! says what is done with the program.
//!
//! It must never know argument syntax or output formats.

#![warn(missing_docs)]

// What a run is asked to do, and why it has no result.
mod request;
mod gate;
mod error;
mod warning;

// The commands.
mod check;
mod fix;
mod patches;
mod query;
mod index_file;
mod facts_file;
mod ninja;
mod generate;
mod pack_check;
mod pack_new;
pub mod live;
pub mod watcher;

// From a tree to a program.
mod session;
mod snapshot;
mod inputs;
mod units;
mod caches;
mod problems;
mod vocabulary;

// From a program to a report.
mod readings;
mod evaluate;
mod rule_names;
mod comments;
mod policy;
mod suppressions;
mod generated_files;
mod summary;
mod compare;
mod baseline;
mod changes;
mod run_cache;

// The files that several commands write.
mod outputs;
mod file_format;
mod depfile;

pub use baseline::{add_to_baseline, write_baseline};
pub use check::check;
pub use cowrap_analysis::queries::Selection;
pub use cowrap_base::files::{
    Digest, LONGEST_TEXT, NamedBy, Place, Shown, TemporaryDirectory, read_source, remove_temporaries,
};
pub use cowrap_base::limits::{Limit, Limits};
pub use cowrap_csyntax::suppression::{NewComment, suppress};
pub use cowrap_fix::{plain_diff, unified_diff};
pub use cowrap_frontend::index::WORKER;
pub use cowrap_frontend::worker::{ARGUMENT as WORKER_ARGUMENT, Isolation, run as run_worker};
pub use cowrap_packs::{Cut, PatternError, Settings, Valued, nearest, path_patterns};
pub use error::Error;
pub use facts_file::{Extracted, FactsError, LinkRequest, Shard, UnitSelection, extract, link};
pub use fix::{Applied, FixError, FixRequest, Fixed, NotApplied, Step, fix};
pub use gate::{BASELINE, BaselineRequest, Gate, Since};
pub use generate::{
    BuildJobs, GenerateError, GenerateRequest, Generated, Job, build_jobs, configured_jobs, generate, output_place,
    require_own_headers,
};
pub use index_file::{Coverage, Index, IndexError, save};
pub use ninja::{NinjaRequest, emit_ninja};
pub use outputs::{is_built_from, refuse_facts, refuse_inputs, refuse_read};
pub use pack_check::{check_pack, read_pack};
pub use pack_new::{Hint, HintSource, NewPack, TreeHints, find_hints, starter};
pub use patches::{PatchError, check_patch_directory, write_patches};
pub use query::{AskError, Query, ask};
pub use request::{Input, Progress, Request, SharingRequest};
pub use rule_names::{builtin_rules, check_settings, rules};
pub use session::index;
pub use vocabulary::{mark_headers, vocabulary};
pub use warning::Warning;

/// The cache's location and administration.
pub mod cache {
    pub use cowrap_base::cache::{CacheLocation, DEFAULT_LIMIT, clean, default_directory, info};
}
