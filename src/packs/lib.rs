//! Packs and `cowrap.toml`: finding, parsing and validating them, with places for their errors.
//!
//! It must never know the logic of rules, or the terminal.

#![warn(missing_docs)]

mod builtin;
mod generator;
mod naming;
mod nearest;
mod pack;
mod settings;

pub use generator::{Dialect, Feature, Generator, Probe};
pub use nearest::nearest;
pub use pack::{Cut, Effect, Lock, LockMode, MarkSpec, Model, Pack, PackError, Pair, SlotName, Wrapper};
pub use settings::{FILE_NAME, GeneratorFiles, LevelOf, Setting, Settings, SettingsError, Valued};

/// Whether a pack of this name is compiled in.
fn is_builtin(pack: &std::path::Path) -> bool {
    builtin::NAMES.iter().any(|name| pack == std::path::Path::new(name))
}
