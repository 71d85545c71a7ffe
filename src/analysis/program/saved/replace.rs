//! Takes out of a program what facts said, and puts in what facts say now.

use rayon::prelude::*;
use rustc_hash::FxHashSet as HashSet;

use super::super::link::{FactsRecord, Linked, Mentions, Renumbering, SlotMention, add_mention};
use super::super::{
    Body, BodyId, BodyReading, FileId, Function, FunctionId, Id, IndexVec, Location, PackCounts, Program, Shared, Slot,
    SlotId, SlotKey,
};
use super::SavedProgram;
use super::merge::{GONE, has_gone, is_same_or_gone, merge};
use super::update::{NewUnits, first_listed};

/// Replaces everything in some files. `before` is what all facts with something in these files said, and what the facts
/// that are gone mentioned; `after` is what they say now. `None` if the program was not what it should be.
pub(super) fn replace(
    saved: SavedProgram,
    units: NewUnits,
    files: &HashSet<FileId>,
    before: Linked,
    after: Linked,
) -> Option<SavedProgram> {
    let SavedProgram { mut program, mut mentions, records, special, .. } = saved;
    // Not if two files have one name, or facts came here that change special functions.
    let is_plain = |linked: &Linked| is_strictly_sorted(&linked.program.files) && linked.special.is_empty();
    if !is_strictly_sorted(&program.files) || !is_plain(&before) || !is_plain(&after) {
        return None;
    }
    let known_before = Known::of(&before.program, &program).all()?;
    let known_after = Known::of(&after.program, &program);
    mentions.take_back(&before.mentions, &known_before)?;

    let mut is_replaced: IndexVec<FileId, bool> = IndexVec::from_elem(false, program.files.len());
    files.iter().for_each(|file| is_replaced[*file] = true);
    let mut update = Update { is_replaced, old: Renumbering::default(), new: Renumbering::default() };
    let Linked { program: mut after, mentions: said, records: after_records, .. } = after;
    update.files(&mut program, &mut mentions, &after, &said, &known_after);
    update.take_out_declarations(&mut program, &before.program, &known_before);
    update.functions(&mut program, &mut mentions, &mut after, &said, &known_after);
    update.slots(&mut program, &mut mentions, &mut after, said, &known_after)?;
    update.bodies(&mut program, &mut after, &units.numbers)?;
    update.lists(&mut program, &after);
    if has_gone(&update.old.files) || has_gone(&update.old.functions) || has_gone(&update.old.slots) {
        // Nothing that is still there may refer to what is gone.
        let any = PackCounts { marks: usize::MAX, locks: usize::MAX, slots: usize::MAX };
        program.is_consistent(any).then_some(())?;
    }
    let (records, units) = update.records(records, &units, after_records)?;
    Some(SavedProgram { program, mentions, records, units, special })
}

fn is_strictly_sorted<T: Ord>(list: &[T]) -> bool {
    list.is_sorted_by(|one, other| one < other)
}

/// For everything in a part of the program, its id in the program, if it is there.
struct Known {
    files: Vec<Option<FileId>>,
    functions: Vec<Option<FunctionId>>,
    slots: Vec<Option<SlotId>>,
}

impl Known {
    fn of(part: &Program, program: &Program) -> Known {
        let file = |path| program.files.binary_search(path).ok().map(FileId::from_index);
        let files: Vec<Option<FileId>> = part.files.iter().map(file).collect();
        let functions = program.functions.as_slice();
        let function = |function: &Function| {
            let file = match function.file {
                Some(file) => Some(files[file.index()]?),
                None => None,
            };
            let wanted = (&function.name, file);
            let found = functions.binary_search_by(|known| (&known.name, known.file).cmp(&wanted));
            found.ok().map(FunctionId::from_index)
        };
        let functions: Vec<Option<FunctionId>> = part.functions.iter().map(function).collect();
        let slot = |slot: &Slot| {
            let mut key = slot.key.clone();
            let mut innermost = &mut key;
            while let SlotKey::PointedParameter { slot, .. } | SlotKey::PointedResult { slot } | SlotKey::Target(slot) =
                innermost
            {
                innermost = slot;
            }
            match innermost {
                SlotKey::Field { record: at, .. } | SlotKey::Local { declared: at, .. } => {
                    at.file = files[at.file.index()]?;
                }
                SlotKey::Global { file: Some(file), .. } => *file = files[file.index()]?,
                SlotKey::Parameter { function, .. } | SlotKey::Result { function } => {
                    *function = functions[function.index()]?;
                }
                SlotKey::Global { file: None, .. }
                | SlotKey::PointedParameter { .. }
                | SlotKey::PointedResult { .. }
                | SlotKey::Target(_) => {}
            }
            program.find_slot(&key)
        };
        let slots = part.slots.iter().map(slot).collect();
        Known { files, functions, slots }
    }

