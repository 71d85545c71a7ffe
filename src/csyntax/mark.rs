//! Marks: where a specifier macro such as `microtask_fn` goes in a declaration, and how to remove it.

use std::ops::Range;

use crate::edit::{EditError, TextEdit};
use crate::layout::{Layout, List, Overflow, follow, is_blank, lay_out, line_end, line_start, trim_end};
use crate::lex::{Kind, is_word_byte};
use crate::source::Source;

/// Keywords that may be before a declarator, or before an expression, and are not types.
const NOT_TYPES: &[&[u8]] = &[
    b"static",
    b"inline",
    b"__inline",
    b"__inline__",
    b"extern",
    b"register",
    b"typedef",
    b"const",
    b"volatile",
    b"restrict",
    b"_Noreturn",
    b"return",
    b"goto",
    b"case",
    b"if",
    b"else",
    b"for",
    b"do",
    b"while",
    b"switch",
    b"sizeof",
];

/// Adds a mark to a declaration or definition of a function, whose name begins at `name_offset`.
///
/// The mark goes directly before the name, and before words in capitals that precede it (macros for
/// locks). If the name is the first word of its line, the mark goes to the end of the line before.
///
/// # Errors
///
/// When the name is not there or is in a directive, when this is not a declaration of one function,
/// and when it already has the mark.
pub fn mark_function(text: &[u8], name_offset: usize, name: &str, mark: &str) -> Result<Vec<TextEdit>, EditError> {
    let source = Source::new(text);
    let declarator = Declarator::of_function(&source, name_offset, name)?;
    add_mark(&source, &declarator, name, mark, Overflow::New)
}

/// Adds a mark to a field, variable, parameter or typedef whose type is a pointer to a function, or
/// to a typedef of a function. Its name begins at `name_offset`.
///
/// The mark goes before the `(*`, and before words in capitals that precede it.
///
/// # Errors
///
/// As for [`mark_function`], and when the type is not written out.
pub fn mark_pointer(text: &[u8], name_offset: usize, name: &str, mark: &str) -> Result<Vec<TextEdit>, EditError> {
    let source = Source::new(text);
    let word = source.word_at(name_offset, name)?;
    let declarator = match source.after(word) {
        Some(next) if source.is(next, "(") => Declarator::of_function(&source, name_offset, name)?,
        _ => Declarator::of_pointer(&source, word, name)?,
    };
    add_mark(&source, &declarator, name, mark, Overflow::New)
}

/// Removes the mark that begins at `mark_offset`, together with the blanks that it needed.
///
/// # Errors
///
/// When the mark is not there or is in a directive.
pub fn unmark(text: &[u8], mark_offset: usize, mark: &str) -> Result<Vec<TextEdit>, EditError> {
    let source = Source::new(text);
    let index = source.word_at(mark_offset, mark)?;
    let span = source.tokens[index].span.clone();
    let (line, end) = (line_start(text, span.start), line_end(text, span.end));
    let blanks_before = span.start - text[line..span.start].iter().rev().take_while(|byte| is_blank(byte)).count();
    let blanks_after = span.end + text[span.end..end].iter().take_while(|byte| is_blank(byte)).count();
    let is_first = blanks_before == line;
    let is_last = trim_end(&text[span.end..end]).is_empty();
    let range = if is_first && is_last {
        let range = line..(end + 1).min(text.len());
        return Ok(vec![TextEdit { range, text: Vec::new() }]);
    } else if is_last || (!is_first && needs_no_blank(&source, index)) {
        blanks_before..blanks_after
    } else if !is_first && matches!(text[blanks_after], b';' | b',' | b')' | b'/') {
        blanks_before..span.end
    } else {
        span.start..blanks_after
    };
    let change = TextEdit { range, text: Vec::new() };
    let mut edits = vec![change.clone()];
    edits.extend(follow(&source, &change));
    Ok(edits)
}

/// Whether a mark is between a star and a name: `T * mark name` becomes `T *name`.
fn needs_no_blank(source: &Source<'_>, mark: usize) -> bool {
    let is_star = mark > 0 && source.is(mark - 1, "*");
    let is_declarator = source.after(mark).is_some_and(|next| {
        let is_macro = source.is_word(next) && source.after(next).is_some_and(|second| source.is_word(second));
        (source.is_word(next) && !is_macro) || source.is(next, "(")
    });
    is_star && is_declarator && source.after(mark) == Some(mark + 1)
}

/// The part of a declaration that a mark applies to: a name with the parentheses around it, and its
/// parameters, as indices of tokens.
pub(crate) struct Declarator {
    /// The first token: the name, or a `(` before it.
    pub(crate) first: usize,
    /// The parameters.
    pub(crate) list: List,
    /// Whether it declares a function, not a pointer.
    pub(crate) is_function: bool,
}

