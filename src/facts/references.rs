//! Whether facts that were read from outside refer only to what is there.
//!
//! A checksum only tells accidents: whoever changes a file can make a new one.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{
    Argument, ArgumentValue, Body, BodyReading, Declaration, FileFacts, FileId, Location, MAX_FLAGS, Mark, Slot,
    SlotId, SlotIdentity, Store, Symbol, SymbolId, Value, are_ordered,
};

impl FileFacts {
    /// Whether all numbers in the facts are numbers of something.
    pub fn are_consistent(&self) -> bool {
        let known = Counts { files: self.files.len(), symbols: self.symbols.len(), slots: self.slots.len() };
        let symbol = |symbol: &Symbol| symbol.file.is_none_or(|file| known.file(file));
        // A slot comes after those that its identity refers to.
        let slot = |(number, slot): (usize, &Slot)| Counts { slots: number, ..known }.slot_is_known(slot);
        self.symbols.iter().all(symbol)
            && self.slots.iter().enumerate().all(slot)
            && self.declarations.iter().all(|declaration| known.declaration(declaration))
            && self.bodies.iter().all(|body| known.body(body))
            && known.marks(&self.misplaced)
            && known.stores(&self.stores)
    }
}

/// How many files, symbols and slots there are.
#[derive(Clone, Copy)]
struct Counts {
    files: usize,
    symbols: usize,
    slots: usize,
}

impl Counts {
    fn file(self, file: FileId) -> bool {
        (file.0 as usize) < self.files
    }

    fn symbol(self, symbol: SymbolId) -> bool {
        (symbol.0 as usize) < self.symbols
    }

    fn slot(self, slot: SlotId) -> bool {
        (slot.0 as usize) < self.slots
    }

    fn location(self, location: Location) -> bool {
        self.file(location.file)
    }

    fn marks(self, marks: &[Mark]) -> bool {
        marks.iter().all(|mark| self.location(mark.location))
    }

    fn slot_is_known(self, slot: &Slot) -> bool {
        let identity = match &slot.identity {
            SlotIdentity::Field { record: at, .. } | SlotIdentity::Local { declared: at, .. } => self.location(*at),
            SlotIdentity::Global { file, .. } => file.is_none_or(|file| self.file(file)),
            SlotIdentity::Parameter { function, .. } | SlotIdentity::Result { function } => self.symbol(*function),
            SlotIdentity::PointedParameter { slot, .. }
            | SlotIdentity::PointedResult { slot }
            | SlotIdentity::Target(slot) => self.slot(*slot),
        };
        identity && self.marks(&slot.marks) && slot.declared.iter().all(|declared| self.location(*declared))
    }

    fn declaration(self, declaration: &Declaration) -> bool {
        self.symbol(declaration.symbol)
            && self.location(declaration.location)
            && self.marks(&declaration.marks)
            && declaration.alias.is_none_or(|alias| self.symbol(alias))
    }

    fn arguments(self, arguments: &[Argument]) -> bool {
        arguments.iter().all(|argument| match argument.value {
            ArgumentValue::Function(function) => self.symbol(function),
            ArgumentValue::Slot(slot) => self.slot(slot),
            ArgumentValue::Number(_) | ArgumentValue::Parameter(_) | ArgumentValue::Truth { .. } => true,
        })
    }

    fn stores(self, stores: &[Store]) -> bool {
        stores.iter().all(|store| {
            let value = match store.value {
                Value::Function(function) => self.symbol(function),
                Value::Slot(slot) | Value::Address(slot) => self.slot(slot),
                Value::Unknown => true,
            };
            value && store.to.is_none_or(|to| self.slot(to)) && self.location(store.location)
        })
    }

    fn body(self, body: &Body) -> bool {
        let is_same = |reading: &BodyReading| {
            reading.body.readings.is_empty()
                && reading.body.calls.len() == body.calls.len()
                && reading.body.slot_calls.len() == body.slot_calls.len()
                && self.reading(&reading.body)
        };
        self.reading(body) && body.readings.iter().all(is_same)
    }

    fn reading(self, body: &Body) -> bool {
        let calls = body.calls.iter().all(|call| {
            self.symbol(call.callee)
                && self.location(call.location)
                && call.spelling.is_none_or(|spelling| self.location(spelling))
                && self.arguments(&call.arguments)
        });
        let slot_calls = body.slot_calls.iter().all(|call| {
            call.slot.is_none_or(|slot| self.slot(slot))
                && self.location(call.location)
                && self.arguments(&call.arguments)
        });
        let sections = body
            .critical_sections
            .iter()
            .all(|section| self.location(section.taken) && section.calls.iter().all(|call| self.location(*call)));
        let after: Vec<Option<u32>> = body.calls.iter().map(|call| call.after).collect();
        let ends = body.slot_calls.iter().map(|call| call.after).chain([body.returns_after]);
        self.symbol(body.symbol)
            && self.location(body.location)
            && are_ordered(&body.regions)
            && body.flags.len() <= MAX_FLAGS
            && calls
            && slot_calls
            && sections
            && self.stores(&body.stores)
            && body.assertion.is_none_or(|assertion| self.location(assertion.location))
            && is_order(&after)
            && ends.flatten().all(|end| (end as usize) < after.len())
    }
}

/// Whether the calls of a body have an order: each comes after another one or after none, and none after itself.
pub fn is_order(after: &[Option<u32>]) -> bool {
    // For each call, the number of the walk that came to it.
    let mut walks = vec![0usize; after.len()];
    for start in 0..after.len() {
        let mut at = Some(start);
        while let Some(call) = at {
            match walks.get_mut(call) {
                None => return false,
                Some(walk) if *walk == start + 1 => return false,
                Some(walk) if *walk != 0 => break,
                Some(walk) => *walk = start + 1,
            }
            at = after[call].map(|before| before as usize);
        }
    }
    true
}

