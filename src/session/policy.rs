//! The diagnostics policy: comments in the sources suppress findings, and the tree's settings give
//! them levels.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::FileId;
use cowrap_analysis::rules::{self, malformed_suppression, unused_suppression};
use cowrap_csyntax::suppression::Suppression;
use cowrap_packs::{Pack, Setting, Settings, nearest};
use cowrap_report::{Finding, Fingerprints, RuleInfo, Span, sort_findings};

use crate::comments::FileComment;
use crate::request::Request;
use crate::rule_names::{meant_in, rules_elsewhere};
use crate::suppressions::Suppressions;

/// The findings of a program with several packs after suppressions and settings, in their order, each with its
/// fingerprint. `comments` are those of [`find_comments`](crate::comments::find_comments). `is_whole` says whether the
/// program is the whole tree, so that an unused suppression is really unused.
pub(crate) fn apply_policy(
    effects: &[Effects<'_>],
    request: &Request,
    enabled: &[String],
    comments: &[FileComment],
    is_whole: bool,
) -> Vec<Finding> {
    let of_pack = |effects: &Effects<'_>| {
        let pack = &effects.pack.name;
        let enabled: Vec<String> = meant_in(enabled, pack).into_iter().map(str::to_owned).collect();
        let mut findings = rules::check(effects, &enabled);
        findings.iter_mut().for_each(|finding| finding.pack = Some(pack.clone()));
        findings
    };
    let found: Vec<Vec<Finding>> = effects.par_iter().map(of_pack).collect();
    let packs: Vec<&Pack> = effects.iter().map(|effects| effects.pack).collect();
    let mut findings = without_repeats(found, &packs);
    sort_findings(&mut findings);
    apply_suppressions(&mut findings, effects, request, enabled, comments, is_whole);
    // Many findings are of one rule in one file.
    let mut settings: HashMap<(Option<String>, String, PathBuf), Option<Setting>> = HashMap::new();
    findings.retain_mut(|finding| {
        let key = (finding.pack.clone(), finding.rule.clone(), finding.primary.at.path.clone());
        let setting = settings
            .entry(key)
            .or_insert_with_key(|(pack, rule, path)| request.settings.level(pack.as_deref(), rule, path));
        let Some(setting) = setting else { return true };
        if let Some(level) = setting.level() {
            finding.level = level;
        }
        setting.level().is_some()
    });
    sort_findings(&mut findings);
    Fingerprints::give(&mut findings);
    findings
}

/// The findings of packs, pack by pack, without those that a related pack has, too: if one pack extends the other, the
/// one that comes first reports what both find.
fn without_repeats(found: Vec<Vec<Finding>>, packs: &[&Pack]) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    let mut known: HashMap<&str, HashSet<(String, Span, String)>> = HashMap::new();
    for (pack, findings) in packs.iter().zip(found) {
        let key = |finding: &Finding| (finding.rule.clone(), finding.primary.at.clone(), finding.message.clone());
        let is_related = |other: &&&Pack| other.bases.contains(&pack.name) || pack.bases.contains(&other.name);
        let related: Vec<_> = packs.iter().filter(is_related).filter_map(|other| known.get(&*other.name)).collect();
        let is_new = |finding: &Finding| !related.iter().any(|known| known.contains(&key(finding)));
        let own = findings.iter().map(key).collect();
        all.extend(findings.into_iter().filter(is_new));
        known.insert(&pack.name, own);
    }
    all
}

