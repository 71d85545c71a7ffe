//! Suppression comments: `cowrap: allow(rule) reason`.
//!
//! A comment behind code applies to that line. A comment on a line of its own applies to the next
//! line with code and, if a function is declared there, to the whole function.
//!
//! This module must never know findings or files.

use crate::edit::EditError;
use crate::lex::{Kind, Lines, Token};
use crate::source::Source;

/// How a comment for cowrap begins.
const INTRODUCTION: &str = "cowrap:";

/// A comment for cowrap. Lines and columns count from 1, columns in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The line where `cowrap:` begins.
    pub line: u32,
    /// The column where `cowrap:` begins.
    pub column: u32,
    /// What it suppresses, or what is wrong with it, in lower case and without a full stop.
    pub suppression: Result<Suppression, String>,
}

/// What a comment suppresses, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rules, by name; there is at least one.
    pub rules: Vec<String>,
    /// Why; may be empty.
    pub reason: String,
    /// The line of code that it applies to; `None` if no code follows.
    pub code: Option<u32>,
    /// The first and the last line of the declaration that begins there, up to its body or its end. The
    /// comment applies to all of a function whose name is in these lines. `None` for a comment behind
    /// code.
    pub declaration: Option<(u32, u32)>,
}

/// A comment to insert. The reason goes between its two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewComment {
    /// Where it is inserted.
    pub offset: usize,
    /// Its part before the reason.
    pub before: String,
    /// Its part behind the reason.
    pub after: String,
}

/// A comment that suppresses findings of a rule at an offset: on a line of its own in a body, behind the code elsewhere.
/// Before a function, a comment would apply to all of it.
///
/// # Errors
///
/// No token begins there, or it is in a directive.
pub fn suppress(text: &[u8], offset: usize, rule: &str) -> Result<NewComment, EditError> {
    let source = Source::new(text);
    let lines = Lines::new(text);
    let name = || {
        String::from_utf8_lossy(
            text.get(offset..).unwrap_or_default().split(u8::is_ascii_whitespace).next().unwrap_or_default(),
        )
        .into_owned()
    };
    let token = source.at(offset).ok_or_else(|| EditError::NotWritten(name()))?;
    if source.tokens[token].in_directive {
        return Err(EditError::InDirective(name()));
    }
    let line = lines.line(offset);
    let is_on_line = |token: &&Token| !token.kind.is_comment() && lines.line(token.span.end - 1) == line;
    let comment = format!("/* {INTRODUCTION} allow({rule}) ");
    let above = line_above(&source, &lines, token);
    if let Some((start, indent)) = above.filter(|_| is_in_body(&source, token)) {
        let end = match text[..start].ends_with(b"\r\n") {
            true => "\r\n",
            false => "\n",
        };
        return Ok(NewComment { offset: start, before: format!("{indent}{comment}"), after: format!(" */{end}") });
    }
    let last = source.tokens[token..].iter().take_while(|token| lines.line(token.span.start) == line);
    let end = last.filter(is_on_line).last().map_or(source.tokens[token].span.end, |token| token.span.end);
    Ok(NewComment { offset: end, before: format!(" {comment}"), after: " */".to_owned() })
}

