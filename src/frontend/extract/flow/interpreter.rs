//! Random trees, interpreted step by step: whatever a run does, the analyses must allow.
//!
//! The interpreter walks the tree, not the graph. It takes jumps by looking for their target from the outside, as a
//! reader does, so that nothing of the graph's construction is repeated here.

use std::collections::{HashMap, HashSet};

use cowrap_facts::{Context, LockId};
use proptest::prelude::*;

use super::flags::BodyFlag;
use super::tree::GuardId;
use super::*;
use crate::extract::LockAction;

/// A source of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_in(&mut self, limit: u64) -> bool {
        self.below(limit) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

const INT: IntegerType = IntegerType { bits: 32, signed: true };
const BYTE: IntegerType = IntegerType { bits: 8, signed: false };
const LONG: IntegerType = IntegerType { bits: 64, signed: false };

/// Makes a random tree.
struct Generator {
    choices: Choices,
    tree: FlowTree,
    parameters: Vec<Variable>,
    locals: Vec<Variable>,
    labels: Vec<Label>,
    placed: usize,
    locking: HashMap<Site, Locking>,
    loops: u32,
    switches: u32,
    /// Whether the body may change the context.
    changes: bool,
}

impl Generator {
    fn new(seed: u64) -> Self {
        let mut tree = FlowTree::default();
        let types = [IntegerType::BOOL, INT, INT];
        let parameter = |(position, ty)| VariableInfo { ty, parameter: Some(position) };
        let parameters = (0..).zip(types).map(parameter).map(|info| tree.variable(info)).collect();
        let local = |ty| VariableInfo { ty, parameter: None };
        let locals: Vec<Variable> = [INT, IntegerType::BOOL, BYTE, INT].map(|ty| tree.variable(local(ty))).to_vec();
        tree.untracked.insert(locals[3]);
        let labels = (0..3).map(|_| tree.label()).collect();
        let (locking, mut choices) = (HashMap::new(), Choices(seed));
        let changes = choices.one_in(2);
        Generator { choices, tree, parameters, locals, labels, placed: 0, locking, loops: 0, switches: 0, changes }
    }

    fn node<const N: usize>(&mut self, op: Op, children: [NodeId; N]) -> NodeId {
        let node = self.tree.node(op, children.to_vec());
        self.tree.comes_from(node, Origin(node.0));
        node
    }

    /// Makes the beginning of most nodes a point.
    fn point(&mut self, node: NodeId) -> NodeId {
        if !self.choices.one_in(4) {
            self.tree.place(node);
        }
        node
    }

    fn body(&mut self) -> NodeId {
        let mut parts: Vec<NodeId> = (0..3 + self.choices.below(4)).map(|_| self.statement(3)).collect();
        while self.placed < self.labels.len() {
            parts.push(self.labelled(1));
        }
        parts.push(self.statement(2));
        self.tree.node(Op::Sequence, parts)
    }

    fn labelled(&mut self, depth: u32) -> NodeId {
        let label = self.labels[self.placed];
        self.placed += 1;
        if self.choices.one_in(2) {
            self.tree.address_taken.push(label);
        }
        let inner = self.statement(depth);
        self.node(Op::Label(label), [inner])
    }

    fn block(&mut self, depth: u32) -> NodeId {
        let parts = (0..1 + self.choices.below(3)).map(|_| self.statement(depth)).collect();
        self.tree.node(Op::Sequence, parts)
    }

    fn call(&mut self) -> NodeId {
        let site = self.tree.site();
        self.node(Op::Call { site, returns: true }, [])
    }

    fn lock(&mut self) -> NodeId {
        let site = self.tree.site();
        let action = self.choices.of(&[LockAction::Acquire, LockAction::Release, LockAction::Guard]);
        let which = self.choices.of(&["a", "b"]).into();
        self.locking.insert(site, Locking { lock: LockId(0), action, which });
        self.node(Op::Call { site, returns: true }, [])
    }

    /// A change of the context, perhaps by a guard, behind a call.
    fn change(&mut self) -> NodeId {
        let call = self.call();
        let to = self.choices.of(&Context::ALL);
        let guard = self.choices.one_in(2).then(|| self.tree.guard());
        let from = self.choices.one_in(4).then(|| self.choices.of(&Context::ALL));
        self.node(Op::Enter(Entering { to, from, guard }), [call])
    }

