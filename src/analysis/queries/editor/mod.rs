//! What an editor asks of a program: about a word, a line or a file.
//!
//! Somebody waits for each answer. So no function here looks at the whole program, except for lists that are close
//! together in memory; what takes long, [`Effects::prepare`] has computed. Answers are plain data with their wording.
//! This module must never know texts, or how an editor asks.

mod symbol;
mod hover;
mod line;
mod calls;
mod lens;
mod hints;
mod targets;

use std::path::Path;

use crate::effects::Effects;
use crate::program::{FunctionId, SlotId};
use crate::wording::in_context;
use cowrap_facts::{Context, ContextSet};

pub(super) use calls::slot_home;
pub use calls::{call_item, incoming, outgoing};
pub use hints::inlay_hints;
pub use hover::hover;
pub use lens::lenses;
pub use line::line_context;
pub use symbol::symbol_at;
pub use targets::targets;

/// A word in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'w> {
    /// The file: an absolute path without symbolic links.
    pub path: &'w Path,
    /// The line, from 1.
    pub line: u32,
    /// The column of the word's first byte, in bytes from 1.
    pub column: u32,
    /// The word.
    pub word: &'w str,
    /// Whether `.` or `->` stands before it, so that it names a field.
    pub is_member: bool,
}

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// A function.
    Function(FunctionId),
    /// A function-pointer slot.
    Slot(SlotId),
}

/// Where a call runs, in words.
fn in_contexts<'p>(effects: &Effects<'p>, contexts: ContextSet) -> &'p str {
    match contexts.only() {
        Some(context) => in_context(effects, context),
        None if contexts == ContextSet::BOTH => "in both contexts",
        None => "in dead code",
    }
}

/// A count with its noun: "1 caller", "2 callers".
fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// The contexts in the order in which answers list them.
const LISTED: [ContextSet; 4] = [ContextSet::INSIDE, ContextSet::OUTSIDE, ContextSet::BOTH, ContextSet::EMPTY];

/// Whether a function's body may start in a context at all.
fn may_start(effects: &Effects<'_>, function: FunctionId, context: Context) -> bool {
    effects.start(function).contains(context)
}
