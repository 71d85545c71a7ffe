//! Gives everything in a program other ids.

use super::super::{
    AddressStore, Argument, ArgumentValue, Body, BodyId, FileId, Function, FunctionId, IndexVec, Location, LostValue,
    Mark, PointerCopy, Slot, SlotId, SlotKey, Store, UnknownStore,
};
use super::SlotMention;

/// For each id, its new one.
#[derive(Default)]
pub(in super::super) struct Renumbering {
    pub files: IndexVec<FileId, FileId>,
    pub functions: IndexVec<FunctionId, FunctionId>,
    pub slots: IndexVec<SlotId, SlotId>,
    pub bodies: IndexVec<BodyId, BodyId>,
}

impl Renumbering {
    pub(in super::super) fn location(&self, location: Location) -> Location {
        Location { file: self.files[location.file], ..location }
    }

    pub(in super::super) fn mark(&self, mark: Mark) -> Mark {
        Mark { location: self.location(mark.location), ..mark }
    }

    pub(in super::super) fn store(&self, store: Store) -> Store {
        Store {
            function: self.functions[store.function],
            location: self.location(store.location),
            slot: store.slot.map(|slot| self.slots[slot]),
            paired_flags: store.paired_flags,
        }
    }

    pub(in super::super) fn copy(&self, copy: PointerCopy) -> PointerCopy {
        let (from, to) = (self.slots[copy.from], self.slots[copy.to]);
        PointerCopy { from, to, location: self.location(copy.location), ..copy }
    }

    pub(in super::super) fn address(&self, store: AddressStore) -> AddressStore {
        let to = store.to.map(|slot| self.slots[slot]);
        AddressStore { of: self.slots[store.of], to, location: self.location(store.location) }
    }

    pub(in super::super) fn unknown_store(&self, store: UnknownStore) -> UnknownStore {
        UnknownStore { slot: self.slots[store.slot], location: self.location(store.location) }
    }

    pub(in super::super) fn lost_value(&self, lost: LostValue) -> LostValue {
        LostValue { from: self.slots[lost.from], location: self.location(lost.location) }
    }

    pub(in super::super) fn renumber_function(&self, function: &mut Function) {
        function.file = function.file.map(|file| self.files[file]);
        for declaration in &mut function.declarations {
            declaration.location = self.location(declaration.location);
            declaration.marks.iter_mut().for_each(|mark| *mark = self.mark(*mark));
            declaration.marks.sort_unstable();
        }
        function.declarations.sort_by_key(|declaration| declaration.location);
    }

    pub(in super::super) fn renumber_key(&self, slot: &mut Slot) {
        let mut key = &mut slot.key;
        while let SlotKey::PointedParameter { slot: base, .. }
        | SlotKey::PointedResult { slot: base }
        | SlotKey::Target(base) = key
        {
            key = base;
        }
        match key {
            SlotKey::Field { record: at, .. } | SlotKey::Local { declared: at, .. } => at.file = self.files[at.file],
            SlotKey::Global { file: of, .. } => *of = of.map(|file| self.files[file]),
            SlotKey::Parameter { function: of, .. } | SlotKey::Result { function: of } => *of = self.functions[*of],
            SlotKey::PointedParameter { .. } | SlotKey::PointedResult { .. } | SlotKey::Target(_) => {}
        }
    }

    pub(in super::super) fn renumber_body(&self, body: &mut Body) {
        body.function = self.functions[body.function];
        body.location = self.location(body.location);
        body.assertion = body.assertion.map(|(assertion, at)| (assertion, self.location(at)));
        for call in &mut body.calls {
            call.callee = self.functions[call.callee];
            call.location = self.location(call.location);
            call.spelling = call.spelling.map(|spelling| self.location(spelling));
            self.renumber_arguments(&mut call.arguments);
        }
        for call in &mut body.slot_calls {
            call.slot = call.slot.map(|slot| self.slots[slot]);
            call.location = self.location(call.location);
            self.renumber_arguments(&mut call.arguments);
        }
        for section in &mut body.critical_sections {
            section.taken = self.location(section.taken);
            section.calls.iter_mut().for_each(|call| *call = self.location(*call));
            section.calls.sort_unstable();
            section.calls.dedup();
        }
    }

    pub(in super::super) fn renumber_arguments(&self, arguments: &mut [Argument]) {
        for argument in &mut *arguments {
            match &mut argument.value {
                ArgumentValue::Function(passed) => *passed = self.functions[*passed],
                ArgumentValue::Slot(slot) => *slot = self.slots[*slot],
                _ => {}
            }
        }
        arguments.sort_unstable();
    }

    pub(in super::super) fn renumber_mention(&self, mention: &mut SlotMention) {
        mention.marks.iter_mut().for_each(|mark| *mark = self.mark(*mark));
        mention.declared.iter_mut().for_each(|declared| *declared = self.location(*declared));
        mention.sort();
    }
}
