//! What an editor waits for on QEMU: the language server, asked by a scripted client.
//!
//!     COWRAP_BENCH_BUILD=/path/to/qemu/build cargo bench --bench server
//!
//! * `COWRAP_BENCH_BUILD`: a build directory with a `compile_commands.json` of QEMU; without it, nothing is measured.
//! * `COWRAP_BENCH_CACHE`: a directory for the cache, so that several benchmarks share one. A temporary one by default,
//!   which a cold run fills first.
//! * `COWRAP_BENCH_RUNS`: how often each row is measured, 15 by default; starts a third as often.
//! * `COWRAP_BENCH_UNIT`, `COWRAP_BENCH_HEADER`: the files that are edited in the client, relative to the root. Nothing
//!   is saved. The header must declare `COWRAP_BENCH_FUNCTION` with its mark.
//!
//! These are times of the wall clock, as somebody waits for them: from the message that is sent to the one that comes
//! back. Nothing else should run.

use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};

/// How long an answer may take before the benchmark gives up: a cold start reads the whole tree.
const LONGEST: Duration = Duration::from_secs(1200);

/// The server, and a client that knows what it was told.
struct Client {
    server: Child,
    input: BufWriter<ChildStdin>,
    messages: Receiver<Message>,
    next: i32,
    /// The messages of the diagnostics of each document.
    diagnostics: BTreeMap<String, Vec<String>>,
}

