//! A header as the reader looks at it: words and punctuators without comments, and directives whole.

use std::borrow::Cow;
use std::ops::Range;

use cowrap_csyntax::lex::{self, Kind};

/// A token that is neither white space nor a comment.
#[derive(Clone, Debug)]
pub(crate) struct Token<'s> {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its text, without continued lines.
    pub(crate) text: Cow<'s, str>,
    /// Its bytes in the header.
    pub(crate) span: Range<usize>,
}

/// What a header consists of.
#[derive(Clone, Debug)]
pub(crate) enum Item<'s> {
    /// A token outside of directives.
    Token(Token<'s>),
    /// A directive: its tokens behind the `#`, and its bytes with the `#`.
    Directive(Vec<Token<'s>>, Range<usize>),
}

impl Token<'_> {
    /// Whether this is the word `word`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether this is the punctuator `punctuator`.
    pub(crate) fn is(&self, punctuator: &str) -> bool {
        matches!(self.kind, Kind::Punctuator(own) if own == punctuator)
    }
}

/// Takes a header apart. The second result is where a comment begins that does not end; what
/// follows it is lost.
pub(crate) fn items(source: &str) -> (Vec<Item<'_>>, Option<Range<usize>>) {
    let mut items = Vec::new();
    let mut unterminated = None;
    for lex::Token { kind, span, in_directive } in lex::lex(source.as_bytes()) {
        // A directive ends where its line does, and so behind the blanks and comments at its end.
        if in_directive
            && let Some(Item::Directive(_, whole)) = items.last_mut()
            && kind != Kind::Directive
        {
            whole.end = span.end;
        }
        if kind == Kind::UnterminatedComment {
            unterminated = Some(span.start..span.start + 2);
        }
        if kind.is_space() || kind.is_comment() {
            continue;
        }
        if kind == Kind::Directive {
            items.push(Item::Directive(Vec::new(), span));
            continue;
        }
        let token = Token { kind, text: text(source, span.clone()), span };
        match items.last_mut() {
            Some(Item::Directive(tokens, _)) if in_directive => tokens.push(token),
            _ => items.push(Item::Token(token)),
        }
    }
    (items, unterminated)
}

fn text(source: &str, span: Range<usize>) -> Cow<'_, str> {
    // Tokens end between characters: only ASCII bytes end one.
    let raw = source.get(span).unwrap_or_default();
    match lex::without_splices(raw.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(raw),
        Cow::Owned(joined) => Cow::Owned(String::from_utf8(joined).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let text = |tokens: &[Token<'_>]| tokens.iter().map(|token| token.text.to_string()).collect::<Vec<_>>();
        let (items, unterminated) = items(source);
        assert_eq!(unterminated, None, "{source:?}");
        let shown = items.iter().map(|item| match item {
            Item::Token(token) => token.text.to_string(),
            Item::Directive(tokens, _) => format!("#{}", text(tokens).join(" ")),
        });
        shown.collect()
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(texts("int/* , ) */a; // b ;\nc"), ["int", "a", ";", "c"]);
        assert_eq!(texts("a // goes on \\\n here\nb"), ["a", "b"]);
        assert_eq!(texts("/* # */ # /* x */ if A // y\nb"), ["#if A", "b"]);
        assert_eq!(texts("#define X /* over\n lines */ y\nb"), ["#define X y", "b"]);
    }

    #[test]
    fn continued_lines_are_joined() {
        assert_eq!(texts("in\\\nt a\\\r\nb \\\n c"), ["int", "ab", "c"]);
        assert_eq!(texts("#define A \\\n b \\\n c\nd"), ["#define A b c", "d"]);
        assert_eq!(texts("\"a\\\nb\\\"c\" d"), ["\"ab\\\"c\"", "d"]);
        assert_eq!(texts("\"\\é\" \"\\"), ["\"\\é\"", "\"\\"]);
    }

    #[test]
    fn directives_follow_each_other() {
        assert_eq!(texts("\u{feff}#if A\n#\n#endif\nb # c"), ["#if A", "#", "#endif", "b", "#", "c"]);
        assert_eq!(texts("a # b"), ["a", "#", "b"]);
    }

    #[test]
    fn a_directive_ends_with_its_line() {
        let (items, _) = items("# if A /* x */ \nb");
        let Item::Directive(_, span) = &items[0] else { panic!("{items:?}") };
        assert_eq!(*span, 0..15);
    }

    #[test]
    fn an_unterminated_comment_is_located() {
        assert_eq!(items("a /* b").1, Some(2..4));
    }
}
