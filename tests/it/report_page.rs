//! The page that `cowrap check --format html` writes: what is in it, and what it does in a real browser.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cowrap_report::render::Format;
use cowrap_report::{BaselineState, Comparison, Fingerprints, Label, Level, Note};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::formats::{Made, finding, span};
use crate::support::browser::Browser;

/// What browsers could take for markup, and what hides text.
const HOSTILE: &str = "</script><script>document.title='owned'</script><!-- <img src=x onerror=document.title='owned'> \
                       ]]> &lt;b&gt; \" ' \u{2028}\u{2029}\u{202e} {{x}} ${x} javascript:x";

/// The text between two others, the first time that it is there.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} is missing"));
    rest.split_once(after).unwrap_or_else(|| panic!("{after} is missing")).0
}

/// Fails unless a page allows only its own script and style sheet, and asks for nothing.
pub fn is_closed(page: &str) {
    let policy = between(page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let digest = |text: &str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)));
    let (style, script) = (between(page, "<style>", "</style>"), between(page, "<script>", "</script>"));
    for part in [
        "default-src 'none'".to_owned(),
        format!("script-src {}", digest(script)),
        format!("style-src {}", digest(style)),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
    ] {
        assert!(policy.split("; ").any(|directive| directive == part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (2, 1), "a script and its data");
    assert!(!page.contains(" src="), "the page loads something");
    assert!(!page.contains(" style=") && !page.contains(" onclick="), "the policy forbids this");
    let links = page.split(" href=\"").skip(1).filter(|link| !link.starts_with('#'));
    assert_eq!(links.count(), 0, "the page leads elsewhere");
}

/// What the script of a page reads.
fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "<script type=\"application/json\" id=\"data\">", "</script>")).unwrap()
}

/// A page as a file.
fn file(page: &str) -> (TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("page.html");
    std::fs::write(&path, page).unwrap();
    (scratch, path)
}

/// A report with fingerprints.
fn made() -> Made {
    let mut made = Made::new();
    Fingerprints::give(&mut made.report.findings);
    made.report.summary.errors = 1;
    made.report.summary.warnings = 1;
    made.report.summary.notes = 1;
    made
}

#[test]
fn the_page_has_the_findings_and_their_sources() {
    let mut made = made();
    made.add_problems();
    made.report.findings[0].state = Some(BaselineState::New);
    made.report.summary.compared =
        Some(Comparison { baseline: Some(("known.json".to_owned(), 7)), known: 2, ..Comparison::default() });
    let page = made.text(Format::Html);
    is_closed(&page);
    assert!(page.contains("<title>cowrap: 1 error, 1 warning, 1 note</title>"));
    assert!(page.contains("The baseline <code>known.json</code> holds 7 known findings back."));
    assert!(page.contains("<b>9</b> known before, not shown"), "of the baseline, and of the base");
    assert!(page.contains("<h3>2 translation units could not be read</h3>"));
    let data = data(&page);
    let first = &data["findings"][0];
    assert_eq!(first["id"], made.report.findings[0].fingerprint);
    assert_eq!((&first["state"], &first["level"]), (&json!("new"), &json!("error")));
    assert_eq!(first["subsystems"], json!(["dir"]));
    assert_eq!(data["rules"][0]["page"], "# a-rule\n\nOne thing,\ntold.\n\n## Why");
    let at = &first["labels"][0]["at"];
    assert_eq!(data["files"][at["file"].as_u64().unwrap() as usize]["path"], "dir/a b.c");
    // `/* é */ g();`: the byte column is 10, the word is the ninth character.
    assert_eq!((&at["column"], &at["word"]), (&json!(10), &json!([8, 9])));
    assert_eq!(data["files"][0]["pieces"], json!([[1, "first\n/* \u{e9} */ g();\n"]]));
    assert_eq!(first["labels"][1]["at"]["word"], json!([0, 0]), "the file is not there");
    let fixes = &first["fixes"];
    assert_eq!((&fixes[0]["safety"], &fixes[1]["obstacle"]), (&json!("unsafe"), &json!("it cannot")));
    assert_eq!(
        fixes[0]["changes"][0]["hunks"][0]["lines"],
        json!(["-first", "-/* \u{e9} */ g();", "+firh", "+/* x\u{e9} */ g();"])
    );
}

