//! Check "interference": files that are read in another order than in a plain parse must say the
//! same.
//!
//! A unit reads a precompiled header before everything else, in the precompiled header's own order.
//! Without it, the same files would be read among others. The tokens that come out of a file depend
//! on its text and on the macros that are defined when it is read, and on nothing else. So two
//! files may change places when neither may define a macro that the other one may ask for, directly
//! or through other macros. This module shows no more than that, and assumes nothing about the
//! order in which units include.
//!
//! What the tokens mean depends on what is declared. A name with several declarations whose order
//! matters is treated like a macro with several definitions. A name that is used before its
//! declaration is an error, or nearly so; `name_uses` looks for these.
//!
//! Files do not change places when one always includes the other before the text in question. What
//! comes before everything in both orders need not be looked at.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::scan::{IncludeKind, Name, Scan};

use super::bit_set::BitSet;
use super::headers::HeaderId;
use super::macros::{Macros, defined_plain, defines};
use super::order::Order;

/// Names in a text, each with a line.
pub type Lines = Vec<(Name, u32)>;

/// The files of a precompiled header that may change places with others: all but those that come
/// first in any order.
#[derive(Debug, Default)]
pub struct MovedFiles {
    /// The same of the precompiled header below.
    below: Option<Arc<MovedFiles>>,
    /// The files, in the order in which they were read, with what was read of them.
    files: Vec<(HeaderId, Arc<Scan>)>,
    /// The names that the files may ask for, those that they paste together included.
    asked: BitSet,
    /// The names that lead to what the files may define.
    leading: BitSet,
    /// The files that may define a name, and the first line that does so.
    definers: HashMap<Name, Vec<(HeaderId, u32)>>,
    /// The same for files that were also read before everything. What they define now, they have
    /// defined before.
    definers_again: HashMap<Name, Vec<(HeaderId, u32)>>,
    /// The names that they declare.
    declared: Vec<Name>,
    /// The macros that have been the same since before all of the files.
    constant: Arc<HashSet<Name>>,
}

/// A text that may change places with the files of a precompiled header.
#[derive(Clone, Copy, Debug)]
pub struct OtherText<'a> {
    /// What it says.
    pub scan: &'a Scan,
    /// Its file, if the plan knows it.
    pub file: Option<HeaderId>,
    /// Whether it was also read before everything; see [`MovedFiles::certify`].
    pub is_first: bool,
    /// Names that it declares and others declare too, where the order matters.
    pub declares: &'a [(Name, u32)],
}

/// Why files may not change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// A file of the precompiled header.
    pub file: Option<HeaderId>,
    /// The other file, if the plan knows it.
    pub other: Option<HeaderId>,
    /// The macro that one may define and the other may ask for; `None` when one of them may leave
    /// the compiler in another state.
    pub macro_name: Option<Name>,
}

impl MovedFiles {
    /// Files on top of those of the precompiled header below, and all conflicts among them.
    ///
    /// Files that are in `first` were read before everything, and are read again, since they have
    /// no guard (`stddef.h`, `bits/wordsize.h`). It does not matter that they define the same
    /// macros again, unless other files define these too. `constant` are macros that have been
    /// defined before all of them, and are defined in no other way anywhere.
    pub fn certify(
        below: Option<Arc<MovedFiles>>,
        files: Vec<(HeaderId, Arc<Scan>)>,
        first: &BitSet,
        declares: &HashMap<HeaderId, Lines>,
        constant: Arc<HashSet<Name>>,
        order: &Order<'_>,
        macros: &Macros,
    ) -> (MovedFiles, Vec<Conflict>) {
        let headers = order.headers;
        let (moved, mut conflicts) = MovedFiles::new(below, files, first, declares, constant, order, macros);
        let lines = |file: &HeaderId| declares.get(file).map(Vec::as_slice).unwrap_or_default();
        for (file, scan) in &moved.files {
            let is_first = first.contains(*file);
            let other = OtherText { scan, file: Some(*file), is_first, declares: lines(file) };
            conflicts.extend(moved.chain().flat_map(|moved| moved.level_conflicts(&other, order, macros, true)));
        }
        // Files below are compared with what is declared again here.
        let is_here = |file: &HeaderId| moved.files.iter().any(|(here, _)| here == file);
        for file in declares.keys().filter(|file| !is_here(file)) {
            let below = || moved.chain().flat_map(|moved| &moved.files).find(|(below, _)| below == file);
            let scan = below().map_or(&headers.get(*file).scan, |(_, scan)| scan);
            let other = OtherText { scan, file: Some(*file), is_first: false, declares: lines(file) };
            conflicts.extend(moved.chain().flat_map(|moved| moved.level_conflicts(&other, order, macros, true)));
        }
        (moved, conflicts)
    }

