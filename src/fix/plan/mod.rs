//! Planning: from what findings ask for, in words of the program, to edits in the texts.
//!
//! It must never know the program, rules or libclang; where an edit goes in a text is decided by `csyntax`.

mod order;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use cowrap_base::files::{Texts, offset};
use cowrap_csyntax::{self as csyntax, EditError, TextEdit};
use cowrap_report::{Action, Edit, Fix, Span};

pub use order::Order;

/// What planning needs to know of a tree.
pub struct Planner<'a> {
    /// The texts that edits are made in.
    pub texts: &'a Texts,
    /// Whether a file, by its path relative to the root, was written by a generator.
    pub is_generated: &'a dyn Fn(&Path) -> bool,
    /// The lists of headers that generators of wrappers read.
    pub lists: &'a [InputList],
    /// Headers that have to be included as well, in files that are marked: by the file's path, the header's name.
    pub includes: &'a BTreeSet<(PathBuf, String)>,
}

/// A list of a generator's inputs, in a build's own file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputList {
    /// The file, `meson.build`, relative to the root.
    pub file: PathBuf,
    /// A header that is in the list, relative to the root.
    pub known: PathBuf,
}

impl Planner<'_> {
    /// The edits of a fix, by path and place.
    ///
    /// # Errors
    ///
    /// Why one of its actions cannot be done, in words: then none is.
    pub fn edits(&self, fix: &Fix) -> Result<Vec<Edit>, String> {
        let mut edits = BTreeSet::new();
        for action in &fix.actions {
            match action {
                Action::MarkFunction { name, mark, at } => {
                    if at.is_empty() {
                        return Err(format!("no declaration of `{name}` was read"));
                    }
                    for span in at {
                        let made = self.at(span, |text, offset| csyntax::mark_function(text, offset, name, mark));
                        self.add_mark(&mut edits, span, made)?;
                    }
                }
                Action::MarkPointer { name, mark, at } => {
                    if at.is_empty() {
                        return Err(format!("no declaration of `{name}` was read"));
                    }
                    for span in at {
                        let made = self.at(span, |text, offset| {
                            // At a typedef, it is the typedef's name.
                            let word = word_at(text, offset);
                            csyntax::mark_pointer(text, offset, &word, mark)
                        });
                        self.add_mark(&mut edits, span, made)?;
                    }
                }
                Action::Unmark { mark, at } => {
                    for span in at {
                        edits.extend(self.at(span, |text, offset| csyntax::unmark(text, offset, mark)).map_err(words)?);
                    }
                }
                Action::CallInstead { old, new, at } => {
                    let made = self.at(at, |text, offset| csyntax::rename_call(text, offset, old, new));
                    edits.extend(made.map_err(words)?);
                }
                Action::DeclareWrapper { target, wrapper, mark, without, at } => {
                    let without: Vec<&str> = without.iter().map(String::as_str).collect();
                    let made =
                        self.at(at, |text, offset| csyntax::add_wrapper(text, offset, target, wrapper, mark, &without));
                    edits.extend(made.map_err(words)?);
                }
                Action::AddInput { header } => edits.extend(self.add_input(header)?),
            }
        }
        Ok(edits.into_iter().collect())
    }

    /// The edits for a place in a file.
    fn at(
        &self,
        span: &Span,
        make: impl FnOnce(&[u8], usize) -> Result<Vec<TextEdit>, EditError>,
    ) -> Result<Vec<Edit>, Obstacle> {
        let path = &span.path;
        if path.is_absolute() {
            return Err(Obstacle::Other(format!("{} is outside of the tree", path.display())));
        }
        if (self.is_generated)(path) {
            return Err(Obstacle::Other(format!("{} was written by a generator", path.display())));
        }
        let text = self.texts.text(path).map_err(|error| Obstacle::Other(format!("{}: {error}", path.display())))?;
        let moved = || Obstacle::Other(format!("{}:{}: the file has no such line any more", path.display(), span.line));
        let offset = offset(&text, span.line, span.column).ok_or_else(moved)?;
        let made = make(&text, offset).map_err(|refusal| Obstacle::Refused(span.clone(), refusal))?;
        made.into_iter().map(|edit| to_edit(path, edit)).collect()
    }

    /// Takes the edits of a mark; one that is there already is none.
    fn add_mark(
        &self,
        edits: &mut BTreeSet<Edit>,
        span: &Span,
        made: Result<Vec<Edit>, Obstacle>,
    ) -> Result<(), String> {
        match made {
            Ok(made) => edits.extend(made),
            Err(Obstacle::Refused(_, EditError::AlreadyMarked { .. })) => return Ok(()),
            Err(obstacle) => return Err(words(obstacle)),
        }
        for (path, header) in self.includes.iter().filter(|(path, _)| *path == span.path) {
            let text = self.texts.text(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let made = csyntax::add_include(&text, header).into_iter().map(|edit| to_edit(path, edit));
            for edit in made {
                edits.insert(edit.map_err(words)?);
            }
        }
        Ok(())
    }

    /// The header in the first list that takes it.
    fn add_input(&self, header: &Path) -> Result<Vec<Edit>, String> {
        let mut why = "the build does not say where the inputs of the generator are listed".to_owned();
        for InputList { file, known } in self.lists {
            let directory = file.parent().unwrap_or(Path::new(""));
            let entry = |header: &Path| relative_to(directory, header).to_string_lossy().into_owned();
            let Ok(text) = self.texts.text(file) else { continue };
            match csyntax::add_to_list(&text, 0..text.len(), &entry(known), &entry(header)) {
                Ok(made) => return made.into_iter().map(|edit| to_edit(file, edit).map_err(words)).collect(),
                Err(refusal @ EditError::AlreadyListed(_)) => {
                    why = format!("{}: {refusal}; configure the build again", file.display());
                }
                Err(refusal) => why = format!("{}: {refusal}", file.display()),
            }
        }
        Err(why)
    }
}

