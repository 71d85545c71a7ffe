//! Reading and rendering declarations: every form that must work, and every form that must be
//! refused.

use cowrap_base::diagnostic::TextDiagnostic;

use super::*;

fn qemu() -> Vocabulary {
    vocabulary(&Generator::read(None).unwrap())
}

fn read(text: &str) -> HeaderWrappers {
    read_header(text, 0, &qemu())
}

/// The only declaration of a text without errors.
fn one(text: &str) -> WrapperDeclaration {
    let mut header = read(text);
    assert_eq!(header.diagnostics, [], "{text}");
    assert_eq!(header.wrappers.len(), 1, "{text}: {:?}", header.wrappers);
    header.wrappers.remove(0)
}

/// The only error of a text: its message, and the text at its span.
fn error_of(text: &str) -> (String, String) {
    let header = read(text);
    assert_eq!(header.wrappers, [], "{text}");
    let [diagnostic] = header.diagnostics.as_slice() else { panic!("{text}: {:?}", header.diagnostics) };
    assert!(diagnostic.is_error, "{text}");
    assert!(!diagnostic.help.is_empty() && !diagnostic.label.is_empty(), "{text}");
    (diagnostic.message.clone(), text[diagnostic.span.clone().unwrap()].to_owned())
}

/// A declaration as C, after the name of its mark.
fn shown(declared: &WrapperDeclaration) -> String {
    let around = |name: &str, own: &Type| format!("{}{name}{}", own.before, own.after);
    let parameters: Vec<String> = declared.parameters.iter().map(|own| around(&own.name, &own.declared)).collect();
    let list = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
    format!("{}: {}", declared.mark, around(&format!("{}({list})", declared.name), &declared.returns))
}

#[test]
fn every_form_of_return_type_is_read() {
    for (written, read) in [
        ("int co_wrapper a_b(void);", "int a_b(void)"),
        ("unsigned int co_wrapper a_b(void);", "unsigned int a_b(void)"),
        ("co_wrapper const char * a_b(void);", "const char *a_b(void)"),
        ("const char *co_wrapper a_b(void);", "const char *a_b(void)"),
        ("struct foo co_wrapper a_b(void);", "struct foo a_b(void)"),
        ("struct foo **co_wrapper a_b(void);", "struct foo **a_b(void)"),
        ("enum e\nco_wrapper\na_b(void);", "enum e a_b(void)"),
        ("  int64_t\n  co_wrapper a_b (void) ;", "int64_t a_b(void)"),
        ("typeof(x + 1) co_wrapper a_b(void);", "typeof(x+1) a_b(void)"),
        ("BlockDriverState * G_NORETURN co_wrapper a_b(void);", "BlockDriverState *a_b(void)"),
        ("FILE *co_wrapper a_b(void);", "FILE *a_b(void)"),
        ("char *const co_wrapper a_b(void);", "char *const a_b(void)"),
        ("void co_wrapper (*a_b(int x))(char *, int);", "void (*a_b(int x))(char *, int)"),
        ("int co_wrapper (*a_b(int x))[3];", "int (*a_b(int x))[3]"),
        ("my_type co_wrapper (a_b)(int x);", "my_type a_b(int x)"),
        ("extern int co_wrapper a_b(void);", "int a_b(void)"),
    ] {
        assert_eq!(shown(&one(written)), format!("co_wrapper: {read}"), "{written}");
    }
}

#[test]
fn a_result_can_be_assigned() {
    let result = |text: &str| one(text).result.text();
    assert_eq!(result("const int co_wrapper a_b(void);"), "int");
    assert_eq!(result("const char *co_wrapper a_b(void);"), "const char *");
    assert_eq!(result("const char *const co_wrapper a_b(void);"), "const char *");
    assert_eq!(result("void co_wrapper (*a_b(void))(int);"), "void (*)(int)");
    assert!(one("void co_wrapper a_b(void);").is_void);
    assert!(!one("void *co_wrapper a_b(void);").is_void);
    assert!(!one("void co_wrapper (*a_b(void))(int);").is_void);
}

