//! The entry states in which control reaches each point of a body.
//!
//! A body is analysed once for each entry state: in each context, and for each value of the flags that an integer can
//! have. What the flags say of parameters is a constant then. So is the context, until the body changes it. Behind a
//! change that not all paths make, control can be in both contexts, and what is known is kept for each of them by
//! itself: in `if (!locked()) { lock(); took = true; } … if (took) unlock();`, whether `took` is set depends on the
//! context. Within a context, the predicate is a constant. Constants are propagated along the edges of the graph; an
//! edge whose condition is a constant that does not fit is not taken.

use std::rc::Rc;

use cowrap_facts::{Context, ContextSet, FlagTest, PathCondition, feasible, single_values};

use super::flags::BodyFlag;
use super::graph::{Condition, Edge, EdgeId, Expression, FlowGraph, Operand, Scope, Step, Test};
use super::order::Feasible;
use super::solver::{Lattice, Transfer, solve};
use super::tree::{Arithmetic, Comparison, Entering, GuardId, IntegerType, Site, Variable};

/// The result of analysing a body in all entry states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryStates {
    /// For each site, the entry states that reach it, and the contexts there.
    pub reach: Vec<PathCondition>,
    /// The entry states of the body, in their own contexts.
    pub always: PathCondition,
    /// As `reach`, for each point.
    pub points: Vec<PathCondition>,
    /// For each truth value, the entry states in which it may be true, and those in which it may be false.
    pub truths: Vec<[PathCondition; 2]>,
    /// The entry states from which control returns, and the contexts then.
    pub exit: PathCondition,
    /// An assertion on the context that every path passes before anything returns: the context, and the site of the
    /// call that does not return if it fails.
    pub assertion: Option<(Context, Site)>,
    /// The edges that control can take.
    pub feasible: Feasible,
    /// The entry states in which control takes each edge, and the contexts then.
    pub taken: Vec<PathCondition>,
}

impl EntryStates {
    /// Analyses a body for every value of its flags.
    pub fn new(graph: &FlowGraph, flags: &[BodyFlag]) -> EntryStates {
        let values = feasible(&flags.iter().map(|flag| flag.fact).collect::<Vec<_>>());
        let always = PathCondition::always_with(values);
        let values: Vec<u8> = single_values(values).collect();
        let mut found = Collected {
            reach: vec![PathCondition::NEVER; graph.site_count],
            points: vec![PathCondition::NEVER; graph.points.len()],
            truths: vec![[PathCondition::NEVER; 2]; graph.truth_count],
            stops: vec![PathCondition::NEVER; graph.site_count],
            exit: PathCondition::NEVER,
            taken: vec![PathCondition::NEVER; graph.blocks.edge_count()],
        };
        for (number, entry) in Context::ALL.into_iter().enumerate() {
            if number == 1 && !graph.has_predicate && !graph.has_change {
                // Nothing asks for the context or changes it, so the second analysis would give the same result.
                let reached = found.reach.iter_mut().chain(&mut found.points).chain(&mut found.taken);
                let all = reached.chain(found.truths.iter_mut().flatten()).chain([&mut found.exit]);
                all.for_each(|reach| mirror(reach, &values));
                break;
            }
            for &value in &values {
                Run { graph, entry, flags, value }.collect(&mut found);
            }
        }
        let assertion = if graph.has_predicate { found.assertion() } else { None };
        let Collected { reach, points, truths, exit, taken, .. } = found;
        let feasible = Feasible(taken.iter().map(|taken| *taken != PathCondition::NEVER).collect());
        EntryStates { reach, always, points, truths, exit, assertion, feasible, taken }
    }
}

/// What the runs find.
struct Collected {
    reach: Vec<PathCondition>,
    points: Vec<PathCondition>,
    truths: Vec<[PathCondition; 2]>,
    /// For each site, the entry states in which control does not come back from it.
    stops: Vec<PathCondition>,
    exit: PathCondition,
    taken: Vec<PathCondition>,
}