    /// Files on top of those of the precompiled header below, and those of them that may not move at
    /// all.
    pub fn new(
        below: Option<Arc<MovedFiles>>,
        files: Vec<(HeaderId, Arc<Scan>)>,
        first: &BitSet,
        declares: &HashMap<HeaderId, Lines>,
        constant: Arc<HashSet<Name>>,
        order: &Order<'_>,
        macros: &Macros,
    ) -> (MovedFiles, Vec<Conflict>) {
        let mut moved = MovedFiles { below, files, constant, ..MovedFiles::default() };
        let conflicts = moved.add_definitions(first, declares, order, macros);
        (moved, conflicts)
    }

    /// Collects what the files define and ask for; the result are files that may not move at all.
    fn add_definitions(
        &mut self,
        first: &BitSet,
        declares: &HashMap<HeaderId, Lines>,
        order: &Order<'_>,
        macros: &Macros,
    ) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for (file, scan) in &self.files {
            let header = order.headers.get(*file);
            macros.add_reached_from(&mut self.asked, scan.words.iter().map(|(name, _)| *name));
            if let Some(pastable) = macros.pastable(scan, order.names) {
                self.asked.extend(&pastable.reached);
            }
            let definers = if first.contains(*file) { &mut self.definers_again } else { &mut self.definers };
            for (name, line) in defines(scan) {
                definers.entry(name).or_default().push((*file, line));
            }
            if macros.leaks(scan, order.names) || has_computed_include(scan) || header.oddity.is_some() {
                conflicts.push(Conflict { file: Some(*file), other: None, macro_name: None });
            }
        }
        // A declaration of a name that is declared below too may be the second one only here.
        for (file, names) in declares {
            for (name, line) in names {
                self.definers.entry(*name).or_default().push((*file, *line));
            }
        }
        macros.add_leading_to(&mut self.leading, self.definers.keys().copied());
        self.declared = declares.values().flatten().map(|(name, _)| *name).collect();
        conflicts
    }

    /// The files of this level.
    pub fn files(&self) -> &[(HeaderId, Arc<Scan>)] {
        &self.files
    }

    /// The macros that have been the same since before all of the files.
    pub fn constant(&self) -> &Arc<HashSet<Name>> {
        &self.constant
    }

    /// This level, and those below it.
    fn chain(&self) -> impl Iterator<Item = &MovedFiles> {
        std::iter::successors(Some(self), |moved| moved.below.as_deref())
    }

    /// A reason why the files of any level may not change places with a text that a unit reads
    /// behind them; `None` when they may.
    pub fn conflict(&self, other: &OtherText<'_>, order: &Order<'_>, macros: &Macros) -> Option<Conflict> {
        let is_odd = other.file.is_some_and(|file| order.headers.get(file).oddity.is_some());
        if macros.leaks(other.scan, order.names) || has_computed_include(other.scan) || is_odd {
            return Some(Conflict { file: None, other: other.file, macro_name: None });
        }
        self.chain().find_map(|moved| moved.level_conflicts(other, order, macros, false).into_iter().next())
    }

    /// The conflicts of the files of this level with a text.
    fn level_conflicts(
        &self,
        other: &OtherText<'_>,
        order: &Order<'_>,
        macros: &Macros,
        is_precompiled: bool,
    ) -> Vec<Conflict> {
        // A text that the plan does not know may define macros without parameters that others
        // define with parameters.
        let plain = match other.file {
            Some(_) => HashSet::new(),
            None => defined_plain(other.scan).collect(),
        };
        let conflicts = Vec::new();
        let mut comparison = Comparison { moved: self, other, order, macros, is_precompiled, plain, conflicts };
        comparison.compare_definitions();
        comparison.compare_uses();
        comparison.conflicts
    }
}

/// A comparison of the files of one level with another text.
struct Comparison<'a> {
    moved: &'a MovedFiles,
    other: &'a OtherText<'a>,
    order: &'a Order<'a>,
    macros: &'a Macros,
    /// Whether the text is in a precompiled header too. If not, it is read behind all files of the
    /// level.
    is_precompiled: bool,
    /// The macros that only this text may define without parameters.
    plain: HashSet<Name>,
    conflicts: Vec<Conflict>,
}

