//! The repository audits itself: what the documentation promises of the code is checked here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cowrap_analysis::rules::RULES;
use cowrap_packs::{Pack, RULE_IDS};
use cowrap_report::RuleInfo;

use crate::fixtures;

#[test]
fn unsafe_code_is_in_clang_alone() {
    for (file, text) in sources() {
        let has_unsafe = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|form| text.contains(form));
        let is_clang = file.starts_with(root().join("src/frontend/clang"));
        assert!(!has_unsafe || is_clang, "{}: has unsafe code", file.display());
    }
}

/// Parts of the sources that may open files in another way.
const OPENS_FILES: &[&str] = &[
    "src/base/files",
    // Its own files, below a directory that it has checked.
    "src/base/cache",
    // What the kernel says of a process.
    "src/frontend/worker/watch.rs",
    "src/cli/ending.rs",
];

/// Parts of the sources that may write paths as they are: into generated text, or between quotes that
/// escape them.
const WRITES_PATHS: &[&str] = &["src/cli/config.rs", "src/cli/generate.rs", "src/session/generate/mod.rs"];

#[test]
fn messages_show_paths_in_one_line() {
    for (file, code) in product_sources() {
        let relative = file.strip_prefix(root()).unwrap();
        if WRITES_PATHS.iter().any(|part| relative.starts_with(part)) {
            continue;
        }
        let at = code.find(".display()").map(|at| code[..at].lines().count());
        assert_eq!(at, None, "{}: `display`; use cowrap_base::files::Shown", relative.display());
    }
}

#[test]
fn only_regular_files_are_read() {
    for (file, code) in product_sources() {
        let relative = file.strip_prefix(root()).unwrap();
        if OPENS_FILES.iter().any(|part| relative.starts_with(part)) {
            continue;
        }
        for call in ["fs::read(", "read_to_string(", "File::open("] {
            let at = code.find(call).map(|at| code[..at].lines().count());
            assert_eq!(at, None, "{}: `{call}`; use cowrap_base::files::read_regular", relative.display());
        }
    }
}

/// A failing `println!` panics: a full disk, or a reader that has gone, would look like a mistake of cowrap.
#[test]
fn printing_is_in_one_place() {
    for (file, text) in product_sources() {
        for form in ["print!(", "println!(", "dbg!("] {
            assert!(!text.contains(form), "{}: uses {form}; see src/cli/messages.rs", file.display());
        }
    }
}

/// What a tree names must be checked before it is written, and links must not be followed: `Place` and `Directory` do so.
#[test]
fn files_are_written_in_one_place() {
    let allowed = ["src/base/files/"];
    for (file, text) in product_sources() {
        let relative = file.strip_prefix(root()).unwrap().to_str().unwrap();
        if allowed.iter().any(|allowed| relative.starts_with(allowed)) {
            continue;
        }
        for form in
            ["fs::write(", "File::create", "OpenOptions", "fs::rename(", "fs::copy(", "fs::hard_link(", "fs::symlink("]
        {
            assert!(!text.contains(form), "{relative}: uses {form}; see src/base/files/place.rs");
        }
    }
}

/// The sources without their tests and without what runs when cowrap is built.
fn product_sources() -> impl Iterator<Item = (PathBuf, String)> {
    let is_product = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap();
        !["tests.rs", "build.rs", "testing.rs"].contains(&name)
            && !file.components().any(|part| part.as_os_str() == "tests")
    };
    let product = sources().into_iter().filter(move |(file, _)| is_product(file));
    // A module for tests may be declared at the beginning; the tests themselves are at the end.
    let without_tests = |text: &str| {
        let end = ["#[cfg(test)]\nmod tests", "#[cfg(all(test"].iter().filter_map(|tests| text.find(tests)).min();
        text[..end.unwrap_or(text.len())].to_owned()
    };
    product.map(move |(file, text)| (file, without_tests(&text)))
}

