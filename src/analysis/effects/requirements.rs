//! What a function requires of its caller's context: its marks decide, else a model of the pack, else that it polls,
//! else an assertion, else that it is stored in a slot whose functions start inside.

use crate::program::{FunctionId, Location, Mark};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;
use cowrap_report::Level;

use super::Effects;

/// What a function requires of its caller's context, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The requirement; `None` for an unmarked function.
    pub effect: Option<Effect>,
    /// What it is derived from.
    pub provenance: Provenance,
}

/// What a requirement is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Nothing: the function requires nothing.
    Unmarked,
    /// A mark.
    Marked(Mark),
    /// An assertion that every path passes.
    Inferred(Location),
    /// The model at this position in the pack.
    Modelled(usize),
    /// The pack lists it as a function that runs the event loop.
    Polling,
    /// A slot that it is stored in makes it an entry ([`Effects::installation`]).
    Installed,
    /// Two marks that contradict each other. The function requires nothing, and the calls in its body are not checked.
    Contradictory(Mark, Mark),
}

impl Effects<'_> {
    /// Whether a mark decides what a function requires.
    pub fn is_marked(&self, function: FunctionId) -> bool {
        matches!(self.requirement(function).provenance, Provenance::Marked(_))
    }

    pub(super) fn decide(&self, function: FunctionId) -> Requirement {
        let marks = self.context_marks(function);
        let inside = marks.iter().find(|(_, effect)| *effect == Effect::InsideOnly);
        let other = marks.iter().find(|(_, effect)| *effect != Effect::InsideOnly);
        match (inside, other) {
            (Some((one, _)), Some((other, _))) => {
                let order = |mark: &Mark| marks.iter().position(|(known, _)| known == mark);
                let (first, second) = if order(one) <= order(other) { (*one, *other) } else { (*other, *one) };
                return Requirement { effect: None, provenance: Provenance::Contradictory(first, second) };
            }
            (Some((mark, effect)), None) => {
                return Requirement { effect: Some(*effect), provenance: Provenance::Marked(*mark) };
            }
            (None, Some(_)) => {
                let marked = |wanted: Effect| marks.iter().find(|(_, effect)| *effect == wanted);
                if let (Some((one, _)), Some((other, _))) = (marked(Effect::Entry), marked(Effect::OutsideOnly)) {
                    return Requirement { effect: None, provenance: Provenance::Contradictory(*one, *other) };
                }
                // A function with both a mixed and an outside-only mark is mixed, and an entry requires nothing.
                let weakest = marked(Effect::Entry).or(marked(Effect::Mixed)).or(marks.first());
                if let Some((mark, effect)) = weakest {
                    return Requirement { effect: Some(*effect), provenance: Provenance::Marked(*mark) };
                }
            }
            (None, None) => {}
        }
        let linked = self.program.function(function);
        let applies = |model: &usize| !self.pack.models[*model].library || linked.bodies.is_empty();
        if let Some(model) = self.models.find(&linked.name, applies) {
            let effect = Some(self.pack.models[model].effect);
            return Requirement { effect, provenance: Provenance::Modelled(model) };
        }
        if self.is_polling(function) {
            return Requirement { effect: Some(Effect::OutsideOnly), provenance: Provenance::Polling };
        }
        if let Some((context, location)) = self.asserted(function) {
            let effect = match context {
                Context::Inside => Effect::InsideOnly,
                Context::Outside => Effect::OutsideOnly,
            };
            return Requirement { effect: Some(effect), provenance: Provenance::Inferred(location) };
        }
        if self.is_installed(function) {
            return Requirement { effect: Some(Effect::Entry), provenance: Provenance::Installed };
        }
        Requirement { effect: None, provenance: Provenance::Unmarked }
    }

    /// The gravest level of findings about a function, if its model limits it.
    pub fn level_of(&self, function: FunctionId) -> Option<Level> {
        match self.requirement(function).provenance {
            Provenance::Modelled(model) => self.pack.models[model].level,
            _ => None,
        }
    }

    /// The context that a function asserts, and the assertion's location in the first body that has one. A body without
    /// an assertion, such as a stub, does not contradict it; a body that asserts the other context does.
    pub fn asserted(&self, function: FunctionId) -> Option<(Context, Location)> {
        if !self.asserting.contains(&function) {
            return None;
        }
        let mut asserted = self.program.bodies_of(function).filter_map(|body| body.assertion);
        let (first, location) = asserted.next()?;
        asserted.all(|(other, _)| other.context == first.context).then_some((first.context, location))
    }

    pub(super) fn decide_start(&self, function: FunctionId) -> ContextSet {
        let requirement = self.requirement(function);
        if self.listed.trampolines.contains(&function) {
            return ContextSet::EMPTY;
        }
        match (requirement.provenance, requirement.effect) {
            (Provenance::Contradictory(..), _) => ContextSet::EMPTY,
            // The program may call it as well. It is not entered outside unless it does.
            (_, Some(Effect::Entry)) => ContextSet::BOTH,
            (_, Some(effect)) => effect.contexts(),
            (_, None) => ContextSet::BOTH,
        }
    }
}
