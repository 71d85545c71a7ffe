//! Linking: the facts of all units become one program.
//!
//! Each unit has its own numbers for files, functions and slots. The linker translates them to ids of the program
//! (`ids`), unites bodies that several units have (`merge`), and collects what they store into slots (`stores`). In
//! the end it unites functions with their other names (`aliases`), sorts everything and gives out the final ids
//! (`finish`), so that these depend neither on the order of the units nor on the number of threads.

mod aliases;
mod finish;
mod ids;
mod mentions;
mod merge;
mod passed_on;
mod renumbering;
mod stores;

use std::collections::hash_map::Entry;
use std::path::PathBuf;

use rayon::prelude::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use cowrap_base::files::Digest;
use cowrap_facts::{FileFacts, ReadingId, SharedFileFacts};

use super::{
    Argument, ArgumentValue, Body, BodyId, Call, CriticalSection, Declaration, FileId, Function, FunctionId, Id,
    IndexVec, Location, Mark, Slot, SlotCall, SlotId, SlotKey,
};
use aliases::AliasName;
use ids::IdMap;
use stores::Stores;

pub(super) use finish::Linked;
pub(super) use mentions::{FactsRecord, Mentions, SlotMention, add as add_mention, located};
pub(super) use renumbering::Renumbering;

/// How many slots a slot's identity may go through. Nobody writes more, and comparing identities must not overflow the
/// stack.
pub(super) const MAX_NESTING: usize = 32;

/// How many declarations of a function are searched one after the other.
const FEW_DECLARATIONS: usize = 32;

/// Collects units, and stores the facts that several units share (those of headers) once.
///
/// Units must be added in a fixed order. Then the program is the same in every run.
#[derive(Debug, Default)]
pub struct Linker {
    file_ids: HashMap<PathBuf, FileId>,
    files: IndexVec<FileId, PathBuf>,
    /// For external linkage and for each file, the functions by name.
    function_ids: HashMap<Option<FileId>, HashMap<String, FunctionId>>,
    functions: IndexVec<FunctionId, Function>,
    bodies: IndexVec<BodyId, Body>,
    /// How other packs read bodies, where that differs, sorted by the number of the reading.
    readings: HashMap<BodyId, Vec<(ReadingId, Body)>>,
    slot_ids: HashMap<SlotKey, SlotId>,
    /// The slots without what the facts say of them, which is in `mentions`.
    slots: IndexVec<SlotId, Slot>,
    mentions: Mentions,
    /// For each function with an alias, the names that declarations give for it.
    aliases: HashMap<FunctionId, Vec<AliasName>>,
    /// For each function with many declarations, their positions.
    declared: HashMap<FunctionId, HashMap<Location, usize>>,
    misplaced: Vec<Mark>,
    /// The stores at file scope, and of bodies that are not weak.
    stores: Stores,
    /// The stores of weak bodies: another body can take their place.
    weak_stores: HashMap<BodyId, Stores>,
    /// The facts that were added, by their digests: positions in `parts`, and later in `records`.
    added: HashMap<Digest, u32>,
    parts: Vec<Part>,
    /// The facts that units list, as they were added: units and positions in `parts`.
    listed: Vec<(u32, u32)>,
    records: Vec<FactsRecord>,
}

/// Facts that were added, before they are linked.
#[derive(Debug)]
struct Part {
    facts: SharedFileFacts,
    ids: IdMap,
}

/// A body of a part with the program's ids.
struct Translated {
    body: Body,
    /// How other packs read it.
    readings: Vec<(ReadingId, Body)>,
    /// The parameters that it assigns to.
    assigned: HashSet<SlotId>,
}

impl Linker {
    /// Adds the facts of one file in the unit with this number. This costs nothing for facts of an earlier unit.
    pub fn add(&mut self, unit: u32, facts: &SharedFileFacts) {
        self.add_numbered(unit, facts);
    }

    /// Adds facts as well. The result numbers the distinct facts in the order in which they are first added.
    pub(super) fn add_numbered(&mut self, unit: u32, facts: &SharedFileFacts) -> u32 {
        let number = match self.added.get(&facts.digest()) {
            Some(known) => *known,
            None => {
                let number = self.parts.len() as u32;
                self.added.insert(facts.digest(), number);
                let ids = self.mention(facts.facts());
                self.parts.push(Part { facts: facts.clone(), ids });
                number
            }
        };
        self.listed.push((unit, number));
        number
    }

