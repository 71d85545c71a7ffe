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
    /// `None` if it does not depend on anything.
    condition: Option<Condition>,
}

impl Branches {
    /// The conditions around what is in a branch, outermost first.
    pub(crate) fn conditions(&self, mut id: BranchId) -> Vec<Condition> {
        let mut conditions = Vec::new();
        while id != 0 {
            let Branch { outer, condition } = &self.0[id];
            conditions.extend(condition.clone());
            id = *outer;
        }
        conditions.reverse();
        conditions
    }
}

/// The tokens that may be compiled, with their branches.
pub(crate) fn compiled<'s>(items: &[Item<'s>], problems: &mut Vec<Problem>) -> (Vec<CompiledToken<'s>>, Branches) {
    let mut open: Vec<OpenIf> = Vec::new();
    let mut chains = 0;
    let mut branches = Branches(vec![Branch { outer: 0, condition: None }]);
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

/// An `#if` whose `#endif` was not reached yet, in one of its branches.
struct OpenIf {
    /// The number of the `#if`, and that of the branch.
    chain: u32,
    branch: u32,
    /// The conditions of the branches before this one, as written.
    before: Vec<String>,
    /// The condition of this branch, as written.
    own: Value,
    /// Whether an earlier branch is always taken.
    is_settled: bool,
    /// Whether this branch is taken.
    current: Value,
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
            before: Vec::new(),
            own: value.clone(),
            is_settled: false,
            current: value,
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
            Value::Unknown(expression) => self.before.push(expression.clone()),
        }
        self.branch += 1;
        let own = match directive {
            "else" => {
                self.has_else = true;
                Value::True
            }
            other => evaluate(other.trim_start_matches("el"), rest),
        };
        self.own = own.clone();
        self.current = match own {
            _ if self.is_settled => Value::False,
            Value::False => Value::False,
            Value::True if self.before.is_empty() => Value::True,
            own => {
                let mut parts: Vec<String> = self.before.iter().map(|before| negation(before)).collect();
                if let Value::Unknown(expression) = own {
                    parts.push(operand(&expression));
                }
                Value::Unknown(parts.join(" && "))
            }
        };
    }

    /// Whether the branch may be compiled.
    fn is_live(&self) -> bool {
        self.outer_is_live && self.current != Value::False
    }

    /// Adds this branch to those of the header.
    fn register(&mut self, branches: &mut Branches) {
        self.id = branches.0.len();
        branches.0.push(Branch { outer: self.outer, condition: self.condition() });
    }

    fn condition(&self) -> Option<Condition> {
        match &self.current {
            Value::Unknown(expression) => {
                Some(Condition { expression: expression.clone(), chain: self.chain, branch: self.branch })
            }
            _ => None,
        }
    }
}

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
