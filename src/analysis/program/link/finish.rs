//! Sorts everything and gives out the final ids, so that they do not depend on the order of the units.

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::super::{
    Argument, ArgumentValue, Body, BodyId, FileId, Function, FunctionId, Id, IndexVec, Location, Mark, PointerCopy,
    Program, Slot, SlotId, SlotKey, Store,
};
use super::Linker;

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
    pub fn finish(mut self, absolute: impl Fn(&Path) -> PathBuf) -> Program {
        // What the keys of the sort refer to must have its final id before it.
        let mut new = Renumbering::default();
        self.files.as_mut_slice().iter_mut().for_each(|path| *path = absolute(path));
        new.files = final_ids(&self.files, |path| path);
        self.functions.as_mut_slice().iter_mut().for_each(|function| new.renumber_function(function));
        new.functions = final_ids(&self.functions, |function| (&function.name, function.file));
        self.slots.as_mut_slice().iter_mut().for_each(|slot| new.renumber_slot(slot));
        new.slots = final_ids(&self.slots, |slot| &slot.key);
        self.bodies.as_mut_slice().par_iter_mut().for_each(|body| new.renumber_body(body));
        new.bodies = final_ids(&self.bodies, |body| (body.location, body.function, &body.flags));
        for function in &mut self.functions {
            function.bodies.iter_mut().for_each(|body| *body = new.bodies[*body]);
            function.bodies.sort_unstable();
        }

        let mut misplaced: Vec<Mark> = self.misplaced.into_iter().map(|mark| new.mark(mark)).collect();
        misplaced.sort_unstable();
        misplaced.dedup();
        let mut stores: Vec<Store> = self.stores.into_values().map(|store| new.store(store)).collect();
        stores.sort_unstable();
        let copies = self.copies.iter();
        let copies = copies.map(|copy| PointerCopy { from: new.slots[copy.from], to: new.slots[copy.to] });
        let mut copies: Vec<PointerCopy> = copies.collect();
        copies.sort_unstable();
        let mut program = Program {
            files: sorted(self.files, &new.files).into_vec(),
            functions: sorted(self.functions, &new.functions),
            bodies: sorted(self.bodies, &new.bodies),
            slots: sorted(self.slots, &new.slots),
            misplaced,
            stores,
            copies,
            ..Program::default()
        };
        program.connect();
        program
    }
}

impl Renumbering {
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
            paired_flag: store.paired_flag,
        }
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

    fn renumber_slot(&self, slot: &mut Slot) {
        self.renumber_key(&mut slot.key);
        slot.marks.iter_mut().for_each(|mark| *mark = self.mark(*mark));
        slot.marks.sort_unstable();
        slot.declared.iter_mut().for_each(|declared| *declared = self.location(*declared));
        slot.declared.sort_unstable();
    }

    fn renumber_key(&self, key: &mut SlotKey) {
        match key {
            SlotKey::Field { record: at, .. } | SlotKey::Local { declared: at, .. } => at.file = self.files[at.file],
            SlotKey::Global { file: of, .. } => *of = of.map(|file| self.files[file]),
            SlotKey::Parameter { function: of, .. } | SlotKey::Result { function: of } => *of = self.functions[*of],
            SlotKey::Element(of) => self.renumber_key(of),
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
                ArgumentValue::Number(_) | ArgumentValue::Truth { .. } => {}
            }
        }
        arguments.sort_unstable();
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
