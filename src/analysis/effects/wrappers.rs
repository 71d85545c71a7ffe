//! The wrappers that the tree declares: which function each wraps, and what there is of both.

use crate::program::{Declaration, FunctionId, Mark};
use cowrap_packs::{Effect, LockMode, Wrapper};

use super::{Effects, Provenance};

/// A function that is declared with a wrapper mark.
#[derive(Clone, Debug)]
pub struct DeclaredWrapper<'a> {
    /// The wrapper.
    pub function: FunctionId,
    /// Its mark, on the first declaration that bears one.
    pub mark: Mark,
    /// What the mark says.
    pub spec: &'a Wrapper,
    /// The name of what it wraps; `None` when its own name does not tell.
    pub target_name: Option<String>,
    /// What it wraps, when the program has it.
    pub target: Option<FunctionId>,
}

impl<'a> Effects<'a> {
    /// Every wrapper that the tree declares, sorted by name.
    pub fn wrappers(&self) -> Vec<DeclaredWrapper<'a>> {
        let bears_marks = |function: &FunctionId| {
            matches!(self.requirement(*function).provenance, Provenance::Marked(_) | Provenance::Contradictory(..))
        };
        let marked = self.program.function_ids().filter(bears_marks);
        marked.filter_map(|function| self.declared_wrapper(function)).collect()
    }

    fn declared_wrapper(&self, function: FunctionId) -> Option<DeclaredWrapper<'a>> {
        let (mark, _) = self.context_marks(function).into_iter().find(|(mark, _)| self.wraps(mark).is_some())?;
        let spec = self.wraps(&mark)?;
        let name = &self.program.function(function).name;
        let target_name = match spec.calls {
            Effect::CoroutineOnly => self.pack.target_name(name),
            Effect::Mixed | Effect::NonCoroutineOnly => self.pack.wrapper_name(name),
        };
        let target = target_name.as_deref().and_then(|name| self.program.by_name(name));
        Some(DeclaredWrapper { function, mark, spec, target_name, target })
    }

    /// What a mark says of a wrapper, if it is a wrapper mark.
    pub fn wraps(&self, mark: &Mark) -> Option<&'a Wrapper> {
        self.pack.mark(mark.mark).wrapper.as_ref()
    }

    /// The lock that a function's marks say its caller must hold, and the mark.
    pub fn required_lock(&self, function: FunctionId) -> Option<(LockMode, Mark)> {
        let declarations = &self.program.function(function).declarations;
        let mut marks: Vec<(LockMode, Mark)> = declarations
            .iter()
            .flat_map(|declaration| &declaration.marks)
            .filter_map(|mark| Some((self.pack.mark(mark.mark).lock?, *mark)))
            .collect();
        marks.sort_by_key(|(_, mark)| *mark);
        marks.first().copied()
    }

    /// Whether two functions certainly have the same type.
    pub fn have_one_type(&self, one: FunctionId, other: FunctionId) -> bool {
        let (one, other) = (self.typed_declaration(one), self.typed_declaration(other));
        matches!((one, other), (Some((_, one)), Some((_, other))) if one == other)
    }

    /// A declaration of which the type was read: the definition, else the first.
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
