//! Which tokens of a header may be compiled, and under which preprocessor conditions.

use std::ops::Range;

use cowrap_csyntax::lex::Kind;

use crate::header::Problem;
use crate::items::{Item, Token};
use crate::wrapper::{Condition, negation};

/// A token that is compiled under some conditions.
#[derive(Clone, Debug)]
pub(crate) struct CompiledToken<'s> {
    pub(crate) token: Token<'s>,
    /// The branch that it is in.
    pub(crate) branch: BranchId,
}

/// An index into [`Branches`].
pub(crate) type BranchId = usize;

/// All branches of all `#if`s. The first one is the header itself.
pub(crate) struct Branches(Vec<Branch>);

struct Branch {
    /// The branch around it.
    outer: BranchId,
    /// The branch of the same `#if` before it.
    before: Option<BranchId>,
    /// The number of the `#if`, and that of the branch.
    chain: u32,
    number: u32,
    /// Its own condition, as written.
    own: Value,
    /// The nearest branch that depends on something: this one, or one around it.
    dependent: BranchId,
    /// The length of all conditions around what is in it, together.
    length: usize,
}

/// How long all conditions around a declaration may be, in bytes: each of its lines in the generated file repeats them.
const LONGEST_CONDITIONS: usize = 1 << 14;

impl Branches {
    /// Whether the conditions around what is in a branch are too long to be repeated.
    pub(crate) fn are_too_long(&self, id: BranchId) -> bool {
        self.0[id].length > LONGEST_CONDITIONS
    }

    /// Whether the conditions around what is in two branches are the same.
    pub(crate) fn have_same_conditions(&self, one: BranchId, other: BranchId) -> bool {
        self.0[one].dependent == self.0[other].dependent
    }

    /// The conditions around what is in a branch, outermost first.
    pub(crate) fn conditions(&self, id: BranchId) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let mut at = self.0[id].dependent;
        while at != 0 {
            let Branch { chain, number, outer, .. } = self.0[at];
            conditions.push(Condition { expression: self.expression(at), chain, branch: number });
            at = self.0[outer].dependent;
        }
        conditions.reverse();
        conditions
    }

    /// The condition under which a branch is taken: those of the branches before it are false.
    fn expression(&self, id: BranchId) -> String {
        let own = &self.0[id];
        if let (None, Value::Unknown(expression)) = (own.before, &own.own) {
            return expression.clone();
        }
        let before = std::iter::successors(own.before, |before| self.0[*before].before);
        let unknown = before.filter_map(|before| match &self.0[before].own {
            Value::Unknown(expression) => Some(negation(expression)),
            Value::True | Value::False => None,
        });
        let mut parts: Vec<String> = unknown.collect();
        parts.reverse();
        if let Value::Unknown(expression) = &own.own {
            parts.push(operand(expression));
        }
        parts.join(" && ")
    }
}

/// The tokens that may be compiled, with their branches.
pub(crate) fn compiled<'s>(items: &[Item<'s>], problems: &mut Vec<Problem>) -> (Vec<CompiledToken<'s>>, Branches) {
    let mut open: Vec<OpenIf> = Vec::new();
    let mut chains = 0;
    let header = Branch { outer: 0, before: None, chain: 0, number: 0, own: Value::True, dependent: 0, length: 0 };
    let mut branches = Branches(vec![header]);
    let mut tokens: Vec<CompiledToken<'s>> = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let (outer, outer_is_live) = open.last().map_or((0, true), |branch| (branch.id, branch.is_live()));
        let (directive, span) = match item {
            Item::Token(token) => {
                if outer_is_live {
                    tokens.push(CompiledToken { token: token.clone(), branch: outer });
                }
                continue;
            }
            Item::Directive(tokens, span) => (tokens, span),
        };
        let Some((name, rest)) = directive.split_first() else { continue };
        match name.text.as_ref() {
            "if" | "ifdef" | "ifndef" => {
                let is_guard = tokens.is_empty() && open.is_empty() && is_guard(name, rest, items.get(number + 1));
                let value = if is_guard { Value::True } else { evaluate(&name.text, rest) };
                let mut branch = OpenIf::new(chains, value, span.clone());
                (branch.outer, branch.outer_is_live) = (outer, outer_is_live);
                branch.register(&mut branches);
                open.push(branch);
                chains += 1;
            }
            word @ ("elif" | "elifdef" | "elifndef" | "else") => match open.last_mut() {
                Some(branch) if !branch.has_else => {
                    branch.next(word, rest);
                    branch.register(&mut branches);
                }
                _ => problems.push(unpaired(word, span)),
            },
            "endif" => match open.pop() {
                Some(_) => {}
                None => problems.push(unpaired("endif", span)),
            },
            _ => {}
        }
    }
    let unterminated = |branch: OpenIf| {
        Problem::new(branch.span, "unterminated `#if`").label("it begins here").help("end it with `#endif`")
    };
    problems.extend(open.into_iter().map(unterminated));
    (tokens, branches)
}

fn unpaired(directive: &str, span: &Range<usize>) -> Problem {
    Problem::new(span.clone(), format!("`#{directive}` without `#if`"))
        .label("no `#if` is open here")
        .help("pair every `#if` with one `#endif` within the header")
}

/// What is known of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    True,
    False,
    /// It depends on this expression.
    Unknown(String),
}

