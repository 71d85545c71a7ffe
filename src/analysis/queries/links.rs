//! The call graph with slots: a call through a slot leads to the slot, and from there to all of its candidates.

use std::cell::OnceCell;

use rayon::slice::ParallelSliceMut;

use crate::effects::Effects;
use crate::program::{Digraph, FileId, FunctionId, Id, IndexVec, Location, Node, Origin, SlotId};
use crate::wording;
use cowrap_facts::{CallKind, ContextSet};
use cowrap_report::EdgeKind;

/// A function or a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vertex {
    /// A function.
    Function(FunctionId),
    /// A slot.
    Slot(SlotId),
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The function that calls, or the slot.
    pub from: Vertex,
    /// The function or slot that it calls, or the slot's candidate.
    pub to: Vertex,
    /// The location of the call. `None` for a candidate: see [`Links::location`].
    pub location: Option<Location>,
    /// What connects the two.
    pub kind: EdgeKind,
    /// The contexts in which the call may run, by the marks and guards of the caller alone.
    pub contexts: ContextSet,
}

/// The graph.
pub struct Links<'e, 'a> {
    effects: &'e Effects<'a>,
    /// Sorted by caller.
    links: Vec<Link>,
    /// The same for petgraph. The nodes are the numbers of vertices, and edges carry positions in `links`.
    graph: Digraph<u32>,
    /// For each slot, where its candidates come into it, once this was asked for.
    arrivals: IndexVec<SlotId, OnceCell<Vec<(FunctionId, Location)>>>,
}

impl<'e, 'a> Links<'e, 'a> {
    /// The graph of a program.
    pub fn new(effects: &'e Effects<'a>) -> Self {
        let program = effects.program;
        let mut links = Vec::new();
        for body in &program.bodies {
            let (from, start) = (Vertex::Function(body.function), effects.runs_in(body.function));
            for call in &body.calls {
                let kind = match call.kind {
                    CallKind::Written | CallKind::Region => EdgeKind::Call,
                    CallKind::Cleanup => EdgeKind::Cleanup,
                    CallKind::Unresolved => EdgeKind::Unresolved,
                };
                let contexts = call.condition.contexts_from(start);
                links.push(Link {
                    from,
                    to: Vertex::Function(call.callee),
                    location: Some(call.location),
                    kind,
                    contexts,
                });
            }
            for call in &body.slot_calls {
                let Some(slot) = call.slot else { continue };
                let contexts = call.condition.contexts_from(start);
                let kind = EdgeKind::PointerCall;
                links.push(Link { from, to: Vertex::Slot(slot), location: Some(call.location), kind, contexts });
            }
        }
        for slot in program.slots.ids() {
            let (from, contexts) = (Vertex::Slot(slot), ContextSet::BOTH);
            let candidates = effects.points_to.candidates(slot).iter().map(|function| Vertex::Function(*function));
            links.extend(candidates.map(|to| Link { from, to, location: None, kind: EdgeKind::Candidate, contexts }));
        }
        links.par_sort_unstable();
        links.dedup();
        let count = program.functions.len() + program.slots.len();
        let node = |vertex: Vertex| Node(number(effects, vertex) as u32);
        let edges = links.iter().zip(0..).map(|(link, position)| (node(link.from), node(link.to), position));
        let graph = Digraph::new(count, edges);
        let arrivals = IndexVec::from_elem(OnceCell::new(), program.slots.len());
        Links { effects, links, graph, arrivals }
    }

    /// The number of vertices. Each has a number below it.
    pub fn len(&self) -> usize {
        self.effects.program.functions.len() + self.effects.program.slots.len()
    }

    /// A vertex's number.
    pub fn number(&self, vertex: Vertex) -> usize {
        number(self.effects, vertex)
    }

    /// The vertex of a number.
    pub fn vertex(&self, number: usize) -> Vertex {
        let functions = self.effects.program.functions.len();
        match number.checked_sub(functions) {
            Some(slot) => Vertex::Slot(SlotId::from_index(slot)),
            None => Vertex::Function(FunctionId::from_index(number)),
        }
    }

    /// All links, sorted by caller.
    pub fn all(&self) -> &[Link] {
        &self.links
    }

    /// The graph for petgraph. Its nodes are the numbers of vertices, and its edges carry positions in [`Links::all`].
    pub fn graph(&self) -> &Digraph<u32> {
        &self.graph
    }

    /// The links from a vertex.
    pub fn outgoing(&self, vertex: Vertex) -> impl Iterator<Item = &Link> {
        self.graph.outgoing(self.node(vertex)).iter().map(|(_, position)| &self.links[*position as usize])
    }

    /// The links to a vertex.
    pub fn incoming(&self, vertex: Vertex) -> impl Iterator<Item = &Link> {
        self.graph.incoming(self.node(vertex)).iter().map(|(_, position)| &self.links[*position as usize])
    }

    fn node(&self, vertex: Vertex) -> Node {
        Node(self.number(vertex) as u32)
    }

    /// The location of a link: of the call, or for a candidate of the store into the slot, or of the last copy on the
    /// candidate's way to the slot.
    pub fn location(&self, link: &Link) -> Option<Location> {
        link.location.or_else(|| match (link.from, link.to) {
            (Vertex::Slot(slot), Vertex::Function(function)) => {
                let Effects { points_to, program, .. } = self.effects;
                let arrivals = self.arrivals[slot].get_or_init(|| points_to.arrivals(program, slot));
                let found = arrivals.binary_search_by_key(&function, |(candidate, _)| *candidate).ok()?;
                Some(arrivals[found].1)
            }
            _ => None,
        })
    }

    /// How a candidate comes into its slot, by the store that is nearest to a file; `None` for a call.
    pub fn origin(&self, link: &Link, near: FileId) -> Option<Origin> {
        match (link.from, link.to) {
            (Vertex::Slot(slot), Vertex::Function(function)) => {
                self.effects.points_to.origin(self.effects.program, slot, function, near)
            }
            _ => None,
        }
    }

    /// Whether a vertex has this name.
    pub fn is_named(&self, vertex: Vertex, name: &str) -> bool {
        match vertex {
            Vertex::Function(function) => wording::name(self.effects, function) == name,
            Vertex::Slot(_) => self.name(vertex) == name,
        }
    }

    /// A vertex's name, without quotes.
    pub fn name(&self, vertex: Vertex) -> String {
        match vertex {
            Vertex::Function(function) => wording::name(self.effects, function).to_owned(),
            Vertex::Slot(slot) => self.effects.slot_name(slot).replace('`', ""),
        }
    }
}

fn number(effects: &Effects<'_>, vertex: Vertex) -> usize {
    match vertex {
        Vertex::Function(function) => function.index(),
        Vertex::Slot(slot) => effects.program.functions.len() + slot.index(),
    }
}
