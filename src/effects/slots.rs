//! Slots: what their marks demand, and functions that do not fit into them.

use crate::config::Effect;
use crate::program::{Mark, SlotId, SlotKey, Store};

use super::{Effects, Origin};

/// A function that is stored into a slot whose callers do not know what it demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The store.
    pub store: Store,
    /// The slot.
    pub slot: SlotId,
    /// In what way it does not fit.
    pub kind: MisfitKind,
}

/// In what way a function does not fit into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MisfitKind {
    /// The function is coroutine only, and the slot is not.
    LosesMark,
    /// The function is non-coroutine only, and the slot is coroutine only.
    GainsMark,
    /// The function is non-coroutine only, and the slot is for either context.
    GainsEither,
    /// The function bears no mark, and becomes the entry of a coroutine.
    UnmarkedEntry,
}

impl Effects<'_> {
    /// What a slot demands of those who call through it, and the mark that says so; nothing when its marks contradict
    /// each other.
    pub fn slot_demand(&self, slot: SlotId) -> Option<(Effect, Mark)> {
        self.slot_demands[slot.0 as usize]
    }

    pub(super) fn decide_slot(&self, slot: SlotId) -> Option<(Effect, Mark)> {
        let marks = self.program.slot(slot).marks.iter();
        let mut effects = marks.filter_map(|mark| Some((self.pack.mark(mark.mark).effect?, *mark)));
        let first = effects.next()?;
        effects.all(|(effect, _)| effect == first.0).then_some(first)
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
        let name = match &slot.key {
            SlotKey::Parameter { function, position } => {
                format!("{}({})", self.program.function(*function).name, position + 1)
            }
            _ => slot.name.clone(),
        };
        self.pack.paired_slots.contains(&name)
    }

    fn bears_context_marks(&self, slot: SlotId) -> bool {
        self.program.slot(slot).marks.iter().any(|mark| self.pack.mark(mark.mark).effect.is_some())
    }
}

/// Finds every function that does not fit into the slot that it is stored into.
pub(super) fn misfits(effects: &Effects<'_>) -> Vec<Misfit> {
    let suspects = effects.suspects();
    let judge = |store: &Store| {
        let slot = store.slot?;
        let demand = effects.demand(store.function);
        let wanted = effects.slot_demand(slot).map(|(effect, _)| effect);
        let kind = match (demand.effect, wanted) {
            (Some(Effect::CoroutineOnly), Some(Effect::CoroutineOnly)) => return None,
            // Contradictory marks of the slot are told elsewhere.
            (Some(Effect::CoroutineOnly), None) if effects.bears_context_marks(slot) => return None,
            (Some(Effect::CoroutineOnly), _) => MisfitKind::LosesMark,
            (Some(Effect::NonCoroutineOnly), Some(Effect::CoroutineOnly)) => MisfitKind::GainsMark,
            (Some(Effect::NonCoroutineOnly), Some(Effect::Either)) => MisfitKind::GainsEither,
            (None, Some(Effect::CoroutineOnly))
                if demand.origin == Origin::Unmarked
                    && matches!(effects.program.slot(slot).key, SlotKey::Parameter { .. }) =>
            {
                MisfitKind::UnmarkedEntry
            }
            _ => return None,
        };
        let is_suspect = suspects.binary_search_by_key(&store.function, |suspect| suspect.function).is_ok();
        (!is_suspect && !effects.is_paired(slot)).then_some(Misfit { store: *store, slot, kind })
    };
    let mut found: Vec<Misfit> = effects.program.stores.iter().filter_map(judge).collect();
    found.sort_by_key(|misfit| (misfit.slot, misfit.store.place, misfit.store.function));
    found
}
