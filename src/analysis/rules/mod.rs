//! The table of rules, one file per rule.
//!
//! A rule must never know another rule, clang, the file system or the terminal. Its name joins
//! `src/rules/<name>.rs`, `rules/<name>.md` and `testdata/rules/<name>/`; a test fails when the three differ.

mod assert_contradicts_mark;
mod assert_without_mark;
mod outside_call;
mod inside_call;
mod eligible_mark;
mod hand_written_wrapper;
mod lock_across_yield;
pub mod malformed_suppression;
mod mark_mismatch;
mod misplaced_mark;
mod mixed_call;
mod pointer_gains_mark;
mod pointer_loses_mark;
pub mod stale_baseline;
mod superfluous_mark;
mod suspect_mark;
mod unmarked_entry;
pub mod unused_suppression;
mod wrapper_duplicate;
mod wrapper_lock_variant;
mod wrapper_not_generated;
mod wrapper_signature_mismatch;
mod wrapper_stale;
mod wrapper_target_context;
mod wrapper_target_missing;
mod report;

use crate::effects::Effects;
use cowrap_report::{Finding, Label, Level, Safety, Subject, sort_findings};

/// A rule.
pub struct Rule {
    /// Its name, as findings and users write it.
    pub name: &'static str,
    /// The gravest level that it reports; doubtful cases may be warnings.
    pub level: Level,
    /// What it says, in one line.
    pub summary: &'static str,
    /// Whether it only runs when somebody asks for it: it reports what can be better, and not what is wrong.
    pub opt_in: bool,
    /// Whether `cowrap fix` has something to offer for some of its findings: the safest that it has.
    pub fixes: Option<Safety>,
    /// Its page.
    pub page: &'static str,
    check: fn(&Effects<'_>) -> Vec<Finding>,
}

/// Every rule, sorted by name.
pub static RULES: &[Rule] = &[
    assert_contradicts_mark::RULE,
    assert_without_mark::RULE,
    outside_call::RULE,
    inside_call::RULE,
    eligible_mark::RULE,
    hand_written_wrapper::RULE,
    lock_across_yield::RULE,
    malformed_suppression::RULE,
    mark_mismatch::RULE,
    misplaced_mark::RULE,
    mixed_call::RULE,
    pointer_gains_mark::RULE,
    pointer_loses_mark::RULE,
    stale_baseline::RULE,
    superfluous_mark::RULE,
    suspect_mark::RULE,
    unmarked_entry::RULE,
    unused_suppression::RULE,
    wrapper_duplicate::RULE,
    wrapper_lock_variant::RULE,
    wrapper_not_generated::RULE,
    wrapper_signature_mismatch::RULE,
    wrapper_stale::RULE,
    wrapper_target_context::RULE,
    wrapper_target_missing::RULE,
];

/// Runs every rule, those that are opt-in when they are among the `enabled`; the findings are in the order in which
/// they are reported.
pub fn check(effects: &Effects<'_>, enabled: &[String]) -> Vec<Finding> {
    let runs = |rule: &&Rule| !rule.opt_in || enabled.iter().any(|name| name == rule.name);
    let mut findings: Vec<Finding> = RULES.iter().filter(runs).flat_map(|rule| (rule.check)(effects)).collect();
    sort_findings(&mut findings);
    findings
}

/// What a rule finds that is about files beside the program: comments, the baseline. Whoever reads these makes its
/// findings.
fn without_effects(_: &Effects<'_>) -> Vec<Finding> {
    Vec::new()
}

/// A finding that is about no function.
fn beside_the_program(rule: &Rule, subjects: Vec<Subject>, message: String, primary: Label, help: String) -> Finding {
    Finding { help: vec![help], ..Finding::new(rule.name, rule.level, "", subjects, message, primary) }
}
