//! Declarations of wrappers.

use std::ops::Range;

use crate::edit::{EditError, TextEdit, apply, moved};
use crate::layout::{Overflow, follow, is_blank, line_end, line_ending, line_start, trim_end};
use crate::lex::Kind;
use crate::mark::{Declarator, add_mark, behind, head, unmark};
use crate::source::Source;

/// Declares a wrapper behind the prototype of its target, whose name begins at `target_offset`.
///
/// It is the declaration of the target with the name `wrapper` and the mark `mark`, and without the
/// marks in `drop`. Marks on parameters stay. An empty line precedes it if the target is between
/// empty lines.
///
/// # Errors
///
/// When the target is not declared there or is defined there, when directives are in the declaration,
/// and for all errors of [`mark_function`](crate::mark_function).
pub fn add_wrapper(
    text: &[u8],
    target_offset: usize,
    target: &str,
    wrapper: &str,
    mark: &str,
    drop: &[&str],
) -> Result<Vec<TextEdit>, EditError> {
    let source = Source::new(text);
    let declarator = Declarator::of_function(&source, target_offset, target)?;
    let first = head(&source, declarator.first).start;
    let last = behind(&source, declarator.list.close).end;
    let is_split = source.tokens[first..last].iter().any(|token| token.in_directive);
    let semicolon = match source.after(last - 1) {
        _ if is_split => return Err(EditError::SplitByDirective(target.to_owned())),
        Some(end) if source.is(end, ";") => end,
        Some(end) if source.is(end, "{") => return Err(EditError::Definition(target.to_owned())),
        Some(end) if source.is(end, ",") => return Err(EditError::Shared(target.to_owned())),
        _ => return Err(EditError::NoEnd(target.to_owned())),
    };

    // The declaration is edited as a text of its own, with its indentation: lines are aligned to it.
    let start = source.start(first);
    let line = line_start(text, start);
    let start = if text[line..start].iter().all(is_blank) { line } else { start };
    let line_break = line_ending(text, source.start(semicolon));
    let mut declaration = text[start..source.end(semicolon)].to_vec();
    declaration.extend_from_slice(line_break);
    let declaration = wrapper_declaration(declaration, target_offset - start, target, wrapper, mark, drop)?;

    let at = end_of_line(&source, semicolon);
    let mut inserted = line_break.to_vec();
    if is_set_apart(&source, first, at) {
        inserted.extend_from_slice(line_break);
    }
    inserted.extend_from_slice(trim_end(&declaration[..declaration.len() - line_break.len()]));
    Ok(vec![TextEdit { range: at..at, text: inserted }])
}

/// The declaration of the wrapper, made from that of its target, whose name begins at `name_offset`.
fn wrapper_declaration(
    mut text: Vec<u8>,
    mut name_offset: usize,
    target: &str,
    wrapper: &str,
    mark: &str,
    drop: &[&str],
) -> Result<Vec<u8>, EditError> {
    while let Some((offset, word)) = find_mark(&text, name_offset, target, drop)? {
        let edits = unmark(&text, offset, word)?;
        name_offset = moved(name_offset, &edits);
        text = apply(&text, &edits);
    }

    let source = Source::new(&text);
    let range = source.tokens[source.word_at(name_offset, target)?].span.clone();
    let rename = TextEdit { range, text: wrapper.as_bytes().to_vec() };
    let mut edits = vec![rename.clone()];
    edits.extend(follow(&source, &rename));
    let text = apply(&text, &edits);

    let source = Source::new(&text);
    let declarator = Declarator::of_function(&source, name_offset, wrapper)?;
    let edits = add_mark(&source, &declarator, wrapper, mark, Overflow::Any)?;
    Ok(apply(&text, &edits))
}

/// One of these marks on a function, and its offset.
fn find_mark<'m>(
    text: &[u8],
    name_offset: usize,
    name: &str,
    marks: &[&'m str],
) -> Result<Option<(usize, &'m str)>, EditError> {
    let source = Source::new(text);
    let Declarator { first, list, .. } = Declarator::of_function(&source, name_offset, name)?;
    let mut around = head(&source, first).chain(behind(&source, list.close)).filter(|index| source.is_word(*index));
    Ok(around.find_map(|index| {
        let mark = marks.iter().find(|mark| source.bytes(index) == mark.as_bytes())?;
        Some((source.start(index), *mark))
    }))
}

/// The end of the line of a semicolon and of a comment that begins on it; directly behind the
/// semicolon if code or a comment without an end follows on the line.
fn end_of_line(source: &Source<'_>, semicolon: usize) -> usize {
    let text = source.text;
    let mut last = semicolon;
    while let Some(next) = source.tokens.get(last + 1) {
        if next.span.start > line_end(text, source.end(last)) {
            break;
        }
        if !next.kind.is_comment() || next.kind == Kind::UnterminatedComment {
            return source.end(semicolon);
        }
        last += 1;
    }
    let end = line_end(text, source.end(last));
    if text[..end].ends_with(b"\r") { end - 1 } else { end }
}

/// What precedes or follows a declaration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Neighbour {
    /// The beginning or the end of the text.
    Nothing,
    /// An empty line.
    EmptyLine,
    /// Anything else.
    Text,
}

/// Whether a declaration is between empty lines, or between one and an end of the text. A comment
/// directly before it belongs to it.
fn is_set_apart(source: &Source<'_>, first: usize, end: usize) -> bool {
    let text = source.text;
    let mut start = first;
    while let Some(comment) = start.checked_sub(1).filter(|index| is_own_comment(source, *index, start)) {
        start = comment;
    }
    let line = line_start(text, source.start(start));
    let before = match line.checked_sub(1) {
        None => Neighbour::Nothing,
        Some(feed) => neighbour(text, line_start(text, feed)..feed),
    };
    let next = line_end(text, end) + 1;
    let after = match next < text.len() {
        false => Neighbour::Nothing,
        true => neighbour(text, next..line_end(text, next)),
    };
    let sides = [before, after];
    sides.contains(&Neighbour::EmptyLine) && !sides.contains(&Neighbour::Text)
}

fn neighbour(text: &[u8], line: Range<usize>) -> Neighbour {
    if trim_end(&text[line]).is_empty() { Neighbour::EmptyLine } else { Neighbour::Text }
}

/// Whether a token is a comment on lines of its own, directly above the line of the next token.
fn is_own_comment(source: &Source<'_>, index: usize, next: usize) -> bool {
    let token = &source.tokens[index];
    let start = token.span.start;
    let gap = &source.text[token.span.end..source.start(next)];
    token.kind.is_comment()
        && !token.in_directive
        && source.text[line_start(source.text, start)..start].iter().all(is_blank)
        && gap.iter().filter(|byte| **byte == b'\n').count() == 1
}
