//! How a round turned out: what is found after it, compared with what was found before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cowrap_analysis::rules::RULES;
use cowrap_fix::GroupId;
use cowrap_report::Report;
use cowrap_report::{Action, Finding, Fix, Level, Span};

use super::rounds::Group;

/// The findings of a state of the tree.
pub(super) struct State {
    pub(super) findings: Vec<Finding>,
    /// What a suspect mark explains: it may be told as findings of its own as soon as the mark is not suspect any more.
    pub(super) explained: BTreeSet<Key>,
    pub(super) report: Report,
}

/// A finding as it is known again after other texts: without its line and its words, which may name something else now.
pub(super) type Key = (String, Level, String, PathBuf);

/// A fix as it is known again: where its finding is, the rule, and what it does.
pub(super) type Offer = (Span, String, Vec<Action>);

/// The groups that did not turn out as planned: their finding is still there, or another one, as grave, came with them.
pub(super) fn compare(old: &State, new: &State, groups: &BTreeMap<GroupId, Group>) -> BTreeMap<GroupId, String> {
    let count = |findings: &[Finding]| {
        let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(key(finding)).or_default() += 1;
        }
        counts
    };
    let (before, after) = (count(&old.findings), count(&new.findings));
    let number = |counts: &BTreeMap<Key, usize>, key: &Key| counts.get(key).copied().unwrap_or(0);
    let mut blamed = BTreeMap::new();
    for (id, group) in groups {
        let key = key(&group.finding);
        let fixed = groups.values().filter(|other| self::key(&other.finding) == key).count();
        if number(&after, &key) + fixed > number(&before, &key) {
            blamed.insert(*id, "the finding would still be there".to_owned());
        }
    }
    for finding in &new.findings {
        let key = key(finding);
        if number(&after, &key) <= number(&before, &key) || old.explained.contains(&key) {
            continue;
        }
        let concerned: Vec<GroupId> =
            groups.iter().filter(|(_, group)| group.concerns(finding)).map(|(id, _)| *id).collect();
        // A graver fix may bring it, and is worth it: then the others are innocent.
        let is_graver = |group: &Group| group.finding.level < finding.level;
        let is_worth_it = match concerned.is_empty() {
            true => groups.values().any(is_graver),
            false => concerned.iter().filter_map(|id| groups.get(id)).any(is_graver),
        };
        if is_worth_it {
            continue;
        }
        // Advice goes on where it began, as from a function to its callers; but no rule undoes what another one did.
        let goes_on = |group: &Group| is_advice(finding) && finding.rule == group.finding.rule;
        let as_grave = |group: &&Group| finding.level <= group.finding.level && !goes_on(group);
        let reason = || {
            let at = &finding.primary.at;
            format!(
                "there would be a new finding: {}:{}: {} [{}]",
                at.path.display(),
                at.line,
                finding.message,
                finding.rule
            )
        };
        let ids: Vec<GroupId> = if concerned.is_empty() { groups.keys().copied().collect() } else { concerned };
        for id in ids.into_iter().filter(|id| groups.get(id).as_ref().is_some_and(as_grave)) {
            blamed.entry(id).or_insert_with(reason);
        }
    }
    blamed
}

/// Whether a finding only says what could be better.
pub(super) fn is_advice(finding: &Finding) -> bool {
    RULES.iter().any(|rule| rule.opt_in && rule.name == finding.rule)
}

pub(super) fn offer(finding: &Finding, fix: &Fix) -> Offer {
    (finding.primary.at.clone(), finding.rule.clone(), fix.actions.clone())
}

pub(super) fn key(finding: &Finding) -> Key {
    let path = finding.primary.at.path.clone();
    (finding.rule.clone(), finding.level, finding.function.clone(), path)
}
