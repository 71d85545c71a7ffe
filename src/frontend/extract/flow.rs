//! Where control can be: the structured control flow of one body, evaluated once for each entry
//! context.
//!
//! The context does not change while a body runs. So instead of joining sets of contexts, the body
//! is run abstractly once inside a coroutine and once outside, and once for each value of its
//! boolean parameters: in each such world a predicate like `qemu_in_coroutine()` is a constant, and
//! constants are propagated through conditions and local variables. That treats every guard alike,
//! `if`, `&&`, `assert`, a flag that was set from the predicate …, and what is not constant is
//! simply not refined.
//!
//! This file must never know libclang: it works on the [`FlowTree`] alone.

use cowrap_facts::{Context, PathCondition};

/// A node of a [`FlowTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);

/// A local variable or parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variable(pub u32);

/// A label of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(pub u32);

/// A point of the body whose path condition is wanted: a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(pub u32);

/// A truth value that the body passes on: an argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthId(pub u32);

/// A body, reduced to what its control flow depends on.
#[derive(Clone, Debug, Default)]
pub struct FlowTree {
    nodes: Vec<(Op, Vec<NodeId>)>,
    site_count: u32,
    label_count: u32,
    truth_count: u32,
    has_predicate: bool,
    /// The variables whose value is never followed, since something else may change them.
    pub untracked: std::collections::HashSet<Variable>,
}

/// What a node does with its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Evaluates its children in order; its value is that of the last.
    Sequence,
    /// Evaluates its children in order; its value is unknown.
    Opaque,
    /// May or may not evaluate its children.
    Perhaps,
    /// A constant, or an unknown value.
    Value(Option<i64>),
    /// A variable's value.
    Read(Variable),
    /// Gives the variable the value of the only child.
    Assign(Variable),
    /// Evaluates its children and makes the variable's value unknown.
    Change(Variable),
    /// The predicate that says whether the code runs in a coroutine.
    Predicate,
    /// Evaluates its children, then passes a site, and does not return if told so.
    Call { site: Site, returns: bool },
    /// Evaluates the only child, and notes whether it may be true and may be false.
    Truth(TruthId),
    /// `!a`
    Not,
    /// `a && b`
    And,
    /// `a || b`
    Or,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a ? b : c`
    Conditional,
    /// `if (a) b else c`, the last optional.
    If,
    /// `while (a) b`. The variables are those that the loop assigns.
    While(Vec<Variable>),
    /// `do a while (b)`
    Do(Vec<Variable>),
    /// `for (; a; b) c`; its initialisation stands before it. A missing condition is a constant.
    For(Vec<Variable>),
    /// `switch (a) b`
    Switch,
    /// `case …: a` or `default: a`
    Case { default: bool },
    /// `label: a`
    Label(Label),
    /// `goto label`
    Goto(Label),
    /// A jump to any label: a computed `goto`.
    GotoAny,
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return a`, the child optional.
    Return,
}

/// The result of evaluating a body in all entry contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowResult {
    /// For each site, the contexts and flags that reach it.
    pub reach: Vec<PathCondition>,
    /// For each truth value, the contexts and flags in which it may be true, and those in which it
    /// may be false.
    pub truths: Vec<[PathCondition; 2]>,
    /// An assertion on the context that every path passes before anything returns: the context, and
    /// the site of the call that does not return if it fails.
    pub assertion: Option<(Context, Site)>,
}

/// A variable whose value is part of the entry context.
#[derive(Clone, Copy, Debug)]
pub struct Flag(pub Variable);