#[test]
fn marks_and_attributes_may_be_anywhere() {
    for written in [
        "int G_NORETURN GRAPH_RDLOCK co_wrapper a_b(int x);",
        "int co_wrapper G_NORETURN a_b(int x);",
        "__attribute__((warn_unused_result)) int co_wrapper a_b(int x);",
        "int __attribute__((a(1), b)) co_wrapper a_b(int x);",
        "int co_wrapper a_b(int x) __attribute__((nonnull(1)));",
        "int co_wrapper a_b(int x) G_GNUC_PRINTF(1, 2) TSA_NO_TSA;",
        "int co_wrapper a_b(int x) UNKNOWN_MACRO(1) OTHER;",
        "[[nodiscard]] int co_wrapper a_b(int x);",
        "int co_wrapper a_b(int x) __asm__(\"a_b_2\");",
        "G_GNUC_WARN_UNUSED_RESULT int co_wrapper a_b(int x);",
        "UNKNOWN int co_wrapper a_b(int x);",
        "int UNKNOWN(3) co_wrapper a_b(int x);",
        "int a_b(int x) co_wrapper;",
        "STRAY_MACRO(x, y)\nint co_wrapper a_b(int x);",
        "QLIST_HEAD(list, entry) int co_wrapper a_b(int x);",
        "int co_wrapper a_b(int x G_GNUC_UNUSED);",
        "int co_wrapper a_b(int __attribute__((unused)) x);",
    ] {
        assert_eq!(shown(&one(written)), "co_wrapper: int a_b(int x)", "{written}");
    }
    let pointer = one("UNKNOWN my_type * OTHER co_wrapper a_b(void);");
    assert_eq!(shown(&pointer), "co_wrapper: my_type *a_b(void)");
}

#[test]
fn every_form_of_parameter_is_read() {
    let read = |parameter: &str| {
        let declared = one(&format!("int co_wrapper a_b({parameter});"));
        let own = declared.parameters.into_iter().next().unwrap();
        let member = format!("{}{}{}", own.value.before, own.name, own.value.after);
        (own.name, member)
    };
    for (parameter, name, member) in [
        ("int x", "x", "int x"),
        ("const uint8_t *buf", "buf", "const uint8_t *buf"),
        ("unsigned x", "x", "unsigned x"),
        ("const int n", "n", "const int n"),
        ("char *const p", "p", "char *const p"),
        ("uint8_t buf[16]", "buf", "uint8_t *buf"),
        ("char *argv[]", "argv", "char **argv"),
        ("int m[3][4]", "m", "int (*m)[4]"),
        ("int v[static 4]", "v", "int *v"),
        ("int (*rows)[4]", "rows", "int (*rows)[4]"),
        ("void (*cb)(void *opaque, int ret)", "cb", "void (*cb)(void *opaque, int ret)"),
        ("void (*(*choose)(int which))(char *)", "choose", "void (*(*choose)(int which))(char *)"),
        ("BlockCompletionFunc *cb", "cb", "BlockCompletionFunc *cb"),
        ("int compare(const void *a, const void *b)", "compare", "int (*compare)(const void *a, const void *b)"),
        ("my_type (*table[4])(int)", "table", "my_type (*(*table))(int)"),
        ("struct foo *x", "x", "struct foo *x"),
        ("enum e x", "x", "enum e x"),
        ("my_type BITS", "BITS", "my_type BITS"),
        ("char *restrict x", "x", "char *restrict x"),
        ("register int x", "x", "int x"),
        ("unsigned long long int /* , ) */ x // y\n", "x", "unsigned long long int x"),
        ("BlockDriverState\\\n *bs", "bs", "BlockDriverState *bs"),
    ] {
        assert_eq!(read(parameter), (name.to_owned(), member.to_owned()), "{parameter}");
    }
}

