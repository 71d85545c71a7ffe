//! Answers to questions about a program, as plain data with all their words.

use serde::Serialize;

use cowrap_base::files::Tree;

use crate::findings::{Label, Span};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// What is believed of functions, and why.
    Why(Vec<Explanation>),
    /// Who calls functions, or whom they call.
    Related(Vec<Related>),
    /// The paths that an expression describes.
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
    /// How many units the answer knows nothing of.
    pub unread_units: usize,
}

/// A way through the program: the calls on it, each with its place and in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// What is remarkable of it as a whole; empty when nothing is.
    pub remarks: Vec<String>,
    /// The calls, in their order.
    pub steps: Vec<Label>,
    /// What the last of them rests on: marks and assertions.
    pub grounds: Vec<Label>,
}

/// What is believed of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The function.
    pub function: String,
    /// What it demands, in words.
    pub requirement: String,
    /// Its declarations and definitions, with their marks.
    pub declarations: Vec<Label>,
    /// What follows.
    pub inferences: Vec<Inference>,
}

/// Something that follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inference {
    /// The fact.
    pub text: String,
    /// Why it is so: one witness, or all that were asked for.
    pub witnesses: Vec<Witness>,
    /// How many more there are.
    pub more: usize,
}

/// In which direction to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To those who call.
    Callers,
    /// To those who are called.
    Callees,
}

/// The callers or callees of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The function.
    pub function: String,
    /// In which direction.
    pub direction: Direction,
    /// The calls, the nearest first, then by place.
    pub relations: Vec<Relation>,
}

/// A call, or what a slot may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// How many steps away it is, from 1.
    pub distance: u32,
    /// A function or slot.
    pub from: String,
    /// What it calls, or what it may hold.
    pub to: String,
    /// How.
    pub kind: EdgeKind,
    /// Where.
    pub at: Option<Span>,
    /// The contexts in which control can be at the call, in words; empty for what a slot holds.
    pub context: &'static str,
}

/// The paths that were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The shortest to each end, the shortest first.
    pub paths: Vec<Witness>,
    /// How many ends there are besides.
    pub more: usize,
}

/// What is to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subgraph {
    /// Functions and slots, sorted; edges count them.
    pub nodes: Vec<GraphNode>,
    /// Who calls whom, sorted.
    pub edges: Vec<GraphEdge>,
}

/// A function or a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// Its marks, what it demands, and what it is.
    pub labels: Vec<String>,
    /// Where it is defined, or else declared; a slot has no place.
    pub at: Option<Span>,
    /// Whether it was asked for.
    pub requested: bool,
}

/// One or several calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphEdge {
    /// The position of the node that calls.
    pub from: usize,
    /// The position of the node that is called.
    pub to: usize,
    /// How.
    pub kind: EdgeKind,
    /// Where.
    pub sites: Vec<Span>,
    /// The rules that are broken there.
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