#[test]
fn each_rule_has_a_file_a_page_and_fixtures() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    let listed: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert!(listed.is_sorted(), "the table of rules is sorted by id");
    let sources = stems("src/analysis/rules", "rs").into_iter().map(|stem| stem.replace('_', "-"));
    let sources: BTreeSet<String> = sources.filter(|stem| stem != "mod" && stem != "report").collect();
    assert_eq!(ids, sources, "src/analysis/rules");
    assert_eq!(ids, stems("rules", "md"), "rules/*.md");
    let of_packs: Vec<&str> = listed.into_iter().filter(|id| !ABOUT_NO_CONTEXT.contains(id)).collect();
    assert_eq!(of_packs, RULE_IDS, "the rules that packs can rename");
    let names: BTreeSet<String> = fixtures::rule_infos().iter().map(|rule| rule.name.clone()).collect();
    let fixtures = std::fs::read_dir(root().join("testdata/rules")).unwrap();
    let fixtures: BTreeSet<String> = fixtures.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, fixtures, "testdata/rules");
}

/// Rules about comments and the baseline, which are the same for all packs.
const ABOUT_NO_CONTEXT: &[&str] = &["malformed-suppression", "stale-baseline", "unused-suppression"];

/// Where the page of a rule of QEMU's pack is.
fn page_of(rule: &RuleInfo) -> String {
    match ABOUT_NO_CONTEXT.contains(&rule.id) {
        true => format!("rules/{}.md", rule.name),
        false => format!("rules/packs/qemu/pages/{}.md", rule.name),
    }
}

#[test]
fn the_pages_of_rules_have_one_form() {
    let list = std::fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
    for rule in fixtures::rule_infos() {
        let RuleInfo { name, page, summary, .. } = rule;
        let path = page_of(rule);
        assert_eq!(std::fs::read_to_string(root().join(&path)).unwrap(), *page, "{path}");
        let entry = format!("* [{name}](../{path}): {summary}");
        assert!(list.contains(&entry), "docs/rules.md lacks: {entry}");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, ["What it reports", "Why it matters", "Example", "What to do", "Limits"], "{name}");
        has_the_form_of_pages(page, name);
    }
    let pages: BTreeSet<String> = fixtures::rule_infos().iter().map(page_of).collect();
    let stems = stems("rules/packs/qemu/pages", "md").into_iter();
    let expected: BTreeSet<String> = pages.into_iter().filter(|page| page.starts_with("rules/packs/")).collect();
    assert_eq!(stems.map(|stem| format!("rules/packs/qemu/pages/{stem}.md")).collect::<BTreeSet<_>>(), expected);
}

/// A pack without words, names and pages has those of cowrap: every placeholder has a value, and nothing says what only
/// one code base has.
#[test]
fn the_generic_pages_have_one_form() {
    let pack = Pack::parse("name = \"plain\"\n", Path::new("plain.toml")).unwrap();
    for rule in cowrap_analysis::rules::infos(&pack) {
        let RuleInfo { id, name, page, summary, .. } = &rule;
        assert_eq!(name, id);
        assert!(!summary.contains('{') && !summary.ends_with('.'), "{summary}");
        if ABOUT_NO_CONTEXT.contains(id) {
            continue;
        }
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, ["What it reports", "Why it matters", "What to do", "Limits"], "{name}");
        assert!((15..=45).contains(&page.lines().count()), "{name}: {} lines", page.lines().count());
        assert!(!page.contains('{'), "{page}");
        for word in ["coroutine", "bottom half", "suspend", "QEMU", "guest"] {
            let says = |text: &str| text.to_lowercase().contains(&word.to_lowercase());
            assert!(!says(page) && !says(summary), "{name} says {word}");
        }
        has_the_form_of_pages(page, name);
    }
}

fn has_the_form_of_pages(page: &str, name: &str) {
    assert!(page.starts_with(&format!("# {name}\n\n")), "the page of {name} begins with its name");
    for line in page.lines() {
        assert_eq!(BANNED.iter().find(|banned| line.contains(**banned)), None, "{name}: {line}");
    }
}

