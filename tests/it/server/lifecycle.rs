//! How a server starts and ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, capabilities, parameters, uri};
use super::{Tree, expected};

const NOT_INITIALIZED: i64 = -32002;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

#[test]
fn messages_in_a_wrong_order_are_refused() {
    let tree = Tree::miniblock();
    let mut client = Client::spawn(&tree.root, &[]);
    client.open("block.c");
    assert_eq!(client.response("textDocument/hover", json!({}))["error"]["code"], NOT_INITIALIZED);
    let offered = client.request("initialize", parameters(&[&tree.root], capabilities()));
    assert_eq!(offered["serverInfo"]["name"], "cowrap");
    assert_eq!(client.response("initialize", json!({}))["error"]["code"], INVALID_REQUEST);
    client.notify("initialized", json!({}));
    client.notify("initialized", json!({}));
    assert_eq!(client.response("textDocument/formatting", json!({}))["error"]["code"], METHOD_NOT_FOUND);
    assert_eq!(client.response("textDocument/hover", json!({}))["error"]["code"], INVALID_PARAMS);
    let unknown = json!({ "command": "rm", "arguments": [] });
    assert_eq!(client.response("workspace/executeCommand", unknown)["error"]["code"], INVALID_PARAMS);
    client.notify("$/unknown", json!([1]));
    assert_eq!(client.request("shutdown", Value::Null), Value::Null);
    assert_eq!(client.response("textDocument/hover", json!({}))["error"]["code"], INVALID_REQUEST);
    client.notify("exit", Value::Null);
    let (status, stderr) = client.end();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn it_offers_nothing_that_another_server_does() {
    let tree = Tree::miniblock();
    let client = Client::start(&tree.root);
    let offered: Vec<&str> = client.offered.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "callHierarchyProvider",
        "codeActionProvider",
        "executeCommandProvider",
        "hoverProvider",
        "implementationProvider",
        "positionEncoding",
        "textDocumentSync",
    ];
    assert_eq!(offered, expected, "lenses and hints are off unless asked for");
    let mut asking = parameters(&[&tree.root], capabilities());
    asking["initializationOptions"] = json!({ "codeLens": true, "inlayHints": true });
    let client = Client::start_with(&tree.root, &[], asking);
    assert!(client.offered["codeLensProvider"].is_object() && client.offered["inlayHintProvider"] == true);
}

