//! What happens on the disk while a server runs.

use super::Tree;
use super::client::{Client, capabilities, parameters};
use super::expected;

#[test]
fn a_missing_database_is_a_message_and_may_appear_later() {
    let tree = Tree::miniblock();
    let database = tree.read("compile_commands.json");
    for name in ["compile_commands.json", "compile_commands_gcc.json"] {
        std::fs::remove_file(tree.path(name)).unwrap();
    }
    let mut client = Client::start(&tree.root);
    client.until("a message", |client| !client.shown().is_empty());
    let shown = client.shown();
    assert!(shown[0].starts_with("cowrap: ") && shown[0].contains("compile_commands.json"), "{shown:?}");
    client.open("block.c");
    let hover = client.ask("textDocument/hover", "block.c", (100, 20));
    assert_eq!(hover, serde_json::Value::Null);
    // Where meson writes it.
    tree.write("build/compile_commands.json", database.replace("\"directory\": \".\"", "\"directory\": \"..\""));
    client.until("findings", |client| !client.of("block.c").is_empty());
    assert_eq!(client.shown().len(), 1, "{:?}", client.shown());
    // It goes, and comes back elsewhere.
    std::fs::remove_dir_all(tree.path("build")).unwrap();
    client.until("another message", |client| client.shown().len() == 2);
    client.until("no findings", |client| client.summary().is_empty());
    tree.write("compile_commands.json", database);
    client.until("findings", |client| client.summary() == expected(&tree.root));
    client.shut_down();
}

#[test]
fn settings_are_read_again_when_they_change() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let before = expected(&tree.root);
    client.until("findings", |client| client.summary() == before);
    tree.write("cowrap.toml", "[levels]\ncoroutine-call = \"off\"\n");
    let now = expected(&tree.root);
    assert!(now.len() < before.len());
    client.until("fewer", |client| client.summary() == now);
    tree.write("cowrap.toml", "[levels\n");
    client.until("what is wrong", |client| client.shown().iter().any(|shown| shown.contains("cowrap.toml:1")));
    tree.write("cowrap.toml", "enable = [\"eligible-mark\"]\n");
    let now = expected(&tree.root);
    client.until("an opt-in rule", |client| client.summary() == now);
    std::fs::remove_file(tree.path("cowrap.toml")).unwrap();
    client.until("as before", |client| client.summary() == before);
    client.shut_down();
}

#[test]
fn a_pack_is_read_again_when_it_changes() {
    let tree = Tree::miniblock();
    tree.write("pack.toml", "extends = \"qemu\"\nname = \"mine\"\n[rule.inside-call]\nlevel = \"off\"\n");
    let params = parameters(&[&tree.root], capabilities());
    let mut client = Client::start_with(&tree.root, &["--pack", "pack.toml"], params);
    client.until("findings", |client| !client.of("job.c").is_empty());
    let calls = |client: &Client| client.summary().iter().filter(|(.., code, _)| code == "coroutine-call").count();
    assert_eq!(calls(&client), 0, "{:#?}", client.summary());
    tree.write("pack.toml", "extends = \"qemu\"\nname = \"mine\"\n");
    client.until("the rule", |client| calls(client) > 0);
    tree.write("pack.toml", "extends = 1\n");
    client.until("what is wrong", |client| {
        client.shown().iter().any(|shown| shown.contains("pack.toml: TOML parse error at line 1"))
    });
    client.shut_down();
}

#[test]
fn files_change_on_the_disk() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let before = expected(&tree.root);
    client.until("findings", |client| client.summary() == before);
    // git checks out another version.
    let text = tree.read("mini-img.c");
    tree.write("mini-img.c", text.replace("return bdrv_co_flush(bs);", "return bdrv_flush(bs);"));
    let now = expected(&tree.root);
    assert_ne!(now, before);
    client.until("what it says now", |client| client.summary() == now);
    // An editor saves what the server has in memory already.
    client.open("mini-img.c");
    client.change("mini-img.c", 2, &text);
    client.until("as before", |client| client.summary() == before);
    let publications = client.publications("mini-img.c");
    tree.write("mini-img.c.new", &text);
    std::fs::rename(tree.path("mini-img.c.new"), tree.path("mini-img.c")).unwrap();
    client.listen(std::time::Duration::from_secs(1));
    assert_eq!((client.summary(), client.publications("mini-img.c")), (before.clone(), publications));
    // What it has in memory and does not save is discarded.
    client.change("mini-img.c", 3, "int a;\n");
    client.until("nothing", |client| client.of("mini-img.c").is_empty());
    client.close("mini-img.c");
    client.until("as before", |client| client.summary() == before);
    // The disk counts again.
    tree.write("mini-img.c", text.replace("return bdrv_co_flush(bs);", "return bdrv_flush(bs);"));
    client.until("what the disk has", |client| client.summary() == now);
    client.shut_down();
}

