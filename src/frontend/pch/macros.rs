//! The macros of all texts of a plan, and which of them can lead to which other ones.
//!
//! No macro is expanded. A macro "leads to" every name in any of its replacement lists, and to what
//! these lead to.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;

use crate::scan::{Guard, Name, Names, PastedForm, Scan};
use cowrap_base::files::Digest;

use super::bit_set::BitSet;

/// How the names of macros begin that mean the same wherever they are defined: the numbers of the
/// kernel's system calls, which several headers define when they are missing, and requests to
/// `stddef.h` and similar headers, which undefine them.
const SETTLED: &[&[u8]] = &[b"__NR_", b"__X32_SYSCALL_BIT", b"__need_"];

/// How the names of macros begin that compilers may predefine, with or without parameters. Names
/// that begin with `_` are not listed. The list has what clang 19 defines for its targets.
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

/// Macros whose value depends on the file that includes a text.
const PLACE_DEPENDENT: &[&[u8]] = &[b"__INCLUDE_LEVEL__", b"__BASE_FILE__"];

/// The macro that counts its uses.
const COUNTER: &[u8] = b"__COUNTER__";

/// The macros of all texts.
#[derive(Debug, Default)]
pub struct Macros {
    /// The names in the replacement lists of a macro.
    bodies: HashMap<Name, Vec<Name>>,
    /// The macros that have a name in a replacement list.
    named_by: HashMap<Name, Vec<Name>>,
    /// The macros that leave the compiler in another state.
    pragmas: HashSet<Name>,
    /// The macros that paste names together, and the forms of these names.
    pastes: HashMap<Name, Vec<PastedForm>>,
    /// The macros that are defined in one way wherever they are defined, and never undefined, each
    /// with a digest of the definition; `None` for other macros.
    uniform: HashMap<Name, Option<Digest>>,
    /// The macros that some text defines or undefines.
    defined: HashSet<Name>,
    /// Their texts, once all are known: sorted, and backwards and sorted.
    sorted: Vec<(Arc<[u8]>, Name)>,
    backwards: Vec<(Vec<u8>, Name)>,
    /// Those that can be pasted together, and what from; found when they are first asked for.
    parts: OnceLock<Parts>,
    /// The macros that mean the same wherever they are defined.
    settled: HashSet<Name>,
    /// The macros that have parameters wherever they are defined.
    functions: HashSet<Name>,
    /// The macros that some text defines without parameters, or undefines.
    plain: HashSet<Name>,
    /// All names that lead to a macro of `pragmas` or of [`PLACE_DEPENDENT`].
    leaking: BitSet,
    /// All names that lead to `__COUNTER__`, and that name.
    counting: BitSet,
    counter: Option<Name>,
    /// All names that lead to a macro of `pastes`.
    pasting: BitSet,
    /// All names that a macro leads to; found when they are first asked for.
    reached: Mutex<HashMap<Name, Arc<Vec<Name>>>>,
    /// See [`Macros::pastable`]; by the digest of the text.
    pastable: Mutex<HashMap<Digest, Option<Arc<Pastable>>>>,
}

/// What a text that pastes names together can paste.
#[derive(Debug)]
pub struct Pastable {
    /// The macros whose names it may paste together.
    pub macros: BitSet,
    /// The first line that may paste.
    pub line: u32,
    /// All names that it can lead to, those of macros that it pastes included.
    pub reached: BitSet,
    /// The forms of the names that it pastes.
    forms: BTreeSet<PastedForm>,
}

/// A longer name may be pasted together from anything: looking for its parts would take long.
const LONGEST_PASTED: usize = 300;

/// The macros that can be pasted together.
#[derive(Debug)]
struct Parts {
    all: Vec<(Name, NameParts)>,
    /// The position of each in `all`.
    positions: FxHashMap<Name, usize>,
}

/// What a name can be pasted together from.
#[derive(Debug)]
pub struct NameParts {
    length: usize,
    /// Parts of the name, sorted by where they begin and end: names, or `None` for a number.
    parts: Vec<(usize, usize, Option<Name>)>,
}

