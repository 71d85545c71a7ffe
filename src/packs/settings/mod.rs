//! `cowrap.toml`: the settings of a tree. `docs/config.md` describes it.

mod parse;
mod written;

use std::fmt;
use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_report::Level;

use super::{Cut, Model, Pack};

/// The name of the file.
pub const FILE_NAME: &str = "cowrap.toml";

/// The settings of a tree. Relative paths start from the directory of the file, and patterns are matched from there.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file; `None` for a tree without one.
    pub file: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// The pack: the name of a built-in one, or a file.
    pub pack: Option<Valued<PathBuf>>,
    /// The build directory, or its compilation database.
    pub build: Option<Valued<PathBuf>>,
    /// The files and directories in which cowrap reports findings; all without this.
    pub paths: Option<Valued<Vec<PathBuf>>>,
    /// Patterns of the units to read.
    pub only: Option<Valued<Vec<String>>>,
    /// Patterns of units not to read.
    pub exclude: Option<Valued<Vec<String>>>,
    /// The opt-in rules to run.
    pub enable: Option<Valued<Vec<String>>>,
    /// The baseline: a file of known findings.
    pub baseline: Option<Valued<PathBuf>>,
    /// The levels of rules, in the file's order. Of those that match, the last counts.
    pub levels: Vec<LevelOf>,
    /// The inputs and outputs of the wrapper generator.
    pub generators: Vec<GeneratorFiles>,
    /// Models of unmarked functions, in addition to the pack's.
    pub models: Vec<TreeModel>,
    /// Harmless calls, in addition to the pack's.
    pub cuts: Vec<TreeCut>,
}

/// A model in the settings of a tree. Its effect is in the words of its pack.
#[derive(Clone, Debug)]
pub struct TreeModel {
    /// The functions, by name.
    pub functions: Vec<String>,
    /// What they require of their callers, as written.
    pub effect: Valued<String>,
    /// The reason, for people.
    pub reason: String,
    /// The gravest level of findings about these functions.
    pub level: Option<Level>,
    /// Whether these are functions of a library.
    pub library: bool,
    /// The name of the pack; the first pack without one.
    pub pack: Option<Valued<String>>,
}

/// A cut in the settings of a tree.
#[derive(Clone, Debug)]
pub struct TreeCut {
    /// The cut.
    pub cut: Cut,
    /// The name of the pack; the first pack without one.
    pub pack: Option<Valued<String>>,
}

/// A value and its line in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valued<T> {
    /// The value.
    pub value: T,
    /// The line, from 1.
    pub line: u32,
}

/// The level of a rule, everywhere or in some files.
#[derive(Clone, Debug)]
pub struct LevelOf {
    /// The rule.
    pub rule: String,
    /// Its level.
    pub level: Setting,
    /// A pattern of the files; all files without one.
    pub files: Option<GlobMatcher>,
    /// Its line in the file, from 1.
    pub line: u32,
}

/// How findings of a rule are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Setting {
    /// Reported as an error, which makes the exit status 1.
    Error,
    /// Reported as a warning.
    #[serde(alias = "warn")]
    Warning,
    /// Reported as a note.
    Note,
    /// Not reported.
    Off,
}

/// What one run of the generator reads and writes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GeneratorFiles {
    /// The headers that the generator reads, in order.
    pub inputs: Vec<PathBuf>,
    /// The file that the generator writes.
    pub output: PathBuf,
}

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Its content is wrong.
    #[error("{path}:{message}")]
    Invalid {
        /// The file.
        path: String,
        /// The line and the problem.
        message: String,
    },
}

impl Settings {
    /// The settings file for a directory: its own, or that of the nearest parent directory with one. The search ends at
    /// the top of a git working tree.
    pub fn find(directory: &Path) -> Option<PathBuf> {
        for directory in directory.ancestors() {
            let file = directory.join(FILE_NAME);
            if file.symlink_metadata().is_ok() {
                return Some(file);
            }
            if directory.join(".git").exists() {
                break;
            }
        }
        None
    }

