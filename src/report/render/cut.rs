//! Excerpts of a text in which long lines are cut around what a label is about: a line of generated code can have a
//! megabyte, and each finding would repeat it.

use std::collections::BTreeMap;
use std::ops::Range;

use cowrap_base::files::Source;

/// Lines up to this length are shown as they are, in bytes.
const LONGEST_LINE: usize = 1000;

/// How much of a long line is shown before and behind a label, in bytes.
const AROUND: usize = 80;

/// How much of what a label is about is shown, in bytes.
const LONGEST_LABEL: usize = 200;

/// What stands for the text that is left out.
const LEFT_OUT: &str = "\u{2026}";

/// The lines of a text that have labels, and those between two of them.
#[derive(Debug, Default)]
pub(super) struct CutLines {
    text: String,
    /// The bytes of `text` that show each line, with the line's number from 0; in their order.
    lines: Vec<(usize, Range<usize>)>,
    /// Pieces of the whole text, each with where it begins in `text`; in their order.
    pieces: Vec<(Range<usize>, usize)>,
}

impl CutLines {
    /// The lines that these labels are on; `None` if all of them are short. Each label is on one line.
    pub(super) fn new(source: &Source, labels: &[Range<usize>]) -> Option<CutLines> {
        let starts = source.line_starts();
        let line_of = |offset: usize| starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let mut labelled: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for label in labels {
            labelled.entry(line_of(label.start)).or_default().push(label.clone());
        }
        // What stands between two lines is shown with them if it is one line.
        let numbers: Vec<usize> = labelled.keys().copied().collect();
        for pair in numbers.windows(2).filter(|pair| pair[1] - pair[0] == 2) {
            labelled.insert(pair[0] + 1, Vec::new());
        }
        let range = |line: usize| starts[line]..starts.get(line + 1).copied().unwrap_or(source.text().len());
        if labelled.keys().all(|line| range(*line).len() <= LONGEST_LINE) {
            return None;
        }
        let mut cut = CutLines::default();
        for (line, labels) in labelled {
            cut.add(source.text(), line, range(line), labels);
        }
        Some(cut)
    }

    fn add(&mut self, text: &str, number: usize, line: Range<usize>, mut labels: Vec<Range<usize>>) {
        labels.sort_by_key(|label| (label.start, label.end));
        let end = line.start + text[line.clone()].trim_end_matches(['\n', '\r']).len();
        let mut pieces: Vec<Range<usize>> = Vec::new();
        if line.len() <= LONGEST_LINE {
            pieces.push(line.start..end);
        } else if labels.is_empty() {
            pieces.push(line.start..boundary(text, line.start + LONGEST_LABEL).min(end));
        }
        for label in labels.iter().filter(|_| line.len() > LONGEST_LINE) {
            let start = boundary(text, label.start.saturating_sub(AROUND).max(line.start));
            let shown = label.end.min(label.start + LONGEST_LABEL);
            let behind = boundary(text, (shown + AROUND).min(end)).max(start);
            match pieces.last_mut().filter(|last| start <= last.end) {
                Some(last) => last.end = last.end.max(behind),
                None => pieces.push(start..behind),
            }
        }
        let begins = self.text.len();
        let mut at = line.start;
        for piece in pieces {
            if piece.start > at {
                self.text.push_str(LEFT_OUT);
            }
            at = piece.end;
            self.pieces.push((piece.clone(), self.text.len()));
            self.text.push_str(&text[piece]);
        }
        if at < end {
            self.text.push_str(LEFT_OUT);
        }
        self.text.push('\n');
        self.lines.push((number, begins..self.text.len()));
    }

    /// The text that is shown.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What is shown of a label.
    pub(super) fn label(&self, label: &Range<usize>) -> Option<Range<usize>> {
        let behind = self.pieces.partition_point(|(piece, _)| piece.start <= label.start);
        let (piece, at) = self.pieces.get(behind.checked_sub(1)?)?;
        let [start, end] =
            [label.start, label.end].map(|offset| offset.min(piece.end).saturating_sub(piece.start) + at);
        Some(start..end)
    }

    /// The number from 0 of the line that shows an offset of the text.
    pub(super) fn line_index(&self, offset: usize) -> Option<usize> {
        let behind = self.lines.partition_point(|(_, shown)| shown.start <= offset);
        Some(self.lines.get(behind.checked_sub(1)?)?.0)
    }

    /// The bytes that show a line.
    pub(super) fn line_range(&self, line: usize) -> Option<Range<usize>> {
        let at = self.lines.binary_search_by_key(&line, |(number, _)| *number).ok()?;
        Some(self.lines[at].1.clone())
    }

    /// The offset in the whole text of what is shown at an offset.
    pub(super) fn whole_offset(&self, shown: usize) -> Option<usize> {
        let behind = self.pieces.partition_point(|(_, at)| *at <= shown);
        let (piece, at) = self.pieces.get(behind.checked_sub(1)?)?;
        Some(piece.start + (shown - at))
    }
}

/// The last boundary of a character up to an offset.
pub(super) fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &Source, labels: &[Range<usize>]) -> Option<(String, Vec<String>)> {
        let cut = CutLines::new(source, labels)?;
        let labels = labels.iter().map(|label| cut.text()[cut.label(label).unwrap()].to_owned());
        Some((cut.text().to_owned(), labels.collect()))
    }

    #[test]
    fn short_lines_are_shown_as_they_are() {
        let text = format!("{}\nfoo bar\n", "x".repeat(5000));
        let source = Source::new(text.as_bytes());
        let label = text.find("bar").unwrap();
        assert_eq!(shown(&source, std::slice::from_ref(&(label..label + 3))), None);
    }

    #[test]
    fn a_long_line_is_cut_around_its_labels() {
        let gap = "\u{e9}x".repeat(1000);
        let text = format!("short\n{gap}one{gap}two three{gap}\r\nbetween\nlast one\n");
        let source = Source::new(text.as_bytes());
        let place = |word: &str| text.find(word).map(|at| at..at + word.len()).unwrap();
        let labels = [place("three"), place("one"), place("two"), place("last")];
        let (cut, found) = shown(&source, &labels).unwrap();
        assert_eq!(found, ["three", "one", "two", "last"]);
        assert!(cut.starts_with('\u{2026}') && cut.matches('\u{2026}').count() == 3, "{cut}");
        assert!(cut.ends_with("\u{e9}\u{2026}\nbetween\nlast one\n") && cut.len() < 1000, "{cut}");
        let cut = CutLines::new(&source, &labels).unwrap();
        for label in labels {
            let range = cut.label(&label).unwrap();
            assert_eq!(cut.whole_offset(range.start), Some(label.start));
        }
        assert_eq!([0, cut.text().len() - 1].map(|offset| cut.line_index(offset)), [Some(1), Some(3)]);
        assert_eq!((cut.line_range(0), cut.line_range(3).map(|range| range.len())), (None, Some(9)));
    }

    #[test]
    fn a_long_word_is_cut() {
        let text = format!("{} {}", "x".repeat(5000), "y".repeat(5000));
        let source = Source::new(text.as_bytes());
        let (cut, found) = shown(&source, std::slice::from_ref(&(5001..10_001))).unwrap();
        assert_eq!(found[0].len(), LONGEST_LABEL + AROUND);
        assert!(cut.len() < 500, "{cut}");
    }
}
