//! Function-pointer slots: what their marks require, and which functions do not fit them.

use crate::program::{BodyId, FunctionId, Mark, SlotCall, SlotId, SlotKey, Store};
use cowrap_facts::ContextSet;
use cowrap_packs::{Effect, SlotName};

use super::{Effects, Provenance};

/// A function in a slot whose callers do not know what it requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreMismatch {
    /// The store.
    pub store: Store,
    /// The slot.
    pub slot: SlotId,
    /// Why the function does not fit.
    pub kind: StoreMismatchKind,
}

/// Why a function does not fit a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreMismatchKind {
    /// The function is coroutine-only, and the slot is not.
    LosesMark,
    /// The function is non-coroutine-only, and the slot is coroutine-only.
    GainsMark,
    /// The function is non-coroutine-only, and the slot is mixed.
    GainsMixed,
    /// The function is unmarked, and becomes the entry point of a coroutine.
    UnmarkedEntry,
}

impl Effects<'_> {
    /// What a slot requires of those who call through it, and the mark that says so. A slot whose marks contradict each
    /// other requires nothing.
    pub fn slot_requirement(&self, slot: SlotId) -> Option<(Effect, Mark)> {
        self.slot_requirements[slot]
    }

    pub(super) fn decide_slot(&self, slot: SlotId) -> Option<(Effect, Mark)> {
        let marks = self.program.slot(slot).marks.iter();
        let mut effects = marks.filter_map(|mark| Some((self.pack.mark(mark.mark).effect?, *mark)));
        let first = effects.next()?;
        effects.all(|(effect, _)| effect == first.0).then_some(first)
    }

    /// The calls through a slot that run where they are written.
    pub(super) fn slot_calls_of(&self, slot: SlotId) -> impl Iterator<Item = (BodyId, &SlotCall)> {
        let sites = self.program.calls_through(slot).iter();
        let calls = sites.map(|(body, position)| (*body, &self.program.body(*body).slot_calls[*position as usize]));
        calls.filter(|(_, call)| call.kind.is_in_place())
    }

    /// Whether cowrap knows what a call through a slot requires, or which functions it may call.
    pub fn is_resolved(&self, call: &SlotCall) -> bool {
        call.slot
            .is_some_and(|slot| self.slot_requirement(slot).is_some() || !self.points_to.candidates(slot).is_empty())
    }

    /// What callers of a stored function know of its requirement: by the flag beside the slot, else by the slot's
    /// marks, else because another thread runs it.
    pub fn store_requirement(&self, store: &Store) -> Option<Effect> {
        let by_marks = || self.slot_requirement(store.slot?).map(|(effect, _)| effect);
        let by_thread = || self.thread_of_slot(store.slot?).map(|_| Effect::NonCoroutineOnly);
        self.flag_requirement(store).or_else(by_marks).or_else(by_thread)
    }

    /// What the flag beside the slot says about the stored function.
    pub fn flag_requirement(&self, store: &Store) -> Option<Effect> {
        let flag = store.paired_flag?;
        self.pack.pairs[usize::from(flag.pair.0)].effect(flag.set)
    }

    /// The contexts in which slots call a function: those of the flags beside the slots, if all of them have one.
    pub(super) fn decide_slot_contexts(&self, function: FunctionId) -> ContextSet {
        let stores = self.program.stores_of(function);
        let contexts = stores.iter().map(|store| match self.flag_requirement(store) {
            Some(effect) => effect.contexts(),
            None => ContextSet::BOTH,
        });
        if stores.is_empty() { ContextSet::BOTH } else { contexts.fold(ContextSet::EMPTY, ContextSet::or) }
    }

    /// A slot's name in messages.
    pub fn slot_name(&self, slot: SlotId) -> String {
        let slot = self.program.slot(slot);
        match &slot.key {
            SlotKey::Parameter { function, .. } => {
                format!("{} of `{}`", slot.name, self.program.function(*function).name)
            }
            SlotKey::Result { function } => {
                format!("{} of `{}`", slot.name, self.program.function(*function).name)
            }
            SlotKey::Field { .. } | SlotKey::Global { .. } | SlotKey::Local { .. } | SlotKey::Element(_) => {
                format!("`{}`", slot.name)
            }
        }
    }

    /// Whether the pack pairs a slot with a flag that says what the slot requires.
    fn is_paired(&self, slot: SlotId) -> bool {
        let slot = self.program.slot(slot);
        self.pack.pairs.iter().any(|pair| match (&pair.slot, &slot.key) {
            (SlotName::Parameter { function, position }, SlotKey::Parameter { function: of, position: at }) => {
                position == at && self.program.function(*of).name == *function
            }
            (SlotName::Field { .. }, SlotKey::Field { .. }) => pair.slot.to_string() == slot.name,
            _ => false,
        })
    }

    fn slot_has_context_mark(&self, slot: SlotId) -> bool {
        self.program.slot(slot).marks.iter().any(|mark| self.pack.mark(mark.mark).effect.is_some())
    }
}

/// Finds every function that does not fit the slot that it is stored into.
pub(super) fn store_mismatches(effects: &Effects<'_>) -> Vec<StoreMismatch> {
    let stores = effects.program.stores.iter();
    let mut found: Vec<StoreMismatch> = stores.filter_map(|store| store_mismatch(effects, store)).collect();
    found.sort_by_key(|mismatch| (mismatch.slot, mismatch.store.location, mismatch.store.function));
    found
}

fn store_mismatch(effects: &Effects<'_>, store: &Store) -> Option<StoreMismatch> {
    let slot = store.slot?;
    let requirement = effects.requirement(store.function);
    let expected = effects.store_requirement(store);
    let is_parameter = || matches!(effects.program.slot(slot).key, SlotKey::Parameter { .. });
    let kind = match (requirement.effect, expected) {
        (Some(Effect::CoroutineOnly), Some(Effect::CoroutineOnly)) => return None,
        // Another rule reports contradictory marks of the slot.
        (Some(Effect::CoroutineOnly), None) if effects.slot_has_context_mark(slot) => return None,
        (Some(Effect::CoroutineOnly), _) => StoreMismatchKind::LosesMark,
        (Some(Effect::NonCoroutineOnly), Some(Effect::CoroutineOnly)) => StoreMismatchKind::GainsMark,
        (Some(Effect::NonCoroutineOnly), Some(Effect::Mixed)) => StoreMismatchKind::GainsMixed,
        (None, Some(Effect::CoroutineOnly))
            if requirement.provenance == Provenance::Unmarked && store.paired_flag.is_none() && is_parameter() =>
        {
            StoreMismatchKind::UnmarkedEntry
        }
        _ => return None,
    };
    let suspects = effects.suspects();
    let is_suspect = suspects.binary_search_by_key(&store.function, |suspect| suspect.function).is_ok();
    let is_undecided = expected.is_none() && effects.is_paired(slot);
    (!is_suspect && !is_undecided).then_some(StoreMismatch { store: *store, slot, kind })
}
