//! Keeping the layout of edited lines: lines that are aligned behind a `(` stay aligned, and lists
//! that become too wide are filled again.
//!
//! Columns count from 0, in characters; a tab goes to the next multiple of 8.

use std::ops::Range;

use crate::edit::{TextEdit, apply, apply_within, moved};
use crate::lex::{Kind, has_splice};
use crate::source::Source;

/// The maximal number of columns of a line.
pub const LIMIT: usize = 80;

const TAB: usize = 8;

/// Parentheses, as indices of their tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    /// The `(`.
    pub(crate) open: usize,
    /// Its `)`.
    pub(crate) close: usize,
}

/// Which lines are a reason to fill a list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Lines that exceed the limit only since the change: a line that was long before may be meant so.
    New,
    /// All lines that exceed the limit.
    Any,
}

/// How a list may change when a word in it or before it does.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The parameters or arguments that may be filled again.
    pub(crate) list: List,
    /// The declarator before which the line may be broken if filling is not enough.
    pub(crate) break_before: Option<usize>,
    /// When the list is filled again.
    pub(crate) overflow: Overflow,
}

/// A change within one line, and the edits that the layout needs with it.
pub(crate) fn lay_out(source: &Source<'_>, change: TextEdit, layout: &Layout) -> Vec<TextEdit> {
    let mut edits = vec![change.clone()];
    edits.extend(follow(source, &change));
    if !overflows(source, &edits, layout) || !may_fill(source, layout.list) {
        return edits;
    }
    let broken = || layout.break_before.and_then(|declarator| break_before(source, &change, declarator));
    let filled = fill(source, layout.list, vec![change.clone()]);
    filled.or_else(|| fill(source, layout.list, broken()?)).unwrap_or(edits)
}

/// The edits that keep lines aligned behind parentheses that a change within one line moves.
pub(crate) fn follow(source: &Source<'_>, change: &TextEdit) -> Vec<TextEdit> {
    let mut edits = vec![change.clone()];
    // Each turn handles one line that moves: first the one with the change, then those on which a moved
    // list ends.
    let mut at = change.range.end;
    while let Some((list, lines)) = moving_list(source, at) {
        let open = source.end(list.open);
        let line = line_start(source.text, open);
        let old = column(&source.text[line..open]);
        let new = column(&apply_within(source.text, line..open, &edits));
        if old == new {
            break;
        }
        edits.extend(lines.iter().map(|line| {
            let wanted = (line.text_column + new).saturating_sub(old);
            let has_tab = source.text[line.indentation.clone()].contains(&b'\t');
            TextEdit { range: line.indentation.clone(), text: blanks(wanted, has_tab) }
        }));
        at = source.end(list.close);
    }
    edits.split_off(1)
}

/// The first list behind an offset that begins on the same line, ends on another, and is aligned.
fn moving_list(source: &Source<'_>, at: usize) -> Option<(List, Vec<Line>)> {
    let end = line_end(source.text, at);
    let first = source.tokens.partition_point(|token| token.span.start < at);
    let on_line = (first..source.tokens.len()).take_while(|index| source.start(*index) < end);
    let lists = on_line.filter(|index| source.is(*index, "(")).filter_map(|open| {
        let close = source.close(open).filter(|close| source.start(*close) > end)?;
        Some(List { open, close })
    });
    lists.into_iter().find_map(|list| Some((list, aligned_lines(source, list)?)))
}

/// A line of a list, other than its first.
struct Line {
    indentation: Range<usize>,
    /// The column of what follows the indentation.
    text_column: usize,
}

/// By how many columns a line may be off and still counts as aligned.
const NEARLY: usize = 1;