    /// Gives everything that facts mention an id.
    fn mention(&mut self, facts: &FileFacts) -> IdMap {
        let files = facts.files.iter().map(|path| self.file(path)).collect();
        let mut ids = IdMap { files, functions: Vec::new(), slots: Vec::new() };
        for symbol in &facts.symbols {
            let file = symbol.file.map(|file| ids.file(file));
            let function = self.function(&symbol.name, file);
            ids.functions.push(function);
        }
        for slot in &facts.slots {
            let slot = self.slot(&ids, slot);
            ids.slots.push(slot);
        }
        ids
    }

    /// Links all facts that were added, in their order.
    fn link_parts(&mut self) {
        let parts = std::mem::take(&mut self.parts);
        let translated: Vec<Vec<Translated>> = parts.par_iter().map(|part| self.translate_bodies(part)).collect();
        let mut translated: Vec<Option<Vec<Translated>>> = translated.into_iter().map(Some).collect();
        // For each part, its bodies of functions with external linkage.
        let mut external: Vec<Vec<BodyId>> = vec![Vec::new(); parts.len()];
        for (unit, number) in std::mem::take(&mut self.listed) {
            let external = &mut external[number as usize];
            match translated[number as usize].take() {
                Some(bodies) => *external = self.link_part(unit, &parts[number as usize], bodies),
                None => external.iter().for_each(|body| self.bodies[*body].units.push(unit)),
            }
        }
        self.records = parts
            .iter()
            .zip(external)
            .map(|(Part { facts, ids }, external)| FactsRecord {
                digest: facts.digest(),
                located: mentions::located(facts.facts()).map(|file| ids.file(file)).collect(),
                has_units: !external.is_empty(),
            })
            .collect();
    }

    /// Links facts. Returns the bodies among them of functions with external linkage.
    fn link_part(&mut self, unit: u32, part: &Part, bodies: Vec<Translated>) -> Vec<BodyId> {
        let Part { facts, ids } = part;
        let facts = facts.facts();
        for declaration in &facts.declarations {
            self.declaration(ids, declaration);
        }
        let mut external = Vec::new();
        for (translated, body) in bodies.into_iter().zip(&facts.bodies) {
            external.extend(self.body(ids, unit, translated, &body.stores));
        }
        for store in &facts.stores {
            self.stores.add(&self.slots, ids, store);
        }
        self.misplaced.extend(ids.marks(&facts.misplaced));
        external
    }

    fn file(&mut self, path: &PathBuf) -> FileId {
        let id = match self.file_ids.get(path) {
            Some(&id) => id,
            None => {
                let id = self.files.push(path.clone());
                self.file_ids.insert(path.clone(), id);
                id
            }
        };
        count(&mut self.mentions.files, id);
        id
    }

    fn function(&mut self, name: &str, file: Option<FileId>) -> FunctionId {
        let known = self.function_ids.entry(file).or_default();
        let id = match known.get(name) {
            Some(&id) => id,
            None => {
                let (aliases, declarations, bodies) = (Vec::new(), Vec::new(), Vec::new());
                let id = self.functions.push(Function { name: name.to_owned(), file, aliases, declarations, bodies });
                known.insert(name.to_owned(), id);
                id
            }
        };
        count(&mut self.mentions.functions, id);
        id
    }

