//! Functions that are another name for a function: `__attribute__((alias))`, `weakref`, `#pragma weak a = b`,
//! `__asm__("b")`. And bodies that are weak.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::super::{BodyId, FileId, Function, FunctionId, IndexVec, Location};
use super::Linker;

/// An other name: of a function with external linkage, or of a `static` one in a file.
pub(super) type OtherName = (String, Option<FileId>, FunctionId);

/// A name that a declaration gives for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AliasName {
    pub name: String,
    /// The file of the declaration.
    pub file: FileId,
    /// Whether a body of the function takes the place of the alias.
    pub is_weak: bool,
}

/// Where a chain of aliases ends.
#[derive(Clone, Copy)]
enum AliasEnd {
    /// In a circle.
    Circle,
    /// With a name of which the program knows nothing else.
    Nothing,
    /// With this function.
    Function(FunctionId),
}

impl Linker {
    /// For each function, the one that it is another name for, or itself. A function with a body of its own is not
    /// another name: the alias was weak, or names the symbol that the body gets.
    pub(super) fn named_functions(&self) -> IndexVec<FunctionId, FunctionId> {
        let bodies = self.bodies_of_names();
        let mut named: IndexVec<FunctionId, FunctionId> = self.functions.ids().collect();
        let mut ends: HashMap<FunctionId, AliasEnd> = HashMap::default();
        for start in self.aliases.keys().chain(bodies.keys()) {
            let mut path = Vec::new();
            let mut at = *start;
            // An alias of an alias is what that one names.
            let mut end = loop {
                if let Some(end) = ends.get(&at) {
                    break *end;
                }
                let Some(next) = self.next_name(at, &bodies) else { break self.own_end(at) };
                // A chain that comes back here goes in a circle.
                ends.insert(at, AliasEnd::Circle);
                path.push(at);
                at = next;
            };
            for name in path.into_iter().rev() {
                match end {
                    AliasEnd::Function(function) => named[name] = function,
                    AliasEnd::Nothing => end = self.own_end(name),
                    AliasEnd::Circle => {}
                }
                ends.insert(name, end);
            }
        }
        named
    }

    /// The end of a chain that goes no further than this function.
    fn own_end(&self, function: FunctionId) -> AliasEnd {
        if self.is_in_program(function) { AliasEnd::Function(function) } else { AliasEnd::Nothing }
    }

    /// For each name of a symbol that the body of another function gets, as in
    /// `int f(void) __asm__("name"); int f(void) {…}`, this function.
    fn bodies_of_names(&self) -> HashMap<FunctionId, FunctionId> {
        let mut bodies: HashMap<FunctionId, FunctionId> = HashMap::default();
        for (function, names) in &self.aliases {
            let Function { name: own, file, bodies: own_bodies, .. } = &self.functions[*function];
            if own_bodies.is_empty() || file.is_some() {
                continue;
            }
            let names = names.iter().filter(|name| !name.is_weak);
            let ids = names.filter_map(|name| self.function_ids.get(&None)?.get(&name.name));
            for id in ids.filter(|id| self.functions[**id].bodies.is_empty()) {
                let known = bodies.entry(*id).or_insert(*function);
                if *own < self.functions[*known].name {
                    *known = *function;
                }
            }
        }
        bodies
    }

    /// The function that an alias names: by its declarations, or by those of the function with the body.
    fn next_name(&self, alias: FunctionId, bodies: &HashMap<FunctionId, FunctionId>) -> Option<FunctionId> {
        if !self.functions[alias].bodies.is_empty() {
            return None;
        }
        // Whether the program knows more of a function than its name.
        let is_known = |function: FunctionId| {
            self.is_in_program(function) || self.aliases.contains_key(&function) || bodies.contains_key(&function)
        };
        let names = self.aliases.get(&alias).into_iter().flatten();
        let found = names.filter_map(|AliasName { name, file, .. }| {
            let of = |file| self.function_ids.get(&file)?.get(name).copied();
            let found = of(Some(*file)).filter(|found| is_known(*found)).or_else(|| of(None))?;
            let function = &self.functions[found];
            let path = function.file.map(|file| &self.files[file]);
            (found != alias && is_known(found)).then_some(((&function.name, path), found))
        });
        found.min().map(|(_, found)| found).or_else(|| bodies.get(&alias).copied())
    }

