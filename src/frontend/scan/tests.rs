//! Tests of what a text says.

use proptest::prelude::*;

use super::lex::Lexer;
use super::read::normalized;
use super::*;

/// What a text says, with the names as text.
#[derive(Debug, PartialEq)]
struct Said {
    includes: Vec<String>,
    probes: Vec<String>,
    guard: String,
    defines: Vec<String>,
    words: Vec<String>,
    bodies: Vec<String>,
    pragmas: Vec<String>,
    pastes: Vec<String>,
    leaks: bool,
    open: bool,
}

fn said(text: &str) -> Said {
    let names = Names::new();
    let text_of = |name: &Name| String::from_utf8_lossy(&names.text(*name)).into_owned();
    let scan = scan(text.as_bytes(), &names);
    let Scan { includes, probes, guard, defines, words, bodies, pragmas, pastes, leaks, open, .. } = scan;
    let sorted = |all: &[Name]| {
        let mut texts: Vec<String> = all.iter().map(text_of).collect();
        texts.sort();
        texts
    };
    let include = |include: &Include| {
        let name = String::from_utf8_lossy(&include.name).into_owned();
        let quoted = match include.kind {
            IncludeKind::Quoted => format!("\"{name}\""),
            IncludeKind::Angled => format!("<{name}>"),
            IncludeKind::Computed => name,
        };
        let flag = |flag: bool, text: &str| if flag { text.to_owned() } else { String::new() };
        let flags = [
            flag(include.next, " next"),
            flag(include.conditional, " if"),
            flag(include.leading, " leading"),
            flag(include.inside, " inside"),
        ];
        format!("{}:{quoted}{}", include.line, flags.concat())
    };
    let mut bodies: Vec<String> =
        bodies.iter().map(|(name, body)| format!("{}: {}", text_of(name), sorted(body).join(" "))).collect();
    bodies.sort();
    Said {
        includes: includes.iter().map(include).collect(),
        probes: probes.iter().map(include).collect(),
        guard: match &guard {
            Guard::None => "none".to_owned(),
            Guard::Once => "once".to_owned(),
            Guard::Macro(name) => text_of(name),
        },
        defines: sorted(&defines.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        words: sorted(&words.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        bodies,
        pragmas: sorted(&pragmas),
        pastes: sorted(&pastes.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        leaks,
        open,
    }
}

fn includes(text: &str) -> Vec<String> {
    said(text).includes
}

fn words(text: &str) -> String {
    said(text).words.join(" ")
}

fn form(text: &str) -> Digest {
    scan(text.as_bytes(), &Names::new()).normalized
}

#[test]
fn includes_are_found_however_they_are_written() {
    assert_eq!(includes("#include \"a.h\"\n#include <b/c.h>\n"), ["1:\"a.h\" leading", "2:<b/c.h> leading"]);
    assert_eq!(includes("/* x\n */ # /* y */ include/* z */<a.h>// w"), ["2:<a.h> leading"]);
    assert_eq!(includes("#inc\\\nlude \\\r\n \"a\\\n.h\""), ["1:\"a.h\" leading"]);
    assert_eq!(includes("#\\  \ninclude <a.h>"), ["1:<a.h> leading"]);
    assert_eq!(includes("\u{feff}#include_next <a.h>"), ["1:<a.h> next leading"]);
    assert_eq!(includes("#import <a//b.h>\n"), ["1:<a//b.h> leading"]);
    assert!(said("#import <a.h>").leaks);
    assert_eq!(includes("#include A /* b\n */ (c) \\\n d // e\n"), ["1:A   (c)  d leading"]);
    assert_eq!(includes("#include <a.h\n#include\n#include \"b\n").len(), 3);
    assert_eq!(includes("x #include <a.h>\n\"\\\n#include <b.h>\\\n\"\n/*\n#include <c.h>\n*/"), [""; 0]);
    assert_eq!(includes("don't\n#error it's\n#include <a.h>"), ["3:<a.h> inside"]);
    assert_eq!(includes("a;\r\n\r\n#include <a.h>\r\n"), ["3:<a.h>"]);
    assert_eq!(includes("a;\r#include <a.h>\r"), ["2:<a.h>"]);
    assert_eq!(includes("'\\'' '\"';\n#include <a.h>"), ["2:<a.h>"]);
}

#[test]
fn what_is_before_an_include_matters_to_it() {
    assert_eq!(includes("#pragma once\n#include <a.h>\n#define A\n#include <b.h>"), ["2:<a.h> leading", "4:<b.h>"]);
    assert_eq!(
        includes("#if A\n#include <a.h>\n#else\n#include <b.h>\n#endif\n#include <c.h>"),
        ["2:<a.h> if", "4:<b.h> if", "6:<c.h>"]
    );
    let guarded =
        "/* x */\n#ifndef A\n#define A 1\n#include <a.h>\n#ifdef B\n#include <b.h>\n#endif\n#include <c.h>\n#endif\n";
    assert_eq!(includes(guarded), ["4:<a.h> leading", "6:<b.h> if", "8:<c.h>"]);
    // A guard that turns out to be none.
    let none = format!("{guarded}int x;\n#include <d.h>");
    assert_eq!(includes(&none), ["4:<a.h> if", "6:<b.h> if", "8:<c.h> if", "11:<d.h>"]);
    assert_eq!(includes("#error\n#include <a.h>"), ["2:<a.h>"]);
    assert_eq!(includes("#\n;\n#include <a.h>"), ["3:<a.h>"]);
}

#[test]
fn questions_for_headers_are_found() {
    let probes = |text: &str| said(text).probes;
    assert_eq!(probes("#if __has_include(<a.h>) && __has_include ( \"b.h\" )"), ["1:<a.h>", "1:\"b.h\""]);
    assert_eq!(probes("#ifdef A\n#elif __has_include_next(<a.h>)\n#endif"), ["2:<a.h> next if"]);
    assert_eq!(probes("#ifdef __has_include\n#if defined(__has_include) && defined __has_include"), [""; 0]);
    assert_eq!(probes("#define __has_include(x) 0\n#undef __has_include"), [""; 0]);
    assert_eq!(probes("#define HAS(x) __has_include(x)"), ["1:x"]);
    assert_eq!(probes("#define HAS __has_include"), ["1:"]);
    assert_eq!(probes("#if __has_include(<a.h"), ["1:<"]);
}

#[test]
fn guards_are_found() {
    let guard = |text: &str| said(text).guard;
    assert_eq!(guard("#ifndef A\n#define A\nint x;\n#endif // A\n"), "A");
    assert_eq!(guard("#if !defined(A)\n#define A 1\n#endif"), "A");
    assert_eq!(guard("#if ! defined A\n/* x */\n# define A\n#if B\n#else\n#endif\n#endif"), "A");
    assert_eq!(guard("#pragma once\n"), "once");
    assert_eq!(guard("#pragma once\n#ifndef A\n#define A\n#endif"), "A");
    assert_eq!(guard("#ifndef A\n#pragma once\n#define A\n#endif"), "A");
    assert_eq!(guard("#ifndef A\n#pragma once\nx\n#endif"), "none");
    for none in [
        "x\n#ifndef A\n#define A\n#endif",
        "#ifndef A\n#define A\n#endif\nx",
        "#ifndef A\n#define A\n#endif\n#include <x>",
        "#ifndef A\n#define A\n#else\n#endif",
        "#ifndef A\n#define B\n#endif",
        "#ifndef A\nx\n#define A\n#endif",
        "#ifndef A\n#define A(x)\n#endif",
        "#ifndef A\n#define A B\n#endif",
        "#ifndef A B\n#define A\n#endif",
        "#ifdef A\n#define A\n#endif",
        "#if !defined(A) && B\n#define A\n#endif",
        "#ifndef A\n#define A\n",
        "#ifndef A\n#define A\n#endif\n#endif",
        "#if A\n#pragma once\n#endif",
        "",
    ] {
        assert_eq!(guard(none), "none", "{none:?}");
    }
}

#[test]
fn a_guards_macro_is_no_name() {
    let all = said("#ifndef A\n#define A\n#define B\n#endif");
    assert_eq!((all.defines, all.words, all.bodies), (vec!["B".to_owned()], Vec::new(), vec!["B: ".to_owned()]));
    assert_eq!(words("#ifndef A\n#define A\n#ifdef A\n#endif\n#endif"), "A");
    let none = said("#ifndef A\n#define A\n#endif\nx");
    assert_eq!((none.defines.join(" "), none.words.join(" ")), ("A".to_owned(), "A x".to_owned()));
    assert_eq!(none.bodies, ["A: "]);
    assert_eq!(words("#ifndef A\nx\n#endif"), "A x");
    assert_eq!(words("#ifndef A\n"), "A");
}

#[test]
fn names_know_their_first_line() {
    let names = Names::new();
    let found = scan(b"a\n/*\n*/ b a\n#define M \\\n c\n#undef N\n#if d \\\n || e\n#endif\nM a", &names);
    let text = |(name, line): &(Name, u32)| format!("{}:{line}", String::from_utf8_lossy(&names.text(*name)));
    let told = |list: &[(Name, u32)]| {
        let mut told: Vec<String> = list.iter().map(text).collect();
        told.sort();
        told.join(" ")
    };
    // The words of a directive count as those of its last line.
    assert_eq!(told(&found.words), "M:10 a:1 b:3 d:8 e:8");
    assert_eq!(told(&found.defines), "M:5 N:6");
}

#[test]
fn words_are_those_of_code_and_directives() {
    assert_eq!(words("int a = 0x1e+1 + 1.5e-3f + .5x; // b\n/* c */ \"d\" 'e' L\"f\" L'g'"), "a int");
    assert_eq!(words("fo\\\no ba\\\r\nr ba\\ \nz"), "bar baz foo");
    assert_eq!(words("#if defined(A) && B > 1'000\n#error it's C\n#elif D"), "A B D defined it");
    assert_eq!(words("#include <a.h> B\n#include C\n#pragma D e\n#undef F\n#define G(h, ...) i h"), "B C D e");
    assert_eq!(words("é a$b"), "a a$b b é");
    assert_eq!(words("u8\"x\" u'x'"), "u u8");
    assert_eq!(words("a ## b"), "a b");
    assert_eq!(words("_Pragma(\"x\")"), "_Pragma");
}

#[test]
fn definitions_and_their_words() {
    let all = said(
        "#define A(x, y...) x B \\\n C y /* D */\n#define E (F)\n#define A B2\n#undef G\n#pragma GCC poison H I\n#define\n#define 1\n#define J(",
    );
    assert_eq!(all.defines.join(" "), "A E G H I");
    assert_eq!(all.bodies, ["A: B B2 C", "E: F"]);
    assert_eq!(said("#define A/**/(x) x").bodies, ["A: x"]);
    assert_eq!(said("#define A\\\n(x) x y").bodies, ["A: y"]);
}

fn bare(text: &str) -> String {
    let names = Names::new();
    let scan = scan(text.as_bytes(), &names);
    let mut bare: Vec<String> =
        scan.bare.iter().map(|name| String::from_utf8_lossy(&names.text(*name)).into_owned()).collect();
    bare.sort();
    bare.join(" ")
}

fn functions(text: &str) -> String {
    let names = Names::new();
    let scan = scan(text.as_bytes(), &names);
    let mut functions: Vec<String> =
        scan.functions.iter().map(|name| String::from_utf8_lossy(&names.text(*name)).into_owned()).collect();
    functions.sort();
    functions.join(" ")
}

#[test]
fn words_that_no_parenthesis_follows_are_told() {
    assert_eq!(bare("struct S { char *f; g /* ( */ ; };"), "S char f g struct");
    assert_eq!(bare("a (b); c\\\n\n/* x\n */ // y\n(); d [e] f"), "d e");
    // It is called elsewhere, or an argument may be, once it is expanded.
    assert_eq!(bare("a; a(b); c; f(c); d;"), "d");
    // What comes next depends on a condition, or is in another file.
    assert_eq!(bare("a\n#if 0\n;\n#endif\n(); b\n#pragma once\n; c;"), "c");
    assert_eq!(bare("a; b"), "a");
    assert_eq!(bare("#define f(x) x y\n#ifdef a\nb;\n#endif\n#if c\n#endif\n"), "b");
    // Whose arguments end here is not known, and so where they begin.
    assert_eq!(bare("BEGIN a; b )"), "");
    assert_eq!(bare("f(\n#if 0\n)\n#endif\na;\n#if 0\n(\n#endif\n)"), "");
    assert_eq!(bare("a; ("), "");
    assert_eq!(bare("a; ??/\n(); b;"), "");
    assert_eq!(bare("a$b; c;"), "a$b c");
    assert_eq!(bare("_Pragma(\"once\") a; b _Pragma(\"once\");"), "a b");
    assert_eq!(bare("_Pragma a; ;"), "_Pragma a");
    assert_eq!(bare("_Pragma( a; ;"), "");
}

#[test]
fn macros_that_always_have_parameters_are_told() {
    assert_eq!(functions("#define f(x) x\n#define g (x)\n#define h\\\n() 1\n#define i/**/()"), "f h");
    assert_eq!(functions("#define f(x) x\n#if 0\n#undef f\n#define g(x)\n#endif"), "g");
    assert_eq!(functions("#define f(x) x\n#if 0\n#define f\n#endif"), "");
    assert_eq!(functions("#define f(x) x\n#pragma GCC poison f"), "");
    assert_eq!(functions("#ifndef f\n#define f\n#define f(x)\n#endif"), "f");
    assert_eq!(functions("#ifndef f\n#define f\n#define f(x)\n#endif\n;"), "");
}

#[test]
fn macros_that_paste_are_told() {
    assert_eq!(said("#define A(x) x##1\n#define B #\n#define C # #\n#define D x /**/ ## y").pastes, ["A", "D"]);
    assert_eq!(said("#define A x #\\\n# y").pastes, ["A"]);
}

#[test]
fn what_is_within_a_declaration_is_told() {
    let inside = |before: &str| {
        let text = format!("{before}\n#include <a>");
        (includes(&text)[0].ends_with(" inside"), said(before).open)
    };
    for outside in [
        "",
        "int x;",
        "void f(void) { }",
        "DECLARE(x)",
        "G_BEGIN_DECLS",
        "#ifdef __cplusplus\nextern \"C\" {\n#endif",
        "#if 0\n( {\n#endif",
        "int x[] = {\n#if A\n1, {2}\n#else\n3\n#endif\n};",
        "_Pragma(\"once\")",
        "#define A (\n;",
    ] {
        assert_eq!(inside(outside), (false, false), "{outside}");
    }
    for within in [
        "static",
        "struct x {",
        "void f(void) {\n g();",
        "int x =",
        "int f(int x,",
        "#ifdef A\nvoid f(void) {\n#else\nvoid g(void) {\n#endif\n",
        "#ifdef A\nstruct x {\n#endif",
        "#ifndef __cplusplus\nstruct x {\n#endif",
    ] {
        assert_eq!(inside(within), (true, true), "{within}");
    }
}

#[test]
fn pragmas_that_last_are_told() {
    for harmless in [
        "#pragma once",
        "#pragma GCC diagnostic push",
        "_Pragma(\"GCC diagnostic ignored \\\"-Wx\\\"\") x",
        "#pragma pack(push, 1)\nx\n#pragma pack(pop)",
        "#pragma GCC visibility push(default)\n#pragma GCC visibility pop",
        "#if A\n#pragma pack(push)\n#pragma pack(1)\n#pragma pack(pop)\n#endif",
        "#pragma GCC poison A",
        "#define A _Pragma(\"pack(1)\")",
        "int a;",
        "#error don't /* x */",
        "/* (??) */",
        "\"(??)\"",
    ] {
        assert!(!said(harmless).leaks, "{harmless:?}");
    }
    for leaking in [
        "#pragma pack(1)",
        "#pragma pack(push)",
        "#pragma pack(pop)",
        "#if A\n#pragma pack(push)\n#endif\n#pragma pack(pop)",
        "#pragma pack(push)\n#if A\n#pragma pack(pop)\n#else\n#pragma pack(pop)\n#endif",
        "#pragma omp parallel",
        "#pragma STDC FENV_ACCESS ON",
        "_Pragma(\"pack(1)\")",
        "_Pragma(\"once\")",
        "_Pragma(X)",
        "_Pragma\n(\"once\")",
        "__pragma(pack(1))",
        "#embed \"a\"",
        "#if __has_embed(\"a\")\n#endif",
        "#if A",
        "#endif",
        // What is doubtful.
        "x ??/ y",
        "// x ??/",
        "??=include <a.h>",
        "'??''",
        "a\rb",
        "a\0b",
        "/* x",
        "//* x",
        "\\u00e9",
        "R\"(x)\"",
        "%:include <a.h>",
        "#error /* x\n*/",
        "1'000",
    ] {
        assert!(said(leaking).leaks, "{leaking:?}");
    }
    let macros = "#define A _Pragma(\"pack(1)\")\n#define B _Pragma(\"GCC diagnostic pop\")\n#define C(x) _Pragma(#x)\n#define D _Pragma(\"message\") __pragma(x)";
    assert_eq!(said(macros).pragmas, ["A", "C", "D"]);
}

#[test]
fn comments_do_not_change_the_form() {
    for (one, other) in [
        ("a // b\nc", "a\nc"),
        ("a /* b */\nc", "a   \nc"),
        ("a /* b\n  c */ d\n", "a /*\n    */ d\n"),
        ("/* a */ b", "        b"),
        ("a/*b*/c", "a/*x*/c"),
        ("a /*\tb */ c", "a /*xb */ c"),
        ("#define A 1 // x\nb", "#define A 1\nb"),
        ("#define A 1 /* x\n y */ + 2\nb", "#define A 1 /*\n   */ + 2\nb"),
        ("#define A 1 /* x\n  */ + 2\nb", "#define A 1\\\n     + 2\nb"),
        ("#ifdef A // x\n#else /* y */\n#endif // z\n", "#ifdef A\n#else\n#endif\n"),
        ("a // b \\\n c\nd", "a // x \\\n y\nd"),
        ("// é\r\nb\r\n", "// x\r\nb\r\n"),
        ("// it's\n\"x\"", "//\n\"x\""),
    ] {
        assert_eq!(form(one), form(other), "{one:?} {other:?}");
    }
}

#[test]
fn what_is_no_comment_changes_the_form() {
    for (one, other) in [
        ("a b", "a  b"),
        ("a\nb", "a\n\nb"),
        ("a/**/b", "ab"),
        ("\"a // b\"", "\"a // c\""),
        ("'/*' a */", "'/*' b */"),
        ("a // b \\\n c\nd", "a // b\n c\nd"),
        ("a // b \\\n c\nd", "a // b\n// c\nd"),
        ("#define A /* x\n y */ 2\nb", "#define A /* x */\n      2\nb"),
        ("#define A 1 // x \\\n y\nb", "#define A 1\n// y\nb"),
        ("#include <a//b>\n", "#include <a//c>\n"),
        ("#if A // b\n#endif", "#if A // c\n#endif"),
        ("#error a // b\n", "#error a // c\n"),
        ("#pragma a // b\n", "#pragma a // c\n"),
        ("#line 1 // b\n", "#line 1 // c\n"),
        ("#warning a /* b */\n", "#warning a /* c */\n"),
        ("#define // b\n", "#define // cc\n"),
        ("#define A(b // b\n", "#define A(b // cc\n"),
        ("#if __has_include(<a//b>)\n#endif", "#if __has_include(<a//c>)\n#endif"),
        ("#define A \\ // x\nb", "#define A \\\nb"),
        ("a \\ /* x */\nb", "a \\\nb"),
        ("a // x??/\nb\n", "a // y??/\nb\n"),
        ("a /* x", "a /* y"),
        ("//*x*/ b", "//*y*/ b"),
        ("don't  \n", "don't\n"),
        ("R\"(/*x*/)\"", "R\"(/*y*/)\""),
        ("a\r// b\n", "a\r// c\n"),
        ("a", "a\n"),
        ("a //", "a"),
        ("a\n", "a\r\n"),
        ("#error it's // x\n", "#error it's // y\n"),
    ] {
        assert_ne!(form(one), form(other), "{one:?} {other:?}");
    }
}

/// With anything worse than linear time, this would take minutes.
#[test]
fn long_texts_take_no_longer_than_they_must() {
    for piece in [
        "/**/",
        "/*\\\n",
        "//\\\n",
        "*\\\n",
        "\\",
        "\\ ",
        "\\\n",
        "a\\\n",
        "'",
        "\"",
        "\"\\\n",
        "_Pragma(",
        "#if A\n",
        "#pragma pack(push)\n",
        "#define A(a\n",
        "#include <\n",
        "#include A/**/\n",
        "a/**/ ",
        " ",
        "\t\n",
        "\r",
        "??",
        "1'0",
        "é$",
    ] {
        for before in [
            "",
            "/*",
            "#define A(x) ",
            "#define A(",
            "#if ",
            "#if __has_include(",
            "#include ",
            "#pragma ",
            "#error ",
            "'",
        ] {
            scan((before.to_owned() + &piece.repeat(50_000 / piece.len())).as_bytes(), &Names::new());
        }
    }
    for piece in ["__has_include(<", "__has_include(", "_Pragma(\"a\")/**/", "a,", "defined("] {
        for before in ["#define A ", "#define A(", "#if "] {
            scan((before.to_owned() + &piece.repeat(50_000 / piece.len())).as_bytes(), &Names::new());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_text(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        scan(&text, &Names::new());
    }

    #[test]
    fn any_pieces_of_c_are_a_text(pieces in proptest::collection::vec(piece(), 0..60)) {
        scan(pieces.concat().as_bytes(), &Names::new());
    }
}

/// Pieces of C, and what is close to it.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "#",
        "define",
        "include",
        "if",
        "ifndef",
        "endif",
        "else",
        "pragma",
        "_Pragma",
        "error",
        "__has_include",
        "defined",
        "(",
        ")",
        "<",
        ">",
        "\"",
        "'",
        "\\",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "/*",
        "*/",
        "//",
        "*",
        "/",
        "A",
        "é",
        "$",
        "0x1e+",
        ".",
        "L",
        "R",
        "u8",
        "pack",
        "push",
        "pop",
        "once",
        "GCC",
        ",",
        "...",
        "%:",
        "??/",
        "1'0",
        "\\\n",
        "\\  \n",
        "\u{feff}",
        "!",
    ])
}

/// The tokens of a text with their lines and columns, and the ends of its lines; nothing is known
/// of directives.
fn tokens(text: &[u8]) -> Vec<(usize, usize, Vec<u8>)> {
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token();
        let start = token.map_or(lexer.at, |token| token.start);
        let line = text[..start].iter().filter(|byte| **byte == b'\n').count();
        let column = text[..start].iter().rev().take_while(|byte| **byte != b'\n').count();
        match (token, lexer.peek()) {
            (Some(token), _) => tokens.push((line, column, text[token.start..token.end].to_vec())),
            (None, None) => return tokens,
            (None, Some(_)) => {
                // Where a line ends is no place that a compiler tells, unless a directive that is
                // not complete ends there. `\r\n` is one end.
                if tokens.last().is_none_or(|last| *last != (line, 0, b"\n".to_vec())) {
                    tokens.push((line, 0, b"\n".to_vec()));
                }
                lexer.line_end();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The form of a text is a text with the same tokens at the same places, and says the same.
    #[test]
    fn a_form_is_a_text_with_the_same_tokens(pieces in proptest::collection::vec(harmless_piece(), 0..40)) {
        let text = pieces.concat().into_bytes();
        if let Some(form) = normalized(&text) {
            prop_assert_eq!(tokens(&form), tokens(&text));
            let names = Names::new();
            let said = |text| Scan { content: Digest::of(&[]), ..scan(text, &names) };
            prop_assert_eq!(said(&form), said(&text));
            prop_assert_eq!(normalized(&form), Some(form));
        }
    }

    #[test]
    fn a_naive_reference_makes_the_same_form(items in proptest::collection::vec(item(), 0..40)) {
        let (text, form) = written(&items);
        prop_assert_eq!(normalized(text.as_bytes()).map(|form| String::from_utf8(form).unwrap()), Some(form));
    }

    #[test]
    fn what_comments_say_does_not_change_the_form(items in proptest::collection::vec(item(), 0..40), to in "[a-z'\"#<]") {
        let changed = |item: &Item| match item {
            Item::Line(_) => Item::Line(format!(" {to}{to}")),
            Item::Block(text) => Item::Block(text.chars().map(|c| if c == '\n' { "\n" } else { &to }).collect()),
            other => other.clone(),
        };
        let others: Vec<Item> = items.iter().map(changed).collect();
        prop_assert_eq!(form(&written(&items).0), form(&written(&others).0));
    }

    #[test]
    fn what_is_no_comment_changes_it(items in proptest::collection::vec(item(), 1..40), at in any::<prop::sample::Index>()) {
        let at = at.index(items.len());
        let (text, _) = written(&items);
        // Another token, the same token elsewhere, and one more line.
        for put in [Item::Token("z"), Item::Blanks("\t"), Item::LineEnd] {
            let mut others = items.clone();
            others.insert(at, put.clone());
            // Blanks at the end of a line do not count, unless it is the last.
            let rest = &items[at..];
            let end = rest.iter().position(ends_line);
            let moves = rest[..end.unwrap_or(rest.len())].iter().any(|item| matches!(item, Item::Token(_)));
            if !matches!(put, Item::Blanks(_)) || moves || end.is_none() {
                prop_assert_ne!(form(&text), form(&written(&others).0));
            }
        }
    }
}

/// A part of a text of which it is known what it is.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Token(&'static str),
    Blanks(&'static str),
    /// A comment to the end of the line, which is part of it.
    Line(String),
    /// A comment in a line, or over several.
    Block(String),
    LineEnd,
}

/// Whether an item has the end of a line in it.
fn ends_line(item: &Item) -> bool {
    matches!(item, Item::Line(_) | Item::LineEnd) || matches!(item, Item::Block(comment) if comment.contains('\n'))
}

fn item() -> impl Strategy<Value = Item> {
    let tokens = vec!["a", "'b'", "\"/*\"", "\"//\"", "1.5", ";", "#", "+"];
    prop_oneof![
        4 => prop::sample::select(tokens).prop_map(Item::Token),
        2 => prop::sample::select(vec![" ", "\t", "   "]).prop_map(Item::Blanks),
        1 => " [a-z \t'\"#/]{0,6}".prop_map(Item::Line),
        1 => "[a-z \t\n'\"#]{0,6}".prop_map(Item::Block),
        1 => Just(Item::LineEnd),
    ]
}

/// A text of these items, and its form, by the simplest means. Each token stands behind a `;`, so
/// that none begins a directive or belongs to another.
fn written(items: &[Item]) -> (String, String) {
    let (mut text, mut form) = (String::new(), String::new());
    let trim = |form: &mut String| form.truncate(form.trim_end_matches([' ', '\t']).len());
    for item in items {
        match item {
            Item::Token(token) => {
                text.extend([";", token]);
                form.extend([";", token]);
            }
            Item::Blanks(blanks) => {
                text.push_str(blanks);
                form.push_str(blanks);
            }
            Item::Line(comment) => {
                text.extend(["//", comment, "\n"]);
                trim(&mut form);
                form.push('\n');
            }
            Item::Block(comment) => {
                let comment = format!("/*{comment}*/");
                text.push_str(&comment);
                for c in comment.chars() {
                    match c {
                        '\n' => {
                            trim(&mut form);
                            form.push_str("\\\n");
                        }
                        _ => form.push(' '),
                    }
                }
            }
            Item::LineEnd => {
                text.push('\n');
                trim(&mut form);
                form.push('\n');
            }
        }
    }
    (text, form)
}

/// Pieces of C that are not all doubtful.
fn harmless_piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "#",
        "#define ",
        "#include ",
        "#if ",
        "#ifdef ",
        "#endif ",
        "#else ",
        "#pragma ",
        "#error ",
        "__has_include(",
        "A",
        "B",
        "1",
        "(",
        ")",
        "<",
        ">",
        "\"",
        "'",
        "\n",
        "\n",
        "\n",
        "\r\n",
        " ",
        "  ",
        "\t",
        "/*",
        "*/",
        "/* a */",
        "/* a\n b */",
        "// a\n",
        "// a \\\n",
        "//",
        "*",
        "/",
        "\\\n",
        "\\  \n",
        "/* \\\n */",
        "don't",
        "\"s\"",
        "'c'",
        "\"/* \"",
    ])
}

#[test]
fn what_was_skipped_is_not_read() {
    let text = "#ifndef A_H\n#define A_H\n#if X\n#define B C\nint b;\n/*\n#endif\n*/\n#if Y\nD\n#endif\n#else\nint e;\n#endif\n#endif\n";
    let names = Names::new();
    let texts = |scan: &Scan, found: &[(Name, u32)]| {
        let mut texts: Vec<String> =
            found.iter().map(|(name, _)| String::from_utf8_lossy(&names.text(*name)).into_owned()).collect();
        texts.sort();
        (texts.join(" "), scan.guard, scan.leaks, scan.open)
    };
    let guard = Guard::Macro(names.intern(b"A_H"));
    let active = scan_active(text.as_bytes(), &names, &[(3, 12)]);
    assert_eq!(texts(&active, &active.words), ("X Y e int".to_owned(), guard, false, false));
    assert_eq!(texts(&active, &active.defines).0, "");
    let active = scan_active(text.as_bytes(), &names, &[(12, 14), (9, 11)]);
    assert_eq!(texts(&active, &active.words), ("X Y b int".to_owned(), guard, false, false));
    assert_eq!(texts(&active, &active.defines).0, "B");
    assert_ne!(active.content, scan(text.as_bytes(), &names).content);
}
