//! Reading an edited unit on top of its precompiled preamble changes no facts.
//!
//! Each case is a tree with one unit, which is read, edited, and read again.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, ON_DISK, Tree};
use cowrap_base::limits::Limits;
use cowrap_facts::UnitFacts;
use cowrap_frontend::clang::UnsavedFile;
use cowrap_frontend::compdb::{self, Unit};
use cowrap_frontend::extract::PchMismatch;
use cowrap_frontend::index::Indexer;
use cowrap_frontend::marks::make_visible;
use cowrap_frontend::preamble::{PreambleStats, Preambles, Unfit};
use cowrap_frontend::sources::LookedFor;
use cowrap_frontend::unit_reader::UnitOutcome;
use cowrap_frontend::worker::{Isolation, StartingWorkers, Workers};
use cowrap_packs::{Pack, PackSet};
use cowrap_session::{mark_headers, vocabulary};

/// A tree with one unit, and a cache.
struct Case {
    scratch: tempfile::TempDir,
    root: PathBuf,
    flags: Vec<String>,
    of_any_length: bool,
    /// Whether files count as written during the run.
    is_young: bool,
    /// Changes with each edit, so that no two texts are the same.
    edits: Cell<u32>,
}

/// The marks that the pack asks for.
const BASE: &str = "#pragma once\n#define coroutine_fn\n#define no_coroutine_fn\n#define coroutine_mixed_fn\n\
    _Bool qemu_in_coroutine(void);\nvoid coroutine_fn drain(void);\nvoid block(void);\n\
    typedef void Handler(void *opaque);\nstruct Ops { Handler *plain; };\n";