impl Declarator {
    /// The declarator of the function whose name begins at an offset.
    pub(crate) fn of_function(source: &Source<'_>, offset: usize, name: &str) -> Result<Self, EditError> {
        let word = source.word_at(offset, name)?;
        let (first, last) = parenthesised(source, word, word);
        let before = source.start(first).checked_sub(1).map(|at| source.text[at]);
        if first != word && before.is_some_and(is_word_byte) {
            // `DECLARE(foo)(void)`: nobody knows what the macro makes of the name.
            return Err(EditError::NotWritten(name.to_owned()));
        }
        let open = source.after(last).filter(|index| source.is(*index, "("));
        let open = open.ok_or_else(|| EditError::NoList(name.to_owned()))?;
        Ok(Declarator { first, list: list(source, open, name)?, is_function: true })
    }

    /// The declarator `(*name)(…)` or `(*name[…])(…)` with this name.
    fn of_pointer(source: &Source<'_>, word: usize, name: &str) -> Result<Self, EditError> {
        let refusal = || EditError::NotWrittenOut(name.to_owned());
        let mut last = word;
        while let Some(next) = source.after(last).filter(|index| source.is(*index, "[")) {
            last = source.close(next).ok_or_else(refusal)?;
        }
        let mut first = word;
        while let Some(before) = source.before(first) {
            if !source.is_word(before) && !source.is(before, "*") {
                break;
            }
            first = before;
        }
        let (outer, last) = parenthesised(source, first, last);
        let open = source.after(last).filter(|index| source.is(*index, "("));
        match open {
            Some(open) if source.is(first, "*") && outer != first => {
                Ok(Declarator { first: outer, list: list(source, open, name)?, is_function: false })
            }
            _ => Err(refusal()),
        }
    }
}

/// The tokens `first` to `last` with all parentheses directly around them.
fn parenthesised(source: &Source<'_>, mut first: usize, mut last: usize) -> (usize, usize) {
    while let (Some(before), Some(after)) = (source.before(first), source.after(last)) {
        if !source.is(before, "(") || !source.is(after, ")") {
            break;
        }
        (first, last) = (before, after);
    }
    (first, last)
}

fn list(source: &Source<'_>, open: usize, name: &str) -> Result<List, EditError> {
    let close = source.close(open).ok_or_else(|| EditError::Unclosed(name.to_owned()))?;
    Ok(List { open, close })
}

/// Adds a mark before a declarator.
pub(crate) fn add_mark(
    source: &Source<'_>,
    declarator: &Declarator,
    name: &str,
    mark: &str,
    overflow: Overflow,
) -> Result<Vec<TextEdit>, EditError> {
    let Declarator { first, list, is_function } = *declarator;
    let head = head(source, first);
    let previous = source.before(first).filter(|index| head.contains(index));
    let is_declaration = previous.is_some_and(|index| source.is_word(index) || is_one_of(source, index, &["*", ")"]));
    if !is_declaration || !has_type(source, head.clone()) {
        return Err(EditError::NoType(name.to_owned()));
    }
    let mut inside = (head.start..list.open).chain(behind(source, list.close));
    if inside.any(|index| source.is_word(index) && source.bytes(index) == mark.as_bytes()) {
        return Err(EditError::AlreadyMarked { name: name.to_owned(), mark: mark.to_owned() });
    }
    let enclosing = enclosing(source, head.start);
    let next = source.after(behind(source, list.close).end - 1);
    let neighbours = [source.before(head.start), next];
    let is_among_others = neighbours.into_iter().flatten().any(|index| source.is(index, ","));
    if enclosing.is_none() && is_among_others {
        return Err(EditError::Shared(name.to_owned()));
    }

    let anchor = before_locks(source, head, first);
    let change = insertion(source, anchor, mark);
    let layout = Layout {
        // A parameter is laid out together with its neighbours.
        list: enclosing.filter(|_| !is_function).unwrap_or(list),
        break_before: is_function.then_some(first),
        overflow,
    };
    Ok(lay_out(source, change, &layout))
}

/// The edit that inserts a word before a token, which has code before it.
fn insertion(source: &Source<'_>, anchor: usize, word: &str) -> TextEdit {
    let text = source.text;
    let start = source.start(anchor);
    let is_first_on_line = text[line_start(text, start)..start].iter().all(is_blank);
    let previous = source.before(anchor).filter(|_| is_first_on_line);
    let is_joined = |previous: usize| {
        // A literal without an end goes to the end of its line, and a line that is continued without a blank
        // joins what is before and behind it.
        let is_word = matches!(source.tokens[previous].kind, Kind::Word | Kind::Punctuator(_));
        !is_word || text.get(source.end(previous)) == Some(&b'\\')
    };
    let (at, inserted) = match previous {
        Some(previous) if is_joined(previous) => (start, format!(" {word} ")),
        Some(previous) => (source.end(previous), format!(" {word}")),
        None if start.checked_sub(1).is_none_or(|before| text[before].is_ascii_whitespace()) => {
            (start, format!("{word} "))
        }
        None => (start, format!(" {word} ")),
    };
    TextEdit { range: at..at, text: inserted.into_bytes() }
}

