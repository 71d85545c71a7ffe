//! Linking: the facts of the units, one after the other, into one program.

use std::collections::HashMap;
use std::path::PathBuf;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::facts::{self, UnitFacts};

use super::{
    Body, BodyId, Call, Declaration, FileId, Function, FunctionId, Mark, MarkedSlot, Place, Program, Site, Store,
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
    /// Bodies by function, place and flags: one place can hold different bodies in different units.
    bodies: HashMap<(FunctionId, Place, Vec<u16>), BodyId>,
    body_list: Vec<Body>,
    slots: HashMap<(Place, String), usize>,
    slot_list: Vec<MarkedSlot>,
    misplaced: Vec<Mark>,
    stores: HashMap<(FunctionId, Place), Store>,
}

/// One unit's numbers as the program's.
struct Numbers {
    files: Vec<FileId>,
    functions: Vec<FunctionId>,
}

impl Numbers {
    fn place(&self, place: facts::Place) -> Place {
        Place { file: self.files[place.file.0 as usize], line: place.line, column: place.column }
    }

    fn function(&self, symbol: facts::SymbolId) -> FunctionId {
        self.functions[symbol.0 as usize]
    }

    fn marks(&self, marks: &[facts::Mark]) -> Vec<Mark> {
        marks.iter().map(|mark| Mark { place: self.place(mark.place), mark: mark.mark }).collect()
    }
}

impl Linker {
    /// Adds the facts of a unit; `unit` is its number.
    pub fn add(&mut self, unit: u32, facts: UnitFacts) {
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
        for body in facts.bodies {
            self.body(&numbers, unit, body);
        }
        for slot in facts.slots {
            self.slot(&numbers, slot);
        }
        for store in facts.stores {
            self.store(&numbers, store);
        }
        self.misplaced.extend(numbers.marks(&facts.misplaced));
    }

    /// The program, its functions sorted by name and file so that nothing depends on the order of units.
    pub fn finish(mut self) -> Program {
        let new_files = renumbering(&self.file_list, |path| path.clone());
        let files = sorted(self.file_list, &new_files);
        let place = |place: Place| Place { file: FileId(new_files[place.file.0 as usize]), ..place };
        let mark = |mark: Mark| Mark { place: place(mark.place), ..mark };

        for function in &mut self.function_list {
            function.file = function.file.map(|file| FileId(new_files[file.0 as usize]));
            for declaration in &mut function.declarations {
                declaration.place = place(declaration.place);
                for written in &mut declaration.marks {
                    *written = mark(*written);
                }
                declaration.marks.sort_unstable();
            }
            function.declarations.sort_by_key(|declaration| declaration.place);
        }
        let new_functions = renumbering(&self.function_list, |function| (function.name.clone(), function.file));
        let mut functions = sorted(self.function_list, &new_functions);
        let function = |id: FunctionId| FunctionId(new_functions[id.0 as usize]);

        for body in &mut self.body_list {
            body.function = function(body.function);
            body.place = place(body.place);
            body.assertion = body.assertion.map(|(assertion, at)| (assertion, place(at)));
            for call in &mut body.calls {
                call.callee = function(call.callee);
                call.place = place(call.place);
                call.spelling = call.spelling.map(place);
            }
        }
        let new_bodies = renumbering(&self.body_list, |body| (body.place, body.function, body.flags.clone()));
        let bodies = sorted(self.body_list, &new_bodies);
        let mut graph = DiGraph::with_capacity(functions.len(), 0);
        for _ in &functions {
            graph.add_node(());
        }
        for (number, body) in bodies.iter().enumerate() {
            let id = BodyId(number as u32);
            functions[body.function.0 as usize].bodies.push(id);
            for (position, call) in body.calls.iter().enumerate() {
                let (caller, callee) = (body.function.0 as usize, call.callee.0 as usize);
                let site = Site { body: id, call: position as u32 };
                graph.add_edge(NodeIndex::new(caller), NodeIndex::new(callee), site);
            }
        }
        let mut slots = self.slot_list;
        for slot in &mut slots {
            slot.place = place(slot.place);
            slot.marks = slot.marks.iter().map(|written| mark(*written)).collect();
        }
        slots.sort_by(|one, other| (one.place, &one.name).cmp(&(other.place, &other.name)));
        let mut misplaced: Vec<Mark> = self.misplaced.into_iter().map(mark).collect();
        misplaced.sort_unstable();
        misplaced.dedup();
        let mut stores: Vec<Store> = self
            .stores
            .into_values()
            .map(|store| Store { function: function(store.function), place: place(store.place), ..store })
            .collect();
        stores.sort_unstable();
        Program { files, functions, bodies, slots, misplaced, stores, graph }
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
        let key = (name, file);
        if let Some(&id) = self.functions.get(&key) {
            return id;
        }
        let id = FunctionId(self.function_list.len() as u32);
        let name = key.0.clone();
        self.function_list.push(Function { name, file, declarations: Vec::new(), bodies: Vec::new() });
        self.functions.insert(key, id);
        id
    }

