//! Whether a program that was read from a file refers only to what is there. Everything that uses a program indexes its
//! lists with the numbers in it.

use std::cell::Cell;

use rayon::prelude::*;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use cowrap_facts::{LockId, MAX_FLAGS, MarkId, SlotModelId, are_ordered, is_order};

use super::{
    Argument, ArgumentValue, Body, BodyId, FileId, Function, FunctionId, Id, Location, Mark, Program, Slot, SlotId,
    SlotKey, link,
};

/// How many marks, locks and models of slots the packs number.
#[derive(Clone, Copy, Debug)]
pub struct PackCounts {
    /// The marks.
    pub marks: usize,
    /// The locks.
    pub locks: usize,
    /// The models of slots.
    pub slots: usize,
}

impl Program {
    /// Whether all numbers in the program are numbers of something.
    pub fn is_consistent(&self, packs: PackCounts) -> bool {
        let known = Counts {
            files: self.files.len(),
            functions: self.functions.len(),
            bodies: self.bodies.len(),
            slots: self.slots.len(),
            packs,
        };
        let slots = self.slots.as_slice();
        let copies =
            self.copies.iter().all(|copy| known.slot(copy.from) && known.slot(copy.to) && known.at(copy.location));
        let addresses = self.addresses.iter().all(|address| {
            known.slot(address.of) && address.to.is_none_or(|to| known.slot(to)) && known.at(address.location)
        });
        let stores = self.stores.iter().all(|store| {
            known.function(store.function)
                && store.slot.is_none_or(|slot| known.slot(slot))
                && known.at(store.location)
                && store.paired_flags.iter().all(|flag| known.model(flag.model))
        });
        let is_same = |body: BodyId, read: &Body| {
            let own = self.bodies.get(body);
            known.body(read)
                && own.is_some_and(|own| {
                    own.calls.len() == read.calls.len() && own.slot_calls.len() == read.slot_calls.len()
                })
        };
        self.is_sorted()
            && self.functions.as_slice().par_iter().all(|function| known.function_is_known(function))
            && self.aliases.iter().all(|(_, file, function)| known.file(*file) && known.function(*function))
            && self.bodies.as_slice().par_iter().all(|body| known.body(body))
            && slots.iter().all(|slot| known.slot_is_known(slot) && ends(slots, slot))
            && known.marks(&self.misplaced)
            && stores
            && copies
            && self.copies.iter().all(|copy| copy.paired_flags.iter().all(|flag| known.model(flag.model)))
            && addresses
            && self.unknown_stores.iter().all(|store| known.slot(store.slot) && known.at(store.location))
            && self.lost_values.iter().all(|lost| known.slot(lost.from) && known.at(lost.location))
            && self.readings.iter().all(|read| is_same(read.body, &read.read))
            && self.before_narrowing.iter().all(|(body, before)| is_same(*body, before))
    }
}

impl Program {
    /// Whether all lists are in the order in which they are searched.
    fn is_sorted(&self) -> bool {
        self.functions.as_slice().is_sorted_by_key(|function| (&function.name, function.file))
            && self.aliases.is_sorted()
            && self.slots.as_slice().is_sorted_by_key(|slot| &slot.key)
            && self.stores.is_sorted()
            && self.copies.is_sorted()
            && self.addresses.is_sorted()
            && self.unknown_stores.is_sorted()
            && self.lost_values.is_sorted()
            && self.misplaced.is_sorted()
            && self.readings.is_sorted_by_key(|read| (read.reading, read.body))
    }
}

/// How much of everything there is.
#[derive(Clone, Copy)]
struct Counts {
    files: usize,
    functions: usize,
    bodies: usize,
    slots: usize,
    packs: PackCounts,
}

impl Counts {
    fn file(self, file: Option<FileId>) -> bool {
        file.is_none_or(|file| file.index() < self.files)
    }

    fn at(self, location: Location) -> bool {
        self.file(Some(location.file))
    }

    fn function(self, function: FunctionId) -> bool {
        function.index() < self.functions
    }

    fn slot(self, slot: SlotId) -> bool {
        slot.index() < self.slots
    }

    fn mark(self, mark: MarkId) -> bool {
        usize::from(mark.0) < self.packs.marks
    }

    fn marks(self, marks: &[Mark]) -> bool {
        marks.iter().all(|mark| self.mark(mark.mark) && self.at(mark.location))
    }

    fn lock(self, lock: LockId) -> bool {
        usize::from(lock.0) < self.packs.locks
    }

    fn model(self, model: SlotModelId) -> bool {
        usize::from(model.0) < self.packs.slots
    }

    fn function_is_known(self, function: &Function) -> bool {
        let declarations = function.declarations.iter();
        self.file(function.file)
            && declarations.clone().all(|declaration| self.at(declaration.location) && self.marks(&declaration.marks))
            && function.bodies.iter().all(|body| body.index() < self.bodies)
    }

    fn arguments(self, arguments: &[Argument], body: &Body) -> bool {
        arguments.iter().all(|argument| match argument.value {
            ArgumentValue::Function(function) => self.function(function),
            ArgumentValue::Slot(slot) => self.slot(slot),
            ArgumentValue::Flag { number, .. } => usize::from(number) < body.flags.len(),
            ArgumentValue::Number(_) | ArgumentValue::Parameter(_) | ArgumentValue::Truth { .. } => true,
        })
    }

