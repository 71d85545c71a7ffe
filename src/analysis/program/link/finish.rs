//! Sorts everything and gives out the final ids, so that they do not depend on the order of the units.

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use cowrap_facts::{Flag, ReadingId};

use super::super::{
    AddressStore, Argument, ArgumentValue, Body, BodyId, BodyReading, FileId, Function, FunctionId, Id, IndexVec,
    Location, LostValue, Mark, PointerCopy, Program, Shared, Slot, SlotId, SlotKey, Store, UnknownStore,
};
use super::Linker;
use super::passed_on::pass_on;

/// For each id that the linker gave out, its final one.
#[derive(Default)]
struct Renumbering {
    files: IndexVec<FileId, FileId>,
    functions: IndexVec<FunctionId, FunctionId>,
    slots: IndexVec<SlotId, SlotId>,
    bodies: IndexVec<BodyId, BodyId>,
}

impl Linker {
    /// The program. `absolute` returns the absolute form of a path in the facts.
    pub fn finish(self, absolute: impl Fn(&Path) -> PathBuf) -> Program {
        let mut program = self.finish_bodies_alone(absolute);
        program.relate_bodies();
        program
    }

    /// The program with bodies that say only what the facts say of them: without what follows from the bodies that
    /// they call ([`Program::relate_bodies`]).
    pub(in super::super) fn finish_bodies_alone(mut self, absolute: impl Fn(&Path) -> PathBuf) -> Program {
        self.files.as_mut_slice().iter_mut().for_each(|path| *path = absolute(path));
        self.drop_weak_bodies();
        for parameter in self.stores.assigned() {
            self.slots[parameter].is_assigned = true;
        }
        let named = self.named_functions();
        let mut aliases = self.merge_aliases(&named);

        // What the keys of the sort refer to must have its final id before it.
        let mut new = Renumbering { files: final_ids(&self.files, |path| path), ..Renumbering::default() };
        self.functions.as_mut_slice().iter_mut().for_each(|function| new.renumber_function(function));
        let mut functions = new.number_functions(std::mem::take(&mut self.functions), &named);
        self.slots.as_mut_slice().iter_mut().for_each(|slot| new.renumber_key(slot));
        let slots = new.number_slots(std::mem::take(&mut self.slots));
        self.bodies.as_mut_slice().par_iter_mut().for_each(|body| new.renumber_body(body));
        let mut readings = std::mem::take(&mut self.readings);
        readings.values_mut().flatten().for_each(|(_, body)| new.renumber_body(body));
        let flags = |id| readings.get(&id).into_iter().flatten().map(|(reading, body)| (*reading, &body.flags));
        let key = |(id, body)| body_key(body, flags(id));
        let keys: IndexVec<BodyId, _> = self.bodies.enumerated().map(key).collect();
        new.bodies = final_ids(&keys, |key| key);
        for (_, file, function) in &mut aliases {
            (*file, *function) = (file.map(|file| new.files[file]), new.functions[*function]);
        }
        aliases.sort_unstable();

        let stores = self.stores.functions().map(|store| new.store(*store));
        let is_needed = |copy: &PointerCopy| copy.from != copy.to || slots[copy.to].base.is_some();
        let copies = in_order(self.stores.copies().map(|copy| new.copy(*copy)).filter(is_needed));
        for function in &mut functions {
            function.bodies.iter_mut().for_each(|body| *body = new.bodies[*body]);
            function.bodies.sort_unstable();
        }
        let bodies = sorted(self.bodies, &new.bodies).into_vec();
        let bodies: IndexVec<BodyId, Shared<Body>> = bodies.into_iter().map(Shared::new).collect();
        let readings = readings.into_iter().flat_map(|(id, read)| {
            let body = new.bodies[id];
            read.into_iter().map(move |(reading, read)| (reading, body, read))
        });
        let mut readings: Vec<BodyReading> = readings
            .map(|(reading, body, read)| {
                let read = Shared::new(Body { units: bodies[body].units.clone(), ..read });
                BodyReading { reading, body, read }
            })
            .collect();
        readings.sort_by_key(|read| (read.reading, read.body));
        Program {
            files: Shared::new(sorted(self.files, &new.files).into_vec()),
            functions: Shared::new(functions),
            aliases: Shared::new(aliases),
            bodies,
            slots: Shared::new(slots),
            misplaced: in_order(self.misplaced.iter().map(|mark| new.mark(*mark))),
            stores: in_order(stores),
            copies,
            addresses: in_order(self.stores.addresses().map(|store| new.address(*store))),
            unknown_stores: in_order(self.stores.unknown().map(|store| new.unknown_store(*store))),
            lost_values: in_order(self.stores.lost().map(|lost| new.lost_value(*lost))),
            readings,
            ..Program::default()
        }
    }
}

