//! What people read, compared to the character with the files in `snapshots/`: reports at two
//! widths and in colour, answers.
//!
//! The reports are made by hand, so that rewording a rule changes no snapshot.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use cowrap_base::diagnostic::TextDiagnostic;
use cowrap_base::files::{Overlay, Tree};
use cowrap_report::render::{AnswerFormat, Format, Style, render, render_answer, render_header_diagnostics};
use cowrap_report::{
    Answer, Comparison, Details, Direction, EdgeKind, Explanation, Finding, GraphEdge, GraphNode, HeaderDiagnostics,
    Inference, Label, Level, MarkLocation, MemoryUse, Note, PackSummary, ParseDetails, Paths, Problem, ProblemKind,
    QueryResult, Related, Relation, Report, SharingStats, Span, Subgraph, Summary, SummaryWords, Unknown, UnmatchedCut,
    UnmatchedEntries, Witness,
};
use tempfile::TempDir;

use crate::support::expect;

const HEADER: &str = "\
int coroutine_fn bdrv_co_flush(BlockDriverState *bs);
int coroutine_mixed_fn bdrv_flush(BlockDriverState *bs);
";

const SOURCE: &str = "\
#include \"block.h\"

static int img_sync(BlockDriverState *bs)
{
    return bdrv_co_flush(bs);
}

int main(int argc, char **argv)
{
\treturn img_sync(open_image(argv[1]));
}
";

#[test]
fn reports_at_80_columns() {
    check("report-80.txt", &report(&tree(), Format::Human, Style { color: false, width: 80 }, false));
}

#[test]
fn reports_at_120_columns() {
    check("report-120.txt", &report(&tree(), Format::Human, Style { color: false, width: 120 }, false));
}

#[test]
fn reports_in_colour() {
    check("report-colour.txt", &report(&tree(), Format::Human, Style { color: true, ..Style::PLAIN }, false));
}

#[test]
fn short_reports() {
    check("report-short.txt", &report(&tree(), Format::Short, Style::PLAIN, false));
}

#[test]
fn verbose_reports() {
    check("report-verbose.txt", &report(&tree(), Format::Short, Style::PLAIN, true));
}

#[test]
fn reports_without_sources() {
    let tree = tree();
    std::fs::remove_file(tree.path().join("img.c")).unwrap();
    check("report-without-sources.txt", &report(&tree, Format::Human, Style::PLAIN, false));
}

#[test]
fn explanations() {
    check("why.txt", &answer(why(), AnswerFormat::Human, Style { color: false, width: 80 }));
    check("why-colour.txt", &answer(why(), AnswerFormat::Human, Style { color: true, width: 80 }));
    check("why.json", &answer(why(), AnswerFormat::Json, Style::PLAIN));
}

#[test]
fn callers() {
    let relation = |distance, from: &str, to: &str, kind, at, context: &str| Relation {
        distance,
        from: from.to_owned(),
        to: to.to_owned(),
        kind,
        at,
        context: context.to_owned(),
    };
    let related = Related {
        function: "bdrv_co_flush".to_owned(),
        direction: Direction::Callers,
        relations: vec![
            relation(1, "img_sync", "bdrv_co_flush", EdgeKind::Call, Some(span("img.c", 5, 12)), "in either context"),
            relation(1, "Ops::flush", "bdrv_co_flush", EdgeKind::Candidate, None, ""),
            relation(2, "run", "Ops::flush", EdgeKind::PointerCall, Some(span("ops.c", 7, 3)), "in a coroutine"),
        ],
    };
    let none = Related { function: "main".to_owned(), direction: Direction::Callers, relations: Vec::new() };
    check("callers.txt", &answer(Answer::Related(vec![related, none]), AnswerFormat::Human, Style::PLAIN));
}

#[test]
fn paths() {
    let paths = |count: usize, more| Answer::Paths(Paths { paths: vec![witness(); count], more });
    let text = [paths(1, 3), paths(1, 0), paths(0, 0)].map(|paths| answer(paths, AnswerFormat::Human, Style::PLAIN));
    check("paths.txt", &text.join("----\n"));
}

