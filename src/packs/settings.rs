//! `cowrap.toml`: the settings of a tree. `docs/config.md` describes it.

use std::fmt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;
use toml::Spanned;

use cowrap_report::Level;

use super::nearest::{hint, nearest};
use super::{Cut, Model};

/// The name of the file.
pub const FILE_NAME: &str = "cowrap.toml";

/// The settings of a tree. Relative paths start from the directory of the file, and patterns are matched from there.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file; none for a tree that has none.
    pub file: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// What the code base calls things: a built-in pack's name, or a file.
    pub pack: Option<Valued<PathBuf>>,
    /// The build directory, or its compilation database.
    pub build: Option<Valued<PathBuf>>,
    /// Where findings are reported; everywhere when there is none.
    pub paths: Option<Valued<Vec<PathBuf>>>,
    /// Which units are read, by patterns.
    pub only: Option<Valued<Vec<String>>>,
    /// Which of those are not, by patterns.
    pub exclude: Option<Valued<Vec<String>>>,
    /// The rules that run though they do not by themselves.
    pub enable: Option<Valued<Vec<String>>>,
    /// The file of findings that are known and not reported.
    pub baseline: Option<Valued<PathBuf>>,
    /// The levels of rules, in the order in which they are written: a later one counts.
    pub levels: Vec<LevelOf>,
    /// The generators of wrappers.
    pub generators: Vec<GeneratorFiles>,
    /// What is known of functions without marks, beside what the pack knows.
    pub models: Vec<Model>,
    /// Calls that are known to do no harm, beside those of the pack.
    pub cuts: Vec<Cut>,
}

/// A value, and the line in which it is written.
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
    /// The files, by a pattern; all when there is none.
    pub files: Option<GlobMatcher>,
    /// The line in which it is written, from 1.
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
    /// It is not what it must be; the message says where.
    #[error("{path}:{message}")]
    Invalid {
        /// The file.
        path: String,
        /// The line, and what is wrong there.
        message: String,
    },
}

/// The file as written. Its comments become descriptions in the schema, which tests make.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "cowrap.toml", description = "How cowrap checks this tree"))]
struct Written {
    /// Pack: built-in name or file [default: qemu]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pack: Option<Spanned<PathBuf>>,
    /// Build directory or compile_commands.json [default: ., build/ or the only build*/]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    build: Option<Spanned<PathBuf>>,
    /// Files and directories in which findings are reported [default: all]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    paths: Option<Spanned<Vec<PathBuf>>>,
    /// Patterns of translation units to read; `*` stays within a directory, `**` does not [default: all]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    only: Option<Spanned<Vec<String>>>,
    /// Patterns of translation units not to read, such as those that need a missing library
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    exclude: Option<Spanned<Vec<String>>>,
    /// Opt-in rules to run
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    enable: Option<Spanned<Vec<String>>>,
    /// Baseline: a file of known findings, which are not reported [default: .cowrap-baseline.json at the root, if present]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    baseline: Option<Spanned<PathBuf>>,
    /// Levels of rules: `rule = "level"`, or `"pattern" = { rule = "level" }` for files that match; the last match applies
    #[serde(default)]
    levels: WrittenLevels,
    /// Inputs and outputs of the wrapper generator, if the build does not state them
    #[serde(default)]
    generator: Vec<GeneratorFiles>,
    /// What functions without marks require of their callers
    #[serde(default)]
    model: Vec<Model>,
    /// Calls that call chains do not follow
    #[serde(default)]
    cut: Vec<Cut>,
}

/// The table of levels, in the order in which it is written.
#[derive(Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, WrittenLevel>"))]
struct WrittenLevels(Vec<(Spanned<String>, WrittenLevel)>);

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(untagged))]
enum WrittenLevel {
    /// The level of a rule
    Everywhere(Setting),
    /// The levels of rules in files that match
    In(Rules),
}

