//! What the front end takes out of a tree for packs of any code base: readings, statement marks, slot models. Each tree
//! is read with precompiled header sharing, too, and the facts must be the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sharing::{compare_with, weight};
use cowrap_facts::{FileFacts, SlotIdentity, SlotModelId};
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
        write("pack.toml", &format!("name = \"p{number}\"\n{PACK}{text}"));
        Pack::read(&root.join("pack.toml")).expect("a pack")
    };
    let mut packs = packs.iter().enumerate().map(pack);
    let packs = PackSet::new(packs.next().expect("a pack"), packs.collect());
    write("mark.h", "#define SOME_MARK\n");
    write("weight1.h", &weight(1));
    let mut units = vec!["unit1.c", "unit2.c"];
    for unit in &units {
        write(unit, "#include \"all.h\"\n");
    }
    for (path, text) in files {
        write(path, &text);
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
