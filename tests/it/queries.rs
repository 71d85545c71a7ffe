//! Queries: their answers through the library, their output through the command line.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use cowrap_analysis::effects::Effects;
use cowrap_analysis::queries::{self, QueryError, Selection};
use cowrap_report::{Direction, EdgeKind, Witness};
use cowrap_session::{Index, Input, Progress, Request};
use serde_json::Value;

struct Silent;

impl Progress for Silent {
    fn start(&self, _units: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn index(tree: &str) -> Index {
    let tree = testdata().join(tree);
    let request = Request { jobs: 1, ..Request::new(Input::Database(Some(tree.clone())), tree) };
    let index = cowrap_session::index(&request, &Silent).unwrap();
    assert!(index.problems.is_empty(), "{:?}", index.problems);
    index
}

/// The paths of an expression, as their vertices.
fn paths(effects: &Effects<'_>, expression: &str) -> Vec<String> {
    let found = queries::paths(effects, expression, 1000).unwrap_or_else(|error| panic!("{expression}: {error}"));
    found.paths.into_iter().map(|path| path.remarks.join("; ")).collect()
}

/// All ways in which a function can call another. vrc has no edge for some of them.
#[test]
fn each_construct_calls_its_target_and_nothing_else() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let constructs = [
        "name",
        "macro",
        "statement_expression",
        "cleanup",
        "field",
        "deref",
        "anonymous",
        "designated",
        "positional",
        "nested",
        "conditional",
        "cast",
        "local_struct",
        "static_local",
        "compound",
        "struct_copy",
        "local",
        "global",
        "table",
        "element",
        "parameter",
        "passed_on",
        "returned",
    ];
    for construct in constructs {
        let to = paths(&effects, &format!("by_{construct} ... to_{construct}"));
        assert_eq!(to.len(), 1, "{construct}");
        let not = paths(&effects, &format!("by_{construct} ... not_{construct}"));
        assert!(not.is_empty(), "{construct}: {not:?}");
    }
    let text = std::fs::read_to_string(testdata().join("constructs/constructs.c")).unwrap();
    for target in text.lines().filter_map(|line| line.strip_prefix("TARGET(")?.strip_suffix(')')) {
        assert!(constructs.contains(&target) || target == "entry", "{target} is in the list");
    }
}

#[test]
fn a_creators_parameter_points_to_entry_points() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let found = paths(&effects, "\"parameter 1 of qemu_coroutine_create\" to_entry_co to_entry");
    assert_eq!(found, ["parameter 1 of qemu_coroutine_create → to_entry_co → to_entry"]);
}

#[test]
fn unevaluated_operands_and_unchosen_arms_are_not_calls() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    assert_eq!(paths(&effects, "by_sizeof []"), ["by_sizeof → to_chosen"]);
}

#[test]
fn static_functions_of_one_name_are_different_functions() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    assert_eq!(paths(&effects, "twin_user twin far"), ["twin_user → twin → far"]);
    assert!(paths(&effects, "twin_here twin far").is_empty());
    let both = queries::why(&effects, "twin", None, false).unwrap();
    let names: Vec<&str> = both.iter().map(|explanation| explanation.function.as_str()).collect();
    assert_eq!(names, ["constructs.c:twin", "twin.c:twin"]);
    let one = queries::why(&effects, "twin.c:twin", None, false).unwrap();
    assert_eq!(one.len(), 1);
}

#[test]
fn a_mark_comes_with_a_typedef() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let labels = |name: &str| {
        let all = queries::graph(&effects, &Selection::Everything, None, &[]).unwrap();
        all.nodes.into_iter().find(|node| node.name == name).map(|node| node.labels)
    };
    // Nothing is stored there or called through, so that only the unit's own facts could know of the second.
    assert_eq!(labels("to_entry_co").unwrap(), ["coroutine-only", "coroutine_fn", "defined"]);
    let parameter = labels("parameter 1 of qemu_coroutine_create").unwrap();
    assert_eq!(parameter, ["coroutine-only", "coroutine_fn", "function_pointer"]);
}

#[test]
fn calls_have_locations_and_contexts() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let callers = |name: &str| queries::related(&effects, name, Direction::Callers, false, false).unwrap().remove(0);
    let inside = callers("to_inside").relations.remove(0);
    assert_eq!((inside.from.as_str(), inside.context.as_str()), ("by_guard", "in coroutine context"));
    let at = inside.at.unwrap();
    let text = std::fs::read_to_string(testdata().join("constructs").join(&at.path)).unwrap();
    let line = text.lines().nth(at.line as usize - 1).unwrap();
    assert_eq!(&line[at.column as usize - 1..], "to_inside();");
    assert_eq!(callers("to_outside").relations.remove(0).context, "in non-coroutine context");
    assert_eq!(callers("to_name").relations.remove(0).context, "in both contexts");
}

