//! What calls do to the context of their caller: they return in one context only, or change it.
//!
//! The front end decides the context at each point of a body from what the pack names. It takes every other call for one
//! that returns in the context that it is made in. Here each function gets its *exits*: in which contexts it returns,
//! from each context that it is entered in. The conditions of the calls behind a call of it then follow:
//!
//! * A function whose bodies all assert a context returns from that context alone. So does one whose bodies all pass a
//!   call of such a function on every path to their end. Behind a call of it, control is in that context, or nowhere:
//!   the calls behind it are not reached in the other one. Marks say nothing here, since a call that breaks them returns.
//! * A function that takes or drops a lock and keeps it that way returns in another context. So does one that makes a
//!   call of such a function on every path to its end.
//!
//! The first is exact for what the front end knows. The second is exact as far as the order of calls tells: behind a
//! call that dominates a point, where nothing between the two changes the context, control is in the context in which
//! the call returns. The order of calls is all that there is, not the paths between them; the rest is approximated, and
//! what is not certain is both contexts rather than the wrong one:
//!
//! * Behind a change that the pack names, what the front end says counts. Where only some paths pass the change, so do
//!   the contexts before it.
//! * A call that changes the context on some paths to a point only leaves both contexts there. It is on such a path if
//!   it stands before the point in the source and behind the last call that dominates it. The point cannot be behind a
//!   call that it dominates: a loop is taken to restore the context that it starts in.
//! * A function that returns in both contexts, since it takes a lock for some callers or on some paths only, leaves both
//!   contexts behind it. No variable tells which (`if (taken) unlock();`).
//! * The front end evaluates a predicate behind such a call in the context before it.
//! * A cleanup that changes the context leaves both contexts in its scope and behind it, unless the pack names its guard.
//! * A function without a body, or whose bodies never return, returns in the context that it is entered in.
//! * What is called through a slot does so, too, unless at least half of the functions that the slot may point to change
//!   the context. Such a call is taken for one that control passes on some paths only, so that it leaves both contexts
//!   behind it.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use cowrap_facts::{CallKind, Context, ContextSet, LineRegion, PathCondition, single_values};

use super::{
    Body, BodyId, Call, CallSite, FunctionId, IndexVec, Location, PointsTo, Program, Shared, SlotCall, SlotId,
};

/// In which contexts a function returns, from each context that it is entered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exits([ContextSet; 2]);

/// How often the exits of a function may change before they are given up: in a cycle, they can alternate.
const MOST_UPDATES: u8 = 8;

impl Exits {
    /// It returns in the context that it is entered in.
    const SAME: Exits = Exits([ContextSet::INSIDE, ContextSet::OUTSIDE]);
    /// It may return in any context.
    const OPEN: Exits = Exits([ContextSet::BOTH; 2]);

    fn of(self, entry: Context) -> ContextSet {
        match entry {
            Context::Inside => self.0[0],
            Context::Outside => self.0[1],
        }
    }

    /// Where control is behind a call of the function, from each of these contexts.
    fn behind(self, contexts: ContextSet) -> ContextSet {
        let entered = Context::ALL.into_iter().filter(|entry| contexts.contains(*entry));
        entered.fold(ContextSet::EMPTY, |behind, entry| behind.or(self.of(entry)))
    }

    fn or(self, other: Exits) -> Exits {
        Exits([self.0[0].or(other.0[0]), self.0[1].or(other.0[1])])
    }

    /// Whether it may return in another context than the one that it is entered in.
    fn changes(self) -> bool {
        Context::ALL.into_iter().any(|entry| self.of(entry).contains(entry.other()))
    }
}

/// The exits of all functions, and of what slots point to.
#[derive(Clone, Debug, Default)]
pub(super) struct AllExits {
    functions: IndexVec<FunctionId, Exits>,
    /// Those of slots that may point to a function that changes the context.
    slots: FxHashMap<SlotId, Exits>,
}

impl AllExits {
    /// What a call does to the context, beside what the conditions behind it say.
    fn of(&self, call: &Call) -> Exits {
        if call.kind.is_in_place() { self.functions[call.callee] } else { Exits::SAME }
    }

    /// What a call through a slot does to the context, if it may change it.
    fn through(&self, call: &SlotCall) -> Option<Exits> {
        let slot = call.slot.filter(|_| call.kind.is_in_place())?;
        self.slots.get(&slot).copied()
    }

    /// Whether the front end knows all contexts at the calls of a body.
    fn are_known_in(&self, body: &Body) -> bool {
        body.calls.iter().all(|call| self.of(call) == Exits::SAME)
            && (self.slots.is_empty() || body.slot_calls.iter().all(|call| self.through(call).is_none()))
    }
}

