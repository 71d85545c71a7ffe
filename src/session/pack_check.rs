//! Compares the entries of a pack with a tree: what each of them matches, and what matches nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use cowrap_analysis::effects::functions_named;
use cowrap_analysis::program::{FunctionId, Location, Program};
use cowrap_base::files::{Texts, Tree};
use cowrap_csyntax::lex::{Kind, Lines, lex};
use cowrap_facts::{NameSet, SlotModelId, name_matches};
use cowrap_packs::{Entry, Names, Pack, SlotName, entries, nearest, path_patterns};
use cowrap_report::{CheckedEntry, MatchCount, PackCheck, Span};

use crate::Error;
use crate::index_file::Index;
use crate::request::{Progress, Request};
use crate::session::index;

/// Reads a pack, without a tree.
///
/// # Errors
///
/// The pack cannot be used.
pub fn read_pack(path: &Path) -> Result<PackCheck, Error> {
    let name = Pack::read(path)?.name;
    let unchecked = |entry: Entry| checked(entry, Found::default());
    let entries = entries(path)?.into_iter().map(unchecked).collect();
    Ok(PackCheck { pack: name, file: path.to_path_buf(), entries, with_tree: false, unread_units: 0 })
}

/// Compares a pack with the tree of a request.
///
/// # Errors
///
/// The pack or the tree cannot be used. A tree that defines no mark of the pack is no error.
pub fn check_pack(path: &Path, request: &Request, progress: &dyn Progress) -> Result<PackCheck, Error> {
    let mut check = read_pack(path)?;
    let own = Request { packs: vec![path.to_path_buf()], may_lack_marks: true, ..request.clone() };
    let Index { program, packs, tree, details, problems, .. } = index(&own, progress)?;
    check.with_tree = true;
    check.unread_units = problems.len();
    let entries = entries(path)?;
    let wanted = entries.iter().flat_map(|entry| match &entry.names {
        Names::Words(words) => words.as_slice(),
        Names::Mark(mark) => std::slice::from_ref(mark),
        _ => &[],
    });
    let texts = Texts::new(&tree.root, None);
    let words = TextWords::of(&program, &tree, &texts, &wanted.collect());
    let tree = CheckedTree { pack: packs.first(), program: &program, tree: &tree, words };
    let find = |entry: Entry| {
        let mut found = tree.find(&entry);
        if let Names::Mark(mark) = &entry.names {
            let defined = details.parsing.marks.iter().filter(|at| at.mark == *mark);
            found.counts.insert(0, ("definition", defined.count()));
        }
        if found.is_nothing() && !entry.is_optional {
            found.similar = tree.similar(&entry);
        }
        checked(entry, found)
    };
    check.entries = entries.into_par_iter().map(find).collect();
    Ok(check)
}

/// What an entry matches.
#[derive(Default)]
struct Found {
    counts: Vec<(&'static str, usize)>,
    first: Option<Span>,
    similar: Option<String>,
}

impl Found {
    fn is_nothing(&self) -> bool {
        self.counts.iter().all(|(_, count)| *count == 0)
    }
}

fn checked(entry: Entry, found: Found) -> CheckedEntry {
    let Entry { key, text, line, is_optional, .. } = entry;
    let matches = found.counts.into_iter().filter(|(_, count)| *count > 0);
    CheckedEntry {
        key,
        name: text,
        line,
        matches: matches.map(|(what, count)| MatchCount { what, count }).collect(),
        first: found.first,
        similar: found.similar,
        optional: is_optional,
    }
}

/// A tree that a pack is compared with.
struct CheckedTree<'t> {
    pack: &'t Pack,
    program: &'t Program,
    tree: &'t Tree,
    words: TextWords,
}

