//! What the front end takes out of a tree for packs of any code base: readings, statement marks, slot models. Each tree
//! is read with precompiled header sharing, too, and the facts must be the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sharing::{compare_with, weight};
use cowrap_facts::{Body, CallKind, Context, ContextSet, FileFacts, ReadingId, SlotIdentity, SlotModelId, Value};
use cowrap_packs::{Pack, PackSet};

/// What every pack of these tests has: a mark that every tree defines.
const PACK: &str = "headers = [\"mark.h\"]\n[[mark]]\nname = \"SOME_MARK\"\neffect = \"mixed\"\n";

/// A tree that was read.
struct Read {
    packs: PackSet,
    /// The facts of each file, each version once.
    files: Vec<FileFacts>,
}

/// Reads a tree with packs. All its `.c` files are units, and `all.h` and `weight1.h` are included by them first.
fn read(packs: &[&str], files: &[(&str, &str)]) -> Read {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let root = scratch.path();
    let write = |path: &str, text: &str| std::fs::write(root.join(path), text).expect("a file");
    let pack = |(number, text): (usize, &&str)| {
        // Single values come before tables.
        let (values, tables) = text.split_at(text.find("[[").unwrap_or(text.len()));
        write("pack.toml", &format!("name = \"p{number}\"\n{values}{PACK}{tables}"));
        Pack::read(&root.join("pack.toml")).expect("a pack")
    };
    let mut packs = packs.iter().enumerate().map(pack);
    let packs = PackSet::new(packs.next().expect("a pack"), packs.collect());
    write("mark.h", "#define SOME_MARK\n#define MAY_SLEEP\n");
    write("weight1.h", &weight(1));
    let mut units = vec!["unit1.c", "unit2.c"];
    for unit in &units {
        write(unit, "#include \"all.h\"\n");
    }
    for (path, text) in files {
        write(path, text);
        units.extend(path.ends_with(".c").then_some(path));
    }
    let header = files.iter().find(|(path, _)| *path == "all.h").map(|(_, text)| *text).unwrap_or_default();
    write("all.h", &format!("#pragma once\n#include \"mark.h\"\n#include \"weight1.h\"\n{header}\n"));
    let entry = |unit: &&str| {
        let command = format!("cc -std=gnu11 -fblocks -I. -c {unit}");
        serde_json::json!({ "directory": root, "file": unit, "command": command })
    };
    let entries: Vec<_> = units.iter().map(entry).collect();
    write("compile_commands.json", &serde_json::to_string(&entries).expect("plain data"));
    let compared = compare_with(root, &packs);
    for (file, facts) in &compared.plain {
        assert_eq!(facts.parse_status.errors, 0, "{}: {:?}", file.display(), facts.parse_status.first_error);
    }
    assert!(compared.shared.units > 0, "{:?}", compared.shared);
    assert!(compared.differing.is_empty(), "{:?}", compared.differing);
    let mut digests = BTreeSet::new();
    let all = compared.plain.iter().flat_map(|(_, facts)| &facts.file_facts);
    let files = all.filter(|facts| digests.insert(facts.digest())).map(|facts| facts.facts().clone()).collect();
    Read { packs, files }
}

impl Read {
    /// The slots of which the packs say something, by name, with what they say.
    fn modelled(&self) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in &self.files {
            for slot in file.slots.iter().filter(|slot| !slot.models.is_empty()) {
                let models = slot.models.iter().map(|model| self.model(*model)).collect();
                let known = found.insert(slot_name(file, &slot.identity), models);
                assert!(known.is_none_or(|known| known == found[&slot_name(file, &slot.identity)]));
            }
        }
        found
    }

    fn model(&self, model: SlotModelId) -> String {
        self.packs.first().slots[usize::from(model.0)].slot.to_string()
    }
}

