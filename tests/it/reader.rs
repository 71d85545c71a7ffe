//! Properties of reading headers: every text is read, and no mark is passed over.
//!
//! `fuzz/` has the first as a target for cargo-fuzz.

use std::sync::LazyLock;

use cowrap_packs::Generator;
use cowrap_wrapgen::{HeaderWrappers, Vocabulary, defined_functions, read_header, vocabulary};
use proptest::prelude::*;

/// What a header is made of, and what breaks one.
const PARTS: &[&str] = &[
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

fn check(text: &str, header: &HeaderWrappers) {
    for declared in &header.wrappers {
        assert_eq!(text[declared.name_span.clone()].replace("\\\n", "").replace("\\\r\n", ""), declared.name);
        assert!(declared.span.start <= declared.name_span.start && declared.name_span.end <= declared.span.end);
        assert!(text[declared.span.clone()].contains("co_wrapper") || text.contains("\\\n") || text.contains("\\\r\n"));
    }
    for diagnostic in &header.diagnostics {
        assert!(diagnostic.span.clone().is_none_or(|span| text.get(span).is_some()));
        assert!(!diagnostic.message.is_empty() && !diagnostic.help.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check(&text, &read_header(&text, 0, &WORDS));
        defined_functions(&text);
    }

    #[test]
    fn any_parts_are_read(
        parts in prop::collection::vec(prop::sample::select([PARTS, HIDING].concat()), 0..60),
    ) {
        let text = parts.join(" ");
        check(&text, &read_header(&text, 0, &WORDS));
        let tight: String = parts.concat();
        check(&tight, &read_header(&tight, 0, &WORDS));
        defined_functions(&text);
    }

    /// Where nothing hides it, every mark ends in a declaration or in a diagnostic.
    #[test]
    fn no_mark_is_passed_over(parts in prop::collection::vec(prop::sample::select(PARTS), 0..40)) {
        let text = parts.join(" ");
        let header = read_header(&text, 0, &WORDS);
        check(&text, &header);
        let marked = parts.iter().any(|part| ["co_wrapper", "co_wrapper_mixed", "no_co_wrapper"].contains(part));
        prop_assert!(!marked || !header.wrappers.is_empty() || !header.diagnostics.is_empty(), "{text}");
    }

    /// What is before and behind a declaration does not change it.
    #[test]
    fn a_declaration_does_not_depend_on_its_neighbours(
        before in prop::sample::select(vec![
            "int f(void);", "static inline int f(void) { return g({1}); }", "struct s { int x; };", "#define X {\n",
            "typedef struct { int x; } t;", "int a[] = { 1 };", "/* { */", "#if 0\n{\n#endif\n", "const char *s = \"{\";",
        ]),
        behind in prop::sample::select(vec!["int g(void);", "#define Y (\n", "/* ( */", "struct t;", ""]),
    ) {
        let own = "const char *co_wrapper bdrv_f(int x, void (*cb)(int, int));";
        let alone = read_header(own, 0, &WORDS);
        let text = format!("{before}\n{own}\n{behind}\n");
        let mut header = read_header(&text, 0, &WORDS);
        prop_assert_eq!(&header.diagnostics, &vec![]);
        prop_assert_eq!(header.wrappers.len(), 1);
        let declared = header.wrappers.remove(0);
        prop_assert_eq!(&text[declared.span.clone()], &own[..own.len() - 1]);
        prop_assert_eq!(&declared.returns, &alone.wrappers[0].returns);
        prop_assert_eq!(declared.signature(), alone.wrappers[0].signature());
    }
}
