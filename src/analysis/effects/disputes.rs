//! Inside-only functions that may run outside, against their marks.

use crate::program::{FunctionId, IndexVec, SlotId};

use super::{Callee, Effects, StoreMismatchKind, StoredValue, ViolationKind};

/// Why an inside-only function may run outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispute {
    /// A function calls it there, or stores it into an unmarked slot, perhaps out of another slot. Its own mark may be
    /// wrong.
    Direct,
    /// A disputed function calls it.
    Inherited,
}

/// Finds all disputed functions.
pub(super) fn disputes(effects: &Effects<'_>) -> IndexVec<FunctionId, Option<Dispute>> {
    let program = effects.program;
    let violations = effects.violations().iter();
    let violations = violations.filter(|violation| violation.kind == ViolationKind::InsideCall);
    // Many calls go through one slot, and it may have many candidates: each slot is looked at once.
    let mut is_known = IndexVec::from_elem(false, program.slots.len());
    let mut candidates = |slot: SlotId| match std::mem::replace(&mut is_known[slot], true) {
        true => &[],
        false => effects.points_to.candidates(slot),
    };
    let mut work: Vec<FunctionId> = Vec::new();
    for violation in violations {
        match violation.callee {
            Callee::Function(function) => work.push(function),
            Callee::Slot(slot) => work.extend(candidates(slot)),
        }
    }
    let mismatches = effects.store_mismatches().iter();
    let mismatches = mismatches.filter(|mismatch| mismatch.kind == StoreMismatchKind::LosesMark);
    for mismatch in mismatches {
        match mismatch.value {
            StoredValue::Function(function) | StoredValue::Candidate(function, _) => work.push(function),
            StoredValue::Copy(slot) | StoredValue::Address(slot) => work.extend(candidates(slot)),
        }
    }

    let mut disputes = IndexVec::from_elem(None, program.functions.len());
    work.iter().for_each(|function| disputes[*function] = Some(Dispute::Direct));
    let mut is_done = IndexVec::from_elem(false, program.functions.len());
    while let Some(function) = work.pop() {
        if std::mem::replace(&mut is_done[function], true) {
            continue;
        }
        disputes[function].get_or_insert(Dispute::Inherited);
        for body in effects.calls.bodies_of(function) {
            let calls = effects.calls.named(*body).iter().filter(|call| call.kind.is_in_place());
            work.extend(calls.map(|call| call.called));
            let slots = effects.calls.through_slots(*body).iter().filter_map(|call| call.called);
            work.extend(slots.flat_map(&mut candidates));
        }
    }
    disputes
}
