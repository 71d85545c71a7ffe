//! From headers to the C of the wrappers that they declare, in the order of the work.
//!
//! 1. [`read_header`] finds the declarations with wrapper marks. A marked declaration becomes a
//!    [`WrapperDeclaration`] or a diagnostic; none is passed over. It uses `items` (the tokens of a
//!    header), `conditions` (what is compiled, and under which conditions) and `declaration` (one
//!    declaration).
//! 2. [`dialect`] finds out what the wrappers of a tree have to do.
//! 3. [`render_file`] renders the templates of the pack.
//!
//! [`defined_functions`] reads a generated file, to compare it with what it should be.
//!
//! This crate must never know libclang, findings or the terminal. It follows no include: the result
//! depends on the text of the headers and of the few files that tell the dialect.

#![warn(missing_docs)]

mod header;
mod items;
mod conditions;
mod declaration;
mod wrapper;
pub mod dialect;
mod render;
mod generated;
#[cfg(test)]
mod tests;

pub use generated::{DefinedFunction, defined_functions};
pub use header::{Vocabulary, read_header};
pub use render::{FileOptions, RenderError, render_file};
pub use wrapper::{Condition, HeaderWrappers, Parameter, Type, WrapperDeclaration};

use cowrap_packs::Generator;

/// The names that a pack gives to the reader of headers.
pub fn vocabulary(generator: &Generator) -> Vocabulary {
    let mut vocabulary = Vocabulary { specifiers: generator.specifiers.clone(), ..Vocabulary::default() };
    for mark in &generator.marks {
        let names = if mark.wrapper.is_some() { &mut vocabulary.wrappers } else { &mut vocabulary.specifiers };
        names.insert(mark.name.clone());
    }
    vocabulary
}