    /// The ids, if all of them are there.
    fn all(self) -> Option<Renumbering> {
        Some(Renumbering {
            files: self.files.into_iter().collect::<Option<_>>()?,
            functions: self.functions.into_iter().collect::<Option<_>>()?,
            slots: self.slots.into_iter().collect::<Option<_>>()?,
            ..Renumbering::default()
        })
    }
}

impl Mentions {
    /// Takes back what some facts mention. `None` if they did not mention it.
    fn take_back(&mut self, before: &Mentions, ids: &Renumbering) -> Option<()> {
        let less = |known: &mut u32, count: u32| known.checked_sub(count).map(|rest| *known = rest);
        for (file, count) in before.files.enumerated() {
            less(&mut self.files[ids.files[file]], *count)?;
        }
        for (function, count) in before.functions.enumerated() {
            less(&mut self.functions[ids.functions[function]], *count)?;
        }
        for (slot, count) in before.assigned.enumerated() {
            less(&mut self.assigned[ids.slots[slot]], *count)?;
        }
        for (slot, said) in before.slots.enumerated() {
            let known = &mut self.slots[ids.slots[slot]];
            for (mention, count) in said {
                let mut mention = mention.clone();
                ids.renumber_mention(&mut mention);
                let position = known.iter().position(|(known, _)| *known == mention)?;
                less(&mut known[position].1, *count)?;
                if known[position].1 == 0 {
                    known.remove(position);
                }
            }
        }
        Some(())
    }
}

/// A slot with what is said of it, while lists are merged.
struct SlotEntry {
    slot: Slot,
    said: Vec<(SlotMention, u32)>,
    assigned: u32,
}

/// An update in progress.
struct Update {
    /// For each file of the saved program, whether everything in it is replaced.
    is_replaced: IndexVec<FileId, bool>,
    /// The new ids of what was there; [`GONE`] for what is not any more.
    old: Renumbering,
    /// The new ids of what the facts say now.
    new: Renumbering,
}

/// Counts what facts mention now.
fn add(known: &mut u32, count: u32) {
    *known = known.saturating_add(count);
}

/// The new ids of a part of the program: of what was there, and of what was not, in its order.
fn ids<I: Id>(known: &[Option<I>], old: &IndexVec<I, I>, fresh: &IndexVec<I, I>) -> IndexVec<I, I> {
    let mut fresh = fresh.iter().copied();
    let id = |known: &Option<I>| match known {
        Some(known) => old[*known],
        None => fresh.next().unwrap_or(I::from_index(GONE)),
    };
    known.iter().map(id).collect()
}

impl Update {
    /// Removes files that nothing mentions any more, and adds new ones.
    fn files(
        &mut self,
        program: &mut Program,
        mentions: &mut Mentions,
        after: &Program,
        said: &Mentions,
        known: &Known,
    ) {
        let mut fresh = Vec::new();
        for ((path, known), count) in after.files.iter().zip(&known.files).zip(&said.files) {
            match known {
                Some(known) => add(&mut mentions.files[*known], *count),
                None => fresh.push((path.clone(), *count)),
            }
        }
        let files = std::mem::take(program.files.make_mut()).into_iter();
        let old = files.zip(std::mem::take(&mut mentions.files).into_vec()).collect();
        let (files, old, fresh) = merge(old, |(_, count)| *count > 0, fresh, |one, other| one.0.cmp(&other.0));
        self.new.files = ids(&known.files, &old, &fresh);
        self.old.files = old;
        let (paths, counts) = files.into_iter().unzip();
        (program.files, mentions.files) = (Shared::new(paths), Vec::into(counts));
    }

