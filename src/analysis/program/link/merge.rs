//! Unites what several units say about one body: the same source text, perhaps in different configurations.
//!
//! A call happens if any configuration has it. What must be certain, such as that a lock is held or that a context is
//! asserted, must be so in all of them.

use std::hash::Hash;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use cowrap_facts::{CallKind, Flag, LineRegion, PathCondition, ReadingId};

use super::super::{Argument, ArgumentValue, Body, Call, CriticalSection, Location, SlotCall};

/// Adds what another unit says about the same body.
pub(super) fn body(known: &mut Body, other: Body) {
    let matching = Matching::new(known, &other);
    one_reading(known, other, &matching);
}

/// Adds how packs read the same body in another unit. Where a unit has no reading of its own, it is that of the first
/// pack: `known_body` and `other_body`, before they are united.
pub(super) fn readings(
    known: &mut Vec<(ReadingId, Body)>,
    known_body: &Body,
    other: Vec<(ReadingId, Body)>,
    other_body: &Body,
) {
    let matching = Matching::new(known_body, other_body);
    for (reading, _) in &other {
        if let Err(position) = known.binary_search_by_key(reading, |(known, _)| *known) {
            known.insert(position, (*reading, known_body.clone()));
        }
    }
    let mut other = other.into_iter().peekable();
    for (reading, known) in known {
        let read = other.next_if(|(other, _)| other == reading).map(|(_, body)| body);
        one_reading(known, read.unwrap_or_else(|| other_body.clone()), &matching);
    }
}

/// A body, and how other packs read it.
type InReadings<'b> = (&'b Body, &'b [(ReadingId, Body)]);

/// Whether all readings of two bodies have the same flags.
pub(super) fn have_same_flags(one: InReadings<'_>, other: InReadings<'_>) -> bool {
    let mut readings = one.1.iter().chain(other.1).map(|(reading, _)| *reading);
    one.0.flags == other.0.flags && readings.all(|reading| flags(one, reading) == flags(other, reading))
}

fn flags<'b>((body, readings): InReadings<'b>, reading: ReadingId) -> &'b [Flag] {
    let own = readings.iter().find(|(known, _)| *known == reading);
    own.map_or(&body.flags, |(_, body)| &body.flags)
}

/// Which calls of two bodies are the same, as the first pack reads both. It holds for all packs: the calls of a body do
/// not depend on the pack.
struct Matching {
    /// Whether both have the same calls in the same order.
    is_same: bool,
    /// For each call of the other body, its position in the known one, if it has the call.
    calls: Vec<Option<usize>>,
    slot_calls: Vec<Option<usize>>,
}

impl Matching {
    fn new(known: &Body, other: &Body) -> Matching {
        let site = |call: &Call| (call.callee, call.location, is_region(call.kind));
        let through = |call: &SlotCall| (call.slot, call.location, is_region(call.kind));
        let calls = positions(&known.calls, &other.calls, site);
        let slot_calls = positions(&known.slot_calls, &other.slot_calls, through);
        let is_identity = |positions: &[Option<usize>], length: usize| {
            positions.len() == length && positions.iter().enumerate().all(|(at, position)| *position == Some(at))
        };
        let is_same = is_identity(&calls, known.calls.len()) && is_identity(&slot_calls, known.slot_calls.len());
        Matching { is_same, calls, slot_calls }
    }
}

/// For each call of the other list, its position in the known one.
fn positions<T, K: Eq + Hash>(known: &[T], other: &[T], key: impl Fn(&T) -> K) -> Vec<Option<usize>> {
    let mut taken = vec![false; known.len()];
    // The positions of each call, last first, once they are needed.
    let mut by_key: Option<HashMap<K, Vec<usize>>> = None;
    let mut found = Vec::with_capacity(other.len());
    for (position, call) in other.iter().enumerate() {
        let key_of_call = key(call);
        let is_free = |at: &usize| !taken[*at] && key(&known[*at]) == key_of_call;
        // Most units have the same calls in the same order.
        let here = Some(position).filter(|at| *at < known.len()).filter(is_free);
        let at = here.or_else(|| {
            let by_key = by_key.get_or_insert_with(|| {
                let mut by_key: HashMap<K, Vec<usize>> = HashMap::default();
                for (at, call) in known.iter().enumerate().rev() {
                    by_key.entry(key(call)).or_default().push(at);
                }
                by_key
            });
            let free = by_key.get_mut(&key_of_call)?;
            while free.pop_if(|at| taken[*at]).is_some() {}
            free.pop()
        });
        if let Some(at) = at {
            taken[at] = true;
        }
        found.push(at);
    }
    found
}

