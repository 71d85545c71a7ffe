//! Documents that are not simply files of the tree.

use serde_json::{Value, json};

use super::Tree;
use super::client::{Client, at, capabilities, parameters, uri};

#[test]
fn diagnostics_have_the_name_that_the_client_opened() {
    let tree = Tree::miniblock();
    std::os::unix::fs::symlink(tree.path("block"), tree.path("link")).unwrap();
    let mut client = Client::start(&tree.root);
    client.until("findings", |client| !client.of("block/stripe.c").is_empty());
    let text = tree.read("block/stripe.c");
    let link = uri(&tree.path("link/stripe.c"));
    client.open_as(&link, &text);
    client.until("findings under its name", |client| !client.of("link/stripe.c").is_empty());
    client.until("none under the other", |client| client.of("block/stripe.c").is_empty());
    // What refers to it uses this name, too.
    let found = client.of("link/stripe.c");
    let related = found.iter().flat_map(|found| found["relatedInformation"].as_array().cloned().unwrap_or_default());
    assert!(related.into_iter().any(|step| step["location"]["uri"] == link.as_str()));
    // With both names open, both have them.
    client.open("block/stripe.c");
    client.until("both", |client| !client.of("block/stripe.c").is_empty() && !client.of("link/stripe.c").is_empty());
    client.close("link/stripe.c");
    client.until("one", |client| client.of("link/stripe.c").is_empty());
    client.shut_down();
}

#[test]
fn about_documents_that_are_not_in_the_tree_there_is_nothing_to_say() {
    let (tree, other) = (Tree::miniblock(), Tree::empty());
    other.write("a.c", "int a;\n");
    let mut client = Client::start(&tree.root);
    // Before, all queries are answered with nothing.
    client.settle();
    let outside = uri(&other.path("a.c"));
    for name in ["untitled:Untitled-1", "file://host/a.c", "git:/a.c?x", "", "file:///%zz", "file:///", &outside] {
        client.open_as(name, "void f(void)\n{\n    g();\n}\n");
        let document = json!({ "uri": name });
        let place = json!({ "textDocument": document, "position": at(2, 5) });
        for method in ["textDocument/hover", "textDocument/implementation", "textDocument/prepareCallHierarchy"] {
            assert_eq!(client.request(method, place.clone()), Value::Null, "{name} {method}");
        }
        let range = json!({ "start": at(0, 0), "end": at(9, 0) });
        let params = json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } });
        assert_eq!(client.request("textDocument/codeAction", params), Value::Null, "{name}");
        client.notify("textDocument/didClose", json!({ "textDocument": document }));
    }
    let (status, stderr) = client.shut_down();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn incremental_changes_make_the_text_that_the_client_has() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    client.open("mini-img.c");
    let is_there = |client: &Client| client.of("mini-img.c").iter().any(|found| found["range"]["start"]["line"] == 35);
    client.until("the finding", is_there);
    let change = |client: &mut Client, version: i32, changes: Value| {
        let document = json!({ "uri": uri(&tree.path("mini-img.c")), "version": version });
        client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    };
    // `return bdrv_co_flush(bs)` loses its `co_`, in two steps that depend on each other.
    let delete = |from: u32, to: u32| json!({ "range": { "start": at(35, from), "end": at(35, to) }, "text": "" });
    change(&mut client, 2, json!([delete(16, 17), delete(16, 18)]));
    client.until("it is gone", |client| !is_there(client));
    change(&mut client, 3, json!([{ "range": { "start": at(35, 16), "end": at(35, 16) }, "text": "co_" }]));
    client.until("it is back", is_there);
    let published = &client.published[&uri(&tree.path("mini-img.c"))];
    assert_eq!(published["version"], 3);
    client.shut_down();
}

#[test]
fn closing_a_document_discards_its_text() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let text = client.open("job.c");
    client.settle();
    let before = client.codes("job.c");
    client.change("job.c", 2, &text.replace("qemu_coroutine_create(hasty_entry, job)", "0"));
    client.until("they change", |client| client.codes("job.c") != before);
    client.close("job.c");
    client.until("as on the disk", |client| client.codes("job.c") == before);
    assert_eq!(client.published[&uri(&tree.path("job.c"))].get("version"), None);
    client.shut_down();
}

#[test]
fn a_root_may_have_any_name() {
    let outer = Tree::miniblock();
    let root = outer.root.with_file_name("a b \u{e4} #%3F");
    std::fs::rename(&outer.root, &root).unwrap();
    let mut client = Client::start_with(&root, &[], parameters(&[&root], capabilities()));
    client.open("mini-img.c");
    client.until("findings", |client| !client.of("mini-img.c").is_empty() && !client.of("job.c").is_empty());
    client.shut_down();
}
