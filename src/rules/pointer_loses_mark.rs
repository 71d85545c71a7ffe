//! `pointer-loses-mark`: a coroutine only function is stored where its callers do not know what it demands.

use std::collections::BTreeMap;

use crate::config::Effect;
use crate::effects::{Effects, Misfit, MisfitKind};
use crate::findings::{Finding, Level};
use crate::program::{SlotId, Store};
use crate::words::{mark_for, name};

use super::Rule;
use super::report::Report;

/// The rule.
pub const RULE: Rule = Rule {
    name: "pointer-loses-mark",
    level: Level::Error,
    summary: "a coroutine only function is stored into a slot that does not say so",
    opt_in: false,
    page: include_str!("../../rules/pointer-loses-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut by_slot: BTreeMap<SlotId, Vec<Misfit>> = BTreeMap::new();
    for misfit in effects.misfits() {
        if misfit.kind == MisfitKind::LosesMark {
            by_slot.entry(misfit.slot).or_default().push(*misfit);
        }
    }
    by_slot.into_iter().filter_map(|(slot, misfits)| finding(effects, slot, &misfits)).collect()
}

/// One finding for each slot: its missing mark is the one thing to fix.
fn finding(effects: &Effects<'_>, slot: SlotId, misfits: &[Misfit]) -> Option<Finding> {
    let (first, others) = misfits.split_first()?;
    let (function, slot_name) = (name(effects, first.store.function), effects.slot_name(slot));
    let demand = effects.slot_demand(slot);
    let what = match demand.map(|(effect, _)| effect) {
        Some(effect) => format!(
            "is for {}",
            if effect == Effect::Either { "either context" } else { "non-coroutine only functions" }
        ),
        None => "bears no mark".to_owned(),
    };
    let message = format!("coroutine only `{function}` is stored into {slot_name}, which {what}");
    let place = first.store.place;
    let mut report = Report::new(effects, RULE.name, RULE.level, function, place, message, "stored here");
    report.label_demand(first.store.function);
    if let Some((_, mark)) = demand {
        let mark_name = &effects.pack.mark(mark.mark).name;
        report.label(mark.place, format!("{slot_name} is marked `{mark_name}` here"));
    }
    let others: Vec<Store> = others.iter().map(|other| other.store).collect();
    report.note_stores(&others, |function| format!("so is `{function}`"));
    let mark = mark_for(effects, Effect::CoroutineOnly);
    report.help(format!("mark {slot_name} as `{mark}`, so that those who call through it know; or store a wrapper"));
    Some(report.finish())
}
