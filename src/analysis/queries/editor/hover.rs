//! What holds of the function or slot at a word.

use crate::effects::{Callee, Effects, Provenance, Resolution, SlotProvenance, SlotRequirement};
use crate::program::{FunctionId, Location, SlotId};
use crate::wording::{described, described_slot, in_context, name, names, origin, span};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;
use cowrap_report::{Hover, Label, Span, Statement, TargetKind};

use super::super::why;
use super::targets::wrapping;
use super::{LISTED, Symbol, Word, counted, in_contexts, may_start, symbol_at};

/// What holds of the function or slot at a word. `None` if the word names neither.
pub fn hover(effects: &Effects<'_>, word: &Word<'_>) -> Option<Hover> {
    let path = effects.tree.relative(word.path).to_path_buf();
    let at = Span { path, line: word.line, column: word.column };
    let (title, statements) = match symbol_at(effects, word)? {
        Symbol::Function(function) => (described(effects, function), of_function(effects, function)),
        Symbol::Slot(slot) => (described_slot(effects, slot), of_slot(effects, slot)),
    };
    Some(Hover { at, title, statements })
}

fn statement(text: String) -> Statement {
    Statement { text, witness: Vec::new() }
}

fn label(effects: &Effects<'_>, location: Location, text: String) -> Label {
    Label { at: span(effects, location), text }
}

fn of_function(effects: &Effects<'_>, function: FunctionId) -> Vec<Statement> {
    let mut statements = vec![requirement(effects, function)];
    let contexts = Context::ALL.into_iter().filter(|context| may_start(effects, function, *context));
    statements.extend(contexts.filter_map(|context| entered(effects, function, context)));
    statements.extend(never_returns(effects, function));
    if !effects.pack.primitives.is_empty() && may_start(effects, function, Context::Inside) {
        statements.push(suspends(effects, function));
    }
    statements.extend(wrapping(effects, function).into_iter().map(|(kind, other, location)| {
        let (own, other) = (name(effects, function), name(effects, other));
        let text = match kind {
            TargetKind::Wrapper => format!("`{other}` wraps `{own}`"),
            _ => format!("`{own}` wraps `{other}`"),
        };
        let witness = location.map(|location| label(effects, location, format!("`{other}`")));
        Statement { text, witness: witness.into_iter().collect() }
    }));
    statements
}

/// What a function requires of its caller, with what says so.
fn requirement(effects: &Effects<'_>, function: FunctionId) -> Statement {
    let mut witness: Vec<Label> = why::ground(effects, Callee::Function(function)).into_iter().collect();
    match effects.requirement(function).provenance {
        Provenance::Installed => {
            let installed = effects.installation(function);
            let steps = installed.iter().flat_map(|installed| origin(effects, &installed.origin));
            witness.extend(steps.map(|(location, text)| label(effects, location, text)));
        }
        Provenance::Contradictory(one, other) => witness.extend([one, other].map(|mark| {
            let mark_name = &effects.pack.mark(mark.mark).name;
            label(effects, mark.location, format!("`{}` is marked `{mark_name}`", name(effects, function)))
        })),
        _ => {}
    }
    Statement { text: why::requirement(effects, function), witness }
}

/// Whether a function is called in a context, with the nearest chain that shows it.
fn entered(effects: &Effects<'_>, function: FunctionId, context: Context) -> Option<Statement> {
    let (name, context_words) = (name(effects, function), in_context(effects, context));
    let effect = effects.effect(function);
    // The requirement says already that an entry starts inside, and why.
    if context == Context::Inside && effect == Some(Effect::Entry) {
        return None;
    }
    let is_possible = effects.entry_contexts().possible.contexts(function).contains(context);
    let arrival = if is_possible { effects.arrival(function, context) } else { None };
    let text = match (&arrival, is_possible) {
        (Some(arrival), _) if arrival.is_certain => format!("`{name}` is called {context_words}"),
        (Some(_), _) => format!("`{name}` may be called {context_words}"),
        // What may be called in one context only is expected to be called there.
        (None, _) if effect.is_some_and(|effect| !effect.allows(context.other())) => return None,
        (None, true) => format!("`{name}` may be called {context_words}, since some of its callers are unknown"),
        (None, false) => format!("`{name}` is not called {context_words}, as far as cowrap can tell"),
    };
    let steps = arrival.iter().flat_map(|arrival| &arrival.steps);
    Some(Statement { text, witness: steps.flat_map(|step| why::labels(effects, step)).collect() })
}