    fn statement(&mut self, depth: u32) -> NodeId {
        let statement = self.any_statement(depth);
        self.point(statement)
    }

    fn any_statement(&mut self, depth: u32) -> NodeId {
        if depth == 0 {
            return match self.choices.below(8) {
                0 | 1 => self.lock(),
                2 if self.changes => self.change(),
                _ => self.call(),
            };
        }
        match self.choices.below(24) {
            22 | 23 if self.changes => self.change(),
            0..=3 => self.call(),
            4 | 5 => self.lock(),
            6 | 7 => {
                let condition = self.condition(2);
                let arm = self.block(depth - 1);
                self.node(Op::If, [condition, arm])
            }
            8 => {
                let condition = self.condition(2);
                let arms = [self.block(depth - 1), self.block(depth - 1)];
                self.node(Op::If, [condition, arms[0], arms[1]])
            }
            9 | 10 => self.repeated(depth),
            11 => self.switch(depth),
            12 | 13 => {
                let variable = self.choices.of(&self.locals.clone());
                let value = self.expression(2);
                self.node(Op::Assign(variable), [value])
            }
            14 => {
                let variable = self.choices.of(&self.locals.clone());
                self.node(Op::Change(variable), [])
            }
            15 if self.placed < self.labels.len() => self.labelled(depth - 1),
            16 => {
                let label = self.choices.of(&self.labels.clone());
                let jump = match self.choices.below(4) {
                    0 => self.node(Op::GotoAny, []),
                    1 => return self.node(Op::MayGoto(vec![label]), []),
                    _ => self.node(Op::Goto(label), []),
                };
                self.perhaps_only(jump)
            }
            17 if self.loops + self.switches > 0 => {
                let leaves = self.loops == 0 || self.choices.one_in(2);
                let jump = self.node(if leaves { Op::Break } else { Op::Continue }, []);
                self.perhaps_only(jump)
            }
            18 => {
                let leave = self.node(Op::Return, []);
                self.perhaps_only(leave)
            }
            19 => {
                let site = self.tree.site();
                let stop = self.node(Op::Call { site, returns: false }, []);
                self.perhaps_only(stop)
            }
            20 => {
                let child = self.block(depth - 1);
                self.node(Op::Perhaps, [child])
            }
            _ => {
                let truth = self.tree.truth();
                let value = self.expression(2);
                let value = self.node(Op::Truth(truth), [value]);
                let site = self.tree.site();
                self.node(Op::Call { site, returns: true }, [value])
            }
        }
    }

    /// Mostly under a condition, so that something is left behind it.
    fn perhaps_only(&mut self, jump: NodeId) -> NodeId {
        if self.choices.one_in(4) {
            return jump;
        }
        let condition = self.condition(1);
        self.node(Op::If, [condition, jump])
    }

    fn repeated(&mut self, depth: u32) -> NodeId {
        let condition = self.condition(1);
        self.loops += 1;
        let body = self.block(depth - 1);
        self.loops -= 1;
        match self.choices.below(3) {
            0 => self.node(Op::While, [condition, body]),
            1 => self.node(Op::Do, [body, condition]),
            _ => {
                let increment = self.call();
                self.node(Op::For, [condition, increment, body])
            }
        }
    }

    fn switch(&mut self, depth: u32) -> NodeId {
        let value = self.expression(1);
        self.switches += 1;
        let mut parts = Vec::new();
        let mut next = self.choices.below(2) as i64 - 1;
        for _ in 0..1 + self.choices.below(4) {
            let values = match self.choices.below(6) {
                0 => CaseValues::Unknown,
                1 => CaseValues::Range(next, next + 2),
                _ => CaseValues::Range(next, next),
            };
            next += 3;
            let inner = self.statement(depth - 1);
            let case = self.node(Op::Case(values), [inner]);
            // Some cases stand inside another block.
            parts.push(if self.choices.one_in(5) {
                let condition = self.condition(1);
                self.node(Op::If, [condition, case])
            } else {
                case
            });
            if self.choices.one_in(2) {
                parts.push(self.node(Op::Break, []));
            }
        }
        if self.choices.one_in(2) {
            let inner = self.call();
            let at = self.choices.below(parts.len() as u64 + 1) as usize;
            let default = self.node(Op::Case(CaseValues::Default), [inner]);
            parts.insert(at, default);
        }
        self.switches -= 1;
        let body = self.tree.node(Op::Sequence, parts);
        let ty = self.choices.of(&[Some(INT), Some(INT), Some(LONG), None]);
        self.node(Op::Switch(ty), [value, body])
    }

