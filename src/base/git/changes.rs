//! The differences between two states of a repository, with the texts of both.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::output::{RawChange, contents, path_of, raw_changes};
use super::{Git, GitError, PATHS_AT_ONCE};
use crate::files::{LONGEST_TEXT, read_regular};

/// A state of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side<'a> {
    /// No files.
    Nothing,
    /// A commit, by its full name.
    Commit(&'a str),
    /// The content of the next commit.
    Index,
    /// The files on disk.
    WorkTree,
}

/// A file that differs between two states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its old absolute path; `None` if it did not exist.
    pub old: Option<PathBuf>,
    /// Its new absolute path; `None` if it does not exist.
    pub new: Option<PathBuf>,
    /// Its old text; `None` if it did not exist or was no regular file.
    pub old_text: Option<Arc<Vec<u8>>>,
    /// Its new text; `None` if it does not exist or is no regular file.
    pub new_text: Option<Arc<Vec<u8>>>,
    /// The changed lines, by their new numbers from 1, sorted. Where lines were only removed, these
    /// are the lines on both sides of the gap.
    pub lines: Vec<RangeInclusive<u32>>,
}

impl Git {
    /// The full name of the commit that a revision names.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        self.repository.vet_reference(revision)?;
        let wanted = format!("{revision}^{{commit}}");
        let out = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], &[], None)?;
        match out.status.success() {
            true => Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned()),
            false => Err(self.failed(format!("no commit named `{revision}`"))),
        }
    }

    /// The commit of HEAD; `None` in a repository without commits.
    pub fn head(&self) -> Result<Option<String>, GitError> {
        let out = self.run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], &[], None)?;
        if out.status.success() {
            return Ok(Some(String::from_utf8_lossy(&out.stdout).trim().to_owned()));
        }
        let out = self.run(&["symbolic-ref", "--quiet", "HEAD"], &[], None)?;
        let branch = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        match out.status.success() && !self.repository.has_reference(&branch)? {
            true => Ok(None),
            false => Err(self.failed("HEAD does not lead to a commit; repair the repository (git fsck)".to_owned())),
        }
    }

    /// The merge base of HEAD and a commit.
    pub fn fork(&self, commit: &str) -> Result<String, GitError> {
        let out = self.run(&["merge-base", "HEAD", commit], &[], None)?;
        match out.status.success() {
            true => Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned()),
            false => Err(self.failed(format!(
                "HEAD and {commit} have no commit in common; fetch more history if this is a shallow clone \
                 (git fetch --deepen)"
            ))),
        }
    }

    /// The files that differ between two states, sorted by path. Untracked files and submodules are
    /// left out.
    pub fn changes(&self, old: Side<'_>, new: Side<'_>) -> Result<Vec<Change>, GitError> {
        let entries = self.entries(old, new)?;
        let blobs = entries.iter().flat_map(|entry| [&entry.old, &entry.new]).flatten().map(|(blob, _)| blob.as_str());
        let blobs = self.blobs(&blobs.filter(|blob| is_object(blob)).collect())?;
        let text = |side: &Option<(String, PathBuf)>| {
            let (blob, path) = side.as_ref()?;
            match is_object(blob) {
                true => blobs.get(blob).cloned(),
                // A symbolic link has no text.
                false if blob.is_empty() => None,
                // git has no hash of a changed file on disk.
                false => path.symlink_metadata().is_ok_and(|found| found.is_file()).then(|| read(path)).flatten(),
            }
        };
        let mut changes: Vec<Change> = entries
            .iter()
            .map(|entry| {
                let (old_text, new_text) = (text(&entry.old), text(&entry.new));
                let lines = changed_lines(
                    old_text.as_ref().map_or(&[], |text| text),
                    new_text.as_ref().map_or(&[], |text| text),
                );
                let path = |side: &Option<(String, PathBuf)>| side.as_ref().map(|(_, path)| path.clone());
                Change { old: path(&entry.old), new: path(&entry.new), old_text, new_text, lines }
            })
            .collect();
        changes.sort_by(|one, other| (&one.new, &one.old).cmp(&(&other.new, &other.old)));
        Ok(changes)
    }

    fn entries(&self, old: Side<'_>, new: Side<'_>) -> Result<Vec<RawChange>, GitError> {
        let mut arguments =
            vec!["diff", "--raw", "-z", "--find-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv"];
        arguments.extend(["--no-color", "--no-relative", "--ignore-submodules=all"]);
        match (old, new) {
            (Side::Commit(old), Side::Commit(new)) => arguments.extend([old, new]),
            (Side::Commit(old), Side::Index) => arguments.extend(["--cached", old]),
            (Side::Commit(old), Side::WorkTree) => arguments.push(old),
            (Side::Nothing, Side::Index) => arguments.push("--cached"),
            (Side::Index, Side::WorkTree) => {}
            _ => return Err(self.failed("these two states cannot be compared".to_owned())),
        }
        // Behind it come paths, even if none does.
        arguments.push("--");
        let out = self.succeed(&arguments, &[])?;
        raw_changes(&out, &self.top).map_err(|problem| self.failed(problem))
    }

    /// The answer of `git cat-file` about objects.
    fn ask_objects(&self, option: &str, names: &[&str]) -> Result<Output, GitError> {
        let input = || -> std::io::Result<std::fs::File> {
            let mut input = tempfile::tempfile()?;
            names.iter().try_for_each(|name| writeln!(input, "{name}"))?;
            input.seek(SeekFrom::Start(0))?;
            Ok(input)
        };
        let input = input().map_err(|reason| GitError::NoGit { root: self.root.clone(), reason })?;
        let out = self.run(&["cat-file", option], &[], Some(input))?;
        if out.status.success() { Ok(out) } else { Err(self.failure(&out)) }
    }

    /// The contents of objects, by their names. Those that are too long have none.
    fn blobs(&self, names: &BTreeSet<&str>) -> Result<BTreeMap<String, Arc<Vec<u8>>>, GitError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        // What is too long is no text, such as an image of a disk.
        let sizes = self.ask_objects("--batch-check", &names.iter().copied().collect::<Vec<_>>())?;
        let sizes = String::from_utf8_lossy(&sizes.stdout).into_owned();
        let too_long: BTreeSet<&str> = sizes
            .lines()
            .filter_map(|line| {
                let (name, size) = (line.split(' ').next()?, line.rsplit(' ').next()?.parse::<u64>().ok()?);
                (size > LONGEST_TEXT).then_some(name)
            })
            .collect();
        let short: Vec<&str> = names.iter().copied().filter(|name| !too_long.contains(name)).collect();
        let out = self.ask_objects("--batch", &short)?;
        let blobs = contents(&out.stdout).map_err(|problem| self.failed(problem))?;
        Ok(blobs.into_iter().map(|(name, content)| (name, Arc::new(content))).collect())
    }

    /// The files that git neither tracks nor ignores. Paths are absolute.
    pub fn untracked(&self, paths: &BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>, GitError> {
        let inside: Vec<PathBuf> = paths.iter().filter_map(|path| self.place(path)).collect();
        let mut found = BTreeSet::new();
        for paths in inside.chunks(PATHS_AT_ONCE) {
            let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
            let out = self.succeed(&["ls-files", "-z", "--full-name", "--others", "--exclude-standard"], &paths)?;
            let names = out.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            found.extend(names.map(|name| self.top.join(path_of(name))));
        }
        Ok(found)
    }

    /// The path that a missing file was moved to, in one or several steps, as far as git can tell
    /// from staged changes and from the commits that removed it. Both paths are absolute.
    pub fn moved(&self, path: &Path) -> Result<Option<PathBuf>, GitError> {
        let Some(head) = self.head()? else { return Ok(None) };
        let mut at = path.to_path_buf();
        // A file that was moved in a circle is where it started.
        let mut seen = BTreeSet::new();
        while !at.exists() && seen.insert(at.clone()) {
            let renamed = |changes: Vec<RawChange>| {
                let mut changes = changes.into_iter().filter_map(|entry| Some((entry.old?.1, entry.new?.1)));
                changes.find(|(old, new)| *old == at && new != old).map(|(_, new)| new)
            };
            if let Some(new) = renamed(self.entries(Side::Commit(&head), Side::WorkTree)?) {
                at = new;
                continue;
            }
            let Some(relative) = at.strip_prefix(&self.top).ok() else { return Ok(None) };
            // A signature would be shown by a program that the repository names.
            let arguments = [
                "log",
                "--no-show-signature",
                "--no-mailmap",
                "--max-count=1",
                "--diff-filter=D",
                "--no-renames",
                "--format=%H %P",
                &head,
            ];
            let out = self.succeed(&arguments, &[relative])?;
            let line = String::from_utf8_lossy(&out).trim().to_owned();
            let mut words = line.split(' ');
            let (Some(commit), Some(parent)) = (words.next(), words.next()) else { return Ok(None) };
            match renamed(self.entries(Side::Commit(parent), Side::Commit(commit))?) {
                Some(new) => at = new,
                None => return Ok(None),
            }
        }
        Ok(at.exists().then_some(at))
    }
}

