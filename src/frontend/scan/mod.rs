//! The scanner: what a C text says without a compiler. It finds what the text includes and which
//! files these are, its guard, its names, and a digest that comments do not change.
//!
//! It serves to decide which units share headers, to see that an edit changed only comments, and to
//! know where an `#include` looked in vain. So when it is not certain, it errs towards more: more
//! names, more directives, another digest.
//!
//! No macro is expanded and no condition is decided: false branches count like true ones. Any bytes
//! are a text, and the time is linear in its length. It must never know what a name means, libclang
//! or rules.

mod normalize;
mod lex;
mod memo;
mod names;
mod paste;
mod search_path;
mod pragma;
mod read;
mod resolve;
mod scans;

#[cfg(test)]
mod tests;

use cowrap_base::files::Digest;

pub use names::{Name, Names};
pub use read::{SkippedLines, normalized, scan, scan_active};
pub use resolve::{FileId, IncludeTarget, PathId, Resolved, Resolver};
pub use scans::Scans;
pub use search_path::SearchPath;

/// The result of scanning one text.
///
/// The text is read as C99 or later. Digraphs (`%:include`), trigraphs and GNU's raw strings are
/// not supported. A text with something that could be one is doubtful: it leaks, and every change
/// to it changes its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Every `#include`, `#include_next` and `#import`, in order.
    pub includes: Vec<Include>,
    /// Every `__has_include` and `__has_include_next` in a directive, in order: a new header
    /// changes its value.
    pub probes: Vec<Include>,
    /// What makes a second inclusion read nothing.
    pub guard: Guard,
    /// The macros that it may define, undefine or poison (`#pragma GCC poison`), except for the
    /// guard's; sorted, each once, with the first line that does so.
    pub defines: Vec<(Name, u32)>,
    /// Every identifier that is read with the text: all outside of comments, literals, names of
    /// headers, names of directives, names of macros that are defined, and replacement lists, which
    /// are read where the macro is used. Each once, sorted, with the line in which it stands first.
    /// The guard's macro is among them only if it stands elsewhere too, and so is `defined`.
    ///
    /// An identifier with non-ASCII bytes or `$` is there both as a whole and in its parts without
    /// them, and so are prefixes of literals that were none before C11 (`u`, `U`, `u8`).
    pub words: Vec<(Name, u32)>,
    /// The words that no `(` can follow, so that a macro with parameters and the same name does not
    /// change them: they stand outside of directives and parentheses only, and are not the last
    /// word before a directive or the end. Sorted.
    pub bare: Vec<Name>,
    /// The macros that it defines only with parameters, and never undefines or poisons. Sorted,
    /// each once.
    pub functions: Vec<Name>,
    /// For each macro that it may define, except for the guard's, the identifiers in all its
    /// replacement lists, without its parameters. Both are sorted, each once.
    pub bodies: Vec<(Name, Vec<Name>)>,
    /// The macros that it defines in one way only and never undefines or poisons, without the
    /// guard's, each with a digest of its definition. Sorted, each once.
    pub uniform: Vec<(Name, Digest)>,
    /// The macros whose use may change the compiler's state: they contain a `_Pragma` as described
    /// in [`Scan::leaks`], or one whose text is not known. Sorted, each once.
    pub pragmas: Vec<Name>,
    /// The macros with a `##`, which can produce names that stand nowhere, each with the forms of
    /// these names. Sorted, each once.
    pub pastes: Vec<(Name, PastedForm)>,
    /// Whether the text may change the compiler's state in other ways than by declarations and
    /// macros: it has a `#pragma` or `_Pragma` that is not known to be harmless, or a push or pop
    /// whose counterpart is not in the same branch; it has an `#import`, after which a file is not
    /// read again; or it is doubtful. `_Pragma`s in macros do not count here.
    pub leaks: bool,
    /// Whether it may have an `#embed`, which reads a file that the compiler does not tell: it has the
    /// directive, in whatever branch, or is doubtful.
    pub embeds: bool,
    /// Whether it may end inside a declaration, so that the next text means something else.
    pub open: bool,
    /// The digest of the text without comments. Texts with the same digest have the same tokens at
    /// the same lines and columns, so a compiler treats them alike.
    ///
    /// The opposite does not hold: comments count in doubtful texts, and in directives other than
    /// definitions, `#ifdef`, `#ifndef`, `#else` and `#endif`.
    pub normalized: Digest,
    /// The digest of the text itself, and of what was skipped in it ([`scan_active`]).
    pub content: Digest,
}

impl Scan {
    /// The approximate cost of compiling the text, in words.
    pub fn weight(&self) -> u64 {
        self.words.len() as u64 + 10
    }
}

/// An `#include`, or a `__has_include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The name between the quotes. For a computed one, the rest of the line as written, or for a
    /// `__has_include` the word in place of the name.
    pub name: Vec<u8>,
    /// How the name is written.
    pub kind: IncludeKind,
    /// Whether the search continues behind the directory of the file itself: `#include_next`,
    /// `__has_include_next`.
    pub next: bool,
    /// The line of the `#`, from 1.
    pub line: u32,
    /// Whether it is in an `#if` other than the guard.
    pub conditional: bool,
    /// Whether nothing before it could affect it: only comments, the guard, `#pragma once` and
    /// other `#include`s. Never true for a `__has_include`.
    pub leading: bool,
    /// Whether it may be inside a declaration, where the included text means something else.
    pub inside: bool,
}

/// How the name of a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncludeKind {
    /// In double quotes: the directory of the file itself is searched too.
    Quoted,
    /// In `<` and `>`.
    Angled,
    /// As macros, which only a preprocessor can expand.
    Computed,
}

/// A form of the names that a macro pastes together: how they begin and end, as far as its
/// definition says. Between that is what the macro's arguments give.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PastedForm {
    /// How the names begin.
    pub begin: Vec<u8>,
    /// How the names end.
    pub end: Vec<u8>,
}

impl PastedForm {
    /// Whether it is the form of a name.
    pub fn fits(&self, name: &[u8]) -> bool {
        let length = self.begin.len() + self.end.len();
        name.len() >= length && name.starts_with(&self.begin) && name.ends_with(&self.end)
    }
}

/// What makes that reading a text for the second time reads nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing known.
    None,
    /// `#pragma once`, outside of conditions.
    Once,
    /// The whole text is within `#ifndef` (or `#if !defined`) and `#endif`, and begins by defining
    /// that macro.
    Macro(Name),
}
