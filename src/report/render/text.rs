//! Pieces of text that several formats share: locations, levels, remarks, counts, and lines that
//! fit a width.

use std::io::{self, Write};

use serde::Serialize;

use cowrap_base::files;

use crate::{Finding, Level, Span};

/// The name of entries for units that could not be read, where findings have the name of a rule.
pub const NOT_CHECKED: &str = "not-checked";

/// A level's name.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// A location as editors read it.
pub fn location(span: &Span) -> String {
    format!("{}:{}:{}", printable(&span.path.to_string_lossy()), span.line, span.column)
}

/// The notes and the help of a finding, one line each; not made printable.
pub fn remarks(finding: &Finding) -> Vec<String> {
    let notes = finding.notes.iter().map(|note| match &note.at {
        Some(at) => format!("note: {}: {}", location(at), note.text),
        None => format!("note: {}", note.text),
    });
    notes.chain(finding.help.iter().map(|help| format!("help: {help}"))).collect()
}

/// Text without characters that change what a terminal shows, and which is no command to a service
/// that runs checks.
pub fn printable(text: &str) -> String {
    files::without_commands(&files::without_deceptive(text)).into_owned()
}

/// The same for a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Writes a document as JSON, which may end up in a log: no part of it is a command to a service that
/// runs checks.
pub fn write_json(value: &impl Serialize, is_pretty: bool, out: &mut dyn Write) -> io::Result<()> {
    let out = WithoutCommands(out);
    match is_pretty {
        true => serde_json::to_writer_pretty(out, value)?,
        false => serde_json::to_writer(out, value)?,
    }
    Ok(())
}

/// Escapes `##[` and `##vso[` in JSON. Only strings can have these characters, and what a string has
/// between two escapes is written at once.
struct WithoutCommands<'w>(&'w mut dyn Write);

impl Write for WithoutCommands<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("##") => {
                let text = text.replace("##[", "#\\u0023[").replace("##vso[", "#\\u0023vso[");
                self.0.write_all(text.as_bytes())?;
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A number and what it counts, which forms its plural with an `s`.
pub fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {noun}s"),
    }
}

/// A text in lines of at most `width` characters. The first line has `used` characters less, since
/// something precedes it; each further line starts with `indent`. Lines break at spaces only, so a
/// longer word makes a longer line.
pub fn wrap(text: &str, width: usize, used: usize, indent: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = used;
    let mut is_first = true;
    for word in text.split(' ') {
        let length = word.chars().count();
        if is_first {
            is_first = false;
        } else if column + 1 + length > width {
            out.push('\n');
            out.push_str(indent);
            column = indent.chars().count();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces_and_fit_the_width() {
        assert_eq!(wrap("", 10, 0, "  "), "");
        assert_eq!(wrap("one two", 7, 0, "  "), "one two");
        assert_eq!(wrap("one two", 6, 0, "  "), "one\n  two");
        assert_eq!(wrap("one two three", 9, 5, "  "), "one\n  two\n  three");
        assert_eq!(wrap("a-word-of-some-length b c", 8, 0, " "), "a-word-of-some-length\n b c");
        assert_eq!(
            wrap("\u{e9}\u{e9}\u{e9} \u{e9}\u{e9}", 6, 0, ""),
            "\u{e9}\u{e9}\u{e9} \u{e9}\u{e9}",
            "characters count, not bytes"
        );
    }
}
