//! The diagnostics that a server publishes.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, capabilities, parameters, uri};
use super::{Tree, expected, fresh};

#[test]
fn the_findings_of_the_whole_tree_are_published() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let expected = expected(&tree.root);
    assert!(expected.len() > 30, "{expected:#?}");
    client.until("all findings", |client| client.summary() == expected);
    client.shut_down();
}

#[test]
fn a_diagnostic_has_what_a_finding_has() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let text = client.open("mini-img.c");
    client.settle();
    let report = fresh(&tree.root);
    let finding = report.findings.iter().find(|finding| finding.function == "img_sync").unwrap();
    let all = client.of("mini-img.c");
    let found = all.iter().find(|found| found["data"]["fingerprint"] == finding.fingerprint.as_str()).unwrap();
    assert_eq!(
        (&found["source"], &found["code"], &found["severity"]),
        (&json!("cowrap"), &json!("coroutine-call"), &json!(1))
    );
    let message = found["message"].as_str().unwrap();
    assert_eq!(message.lines().next(), Some(finding.message.as_str()));
    assert!(message.contains("\nhelp: "), "{message}");
    let line = text.lines().nth(finding.primary.at.line as usize - 1).unwrap();
    let word = &line[found["range"]["start"]["character"].as_u64().unwrap() as usize
        ..found["range"]["end"]["character"].as_u64().unwrap() as usize];
    assert_eq!(word, "bdrv_co_flush");
    // The other labels, then the steps of the witness.
    let notes = finding.notes.iter().filter_map(|note| Some((note.at.as_ref()?, &note.text)));
    let steps = finding.secondary.iter().map(|label| (&label.at, &label.text)).chain(notes);
    let steps: Vec<Value> =
        steps.map(|(at, text)| json!([uri(&tree.path(at.path.to_str().unwrap())), at.line - 1, text])).collect();
    let related = found["relatedInformation"].as_array().unwrap();
    let related: Vec<Value> = related
        .iter()
        .map(|step| json!([step["location"]["uri"], step["location"]["range"]["start"]["line"], step["message"]]))
        .collect();
    assert!(!steps.is_empty());
    assert_eq!(related, steps);
    // The page of the rule is there as long as the server is.
    let page = found["codeDescription"]["href"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("# "));
    let unused = all.iter().find(|found| found["code"] == "unused-suppression").unwrap();
    assert_eq!((&unused["tags"], &unused["severity"]), (&json!([1]), &json!(2)));
    client.shut_down();
    assert!(!std::path::Path::new(&page).exists());
}

#[test]
fn a_client_that_can_do_little_gets_everything() {
    let tree = Tree::miniblock();
    let mut client = Client::start_with(&tree.root, &[], parameters(&[&tree.root], json!({})));
    client.until("findings", |client| client.codes("job.c").contains(&"pointer-loses-mark".to_owned()));
    assert!(client.offered.get("codeActionProvider").is_none());
    for found in client.published.values().flat_map(|published| published["diagnostics"].as_array().unwrap()) {
        for key in ["relatedInformation", "codeDescription", "tags"] {
            assert!(found.get(key).is_none(), "{found}");
        }
    }
    let all = client.of("job.c");
    let found = all.iter().find(|found| found["code"] == "pointer-loses-mark").unwrap();
    let message = found["message"].as_str().unwrap();
    assert!(message.contains("\njob.c:"), "the steps are part of the message: {message}");
    assert!(!client.log.iter().any(|message| message["method"] == "$/progress"));
    client.shut_down();
}

#[test]
fn an_edit_of_a_header_publishes_what_it_breaks_in_files_that_are_not_open() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let header = "include/block/block-io.h";
    let text = client.open(header);
    let before = expected(&tree.root);
    client.until("all findings", |client| client.summary() == before);
    let (raw, img) = (client.publications("block/raw.c"), client.publications("mini-img.c"));

    // Whoever calls the wrapper calls a coroutine function now.
    let marked = text.replace("int co_wrapper_bdrv_rdlock bdrv_flush", "int coroutine_fn bdrv_flush");
    client.change(header, 2, &marked);
    let is_broken = |client: &Client| {
        client.summary().iter().any(|(file, _, _, code, message)| {
            file == "mini-img.c" && code == "coroutine-call" && message.contains("`bdrv_flush`")
        })
    };
    client.until("new findings", is_broken);
    let now = {
        tree.write(header, &marked);
        let now = expected(&tree.root);
        tree.write(header, &text);
        now
    };
    assert_ne!(now, before);
    client.until("all that it breaks", |client| client.summary() == now);
    // The rest of the tree is read after the first analysis.
    client.listen(Duration::from_secs(1));
    assert_eq!(client.summary(), now);
    assert_eq!(client.publications("block/raw.c"), raw, "nothing has changed there");

    client.change(header, 3, &text);
    client.until("the findings before", |client| client.summary() == before);
    assert!(client.publications("mini-img.c") > img);
    client.shut_down();
}

