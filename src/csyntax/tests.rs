//! Tables of texts before and after edits, and properties.
//!
//! In the texts, `@` is directly before the name that is edited.

use proptest::prelude::*;

use super::*;
use crate::source::Source;

const MARK: &str = "microtask_fn";

/// A text without its `@`, the offset where that was, and the word there.
fn at(text: &str) -> (String, usize, String) {
    let offset = text.find('@').expect("the text says where");
    let plain = text.replacen('@', "", 1);
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let word = plain[offset..].chars().take_while(is_word).collect();
    (plain, offset, word)
}

/// The text after what `edit` makes of it, or the refusal.
fn edited(text: &str, edit: impl Fn(&[u8], usize, &str) -> Result<Vec<TextEdit>, EditError>) -> Result<String, String> {
    let (plain, offset, word) = at(text);
    let edits = edit(plain.as_bytes(), offset, &word).map_err(|refusal| refusal.to_string())?;
    check(&plain, &edits);
    Ok(String::from_utf8(apply(plain.as_bytes(), &edits)).unwrap())
}

/// Edits are sorted, disjoint, and within the text.
fn check(text: &str, edits: &[TextEdit]) {
    assert!(!edits.is_empty());
    assert!(edits.is_sorted_by(|one, next| one.range.end <= next.range.start && one.range.start < next.range.start));
    assert!(edits.iter().all(|edit| edit.range.start <= edit.range.end && edit.range.end <= text.len()));
}

fn function(text: &str) -> Result<String, String> {
    edited(text, |text, offset, name| mark_function(text, offset, name, MARK))
}

fn pointer(text: &str) -> Result<String, String> {
    edited(text, |text, offset, name| mark_pointer(text, offset, name, MARK))
}

fn without(text: &str) -> Result<String, String> {
    edited(text, unmark)
}

fn call(text: &str, new: &str) -> Result<String, String> {
    edited(text, |text, offset, name| rename_call(text, offset, name, new))
}

fn wrapper(text: &str) -> Result<String, String> {
    edited(text, |text, offset, name| {
        add_wrapper(text, offset, name, &name.replace("_co_", "_"), "co_wrapper", &[MARK, "GRAPH_RDLOCK"])
    })
}

#[track_caller]
fn same(found: Result<String, String>, wanted: &str) {
    let found = found.unwrap_or_else(|refusal| panic!("refused: {refusal}"));
    assert!(found == wanted, "found:\n{found}\nwanted:\n{wanted}");
}

#[test]
fn a_mark_goes_before_the_name() {
    for (before, after) in [
        ("int @foo(void);", "int microtask_fn foo(void);"),
        ("static int @foo(void)\n{\n}\n", "static int microtask_fn foo(void)\n{\n}\n"),
        ("static int\t@foo(void);", "static int\tmicrotask_fn foo(void);"),
        ("int a;int @foo (void);", "int a;int microtask_fn foo (void);"),
        ("struct stat @foo(void);", "struct stat microtask_fn foo(void);"),
        // Behind a star there is a blank on both sides.
        ("Node *@foo(void);", "Node * microtask_fn foo(void);"),
        ("Node * @foo(void);", "Node * microtask_fn foo(void);"),
        ("Node **@foo(void);", "Node ** microtask_fn foo(void);"),
        ("Node *const @foo(void);", "Node *const microtask_fn foo(void);"),
        // Comments keep their places.
        ("int /* x */ @foo(void);", "int /* x */ microtask_fn foo(void);"),
        ("int /* foo( */ @foo(void);", "int /* foo( */ microtask_fn foo(void);"),
        ("int /* x */@foo(void);", "int /* x */ microtask_fn foo(void);"),
        ("int @foo /* ( */ (void);", "int microtask_fn foo /* ( */ (void);"),
        ("int @foo // (\n(void);", "int microtask_fn foo // (\n(void);"),
        // Parentheses keep a macro of the same name away.
        ("int (@foo)(void);", "int microtask_fn (foo)(void);"),
        ("int ((@foo))(void);", "int microtask_fn ((foo))(void);"),
        ("Node *(@foo)(void);", "Node * microtask_fn (foo)(void);"),
        // Other things that may be before a name.
        ("typeof(a[0]) @foo(void);", "typeof(a[0]) microtask_fn foo(void);"),
        ("__attribute__((cold)) int @foo(void);", "__attribute__((cold)) int microtask_fn foo(void);"),
        ("extern \"C\" int @foo(void);", "extern \"C\" int microtask_fn foo(void);"),
        ("int no_microtask_fn @foo(void);", "int no_microtask_fn microtask_fn foo(void);"),
        ("DECLARE(int @foo(void))", "DECLARE(int microtask_fn foo(void))"),
        // A continued line is like any other.
        ("static int \\\n@foo(void);", "static int microtask_fn \\\nfoo(void);"),
        // Not UTF-8 is not needed, but UTF-8 is allowed.
        ("/* né */ int @foo(void); /* é */", "/* né */ int microtask_fn foo(void); /* é */"),
    ] {
        same(function(before), after);
    }
}