    /// Takes out the declarations in replaced files. `before` has the functions that have some.
    fn take_out_declarations(&self, program: &mut Program, before: &Program, known: &Renumbering) {
        let functions = program.functions.make_mut();
        for (id, _) in before.functions.enumerated().filter(|(_, function)| !function.declarations.is_empty()) {
            let declarations = &mut functions[known.functions[id]].declarations;
            declarations.retain(|declaration| !self.is_replaced[declaration.location.file]);
        }
    }

    /// Removes functions that nothing mentions any more, and adds new ones and what is declared now.
    fn functions(
        &mut self,
        program: &mut Program,
        mentions: &mut Mentions,
        after: &mut Program,
        said: &Mentions,
        known: &Known,
    ) {
        let mut functions = std::mem::take(program.functions.make_mut());
        if !is_same_or_gone(&self.old.files) {
            functions.as_mut_slice().par_iter_mut().for_each(|function| self.old.renumber_function(function));
        }
        let mut fresh = Vec::new();
        let mut declared = Vec::new();
        let parts = std::mem::take(after.functions.make_mut()).into_vec();
        for ((mut function, id), count) in parts.into_iter().zip(&known.functions).zip(&said.functions) {
            self.new.renumber_function(&mut function);
            function.bodies.clear();
            match id {
                Some(id) => {
                    add(&mut mentions.functions[*id], *count);
                    if !function.declarations.is_empty() {
                        declared.push((*id, function.declarations));
                    }
                }
                None => fresh.push((function, *count)),
            }
        }
        for (id, declarations) in declared {
            let known = &mut functions[id].declarations;
            known.extend(declarations);
            known.sort_by_key(|declaration| declaration.location);
        }
        let functions = functions.into_vec().into_iter();
        let old = functions.zip(std::mem::take(&mut mentions.functions).into_vec()).collect();
        let (functions, old, fresh) = merge(
            old,
            |(_, count)| *count > 0,
            fresh,
            |(one, _), (other, _)| (&one.name, one.file).cmp(&(&other.name, other.file)),
        );
        self.new.functions = ids(&known.functions, &old, &fresh);
        self.old.functions = old;
        let (functions, counts): (Vec<_>, Vec<_>) = functions.into_iter().unzip();
        (program.functions, mentions.functions) = (Shared::new(functions.into()), counts.into());
    }

    /// Removes slots that nothing mentions any more, adds new ones, and unites what is said of each now.
    fn slots(
        &mut self,
        program: &mut Program,
        mentions: &mut Mentions,
        after: &mut Program,
        said: Mentions,
        known: &Known,
    ) -> Option<()> {
        let entries = |slots: IndexVec<SlotId, Slot>, mentions: (Vec<Vec<(SlotMention, u32)>>, Vec<u32>)| {
            let slots = slots.into_vec().into_iter().zip(mentions.0).zip(mentions.1);
            slots.map(|((slot, said), assigned)| SlotEntry { slot, said, assigned }).collect::<Vec<_>>()
        };
        let lists = |mentions: &mut Mentions| {
            let slots = std::mem::take(&mut mentions.slots).into_vec();
            (slots, std::mem::take(&mut mentions.assigned).into_vec())
        };
        let mut old = entries(std::mem::take(program.slots.make_mut()), lists(mentions));
        let are_files_same = is_same_or_gone(&self.old.files);
        if !are_files_same {
            let mentions = old.iter_mut().flat_map(|entry| &mut entry.said);
            mentions.for_each(|(mention, _)| self.old.renumber_mention(mention));
        }
        if !are_files_same || !is_same_or_gone(&self.old.functions) {
            old.iter_mut().for_each(|entry| self.old.renumber_key(&mut entry.slot));
        }
        let mut said = said;
        let mut fresh = Vec::new();
        for (mut entry, known) in
            entries(std::mem::take(after.slots.make_mut()), lists(&mut said)).into_iter().zip(&known.slots)
        {
            self.new.renumber_key(&mut entry.slot);
            entry.said.iter_mut().for_each(|(mention, _)| self.new.renumber_mention(mention));
            match known {
                Some(known) => {
                    let old = &mut old[known.index()];
                    add(&mut old.assigned, entry.assigned);
                    entry.said.into_iter().for_each(|(mention, count)| add_mention(&mut old.said, mention, count));
                }
                None => fresh.push(entry),
            }
        }
        let bases: Vec<Option<SlotId>> = fresh.iter().map(|entry| entry.slot.base).collect();
        let (mut slots, old, fresh) =
            merge(old, |entry| !entry.said.is_empty(), fresh, |one, other| one.slot.key.cmp(&other.slot.key));
        self.new.slots = ids(&known.slots, &old, &fresh);
        self.old.slots = old;
        // The bases of fresh slots are numbers of the part.
        let mut is_fresh = vec![false; slots.len()];
        for (id, base) in fresh.iter().zip(bases) {
            is_fresh[id.index()] = true;
            slots[id.index()].slot.base = base.map(|base| self.new.slots[base]);
        }
        for (entry, is_fresh) in slots.iter_mut().zip(is_fresh) {
            if !is_fresh && let Some(base) = &mut entry.slot.base {
                *base = self.old.slots[*base];
                (base.index() != GONE).then_some(())?;
            }
            entry.said.sort_unstable();
            entry.slot.unite(&entry.said);
            entry.slot.is_assigned = entry.assigned > 0;
        }
        let mut merged: IndexVec<SlotId, Slot> = IndexVec::default();
        for SlotEntry { slot, said, assigned } in slots {
            merged.push(slot);
            mentions.slots.push(said);
            mentions.assigned.push(assigned);
        }
        program.slots = Shared::new(merged);
        Some(())
    }

