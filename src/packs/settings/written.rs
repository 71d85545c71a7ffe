//! The file as serde reads it, with the positions of values.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use cowrap_report::Level;

use super::super::SlotName;
use super::{GeneratorFiles, Setting};

/// The file as written. Its comments become descriptions in the schema, which tests make.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "cowrap.toml", description = "How cowrap checks this tree"))]
pub(super) struct Written {
    /// Pack: built-in name or file [default: qemu]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pack: Option<Spanned<PathBuf>>,
    /// Packs: built-in names or files, instead of `pack`; queries use the first
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub packs: Option<Spanned<Vec<PathBuf>>>,
    /// Build directory or compile_commands.json [default: ., build/ or the only build*/]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub build: Option<Spanned<PathBuf>>,
    /// Files and directories in which findings are reported [default: all]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub paths: Option<Spanned<Vec<PathBuf>>>,
    /// Patterns of translation units to read; `*` stays within a directory, `**` does not [default: all]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub only: Option<Spanned<Vec<String>>>,
    /// Patterns of translation units not to read, such as those that need a missing library
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub exclude: Option<Spanned<Vec<String>>>,
    /// Opt-in rules to run
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub enable: Option<Spanned<Vec<String>>>,
    /// Baseline: a file of known findings, which are not reported [default: .cowrap-baseline.json at the root]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub baseline: Option<Spanned<PathBuf>>,
    /// Levels of rules: `rule = "level"`, `"pack/rule" = "level"` for the rule of one pack, or `"pattern" = { rule =
    /// "level" }` for matching files; the last match applies
    #[serde(default)]
    pub levels: WrittenLevels,
    /// Inputs and outputs of the wrapper generator, if the build does not state them
    #[serde(default)]
    pub generator: Vec<GeneratorFiles>,
    /// What functions without marks require of their callers
    #[serde(default)]
    pub model: Vec<WrittenModel>,
    /// Calls that call chains do not follow
    #[serde(default)]
    pub cut: Vec<WrittenCut>,
    /// What function pointers without marks require, or make of the functions that are stored there
    #[serde(default)]
    pub slot: Vec<WrittenSlot>,
    /// How much reading the tree may cost; what exceeds a limit is not read
    #[serde(default)]
    pub limits: WrittenLimits,
}

/// How much reading the tree may cost; what exceeds a limit is not read
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Limits"))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLimits {
    /// Processor time for reading one translation unit, in seconds [default: 120]
    #[cfg_attr(test, schemars(with = "Option<NonZeroU32>"))]
    pub time: Option<Spanned<NonZeroU32>>,
    /// Memory for reading one translation unit, in MiB [default: 4096]
    #[cfg_attr(test, schemars(with = "Option<NonZeroU32>"))]
    pub memory: Option<Spanned<NonZeroU32>>,
    /// Length of one source file or header, in MiB [default: 64]
    #[cfg_attr(test, schemars(with = "Option<NonZeroU32>"))]
    pub source: Option<Spanned<NonZeroU32>>,
    /// Depth to which statements and expressions are nested [default: 10000]
    #[cfg_attr(test, schemars(with = "Option<NonZeroU32>"))]
    pub depth: Option<Spanned<NonZeroU32>>,
    /// Number of entries of the compilation database [default: 1000000]
    #[cfg_attr(test, schemars(with = "Option<NonZeroU32>"))]
    pub entries: Option<Spanned<NonZeroU32>>,
    /// Facts of all translation units together, in MiB [default: 8192]
    #[cfg_attr(test, schemars(with = "Option<NonZeroU32>"))]
    pub facts: Option<Spanned<NonZeroU32>>,
}

/// What a pack says of a function pointer without a mark
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Slot"))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSlot {
    /// `Record::field`, `function(2)` for the second parameter, or `typedef Name`
    #[cfg_attr(test, schemars(with = "String"))]
    pub slot: Spanned<SlotName>,
    /// What the slot requires of those who call through it; `entry` if functions that are stored there start inside
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub effect: Option<Spanned<String>>,
    /// The flag that decides: a field of the same record, or a parameter of the same function
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub flag: Option<SlotName>,
    /// The constant that must be among the flag's bits [default: any value but 0 sets the flag]
    pub constant: Option<String>,
    /// The requirement if the flag is set
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub set: Option<Spanned<String>>,
    /// The requirement if the flag is not set
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub unset: Option<Spanned<String>>,
    /// For entries: which of their parameters are never 0, from 1
    #[serde(default)]
    pub nonzero: Vec<u16>,
    /// Whether call chains do not go through the slot
    #[serde(default)]
    pub opaque: bool,
    /// Whether it is the parameter of a library's function: one that the program defines under that name is another
    #[serde(default)]
    pub library: bool,
    /// The reason, for people
    pub reason: Option<String>,
    /// The pack that this is for, by its name [default: the first]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pack: Option<Spanned<String>>,
}

/// What functions without marks require of their callers
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Model"))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenModel {
    /// The functions, by name. `*` stands for any characters, as in `*_from_isr`.
    pub functions: Vec<String>,
    /// What they require of their callers: inside-only, mixed, outside-only, entry, or the pack's own words for these
    #[cfg_attr(test, schemars(with = "String"))]
    pub effect: Spanned<String>,
    /// The reason, for people
    pub reason: String,
    /// The gravest level of findings about these functions; the rule's without it
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub level: Option<Level>,
    /// Whether these are functions of a library: one that the program defines under such a name is another function
    #[serde(default)]
    pub library: bool,
    /// The pack that this is for, by its name [default: the first]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pack: Option<Spanned<String>>,
}

/// A call that call chains do not follow
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Cut"))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCut {
    /// The caller, by name
    pub caller: String,
    /// The callee, by name; also if it is called through a pointer
    pub callee: String,
    /// The reason, for people
    pub reason: String,
    /// The pack that this is for, by its name [default: the first]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pack: Option<Spanned<String>>,
}

/// The table of levels, in the file's order.
#[derive(Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, WrittenLevel>"))]
pub(super) struct WrittenLevels(pub Vec<(Spanned<String>, WrittenLevel)>);

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(untagged))]
pub(super) enum WrittenLevel {
    /// The level of a rule
    Everywhere(Setting),
    /// The levels of rules in files that match
    In(Rules),
}

/// The levels of rules
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Setting>"))]
pub(super) struct Rules(pub Vec<(Spanned<String>, Setting)>);

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

/// The entries of a table, in the file's order.
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
