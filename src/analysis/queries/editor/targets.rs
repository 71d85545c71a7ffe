//! Where to go from a function or slot: to its wrappers, to what it wraps, to what it may point to.

use crate::effects::Effects;
use crate::program::{FunctionId, Location};
use crate::wording::{name, span};
use cowrap_report::{Target, TargetKind};

use super::super::paths::home;
use super::{Symbol, Word, symbol_at};

/// The wrappers of the function at a word, what it wraps, or what the slot at the word may point to.
pub fn targets(effects: &Effects<'_>, word: &Word<'_>) -> Vec<Target> {
    let found: Vec<(TargetKind, FunctionId, Option<Location>)> = match symbol_at(effects, word) {
        Some(Symbol::Function(function)) => wrapping(effects, function),
        Some(Symbol::Slot(slot)) => {
            let candidates = effects.points_to.candidates(slot).iter();
            candidates.map(|function| (TargetKind::Candidate, *function, home(effects, *function))).collect()
        }
        None => Vec::new(),
    };
    let target = |(kind, function, location): (TargetKind, FunctionId, Option<Location>)| {
        Some(Target { name: name(effects, function).to_owned(), kind, at: span(effects, location?) })
    };
    found.into_iter().filter_map(target).collect()
}

/// The wrappers of a function and what it wraps itself, with their locations. That of a wrapper is where its mark is,
/// since its body is generated.
pub(super) fn wrapping(effects: &Effects<'_>, function: FunctionId) -> Vec<(TargetKind, FunctionId, Option<Location>)> {
    let own = effects.declared_wrapper(function).and_then(|wrapper| wrapper.target);
    let target = own.map(|target| (TargetKind::Target, target, home(effects, target)));
    let own_name = name(effects, function);
    let names = [effects.pack.wrapper_name(own_name), effects.pack.target_name(own_name)];
    let wrappers = names.into_iter().flatten().filter_map(|name| {
        let wrapper = effects.declared_wrapper(effects.program.by_name(&name)?)?;
        let declared = effects.program.function(wrapper.function).declarations.iter();
        let mut marked = declared.filter(|declaration| declaration.marks.contains(&wrapper.mark));
        let location = marked.next().map(|declaration| declaration.location);
        (wrapper.target == Some(function)).then_some((TargetKind::Wrapper, wrapper.function, location))
    });
    target.into_iter().chain(wrappers).collect()
}
