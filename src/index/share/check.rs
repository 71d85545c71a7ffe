//! Whether sharing is harmless: that each file, read before its turn or after it, says what it says in its turn.
//!
//! A precompiled header is read before all else of a unit, and in its own order; without it, its files would be read among
//! others. The tokens that come out of a file depend on what is defined when it is read, and on nothing else but its own
//! text. So two files may change places when neither may define a macro that the other one may ask for, be it by way of
//! other macros. That is all that is shown here; nothing is assumed of the order in which units include.
//!
//! Files do not change places when one of them includes the other before all else of its own text. And what comes before
//! everything in both orders need not be looked at.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use crate::scan::{Name, Names, Scan};

use super::cluster::Set;
use super::headers::{Headers, Inclusions, Number};

/// What the names of macros begin with that mean the same wherever they are defined: the numbers of the kernel's system calls,
/// which several headers define for those that lack them, and what asks `stddef.h` and its like for something, which they
/// undefine.
const SETTLED: &[&[u8]] = &[b"__NR_", b"__X32_SYSCALL_BIT", b"__need_"];

/// The macros of all texts, as far as one can lead to another.
#[derive(Debug, Default)]
pub struct Macros {
    /// What the replacements of a macro name.
    bodies: HashMap<Name, Vec<Name>>,
    /// The macros whose replacements name something.
    named_by: HashMap<Name, Vec<Name>>,
    /// The macros that leave the compiler in another state.
    pragmas: HashSet<Name>,
    /// Those that mean the same wherever they are defined.
    settled: HashSet<Name>,
    /// All that a macro leads to.
    reached: Mutex<HashMap<Name, Arc<Vec<Name>>>>,
}

impl Macros {
    /// Adds those of a text, which may be one of the tree's `own`.
    pub fn add(&mut self, scan: &Scan, own: bool, names: &Names) {
        let is_settled = |name: &Name| SETTLED.iter().any(|prefix| names.text(*name).starts_with(prefix));
        self.settled.extend(scan.defines.iter().map(|(name, _)| *name).filter(is_settled));
        for (name, body) in &scan.bodies {
            let known = self.bodies.entry(*name).or_default();
            let new: Vec<Name> = body.iter().filter(|named| !known.contains(named)).copied().collect();
            known.extend(&new);
            for named in new {
                self.named_by.entry(named).or_default().push(*name);
            }
        }
        // What libraries make of their arguments (`G_STRINGIFY`) are warnings.
        if own {
            self.pragmas.extend(&scan.pragmas);
        }
    }

    /// All names that can come out of a name, itself among them; sorted.
    fn reached(&self, name: Name) -> Arc<Vec<Name>> {
        if let Some(known) = self.reached.lock().ok().and_then(|known| known.get(&name).cloned()) {
            return known;
        }
        let mut found: HashSet<Name> = HashSet::from([name]);
        let mut open = vec![name];
        while let Some(at) = open.pop() {
            open.extend(self.bodies.get(&at).into_iter().flatten().filter(|named| found.insert(**named)));
        }
        let mut found: Vec<Name> = found.into_iter().collect();
        found.sort_unstable();
        let found = Arc::new(found);
        if let Ok(mut known) = self.reached.lock() {
            known.insert(name, Arc::clone(&found));
        }
        found
    }

    /// Adds to a set all names out of which one of these can come.
    fn extend_to(&self, set: &mut Set, names: impl IntoIterator<Item = Name>) {
        let mut open: Vec<Name> = names.into_iter().filter(|name| set.insert(name.index())).collect();
        while let Some(at) = open.pop() {
            let naming = self.named_by.get(&at).into_iter().flatten();
            open.extend(naming.filter(|name| set.insert(name.index())));
        }
    }

    /// Adds to a set all names that can come out of these.
    fn extend_from(&self, set: &mut Set, names: impl IntoIterator<Item = Name>) {
        let mut open: Vec<Name> = names.into_iter().filter(|name| set.insert(name.index())).collect();
        while let Some(at) = open.pop() {
            open.extend(self.bodies.get(&at).into_iter().flatten().filter(|name| set.insert(name.index())));
        }
    }