#[test]
fn a_mark_goes_before_locks() {
    for (before, after) in [
        ("static int GRAPH_RDLOCK @foo(void);", "static int microtask_fn GRAPH_RDLOCK foo(void);"),
        ("int GRAPH_RDLOCK IO_CODE2 @foo(void);", "int microtask_fn GRAPH_RDLOCK IO_CODE2 foo(void);"),
        ("Node * GRAPH_RDLOCK @foo(void);", "Node * microtask_fn GRAPH_RDLOCK foo(void);"),
        ("Node *GRAPH_RDLOCK @foo(void);", "Node * microtask_fn GRAPH_RDLOCK foo(void);"),
        ("FILE GRAPH_RDLOCK @foo(void);", "FILE microtask_fn GRAPH_RDLOCK foo(void);"),
        ("int GRAPH_RDLOCK\n@foo(void);", "int microtask_fn GRAPH_RDLOCK\nfoo(void);"),
        ("int\nGRAPH_RDLOCK @foo(void);", "int microtask_fn\nGRAPH_RDLOCK foo(void);"),
        // A type in capitals is a type.
        ("static FILE @foo(void);", "static FILE microtask_fn foo(void);"),
        ("const FILE *@foo(void);", "const FILE * microtask_fn foo(void);"),
        ("static struct AIOCB @foo(void);", "static struct AIOCB microtask_fn foo(void);"),
        ("enum MODE LOCKED @foo(void);", "enum MODE microtask_fn LOCKED foo(void);"),
        // One letter is a type, and small letters are no lock.
        ("static struct node X @foo(void);", "static struct node X microtask_fn foo(void);"),
        ("int GRAPH_rdlock @foo(void);", "int GRAPH_rdlock microtask_fn foo(void);"),
        // A macro with arguments is no such word.
        ("int TSA(x) @foo(void);", "int microtask_fn TSA(x) foo(void);"),
    ] {
        same(function(before), after);
    }
}

#[test]
fn a_mark_goes_to_the_line_of_the_type() {
    for (before, after) in [
        ("static int\n@foo(void)\n{", "static int microtask_fn\nfoo(void)\n{"),
        ("static int\r\n@foo(void)\r\n{", "static int microtask_fn\r\nfoo(void)\r\n{"),
        ("static Node *\n@foo(void)", "static Node * microtask_fn\nfoo(void)"),
        ("static int /* why */\n@foo(void)", "static int microtask_fn /* why */\nfoo(void)"),
        ("static int// why\n@foo(void)", "static int microtask_fn// why\nfoo(void)"),
        ("static int\n/* what */\n@foo(void)", "static int microtask_fn\n/* what */\nfoo(void)"),
        ("    int\n    @foo(void);", "    int microtask_fn\n    foo(void);"),
        ("int\n(@foo)(void);", "int microtask_fn\n(foo)(void);"),
        // A comment before the name is before the mark, too.
        ("static int\n/* what */ @foo(void)", "static int\n/* what */ microtask_fn foo(void)"),
        // The list does not move.
        ("int\n@foo(int a,\n    int b);", "int microtask_fn\nfoo(int a,\n    int b);"),
    ] {
        same(function(before), after);
    }
}

#[test]
fn aligned_lines_follow() {
    for (before, after) in [
        (
            "int @foo(int a,\n        int b,\n        int c)\n{",
            "int microtask_fn foo(int a,\n                     int b,\n                     int c)\n{",
        ),
        ("Node *@foo(int a,\n          int b);", "Node * microtask_fn foo(int a,\n                        int b);"),
        ("int @foo(int a,\r\n        int b);\r\n", "int microtask_fn foo(int a,\r\n                     int b);\r\n"),
        // Tabs stay tabs.
        ("int @foo(int a,\n\tint b);", "int microtask_fn foo(int a,\n\t\t     int b);"),
        ("\tint @foo(int a,\n\t\tint b);", "\tint microtask_fn foo(int a,\n\t\t\t     int b);"),
        ("int @fooo(int a,\n\t int b);", "int microtask_fn fooo(int a,\n\t\t      int b);"),
        // What goes on with a parameter moves with it, and comments do.
        (
            "int @foo(void (*f)(int a,\n                  int b),\n        int c);",
            "int microtask_fn foo(void (*f)(int a,\n                               int b),\n                     int c);",
        ),
        (
            "int @foo(int a, /* ( the\n                * first */\n        int b);",
            "int microtask_fn foo(int a, /* ( the\n                             * first */\n                     int b);",
        ),
        (
            "int @foo(int a,\n        /* the second */\n        int b);",
            "int microtask_fn foo(int a,\n                     /* the second */\n                     int b);",
        ),
        // The attribute behind the list is on a line that moves.
        (
            "int @foo(int a,\n        int b) PRINTF(1,\n                      2);",
            "int microtask_fn foo(int a,\n                     int b) PRINTF(1,\n                                   2);",
        ),
        ("int @foo(int a)\n    PRINTF(1, 2);", "int microtask_fn foo(int a)\n    PRINTF(1, 2);"),
    ] {
        same(function(before), after);
    }
}

#[test]
fn lines_that_are_not_aligned_stay() {
    for (before, after) in [
        ("int @foo(int a,\n    int b);", "int microtask_fn foo(int a,\n    int b);"),
        ("int @foo(\n    int a, int b);", "int microtask_fn foo(\n    int a, int b);"),
        (
            "int @foo(int a,\n        int b,\n      int c);",
            "int microtask_fn foo(int a,\n        int b,\n      int c);",
        ),
        (
            "int @foo(int a\n#ifdef X\n        , int b\n#endif\n        );",
            "int microtask_fn foo(int a\n#ifdef X\n        , int b\n#endif\n        );",
        ),
        ("int @foo(int a,\n\n        int b);", "int microtask_fn foo(int a,\n\n        int b);"),
        ("int @foo(int a /* the\n first */);", "int microtask_fn foo(int a /* the\n first */);"),
    ] {
        same(function(before), after);
    }
}

#[test]
fn wide_lists_are_filled_again() {
    // The last line of each first text, with the mark, would go to column 81 or further.
    same(
        function("static int @node_read_vector(Node *node, int64_t offset, int64_t bytes, int f)\n{\n}\n"),
        "\
static int microtask_fn node_read_vector(Node *node, int64_t offset,
                                         int64_t bytes, int f)
{
}
",
    );
    // Exactly 80 columns are not too wide.
    let fits = "int @foo(int a23456789, int b23456789, int c23456789, int d23456789, int e);";
    assert_eq!(fits.len() - 1 + MARK.len() + 1, 88);
    same(
        function("int @foo(int a23456789, int b23456789, int c23456789, int d234567);"),
        "int microtask_fn foo(int a23456789, int b23456789, int c23456789, int d234567);",
    );
    same(
        function("int @foo(int a23456789, int b23456789, int c23456789, int d2345678);"),
        "int microtask_fn foo(int a23456789, int b23456789, int c23456789, int d2345678);",
    );
    same(
        function("int @foo(int a23456789, int b23456789, int c23456789, int d23456789);"),
        "int microtask_fn foo(int a23456789, int b23456789, int c23456789,\n                     int d23456789);",
    );
    // What is behind the list counts.
    same(
        function("int @foo(int a23456789, int b23456789, int c23456789, int d2345) COLD;"),
        "int microtask_fn foo(int a23456789, int b23456789, int c23456789,\n                     int d2345) COLD;",
    );
    // All of the list is filled, lines and types that were broken included.
    same(
        function(
            "\
int @foo(int a,
        void (*function)(int c,
                         int d), int e2345678901234567890123456789012345,
        int f);
",
        ),
        "\
int microtask_fn foo(int a, void (*function)(int c, int d),
                     int e2345678901234567890123456789012345, int f);
