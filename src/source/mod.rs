//! Files: identity, paths relative to the root, text and lines.
//!
//! It must never know C, clang or rules.

mod text;
mod tree;

pub use text::{Source, Sources, is_deceptive};
pub use tree::{Identities, Tree, normalize};
