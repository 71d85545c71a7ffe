//! What the front end needs from a pack: names, without their meaning.

use std::collections::HashMap;

use cowrap_facts::{LockId, MarkId, PairId};
use cowrap_frontend::extract::{LockAction, LockWord, PairedWith, Vocabulary};
use cowrap_frontend::marks::MarkHeaders;
use cowrap_packs::{Pack, SlotName};

/// The names that extraction searches for.
pub fn vocabulary(pack: &Pack) -> Vocabulary {
    let marks = pack.marks.iter().enumerate().map(|(id, mark)| (mark.name.clone(), MarkId(id as u16))).collect();
    let predicates = pack.predicates.iter().cloned().collect();
    let regions = pack.regions.iter().cloned().collect();
    let leaves = pack.leaves.iter().cloned().collect();
    let locks = lock_names(pack);
    let mut vocabulary = Vocabulary { marks, predicates, regions, leaves, locks, ..Vocabulary::default() };
    add_pairs(pack, &mut vocabulary);
    vocabulary
}

/// The marks, and the headers in which they may be defined.
pub fn mark_headers(pack: &Pack) -> MarkHeaders {
    let (headers, directories) = pack.mark_headers();
    let marks = pack.marks.iter().map(|mark| mark.name.clone()).collect();
    MarkHeaders { marks, headers: headers.clone(), directories: directories.to_vec() }
}

/// The pack's slots that have a flag beside them.
fn add_pairs(pack: &Pack, vocabulary: &mut Vocabulary) {
    for (number, pair) in pack.pairs.iter().enumerate() {
        let (id, constant) = (PairId(number as u16), &pair.constant);
        match (&pair.slot, &pair.flag) {
            (SlotName::Field { record, field }, Some(SlotName::Field { field: flag, .. })) => {
                let paired = PairedWith { pair: id, flag: flag.clone(), constant: constant.clone() };
                vocabulary.paired_fields.insert((record.clone(), field.clone()), paired);
            }
            (SlotName::Parameter { function, position }, Some(SlotName::Parameter { position: flag, .. })) => {
                let paired = PairedWith { pair: id, flag: *flag, constant: constant.clone() };
                vocabulary.paired_parameters.insert((function.clone(), *position), paired);
            }
            // Packs with other pairs are refused.
            _ => {}
        }
    }
}

/// The names of the pack's locks.
fn lock_names(pack: &Pack) -> HashMap<String, Vec<LockWord>> {
    let mut lock_names: HashMap<String, Vec<LockWord>> = HashMap::new();
    for (number, lock) in pack.locks.iter().enumerate() {
        let id = LockId(number as u16);
        let actions = [
            (&lock.acquire, LockAction::Acquire),
            (&lock.release, LockAction::Release),
            (&lock.guards, LockAction::Guard),
        ];
        for (names, action) in actions {
            let types = if action == LockAction::Guard { lock.types.clone() } else { Vec::new() };
            for name in names {
                lock_names.entry(name.clone()).or_default().push(LockWord { lock: id, action, types: types.clone() });
            }
        }
    }
    lock_names
}
