//! The rules as a pack presents them: visible names, levels, summaries and pages.
//!
//! This module must never know what a rule checks.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Setting, builtin};

/// The ids of all rules that depend on a pack, sorted. Each has a file of its own in `analysis`.
pub const RULE_IDS: &[&str] = &[
    "assert-contradicts-mark",
    "assert-without-mark",
    "eligible-mark",
    "hand-written-wrapper",
    "inside-call",
    "lock-across-primitive",
    "mark-mismatch",
    "misplaced-mark",
    "mixed-call",
    "outside-call",
    "pointer-gains-mark",
    "pointer-loses-mark",
    "superfluous-mark",
    "suspect-mark",
    "unmarked-entry",
    "wrapper-duplicate",
    "wrapper-lock-variant",
    "wrapper-not-generated",
    "wrapper-signature-mismatch",
    "wrapper-stale",
    "wrapper-target-context",
    "wrapper-target-missing",
];

/// What a pack says about a rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSpec {
    /// The name that users see.
    pub(super) name: Option<String>,
    /// The level of its gravest findings, and the limit of the others; `off` if it does not run.
    pub(super) level: Option<Setting>,
    /// What it reports, in one line.
    pub(super) summary: Option<String>,
    /// Its page: as written, a file relative to the pack's; later its text.
    pub(super) page: Option<String>,
}

/// What a pack says about rules, by their ids.
pub(super) type RuleSpecs = BTreeMap<String, RuleSpec>;

/// Reads the pages. `directory` is that of the pack's file, unless it is built in. Adds the files to `files`.
pub(super) fn read_pages(
    rules: &mut RuleSpecs,
    directory: Option<&Path>,
    files: &mut Vec<std::path::PathBuf>,
) -> Result<(), String> {
    for (id, spec) in rules {
        let Some(name) = &spec.page else { continue };
        spec.page = Some(match directory {
            None => builtin::page(name).ok_or_else(|| format!("no built-in page is named `{name}`"))?,
            Some(directory) => {
                let path = directory.join(name);
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| format!("cannot read the page of `{id}`, {}: {error}", path.display()))?;
                files.push(path);
                text
            }
        });
    }
    Ok(())
}

/// One pack's rules on top of another's.
pub(super) fn over(own: RuleSpecs, base: RuleSpecs) -> RuleSpecs {
    let mut joined = base;
    for (id, own) in own {
        let known = joined.entry(id).or_default();
        *known = RuleSpec {
            name: own.name.or(known.name.take()),
            level: own.level.or(known.level),
            summary: own.summary.or(known.summary.take()),
            page: own.page.or(known.page.take()),
        };
    }
    joined
}

/// What is wrong with a pack's rules.
pub(super) fn problem(rules: &RuleSpecs) -> Option<String> {
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
    };
    for (id, spec) in rules {
        if !RULE_IDS.contains(&id.as_str()) {
            let similar = super::nearest(id, RULE_IDS.iter().copied()).map(|id| format!("; did you mean `{id}`?"));
            return Some(format!("no rule has the id `{id}`{}", similar.unwrap_or_default()));
        }
        if let Some(name) = spec.name.as_deref().filter(|name| !is_name(name)) {
            return Some(format!("`{name}` cannot be a rule's name; use lower-case letters, digits and hyphens"));
        }
    }
    let visible = |id: &'static str| rules.get(id).and_then(|spec| spec.name.as_deref()).unwrap_or(id);
    for (position, id) in RULE_IDS.iter().enumerate() {
        if let Some(other) = RULE_IDS[position + 1..].iter().find(|other| visible(other) == visible(id)) {
            return Some(format!("the rules `{id}` and `{other}` have one name, `{}`", visible(id)));
        }
    }
    None
}
