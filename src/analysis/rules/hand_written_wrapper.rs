//! `hand-written-wrapper`: a function creates the inside context and polls until it is done, which a generated wrapper
//! would do.

use crate::effects::Effects;
use crate::program::{ArgumentValue, Body, Call, FunctionId};
use crate::wording::{described, name};
use cowrap_facts::CallKind;
use cowrap_packs::{Effect, Help};
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hand-written-wrapper",
    level: Level::Warning,
    summary: "a function does by hand what a generated wrapper does",
    opt_in: true,
    fixes: None,
    page: include_str!("../../../rules/hand-written-wrapper.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.program.bodies.iter().filter_map(|body| finding(effects, body)).collect()
}

fn finding(effects: &Effects<'_>, body: &Body) -> Option<Finding> {
    if effects.is_generated(body.location) {
        return None;
    }
    let made = || body.calls.iter().filter(|call| call.kind == CallKind::Written);
    let creates = made().find(|call| effects.is_creator(call.callee))?;
    let polls = made().find(|call| effects.is_polling(call.callee))?;
    let entry = creates.arguments.iter().find_map(|argument| match argument.value {
        ArgumentValue::Function(function) if argument.position == 0 => Some(function),
        _ => None,
    })?;
    let (caller, entry_name) = (name(effects, body.function), name(effects, entry));
    let words = &effects.pack.words;
    let entered = &words.entered;
    let text = format!("hand-written wrapper `{caller}` runs `{entry_name}` {entered} and polls until it finishes");
    let subjects = vec![Role::Caller.of(caller), Role::BaselineEntry.of(entry_name)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, creates.location, format!("{} here", words.created), message);
    report.label(polls.location, "polled here");
    let targets = targets(effects, entry);
    for (target, location) in &targets {
        report.mention(*target);
        report.note_at(*location, format!("`{entry_name}` calls {}", described(effects, *target)));
    }
    report.help(advice(effects, caller, &targets));
    Some(report.finish())
}

/// The inside-only functions that the inside context's entry calls.
fn targets(effects: &Effects<'_>, entry: FunctionId) -> Vec<(FunctionId, crate::program::Location)> {
    let bodies = effects.program.function(entry).bodies.iter().map(|body| effects.program.body(*body));
    let calls = bodies.flat_map(|body| &body.calls).filter(|call| call.kind == CallKind::Written);
    let wanted = |call: &&Call| effects.requirement(call.callee).effect == Some(Effect::InsideOnly);
    calls.filter(wanted).map(|call| (call.callee, call.location)).collect()
}

fn advice(effects: &Effects<'_>, caller: &str, targets: &[(FunctionId, crate::program::Location)]) -> String {
    let mark = effects.wrapper_mark(Effect::InsideOnly).map(|mark| effects.pack.mark(mark).name.as_str());
    match (targets, mark) {
        ([(target, _)], Some(mark)) => match effects.pack.wrapper_name(name(effects, *target)) {
            Some(wrapper) => format!("declare `{wrapper}` with `{mark}`, so that it is generated"),
            None => format!("rename `{}` to follow the naming scheme for wrappers' targets", name(effects, *target)),
        },
        (_, Some(mark)) => effects.pack.help(Help::OneFunctionWithMark, &[("caller", caller), ("mark", mark)]),
        (_, None) => effects.pack.help(Help::OneFunction, &[("caller", caller)]),
    }
}