    fn body(self, body: &Body) -> bool {
        let calls = body.calls.iter().all(|call| {
            self.function(call.callee)
                && self.at(call.location)
                && call.spelling.is_none_or(|spelling| self.at(spelling))
                && self.arguments(&call.arguments, body)
        });
        let slot_calls = body.slot_calls.iter().all(|call| {
            call.slot.is_none_or(|slot| self.slot(slot))
                && self.at(call.location)
                && self.arguments(&call.arguments, body)
        });
        let sections = body.critical_sections.iter().all(|section| {
            self.lock(section.lock) && self.at(section.taken) && section.calls.iter().all(|call| self.at(*call))
        });
        let after: Vec<Option<u32>> = body.calls.iter().map(|call| call.after).collect();
        let ends = body.slot_calls.iter().map(|call| call.after).chain([body.returns_after]);
        self.function(body.function)
            && self.at(body.location)
            && are_ordered(&body.regions)
            && body.flags.len() <= MAX_FLAGS
            && calls
            && slot_calls
            && sections
            && body.releases.iter().all(|release| self.lock(release.lock))
            && body.assertion.is_none_or(|(_, location)| self.at(location))
            && is_order(&after)
            && ends.flatten().all(|end| (end as usize) < after.len())
    }

    fn slot_is_known(self, slot: &Slot) -> bool {
        let mut key = &slot.key;
        while let SlotKey::PointedParameter { slot: base, .. }
        | SlotKey::PointedResult { slot: base }
        | SlotKey::Target(base) = key
        {
            key = base;
        }
        let key = match key {
            SlotKey::Field { record: at, .. } | SlotKey::Local { declared: at, .. } => self.at(*at),
            SlotKey::Global { file, .. } => self.file(*file),
            SlotKey::Parameter { function, .. } | SlotKey::Result { function } => self.function(*function),
            SlotKey::PointedParameter { .. } | SlotKey::PointedResult { .. } | SlotKey::Target(_) => false,
        };
        key && slot.base.is_none_or(|base| self.slot(base))
            && slot.models.iter().all(|model| self.model(*model))
            && self.marks(&slot.marks)
            && slot.declared.iter().all(|declared| self.at(*declared))
    }
}

/// Whether a slot refers to others up to one that does not.
fn ends(slots: &[Slot], slot: &Slot) -> bool {
    let bases = std::iter::successors(slot.base, |base| slots.get(base.index())?.base);
    bases.take(link::MAX_NESTING + 2).count() <= link::MAX_NESTING + 1
}

thread_local! {
    /// How many identities are around the one that is being read.
    static AROUND: Cell<usize> = const { Cell::new(0) };
}

/// Reads the identity that another one refers to. What is nested without end would need a stack without end.
pub(super) fn nested_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<SlotKey>, D::Error> {
    struct Level;
    impl Drop for Level {
        fn drop(&mut self) {
            AROUND.set(AROUND.get() - 1);
        }
    }
    if AROUND.get() > link::MAX_NESTING {
        return Err(D::Error::custom("the identity of a slot goes through too many others"));
    }
    AROUND.set(AROUND.get() + 1);
    let _level = Level;
    Box::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::IndexVec;
    use super::super::Shared;
    use super::*;

    const PACKS: PackCounts = PackCounts { marks: 1, locks: 1, slots: 1 };

    fn program() -> Program {
        let at = Location { file: FileId(0), line: 1, column: 1 };
        let key = SlotKey::Result { function: FunctionId(0) };
        let slot = |key, base| Slot {
            key,
            base,
            name: String::new(),
            is_foreign: false,
            is_assigned: false,
            models: vec![SlotModelId(0)],
            marks: vec![Mark { location: at, mark: MarkId(0) }],
            declared: vec![at],
        };
        let slots = vec![slot(key.clone(), None), slot(SlotKey::Target(Box::new(key)), Some(SlotId(0)))];
        let (name, aliases, declarations) = ("f".to_owned(), Vec::new(), Vec::new());
        let function = Function { name, file: None, aliases, declarations, bodies: Vec::new() };
        Program {
            files: Shared::new(vec!["/a.c".into()]),
            functions: Shared::new(IndexVec::from(vec![function])),
            slots: Shared::new(IndexVec::from(slots)),
            ..Program::default()
        }
    }

    #[test]
    fn a_program_refers_to_what_is_there() {
        assert!(program().is_consistent(PACKS));
        assert!(!program().is_consistent(PackCounts { marks: 0, ..PACKS }));
        let mut circle = program();
        circle.slots.make_mut().as_mut_slice()[0].base = Some(SlotId(1));
        assert!(!circle.is_consistent(PACKS));
        let mut elsewhere = program();
        elsewhere.slots.make_mut().as_mut_slice()[0].declared[0].file = FileId(1);
        assert!(!elsewhere.is_consistent(PACKS));
    }

    #[test]
    fn identities_are_not_nested_without_end() {
        let nested = |depth| {
            let inner = SlotKey::Result { function: FunctionId(0) };
            (0..depth).fold(inner, |key, _| SlotKey::Target(Box::new(key)))
        };
        let read = |key: &SlotKey| postcard::from_bytes::<SlotKey>(&postcard::to_stdvec(key).unwrap()).is_ok();
        assert!(read(&nested(link::MAX_NESTING)) && !read(&nested(1000)));
        // A target in a target, a million times.
        assert!(postcard::from_bytes::<SlotKey>(&[7; 1_000_000]).is_err());
        assert!(read(&nested(1)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_program_or_not(at in any::<usize>(), byte in any::<u8>()) {
            let mut bytes = postcard::to_stdvec(&program()).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(mut program) = postcard::from_bytes::<Program>(&bytes)
                && program.is_consistent(PACKS)
            {
                program.connect();
            }
        }
    }
}