impl NameParts {
    /// The parts of a name, whose names are found with `find`.
    fn new(text: &[u8], find: &dyn Fn(&[u8]) -> Option<Name>) -> Option<NameParts> {
        let length = text.len();
        if length > LONGEST_PASTED {
            return Some(NameParts { length, parts: Vec::new() });
        }
        let mut ends = vec![false; length + 1];
        ends[0] = true;
        let mut parts = Vec::new();
        for from in 0..length {
            if !ends[from] {
                continue;
            }
            for to in from + 1..=length {
                if to - from == length {
                    continue;
                }
                // The scan does not record numbers. As a rule they have no `_`.
                let is_number = text[from].is_ascii_digit() && !text[from..to].contains(&b'_');
                let part = find(&text[from..to]);
                if is_number || part.is_some() {
                    parts.push((from, to, part.filter(|_| !is_number)));
                    ends[to] = true;
                }
            }
        }
        ends[length].then_some(NameParts { length, parts })
    }

    /// Whether the whole name can be pasted together from these names.
    pub fn can_be_pasted_from(&self, names: &BitSet) -> bool {
        let mut ends = [false; LONGEST_PASTED + 1];
        if self.length > LONGEST_PASTED {
            return true;
        }
        ends[0] = true;
        for (from, to, part) in &self.parts {
            ends[*to] |= ends[*from] && part.is_none_or(|part| names.contains(part.index()));
        }
        ends[self.length]
    }
}

impl Macros {
    /// Adds the macros of a text, which may be one of the tree's `own`.
    pub fn add(&mut self, scan: &Scan, own: bool, names: &Names) {
        let is_settled = |name: &Name| SETTLED.iter().any(|prefix| names.text(*name).starts_with(prefix));
        self.settled.extend(scan.defines.iter().map(|(name, _)| *name).filter(is_settled));
        for (name, body) in &scan.bodies {
            let known = self.bodies.entry(*name).or_default();
            let before: HashSet<Name> = known.iter().copied().collect();
            let new: Vec<Name> = body.iter().filter(|named| !before.contains(named)).copied().collect();
            known.extend(&new);
            for named in new {
                self.named_by.entry(named).or_default().push(*name);
            }
        }
        for (name, form) in &scan.pastes {
            let known = self.pastes.entry(*name).or_default();
            if !known.contains(form) {
                known.push(form.clone());
            }
        }
        for (name, _) in defines(scan) {
            self.defined.insert(name);
            let here = scan.uniform.binary_search_by_key(&name, |(name, _)| *name).ok().map(|at| scan.uniform[at].1);
            let known = self.uniform.entry(name).or_insert(here);
            *known = known.filter(|known| Some(*known) == here);
        }
        self.functions.extend(&scan.functions);
        self.plain.extend(defined_plain(scan));
        // Pragmas that libraries build from arguments (`G_STRINGIFY`) are about warnings.
        if own {
            self.pragmas.extend(&scan.pragmas);
        }
    }

