//! What cowrap writes, and reads again or lets others read: baselines and diffs.

use std::path::Path;

use cowrap_fix::{plain_diff, unified_diff};
use cowrap_report::Baseline;

use crate::two_parts;

/// A baseline is refused with its line, or is the same after it was written again; comparing it with no findings, all
/// its entries are stale.
pub fn baseline(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Baseline::parse(text, Path::new("a-baseline.json")) {
        Ok(baseline) => {
            let (known, stale) = baseline.compare(&[], "qemu");
            assert!(known.is_empty() && stale.len() <= baseline.entries().len());
            assert!(!stale.is_empty() || baseline.entries().is_empty());
            let written = baseline.to_text();
            let again = Baseline::parse(&written, Path::new("a-baseline.json")).expect("it was written by cowrap");
            let without_lines = |baseline: &Baseline| {
                let entries = baseline.entries().iter().cloned();
                entries.map(|entry| cowrap_report::BaselineEntry { line: 0, ..entry }).collect::<Vec<_>>()
            };
            assert_eq!(without_lines(&again), without_lines(&baseline));
            assert_eq!(again.to_text(), written);
        }
        Err(error) => {
            assert!(error.line >= 1 && error.line as usize <= text.lines().count().max(1) + 1);
            assert!(!error.problem.is_empty());
        }
    }
}

/// A diff, applied to the old text, gives the new one.
pub fn diff(bytes: &[u8]) {
    let (old, new) = two_parts(bytes);
    let diff = unified_diff(Path::new("dir/a file.c"), old, new);
    assert_eq!(diff.is_empty(), old == new);
    assert_eq!(plain_diff("a", old, new).is_empty(), old == new);
    if !diff.is_empty() {
        let (old_again, new_again) = both_sides(&diff, old);
        assert_eq!(old_again, old, "the diff has the old text");
        assert_eq!(new_again, new, "the diff makes the new text");
    }
}

/// Applies a diff to a text without looking at more than the diff: what it takes for the old text, and what it makes of
/// it.
fn both_sides(diff: &[u8], text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut at = 0;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    let mut is_header = true;
    // The sides that the last line is on, whose end a later line may take away.
    let mut last = (false, false);
    for line in diff.split_inclusive(|byte| *byte == b'\n') {
        if let Some(range) = line.strip_prefix(b"@@ -".as_slice()).filter(|_| is_header || line.ends_with(b" @@\n")) {
            is_header = false;
            let range = String::from_utf8_lossy(range).into_owned();
            let range = range.split(' ').next().expect("a range").to_owned();
            let (start, count) = range.split_once(',').unwrap_or((&range, "1"));
            let (start, count): (usize, usize) = (start.parse().expect("a line"), count.parse().expect("a count"));
            // An empty range names the line before it.
            let start = if count == 0 { start } else { start - 1 };
            for line in &lines[at..start] {
                old.extend_from_slice(line);
                new.extend_from_slice(line);
            }
            at = start + count;
            continue;
        }
        if is_header {
            continue;
        }
        let (sign, rest) = line.split_first().expect("a line");
        match sign {
            b'\\' => {
                if last.0 {
                    old.pop();
                }
                if last.1 {
                    new.pop();
                }
                continue;
            }
            b' ' => last = (true, true),
            b'-' => last = (true, false),
            b'+' => last = (false, true),
            _ => panic!("a line of the diff begins with {sign}"),
        }
        if last.0 {
            old.extend_from_slice(rest);
        }
        if last.1 {
            new.extend_from_slice(rest);
        }
    }
    for line in &lines[at..] {
        old.extend_from_slice(line);
        new.extend_from_slice(line);
    }
    (old, new)
}
