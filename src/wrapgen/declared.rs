//! Declarations that ask for a wrapper: what the reader finds in headers, and all that writing needs.
//!
//! Plain data between the two halves: reading knows no dialect and no template, writing knows no token.

use std::ops::Range;

/// A declaration that bears a wrapper mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The wrapper's name.
    pub name: String,
    /// The wrapper mark on it, by name.
    pub mark: String,
    /// What it returns, as declared: the text before and behind the name with its parameters.
    pub returns: Type,
    /// The same as a variable that can be assigned, without qualifiers of its own.
    pub result: Type,
    /// Whether it returns nothing.
    pub is_void: bool,
    /// The parameters in order; empty for `(void)`.
    pub parameters: Vec<Parameter>,
    /// Whether it is declared `static`.
    pub is_static: bool,
    /// The preprocessor's conditions around it, outermost first; the header's guard is not among them.
    pub conditions: Vec<Condition>,
    /// Which header it is in: an index into the headers that were read.
    pub header: usize,
    /// The declaration's bytes in the header.
    pub span: Range<usize>,
    /// The name's bytes in the header.
    pub name_span: Range<usize>,
}

/// A type as C text, before and behind the name of what it is the type of: `int (*` and `)(void)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Type {
    /// The text before the name; it ends in a blank or a sign, so that a name can follow.
    pub before: String,
    /// The text behind the name.
    pub after: String,
}

/// A parameter of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// The type as declared.
    pub declared: Type,
    /// The type that its value has: an array is a pointer, and so is a function.
    pub value: Type,
    /// The parameter's bytes in the header.
    pub span: Range<usize>,
}

/// A condition of the preprocessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The expression that has to be true.
    pub expression: String,
    /// The `#if` that it belongs to, within the header. The conditions of two branches of one `#if` exclude each
    /// other.
    pub chain: u32,
    /// The branch of that `#if`.
    pub branch: u32,
}

/// Something that cannot be read or wrapped, or that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Whether nothing may be written; else it is a warning.
    pub is_fatal: bool,
    /// The fact, in lower case and without a full stop.
    pub message: String,
    /// The header: an index into the headers that were read.
    pub header: usize,
    /// The bytes that it is about, in the header; `None` when it is about the header as a whole.
    pub span: Option<Range<usize>>,
    /// A remark at the place; may be empty.
    pub label: String,
    /// Another place: a header, its bytes, and a remark.
    pub other: Option<(usize, Range<usize>, String)>,
    /// What to do.
    pub help: String,
}

/// What a header asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The declarations, by place.
    pub declared: Vec<Declared>,
    /// What is wrong, by place.
    pub complaints: Vec<Complaint>,
}

impl Declared {
    /// Whether this and another declaration can never be seen by one translation unit.
    pub fn excludes(&self, other: &Declared) -> bool {
        self.conditions.iter().any(|own| {
            other.conditions.iter().any(|theirs| {
                let branches = self.header == other.header && own.chain == theirs.chain && own.branch != theirs.branch;
                branches || theirs.expression == negation(&own.expression)
            })
        })
    }

    /// The types of parameters and result, as text: equal for two declarations of one function.
    pub fn signature(&self) -> (&Type, Vec<&Type>) {
        (&self.returns, self.parameters.iter().map(|parameter| &parameter.value).collect())
    }
}

impl Type {
    /// The type alone, as text.
    pub fn text(&self) -> String {
        format!("{}{}", self.before.trim_end(), self.after)
    }
}

/// The opposite of a condition.
pub fn negation(expression: &str) -> String {
    let is_simple = |text: &str| {
        text.strip_prefix("defined(")
            .and_then(|rest| rest.strip_suffix(')'))
            .is_some_and(|name| !name.contains(['(', ')']))
    };
    match expression.strip_prefix('!') {
        Some(positive) if is_simple(positive) => positive.to_owned(),
        None if is_simple(expression) => format!("!{expression}"),
        _ => format!("!({expression})"),
    }
}
