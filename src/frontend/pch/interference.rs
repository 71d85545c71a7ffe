//! Whether sharing is harmless: that each file, read before its turn or after it, says what it says in its turn.
//!
//! A precompiled header is read before all else of a unit, and in its own order; without it, its files would be read among
//! others. The tokens that come out of a file depend on what is defined when it is read, and on nothing else but its own
//! text. So two files may change places when neither may define a macro that the other one may ask for, be it by way of
//! other macros. That is all that is shown here; nothing is assumed of the order in which units include.
//!
//! What the tokens mean depends on what is declared. A name that is declared more than once in ways that matter is like a
//! macro that is defined more than once, and what is not declared when it is used is an error, or nearly so.
//!
//! Files do not change places when one of them includes the other before all else of its own text. And what comes before
//! everything in both orders need not be looked at.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use crate::scan::{Guard, IncludeKind, Name, Names, Scan};
use cowrap_base::files::Digest;

use super::cluster::BitSet;
use super::headers::{HeaderId, Headers, Inclusions};

/// What the names of macros begin with that mean the same wherever they are defined: the numbers of the kernel's system calls,
/// which several headers define for those that lack them, and what asks `stddef.h` and its like for something, which they
/// undefine.
const SETTLED: &[&[u8]] = &[b"__NR_", b"__X32_SYSCALL_BIT", b"__need_"];

/// What the names of macros begin with that compilers define, or are: those with parameters are not told from others. What begins
/// with `_` is not in the list. What clang 19 defines for its targets is.
const PREDEFINED: &[&[u8]] = &[
    b"AVR",
    b"MIPSE",
    b"MSP430",
    b"TARGET_OS_",
    b"TARGET_IPHONE",
    b"WIN32",
    b"WIN64",
    b"WINNT",
    b"i386",
    b"linux",
    b"mc68",
    b"mips",
    b"sparc",
    b"sun",
    b"unix",
];

/// Macros that tell where a text is included from.
const PLACED: &[&[u8]] = &[b"__INCLUDE_LEVEL__", b"__BASE_FILE__"];

/// The macro that counts its uses.
const COUNTER: &[u8] = b"__COUNTER__";

/// Names that stand somewhere, each with a line.
pub type Lines = Vec<(Name, u32)>;

/// The macros of all texts, as far as one can lead to another.
#[derive(Debug, Default)]
pub struct Macros {
    /// What the replacements of a macro name.
    bodies: HashMap<Name, Vec<Name>>,
    /// The macros whose replacements name something.
    named_by: HashMap<Name, Vec<Name>>,
    /// The macros that leave the compiler in another state.
    pragmas: HashSet<Name>,
    /// The macros that put names together.
    pastes: HashSet<Name>,
    /// Those that mean the same wherever they are defined.
    settled: HashSet<Name>,
    /// The macros that have parameters wherever they are defined.
    functions: HashSet<Name>,
    /// Those that are defined without, or undefined.
    plain: HashSet<Name>,
    /// All names that lead to what leaves the compiler in another state, or tells where a text is included from.
    leaking: BitSet,
    /// All names that lead to the macro that counts, and that macro.
    counting: BitSet,
    counter: Option<Name>,
    /// All names that lead to what puts names together.
    pasting: BitSet,
    /// What names can be put together of, where they can.
    pieces: Mutex<HashMap<Name, Option<Arc<Pieces>>>>,
    /// All that a macro leads to.
    reached: Mutex<HashMap<Name, Arc<Vec<Name>>>>,
    /// See [`Macros::parts`]; by the digest of the text.
    parts: Mutex<HashMap<Digest, Option<Arc<Parts>>>>,
}

/// All that can come out of a text that puts names together, and the first line that may do so.
type Parts = (BitSet, u32);

/// What a name can be put together of.
#[derive(Debug)]
struct Pieces {
    length: usize,
    /// Parts of the name, sorted, from where to where: names, or what begins with a digit.
    parts: Vec<(usize, usize, Option<Name>)>,
}

