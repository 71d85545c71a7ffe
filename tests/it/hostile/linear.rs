//! Large input takes time in proportion to its size, deep input no deep stack, and damaged input ends nothing.
//!
//! Each text here takes a second where time is in proportion to its size, and minutes where it is not.

use super::reading::{BREACH, Hostile};

/// The text of a unit, made of pieces with a number in place of `@`.
fn many(count: usize, piece: &str) -> String {
    (0..count).map(|number| piece.replace('@', &number.to_string())).collect()
}

/// Texts of one kind each, which grow quickly.
fn large_texts() -> Vec<(&'static str, String)> {
    let body = |count, piece| format!("void callee(int x);\nvoid g(int x)\n{{\n{}}}\n", many(count, piece));
    vec![
        ("redeclarations", many(10_000, "void f(void);\n") + "void f(void) { f(); }\n"),
        ("marked redeclarations", many(3_000, "void coroutine_fn f(void);\n")),
        ("attributes", format!("void {}f(void);\n", "__attribute__((annotate(\"x\"))) ".repeat(10_000))),
        ("marks", format!("void {}f(void);\n", "coroutine_fn ".repeat(5_000))),
        ("aliases", "void t(void) {}\n".to_owned() + &many(2_000, "void f@(void) __attribute__((alias(\"t\")));\n")),
        ("calls", body(10_000, "callee(@);\n")),
        ("findings of one function", body(5_000, "drain();\n")),
        (
            "calls of many functions",
            many(1_000, "void coroutine_fn callee@(void);\n")
                + &format!("void no_coroutine_fn g(void)\n{{\n{}}}\n", many(1_000, "callee@();\n")),
        ),
        ("findings on a line", many(1_000, "void f@(void) { drain(); } ")),
        ("labels of a line", body(5_000, "drain();").replace('\n', " ") + "\n"),
        ("locked calls", LOCKS.to_owned() + &body(2_000, "qemu_mutex_lock(&m); callee(@); qemu_mutex_unlock(&m);\n")),
        ("locks", LOCKS.to_owned() + &body(1_000, "extern struct M m@; qemu_mutex_lock(&m@); callee(@);\n")),
        ("copies of a parameter", body(4_000, "{ int v@ = x; callee(v@); }\n")),
        (
            "parameters",
            format!(
                "void f(int x{});\nvoid g(void) {{ f(0{}); }}\n",
                many(5_000, ", void (*p@)(void)"),
                ", drain".repeat(5_000)
            ),
        ),
        (
            "labels",
            body(5_000, "if (x == @) { goto l@; }\n").replace("}\n}\n", "}\n")
                + &many(5_000, "l@: callee(@);\n")
                + "}\n",
        ),
        ("cases", body(1, "switch (x) {\n#include \"cases.h\"\n}\n")),
        ("initialisers", format!("void (*t[])(void) = {{ {} }};\n", "drain, ".repeat(10_000))),
        ("comments", many(5_000, "void f@(void) { drain(); } // cowrap: allow(coroutine-call): known\n")),
        (
            "comments before one function",
            "/* cowrap: allow(coroutine-call) x */\n".repeat(5_000) + "void f(void) { drain(); }\n",
        ),
        ("a chain of calls", "void c0(void) { drain(); }\n".to_owned() + CHAIN),
    ]
}

const LOCKS: &str =
    "struct M { int x; } m;\nvoid qemu_mutex_lock(struct M *m);\nvoid qemu_mutex_unlock(struct M *m);\n";

const CHAIN: &str = "#include \"chain.h\"\n";

