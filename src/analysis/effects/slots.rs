//! Slots: what their marks demand, and functions that do not fit into them.

use crate::program::{BodyId, FunctionId, Mark, SlotCall, SlotId, SlotKey, Store};
use cowrap_facts::ContextSet;
use cowrap_packs::{Effect, SlotName};

use super::{Effects, Provenance};

/// A function that is stored into a slot whose callers do not know what it demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreMismatch {
    /// The store.
    pub store: Store,
    /// The slot.
    pub slot: SlotId,
    /// In what way it does not fit.
    pub kind: StoreMismatchKind,
}

/// In what way a function does not fit into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreMismatchKind {
    /// The function is coroutine only, and the slot is not.
    LosesMark,
    /// The function is non-coroutine only, and the slot is coroutine only.
    GainsMark,
    /// The function is non-coroutine only, and the slot is for either context.
    GainsMixed,
    /// The function bears no mark, and becomes the entry of a coroutine.
    UnmarkedEntry,
}

impl Effects<'_> {
    /// What a slot demands of those who call through it, and the mark that says so; nothing when its marks contradict
    /// each other.
    pub fn slot_requirement(&self, slot: SlotId) -> Option<(Effect, Mark)> {
        self.slot_requirements[slot.0 as usize]
    }

    pub(super) fn decide_slot(&self, slot: SlotId) -> Option<(Effect, Mark)> {
        let marks = self.program.slot(slot).marks.iter();
        let mut effects = marks.filter_map(|mark| Some((self.pack.mark(mark.mark).effect?, *mark)));
        let first = effects.next()?;
        effects.all(|(effect, _)| effect == first.0).then_some(first)
    }

    /// The calls through a slot, where they are made.
    pub(super) fn slot_calls_of(&self, slot: SlotId) -> impl Iterator<Item = (BodyId, &SlotCall)> {
        let sites = self.program.calls_through(slot).iter();
        let calls = sites.map(|(body, position)| (*body, &self.program.body(*body).slot_calls[*position as usize]));
        calls.filter(|(_, call)| call.kind.is_in_place())
    }

    /// Whether it is known what a call through a slot demands, or what it may call.
    pub fn is_resolved(&self, call: &SlotCall) -> bool {
        call.slot
            .is_some_and(|slot| self.slot_requirement(slot).is_some() || !self.points_to.candidates(slot).is_empty())
    }

    /// What is demanded of those who call a function that is stored: by what is beside the slot, else by the slot's marks.
    pub fn store_requirement(&self, store: &Store) -> Option<Effect> {
        self.flag_requirement(store).or_else(|| self.slot_requirement(store.slot?).map(|(effect, _)| effect))
    }

    /// What the flag beside a slot says of what is stored.
    pub fn flag_requirement(&self, store: &Store) -> Option<Effect> {
        let flag = store.paired_flag?;
        self.pack.pairs[usize::from(flag.pair.0)].effect(flag.set)
    }

    /// The contexts in which slots call a function: where flags beside all of them tell, those that they say.
    pub(super) fn decide_slot_contexts(&self, function: FunctionId) -> ContextSet {
        let stores = self.program.stores_of(function);
        let contexts = stores.iter().map(|store| match self.flag_requirement(store) {
            Some(Effect::CoroutineOnly) => ContextSet::COROUTINE,
            Some(Effect::NonCoroutineOnly) => ContextSet::NON_COROUTINE,
            Some(Effect::Mixed) | None => ContextSet::BOTH,
        });
        if stores.is_empty() { ContextSet::BOTH } else { contexts.fold(ContextSet::EMPTY, ContextSet::or) }
    }

    /// A slot's name, for people.
    pub fn slot_name(&self, slot: SlotId) -> String {
        let slot = self.program.slot(slot);
        match &slot.key {
            SlotKey::Parameter { function, .. } => {
                format!("{} of `{}`", slot.name, self.program.function(*function).name)
            }
            SlotKey::Result { function } => {
                format!("the {} of `{}`", slot.name, self.program.function(*function).name)
            }
            SlotKey::Field { .. } | SlotKey::Global { .. } | SlotKey::Local { .. } | SlotKey::Element(_) => {
                format!("`{}`", slot.name)
            }
        }
    }

    /// Whether the pack says that something beside the slot tells what it demands.
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

    fn bears_context_marks(&self, slot: SlotId) -> bool {
        self.program.slot(slot).marks.iter().any(|mark| self.pack.mark(mark.mark).effect.is_some())
    }
}

/// Finds every function that does not fit into the slot that it is stored into.
pub(super) fn store_mismatches(effects: &Effects<'_>) -> Vec<StoreMismatch> {
    let suspects = effects.suspects();
    let judge = |store: &Store| {
        let slot = store.slot?;
        let requirement = effects.requirement(store.function);
        let wanted = effects.store_requirement(store);
        let kind = match (requirement.effect, wanted) {
            (Some(Effect::CoroutineOnly), Some(Effect::CoroutineOnly)) => return None,
            // Contradictory marks of the slot are told elsewhere.
            (Some(Effect::CoroutineOnly), None) if effects.bears_context_marks(slot) => return None,
            (Some(Effect::CoroutineOnly), _) => StoreMismatchKind::LosesMark,
            (Some(Effect::NonCoroutineOnly), Some(Effect::CoroutineOnly)) => StoreMismatchKind::GainsMark,
            (Some(Effect::NonCoroutineOnly), Some(Effect::Mixed)) => StoreMismatchKind::GainsMixed,
            (None, Some(Effect::CoroutineOnly))
                if requirement.provenance == Provenance::Unmarked
                    && store.paired_flag.is_none()
                    && matches!(effects.program.slot(slot).key, SlotKey::Parameter { .. }) =>
            {
                StoreMismatchKind::UnmarkedEntry
            }
            _ => return None,
        };
        let is_suspect = suspects.binary_search_by_key(&store.function, |suspect| suspect.function).is_ok();
        let is_undecided = wanted.is_none() && effects.is_paired(slot);
        (!is_suspect && !is_undecided).then_some(StoreMismatch { store: *store, slot, kind })
    };
    let mut found: Vec<StoreMismatch> = effects.program.stores.iter().filter_map(judge).collect();
    found.sort_by_key(|mismatch| (mismatch.slot, mismatch.store.location, mismatch.store.function));
    found
}
