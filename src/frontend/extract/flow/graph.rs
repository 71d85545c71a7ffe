//! The control-flow graph of one body: blocks of steps, and edges with the conditions under which control takes them.
//!
//! It is made from a [`FlowTree`] once. Every jump is an edge: loops, `switch`, `break`, `continue`, labels, computed
//! `goto` and `asm goto`. Both analyses of [`super::solver`] read it.

use cowrap_facts::Context;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::DfsPostOrder;

use super::tree::{
    Arithmetic, CaseValues, Comparison, Entering, FlowTree, IntegerType, Label, NodeId, Op, Origin, Point, Site,
    TruthId, Variable, VariableInfo,
};

/// A block of the graph.
pub type BlockId = NodeIndex;

/// An edge of the graph.
pub type EdgeId = EdgeIndex;

/// The scope of a block of C. Scopes are numbered in the order in which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(u32);

/// The graph of a body.
#[derive(Debug)]
pub struct FlowGraph {
    /// The blocks and edges.
    pub blocks: DiGraph<Block, Edge>,
    /// Where control starts.
    pub entry: BlockId,
    /// Where control returns to the caller: the end of the body, and each `return`.
    pub exit: BlockId,
    /// The blocks that edges connect to the entry, in reverse postorder.
    pub order: Vec<BlockId>,
    /// The variables of the tree, then the intermediate results.
    pub variables: Vec<VariableInfo>,
    /// The conditions of the edges.
    pub conditions: Vec<Condition>,
    /// The `switch` statements.
    pub switches: Vec<Switch>,
    /// How many sites there are.
    pub site_count: usize,
    /// How many truth values there are.
    pub truth_count: usize,
    /// Where each point is: a block and a position among its steps. `None` for one that was left out.
    pub points: Vec<Option<(BlockId, usize)>>,
    /// Whether a condition can ask for the context.
    pub has_predicate: bool,
    /// Whether a step can change the context.
    pub has_change: bool,
    /// The last scope that begins inside each scope.
    scope_ends: Vec<Scope>,
}

/// Steps that control makes one after the other.
#[derive(Debug, Default)]
pub struct Block {
    /// The steps.
    pub steps: Vec<Step>,
    /// Whether the last step is a call that does not return.
    pub stops: bool,
    /// Whether that call ends the program.
    pub ends: bool,
    /// Where control would have to come from, for a block that begins behind a jump.
    pub behind: Option<Behind>,
}

/// What control does not pass, where a block begins behind it.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// The block that ends with it.
    pub block: BlockId,
    /// What it is.
    pub what: Passing,
    /// Where it comes from.
    pub origin: Option<Origin>,
}

/// What control does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// A call that does not return.
    Call,
    /// `return`.
    Return,
    /// Another jump.
    Jump,
    /// A condition with a constant value, to the side that it does not go.
    Condition,
}

/// A step.
#[derive(Debug)]
pub enum Step {
    /// Gives a variable a value, converted to its type.
    Set(Variable, Expression),
    /// Passes a site, in a scope.
    Call(Site, Scope),
    /// Notes that a truth value may be this.
    Note(TruthId, bool),
    /// Goes on in this scope: all scopes that do not contain it have ended.
    Leave(Scope),
    /// Goes on in another context, for a guard until the end of this scope.
    Enter(Entering, Scope, Option<Origin>),
    /// Comes to a point.
    Point(Point),
}

/// A value that needs no computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Anything.
    Unknown,
    /// A constant.
    Number(i64),
    /// The value of a variable.
    Variable(Variable),
    /// Whether this is the context.
    Predicate(Context),
}

/// A value.
#[derive(Debug)]
pub enum Expression {
    /// An operand.
    Operand(Operand),
    /// An operand, converted.
    Convert(IntegerType, Operand),
    /// An operation.
    Arithmetic(Arithmetic, IntegerType, Operand, Operand),
}

/// A condition.
#[derive(Debug)]
pub struct Condition {
    /// What it tests.
    pub test: Test,
    /// What is tested.
    pub operand: Operand,
    /// Whether it only decides what an argument is.
    pub passed_on: bool,
    /// Where it comes from.
    pub origin: Option<Origin>,
}

