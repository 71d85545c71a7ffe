//! C texts from somebody who does not want them to be read: they nest, repeat and lie, at sizes from harmless to absurd.
//!
//! A text is a few pieces in a row, chosen by a seed, and the same each time. Each piece is one idea. All names begin
//! with a prefix of the text, so that no text says anything about another one's functions.

use crate::differential::numbers::Numbers;

/// A C file with the headers that it includes.
#[derive(Clone, Debug)]
pub struct HostileText {
    /// The C file.
    pub text: Vec<u8>,
    /// Headers by their paths beside it.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The pieces with their sizes, for messages.
    pub what: String,
}

/// How often a piece repeats what it repeats.
const SIZES: &[usize] = &[2, 10, 60, 300, 2_000, 20_000, 100_000];

/// The most bytes of one piece.
const LONGEST: usize = 4 << 20;

/// The text of a seed. No piece repeats anything more than `most` times.
pub fn hostile_text(seed: u64, most: usize) -> HostileText {
    let mut numbers = Numbers::new(seed);
    let prefix = format!("h{seed}");
    let mut writer = Writer { prefix: &prefix, headers: Vec::new(), functions: 0 };
    let sizes = SIZES.partition_point(|size| *size <= most).max(1);
    let (mut text, mut what) = (Vec::new(), Vec::new());
    if numbers.percent(60) {
        text.extend(b"#include \"co.h\"\n");
    }
    for _ in 0..numbers.between(1, 3) {
        let (name, piece) = numbers.pick(PIECES);
        let size = SIZES[numbers.below(sizes)];
        let mut piece = piece(&mut writer, size, &mut numbers);
        piece.truncate(LONGEST);
        // Some are only a part of themselves.
        if numbers.percent(15) {
            piece.truncate(numbers.below(piece.len() + 1));
        }
        text.extend(piece);
        text.push(b'\n');
        what.push(format!("{name} x {size}"));
    }
    if numbers.percent(40) {
        let (function, callee) = (writer.name("f"), writer.name("f"));
        text.extend(format!("int {callee}(void);\nint {function}(void)\n{{\n    return {callee}();\n}}\n").bytes());
    }
    HostileText { text, headers: writer.headers, what: what.join(", ") }
}

/// What pieces share.
struct Writer<'p> {
    prefix: &'p str,
    headers: Vec<(String, Vec<u8>)>,
    functions: usize,
}

impl Writer<'_> {
    /// A new name.
    fn name(&mut self, kind: &str) -> String {
        self.functions += 1;
        format!("{}_{kind}{}", self.prefix, self.functions)
    }

    /// A function that returns an expression, in which `x` is a parameter and `g` a function.
    fn returns(&mut self, expression: &str) -> Vec<u8> {
        let (function, called) = (self.name("f"), self.name("g"));
        let expression = expression.replace("@g", &called);
        format!("int {called}(int x);\nint {function}(int x)\n{{\n    return {expression};\n}}\n").into_bytes()
    }

    /// A function with a body, in which `x` is a parameter and `@g` a function.
    fn body(&mut self, body: &str) -> Vec<u8> {
        let (function, called) = (self.name("f"), self.name("g"));
        let body = body.replace("@g", &called);
        format!("int {called}(int x);\nvoid {function}(int x)\n{{\n{body}\n}}\n").into_bytes()
    }

    /// A header beside the text; its name.
    fn header(&mut self, text: &str) -> String {
        let name = format!("{}_{}.h", self.prefix, self.headers.len());
        self.headers.push((name.clone(), text.as_bytes().to_vec()));
        name
    }
}

