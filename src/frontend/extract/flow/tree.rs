//! The lowered body: a tree of what its control flow depends on. It is all that the front end tells the graph.

use std::collections::HashSet;

use cowrap_facts::Context;

/// A node of a [`FlowTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(pub(super) u32);

/// A local variable or parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variable(pub u32);

/// A label of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub u32);

/// A point of the body whose path condition is wanted: a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(pub u32);

/// A truth value that the body passes on: an argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthId(pub u32);

/// A statement, or a part of one, whose path condition may be wanted at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point(pub u32);

/// Where code comes from: a number of the front end's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(pub u32);

/// A guard of the body: a declaration or a statement that changes the context until its scope ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuardId(pub u32);

/// How the context changes at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entering {
    /// The context behind the point.
    pub to: Context,
    /// The only context from which control comes back.
    pub from: Option<Context>,
    /// The guard that gives the earlier context back at the end of the scope around it.
    pub guard: Option<GuardId>,
}

/// An integer type of C. `bool` is the unsigned type of one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerType {
    /// Its width, at most 64.
    pub bits: u8,
    /// Whether it has negative values.
    pub signed: bool,
}

impl IntegerType {
    /// `bool`.
    pub const BOOL: IntegerType = IntegerType { bits: 1, signed: false };

    /// Whether this is `bool`.
    pub fn is_bool(self) -> bool {
        self == IntegerType::BOOL
    }

    /// A value after its conversion to this type. Unsigned numbers of 64 bits are stored as if they were signed.
    pub fn convert(self, value: i64) -> i64 {
        if self.is_bool() {
            return i64::from(value != 0);
        }
        let unused = 64 - u32::from(self.bits.clamp(1, 64));
        if self.signed { value << unused >> unused } else { ((value as u64) << unused >> unused) as i64 }
    }

    /// Whether every value of `other` keeps its truth and its bits in this type.
    pub fn is_at_least(self, other: IntegerType) -> bool {
        !self.is_bool() && self.bits >= other.bits
    }

    /// The value of this type that is equal to a number of type `ty` when both are compared in that type; `None` if
    /// no value is, or several are.
    pub fn equal_in(self, ty: IntegerType, number: i64) -> Option<i64> {
        let value = if self.is_bool() { number } else { self.convert(number) };
        let is_value = self.convert(value) == value;
        (is_value && (ty.bits >= self.bits) && ty.convert(value) == number).then_some(value)
    }

    /// The bits of this type that are bits of a number of type `ty`; `None` if some of them stand for its sign.
    pub fn bits_in(self, ty: IntegerType, bits: i64) -> Option<i64> {
        let bits = ty.convert(bits);
        if ty.bits < self.bits {
            return None;
        }
        let value = if self.is_bool() { bits & 1 } else { self.convert(bits) };
        let above = if self.bits >= 64 { 0 } else { bits as u64 >> self.bits };
        // Above a number that is never negative, all bits are 0.
        (self.is_bool() || above == 0 || !self.signed || ty.bits == self.bits).then_some(value)
    }

    /// Whether this type has every value of `other`.
    pub fn keeps(self, other: IntegerType) -> bool {
        self == other || (self.bits > other.bits && (self.signed || !other.signed))
    }
}

/// What the tree knows of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableInfo {
    /// Its type.
    pub ty: IntegerType,
    /// Its position, for a parameter.
    pub parameter: Option<u16>,
}

/// An operation on two integers whose result is an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arithmetic {
    And,
    Or,
    Xor,
    Add,
    Subtract,
}

/// A comparison of two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The values of a `case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseValues {
    /// `default`
    Default,
    /// All numbers from the first to the last.
    Range(i64, i64),
    /// Numbers that clang does not compute.
    Unknown,
}