/// Removes the findings that comments suppress, and adds findings about the comments.
fn apply_suppressions(
    findings: &mut Vec<Finding>,
    effects: &[Effects<'_>],
    request: &Request,
    enabled: &[String],
    comments: &[FileComment],
    is_whole: bool,
) {
    // All packs have the declarations of one reading.
    let Some(first) = effects.first().filter(|_| !comments.is_empty()) else { return };
    let rules: Vec<RuleInfo> = effects.iter().flat_map(|effects| rules::infos(effects.pack)).collect();
    let (suppressions, mut added) = check_comments(comments, &rules, &request.settings);
    let mut used: HashSet<(usize, usize)> = HashSet::new();
    let found: Vec<(&Path, &Suppression)> =
        suppressions.iter().map(|(comment, suppression)| (comment.path.as_path(), *suppression)).collect();
    let mut found = Suppressions::new(&found, declared_lines(first, comments));
    findings.retain_mut(|finding| {
        let in_pack = finding.pack.as_ref().map(|pack| format!("{pack}/{}", finding.rule));
        let names: Vec<&str> = std::iter::once(finding.rule.as_str()).chain(in_pack.as_deref()).collect();
        let mut left: Vec<Span> = std::iter::once(&finding.primary.at).chain(&finding.further).cloned().collect();
        left.retain(|at| match found.covering(&names, at, &finding.function) {
            Some(suppression) => {
                used.insert(suppression);
                false
            }
            None => true,
        });
        match left.first() {
            Some(first) => make_primary(finding, &first.clone()),
            None => return false,
        }
        true
    });
    if is_whole {
        added.extend(unused(&suppressions, &used, &rules, enabled));
    }
    findings.extend(added);
}

/// The suppressions of comments, and findings about comments that are not as they should be.
fn check_comments<'c>(
    comments: &'c [FileComment],
    rules: &[RuleInfo],
    settings: &Settings,
) -> (Vec<(&'c FileComment, &'c Suppression)>, Vec<Finding>) {
    // Reading other packs costs something, and most comments name rules of this run.
    let elsewhere = LazyCell::new(|| rules_elsewhere(settings));
    let is_rule = |name: &str| {
        let is_named = |rule: &RuleInfo| rule.is_named(name);
        rules.iter().any(is_named) || elsewhere.iter().any(is_named)
    };
    let mut suppressions = Vec::new();
    let mut findings = Vec::new();
    for comment in comments {
        let at = span(comment);
        let suppression = match &comment.comment.suppression {
            Ok(suppression) => suppression,
            Err(problem) => {
                findings.push(malformed_suppression::not_understood(at, problem));
                continue;
            }
        };
        for rule in suppression.rules.iter().filter(|rule| !is_rule(rule)) {
            let meant = nearest(rule, rules.iter().map(|rule| rule.name.as_str()));
            findings.push(malformed_suppression::no_such_rule(at.clone(), rule, meant));
        }
        if suppression.reason.is_empty() {
            findings.push(malformed_suppression::without_reason(at, &suppression.rules));
        }
        suppressions.push((comment, suppression));
    }
    (suppressions, findings)
}

/// Findings about suppressions that suppress nothing, of the rules that ran. `used` has the number
/// of a suppression and of one of its rules.
fn unused(
    suppressions: &[(&FileComment, &Suppression)],
    used: &HashSet<(usize, usize)>,
    rules: &[RuleInfo],
    enabled: &[String],
) -> Vec<Finding> {
    let runs = |name: &str| {
        rules.iter().any(|rule| {
            let is_enabled = || enabled.iter().any(|enabled| rule.is_named(enabled));
            rule.is_named(name) && (!rule.opt_in || is_enabled())
        })
    };
    let mut findings = Vec::new();
    for (number, (comment, suppression)) in suppressions.iter().enumerate() {
        for (position, rule) in suppression.rules.iter().enumerate() {
            if runs(rule) && !used.contains(&(number, position)) {
                findings.push(unused_suppression::finding(span(comment), rule));
            }
        }
    }
    findings
}

/// The lines with declarations of each function, by file, in files with comments.
fn declared_lines<'e>(
    effects: &'e Effects<'_>,
    comments: &[FileComment],
) -> HashMap<&'e str, BTreeMap<PathBuf, Vec<u32>>> {
    let files: HashMap<FileId, &PathBuf> = comments.iter().map(|comment| (comment.file, &comment.path)).collect();
    let mut lines: HashMap<&str, BTreeMap<PathBuf, Vec<u32>>> = HashMap::new();
    for function in &effects.program.functions {
        for declaration in &function.declarations {
            if let Some(path) = files.get(&declaration.location.file) {
                let files = lines.entry(&function.name).or_default();
                files.entry((*path).clone()).or_default().push(declaration.location.line);
            }
        }
    }
    lines
}

/// Makes a location the primary one of a finding, because those before it are suppressed.
fn make_primary(finding: &mut Finding, at: &Span) {
    if finding.primary.at == *at {
        return;
    }
    if let Some(label) = finding.secondary.iter_mut().find(|label| label.at == *at) {
        // The text of the primary label is true of this location, too.
        label.at = std::mem::replace(&mut finding.primary.at, at.clone());
        label.text = "suppressed here".to_owned();
    }
}

fn span(comment: &FileComment) -> Span {
    Span { path: comment.path.clone(), line: comment.comment.line, column: comment.comment.column }
}