    fn bodies(&mut self, program: &mut Program, after: &mut Program, numbers: &[Option<u32>]) -> Option<()> {
        let is_replaced = |location: Location| self.is_replaced[location.file];
        let mut bodies = std::mem::take(&mut program.bodies).into_vec();
        let is_kept: Vec<bool> = bodies.iter().map(|body| !is_replaced(body.location)).collect();
        let mut readings = std::mem::take(&mut program.readings);
        readings.retain(|read| is_kept[read.body.index()]);
        let are_units_same = numbers.iter().zip(0..).all(|(new, old)| new.is_none_or(|new| new == old));
        let are_ids_same = is_same_or_gone(&self.old.files)
            && is_same_or_gone(&self.old.functions)
            && is_same_or_gone(&self.old.slots);
        if !are_ids_same || !are_units_same {
            let renumber = |body: &mut Shared<Body>| {
                let body = body.make_mut();
                for unit in &mut body.units {
                    *unit = numbers.get(*unit as usize).copied().flatten()?;
                }
                self.old.renumber_body(body);
                Some(())
            };
            let kept = bodies.par_iter_mut().zip(&is_kept).filter(|(_, is_kept)| **is_kept);
            kept.try_for_each(|(body, _)| renumber(body))?;
            readings.par_iter_mut().try_for_each(|read| renumber(&mut read.read))?;
        }
        let renumber = |body: &mut Shared<Body>| self.new.renumber_body(body.make_mut());
        let mut fresh = std::mem::take(&mut after.bodies).into_vec();
        fresh.iter_mut().for_each(renumber);
        let mut fresh_readings = std::mem::take(&mut after.readings);
        fresh_readings.iter_mut().for_each(|read| renumber(&mut read.read));

        let mut positions = is_kept.iter();
        let owners: Vec<FunctionId> = fresh.iter().map(|body| body.function).collect();
        let (bodies, old, fresh): (_, IndexVec<BodyId, BodyId>, _) =
            merge(bodies, |_| positions.next() == Some(&true), fresh, |one, other| one.location.cmp(&other.location));
        let functions = program.functions.make_mut();
        functions.as_mut_slice().par_iter_mut().for_each(|function| {
            function.bodies.iter_mut().for_each(|body| *body = old[*body]);
            function.bodies.retain(|body| body.index() != GONE);
        });
        for (id, function) in fresh.iter().zip(owners) {
            let bodies = &mut functions[function].bodies;
            bodies.push(*id);
            bodies.sort_unstable();
        }
        for (read, ids) in
            readings.iter_mut().map(|read| (read, &old)).chain(fresh_readings.iter_mut().map(|read| (read, &fresh)))
        {
            read.body = ids[read.body];
        }
        readings.extend(fresh_readings);
        readings.sort_by_key(|read: &BodyReading| (read.reading, read.body));
        (program.bodies, program.readings) = (bodies.into(), readings);
        Some(())
    }