",
    );
    // Line ends and tabs are those that are there.
    same(
        function("\tint @foo(int a23456789, int b23456789, int c23456789, int d23456789);\r\n"),
        "\tint microtask_fn foo(int a23456789, int b23456789, int c23456789,\r\n\t\t\t     int d23456789);\r\n",
    );
    same(
        function("int a;\r\nint @foo(int a23456789, int b23456789, int c23456789, int d23456789);"),
        "int a;\r\nint microtask_fn foo(int a23456789, int b23456789, int c23456789,\r\n                     int d23456789);",
    );
}

#[test]
fn a_line_breaks_behind_the_type_when_filling_is_not_enough() {
    same(
        function("static int @a_function_with_quite_a_long_name(ATypeWithALongName *a_parameter);\n"),
        "static int microtask_fn\na_function_with_quite_a_long_name(ATypeWithALongName *a_parameter);\n",
    );
    same(
        function(
            "static Node *@a_function_with_a_long_name(ATypeWithALongName *a_parameter,\r\n                                         int b);\r\n",
        ),
        "static Node * microtask_fn\r\na_function_with_a_long_name(ATypeWithALongName *a_parameter, int b);\r\n",
    );
    same(
        function("  int GRAPH_RDLOCK @a_function_with_a_long_name(ATypeWithALongName *a_parameter);\n"),
        "  int microtask_fn GRAPH_RDLOCK\n  a_function_with_a_long_name(ATypeWithALongName *a_parameter);\n",
    );
    same(
        function("static int @a_function_with_a_name_that_is_so_long_that_hardly_a_list_fits(void)\n{\n"),
        "static int microtask_fn\na_function_with_a_name_that_is_so_long_that_hardly_a_list_fits(void)\n{\n",
    );
    // Nothing helps.
    same(
        function(
            "static int @a_function_with_quite_a_long_name(ATypeWithALongName *a_parameter_with_a_long_name,\n                                             int b);\n",
        ),
        "static int microtask_fn a_function_with_quite_a_long_name(ATypeWithALongName *a_parameter_with_a_long_name,\n                                                          int b);\n",
    );
    // A comment between type and name is not moved.
    same(
        function("static int /* x */ @a_function_with_a_long_name(ATypeWithALongName *a_parameter);\n"),
        "static int /* x */ microtask_fn a_function_with_a_long_name(ATypeWithALongName *a_parameter);\n",
    );
}

#[test]
fn lists_with_comments_or_without_alignment_are_not_filled() {
    for (before, after) in [
        // Comments.
        (
            "static int @node_read_vector(Node *node, int64_t offset, int64_t /* x */ bytes);",
            "static int microtask_fn node_read_vector(Node *node, int64_t offset, int64_t /* x */ bytes);",
        ),
        // Not aligned.
        (
            "static int @node_read_vector(Node *node, int64_t offset, int64_t bytes, int a,\n    int b);",
            "static int microtask_fn node_read_vector(Node *node, int64_t offset, int64_t bytes, int a,\n    int b);",
        ),
        // Too wide before.
        (
            "static int @node_read_vector(Node *node, int64_t offset, int64_t bytes, int a, int b, int c);",
            "static int microtask_fn node_read_vector(Node *node, int64_t offset, int64_t bytes, int a, int b, int c);",
        ),
        // Directives.
        (
            "int @foo(int a23456789, int b23456789, int c23456789, int d23456789\n#ifdef X\n        , int e\n#endif\n        );",
            "int microtask_fn foo(int a23456789, int b23456789, int c23456789, int d23456789\n#ifdef X\n        , int e\n#endif\n        );",
        ),
    ] {
        same(function(before), after);
    }
}

#[test]
fn conditions_around_a_declaration_do_not_matter() {
    same(
        function("#ifdef X\nint @foo(void);\n#else\nint foo(void) { }\n#endif"),
        "#ifdef X\nint microtask_fn foo(void);\n#else\nint foo(void) { }\n#endif",
    );
    same(function("#define foo bar\nint @foo(void);"), "#define foo bar\nint microtask_fn foo(void);");
    // The other branch has the mark.
    same(
        function("#ifdef X\nint microtask_fn foo(void)\n#else\nint @foo(void)\n#endif\n{"),
        "#ifdef X\nint microtask_fn foo(void)\n#else\nint microtask_fn foo(void)\n#endif\n{",
    );
}