/// The tokens of a declaration before its declarator. They begin behind an empty line or a directive
/// at the latest, since there may be a macro without a semicolon before that.
pub(crate) fn head(source: &Source<'_>, declarator: usize) -> Range<usize> {
    let mut first = declarator;
    let mut depth = 0usize;
    for index in (0..declarator).rev() {
        let token = &source.tokens[index];
        let gap = &source.text[token.span.end..source.start(index + 1)];
        let has_empty_line = gap.iter().filter(|byte| **byte == b'\n').count() > 1;
        if token.in_directive || (depth == 0 && has_empty_line) {
            break;
        }
        match token.kind {
            kind if kind.is_comment() => continue,
            Kind::Punctuator(")" | "]") => depth += 1,
            Kind::Punctuator("(" | "[") if depth > 0 => depth -= 1,
            Kind::Punctuator("(" | "[" | "," | ";" | "{" | "}") if depth == 0 => break,
            Kind::Punctuator(own) if depth == 0 && own.ends_with('=') => break,
            _ => {}
        }
        first = index;
    }
    first..declarator
}

/// The tokens behind the parameters of a declaration, without the `;`, `{`, `,` or the like that ends
/// it.
pub(crate) fn behind(source: &Source<'_>, close: usize) -> Range<usize> {
    let mut depth = 0usize;
    let mut end = close + 1;
    for index in close + 1..source.tokens.len() {
        let token = &source.tokens[index];
        match token.kind {
            _ if token.in_directive => break,
            kind if kind.is_comment() => continue,
            Kind::Punctuator("(" | "[") => depth += 1,
            Kind::Punctuator(")" | "]") if depth > 0 => depth -= 1,
            Kind::Punctuator(")" | "]" | "," | ";" | "{" | "}") if depth == 0 => break,
            Kind::Punctuator(own) if depth == 0 && own.ends_with('=') => break,
            _ => {}
        }
        end = index + 1;
    }
    close + 1..end
}

/// The outermost parentheses around a token, within a statement or declaration.
fn enclosing(source: &Source<'_>, index: usize) -> Option<List> {
    let mut depth = 0usize;
    let mut outermost = None;
    for index in (0..index).rev().filter(|index| !source.tokens[*index].in_directive) {
        match source.tokens[index].kind {
            Kind::Punctuator(")" | "]") => depth += 1,
            Kind::Punctuator("(" | "[") if depth > 0 => depth -= 1,
            Kind::Punctuator("(") => outermost = Some(index),
            Kind::Punctuator(";" | "{" | "}") if depth == 0 => break,
            _ => {}
        }
    }
    let open = outermost?;
    Some(List { open, close: source.close(open)? })
}

/// Whether a word outside of parentheses can be a type.
fn has_type(source: &Source<'_>, head: Range<usize>) -> bool {
    let mut depth = 0usize;
    for index in head {
        match source.tokens[index].kind {
            Kind::Punctuator("(" | "[") => depth += 1,
            Kind::Punctuator(")" | "]") => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && !NOT_TYPES.contains(&source.bytes(index)) => return true,
            _ => {}
        }
    }
    false
}

/// The first of the words in capitals before a declarator, or else the declarator. With a type before
/// them, such words are macros for locks and the like.
fn before_locks(source: &Source<'_>, head: Range<usize>, declarator: usize) -> usize {
    let mut anchor = declarator;
    while let Some(word) = lock_before(source, &head, anchor) {
        let is_tag =
            source.before(word).is_some_and(|index| matches!(source.bytes(index), b"struct" | b"union" | b"enum"));
        if is_tag || !has_type(source, head.start..word) {
            break;
        }
        anchor = word;
    }
    anchor
}

/// The word in capitals directly before a token, also one with arguments: `TSA_ACQUIRE(lock)`.
fn lock_before(source: &Source<'_>, head: &Range<usize>, anchor: usize) -> Option<usize> {
    let mut last = source.before(anchor).filter(|index| head.contains(index))?;
    if source.is(last, ")") {
        let mut opens = head.clone().filter(|index| source.is(*index, "("));
        let open = opens.find(|index| source.close(*index) == Some(last))?;
        last = source.before(open).filter(|index| head.contains(index))?;
    }
    is_capitals(source, last).then_some(last)
}

fn is_capitals(source: &Source<'_>, index: usize) -> bool {
    let bytes = source.bytes(index);
    let fits = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    source.is_word(index) && bytes.len() > 1 && bytes.iter().all(fits)
}

fn is_one_of(source: &Source<'_>, index: usize, punctuators: &[&str]) -> bool {
    punctuators.iter().any(|own| source.is(index, own))
}
