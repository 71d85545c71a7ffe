//! What an editor asks: the contexts of lines, hover, the call hierarchy, wrappers, lenses and hints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cowrap_analysis::effects::{Effects, changed_through_pointers};
use cowrap_analysis::program::PointsTo;
use cowrap_analysis::queries::editor::{
    Word, call_item, hover, incoming, inlay_hints, lenses, line_context, outgoing, targets,
};
use cowrap_facts::{Body, PathCondition};
use cowrap_report::{CallItem, CallRelation, Span, TargetKind};
use cowrap_session::{Index, Input, Progress, Request};

use crate::fixtures::own_flags;
use crate::support::sharing::compare;

struct Silent;

impl Progress for Silent {
    fn start(&self, _units: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The program of some files of `testdata/editor`.
fn read(files: &[&str], packs: &[&str]) -> Index {
    let files: Vec<PathBuf> = files.iter().map(|file| testdata().join("editor").join(file)).collect();
    let flags = ["include", "editor"].map(|directory| testdata().join(directory).into_os_string());
    let flags = flags.into_iter().flat_map(|directory| ["-I".into(), directory]).collect();
    let packs = packs.iter().map(PathBuf::from).collect();
    let may_lack_marks = true;
    let request = Request { jobs: 1, packs, may_lack_marks, ..Request::new(Input::Files { files, flags }, testdata()) };
    let index = cowrap_session::index(&request, &Silent).expect("the files are there");
    assert!(index.problems.is_empty(), "{:?}", index.problems);
    index
}

/// Asks something of a program as its pack of this number reads it.
fn ask<R>(index: &Index, pack: usize, question: impl FnOnce(&Effects<'_>) -> R) -> R {
    let program = index.program.read_as(index.readings[pack]);
    let (points_to, pack) = (Arc::new(PointsTo::new(&program)), &index.packs.packs()[pack]);
    let program = changed_through_pointers(program, pack, &points_to);
    let effects = Effects::with_points_to(&program, pack, &index.tree, points_to);
    effects.prepare();
    question(&effects)
}

/// What a comment `line:` says: the text, and where the guard is and what is said of it.
fn expected_line(comment: &str, line: u32) -> (String, Option<(u32, String)>) {
    let Some((text, guard)) = comment.split_once("; ") else { return (comment.to_owned(), None) };
    let (distance, label) = guard.split_once(": ").expect("a place and a text");
    let (count, direction) = distance.split_once(' ').expect("how far and where");
    let count: u32 = count.parse().expect("a number");
    let at = if direction == "up" { line - count } else { line + count };
    (text.to_owned(), Some((at, label.to_owned())))
}

/// Compares what an editor shows of the lines of a file with what its comments say.
fn check_lines(effects: &Effects<'_>, file: &str) {
    let path = testdata().join("editor").join(file);
    let text = std::fs::read_to_string(&path).expect("a source");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (line, source) in (1..).zip(text.lines()) {
        let found = line_context(effects, &path, line);
        if let Some(context) = &found {
            let (first, last) = context.lines;
            assert!((first..=last).contains(&line), "{file}:{line}: {context:?}");
            let same = (first..=last).map(|line| line_context(effects, &path, line));
            same.for_each(|other| assert_eq!(other.as_ref(), Some(context), "{file}:{line}"));
        }
        let Some((_, comment)) = source.split_once("/* line: ") else { continue };
        count += 1;
        let expected = expected_line(comment.trim_end_matches(" */"), line);
        let found = found.map_or(("none".to_owned(), None), |context| {
            (context.text, context.guard.map(|guard| (guard.at.line, guard.text)))
        });
        if found != expected {
            wrong.push(format!("{file}:{line}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 5, "{file} says something of {count} lines");
}

#[test]
fn each_line_has_the_context_that_its_comment_says() {
    ask(&read(&["lines.c"], &["qemu"]), 0, |effects| check_lines(effects, "lines.c"));
    ask(&read(&["threads.c"], &["qemu-gs"]), 0, |effects| check_lines(effects, "threads.c"));
}

/// Each pack reads the lines in its own way, and the others do not matter.
#[test]
fn each_pack_has_contexts_of_its_own() {
    let index = read(&["lines.c", "threads.c"], &["qemu", "qemu-gs"]);
    ask(&index, 0, |effects| check_lines(effects, "lines.c"));
    ask(&index, 1, |effects| check_lines(effects, "threads.c"));
    let path = testdata().join("editor/lines.c");
    let text = std::fs::read_to_string(&path).expect("a source");
    let line = 1 + text.lines().position(|line| line.contains("if (qemu_in_coroutine())")).expect("a guard") as u32;
    let behind = ask(&index, 1, |effects| line_context(effects, &path, line + 1)).expect("a body");
    assert_eq!((behind.text.as_str(), behind.guard), ("may run in both contexts", None));
}

/// The line and column of a word: in the first line with this text, where the text has the word first.
fn place(file: &str, text: &str, word: &str) -> (u32, u32, bool) {
    let source = std::fs::read_to_string(testdata().join("editor").join(file)).expect("a source");
    let found = (1..).zip(source.lines()).find_map(|(line, source)| Some((line, source, source.find(text)?)));
    let (line, source, start) = found.unwrap_or_else(|| panic!("{file} has no `{text}`"));
    let column = start + text.find(word).expect("the text has the word");
    let is_member = source[..column].ends_with('.') || source[..column].ends_with("->");
    (line, column as u32 + 1, is_member)
}

/// Asks about a word.
fn about<R>(file: &str, text: &str, word: &str, question: impl FnOnce(&Word<'_>) -> R) -> R {
    let path = testdata().join("editor").join(file);
    let (line, column, is_member) = place(file, text, word);
    question(&Word { path: &path, line, column, word, is_member })
}

/// A location as "file:line".
fn at(span: &Span) -> String {
    format!("{}:{}", span.path.file_name().expect("a file").to_string_lossy(), span.line)
}

/// What a hover says: its title, and each statement, with what shows it behind.
fn says(effects: &Effects<'_>, file: &str, text: &str, word: &str) -> Vec<String> {
    let Some(hover) = about(file, text, word, |word| hover(effects, word)) else { return Vec::new() };
    let (line, column, _) = place(file, text, word);
    assert_eq!((hover.at.line, hover.at.column), (line, column));
    let mut said = vec![hover.title];
    for statement in hover.statements {
        said.push(statement.text);
        said.extend(statement.witness.iter().map(|label| format!("  {}: {}", at(&label.at), label.text)));
    }
    said
}

#[test]
fn a_hover_says_what_is_known_of_a_function() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let read = [
            "`coroutine_fn` `disk_co_read`",
            "coroutine-only, marked `coroutine_fn`",
            "  disk.h:19: `disk_co_read` is marked `coroutine_fn`",
            "`disk_co_read` is called in coroutine context",
            "  disk.c:25: `disk_entry` calls `disk_co_read`",
            "`disk_co_read` may suspend its coroutine: `disk_co_read` calls through a function pointer",
            "  disk.c:20: `disk_co_read` calls through a function pointer",
            "`disk_read` wraps `disk_co_read`",
            "  disk.h:20: `disk_read`",
        ];
        // Where it is declared and defined, and where a macro stands for a call of it.
        assert_eq!(says(effects, "disk.h", "disk_co_read(Disk", "disk_co_read"), read);
        assert_eq!(says(effects, "disk.c", "disk_co_read(Disk", "disk_co_read"), read);
        assert_eq!(says(effects, "disk.c", "DISK_READ(opaque)", "DISK_READ"), read);
        assert_eq!(says(effects, "disk.h", "disk_co_read(disk)", "disk_co_read"), read);
        let unmarked = [
            "`disk_size`",
            "unmarked, may be called in both contexts",
            "`disk_size` is called in coroutine context",
            "  disk.c:38: `disk_check` calls `disk_size`",
            "`disk_size` is called in non-coroutine context",
            "  image.c:22: `image_open` calls `disk_size`",
            "`disk_size` never suspends its coroutine",
        ];
        assert_eq!(says(effects, "disk.h", "disk_size(disk) ==", "disk_size"), unmarked);
        let by_its_callers = [
            "`disk_is_empty`",
            "unmarked, runs only in coroutine context, by its callers",
            "`disk_is_empty` is called in coroutine context",
            "  disk.c:17: `disk_co_read` calls `disk_is_empty`",
            "`disk_is_empty` is not called in non-coroutine context, as far as cowrap can tell",
            "`disk_is_empty` never suspends its coroutine",
        ];
        assert_eq!(says(effects, "disk.c", "disk_is_empty(disk)", "disk_is_empty"), by_its_callers);
        let asserting = [
            "coroutine-only `disk_check`",
            "coroutine-only, inferred from an assertion that every path passes",
            "  disk.c:37: `disk_check` asserts its context",
            "`disk_check` may suspend its coroutine: the program does not have the body of `qemu_in_coroutine`",
            "  disk.c:37: `disk_check` calls `qemu_in_coroutine`",
        ];
        assert_eq!(says(effects, "disk.c", "disk_check", "disk_check"), asserting);
        let polling = [
            "non-coroutine-only `aio_poll`",
            "non-coroutine-only: the pack says that it runs the event loop",
            "`aio_poll` may be called in non-coroutine context",
        ];
        assert_eq!(says(effects, "disk.c", "aio_poll(disk", "aio_poll")[..2], polling[..2]);
        let wrapper = says(effects, "image.c", "disk_read(disk)", "disk_read");
        assert_eq!(wrapper.first().map(String::as_str), Some("`co_wrapper_mixed` `disk_read`"));
        assert!(
            wrapper
                .ends_with(&["`disk_read` wraps `disk_co_read`".to_owned(), "  disk.c:15: `disk_co_read`".to_owned()])
        );
    });
}

#[test]
fn a_hover_tells_functions_of_one_name_apart() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let item = |file: &str, text: &str| {
            let items = about(file, text, "helper", |word| call_item(effects, word));
            items.iter().map(|item| (at(&item.at), item.lines)).collect::<Vec<_>>()
        };
        let (in_disk, in_image) = (("disk.c:5".to_owned(), Some((5, 8))), ("image.c:9".to_owned(), Some((9, 12))));
        assert_eq!(item("disk.c", "return helper"), std::slice::from_ref(&in_disk));
        assert_eq!(item("disk.c", "int helper"), [in_disk]);
        assert_eq!(item("image.c", ".size = helper"), std::slice::from_ref(&in_image));
        assert_eq!(item("image.c", "int helper"), [in_image]);
        // Nothing is known of a word that is no name, or the name of something else.
        for (file, text, word) in [("disk.c", "return 0", "return"), ("disk.c", "(Disk *disk)", "disk")] {
            assert_eq!(says(effects, file, text, word), Vec::<String>::new());
        }
    });
}

#[test]
fn a_hover_says_what_is_known_of_a_slot() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let marked = [
            "`coroutine_fn` `DiskOps::co_read`",
            "coroutine-only, marked `coroutine_fn`",
            "  disk.h:10: marked `coroutine_fn` here",
            "may point to `image_co_read`",
            "called through: 1 call in coroutine context",
            "what it points to may suspend",
        ];
        assert_eq!(says(effects, "disk.c", "co_read(disk)", "co_read"), marked);
        assert_eq!(says(effects, "disk.h", "co_read)(Disk", "co_read"), marked);
        assert_eq!(says(effects, "image.c", "co_read = image", "co_read"), marked);
        let unmarked = [
            "`DiskOps::size`",
            "unmarked, may be called through in both contexts",
            "may point to `helper`",
            "called through: 1 call in both contexts",
            "what it points to never suspends",
        ];
        assert_eq!(says(effects, "disk.c", "size(disk);", "size"), unmarked);
        let unknown = [
            "`DiskOps::reset`",
            "unmarked, may be called through in both contexts",
            "cowrap knows no function that it may point to",
            "called through: 1 call in both contexts",
        ];
        assert_eq!(says(effects, "disk.c", "reset(disk);", "reset"), unknown);
    });
}

