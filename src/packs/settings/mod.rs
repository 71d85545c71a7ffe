//! `cowrap.toml`: the settings of a tree. `docs/config.md` describes it.

mod parse;
mod written;

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_base::files::{Shown, is_below, leads_out, read_text};
use cowrap_base::limits::Limit;
use cowrap_report::Level;

use super::{Cut, Effect, Model, Pack, SlotModel, SlotName};

/// The name of the file.
pub const FILE_NAME: &str = "cowrap.toml";

/// The settings of a tree. Relative paths start from the directory of the file, and patterns are matched from there.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file; `None` for a tree without one.
    pub file: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// The directories below which it may name files to read: that of the file, and what the user adds.
    pub homes: Vec<PathBuf>,
    /// The packs: names of built-in ones, or files; at least one.
    pub packs: Option<Valued<Vec<PathBuf>>>,
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
    /// The patterns of files that have levels of their own.
    patterns: GlobSet,
    /// The inputs and outputs of the wrapper generator.
    pub generators: Vec<GeneratorFiles>,
    /// Models of unmarked functions, in addition to the pack's.
    pub models: Vec<TreeModel>,
    /// Harmless calls, in addition to the pack's.
    pub cuts: Vec<TreeCut>,
    /// Slots without marks, in addition to the pack's.
    pub slots: Vec<TreeSlot>,
    /// Limits that differ from the defaults.
    pub limits: Vec<TreeLimit>,
}

/// A limit in the settings of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimit {
    /// The limit.
    pub limit: Limit,
    /// Its value, in its unit.
    pub value: NonZeroU32,
    /// Its line in the file, from 1.
    pub line: u32,
}

/// How many times its default a limit in the settings can be. The settings come with the tree, which may be a
/// stranger's.
const MOST_RAISED: u64 = 4;

/// What the settings of a tree say of a slot. Its effects are in the words of its pack.
#[derive(Clone, Debug)]
pub struct TreeSlot {
    /// The slot.
    pub slot: Valued<SlotName>,
    /// What it requires, as written.
    pub effect: Option<Valued<String>>,
    /// The flag that decides what it requires.
    pub flag: Option<SlotName>,
    /// The constant among the flag's bits.
    pub constant: Option<String>,
    /// What it requires if the flag is set, as written.
    pub set: Option<Valued<String>>,
    /// What it requires if the flag is not set, as written.
    pub unset: Option<Valued<String>>,
    /// For entries: which of their parameters are never 0, from 1.
    pub nonzero: Vec<u16>,
    /// Whether call chains do not go through the slot.
    pub opaque: bool,
    /// Whether it is the parameter of a library's function.
    pub library: bool,
    /// The reason, for people.
    pub reason: Option<String>,
    /// The name of the pack; the first pack without one.
    pub pack: Option<Valued<String>>,
}

