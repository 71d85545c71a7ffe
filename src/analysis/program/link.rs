//! Linking: the facts of the units, one after the other, into one program.

use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use cowrap_base::files::Digest;
use cowrap_facts::{CallKind, FileFacts, SharedFileFacts};

use super::{
    Argument, ArgumentValue, Body, BodyId, Call, CriticalSection, Declaration, FileId, Function, FunctionId, Location,
    Mark, PointerCopy, Program, Slot, SlotCall, SlotId, SlotKey, Store,
};

/// Collects units. Facts that several units share (those of headers) are kept once.
///
/// Units must be added in a fixed order; then the program is the same from run to run.
#[derive(Debug, Default)]
pub struct Linker {
    files: HashMap<PathBuf, FileId>,
    file_list: Vec<PathBuf>,
    functions: HashMap<(String, Option<FileId>), FunctionId>,
    function_list: Vec<Function>,
    body_list: Vec<Body>,
    slots: HashMap<SlotKey, SlotId>,
    slot_list: Vec<Slot>,
    misplaced: Vec<Mark>,
    /// One location can put a function into several slots: it may be the use of a macro.
    stores: HashMap<(FunctionId, Location, Option<SlotId>), Store>,
    copies: HashSet<PointerCopy>,
    /// What was added, with its bodies of functions with external linkage.
    known: HashMap<Digest, Vec<BodyId>>,
}

/// The numbers of one file's facts as the program's.
struct Numbers {
    files: Vec<FileId>,
    functions: Vec<FunctionId>,
}

impl Numbers {
    fn location(&self, location: cowrap_facts::Location) -> Location {
        Location { file: self.files[location.file.0 as usize], line: location.line, column: location.column }
    }

    fn function(&self, symbol: cowrap_facts::SymbolId) -> FunctionId {
        self.functions[symbol.0 as usize]
    }

    fn marks(&self, marks: &[cowrap_facts::Mark]) -> Vec<Mark> {
        marks.iter().map(|mark| Mark { location: self.location(mark.location), mark: mark.mark }).collect()
    }
}

impl Linker {
    /// Adds what a file says in a unit; `unit` is the unit's number. What was added before for another unit costs nothing.
    pub fn add(&mut self, unit: u32, piece: &SharedFileFacts) {
        if let Some(external) = self.known.get(&piece.digest()) {
            for body in external {
                self.body_list[body.0 as usize].units.push(unit);
            }
            return;
        }
        let external = self.add_facts(unit, piece.facts().clone());
        self.known.insert(piece.digest(), external);
    }

    /// Adds facts; the result are the bodies of functions with external linkage among them.
    fn add_facts(&mut self, unit: u32, facts: FileFacts) -> Vec<BodyId> {
        let files = facts.files.into_iter().map(|path| self.file(path)).collect();
        let mut numbers = Numbers { files, functions: Vec::new() };
        for symbol in facts.symbols {
            let file = symbol.file.map(|file| numbers.files[file.0 as usize]);
            let function = self.function(symbol.name, file);
            numbers.functions.push(function);
        }
        for declaration in facts.declarations {
            self.declaration(&numbers, declaration);
        }
        let mut external = Vec::new();
        for body in facts.bodies {
            external.extend(self.body(&numbers, unit, body));
        }
        for store in facts.stores {
            self.store(&numbers, None, store);
        }
        for copy in facts.copies {
            self.copy(&numbers, None, copy);
        }
        self.misplaced.extend(numbers.marks(&facts.misplaced));
        external
    }

