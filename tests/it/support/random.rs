//! Small trees that nobody wrote: headers that include one another in any way, with macros, marks and callbacks, and units that
//! include them in any order. Most of them compile.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;

/// How many macros, functions, types and variables there are to choose from.
const NAMES: usize = 4;

/// A tree.
#[derive(Clone, Debug)]
pub struct Random {
    headers: Vec<(Guard, Vec<Item>)>,
    units: Vec<Vec<Item>>,
}

/// What keeps a header from being read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Macro,
    Once,
    /// The macro is also one of those that are defined and asked for.
    Default(usize),
    None,
}

/// A piece of a header or unit.
#[derive(Clone, Debug)]
enum Item {
    Include(Index),
    IncludeIf(usize, Index),
    /// A header that is heavy.
    Weight(usize),
    Define(usize, usize),
    Undefine(usize),
    /// A macro is defined as another one.
    DefineAs(usize, usize),
    /// A macro is defined where it is not yet.
    DefineDefault(usize),
    Declare(usize, usize),
    DeclareIf(usize, usize),
    /// A declaration whose mark comes out of a macro.
    DeclareBy(usize, usize),
    /// A name that is put together.
    DeclarePasted(usize),
    Typedef(usize, bool),
    Variable(usize, bool),
    Record(usize),
    RecordDefined(usize),
    /// A function that uses what is inside of a record.
    Inside(usize),
    /// A function is used that may not have been declared.
    Undeclared(usize),
    /// A number that may not have been declared.
    Constant(usize),
    Inline(usize, usize),
    InlineIf(usize, usize, usize),
    Static(usize),
    Counted,
    Pragma(usize),
    Store(usize, usize),
}

/// Any tree.
pub fn random() -> impl Strategy<Value = Random> {
    let header = (guard(), prop::collection::vec(item(), 0..6));
    let units = prop::collection::vec(prop::collection::vec(item_of_unit(), 1..9), 2..5);
    (prop::collection::vec(header, 2..7), units).prop_map(|(headers, units)| Random { headers, units })
}

fn guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        10 => Just(Guard::Macro),
        3 => Just(Guard::Once),
        1 => (0..NAMES).prop_map(Guard::Default),
        2 => Just(Guard::None),
    ]
}

fn item_of_unit() -> impl Strategy<Value = Item> {
    prop_oneof![6 => any::<Index>().prop_map(Item::Include), 1 => item()]
}

fn item() -> impl Strategy<Value = Item> {
    let name = || 0..NAMES;
    prop_oneof![
        6 => any::<Index>().prop_map(Item::Include),
        1 => (name(), any::<Index>()).prop_map(|(name, to)| Item::IncludeIf(name, to)),
        2 => (2usize..4).prop_map(Item::Weight),
        2 => (name(), name()).prop_map(|(name, value)| Item::Define(name, value)),
        1 => name().prop_map(Item::Undefine),
        1 => (name(), name()).prop_map(|(name, value)| Item::DefineAs(name, value)),
        1 => name().prop_map(Item::DefineDefault),
        2 => (name(), 0usize..4).prop_map(|(name, how)| Item::Declare(name, how)),
        2 => (name(), name()).prop_map(|(asked, name)| Item::DeclareIf(asked, name)),
        1 => (name(), name()).prop_map(|(asked, name)| Item::DeclareBy(asked, name)),
        1 => name().prop_map(Item::DeclarePasted),
        1 => (name(), any::<bool>()).prop_map(|(name, mark)| Item::Typedef(name, mark)),
        1 => (name(), any::<bool>()).prop_map(|(name, mark)| Item::Variable(name, mark)),
        1 => name().prop_map(Item::Record),
        1 => name().prop_map(Item::RecordDefined),
        1 => name().prop_map(Item::Inside),
        1 => name().prop_map(Item::Undeclared),
        1 => name().prop_map(Item::Constant),
        2 => (name(), name()).prop_map(|(called, other)| Item::Inline(called, other)),
        2 => (name(), name(), name()).prop_map(|(asked, called, other)| Item::InlineIf(asked, called, other)),
        1 => name().prop_map(Item::Static),
        1 => Just(Item::Counted),
        1 => (0usize..4).prop_map(Item::Pragma),
        1 => (name(), name()).prop_map(|(variable, stored)| Item::Store(variable, stored)),
    ]
}