    fn predicate(&mut self) -> NodeId {
        let context = self.choices.of(&Context::ALL);
        self.node(Op::Predicate(context), [])
    }

    fn condition(&mut self, depth: u32) -> NodeId {
        if self.choices.one_in(3) { self.predicate() } else { self.expression(depth) }
    }

    fn expression(&mut self, depth: u32) -> NodeId {
        let leaf = depth == 0 || self.choices.one_in(3);
        if leaf {
            return match self.choices.below(6) {
                0 => self.predicate(),
                1 => self.node(Op::Value(None), []),
                2 => {
                    let number = self.choices.of(&[0, 1, 2, 3, 4, -1, 256]);
                    self.node(Op::Value(Some(number)), [])
                }
                3 => {
                    let parameter = self.choices.of(&self.parameters.clone());
                    self.node(Op::Read(parameter), [])
                }
                _ => {
                    let local = self.choices.of(&self.locals.clone());
                    self.node(Op::Read(local), [])
                }
            };
        }
        let ty = self.choices.of(&[INT, LONG, BYTE]);
        match self.choices.below(12) {
            0 => {
                let inner = self.expression(depth - 1);
                self.node(Op::Not, [inner])
            }
            1 | 2 => {
                let op = if self.choices.one_in(2) { Op::And } else { Op::Or };
                let operands = [self.expression(depth - 1), self.expression(depth - 1)];
                self.point(operands[1]);
                self.node(op, operands)
            }
            3..=5 => {
                let comparison = self.choices.of(&[
                    Comparison::Equal,
                    Comparison::NotEqual,
                    Comparison::Equal,
                    Comparison::Less,
                    Comparison::GreaterOrEqual,
                ]);
                let operands = [self.expression(depth - 1), self.expression(0)];
                let ty = if self.choices.one_in(8) { None } else { Some(ty) };
                self.node(Op::Compare(comparison, ty), operands)
            }
            6 | 7 => {
                let operation =
                    self.choices.of(&[Arithmetic::And, Arithmetic::And, Arithmetic::Or, Arithmetic::Subtract]);
                let operands = [self.expression(depth - 1), self.expression(0)];
                self.node(Op::Arithmetic(operation, ty), operands)
            }
            8 => {
                let inner = self.expression(depth - 1);
                let ty = self.choices.of(&[IntegerType::BOOL, BYTE, INT, LONG]);
                self.node(Op::Convert(ty), [inner])
            }
            9 => {
                let parts = [self.condition(1), self.expression(depth - 1), self.expression(depth - 1)];
                self.point(parts[2]);
                self.node(Op::Conditional, parts)
            }
            10 => {
                let parts = [self.expression(depth - 1), self.expression(depth - 1)];
                self.node(Op::Otherwise, parts)
            }
            _ => {
                let call = if self.choices.one_in(2) {
                    self.call()
                } else {
                    let local = self.choices.of(&self.locals.clone());
                    let value = self.expression(0);
                    self.node(Op::Assign(local), [value])
                };
                let value = self.expression(depth - 1);
                self.node(Op::Sequence, [call, value])
            }
        }
    }
}

/// Why control leaves a node before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jump {
    Break,
    Continue,
    Goto(Label),
    Return,
    /// At a call that does not return.
    Stop,
    /// The run takes too long.
    Enough,
}

/// Where control goes on after a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Label(Label),
    Case(NodeId),
}

/// A lock that a run holds.
#[derive(Clone, Debug)]
struct RunLock {
    which: String,
    /// For a guard, how many scopes are around it.
    depth: Option<usize>,
}