impl FlowTree {
    /// Adds a node above its children.
    pub fn node(&mut self, op: Op, children: Vec<NodeId>) -> NodeId {
        self.has_predicate |= op == Op::Predicate;
        self.nodes.push((op, children));
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// What a node does, and its children.
    pub fn look(&self, node: NodeId) -> (&Op, &[NodeId]) {
        let (op, children) = &self.nodes[node.0 as usize];
        (op, children)
    }

    /// A new site.
    pub fn site(&mut self) -> Site {
        self.site_count += 1;
        Site(self.site_count - 1)
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.label_count += 1;
        Label(self.label_count - 1)
    }

    /// A new truth value to be noted.
    pub fn truth(&mut self) -> TruthId {
        self.truth_count += 1;
        TruthId(self.truth_count - 1)
    }

    /// Evaluates the body below `root` in every context and for every value of the flags.
    pub fn run(&self, root: NodeId, flags: &[Flag]) -> FlowResult {
        let sites = self.site_count as usize;
        let mut reach = vec![PathCondition::NEVER; sites];
        let mut returns = [false; 2];
        let mut stops = vec![PathCondition::NEVER; sites];
        let mut truths = vec![[PathCondition::NEVER; 2]; self.truth_count as usize];
        for (number, context) in Context::ALL.into_iter().enumerate() {
            if number == 1 && !self.has_predicate {
                // No condition asks for the context, so the second evaluation would give the same
                // result.
                for reach in reach.iter_mut().chain(truths.iter_mut().flatten()) {
                    mirror(reach, flags.len());
                }
                returns[1] = returns[0];
                break;
            }
            for values in 0..1u8 << flags.len() {
                let run = Evaluation::new(self, context, flags, values).until_stable(root);
                for (site, reached) in run.reached.iter().enumerate() {
                    if *reached {
                        reach[site].insert(context, values);
                    }
                }
                for site in &run.stopped_at {
                    stops[site.0 as usize].insert(context, values);
                }
                for (truth, seen) in truths.iter_mut().zip(&run.truths) {
                    for (reach, _) in truth.iter_mut().zip(seen).filter(|(_, seen)| **seen) {
                        reach.insert(context, values);
                    }
                }
                returns[number] |= run.returns;
            }
        }
        FlowResult { assertion: assertion(returns, &stops, self.has_predicate), reach, truths }
    }

    fn op(&self, node: NodeId) -> &Op {
        &self.nodes[node.0 as usize].0
    }

    fn children(&self, node: NodeId) -> &[NodeId] {
        &self.nodes[node.0 as usize].1
    }
}

/// Copies the result for coroutines to non-coroutine context.
fn mirror(reach: &mut PathCondition, flag_count: usize) {
    for values in 0..1u8 << flag_count {
        if reach.contains(Context::Coroutine, values) {
            reach.insert(Context::NonCoroutine, values);
        }
    }
}

/// A body asserts a context if it returns in that context alone, and does not return in the other
/// one.
fn assertion(returns: [bool; 2], stops: &[PathCondition], has_predicate: bool) -> Option<(Context, Site)> {
    let asserted = match returns {
        [true, false] => Context::Coroutine,
        [false, true] => Context::NonCoroutine,
        _ => return None,
    };
    let fails = |reach: &PathCondition| reach.contexts() == asserted.other().into();
    let site = stops.iter().position(fails)?;
    has_predicate.then_some((asserted, Site(site as u32)))
}

/// The constants known at a point, sorted by variable; `None` where control cannot be.
type FlowState = Option<Vec<(Variable, i64)>>;

/// What is known where paths meet.
fn join(one: FlowState, other: FlowState) -> FlowState {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.retain(|known| other.contains(known));
            Some(one)
        }
        (state, None) | (None, state) => state,
    }
}

fn set(state: &mut FlowState, variable: Variable, value: Option<i64>) {
    let Some(known) = state else { return };
    known.retain(|(other, _)| *other != variable);
    if let Some(value) = value {
        known.push((variable, value));
        known.sort_unstable();
    }
}

fn forget(state: &mut FlowState, variables: &[Variable]) {
    if let Some(known) = state {
        known.retain(|(variable, _)| !variables.contains(variable));
    }
}