    fn is_in_program(&self, function: FunctionId) -> bool {
        let Function { bodies, declarations, .. } = &self.functions[function];
        !bodies.is_empty() || declarations.iter().any(|declaration| !declaration.marks.is_empty())
    }

    /// The names of all functions that have another name or a weak declaration, and the other names; sorted. What the
    /// program says of them depends on what all facts say of them together.
    pub(super) fn special_functions(&self) -> Vec<String> {
        let is_weak = |function: &&Function| function.declarations.iter().any(|declaration| declaration.weak);
        let weak = self.functions.iter().filter(is_weak).map(|function| &function.name);
        let named = self.aliases.keys().map(|function| &self.functions[*function].name);
        let names = self.aliases.values().flatten().map(|alias| &alias.name);
        let mut special: Vec<String> = weak.chain(named).chain(names).cloned().collect();
        special.sort_unstable();
        special.dedup();
        special
    }

    /// Gives the functions that others are named after the declarations of the others, as far as these say more than
    /// the name. Returns the other names.
    pub(super) fn merge_aliases(&mut self, named: &IndexVec<FunctionId, FunctionId>) -> Vec<OtherName> {
        let mut names = Vec::new();
        for alias in named.ids().filter(|alias| named[*alias] != *alias) {
            let function = named[alias];
            let other = &mut self.functions[alias];
            let mut declarations = std::mem::take(&mut other.declarations);
            declarations.retain(|declaration| !declaration.marks.is_empty() || declaration.never_returns);
            let (name, file) = (other.name.clone(), other.file);
            let target = &mut self.functions[function];
            target.declarations.extend(declarations);
            if target.name != name {
                target.aliases.push(name.clone());
            }
            names.push((name, file, function));
        }
        for (_, _, function) in &names {
            let aliases = &mut self.functions[*function].aliases;
            if !aliases.is_sorted_by(|one, other| one < other) {
                aliases.sort_unstable();
                aliases.dedup();
            }
        }
        names
    }

    /// Removes weak bodies of functions that have another body, and their stores.
    pub(super) fn drop_weak_bodies(&mut self) {
        let mut dropped: HashSet<BodyId> = HashSet::default();
        for function in self.functions.as_mut_slice().iter_mut().filter(|function| function.bodies.len() > 1) {
            let weak: HashSet<Location> = function.weak_definitions().collect();
            let is_weak = |body: &BodyId| weak.contains(&self.bodies[*body].location);
            if !weak.is_empty() && !function.bodies.iter().all(is_weak) {
                dropped.extend(function.bodies.iter().copied().filter(is_weak));
                function.bodies.retain(|body| !dropped.contains(body));
            }
        }
        for (body, stores) in std::mem::take(&mut self.weak_stores) {
            if !dropped.contains(&body) {
                self.stores.merge(stores);
            }
        }
        if dropped.is_empty() {
            return;
        }
        let mut kept = IndexVec::default();
        let mut new: IndexVec<BodyId, BodyId> = IndexVec::from_elem(BodyId(0), self.bodies.len());
        for (id, body) in std::mem::take(&mut self.bodies).into_vec().into_iter().enumerate() {
            let id = BodyId(id as u32);
            if !dropped.contains(&id) {
                new[id] = kept.push(body);
            }
        }
        self.bodies = kept;
        let readings = std::mem::take(&mut self.readings).into_iter();
        let readings = readings.filter(|(body, _)| !dropped.contains(body));
        self.readings = readings.map(|(body, read)| (new[body], read)).collect();
        for body in self.functions.as_mut_slice().iter_mut().flat_map(|function| &mut function.bodies) {
            *body = new[*body];
        }
    }
}