#[test]
fn functions_that_cannot_be_marked() {
    for (text, reason) in [
        ("#define F int @foo(void);", "`foo` is written in a preprocessor directive"),
        ("#define F \\\n  int @foo(void);", "`foo` is written in a preprocessor directive"),
        ("/* int @foo(void) */", "`foo` is not written here: it comes from a macro"),
        ("char *s = \"int @foo(void)\";", "`foo` is not written here: it comes from a macro"),
        ("int a_@foo(void)", "`foo` is not written here: it comes from a macro"),
        ("int @fo\\\no(void)", "`fo` is not written here: it comes from a macro"),
        ("int DECLARE(@foo)(void);", "`foo` is not written here: it comes from a macro"),
        ("DECLARE(int, @foo, void);", "no `(` follows `foo`"),
        ("Function @foo;", "no `(` follows `foo`"),
        ("int @foo\n#ifdef X\n(void);", "no `(` follows `foo`"),
        ("int @foo(void", "the `(` after `foo` is not closed"),
        ("int microtask_fn @foo(void);", "`foo` already has the mark `microtask_fn`"),
        ("int microtask_fn\n@foo(void);", "`foo` already has the mark `microtask_fn`"),
        ("microtask_fn int @foo(void);", "`foo` already has the mark `microtask_fn`"),
        ("int (microtask_fn @foo)(void);", "no `(` follows `foo`"),
        ("int microtask_fn GRAPH_RDLOCK @foo(void);", "`foo` already has the mark `microtask_fn`"),
        ("int @foo(void) microtask_fn;", "`foo` already has the mark `microtask_fn`"),
        ("    @foo(x);", "no type is written before `foo`"),
        ("{ @foo(x); }", "no type is written before `foo`"),
        ("    return @foo(x);", "no type is written before `foo`"),
        ("    (void)@foo(x);", "no type is written before `foo`"),
        ("    if (x) @foo(x);", "no type is written before `foo`"),
        ("    y = @foo(x);", "no type is written before `foo`"),
        ("static @foo(void);", "no type is written before `foo`"),
        ("@foo(void);", "no type is written before `foo`"),
        ("int (*@foo(void))(int);", "no type is written before `foo`"),
        ("int\n#ifdef X\n@foo(void)", "no type is written before `foo`"),
        ("int @foo(void), bar(void);", "`foo` shares its declaration with other names"),
        ("int foo(void), *@bar(void);", "no type is written before `bar`"),
    ] {
        assert_eq!(function(text).unwrap_err(), reason, "{text}");
    }
    assert_eq!(
        mark_function(b"int foo(void);", 4, "bar", MARK),
        Err(EditError::NotWritten("bar".to_owned())),
        "the name is another one"
    );
    assert_eq!(mark_function(b"int foo(void);", 99, "foo", MARK), Err(EditError::NotWritten("foo".to_owned())));
}

#[test]
fn a_mark_on_a_neighbour_is_none() {
    for (before, after) in [
        ("int microtask_fn bar(void);\nint @foo(void);", "int microtask_fn bar(void);\nint microtask_fn foo(void);"),
        // A mark on a parameter is not the function's.
        ("int @foo(void (microtask_fn *f)(void));", "int microtask_fn foo(void (microtask_fn *f)(void));"),
        ("int @foo(void);\nint microtask_fn bar(void);", "int microtask_fn foo(void);\nint microtask_fn bar(void);"),
        ("MACRO(microtask_fn)\n\nint @foo(void);", "MACRO(microtask_fn)\n\nint microtask_fn foo(void);"),
        ("/* microtask_fn */ int @foo(void);", "/* microtask_fn */ int microtask_fn foo(void);"),
    ] {
        same(function(before), after);
    }
}

#[test]
fn pointers_are_marked() {
    for (before, after) in [
        ("struct S {\n    int (*@read)(void);\n};", "struct S {\n    int microtask_fn (*read)(void);\n};"),
        ("void *(*@get)(void);", "void * microtask_fn (*get)(void);"),
        ("void * (*@get)(void);", "void * microtask_fn (*get)(void);"),
        ("int (**@read)(void);", "int microtask_fn (**read)(void);"),
        ("int (*const @read)(void);", "int microtask_fn (*const read)(void);"),
        ("int ((*@read))(void);", "int microtask_fn ((*read))(void);"),
        ("int (*@table[4])(void);", "int microtask_fn (*table[4])(void);"),
        ("int (*@table[N][f(x)])(void);", "int microtask_fn (*table[N][f(x)])(void);"),
        ("static int (*@read)(void) = f, x;", "static int microtask_fn (*read)(void) = f, x;"),
        ("int GRAPH_RDLOCK_PTR (*@read)(void);", "int microtask_fn GRAPH_RDLOCK_PTR (*read)(void);"),
        ("void * GRAPH_RDLOCK_PTR (*@get)(void);", "void * microtask_fn GRAPH_RDLOCK_PTR (*get)(void);"),
        ("typedef void @Entry(void *);", "typedef void microtask_fn Entry(void *);"),
        ("typedef void (*@Entry)(void *);", "typedef void microtask_fn (*Entry)(void *);"),
        ("int /* x */ (*@read)(void);", "int /* x */ microtask_fn (*read)(void);"),
        ("int\n(*@read)(void);", "int microtask_fn\n(*read)(void);"),
        // Parameters.
        ("int foo(int a, int (*@f)(void), int b);", "int foo(int a, int microtask_fn (*f)(void), int b);"),
        ("int foo(int (*@f)(void));", "int foo(int microtask_fn (*f)(void));"),
        ("int foo(int a, int @f(void));", "int foo(int a, int microtask_fn f(void));"),
        // Lines follow.
        (
            "    int (*@read)(Node *node,\n                int64_t offset);",
            "    int microtask_fn (*read)(Node *node,\n                             int64_t offset);",
        ),
        (
            "int foo(int a, int (*@f)(int x,\n                        int y),\n        int b);",
            "int foo(int a, int microtask_fn (*f)(int x,\n                                     int y),\n        int b);",
        ),
        // Lists are filled: that of the pointer,
        (
            "    int (*@read)(Node *node, int64_t offset, int64_t bytes, Vector *v, int f);",
            "    int microtask_fn (*read)(Node *node, int64_t offset, int64_t bytes,\n                             Vector *v, int f);",
        ),
        // or that in which a parameter is.
        (
            "int foo(int a23456789, int b23456789, int c23456789, int (*@read)(int x, int y));",
            "int foo(int a23456789, int b23456789, int c23456789,\n        int microtask_fn (*read)(int x, int y));",
        ),
    ] {
        same(pointer(before), after);
    }
}

