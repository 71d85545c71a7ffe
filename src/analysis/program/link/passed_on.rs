//! Flags of parameters that a body only passes on: in `f(int flags) { g(flags); }` the tests that `g` makes of its
//! parameter are flags of `f` as well. The front end cannot know them, since `g` may be in another unit.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use cowrap_facts::{Flag, FlagTest, MAX_FLAGS, ReadingId, feasible};

use super::super::{Argument, ArgumentValue, Body, Call, FunctionId, Shared};

/// The tests that functions make of their parameters, by reading, function and position. Sorted.
type Tests = FxHashMap<(ReadingId, FunctionId, u16), Vec<FlagTest>>;

/// A body's own parameter that a call passes on.
#[derive(Clone, Copy)]
struct Passed {
    callee: FunctionId,
    /// The position among the arguments of the call.
    argument: u16,
    /// The position among the body's own parameters.
    parameter: u16,
}

/// What matters of a body: whether it tests parameters, and which it passes on.
struct Outline {
    /// The position of the body.
    number: usize,
    has_flags: bool,
    /// Whether it passes a parameter on, to a function or through a slot.
    passes: bool,
    passed: Vec<Passed>,
}

/// Gives each body the flags that it passes on, as many as it has room for. What another reading tests does not matter,
/// so that no pack changes what another one finds.
pub(super) fn pass_on(bodies: &mut [(ReadingId, &mut Shared<Body>)]) {
    let outlines: Vec<Outline> = bodies
        .par_iter()
        .enumerate()
        .with_min_len(1024)
        .filter_map(|(number, (_, body))| outline(number, body))
        .collect();
    let mut tests = Tests::default();
    for outline in outlines.iter().filter(|outline| outline.has_flags) {
        let (reading, body) = &bodies[outline.number];
        note_tests(*reading, body, &mut tests);
    }
    let passing: Vec<&Outline> = outlines.iter().filter(|outline| outline.passes).collect();
    let mut callers: FxHashMap<FunctionId, Vec<usize>> = FxHashMap::default();
    for (at, outline) in passing.iter().enumerate() {
        for passed in &outline.passed {
            callers.entry(passed.callee).or_default().push(at);
        }
    }
    // Bodies are looked at in their order, again and again, but only where a callee has changed. A body gains at most
    // `MAX_FLAGS` flags, so this ends.
    let mut open: BTreeSet<usize> = (0..passing.len()).collect();
    while !open.is_empty() {
        let mut next = BTreeSet::new();
        while let Some(at) = open.pop_first() {
            let (reading, body) = &mut bodies[passing[at].number];
            let before = body.flags.len();
            if before >= MAX_FLAGS {
                continue;
            }
            for flag in passed_flags(*reading, &passing[at].passed, &tests) {
                add_flag(body, flag);
            }
            if body.flags.len() != before {
                note_tests(*reading, body, &mut tests);
                for caller in callers.get(&body.function).into_iter().flatten() {
                    if *caller > at { &mut open } else { &mut next }.insert(*caller);
                }
            }
        }
        open = next;
    }
    let passes: Vec<usize> = passing.iter().map(|outline| outline.number).collect();
    let mut passes = passes.into_iter().peekable();
    let passing = bodies.iter_mut().enumerate().filter(|(number, _)| passes.next_if_eq(number).is_some());
    passing.map(|(_, (_, body))| body).collect::<Vec<_>>().into_par_iter().for_each(|body| name_flags(body.make_mut()));
}

fn outline(number: usize, body: &Body) -> Option<Outline> {
    let parameter = |argument: &Argument| match argument.value {
        ArgumentValue::Parameter(parameter) => Some(parameter),
        _ => None,
    };
    let of_call = |call: &'_ Call| {
        let callee = call.callee;
        let passed = call.arguments.iter().filter_map(move |argument| {
            Some(Passed { callee, argument: argument.position, parameter: parameter(argument)? })
        });
        passed.collect::<Vec<_>>()
    };
    let passed: Vec<Passed> = body.calls.iter().flat_map(of_call).collect();
    let through_slots = || body.slot_calls.iter().flat_map(|call| &call.arguments);
    let passes = !passed.is_empty() || through_slots().any(|argument| parameter(argument).is_some());
    let has_flags = !body.flags.is_empty();
    (passes || has_flags).then_some(Outline { number, has_flags, passes, passed })
}

/// Replaces each parameter among a body's arguments by the flags that say something of it.
fn name_flags(body: &mut Body) {
    let flags = &body.flags;
    let is_parameter = |argument: &Argument| matches!(argument.value, ArgumentValue::Parameter(_));
    let calls = body.calls.iter_mut().map(|call| &mut call.arguments);
    let all = calls.chain(body.slot_calls.iter_mut().map(|call| &mut call.arguments));
    for arguments in all.filter(|arguments| arguments.iter().any(is_parameter)) {
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
        let known = tests.entry((reading, body.function, flag.position)).or_default();
        if let Err(place) = known.binary_search(&flag.test) {
            known.insert(place, flag.test);
        }
    }
}

/// The flags of what a body calls, of parameters that get one of its own: in the same reading, or in the first if the
/// callee has no other.
fn passed_flags(reading: ReadingId, passed: &[Passed], tests: &Tests) -> BTreeSet<Flag> {
    let mut found = BTreeSet::new();
    for Passed { callee, argument, parameter } in passed {
        let tested = |reading| tests.get(&(reading, *callee, *argument));
        let tests = tested(reading).or_else(|| tested(ReadingId(0))).into_iter().flatten();
        found.extend(tests.map(|test| Flag { position: *parameter, test: *test }));
    }
    found
}

/// Adds a flag: each entry state becomes two, of which those stay that a number can have.
fn add_flag(body: &mut Shared<Body>, flag: Flag) {
    let number = body.flags.len();
    if number >= MAX_FLAGS || body.flags.contains(&flag) {
        return;
    }
    let body = body.make_mut();
    body.flags.push(flag);
    body.values = feasible(&body.flags);
    let values = body.values;
    let add = |condition: &mut cowrap_facts::PathCondition| *condition = condition.with_flag(number, values);
    add(&mut body.exit);
    body.regions.iter_mut().for_each(|region| add(&mut region.condition));
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
