//! The pack's models and cuts, and which of them match nothing in the program.

use std::collections::{HashMap, HashSet};

use crate::program::{FunctionId, Program};
use cowrap_packs::{Cut, Pack};

use super::{Effects, Provenance};

/// The positions of the pack's models, by the names of their functions.
pub(super) fn models(pack: &Pack) -> HashMap<&str, usize> {
    let mut models = HashMap::new();
    for (position, model) in pack.models.iter().enumerate() {
        // Of several models of one function the last counts: a pack can override the one that it extends.
        models.extend(model.functions.iter().map(|name| (name.as_str(), position)));
    }
    models
}

/// The caller and callee of each of the pack's cuts.
pub(super) fn cuts(program: &Program, pack: &Pack) -> HashSet<(FunctionId, FunctionId)> {
    let mut cuts = HashSet::new();
    for cut in &pack.cuts {
        for caller in program.named(&cut.caller) {
            cuts.extend(program.named(&cut.callee).map(|callee| (caller, callee)));
        }
    }
    cuts
}

impl<'a> Effects<'a> {
    /// The names of the functions whose requirement a model decides.
    pub(super) fn functions_with_models(&self) -> HashSet<String> {
        let is_modelled =
            |function: &FunctionId| matches!(self.requirement(*function).provenance, Provenance::Modelled(_));
        let modelled = self.program.function_ids().filter(is_modelled);
        modelled.map(|function| self.program.function(function).name.clone()).collect()
    }

    /// The functions of the pack's models that the program does not have.
    pub fn unused_models(&self) -> Vec<&str> {
        let names = self.pack.models.iter().flat_map(|model| &model.functions);
        names.map(String::as_str).filter(|name| !self.used_models.contains(*name)).collect()
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
            let callers = self.program.named(&cut.caller);
            callers
                .flat_map(|caller| self.program.named(&cut.callee).map(move |callee| (caller, callee)))
                .any(|(caller, callee)| calls(caller, callee))
        };
        self.pack.cuts.iter().filter(|cut| !is_used(cut)).collect()
    }
}
