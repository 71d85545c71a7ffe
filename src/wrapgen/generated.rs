//! What the functions of a generated file do, whatever its layout: to compare it with what it
//! should be.

use std::collections::BTreeMap;

use cowrap_csyntax::lex::Kind;

use crate::items::{Item, items};

/// What a function does, as far as layout does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinedFunction {
    /// The offset of its name.
    pub offset: usize,
    /// What its body calls, in the order of the text.
    pub calls: Vec<String>,
}

/// Words that a parenthesis may follow without a call.
const KEYWORDS: &[&str] = &["if", "while", "for", "switch", "return", "sizeof", "__attribute__", "defined"];

/// The functions that a generated file defines, by name. A file that was not generated may be read
/// differently than by a compiler.
pub fn defined_functions(text: &str) -> BTreeMap<String, DefinedFunction> {
    let tokens = items(text).0.into_iter().filter_map(|item| match item {
        Item::Token(token) => Some(token),
        Item::Directive(..) => None,
    });
    let tokens: Vec<_> = tokens.collect();
    let mut functions = BTreeMap::new();
    let mut depth = 0;
    // The word before the first parenthesis of the current declaration, and its offset.
    let mut function: Option<(String, usize)> = None;
    let mut calls = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Punctuator("{") => depth += 1,
            Kind::Punctuator("}") => {
                depth -= 1;
                if depth == 0
                    && let Some((name, offset)) = function.take()
                {
                    functions.insert(name, DefinedFunction { offset, calls: std::mem::take(&mut calls) });
                }
            }
            Kind::Punctuator(";") if depth == 0 => function = None,
            Kind::Word if tokens.get(at + 1).is_some_and(|next| next.is("(")) => {
                let name = token.text.as_ref();
                match depth {
                    0 if function.is_none() => function = Some((name.to_owned(), token.span.start)),
                    0 => {}
                    _ if function.is_some() && !KEYWORDS.contains(&name) => calls.push(name.to_owned()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<(String, Vec<String>)> {
        defined_functions(text).into_iter().map(|(name, function)| (name, function.calls)).collect()
    }

    #[test]
    fn layout_makes_no_difference() {
        let one =
            "struct a { int x; };\nint f(int (*cb)(void))\n{\n    if (in()) {\n        return g(cb());\n    }\n}\n";
        let other = "typedef struct b { int y; } b; int f ( int(*cb)(void) ) { if (in()) return g(cb()); }";
        let expected = [("f".to_owned(), ["in", "g", "cb"].map(str::to_owned).to_vec())];
        assert_eq!(calls(one), expected);
        assert_eq!(calls(other), expected);
        assert_eq!(defined_functions(one)["f"].offset, one.find("f(").unwrap());
    }

    #[test]
    fn other_calls_and_names_make_a_difference() {
        assert_ne!(calls("void f(void) { lock(); g(); }"), calls("void f(void) { g(); }"));
        assert_ne!(calls("void f(void) { g(); }"), calls("void h(void) { g(); }"));
    }
}
