//! A client of the Language Server Protocol that does what a test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, and what it has sent.
pub struct Client {
    pub child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    stderr: Option<std::thread::JoinHandle<String>>,
    next: i64,
    /// The root of the tree.
    pub root: PathBuf,
    /// What the last `publishDiagnostics` of each document said.
    pub published: BTreeMap<String, Value>,
    /// Everything that the server sent.
    pub log: Vec<Value>,
    /// What the server can do.
    pub offered: Value,
}

/// A client that can do everything.
pub fn capabilities() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "workspace": { "workspaceEdit": { "documentChanges": true, "snippetEditSupport": true } },
        "textDocument": {
            "hover": { "contentFormat": ["markdown", "plaintext"] },
            "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } },
                "disabledSupport": true, "isPreferredSupport": true },
            "publishDiagnostics": { "relatedInformation": true, "versionSupport": true,
                "codeDescriptionSupport": true, "dataSupport": true, "tagSupport": { "valueSet": [1, 2] } },
        },
        "window": { "workDoneProgress": true },
    })
}

/// The parameters of `initialize` for these folders.
pub fn parameters(folders: &[&Path], capabilities: Value) -> Value {
    let folder = |path: &&Path| json!({ "uri": uri(path), "name": "folder" });
    let folders: Vec<Value> = folders.iter().map(folder).collect();
    json!({ "processId": null, "rootUri": null, "workspaceFolders": folders, "capabilities": capabilities })
}

/// The URI of a path, which needs no escapes but those for blanks and non-ASCII characters.
pub fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(byte);
    let escape = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    format!("file://{}", path.as_os_str().as_bytes().iter().map(escape).collect::<String>())
}

impl Client {
    /// Starts a server, which is not initialized.
    pub fn spawn(root: &Path, arguments: &[&str]) -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.arg("server").args(arguments);
        Client::spawn_as(root, command)
    }

    /// Starts a server by a command.
    pub fn spawn_as(root: &Path, mut command: Command) -> Client {
        command.current_dir("/").env("COWRAP_CACHE", root.join(".cache"));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (sender, messages) = channel();
        let output = child.stdout.take().expect("a pipe");
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut errors = child.stderr.take().expect("a pipe");
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Client {
            input: child.stdin.take(),
            child,
            messages,
            stderr: Some(stderr),
            next: 0,
            root: root.to_path_buf(),
            published: BTreeMap::new(),
            log: Vec::new(),
            offered: Value::Null,
        }
    }

    /// Starts a server for a tree, with a client that can do everything.
    pub fn start(root: &Path) -> Client {
        Client::start_with(root, &[], parameters(&[root], capabilities()))
    }

    /// Starts a server with these arguments and parameters of `initialize`.
    pub fn start_with(root: &Path, arguments: &[&str], parameters: Value) -> Client {
        let mut client = Client::spawn(root, arguments);
        client.initialize(parameters);
        client
    }

    /// Begins the conversation.
    pub fn initialize(&mut self, parameters: Value) {
        self.offered = self.request("initialize", parameters)["capabilities"].take();
        self.notify("initialized", json!({}));
    }

    /// Sends bytes. A server that has ended takes none.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("it is open");
        let _ = input.write_all(bytes).and_then(|()| input.flush());
    }

    /// Closes the server's input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    pub fn send(&mut self, message: &Value) {
        self.send_bytes(&framed(message));
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// A request, and its number.
    pub fn new_request(&mut self, method: &str, params: Value) -> (i64, Value) {
        self.next += 1;
        (self.next, json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }))
    }

    /// The result of a request.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let response = self.response(method, params);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    /// The response to a request.
    pub fn response(&mut self, method: &str, params: Value) -> Value {
        let (id, request) = self.new_request(method, params);
        self.send(&request);
        self.wait_for(id)
    }

    /// The response to the request with a number.
    pub fn wait_for(&mut self, id: i64) -> Value {
        let is_response = |message: &Value| message["id"] == id && message.get("method").is_none();
        self.until(&format!("the response to {id}"), |client| client.log.iter().any(is_response));
        self.log.iter().find(|message| is_response(message)).expect("it is there").clone()
    }

    /// Takes messages until something holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Client) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("waited for {what}; published: {:#?}; shown: {:?}", self.summary(), self.shown())
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the server ended; waited for {what}: {}", self.end().1),
            }
        }
    }

    /// Waits until the whole tree, as it is on the disk, has been checked.
    pub fn settle(&mut self) {
        let expected = super::expected(&self.root);
        let what = format!("these findings: {expected:#?}");
        self.until(&what, |client| client.summary() == expected);
        // These may be there before the rest of the tree has been read. A function is explained only after that.
        let Ok(text) = std::fs::read_to_string(self.root.join("block.c")) else { return };
        let definition =
            text.lines().position(|line| line.starts_with("int coroutine_fn bdrv_co_flush(")).expect("a line");
        let deadline = Instant::now() + PATIENCE;
        while self.ask("textDocument/hover", "block.c", (definition as u32, 20)).is_null() {
            assert!(Instant::now() < deadline, "no function is explained");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes the messages that come within a time.
    pub fn listen(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(message) = self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.take(message);
        }
    }

    fn take(&mut self, message: Value) {
        if message["method"] == "textDocument/publishDiagnostics" {
            let uri = message["params"]["uri"].as_str().expect("a URI").to_owned();
            self.published.insert(uri, message["params"].clone());
        } else if message.get("method").is_some() && message.get("id").is_some() {
            self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }));
        }
        self.log.push(message);
    }

    /// Opens a file of the tree with the text that it has on the disk.
    pub fn open(&mut self, file: &str) -> String {
        let text = std::fs::read_to_string(self.root.join(file)).expect("a text");
        self.open_as(&uri(&self.root.join(file)), &text);
        text
    }

    pub fn open_as(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "c", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Gives an open file another text.
    pub fn change(&mut self, file: &str, version: i32, text: &str) {
        let document = json!({ "uri": uri(&self.root.join(file)), "version": version });
        let changes = json!([{ "text": text }]);
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    pub fn save(&mut self, file: &str) {
        let document = json!({ "uri": uri(&self.root.join(file)) });
        self.notify("textDocument/didSave", json!({ "textDocument": document }));
    }

    pub fn close(&mut self, file: &str) {
        let document = json!({ "uri": uri(&self.root.join(file)) });
        self.notify("textDocument/didClose", json!({ "textDocument": document }));
    }

    /// A request about a place in a file.
    pub fn ask(&mut self, method: &str, file: &str, (line, character): (u32, u32)) -> Value {
        let document = json!({ "uri": uri(&self.root.join(file)) });
        self.request(method, json!({ "textDocument": document, "position": at(line, character) }))
    }

    /// The code actions for a line of a file, counted from 0.
    pub fn actions(&mut self, file: &str, line: u32) -> Vec<Value> {
        let range = json!({ "start": at(line, 0), "end": at(line, 0) });
        let params = json!({ "textDocument": { "uri": uri(&self.root.join(file)) }, "range": range,
            "context": { "diagnostics": [] } });
        self.request("textDocument/codeAction", params).as_array().cloned().unwrap_or_default()
    }

    /// The diagnostics of a file of the tree.
    pub fn of(&self, file: &str) -> Vec<Value> {
        let published = self.published.get(&uri(&self.root.join(file)));
        published.and_then(|published| published["diagnostics"].as_array().cloned()).unwrap_or_default()
    }

    /// The codes of the diagnostics of a file, in order.
    pub fn codes(&self, file: &str) -> Vec<String> {
        self.of(file).iter().map(|diagnostic| diagnostic["code"].as_str().expect("a code").to_owned()).collect()
    }

    /// All diagnostics: the file, the line, the character, the code and the first line of the message.
    pub fn summary(&self) -> Vec<(String, u64, u64, String, String)> {
        let root = uri(&self.root);
        let mut all = Vec::new();
        for (uri, published) in &self.published {
            let file = uri.strip_prefix(&root).unwrap_or(uri).trim_start_matches('/');
            for diagnostic in published["diagnostics"].as_array().expect("a list") {
                let start = &diagnostic["range"]["start"];
                let number = |key: &str| start[key].as_u64().expect("a number");
                let text =
                    |key: &str| diagnostic[key].as_str().expect("a text").lines().next().unwrap_or("").to_owned();
                all.push((file.to_owned(), number("line"), number("character"), text("code"), text("message")));
            }
        }
        all.sort();
        all
    }

    /// What the server showed the user.
    pub fn shown(&self) -> Vec<String> {
        let shown = self.log.iter().filter(|message| message["method"] == "window/showMessage");
        shown.map(|message| message["params"]["message"].as_str().expect("a text").to_owned()).collect()
    }

    /// How often diagnostics of a file were published.
    pub fn publications(&self, file: &str) -> usize {
        let uri = uri(&self.root.join(file));
        let of = |message: &&Value| {
            message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri.as_str()
        };
        self.log.iter().filter(of).count()
    }

    /// Ends the server as the protocol says; its exit status and what it said on standard error.
    pub fn shut_down(mut self) -> (ExitStatus, String) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        self.end()
    }

    /// Waits for the end of the server.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it can be asked") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("the server does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let stderr = self.stderr.take().map(|stderr| stderr.join().expect("no panic")).unwrap_or_default();
        (status, stderr)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A message with its header.
pub fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub fn at(line: u32, character: u32) -> Value {
    json!({ "line": line, "character": character })
}

/// Reads a message; none at the end.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        output.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => {
                length =
                    line.strip_prefix("Content-Length: ").or(None).and_then(|length| length.parse().ok()).or(length)
            }
        }
    }
    let mut body = vec![0; length?];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Applies a workspace edit to the texts of files, by URI. Positions are those of UTF-16.
