//! From headers to the C of the wrappers that they ask for.
//!
//! It must never know libclang, findings, or the terminal. No include is followed: what is generated depends on the
//! text of the inputs, and on the few files of the tree that tell its dialect.
//!
//! The order of the work: `items` takes a header apart, [`read`](read()) finds the declarations with wrapper
//! marks and reads each, [`dialect`] tells the tree's dialect, [`write`](write()) renders the pack's templates.

#![warn(missing_docs)]

mod declaration;
pub mod declared;
pub mod dialect;
mod items;
mod outline;
mod read;
mod write;
#[cfg(test)]
mod tests;

pub use declared::{Complaint, Declared, Reading};
pub use outline::{Outline, Outlined, outline};
pub use read::{Vocabulary, read};
pub use write::{Frame, WriteError, write};

use cowrap_packs::Generator;

/// The words that a generator's pack gives to the reader.
pub fn vocabulary(generator: &Generator) -> Vocabulary {
    let mut vocabulary = Vocabulary { specifiers: generator.specifiers.clone(), ..Vocabulary::default() };
    for mark in &generator.marks {
        let words = if mark.wrapper.is_some() { &mut vocabulary.wrappers } else { &mut vocabulary.specifiers };
        words.insert(mark.name.clone());
    }
    vocabulary
}
