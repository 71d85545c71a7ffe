//! The entry states in which control reaches each point of a body.
//!
//! Neither the context nor the flags of a body change while it runs. So it is analysed once for each entry state: in a
//! coroutine and outside, and for each value of the flags that an integer can have. In an entry state, the predicate
//! is a constant, and so is what the flags say of parameters. Constants are propagated along the edges of the graph;
//! an edge whose condition is a constant that does not fit is not taken.

use cowrap_facts::{Context, FlagTest, PathCondition, feasible, single_values};

use super::flags::BodyFlag;
use super::graph::{Condition, Edge, EdgeId, Expression, FlowGraph, Operand, Step, Test};
use super::order::Feasible;
use super::solver::{Lattice, Transfer, each_edge, solve};
use super::tree::{Arithmetic, Comparison, IntegerType, Site, Variable};

/// The result of analysing a body in all entry states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryStates {
    /// For each site, the entry states that reach it.
    pub reach: Vec<PathCondition>,
    /// For each truth value, the entry states in which it may be true, and those in which it may be false.
    pub truths: Vec<[PathCondition; 2]>,
    /// An assertion on the context that every path passes before anything returns: the context, and the site of the
    /// call that does not return if it fails.
    pub assertion: Option<(Context, Site)>,
    /// The edges that control can take.
    pub feasible: Feasible,
}

impl EntryStates {
    /// Analyses a body for every value of its flags.
    pub fn new(graph: &FlowGraph, flags: &[BodyFlag]) -> EntryStates {
        let values = feasible(&flags.iter().map(|flag| flag.fact).collect::<Vec<_>>());
        let values: Vec<u8> = single_values(values).collect();
        let mut found = Collected {
            reach: vec![PathCondition::NEVER; graph.site_count],
            truths: vec![[PathCondition::NEVER; 2]; graph.truth_count],
            stops: vec![PathCondition::NEVER; graph.site_count],
            returns: [false; 2],
            feasible: vec![false; graph.blocks.edge_count()],
        };
        for (number, context) in Context::ALL.into_iter().enumerate() {
            if number == 1 && !graph.has_predicate {
                // No condition asks for the context, so the second analysis would give the same result.
                let all = found.reach.iter_mut().chain(found.truths.iter_mut().flatten());
                all.for_each(|reach| mirror(reach, &values));
                found.returns[1] = found.returns[0];
                break;
            }
            for &value in &values {
                let run = Run { graph, context, flags, value };
                found.returns[number] |= run.collect(&mut found);
            }
        }
        let Collected { reach, truths, stops, returns, feasible } = found;
        let assertion = assertion(returns, &stops, graph.has_predicate);
        EntryStates { reach, truths, assertion, feasible: Feasible(feasible) }
    }
}

/// What the runs find.
struct Collected {
    reach: Vec<PathCondition>,
    truths: Vec<[PathCondition; 2]>,
    /// For each site, the entry states in which control does not come back from it.
    stops: Vec<PathCondition>,
    /// For each context, whether control reaches the end of the body.
    returns: [bool; 2],
    feasible: Vec<bool>,
}

/// Copies the result for coroutines to the outside context.
fn mirror(reach: &mut PathCondition, values: &[u8]) {
    for &value in values {
        if reach.contains(Context::Inside, value) {
            reach.insert(Context::Outside, value, Context::Outside);
        }
    }
}

/// A body asserts a context if it returns in that context alone, and does not return in the other one.
fn assertion(returns: [bool; 2], stops: &[PathCondition], has_predicate: bool) -> Option<(Context, Site)> {
    let asserted = match returns {
        [true, false] => Context::Inside,
        [false, true] => Context::Outside,
        _ => return None,
    };
    let fails = |reach: &PathCondition| reach.contexts() == asserted.other().into();
    let site = stops.iter().position(fails)?;
    has_predicate.then_some((asserted, Site(site as u32)))
}

/// How many constants are known at a point at most, so that no body takes long.
const MOST_CONSTANTS: usize = 256;

/// The constants known at a point, sorted by variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Constants(Vec<(Variable, i64)>);

impl Constants {
    fn get(&self, variable: Variable) -> Option<i64> {
        let at = self.0.binary_search_by_key(&variable, |(known, _)| *known).ok()?;
        Some(self.0[at].1)
    }

    fn set(&mut self, variable: Variable, value: Option<i64>) {
        match (self.0.binary_search_by_key(&variable, |(known, _)| *known), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => drop(self.0.remove(at)),
            (Err(at), Some(value)) if self.0.len() < MOST_CONSTANTS => self.0.insert(at, (variable, value)),
            (Err(_), _) => {}
        }
    }
}

impl Lattice for Constants {
    fn join(&mut self, other: &Self) -> bool {
        let before = self.0.len();
        self.0.retain(|(variable, value)| other.get(*variable) == Some(*value));
        self.0.len() != before
    }

    fn forget(&mut self) {
        self.0.clear();
    }
}

/// The analysis in one entry state.
struct Run<'g> {
    graph: &'g FlowGraph,
    context: Context,
    flags: &'g [BodyFlag],
    /// A bit for each flag.
    value: u8,
}