impl Pieces {
    fn new(name: Name, names: &Names) -> Option<Pieces> {
        let text = names.text(name);
        let length = text.len();
        let mut ends = vec![false; length + 1];
        ends[0] = true;
        let mut parts = Vec::new();
        for from in 0..length {
            for to in from + 1..=length {
                if !ends[from] || to - from == length {
                    continue;
                }
                // Numbers are not known; as a rule they have no `_`.
                let is_number = text[from].is_ascii_digit() && !text[from..to].contains(&b'_');
                let part = names.find(&text[from..to]);
                if is_number || part.is_some() {
                    parts.push((from, to, part.filter(|_| !is_number)));
                    ends[to] = true;
                }
            }
        }
        ends[length].then_some(Pieces { length, parts })
    }

    /// Whether the whole name can be put together of what is there.
    fn fit(&self, there: &BitSet) -> bool {
        let mut ends = vec![false; self.length + 1];
        ends[0] = true;
        for (from, to, part) in &self.parts {
            ends[*to] |= ends[*from] && part.is_none_or(|part| there.contains(part.index()));
        }
        ends[self.length]
    }
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
        self.pastes.extend(&scan.pastes);
        self.functions.extend(&scan.functions);
        self.plain.extend(plain(scan));
        // What libraries make of their arguments (`G_STRINGIFY`) are warnings.
        if own {
            self.pragmas.extend(&scan.pragmas);
        }
    }

    /// Finds out what follows from all of them, once all are there. `arguments` are those of the units.
    pub fn finish<'a>(&mut self, arguments: impl Iterator<Item = &'a OsString>, names: &Names) {
        let given: HashSet<Name> = arguments.flat_map(|argument| words_of(argument, names)).collect();
        let is_predefined = |name: &Name| {
            let text = names.text(*name);
            text.starts_with(b"_") || PREDEFINED.iter().any(|prefix| text.starts_with(prefix))
        };
        self.functions.retain(|name| !self.plain.contains(name) && !given.contains(name) && !is_predefined(name));
        let (mut leaking, mut counting, mut pasting) = (BitSet::default(), BitSet::default(), BitSet::default());
        let placed = PLACED.iter().filter_map(|name| names.find(name));
        self.extend_to(&mut leaking, self.pragmas.iter().copied().chain(placed));
        self.counter = names.find(COUNTER);
        self.extend_to(&mut counting, self.counter);
        self.extend_to(&mut pasting, self.pastes.iter().copied());
        (self.leaking, self.counting, self.pasting) = (leaking, counting, pasting);
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
    fn extend_to(&self, set: &mut BitSet, names: impl IntoIterator<Item = Name>) {
        let mut open: Vec<Name> = names.into_iter().filter(|name| set.insert(name.index())).collect();
        while let Some(at) = open.pop() {
            let naming = self.named_by.get(&at).into_iter().flatten();
            open.extend(naming.filter(|name| set.insert(name.index())));
        }
    }

    /// Adds to a set all names that can come out of these.
    fn extend_from(&self, set: &mut BitSet, names: impl IntoIterator<Item = Name>) {
        let mut open: Vec<Name> = names.into_iter().filter(|name| set.insert(name.index())).collect();
        while let Some(at) = open.pop() {
            open.extend(self.bodies.get(&at).into_iter().flatten().filter(|name| set.insert(name.index())));
        }
    }

    /// What a name can be put together of, if it can.
    fn pieces(&self, name: Name, names: &Names) -> Option<Arc<Pieces>> {
        if self.pastes.is_empty() {
            return None;
        }
        if let Some(known) = self.pieces.lock().ok().and_then(|known| known.get(&name).cloned()) {
            return known;
        }
        let found = Pieces::new(name, names).map(Arc::new);
        if let Ok(mut known) = self.pieces.lock() {
            known.insert(name, found.clone());
        }
        found
    }

    /// All that can come out of a text that puts names together, and the first line that may do so.
    fn parts(&self, scan: &Scan) -> Option<Arc<Parts>> {
        if let Some(known) = self.parts.lock().ok().and_then(|known| known.get(&scan.content).cloned()) {
            return known;
        }
        let found = self.find_parts(scan).map(Arc::new);
        if let Ok(mut known) = self.parts.lock() {
            known.insert(scan.content, found.clone());
        }
        found
    }

    fn find_parts(&self, scan: &Scan) -> Option<Parts> {
        let pastes = scan.words.iter().filter(|(word, _)| self.pasting.contains(word.index()));
        let line = pastes.map(|(_, line)| *line).min()?;
        let mut parts = BitSet::default();
        self.extend_from(&mut parts, scan.words.iter().map(|(word, _)| *word));
        Some((parts, line))
    }

    /// Whether a word of a text is what it is whatever becomes of a macro by that name: the macro has parameters if it is defined
    /// at all, and no `(` follows the word (C11 6.10.3p10). `unforeseen` are macros of which no more is known.
    fn is_inert(&self, word: Name, scan: &Scan, unforeseen: &HashSet<Name>) -> bool {
        self.functions.contains(&word) && scan.bare.binary_search(&word).is_ok() && !unforeseen.contains(&word)
    }

    fn leaks(&self, scan: &Scan) -> bool {
        // What counts by itself decides what is read.
        let leaks = |word: &Name| self.leaking.contains(word.index()) || Some(*word) == self.counter;
        scan.leaks || scan.open || scan.words.iter().any(|(word, _)| leaks(word))
    }

    /// Whether the text may count.
    pub fn counts(&self, scan: &Scan) -> bool {
        scan.words.iter().any(|(word, _)| self.counting.contains(word.index()))
    }
}

