//! Planning: from fixes, in terms of the program, to edits of texts.
//!
//! It must never know the program, rules or libclang. Where an edit goes in a text is decided by
//! `csyntax`.

mod dependencies;

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use cowrap_base::files::{Shown, Texts};
use cowrap_csyntax::{self as csyntax, EditError, TextEdit};
use cowrap_report::{Action, Edit, Fix, Span};

pub use dependencies::Dependencies;

/// What planning needs to know of a tree.
pub struct Planner<'a> {
    /// The texts that are edited.
    pub texts: &'a Texts,
    /// Whether a file, by its path relative to the root, was written by a generator.
    pub is_generated: &'a dyn Fn(&Path) -> bool,
    /// The lists of headers that generators of wrappers read.
    pub lists: &'a [InputList],
    /// Headers that have to be included, too, in files where a mark is added: the file's path and
    /// the header's name.
    pub includes: &'a BTreeSet<(PathBuf, String)>,
}

/// A list of a generator's inputs in a file of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputList {
    /// The file, `meson.build`, relative to the root.
    pub file: PathBuf,
    /// A header that is in the list, relative to the root.
    pub known: PathBuf,
}

/// Why a fix has no edits.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The program has no declaration of what is to be marked.
    #[error("no declaration of `{0}` was read")]
    NoDeclaration(String),
    /// The file does not belong to the tree.
    #[error("{} is outside of the tree", .0.shown())]
    OutsideTree(PathBuf),
    /// The next build would undo the edit.
    #[error("{} is a generated file", .0.shown())]
    Generated(PathBuf),
    /// The file cannot be read.
    #[error("{}: {reason}", path.shown())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The file has become shorter.
    #[error("{}:{line}: the file no longer has this line", path.shown())]
    NoSuchLine {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u32,
    },
    /// The text does not allow the edit.
    #[error("{}:{}:{}: {reason}", at.path.shown(), at.line, at.column)]
    Refused {
        /// Where.
        at: Span,
        /// Why.
        reason: EditError,
    },
    /// The edit would move text that is not UTF-8.
    #[error("{}: the text to be moved is not UTF-8", .0.shown())]
    NotUtf8(PathBuf),
    /// No list of a generator's inputs was found.
    #[error("the build does not say where the inputs of the generator are listed")]
    NoInputList,
    /// The header cannot be added to the list.
    #[error("{}: {reason}", file.shown())]
    NotAddable {
        /// The file with the list.
        file: PathBuf,
        /// Why.
        reason: EditError,
    },
    /// The header is in the list, but the build was configured before that.
    #[error("{}: {}; configure the build again", file.shown(), EditError::AlreadyListed(entry.clone()))]
    AlreadyListed {
        /// The file with the list.
        file: PathBuf,
        /// The header as the list has it.
        entry: String,
    },
}

