//! What the program stores into slots: at file scope, and in bodies.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use cowrap_facts::PairedFlags;

use super::super::{
    AddressStore, FunctionId, IndexVec, Location, LostValue, PointerCopy, Slot, SlotId, SlotKey, Store, UnknownStore,
};
use super::ids::IdMap;

/// Stores, with the ids of the linker.
#[derive(Debug, Default)]
pub(super) struct Stores {
    /// The slot is part of the key, since a use of a macro can store a function into several slots at one location.
    functions: HashMap<(FunctionId, Location, Option<SlotId>), Store>,
    copies: HashMap<(SlotId, SlotId, Location), PointerCopy>,
    addresses: HashSet<AddressStore>,
    unknown: HashSet<UnknownStore>,
    lost: HashSet<LostValue>,
    /// The parameters that their function's own body assigns to: how many bodies do.
    assigned: HashMap<SlotId, u32>,
}

impl Stores {
    /// Adds a store of the facts.
    pub(super) fn add(&mut self, slots: &IndexVec<SlotId, Slot>, ids: &IdMap, store: &cowrap_facts::Store) {
        let location = ids.location(store.location);
        let to = store.to.and_then(|slot| ids.slot(slot));
        let paired_flags = store.paired_flags;
        match store.value {
            cowrap_facts::Value::Function(function) => {
                self.add_function(Store { function: ids.function(function), location, slot: to, paired_flags });
            }
            cowrap_facts::Value::Slot(from) => self.copy(slots, ids.slot(from), to, location, paired_flags),
            // The address of what a pointer points to is the pointer.
            cowrap_facts::Value::Address(of) if ids.slot(of).is_some_and(|of| is_target(&slots[of])) => {
                let pointer = ids.slot(of).and_then(|of| slots[of].base);
                self.copy(slots, pointer, to, location, paired_flags);
            }
            cowrap_facts::Value::Address(of) => match (ids.slot(of), to) {
                (Some(of), _) => drop(self.addresses.insert(AddressStore { of, to, location })),
                (None, Some(slot)) => drop(self.unknown.insert(UnknownStore { slot, location })),
                (None, None) => {}
            },
            cowrap_facts::Value::Unknown => self.unknown.extend(to.map(|slot| UnknownStore { slot, location })),
        }
    }

    fn copy(
        &mut self,
        slots: &IndexVec<SlotId, Slot>,
        from: Option<SlotId>,
        to: Option<SlotId>,
        location: Location,
        paired_flags: PairedFlags,
    ) {
        match (from, to) {
            // What is read through a pointer may come from another slot than what is stored goes to.
            (Some(from), Some(to)) if from == to && slots[to].base.is_none() => {}
            (Some(from), Some(to)) => self.add_copy(PointerCopy { from, to, location, paired_flags }),
            (Some(from), None) => drop(self.lost.insert(LostValue { from, location })),
            (None, Some(slot)) => drop(self.unknown.insert(UnknownStore { slot, location })),
            (None, None) => {}
        }
    }

    fn add_function(&mut self, new: Store) {
        let known = self.functions.entry((new.function, new.location, new.slot)).or_insert(new);
        // If configurations disagree on a flag, its value is unknown.
        known.paired_flags = known.paired_flags.and(new.paired_flags);
    }

    fn add_copy(&mut self, new: PointerCopy) {
        let known = self.copies.entry((new.from, new.to, new.location)).or_insert(new);
        known.paired_flags = known.paired_flags.and(new.paired_flags);
    }

    /// Notes that a body assigns to a parameter of its own function.
    pub(super) fn add_assigned(&mut self, parameter: SlotId) {
        *self.assigned.entry(parameter).or_default() += 1;
    }

