//! Unites what several units say about one body: the same source text, perhaps in different configurations.
//!
//! A call happens if any configuration has it. What must be certain, such as that a lock is held or that a context is
//! asserted, must be so in all of them.

use cowrap_facts::{CallKind, PathCondition};

use super::super::{Argument, ArgumentValue, Body, Call, CriticalSection, SlotCall};

/// Adds what another unit says about the same body.
pub(super) fn body(known: &mut Body, other: Body) {
    dominators(known, &other);
    known.units.extend(other.units);
    slot_calls(&mut known.slot_calls, other.slot_calls);
    critical_sections(&mut known.critical_sections, &other.critical_sections);
    known.releases.extend(other.releases);
    known.releases.sort_unstable();
    known.releases.dedup();
    known.assertion = known.assertion.filter(|known| other.assertion.as_ref() == Some(known));
    calls(&mut known.calls, other.calls);
}

/// Keeps what both configurations say of the order of calls. Positions mean nothing if the calls differ.
fn dominators(known: &mut Body, other: &Body) {
    let sites = |body: &Body| body.calls.iter().map(|call| (call.callee, call.location)).collect::<Vec<_>>();
    let is_same = sites(known) == sites(other) && known.slot_calls.len() == other.slot_calls.len();
    let keep = |known: &mut Option<u32>, other: Option<u32>| *known = known.filter(|_| is_same && *known == other);
    keep(&mut known.returns_after, other.returns_after);
    for (position, call) in known.calls.iter_mut().enumerate() {
        keep(&mut call.after, other.calls.get(position).and_then(|other| other.after));
        call.ends &= other.calls.get(position).is_some_and(|other| is_same && other.ends);
    }
    for (position, call) in known.slot_calls.iter_mut().enumerate() {
        keep(&mut call.after, other.slot_calls.get(position).and_then(|other| other.after));
        call.ends &= other.slot_calls.get(position).is_some_and(|other| is_same && other.ends);
    }
}

fn calls(known: &mut Vec<Call>, other: Vec<Call>) {
    for (position, call) in other.into_iter().enumerate() {
        let is_same = |known: &Call| {
            known.callee == call.callee && known.location == call.location && is_region(known) == is_region(&call)
        };
        // Most units have the same calls in the same order.
        let at = match known.get(position) {
            Some(candidate) if is_same(candidate) => Some(position),
            _ => known.iter().position(is_same),
        };
        match at {
            Some(at) => {
                let known = &mut known[at];
                known.condition = known.condition.or(call.condition);
                known.kind = known.kind.min(call.kind);
                arguments(&mut known.arguments, call.arguments);
            }
            None => known.push(call),
        }
    }
}

/// Whether a call runs in another thread. A macro's own calls and those of its argument have the same location, and
/// only the latter do.
fn is_region(call: &Call) -> bool {
    call.kind == CallKind::Region
}

fn slot_calls(known: &mut Vec<SlotCall>, other: Vec<SlotCall>) {
    for call in other {
        let is_same = |known: &&mut SlotCall| {
            let regions = [known.kind, call.kind].map(|kind| kind == CallKind::Region);
            known.slot == call.slot && known.location == call.location && regions[0] == regions[1]
        };
        match known.iter_mut().find(is_same) {
            Some(known) => {
                known.condition = known.condition.or(call.condition);
                known.kind = known.kind.min(call.kind);
                arguments(&mut known.arguments, call.arguments);
            }
            None => known.push(call),
        }
    }
}

/// Keeps the calls that are in a critical section in both configurations.
fn critical_sections(known: &mut Vec<CriticalSection>, other: &[CriticalSection]) {
    known.retain_mut(|known| {
        let same = other.iter().find(|section| section.lock == known.lock && section.taken == known.taken);
        known.calls.retain(|call| same.is_some_and(|section| section.calls.contains(call)));
        same.is_some()
    });
}

/// Adds the arguments of the same call in another unit. A truth value stays only if both units have one.
fn arguments(known: &mut Vec<Argument>, other: Vec<Argument>) {
    if *known == other {
        return;
    }
    known.retain_mut(|argument| match &mut argument.value {
        ArgumentValue::Truth { may_be_true, may_be_false } => match truth(&other, argument.position) {
            Some((yes, no)) => {
                (*may_be_true, *may_be_false) = (may_be_true.or(yes), may_be_false.or(no));
                true
            }
            None => false,
        },
        ArgumentValue::Number(_) => other.contains(argument),
        ArgumentValue::Function(_) | ArgumentValue::Slot(_) => true,
    });
    for argument in other {
        let is_certain = matches!(argument.value, ArgumentValue::Truth { .. } | ArgumentValue::Number(_));
        if !is_certain && !known.contains(&argument) {
            known.push(argument);
        }
    }
}

/// The truth value of the argument at a position.
fn truth(arguments: &[Argument], position: u16) -> Option<(PathCondition, PathCondition)> {
    arguments.iter().find_map(|argument| match argument.value {
        ArgumentValue::Truth { may_be_true, may_be_false } if argument.position == position => {
            Some((may_be_true, may_be_false))
        }
        _ => None,
    })
}
