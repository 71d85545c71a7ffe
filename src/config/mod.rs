//! Packs: parsing and validating them, with places for their errors.
//!
//! It must never know the logic of rules, or the terminal.

mod builtin;
mod generator;
mod naming;
mod pack;

pub use generator::{Dialect, Feature, Generator, Probe};
pub use pack::{Cut, Effect, Lock, LockMode, MarkSpec, Model, Pack, PackError, Pair, SlotName, Wrapper};
