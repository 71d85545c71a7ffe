//! What can be done about findings: their fixes, a comment that suppresses them, an entry of the baseline.
//!
//! It must never know how a fix was planned.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use gen_lsp_types::{
    CodeAction, CodeActionDisabled, CodeActionKind, Command, DocumentChange, Edit as DocumentEdit,
    OptionalVersionedTextDocumentIdentifier, Range, SnippetTextEdit, StringValue, TextDocumentEdit,
    TextDocumentIdentifier, TextEdit, WorkspaceEdit,
};
use serde_json::Value;

use cowrap_report::{Edit, Finding, Fix, Report, Safety};
use cowrap_session::{Shown, suppress};

use crate::capabilities::{ADD_TO_BASELINE, Capabilities, FIX_ALL};
use crate::diagnostics::{Publisher, touches};
use crate::texts::FileTexts;

/// The reason that a comment has until somebody writes one.
const REASON: &str = "reason";

/// Makes the actions of one analysis.
pub(crate) struct Actions<'a> {
    pub(crate) report: &'a Report,
    pub(crate) texts: &'a FileTexts<'a>,
    pub(crate) capabilities: Capabilities,
    /// Whether findings can be added to the baseline.
    pub(crate) has_baseline: bool,
}

impl Actions<'_> {
    /// The actions for the findings in a part of a file, of these kinds if there are any.
    pub(crate) fn of(
        &self,
        publisher: &mut Publisher,
        path: &Path,
        range: Range,
        kinds: Option<&[CodeActionKind]>,
    ) -> Vec<CodeAction> {
        let is_wanted = |kind: &str| kinds.is_none_or(|kinds| kinds.iter().any(|wanted| is_of_kind(kind, wanted)));
        let path = self.report.tree.relative(path);
        let here = || self.report.findings.iter().filter(|finding| finding.primary.at.path == path);
        let mut actions = Vec::new();
        if is_wanted("quickfix") {
            for finding in here().filter(|finding| touches(self.texts.range(&finding.primary.at), range)) {
                let diagnostic = publisher.diagnostic(finding, self.report, self.texts, self.capabilities);
                actions.extend(self.of_finding(finding).into_iter().map(|action| CodeAction {
                    diagnostics: Some(vec![diagnostic.clone()]),
                    kind: Some(CodeActionKind::QuickFix),
                    ..action
                }));
            }
        }
        if is_wanted(FIX_ALL) {
            actions.extend(self.fix_all(here()));
        }
        actions
    }

    fn of_finding(&self, finding: &Finding) -> Vec<CodeAction> {
        let fixes = finding.fixes.iter().filter_map(|fix| self.fix(fix));
        let others = [self.suppress(finding), self.baseline(finding)];
        fixes.chain(others.into_iter().flatten()).collect()
    }

    /// A fix; if it cannot be applied, an action that says why, for a client that shows it.
    fn fix(&self, fix: &Fix) -> Option<CodeAction> {
        if fix.edits.is_empty() {
            let reason = fix.obstacle.clone().filter(|_| self.capabilities.disabled_actions)?;
            let disabled = Some(CodeActionDisabled { reason });
            return Some(CodeAction { title: fix.title.clone(), disabled, ..CodeAction::default() });
        }
        let (title, is_safe) = match fix.safety {
            Safety::Safe => (fix.title.clone(), true),
            Safety::Unsafe => (format!("{} (unsafe: it can change what the program does)", fix.title), false),
        };
        match self.workspace_edit(fix.edits.iter()) {
            Ok(edit) => {
                let is_preferred = is_safe.then_some(true);
                Some(CodeAction { title, edit: Some(edit), is_preferred, ..CodeAction::default() })
            }
            Err(changed) => self.capabilities.disabled_actions.then(|| {
                let reason = format!("{} has changed on the disk since cowrap read it", changed.shown());
                let disabled = Some(CodeActionDisabled { reason });
                CodeAction { title, disabled, ..CodeAction::default() }
            }),
        }
    }

    /// All safe fixes of these findings that do not get in the way of each other.
    fn fix_all<'f>(&self, findings: impl Iterator<Item = &'f Finding>) -> Option<CodeAction> {
        let is_editable = |edit: &Edit| self.texts.editable(&edit.path).is_some();
        let is_usable =
            |fix: &&Fix| fix.safety == Safety::Safe && !fix.edits.is_empty() && fix.edits.iter().all(is_editable);
        let mut edits: Vec<&Edit> = Vec::new();
        for fix in findings.filter_map(|finding| finding.fixes.iter().find(is_usable)) {
            let collides = |new: &&Edit| edits.iter().any(|old| old != new && overlap(old, new));
            if !fix.edits.iter().any(|new| collides(&new)) {
                edits.extend(&fix.edits);
            }
        }
        // Two fixes may need the same edit.
        let mut seen = HashSet::new();
        edits.retain(|edit| seen.insert(*edit));
        if edits.is_empty() {
            return None;
        }
        Some(CodeAction {
            title: "apply all safe fixes of cowrap in this file".to_owned(),
            kind: Some(CodeActionKind::Custom(FIX_ALL.into())),
            edit: Some(self.workspace_edit(edits.into_iter()).ok()?),
            ..CodeAction::default()
        })
    }

    /// A comment that suppresses a finding. Findings about comments and the baseline have no pack, and cannot be
    /// suppressed by a comment.
    fn suppress(&self, finding: &Finding) -> Option<CodeAction> {
        finding.pack.as_ref()?;
        let at = &finding.primary.at;
        let text = self.texts.editable(&at.path)?;
        let rule = self.report.rule_name(finding);
        let comment = suppress(text.bytes(), text.offset_of(at.line, at.column), &rule).ok()?;
        let range = text.range(comment.offset, comment.offset, self.texts.encoding);
        let edit = match self.capabilities.snippets {
            true => {
                let snippet = format!("{}${{1:{REASON}}}{}", snippet(&comment.before), snippet(&comment.after));
                let snippet = StringValue { value: snippet };
                let edit = SnippetTextEdit { range, snippet, annotation_id: None };
                let change = self.document_change(&at.path, vec![DocumentEdit::SnippetTextEdit(edit)]);
                WorkspaceEdit { document_changes: Some(vec![change]), ..WorkspaceEdit::default() }
            }
            false => {
                let new_text = format!("{}FIXME: {REASON}{}", comment.before, comment.after);
                self.of_files(BTreeMap::from([(at.path.clone(), vec![TextEdit { range, new_text }])]))
            }
        };
        let title = format!("suppress `{rule}` here with a comment that gives the reason");
        Some(CodeAction { title, edit: Some(edit), ..CodeAction::default() })
    }

    /// A command that adds a finding to the baseline.
    fn baseline(&self, finding: &Finding) -> Option<CodeAction> {
        let title = "add this finding to the baseline".to_owned();
        let arguments = Some(vec![Value::from(finding.fingerprint.clone())]);
        let command = ADD_TO_BASELINE.to_owned();
        let command = Command { title: title.clone(), command, arguments, ..Command::default() };
        self.has_baseline.then(|| CodeAction { title, command: Some(command), ..CodeAction::default() })
    }

    /// Edits of bytes as edits of documents.
    ///
    /// # Errors
    ///
    /// A file has another text on the disk than the one on which the edits were planned.
    fn workspace_edit<'e>(&self, edits: impl Iterator<Item = &'e Edit>) -> Result<WorkspaceEdit, PathBuf> {
        let mut files: BTreeMap<PathBuf, Vec<TextEdit>> = BTreeMap::new();
        for edit in edits {
            let text = self.texts.editable(&edit.path).ok_or_else(|| edit.path.clone())?;
            let range = text.range(edit.start, edit.end, self.texts.encoding);
            files.entry(edit.path.clone()).or_default().push(TextEdit { range, new_text: edit.text.clone() });
        }
        Ok(self.of_files(files))
    }

    /// Edits of files: for a certain version of each that is open, if the client can say so.
    fn of_files(&self, files: BTreeMap<PathBuf, Vec<TextEdit>>) -> WorkspaceEdit {
        if self.capabilities.document_changes {
            let change = |(path, edits): (PathBuf, Vec<TextEdit>)| {
                self.document_change(&path, edits.into_iter().map(DocumentEdit::TextEdit).collect())
            };
            let changes = files.into_iter().map(change).collect();
            return WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() };
        }
        let changes: HashMap<_, _> = files.into_iter().map(|(path, edits)| (self.texts.uri(&path), edits)).collect();
        WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
    }

    fn document_change(&self, path: &Path, edits: Vec<DocumentEdit>) -> DocumentChange {
        let text_document_identifier = TextDocumentIdentifier { uri: self.texts.uri(path) };
        let version = self.texts.documents(path).first().map(|document| document.version);
        let text_document = OptionalVersionedTextDocumentIdentifier { version, text_document_identifier };
        DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits })
    }
}