impl Collected {
    /// A body asserts a context if it returns when it is entered there, and not when it is entered in the other one:
    /// a call then stops it where the context is still the same.
    fn assertion(&self) -> Option<(Context, Site)> {
        let asserted = entry_contexts(self.exit).only()?;
        let fails = |stop: &PathCondition| entry_contexts(*stop) == asserted.other().into() && !stop.changes();
        let site = self.stops.iter().position(fails)?;
        Some((asserted, Site(site as u32)))
    }
}

/// The contexts of the entry states.
fn entry_contexts(condition: PathCondition) -> ContextSet {
    let has = |entry: &Context| Context::ALL.into_iter().any(|at| condition.values_at(*entry, at) != 0);
    Context::ALL.into_iter().filter(has).collect()
}

/// Copies the result for the inside context to the outside context.
fn mirror(reach: &mut PathCondition, values: &[u8]) {
    for &value in values {
        if reach.contains(Context::Inside, value) {
            reach.insert(Context::Outside, value, Context::Outside);
        }
    }
}

/// How many constants are known at a point at most, so that no body takes long.
const MOST_CONSTANTS: usize = 256;

/// The constants known at a point, sorted by variable. Most points have those of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Constants(Rc<Vec<(Variable, i64)>>);

impl Constants {
    fn get(&self, variable: Variable) -> Option<i64> {
        let at = self.0.binary_search_by_key(&variable, |(known, _)| *known).ok()?;
        Some(self.0[at].1)
    }

    fn set(&mut self, variable: Variable, value: Option<i64>) {
        match (self.0.binary_search_by_key(&variable, |(known, _)| *known), value) {
            (Ok(at), Some(value)) if self.0[at].1 == value => {}
            (Ok(at), Some(value)) => Rc::make_mut(&mut self.0)[at].1 = value,
            (Ok(at), None) => drop(Rc::make_mut(&mut self.0).remove(at)),
            (Err(at), Some(value)) if self.0.len() < MOST_CONSTANTS => {
                Rc::make_mut(&mut self.0).insert(at, (variable, value));
            }
            (Err(_), _) => {}
        }
    }
}

impl Constants {
    /// Keeps those that both have. Returns whether that was less than before.
    fn join(&mut self, other: &Self) -> bool {
        let is_kept = |(variable, value): &(Variable, i64)| other.get(*variable) == Some(*value);
        if Rc::ptr_eq(&self.0, &other.0) || self.0.iter().all(is_kept) {
            return false;
        }
        Rc::make_mut(&mut self.0).retain(is_kept);
        true
    }
}

/// A guard whose scope has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpenGuard {
    guard: GuardId,
    scope: Scope,
    /// The contexts that can come back at the end of the scope.
    saved: ContextSet,
    /// Whether control may have come into the scope behind the guard.
    may_be_absent: bool,
}

/// What is known at a point if the context is a certain one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    constants: Constants,
    /// In the order in which they were entered.
    guards: Vec<OpenGuard>,
}

impl Facts {
    /// Keeps what holds in both. Returns whether that was less than before.
    fn join(&mut self, other: &Self) -> bool {
        let mut changed = self.constants.join(&other.constants);
        for own in &mut self.guards {
            let before = *own;
            match other.guards.iter().find(|guard| guard.guard == own.guard) {
                Some(guard) => {
                    own.saved = own.saved.or(guard.saved);
                    own.may_be_absent |= guard.may_be_absent;
                }
                None => own.may_be_absent = true,
            }
            changed |= before != *own;
        }
        for guard in &other.guards {
            if !self.guards.iter().any(|own| own.guard == guard.guard) {
                self.guards.push(OpenGuard { may_be_absent: true, ..*guard });
                changed = true;
            }
        }
        changed
    }
}

/// The contexts in which control can be at a point, with what is known in each.
#[derive(Clone, Debug, Default)]
struct State {
    inside: Option<Facts>,
    outside: Option<Facts>,
}

impl State {
    fn at(&mut self, context: Context) -> &mut Option<Facts> {
        match context {
            Context::Inside => &mut self.inside,
            Context::Outside => &mut self.outside,
        }
    }

    /// The possible contexts, with what is known.
    fn each(&self) -> impl Iterator<Item = (Context, &Facts)> {
        let inside = self.inside.iter().map(|facts| (Context::Inside, facts));
        inside.chain(self.outside.iter().map(|facts| (Context::Outside, facts)))
    }

