//! Sorts everything and gives out the final ids, so that they do not depend on the order of the units.

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use cowrap_facts::{Flag, ReadingId};

use super::super::{
    Body, BodyId, BodyReading, Function, FunctionId, Id, IndexVec, Location, PointerCopy, Program, Shared, Slot, SlotId,
};
use super::passed_on::pass_on;
use super::{FactsRecord, Linker, Mentions, Renumbering, mentions};

/// A program with bodies that say only what the facts say of them: without what follows from the bodies that they call
/// ([`Program::relate_bodies`]).
#[derive(Debug)]
pub(in super::super) struct Linked {
    pub program: Program,
    pub mentions: Mentions,
    /// The distinct facts, in the order in which they were added.
    pub records: Vec<FactsRecord>,
    /// The names of the functions that have other names or weak bodies, and these other names; sorted.
    pub special: Vec<String>,
}

impl Linker {
    /// The program. `absolute` returns the absolute form of a path in the facts.
    pub fn finish(self, absolute: impl Fn(&Path) -> PathBuf) -> Program {
        let mut program = self.finish_bodies_alone(absolute).program;
        program.relate_bodies();
        program
    }

    /// The program before its bodies are related, with what is needed to update it.
    pub(in super::super) fn finish_bodies_alone(mut self, absolute: impl Fn(&Path) -> PathBuf) -> Linked {
        self.link_parts();
        self.files.as_mut_slice().iter_mut().for_each(|path| *path = absolute(path));
        let special = self.special_functions();
        self.drop_weak_bodies();
        let mut mentions = std::mem::take(&mut self.mentions);
        mentions.assigned = IndexVec::from_elem(0, self.slots.len());
        for (parameter, bodies) in self.stores.assigned() {
            mentions.assigned[parameter] = bodies;
        }
        let named = self.named_functions();
        let mut aliases = self.merge_aliases(&named);

        // What the keys of the sort refer to must have its final id before it.
        let mut new = Renumbering { files: final_ids(&self.files, |path| path), ..Renumbering::default() };
        mentions.files = sorted(mentions.files, &new.files);
        self.functions.as_mut_slice().iter_mut().for_each(|function| new.renumber_function(function));
        let mut functions = new.number_functions(std::mem::take(&mut self.functions), &named);
        let counts = std::mem::replace(&mut mentions.functions, IndexVec::from_elem(0, functions.len()));
        for (function, count) in counts.enumerated() {
            mentions.functions[new.functions[function]] += count;
        }
        self.slots.as_mut_slice().iter_mut().for_each(|slot| new.renumber_key(slot));
        let slots = new.number_slots(std::mem::take(&mut self.slots), &mut mentions);
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
        for record in &mut self.records {
            record.located.iter_mut().for_each(|file| *file = new.files[*file]);
            record.located.sort_unstable();
        }
        let program = Program {
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
        };
        Linked { program, mentions, records: self.records, special }
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
    fn number_slots(&mut self, slots: IndexVec<SlotId, Slot>, mentions: &mut Mentions) -> IndexVec<SlotId, Slot> {
        let ids = final_ids(&slots, |slot| &slot.key);
        let old = sorted(std::mem::take(&mut mentions.slots), &ids).into_vec();
        let assigned = sorted(std::mem::take(&mut mentions.assigned), &ids).into_vec();
        let mut merged: IndexVec<SlotId, Slot> = IndexVec::default();
        let mut positions: IndexVec<SlotId, SlotId> = IndexVec::default();
        for ((slot, said), assigned) in sorted(slots, &ids).into_vec().into_iter().zip(old).zip(assigned) {
            let is_known = merged.as_slice().last().is_some_and(|last| last.key == slot.key);
            if !is_known {
                merged.push(slot);
                mentions.slots.push(Vec::new());
                mentions.assigned.push(0);
            }
            let id = SlotId::from_index(merged.len() - 1);
            for (mut mention, count) in said {
                self.renumber_mention(&mut mention);
                mentions::add(&mut mentions.slots[id], mention, count);
            }
            mentions.assigned[id] += assigned;
            positions.push(id);
        }
        self.slots = ids.iter().map(|id| positions[*id]).collect();
        for (id, said) in mentions.slots.as_mut_slice().iter_mut().enumerate() {
            said.sort_unstable();
            let slot = &mut merged.as_mut_slice()[id];
            slot.base = slot.base.map(|base| self.slots[base]);
            slot.unite(said);
            slot.is_assigned = mentions.assigned.as_slice()[id] > 0;
        }
        merged
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
