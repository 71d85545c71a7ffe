//! `cowrap watch`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use cowrap_report::render::{Format, render, render_changes};
use cowrap_report::{Report, Reported};
use cowrap_session::live::{Analysis, LiveState, LiveTree, Observer};
use cowrap_session::watcher::{DiskChange, Watcher};
use cowrap_session::{BaselineRequest, Request, Shown};

use super::ending::end_on_interrupt;
use super::input::InputArguments;
use super::messages::say;
use super::{ColorArgument, fail, progress, warn};

#[derive(Debug, Args)]
#[command(after_help = "Ctrl-C ends it, with status 0. If it cannot start, the status is 2.")]
pub(super) struct Watch {
    /// Report findings in these files and directories only; before `--`: the C files to check
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Compiler flags for single C files, instead of a compilation database
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,

    #[command(flatten)]
    report: ReportArguments,

    #[command(flatten)]
    input: InputArguments,

    /// Headers that the wrapper generator reads, separated by commas [default: found in the build]
    #[arg(long = "inputs", help_heading = "Input", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,
}

/// What is reported, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct ReportArguments {
    /// Also run these opt-in rules, separated by commas; `cowrap rules` lists them
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    enable: Vec<String>,

    /// Do not report the findings in this baseline [default: .cowrap-baseline.json at the root, if
    /// present]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Report the findings in the baseline, too
    #[arg(long, conflicts_with = "baseline")]
    no_baseline: bool,

    /// Format of the report
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    /// When to use colors
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArgument::Auto)]
    color: ColorArgument,

    /// Also show libclang, the root, mark definitions and every translation unit that cannot be
    /// read
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArgument {
    /// Source excerpts, for people
    Human,
    /// One line per finding
    Short,
}

impl Watch {
    pub(super) fn run(self, has_flags: bool) -> ExitCode {
        end_on_interrupt();
        if self.input.has_index() {
            return fail("an index does not change; name the build directory with -p instead of --index");
        }
        let (noticed, changes) = mpsc::channel();
        let mut watching = Watching { noticed, changes, printer: Printer::new(&self.report) };
        loop {
            // Settings are read anew.
            let ended = self.request(has_flags).and_then(|request| watching.watch(request));
            match ended {
                Ok(Ended::Changed) => {}
                Ok(Ended::Unread) => return ExitCode::SUCCESS,
                Err(message) if !lock(&watching.printer.printed).has_report => return fail(&message),
                Err(message) => {
                    watching.printer.print_error(&message);
                    watching.wait();
                }
            }
        }
    }

    fn request(&self, has_flags: bool) -> Result<Request, String> {
        let mut request = self.input.request_on(&self.paths, &self.flags, has_flags)?;
        request.inputs = self.inputs.clone();
        request.enable.extend(self.report.enable.iter().cloned());
        if let Some(file) = &self.report.baseline {
            request.gate.baseline = BaselineRequest::File(file.clone());
        } else if self.report.no_baseline {
            request.gate.baseline = BaselineRequest::No;
        }
        Ok(request)
    }
}

/// Why a tree is not watched any more.
enum Ended {
    /// It has to be opened again.
    Changed,
    /// Nobody reads what is printed.
    Unread,
}

/// What goes on while a tree is watched.
struct Watching<'w> {
    /// Where watchers send changes.
    noticed: Sender<DiskChange>,
    changes: Receiver<DiskChange>,
    printer: Printer<'w>,
}

