//! The text of a pack as TOML, with the places of its values.

use std::borrow::Cow;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::{PackError, Words};
use cowrap_base::files::Shown;

/// The text of a pack.
pub(super) struct Document<'t> {
    text: &'t str,
    origin: &'t Path,
    root: Spanned<DeTable<'t>>,
}

/// A text in the file, with its key.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// Where the key is, in bytes.
    pub(super) key_offset: usize,
    /// Where the value's first character is. `None` if bytes of the value are not those of the file.
    content_offset: Option<usize>,
    /// Where the value is.
    pub(super) value_offset: usize,
}

impl Entry {
    /// Where a byte of the value is in the file; for one with escapes, where the value is.
    pub(super) fn offset(&self, within: usize) -> usize {
        self.content_offset.map_or(self.value_offset, |content| content + within)
    }
}

/// The keys of entries that have effects: the list, perhaps a table in each of its entries, and the key.
const EFFECTS: &[(&str, Option<&str>, &str)] = &[
    ("mark", None, "effect"),
    ("mark", Some("wrapper"), "calls"),
    ("model", None, "effect"),
    ("slot", None, "effect"),
    ("slot", None, "set"),
    ("slot", None, "unset"),
];

impl<'t> Document<'t> {
    pub(super) fn parse(text: &'t str, origin: &'t Path) -> Result<Document<'t>, PackError> {
        let root = DeTable::parse(text)
            .map_err(|error| PackError::Invalid { path: origin.shown().to_string(), message: error.to_string() })?;
        Ok(Document { text, origin, root })
    }

    /// The file.
    pub(super) fn origin(&self) -> &'t Path {
        self.origin
    }

    /// An error at an offset.
    pub(super) fn error(&self, offset: usize, message: impl Into<String>) -> PackError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        PackError::Invalid { path: format!("{}:{line}:{column}", self.origin.shown()), message: message.into() }
    }

    /// The value of a top-level key.
    fn value(&self, key: &str) -> Option<&Spanned<DeValue<'t>>> {
        find(self.root.get_ref(), key)
    }

    /// The text of a top-level key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.get_ref().as_str()
    }

    /// The texts of a top-level table, in the order of their keys. Values of other types are left to
    /// [`read`](Self::read).
    pub(super) fn texts(&self, table: &str) -> Vec<Entry> {
        let table = self.value(table).and_then(|value| value.get_ref().as_table());
        let entries = table.into_iter().flatten();
        entries.filter_map(|(key, value)| self.entry(key, value)).collect()
    }

    /// The texts of the tables of a top-level table, as of `[rule.inside-call]`: the key, its offset, and the texts.
    pub(super) fn tables(&self, table: &str) -> Vec<(String, usize, Vec<Entry>)> {
        let table = self.value(table).and_then(|value| value.get_ref().as_table());
        let entries = table.into_iter().flatten().filter_map(|(key, value)| {
            let texts = value.get_ref().as_table()?.iter().filter_map(|(key, value)| self.entry(key, value));
            Some((key.get_ref().to_string(), key.span().start, texts.collect()))
        });
        entries.collect()
    }

    /// Where an entry of a top-level list is.
    pub(super) fn place(&self, list: &str, index: usize) -> usize {
        let entries = self.value(list).and_then(|value| value.get_ref().as_array());
        entries.and_then(|entries| entries.get(index)).map_or(0, |entry| entry.span().start)
    }

    /// Where a top-level key has its value.
    pub(super) fn place_of(&self, key: &str) -> usize {
        self.value(key).map_or(0, |value| value.span().start)
    }

    fn entry(&self, key: &Spanned<Cow<'t, str>>, value: &Spanned<DeValue<'t>>) -> Option<Entry> {
        let text = value.get_ref().as_str()?;
        let span = value.span();
        let written = self.text.get(span.clone()).unwrap_or_default();
        let content = written.find(text).map(|within| span.start + within);
        Some(Entry {
            key: key.get_ref().to_string(),
            value: text.to_owned(),
            key_offset: key.span().start,
            content_offset: content,
            value_offset: span.start,
        })
    }

    /// Replaces the pack's own words for effects by the general ones.
    pub(super) fn translate_effects(&mut self, words: &Words) -> Result<(), PackError> {
        let mut unknown = None;
        for (list, inner, key) in EFFECTS {
            let entries = find_mut(self.root.get_mut(), list).and_then(|list| match list.get_mut() {
                DeValue::Array(entries) => Some(entries),
                _ => None,
            });
            for entry in entries.into_iter().flat_map(|entries| entries.iter_mut()) {
                let table = match inner {
                    Some(inner) => as_table(entry).and_then(|table| as_table(find_mut(table, inner)?)),
                    None => as_table(entry),
                };
                let Some(value) = table.and_then(|table| find_mut(table, key)) else { continue };
                let offset = value.span().start;
                let DeValue::String(word) = value.get_mut() else { continue };
                match words.effect_of(word) {
                    Some(effect) => *word = Cow::Borrowed(effect.name()),
                    None => unknown = unknown.or_else(|| Some((offset, words.unknown_effect(word)))),
                }
            }
        }
        match unknown {
            Some((offset, message)) => Err(self.error(offset, message)),
            None => Ok(()),
        }
    }

    /// The whole document as a value.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, PackError> {
        T::deserialize(Deserializer::from(self.root.clone())).map_err(|mut error| {
            error.set_input(Some(self.text));
            PackError::Invalid { path: self.origin.shown().to_string(), message: error.to_string() }
        })
    }
}

fn find<'v, 't>(table: &'v DeTable<'t>, key: &str) -> Option<&'v Spanned<DeValue<'t>>> {
    table.iter().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value)
}

fn find_mut<'v, 't>(table: &'v mut DeTable<'t>, key: &str) -> Option<&'v mut Spanned<DeValue<'t>>> {
    table.iter_mut().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value)
}

fn as_table<'v, 't>(value: &'v mut Spanned<DeValue<'t>>) -> Option<&'v mut DeTable<'t>> {
    match value.get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}