/// The lines of a list if they are aligned: lines that begin an item are behind the `(`, give or take
/// [`NEARLY`], and lines that continue an item or a comment are not left of that. A list with
/// directives, empty lines, or literals or words over several lines is not aligned.
fn aligned_lines(source: &Source<'_>, list: List) -> Option<Vec<Line>> {
    let text = source.text;
    let base_end = source.end(list.open);
    let base = column(&text[line_start(text, base_end)..base_end]);
    let mut lines = Vec::new();
    let mut begins_item = true;
    let mut depth = 0usize;
    for index in list.open + 1..=list.close {
        let token = &source.tokens[index];
        if token.in_directive {
            return None;
        }
        let gap = &text[source.end(index - 1)..token.span.start];
        let breaks = gap.iter().filter(|byte| **byte == b'\n').count();
        if breaks > 0 {
            let indentation = line_start(text, token.span.start)..token.span.start;
            let text_column = column(&text[indentation.clone()]);
            let fits = if begins_item { text_column.abs_diff(base) <= NEARLY } else { text_column + NEARLY >= base };
            // If the `(` ends its line, the list is indented, and not aligned.
            let is_indented = index == list.open + 1;
            if is_indented || breaks > 1 || !fits || !text[indentation.clone()].iter().all(is_blank) {
                return None;
            }
            lines.push(Line { indentation, text_column });
        }
        let inner = token.span.clone().filter(|offset| text[*offset] == b'\n').map(|offset| offset + 1);
        for start in inner {
            let indentation = start..start + text[start..].iter().take_while(|byte| is_blank(byte)).count();
            let text_column = column(&text[indentation.clone()]);
            if !token.kind.is_comment() || text_column < base {
                return None;
            }
            lines.push(Line { indentation, text_column });
        }
        begins_item &= token.kind.is_comment();
        match token.kind {
            Kind::Punctuator("(" | "[" | "{") => depth += 1,
            Kind::Punctuator(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Kind::Punctuator(",") if depth == 0 => begins_item = true,
            _ => {}
        }
    }
    Some(lines)
}

/// Whether a line of the list exceeds the limit.
fn overflows(source: &Source<'_>, edits: &[TextEdit], layout: &Layout) -> bool {
    let text = source.text;
    let mut start = line_start(text, source.start(layout.list.open));
    let last = source.end(layout.list.close);
    while start <= last {
        let end = line_end(text, start);
        let was_wide = column(trim_end(&text[start..end])) > LIMIT;
        let is_wide = column(trim_end(&apply_within(text, start..end, edits))) > LIMIT;
        if is_wide && (layout.overflow == Overflow::Any || !was_wide) {
            return true;
        }
        start = end + 1;
    }
    false
}

/// Whether a list may be filled again: it is aligned and has nothing but words, numbers and
/// punctuators. Line breaks in comments, strings and blocks are there for a reason.
fn may_fill(source: &Source<'_>, list: List) -> bool {
    let plain = (list.open + 1..list.close).all(|index| match source.tokens[index].kind {
        kind if kind.is_comment() => false,
        Kind::String | Kind::Unknown | Kind::Punctuator("{" | "}" | ";") => false,
        _ => true,
    });
    let bytes = &source.text[source.end(list.open)..source.start(list.close)];
    let is_continued = has_splice(bytes);
    plain && !is_continued && aligned_lines(source, list).is_some()
}

/// The edits that also break the line between a type and a declarator; `None` if there is more than
/// blanks between them.
fn break_before(source: &Source<'_>, change: &TextEdit, declarator: usize) -> Option<Vec<TextEdit>> {
    let text = source.text;
    let start = source.start(declarator);
    let gap = source.end(source.before(declarator)?)..start;
    if !text[gap.clone()].iter().all(is_blank) {
        return None;
    }
    let line = line_start(text, start);
    let indentation = text[line..start].iter().take_while(|byte| is_blank(byte)).count();
    let mut line_break = line_ending(text, start).to_vec();
    line_break.extend_from_slice(&text[line..line + indentation]);
    let edits = if change.range.start == start {
        // The change ends with the blank before the declarator.
        let mut text = trim_end(&change.text).to_vec();
        text.extend(line_break);
        vec![TextEdit { range: change.range.clone(), text }]
    } else {
        vec![change.clone(), TextEdit { range: gap, text: line_break }]
    };
    let new = apply(text, &edits);
    let before = line_start(&new, moved(start, &edits)).checked_sub(1)?;
    let type_line = &new[line_start(&new, before)..before];
    (column(trim_end(type_line)) <= LIMIT).then_some(edits)
}

/// Adds the edit that fills the list again, with line breaks behind commas; `None` if a line would
/// still exceed the limit.
fn fill(source: &Source<'_>, list: List, mut edits: Vec<TextEdit>) -> Option<Vec<TextEdit>> {
    let text = source.text;
    let inside = source.end(list.open)..source.start(list.close);
    let has_tabs = match aligned_lines(source, list)?.as_slice() {
        [] => {
            text[line_start(text, inside.start)..].iter().take_while(|byte| is_blank(byte)).any(|byte| *byte == b'\t')
        }
        lines => lines.iter().any(|line| text[line.indentation.clone()].contains(&b'\t')),
    };

    let new = apply(text, &edits);
    let (start, end) = (moved(source.start(list.open), &edits), moved(source.end(list.close), &edits));
    let list = Source::of_part(&new[start..end]);
    let close = list.close(0)?;
    let (items_start, items_end) = (start + list.end(0), start + list.start(close));
    let margin = column(&new[line_start(&new, items_start)..items_start]);
    let tail = trim_end(&new[items_end..line_end(&new, items_end)]);
    let mut next_line = line_ending(&new, items_start).to_vec();
    next_line.extend(blanks(margin, has_tabs));

    let items = items(&list, List { open: 0, close });
    let mut filled = Vec::new();
    let mut at = margin;
    for (number, item) in items.iter().enumerate() {
        let behind: &[u8] = if number + 1 == items.len() { tail } else { b"," };
        if number > 0 && column_from(at + 1, item) + column(behind) <= LIMIT {
            filled.push(b' ');
            at += 1;
        } else if number > 0 {
            filled.extend_from_slice(&next_line);
            at = margin;
        }
        filled.extend_from_slice(item);
        at = column_from(at, item) + column(behind);
        if at > LIMIT {
            return None;
        }
        if number + 1 < items.len() {
            filled.push(b',');
        }
    }

    // Edits in the list are part of the new text.
    edits.retain(|edit| edit.range.end < inside.start);
    edits.push(TextEdit { range: inside, text: filled });
    Some(edits)
}

/// The items of a list, each on one line; one empty item for an empty list.
fn items(source: &Source<'_>, list: List) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    let mut depth = 0usize;
    for index in list.open + 1..list.close {
        let item = items.last_mut().expect("there is always one");
        if !item.is_empty() {
            let gap = &source.text[source.end(index - 1)..source.start(index)];
            let is_broken = gap.contains(&b'\n');
            let is_inside = item.ends_with(b"(") || item.ends_with(b"[") || matches!(source.bytes(index), b")" | b"]");
            match is_broken {
                true if is_inside => {}
                true => item.push(b' '),
                false => item.extend_from_slice(gap),
            }
        }
        match source.tokens[index].kind {
            Kind::Punctuator(",") if depth == 0 => {
                items.push(Vec::new());
                continue;
            }
            Kind::Punctuator("(" | "[") => depth += 1,
            Kind::Punctuator(")" | "]") => depth = depth.saturating_sub(1),
            _ => {}
        }
        item.extend_from_slice(source.bytes(index));
    }
    items
}

/// The offset at which the line of an offset begins.
pub(crate) fn line_start(text: &[u8], offset: usize) -> usize {
    text[..offset].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// The offset of the line feed that ends the line of an offset, or the end of the text.
pub(crate) fn line_end(text: &[u8], offset: usize) -> usize {
    text[offset..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| offset + length)
}

/// The line end of the line of an offset; for a last line without one, that of the line before.
pub(crate) fn line_ending(text: &[u8], offset: usize) -> &'static [u8] {
    let end = line_end(text, offset);
    let feed = if end < text.len() { Some(end) } else { line_start(text, offset).checked_sub(1) };
    match feed.map(|feed| text[..feed].ends_with(b"\r")) {
        Some(true) => b"\r\n",
        _ => b"\n",
    }
}

/// A text without the blanks and carriage returns at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let length = text.iter().rposition(|byte| !is_blank(byte) && *byte != b'\r').map_or(0, |last| last + 1);
    &text[..length]
}

/// Whether a byte is a blank or a tab.
pub(crate) fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The column behind a part of a line that begins in column 0.
fn column(text: &[u8]) -> usize {
    column_from(0, text)
}

fn column_from(start: usize, text: &[u8]) -> usize {
    text.iter().fold(start, |column, byte| match byte {
        b'\t' => (column / TAB + 1) * TAB,
        // The second and later bytes of a character in UTF-8.
        0x80..0xc0 | b'\r' => column,
        _ => column + 1,
    })
}

/// The indentation up to a column.
fn blanks(column: usize, with_tabs: bool) -> Vec<u8> {
    let tabs = if with_tabs { column / TAB } else { 0 };
    let mut text = vec![b'\t'; tabs];
    text.resize(tabs + column - tabs * TAB, b' ');
    text
}
