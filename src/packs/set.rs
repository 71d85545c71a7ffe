//! Several packs over one reading of a tree.

use super::{Lock, MarkSpec, Pack, SlotModel};

/// The packs of a run, at least one. Facts number marks, locks and slots; so these have one number in all packs.
#[derive(Clone, Debug)]
pub struct PackSet {
    packs: Vec<Pack>,
}

impl PackSet {
    /// The packs of a run, of which the first is given by itself.
    pub fn new(first: Pack, others: Vec<Pack>) -> PackSet {
        let mut packs = vec![first];
        packs.extend(others);
        unite(&mut packs, |pack| &mut pack.marks, is_same_mark, foreign_mark);
        unite(&mut packs, |pack| &mut pack.locks, |one, other| one == other, foreign_lock);
        unite(&mut packs, |pack| &mut pack.slots, |one, other| one == other, foreign_slot);
        PackSet { packs }
    }

    /// All packs, in the order in which they were named.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The first pack.
    pub fn first(&self) -> &Pack {
        &self.packs[0]
    }
}

/// Gives every pack a list of the same length, in which one position means one thing: its own entry, or the entry of
/// another pack as a foreign one.
fn unite<T: Clone>(
    packs: &mut [Pack],
    list: impl Fn(&mut Pack) -> &mut Vec<T>,
    is_same: impl Fn(&T, &T) -> bool,
    foreign: impl Fn(T) -> T,
) {
    let mut all: Vec<T> = Vec::new();
    for pack in packs.iter_mut() {
        for entry in list(pack).iter() {
            if !all.iter().any(|known| is_same(known, entry)) {
                all.push(entry.clone());
            }
        }
    }
    for pack in packs {
        let own = std::mem::take(list(pack));
        let find = |entry: &T| own.iter().find(|own| is_same(own, entry)).cloned();
        *list(pack) = all.iter().map(|entry| find(entry).unwrap_or_else(|| foreign(entry.clone()))).collect();
    }
}

/// A mark is what its macro's name says.
fn is_same_mark(one: &MarkSpec, other: &MarkSpec) -> bool {
    one.name == other.name
}

fn foreign_mark(mark: MarkSpec) -> MarkSpec {
    MarkSpec { effect: None, wrapper: None, lock: None, is_foreign: true, ..mark }
}

fn foreign_lock(lock: Lock) -> Lock {
    Lock { is_foreign: true, ..lock }
}

fn foreign_slot(slot: SlotModel) -> SlotModel {
    SlotModel { is_foreign: true, ..slot }
}
