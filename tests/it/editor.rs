//! What an editor asks: the contexts of lines, hover, the call hierarchy, wrappers, lenses and hints.

use std::path::{Path, PathBuf};

use cowrap_facts::{Body, PathCondition};

use crate::fixtures::own_flags;
use crate::support::sharing::compare;

/// A line that begins with a call is reached as the call is, whatever is around it.
#[test]
fn lines_are_reached_as_the_calls_that_they_begin_with() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let root = scratch.path();
    copy(&testdata.join("include"), &root.join("include"));
    let mut entries = Vec::new();
    for directory in ["guards", "pointers"] {
        copy(&testdata.join(directory), &root.join(directory));
        let files = std::fs::read_dir(testdata.join(directory)).expect("a directory");
        let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
        files.sort();
        for path in files {
            let flags = own_flags(std::slice::from_ref(&path));
            let flags: Vec<String> = flags.iter().map(|flag| flag.to_string_lossy().into_owned()).collect();
            let name = Path::new(directory).join(path.file_name().expect("a file"));
            let command = format!("cc -std=gnu11 -Iinclude {} -c {}", flags.join(" "), name.display());
            entries.push(serde_json::json!({ "directory": root, "file": name, "command": command }));
        }
    }
    let database = serde_json::to_string(&entries).expect("plain data");
    std::fs::write(root.join("compile_commands.json"), database).expect("a file");
    let (mut checked, mut partial, mut wrong) = (0, 0, Vec::new());
    for facts in compare(root).plain.iter().flat_map(|(_, unit)| &unit.file_facts) {
        let facts = facts.facts();
        let path = root.join(facts.files[0].strip_prefix(".").unwrap_or(&facts.files[0]));
        let text = std::fs::read_to_string(&path).expect("a source");
        let lines: Vec<&str> = text.lines().collect();
        for body in &facts.bodies {
            for call in &body.calls {
                let line = lines[call.location.line as usize - 1];
                let indented = line.len() - line.trim_start().len();
                let name = &facts.symbols[call.callee.0 as usize].name;
                let begins = indented + 1 == call.location.column as usize && line.trim_start().starts_with(name);
                if begins && call.location.file == body.location.file {
                    checked += 1;
                    let at_line = condition(body, call.location.line);
                    partial += usize::from(at_line != whole(body));
                    if at_line != call.condition {
                        wrong.push(format!(
                            "{}:{}: {line}: {at_line:?} != {:?}",
                            path.display(),
                            call.location.line,
                            call.condition
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100 && partial > 50, "{checked} calls, {partial} of them not always");
}

/// The condition under which control reaches every line of a body that is in no region.
fn whole(body: &Body) -> PathCondition {
    PathCondition::always_with(cowrap_facts::feasible(&body.flags))
}

fn condition(body: &Body, line: u32) -> PathCondition {
    let region = body.regions.iter().find(|region| (region.first..=region.last).contains(&line));
    region.map_or(whole(body), |region| region.condition)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).expect("a copy")),
        }
    }
}