#[test]
fn graphs() {
    let node = |name: &str, label: &str, requested| GraphNode {
        name: name.to_owned(),
        labels: vec![label.to_owned()],
        at: None,
        requirement: label.to_owned(),
        context: None,
        requested,
        effect: (label == "coroutine-only").then_some("inside-only"),
        beyond: [0, 0],
    };
    let edge = |from, to, kind, rules: &[&str]| GraphEdge {
        from,
        to,
        kind,
        sites: vec![span("img.c", 5, 12)],
        context: None,
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
    };
    let graph = Subgraph {
        nodes: vec![
            node("bdrv_co_flush", "coroutine-only", true),
            node("img_sync", "unmarked", false),
            node("Ops::flush", "function_pointer", false),
        ],
        edges: vec![edge(1, 0, EdgeKind::Call, &["coroutine-call"]), edge(2, 0, EdgeKind::Candidate, &[])],
        ..Subgraph::default()
    };
    check("graph.dot", &answer(Answer::Graph(graph), AnswerFormat::Dot, Style::PLAIN));
}

#[test]
fn header_diagnostics() {
    let message = "the wrapper bdrv_flush has no target: no function bdrv_co_flush is declared in the headers that the \
                   generator reads";
    let headers = HeaderDiagnostics {
        headers: vec![(PathBuf::from("include/block.h"), HEADER.to_owned())],
        diagnostics: vec![TextDiagnostic {
            is_error: true,
            message: message.to_owned(),
            text: 0,
            span: Some(77..87),
            label: "no target".to_owned(),
            other: Some((0, 17..30, "similar name".to_owned())),
            help: "declare bdrv_co_flush".to_owned(),
        }],
    };
    let mut out = Vec::new();
    render_header_diagnostics(&headers, Style { color: false, width: 80 }, &mut out).unwrap();
    check("header-diagnostics.txt", &String::from_utf8(out).unwrap());
}

// --- helpers ----------------------------------------------------------------------------------------------------

/// Compares with a snapshot, in which escape characters are visible.
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots").join(name);
    expect::file(&path, &text.replace('\u{1b}', "␛"));
}

/// A tree with two files.
fn tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    std::fs::create_dir(tree.path().join("include")).unwrap();
    std::fs::write(tree.path().join("include/block.h"), HEADER).unwrap();
    std::fs::write(tree.path().join("img.c"), SOURCE).unwrap();
    tree
}

/// A report with all that a report can have, as text.
fn report(tree: &TempDir, format: Format, style: Style, verbose: bool) -> String {
    let report = Report {
        findings: findings(),
        problems: problems(),
        summary: summary(),
        tree: Tree { root: tree.path().to_path_buf(), build: None },
        details: details(),
        is_partial: false,
        rules: Vec::new(),
        overlay: Overlay::default(),
        files: HashSet::new(),
    };
    let mut out = Vec::new();
    render(&report, format, style, verbose, &mut out).unwrap();
    // The root is another directory in each run.
    String::from_utf8(out).unwrap().replace(&tree.path().display().to_string(), "ROOT")
}

fn findings() -> Vec<Finding> {
    let finding = |rule, level, function, message: &str, at, text: &str| {
        let primary = Label { at, text: text.to_owned() };
        Finding::new(rule, level, function, Vec::new(), message.to_owned(), primary)
    };
    let mut error = finding(
        "coroutine-call",
        Level::Error,
        "img_sync",
        "`coroutine_fn` `bdrv_co_flush` called from unmarked `img_sync`",
        span("img.c", 5, 12),
        "called here",
    );
    let marked = "`bdrv_co_flush` is marked `coroutine_fn` here".to_owned();
    error.secondary.push(Label { at: span("include/block.h", 1, 18), text: marked });
    let text = "`main` calls `img_sync` in non-coroutine context".to_owned();
    error.notes.push(Note { text, at: Some(span("img.c", 10, 9)) });
    let text = "this note is so long that it does not fit into a line of eighty characters, whatever stands before it, and \
                it goes on until it does not fit into one of a hundred and twenty either";
    error.notes.push(Note { text: text.to_owned(), at: None });
    error.help.push("call the wrapper `bdrv_flush` instead of `bdrv_co_flush`".to_owned());
    let long = "call through `BlockDriver::bdrv_co_flush_to_disk` in coroutine context may reach `bdrv_drain_all_begin`, \
                which blocks in `aio_poll`";
    let mut warning =
        finding("blocking-call", Level::Warning, "main", long, span("img.c", 10, 9), "a label that is not wrapped");
    let text = "declared in a file that is not there".to_owned();
    warning.secondary.push(Label { at: span("/usr/include/gone.h", 3, 7), text });
    let note = finding("mixed-call", Level::Note, "main", "wrapper called", span("gone.c", 70, 2), "called here");
    vec![error, warning, note]
}