fn packs() -> &'static PackSet {
    static PACKS: OnceLock<PackSet> = OnceLock::new();
    PACKS.get_or_init(|| PackSet::new(Pack::qemu().expect("it is compiled in"), Vec::new()))
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Case {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("tree");
        std::fs::create_dir(&root).unwrap();
        let case = Case { scratch, root, flags: Vec::new(), of_any_length: true, is_young: false, edits: Cell::new(0) };
        case.write("include/qemu/coroutine.h", BASE);
        files.iter().for_each(|(path, text)| case.write(path, text));
        case.settle();
        case
    }

    fn with_flags(self, flags: &[&str]) -> Case {
        Case { flags: flags.iter().map(|flag| (*flag).to_owned()).collect(), ..self }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Waits until nothing was written just now.
    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(50));
    }

    /// Adds a function at the end of the unit.
    fn edit(&self) {
        self.edits.set(self.edits.get() + 1);
        let text = std::fs::read_to_string(self.root.join("a.c")).unwrap();
        self.write(
            "a.c",
            &format!("{text}static void edit{0}(void) {{}}\nvoid also{0}(void) {{ edit{0}(); }}\n", self.edits.get()),
        );
    }

    fn unit(&self) -> Unit {
        let flags: Vec<OsString> =
            ["-Iinclude", "-I."].into_iter().chain(self.flags.iter().map(String::as_str)).map(OsString::from).collect();
        compdb::single(Path::new("a.c"), &self.root, &flags).unwrap()
    }

    fn cache(&self) -> PathBuf {
        self.scratch.path().join("cache")
    }

    /// Reads the unit plainly, and as a run with the cache does; compares both.
    fn read(&self) -> PreambleStats {
        let tree = Tree { root: self.root.clone(), build: None };
        let visible = make_visible(&self.root, &mark_headers(packs()), &HashMap::new());
        let workers = Workers::start(&Isolation::InProcess, &Limits::default()).and_then(StartingWorkers::ready);
        let vocabulary = vocabulary(packs().packs()).0;
        let indexer = Indexer::new(workers.expect("libclang"), vocabulary, visible.headers, tree, 2).expect("workers");
        let read = |preambles: Option<&Preambles<'_>>| -> Result<(UnitFacts, LookedFor), String> {
            let mut read = Vec::new();
            let started = SystemTime::now() - if self.is_young { Duration::from_secs(60) } else { Duration::ZERO };
            let sources = indexer.sources(&ON_DISK, started);
            indexer.run(&[self.unit()], &sources, None, preambles, |_, outcome| read.push(outcome));
            match read.pop() {
                Some(UnitOutcome::Read(facts)) => {
                    let files: Vec<PathBuf> = facts.files.iter().map(|file| self.root.join(file)).collect();
                    Ok((*facts, sources.looked_for(&self.unit(), &files).unwrap_or_default()))
                }
                Some(UnitOutcome::Failed(failure)) => Err(failure.to_string()),
                None => panic!("no result"),
            }
        };
        let cache = Cache::open(&self.cache(), 1 << 30).expect("a cache");
        let preambles = Preambles::new(&cache, Digest::of(b"all"));
        let preambles = if self.of_any_length { preambles.of_any_length() } else { preambles };
        match (read(None), read(Some(&preambles))) {
            (Ok((plain, looked_for)), Ok((facts, also_looked_for))) => {
                assert_eq!(plain, facts, "plain, and with a preamble");
                let missing = |plain: Vec<PathBuf>, other: Vec<PathBuf>| -> Vec<PathBuf> {
                    plain.into_iter().filter(|path| !other.contains(path)).collect()
                };
                assert_eq!(missing(looked_for.absent, also_looked_for.absent), Vec::<PathBuf>::new());
                assert_eq!(missing(looked_for.links, also_looked_for.links), Vec::<PathBuf>::new());
            }
            (plain, other) => assert_eq!(plain, other),
        }
        cache.flush().expect("it can be written");
        preambles.stats()
    }

    /// Makes a preamble, edits the unit with a function, and reads it on top of the preamble.
    fn hits(self) {
        assert_eq!(self.read(), made(), "the first run");
        self.edit();
        assert_eq!(self.read(), used(), "after an edit");
    }

    /// Makes a preamble, and adds a text that makes it unfit.
    fn misses(self, added: &str, unfit: Unfit) {
        assert_eq!(self.read(), made(), "the first run");
        self.edit();
        let text = std::fs::read_to_string(self.root.join("a.c")).unwrap();
        self.write("a.c", &format!("{text}{added}\n"));
        assert_eq!(self.read(), refused(unfit), "after an edit");
    }

    /// No preamble can be made.
    fn refuses(self, unfit: Unfit) {
        assert_eq!(self.read(), refused(unfit));
    }

    /// The precompiled headers in the cache.
    fn headers(&self) -> Vec<PathBuf> {
        let mut open = vec![self.cache()];
        let mut found = Vec::new();
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => open.push(path),
                    false => found.extend(Some(path).filter(|path| path.extension().is_some_and(|end| end == "pch"))),
                }
            }
        }
        found
    }
}

fn made() -> PreambleStats {
    PreambleStats { made: 1, ..PreambleStats::default() }
}

fn used() -> PreambleStats {
    PreambleStats { used: 1, ..PreambleStats::default() }
}

fn refused(unfit: Unfit) -> PreambleStats {
    PreambleStats { unfit: [(unfit, 1)].into(), ..PreambleStats::default() }
}

/// A header with a bit of everything.
const RICH: &str = "#ifndef RICH_H\n#define RICH_H\n#include \"qemu/coroutine.h\"\n#define CALL(f) do { f(); } while (0)\n\
    #define COUNTED_(n) void counted##n(void)\n#define COUNTED__(n) COUNTED_(n)\n#define COUNTED COUNTED__(__COUNTER__)\n\
    COUNTED;\nvoid coroutine_fn co(void);\nvoid plain(void);\nstatic inline void helper(void) { block(); }\n\
    static inline void coroutine_fn co_helper(void) { drain(); helper(); }\nextern struct Ops *ops;\n\
    extern const int limit;\nstruct Later;\nvoid later(struct Later *l);\nvoid weakly(void);\n\
    void weakly(void) __attribute__((weak));\n#pragma pack(push, 1)\nstruct Packed { char a; int b; };\n\
    #pragma pack(pop)\n#endif\n";