    /// The program, its functions sorted by name and file so that nothing depends on the order of units. `absolute` says where
    /// the files are that facts speak of.
    pub fn finish(mut self, absolute: impl Fn(&Path) -> PathBuf) -> Program {
        self.file_list.iter_mut().for_each(|path| *path = absolute(path));
        let new_files = renumbering(&self.file_list, |path| path);
        let files = sorted(self.file_list, &new_files);
        let location = |location: Location| Location { file: FileId(new_files[location.file.0 as usize]), ..location };
        let mark = |mark: Mark| Mark { location: location(mark.location), ..mark };

        for function in &mut self.function_list {
            function.file = function.file.map(|file| FileId(new_files[file.0 as usize]));
            for declaration in &mut function.declarations {
                declaration.location = location(declaration.location);
                for written in &mut declaration.marks {
                    *written = mark(*written);
                }
                declaration.marks.sort_unstable();
            }
            function.declarations.sort_by_key(|declaration| declaration.location);
        }
        let new_functions = renumbering(&self.function_list, |function| (&function.name, function.file));
        let mut functions = sorted(self.function_list, &new_functions);
        let function = |id: FunctionId| FunctionId(new_functions[id.0 as usize]);

        for slot in &mut self.slot_list {
            slot.key.renumber(&|file| FileId(new_files[file.0 as usize]), &function);
            slot.marks = slot.marks.iter().map(|written| mark(*written)).collect();
            slot.marks.sort_unstable();
            slot.declared.iter_mut().for_each(|declared| *declared = location(*declared));
            slot.declared.sort_unstable();
        }
        let new_slots = renumbering(&self.slot_list, |slot| &slot.key);
        let slots = sorted(self.slot_list, &new_slots);
        let new_slot = |id: SlotId| SlotId(new_slots[id.0 as usize]);

        let argument = |argument: &mut Argument| match &mut argument.value {
            ArgumentValue::Function(passed) => *passed = function(*passed),
            ArgumentValue::Slot(slot) => *slot = new_slot(*slot),
            ArgumentValue::Truth { .. } => {}
        };
        self.body_list.par_iter_mut().for_each(|body| {
            for call in &mut body.slot_calls {
                call.slot = call.slot.map(new_slot);
                call.location = location(call.location);
                call.arguments.iter_mut().for_each(argument);
                call.arguments.sort_unstable();
            }
            body.function = function(body.function);
            body.location = location(body.location);
            body.assertion = body.assertion.map(|(assertion, at)| (assertion, location(at)));
            for hold in &mut body.critical_sections {
                hold.taken = location(hold.taken);
                hold.calls.iter_mut().for_each(|call| *call = location(*call));
                hold.calls.sort_unstable();
                hold.calls.dedup();
            }
            for call in &mut body.calls {
                call.callee = function(call.callee);
                call.location = location(call.location);
                call.spelling = call.spelling.map(location);
                call.arguments.iter_mut().for_each(argument);
                call.arguments.sort_unstable();
            }
        });
        let new_bodies = renumbering(&self.body_list, |body| (body.location, body.function, &body.flags));
        let bodies = sorted(self.body_list, &new_bodies);
        for function in &mut functions {
            for body in &mut function.bodies {
                *body = BodyId(new_bodies[body.0 as usize]);
            }
            function.bodies.sort_unstable();
        }
        let mut misplaced: Vec<Mark> = self.misplaced.into_iter().map(mark).collect();
        misplaced.sort_unstable();
        misplaced.dedup();
        let mut stores: Vec<Store> = self
            .stores
            .into_values()
            .map(|store| Store {
                function: function(store.function),
                location: location(store.location),
                slot: store.slot.map(new_slot),
                paired_flag: store.paired_flag,
            })
            .collect();
        stores.sort_unstable();
        let mut copies: Vec<PointerCopy> =
            self.copies.iter().map(|copy| PointerCopy { from: new_slot(copy.from), to: new_slot(copy.to) }).collect();
        copies.sort_unstable();
        let mut program = Program { files, functions, bodies, slots, misplaced, stores, copies, ..Program::default() };
        program.connect();
        program
    }

    fn file(&mut self, path: PathBuf) -> FileId {
        if let Some(&id) = self.files.get(&path) {
            return id;
        }
        let id = FileId(self.file_list.len() as u32);
        self.file_list.push(path.clone());
        self.files.insert(path, id);
        id
    }