    /// Adds a context. Returns whether less is known than before.
    fn add(&mut self, context: Context, facts: &Facts) -> bool {
        match self.at(context) {
            Some(known) => known.join(facts),
            unknown => {
                *unknown = Some(facts.clone());
                true
            }
        }
    }

    /// Goes on in another context, for a guard until the end of a scope.
    fn enter(&mut self, entering: Entering, scope: Scope) {
        let before = std::mem::take(self);
        for (context, facts) in before.each().filter(|(context, _)| entering.from.is_none_or(|from| from == *context)) {
            let mut facts = facts.clone();
            // A guard that is passed again without the end of its scope saved the context the first time.
            if let Some(guard) = entering.guard
                && !facts.guards.iter().any(|open| open.guard == guard)
            {
                facts.guards.push(OpenGuard { guard, scope, saved: context.into(), may_be_absent: false });
            }
            self.add(entering.to, &facts);
        }
    }

    /// Ends all scopes that do not contain this one.
    fn leave(&mut self, graph: &FlowGraph, scope: Scope) {
        let ends = |open: &OpenGuard| !graph.is_within(scope, open.scope);
        if !self.each().any(|(_, facts)| facts.guards.iter().any(ends)) {
            return;
        }
        let before = std::mem::take(self);
        for (context, facts) in before.each() {
            let mut contexts = ContextSet::from(context);
            for open in facts.guards.iter().rev().filter(|open| ends(open)) {
                contexts = if open.may_be_absent { contexts.or(open.saved) } else { open.saved };
            }
            let mut facts = facts.clone();
            facts.guards.retain(|open| !ends(open));
            for context in Context::ALL.into_iter().filter(|context| contexts.contains(*context)) {
                self.add(context, &facts);
            }
        }
    }
}

impl Lattice for State {
    fn join(&mut self, other: &Self) -> bool {
        other.each().fold(false, |changed, (context, facts)| self.add(context, facts) || changed)
    }

    /// Forgets the constants. There are few contexts and guards.
    fn forget(&mut self) {
        for facts in [&mut self.inside, &mut self.outside].into_iter().flatten() {
            facts.constants = Constants::default();
        }
    }
}

/// What is known in one context.
#[derive(Clone, Copy)]
struct Known<'s> {
    context: Context,
    constants: &'s Constants,
}

/// The analysis in one entry state.
struct Run<'g> {
    graph: &'g FlowGraph,
    entry: Context,
    flags: &'g [BodyFlag],
    /// A bit for each flag.
    value: u8,
}

