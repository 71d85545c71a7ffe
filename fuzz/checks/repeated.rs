//! Long texts: whatever is linear reads them in no time.

use crate::{CUT, TARGETS};

/// The length of the texts in bytes. Reading one in linear time takes some milliseconds, and in quadratic time minutes.
const LENGTH: usize = 1 << 18;

/// A reader gets something that is repeated, between something else: it ends before whoever calls this loses patience.
///
/// The first byte chooses the reader. What follows are the beginning, what is repeated, and the end.
pub fn repeated(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let readers: Vec<_> = TARGETS.iter().filter(|target| target.is_linear).collect();
    let reader = readers[usize::from(*first) % readers.len()];
    (reader.check)(&text(rest));
}

/// The text that a check of [`repeated`] reads.
fn text(bytes: &[u8]) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while parts.len() < 2
        && let Some(at) = rest.windows(CUT.len()).position(|window| window == CUT)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + CUT.len()..];
    }
    match parts.as_slice() {
        [] => repeat(rest),
        [begin] => [begin, repeat(rest).as_slice()].concat(),
        [begin, middle, ..] => [begin, repeat(middle).as_slice(), rest].concat(),
    }
}

fn repeat(part: &[u8]) -> Vec<u8> {
    part.repeat(LENGTH.checked_div(part.len()).unwrap_or(0))
}
