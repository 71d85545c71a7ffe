//! What decides that control does not come to a point as it could at the beginning of the body: the nearest condition,
//! change of the context, or jump before the point. Conditions on parameters count only if nothing else decides.
//!
//! This looks back from the point, along the edges that control takes. Where several meet, it goes on at the block
//! that all of them come from, if nothing between the two decides anything, else along the last of them in the source.
//! It is only for readers, and for bodies that have such points.

use std::collections::{HashSet, VecDeque};

use cowrap_facts::{Context, ContextSet, GuardKind, PathCondition};
use petgraph::Direction;
use petgraph::algo::dominators::{self, Dominators};
use petgraph::graph::EdgeReference;
use petgraph::visit::{EdgeFiltered, EdgeRef};

use super::entry_states::EntryStates;
use super::graph::{Behind, BlockId, Edge, FlowGraph, Passing, Scope, Step};
use super::tree::{Origin, Point};

/// What decides about a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decider {
    /// What it is.
    pub kind: GuardKind,
    /// Where it comes from.
    pub origin: Origin,
}

/// How far it is followed whether a condition only guards a call that does not return.
const LONGEST_FAILURE: usize = 8;

/// What is needed to find deciders.
pub struct Deciders<'g> {
    graph: &'g FlowGraph,
    /// The entry states in which control takes each edge.
    taken: &'g [PathCondition],
    /// The same for the beginning of each block.
    starts: Vec<PathCondition>,
    /// The position of each block in the order of the graph.
    rank: Vec<usize>,
    dominators: Dominators<BlockId>,
}

/// An edge to a block.
type Incoming<'g> = EdgeReference<'g, Edge>;

