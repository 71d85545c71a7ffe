//! The marks of functions and declarations, and the pack's mark for a purpose.

use std::collections::BTreeSet;

use crate::program::{Declaration, FunctionId, Location, Mark};
use cowrap_facts::MarkId;
use cowrap_packs::{Effect, LockMode, MarkSpec};

use super::Effects;

impl<'a> Effects<'a> {
    /// The marks on all declarations of a function that require a context: those of prototypes before those of
    /// definitions, as a reader meets them, each sorted by location.
    pub fn context_marks(&self, function: FunctionId) -> Vec<(Mark, Effect)> {
        let declarations = &self.program.function(function).declarations;
        let mut marks: Vec<(bool, Mark, Effect)> = declarations
            .iter()
            .flat_map(|declaration| declaration.marks.iter().map(|mark| (declaration.definition, *mark)))
            .filter_map(|(definition, mark)| Some((definition, mark, self.pack.mark(mark.mark).effect?)))
            .collect();
        marks.sort_unstable();
        marks.into_iter().map(|(_, mark, effect)| (mark, effect)).collect()
    }

    /// The names of all marks of a function, lock marks too; sorted.
    pub fn marks_of(&self, function: FunctionId) -> BTreeSet<&'a str> {
        let declarations = self.program.function(function).declarations.iter();
        self.mark_names(declarations.flat_map(|declared| &declared.marks)).collect()
    }

    /// The names of those of these marks that are the pack's own, in the same order.
    pub fn mark_names<'m>(&self, marks: impl IntoIterator<Item = &'m Mark>) -> impl Iterator<Item = &'a str> {
        let pack = self.pack;
        let specs = marks.into_iter().map(|mark| pack.mark(mark.mark)).filter(|spec| !spec.is_foreign);
        specs.map(|spec| spec.name.as_str())
    }

    /// For a function with a context mark on a declaration, a declaration without one. Definitions in generated files do
    /// not count, since they need no mark. A mark that is a statement in the body is on no other declaration.
    pub fn unmarked_declaration(&self, function: FunctionId) -> Option<Location> {
        let declarations = &self.program.function(function).declarations;
        let is_declared = |mark: &Mark| {
            let spec = self.pack.mark(mark.mark);
            spec.effect.is_some() && !spec.statement
        };
        if !declarations.iter().any(|declaration| declaration.marks.iter().any(is_declared)) {
            return None;
        }
        declarations
            .iter()
            .filter(|declaration| !(declaration.definition && self.is_generated(declaration.location)))
            .find(|declaration| !self.has_context_mark(declaration))
            .map(|declaration| declaration.location)
    }

    /// All declarations of a function without a context mark. Those in generated files are listed only if there are no
    /// others.
    pub fn unmarked_declarations(&self, function: FunctionId) -> Vec<Location> {
        let declarations = self.program.function(function).declarations.iter();
        let unmarked = declarations.filter(|declaration| !self.has_context_mark(declaration));
        let (generated, written): (Vec<Location>, Vec<Location>) =
            unmarked.map(|declaration| declaration.location).partition(|location| self.is_generated(*location));
        if written.is_empty() { generated } else { written }
    }

    fn has_context_mark(&self, declaration: &Declaration) -> bool {
        declaration.marks.iter().any(|mark| self.pack.mark(mark.mark).effect.is_some())
    }

    /// Where a function is declared without being defined, in a file that no generator wrote.
    pub fn prototype(&self, function: FunctionId) -> Option<Location> {
        let declarations = self.program.function(function).declarations.iter();
        let mut prototypes = declarations.filter(|declared| !declared.definition).map(|declared| declared.location);
        prototypes.find(|location| !self.is_generated(*location))
    }

    /// Whether a generator wrote the file of a location.
    pub fn is_generated(&self, location: Location) -> bool {
        let path = self.program.path(location.file);
        self.tree.is_built(path) || self.pack.is_generated(self.tree.relative(path))
    }

    /// The pack's first mark for an effect, if it does not declare wrappers.
    pub fn plain_mark(&self, effect: Effect) -> Option<MarkId> {
        self.find_mark(|_, mark| mark.effect == Some(effect) && mark.wrapper.is_none())
    }

    /// The name of the same mark, if the tree uses it on declarations. A mark that the tree does not use may be undefined
    /// there.
    pub fn usable_mark(&self, effect: Effect) -> Option<&'a str> {
        let mark = self.plain_mark(effect).filter(|mark| self.program.declares_mark(*mark))?;
        let spec = self.pack.mark(mark);
        (!spec.statement).then_some(&spec.name)
    }

    /// The pack's first wrapper mark that the tree uses for wrappers of functions with an effect.
    pub fn wrapper_mark(&self, calls: Effect) -> Option<MarkId> {
        let wraps = |mark: &MarkSpec| mark.wrapper.as_ref().is_some_and(|wrapper| wrapper.calls == calls);
        self.find_mark(|id, mark| wraps(mark) && self.program.declares_mark(id))
    }

    /// The pack's first mark that the tree uses for wrappers of inside-only functions that take this lock; for mixed
    /// wrappers if `mixed`. A tree whose only wrapper mark is mixed uses that one for all.
    pub fn wrapper_mark_for(&self, mixed: bool, lock: Option<LockMode>) -> Option<&'a str> {
        let fits = |mark: &MarkSpec, effect: Effect| {
            let wraps = mark.wrapper.as_ref();
            mark.effect == Some(effect)
                && wraps.is_some_and(|wraps| wraps.calls == Effect::InsideOnly && wraps.lock == lock)
        };
        let find = |effect| {
            self.find_mark(|id, mark| fits(mark, effect) && self.program.declares_mark(id))
                .map(|id| self.pack.mark(id).name.as_str())
        };
        if mixed { find(Effect::Mixed) } else { find(Effect::OutsideOnly).or_else(|| find(Effect::Mixed)) }
    }

    fn find_mark(&self, wanted: impl Fn(MarkId, &MarkSpec) -> bool) -> Option<MarkId> {
        let mut numbered = self.pack.marks.iter().enumerate().map(|(number, mark)| (MarkId(number as u16), mark));
        numbered.find(|(id, mark)| wanted(*id, mark)).map(|(id, _)| id)
    }
}
