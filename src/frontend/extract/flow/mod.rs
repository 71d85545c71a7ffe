//! Where control can be in a body.
//!
//! [`tree`] is the lowered body; [`graph`] makes one control-flow graph of it. [`entry_states`] and [`lockset`] are
//! analyses of the graph that [`solver`] solves, and [`order`] says which calls are before others. No file in here
//! may know libclang.

mod tree;
mod graph;
mod solver;
mod flags;
mod entry_states;
mod lockset;
mod order;
mod deciders;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod interpreter;

pub use deciders::{Decider, Deciders};
pub use entry_states::EntryStates;
pub use flags::flags;
pub use graph::FlowGraph;
pub use lockset::{HeldLocks, Locking, held_locks};
pub use order::SiteOrder;
pub use tree::{
    Arithmetic, CaseValues, Comparison, Entering, FlowTree, IntegerType, Label, NodeId, Op, Origin, Point, Site,
    TruthId, Variable, VariableInfo,
};
