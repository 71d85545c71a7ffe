//! The main thread: reads messages, keeps the documents, and leaves everything else to the analysis thread.
//!
//! It never waits for an analysis. It must never know what a finding is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, never, select, tick};
use gen_lsp_types::{
    CancelNotification, CancelParams, DidChangeTextDocumentNotification, DidChangeTextDocumentParams,
    DidCloseTextDocumentNotification, DidCloseTextDocumentParams, DidOpenTextDocumentNotification,
    DidOpenTextDocumentParams, DidSaveTextDocumentNotification, Id, Notification as _, Range, Uri,
};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::analyst::{self, Workspace};
use crate::answers::decline;
use crate::capabilities::Capabilities;
use crate::documents::Documents;
use crate::mailbox::Mailbox;
use crate::options::Options;
use crate::queries::Query;
use crate::transport::{self, Client, Incoming};
use crate::uris::{identity, path_of};
use crate::{Ending, Host};

/// How often the server looks whether the client still exists, and whether queries have waited for too long.
const TICK: Duration = Duration::from_secs(1);

/// How long the server waits at its end for a client that does not read.
const LONGEST_FLUSH: Duration = Duration::from_secs(1);

/// Where the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client has to send `initialize`.
    New,
    /// The client has to send `initialized`, before which the server sends nothing of its own accord.
    Initializing,
    /// Everything goes.
    Running,
    /// The client has to send `exit`.
    ShutDown,
}

struct Server {
    host: Host,
    client: Client,
    phase: Phase,
    capabilities: Capabilities,
    workspace: Option<Workspace>,
    documents: Documents,
    mailbox: Arc<Mailbox>,
    /// Disconnected when the analysis thread ends.
    analyst: Receiver<()>,
    /// The client's process, if it was there when the client named it: in a container, its number means another process
    /// or none.
    parent: Option<u32>,
}

/// Runs the server.
pub(crate) fn run(host: Host) -> Ending {
    let (client, incoming) = match transport::start() {
        Ok(started) => started,
        Err(error) => {
            (host.say)(&format!("cowrap: error: cannot start threads: {error}"));
            return Ending::Failed;
        }
    };
    let mut server = Server {
        host,
        client,
        phase: Phase::New,
        capabilities: Capabilities::default(),
        workspace: None,
        documents: Documents::default(),
        mailbox: Arc::default(),
        analyst: never(),
        parent: None,
    };
    let ticks = tick(TICK);
    let ending = loop {
        let ending = select! {
            recv(incoming) -> incoming => match incoming {
                Ok(incoming) => server.take(incoming),
                Err(_) if server.phase == Phase::ShutDown => Some(Ending::Orderly),
                Err(_) => Some(Ending::Abrupt),
            },
            recv(ticks) -> _ => server.tick(),
            recv(server.analyst) -> _ => Some(Ending::Failed),
        };
        if let Some(ending) = ending {
            break ending;
        }
    };
    server.mailbox.end();
    server.client.flush(LONGEST_FLUSH);
    ending
}

impl Server {
    /// Takes what the client sent. The result says how the server ends, if it does.
    fn take(&mut self, incoming: Incoming) -> Option<Ending> {
        match incoming {
            Incoming::Message(Message::Request(request)) => {
                self.request(request);
                None
            }
            Incoming::Message(Message::Notification(notification)) if notification.method == "exit" => {
                Some(if self.phase == Phase::ShutDown { Ending::Orderly } else { Ending::Abrupt })
            }
            Incoming::Message(Message::Notification(notification)) => {
                self.notification(notification);
                None
            }
            // Nothing depends on what the client says to progress and refreshing.
            Incoming::Message(Message::Response(_)) => None,
            Incoming::Malformed(problem) => {
                self.log_warning(&format!("the client sent what is no message of the protocol: {problem}"));
                self.client.refuse_malformed(&problem);
                None
            }
            Incoming::Broken(problem) => {
                self.log_warning(&format!("the client's messages cannot be read: {problem}"));
                Some(Ending::Failed)
            }
        }
    }

    fn tick(&mut self) -> Option<Ending> {
        for waiting in self.mailbox.take_expired() {
            decline(&self.client, waiting);
        }
        if self.client.is_stuck() {
            self.log_warning("the client does not read what the server sends");
            return Some(Ending::Abrupt);
        }
        self.parent.is_some_and(|parent| !is_running(parent)).then_some(Ending::Abrupt)
    }

    fn request(&mut self, request: Request) {
        match (self.phase, request.method.as_str()) {
            (Phase::New, "initialize") => self.initialize(request.id, &request.params),
            (Phase::New, _) => {
                self.client.refuse(request.id, ErrorCode::ServerNotInitialized, "expected initialize first");
            }
            (Phase::ShutDown, _) => {
                self.client.refuse(request.id, ErrorCode::InvalidRequest, "expected exit after shutdown");
            }
            (_, "initialize") => {
                self.client.refuse(request.id, ErrorCode::InvalidRequest, "the server is initialized already");
            }
            (_, "shutdown") => {
                self.phase = Phase::ShutDown;
                self.analyst = never();
                self.mailbox.end();
                self.client.respond(request.id, Value::Null);
            }
            _ => self.query(request),
        }
    }

    fn query(&mut self, request: Request) {
        match Query::of(&request) {
            Ok(query) => {
                let version = query.document().and_then(|uri| self.documents.version(uri));
                if let Err(waiting) = self.mailbox.ask(request.id, query, version) {
                    decline(&self.client, waiting);
                }
            }
            Err((code, message)) => self.client.refuse(request.id, code, &message),
        }
    }

