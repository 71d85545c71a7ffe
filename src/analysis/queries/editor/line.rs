//! The context at a line of a body.

use std::path::Path;

use crate::effects::{Callee, Effects};
use crate::program::{AtLine, Body, BodyId, Location};
use crate::wording::{context_noun, in_context, name, span};
use cowrap_facts::{ContextSet, Guard, GuardKind, LineRegion, PathCondition};
use cowrap_report::{Label, LineContext, Reach};

use super::super::why;

/// What holds at a line of one body.
struct At<'p> {
    id: BodyId,
    body: &'p Body,
    line: AtLine<'p>,
    contexts: ContextSet,
}

/// The context at a line of a body; `None` outside of bodies.
pub fn line_context(effects: &Effects<'_>, path: &Path, line: u32) -> Option<LineContext> {
    let bodies = bodies_at(effects, path, line);
    let found: Vec<At<'_>> = bodies.iter().map(|body| at(effects, *body, line)).collect();
    // In different configurations, different lines can be dead.
    let contexts = found.iter().fold(ContextSet::EMPTY, |all, at| all.or(at.contexts));
    let shown = found.iter().find(|at| at.contexts == contexts).or(found.first())?;
    let reach = match contexts {
        ContextSet::INSIDE => Reach::Inside,
        ContextSet::OUTSIDE => Reach::Outside,
        ContextSet::BOTH => Reach::Both,
        _ => Reach::Dead,
    };
    Some(LineContext {
        function: name(effects, shown.body.function).to_owned(),
        lines: shown.line.lines,
        reach,
        text: text(effects, shown, contexts),
        guard: guard(effects, shown, contexts),
    })
}

/// The innermost bodies that contain a line. A function can have several at one location.
fn bodies_at(effects: &Effects<'_>, path: &Path, line: u32) -> Vec<BodyId> {
    let program = effects.program;
    let Some(file) = program.file(path) else { return Vec::new() };
    let contains = |body: &BodyId| {
        let body = program.body(*body);
        (body.location.line..=body.last_line()).contains(&line)
    };
    let around: Vec<BodyId> = program.bodies_in(file).filter(contains).collect();
    let innermost = around.iter().map(|body| program.body(*body).location).max();
    around.into_iter().filter(|body| Some(program.body(*body).location) == innermost).collect()
}

fn at<'p>(effects: &Effects<'p>, id: BodyId, line: u32) -> At<'p> {
    let program = effects.program;
    let (body, at_line) = (program.body(id), program.at_line(id, line));
    At { id, body, line: at_line, contexts: effects.possible_at(id, at_line.condition) }
}

/// The contexts in which the body of a line starts.
fn start(effects: &Effects<'_>, at: &At<'_>) -> ContextSet {
    effects.possible_at(at.id, PathCondition::always_with(at.body.values))
}

fn text(effects: &Effects<'_>, at: &At<'_>, contexts: ContextSet) -> String {
    let start = start(effects, at);
    let is_known = why::ground(effects, Callee::Function(at.body.function)).is_some();
    match (contexts.only(), start.only()) {
        (Some(context), Some(_)) if contexts == start && !is_known => {
            format!("runs {}, by the callers of `{}`", in_context(effects, context), name(effects, at.body.function))
        }
        (Some(context), _) => format!("runs {}", in_context(effects, context)),
        (None, _) if contexts == ContextSet::BOTH => "may run in both contexts".to_owned(),
        // Control comes there, but not from where the body starts.
        (None, Some(context)) if at.line.region.is_none_or(|region| region.condition != PathCondition::NEVER) => {
            format!("never runs, since `{}` runs {}", name(effects, at.body.function), in_context(effects, context))
        }
        (None, _) => "never runs".to_owned(),
    }
}

/// What decided where a line runs: what is nearest before it, else what says where its function runs.
fn guard(effects: &Effects<'_>, at: &At<'_>, contexts: ContextSet) -> Option<Label> {
    if let Some(call) = at.line.decided_by {
        let callee = name(effects, call.callee);
        let text = match contexts.only() {
            Some(context) => format!("behind this call of `{callee}`, control is {}", in_context(effects, context)),
            None if contexts == ContextSet::BOTH => format!("this call of `{callee}` may change the context"),
            None => format!("this call of `{callee}` does not return"),
        };
        return Some(Label { at: span(effects, call.location), text });
    }
    let decides = |region: &&LineRegion| region.condition.changes() || contexts != start(effects, at);
    match at.line.region.filter(decides) {
        Some(region) => {
            let Guard { kind, line, column } = region.guard?;
            let location = Location { file: at.body.location.file, line, column };
            Some(Label { at: span(effects, location), text: guard_text(effects, kind, contexts) })
        }
        None => why::ground(effects, Callee::Function(at.body.function)),
    }
}

fn guard_text(effects: &Effects<'_>, kind: GuardKind, contexts: ContextSet) -> String {
    let context = contexts.only().map_or("the context", |context| context_noun(effects, context));
    match kind {
        GuardKind::Condition => "this condition depends on the context".to_owned(),
        GuardKind::Parameter => "this condition depends on a parameter".to_owned(),
        GuardKind::Never => "this condition always goes the other way".to_owned(),
        GuardKind::Assertion => format!("asserts {context} here"),
        GuardKind::Change => format!("changes to {context} here"),
        GuardKind::NoReturn => "this call never returns".to_owned(),
        GuardKind::Return => "returns here".to_owned(),
        GuardKind::Jump => "control jumps away here".to_owned(),
    }
}
