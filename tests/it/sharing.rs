//! Sharing header work changes no facts.
//!
//! Each file of `testdata/sharing/` is a tree: `-- path` begins a file, and what is before the first one says what is expected.
//! `units 2` and `headers 1` are how many units share and how many precompiled headers there are; `refused interference` says that
//! the check of this name refuses something; `flags a.c: -DX` are a unit's arguments, in addition to `-Iinclude -I.`; `link to from`
//! is a symbolic link, and `hardlink to from` a hard link. The rest explains the case to people.
//!
//! All have `include/base.h`, which defines what the pack asks for, and `include/weight1.h` to `weight3.h`, which are heavy enough
//! that sharing them is worth it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::support::sharing::{compare, weight};
use crate::support::{random, tree};
use cowrap_frontend::pch::{Refusal, SharingStats};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const BASE: &str = "\
#ifndef BASE_H
#define BASE_H
#include \"weight1.h\"
#define coroutine_fn
#define no_coroutine_fn
#define coroutine_mixed_fn
_Bool qemu_in_coroutine(void);
void coroutine_fn qemu_coroutine_yield(void);
void coroutine_fn drain(void);
void block(void);
void done(void *opaque);
typedef void Handler(void *opaque);
typedef void coroutine_fn CoHandler(void *opaque);
struct Ops { Handler *plain; CoHandler *co; };
#endif
";

/// A case, as it is written.
#[derive(Default)]
struct Case {
    units: Option<usize>,
    headers: Option<usize>,
    /// Checks that must refuse something.
    refused: Vec<String>,
    flags: Vec<(String, String)>,
    links: Vec<(bool, String, String)>,
    files: Vec<(String, String)>,
}

impl Case {
    fn read(text: &str) -> Case {
        let mut case = Case::default();
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("-- ") {
                case.files.push((path.to_owned(), String::new()));
            } else if let Some((_, text)) = case.files.last_mut() {
                text.push_str(line);
                text.push('\n');
            } else if let Some(count) = line.strip_prefix("units ") {
                case.units = count.parse().ok();
            } else if let Some(count) = line.strip_prefix("headers ") {
                case.headers = count.parse().ok();
            } else if let Some(check) = line.strip_prefix("refused ") {
                case.refused.push(check.to_owned());
            } else if let Some((file, flags)) = line.strip_prefix("flags ").and_then(|rest| rest.split_once(": ")) {
                case.flags.push((file.to_owned(), flags.to_owned()));
            } else if let Some((to, from)) = line.strip_prefix("link ").and_then(|rest| rest.split_once(' ')) {
                case.links.push((true, to.to_owned(), from.to_owned()));
            } else if let Some((to, from)) = line.strip_prefix("hardlink ").and_then(|rest| rest.split_once(' ')) {
                case.links.push((false, to.to_owned(), from.to_owned()));
            }
        }
        case
    }

    fn write(&self, root: &Path) {
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("it is below the root")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        };
        write("include/base.h", BASE);
        for number in 1..4 {
            write(&format!("include/weight{number}.h"), &weight(number));
        }
        let mut entries = Vec::new();
        for (path, text) in &self.files {
            write(path, text);
            if path.ends_with(".c") {
                let flags = self.flags.iter().filter(|(file, _)| file == path).map(|(_, flags)| flags.as_str());
                let flags: Vec<&str> = flags.collect();
                let command = format!("cc {} -Iinclude -I. -c {path}", flags.join(" "));
                entries.push(serde_json::json!({ "directory": root, "file": path, "command": command }));
            }
        }
        for (is_symbolic, to, from) in &self.links {
            let from = root.join(from);
            std::fs::create_dir_all(from.parent().expect("it is below the root")).expect("a directory");
            match is_symbolic {
                true => std::os::unix::fs::symlink(root.join(to), from).expect("a link"),
                false => std::fs::hard_link(root.join(to), from).expect("a link"),
            }
        }
        let database = serde_json::to_string_pretty(&entries).expect("plain data");
        write("compile_commands.json", &database);
    }
}

/// Trees that nobody wrote. `COWRAP_SHARING_TREES` is how many, 100 when it is not set.
#[test]
fn random_trees() {
    let wanted = std::env::var("COWRAP_SHARING_TREES").ok().and_then(|count| count.parse().ok());
    let cases = wanted.unwrap_or(100);
    let mut runner =
        TestRunner::new(Config { cases, max_shrink_iters: 2000, failure_persistence: None, ..Config::default() });
    let (units, shared, erroneous) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let result = runner.run(&random::random(), |random| {
        let files = random.files();
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let case = Case { files, ..Case::default() };
        case.write(scratch.path());
        let compared = compare(scratch.path());
        units.set(units.get() + compared.plain.len());
        shared.set(shared.get() + compared.shared.units);
        erroneous
            .set(erroneous.get() + compared.plain.iter().filter(|(_, facts)| facts.parse_status.errors > 0).count());
        if let Some((file, difference)) = compared.differing.first() {
            let texts: String = case.files.iter().map(|(path, text)| format!("-- {path}\n{text}")).collect();
            return Err(TestCaseError::fail(format!(
                "{}: {difference}\n{:?}\n{texts}",
                file.display(),
                compared.shared
            )));
        }
        Ok(())
    });
    let (units, shared, erroneous) = (units.get(), shared.get(), erroneous.get());
    println!("{cases} trees, {units} units, {shared} of them shared, {erroneous} with errors");
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(shared * 4 > units, "of {units} units, only {shared} shared");
}