/// Where control can be on a line of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLine<'p> {
    /// The entry states that reach the line, and the contexts there.
    pub condition: PathCondition,
    /// The lines around it of which the same holds.
    pub lines: (u32, u32),
    /// The region of the line, if it is in one.
    pub region: Option<&'p LineRegion>,
    /// The call before the line that says more than the region, by where it returns.
    pub decided_by: Option<&'p Call>,
}

/// What calls through slots may call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointers<'p> {
    pub points_to: &'p PointsTo,
    /// The functions of which the pack says that they change the context.
    pub changing: &'p FxHashSet<FunctionId>,
}

impl Program {
    /// Gives all calls the contexts in which control can be there, by the functions that are called before them. Doing
    /// it again changes nothing. Without pointers, calls through slots are taken to change nothing. Returns the bodies
    /// that it changed, as they were before, sorted.
    /// `telling` are the bodies that assert a context or return in another one.
    pub(super) fn narrow(&mut self, telling: &[BodyId], pointers: Option<Pointers<'_>>) -> Vec<(BodyId, Shared<Body>)> {
        let exits = self.find_all_exits(telling, pointers);
        let changing = exits.functions.enumerated().filter(|(_, exits)| **exits != Exits::SAME);
        let calling = changing.flat_map(|(function, _)| self.incoming(function)).map(|call| call.site.body);
        let through = exits.slots.keys().flat_map(|slot| self.calls_through(*slot)).map(|(body, _)| *body);
        let mut open: Vec<BodyId> = calling.chain(through).collect();
        open.sort_unstable();
        open.dedup();
        let narrowed: Vec<(BodyId, Body)> =
            open.into_par_iter().filter_map(|id| Some((id, narrowed(self.body(id), &exits)?))).collect();
        let replace = |(id, body)| (id, std::mem::replace(&mut self.bodies[id], Shared::new(body)));
        let before = narrowed.into_iter().map(replace).collect();
        self.exits = exits;
        before
    }

