//! What becomes of what rules find: comments in the sources allow it, and the tree's settings give it a level.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use rayon::prelude::*;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::FileId;
use cowrap_analysis::rules::{self, RULES, malformed_suppression, unused_suppression};
use cowrap_base::files::Texts;
use cowrap_csyntax::suppression::{Comment, Suppression, comments};
use cowrap_packs::nearest;
use cowrap_report::{Finding, Fingerprints, Span, sort_findings};

use crate::request::Request;

/// The findings of a program as the tree wants them, in their order, each with its fingerprint. `is_whole` says whether
/// the program is all of the tree, so that what is not found is not there.
pub(crate) fn apply_policy(
    effects: &Effects<'_>,
    request: &Request,
    enabled: &[String],
    texts: &Texts,
    is_whole: bool,
) -> Vec<Finding> {
    let mut findings = rules::check(effects, enabled);
    allow(&mut findings, effects, enabled, texts, is_whole);
    findings.retain_mut(|finding| {
        let Some(setting) = request.settings.level(&finding.rule, &finding.primary.at.path) else { return true };
        if let Some(level) = setting.level() {
            finding.level = level;
        }
        setting.level().is_some()
    });
    sort_findings(&mut findings);
    Fingerprints::give(&mut findings);
    findings
}

/// A comment for cowrap, with its file.
struct Found {
    file: FileId,
    path: PathBuf,
    comment: Comment,
}

/// Takes away what comments allow, and adds what is wrong with these.
fn allow(findings: &mut Vec<Finding>, effects: &Effects<'_>, enabled: &[String], texts: &Texts, is_whole: bool) {
    let found = find(effects, texts);
    if found.is_empty() {
        return;
    }
    let names = names(effects, &found);
    let mut wrong = Vec::new();
    let mut used: HashSet<(usize, usize)> = HashSet::new();
    let mut allowed: Vec<(usize, &Found, &Suppression)> = Vec::new();
    for (number, found) in found.iter().enumerate() {
        let at = span(found);
        match &found.comment.says {
            Err(problem) => wrong.push(malformed_suppression::not_understood(at, problem)),
            Ok(suppression) => {
                for rule in suppression.rules.iter().filter(|rule| !is_rule(rule)) {
                    let meant = nearest(rule, RULES.iter().map(|rule| rule.name));
                    wrong.push(malformed_suppression::no_such_rule(at.clone(), rule, meant));
                }
                if suppression.reason.is_empty() {
                    wrong.push(malformed_suppression::without_reason(at, &suppression.rules));
                }
                allowed.push((number, found, suppression));
            }
        }
    }
    findings.retain_mut(|finding| {
        let mut left: Vec<Span> = std::iter::once(&finding.primary.at).chain(&finding.further).cloned().collect();
        for (number, found, suppression) in &allowed {
            let Some(rule) = suppression.rules.iter().position(|rule| *rule == finding.rule) else { continue };
            let before = left.len();
            left.retain(|at| !covers(found, suppression, at, &finding.function, &names));
            if left.len() < before {
                used.insert((*number, rule));
            }
        }
        match left.first() {
            Some(first) => turn_to(finding, &first.clone()),
            None => return false,
        }
        true
    });
    // Where something was not read, or a rule did not run, nobody knows what it would find.
    let runs = |name: &str| {
        RULES.iter().any(|rule| rule.name == name && (!rule.opt_in || enabled.iter().any(|enabled| enabled == name)))
    };
    for (number, found, suppression) in allowed.into_iter().filter(|_| is_whole) {
        for (position, rule) in suppression.rules.iter().enumerate() {
            if runs(rule) && !used.contains(&(number, position)) {
                wrong.push(unused_suppression::finding(span(found), rule));
            }
        }
    }
    findings.extend(wrong);
}

/// The comments for cowrap in the tree's own files.
fn find(effects: &Effects<'_>, texts: &Texts) -> Vec<Found> {
    let own = (0..effects.program.files.len() as u32).into_par_iter().map(FileId);
    let own = own.filter(|file| effects.tree.is_own(effects.program.path(*file)));
    own.flat_map_iter(|file| {
        let path = effects.program.path(file);
        // What cannot be read is told where it matters.
        let text = texts.glance(path).unwrap_or_default();
        let comments = comments(&text);
        if !comments.is_empty() {
            // Its comments matter: it is one of the texts that are looked at.
            let _ = texts.text(path);
        }
        let path = effects.tree.relative(path).to_path_buf();
        comments.into_iter().map(move |comment| Found { file, path: path.clone(), comment })
    })
    .collect()
}

/// The functions that are declared in files with comments: by file and line, their names.
fn names<'e>(effects: &'e Effects<'_>, found: &[Found]) -> BTreeMap<(FileId, u32), Vec<&'e str>> {
    let files: HashSet<FileId> = found.iter().map(|found| found.file).collect();
    let mut names: BTreeMap<(FileId, u32), Vec<&str>> = BTreeMap::new();
    for function in &effects.program.functions {
        for declaration in function.declarations.iter().filter(|at| files.contains(&at.location.file)) {
            names.entry((declaration.location.file, declaration.location.line)).or_default().push(&function.name);
        }
    }
    names
}

/// Whether a comment is about what a finding says of a place: by its line, or by the function.
fn covers(
    found: &Found,
    suppression: &Suppression,
    at: &Span,
    function: &str,
    names: &BTreeMap<(FileId, u32), Vec<&str>>,
) -> bool {
    let Some(code) = suppression.code.filter(|_| found.path == at.path) else { return false };
    let (first, last) = suppression.declaration.unwrap_or((code, code));
    let is_function = || {
        let declared = names.range((found.file, first)..=(found.file, last));
        suppression.declaration.is_some() && declared.flat_map(|(_, names)| names).any(|name| *name == function)
    };
    (first..=last).contains(&at.line) || is_function()
}

/// Makes one of a finding's places the first, since the ones before it are allowed.
fn turn_to(finding: &mut Finding, at: &Span) {
    if finding.primary.at == *at {
        return;
    }
    if let Some(label) = finding.secondary.iter_mut().find(|label| label.at == *at) {
        // What is said of the other place is said of this one, too.
        label.at = std::mem::replace(&mut finding.primary.at, at.clone());
        label.text = "this one is allowed".to_owned();
    }
}

fn is_rule(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name)
}

fn span(found: &Found) -> Span {
    Span { path: found.path.clone(), line: found.comment.line, column: found.comment.column }
}
