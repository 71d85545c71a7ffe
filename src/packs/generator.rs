//! What a pack says of generating wrappers: dialects, how a tree's dialect is told, and the C that is written.
//!
//! It is read without the rest of the pack, since a generator in a build must be done in milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::builtin;
use super::naming;
use super::pack::{MarkSpec, PackError, Written};

/// The part of a pack that generation needs.
#[derive(Clone, Debug)]
pub struct Generator {
    /// The pack's name.
    pub pack: String,
    /// The marks, those that ask for a wrapper among them.
    pub marks: Vec<MarkSpec>,
    /// The word that joins a wrapper's name to its target's.
    pub infix: Option<String>,
    /// Files that only a tree's root has, all of them, relative to it.
    pub root: Vec<PathBuf>,
    /// The file that holds the tree's version, relative to its root.
    pub version: Option<PathBuf>,
    /// Programs that generate wrappers in a build: the name, and the words that must follow it.
    pub programs: Vec<String>,
    /// Words in front of functions that are neither types nor marks.
    pub specifiers: BTreeSet<String>,
    /// The template of the whole file, by name.
    pub file_template: String,
    /// The template for wrappers that call what is coroutine only.
    pub coroutine_template: String,
    /// The template for wrappers that call what may not run in a coroutine.
    pub bottom_half_template: String,
    /// All templates: name and text.
    pub templates: Vec<(String, String)>,
    /// What differs between trees.
    pub features: Vec<Feature>,
    /// Sets of features with a name.
    pub dialects: Vec<Dialect>,
    /// The files that were read, for dependencies; those that are compiled in are not among them.
    pub files: Vec<PathBuf>,
}

/// One thing that differs between trees of a code base.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name, as templates use it.
    pub name: String,
    /// What tells its value: the first probe that holds decides.
    pub probes: Vec<Probe>,
}

/// One way to tell a feature's value from a tree; it holds when everything that it asks for does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// A file that must be there, relative to the root.
    pub file: Option<PathBuf>,
    /// A text that the file must have.
    pub has: Option<String>,
    /// The lowest version of the tree.
    pub version: Option<String>,
    /// The value that it tells.
    pub value: String,
}

/// A set of features with a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Its name, for `--dialect`.
    pub name: String,
    /// Which releases have it, for people.
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
    coroutine: String,
    bottom_half: String,
    /// Templates that the others import.
    #[serde(default)]
    imports: Vec<String>,
}

impl Generator {
    /// Reads a pack: one that is compiled in by its name, any other by its file. Without one, QEMU's.
    pub fn read(pack: Option<&Path>) -> Result<Generator, PackError> {
        let mut files = Vec::new();
        let (written, origin) = match pack {
            None => (builtin::written(builtin::DEFAULT)?, PathBuf::from(builtin::DEFAULT)),
            Some(path) => {
                let written = builtin::written_or_file(path, &mut files)?;
                (written, path.to_path_buf())
            }
        };
        Generator::build(written, &origin, files)
    }

    fn build(written: Written, origin: &Path, mut files: Vec<PathBuf>) -> Result<Generator, PackError> {
        let invalid = |message: String| PackError::Invalid { path: origin.display().to_string(), message };
        let Some(generator) = written.generator else {
            return Err(invalid("it has no `[generator]`, so that nothing says which C to generate".to_owned()));
        };
        let home = written.generator_home;
        let names = [&generator.file, &generator.coroutine, &generator.bottom_half];
        let mut templates: Vec<(String, String)> = Vec::new();
        for name in names.into_iter().chain(&generator.imports) {
            if templates.iter().any(|(known, _)| known == name) {
                continue;
            }
            let text = match &home {
                None => builtin::template(name).ok_or_else(|| invalid(format!("there is no template `{name}`")))?,
                Some(directory) => {
                    let path = directory.join(name);
                    let text = std::fs::read_to_string(&path)
                        .map_err(|source| PackError::Read { path: path.display().to_string(), source })?;
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
                    "the dialect `{}` does not give a value to exactly the features that there are: {}",
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
            coroutine_template: generator.coroutine,
            bottom_half_template: generator.bottom_half,
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

    /// The name of what a wrapper that calls something coroutine only wraps.
    pub fn target_name(&self, wrapper: &str) -> Option<String> {
        naming::with_infix(self.infix.as_deref()?, wrapper)
    }

    /// The name of what a wrapper that leaves the coroutine wraps.
    pub fn wrapper_name(&self, target: &str) -> Option<String> {
        naming::without_infix(self.infix.as_deref()?, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_packs_generate() {
        for name in builtin::NAMES {
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
        let text = "name = \"mine\"\nheaders = []\n[generator]\nfile = \"f\"\ncoroutine = \"c\"\nbottom_half = \"b\"\n\
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