fn problems() -> Vec<Problem> {
    let problem = |file: &str, message: &str, at, help: Option<&str>| Problem {
        file: PathBuf::from(file),
        kind: ProblemKind::Parse,
        message: message.to_owned(),
        at,
        help: help.map(str::to_owned),
    };
    let mut problems: Vec<Problem> = (1..=7)
        .map(|number| {
            let at = Some(span("include/y.h", 4, 10));
            problem(&format!("unit{number}.c"), "'x.h' file not found", at, Some("build the generated headers first"))
        })
        .collect();
    problems.push(problem("crash.c", "libclang crashed", None, None));
    problems
}

fn summary() -> Summary {
    Summary {
        units: 14,
        failed_units: 8,
        other_languages: BTreeMap::from([("C++".to_owned(), 2), ("assembler".to_owned(), 1)]),
        functions: 132,
        calls: 316,
        errors: 1,
        warnings: 1,
        notes: 1,
        unknown: Unknown { unresolved_calls: 0, bodies: 1, generated_files: 2 },
        packs: vec![PackSummary {
            name: "qemu".to_owned(),
            words: SummaryWords {
                inside_only: Some("coroutine-only".to_owned()),
                outside_only: Some("non-coroutine-only".to_owned()),
                entry: None,
                creation: Some("coroutine creation".to_owned()),
            },
            inside_only: 54,
            outside_only: 9,
            entries: 0,
            wrappers: 7,
            creations: 1,
            pointer_calls: 3,
            partly_known_calls: 12,
        }],
        compared: Some(Comparison {
            baseline: Some(("known.json".to_owned(), 7)),
            upgrade: None,
            since: Some("HEAD (0123456789ab)".to_owned()),
            known: 1,
            not_read: vec!["new.c".to_owned(), "newer.c".to_owned()],
            by_lines: None,
        }),
    }
}

fn details() -> Details {
    Details {
        parsing: ParseDetails {
            clang: "clang version 19.1.7 (libclang.so)".to_owned(),
            marks: vec![MarkLocation { mark: "coroutine_fn".to_owned(), path: "include/osdep.h".into(), line: 12 }],
            unknown_arguments: BTreeMap::from([("-fnew".to_owned(), 2)]),
        },
        unmatched: vec![UnmatchedEntries {
            pack: "qemu".to_owned(),
            marks: Vec::new(),
            models: vec!["g_old".to_owned()],
            cuts: vec![UnmatchedCut { caller: "blk_drain".to_owned(), callee: "aio_poll".to_owned() }],
        }],
        not_compared: vec!["gen.c: cannot be compared, because it was not read".to_owned()],
        sharing: SharingStats {
            units: 5,
            headers: 2,
            reused: 1,
            refusals: BTreeMap::from([("the search path is unknown".to_owned(), 3)]),
            differing: vec![("img.c".into(), "include/block.h".into())],
        },
        cache_failure: Some("disk full".to_owned()),
        memory: MemoryUse { own: 512 << 20, worker: 300 << 20, limit: 4 << 30 },
    }
}

fn why() -> Answer {
    let declared = |path, line, text: &str| Label { at: span(path, line, 12), text: text.to_owned() };
    Answer::Why(vec![Explanation {
        function: "img_sync".to_owned(),
        requirement: "unmarked: nothing is required of its callers".to_owned(),
        declarations: vec![declared("img.c", 3, "defined here")],
        inferences: vec![
            Inference {
                text: "in non-coroutine context, `img_sync` leads to what is coroutine-only: `bdrv_co_flush`, by a chain of \
                       calls"
                    .to_owned(),
                witnesses: vec![witness()],
                more: 2,
            },
            Inference { text: "`img_sync` is never called in coroutine context".to_owned(), witnesses: vec![], more: 0 },
        ],
    }])
}

/// A call chain through two files.
fn witness() -> Witness {
    let label = |at, text: &str| Label { at, text: text.to_owned() };
    Witness {
        remarks: vec!["all of it in non-coroutine context".to_owned(), "through 2 function pointers".to_owned()],
        steps: vec![
            label(span("img.c", 10, 9), "`main` calls `img_sync`"),
            label(span("img.c", 5, 12), "`img_sync` calls `bdrv_co_flush`"),
        ],
        grounds: vec![
            label(span("include/block.h", 1, 18), "`bdrv_co_flush` is marked `coroutine_fn`"),
            label(span("gone.h", 4, 1), "a place in a file that is not there"),
        ],
    }
}

fn answer(answer: Answer, format: AnswerFormat, style: Style) -> String {
    let directory = tree();
    let tree = Tree { root: directory.path().to_path_buf(), build: None };
    let result = QueryResult { answer, tree, unread_units: 0 };
    let mut out = Vec::new();
    render_answer(&result, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn span(path: &str, line: u32, column: u32) -> Span {
    Span { path: PathBuf::from(path), line, column }
}
