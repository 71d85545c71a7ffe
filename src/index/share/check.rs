//! Whether sharing is harmless: that each file, read before its turn or after it, says what it says in its turn.
//!
//! A precompiled header is read before all else of a unit, and in its own order; without it, its files would be read among
//! others. The tokens that come out of a file depend on what is defined when it is read, and on nothing else but its own
//! text. So two files may change places when neither may define a macro that the other one may ask for, be it by way of
//! other macros. That is all that is shown here; nothing is assumed of the order in which units include.
//!
//! Files do not change places when one of them includes the other before all else of its own text. And what comes before
//! everything in both orders need not be looked at.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use crate::scan::{Name, Scan};

use super::cluster::Set;
use super::headers::{Headers, Number};

/// The macros of all texts, as far as one can lead to another.
#[derive(Debug, Default)]
pub struct Macros {
    /// What the replacements of a macro name.
    bodies: HashMap<Name, Vec<Name>>,
    /// The macros whose replacements name something.
    named_by: HashMap<Name, Vec<Name>>,
    /// The macros that leave the compiler in another state.
    pragmas: HashSet<Name>,
    /// All that a macro leads to.
    reached: Mutex<HashMap<Name, Arc<Vec<Name>>>>,
}

impl Macros {
    /// Adds those of a text.
    pub fn add(&mut self, scan: &Scan) {
        for (name, body) in &scan.bodies {
            let known = self.bodies.entry(*name).or_default();
            let new: Vec<Name> = body.iter().filter(|named| !known.contains(named)).copied().collect();
            known.extend(&new);
            for named in new {
                self.named_by.entry(named).or_default().push(*name);
            }
        }
        self.pragmas.extend(&scan.pragmas);
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

    fn leaks(&self, scan: &Scan) -> bool {
        scan.leaks || (!self.pragmas.is_empty() && scan.words.iter().any(|(word, _)| self.pragmas.contains(word)))
    }
}

/// The files of a precompiled header that may change places with others: all but those that come first in any order.
#[derive(Debug, Default)]
pub struct Moved {
    /// The same of the precompiled header below.
    below: Option<Arc<Moved>>,
    /// The files.
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
    /// The files that are certainly read with it, and the line at which they have been read.
    pub reach: &'a HashMap<Number, u32>,
    /// Its number, if it has one.
    pub number: Option<Number>,
}

impl Other<'_> {
    /// Whether a file is certainly read before a line.
    fn has_read(&self, file: Number, line: u32) -> bool {
        self.reach.get(&file).is_some_and(|read| *read < line)
    }
}

/// Why files may not change places: one of them may define what another one may ask for, or leave the compiler in another
/// state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Harm {
    /// A file of the precompiled header.
    pub file: Option<Number>,
    /// The macro.
    pub macro_name: Option<Name>,
}

impl Moved {
    /// Files on top of others, sorted; and whatever keeps them from changing places.
    pub fn new(
        below: Option<Arc<Moved>>,
        files: Vec<Number>,
        headers: &Headers,
        macros: &Macros,
    ) -> (Moved, Vec<Harm>) {
        let mut moved = Moved { below, files, ..Moved::default() };
        let mut harm = Vec::new();
        for file in &moved.files {
            let scan = &headers.get(*file).scan;
            for (name, line) in &scan.defines {
                moved.definers.entry(*name).or_default().push((*file, *line));
            }
            macros.extend_from(&mut moved.asked, scan.words.iter().map(|(name, _)| *name));
            macros.extend_to(&mut moved.leading, scan.defines.iter().map(|(name, _)| *name));
            if macros.leaks(scan) {
                harm.push(Harm { file: Some(*file), macro_name: None });
            }
        }
        for file in &moved.files {
            let other = Other { scan: &headers.get(*file).scan, reach: headers.reach(*file), number: Some(*file) };
            harm.extend(moved.all().filter_map(|moved| moved.harm_of_level(&other, headers, macros)));
        }
        (moved, harm)
    }

    fn all(&self) -> impl Iterator<Item = &Moved> {
        std::iter::successors(Some(self), |moved| moved.below.as_deref())
    }

    /// A reason why the files, or those below them, may not change places with another text; `None` when they may.
    pub fn harm(&self, other: &Other<'_>, headers: &Headers, macros: &Macros) -> Option<Harm> {
        if macros.leaks(other.scan) {
            return Some(Harm { file: None, macro_name: None });
        }
        self.all().find_map(|moved| moved.harm_of_level(other, headers, macros))
    }

    /// The same for the files alone.
    fn harm_of_level(&self, other: &Other<'_>, headers: &Headers, macros: &Macros) -> Option<Harm> {
        // Whether a file and the text are always read in the same order, as far as a word of each is concerned.
        let is_ordered = |file: Number, line_there: u32, line_here: u32| {
            let other_is_read =
                |number: Number| headers.reach(file).get(&number).is_some_and(|read| *read < line_there);
            Some(file) == other.number || other.has_read(file, line_here) || other.number.is_some_and(other_is_read)
        };
        // What both define, and what it defines and they ask for.
        for (name, line) in &other.scan.defines {
            for (definer, there) in self.definers.get(name).into_iter().flatten() {
                if !is_ordered(*definer, *there, *line) {
                    return Some(Harm { file: Some(*definer), macro_name: Some(*name) });
                }
            }
            if !self.asked.contains(name.index()) {
                continue;
            }
            let mut leading = Set::default();
            macros.extend_to(&mut leading, [*name]);
            for file in &self.files {
                let words = &headers.get(*file).scan.words;
                let asks = words.iter().filter(|(word, _)| leading.contains(word.index()));
                if asks.map(|(_, line)| *line).min().is_some_and(|there| !is_ordered(*file, there, *line)) {
                    return Some(Harm { file: Some(*file), macro_name: Some(*name) });
                }
            }
        }
        // What they define and it asks for.
        for (word, line) in other.scan.words.iter().filter(|(word, _)| self.leading.contains(word.index())) {
            for name in macros.reached(*word).iter() {
                for (definer, there) in self.definers.get(name).into_iter().flatten() {
                    if !is_ordered(*definer, *there, *line) {
                        return Some(Harm { file: Some(*definer), macro_name: Some(*name) });
                    }
                }
            }
        }
        None
    }
}
