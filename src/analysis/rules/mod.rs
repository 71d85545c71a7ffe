//! The table of rules, one file per rule.
//!
//! A rule must never know another rule, clang, the file system or the terminal. Its id joins
//! `src/analysis/rules/<id>.rs` and `rules/<id>.md`, and with the name that QEMU's pack gives it
//! `testdata/rules/<name>/`; a test fails when they differ. Users see the names of their pack.

mod assert_contradicts_mark;
mod assert_without_mark;
mod eligible_mark;
mod hand_written_wrapper;
mod inside_call;
mod lock_across_primitive;
pub mod malformed_suppression;
mod mark_mismatch;
mod misplaced_mark;
mod mixed_call;
mod outside_call;
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

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::effects::Effects;
use cowrap_packs::{Pack, RULE_IDS, Setting};
use cowrap_report::{Finding, Label, Level, RuleInfo, Safety, Subject, sort_findings};

/// A rule.
pub struct Rule {
    /// Its id, which packs use; findings and users have the name that the pack gives it.
    pub id: &'static str,
    /// The gravest level that it reports; doubtful cases may be warnings.
    pub level: Level,
    /// What it says, in one line, for packs that say nothing else.
    pub summary: &'static str,
    /// Whether it only runs when somebody asks for it: it reports what can be better, and not what is wrong.
    pub opt_in: bool,
    /// Whether `cowrap fix` has something to offer for some of its findings: the safest that it has.
    pub fixes: Option<Safety>,
    /// Its page, for packs without one of their own.
    pub page: &'static str,
    check: fn(&Effects<'_>) -> Vec<Finding>,
}

/// Every rule, sorted by id.
pub static RULES: &[Rule] = &[
    assert_contradicts_mark::RULE,
    assert_without_mark::RULE,
    eligible_mark::RULE,
    hand_written_wrapper::RULE,
    inside_call::RULE,
    lock_across_primitive::RULE,
    malformed_suppression::RULE,
    mark_mismatch::RULE,
    misplaced_mark::RULE,
    mixed_call::RULE,
    outside_call::RULE,
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

/// The rules as users of a pack see them, sorted by name.
pub fn infos(pack: &Pack) -> Vec<RuleInfo> {
    let info = |rule: &Rule| RuleInfo {
        id: rule.id,
        pack: RULE_IDS.contains(&rule.id).then(|| pack.name.clone()),
        name: pack.rule_name(rule.id).to_owned(),
        level: pack.rule_level(rule.id).and_then(Setting::level).unwrap_or(rule.level),
        summary: pack.words.fill(pack.rule_summary(rule.id).unwrap_or(rule.summary), &[]),
        opt_in: rule.opt_in,
        fixes: rule.fixes,
        page: match pack.rule_page(rule.id) {
            Some(page) => page.to_owned(),
            None => pack.words.fill(rule.page, &[("rule", pack.rule_name(rule.id))]),
        },
    };
    let mut infos: Vec<RuleInfo> = RULES.iter().map(info).collect();
    infos.sort_by(|one, other| one.name.cmp(&other.name));
    infos
}

/// Runs every rule that the pack does not switch off, those that are opt-in when they are among the `enabled`, by the
/// names that users see; the findings are in the order in which they are reported.
pub fn check(effects: &Effects<'_>, enabled: &[String]) -> Vec<Finding> {
    effects.prepare();
    let mut findings: Vec<Finding> = RULES.par_iter().flat_map_iter(|rule| run(rule, effects, enabled)).collect();
    sort_findings(&mut findings);
    findings
}

/// The findings of a rule, with the levels that the pack gives them; none if it does not run.
fn run(rule: &Rule, effects: &Effects<'_>, enabled: &[String]) -> Vec<Finding> {
    let name = effects.pack.rule_name(rule.id);
    let setting = effects.pack.rule_level(rule.id);
    if setting == Some(Setting::Off) || rule.opt_in && !enabled.iter().any(|enabled| enabled == name) {
        return Vec::new();
    }
    let mut found = (rule.check)(effects);
    if let Some(level) = setting.and_then(Setting::level) {
        let relevel = |own: Level| if own == rule.level { level } else { own.max(level) };
        found.iter_mut().for_each(|finding| finding.level = relevel(finding.level));
    }
    found
}

/// What a rule finds that is about files beside the program: comments, the baseline. Whoever reads these makes its
/// findings.
fn without_effects(_: &Effects<'_>) -> Vec<Finding> {
    Vec::new()
}

/// A finding that is about no function.
fn beside_the_program(rule: &Rule, subjects: Vec<Subject>, message: String, primary: Label, help: String) -> Finding {
    Finding { help: vec![help], ..Finding::new(rule.id, rule.level, "", subjects, message, primary) }
}