    fn function(&mut self, name: String, file: Option<FileId>) -> FunctionId {
        let id = FunctionId(self.function_list.len() as u32);
        match self.functions.entry((name, file)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let name = free.key().0.clone();
                self.function_list.push(Function { name, file, declarations: Vec::new(), bodies: Vec::new() });
                *free.insert(id)
            }
        }
    }

    fn declaration(&mut self, numbers: &Numbers, declared: cowrap_facts::Declaration) {
        let function = numbers.function(declared.symbol);
        let location = numbers.location(declared.location);
        let marks = numbers.marks(&declared.marks);
        let declarations = &mut self.function_list[function.0 as usize].declarations;
        match declarations.iter_mut().find(|known| known.location == location) {
            Some(known) => {
                for mark in marks {
                    if !known.marks.contains(&mark) {
                        known.marks.push(mark);
                    }
                }
                known.definition |= declared.definition;
                known.never_returns |= declared.never_returns;
            }
            None => declarations.push(Declaration {
                location,
                marks,
                definition: declared.definition,
                never_returns: declared.never_returns,
                signature: declared.signature,
            }),
        }
    }

    /// Adds a body; the result is its number if its function has external linkage.
    fn body(&mut self, numbers: &Numbers, unit: u32, body: cowrap_facts::Body) -> Option<BodyId> {
        let function = numbers.function(body.symbol);
        for store in body.stores {
            self.store(numbers, Some(function), store);
        }
        for copy in body.copies {
            self.copy(numbers, Some(function), copy);
        }
        let location = numbers.location(body.location);
        let external = self.function_list[function.0 as usize].file.is_none();
        let calls: Vec<Call> = body
            .calls
            .into_iter()
            .map(|call| Call {
                callee: numbers.function(call.callee),
                location: numbers.location(call.location),
                spelling: call.spelling.map(|spelling| numbers.location(spelling)),
                condition: call.condition,
                kind: call.kind,
                arguments: self.arguments(numbers, function, call.arguments),
            })
            .collect();
        let assertion = body.assertion.map(|assertion| (assertion, numbers.location(assertion.location)));
        let slot_calls: Vec<SlotCall> = body
            .slot_calls
            .into_iter()
            .map(|call| SlotCall {
                slot: self.slot(numbers, Some(function), call.slot, &call.marks),
                location: numbers.location(call.location),
                condition: call.condition,
                kind: call.kind,
                arguments: self.arguments(numbers, function, call.arguments),
            })
            .collect();
        let critical_sections: Vec<CriticalSection> = body
            .critical_sections
            .into_iter()
            .map(|hold| CriticalSection {
                lock: hold.lock,
                name: hold.name,
                taken: numbers.location(hold.taken),
                calls: hold.calls.into_iter().map(|location| numbers.location(location)).collect(),
            })
            .collect();
        // One location can hold different bodies in different units.
        let bodies = &mut self.function_list[function.0 as usize].bodies;
        let same = |id: &&BodyId| {
            let known = &self.body_list[id.0 as usize];
            known.location == location && known.flags == body.flags
        };
        let Some(&known) = bodies.iter().find(same) else {
            let id = BodyId(self.body_list.len() as u32);
            bodies.push(id);
            self.body_list.push(Body {
                function,
                location,
                flags: body.flags,
                calls,
                slot_calls,
                assertion,
                critical_sections,
                releases: body.releases,
                units: if external { vec![unit] } else { Vec::new() },
            });
            return external.then_some(id);
        };
        let id = known;
        let known = &mut self.body_list[known.0 as usize];
        if external {
            known.units.push(unit);
        }
        // A macro's own calls and those of its argument are at one location.
        let region = |kind: CallKind| kind == CallKind::Region;
        for call in slot_calls {
            let same = |known: &&mut SlotCall| {
                known.slot == call.slot && known.location == call.location && region(known.kind) == region(call.kind)
            };
            match known.slot_calls.iter_mut().find(same) {
                Some(known) => {
                    known.condition = known.condition.or(call.condition);
                    known.kind = known.kind.min(call.kind);
                    merge_arguments(&mut known.arguments, call.arguments);
                }
                None => known.slot_calls.push(call),
            }
        }
        // A lock is certainly held where it is in every configuration, and released where it is in any.
        known.critical_sections.retain_mut(|known| {
            let same = critical_sections.iter().find(|hold| hold.lock == known.lock && hold.taken == known.taken);
            known.calls.retain(|call| same.is_some_and(|hold| hold.calls.contains(call)));
            same.is_some()
        });
        known.releases.extend(body.releases);
        known.releases.sort_unstable();
        known.releases.dedup();
        // An assertion that only some configurations have is none.
        known.assertion = known.assertion.filter(|known| assertion.as_ref() == Some(known));
        for (position, call) in calls.into_iter().enumerate() {
            let same = |known: &Call| {
                known.callee == call.callee
                    && known.location == call.location
                    && region(known.kind) == region(call.kind)
            };
            let at = match known.calls.get(position) {
                Some(candidate) if same(candidate) => Some(position),
                _ => known.calls.iter().position(same),
            };
            match at {
                Some(at) => {
                    known.calls[at].condition = known.calls[at].condition.or(call.condition);
                    known.calls[at].kind = known.calls[at].kind.min(call.kind);
                    merge_arguments(&mut known.calls[at].arguments, call.arguments);
                }
                None => known.calls.push(call),
            }
        }
        external.then_some(id)
    }

    /// The slot that facts speak of, within the body of `inside`; `None` for what cannot be identified.
    fn slot(
        &mut self,
        numbers: &Numbers,
        inside: Option<FunctionId>,
        slot: cowrap_facts::Slot,
        marks: &[cowrap_facts::Mark],
    ) -> Option<SlotId> {
        let (key, name) = slot_key(numbers, inside, slot)?;
        let id = match self.slots.get(&key) {
            Some(&id) => id,
            None => {
                let id = SlotId(self.slot_list.len() as u32);
                self.slot_list.push(Slot { key: key.clone(), name, marks: Vec::new(), declared: Vec::new() });
                self.slots.insert(key, id);
                id
            }
        };
        let known = &mut self.slot_list[id.0 as usize].marks;
        for mark in numbers.marks(marks) {
            if !known.contains(&mark) {
                known.push(mark);
            }
        }
        Some(id)
    }

    fn arguments(
        &mut self,
        numbers: &Numbers,
        inside: FunctionId,
        arguments: Vec<cowrap_facts::Argument>,
    ) -> Vec<Argument> {
        let argument = |argument: cowrap_facts::Argument| {
            let value = match argument.value {
                cowrap_facts::ArgumentValue::Function(function) => ArgumentValue::Function(numbers.function(function)),
                cowrap_facts::ArgumentValue::Slot(slot) => {
                    ArgumentValue::Slot(self.slot(numbers, Some(inside), slot, &[])?)
                }
                cowrap_facts::ArgumentValue::Truth { may_be_true, may_be_false } => {
                    ArgumentValue::Truth { may_be_true, may_be_false }
                }
            };
            Some(Argument { position: argument.position, value })
        };
        arguments.into_iter().filter_map(argument).collect()
    }

    fn copy(&mut self, numbers: &Numbers, inside: Option<FunctionId>, copy: cowrap_facts::PointerCopy) {
        let from = self.slot(numbers, inside, copy.from, &[]);
        let to = self.slot(numbers, inside, copy.to, &[]);
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            self.copies.insert(PointerCopy { from, to });
        }
    }

    fn store(&mut self, numbers: &Numbers, inside: Option<FunctionId>, store: cowrap_facts::Store) {
        let function = numbers.function(store.function);
        let location = numbers.location(store.location);
        let slot = self.slot(numbers, inside, store.slot, &store.marks);
        if let Some(slot) = slot {
            let known = &mut self.slot_list[slot.0 as usize].declared;
            known.extend(store.declared.iter().map(|declared| numbers.location(*declared)));
            known.sort_unstable();
            known.dedup();
        }
        let paired_flag = store.paired_flag;
        let known =
            self.stores.entry((function, location, slot)).or_insert(Store { function, location, slot, paired_flag });
        // What configurations disagree on is not known.
        known.paired_flag = known.paired_flag.filter(|known| Some(*known) == paired_flag);
    }
}