    /// Derives the sets of names, after all texts were added. `arguments` are those of the units.
    pub fn finish<'a>(&mut self, arguments: impl Iterator<Item = &'a OsString>, names: &Names) {
        let given: HashSet<Name> = arguments.flat_map(|argument| argument_names(argument, names)).collect();
        let is_predefined = |name: &Name| {
            let text = names.text(*name);
            text.starts_with(b"_") || PREDEFINED.iter().any(|prefix| text.starts_with(prefix))
        };
        self.functions.retain(|name| !self.plain.contains(name) && !given.contains(name) && !is_predefined(name));
        let (mut leaking, mut counting, mut pasting) = (BitSet::default(), BitSet::default(), BitSet::default());
        let place_dependent = PLACE_DEPENDENT.iter().filter_map(|name| names.find(name));
        self.add_leading_to(&mut leaking, self.pragmas.iter().copied().chain(place_dependent));
        self.counter = names.find(COUNTER);
        self.add_leading_to(&mut counting, self.counter);
        self.add_leading_to(&mut pasting, self.pastes.keys().copied());
        (self.leaking, self.counting, self.pasting) = (leaking, counting, pasting);
        let mut sorted: Vec<(Arc<[u8]>, Name)> = self.defined.iter().map(|name| (names.text(*name), *name)).collect();
        sorted.sort_unstable();
        let backwards = |(text, name): &(Arc<[u8]>, Name)| (text.iter().rev().copied().collect(), *name);
        self.backwards = sorted.iter().map(backwards).collect();
        self.backwards.sort_unstable();
        self.sorted = sorted;
    }

    /// All names that a name leads to, and that name; sorted.
    pub fn reached_from(&self, name: Name) -> Arc<Vec<Name>> {
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

    /// Adds these names to a set, and all names that lead to one of them.
    pub fn add_leading_to(&self, set: &mut BitSet, names: impl IntoIterator<Item = Name>) {
        let mut open: Vec<Name> = names.into_iter().filter(|name| set.insert(name.index())).collect();
        while let Some(at) = open.pop() {
            let naming = self.named_by.get(&at).into_iter().flatten();
            open.extend(naming.filter(|name| set.insert(name.index())));
        }
    }

    /// Adds these names to a set, and all names that they lead to.
    pub fn add_reached_from(&self, set: &mut BitSet, names: impl IntoIterator<Item = Name>) {
        let mut open: Vec<Name> = names.into_iter().filter(|name| set.insert(name.index())).collect();
        while let Some(at) = open.pop() {
            open.extend(self.bodies.get(&at).into_iter().flatten().filter(|name| set.insert(name.index())));
        }
    }

    fn parts(&self, names: &Names) -> &Parts {
        self.parts.get_or_init(|| {
            let all: Vec<(Name, NameParts)> = names.with_find(|find| {
                let parts = |(text, name): &(Arc<[u8]>, Name)| Some((*name, NameParts::new(text, find)?));
                self.sorted.iter().filter_map(parts).collect()
            });
            let positions = all.iter().enumerate().map(|(position, (name, _))| (*name, position)).collect();
            Parts { all, positions }
        })
    }

    /// The macros whose names have a form.
    fn of_form(&self, form: &PastedForm) -> Vec<Name> {
        let PastedForm { begin, end } = form;
        let fits = |name: &[u8]| form.fits(name);
        if begin.is_empty() && !end.is_empty() {
            let end: Vec<u8> = end.iter().rev().copied().collect();
            let from = self.backwards.partition_point(|(text, _)| *text < end);
            return self.backwards[from..]
                .iter()
                .take_while(|(text, _)| text.starts_with(&end))
                .map(|(_, name)| *name)
                .collect();
        }
        let from = self.sorted.partition_point(|(text, _)| **text < **begin);
        let begins = self.sorted[from..].iter().take_while(|(text, _)| text.starts_with(begin));
        begins.filter(|(text, _)| fits(text)).map(|(_, name)| *name).collect()
    }

    /// For a text that pastes names together: what it can paste.
    pub fn pastable(&self, scan: &Scan, names: &Names) -> Option<Arc<Pastable>> {
        if let Some(known) = self.pastable.lock().ok().and_then(|known| known.get(&scan.content).cloned()) {
            return known;
        }
        let found = self.find_pastable(scan, names).map(Arc::new);
        if let Ok(mut known) = self.pastable.lock() {
            known.insert(scan.content, found.clone());
        }
        found
    }

    fn find_pastable(&self, scan: &Scan, names: &Names) -> Option<Pastable> {
        let pastes = scan.words.iter().filter(|(word, _)| self.pasting.contains(word.index()));
        let line = pastes.map(|(_, line)| *line).min()?;
        let mut reached = BitSet::default();
        self.add_reached_from(&mut reached, scan.words.iter().map(|(word, _)| *word));
        let mut found = Pastable { macros: BitSet::default(), line, reached, forms: BTreeSet::new() };
        let parts = self.parts(names);
        // What is pasted may name a macro, which may paste again.
        loop {
            let reaches = |(name, _): &(&Name, &Vec<PastedForm>)| found.reached.contains(name.index());
            let forms = self.pastes.iter().filter(reaches).flat_map(|(_, forms)| forms);
            found.forms = forms.cloned().collect();
            let can_be_pasted = |(name, parts): &&(Name, NameParts)| {
                !found.macros.contains(name.index()) && parts.can_be_pasted_from(&found.reached)
            };
            // Any name has the form without a beginning and an end.
            let new: Vec<Name> = if found.forms.contains(&PastedForm::default()) {
                parts.all.iter().filter(can_be_pasted).map(|(name, _)| *name).collect()
            } else {
                let fitting = found.forms.iter().flat_map(|form| self.of_form(form));
                let parts = fitting.filter_map(|name| parts.positions.get(&name)).map(|position| &parts.all[*position]);
                parts.filter(can_be_pasted).map(|(name, _)| *name).collect()
            };
            for name in &new {
                found.macros.insert(name.index());
            }
            let more: Vec<Name> = new.into_iter().filter(|name| !found.reached.contains(name.index())).collect();
            if more.is_empty() {
                return Some(found);
            }
            self.add_reached_from(&mut found.reached, more);
        }
    }

    /// Whether a text can paste a name together.
    pub fn can_paste(&self, pastable: &Pastable, name: Name, names: &Names) -> bool {
        if self.defined.contains(&name) {
            return pastable.macros.contains(name.index());
        }
        let text = names.text(name);
        let parts = || names.with_find(|find| NameParts::new(&text, find));
        pastable.fits(&text) && parts().is_some_and(|parts| parts.can_be_pasted_from(&pastable.reached))
    }

    /// Whether a macro is defined in one way wherever it is defined, and never undefined. Once it is
    /// defined, it stays what it is.
    pub fn is_uniform(&self, name: Name) -> bool {
        self.uniform.get(&name).is_some_and(Option::is_some)
    }

    /// Whether some text defines or undefines a macro of this name.
    pub fn defines(&self, name: Name) -> bool {
        self.defined.contains(&name)
    }

    /// Whether a macro means the same wherever it is defined.
    pub fn is_settled(&self, name: Name) -> bool {
        self.settled.contains(&name)
    }

    /// Whether a word of a text stays the same whether a macro has its name or not: the macro has
    /// parameters if it is defined at all, and no `(` follows the word (C11 6.10.3p10).
    /// `unforeseen` are macros that the plan knows nothing else about.
    pub fn is_inert(&self, word: Name, scan: &Scan, unforeseen: &HashSet<Name>) -> bool {
        self.functions.contains(&word) && scan.bare.binary_search(&word).is_ok() && !unforeseen.contains(&word)
    }

    /// Whether a text may leave the compiler in another state, or depends on the file that includes
    /// it.
    pub fn leaks(&self, scan: &Scan, names: &Names) -> bool {
        // A text that counts by itself may decide by the number what is read.
        let leaks = |word: &Name| self.leaking.contains(word.index()) || Some(*word) == self.counter;
        let pastes = || self.pastable(scan, names).is_some_and(|pastable| pastable.leads_to(&self.leaking));
        scan.leaks || scan.open || scan.words.iter().any(|(word, _)| leaks(word)) || pastes()
    }

    /// Whether a text may use `__COUNTER__`.
    pub fn counts(&self, scan: &Scan, names: &Names) -> bool {
        let pastes = || self.pastable(scan, names).is_some_and(|pastable| pastable.leads_to(&self.counting));
        scan.words.iter().any(|(word, _)| self.counting.contains(word.index())) || pastes()
    }
}

