//! The pack's models and cuts, and which of them match nothing in the program.

use std::collections::HashSet;

use crate::program::{FunctionId, Program};
use cowrap_facts::{is_pattern, name_matches};
use cowrap_packs::{Cut, Pack};

use super::names::{NameMap, functions_named};
use super::{Effects, Provenance};

/// The positions of the pack's models, by the names of their functions.
pub(super) fn models(pack: &Pack) -> NameMap<'_, usize> {
    let models = pack.models.iter().enumerate();
    NameMap::new(models.flat_map(|(at, model)| model.functions.iter().map(move |name| (name.as_str(), at))))
}

/// The caller and callee of each of the pack's cuts.
pub(super) fn cuts(program: &Program, pack: &Pack) -> HashSet<(FunctionId, FunctionId)> {
    let mut cuts = HashSet::new();
    for cut in &pack.cuts {
        let callees = functions_named(program, &cut.callee);
        for caller in functions_named(program, &cut.caller) {
            cuts.extend(callees.iter().map(|callee| (caller, *callee)));
        }
    }
    cuts
}

impl<'a> Effects<'a> {
    /// The names of the functions whose requirement a model decides.
    pub(super) fn functions_with_models(&self) -> HashSet<&'a str> {
        let is_modelled =
            |function: &FunctionId| matches!(self.requirement(*function).provenance, Provenance::Modelled(_));
        let modelled = self.program.function_ids().filter(is_modelled);
        modelled.map(|function| self.program.function(function).name.as_str()).collect()
    }

    /// The names and patterns in the pack's models that decide nothing: the program has no such function, or a mark
    /// decides what it requires.
    pub fn unused_models(&self) -> Vec<&'a str> {
        let is_used = |name: &str| match is_pattern(name) {
            true => self.modelled.iter().any(|found| name_matches(name, found)),
            false => self.modelled.contains(name),
        };
        let names = self.pack.models.iter().flat_map(|model| &model.functions).map(String::as_str);
        names.filter(|name| !is_used(name)).collect()
    }

    /// Whether the pack says that this call is harmless.
    pub(super) fn is_cut(&self, caller: FunctionId, callee: FunctionId) -> bool {
        !self.cuts.is_empty() && self.cuts.contains(&(caller, callee))
    }

    /// Whether the pack says that some call of a function is harmless.
    pub(super) fn is_ever_cut(&self, callee: FunctionId) -> bool {
        self.cuts.iter().any(|(_, cut)| *cut == callee)
    }

    /// The pack's cuts of calls that the program does not have.
    pub fn unused_cuts(&self) -> Vec<&'a Cut> {
        let calls = |caller: FunctionId, callee: FunctionId| {
            let by_name = self.program.sites_of(callee).any(|(_, from)| from == caller);
            let slots = self.points_to.slots(callee);
            let called = self.program.bodies_of(caller).flat_map(|body| &body.slot_calls);
            by_name || called.filter_map(|call| call.slot).any(|slot| slots.contains(&slot))
        };
        let is_used = |cut: &&Cut| {
            let callees = functions_named(self.program, &cut.callee);
            let callers = functions_named(self.program, &cut.caller).into_iter();
            callers.flat_map(|caller| callees.iter().map(move |callee| (caller, *callee))).any(|(a, b)| calls(a, b))
        };
        self.pack.cuts.iter().filter(|cut| !is_used(cut)).collect()
    }
}
