//! Entries: functions that what cowrap cannot see calls inside. A mark or a model makes a function an entry, and so
//! does a slot, if the pack or a mark says that what is stored there starts inside.
//!
//! An entry requires nothing of its callers. Its body certainly runs inside, and in the contexts of its callers in the
//! program, if it has any.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::program::{BodyId, FileId, FunctionId, Origin, PointerCopy, SlotId, SlotKey, Store};
use cowrap_facts::{PairedFlag, PairedFlags, SlotModelId, feasible_nonzero};
use cowrap_packs::{Effect, SlotModel};

use super::Effects;
use super::calls::BodyOutline;
use super::slots::SlotProvenance;

/// How an unmarked function becomes an entry: what is stored in this slot starts inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The slot.
    pub slot: SlotId,
    /// What says that.
    pub provenance: SlotProvenance,
    /// The value of the flag beside the slot that says it, if there is one.
    pub flag: Option<PairedFlag>,
    /// The store that names the function, and the copies from there to the slot.
    pub origin: Origin,
}

/// What brings a function into a slot whose functions start inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installer {
    /// The slot holds it, whatever is stored there.
    Slot(SlotId),
    /// This store: by its flag, or by the slot, which is behind a pointer and holds nothing itself.
    Store(Store),
    /// This copy, in the same way.
    Copy(PointerCopy),
}

/// For each function that slots make an entry, how.
#[derive(Debug, Default)]
pub(super) struct Installed {
    functions: FxHashMap<FunctionId, Vec<Installer>>,
}

impl Installed {
    /// Finds them in the points-to sets.
    pub(super) fn new(effects: &Effects<'_>) -> Installed {
        let program = effects.program;
        let mut installed = Installed::default();
        let mut add = |function: FunctionId, installer: Installer| {
            installed.functions.entry(function).or_default().push(installer);
        };
        let is_entry_slot = |slot: SlotId| {
            effects.slot_requirement(slot).is_some_and(|requirement| requirement.effect == Effect::Entry)
        };
        for slot in program.slots.ids() {
            if is_entry_slot(slot) {
                effects.points_to.candidates(slot).iter().for_each(|function| add(*function, Installer::Slot(slot)));
            }
        }
        let is_entry = |flags: PairedFlags| effects.effect_of_flag(effects.own_flag(flags)) == Some(Effect::Entry);
        // A parameter of a function that is called through a pointer: what is passed goes to the parameters of the
        // candidates, if the program has any, and starts inside without them.
        let is_passed = |slot: SlotId| program.slot(slot).base.is_some() && is_entry_slot(slot);
        let stores = program.stores.iter();
        for store in stores.filter(|store| is_entry(store.paired_flags) || store.slot.is_some_and(is_passed)) {
            add(store.function, Installer::Store(*store));
        }
        let copies = program.copies.iter();
        for copy in copies.filter(|copy| is_entry(copy.paired_flags) || is_passed(copy.to)) {
            let functions = effects.points_to.candidates(copy.from).iter();
            functions.for_each(|function| add(*function, Installer::Copy(*copy)));
        }
        installed
    }

    /// Whether a slot makes this function an entry, if nothing else says what it requires.
    pub(super) fn contains(&self, function: FunctionId) -> bool {
        self.functions.contains_key(&function)
    }

    /// The functions that slots make entries.
    pub(super) fn functions(&self) -> impl Iterator<Item = FunctionId> {
        self.functions.keys().copied()
    }
}

impl<'a> Effects<'a> {
    /// Whether a function is an entry: it owes its callers nothing, and its body starts inside.
    pub fn is_entry(&self, function: FunctionId) -> bool {
        self.effect(function) == Some(Effect::Entry)
    }

    /// Whether the slots that a function is stored in say that it starts inside, whatever else it requires.
    pub fn is_installed(&self, function: FunctionId) -> bool {
        self.installed.contains(function)
    }

    /// How a function becomes an entry by a slot: by as few copies as possible. `None` if no slot makes it one; a mark
    /// or a model may.
    pub fn installation(&self, function: FunctionId) -> Option<Installation> {
        let installers = self.installed.functions.get(&function)?;
        let found = installers.iter().filter_map(|installer| self.installation_by(function, *installer));
        found.min_by_key(|installation| {
            let Origin { store, copies } = &installation.origin;
            (copies.len(), store.location, installation.slot)
        })
    }

