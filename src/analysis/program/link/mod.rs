//! Linking: the facts of all units become one program.
//!
//! Each unit has its own numbers for files and functions. The linker translates them to ids of the program (`ids`),
//! unites bodies that several units have (`merge`), and in the end sorts everything and gives out the final ids
//! (`finish`), so that these depend neither on the order of the units nor on the number of threads.

mod finish;
mod ids;
mod merge;

use std::collections::hash_map::Entry;
use std::path::PathBuf;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use cowrap_base::files::Digest;
use cowrap_facts::{FileFacts, SharedFileFacts};

use super::{
    Argument, ArgumentValue, Body, BodyId, Call, CriticalSection, Declaration, FileId, Function, FunctionId, IndexVec,
    Location, Mark, PointerCopy, Slot, SlotCall, SlotId, SlotKey, Store,
};
use ids::{IdMap, slot_key};

/// Collects units, and stores the facts that several units share (those of headers) once.
///
/// Units must be added in a fixed order. Then the program is the same in every run.
#[derive(Debug, Default)]
pub struct Linker {
    file_ids: HashMap<PathBuf, FileId>,
    files: IndexVec<FileId, PathBuf>,
    function_ids: HashMap<(String, Option<FileId>), FunctionId>,
    functions: IndexVec<FunctionId, Function>,
    bodies: IndexVec<BodyId, Body>,
    slot_ids: HashMap<SlotKey, SlotId>,
    slots: IndexVec<SlotId, Slot>,
    misplaced: Vec<Mark>,
    /// The slot is part of the key, since a use of a macro can store a function into several slots at one location.
    stores: HashMap<(FunctionId, Location, Option<SlotId>), Store>,
    copies: HashSet<PointerCopy>,
    /// The facts that were added, each with its bodies of functions with external linkage.
    added: HashMap<Digest, Vec<BodyId>>,
}

impl Linker {
    /// Adds the facts of one file in the unit with this number. This costs nothing for facts of an earlier unit.
    pub fn add(&mut self, unit: u32, facts: &SharedFileFacts) {
        if let Some(external) = self.added.get(&facts.digest()) {
            for body in external {
                self.bodies[*body].units.push(unit);
            }
            return;
        }
        let external = self.add_facts(unit, facts.facts().clone());
        self.added.insert(facts.digest(), external);
    }

    /// Adds facts. Returns the bodies among them of functions with external linkage.
    fn add_facts(&mut self, unit: u32, facts: FileFacts) -> Vec<BodyId> {
        let files = facts.files.into_iter().map(|path| self.file(path)).collect();
        let mut ids = IdMap { files, functions: Vec::new() };
        for symbol in facts.symbols {
            let file = symbol.file.map(|file| ids.file(file));
            let function = self.function(symbol.name, file);
            ids.functions.push(function);
        }
        for declaration in facts.declarations {
            self.declaration(&ids, declaration);
        }
        let mut external = Vec::new();
        for body in facts.bodies {
            external.extend(self.body(&ids, unit, body));
        }
        for store in facts.stores {
            self.store(&ids, None, store);
        }
        for copy in facts.copies {
            self.copy(&ids, None, copy);
        }
        self.misplaced.extend(ids.marks(&facts.misplaced));
        external
    }

    fn file(&mut self, path: PathBuf) -> FileId {
        if let Some(&id) = self.file_ids.get(&path) {
            return id;
        }
        let id = self.files.push(path.clone());
        self.file_ids.insert(path, id);
        id
    }