/// The names of a pack's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackRules {
    /// The pack's name.
    pub pack: String,
    /// The names of its rules, as users see them.
    pub rules: Vec<String>,
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
    /// The pack, if the level is for one pack alone.
    pub pack: Option<String>,
    /// The rule.
    pub rule: String,
    /// Its level.
    pub level: Setting,
    /// A pattern of the files; all files without one.
    pub files: Option<String>,
    /// The position of the pattern among all patterns.
    pattern: usize,
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

    /// Reads a file. The names of packs and rules in it are not checked yet: which there are depends on the packs that
    /// the file names ([`Settings::check`]).
    pub fn read(file: &Path) -> Result<Settings, SettingsError> {
        let text = read_text(file).map_err(|source| SettingsError::Read { path: file.shown().to_string(), source })?;
        Settings::parse(&text, file).map_err(|error| match error {
            // A link in a tree may lead to any file, whose text is nobody's business.
            SettingsError::Invalid { path, .. } if leads_out(file) => {
                let message = " not valid settings; it is a link that leads out of the tree, so its text is not quoted";
                SettingsError::Invalid { path, message: message.to_owned() }
            }
            error => error,
        })
    }

    /// Checks that a path in the settings leads to a file below one of their directories.
    ///
    /// # Errors
    ///
    /// It leads elsewhere. `option` is how the user can name it nevertheless.
    pub fn require_own(&self, key: &str, path: &Path, line: u32, option: &str) -> Result<(), SettingsError> {
        if self.homes.is_empty() || is_below(path, &self.homes) {
            return Ok(());
        }
        let shown = path.shown();
        let message =
            format!("`{key}` names {shown}, which is outside of the tree; name it on the command line: {option}");
        Err(self.invalid(line, &message))
    }

    /// Gives each model, each cut and each slot to its pack. `first` is the position of the tree's first pack, for
    /// those that name none. What is for a pack that the run does not use is left out.
    ///
    /// # Errors
    ///
    /// A model or a slot names an effect that its pack does not know, or a slot's keys contradict each other.
    pub fn apply(&self, packs: &mut [Pack], first: Option<usize>) -> Result<(), SettingsError> {
        for TreeModel { functions, effect, reason, level, library, pack } in &self.models {
            let Some(pack) = pack_in(packs, first, pack.as_ref()) else { continue };
            let known = self.effect(pack, effect)?;
            let (functions, reason) = (functions.clone(), reason.clone());
            let model = Model { functions, effect: known, reason, level: *level, library: *library };
            model.validate().map_err(|problem| self.invalid(effect.line, &problem))?;
            pack.models.push(model);
        }
        for TreeCut { cut, pack } in &self.cuts {
            if let Some(pack) = pack_in(packs, first, pack.as_ref()) {
                pack.cuts.push(cut.clone());
            }
        }
        for TreeSlot { slot, effect, flag, constant, set, unset, nonzero, opaque, library, reason, pack } in &self.slots
        {
            let Some(pack) = pack_in(packs, first, pack.as_ref()) else { continue };
            let of = |word: &Option<Valued<String>>| word.as_ref().map(|word| self.effect(pack, word)).transpose();
            let model = SlotModel {
                slot: slot.value.clone(),
                effect: of(effect)?,
                flag: flag.clone(),
                constant: constant.clone(),
                set: of(set)?,
                unset: of(unset)?,
                nonzero: nonzero.clone(),
                opaque: *opaque,
                library: *library,
                reason: reason.clone(),
                is_foreign: false,
            };
            model.validate().map_err(|problem| self.invalid(slot.line, &problem))?;
            pack.slots.push(model);
        }
        Ok(())
    }

    /// The effect that a word of a pack means.
    fn effect(&self, pack: &Pack, word: &Valued<String>) -> Result<Effect, SettingsError> {
        let known = pack.words.effect_of(&word.value);
        known.ok_or_else(|| self.invalid(word.line, &pack.words.unknown_effect(&word.value)))
    }

    fn invalid(&self, line: u32, message: &str) -> SettingsError {
        let path = self.file.as_deref().unwrap_or(Path::new(FILE_NAME)).shown().to_string();
        SettingsError::Invalid { path, message: format!("{line}: {message}") }
    }

    /// The level of a pack's rule in a file, if the settings have one. A rule about comments or the baseline has no
    /// pack. The path is relative to the tree's root.
    pub fn level(&self, pack: Option<&str>, rule: &str, path: &Path) -> Option<Setting> {
        let matching = self.patterns.matches(path);
        let is_meant = |level: &&LevelOf| {
            level.rule == rule
                && level.pack.as_deref().is_none_or(|of| pack == Some(of))
                && (level.files.is_none() || matching.binary_search(&level.pattern).is_ok())
        };
        self.levels.iter().rev().find(is_meant).map(|level| level.level)
    }
}