thread_local! {
    /// Whether the readings of a body are being read. They have none themselves.
    static IN_READINGS: Cell<bool> = const { Cell::new(false) };
}

/// Reads how other packs read a body. A body in there must have no others: what is nested without end would need a
/// stack without end.
pub(super) fn readings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BodyReading>, D::Error> {
    struct Outer;
    impl Drop for Outer {
        fn drop(&mut self) {
            IN_READINGS.set(false);
        }
    }
    if IN_READINGS.replace(true) {
        return deserializer.deserialize_seq(Empty(PhantomData));
    }
    let _outer = Outer;
    Vec::deserialize(deserializer)
}

/// A list that must be empty.
struct Empty<T>(PhantomData<T>);

impl<'de, T> Visitor<'de> for Empty<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no reading inside of a reading")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
        match list.size_hint() {
            Some(0) => Ok(Vec::new()),
            _ => Err(A::Error::custom("a reading inside of a reading")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::super::{
        Call, CallKind, Guard, GuardKind, LineRegion, PairedFlags, PathCondition, ReadingId, SharedFileFacts,
    };
    use super::*;

    fn facts() -> FileFacts {
        let at = |line| Location { file: FileId(0), line, column: 1 };
        let call = |after| Call {
            callee: SymbolId(0),
            location: at(2),
            spelling: None,
            condition: PathCondition::always(),
            kind: CallKind::Written,
            after,
            ends: false,
            is_change: false,
            arguments: vec![Argument { position: 0, value: ArgumentValue::Slot(SlotId(1)) }],
        };
        let slot = |identity| Slot {
            identity,
            is_array: false,
            is_foreign: false,
            models: Vec::new(),
            marks: Vec::new(),
            declared: vec![at(1)],
        };
        let calls = vec![call(None), call(Some(0)), call(Some(1))];
        let guard = Some(Guard { kind: GuardKind::Return, line: 3, column: 1 });
        let regions = vec![LineRegion { first: 4, last: 6, condition: PathCondition::NEVER, guard }];
        let read = Body { calls: calls.clone(), regions, ..Body::new(SymbolId(0), at(2)) };
        let store = Store {
            to: Some(SlotId(1)),
            value: Value::Slot(SlotId(0)),
            location: at(2),
            paired_flags: PairedFlags::NONE,
        };
        FileFacts {
            files: vec![PathBuf::from("/a.c")],
            symbols: vec![Symbol { name: "f".to_owned(), file: Some(FileId(0)) }],
            slots: vec![slot(SlotIdentity::Result { function: SymbolId(0) }), slot(SlotIdentity::Target(SlotId(0)))],
            bodies: vec![Body {
                returns_after: Some(2),
                stores: vec![store],
                readings: vec![BodyReading { reading: ReadingId(1), body: read.clone() }],
                ..read
            }],
            ..FileFacts::default()
        }
    }

    #[test]
    fn facts_refer_to_what_is_there() {
        let broken = |change: &dyn Fn(&mut FileFacts)| {
            let mut facts = facts();
            change(&mut facts);
            !facts.are_consistent()
        };
        assert!(!broken(&|_| {}));
        assert!(broken(&|facts| facts.symbols[0].file = Some(FileId(1))));
        assert!(broken(&|facts| facts.slots[1].identity = SlotIdentity::Target(SlotId(1))));
        assert!(broken(&|facts| facts.slots[0].declared[0].file = FileId(7)));
        assert!(broken(&|facts| facts.bodies[0].symbol = SymbolId(1)));
        assert!(broken(&|facts| facts.bodies[0].calls[0].callee = SymbolId(1)));
        assert!(broken(&|facts| facts.bodies[0].calls[0].after = Some(2)));
        assert!(broken(&|facts| facts.bodies[0].calls[0].after = Some(3)));
        assert!(broken(&|facts| facts.bodies[0].returns_after = Some(3)));
        assert!(broken(&|facts| facts.bodies[0].regions[0].first = 9));
        assert!(broken(&|facts| facts.bodies[0].readings[0].body.regions[0].last = 0));
        assert!(broken(&|facts| facts.bodies[0].stores[0].to = Some(SlotId(2))));
        assert!(broken(&|facts| drop(facts.bodies[0].readings[0].body.calls.pop())));
        assert!(broken(&|facts| facts.files.clear()));
    }

    #[test]
    fn readings_are_not_nested() {
        let mut nested = facts();
        let inner = BodyReading { reading: ReadingId(2), body: Body::new(SymbolId(0), nested.bodies[0].location) };
        nested.bodies[0].readings[0].body.readings.push(inner);
        let bytes = postcard::to_stdvec(&nested).unwrap();
        assert!(postcard::from_bytes::<FileFacts>(&bytes).is_err());
        let bytes = postcard::to_stdvec(&facts()).unwrap();
        assert_eq!(postcard::from_bytes::<FileFacts>(&bytes).unwrap(), facts());
    }

    proptest! {
        #[test]
        fn any_bytes_are_facts_or_not(change in any::<(usize, u8)>(), others in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = SharedFileFacts::new(facts()).to_bytes();
            let at = change.0 % bytes.len();
            bytes[at] = change.1;
            for bytes in [bytes, others] {
                if let Ok(facts) = postcard::from_bytes::<FileFacts>(&bytes) {
                    let _ = facts.are_consistent();
                }
            }
        }
    }
}