    /// The positions of the parameters of an entry that are never 0 when it is called as one: all slots that make it an
    /// entry say so.
    fn nonzero_parameters(&self, function: FunctionId) -> Vec<u16> {
        let mut installers = self.installed.functions.get(&function).into_iter().flatten().map(|installer| {
            let (slot, flag) = match *installer {
                Installer::Slot(slot) => (Some(slot), None),
                Installer::Store(Store { slot, paired_flags, .. }) => (slot, self.own_flag(paired_flags)),
                Installer::Copy(PointerCopy { to, paired_flags, .. }) => (Some(to), self.own_flag(paired_flags)),
            };
            let model = match slot.and_then(|slot| self.installing(slot, flag)) {
                Some(SlotProvenance::Modelled(model)) => Some(model),
                _ => None,
            };
            let positions = model.map_or(&[][..], |model| &self.slot_model(model).nonzero);
            positions.iter().filter_map(|position| position.checked_sub(1)).collect::<Vec<u16>>()
        });
        let mut positions = installers.next().unwrap_or_default();
        installers.for_each(|other| positions.retain(|position| other.contains(position)));
        positions
    }

    /// The values of a body's flags with which it can start as an entry.
    pub(super) fn entry_values(&self, body: BodyId) -> u8 {
        let BodyOutline { function, values, has_flags, .. } = *self.calls.body(body);
        match has_flags && self.is_installed(function) {
            true => feasible_nonzero(&self.program.body(body).flags, &self.nonzero_parameters(function)),
            false => values,
        }
    }

    fn installation_by(&self, function: FunctionId, installer: Installer) -> Option<Installation> {
        match installer {
            Installer::Slot(slot) => {
                let provenance = self.installing(slot, None)?;
                let origin = self.points_to.origin(self.program, slot, function, self.home(function))?;
                Some(Installation { slot, provenance, flag: None, origin })
            }
            Installer::Store(store) => {
                let (slot, flag) = (store.slot?, self.own_flag(store.paired_flags));
                let origin = Origin { store, copies: Vec::new() };
                Some(Installation { slot, provenance: self.installing(slot, flag)?, flag, origin })
            }
            Installer::Copy(copy) => {
                let flag = self.own_flag(copy.paired_flags);
                let provenance = self.installing(copy.to, flag)?;
                let mut origin = self.points_to.origin(self.program, copy.from, function, copy.location.file)?;
                origin.copies.push(copy);
                Some(Installation { slot: copy.to, provenance, flag, origin })
            }
        }
    }

    /// What says that functions in a slot start inside: the flag beside it, or the slot.
    fn installing(&self, slot: SlotId, flag: Option<PairedFlag>) -> Option<SlotProvenance> {
        match flag {
            Some(flag) => Some(SlotProvenance::Modelled(flag.model)),
            None => Some(self.slot_requirement(slot)?.provenance),
        }
    }

    /// The file of a function: that of its first body or declaration.
    pub(super) fn home(&self, function: FunctionId) -> FileId {
        let linked = self.program.function(function);
        let body = linked.bodies.first().map(|body| self.program.body(*body).location);
        let declared = || linked.declarations.first().map(|declaration| declaration.location);
        body.or_else(declared).map_or(FileId(0), |location| location.file)
    }

    /// Whether the value of a slot is copied to a slot whose functions start inside.
    pub(super) fn leads_to_entry_slot(&self, slot: SlotId) -> bool {
        let is_installed = |slot: SlotId| {
            let mut copies = self.program.copies_from(slot).iter();
            self.slot_effect(slot) == Some(Effect::Entry)
                || copies.any(|copy| self.effect_of_flag(self.own_flag(copy.paired_flags)) == Some(Effect::Entry))
        };
        let mut seen = BTreeSet::from([slot]);
        let mut open = vec![slot];
        while let Some(slot) = open.pop() {
            if is_installed(slot) {
                return true;
            }
            let copied = self.points_to.copied_to(self.program, slot).into_iter();
            open.extend(copied.filter(|to| seen.insert(*to)));
        }
        false
    }

    /// What the pack says of a slot without marks.
    pub fn slot_model(&self, model: SlotModelId) -> &'a SlotModel {
        &self.pack.slots[usize::from(model.0)]
    }

    /// What this pack says of a slot, in the order of the pack.
    pub(super) fn own_models(&self, slot: SlotId) -> impl DoubleEndedIterator<Item = (SlotModelId, &'a SlotModel)> {
        let linked = self.program.slot(slot);
        let is_defined = match linked.key {
            SlotKey::Parameter { function, .. } => !self.program.function(function).bodies.is_empty(),
            _ => false,
        };
        let models = linked.models.iter().map(|model| (*model, self.slot_model(*model)));
        let is_void = move |model: &SlotModel| model.is_foreign || (model.library && is_defined);
        models.filter(move |(_, model)| !is_void(model))
    }
}