/// One run.
struct Run<'t> {
    tree: &'t FlowTree,
    locking: &'t HashMap<Site, Locking>,
    choices: Choices,
    context: Context,
    values: HashMap<Variable, i64>,
    seeking: Option<Target>,
    depth: usize,
    fuel: u32,
    held: Vec<RunLock>,
    /// The guards whose scopes have not ended: how many scopes are around each, and the context before it.
    guards: Vec<(GuardId, usize, Context)>,
    /// The sites that were passed, with the context and the locks held there.
    passed: Vec<(Site, Context, Vec<String>)>,
    truths: Vec<(TruthId, bool, Context)>,
    /// The points that were passed, with the context there.
    points: Vec<(Point, Context)>,
}

type Step = Result<i64, Jump>;

impl Run<'_> {
    fn unknown(&mut self) -> i64 {
        self.choices.of(&[0, 1, 2, 3, 4, 5, 6, -1])
    }

    fn contains(&self, node: NodeId, target: Target) -> bool {
        let (op, children) = self.tree.look(node);
        match (op, target) {
            (Op::Label(label), Target::Label(wanted)) if *label == wanted => true,
            (Op::Case(_), Target::Case(wanted)) if node == wanted => true,
            _ => children.iter().any(|child| self.contains(*child, target)),
        }
    }

    fn all(&mut self, nodes: &[NodeId]) -> Step {
        let mut value = None;
        for &node in nodes {
            value = Some(self.node(node)?);
        }
        Ok(value.unwrap_or(0))
    }

    fn truth(&mut self, node: NodeId) -> Result<bool, Jump> {
        Ok(self.node(node)? != 0)
    }

    fn node(&mut self, node: NodeId) -> Step {
        let tree = self.tree;
        let (op, children) = tree.look(node);
        if let Some(target) = self.seeking {
            if !self.contains(node, target) {
                return Ok(0);
            }
            if target == Target::Case(node) {
                self.seeking = None;
                return self.all(children);
            }
            if let (Op::Label(label), Target::Label(wanted)) = (op, target)
                && *label == wanted
            {
                self.seeking = None;
                return self.all(children);
            }
            // Conditions that control jumps over are not evaluated.
            return match (op, children) {
                (Op::If, [_, arms @ ..]) => {
                    let arm = arms.iter().find(|arm| self.contains(**arm, target));
                    arm.map_or(Ok(0), |arm| self.node(*arm))
                }
                (Op::While | Op::Do | Op::For, _) => self.repeated(op, children),
                (Op::Switch(_), [_, body]) => self.broken(*body),
                (Op::Perhaps, _) => {
                    let child = children.iter().position(|child| self.contains(*child, target)).unwrap_or_default();
                    self.node(children[child])?;
                    self.maybe(&children[child + 1..])
                }
                (Op::Sequence, _) => self.scope(node),
                _ => self.all(children),
            };
        }
        if self.fuel == 0 {
            return Err(Jump::Enough);
        }
        self.fuel -= 1;
        self.points.extend(tree.point(node).map(|point| (point, self.context)));
        self.step(node, op, children)
    }

    fn maybe(&mut self, children: &[NodeId]) -> Step {
        for &child in children {
            if self.choices.one_in(2) {
                self.node(child)?;
            }
        }
        Ok(self.unknown())
    }

    fn step(&mut self, node: NodeId, op: &Op, children: &[NodeId]) -> Step {
        match (op, children) {
            (Op::Sequence, _) => self.scope(node),
            (Op::Opaque, _) => {
                self.all(children)?;
                Ok(self.unknown())
            }
            (Op::Perhaps, _) => self.maybe(children),
            (Op::Value(value), _) => Ok(value.unwrap_or_else(|| self.unknown())),
            (Op::Read(variable), _) if self.tree.untracked.contains(variable) => Ok(self.unknown()),
            (Op::Read(variable), _) => Ok(self.values[variable]),
            (Op::Assign(variable), _) => {
                let value = self.all(children)?;
                let value = self.tree.variables()[variable.0 as usize].ty.convert(value);
                self.values.insert(*variable, value);
                Ok(if self.tree.untracked.contains(variable) { self.unknown() } else { value })
            }
            (Op::Change(variable), _) => {
                self.all(children)?;
                let value = self.unknown();
                let value = self.tree.variables()[variable.0 as usize].ty.convert(value);
                self.values.insert(*variable, value);
                Ok(self.unknown())
            }
            (Op::Predicate(context), _) => Ok(i64::from(self.context == *context)),
            (Op::Enter(Entering { to, from, guard }), _) => {
                self.all(children)?;
                if from.is_some_and(|from| from != self.context) {
                    return Err(Jump::Stop);
                }
                if let Some(guard) = guard
                    && !self.guards.iter().any(|(open, ..)| open == guard)
                {
                    self.guards.push((*guard, self.depth, self.context));
                }
                self.context = *to;
                Ok(self.unknown())
            }
            (Op::Call { site, returns }, _) => {
                self.all(children)?;
                self.pass(*site);
                if *returns { Ok(self.unknown()) } else { Err(Jump::Stop) }
            }
            (Op::Truth(truth), [value]) => {
                let value = self.truth(*value)?;
                self.truths.push((*truth, value, self.context));
                Ok(self.unknown())
            }
            (Op::Not, [inner]) => Ok(i64::from(!self.truth(*inner)?)),
            (Op::And, [left, right]) => Ok(i64::from(self.truth(*left)? && self.truth(*right)?)),
            (Op::Or, [left, right]) => Ok(i64::from(self.truth(*left)? || self.truth(*right)?)),
            (Op::Compare(comparison, ty), [left, right]) => {
                let (left, right) = (self.node(*left)?, self.node(*right)?);
                Ok(ty.map_or_else(|| self.unknown() & 1, |ty| comparison.holds(ty, left, right).into()))
            }
            (Op::Arithmetic(operation, ty), [left, right]) => {
                let (left, right) = (self.node(*left)?, self.node(*right)?);
                Ok(operation.apply(*ty, left, right))
            }
            (Op::Convert(ty), [inner]) => Ok(ty.convert(self.node(*inner)?)),
            (Op::Conditional, [condition, yes, no]) => {
                if self.truth(*condition)? {
                    self.node(*yes)
                } else {
                    self.node(*no)
                }
            }
            (Op::Otherwise, [value, otherwise]) => match self.node(*value)? {
                0 => self.node(*otherwise),
                value => Ok(value),
            },
            (Op::If, [condition, yes, no @ ..]) => {
                if self.truth(*condition)? {
                    self.node(*yes)
                } else {
                    self.all(no)
                }
            }
            (Op::While | Op::Do | Op::For, _) => self.repeated(op, children),
            (Op::Switch(ty), [value, body]) => {
                let value = self.node(*value)?;
                match self.case(*ty, value, *body) {
                    Some(case) => {
                        self.seeking = Some(Target::Case(case));
                        self.broken(*body)
                    }
                    None => Ok(0),
                }
            }
            (Op::Case(_) | Op::Label(_), _) => self.all(children),
            (Op::Goto(label), _) => Err(Jump::Goto(*label)),
            (Op::GotoAny, _) => {
                self.all(children)?;
                let known = self.tree.address_taken.clone();
                let all: Vec<Label> = (0..self.tree.counts().1 as u32).map(Label).collect();
                Err(Jump::Goto(self.choices.of(if known.is_empty() { &all } else { &known })))
            }
            (Op::MayGoto(labels), _) => {
                self.all(children)?;
                if self.choices.one_in(2) { Ok(0) } else { Err(Jump::Goto(self.choices.of(labels))) }
            }
            (Op::Break, _) => Err(Jump::Break),
            (Op::Continue, _) => Err(Jump::Continue),
            (Op::Return, _) => {
                self.all(children)?;
                Err(Jump::Return)
            }
            _ => panic!("{op:?} has {} children", children.len()),
        }
    }

    /// A block. Guards end with it, unless control jumps to a label inside it.
    fn scope(&mut self, node: NodeId) -> Step {
        let children = self.tree.look(node).1;
        self.depth += 1;
        let mut result = self.all(children);
        while let Err(Jump::Goto(label)) = result {
            if !children.iter().any(|child| self.contains(*child, Target::Label(label))) {
                break;
            }
            self.seeking = Some(Target::Label(label));
            result = self.all(children);
        }
        self.depth -= 1;
        let depth = self.depth;
        self.held.retain(|held| held.depth.is_none_or(|guarded| guarded <= depth));
        while let Some((_, _, before)) = self.guards.pop_if(|(_, guarded, _)| *guarded > depth) {
            self.context = before;
        }
        result
    }

    fn broken(&mut self, body: NodeId) -> Step {
        match self.node(body) {
            Err(Jump::Break) => Ok(0),
            result => result,
        }
    }

    fn repeated(&mut self, op: &Op, children: &[NodeId]) -> Step {
        let (condition, increment, body) = match (op, children) {
            (Op::Do, [body, condition]) => (*condition, None, *body),
            (Op::For, [condition, increment, body]) => (*condition, Some(*increment), *body),
            (_, [condition, body]) => (*condition, None, *body),
            _ => panic!("a loop has {} children", children.len()),
        };
        let mut is_inside = self.seeking.is_some() || *op == Op::Do;
        loop {
            if !is_inside && !self.truth(condition)? {
                return Ok(0);
            }
            is_inside = false;
            match self.node(body) {
                Ok(_) | Err(Jump::Continue) => {}
                Err(Jump::Break) => return Ok(0),
                Err(jump) => return Err(jump),
            }
            if let Some(increment) = increment {
                self.node(increment)?;
            }
        }
    }

    /// The case that a value picks.
    fn case(&mut self, ty: Option<IntegerType>, value: i64, body: NodeId) -> Option<NodeId> {
        let mut cases = Vec::new();
        self.cases_below(body, &mut cases);
        let default = cases.iter().find(|(_, values)| *values == CaseValues::Default).map(|(node, _)| *node);
        let mut matching: Vec<Option<NodeId>> = Vec::new();
        for (node, values) in &cases {
            let is_match = match (*values, ty) {
                (CaseValues::Default, _) => false,
                (CaseValues::Unknown, _) | (_, None) => true,
                (CaseValues::Range(first, last), Some(ty)) => {
                    Comparison::LessOrEqual.holds(ty, first, value) && Comparison::LessOrEqual.holds(ty, value, last)
                }
            };
            let is_certain = matches!(values, CaseValues::Range(..)) && ty.is_some();
            if is_match && is_certain {
                return Some(*node);
            }
            if is_match {
                matching.push(Some(*node));
            }
        }
        matching.push(default);
        self.choices.of(&matching)
    }

    fn cases_below(&self, node: NodeId, found: &mut Vec<(NodeId, CaseValues)>) {
        let (op, children) = self.tree.look(node);
        match op {
            Op::Switch(_) => return,
            Op::Case(values) => found.push((node, *values)),
            _ => {}
        }
        children.iter().for_each(|child| self.cases_below(*child, found));
    }

    fn pass(&mut self, site: Site) {
        let which = self.held.iter().map(|held| held.which.clone()).collect();
        self.passed.push((site, self.context, which));
        let Some(Locking { action, which, .. }) = self.locking.get(&site) else { return };
        let known = self.held.iter().position(|held| *held.which == **which);
        match (action, known) {
            (LockAction::Acquire | LockAction::Guard, None) => {
                let depth = (*action == LockAction::Guard).then_some(self.depth);
                self.held.push(RunLock { which: which.to_string(), depth });
            }
            (LockAction::Acquire | LockAction::Guard, Some(_)) => {}
            (LockAction::Release, Some(position)) => drop(self.held.remove(position)),
            (LockAction::Release, None) => self.held.clear(),
        }
    }
}