#[test]
fn a_hover_says_how_a_function_becomes_an_entry() {
    ask(&read(&["signal.c"], &["signal"]), 0, |effects| {
        let entry = [
            "signal handler `on_quit`",
            "signal handler, stored in parameter 2 of `signal`",
            "  signal.c:21: `on_quit` is stored in parameter 2 of `signal` here",
            "`on_quit` may be called outside of signal handlers, since some of its callers are unknown",
        ];
        assert_eq!(says(effects, "signal.c", "on_quit(int", "on_quit"), entry);
        let work = says(effects, "signal.c", "work();", "work");
        let called = ["`work` is called in a signal handler", "  signal.c:11: `on_quit` calls `work`"];
        assert!(work.windows(2).any(|lines| lines == called), "{work:?}");
    });
}

/// An item's relations: what each is, the contexts, and where.
fn relations(found: Option<Vec<CallRelation>>) -> Vec<(String, String, Vec<String>)> {
    let relation =
        |relation: CallRelation| (relation.item.name, relation.context, relation.sites.iter().map(at).collect());
    found.expect("the item is there").into_iter().map(relation).collect()
}

fn expected(relations: &[(&str, &str, &[&str])]) -> Vec<(String, String, Vec<String>)> {
    let relation = |(name, context, sites): &(&str, &str, &[&str])| {
        ((*name).to_owned(), (*context).to_owned(), sites.iter().map(|site| (*site).to_owned()).collect())
    };
    relations.iter().map(relation).collect()
}