/// What a text may define or undefine, the guard too, with the first line in which it does.
pub fn defines(scan: &Scan) -> impl Iterator<Item = (Name, u32)> {
    let guard = match scan.guard {
        Guard::Macro(name) => Some((name, 1)),
        _ => None,
    };
    scan.defines.iter().copied().chain(guard)
}

/// What a text may define without parameters, or undefine.
fn plain(scan: &Scan) -> impl Iterator<Item = Name> {
    defines(scan).map(|(name, _)| name).filter(|name| scan.functions.binary_search(name).is_err())
}

/// The names that an argument may define.
fn words_of(argument: &OsString, names: &Names) -> Vec<Name> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let words = argument.as_bytes().split(|byte| !is_name(byte));
    let joined = words.clone().filter_map(|word| word.strip_prefix(b"D").or(word.strip_prefix(b"U")));
    words.clone().chain(joined).filter_map(|word| names.find(word)).collect()
}

/// The order in which files are read, as far as it is always the same.
#[derive(Debug)]
pub struct Order<'a> {
    headers: &'a Headers,
    names: &'a Names,
    /// What the precompiled headers included. It depends on nothing but what is looked at here, so it is included in each unit.
    included: &'a Inclusions,
    /// What files define that were read and that the plan does not know.
    unforeseen: &'a HashSet<Name>,
    /// What includes a file, as [`Order::included`] tells.
    includers: HashMap<HeaderId, Vec<(HeaderId, u32)>>,
    reach: RefCell<HashMap<HeaderId, Rc<HashMap<HeaderId, u32>>>>,
    closures: RefCell<HashMap<HeaderId, Rc<BitSet>>>,
    precedes: RefCell<HashMap<(HeaderId, HeaderId), bool>>,
    wholes: RefCell<HashMap<HeaderId, HeaderId>>,
}

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

    /// Whether a file has certainly read another one, whole, before a line of its own text.
    fn has_read(&self, file: HeaderId, line: u32, other: HeaderId) -> bool {
        let known = self.reach.borrow().get(&file).cloned();
        let reach = known.unwrap_or_else(|| {
            let order = self.headers.walk(file, self.included).order;
            let reach = Rc::new(order.into_iter().map(|(number, line, _)| (number, line)).collect());
            self.reach.borrow_mut().insert(file, Rc::clone(&reach));
            reach
        });
        // One that includes this one may be in the middle of that.
        reach.get(&other).is_some_and(|read| *read < line) && !self.leads_to(other, file)
    }

    /// Whether a file may include another one, be it by way of others.
    fn leads_to(&self, file: HeaderId, other: HeaderId) -> bool {
        let known = self.closures.borrow().get(&file).cloned();
        let closure = known.unwrap_or_else(|| {
            let closure = Rc::new(self.headers.closure([file]));
            self.closures.borrow_mut().insert(file, Rc::clone(&closure));
            closure
        });
        closure.contains(other)
    }

    /// Whether a file is read before another one in every unit: by all that may include that one, before they do, or
    /// before they themselves are read.
    fn precedes(&self, one: HeaderId, other: HeaderId) -> bool {
        if let Some(known) = self.precedes.borrow().get(&(one, other)) {
            return *known;
        }
        let is_included = self.includers(other).next().is_some();
        // A circle of files is entered from outside.
        self.precedes.borrow_mut().insert((one, other), is_included);
        let is_before = |(includer, line): &(HeaderId, u32)| {
            *includer == one || self.has_read(*includer, *line, one) || self.precedes(one, *includer)
        };
        // A file does not precede itself, and what it includes it precedes only in part.
        let precedes = one != other && is_included && self.includers(other).all(is_before);
        self.precedes.borrow_mut().insert((one, other), precedes);
        precedes
    }

    /// The file of which a file is a part: it has no guard, and nothing else includes it, be it by way of other parts.
    fn whole(&self, file: HeaderId) -> HeaderId {
        if let Some(known) = self.wholes.borrow().get(&file) {
            return *known;
        }
        self.wholes.borrow_mut().insert(file, file);
        if self.headers.get(file).is_guarded() {
            return file;
        }
        let mut wholes = self.includers(file).map(|(includer, _)| self.whole(*includer));
        let Some(first) = wholes.next().filter(|first| self.headers.get(*first).is_guarded()) else { return file };
        if !wholes.all(|whole| whole == first) {
            return file;
        }
        self.wholes.borrow_mut().insert(file, first);
        first
    }

    fn includers(&self, file: HeaderId) -> impl Iterator<Item = &(HeaderId, u32)> {
        self.headers.get(file).includers.iter().chain(self.includers.get(&file).into_iter().flatten())
    }

    /// Whether a file has certainly been read before a line of another one, or is that one.
    pub fn is_there(&self, file: HeaderId, other: HeaderId, line: u32) -> bool {
        file == other || self.has_read(other, line, file) || self.precedes(file, other)
    }

    /// Whether of two files, the one comes first in every unit as far as these lines are concerned.
    fn is_first(&self, one: HeaderId, other: HeaderId, line: u32) -> bool {
        // What is read again is read behind the other one, too.
        self.headers.get(one).is_guarded() && (self.has_read(other, line, one) || self.precedes(one, other))
    }
}

