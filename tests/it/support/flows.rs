//! Synthetic programs of values that go into slots.

use std::path::PathBuf;

use cowrap_facts::{
    Body, CallKind, FileFacts, FileId, Location, PairedFlags, SharedFileFacts, Slot, SlotCall, SlotId, SlotIdentity,
    Store, Symbol, SymbolId, Value,
};

use super::synthetic::{FILE, always, field, name, plain_slot};

/// Which slot it is. Slots and functions are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotSketch {
    /// A field.
    Field,
    /// A field that a library may store into.
    Foreign,
    /// A parameter of a function.
    Parameter(usize, u16),
    /// The result of a function.
    Result(usize),
    /// A parameter of what an earlier slot points to.
    PointedParameter(usize, u16),
    /// The result of what an earlier slot points to.
    PointedResult(usize),
    /// What an earlier slot points to.
    Target(usize),
}

/// A value that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSketch {
    /// A function.
    Function(usize),
    /// What a slot holds.
    Slot(usize),
    /// A slot's address.
    Address(usize),
    /// Something that cannot be followed.
    Unknown,
}

/// Values that go into slots. Nothing calls a function by name.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// For each function, whether the program has its body.
    pub functions: Vec<bool>,
    /// The slots.
    pub slots: Vec<SlotSketch>,
    /// The values, with the slots that they go into; `None` for a place that cannot be followed.
    pub stores: Vec<(Option<usize>, ValueSketch)>,
    /// The slots that the first function calls through.
    pub called: Vec<usize>,
}

impl Flows {
    /// The facts of one unit, with the stores at these positions. Store `n` is in line `n + 1`. All units have the
    /// bodies of all functions.
    pub fn unit(&self, stores: impl Iterator<Item = usize>) -> SharedFileFacts {
        let file = FileId(0);
        let symbol = |function: usize| SymbolId(function as u32);
        let slot = |slot: usize| SlotId(slot as u32);
        let at = |line: usize, column: u32| Location { file, line: line as u32 + 1, column };
        let identity = |(number, sketch): (usize, &SlotSketch)| match *sketch {
            SlotSketch::Field | SlotSketch::Foreign => field(number),
            SlotSketch::Parameter(function, position) => {
                SlotIdentity::Parameter { function: symbol(function), position }
            }
            SlotSketch::Result(function) => SlotIdentity::Result { function: symbol(function) },
            SlotSketch::PointedParameter(of, position) => SlotIdentity::PointedParameter { slot: slot(of), position },
            SlotSketch::PointedResult(of) => SlotIdentity::PointedResult { slot: slot(of) },
            SlotSketch::Target(of) => SlotIdentity::Target(slot(of)),
        };
        let slots = self.slots.iter().enumerate().map(|(number, sketch)| Slot {
            is_foreign: *sketch == SlotSketch::Foreign,
            ..plain_slot(identity((number, sketch)))
        });
        let stores = stores.map(|number| {
            let (to, value) = self.stores[number];
            let value = match value {
                ValueSketch::Function(function) => Value::Function(symbol(function)),
                ValueSketch::Slot(from) => Value::Slot(slot(from)),
                ValueSketch::Address(of) => Value::Address(slot(of)),
                ValueSketch::Unknown => Value::Unknown,
            };
            Store { to: to.map(slot), value, location: at(number, 10_000), paired_flags: PairedFlags::NONE }
        });
        let slot_calls = self.called.iter().enumerate().map(|(number, called)| SlotCall {
            slot: Some(slot(*called)),
            location: at(number, 20_000),
            condition: always(),
            kind: CallKind::Written,
            after: None,
            ends: false,
            arguments: Vec::new(),
        });
        let mut facts = FileFacts {
            files: vec![PathBuf::from(FILE)],
            symbols: (0..self.functions.len()).map(|number| Symbol { name: name(number), file: None }).collect(),
            slots: slots.collect(),
            stores: stores.collect(),
            ..FileFacts::default()
        };
        let mut slot_calls: Vec<SlotCall> = slot_calls.collect();
        for number in (0..self.functions.len()).filter(|number| self.functions[*number]) {
            facts
                .bodies
                .push(Body { slot_calls: std::mem::take(&mut slot_calls), ..Body::new(symbol(number), at(number, 1)) });
        }
        SharedFileFacts::new(facts)
    }
}