#[test]
fn the_call_hierarchy_goes_through_pointers() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let item = |file: &str, text: &str, word: &str| -> CallItem {
            about(file, text, word, |word| call_item(effects, word)).pop().expect("an item")
        };
        let (inside, outside, both) = ("in coroutine context", "in non-coroutine context", "in both contexts");
        let size = item("disk.c", "disk_size(Disk", "disk_size");
        assert_eq!((size.detail.as_str(), size.is_slot), ("", false));
        let callers = [
            ("disk_check", inside, ["disk.c:38"].as_slice()),
            ("disk_is_empty", inside, &["disk.h:27"]),
            ("image_open", outside, &["image.c:22"]),
        ];
        assert_eq!(relations(incoming(effects, &size)), expected(&callers));
        assert_eq!(relations(outgoing(effects, &size)), expected(&[("helper", both, &["disk.c:12"])]));
        // From a function that is stored, through the slot, to whoever calls through it.
        let stored = item("image.c", "int helper", "helper");
        let through = incoming(effects, &stored).expect("the item is there").pop().expect("a slot");
        assert!(through.through_pointer);
        let slot = through.item;
        assert_eq!((slot.name.as_str(), at(&slot.at).as_str(), slot.is_slot), ("DiskOps::size", "disk.h:11", true));
        assert_eq!(relations(incoming(effects, &stored)), expected(&[("DiskOps::size", "", &["image.c:16"])]));
        assert!(incoming(effects, &slot).expect("the item is there").iter().all(|caller| caller.through_pointer));
        assert!(incoming(effects, &size).expect("the item is there").iter().all(|caller| !caller.through_pointer));
        assert_eq!(relations(incoming(effects, &slot)), expected(&[("helper", both, &["disk.c:7"])]));
        assert_eq!(relations(outgoing(effects, &slot)), expected(&[("helper", "", &["image.c:16"])]));
        let read = item("disk.c", "disk_co_read(Disk", "disk_co_read");
        assert_eq!((read.detail.as_str(), read.lines), ("coroutine_fn", Some((15, 21))));
        assert_eq!(item("disk.c", "disk_check(Disk", "disk_check").detail, "coroutine-only");
        let callees =
            [("disk_is_empty", inside, ["disk.c:17"].as_slice()), ("DiskOps::co_read", inside, &["disk.c:20"])];
        assert_eq!(relations(outgoing(effects, &read)), expected(&callees));
        // What is no longer there has no answer.
        let gone = CallItem { name: "disk_size_of_before".to_owned(), ..size };
        assert_eq!((incoming(effects, &gone), outgoing(effects, &gone)), (None, None));
    });
}

