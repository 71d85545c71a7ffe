//! Unified diffs, byte for byte.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use similar::{ChangeTag, DiffOp, group_diff_ops};

use crate::line_diff::operations;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;

/// The difference between two texts of a file in the form that `git apply` and `patch -p1` read;
/// empty if the texts are equal.
///
/// Bytes are kept: carriage returns stay, and no encoding is assumed. `path` is relative to the root
/// of the tree, and quoted as git does it.
pub fn unified_diff(path: &Path, old: &[u8], new: &[u8]) -> Vec<u8> {
    let comparison = Comparison::new(old, new);
    let mut out = Vec::new();
    if comparison.hunks.is_empty() {
        return out;
    }
    let (before, after) = (quoted("a/", path), quoted("b/", path));
    // With this line git takes the names as they are, does not look for a time behind them, and does
    // not take a file that becomes empty for a removed one.
    out.extend(format!("diff --git {before} {after}\n").bytes());
    // The tab does the same for patch, which otherwise ends a name at the first blank.
    let tab = if path.as_os_str().as_bytes().contains(&b' ') { "\t" } else { "" };
    out.extend(format!("--- {before}{tab}\n+++ {after}{tab}\n").bytes());
    for hunk in &comparison.hunks {
        comparison.write_hunk(hunk, &mut out);
    }
    out
}

/// The difference between two texts of a file as people read it: without the first line and the
/// prefixes that git adds to names. Empty if the texts are equal.
pub fn plain_diff(name: &str, old: &[u8], new: &[u8]) -> Vec<u8> {
    let comparison = Comparison::new(old, new);
    if comparison.hunks.is_empty() {
        return Vec::new();
    }
    let mut out = format!("--- {name}\n+++ {name}\n").into_bytes();
    comparison.hunks.iter().for_each(|hunk| comparison.write_hunk(hunk, &mut out));
    out
}

/// How many lines are added and removed between two texts.
pub(crate) fn added_and_removed(old: &[u8], new: &[u8]) -> (usize, usize) {
    let comparison = Comparison::new(old, new);
    let (mut added, mut removed) = (0, 0);
    for op in comparison.hunks.iter().flatten().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        added += op.new_range().len();
        removed += op.old_range().len();
    }
    (added, removed)
}

/// Two texts, line by line.
struct Comparison<'t> {
    old: Vec<&'t [u8]>,
    new: Vec<&'t [u8]>,
    /// Changes that are near each other, with their context.
    hunks: Vec<Vec<DiffOp>>,
}

impl<'t> Comparison<'t> {
    fn new(old: &'t [u8], new: &'t [u8]) -> Comparison<'t> {
        // Only a line feed ends a line, as for the programs that apply patches.
        let lines = |text: &'t [u8]| -> Vec<&'t [u8]> { text.split_inclusive(|byte| *byte == b'\n').collect() };
        let (old, new) = (lines(old), lines(new));
        let hunks = group_diff_ops(operations(&old, &new), CONTEXT);
        let has_change = |hunk: &Vec<DiffOp>| hunk.iter().any(|op| !matches!(op, DiffOp::Equal { .. }));
        Comparison { old, new, hunks: hunks.into_iter().filter(has_change).collect() }
    }

    fn write_hunk(&self, hunk: &[DiffOp], out: &mut Vec<u8>) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
        let old = line_range(first.old_range().start, last.old_range().end);
        let new = line_range(first.new_range().start, last.new_range().end);
        out.extend(format!("@@ -{old} +{new} @@\n").bytes());
        for op in hunk {
            for (tag, lines) in op.iter_slices(&self.old, &self.new) {
                let sign = match tag {
                    ChangeTag::Equal => b' ',
                    ChangeTag::Delete => b'-',
                    ChangeTag::Insert => b'+',
                };
                for line in lines {
                    out.push(sign);
                    out.extend_from_slice(line);
                    if !line.ends_with(b"\n") {
                        out.extend_from_slice(b"\n\\ No newline at end of file\n");
                    }
                }
            }
        }
    }
}

/// A range of lines, which counts from 0, as the header of a hunk writes it.
fn line_range(start: usize, end: usize) -> String {
    match end - start {
        // An empty range names the line before it.
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

/// A path as git writes it: quoted and escaped if it has a byte that is not printable ASCII, a quote
/// or a backslash.
pub(crate) fn quoted(before: &str, path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if bytes.iter().all(is_plain) {
        return format!("{before}{}", String::from_utf8_lossy(bytes));
    }
    let mut word = format!("\"{before}");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => word.extend(['\\', char::from(*byte)]),
            b'\x07' => word.push_str("\\a"),
            b'\x08' => word.push_str("\\b"),
            b'\t' => word.push_str("\\t"),
            b'\n' => word.push_str("\\n"),
            b'\x0b' => word.push_str("\\v"),
            b'\x0c' => word.push_str("\\f"),
            b'\r' => word.push_str("\\r"),
            b' '..=b'~' => word.push(char::from(*byte)),
            _ => word.push_str(&format!("\\{byte:03o}")),
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn diff(path: &str, old: &str, new: &str) -> String {
        String::from_utf8(unified_diff(Path::new(path), old.as_bytes(), new.as_bytes())).unwrap()
    }

    #[test]
    fn a_change_has_three_lines_of_context() {
        let old: String = (1..=20).map(|number| format!("{number}\n")).collect();
        let new = old.replace("10\n", "ten\n").replace("20\n", "20\n21\n");
        let expected = "diff --git a/d/a.c b/d/a.c\n--- a/d/a.c\n+++ b/d/a.c\n\
                        @@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n\
                        @@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n";
        assert_eq!(diff("d/a.c", &old, &new), expected);
        assert_eq!(added_and_removed(old.as_bytes(), new.as_bytes()), (2, 1));
        assert_eq!(diff("d/a.c", &old, &old), "");
        assert_eq!(diff("d/a.c", "", ""), "");
        assert_eq!(plain_diff("a.c", b"", b""), b"");
        assert_eq!(plain_diff("a.c", b"1\n", b"2\n"), b"--- a.c\n+++ a.c\n@@ -1 +1 @@\n-1\n+2\n");
    }

    #[test]
    fn line_ends_are_kept() {
        let hunk = |old, new| diff("a", old, new).split_once("+++ b/a\n").unwrap().1.to_owned();
        assert_eq!(hunk("a\r\nb\r\n", "a\r\nc\r\n"), "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n");
        assert_eq!(hunk("a\rb\n", "a\rc\n"), "@@ -1 +1 @@\n-a\rb\n+a\rc\n");
        let marker = "\\ No newline at end of file\n";
        assert_eq!(hunk("a", "a\n"), format!("@@ -1 +1 @@\n-a\n{marker}+a\n"));
        assert_eq!(hunk("a\nb", "c\nb"), format!("@@ -1,2 +1,2 @@\n-a\n+c\n b\n{marker}"));
        assert_eq!(hunk("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(hunk("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
    }

    #[test]
    fn paths_are_quoted_as_git_does() {
        let name = |bytes: &[u8]| quoted("a/", Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(name(b"x y.c"), "a/x y.c");
        assert_eq!(name("ü.c".as_bytes()), "\"a/\\303\\274.c\"");
        assert_eq!(name(b"\xff\"\\\t\n\r\x01\x7f"), "\"a/\\377\\\"\\\\\\t\\n\\r\\001\\177\"");
        assert!(diff("x y.c", "a\n", "b\n").starts_with("diff --git a/x y.c b/x y.c\n--- a/x y.c\t\n+++ b/x y.c\t\n"));
    }
}