/// The pack of this name, or that of the position, if the run uses it.
fn pack_in<'p>(packs: &'p mut [Pack], first: Option<usize>, name: Option<&Valued<String>>) -> Option<&'p mut Pack> {
    let position = match name {
        None => first,
        Some(name) => packs.iter().position(|pack| pack.name == name.value),
    };
    packs.get_mut(position?)
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

    fn parse(text: &str) -> Result<Settings, String> {
        let rules = |pack: &str, rules: &[&str]| PackRules {
            pack: pack.to_owned(),
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        };
        let known = [rules("qemu", &["inside-call", "mixed-call"]), rules("pond", &["fiber-call", "mixed-call"])];
        let settings = Settings::parse(text, Path::new("/src/cowrap.toml"));
        let checked = settings.and_then(|settings| settings.check(&known).map(|()| settings));
        let applied = |settings: Settings| settings.apply(&mut [Pack::qemu().unwrap()], Some(0)).map(|()| settings);
        let checked = checked.and_then(applied);
        checked.map_err(|error| error.to_string())
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
        assert_eq!(settings.packs, Some(Valued { value: vec![PathBuf::from("qemu")], line: 3 }));
        assert_eq!(settings.paths, Some(Valued { value: vec![PathBuf::from("/src/block")], line: 4 }));
        assert_eq!(parse("pack = \"my.toml\"").unwrap().packs.unwrap().value, [Path::new("/src/my.toml")]);
        let packs = parse("packs = [\"qemu\", \"my.toml\"]").unwrap().packs.unwrap().value;
        assert_eq!(packs, [Path::new("qemu"), Path::new("/src/my.toml")]);
    }

    #[test]
    fn limits_are_not_far_above_the_defaults() {
        let settings = parse("[limits]\ntime = 480\nmemory = 64\n").unwrap();
        let limits: Vec<_> = settings.limits.iter().map(|set| (set.limit, set.value.get(), set.line)).collect();
        assert_eq!(limits, [(Limit::Time, 480, 2), (Limit::Memory, 64, 3)]);
        let error = parse("[limits]\ntime = 481\n").unwrap_err();
        let expected = ":2: `time` can be at most 480 in a settings file; use the option --limit-time for more";
        assert!(error.ends_with(expected), "{error}");
        assert!(parse("[limits]\ndepth = 0\n").is_err() && parse("[limits]\nspace = 1\n").is_err());
    }

    #[test]
    fn of_several_levels_the_last_counts() {
        let text = "[levels]\nmixed-call = \"off\"\n\
                    \"migration/**\" = { mixed-call = \"warn\", inside-call = \"note\" }\n\
                    \"migration/x/**\" = { mixed-call = \"error\" }\n";
        let settings = parse(text).unwrap();
        let level = |rule: &str, path: &str| settings.level(Some("qemu"), rule, Path::new(path));
        assert_eq!(level("mixed-call", "block/a.c"), Some(Setting::Off));
        assert_eq!(level("mixed-call", "migration/a.c"), Some(Setting::Warning));
        assert_eq!(level("mixed-call", "migration/x/a.c"), Some(Setting::Error));
        assert_eq!(level("inside-call", "migration/x/a.c"), Some(Setting::Note));
        assert_eq!(level("inside-call", "block/a.c"), None);
        // What is written later counts, whatever it is.
        let settings = parse("[levels]\n\"a/*\" = { mixed-call = \"note\" }\nmixed-call = \"off\"\n").unwrap();
        assert_eq!(settings.level(Some("qemu"), "mixed-call", Path::new("a/b.c")), Some(Setting::Off));
    }

    #[test]
    fn a_level_can_be_for_one_pack() {
        let text = "[levels]\nmixed-call = \"note\"\n\"pond/mixed-call\" = \"off\"\n\
                    \"a/**\" = { \"qemu/mixed-call\" = \"error\" }\n";
        let settings = parse(text).unwrap();
        let level = |pack: &str, path: &str| settings.level(Some(pack), "mixed-call", Path::new(path));
        assert_eq!((level("qemu", "b.c"), level("pond", "b.c")), (Some(Setting::Note), Some(Setting::Off)));
        assert_eq!((level("qemu", "a/b.c"), level("pond", "a/b.c")), (Some(Setting::Error), Some(Setting::Off)));
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
                "/src/cowrap.toml:3: no rule of the packs qemu, pond is named `insid-call`; did you mean \
                 `inside-call`?",
            ),
            (
                "[levels]\n\"a/**\" = { mixd-call = \"off\" }\n",
                ":2: no rule of the packs qemu, pond is named `mixd-call`; did you mean `mixed-call`?",
            ),
            ("[levels]\n\"pond/inside-call\" = \"off\"\n", ":2: no rule of the pack pond is named `inside-call`"),
            (
                "[levels]\n\"ponds/fiber-call\" = \"off\"\n",
                ":2: no pack is named `ponds`; the packs are qemu, pond; did you mean `pond`?",
            ),
            ("\npacks = []\n", ":2: `packs` is empty; name a pack or remove the key"),
            ("pack = \"qemu\"\npacks = [\"qemu\"]\n", ":2: both `pack` and `packs` are set; use one of them"),
            (
                "[[model]]\npack = \"lake\"\nfunctions = [\"f\"]\neffect = \"mixed\"\nreason = \"r\"\n",
                ":2: no pack is named `lake`; the packs are qemu, pond",
            ),
            ("[[slot]]\nslot = \"f(1)\"\nset = \"mixed\"\n", ":2: the model of `f(1)` has no `flag`"),
            ("[levels]\nmixed-call = \"of\"\n", "did you mean `off`?"),
            ("[levels]\n\"a[\" = { mixed-call = \"off\" }\n", ":2: error parsing glob"),
            ("\nonly = [\"a[\"]\n", ":2: error parsing glob"),
            ("exclude = [\"b\", \"a[\"]\n", ":1: error parsing glob"),
            ("\nenable = [\"no\"]\n", ":2: no rule of the packs qemu, pond is named `no`"),
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

    #[test]
    fn nested_values_take_no_deep_stack() {
        let texts = [
            format!("paths = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
            format!("[levels]\na = {}{}", "{a = ".repeat(100_000), "}".repeat(100_000)),
            format!("levels{} = \"off\"", ".a".repeat(100_000)),
            format!("[levels{}]", ".a".repeat(100_000)),
            format!("[levels]\n\"{}\" = {{ mixed-call = \"off\" }}", "{".repeat(100_000)),
            format!("[levels]\n\"{}\" = {{ mixed-call = \"off\" }}", "*".repeat(200_000)),
        ];
        let parse_all = move || texts.iter().all(|text| parse(text).is_err());
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(parse_all).unwrap();
        assert!(thread.join().unwrap());
    }
}