#[test]
fn large_texts_are_read() {
    let tree = Hostile::new();
    tree.write("include/cases.h", &many(5_000, "case @: callee(@); break;\n"));
    let chain: String = (1..5_000).map(|number| format!("void c{number}(void) {{ c{}(); }}\n", number - 1)).collect();
    tree.write("include/chain.h", &chain);
    let texts = large_texts();
    for (number, (_, text)) in texts.iter().enumerate() {
        tree.write(&format!("large{number}.c"), &format!("#include \"co.h\"\n{text}"));
    }
    tree.database();
    let said = tree.check(&[]);
    assert_eq!(said.status, 1, "{}", said.text.lines().filter(|line| !line.contains("error:")).collect::<String>());
    assert_eq!(said.findings.iter().filter(|finding| finding.starts_with("a.c")).collect::<Vec<_>>(), [BREACH]);
    assert!(said.findings.iter().any(|finding| finding.contains("`c0`")), "{:?}", said.findings);
    // A long line is not repeated for each finding on it.
    let shown = tree.run(&["check", "-p", "build"]);
    assert_eq!(shown.status, 1);
    assert!(shown.text.len() < 20_000_000, "{} bytes", shown.text.len());
    assert!(shown.text.lines().all(|line| line.chars().count() < 2_000));
}

/// Texts that are nested this deep, each with a call of `drain` behind what is nested.
fn deep_texts(depth: usize) -> Vec<(&'static str, String)> {
    let in_body = |text: String| format!("int f(int x);\nvoid g(int x, struct S *s) {{ {text}; drain(); }}\n");
    let around = |open: &str, close: &str| in_body(format!("x = {}x{}", open.repeat(depth), close.repeat(depth)));
    let joined = |item: &str, with: &str| in_body(format!("x = {}", vec![item; depth].join(with)));
    let texts = vec![
        ("parentheses", around("(", ")")),
        ("casts", around("(int)", "")),
        ("negations", around("!", "")),
        ("calls", around("f(", ")")),
        ("conditionals", around("x ? x : ", "")),
        ("short conditionals", around("x ?: ", "")),
        ("statement expressions", around("({", ";})")),
        ("terms", joined("x", " + ")),
        ("conditions", joined("f(x)", " && ")),
        ("commas", joined("f(x)", ", ")),
        ("members", in_body(format!("x = s{}->x", "->s".repeat(depth)))),
        ("branches", in_body(format!("{}f(x)", many(depth, "if (x == @) f(x); else ")))),
        ("blocks", in_body(format!("{}f(x);{}", "{".repeat(depth), "}".repeat(depth)))),
        ("labels", in_body(format!("{}f(x)", many(depth, "l@: ")))),
        ("loops", in_body(format!("{}f(x)", "while (x) ".repeat(depth)))),
    ];
    let with_record = |text| format!("#include \"co.h\"\nstruct S {{ int x; struct S *s; }};\n{text}");
    texts.into_iter().map(|(kind, text)| (kind, with_record(text))).collect()
}

fn deep_tree(depth: usize) -> (Hostile, Vec<&'static str>) {
    let tree = Hostile::new();
    let texts = deep_texts(depth);
    for (number, (_, text)) in texts.iter().enumerate() {
        tree.write(&format!("deep{number}.c"), text);
    }
    tree.database();
    let database = tree.read("build/compile_commands.json");
    tree.write("build/compile_commands.json", &database.replace("\"-c\"", "\"-fbracket-depth=1000000\",\"-c\""));
    (tree, texts.into_iter().map(|(kind, _)| kind).collect())
}

#[test]
fn deep_texts_are_analysed_up_to_the_limit() {
    let (tree, kinds) = deep_tree(1_200);
    let said = tree.check(&[]);
    assert_eq!(said.status, 1, "{said:?}");
    for (number, kind) in kinds.iter().enumerate() {
        let name = format!("deep{number}.c");
        assert!(said.findings.iter().any(|finding| finding.starts_with(&name)), "{kind}: {said:?}");
    }
    let said = tree.check(&["--limit-depth", "500", "--no-cache", "-v"]);
    assert_eq!((said.status, said.findings.len()), (2, 1), "{said:?}");
    assert!(said.text.contains("--limit-depth 500"), "{said:?}");
    for (number, kind) in kinds.iter().enumerate() {
        assert!(said.text.contains(&format!("deep{number}.c")), "{kind}: {said:?}");
    }
}