    fn declaration(&mut self, ids: &IdMap, declared: &cowrap_facts::Declaration) {
        let location = ids.location(declared.location);
        let marks = ids.marks(&declared.marks);
        if let Some(alias) = declared.alias {
            let name = self.functions[ids.function(alias)].name.clone();
            let named = self.aliases.entry(ids.function(declared.symbol)).or_default();
            let new = AliasName { name, file: location.file, is_weak: declared.weak };
            if !named.contains(&new) {
                named.push(new);
            }
        }
        let symbol = ids.function(declared.symbol);
        let declarations = &mut self.functions[symbol].declarations;
        let known = match declarations.len() {
            ..FEW_DECLARATIONS => declarations.iter().position(|known| known.location == location),
            _ => {
                let positions = self.declared.entry(symbol).or_insert_with(|| {
                    let known = declarations.iter().enumerate();
                    known.map(|(position, known)| (known.location, position)).collect()
                });
                match positions.entry(location) {
                    Entry::Occupied(known) => Some(*known.get()),
                    Entry::Vacant(free) => {
                        free.insert(declarations.len());
                        None
                    }
                }
            }
        };
        match known.and_then(|position| declarations.get_mut(position)) {
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
                signature: declared.signature.clone(),
            }),
        }
    }

    fn translate_bodies(&self, part: &Part) -> Vec<Translated> {
        let Part { facts, ids } = part;
        let translate = |body: &cowrap_facts::Body| Translated {
            body: translate(ids, body),
            readings: body.readings.iter().map(|read| (read.reading, translate(ids, &read.body))).collect(),
            assigned: stores::assigned_parameters(&self.slots, ids, body),
        };
        facts.facts().bodies.iter().map(translate).collect()
    }

    /// Adds a body and its stores. Returns its id if its function has external linkage.
    fn body(
        &mut self,
        ids: &IdMap,
        unit: u32,
        translated: Translated,
        stores: &[cowrap_facts::Store],
    ) -> Option<BodyId> {
        let Translated { mut body, mut readings, assigned } = translated;
        let function = &self.functions[body.function];
        let is_external = function.file.is_none();
        if is_external {
            body.units.push(unit);
            readings.iter_mut().for_each(|(_, read)| read.units.push(unit));
        }
        let is_weak = function.weak_definitions().any(|location| location == body.location);
        // Different units can have different bodies at one location, with different sets of flags.
        let is_same = |id: &&BodyId| {
            let known = &self.bodies[**id];
            let known_readings = self.readings.get(*id).map(Vec::as_slice).unwrap_or_default();
            known.location == body.location && merge::have_same_flags((known, known_readings), (&body, &readings))
        };
        let id = match function.bodies.iter().find(is_same).copied() {
            Some(known) => {
                if !readings.is_empty() || self.readings.contains_key(&known) {
                    let known_readings = self.readings.entry(known).or_default();
                    merge::readings(known_readings, &self.bodies[known], readings, &body);
                }
                merge::body(&mut self.bodies[known], body);
                known
            }
            None => {
                let function = body.function;
                let id = self.bodies.push(body);
                if !readings.is_empty() {
                    self.readings.insert(id, readings);
                }
                self.functions[function].bodies.push(id);
                id
            }
        };
        let known = if is_weak { self.weak_stores.entry(id).or_default() } else { &mut self.stores };
        stores.iter().for_each(|store| known.add(&self.slots, ids, store));
        assigned.into_iter().for_each(|parameter| known.add_assigned(parameter));
        is_external.then_some(id)
    }

    /// The slot with this identity; `None` if its identity goes through too many others.
    fn slot(&mut self, ids: &IdMap, slot: &cowrap_facts::Slot) -> Option<SlotId> {
        let (key, base, mut name) = self.slot_key(ids, &slot.identity)?;
        if slot.is_array && !name.is_empty() {
            name.push_str("[]");
        }
        let id = match self.slot_ids.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                self.mentions.slots.push(Vec::new());
                let slot = Slot::new(free.key().clone(), base);
                *free.insert(self.slots.push(slot))
            }
        };
        let declared = slot.declared.iter().map(|declared| ids.location(*declared)).collect();
        let (models, marks) = (slot.models.clone(), ids.marks(&slot.marks));
        let mention = SlotMention::new(name, slot.is_foreign, models, marks, declared);
        mentions::add(&mut self.mentions.slots[id], mention, 1);
        Some(id)
    }

    /// A slot's identity, the slot that it refers to, and its name.
    fn slot_key(
        &self,
        ids: &IdMap,
        identity: &cowrap_facts::SlotIdentity,
    ) -> Option<(SlotKey, Option<SlotId>, String)> {
        use cowrap_facts::SlotIdentity;
        let parameter = |position: u16| format!("parameter {}", u32::from(position) + 1);
        let base = |slot: cowrap_facts::SlotId| {
            let id = ids.slot(slot)?;
            let key = &self.slots[id].key;
            (key.nesting() < MAX_NESTING).then(|| (Box::new(key.clone()), Some(id)))
        };
        Some(match identity {
            SlotIdentity::Field { record, record_name, field } => {
                let name = if record_name.is_empty() { field.clone() } else { format!("{record_name}::{field}") };
                (SlotKey::Field { record: ids.location(*record), field: field.clone() }, None, name)
            }
            SlotIdentity::Global { name, file } => {
                let file = file.map(|file| ids.file(file));
                (SlotKey::Global { name: name.clone(), file }, None, name.clone())
            }
            SlotIdentity::Local { name, declared } => {
                (SlotKey::Local { declared: ids.location(*declared), name: name.clone() }, None, name.clone())
            }
            SlotIdentity::Parameter { function, position } => (
                SlotKey::Parameter { function: ids.function(*function), position: *position },
                None,
                parameter(*position),
            ),
            SlotIdentity::Result { function } => {
                (SlotKey::Result { function: ids.function(*function) }, None, "result".to_owned())
            }
            SlotIdentity::PointedParameter { slot, position } => {
                let (slot, id) = base(*slot)?;
                (SlotKey::PointedParameter { slot, position: *position }, id, parameter(*position))
            }
            SlotIdentity::PointedResult { slot } => {
                let (slot, id) = base(*slot)?;
                (SlotKey::PointedResult { slot }, id, "result".to_owned())
            }
            SlotIdentity::Target(slot) => {
                let (slot, id) = base(*slot)?;
                (SlotKey::Target(slot), id, String::new())
            }
        })
    }
}

