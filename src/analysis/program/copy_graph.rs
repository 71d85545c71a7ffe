//! Where the functions in a slot come from: the store that names a function, and the copies on the way to the slot.

use std::collections::HashSet;

use petgraph::algo::astar;
use petgraph::visit::{Data, EdgeRef, GraphBase, GraphRef, IntoEdgeReferences, IntoEdges, IntoNeighbors, Visitable};

use super::{Adjacency, FunctionId, PointerCopy, PointsTo, Program, SlotId, SlotKey, Store};

/// How a function comes into a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The store that names the function.
    pub store: Store,
    /// The copies from the slot of the store on, in order. A copy into or out of `*p` is followed by one out of or into
    /// a slot that `p` points to.
    pub copies: Vec<PointerCopy>,
}

/// What the search for an origin needs beside the program and the sets.
#[derive(Debug)]
pub(super) struct CopyIndex {
    /// For each slot, the positions of the copies to it.
    copies_to: Adjacency<SlotId, u32>,
    /// For each slot, those whose identity refers to it.
    derived: Adjacency<SlotId, SlotId>,
}

impl CopyIndex {
    pub(super) fn new(program: &Program) -> Self {
        let copies = program.copies.iter().zip(0..).map(|(copy, position)| (copy.to, position));
        let derived = program.slots.enumerated().filter_map(|(id, slot)| Some((slot.base?, id)));
        let count = program.slots.len();
        CopyIndex { copies_to: Adjacency::new(count, copies), derived: Adjacency::new(count, derived) }
    }
}

/// A slot, or the side of it that stores go to. The two differ for `*p` and the like: what is stored there goes on to
/// the slots that `p` points to, and what is read there comes from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    slot: SlotId,
    is_written: bool,
}

/// The graph of the places that a function comes through: from each place to those that its value comes from.
#[derive(Clone, Copy)]
struct Sources<'p> {
    program: &'p Program,
    points_to: &'p PointsTo,
    index: &'p CopyIndex,
    function: FunctionId,
}

impl PointsTo {
    /// How a function comes into a slot, by as few copies as possible. `None` if the slot does not hold it.
    pub fn origin(&self, program: &Program, slot: SlotId, function: FunctionId) -> Option<Origin> {
        self.candidates(slot).binary_search(&function).ok()?;
        let index = self.copy_index.get_or_init(|| CopyIndex::new(program));
        let sources = Sources { program, points_to: self, index, function };
        let start = Place { slot, is_written: false };
        let cost = |edge: Source| u32::from(edge.is_copy);
        let (_, mut path) = astar(sources, start, |place| sources.store(place).is_some(), cost, |_| 0)?;
        path.reverse();
        let store = *sources.store(*path.first()?)?;
        let copies = path.windows(2).filter_map(|step| sources.copy(step[0], step[1])).copied().collect();
        Some(Origin { store, copies })
    }

    /// The slots that a slot's value goes to, by a copy or by a call. Through a pointer, those that it may point to.
    pub fn copied_to(&self, program: &Program, slot: SlotId) -> Vec<SlotId> {
        let mut to = Vec::new();
        for copy in program.copies_from(slot) {
            self.stored_into(program, copy.to, &mut to);
        }
        // What is read through a pointer to the slot is what the slot holds.
        let index = self.copy_index.get_or_init(|| CopyIndex::new(program));
        for pointer in self.pointers(slot) {
            let derived = index.derived.of(*pointer).iter();
            to.extend(derived.filter(|derived| matches!(program.slot(**derived).key, SlotKey::Target(_))));
        }
        to.sort_unstable();
        to.dedup();
        to.retain(|to| *to != slot);
        to
    }

    /// The slots that a store into a slot reaches: the slot, or those that it stands for.
    pub fn destinations(&self, program: &Program, slot: SlotId) -> Vec<SlotId> {
        let mut to = Vec::new();
        self.stored_into(program, slot, &mut to);
        to.sort_unstable();
        to.dedup();
        to
    }

    fn stored_into(&self, program: &Program, slot: SlotId, to: &mut Vec<SlotId>) {
        let linked = program.slot(slot);
        match (&linked.key, linked.base) {
            (SlotKey::Target(_), Some(base)) => to.extend(self.addresses(base)),
            (SlotKey::PointedParameter { position, .. }, Some(base)) => {
                let parameter = |function: &FunctionId| program.parameter(*function, *position);
                to.extend(self.candidates(base).iter().filter_map(parameter));
            }
            (SlotKey::PointedResult { .. }, Some(base)) => {
                to.extend(self.candidates(base).iter().filter_map(|function| program.result(*function)));
            }
            _ => to.push(slot),
        }
    }
}

impl<'p> Sources<'p> {
    /// The place that stores into a slot go to.
    fn written(self, slot: SlotId) -> Place {
        Place { slot, is_written: self.program.slot(slot).base.is_some() }
    }

