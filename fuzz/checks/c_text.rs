//! Readers of C text that use no compiler.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cowrap_csyntax::lex::{Kind, Lines, Token, without_splices};
use cowrap_csyntax::{EditError, TextEdit, add_include, add_wrapper, apply, mark_function, mark_pointer, rename_call};
use cowrap_csyntax::{suppression::comments, unmark};
use cowrap_frontend::scan::{IncludeKind, Names, normalized};
use cowrap_packs::Generator;
use cowrap_wrapgen::dialect::{Features, named};
use cowrap_wrapgen::{FileOptions, RenderError, Vocabulary, defined_functions, render_file, vocabulary};

static GENERATOR: LazyLock<Generator> = LazyLock::new(|| Generator::read(None).expect("the built-in pack is valid"));
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| vocabulary(&GENERATOR));

/// The dialect of a current QEMU.
static FEATURES: LazyLock<Features> = LazyLock::new(|| {
    let newest = GENERATOR.dialects.last().expect("the built-in pack has dialects");
    named(&GENERATOR, &newest.name).expect("it is one of them")
});

/// How many words of a text are edited: each edit reads all of it.
const MOST_WORDS: usize = 24;

/// The lexer is lossless: the tokens, one after the other, are the text, and a token alone is the same token.
pub fn lex(text: &[u8]) {
    let lines = Lines::new(text);
    let mut at = 0;
    let mut is_continued = false;
    for token in cowrap_csyntax::lex::lex(text) {
        assert!(token.span.start == at && token.span.end > at, "{token:?} after {at}");
        at = token.span.end;
        let (line, column) = lines.line_column(token.span.start);
        assert_eq!(lines.offset(line, column), Some(token.span.start));
        assert_eq!(lines.line(token.span.start), line);
        // A directive goes from its `#` to the line end.
        assert_eq!(token.in_directive, token.kind == Kind::Directive || is_continued && token.kind != Kind::LineEnd);
        is_continued = token.in_directive;
        let spelling = token.spelling(text);
        if matches!(token.kind, Kind::Word | Kind::Number | Kind::Punctuator(_)) {
            let alone = cowrap_csyntax::lex::lex(&spelling);
            let is_same = matches!(alone.as_slice(), [only] if only.kind == token.kind);
            // At the beginning of a text, a `#` begins a directive, and some editors write a mark there.
            let is_first = token.kind == Kind::Punctuator("#") || spelling.starts_with("\u{feff}".as_bytes());
            assert!(is_same || is_first, "{token:?} alone is {alone:?}");
        }
    }
    assert_eq!(at, text.len());
}

/// The code and the directives of a text: tokens without comments and white space, as they are spelled.
fn code(text: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let mut code = Vec::new();
    for token in cowrap_csyntax::lex::lex(text) {
        if !token.kind.is_space() && !token.kind.is_comment() {
            code.push((token.kind, token.spelling(text).into_owned()));
        }
    }
    code
}

/// Edits are refused, or change the tokens that they say and no others.
pub fn edits(text: &[u8]) {
    if text.len() > 1 << 14 {
        return;
    }
    let before = code(text);
    let tokens = cowrap_csyntax::lex::lex(text);
    let words = tokens.iter().filter(|token| token.kind == Kind::Word).take(MOST_WORDS);
    for token in words {
        // Names come from findings, which have no continued lines.
        let Ok(name) = std::str::from_utf8(&text[token.span.clone()]) else { continue };
        if name.contains('\\') {
            continue;
        }
        let at = token.span.start;
        if let Some(marked) = made(text, mark_function(text, at, name, "a_mark")) {
            is_inserted(&before, &code(&marked), &[b"a_mark"]);
            let again = find_word(&marked, name, at).map(|at| mark_function(&marked, at, name, "a_mark"));
            let is_marked = matches!(again, Some(Err(EditError::AlreadyMarked { .. })));
            assert!(is_marked, "a marked function has the mark: {again:?}");
            let mark = find_word(&marked, "a_mark", 0).expect("it was inserted");
            if before.iter().all(|(_, spelling)| spelling != b"a_mark") {
                let unmarked = made(&marked, unmark(&marked, mark, "a_mark")).expect("a mark can be removed");
                assert_eq!(code(&unmarked), before, "without the mark, the code is as before");
            }
        }
        if let Some(marked) = made(text, mark_pointer(text, at, name, "a_mark")) {
            is_inserted(&before, &code(&marked), &[b"a_mark"]);
        }
        if let Some(renamed) = made(text, rename_call(text, at, name, "another_name")) {
            let after = code(&renamed);
            let differing = before.iter().zip(&after).filter(|(old, new)| old != new);
            let differing: Vec<_> = differing.collect();
            assert!(before.len() == after.len() && differing.len() <= 1, "{differing:?}");
            assert!(differing.iter().all(|(old, new)| old.1 == name.as_bytes() && new.1 == b"another_name"));
        }
        if let Some(wrapped) = made(text, add_wrapper(text, at, name, "a_wrapper", "a_mark", &["coroutine_fn"])) {
            let after = code(&wrapped);
            assert!(after.len() > before.len() && after.iter().any(|(_, spelling)| spelling == b"a_wrapper"));
            // What is new is one range.
            let same_before = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
            let same_behind = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| old == new).count();
            assert!(same_before + same_behind >= before.len(), "a wrapper is added, and nothing else changes");
        }
    }
    let edits = add_include(text, "a/header.h");
    if !edits.is_empty() {
        let included = made(text, Ok(edits)).expect("there are edits");
        assert!(add_include(&included, "a/header.h").is_empty(), "what is included needs no include");
    }
}