/// One evaluation, in one context and for one value of each flag.
struct Evaluation<'t> {
    tree: &'t FlowTree,
    context: Context,
    /// What is known at the start of the body: the values of its flags.
    start: Vec<(Variable, i64)>,
    /// For each site, whether it is reached.
    reached: Vec<bool>,
    /// For each truth value, whether it was seen to be possibly true and possibly false.
    truths: Vec<[bool; 2]>,
    /// The calls that are reached and do not return.
    stopped_at: Vec<Site>,
    /// Whether the body's end or a `return` is reached.
    returns: bool,
    /// For each label, whether a `goto` to it is reached.
    jumped_to: Vec<bool>,
    jumps_grew: bool,
    /// The states at the `break`s of each loop and `switch` that is open, the innermost last.
    breaks: Vec<FlowState>,
    /// The states at the `continue`s of each loop that is open.
    continues: Vec<FlowState>,
    /// Each `switch` that is open.
    switches: Vec<SwitchFrame>,
}

/// A `switch` whose body is being evaluated.
struct SwitchFrame {
    /// What is known at its beginning, and so at each of its cases.
    head: FlowState,
    /// Whether a `default` was seen.
    has_default: bool,
}

impl<'t> Evaluation<'t> {
    fn new(tree: &'t FlowTree, context: Context, flags: &[Flag], values: u8) -> Self {
        let mut start: Vec<(Variable, i64)> =
            flags.iter().enumerate().map(|(bit, flag)| (flag.0, i64::from(values >> bit & 1))).collect();
        start.sort_unstable();
        Evaluation {
            tree,
            context,
            start,
            reached: vec![false; tree.site_count as usize],
            truths: vec![[false; 2]; tree.truth_count as usize],
            stopped_at: Vec::new(),
            returns: false,
            jumped_to: vec![false; tree.label_count as usize],
            jumps_grew: false,
            breaks: Vec::new(),
            continues: Vec::new(),
            switches: Vec::new(),
        }
    }

    /// Evaluates until no further label is reached by a jump: a backward `goto` is found only after
    /// its label.
    fn until_stable(mut self, root: NodeId) -> Self {
        loop {
            self.jumps_grew = false;
            self.stopped_at.clear();
            let (end, _) = self.eval(root, Some(self.start.clone()));
            self.returns |= end.is_some();
            if !self.jumps_grew {
                return self;
            }
        }
    }

