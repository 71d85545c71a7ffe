//! The graph and its analyses on trees that are built by hand.

use cowrap_facts::{Context, ContextSet, Flag, FlagTest, GuardKind, PathCondition};

use super::flags::BodyFlag;
use super::*;

/// Builds trees by hand: `b.call()` is a site, `b.p()` the predicate, `b.x()` an unknown value.
#[derive(Default)]
struct Builder(FlowTree);

impl Builder {
    fn op<const N: usize>(&mut self, op: Op, children: [NodeId; N]) -> NodeId {
        self.0.node(op, children.to_vec())
    }
    fn p(&mut self) -> NodeId {
        self.op(Op::Predicate(Context::Inside), [])
    }
    fn enter(&mut self, context: Context) -> NodeId {
        self.op(Op::Enter(Entering { to: context, from: None, guard: None }), [])
    }
    fn guard(&mut self, context: Context) -> NodeId {
        let guard = self.0.guard();
        self.op(Op::Enter(Entering { to: context, from: None, guard: Some(guard) }), [])
    }
    fn x(&mut self) -> NodeId {
        self.op(Op::Value(None), [])
    }
    fn constant(&mut self, value: i64) -> NodeId {
        self.op(Op::Value(Some(value)), [])
    }
    fn call(&mut self) -> NodeId {
        let site = self.0.site();
        self.op(Op::Call { site, returns: true }, [])
    }
    fn abort(&mut self) -> NodeId {
        let site = self.0.site();
        self.op(Op::Call { site, returns: false }, [])
    }
    fn local(&mut self) -> Variable {
        self.0.variable(VariableInfo { ty: INT, parameter: None })
    }
    fn parameter(&mut self, ty: IntegerType) -> Variable {
        self.0.variable(VariableInfo { ty, parameter: Some(self.0.variables().len() as u16) })
    }
    fn read(&mut self, variable: Variable) -> NodeId {
        self.op(Op::Read(variable), [])
    }
    fn compare(&mut self, comparison: Comparison, left: NodeId, right: NodeId) -> NodeId {
        self.op(Op::Compare(comparison, Some(INT)), [left, right])
    }
    fn run(&self, root: NodeId) -> EntryStates {
        let graph = FlowGraph::new(&self.0, root);
        EntryStates::new(&graph, &flags(&self.0, &graph))
    }
    fn flags(&self, root: NodeId) -> Vec<Flag> {
        let flags = flags(&self.0, &FlowGraph::new(&self.0, root));
        flags.into_iter().map(|BodyFlag { fact, .. }| fact).collect()
    }
    /// Makes the beginning of a node a point.
    fn at(&mut self, node: NodeId) -> Point {
        self.0.place(node)
    }
    fn points<const N: usize>(&mut self, nodes: [NodeId; N]) {
        for node in nodes {
            self.0.place(node);
        }
    }
    /// Gives a node an origin, by which a test recognises it.
    fn named(&mut self, node: NodeId, origin: u32) -> NodeId {
        self.0.comes_from(node, Origin(origin));
        node
    }
    /// For each point, the contexts there, and what decides: its kind and its origin.
    fn deciders<const N: usize>(mut self, body: [NodeId; N]) -> Vec<(ContextSet, Option<(GuardKind, u32)>)> {
        let root = self.op(Op::Sequence, body);
        let graph = FlowGraph::new(&self.0, root);
        let flags = flags(&self.0, &graph);
        let states = EntryStates::new(&graph, &flags);
        let deciders = Deciders::new(&graph, &states);
        let decider = |point| deciders.of(Point(point)).map(|decider| (decider.kind, decider.origin.0));
        (0..).zip(&states.points).map(|(point, condition)| (condition.contexts(), decider(point))).collect()
    }
    fn contexts<const N: usize>(mut self, body: [NodeId; N]) -> Vec<ContextSet> {
        let root = self.op(Op::Sequence, body);
        self.run(root).reach.into_iter().map(PathCondition::contexts).collect()
    }
}

const INT: IntegerType = IntegerType { bits: 32, signed: true };
const C: ContextSet = ContextSet::INSIDE;
const N: ContextSet = ContextSet::OUTSIDE;
const BOTH: ContextSet = ContextSet::BOTH;
const NEVER: ContextSet = ContextSet::EMPTY;

#[test]
fn both_arms_of_an_if_are_refined() {
    let mut b = Builder::default();
    let (p, yes, no) = (b.p(), b.call(), b.call());
    let body = b.op(Op::If, [p, yes, no]);
    assert_eq!(b.contexts([body]), [C, N]);
}

#[test]
fn what_follows_an_if_that_does_not_come_back_is_refined() {
    let mut b = Builder::default();
    let p = b.p();
    let returns = b.op(Op::Return, []);
    let guard = b.op(Op::If, [p, returns]);
    let after = b.call();
    assert_eq!(b.contexts([guard, after]), [N]);
}

