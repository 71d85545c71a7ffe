//! Function-pointer slots: what their marks require, and which values do not fit them.

use std::collections::BTreeSet;

use crate::program::{BodyId, FunctionId, IndexVec, Location, Mark, PointerCopy, SlotCall, SlotId, SlotKey, Store};
use cowrap_facts::{ContextSet, PairedFlag, PairedFlags, SlotModelId};
use cowrap_packs::{Effect, SlotModel, SlotName};

use super::{Effects, Provenance};

/// What a slot requires of those who call through it, and what says so. What is stored in a slot with the effect
/// [`Effect::Entry`] starts inside; calls through it owe nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRequirement {
    /// The requirement.
    pub effect: Effect,
    /// What says so.
    pub provenance: SlotProvenance,
}

/// What a slot's requirement is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotProvenance {
    /// A mark.
    Marked(Mark),
    /// The pack.
    Modelled(SlotModelId),
}

/// A value in a slot whose callers do not know what it requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreMismatch {
    /// The slot. For a store through a pointer, one that it may point to.
    pub slot: SlotId,
    /// Where the source names the value.
    pub location: Location,
    /// The value.
    pub value: StoredValue,
    /// Why the value does not fit.
    pub kind: StoreMismatchKind,
    /// The value of the flag that the pack pairs with the slot.
    pub paired_flag: Option<PairedFlag>,
}

/// What is stored into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoredValue {
    /// A function, by its name.
    Function(FunctionId),
    /// What another slot holds.
    Copy(SlotId),
    /// A function that another slot may hold, where the slot's value is copied. The slot itself requires nothing.
    Candidate(FunctionId, SlotId),
    /// The address of another slot.
    Address(SlotId),
}

impl StoredValue {
    /// The function, if the value is one.
    pub fn function(self) -> Option<FunctionId> {
        match self {
            StoredValue::Function(function) | StoredValue::Candidate(function, _) => Some(function),
            StoredValue::Copy(_) | StoredValue::Address(_) => None,
        }
    }
}

/// What cowrap knows about a call through a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// What it requires, or all functions that it may call.
    Known,
    /// Some functions that it may call; there may be others.
    PartlyKnown,
    /// No function that it may call.
    NoCandidate,
}

/// Why a value does not fit a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreMismatchKind {
    /// The value is inside-only, and the slot is not.
    LosesMark,
    /// The value is outside-only, and what the slot holds is called inside.
    GainsMark,
    /// The value is outside-only, and the slot is mixed.
    GainsMixed,
    /// The function is unmarked, and becomes the entry point of the inside context.
    UnmarkedEntry,
}