    fn initialize(&mut self, id: RequestId, params: &Value) {
        self.phase = Phase::Initializing;
        self.capabilities = Capabilities::of(params);
        let (options, wrong) = Options::of(params);
        wrong.iter().for_each(|problem| self.log_warning(problem));
        let parent = params.get("processId").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        self.parent = parent.filter(|parent| is_running(*parent));
        self.client.respond(id, self.capabilities.offer(&options));
        self.workspace = Some(Workspace { folders: folders(params), options });
    }

    fn notification(&mut self, notification: Notification) {
        let method = notification.method.as_str();
        let is = |known: gen_lsp_types::LspNotificationMethod<'static>| known.as_str() == method;
        let result = match self.phase {
            Phase::New | Phase::ShutDown => Ok(()),
            _ if method == "initialized" => self.start(),
            _ if is(DidOpenTextDocumentNotification::METHOD) => self.opened(&notification),
            _ if is(DidChangeTextDocumentNotification::METHOD) => self.changed(&notification),
            _ if is(DidCloseTextDocumentNotification::METHOD) => self.closed(&notification),
            _ if is(CancelNotification::METHOD) => self.cancelled(&notification),
            _ if is(DidSaveTextDocumentNotification::METHOD) => {
                // Not every file system lets changes be noticed.
                self.mailbox.change_disk(false);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(problem) = result {
            self.log_warning(&problem);
        }
    }

    /// Starts the analysis thread.
    fn start(&mut self) -> Result<(), String> {
        let Some(workspace) = self.workspace.take() else { return Ok(()) };
        self.phase = Phase::Running;
        let (alive, ended) = crossbeam_channel::bounded(0);
        let (host, client) = (self.host.clone(), self.client.clone());
        let (capabilities, mailbox) = (self.capabilities, Arc::clone(&self.mailbox));
        let run = move || {
            // Dropped when the thread ends, in whatever way.
            let _alive = alive;
            analyst::run(&host, &workspace, capabilities, &client, &mailbox);
        };
        self.analyst = ended;
        let started = thread::Builder::new().name("analyst".to_owned()).spawn(run);
        started.map(|_| ()).map_err(|error| format!("cannot start a thread: {error}"))
    }

    fn opened(&mut self, notification: &Notification) -> Result<(), String> {
        let document = params::<DidOpenTextDocumentParams>(notification)?.text_document;
        let result = self.documents.open(document.uri, document.version, document.text);
        self.mailbox.change_files(self.documents.files());
        result
    }

    fn changed(&mut self, notification: &Notification) -> Result<(), String> {
        require_ranges(&notification.params)?;
        let DidChangeTextDocumentParams { text_document, content_changes } = params(notification)?;
        let uri = text_document.text_document_identifier.uri;
        let result = self.documents.change(&uri, text_document.version, content_changes, self.capabilities.encoding);
        self.mailbox.change_files(self.documents.files());
        result
    }

    fn closed(&mut self, notification: &Notification) -> Result<(), String> {
        let uri = params::<DidCloseTextDocumentParams>(notification)?.text_document.uri;
        let result = self.documents.close(&uri);
        self.mailbox.change_files(self.documents.files());
        // What the disk has counts now.
        self.mailbox.change_disk(false);
        result
    }

    fn cancelled(&mut self, notification: &Notification) -> Result<(), String> {
        let id = match params::<CancelParams>(notification)?.id {
            Id::Int(id) => RequestId::from(id),
            Id::String(id) => RequestId::from(id),
        };
        if self.mailbox.cancel(&id) {
            self.client.refuse(id, ErrorCode::RequestCanceled, "cancelled by the client");
        }
        Ok(())
    }

    /// Writes to the server's log what is wrong with what the client does.
    fn log_warning(&self, problem: &str) {
        (self.host.say)(&format!("cowrap: warning: {problem}"));
    }
}

/// The workspace folders of the parameters of `initialize`; the working directory if there are none.
fn folders(params: &Value) -> Vec<PathBuf> {
    let uris = params.get("workspaceFolders").and_then(Value::as_array).into_iter().flatten();
    let uris = uris.filter_map(|folder| folder.get("uri")?.as_str());
    let path = |uri: &str| path_of(&Uri::from(uri)).map(|path| identity(&path));
    let mut folders: Vec<PathBuf> = uris.filter_map(path).collect();
    if folders.is_empty() {
        let root = params.get("rootUri").and_then(Value::as_str).and_then(path);
        let root_path =
            || params.get("rootPath").and_then(Value::as_str).map(Path::new).filter(|path| path.is_absolute());
        folders.extend(root.or_else(|| root_path().map(identity)));
    }
    if folders.is_empty() {
        folders.extend(std::env::current_dir());
    }
    folders
}

/// The parameters of a notification.
fn params<P: DeserializeOwned>(notification: &Notification) -> Result<P, String> {
    P::deserialize(&notification.params).map_err(|error| format!("{}: {error}", notification.method))
}

/// Checks that no change has an invalid range: it would look like a change of the whole text.
fn require_ranges(params: &Value) -> Result<(), String> {
    let changes = params.get("contentChanges").and_then(Value::as_array).into_iter().flatten();
    let mut ranges = changes.filter_map(|change| change.get("range")).filter(|range| !range.is_null());
    match ranges.find(|range| Range::deserialize(*range).is_err()) {
        Some(range) => Err(format!("a change has an invalid range: {range}")),
        None => Ok(()),
    }
}

/// Whether a process is running; so it is if the system does not say.
fn is_running(process: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}
