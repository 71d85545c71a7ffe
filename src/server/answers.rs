//! Answers queries.
//!
//! Must never know the protocol's lifecycle or documents that are not part of the analysis.

use serde_json::Value;

use cowrap_session::live::Analysis;

use crate::capabilities::Capabilities;
use crate::mailbox::Waiting;
use crate::texts::FileTexts;
use crate::transport::Client;

/// Answers a query.
pub(crate) fn answer(
    waiting: Waiting,
    _analysis: &Analysis<'_>,
    _texts: &FileTexts<'_>,
    _capabilities: Capabilities,
    client: &Client,
) {
    client.respond(waiting.id, Value::Null);
}
