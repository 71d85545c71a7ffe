//! Several packs over one reading of a tree.

use serde::{Deserialize, Serialize};

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
        PackSet::unite(packs, Numbering::default())
    }

    /// Gives the packs the same numbers, the first of which are in `numbering`.
    fn unite(mut packs: Vec<Pack>, numbering: Numbering) -> PackSet {
        let Numbering { marks, locks, slots } = numbering;
        unite(&mut packs, marks, |pack| &mut pack.marks, is_same_mark, foreign_mark);
        unite(&mut packs, locks, |pack| &mut pack.locks, |one, other| one == other, foreign_lock);
        unite(&mut packs, slots, |pack| &mut pack.slots, |one, other| one == other, foreign_slot);
        PackSet { packs }
    }

    /// The same packs, with the numbers of a larger set that facts were read with.
    pub fn renumbered(self, numbering: Numbering) -> PackSet {
        let mut packs = self.packs;
        for pack in &mut packs {
            pack.marks.retain(|mark| !mark.is_foreign);
            pack.locks.retain(|lock| !lock.is_foreign);
            pack.slots.retain(|slot| !slot.is_foreign);
        }
        PackSet::unite(packs, numbering)
    }

    /// What facts number, in the order of the numbers.
    pub fn numbering(&self) -> Numbering {
        let Pack { marks, locks, slots, .. } = self.first();
        let own = |lock: &Lock| Lock { is_foreign: false, ..lock.clone() };
        let own_slot = |slot: &SlotModel| SlotModel { is_foreign: false, ..slot.clone() };
        Numbering {
            marks: marks.iter().cloned().map(foreign_mark).collect(),
            locks: locks.iter().map(own).collect(),
            slots: slots.iter().map(own_slot).collect(),
        }
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

/// What the facts of a set of packs number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbering {
    /// The marks: their names, and whether they are statements.
    marks: Vec<MarkSpec>,
    locks: Vec<Lock>,
    slots: Vec<SlotModel>,
}

/// Gives every pack a list of the same length, in which one position means one thing: its own entry, or the entry of
/// another pack as a foreign one. The list begins with what is in `all` already.
fn unite<T: Clone>(
    packs: &mut [Pack],
    mut all: Vec<T>,
    list: impl Fn(&mut Pack) -> &mut Vec<T>,
    is_same: impl Fn(&T, &T) -> bool,
    foreign: impl Fn(T) -> T,
) {
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
