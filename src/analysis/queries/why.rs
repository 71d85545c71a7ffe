//! What is believed of a function, and why.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::effects::{Ambiguity, CallChain, Callee, Effects, Goal, Provenance, Search, Step, SuspensionCause};
use crate::program::{FunctionId, Location};
use crate::wording::{called, name, span, step};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;
use cowrap_report::Label;
use cowrap_report::{Explanation, Inference, Witness};

use super::{QueryError, find, full_name};

/// Tells what is believed of each function of a name; `all` asks for one witness for each call that a inference can
/// rest on, instead of the best. With `to`, what it leads to is that function, and nothing else is told.
///
/// # Errors
///
/// There is no function of the name.
pub fn why(effects: &Effects<'_>, wanted: &str, to: Option<&str>, all: bool) -> Result<Vec<Explanation>, QueryError> {
    let functions = find(effects, wanted)?;
    let ends = to.map_or(Ok(Goal::AnyRequirement), |to| find(effects, to).map(Goal::Functions))?;
    // What both searches need is made once, before them.
    effects.entry_contexts();
    let starts = |context: &Context| functions.iter().any(|function| effects.start(*function).contains(*context));
    let contexts: Vec<Context> = Context::ALL.into_iter().filter(starts).collect();
    let search = |context| (context, Search::new(effects, context, ends.clone()));
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
        inferences.extend(leads(effects, search, *context, function, to, all));
    }
    if to.is_none() && effects.start(function).contains(Context::Coroutine) {
        inferences.push(suspends(effects, function));
    }
    Explanation {
        function: full_name(effects, function),
        requirement: requirement(effects, function),
        declarations: declarations(effects, function),
        inferences,
    }
}

fn requirement(effects: &Effects<'_>, function: FunctionId) -> String {
    let requirement = effects.requirement(function);
    let effect = requirement.effect.map_or("nothing", Effect::describe);
    match requirement.provenance {
        Provenance::Marked(mark) => format!("{effect}, marked `{}`", effects.pack.mark(mark.mark).name),
        Provenance::Inferred(_) => format!("{effect}, inferred from the assertion that every path passes"),
        Provenance::Modelled(model) => format!("{effect}, by the pack: {}", effects.pack.models[model].reason),
        Provenance::Contradictory(one, other) => format!(
            "nothing: `{}` and `{}` contradict each other",
            effects.pack.mark(one.mark).name,
            effects.pack.mark(other.mark).name
        ),
        Provenance::Unmarked if effects.program.function(function).bodies.is_empty() => {
            "unmarked, and its body was not read".to_owned()
        }
        Provenance::Unmarked => "unmarked: nothing is demanded of its callers".to_owned(),
    }
}

fn declarations(effects: &Effects<'_>, function: FunctionId) -> Vec<Label> {
    let linked = effects.program.function(function);
    let mut labels: Vec<Label> = Vec::new();
    for declaration in &linked.declarations {
        let what = if declaration.definition { "defined" } else { "declared" };
        let marks = declaration.marks.iter().map(|mark| format!(", `{}`", effects.pack.mark(mark.mark).name));
        let never = if declaration.never_returns { ", never returns" } else { "" };
        let text = format!("{what} here{}{never}", marks.collect::<String>());
        labels.push(Label { at: span(effects, declaration.location), text });
    }
    if let Some((assertion, location)) = effects.asserted(function) {
        let text = format!("asserts here that control is {}", words_for(assertion));
        labels.push(Label { at: span(effects, location), text });
    }
    labels
}

fn words_for(context: Context) -> &'static str {
    match context {
        Context::Coroutine => "in a coroutine",
        Context::NonCoroutine => "outside of coroutines",
    }
}

/// Whether and how control comes to a function in a context.
fn entered(
    effects: &Effects<'_>,
    search: &Search<'_, '_>,
    context: Context,
    function: FunctionId,
) -> Option<Inference> {
    let has = |entered: ContextSet| entered.contains(context);
    let (name, location) = (name(effects, function), words_for(context));
    if effects
        .requirement(function)
        .effect
        .is_some_and(|effect| effect.allows(context) && !effect.allows(context.other()))
    {
        return None;
    }
    let Some((ambiguity, steps)) = search.entry(function) else {
        let text = if has(effects.entry_contexts().possible.contexts(effects.program, function)) {
            format!("`{name}` may be called {location}: nobody is known to, but not all its callers are known")
        } else {
            format!("`{name}` is never called {location}, as far as the program tells")
        };
        return Some(Inference { text, witnesses: Vec::new(), more: 0 });
    };
    let verb = if ambiguity == Ambiguity::NONE { "is" } else { "may be" };
    let text = format!("`{name}` {verb} called {location}");
    Some(Inference { text, witnesses: vec![witness(effects, context, ambiguity, false, &steps)], more: 0 })
}