#[test]
fn pointers_that_cannot_be_marked() {
    let not_written_out = "the type of `read` is not written out as a pointer to a function";
    for (text, reason) in [
        ("Handler *@read;", not_written_out),
        ("Handler @read;", not_written_out),
        ("int (*@read)[4];", not_written_out),
        ("int foo(Handler *@read);", not_written_out),
        ("int foo(Handler *@read)(void);", not_written_out),
        ("int (*(*@read)[4])(void);", not_written_out),
        ("int *(@read);", not_written_out),
        ("int (*@read[4", not_written_out),
        ("int microtask_fn (*@read)(void);", "`read` already has the mark `microtask_fn`"),
        ("int (* microtask_fn @read)(void);", "`read` already has the mark `microtask_fn`"),
        ("#define X int (*@read)(void);", "`read` is written in a preprocessor directive"),
        ("(*@read)(void);", "no type is written before `read`"),
        ("return (*@read)(x);", "no type is written before `read`"),
        ("int (*@read)(void), (*b)(void);", "`read` shares its declaration with other names"),
        ("int (*a)(void), (*@read)(void);", "no type is written before `read`"),
        ("typedef void @read(void *), *B;", "`read` shares its declaration with other names"),
    ] {
        assert_eq!(pointer(text).unwrap_err(), reason, "{text}");
    }
}

#[test]
fn marks_are_removed() {
    for (before, after) in [
        ("int @microtask_fn foo(void);", "int foo(void);"),
        ("@microtask_fn int foo(void);", "int foo(void);"),
        ("    @microtask_fn foo(void);", "    foo(void);"),
        ("Node * @microtask_fn foo(void);", "Node *foo(void);"),
        ("Node *@microtask_fn foo(void);", "Node *foo(void);"),
        ("Node * @microtask_fn GRAPH_RDLOCK foo(void);", "Node * GRAPH_RDLOCK foo(void);"),
        ("Node *const @microtask_fn foo(void);", "Node *const foo(void);"),
        ("int @microtask_fn GRAPH_RDLOCK foo(void);", "int GRAPH_RDLOCK foo(void);"),
        ("int @microtask_fn (*read)(void);", "int (*read)(void);"),
        ("void * @microtask_fn (*get)(void);", "void *(*get)(void);"),
        ("int foo(void) @microtask_fn;", "int foo(void);"),
        ("int foo(void) @microtask_fn\n{", "int foo(void)\n{"),
        ("int foo(void) @microtask_fn {", "int foo(void) {"),
        ("f(void (*)(void) @microtask_fn, int)", "f(void (*)(void), int)"),
        // At the end of a line, and alone on one.
        ("int @microtask_fn\nfoo(void);", "int\nfoo(void);"),
        ("int @microtask_fn\r\nfoo(void);", "int\r\nfoo(void);"),
        ("int @microtask_fn  \nfoo(void);", "int\nfoo(void);"),
        ("Node * @microtask_fn\nfoo(void);", "Node *\nfoo(void);"),
        ("int @microtask_fn /* x */\nfoo(void);", "int /* x */\nfoo(void);"),
        ("int @microtask_fn // x\nfoo(void);", "int // x\nfoo(void);"),
        ("int\n@microtask_fn\nfoo(void);", "int\nfoo(void);"),
        ("int\r\n  @microtask_fn\r\nfoo(void);", "int\r\nfoo(void);"),
        ("int\n@microtask_fn foo(void);", "int\nfoo(void);"),
        ("int @microtask_fn", "int"),
        ("@microtask_fn", ""),
        // Lines follow.
        ("int @microtask_fn foo(int a,\n                     int b);", "int foo(int a,\n        int b);"),
        ("int @microtask_fn foo(int a,\n\t\t     int b);", "int foo(int a,\n\tint b);"),
        ("int @microtask_fn foo(int a,\n    int b);", "int foo(int a,\n    int b);"),
    ] {
        same(without(before), after);
    }
    assert_eq!(
        without("#define F @microtask_fn").unwrap_err(),
        "`microtask_fn` is written in a preprocessor directive"
    );
    assert!(unmark(b"int foo(void);", 4, MARK).is_err());
}

#[test]
fn calls_are_renamed() {
    for (before, new, after) in [
        ("    @foo(a);", "co_foo", "    co_foo(a);"),
        ("    @foo (a);", "co_foo", "    co_foo (a);"),
        ("    @foo(a,\n        b);", "co_foo", "    co_foo(a,\n           b);"),
        ("    @co_foo(a,\n           b);", "foo", "    foo(a,\n        b);"),
        ("    @foo(\n        a);", "co_foo", "    co_foo(\n        a);"),
        ("\tx = @foo(a,\n\t\tb);", "co_foo", "\tx = co_foo(a,\n\t\t   b);"),
        // What goes on with an argument moves, too.
        (
            "    @foo(a ||\n        b, c(d,\n               e));",
            "bar2",
            "    bar2(a ||\n         b, c(d,\n                e));",
        ),
        ("    @foo(\"a\"\n        \"b\");", "bar2", "    bar2(\"a\"\n         \"b\");"),
        // Only what moves does.
        ("    x(@foo(a,\n          b),\n      c);", "bar2", "    x(bar2(a,\n           b),\n      c);"),
        ("    if (@foo(a) &&\n        b) {", "bar2", "    if (bar2(a) &&\n        b) {"),
        ("    x = @foo(a) + y(b,\n                   c);", "bar2", "    x = bar2(a) + y(b,\n                    c);"),
        ("    @foo(({\n        b;\n    }));", "bar2", "    bar2(({\n        b;\n    }));"),
        // Lists are filled, but not with strings in them.
        (
            "    ret = @node_read(node, offset_of_the_first, number_of_bytes, vector, flags);",
            "node_co_read",
            "    ret = node_co_read(node, offset_of_the_first, number_of_bytes, vector,\n                       flags);",
        ),
        (
            "    if (@node_read(node, offset_of_the_first, number_of_bytes, v, 'x') < 0) {",
            "node_co_read",
            "    if (node_co_read(node, offset_of_the_first, number_of_bytes, v, 'x') < 0) {",
        ),
        (
            "    if (@node_read(node, offset_of_the_first, number_of_bytes, vec, 'x') < 0) {",
            "node_co_read",
            "    if (node_co_read(node, offset_of_the_first, number_of_bytes, vec,\n                     'x') < 0) {",
        ),
        (
            "    ret = @node_read(node, \"%s %d\", offset_of_the_first, number_of_bytes, flag);",
            "node_co_read",
            "    ret = node_co_read(node, \"%s %d\", offset_of_the_first, number_of_bytes, flag);",
        ),
    ] {
        same(call(before, new), after);
    }
    for (text, reason) in [
        ("#define F @foo(x)", "`foo` is written in a preprocessor directive"),
        ("    y = @foo;", "no `(` follows `foo`"),
        ("    // @foo()", "`foo` is not written here: it comes from a macro"),
        ("    @foo((x)", "the `(` after `foo` is not closed"),
    ] {
        assert_eq!(call(text, "bar").unwrap_err(), reason, "{text}");
    }
    assert!(rename_call(b"foo(x)", 0, "fo", "bar").is_err());
}

