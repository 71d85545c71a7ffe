//! Answers to queries about a program, as plain data that includes all text.

use serde::Serialize;

use cowrap_base::files::Tree;

use crate::editor::Reach;
use crate::findings::{Label, Span};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// What cowrap infers about functions, and why.
    Why(Vec<Explanation>),
    /// The callers or callees of functions.
    Related(Vec<Related>),
    /// The paths that match an expression.
    Paths(Paths),
    /// A part of the call graph.
    Graph(Subgraph),
}

/// An answer, with what is needed to show it.
#[derive(Debug)]
pub struct QueryResult {
    /// The answer.
    pub answer: Answer,
    /// The tree, for reading sources.
    pub tree: Tree,
    /// How many translation units could not be read; the answer lacks them.
    pub unread_units: usize,
}

/// A call chain that shows why something is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Remarks on the whole chain.
    pub remarks: Vec<String>,
    /// The calls, in order.
    pub steps: Vec<Label>,
    /// The marks and assertions that the first and the last function rest on.
    pub grounds: Vec<Label>,
}

/// What cowrap infers about a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The function.
    pub function: String,
    /// What it requires of its caller, and why.
    pub requirement: String,
    /// Its declarations and definitions, with their marks.
    pub declarations: Vec<Label>,
    /// What follows from the program.
    pub inferences: Vec<Inference>,
}

/// Something that follows from the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inference {
    /// The fact.
    pub text: String,
    /// The evidence: the most certain witness, or all of them if the query asks for all.
    pub witnesses: Vec<Witness>,
    /// How many more witnesses there are.
    pub more: usize,
}

/// The direction in which calls are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To callers.
    Callers,
    /// To callees.
    Callees,
}

/// The callers or callees of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The function.
    pub function: String,
    /// Callers or callees.
    pub direction: Direction,
    /// The calls, the nearest first, then by location.
    pub relations: Vec<Relation>,
}

/// A call, or a function that a slot may point to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// The distance in steps, from 1.
    pub distance: u32,
    /// A function or slot.
    pub from: String,
    /// What it calls, or may point to.
    pub to: String,
    /// How.
    pub kind: EdgeKind,
    /// The location of the call.
    pub at: Option<Span>,
    /// The contexts in which the call may run; empty for a function that a slot may point to.
    pub context: String,
}

/// The paths that were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The shortest path to each end, the shortest first.
    pub paths: Vec<Witness>,
    /// How many more ends there are.
    pub more: usize,
}

/// A part of the call graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subgraph {
    /// Functions and slots, sorted; edges count them.
    pub nodes: Vec<GraphNode>,
    /// The calls between them, sorted.
    pub edges: Vec<GraphEdge>,
    /// How many functions and slots are left out since there is a limit.
    pub left_out: usize,
    /// The nodes where the paths begin; empty if the query is not about paths.
    #[serde(skip)]
    pub starts: Vec<usize>,
    /// What each effect is called, by its general name; only drawings need it.
    #[serde(skip)]
    pub legend: Vec<(&'static str, String)>,
    /// Where code runs in some contexts, after a verb; only drawings need it.
    #[serde(skip)]
    pub contexts: Vec<(Reach, String)>,
}

/// A function or a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// Its marks, what it requires, and what it is.
    pub labels: Vec<String>,
    /// Where it is defined, or else declared; a slot has no location.
    pub at: Option<Span>,
    /// What it requires of its caller, and why.
    pub requirement: String,
    /// In which contexts its body may start; `None` for a slot.
    pub context: Option<Reach>,
    /// Whether the query names it.
    pub requested: bool,
    /// The general name of what it requires; `None` if it requires nothing. Labels have the pack's word.
    #[serde(skip)]
    pub effect: Option<&'static str>,
    /// How many callers and callees the graph does not have.
    #[serde(skip)]
    pub beyond: [usize; 2],
}

/// All calls of one kind from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphEdge {
    /// The caller: an index into [`Subgraph::nodes`].
    pub from: usize,
    /// The callee: an index into [`Subgraph::nodes`].
    pub to: usize,
    /// How.
    pub kind: EdgeKind,
    /// The locations of the calls.
    pub sites: Vec<Span>,
    /// In which contexts the calls may run; `None` for a function that a slot may point to.
    pub context: Option<Reach>,
    /// The rules that are violated there.
    pub rules: Vec<String>,
}

/// How one node of the call graph leads to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// A call by name.
    Call,
    /// A call as the cleanup of a variable.
    Cleanup,
    /// A call in an arm of a selection that cowrap cannot resolve.
    Unresolved,
    /// A call through a function-pointer slot.
    PointerCall,
    /// A function that a slot may point to.
    Candidate,
}
