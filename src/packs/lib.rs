//! Packs and `cowrap.toml`: finds, parses and checks them, and locates their errors.
//!
//! A pack has the names of one code base, so that no other crate needs to know any. This crate must never know the
//! logic of rules, or the terminal.

#![warn(missing_docs)]

mod pack;
mod set;
mod generator;
mod builtin;
mod naming;
mod settings;
mod nearest;

pub use generator::{Dialect, Feature, Generator, Probe};
pub use nearest::nearest;
pub use pack::{
    Change, Compared, ContextName, Cut, Effect, Lock, LockMode, MarkSpec, Model, Pack, PackError, Predicate, SlotModel,
    SlotName, ThreadParameter, When, Wrapper,
};
pub use set::PackSet;
pub use settings::{FILE_NAME, GeneratorFiles, LevelOf, Setting, Settings, SettingsError, Valued};

/// Whether a pack of this name is compiled in.
fn is_builtin(pack: &std::path::Path) -> bool {
    builtin::NAMES.iter().any(|name| pack == std::path::Path::new(name))
}