/// Whether an action of a kind is wanted by somebody who wants a kind: `source` has `source.fixAll` in it.
fn is_of_kind(kind: &str, wanted: &CodeActionKind) -> bool {
    let wanted = String::from(wanted.clone());
    let rest = kind.strip_prefix(wanted.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || wanted.is_empty())
}

/// Whether two edits change the same place.
fn overlap(one: &Edit, other: &Edit) -> bool {
    let is_same_place = one.start == other.start && one.end == other.end;
    one.path == other.path && (is_same_place || (one.start < other.end && other.start < one.end))
}

/// A text as a snippet has it.
fn snippet(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_contains_those_below_it() {
        let is = |kind: &str, wanted: &'static str| is_of_kind(kind, &CodeActionKind::from(wanted));
        assert!(is("quickfix", "quickfix") && is("quickfix", "") && is(FIX_ALL, "source"));
        assert!(is(FIX_ALL, "source.fixAll") && is(FIX_ALL, FIX_ALL));
        assert!(!is("quickfix", "quick") && !is("quickfix", "refactor") && !is(FIX_ALL, "source.fix"));
    }

    #[test]
    fn snippets_have_no_placeholders_of_their_own() {
        assert_eq!(snippet("a$1 \\ }"), "a\\$1 \\\\ \\}");
    }
}
