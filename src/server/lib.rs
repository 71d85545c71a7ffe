//! The language server: what editors show of a tree while it is edited, over the Language Server Protocol.
//!
//! The main thread ([`main_loop`]) speaks the protocol and keeps the documents. The analysis thread ([`analyst`]) owns
//! the tree. Between them is a [`mailbox`]; nothing else is shared, so the main thread never waits for an analysis.
//!
//! It must never know how anything is analysed, or argument syntax.

#![warn(missing_docs)]

// The protocol.
mod main_loop;
mod transport;
mod capabilities;
mod options;
mod queries;
mod progress;

// Documents.
mod documents;
mod positions;
mod uris;

// The tree.
mod mailbox;
mod analyst;

// What the client is shown.
mod diagnostics;
mod rule_pages;
mod answers;
mod hover;
mod calls;
mod annotations;
mod code_actions;
mod texts;
mod word_at;

use std::path::Path;
use std::sync::Arc;

use cowrap_session::Request;

pub use options::Options;

/// Makes the request for the tree of a workspace folder, or says why there cannot be one.
pub type MakeRequest = dyn Fn(&Path, &Options) -> Result<Request, String> + Send + Sync;

/// What the server needs of the program that it is a part of.
#[derive(Clone)]
pub struct Host {
    /// Called whenever the settings of the tree may have changed.
    pub request: Arc<MakeRequest>,
    /// Prints a line on standard error.
    pub say: fn(&str),
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As the protocol says.
    Orderly,
    /// The client ended it, or has gone, without a request to shut down.
    Abrupt,
    /// What the client sends cannot be understood, or the server cannot go on.
    Failed,
}

/// Runs the server on standard input and output. The analysis thread may still be at work when this returns, so the
/// process should end then.
pub fn run(host: Host) -> Ending {
    main_loop::run(host)
}