#[test]
fn an_edited_unit_is_read_on_top_of_its_preamble() {
    let text = "/* A unit. */\n#include \"rich.h\"\n#ifdef NONE\n#include \"none.h\"\n#endif\n#define NAME run\n\
        #include \"qemu/coroutine.h\"\n\nvoid coroutine_fn NAME(void);\n\
        void coroutine_fn NAME(void) { CALL(co_helper); helper(); CALL(block); }\n\
        void weakly(void) {}\nstatic void handler(void *opaque) { helper(); }\nstatic struct Ops own = { .plain = handler };\n\
        struct Other { int x; };\nvoid use(void) { counted0(); ops = &own; if (limit) { block(); } }\n\
        #include \"rich.h\"\n#include \"qemu/coroutine.h\"\nvoid counted0(void) { block(); }\n";
    Case::new(&[("include/rich.h", RICH), ("a.c", text)]).hits();
}

#[test]
fn what_counts_is_parsed_plainly() {
    let case = || Case::new(&[("include/rich.h", RICH), ("a.c", "#include \"rich.h\"\nint x;\n")]);
    case().misses("COUNTED;", Unfit::Counted);
    case().misses("enum E { ONE = __COUNTER__ };", Unfit::Counted);
    let counting = case();
    counting.write("include/counting.h", "enum E { ONE = __COUNTER__ };\n");
    counting.misses("#include \"counting.h\"", Unfit::Counted);
    let case = Case::new(&[("include/rich.h", RICH), ("a.c", "#include \"rich.h\"\nCOUNTED;\n")]);
    assert_eq!(case.read(), refused(Unfit::Counted));
    assert_eq!(case.headers(), Vec::<PathBuf>::new());
    case.edit();
    assert_eq!(case.read(), refused(Unfit::KnownUnfit));
}

#[test]
fn a_preamble_is_used_again_and_again() {
    let case = Case::new(&[("include/rich.h", RICH), ("a.c", "#include \"rich.h\"\nvoid f(void) { helper(); }\n")]);
    assert_eq!(case.read(), made());
    for _ in 0..3 {
        case.edit();
        assert_eq!(case.read(), used());
    }
    // The same content with another time, as after a checkout.
    case.write("include/rich.h", RICH);
    case.settle();
    assert_eq!(case.read(), used());
}

#[test]
fn headers_behind_the_preamble_are_read_each_time() {
    let text = "#include \"rich.h\"\nint x;\n#define ITEM(n) void n(void) { block(); }\n#include \"items.h\"\n";
    let case = Case::new(&[("include/rich.h", RICH), ("include/items.h", "ITEM(one)\n"), ("a.c", text)]);
    assert_eq!(case.read(), made());
    case.write("include/items.h", "ITEM(one)\nITEM(two)\n");
    assert_eq!(case.read(), used());
}

#[test]
fn a_text_without_a_preamble_is_parsed_plainly() {
    Case::new(&[("a.c", "int x;\n#include \"qemu/coroutine.h\"\n")]).refuses(Unfit::NoPreamble);
    Case::new(&[("a.c", "#ifndef A\n#include \"qemu/coroutine.h\"\nint x;\n#endif\n")]).refuses(Unfit::NoPreamble);
    let case = Case::new(&[("a.c", "#include \"qemu/coroutine.h\"\n")]);
    Case { of_any_length: false, ..case }.refuses(Unfit::Short);
}

#[test]
fn arguments_that_include_files_are_refused() {
    let case = || Case::new(&[("include/rich.h", RICH), ("a.c", "#include \"rich.h\"\n")]);
    case().with_flags(&["-include", "rich.h"]).refuses(Unfit::Arguments);
    case().with_flags(&["-imacros", "rich.h"]).refuses(Unfit::Arguments);
    case().with_flags(&["-nostdinc"]).refuses(Unfit::UnknownSearchPath);
    case().with_flags(&["-DX=1", "-isystem", "include"]).hits();
}