#[test]
fn an_unknown_conjunct_leaves_the_other_arm_open() {
    let mut b = Builder::default();
    let (p, x) = (b.p(), b.x());
    let both = b.op(Op::And, [p, x]);
    let (yes, no) = (b.call(), b.call());
    let body = b.op(Op::If, [both, yes, no]);
    assert_eq!(b.contexts([body]), [C, BOTH]);
}

#[test]
fn breaking_out_on_any_of_three_refines_what_follows() {
    // while (x) { if (a || !p || b) break; call(); } call();
    let mut b = Builder::default();
    let (a, p, c, x) = (b.x(), b.p(), b.x(), b.x());
    let not_p = b.op(Op::Not, [p]);
    let first = b.op(Op::Or, [a, not_p]);
    let all = b.op(Op::Or, [first, c]);
    let leave = b.op(Op::Break, []);
    let guard = b.op(Op::If, [all, leave]);
    let inside = b.call();
    let body = b.op(Op::Sequence, [guard, inside]);
    let whole = b.op(Op::While, [x, body]);
    let after = b.call();
    assert_eq!(b.contexts([whole, after]), [C, BOTH]);
}

#[test]
fn a_local_that_holds_the_predicate_refines_until_it_changes() {
    let mut b = Builder::default();
    let variable = b.local();
    let p = b.p();
    let store = b.op(Op::Assign(variable), [p]);
    let read = b.op(Op::Read(variable), []);
    let guarded = b.call();
    let first = b.op(Op::If, [read, guarded]);
    let change = b.op(Op::Change(variable), []);
    let again = b.op(Op::Read(variable), []);
    let unguarded = b.call();
    let second = b.op(Op::If, [again, unguarded]);
    assert_eq!(b.contexts([store, first, change, second]), [C, BOTH]);
}

#[test]
fn a_variable_is_unknown_in_a_loop_that_changes_it() {
    // v = p; while (x) { if (v) call(); v = 1; }
    let mut b = Builder::default();
    let variable = b.local();
    let (p, x, one) = (b.p(), b.x(), b.constant(1));
    let store = b.op(Op::Assign(variable), [p]);
    let read = b.op(Op::Read(variable), []);
    let call = b.call();
    let guard = b.op(Op::If, [read, call]);
    let set = b.op(Op::Assign(variable), [one]);
    let body = b.op(Op::Sequence, [guard, set]);
    let whole = b.op(Op::While, [x, body]);
    assert_eq!(b.contexts([store, whole]), [BOTH]);
}

#[test]
fn a_backward_goto_reaches_its_label() {
    // if (p) goto later; return; again: call(); return; later: goto again;
    let mut b = Builder::default();
    let (again, later) = (b.0.label(), b.0.label());
    let p = b.p();
    let to_later = b.op(Op::Goto(later), []);
    let guard = b.op(Op::If, [p, to_later]);
    let first_return = b.op(Op::Return, []);
    let call = b.call();
    let labelled = b.op(Op::Label(again), [call]);
    let second_return = b.op(Op::Return, []);
    let back = b.op(Op::Goto(again), []);
    let at_later = b.op(Op::Label(later), [back]);
    assert_eq!(b.contexts([guard, first_return, labelled, second_return, at_later]), [C]);
}

#[test]
fn code_behind_an_endless_loop_is_dead() {
    let mut b = Builder::default();
    let (one, inside) = (b.constant(1), b.call());
    let whole = b.op(Op::While, [one, inside]);
    let after = b.call();
    assert_eq!(b.contexts([whole, after]), [BOTH, NEVER]);
}

#[test]
fn a_switch_without_default_can_be_passed() {
    // switch (x) { case 1: if (!p) return; call(); } call();
    let mut b = Builder::default();
    let (x, p) = (b.x(), b.p());
    let not_p = b.op(Op::Not, [p]);
    let leave = b.op(Op::Return, []);
    let guard = b.op(Op::If, [not_p, leave]);
    let case = b.op(Op::Case(CaseValues::Unknown), [guard]);
    let inside = b.call();
    let body = b.op(Op::Sequence, [case, inside]);
    let whole = b.op(Op::Switch(Some(INT)), [x, body]);
    let after = b.call();
    assert_eq!(b.contexts([whole, after]), [C, BOTH]);
}

#[test]
fn an_assertion_on_every_path_is_found() {
    let mut b = Builder::default();
    let (p, stop) = (b.p(), b.abort());
    let not_p = b.op(Op::Not, [p]);
    let body = b.op(Op::If, [not_p, stop]);
    let outcome = b.run(body);
    assert_eq!(outcome.assertion, Some((Context::Inside, Site(0))));
}

#[test]
fn an_assertion_behind_a_return_is_not_inferred() {
    let mut b = Builder::default();
    let (x, p) = (b.x(), b.p());
    let leave = b.op(Op::Return, []);
    let early = b.op(Op::If, [x, leave]);
    let stop = b.abort();
    let guard = b.op(Op::If, [p, stop]);
    let body = b.op(Op::Sequence, [early, guard]);
    assert_eq!(b.run(body).assertion, None);
}