fn one_reading(known: &mut Body, mut other: Body, matching: &Matching) {
    order(known, &mut other, matching);
    known.units.extend(other.units);
    slot_calls(&mut known.slot_calls, other.slot_calls, &matching.slot_calls);
    critical_sections(&mut known.critical_sections, &other.critical_sections);
    known.releases.extend(other.releases);
    known.releases.sort_unstable();
    known.releases.dedup();
    known.assertion = known.assertion.filter(|known| other.assertion.as_ref() == Some(known));
    known.exit = known.exit.or(other.exit);
    known.more_lines = known.more_lines.max(other.more_lines);
    regions(&mut known.regions, &other.regions, PathCondition::always_with(known.values));
    calls(&mut known.calls, other.calls, &matching.calls);
}

/// Keeps the lines that control reaches as nowhere else in both configurations. Other lines are reached `always` in one
/// of them.
fn regions(known: &mut Vec<LineRegion>, other: &[LineRegion], always: PathCondition) {
    if known == other {
        return;
    }
    let mut both = Vec::new();
    let (mut own, mut others) = (known.iter().peekable(), other.iter().peekable());
    while let (Some(one), Some(two)) = (own.peek(), others.peek()) {
        let condition = one.condition.or(two.condition);
        let decides = |region: &&LineRegion| region.condition == condition;
        let guard = [**one, **two].iter().find(decides).and_then(|region| region.guard);
        let region = LineRegion { first: one.first.max(two.first), last: one.last.min(two.last), condition, guard };
        if region.first <= region.last && condition != always {
            both.push(region);
        }
        if one.last < two.last {
            own.next()
        } else {
            others.next()
        };
    }
    *known = both;
}