#[test]
fn callers_include_slots_and_on_request_transitive_callers() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let ask = |transitive, named| {
        let related = queries::related(&effects, "to_passed_on", Direction::Callers, transitive, named).unwrap();
        let relations = related.into_iter().flat_map(|related| related.relations);
        relations.map(|relation| (relation.distance, relation.from)).collect::<Vec<_>>()
    };
    // The function is in both functions' parameters, and one of them calls it.
    let parameter = |function: &str| (1, format!("parameter 1 of {function}"));
    assert_eq!(
        ask(false, false),
        [parameter("call_parameter"), parameter("pass_on"), (1, "call_parameter".to_owned())]
    );
    let all = ask(true, false);
    for (distance, caller) in [(1, "call_parameter"), (2, "by_parameter"), (2, "pass_on"), (3, "by_passed_on")] {
        assert!(all.contains(&(distance, caller.to_owned())), "{caller}: {all:?}");
    }
    assert!(ask(true, true).is_empty());
}

#[test]
fn callees_are_transitive_on_request() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let ask = |transitive| {
        let related = queries::related(&effects, "by_cleanup", Direction::Callees, transitive, false).unwrap();
        let relations = related.into_iter().flat_map(|related| related.relations);
        relations.map(|relation| (relation.kind, relation.to)).collect::<Vec<_>>()
    };
    assert_eq!(ask(false), [(EdgeKind::Cleanup, "to_cleanup_int".to_owned())]);
    assert_eq!(
        ask(true),
        [(EdgeKind::Cleanup, "to_cleanup_int".to_owned()), (EdgeKind::Call, "to_cleanup".to_owned())]
    );
}

#[test]
fn expressions_choose_by_name_label_and_neighbourhood() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let ends = |expression: &str| {
        let mut ends: Vec<String> = paths(&effects, expression);
        ends.sort_unstable();
        ends
    };
    assert_eq!(ends("/^twin_/ [!external]"), ["twin_here → twin", "twin_user → twin"]);
    assert_eq!(ends("[coroutine_fn,defined]"), ["to_entry_co"]);
    assert_eq!(ends("twin:callers"), ["twin_here", "twin_user"]);
    assert_eq!(ends("[/^twin/,\"twin\":callers]"), ["twin_here", "twin_user"]);
    assert_eq!(ends("[\"far\":all_callers]"), ["twin", "twin_user"]);
    assert_eq!(ends("by_guard:callees"), ["qemu_in_coroutine", "to_inside", "to_outside"]);
    assert_eq!(ends("[defined,!/^(to|by|not)_/,!/twin|far/,!/call|choose|pass/]"), Vec::<String>::new());
    assert_eq!(ends("by_name | by_macro"), ["by_macro", "by_name"]);
    let tree = self::index("miniblock");
    let effects = Effects::new(&tree.program, tree.packs.first(), &tree.tree);
    let mixed = paths(&effects, "[mixed]");
    assert!(!mixed.is_empty() && mixed == paths(&effects, "[either]"), "the older name still works: {mixed:?}");
}

#[test]
fn paths_shows_the_shortest_path_to_each_end() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let found = queries::paths(&effects, "by_passed_on ...", 2).unwrap();
    let shown: Vec<&str> = found.paths.iter().map(|path| path.remarks[0].as_str()).collect();
    assert_eq!(shown, ["by_passed_on", "by_passed_on → pass_on"]);
    // call_parameter, its parameter, and what that holds.
    assert_eq!(found.more, 4);
}

#[test]
fn errors_suggest_similar_names() {
    let index = index("constructs");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let error = queries::why(&effects, "by_gaurd", None, false).unwrap_err();
    assert_eq!(error.to_string(), "no function is named `by_gaurd`; did you mean `by_guard`?");
    let error = queries::paths(&effects, "[corutine_fn]", 1).unwrap_err();
    assert_eq!(error.to_string(), "nothing matches `[corutine_fn]`; did you mean `coroutine_fn`?");
    let error = queries::paths(&effects, "by_nmae", 1).unwrap_err();
    assert!(matches!(error, QueryError::Nothing { similar, .. } if similar[0] == "by_name"));
    assert_eq!(
        queries::why(&effects, "nothing like it", None, false).unwrap_err().to_string(),
        "no function is named `nothing like it`"
    );
}

/// The answer of `why` for a function of miniblock.
fn explain(name: &str, to: Option<&str>) -> (String, Vec<(String, Vec<Witness>)>) {
    let index = index("miniblock");
    let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
    let explanation = queries::why(&effects, name, to, true).unwrap().remove(0);
    let inferences = explanation.inferences.into_iter().map(|inference| (inference.text, inference.witnesses));
    (explanation.requirement, inferences.collect())
}