/// A test of a value.
#[derive(Clone, Copy, Debug)]
pub enum Test {
    /// Whether it is not 0.
    NonZero,
    /// Whether it compares so with another value, in a type.
    Compare(Comparison, IntegerType, Operand),
    /// Whether it has any of these bits, in a type.
    HasBits(IntegerType, Operand),
}

/// A `switch`.
#[derive(Debug)]
pub struct Switch {
    /// What it decides on.
    pub operand: Operand,
    /// In which type.
    pub ty: IntegerType,
    /// The values of its cases.
    pub cases: Vec<(i64, i64)>,
    /// Where it comes from.
    pub origin: Option<Origin>,
}

/// What control needs to take an edge.
#[derive(Clone, Copy, Debug)]
pub enum Edge {
    /// Nothing.
    Always,
    /// That the condition at this position has this result.
    If(u32, bool),
    /// That the `switch` at this position goes to the case at that position; `None` if it goes to no case.
    Case(u32, Option<u32>),
}

impl FlowGraph {
    /// The graph of the body below `root`.
    pub fn new(tree: &FlowTree, root: NodeId) -> FlowGraph {
        let (site_count, label_count, truth_count) = tree.counts();
        let mut blocks = DiGraph::new();
        let [entry, exit] = [(); 2].map(|()| blocks.add_node(Block::default()));
        let labels = (0..label_count).map(|_| blocks.add_node(Block::default())).collect();
        let graph = FlowGraph {
            blocks,
            entry,
            exit,
            order: Vec::new(),
            variables: tree.variables().to_vec(),
            conditions: Vec::new(),
            switches: Vec::new(),
            site_count,
            truth_count,
            points: vec![None; tree.points()],
            has_predicate: tree.has_predicate(),
            has_change: tree.has_change(),
            scope_ends: vec![Scope(0)],
        };
        let mut builder = Builder {
            tree,
            graph,
            current: entry,
            scope: Scope(0),
            loops: Vec::new(),
            switches: Vec::new(),
            labels,
            label_scopes: vec![Scope(0); label_count],
            jumps: Vec::new(),
            any_label: None,
            taken_label: None,
            passing: false,
            origin: None,
        };
        builder.effects(root);
        builder.finish()
    }

    /// Whether a scope is this one, or inside it.
    pub fn is_within(&self, inner: Scope, outer: Scope) -> bool {
        outer <= inner && inner <= self.scope_ends[outer.0 as usize]
    }
}

/// A loop or `switch` that is open.
struct JumpTarget {
    /// Where `break` goes.
    behind: BlockId,
    /// Where `continue` goes; a `switch` has no such place.
    next: Option<BlockId>,
    /// The scope around it.
    scope: Scope,
}

/// A `switch` that is open.
struct OpenSwitch {
    cases: Vec<((i64, i64), BlockId)>,
    unknown: Vec<BlockId>,
    default: Option<BlockId>,
}

struct Builder<'t> {
    tree: &'t FlowTree,
    graph: FlowGraph,
    /// The block that is being filled. Behind a jump it is one that nothing leads to.
    current: BlockId,
    scope: Scope,
    loops: Vec<JumpTarget>,
    switches: Vec<OpenSwitch>,
    labels: Vec<BlockId>,
    label_scopes: Vec<Scope>,
    /// The jumps to labels: from a block of their own, whose scopes end on the way.
    jumps: Vec<(BlockId, Label)>,
    /// Where jumps to any label meet.
    any_label: Option<BlockId>,
    /// Where computed jumps meet.
    taken_label: Option<BlockId>,
    /// Whether an argument is being evaluated.
    passing: bool,
    /// Where the code comes from that is being added.
    origin: Option<Origin>,
}