impl Run<'_> {
    /// Notes what control reaches. Returns whether that is the end of the body.
    fn collect(&self, found: &mut Collected) -> bool {
        let solution = solve(self.graph, self);
        for &block in &self.graph.order {
            let Some(state) = solution.at(block) else { continue };
            let mut state = state.clone();
            let mut last = None;
            for step in &self.graph.blocks[block].steps {
                match step {
                    Step::Call(site, _) => {
                        found.reach[site.0 as usize].insert(self.context, self.value, self.context);
                        last = Some(site);
                    }
                    Step::Note(truth, value) => {
                        found.truths[truth.0 as usize][usize::from(!value)].insert(
                            self.context,
                            self.value,
                            self.context,
                        );
                    }
                    Step::Set(..) | Step::Leave(_) => {}
                }
                self.step(step, &mut state);
            }
            if let (true, Some(site)) = (self.graph.blocks[block].stops, last) {
                found.stops[site.0 as usize].insert(self.context, self.value, self.context);
            }
            each_edge(self.graph, block, |_, id, edge| {
                let taken = &mut found.feasible[id.index()];
                *taken = *taken || self.refine(id, edge, &mut state.clone());
            });
        }
        solution.at(self.graph.exit).is_some()
    }

    /// The flags of a variable, with their values.
    fn tests(&self, variable: Variable) -> impl Iterator<Item = (FlagTest, bool)> {
        let flags = self.flags.iter().enumerate().filter(move |(_, flag)| flag.variable == variable);
        flags.map(|(bit, flag)| (flag.fact.test, self.value >> bit & 1 != 0))
    }

    fn operand(&self, operand: Operand, state: &Constants) -> Option<i64> {
        match operand {
            Operand::Unknown => None,
            Operand::Number(number) => Some(number),
            Operand::Variable(variable) => state.get(variable),
            Operand::Predicate => Some(i64::from(self.context == Context::Inside)),
        }
    }

    fn expression(&self, expression: &Expression, state: &Constants) -> Option<i64> {
        match *expression {
            Expression::Operand(operand) => self.operand(operand, state),
            Expression::Convert(ty, operand) => Some(ty.convert(self.operand(operand, state)?)),
            Expression::Arithmetic(operation, ty, left, right) => {
                match (operation, self.operand(left, state), self.operand(right, state)) {
                    (Arithmetic::And, Some(0), _) | (Arithmetic::And, _, Some(0)) => Some(0),
                    (_, left, right) => Some(operation.apply(ty, left?, right?)),
                }
            }
        }
    }

    /// Whether a condition holds, if that is known.
    fn holds(&self, condition: &Condition, state: &Constants) -> Option<bool> {
        let left = self.operand(condition.operand, state);
        match condition.test {
            Test::NonZero => match left {
                Some(value) => Some(value != 0),
                None => self.is_nonzero(condition.operand),
            },
            Test::Compare(comparison, ty, right) => match (left, self.operand(right, state)) {
                (Some(left), Some(right)) => Some(comparison.holds(ty, left, right)),
                (None, Some(number)) => self.compares(comparison, ty, condition.operand, number),
                (Some(number), None) => self.compares(comparison, ty, right, number),
                (None, None) => None,
            },
            Test::HasBits(ty, right) => match (left, self.operand(right, state)) {
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
    fn learn(&self, condition: &Condition, result: bool, state: &mut Constants) {
        let Operand::Variable(variable) = condition.operand else { return };
        let own = self.graph.variables[variable.0 as usize].ty;
        let value = match (condition.test, result) {
            (Test::NonZero, false) => Some(0),
            (Test::NonZero, true) if own.is_bool() => Some(1),
            (Test::Compare(Comparison::Equal, ty, right), true)
            | (Test::Compare(Comparison::NotEqual, ty, right), false) => {
                self.operand(right, state).and_then(|number| own.equal_in(ty, ty.convert(number)))
            }
            _ => None,
        };
        if value.is_some() {
            state.set(variable, value);
        }
    }
}

impl Transfer for Run<'_> {
    type Fact = Constants;

    fn start(&self) -> Constants {
        let mut state = Constants::default();
        for flag in self.flags {
            for (test, holds) in self.tests(flag.variable) {
                match test {
                    FlagTest::Equals(number) if holds => state.set(flag.variable, Some(number)),
                    FlagTest::True => state.set(flag.variable, Some(i64::from(holds))),
                    FlagTest::NonZero if !holds => state.set(flag.variable, Some(0)),
                    _ => {}
                }
            }
        }
        state
    }

    fn step(&self, step: &Step, state: &mut Constants) {
        if let Step::Set(variable, expression) = step {
            let value = self.expression(expression, state);
            state.set(*variable, value.map(|value| self.graph.variables[variable.0 as usize].ty.convert(value)));
        }
    }

    fn refine(&self, _: EdgeId, edge: Edge, state: &mut Constants) -> bool {
        match edge {
            Edge::Always => true,
            Edge::If(number, result) => {
                let condition = &self.graph.conditions[number as usize];
                if self.holds(condition, state).is_some_and(|holds| holds != result) {
                    return false;
                }
                self.learn(condition, result, state);
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
                match (self.operand(switch.operand, state), case) {
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
                                state.set(variable, Some(value));
                            }
                        }
                        true
                    }
                }
            }
        }
    }
}