impl Planner<'_> {
    /// The edits of a fix, by path and offset.
    ///
    /// # Errors
    ///
    /// Why one of its actions cannot be done; then none is.
    pub fn edits(&self, fix: &Fix) -> Result<Vec<Edit>, PlanError> {
        let mut edits = BTreeSet::new();
        for action in &fix.actions {
            self.add_edits(action, &mut edits)?;
        }
        Ok(edits.into_iter().collect())
    }

    fn add_edits(&self, action: &Action, edits: &mut BTreeSet<Edit>) -> Result<(), PlanError> {
        match action {
            Action::MarkFunction { name, at, .. } | Action::MarkPointer { name, at, .. } if at.is_empty() => {
                return Err(PlanError::NoDeclaration(name.clone()));
            }
            Action::MarkFunction { name, mark, at } => {
                for span in at {
                    let made = self.at(span, |text, offset| csyntax::mark_function(text, offset, name, mark));
                    self.add_mark(edits, span, made)?;
                }
            }
            Action::MarkPointer { mark, at, .. } => {
                for span in at {
                    let made = self.at(span, |text, offset| {
                        // At a typedef, it is the typedef's name.
                        let word = word_at(text, offset);
                        csyntax::mark_pointer(text, offset, &word, mark)
                    });
                    self.add_mark(edits, span, made)?;
                }
            }
            Action::Unmark { mark, at } => {
                for span in at {
                    edits.extend(self.at(span, |text, offset| csyntax::unmark(text, offset, mark))?);
                }
            }
            Action::CallInstead { old, new, at } => {
                edits.extend(self.at(at, |text, offset| csyntax::rename_call(text, offset, old, new))?);
            }
            Action::DeclareWrapper { target, wrapper, mark, without, at } => {
                let without: Vec<&str> = without.iter().map(String::as_str).collect();
                let add = |text: &[u8], offset| csyntax::add_wrapper(text, offset, target, wrapper, mark, &without);
                edits.extend(self.at(at, add)?);
            }
            Action::AddInput { header } => edits.extend(self.add_input(header)?),
        }
        Ok(())
    }

    /// The edits at a position in a file.
    fn at(
        &self,
        span: &Span,
        make: impl FnOnce(&[u8], usize) -> Result<Vec<TextEdit>, EditError>,
    ) -> Result<Vec<Edit>, PlanError> {
        let path = &span.path;
        if path.is_absolute() {
            return Err(PlanError::OutsideTree(path.clone()));
        }
        if (self.is_generated)(path) {
            return Err(PlanError::Generated(path.clone()));
        }
        let text = self.texts.text(path).map_err(|reason| PlanError::Unreadable { path: path.clone(), reason })?;
        let no_such_line = || PlanError::NoSuchLine { path: path.clone(), line: span.line };
        let offset = self.texts.offset(&text, span.line, span.column).ok_or_else(no_such_line)?;
        let made = make(&text, offset).map_err(|reason| PlanError::Refused { at: span.clone(), reason })?;
        made.into_iter().map(|edit| to_edit(path, edit)).collect()
    }

    /// Adds the edits of a mark, and the include that the mark needs. A mark that is already there
    /// needs no edit.
    fn add_mark(
        &self,
        edits: &mut BTreeSet<Edit>,
        span: &Span,
        made: Result<Vec<Edit>, PlanError>,
    ) -> Result<(), PlanError> {
        match made {
            Err(PlanError::Refused { reason: EditError::AlreadyMarked { .. }, .. }) => return Ok(()),
            made => edits.extend(made?),
        }
        for (path, header) in self.includes.iter().filter(|(path, _)| *path == span.path) {
            let text = self.texts.text(path).map_err(|reason| PlanError::Unreadable { path: path.clone(), reason })?;
            for edit in csyntax::add_include(&text, header) {
                edits.insert(to_edit(path, edit)?);
            }
        }
        Ok(())
    }

    /// The edits that add a header to the first list that can take it.
    fn add_input(&self, header: &Path) -> Result<Vec<Edit>, PlanError> {
        let mut last = PlanError::NoInputList;
        for InputList { file, known } in self.lists {
            let directory = file.parent().unwrap_or(Path::new(""));
            let entry = |header: &Path| relative_to(directory, header).to_string_lossy().into_owned();
            let Ok(text) = self.texts.text(file) else { continue };
            match csyntax::add_to_list(&text, 0..text.len(), &entry(known), &entry(header)) {
                Ok(made) => return made.into_iter().map(|edit| to_edit(file, edit)).collect(),
                Err(EditError::AlreadyListed(entry)) => {
                    last = PlanError::AlreadyListed { file: file.clone(), entry };
                }
                Err(reason) => last = PlanError::NotAddable { file: file.clone(), reason },
            }
        }
        Err(last)
    }
}

fn to_edit(path: &Path, edit: TextEdit) -> Result<Edit, PlanError> {
    let text = String::from_utf8(edit.text).map_err(|_| PlanError::NotUtf8(path.to_path_buf()))?;
    Ok(Edit { path: path.to_path_buf(), start: edit.range.start, end: edit.range.end, text })
}