#[test]
fn why_shows_requirements_and_where_a_function_leads() {
    let (requirement, inferences) = explain("bdrv_co_flush", None);
    assert_eq!(requirement, "coroutine-only, marked `coroutine_fn`");
    assert!(inferences.iter().all(|(text, _)| !text.contains("in non-coroutine context")), "{inferences:?}");
}

#[test]
fn why_says_where_an_unmarked_function_runs() {
    let requirement = |file: &str, name: &str| {
        let flags = vec!["-I".into(), testdata().join("include").into_os_string()];
        let input = Input::Files { files: vec![testdata().join("rules").join(file)], flags };
        let index = cowrap_session::index(&Request { jobs: 1, ..Request::new(input, testdata()) }, &Silent).unwrap();
        let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
        queries::why(&effects, name, None, false).unwrap().remove(0).requirement
    };
    let thread = "unmarked, passed to parameter 2 of `thread_pool_submit_co`, which runs it in another thread";
    assert_eq!(requirement("coroutine-call/workers.c", "reads"), thread);
    let coroutines = "unmarked, runs only in coroutine context, by its callers";
    assert_eq!(requirement("mixed-call/by_callers.c", "helper"), coroutines);
    let both = "unmarked, may be called in both contexts";
    assert_eq!(requirement("mixed-call/by_callers.c", "called_outside"), both);
}

// --- the command line --------------------------------------------------------------------------------------------------

fn cowrap(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
    let output = command.args(arguments).current_dir(testdata().join("miniblock")).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn exit_statuses_distinguish_no_path_from_errors() {
    let (status, out, _) = cowrap(&["paths", "img_sync", "...", "bdrv_co_flush"]);
    assert_eq!(status, 0);
    assert!(out.contains("img_sync → bdrv_co_flush") && out.contains("mini-img.c:36:12"), "{out}");
    let (status, out, _) = cowrap(&["paths", "bdrv_co_flush ... img_sync"]);
    assert_eq!((status, out.as_str()), (1, "no path found\n"));
    let (status, _, err) = cowrap(&["paths", "img_sync ("]);
    assert_eq!(status, 2);
    assert!(err.contains("img_sync (\n          ^ "), "{err}");
    let (status, _, err) = cowrap(&["why", "bdrv_co_flsh"]);
    assert_eq!(status, 2);
    assert!(err.contains("`bdrv_co_flush`"), "{err}");
}

#[test]
fn format_json_writes_a_versioned_document() {
    for arguments in
        [&["why", "img_sync"][..], &["callers", "img_sync"], &["callees", "img_sync"], &["paths", "img_sync"]]
    {
        let (status, out, _) = cowrap(&[arguments, &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &document["version"]), (0, &Value::from(2)), "{arguments:?}");
    }
}

#[test]
fn output_has_colours_only_on_request() {
    let plain = cowrap(&["why", "img_sync"]).1;
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(cowrap(&["why", "img_sync", "--color", "always"]).1.contains('\u{1b}'));
}

#[test]
fn graph_selects_around_a_function_and_between_two() {
    let json = |arguments: &[&str]| -> Value {
        let (status, out, err) = cowrap(&[arguments, &["--format", "json"]].concat());
        assert_eq!(status, 0, "{err}");
        serde_json::from_str::<Value>(&out).unwrap()["answer"].take()
    };
    let names = |graph: &Value| -> Vec<String> {
        graph["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
    };
    let between = json(&["graph", "--between", "img_sync", "qemu_coroutine_yield"]);
    assert!(names(&between).contains(&"bdrv_co_flush".to_owned()) || names(&between).len() >= 2, "{between}");
    let none = json(&["graph", "--around", "img_sync", "--depth", "0"]);
    assert_eq!(names(&none), ["img_sync"]);
    let one = json(&["graph", "--around", "img_sync", "--depth", "1"]);
    assert!(names(&one).contains(&"bdrv_co_flush".to_owned()));
    let broken = |graph: &Value| {
        let edges = graph["edges"].as_array().unwrap();
        edges.iter().filter(|edge| !edge["rules"].as_array().unwrap().is_empty()).count()
    };
    assert_eq!(broken(&one), 1, "{one}");
    let (_, dot, _) = cowrap(&["graph", "--around", "img_sync", "--depth", "1"]);
    assert!(dot.starts_with("digraph cowrap {\n") && dot.ends_with("}\n"), "{dot}");
    assert_eq!(dot.matches("color=red").count(), 1, "{dot}");
    assert_eq!(cowrap(&["graph", "--depth", "1"]).0, 2);
}