    /// Replaces the lists of what is stored, and of misplaced marks.
    fn lists(&self, program: &mut Program, after: &Program) {
        let (old, new) = (&self.old, &self.new);
        let are_ids_same =
            is_same_or_gone(&old.files) && is_same_or_gone(&old.functions) && is_same_or_gone(&old.slots);
        let list = Lists { is_replaced: &self.is_replaced, are_ids_same };
        list.replace(
            &mut program.misplaced,
            &after.misplaced,
            |mark| mark.location,
            |ids, mark| ids.mark(mark),
            (old, new),
        );
        list.replace(
            &mut program.stores,
            &after.stores,
            |store| store.location,
            |ids, store| ids.store(store),
            (old, new),
        );
        list.replace(&mut program.copies, &after.copies, |copy| copy.location, |ids, copy| ids.copy(copy), (old, new));
        list.replace(&mut program.addresses, &after.addresses, |at| at.location, |ids, at| ids.address(at), (old, new));
        list.replace(
            &mut program.unknown_stores,
            &after.unknown_stores,
            |store| store.location,
            |ids, store| ids.unknown_store(store),
            (old, new),
        );
        list.replace(
            &mut program.lost_values,
            &after.lost_values,
            |lost| lost.location,
            |ids, lost| ids.lost_value(lost),
            (old, new),
        );
        if !are_ids_same {
            for (_, file, function) in program.aliases.make_mut() {
                (*file, *function) = (file.map(|file| old.files[file]), old.functions[*function]);
            }
        }
    }

    /// The records of the new state, and the positions among them that units list.
    fn records(
        &self,
        records: Vec<FactsRecord>,
        units: &NewUnits,
        after: Vec<FactsRecord>,
    ) -> Option<(Vec<FactsRecord>, Vec<Vec<u32>>)> {
        let known = records.len();
        let order = first_listed(&units.units, known + units.added.len());
        let mut positions = vec![0u32; known + units.added.len()];
        let mut old: Vec<Option<FactsRecord>> = records.into_iter().map(Some).collect();
        let mut after = after.into_iter().peekable();
        let mut all = Vec::with_capacity(order.len());
        for facts in order {
            let at = facts as usize;
            let record = old.get_mut(at).and_then(Option::take);
            let digest = record.as_ref().map_or_else(|| units.added.get(at - known), |record| Some(&record.digest))?;
            // The facts that were linked again are in the same order.
            let (mut record, ids) = match after.next_if(|record| record.digest == *digest) {
                Some(again) => (again, &self.new),
                None => (record?, &self.old),
            };
            record.located.iter_mut().for_each(|file| *file = ids.files[*file]);
            record.located.sort_unstable();
            record.located.iter().all(|file| file.index() != GONE).then_some(())?;
            positions[at] = all.len() as u32;
            all.push(record);
        }
        let position = |facts: &u32| positions[*facts as usize];
        Some((all, units.units.iter().map(|unit| unit.iter().map(position).collect()).collect()))
    }
}

/// Replaces sorted lists of what has a location.
struct Lists<'u> {
    is_replaced: &'u IndexVec<FileId, bool>,
    are_ids_same: bool,
}

impl Lists<'_> {
    fn replace<T: Copy + Ord>(
        &self,
        list: &mut Shared<Vec<T>>,
        after: &[T],
        location: impl Fn(&T) -> Location,
        renumber: impl Fn(&Renumbering, T) -> T,
        (old, new): (&Renumbering, &Renumbering),
    ) {
        let list = list.make_mut();
        list.retain(|item| !self.is_replaced[location(item).file]);
        if !self.are_ids_same {
            list.iter_mut().for_each(|item| *item = renumber(old, *item));
        }
        if !after.is_empty() {
            list.extend(after.iter().map(|item| renumber(new, *item)));
            // Two sorted runs, which sorting merges.
            list.sort();
        }
    }
}
