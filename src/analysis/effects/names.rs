//! What packs say of functions by their names, which may be patterns.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{FunctionId, Program};
use cowrap_facts::{is_pattern, name_matches};
use cowrap_packs::Pack;

/// What a pack says of functions, by their names. An exact name counts before a pattern. Of several exact names, and
/// of several patterns, the last counts: a pack can override the one that it extends.
#[derive(Debug)]
pub(super) struct NameMap<'a, T> {
    exact: FxHashMap<&'a str, Vec<T>>,
    patterns: Vec<(&'a str, T)>,
}

impl<'a, T: Copy> NameMap<'a, T> {
    pub(super) fn new(entries: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let mut names = NameMap { exact: FxHashMap::default(), patterns: Vec::new() };
        for (name, value) in entries {
            match is_pattern(name) {
                true => names.patterns.push((name, value)),
                false => names.exact.entry(name).or_default().push(value),
            }
        }
        names
    }

    /// What counts for a function, of what applies to it.
    pub(super) fn find(&self, name: &str, applies: impl Fn(&T) -> bool) -> Option<T> {
        let by_name = self.exact.get(name).into_iter().flatten().rev().copied();
        let by_pattern = self.patterns.iter().rev().filter(|(pattern, _)| name_matches(pattern, name));
        by_name.chain(by_pattern.map(|(_, value)| *value)).find(applies)
    }
}

/// The functions that a pack lists by name, for each of its lists.
#[derive(Debug, Default)]
pub(super) struct ListedFunctions {
    pub primitives: FxHashSet<FunctionId>,
    pub creators: FxHashSet<FunctionId>,
    pub polling: FxHashSet<FunctionId>,
    pub trampolines: FxHashSet<FunctionId>,
}

impl ListedFunctions {
    pub(super) fn new(program: &Program, pack: &Pack) -> Self {
        let find = |names: &[String]| names.iter().flat_map(|name| functions_named(program, name)).collect();
        ListedFunctions {
            primitives: find(&pack.primitives),
            creators: find(&pack.creators),
            polling: find(&pack.polling),
            trampolines: find(&pack.trampolines),
        }
    }
}

/// The functions of a name, or those whose names a pattern matches.
pub fn functions_named(program: &Program, name: &str) -> Vec<FunctionId> {
    if !is_pattern(name) {
        return program.named(name).collect();
    }
    let named = program.functions.enumerated().filter(|(_, function)| {
        let aliases = function.aliases.iter().map(String::as_str);
        std::iter::once(function.name.as_str()).chain(aliases).any(|function| name_matches(name, function))
    });
    named.map(|(id, _)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_count_before_patterns_and_later_entries_before_earlier_ones() {
        let names = NameMap::new([("a*", 1), ("ab", 2), ("*b", 3), ("ab", 4), ("ac*", 5)]);
        let found = ["ab", "abb", "ac", "a", "c"].map(|name| names.find(name, |_| true));
        assert_eq!(found, [Some(4), Some(3), Some(5), Some(1), None]);
        let found = ["ab", "abb", "ac", "a"].map(|name| names.find(name, |value| *value < 3));
        assert_eq!(found, [Some(2), Some(1), Some(1), Some(1)]);
    }
}
