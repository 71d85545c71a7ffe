//! `pointer-loses-mark`: a coroutine only function is stored where its callers do not know what it demands.

use std::collections::BTreeMap;

use crate::effects::{Callee, Effects, Misfit, MisfitKind};
use crate::program::{SlotId, Store};
use crate::words::{flag, mark_for, name};
use cowrap_packs::Effect;
use cowrap_report::findings::{Finding, Level, Safety};

use super::Rule;
use super::report::Report;

/// The rule.
pub const RULE: Rule = Rule {
    name: "pointer-loses-mark",
    level: Level::Error,
    summary: "a coroutine only function is stored into a slot that does not say so",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/pointer-loses-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut by_slot: BTreeMap<SlotId, Vec<Misfit>> = BTreeMap::new();
    let mut findings = Vec::new();
    for misfit in effects.misfits().iter().filter(|misfit| misfit.kind == MisfitKind::LosesMark) {
        match flag(effects, &misfit.store) {
            Some(flag) => findings.push(beside_flag(effects, misfit, &flag)),
            None => by_slot.entry(misfit.slot).or_default().push(*misfit),
        }
    }
    findings.extend(by_slot.into_iter().filter_map(|(slot, misfits)| finding(effects, slot, &misfits)));
    findings
}

/// Where a flag beside the slot says what it demands, each store is one thing to fix.
fn beside_flag(effects: &Effects<'_>, misfit: &Misfit, flag: &str) -> Finding {
    let (function, slot) = (name(effects, misfit.store.function), effects.slot_name(misfit.slot));
    let message = format!("coroutine only `{function}` is stored into {slot} {flag}");
    let location = misfit.store.location;
    let mut report = Report::new(effects, RULE.name, RULE.level, function, location, message, "stored here");
    report.label_demand(misfit.store.function);
    report.help("set the flag, if it is called in a coroutine then; or store a wrapper");
    report.finish()
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
    let location = first.store.location;
    let mut report = Report::new(effects, RULE.name, RULE.level, function, location, message, "stored here");
    report.label_demand(first.store.function);
    if let Some((_, mark)) = demand {
        let mark_name = &effects.pack.mark(mark.mark).name;
        report.label(mark.location, format!("{slot_name} is marked `{mark_name}` here"));
    }
    let others: Vec<Store> = others.iter().map(|other| other.store).collect();
    report.note_stores(&others, |function| format!("so is `{function}`"));
    let mark = mark_for(effects, Effect::CoroutineOnly);
    let closure = effects.closure(Callee::Slot(slot));
    if demand.is_none() {
        report.note_obliged(&closure);
        report.fix_by_marks(Callee::Slot(slot), &closure);
    }
    report.help(format!("mark {slot_name} as `{mark}`, so that those who call through it know; or store a wrapper"));
    Some(report.finish())
}