#[test]
fn an_endless_loop_is_no_assertion() {
    // if (p) for (;;) call();
    let mut b = Builder::default();
    let (p, one, inside) = (b.p(), b.constant(1), b.call());
    let forever = b.op(Op::While, [one, inside]);
    let body = b.op(Op::If, [p, forever]);
    assert_eq!(b.run(body).assertion, None);
}

#[test]
fn what_is_passed_is_noted_for_each_world() {
    // f(flag && p, x);
    let mut b = Builder::default();
    let flag = b.parameter(IntegerType::BOOL);
    let read = b.op(Op::Read(flag), []);
    let p = b.p();
    let both = b.op(Op::And, [read, p]);
    let (first, second) = (b.0.truth(), b.0.truth());
    let passed = b.op(Op::Truth(first), [both]);
    let x = b.x();
    let unknown = b.op(Op::Truth(second), [x]);
    let body = b.op(Op::Sequence, [passed, unknown]);
    let outcome = b.run(body);
    let [may_be_true, may_be_false] = outcome.truths[0];
    assert_eq!(may_be_true.contexts(), C);
    assert!(may_be_true.contains(Context::Inside, 1) && !may_be_true.contains(Context::Inside, 0));
    assert_eq!(may_be_false.contexts(), BOTH);
    assert!(!may_be_false.contains(Context::Inside, 1) && may_be_false.contains(Context::Outside, 1));
    assert!(outcome.truths[1].iter().all(|reach| reach.contains(Context::Outside, 1)));
}

#[test]
fn flags_make_worlds_of_their_own() {
    // if (flag) call(); else if (p) call();
    let mut b = Builder::default();
    let flag = b.parameter(IntegerType::BOOL);
    let read = b.op(Op::Read(flag), []);
    let p = b.p();
    let (first, second) = (b.call(), b.call());
    let inner = b.op(Op::If, [p, second]);
    let body = b.op(Op::If, [read, first, inner]);
    let outcome = b.run(body);
    assert!(outcome.reach[0].contains(Context::Outside, 1));
    assert!(!outcome.reach[0].contains(Context::Outside, 0));
    assert_eq!(outcome.reach[1].contexts(), C);
}

#[test]
fn what_a_variable_holds_at_a_jump_is_known_at_its_label() {
    // v = p; if (x) goto out; call(); out: if (v) call();
    let mut b = Builder::default();
    let (variable, out) = (b.local(), b.0.label());
    let (p, x) = (b.p(), b.x());
    let store = b.op(Op::Assign(variable), [p]);
    let jump = b.op(Op::Goto(out), []);
    let leave = b.op(Op::If, [x, jump]);
    let between = b.call();
    let read = b.read(variable);
    let guarded = b.call();
    let guard = b.op(Op::If, [read, guarded]);
    let labelled = b.op(Op::Label(out), [guard]);
    assert_eq!(b.contexts([store, leave, between, labelled]), [BOTH, C]);
}

#[test]
fn a_switch_on_the_predicate_picks_its_case() {
    // switch (p) { case 1: call(); break; case 0: call(); break; case 2 ... 9: call(); default: call(); }
    let mut b = Builder::default();
    let p = b.p();
    let ranges = [CaseValues::Range(1, 1), CaseValues::Range(0, 0), CaseValues::Range(2, 9), CaseValues::Default];
    let mut parts = Vec::new();
    for values in ranges {
        let call = b.call();
        parts.push(b.op(Op::Case(values), [call]));
        parts.push(b.op(Op::Break, []));
    }
    let body = b.0.node(Op::Sequence, parts);
    let whole = b.op(Op::Switch(Some(INT)), [p, body]);
    let after = b.call();
    assert_eq!(b.contexts([whole, after]), [C, N, NEVER, NEVER, BOTH]);
}

#[test]
fn cases_of_a_parameter_are_flags_that_exclude_each_other() {
    // switch (n) { case 0: call(); case 3: call(); break; default: call(); }
    let mut b = Builder::default();
    let n = b.parameter(INT);
    let value = b.read(n);
    let calls = [b.call(), b.call(), b.call()];
    let zero = b.op(Op::Case(CaseValues::Range(0, 0)), [calls[0]]);
    let three = b.op(Op::Case(CaseValues::Range(3, 3)), [calls[1]]);
    let leave = b.op(Op::Break, []);
    let other = b.op(Op::Case(CaseValues::Default), [calls[2]]);
    let body = b.op(Op::Sequence, [zero, three, leave, other]);
    let whole = b.op(Op::Switch(Some(INT)), [value, body]);
    let flag = |test| Flag { position: 0, test };
    assert_eq!(b.flags(whole), [flag(FlagTest::NonZero), flag(FlagTest::Equals(3))]);
    let reach = b.run(whole).reach;
    let values = reach.iter().map(|reach| reach.values(Context::Inside)).collect::<Vec<_>>();
    // 0 is neither; 3 is both; any other number is only not 0.
    assert_eq!(values, [0b0001, 0b1001, 0b0010]);
}