/// With one worker, all but the open files are read after a first analysis has been shown.
#[test]
fn what_is_shown_first_takes_nothing_back() {
    let tree = Tree::miniblock();
    let mut client = Client::start_with(&tree.root, &["--jobs", "1"], parameters(&[&tree.root], capabilities()));
    client.settle();
    assert!(client.codes("mini-img.c").contains(&"unused-suppression".to_owned()));
    // All units read it, and nothing that is said about them changes.
    let text = client.open("include/qemu/osdep.h");
    for version in 2..5 {
        let before = client.log.len();
        client.change("include/qemu/osdep.h", version, &format!("{text}{}", "\n".repeat(version as usize)));
        client.listen(Duration::from_secs(2));
        let sent = client.log[before..].iter().filter(|message| message["method"] == "textDocument/publishDiagnostics");
        assert_eq!(sent.collect::<Vec<_>>(), Vec::<&Value>::new());
    }
    client.settle();
    client.shut_down();
}

#[test]
fn a_unit_that_cannot_be_read_is_a_diagnostic() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let text = client.open("block/raw.c");
    client.until("findings", |client| !client.codes("job.c").is_empty());
    client.change("block/raw.c", 2, &text.replace("return first == 'R';", "return first == ;"));
    client.until("the problem", |client| client.codes("block/raw.c").contains(&"parse".to_owned()));
    let problem = client.of("block/raw.c").into_iter().find(|found| found["code"] == "parse").unwrap();
    assert_eq!(problem["severity"], 2);
    assert!(problem["message"].as_str().unwrap().starts_with("this file was not checked: "), "{problem}");
    assert!(problem["range"]["start"]["line"].as_u64().unwrap() > 50, "{problem}");
    client.change("block/raw.c", 3, &text);
    client.until("no problem", |client| !client.codes("block/raw.c").contains(&"parse".to_owned()));
    // An error in a header is one diagnostic, however many units it stops.
    let header = "include/block/block-io.h";
    let text = client.open(header);
    client.change(header, 2, &text.replace("#endif", "int = ;\n#endif"));
    client.until("the problem", |client| client.codes(header).contains(&"parse".to_owned()));
    let problem = client.of(header).into_iter().find(|found| found["code"] == "parse").unwrap();
    assert!(problem["message"].as_str().unwrap().contains("translation units were not checked"), "{problem}");
    assert!(problem["relatedInformation"].as_array().unwrap().len() > 1);
    let all = client.summary();
    assert_eq!(all.iter().filter(|(.., code, _)| code == "parse").count(), 1, "{all:#?}");
    client.shut_down();
}

const MARKS: &str = "#define coroutine_fn\nint coroutine_fn co_work(int);\n";

#[test]
fn positions_count_what_the_client_counts() {
    let line = "int f(void) { /* \u{e4}\u{1d11e} */ return co_work(1); }\n";
    for (encoding, character) in [("utf-8", 34), ("utf-16", 31), ("utf-32", 30)] {
        let tree = Tree::with(&[("include/marks.h", MARKS), ("a.c", &format!("#include \"marks.h\"\n{line}"))]);
        let mut client_can = capabilities();
        client_can["general"]["positionEncodings"] = json!([encoding]);
        let mut client = Client::start_with(&tree.root, &[], parameters(&[&tree.root], client_can));
        assert_eq!(client.offered["positionEncoding"], encoding);
        client.until("the finding", |client| !client.of("a.c").is_empty());
        let range = &client.of("a.c")[0]["range"];
        let expected =
            json!({ "start": { "line": 1, "character": character }, "end": { "line": 1, "character": character + 7 } });
        assert_eq!(*range, expected, "{encoding}");
        // In memory, too.
        client.open("a.c");
        client.change("a.c", 2, &format!("#include \"marks.h\"\n\n{line}"));
        client.until("it moved", |client| {
            client.of("a.c").first().is_some_and(|found| found["range"]["start"]["line"] == 2)
        });
        assert_eq!(client.of("a.c")[0]["range"]["start"]["character"], character, "{encoding}");
        client.shut_down();
    }
}

#[test]
fn a_file_need_not_be_utf_8_and_may_end_lines_in_any_way() {
    let tree = Tree::with(&[("include/marks.h", MARKS), ("a.c", ""), ("b.c", "")]);
    tree.write("a.c", b"#include \"marks.h\"\nint f(void) { /* \xe4\xf6 */ return co_work(1); }\n");
    tree.write("b.c", "#include \"marks.h\"\r\n/* \u{e4} */\r\nint g(void) { /* \u{e4} */ return co_work(1); }\r\n");
    let mut client = Client::start(&tree.root);
    client.until("the findings", |client| !client.of("a.c").is_empty() && !client.of("b.c").is_empty());
    // Each byte is a character: "int f(void) { /* .. */ return ".
    assert_eq!(client.of("a.c")[0]["range"]["start"], json!({ "line": 1, "character": 30 }));
    assert_eq!(client.of("b.c")[0]["range"]["start"], json!({ "line": 2, "character": 29 }));
    // The editor shows it in Latin-1, and sends it in UTF-8.
    client.open_as(
        &uri(&tree.path("a.c")),
        "#include \"marks.h\"\nint f(void) { /* \u{e4}\u{f6} */ return co_work(1); }\n",
    );
    client.until("the version", |client| client.published[&uri(&tree.path("a.c"))]["version"] == 1);
    assert_eq!(client.of("a.c")[0]["range"]["start"], json!({ "line": 1, "character": 30 }));
    client.shut_down();
}
