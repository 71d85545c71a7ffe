//! The page that `cowrap graph --format html` writes, in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use cowrap_base::files::Tree;
use cowrap_report::render::{AnswerFormat, Style, render_answer};
use cowrap_report::{Answer, EdgeKind, GraphEdge, GraphNode, QueryResult, Reach, Span, Subgraph};
use serde_json::json;
use tempfile::TempDir;

use crate::report_page::is_closed;
use crate::support::browser::Browser;

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

/// The page of a graph that was made by hand.
fn page_of(graph: Subgraph) -> String {
    let tree = Tree { root: PathBuf::from("/"), build: None };
    let result = QueryResult { answer: Answer::Graph(graph), tree, unread_units: 0 };
    let mut out = Vec::new();
    render_answer(&result, AnswerFormat::Html, Style::PLAIN, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn node(name: &str) -> GraphNode {
    GraphNode {
        name: name.to_owned(),
        labels: vec!["defined".to_owned(), "unmarked".to_owned()],
        at: Some(Span { path: PathBuf::from("a.c"), line: 1, column: 1 }),
        requirement: "no requirement".to_owned(),
        context: Some(Reach::Both),
        requested: false,
        effect: None,
        beyond: [0, 0],
    }
}

fn edge(from: usize, to: usize) -> GraphEdge {
    let (kind, context) = (EdgeKind::Call, Some(Reach::Both));
    GraphEdge { from, to, kind, sites: Vec::new(), context, rules: Vec::new() }
}

/// Whether a box is in the window, and its letters can be read.
fn is_readable(browser: &mut Browser, selector: &str) -> bool {
    let selector = json!(selector);
    let expression = format!(
        "(box => {{ const area = document.querySelector('#canvas').getBoundingClientRect();
            const scale = box.querySelector('rect').getBoundingClientRect().height / 26;
            const at = box.querySelector('rect').getBoundingClientRect();
            return 13 * scale >= 11 && at.left >= area.left && at.right <= area.right && at.top >= area.top
                && at.bottom <= area.bottom; }})(document.querySelector({selector}))"
    );
    browser.value(&expression).as_bool().unwrap()
}

#[test]
fn the_page_shows_a_function_with_its_callers_and_callees() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--around", "img_sync"], &scratch);
    is_closed(&std::fs::read_to_string(&page).unwrap());

    let mut browser = Browser::open(&page, "");
    assert_eq!(browser.text("#details h2"), "img_sync");
    assert_eq!(browser.count(".node.middle"), 1);
    assert_eq!(browser.count(".node.inside-only"), 1);
    assert!(is_readable(&mut browser, ".node.middle"));
    assert_eq!(browser.count(".edge.violation"), 1);
    assert_eq!(browser.text(".rule"), "coroutine-call");
    let last = "document.querySelector('#world > g').lastElementChild.classList.contains('violation')";
    assert_eq!(browser.value(last), true, "nothing covers it");
    assert!(browser.text("#legend").contains("coroutine-only"), "{}", browser.text("#legend"));
    assert!(browser.text("#details").contains("violates coroutine-call"), "{}", browser.text("#details"));
    assert!(browser.text("#details").contains("mini-img.c:36:12"), "{}", browser.text("#details"));
    // The callee is to the right of the function.
    browser.press("ArrowRight");
    assert_eq!(browser.text("#details h2"), "bdrv_co_flush");
    assert!(browser.text("#details").contains("coroutine-only, marked coroutine_fn"));
    browser.has_no_complaints();
}

#[test]
fn boxes_open_and_close_their_callers_and_callees() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--around", "img_sync"], &scratch);
    let mut browser = Browser::open(&page, "");
    let before = browser.count(".node");
    browser.press("ArrowRight");
    browser.press("]");
    let opened = browser.count(".node");
    assert!(opened > before, "{opened} {before}");
    browser.press("]");
    assert_eq!(browser.count(".node"), before);
    browser.press("Enter");
    assert_eq!(browser.text(".node.middle title"), "bdrv_co_flush");
    assert_eq!(browser.value("location.hash"), "#bdrv_co_flush");
    browser.press("Backspace");
    assert_eq!(browser.text(".node.middle title"), "img_sync");
    assert_eq!(browser.count(".node"), before);
    browser.click(".node.inside-only .opener");
    assert!(browser.count(".node") > before);
    browser.has_no_complaints();
}

#[test]
fn the_page_finds_functions() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--around", "img_sync"], &scratch);
    let mut browser = Browser::open(&page, "bdrv_co_flush");
    assert_eq!(browser.text(".node.middle title"), "bdrv_co_flush", "the address names it");
    browser.value("location.hash = '#%'");
    browser.wait_for("document.querySelector('#matches').innerText === 'this page has no such function'");
    browser.value("location.hash = '#nothing_like_it'");
    browser.wait_for("document.querySelector('#matches').innerText === 'this page has no such function'");
    browser.press("Escape");
    browser.press("/");
    browser.type_text("IMG_SY");
    browser.press("Enter");
    assert_eq!(browser.text("#details h2"), "img_sync");
    assert!(is_readable(&mut browser, ".node.selected"));
    browser.has_no_complaints();
}

