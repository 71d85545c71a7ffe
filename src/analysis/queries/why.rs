//! `why`: what cowrap infers about a function, with witnesses.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::effects::{
    Ambiguity, CallChain, Callee, Effects, Goal, PrimitiveCause, Provenance, Search, SlotProvenance, Step,
};
use crate::program::{FunctionId, Location};
use crate::wording::{described_callee, in_context, name, origin, origin_of_step, pointers, span, step};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;
use cowrap_report::{Explanation, Inference, Label, Witness};

use super::{QueryError, find, full_name};

/// Explains what cowrap infers about each function of a name. `all` asks for one witness for each call that leads to
/// the goal, instead of the best. With `to`, that function is the goal instead of everything that requires another
/// context, and the answer is about nothing else.
///
/// # Errors
///
/// The program has no function of the name.
pub fn why(effects: &Effects<'_>, wanted: &str, to: Option<&str>, all: bool) -> Result<Vec<Explanation>, QueryError> {
    let functions = find(effects, wanted)?;
    let goal = to.map_or(Ok(Goal::AnyRequirement), |to| find(effects, to).map(Goal::Functions))?;
    // This uses all threads. It must not start while the parallel searches wait for it.
    effects.entry_contexts();
    let starts = |context: &Context| functions.iter().any(|function| effects.start(*function).contains(*context));
    let contexts: Vec<Context> = Context::ALL.into_iter().filter(starts).collect();
    let search = |context| (context, Search::new(effects, context, goal.clone()));
    let searches: Vec<_> = contexts.into_par_iter().map(search).collect();
    Ok(functions.into_iter().map(|function| explain(effects, &searches, function, to, all)).collect())
}

fn explain(
    effects: &Effects<'_>,
    searches: &[(Context, Search<'_, '_>)],
    function: FunctionId,
    to: Option<&str>,
    all: bool,
) -> Explanation {
    let mut inferences = Vec::new();
    for (context, search) in searches {
        if !effects.start(function).contains(*context) {
            continue;
        }
        inferences.extend(entered(effects, search, *context, function));
        inferences.push(leads(effects, search, *context, function, to, all));
    }
    let has_primitives = !effects.pack.primitives.is_empty();
    if to.is_none() && has_primitives && effects.start(function).contains(Context::Inside) {
        inferences.push(reaches_primitive(effects, function));
    }
    Explanation {
        function: full_name(effects, function),
        requirement: requirement(effects, function),
        declarations: declarations(effects, function),
        inferences,
    }
}

/// What a function requires of its caller, and why.
pub(super) fn requirement(effects: &Effects<'_>, function: FunctionId) -> String {
    let requirement = effects.requirement(function);
    let effect = requirement.effect.map_or("no requirement", |effect| effects.pack.words.effect(effect));
    let mark_name = |mark: crate::program::Mark| &effects.pack.mark(mark.mark).name;
    match requirement.provenance {
        Provenance::Marked(mark) => format!("{effect}, marked `{}`", mark_name(mark)),
        Provenance::Inferred(_) => format!("{effect}, inferred from an assertion that every path passes"),
        Provenance::Modelled(model) => {
            format!("{effect}, by a model of the pack: {}", effects.pack.models[model].reason)
        }
        Provenance::Polling => format!("{effect}: the pack says that it runs the event loop"),
        Provenance::Installed => match effects.installation(function) {
            Some(installed) => format!("{effect}, stored in {}", effects.slot_name(installed.slot)),
            None => effect.to_owned(),
        },
        Provenance::Contradictory(one, other) => {
            format!("no requirement: `{}` and `{}` contradict each other", mark_name(one), mark_name(other))
        }
        Provenance::Unmarked if effects.program.function(function).bodies.is_empty() => {
            "unmarked, and no body in the program".to_owned()
        }
        Provenance::Unmarked => match effects.thread_of(function) {
            Some((_, slot)) => {
                format!("unmarked, passed to {}, which runs it in another thread", effects.slot_name(slot))
            }
            None if effects.runs_only_inside(function) => {
                format!("unmarked, runs only {}, by its callers", effects.pack.words.inside)
            }
            None => "unmarked, may be called in both contexts".to_owned(),
        },
    }
}