    /// Where control can be on a line of a body. What is called before the line counts as before a call on the line. The
    /// facts do not say which calls are before a line on every path; those before the next call are taken for them.
    pub fn at_line(&self, id: BodyId, line: u32) -> AtLine<'_> {
        let before = self.before_narrowing.binary_search_by_key(&id, |(body, _)| *body);
        let body = before.map_or(self.body(id), |position| &self.before_narrowing[position].1);
        let region = body.region(line);
        let reached = region.map_or(PathCondition::always_with(body.values), |region| region.condition);
        let plain = AtLine { condition: reached, lines: body.lines_like(line), region, decided_by: None };
        if self.exits.functions.len() != self.functions.len() || self.exits.are_known_in(body) {
            return plain;
        }
        // Behind a call, the next line can be in another context.
        let alone = AtLine { lines: (line, line), ..plain };
        let points = Points::new(body, &self.exits);
        let start = Location { file: body.location.file, line, column: 0 };
        let is_before = |call: usize| body.calls[call].location < start;
        let next = body.calls.iter().filter(|call| call.location.file == start.file && call.location >= start);
        let next = next.min_by_key(|call| call.location);
        let dominating = || chain(body, next.map_or(body.returns_after, |next| next.after)).filter(|at| is_before(*at));
        let after = dominating().next().map(|call| call as u32);
        let location = Some((start, None));
        let condition = points.at(&Point { condition: reached, after, call: None, location, is_behind: &is_before });
        if condition == reached {
            return alone;
        }
        let changing = points.changing.iter().copied().filter(|call| is_before(*call));
        let telling = dominating().filter(|call| self.exits.of(&body.calls[*call]) != Exits::SAME);
        let decided_by = telling.chain(changing).max_by_key(|call| body.calls[*call].location);
        AtLine { condition, decided_by: decided_by.map(|call| &body.calls[call]), ..alone }
    }

    /// For each function, the contexts in which it returns, and those in which calls through each slot do.
    fn find_all_exits(&self, telling: &[BodyId], pointers: Option<Pointers<'_>>) -> AllExits {
        let functions = IndexVec::from_elem(Exits::SAME, self.functions.len());
        let mut exits = AllExits { functions, slots: FxHashMap::default() };
        self.find_exits(telling, &mut exits);
        let Some(Pointers { points_to, changing }) = pointers else { return exits };
        let mut called: Vec<SlotId> =
            self.bodies.iter().flat_map(|body| body.slot_calls.iter().filter_map(|call| call.slot)).collect();
        called.sort_unstable();
        called.dedup();
        // What is found for slots only grows, so that this ends.
        loop {
            let mut is_new = false;
            for slot in &called {
                let of_candidate = |function: &FunctionId| match changing.contains(function) {
                    true => Exits::OPEN,
                    false => exits.functions[*function],
                };
                let known = exits.slots.get(slot).copied();
                let candidates = points_to.candidates(*slot);
                let found: Vec<Exits> = candidates.iter().map(of_candidate).filter(|exits| exits.changes()).collect();
                // One of many candidates says little of a call. If it counted, nothing would be known behind most
                // calls of a large program.
                if found.len() * 2 < candidates.len() {
                    continue;
                }
                let Some(found) = found.into_iter().chain(known).reduce(Exits::or) else { continue };
                if known != Some(found) {
                    exits.slots.insert(*slot, found);
                    is_new = true;
                }
            }
            if !is_new {
                return exits;
            }
            self.find_exits(telling, &mut exits);
        }
    }

    /// Finds the exits of functions, by those of slots.
    fn find_exits(&self, telling: &[BodyId], all: &mut AllExits) {
        all.functions = IndexVec::from_elem(Exits::SAME, self.functions.len());
        let through = all.slots.keys().flat_map(|slot| self.calls_through(*slot));
        let through = through.filter(|(body, call)| self.body(*body).slot_calls[*call as usize].kind.is_in_place());
        let bodies = telling.iter().chain(through.map(|(body, _)| body));
        let mut open: Vec<FunctionId> = bodies.map(|body| self.body(*body).function).collect();
        if open.is_empty() {
            return;
        }
        // Where nothing changes the context, only the calls count that are passed before the end.
        let changes = !all.slots.is_empty() || telling.iter().any(|body| self.body(*body).exit.changes());
        let is_passed = |site: CallSite| {
            let body = self.body(site.body);
            chain(body, body.returns_after).any(|call| call == site.call as usize)
        };
        let mut updates: IndexVec<FunctionId, u8> = IndexVec::from_elem(0, self.functions.len());
        open.sort_unstable();
        open.dedup();
        // A function may call another a thousand times, and is looked at once for all of them.
        let mut is_open = IndexVec::from_elem(false, self.functions.len());
        open.iter().for_each(|function| is_open[*function] = true);
        while let Some(function) = open.pop() {
            is_open[function] = false;
            if updates[function] > MOST_UPDATES {
                continue;
            }
            let found = match updates[function] {
                MOST_UPDATES => Exits::OPEN,
                _ => self.exits_of(function, all),
            };
            if found != all.functions[function] {
                all.functions[function] = found;
                updates[function] += 1;
                let callers = self.incoming(function).iter().filter(|call| changes || is_passed(call.site));
                let callers = callers.map(|call| call.caller);
                open.extend(callers.filter(|caller| !std::mem::replace(&mut is_open[*caller], true)));
            }
        }
    }

    /// The contexts in which a function returns: those of all its bodies.
    fn exits_of(&self, function: FunctionId, exits: &AllExits) -> Exits {
        let bodies = &self.function(function).bodies;
        if bodies.is_empty() {
            return Exits::SAME;
        }
        let of_bodies: Vec<Exits> = bodies.iter().map(|body| self.exits_of_body(*body, exits)).collect();
        let of_all = |entry: Context| of_bodies.iter().fold(ContextSet::EMPTY, |all, exits| all.or(exits.of(entry)));
        Exits(Context::ALL.map(of_all))
    }

    fn exits_of_body(&self, id: BodyId, exits: &AllExits) -> Exits {
        let body = self.body(id);
        let asserted = body.assertion.map(|(assertion, _)| assertion.context);
        let is_plain = !body.exit.changes() && exits.are_known_in(body);
        let end = if is_plain { body.exit } else { Points::new(body, exits).at_end() };
        Exits(Context::ALL.map(|entry| {
            let returns = body.exit.contexts_from(entry.into());
            match asserted {
                Some(asserted) if asserted != entry => ContextSet::EMPTY,
                // It never returns, as far as the front end can tell.
                _ if returns.is_empty() => entry.into(),
                _ => end.contexts_from(entry.into()),
            }
        }))
    }
}

/// The body with the contexts in which control can be at its calls; `None` if it has them already.
fn narrowed(body: &Body, exits: &AllExits) -> Option<Body> {
    if exits.are_known_in(body) {
        return None;
    }
    let points = Points::new(body, exits);
    let calls = points.known.iter().map(|known| known.map_or(PathCondition::NEVER, |known| known.at));
    let slot_calls = (0..body.slot_calls.len()).map(|position| points.at_slot_call(position));
    let mut narrowed = body.clone();
    narrowed.calls.iter_mut().zip(calls).for_each(|(call, condition)| call.condition = condition);
    narrowed.slot_calls.iter_mut().zip(slot_calls).for_each(|(call, condition)| call.condition = condition);
    narrowed.exit = points.at_end();
    (narrowed != *body).then_some(narrowed)
}