#[test]
fn hostile_text_is_text_on_the_page() {
    let mut made = made();
    let path = PathBuf::from(HOSTILE.replace('/', "|"));
    std::fs::write(made.report.tree.root.join(&path), format!("first\n{HOSTILE}\nword\n")).unwrap();
    let mut bad = finding("a-rule", Level::Error, HOSTILE, span("x", 3, 1));
    bad.function = HOSTILE.to_owned();
    bad.primary = Label { at: span(path.to_str().unwrap(), 3, 1), text: HOSTILE.to_owned() };
    bad.notes.push(Note { text: HOSTILE.to_owned(), at: Some(bad.primary.at.clone()) });
    bad.help.push(HOSTILE.to_owned());
    made.report.rules[0].summary = HOSTILE.to_owned();
    made.report.rules[0].page = format!("# {HOSTILE}\n\n* {HOSTILE}\n\n    {HOSTILE}\n\n[{HOSTILE}](javascript:x)\n");
    made.report.findings = vec![bad];
    Fingerprints::give(&mut made.report.findings);
    let page = made.text(Format::Html);
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    assert!(!page.contains("<img") && !page.contains("<!-- <"));
    assert!(!page.contains(['\u{2028}', '\u{2029}', '\u{202e}']));
    let message = data(&page)["findings"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("</script><script>document.title='owned'</script><!-- <img"), "{message}");

    let (_scratch, path) = file(&page);
    let mut browser = Browser::open(&path, &made.report.findings[0].fingerprint);
    assert!(browser.text("#message").starts_with("</script><script>"), "{}", browser.text("#message"));
    browser.press("e");
    browser.value("document.querySelector('.rule-page').open = true");
    browser.wait_for("document.querySelectorAll('.markdown li').length === 1");
    browser.print();
    assert_eq!(browser.value("document.title"), "cowrap: 1 error, 1 warning, 1 note");
    assert_eq!((browser.count("script"), browser.count("img")), (2, 0));
    assert!(browser.text(".source").contains("</script><script>document"));
    browser.has_no_complaints();
}

#[test]
fn the_page_is_usable_with_keys() {
    let made = made();
    let (_scratch, path) = file(&made.text(Format::Html));
    let mut browser = Browser::open(&path, "");
    assert_eq!(browser.text("#count"), "3 findings");
    assert_eq!(browser.count("#overview .tile"), 4);
    assert_eq!(browser.count("#plain"), 0, "the list replaces the table");
    browser.press("j");
    let first = &made.report.findings[0].fingerprint;
    assert_eq!(browser.value("location.hash"), json!(format!("#{first}")));
    assert_eq!(browser.text("#message"), "g is called from f");
    let source = browser.text(".source");
    assert!(source.contains("g();") && source.contains("^ called here"), "{source}");
    assert_eq!(browser.count(".step-source:not([hidden])"), 0);
    browser.press("e");
    assert_eq!(browser.count(".step-source:not([hidden])"), 1);
    browser.press("j");
    assert_eq!(browser.text("#message"), "50% of it, or: more");
    browser.press("/");
    browser.type_text("IT may");
    assert_eq!(browser.text("#count"), "1 of 3 findings");
    browser.press("Escape");
    browser.press("Enter");
    assert_eq!(browser.text("#message"), "it may be");
    assert_eq!(browser.value("document.activeElement.id"), "details");
    browser.press("?");
    assert_eq!(browser.value("document.querySelector('#help').open"), true);
    browser.has_no_complaints();
}

#[test]
fn filters_and_links_select_findings() {
    let made = made();
    let (_scratch, path) = file(&made.text(Format::Html));
    let third = made.report.findings[2].fingerprint.clone();
    let mut browser = Browser::open(&path, &third);
    assert_eq!(browser.text("#message"), "it may be", "the address names it");
    browser.click("[id='filter-level-warning']");
    assert_eq!(browser.text("#count"), "1 of 3 findings");
    browser.value(&format!("location.hash = '{}'", made.report.findings[0].fingerprint));
    browser.wait_for("document.querySelector('#message').innerText === 'g is called from f'");
    assert_eq!(browser.text("#count"), "3 findings", "a link leads to a finding that the filters hide");
    browser.click("#home");
    browser.click("#overview [data-facet=rule][data-value=b-rule] button");
    assert_eq!(browser.text("#count"), "2 of 3 findings");
    browser.has_no_complaints();
}

#[test]
fn a_link_to_a_finding_that_is_gone_says_so() {
    let made = made();
    let (_scratch, path) = file(&made.text(Format::Html));
    let mut browser = Browser::open(&path, "0123456789abcdef");
    let said = browser.text("[role=alert]");
    assert!(said.contains("does not have the finding 0123456789abcdef"), "{said}");
    assert_eq!(browser.count("#details #overview"), 1);
}

#[test]
fn an_address_that_is_malformed_breaks_nothing() {
    let made = made();
    let (_scratch, path) = file(&made.text(Format::Html));
    let mut browser = Browser::open(&path, "%");
    assert!(browser.text("[role=alert]").contains("does not have the finding %"));
    browser.click("[id='filter-rule-a-rule']");
    assert_eq!(browser.text("#count"), "1 of 3 findings");
    browser.has_no_complaints();
}