/// Words that findings do not use, since there are better ones: `docs/` and the code say coroutine-only, unmarked, report, infer,
/// requires, leads to, candidate.
const BANNED: &[&str] = &[
    "coroutine only",
    "either context",
    "bears",
    "no mark here",
    "without a mark",
    "is believed",
    "is told",
    "tells",
    "is known of",
    "demand",
    "oblige",
    "outside of coroutines",
    "control can be",
    "control is",
    "comes there",
    "ways to fill",
    "holds is",
    "by the way of",
];

/// Every text of the findings of all fixtures begins in lower case or with a name in backquotes, states a fact in the field's words,
/// and has no full stop. Every finding says what to do, and names what it is about.
#[test]
fn messages_have_one_form() {
    let reports = fixtures::reports();
    let mut rules = BTreeSet::new();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        rules.insert(finding.rule.as_str());
        for text in fixtures::texts(finding).chain(finding.fixes.iter().map(|fix| &fix.title)) {
            let first = text.chars().next().expect("a message says something");
            assert!(first == '`' || first.is_lowercase() || first.is_ascii_digit(), "{text}");
            assert!(!text.ends_with(['.', '!', ' ']), "{text}");
            assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            if finding.rule != "stale-baseline" {
                let banned = BANNED.iter().find(|banned| text.contains(**banned));
                assert_eq!(banned, None, "{text}");
            }
        }
        assert!(!finding.help.is_empty(), "{}: says what to do", finding.message);
        let is_about_something = !finding.subjects.is_empty() || finding.rule == "malformed-suppression";
        assert!(is_about_something, "{}: names what it is about", finding.message);
        assert!(finding.subjects.iter().all(|subject| !subject.name.contains('`')), "{:?}", finding.subjects);
    }
    let names = fixtures::rule_infos().iter().map(|rule| rule.name.as_str());
    assert_eq!(rules, names.collect(), "every rule has a finding");
    for RuleInfo { name, summary, .. } in &reports[0].rules {
        assert!(!summary.ends_with('.') && summary.starts_with(char::is_lowercase), "{name}: {summary}");
        assert_eq!(BANNED.iter().find(|banned| summary.contains(**banned)), None, "{name}: {summary}");
    }
}

/// Fixing asks findings what they are about, and does not search their texts: every name that a message, a label or a note quotes is
/// among the subjects or the mentions, unless it is no function or slot.
#[test]
fn quoted_names_are_subjects_or_mentions() {
    let pack = Pack::read(&root().join("rules/packs/qemu-next.toml")).expect("a pack");
    let is_mark = |name: &str| pack.marks.iter().any(|mark| mark.name == name);
    let is_flag = |name: &str| {
        let flags = pack.slots.iter().map(|slot| slot.flag.as_ref().map(ToString::to_string));
        let constants = pack.slots.iter().map(|slot| slot.constant.clone());
        flags.chain(constants).flatten().any(|flag| flag == name)
    };
    let is_type = |name: &str| name.contains('(');
    // What is about comments and the baseline is not fixed.
    let is_beside_the_program = |rule: &str| rule.ends_with("-suppression") || rule == "stale-baseline";
    let mut unknown = BTreeSet::new();
    let reports = fixtures::reports();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        if is_beside_the_program(&finding.rule) {
            continue;
        }
        let help: BTreeSet<&String> = finding.help.iter().collect();
        for text in fixtures::texts(finding).filter(|text| !help.contains(text)) {
            for name in text.split('`').skip(1).step_by(2) {
                if !finding.names().any(|known| known == name) && !is_mark(name) && !is_flag(name) && !is_type(name) {
                    unknown.insert((finding.rule.clone(), name.to_owned(), text.clone()));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The sources below `src`, without comments.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root().join("src")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                found.push((path, code.join("\n")));
            }
        }
    }
    assert!(found.len() > 100);
    found
}

fn stems(directory: &str, extension: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
    let wanted = entries.filter(|path| path.extension().is_some_and(|end| end == extension));
    wanted.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}