    /// Evaluates a node from a state. Returns the state behind it, and its value if that is a
    /// constant.
    fn eval(&mut self, node: NodeId, state: FlowState) -> (FlowState, Option<i64>) {
        let children = self.tree.children(node);
        match self.tree.op(node) {
            Op::Sequence => self.eval_all(children, state),
            Op::Opaque => (self.eval_all(children, state).0, None),
            Op::Perhaps => {
                let mut after = state;
                for &child in children {
                    let evaluated = self.eval(child, after.clone()).0;
                    after = join(after, evaluated);
                }
                (after, None)
            }
            Op::Value(value) => (state, *value),
            Op::Read(variable) => {
                let value = state
                    .as_ref()
                    .and_then(|known| known.iter().find(|(other, _)| other == variable).map(|(_, value)| *value));
                (state, value)
            }
            Op::Assign(variable) => {
                let (mut state, value) = self.eval_all(children, state);
                // The conversion to the variable's type may change other values.
                let value = value.filter(|value| (0..=1).contains(value));
                let value = value.filter(|_| !self.tree.untracked.contains(variable));
                set(&mut state, *variable, value);
                (state, value)
            }
            Op::Change(variable) => {
                let (mut state, _) = self.eval_all(children, state);
                set(&mut state, *variable, None);
                (state, None)
            }
            Op::Predicate => {
                let (state, _) = self.eval_all(children, state);
                (state, Some(i64::from(self.context == Context::Coroutine)))
            }
            Op::Call { site, returns } => {
                let (state, _) = self.eval_all(children, state);
                if state.is_none() {
                    return (None, None);
                }
                self.reached[site.0 as usize] = true;
                if *returns {
                    return (state, None);
                }
                self.stopped_at.push(*site);
                (None, None)
            }
            Op::Truth(truth) => {
                let (yes, no) = self.branch_on(children.first(), state);
                let seen = &mut self.truths[truth.0 as usize];
                seen[0] |= yes.is_some();
                seen[1] |= no.is_some();
                (join(yes, no), None)
            }
            Op::Not | Op::And | Op::Or | Op::Equal | Op::NotEqual => {
                let (yes, no) = self.branch(node, state);
                let value = match (&yes, &no) {
                    (Some(_), None) => Some(1),
                    (None, Some(_)) => Some(0),
                    _ => None,
                };
                (join(yes, no), value)
            }
            Op::Conditional => {
                let (yes, no) = self.branch_on(children.first(), state);
                let (yes, yes_value) = self.eval_optional(children.get(1), yes);
                let (no, no_value) = self.eval_optional(children.get(2), no);
                let value = match (&yes, &no) {
                    (Some(_), None) => yes_value,
                    (None, Some(_)) => no_value,
                    _ => yes_value.filter(|_| yes_value == no_value),
                };
                (join(yes, no), value)
            }
            Op::If => {
                let (yes, no) = self.branch_on(children.first(), state);
                let yes = self.eval_optional(children.get(1), yes).0;
                let no = self.eval_optional(children.get(2), no).0;
                (join(yes, no), None)
            }
            Op::While(assigned) => {
                let mut head = state;
                forget(&mut head, assigned);
                let (inside, outside) = self.branch_on(children.first(), head);
                let (_, breaks, _) = self.in_loop(children.get(1), inside);
                (join(outside, breaks), None)
            }
            Op::Do(assigned) => {
                let mut head = state;
                forget(&mut head, assigned);
                let (end, breaks, continues) = self.in_loop(children.first(), head);
                let (_, outside) = self.branch_on(children.get(1), join(end, continues));
                (join(outside, breaks), None)
            }
            Op::For(assigned) => {
                let mut head = state;
                forget(&mut head, assigned);
                let (inside, outside) = self.branch_on(children.first(), head);
                let (end, breaks, continues) = self.in_loop(children.get(2), inside);
                self.eval_optional(children.get(1), join(end, continues));
                (join(outside, breaks), None)
            }
            Op::Switch => {
                let (head, _) = self.eval_optional(children.first(), state);
                self.switches.push(SwitchFrame { head: head.clone(), has_default: false });
                self.breaks.push(None);
                let (end, _) = self.eval_optional(children.get(1), None);
                let breaks = self.breaks.pop().flatten();
                let has_default = self.switches.pop().is_some_and(|frame| frame.has_default);
                let passed = if has_default { None } else { head };
                (join(join(end, breaks), passed), None)
            }
            Op::Case { default } => {
                let mut state = state;
                if let Some(frame) = self.switches.last_mut() {
                    frame.has_default |= default;
                    state = join(state, frame.head.clone());
                }
                self.eval_all(children, state)
            }
            Op::Label(label) => {
                // Constants at the jumps are not followed, only whether there are jumps.
                let jumped = self.jumped_to[label.0 as usize];
                let state = if jumped { Some(self.start.clone()) } else { state.map(|_| self.start.clone()) };
                self.eval_all(children, state)
            }
            Op::Goto(label) => {
                self.jump(*label, state.is_some());
                (None, None)
            }
            Op::GotoAny => {
                let (state, _) = self.eval_all(children, state);
                for label in 0..self.tree.label_count {
                    self.jump(Label(label), state.is_some());
                }
                (None, None)
            }
            Op::Break => {
                if let Some(breaks) = self.breaks.last_mut() {
                    *breaks = join(breaks.take(), state);
                }
                (None, None)
            }
            Op::Continue => {
                if let Some(continues) = self.continues.last_mut() {
                    *continues = join(continues.take(), state);
                }
                (None, None)
            }
            Op::Return => {
                let (state, _) = self.eval_all(children, state);
                self.returns |= state.is_some();
                (None, None)
            }
        }
    }

    fn eval_all(&mut self, nodes: &[NodeId], mut state: FlowState) -> (FlowState, Option<i64>) {
        let mut value = None;
        for &node in nodes {
            (state, value) = self.eval(node, state);
        }
        (state, value)
    }

    fn eval_optional(&mut self, node: Option<&NodeId>, state: FlowState) -> (FlowState, Option<i64>) {
        match node {
            Some(&node) => self.eval(node, state),
            None => (state, None),
        }
    }