/// Where the line of a token begins, and its indentation; `None` if a line above it would be inside of something else.
fn line_above<'t>(source: &Source<'t>, lines: &Lines, token: usize) -> Option<(usize, std::borrow::Cow<'t, str>)> {
    let line = lines.line(source.tokens[token].span.start);
    let first = source.tokens[..token].iter().rposition(|token| lines.line(token.span.end - 1) < line);
    let first = &source.tokens[first.map_or(0, |before| before + 1)];
    let start = source.text[..first.span.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let before = source.text[..start].trim_ascii_end();
    // A comment may begin in an earlier line, and a line that ends with a backslash goes on.
    let is_free = lines.line(first.span.start) == line && !before.ends_with(b"\\");
    is_free.then(|| (start, String::from_utf8_lossy(&source.text[start..first.span.start])))
}

/// Whether a token is between braces.
fn is_in_body(source: &Source<'_>, token: usize) -> bool {
    let braces = source.tokens[..token].iter().filter(|token| !token.in_directive);
    let depth = braces.fold(0usize, |depth, token| match token.kind {
        Kind::Punctuator("{") => depth + 1,
        Kind::Punctuator("}") => depth.saturating_sub(1),
        _ => depth,
    });
    depth > 0
}

/// The comments for cowrap in a text, in order.
pub fn comments(text: &[u8]) -> Vec<Comment> {
    // Few texts have one, and lexing takes time.
    if !contains(text, INTRODUCTION.as_bytes()) {
        return Vec::new();
    }
    let source = Source::new(text);
    let lines = Lines::new(text);
    let code = Code::new(&source, &lines);
    let mut found: Vec<Comment> = Vec::new();
    for (index, token) in source.tokens.iter().enumerate().filter(|(_, token)| token.kind.is_comment()) {
        let words = text_of(&text[token.span.clone()]);
        let Some(rest) = words.trim_start().strip_prefix(INTRODUCTION) else { continue };
        let start = token.span.start + find(&text[token.span.clone()], INTRODUCTION.as_bytes()).unwrap_or(0);
        let (line, column) = lines.line_column(start);
        // For people, consecutive `//` comments are one: the reason may continue in the next.
        let last = last_of_run(&source, &lines, index);
        let more = source.tokens[index + 1..=last].iter().map(|token| text_of(&text[token.span.clone()]));
        let rest = more.fold(rest.to_owned(), |all, more| all + " " + &more);
        let suppression = parse(&rest).map(|(rules, reason)| {
            let (code, declaration) = code.scope(index, last);
            Suppression { rules, reason, code, declaration }
        });
        found.push(Comment { line, column, suppression });
    }
    found
}

/// Parses `allow(rule, rule) reason`.
fn parse(text: &str) -> Result<(Vec<String>, String), String> {
    let form = || "expected `cowrap: allow(rule) reason`".to_owned();
    let rest = text.trim_start().strip_prefix("allow").ok_or_else(form)?;
    let rest = rest.trim_start().strip_prefix('(').ok_or_else(form)?;
    let (rules, reason) = rest.split_once(')').ok_or_else(form)?;
    let rules: Vec<String> = rules.split(',').map(|rule| rule.trim().to_owned()).collect();
    if rules.iter().any(String::is_empty) {
        return Err("expected the name of a rule between the parentheses".to_owned());
    }
    let reason = reason.trim_start_matches([' ', '\t', ':', '-', '\u{2013}', '\u{2014}']);
    Ok((rules, reason.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// The text of a comment in one line, without comment signs and without stars before lines.
fn text_of(comment: &[u8]) -> String {
    let text = String::from_utf8_lossy(comment);
    let text = match text.strip_prefix("//") {
        Some(line) => line.trim_start_matches(['/', '!', '<']),
        None => text.trim_start_matches(['/', '*', '!', '<']).trim_end_matches("*/").trim_end_matches('*'),
    };
    let lines = text.lines().map(|line| line.trim().trim_start_matches("* ").trim_start_matches('*').trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The last of the consecutive `//` comments that begin with this one: each is alone on its line.
fn last_of_run(source: &Source<'_>, lines: &Lines, first: usize) -> usize {
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
        let begins_another = text_of(&source.text[next.span.clone()]).starts_with(INTRODUCTION);
        if !is_next || !is_more || begins_another {
            break;
        }
        last += 1;
    }
    last
}

/// Where the code of a text is, for comments that ask what they apply to.
struct Code<'s> {
    source: &'s Source<'s>,
    lines: &'s Lines,
    /// For each token, the last one before it that is no comment.
    before: Vec<Option<usize>>,
    /// For each token and for the end, the first token from there on that is no comment.
    next: Vec<usize>,
    /// For each token and for the end, the last token of a declaration that begins there. It ends before its body, at
    /// its semicolon, or with the text.
    ends: Vec<usize>,
}

impl<'s> Code<'s> {
    fn new(source: &'s Source<'s>, lines: &'s Lines) -> Code<'s> {
        let tokens = &source.tokens;
        let is_code = |token: &Token| !token.kind.is_comment();
        // Directives may be among the words of a declaration, but are not part of it.
        let is_word = |token: &Token| is_code(token) && !token.in_directive;
        let mut last = None;
        let before = tokens.iter().enumerate().map(|(index, token)| {
            let before = last;
            last = if is_code(token) { Some(index) } else { last };
            before
        });
        let before = before.collect();
        let mut closing = vec![None; tokens.len()];
        let mut open = Vec::new();
        for (index, token) in tokens.iter().enumerate().filter(|(_, token)| is_word(token)) {
            match token.kind {
                Kind::Punctuator("(" | "[") => open.push(index),
                Kind::Punctuator(")" | "]") => {
                    if let Some(open) = open.pop() {
                        closing[open] = Some(index);
                    }
                }
                _ => {}
            }
        }
        let last = tokens.iter().rposition(is_word).unwrap_or(0);
        let mut next = vec![tokens.len(); tokens.len() + 1];
        let mut ends = vec![last; tokens.len() + 1];
        for (index, token) in tokens.iter().enumerate().rev() {
            next[index] = if is_code(token) { index } else { next[index + 1] };
            ends[index] = match token.kind {
                _ if !is_word(token) => ends[index + 1],
                Kind::Punctuator("(" | "[") => closing[index].map_or(last, |closing| ends[closing + 1]),
                Kind::Punctuator("{" | ";" | "}") => index,
                _ => ends[index + 1],
            };
        }
        Code { source, lines, before, next, ends }
    }

    fn line(&self, token: usize) -> u32 {
        self.lines.line(self.source.tokens[token].span.start)
    }

    /// The line of code that comments apply to, and the lines of a declaration that begins there.
    fn scope(&self, first: usize, last: usize) -> (Option<u32>, Option<(u32, u32)>) {
        let tokens = &self.source.tokens;
        let line = self.line(first);
        if self.before[first].is_some_and(|before| self.lines.line(tokens[before].span.end - 1) == line) {
            return (Some(line), None);
        }
        let next = self.next[last + 1];
        if next == tokens.len() {
            return (None, None);
        }
        let code = self.line(next);
        // A comment above a directive applies to that, not to what follows it.
        if tokens[next].in_directive {
            return (Some(code), None);
        }
        (Some(code), Some((code, self.line(self.ends[next]))))
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    find(text, word).is_some()
}

/// The offset of a word in a text.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`Code::scope`] finds, with a look at everything around the comment.
    fn slow_scope(source: &Source<'_>, lines: &Lines, first: usize, last: usize) -> (Option<u32>, Option<(u32, u32)>) {
        let line = lines.line(source.tokens[first].span.start);
        let is_code = |token: &&Token| !token.kind.is_comment();
        let before = source.tokens[..first].iter().rev().find(is_code);
        if before.is_some_and(|token| lines.line(token.span.end - 1) == line) {
            return (Some(line), None);
        }
        let Some(next) = source.tokens[last + 1..].iter().find(is_code) else { return (None, None) };
        let code = lines.line(next.span.start);
        if next.in_directive {
            return (Some(code), None);
        }
        let (mut depth, mut end) = (0usize, code);
        let rest = source.tokens.iter().skip_while(|token| token.span.start < next.span.start);
        for token in rest.filter(|token| is_code(token) && !token.in_directive) {
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

    proptest::proptest! {
        #[test]
        fn a_scope_is_what_a_look_at_everything_finds(text in "([a();{\\[\\]} \n#]|/\\*[ \n]\\*/|//\n|\n#){0,40}") {
            let source = Source::new(text.as_bytes());
            let lines = Lines::new(text.as_bytes());
            let code = Code::new(&source, &lines);
            for index in (0..source.tokens.len()).filter(|index| source.tokens[*index].kind.is_comment()) {
                proptest::prop_assert_eq!(code.scope(index, index), slow_scope(&source, &lines, index, index));
            }
        }
    }

    #[test]
    fn many_comments_take_no_longer_than_their_number_says() {
        for text in [
            "/* cowrap: allow(a) x */ ",
            "/* cowrap: allow(a) x */\n",
            "/* cowrap: allow(a) x */\n(\n",
            "a\n// cowrap: allow(a) x\n",
        ] {
            assert_eq!(comments(text.repeat(20_000).as_bytes()).len(), 20_000);
        }
    }

    fn only(text: &str) -> Comment {
        let mut found = comments(text.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    fn suppression(text: &str) -> Suppression {
        only(text).suppression.unwrap()
    }

    #[test]
    fn a_comment_behind_code_applies_to_its_line() {
        let comment = only("int a;\n  foo(); /* cowrap: allow(microtask-call) it never waits */\nint b;\n");
        assert_eq!((comment.line, comment.column), (2, 13));
        let expected = Suppression {
            rules: vec!["microtask-call".to_owned()],
            reason: "it never waits".to_owned(),
            code: Some(2),
            declaration: None,
        };
        assert_eq!(comment.suppression, Ok(expected));
    }

    #[test]
    fn a_comment_alone_applies_to_the_next_line_with_code() {
        let found = suppression("{\n  // cowrap: allow(a, b): why\n\n  /* more */ foo(x,\n    y);\n  bar();\n}\n");
        assert_eq!((found.rules, found.reason.as_str()), (vec!["a".to_owned(), "b".to_owned()], "why"));
        assert_eq!((found.code, found.declaration), (Some(4), Some((4, 5))));
    }

    #[test]
    fn a_declaration_extends_to_its_body() {
        let text = "/*\n * cowrap: allow(a)\n * since it is\n * so\n */\nstatic int\n#ifdef X\n__attribute__((x))\n#endif\nfoo(int \
                    a[2],\n    int b)\n{\n    x();\n}\n";
        let found = suppression(text);
        assert_eq!(found.reason, "since it is so");
        assert_eq!((found.code, found.declaration), (Some(6), Some((6, 12))));
    }

    #[test]
    fn consecutive_line_comments_are_one() {
        let found = suppression("// cowrap: allow(a) since\n// it is so\nfoo();\n");
        assert_eq!((found.reason.as_str(), found.code), ("since it is so", Some(3)));
        let behind = suppression("foo(); // cowrap: allow(a) since\n// another matter\nbar();\n");
        assert_eq!((behind.reason.as_str(), behind.code), ("since", Some(1)));
        let two = comments(b"// cowrap: allow(a) one\n// cowrap: allow(b) two\nfoo();\n");
        let reasons: Vec<String> = two.into_iter().map(|comment| comment.suppression.unwrap().reason).collect();
        assert_eq!(reasons, ["one", "two"]);
    }

    #[test]
    fn malformed_suppressions_are_errors() {
        for text in ["allow", "allow a", "deny(a) x", "allow(a", "allow()", "allow(a,)", "", "allow(,a) x"] {
            assert!(only(&format!("/* cowrap: {text} */")).suppression.is_err(), "{text}");
        }
        assert_eq!(suppression("/* cowrap: allow(a) */ x;").reason, "");
    }

    #[test]
    fn only_comments_that_begin_with_cowrap_count() {
        for text in ["\"cowrap: allow(a) x\";", "/* see cowrap: allow(a) x */", "/* cowrap allow(a) */", "cowrap: x();"]
        {
            assert_eq!(comments(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn a_comment_above_a_directive_applies_only_to_that() {
        for text in [
            "/* cowrap: allow(a) x */\n#include \"b.h\"\nvoid f(void)\n{\n}\n",
            "#if 0\n/* cowrap: allow(a) x */\n#endif\nf();\n",
        ] {
            let found = suppression(text);
            assert_eq!((found.code.is_some(), found.declaration), (true, None), "{text}");
        }
    }

    #[test]
    fn a_comment_without_code_behind_it_applies_to_nothing() {
        assert_eq!(suppression("int a;\n/* cowrap: allow(a) x */\n").code, None);
    }

    /// A text with a new comment for what follows `@`, whose offset is the second part.
    fn suppressed(text: &str) -> (String, usize) {
        let offset = text.find('@').unwrap();
        let text = text.replace('@', "");
        let NewComment { offset: at, before, after } = suppress(text.as_bytes(), offset, "a-rule").unwrap();
        (format!("{}{before}since{after}{}", &text[..at], &text[at..]), offset)
    }

    #[test]
    fn a_new_comment_in_a_body_is_above_the_line() {
        let (text, _) = suppressed("void f(void)\n{\n    if (x) @foo(1,\n        2);\n}\n");
        let expected = "void f(void)\n{\n    /* cowrap: allow(a-rule) since */\n    if (x) foo(1,\n        2);\n}\n";
        assert_eq!(text, expected);
        let (text, _) = suppressed("{\r\n\t@foo();\r\n}\r\n");
        assert_eq!(text, "{\r\n\t/* cowrap: allow(a-rule) since */\r\n\tfoo();\r\n}\r\n");
    }

    #[test]
    fn a_new_comment_outside_of_bodies_is_behind_the_code() {
        let (text, _) = suppressed("int @foo(int a, // first\n        int b)\n{\n}\n");
        assert_eq!(text, "int foo(int a, /* cowrap: allow(a-rule) since */ // first\n        int b)\n{\n}\n");
        // There is no room for a line above.
        let (text, _) = suppressed("{\n  bar(); /* x\n  y */ @foo();\n}\n");
        assert_eq!(text, "{\n  bar(); /* x\n  y */ foo(); /* cowrap: allow(a-rule) since */\n}\n");
        let (text, _) = suppressed("{ \\\n  @foo();\n}\n");
        assert_eq!(text, "{ \\\n  foo(); /* cowrap: allow(a-rule) since */\n}\n");
    }

    #[test]
    fn what_is_in_a_directive_or_not_written_gets_no_comment() {
        assert_eq!(suppress(b"#define X foo()\n", 10, "a"), Err(EditError::InDirective("foo()".to_owned())));
        assert!(suppress(b"foo();\n", 1, "a").is_err());
        assert!(suppress(b"foo();\n", 99, "a").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_new_comment_applies_to_the_line_that_it_is_for(
            before in "([a();{}]|/\\*[ \n]\\*/|//\n|\n|#x\n| ){0,20}", after in "([a();{}]|/\\*[ \n]\\*/|//\n|\n){0,9}",
        ) {
            let text = format!("{before} foo{after}");
            let offset = before.len() + 1;
            let Ok(NewComment { offset: at, before, after }) = suppress(text.as_bytes(), offset, "a") else {
                return Ok(());
            };
            let moved = if at <= offset { before.len() + "since".len() + after.len() } else { 0 };
            let changed = format!("{}{before}since{after}{}", &text[..at], &text[at..]);
            let line = Lines::new(changed.as_bytes()).line(offset + moved);
            let found = comments(changed.as_bytes());
            proptest::prop_assert_eq!(found.len(), 1, "{}", changed);
            let suppression = found[0].suppression.clone().unwrap();
            proptest::prop_assert_eq!((suppression.code, suppression.reason.as_str()), (Some(line), "since"), "{}", changed);
        }
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
