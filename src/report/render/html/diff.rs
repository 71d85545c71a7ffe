//! The edits of a fix as changed lines, with a few lines around them.

use std::ops::Range;

use serde::Serialize;

use cowrap_base::files::Source;

use super::super::text::printable;
use super::sources::cut;
use crate::Edit;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 2;

/// Lines that follow each other. Each begins with ` `, `-` or `+`, as in a unified diff.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// The number of its first line in the old text, from 1.
    line: usize,
    /// The lines.
    pub lines: Vec<String>,
}

/// Lines of the old text, and what replaces them.
struct Change {
    /// From 0.
    old: Range<usize>,
    new: Vec<String>,
}

/// The hunks of edits of one text, which are sorted; `None` if they do not fit the text.
pub fn hunks(source: &Source, edits: &[Edit]) -> Option<Vec<Hunk>> {
    let changes = changes(source, edits)?;
    // Behind the last line break is no line.
    let is_empty = source.text().is_empty() || source.text().ends_with('\n');
    let end = source.line_starts().len() - usize::from(is_empty);
    let mut hunks: Vec<Hunk> = Vec::new();
    // The first line that no hunk has yet.
    let mut next = 0;
    for (position, change) in changes.iter().enumerate() {
        let start = change.old.start.saturating_sub(CONTEXT).max(next);
        if hunks.is_empty() || start > next {
            hunks.push(Hunk { line: start + 1, lines: Vec::new() });
        }
        let lines = &mut hunks.last_mut()?.lines;
        let old = |sign: char| move |line: usize| shown(sign, source.line(line as u32 + 1));
        lines.extend((start..change.old.start).map(old(' ')));
        lines.extend(change.old.clone().map(old('-')));
        lines.extend(change.new.iter().map(|line| shown('+', line)));
        let limit = changes.get(position + 1).map_or(end, |change| change.old.start);
        next = (change.old.end + CONTEXT).min(limit).max(change.old.end);
        lines.extend((change.old.end..next).map(old(' ')));
    }
    Some(hunks)
}

fn shown(sign: char, line: &str) -> String {
    // A tab stays: it is how the source is indented.
    let line: Vec<String> = cut(line.trim_end_matches('\r')).split('\t').map(printable).collect();
    format!("{sign}{}", line.join("\t"))
}

/// The lines that edits change. What two edits change is one if no unchanged line is between them.
fn changes(source: &Source, edits: &[Edit]) -> Option<Vec<Change>> {
    let (text, starts) = (source.text(), source.line_starts());
    let line_of = |offset: usize| starts.partition_point(|start| *start <= offset).saturating_sub(1);
    let mut groups: Vec<(Range<usize>, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        text.get(edit.start..edit.end)?;
        let lines = line_of(edit.start)..line_of(edit.end) + 1;
        match groups.last_mut().filter(|(known, _)| lines.start <= known.end) {
            Some((known, group)) => {
                known.end = known.end.max(lines.end);
                group.push(edit);
            }
            None => groups.push((lines, vec![edit])),
        }
    }
    groups.into_iter().map(|(lines, edits)| change(source, lines, &edits)).collect()
}

/// The change of some lines by edits.
fn change(source: &Source, lines: Range<usize>, edits: &[&Edit]) -> Option<Change> {
    let (text, starts) = (source.text(), source.line_starts());
    let end = starts.get(lines.end).map_or(text.len(), |next| next - 1);
    let mut new = String::new();
    let mut at = *starts.get(lines.start)?;
    for edit in edits {
        new.push_str(text.get(at..edit.start)?);
        new.push_str(&edit.text);
        at = edit.end;
    }
    new.push_str(text.get(at..end.max(at))?);
    let mut new: Vec<String> = new.split('\n').map(str::to_owned).collect();
    let mut old = lines;
    let line = |number: usize| text[starts[number]..].split('\n').next().unwrap_or("");
    while !old.is_empty() && new.first().is_some_and(|new| new == line(old.start)) {
        old.start += 1;
        new.remove(0);
    }
    while !old.is_empty() && new.last().is_some_and(|new| new == line(old.end - 1)) {
        old.end -= 1;
        new.pop();
    }
    Some(Change { old, new })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { path: PathBuf::from("a.c"), start, end, text: text.to_owned() }
    }

    fn shown(text: &str, edits: &[Edit]) -> Option<Vec<(usize, String)>> {
        let hunks = hunks(&Source::new(text.as_bytes()), edits)?;
        Some(hunks.into_iter().map(|hunk| (hunk.line, hunk.lines.join("\n"))).collect())
    }

    #[test]
    fn edits_become_lines() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let change = |hunk: &str| Some(vec![(2, hunk.to_owned())]);
        assert_eq!(shown(text, &[edit(6, 6, "x ")]), change(" 2\n 3\n-4\n+x 4\n 5\n 6"));
        assert_eq!(shown(text, &[edit(6, 8, "")]), change(" 2\n 3\n-4\n 5\n 6"), "a line is removed");
        assert_eq!(shown(text, &[edit(6, 6, "new\n")]), change(" 2\n 3\n+new\n 4\n 5"), "a line is added");
        assert_eq!(shown(text, &[edit(6, 7, "a"), edit(8, 9, "b")]), change(" 2\n 3\n-4\n-5\n+a\n+b\n 6\n 7"));
        let near = shown(text, &[edit(0, 1, "a"), edit(6, 7, "b")]);
        assert_eq!(near, Some(vec![(1, "-1\n+a\n 2\n 3\n-4\n+b\n 5\n 6".to_owned())]));
        let far = shown(text, &[edit(0, 1, "a"), edit(16, 17, "b")]).unwrap();
        assert_eq!(far.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 7]);
        assert_eq!(far[1].1, " 7\n 8\n-9\n+b");
        assert_eq!(shown(text, &[edit(18, 18, "10\n")]), Some(vec![(8, " 8\n 9\n+10".to_owned())]));
    }

    #[test]
    fn edits_of_another_text_have_no_lines() {
        assert_eq!(shown("abc\n", &[edit(2, 9, "x")]), None);
        assert_eq!(shown("abc\n", &[edit(2, 3, "x"), edit(0, 1, "y")]), None, "they are not sorted");
        assert_eq!(shown("\u{e9}\n", &[edit(1, 1, "x")]), None);
        assert_eq!(shown("", &[edit(0, 0, "x\n")]), Some(vec![(1, "+x".to_owned())]));
    }
}