/// The positions of the calls that control passes one before the other, from the last one on.
fn chain(body: &Body, last: Option<u32>) -> impl Iterator<Item = usize> {
    let before = |call: &usize| body.calls.get(*call).and_then(|call| call.after).map(|call| call as usize);
    // A stored program can be broken, and the chain a cycle.
    std::iter::successors(last.map(|call| call as usize), before)
        .take_while(|call| *call < body.calls.len())
        .take(body.calls.len())
}

/// The contexts at a call and behind it.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: PathCondition,
    behind: PathCondition,
}

/// The contexts at the points of a body.
struct Points<'b> {
    body: &'b Body,
    exits: &'b AllExits,
    /// For each call, when it is known.
    known: Vec<Option<Known>>,
    /// The calls that may change the context, beside those that the pack names.
    changing: Vec<usize>,
    /// The calls that are a part of what the pack names.
    named: Vec<usize>,
    /// The calls through slots that may change the context, with the contexts behind them.
    through: Vec<(usize, PathCondition)>,
}

/// A point of a body.
struct Point<'p> {
    /// The condition that the front end gave it.
    condition: PathCondition,
    after: Option<u32>,
    /// Its position among the calls, if it is one.
    call: Option<usize>,
    /// Its location, and its position among the calls through slots, if it is one. The end of a body has none.
    location: Option<(Location, Option<usize>)>,
    /// Whether a call stands before the point in the source.
    is_behind: &'p dyn Fn(usize) -> bool,
}

impl<'b> Points<'b> {
    fn new(body: &'b Body, exits: &'b AllExits) -> Self {
        let calls = || body.calls.iter().enumerate();
        let changing = calls().filter(|(_, call)| !call.is_change && exits.of(call).changes());
        let named = calls().filter(|(_, call)| call.is_change);
        let through = body.slot_calls.iter().enumerate().filter(|_| !exits.slots.is_empty());
        let through = through.filter_map(|(position, call)| {
            let behind = exits.through(call)?.behind(ContextSet::BOTH);
            Some((position, map(call.condition, |_, _, _| behind)))
        });
        let mut points = Points {
            body,
            exits,
            known: vec![None; body.calls.len()],
            changing: changing.map(|(position, _)| position).collect(),
            named: named.map(|(position, _)| position).collect(),
            through: through.collect(),
        };
        for call in 0..body.calls.len() {
            let unknown = chain(body, Some(call as u32)).take_while(|call| points.known[*call].is_none());
            for call in unknown.collect::<Vec<usize>>().into_iter().rev() {
                points.known[call] = Some(points.at_call(call));
            }
        }
        points
    }

    fn at_call(&self, position: usize) -> Known {
        let call = &self.body.calls[position];
        let is_behind = |other: usize| other < position;
        let (condition, after, location) = (call.condition, call.after, Some((call.location, None)));
        let point = Point { condition, after, call: Some(position), location, is_behind: &is_behind };
        let at = self.at(&point);
        let exits = self.exits.of(call);
        let behind = map(at, |_, _, contexts| match (call.kind, call.is_change) {
            // It runs at the end of a scope, and stands at its beginning.
            (CallKind::Cleanup, true) => contexts,
            (CallKind::Cleanup, false) if exits.changes() => contexts.or(exits.behind(contexts)),
            // That it does not return from some contexts still counts.
            (_, true) if !exits.behind(contexts).is_empty() => contexts,
            _ => exits.behind(contexts),
        });
        Known { at, behind }
    }

    fn at_slot_call(&self, position: usize) -> PathCondition {
        let SlotCall { condition, after, location, .. } = self.body.slot_calls[position];
        let is_behind = |other: usize| self.body.calls[other].location < location;
        let location_of = Some((location, Some(position)));
        self.at(&Point { condition, after, call: None, location: location_of, is_behind: &is_behind })
    }

    fn at_end(&self) -> PathCondition {
        let Body { exit, returns_after, .. } = *self.body;
        self.at(&Point { condition: exit, after: returns_after, call: None, location: None, is_behind: &|_| true })
    }

