//! Suspect marks: those that are more likely wrong than the calls that violate them.
//!
//! One wrong mark must not cause a finding at each of many correct calls. A function with many unmarked callers that
//! reaches no primitive, or that has its mark on one of its declarations only, is reported once, at its mark.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::{CallSite, FunctionId, Location, Mark};
use cowrap_facts::{CallKind, ContextSet};

use super::{Callee, Effects, Provenance, Violation, ViolationKind};

/// How many unmarked callers make a mark suspect.
const SUSPECT_CALLERS: usize = 5;

/// How many unmarked callers make the mark of a function that reaches no primitive suspect, if they are at least half
/// of all.
const HARMLESS_SUSPECT_CALLERS: usize = 2;

/// Of the callers of a suspect that may reach a primitive, at least one in this many is unmarked.
const SUSPECT_SHARE: usize = 4;

/// A function whose mark explains many violations better than its callers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The function.
    pub function: FunctionId,
    /// Its mark.
    pub mark: Mark,
    /// Whether it certainly reaches no primitive.
    pub reaches_no_primitive: bool,
    /// A declaration of it without the mark.
    pub unmarked_declaration: Option<Location>,
    /// The number of unmarked functions that violate its requirement.
    pub unmarked_callers: usize,
    /// The number of marked functions that call it.
    pub marked_callers: usize,
    /// The violations that its mark explains, sorted by location. They are not reported on their own.
    pub calls: Vec<Violation>,
}

/// Finds all suspect marks.
pub(super) fn suspects(effects: &Effects<'_>) -> Vec<Suspect> {
    let mut by_callee: BTreeMap<FunctionId, Vec<&Violation>> = BTreeMap::new();
    for violation in effects.violations().iter().filter(|violation| violation.kind == ViolationKind::InsideCall) {
        if let Callee::Function(function) = violation.callee {
            by_callee.entry(function).or_default().push(violation);
        }
    }
    by_callee.into_iter().filter_map(|(function, violations)| suspect(effects, function, &violations)).collect()
}

fn suspect(effects: &Effects<'_>, function: FunctionId, violations: &[&Violation]) -> Option<Suspect> {
    let Provenance::Marked(mark) = effects.requirement(function).provenance else { return None };
    let unmarked = violations.iter().map(|violation| violation.caller);
    let unmarked: BTreeSet<FunctionId> = unmarked.filter(|caller| effects.effect(*caller).is_none()).collect();
    let is_resolved = |site: &CallSite| effects.program.call(*site).kind != CallKind::Unresolved;
    let calls = effects.program.sites_of(function).filter(|(site, _)| is_resolved(site));
    let callers: BTreeSet<FunctionId> = calls.map(|(_, caller)| caller).collect();

    // The mark of a function that reaches no primitive is wrong even if many of its callers have marks for their own
    // reasons. Of a function that may reach one, the share of unmarked callers tells whether these or the mark are
    // wrong.
    let reaches_no_primitive = !effects.may_reach_primitive(function);
    let has_share = |part: usize| unmarked.len() * part >= callers.len();
    let is_suspect = match unmarked.len() {
        SUSPECT_CALLERS.. => reaches_no_primitive || has_share(SUSPECT_SHARE),
        HARMLESS_SUSPECT_CALLERS.. => reaches_no_primitive && has_share(2),
        _ => false,
    };
    if !is_suspect {
        return None;
    }
    let unmarked_declaration = effects.unmarked_declaration(function);
    if !reaches_no_primitive && unmarked_declaration.is_none() {
        return None;
    }

    // The mark of a function that may reach a primitive explains only calls by unmarked functions: a call outside stays
    // an error.
    let is_explained = |violation: &&&Violation| {
        reaches_no_primitive || (violation.contexts == ContextSet::BOTH && unmarked.contains(&violation.caller))
    };
    let mut calls: Vec<Violation> = violations.iter().filter(is_explained).map(|violation| **violation).collect();
    calls.sort_by_key(|violation| (violation.location, violation.body));
    Some(Suspect {
        function,
        mark,
        reaches_no_primitive,
        unmarked_declaration,
        unmarked_callers: unmarked.len(),
        marked_callers: callers.iter().filter(|caller| effects.is_marked(**caller)).count(),
        calls,
    })
}