impl Comparison<'_> {
    /// Compares what the text defines with what the files define and ask for.
    fn compare_definitions(&mut self) {
        let Comparison { moved, other, macros, .. } = *self;
        for (name, line) in defines(other.scan).chain(other.declares.iter().copied()) {
            let definers = moved.definers.get(&name).into_iter().flatten();
            let again = moved.definers_again.get(&name).into_iter().flatten().filter(|_| !other.is_first);
            for (definer, there) in definers.chain(again).filter(|_| !macros.is_settled(name)) {
                self.compare(*definer, *there, line, name);
            }
            if !other.is_first || has(other.declares, name) {
                self.compare_with_uses_of(name, line);
            }
        }
    }

    /// Compares a name that the text defines with what the files ask for.
    fn compare_with_uses_of(&mut self, name: Name, line: u32) {
        let Comparison { moved, macros, order, .. } = *self;
        // Names that are only declared can be pasted together too.
        if !moved.asked.contains(name.index()) && macros.defines(name) {
            return;
        }
        let mut leading = BitSet::default();
        macros.add_leading_to(&mut leading, [name]);
        for (file, scan) in &moved.files {
            if self.is_settled_for(Some(*file), scan, name) {
                continue;
            }
            let words = scan.words.iter().filter(|(word, _)| leading.contains(word.index()));
            let words = words.filter(|(word, _)| !self.is_inert(*word, scan)).map(|(_, line)| *line);
            let pasted = macros
                .pastable(scan, order.names)
                .filter(|pastable| pastable.leads_to(&leading) || macros.can_paste(pastable, name, order.names));
            if let Some(there) = words.chain(pasted.map(|pastable| pastable.line)).min() {
                self.compare(*file, there, line, name);
            }
        }
    }

    /// Compares what the files define with what the text asks for.
    fn compare_uses(&mut self) {
        let Comparison { moved, other, macros, order, .. } = *self;
        for (word, line) in &other.scan.words {
            if moved.leading.contains(word.index()) && !self.is_inert(*word, other.scan) {
                for name in macros.reached_from(*word).iter() {
                    self.compare_use(*name, *line);
                }
            }
        }
        let Some(pastable) = macros.pastable(other.scan, order.names) else { return };
        for name in pastable.macros_among(&moved.leading) {
            for name in macros.reached_from(name).iter() {
                self.compare_use(*name, pastable.line);
            }
        }
        for name in moved.declared.iter().filter(|name| macros.can_paste(&pastable, **name, order.names)) {
            self.compare_use(*name, pastable.line);
        }
    }

    /// Compares a name that the text asks for with the files that define it.
    fn compare_use(&mut self, name: Name, line: u32) {
        let Comparison { moved, other, .. } = *self;
        for (definer, there) in moved.definers.get(&name).into_iter().flatten() {
            if !self.is_settled_for(other.file, other.scan, name) {
                self.compare(*definer, *there, line, name);
            }
        }
    }

    /// Notes a conflict over a name between a line of a file and a line of the text, unless their
    /// order is always the one in which they were read.
    fn compare(&mut self, file: HeaderId, line_there: u32, line_here: u32, name: Name) {
        let order = self.order;
        if self.is_constant(name) {
            return;
        }
        let is_ordered = |here: HeaderId| {
            order.whole(here) == order.whole(file)
                || order.is_first(file, here, line_here)
                || (self.is_precompiled && order.is_first(here, file, line_there))
        };
        if !self.other.file.is_some_and(is_ordered) {
            self.conflicts.push(Conflict { file: Some(file), other: self.other.file, macro_name: Some(name) });
        }
    }

    /// Whether a name is a macro that has been the same since before all of these files.
    fn is_constant(&self, name: Name) -> bool {
        let is_declared = has(self.other.declares, name) || self.moved.declared.contains(&name);
        self.moved.constant.contains(&name) && self.other.file.is_some() && !is_declared
    }

    /// Whether a settled name makes no difference to a text: the text has a default for it, is no
    /// file of the tree, or meets the name only in what another macro stands for.
    fn is_settled_for(&self, file: Option<HeaderId>, scan: &Scan, name: Name) -> bool {
        let is_foreign = file.is_some_and(|file| !self.order.headers.get(file).own);
        self.macros.is_settled(name) && (is_foreign || has(&scan.defines, name) || !has(&scan.words, name))
    }

    fn is_inert(&self, word: Name, scan: &Scan) -> bool {
        !self.plain.contains(&word) && self.macros.is_inert(word, scan, self.order.unforeseen)
    }
}

/// Whether a text includes by a macro, which may name any file.
fn has_computed_include(scan: &Scan) -> bool {
    scan.includes.iter().any(|include| include.kind == IncludeKind::Computed)
}