impl<'g> Deciders<'g> {
    /// Prepares to find deciders in a body.
    pub fn new(graph: &'g FlowGraph, states: &'g EntryStates) -> Deciders<'g> {
        let taken = states.taken.as_slice();
        let mut starts = vec![PathCondition::NEVER; graph.blocks.node_count()];
        for edge in graph.blocks.edge_references() {
            let start = &mut starts[edge.target().index()];
            *start = start.or(taken[edge.id().index()]);
        }
        let mut rank = vec![usize::MAX; graph.blocks.node_count()];
        graph.order.iter().enumerate().for_each(|(position, block)| rank[block.index()] = position);
        let is_taken = |edge: EdgeReference<'_, Edge>| taken[edge.id().index()] != PathCondition::NEVER;
        let dominators = dominators::simple_fast(&EdgeFiltered::from_fn(&graph.blocks, is_taken), graph.entry);
        Deciders { graph, taken, starts, rank, dominators }
    }

    /// What decides about a point. `None` if nothing before it does.
    pub fn of(&self, point: Point) -> Option<Decider> {
        let (mut block, steps) = self.graph.points.get(point.0 as usize).copied().flatten()?;
        let mut steps = &self.graph.blocks[block].steps[..steps];
        if !self.is_reached(block) {
            match self.before_dead_code(block) {
                Before::Block(before) | Before::Parameter(_, before) => block = before,
                Before::Decider(decider) => return decider,
                Before::Nothing => return None,
            }
            steps = &self.graph.blocks[block].steps;
        }
        let mut visited = HashSet::new();
        let mut left = Vec::new();
        let mut by_parameter = None;
        while visited.insert(block) {
            if let Some(origin) = self.change_in(steps, &mut left) {
                return Some(Decider { kind: GuardKind::Change, origin: origin? });
            }
            match self.before(block) {
                Before::Decider(decider) => return decider,
                Before::Parameter(decider, before) => {
                    by_parameter.get_or_insert(decider);
                    block = before;
                }
                Before::Block(before) => block = before,
                Before::Nothing => break,
            }
            steps = &self.graph.blocks[block].steps;
        }
        by_parameter
    }

    /// The last change of the context among some steps that is still in force. `left` has the scopes that control went
    /// on in behind these steps.
    fn change_in(&self, steps: &[Step], left: &mut Vec<Scope>) -> Option<Option<Origin>> {
        for step in steps.iter().rev() {
            match step {
                Step::Leave(scope) => left.push(*scope),
                Step::Enter(entering, scope, origin) => {
                    let is_over = |outer: &Scope| !self.graph.is_within(*outer, *scope);
                    // Control may not have come back from the other context, whether the scope is over or not.
                    let lasts = entering.guard.is_none() || entering.from.is_some();
                    if lasts || !left.iter().any(is_over) {
                        return Some(*origin);
                    }
                }
                Step::Set(..) | Step::Call(..) | Step::Note(..) | Step::Point(_) => {}
            }
        }
        None
    }

    /// What decides at the beginning of a block that control comes to, or where to look for it.
    fn before(&self, block: BlockId) -> Before {
        if block == self.graph.entry {
            return Before::Nothing;
        }
        let incoming = self.graph.blocks.edges_directed(block, Direction::Incoming);
        let is_taken = |edge: &Incoming<'_>| self.taken[edge.id().index()] != PathCondition::NEVER;
        let taken = self.forward(incoming.filter(is_taken).collect());
        if taken.len() != 1
            && let Some(common) = self.dominators.immediate_dominator(block)
            && self.end(common) == self.starts[block.index()]
        {
            return Before::Block(common);
        }
        self.last(&taken).map_or(Before::Nothing, |edge| self.decided_by(edge))
    }

    /// The same of a block that control does not come to: at the nearest block before it that control comes to.
    fn before_dead_code(&self, block: BlockId) -> Before {
        let mut open = VecDeque::from([block]);
        let mut visited = HashSet::from([block]);
        while let Some(block) = open.pop_front() {
            let incoming = self.graph.blocks.edges_directed(block, Direction::Incoming);
            let (reached, dead): (Vec<Incoming<'_>>, Vec<Incoming<'_>>) =
                incoming.partition(|edge| self.is_reached(edge.source()));
            if let Some(edge) = self.last(&self.forward(reached)) {
                return self.decided_by(edge);
            }
            let behind = self.graph.blocks[block].behind;
            if let Some(Behind { what, origin, .. }) = behind.filter(|behind| self.is_reached(behind.block)) {
                let kind = match what {
                    Passing::Call => GuardKind::NoReturn,
                    Passing::Return => GuardKind::Return,
                    Passing::Jump => GuardKind::Jump,
                    Passing::Condition => GuardKind::Never,
                };
                return Before::Decider(origin.map(|origin| Decider { kind, origin }));
            }
            let before = dead.iter().map(|edge| edge.source()).chain(behind.map(|behind| behind.block));
            open.extend(before.filter(|before| visited.insert(*before)));
        }
        Before::Nothing
    }

    /// Whether an edge goes on: along those that go back, control comes from where it has been.
    fn is_forward(&self, edge: Incoming<'_>) -> bool {
        self.rank_of(edge.source()) < self.rank_of(edge.target())
    }

    /// Those edges to a block that go on. A jump into a loop can make all of them go back; then all of them.
    fn forward<'e>(&self, mut edges: Vec<Incoming<'e>>) -> Vec<Incoming<'e>> {
        if edges.iter().any(|edge| self.is_forward(*edge)) {
            edges.retain(|edge| self.is_forward(*edge));
        }
        edges
    }

    /// The edge that comes from the last block in the source.
    fn last<'e>(&self, edges: &[Incoming<'e>]) -> Option<Incoming<'e>> {
        edges.iter().copied().max_by_key(|edge| (self.rank_of(edge.source()), edge.id()))
    }

    /// Whether the condition of an edge decides, or what is before it.
    fn decided_by(&self, edge: Incoming<'_>) -> Before {
        let (before, behind) = (self.end(edge.source()), self.taken[edge.id().index()]);
        let origin = match edge.weight() {
            Edge::Always => None,
            Edge::If(number, _) => self.graph.conditions[*number as usize].origin,
            Edge::Case(number, _) => self.graph.switches[*number as usize].origin,
        };
        let Some(origin) = origin.filter(|_| before != behind) else { return Before::Block(edge.source()) };
        let is_failure = || {
            let others = self.graph.blocks.edges_directed(edge.source(), Direction::Outgoing);
            others.filter(|other| other.id() != edge.id()).any(|other| self.ends_program(other.target()))
        };
        let kind = match contexts(before) != contexts(behind) {
            _ if behind == PathCondition::NEVER => GuardKind::Never,
            true if is_failure() => GuardKind::Assertion,
            true => GuardKind::Condition,
            false => return Before::Parameter(Decider { kind: GuardKind::Parameter, origin }, edge.source()),
        };
        Before::Decider(Some(Decider { kind, origin }))
    }

    /// Whether control that comes to a block only comes to a call that does not return.
    fn ends_program(&self, mut block: BlockId) -> bool {
        for _ in 0..LONGEST_FAILURE {
            if self.graph.blocks[block].stops {
                return true;
            }
            let mut next = self.graph.blocks.edges_directed(block, Direction::Outgoing);
            let (Some(edge), None) = (next.next(), next.next()) else { return false };
            block = edge.target();
        }
        false
    }

    /// The entry states in which control goes on behind a block.
    fn end(&self, block: BlockId) -> PathCondition {
        let outgoing = self.graph.blocks.edges_directed(block, Direction::Outgoing);
        outgoing.fold(PathCondition::NEVER, |end, edge| end.or(self.taken[edge.id().index()]))
    }

    fn is_reached(&self, block: BlockId) -> bool {
        block == self.graph.entry || self.starts[block.index()] != PathCondition::NEVER
    }

    fn rank_of(&self, block: BlockId) -> usize {
        self.rank[block.index()]
    }
}

/// The contexts at a point from each context of entry, whatever the parameters are.
fn contexts(condition: PathCondition) -> [ContextSet; 2] {
    Context::ALL.map(|entry| condition.contexts_from(entry.into()))
}

/// What is before a block.
enum Before {
    /// What decides, if it is known where that comes from.
    Decider(Option<Decider>),
    /// A condition on a parameter. Something at the end of this block can matter more.
    Parameter(Decider, BlockId),
    /// Nothing yet: look at the end of this block.
    Block(BlockId),
    /// Nothing.
    Nothing,
}