#[test]
fn text_that_is_not_compiled_asks_for_nothing() {
    for text in [
        "/* int co_wrapper a_b(void); */",
        "// int co_wrapper a_b(void);",
        "#if 0\nint co_wrapper a_b(void); don't\n#endif",
        "#ifdef __cplusplus\nint co_wrapper a_b(void);\n#endif",
        "#if 1\n#else\nint co_wrapper a_b(void);\n#endif",
        "#define co_wrapper OTHER_MARK\n#define X int co_wrapper a_b(void);",
        "#define X \\\n int co_wrapper a_b(void);\n",
        "const char *x = \"int co_wrapper a_b(void);\";",
        "/* co_wrapper */ int a_b(void);",
    ] {
        assert_eq!(read(text), HeaderWrappers::default(), "{text}");
    }
}

#[test]
fn conditions_are_kept() {
    let conditions = |text: &str| -> Vec<Vec<String>> {
        let header = read(text);
        assert_eq!(header.diagnostics, [], "{text}");
        let own =
            |declared: &WrapperDeclaration| declared.conditions.iter().map(|own| own.expression.clone()).collect();
        header.wrappers.iter().map(own).collect()
    };
    let d = "int co_wrapper a_b(void);\n";
    assert_eq!(conditions(&format!("#ifndef A_H\n#define A_H\n{d}#endif")), [Vec::<String>::new()]);
    assert_eq!(conditions(&format!("#if !defined(A_H)\n#define A_H\n{d}#endif")), [Vec::<String>::new()]);
    assert_eq!(conditions(&format!("#ifdef A\n{d}#endif")), [["defined(A)"]]);
    assert_eq!(conditions(&format!("#if 0\n#else\n{d}#endif")), [Vec::<String>::new()]);
    assert_eq!(
        conditions(&format!("#ifdef A\n{d}#elif B || C\n{d}#else\n{d}#endif\n")),
        [vec!["defined(A)"], vec!["!defined(A) && (B || C)"], vec!["!defined(A) && !(B || C)"]]
    );
    assert_eq!(
        conditions(&format!("#if defined A && B > 2\n#ifndef C\n{d}#endif\n#endif\n")),
        [["defined(A) && B > 2", "!defined(C)"]]
    );
    assert_eq!(conditions(&format!("#ifdef __cplusplus\nextern \"C\" {{\n#endif\n{d}")), [Vec::<String>::new()]);
    assert_eq!(conditions(&format!("#ifdef A\n#elifdef B\n{d}#endif")), [["!defined(A) && defined(B)"]]);
}

#[test]
fn declarations_are_separated() {
    let names = |text: &str| -> Vec<String> {
        let header = read(text);
        assert_eq!(header.diagnostics, [], "{text}");
        header.wrappers.into_iter().map(|declared| declared.name).collect()
    };
    let d = "int co_wrapper a_b(void);";
    for before in [
        "static inline int f(int x) { return x; }",
        "struct foo { int x; };",
        "struct foo *f(struct foo *x) __attribute__((pure)) { return x; }",
        "struct foo f(void) MACRO { }",
        "struct __attribute__((packed)) foo { int x; } y;",
        "struct MACRO(8) foo { int x; };",
        "typedef struct { int (*f)(int); } foo;",
        "int x[] = { 1, 2 };",
        "enum { A = 1, B };",
        "extern \"C\" {",
        ";",
        "}",
        "int f(a) int a; { }",
        "_Static_assert(sizeof(int) == 4, \"int\");",
        "DECLARE_THING(a, b)",
    ] {
        assert_eq!(names(&format!("{before}\n{d}\n")), ["a_b"], "{before}");
    }
    assert_eq!(names("int co_wrapper a_b(void); int co_wrapper a_c(void);"), ["a_b", "a_c"]);
    assert_eq!(names("\u{feff}int co_wrapper a_b(void);\r\nint co_wrapper\r\na_c(void);"), ["a_b", "a_c"]);
}

