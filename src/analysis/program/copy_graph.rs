//! Where the functions in a slot come from: the store that names a function, and the copies on the way to the slot.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::nearest::visit_nearest_first;
use super::{Adjacency, FileId, FunctionId, Location, PointerCopy, PointsTo, Program, SlotId, SlotKey, Store};

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
    /// For each slot, the positions of the stores into it.
    stores_into: Adjacency<SlotId, u32>,
    /// For each slot, those whose identity refers to it.
    derived: Adjacency<SlotId, SlotId>,
}

impl CopyIndex {
    pub(super) fn new(program: &Program) -> Self {
        let copies = program.copies.iter().zip(0..).map(|(copy, position)| (copy.to, position));
        let stores = program.stores.iter().zip(0..).filter_map(|(store, position)| Some((store.slot?, position)));
        let derived = program.slots.enumerated().filter_map(|(id, slot)| Some((slot.base?, id)));
        let count = program.slots.len();
        CopyIndex {
            copies_to: Adjacency::new(count, copies),
            stores_into: Adjacency::new(count, stores),
            derived: Adjacency::new(count, derived),
        }
    }
}

/// A slot, or the side of it that stores go to. The two differ for `*p` and the like: what is stored there goes on to
/// the slots that `p` points to, and what is read there comes from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct SlotSide {
    slot: SlotId,
    is_written: bool,
}

/// The graph of the slots that values come through: from each side to those that its value comes from.
#[derive(Clone, Copy)]
struct Sources<'p> {
    program: &'p Program,
    points_to: &'p PointsTo,
    index: &'p CopyIndex,
    /// If only one function is looked for, this. What does not hold it is no source of it.
    function: Option<FunctionId>,
}

impl PointsTo {
    /// How a function comes into a slot, by as few copies as possible. `None` if the slot does not hold it. Of several
    /// stores with as few copies, the one that is nearest to this file.
    pub fn origin(&self, program: &Program, slot: SlotId, function: FunctionId, near: FileId) -> Option<Origin> {
        self.candidates(slot).binary_search(&function).ok()?;
        let sources = self.sources(program, Some(function));
        let mut next: FxHashMap<SlotSide, Option<SlotSide>> = FxHashMap::default();
        let mut found: Option<(u8, u32, SlotSide, &Store)> = None;
        let start = SlotSide { slot, is_written: false };
        visit_nearest_first(
            [start],
            |side| sources.of(side),
            |side, copies, goes_to| {
                if found.is_some_and(|(apart, fewest, ..)| apart == 0 || fewest < copies) {
                    return ControlFlow::Break(());
                }
                next.insert(side, goes_to);
                let stores = sources.stores(side).filter(|store| store.function == function);
                let apart = |store: &&Store| program.distance(store.location.file, near);
                if let Some(store) = stores.min_by_key(apart)
                    && found.is_none_or(|(known, ..)| apart(&store) < known)
                {
                    found = Some((apart(&store), copies, side, store));
                }
                ControlFlow::Continue(())
            },
        );
        let (_, _, mut side, store) = found?;
        let mut copies = Vec::new();
        while let Some(to) = next.get(&side).copied().flatten() {
            copies.extend(sources.copy(side, to));
            side = to;
        }
        Some(Origin { store: *store, copies })
    }

    /// For each candidate of a slot, where it comes into the slot: the last of the copies of its [`PointsTo::origin`],
    /// or the store that names it. Sorted.
    pub fn arrivals(&self, program: &Program, slot: SlotId) -> Vec<(FunctionId, Location)> {
        let candidates = self.candidates(slot).len();
        if candidates == 0 {
            return Vec::new();
        }
        let sources = self.sources(program, None);
        // For each side, the last copy on the way from there.
        let mut last: FxHashMap<SlotSide, Option<Location>> = FxHashMap::default();
        let mut arrivals: FxHashMap<FunctionId, Location> = FxHashMap::default();
        let start = SlotSide { slot, is_written: false };
        visit_nearest_first(
            [start],
            |side| sources.of(side),
            |side, _, goes_to| {
                let copy = goes_to.and_then(|to| {
                    let known = last.get(&to).copied().flatten();
                    known.or_else(|| sources.copy(side, to).map(|copy| copy.location))
                });
                last.insert(side, copy);
                for store in sources.stores(side) {
                    arrivals.entry(store.function).or_insert(copy.unwrap_or(store.location));
                }
                if arrivals.len() == candidates { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        let mut arrivals: Vec<_> = arrivals.into_iter().collect();
        arrivals.sort_unstable();
        arrivals
    }

    fn sources<'p>(&'p self, program: &'p Program, function: Option<FunctionId>) -> Sources<'p> {
        let index = self.copy_index.get_or_init(|| CopyIndex::new(program));
        Sources { program, points_to: self, index, function }
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
    /// The side that stores into a slot go to.
    fn written(self, slot: SlotId) -> SlotSide {
        SlotSide { slot, is_written: self.program.slot(slot).base.is_some() }
    }

    /// The stores into a side, sorted.
    fn stores(self, side: SlotSide) -> impl Iterator<Item = &'p Store> {
        let positions = if side == self.written(side.slot) { self.index.stores_into.of(side.slot) } else { &[] };
        positions.iter().map(|position| &self.program.stores[*position as usize])
    }

    /// The first copy from one side to another.
    fn copy(self, from: SlotSide, to: SlotSide) -> Option<&'p PointerCopy> {
        if from.is_written || to != self.written(to.slot) {
            return None;
        }
        let copies = self.program.copies_from(from.slot).iter().filter(|copy| copy.to == to.slot);
        copies.min_by_key(|copy| copy.location)
    }

    /// The sides that a side's value comes from, each with whether it comes by a copy in the source text.
    fn of(self, side: SlotSide) -> Vec<(SlotSide, bool)> {
        let Sources { program, points_to, index, function } = self;
        let mut found: Vec<(SlotId, bool, bool)> = Vec::new();
        let SlotSide { slot, is_written } = side;
        if side == self.written(slot) {
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
        let holds =
            |slot: SlotId| function.is_none_or(|function| points_to.candidates(slot).binary_search(&function).is_ok());
        found.retain(|(slot, is_written, _)| *is_written || holds(*slot));
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(slot, is_written, is_copy)| (SlotSide { slot, is_written }, is_copy)).collect()
    }
}
