//! The lexer on arbitrary bytes: the tokens, one after the other, are the text.

#![no_main]

use cowrap_csyntax::lex::{Kind, Lines, lex};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let lines = Lines::new(text);
    let mut at = 0;
    let mut is_continued = false;
    for token in lex(text) {
        assert!(token.span.start == at && token.span.end > at);
        at = token.span.end;
        let (line, column) = lines.line_column(token.span.start);
        assert_eq!(lines.offset(line, column), Some(token.span.start));
        // A directive goes from its `#` to the line end.
        assert_eq!(token.in_directive, token.kind == Kind::Directive || is_continued && token.kind != Kind::LineEnd);
        is_continued = token.in_directive;
    }
    assert_eq!(at, text.len());
});