#[test]
fn paths_lead_to_the_right() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--between", "img_sync", "qemu_coroutine_yield"], &scratch);
    let mut browser = Browser::open(&page, "");
    assert_eq!(browser.text("#details h2"), "img_sync", "where they begin");
    let left = |browser: &mut Browser, name: &str| {
        let boxes = "[...document.querySelectorAll('.node')]";
        let at = browser.value(&format!(
            "{boxes}.find(box => box.querySelector('title').textContent === '{name}').getBoundingClientRect().left"
        ));
        at.as_f64().unwrap()
    };
    let (from, to) = (left(&mut browser, "img_sync"), left(&mut browser, "qemu_coroutine_yield"));
    assert!(from + 100.0 < to, "{from} {to}");
    assert_eq!(browser.count(".node.middle"), 2);
}

#[test]
fn a_page_of_a_whole_tree_opens() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&[], &scratch);
    let mut browser = Browser::open(&page, "");
    assert!(browser.value("graph.nodes.length").as_u64().unwrap() > 100);
    assert_eq!(browser.count(".node.middle"), 1);
    // Everything can be opened, and circles of calls are laid out, too: no coordinate is missing.
    browser.value(
        "for (const node of graph.nodes) for (const side of [-1, 1]) opened.set(openKey(node.number, side), 1000);
         decideVisible(); showsAll = true; redraw();",
    );
    assert!(browser.count(".node") > 20);
    let drawing = browser.value("document.querySelector('#world').innerHTML");
    let drawing = drawing.as_str().unwrap();
    assert!(!drawing.contains("NaN") && !drawing.contains("undefined"), "a coordinate is missing");
    browser.has_no_complaints();
}

#[test]
fn a_limit_keeps_the_nearest() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--around", "img_sync", "--limit", "3"], &scratch);
    let mut browser = Browser::open(&page, "");
    assert_eq!(browser.value("graph.nodes.length"), 3);
    assert_eq!(browser.value("graph.nodes.some(node => node.name === 'img_sync')"), true);
    assert_eq!(browser.count(".edge.violation"), 1, "what violates a rule is kept first");
    let about = browser.text("#details section");
    assert!(about.contains("more are left out: the nearest ones are included. --limit includes more."), "{about}");
}

#[test]
fn hostile_names_are_text() {
    let hostile = "</script><script>document.title='owned'</script><!-- <img src=x onerror=alert(1)> \u{2028}\u{202e}";
    let mut bad = node(hostile);
    bad.at = Some(Span { path: PathBuf::from(hostile), line: 1, column: 1 });
    bad.labels.push(hostile.to_owned());
    bad.requirement = hostile.to_owned();
    bad.requested = true;
    let mut call = edge(0, 1);
    call.sites = vec![Span { path: PathBuf::from(hostile), line: 2, column: 3 }];
    call.rules = vec![hostile.to_owned()];
    let legend = vec![("inside-only", hostile.to_owned())];
    let contexts = vec![(Reach::Both, hostile.to_owned())];
    let graph = Subgraph { nodes: vec![bad, node("g")], edges: vec![call], legend, contexts, ..Subgraph::default() };
    let text = page_of(graph.clone());
    assert_eq!(text, page_of(graph), "the same graph gives the same bytes");
    assert_eq!((text.matches("<script").count(), text.matches("</script").count()), (2, 2));
    assert!(!text.contains("<img") && !text.contains("<!-- <") && !text.contains(['\u{2028}', '\u{202e}']));
    let scratch = tempfile::tempdir().unwrap();
    let page = scratch.path().join("page.html");
    std::fs::write(&page, text).unwrap();
    let mut browser = Browser::open(&page, "");
    assert!(browser.text("#details h2").starts_with("</script><script>"), "{}", browser.text("#details h2"));
    assert!(browser.text(".rule").starts_with("</script>"));
    assert_ne!(browser.value("document.title"), "owned");
    assert_eq!((browser.count("script"), browser.count("img")), (2, 0));
    browser.has_no_complaints();
}

/// A function that everybody calls: the page shows some callers, and the others when they are asked for.
#[test]
fn hubs_stay_readable() {
    let mut nodes = vec![node("hub")];
    nodes[0].requested = true;
    nodes.extend((1..1000).map(|number| node(&format!("caller_with_a_rather_long_name_number_{number}"))));
    let graph = Subgraph { nodes, edges: (1..1000).map(|from| edge(from, 0)).collect(), ..Subgraph::default() };
    let text = page_of(graph);
    assert!(text.len() < 400_000, "{} bytes", text.len());
    let scratch = tempfile::tempdir().unwrap();
    let page = scratch.path().join("page.html");
    std::fs::write(&page, text).unwrap();
    let mut browser = Browser::open(&page, "");
    assert_eq!(browser.count(".node"), 17);
    assert!(is_readable(&mut browser, ".node.middle"));
    assert_eq!(browser.text(".opener text"), "+983");
    browser.press("[");
    assert_eq!(browser.count(".node"), 33);
    assert!(is_readable(&mut browser, ".node.middle"));
    browser.press("-");
    browser.press("-");
    assert!(is_readable(&mut browser, ".node.middle"), "it never gets too small");
}

#[test]
fn the_page_is_readable_without_its_script() {
    let scratch = tempfile::tempdir().unwrap();
    let page = page(&["--around", "img_sync", "--depth", "1"], &scratch);
    let text = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, text.replacen("<script>\"use strict\"", "<script>;\"use strict\"", 1)).unwrap();
    let mut browser = Browser::open(&page, "");
    let first = browser.text("#plain tbody tr");
    assert!(first.contains("img_sync") && first.contains("coroutine-call"), "{first}");
    assert_eq!(browser.value("getComputedStyle(document.querySelector('#application')).display"), "none");
}
