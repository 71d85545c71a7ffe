//! What an editor asks.

use serde_json::{Value, json};

use super::Tree;
use super::client::{Client, at, capabilities, framed, offset, parameters, uri};

const CANCELLED: i64 = -32800;
const CONTENT_MODIFIED: i64 = -32801;

/// A server that has read miniblock.
fn started(tree: &Tree, capabilities: Value, options: Value) -> Client {
    let mut params = parameters(&[&tree.root], capabilities);
    params["initializationOptions"] = options;
    let mut client = Client::start_with(&tree.root, &[], params);
    client.settle();
    client
}

/// The position of the second part in the first line that contains the first.
fn position(text: &str, line: &str, word: &str) -> (u32, u32) {
    let (number, line) = text.lines().enumerate().find(|(_, text)| text.contains(line)).expect("the line is there");
    (number as u32, line.find(word).expect("the word is there") as u32 + 1)
}

#[test]
fn hover_explains_a_function_and_the_context_of_its_line() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, capabilities(), Value::Null);
    let text = client.open("mini-img.c");
    let (line, column) = position(&text, "return bdrv_co_flush(bs);", "bdrv_co_flush");
    let hover = client.ask("textDocument/hover", "mini-img.c", (line, column));
    assert_eq!(hover["contents"]["kind"], "markdown");
    let value = hover["contents"]["value"].as_str().unwrap();
    assert!(value.starts_with("**`coroutine_fn` `bdrv_co_flush`**\n\n- coroutine-only"), "{value}");
    assert!(value.contains("](file://") && value.contains("block-io.h#L22)"), "{value}");
    assert!(value.contains("`bdrv_flush` wraps `bdrv_co_flush`"), "{value}");
    assert!(value.contains(&format!("\n\n---\n\nline {} of `img_sync` ", line + 1)), "{value}");
    let start = offset(&text, &hover["range"]["start"]);
    assert!(text[start..].starts_with("bdrv_co_flush"));
    // On a line without a function, the context alone.
    let place = position(&text, "ImgBench *bench = opaque;", "opaque");
    let hover = client.ask("textDocument/hover", "mini-img.c", place);
    let value = hover["contents"]["value"].as_str().unwrap();
    assert!(value.starts_with("line ") && value.contains("of `img_bench_entry` runs in coroutine context"), "{value}");
    assert!(hover.get("range").is_none());
    // Outside of bodies, nothing.
    assert_eq!(client.ask("textDocument/hover", "mini-img.c", (1, 5)), Value::Null);
    assert_eq!(client.ask("textDocument/hover", "mini-img.c", (9999, 9999)), Value::Null);
    client.shut_down();
}

#[test]
fn hover_explains_a_slot_and_is_plain_for_a_plain_client() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, json!({}), Value::Null);
    let text = client.open("mini-img.c");
    let place = position(&text, "bs->drv->bdrv_co_getlength(bs)", "bdrv_co_getlength");
    let hover = client.ask("textDocument/hover", "mini-img.c", place);
    assert_eq!(hover["contents"]["kind"], "plaintext");
    let value = hover["contents"]["value"].as_str().unwrap();
    assert!(
        value.contains("`BlockDriver::bdrv_co_getlength`") && !value.contains("**") && !value.contains("]("),
        "{value}"
    );
    client.shut_down();
}

#[test]
fn hover_is_about_the_text_in_memory() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, capabilities(), Value::Null);
    let text = client.open("mini-img.c");
    let text = text.replace("static int img_sync(", "\n\nstatic int coroutine_fn img_sync(");
    client.change("mini-img.c", 2, &text);
    let place = position(&text, "img_sync(", "img_sync");
    let hover = client.ask("textDocument/hover", "mini-img.c", place);
    let value = hover["contents"]["value"].as_str().unwrap();
    assert!(value.starts_with("**`coroutine_fn` `img_sync`**"), "{value}");
    client.shut_down();
}