/// Whether a name is in a list.
fn has(names: &[(Name, u32)], name: Name) -> bool {
    names.iter().any(|(known, _)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pch::headers::Inclusions;
    use crate::pch::testing::Graph;

    /// The macros over which `a.h` and `b.h` conflict in one precompiled header, sorted; "?" stands
    /// for the compiler's state. Units include them in both orders.
    fn conflicts(a: &str, b: &str) -> Vec<String> {
        let guarded = |text: &str| format!("#pragma once\n{text}");
        let graph = Graph::new(&[
            ("one.c", "#include \"a.h\"\n#include \"b.h\"\n"),
            ("two.c", "#include \"b.h\"\n#include \"a.h\"\n"),
            ("a.h", &guarded(a)),
            ("b.h", &guarded(b)),
        ]);
        let (included, unforeseen) = (Inclusions::new(), HashSet::new());
        let order = Order::new(&graph.headers, graph.names(), &included, &unforeseen);
        let text = |name: &str| (graph.id(name), Arc::clone(&graph.headers.get(graph.id(name)).scan));
        let files = vec![text("a.h"), text("b.h")];
        let (first, declares, macros) = (BitSet::default(), HashMap::new(), &graph.macros);
        let (_, found) = MovedFiles::certify(None, files, &first, &declares, Arc::default(), &order, macros);
        let name = |conflict: &Conflict| match conflict.macro_name {
            Some(name) => String::from_utf8_lossy(&graph.names().text(name)).into_owned(),
            None => "?".to_owned(),
        };
        let mut names: Vec<String> = found.iter().map(name).collect();
        names.sort();
        names.dedup();
        names
    }

    #[test]
    fn independent_files_may_change_places() {
        assert_eq!(conflicts("#define A 1\nint a(void);\n", "#define B 1\nint b(void);\n"), [""; 0]);
    }

    #[test]
    fn a_macro_that_one_file_defines_and_the_other_uses_is_a_conflict() {
        assert_eq!(conflicts("#define A 1\n", "int b = A;\n"), ["A"]);
        assert_eq!(conflicts("#define A 1\n", "#ifdef A\nint b;\n#endif\n"), ["A"]);
        assert_eq!(conflicts("#define A 1\n", "#define A 2\n"), ["A"]);
        assert_eq!(conflicts("#define A 1\n", "#undef A\n"), ["A"]);
    }

    #[test]
    fn a_macro_conflicts_by_way_of_others() {
        assert_eq!(conflicts("#define A 1\n", "#define B A\nint b = B;\n"), ["A"]);
        let pasted = "#define GLUE(x, y) x ## y\nint b = GLUE(FOO, BAR);\n";
        assert_eq!(conflicts("#define FOOBAR 1\n", pasted), ["FOOBAR"]);
    }

    #[test]
    fn only_names_of_its_form_are_pasted() {
        let enabled = "#define IS(x) x ## _ENABLED\nint b = IS(FOO_BAR);\nint FOO, BAR, BAR_ENABLED;\n";
        assert_eq!(conflicts("#define FOOBAR 1\n#define FOO_ENABLED 1\n", enabled), ["FOO_ENABLED"]);
    }

    #[test]
    fn a_pasted_macro_leads_to_others() {
        let glue = "#define GLUE(x, y) x ## y\n";
        let through = format!("{glue}#define FOOBAR A\nint b = GLUE(FOO, BAR);\n");
        assert_eq!(conflicts("#define A 1\n", &through), ["A"]);
        let twice = format!("{glue}#define FOOBAR GLUE(BAR, FOO)\nint b = GLUE(FOO, BAR);\n");
        assert_eq!(conflicts("#define BARFOO 1\n", &twice), ["BARFOO"]);
    }

    #[test]
    fn a_macro_with_parameters_does_not_change_a_word_that_is_not_called() {
        assert_eq!(conflicts("#define major(x) x\n", "struct b { int major; };\n"), [""; 0]);
        assert_eq!(conflicts("#define major(x) x\n", "int b = major(1);\n"), ["major"]);
    }

    #[test]
    fn a_file_that_changes_the_compilers_state_must_not_move() {
        assert_eq!(conflicts("#pragma pack(1)\n", "int b;\n"), ["?"]);
        assert_eq!(conflicts("int a = __LINE__;\n#include HEADER\n", "int b;\n"), ["?"]);
    }

    #[test]
    fn a_file_that_always_comes_first_does_not_conflict() {
        assert_eq!(conflicts("#define A 1\n", "#include \"a.h\"\nint b = A;\n"), [""; 0]);
    }
}