/// Headers with any bytes in their names.
#[test]
fn odd_names() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let root = scratch.path();
    let units = ["one", "two"].map(|name| (format!("{name}.c"), String::new()));
    Case { files: units.to_vec(), ..Case::read("") }.write(root);
    let names: [&[u8]; 7] = [b"a b.h", b"a'b.h", b"a\"b.h", b"a\\b.h", b"a\xffb.h", "ä.h".as_bytes(), b"a%s&;$(b).h"];
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let path = root.join("include").join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().expect("it is below the root")).expect("a directory");
        std::fs::write(path, format!("#pragma once\nvoid coroutine_fn f{number}(void);\n")).expect("a file");
        lines.push([b"#include <", name, b">\n"].concat());
    }
    let first = b"#include \"base.h\"\n".to_vec();
    let forward = [first.as_slice(), lines.concat().as_slice()].concat();
    lines.reverse();
    std::fs::write(root.join("one.c"), forward).expect("a file");
    std::fs::write(root.join("two.c"), [first.as_slice(), lines.concat().as_slice()].concat()).expect("a file");
    let compared = compare(root);
    assert_eq!(compared.differing, []);
    assert!(
        compared.plain.iter().all(|(_, facts)| facts.parse_status.errors == 0),
        "{:?}",
        compared.plain[0].1.parse_status
    );
    assert_eq!((compared.shared.units, compared.shared.headers), (2, 1), "{:?}", compared.shared);
}

/// A tree like a real one, in which nearly all units can share.
#[test]
fn a_large_tree() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let units = tree::write(scratch.path(), 120);
    let compared = compare(scratch.path());
    assert_eq!(compared.differing, []);
    assert!(compared.plain.iter().all(|(_, facts)| facts.parse_status.errors == 0));
    let SharingStats { units: shared, headers, refusals, .. } = compared.shared;
    assert!(
        shared * 10 > units.len() * 9 && headers > 3,
        "{shared} of {} units, {headers} headers: {refusals:?}",
        units.len()
    );
}

#[test]
fn cases() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sharing");
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).expect("cases").map(|entry| entry.expect("a case").path()).collect();
    paths.sort();
    let wanted = std::env::var("COWRAP_SHARING_CASE").unwrap_or_default();
    let mut complaints = Vec::new();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if !wanted.is_empty() && !name.contains(&wanted) && wanted != format!("={name}") {
            continue;
        }
        let case = Case::read(&std::fs::read_to_string(&path).expect("a case"));
        let scratch = tempfile::tempdir().expect("a scratch directory");
        case.write(scratch.path());
        let compared = compare(scratch.path());
        if !wanted.is_empty() {
            eprintln!("{:#?}", compared.shared);
        }
        for (file, difference) in &compared.differing {
            complaints
                .push(format!("{name}: {}: {difference}", file.file_name().unwrap_or_default().to_string_lossy()));
        }
        let shared = &compared.shared;
        if case.units.is_some_and(|units| units != shared.units)
            || case.headers.is_some_and(|headers| headers != shared.headers)
        {
            complaints
                .push(format!("{name}: {} units, {} headers; {:?}", shared.units, shared.headers, shared.refusals));
        }
        for check in &case.refused {
            if !shared.refusals.keys().any(|(_, refusal)| refusal.check() == check) {
                complaints.push(format!("{name}: {check} refuses nothing; {:?}", shared.refusals));
            }
        }
        let reused = &compared.reused;
        if (reused.units, reused.headers) != (shared.units, shared.headers)
            || (name == "plain" && reused.reused < reused.headers)
        {
            complaints.push(format!("{name}: reused: {reused:?}"));
        }
        for (file, facts) in &compared.plain {
            if let Some(error) = &facts.parse_status.first_error
                && !name.starts_with("error-")
            {
                complaints.push(format!("{name}: {}: {}", file.display(), error.message));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Every check has a tree in which it must refuse something.
#[test]
fn every_check_refuses_in_some_case() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sharing");
    let mut tested = BTreeSet::new();
    for entry in std::fs::read_dir(directory).expect("cases") {
        let path = entry.expect("a case").path();
        tested.extend(Case::read(&std::fs::read_to_string(path).expect("a case")).refused);
    }
    let checks: BTreeSet<String> = Refusal::CHECKS.iter().map(|check| (*check).to_owned()).collect();
    assert_eq!(tested, checks);
}