/// The body with the program's ids, without its stores and its units.
fn translate(ids: &IdMap, body: &cowrap_facts::Body) -> Body {
    let calls = body.calls.iter().map(|call| Call {
        callee: ids.function(call.callee),
        location: ids.location(call.location),
        spelling: call.spelling.map(|spelling| ids.location(spelling)),
        condition: call.condition,
        kind: call.kind,
        after: call.after,
        ends: call.ends,
        is_change: call.is_change,
        arguments: arguments(ids, &call.arguments),
    });
    let calls = calls.collect();
    let slot_calls = body.slot_calls.iter().map(|call| SlotCall {
        slot: call.slot.and_then(|slot| ids.slot(slot)),
        location: ids.location(call.location),
        condition: call.condition,
        kind: call.kind,
        after: call.after,
        ends: call.ends,
        arguments: arguments(ids, &call.arguments),
    });
    let slot_calls = slot_calls.collect();
    let critical_sections = body.critical_sections.iter().map(|section| CriticalSection {
        lock: section.lock,
        name: section.name.clone(),
        taken: ids.location(section.taken),
        calls: section.calls.iter().map(|call| ids.location(*call)).collect(),
    });
    Body {
        function: ids.function(body.symbol),
        location: ids.location(body.location),
        more_lines: body.more_lines,
        regions: body.regions.clone(),
        values: cowrap_facts::feasible(&body.flags),
        flags: body.flags.clone(),
        calls,
        slot_calls,
        returns_after: body.returns_after,
        exit: body.exit,
        assertion: body.assertion.map(|assertion| (assertion, ids.location(assertion.location))),
        critical_sections: critical_sections.collect(),
        releases: body.releases.clone(),
        units: Vec::new(),
    }
}

/// Counts a mention.
fn count<I: Id>(mentions: &mut IndexVec<I, u32>, id: I) {
    match mentions.as_mut_slice().get_mut(id.index()) {
        Some(known) => *known = known.saturating_add(1),
        None => drop(mentions.push(1)),
    }
}

fn arguments(ids: &IdMap, arguments: &[cowrap_facts::Argument]) -> Vec<Argument> {
    let argument = |argument: &cowrap_facts::Argument| {
        let value = match &argument.value {
            cowrap_facts::ArgumentValue::Function(function) => ArgumentValue::Function(ids.function(*function)),
            cowrap_facts::ArgumentValue::Slot(slot) => ArgumentValue::Slot(ids.slot(*slot)?),
            cowrap_facts::ArgumentValue::Number(number) => ArgumentValue::Number(*number),
            cowrap_facts::ArgumentValue::Parameter(position) => ArgumentValue::Parameter(*position),
            cowrap_facts::ArgumentValue::Truth { may_be_true, may_be_false } => {
                ArgumentValue::Truth { may_be_true: *may_be_true, may_be_false: *may_be_false }
            }
        };
        Some(Argument { position: argument.position, value })
    };
    arguments.iter().filter_map(argument).collect()
}

impl SlotKey {
    /// How many slots the identity goes through.
    fn nesting(&self) -> usize {
        let mut nesting = 0;
        let mut key = self;
        while let SlotKey::PointedParameter { slot, .. } | SlotKey::PointedResult { slot } | SlotKey::Target(slot) = key
        {
            nesting += 1;
            key = slot;
        }
        nesting
    }
}
