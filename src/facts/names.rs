//! Names of functions and macros as packs write them. A name may be a pattern, in which `*` stands for any characters,
//! as in `*_from_isr`.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Whether a name is a pattern.
pub fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// Whether a name, which may be a pattern, means what is called `name`.
pub fn name_matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut open) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    // Between the first and the last star, the first place that fits leaves the most for the others.
    for part in middle.split('*') {
        match open.find(part) {
            Some(at) => open = &open[at + part.len()..],
            None => return false,
        }
    }
    open.ends_with(end)
}

/// A list of names, some of which may be patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameSet {
    exact: HashSet<String>,
    /// Sorted, each once.
    patterns: Vec<String>,
}

impl NameSet {
    /// Whether one of the names or patterns means what has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.exact.contains(name) || self.patterns.iter().any(|pattern| name_matches(pattern, name))
    }

    /// The names and patterns, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.exact.iter().chain(&self.patterns).map(String::as_str)
    }
}

impl<'n> FromIterator<&'n String> for NameSet {
    fn from_iter<I: IntoIterator<Item = &'n String>>(names: I) -> Self {
        let (mut patterns, exact): (Vec<String>, Vec<String>) =
            names.into_iter().cloned().partition(|name| is_pattern(name));
        patterns.sort();
        patterns.dedup();
        NameSet { exact: exact.into_iter().collect(), patterns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let matches = [
            ("f", "f"),
            ("*", ""),
            ("*", "f"),
            ("*FromISR", "xQueueSendFromISR"),
            ("*FromISR", "FromISR"),
            ("x*FromISR", "xQueueSendFromISR"),
            ("spin_*_irq*", "spin_lock_irqsave"),
            ("a*b*c", "abc"),
            ("a*b*c", "axbbxcc"),
            ("*a*a*", "aa"),
            ("a**b", "ab"),
        ];
        for (pattern, name) in matches {
            assert!(name_matches(pattern, name), "{pattern} {name}");
        }
        let others = [
            ("f", "g"),
            ("lock", "lock2"),
            ("*FromISR", "FromISRs"),
            ("spin_*_irq*", "spin_irq"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("*aa*a", "aa"),
        ];
        for (pattern, name) in others {
            assert!(!name_matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_set_of_names_has_patterns() {
        let names: NameSet = ["die", "die_*", "die_*"].map(str::to_owned).iter().collect();
        assert!(names.contains("die") && names.contains("die_now") && !names.contains("died"));
        assert_eq!(names.iter().count(), 2);
    }
}