    /// Adds all stores of another set.
    pub(super) fn merge(&mut self, other: Stores) {
        other.functions.into_values().for_each(|store| self.add_function(store));
        other.copies.into_values().for_each(|copy| self.add_copy(copy));
        self.addresses.extend(other.addresses);
        self.unknown.extend(other.unknown);
        self.lost.extend(other.lost);
        other
            .assigned
            .into_iter()
            .for_each(|(parameter, bodies)| *self.assigned.entry(parameter).or_default() += bodies);
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = &Store> {
        self.functions.values()
    }

    pub(super) fn copies(&self) -> impl Iterator<Item = &PointerCopy> {
        self.copies.values()
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = &AddressStore> {
        self.addresses.iter()
    }

    pub(super) fn unknown(&self) -> impl Iterator<Item = &UnknownStore> {
        self.unknown.iter()
    }

    pub(super) fn lost(&self) -> impl Iterator<Item = &LostValue> {
        self.lost.iter()
    }

    pub(super) fn assigned(&self) -> impl Iterator<Item = (SlotId, u32)> {
        self.assigned.iter().map(|(parameter, bodies)| (*parameter, *bodies))
    }
}

/// The parameters of its own function that a body assigns to. The arguments of its recursive calls are no
/// assignments, although the facts have a store for each: what calls pass is followed like any other caller's.
pub(super) fn assigned_parameters(
    slots: &IndexVec<SlotId, Slot>,
    ids: &IdMap,
    body: &cowrap_facts::Body,
) -> HashSet<SlotId> {
    use cowrap_facts::{ArgumentValue, Value};
    let function = ids.function(body.symbol);
    let own_parameter = |store: &cowrap_facts::Store| {
        let slot = ids.slot(store.to?)?;
        match slots[slot].key {
            SlotKey::Parameter { function: of, position } if of == function => Some((slot, position)),
            _ => None,
        }
    };
    // Where each value is stored into a parameter.
    let mut stores: HashMap<(SlotId, u16, Option<cowrap_facts::SlotId>, Value), HashSet<_>> = HashMap::default();
    for store in &body.stores {
        if let Some((slot, position)) = own_parameter(store) {
            stores.entry((slot, position, store.to, store.value)).or_default().insert(store.location);
        }
    }
    if stores.is_empty() {
        return HashSet::default();
    }
    // Where each value is passed to a parameter.
    let mut calls: HashMap<(u16, &ArgumentValue), HashSet<_>> = HashMap::default();
    for call in body.calls.iter().filter(|call| ids.function(call.callee) == function) {
        for argument in &call.arguments {
            calls.entry((argument.position, &argument.value)).or_default().insert(call.location);
        }
    }
    let is_assigned = |position: u16, value: Value, stored: usize| {
        let value = match value {
            Value::Function(stored) => Some(ArgumentValue::Function(stored)),
            Value::Slot(from) => Some(ArgumentValue::Slot(from)),
            Value::Address(_) | Value::Unknown => None,
        };
        stored > value.and_then(|value| Some(calls.get(&(position, &value))?.len())).unwrap_or(0)
    };
    let stores = stores.into_iter();
    let assigned = stores.filter(|((_, position, _, value), at)| is_assigned(*position, *value, at.len()));
    assigned.map(|((slot, ..), _)| slot).collect()
}

fn is_target(slot: &Slot) -> bool {
    matches!(slot.key, SlotKey::Target(_))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use cowrap_facts::{
        Argument, ArgumentValue, Body, Call, CallKind, FileFacts, FileId, Location, PairedFlags, PathCondition,
        SharedFileFacts, Slot, SlotId, SlotIdentity, Store, Symbol, SymbolId, Value,
    };

    use super::super::Linker;

    /// Whether a recursive function's parameter counts as assigned when its body makes these stores of a function into
    /// it, and one recursive call that passes the function.
    fn is_assigned(stores: u32) -> bool {
        let (walk, passed, parameter) = (SymbolId(0), SymbolId(1), SlotId(0));
        let at = |line| Location { file: FileId(0), line, column: 1 };
        let mut body = Body::new(walk, at(1));
        body.calls.push(Call {
            callee: walk,
            location: at(2),
            spelling: None,
            condition: PathCondition::always(),
            kind: CallKind::Written,
            after: None,
            ends: false,
            is_change: false,
            arguments: vec![Argument { position: 0, value: ArgumentValue::Function(passed) }],
        });
        let store = |line| Store {
            to: Some(parameter),
            value: Value::Function(passed),
            location: at(line),
            paired_flags: PairedFlags::NONE,
        };
        body.stores.extend((2..).take(stores as usize).map(store));
        let symbol = |name: &str| Symbol { name: name.to_owned(), file: None };
        let identity = SlotIdentity::Parameter { function: walk, position: 0 };
        let facts = FileFacts {
            files: vec![PathBuf::from("/a.c")],
            symbols: vec![symbol("walk"), symbol("passed")],
            slots: vec![Slot {
                identity,
                is_array: false,
                is_foreign: false,
                models: Vec::new(),
                marks: Vec::new(),
                declared: Vec::new(),
            }],
            bodies: vec![body],
            ..FileFacts::default()
        };
        let mut linker = Linker::default();
        linker.add(0, &SharedFileFacts::new(facts));
        let program = linker.finish(Path::to_path_buf);
        let parameter = program.parameter(program.external("walk").unwrap(), 0).unwrap();
        program.slot(parameter).is_assigned
    }

    #[test]
    fn the_argument_of_a_recursive_call_is_no_assignment() {
        assert!(!is_assigned(1));
        assert!(is_assigned(2));
    }
}