#[test]
fn bits_of_a_parameter_are_a_flag() {
    // if (n & 4) call(); if ((n & 6) == 0) call(); if (n < 0) call();
    let mut b = Builder::default();
    let n = b.parameter(INT);
    let (four, six, zero) = (b.constant(4), b.constant(6), b.constant(0));
    let reads = [b.read(n), b.read(n), b.read(n)];
    let has_four = b.op(Op::Arithmetic(Arithmetic::And, INT), [reads[0], four]);
    let has_six = b.op(Op::Arithmetic(Arithmetic::And, INT), [reads[1], six]);
    let has_none = b.compare(Comparison::Equal, has_six, zero);
    let negative = b.compare(Comparison::Less, reads[2], zero);
    let conditions = [has_four, has_none, negative];
    let parts = conditions.map(|condition| {
        let call = b.call();
        b.op(Op::If, [condition, call])
    });
    let body = b.op(Op::Sequence, parts);
    let flag = |bits| Flag { position: 0, test: FlagTest::HasBits(bits) };
    assert_eq!(b.flags(body), [flag(4), flag(6)]);
    let values = b.run(body).reach.into_iter().map(|reach| reach.values(Context::Outside));
    // No number has the bits of 4 and not those of 6.
    assert_eq!(values.collect::<Vec<_>>(), [0b1000, 0b0001, 0b1101]);
}

#[test]
fn a_constant_decides_through_arithmetic_and_conversions() {
    // v = 4; v |= 1; if ((bool)(v & 4) && v == 5 && !(v ^ 5) && v - 5 == 0) call(); else call();
    let mut b = Builder::default();
    let v = b.local();
    let four = b.constant(4);
    let store = b.op(Op::Assign(v), [four]);
    let (read, one) = (b.read(v), b.constant(1));
    let or = b.op(Op::Arithmetic(Arithmetic::Or, INT), [read, one]);
    let change = b.op(Op::Assign(v), [or]);
    let (read, four) = (b.read(v), b.constant(4));
    let and = b.op(Op::Arithmetic(Arithmetic::And, INT), [read, four]);
    let first = b.op(Op::Convert(IntegerType::BOOL), [and]);
    let (read, five) = (b.read(v), b.constant(5));
    let second = b.compare(Comparison::Equal, read, five);
    let (read, five) = (b.read(v), b.constant(5));
    let xor = b.op(Op::Arithmetic(Arithmetic::Xor, INT), [read, five]);
    let third = b.op(Op::Not, [xor]);
    let (read, five, zero) = (b.read(v), b.constant(5), b.constant(0));
    let difference = b.op(Op::Arithmetic(Arithmetic::Subtract, INT), [read, five]);
    let fourth = b.compare(Comparison::Equal, difference, zero);
    let both = b.op(Op::And, [first, second]);
    let others = b.op(Op::And, [third, fourth]);
    let all = b.op(Op::And, [both, others]);
    let (yes, no) = (b.call(), b.call());
    let branch = b.op(Op::If, [all, yes, no]);
    assert_eq!(b.contexts([store, change, branch]), [BOTH, NEVER]);
}

#[test]
fn a_value_without_the_middle_operand_is_the_predicate_or_the_other() {
    // if (p ?: x) call(); v = p ?: 0; if (v) call();
    let mut b = Builder::default();
    let v = b.local();
    let (p, x) = (b.p(), b.x());
    let either = b.op(Op::Otherwise, [p, x]);
    let (first, second) = (b.call(), b.call());
    let branch = b.op(Op::If, [either, first, second]);
    let (p, zero) = (b.p(), b.constant(0));
    let value = b.op(Op::Otherwise, [p, zero]);
    let store = b.op(Op::Assign(v), [value]);
    let read = b.read(v);
    let third = b.call();
    let guard = b.op(Op::If, [read, third]);
    assert_eq!(b.contexts([branch, store, guard]), [BOTH, N, C]);
}

#[test]
fn a_computed_jump_reaches_the_labels_whose_address_is_taken() {
    // goto *x; taken: call(); return; other: call();
    let mut b = Builder::default();
    let (taken, other) = (b.0.label(), b.0.label());
    b.0.address_taken.push(taken);
    let x = b.x();
    let jump = b.op(Op::GotoAny, [x]);
    let calls = [b.call(), b.call()];
    let at_taken = b.op(Op::Label(taken), [calls[0]]);
    let leave = b.op(Op::Return, []);
    let at_other = b.op(Op::Label(other), [calls[1]]);
    assert_eq!(b.contexts([jump, at_taken, leave, at_other]), [BOTH, NEVER]);
}

#[test]
fn asm_goto_jumps_or_goes_on() {
    // asm goto (out); call(); return; out: call();
    let mut b = Builder::default();
    let out = b.0.label();
    let jump = b.op(Op::MayGoto(vec![out]), []);
    let calls = [b.call(), b.call()];
    let leave = b.op(Op::Return, []);
    let at_out = b.op(Op::Label(out), [calls[1]]);
    assert_eq!(b.contexts([jump, calls[0], leave, at_out]), [BOTH, BOTH]);
}