    /// The first store of the function into a place.
    fn store(self, place: Place) -> Option<&'p Store> {
        let mut stores = self.program.stores_of(self.function).iter();
        stores.find(|store| store.slot == Some(place.slot) && place == self.written(place.slot))
    }

    /// The first copy from one place to another.
    fn copy(self, from: Place, to: Place) -> Option<&'p PointerCopy> {
        if from.is_written || to != self.written(to.slot) {
            return None;
        }
        let copies = self.program.copies_from(from.slot).iter().filter(|copy| copy.to == to.slot);
        copies.min_by_key(|copy| copy.location)
    }

    fn of(self, place: Place) -> Vec<Source> {
        let Sources { program, points_to, index, function } = self;
        let mut found: Vec<(SlotId, bool, bool)> = Vec::new();
        let Place { slot, is_written } = place;
        if place == self.written(slot) {
            let copies = index.copies_to.of(slot).iter().map(|position| program.copies[*position as usize].from);
            found.extend(copies.map(|from| (from, false, true)));
            let derived = |base: &SlotId| index.derived.of(*base).iter().copied();
            let targets = points_to.pointers(slot).iter().flat_map(derived);
            let targets = targets.filter(|target| matches!(program.slot(*target).key, SlotKey::Target(_)));
            found.extend(targets.map(|target| (target, true, false)));
            // What is passed through a pointer to the function, or stored into its result.
            let pointed = |function: FunctionId| points_to.slots(function).iter().flat_map(derived);
            match program.slot(slot).key {
                SlotKey::Parameter { function, position } => {
                    let is_same = |key: &SlotKey| match key {
                        SlotKey::PointedParameter { position: at, .. } => *at == position,
                        _ => false,
                    };
                    let passed = pointed(function).filter(|derived| is_same(&program.slot(*derived).key));
                    found.extend(passed.map(|derived| (derived, true, false)));
                }
                SlotKey::Result { function } => {
                    let is_result = |key: &SlotKey| matches!(key, SlotKey::PointedResult { .. });
                    let stored = pointed(function).filter(|derived| is_result(&program.slot(*derived).key));
                    found.extend(stored.map(|derived| (derived, true, false)));
                }
                _ => {}
            }
        }
        if !is_written && let Some(base) = program.slot(slot).base {
            let mut add = |slot: Option<SlotId>| found.extend(slot.map(|slot| (slot, false, false)));
            let candidates = points_to.candidates(base).iter();
            match program.slot(slot).key {
                SlotKey::Target(_) => points_to.addresses(base).iter().for_each(|slot| add(Some(*slot))),
                SlotKey::PointedResult { .. } => candidates.for_each(|function| add(program.result(*function))),
                SlotKey::PointedParameter { position, .. } => {
                    candidates.for_each(|function| add(program.parameter(*function, position)));
                }
                _ => {}
            }
        }
        let holds = |slot: SlotId| points_to.candidates(slot).binary_search(&function).is_ok();
        found.retain(|(slot, is_written, _)| *is_written || holds(*slot));
        found.sort_unstable();
        found.dedup();
        let sources = found.into_iter().map(|(slot, is_written, is_copy)| {
            let from = Place { slot, is_written };
            Source { place, from, is_copy }
        });
        sources.collect()
    }
}

/// An edge from a place to one that its value comes from.
#[derive(Clone, Copy, Debug)]
struct Source {
    place: Place,
    from: Place,
    /// Whether it is a copy in the source text.
    is_copy: bool,
}

impl EdgeRef for Source {
    type NodeId = Place;
    type EdgeId = (Place, Place);
    type Weight = ();

    fn source(&self) -> Place {
        self.place
    }

    fn target(&self) -> Place {
        self.from
    }

    fn weight(&self) -> &() {
        &()
    }

    fn id(&self) -> (Place, Place) {
        (self.place, self.from)
    }
}

impl GraphBase for Sources<'_> {
    type EdgeId = (Place, Place);
    type NodeId = Place;
}

impl GraphRef for Sources<'_> {}

impl Data for Sources<'_> {
    type NodeWeight = ();
    type EdgeWeight = ();
}

impl Visitable for Sources<'_> {
    type Map = HashSet<Place>;

    fn visit_map(&self) -> HashSet<Place> {
        HashSet::new()
    }

    fn reset_map(&self, map: &mut HashSet<Place>) {
        map.clear();
    }
}

impl IntoNeighbors for Sources<'_> {
    type Neighbors = std::vec::IntoIter<Place>;

    fn neighbors(self, place: Place) -> Self::Neighbors {
        self.of(place).into_iter().map(|edge| edge.from).collect::<Vec<_>>().into_iter()
    }
}

impl IntoEdgeReferences for Sources<'_> {
    type EdgeRef = Source;
    type EdgeReferences = std::vec::IntoIter<Source>;

    fn edge_references(self) -> Self::EdgeReferences {
        let written = self.program.slots.ids().map(|slot| self.written(slot));
        let read = self.program.slots.ids().map(|slot| Place { slot, is_written: false });
        let mut places: Vec<Place> = written.chain(read).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().flat_map(|place| self.of(place)).collect::<Vec<_>>().into_iter()
    }
}

impl IntoEdges for Sources<'_> {
    type Edges = std::vec::IntoIter<Source>;

    fn edges(self, place: Place) -> Self::Edges {
        self.of(place).into_iter()
    }
}
