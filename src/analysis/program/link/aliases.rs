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