/// Whether a name is that of an object, and not the zeros for something that is absent or not
/// hashed.
fn is_object(name: &str) -> bool {
    name.bytes().any(|byte| byte != b'0')
}

fn read(path: &Path) -> Option<Arc<Vec<u8>>> {
    read_regular(path, LONGEST_TEXT).ok().map(Arc::new)
}

/// The lines of the new text that are not in the old one.
fn changed_lines(old: &[u8], new: &[u8]) -> Vec<RangeInclusive<u32>> {
    // The end of a line does not count, since git may convert it.
    let line = |line: &[u8]| line.trim_ascii_end().to_vec();
    let lines = |text: &'_ [u8]| text.split_inclusive(|byte| *byte == b'\n').map(line).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let changed = operations.into_iter().filter_map(|operation| match operation {
        DiffOp::Equal { .. } => None,
        DiffOp::Delete { new_index, .. } => Some((new_index.max(1), (new_index + 1).min(new.len().max(1)))),
        DiffOp::Insert { new_index, new_len, .. } | DiffOp::Replace { new_index, new_len, .. } => {
            Some((new_index + 1, new_index + new_len))
        }
    });
    changed.map(|(first, last)| first as u32..=last as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_changed() {
        let changed = |old: &str, new: &str| changed_lines(old.as_bytes(), new.as_bytes());
        assert_eq!(changed("a\nb\nc\n", "a\nb\nc\n"), []);
        assert_eq!(changed("a\nb\nc\n", "a\nx\nc\n"), [2..=2]);
        assert_eq!(changed("a\nb\n", "a\nx\ny\nb\n"), [2..=3]);
        assert_eq!(changed("", "a\nb\n"), [1..=2]);
        assert_eq!(changed("a\nb\nc\nd\n", "a\nd\n"), [1..=2], "both sides of the gap");
        assert_eq!(changed("a\nb\n", "b\n"), [1..=1]);
        assert_eq!(changed("a\nb\n", "a\n"), [1..=1]);
        assert_eq!(changed("a\n", ""), [1..=1]);
        assert_eq!(changed("a\nb\n", "a\r\nb\r\nc\r\n"), [3..=3], "ends of lines are not lines");
    }
}
