//! How several packs read one body: it is lowered once for each reading that says something of what it names.

use std::ops::BitOrAssign;
use std::rc::Rc;

use rustc_hash::FxHashMap as HashMap;

use crate::clang::{Cursor, CursorKind};
use cowrap_facts::{Body, BodyReading, Location, ReadingId, SlotId, SymbolId, is_pattern, name_matches};

use super::body::Lowering;
use super::cursor_tree::CursorTree;
use super::{Extractor, Reading};

/// A set of readings: a bit for each. Those with high numbers share the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadingSet(u64);

impl ReadingSet {
    const ALL: ReadingSet = ReadingSet(u64::MAX);

    fn of(reading: usize) -> ReadingSet {
        ReadingSet(1 << reading.min(u64::BITS as usize - 1))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of two readings is in the set, so that they may differ.
    fn tells_apart(self, one: usize, other: usize) -> bool {
        self.0 & (ReadingSet::of(one).0 | ReadingSet::of(other).0) != 0
    }
}

impl BitOrAssign for ReadingSet {
    fn bitor_assign(&mut self, other: ReadingSet) {
        self.0 |= other.0;
    }
}

/// For each name that a reading says something of, the readings.
pub(super) struct ReadingNames {
    exact: HashMap<String, ReadingSet>,
    /// The names in which `*` stands for any characters.
    patterns: Vec<(String, ReadingSet)>,
    /// The readings in which it matters how the program ends.
    pub(super) with_crashes: ReadingSet,
    has_several: bool,
    /// Whether a reading has predicates, and whether one has changes.
    pub(super) has_predicates: bool,
    pub(super) has_changes: bool,
}

impl ReadingNames {
    pub(super) fn new(readings: &[Reading]) -> ReadingNames {
        let (mut exact, mut patterns): (HashMap<String, ReadingSet>, _) = (HashMap::default(), Vec::new());
        let mut with_crashes = ReadingSet::default();
        for (number, reading) in readings.iter().enumerate() {
            let set = ReadingSet::of(number);
            if reading.crashes.is_some() {
                with_crashes |= set;
            }
            for name in reading.names() {
                match is_pattern(name) {
                    true => patterns.push((name.to_owned(), set)),
                    false => *exact.entry(name.to_owned()).or_default() |= set,
                }
            }
        }
        ReadingNames {
            exact,
            patterns,
            with_crashes,
            has_several: readings.len() > 1,
            has_predicates: readings.iter().any(|reading| !reading.predicates.is_empty()),
            has_changes: readings.iter().any(|reading| !reading.changes.is_empty()),
        }
    }

    /// The readings that say something of a name.
    pub(super) fn of(&self, name: &str) -> ReadingSet {
        let mut found = self.exact.get(name).copied().unwrap_or_default();
        for (_, set) in self.patterns.iter().filter(|(pattern, _)| name_matches(pattern, name)) {
            found |= *set;
        }
        found
    }
}

impl Reading {
    /// All names of functions and macros that it says something of.
    fn names(&self) -> impl Iterator<Item = &str> {
        let predicates = self.predicates.iter().map(|predicate| &predicate.name);
        let changes = self.changes.iter().map(|change| &change.name);
        let others = [&self.regions, &self.leaves, &self.noreturn];
        predicates.chain(changes).map(String::as_str).chain(others.into_iter().flat_map(|names| names.iter()))
    }
}

impl<'tu> Extractor<'_, 'tu> {
    /// The body of a function or of a block literal, as each pack reads it.
    pub(super) fn body_in_readings(
        &mut self,
        root: Cursor<'tu>,
        result: Option<SlotId>,
        symbol: SymbolId,
        location: Location,
    ) -> Body {
        let tree = Rc::new(self.cursor_tree(root));
        let (mut body, mut mentioned) = Lowering::new(self, Rc::clone(&tree), result, 0).body(symbol, location);
        if !self.reading_names.has_several {
            return body;
        }
        mentioned |= self.mentioned_in_text(&tree);
        let stores = std::mem::take(&mut body.stores);
        let mut readings = Vec::new();
        for number in (1..self.vocabulary.readings.len()).filter(|number| mentioned.tells_apart(0, *number)) {
            let (mut other, _) = Lowering::new(self, Rc::clone(&tree), result, number).body(symbol, location);
            debug_assert!(has_same_calls(&body, &other), "readings of {symbol:?} at {location:?} have different calls");
            other.stores = Vec::new();
            if other != body {
                readings.push(BodyReading { reading: ReadingId(number as u16), body: other });
            }
        }
        Body { stores, readings, ..body }
    }

    /// The readings that say something of a word in a body's text. A macro that tells or changes the context need not
    /// call anything.
    fn mentioned_in_text(&mut self, tree: &CursorTree<'tu>) -> ReadingSet {
        let mut mentioned = ReadingSet::default();
        let statements = tree.of_kind(CursorKind::CompoundStmt);
        let Some(block) = statements.first().map(|block| tree.cursor(*block)) else { return mentioned };
        let (Some(start), Some(end)) = (block.start(), block.end()) else { return ReadingSet::ALL };
        let contents = self.contents(start.file);
        let text = contents.get(start.offset as usize..end.offset as usize);
        // The text of a body out of a macro is elsewhere.
        let Some(text) = text.filter(|text| start.file == end.file && text.starts_with(b"{")) else {
            return ReadingSet::ALL;
        };
        for word in text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').filter(|word| !word.is_empty()) {
            if let Ok(word) = std::str::from_utf8(word) {
                mentioned |= self.reading_names.of(word);
            }
        }
        mentioned
    }
}

/// Whether two readings of a body have the same calls in the same order.
fn has_same_calls(one: &Body, other: &Body) -> bool {
    let calls = |body: &Body| body.calls.iter().map(|call| (call.callee, call.location)).collect::<Vec<_>>();
    let slot_calls = |body: &Body| body.slot_calls.iter().map(|call| (call.slot, call.location)).collect::<Vec<_>>();
    calls(one) == calls(other) && slot_calls(one) == slot_calls(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_found_by_the_names_of_which_they_say_something() {
        let with = |name: &str| Reading { noreturn: [name.to_owned()].iter().collect(), ..Reading::default() };
        let names = ReadingNames::new(&[with("die"), with("die_*"), Reading::default()]);
        assert!(names.of("die").tells_apart(0, 1) && names.of("die").tells_apart(0, 2));
        assert!(!names.of("die_now").tells_apart(0, 2) && names.of("die_now").tells_apart(0, 1));
        assert!(names.of("live").is_empty());
    }
}
