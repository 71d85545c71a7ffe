//! Lists in `meson.build`.

use std::ops::Range;

use crate::edit::{EditError, TextEdit};
use crate::layout::{is_blank, line_end, line_ending, line_start, trim_end};

/// Adds the string `new` to a list in a `meson.build`, behind the string `known`: on a line of its
/// own if `known` has one. Only strings in the range `within` count.
///
/// # Errors
///
/// When `known` is not there or is there several times, and when `new` is there.
pub fn add_to_list(text: &[u8], within: Range<usize>, known: &str, new: &str) -> Result<Vec<TextEdit>, EditError> {
    let (known_text, new_text) = (escaped(known), escaped(new));
    let strings = strings(text).into_iter().filter(|span| within.start <= span.start && span.end <= within.end);
    let strings: Vec<Range<usize>> = strings.collect();
    let is = |span: &Range<usize>, wanted: &[u8]| text[span.start + 1..span.end - 1] == *wanted;
    if strings.iter().any(|span| is(span, &new_text)) {
        return Err(EditError::AlreadyListed(new.to_owned()));
    }
    let mut found = strings.iter().filter(|span| is(span, &known_text));
    let span = match (found.next(), found.next()) {
        (None, _) => return Err(EditError::NotListed(known.to_owned())),
        (Some(_), Some(_)) => return Err(EditError::ListedTwice(known.to_owned())),
        (Some(span), None) => span.clone(),
    };

    let indentation = &text[line_start(text, span.start)..span.start];
    let rest = trim_end(&text[span.end..line_end(text, span.end)]);
    let behind = span.end + rest.len();
    let entry = [b"'", new_text.as_slice(), b"'"].concat();
    let line = [line_ending(text, span.start), indentation, &entry].concat();
    let insert = |at: usize, parts: &[&[u8]]| TextEdit { range: at..at, text: parts.concat() };
    let is_first = indentation.iter().all(is_blank);
    let (has_comma, rest) = match rest.trim_ascii_start().split_first() {
        Some((b',', rest)) => (true, rest.trim_ascii_start()),
        _ => (false, rest.trim_ascii_start()),
    };
    let is_last = matches!(rest.first(), None | Some(b'#'));
    Ok(match (is_first && is_last, has_comma) {
        (true, true) => vec![insert(behind, &[&line, b","])],
        (true, false) if rest.is_empty() => vec![insert(span.end, &[b",", &line])],
        (true, false) => vec![insert(span.end, &[b","]), insert(behind, &[&line])],
        // The closing bracket stays on the line of the last entry.
        (false, false) if is_first && matches!(rest.first(), Some(b']' | b')')) => {
            vec![insert(span.end, &[b",", &line])]
        }
        (false, _) => vec![insert(span.end, &[b", ", &entry])],
    })
}

/// The strings of a text with their quotes, except those of several lines, which name no files.
fn strings(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'#' => at = line_end(text, at),
            b'\'' if text[at..].starts_with(b"'''") => {
                let length = text[at + 3..].windows(3).position(|end| end == b"'''");
                at = length.map_or(text.len(), |length| at + length + 6);
            }
            b'\'' => {
                let start = at;
                at += 1;
                while !matches!(text.get(at), None | Some(b'\'' | b'\n')) {
                    let is_escape = text[at] == b'\\' && text.get(at + 1).is_some_and(|next| *next != b'\n');
                    at += if is_escape { 2 } else { 1 };
                }
                if text.get(at) == Some(&b'\'') {
                    at += 1;
                    found.push(start..at);
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// A string as written between quotes.
fn escaped(string: &str) -> Vec<u8> {
    string.replace('\\', "\\\\").replace('\'', "\\'").into_bytes()
}
