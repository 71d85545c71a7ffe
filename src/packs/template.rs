//! Texts with placeholders, as in `mark {slot} as {mark}`: packs write them, rules fill them in.
//!
//! `{inside}` is replaced by a value, `{Inside}` by the value with a capital letter, `{a inside_only}` by the value
//! with its indefinite article, and `{A inside_only}` by both. `{{` and `}}` are braces.

use std::borrow::Cow;

/// A text with placeholders, all of which are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Placeholder {
    name: String,
    has_article: bool,
    is_capital: bool,
}

/// What is wrong with a template.
#[derive(Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// What.
    pub message: String,
}

impl Template {
    /// Parses a text, in which placeholders have `known` names only.
    pub fn parse(text: &str, known: &[&str]) -> Result<Template, TemplateProblem> {
        let problem = |offset, message: String| Err(TemplateProblem { offset, message });
        let (mut pieces, mut plain, mut at) = (Vec::new(), String::new(), 0);
        while let Some(found) = text[at..].find(['{', '}']).map(|found| at + found) {
            plain.push_str(&text[at..found]);
            let rest = &text[found..];
            if let Some(brace) = ["{{", "}}"].into_iter().find(|brace| rest.starts_with(brace)) {
                plain.push_str(&brace[..1]);
                at = found + 2;
                continue;
            }
            let inner = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let Some((inner, _)) = inner.filter(|(inner, _)| !inner.contains('{')) else {
                let brace = &rest[..1];
                return problem(
                    found,
                    format!("unbalanced `{brace}`; write `{brace}{brace}` for the character itself"),
                );
            };
            let placeholder = Placeholder::parse(inner);
            if !known.contains(&placeholder.name.as_str()) {
                return problem(found, format!("unknown placeholder `{{{inner}}}`; known are {}", listed(known)));
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Placeholder(placeholder));
            at = found + inner.len() + 2;
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { pieces })
    }

    /// The text with the values of its placeholders. One without a value stays as it is.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Placeholder(placeholder) => match value(&placeholder.name) {
                    Some(value) => text.push_str(&placeholder.inflect(&value)),
                    None => text.push_str(&format!("{{{}}}", placeholder.name)),
                },
            }
        }
        text
    }

    /// Whether a placeholder of this name is in the text.
    pub fn names(&self, name: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Placeholder(placeholder) if placeholder.name == name))
    }
}

impl Placeholder {
    fn parse(inner: &str) -> Placeholder {
        let article = ["a ", "A "].into_iter().find_map(|article| Some((article, inner.strip_prefix(article)?)));
        let (written, has_article) = article.map_or((inner, false), |(_, name)| (name, true));
        let is_capital = inner.starts_with(|first: char| first.is_ascii_uppercase());
        let name =
            if has_article { written.to_owned() } else { with_first(written, |first| first.to_ascii_lowercase()) };
        Placeholder { name, has_article, is_capital }
    }

    fn inflect(&self, value: &str) -> String {
        let text = if self.has_article { with_article(value) } else { value.to_owned() };
        if self.is_capital { with_first(&text, |first| first.to_ascii_uppercase()) } else { text }
    }
}

/// A word with its indefinite article.
pub fn with_article(word: &str) -> String {
    let is_vowel = word.starts_with(|first: char| "aeiouAEIOU".contains(first));
    format!("{} {word}", if is_vowel { "an" } else { "a" })
}

fn with_first(text: &str, change: impl Fn(char) -> char) -> String {
    let mut letters = text.chars();
    letters.next().map(change).into_iter().chain(letters).collect()
}

/// Names in braces, joined by commas.
fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, TemplateProblem> {
        let value = |name: &str| (name == "word").then_some(Cow::Borrowed("inside-only"));
        Template::parse(text, &["word"]).map(|template| template.fill(value))
    }

    #[test]
    fn placeholders_are_replaced_in_the_form_that_they_ask_for() {
        assert_eq!(fill("x {word} y").unwrap(), "x inside-only y");
        assert_eq!(fill("{Word}, {a word}, {A word}").unwrap(), "Inside-only, an inside-only, An inside-only");
        assert_eq!(fill("{{word}} }}{{").unwrap(), "{word} }{");
        assert_eq!(with_article("main-thread-only"), "a main-thread-only");
    }

    #[test]
    fn problems_have_an_offset_and_name_what_is_known() {
        let problem = fill("ab {wrod} c").unwrap_err();
        assert_eq!(problem.offset, 3);
        assert_eq!(problem.message, "unknown placeholder `{wrod}`; known are `{word}`");
        assert_eq!(fill("a {word").unwrap_err().offset, 2);
        assert_eq!(fill("a } b").unwrap_err().offset, 2);
        assert_eq!(fill("a {x {word} b").unwrap_err().offset, 2);
        assert!(fill("").unwrap().is_empty());
    }
}
