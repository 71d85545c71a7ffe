//! Unites what several units say about one body: the same source text, perhaps in different configurations.
//!
//! A call happens if any configuration has it. What must be certain, such as that a lock is held or that a context is
//! asserted, must be so in all of them.

use cowrap_facts::{CallKind, PathCondition};

use super::super::{Argument, ArgumentValue, Body, Call, CriticalSection, SlotCall};

/// Adds what another unit says about the same body.
pub(super) fn body(known: &mut Body, mut other: Body) {
    order(known, &mut other);
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
fn order(known: &mut Body, other: &mut Body) {
    let site = |call: &Call| (call.callee, call.location, is_region(call.kind));
    let through = |call: &SlotCall| (call.slot, call.location, is_region(call.kind));
    let is_same = known.calls.iter().map(site).eq(other.calls.iter().map(site))
        && known.slot_calls.iter().map(through).eq(other.slot_calls.iter().map(through));
    if is_same {
        let keep = |known: &mut Option<u32>, other: Option<u32>| *known = known.filter(|_| *known == other);
        keep(&mut known.returns_after, other.returns_after);
        known.calls.iter_mut().zip(&other.calls).for_each(|(known, other)| keep(&mut known.after, other.after));
        let pairs = known.slot_calls.iter_mut().zip(&other.slot_calls);
        pairs.for_each(|(known, other)| keep(&mut known.after, other.after));
        return;
    }
    for body in [known, other] {
        body.returns_after = None;
        body.calls.iter_mut().for_each(|call| call.after = None);
        body.slot_calls.iter_mut().for_each(|call| call.after = None);
    }
}

fn calls(known: &mut Vec<Call>, other: Vec<Call>) {
    for (position, call) in other.into_iter().enumerate() {
        let is_same = |known: &Call| {
            known.callee == call.callee
                && known.location == call.location
                && is_region(known.kind) == is_region(call.kind)
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
                known.ends &= call.ends;
                arguments(&mut known.arguments, call.arguments);
            }
            None => known.push(call),
        }
    }
}

/// Whether a call runs in another thread. A macro's own calls and those of its argument have the same location, and
/// only the latter do.
fn is_region(kind: CallKind) -> bool {
    kind == CallKind::Region
}

fn slot_calls(known: &mut Vec<SlotCall>, other: Vec<SlotCall>) {
    for call in other {
        let is_same = |known: &&mut SlotCall| {
            let is_here = known.slot == call.slot && known.location == call.location;
            is_here && is_region(known.kind) == is_region(call.kind)
        };
        match known.iter_mut().find(is_same) {
            Some(known) => {
                known.condition = known.condition.or(call.condition);
                known.kind = known.kind.min(call.kind);
                known.ends &= call.ends;
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

#[cfg(test)]
mod tests {
    use super::super::super::{FileId, FunctionId, Location};
    use super::*;

    fn call(line: u32, after: Option<u32>, ends: bool) -> Call {
        Call {
            callee: FunctionId(line),
            location: Location { file: FileId(0), line, column: 1 },
            spelling: None,
            condition: PathCondition::always(),
            kind: CallKind::Written,
            after,
            ends,
            arguments: Vec::new(),
        }
    }

    fn of(calls: &[Call], returns_after: Option<u32>) -> Body {
        Body {
            exit: PathCondition::always(),
            function: FunctionId(0),
            location: Location { file: FileId(0), line: 1, column: 1 },
            flags: Vec::new(),
            values: 0,
            calls: calls.to_vec(),
            slot_calls: Vec::new(),
            returns_after,
            assertion: None,
            critical_sections: Vec::new(),
            releases: Vec::new(),
            units: Vec::new(),
        }
    }

    /// A call's line, the position that it is after, and whether it ends the program.
    type Order = (u32, Option<u32>, bool);

    fn merged(one: &Body, other: &Body) -> (Vec<Order>, Option<u32>) {
        let mut known = one.clone();
        body(&mut known, other.clone());
        known.calls.sort_by_key(|call| call.location);
        let calls = known.calls.iter().map(|call| (call.location.line, call.after, call.ends)).collect();
        (calls, known.returns_after)
    }

    #[test]
    fn the_order_of_different_calls_means_nothing_and_that_of_the_same_ones_stays() {
        let one = of(&[call(2, None, false), call(3, Some(0), false), call(5, Some(1), true)], Some(1));
        let other = of(&[call(2, None, false), call(4, Some(0), true), call(5, Some(1), true)], Some(0));
        let expected = (vec![(2, None, false), (3, None, false), (4, None, true), (5, None, true)], None);
        assert_eq!(merged(&one, &other), expected);
        assert_eq!(merged(&other, &one), expected);
        let same = (vec![(2, None, false), (3, Some(0), false), (5, Some(1), true)], Some(1));
        assert_eq!(merged(&one, &one), same);
    }

    #[test]
    fn a_call_ends_the_program_if_it_does_so_in_every_configuration_that_has_it() {
        let one = of(&[call(2, None, true)], None);
        let other = of(&[call(1, None, true), call(2, Some(0), false)], None);
        assert_eq!(merged(&one, &other).0, [(1, None, true), (2, None, false)]);
        assert_eq!(merged(&other, &one).0, [(1, None, true), (2, None, false)]);
    }
}