#[test]
fn targets_lead_from_wrappers_and_slots_to_functions_and_back() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let found = |file: &str, text: &str, word: &str| {
            let targets = about(file, text, word, |word| targets(effects, word));
            targets.into_iter().map(|target| (target.name, target.kind, at(&target.at))).collect::<Vec<_>>()
        };
        let one = |name: &str, kind, at: &str| vec![(name.to_owned(), kind, at.to_owned())];
        let wrapper = one("disk_read", TargetKind::Wrapper, "disk.h:20");
        assert_eq!(found("disk.c", "disk_co_read(Disk", "disk_co_read"), wrapper);
        assert_eq!(found("disk.c", "DISK_READ(opaque)", "DISK_READ"), wrapper);
        let target = one("disk_co_read", TargetKind::Target, "disk.c:15");
        assert_eq!(found("image.c", "disk_read(disk)", "disk_read"), target);
        let candidate = one("image_co_read", TargetKind::Candidate, "image.c:3");
        assert_eq!(found("disk.c", "co_read(disk)", "co_read"), candidate);
        assert_eq!(found("disk.c", "disk_size(Disk", "disk_size"), vec![]);
    });
}

#[test]
fn lenses_count_callers_by_context() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let of = |file: &str| {
            let lenses = lenses(effects, &testdata().join("editor").join(file));
            lenses
                .into_iter()
                .map(|lens| format!("{}:{} {}", lens.function, lens.at.line, lens.text))
                .collect::<Vec<_>>()
        };
        let disk = [
            "helper:5 1 caller in both contexts",
            "disk_size:10 2 callers in coroutine context, 1 in non-coroutine context",
            "disk_co_read:15 1 caller in coroutine context",
            "disk_entry:23 no callers, stored in parameter 1 of `qemu_coroutine_create`",
            "disk_spawn:28 no callers",
            "disk_check:35 no callers",
            "disk_reset:41 no callers",
        ];
        assert_eq!(of("disk.c"), disk);
        assert_eq!(of("disk.h"), ["disk_is_empty:25 1 caller in coroutine context"]);
        let image = [
            "image_co_read:3 called through 1 function pointer",
            "helper:9 called through 1 function pointer",
            "image_open:19 no callers",
        ];
        assert_eq!(of("image.c"), image);
        assert_eq!(of("lines.c"), Vec::<String>::new());
    });
}

