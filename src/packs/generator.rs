//! The part of a pack that generates wrappers: templates, dialects, and how to detect a tree's dialect.
//!
//! The generator reads it without the rest of the pack, since a build expects it to finish within milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use cowrap_base::files::{Shown, home_of, is_below, read_text};

use super::builtin;
use super::naming;
use super::written::{FilesRead, Written};
use super::{MarkSpec, PackError};

/// The part of a pack that generation needs.
#[derive(Clone, Debug)]
pub struct Generator {
    /// The pack's name.
    pub pack: String,
    /// The marks, wrapper marks included.
    pub marks: Vec<MarkSpec>,
    /// The word that joins a wrapper's name to its target's.
    pub infix: Option<String>,
    /// Files that identify a tree's root, relative to it. The root has all of them.
    pub root: Vec<PathBuf>,
    /// The file with the tree's version, relative to the root.
    pub version: Option<PathBuf>,
    /// Programs that generate wrappers in a build: the name, and the arguments that must follow it.
    pub programs: Vec<String>,
    /// Words before a function's name that are neither types nor marks.
    pub specifiers: BTreeSet<String>,
    /// The template of the whole file, by name.
    pub file_template: String,
    /// The template for wrappers that call an inside-only function.
    pub enter_template: String,
    /// The template for wrappers that call an outside-only function.
    pub leave_template: String,
    /// All templates: name and text.
    pub templates: Vec<(String, String)>,
    /// The differences between trees.
    pub features: Vec<Feature>,
    /// Named sets of features.
    pub dialects: Vec<Dialect>,
    /// The files that were read, for dependencies. Built-in ones are not among them.
    pub files: Vec<PathBuf>,
}

/// One difference between trees of a code base.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name in templates.
    pub name: String,
    /// How to detect its value: the first probe that holds determines it.
    pub probes: Vec<Probe>,
}

/// One way to detect a feature's value. It holds if all of its conditions do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// A file that must exist, relative to the root.
    pub file: Option<PathBuf>,
    /// A text that the file must contain.
    pub has: Option<String>,
    /// The lowest version that the tree must have.
    pub version: Option<String>,
    /// The feature's value if it holds.
    pub value: String,
}

/// A named set of features.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Its name, for `--dialect`.
    pub name: String,
    /// The releases with this dialect, for people.
    pub releases: String,
    /// The value of every feature.
    pub features: BTreeMap<String, String>,
}

/// `[generator]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenGenerator {
    #[serde(default)]
    root: Vec<PathBuf>,
    version: Option<PathBuf>,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    specifiers: Vec<String>,
    file: String,
    enter: String,
    leave: String,
    /// Templates that other templates import.
    #[serde(default)]
    imports: Vec<String>,
}

impl Generator {
    /// Reads a pack: a built-in one by its name, else a file; without a name QEMU's.
    pub fn read(pack: Option<&Path>) -> Result<Generator, PackError> {
        let mut files = FilesRead::default();
        let (written, origin) = match pack {
            None => (builtin::written(builtin::DEFAULT)?, PathBuf::from(builtin::DEFAULT)),
            Some(path) => {
                let written = builtin::written_or_file(path, &mut files)?;
                (written, path.to_path_buf())
            }
        };
        Generator::build(written, &origin, files.paths)
    }

    /// Reads the first of several packs that generates wrappers; without packs QEMU's.
    ///
    /// # Errors
    ///
    /// A pack cannot be used, or none of them generates.
    pub fn first_of(packs: &[PathBuf]) -> Result<Generator, PackError> {
        for path in packs {
            let mut files = FilesRead::default();
            let written = builtin::written_or_file(path, &mut files)?;
            if written.generator.is_some() {
                return Generator::build(written, path, files.paths);
            }
        }
        Generator::read(packs.first().map(PathBuf::as_path))
    }

