//! Functions that are another name for a function: `__attribute__((alias))`, `weakref`, `#pragma weak a = b`,
//! `__asm__("b")`. And bodies that are weak.

use rustc_hash::FxHashSet as HashSet;

use super::super::{BodyId, FileId, Function, FunctionId, IndexVec};
use super::Linker;

/// An other name: of a function with external linkage, or of a `static` one in a file.
pub(super) type OtherName = (String, Option<FileId>, FunctionId);

impl Linker {
    /// For each function, the one that it is another name for, or itself.
    pub(super) fn named_functions(&self) -> IndexVec<FunctionId, FunctionId> {
        let mut named: IndexVec<FunctionId, FunctionId> = self.functions.ids().collect();
        for function in self.aliases.keys() {
            if let Some(other) = self.named_function(*function) {
                named[*function] = other;
            }
        }
        named
    }

    /// The function that this one is another name for. A function with a body of its own is not another name: the alias
    /// was weak.
    fn named_function(&self, function: FunctionId) -> Option<FunctionId> {
        let mut seen = vec![function];
        let mut named = None;
        let mut at = function;
        // An alias of an alias is what that one names.
        while self.functions[at].bodies.is_empty()
            && let Some(next) = self.next_name(at)
        {
            if seen.contains(&next) {
                return None;
            }
            seen.push(next);
            if self.is_in_program(next) {
                named = Some(next);
            }
            at = next;
        }
        named
    }

    /// The function that the declarations of an alias name.
    fn next_name(&self, alias: FunctionId) -> Option<FunctionId> {
        let names = self.aliases.get(&alias)?.iter();
        let found = names.filter_map(|(name, file)| {
            let of = |file| self.function_ids.get(&(name.clone(), file)).copied();
            let found = of(Some(*file)).filter(|found| self.is_known(*found)).or_else(|| of(None))?;
            let function = &self.functions[found];
            let path = function.file.map(|file| &self.files[file]);
            (found != alias && self.is_known(found)).then_some(((&function.name, path), found))
        });
        found.min().map(|(_, found)| found)
    }

    /// Whether the program knows more of a function than its name.
    fn is_known(&self, function: FunctionId) -> bool {
        self.is_in_program(function) || self.aliases.contains_key(&function)
    }

    fn is_in_program(&self, function: FunctionId) -> bool {
        let Function { bodies, declarations, .. } = &self.functions[function];
        !bodies.is_empty() || declarations.iter().any(|declaration| !declaration.marks.is_empty())
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
            if target.name != name && !target.aliases.contains(&name) {
                target.aliases.push(name.clone());
                target.aliases.sort_unstable();
            }
            names.push((name, file, function));
        }
        names
    }

    /// Removes weak bodies of functions that have another body.
    pub(super) fn drop_weak_bodies(&mut self) {
        let mut dropped: HashSet<BodyId> = HashSet::default();
        for function in self.functions.as_mut_slice().iter_mut().filter(|function| function.bodies.len() > 1) {
            let weak = function.declarations.iter().filter(|declared| declared.definition && declared.weak);
            let weak: Vec<_> = weak.map(|declared| declared.location).collect();
            let is_weak = |body: &BodyId| weak.contains(&self.bodies[*body].location);
            if !weak.is_empty() && !function.bodies.iter().all(is_weak) {
                dropped.extend(function.bodies.iter().copied().filter(is_weak));
                function.bodies.retain(|body| !dropped.contains(body));
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
        for body in self.functions.as_mut_slice().iter_mut().flat_map(|function| &mut function.bodies) {
            *body = new[*body];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use cowrap_facts::{Body, Declaration, FileFacts, Location, Mark, MarkId, SharedFileFacts, Symbol, SymbolId};

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
    }

    fn unit(file: &str, sketches: &[Sketch]) -> SharedFileFacts {
        let file_id = cowrap_facts::FileId(0);
        let mut facts = FileFacts { files: vec![PathBuf::from(file)], ..FileFacts::default() };
        let mut symbol = |name: &str| {
            let file = name.starts_with("s_").then_some(file_id);
            facts.symbols.push(Symbol { name: name.to_owned(), file });
            SymbolId(facts.symbols.len() as u32 - 1)
        };
        let symbols: Vec<_> =
            sketches.iter().map(|sketch| (symbol(sketch.name), sketch.alias.map(&mut symbol))).collect();
        for ((sketch, (symbol, alias)), line) in sketches.iter().zip(symbols).zip(1..) {
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
                facts.bodies.push(Body {
                    symbol,
                    location,
                    flags: Vec::new(),
                    calls: Vec::new(),
                    slot_calls: Vec::new(),
                    stores: Vec::new(),
                    returns_after: None,
                    assertion: None,
                    critical_sections: Vec::new(),
                    releases: Vec::new(),
                });
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
}