/// The files of a precompiled header that may change places with others: all but those that come first in any order.
#[derive(Debug, Default)]
pub struct Moved {
    /// The same of the precompiled header below.
    below: Option<Arc<Moved>>,
    /// The files, in the order in which they were read.
    files: Vec<HeaderId>,
    /// The names that the files may ask for.
    asked: BitSet,
    /// The names that lead to what the files may define.
    leading: BitSet,
    /// The files that may define a name, and the first line in which they do.
    definers: HashMap<Name, Vec<(HeaderId, u32)>>,
    /// The same for files that were read before everything, and again: what they define then they have defined before.
    again: HashMap<Name, Vec<(HeaderId, u32)>>,
    /// What the names that they define can be put together of.
    pieces: Vec<(Name, Arc<Pieces>)>,
}

/// A text that may change places with the files of a precompiled header.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a> {
    /// What it says.
    pub scan: &'a Scan,
    /// Its number, if it has one.
    pub number: Option<HeaderId>,
    /// Whether it was read before everything, too; see [`Moved::new`].
    pub is_first: bool,
    /// Names that others declare too, such that it matters who does so first.
    pub declares: &'a [(Name, u32)],
}

/// Why files may not change places: one of them may define what another one may ask for, or leave the compiler in another
/// state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// A file of the precompiled header.
    pub file: Option<HeaderId>,
    /// The other file, if it has a number.
    pub other: Option<HeaderId>,
    /// The macro.
    pub macro_name: Option<Name>,
}

