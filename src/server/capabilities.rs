//! What the client can do, and what the server offers to such a client.
//!
//! What the client says is read key by key: one key of a wrong type must not make the others unreadable. It must never
//! know what the answers are.

use gen_lsp_types::{
    CallHierarchyProvider, CodeActionKind, CodeActionOptions, CodeActionProvider, CodeLensOptions,
    ExecuteCommandOptions, HoverProvider, ImplementationProvider, InitializeResult, InlayHintProvider, Save,
    ServerCapabilities, ServerInfo, TextDocumentSync, TextDocumentSyncKind, TextDocumentSyncOptions,
};
use serde_json::Value;

use crate::options::Options;
use crate::positions::Encoding;

/// The command that adds a finding to the baseline.
pub(crate) const ADD_TO_BASELINE: &str = "cowrap.addToBaseline";

/// The kind of the action that applies all safe fixes of a file. Editors run it by the name `source.fixAll`, too.
pub(crate) const FIX_ALL: &str = "source.fixAll.cowrap";

/// What the client can do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Capabilities {
    /// How it counts characters.
    pub(crate) encoding: Encoding,
    /// Whether it shows Markdown.
    pub(crate) markdown: bool,
    /// Whether diagnostics may have related locations.
    pub(crate) related_information: bool,
    /// Whether it shows what is unnecessary in another way.
    pub(crate) unnecessary_tag: bool,
    /// Whether diagnostics may have a link to the page of their rule.
    pub(crate) code_description: bool,
    /// Whether edits may name the version of the document that they are for.
    pub(crate) document_changes: bool,
    /// Whether it knows code actions as such, not only commands.
    pub(crate) code_actions: bool,
    /// Whether it shows actions that cannot be done, and why.
    pub(crate) disabled_actions: bool,
    /// Whether edits may have placeholders.
    pub(crate) snippets: bool,
    /// Whether it shows progress.
    pub(crate) progress: bool,
    /// Whether it asks again for code lenses, or inlay hints, when the server asks it to.
    pub(crate) code_lens_refresh: bool,
    pub(crate) inlay_hint_refresh: bool,
}

impl Capabilities {
    /// Reads the parameters of `initialize`.
    pub(crate) fn of(params: &Value) -> Capabilities {
        let at = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let is = |path: &str| at(path).and_then(Value::as_bool).unwrap_or(false);
        let strings = |path: &str| {
            at(path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>()
        };
        let diagnostics = |key: &str| format!("textDocument/publishDiagnostics/{key}");
        let tags = at(&diagnostics("tagSupport/valueSet")).and_then(Value::as_array);
        Capabilities {
            encoding: Encoding::negotiated(strings("general/positionEncodings")),
            // The client prefers what comes first.
            markdown: strings("textDocument/hover/contentFormat").first() == Some(&"markdown"),
            related_information: is(&diagnostics("relatedInformation")),
            unnecessary_tag: tags.is_some_and(|tags| tags.contains(&Value::from(1))),
            code_description: is(&diagnostics("codeDescriptionSupport")),
            document_changes: is("workspace/workspaceEdit/documentChanges"),
            code_actions: at("textDocument/codeAction/codeActionLiteralSupport").is_some_and(Value::is_object),
            disabled_actions: is("textDocument/codeAction/disabledSupport"),
            snippets: is("workspace/workspaceEdit/snippetEditSupport") && is("workspace/workspaceEdit/documentChanges"),
            progress: is("window/workDoneProgress"),
            code_lens_refresh: is("workspace/codeLens/refreshSupport"),
            inlay_hint_refresh: is("workspace/inlayHint/refreshSupport"),
        }
    }

    /// What the server offers.
    pub(crate) fn offer(&self, options: &Options) -> InitializeResult {
        let kinds = vec![CodeActionKind::QuickFix, CodeActionKind::Custom(FIX_ALL.into())];
        let sync = TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            save: Some(Save::Bool(true)),
            ..TextDocumentSyncOptions::default()
        };
        let capabilities = ServerCapabilities {
            position_encoding: Some(self.encoding.kind()),
            text_document_sync: Some(TextDocumentSync::Options(sync)),
            hover_provider: Some(HoverProvider::Bool(true)),
            implementation_provider: Some(ImplementationProvider::Bool(true)),
            call_hierarchy_provider: Some(CallHierarchyProvider::Bool(true)),
            code_action_provider: self.code_actions.then(|| {
                let code_action_kinds = Some(kinds);
                CodeActionProvider::CodeActionOptions(CodeActionOptions { code_action_kinds, ..Default::default() })
            }),
            execute_command_provider: Some(ExecuteCommandOptions {
                commands: vec![ADD_TO_BASELINE.to_owned()],
                ..Default::default()
            }),
            code_lens_provider: options.code_lens.then(CodeLensOptions::default),
            inlay_hint_provider: options.inlay_hints.then_some(InlayHintProvider::Bool(true)),
            ..ServerCapabilities::default()
        };
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        InitializeResult { capabilities, server_info: Some(ServerInfo { name: "cowrap".to_owned(), version }) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_that_says_nothing_can_do_nothing() {
        for params in [json!(null), json!({}), json!({ "capabilities": null }), json!({ "capabilities": [1] })] {
            let found = Capabilities::of(&params);
            assert_eq!(found.encoding, Encoding::Utf16);
            assert!(!found.markdown && !found.code_actions && !found.progress, "{params}");
        }
    }

    #[test]
    fn a_key_of_a_wrong_type_spoils_no_other() {
        let found = Capabilities::of(&json!({ "capabilities": {
            "general": { "positionEncodings": [1, "utf-8"] },
            "textDocument": { "hover": { "contentFormat": "markdown" }, "publishDiagnostics": {
                "relatedInformation": true, "tagSupport": { "valueSet": [1, 2] }, "codeDescriptionSupport": "yes",
            }},
            "window": { "workDoneProgress": true },
        }}));
        assert_eq!(found.encoding, Encoding::Utf8);
        assert!(found.related_information && found.unnecessary_tag && found.progress);
        assert!(!found.markdown && !found.code_description);
    }
}