fn slot_name(file: &FileFacts, identity: &SlotIdentity) -> String {
    let of = |slot: &cowrap_facts::SlotId| slot_name(file, &file.slots[slot.0 as usize].identity);
    let function = |symbol: &cowrap_facts::SymbolId| &file.symbols[symbol.0 as usize].name;
    match identity {
        SlotIdentity::Field { field, .. } => format!(".{field}"),
        SlotIdentity::Global { name, .. } | SlotIdentity::Local { name, .. } => name.clone(),
        SlotIdentity::Parameter { function: of, position } => format!("{}({})", function(of), position + 1),
        SlotIdentity::Result { function: of } => format!("{}()", function(of)),
        SlotIdentity::PointedParameter { slot, position } => format!("{}({})", of(slot), position + 1),
        SlotIdentity::PointedResult { slot } => format!("{}()", of(slot)),
        SlotIdentity::Target(slot) => format!("*{}", of(slot)),
    }
}

/// The models of a set of slots as a test writes them.
fn expected(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let texts = |models: &[&str]| models.iter().map(|model| (*model).to_owned()).collect();
    all.iter().map(|(slot, models)| ((*slot).to_owned(), texts(models))).collect()
}

#[test]
fn a_field_belongs_to_the_nearest_record_with_a_name() {
    let pack = "[[slot]]\nslot = \"sigaction::sa_handler\"\neffect = \"entry\"\n\
                [[slot]]\nslot = \"Ops::run\"\neffect = \"entry\"\n\
                [[slot]]\nslot = \"Ops::deep\"\neffect = \"entry\"\n";
    let source = "#include <signal.h>\n#include \"all.h\"\n\
                  typedef struct { struct { union { void (*deep)(void); int number; }; } inner; } Ops;\n\
                  struct Others { struct Ops { void (*run)(void); void (*stop)(void); } ops; void (*deep)(void); };\n\
                  void f(void); void handle(int signal);\n\
                  void use(struct Others *others, Ops *ops) {\n\
                  struct sigaction action = { .sa_handler = handle };\n\
                  sigaction(1, &action, 0);\n\
                  action.sa_handler = handle;\n\
                  action.sa_restorer = f;\n\
                  others->ops.run = f; others->ops.stop = f; others->deep = f; ops->inner.deep = f; }\n";
    let read = read(&[pack], &[("main.c", source)]);
    let wanted = [(".sa_handler", &["sigaction::sa_handler"][..]), (".run", &["Ops::run"]), (".deep", &["Ops::deep"])];
    let of = |name: &str| read.modelled().get(name).cloned().unwrap_or_default();
    for (name, models) in wanted {
        assert_eq!(of(name), models, "{name}");
    }
    assert_eq!(read.modelled().len(), 3);
}

#[test]
fn parameters_of_any_function_are_told_by_its_name() {
    let pack = "[[slot]]\nslot = \"signal(2)\"\neffect = \"entry\"\n\
                [[slot]]\nslot = \"install(1)\"\neffect = \"entry\"\n\
                [[slot]]\nslot = \"undeclared(1)\"\neffect = \"entry\"\n";
    let source = "#include <signal.h>\n#include \"all.h\"\n\
                  #define CATCH(f) signal(SIGTERM, f)\n\
                  static void install(void (*f)(int), void (*g)(int)) { f(1); g(1); }\n\
                  void handle(int signal);\n\
                  void use(void) { CATCH(handle); install(handle, handle); on(handle); }\n";
    let header = "static inline void on(void (*f)(int)) { f(2); }";
    let read = read(&[pack], &[("main.c", source), ("all.h", header)]);
    assert_eq!(read.modelled(), expected(&[("signal(2)", &["signal(2)"]), ("install(1)", &["install(1)"])]));
}