#[test]
fn it_ends_with_the_client() {
    let tree = Tree::miniblock();
    // Without a request to shut down.
    let mut client = Client::start(&tree.root);
    client.notify("exit", Value::Null);
    assert_eq!(client.end().0.code(), Some(1));
    // Without a word.
    let mut client = Client::start(&tree.root);
    client.until("diagnostics", |client| !client.published.is_empty());
    let workers = children(client.child.id());
    assert!(!workers.is_empty(), "libclang runs in processes of its own");
    client.hang_up();
    assert_eq!(client.end().0.code(), Some(1));
    let deadline = Instant::now() + Duration::from_secs(60);
    while workers.iter().any(|worker| is_running(*worker)) {
        assert!(Instant::now() < deadline, "workers survive the server");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_ends_when_the_process_of_the_client_has_gone() {
    let tree = Tree::miniblock();
    let mut parent = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
    let mut params = parameters(&[&tree.root], capabilities());
    params["processId"] = json!(parent.id());
    // The input stays open, as if another process had inherited it.
    let mut client = Client::start_with(&tree.root, &[], params);
    client.until("diagnostics", |client| !client.published.is_empty());
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert_eq!(client.end().0.code(), Some(1));
}

#[test]
fn the_first_folder_with_a_database_is_checked() {
    let (without, tree) = (Tree::empty(), Tree::miniblock());
    let params = parameters(&[&without.root, &tree.root], capabilities());
    let mut client = Client::start_with(&tree.root, &[], params);
    client.until("diagnostics", |client| !client.codes("block.c").is_empty());
    assert!(client.shown().is_empty(), "{:?}", client.shown());
    client.shut_down();
}

#[test]
fn options_of_the_client_override_the_command_line() {
    let tree = Tree::miniblock();
    let mut params = parameters(&[&tree.root], capabilities());
    params["initializationOptions"] = json!({ "build": "compile_commands_gcc.json", "enable": ["eligible-mark"] });
    let mut client = Client::start_with(&tree.root, &["-p", "none"], params);
    let is_eligible = |client: &Client| client.summary().iter().any(|(.., code, _)| code == "eligible-mark");
    client.until("an opt-in rule", is_eligible);
    let (status, stderr) = client.shut_down();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let mut params = parameters(&[&tree.root], capabilities());
    params["initializationOptions"] = json!({ "bulid": "compile_commands.json", "packs": 1 });
    let mut client = Client::start_with(&tree.root, &[], params);
    client.until("diagnostics", |client| !client.published.is_empty());
    let (_, stderr) = client.shut_down();
    assert!(stderr.contains("unknown option `bulid`") && stderr.contains("`packs`: expected"), "{stderr}");
}

#[test]
fn the_first_reading_shows_progress_and_answers_at_once() {
    let tree = long_to_read();
    let mut client = Client::start_with(&tree.root, &["--jobs", "1"], parameters(&[&tree.root], capabilities()));
    let of = |client: &Client, kind: &str| !progress(client, kind).is_empty();
    client.until("progress", |client| of(client, "begin"));
    let hover =
        json!({ "textDocument": { "uri": uri(&tree.path("more0.c")) }, "position": { "line": 1, "character": 1 } });
    assert_eq!(client.request("textDocument/hover", hover), Value::Null);
    assert!(!of(&client, "end"), "the answer did not wait for the end");
    client.until("the end", |client| of(client, "end"));
    let percentages: Vec<u64> =
        client.log.iter().filter_map(|message| message["params"]["value"]["percentage"].as_u64()).collect();
    assert!(percentages.is_sorted() && percentages.iter().all(|percentage| *percentage <= 100), "{percentages:?}");
    client.shut_down();
}

#[test]
fn without_a_cache_the_tree_is_read_once() {
    for arguments in [&["--jobs", "1", "--no-cache"][..], &["--jobs", "1"]] {
        let tree = long_to_read();
        // No cache can be there.
        tree.write(".cache", "");
        let mut client = Client::start_with(&tree.root, arguments, parameters(&[&tree.root], capabilities()));
        let before = expected(&tree.root);
        assert!(!before.is_empty());
        client.until("findings", |client| client.summary() == before);
        client.until("the end", |client| !progress(client, "begin").is_empty() && !progress(client, "end").is_empty());
        // Reading the whole tree again would take so long that it shows progress again.
        let text = client.open("more0.c");
        for version in [2, 4] {
            client.change("more0.c", version, "int a;\n");
            client.until("none", |client| client.of("more0.c").is_empty());
            client.change("more0.c", version + 1, &text);
            client.until("findings", |client| client.summary() == before);
        }
        client.listen(Duration::from_secs(1));
        assert_eq!(progress(&client, "begin").len(), 1);
        let (status, stderr) = client.shut_down();
        assert_eq!(status.code(), Some(0));
        let is_warning = stderr.starts_with("cowrap: warning: running without a cache: ");
        assert!(if arguments.contains(&"--no-cache") { stderr.is_empty() } else { is_warning }, "{stderr}");
    }
}

/// A tree that takes longer to read than progress stays away, with one worker.
fn long_to_read() -> Tree {
    let tree = Tree::miniblock();
    let text = tree.read("job.c");
    let many: Vec<String> = (0..150).map(|number| format!("more{number}.c")).collect();
    for (number, name) in many.iter().enumerate() {
        tree.write(name, text.replace("job_", &format!("job{number}_")));
    }
    tree.database(many.iter().map(String::as_str));
    tree
}

/// The progress of a kind that a client was shown.
fn progress(client: &Client, kind: &str) -> Vec<Value> {
    let all = client.log.iter().filter(|message| message["method"] == "$/progress");
    all.map(|message| message["params"]["value"].clone()).filter(|value| value["kind"] == kind).collect()
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let stat = |id: u32| std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        // The name before may have blanks and parentheses.
        let found = stat(*id).and_then(|stat| stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok());
        found == Some(parent)
    };
    all.filter(is_child).collect()
}

fn is_running(process: u32) -> bool {
    std::path::Path::new(&format!("/proc/{process}")).exists()
}