    /// Evaluates a loop's body. Returns the states at its end, at its `break`s and at its
    /// `continue`s.
    fn in_loop(&mut self, body: Option<&NodeId>, state: FlowState) -> (FlowState, FlowState, FlowState) {
        self.breaks.push(None);
        self.continues.push(None);
        let (end, _) = self.eval_optional(body, state);
        let breaks = self.breaks.pop().flatten();
        let continues = self.continues.pop().flatten();
        (end, breaks, continues)
    }

    fn branch_on(&mut self, condition: Option<&NodeId>, state: FlowState) -> (FlowState, FlowState) {
        match condition {
            Some(&condition) => self.branch(condition, state),
            None => (state.clone(), state),
        }
    }

    /// Evaluates a condition. Returns the state where it holds and the state where it does not.
    fn branch(&mut self, condition: NodeId, state: FlowState) -> (FlowState, FlowState) {
        let children = self.tree.children(condition);
        match self.tree.op(condition) {
            Op::Not => {
                let (yes, no) = self.branch_on(children.first(), state);
                (no, yes)
            }
            Op::And => {
                let (first, no) = self.branch_on(children.first(), state);
                let (yes, also_no) = self.branch_on(children.get(1), first);
                (yes, join(no, also_no))
            }
            Op::Or => {
                let (yes, first_no) = self.branch_on(children.first(), state);
                let (also_yes, no) = self.branch_on(children.get(1), first_no);
                (join(yes, also_yes), no)
            }
            Op::Equal => self.compare(children, state, true),
            Op::NotEqual => self.compare(children, state, false),
            Op::Conditional => {
                let (yes, no) = self.branch_on(children.first(), state);
                let (yes_yes, yes_no) = self.branch_on(children.get(1), yes);
                let (no_yes, no_no) = self.branch_on(children.get(2), no);
                (join(yes_yes, no_yes), join(yes_no, no_no))
            }
            Op::Sequence if !children.is_empty() => {
                let (last, before) = children.split_last().expect("not empty");
                let (state, _) = self.eval_all(before, state);
                self.branch(*last, state)
            }
            _ => {
                let (state, value) = self.eval(condition, state);
                match value {
                    Some(0) => (None, state),
                    Some(_) => (state, None),
                    None => (state.clone(), state),
                }
            }
        }
    }

    fn compare(&mut self, operands: &[NodeId], state: FlowState, equal: bool) -> (FlowState, FlowState) {
        let (state, one) = self.eval_optional(operands.first(), state);
        let (state, other) = self.eval_optional(operands.get(1), state);
        match (one, other) {
            (Some(one), Some(other)) if (one == other) == equal => (state, None),
            (Some(_), Some(_)) => (None, state),
            _ => (state.clone(), state),
        }
    }

