//! Suppressions: comments that take findings away, `cowrap: allow(rule) reason`.
//!
//! One stands behind code and is about that line; or it stands alone and is about the next line with code and, when a
//! function is declared there, about the whole function. It must never know what a finding is about, or files.

use crate::lex::{Kind, Lines, Token};
use crate::source::Source;

/// What a comment begins with that is meant for this program.
const INTRODUCTION: &str = "cowrap:";

/// A comment that is meant for this program. Lines count from 1, columns in bytes from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The line of its introduction.
    pub line: u32,
    /// The column of its introduction.
    pub column: u32,
    /// What it says, or what is wrong with it, in lower case and without a full stop.
    pub says: Result<Suppression, String>,
}

/// What a comment allows, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rules, by name; there is at least one.
    pub rules: Vec<String>,
    /// Why, in the comment's own words; may be empty.
    pub reason: String,
    /// The line of code that it is about; none when no code follows it.
    pub code: Option<u32>,
    /// The lines, first and last, of which a declaration that begins there goes on until its body or its end. A function
    /// whose name is in them is meant as a whole. None for a comment behind code.
    pub declaration: Option<(u32, u32)>,
}

/// The comments of a text that are meant for this program, in their order.
pub fn comments(text: &[u8]) -> Vec<Comment> {
    // Nearly all texts have none, and need not be taken apart.
    if !contains(text, INTRODUCTION.as_bytes()) {
        return Vec::new();
    }
    let source = Source::new(text);
    let lines = Lines::new(text);
    let mut found: Vec<Comment> = Vec::new();
    for (index, token) in source.tokens.iter().enumerate().filter(|(_, token)| token.kind.is_comment()) {
        let words = said(&text[token.span.clone()]);
        let Some(rest) = words.trim_start().strip_prefix(INTRODUCTION) else { continue };
        let start = token.span.start + find(&text[token.span.clone()], INTRODUCTION.as_bytes()).unwrap_or(0);
        let (line, column) = lines.line_column(start);
        // `//` comments that follow each other are one for people: the reason may go on in the next.
        let last = following(&source, &lines, index);
        let more = source.tokens[index + 1..=last].iter().map(|token| said(&text[token.span.clone()]));
        let rest = more.fold(rest.to_owned(), |all, more| all + " " + &more);
        let says = read(&rest).map(|(rules, reason)| {
            let (code, declaration) = scope(&source, &lines, index, last);
            Suppression { rules, reason, code, declaration }
        });
        found.push(Comment { line, column, says });
    }
    found
}