pub fn apply(edit: &Value, texts: &mut BTreeMap<String, String>) {
    let mut files: Vec<(String, Vec<Value>)> = Vec::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for change in list(&edit["documentChanges"]) {
        files.push((change["textDocument"]["uri"].as_str().expect("a URI").to_owned(), list(&change["edits"])));
    }
    for (uri, edits) in edit["changes"].as_object().into_iter().flatten() {
        files.push((uri.clone(), list(edits)));
    }
    for (uri, edits) in files {
        let text = texts.get_mut(&uri).expect("the test has this file");
        let mut spans: Vec<(usize, usize, String)> = Vec::new();
        for edit in &edits {
            let new = edit["newText"].as_str().map(str::to_owned).unwrap_or_else(|| {
                // As somebody who types "because".
                edit["snippet"]["value"].as_str().expect("a snippet").replace("${1:reason}", "because")
            });
            let offset = |key: &str| offset(text, &edit["range"][key]);
            spans.push((offset("start"), offset("end"), new));
        }
        spans.sort();
        for (start, end, new) in spans.into_iter().rev() {
            text.replace_range(start..end, &new);
        }
    }
}

/// The offset of a position in UTF-16.
pub fn offset(text: &str, position: &Value) -> usize {
    let number = |key: &str| position[key].as_u64().expect("a number") as usize;
    let start = match number("line") {
        0 => 0,
        line => text.match_indices('\n').nth(line - 1).expect("a line").0 + 1,
    };
    let mut left = number("character");
    let mut at = start;
    for character in text[start..].chars() {
        if left == 0 {
            break;
        }
        left -= character.len_utf16();
        at += character.len_utf8();
    }
    at
}
