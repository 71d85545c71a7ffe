//! What an editor shows of a program at a place in the source, as plain data that includes all text.
//!
//! Lines and columns count from 1, columns in bytes. It must never know the protocol in which editors ask.

use serde::{Deserialize, Serialize};

use crate::findings::{Label, Span};

/// What cowrap knows about the function or slot at a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hover {
    /// The word.
    pub at: Span,
    /// The function or slot, with its mark: "`MARK` `x`".
    pub title: String,
    /// What holds of it, the most important first.
    pub statements: Vec<Statement>,
}

/// Something that holds, with the locations that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The fact, in lower case and without a full stop.
    pub text: String,
    /// The evidence, in order: a mark, an assertion, or the calls of a chain.
    pub witness: Vec<Label>,
}

/// In which contexts code may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Only inside.
    Inside,
    /// Only outside.
    Outside,
    /// In both contexts.
    Both,
    /// In none: dead code.
    Dead,
}

/// The context at a line of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineContext {
    /// The function that the line belongs to.
    pub function: String,
    /// The first and the last of the lines of which the same holds.
    pub lines: (u32, u32),
    /// The contexts.
    pub reach: Reach,
    /// The same in the words of the pack: "runs in the inside context".
    pub text: String,
    /// What decided it: a mark, a guard, an assertion, a change of the context, or what control does not pass.
    pub guard: Option<Label>,
}

/// A function or slot in a call hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallItem {
    /// Its name.
    pub name: String,
    /// Its marks, or what it requires.
    pub detail: String,
    /// The location of its name, where it is defined or else declared.
    pub at: Span,
    /// The first and the last line of its body, if it has one there.
    pub lines: Option<(u32, u32)>,
    /// Whether it is a slot: a field, variable, parameter or result that points to functions.
    pub is_slot: bool,
}

/// The calls between two items of a call hierarchy in one context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallRelation {
    /// The other item: a caller or a callee.
    pub item: CallItem,
    /// The locations of the calls, in the file of the caller. Of what a slot may point to, the locations where the slot
    /// gets it, in any file.
    pub sites: Vec<Span>,
    /// In which contexts the calls may run: "in both contexts". Empty for what a slot may point to.
    pub context: String,
    /// Whether the calls go through a function pointer.
    pub through_pointer: bool,
}

/// How many callers a function has in which context, to be shown above its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lens {
    /// The location of the function's name.
    pub at: Span,
    /// The numbers of callers.
    pub text: String,
    /// The function.
    pub function: String,
}

/// What cowrap infers about an unmarked function, to be shown beside its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InlayHint {
    /// The location of the function's name.
    pub at: Span,
    /// What it requires: "inside-only".
    pub text: String,
    /// Why.
    pub reason: String,
}

/// What a place to go to is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// A wrapper of the function.
    Wrapper,
    /// What the function wraps.
    Target,
    /// What the slot may point to.
    Candidate,
}

/// A function that belongs to another one, or to a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Where it is defined, or else declared.
    pub at: Span,
}