    /// The contexts at a point.
    fn at(&self, point: &Point<'_>) -> PathCondition {
        let last = point.after.map(|after| after as usize).filter(|after| *after < self.body.calls.len());
        // What the front end takes for the contexts behind the last call that dominates the point.
        let taken = last.map_or(PathCondition::default(), |last| self.body.calls[last].condition);
        let taken = |entry: Context, flags: u8| match last {
            Some(_) => taken.from(entry, flags),
            None => entry.into(),
        };
        let behind = last.and_then(|last| self.known[last]).map(|known| known.behind);
        let is_between = |call: &usize| (point.is_behind)(*call) && last.is_none_or(|last| last < *call);
        let reached = states().filter(|(entry, flags)| point.condition.contains(*entry, *flags));
        let mut is_changed = self.named.iter().any(is_between);
        let mut is_changed_on_all_paths = last.is_some_and(|last| self.body.calls[last].is_change);
        for (entry, flags) in reached {
            let (before, at) = (taken(entry, flags), point.condition.from(entry, flags));
            is_changed |= before != at;
            is_changed_on_all_paths |= !before.is_empty() && before.and(at).is_empty();
        }
        let joined = self.behind_some_paths(point, is_between).or(self.behind_slot_calls(point, last));
        map(point.condition, |entry, flags, at| {
            let before = taken(entry, flags);
            let behind = behind.map_or(before, |behind| behind.from(entry, flags));
            if behind.is_empty() && !before.is_empty() {
                return ContextSet::EMPTY;
            }
            let own = match (is_changed, is_changed_on_all_paths) {
                (_, true) => at,
                (false, false) => behind,
                (true, false) if before.or(at) == at => at.or(behind),
                (true, false) => at,
            };
            own.or(joined.from(entry, flags))
        })
    }

    /// The contexts behind the calls through slots between a point and the last call that dominates it.
    fn behind_slot_calls(&self, point: &Point<'_>, last: Option<usize>) -> PathCondition {
        let is_between = |(position, _): &&(usize, PathCondition)| {
            let location = self.body.slot_calls[*position].location;
            // The calls of a macro have one location, and their order is unknown.
            let is_behind = match point.location {
                Some((at, None)) => location <= at,
                Some((at, Some(own))) => location <= at && *position < own,
                None => true,
            };
            is_behind && last.is_none_or(|last| self.body.calls[last].location <= location)
        };
        let between = self.through.iter().filter(is_between);
        between.fold(PathCondition::NEVER, |joined, (_, behind)| joined.or(*behind))
    }

    /// The contexts behind the calls that change the context on some paths to a point only.
    fn behind_some_paths(&self, point: &Point<'_>, is_between: impl Fn(&usize) -> bool) -> PathCondition {
        let mut changing = self.changing.iter().copied().filter(|call| is_between(call)).peekable();
        // In most bodies there are none, and the chain can be long.
        let passed: FxHashSet<usize> = match changing.peek() {
            Some(_) => chain(self.body, point.after).collect(),
            None => return PathCondition::NEVER,
        };
        let comes_later = |call: usize| {
            let before = |point: usize| chain(self.body, self.body.calls[call].after).any(|passed| passed == point);
            point.call.is_some_and(before)
        };
        let on_some_paths = changing.filter(|call| !passed.contains(call) && !comes_later(*call));
        let behind = on_some_paths.map(|call| match self.known[call] {
            Some(known) => known.behind,
            None => map(self.body.calls[call].condition, |_, _, _| ContextSet::BOTH),
        });
        behind.fold(PathCondition::NEVER, PathCondition::or)
    }
}

/// All entry states of bodies.
fn states() -> impl Iterator<Item = (Context, u8)> {
    Context::ALL.into_iter().flat_map(|entry| single_values(u8::MAX).map(move |flags| (entry, flags)))
}

