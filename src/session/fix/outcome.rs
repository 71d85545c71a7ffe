//! The effect of a round: the findings after it, compared with those before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use cowrap_fix::GroupId;
use cowrap_report::{Action, Finding, Fix, Level, Report, RuleInfo, Span};

use super::rounds::PlannedFix;
use cowrap_base::files::Shown;

/// The result of checking a snapshot.
pub(super) struct CheckResult {
    pub(super) findings: Vec<Finding>,
    /// The findings that a suspect mark stands for. They may be reported as soon as the mark is not
    /// suspect any more.
    pub(super) explained: BTreeSet<FindingKey>,
    pub(super) report: Report,
}

/// Identifies a finding across texts, without line and message, which fixes change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FindingKey {
    pub(super) pack: Option<String>,
    pub(super) rule: String,
    pub(super) level: Level,
    pub(super) function: String,
    pub(super) path: PathBuf,
}

/// Identifies a fix: the location of its finding, the rule, and its actions. Packs that want the same want one fix.
pub(super) type FixKey = (Span, String, Vec<Action>);

/// The fixes that did not have the planned effect: their finding remains, or they cause a new one
/// of the same or a higher level.
pub(super) fn compare(
    old: &CheckResult,
    new: &CheckResult,
    fixes: &BTreeMap<GroupId, PlannedFix>,
) -> BTreeMap<GroupId, String> {
    let count = |findings: &[Finding]| {
        let mut counts: BTreeMap<FindingKey, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(key(finding)).or_default() += 1;
        }
        counts
    };
    let (before, after) = (count(&old.findings), count(&new.findings));
    let number = |counts: &BTreeMap<FindingKey, usize>, key: &FindingKey| counts.get(key).copied().unwrap_or(0);
    let mut blamed = BTreeMap::new();
    let mut fixed_with: BTreeMap<FindingKey, usize> = BTreeMap::new();
    let mut by_name: HashMap<&str, BTreeSet<GroupId>> = HashMap::new();
    for (id, planned) in fixes {
        *fixed_with.entry(key(&planned.finding)).or_default() += 1;
        for name in planned.names() {
            by_name.entry(name).or_default().insert(*id);
        }
    }
    for (id, planned) in fixes {
        let key = key(&planned.finding);
        let fixed = number(&fixed_with, &key);
        if number(&after, &key) + fixed > number(&before, &key) {
            blamed.insert(*id, "the finding would remain".to_owned());
        }
    }
    for finding in &new.findings {
        let key = key(finding);
        if number(&after, &key) <= number(&before, &key) || old.explained.contains(&key) {
            continue;
        }
        let concerned: BTreeSet<GroupId> =
            finding.names().filter_map(|name| by_name.get(name)).flatten().copied().collect();
        // A fix of a finding of a higher level is worth a new finding, and then no other fix is to
        // blame for it.
        let is_graver = |planned: &PlannedFix| planned.finding.level < finding.level;
        let is_worth_it = match concerned.is_empty() {
            true => fixes.values().any(is_graver),
            false => concerned.iter().filter_map(|id| fixes.get(id)).any(is_graver),
        };
        if is_worth_it {
            continue;
        }
        // Advice may move on, as from a function to its callers. But no rule may undo the fix of
        // another rule.
        let goes_on =
            |planned: &PlannedFix| is_advice(finding, &new.report.rules) && is_of_one_rule(finding, &planned.finding);
        let as_grave = |planned: &&PlannedFix| finding.level <= planned.finding.level && !goes_on(planned);
        let reason = || {
            let at = &finding.primary.at;
            format!(
                "it would cause a new finding: {}:{}: {} [{}]",
                at.path.shown(),
                at.line,
                finding.message,
                finding.rule
            )
        };
        if concerned.is_empty() && blamed.len() == fixes.len() {
            continue;
        }
        let ids: Vec<GroupId> =
            if concerned.is_empty() { fixes.keys().copied().collect() } else { concerned.into_iter().collect() };
        for id in ids.into_iter().filter(|id| fixes.get(id).as_ref().is_some_and(as_grave)) {
            blamed.entry(id).or_insert_with(reason);
        }
    }
    blamed
}

/// Whether a finding is of an opt-in rule, which gives advice.
fn is_advice(finding: &Finding, rules: &[RuleInfo]) -> bool {
    rules.iter().any(|rule| rule.opt_in && rule.name == finding.rule && rule.pack == finding.pack)
}

fn is_of_one_rule(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule && one.pack == other.pack
}

pub(super) fn fix_key(finding: &Finding, fix: &Fix) -> FixKey {
    (finding.primary.at.clone(), finding.rule.clone(), fix.actions.clone())
}

pub(super) fn key(finding: &Finding) -> FindingKey {
    let Finding { pack, rule, level, function, primary, .. } = finding;
    FindingKey {
        pack: pack.clone(),
        rule: rule.clone(),
        level: *level,
        function: function.clone(),
        path: primary.at.path.clone(),
    }
}