#[test]
fn errors_are_those_of_a_plain_parse() {
    Case::new(&[("include/e.h", "int 1;\n"), ("a.c", "#include \"e.h\"\n")]).refuses(Unfit::Errors);
    let case = || Case::new(&[("include/rich.h", RICH), ("a.c", "#include \"rich.h\"\n")]);
    case().misses("int 1;", Unfit::Errors);
    case().misses("#include \"none.h\"", Unfit::Errors);
}

#[test]
fn a_unit_that_includes_itself_is_refused() {
    let text = "#ifndef AGAIN\n#define AGAIN\n#include \"a.c\"\n#endif\n#include \"qemu/coroutine.h\"\nint x;\n";
    Case::new(&[("a.c", text)]).refuses(Unfit::IncludesUnit);
    let header = "#ifndef H\n#define H\n#include \"../a.c\"\n#endif\n";
    Case::new(&[("include/h.h", header), ("a.c", "#include \"h.h\"\nint x;\n")]).refuses(Unfit::IncludesUnit);
}

#[test]
fn a_state_of_the_compiler_that_lasts_is_refused() {
    for header in ["#pragma pack(1)\n", "#pragma GCC visibility push(hidden)\n", "#pragma push_macro(\"X\")\n"] {
        let case = Case::new(&[("include/h.h", header), ("a.c", "#include \"h.h\"\nstruct S { char a; int b; };\n")]);
        let file = case.root.join("include/h.h");
        case.refuses(Unfit::CompilerState { file });
    }
    // A declaration that ends in the unit.
    let case = Case::new(&[("include/h.h", "struct Open {\n"), ("a.c", "#include \"h.h\"\nint x; };\n")]);
    case.refuses(Unfit::Errors);
    for header in ["#pragma once\n", "#pragma GCC diagnostic ignored \"-Wall\"\n", "#pragma GCC poison bad\n"] {
        Case::new(&[("include/h.h", header), ("a.c", "#include \"h.h\"\nint x;\n#include \"h.h\"\n")]).hits();
    }
}

#[test]
fn a_header_that_was_just_written_is_refused() {
    let case = Case::new(&[("include/h.h", "int h;\n"), ("a.c", "#include \"h.h\"\nint x;\n")]);
    let case = Case { is_young: true, ..case };
    let file = case.root.join("include/h.h");
    case.refuses(Unfit::Changed { file });
}

#[test]
fn what_must_not_be_read_is_not_read() {
    let case = Case::new(&[("include/rich.h", RICH), ("a.c", "#include \"rich.h\"\n")]);
    std::os::unix::fs::symlink("/dev/zero", case.root.join("include/zero.h")).unwrap();
    case.misses("#include \"zero.h\"", Unfit::Refused);
}

#[test]
fn what_follows_a_preamble_may_change_what_its_headers_mean() {
    let case = |header: &str| {
        let header = format!("#include \"qemu/coroutine.h\"\n{header}\n");
        Case::new(&[("include/h.h", &header), ("a.c", "#include \"h.h\"\n")])
    };
    let declared = Unfit::Mismatch(PchMismatch::DeclaredLater);
    case("static void f(void);\nstatic inline void g(void) { f(); }")
        .misses("static void f(void) {}", Unfit::Mismatch(PchMismatch::StaticElsewhere));
    case("static inline void f(void);")
        .misses("static inline void g(void) {}\nvoid f(void) {}", Unfit::Mismatch(PchMismatch::StaticElsewhere));
    case("#ifdef AGAIN\nvoid again(void) { block(); }\n#endif")
        .misses("#define AGAIN\n#include \"h.h\"", Unfit::Mismatch(PchMismatch::ReadAgain));
    let join = "struct A;\nstruct B { Handler *handler; };\nextern struct A *a;\nextern struct B *b;\n\
        static inline void join(void) { a = (struct A *)b; }";
    case(join).misses("struct A { Handler *handler; };", declared.clone());
    case(join).misses("struct Around { struct A { Handler *handler; } inner; };", declared.clone());
    case(join).misses("typedef struct A { Handler *handler; } A;", declared.clone());
    case("extern const int limit;\nstatic inline void f(void) { if (limit) { block(); } }")
        .misses("const int limit = 0;", Unfit::Mismatch(PchMismatch::ConstantDefined));
    case("void chosen(void) __attribute__((ifunc(\"resolver\")));")
        .misses("static void *resolver(void) { return block; }", declared);
}

