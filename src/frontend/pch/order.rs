//! In which order files are read, where it is the same in every unit.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::scan::{Name, Names};

use super::bit_set::BitSet;
use super::headers::{HeaderId, Headers, Inclusions};

/// The order in which the files of a group are read, as far as it is always the same.
#[derive(Debug)]
pub struct Order<'a> {
    /// The files.
    pub headers: &'a Headers,
    /// The names in them.
    pub names: &'a Names,
    /// The inclusions that the precompiled headers made. They depend on nothing but what is
    /// certified, so they happen in each unit.
    included: &'a Inclusions,
    /// The macros of files that were read although the plan does not know them.
    pub unforeseen: &'a HashSet<Name>,
    /// The files that include a file, by `included`.
    includers: HashMap<HeaderId, Vec<(HeaderId, u32)>>,
    reach: RefCell<HashMap<HeaderId, Rc<HashMap<HeaderId, u32>>>>,
    closures: RefCell<HashMap<HeaderId, Rc<BitSet>>>,
    precedes: RefCell<HashMap<(HeaderId, HeaderId), bool>>,
    wholes: RefCell<HashMap<HeaderId, HeaderId>>,
}

/// How many parts may be between a part of a file and that file. A compiler follows fewer inclusions.
const MOST_PARTS: usize = 200;

impl<'a> Order<'a> {
    /// The order of files.
    pub fn new(
        headers: &'a Headers,
        names: &'a Names,
        included: &'a Inclusions,
        unforeseen: &'a HashSet<Name>,
    ) -> Self {
        let mut includers: HashMap<HeaderId, Vec<(HeaderId, u32)>> = HashMap::new();
        for (includer, line, file) in included {
            includers.entry(*file).or_default().push((*includer, *line));
        }
        let (reach, closures) = (RefCell::default(), RefCell::default());
        let (precedes, wholes) = (RefCell::default(), RefCell::default());
        Order { headers, names, included, unforeseen, includers, reach, closures, precedes, wholes }
    }

    /// Whether a file has certainly been read before a line of another one, or is that one.
    pub fn is_read_before(&self, file: HeaderId, other: HeaderId, line: u32) -> bool {
        file == other || self.has_read(other, line, file) || self.precedes(file, other)
    }

    /// Whether one file comes before a line of another one in every unit, and is not read again
    /// behind it.
    pub fn is_first(&self, one: HeaderId, other: HeaderId, line: u32) -> bool {
        self.headers.get(one).is_guarded() && (self.has_read(other, line, one) || self.precedes(one, other))
    }

    /// The file of which a file is a part: it has no guard, and only that file includes it,
    /// directly or through other parts.
    pub fn whole(&self, file: HeaderId) -> HeaderId {
        self.whole_of_part(file, 0)
    }

    /// `parts` is how many parts are between the file and the one that was asked for.
    fn whole_of_part(&self, file: HeaderId, parts: usize) -> HeaderId {
        if parts > MOST_PARTS {
            return file;
        }
        if let Some(known) = self.wholes.borrow().get(&file) {
            return *known;
        }
        self.wholes.borrow_mut().insert(file, file);
        if self.headers.get(file).is_guarded() {
            return file;
        }
        let mut wholes = self.includers(file).map(|(includer, _)| self.whole_of_part(*includer, parts + 1));
        let Some(first) = wholes.next().filter(|first| self.headers.get(*first).is_guarded()) else { return file };
        if !wholes.all(|whole| whole == first) {
            return file;
        }
        self.wholes.borrow_mut().insert(file, first);
        first
    }

    /// Whether a file has certainly read another one, whole, before a line of its own text.
    fn has_read(&self, file: HeaderId, line: u32, other: HeaderId) -> bool {
        let known = self.reach.borrow().get(&file).cloned();
        let reach = known.unwrap_or_else(|| {
            let order = self.headers.certain_closure(file, self.included).order;
            let reach = Rc::new(order.into_iter().map(|(number, line, _)| (number, line)).collect());
            self.reach.borrow_mut().insert(file, Rc::clone(&reach));
            reach
        });
        // A file that includes this one may be half read at that line.
        reach.get(&other).is_some_and(|read| *read < line) && !self.leads_to(other, file)
    }