impl Builder<'_> {
    fn finish(mut self) -> FlowGraph {
        self.goto(self.graph.exit, Passing::Return);
        for (from, label) in std::mem::take(&mut self.jumps) {
            let to = self.labels[label.0 as usize];
            self.graph.blocks[from].steps.push(Step::Leave(self.label_scopes[label.0 as usize]));
            self.graph.blocks.add_edge(from, to, Edge::Always);
        }
        let mut walk = DfsPostOrder::new(&self.graph.blocks, self.graph.entry);
        while let Some(block) = walk.next(&self.graph.blocks) {
            self.graph.order.push(block);
        }
        self.graph.order.reverse();
        self.graph
    }

    fn block(&mut self) -> BlockId {
        self.graph.blocks.add_node(Block::default())
    }

    fn step(&mut self, step: Step) {
        self.graph.blocks[self.current].steps.push(step);
    }

    fn edge(&mut self, to: BlockId, edge: Edge) {
        self.graph.blocks.add_edge(self.current, to, edge);
    }

    /// Goes on at a block, and then fills one that nothing leads to yet.
    fn goto(&mut self, to: BlockId, what: Passing) {
        self.edge(to, Edge::Always);
        self.go_on_behind(what);
    }

    /// Fills a block behind what control does not pass.
    fn go_on_behind(&mut self, what: Passing) {
        let behind = Behind { block: self.current, what, origin: self.origin };
        self.current = self.block();
        self.graph.blocks[self.current].behind = Some(behind);
    }

    /// Goes on at a block, and fills it.
    fn enter(&mut self, block: BlockId) {
        self.edge(block, Edge::Always);
        self.current = block;
    }

    /// Leads to a block or passes by: either may happen.
    fn perhaps(&mut self, fill: impl FnOnce(&mut Self)) {
        let [inside, behind] = [self.block(), self.block()];
        self.edge(inside, Edge::Always);
        self.edge(behind, Edge::Always);
        self.current = inside;
        fill(self);
        self.enter(behind);
    }

    /// Does something in a scope of its own.
    fn in_scope<R>(&mut self, fill: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.scope;
        let inner = Scope(self.graph.scope_ends.len() as u32);
        self.graph.scope_ends.push(inner);
        self.scope = inner;
        let result = fill(self);
        let last = Scope(self.graph.scope_ends.len() as u32 - 1);
        self.graph.scope_ends[inner.0 as usize] = last;
        self.graph.scope_ends[0] = last;
        self.scope = outer;
        self.step(Step::Leave(outer));
        result
    }

    fn all(&mut self, nodes: &[NodeId]) {
        nodes.iter().for_each(|&node| self.effects(node));
    }

    fn optional(&mut self, node: Option<&NodeId>) {
        node.into_iter().for_each(|&node| self.effects(node));
    }

    /// Adds a node: notes where it comes from, and that control comes to it.
    fn add<R>(&mut self, node: NodeId, add: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.origin;
        self.origin = self.tree.origin(node).or(outer);
        // The beginning of a loop is where it is repeated.
        if !matches!(self.tree.look(node).0, Op::While | Op::Do | Op::For) {
            self.pass(node);
        }
        let result = add(self);
        self.origin = outer;
        result
    }

    /// Notes that control comes to a node.
    fn pass(&mut self, node: NodeId) {
        if let Some(point) = self.tree.point(node) {
            let at = (self.current, self.graph.blocks[self.current].steps.len());
            self.graph.points[point.0 as usize].get_or_insert(at);
            self.step(Step::Point(point));
        }
    }

    /// Adds what a node does; its value is not used.
    fn effects(&mut self, node: NodeId) {
        self.add(node, |this| this.effects_of(node));
    }

    fn effects_of(&mut self, node: NodeId) {
        let tree = self.tree;
        let (op, children) = tree.look(node);
        match op {
            Op::Sequence => self.in_scope(|this| this.all(children)),
            Op::Opaque | Op::Predicate(_) | Op::Convert(_) | Op::Arithmetic(..) | Op::Compare(..) => self.all(children),
            Op::Perhaps => children.iter().for_each(|&child| self.perhaps(|this| this.effects(child))),
            Op::Value(_) | Op::Read(_) => {}
            Op::Assign(variable) => match children {
                [value] if !tree.untracked.contains(variable) => self.assign(*value, *variable),
                _ => self.all(children),
            },
            Op::Change(variable) => {
                self.all(children);
                self.set(*variable, Expression::Operand(Operand::Unknown));
            }
            Op::Enter(entering) => {
                self.all(children);
                self.step(Step::Enter(*entering, self.scope, self.origin));
            }
            Op::Call { site, returns } => {
                self.all(children);
                self.step(Step::Call(*site, self.scope));
                if !returns {
                    let block = &mut self.graph.blocks[self.current];
                    (block.stops, block.ends) = (true, !tree.leaving.contains(site));
                    self.go_on_behind(Passing::Call);
                }
            }
            Op::Truth(truth) => {
                let outer = std::mem::replace(&mut self.passing, true);
                let [yes, no] = self.arms(children.first());
                self.passing = outer;
                let notes = [(yes, Step::Note(*truth, true)), (no, Step::Note(*truth, false))];
                let behind = self.block();
                for (block, note) in notes {
                    self.current = block;
                    self.step(note);
                    self.edge(behind, Edge::Always);
                }
                self.current = behind;
            }
            Op::Not => self.optional(children.first()),
            Op::And | Op::Or | Op::Conditional | Op::Otherwise | Op::If => self.choice(op, children),
            Op::While | Op::Do | Op::For => self.repeated(node, op, children),
            Op::Switch(ty) => self.switch(*ty, children),
            Op::Case(values) => {
                self.case(*values);
                self.all(children);
            }
            Op::Label(label) => {
                let block = self.labels[label.0 as usize];
                self.label_scopes[label.0 as usize] = self.scope;
                self.enter(block);
                self.all(children);
            }
            Op::Goto(label) => {
                self.may_jump(std::slice::from_ref(label));
                self.go_on_behind(Passing::Jump);
            }
            Op::GotoAny => {
                self.all(children);
                // An address from elsewhere can be that of any label.
                let known = &self.tree.address_taken;
                let any = if known.is_empty() { self.any_label() } else { self.taken_label() };
                self.goto(any, Passing::Jump);
            }
            Op::MayGoto(labels) => {
                self.all(children);
                self.may_jump(labels);
                let behind = self.block();
                self.enter(behind);
            }
            Op::MayGotoAny => {
                self.all(children);
                let any = self.any_label();
                self.edge(any, Edge::Always);
                let behind = self.block();
                self.enter(behind);
            }
            Op::Break => self.leave(self.loops.last().map(|target| (target.behind, target.scope))),
            Op::Continue => {
                let target = self.loops.iter().rev().find_map(|target| Some((target.next?, target.scope)));
                self.leave(target);
            }
            Op::Return => {
                self.all(children);
                self.step(Step::Leave(Scope(0)));
                self.goto(self.graph.exit, Passing::Return);
            }
        }
    }

    /// Jumps out of a loop or `switch`.
    fn leave(&mut self, target: Option<(BlockId, Scope)>) {
        if let Some((block, scope)) = target {
            self.step(Step::Leave(scope));
            self.goto(block, Passing::Jump);
        }
    }

    /// The block from which control goes to any label. All jumps that may lead to any share it, so that there are not
    /// as many edges as jumps times labels.
    fn any_label(&mut self) -> BlockId {
        if let Some(block) = self.any_label {
            return block;
        }
        let all: Vec<Label> = (0..self.labels.len() as u32).map(Label).collect();
        let any = self.one_of(&all);
        self.any_label = Some(any);
        any
    }

    /// The same for the labels whose address is taken.
    fn taken_label(&mut self) -> BlockId {
        if let Some(block) = self.taken_label {
            return block;
        }
        let taken = self.one_of(&self.tree.address_taken);
        self.taken_label = Some(taken);
        taken
    }

    /// A block from which control goes to any of these labels.
    fn one_of(&mut self, labels: &[Label]) -> BlockId {
        let block = self.block();
        let outer = std::mem::replace(&mut self.current, block);
        self.may_jump(labels);
        self.current = outer;
        block
    }

    /// Edges to labels. Control may also go on.
    fn may_jump(&mut self, labels: &[Label]) {
        for &label in labels {
            let from = self.block();
            self.edge(from, Edge::Always);
            self.jumps.push((from, label));
        }
    }

    /// `if`, `?:` and the like, without their value.
    fn choice(&mut self, op: &Op, children: &[NodeId]) {
        let Some((condition, rest)) = children.split_first() else { return };
        let [yes, no] = self.arms(Some(condition));
        let (yes_arm, no_arm) = match op {
            Op::Or | Op::Otherwise => (None, rest.first()),
            _ => (rest.first(), rest.get(1)),
        };
        let behind = self.block();
        for (block, arm) in [(yes, yes_arm), (no, no_arm)] {
            self.current = block;
            self.optional(arm);
            self.edge(behind, Edge::Always);
        }
        self.current = behind;
    }

    fn repeated(&mut self, node: NodeId, op: &Op, children: &[NodeId]) {
        let [head, next, behind] = [self.block(), self.block(), self.block()];
        self.enter(head);
        self.pass(node);
        self.loops.push(JumpTarget { behind, next: Some(next), scope: self.scope });
        match (op, children) {
            (Op::Do, [body, condition]) => {
                self.effects(*body);
                self.enter(next);
                self.branch(*condition, head, behind);
            }
            (Op::For, [condition, increment, body]) => {
                let inside = self.block();
                self.branch(*condition, inside, behind);
                self.current = inside;
                self.effects(*body);
                self.enter(next);
                self.effects(*increment);
                self.edge(head, Edge::Always);
            }
            (_, [condition, body]) => {
                let inside = self.block();
                self.branch(*condition, inside, behind);
                self.current = inside;
                self.effects(*body);
                self.enter(next);
                self.edge(head, Edge::Always);
            }
            _ => self.all(children),
        }
        self.loops.pop();
        self.current = behind;
    }

    fn switch(&mut self, ty: Option<IntegerType>, children: &[NodeId]) {
        let [value, body] = children else { return self.all(children) };
        let operand = self.tested(*value, ty);
        let head = self.current;
        let behind = self.block();
        self.go_on_behind(Passing::Jump);
        self.loops.push(JumpTarget { behind, next: None, scope: self.scope });
        self.switches.push(OpenSwitch { cases: Vec::new(), unknown: Vec::new(), default: None });
        self.effects(*body);
        self.loops.pop();
        self.enter(behind);
        let Some(open) = self.switches.pop() else { return };
        let number = self.graph.switches.len() as u32;
        let operand = if ty.is_some() { operand } else { Operand::Unknown };
        for (position, (_, block)) in open.cases.iter().enumerate() {
            self.graph.blocks.add_edge(head, *block, Edge::Case(number, Some(position as u32)));
        }
        for block in &open.unknown {
            self.graph.blocks.add_edge(head, *block, Edge::Always);
        }
        self.graph.blocks.add_edge(head, open.default.unwrap_or(behind), Edge::Case(number, None));
        self.graph.switches.push(Switch {
            operand,
            ty: ty.unwrap_or(IntegerType { bits: 64, signed: true }),
            cases: open.cases.iter().map(|(values, _)| *values).collect(),
            origin: self.origin,
        });
    }

    fn case(&mut self, values: CaseValues) {
        let block = self.block();
        self.enter(block);
        let Some(open) = self.switches.last_mut() else { return };
        match values {
            CaseValues::Default => open.default = Some(block),
            CaseValues::Range(first, last) => open.cases.push(((first, last), block)),
            CaseValues::Unknown => open.unknown.push(block),
        }
    }

    fn set(&mut self, variable: Variable, value: Expression) {
        if !self.tree.untracked.contains(&variable) {
            self.step(Step::Set(variable, value));
        }
    }

    /// Gives a variable the value of a node.
    fn assign(&mut self, node: NodeId, variable: Variable) {
        self.add(node, |this| this.assign_value(node, variable));
    }

    fn assign_value(&mut self, node: NodeId, variable: Variable) {
        let tree = self.tree;
        let (op, children) = tree.look(node);
        let is_bool = self.graph.variables[variable.0 as usize].ty.is_bool();
        match (op, children) {
            (Op::Sequence, [before @ .., last]) => self.in_scope(|this| {
                this.all(before);
                this.assign(*last, variable);
            }),
            (Op::Conditional, [condition, yes_value, no_value]) => {
                let [yes, no] = self.arms(Some(condition));
                let behind = self.block();
                for (block, value) in [(yes, yes_value), (no, no_value)] {
                    self.current = block;
                    self.assign(*value, variable);
                    self.edge(behind, Edge::Always);
                }
                self.current = behind;
            }
            (Op::Otherwise, [value, otherwise]) => {
                let operand = self.operand(*value);
                let operand = self.kept(operand, true);
                let [yes, no, behind] = [self.block(), self.block(), self.block()];
                self.decide(Test::NonZero, operand, yes, no);
                self.current = yes;
                self.set(variable, Expression::Operand(operand));
                self.edge(behind, Edge::Always);
                self.current = no;
                self.assign(*otherwise, variable);
                self.enter(behind);
            }
            // The type is checked where the value is converted.
            (Op::Convert(ty), [inner]) if !ty.is_bool() && !is_bool => {
                let inner = self.operand(*inner);
                self.set(variable, Expression::Convert(*ty, inner));
            }
            (Op::Arithmetic(operation, ty), [left, right]) if !is_bool => {
                let [left, right] = self.operands([*left, *right], Some(*ty));
                self.set(variable, Expression::Arithmetic(*operation, *ty, left, right));
            }
            (Op::Not | Op::And | Op::Or | Op::Compare(..), _) => self.assign_truth(node, variable),
            (Op::Convert(_) | Op::Arithmetic(..), _) => self.assign_truth(node, variable),
            _ => {
                let operand = self.operand(node);
                self.set(variable, Expression::Operand(operand));
            }
        }
    }

    /// Gives a variable 1 if a node is true, and 0 if it is not.
    fn assign_truth(&mut self, node: NodeId, variable: Variable) {
        let [yes, no] = self.arms(Some(&node));
        let behind = self.block();
        for (block, value) in [(yes, 1), (no, 0)] {
            self.current = block;
            self.set(variable, Expression::Operand(Operand::Number(value)));
            self.edge(behind, Edge::Always);
        }
        self.current = behind;
    }

    /// The value of a node.
    fn operand(&mut self, node: NodeId) -> Operand {
        self.add(node, |this| this.value(node))
    }

    fn value(&mut self, node: NodeId) -> Operand {
        let tree = self.tree;
        let (op, children) = tree.look(node);
        match (op, children) {
            (Op::Value(Some(number)), _) => Operand::Number(*number),
            (Op::Read(variable), _) if !tree.untracked.contains(variable) => Operand::Variable(*variable),
            (Op::Predicate(context), _) => {
                self.all(children);
                Operand::Predicate(*context)
            }
            (Op::Assign(variable), _) if !tree.untracked.contains(variable) => {
                self.effects(node);
                Operand::Variable(*variable)
            }
            (Op::Sequence, [_, ..]) => {
                // The value may be that of a variable whose scope ends.
                self.in_scope(|this| {
                    let Some((last, before)) = children.split_last() else { return Operand::Unknown };
                    this.all(before);
                    let operand = this.operand(*last);
                    // The end of the scope can change the context.
                    if matches!(operand, Operand::Predicate(_)) { this.kept(operand, true) } else { operand }
                })
            }
            (
                Op::Conditional
                | Op::Otherwise
                | Op::Not
                | Op::And
                | Op::Or
                | Op::Compare(..)
                | Op::Arithmetic(..)
                | Op::Convert(_),
                _,
            ) => {
                if let Some(number) = tree.constant(node) {
                    return Operand::Number(number);
                }
                let result = self.intermediate();
                self.assign(node, result);
                Operand::Variable(result)
            }
            _ => {
                self.effects(node);
                Operand::Unknown
            }
        }
    }

    /// A variable for an intermediate result.
    fn intermediate(&mut self) -> Variable {
        let ty = IntegerType { bits: 64, signed: true };
        self.graph.variables.push(VariableInfo { ty, parameter: None });
        Variable(self.graph.variables.len() as u32 - 1)
    }

    /// An operand that stays the same while something else is evaluated.
    fn kept(&mut self, operand: Operand, is_changed: bool) -> Operand {
        match operand {
            Operand::Variable(variable) if is_changed && self.tree.is_assigned(variable) => self.copy(operand),
            Operand::Predicate(_) if is_changed && self.tree.has_change() => self.copy(operand),
            _ => operand,
        }
    }

    /// An intermediate result with the value that an operand has now.
    fn copy(&mut self, operand: Operand) -> Operand {
        let copy = self.intermediate();
        self.set(copy, Expression::Operand(operand));
        Operand::Variable(copy)
    }

    /// The operands of an operation in a type.
    fn operands(&mut self, [left, right]: [NodeId; 2], ty: Option<IntegerType>) -> [Operand; 2] {
        let is_leaf = matches!(self.tree.look(right).0, Op::Value(_) | Op::Read(_) | Op::Predicate(_));
        let left = self.tested(left, ty);
        let left = self.kept(left, !is_leaf);
        [left, self.tested(right, ty)]
    }

    /// The value of a node whose use converts it to a type: without the conversions that this makes superfluous, so
    /// that it is seen whether a parameter is tested.
    fn tested(&mut self, mut node: NodeId, ty: Option<IntegerType>) -> Operand {
        let tree = self.tree;
        let mut inner = node;
        while let (Op::Convert(_), [next]) = tree.look(inner) {
            inner = *next;
        }
        if let (Op::Read(variable), Some(ty)) = (tree.look(inner).0, ty) {
            let own = tree.variables()[variable.0 as usize].ty;
            let mut at = node;
            let mut superfluous = ty.is_at_least(own);
            while let (Op::Convert(through), [next]) = tree.look(at) {
                superfluous &=
                    *through == ty || through.keeps(own) || (own.bits == ty.bits && through.bits >= own.bits);
                at = *next;
            }
            if superfluous {
                node = inner;
            }
        }
        self.operand(node)
    }

    /// The blocks behind a condition: where it holds, and where it does not.
    fn arms(&mut self, condition: Option<&NodeId>) -> [BlockId; 2] {
        let [yes, no] = [self.block(), self.block()];
        match condition {
            Some(&condition) => self.branch(condition, yes, no),
            None => self.decide(Test::NonZero, Operand::Unknown, yes, no),
        }
        [yes, no]
    }

    /// Evaluates a condition, and goes to one of two blocks.
    fn branch(&mut self, condition: NodeId, yes: BlockId, no: BlockId) {
        self.add(condition, |this| this.branch_on(condition, yes, no));
    }

    fn branch_on(&mut self, condition: NodeId, yes: BlockId, no: BlockId) {
        let tree = self.tree;
        let (op, children) = tree.look(condition);
        match (op, children) {
            (Op::Not, [inner]) => self.branch(*inner, no, yes),
            (Op::And, [left, right]) => {
                let both = self.block();
                self.branch(*left, both, no);
                self.current = both;
                self.branch(*right, yes, no);
            }
            (Op::Or, [left, right]) => {
                let neither = self.block();
                self.branch(*left, yes, neither);
                self.current = neither;
                self.branch(*right, yes, no);
            }
            (Op::Otherwise, [left, right]) => {
                let neither = self.block();
                self.branch(*left, yes, neither);
                self.current = neither;
                self.branch(*right, yes, no);
            }
            (Op::Conditional, [condition, yes_value, no_value]) => {
                let [first, second] = self.arms(Some(condition));
                for (block, value) in [(first, yes_value), (second, no_value)] {
                    self.current = block;
                    self.branch(*value, yes, no);
                }
            }
            (Op::Compare(comparison @ (Comparison::Equal | Comparison::NotEqual), Some(ty)), [left, right])
                if self.keeps_truth(*ty, *left) && self.is_truth(*left, *right).is_some() =>
            {
                // `(x & 4) != 0` is `x & 4`, and `(x & 4) == 4` as well.
                let same = self.is_truth(*left, *right) == Some(*comparison == Comparison::Equal);
                let [yes, no] = if same { [yes, no] } else { [no, yes] };
                self.branch(*left, yes, no);
            }
            (Op::Compare(comparison, ty), [left, right]) => {
                let [left, right] = self.operands([*left, *right], *ty);
                match ty {
                    Some(ty) => self.decide(Test::Compare(*comparison, *ty, right), left, yes, no),
                    None => self.decide(Test::NonZero, Operand::Unknown, yes, no),
                }
            }
            (Op::Arithmetic(Arithmetic::And, ty), [left, right]) => {
                let [left, right] = self.operands([*left, *right], Some(*ty));
                self.decide(Test::HasBits(*ty, right), left, yes, no);
            }
            (Op::Convert(ty), [inner]) if ty.is_bool() || self.keeps_truth(*ty, *inner) => {
                self.branch(*inner, yes, no);
            }
            (Op::Sequence, [before @ .., last]) => {
                let [inner_yes, inner_no] = self.in_scope(|this| {
                    this.all(before);
                    this.arms(Some(last))
                });
                // The step that ends the scope stands behind the condition.
                let unused = self.current;
                for (inner, outer) in [(inner_yes, yes), (inner_no, no)] {
                    self.current = inner;
                    self.step(Step::Leave(self.scope));
                    self.edge(outer, Edge::Always);
                }
                self.current = unused;
            }
            _ => {
                let operand = self.operand(condition);
                self.decide(Test::NonZero, operand, yes, no);
            }
        }
    }

    /// Whether the left node equals the right one exactly if it is true, or exactly if it is not.
    fn is_truth(&self, left: NodeId, right: NodeId) -> Option<bool> {
        match (self.tree.constant(right)?, self.tree.look(left)) {
            (0, _) => Some(false),
            (number, (Op::Arithmetic(Arithmetic::And, _), [one, other])) if number.count_ones() == 1 => {
                let mask = self.tree.constant(*one).or_else(|| self.tree.constant(*other));
                (mask == Some(number)).then_some(true)
            }
            _ => None,
        }
    }

    /// Whether a conversion to a type does not change whether a node is 0.
    fn keeps_truth(&self, ty: IntegerType, node: NodeId) -> bool {
        match self.tree.look(node) {
            (Op::Read(variable), _) => ty.is_at_least(self.tree.variables()[variable.0 as usize].ty),
            (Op::Convert(inner) | Op::Arithmetic(_, inner), _) => ty.is_at_least(*inner),
            (Op::Not | Op::And | Op::Or | Op::Compare(..) | Op::Predicate(_), _) => true,
            (Op::Value(Some(number)), _) => (*number != 0) == (ty.convert(*number) != 0),
            (Op::Conditional, [_, yes, no]) => self.keeps_truth(ty, *yes) && self.keeps_truth(ty, *no),
            (Op::Sequence, [.., last]) => self.keeps_truth(ty, *last),
            _ => false,
        }
    }

    /// Goes to one of two blocks, and then fills one that nothing leads to.
    fn decide(&mut self, test: Test, operand: Operand, yes: BlockId, no: BlockId) {
        let result = match (test, operand) {
            (Test::NonZero, Operand::Number(value)) => Some(value != 0),
            (Test::Compare(comparison, ty, Operand::Number(right)), Operand::Number(left)) => {
                Some(comparison.holds(ty, left, right))
            }
            (Test::HasBits(ty, Operand::Number(bits)), Operand::Number(value)) => {
                Some(Arithmetic::And.apply(ty, value, bits) != 0)
            }
            _ => None,
        };
        match result {
            Some(result) => {
                let (taken, other) = if result { (yes, no) } else { (no, yes) };
                self.edge(taken, Edge::Always);
                let behind = Behind { block: self.current, what: Passing::Condition, origin: self.origin };
                self.graph.blocks[other].behind.get_or_insert(behind);
            }
            None if operand == Operand::Unknown => {
                self.edge(yes, Edge::Always);
                self.edge(no, Edge::Always);
            }
            None => {
                let number = self.graph.conditions.len() as u32;
                let (passed_on, origin) = (self.passing, self.origin);
                self.graph.conditions.push(Condition { test, operand, passed_on, origin });
                self.edge(yes, Edge::If(number, true));
                self.edge(no, Edge::If(number, false));
            }
        }
        self.current = self.block();
    }
}