    /// Reads a file. `rules` are the names of all rules.
    pub fn read(file: &Path, rules: &[&str]) -> Result<Settings, SettingsError> {
        let is_file = std::fs::metadata(file).map(|found| found.is_file());
        let text = match is_file {
            // A pipe, for example, may have no end.
            Ok(false) => Err(std::io::Error::other("not a regular file")),
            _ => std::fs::read_to_string(file),
        };
        let text = text.map_err(|source| SettingsError::Read { path: file.display().to_string(), source })?;
        Settings::parse(&text, file, rules)
    }

    /// Gives each model and each cut to its pack, at least one of which there is: the one that it names, or the first.
    ///
    /// # Errors
    ///
    /// A model or a cut names another pack, or an effect that its pack does not know.
    pub fn apply(&self, packs: &mut [Pack]) -> Result<(), SettingsError> {
        for TreeModel { functions, effect, reason, level, library, pack } in &self.models {
            let pack = self.pack_in(packs, pack.as_ref())?;
            let Some(known) = pack.words.effect_of(&effect.value) else {
                return Err(self.invalid(effect.line, &pack.words.unknown_effect(&effect.value)));
            };
            let (functions, reason) = (functions.clone(), reason.clone());
            pack.models.push(Model { functions, effect: known, reason, level: *level, library: *library });
        }
        for TreeCut { cut, pack } in &self.cuts {
            self.pack_in(packs, pack.as_ref())?.cuts.push(cut.clone());
        }
        Ok(())
    }

    /// The pack of this name, or the first.
    fn pack_in<'p>(&self, packs: &'p mut [Pack], name: Option<&Valued<String>>) -> Result<&'p mut Pack, SettingsError> {
        let position = match name {
            None => 0,
            Some(Valued { value, line }) => {
                let position = packs.iter().position(|pack| pack.name == *value);
                position.ok_or_else(|| {
                    let names: Vec<String> = packs.iter().map(|pack| format!("`{}`", pack.name)).collect();
                    let message = format!("no pack of this run is named `{value}`; its packs are {}", names.join(", "));
                    self.invalid(*line, &message)
                })?
            }
        };
        Ok(&mut packs[position])
    }

    fn invalid(&self, line: u32, message: &str) -> SettingsError {
        let path = self.file.as_deref().unwrap_or(Path::new(FILE_NAME)).display().to_string();
        SettingsError::Invalid { path, message: format!("{line}: {message}") }
    }

    /// The level of a rule in a file, if the settings have one. The path is relative to the tree's root.
    pub fn level(&self, rule: &str, path: &Path) -> Option<Setting> {
        let is_meant =
            |level: &&LevelOf| level.rule == rule && level.files.as_ref().is_none_or(|files| files.is_match(path));
        self.levels.iter().rev().find(is_meant).map(|level| level.level)
    }
}

impl Setting {
    /// The level of findings; `None` if cowrap does not report them.
    pub fn level(self) -> Option<Level> {
        match self {
            Setting::Error => Some(Level::Error),
            Setting::Warning => Some(Level::Warning),
            Setting::Note => Some(Level::Note),
            Setting::Off => None,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Setting::Error => "error",
            Setting::Warning => "warning",
            Setting::Note => "note",
            Setting::Off => "off",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::written::Written;
    use super::*;

    const RULES: &[&str] = &["inside-call", "mixed-call"];

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("/src/cowrap.toml"), RULES).map_err(|error| error.to_string())
    }