#[test]
fn the_page_prints_what_the_filters_select() {
    let made = made();
    let (_scratch, path) = file(&made.text(Format::Html));
    let mut browser = Browser::open(&path, "");
    browser.click("[id='filter-rule-a-rule']");
    browser.value("dispatchEvent(new Event('beforeprint'))");
    assert_eq!((browser.count("#printed .tile"), browser.count("#printed article")), (4, 1));
    assert_eq!(browser.count("#printed .step-source:not([hidden])"), 1, "the sources of notes are open");
    browser.value("dispatchEvent(new Event('afterprint'))");
    assert_eq!(browser.count("#printed"), 0);
    assert!(browser.print() > 10_000);
    browser.has_no_complaints();
}

/// A reader without scripts, or a server that forbids them.
#[test]
fn the_page_is_readable_without_its_script() {
    let page = made().text(Format::Html);
    let broken = page.replacen("<script>\"use strict\"", "<script>;\"use strict\"", 1);
    assert_ne!(broken, page);
    let (_scratch, path) = file(&broken);
    let mut browser = Browser::open(&path, "");
    assert_eq!(browser.count("#plain tbody tr"), 3);
    assert!(browser.text("#plain tbody").contains("dir/a b.c:2:10"), "{}", browser.text("#plain"));
    assert!(browser.text("#overview").contains("What it reports"));
    assert_eq!(browser.value("getComputedStyle(document.querySelector('#application')).display"), "none");
}

/// Findings like those of a tree that is checked for the first time: each with a chain of calls through several files.
fn many(findings: usize) -> Made {
    let mut made = Made::new();
    let line = |number: usize| format!("    call_number_{number}(first_argument, second_argument, third_argument);\n");
    let text: String = (0..5000).map(line).collect();
    for number in 0..20 {
        std::fs::write(made.report.tree.root.join(format!("dir/file{number}.c")), &text).unwrap();
    }
    let at = |number: usize| span(&format!("dir/file{}.c", number % 20), (number * 7 % 5000) as u32 + 1, 5);
    made.report.findings.clear();
    for number in 0..findings {
        let level = [Level::Error, Level::Warning, Level::Note][number % 3];
        let rule = ["a-rule", "b-rule"][number % 2];
        let message = format!("`callee_{number}` called from `caller_{number}` leads to non-coroutine-only `poll`");
        let mut one = finding(rule, level, &message, at(number));
        one.function = format!("caller_{number}");
        one.secondary.push(Label { at: at(number + 11), text: format!("`callee_{number}` is marked here") });
        let note = |step: usize| Note {
            text: format!("`function_{}` calls `function_{}`", number + step, number + step + 1),
            at: Some(at(number * 3 + step * 101)),
        };
        one.notes.extend((0..10).map(note));
        made.report.findings.push(one);
    }
    Fingerprints::give(&mut made.report.findings);
    made.report.summary.errors = findings;
    made
}

#[test]
fn five_thousand_findings_stay_responsive() {
    let made = many(5000);
    let page = made.text(Format::Html);
    assert_eq!(page, made.text(Format::Html));
    assert!(page.len() < 25 << 20, "{} bytes", page.len());
    let (_scratch, path) = file(&page);
    let mut browser = Browser::open(&path, "");
    assert_eq!(browser.text("#count"), "5,000 findings");
    assert!(browser.count("#list *") < 1000, "only what can be seen is there");
    browser.value("document.querySelector('#list').scrollTop = 1e9");
    browser.wait_for("document.querySelector('#list').innerText.includes('caller_4997')");
    browser.press("/");
    for letter in "caller_4242".chars() {
        browser.type_text(&letter.to_string());
    }
    assert_eq!(browser.text("#count"), "1 of 5,000 findings");
    browser.has_no_complaints();
}

/// Sources of any size are bounded, and so are their lines.
#[test]
fn what_is_embedded_is_bounded() {
    let mut made = Made::new();
    let long = "x".repeat(1 << 20);
    std::fs::write(made.report.tree.root.join("dir/a b.c"), format!("{long}\n{long} word {long}\n")).unwrap();
    made.report.findings[0].primary.at = span("dir/a b.c", 2, (1 << 20) + 2);
    let page = made.text(Format::Html);
    assert!(page.len() < 100_000, "{} bytes", page.len());
    let data = data(&page);
    let at = &data["findings"][0]["labels"][0]["at"];
    let (part, word) = (at["part"].as_str().unwrap(), &at["word"]);
    let units: Vec<u16> = part.encode_utf16().collect();
    let [start, end] = [0, 1].map(|side| word[side].as_u64().unwrap() as usize);
    assert_eq!(String::from_utf16(&units[start..end]).unwrap(), "word");
}

#[test]
fn a_report_of_a_real_tree_opens() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock");
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("report.html");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .args(["check", "--output"])
        .arg(format!("html={}", path.display()))
        .current_dir(tree)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = std::fs::read_to_string(&path).unwrap();
    is_closed(&page);
    let findings = data(&page)["findings"].as_array().unwrap().clone();
    assert!(findings.len() > 10);
    let mut browser = Browser::open(&path, "");
    for finding in findings {
        browser.press("j");
        assert_eq!(browser.count(".no-source"), 0, "{finding}");
    }
    browser.has_no_complaints();
}