/// The text after edits, which must be sorted, disjoint and inside of it.
fn made(text: &[u8], edits: Result<Vec<TextEdit>, EditError>) -> Option<Vec<u8>> {
    let edits = match edits {
        Ok(edits) => edits,
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty() && !message.ends_with('.'));
            return None;
        }
    };
    let mut at = 0;
    for edit in &edits {
        assert!(at <= edit.range.start && edit.range.start <= edit.range.end && edit.range.end <= text.len());
        at = edit.range.end;
    }
    Some(apply(text, &edits))
}

/// The code is the same, except for words that were inserted at one place each.
fn is_inserted(before: &[(Kind, Vec<u8>)], after: &[(Kind, Vec<u8>)], words: &[&[u8]]) {
    assert_eq!(after.len(), before.len() + words.len());
    let mut rest = before.iter().peekable();
    for token in after {
        match rest.next_if_eq(&token) {
            Some(_) => {}
            None => assert!(words.contains(&token.1.as_slice()), "{token:?} is new"),
        }
    }
    assert_eq!(rest.next(), None);
}

/// The offset of the first word of this name at an offset or behind it.
fn find_word(text: &[u8], name: &str, from: usize) -> Option<usize> {
    let tokens = cowrap_csyntax::lex::lex(text);
    let is_wanted = |token: &&Token| {
        token.kind == Kind::Word && token.span.start >= from && text[token.span.clone()] == *name.as_bytes()
    };
    tokens.iter().find(is_wanted).map(|token| token.span.start)
}

/// Comments for cowrap are where they say, and there are not more than introductions.
pub fn suppression(text: &[u8]) {
    let lines = Lines::new(text);
    let found = comments(text);
    let introductions = text.windows(b"cowrap:".len()).filter(|window| window == b"cowrap:").count();
    assert!(found.len() <= introductions);
    let last = lines.line(text.len());
    let mut before = (0, 0);
    for comment in &found {
        assert!((comment.line, comment.column) > before, "in the order of the text");
        before = (comment.line, comment.column);
        let at = lines.offset(comment.line, comment.column).expect("it is in the text");
        assert!(text[at..].starts_with(b"cowrap:"));
        match &comment.suppression {
            Ok(suppression) => {
                assert!(!suppression.rules.is_empty() && suppression.rules.iter().all(|rule| !rule.is_empty()));
                assert!(!suppression.reason.contains('\n'));
                assert!(suppression.code.is_none_or(|code| (1..=last).contains(&code)));
                if let Some((first, end)) = suppression.declaration {
                    assert!(suppression.code == Some(first) && first <= end && end <= last);
                }
            }
            Err(problem) => assert!(!problem.is_empty() && !problem.contains('\n') && !problem.ends_with('.')),
        }
    }
}

