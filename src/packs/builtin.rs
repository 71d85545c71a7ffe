//! The packs and templates that are compiled in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use cowrap_base::files::{Shown, leads_out, read_text};

use super::PackError;
use super::written::{FilesRead, Written};

/// The default pack.
pub const DEFAULT: &str = "qemu";

/// The names of the built-in packs.
pub const NAMES: &[&str] = &["qemu", "qemu-gs", "qemu-next", "signal"];

const PACKS: &[(&str, &str)] = &[
    ("qemu", include_str!("../../rules/packs/qemu.toml")),
    ("qemu-gs", include_str!("../../rules/packs/qemu-gs.toml")),
    ("qemu-next", include_str!("../../rules/packs/qemu-next.toml")),
    ("signal", include_str!("../../rules/packs/signal.toml")),
];

const TEMPLATES: &[(&str, &str)] = &[
    ("qemu/file.c.j2", include_str!("../../rules/packs/qemu/file.c.j2")),
    ("qemu/enter.c.j2", include_str!("../../rules/packs/qemu/enter.c.j2")),
    ("qemu/leave.c.j2", include_str!("../../rules/packs/qemu/leave.c.j2")),
    ("qemu/contexts.c.j2", include_str!("../../rules/packs/qemu/contexts.c.j2")),
];

macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../rules/packs/", $name)))),*]
    };
}

const PAGES: &[(&str, &str)] = pages![
    "qemu/pages/assert-contradicts-mark.md",
    "qemu/pages/assert-without-mark.md",
    "qemu/pages/blocking-call.md",
    "qemu/pages/coroutine-call.md",
    "qemu/pages/eligible-mark.md",
    "qemu/pages/hand-written-wrapper.md",
    "qemu/pages/lock-across-yield.md",
    "qemu/pages/mark-mismatch.md",
    "qemu/pages/misplaced-mark.md",
    "qemu/pages/mixed-call.md",
    "qemu/pages/pointer-gains-mark.md",
    "qemu/pages/pointer-loses-mark.md",
    "qemu/pages/superfluous-mark.md",
    "qemu/pages/suspect-mark.md",
    "qemu/pages/unmarked-entry.md",
    "qemu/pages/wrapper-duplicate.md",
    "qemu/pages/wrapper-lock-variant.md",
    "qemu/pages/wrapper-not-generated.md",
    "qemu/pages/wrapper-signature-mismatch.md",
    "qemu/pages/wrapper-stale.md",
    "qemu/pages/wrapper-target-context.md",
    "qemu/pages/wrapper-target-missing.md",
    "qemu-gs/pages/main-thread-call.md",
    "signal/pages/signal-unsafe-call.md",
    "signal/pages/signal-unsafe-handler.md",
];

/// The text of a template.
pub(super) fn template(name: &str) -> Option<String> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}

/// The text of a rule's page.
pub(super) fn page(name: &str) -> Option<String> {
    PAGES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}

/// The built-in packs that were parsed: a run asks for one several times.
static PARSED: Mutex<BTreeMap<&str, Written>> = Mutex::new(BTreeMap::new());

/// A built-in pack, by its name.
pub(super) fn written(name: &str) -> Result<Written, PackError> {
    let Some((name, text)) = PACKS.iter().find(|(known, _)| *known == name) else {
        return Err(PackError::Unknown { name: name.to_owned(), known: NAMES.join(", ") });
    };
    if let Some(known) = PARSED.lock().ok().and_then(|parsed| parsed.get(name).cloned()) {
        return Ok(known);
    }
    let origin = format!("rules/packs/{name}.toml");
    let written = Written::parse(text, Path::new(&origin), None, &mut FilesRead::default())?;
    if let Ok(mut parsed) = PARSED.lock() {
        parsed.insert(name, written.clone());
    }
    Ok(written)
}

/// The text of a pack: a built-in one by its name, else a file.
pub(super) fn text(path: &Path) -> Result<String, PackError> {
    match PACKS.iter().find(|(known, _)| path == Path::new(known)) {
        Some((_, text)) => Ok((*text).to_owned()),
        None => read_text(path).map_err(|source| PackError::Read { path: path.shown().to_string(), source }),
    }
}

/// A pack from the command line or from `extends`: a built-in one by its name, else a file. Adds the files that it
/// reads to `files`.
pub(super) fn written_or_file(path: &Path, files: &mut FilesRead) -> Result<Written, PackError> {
    if let Some(name) = path.to_str().filter(|name| NAMES.contains(name)) {
        return written(name);
    }
    let text = text(path)?;
    files.paths.push(path.to_path_buf());
    let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
    Written::parse(&text, path, Some(directory), files).map_err(|error| match leads_out(path) {
        true => PackError::foreign(path),
        false => error,
    })
}