impl Moved {
    /// Files on top of others; and whatever keeps them from changing places.
    ///
    /// Files that are `first` were read before, and are read again, since they have no guard (`stddef.h`, `bits/wordsize.h`).
    /// What these define they have defined before, so it does not matter when they do so again, unless others define it too.
    pub fn new(
        below: Option<Arc<Moved>>,
        files: Vec<HeaderId>,
        first: &BitSet,
        declares: &HashMap<HeaderId, Lines>,
        order: &Order<'_>,
        macros: &Macros,
    ) -> (Moved, Vec<Conflict>) {
        let headers = order.headers;
        let mut moved = Moved { below, files, ..Moved::default() };
        let mut harm = Vec::new();
        for file in &moved.files {
            let scan = &headers.get(*file).scan;
            macros.extend_from(&mut moved.asked, scan.words.iter().map(|(name, _)| *name));
            let definers = if first.contains(*file) { &mut moved.again } else { &mut moved.definers };
            for (name, line) in defines(scan) {
                definers.entry(name).or_default().push((*file, line));
            }
            if macros.leaks(scan) || is_computed(scan) || headers.get(*file).oddity.is_some() {
                harm.push(Conflict { file: Some(*file), other: None, macro_name: None });
            }
        }
        // What is declared below, too, may be declared again only here.
        for (file, names) in declares {
            for (name, line) in names {
                moved.definers.entry(*name).or_default().push((*file, *line));
            }
        }
        macros.extend_to(&mut moved.leading, moved.definers.keys().copied());
        let pieces = |name: &Name| Some((*name, macros.pieces(*name, order.names)?));
        moved.pieces = moved.definers.keys().filter_map(pieces).collect();
        for file in &moved.files {
            let scan = &headers.get(*file).scan;
            let declares = declares.get(file).map(Vec::as_slice).unwrap_or_default();
            let other = Other { scan, number: Some(*file), is_first: first.contains(*file), declares };
            harm.extend(moved.all().flat_map(|moved| moved.harm_of_level(&other, order, macros, true)));
        }
        // What is below is compared with what is declared here.
        for file in declares.keys().filter(|file| !moved.files.contains(file)) {
            let declares = declares.get(file).map(Vec::as_slice).unwrap_or_default();
            let other = Other { scan: &headers.get(*file).scan, number: Some(*file), is_first: false, declares };
            harm.extend(moved.all().flat_map(|moved| moved.harm_of_level(&other, order, macros, true)));
        }
        (moved, harm)
    }

    /// The files of this level.
    pub fn files(&self) -> &[HeaderId] {
        &self.files
    }

    fn all(&self) -> impl Iterator<Item = &Moved> {
        std::iter::successors(Some(self), |moved| moved.below.as_deref())
    }

    /// A reason why the files, or those below them, may not change places with a text that a unit reads behind them; `None`
    /// when they may.
    pub fn harm(&self, other: &Other<'_>, order: &Order<'_>, macros: &Macros) -> Option<Conflict> {
        let is_odd = other.number.is_some_and(|number| order.headers.get(number).oddity.is_some());
        if macros.leaks(other.scan) || is_computed(other.scan) || is_odd {
            return Some(Conflict { file: None, other: other.number, macro_name: None });
        }
        self.all().find_map(|moved| moved.harm_of_level(other, order, macros, false).into_iter().next())
    }

