//! The solver of data flow: for each block of a graph, what holds at its beginning on every path.
//!
//! It knows nothing of what it computes. A block is visited again whenever what holds there has become less. A block
//! that is visited more than [`MOST_CHANGES`] times forgets everything; so the number of visits is bounded by that
//! number times the number of edges, however a body is written.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::visit::EdgeRef;

use super::graph::{Block, BlockId, Edge, EdgeId, FlowGraph, Step};

/// How often what holds at a block may become less before all of it is forgotten. Loops that are nested as deep as
/// people write them need less.
pub const MOST_CHANGES: u32 = 24;

/// What holds at a point.
pub trait Lattice: Clone {
    /// Keeps what holds on the other path too. Returns whether that was less than before.
    fn join(&mut self, other: &Self) -> bool;

    /// Forgets everything.
    fn forget(&mut self);
}

/// An analysis.
pub trait Transfer {
    /// What it computes.
    type Fact: Lattice;

    /// What holds where control enters the body.
    fn start(&self) -> Self::Fact;

    /// What holds behind a step.
    fn step(&self, step: &Step, state: &mut Self::Fact);

    /// Whether control can take an edge, and what holds then.
    fn refine(&self, id: EdgeId, edge: Edge, state: &mut Self::Fact) -> bool;
}

/// What holds at the beginning of each block, and along each edge; `None` where control cannot be.
pub struct Solution<S> {
    states: Vec<Option<S>>,
    edges: Vec<Option<S>>,
}

impl<S> Solution<S> {
    /// What holds at the beginning of a block.
    pub fn at(&self, block: BlockId) -> Option<&S> {
        self.states[block.index()].as_ref()
    }

    /// What holds along the edges that control takes.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeId, &S)> {
        let edges = self.edges.iter().enumerate();
        edges.filter_map(|(number, state)| Some((EdgeId::new(number), state.as_ref()?)))
    }
}

/// Solves an analysis.
pub fn solve<T: Transfer>(graph: &FlowGraph, transfer: &T) -> Solution<T::Fact> {
    let count = graph.blocks.node_count();
    let mut rank = vec![0u32; count];
    for (position, block) in graph.order.iter().enumerate() {
        rank[block.index()] = position as u32;
    }
    let mut states: Vec<Option<T::Fact>> = vec![None; count];
    let mut edges: Vec<Option<T::Fact>> = vec![None; graph.blocks.edge_count()];
    let mut changes = vec![0u32; count];
    states[graph.entry.index()] = Some(transfer.start());
    let mut pending = BTreeSet::from([rank[graph.entry.index()]]);
    while let Some(next) = pending.pop_first() {
        let block = graph.order[next as usize];
        let Some(state) = states[block.index()].clone() else { continue };
        let state = behind(&graph.blocks[block], transfer, state);
        each_edge(graph, block, |to, id, edge| {
            let mut state = state.clone();
            if !transfer.refine(id, edge, &mut state) {
                return;
            }
            let changed = match &mut states[to.index()] {
                Some(known) => {
                    let changed = known.join(&state);
                    changes[to.index()] += u32::from(changed);
                    if changed && changes[to.index()] > MOST_CHANGES {
                        known.forget();
                    }
                    changed
                }
                unknown => {
                    *unknown = Some(state.clone());
                    true
                }
            };
            if changed {
                pending.insert(rank[to.index()]);
            }
            // What is known there becomes less with each visit, so that the last one counts.
            edges[id.index()] = Some(state);
        });
    }
    Solution { states, edges }
}

/// What holds behind a block.
pub fn behind<T: Transfer>(block: &Block, transfer: &T, mut state: T::Fact) -> T::Fact {
    for step in &block.steps {
        transfer.step(step, &mut state);
    }
    state
}

/// The edges out of a block, in the order in which they were added. None leads out of a call that does not return.
pub fn each_edge(graph: &FlowGraph, block: BlockId, mut use_edge: impl FnMut(BlockId, EdgeId, Edge)) {
    if graph.blocks[block].stops {
        return;
    }
    for edge in graph.blocks.edges_directed(block, Direction::Outgoing) {
        use_edge(edge.target(), edge.id(), *edge.weight());
    }
}