/// What the analyses say of a tree.
struct Analysed {
    graph: FlowGraph,
    flags: Vec<BodyFlag>,
    states: EntryStates,
    order: SiteOrder,
    locks: HeldLocks,
}

fn analyse(generator: &Generator, root: NodeId) -> Analysed {
    let graph = FlowGraph::new(&generator.tree, root);
    let flags = flags(&generator.tree, &graph);
    let states = EntryStates::new(&graph, &flags);
    let landmarks: HashSet<Site> = (0..generator.tree.counts().0 as u32).map(Site).collect();
    let order = SiteOrder::new(&graph, &states.feasible, &landmarks);
    let locks = held_locks(&graph, &states.feasible, &generator.locking);
    Analysed { graph, flags, states, order, locks }
}

/// Something decides about each point that control does not reach as it could at the beginning.
fn check_deciders(analysed: &Analysed) -> Result<(), TestCaseError> {
    let Analysed { graph, states, .. } = analysed;
    let deciders = Deciders::new(graph, states);
    for (number, condition) in (0..).zip(&states.points) {
        let point = Point(number);
        // Behind the end of a guard's scope, several changes can be what decides, and none of them is nearest.
        let is_plain = *condition != states.always && !condition.changes();
        if graph.points[number as usize].is_some() && is_plain {
            prop_assert!(deciders.of(point).is_some(), "nothing decides about {point:?}: {condition:?}");
        }
    }
    Ok(())
}