#[test]
fn deeper_texts_cost_their_units() {
    let (tree, kinds) = deep_tree(15_000);
    let said = tree.check(&["--limit-time", "2", "-v"]);
    assert_eq!((said.status, said.findings), (2, vec![BREACH.to_owned()]));
    for (number, kind) in kinds.iter().enumerate() {
        assert!(said.text.contains(&format!("deep{number}.c")), "{kind}: {}", said.text);
    }
}

/// The checksum at the end of an index (CRC-32).
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step));
    (!sum).to_le_bytes()
}

#[test]
fn an_index_with_a_forged_checksum_is_an_index_or_not() {
    let tree = Hostile::new();
    tree.write("b.c", "#include \"co.h\"\nstruct S { void (*f)(void); } s = { drain };\nvoid h(void (*p)(void)) { s.f(); p(); }\nvoid i(void) { h(drain); }\n");
    tree.database();
    assert_eq!(tree.run(&["index", "-p", "build", "-o", "tree.index"]).status, 0);
    let bytes = std::fs::read(tree.root().join("tree.index")).unwrap();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let content = &bytes[first..bytes.len() - 4];
    assert_eq!(checksum(content), bytes[bytes.len() - 4..], "the checksum has another form");
    let mut number = 1u64;
    let mut next = |limit: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % limit
    };
    let mut statuses = [0; 3];
    for _ in 0..60 {
        let mut forged = content.to_vec();
        for _ in 0..1 + next(3) {
            // The program is behind the names of the pack.
            let at = content.len() - 1 - next(content.len() / 2);
            forged[at] = [0, 1, 2, 3, 9, 0x7f, 0x80, 0xff][next(8)];
        }
        let forged = [&bytes[..first], &forged, &checksum(&forged)].concat();
        std::fs::write(tree.root().join("forged.index"), forged).unwrap();
        let said = tree.run(&["check", "--index", "forged.index"]);
        assert!((0..3).contains(&said.status) && !said.text.contains("panicked"), "{said:?}");
        statuses[said.status as usize] += 1;
    }
    assert!(statuses[2] > 0, "{statuses:?}");
}

#[test]
fn long_patterns_are_refused() {
    let tree = Hostile::new();
    for pattern in ["*".repeat(200_000), "{".repeat(3_000), format!("{{{}}}", "a,".repeat(100_000))] {
        tree.write("cowrap.toml", &format!("[levels]\n\"{pattern}\" = {{ mixed-call = \"off\" }}\n"));
        let said = tree.check(&[]);
        assert!(said.status == 2 && said.text.contains("cowrap.toml:2:"), "{}", said.text.len());
        assert!(said.text.len() < 1_000, "{}", said.text.len());
    }
    tree.write("cowrap.toml", &many(500, "[levels.\"d@/**\"]\nmixed-call = \"off\"\n"));
    assert_eq!(tree.check(&[]).findings, [BREACH]);
}

#[test]
fn a_long_file_is_compared_with_a_generated_one() {
    let tree = Hostile::new();
    tree.write("in.h", "#ifndef IN_H\n#define IN_H\nint co_wrapper blk_do(int x);\n#endif\n");
    let dialect = ["--dialect", "9.0"];
    assert_eq!(tree.run(&[&["generate"], &dialect[..], &["out.c", "in.h"]].concat()).status, 0);
    let written = tree.read("out.c");
    tree.write("out.c", &(written + &many(300_000, "int x@;\n")));
    let said = tree.run(&[&["generate", "--check"], &dialect[..], &["out.c", "in.h"]].concat());
    assert_eq!((said.status, said.text.matches("\n-int x").count()), (1, 300_000));
}