#[test]
fn wrappers_are_declared_behind_their_targets() {
    for (before, after) in [
        ("int microtask_fn @n_co_get(void);\n", "int microtask_fn n_co_get(void);\nint co_wrapper n_get(void);\n"),
        ("int microtask_fn @n_co_get(void);", "int microtask_fn n_co_get(void);\nint co_wrapper n_get(void);"),
        (
            "int microtask_fn @n_co_get(void);\r\n",
            "int microtask_fn n_co_get(void);\r\nint co_wrapper n_get(void);\r\n",
        ),
        (
            "Node * microtask_fn GRAPH_RDLOCK @n_co_get(Node *n);\n",
            "Node * microtask_fn GRAPH_RDLOCK n_co_get(Node *n);\nNode * co_wrapper n_get(Node *n);\n",
        ),
        (
            "int microtask_fn GRAPH_RDLOCK\n@n_co_get(int a,\n         int b);\n",
            "int microtask_fn GRAPH_RDLOCK\nn_co_get(int a,\n         int b);\nint co_wrapper\nn_get(int a,\n      int b);\n",
        ),
        (
            "int microtask_fn @n_co_get(int a,\n                          int b);\n",
            "int microtask_fn n_co_get(int a,\n                          int b);\nint co_wrapper n_get(int a,\n                     int b);\n",
        ),
        // A mark on a parameter stays; one behind the list goes.
        (
            "int @n_co_get(int microtask_fn (*f)(void)) GRAPH_RDLOCK;\n",
            "int n_co_get(int microtask_fn (*f)(void)) GRAPH_RDLOCK;\nint co_wrapper n_get(int microtask_fn (*f)(void));\n",
        ),
        // It stays under its condition.
        (
            "#ifdef X\nint microtask_fn @n_co_get(void);\n#endif\n",
            "#ifdef X\nint microtask_fn n_co_get(void);\nint co_wrapper n_get(void);\n#endif\n",
        ),
        // Empty lines are as they were.
        (
            "int a(void);\n\nint @n_co_get(void);\n\nint b(void);\n",
            "int a(void);\n\nint n_co_get(void);\n\nint co_wrapper n_get(void);\n\nint b(void);\n",
        ),
        (
            "int a(void);\r\n\r\nint @n_co_get(void);\r\n",
            "int a(void);\r\n\r\nint n_co_get(void);\r\n\r\nint co_wrapper n_get(void);\r\n",
        ),
        (
            "int a(void);\n\n/* It\n * gets. */\nint @n_co_get(void);\n\nint b(void);\n",
            "int a(void);\n\n/* It\n * gets. */\nint n_co_get(void);\n\nint co_wrapper n_get(void);\n\nint b(void);\n",
        ),
        (
            "int a(void);\nint @n_co_get(void);\n\nint b(void);\n",
            "int a(void);\nint n_co_get(void);\nint co_wrapper n_get(void);\n\nint b(void);\n",
        ),
        // Behind a comment on the line, and before more code.
        (
            "int @n_co_get(void); /* n_co_get(\n gets */\nint b(void);\n",
            "int n_co_get(void); /* n_co_get(\n gets */\nint co_wrapper n_get(void);\nint b(void);\n",
        ),
        ("int @n_co_get(void); int b(void);\n", "int n_co_get(void);\nint co_wrapper n_get(void); int b(void);\n"),
        // The macro before it is not the declaration's.
        (
            "BEGIN_DECLARATIONS\n\nint @n_co_get(void);\n",
            "BEGIN_DECLARATIONS\n\nint n_co_get(void);\n\nint co_wrapper n_get(void);\n",
        ),
        ("  extern int @n_co_get(void);\n", "  extern int n_co_get(void);\n  extern int co_wrapper n_get(void);\n"),
    ] {
        same(wrapper(before), after);
    }
}

#[test]
fn a_wrapper_that_is_too_wide_is_filled() {
    let edits = |text: &[u8], offset, name: &str| {
        add_wrapper(text, offset, name, "node_get", "co_wrapper_bdrv_rdlock", &[MARK])
    };
    same(
        edited("int microtask_fn @n_get(int a23456789, int b23456789, int c23456789, int d);\r\n", edits),
        "\
int microtask_fn n_get(int a23456789, int b23456789, int c23456789, int d);\r
int co_wrapper_bdrv_rdlock node_get(int a23456789, int b23456789, int c23456789,\r
                                    int d);\r
",
    );
    same(
        edited(
            "int microtask_fn\n@n_get(int a2345678901234567890, int b2345678901234567890, int c2345678901);\n",
            edits,
        ),
        "\
int microtask_fn
n_get(int a2345678901234567890, int b2345678901234567890, int c2345678901);
int co_wrapper_bdrv_rdlock
node_get(int a2345678901234567890, int b2345678901234567890, int c2345678901);
",
    );
    same(
        edited(
            "int microtask_fn\n@n_get(int a2345678901234567890, int b2345678901234567890, int c2345678901234);\n",
            edits,
        ),
        "\
int microtask_fn
n_get(int a2345678901234567890, int b2345678901234567890, int c2345678901234);
int co_wrapper_bdrv_rdlock
node_get(int a2345678901234567890, int b2345678901234567890,
         int c2345678901234);
",
    );
    same(
        edited("int microtask_fn @n_get(ATypeWithALongName *a_parameter_with_a_long_name);\n", edits),
        "\
int microtask_fn n_get(ATypeWithALongName *a_parameter_with_a_long_name);
int co_wrapper_bdrv_rdlock
node_get(ATypeWithALongName *a_parameter_with_a_long_name);
",
    );
}