#[test]
fn calls_are_followed_through_pointers_with_their_contexts() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, capabilities(), Value::Null);
    let text = client.open("block.c");
    let place = position(&text, "bdrv_co_flush(BlockDriverState *bs)", "bdrv_co_flush");
    let items = client.ask("textDocument/prepareCallHierarchy", "block.c", place);
    let item = items[0].clone();
    assert_eq!((&item["name"], &item["kind"]), (&json!("bdrv_co_flush"), &json!(12)));
    assert_eq!(item["uri"], uri(&tree.path("block.c")).as_str());
    let incoming = client.request("callHierarchy/incomingCalls", json!({ "item": item }));
    let of =
        |name: &str| incoming.as_array().unwrap().iter().find(|call| call["from"]["name"] == name).unwrap().clone();
    let call = of("img_sync");
    assert!(call["from"]["detail"].as_str().unwrap().contains("in non-coroutine context"), "{call}");
    let (line, column) = position(&tree.read("mini-img.c"), "return bdrv_co_flush(bs);", "bdrv_co_flush");
    assert_eq!(call["fromRanges"][0]["start"], at(line, column - 1));
    assert!(of("commit_finish_right")["from"]["detail"].as_str().unwrap().contains("in coroutine context"));
    // Down through the slot, to what it may point to.
    let outgoing = client.request("callHierarchy/outgoingCalls", json!({ "item": item }));
    let slot =
        outgoing.as_array().unwrap().iter().find(|call| call["to"]["name"] == "BlockDriver::bdrv_co_flush").unwrap();
    assert!(slot["to"]["detail"].as_str().unwrap().contains("through a function pointer"), "{slot}");
    assert_eq!(slot["to"]["kind"], 8);
    let candidates = client.request("callHierarchy/outgoingCalls", json!({ "item": slot["to"] }));
    let names: Vec<&str> =
        candidates.as_array().unwrap().iter().map(|call| call["to"]["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"raw_co_flush") && names.contains(&"stripe_co_flush"), "{names:?}");
    // An item that does not exist any more, and one that no server made.
    client.change("block.c", 2, &text.replace("bdrv_co_flush", "bdrv_co_sync"));
    let mut gone = item.clone();
    gone["data"]["name"] = json!("no_such_function");
    assert_eq!(client.request("callHierarchy/incomingCalls", json!({ "item": gone })), Value::Null);
    gone["data"] = json!([1]);
    assert_eq!(client.request("callHierarchy/outgoingCalls", json!({ "item": gone })), Value::Null);
    client.shut_down();
}

#[test]
fn implementations_are_wrappers_targets_and_candidates() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, capabilities(), Value::Null);
    let text = client.open("mini-img.c");
    let mut names = |line: &str, word: &str| -> Vec<String> {
        let found = client.ask("textDocument/implementation", "mini-img.c", position(&text, line, word));
        let word = |location: &Value| {
            let path = location["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            let (start, end) = (&location["range"]["start"], &location["range"]["end"]);
            text[offset(&text, start)..offset(&text, end)].to_owned()
        };
        found.as_array().map(|found| found.iter().map(word).collect()).unwrap_or_default()
    };
    assert_eq!(names("return bdrv_co_flush(bs);", "bdrv_co_flush"), ["bdrv_flush"]);
    assert_eq!(names("return bdrv_flush(to);", "bdrv_flush"), ["bdrv_co_flush"]);
    let candidates = names("bs->drv->bdrv_co_getlength(bs)", "bdrv_co_getlength");
    assert!(candidates.contains(&"raw_co_getlength".to_owned()), "{candidates:?}");
    assert!(names("ImgBench *bench = opaque;", "opaque").is_empty());
    client.shut_down();
}

