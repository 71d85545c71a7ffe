//! What the front end needs from a pack: names, without their meaning.

use std::collections::{HashMap, HashSet};

use cowrap_facts::{Context, LockId, MarkId, ReadingId, SlotModelId};
use cowrap_frontend::extract::{
    Compared, ContextChange, LockAction, LockWord, PairedWith, Predicate, Reading, Vocabulary,
};
use cowrap_frontend::marks::MarkHeaders;
use cowrap_packs::{Pack, PackSet, SlotName};

/// The names that extraction searches for, and the number with which facts give the reading of each pack. The packs
/// share the numbers of marks, locks and slots ([`PackSet`]).
pub fn vocabulary(packs: &[Pack]) -> (Vocabulary, Vec<ReadingId>) {
    let mut vocabulary = Vocabulary::default();
    let mut readings = Vec::new();
    for pack in packs {
        for (id, mark) in pack.marks.iter().enumerate().filter(|(_, mark)| !mark.is_foreign) {
            let marks = if mark.statement { &mut vocabulary.statement_marks } else { &mut vocabulary.marks };
            marks.insert(mark.name.clone(), MarkId(id as u16));
        }
        add_locks(pack, &mut vocabulary.locks);
        add_slots(pack, &mut vocabulary);
        let reading = reading(pack);
        let known = vocabulary.readings.iter().position(|known| *known == reading);
        let number = known.unwrap_or_else(|| {
            vocabulary.readings.push(reading);
            vocabulary.readings.len() - 1
        });
        readings.push(ReadingId(number as u16));
    }
    (vocabulary, readings)
}

/// The marks of all packs on declarations, and the headers in which they may be defined. Statement marks are found where
/// they are used.
pub fn mark_headers(packs: &PackSet) -> MarkHeaders {
    let mut found = MarkHeaders::default();
    for pack in packs.packs() {
        let (headers, directories) = pack.mark_headers();
        found.headers.push(headers.clone());
        found.directories.extend_from_slice(directories);
    }
    found.marks = vocabulary(packs.packs()).0.marks.into_iter().collect();
    found
}

/// How a pack reads bodies.
fn reading(pack: &Pack) -> Reading {
    let predicate = |predicate: &cowrap_packs::Predicate| Predicate {
        name: predicate.name.clone(),
        compared: predicate.compared.as_ref().map(|compared| match compared {
            cowrap_packs::Compared::Call(name) => Compared::Call(name.clone()),
            cowrap_packs::Compared::Name(name) => Compared::Name(name.clone()),
            cowrap_packs::Compared::Number(number) => Compared::Number(*number),
        }),
        context: predicate.context,
    };
    let changes = pack.changes.iter().flat_map(|change| {
        change.functions.iter().map(|name| ContextChange {
            name: name.clone(),
            to: change.to.into(),
            from: change.from.map(Context::from),
            result: change.result.map(|result| result == cowrap_packs::ChangeResult::Nonzero),
            guard: change.guard,
            when: change.when.as_ref().map(|when| (when.argument.saturating_sub(1), when.is.clone())),
        })
    });
    Reading {
        predicates: pack.predicates.iter().map(predicate).collect(),
        changes: changes.collect(),
        regions: pack.regions.iter().collect(),
        leaves: pack.leaves.iter().collect(),
        crashes: pack.crashes.as_ref().map(|names| names.iter().collect()),
        noreturn: pack.noreturn.iter().collect(),
    }
}

/// What a pack says of slots, and the flags beside them. What several packs say is one model.
fn add_slots(pack: &Pack, vocabulary: &mut Vocabulary) {
    let known: HashSet<SlotModelId> = vocabulary.slot_models().collect();
    let models = pack.slots.iter().enumerate().filter(|(_, model)| !model.is_foreign);
    for (number, model) in models.filter(|(number, _)| !known.contains(&SlotModelId(*number as u16))) {
        let (id, constant) = (SlotModelId(number as u16), &model.constant);
        match &model.slot {
            SlotName::Field { record, field } => {
                let name = (record.clone(), field.clone());
                vocabulary.slot_fields.entry(name.clone()).or_default().push(id);
                if let Some(SlotName::Field { field: flag, .. }) = &model.flag {
                    let paired = PairedWith { model: id, flag: flag.clone(), constant: constant.clone() };
                    vocabulary.paired_fields.entry(name).or_default().push(paired);
                }
            }
            SlotName::Parameter { function, position } => {
                let name = (function.clone(), *position);
                vocabulary.slot_parameters.entry(name.clone()).or_default().push(id);
                if let Some(SlotName::Parameter { position: flag, .. }) = &model.flag {
                    let paired = PairedWith { model: id, flag: *flag, constant: constant.clone() };
                    vocabulary.paired_parameters.entry(name).or_default().push(paired);
                }
            }
            SlotName::Typedef { name } => vocabulary.slot_typedefs.entry(name.clone()).or_default().push(id),
        }
    }
}

/// The names of a pack's locks.
fn add_locks(pack: &Pack, locks: &mut HashMap<String, Vec<LockWord>>) {
    for (number, lock) in pack.locks.iter().enumerate().filter(|(_, lock)| !lock.is_foreign) {
        let id = LockId(number as u16);
        let actions = [
            (&lock.acquire, LockAction::Acquire),
            (&lock.release, LockAction::Release),
            (&lock.guards, LockAction::Guard),
        ];
        for (names, action) in actions {
            let types = if action == LockAction::Guard { lock.types.clone() } else { Vec::new() };
            for name in names {
                locks.entry(name.clone()).or_default().push(LockWord { lock: id, action, types: types.clone() });
            }
        }
    }
}