impl CheckedTree<'_> {
    fn find(&self, entry: &Entry) -> Found {
        match &entry.names {
            Names::Files(pattern) => self.files(pattern),
            Names::Mark(mark) => self.mark(mark),
            Names::Words(words) => {
                let found = words.iter().map(|word| self.word(word));
                // Each word must be there.
                found.min_by_key(|found| !found.is_nothing()).unwrap_or_default()
            }
            Names::Functions(name) => self.functions(functions_named(self.program, name)),
            Names::Slot(slot) => self.slot(slot),
            Names::Calls { caller, callee } => self.calls(caller, callee),
        }
    }

    /// The files of the program that a pattern matches. Files that no unit includes do not matter.
    fn files(&self, pattern: &str) -> Found {
        let Ok(glob) = path_patterns([pattern]) else { return Found::default() };
        let paths = self.program.files.iter().map(|path| self.tree.relative(path));
        let mut matching: Vec<&Path> = paths.filter(|path| glob.is_match(path)).collect();
        matching.sort();
        let first = matching.first().map(|path| Span { path: path.to_path_buf(), line: 1, column: 1 });
        Found { counts: vec![("file", matching.len())], first, similar: None }
    }

    /// The declarations and slots with a mark.
    fn mark(&self, name: &str) -> Found {
        let Some(id) = self.pack.marks.iter().position(|mark| mark.name == name) else { return Found::default() };
        let has = |mark: &cowrap_analysis::program::Mark| usize::from(mark.mark.0) == id;
        let mut locations: BTreeSet<Location> = BTreeSet::new();
        let (mut functions, mut slots) = (0, 0);
        for function in &self.program.functions {
            let marks = function.declarations.iter().flat_map(|declaration| &declaration.marks);
            let at: Vec<Location> = marks.filter(|mark| has(mark)).map(|mark| mark.location).collect();
            functions += usize::from(!at.is_empty());
            locations.extend(at);
        }
        for slot in &self.program.slots {
            let at: Vec<Location> = slot.marks.iter().filter(|mark| has(mark)).map(|mark| mark.location).collect();
            slots += usize::from(!at.is_empty());
            locations.extend(at);
        }
        let first = self.first(locations);
        Found { counts: vec![("function", functions), ("function pointer", slots)], first, similar: None }
    }

    /// A function, or a macro: something that the program has or a text names.
    fn word(&self, name: &str) -> Found {
        let functions = self.functions(functions_named(self.program, name));
        if !functions.is_nothing() {
            return functions;
        }
        let meant = self.words.found.iter().filter(|(word, _)| name_matches(name, word));
        let (uses, places): (Vec<usize>, Vec<&Span>) = meant.map(|(_, (uses, first))| (*uses, first)).unzip();
        let first = places.into_iter().min().cloned();
        Found { counts: vec![("use", uses.into_iter().sum())], first, similar: None }
    }

    fn functions(&self, functions: Vec<FunctionId>) -> Found {
        let calls: usize = functions.iter().map(|function| self.program.incoming(*function).len()).sum();
        let declared = functions.iter().flat_map(|function| &self.program.function(*function).declarations);
        let mut locations: BTreeSet<Location> = declared.map(|declaration| declaration.location).collect();
        if locations.is_empty() {
            let sites = functions.iter().flat_map(|function| self.program.sites_of(*function));
            locations.extend(sites.map(|(site, _)| self.program.call(site).location));
        }
        let first = self.first(locations);
        Found { counts: vec![("function", functions.len()), ("call", calls)], first, similar: None }
    }

    /// The slots that a model of the pack is about, and what is stored there.
    fn slot(&self, name: &SlotName) -> Found {
        if let SlotName::Parameter { function, .. } = name {
            // A function of `threads` and `workers` is no slot.
            let functions = functions_named(self.program, function);
            let found = self.functions(functions);
            if !self.pack.slots.iter().any(|model| model.slot == *name) || found.is_nothing() {
                return found;
            }
        }
        let of_name = self.pack.slots.iter().enumerate().filter(|(_, model)| model.slot == *name);
        let models: HashSet<SlotModelId> = of_name.map(|(id, _)| SlotModelId(id as u16)).collect();
        let is_meant = |models_of: &[SlotModelId]| models_of.iter().any(|model| models.contains(model));
        let slots = self.program.slots.enumerated().filter(|(_, slot)| is_meant(&slot.models));
        let slots: BTreeSet<_> = slots.map(|(id, _)| id).collect();
        let stores = self.program.stores.iter().filter(|store| store.slot.is_some_and(|slot| slots.contains(&slot)));
        let stores: Vec<Location> = stores.map(|store| store.location).collect();
        let counts = vec![("function pointer", slots.len()), ("stored function", stores.len())];
        let declared = slots.iter().flat_map(|slot| self.program.slot(*slot).declared.clone());
        let first = self.first(if stores.is_empty() { declared.collect() } else { stores.into_iter().collect() });
        Found { counts, first, similar: None }
    }

    /// The calls by name from one function to another. Those through slots are many, and not counted.
    fn calls(&self, caller: &str, callee: &str) -> Found {
        let callers: HashSet<FunctionId> = functions_named(self.program, caller).into_iter().collect();
        let callees = functions_named(self.program, callee);
        let sites = callees.iter().flat_map(|callee| self.program.sites_of(*callee));
        let calls = sites.filter(|(_, from)| callers.contains(from));
        let calls: BTreeSet<Location> = calls.map(|(site, _)| self.program.call(site).location).collect();
        if !calls.is_empty() {
            let count = calls.len();
            return Found { counts: vec![("call", count)], first: self.first(calls), similar: None };
        }
        // The call may go through a function pointer.
        match callers.is_empty() || callees.is_empty() {
            true => Found::default(),
            false => Found { counts: vec![("pair of functions", 1)], first: None, similar: None },
        }
    }

    /// The first location, by path.
    fn first(&self, locations: BTreeSet<Location>) -> Option<Span> {
        let span = |at: &Location| {
            let path = self.tree.relative(self.program.path(at.file)).to_path_buf();
            Span { path, line: at.line, column: at.column }
        };
        locations.iter().map(span).min()
    }

    /// A name of the tree that is similar to one that matches nothing.
    fn similar(&self, entry: &Entry) -> Option<String> {
        let functions = || self.program.functions.iter().map(|function| function.name.as_str());
        let macros = || self.words.macros.iter().map(String::as_str);
        let is_missing = |name: &str| functions_named(self.program, name).is_empty();
        match &entry.names {
            Names::Files(_) => None,
            Names::Mark(mark) => nearest(mark, macros()),
            Names::Words(words) => {
                let missing = words.iter().find(|word| self.word(word).is_nothing())?;
                nearest(missing, functions().chain(macros()))
            }
            Names::Functions(name) => nearest(name, functions()),
            Names::Calls { caller, callee } => {
                let missing = [caller, callee].into_iter().find(|name| is_missing(name))?;
                nearest(missing, functions())
            }
            Names::Slot(SlotName::Parameter { function, .. }) => nearest(function, functions()),
            Names::Slot(SlotName::Field { record, field }) => {
                let name = format!("{record}::{field}");
                return nearest(&name, self.program.slots.iter().map(|slot| slot.name.as_str())).map(str::to_owned);
            }
            Names::Slot(SlotName::Typedef { .. }) => None,
        }
        .map(str::to_owned)
    }
}

