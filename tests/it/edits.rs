//! Random sequences of edits: after each of them, a check with the cache reports what a check without any reports, byte
//! for byte, and the program is the same byte for byte.
//!
//! `COWRAP_EDIT_CASES` is the number of sequences; CI runs few of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use cowrap_base::cache::CacheLocation;
use cowrap_report::Report;
use cowrap_report::render::{Format, Style, render};
use cowrap_session::live::{Analysis, LiveState, LiveTree, Observer};
use cowrap_session::{Input, Progress, Request, SharingRequest};

/// How many functions there are to declare, define and call.
const FUNCTIONS: usize = 5;

/// How many headers declare them.
const HEADERS: usize = 3;

/// A state of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    /// The units, by their names. They are in this order in the database.
    units: BTreeMap<String, Unit>,
    headers: [Header; HEADERS],
    /// What a file that is included in the middle of bodies says.
    fragment: usize,
    /// Whether the settings make a rule a warning.
    settings: bool,
    /// Whether a pack that extends QEMU's is in use.
    pack: bool,
    /// Whether all units have one more flag.
    flag: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unit {
    pieces: Vec<Piece>,
    /// Whether it is compiled with another definition, too.
    twice: bool,
    flag: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Header {
    /// The marks of the functions that it declares.
    marks: [usize; FUNCTIONS],
    has_inline: bool,
    /// The mark of the member of its record.
    slot: usize,
    comment: usize,
    /// Whether another header of the same name comes first on the search path.
    is_shadowed: bool,
    is_link: bool,
    is_gone: bool,
}

/// Something that a unit says. The numbers choose functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Call(usize),
    CallInside(usize),
    Guarded(usize, usize),
    Define(usize, usize),
    DefineWeak(usize),
    Alias(usize, usize),
    Helper(usize),
    Store(usize, usize),
    CallSlot(usize),
    CopySlot(usize, usize),
    Pass(usize),
    Apply,
    TakeFlag(usize, usize),
    GiveFlag(bool),
    PassFlag,
    Declare(usize, usize),
    Local(usize),
    Assert(usize),
    Locked,
    Fragment,
    Conditional(usize),
    Suppressed(usize),
    Comment(usize),
    Error,
    Ends(usize),
}

#[derive(Clone, Debug)]
enum Edit {
    AddUnit(Vec<Piece>),
    RemoveUnit(Index),
    RenameUnit(Index),
    AddPiece(Index, Index, Piece),
    RemovePiece(Index, Index),
    Twice(Index),
    UnitFlag(Index),
    Mark(usize, usize, usize),
    Inline(usize),
    Slot(usize, usize),
    HeaderComment(usize, usize),
    Shadow(usize),
    Link(usize),
    Gone(usize),
    Fragment(usize),
    Settings,
    Pack,
    Flag,
    /// Back to an earlier state.
    Checkout(Index),
    /// Every file is written again as it is.
    Touch,
}

const MARKS: [&str; 5] = ["", "coroutine_fn ", "no_coroutine_fn ", "coroutine_mixed_fn ", "co_wrapper "];

const OSDEP: &str = "#ifndef OSDEP_H\n#define OSDEP_H\n#define coroutine_fn\n#define no_coroutine_fn\n\
    #define coroutine_mixed_fn\n#define co_wrapper\ntypedef _Bool bool;\nbool qemu_in_coroutine(void);\n\
    void coroutine_fn qemu_coroutine_yield(void);\nvoid assert_that(bool);\n#define assert(x) assert_that(x)\n\
    void apply(int (*cb)(void));\nvoid flagged(bool go);\nvoid stop(void) __attribute__((noreturn));\n\
    typedef struct QemuMutex { int held; } QemuMutex;\nvoid qemu_mutex_lock(QemuMutex *m);\n\
    void qemu_mutex_unlock(QemuMutex *m);\nextern QemuMutex lock;\n#endif\n";

impl Header {
    fn text(&self, number: usize) -> String {
        let mut text = format!("#ifndef H{number}\n#define H{number}\n/* {} */\n", "x".repeat(self.comment));
        for (function, mark) in self.marks.iter().enumerate() {
            if (function + number).is_multiple_of(2) {
                let _ = writeln!(text, "int {}f{function}(void);", MARKS[*mark]);
            }
        }
        let mark = MARKS[self.slot % 3];
        let _ = writeln!(text, "struct ops{number} {{ int {mark}(*cb)(void); void (*other)(void); }};");
        if self.has_inline {
            let _ = writeln!(text, "int f0(void);\nstatic inline int in{number}(void) {{ return f0(); }}");
        }
        text + "#endif\n"
    }
}

