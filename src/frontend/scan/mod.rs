//! What a C file's text says before any compiler reads it: what it includes and where that is
//! found, its guard, its names, and a digest of it that comments do not change.
//!
//! It is used to decide which units may share the work on their headers, to tell that an edit
//! changed nothing but comments, and to know which files an `#include` looked for in vain. So where
//! it cannot be certain it must err towards more: more names, more directives, another form.
//!
//! Nothing is expanded, and no condition is decided: what is in a false branch counts as what is in
//! a true one. Any bytes are a text; all of it takes time linear in the text's length. It must
//! never know what a name means, clang or rules.

mod normalize;
mod lex;
mod memo;
mod names;
mod search_path;
mod pragma;
mod read;
mod resolve;
mod scans;

#[cfg(test)]
mod tests;

use cowrap_base::files::Digest;

pub use names::{Name, Names};
pub use read::scan;
pub use resolve::{FileId, IncludeTarget, PathId, Resolved, Resolver};
pub use scans::Scans;
pub use search_path::SearchPath;

/// What one text says.
///
/// It is read as C99 and later. Not understood are digraphs (`%:include`), trigraphs, and strings
/// of GNU's raw kind; a text that has what could be one is treated as one of which little is
/// certain: it leaks, and every change changes its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Every `#include`, `#include_next` and `#import`, in their order.
    pub includes: Vec<Include>,
    /// Every `__has_include` and `__has_include_next` in a directive, in their order: a header that
    /// appears changes its value.
    pub probes: Vec<Include>,
    /// What makes that reading the text for the second time reads nothing.
    pub guard: Guard,
    /// The macros that it may define or undefine, or make unusable (`#pragma GCC poison`), but for
    /// the guard's; sorted, each once, with the first line in which it does.
    pub defines: Vec<(Name, u32)>,
    /// Every identifier that is read with the text: all outside of comments, literals, names of
    /// headers, names of directives, names of macros that are defined, and replacement lists, which
    /// are read where the macro is used. Each once, sorted, with the line in which it stands first.
    /// The guard's macro is among them only if it stands elsewhere too, and so is `defined`.
    ///
    /// An identifier with bytes beyond ASCII or with `$` is there as a whole and in its parts
    /// without them, and so is a prefix of a literal that was none before C11 (`u`, `U`, `u8`).
    pub words: Vec<(Name, u32)>,
    /// Those of the words that mean the same whether a macro with parameters is called so or not,
    /// since no `(` can follow them: they stand only outside of directives and of parentheses, and
    /// are not the last word before a directive or the end. Sorted.
    pub bare: Vec<Name>,
    /// The macros that it may define, always with parameters, and that it never undefines or makes
    /// unusable. Sorted, each once.
    pub functions: Vec<Name>,
    /// For each macro that it may define but for the guard's, the identifiers in all its
    /// replacement lists, without its parameters. Both are sorted, each once.
    pub bodies: Vec<(Name, Vec<Name>)>,
    /// The macros that leave the compiler in another state where they are used, or may do so: they
    /// hold a `_Pragma` of the kind that [`Scan::leaks`] tells of, or one whose text is not known.
    /// Sorted, each once.
    pub pragmas: Vec<Name>,
    /// The macros with a `##`, out of which names can come that stand nowhere. Sorted, each once.
    pub pastes: Vec<Name>,
    /// Whether the text may leave the compiler in another state, beyond declarations and macros: it
    /// has a `#pragma` or `_Pragma` that is not known to be harmless, or one that is and whose
    /// opposite is not in the same branch; it has an `#import`, after which a file is not read
    /// again; or the text is doubtful. `_Pragma`s in macros are not among these.
    pub leaks: bool,
    /// Whether it may end within a declaration, so that what is included behind it means something
    /// else.
    pub open: bool,
    /// A digest of what is left when comments do not count: texts of the same form have the same
    /// tokens at the same lines and columns, so that a compiler says the same of both.
    ///
    /// The opposite does not hold. Comments count in directives other than definitions, `#ifdef`,
    /// `#ifndef`, `#else` and `#endif`, and in doubtful texts.
    pub normalized: Digest,
    /// The digest of the text itself.
    pub content: Digest,
}

impl Scan {
    /// What compiling the text costs, roughly, in words.
    pub fn weight(&self) -> u64 {
        self.words.len() as u64 + 10
    }
}

/// An `#include`, or a question for a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The name as it is between the quotes; for a computed one, the rest of the line as it is
    /// written, or for a question the word that stands for the name.
    pub name: Vec<u8>,
    /// How the name is written.
    pub kind: IncludeKind,
    /// Whether the search goes on behind where the file itself was found: `#include_next`,
    /// `__has_include_next`.
    pub next: bool,
    /// The line of the `#`, from 1.
    pub line: u32,
    /// Whether it is in an `#if` other than the guard.
    pub conditional: bool,
    /// Whether there is nothing before it that could matter to it: only comments, the guard,
    /// `#pragma once` and other `#include`s. Never so for a question.
    pub leading: bool,
    /// Whether it may be within a declaration: what is included means something else there.
    pub inside: bool,
}

/// How the name of a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncludeKind {
    /// In double quotes: it is also looked for beside the file itself.
    Quoted,
    /// In `<` and `>`.
    Angled,
    /// As macros, which only a preprocessor can expand.
    Computed,
}

/// What makes that reading a text for the second time reads nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing that is known.
    None,
    /// `#pragma once`, outside of conditions.
    Once,
    /// The whole text is within `#ifndef` (or `#if !defined`) and `#endif`, and begins by defining
    /// that macro.
    Macro(Name),
}