    fn declaration(&mut self, numbers: &Numbers, declared: facts::Declaration) {
        let function = numbers.function(declared.symbol);
        let place = numbers.place(declared.place);
        let marks = numbers.marks(&declared.marks);
        let declarations = &mut self.function_list[function.0 as usize].declarations;
        match declarations.iter_mut().find(|known| known.place == place) {
            Some(known) => {
                for mark in marks {
                    if !known.marks.contains(&mark) {
                        known.marks.push(mark);
                    }
                }
                known.definition |= declared.definition;
            }
            None => declarations.push(Declaration {
                place,
                marks,
                definition: declared.definition,
                signature: declared.signature,
            }),
        }
    }

    fn body(&mut self, numbers: &Numbers, unit: u32, body: facts::Body) {
        for store in body.stores {
            self.store(numbers, store);
        }
        let function = numbers.function(body.symbol);
        let place = numbers.place(body.place);
        let external = self.function_list[function.0 as usize].file.is_none();
        let calls = body.calls.iter().map(|call| Call {
            callee: numbers.function(call.callee),
            place: numbers.place(call.place),
            spelling: call.spelling.map(|spelling| numbers.place(spelling)),
            reach: call.reach,
            kind: call.kind,
        });
        let assertion = body.assertion.map(|assertion| (assertion, numbers.place(assertion.place)));
        let slot_calls = body.slot_calls.len() as u32;
        let key = (function, place, body.flags);
        let Some(&known) = self.bodies.get(&key) else {
            let id = BodyId(self.body_list.len() as u32);
            self.body_list.push(Body {
                function,
                place,
                flags: key.2.clone(),
                calls: calls.collect(),
                slot_calls,
                assertion,
                units: if external { vec![unit] } else { Vec::new() },
            });
            self.bodies.insert(key, id);
            return;
        };
        let known = &mut self.body_list[known.0 as usize];
        if external {
            known.units.push(unit);
        }
        known.slot_calls = known.slot_calls.max(slot_calls);
        // An assertion that only some configurations have is none.
        known.assertion = known.assertion.filter(|known| assertion.as_ref() == Some(known));
        for (position, call) in calls.enumerate() {
            let same = |known: &Call| known.callee == call.callee && known.place == call.place;
            let at = match known.calls.get(position) {
                Some(candidate) if same(candidate) => Some(position),
                _ => known.calls.iter().position(same),
            };
            match at {
                Some(at) => {
                    known.calls[at].reach = known.calls[at].reach.or(call.reach);
                    known.calls[at].kind = known.calls[at].kind.min(call.kind);
                }
                None => known.calls.push(call),
            }
        }
    }

    fn slot(&mut self, numbers: &Numbers, slot: facts::SlotDeclaration) {
        let place = numbers.place(slot.place);
        let marks = numbers.marks(&slot.marks);
        match self.slots.get(&(place, slot.name.clone())) {
            Some(&known) => {
                for mark in marks {
                    if !self.slot_list[known].marks.contains(&mark) {
                        self.slot_list[known].marks.push(mark);
                    }
                }
            }
            None => {
                self.slots.insert((place, slot.name.clone()), self.slot_list.len());
                self.slot_list.push(MarkedSlot { name: slot.name, kind: slot.kind, place, marks });
            }
        }
    }

    fn store(&mut self, numbers: &Numbers, store: facts::Store) {
        let function = numbers.function(store.function);
        let place = numbers.place(store.place);
        self.stores.entry((function, place)).or_insert(Store { function, place, marks: store.marks });
    }
}

/// For each position of a list, its position when the list is sorted by a key.
fn renumbering<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> Vec<u32> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by_cached_key(|&position| key(&list[position]));
    let mut new = vec![0; list.len()];
    for (position, old) in order.into_iter().enumerate() {
        new[old] = position as u32;
    }
    new
}

/// The list in the order of its new positions.
fn sorted<T>(list: Vec<T>, new: &[u32]) -> Vec<T> {
    let mut pairs: Vec<(u32, T)> = new.iter().copied().zip(list).collect();
    pairs.sort_by_key(|(position, _)| *position);
    pairs.into_iter().map(|(_, item)| item).collect()
}