#[test]
fn declarations_that_cannot_be_wrapped_are_refused() {
    for (text, message, place) in [
        ("int co_wrapper a_b(const char *f, ...);", "variable number", "..."),
        ("int co_wrapper a_b(int);", "has no name", "int"),
        ("int co_wrapper a_b(BlockDriverState *);", "has no name", "BlockDriverState *"),
        ("int co_wrapper a_b(struct foo);", "has no name", "struct foo"),
        ("int co_wrapper a_b(my_type);", "has no name", "my_type"),
        ("int co_wrapper a_b(void (*)(int));", "has no name", "void (*)(int)"),
        ("int co_wrapper a_b(int x, int y[], char *);", "has no name", "char *"),
        ("int co_wrapper a_b();", "has empty parentheses", "a_b"),
        ("int co_wrapper a_b(int x,);", "is empty", "a_b"),
        ("int co_wrapper a_b(int x, long x);", "two parameters", "long x"),
        ("int co_wrapper a_b(va_list ap);", "va_list", "va_list"),
        ("int co_wrapper a_b(int n, int x[][n]);", "depends on the parameter `n`", "int x[][n]"),
        ("int co_wrapper a_b(int n; int x[n], int n);", "have a `;` among them", ";"),
        ("int co_wrapper a_b(int x[;]);", "have a `;` among them", ";"),
        ("int co_wrapper a_b(int x = 3);", "cannot read a parameter", "="),
        ("co_wrapper a_b(void);", "has no return type", "a_b"),
        ("my_type other_type co_wrapper a_b(void);", "which of `my_type`, `other_type`", "other_type"),
        ("int co_wrapper a_b;", "is not on the declaration of a function", "co_wrapper"),
        ("int co_wrapper (*a_b)(void);", "cannot find the name of the function", "(*a_b)"),
        ("typedef int co_wrapper a_b(void);", "is not on the declaration of a function", "co_wrapper"),
        ("int co_wrapper a_b(void), a_c(void);", "declares several names", ","),
        ("int co_wrapper a_b(void) { return 0; }", "on a function with a body", "co_wrapper"),
        ("static inline int co_wrapper a_b(void) { return 0; }", "on a function with a body", "co_wrapper"),
        ("int co_wrapper co_wrapper_mixed a_b(void);", "two wrapper marks", "co_wrapper_mixed"),
        ("int co_wrapper_mixed_bdrv_wrlock a_b(void);", "unknown wrapper mark", "co_wrapper_mixed_bdrv_wrlock"),
        ("struct s { int co_wrapper (*f)(void); };", "is not on a function at the top level", "co_wrapper"),
        ("void f(int (co_wrapper *cb)(void));", "is not on a function at the top level", "co_wrapper"),
        ("int co_wrapper a_b(int x;", "unbalanced brackets", "("),
        ("int f(int x;\nint co_wrapper a_b(void);", "unbalanced brackets", "("),
        ("int co_wrapper a_b(t{ x);", "unbalanced brackets", "{"),
        ("int co_wrapper a_b(t] x);", "unbalanced brackets", "]"),
        ("int co_wrapper a_b(int x)", "does not end", "co_wrapper"),
        ("int co_wrapper a_b(int x) + 3;", "cannot read what follows", "+"),
        ("int co_wrapper\n#ifdef A\na_b(int x)\n#else\na_b(long x)\n#endif\n;", "splits a declaration", "a_b"),
        ("int foo(int) co_wrapper a_b(int x);", "whether `foo` or `a_b`", "a_b"),
    ] {
        let (found, at) = error_of(text);
        assert!(found.contains(message), "{text}: {found}");
        assert_eq!(at, place, "{text}");
    }
}