impl Random {
    /// Its files, with their paths. `include/base.h` and the heavy headers are not among them.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![("include/first.h".to_owned(), FIRST.to_owned())];
        for (number, (guard, items)) in self.headers.iter().enumerate() {
            let mut text = String::new();
            for (position, item) in items.iter().enumerate() {
                // What has no guard must not include itself, and defines nothing that can be there only once.
                let from = if *guard == Guard::None { number + 1 } else { 0 };
                self.write(&mut text, item, &format!("h{number}_{position}"), from, *guard == Guard::None);
            }
            let text = match guard {
                Guard::Macro => format!("#ifndef H{number}_H\n#define H{number}_H\n{text}#endif\n"),
                Guard::Once => format!("#pragma once\n{text}"),
                Guard::Default(name) => format!("#ifndef M{name}\n#define M{name}\n{text}#endif\n"),
                Guard::None => text,
            };
            files.push((format!("include/h{number}.h"), text));
        }
        for (number, items) in self.units.iter().enumerate() {
            let mut text = "#include \"first.h\"\n".to_owned();
            for (position, item) in items.iter().enumerate() {
                self.write(&mut text, item, &format!("u{number}_{position}"), 0, false);
            }
            let _ =
                writeln!(text, "void unit{number}(struct Ops *ops) {{ CALL0(); CALL1(); f0(); ops->plain = done; }}");
            files.push((format!("u{number}.c"), text));
        }
        files
    }

    fn write(&self, text: &mut String, item: &Item, id: &str, from: usize, again: bool) {
        let include = |to: &Index| {
            let among = self.headers.len() - from.min(self.headers.len());
            match among {
                0 => String::new(),
                _ => format!("#include \"h{}.h\"\n", from + to.index(among)),
            }
        };
        let values = ["", "1", "coroutine_fn", "f1"];
        let _ = match item {
            Item::Include(to) => write!(text, "{}", include(to)),
            Item::IncludeIf(asked, to) => writeln!(text, "#ifdef M{asked}\n{}#endif", include(to)),
            Item::Weight(number) => writeln!(text, "#include \"weight{number}.h\""),
            Item::Define(name, value) => writeln!(text, "#undef M{name}\n#define M{name} {}", values[*value]),
            Item::Undefine(name) => writeln!(text, "#undef M{name}"),
            Item::DefineAs(name, value) => writeln!(text, "#undef M{name}\n#define M{name} M{value}"),
            Item::DefineDefault(name) => writeln!(text, "#ifndef M{name}\n#define M{name} coroutine_fn\n#endif"),
            Item::Declare(name, how) => match how {
                0 => writeln!(text, "void coroutine_fn f{name}(void);"),
                1 => writeln!(text, "void f{name}(void);"),
                2 => writeln!(text, "void f{name}(void) __attribute__((noreturn));"),
                _ => writeln!(text, "void reg{name}(Handler *{id});"),
            },
            Item::DeclareIf(asked, name) => {
                writeln!(text, "#ifdef M{asked}\nvoid coroutine_fn f{name}(void);\n#else\nvoid f{name}(void);\n#endif")
            }
            // What is not defined is a type of its own.
            Item::DeclareBy(asked, name) => writeln!(
                text,
                "#ifndef M{asked}\nvoid g{name}(void);\n#else\nvoid MARK(M{asked}) g{name}(void);\n#endif"
            ),
            Item::DeclarePasted(name) => writeln!(text, "void GLUE(CALL, {name})(void);"),
            Item::Typedef(name, mark) => {
                writeln!(
                    text,
                    "typedef void {}Type{name}(void *opaque);\nextern Type{name} *type{name};",
                    if *mark { "coroutine_fn " } else { "" }
                )
            }
            Item::Variable(name, mark) => {
                writeln!(text, "extern void (*{}hook{name})(void *);", if *mark { "coroutine_fn " } else { "" })
            }
            Item::Record(name) => {
                writeln!(text, "struct Record{name};\nstruct Record{name} *record{name}(struct Record{name} *record);")
            }
            Item::RecordDefined(name) => writeln!(
                text,
                "#ifndef RECORD{name}\n#define RECORD{name}\nstruct Record{name} {{ Handler *handler; }};\nenum {{ CONSTANT{name} }};\n#endif"
            ),
            Item::Constant(name) => writeln!(text, "extern int number{id}[CONSTANT{name} + 1];"),
            Item::Inside(_) | Item::Undeclared(_) if again => Ok(()),
            Item::Inside(name) => writeln!(
                text,
                "struct Record{name};\nstatic inline void {id}(struct Record{name} *r) {{ r->handler = done; }}"
            ),
            Item::Undeclared(name) => writeln!(text, "static inline void {id}(void) {{ (void)reg{name}(done); }}"),
            Item::Inline(..) | Item::InlineIf(..) | Item::Static(..) | Item::Counted | Item::Store(..) if again => {
                Ok(())
            }
            Item::Inline(called, other) => {
                writeln!(text, "void f{called}(void);\nstatic inline void {id}(void) {{ f{called}(); CALL{other}(); }}")
            }
            Item::InlineIf(asked, called, other) => writeln!(
                text,
                "void f{called}(void);\nstatic inline void {id}(void) {{\n#ifdef M{asked}\nf{called}();\n#endif\nGLUE(CALL, {other})(); drain(); }}"
            ),
            Item::Static(name) => {
                writeln!(text, "static void s{name}(void);\nstatic inline void {id}(void) {{ s{name}(); }}")
            }
            Item::Counted => writeln!(text, "static inline void COUNTED({id}_)(void) {{ drain(); }}"),
            Item::Pragma(number) => match number {
                0 => writeln!(text, "#pragma pack(push, 1)\nstruct P{id} {{ char c; int i; }};\n#pragma pack(pop)"),
                1 => writeln!(text, "#pragma GCC diagnostic ignored \"-Wunused\""),
                2 => writeln!(text, "#define CALL{number} f1"),
                _ => writeln!(text, "#undef CALL1\n#define CALL1 f0"),
            },
            Item::Store(variable, stored) => writeln!(
                text,
                "void f{stored}(void);\nextern void (*hook{variable})(void *);\nstatic inline void {id}(void) {{ hook{variable} = (Handler *)f{stored}; hook{variable}(0); }}"
            ),
        };
    }
}

/// The first header of every unit.
const FIRST: &str = "\
#ifndef FIRST_H
#define FIRST_H
#include \"base.h\"
#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2(a, b)
#define COUNTED(a) GLUE(a, __COUNTER__)
#define MARK2(x) MARK_##x
#define MARK(x) MARK2(x)
#define MARK_
#define MARK_1
#define MARK_f1
#define MARK_coroutine_fn coroutine_fn
void CALL0(void);
void CALL1(void);
void CALL2(void);
void CALL3(void);
void f0(void);
void f1(void);
#endif
";