fn declarations(effects: &Effects<'_>, function: FunctionId) -> Vec<Label> {
    let linked = effects.program.function(function);
    let mut labels: Vec<Label> = Vec::new();
    for declaration in &linked.declarations {
        let what = if declaration.definition { "defined" } else { "declared" };
        let marks = effects.mark_names(&declaration.marks).map(|mark| format!(", `{mark}`"));
        let never = if declaration.never_returns { ", never returns" } else { "" };
        let text = format!("{what} here{}{never}", marks.collect::<String>());
        labels.push(Label { at: span(effects, declaration.location), text });
    }
    if let Some((context, location)) = effects.asserted(function) {
        let text = format!("asserts here that it runs {}", in_context(effects, context));
        labels.push(Label { at: span(effects, location), text });
    }
    // Whoever knows that it is an entry wants to know why.
    if effects.requirement(function).provenance == Provenance::Installed
        && let Some(installed) = effects.installation(function)
    {
        let steps = origin(effects, &installed.origin).into_iter();
        labels.extend(steps.map(|(location, text)| Label { at: span(effects, location), text }));
    }
    labels
}

/// Whether and by which chain a function is called in a context.
fn entered(
    effects: &Effects<'_>,
    search: &Search<'_, '_>,
    context: Context,
    function: FunctionId,
) -> Option<Inference> {
    let (name, context_words) = (name(effects, function), in_context(effects, context));
    if effects.effect(function).is_some_and(|effect| effect.allows(context) && !effect.allows(context.other())) {
        return None;
    }
    // The requirement says already that an entry starts inside, and why.
    if context == Context::Inside && effects.effect(function) == Some(Effect::Entry) {
        return None;
    }
    let Some((ambiguity, steps)) = search.entry(function) else {
        let possible: ContextSet = effects.entry_contexts().possible.contexts(function);
        return Some(without_witness(match possible.contains(context) {
            true => format!("`{name}` may be called {context_words}, since some of its callers are unknown"),
            false => format!("`{name}` is not called {context_words}, as far as cowrap can tell"),
        }));
    };
    let verb = if ambiguity == Ambiguity::NONE { "is" } else { "may be" };
    let text = format!("`{name}` {verb} called {context_words}");
    Some(Inference { text, witnesses: vec![witness(effects, context, ambiguity, false, &steps)], more: 0 })
}

/// Whether a function leads to something that requires the other context, or to the function `to`.
fn leads(
    effects: &Effects<'_>,
    search: &Search<'_, '_>,
    context: Context,
    function: FunctionId,
    to: Option<&str>,
    all: bool,
) -> Inference {
    let chains = search.chains_from(function);
    let (name, context_words) = (name(effects, function), in_context(effects, context));
    let effect = effects.pack.words.effect(match context {
        Context::Inside => Effect::OutsideOnly,
        Context::Outside => Effect::InsideOnly,
    });
    let Some(best) = chains.first() else {
        let goal = to.map_or_else(|| format!("anything {effect}"), |to| format!("`{to}`"));
        let text = format!("{context_words}, `{name}` does not lead to {goal}, as far as cowrap can tell");
        return without_witness(text);
    };
    let leads = if best.ambiguity == Ambiguity::NONE && !best.conditional { "leads" } else { "may lead" };
    let found = best.steps.last().map_or_else(String::new, |last| described_callee(effects, last.callee));
    let goal = match to {
        Some(to) => format!("`{to}`"),
        None if all && chains.len() > 1 => format!("something {effect}"),
        None => found,
    };
    let calls = if all && chains.len() > 1 { format!(", via {} of its calls", chains.len()) } else { String::new() };
    let text = format!("{context_words}, `{name}` {leads} to {goal}{calls}");
    let shown = if all { chains.len() } else { 1 };
    let to_witness = |chain: &CallChain| witness(effects, context, chain.ambiguity, chain.conditional, &chain.steps);
    let witnesses = chains.iter().take(shown).map(to_witness).collect();
    Inference { text, witnesses, more: chains.len() - shown }
}