impl Effects<'_> {
    /// What a slot requires of those who call through it, by its marks, else by the pack. A slot whose marks contradict
    /// each other requires nothing.
    pub fn slot_requirement(&self, slot: SlotId) -> Option<SlotRequirement> {
        self.slot_requirements[slot]
    }

    /// The same without what says so.
    pub fn slot_effect(&self, slot: SlotId) -> Option<Effect> {
        self.slot_requirement(slot).map(|requirement| requirement.effect)
    }

    /// What all slots require.
    pub(super) fn decide_slots(&self) -> IndexVec<SlotId, Option<SlotRequirement>> {
        let mut requirements: IndexVec<SlotId, Option<SlotRequirement>> = IndexVec::default();
        for slot in self.program.slots.ids() {
            requirements.push(self.own_requirement(self.marked_pointer(slot).unwrap_or(slot)));
        }
        for slot in self.program.slots.ids().filter(|slot| self.stands_for_others(*slot)) {
            requirements[slot] = requirements[slot].or_else(|| self.common_requirement(slot, &requirements));
        }
        requirements
    }

    fn own_requirement(&self, slot: SlotId) -> Option<SlotRequirement> {
        let marks = self.program.slot(slot).marks.iter();
        let mut marked = marks.filter_map(|mark| Some((self.pack.mark(mark.mark).effect?, *mark)));
        let Some((effect, mark)) = marked.next() else { return self.modelled_requirement(slot) };
        let provenance = SlotProvenance::Marked(mark);
        marked.all(|(other, _)| other == effect).then_some(SlotRequirement { effect, provenance })
    }

    /// What the pack says that a slot requires, whatever is beside it. Of several entries the last counts.
    fn modelled_requirement(&self, slot: SlotId) -> Option<SlotRequirement> {
        let mut models = self.own_models(slot).rev();
        models.find_map(|(id, model)| {
            Some(SlotRequirement { effect: model.effect?, provenance: SlotProvenance::Modelled(id) })
        })
    }

    /// Whether marks or the pack say something of this slot itself.
    fn has_own_requirement(&self, slot: SlotId) -> bool {
        self.slot_has_context_mark(slot) || self.modelled_requirement(slot).is_some()
    }

    /// Whether nothing is said of a slot itself, and it is only what another slot points to, or a part of it.
    fn stands_for_others(&self, slot: SlotId) -> bool {
        let linked = self.program.slot(slot);
        linked.base.is_some() && !self.has_own_requirement(slot) && self.marked_pointer(slot).is_none()
    }

    /// For what a pointer points to, the pointer if that has the mark: it is about what is called in the end.
    fn marked_pointer(&self, slot: SlotId) -> Option<SlotId> {
        let linked = self.program.slot(slot);
        let pointer =
            linked.base.filter(|_| matches!(linked.key, SlotKey::Target(_)) && !self.has_own_requirement(slot));
        pointer.filter(|pointer| self.has_own_requirement(*pointer))
    }

    /// What all slots that this one stands for require, if cowrap knows them all and they agree.
    fn common_requirement(
        &self,
        slot: SlotId,
        requirements: &IndexVec<SlotId, Option<SlotRequirement>>,
    ) -> Option<SlotRequirement> {
        self.program.slot(slot).base.filter(|base| !self.points_to.may_hold_unknown(*base))?;
        let others = self.points_to.destinations(self.program, slot);
        let first = requirements[*others.first()?]?;
        let has_same =
            |other: &SlotId| requirements[*other].is_some_and(|requirement| requirement.effect == first.effect);
        others.iter().all(has_same).then_some(first)
    }

    /// The calls through a slot that run where they are written.
    pub(super) fn slot_calls_of(&self, slot: SlotId) -> impl Iterator<Item = (BodyId, &SlotCall)> {
        let sites = self.program.calls_through(slot).iter();
        let calls = sites.map(|(body, position)| (*body, &self.program.body(*body).slot_calls[*position as usize]));
        calls.filter(|(_, call)| call.kind.is_in_place())
    }

    /// The slots of all calls through slots; `None` for one whose slot is unknown.
    pub fn slots_called(&self) -> impl Iterator<Item = Option<SlotId>> {
        let bodies = self.calls.bodies();
        bodies.flat_map(|(body, _)| self.calls.through_slots(body)).map(|call| call.called)
    }

    /// What cowrap knows about calls through a slot.
    pub fn resolution(&self, slot: Option<SlotId>) -> Resolution {
        match slot {
            Some(slot) if self.slot_effect(slot).is_some_and(|effect| effect != Effect::Entry) => Resolution::Known,
            Some(slot) if self.points_to.candidates(slot).is_empty() => Resolution::NoCandidate,
            Some(slot) if self.points_to.may_hold_unknown(slot) => Resolution::PartlyKnown,
            Some(_) => Resolution::Known,
            None => Resolution::NoCandidate,
        }
    }

    /// What callers of a stored function know of its requirement: by the flag beside the slot, else by the slot's
    /// marks or the pack, else because another thread runs it.
    pub fn store_requirement(&self, store: &Store) -> Option<Effect> {
        let by_marks = || self.slot_effect(store.slot?);
        let by_thread = || self.thread_of_slot(store.slot?).map(|_| Effect::OutsideOnly);
        self.flag_requirement(store).or_else(by_marks).or_else(by_thread)
    }

    /// What the flag beside the slot says about the stored function.
    pub fn flag_requirement(&self, store: &Store) -> Option<Effect> {
        self.effect_of_flag(self.own_flag(store.paired_flags))
    }

    /// The flag beside a slot of which this pack says something: the first one that tells what the slot requires.
    pub(super) fn own_flag(&self, flags: PairedFlags) -> Option<PairedFlag> {
        let own = || flags.iter().filter(|flag| self.applies_to_flags(self.slot_model(flag.model)));
        own().find(|flag| self.effect_of_flag(Some(*flag)).is_some()).or_else(|| own().next())
    }

    /// Whether this pack says what a model says of flags, and means a function that the program does not define.
    fn applies_to_flags(&self, model: &SlotModel) -> bool {
        let is_defined = |name: &str| {
            let mut functions = self.program.named(name);
            functions.any(|function| !self.program.function(function).bodies.is_empty())
        };
        match &model.slot {
            SlotName::Parameter { function, .. } if model.library => !model.is_foreign && !is_defined(function),
            _ => !model.is_foreign,
        }
    }

    pub(super) fn effect_of_flag(&self, flag: Option<PairedFlag>) -> Option<Effect> {
        let flag = flag?;
        self.slot_model(flag.model).effect(flag.set)
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
        let function = |function: FunctionId| &self.program.function(function).name;
        match (&slot.key, slot.base) {
            (SlotKey::Parameter { function: of, .. } | SlotKey::Result { function: of }, _) => {
                format!("{} of `{}`", slot.name, function(*of))
            }
            (SlotKey::Target(_), Some(base)) => match self.written_name(base) {
                Some(base) => format!("`*{base}`"),
                None => format!("what {} points to", self.slot_name(base)),
            },
            (SlotKey::PointedParameter { .. } | SlotKey::PointedResult { .. }, Some(base)) => {
                format!("{} of what {} points to", slot.name, self.slot_name(base))
            }
            _ => format!("`{}`", slot.name),
        }
    }

    /// A slot's name as the source writes it, if it has one.
    fn written_name(&self, slot: SlotId) -> Option<String> {
        let slot = self.program.slot(slot);
        match (&slot.key, slot.base) {
            (SlotKey::Field { .. } | SlotKey::Global { .. } | SlotKey::Local { .. }, _) => Some(slot.name.clone()),
            (SlotKey::Target(_), Some(base)) => Some(format!("*{}", self.written_name(base)?)),
            _ => None,
        }
    }

    fn slot_has_context_mark(&self, slot: SlotId) -> bool {
        self.program.slot(slot).marks.iter().any(|mark| self.pack.mark(mark.mark).effect.is_some())
    }
}