impl Piece {
    /// The C text. `unit` and `position` make names that no other piece has.
    fn text(self, unit: &str, position: usize) -> String {
        let own = format!("{unit}_{position}");
        match self {
            Piece::Call(f) => format!("void c{own}(void);\nvoid c{own}(void) {{ f{f}(); }}\n"),
            Piece::CallInside(f) => {
                format!(
                    "void coroutine_fn i{own}(void);\n\
                     void coroutine_fn i{own}(void) {{ f{f}(); qemu_coroutine_yield(); }}\n"
                )
            }
            Piece::Guarded(f, g) => {
                format!("void g{own}(void) {{\n if (qemu_in_coroutine()) {{ f{f}(); }} else {{ f{g}(); }}\n}}\n")
            }
            Piece::Define(f, mark) => format!("int {}f{f}(void) {{ return qemu_in_coroutine(); }}\n", MARKS[mark]),
            Piece::DefineWeak(f) => format!("__attribute__((weak)) int f{f}(void) {{ f0(); return 1; }}\n"),
            Piece::Alias(f, g) if f != g => format!("int f{f}(void) __attribute__((alias(\"f{g}\")));\n"),
            Piece::Alias(..) => String::new(),
            Piece::Helper(f) => {
                format!(
                    "static int help(void);\nint s{own}(void) {{ return help(); }}\n\
                     static int help(void) {{ return f{f}(); }}\n"
                )
            }
            Piece::Store(f, header) => format!("struct ops{header} o{own} = {{ .cb = f{f} }};\n"),
            Piece::CallSlot(header) => format!("int k{own}(struct ops{header} *o) {{ return o->cb(); }}\n"),
            Piece::CopySlot(from, to) => {
                format!("void y{own}(struct ops{from} *a, struct ops{to} *b) {{ b->cb = a->cb; }}\n")
            }
            Piece::Pass(f) => format!("void p{own}(void) {{ apply(f{f}); }}\n"),
            Piece::Apply => "void apply(int (*cb)(void)) { cb(); }\n".to_owned(),
            Piece::TakeFlag(f, g) => format!("void flagged(bool go) {{ if (go) {{ f{f}(); }} else {{ f{g}(); }} }}\n"),
            Piece::GiveFlag(flag) => format!("void v{own}(void) {{ flagged({}); }}\n", u8::from(flag)),
            Piece::PassFlag => format!("void w{own}(bool go) {{ flagged(go); }}\n"),
            Piece::Declare(f, mark) => format!("int {}f{f}(void);\n", MARKS[mark]),
            Piece::Local(f) => format!("void l{own}(void) {{ int (*cb)(void) = f{f}; cb(); }}\n"),
            Piece::Assert(f) => format!("void a{own}(void) {{ assert(qemu_in_coroutine()); f{f}(); }}\n"),
            Piece::Locked => format!(
                "void coroutine_fn m{own}(void) {{\n\
                 qemu_mutex_lock(&lock); qemu_coroutine_yield(); qemu_mutex_unlock(&lock);\n}}\n"
            ),
            Piece::Fragment => format!("void r{own}(void) {{\n#include \"fragment.inc\"\n}}\n"),
            Piece::Conditional(f) => format!("#ifdef FLAG\nvoid n{own}(void) {{ f{f}(); }}\n#endif\n"),
            Piece::Suppressed(f) => {
                format!("void u{own}(void) {{\n    /* cowrap: allow(coroutine-call) known */\n    f{f}();\n}}\n")
            }
            Piece::Comment(lines) => format!("/*{} */\n", "\n * more".repeat(lines)),
            Piece::Error => format!("int e{own} = ;\n"),
            Piece::Ends(f) => format!("void d{own}(void) {{ stop(); f{f}(); }}\n"),
        }
    }
}