#[test]
fn unterminated_comments_and_conditions_are_refused() {
    let d = "int co_wrapper a_b(void);\n";
    for (text, message, place) in [
        (format!("{d}/* x"), "unterminated comment", "/*"),
        (format!("#ifdef A\n{d}"), "unterminated `#if`", "#ifdef A"),
        (format!("{d}#endif"), "`#endif` without `#if`", "#endif"),
        (format!("{d}#else"), "`#else` without `#if`", "#else"),
        (format!("#if A\n#else\n#else\n{d}#endif"), "`#else` without `#if`", "#else"),
    ] {
        let header = read(&text);
        let [diagnostic] = header.diagnostics.as_slice() else { panic!("{text}: {:?}", header.diagnostics) };
        assert!(diagnostic.message.contains(message), "{text}: {}", diagnostic.message);
        assert_eq!(&text[diagnostic.span.clone().unwrap()], place, "{text}");
    }
}

#[test]
fn a_name_that_begins_like_a_mark_is_not_a_mark() {
    assert_eq!(read("int co_wrapper_init(void);\nextern int co_wrapper_count;\n"), HeaderWrappers::default());
}

// --- rendering ----------------------------------------------------------------------------------------------------

fn written(text: &str, dialect: &str) -> Result<String, Vec<TextDiagnostic>> {
    let generator = Generator::read(None).unwrap();
    let features = dialect::named(&generator, dialect).unwrap();
    let header = read(text);
    assert_eq!(header.diagnostics, [], "{text}");
    render_file(&generator, &features, &header.wrappers, &FileOptions::default()).map_err(|error| match error {
        RenderError::Refused(diagnostics) => diagnostics,
        RenderError::Template(message) => panic!("{text}: {message}"),
    })
}

fn refusals(text: &str, dialect: &str) -> Vec<(String, String)> {
    let diagnostics = written(text, dialect).unwrap_err();
    diagnostics.into_iter().map(|own| (own.message, text[own.span.unwrap()].to_owned())).collect()
}

#[test]
fn a_repeated_declaration_gives_one_wrapper() {
    let d = "int co_wrapper a_b(int x);\n";
    let count = |text: &str| written(text, "9.0").unwrap().matches("int a_b(").count();
    assert_eq!(count(&format!("{d}{d}")), 1);
    assert_eq!(count("int co_wrapper a_b(int x[]);\nint co_wrapper a_b(int *x);\n"), 1);
    let either = format!("#ifdef A\n{d}#endif\n#ifdef B\n{d}#endif\n");
    assert_eq!(count(&either), 1);
    assert!(written(&either, "9.0").unwrap().contains("#if (defined(A)) || (defined(B))\n"));
    let always = format!("#ifdef A\n{d}#endif\n{d}");
    assert!(!written(&always, "9.0").unwrap().contains("#if"));
    let branches = "#ifdef A\nint co_wrapper a_b(int x);\n#else\nint co_wrapper a_b(long x);\n#endif\n";
    let text = written(branches, "9.0").unwrap();
    assert!(text.contains("#ifdef A\n") && text.contains("#ifndef A\n"), "{text}");
    assert!(text.contains("int a_b(int x)") && text.contains("int a_b(long x)"), "{text}");
}

#[test]
fn different_declarations_of_one_name_are_refused() {
    let text = "int co_wrapper a_b(int x);\nint co_wrapper a_b(long x);\n";
    assert_eq!(refusals(text, "9.0").len(), 1);
    let marks = "int co_wrapper a_b(int x);\nint co_wrapper_mixed a_b(int x);\n";
    assert!(refusals(marks, "9.0")[0].0.contains("declared twice"));
}