#[test]
fn asm_whose_labels_are_unknown_jumps_to_any_or_goes_on() {
    // asm goto (?); call(); return; other: call(); goto *x; taken:
    let mut b = Builder::default();
    let (taken, other) = (b.0.label(), b.0.label());
    b.0.address_taken.push(taken);
    let jump = b.op(Op::GotoAny, []);
    let leave = b.op(Op::Return, []);
    let at_taken = b.op(Op::Label(taken), []);
    let may_jump = b.op(Op::MayGotoAny, []);
    let calls = [b.call(), b.call()];
    let at_other = b.op(Op::Label(other), [calls[1]]);
    assert_eq!(b.contexts([may_jump, calls[0], leave, at_other, jump, at_taken]), [BOTH, BOTH]);
}

/// The order of a body's sites, all of which are landmarks.
fn order(b: &Builder, root: NodeId) -> SiteOrder {
    let graph = FlowGraph::new(&b.0, root);
    let states = EntryStates::new(&graph, &flags(&b.0, &graph));
    SiteOrder::new(&graph, &states.feasible, &(0..b.0.counts().0 as u32).map(Site).collect())
}

#[test]
fn a_call_is_after_those_that_every_path_passes() {
    // first(); if (x) second(); else { third(); return; } fourth(); while (x) fifth(); sixth();
    let mut b = Builder::default();
    let calls = [b.call(), b.call(), b.call(), b.call(), b.call(), b.call()];
    let (x, leave) = (b.x(), b.op(Op::Return, []));
    let otherwise = b.op(Op::Sequence, [calls[2], leave]);
    let branch = b.op(Op::If, [x, calls[1], otherwise]);
    let x = b.x();
    let repeated = b.op(Op::While, [x, calls[4]]);
    let body = b.op(Op::Sequence, [calls[0], branch, calls[3], repeated, calls[5]]);
    let order = order(&b, body);
    let before = |site: u32| order.before(&[Site(site)]).map(|site| site.0);
    assert_eq!([0, 1, 2, 3, 4, 5].map(before), [None, Some(0), Some(0), Some(1), Some(3), Some(3)]);
    assert_eq!(order.before(&[Site(4), Site(2)]), Some(Site(0)));
    assert_eq!(order.before_end(), Some(Site(0)));
}

#[test]
fn what_may_not_be_evaluated_is_before_nothing() {
    let mut b = Builder::default();
    let calls = [b.call(), b.call()];
    let perhaps = b.op(Op::Perhaps, [calls[0]]);
    let body = b.op(Op::Sequence, [perhaps, calls[1]]);
    assert_eq!(order(&b, body).before(&[Site(1)]), None);
}

#[test]
fn a_call_ends_the_program_if_all_paths_from_it_do() {
    // first(); if (x) { second(); abort(); } third(); for (;;) fourth();
    let mut b = Builder::default();
    let calls = [b.call(), b.call()];
    let (x, stop) = (b.x(), b.abort());
    let block = b.op(Op::Sequence, [calls[1], stop]);
    let branch = b.op(Op::If, [x, block]);
    let rest = [b.call(), b.call()];
    let one = b.constant(1);
    let forever = b.op(Op::While, [one, rest[1]]);
    let body = b.op(Op::Sequence, [calls[0], branch, rest[0], forever]);
    let order = order(&b, body);
    let ends = |site: u32| order.ends(&[Site(site)]);
    // What `abort` itself does, its body tells.
    assert_eq!([0, 1, 2, 3, 4].map(ends), [false, true, false, false, false]);
}

use Context::{Inside, Outside};

/// A condition of a body without flags: the contexts at the point from each entry context.
fn at_each(condition: PathCondition) -> [ContextSet; 2] {
    Context::ALL.map(|entry| Context::ALL.into_iter().filter(|at| condition.reaches(entry, 0, *at)).collect())
}

#[test]
fn a_change_is_seen_behind_it() {
    // first(); lock(); second(); unlock(); third();
    let mut b = Builder::default();
    let calls = [b.call(), b.call(), b.call()];
    let (lock, unlock) = (b.enter(Outside), b.enter(Inside));
    let body = b.op(Op::Sequence, [calls[0], lock, calls[1], unlock, calls[2]]);
    let states = b.run(body);
    assert_eq!([0, 1, 2].map(|site| at_each(states.reach[site])), [[C, N], [N, N], [C, C]]);
    assert_eq!(at_each(states.exit), [C, C]);
}