impl State {
    fn unit(&self, name: &str, unit: &Unit) -> String {
        let mut text = "#include \"qemu/osdep.h\"\n".to_owned();
        for number in 0..HEADERS {
            let _ = writeln!(text, "#include \"h{number}.h\"");
        }
        // What no header declares while it is gone.
        for function in 0..FUNCTIONS {
            let _ = writeln!(text, "int f{function}(void);");
        }
        for (position, piece) in unit.pieces.iter().enumerate() {
            text += &piece.text(name, position);
        }
        text
    }

    /// All files, by their paths: their texts, or what a symbolic link leads to.
    fn files(&self, root: &Path) -> BTreeMap<String, Result<String, String>> {
        let mut files = BTreeMap::new();
        let mut put = |path: String, text: String| files.insert(path, Ok(text));
        put("include/qemu/osdep.h".to_owned(), OSDEP.to_owned());
        let statements = ["", "f0();", "f1(); f2();", "if (qemu_in_coroutine()) { f3(); }"];
        put("fragment.inc".to_owned(), format!("{}\n", statements[self.fragment]));
        let settings = if self.settings { "[levels]\ncoroutine-call = \"note\"\n" } else { "" };
        put("cowrap.toml".to_owned(), settings.to_owned());
        put("pack.toml".to_owned(), "extends = \"qemu\"\nname = \"mine\"\npolling = [\"f4\"]\n".to_owned());
        for (number, header) in self.headers.iter().enumerate() {
            if header.is_shadowed {
                let other = Header { marks: [0; FUNCTIONS], ..header.clone() };
                put(format!("first/h{number}.h"), other.text(number));
            }
            match header.is_link {
                _ if header.is_gone => {}
                true => drop(put(format!("real/h{number}.h"), header.text(number))),
                false => drop(put(format!("include/h{number}.h"), header.text(number))),
            }
        }
        let mut entries = Vec::new();
        for (name, unit) in &self.units {
            put(format!("{name}.c"), self.unit(name, unit));
            for number in 0..1 + usize::from(unit.twice) {
                let flag = if (number == 1) != (unit.flag != self.flag) { "-DFLAG" } else { "-DOTHER" };
                let command = format!("cc -I../first {flag} -I../include -c ../{name}.c -o {name}{number}.o");
                entries.push(serde_json::json!({
                    "directory": root.join("build"), "file": format!("../{name}.c"), "command": command,
                }));
            }
        }
        put("build/compile_commands.json".to_owned(), serde_json::to_string_pretty(&entries).unwrap());
        let links = self.headers.iter().enumerate().filter(|(_, header)| header.is_link && !header.is_gone);
        for (number, _) in links {
            files.insert(format!("include/h{number}.h"), Err(format!("../real/h{number}.h")));
        }
        files
    }