/// The scanner agrees with the lexer, and a text without comments has the same tokens at the same places.
pub fn scan(text: &[u8]) {
    let names = Names::new();
    let scan = cowrap_frontend::scan::scan(text, &names);
    assert_eq!(scan, cowrap_frontend::scan::scan(text, &names), "the same each time");
    let last = 1 + text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u32;
    let is_inside = |line: u32| (1..=last).contains(&line);
    assert!(scan.includes.iter().chain(&scan.probes).all(|include| is_inside(include.line)));
    assert!(scan.words.iter().chain(&scan.defines).all(|(_, line)| is_inside(*line)));
    assert!(scan.words.is_sorted_by(|one, other| one.0 < other.0));
    assert!(scan.defines.is_sorted_by(|one, other| one.0 < other.0));
    assert!(scan.bare.iter().all(|bare| scan.words.binary_search_by_key(bare, |(word, _)| *word).is_ok()));
    let Some(without_comments) = normalized(text) else { return };
    assert_eq!(normalized(&without_comments).as_ref(), Some(&without_comments), "nothing is left to leave out");
    let again = cowrap_frontend::scan::scan(&without_comments, &names);
    assert_eq!((again.normalized, &again.words, &again.includes), (scan.normalized, &scan.words, &scan.includes));
    assert_eq!(placed_code(&without_comments), placed_code(text), "the same tokens at the same places");
    let words: BTreeSet<Vec<u8>> = scan.words.iter().map(|(name, _)| names.text(*name).to_vec()).collect();
    let tokens = cowrap_csyntax::lex::lex(text);
    for token in tokens.iter().filter(|token| token.kind == Kind::Word && !token.in_directive) {
        let spelling = token.spelling(text);
        let is_word = words.contains(&*spelling) || is_pragma(&spelling);
        assert!(is_word, "the scanner misses `{}`", String::from_utf8_lossy(&spelling));
    }
    // The scanner does not follow what is embedded.
    if text.windows(b"embed".len()).any(|window| window == b"embed") {
        return;
    }
    let headers = tokens.iter().filter(|token| token.kind == Kind::HeaderName).count();
    let written = scan.includes.iter().filter(|include| include.kind != IncludeKind::Computed).count();
    assert!(written >= headers, "the lexer sees {headers} names of headers, the scanner {written}");
}

/// Whether the scanner reads a word as a pragma instead of a name.
fn is_pragma(word: &[u8]) -> bool {
    matches!(word, b"_Pragma" | b"__pragma")
}

/// The code of a text with its lines and columns.
fn placed_code(text: &[u8]) -> Vec<(Kind, Vec<u8>, (u32, u32))> {
    let lines = Lines::new(text);
    let mut code = Vec::new();
    for token in cowrap_csyntax::lex::lex(text) {
        if !token.kind.is_space() && !token.kind.is_comment() {
            code.push((token.kind, token.spelling(text).into_owned(), lines.line_column(token.span.start)));
        }
    }
    code
}

/// A header becomes declarations and diagnostics inside of its text, and the generator writes each wrapper or refuses
/// it with a reason.
pub fn read_header(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    let header = cowrap_wrapgen::read_header(text, 0, &VOCABULARY);
    for declared in &header.wrappers {
        let name = text.get(declared.name_span.clone()).expect("the name is in the text");
        assert_eq!(without_splices(name.as_bytes()), declared.name.as_bytes());
        assert!(declared.span.start <= declared.name_span.start && declared.name_span.end <= declared.span.end);
        assert!(text.get(declared.span.clone()).is_some());
    }
    for diagnostic in &header.diagnostics {
        assert!(diagnostic.span.clone().is_none_or(|span| text.get(span).is_some()));
        assert!(!diagnostic.message.is_empty() && !diagnostic.help.is_empty());
    }
    defined_functions(text);
    let options = FileOptions { inputs: vec!["a.h".to_owned()], ..FileOptions::default() };
    match render_file(&GENERATOR, &FEATURES, &header.wrappers, &options) {
        Ok(generated) => {
            let defined = defined_functions(&generated);
            for declared in &header.wrappers {
                let is_there = defined.contains_key(&declared.name);
                assert!(is_there, "no `{}` in the generated file", declared.name);
            }
        }
        Err(RenderError::Refused(diagnostics)) => {
            assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                assert!(diagnostic.span.is_none_or(|span| text.get(span).is_some()));
            }
        }
        Err(RenderError::Template(problem)) => panic!("the built-in templates are right: {problem}"),
    }
}