/// What the texts of a tree say of words that may be macros.
#[derive(Default)]
struct TextWords {
    /// How often each wanted word occurs outside of comments and texts, and where first.
    found: HashMap<String, (usize, Span)>,
    /// All macros that are defined.
    macros: BTreeSet<String>,
}

impl TextWords {
    fn of(program: &Program, tree: &Tree, texts: &Texts, wanted: &NameSet) -> TextWords {
        let mut own: Vec<&Path> =
            program.files.iter().map(|path| path.as_path()).filter(|path| tree.is_own(path)).collect();
        own.sort();
        let in_file = |path: &&Path| {
            let text = texts.glance(path).unwrap_or_default();
            TextWords::in_text(&text, tree.relative(path), wanted)
        };
        let all: Vec<TextWords> = own.par_iter().map(in_file).collect();
        let mut joined = TextWords::default();
        for TextWords { found, macros } in all {
            joined.macros.extend(macros);
            for (word, (count, first)) in found {
                joined.found.entry(word).and_modify(|known| known.0 += count).or_insert((count, first));
            }
        }
        joined
    }

    fn in_text(text: &Arc<Vec<u8>>, path: &Path, wanted: &NameSet) -> TextWords {
        let mut words = TextWords::default();
        let lines = Lines::new(text);
        let mut before: [Option<String>; 2] = [None, None];
        for token in lex(text).into_iter().filter(|token| !token.kind.is_space() && !token.kind.is_comment()) {
            let spelling = String::from_utf8_lossy(&token.spelling(text)).into_owned();
            let is_definition =
                token.in_directive && before[0].as_deref() == Some("#") && before[1].as_deref() == Some("define");
            if token.kind == Kind::Word {
                if is_definition {
                    words.macros.insert(spelling.clone());
                } else if wanted.contains(&spelling) {
                    let (line, column) = lines.line_column(token.span.start);
                    let first = Span { path: path.to_path_buf(), line, column };
                    words.found.entry(spelling.clone()).and_modify(|known| known.0 += 1).or_insert((1, first));
                }
            }
            before = [before[1].take(), Some(if token.kind == Kind::Directive { "#".to_owned() } else { spelling })];
        }
        words
    }
}
