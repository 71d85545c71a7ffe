//! Calls.

use super::lex::Source;
use super::wrap::{Layout, List, Overflow, settle};
use super::{Edit, Refusal};

/// Lets a call go to another function: `old`, which begins at `name_offset` and has its arguments behind it, becomes
/// `new`.
///
/// # Errors
///
/// When `old` is not what is there, is in a directive, or has no arguments behind it.
pub fn rename_call(text: &[u8], name_offset: usize, old: &str, new: &str) -> Result<Vec<Edit>, Refusal> {
    let source = Source::new(text);
    let name = source.word_at(name_offset, old)?;
    let open = source.after(name).filter(|index| source.is_sign(*index, b'('));
    let open = open.ok_or_else(|| Refusal::NoList(old.to_owned()))?;
    let close = source.close(open).ok_or_else(|| Refusal::Unclosed(old.to_owned()))?;
    let change = Edit { range: source.tokens[name].span.clone(), text: new.as_bytes().to_vec() };
    let layout = Layout { list: List { open, close }, break_before: None, overflow: Overflow::New };
    Ok(settle(&source, change, &layout))
}