/// Makes a piece of a size.
type Piece = fn(&mut Writer<'_>, usize, &mut Numbers) -> Vec<u8>;

/// All pieces.
const PIECES: &[(&str, Piece)] = &[
    ("nested expression", nested_expression),
    ("nested statement", nested_statement),
    ("nested declarator", nested_declarator),
    ("nested initialiser", nested_initialiser),
    ("nested directive", nested_directive),
    ("nested record", nested_record),
    ("repeated term", repeated_term),
    ("repeated declaration", repeated_declaration),
    ("repeated statement", repeated_statement),
    ("repeated token", repeated_token),
    ("many findings", many_findings),
    ("many names", many_names),
    ("bomb of macros", macro_bomb),
    ("bomb of includes", include_bomb),
    ("attributes", attributes),
    ("comments for cowrap", comments),
    ("odd bytes", odd_bytes),
    ("odd lexis", odd_lexis),
    ("odd directives", odd_directives),
    ("odd files", odd_files),
    ("odd declarations", odd_declarations),
    ("unterminated", unterminated),
    ("commands for CI", commands),
    ("cut", cut_short),
];

fn around(before: &str, middle: &str, behind: &str, size: usize) -> String {
    [before.repeat(size).as_str(), middle, &behind.repeat(size)].concat()
}

fn nested_expression(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let (before, middle, behind) = *numbers.pick(&[
        ("(", "x", ")"),
        ("(int)", "x", ""),
        ("(", "int)x", ""),
        ("!", "x", ""),
        ("- ", "x", ""),
        ("~", "x", ""),
        ("*&", "x", ""),
        ("@g(", "x", ")"),
        ("@g(x, ", "x", ")"),
        ("x ? ", "x", " : x"),
        ("x ? x : (", "x", ")"),
        ("x ? x : ", "x", ""),
        ("({ ", "x;", " });"),
        ("({ @g(x); if (x) { ", "x;", " } x; });"),
        ("_Generic(", "x", ", int: @g(x), default: x)"),
        ("_Generic(x, int: ", "x", ")"),
        ("__builtin_choose_expr(1, ", "x", ", @g)"),
        ("sizeof(", "x", ")"),
        ("sizeof(int[", "1", "])"),
        ("(typeof(", "x", "))x"),
        ("((int[]){", "x", "})[0]"),
        ("__extension__ ", "x", ""),
        ("(x, ", "x", ")"),
        ("x = ", "x", ""),
        ("x && (", "x", ")"),
        ("@g(x) || @g(", "x", ")"),
        ("((int (*)(int))", "@g", ")(x)"),
        ("(*", "@g", ")(x)"),
        ("(&", "@g", ")(x)"),
        ("\"a\"[", "x", "]"),
    ]);
    writer.returns(&around(before, middle, behind, size))
}

fn nested_statement(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let (before, middle, behind) = *numbers.pick(&[
        ("{", "@g(x);", "}"),
        ("{ int y = @g(x);", "", "}"),
        ("if (x) ", ";", ""),
        ("if (x) {", "@g(x);", "}"),
        ("if (x) {} else {", "@g(x);", "}"),
        ("if (x) @g(x); else ", ";", ""),
        ("if (x) ", "@g(x);", " else @g(x);"),
        ("while (x) ", "break;", ""),
        ("do ", "@g(x);", " while (x);"),
        ("for (;x;) ", "continue;", ""),
        ("for (int i = 0; i < x; i++) {", "@g(x);", "}"),
        ("switch (x) case 1: ", ";", ""),
        ("switch (x) { case 1: default:", "@g(x);", "}"),
        ("switch (x) { if (x) { case 2: ", "@g(x);", "} }"),
        ("lbl: __attribute__((unused)) ", ";", ""),
        ("x ? ({ ", "@g(x);", " }) : 0;"),
        ("int k = ({ ", "x;", " });"),
    ]);
    writer.body(&around(before, middle, behind, size))
}

fn nested_declarator(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("d");
    let (before, middle, behind) = *numbers.pick(&[
        ("(", "@n", ")"),
        ("*", "@n", ""),
        ("* const ", "@n", ""),
        ("", "@n", "[1]"),
        ("(*", "@n", ")(void)"),
        ("(*", "@n", "[2])(int)"),
        ("", "@n(int x", ", int)"),
        ("", "@n", "(int)"),
        ("__attribute__((unused)) ", "@n", ""),
        ("typeof(", "int", ") @n"),
    ]);
    let declared = around(before, middle, behind, size).replace("@n", &name);
    let head = *numbers.pick(&["int ", "extern int ", "typedef int ", "static void "]);
    format!("{head}{declared};\nint {name}_last(int (*f)({declared}));\n").into_bytes()
}

fn nested_initialiser(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("i");
    let (ty, value) = match numbers.below(7) {
        0 => ("int @n[]", around("{", "1", "}", size)),
        1 => ("int @n[]", format!("{{ {} }}", "1, ".repeat(size))),
        2 => ("int (*@n[])(int)", format!("{{ {} }}", "@n_f, ".repeat(size))),
        3 => ("struct { int (*f)(int); } @n[]", format!("{{ {} }}", "{ .f = @n_f }, ".repeat(size))),
        4 => ("int @n[]", format!("{{ [0 ... {}] = 1 }}", 1u64 << size.ilog2().saturating_mul(3).min(62))),
        5 => ("int @n[]", format!("{{ {} }}", "[1] = 2, ".repeat(size))),
        _ => ("int (*@n)(int)", around("(", "@n_f", ")", size)),
    };
    let ty = ty.replace("@n", &name);
    format!("int {name}_f(int x);\n{ty} = {};\n", value.replace("@n", &name)).into_bytes()
}

fn nested_directive(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("X");
    let text = match numbers.below(9) {
        0 => around("#if 1\n", "int @n;\n", "#endif\n", size),
        1 => around("#ifdef @n\n", "", "#else\n#endif\n", size),
        2 => format!("#if 0\n{}#endif\n", "#elif 0\n".repeat(size)),
        3 => format!("#if {}\n#endif\n", around("(", "1", ")", size)),
        4 => format!("#if {}1\n#endif\n", "!".repeat(size)),
        5 => format!("#if 1{}\n#endif\n", "+1".repeat(size)),
        6 => format!("#if {}1{}\n#endif\n", "1 ? ".repeat(size), " : 0".repeat(size)),
        7 => format!("#if defined @n{}\n#endif\n", " || defined @n".repeat(size)),
        _ => around("#if __has_include(\"@n.h\")\n", "", "#elif __has_include(<@n.h>)\n#endif\n", size),
    };
    text.replace("@n", &name).into_bytes()
}

fn nested_record(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("s");
    let text = match numbers.below(4) {
        0 => format!("struct @n {{ {} }};", around("struct {", "int (*f)(int);", "} m;", size)),
        1 => format!("struct @n {{ {} }};", around("union {", "int x;", "};", size)),
        2 => format!("struct @n {{ struct @n *n; }} *@n_p;\nvoid *@n_f(void) {{ return @n_p{}; }}", "->n".repeat(size)),
        _ => format!("struct @n {{ {} }};", "int :3; int (*f)(int);".repeat(size)),
    };
    text.replace("@n", &name).into_bytes()
}

fn repeated_term(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let term = *numbers.pick(&[
        " + x",
        " && x",
        " || @g(x)",
        ", x",
        " - 1",
        " << 1",
        " == x",
        " ? x : x",
        " * @g(x)",
        " | x",
        ", @g(x)",
        " , @g",
        " + (x)",
        " + *&x",
        " + sizeof(int)",
    ]);
    writer.returns(&format!("x{}", term.repeat(size)))
}

fn repeated_declaration(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("r");
    let one = *numbers.pick(&[
        "int coroutine_fn @n(int x);\n",
        "int @n(int x);\n",
        "int @n(int x) __attribute__((alias(\"@n_b\")));\n",
        "extern int @n;\n",
        "typedef int @n;\n",
        "struct @n;\n",
        "int coroutine_fn (*@n)(int);\n",
        "_Static_assert(1, \"x\");\n",
        "#define @n 1\n",
        "#define @n coroutine_fn\n#undef @n\n",
        "#pragma weak @n = @n_b\n",
        ";",
        "__asm__(\"\");\n",
    ]);
    one.replace("@n", &name).repeat(size).into_bytes()
}

fn repeated_statement(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let lines: String = match numbers.below(10) {
        0 => (0..size).map(|number| format!("case {number}: @g(x);\n")).collect(),
        1 => (0..size).map(|number| format!("l{number}:\n")).collect::<String>() + ";",
        2 => (0..size).map(|number| format!("if (x) goto l{number}; l{number}: @g(x);\n")).collect(),
        3 => (0..size).map(|number| format!("goto l{}; l{number}:\n", size - 1 - number)).collect::<String>() + ";",
        4 => (0..size).map(|number| format!("int (*v{number})(int) = @g; v{number}(x);\n")).collect(),
        5 => "if (x) return;\n".repeat(size),
        6 => "@g(x);\n".repeat(size),
        7 => "for (;;) if (x) break; @g(x);\n".repeat(size),
        8 => "{ int y __attribute__((cleanup(@g))); }\n".repeat(size),
        _ => format!("if (x) {{}} {}", "else if (@g(x)) {}".repeat(size)),
    };
    let lines = if lines.starts_with("case") { format!("switch (x) {{\n{lines}}}") } else { lines };
    writer.body(&lines)
}

fn repeated_token(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("t");
    let text = match numbers.below(12) {
        0 => format!("const char *@n = {};", "\"a\" ".repeat(size)),
        1 => format!("const char *@n = \"{}\";", "a".repeat(size * 20)),
        2 => format!("int @n{};", "_long".repeat(size)),
        3 => format!("int @n = {};", "1".repeat(size)),
        4 => format!("int @n = 0x1p{};", "9".repeat(size)),
        5 => format!("int @n;{}", "\\\n".repeat(size)),
        6 => format!("int @n;{}int @n2;", " \t".repeat(size * 10)),
        7 => format!("int {}@n;", "/**/".repeat(size)),
        8 => format!("int {}@n;", "const ".repeat(size)),
        9 => format!("int @n; // {}", "x".repeat(size * 50)),
        10 => format!("int @n; /*{}*/", "\n".repeat(size * 10)),
        _ => format!("int {}@n;", "long ".repeat(size)),
    };
    text.replace("@n", &name).into_bytes()
}

fn many_findings(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let (callee, caller) = (writer.name("co"), writer.name("c"));
    let size = size.min(2_000);
    let calls = match numbers.below(3) {
        0 => (0..size).map(|number| format!("void {caller}_{number}(void)\n{{\n    {callee}();\n}}\n")).collect(),
        1 => format!("void {caller}(void)\n{{\n{}}}\n", format!("    {callee}();\n").repeat(size)),
        _ => format!("void {caller}(void) {{ {} }}\n", format!("{callee}(); ").repeat(size)),
    };
    format!("void coroutine_fn {callee}(void);\n{calls}").into_bytes()
}

fn many_names(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("m");
    let each = |form: &str| -> String {
        (0..size).map(|number| form.replace("@n", &name).replace("@i", &number.to_string())).collect()
    };
    let text = match numbers.below(8) {
        0 => each("int @n_@i(void);\n"),
        1 => each("static inline int @n_@i(void) { return 1; }\n"),
        2 => format!("enum {{ {} }};\n", each("@n_@i, ")),
        3 => format!("struct {name} {{ {} }};\n", each("int (*@n_@i)(void); ")),
        4 => each("#define @n_@i @n_x\n"),
        5 => format!("int {name}({}int x);\n", each("int a@i, ")),
        6 => format!("int {name}(int x) {{ return {name}(x{}); }}\n", each(", @i")),
        _ => format!("typedef int {name}_0;\n{}", {
            let chained = |number: usize| format!("typedef {name}_{number} {name}_{};\n", number + 1);
            (0..size).map(chained).collect::<String>()
        }),
    };
    text.into_bytes()
}

/// Macros that expand to more than anybody has memory for.
fn macro_bomb(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("B");
    let depth = size.min(60);
    let mut text = match numbers.below(5) {
        0 => {
            let steps =
                (0..depth).map(|step| format!("#define {name}_{step} {name}_{next} {name}_{next}\n", next = step + 1));
            steps.collect::<String>() + &format!("#define {name}_{depth} 1 +\n")
        }
        1 => {
            let step =
                |step: usize| format!("#define {name}_{step}(x) {name}_{next}(x, {name}_{next}(x))\n", next = step + 1);
            (0..depth).map(step).collect::<String>() + &format!("#define {name}_{depth}(...) __VA_ARGS__ + \n")
        }
        2 => {
            // A chain: each stands for the next.
            let steps = (0..size).map(|step| format!("#define {name}_{step} {name}_{}\n", step + 1));
            steps.collect::<String>() + &format!("#define {name}_{size} 1 +\n")
        }
        3 => format!("#define {name}(x) x\n#define {name}_0 {} 1 +\n", around(&format!("{name}("), "1 + 0", ")", size)),
        _ => format!(
            "#define {name}_(a, b) a ## b\n#define {name}_0 {} 1 +\n",
            format!("{name}_(a, __COUNTER__) + ").repeat(size)
        ),
    };
    text += &match numbers.below(3) {
        0 => format!("int {name}_v = {name}_0 0;\n"),
        1 => format!("#if {name}_0 0\n#endif\n"),
        _ => format!("int {name}_f(int x) {{ return {name}_0(x) 0; }}\n"),
    };
    text.into_bytes()
}

/// Headers that include each other more often than anybody has time for.
fn include_bomb(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let include = |name: &str| format!("#include \"{name}\"\n");
    let first = match numbers.below(4) {
        // Each includes the next one twice.
        0 => {
            let mut inner = writer.header("extern int h_x;\n");
            for _ in 0..size.min(40) {
                inner = writer.header(&include(&inner).repeat(2));
            }
            inner
        }
        // One that includes itself.
        1 => {
            let own = format!("{}_{}.h", writer.prefix, writer.headers.len());
            writer.header(&include(&own).repeat(size.min(5)))
        }
        2 => {
            let inner = writer.header("#pragma once\nextern int h_x;\n");
            writer.header(&include(&inner).repeat(size))
        }
        _ => {
            let inner = writer.header("extern int h_x;\n");
            writer.header(&format!("#if __INCLUDE_LEVEL__ < 150\n{}#endif\n", include(&inner).repeat(size.min(3_000))))
        }
    };
    include(&first).into_bytes()
}

fn attributes(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("a");
    let one = *numbers.pick(&[
        "__attribute__((unused)) ",
        "__attribute__((annotate(\"coroutine_fn\"))) ",
        "__attribute__((annotate(\"x\\n::error::x\\n\"))) ",
        "__attribute__((\n\nunused\n,\n)) ",
        "[[gnu::unused]] ",
        "__attribute__((noreturn)) ",
        "__attribute__((aligned(sizeof(int[2])))) ",
        "__attribute__((cleanup(@n_f))) ",
        "__attribute__(()) ",
        "__attribute__((unknown(((((1)))))))",
        "coroutine_fn ",
        "__declspec(dllexport) ",
        "_Alignas(16) ",
    ]);
    let all = one.repeat(size);
    let text = match numbers.below(4) {
        0 => format!("{all}int @n(int x);\n"),
        1 => format!("int {all}@n(int x);\n"),
        2 => format!("int @n(int x) {all};\n"),
        _ => format!("void @n_f(int *x);\nvoid @n(void) {{ int {all}v; (void)v; }}\n"),
    };
    text.replace("@n", &name).into_bytes()
}

fn comments(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("k");
    let one = *numbers.pick(&[
        "// cowrap: allow(coroutine-call) x\n",
        "/* cowrap: allow(a, b, c) */ ",
        "/* cowrap: allow( */\n",
        "/* cowrap: allow(coroutine-call) y */\nint @n(void);\n",
        "// cowrap: allow(coroutine-call) x \\\n",
        "/* cowrap: allow(\u{202e}\u{1b}[31m) \x07 */\n",
    ]);
    let list = format!("/* cowrap: allow({}) */\n", "coroutine-call, ".repeat(size));
    let text = if numbers.percent(20) { list } else { one.repeat(size) };
    (text.replace("@n", &name) + &format!("int {name}_f(void);\n")).into_bytes()
}

fn odd_bytes(_: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let chosen: &[&[u8]] = &[
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xc3\xa9",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"\xef\xbb\xbf",
        b"\x1a",
        b"\x7f",
        b"\x1b[2J",
        b"\r",
        b"\x0c",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
        b"\\",
        b"`",
        b"@",
        b"$",
    ];
    match numbers.below(3) {
        0 => numbers.pick(chosen).repeat(size),
        1 => (0..size).flat_map(|_| numbers.pick(chosen).to_vec()).collect(),
        _ => (0..size).map(|_| (numbers.next() >> 40) as u8).collect(),
    }
}

fn odd_lexis(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("x");
    let one = *numbers.pick(&[
        "??=define X ??<??>\n",
        "??/\n",
        "%:define Y <% %>\n",
        "%:%: <: :>",
        "int @n??(1??);\n",
        "R\"(int)\" ",
        "u8\"\\u00e9\" L'\\x41' ",
        "'multi' ",
        "1'000'0 ",
        "0b1e+1 0x1.p ",
        "\\u00e9 \\U0010ffff ",
        "a$b ",
        "\"\\",
        "'",
        "\"",
        "don't\n",
        "# # #\n",
        "##\n",
        "#\\\ndefine X 1\n",
        "/\\\n* x *\\\n/",
        "//\\\n x\n",
        "#define X(/* */) //\n",
        "...\n",
        "\"a\\\nb\"",
        ".5.5.5 ",
    ]);
    one.repeat(size).replace("@n", &name).into_bytes()
}

fn odd_directives(_: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let one = *numbers.pick(&[
        "#line 4294967295\n",
        "#line 1 \"/etc/passwd\"\n",
        "#line 7 \"neighbour.c\"\n",
        "# 1 \"<built-in>\" 3 4\n",
        "#line 1 \"x\\n::error::x\"\n",
        "#pragma once\n",
        "#pragma GCC poison int\n",
        "#pragma push_macro(\"coroutine_fn\")\n",
        "#pragma pack(push, 1)\n",
        "#pragma clang diagnostic push\n",
        "#pragma GCC system_header\n",
        "#pragma clang attribute push(__attribute__((noreturn)), apply_to = function)\n",
        "#pragma clang attribute push(__attribute__((annotate(\"coroutine_fn\"))), apply_to = any(function))\n",
        "#pragma weak x = y\n",
        "#pragma redefine_extname x y\n",
        "#pragma clang __debug crash\n",
        "#pragma clang __debug overflow_stack\n",
        "#pragma clang __debug llvm_fatal_error\n",
        "#pragma clang __debug parser_crash\n",
        "#pragma clang __debug dump coroutine_fn\n",
        "#pragma clang module build x\nmodule x {}\n#pragma clang module contents\nint y;\n#pragma clang module endbuild\n",
        "#pragma clang module import x\n",
        "#pragma omp parallel\n",
        "_Pragma(\"once\") _Pragma(\"GCC poison void\")\n",
        "_Pragma(\"clang __debug crash\")\n",
        "_Pragma _Pragma(\n",
        "#error x\n",
        "#warning x\n",
        "#define coroutine_fn 1 2 3\n",
        "#undef coroutine_fn\n",
        "#define int long\n",
        "#define __FILE__ \"x\"\n",
        "#ident \"x\"\n#sccs \"y\"\n",
        "#assert machine(x86)\n#unassert machine\n",
        "#elif 1\n#else\n#endif\n",
        "#define F(x, ...) #x #__VA_ARGS__ __VA_OPT__(x)\nF(,\n#define Y\n)\n",
        "__COUNTER__ __LINE__ __FILE__ __INCLUDE_LEVEL__ __BASE_FILE__ __TIME__\n",
    ]);
    one.repeat(size.min(2_000)).into_bytes()
}

/// Names of files that nobody should read.
fn odd_files(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let file = *numbers.pick(&[
        "/dev/zero",
        "/dev/stdin",
        "/dev/random",
        "/dev/tty",
        "/proc/self/environ",
        "/proc/self/mem",
        "/etc/passwd",
        ".",
        "/",
        "",
        "..",
        "\\0",
        "a\u{1b}.h",
        "no_such_file.h",
        "co.h",
        "h0.c",
        "/dev/fd/0",
        "/proc/self/fd/1",
    ]);
    let name = writer.name("e");
    let text = match numbers.below(7) {
        0 => format!("#include \"{file}\"\n"),
        1 => format!("#include <{file}>\n"),
        2 => format!("#include_next \"{file}\"\n"),
        3 => format!("#define {name} \"{file}\"\n#include {name}\n"),
        4 => format!("const char {name}[] = {{\n#embed \"{file}\"\n}};\n"),
        5 => format!("#if __has_embed(\"{file}\") || __has_include(\"{file}\")\n#endif\n"),
        _ => format!("__asm__(\".incbin \\\"{file}\\\"\");\n#import \"{file}\"\n"),
    };
    text.repeat(size.min(60)).into_bytes()
}

fn odd_declarations(writer: &mut Writer<'_>, _: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("o");
    let text = *numbers.pick(&[
        "int @n[1UL << 60];\n",
        "_BitInt(8388608) @n = 1;\n",
        "_BitInt(8388608) @n(_BitInt(8388608) x) { return x * x / (x + 1); }\n",
        "char @n __attribute__((aligned(1 << 28)));\n",
        "int @n[__LINE__ / 0];\n",
        "int @n(x, y) int x; char *y; { return @n; }\n",
        "@n() { @n(); }\n",
        "int @n(int n, int a[n][n], int b[@n(n, a, b)]);\n",
        "void @n(void) { int n = 1; int a[n][n]; void f(int b[n][sizeof a]); f(a); }\n",
        "struct @n { struct @n x; };\n",
        "struct @n { int a[]; } @n_s = { { 1, 2, 3 } };\n",
        "enum @n { A = 0xffffffffffffffff, B };\n",
        "typedef struct @n @n; @n *@n_f(@n *@n);\n",
        "int @n __asm__(\"@n_other\");\nint @n(void) __attribute__((alias(\"@n\")));\n",
        "int (*@n(int x))(int) { static int (*t[])(int) = { 0, (void *)1, (int (*)(int))@n }; return t[x]; }\n",
        "int @n(void) { void *l[] = { &&a, &&b }; a: b: goto *l[0]; }\n",
        "int @n(void) { __asm__ goto(\"\" : : : : a); a: return ({ __label__ b; goto b; b: 1; }); }\n",
        "int @n(void) { return ^{ return ^{ return 1; }(); }(); }\n",
        "int @n(int x) { int nested(int y) { return y; } return nested(x); }\n",
        "int @n(int x) { switch (x) { case 0 ... 0x7fffffff: return 1; case -5 ... -1: ; } }\n",
        "int @n(int x) { return __builtin_offsetof(struct { int a[10]; }, a[x]); }\n",
        "_Thread_local int @n; _Atomic(int) @n_a; _Complex double @n_c; __int128 @n_i;\n",
        "auto @n = 1; constexpr int @n_c = 1 / 0; typeof(nullptr) @n_n;\n",
        "int main(int argc, char **argv, char **envp) { return main(argc, argv, envp); }\n",
        "int printf(const char *); void abort(void); void *malloc(int); int exit;\n",
        "int coroutine_fn coroutine_fn coroutine_fn @n(void) coroutine_fn { @n(); }\n",
    ]);
    text.replace("@n", &name).into_bytes()
}

fn unterminated(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("u");
    let one = *numbers.pick(&[
        "/*",
        "\"",
        "'",
        "(",
        "{",
        "[",
        "#if 1\n",
        "#define X(",
        "#include <",
        "#include \"",
        "_Generic(",
        "({",
        "struct {",
        "/* cowrap: allow(",
        "__attribute__((",
        "_Pragma(\"",
        "<%",
        "L\"",
        "R\"x(",
        "#endif\n",
        "}",
        ")",
        "]",
        "*/",
        "\\",
    ]);
    format!("int {name}(void) {{ return {name}(\n{}", one.repeat(size)).into_bytes()
}

/// What would mean something to those who read the output.
fn commands(writer: &mut Writer<'_>, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("w");
    let one = *numbers.pick(&[
        "#error \\\n::error::x\n",
        "#warning a\\\n::set-output name=x::y\n",
        "#pragma message \"\\n::error::x\"\n",
        "#pragma message(\"\\r\\n::add-mask::x\")\n",
        "_Static_assert(0, \"\\n::error::x\");\n",
        "int @n __attribute__((deprecated(\"\\n::error::x\"))); int @n_f(void) { return @n; }\n",
        "int @n_e(void) __attribute__((error(\"\\n::error::x\"))); int @n_g(void) { return @n_e(); }\n",
        "#pragma clang __debug dump @n\n",
        "#pragma clang __debug macro coroutine_fn\n",
        "void @n_c(void) __attribute__((annotate(\"\\n::error file=x::y\\n\")));\n#pragma clang __debug dump @n_c\n",
        "#line 1 \"\\n::error::x\"\n#error y\n",
        "#include \"\u{1b}]0;x\\n::error::\"\n",
    ]);
    one.replace("@n", &name).repeat(size.min(300)).into_bytes()
}

/// A plausible text that ends anywhere.
fn cut_short(writer: &mut Writer<'_>, _: usize, numbers: &mut Numbers) -> Vec<u8> {
    let name = writer.name("z");
    let text = PLAUSIBLE.replace("@n", &name);
    text.as_bytes()[..numbers.below(text.len() + 1)].to_vec()
}

const PLAUSIBLE: &str = "\
#ifndef @n_H
#define @n_H
#define @n_CALL(f, ...) ((f) ? (f)(__VA_ARGS__) : 0)
typedef struct @n_ops {
    int coroutine_fn (*co_read)(void *opaque, int bytes);
    void (*close)(void *opaque);
} @n_ops;
static int coroutine_fn @n_co_read(void *opaque, int bytes);
static void @n_close(void *opaque) { /* nothing: \"closed\" */ }
const @n_ops @n_the_ops[] = { { .co_read = @n_co_read, .close = @n_close }, };
static int coroutine_fn @n_co_read(void *opaque, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        switch (i) {
        case 'a' ... 'z':
            return @n_CALL(@n_the_ops[i].co_read, opaque, 0x10);
        default:
            goto out;
        }
    }
out:
    return ({ int x = 1; x; });
}
#endif
";