#[test]
fn everything_that_is_declared_with_a_typedef_is_told_by_it() {
    let pack = "[[slot]]\nslot = \"typedef handler_fn\"\neffect = \"entry\"\n\
                [[slot]]\nslot = \"typedef callback_t\"\neffect = \"mixed\"\n";
    let header = "typedef void handler_fn(int);\n\
                  typedef void (*callback_t)(int);\n\
                  typedef void (*other_t)(int);\n\
                  struct Table { handler_fn *handler; callback_t all[4]; other_t plain; void (*bare)(int); };\n\
                  static inline void set(struct Table *table, handler_fn *one, callback_t two, other_t three) {\n\
                  table->handler = one; table->all[0] = two; table->plain = three; table->bare = one; }";
    let source = "#include \"all.h\"\n\
                  void handle(int);\n\
                  callback_t global = handle; other_t unknown = handle;\n\
                  void use(struct Table *table) { handler_fn *local = handle; callback_t *slot = &global; *slot = local;\n\
                  set(table, local, global, unknown); }\n";
    let read = read(&[pack], &[("main.c", source), ("all.h", header)]);
    let (handler, callback) = (&["typedef handler_fn"][..], &["typedef callback_t"][..]);
    assert_eq!(
        read.modelled(),
        expected(&[
            (".handler", handler),
            (".all", callback),
            ("set(2)", handler),
            ("set(3)", callback),
            ("global", callback),
            ("local", handler),
            ("slot", callback),
            ("*slot", callback),
        ])
    );
}

/// The flags beside each value that is stored into a slot: the slots of their models, with their values.
fn paired(read: &Read) -> BTreeMap<String, Vec<(String, bool)>> {
    let mut found = BTreeMap::new();
    for file in &read.files {
        let stores = file.bodies.iter().flat_map(|body| &body.stores).chain(&file.stores);
        for store in stores.filter(|store| store.to.is_some()) {
            let value = match store.value {
                Value::Function(function) => file.symbols[function.0 as usize].name.clone(),
                Value::Slot(slot) => slot_name(file, &file.slots[slot.0 as usize].identity),
                Value::Address(_) | Value::Unknown => continue,
            };
            let flags = store.paired_flags.iter().map(|flag| (read.model(flag.model), flag.set)).collect();
            found.insert(value, flags);
        }
    }
    found
}

/// A model of a slot with a flag.
fn flagged(slot: &str, flag: &str, constant: &str) -> String {
    format!("[[slot]]\nslot = \"{slot}\"\nflag = \"{flag}\"\nconstant = \"{constant}\"\nunset = \"entry\"\n")
}

#[test]
fn a_flag_can_be_the_call_of_a_function() {
    let source = "#include \"all.h\"\n\
                  typedef struct Context Context; typedef void fn(void);\n\
                  Context *main_context(void); Context *other_context(void);\n\
                  #define MAIN ((void *)main_context())\n\
                  #define ON_MAIN(f) schedule(MAIN, f)\n\
                  void schedule(Context *context, fn *f);\n\
                  fn a, b, c, d, e;\n\
                  void use(Context *context, fn *pointer) {\n\
                  schedule(other_context(), pointer); schedule(main_context(), a); ON_MAIN(b); schedule(other_context(), c); schedule(context, d);\n\
                  schedule(0, e); }\n";
    let pack = flagged("schedule(2)", "schedule(1)", "main_context()");
    let flags = |set| vec![("schedule(2)".to_owned(), set)];
    let found = paired(&read(&[&pack], &[("main.c", source)]));
    assert_eq!([&found["a"], &found["b"]], [&flags(true), &flags(true)]);
    assert_eq!([&found["c"], &found["e"], &found["use(2)"]], [&flags(false), &flags(false), &flags(false)]);
    assert_eq!(found["d"], []);
}

#[test]
fn flags_and_slots_belong_to_the_nearest_record_with_a_name() {
    let source = "#include \"all.h\"\n\
                  typedef void fn(void); fn a, b, c, d, e, f;\n\
                  struct Bh { int flags; union { fn *run; void *data; }; struct { fn *stop; } inner; fn *both; };\n\
                  struct Other { int flags; struct Bh bh; fn *run; };\n\
                  struct Bh one = { .flags = 1, .run = a, .inner.stop = b, .both = c };\n\
                  struct Bh two = { 0, { d }, { e } };\n\
                  struct Other other = { .flags = 1, .run = f };\n";
    let pack = ["run", "stop", "both"]
        .map(|field| format!("[[slot]]\nslot = \"Bh::{field}\"\nflag = \"Bh::flags\"\nunset = \"entry\"\n"));
    let found = paired(&read(&[&pack.concat()], &[("main.c", source)]));
    let flags = |field: &str, set| vec![(format!("Bh::{field}"), set)];
    assert_eq!(
        [&found["a"], &found["b"], &found["c"]],
        [&flags("run", true), &flags("stop", true), &flags("both", true)]
    );
    assert_eq!([&found["d"], &found["e"]], [&flags("run", false), &flags("stop", false)]);
    assert_eq!(found["f"], []);
}