    fn build(written: Written, origin: &Path, mut files: Vec<PathBuf>) -> Result<Generator, PackError> {
        let invalid = |message: String| PackError::Invalid { path: origin.shown().to_string(), message };
        let Some(generator) = written.generator else {
            return Err(invalid("the pack has no `[generator]` table, so it cannot generate wrappers".to_owned()));
        };
        let home = written.generator_home;
        let names = [&generator.file, &generator.enter, &generator.leave];
        let mut templates: Vec<(String, String)> = Vec::new();
        for name in names.into_iter().chain(&generator.imports) {
            if templates.iter().any(|(known, _)| known == name) {
                continue;
            }
            let text = match &home {
                None => {
                    builtin::template(name).ok_or_else(|| invalid(format!("no built-in template is named `{name}`")))?
                }
                Some(directory) => {
                    let path = directory.join(name);
                    if !is_below(&path, &[home_of(origin)]) {
                        return Err(invalid(format!(
                            "the template `{name}` is outside of {}",
                            home_of(origin).shown()
                        )));
                    }
                    let text = read_text(&path)
                        .map_err(|source| PackError::Read { path: path.shown().to_string(), source })?;
                    files.push(path);
                    text
                }
            };
            templates.push((name.clone(), text));
        }
        let features: BTreeSet<&str> = written.features.iter().map(|feature| feature.name.as_str()).collect();
        for dialect in &written.dialects {
            let own: BTreeSet<&str> = dialect.features.keys().map(String::as_str).collect();
            if own != features {
                let differing: Vec<&str> = own.symmetric_difference(&features).copied().collect();
                return Err(invalid(format!(
                    "the dialect `{}` must have a value for each feature and for nothing else; it differs in {}",
                    dialect.name,
                    differing.join(", ")
                )));
            }
        }
        Ok(Generator {
            pack: written.name,
            marks: written.marks,
            infix: written.infix,
            root: generator.root,
            version: generator.version,
            programs: generator.programs,
            specifiers: generator.specifiers.into_iter().collect(),
            file_template: generator.file,
            enter_template: generator.enter,
            leave_template: generator.leave,
            templates,
            features: written.features,
            dialects: written.dialects,
            files,
        })
    }

    /// The description of a mark.
    pub fn mark(&self, name: &str) -> Option<&MarkSpec> {
        self.marks.iter().find(|mark| mark.name == name)
    }

    /// The name of the inside-only function that a wrapper of this name calls.
    pub fn target_name(&self, wrapper: &str) -> Option<String> {
        naming::with_infix(self.infix.as_deref()?, wrapper)
    }

    /// The name of the outside-only function that a wrapper of this name calls.
    pub fn wrapper_name(&self, target: &str) -> Option<String> {
        naming::without_infix(self.infix.as_deref()?, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_packs_generate() {
        for name in ["qemu", "qemu-next"] {
            let generator = Generator::read(Some(Path::new(name))).unwrap();
            assert!(!generator.dialects.is_empty(), "{name}");
            assert!(generator.files.is_empty(), "{name}");
        }
        let next = Generator::read(Some(Path::new("qemu-next"))).unwrap();
        assert!(next.mark("co_wrapper").is_some(), "it has the marks of the pack that it extends");
        assert!(next.marks.len() > Generator::read(None).unwrap().marks.len());
    }

    #[test]
    fn a_dialect_gives_every_feature_a_value() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("mine.toml");
        for name in ["f", "c", "b"] {
            std::fs::write(scratch.path().join(name), "").unwrap();
        }
        let text = "name = \"mine\"\nheaders = []\n[generator]\nfile = \"f\"\nenter = \"c\"\nleave = \"b\"\n\
                    [[feature]]\nname = \"a\"\nprobes = []\n[[dialect]]\nname = \"d\"\nreleases = \"all\"\n\
                    features = { b = \"1\" }\n";
        std::fs::write(&path, text).unwrap();
        let error = Generator::read(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("mine.toml") && error.contains("a, b"), "{error}");
        std::fs::write(&path, text.replace("{ b =", "{ a =")).unwrap();
        let generator = Generator::read(Some(&path)).unwrap();
        assert_eq!(generator.files.len(), 4, "{:?}", generator.files);
        std::fs::remove_file(scratch.path().join("c")).unwrap();
        let error = Generator::read(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("cannot read the pack") && error.contains("/c"), "{error}");
    }
}
