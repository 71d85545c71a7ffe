//! Properties of the reader of declarations: whatever the text, it ends, and it passes over no mark in silence.
//!
//! `fuzz/` holds the same as a target for cargo-fuzz.

use std::sync::LazyLock;

use cowrap_packs::Generator;
use cowrap_wrapgen::{Reading, Vocabulary, outline, read, vocabulary};
use proptest::prelude::*;

/// What a header is made of, and what breaks one.
const PIECES: &[&str] = &[
    "co_wrapper",
    "co_wrapper_mixed",
    "no_co_wrapper",
    "co_wrapper_odd",
    "coroutine_fn",
    "int",
    "const",
    "unsigned",
    "struct s",
    "static",
    "typedef",
    "my_type",
    "MACRO",
    "bdrv_a",
    "bdrv_co_b",
    "x",
    "y",
    "void",
    "(",
    ")",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "*",
    ",",
    ";",
    ";",
    "=",
    "...",
    "3",
    "int co_wrapper bdrv_f(int x);",
    "__attribute__((a))",
    "typeof(x)",
    "extern \"C\" {",
    "\u{e9}",
    "\n",
];

/// What hides text from the compiler.
const HIDING: &[&str] = &[
    "/*",
    "*/",
    "//",
    "\"",
    "'",
    "\\\n",
    "\\\r\n",
    "\\",
    "#if A\n",
    "\n#if 0\n",
    "\n#ifdef B\n",
    "\n#else\n",
    "\n#elif C\n",
    "\n#endif\n",
    "\n#define X ",
    "#",
    "\u{feff}",
    "\u{0}",
];

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| vocabulary(&Generator::read(None).expect("the built-in pack is valid")));

fn check(text: &str, reading: &Reading) {
    for declared in &reading.declared {
        assert_eq!(text[declared.name_span.clone()].replace("\\\n", "").replace("\\\r\n", ""), declared.name);
        assert!(declared.span.start <= declared.name_span.start && declared.name_span.end <= declared.span.end);
        assert!(text[declared.span.clone()].contains("co_wrapper") || text.contains("\\\n") || text.contains("\\\r\n"));
    }
    for complaint in &reading.complaints {
        assert!(complaint.span.clone().is_none_or(|span| text.get(span).is_some()));
        assert!(!complaint.message.is_empty() && !complaint.help.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check(&text, &read(&text, 0, &WORDS));
        outline(&text);
    }

    #[test]
    fn any_pieces_are_read(
        pieces in prop::collection::vec(prop::sample::select([PIECES, HIDING].concat()), 0..60),
    ) {
        let text = pieces.join(" ");
        check(&text, &read(&text, 0, &WORDS));
        let tight: String = pieces.concat();
        check(&tight, &read(&tight, 0, &WORDS));
        outline(&text);
    }

    /// Where nothing hides it, every mark ends in a declaration or in a complaint.
    #[test]
    fn no_mark_is_passed_over(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.join(" ");
        let reading = read(&text, 0, &WORDS);
        check(&text, &reading);
        let marked = pieces.iter().any(|piece| ["co_wrapper", "co_wrapper_mixed", "no_co_wrapper"].contains(piece));
        prop_assert!(!marked || !reading.declared.is_empty() || !reading.complaints.is_empty(), "{text}");
    }

    /// What stands before and behind a declaration that is fine changes nothing in it, when it is complete itself.
    #[test]
    fn a_declaration_does_not_depend_on_its_neighbours(
        before in prop::sample::select(vec![
            "int f(void);", "static inline int f(void) { return g({1}); }", "struct s { int x; };", "#define X {\n",
            "typedef struct { int x; } t;", "int a[] = { 1 };", "/* { */", "#if 0\n{\n#endif\n", "const char *s = \"{\";",
        ]),
        behind in prop::sample::select(vec!["int g(void);", "#define Y (\n", "/* ( */", "struct t;", ""]),
    ) {
        let own = "const char *co_wrapper bdrv_f(int x, void (*cb)(int, int));";
        let alone = read(own, 0, &WORDS);
        let text = format!("{before}\n{own}\n{behind}\n");
        let mut reading = read(&text, 0, &WORDS);
        prop_assert_eq!(&reading.complaints, &vec![]);
        prop_assert_eq!(reading.declared.len(), 1);
        let declared = reading.declared.remove(0);
        prop_assert_eq!(&text[declared.span.clone()], &own[..own.len() - 1]);
        prop_assert_eq!(&declared.returns, &alone.declared[0].returns);
        prop_assert_eq!(declared.signature(), alone.declared[0].signature());
    }
}
