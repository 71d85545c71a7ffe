//! `suspect-mark`: a mark that is more likely wrong than its many unmarked callers.

use crate::effects::{Effects, Suspect};
use crate::wording::{name, span};
use cowrap_report::{Action, Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};

/// How many of the calls are listed.
const MOST_CALLS: usize = 10;

/// The rule.
pub const RULE: Rule = Rule {
    id: "suspect-mark",
    level: Level::Warning,
    summary: "{a inside_only} function has many unmarked callers, and its own mark is doubtful",
    opt_in: false,
    fixes: Some(Safety::Unsafe),
    page: include_str!("../../../rules/suspect-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.suspects().iter().map(|suspect| finding(effects, suspect)).collect()
}

fn finding(effects: &Effects<'_>, suspect: &Suspect) -> Finding {
    let function = name(effects, suspect.function);
    let mark = &effects.pack.mark(suspect.mark.mark).name;
    let (unmarked, marked) = (suspect.unmarked_callers, suspect.marked_callers);
    let why = if suspect.reaches_no_primitive {
        effects.pack.words.never.as_str()
    } else {
        "lacks the mark on one declaration"
    };
    let text = format!("`{mark}` `{function}` {why}, and has {unmarked} unmarked and {marked} marked callers");
    let label = format!("marked `{mark}` here");
    let subjects = vec![Role::Function.of(function), Role::Mark.of(mark)];
    let message = Message { function, subjects, text };
    let mut report = Report::new(effects, &RULE, suspect.mark.location, label, message);
    if let Some(location) = suspect.unmarked_declaration {
        report.label(location, format!("`{function}` is unmarked here"));
    }
    let everywhere = if suspect.unmarked_declaration.is_some() { "all its declarations and " } else { "" };
    report.help(format!("remove `{mark}` from `{function}`, or mark {everywhere}its {unmarked} unmarked callers"));
    if suspect.reaches_no_primitive {
        let at = effects.context_marks(suspect.function).iter().map(|(mark, _)| span(effects, mark.location)).collect();
        let action = Action::Unmark { mark: mark.clone(), at };
        report.fix(Safety::Unsafe, format!("remove `{mark}` from `{function}`"), vec![action]);
    }
    for call in suspect.calls.iter().take(MOST_CALLS) {
        report.mention(call.caller);
        report.note_at(call.location, format!("called from `{}`", name(effects, call.caller)));
    }
    if suspect.calls.len() > MOST_CALLS {
        report.note(format!("and {} more calls", suspect.calls.len() - MOST_CALLS));
    }
    report.finish()
}