/// The levels of rules
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Setting>"))]
struct Rules(Vec<(Spanned<String>, Setting)>);

impl<'de> Deserialize<'de> for WrittenLevels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pairs(deserializer, "a table of levels").map(WrittenLevels)
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pairs(deserializer, "a table of levels").map(Rules)
    }
}

impl<'de> Deserialize<'de> for WrittenLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = WrittenLevel;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a level (error, warning, note, off), or a table of rules and levels for a pattern of files",
                )
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<WrittenLevel, E> {
                Setting::deserialize(serde::de::value::StrDeserializer::new(word)).map(WrittenLevel::Everywhere)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenLevel, A::Error> {
                Rules::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(WrittenLevel::In)
            }
        }
        deserializer.deserialize_any(Level)
    }
}

/// The entries of a table, in the order in which they are written.
fn pairs<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Vec<(Spanned<String>, V)>, D::Error> {
    struct Pairs<V>(&'static str, std::marker::PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
        type Value = Vec<(Spanned<String>, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs(expected, std::marker::PhantomData))
}

impl Settings {
    /// The file that counts in a directory: its own, or that of the next directory above that has one. The search ends at the
    /// top of a git working tree.
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
            // What is no file, such as a pipe, could have no end.
            Ok(false) => Err(std::io::Error::other("it is no file")),
            _ => std::fs::read_to_string(file),
        };
        let text = text.map_err(|source| SettingsError::Read { path: file.display().to_string(), source })?;
        Settings::parse(&text, file, rules)
    }

    /// Takes a text apart that is said to be in a file.
    pub fn parse(text: &str, file: &Path, rules: &[&str]) -> Result<Settings, SettingsError> {
        let line = |offset: usize| text.get(..offset).map_or(1, |before| before.matches('\n').count() as u32 + 1);
        let invalid = |offset: usize, message: &str| {
            let (path, message) = (file.display().to_string(), format!("{}: {message}", line(offset)));
            SettingsError::Invalid { path, message }
        };
        let written: Written = toml::from_str(text).map_err(|error| {
            let message = error.message();
            invalid(error.span().map_or(0, |span| span.start), &format!("{}{}", message.trim_end(), hint(message)))
        })?;
        let directory = file.parent().unwrap_or(Path::new("."));
        fn value<T, U>(
            written: Option<Spanned<T>>,
            line: impl Fn(usize) -> u32,
            make: impl FnOnce(T) -> U,
        ) -> Option<Valued<U>> {
            written.map(|spanned| Valued { line: line(spanned.span().start), value: make(spanned.into_inner()) })
        }
        let vet = |name: &str, offset: usize| match rules.contains(&name) {
            true => Ok(()),
            false => {
                let nearest = nearest(name, rules.iter().copied()).map(|rule| format!("; did you mean `{rule}`?"));
                Err(invalid(offset, &format!("there is no rule `{name}`{}", nearest.unwrap_or_default())))
            }
        };
        if let Some(enable) = &written.enable {
            enable.get_ref().iter().try_for_each(|rule| vet(rule, enable.span().start))?;
        }
        let glob = |pattern: &str, offset: usize| {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            glob.map_err(|error| invalid(offset, &error.to_string()))
        };
        for patterns in written.only.iter().chain(&written.exclude) {
            patterns.get_ref().iter().try_for_each(|pattern| glob(pattern, patterns.span().start).map(|_| ()))?;
        }
        let mut levels = Vec::new();
        for (key, level) in &written.levels.0 {
            match level {
                WrittenLevel::Everywhere(level) => {
                    vet(key.get_ref(), key.span().start)?;
                    let (rule, line) = (key.get_ref().clone(), line(key.span().start));
                    levels.push(LevelOf { rule, level: *level, files: None, line });
                }
                WrittenLevel::In(Rules(of)) => {
                    let files = glob(key.get_ref(), key.span().start)?.compile_matcher();
                    for (rule, level) in of {
                        vet(rule.get_ref(), rule.span().start)?;
                        let (rule, line) = (rule.get_ref().clone(), line(rule.span().start));
                        levels.push(LevelOf { rule, level: *level, files: Some(files.clone()), line });
                    }
                }
            }
        }
        for (table, reason) in written
            .model
            .iter()
            .map(|model| ("model", &model.reason))
            .chain(written.cut.iter().map(|cut| ("cut", &cut.reason)))
        {
            if reason.trim().is_empty() {
                let offset = text.find(&format!("[[{table}]]")).unwrap_or(0);
                return Err(invalid(offset, &format!("a {table} has no reason; say why it is so")));
            }
        }
        let generators = written.generator.into_iter().map(|files| GeneratorFiles {
            inputs: files.inputs.iter().map(|input| directory.join(input)).collect(),
            output: directory.join(files.output),
        });
        // A pack is a built-in one by its name, and else a file.
        let pack = |pack: PathBuf| if super::is_builtin(&pack) { pack } else { directory.join(pack) };
        Ok(Settings {
            file: Some(file.to_path_buf()),
            text: text.to_owned(),
            pack: value(written.pack, line, pack),
            build: value(written.build, line, |build| directory.join(build)),
            paths: value(written.paths, line, |paths| paths.iter().map(|path| directory.join(path)).collect()),
            only: value(written.only, line, |only| only),
            exclude: value(written.exclude, line, |exclude| exclude),
            enable: value(written.enable, line, |enable| enable),
            baseline: value(written.baseline, line, |baseline| directory.join(baseline)),
            levels,
            generators: generators.collect(),
            models: written.model,
            cuts: written.cut,
        })
    }

    /// How findings of a rule are reported in a file, if it is said; the path is relative to the tree's root.
    pub fn level(&self, rule: &str, path: &Path) -> Option<Setting> {
        let is_meant =
            |level: &&LevelOf| level.rule == rule && level.files.as_ref().is_none_or(|files| files.is_match(path));
        self.levels.iter().rev().find(is_meant).map(|level| level.level)
    }
}