#[test]
fn wrappers_that_cannot_be_declared() {
    for (text, reason) in [
        ("int @n_co_get(void)\n{\n}\n", "`n_co_get` is defined here, not only declared"),
        ("int @n_co_get(void)", "the declaration of `n_co_get` does not end with `;`"),
        ("int @n_co_get(void)\n#ifdef X\n;", "the declaration of `n_co_get` does not end with `;`"),
        (
            "int @n_co_get(int a\n#ifdef X\n, int b\n#endif\n);",
            "the declaration of `n_co_get` has preprocessor directives in it",
        ),
        ("int @n_co_get(void), b(void);", "`n_co_get` shares its declaration with other names"),
        ("int co_wrapper @n_co_get(void);", "`n_get` already has the mark `co_wrapper`"),
        ("#define X int @n_co_get(void);", "`n_co_get` is written in a preprocessor directive"),
        ("F @n_co_get;", "no `(` follows `n_co_get`"),
    ] {
        assert_eq!(wrapper(text).unwrap_err(), reason, "{text}");
    }
}

#[test]
fn entries_are_added_to_lists() {
    for (before, after) in [
        // On lines of their own.
        (
            "  input: [\n    'a.h',\n    'k.h',\n    'b.h',\n  ]",
            "  input: [\n    'a.h',\n    'k.h',\n    'n.h',\n    'b.h',\n  ]",
        ),
        ("f(\n  'k.h',\r\n  'b.h')", "f(\n  'k.h',\r\n  'n.h',\r\n  'b.h')"),
        ("f(\n\t'k.h', # why 'x'\n)", "f(\n\t'k.h', # why 'x'\n\t'n.h',\n)"),
        // The last of them.
        ("f(\n  'a.h',\n  'k.h'\n)", "f(\n  'a.h',\n  'k.h',\n  'n.h'\n)"),
        ("f(\n  'a.h',\n  'k.h' # why\n)", "f(\n  'a.h',\n  'k.h', # why\n  'n.h'\n)"),
        ("f(\n  'a.h',\n  'k.h'),", "f(\n  'a.h',\n  'k.h',\n  'n.h'),"),
        ("f([\n  'a.h',\n  'k.h'\n  ])", "f([\n  'a.h',\n  'k.h',\n  'n.h'\n  ])"),
        // In one line.
        ("input: ['k.h'],", "input: ['k.h', 'n.h'],"),
        ("input: ['k.h', 'b.h'],", "input: ['k.h', 'n.h', 'b.h'],"),
        ("f('k.h',\n  'b.h')", "f('k.h', 'n.h',\n  'b.h')"),
        ("f(\n  'k.h', 'b.h')", "f(\n  'k.h', 'n.h', 'b.h')"),
        // Not in comments, or as part of another.
        ("# 'k.h'\nx = ['../k.h', 'k.h', '''\n'k.h' ''']", "# 'k.h'\nx = ['../k.h', 'k.h', 'n.h', '''\n'k.h' ''']"),
    ] {
        let edits = add_to_list(before.as_bytes(), 0..before.len(), "k.h", "n.h").unwrap();
        check(before, &edits);
        same(Ok(String::from_utf8(apply(before.as_bytes(), &edits)).unwrap()), after);
    }
    let text = b"f('k.h')\ng('k.h')\nh('n.h')";
    let add = |within| add_to_list(text, within, "k.h", "n.h").map_err(|refusal| refusal.to_string());
    assert_eq!(add(9..17).map(|edits| edits[0].range.clone()), Ok(16..16));
    assert_eq!(add(0..18).unwrap_err(), "the entry `k.h` is listed more than once");
    assert_eq!(add(0..0).unwrap_err(), "no list has the entry `k.h`");
    assert_eq!(add(9..99).unwrap_err(), "`n.h` is already listed");
    let quoted = add_to_list(br"['a\'b']", 0..99, "a'b", r"c\d").unwrap();
    assert_eq!(quoted[0].text, br", 'c\\d'");
}

#[test]
fn bytes_need_not_be_utf8() {
    let text = b"/* \xff */ int foo(int a, /* \xe9 */\n               int b);";
    let offset = text.windows(3).position(|part| part == b"foo").unwrap();
    let edits = mark_function(text, offset, "foo", MARK).unwrap();
    assert!(apply(text, &edits).starts_with(b"/* \xff */ int microtask_fn foo(int a, /* \xe9 */\n"));
}

/// The code of a text, without blanks.
fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let source = Source::new(text);
    let code = (0..source.tokens.len()).filter(|index| !source.tokens[*index].kind.is_comment());
    code.map(|index| source.bytes(index).to_vec()).collect()
}