impl Pastable {
    /// Whether one of the forms fits a name.
    fn fits(&self, name: &[u8]) -> bool {
        self.forms.iter().any(|form| form.fits(name))
    }

    /// Whether it may paste the name of one of these macros.
    pub fn leads_to(&self, names: &BitSet) -> bool {
        !self.macros.intersection(names).is_empty()
    }

    /// The macros among these whose names it may paste.
    pub fn macros_among(&self, names: &BitSet) -> Vec<Name> {
        self.macros.intersection(names).iter().map(Name::from_index).collect()
    }
}

/// The macros that a text may define or undefine, its guard included, each with the first line that
/// does so.
pub fn defines(scan: &Scan) -> impl Iterator<Item = (Name, u32)> {
    let guard = match scan.guard {
        Guard::Macro(name) => Some((name, 1)),
        _ => None,
    };
    scan.defines.iter().copied().chain(guard)
}

/// The macros that a text may define without parameters, or undefine.
pub fn defined_plain(scan: &Scan) -> impl Iterator<Item = Name> {
    defines(scan).map(|(name, _)| name).filter(|name| scan.functions.binary_search(name).is_err())
}

/// The names in an argument, each of which may be a macro that it defines or undefines.
pub fn argument_names(argument: &OsString, names: &Names) -> Vec<Name> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let words = argument.as_bytes().split(|byte| !is_name(byte));
    let joined = words.clone().filter_map(|word| word.strip_prefix(b"D").or(word.strip_prefix(b"U")));
    words.clone().chain(joined).filter_map(|word| names.find(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scan;

    fn macros(texts: &[&str], names: &Names) -> (Macros, Vec<Scan>) {
        let scans: Vec<Scan> = texts.iter().map(|text| scan(text.as_bytes(), names)).collect();
        let mut macros = Macros::default();
        scans.iter().for_each(|scan| macros.add(scan, true, names));
        macros.finish(std::iter::empty(), names);
        (macros, scans)
    }

    #[test]
    fn a_macro_leads_to_the_names_in_all_its_replacement_lists() {
        let names = Names::new();
        let (macros, _) = macros(&["#define A B\n#define B C\n", "#define A D\n"], &names);
        let reached = |name: &str| -> Vec<String> {
            let reached = macros.reached_from(names.intern(name.as_bytes()));
            let mut reached: Vec<String> =
                reached.iter().map(|name| String::from_utf8_lossy(&names.text(*name)).into_owned()).collect();
            reached.sort();
            reached
        };
        assert_eq!(reached("A"), ["A", "B", "C", "D"]);
        assert_eq!(reached("C"), ["C"]);
    }

    #[test]
    fn a_name_can_be_pasted_from_its_parts() {
        let names = Names::new();
        let (macros, scans) =
            macros(&["#define GLUE(a, b) a ## b\nGLUE(foo, bar)\n", "#define foobar 1\nfoo\n"], &names);
        let parts = NameParts::new(b"foobar", &|text| names.find(text)).unwrap();
        let pastable = macros.pastable(&scans[0], &names).unwrap();
        assert!(parts.can_be_pasted_from(&pastable.reached));
        assert!(pastable.macros.contains(names.intern(b"foobar").index()));
        assert_eq!(pastable.line, 2);
        assert!(macros.pastable(&scans[1], &names).is_none(), "it does not paste");
        let few: BitSet = [names.intern(b"foo").index()].into_iter().collect();
        assert!(!parts.can_be_pasted_from(&few));
    }

    #[test]
    fn a_text_leaks_and_counts_by_way_of_macros() {
        let names = Names::new();
        let texts =
            ["#define PACK _Pragma(\"pack(1)\")\n", "PACK\n", "#define ID __COUNTER__\n", "int x = ID;\n", "int y;\n"];
        let (macros, scans) = macros(&texts, &names);
        let leaks: Vec<bool> = scans.iter().map(|scan| macros.leaks(scan, &names)).collect();
        assert_eq!(leaks, [false, true, false, false, false]);
        let counts: Vec<bool> = scans.iter().map(|scan| macros.counts(scan, &names)).collect();
        assert_eq!(counts, [false, false, false, true, false]);
    }
}