#[test]
fn a_lock_that_is_held_cannot_be_taken_again() {
    // first(); if (x) { lock(); second(); unlock(); } third();
    let mut b = Builder::default();
    let calls = [b.call(), b.call(), b.call()];
    let lock = b.op(Op::Enter(Entering { to: Outside, from: Some(Inside), guard: None }), []);
    let unlock = b.op(Op::Enter(Entering { to: Inside, from: Some(Outside), guard: None }), []);
    let arm = b.op(Op::Sequence, [lock, calls[1], unlock]);
    let x = b.x();
    let branch = b.op(Op::If, [x, arm]);
    let body = b.op(Op::Sequence, [calls[0], branch, calls[2]]);
    let states = b.run(body);
    assert_eq!([0, 1, 2].map(|site| at_each(states.reach[site])), [[C, N], [N, NEVER], [C, N]]);
    assert_eq!(at_each(states.exit), [C, N]);
}

#[test]
fn a_body_without_predicates_and_changes_returns_as_it_was_entered() {
    let mut b = Builder::default();
    let call = b.call();
    assert_eq!(b.run(call).exit, PathCondition::always());
    let stop = b.abort();
    assert_eq!(b.run(stop).exit, PathCondition::NEVER);
}

#[test]
fn a_lock_that_is_taken_if_it_is_not_held_is_dropped_only_then() {
    // took = 0; if (!locked()) { lock(); took = 1; } work(); if (took) unlock(); after();
    let mut b = Builder::default();
    let took = b.local();
    let (zero, one) = (b.constant(0), b.constant(1));
    let [zero, one] = [zero, one].map(|value| b.op(Op::Assign(took), [value]));
    let locked = b.op(Op::Predicate(Outside), []);
    let not_locked = b.op(Op::Not, [locked]);
    let lock = b.enter(Outside);
    let arm = b.op(Op::Sequence, [lock, one]);
    let taking = b.op(Op::If, [not_locked, arm]);
    let work = b.call();
    let (read, unlock) = (b.read(took), b.enter(Inside));
    let dropping = b.op(Op::If, [read, unlock]);
    let after = b.call();
    let body = b.op(Op::Sequence, [zero, taking, work, dropping, after]);
    let states = b.run(body);
    assert_eq!([0, 1].map(|site| at_each(states.reach[site])), [[N, N], [C, N]]);
    assert_eq!(at_each(states.exit), [C, N]);
}

#[test]
fn what_is_known_is_kept_for_each_context() {
    // took = 0; if (x) { lock(); took = 1; } work(); if (took) unlock(); after();
    let mut b = Builder::default();
    let took = b.local();
    let (zero, one) = (b.constant(0), b.constant(1));
    let [zero, one] = [zero, one].map(|value| b.op(Op::Assign(took), [value]));
    let (x, lock) = (b.x(), b.enter(Outside));
    let arm = b.op(Op::Sequence, [lock, one]);
    let taking = b.op(Op::If, [x, arm]);
    let work = b.call();
    let (read, unlock) = (b.read(took), b.enter(Inside));
    let dropping = b.op(Op::If, [read, unlock]);
    let after = b.call();
    let body = b.op(Op::Sequence, [zero, taking, work, dropping, after]);
    let states = b.run(body);
    assert_eq!(at_each(states.reach[0]), [BOTH, N]);
    assert_eq!(at_each(states.reach[1]), [C, BOTH]);
}

#[test]
fn testing_the_context_refines_the_current_one() {
    // if (x) lock(); if (inside()) first(); else second(); third();
    let mut b = Builder::default();
    let (x, lock) = (b.x(), b.enter(Outside));
    let taking = b.op(Op::If, [x, lock]);
    let (p, first, second, third) = (b.p(), b.call(), b.call(), b.call());
    let test = b.op(Op::If, [p, first, second]);
    let body = b.op(Op::Sequence, [taking, test, third]);
    let reach = b.run(body).reach;
    assert_eq!([0, 1, 2].map(|site| at_each(reach[site])), [[C, NEVER], [N, N], [BOTH, N]]);
}

#[test]
fn a_stored_answer_is_that_of_before_the_change() {
    // was = inside(); lock(); if (was) first(); if (inside()) second();
    let mut b = Builder::default();
    let was = b.local();
    let p = b.p();
    let store = b.op(Op::Assign(was), [p]);
    let (lock, read, first) = (b.enter(Outside), b.read(was), b.call());
    let test = b.op(Op::If, [read, first]);
    let (p, second) = (b.p(), b.call());
    let again = b.op(Op::If, [p, second]);
    let body = b.op(Op::Sequence, [store, lock, test, again]);
    let reach = b.run(body).reach;
    assert_eq!([0, 1].map(|site| at_each(reach[site])), [[N, NEVER], [NEVER, NEVER]]);
}

#[test]
fn an_answer_out_of_a_guarded_block_is_that_inside_it() {
    // if (({ guard(); outside(); })) first(); else second();
    let mut b = Builder::default();
    let (guard, p) = (b.guard(Outside), b.op(Op::Predicate(Outside), []));
    let block = b.op(Op::Sequence, [guard, p]);
    let stored = b.local();
    let store = b.op(Op::Assign(stored), [block]);
    let (read, first, second) = (b.read(stored), b.call(), b.call());
    let test = b.op(Op::If, [read, first, second]);
    let body = b.op(Op::Sequence, [store, test]);
    let reach = b.run(body).reach;
    assert_eq!([0, 1].map(|site| at_each(reach[site])), [[C, N], [NEVER, NEVER]]);
}