#[test]
fn packs_can_ask_for_different_flags_beside_one_slot() {
    let source = "#include \"all.h\"\n\
                  typedef void fn(void); fn a; enum { FAST = 1, SLOW = 2 };\n\
                  void schedule(int how, fn *f);\n\
                  void use(void) { schedule(SLOW, a); }\n";
    let packs = ["FAST", "SLOW"].map(|constant| flagged("schedule(2)", "schedule(1)", constant));
    let found = paired(&read(&packs.each_ref().map(String::as_str), &[("main.c", source)]));
    assert_eq!(found["a"], [("schedule(2)".to_owned(), false), ("schedule(2)".to_owned(), true)]);
    // What both say is one model.
    let found = paired(&read(&[&packs[0], &packs[0]], &[("main.c", source)]));
    assert_eq!(found["a"], [("schedule(2)".to_owned(), false)]);
}

/// The names of the functions with statement marks, with these and the lines of these.
fn statement_marks(read: &Read) -> BTreeMap<String, Vec<(String, u32)>> {
    let mut found: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
    for file in &read.files {
        for declaration in file.declarations.iter().filter(|declaration| !declaration.marks.is_empty()) {
            let marks = declaration.marks.iter();
            let marks =
                marks.map(|mark| (read.packs.first().mark(mark.mark).name.clone(), mark.location.line)).collect();
            let name = file.symbols[declaration.symbol.0 as usize].name.clone();
            assert!(declaration.definition && found.insert(name, marks).is_none());
        }
    }
    found
}

const STATEMENTS: &str = "[[mark]]\nname = \"IO_CODE\"\neffect = \"mixed\"\nstatement = true\n\
                          [[mark]]\nname = \"MAY_SLEEP\"\neffect = \"outside-only\"\nstatement = true\n";

/// Reads functions with a definition of `IO_CODE`, and gives those with marks.
fn with_definition(definition: &str, functions: &str) -> BTreeMap<String, Vec<(String, u32)>> {
    let header = format!(
        "{definition}\n#define OTHER() (void)0\n#define FOR(x) for (; x; )\nint g(int x);\n\
         static inline int in_header(void) {{ IO_CODE(); return 1; }}\n"
    );
    let source = format!("#include \"all.h\"\n{functions}");
    statement_marks(&read(&[STATEMENTS], &[("all.h", &header), ("main.c", &source)]))
}

/// What a macro can expand to.
const DEFINITIONS: [&str; 8] = [
    "#define IO_CODE(...)",
    "#define IO_CODE(...) ;",
    "#define IO_CODE(...) do { } while (0)",
    "#define IO_CODE(...) ((void)0)",
    "#define IO_CODE(...) _Static_assert(1, \"\")",
    "#define IO_CODE(...) extern int some_variable",
    "void is_io(void);\n#define IO_CODE(...) is_io()",
    "void io_code(int x);\n#define IO_CODE(...) { if (g(1)) { io_code(2); } }",
];