    fn function(&mut self, name: String, file: Option<FileId>) -> FunctionId {
        match self.function_ids.entry((name, file)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let name = free.key().0.clone();
                let function = Function { name, file, declarations: Vec::new(), bodies: Vec::new() };
                *free.insert(self.functions.push(function))
            }
        }
    }

    fn declaration(&mut self, ids: &IdMap, declared: cowrap_facts::Declaration) {
        let location = ids.location(declared.location);
        let marks = ids.marks(&declared.marks);
        let declarations = &mut self.functions[ids.function(declared.symbol)].declarations;
        match declarations.iter_mut().find(|known| known.location == location) {
            Some(known) => {
                for mark in marks {
                    if !known.marks.contains(&mark) {
                        known.marks.push(mark);
                    }
                }
                known.definition |= declared.definition;
                known.never_returns |= declared.never_returns;
                known.weak |= declared.weak;
            }
            None => declarations.push(Declaration {
                location,
                marks,
                definition: declared.definition,
                never_returns: declared.never_returns,
                weak: declared.weak,
                signature: declared.signature,
            }),
        }
    }

    /// Adds a body. Returns its id if its function has external linkage.
    fn body(&mut self, ids: &IdMap, unit: u32, body: cowrap_facts::Body) -> Option<BodyId> {
        let body = self.translate(ids, unit, body);
        let function = &self.functions[body.function];
        let is_external = function.file.is_none();
        // Different units can have different bodies at one location, with different sets of flags.
        let is_same = |id: &&BodyId| {
            let known = &self.bodies[**id];
            known.location == body.location && known.flags == body.flags
        };
        let id = match function.bodies.iter().find(is_same).copied() {
            Some(known) => {
                merge::body(&mut self.bodies[known], body);
                known
            }
            None => {
                let function = body.function;
                let id = self.bodies.push(body);
                self.functions[function].bodies.push(id);
                id
            }
        };
        is_external.then_some(id)
    }

    /// The body with the program's ids. Its slots, stores and copies become part of the program.
    fn translate(&mut self, ids: &IdMap, unit: u32, body: cowrap_facts::Body) -> Body {
        let function = ids.function(body.symbol);
        for store in body.stores {
            self.store(ids, Some(function), store);
        }
        for copy in body.copies {
            self.copy(ids, Some(function), copy);
        }
        let calls = body.calls.into_iter().map(|call| Call {
            callee: ids.function(call.callee),
            location: ids.location(call.location),
            spelling: call.spelling.map(|spelling| ids.location(spelling)),
            condition: call.condition,
            kind: call.kind,
            after: call.after,
            ends: call.ends,
            arguments: self.arguments(ids, function, call.arguments),
        });
        let calls = calls.collect();
        let slot_calls = body.slot_calls.into_iter().map(|call| SlotCall {
            slot: self.slot(ids, Some(function), call.slot, &call.marks),
            location: ids.location(call.location),
            condition: call.condition,
            kind: call.kind,
            after: call.after,
            ends: call.ends,
            arguments: self.arguments(ids, function, call.arguments),
        });
        let slot_calls = slot_calls.collect();
        let critical_sections = body.critical_sections.into_iter().map(|section| CriticalSection {
            lock: section.lock,
            name: section.name,
            taken: ids.location(section.taken),
            calls: section.calls.into_iter().map(|call| ids.location(call)).collect(),
        });
        let is_external = self.functions[function].file.is_none();
        Body {
            function,
            location: ids.location(body.location),
            values: cowrap_facts::feasible(&body.flags),
            flags: body.flags,
            calls,
            slot_calls,
            returns_after: body.returns_after,
            assertion: body.assertion.map(|assertion| (assertion, ids.location(assertion.location))),
            critical_sections: critical_sections.collect(),
            releases: body.releases,
            units: if is_external { vec![unit] } else { Vec::new() },
        }
    }

    /// The slot of these facts, within the body of `inside`; `None` if the facts do not identify it.
    fn slot(
        &mut self,
        ids: &IdMap,
        inside: Option<FunctionId>,
        slot: cowrap_facts::Slot,
        marks: &[cowrap_facts::Mark],
    ) -> Option<SlotId> {
        let (key, name) = slot_key(ids, inside, slot)?;
        let id = match self.slot_ids.get(&key) {
            Some(&id) => id,
            None => {
                let slot = Slot { key: key.clone(), name, marks: Vec::new(), declared: Vec::new() };
                let id = self.slots.push(slot);
                self.slot_ids.insert(key, id);
                id
            }
        };
        let known = &mut self.slots[id].marks;
        for mark in ids.marks(marks) {
            if !known.contains(&mark) {
                known.push(mark);
            }
        }
        Some(id)
    }

    fn arguments(&mut self, ids: &IdMap, inside: FunctionId, arguments: Vec<cowrap_facts::Argument>) -> Vec<Argument> {
        let argument = |argument: cowrap_facts::Argument| {
            let value = match argument.value {
                cowrap_facts::ArgumentValue::Function(function) => ArgumentValue::Function(ids.function(function)),
                cowrap_facts::ArgumentValue::Slot(slot) => {
                    ArgumentValue::Slot(self.slot(ids, Some(inside), slot, &[])?)
                }
                cowrap_facts::ArgumentValue::Number(number) => ArgumentValue::Number(number),
                cowrap_facts::ArgumentValue::Truth { may_be_true, may_be_false } => {
                    ArgumentValue::Truth { may_be_true, may_be_false }
                }
            };
            Some(Argument { position: argument.position, value })
        };
        arguments.into_iter().filter_map(argument).collect()
    }

    fn copy(&mut self, ids: &IdMap, inside: Option<FunctionId>, copy: cowrap_facts::PointerCopy) {
        let from = self.slot(ids, inside, copy.from, &[]);
        let to = self.slot(ids, inside, copy.to, &[]);
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            self.copies.insert(PointerCopy { from, to });
        }
    }

    fn store(&mut self, ids: &IdMap, inside: Option<FunctionId>, store: cowrap_facts::Store) {
        let function = ids.function(store.function);
        let location = ids.location(store.location);
        let slot = self.slot(ids, inside, store.slot, &store.marks);
        if let Some(slot) = slot {
            let known = &mut self.slots[slot].declared;
            known.extend(store.declared.iter().map(|declared| ids.location(*declared)));
            known.sort_unstable();
            known.dedup();
        }
        let paired_flag = store.paired_flag;
        let new = Store { function, location, slot, paired_flag };
        let known = self.stores.entry((function, location, slot)).or_insert(new);
        // If configurations disagree on the flag, its value is unknown.
        known.paired_flag = known.paired_flag.filter(|known| Some(*known) == paired_flag);
    }
}
