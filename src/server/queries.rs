//! What the client asks about a state of the tree.
//!
//! It must never know the answers.

use gen_lsp_types::{
    CallHierarchyIncomingCallsParams, CallHierarchyIncomingCallsRequest, CallHierarchyItem,
    CallHierarchyOutgoingCallsParams, CallHierarchyOutgoingCallsRequest, CallHierarchyPrepareParams,
    CallHierarchyPrepareRequest, CodeActionKind, CodeActionParams, CodeActionRequest, CodeLensParams, CodeLensRequest,
    ExecuteCommandParams, ExecuteCommandRequest, HoverParams, HoverRequest, ImplementationParams,
    ImplementationRequest, InlayHintParams, InlayHintRequest, Position, Range, Request as _, Uri,
};
use lsp_server::{ErrorCode, Request};
use serde::de::DeserializeOwned;

use crate::capabilities::ADD_TO_BASELINE;

/// What the client asks.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    /// What there is to say about a word, or a line.
    Hover(Uri, Position),
    /// The wrapper, target or candidates of a word.
    Targets(Uri, Position),
    /// The function or slot at a word, as the beginning of a call hierarchy.
    CallItem(Uri, Position),
    /// The calls that lead to an item.
    Incoming(Box<CallHierarchyItem>),
    /// The calls that an item makes.
    Outgoing(Box<CallHierarchyItem>),
    /// What to do about the findings in a range; actions of some kinds only, if there are any.
    Actions(Uri, Range, Option<Vec<CodeActionKind>>),
    /// The lenses of a document.
    Lenses(Uri),
    /// The hints in a range.
    Hints(Uri, Range),
    /// Add the finding with a fingerprint to the baseline.
    AddToBaseline(String),
}

impl Query {
    /// What a request asks.
    ///
    /// # Errors
    ///
    /// It is not one of these, or its parameters are not those of the protocol.
    pub(crate) fn of(request: &Request) -> Result<Query, (ErrorCode, String)> {
        let method = request.method.as_str();
        let is = |known: gen_lsp_types::LspRequestMethod<'static>| known.as_str() == method;
        if is(HoverRequest::METHOD) {
            let params: HoverParams = params(request)?;
            let at = params.text_document_position_params;
            Ok(Query::Hover(at.text_document.uri, at.position))
        } else if is(ImplementationRequest::METHOD) {
            let params: ImplementationParams = params(request)?;
            let at = params.text_document_position_params;
            Ok(Query::Targets(at.text_document.uri, at.position))
        } else if is(CallHierarchyPrepareRequest::METHOD) {
            let params: CallHierarchyPrepareParams = params(request)?;
            let at = params.text_document_position_params;
            Ok(Query::CallItem(at.text_document.uri, at.position))
        } else if is(CallHierarchyIncomingCallsRequest::METHOD) {
            let params: CallHierarchyIncomingCallsParams = params(request)?;
            Ok(Query::Incoming(Box::new(params.item)))
        } else if is(CallHierarchyOutgoingCallsRequest::METHOD) {
            let params: CallHierarchyOutgoingCallsParams = params(request)?;
            Ok(Query::Outgoing(Box::new(params.item)))
        } else if is(CodeActionRequest::METHOD) {
            let params: CodeActionParams = params(request)?;
            Ok(Query::Actions(params.text_document.uri, params.range, params.context.only))
        } else if is(CodeLensRequest::METHOD) {
            let params: CodeLensParams = params(request)?;
            Ok(Query::Lenses(params.text_document.uri))
        } else if is(InlayHintRequest::METHOD) {
            let params: InlayHintParams = params(request)?;
            Ok(Query::Hints(params.text_document.uri, params.range))
        } else if is(ExecuteCommandRequest::METHOD) {
            command(params(request)?)
        } else {
            Err((ErrorCode::MethodNotFound, format!("cowrap does not know the request {method}")))
        }
    }

    /// Whether it is about findings alone.
    pub(crate) fn is_about_findings(&self) -> bool {
        matches!(self, Query::Actions(..) | Query::AddToBaseline(_))
    }

    /// The document of whose text it has a position. Its answer is of no use if that text has changed meanwhile.
    pub(crate) fn document(&self) -> Option<&Uri> {
        match self {
            Query::Hover(uri, _) | Query::Targets(uri, _) | Query::CallItem(uri, _) => Some(uri),
            Query::Actions(uri, ..) | Query::Lenses(uri) | Query::Hints(uri, _) => Some(uri),
            Query::Incoming(_) | Query::Outgoing(_) | Query::AddToBaseline(_) => None,
        }
    }
}

/// What a command asks.
fn command(params: ExecuteCommandParams) -> Result<Query, (ErrorCode, String)> {
    if params.command != ADD_TO_BASELINE {
        return Err((ErrorCode::InvalidParams, format!("cowrap does not know the command {}", params.command)));
    }
    let argument = params.arguments.unwrap_or_default().into_iter().next();
    let fingerprint = argument.as_ref().and_then(|argument| argument.as_str());
    let missing = || (ErrorCode::InvalidParams, format!("{ADD_TO_BASELINE}: expected the fingerprint of a finding"));
    fingerprint.map(|fingerprint| Query::AddToBaseline(fingerprint.to_owned())).ok_or_else(missing)
}

/// The parameters of a request.
fn params<P: DeserializeOwned>(request: &Request) -> Result<P, (ErrorCode, String)> {
    let wrong = |error| (ErrorCode::InvalidParams, format!("{}: {error}", request.method));
    P::deserialize(&request.params).map_err(wrong)
}
