//! What a generated file does, whatever its layout: for telling whether it is what its declarations ask for.

use std::collections::BTreeMap;

use cowrap_csyntax::lex::Kind;

use super::items::{Item, items};

/// The functions that a file defines, by name.
pub type Outline = BTreeMap<String, Outlined>;

/// What a function does, as far as layout does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlined {
    /// The offset of its name.
    pub at: usize,
    /// What its body calls, in the order of the text.
    pub calls: Vec<String>,
}

/// Words that are followed by a parenthesis and call nothing.
const KEYWORDS: &[&str] = &["if", "while", "for", "switch", "return", "sizeof", "__attribute__", "defined"];

/// Reads the outline of a generated file. It sees a body as a compiler would only if the file is written as plainly
/// as generators write.
pub fn outline(text: &str) -> Outline {
    let tokens: Vec<_> = items(text)
        .0
        .into_iter()
        .filter_map(|item| match item {
            Item::Token(token) => Some(token),
            Item::Directive(..) => None,
        })
        .collect();
    let mut outline = Outline::new();
    let mut depth = 0;
    // The word in front of the last parenthesis on the top level.
    let mut function: Option<(String, usize)> = None;
    let mut calls = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Punctuator("{") => depth += 1,
            Kind::Punctuator("}") => {
                depth -= 1;
                if depth == 0
                    && let Some((name, at)) = function.take()
                {
                    outline.insert(name, Outlined { at, calls: std::mem::take(&mut calls) });
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
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<(String, Vec<String>)> {
        outline(text).into_iter().map(|(name, function)| (name, function.calls)).collect()
    }

    #[test]
    fn layout_is_no_difference() {
        let one =
            "struct a { int x; };\nint f(int (*cb)(void))\n{\n    if (in()) {\n        return g(cb());\n    }\n}\n";
        let other = "typedef struct b { int y; } b; int f ( int(*cb)(void) ) { if (in()) return g(cb()); }";
        let expected = [("f".to_owned(), ["in", "g", "cb"].map(str::to_owned).to_vec())];
        assert_eq!(calls(one), expected);
        assert_eq!(calls(other), expected);
        assert_eq!(outline(one)["f"].at, one.find("f(").unwrap());
    }

    #[test]
    fn a_call_more_is_one() {
        assert_ne!(calls("void f(void) { lock(); g(); }"), calls("void f(void) { g(); }"));
        assert_ne!(calls("void f(void) { g(); }"), calls("void h(void) { g(); }"));
    }
}