impl Run<'_> {
    /// Notes what control reaches.
    fn collect(&self, found: &mut Collected) {
        let solution = solve(self.graph, self);
        for &block in &self.graph.order {
            let Some(state) = solution.at(block) else { continue };
            let mut state = state.clone();
            let mut last = None;
            for step in &self.graph.blocks[block].steps {
                match step {
                    Step::Call(site, _) => {
                        self.note(&state, &mut found.reach[site.0 as usize]);
                        last = Some(site);
                    }
                    Step::Note(truth, value) => {
                        self.note(&state, &mut found.truths[truth.0 as usize][usize::from(!value)]);
                    }
                    Step::Point(point) => self.note(&state, &mut found.points[point.0 as usize]),
                    Step::Set(..) | Step::Leave(_) | Step::Enter(..) => {}
                }
                self.step(step, &mut state);
            }
            if let (true, Some(site)) = (self.graph.blocks[block].stops, last) {
                self.note(&state, &mut found.stops[site.0 as usize]);
            }
        }
        for (edge, state) in solution.edges() {
            self.note(state, &mut found.taken[edge.index()]);
        }
        if let Some(state) = solution.at(self.graph.exit) {
            self.note(state, &mut found.exit);
        }
    }

    /// Notes that control can be at a point.
    fn note(&self, state: &State, condition: &mut PathCondition) {
        state.each().for_each(|(at, _)| condition.insert(self.entry, self.value, at));
    }

    /// The flags of a variable, with their values.
    fn tests(&self, variable: Variable) -> impl Iterator<Item = (FlagTest, bool)> {
        let flags = self.flags.iter().enumerate().filter(move |(_, flag)| flag.variable == variable);
        flags.map(|(bit, flag)| (flag.fact.test, self.value >> bit & 1 != 0))
    }

    fn operand(&self, operand: Operand, known: Known<'_>) -> Option<i64> {
        match operand {
            Operand::Unknown => None,
            Operand::Number(number) => Some(number),
            Operand::Variable(variable) => known.constants.get(variable),
            Operand::Predicate(context) => Some(i64::from(known.context == context)),
        }
    }

    fn expression(&self, expression: &Expression, known: Known<'_>) -> Option<i64> {
        match *expression {
            Expression::Operand(operand) => self.operand(operand, known),
            Expression::Convert(ty, operand) => Some(ty.convert(self.operand(operand, known)?)),
            Expression::Arithmetic(operation, ty, left, right) => {
                match (operation, self.operand(left, known), self.operand(right, known)) {
                    (Arithmetic::And, Some(0), _) | (Arithmetic::And, _, Some(0)) => Some(0),
                    (_, left, right) => Some(operation.apply(ty, left?, right?)),
                }
            }
        }
    }

    /// Whether a condition holds, if that is known.
    fn holds(&self, condition: &Condition, known: Known<'_>) -> Option<bool> {
        let left = self.operand(condition.operand, known);
        match condition.test {
            Test::NonZero => match left {
                Some(value) => Some(value != 0),
                None => self.is_nonzero(condition.operand),
            },
            Test::Compare(comparison, ty, right) => match (left, self.operand(right, known)) {
                (Some(left), Some(right)) => Some(comparison.holds(ty, left, right)),
                (None, Some(number)) => self.compares(comparison, ty, condition.operand, number),
                (Some(number), None) => self.compares(comparison, ty, right, number),
                (None, None) => None,
            },
            Test::HasBits(ty, right) => match (left, self.operand(right, known)) {
                (Some(0), _) | (_, Some(0)) => Some(false),
                (Some(left), Some(right)) => Some(Arithmetic::And.apply(ty, left, right) != 0),
                (None, Some(bits)) => self.has_bits(ty, condition.operand, bits),
                (Some(bits), None) => self.has_bits(ty, right, bits),
                (None, None) => None,
            },
        }
    }

    fn is_nonzero(&self, operand: Operand) -> Option<bool> {
        let Operand::Variable(variable) = operand else { return None };
        self.tests(variable).find_map(|(test, holds)| match test {
            FlagTest::True | FlagTest::NonZero => Some(holds),
            FlagTest::HasBits(_) if holds => Some(true),
            FlagTest::Equals(_) | FlagTest::HasBits(_) => None,
        })
    }

    /// Whether a variable that is no constant compares so with a number.
    fn compares(&self, comparison: Comparison, ty: IntegerType, operand: Operand, number: i64) -> Option<bool> {
        let (Operand::Variable(variable), Comparison::Equal | Comparison::NotEqual) = (operand, comparison) else {
            return None;
        };
        let own = self.graph.variables[variable.0 as usize].ty;
        if own.bits > ty.bits {
            return None;
        }
        let number = ty.convert(number);
        let differs = match own.equal_in(ty, number) {
            None => true,
            // A flag that is set for one of them and not for the other tells them apart.
            Some(number) => self.tests(variable).any(|(test, holds)| test.holds(number) != holds),
        };
        differs.then_some(comparison == Comparison::NotEqual)
    }

    fn has_bits(&self, ty: IntegerType, operand: Operand, bits: i64) -> Option<bool> {
        let Operand::Variable(variable) = operand else { return None };
        let bits = self.graph.variables[variable.0 as usize].ty.bits_in(ty, bits)?;
        self.tests(variable).find_map(|(test, holds)| match test {
            FlagTest::True | FlagTest::NonZero if !holds => Some(false),
            FlagTest::HasBits(tested) if holds && tested & !bits == 0 => Some(true),
            FlagTest::HasBits(tested) if !holds && bits & !tested == 0 => Some(false),
            _ => None,
        })
    }

    /// Notes what follows from the result of a condition.
    fn learn(&self, condition: &Condition, result: bool, context: Context, constants: &mut Constants) {
        let Operand::Variable(variable) = condition.operand else { return };
        let own = self.graph.variables[variable.0 as usize].ty;
        let value = match (condition.test, result) {
            (Test::NonZero, false) => Some(0),
            (Test::NonZero, true) if own.is_bool() => Some(1),
            (Test::Compare(Comparison::Equal, ty, right), true)
            | (Test::Compare(Comparison::NotEqual, ty, right), false) => {
                let known = Known { context, constants };
                self.operand(right, known).and_then(|number| own.equal_in(ty, ty.convert(number)))
            }
            _ => None,
        };
        if value.is_some() {
            constants.set(variable, value);
        }
    }
}

