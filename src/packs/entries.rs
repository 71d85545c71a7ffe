//! The names and patterns in a pack's file, each with its line: for those who compare a pack with a tree.
//!
//! A pack itself does not know the lines of its file, and has the entries of the packs that it extends.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::predicates::Compared;
use super::{Pack, PackError, Predicate, SlotName, builtin};
use cowrap_base::files::Shown;

/// A name or a pattern in a pack's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key that it is written under, such as `predicates` or `mark.name`.
    pub key: String,
    /// The name or pattern, as written.
    pub text: String,
    /// Its line in the file, from 1.
    pub line: u32,
    /// What it names.
    pub names: Names,
    /// Whether a tree may well lack it: functions of a library, which a tree need not call.
    pub is_optional: bool,
}

/// What an entry of a pack names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Files, by a pattern.
    Files(String),
    /// A macro that is a mark.
    Mark(String),
    /// Functions or macros, all of them.
    Words(Vec<String>),
    /// Functions, by a name or a pattern.
    Functions(String),
    /// A function-pointer slot.
    Slot(SlotName),
    /// The calls from one function to another.
    Calls {
        /// The caller, by a name or a pattern.
        caller: String,
        /// The callee, by a name or a pattern.
        callee: String,
    },
}

/// The entries of a pack's own file, in its order. The pack is a built-in name or a file.
///
/// # Errors
///
/// The pack cannot be used.
pub fn entries(path: &Path) -> Result<Vec<Entry>, PackError> {
    // Whatever is wrong with the pack is said here.
    Pack::read(path)?;
    let text = builtin::text(path)?;
    let invalid =
        |error: toml::de::Error| PackError::Invalid { path: path.shown().to_string(), message: error.to_string() };
    let parsed = DeTable::parse(&text).map_err(invalid)?;
    let mut reader = Reader { text: &text, entries: Vec::new() };
    for (key, value) in parsed.get_ref() {
        reader.read(key.get_ref(), value);
    }
    let mut entries = reader.entries;
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

struct Reader<'t> {
    text: &'t str,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    /// Reads what a key of the file has.
    fn read(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        match key {
            "headers" | "generated" => self.names(key, value, false, |text| Some(Names::Files(text.to_owned()))),
            "predicates" => self.names(key, value, false, predicate),
            "primitives" | "creators" | "polling" | "trampolines" | "regions" => self.names(key, value, false, word),
            "noreturn" | "leaves" | "crashes" => self.names(key, value, true, word),
            "workers" | "threads" => self.names(key, value, false, slot),
            "mark" => self.tables(value, |reader, table| {
                reader.field(table, "mark", "name", false, |text| Some(Names::Mark(text.to_owned())));
            }),
            "model" => self.tables(value, |reader, table| {
                let is_library = matches!(table.get("library").map(Spanned::get_ref), Some(DeValue::Boolean(true)));
                reader.field(table, "model", "functions", is_library, |text| Some(Names::Functions(text.to_owned())));
            }),
            "change" => self.tables(value, |reader, table| reader.field(table, "change", "functions", false, word)),
            "slot" => self.tables(value, |reader, table| reader.field(table, "slot", "slot", false, slot)),
            "lock" => self.tables(value, |reader, table| {
                for key in ["acquire", "release", "guards", "types"] {
                    reader.field(table, "lock", key, false, word);
                }
            }),
            "cut" => self.tables(value, |reader, table| {
                let callee = table.get("callee").and_then(|callee| callee.get_ref().as_str()).unwrap_or_default();
                reader.field(table, "cut", "caller", false, |caller| {
                    Some(Names::Calls { caller: caller.to_owned(), callee: callee.to_owned() })
                });
            }),
            _ => {}
        }
    }

    /// Reads each table of an array.
    fn tables(&mut self, value: &Spanned<DeValue<'_>>, mut read: impl FnMut(&mut Self, &DeTable<'_>)) {
        for table in value.get_ref().as_array().into_iter().flatten() {
            if let DeValue::Table(table) = table.get_ref() {
                read(self, table);
            }
        }
    }

    /// Reads the names under a key of a table.
    fn field(
        &mut self,
        table: &DeTable<'_>,
        of: &str,
        key: &str,
        is_optional: bool,
        names: impl Fn(&str) -> Option<Names>,
    ) {
        if let Some(value) = table.get(key) {
            self.names(&format!("{of}.{key}"), value, is_optional, names);
        }
    }

    /// Reads a name, or each name of a list.
    fn names(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        is_optional: bool,
        names: impl Fn(&str) -> Option<Names>,
    ) {
        if let DeValue::Array(array) = value.get_ref() {
            array
                .iter()
                .for_each(|value| self.names(key, value, is_optional, &names as &dyn Fn(&str) -> Option<Names>));
            return;
        }
        let Some(text) = value.get_ref().as_str() else { return };
        if let Some(names) = names(text) {
            let line = self.text.get(..value.span().start).map_or(1, |before| before.matches('\n').count() as u32 + 1);
            self.entries.push(Entry { key: key.to_owned(), text: text.to_owned(), line, names, is_optional });
        }
    }
}

fn word(text: &str) -> Option<Names> {
    Some(Names::Words(vec![text.to_owned()]))
}

fn slot(text: &str) -> Option<Names> {
    SlotName::try_from(text.to_owned()).ok().map(Names::Slot)
}

fn predicate(text: &str) -> Option<Names> {
    let Predicate { name, compared, .. } = Predicate::try_from(text.to_owned()).ok()?;
    let other = match compared {
        Some(Compared::Call(other) | Compared::Name(other)) => Some(other),
        Some(Compared::Number(_)) | None => None,
    };
    Some(Names::Words([Some(name), other].into_iter().flatten().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_line() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("pond.toml");
        let text = "name = \"pond\"\nheaders = [\"a/*.h\"]\npredicates = [\n    \"running\",\n    \"here() == home()\",\n]\n\
                    [[mark]]\nname = \"FIBER\"\neffect = \"inside-only\"\n\n[[model]]\nfunctions = [\"f\", \"g_*\"]\n\
                    effect = \"mixed\"\nreason = \"r\"\nlibrary = true\n\n[[cut]]\ncaller = \"a\"\ncallee = \"b\"\n\
                    reason = \"r\"\n[[slot]]\nslot = \"S::f\"\neffect = \"mixed\"\n";
        std::fs::write(&path, text).unwrap();
        let found = entries(&path).unwrap();
        let shown: Vec<(u32, &str, &str)> =
            found.iter().map(|entry| (entry.line, entry.key.as_str(), entry.text.as_str())).collect();
        let expected = [
            (2, "headers", "a/*.h"),
            (4, "predicates", "running"),
            (5, "predicates", "here() == home()"),
            (8, "mark.name", "FIBER"),
            (12, "model.functions", "f"),
            (12, "model.functions", "g_*"),
            (18, "cut.caller", "a"),
            (22, "slot.slot", "S::f"),
        ];
        assert_eq!(shown, expected);
        assert!(found[4].is_optional && !found[1].is_optional);
        assert_eq!(found[2].names, Names::Words(vec!["here".to_owned(), "home".to_owned()]));
        assert!(!entries(Path::new("qemu")).unwrap().is_empty());
        assert!(entries(Path::new("/no/such/pack")).is_err());
    }
}
