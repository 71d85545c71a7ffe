//! The declarations that ask for a wrapper: what reading a header results in, and all that writing
//! wrappers needs.
//!
//! Reading knows no dialect and no template, writing knows no tokens.

use std::ops::Range;

use cowrap_base::diagnostic::TextDiagnostic;

/// What a header asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderWrappers {
    /// The declarations, in the order of the text.
    pub wrappers: Vec<WrapperDeclaration>,
    /// What is wrong with the header, in the order of the text.
    pub diagnostics: Vec<TextDiagnostic>,
}

/// A declaration of a function with a wrapper mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapperDeclaration {
    /// The name of the wrapper.
    pub name: String,
    /// The name of the wrapper mark.
    pub mark: String,
    /// The return type as declared.
    pub returns: Type,
    /// The type of a variable for the result, without qualifiers of its own.
    pub result: Type,
    /// Whether it returns nothing.
    pub is_void: bool,
    /// The parameters in order; empty for `(void)`.
    pub parameters: Vec<Parameter>,
    /// Whether it is declared `static`.
    pub is_static: bool,
    /// The preprocessor conditions around it, outermost first, without the include guard.
    pub conditions: Vec<Condition>,
    /// The header: an index into the headers that were read.
    pub header: usize,
    /// The bytes of the declaration in the header.
    pub span: Range<usize>,
    /// The bytes of the name in the header.
    pub name_span: Range<usize>,
}

/// A type as C text around a name: `int (*` and `)(void)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Type {
    /// The text before the name; it ends in a blank or a punctuator, so that a name can follow.
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
    /// The type of its value: arrays and functions are pointers.
    pub value: Type,
    /// The bytes of the parameter in the header.
    pub span: Range<usize>,
}

/// A preprocessor condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The expression that has to be true.
    pub expression: String,
    /// The number of its `#if` in the header. Branches of the same `#if` exclude each other.
    pub chain: u32,
    /// The number of the branch in that `#if`.
    pub branch: u32,
}

impl WrapperDeclaration {
    /// Whether no translation unit can see this and the other declaration.
    pub fn excludes(&self, other: &WrapperDeclaration) -> bool {
        self.conditions.iter().any(|own| {
            other.conditions.iter().any(|theirs| {
                let branches = self.header == other.header && own.chain == theirs.chain && own.branch != theirs.branch;
                branches || theirs.expression == negation(&own.expression)
            })
        })
    }

    /// The types of result and parameters; equal for two declarations of one function.
    pub fn signature(&self) -> (&Type, Vec<&Type>) {
        (&self.returns, self.parameters.iter().map(|parameter| &parameter.value).collect())
    }
}

impl Type {
    /// The type without a name.
    pub fn text(&self) -> String {
        format!("{}{}", self.before.trim_end(), self.after)
    }
}

/// The opposite of a condition.
pub(crate) fn negation(expression: &str) -> String {
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
