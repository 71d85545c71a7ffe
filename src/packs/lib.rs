//! Packs and `cowrap.toml`: finds, parses and checks them, and locates their errors.
//!
//! A pack has the names of one code base, so that no other crate needs to know any. This crate must never know the
//! logic of rules, or the terminal.

#![warn(missing_docs)]

mod pack;
mod effect;
mod marks;
mod models;
mod slots;
mod predicates;
mod locks;
mod rules;
mod template;
mod words;
mod help;
mod document;
mod written;
mod set;
mod entries;
mod generator;
mod builtin;
mod naming;
mod settings;
mod nearest;
mod patterns;

pub use effect::Effect;
pub use entries::{Entry, Names, entries};
pub use generator::{Dialect, Feature, Generator, Probe};
pub use help::Help;
pub use locks::Lock;
pub use marks::{LockMode, MarkSpec, Wrapper};
pub use models::{Cut, Model};
pub use naming::pack_name_problem;
pub use nearest::nearest;
pub use pack::{Pack, PackError};
pub use patterns::{PatternError, path_pattern, path_patterns};
pub use predicates::{Change, ChangeResult, Compared, ContextName, Predicate, When};
pub use rules::{ABOUT_NO_CONTEXT, RULE_IDS};
pub use set::{Numbering, PackSet};
pub use settings::{
    FILE_NAME as SETTINGS_NAME, GeneratorFiles, LevelOf, PackRules, Setting, Settings, SettingsError, TreeCut,
    TreeLimit, TreeModel, TreeSlot, Valued,
};
pub use slots::{SlotModel, SlotName, ThreadParameter};
pub use template::{Template, TemplateProblem, with_article};
pub use words::Words;

/// The names of the packs that are compiled in.
pub fn builtin_names() -> &'static [&'static str] {
    builtin::NAMES
}

/// Whether a pack of this name is compiled in.
fn is_builtin(pack: &std::path::Path) -> bool {
    builtin::NAMES.iter().any(|name| pack == std::path::Path::new(name))
}