    fn apply(&mut self, edit: &Edit, history: &[State]) {
        let names: Vec<String> = self.units.keys().cloned().collect();
        let named = |index: &Index| index.get(&names).clone();
        match edit {
            Edit::AddUnit(pieces) => {
                let free = (0..).map(|number| format!("u{number}")).find(|name| !self.units.contains_key(name));
                self.units.insert(free.unwrap(), Unit { pieces: pieces.clone(), ..Unit::default() });
            }
            // A database without entries is an error.
            Edit::RemoveUnit(index) if names.len() > 1 => drop(self.units.remove(&named(index))),
            Edit::RemoveUnit(_) => {}
            Edit::RenameUnit(index) => {
                let unit = self.units.remove(&named(index)).unwrap();
                let free = (0..).map(|number| format!("u{number}")).find(|name| !names.contains(name));
                self.units.insert(free.unwrap(), unit);
            }
            Edit::AddPiece(unit, at, piece) => {
                let pieces = &mut self.units.get_mut(&named(unit)).unwrap().pieces;
                pieces.insert(at.index(pieces.len() + 1), *piece);
            }
            Edit::RemovePiece(unit, at) => {
                let pieces = &mut self.units.get_mut(&named(unit)).unwrap().pieces;
                if !pieces.is_empty() {
                    pieces.remove(at.index(pieces.len()));
                }
            }
            Edit::Twice(unit) => self.units.get_mut(&named(unit)).unwrap().twice ^= true,
            Edit::UnitFlag(unit) => self.units.get_mut(&named(unit)).unwrap().flag ^= true,
            Edit::Mark(header, function, mark) => self.headers[*header].marks[*function] = *mark,
            Edit::Inline(header) => self.headers[*header].has_inline ^= true,
            Edit::Slot(header, mark) => self.headers[*header].slot = *mark,
            Edit::HeaderComment(header, length) => self.headers[*header].comment = *length,
            Edit::Shadow(header) => self.headers[*header].is_shadowed ^= true,
            Edit::Link(header) => self.headers[*header].is_link ^= true,
            Edit::Gone(header) => self.headers[*header].is_gone ^= true,
            Edit::Fragment(fragment) => self.fragment = *fragment,
            Edit::Settings => self.settings ^= true,
            Edit::Pack => self.pack ^= true,
            Edit::Flag => self.flag ^= true,
            Edit::Checkout(index) => *self = index.get(history).clone(),
            Edit::Touch => {}
        }
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let f = || 0..FUNCTIONS;
    let h = || 0..HEADERS;
    prop_oneof![
        4 => f().prop_map(Piece::Call),
        2 => f().prop_map(Piece::CallInside),
        2 => (f(), f()).prop_map(|(f, g)| Piece::Guarded(f, g)),
        4 => (f(), 0..MARKS.len()).prop_map(|(f, mark)| Piece::Define(f, mark)),
        1 => f().prop_map(Piece::DefineWeak),
        1 => (f(), f()).prop_map(|(f, g)| Piece::Alias(f, g)),
        2 => f().prop_map(Piece::Helper),
        3 => (f(), h()).prop_map(|(f, h)| Piece::Store(f, h)),
        3 => h().prop_map(Piece::CallSlot),
        2 => (h(), h()).prop_map(|(from, to)| Piece::CopySlot(from, to)),
        2 => f().prop_map(Piece::Pass),
        1 => Just(Piece::Apply),
        2 => (f(), f()).prop_map(|(f, g)| Piece::TakeFlag(f, g)),
        1 => any::<bool>().prop_map(Piece::GiveFlag),
        1 => Just(Piece::PassFlag),
        2 => (f(), 0..MARKS.len()).prop_map(|(f, mark)| Piece::Declare(f, mark)),
        1 => f().prop_map(Piece::Local),
        1 => f().prop_map(Piece::Assert),
        1 => Just(Piece::Locked),
        2 => Just(Piece::Fragment),
        1 => f().prop_map(Piece::Conditional),
        1 => f().prop_map(Piece::Suppressed),
        2 => (0..3usize).prop_map(Piece::Comment),
        1 => Just(Piece::Error),
        1 => f().prop_map(Piece::Ends),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let (any, header) = (any::<Index>, || 0..HEADERS);
    prop_oneof![
        2 => prop::collection::vec(piece(), 1..6).prop_map(Edit::AddUnit),
        1 => any().prop_map(Edit::RemoveUnit),
        1 => any().prop_map(Edit::RenameUnit),
        12 => (any(), any(), piece()).prop_map(|(unit, at, piece)| Edit::AddPiece(unit, at, piece)),
        6 => (any(), any()).prop_map(|(unit, at)| Edit::RemovePiece(unit, at)),
        1 => any().prop_map(Edit::Twice),
        1 => any().prop_map(Edit::UnitFlag),
        3 => (header(), 0..FUNCTIONS, 0..MARKS.len()).prop_map(|(h, f, mark)| Edit::Mark(h, f, mark)),
        1 => header().prop_map(Edit::Inline),
        1 => (header(), 0..3usize).prop_map(|(h, mark)| Edit::Slot(h, mark)),
        1 => (header(), 0..4usize).prop_map(|(h, length)| Edit::HeaderComment(h, length)),
        1 => header().prop_map(Edit::Shadow),
        1 => header().prop_map(Edit::Link),
        1 => header().prop_map(Edit::Gone),
        2 => (0..4usize).prop_map(Edit::Fragment),
        1 => Just(Edit::Settings),
        1 => Just(Edit::Pack),
        1 => Just(Edit::Flag),
        6 => any().prop_map(Edit::Checkout),
        1 => Just(Edit::Touch),
    ]
}

/// Brings the files of a directory into a state. Files that are as they should be are left alone, unless `touch`.
fn write(root: &Path, before: &State, after: &State, touch: bool) {
    let (old, new) = (before.files(root), after.files(root));
    for path in old.keys().filter(|path| old.get(*path) != new.get(*path)) {
        // The first state has no files.
        let _ = std::fs::remove_file(root.join(path));
    }
    for (path, content) in new.iter().filter(|(path, content)| touch || old.get(*path) != Some(content)) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content {
            Ok(text) => std::fs::write(path, text).unwrap(),
            Err(_) if path.is_symlink() => {}
            Err(target) => std::os::unix::fs::symlink(target, path).unwrap(),
        }
    }
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

/// The report in JSON, or why there is none.
fn report(request: &Request) -> String {
    match cowrap_session::check(request, &Silent) {
        Ok(report) => json(&report),
        Err(error) => error.to_string(),
    }
}

fn json(report: &Report) -> String {
    let mut out = Vec::new();
    render(report, Format::Json, Style::PLAIN, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The program, or why there is none.
fn program(request: &Request) -> String {
    let index = match cowrap_session::index(request, &Silent) {
        Ok(index) => index,
        Err(error) => return error.to_string(),
    };
    serde_json::to_string(&index.program).unwrap()
}

fn request(root: &Path, cache: Option<&Path>, state: &State) -> Request {
    let settings = cowrap_session::Settings::read(&root.join("cowrap.toml")).unwrap();
    let packs = if state.pack { vec![root.join("pack.toml")] } else { Vec::new() };
    let cache = cache.map(|directory| CacheLocation { directory: directory.to_path_buf(), limit: 1 << 28 });
    let sharing = if cache.is_some() { SharingRequest::Yes } else { SharingRequest::No };
    let input = Input::Database(Some(root.join("build")));
    Request { jobs: 2, cache, sharing, settings, packs, ..Request::new(input, root.to_path_buf()) }
}

fn check_sequence(units: &[Vec<Piece>], edits: &[(Edit, bool)]) {
    let (tree, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = tree.path().canonicalize().unwrap();
    let mut state = State::default();
    let mut history = Vec::new();
    for pieces in units {
        state.apply(&Edit::AddUnit(pieces.clone()), &history);
    }
    write(&root, &State::default(), &state, true);
    for (edit, waits) in edits {
        history.push(state.clone());
        let before = state.clone();
        state.apply(edit, &history);
        write(&root, &before, &state, matches!(edit, Edit::Touch));
        if *waits {
            // Longer than the clock ticks of file systems: files that are younger than a run are not stored.
            std::thread::sleep(Duration::from_millis(40));
        }
        let (with, without) = (request(&root, Some(cache.path()), &state), request(&root, None, &state));
        let found = report(&with);
        assert_eq!(found, report(&without), "after {edit:?}");
        assert!(program(&with) == program(&without), "the programs differ after {edit:?}");
    }
}

/// Opens the tree as an editor does.
fn open_live(root: &Path, cache: &Path, state: &State) -> Result<LiveTree<'static>, String> {
    // A live tree borrows its request, and there are few of them.
    let request: &'static Request = Box::leak(Box::new(request(root, Some(cache), state)));
    LiveTree::open(request).map_err(|error| error.to_string())
}

/// The report of a live tree in JSON, or why there is none. `before` has the files that are on the disk; the others are
/// not saved yet.
fn live_report(
    live: &mut Result<LiveTree<'static>, String>,
    texts: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    haste: Haste,
) -> String {
    let live = match live {
        Ok(live) => live,
        Err(error) => return error.clone(),
    };
    let first = texts.keys().take(1).cloned().collect();
    let mut state = LiveState { texts, first, disk_changed: haste.disk_changed };
    if let Some(patience) = haste.patience {
        // A newer state comes before this one has been shown.
        let _ = live.check(&state, &Watcher { patience: Mutex::new(Some(patience)), ..Watcher::default() }, &Silent);
        state.disk_changed = false;
    }
    let watcher = Watcher::default();
    match live.check(&state, &watcher, &Silent) {
        Ok(()) => watcher.last.into_inner().unwrap(),
        Err(error) => error.to_string(),
    }
}

/// How an editor asks for a state.
#[derive(Clone, Copy, Debug)]
struct Haste {
    disk_changed: bool,
    /// How often it says that the state is not outdated before it is; `None` if it never is.
    patience: Option<usize>,
}

/// Has the last report.
#[derive(Default)]
struct Watcher {
    last: Mutex<String>,
    rest_is_read: Mutex<bool>,
    has_read: Condvar,
    patience: Mutex<Option<usize>>,
}

impl Observer for Watcher {
    fn observe(&self, analysis: &Analysis<'_>) {
        *self.last.lock().unwrap() = json(&analysis.report);
        if !analysis.is_complete && self.patience.lock().unwrap().is_none() {
            drop(self.has_read.wait_while(self.rest_is_read.lock().unwrap(), |is_read| !*is_read));
        }
    }

    fn rest_is_read(&self) {
        *self.rest_is_read.lock().unwrap() = true;
        self.has_read.notify_all();
    }

    fn is_outdated(&self) -> bool {
        match &mut *self.patience.lock().unwrap() {
            None => false,
            Some(0) => true,
            Some(patience) => {
                *patience -= 1;
                false
            }
        }
    }

    fn begin(&self) {
        *self.rest_is_read.lock().unwrap() = false;
    }
}

/// The texts that differ between two states; `None` if anything else does.
fn unsaved(root: &Path, before: &State, after: &State) -> Option<BTreeMap<PathBuf, Arc<Vec<u8>>>> {
    let (old, new) = (before.files(root), after.files(root));
    if !old.keys().eq(new.keys()) {
        return None;
    }
    let differ = new.into_iter().filter(|(path, content)| old.get(path) != Some(content));
    let text = |(path, content): (String, Result<String, String>)| {
        let is_source = [".c", ".h", ".inc"].iter().any(|end| path.ends_with(end));
        Some((root.join(path), Arc::new(content.ok().filter(|_| is_source)?.into_bytes())))
    };
    differ.map(text).collect()
}

fn check_live(units: &[Vec<Piece>], edits: &[(Edit, Option<usize>)]) {
    let (tree, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = tree.path().canonicalize().unwrap();
    let mut state = State::default();
    let mut history = Vec::new();
    for pieces in units {
        state.apply(&Edit::AddUnit(pieces.clone()), &history);
    }
    write(&root, &State::default(), &state, true);
    let mut live = open_live(&root, cache.path(), &state);
    for (edit, patience) in edits {
        history.push(state.clone());
        let before = state.clone();
        state.apply(edit, &history);
        // The editor opens the tree again if something else is asked for.
        let is_same_request = (state.pack, state.settings) == (before.pack, before.settings);
        let texts = unsaved(&root, &before, &state).filter(|_| is_same_request);
        if let Some(texts) = texts {
            // What was written last has been seen, so that the disk is not looked at.
            let found = live_report(&mut live, texts, Haste { disk_changed: false, patience: *patience });
            write(&root, &before, &state, matches!(edit, Edit::Touch));
            assert_eq!(found, report(&request(&root, None, &state)), "after {edit:?}, not saved");
        } else {
            write(&root, &before, &state, false);
            live = open_live(&root, cache.path(), &state);
        }
        let found = live_report(&mut live, BTreeMap::new(), Haste { disk_changed: true, patience: *patience });
        assert_eq!(found, report(&request(&root, None, &state)), "after {edit:?}");
    }
}

/// How many sequences are tried.
fn cases() -> ProptestConfig {
    let cases = std::env::var("COWRAP_EDIT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2);
    ProptestConfig {
        cases,
        max_shrink_iters: 60,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

/// Units, and a sequence of edits. With each goes something else.
fn sequences<T: std::fmt::Debug>(
    beside: impl Strategy<Value = T>,
) -> impl Strategy<Value = (Vec<Vec<Piece>>, Vec<(Edit, T)>)> {
    let units = prop::collection::vec(prop::collection::vec(piece(), 1..7), 3..6);
    (units, prop::collection::vec((edit(), beside), 20))
}

#[test]
fn a_cache_changes_no_report() {
    let waits = prop::bool::weighted(0.8);
    proptest!(cases(), |((units, edits) in sequences(waits))| check_sequence(&units, &edits));
}

#[test]
fn a_live_tree_reports_what_a_check_reports() {
    let patience = prop::option::weighted(0.4, 0..6usize);
    proptest!(cases(), |((units, edits) in sequences(patience))| check_live(&units, &edits));
}
