//! Clients that want to stop or crash the server.

use std::io::Write;

use serde_json::{Value, json};

use super::client::{Client, at, framed, uri};
use super::{Tree, expected};

#[test]
fn what_is_no_message_ends_the_server_with_an_error() {
    let tree = Tree::empty();
    for (bytes, expected) in [
        (&b"\r\n"[..], "no Content-Length"),
        (b"Content-Type: x\r\n\r\n{}", "no Content-Length"),
        (b"Content-Length: -1\r\n\r\n{}", "is not a length"),
        (b"Content-Length: 99999999999999999999\r\n\r\n{}", "is not a length"),
        (b"Content-Length: 1099511627776\r\n\r\n{}", "is not a length"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "expected a header"),
        (b"{\"jsonrpc\":\"2.0\"}\n", "expected a header"),
        (b"\xff\xfe\xfd\n", "expected a header"),
        (&[b'a'; 100_000], "not complete, or too long"),
    ] {
        let mut client = Client::spawn(&tree.root, &[]);
        client.send_bytes(bytes);
        let (status, stderr) = client.end();
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("cowrap: warning: ") && stderr.contains(expected), "{expected}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_message_that_ends_too_early_ends_the_server() {
    let tree = Tree::empty();
    let mut client = Client::spawn(&tree.root, &[]);
    client.send_bytes(b"Content-Length: 1000\r\n\r\n{");
    client.hang_up();
    assert_eq!(client.end().0.code(), Some(2));
}

#[test]
fn what_is_not_json_is_refused_and_nothing_else_happens() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let bodies = ["{", "[]", "null", "\"\\ud800\"", "{}", "{\"id\":1}", "{\"method\":1}", "\u{0}", "[1,2]"];
    for body in bodies {
        client.send_bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }
    // Deeply nested.
    client.send_bytes(format!("Content-Length: {}\r\n\r\n{}", 100_000, "[".repeat(100_000)).as_bytes());
    let is_refusal = |message: &&Value| message["id"].is_null() && message["error"]["code"] == -32700;
    client.until("refusals", |client| client.log.iter().filter(is_refusal).count() == bodies.len() + 1);
    client.until("findings", |client| !client.of("job.c").is_empty());
    let (status, stderr) = client.shut_down();
    assert_eq!(status.code(), Some(0));
    assert_eq!(stderr.lines().filter(|line| line.contains("no message of the protocol")).count(), bodies.len() + 1);
}

#[test]
fn edits_that_make_no_sense_are_survived() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    client.until("findings", |client| !client.of("job.c").is_empty());
    let name = uri(&tree.path("job.c"));
    let change = |version: i64, changes: Value| {
        let document = json!({ "uri": name, "version": version });
        json!({ "textDocument": document, "contentChanges": changes })
    };
    let part = |from: (u32, u32), to: (u32, u32), text: &str| {
        let range = json!({ "start": at(from.0, from.1), "end": at(to.0, to.1) });
        json!([{ "range": range, "text": text }])
    };
    // Not open, closed twice, and of a wrong type.
    client.notify("textDocument/didChange", change(1, json!([{ "text": "x" }])));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": name } }));
    client.notify("textDocument/didOpen", json!({ "textDocument": { "uri": 1 } }));
    client.notify("textDocument/didChange", json!({}));
    let text = client.open("job.c");
    client.notify("textDocument/didChange", change(2, part((99999, 0), (4_294_967_295, 4_294_967_295), "\n")));
    client.notify("textDocument/didChange", change(3, part((5, 9), (2, 1), "")));
    client.notify("textDocument/didChange", change(3, json!([])));
    client.notify("textDocument/didChange", change(-5, json!([{ "text": "int a;\n" }])));
    client.notify("textDocument/didChange", change(99_999_999_999, json!([{ "text": "int b;\n" }])));
    for range in
        [json!({ "start": at(0, 0) }), json!(1), json!({ "start": { "line": -1, "character": 0 }, "end": at(0, 0) })]
    {
        client.notify("textDocument/didChange", change(4, json!([{ "range": range, "text": "x" }])));
    }
    client.until("no findings", |client| client.of("job.c").is_empty());
    client.change("job.c", 9, &text);
    client.until("findings", |client| !client.of("job.c").is_empty());
    let (status, stderr) = client.shut_down();
    assert_eq!(status.code(), Some(0));
    assert!(stderr.contains("is not open") && stderr.contains("after version"), "{stderr}");
    assert!(!stderr.contains("internal error"), "{stderr}");
}

#[test]
fn a_huge_document_is_read_from_the_disk() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let text = client.open("job.c");
    client.settle();
    let before = client.codes("job.c");
    client.change("job.c", 2, &"x".repeat(100 << 20));
    client.change("job.c", 3, "int a;\n");
    let hover = client.ask("textDocument/hover", "block.c", (100, 20));
    assert!(hover.is_null() || hover.is_object());
    tree.write("job.c", text.replace("qemu_coroutine_create(hasty_entry, job)", "0"));
    let now = expected(&tree.root);
    client.until("what the disk has", |client| client.summary() == now);
    assert!(!client.codes("job.c").is_empty() && client.codes("job.c") != before);
    let peak = peak_memory(client.child.id());
    assert!(peak < 2 << 30, "{peak}");
    let (status, stderr) = client.shut_down();
    assert_eq!(status.code(), Some(0));
    assert!(stderr.contains("is longer than 64 MiB"), "{stderr}");
}

#[test]
fn a_client_that_asks_without_end_gets_answers() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let text = client.open("block.c");
    client.until("findings", |client| !client.of("job.c").is_empty());
    let place = json!({ "textDocument": { "uri": uri(&tree.path("block.c")) }, "position": at(100, 20) });
    let mut all = Vec::new();
    let mut last = 0;
    for version in 2..52 {
        let document = json!({ "uri": uri(&tree.path("block.c")), "version": version });
        let changes = json!([{ "text": format!("{}{text}", "\n".repeat(version)) }]);
        let params = json!({ "textDocument": document, "contentChanges": changes });
        all.extend(framed(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params })));
        for _ in 0..100 {
            let (id, question) = client.new_request("textDocument/hover", place.clone());
            all.extend(framed(&question));
            last = id;
        }
    }
    // The client reads nothing while it writes.
    client.send_bytes(&all);
    client.wait_for(last);
    client.until("all answers", |client| {
        client.log.iter().filter(|message| message["id"].is_i64() && message.get("method").is_none()).count() as i64
            == last
    });
    client.shut_down();
}

#[test]
fn a_terminal_gets_a_message() {
    // Somebody types something.
    let tree = Tree::empty();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cowrap"));
    command.arg("server").current_dir(&tree.root).stdin(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"help\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected a header of a message"));
}

/// The most memory that a process took, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