#[test]
fn lenses_and_hints_are_there_if_asked_for() {
    let tree = Tree::miniblock();
    let mut client_can = capabilities();
    client_can["workspace"]["codeLens"] = json!({ "refreshSupport": true });
    client_can["workspace"]["inlayHint"] = json!({ "refreshSupport": true });
    let mut client = started(&tree, client_can, json!({ "codeLens": true, "inlayHints": true }));
    let text = client.open("block.c");
    let document = json!({ "uri": uri(&tree.path("block.c")) });
    let lenses = client.request("textDocument/codeLens", json!({ "textDocument": document }));
    let (line, _) = position(&text, "bdrv_co_flush(BlockDriverState *bs)", "bdrv_co_flush");
    let lens = lenses.as_array().unwrap().iter().find(|lens| lens["range"]["start"]["line"] == line).unwrap();
    let title = lens["command"]["title"].as_str().unwrap();
    assert!(title.contains("callers in coroutine context"), "{title}");
    let hints = |client: &mut Client, from: u32, to: u32| {
        let range = json!({ "start": at(from, 0), "end": at(to, 0) });
        let found = client.request("textDocument/inlayHint", json!({ "textDocument": document, "range": range }));
        found.as_array().cloned().unwrap_or_default()
    };
    let all = hints(&mut client, 0, 9999);
    let (line, column) = position(&text, "zero_tail(", "zero_tail");
    let hint = all.iter().find(|hint| hint["position"] == at(line, column - 1)).unwrap();
    assert!(hint["label"].as_str().is_some_and(|label| !label.is_empty()) && hint["tooltip"].is_string(), "{hint}");
    assert!(hints(&mut client, 0, 3).is_empty());
    // After an edit, the client is asked to ask again.
    let refreshes = |client: &Client| {
        let methods = client.log.iter().filter_map(|message| message["method"].as_str());
        methods.filter(|method| method.ends_with("/refresh")).count()
    };
    let before = refreshes(&client);
    client.change("block.c", 2, &format!("\n{text}"));
    client.until("a refresh", |client| refreshes(client) >= before + 2);
    client.shut_down();
}

/// An edit and a question in one piece: the question waits for the edit to be checked.
#[test]
fn a_question_can_be_cancelled() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, capabilities(), Value::Null);
    let text = client.open("block.c");
    let document = json!({ "uri": uri(&tree.path("block.c")), "version": 2 });
    let change = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange",
        "params": { "textDocument": document, "contentChanges": [{ "text": format!("\n{text}") }] } });
    let place = json!({ "textDocument": document, "position": at(100, 20) });
    let (id, question) = client.new_request("textDocument/hover", place);
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": id } });
    client.send_bytes(&[framed(&change), framed(&question), framed(&cancel)].concat());
    assert_eq!(client.wait_for(id)["error"]["code"], CANCELLED);
    // One that is answered, and one that never was, can be cancelled in vain.
    for id in [json!(id), json!(4711), json!("x")] {
        client.notify("$/cancelRequest", json!({ "id": id }));
    }
    let (status, stderr) = client.shut_down();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_question_about_an_older_text_is_refused() {
    let tree = Tree::miniblock();
    let mut client = started(&tree, capabilities(), Value::Null);
    let text = client.open("block.c");
    let change = |version: i32| {
        let document = json!({ "uri": uri(&tree.path("block.c")), "version": version });
        let lines = "\n".repeat(version as usize);
        framed(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange",
            "params": { "textDocument": document, "contentChanges": [{ "text": format!("{lines}{text}") }] } }))
    };
    let place = json!({ "textDocument": { "uri": uri(&tree.path("block.c")) }, "position": at(100, 20) });
    let (id, question) = client.new_request("textDocument/hover", place.clone());
    client.send_bytes(&[change(2), framed(&question), change(3)].concat());
    assert_eq!(client.wait_for(id)["error"]["code"], CONTENT_MODIFIED);
    assert!(client.response("textDocument/hover", place).get("error").is_none());
    client.shut_down();
}