impl Setting {
    /// The level of findings; none when they are not reported.
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
    use super::*;

    const RULES: &[&str] = &["coroutine-call", "mixed-call"];

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
        let text = "[levels]\nmixed-call = \"off\"\n\"migration/**\" = { mixed-call = \"warn\", coroutine-call = \"note\" }\n\
                    \"migration/x/**\" = { mixed-call = \"error\" }\n";
        let settings = parse(text).unwrap();
        let level = |rule: &str, path: &str| settings.level(rule, Path::new(path));
        assert_eq!(level("mixed-call", "block/a.c"), Some(Setting::Off));
        assert_eq!(level("mixed-call", "migration/a.c"), Some(Setting::Warning));
        assert_eq!(level("mixed-call", "migration/x/a.c"), Some(Setting::Error));
        assert_eq!(level("coroutine-call", "migration/x/a.c"), Some(Setting::Note));
        assert_eq!(level("coroutine-call", "block/a.c"), None);
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
                "[levels]\n\ncoroutin-call = \"off\"\n",
                "/src/cowrap.toml:3: there is no rule `coroutin-call`; did you mean `coroutine-call`?",
            ),
            (
                "[levels]\n\"a/**\" = { mixd-call = \"off\" }\n",
                ":2: there is no rule `mixd-call`; did you mean `mixed-call`?",
            ),
            ("[levels]\nmixed-call = \"of\"\n", "did you mean `off`?"),
            ("[levels]\n\"a[\" = { mixed-call = \"off\" }\n", ":2: error parsing glob"),
            ("\nonly = [\"a[\"]\n", ":2: error parsing glob"),
            ("exclude = [\"b\", \"a[\"]\n", ":1: error parsing glob"),
            ("\nenable = [\"no\"]\n", ":2: there is no rule `no`"),
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