impl Program {
    /// Gives the bodies what follows from those that they call: the flags that they pass on, and the contexts in which
    /// these return.
    pub(in super::super) fn relate_bodies(&mut self) {
        let bodies = (&mut self.bodies).into_iter().map(|body| (ReadingId(0), body));
        let readings = self.readings.iter_mut().map(|read| (read.reading, &mut read.read));
        pass_on(&mut bodies.chain(readings).collect::<Vec<_>>());
        self.connect();
    }
}

/// The items in their order, each once.
fn in_order<T: Ord>(items: impl Iterator<Item = T>) -> Shared<Vec<T>> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    Shared::new(items)
}

/// What tells a body from others, and sorts it: with the flags of all its readings.
type BodyKey<'b> = (Location, FunctionId, &'b [Flag], Vec<(ReadingId, &'b Vec<Flag>)>);

fn body_key<'b>(body: &'b Body, readings: impl Iterator<Item = (ReadingId, &'b Vec<Flag>)>) -> BodyKey<'b> {
    (body.location, body.function, &body.flags, readings.collect())
}

impl Renumbering {
    /// Gives functions their final ids, those with another name the id of the function that they are a name for.
    fn number_functions(
        &mut self,
        functions: IndexVec<FunctionId, Function>,
        named: &IndexVec<FunctionId, FunctionId>,
    ) -> IndexVec<FunctionId, Function> {
        let is_name = |id: FunctionId| named[id] != id;
        let mut kept: IndexVec<FunctionId, Function> = IndexVec::default();
        let mut positions: IndexVec<FunctionId, FunctionId> = IndexVec::default();
        for (id, function) in functions.into_vec().into_iter().enumerate() {
            let position = if is_name(FunctionId(id as u32)) { FunctionId(0) } else { kept.push(function) };
            positions.push(position);
        }
        let ids = final_ids(&kept, |function| (&function.name, function.file));
        self.functions = named.iter().map(|function| ids[positions[*function]]).collect();
        sorted(kept, &ids)
    }

    /// Gives slots their final ids. Slots of functions that turn out to be one function are one slot.
    fn number_slots(&mut self, slots: IndexVec<SlotId, Slot>) -> IndexVec<SlotId, Slot> {
        let ids = final_ids(&slots, |slot| &slot.key);
        let mut merged: IndexVec<SlotId, Slot> = IndexVec::default();
        let mut positions: IndexVec<SlotId, SlotId> = IndexVec::default();
        for slot in sorted(slots, &ids).into_vec() {
            match merged.as_mut_slice().last_mut().filter(|last| last.key == slot.key) {
                Some(last) => last.merge(slot),
                None => drop(merged.push(slot)),
            }
            positions.push(SlotId::from_index(merged.len() - 1));
        }
        self.slots = ids.iter().map(|id| positions[*id]).collect();
        for slot in &mut merged {
            slot.base = slot.base.map(|base| self.slots[base]);
            slot.marks.iter_mut().for_each(|mark| *mark = self.mark(*mark));
            slot.marks.sort_unstable();
            slot.declared.iter_mut().for_each(|declared| *declared = self.location(*declared));
            slot.declared.sort_unstable();
        }
        merged
    }

    fn location(&self, location: Location) -> Location {
        Location { file: self.files[location.file], ..location }
    }

    fn mark(&self, mark: Mark) -> Mark {
        Mark { location: self.location(mark.location), ..mark }
    }

    fn store(&self, store: Store) -> Store {
        Store {
            function: self.functions[store.function],
            location: self.location(store.location),
            slot: store.slot.map(|slot| self.slots[slot]),
            paired_flags: store.paired_flags,
        }
    }

    fn copy(&self, copy: PointerCopy) -> PointerCopy {
        let (from, to) = (self.slots[copy.from], self.slots[copy.to]);
        PointerCopy { from, to, location: self.location(copy.location), ..copy }
    }

    fn address(&self, store: AddressStore) -> AddressStore {
        let to = store.to.map(|slot| self.slots[slot]);
        AddressStore { of: self.slots[store.of], to, location: self.location(store.location) }
    }

    fn unknown_store(&self, store: UnknownStore) -> UnknownStore {
        UnknownStore { slot: self.slots[store.slot], location: self.location(store.location) }
    }

    fn lost_value(&self, lost: LostValue) -> LostValue {
        LostValue { from: self.slots[lost.from], location: self.location(lost.location) }
    }

    fn renumber_function(&self, function: &mut Function) {
        function.file = function.file.map(|file| self.files[file]);
        for declaration in &mut function.declarations {
            declaration.location = self.location(declaration.location);
            declaration.marks.iter_mut().for_each(|mark| *mark = self.mark(*mark));
            declaration.marks.sort_unstable();
        }
        function.declarations.sort_by_key(|declaration| declaration.location);
    }

    fn renumber_key(&self, slot: &mut Slot) {
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

    fn renumber_body(&self, body: &mut Body) {
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

    fn renumber_arguments(&self, arguments: &mut [Argument]) {
        for argument in &mut *arguments {
            match &mut argument.value {
                ArgumentValue::Function(passed) => *passed = self.functions[*passed],
                ArgumentValue::Slot(slot) => *slot = self.slots[*slot],
                _ => {}
            }
        }
        arguments.sort_unstable();
    }
}

impl Slot {
    /// Adds what the facts say of the same slot by another name.
    fn merge(&mut self, other: Slot) {
        self.is_foreign |= other.is_foreign;
        self.is_assigned |= other.is_assigned;
        self.models.extend(other.models);
        self.models.sort_unstable();
        self.models.dedup();
        self.marks.extend(other.marks);
        self.marks.sort_unstable();
        self.marks.dedup();
        self.declared.extend(other.declared);
        self.declared.sort_unstable();
        self.declared.dedup();
    }
}

/// For each item of a list, its id when the list is sorted by a key.
fn final_ids<'l, I: Id, T: Sync, K: Ord + Send + Sync>(
    list: &'l IndexVec<I, T>,
    key: impl Fn(&'l T) -> K + Sync,
) -> IndexVec<I, I> {
    let mut order: Vec<(K, u32)> = list.iter().zip(0..).map(|(item, position)| (key(item), position)).collect();
    order.par_sort_unstable();
    let mut new = IndexVec::from_elem(I::from_index(0), list.len());
    for (position, (_, old)) in order.into_iter().enumerate() {
        new[I::from_index(old as usize)] = I::from_index(position);
    }
    new
}

/// The list in the order of its new ids.
fn sorted<I: Id, T>(list: IndexVec<I, T>, new: &IndexVec<I, I>) -> IndexVec<I, T> {
    let mut list = list.into_vec();
    let mut wanted: Vec<usize> = new.iter().map(|id| id.index()).collect();
    for position in 0..list.len() {
        // Swap items to their new positions until the right one is here.
        while wanted[position] != position {
            let to = wanted[position];
            list.swap(position, to);
            wanted.swap(position, to);
        }
    }
    list.into()
}