/// Adds what the same call passes in another unit. Of a truth value only what both units know is known.
fn merge_arguments(known: &mut Vec<Argument>, other: Vec<Argument>) {
    if *known == other {
        return;
    }
    let truth = |arguments: &[Argument], position: u16| {
        arguments.iter().find_map(|argument| match argument.value {
            ArgumentValue::Truth { may_be_true, may_be_false } if argument.position == position => {
                Some((may_be_true, may_be_false))
            }
            _ => None,
        })
    };
    known.retain_mut(|argument| match &mut argument.value {
        ArgumentValue::Truth { may_be_true, may_be_false } => match truth(&other, argument.position) {
            Some((yes, no)) => {
                (*may_be_true, *may_be_false) = (may_be_true.or(yes), may_be_false.or(no));
                true
            }
            None => false,
        },
        _ => true,
    });
    for argument in other {
        if !matches!(argument.value, ArgumentValue::Truth { .. }) && !known.contains(&argument) {
            known.push(argument);
        }
    }
}

/// A slot's identity and its name for people.
fn slot_key(numbers: &Numbers, inside: Option<FunctionId>, slot: cowrap_facts::Slot) -> Option<(SlotKey, String)> {
    Some(match slot {
        cowrap_facts::Slot::Field { record, record_name, field } => {
            let name = if record_name.is_empty() { field.clone() } else { format!("{record_name}::{field}") };
            (SlotKey::Field { record: numbers.location(record), field }, name)
        }
        cowrap_facts::Slot::Global { name, file } => {
            let file = file.map(|file| numbers.files[file.0 as usize]);
            (SlotKey::Global { name: name.clone(), file }, name)
        }
        cowrap_facts::Slot::Local { name, declared } => {
            (SlotKey::Local { declared: numbers.location(declared), name: name.clone() }, name)
        }
        cowrap_facts::Slot::Parameter { position } => {
            (SlotKey::Parameter { function: inside?, position }, format!("parameter {}", position + 1))
        }
        cowrap_facts::Slot::Argument { function, position } => {
            let function = numbers.function(function);
            (SlotKey::Parameter { function, position }, format!("parameter {}", position + 1))
        }
        cowrap_facts::Slot::Return => (SlotKey::Result { function: inside? }, "result".to_owned()),
        cowrap_facts::Slot::Result { function } => {
            (SlotKey::Result { function: numbers.function(function) }, "result".to_owned())
        }
        cowrap_facts::Slot::Element(of) => {
            let (key, name) = slot_key(numbers, inside, *of)?;
            (SlotKey::Element(Box::new(key)), format!("{name}[]"))
        }
        cowrap_facts::Slot::SlotArgument { .. } | cowrap_facts::Slot::Other => return None,
    })
}