/// Finds every value that does not fit the slot that it is stored into.
pub(super) fn store_mismatches(effects: &Effects<'_>) -> Vec<StoreMismatch> {
    let program = effects.program;
    let mut found = Vec::new();
    let mut check = |value: StoredValue, to: SlotId, location: Location, paired_flag: Option<PairedFlag>| {
        // Most values require nothing, and most slots neither.
        if effects.value_requirement(value).is_none() && effects.slot_requirement(to).is_none() {
            return;
        }
        for slot in effects.stored_slots(to) {
            let kind = mismatch(effects, value, slot, paired_flag);
            found.extend(kind.map(|kind| StoreMismatch { slot, location, value, kind, paired_flag }));
        }
    };
    for store in &program.stores {
        if let Some(to) = store.slot {
            check(StoredValue::Function(store.function), to, store.location, effects.own_flag(store.paired_flags));
        }
    }
    for copy in &program.copies {
        if effects.may_lose_mark(copy) {
            check(StoredValue::Copy(copy.from), copy.to, copy.location, effects.own_flag(copy.paired_flags));
        }
        // An unmarked slot requires nothing, but what it may hold does. A mark that is lost was lost where the value
        // came into the slot.
        if effects.slot_requirement(copy.from).is_none() && effects.may_gain_mark(copy) {
            for function in effects.points_to.candidates(copy.from) {
                if effects.effect(*function) != Some(Effect::InsideOnly) {
                    let value = StoredValue::Candidate(*function, copy.from);
                    check(value, copy.to, copy.location, effects.own_flag(copy.paired_flags));
                }
            }
        }
    }
    for store in &program.addresses {
        if let Some(to) = store.to.filter(|to| effects.loses_mark_through_pointer(store.of, *to)) {
            check(StoredValue::Address(store.of), to, store.location, None);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl Effects<'_> {
    /// What a value requires of those who call it.
    fn value_requirement(&self, value: StoredValue) -> Option<Effect> {
        match value {
            StoredValue::Function(function) | StoredValue::Candidate(function, _) => self.effect(function),
            StoredValue::Copy(slot) | StoredValue::Address(slot) => self.slot_effect(slot),
        }
    }

    /// Whether a copy can lose a mark: that of a pointer to slots is about what is read through it, and nobody who only
    /// keeps or frees the pointer needs to know it.
    fn may_lose_mark(&self, copy: &PointerCopy) -> bool {
        match self.slot_effect(copy.from) {
            Some(effect) if self.is_pointer_to_slots(copy.from) && self.slot_requirement(copy.to).is_none() => {
                self.is_read_without(effect, copy.to, |_| true)
            }
            _ => true,
        }
    }

    /// Whether the value of a copy goes where a function that is not inside-only does not fit, and the flag beside
    /// the slot says nothing else.
    fn may_gain_mark(&self, copy: &PointerCopy) -> bool {
        let is_inside = |effect: Effect| matches!(effect, Effect::InsideOnly | Effect::Entry);
        let by_marks = |slot: &SlotId| self.slot_effect(*slot).is_some_and(is_inside);
        match self.effect_of_flag(self.own_flag(copy.paired_flags)) {
            Some(effect) => is_inside(effect),
            None => self.stored_slots(copy.to).iter().any(by_marks),
        }
    }

    /// The slots whose marks a store must fit: where the source stores through a pointer without a mark, those that it
    /// may point to.
    fn stored_slots(&self, to: SlotId) -> Vec<SlotId> {
        if self.stands_for_others(to) { self.points_to.destinations(self.program, to) } else { vec![to] }
    }

    /// Whether the program reads a slot through this pointer, or through one that it is copied to, whose other targets
    /// have other requirements. (Otherwise what is read has the requirement of all targets.)
    fn loses_mark_through_pointer(&self, of: SlotId, pointer: SlotId) -> bool {
        let Some(effect) = self.slot_effect(of) else { return false };
        self.is_read_without(effect, pointer, |to| self.points_to.addresses(to).contains(&of))
    }

    /// Whether a slot holds addresses of slots: the program reads or stores through it, or stores nothing else in it.
    /// Its marks are about these.
    fn is_pointer_to_slots(&self, slot: SlotId) -> bool {
        let holds_addresses =
            || !self.points_to.addresses(slot).is_empty() && self.points_to.candidates(slot).is_empty();
        self.program.target(slot).is_some() || holds_addresses()
    }

    /// Whether the program reads through this pointer, or through one that it is copied to, and what is read does not
    /// require this.
    fn is_read_without(&self, effect: Effect, pointer: SlotId, is_copied: impl Fn(SlotId) -> bool) -> bool {
        let is_lost = |pointer: SlotId| {
            self.program.target(pointer).is_some_and(|target| {
                let is_read =
                    !self.program.calls_through(target).is_empty() || !self.program.copies_from(target).is_empty();
                is_read && self.slot_effect(target) != Some(effect)
            })
        };
        let mut seen = BTreeSet::from([pointer]);
        let mut open = vec![pointer];
        while let Some(pointer) = open.pop() {
            if is_lost(pointer) {
                return true;
            }
            let copied = self.points_to.copied_to(self.program, pointer).into_iter();
            open.extend(copied.filter(|to| is_copied(*to) && seen.insert(*to)));
        }
        false
    }

    /// The slot that the mark or the pack means from which a slot's requirement comes: the slot, or one that it stands
    /// for.
    pub fn marked_slot(&self, slot: SlotId) -> SlotId {
        if !self.stands_for_others(slot) {
            return self.marked_pointer(slot).unwrap_or(slot);
        }
        self.points_to.destinations(self.program, slot).first().map_or(slot, |first| *first)
    }
}

fn mismatch(
    effects: &Effects<'_>,
    value: StoredValue,
    slot: SlotId,
    paired_flag: Option<PairedFlag>,
) -> Option<StoreMismatchKind> {
    let expected = effects.effect_of_flag(paired_flag).or_else(|| effects.slot_effect(slot));
    let is_parameter = || matches!(effects.program.slot(slot).key, SlotKey::Parameter { .. });
    let function = value.function();
    let is_unmarked = |function| effects.requirement(function).provenance == Provenance::Unmarked;
    let is_candidate = matches!(value, StoredValue::Candidate(..));
    let kind = match (effects.value_requirement(value), expected) {
        // What an unmarked slot may hold is checked against inside-only slots alone.
        (_, Some(Effect::Mixed) | None) if is_candidate => return None,
        (Some(Effect::InsideOnly), Some(Effect::InsideOnly | Effect::Entry)) => return None,
        // Another rule reports contradictory marks of the slot.
        (Some(Effect::InsideOnly), None) if effects.slot_has_context_mark(slot) => return None,
        (Some(Effect::InsideOnly), _) => StoreMismatchKind::LosesMark,
        (Some(Effect::OutsideOnly), Some(Effect::InsideOnly | Effect::Entry)) => StoreMismatchKind::GainsMark,
        (Some(Effect::OutsideOnly), Some(Effect::Mixed)) => StoreMismatchKind::GainsMixed,
        (None, Some(Effect::InsideOnly))
            if function.is_some_and(is_unmarked) && paired_flag.is_none() && is_parameter() =>
        {
            StoreMismatchKind::UnmarkedEntry
        }
        _ => return None,
    };
    let suspects = effects.suspects();
    let is_suspect = |function| suspects.binary_search_by_key(&function, |suspect| suspect.function).is_ok();
    let is_undecided = expected.is_none() && effects.own_models(slot).next().is_some();
    (!function.is_some_and(is_suspect) && !is_undecided).then_some(kind)
}