impl Run<'_> {
    /// Whether control can take an edge in a context, and what is known then.
    fn takes(&self, edge: Edge, context: Context, constants: &mut Constants) -> bool {
        match edge {
            Edge::Always => true,
            Edge::If(number, result) => {
                let condition = &self.graph.conditions[number as usize];
                if self.holds(condition, Known { context, constants }).is_some_and(|holds| holds != result) {
                    return false;
                }
                self.learn(condition, result, context, constants);
                true
            }
            Edge::Case(number, case) => {
                let switch = &self.graph.switches[number as usize];
                let in_range = |(first, last): (i64, i64), value: i64| {
                    Comparison::LessOrEqual.holds(switch.ty, first, value)
                        && Comparison::LessOrEqual.holds(switch.ty, value, last)
                };
                let is_single = |(first, last): (i64, i64)| first == last;
                let equals = |number| self.compares(Comparison::Equal, switch.ty, switch.operand, number);
                match (self.operand(switch.operand, Known { context, constants }), case) {
                    (Some(value), Some(case)) => in_range(switch.cases[case as usize], value),
                    (Some(value), None) => !switch.cases.iter().any(|case| in_range(*case, value)),
                    (None, None) => true,
                    (None, Some(case)) => {
                        let values = switch.cases[case as usize];
                        if is_single(values) && equals(values.0) == Some(false) {
                            return false;
                        }
                        if let (true, Operand::Variable(variable)) = (is_single(values), switch.operand) {
                            let own = self.graph.variables[variable.0 as usize].ty;
                            if let Some(value) = own.equal_in(switch.ty, switch.ty.convert(values.0)) {
                                constants.set(variable, Some(value));
                            }
                        }
                        true
                    }
                }
            }
        }
    }
}

impl Transfer for Run<'_> {
    type Fact = State;

    fn start(&self) -> State {
        let mut constants = Constants::default();
        for flag in self.flags {
            for (test, holds) in self.tests(flag.variable) {
                match test {
                    FlagTest::Equals(number) if holds => constants.set(flag.variable, Some(number)),
                    FlagTest::True => constants.set(flag.variable, Some(i64::from(holds))),
                    FlagTest::NonZero if !holds => constants.set(flag.variable, Some(0)),
                    _ => {}
                }
            }
        }
        let mut state = State::default();
        *state.at(self.entry) = Some(Facts { constants, guards: Vec::new() });
        state
    }

    fn step(&self, step: &Step, state: &mut State) {
        match step {
            Step::Set(variable, expression) => {
                let ty = self.graph.variables[variable.0 as usize].ty;
                for context in Context::ALL {
                    let Some(Facts { constants, .. }) = state.at(context) else { continue };
                    let value = self.expression(expression, Known { context, constants });
                    constants.set(*variable, value.map(|value| ty.convert(value)));
                }
            }
            Step::Leave(scope) => state.leave(self.graph, *scope),
            Step::Enter(entering, scope, _) => state.enter(*entering, *scope),
            Step::Call(..) | Step::Note(..) | Step::Point(_) => {}
        }
    }

    fn refine(&self, _: EdgeId, edge: Edge, state: &mut State) -> bool {
        for context in Context::ALL {
            let facts = state.at(context);
            if facts.as_mut().is_some_and(|facts| !self.takes(edge, context, &mut facts.constants)) {
                *facts = None;
            }
        }
        state.inside.is_some() || state.outside.is_some()
    }
}