impl Function {
    /// The locations of its weak definitions.
    pub(super) fn weak_definitions(&self) -> impl Iterator<Item = Location> {
        let weak = self.declarations.iter().filter(|declared| declared.definition && declared.weak);
        weak.map(|declared| declared.location)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use cowrap_facts::{
        Body, Declaration, FileFacts, Location, Mark, MarkId, PairedFlags, SharedFileFacts, Store, Symbol, SymbolId,
        Value,
    };

    use super::super::super::Program;
    use super::super::Linker;

    /// A declaration of a function with external linkage. Names that begin with `s_` are `static`.
    #[derive(Clone, Copy, Default)]
    struct Sketch {
        name: &'static str,
        alias: Option<&'static str>,
        has_body: bool,
        is_weak: bool,
        is_marked: bool,
        /// The function that its body stores somewhere.
        stores: Option<&'static str>,
    }

    fn unit(file: &str, sketches: &[Sketch]) -> SharedFileFacts {
        let file_id = cowrap_facts::FileId(0);
        let mut facts = FileFacts { files: vec![PathBuf::from(file)], ..FileFacts::default() };
        let mut symbol = |name: &str| {
            let file = name.starts_with("s_").then_some(file_id);
            facts.symbols.push(Symbol { name: name.to_owned(), file });
            SymbolId(facts.symbols.len() as u32 - 1)
        };
        let mut symbols = Vec::new();
        for sketch in sketches {
            symbols.push((symbol(sketch.name), sketch.alias.map(&mut symbol), sketch.stores.map(&mut symbol)));
        }
        for ((sketch, (symbol, alias, stored)), line) in sketches.iter().zip(symbols).zip(1..) {
            let location = Location { file: file_id, line, column: 1 };
            facts.declarations.push(Declaration {
                symbol,
                location,
                marks: sketch.is_marked.then_some(Mark { mark: MarkId(0), location }).into_iter().collect(),
                definition: sketch.has_body,
                never_returns: false,
                weak: sketch.is_weak,
                alias,
                signature: None,
            });
            if sketch.has_body {
                let mut body = Body::new(symbol, location);
                body.stores.extend(stored.map(|function| Store {
                    to: None,
                    value: Value::Function(function),
                    location,
                    paired_flags: PairedFlags::NONE,
                }));
                facts.bodies.push(body);
            }
        }
        SharedFileFacts::new(facts)
    }

    fn link(units: &[SharedFileFacts]) -> Program {
        let mut linker = Linker::default();
        units.iter().zip(0..).for_each(|(unit, number)| linker.add(number, unit));
        linker.finish(Path::to_path_buf)
    }

    fn body(name: &'static str) -> Sketch {
        Sketch { name, has_body: true, ..Sketch::default() }
    }

    fn alias(name: &'static str, of: &'static str) -> Sketch {
        Sketch { name, alias: Some(of), ..Sketch::default() }
    }

    #[test]
    fn an_alias_is_the_function_that_it_names_in_any_unit() {
        let program =
            link(&[unit("/a.c", &[alias("one", "two"), alias("two", "three")]), unit("/b.c", &[body("three")])]);
        assert_eq!(program.functions.len(), 1);
        let three = program.external("three").unwrap();
        assert_eq!(program.function(three).aliases, ["one", "two"]);
        assert_eq!((program.external("one"), program.by_name("two")), (Some(three), Some(three)));
        assert_eq!(program.named("one").collect::<Vec<_>>(), [three]);
    }

    #[test]
    fn the_static_function_of_the_file_comes_first() {
        let here = unit("/a.c", &[alias("name", "s_f"), body("s_f")]);
        let program = link(&[here, unit("/b.c", &[body("s_f")])]);
        let named = program.function(program.external("name").unwrap());
        assert_eq!(program.path(named.file.unwrap()), Path::new("/a.c"));
    }

    #[test]
    fn a_name_of_nothing_in_the_program_stays() {
        let program = link(&[unit("/a.c", &[alias("open", "open64")])]);
        assert_eq!(program.function(program.external("open").unwrap()).name, "open");
        let marked = Sketch { name: "open64", is_marked: true, ..Sketch::default() };
        let program = link(&[unit("/a.c", &[alias("open", "open64"), marked])]);
        assert_eq!(program.function(program.external("open").unwrap()).name, "open64");
    }

    #[test]
    fn aliases_in_a_circle_name_nothing() {
        let program = link(&[unit("/a.c", &[alias("a", "b"), alias("b", "c"), alias("c", "a"), alias("d", "d")])]);
        assert_eq!(program.functions.len(), 4);
    }

    #[test]
    fn a_weak_alias_gives_way_to_a_body() {
        let weak = Sketch { is_weak: true, ..alias("f", "fallback") };
        let program = link(&[unit("/a.c", &[weak, body("fallback")]), unit("/b.c", &[body("f")])]);
        assert_eq!(program.function(program.external("f").unwrap()).name, "f");
    }

    #[test]
    fn a_weak_body_gives_way_to_another() {
        let weak = Sketch { is_weak: true, ..body("f") };
        let program = link(&[unit("/a.c", &[body("e"), weak]), unit("/b.c", &[body("f")]), unit("/c.c", &[weak])]);
        let bodies: Vec<_> = program.bodies_of(program.external("f").unwrap()).collect();
        assert_eq!(bodies.len(), 1);
        assert_eq!(program.path(bodies[0].location.file), Path::new("/b.c"));
        assert_eq!(program.bodies.len(), 2);
        let program = link(&[unit("/a.c", &[weak]), unit("/c.c", &[weak])]);
        assert_eq!(program.bodies.len(), 2);
    }

    #[test]
    fn a_weak_body_that_gives_way_stores_nothing() {
        let stores = |name, stored, is_weak| Sketch { stores: Some(stored), is_weak, ..body(name) };
        let weak = unit("/a.c", &[stores("f", "g", true), body("g")]);
        let stored = |program: &Program| program.stores_of(program.external("g").unwrap()).len();
        let program = link(&[weak.clone(), unit("/b.c", &[stores("f", "h", false), body("h")])]);
        assert_eq!(stored(&program), 0);
        assert_eq!(program.stores_of(program.external("h").unwrap()).len(), 1);
        let other = unit("/c.c", &[stores("f", "g", true)]);
        assert_eq!(stored(&link(&[weak, other])), 2);
    }

    #[test]
    fn the_name_of_a_body_s_symbol_is_another_name() {
        let renamed = Sketch { has_body: true, ..alias("impl", "pub") };
        let caller = unit("/b.c", &[Sketch { name: "pub", is_marked: true, ..Sketch::default() }]);
        let further = unit("/c.c", &[alias("other", "pub")]);
        let program = link(&[unit("/a.c", &[renamed]), caller.clone(), further.clone()]);
        let named = program.external("impl").unwrap();
        assert_eq!((program.external("pub"), program.external("other")), (Some(named), Some(named)));
        assert_eq!(program.function(named).aliases, ["other", "pub"]);
        assert_eq!(program.function(named).declarations.len(), 2);
        // A body of that name is another function; what is weak names no symbol.
        let program = link(&[unit("/a.c", &[renamed]), unit("/b.c", &[body("pub")])]);
        assert_eq!(program.functions.len(), 2);
        let program = link(&[unit("/a.c", &[Sketch { is_weak: true, ..renamed }]), caller.clone()]);
        assert_eq!(program.functions.len(), 2);
        // Names of each other.
        let program = link(&[unit("/a.c", &[renamed]), caller, unit("/c.c", &[alias("pub", "impl")])]);
        assert_eq!(program.functions.len(), 1);
        // The first of two bodies, whatever the order of the units.
        let second = Sketch { name: "second", ..renamed };
        for units in [[renamed, second], [second, renamed]] {
            let program = link(&units.map(|sketch| unit("/a.c", &[sketch])));
            assert_eq!(program.external("pub"), program.external("impl"));
        }
    }

    #[test]
    fn a_long_chain_of_aliases_has_one_end() {
        let names: Vec<&'static str> = (0..4000).map(|number| &*format!("f{number}").leak()).collect();
        let mut chain: Vec<Sketch> = names.windows(2).map(|pair| alias(pair[0], pair[1])).collect();
        let open = link(&[unit("/a.c", &chain)]);
        assert_eq!(open.functions.len(), names.len());
        chain.push(body("f3999"));
        let program = link(&[unit("/a.c", &chain)]);
        assert_eq!(program.functions.len(), 1);
    }
}