/// Why an edit cannot be made.
enum Obstacle {
    Refused(Span, EditError),
    Other(String),
}

fn words(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Refused(span, refusal) => {
            format!("{}:{}:{}: {refusal}", span.path.display(), span.line, span.column)
        }
        Obstacle::Other(why) => why,
    }
}

fn to_edit(path: &Path, edit: TextEdit) -> Result<Edit, Obstacle> {
    let text = String::from_utf8(edit.text)
        .map_err(|_| Obstacle::Other(format!("{}: what is to be moved is not UTF-8", path.display())))?;
    Ok(Edit { path: path.to_path_buf(), start: edit.range.start, end: edit.range.end, text })
}

/// The identifier at an offset.
fn word_at(text: &[u8], offset: usize) -> String {
    let rest = text.get(offset..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    word.map(|byte| char::from(*byte)).collect()
}

/// A path as seen from a directory; both are relative to the same root.
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
        let includes = BTreeSet::from([(PathBuf::from("needs.c"), "qemu/coroutine.h".to_owned())]);
        let is_generated = |path: &Path| path.starts_with("build");
        let planner = Planner { texts: &texts, is_generated: &is_generated, lists: &lists, includes: &includes };
        let fix =
            Fix { title: String::new(), safety: Safety::Safe, actions: vec![action], edits: vec![], obstacle: None };
        let edits = planner.edits(&fix)?;
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
        Action::MarkFunction { name: "f".into(), mark: "coroutine_fn".into(), at }
    }

    fn one(path: &str, text: &str) -> Result<Vec<(String, String)>, String> {
        Ok(vec![(path.to_owned(), text.to_owned())])
    }

    #[test]
    fn a_mark_goes_to_every_declaration_that_lacks_it() {
        let files = [("a.h", "int f(void);\n"), ("a.c", "int coroutine_fn f(void);\nint f(void)\n{\n}\n")];
        let marked = edited(&files, mark(vec![span("a.h", 1, 5), span("a.c", 1, 18), span("a.c", 2, 5)])).unwrap();
        let expected = [
            ("a.c", "int coroutine_fn f(void);\nint coroutine_fn f(void)\n{\n}\n"),
            ("a.h", "int coroutine_fn f(void);\n"),
        ];
        assert_eq!(marked, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_cannot_be_written_is_said_with_its_place() {
        let refused = |files: &[(&str, &str)], span: Span| edited(files, mark(vec![span])).unwrap_err();
        assert!(refused(&[("a.c", "int g(void);\n")], span("a.c", 1, 5)).starts_with("a.c:1:5: `f` is not written"));
        assert!(refused(&[], span("build/a.c", 1, 5)).contains("generator"));
        assert!(refused(&[], span("/usr/include/a.h", 1, 5)).contains("outside of the tree"));
        assert!(refused(&[("a.c", "")], span("a.c", 7, 5)).contains("no such line"));
        assert!(refused(&[], span("none.c", 7, 5)).contains("none.c"));
        assert!(edited(&[], mark(vec![])).unwrap_err().contains("no declaration"));
    }

    #[test]
    fn the_marks_header_is_included_where_that_is_asked_for() {
        let files = [("needs.c", "#include \"qemu/osdep.h\"\n\nint f(void);\n")];
        let text = "#include \"qemu/osdep.h\"\n#include \"qemu/coroutine.h\"\n\nint coroutine_fn f(void);\n";
        assert_eq!(edited(&files, mark(vec![span("needs.c", 3, 5)])), one("needs.c", text));
    }

    #[test]
    fn a_header_is_listed_as_seen_from_the_list() {
        let files = [("block/meson.build", "input: [\n  '../include/known.h',\n]\n")];
        let add = |header: &str| edited(&files, Action::AddInput { header: header.into() });
        assert_eq!(
            add("include/new.h"),
            one("block/meson.build", "input: [\n  '../include/known.h',\n  '../include/new.h',\n]\n")
        );
        assert_eq!(add("block/own.h"), one("block/meson.build", "input: [\n  '../include/known.h',\n  'own.h',\n]\n"));
    }
}
