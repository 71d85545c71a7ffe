//! `#include` directives.

use crate::edit::TextEdit;
use crate::layout::{line_end, line_ending};
use crate::lex::Kind;
use crate::source::Source;

/// Includes a header behind the last unconditional `#include` before the first code. An include
/// guard does not count as a condition. There is nothing to do if the header is included there.
pub fn add_include(text: &[u8], header: &str) -> Vec<TextEdit> {
    let source = Source::new(text);
    let (mut depth, mut guard, mut behind) = (0usize, None, 0);
    for (number, directive) in directives(&source).enumerate() {
        let words: Vec<&[u8]> = directive.iter().map(|token| source.bytes(*token)).collect();
        let end = directive.last().map_or(0, |last| line_end(text, source.end(*last)));
        match words.as_slice() {
            [b"ifndef", name] if number == 0 => {
                guard = Some(*name);
                depth = 1;
            }
            [b"define", name, ..] if number == 1 && guard == Some(*name) => (depth, behind) = (0, end),
            [b"if" | b"ifdef" | b"ifndef", ..] => depth += 1,
            [b"endif", ..] => depth = depth.saturating_sub(1),
            [b"include", included, ..] if depth == 0 => {
                if included.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) == Some(header.as_bytes()) {
                    return Vec::new();
                }
                behind = end;
            }
            _ => {}
        }
    }
    let directive = format!("#include \"{header}\"").into_bytes();
    let ending = line_ending(text, behind.min(text.len().saturating_sub(1)));
    let text = match behind {
        0 => [&directive, ending].concat(),
        // The line ends between `\r` and `\n`.
        _ if ending == b"\r\n" && text[..behind].ends_with(b"\r") => [b"\n", directive.as_slice(), b"\r"].concat(),
        _ => [ending, &directive].concat(),
    };
    vec![TextEdit { range: behind..behind, text }]
}

/// The directives before the first code: the tokens of each behind the `#`, without comments.
fn directives<'s>(source: &'s Source<'_>) -> impl Iterator<Item = Vec<usize>> + 's {
    let head = source.tokens.iter().take_while(|token| token.in_directive || token.kind.is_comment());
    let mut found: Vec<Vec<usize>> = Vec::new();
    for (index, token) in head.enumerate() {
        match (token.kind, found.last_mut()) {
            (Kind::Directive, _) => found.push(Vec::new()),
            (kind, Some(directive)) if !kind.is_comment() => directive.push(index),
            _ => {}
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    fn with(text: &str) -> String {
        String::from_utf8(apply(text.as_bytes(), &add_include(text.as_bytes(), "co.h"))).unwrap()
    }

    #[test]
    fn the_header_is_included_last() {
        assert_eq!(
            with("/* c */\n#include <a.h>\n#include \"b.h\" /* b */\n\nint x;\n#include \"x.c.inc\"\n"),
            "/* c */\n#include <a.h>\n#include \"b.h\" /* b */\n#include \"co.h\"\n\nint x;\n#include \"x.c.inc\"\n"
        );
        assert_eq!(with("#include \"a.h\"\r\nint x;\r\n"), "#include \"a.h\"\r\n#include \"co.h\"\r\nint x;\r\n");
        assert_eq!(with("#include \"a.h\""), "#include \"a.h\"\n#include \"co.h\"");
    }

    #[test]
    fn conditional_includes_do_not_count() {
        assert_eq!(
            with("#include \"a.h\"\n#ifdef X\n#include \"b.h\"\n#include \"co.h\"\n#endif\nint x;\n"),
            "#include \"a.h\"\n#include \"co.h\"\n#ifdef X\n#include \"b.h\"\n#include \"co.h\"\n#endif\nint x;\n"
        );
    }

    #[test]
    fn an_include_guard_is_not_a_condition() {
        assert_eq!(
            with("#ifndef A_H\n#define A_H\n\n#include \"a.h\"\n\nint x;\n#endif\n"),
            "#ifndef A_H\n#define A_H\n\n#include \"a.h\"\n#include \"co.h\"\n\nint x;\n#endif\n"
        );
        assert_eq!(
            with("#ifndef A_H\n#define A_H\nint x;\n#endif\n"),
            "#ifndef A_H\n#define A_H\n#include \"co.h\"\nint x;\n#endif\n"
        );
    }

    #[test]
    fn a_file_without_includes_gets_it_first() {
        assert_eq!(with("int x;\n"), "#include \"co.h\"\nint x;\n");
        assert_eq!(with(""), "#include \"co.h\"\n");
    }

    #[test]
    fn a_header_is_not_included_twice() {
        assert!(add_include(b"#include \"co.h\"\nint x;\n", "co.h").is_empty());
        assert!(add_include(b"# include /* c */ \"co.h\"\n", "co.h").is_empty());
        assert!(!add_include(b"/* #include \"co.h\" */\n", "co.h").is_empty());
    }
}
