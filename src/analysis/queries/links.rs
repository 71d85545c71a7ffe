//! The call graph with slots: a call through a slot leads to the slot, and from there to all of its candidates.

use rayon::slice::ParallelSliceMut;

use crate::effects::Effects;
use crate::program::{FunctionId, Id, Location, SlotId};
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
    /// The location of the call, or of the store into the slot. `None` for a candidate that was copied from another
    /// slot.
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
    /// For each vertex, where its links begin.
    starts: Vec<u32>,
    /// The positions of links, sorted by callee.
    incoming: Vec<u32>,
    incoming_starts: Vec<u32>,
}

impl<'e, 'a> Links<'e, 'a> {
    /// The graph of a program.
    pub fn new(effects: &'e Effects<'a>) -> Self {
        let program = effects.program;
        let mut links = Vec::new();
        for body in &program.bodies {
            let (from, start) = (Vertex::Function(body.function), effects.start(body.function));
            for call in &body.calls {
                let kind = match call.kind {
                    CallKind::Written | CallKind::Region => EdgeKind::Call,
                    CallKind::Cleanup => EdgeKind::Cleanup,
                    CallKind::Unresolved => EdgeKind::Unresolved,
                };
                let contexts = start.and(call.condition.contexts());
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
                let contexts = start.and(call.condition.contexts());
                let kind = EdgeKind::PointerCall;
                links.push(Link { from, to: Vertex::Slot(slot), location: Some(call.location), kind, contexts });
            }
        }
        for slot in program.slots.ids() {
            for function in effects.points_to.candidates(slot) {
                let stores = program.stores_of(*function).iter();
                let location = stores.filter(|store| store.slot == Some(slot)).map(|store| store.location).next();
                let to = Vertex::Function(*function);
                let contexts = ContextSet::BOTH;
                links.push(Link { from: Vertex::Slot(slot), to, location, kind: EdgeKind::Candidate, contexts });
            }
        }
        links.par_sort_unstable();
        links.dedup();
        let count = program.functions.len() + program.slots.len();
        let number = |vertex: Vertex| number(effects, vertex);
        let outgoing_starts = starts(count, links.iter().map(|link| number(link.from)));
        let incoming_starts = starts(count, links.iter().map(|link| number(link.to)));
        let mut free = incoming_starts.clone();
        let mut incoming = vec![0; links.len()];
        for (position, link) in links.iter().enumerate() {
            let location = &mut free[number(link.to)];
            incoming[*location as usize] = position as u32;
            *location += 1;
        }
        Links { effects, links, starts: outgoing_starts, incoming, incoming_starts }
    }

    /// The number of vertices. Each has a number below it.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
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

    /// The links from a vertex.
    pub fn outgoing(&self, vertex: Vertex) -> &[Link] {
        let number = self.number(vertex);
        &self.links[self.starts[number] as usize..self.starts[number + 1] as usize]
    }

    /// The links to a vertex.
    pub fn incoming(&self, vertex: Vertex) -> impl Iterator<Item = &Link> {
        let number = self.number(vertex);
        let range = self.incoming_starts[number] as usize..self.incoming_starts[number + 1] as usize;
        self.incoming[range].iter().map(|position| &self.links[*position as usize])
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

/// For each of `count` numbers, where it begins in the sorted list of numbers; then the end of the list.
fn starts(count: usize, numbers: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0; count + 1];
    for number in numbers {
        starts[number + 1] += 1;
    }
    for number in 0..count {
        starts[number + 1] += starts[number];
    }
    starts
}