#[test]
fn a_cache_that_cannot_be_written_is_a_warning() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    client.open("job.c");
    client.settle();
    // There cannot be a directory any more. The server may write the cache meanwhile.
    let mut gone = 0;
    while std::fs::write(tree.path(".cache"), "").is_err() {
        gone += 1;
        std::fs::rename(tree.path(".cache"), tree.path(&format!(".gone{gone}"))).unwrap();
    }
    let text = tree.read("mini-img.c");
    for number in 1..4 {
        let text = text.replace("return bdrv_co_flush(bs);", &format!("{}return bdrv_flush(bs);", ";".repeat(number)));
        tree.write("mini-img.c", text);
        let now = expected(&tree.root);
        client.until("what it says now", |client| client.summary() == now);
        client.listen(std::time::Duration::from_millis(300));
    }
    let shown = client.shown();
    assert!(shown.len() == 1 && shown[0].starts_with("cowrap: cannot cache results for the next start: "), "{shown:?}");
    assert!(shown[0].contains("--cache-dir"), "{shown:?}");
    client.shut_down();
}

/// As on a network file system.
#[test]
fn where_changes_are_not_noticed_a_save_and_a_close_count() {
    let limit = "echo 0 > /proc/sys/user/max_inotify_instances";
    let unshare = |script: &str| {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", script]);
        command
    };
    if !unshare(limit).stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: this system does not allow limits for one process");
        return;
    }
    let tree = Tree::miniblock();
    let command = unshare(&format!("{limit} && exec {} server", env!("CARGO_BIN_EXE_cowrap")));
    let mut client = Client::spawn_as(&tree.root, command);
    client.initialize(parameters(&[&tree.root], capabilities()));
    assert_eq!(client.offered["textDocumentSync"]["save"], true);
    client.until("a warning", |client| client.shown().iter().any(|shown| shown.contains("cannot watch files")));
    client.open("job.c");
    client.settle();
    let (before, text) = (client.summary(), tree.read("mini-img.c"));
    tree.write("mini-img.c", text.replace("return bdrv_co_flush(bs);", "return bdrv_flush(bs);"));
    let now = expected(&tree.root);
    assert_ne!(now, before);
    client.listen(std::time::Duration::from_millis(500));
    assert_eq!(client.summary(), before);
    client.save("job.c");
    client.until("what the disk has", |client| client.summary() == now);
    tree.write("mini-img.c", text);
    client.close("job.c");
    client.until("as before", |client| client.summary() == before);
    client.shut_down();
}

#[test]
fn files_are_renamed_and_deleted() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let before = expected(&tree.root);
    client.until("findings", |client| client.summary() == before);
    client.open("job.c");
    std::fs::rename(tree.path("job.c"), tree.path("work.c")).unwrap();
    let is_missing =
        |client: &Client| client.summary().iter().any(|(_, _, _, _, message)| message.contains("not checked"));
    client.until("the unit is missing", is_missing);
    client.close("job.c");
    client.open("work.c");
    let database = tree.read("compile_commands.json");
    tree.write("compile_commands.json", database.replace(" job.c", " work.c").replace("\"job.c\"", "\"work.c\""));
    let renamed: Vec<_> = before
        .iter()
        .cloned()
        .map(|mut finding| {
            if finding.0 == "job.c" {
                finding.0 = "work.c".to_owned();
            }
            finding
        })
        .collect();
    client.until("findings under the new name", |client| {
        let mut summary = client.summary();
        let mut renamed = renamed.clone();
        summary.sort();
        renamed.sort();
        summary == renamed
    });
    client.shut_down();
}

#[test]
fn a_tree_that_was_moved_away_may_come_back() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let before = expected(&tree.root);
    client.open("block.c");
    client.until("findings", |client| client.summary() == before);
    let elsewhere = tree.root.with_extension("moved");
    std::fs::rename(&tree.root, &elsewhere).unwrap();
    // The system need not report that a directory itself was moved, but a save has the disk looked at.
    client.save("block.c");
    client.until("no findings", |client| client.summary().is_empty());
    // The cache of the test is below the root, and is made anew.
    while std::fs::rename(&elsewhere, &tree.root).is_err() {
        let _ = std::fs::remove_dir_all(&tree.root);
    }
    client.until("findings again", |client| client.summary() == before);
    client.shut_down();
}

#[test]
fn a_baseline_that_cannot_be_used_leaves_no_old_findings() {
    let tree = Tree::miniblock();
    let mut client = Client::start(&tree.root);
    let before = expected(&tree.root);
    client.until("findings", |client| client.summary() == before);
    tree.write(".cowrap-baseline.json", "[]");
    client.until("why", |client| client.shown().iter().any(|shown| shown.contains("not a cowrap baseline")));
    client.until("no findings", |client| client.summary().is_empty());
    std::fs::remove_file(tree.path(".cowrap-baseline.json")).unwrap();
    client.until("findings again", |client| client.summary() == before);
    client.shut_down();
}