impl SlotKey {
    /// Gives files and functions their final numbers.
    fn renumber(&mut self, file: &impl Fn(FileId) -> FileId, function: &impl Fn(FunctionId) -> FunctionId) {
        match self {
            SlotKey::Field { record: at, .. } | SlotKey::Local { declared: at, .. } => at.file = file(at.file),
            SlotKey::Global { file: of, .. } => *of = of.map(file),
            SlotKey::Parameter { function: of, .. } | SlotKey::Result { function: of } => *of = function(*of),
            SlotKey::Element(of) => of.renumber(file, function),
        }
    }
}

/// For each position of a list, its position when the list is sorted by a key.
fn renumbering<'l, T: Sync, K: Ord + Send + Sync>(list: &'l [T], key: impl Fn(&'l T) -> K + Sync) -> Vec<u32> {
    let mut order: Vec<(K, u32)> = list.iter().zip(0..).map(|(item, position)| (key(item), position)).collect();
    order.par_sort_unstable();
    let mut new = vec![0; list.len()];
    for (position, (_, old)) in order.into_iter().enumerate() {
        new[old as usize] = position as u32;
    }
    new
}

/// The list in the order of its new positions.
fn sorted<T>(mut list: Vec<T>, new: &[u32]) -> Vec<T> {
    let mut new = new.to_vec();
    for position in 0..list.len() {
        // What is here goes where it belongs, until the right one is here.
        while new[position] as usize != position {
            let wanted = new[position] as usize;
            list.swap(position, wanted);
            new.swap(position, wanted);
        }
    }
    list
}