/// A body, reduced to what its control flow depends on.
#[derive(Clone, Debug, Default)]
pub struct FlowTree {
    nodes: Vec<Node>,
    variables: Vec<VariableInfo>,
    assigned: HashSet<Variable>,
    site_count: u32,
    label_count: u32,
    truth_count: u32,
    guard_count: u32,
    point_count: u32,
    has_predicate: bool,
    has_change: bool,
    /// The variables whose value is never followed, since something else may change them.
    pub untracked: HashSet<Variable>,
    /// The sites of calls that do not return, and leave only the frame or the thread.
    pub leaving: HashSet<Site>,
    /// The labels whose address is taken, so that a computed `goto` can reach them.
    pub address_taken: Vec<Label>,
}

#[derive(Clone, Debug)]
struct Node {
    op: Op,
    children: Vec<NodeId>,
    /// Its value, if it is a constant by itself.
    constant: Option<i64>,
    point: Option<Point>,
    origin: Option<Origin>,
}

/// What a node does with its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A block: evaluates its children in order; its value is that of the last.
    Sequence,
    /// Evaluates its children in order; its value is unknown.
    Opaque,
    /// May or may not evaluate each of its children.
    Perhaps,
    /// A constant, or an unknown value.
    Value(Option<i64>),
    /// A variable's value.
    Read(Variable),
    /// Gives the variable the value of the only child.
    Assign(Variable),
    /// Evaluates its children and makes the variable's value unknown.
    Change(Variable),
    /// Whether the code runs in this context.
    Predicate(Context),
    /// Evaluates its children in the earlier context, and goes on in another.
    Enter(Entering),
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
    /// A comparison in this type; if it is no integer type, the result is unknown.
    Compare(Comparison, Option<IntegerType>),
    /// An operation in this type.
    Arithmetic(Arithmetic, IntegerType),
    /// The only child, converted to this type.
    Convert(IntegerType),
    /// `a ? b : c`
    Conditional,
    /// `a ?: b`
    Otherwise,
    /// `if (a) b else c`, the last optional.
    If,
    /// `while (a) b`
    While,
    /// `do a while (b)`
    Do,
    /// `for (; a; b) c`; its initialisation stands before it. A missing condition is a constant.
    For,
    /// `switch (a) b`, `a` in this type.
    Switch(Option<IntegerType>),
    /// `case …: a` or `default: a`
    Case(CaseValues),
    /// `label: a`
    Label(Label),
    /// `goto label`
    Goto(Label),
    /// A computed `goto`: a jump to any label whose address is taken.
    GotoAny,
    /// Evaluates its children, then jumps to one of the labels or goes on: `asm goto`.
    MayGoto(Vec<Label>),
    /// The same to any label of the body.
    MayGotoAny,
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return a`, the child optional.
    Return,
}

impl FlowTree {
    /// Adds a node above its children.
    pub fn node(&mut self, op: Op, children: Vec<NodeId>) -> NodeId {
        self.has_predicate |= matches!(op, Op::Predicate(_));
        self.has_change |= matches!(op, Op::Enter(..));
        if let Op::Assign(variable) | Op::Change(variable) = op {
            self.assigned.insert(variable);
        }
        let constant = self.constant_of(&op, &children);
        self.nodes.push(Node { op, children, constant, point: None, origin: None });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// What a node does, and its children.
    pub fn look(&self, node: NodeId) -> (&Op, &[NodeId]) {
        let node = &self.nodes[node.0 as usize];
        (&node.op, &node.children)
    }

    /// A new variable.
    pub fn variable(&mut self, info: VariableInfo) -> Variable {
        self.variables.push(info);
        Variable(self.variables.len() as u32 - 1)
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

    /// A new guard.
    pub fn guard(&mut self) -> GuardId {
        self.guard_count += 1;
        GuardId(self.guard_count - 1)
    }

    /// Makes the beginning of a node a point, if it is none. A label or case has no beginning of its own, since control
    /// comes to what stands behind it.
    pub fn place(&mut self, mut node: NodeId) -> Point {
        while let (Op::Label(_) | Op::Case(_), [inner]) = self.look(node) {
            node = *inner;
        }
        let next = Point(self.point_count);
        let point = *self.nodes[node.0 as usize].point.get_or_insert(next);
        self.point_count += u32::from(point == next);
        point
    }

    /// The point at the beginning of a node.
    pub fn point(&self, node: NodeId) -> Option<Point> {
        self.nodes[node.0 as usize].point
    }

    /// How many points there are.
    pub fn points(&self) -> usize {
        self.point_count as usize
    }

    /// Notes where a node comes from, if that is not known.
    pub fn comes_from(&mut self, node: NodeId, origin: Origin) {
        self.nodes[node.0 as usize].origin.get_or_insert(origin);
    }

    /// Where a node comes from.
    pub fn origin(&self, node: NodeId) -> Option<Origin> {
        self.nodes[node.0 as usize].origin
    }

    /// All variables, by number.
    pub fn variables(&self) -> &[VariableInfo] {
        &self.variables
    }

    /// Whether the body ever changes the variable.
    pub fn is_assigned(&self, variable: Variable) -> bool {
        self.assigned.contains(&variable)
    }

    /// How many sites, labels and truth values there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.site_count as usize, self.label_count as usize, self.truth_count as usize)
    }

    /// Whether a condition can ask for the context.
    pub fn has_predicate(&self) -> bool {
        self.has_predicate
    }

    /// Whether the body can change the context.
    pub fn has_change(&self) -> bool {
        self.has_change
    }

    /// The value of a node that is a constant by itself.
    pub fn constant(&self, node: NodeId) -> Option<i64> {
        self.nodes[node.0 as usize].constant
    }

    /// The value of a node that is about to be added.
    fn constant_of(&self, op: &Op, children: &[NodeId]) -> Option<i64> {
        match (op, children) {
            (Op::Value(value), _) => *value,
            (Op::Convert(ty), [inner]) => Some(ty.convert(self.constant(*inner)?)),
            (Op::Arithmetic(operation, ty), [left, right]) => {
                Some(operation.apply(*ty, self.constant(*left)?, self.constant(*right)?))
            }
            _ => None,
        }
    }
}

impl Arithmetic {
    /// The result in a type.
    pub fn apply(self, ty: IntegerType, left: i64, right: i64) -> i64 {
        let (left, right) = (ty.convert(left), ty.convert(right));
        ty.convert(match self {
            Arithmetic::And => left & right,
            Arithmetic::Or => left | right,
            Arithmetic::Xor => left ^ right,
            Arithmetic::Add => left.wrapping_add(right),
            Arithmetic::Subtract => left.wrapping_sub(right),
        })
    }
}

impl Comparison {
    /// Whether it holds between two values in a type.
    pub fn holds(self, ty: IntegerType, left: i64, right: i64) -> bool {
        let (left, right) = (ty.convert(left), ty.convert(right));
        let order = if ty.signed { left.cmp(&right) } else { (left as u64).cmp(&(right as u64)) };
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_converted_as_c_does() {
        let byte = IntegerType { bits: 8, signed: false };
        let int = IntegerType { bits: 32, signed: true };
        let unsigned = IntegerType { bits: 32, signed: false };
        let long = IntegerType { bits: 64, signed: false };
        assert_eq!([300, -1, 255].map(|value| byte.convert(value)), [44, 255, 255]);
        assert_eq!([0x8000_0000, 1 << 40, -7].map(|value| int.convert(value)), [-0x8000_0000, 0, -7]);
        assert_eq!([-1, 5].map(|value| unsigned.convert(value)), [0xffff_ffff, 5]);
        assert_eq!([0, -3, 256].map(|value| IntegerType::BOOL.convert(value)), [0, 1, 1]);
        assert!(Comparison::Less.holds(int, -1, 1) && !Comparison::Less.holds(unsigned, -1, 1));
        assert!(Comparison::Greater.holds(long, -1, 1) && Comparison::Equal.holds(unsigned, -1, 0xffff_ffff));
        assert_eq!(Arithmetic::Add.apply(byte, 255, 2), 1);
        assert_eq!(Arithmetic::Subtract.apply(unsigned, 0, 1), 0xffff_ffff);
    }
}
