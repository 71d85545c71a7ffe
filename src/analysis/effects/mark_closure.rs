//! What follows from a mark: an unmarked function that calls something coroutine only where control can be outside is
//! coroutine only itself, and so are its callers; and what holds it must say so.

use std::collections::{BTreeSet, VecDeque};

use crate::program::{FunctionId, Location};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;

use super::{Callee, Effects};

/// How many marks a closure tells: one that goes on is the program, and no plan. It also keeps a million functions that all
/// lead to one another from being walked for each finding.
pub const MAX_REQUIRED_MARKS: usize = 1000;

/// What marking one thing coroutine only entails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkClosure {
    /// What else has to be marked: the nearest first, by location among those that are equally near.
    pub required_marks: Vec<RequiredMark>,
    /// What no mark makes right: a call of one of them outside of coroutines, or a slot that is for something else.
    pub obstacle: Option<Location>,
    /// Whether there are more than [`MAX_REQUIRED_MARKS`].
    pub is_truncated: bool,
}

/// Something that has to bear a mark as soon as another thing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredMark {
    /// A function, or a slot.
    pub what: Callee,
    /// What it calls or holds, which is marked before.
    pub because: Callee,
    /// Where: the first of its calls, or where the function is stored.
    pub location: Location,
}

impl Effects<'_> {
    /// What has to be marked when `first` is marked as coroutine only: the unmarked functions that call it where control can
    /// be outside as far as their own bodies tell, and the slots that hold it; and so on for these.
    pub fn mark_closure(&self, first: Callee) -> MarkClosure {
        let mut closure = MarkClosure::default();
        let mut known = BTreeSet::from([first]);
        let mut open = VecDeque::from([first]);
        while let Some(marked) = open.pop_front() {
            for (what, location) in self.next_to_mark(marked, &mut closure.obstacle) {
                if known.insert(what) {
                    if closure.required_marks.len() == MAX_REQUIRED_MARKS {
                        closure.is_truncated = true;
                        return closure;
                    }
                    closure.required_marks.push(RequiredMark { what, because: marked, location });
                    open.push_back(what);
                }
            }
        }
        closure
    }

    fn next_to_mark(&self, marked: Callee, obstacle: &mut Option<Location>) -> Vec<(Callee, Location)> {
        let mut next = Vec::new();
        let mut calls: Vec<(Location, FunctionId, ContextSet)> = Vec::new();
        match marked {
            Callee::Function(function) => {
                for (site, caller) in self.program.calls_of(function) {
                    let call = self.program.call(site);
                    if call.kind.is_in_place() && caller != function {
                        calls.push((call.location, caller, self.possible_at(site.body, call.condition)));
                    }
                }
                for store in self.program.stores_of(function) {
                    match (self.store_requirement(store), store.slot) {
                        (Some(Effect::CoroutineOnly), _) => {}
                        (None, Some(slot)) => next.push((Callee::Slot(slot), store.location)),
                        (Some(_), _) => *obstacle = obstacle.or(Some(store.location)),
                        // Nobody is told of a mark there, and nothing is judged.
                        (None, None) => {}
                    }
                }
            }
            Callee::Slot(slot) => {
                for (body, call) in self.slot_calls_of(slot) {
                    let caller = self.program.body(body).function;
                    calls.push((call.location, caller, self.possible_at(body, call.condition)));
                }
                let mismatch =
                    |function: &&FunctionId| self.requirement(**function).effect == Some(Effect::NonCoroutineOnly);
                if let Some(function) = self.points_to.candidates(slot).iter().find(mismatch) {
                    let stores = self.program.stores_of(*function).iter();
                    let location = stores.filter(|store| store.slot == Some(slot)).map(|store| store.location).next();
                    *obstacle = obstacle.or(location);
                }
            }
        }
        calls.sort_unstable();
        for (location, caller, contexts) in calls {
            let start = self.start(caller);
            if !start.and(contexts).contains(Context::NonCoroutine) {
                continue;
            }
            match self.requirement(caller).effect {
                None if start == ContextSet::BOTH => next.push((Callee::Function(caller), location)),
                _ => *obstacle = obstacle.or(Some(location)),
            }
        }
        next
    }

    /// Whether it is certain that something is only called in coroutines, and likewise all that its mark would oblige.
    pub fn can_be_marked(&self, first: Callee, closure: &MarkClosure) -> bool {
        let obliged = closure.required_marks.iter().map(|obliged| obliged.what);
        closure.obstacle.is_none()
            && !closure.is_truncated
            && obliged.chain([first]).all(|what| self.called_in(what) == ContextSet::COROUTINE)
    }

    /// The contexts in which something may be called; for a slot also those in which what it holds is called through others
    /// that it is copied to.
    fn called_in(&self, what: Callee) -> ContextSet {
        let possible = &self.entry_contexts().possible;
        let first = match what {
            Callee::Function(function) => return possible.contexts(self.program, function),
            Callee::Slot(slot) => slot,
        };
        let mut contexts = ContextSet::EMPTY;
        let mut known = BTreeSet::from([first]);
        let mut open = vec![first];
        while let Some(slot) = open.pop() {
            for (body, call) in self.slot_calls_of(slot) {
                let reached =
                    |context: &Context| call.condition.values(*context) & possible.values(*context, body) != 0;
                let reached = Context::ALL.into_iter().filter(reached);
                contexts = reached.fold(contexts, |contexts, context| contexts.or(context.into()));
            }
            let copies = self.program.copies_from(slot).iter().map(|copy| copy.to);
            open.extend(copies.filter(|to| known.insert(*to)));
        }
        contexts
    }
}
