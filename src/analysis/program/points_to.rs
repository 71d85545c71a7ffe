//! Resolution: which functions each slot may hold, over the whole program.
//!
//! Subset constraints, in the manner of Andersen's analysis: what is stored into a slot is in it, and what is in a slot
//! is in every slot that it is copied to. Slots are told apart by field and record type, not by object. A call through
//! a slot passes its arguments to every function in the slot.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::{Adjacency, ArgumentValue, FunctionId, Program, SlotId, SlotKey};

/// For each slot, the functions that it may hold.
#[derive(Debug, Default)]
pub struct PointsTo {
    of_slot: Adjacency<FunctionId>,
    of_function: Adjacency<SlotId>,
    leads_to_call: Vec<bool>,
}

impl PointsTo {
    /// Resolves every slot of a program.
    pub fn new(program: &Program) -> Self {
        let mut solver = Solver::new(program);
        solver.run();
        let mut of_slot = Adjacency::default();
        solver.held.iter().for_each(|held| of_slot.push(held.iter().copied()));
        let held = solver
            .held
            .iter()
            .enumerate()
            .flat_map(|(slot, held)| held.iter().map(move |function| (function.0 as usize, SlotId(slot as u32))));
        let of_function = Adjacency::new(program.functions.len(), held);
        let leads_to_call = leads_to_call(program, &solver.copies);
        PointsTo { of_slot, of_function, leads_to_call }
    }

    /// The functions that a slot may hold, sorted.
    pub fn candidates(&self, slot: SlotId) -> &[FunctionId] {
        self.of_slot.of(slot.0 as usize)
    }

    /// The slots that may hold a function, sorted.
    pub fn slots(&self, function: FunctionId) -> &[SlotId] {
        self.of_function.of(function.0 as usize)
    }

    /// Whether what is put into a slot is called from somewhere in the program: through it, or through a slot that it
    /// is copied to. Else nobody can tell in which context it is called.
    pub fn leads_to_call(&self, slot: SlotId) -> bool {
        self.leads_to_call[slot.0 as usize]
    }
}

struct Solver<'p> {
    program: &'p Program,
    held: Vec<BTreeSet<FunctionId>>,
    /// For each slot, the slots that it is copied to.
    copies: Vec<FxHashSet<SlotId>>,
    /// For each slot, what the calls through it pass.
    passed: Vec<Vec<(u16, ArgumentValue)>>,
    work: Vec<(SlotId, FunctionId)>,
}

impl<'p> Solver<'p> {
    fn new(program: &'p Program) -> Self {
        let mut solver = Solver {
            program,
            held: vec![BTreeSet::new(); program.slots.len()],
            copies: vec![FxHashSet::default(); program.slots.len()],
            passed: vec![Vec::new(); program.slots.len()],
            work: Vec::new(),
        };
        for copy in &program.copies {
            solver.copies[copy.from.0 as usize].insert(copy.to);
        }
        for body in &program.bodies {
            for call in &body.calls {
                for argument in &call.arguments {
                    let ArgumentValue::Slot(from) = argument.value else { continue };
                    if let Some(to) = program.parameter(call.callee, argument.position) {
                        solver.copies[from.0 as usize].insert(to);
                    }
                }
            }
            for call in &body.slot_calls {
                let Some(slot) = call.slot else { continue };
                let arguments = call.arguments.iter().map(|argument| (argument.position, argument.value));
                solver.passed[slot.0 as usize].extend(arguments);
            }
        }
        for passed in &mut solver.passed {
            passed.sort_unstable();
            passed.dedup();
        }
        solver
    }

    fn run(&mut self) {
        for store in &self.program.stores {
            if let Some(slot) = store.slot {
                self.add(slot, store.function);
            }
        }
        while let Some((slot, function)) = self.work.pop() {
            for to in self.copies[slot.0 as usize].clone() {
                self.add(to, function);
            }
            for (position, value) in self.passed[slot.0 as usize].clone() {
                let Some(parameter) = self.program.parameter(function, position) else { continue };
                match value {
                    ArgumentValue::Function(passed) => self.add(parameter, passed),
                    ArgumentValue::Slot(from) => self.copy(from, parameter),
                    ArgumentValue::Truth { .. } => {}
                }
            }
        }
    }

    fn add(&mut self, slot: SlotId, function: FunctionId) {
        if self.held[slot.0 as usize].insert(function) {
            self.work.push((slot, function));
        }
    }

    fn copy(&mut self, from: SlotId, to: SlotId) {
        if from != to && self.copies[from.0 as usize].insert(to) {
            for function in self.held[from.0 as usize].clone() {
                self.add(to, function);
            }
        }
    }
}

/// For each slot, whether a call is made through it, or through one that it is copied to.
fn leads_to_call(program: &Program, copies: &[FxHashSet<SlotId>]) -> Vec<bool> {
    let mut backward = vec![Vec::new(); copies.len()];
    for (from, targets) in copies.iter().enumerate() {
        for to in targets {
            backward[to.0 as usize].push(from);
        }
    }
    let mut leads = vec![false; copies.len()];
    let is_called = |slot: &usize| !program.calls_through(SlotId(*slot as u32)).is_empty();
    let mut work: Vec<usize> = (0..copies.len()).filter(is_called).collect();
    while let Some(slot) = work.pop() {
        if !std::mem::replace(&mut leads[slot], true) {
            work.extend(&backward[slot]);
        }
    }
    leads
}

impl Program {
    /// The slot that a function's parameter is, when something is known of it.
    pub fn parameter(&self, function: FunctionId, position: u16) -> Option<SlotId> {
        self.find_slot(&SlotKey::Parameter { function, position })
    }

    /// The slot with this identity.
    pub fn find_slot(&self, key: &SlotKey) -> Option<SlotId> {
        let found = self.slots.binary_search_by(|slot| slot.key.cmp(key)).ok()?;
        Some(SlotId(found as u32))
    }
}
