//! Answers queries from an analysis.
//!
//! It must never know the lifecycle of the protocol, or how answers are found.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use gen_lsp_types::{CodeActionResponse, Uri};
use lsp_server::{ErrorCode, RequestId};
use serde::Serialize;
use serde_json::Value;

use cowrap_session::live::Analysis;
use cowrap_session::watcher::Watcher;
use cowrap_session::{BaselineRequest, Request, add_to_baseline};

use crate::annotations::{hints, lenses};
use crate::calls::{incoming, items, outgoing, targets};
use crate::capabilities::Capabilities;
use crate::code_actions::Actions;
use crate::diagnostics::Publisher;
use crate::documents::OpenFiles;
use crate::hover::hover;
use crate::mailbox::{Mailbox, Waiting};
use crate::queries::Query;
use crate::texts::FileTexts;
use crate::transport::Client;

/// What answers are made from.
pub(crate) struct Answers<'a> {
    pub(crate) analysis: &'a Analysis<'a>,
    pub(crate) texts: &'a FileTexts<'a>,
    pub(crate) files: &'a OpenFiles,
    pub(crate) request: &'a Request,
    pub(crate) capabilities: Capabilities,
    pub(crate) publisher: &'a Mutex<Publisher>,
    pub(crate) client: &'a Client,
    pub(crate) mailbox: &'a Mailbox,
    pub(crate) watcher: Option<&'a Watcher>,
}

impl Answers<'_> {
    /// Answers a query. About a file that is not part of the tree, there is nothing to say.
    pub(crate) fn answer(&self, waiting: Waiting) {
        let Answers { analysis, texts, .. } = *self;
        let Waiting { id, query, version, .. } = waiting;
        let current = query.document().and_then(|uri| self.files.version(uri));
        if current.is_some() && current != version {
            self.client.refuse(id, ErrorCode::ContentModified, "the document has changed");
            return;
        }
        match query {
            Query::Hover(uri, at) => {
                self.about(id, &uri, |path| hover(analysis, texts, &path, at, self.capabilities));
            }
            Query::Targets(uri, at) => self.about(id, &uri, |path| some(targets(analysis, texts, &path, at))),
            Query::CallItem(uri, at) => self.about(id, &uri, |path| some(items(analysis, texts, &path, at))),
            Query::Incoming(item) => self.client.respond(id, incoming(analysis, texts, &item)),
            Query::Outgoing(item) => self.client.respond(id, outgoing(analysis, texts, &item)),
            Query::Lenses(uri) => self.about(id, &uri, |path| some(lenses(analysis, texts, &path))),
            Query::Hints(uri, range) => self.about(id, &uri, |path| some(hints(analysis, texts, &path, range))),
            Query::Actions(uri, range, kinds) => self.about(id, &uri, |path| {
                let has_baseline = self.request.gate.baseline != BaselineRequest::No;
                let actions =
                    Actions { report: &analysis.report, texts, capabilities: self.capabilities, has_baseline };
                let mut publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner);
                let actions = actions.of(&mut publisher, &path, range, kinds.as_deref());
                some(actions.into_iter().map(CodeActionResponse::CodeAction).collect())
            }),
            Query::AddToBaseline(fingerprint) => self.add_to_baseline(id, &fingerprint),
        }
    }

    /// Answers what is about a document.
    fn about<R: Serialize>(&self, id: RequestId, uri: &Uri, answer: impl Fn(PathBuf) -> Option<R>) {
        self.client.respond(id, self.files.identity(uri).and_then(answer));
    }

    fn add_to_baseline(&self, id: RequestId, fingerprint: &str) {
        let report = &self.analysis.report;
        let Some(finding) = report.findings.iter().find(|finding| finding.fingerprint == fingerprint) else {
            self.client.refuse(id, ErrorCode::RequestFailed, "the finding does not exist any more");
            return;
        };
        match add_to_baseline(finding, &report.tree, self.request) {
            Ok(_) => {
                self.client.respond(id, Value::Null);
                // The baseline is watched, but not on every file system.
                match self.watcher {
                    Some(watcher) => watcher.look_again(),
                    None => self.mailbox.change_disk(true),
                }
            }
            Err(error) => self.client.refuse(id, ErrorCode::RequestFailed, &error.to_string()),
        }
    }
}

/// Answers a query without an analysis. There is nothing to show, but a command has not been executed.
pub(crate) fn decline(client: &Client, waiting: Waiting) {
    match waiting.query {
        Query::AddToBaseline(_) => {
            client.refuse(waiting.id, ErrorCode::RequestFailed, "cowrap is reading the tree; try again later");
        }
        _ => client.respond(waiting.id, Value::Null),
    }
}

/// Answers, unless there are none.
fn some<T>(answers: Vec<T>) -> Option<Vec<T>> {
    (!answers.is_empty()).then_some(answers)
}