/// A prototype with aligned lines, its name's offset, and whether all of its parameters are short.
fn prototype() -> impl Strategy<Value = (String, usize)> {
    let parameter = prop_oneof![
        "(int|Node \\*|const char \\*)",
        "(int |int64_t |Node \\*|const Node \\*\\*)[a-z]{1,20}",
        "(void|Node \\*) ?\\(\\*[a-z]{1,8}\\)\\((void|int a, int b)\\)",
    ];
    let head = "(static |extern |)(int |unsigned int |struct NODE |FILE |Node \\*|Node \\*\\*)(GRAPH_RDLOCK |)";
    let parameters = prop::collection::vec((parameter, any::<bool>()), 1..9);
    (head, "[a-z]{1,8}_[a-z]{1,14}", parameters, "(;|\n\\{|\\{|;\n| COLD;)", any::<bool>()).prop_map(
        |(head, name, parameters, tail, tabs)| {
            // The lock is no part of the star.
            let head = head.replace("*GRAPH", "* GRAPH");
            let mut text = format!("{head}{name}(");
            let margin = text.len();
            let mut at = margin;
            let last = parameters.len() - 1;
            for (number, (parameter, breaks)) in parameters.iter().enumerate() {
                let is_wide = at + parameter.len() + 9 > LIMIT;
                if number > 0 && (*breaks || is_wide) {
                    let tabs = if tabs { margin / 8 } else { 0 };
                    text += &format!("\n{}{}", "\t".repeat(tabs), " ".repeat(margin - tabs * 8));
                    at = margin;
                } else if number > 0 {
                    text += " ";
                    at += 1;
                }
                text += parameter;
                text += if number == last { ")" } else { "," };
                at += parameter.len() + 1;
            }
            (text + &tail, head.len())
        },
    )
}

fn widths(text: &[u8]) -> Vec<usize> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let width = |line: &str| line.chars().fold(0, |at, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 });
    text.lines().map(width).collect()
}

/// The name that begins at an offset.
fn name_at(text: &str, offset: usize) -> &str {
    text[offset..].split('(').next().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// What was marked and is unmarked is what it was, unless lines had to be filled.
    #[test]
    fn unmarking_is_the_opposite_of_marking((text, offset) in prototype()) {
        let name = name_at(&text, offset);
        let edits = mark_function(text.as_bytes(), offset, name, MARK).unwrap();
        check(&text, &edits);
        let marked = apply(text.as_bytes(), &edits);
        // Filling puts other words on a line.
        let lines = |text: &[u8]| text.split(|byte| *byte == b'\n').map(|line| {
            let mut words = words(line);
            words.retain(|word| word != MARK.as_bytes());
            words
        }).collect::<Vec<_>>();
        if lines(&marked) == lines(text.as_bytes()) {
            let at = marked.windows(MARK.len()).position(|part| part == MARK.as_bytes()).unwrap();
            let back = apply(&marked, &unmark(&marked, at, MARK).unwrap());
            prop_assert_eq!(String::from_utf8(back).unwrap(), text);
        }
    }

    /// No line goes past the limit, and nothing but the mark is new.
    #[test]
    fn marked_prototypes_fit((text, offset) in prototype()) {
        let name = name_at(&text, offset);
        prop_assume!(widths(text.as_bytes()).iter().all(|width| *width <= LIMIT));
        let marked = apply(text.as_bytes(), &mark_function(text.as_bytes(), offset, name, MARK).unwrap());
        let mut expected = words(&marked);
        let mark = expected.iter().position(|word| word == MARK.as_bytes()).unwrap();
        expected.remove(mark);
        prop_assert_eq!(expected, words(text.as_bytes()));
        prop_assert!(widths(&marked).iter().all(|width| *width <= LIMIT), "{}", String::from_utf8_lossy(&marked));
        prop_assert!(!marked.windows(2).any(|pair| pair == b" \n"));
    }

    /// A wrapper is its target with another name and another mark.
    #[test]
    fn wrappers_have_the_words_of_their_targets((text, offset) in prototype()) {
        let name = name_at(&text, offset);
        let text = match text.strip_suffix('{') {
            Some(text) => format!("{text};"),
            None => text.clone(),
        };
        let edits = add_wrapper(text.as_bytes(), offset, name, "wrap", "co_wrapper", &["GRAPH_RDLOCK", "static"]).unwrap();
        check(&text, &edits);
        let dropped = [&b"GRAPH_RDLOCK"[..], b"static", b"co_wrapper"];
        let mut found = words(&edits[0].text);
        found.retain(|word| word != b"co_wrapper");
        let mut expected = words(text.as_bytes());
        expected.retain(|word| !dropped.contains(&word.as_slice()));
        let renamed = expected.iter_mut().find(|word| *word == name.as_bytes()).unwrap();
        *renamed = b"wrap".to_vec();
        prop_assert_eq!(found, expected);
    }

    /// Nothing panics on any bytes, and what is not refused has edits in order.
    #[test]
    fn any_text_is_edited_or_refused(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "foo", "int", "microtask_fn", "LOCK", "struct", "(", ")", "*", ",", ";", "{", "}", "[", "]", "=", " ",
                "\n", "\r\n", "\t", "\\\n", "\\\r\n", "#", "/*", "*/", "//", "\"", "'", "'foo'", "foo(", "(*foo)(", "\nint foo(int",
                "microtask_fn foo(int,\n", "x, y,\n        z",
            ]).prop_map(|part| part.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
        ], 0..40),
        any_offset in 0usize..200,
    ) {
        let text = parts.concat();
        let found = |word: &str| text.windows(word.len()).enumerate()
            .filter(|(_, part)| *part == word.as_bytes()).map(|(at, _)| at).collect::<Vec<_>>();
        let mut results = vec![add_to_list(&text, 0..any_offset, "foo", "bar")];
        for offset in found("foo").into_iter().chain([any_offset]) {
            results.push(mark_function(&text, offset, "foo", "mark"));
            results.push(mark_pointer(&text, offset, "foo", "mark"));
            results.push(rename_call(&text, offset, "foo", "another_name"));
            results.push(add_wrapper(&text, offset, "foo", "bar", "mark", &["microtask_fn", "LOCK"]));
        }
        for offset in found(MARK) {
            results.push(unmark(&text, offset, MARK));
        }
        for edits in results.into_iter().flatten() {
            prop_assert!(edits.is_sorted_by(|one, next| one.range.end <= next.range.start));
            prop_assert!(edits.iter().all(|edit| edit.range.start <= edit.range.end && edit.range.end <= text.len()));
            apply(&text, &edits);
        }
    }
}