/// The identifier at an offset.
fn word_at(text: &[u8], offset: usize) -> String {
    let rest = text.get(offset..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    word.map(|byte| char::from(*byte)).collect()
}

/// A path relative to a directory; both are given relative to the same root.
fn relative_to(directory: &Path, path: &Path) -> PathBuf {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (directory.components().collect(), path.components().collect());
    let same = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n(Component::ParentDir, from.len() - same);
    up.chain(to[same..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cowrap_report::Safety;

    fn edited(files: &[(&str, &str)], action: Action) -> Result<Vec<(String, String)>, String> {
        let scratch = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = scratch.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let texts = Texts::new(scratch.path(), None);
        let lists = [InputList { file: "block/meson.build".into(), known: "include/known.h".into() }];
        let includes = BTreeSet::from([(PathBuf::from("needs.c"), "qemu/microtask.h".to_owned())]);
        let is_generated = |path: &Path| path.starts_with("build");
        let planner = Planner { texts: &texts, is_generated: &is_generated, lists: &lists, includes: &includes };
        let fix =
            Fix { title: String::new(), safety: Safety::Safe, actions: vec![action], edits: vec![], obstacle: None };
        let edits = planner.edits(&fix).map_err(|error| error.to_string())?;
        let paths: BTreeSet<PathBuf> = edits.iter().map(|edit| edit.path.clone()).collect();
        let apply = |path: &PathBuf| {
            let mut text = String::from_utf8(texts.text(path).unwrap().to_vec()).unwrap();
            for edit in edits.iter().rev().filter(|edit| edit.path == *path) {
                text.replace_range(edit.start..edit.end, &edit.text);
            }
            (path.display().to_string(), text)
        };
        Ok(paths.iter().map(apply).collect())
    }

    fn span(path: &str, line: u32, column: u32) -> Span {
        Span { path: path.into(), line, column }
    }

    fn mark(at: Vec<Span>) -> Action {
        Action::MarkFunction { name: "f".into(), mark: "microtask_fn".into(), at }
    }

    fn one(path: &str, text: &str) -> Result<Vec<(String, String)>, String> {
        Ok(vec![(path.to_owned(), text.to_owned())])
    }

    #[test]
    fn every_declaration_without_the_mark_is_marked() {
        let files = [("a.h", "int f(void);\n"), ("a.c", "int microtask_fn f(void);\nint f(void)\n{\n}\n")];
        let marked = edited(&files, mark(vec![span("a.h", 1, 5), span("a.c", 1, 18), span("a.c", 2, 5)])).unwrap();
        let expected = [
            ("a.c", "int microtask_fn f(void);\nint microtask_fn f(void)\n{\n}\n"),
            ("a.h", "int microtask_fn f(void);\n"),
        ];
        assert_eq!(marked, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn errors_name_the_location() {
        let refused = |files: &[(&str, &str)], span: Span| edited(files, mark(vec![span])).unwrap_err();
        assert!(refused(&[("a.c", "int g(void);\n")], span("a.c", 1, 5)).starts_with("a.c:1:5: `f` is not written"));
        assert!(refused(&[], span("build/a.c", 1, 5)).contains("generated"));
        assert!(refused(&[], span("/usr/include/a.h", 1, 5)).contains("outside of the tree"));
        assert!(refused(&[("a.c", "")], span("a.c", 7, 5)).contains("no longer has this line"));
        assert!(refused(&[], span("none.c", 7, 5)).contains("none.c"));
        assert!(edited(&[], mark(vec![])).unwrap_err().contains("no declaration"));
    }

    #[test]
    fn the_header_of_the_mark_is_included_on_request() {
        let files = [("needs.c", "#include \"qemu/osdep.h\"\n\nint f(void);\n")];
        let text = "#include \"qemu/osdep.h\"\n#include \"qemu/microtask.h\"\n\nint microtask_fn f(void);\n";
        assert_eq!(edited(&files, mark(vec![span("needs.c", 3, 5)])), one("needs.c", text));
    }

    #[test]
    fn a_listed_header_is_relative_to_the_file_with_the_list() {
        let files = [("block/meson.build", "input: [\n  '../include/known.h',\n]\n")];
        let add = |header: &str| edited(&files, Action::AddInput { header: header.into() });
        assert_eq!(
            add("include/new.h"),
            one("block/meson.build", "input: [\n  '../include/known.h',\n  '../include/new.h',\n]\n")
        );
        assert_eq!(add("block/own.h"), one("block/meson.build", "input: [\n  '../include/known.h',\n  'own.h',\n]\n"));
    }
}