    /// What a text may define that need not mean the same in another place, with the first line in which it does.
    fn defines<'s>(&'s self, scan: &'s Scan) -> impl Iterator<Item = &'s (Name, u32)> {
        scan.defines.iter().filter(|(name, _)| !self.settled.contains(name))
    }

    fn leaks(&self, scan: &Scan) -> bool {
        scan.leaks || (!self.pragmas.is_empty() && scan.words.iter().any(|(word, _)| self.pragmas.contains(word)))
    }
}

/// The order in which files are read, as far as it is always the same.
#[derive(Debug)]
pub struct Order<'a> {
    headers: &'a Headers,
    /// What the precompiled headers included. It depends on nothing but what is looked at here, so it is included in each unit.
    included: &'a Inclusions,
    reach: RefCell<HashMap<Number, Rc<HashMap<Number, u32>>>>,
    precedes: RefCell<HashMap<(Number, Number), bool>>,
}

impl<'a> Order<'a> {
    /// The order of files.
    pub fn new(headers: &'a Headers, included: &'a Inclusions) -> Self {
        Order { headers, included, reach: RefCell::default(), precedes: RefCell::default() }
    }

    /// Whether a file has certainly read another one before a line of its own text.
    fn has_read(&self, file: Number, line: u32, other: Number) -> bool {
        let known = self.reach.borrow().get(&file).cloned();
        let reach = known.unwrap_or_else(|| {
            let order = self.headers.walk(file, self.included).order;
            let reach = Rc::new(order.into_iter().map(|(number, line, _)| (number, line)).collect());
            self.reach.borrow_mut().insert(file, Rc::clone(&reach));
            reach
        });
        reach.get(&other).is_some_and(|read| *read < line)
    }

    /// Whether a file is read before another one in every unit: by all that may include that one, before they do, or
    /// before they themselves are read.
    fn precedes(&self, one: Number, other: Number) -> bool {
        if let Some(known) = self.precedes.borrow().get(&(one, other)) {
            return *known;
        }
        let includers = &self.headers.get(other).includers;
        // A circle of files is entered from outside.
        self.precedes.borrow_mut().insert((one, other), !includers.is_empty());
        let is_before = |(includer, line): &(Number, u32)| {
            *includer == one || self.has_read(*includer, *line, one) || self.precedes(one, *includer)
        };
        // A file does not precede itself, and what it includes it precedes only in part.
        let precedes = one != other && !includers.is_empty() && includers.iter().all(is_before);
        self.precedes.borrow_mut().insert((one, other), precedes);
        precedes
    }
}

/// The files of a precompiled header that may change places with others: all but those that come first in any order.
#[derive(Debug, Default)]
pub struct Moved {
    /// The same of the precompiled header below.
    below: Option<Arc<Moved>>,
    /// The files, in the order in which they were read.
    files: Vec<Number>,
    /// The names that the files may ask for.
    asked: Set,
    /// The names that lead to what the files may define.
    leading: Set,
    /// The files that may define a name, and the first line in which they do.
    definers: HashMap<Name, Vec<(Number, u32)>>,
}

/// A text that may change places with the files of a precompiled header.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a> {
    /// What it says.
    pub scan: &'a Scan,
    /// Its number, if it has one.
    pub number: Option<Number>,
    /// Whether it was read before everything, too; see [`Moved::new`].
    pub is_first: bool,
}

/// Why files may not change places: one of them may define what another one may ask for, or leave the compiler in another
/// state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Harm {
    /// A file of the precompiled header.
    pub file: Option<Number>,
    /// The other file, if it has a number.
    pub other: Option<Number>,
    /// The macro.
    pub macro_name: Option<Name>,
}

