//! The page that `cowrap graph --format html` writes, in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A browser of Chromium's family; `.ci/setup --tests` installs one.
fn browser() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).flat_map(|directory| names.map(|name| directory.join(name)));
    found.find(|candidate| candidate.is_file()).expect("a browser; `sh .ci/setup --tests` installs Chromium")
}

/// The page of a tree's graph.
fn page(arguments: &[&str], scratch: &TempDir) -> PathBuf {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock");
    let output = Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .args(["graph", "--format", "html"])
        .args(arguments)
        .current_dir(tree)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let page = scratch.path().join("page.html");
    std::fs::write(&page, output.stdout).unwrap();
    page
}

/// The document as it is once the page's script ran; `fragment` is what is searched for.
fn open(page: &Path, fragment: &str, scratch: &TempDir) -> String {
    let output = Command::new(browser())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", scratch.path().join("profile").display()))
        .arg(format!("file://{}#{fragment}", page.display()))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    // What a script does wrong is told on the console, and so is what the page's own policy forbids.
    assert!(!log.contains(":CONSOLE"), "{log}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_shows_the_graph_and_finds_in_it() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--around", "img_sync", "--depth", "1"], &scratch);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(!text.replace("http://www.w3.org/2000/svg", "").contains("://"), "the page asks nothing of the network");

    let shown = open(&page, "", &scratch);
    assert!(shown.contains(r#"class="node unmarked requested""#), "{shown}");
    assert!(shown.contains(r#"class="node inside-only""#), "{shown}");
    assert_eq!(shown.matches("edge call violation").count(), 1, "{shown}");
    assert!(shown.contains("1 break a rule</span>"), "{shown}");
    assert!(shown.contains("click a function to see its calls"), "{shown}");

    let found = open(&page, "bdrv_co_flush", &scratch);
    assert!(found.contains("<h2>bdrv_co_flush</h2>"), "{found}");
    assert!(found.contains(r#"class="node inside-only selected""#), "{found}");
    assert!(found.contains("Called by") && found.contains("mini-img.c:36:12"), "{found}");
    let missed = open(&page, "nothing_like_it", &scratch);
    assert!(missed.contains("0 found</span>") && !missed.contains("selected\" transform"), "{missed}");
}

#[test]
fn a_page_of_a_whole_tree_opens() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&[], &scratch);
    let shown = open(&page, "", &scratch);
    assert!(shown.matches(r#"class="node "#).count() > 100);
    // Circles of calls are laid out, too: no coordinate is missing.
    assert!(!shown.contains("NaN") && !shown.contains("undefined,"), "a coordinate is missing");
}