/// Keeps what both configurations say of the order of calls. Positions mean nothing if the calls differ.
fn order(known: &mut Body, other: &mut Body, matching: &Matching) {
    if matching.is_same {
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

fn calls(known: &mut Vec<Call>, other: Vec<Call>, positions: &[Option<usize>]) {
    for (call, at) in other.into_iter().zip(positions) {
        match at.and_then(|at| known.get_mut(at)) {
            Some(known) => {
                known.condition = known.condition.or(call.condition);
                known.kind = known.kind.min(call.kind);
                known.ends &= call.ends;
                known.is_change |= call.is_change;
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

fn slot_calls(known: &mut Vec<SlotCall>, other: Vec<SlotCall>, positions: &[Option<usize>]) {
    for (call, at) in other.into_iter().zip(positions) {
        match at.and_then(|at| known.get_mut(at)) {
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
        let calls: HashSet<Location> = same.into_iter().flat_map(|section| &section.calls).copied().collect();
        known.calls.retain(|call| calls.contains(call));
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
        ArgumentValue::Number(_) | ArgumentValue::Parameter(_) | ArgumentValue::Flag { .. } => other.contains(argument),
        ArgumentValue::Function(_) | ArgumentValue::Slot(_) => true,
    });
    for argument in other {
        let can_be_others = matches!(argument.value, ArgumentValue::Function(_) | ArgumentValue::Slot(_));
        if can_be_others && !known.contains(&argument) {
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
    use cowrap_facts::{ContextSet, Guard, GuardKind};

    use super::super::super::{FileId, FunctionId};
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
            is_change: false,
            arguments: Vec::new(),
        }
    }

    fn of(calls: &[Call], returns_after: Option<u32>) -> Body {
        Body {
            exit: PathCondition::always(),
            function: FunctionId(0),
            location: Location { file: FileId(0), line: 1, column: 1 },
            more_lines: 8,
            regions: Vec::new(),
            flags: Vec::new(),
            values: 1,
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
    fn lines_are_reached_as_in_any_configuration() {
        let (always, never) = (PathCondition::always(), PathCondition::NEVER);
        let (inside, outside) = (always.within(ContextSet::INSIDE), always.within(ContextSet::OUTSIDE));
        let guard = |line| Some(Guard { kind: GuardKind::Condition, line, column: 1 });
        let with = |regions: &[(u32, u32, PathCondition)]| {
            let region = |(first, last, condition): &(u32, u32, PathCondition)| LineRegion {
                first: *first,
                last: *last,
                condition: *condition,
                guard: guard(*first),
            };
            Body { regions: regions.iter().map(region).collect(), ..of(&[], None) }
        };
        let one = with(&[(2, 5, inside), (6, 8, never)]);
        let other = with(&[(3, 3, inside), (5, 6, outside), (7, 7, outside)]);
        let united = |one: &Body, other: &Body| {
            let mut known = one.clone();
            body(&mut known, other.clone());
            known
                .regions
                .iter()
                .map(|region| (region.first, region.last, region.condition, region.guard))
                .collect::<Vec<_>>()
        };
        // Line 5 is reached in both contexts, and the others are regions of one configuration only.
        let expected: Vec<_> = vec![(3, 3, inside, guard(2)), (6, 6, outside, guard(5)), (7, 7, outside, guard(7))];
        assert_eq!(united(&one, &other), expected);
        assert_eq!(united(&one, &with(&[])), vec![]);
        assert_eq!(united(&one, &one).len(), 2);
    }

    #[test]
    fn bodies_are_united_reading_by_reading() {
        let with = |conditions: [PathCondition; 2]| {
            let calls = [2, 3].into_iter().zip(conditions);
            of(&calls.map(|(line, condition)| Call { condition, ..call(line, None, false) }).collect::<Vec<_>>(), None)
        };
        let (always, never) = (PathCondition::always(), PathCondition::NEVER);
        let (inside, outside) = (always.within(ContextSet::INSIDE), always.within(ContextSet::OUTSIDE));
        let conditions = |body: &Body| body.calls.iter().map(|call| call.condition).collect::<Vec<_>>();
        let (mut one, other) = (with([always, inside]), with([never, outside]));
        // The first unit has no reading 1, the second has no reading 2.
        let mut known = vec![(ReadingId(2), with([never, never]))];
        readings(&mut known, &one, vec![(ReadingId(1), with([inside, inside]))], &other);
        body(&mut one, other);
        assert_eq!(conditions(&one), [always, always]);
        let read: Vec<_> = known.iter().map(|(reading, body)| (reading.0, conditions(body))).collect();
        assert_eq!(read, [(1, vec![always, inside]), (2, vec![never, outside])]);
    }

    #[test]
    fn readings_keep_the_calls_of_the_first_one_in_its_order() {
        // One macro makes two calls at one place, of which another pack puts one into another thread.
        let region = |line| Call { kind: CallKind::Region, ..call(line, None, false) };
        let (mut one, other) = (
            of(&[call(1, None, false), call(2, None, false), call(2, None, false)], None),
            of(&[call(2, None, false), call(2, None, false)], None),
        );
        let mut known = vec![(ReadingId(1), of(&[call(1, None, false), call(2, None, false), region(2)], None))];
        readings(&mut known, &one, vec![(ReadingId(1), of(&[call(2, None, false), region(2)], None))], &other);
        body(&mut one, other);
        let sites = |body: &Body| body.calls.iter().map(|call| call.location.line).collect::<Vec<_>>();
        assert_eq!(sites(&one), [1, 2, 2]);
        assert_eq!(sites(&known[0].1), [1, 2, 2]);
        assert_eq!(known[0].1.calls[2].kind, CallKind::Region);
    }

    #[test]
    fn a_call_ends_the_program_if_it_does_so_in_every_configuration_that_has_it() {
        let one = of(&[call(2, None, true)], None);
        let other = of(&[call(1, None, true), call(2, Some(0), false)], None);
        assert_eq!(merged(&one, &other).0, [(1, None, true), (2, None, false)]);
        assert_eq!(merged(&other, &one).0, [(1, None, true), (2, None, false)]);
    }
}
