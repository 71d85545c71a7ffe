//! Which suppression covers a location: found without a look at each of them, since a file can have many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::path::{Path, PathBuf};

use cowrap_csyntax::suppression::Suppression;
use cowrap_report::Span;

/// A suppression: its number, and which of its rules is meant.
pub(crate) type Covering = (usize, usize);

/// The suppressions of all files. Where several cover a location, the first one counts.
pub(crate) struct Suppressions<'c> {
    /// Those of each file, by the name of a rule as the comment has it.
    by_rule: HashMap<&'c str, HashMap<&'c Path, OfFile>>,
    /// The lines with declarations of each function, in files with comments.
    declared: HashMap<&'c str, BTreeMap<PathBuf, Vec<u32>>>,
    /// The suppressions of all of a function, for those that were asked for.
    of_functions: HashMap<(&'c str, PathBuf, String), Option<Covering>>,
}

/// The suppressions of one rule in a file.
struct OfFile {
    /// By the line that they are about.
    lines: Stretches,
    /// By the lines of the declaration that they stand before.
    declarations: Stretches,
}

impl<'c> Suppressions<'c> {
    /// `all` are in the order of their numbers, with their files. `declared` has the lines with declarations of each
    /// function, by file.
    pub(crate) fn new(
        all: &[(&'c Path, &'c Suppression)],
        declared: HashMap<&'c str, BTreeMap<PathBuf, Vec<u32>>>,
    ) -> Suppressions<'c> {
        type Ranges = [Vec<(u32, u32, Covering)>; 2];
        let mut ranges: HashMap<&str, HashMap<&Path, Ranges>> = HashMap::new();
        for (number, (path, suppression)) in all.iter().enumerate() {
            let Some(code) = suppression.code else { continue };
            let (first, last) = suppression.declaration.unwrap_or((code, code));
            for (position, rule) in suppression.rules.iter().enumerate() {
                let [lines, declarations] = ranges.entry(rule).or_default().entry(path).or_default();
                lines.push((first, last, (number, position)));
                if suppression.declaration.is_some() {
                    declarations.push((first, last, (number, position)));
                }
            }
        }
        let of_file = |[lines, declarations]: Ranges| OfFile {
            lines: Stretches::new(lines),
            declarations: Stretches::new(declarations),
        };
        let of_rule = |files: HashMap<&'c Path, Ranges>| {
            files.into_iter().map(|(path, ranges)| (path, of_file(ranges))).collect::<HashMap<_, _>>()
        };
        let by_rule = ranges.into_iter().map(|(rule, files)| (rule, of_rule(files))).collect();
        Suppressions { by_rule, declared, of_functions: HashMap::new() }
    }

    /// The first suppression that covers a location in a function, of those that name the rule in one of these ways.
    pub(crate) fn covering(&mut self, names: &[&str], at: &Span, function: &str) -> Option<Covering> {
        let covering = names.iter().filter_map(|name| {
            let (rule, files) = self.by_rule.get_key_value(*name)?;
            let of_file = files.get(at.path.as_path())?;
            let of_function = self.of_functions.entry((rule, at.path.clone(), function.to_owned()));
            let of_function = *of_function.or_insert_with(|| {
                let lines = self.declared.get(function).and_then(|files| files.get(&at.path));
                lines.into_iter().flatten().filter_map(|line| of_file.declarations.at(*line)).min()
            });
            of_file.lines.at(at.line).into_iter().chain(of_function).min()
        });
        covering.min()
    }
}

/// For each line, the least of the items whose ranges of lines contain it.
struct Stretches(Vec<(u32, Option<Covering>)>);

impl Stretches {
    /// From ranges, each with its first and its last line.
    fn new(mut ranges: Vec<(u32, u32, Covering)>) -> Stretches {
        ranges.sort_unstable();
        // At which lines the least item can change.
        let mut borders: Vec<u32> =
            ranges.iter().flat_map(|(first, last, _)| [*first, last.saturating_add(1)]).collect();
        borders.sort_unstable();
        borders.dedup();
        let mut next = ranges.into_iter().peekable();
        let mut open: BinaryHeap<Reverse<(Covering, u32)>> = BinaryHeap::new();
        let stretches = borders.into_iter().map(|line| {
            while let Some((_, last, item)) = next.next_if(|(first, ..)| *first <= line) {
                open.push(Reverse((item, last)));
            }
            while open.peek().is_some_and(|Reverse((_, last))| *last < line) {
                open.pop();
            }
            (line, open.peek().map(|Reverse((item, _))| *item))
        });
        Stretches(stretches.collect())
    }

    fn at(&self, line: u32) -> Option<Covering> {
        let behind = self.0.partition_point(|(first, _)| *first <= line);
        self.0[behind.checked_sub(1)?].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suppression(rules: &[&str], code: u32, declaration: Option<(u32, u32)>) -> Suppression {
        let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
        Suppression { rules, reason: String::new(), code: Some(code), declaration }
    }

    fn at(path: &str, line: u32) -> Span {
        Span { path: PathBuf::from(path), line, column: 1 }
    }

    #[test]
    fn the_first_suppression_of_the_line_or_of_the_function_counts() {
        let (a, b) = (Path::new("a.c"), Path::new("b.c"));
        let all = [
            suppression(&["y", "x"], 5, None),
            suppression(&["x"], 4, Some((4, 9))),
            suppression(&["p/x"], 1, Some((1, 6))),
            suppression(&["x", "x"], 5, None),
        ];
        let all: Vec<(&Path, &Suppression)> = vec![(a, &all[0]), (a, &all[1]), (a, &all[2]), (b, &all[3])];
        let declared = HashMap::from([("f", BTreeMap::from([(a.to_path_buf(), vec![2, 9])]))]);
        let mut found = Suppressions::new(&all, declared);
        let names = ["x", "p/x"];
        assert_eq!(found.covering(&names, &at("a.c", 5), "g"), Some((0, 1)));
        assert_eq!(found.covering(&names, &at("a.c", 4), "g"), Some((1, 0)));
        assert_eq!(found.covering(&names, &at("a.c", 3), "g"), Some((2, 0)));
        assert_eq!(found.covering(&names, &at("a.c", 10), "g"), None);
        assert_eq!(found.covering(&names, &at("a.c", 90), "f"), Some((1, 0)));
        assert_eq!(found.covering(&["p/x"], &at("a.c", 90), "f"), Some((2, 0)));
        assert_eq!(found.covering(&names, &at("b.c", 5), "f"), Some((3, 0)));
        assert_eq!(found.covering(&["z"], &at("a.c", 5), "f"), None);
    }

    #[test]
    fn many_suppressions_that_overlap_are_searched_in_no_time() {
        let all: Vec<Suppression> = (0..50_000).map(|line| suppression(&["x"], line, Some((line, 50_000)))).collect();
        let path = Path::new("a.c");
        let all: Vec<(&Path, &Suppression)> = all.iter().map(|suppression| (path, suppression)).collect();
        let declared = HashMap::from([("f", BTreeMap::from([(path.to_path_buf(), (10..50_000).collect())]))]);
        let mut found = Suppressions::new(&all, declared);
        for line in 1..50_000 {
            assert_eq!(found.covering(&["x"], &at("a.c", line), "f"), Some((0, 0)));
        }
        assert_eq!(found.covering(&["x"], &at("a.c", 60_000), "f"), Some((0, 0)));
        assert_eq!(found.covering(&["x"], &at("a.c", 60_000), "g"), None);
    }
}