fn never_returns(effects: &Effects<'_>, function: FunctionId) -> Option<Statement> {
    let declared = effects.program.function(function).declarations.iter();
    let location = declared.filter(|declaration| declaration.never_returns).map(|declaration| declaration.location);
    let location = location.min()?;
    let text = format!("`{}` never returns", name(effects, function));
    Some(Statement { witness: vec![label(effects, location, "declared so here".to_owned())], text })
}

/// Whether a function may reach a primitive.
fn suspends(effects: &Effects<'_>, function: FunctionId) -> Statement {
    if !effects.may_reach_primitive(function) {
        return statement(format!("`{}` {}", name(effects, function), effects.pack.words.never_in_full));
    }
    let found = why::reaches_primitive(effects, function);
    let witness = found.witnesses.into_iter().flat_map(|witness| witness.steps).collect();
    Statement { text: found.text, witness }
}

fn of_slot(effects: &Effects<'_>, slot: SlotId) -> Vec<Statement> {
    let mut statements = vec![slot_requirement(effects, slot)];
    let candidates = effects.points_to.candidates(slot);
    let unknown = if effects.points_to.may_hold_unknown(slot) { ", and others that cowrap cannot see" } else { "" };
    statements.push(statement(match candidates.len() {
        0 if unknown.is_empty() => "cowrap knows no function that it may point to".to_owned(),
        0 => "cowrap cannot see which functions it may point to".to_owned(),
        _ => format!("may point to {}{unknown}", names(effects, candidates)),
    }));
    statements.extend(calls_through(effects, slot));
    if effects.resolution(Some(slot)) == Resolution::Known && !effects.pack.primitives.is_empty() {
        let reaching = candidates.iter().filter(|function| effects.may_reach_primitive(**function)).count();
        let words = &effects.pack.words;
        statements.push(statement(match (reaching, candidates.len()) {
            (0, _) => format!("what it points to {}", words.never),
            (count, all) if count == all => format!("what it points to {}", words.may),
            (count, all) => format!("{count} of its {all} candidates: {}", words.may),
        }));
    }
    statements
}

/// What a slot requires of those who call through it, with what says so.
fn slot_requirement(effects: &Effects<'_>, slot: SlotId) -> Statement {
    let Some(SlotRequirement { effect, provenance }) = effects.slot_requirement(slot) else {
        return statement("unmarked, may be called through in both contexts".to_owned());
    };
    let words = &effects.pack.words;
    let effect = match effect {
        Effect::Entry => format!("what is stored there runs {}", words.entered),
        effect => words.effect(effect).to_owned(),
    };
    match provenance {
        SlotProvenance::Marked(mark) => {
            let mark_name = &effects.pack.mark(mark.mark).name;
            let witness = vec![label(effects, mark.location, format!("marked `{mark_name}` here"))];
            Statement { text: format!("{effect}, marked `{mark_name}`"), witness }
        }
        SlotProvenance::Modelled(model) => {
            let reason = effects.slot_model(model).reason.as_ref();
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            statement(format!("{effect}, by the pack{reason}"))
        }
    }
}

/// How often a slot is called through in which context.
fn calls_through(effects: &Effects<'_>, slot: SlotId) -> Option<Statement> {
    let calls = effects.calls_through(slot);
    let counts = LISTED.map(|contexts| (contexts, calls.iter().filter(|(_, found)| *found == contexts).count()));
    let parts = counts.into_iter().filter(|(contexts, count)| *count > 0 && *contexts != ContextSet::EMPTY);
    let parts: Vec<String> = parts
        .map(|(contexts, count)| format!("{} {}", counted(count, "call"), in_contexts(effects, contexts)))
        .collect();
    (!parts.is_empty()).then(|| statement(format!("called through: {}", parts.join(", "))))
}