    /// What keeps the files of this level from changing places with a text. Those that are ordered do not: that is the order in
    /// which they were read, which for a text that is not `precompiled` is behind all of these.
    fn harm_of_level(&self, other: &Other<'_>, order: &Order<'_>, macros: &Macros, precompiled: bool) -> Vec<Conflict> {
        let headers = order.headers;
        let mut found = Vec::new();
        let mut compare = |there: HeaderId, line_there: u32, line_here: u32, name: Name| {
            let is_ordered = |here: HeaderId| {
                order.whole(here) == order.whole(there)
                    || order.is_first(there, here, line_here)
                    || (precompiled && order.is_first(here, there, line_there))
            };
            if !other.number.is_some_and(is_ordered) {
                found.push(Conflict { file: Some(there), other: other.number, macro_name: Some(name) });
            }
        };
        let scan_of = |file: HeaderId| &headers.get(file).scan;
        // Whoever has a default for a settled name, is no file of the tree, or only meets the name in what another macro
        // stands for, does not make anything else of it.
        let is_settled_for = |file: Option<HeaderId>, scan: &Scan, name: Name| {
            let is_foreign = file.is_some_and(|file| !headers.get(file).own);
            macros.settled.contains(&name) && (is_foreign || has(&scan.defines, name) || !has(&scan.words, name))
        };
        // The other text may be unforeseen, too.
        let plain: HashSet<Name> = match other.number {
            Some(_) => HashSet::new(),
            None => plain(other.scan).collect(),
        };
        let is_inert =
            |word: Name, scan: &Scan| !plain.contains(&word) && macros.is_inert(word, scan, order.unforeseen);
        // What both define, and what it defines and they ask for.
        for (name, line) in defines(other.scan).chain(other.declares.iter().copied()) {
            let definers = self.definers.get(&name).into_iter().flatten();
            let again = self.again.get(&name).into_iter().flatten().filter(|_| !other.is_first);
            for (definer, there) in definers.chain(again).filter(|_| !macros.settled.contains(&name)) {
                compare(*definer, *there, line, name);
            }
            if other.is_first && !has(other.declares, name) {
                continue;
            }
            let pieces = macros.pieces(name, order.names);
            if !self.asked.contains(name.index()) && pieces.is_none() {
                continue;
            }
            let mut leading = BitSet::default();
            macros.extend_to(&mut leading, [name]);
            for file in self.files.iter().filter(|file| !is_settled_for(Some(**file), scan_of(**file), name)) {
                let scan = scan_of(*file);
                let words = scan.words.iter().filter(|(word, _)| leading.contains(word.index()));
                let words = words.filter(|(word, _)| !is_inert(*word, scan));
                let pasted = pieces.as_ref().and_then(|pieces| {
                    let (parts, line) = &*macros.parts(scan)?;
                    pieces.fit(parts).then_some(*line)
                });
                if let Some(there) = words.map(|(_, line)| *line).chain(pasted).min() {
                    compare(*file, there, line, name);
                }
            }
        }
        // What they define and it asks for.
        let mut asks = |name: Name, line: u32| {
            for (definer, there) in self.definers.get(&name).into_iter().flatten() {
                if !is_settled_for(other.number, other.scan, name) {
                    compare(*definer, *there, line, name);
                }
            }
        };
        let words = other.scan.words.iter().filter(|(word, _)| self.leading.contains(word.index()));
        for (word, line) in words.filter(|(word, _)| !is_inert(*word, other.scan)) {
            macros.reached(*word).iter().for_each(|name| asks(*name, *line));
        }
        if !self.pieces.is_empty()
            && let Some(found) = macros.parts(other.scan)
        {
            let (parts, line) = &*found;
            let fitting = self.pieces.iter().filter(|(_, pieces)| pieces.fit(parts));
            fitting.for_each(|(name, _)| asks(*name, *line));
        }
        found
    }
}

/// Whether a text includes by a macro: that may be anything.
fn is_computed(scan: &Scan) -> bool {
    scan.includes.iter().any(|include| include.kind == IncludeKind::Computed)
}

/// What is declared by precompiled headers that stand on one another: of each, the files and lines of each name.
pub type Declared = HashMap<Name, Vec<(HeaderId, u32)>>;

/// The names of a text that precompiled headers declare, and only such files as need not have been read when they are used; each
/// with one of these. `more` are other declarations. It is not known whether the text speaks of what they declare.
pub fn undeclared(
    scan: &Scan,
    number: Option<HeaderId>,
    precompiled: &[&Declared],
    more: &Declared,
    order: &Order<'_>,
) -> Vec<(Name, HeaderId)> {
    let missing = |(word, line): &(Name, u32)| {
        let declarations = || precompiled.iter().filter_map(|declared| declared.get(word)).flatten();
        let (first, _) = *declarations().next()?;
        let is_there = |(file, _): &(HeaderId, u32)| number.is_some_and(|number| order.is_there(*file, number, *line));
        let mut all = declarations().chain(more.get(word).into_iter().flatten());
        (!all.any(is_there)).then_some((*word, first))
    };
    scan.words.iter().filter_map(missing).collect()
}

/// Whether a name is among sorted ones.
fn has(names: &[(Name, u32)], name: Name) -> bool {
    names.iter().any(|(known, _)| *known == name)
}
