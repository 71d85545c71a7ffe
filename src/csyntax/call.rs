//! Calls of other functions.

use crate::edit::{EditError, TextEdit};
use crate::layout::{Layout, List, Overflow, lay_out};
use crate::source::Source;

/// Renames the function in a call: `old`, which begins at `name_offset` and has its arguments behind
/// it, becomes `new`.
///
/// # Errors
///
/// When `old` is not there, is in a directive, or has no arguments.
pub fn rename_call(text: &[u8], name_offset: usize, old: &str, new: &str) -> Result<Vec<TextEdit>, EditError> {
    let source = Source::new(text);
    let name = source.word_at(name_offset, old)?;
    let open = source.after(name).filter(|index| source.is(*index, "("));
    let open = open.ok_or_else(|| EditError::NoList(old.to_owned()))?;
    let close = source.close(open).ok_or_else(|| EditError::Unclosed(old.to_owned()))?;
    let change = TextEdit { range: source.tokens[name].span.clone(), text: new.as_bytes().to_vec() };
    let layout = Layout { list: List { open, close }, break_before: None, overflow: Overflow::New };
    Ok(lay_out(&source, change, &layout))
}
