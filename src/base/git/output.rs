//! What git prints for programs. A repository decides the names and texts in it.

use crate::files::Shown;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// An entry of `git diff --raw`. The sides have the name of their object, which is empty for what is no
/// regular file, and their absolute path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawChange {
    /// The old side, if there is one.
    pub old: Option<(String, PathBuf)>,
    /// The new side, if there is one.
    pub new: Option<(String, PathBuf)>,
}

/// Parses the output of `git diff --raw -z`. `top` is the top of the working tree.
///
/// # Errors
///
/// What is not understood, as a clause.
pub fn raw_changes(output: &[u8], top: &Path) -> Result<Vec<RawChange>, String> {
    let mut fields = output.split(|byte| *byte == 0);
    let mut changes = Vec::new();
    while let Some(head) = fields.next().filter(|head| !head.is_empty()) {
        let head = String::from_utf8_lossy(head).into_owned();
        let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
        let (&[old_mode, new_mode, old_blob, new_blob, status], Some(path)) = (words.as_slice(), fields.next()) else {
            return Err(format!("it said `{head}`, which was not understood"));
        };
        let path = top.join(path_of(path));
        let new_path = match status.starts_with(['R', 'C']) {
            true => fields.next().map(|path| top.join(path_of(path))),
            false => Some(path.clone()),
        };
        if status.starts_with('U') {
            return Err(format!("{} is not merged yet", path.shown()));
        }
        let side = |mode: &str, blob: &str, path: Option<PathBuf>| match mode {
            "000000" | "160000" => None,
            // What is no regular file has no text.
            "120000" => path.map(|path| (String::new(), path)),
            _ => path.map(|path| (blob.to_owned(), path)),
        };
        let change = RawChange { old: side(old_mode, old_blob, Some(path)), new: side(new_mode, new_blob, new_path) };
        if change.old.is_some() || change.new.is_some() {
            changes.push(change);
        }
    }
    Ok(changes)
}

/// Parses the output of `git cat-file --batch`: the contents of objects, by their names.
///
/// # Errors
///
/// What has no content, as a clause.
pub fn contents(output: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut rest = output;
    let mut contents = BTreeMap::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let words: Vec<&str> = head.split(' ').collect();
        let length = match words.as_slice() {
            [_, "blob", length] => length.parse().ok().filter(|length| *length < rest.len()),
            _ => None,
        };
        let Some(length) = length else {
            return Err(format!("no content for `{head}`; fetch it first if this is a partial clone"));
        };
        contents.insert(words[0].to_owned(), rest[..length].to_vec());
        // A line feed follows the content.
        rest = &rest[length + 1..];
    }
    Ok(contents)
}

/// A path as git prints it.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
