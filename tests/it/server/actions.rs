//! What can be done about findings.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{Client, apply, at, capabilities, parameters, uri};
use super::{Tree, expected, fresh};

/// A server that shows a file with findings.
fn started(tree: &Tree, capabilities: Value, file: &str) -> (Client, String) {
    let mut client = Client::start_with(&tree.root, &[], parameters(&[&tree.root], capabilities));
    let text = client.open(file);
    client.settle();
    (client, text)
}

fn title(action: &Value) -> &str {
    action["title"].as_str().unwrap()
}

/// The line of the first finding with a code, and its fingerprint.
fn first(client: &Client, file: &str, code: &str) -> (u32, String) {
    let found = client.of(file).into_iter().find(|found| found["code"] == code).unwrap();
    let line = found["range"]["start"]["line"].as_u64().unwrap() as u32;
    (line, found["data"]["fingerprint"].as_str().unwrap().to_owned())
}

fn has(client: &Client, file: &str, fingerprint: &str) -> bool {
    client.of(file).iter().any(|found| found["data"]["fingerprint"] == fingerprint)
}

#[test]
fn a_fix_is_an_edit_that_removes_its_finding() {
    let tree = Tree::miniblock();
    let (mut client, text) = started(&tree, capabilities(), "mini-img.c");
    let found = client.of("mini-img.c").into_iter().find(|found| found["code"] == "coroutine-call").unwrap();
    let (line, fingerprint) = first(&client, "mini-img.c", "coroutine-call");
    let actions = client.actions("mini-img.c", line);
    let fix = actions.iter().find(|action| title(action).contains("call `bdrv_flush` instead")).unwrap();
    assert_eq!((&fix["kind"], &fix["diagnostics"]), (&json!("quickfix"), &json!([found])));
    // It calls another function.
    assert!(title(fix).ends_with("(unsafe: it can change what the program does)"), "{fix}");
    assert!(fix.get("isPreferred").is_none());
    let change = &fix["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({ "uri": uri(&tree.path("mini-img.c")), "version": 1 }));
    let mut texts = BTreeMap::from([(uri(&tree.path("mini-img.c")), text)]);
    apply(&fix["edit"], &mut texts);
    client.change("mini-img.c", 2, &texts[&uri(&tree.path("mini-img.c"))]);
    client.until("the finding is gone", |client| !has(client, "mini-img.c", &fingerprint));
    client.shut_down();
}

#[test]
fn a_safe_fix_is_preferred_and_edits_files_that_are_not_open() {
    let tree = Tree::with(&[
        ("include/marks.h", "#define coroutine_fn\nvoid coroutine_fn co_work(void);\nvoid both(void);\n"),
        ("a.c", "#include \"marks.h\"\nvoid coroutine_fn both(void)\n{\n    co_work();\n}\n"),
    ]);
    let mut client_can = capabilities();
    client_can["workspace"] = json!({});
    let mut client = Client::start_with(&tree.root, &[], parameters(&[&tree.root], client_can));
    client.open("a.c");
    client.until("the finding", |client| client.summary().len() == 1);
    let file = client.summary()[0].0.clone();
    let (line, _) = first(&client, &file, "mark-mismatch");
    let actions = client.actions(&file, line);
    let fix = actions.iter().find(|action| action["isPreferred"] == true).unwrap();
    assert!(!title(fix).contains("unsafe"), "{fix}");
    // Without versions, since the client does not know them.
    assert!(fix["edit"].get("documentChanges").is_none());
    let header = uri(&tree.path("include/marks.h"));
    let mut texts = BTreeMap::from([(header.clone(), tree.read("include/marks.h"))]);
    apply(&fix["edit"], &mut texts);
    assert!(texts[&header].contains("coroutine_fn both("), "{texts:?}");
    tree.write("include/marks.h", &texts[&header]);
    client.until("nothing to report", |client| client.summary().is_empty());
    client.shut_down();
}

#[test]
fn a_file_that_has_changed_on_the_disk_is_not_edited() {
    let text = "#define coroutine_fn\nvoid coroutine_fn co_work(void);\nvoid both(void);\n";
    let tree = Tree::with(&[
        ("include/marks.h", text),
        ("a.c", "#include \"marks.h\"\nvoid coroutine_fn both(void)\n{\n    co_work();\n}\n"),
    ]);
    let mut client = Client::start(&tree.root);
    client.open("a.c");
    let mut refusals = 0;
    for number in 0..30 {
        client.until("the finding", |client| client.summary().len() == 1);
        let file = client.summary()[0].0.clone();
        let (line, _) = first(&client, &file, "mark-mismatch");
        // The server may notice this before it answers, or afterwards.
        let changed = format!("{}{text}", "\n".repeat(number + 1));
        tree.write("include/marks.h", &changed);
        for action in client.actions(&file, line) {
            let is_refused =
                action["disabled"]["reason"] == "include/marks.h has changed on the disk since cowrap read it";
            refusals += usize::from(is_refused);
            let mut texts = BTreeMap::from([(uri(&tree.path("include/marks.h")), changed.clone())]);
            if action["isPreferred"] == true {
                apply(&action["edit"], &mut texts);
                let edited = &texts[&uri(&tree.path("include/marks.h"))];
                assert_eq!(*edited, changed.replace("void both", "void coroutine_fn both"));
            }
        }
        let now = expected(&tree.root);
        client.until("the finding", |client| client.summary() == now);
    }
    assert!(refusals > 0, "the server always noticed the change first");
    client.shut_down();
}

#[test]
fn all_safe_fixes_of_a_file_are_one_action() {
    let tree = Tree::miniblock();
    let (mut client, text) = started(&tree, capabilities(), "block.c");
    let all = |client: &mut Client, only: Value| {
        let range = json!({ "start": at(0, 0), "end": at(0, 0) });
        let params = json!({ "textDocument": { "uri": uri(&tree.path("block.c")) }, "range": range,
            "context": { "diagnostics": [], "only": only } });
        client.request("textDocument/codeAction", params)
    };
    let actions = all(&mut client, json!(["source.fixAll"]));
    assert_eq!((actions.as_array().unwrap().len(), &actions[0]["kind"]), (1, &json!("source.fixAll.cowrap")));
    assert_eq!(all(&mut client, json!(["refactor"])), Value::Null);
    assert_eq!(all(&mut client, json!(["quickfix"])), Value::Null, "no finding is on the first line");
    let mut texts: BTreeMap<String, String> = BTreeMap::from([(uri(&tree.path("block.c")), text)]);
    let changes = actions[0]["edit"]["documentChanges"].as_array().unwrap();
    for change in changes {
        let uri = change["textDocument"]["uri"].as_str().unwrap();
        let path = uri.strip_prefix("file://").unwrap();
        texts.entry(uri.to_owned()).or_insert_with(|| std::fs::read_to_string(path).unwrap());
    }
    apply(&actions[0]["edit"], &mut texts);
    for (uri, text) in &texts {
        std::fs::write(uri.strip_prefix("file://").unwrap(), text).unwrap();
    }
    client.change("block.c", 2, &texts[&uri(&tree.path("block.c"))]);
    // `zero_tail` and the definition of `bdrv_co_truncate` have their marks.
    let left = expected(&tree.root);
    assert!(!left.iter().any(|(file, .., message)| file == "block.c" && message.contains("zero_tail")), "{left:#?}");
    client.until("what is left", |client| client.summary() == left);
    client.shut_down();
}

#[test]
fn a_comment_suppresses_a_finding() {
    for snippets in [true, false] {
        let tree = Tree::miniblock();
        let mut client_can = capabilities();
        client_can["workspace"]["workspaceEdit"]["snippetEditSupport"] = json!(snippets);
        let (mut client, text) = started(&tree, client_can, "job.c");
        let findings = fresh(&tree.root).findings;
        let mut texts = BTreeMap::from([(uri(&tree.path("job.c")), text)]);
        let mut version = 1;
        for code in ["coroutine-call", "pointer-loses-mark", "unmarked-entry"] {
            let (line, fingerprint) = first(&client, "job.c", code);
            let actions = client.actions("job.c", line);
            let wanted = format!("suppress `{code}` here");
            let action = actions.iter().find(|action| title(action).starts_with(&wanted)).unwrap();
            let edit = &action["edit"]["documentChanges"][0]["edits"][0];
            match snippets {
                true => assert!(edit["snippet"]["value"].as_str().unwrap().contains(" ${1:reason} */"), "{edit}"),
                false => assert!(edit["newText"].as_str().unwrap().contains(" FIXME: reason */"), "{edit}"),
            }
            apply(&action["edit"], &mut texts);
            version += 1;
            client.change("job.c", version, &texts[&uri(&tree.path("job.c"))]);
            client.until("it is suppressed", |client| !has(client, "job.c", &fingerprint));
        }
        // The comments suppress nothing else, and none of them is unused or malformed.
        let before = findings.iter().filter(|finding| finding.primary.at.path.to_str() == Some("job.c")).count();
        tree.write("job.c", &texts[&uri(&tree.path("job.c"))]);
        let left = expected(&tree.root);
        let of_file: Vec<_> = left.iter().filter(|(file, ..)| file == "job.c").collect();
        assert_eq!(of_file.len(), before - 3, "{of_file:#?}");
        client.shut_down();
    }
}

#[test]
fn a_finding_is_added_to_the_baseline() {
    let tree = Tree::miniblock();
    let (mut client, _) = started(&tree, capabilities(), "block.c");
    let before = client.of("block.c").len();
    let mut added = Vec::new();
    for code in ["coroutine-call", "blocking-call"] {
        let (line, fingerprint) = first(&client, "block.c", code);
        // The tree is opened again when the baseline changes.
        client.settle();
        let actions = client.actions("block.c", line);
        let action = actions.iter().find(|action| title(action) == "add this finding to the baseline").unwrap();
        let command = &action["command"];
        let arguments = json!({ "command": command["command"], "arguments": command["arguments"] });
        assert_eq!(client.request("workspace/executeCommand", arguments.clone()), Value::Null);
        client.until("it is known", |client| !has(client, "block.c", &fingerprint));
        added.push(fingerprint);
        let baseline = tree.read(".cowrap-baseline.json");
        assert_eq!(baseline.lines().count(), added.len() + 2, "{baseline}");
        assert!(added.iter().all(|fingerprint| baseline.contains(fingerprint.as_str())), "{baseline}");
        client.settle();
        let response = client.response("workspace/executeCommand", arguments);
        assert_eq!(response["error"]["message"], "the finding does not exist any more");
    }
    client.until("the others are there", |client| client.of("block.c").len() == before - 2);
    // What it cannot add to, it says.
    tree.write(".cowrap-baseline.json", "{}");
    client.until("the problem is shown", |client| {
        client.shown().iter().any(|shown| shown.contains("not a cowrap baseline"))
    });
    assert_eq!(tree.read(".cowrap-baseline.json"), "{}");
    std::fs::remove_file(tree.path(".cowrap-baseline.json")).unwrap();
    client.until("all are there", |client| client.of("block.c").len() == before);
    client.shut_down();
}

#[test]
fn a_baseline_of_the_previous_version_is_not_written() {
    let tree = Tree::miniblock();
    let baseline = "[{\"cowrap-baseline\":1}\n,{\"path\":\"mini-img.c\",\"rule\":\"coroutine-call\",\
                    \"function\":\"img_sync\",\"message\":\"as it was worded\",\
                    \"fingerprint\":\"00000000000000000000000000000001\"}\n]\n";
    tree.write(".cowrap-baseline.json", baseline);
    let mut client = Client::start(&tree.root);
    let is_shown = |client: &Client| client.shown().iter().any(|shown| shown.contains("previous baseline format"));
    client.until("the warning", is_shown);
    let text = client.open("mini-img.c");
    client.change("mini-img.c", 2, "int a;\n");
    client.until("none", |client| client.of("mini-img.c").is_empty());
    client.change("mini-img.c", 3, &text);
    client.until("some", |client| !client.of("mini-img.c").is_empty());
    assert_eq!((client.shown().len(), tree.read(".cowrap-baseline.json").as_str()), (1, baseline));
    client.shut_down();
}

#[test]
fn without_a_baseline_nothing_is_added_to_it() {
    let tree = Tree::miniblock();
    let params = parameters(&[&tree.root], capabilities());
    let mut client = Client::start_with(&tree.root, &["--no-baseline"], params);
    client.open("block.c");
    client.settle();
    let (line, _) = first(&client, "block.c", "coroutine-call");
    let titles: Vec<String> = client.actions("block.c", line).iter().map(|action| title(action).to_owned()).collect();
    assert!(!titles.is_empty() && !titles.iter().any(|title| title.contains("baseline")), "{titles:?}");
    client.shut_down();
}

#[test]
fn a_fix_that_cannot_be_applied_says_why() {
    // The mark would have to be written into a macro.
    let tree = Tree::with(&[
        ("include/marks.h", "#define coroutine_fn\nvoid coroutine_fn co_work(void);\n"),
        (
            "a.c",
            "#include \"marks.h\"\n#define DEFINE(name) static void name(void)\nDEFINE(outer)\n{\n    co_work();\n}\n\
                 void coroutine_fn start(void);\nvoid coroutine_fn start(void)\n{\n    outer();\n}\n",
        ),
    ]);
    let report = fresh(&tree.root);
    let obstacles = report.findings.iter().flat_map(|finding| &finding.fixes).filter_map(|fix| fix.obstacle.clone());
    let obstacles: Vec<String> = obstacles.collect();
    assert!(!obstacles.is_empty(), "{:#?}", report.findings);
    for disabled in [true, false] {
        let mut client_can = capabilities();
        client_can["textDocument"]["codeAction"]["disabledSupport"] = json!(disabled);
        let mut client = Client::start_with(&tree.root, &[], parameters(&[&tree.root], client_can));
        client.open("a.c");
        client.settle();
        let line = client.of("a.c")[0]["range"]["start"]["line"].as_u64().unwrap() as u32;
        let actions = client.actions("a.c", line);
        let reasons: Vec<&str> = actions.iter().filter_map(|action| action["disabled"]["reason"].as_str()).collect();
        let expected: Vec<&str> = if disabled { obstacles.iter().map(String::as_str).collect() } else { Vec::new() };
        assert_eq!(reasons, expected);
        client.shut_down();
    }
}
