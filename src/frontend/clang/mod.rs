//! Safe types over libclang: the only module with `unsafe` code.
//!
//! It owns finding and loading the library, parsing a translation unit, and walking its cursors,
//! and it hides the differences between libclang versions. It must never know facts, rules or
//! rayon: it says what libclang says, and decides nothing.
//!
//! Facts about libclang are from its header, `clang-c/Index.h`, unless a comment names another
//! source.

mod cursor;
mod library;
mod unit;

pub use cursor::{
    BinaryOperator, Cursor, CursorKind, Linkage, Location, MacroLocation, Position, Type, TypeKind, UnaryOperator,
    Visit,
};
pub use library::{Library, LoadError, OLDEST_MAJOR};
pub use unit::{Diagnostic, File, Inclusion, Index, ParseError, Purpose, Severity, TranslationUnit, UnsavedFile};
