//! The analysis thread: owns the tree, checks the states that the client's documents make, and answers queries from
//! what follows.
//!
//! It must never know how messages come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gen_lsp_types::{MessageType, Notification as _, ShowMessageNotification, ShowMessageParams};
use serde_json::Value;

use cowrap_report::Report;
use cowrap_session::live::{Analysis, LiveState, LiveTree, Observer};
use cowrap_session::watcher::{DiskChange, WatchError, Watcher};
use cowrap_session::{Error, Input, Request};

use crate::Host;
use crate::answers::{Answers, decline};
use crate::capabilities::Capabilities;
use crate::diagnostics::Publisher;
use crate::documents::{Document, OpenFiles};
use crate::mailbox::{Answered, Mailbox, Task, Wanted};
use crate::options::Options;
use crate::progress::Reporter;
use crate::texts::FileTexts;
use crate::transport::Client;

/// How often a tree that cannot be opened is tried again although nothing was noticed.
const RETRY: Duration = Duration::from_secs(3);

/// What the client has open.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Its folders. The first with a compilation database is checked.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) options: Options,
}

/// How serving a tree ended.
enum Served {
    /// The tree has to be opened anew.
    Again,
    /// The server ends.
    End,
    /// There is no tree, for this reason.
    NoTree(String),
}

/// What the client is warned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Warned {
    Cache,
    Baseline,
}

/// What the analysis thread works with.
struct Analyst<'a> {
    host: &'a Host,
    workspace: &'a Workspace,
    capabilities: Capabilities,
    client: &'a Client,
    mailbox: &'a Arc<Mailbox>,
    publisher: Mutex<Publisher>,
    /// The last problem that the client was shown, so that it is shown once.
    shown: Mutex<Option<String>>,
    /// What the client was warned of, each once.
    warnings: Mutex<BTreeSet<Warned>>,
}

/// Runs until the mailbox says that it is the end.
pub(crate) fn run(
    host: &Host,
    workspace: &Workspace,
    capabilities: Capabilities,
    client: &Client,
    mailbox: &Arc<Mailbox>,
) {
    let (publisher, shown, warnings) = (Mutex::default(), Mutex::default(), Mutex::default());
    let analyst = Analyst { host, workspace, capabilities, client, mailbox, publisher, shown, warnings };
    let mut watchers = Watchers::default();
    loop {
        let problem = match analyst.serve(&mut watchers) {
            Served::Again => continue,
            Served::End => return,
            Served::NoTree(problem) => problem,
        };
        analyst.show_absence(&problem);
        if watchers.folders.is_none() {
            // What the tree lacks may have appeared before the folders were watched, so that it is tried once more.
            let folders = workspace.folders.iter();
            watchers.folders = Some(folders.filter_map(|folder| analyst.watch_folder(folder)).collect());
        } else if !analyst.wait_for_change() {
            return;
        }
    }
}

/// Those who notice changes on the disk.
#[derive(Default)]
struct Watchers {
    /// That of the tree that was opened last. It watches until that of the next one does.
    tree: Option<Watcher>,
    /// Those of the folders, while there is no tree.
    folders: Option<Vec<Watcher>>,
}