fn without_witness(text: String) -> Inference {
    Inference { text, witnesses: Vec::new(), more: 0 }
}

fn witness(
    effects: &Effects<'_>,
    context: Context,
    ambiguity: Ambiguity,
    conditional: bool,
    steps: &[Step],
) -> Witness {
    let mut remarks = vec![format!("all calls {}", in_context(effects, context))];
    if ambiguity.ways() > 1 {
        remarks.push(pointers(effects, ambiguity, steps));
    }
    if conditional {
        remarks.push("only for some values of the function's parameters".to_owned());
    }
    let ends = steps.first().map(|first| Callee::Function(first.caller)).into_iter();
    let ends = ends.chain(steps.last().map(|last| last.callee));
    let grounds = ends.filter_map(|end| ground(effects, end)).collect();
    let steps = steps.iter().flat_map(|call| labels(effects, call)).collect();
    Witness { remarks, steps, grounds }
}

/// A call of a chain, with the store and the copies that a call through a slot rests on.
pub(super) fn labels(effects: &Effects<'_>, call: &Step) -> Vec<Label> {
    let called = (call.location, step(effects, call));
    let origin = origin_of_step(effects, call).map(|found| origin(effects, &found));
    let labels = std::iter::once(called).chain(origin.into_iter().flatten());
    labels.map(|(location, text)| Label { at: span(effects, location), text }).collect()
}

/// The mark or assertion that requires a context.
pub(super) fn ground(effects: &Effects<'_>, callee: Callee) -> Option<Label> {
    let label = |location: Location, text: String| Some(Label { at: span(effects, location), text });
    match callee {
        Callee::Function(function) => {
            let name = name(effects, function);
            match effects.requirement(function).provenance {
                Provenance::Marked(mark) => {
                    label(mark.location, format!("`{name}` is marked `{}`", effects.pack.mark(mark.mark).name))
                }
                Provenance::Inferred(location) => label(location, format!("`{name}` asserts its context")),
                Provenance::Unmarked
                | Provenance::Installed
                | Provenance::Modelled(_)
                | Provenance::Polling
                | Provenance::Contradictory(..) => None,
            }
        }
        Callee::Slot(slot) => {
            let SlotProvenance::Marked(mark) = effects.slot_requirement(slot)?.provenance else { return None };
            let slot = effects.slot_name(effects.marked_slot(slot));
            let mark_name = &effects.pack.mark(mark.mark).name;
            label(mark.location, format!("{slot} is marked `{mark_name}`"))
        }
    }
}

/// Whether a function may reach a primitive.
pub(super) fn reaches_primitive(effects: &Effects<'_>, function: FunctionId) -> Inference {
    let (name, words) = (name(effects, function), &effects.pack.words);
    let Some((steps, last, cause)) = effects.path_to_primitive(function) else {
        return without_witness(format!("`{name}` {}", words.never_in_full));
    };
    let last = self::name(effects, last);
    let mut labels: Vec<Label> = steps.iter().flat_map(|call| labels(effects, call)).collect();
    let (reason, location) = match cause {
        PrimitiveCause::Listed => (format!("the pack lists `{last}` {}", words.listed), None),
        PrimitiveCause::NoBody => (format!("the program does not have the body of `{last}`"), None),
        PrimitiveCause::FunctionPointer(location) => {
            (format!("`{last}` calls through a function pointer"), Some(location))
        }
        PrimitiveCause::Unresolved(location) => {
            (format!("`{last}` has a call that cowrap cannot resolve"), Some(location))
        }
    };
    labels.extend(location.map(|location| Label { at: span(effects, location), text: reason.clone() }));
    let text = format!("`{name}` {}: {reason}", words.may_in_full);
    let witnesses = match labels.is_empty() {
        true => Vec::new(),
        false => vec![Witness { remarks: Vec::new(), steps: labels, grounds: Vec::new() }],
    };
    Inference { text, witnesses, more: 0 }
}