/// The condition with other contexts at the point, for each entry state that reaches it.
fn map(condition: PathCondition, contexts: impl Fn(Context, u8, ContextSet) -> ContextSet) -> PathCondition {
    let mut mapped = PathCondition::NEVER;
    for (entry, flags) in states() {
        let at = condition.from(entry, flags);
        if !at.is_empty() {
            let contexts = contexts(entry, flags, at);
            let at = Context::ALL.into_iter().filter(|at| contexts.contains(*at));
            at.for_each(|at| mapped.insert(entry, flags, at));
        }
    }
    mapped
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use cowrap_facts::{self as facts, Assertion, FileFacts, FileId, SharedFileFacts, Symbol, SymbolId};

    use proptest::prelude::*;

    use super::super::Linker;
    use super::*;
    use Context::{Inside, Outside};

    /// A function: its calls, the position of the last one that every path to its end passes, where it returns, and
    /// what it asserts.
    #[derive(Clone, Default)]
    struct Sketch {
        calls: Vec<(&'static str, Option<u32>, PathCondition)>,
        last: Option<u32>,
        exit: Option<PathCondition>,
        asserts: Option<Context>,
        /// The positions of the calls that the pack names.
        changes: Vec<usize>,
    }

    const NAMES: [&str; 9] = ["f", "take", "drop", "maybe", "check", "g", "h", "lock", "unlock"];

    fn condition(states: &[(Context, Context)]) -> PathCondition {
        let mut condition = PathCondition::NEVER;
        states.iter().for_each(|(entry, at)| condition.insert(*entry, 0, *at));
        condition
    }

    fn same() -> PathCondition {
        PathCondition::always()
    }

    fn to(context: Context) -> PathCondition {
        condition(&[(Inside, context), (Outside, context)])
    }

    /// The conditions of the calls of `f` by their callees' names, and where it returns. Beside it there are `take`,
    /// which always returns outside, `drop`, which always returns inside, `maybe`, which does one of the two on some
    /// paths, and `check`, which asserts that it runs outside.
    fn calls(f: Sketch) -> (Vec<(&'static str, PathCondition)>, PathCondition) {
        let ends = |exit| Sketch { exit: Some(exit), ..Sketch::default() };
        let maybe = condition(&[(Inside, Inside), (Inside, Outside), (Outside, Outside)]);
        let check = Sketch { asserts: Some(Outside), ..ends(condition(&[(Outside, Outside)])) };
        let functions = [
            ("f", f),
            ("take", ends(to(Outside))),
            ("drop", ends(to(Inside))),
            ("maybe", ends(maybe)),
            ("check", check),
        ];
        let mut facts = FileFacts {
            files: vec![PathBuf::from("/a.c")],
            symbols: NAMES.map(|name| Symbol { name: name.to_owned(), file: None }).to_vec(),
            ..FileFacts::default()
        };
        let symbol = |name: &str| SymbolId(NAMES.iter().position(|known| *known == name).expect("a known name") as u32);
        let at = |line: usize| facts::Location { file: FileId(0), line: line as u32 + 1, column: 1 };
        for (number, (name, sketch)) in functions.iter().enumerate() {
            let calls = sketch.calls.iter().enumerate().map(|(position, (callee, after, condition))| facts::Call {
                callee: symbol(callee),
                location: at(1000 * number + position + 1),
                spelling: None,
                condition: *condition,
                kind: CallKind::Written,
                after: *after,
                ends: false,
                is_change: sketch.changes.contains(&position),
                arguments: Vec::new(),
            });
            let regions = sketch.calls.iter().enumerate().filter(|(_, (_, _, condition))| *condition != same());
            let regions = regions.map(|(position, (_, _, condition))| {
                let line = at(1000 * number + position + 1).line;
                LineRegion { first: line, last: line, condition: *condition, guard: None }
            });
            facts.bodies.push(facts::Body {
                more_lines: 999,
                regions: regions.collect(),
                calls: calls.collect(),
                returns_after: sketch.last,
                exit: sketch.exit.unwrap_or(PathCondition::always()),
                assertion: sketch.asserts.map(|context| Assertion { context, location: at(1000 * number) }),
                ..facts::Body::new(symbol(name), at(1000 * number))
            });
        }
        let mut linker = Linker::default();
        linker.add(0, &SharedFileFacts::new(facts));
        let mut program = linker.finish(Path::to_path_buf);
        let read = |program: &Program| {
            let f = program.external("f").expect("a function of the program");
            let body = program.bodies_of(f).next().expect("it has a body");
            let named = |call: &Call| {
                let name = program.function(call.callee).name.as_str();
                NAMES[NAMES.iter().position(|known| *known == name).expect("a known name")]
            };
            (body.calls.iter().map(|call| (named(call), call.condition)).collect::<Vec<_>>(), body.exit)
        };
        let found = read(&program);
        for id in program.bodies.ids() {
            for call in &program.body(id).calls {
                let at_line = program.at_line(id, call.location.line);
                assert_eq!(at_line.condition, call.condition, "a line is reached as the call that stands there");
            }
        }
        program.connect();
        assert_eq!(read(&program), found, "narrowing again changes nothing");
        found
    }

    fn of(calls: &[(&'static str, Option<u32>)], last: Option<u32>) -> Sketch {
        let calls = calls.iter().map(|(callee, after)| (*callee, *after, same())).collect();
        Sketch { calls, last, ..Sketch::default() }
    }

    #[test]
    fn calls_behind_a_change_are_in_the_new_context() {
        let (found, exit) = calls(of(&[("g", None), ("take", Some(0)), ("h", Some(1))], Some(2)));
        assert_eq!(found, [("g", same()), ("take", same()), ("h", to(Outside))]);
        assert_eq!(exit, to(Outside));
    }

    #[test]
    fn a_pair_of_functions_restores_the_context() {
        let (found, exit) = calls(of(&[("take", None), ("g", Some(0)), ("drop", Some(1)), ("h", Some(2))], Some(3)));
        assert_eq!(found[1..], [("g", to(Outside)), ("drop", to(Outside)), ("h", to(Inside))]);
        assert_eq!(exit, to(Inside));
    }

    #[test]
    fn a_change_on_some_paths_leaves_the_context_open() {
        // if (c) { take(); g(); } h();
        let (found, exit) = calls(of(&[("take", None), ("g", Some(0)), ("h", None)], Some(2)));
        let open = condition(&[(Inside, Inside), (Inside, Outside), (Outside, Outside)]);
        assert_eq!(found[1..], [("g", to(Outside)), ("h", open)]);
        assert_eq!(exit, open);
    }

    #[test]
    fn a_function_that_changes_the_context_on_some_paths_leaves_it_open() {
        let (found, _) = calls(of(&[("maybe", None), ("g", Some(0))], Some(1)));
        let open = condition(&[(Inside, Inside), (Inside, Outside), (Outside, Outside)]);
        assert_eq!(found, [("maybe", same()), ("g", open)]);
    }

    #[test]
    fn behind_a_change_that_the_pack_names_the_front_end_decides() {
        // take(); lock(); g(); where the pack says that `lock` leads inside.
        let mut f = of(&[("take", None), ("lock", Some(0)), ("g", Some(1))], Some(2));
        f.calls[2].2 = to(Inside);
        f.changes = vec![1];
        assert_eq!(calls(f.clone()).0[1..], [("lock", to(Outside)), ("g", to(Inside))]);
        // The same without a call: by a macro.
        let mut f = of(&[("take", None), ("g", Some(0))], Some(1));
        f.calls[1].2 = to(Inside);
        assert_eq!(calls(f).0[1..], [("g", to(Inside))]);
        // On some paths only: take(); if (c) lock(); g();
        let mut f = of(&[("take", None), ("lock", Some(0)), ("g", Some(0))], Some(2));
        f.calls[2].2 = condition(&[(Inside, Inside), (Outside, Outside), (Outside, Inside)]);
        f.changes = vec![1];
        let both = condition(&[(Inside, Inside), (Inside, Outside), (Outside, Inside), (Outside, Outside)]);
        assert_eq!(calls(f).0[1..], [("lock", to(Outside)), ("g", both)]);
    }

    #[test]
    fn what_is_behind_an_assertion_is_reached_from_its_context_only() {
        let asserted = condition(&[(Outside, Outside)]);
        let (found, exit) = calls(of(&[("check", None), ("g", Some(0))], Some(1)));
        assert_eq!(found, [("check", same()), ("g", asserted)]);
        assert_eq!(exit, asserted);
        // check(); drop(); g(); control is inside, and has been outside.
        let (found, exit) = calls(of(&[("check", None), ("drop", Some(0)), ("g", Some(1))], Some(2)));
        let dropped = condition(&[(Outside, Inside)]);
        assert_eq!(found[1..], [("drop", asserted), ("g", dropped)]);
        assert_eq!(exit, dropped);
        // The pack says the same of `lock`: what was asserted holds where it was asserted.
        let mut f = of(&[("check", None), ("lock", Some(0)), ("g", Some(1))], Some(2));
        (f.calls[2].2, f.exit, f.changes) = (to(Inside), Some(to(Inside)), vec![1]);
        assert_eq!(calls(f).0[1..], [("lock", asserted), ("g", dropped)]);
    }

    #[test]
    fn a_body_without_a_change_of_its_own_passes_on_those_of_its_callees() {
        let mut f = of(&[("take", None)], Some(0));
        f.exit = Some(same());
        assert_eq!(calls(f).1, to(Outside));
        // What a loop does at its end is not there at its start: for (;;) { g(); take(); h(); drop(); }
        let (found, _) = calls(of(&[("g", None), ("take", Some(0)), ("h", Some(1)), ("drop", Some(2))], None));
        assert_eq!(found[0], ("g", same()));
    }

    /// A statement of a random body.
    #[derive(Clone, Debug)]
    enum Statement {
        Call(&'static str),
        If(Vec<Statement>, Vec<Statement>),
        Return,
    }

    fn statements() -> impl Strategy<Value = Vec<Statement>> {
        let call = prop::sample::select(vec!["g", "take", "drop", "maybe", "check", "lock", "unlock"]);
        let leaf = prop_oneof![8 => call.prop_map(Statement::Call), 1 => Just(Statement::Return)];
        let block = leaf.prop_recursive(3, 24, 4, |inner| {
            let arm = prop::collection::vec(inner, 0..4);
            (arm.clone(), arm).prop_map(|(then, otherwise)| Statement::If(then, otherwise))
        });
        prop::collection::vec(block, 1..7)
    }

    /// A random body: what the front end says of it, and what is true.
    #[derive(Default)]
    struct Body {
        sketch: Sketch,
        truth: Vec<PathCondition>,
        /// For each return, the last call that dominates it.
        ends: Vec<Option<u32>>,
        exits: [PathCondition; 2],
    }

    /// Where control can be behind a statement, for the front end and in truth, and the last call that dominates it.
    #[derive(Clone, Copy)]
    struct State {
        taken: PathCondition,
        truth: PathCondition,
        last: Option<u32>,
    }

    impl Body {
        fn of(statements: &[Statement]) -> Body {
            let mut body = Body::default();
            let start = State { taken: same(), truth: same(), last: None };
            let end = body.block(statements, Some(start));
            end.into_iter().for_each(|end| body.end(end));
            let [taken, _] = body.exits;
            body.sketch.exit = Some(taken);
            let ends = body.ends.clone();
            body.sketch.last = ends.into_iter().reduce(|one, other| body.common(one, other)).flatten();
            body
        }

        fn end(&mut self, state: State) {
            self.exits = [self.exits[0].or(state.taken), self.exits[1].or(state.truth)];
            self.ends.push(state.last);
        }

        fn block(&mut self, statements: &[Statement], start: Option<State>) -> Option<State> {
            statements.iter().fold(start, |state, statement| self.statement(statement, state))
        }

        fn statement(&mut self, statement: &Statement, state: Option<State>) -> Option<State> {
            match (statement, state) {
                (Statement::Call(callee), state) => {
                    let never = State { taken: PathCondition::NEVER, truth: PathCondition::NEVER, last: None };
                    let State { taken, truth, last } = state.unwrap_or(never);
                    let position = self.sketch.calls.len() as u32;
                    self.sketch.calls.push((callee, last, taken));
                    self.truth.push(truth);
                    let set = |context: Context| map(taken, |_, _, _| context.into());
                    let named = match *callee {
                        "lock" => Some(Outside),
                        "unlock" => Some(Inside),
                        _ => None,
                    };
                    self.sketch.changes.extend(named.map(|_| position as usize));
                    let in_truth = |_: Context, _: u8, at: ContextSet| match *callee {
                        "lock" | "take" => Outside.into(),
                        "unlock" | "drop" => Inside.into(),
                        "maybe" => ContextSet::OUTSIDE.or(at),
                        "check" => at.and(ContextSet::OUTSIDE),
                        _ => at,
                    };
                    let taken = named.map_or(taken, set);
                    state.map(|_| State { taken, truth: map(truth, in_truth), last: Some(position) })
                }
                (Statement::If(then, otherwise), state) => {
                    let ends = [self.block(then, state), self.block(otherwise, state)];
                    match ends {
                        [Some(one), Some(other)] => Some(State {
                            taken: one.taken.or(other.taken),
                            truth: one.truth.or(other.truth),
                            last: self.common(one.last, other.last),
                        }),
                        [one, other] => one.or(other),
                    }
                }
                (Statement::Return, state) => {
                    state.into_iter().for_each(|state| self.end(state));
                    None
                }
            }
        }

        /// The nearest call that dominates both of two points.
        fn common(&self, one: Option<u32>, other: Option<u32>) -> Option<u32> {
            let before = |call: &u32| self.sketch.calls[*call as usize].1;
            let all: Vec<u32> = std::iter::successors(one, before).collect();
            std::iter::successors(other, before).find(|call| all.contains(call))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        /// Control is nowhere but where the conditions say that it can be.
        #[test]
        fn the_conditions_have_all_contexts_in_which_control_can_be(statements in statements()) {
            let body = Body::of(&statements);
            let (found, exit) = calls(body.sketch.clone());
            let is_part = |truth: PathCondition, found: PathCondition| truth.or(found) == found;
            for ((callee, condition), truth) in found.iter().zip(&body.truth) {
                prop_assert!(is_part(*truth, *condition), "{}: {:?} is not in {:?}", callee, truth, condition);
            }
            prop_assert!(is_part(body.exits[1], exit), "{:?} is not in {:?}", body.exits[1], exit);
        }
    }
}
