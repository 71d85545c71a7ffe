//! Flags of parameters that a body only passes on: in `f(int flags) { g(flags); }` the tests that `g` makes of its
//! parameter are flags of `f` as well. The front end cannot know them, since `g` may be in another unit.

use std::collections::{BTreeMap, BTreeSet};

use cowrap_facts::{Flag, FlagTest, MAX_FLAGS, ReadingId, feasible};

use super::super::{Argument, ArgumentValue, Body, FunctionId, Shared};

/// A function's tests of one of its parameters, in one reading.
type Tests = BTreeMap<(ReadingId, FunctionId, u16), BTreeSet<FlagTest>>;

/// Gives each body the flags that it passes on, as many as it has room for. What another reading tests does not matter,
/// so that no pack changes what another one finds.
pub(super) fn pass_on(bodies: &mut [(ReadingId, &mut Shared<Body>)]) {
    let mut tests = Tests::new();
    bodies.iter().for_each(|(reading, body)| note_tests(*reading, body, &mut tests));
    let passing: Vec<usize> = (0..bodies.len()).filter(|number| passes_on(bodies[*number].1)).collect();
    let mut callers: BTreeMap<FunctionId, BTreeSet<usize>> = BTreeMap::new();
    for number in &passing {
        for call in &bodies[*number].1.calls {
            callers.entry(call.callee).or_default().insert(*number);
        }
    }
    // Bodies are looked at in their order, again and again, but only where a callee has changed. A body gains at most
    // `MAX_FLAGS` flags, so this ends.
    let mut open: BTreeSet<usize> = passing.iter().copied().collect();
    while !open.is_empty() {
        let mut next = BTreeSet::new();
        while let Some(number) = open.pop_first() {
            let (reading, body) = &mut bodies[number];
            let before = body.flags.len();
            if before >= MAX_FLAGS {
                continue;
            }
            for flag in passed_flags(*reading, body, &tests) {
                add_flag(body.make_mut(), flag);
            }
            if body.flags.len() != before {
                note_tests(*reading, body, &mut tests);
                for caller in callers.get(&body.function).into_iter().flatten() {
                    if *caller > number { &mut open } else { &mut next }.insert(*caller);
                }
            }
        }
        open = next;
    }
    passing.into_iter().for_each(|number| name_flags(bodies[number].1.make_mut()));
}

/// Replaces each parameter among a body's arguments by the flags that say something of it.
fn name_flags(body: &mut Body) {
    let flags = body.flags.clone();
    let calls = body.calls.iter_mut().map(|call| &mut call.arguments);
    for arguments in calls.chain(body.slot_calls.iter_mut().map(|call| &mut call.arguments)) {
        let named = std::mem::take(arguments).into_iter().flat_map(|argument| match argument.value {
            ArgumentValue::Parameter(position) => {
                let numbered = flags.iter().zip(0u8..).filter(|(flag, _)| flag.position == position);
                let flag = |(flag, number): (&Flag, u8)| Argument {
                    value: ArgumentValue::Flag { test: flag.test, number },
                    ..argument
                };
                numbered.map(flag).collect()
            }
            _ => vec![argument],
        });
        *arguments = named.collect();
        arguments.sort_unstable();
    }
}

fn note_tests(reading: ReadingId, body: &Body, tests: &mut Tests) {
    for flag in &body.flags {
        tests.entry((reading, body.function, flag.position)).or_default().insert(flag.test);
    }
}

fn passes_on(body: &Body) -> bool {
    let arguments = body.calls.iter().flat_map(|call| &call.arguments);
    let through_slots = body.slot_calls.iter().flat_map(|call| &call.arguments);
    arguments.chain(through_slots).any(|argument| matches!(argument.value, ArgumentValue::Parameter(_)))
}

/// The flags of what a body calls, of parameters that get one of its own: in the same reading, or in the first if the
/// callee has no other.
fn passed_flags(reading: ReadingId, body: &Body, tests: &Tests) -> BTreeSet<Flag> {
    let mut found = BTreeSet::new();
    for call in &body.calls {
        for argument in &call.arguments {
            if let ArgumentValue::Parameter(position) = argument.value {
                let tested = |reading| tests.get(&(reading, call.callee, argument.position));
                let tests = tested(reading).or_else(|| tested(ReadingId(0))).into_iter().flatten();
                found.extend(tests.map(|test| Flag { position, test: *test }));
            }
        }
    }
    found
}

/// Adds a flag: each entry state becomes two, of which those stay that a number can have.
fn add_flag(body: &mut Body, flag: Flag) {
    let number = body.flags.len();
    if number >= MAX_FLAGS || body.flags.contains(&flag) {
        return;
    }
    body.flags.push(flag);
    body.values = feasible(&body.flags);
    let values = body.values;
    let add = |condition: &mut cowrap_facts::PathCondition| *condition = condition.with_flag(number, values);
    add(&mut body.exit);
    let calls = body.calls.iter_mut().map(|call| (&mut call.condition, &mut call.arguments));
    let slot_calls = body.slot_calls.iter_mut().map(|call| (&mut call.condition, &mut call.arguments));
    for (condition, arguments) in calls.chain(slot_calls) {
        add(condition);
        for argument in arguments {
            if let ArgumentValue::Truth { may_be_true, may_be_false } = &mut argument.value {
                add(may_be_true);
                add(may_be_false);
            }
        }
    }
}