#[test]
fn a_statement_marks_its_function_whatever_its_macro_expands_to() {
    let functions = r#"void first(void) { IO_CODE(); g(1); } // line 2
void later(int x) {
    int y = x;
    g(y); /* IO_CODE(); */
    IO_CODE(x, g(")")); MAY_SLEEP; // line 6
}
void labelled(int x) {
    if (x) goto out; if (x) { g(1); }
    IO_CODE ( ) ; out: MAY_SLEEP; } // line 10
void object(void) { int x = 1;
    /* ; */ MAY_SLEEP // line 12;
    ; g(x); }
void conditional(void) {
#if 1
    IO_CODE(); // line 16
#else
    MAY_SLEEP;
#endif
}
"#;
    for definition in DEFINITIONS {
        let found = with_definition(definition, functions);
        let of = |name: &str| -> Vec<(&str, u32)> {
            found[name].iter().map(|(mark, line)| (mark.as_str(), *line)).collect()
        };
        assert_eq!(of("first"), [("IO_CODE", 2)], "{definition}");
        assert_eq!(of("later"), [("IO_CODE", 6), ("MAY_SLEEP", 6)], "{definition}");
        assert_eq!(of("labelled"), [("IO_CODE", 10), ("MAY_SLEEP", 10)], "{definition}");
        assert_eq!(of("object"), [("MAY_SLEEP", 12)], "{definition}");
        assert_eq!(of("conditional"), [("IO_CODE", 16)], "{definition}");
        assert_eq!(found["in_header"][0].0, "IO_CODE", "{definition}");
        assert_eq!(found.len(), 6, "{definition}: {found:?}");
    }
}

#[test]
fn no_other_use_of_its_name_marks_a_function() {
    let functions = r#"void nested(int x) { { IO_CODE(); } if (x) { IO_CODE(); } while (x) { IO_CODE(); } g(x); }
void text(void) { const char *s = "IO_CODE();"; /* IO_CODE(); */ ; // IO_CODE();
    ; (void)s; }
void other(void) { OTHER(); ; g(1); }
void left_out(void) {
#if 0
    IO_CODE();
#endif
    ;
#ifdef NEVER
    MAY_SLEEP;
#endif
}
void block(void) { void (^b)(void) = ^{ IO_CODE(); MAY_SLEEP; }; b(); }
"#;
    let dangling = r#"void dangling(int x) {
    if (x) IO_CODE(); else MAY_SLEEP;
    while (x) IO_CODE();
    do IO_CODE(); while (x);
    FOR(x) IO_CODE();
    switch (x) { case 1: IO_CODE(); }
}
"#;
    for definition in DEFINITIONS {
        // Not everything can stand there.
        let can_dangle = !["_Static_assert", "extern", ") ;", "{ if"].iter().any(|other| definition.contains(other));
        let functions = if can_dangle { [functions, dangling].concat() } else { functions.to_owned() };
        let found = with_definition(definition, &functions);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["in_header"], "{definition}");
    }
    let function = "static inline void IO_CODE(void) { }";
    let found = with_definition(function, "void calls(void) { IO_CODE(); MAY_SLEEP; }\n");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("calls".to_owned(), vec![("MAY_SLEEP".to_owned(), 2)])]);
}

/// The contexts in which each function is called in a body, as a pack reads it, by name; and the context that it
/// asserts.
fn calls(read: &Read, function: &str, reading: u16) -> (Vec<(String, String)>, Option<Context>) {
    let bodies = read.files.iter().flat_map(|file| file.bodies.iter().map(move |body| (file, body)));
    let named = |(file, body): &(&FileFacts, &Body)| file.symbols[body.symbol.0 as usize].name == function;
    let (file, body) = bodies.into_iter().find(named).expect("a body");
    let other = body.readings.iter().find(|other| other.reading == ReadingId(reading));
    let body = other.map_or(body, |other| &other.body);
    let contexts = |call: &cowrap_facts::Call| match (call.condition.contexts(), call.kind) {
        (ContextSet::EMPTY, _) => "never",
        (_, CallKind::Region) => "elsewhere",
        (ContextSet::INSIDE, _) => "inside",
        (ContextSet::OUTSIDE, _) => "outside",
        _ => "both",
    };
    let name = |call: &cowrap_facts::Call| file.symbols[call.callee.0 as usize].name.clone();
    let calls = body.calls.iter().map(|call| (name(call), contexts(call).to_owned())).collect();
    (calls, body.assertion.map(|assertion| assertion.context))
}