/// What a function leads to that demands the other context.
fn leads(
    effects: &Effects<'_>,
    search: &Search<'_, '_>,
    context: Context,
    function: FunctionId,
    to: Option<&str>,
    all: bool,
) -> Option<Inference> {
    let chains = search.chains_from(function);
    let (name, location) = (name(effects, function), words_for(context));
    let sought = match (to, context) {
        (Some(to), _) => format!("`{to}`"),
        (None, Context::Coroutine) => format!("what is {}", Effect::NonCoroutineOnly.describe()),
        (None, Context::NonCoroutine) => format!("what is {}", Effect::CoroutineOnly.describe()),
    };
    let Some(best) = chains.first() else {
        let text = format!("{location}, `{name}` does not lead to {sought}, as far as the program tells");
        return Some(Inference { text, witnesses: Vec::new(), more: 0 });
    };
    let may = if best.ambiguity == Ambiguity::NONE && !best.conditional { "leads" } else { "may lead" };
    let offender = best.steps.last().map_or_else(String::new, |last| called(effects, last.callee));
    let text = match all && chains.len() > 1 {
        true => format!("{location}, `{name}` {may} to {sought} by {} of its calls", chains.len()),
        false if to.is_some() => format!("{location}, `{name}` {may} to {sought}"),
        false => format!("{location}, `{name}` {may} to {sought}: {offender}"),
    };
    let shown = if all { chains.len() } else { 1 };
    let tell = |chain: &CallChain| witness(effects, context, chain.ambiguity, chain.conditional, &chain.steps);
    let witnesses = chains.iter().take(shown).map(tell).collect();
    Some(Inference { text, witnesses, more: chains.len() - shown })
}

fn witness(
    effects: &Effects<'_>,
    context: Context,
    ambiguity: Ambiguity,
    conditional: bool,
    steps: &[Step],
) -> Witness {
    let mut remarks = vec![format!("all of it {}", words_for(context))];
    if ambiguity.ways() > 1 {
        remarks.push(format!("one of {} ways to fill the slots on it", ambiguity.ways()));
    }
    if conditional {
        remarks.push("only for some values of the function's parameters".to_owned());
    }
    let mut grounds = Vec::new();
    let ends = steps.first().map(|first| Callee::Function(first.caller)).into_iter();
    for end in ends.chain(steps.last().map(|last| last.callee)) {
        grounds.extend(ground(effects, end));
    }
    let steps =
        steps.iter().map(|call| Label { at: span(effects, call.location), text: step(effects, call) }).collect();
    Witness { remarks, steps, grounds }
}

/// What says what something demands.
fn ground(effects: &Effects<'_>, callee: Callee) -> Option<Label> {
    let label = |location: Location, text: String| Some(Label { at: span(effects, location), text });
    match callee {
        Callee::Function(function) => {
            let name = name(effects, function);
            match effects.requirement(function).provenance {
                Provenance::Marked(mark) => {
                    label(mark.location, format!("`{name}` is marked `{}`", effects.pack.mark(mark.mark).name))
                }
                Provenance::Inferred(location) => label(location, format!("`{name}` asserts its context")),
                Provenance::Unmarked | Provenance::Modelled(_) | Provenance::Contradictory(..) => None,
            }
        }
        Callee::Slot(slot) => {
            let (_, mark) = effects.slot_requirement(slot)?;
            label(
                mark.location,
                format!("{} is marked `{}`", effects.slot_name(slot), effects.pack.mark(mark.mark).name),
            )
        }
    }
}

/// Whether a function may suspend its coroutine.
fn suspends(effects: &Effects<'_>, function: FunctionId) -> Inference {
    let name = name(effects, function);
    let Some((steps, last, why)) = effects.suspension(function) else {
        let text = format!("`{name}` never suspends the coroutine that it runs in");
        return Inference { text, witnesses: Vec::new(), more: 0 };
    };
    let last = self::name(effects, last);
    let mut labels: Vec<Label> =
        steps.iter().map(|call| Label { at: span(effects, call.location), text: step(effects, call) }).collect();
    let (reason, location) = match why {
        SuspensionCause::Listed => (format!("`{last}` suspends, the pack says"), None),
        SuspensionCause::NoBody => (format!("the body of `{last}` was not read"), None),
        SuspensionCause::FunctionPointer(location) => (format!("`{last}` calls through a pointer"), Some(location)),
        SuspensionCause::Unresolved(location) => {
            (format!("`{last}` may make a call that is not resolved"), Some(location))
        }
    };
    labels.extend(location.map(|location| Label { at: span(effects, location), text: reason.clone() }));
    let text = format!("`{name}` may suspend the coroutine that it runs in: {reason}");
    let witnesses = match labels.is_empty() {
        true => Vec::new(),
        false => vec![Witness { remarks: Vec::new(), steps: labels, grounds: Vec::new() }],
    };
    Inference { text, witnesses, more: 0 }
}
