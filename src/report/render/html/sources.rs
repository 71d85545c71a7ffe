//! The lines of sources that a page shows. Each line of a file is there once, however many findings show it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use cowrap_base::files::{Source, Sources};

use super::super::cut::boundary;
use super::super::text::printable;
use crate::{Report, Span};

/// How many bytes of sources a page has at most. Beyond that, findings show locations only.
const MOST_SOURCE: usize = 16 << 20;

/// Longer lines are cut, in bytes: generated code can have a line of a megabyte.
const LONGEST_LINE: usize = 400;

/// How much of a long line is shown before and behind a word, in bytes.
const AROUND: usize = 100;

/// What stands for the text that is left out.
const LEFT_OUT: &str = "\u{2026}";

/// The sources that findings show.
pub struct ShownSources<'r> {
    report: &'r Report,
    sources: Sources<'r>,
    files: Vec<ShownFile>,
    ids: HashMap<PathBuf, usize>,
    /// How many bytes may still be added.
    room: usize,
}

/// A file of which lines are shown.
struct ShownFile {
    path: String,
    source: Option<Arc<Source>>,
    lines: BTreeMap<u32, String>,
}

/// A location, as the script draws it.
#[derive(Debug, Serialize)]
pub struct Place {
    /// The file's number.
    file: usize,
    line: u32,
    /// In bytes, as in other formats.
    column: u32,
    /// The word at the location, in UTF-16 units of its line; empty if the line is not there.
    word: [usize; 2],
    /// The part of a long line that has the word.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
}

/// The lines of a file as the script reads them.
#[derive(Serialize)]
pub struct FileLines {
    path: String,
    /// Lines that follow each other: the number of the first one, and their text.
    pieces: Vec<(u32, String)>,
}

impl<'r> ShownSources<'r> {
    /// For a report.
    pub fn new(report: &'r Report) -> Self {
        let sources = Sources::new(&report.tree, &report.overlay);
        ShownSources { report, sources, files: Vec::new(), ids: HashMap::new(), room: MOST_SOURCE }
    }

    /// A location, whose line will be shown with so many lines before and behind it.
    pub fn place(&mut self, at: &Span, around: u32) -> Place {
        let file = self.file(&at.path);
        let mut place = Place { file, line: at.line, column: at.column, word: [0, 0], part: None };
        let Some(source) = self.files[file].source.clone() else { return place };
        if source.offset(at.line, at.column).is_none() {
            return place;
        }
        let last = source.line_starts().len() as u32;
        for line in at.line.saturating_sub(around).max(1)..=at.line.saturating_add(around).min(last) {
            self.add(file, &source, line);
        }
        let text = source.line(at.line);
        let start = at.column as usize - 1;
        let end = (start + source.word_length(at.line, at.column)).min(text.len());
        let (shown, start, end) = part_with(text, start, end);
        place.word = [utf16_length(&shown[..start]), utf16_length(&shown[..end])];
        place.part = (text.len() > LONGEST_LINE).then_some(shown);
        place
    }

    /// A file's number.
    fn file(&mut self, path: &PathBuf) -> usize {
        if let Some(known) = self.ids.get(path) {
            return *known;
        }
        let source = self.source(path);
        self.files.push(ShownFile { path: printable(&path.to_string_lossy()), source, lines: BTreeMap::new() });
        self.ids.insert(path.clone(), self.files.len() - 1);
        self.files.len() - 1
    }

    /// A file's text; `None` if it cannot be read, or must not be quoted.
    pub fn source(&mut self, path: &PathBuf) -> Option<Arc<Source>> {
        self.sources.get(&self.report.tree.root.join(path))
    }

    fn add(&mut self, file: usize, source: &Source, line: u32) {
        let lines = &mut self.files[file].lines;
        if lines.contains_key(&line) {
            return;
        }
        let text = cut(source.line(line));
        if let Some(room) = self.room.checked_sub(text.len() + 1) {
            self.room = room;
            lines.insert(line, text);
        }
    }

    /// The lines of all files, by the files' numbers.
    pub fn into_files(self) -> Vec<FileLines> {
        self.files.into_iter().map(|file| FileLines { path: file.path, pieces: pieces(file.lines) }).collect()
    }
}

/// Lines, with those that follow each other as one text.
fn pieces(lines: BTreeMap<u32, String>) -> Vec<(u32, String)> {
    let mut pieces: Vec<(u32, String)> = Vec::new();
    let mut next = 0;
    for (line, text) in lines {
        match pieces.last_mut().filter(|_| line == next) {
            Some((_, piece)) => {
                piece.push('\n');
                piece.push_str(&text);
            }
            None => pieces.push((line, text)),
        }
        next = line + 1;
    }
    pieces
}

/// The beginning of a line that is too long, else the line.
pub fn cut(line: &str) -> String {
    match line.len() > LONGEST_LINE {
        true => line[..boundary(line, LONGEST_LINE)].to_owned() + LEFT_OUT,
        false => line.to_owned(),
    }
}

/// The part of a line around a word if the line is too long, and where the word is in it.
fn part_with(line: &str, start: usize, end: usize) -> (String, usize, usize) {
    if line.len() <= LONGEST_LINE {
        return (line.to_owned(), start, end);
    }
    let end = boundary(line, end.min(start + LONGEST_LINE));
    let from = boundary(line, start.saturating_sub(AROUND));
    let to = boundary(line, (end + AROUND).min(line.len()));
    let [before, behind] = [from > 0, to < line.len()].map(|is_cut| if is_cut { LEFT_OUT } else { "" });
    let moved = |offset: usize| offset - from + before.len();
    (format!("{before}{}{behind}", &line[from..to]), moved(start), moved(end))
}

fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_follow_each_other_are_one_piece() {
        let lines = [(3, "c"), (4, "d"), (9, "i")].map(|(line, text)| (line, text.to_owned()));
        assert_eq!(pieces(BTreeMap::from(lines)), [(3, "c\nd".to_owned()), (9, "i".to_owned())]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_word() {
        assert_eq!(part_with("f(x);", 0, 1), ("f(x);".to_owned(), 0, 1));
        let gap = "\u{e9}".repeat(500);
        let line = format!("{gap}word{gap}");
        let (part, start, end) = part_with(&line, gap.len(), gap.len() + 4);
        assert_eq!(&part[start..end], "word");
        assert!(part.starts_with(LEFT_OUT) && part.ends_with(LEFT_OUT) && part.len() < LONGEST_LINE, "{part}");
        let (part, start, end) = part_with(&"x".repeat(5000), 0, 5000);
        assert_eq!((start, end), (0, LONGEST_LINE));
        assert!(part.len() < 2 * LONGEST_LINE);
        assert_eq!(cut(&gap).len(), LONGEST_LINE + LEFT_OUT.len());
    }
}
