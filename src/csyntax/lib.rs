//! The text of C: its tokens, where an edit goes, and the comments that suppress findings.
//!
//! * [`lex`] takes a text apart. Everything else here works on its tokens.
//! * An edit is a function that takes the bytes of a file and the offset of a name in them, and
//!   returns [`TextEdit`]s, or the reason why there are none: [`mark_function`], [`mark_pointer`]
//!   and [`unmark`] for marks, [`rename_call`] for calls, [`add_wrapper`] for declarations of
//!   wrappers, [`add_include`], and [`add_to_list`] for lists in `meson.build`. A place that cannot
//!   be understood with certainty is refused.
//! * Edits keep the layout: lines that were aligned behind a `(` stay aligned, and a list that no
//!   longer fits into [`LIMIT`] columns is filled again.
//! * [`suppression`] reads the comments `cowrap: allow(rule) reason`.
//!
//! This crate must never know the program, findings or files.

#![warn(missing_docs)]

pub mod lex;
mod source;
mod edit;
mod mark;
mod call;
mod wrapper;
mod list;
mod include;
mod layout;
pub mod suppression;
#[cfg(test)]
mod tests;

pub use call::rename_call;
pub use edit::{EditError, TextEdit, apply};
pub use include::add_include;
pub use layout::LIMIT;
pub use list::add_to_list;
pub use mark::{mark_function, mark_pointer, unmark};
pub use wrapper::add_wrapper;