#[test]
fn what_follows_a_preamble_may_be_anything_else() {
    let case = |header: &str, added: &str| {
        let header = format!("#include \"qemu/coroutine.h\"\n{header}\n");
        let case = Case::new(&[("include/h.h", &header), ("a.c", "#include \"h.h\"\nint own;\n")]);
        assert_eq!(case.read(), made());
        let text = std::fs::read_to_string(case.root.join("a.c")).unwrap();
        case.write("a.c", &format!("{text}{added}\n"));
        assert_eq!(case.read(), used(), "{added}");
    };
    let join = "struct A;\nstruct B { Handler *handler; };\nextern struct A *a;\nextern struct B *b;\n\
        static inline void join(void) { a = (struct A *)b; }";
    case(join, "struct A;\nvoid f(struct A *a) { join(); }");
    case(join, "struct C { Handler *handler; };\nvoid f(struct C *c) { b = (struct B *)c; }");
    case("static void f(void) { block(); }", "static void g(void) { f(); }\nvoid h(void) { g(); }");
    case("void f(void);", "void f(void) { block(); }");
    case("extern const int limit;", "void f(void) { if (limit) { block(); } }");
    case(
        "#pragma once\n#define AGAIN 1\nenum E { ONE, TWO };",
        "#include \"h.h\"\nvoid f(int x) { if (x == TWO) { block(); } }",
    );
    case("void coroutine_fn f(void);", "void coroutine_fn f(void) { drain(); }");
    case("typedef void coroutine_fn CoFn(void);", "CoFn f;\nvoid f(void) { drain(); }");
    case("int x;\nint y = 1;\nextern int z[];", "int x = 2;\nextern int y;\nint z[3];");
    case("union U { Handler *one; Handler *two; };", "void f(union U *u, Handler *h) { u->one = h; }");
}

#[test]
fn a_changed_header_makes_a_new_preamble() {
    let case = Case::new(&[("include/h.h", "int h;\n"), ("a.c", "#include \"h.h\"\nint x;\n")]);
    assert_eq!(case.read(), made());
    case.write("include/h.h", "void h(void);\n");
    case.settle();
    case.edit();
    assert_eq!(case.read(), made());
    case.edit();
    assert_eq!(case.read(), used());
    // A comment moves code, too.
    case.write("include/h.h", "/* */ void h(void);\n");
    case.settle();
    assert_eq!(case.read(), made());
    assert_eq!(case.headers().len(), 1);
}

#[test]
fn a_header_that_appears_makes_a_new_preamble() {
    let case = Case::new(&[("include/h.h", "int h;\n"), ("a.c", "#include <h.h>\nint x;\n")])
        .with_flags(&["-isystem", "more"]);
    std::fs::create_dir(case.root.join("early")).unwrap();
    let case = Case { flags: vec!["-iquote".into(), "early".into()], ..case };
    case.write("a.c", "#include \"h.h\"\nint x;\n");
    assert_eq!(case.read(), made());
    case.write("early/h.h", "void h(void);\n");
    case.settle();
    assert_eq!(case.read(), made());
    // So does one where another link leads.
    std::fs::create_dir(case.root.join("links")).unwrap();
    case.write("other/h.h", "int h;\n");
    std::os::unix::fs::symlink(case.root.join("early/h.h"), case.root.join("links/l.h")).unwrap();
    case.write("a.c", "#include \"links/l.h\"\nint x;\n");
    case.settle();
    assert_eq!(case.read(), made());
    std::fs::remove_file(case.root.join("links/l.h")).unwrap();
    std::os::unix::fs::symlink(case.root.join("other/h.h"), case.root.join("links/l.h")).unwrap();
    case.settle();
    assert_eq!(case.read(), made());
}