impl Analyst<'_> {
    /// Opens the tree, and serves it until it has to be opened anew.
    fn serve(&self, watchers: &mut Watchers) -> Served {
        let mut first_problem = None;
        for folder in &self.workspace.folders {
            let problem = match (self.host.request)(folder, &self.workspace.options) {
                Err(problem) => problem,
                Ok(request) => match LiveTree::open(&request) {
                    Ok(tree) => return self.check_states(tree, &request, watchers),
                    Err(error @ Error::Database(_)) => {
                        first_problem.get_or_insert(error.to_string());
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
            };
            return Served::NoTree(problem);
        }
        Served::NoTree(first_problem.unwrap_or_default())
    }

    /// Shows why there is no tree.
    fn show_absence(&self, problem: &str) {
        self.show(problem);
        self.refuse_queries();
        self.publisher().clear(self.client);
    }

    /// Waits until something has changed. The result is false at the end.
    fn wait_for_change(&self) -> bool {
        loop {
            match self.mailbox.next_within(RETRY) {
                // A folder that was replaced is not watched any more.
                None => return true,
                Some(Task::Check(wanted)) if wanted.disk_changed || wanted.reopen => return true,
                Some(Task::Check(_)) => {}
                Some(Task::Answer(waiting)) => decline(self.client, waiting),
                Some(Task::End) => return false,
            }
        }
    }

    /// Leaves changes of a tree in the mailbox.
    fn watch_tree(&self, tree: &LiveTree<'_>) -> Option<Watcher> {
        let started = Watcher::start(tree.root(), tree.configuration(), tree.opened(), self.on_change());
        started.inspect_err(|error| warn_unwatched(self.client, error)).ok()
    }

    /// Leaves changes of a folder that has no tree in the mailbox, as far as they may give it one.
    fn watch_folder(&self, folder: &Path) -> Option<Watcher> {
        let mut others = Vec::new();
        if let Ok(request) = (self.host.request)(folder, &self.workspace.options) {
            let database = match &request.input {
                Input::Database(Some(database)) => Some(database),
                _ => None,
            };
            others.extend(database.map(|database| request.working_directory.join(database)));
            let files = request.packs.iter().chain(database).chain(&request.settings.file);
            let files = files.map(|file| request.working_directory.join(file));
            others.extend(files.filter_map(|file| Some(file.parent()?.to_path_buf())));
        }
        let started = Watcher::start_folder(folder, others, self.on_change());
        started.inspect_err(|error| warn_unwatched(self.client, error)).ok()
    }

    fn on_change(&self) -> impl FnMut(DiskChange) + Send + use<> {
        let (mailbox, client) = (Arc::clone(self.mailbox), self.client.clone());
        let mut is_warned = false;
        move |change| match change {
            DiskChange::Files => mailbox.change_disk(false),
            DiskChange::Configuration => mailbox.change_disk(true),
            DiskChange::Lost(error) => {
                if !std::mem::replace(&mut is_warned, true) {
                    warn_unwatched(&client, &error);
                }
            }
        }
    }

    /// Checks one state after the other.
    fn check_states(&self, mut tree: LiveTree<'_>, request: &Request, watchers: &mut Watchers) -> Served {
        watchers.tree = self.watch_tree(&tree);
        watchers.folders = None;
        let watcher = watchers.tree.as_ref();
        self.mailbox.begin_tree();
        let was_complete = AtomicBool::new(false);
        let client = self.capabilities.progress.then_some(self.client);
        let progress = Reporter::new(client, |units| {
            // It takes long until there is something to say.
            if units > 0 {
                self.mailbox.close_before_analysis().into_iter().for_each(|waiting| decline(self.client, waiting));
            }
        });
        // Files may have changed before they were watched.
        let mut wanted = Wanted { disk_changed: true, ..self.mailbox.take_state() };
        loop {
            if wanted.reopen {
                return Served::Again;
            }
            if let Some(watcher) = watcher.filter(|_| wanted.disk_changed) {
                watcher.look_again();
            }
            let Wanted { files, disk_changed, .. } = &wanted;
            let state = state(files, *disk_changed);
            let server = StateServer { analyst: self, request, files, watcher, was_complete: &was_complete };
            if let Err(error) = tree.check(&state, &server, &progress) {
                self.show(&error.to_string());
                self.refuse_queries();
                // What was found before is not about this state.
                self.publisher().clear(self.client);
            }
            wanted = loop {
                match self.mailbox.next() {
                    Task::Check(wanted) => break wanted,
                    Task::Answer(waiting) => decline(self.client, waiting),
                    Task::End => return Served::End,
                }
            };
        }
    }

    /// Shows a problem, unless it is what was shown last.
    fn show(&self, problem: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_deref() == Some(problem) {
            return;
        }
        *shown = Some(problem.to_owned());
        let params = ShowMessageParams { kind: MessageType::Error, message: format!("cowrap: {problem}") };
        self.client.notify(ShowMessageNotification::METHOD.as_str(), params);
        (self.host.say)(&format!("cowrap: error: {problem}"));
    }

    /// Warns of something, once.
    fn warn(&self, of: Warned, warning: &str) {
        if self.warnings.lock().unwrap_or_else(PoisonError::into_inner).insert(of) {
            warn(self.client, warning);
        }
    }

    /// Warns of files that should be written and are not.
    fn warn_of(&self, report: &Report) {
        if let Some(reason) = &report.details.cache_failure {
            let warning = format!(
                "cannot cache results for the next start: {reason}\nmake room for the cache, make its directory writable, \
                 or name another with --cache-dir"
            );
            self.warn(Warned::Cache, &warning);
        }
        let compared = report.summary.compared.as_ref();
        let pending = compared.filter(|compared| compared.upgrade.is_some());
        if let Some((file, _)) = pending.and_then(|compared| compared.baseline.as_ref()) {
            let warning = format!(
                "{file} is in the previous baseline format; run `cowrap check`, which rewrites it, then review and commit \
                 it"
            );
            self.warn(Warned::Baseline, &warning);
        }
    }

    /// Answers the queries that wait, and those that come, with nothing.
    fn refuse_queries(&self) {
        self.mailbox.close().into_iter().for_each(|waiting| decline(self.client, waiting));
    }

    fn publisher(&self) -> MutexGuard<'_, Publisher> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Warns that changes on the disk go unnoticed.
fn warn_unwatched(client: &Client, error: &WatchError) {
    warn(client, &format!("{error}\nuntil then, restart the server after files have changed on the disk"));
}

fn warn(client: &Client, warning: &str) {
    let params = ShowMessageParams { kind: MessageType::Warning, message: format!("cowrap: {warning}") };
    client.notify(ShowMessageNotification::METHOD.as_str(), params);
}

/// Takes the analyses of one state, and answers queries from them.
struct StateServer<'a> {
    analyst: &'a Analyst<'a>,
    request: &'a Request,
    files: &'a OpenFiles,
    watcher: Option<&'a Watcher>,
    /// Whether there was an analysis of the whole tree.
    was_complete: &'a AtomicBool,
}

impl Observer for StateServer<'_> {
    fn observe(&self, analysis: &Analysis<'_>) {
        let Analyst { capabilities, client, mailbox, .. } = *self.analyst;
        let texts = FileTexts::new(analysis, self.files, capabilities.encoding);
        if analysis.is_complete {
            self.was_complete.store(true, Ordering::Relaxed);
        }
        // Before anything is published, since the client may ask about it at once. In a part of a tree that was never
        // read as a whole, nobody knows who calls a function.
        mailbox.open(match self.was_complete.load(Ordering::Relaxed) {
            true => Answered::All,
            false => Answered::AboutFindings,
        });
        self.analyst.publisher().publish(&analysis.report, &texts, capabilities, analysis.is_complete, client);
        *self.analyst.shown.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if analysis.is_complete {
            self.refresh();
            self.analyst.warn_of(&analysis.report);
        }
        let answers = Answers {
            analysis,
            texts: &texts,
            files: self.files,
            request: self.request,
            capabilities,
            publisher: &self.analyst.publisher,
            client,
            mailbox,
            watcher: self.watcher,
        };
        while let Some(waiting) = mailbox.next_query(analysis.is_complete) {
            answers.answer(waiting);
        }
    }

    fn begin(&self) {
        self.analyst.mailbox.begin_reading();
    }

    fn directories(&self, directories: &BTreeSet<PathBuf>) {
        if let Some(watcher) = self.watcher {
            watcher.follow(directories);
        }
    }

    fn rest_is_read(&self) {
        self.analyst.mailbox.finish_rest();
    }

    fn is_outdated(&self) -> bool {
        self.analyst.mailbox.is_outdated()
    }
}

impl StateServer<'_> {
    /// Has the client ask again for what it shows in the text.
    fn refresh(&self) {
        let Analyst { capabilities, client, workspace, .. } = self.analyst;
        if capabilities.code_lens_refresh && workspace.options.code_lens {
            client.request("workspace/codeLens/refresh", Value::Null);
        }
        if capabilities.inlay_hint_refresh && workspace.options.inlay_hints {
            client.request("workspace/inlayHint/refresh", Value::Null);
        }
    }
}

/// The state that open documents make.
fn state(files: &OpenFiles, disk_changed: bool) -> LiveState {
    let first = files.iter().map(|(path, _)| path.to_path_buf()).collect();
    let text = |(path, documents): (&Path, &[Document])| {
        Some((path.to_path_buf(), Arc::clone(documents.first()?.text.bytes())))
    };
    let texts: BTreeMap<PathBuf, Arc<Vec<u8>>> = files.iter().filter_map(text).collect();
    LiveState { texts, first, disk_changed }
}