impl Watching<'_> {
    /// Watches a tree until it has to be opened again.
    fn watch(&mut self, request: Request) -> Result<Ended, String> {
        let mut tree = LiveTree::open(&request).map_err(|error| error.to_string())?;
        self.start_watcher(&tree)?;
        // Files may have changed before they were watched.
        let state = LiveState { disk_changed: true, ..LiveState::default() };
        loop {
            self.printer.start_state();
            match tree.check(&state, &self.printer, &progress::Bar::new()) {
                Err(error) if !lock(&self.printer.printed).has_report => return Err(error.to_string()),
                Err(error) => self.printer.print_error(&error.to_string()),
                Ok(()) => {}
            }
            match lock(&self.printer.printed).failure.take() {
                None => {}
                Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Ended::Unread),
                Some(error) => return Err(format!("cannot write the report: {error}")),
            }
            if self.wait() {
                return Ok(Ended::Changed);
            }
        }
    }

    /// Starts a watcher for a tree, instead of the one that there is. That one watches on while a tree cannot be opened
    /// again.
    fn start_watcher(&self, tree: &LiveTree<'_>) -> Result<(), String> {
        let (noticed, is_outdated) = (self.noticed.clone(), Arc::clone(&self.printer.is_outdated));
        let on_change = move |change| {
            if !matches!(change, DiskChange::Lost(_)) {
                is_outdated.store(true, Ordering::Relaxed);
            }
            // The other side has gone if the program is about to end.
            let _ = noticed.send(change);
        };
        let watcher = Watcher::start(tree.root(), tree.configuration(), tree.opened(), on_change);
        let watcher = watcher.map_err(|error| error.to_string())?;
        if lock(&self.printer.watcher).replace(watcher).is_none() {
            say(&format!("cowrap: watching {}; Ctrl-C ends", tree.root().shown()));
        }
        Ok(())
    }

    /// Waits for changes, and takes all that there are. The result says whether the tree has to be opened again.
    fn wait(&self) -> bool {
        let (mut is_change, mut is_configuration) = (false, false);
        while !is_change {
            let Ok(first) = self.changes.recv() else { return true };
            for change in std::iter::once(first).chain(self.changes.try_iter()) {
                match change {
                    DiskChange::Files => is_change = true,
                    DiskChange::Configuration => (is_change, is_configuration) = (true, true),
                    DiskChange::Lost(error) => warn(&error.to_string()),
                }
            }
        }
        is_configuration
    }
}

/// Prints what follows from the states of a tree.
struct Printer<'w> {
    arguments: &'w ReportArguments,
    watcher: Mutex<Option<Watcher>>,
    printed: Mutex<Printed>,
    /// Whether files have changed since the last check began.
    is_outdated: Arc<AtomicBool>,
    /// Whether the rest of the tree has been read.
    rest: (Mutex<bool>, Condvar),
}

/// What was printed.
#[derive(Default)]
struct Printed {
    reported: Reported,
    has_report: bool,
    /// Whether an error was printed since the last report.
    is_broken: bool,
    /// Why nothing can be printed any more.
    failure: Option<io::Error>,
}

impl<'w> Printer<'w> {
    fn new(arguments: &'w ReportArguments) -> Printer<'w> {
        Printer {
            arguments,
            watcher: Mutex::default(),
            printed: Mutex::default(),
            is_outdated: Arc::default(),
            rest: (Mutex::new(false), Condvar::new()),
        }
    }

    /// A check begins.
    fn start_state(&self) {
        self.is_outdated.store(false, Ordering::Relaxed);
    }

    fn print_error(&self, message: &str) {
        fail(message);
        lock(&self.printed).is_broken = true;
    }

    fn print(&self, printed: &mut Printed, report: &Report) -> io::Result<()> {
        let ReportArguments { format, color, verbose, .. } = *self.arguments;
        let changes = printed.reported.update(&report.findings, &report.problems);
        let is_first = !std::mem::replace(&mut printed.has_report, true);
        let was_broken = std::mem::take(&mut printed.is_broken);
        let (is_short, style) = (format == FormatArgument::Short, color.style(&io::stdout()));
        let mut out = io::BufWriter::new(io::stdout().lock());
        if is_first {
            render(report, if is_short { Format::Short } else { Format::Human }, style, verbose, &mut out)?;
        } else if !changes.is_empty() || was_broken {
            render_changes(report, &changes, &time_of_day(), is_short, style, &mut out)?;
        }
        out.flush()
    }
}

impl Observer for Printer<'_> {
    fn observe(&self, analysis: &Analysis<'_>) {
        if analysis.is_complete {
            let mut printed = lock(&self.printed);
            printed.failure = self.print(&mut printed, &analysis.report).err();
            return;
        }
        // What is not known yet would appear, and be gone again.
        let (rest, is_read) = &self.rest;
        let mut read = lock(rest);
        while !*read && !self.is_outdated() {
            read = is_read.wait_timeout(read, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn rest_is_read(&self) {
        *lock(&self.rest.0) = true;
        self.rest.1.notify_all();
    }

    fn begin(&self) {
        *lock(&self.rest.0) = false;
    }

    fn directories(&self, directories: &BTreeSet<PathBuf>) {
        if let Some(watcher) = &*lock(&self.watcher) {
            watcher.follow(directories);
        }
    }

    fn is_outdated(&self) -> bool {
        self.is_outdated.load(Ordering::Relaxed)
    }
}

/// How often a check that waits looks whether it is outdated.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of day, as text.
fn time_of_day() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % (24 * 60 * 60);
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
