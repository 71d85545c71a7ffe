//! The wrappers that the tree declares, and the function that each wraps.

use crate::program::{Declaration, FunctionId, Mark};
use cowrap_packs::{Effect, LockMode, Wrapper};

use super::{Effects, Provenance};

/// A function with a wrapper mark.
#[derive(Clone, Debug)]
pub struct DeclaredWrapper<'a> {
    /// The wrapper.
    pub function: FunctionId,
    /// Its mark, on its first declaration that has one.
    pub mark: Mark,
    /// What the mark says.
    pub spec: &'a Wrapper,
    /// The name of its target; `None` if its own name has another form.
    pub target_name: Option<String>,
    /// Its target, if the program has it.
    pub target: Option<FunctionId>,
}

impl<'a> Effects<'a> {
    /// Every wrapper that the tree declares, sorted by name.
    pub fn wrappers(&self) -> Vec<DeclaredWrapper<'a>> {
        let has_marks = |function: &FunctionId| {
            matches!(self.requirement(*function).provenance, Provenance::Marked(_) | Provenance::Contradictory(..))
        };
        let marked = self.program.function_ids().filter(has_marks);
        marked.filter_map(|function| self.declared_wrapper(function)).collect()
    }

    /// The wrapper that a function is, by one of its marks.
    pub fn declared_wrapper(&self, function: FunctionId) -> Option<DeclaredWrapper<'a>> {
        let (mark, _) = self.context_marks(function).into_iter().find(|(mark, _)| self.wraps(mark).is_some())?;
        let spec = self.wraps(&mark)?;
        let name = &self.program.function(function).name;
        let target_name = match spec.calls {
            Effect::InsideOnly => self.pack.target_name(name),
            Effect::Mixed | Effect::OutsideOnly | Effect::Entry => self.pack.wrapper_name(name),
        };
        let target = target_name.as_deref().and_then(|name| self.program.by_name(name));
        Some(DeclaredWrapper { function, mark, spec, target_name, target })
    }

    /// What a mark says about the wrapper that it declares; `None` if it is not a wrapper mark.
    pub fn wraps(&self, mark: &Mark) -> Option<&'a Wrapper> {
        self.pack.mark(mark.mark).wrapper.as_ref()
    }

    /// The function that a wrapper of this name wraps, if the program has it and it is inside-only.
    pub fn direct_target(&self, wrapper: FunctionId) -> Option<FunctionId> {
        let name = self.pack.target_name(&self.program.function(wrapper).name)?;
        let target = self.program.by_name(&name)?;
        (self.effect(target) == Some(Effect::InsideOnly)).then_some(target)
    }

    /// The wrapper of an inside-only function: a function with the wrapper's name and a wrapper mark.
    pub fn wrapper_of(&self, target: FunctionId) -> Option<FunctionId> {
        let name = self.pack.wrapper_name(&self.program.function(target).name)?;
        let wrapper = self.program.by_name(&name)?;
        let marks = self.context_marks(wrapper);
        let mut wraps = marks.iter().filter_map(|(mark, _)| self.wraps(mark));
        wraps.any(|wraps| wraps.calls == Effect::InsideOnly).then_some(wrapper)
    }

    /// The lock that a function's marks require its caller to hold, and the mark.
    pub fn required_lock(&self, function: FunctionId) -> Option<(LockMode, Mark)> {
        let declarations = self.program.function(function).declarations.iter();
        let marks = declarations.flat_map(|declaration| &declaration.marks);
        let locks = marks.filter_map(|mark| Some((self.pack.mark(mark.mark).lock?, *mark)));
        locks.min_by_key(|(_, mark)| *mark)
    }

    /// Whether two functions certainly have the same type.
    pub fn have_one_type(&self, one: FunctionId, other: FunctionId) -> bool {
        let (one, other) = (self.typed_declaration(one), self.typed_declaration(other));
        matches!((one, other), (Some((_, one)), Some((_, other))) if one == other)
    }

    /// A declaration with a type in the facts: the definition, else the first.
    pub fn typed_declaration(&self, function: FunctionId) -> Option<(&'a Declaration, &'a str)> {
        let declarations = &self.program.function(function).declarations;
        let typed = |wanted: bool| {
            declarations.iter().find_map(|declaration| {
                let signature = declaration.signature.as_deref()?;
                (declaration.definition == wanted).then_some((declaration, signature))
            })
        };
        typed(true).or_else(|| typed(false))
    }
}