/// Takes `allow(rule, rule) reason` apart.
fn read(text: &str) -> Result<(Vec<String>, String), String> {
    let form = || "it is not `cowrap: allow(rule) reason`".to_owned();
    let rest = text.trim_start().strip_prefix("allow").ok_or_else(form)?;
    let rest = rest.trim_start().strip_prefix('(').ok_or_else(form)?;
    let (rules, reason) = rest.split_once(')').ok_or_else(form)?;
    let rules: Vec<String> = rules.split(',').map(|rule| rule.trim().to_owned()).collect();
    if rules.iter().any(String::is_empty) {
        return Err("it names no rule between the parentheses".to_owned());
    }
    let reason = reason.trim_start_matches([' ', '\t', ':', '-', '\u{2013}', '\u{2014}']);
    Ok((rules, reason.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// What a comment says, in one line, without what makes it a comment and without stars in front of lines.
fn said(comment: &[u8]) -> String {
    let text = String::from_utf8_lossy(comment);
    let text = match text.strip_prefix("//") {
        Some(line) => line.trim_start_matches(['/', '!', '<']),
        None => text.trim_start_matches(['/', '*', '!', '<']).trim_end_matches("*/").trim_end_matches('*'),
    };
    let lines = text.lines().map(|line| line.trim().trim_start_matches("* ").trim_start_matches('*').trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The last comment of a run of `//` comments, each alone on the line below the one before, that begins with this one.
fn following(source: &Source<'_>, lines: &Lines, first: usize) -> usize {
    let is_line_comment = |token: &Token| source.text[token.span.clone()].starts_with(b"//");
    let is_alone = |index: usize| {
        let line = lines.line(source.tokens[index].span.start);
        index == 0 || lines.line(source.tokens[index - 1].span.end.saturating_sub(1)) < line
    };
    if !is_line_comment(&source.tokens[first]) || !is_alone(first) {
        return first;
    }
    let mut last = first;
    while let Some(next) = source.tokens.get(last + 1) {
        let is_next = lines.line(next.span.start) == lines.line(source.tokens[last].span.start) + 1;
        let is_more = next.kind.is_comment() && is_line_comment(next) && is_alone(last + 1);
        let begins_anew = said(&source.text[next.span.clone()]).starts_with(INTRODUCTION);
        if !is_next || !is_more || begins_anew {
            break;
        }
        last += 1;
    }
    last
}

/// The line of code that comments are about, and the lines of a declaration that begins there.
fn scope(source: &Source<'_>, lines: &Lines, first: usize, last: usize) -> (Option<u32>, Option<(u32, u32)>) {
    let line = lines.line(source.tokens[first].span.start);
    let is_code = |token: &&Token| !token.kind.is_comment();
    let before = source.tokens[..first].iter().rev().find(is_code);
    if before.is_some_and(|token| lines.line(token.span.end - 1) == line) {
        return (Some(line), None);
    }
    let Some(next) = source.tokens[last + 1..].iter().position(|token| is_code(&token)).map(|at| last + 1 + at) else {
        return (None, None);
    };
    let code = lines.line(source.tokens[next].span.start);
    // A comment above a directive is about that: what comes behind it is another matter.
    if source.tokens[next].in_directive {
        return (Some(code), None);
    }
    let mut depth = 0usize;
    let mut end = code;
    // Directives may be among the words of a declaration, and are not a part of it.
    for token in source.tokens[next..].iter().filter(|token| is_code(token) && !token.in_directive) {
        end = lines.line(token.span.start);
        match token.kind {
            Kind::Punctuator("(" | "[") => depth += 1,
            Kind::Punctuator(")" | "]") => depth = depth.saturating_sub(1),
            Kind::Punctuator("{" | ";" | "}") if depth == 0 => break,
            _ => {}
        }
    }
    (Some(code), Some((code, end)))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    find(text, word).is_some()
}

/// Where a word is in a text.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Comment {
        let mut found = comments(text.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    fn says(text: &str) -> Suppression {
        only(text).says.unwrap()
    }

    #[test]
    fn a_comment_behind_code_is_about_its_line() {
        let comment = only("int a;\n  foo(); /* cowrap: allow(coroutine-call) it never waits */\nint b;\n");
        assert_eq!((comment.line, comment.column), (2, 13));
        let expected = Suppression {
            rules: vec!["coroutine-call".to_owned()],
            reason: "it never waits".to_owned(),
            code: Some(2),
            declaration: None,
        };
        assert_eq!(comment.says, Ok(expected));
    }

    #[test]
    fn a_comment_alone_is_about_the_next_line_with_code() {
        let found = says("{\n  // cowrap: allow(a, b): why\n\n  /* more */ foo(x,\n    y);\n  bar();\n}\n");
        assert_eq!((found.rules, found.reason.as_str()), (vec!["a".to_owned(), "b".to_owned()], "why"));
        assert_eq!((found.code, found.declaration), (Some(4), Some((4, 5))));
    }

    #[test]
    fn a_declaration_goes_on_until_its_body() {
        let text = "/*\n * cowrap: allow(a)\n * since it is\n * so\n */\nstatic int\n#ifdef X\n__attribute__((x))\n#endif\nfoo(int \
                    a[2],\n    int b)\n{\n    x();\n}\n";
        let found = says(text);
        assert_eq!(found.reason, "since it is so");
        assert_eq!((found.code, found.declaration), (Some(6), Some((6, 12))));
    }

    #[test]
    fn line_comments_that_follow_each_other_are_one() {
        let found = says("// cowrap: allow(a) since\n// it is so\nfoo();\n");
        assert_eq!((found.reason.as_str(), found.code), ("since it is so", Some(3)));
        let behind = says("foo(); // cowrap: allow(a) since\n// another matter\nbar();\n");
        assert_eq!((behind.reason.as_str(), behind.code), ("since", Some(1)));
        let two = comments(b"// cowrap: allow(a) one\n// cowrap: allow(b) two\nfoo();\n");
        let reasons: Vec<String> = two.into_iter().map(|comment| comment.says.unwrap().reason).collect();
        assert_eq!(reasons, ["one", "two"]);
    }

    #[test]
    fn what_is_no_suppression_is_told() {
        for text in ["allow", "allow a", "deny(a) x", "allow(a", "allow()", "allow(a,)", "", "allow(,a) x"] {
            assert!(only(&format!("/* cowrap: {text} */")).says.is_err(), "{text}");
        }
        assert_eq!(says("/* cowrap: allow(a) */ x;").reason, "");
    }

    #[test]
    fn only_comments_count_that_begin_so() {
        for text in ["\"cowrap: allow(a) x\";", "/* see cowrap: allow(a) x */", "/* cowrap allow(a) */", "cowrap: x();"]
        {
            assert_eq!(comments(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn a_comment_above_a_directive_goes_no_further() {
        for text in [
            "/* cowrap: allow(a) x */\n#include \"b.h\"\nvoid f(void)\n{\n}\n",
            "#if 0\n/* cowrap: allow(a) x */\n#endif\nf();\n",
        ] {
            let found = says(text);
            assert_eq!((found.code.is_some(), found.declaration), (true, None), "{text}");
        }
    }

    #[test]
    fn a_comment_with_nothing_behind_it_is_about_nothing() {
        assert_eq!(says("int a;\n/* cowrap: allow(a) x */\n").code, None);
    }

    #[test]
    fn any_bytes_are_a_text() {
        for text in
            [&b"/* cowrap: allow(\xff\xfe) \xc3\x28 */ x"[..], b"/* cowrap: allow(a", b"// cowrap: allow(a) \\\n x"]
        {
            assert_eq!(comments(text).len(), 1);
        }
    }
}