    /// Whether a file may include another one, directly or through others.
    fn leads_to(&self, file: HeaderId, other: HeaderId) -> bool {
        let known = self.closures.borrow().get(&file).cloned();
        let closure = known.unwrap_or_else(|| {
            let closure = Rc::new(self.headers.closure([file]));
            self.closures.borrow_mut().insert(file, Rc::clone(&closure));
            closure
        });
        closure.contains(other)
    }

    /// Whether a file is read before another one in every unit: each file that may include the
    /// other one includes this one first, or comes after this one itself.
    fn precedes(&self, one: HeaderId, other: HeaderId) -> bool {
        if let Some(known) = self.precedes.borrow().get(&(one, other)) {
            return *known;
        }
        let is_included = self.includers(other).next().is_some();
        // Files that include each other in a circle are entered from outside of the circle.
        self.precedes.borrow_mut().insert((one, other), is_included);
        let is_before = |(includer, line): &(HeaderId, u32)| {
            *includer == one || self.has_read(*includer, *line, one) || self.precedes(one, *includer)
        };
        // A file does not precede itself, and only a part of it precedes what it includes.
        let precedes = one != other && is_included && self.includers(other).all(is_before);
        self.precedes.borrow_mut().insert((one, other), precedes);
        precedes
    }

    fn includers(&self, file: HeaderId) -> impl Iterator<Item = &(HeaderId, u32)> {
        self.headers.get(file).includers.iter().chain(self.includers.get(&file).into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pch::testing::Graph;

    #[test]
    fn a_file_comes_first_if_every_includer_of_the_other_includes_it_before() {
        let graph = Graph::new(&[
            ("one.c", "#include \"first.h\"\n#include \"a.h\"\n#include \"b.h\"\n"),
            ("two.c", "#include \"first.h\"\n#include \"b.h\"\n#include \"a.h\"\n"),
            ("first.h", "#pragma once\n"),
            ("a.h", "#pragma once\n#include \"inner.h\"\nint a;\n"),
            ("inner.h", "#pragma once\n"),
            ("b.h", "#pragma once\n"),
        ]);
        let (included, unforeseen) = (Inclusions::new(), HashSet::new());
        let order = Order::new(&graph.headers, graph.names(), &included, &unforeseen);
        let [first, a, inner, b] = ["first.h", "a.h", "inner.h", "b.h"].map(|name| graph.id(name));
        assert!(order.is_read_before(first, a, 1) && order.is_read_before(first, inner, 1));
        assert!(!order.is_read_before(a, b, 1) && !order.is_read_before(b, a, 1));
        assert!(order.is_read_before(inner, a, 3), "its own inclusion comes first");
        assert!(!order.is_read_before(inner, a, 2), "the line of the inclusion itself does not count");
        assert!(order.is_read_before(a, a, 1));
    }

    #[test]
    fn a_file_without_a_guard_is_a_part_of_its_only_includer() {
        let graph = Graph::new(&[
            ("one.c", "#include \"a.h\"\n#include \"b.h\"\n"),
            ("a.h", "#pragma once\n#include \"part.h\"\n#include \"shared.h\"\n"),
            ("b.h", "#pragma once\n#include \"shared.h\"\n"),
            ("part.h", "X(1)\n"),
            ("shared.h", "X(2)\n"),
        ]);
        let (included, unforeseen) = (Inclusions::new(), HashSet::new());
        let order = Order::new(&graph.headers, graph.names(), &included, &unforeseen);
        assert_eq!(order.whole(graph.id("part.h")), graph.id("a.h"));
        assert_eq!(order.whole(graph.id("shared.h")), graph.id("shared.h"));
    }
}