#[test]
fn a_unit_has_one_preamble_in_the_cache() {
    let case = Case::new(&[("include/h.h", "int h;\n"), ("a.c", "#include \"h.h\"\nint x;\n")]);
    assert_eq!(case.read(), made());
    case.write("a.c", "#include \"qemu/coroutine.h\"\n#include \"h.h\"\nint x;\n");
    assert_eq!(case.read(), made());
    assert_eq!(case.headers().len(), 1);
    // Other arguments make another unit.
    let mut case = case;
    for number in 0..20 {
        case.flags = vec![format!("-DX={number}")];
        assert_eq!(case.read(), made());
    }
    assert_eq!(case.headers().len(), 12);
}

#[test]
fn damage_costs_time_only() {
    let case = Case::new(&[("include/h.h", "int h;\n"), ("a.c", "#include \"h.h\"\nint x;\n")]);
    assert_eq!(case.read(), made());
    let header = case.headers().pop().unwrap();
    std::fs::write(&header, "no precompiled header").unwrap();
    case.edit();
    assert_eq!(case.read(), made());
    case.edit();
    assert_eq!(case.read(), used());
    std::fs::remove_file(case.headers().pop().unwrap()).unwrap();
    case.edit();
    assert_eq!(case.read(), made());
}

/// Edits units of a real tree, each as often as its preamble is made, used, and compared with a plain parse:
/// `COWRAP_TREE` has the tree's root, with `build/compile_commands.json`, and `COWRAP_UNITS` how many units.
#[test]
#[ignore = "needs a real tree"]
fn units_of_a_real_tree_have_the_facts_of_a_plain_parse() {
    let (Some(root), count) = (std::env::var_os("COWRAP_TREE"), std::env::var("COWRAP_UNITS")) else { return };
    let count: usize = count.ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let root = PathBuf::from(root).canonicalize().expect("the tree is there");
    let units = compdb::read(&root.join("build/compile_commands.json"), usize::MAX).expect("a database").units;
    let tree = Tree { root: root.clone(), build: Some(root.join("build")) };
    let visible = make_visible(&root, &mark_headers(packs()), &HashMap::new()).headers;
    let workers = Workers::start(&Isolation::InProcess, &Limits::default()).and_then(StartingWorkers::ready);
    let vocabulary = vocabulary(packs().packs()).0;
    let mut indexer = Indexer::new(workers.expect("libclang"), vocabulary, visible.clone(), tree, 2).expect("workers");
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (mut unfit, mut used, mut made) = (BTreeMap::new(), 0, 0);
    for unit in units.iter().step_by(units.len().div_ceil(count)) {
        let Ok(text) = std::fs::read(&unit.file) else { continue };
        for edit in 0..3 {
            let added = format!(
                "\nstatic void cowrap_edit{edit}(void) {{}}\nvoid cowrap_also{edit}(void) {{ cowrap_edit{edit}(); }}\n"
            );
            let text = [&text, added.as_bytes()].concat();
            let edited = UnsavedFile::new(unit.file.clone(), text.clone()).expect("no NUL");
            indexer.set_texts(visible.iter().cloned().chain([edited]).collect()).expect("texts");
            let read = |preambles: Option<&Preambles<'_>>| {
                let mut read = Vec::new();
                let sources = indexer.sources(&ON_DISK, SystemTime::now());
                indexer.run(std::slice::from_ref(unit), &sources, None, preambles, |_, outcome| read.push(outcome));
                match read.pop() {
                    Some(UnitOutcome::Read(facts)) => Some(*facts),
                    _ => None,
                }
            };
            let cache = Cache::open(scratch.path(), 1 << 30).expect("a cache");
            let preambles = Preambles::new(&cache, Digest::of(b"all"));
            assert_eq!(read(None), read(Some(&preambles)), "{}", unit.file.display());
            cache.flush().expect("it can be written");
            let stats = preambles.stats();
            (used, made) = (used + stats.used, made + stats.made);
            for (reason, times) in stats.unfit {
                *unfit.entry(reason).or_insert(0) += times;
                eprintln!("{}: {:?}", unit.file.display(), unfit);
            }
        }
    }
    eprintln!("made {made}, used {used}, unfit {unfit:?}");
}