/// Runs a tree once, and compares what happens with what the analyses say.
fn check_run(generator: &Generator, root: NodeId, analysed: &Analysed, seed: u64) -> Result<(), TestCaseError> {
    let mut choices = Choices(seed);
    let context = choices.of(&Context::ALL);
    let mut values = HashMap::new();
    for (number, info) in generator.tree.variables().iter().enumerate() {
        let value = choices.of(&[0, 1, 2, 3, 4, 5, 6, 7, -1, 256]);
        values.insert(Variable(number as u32), info.ty.convert(value));
    }
    let holds = |flag: &BodyFlag| flag.fact.test.holds(values[&flag.variable]);
    let value = analysed.flags.iter().enumerate().fold(0, |value, (bit, flag)| value | u8::from(holds(flag)) << bit);
    let mut run = Run {
        tree: &generator.tree,
        locking: &generator.locking,
        choices,
        context,
        values,
        seeking: None,
        depth: 0,
        fuel: 400,
        held: Vec::new(),
        guards: Vec::new(),
        passed: Vec::new(),
        truths: Vec::new(),
        points: Vec::new(),
    };
    let end = run.node(root);
    for (point, at) in &run.points {
        let condition = analysed.states.points[point.0 as usize];
        let is_left_out = analysed.graph.points[point.0 as usize].is_none();
        prop_assert!(is_left_out || condition.reaches(context, value, *at), "{point:?} is reached in {at:?}");
    }
    let returns = matches!(end, Ok(_) | Err(Jump::Return));
    for (truth, is_true, at) in &run.truths {
        let condition = analysed.states.truths[truth.0 as usize][usize::from(!is_true)];
        prop_assert!(condition.reaches(context, value, *at), "{truth:?} may be {is_true} in {at:?}");
    }
    for (position, (site, at, held)) in run.passed.iter().enumerate() {
        let reach = analysed.states.reach[site.0 as usize];
        prop_assert!(reach.reaches(context, value, *at), "{site:?} is reached in {at:?}");
        if let Some(before) = analysed.order.before(&[*site]) {
            let passed = run.passed[..position].iter().any(|(other, ..)| *other == before);
            prop_assert!(passed, "{before:?} is before {site:?}");
        }
        prop_assert!(!(returns && analysed.order.ends(&[*site])), "control returns from {site:?}");
        for lock in analysed.locks.held.get(site).into_iter().flat_map(|held| held.iter()) {
            prop_assert!(held.iter().any(|held| *held == *lock.which), "{} is held at {site:?}", lock.which);
        }
    }
    if returns {
        prop_assert!(analysed.states.exit.reaches(context, value, run.context), "returns in {:?}", run.context);
        let asserted = analysed.states.assertion.is_none_or(|(asserted, _)| asserted == context);
        prop_assert!(asserted, "returns against the assertion");
    }
    if let (true, Some(before)) = (returns, analysed.order.before_end()) {
        prop_assert!(run.passed.iter().any(|(site, ..)| *site == before), "{before:?} is before the end");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn what_a_run_does_is_in_what_the_analyses_say(seed in any::<u64>()) {
        let mut generator = Generator::new(seed);
        let root = generator.body();
        let analysed = analyse(&generator, root);
        check_deciders(&analysed)?;
        for run in 0..40 {
            check_run(&generator, root, &analysed, seed.wrapping_add(run * 7919))?;
        }
    }
}
