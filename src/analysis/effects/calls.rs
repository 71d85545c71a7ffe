//! The calls of all bodies, close together in memory. Searches look at every call many times, and need little of it;
//! in the program, each body is a place of its own.

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use crate::program::{Adjacency, Body, BodyId, FunctionId, IndexVec, Program, SlotId};
use cowrap_facts::{CallKind, PathCondition};

/// The calls of all bodies, and what searches need of the bodies.
#[derive(Debug, Default)]
pub(super) struct Calls {
    bodies: IndexVec<BodyId, BodyOutline>,
    named: Adjacency<BodyId, CallOutline<FunctionId>>,
    through_slots: Adjacency<BodyId, CallOutline<Option<SlotId>>>,
    bodies_of: Adjacency<FunctionId, BodyId>,
}

/// What searches need of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyOutline {
    /// The function.
    pub function: FunctionId,
    /// The values of the flags that integers can have.
    pub values: u8,
    /// Whether it tests parameters, so that it matters what callers pass.
    pub has_flags: bool,
    /// Whether it asserts its context.
    pub has_assertion: bool,
    /// Whether it takes locks.
    pub has_critical_sections: bool,
    /// Whether it may release locks of its caller.
    pub has_releases: bool,
    /// Whether it makes calls in regions.
    pub has_regions: bool,
}

/// What searches need of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallOutline<C> {
    /// What is called.
    pub called: C,
    /// The entry states of the body that reach the call.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// Whether the program certainly ends behind the call.
    pub ends: bool,
    /// Whether the call has arguments that can matter.
    pub has_arguments: bool,
}

/// How many bodies one thread looks at before the next.
const BODIES_AT_ONCE: usize = 4096;

impl Calls {
    /// Looks at all bodies of a program.
    pub(super) fn new(program: &Program) -> Calls {
        let parts: Vec<Calls> = program
            .bodies
            .as_slice()
            .par_chunks(BODIES_AT_ONCE)
            .map(|bodies| {
                let mut calls = Calls::default();
                bodies.iter().for_each(|body| calls.push(body));
                calls
            })
            .collect();
        let mut all = Calls::default();
        for part in parts {
            all.bodies.extend(part.bodies);
            all.named.append(&part.named);
            all.through_slots.append(&part.through_slots);
        }
        let bodies = all.bodies.enumerated().map(|(id, body)| (body.function, id));
        all.bodies_of = Adjacency::new(program.functions.len(), bodies);
        all
    }

    fn push(&mut self, body: &Body) {
        let named = body.calls.iter().map(|call| CallOutline {
            called: call.callee,
            condition: call.condition,
            kind: call.kind,
            ends: call.ends,
            has_arguments: !call.arguments.is_empty(),
        });
        let through_slots = body.slot_calls.iter().map(|call| CallOutline {
            called: call.slot,
            condition: call.condition,
            kind: call.kind,
            ends: call.ends,
            has_arguments: !call.arguments.is_empty(),
        });
        let kinds = named.clone().map(|call| call.kind).chain(through_slots.clone().map(|call| call.kind));
        self.bodies.push(BodyOutline {
            function: body.function,
            values: body.values,
            has_flags: !body.flags.is_empty(),
            has_assertion: body.assertion.is_some(),
            has_critical_sections: !body.critical_sections.is_empty(),
            has_releases: !body.releases.is_empty(),
            has_regions: kinds.into_iter().any(|kind| kind == CallKind::Region),
        });
        self.named.push(named);
        self.through_slots.push(through_slots);
    }

    /// All bodies with their ids.
    pub(super) fn bodies(&self) -> impl Iterator<Item = (BodyId, &BodyOutline)> + Clone {
        self.bodies.enumerated()
    }

    /// What searches need of a body.
    pub(super) fn body(&self, body: BodyId) -> &BodyOutline {
        &self.bodies[body]
    }

    /// The bodies of a function.
    pub(super) fn bodies_of(&self, function: FunctionId) -> &[BodyId] {
        self.bodies_of.of(function)
    }

    /// The calls of a body that name a function, in the order of [`Body::calls`].
    pub(super) fn named(&self, body: BodyId) -> &[CallOutline<FunctionId>] {
        self.named.of(body)
    }

    /// The calls of a body through slots, in the order of [`Body::slot_calls`].
    pub(super) fn through_slots(&self, body: BodyId) -> &[CallOutline<Option<SlotId>>] {
        self.through_slots.of(body)
    }
}