#[test]
fn a_guard_ends_with_its_block_however_control_leaves_it() {
    // while (x) { guard(); first(); if (x) break; … continue; … goto out; … return; } second(); out: third();
    let mut b = Builder::default();
    let out = b.0.label();
    let (guard, first) = (b.guard(Outside), b.call());
    let ops = [Op::Break, Op::Continue, Op::Goto(out), Op::Return];
    let jumps = ops.map(|op| {
        let (x, jump) = (b.x(), b.op(op, []));
        b.op(Op::If, [x, jump])
    });
    let block = b.0.node(Op::Sequence, [vec![guard, first], jumps.to_vec()].concat());
    let x = b.x();
    let whole = b.op(Op::While, [x, block]);
    let (second, third) = (b.call(), b.call());
    let at_out = b.op(Op::Label(out), [third]);
    let body = b.op(Op::Sequence, [whole, second, at_out]);
    let states = b.run(body);
    assert_eq!([0, 1, 2].map(|site| at_each(states.reach[site])), [[N, N], [C, N], [C, N]]);
    assert_eq!(at_each(states.exit), [C, N]);
}

#[test]
fn what_a_jump_past_a_guard_skips_does_not_end_with_the_block() {
    // { if (x) goto in; guard(); in: first(); } second();
    let mut b = Builder::default();
    let inner = b.0.label();
    let (x, jump) = (b.x(), b.op(Op::Goto(inner), []));
    let branch = b.op(Op::If, [x, jump]);
    let (guard, first, second) = (b.guard(Outside), b.call(), b.call());
    let at_inner = b.op(Op::Label(inner), [first]);
    let block = b.op(Op::Sequence, [branch, guard, at_inner]);
    let body = b.op(Op::Sequence, [block, second]);
    let reach = b.run(body).reach;
    assert_eq!([0, 1].map(|site| at_each(reach[site])), [[BOTH, N], [C, N]]);
}

#[test]
fn a_body_asserts_only_what_it_was_entered_in() {
    // [lock();] if (!outside()) abort();
    for locks in [false, true] {
        let mut b = Builder::default();
        let p = b.op(Op::Predicate(Outside), []);
        let not = b.op(Op::Not, [p]);
        let stop = b.abort();
        let test = b.op(Op::If, [not, stop]);
        let unlock = b.enter(Inside);
        let parts = if locks { vec![unlock, test] } else { vec![test] };
        let body = b.0.node(Op::Sequence, parts);
        let asserted = b.run(body).assertion.map(|(context, _)| context);
        assert_eq!(asserted, (!locks).then_some(Outside), "{locks}");
    }
}

#[test]
fn the_nearest_condition_on_the_context_decides() {
    // if (p) { if (x) { A } B } else { C } D
    let mut b = Builder::default();
    let (p, x) = (b.p(), b.x());
    let p = b.named(p, 7);
    let x = b.named(x, 8);
    let [a, before, c, d] = [(); 4].map(|()| b.call());
    b.points([a, before, c, d]);
    let inner = b.op(Op::If, [x, a]);
    let yes = b.op(Op::Sequence, [inner, before]);
    let whole = b.op(Op::If, [p, yes, c]);
    let by_p = Some((GuardKind::Condition, 7));
    assert_eq!(b.deciders([whole, d]), [(C, by_p), (C, by_p), (N, by_p), (BOTH, None)]);
}

#[test]
fn a_condition_that_leaves_decides_about_what_follows() {
    // if (p) return; if (x) { A } else { B } C
    let mut b = Builder::default();
    let (p, x) = (b.p(), b.x());
    let p = b.named(p, 7);
    let returns = b.op(Op::Return, []);
    let first = b.op(Op::If, [p, returns]);
    let [a, other, c] = [(); 3].map(|()| b.call());
    b.points([a, other, c]);
    let second = b.op(Op::If, [x, a, other]);
    assert_eq!(b.deciders([first, second, c]), [(N, Some((GuardKind::Condition, 7))); 3]);
}

#[test]
fn a_condition_whose_failure_ends_the_program_is_an_assertion() {
    // A if (p) ; else abort(); B
    let mut b = Builder::default();
    let (a, p, nothing) = (b.call(), b.p(), b.constant(0));
    b.at(a);
    let p = b.named(p, 7);
    let abort = b.abort();
    let assertion = b.op(Op::If, [p, nothing, abort]);
    let after = b.call();
    b.at(after);
    let expected = [(BOTH, None), (C, Some((GuardKind::Assertion, 7)))];
    assert_eq!(b.deciders([a, assertion, after]), expected);
}