    /// `cowrap config --schema` prints the file; `UPDATE_EXPECT=1` rewrites it.
    #[test]
    fn the_schema_in_the_documentation_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cowrap.schema.json");
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Written)).unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), schema, "UPDATE_EXPECT=1 rewrites it");
    }

    #[test]
    fn values_know_their_lines_and_paths_start_at_the_file() {
        let settings = parse("# a tree\nbuild = \"out\"\npack = \"qemu\"\npaths = [\n  \"block\",\n]\n").unwrap();
        assert_eq!(settings.build, Some(Valued { value: PathBuf::from("/src/out"), line: 2 }));
        assert_eq!(settings.pack, Some(Valued { value: PathBuf::from("qemu"), line: 3 }));
        assert_eq!(settings.paths, Some(Valued { value: vec![PathBuf::from("/src/block")], line: 4 }));
        assert_eq!(parse("pack = \"my.toml\"").unwrap().pack.unwrap().value, Path::new("/src/my.toml"));
    }

    #[test]
    fn of_several_levels_the_last_counts() {
        let text = "[levels]\nmixed-call = \"off\"\n\
                    \"migration/**\" = { mixed-call = \"warn\", inside-call = \"note\" }\n\
                    \"migration/x/**\" = { mixed-call = \"error\" }\n";
        let settings = parse(text).unwrap();
        let level = |rule: &str, path: &str| settings.level(rule, Path::new(path));
        assert_eq!(level("mixed-call", "block/a.c"), Some(Setting::Off));
        assert_eq!(level("mixed-call", "migration/a.c"), Some(Setting::Warning));
        assert_eq!(level("mixed-call", "migration/x/a.c"), Some(Setting::Error));
        assert_eq!(level("inside-call", "migration/x/a.c"), Some(Setting::Note));
        assert_eq!(level("inside-call", "block/a.c"), None);
        // What is written later counts, whatever it is.
        let settings = parse("[levels]\n\"a/*\" = { mixed-call = \"note\" }\nmixed-call = \"off\"\n").unwrap();
        assert_eq!(settings.level("mixed-call", Path::new("a/b.c")), Some(Setting::Off));
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_what_was_meant() {
        for (text, expected) in [
            ("a = 1\n", "/src/cowrap.toml:1: unknown field `a`"),
            ("\nbild = \"x\"\n", "/src/cowrap.toml:2: unknown field `bild`"),
            ("\nbild = \"x\"\n", "did you mean `build`?"),
            ("build = 7", "invalid type"),
            (
                "[levels]\n\ninsid-call = \"off\"\n",
                "/src/cowrap.toml:3: no rule is named `insid-call`; did you mean `inside-call`?",
            ),
            (
                "[levels]\n\"a/**\" = { mixd-call = \"off\" }\n",
                ":2: no rule is named `mixd-call`; did you mean `mixed-call`?",
            ),
            ("[levels]\nmixed-call = \"of\"\n", "did you mean `off`?"),
            ("[levels]\n\"a[\" = { mixed-call = \"off\" }\n", ":2: error parsing glob"),
            ("\nonly = [\"a[\"]\n", ":2: error parsing glob"),
            ("exclude = [\"b\", \"a[\"]\n", ":1: error parsing glob"),
            ("\nenable = [\"no\"]\n", ":2: no rule is named `no`"),
            ("[[generator]]\ninputs = []\n", ":1: missing field `output`"),
            ("[[cut]]\ncaller = \"a\"\ncallee = \"b\"\nreason = \" \"\n", ":1: a cut has no reason"),
            ("build = \"a\"\nbuild = \"b\"\n", ":2: duplicate key"),
            ("[", ":1: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_file_of_a_directory_is_looked_for_up_to_the_top_of_the_working_tree() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::fs::create_dir_all(root.join("tree/.git")).unwrap();
        std::fs::create_dir_all(root.join("tree/a/b")).unwrap();
        std::fs::write(root.join(FILE_NAME), "").unwrap();
        assert_eq!(Settings::find(&root.join("tree/a/b")), None, "it belongs to no other tree");
        std::fs::write(root.join("tree").join(FILE_NAME), "").unwrap();
        assert_eq!(Settings::find(&root.join("tree/a/b")), Some(root.join("tree").join(FILE_NAME)));
    }
}
