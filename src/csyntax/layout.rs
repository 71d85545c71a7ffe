//! Keeping the layout: lines that are aligned behind a `(` follow it, and lists that became too wide are filled anew.
//!
//! Columns count from 0 and in characters; a tab goes to the next multiple of 8.

use std::ops::Range;

use crate::edit::{TextEdit, apply, apply_within, moved};
use crate::lex::{Kind, has_splice};
use crate::source::Source;

/// How many columns a line may have.
pub const LIMIT: usize = 80;

const TAB: usize = 8;

/// Parentheses, as the numbers of their tokens.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// The `(`.
    pub open: usize,
    /// Its `)`.
    pub close: usize,
}

/// Which lines are a reason to fill a list anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Those that go past the limit since the change: who wrote a long line before may have meant it.
    New,
    /// All that go past the limit.
    Any,
}

/// What becomes of a list when some words in or before it change.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The parameters or arguments that may be filled anew.
    pub list: List,
    /// The declarator before which the line may be broken when filling is not enough.
    pub break_before: Option<usize>,
    /// When the list is filled anew.
    pub overflow: Overflow,
}

/// The edits for a change within one line, with all that the layout wants.
pub(crate) fn settle(source: &Source<'_>, change: TextEdit, layout: &Layout) -> Vec<TextEdit> {
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
    // Each turn looks at one line that moves: the one with the change, then those on which a list ends that moved.
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

/// By how many columns a line may miss the place behind its `(`, and was meant to be there.
const NEARLY: usize = 1;

/// The lines of a list if they are aligned: one that begins an item is behind the `(`, or misses that by [`NEARLY`], and one
/// that goes on with an item, or is inside a comment, is not left of that. A list with directives, empty lines, or literals or words
/// over several lines is not aligned.
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
            // A `(` that ends its line has a list that is indented, and not aligned, whatever the column.
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

/// Whether a line of the list goes past the limit.
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

/// Whether nothing would be lost by filling a list anew: it is aligned, and has nothing but words and signs. Someone
/// has thought about where the lines of a comment, a string or a block end.
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

/// The edits that also break the line between a type and a declarator. Nothing if they are not just neighbours on a line.
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

/// Adds to edits those that fill the list anew, behind its `(` and at its commas. Nothing if a line would still go past
/// the limit.
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
    let new = Source::new(&new);
    let open = new.at(moved(source.start(list.open), &edits))?;
    let close = new.close(open)?;
    let (items_start, items_end) = (new.end(open), new.start(close));
    let margin = column(&new.text[line_start(new.text, items_start)..items_start]);
    let tail = trim_end(&new.text[items_end..line_end(new.text, items_end)]);
    let mut next_line = line_ending(new.text, items_start).to_vec();
    next_line.extend(blanks(margin, has_tabs));

    let items = items(&new, List { open, close });
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

    // What is in the list is part of the new text.
    edits.retain(|edit| edit.range.end < inside.start);
    edits.push(TextEdit { range: inside, text: filled });
    Some(edits)
}

/// The items of a list, each on one line; a single empty one for an empty list.
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

/// What ends the line of an offset, or else the line before: the last line may have no end.
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

/// An indentation up to a column.
fn blanks(column: usize, with_tabs: bool) -> Vec<u8> {
    let tabs = if with_tabs { column / TAB } else { 0 };
    let mut text = vec![b'\t'; tabs];
    text.resize(tabs + column - tabs * TAB, b' ');
    text
}