/// What is known of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Always,
    Never,
    /// It depends on its condition, and on those of the branches before it.
    Depends,
}

/// An `#if` whose `#endif` was not reached yet, in one of its branches.
struct OpenIf {
    /// The number of the `#if`, and that of the branch.
    chain: u32,
    branch: u32,
    /// The branch before this one.
    before: Option<BranchId>,
    /// Whether a branch before this one depends on something, and how long their conditions are.
    depends_on_before: bool,
    length_before: usize,
    /// The condition of this branch, as written.
    own: Value,
    /// Whether an earlier branch is always taken.
    is_settled: bool,
    /// Whether this branch is taken.
    current: Taken,
    has_else: bool,
    /// The bytes of the `#if`.
    span: Range<usize>,
    /// The branch around the `#if`, and whether that may be compiled.
    outer: BranchId,
    outer_is_live: bool,
    /// This branch.
    id: BranchId,
}

impl OpenIf {
    fn new(chain: u32, value: Value, span: Range<usize>) -> OpenIf {
        OpenIf {
            chain,
            branch: 0,
            before: None,
            depends_on_before: false,
            length_before: 0,
            current: match value {
                Value::True => Taken::Always,
                Value::False => Taken::Never,
                Value::Unknown(_) => Taken::Depends,
            },
            own: value,
            is_settled: false,
            has_else: false,
            span,
            outer: 0,
            outer_is_live: true,
            id: 0,
        }
    }

    /// Goes on to the branch that a directive begins.
    fn next(&mut self, directive: &str, rest: &[Token<'_>]) {
        match &self.own {
            Value::True => self.is_settled = true,
            Value::False => {}
            Value::Unknown(expression) => {
                self.depends_on_before = true;
                self.length_before = self.length_before.saturating_add(expression.len() + JOIN);
            }
        }
        self.before = Some(self.id);
        self.branch += 1;
        let own = match directive {
            "else" => {
                self.has_else = true;
                Value::True
            }
            other => evaluate(other.trim_start_matches("el"), rest),
        };
        self.current = match own {
            _ if self.is_settled => Taken::Never,
            Value::False => Taken::Never,
            Value::True if !self.depends_on_before => Taken::Always,
            Value::True | Value::Unknown(_) => Taken::Depends,
        };
        self.own = own;
    }

    /// Whether the branch may be compiled.
    fn is_live(&self) -> bool {
        self.outer_is_live && self.current != Taken::Never
    }

    /// Adds this branch to those of the header.
    fn register(&mut self, branches: &mut Branches) {
        self.id = branches.0.len();
        let around = &branches.0[self.outer];
        let (dependent, length) = match self.current {
            Taken::Depends => {
                let own = if let Value::Unknown(expression) = &self.own { expression.len() + JOIN } else { 0 };
                (self.id, around.length.saturating_add(self.length_before).saturating_add(own))
            }
            Taken::Always | Taken::Never => (around.dependent, around.length),
        };
        branches.0.push(Branch {
            outer: self.outer,
            before: self.before,
            chain: self.chain,
            number: self.branch,
            own: self.own.clone(),
            dependent,
            length,
        });
    }
}

/// How much longer conditions become when they are joined: ` && !()`.
const JOIN: usize = 7;

/// An expression as an operand of `&&`.
fn operand(expression: &str) -> String {
    let needs = expression.contains("||") || expression.contains('?') || expression.contains("&&");
    if needs { format!("({expression})") } else { expression.to_owned() }
}

/// The value of a condition. The generated file is C, so `__cplusplus` is not defined.
fn evaluate(directive: &str, rest: &[Token<'_>]) -> Value {
    let expression = match (directive, rest) {
        ("ifdef", [name, ..]) => format!("defined({})", name.text),
        ("ifndef", [name, ..]) => format!("!defined({})", name.text),
        _ => normal_text(rest),
    };
    match expression.as_str() {
        "0" | "defined(__cplusplus)" => Value::False,
        "1" | "!defined(__cplusplus)" => Value::True,
        _ => Value::Unknown(expression),
    }
}

/// An expression as text: with one blank where there were any, and `defined X` as `defined(X)`.
fn normal_text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut closing = false;
    for (number, token) in tokens.iter().enumerate() {
        let previous = number.checked_sub(1).map(|before| &tokens[before]);
        let is_operand = previous.is_some_and(|before| before.is_word("defined")) && token.kind == Kind::Word;
        if is_operand {
            text.push('(');
            closing = true;
        } else if previous.is_some_and(|before| before.span.end < token.span.start) {
            text.push(' ');
        }
        text.push_str(&token.text);
        if std::mem::take(&mut closing) {
            text.push(')');
        }
    }
    text.replace("defined (", "defined(")
}

/// Whether a condition at the beginning of a header is its include guard: the `#define` of the same
/// name follows.
fn is_guard(directive: &Token<'_>, rest: &[Token<'_>], next: Option<&Item<'_>>) -> bool {
    let name = match directive.text.as_ref() {
        "ifndef" => rest.first().map(|token| token.text.to_string()),
        "if" => normal_text(rest).strip_prefix("!defined(").and_then(|rest| rest.strip_suffix(')')).map(str::to_owned),
        _ => None,
    };
    let Some(Item::Directive(tokens, _)) = next else { return false };
    let [define, defined, ..] = tokens.as_slice() else { return false };
    define.is_word("define") && name.as_deref() == Some(&defined.text)
}