#[test]
fn hints_say_what_is_inferred_of_unmarked_functions() {
    ask(&read(&["disk.c", "image.c"], &["qemu"]), 0, |effects| {
        let of = |file: &str| {
            let hints = inlay_hints(effects, &testdata().join("editor").join(file));
            hints.into_iter().map(|hint| (hint.at.line, hint.text, hint.reason)).collect::<Vec<_>>()
        };
        let hint = |line, text: &str, reason: &str| vec![(line, text.to_owned(), reason.to_owned())];
        let asserted = "coroutine-only, inferred from an assertion that every path passes";
        assert_eq!(of("disk.c"), hint(35, "coroutine-only", asserted));
        let by_callers = "unmarked, runs only in coroutine context, by its callers";
        assert_eq!(of("disk.h"), hint(25, "runs in coroutine context", by_callers));
        assert_eq!(of("image.c"), vec![]);
    });
}

/// A line that begins with a call is reached as the call is, whatever is around it.
#[test]
fn lines_are_reached_as_the_calls_that_they_begin_with() {
    let testdata = testdata();
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let root = scratch.path();
    copy(&testdata.join("include"), &root.join("include"));
    let mut entries = Vec::new();
    for directory in ["guards", "pointers"] {
        copy(&testdata.join(directory), &root.join(directory));
        let files = std::fs::read_dir(testdata.join(directory)).expect("a directory");
        let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
        files.sort();
        for path in files {
            let flags = own_flags(std::slice::from_ref(&path));
            let flags: Vec<String> = flags.iter().map(|flag| flag.to_string_lossy().into_owned()).collect();
            let name = Path::new(directory).join(path.file_name().expect("a file"));
            let command = format!("cc -std=gnu11 -Iinclude {} -c {}", flags.join(" "), name.display());
            entries.push(serde_json::json!({ "directory": root, "file": name, "command": command }));
        }
    }
    let database = serde_json::to_string(&entries).expect("plain data");
    std::fs::write(root.join("compile_commands.json"), database).expect("a file");
    let (mut checked, mut partial, mut wrong) = (0, 0, Vec::new());
    for facts in compare(root).plain.iter().flat_map(|(_, unit)| &unit.file_facts) {
        let facts = facts.facts();
        let path = root.join(facts.files[0].strip_prefix(".").unwrap_or(&facts.files[0]));
        let text = std::fs::read_to_string(&path).expect("a source");
        let lines: Vec<&str> = text.lines().collect();
        for body in &facts.bodies {
            for call in &body.calls {
                let line = lines[call.location.line as usize - 1];
                let indented = line.len() - line.trim_start().len();
                let name = &facts.symbols[call.callee.0 as usize].name;
                let begins = indented + 1 == call.location.column as usize && line.trim_start().starts_with(name);
                if begins && call.location.file == body.location.file {
                    checked += 1;
                    let at_line = condition(body, call.location.line);
                    partial += usize::from(at_line != whole(body));
                    if at_line != call.condition {
                        wrong.push(format!(
                            "{}:{}: {line}: {at_line:?} != {:?}",
                            path.display(),
                            call.location.line,
                            call.condition
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100 && partial > 50, "{checked} calls, {partial} of them not always");
}

/// The condition under which control reaches every line of a body that is in no region.
fn whole(body: &Body) -> PathCondition {
    PathCondition::always_with(cowrap_facts::feasible(&body.flags))
}

fn condition(body: &Body, line: u32) -> PathCondition {
    let region = body.regions.iter().find(|region| (region.first..=region.last).contains(&line));
    region.map_or(whole(body), |region| region.condition)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).expect("a copy")),
        }
    }
}