    fn jump(&mut self, label: Label, reached: bool) {
        let jumped = &mut self.jumped_to[label.0 as usize];
        if reached && !*jumped {
            *jumped = true;
            self.jumps_grew = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cowrap_facts::ContextSet;

    /// Builds trees by hand: `b.call()` is a site, `b.p()` the predicate, `b.x()` an unknown value.
    #[derive(Default)]
    struct Builder(FlowTree);

    impl Builder {
        fn op<const N: usize>(&mut self, op: Op, children: [NodeId; N]) -> NodeId {
            self.0.node(op, children.to_vec())
        }
        fn p(&mut self) -> NodeId {
            self.op(Op::Predicate, [])
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
        fn contexts<const N: usize>(mut self, body: [NodeId; N]) -> Vec<ContextSet> {
            let root = self.op(Op::Sequence, body);
            self.0.run(root, &[]).reach.into_iter().map(PathCondition::contexts).collect()
        }
    }

    const C: ContextSet = ContextSet::COROUTINE;
    const N: ContextSet = ContextSet::NON_COROUTINE;
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
        let whole = b.op(Op::While(vec![]), [x, body]);
        let after = b.call();
        assert_eq!(b.contexts([whole, after]), [C, BOTH]);
    }

    #[test]
    fn a_local_that_holds_the_predicate_refines_until_it_changes() {
        let variable = Variable(0);
        let mut b = Builder::default();
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
    fn a_variable_that_a_loop_assigns_is_unknown_in_it() {
        // v = p; while (x) { if (v) call(); v = 1; }
        let variable = Variable(0);
        let mut b = Builder::default();
        let (p, x, one) = (b.p(), b.x(), b.constant(1));
        let store = b.op(Op::Assign(variable), [p]);
        let read = b.op(Op::Read(variable), []);
        let call = b.call();
        let guard = b.op(Op::If, [read, call]);
        let set = b.op(Op::Assign(variable), [one]);
        let body = b.op(Op::Sequence, [guard, set]);
        let whole = b.op(Op::While(vec![variable]), [x, body]);
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
        let whole = b.op(Op::While(vec![]), [one, inside]);
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
        let case = b.op(Op::Case { default: false }, [guard]);
        let inside = b.call();
        let body = b.op(Op::Sequence, [case, inside]);
        let whole = b.op(Op::Switch, [x, body]);
        let after = b.call();
        assert_eq!(b.contexts([whole, after]), [C, BOTH]);
    }

    #[test]
    fn an_assertion_on_every_path_is_found() {
        let mut b = Builder::default();
        let (p, stop) = (b.p(), b.abort());
        let not_p = b.op(Op::Not, [p]);
        let body = b.op(Op::If, [not_p, stop]);
        let outcome = b.0.run(body, &[]);
        assert_eq!(outcome.assertion, Some((Context::Coroutine, Site(0))));
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
        assert_eq!(b.0.run(body, &[]).assertion, None);
    }

    #[test]
    fn an_endless_loop_is_no_assertion() {
        // if (p) for (;;) call();
        let mut b = Builder::default();
        let (p, one, inside) = (b.p(), b.constant(1), b.call());
        let forever = b.op(Op::While(vec![]), [one, inside]);
        let body = b.op(Op::If, [p, forever]);
        assert_eq!(b.0.run(body, &[]).assertion, None);
    }

    #[test]
    fn what_is_passed_is_noted_for_each_world() {
        // f(flag && p, x);
        let flag = Variable(0);
        let mut b = Builder::default();
        let read = b.op(Op::Read(flag), []);
        let p = b.p();
        let both = b.op(Op::And, [read, p]);
        let (first, second) = (b.0.truth(), b.0.truth());
        let passed = b.op(Op::Truth(first), [both]);
        let x = b.x();
        let unknown = b.op(Op::Truth(second), [x]);
        let body = b.op(Op::Sequence, [passed, unknown]);
        let outcome = b.0.run(body, &[Flag(flag)]);
        let [may_be_true, may_be_false] = outcome.truths[0];
        assert_eq!(may_be_true.contexts(), C);
        assert!(may_be_true.contains(Context::Coroutine, 1) && !may_be_true.contains(Context::Coroutine, 0));
        assert_eq!(may_be_false.contexts(), BOTH);
        assert!(!may_be_false.contains(Context::Coroutine, 1) && may_be_false.contains(Context::NonCoroutine, 1));
        assert!(outcome.truths[1].iter().all(|reach| reach.contains(Context::NonCoroutine, 1)));
    }

    #[test]
    fn flags_make_worlds_of_their_own() {
        // if (flag) call(); else if (p) call();
        let flag = Variable(0);
        let mut b = Builder::default();
        let read = b.op(Op::Read(flag), []);
        let p = b.p();
        let (first, second) = (b.call(), b.call());
        let inner = b.op(Op::If, [p, second]);
        let body = b.op(Op::If, [read, first, inner]);
        let outcome = b.0.run(body, &[Flag(flag)]);
        assert!(outcome.reach[0].depends_on_flags(Context::NonCoroutine, 1));
        assert!(outcome.reach[0].contains(Context::NonCoroutine, 1));
        assert!(!outcome.reach[0].contains(Context::NonCoroutine, 0));
        assert_eq!(outcome.reach[1].contexts(), C);
    }
}
