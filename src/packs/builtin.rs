//! The packs and templates that are compiled in.

use std::path::{Path, PathBuf};

use super::pack::{PackError, Written};

/// The default pack.
pub const DEFAULT: &str = "qemu";

/// The names of the built-in packs.
pub const NAMES: &[&str] = &["qemu", "qemu-next"];

const PACKS: &[(&str, &str)] = &[
    ("qemu", include_str!("../../rules/packs/qemu.toml")),
    ("qemu-next", include_str!("../../rules/packs/qemu-next.toml")),
];

const TEMPLATES: &[(&str, &str)] = &[
    ("qemu/file.c.j2", include_str!("../../rules/packs/qemu/file.c.j2")),
    ("qemu/coroutine.c.j2", include_str!("../../rules/packs/qemu/coroutine.c.j2")),
    ("qemu/bottom-half.c.j2", include_str!("../../rules/packs/qemu/bottom-half.c.j2")),
    ("qemu/contexts.c.j2", include_str!("../../rules/packs/qemu/contexts.c.j2")),
];

/// The text of a template.
pub(super) fn template(name: &str) -> Option<String> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}

/// A built-in pack, by its name.
pub(super) fn written(name: &str) -> Result<Written, PackError> {
    match PACKS.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Written::parse(text, Path::new(&format!("rules/packs/{name}.toml")), None, &mut Vec::new()),
        None => Err(PackError::Unknown { name: name.to_owned(), known: NAMES.join(", ") }),
    }
}

/// A pack from the command line or from `extends`: a built-in one by its name, else a file. Adds the files that it
/// reads to `files`.
pub(super) fn written_or_file(path: &Path, files: &mut Vec<PathBuf>) -> Result<Written, PackError> {
    if let Some(name) = path.to_str().filter(|name| NAMES.contains(name)) {
        return written(name);
    }
    let text =
        std::fs::read_to_string(path).map_err(|source| PackError::Read { path: path.display().to_string(), source })?;
    files.push(path.to_path_buf());
    let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
    Written::parse(&text, path, Some(directory), files)
}