#[test]
fn what_control_does_not_pass_decides_about_dead_code() {
    // if (x) { return; A B } if (x) { abort(); C } for (;;) { break; D } if (0) { E } F
    let mut b = Builder::default();
    let [a, next, c, d, e, f] = [(); 6].map(|()| b.call());
    b.points([a, next, c, d, e, f]);
    let (x, y, one, zero) = (b.x(), b.x(), b.constant(1), b.constant(0));
    let (returns, abort, leave) = (b.op(Op::Return, []), b.abort(), b.op(Op::Break, []));
    let (returns, abort, leave, zero) = (b.named(returns, 1), b.named(abort, 2), b.named(leave, 3), b.named(zero, 4));
    let first = b.op(Op::Sequence, [returns, a, next]);
    let first = b.op(Op::If, [x, first]);
    let second = b.op(Op::Sequence, [abort, c]);
    let second = b.op(Op::If, [y, second]);
    let third = b.op(Op::Sequence, [leave, d]);
    let increment = b.call();
    let third = b.op(Op::For, [one, increment, third]);
    let fourth = b.op(Op::If, [zero, e]);
    let dead = |kind, origin| (NEVER, Some((kind, origin)));
    let expected = [
        dead(GuardKind::Return, 1),
        dead(GuardKind::Return, 1),
        dead(GuardKind::NoReturn, 2),
        dead(GuardKind::Jump, 3),
        dead(GuardKind::Never, 4),
        (BOTH, None),
    ];
    assert_eq!(b.deciders([first, second, third, fourth, f]), expected);
}

#[test]
fn a_condition_that_is_decided_already_leaves_dead_code() {
    // if (p) { if (!p) { A } B }
    let mut b = Builder::default();
    let (p, again) = (b.p(), b.p());
    let (p, again) = (b.named(p, 7), b.named(again, 8));
    let not = b.op(Op::Not, [again]);
    let (a, after) = (b.call(), b.call());
    b.points([a, after]);
    let inner = b.op(Op::If, [not, a]);
    let yes = b.op(Op::Sequence, [inner, after]);
    let whole = b.op(Op::If, [p, yes]);
    let expected = [(NEVER, Some((GuardKind::Never, 8))), (C, Some((GuardKind::Condition, 7)))];
    assert_eq!(b.deciders([whole]), expected);
}

#[test]
fn a_change_decides_until_the_next_one_or_the_end_of_its_scope() {
    // A enter(inside); B { guard(outside); C } D
    let mut b = Builder::default();
    let [a, after, c, d] = [(); 4].map(|()| b.call());
    b.points([a, after, c, d]);
    let (enter, guard) = (b.enter(Context::Inside), b.guard(Context::Outside));
    let (enter, guard) = (b.named(enter, 1), b.named(guard, 2));
    let block = b.op(Op::Sequence, [guard, c]);
    let by = |contexts, origin| (contexts, Some((GuardKind::Change, origin)));
    assert_eq!(b.deciders([a, enter, after, block, d]), [(BOTH, None), by(C, 1), by(N, 2), by(C, 1)]);
}

#[test]
fn a_condition_on_a_parameter_decides_for_some_of_its_values() {
    // if (flag) { A } B
    let mut b = Builder::default();
    let flag = b.parameter(IntegerType::BOOL);
    let read = b.read(flag);
    let read = b.named(read, 7);
    let (a, after) = (b.call(), b.call());
    b.points([a, after]);
    let whole = b.op(Op::If, [read, a]);
    assert_eq!(b.deciders([whole, after]), [(BOTH, Some((GuardKind::Parameter, 7))), (BOTH, None)]);
}

#[test]
fn the_beginning_of_a_loop_is_where_it_is_repeated() {
    // A while (x) { B enter(inside); C } D
    let mut b = Builder::default();
    let [a, inner, c, d] = [(); 4].map(|()| b.call());
    let (x, enter) = (b.x(), b.enter(Context::Inside));
    let body = b.op(Op::Sequence, [inner, enter, c]);
    let whole = b.op(Op::While, [x, body]);
    b.points([a, whole, inner, c, d]);
    let contexts: Vec<ContextSet> = b.deciders([a, whole, d]).into_iter().map(|(contexts, _)| contexts).collect();
    assert_eq!(contexts, [BOTH, BOTH, BOTH, C, BOTH]);
}

#[test]
fn a_label_is_reached_as_what_stands_behind_it() {
    // if (p) goto out; return; A out: B
    let mut b = Builder::default();
    let out = b.0.label();
    let p = b.p();
    let p = b.named(p, 7);
    let goto = b.op(Op::Goto(out), []);
    let jump = b.op(Op::If, [p, goto]);
    let returns = b.op(Op::Return, []);
    let returns = b.named(returns, 8);
    let (a, behind) = (b.call(), b.call());
    let labelled = b.op(Op::Label(out), [behind]);
    assert_eq!([a, labelled, behind].map(|node| b.at(node)), [Point(0), Point(1), Point(1)]);
    let expected = [(NEVER, Some((GuardKind::Return, 8))), (C, Some((GuardKind::Condition, 7)))];
    assert_eq!(b.deciders([jump, returns, a, labelled]), expected);
}