impl Moved {
    /// Files on top of others; and whatever keeps them from changing places.
    ///
    /// Files that are `first` were read before, and are read again, since they have no guard (`stddef.h`, `bits/wordsize.h`).
    /// What these define they have defined before, so it does not matter when they do so again.
    pub fn new(
        below: Option<Arc<Moved>>,
        files: Vec<Number>,
        first: &Set,
        order: &Order<'_>,
        macros: &Macros,
    ) -> (Moved, Vec<Harm>) {
        let headers = order.headers;
        let mut moved = Moved { below, files, ..Moved::default() };
        let mut harm = Vec::new();
        for file in &moved.files {
            let scan = &headers.get(*file).scan;
            macros.extend_from(&mut moved.asked, scan.words.iter().map(|(name, _)| *name));
            if !first.contains(*file) {
                for (name, line) in macros.defines(scan) {
                    moved.definers.entry(*name).or_default().push((*file, *line));
                }
                macros.extend_to(&mut moved.leading, macros.defines(scan).map(|(name, _)| *name));
            }
            if macros.leaks(scan) {
                harm.push(Harm { file: Some(*file), other: None, macro_name: None });
            }
        }
        let mut levels: Vec<&Moved> = moved.all().collect();
        levels.reverse();
        let read = levels.iter().flat_map(|moved| &moved.files).enumerate();
        let positions: HashMap<Number, usize> = read.map(|(position, file)| (*file, position)).collect();
        for file in &moved.files {
            let scan = &headers.get(*file).scan;
            let other = Other { scan, number: Some(*file), is_first: first.contains(*file) };
            // Each of the two comes first here, and does so everywhere.
            let is_ordered = |there: Number| match positions.get(&there) < positions.get(file) {
                true => order.precedes(there, *file),
                false => order.precedes(*file, there),
            };
            harm.extend(moved.all().flat_map(|moved| moved.harm_of_level(&other, order, macros, &is_ordered)));
        }
        (moved, harm)
    }

    fn all(&self) -> impl Iterator<Item = &Moved> {
        std::iter::successors(Some(self), |moved| moved.below.as_deref())
    }

    /// A reason why the files, or those below them, may not change places with a text that a unit reads behind them; `None`
    /// when they may.
    pub fn harm(&self, other: &Other<'_>, order: &Order<'_>, macros: &Macros) -> Option<Harm> {
        if macros.leaks(other.scan) {
            return Some(Harm { file: None, other: other.number, macro_name: None });
        }
        let is_ordered = |there: Number| other.number.is_some_and(|number| order.precedes(there, number));
        self.all().find_map(|moved| moved.harm_of_level(other, order, macros, &is_ordered).into_iter().next())
    }

    /// What keeps the files of this level from changing places with a text. Those that are ordered do not.
    fn harm_of_level(
        &self,
        other: &Other<'_>,
        order: &Order<'_>,
        macros: &Macros,
        is_ordered: &dyn Fn(Number) -> bool,
    ) -> Vec<Harm> {
        let headers = order.headers;
        let mut found = Vec::new();
        let mut compare = |there: Number, line_there: u32, line_here: u32, name: Name| {
            let is_read = |number: Number| {
                number == there || order.has_read(number, line_here, there) || order.has_read(there, line_there, number)
            };
            if !other.number.is_some_and(is_read) && !is_ordered(there) {
                found.push(Harm { file: Some(there), other: other.number, macro_name: Some(name) });
            }
        };
        // What both define, and what it defines and they ask for.
        for (name, line) in macros.defines(other.scan).filter(|_| !other.is_first) {
            for (definer, there) in self.definers.get(name).into_iter().flatten() {
                compare(*definer, *there, *line, *name);
            }
            if !self.asked.contains(name.index()) {
                continue;
            }
            let mut leading = Set::default();
            macros.extend_to(&mut leading, [*name]);
            for file in &self.files {
                let words = headers.get(*file).scan.words.iter();
                let asks = words.filter(|(word, _)| leading.contains(word.index())).map(|(_, line)| *line);
                if let Some(there) = asks.min() {
                    compare(*file, there, *line, *name);
                }
            }
        }
        // What they define and it asks for.
        for (word, line) in other.scan.words.iter().filter(|(word, _)| self.leading.contains(word.index())) {
            for name in macros.reached(*word).iter() {
                for (definer, there) in self.definers.get(name).into_iter().flatten() {
                    compare(*definer, *there, *line, *name);
                }
            }
        }
        found
    }
}