#[test]
fn refusals_of_templates_are_at_the_declaration() {
    let no_context = refusals("int generated_co_wrapper a_b(void);\n", "6.2");
    assert!(no_context[0].0.contains("does not say where it runs") && no_context[0].1 == "a_b", "{no_context:?}");
    assert_eq!(refusals("int generated_co_wrapper a_b(BlockBackend *blk);\n", "5.2").len(), 1);
    assert!(written("int generated_co_wrapper a_b(BlockBackend *blk);\n", "6.2").is_ok());
    assert!(written("int co_wrapper a_b(void);\n", "8.0").is_ok());
    let names =
        refusals("int co_wrapper foo(int x);\nint co_wrapper a_co_b(int x);\nint no_co_wrapper a_b(int x);", "9.0");
    let places: Vec<&str> = names.iter().map(|(_, place)| place.as_str()).collect();
    assert_eq!(places, ["foo", "a_co_b", "a_b"], "{names:?}");
    assert!(written("int co_wrapper a_b(int v[static 4]);\n", "9.0").is_ok());
    let hidden = refusals("static int co_wrapper a_b(int x);\n", "9.0");
    assert!(hidden[0].0.contains("static"), "{hidden:?}");
}

#[test]
fn parameters_with_names_of_the_template_are_renamed() {
    let text = "int co_wrapper_mixed a_b(int s, int ret, int co, int poll_state, int opaque, int a_co_b, int s_,\n\
                int bdrv_poll_co, int assert, int harmless);\n";
    let text = written(text, "9.0").unwrap();
    let head = "int a_b(int s__, int ret_, int co_, int poll_state_, int opaque_,\n        int arg_a_co_b, int s_, \
                int bdrv_poll_co_, int assert_, int harmless)\n";
    assert!(text.contains(head), "{text}");
    assert!(text.contains(".s__ = s__,"), "{text}");
    let text =
        written("int co_wrapper a_b(BlockDriverState *bs, int read, int in_progress, int caller);", "9.0").unwrap();
    assert!(text.contains("int a_b(BlockDriverState *bs, int read, int in_progress, int caller)\n"), "{text}");
}

#[test]
fn a_condition_does_not_end_the_comment_that_repeats_it() {
    let text = written("#if A */* x */ 2\nint co_wrapper a_b(int x);\n#endif\n", "9.0").unwrap();
    assert!(text.contains("#if A * 2\n") && text.contains("#endif /* A * 2 */"), "{text}");
}

#[test]
fn long_headers_take_no_longer_than_their_length_says() {
    let many = |text: fn(usize) -> String| -> String { (0..50_000).map(text).collect() };
    let elif = format!("#if A\n{}#endif\n", many(|number| format!("#elif A == {number}\nint x{number};\n")));
    assert_eq!(read(&elif), HeaderWrappers::default());
    let nested = format!("{}{}int co_wrapper a_b(void);\n", "#if A\n".repeat(50_000), "#endif\n".repeat(50_000));
    assert_eq!(read(&nested).wrappers.len(), 1);
    let brackets = format!("int co_wrapper a_b(void);\n{}{}", "(".repeat(50_000), "]".repeat(50_000));
    assert_eq!(read(&brackets).wrappers.len(), 1);
    let lists = format!("int co_wrapper a_b(void); struct s a = {{1}}{};\n", ", b = {1}".repeat(50_000));
    assert_eq!(read(&lists).wrappers.len(), 1);
    let parameters = many(|number| format!(", int p{number}"));
    let parameters = format!("int co_wrapper a_b(int p{parameters});\n");
    assert_eq!(one(&parameters).parameters.len(), 50_001);
    let wrappers = read(&many(|number| format!("int co_wrapper a_b{number}(void);\n")));
    assert_eq!((wrappers.wrappers.len(), wrappers.diagnostics.len()), (50_000, 0));
}

#[test]
fn conditions_are_not_repeated_without_end() {
    let chain: String = (0..5000).map(|number| format!("#elif A == {number}\n")).collect();
    let text = format!("#if A\n{chain}int co_wrapper a_b(void);\n#endif\n");
    let message = "too many preprocessor conditions around a declaration with a wrapper mark";
    assert_eq!(error_of(&text), (message.to_owned(), "int".to_owned()));
    let chain: String = (0..100).map(|number| format!("#elif A == {number}\n")).collect();
    let text = format!("#if A\n{chain}int co_wrapper a_b(void);\n#endif\n");
    assert!(one(&text).conditions[0].expression.ends_with(" && A == 99"));
}
