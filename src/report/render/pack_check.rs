//! What the entries of a pack match in a tree, as text or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::{CheckedEntry, PackCheck};

use super::text::{count, location, printable, write_json};

/// The version of the JSON.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    #[serde(flatten)]
    check: &'a PackCheck,
}

/// Writes a comparison as one JSON document.
pub fn render_pack_check_json(check: &PackCheck, out: &mut dyn Write) -> io::Result<()> {
    write_json(&Document { version: VERSION, check }, true, out)?;
    writeln!(out)
}

/// Writes a comparison as text: a line for each entry, and one for all.
pub fn render_pack_check(check: &PackCheck, out: &mut dyn Write) -> io::Result<()> {
    let file = printable(&check.file.to_string_lossy());
    let all = count(check.entries.len(), "name");
    if !check.with_tree && !check.entries.is_empty() {
        return writeln!(out, "{file}: pack `{}` with {all}; -p compares it with a tree", printable(&check.pack));
    }
    for entry in &check.entries {
        writeln!(out, "{file}:{}: {}", entry.line, line(entry))?;
    }
    match check.unmatched().count() {
        _ if check.entries.is_empty() => {
            writeln!(out, "{file}: pack `{}` names nothing of a tree yet", printable(&check.pack))
        }
        0 => writeln!(out, "{file}: pack `{}`: {all}, all of which match", printable(&check.pack)),
        unmatched => {
            let verb = if unmatched == 1 { "matches" } else { "match" };
            writeln!(out, "{file}: pack `{}`: {all}, of which {unmatched} {verb} nothing", printable(&check.pack))
        }
    }
}

/// An entry and what it matches.
fn line(entry: &CheckedEntry) -> String {
    let CheckedEntry { key, name, matches, first, similar, optional, .. } = entry;
    let name = format!("{key} `{}`", printable(name));
    if !matches.is_empty() {
        let counts: Vec<String> = matches.iter().map(|found| count(found.count, found.what)).collect();
        let first = first.as_ref().map(|at| format!(", first at {}", location(at))).unwrap_or_default();
        return format!("{name}: {}{first}", counts.join(", "));
    }
    let hint = similar.as_ref().map(|similar| format!("; did you mean `{}`?", printable(similar)));
    match optional {
        true => format!("{name}: not in this tree"),
        false => format!("warning: {name} matches nothing{}", hint.unwrap_or_default()),
    }
}