impl Client {
    fn start(build: &Path, cache: &Path, root: &Path) -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.args(["server", "-p"]).arg(build).arg("--cache-dir").arg(cache).current_dir(root);
        let mut server =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server can be started");
        let (sender, messages) = channel();
        let mut output = BufReader::new(server.stdout.take().expect("it is piped"));
        std::thread::spawn(move || {
            while let Ok(Some(message)) = Message::read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = BufWriter::new(server.stdin.take().expect("it is piped"));
        let mut client = Client { server, input, messages, next: 0, diagnostics: BTreeMap::new() };
        let capabilities = json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } });
        client.request(
            "initialize",
            json!({ "processId": std::process::id(), "rootUri": uri(root),
            "workspaceFolders": [{ "uri": uri(root), "name": "tree" }], "capabilities": capabilities }),
        );
        client.notify("initialized", json!({}));
        client
    }

    fn send(&mut self, message: Message) {
        message.write(&mut self.input).and_then(|()| self.input.flush()).expect("the server reads");
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(Message::Notification(Notification::new(method.to_owned(), params)));
    }

    /// Sends a request, and waits for its answer.
    fn request(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.send(Message::Request(Request::new(id.clone(), method.to_owned(), params)));
        loop {
            if let Some(Message::Response(response)) = self.take()
                && response.id == id
            {
                return response.response_result.unwrap_or_else(|error| panic!("{method}: {}", error.message));
            }
        }
    }

    /// Takes the next message. Diagnostics are noted.
    fn take(&mut self) -> Option<Message> {
        match self.messages.recv_timeout(LONGEST).expect("the server answers") {
            Message::Notification(Notification { method, params }) if method == "textDocument/publishDiagnostics" => {
                let messages = params["diagnostics"].as_array().into_iter().flatten();
                let messages = messages.map(|diagnostic| diagnostic["message"].to_string()).collect();
                self.diagnostics.insert(params["uri"].as_str().unwrap_or_default().to_owned(), messages);
                None
            }
            message => Some(message),
        }
    }

    /// Waits until the diagnostics are as a test wants them.
    fn wait(&mut self, wanted: impl Fn(&BTreeMap<String, Vec<String>>) -> bool) {
        while !wanted(&self.diagnostics) {
            self.take();
        }
    }

    fn open(&mut self, path: &Path, text: &str) {
        let document = json!({ "uri": uri(path), "languageId": "c", "version": 0, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces a part of a line, from a column to another.
    fn edit(&mut self, path: &Path, version: i32, line: usize, columns: (usize, usize), text: &str) {
        let at = |column: usize| json!({ "line": line, "character": column });
        let change = json!({ "range": { "start": at(columns.0), "end": at(columns.1) }, "text": text });
        let document = json!({ "uri": uri(path), "version": version });
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    }

    /// The most memory that the server and its workers have used, in MiB, each by itself.
    fn memory(&self) -> f64 {
        let id = self.server.id();
        let peak = |id: u32| high_water_mark(id).unwrap_or(0);
        let all: u64 = children(id).into_iter().map(peak).sum::<u64>() + peak(id);
        all as f64 / 1024.0
    }

    fn end(mut self) {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        let status = self.server.wait().expect("the server ends");
        assert!(status.success(), "it ended with {status}");
    }
}

fn main() {
    // `cargo test --benches` and `cargo bench` pass arguments of their own.
    let Some(build) = variable("COWRAP_BENCH_BUILD").map(PathBuf::from) else {
        println!("skipped: set COWRAP_BENCH_BUILD to a build directory of QEMU with a compile_commands.json");
        return;
    };
    let build = build.canonicalize().expect("the build directory exists");
    let root = build.parent().expect("it is below the root").to_path_buf();
    let runs = variable("COWRAP_BENCH_RUNS").and_then(|runs| runs.parse().ok()).unwrap_or(15usize);
    let path = |name: &str, default: &str| root.join(variable(name).unwrap_or_else(|| default.to_owned()));
    let unit = path("COWRAP_BENCH_UNIT", "block/io.c");
    let header = path("COWRAP_BENCH_HEADER", "include/block/block-io.h");
    let function = variable("COWRAP_BENCH_FUNCTION").unwrap_or_else(|| "bdrv_co_flush".to_owned());
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let cache = variable("COWRAP_BENCH_CACHE").map_or_else(|| scratch.path().to_path_buf(), PathBuf::from);
    let fill = Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .args(["check", "--format", "short", "-p"])
        .arg(&build)
        .arg("--cache-dir")
        .arg(&cache)
        .stdout(Stdio::null())
        .current_dir(&root)
        .status();
    // Findings and units that cannot be read are no failure here.
    assert!(fill.expect("cowrap can be started").code().is_some(), "the check crashed");

    println!("| | median | spread | goal |\n|---|---|---|---|");
    let start = |times: &mut Vec<f64>| {
        let begun = Instant::now();
        let mut client = Client::start(&build, &cache, &root);
        // It is answered when the first state has been checked.
        hover(&mut client, &unit, 0, 0);
        times.push(milliseconds(begun));
        client
    };
    let mut times = Vec::new();
    (1..runs.div_ceil(3)).for_each(|_| start(&mut times).end());
    let mut client = start(&mut times);
    row("start on a warm cache, until a hover is answered", times, "ms", 1000.0);

    edit_unit(&mut client, &unit, &function, runs);
    edit_header(&mut client, &header, &function, runs.div_ceil(3));
    row("memory, server and workers, after all this", vec![client.memory()], "MiB", 1024.0);
    client.end();
}

/// Edits inside the unit, which open a hover each.
fn edit_unit(client: &mut Client, unit: &Path, function: &str, runs: usize) {
    let text = std::fs::read_to_string(unit).expect("the unit can be read");
    client.open(unit, &text);
    let is_definition = |line: &str| line.contains(&format!(" {function}(")) && !line.trim_end().ends_with(';');
    let line = text.lines().position(is_definition).expect("the unit defines the function");
    let (mut edits, mut hovers, mut length) = (Vec::new(), Vec::new(), 0);
    for run in 0..runs as i32 {
        let name = format!("cowrap_bench_{run}");
        let inserted = format!("static void {name}(void) {{ {function}(0); }} ");
        let begun = Instant::now();
        client.edit(unit, run + 1, line, (0, length), &inserted);
        client.wait(|diagnostics| has(diagnostics.get(&uri(unit)), &name));
        edits.push(milliseconds(begun));
        length = inserted.len();
        // Another place each time.
        for (number, word) in text.lines().enumerate().skip(run as usize * 97).step_by(211) {
            let Some(column) = word.find("bdrv_") else { continue };
            let begun = Instant::now();
            hover(client, unit, number + usize::from(number > line), column);
            hovers.push(milliseconds(begun));
        }
    }
    client.edit(unit, runs as i32 + 1, line, (0, length), "");
    client.wait(|diagnostics| !has(diagnostics.get(&uri(unit)), "cowrap_bench_"));
    // The first edit makes the unit's precompiled preamble.
    row("first edit of a unit, until its diagnostics", vec![edits.remove(0)], "ms", f64::NAN);
    row("edit of a unit, until its diagnostics", edits, "ms", 300.0);
    row("hover", hovers, "ms", 20.0);
}

/// Takes the mark away from the declaration, and back: callers elsewhere are not affected by the second.
fn edit_header(client: &mut Client, header: &Path, function: &str, runs: usize) {
    let text = std::fs::read_to_string(header).expect("the header can be read");
    client.open(header, &text);
    let line = text.lines().position(|line| line.contains(&format!(" {function}("))).expect("the header declares it");
    let lines: Vec<&str> = text.lines().collect();
    // The mark may be on the line before.
    let (line, column) = [line, line - 1]
        .into_iter()
        .find_map(|line| Some((line, lines[line].find("coroutine_fn ")?)))
        .expect("the declaration has a mark");
    let before = client.diagnostics.clone();
    let changed = |now: &BTreeMap<String, Vec<String>>| {
        now.iter().any(|(document, messages)| before.get(document).is_none_or(|before| before != messages))
    };
    let same = |now: &BTreeMap<String, Vec<String>>| {
        now.iter().all(|(document, messages)| before.get(document).map_or(messages.is_empty(), |b| b == messages))
    };
    let (mut edits, mut undone) = (Vec::new(), Vec::new());
    for run in 0..runs as i32 {
        let begun = Instant::now();
        client.edit(header, 2 * run + 1, line, (column, column + "coroutine_fn ".len()), "");
        client.wait(changed);
        edits.push(milliseconds(begun));
        let begun = Instant::now();
        client.edit(header, 2 * run + 2, line, (column, column), "coroutine_fn ");
        client.wait(same);
        undone.push(milliseconds(begun));
    }
    row("mark removed in a header, until the first diagnostics elsewhere", edits, "ms", f64::NAN);
    row("undone, until they are gone", undone, "ms", f64::NAN);
}

fn hover(client: &mut Client, file: &Path, line: usize, column: usize) {
    let position = json!({ "line": line, "character": column });
    client.request("textDocument/hover", json!({ "textDocument": { "uri": uri(file) }, "position": position }));
}

fn has(messages: Option<&Vec<String>>, text: &str) -> bool {
    messages.into_iter().flatten().any(|message| message.contains(text))
}

fn row(name: &str, mut values: Vec<f64>, unit: &str, goal: f64) {
    values.sort_by(f64::total_cmp);
    let number = |value: f64| if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") };
    let (median, first, last) = (values[values.len() / 2], values[0], values[values.len() - 1]);
    let goal = if goal.is_nan() { String::new() } else { number(goal) };
    println!("| {name} ({}) | {} | {} to {} | {goal} |", values.len(), number(median), number(first), number(last));
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.to_str().expect("the path is UTF-8"))
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The processes that a process has started, from `/proc` (proc(5)).
fn children(id: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{id}/task")) else { return Vec::new() };
    let lists: Vec<String> =
        tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok()).collect();
    lists.join(" ").split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// `VmHWM` of `/proc/PID/status`, in KiB (proc(5)).
fn high_water_mark(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}