/// Functions whose bodies two packs read in different ways, in a header and in a source.
const READINGS: [(&str, &str); 2] = [
    (
        "all.h",
        "_Bool in_coroutine(void); _Bool in_handler(void); void die(void); void f(void); void g(void);\n\
         #define in_irq() (some_flag & 1)\n\
         #define RUN_ELSEWHERE(x) do { x; } while (0)\n\
         extern int some_flag; void abort(void) __attribute__((noreturn));\n\
         static inline void branches(void) { if (in_coroutine()) f(); else if (in_handler()) g(); else abort(); }\n\
         static inline void neither(void) { f(); g(); }",
    ),
    (
        "main.c",
        "#include \"all.h\"\n\
         void ends(int x) { if (x) { die(); f(); } g(); }\n\
         void of_macro(void) { if (in_irq()) f(); else g(); }\n\
         void region(void) { RUN_ELSEWHERE(f()); g(); }\n\
         void asserts(void) { if (!in_handler()) abort(); g(); }\n\
         void in_block(void) { void (^b)(void) = ^{ if (in_handler()) f(); }; b(); }\n\
         void stores(void (*pointer)(void)) { if (in_handler()) pointer = f; branches(); pointer(); }\n",
    ),
];

#[test]
fn each_pack_reads_a_body_with_its_own_names() {
    let first = "predicates = [\"in_coroutine\"]\nregions = [\"RUN_ELSEWHERE\"]\n";
    let second = "predicates = [\"!in_handler\", \"in_irq\"]\nnoreturn = [\"die\"]\n";
    let read = read(&[first, second, first], &READINGS);
    let of = |function, reading| {
        let (calls, asserted) = calls(&read, function, reading);
        let calls: Vec<String> = calls.iter().map(|(name, contexts)| format!("{name} {contexts}")).collect();
        (calls.join(", "), asserted)
    };
    let plain = |text: &str| (text.to_owned(), None);
    let branches = "in_coroutine both, f inside, in_handler outside, g outside, abort outside";
    assert_eq!(of("branches", 0), plain(branches));
    let branches = "in_coroutine both, f both, in_handler both, g outside, abort inside";
    assert_eq!(of("branches", 1), plain(branches));
    assert_eq!(of("ends", 0), plain("die both, f both, g both"));
    assert_eq!(of("ends", 1), plain("die both, f never, g both"));
    assert_eq!(of("of_macro", 0), plain("f both, g both"));
    assert_eq!(of("of_macro", 1), plain("f inside, g outside"));
    assert_eq!(of("region", 0), plain("f elsewhere, g both"));
    assert_eq!(of("region", 1), plain("f both, g both"));
    assert_eq!(of("asserts", 0), plain("in_handler both, abort both, g both"));
    let (calls, asserted) = of("asserts", 1);
    assert_eq!((calls.as_str(), asserted), ("in_handler both, abort inside, g outside", Some(Context::Outside)));
    assert_eq!(of("in_block/block 1", 0), plain("in_handler both, f both"));
    assert_eq!(of("in_block/block 1", 1), plain("in_handler both, f outside"));
}

#[test]
fn what_no_pack_says_anything_of_is_read_once() {
    let second = "predicates = [\"!in_handler\"]\nnoreturn = [\"die\"]\n";
    let read = read(&["predicates = [\"in_coroutine\"]\n", second, ""], &READINGS);
    let mut readings: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    let mut stored = 0;
    for file in &read.files {
        for body in &file.bodies {
            let numbers = body.readings.iter().map(|other| other.reading.0).collect();
            assert!(readings.insert(&file.symbols[body.symbol.0 as usize].name, numbers).is_none());
            assert!(body.readings.iter().all(|other| other.body.stores.is_empty() && other.body.readings.is_empty()));
            let is_f = |value: Value| matches!(value, Value::Function(f) if file.symbols[f.0 as usize].name == "f");
            stored += body.stores.iter().filter(|store| store.to.is_some() && is_f(store.value)).count();
        }
    }
    let expected: [(&str, &[u16]); 8] = [
        ("asserts", &[1]),
        ("branches", &[1, 2]),
        ("ends", &[1]),
        ("in_block", &[]),
        ("in_block/block 1", &[1]),
        ("neither", &[]),
        ("of_macro", &[]),
        ("region", &[]),
    ];
    for (function, numbers) in expected {
        assert_eq!(readings[function], numbers, "{function}");
    }
    assert_eq!(stored, 1);
}
