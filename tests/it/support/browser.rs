//! A browser of Chromium's family that opens a page, presses keys, and says what the page did.
//!
//! It is driven over pipes with the protocol of Chromium's own tools (remote debugging), so the tests need no other
//! program. `.ci/setup --tests` installs a browser.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the browser may take for one answer, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one open page.
pub struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    session: Option<String>,
    /// What the page did that it must not do: errors, messages on the console, violations of its policy.
    complaints: Vec<String>,
    /// The addresses that the page loaded, its own among them.
    requests: Vec<String>,
    _profile: TempDir,
}

/// The browser's program.
fn program() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).flat_map(|directory| names.map(|name| directory.join(name)));
    found.find(|candidate| candidate.is_file()).expect("a browser; `sh .ci/setup --tests` installs Chromium")
}

impl Browser {
    /// Opens a file, with a fragment in its address.
    pub fn open(file: &Path, fragment: &str) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--remote-debugging-pipe",
        ];
        // The browser reads commands from descriptor 3 and writes to descriptor 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null", "sh"])
            .arg(program())
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let messages = output.split(0).map_while(Result::ok);
            let parsed = messages.filter_map(|message| serde_json::from_slice(&message).ok());
            parsed.map(|message| sender.send(message)).take_while(Result::is_ok).for_each(drop);
        });
        let commands = child.stdin.take().unwrap();
        let mut browser = Browser {
            child,
            commands,
            messages,
            last: 0,
            session: None,
            complaints: Vec::new(),
            requests: Vec::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let session = browser.ask("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.ask(domain, json!({}));
        }
        let size = json!({"width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        browser.ask("Emulation.setDeviceMetricsOverride", size);
        browser.ask("Page.navigate", json!({"url": format!("file://{}#{fragment}", file.display())}));
        browser.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'");
        browser
    }

    /// The value of an expression of JavaScript.
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.ask("Runtime.evaluate", parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The text of the first element that a selector matches; empty without one.
    pub fn text(&mut self, selector: &str) -> String {
        let value = self.value(&format!(
            "(found => found?.innerText ?? found?.textContent ?? '')(document.querySelector({}))",
            json!(selector)
        ));
        value.as_str().unwrap_or_default().to_owned()
    }

    /// How many elements a selector matches.
    pub fn count(&mut self, selector: &str) -> u64 {
        self.value(&format!("document.querySelectorAll({}).length", json!(selector))).as_u64().unwrap()
    }

    /// Clicks at the middle of the first element that a selector matches.
    pub fn click(&mut self, selector: &str) {
        let middle = "(box => [box.x + box.width / 2, box.y + box.height / 2])";
        let element = format!("document.querySelector({})", json!(selector));
        let at = self.value(&format!("{middle}({element}.getBoundingClientRect())"));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", event);
        }
    }

    /// Presses a key, given by its name.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Backspace" => (8, ""),
            "Escape" => (27, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            letter => (0, letter),
        };
        let event = json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.ask("Input.dispatchKeyEvent", event);
        self.ask("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}));
    }

    /// Types a text.
    pub fn type_text(&mut self, text: &str) {
        self.ask("Input.insertText", json!({"text": text}));
    }

    /// What the browser prints, as a PDF.
    pub fn print(&mut self) -> usize {
        self.ask("Page.printToPDF", json!({}))["data"].as_str().map_or(0, str::len)
    }

    /// Waits until an expression is true.
    pub fn wait_for(&mut self, expression: &str) {
        for _ in 0..PATIENCE.as_millis() / 20 {
            if self.value(expression) == json!(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{expression} did not become true");
    }

    /// Fails if the page did something that it must not do: an error, a message on the console, a violation of its
    /// policy, or a request for anything but itself.
    pub fn has_no_complaints(&mut self) {
        // What happened before this answer is known by then.
        self.value("0");
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
        assert!(self.requests.len() <= 1, "{:#?}", self.requests);
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        self.commands.flush().unwrap();
        loop {
            let mut message = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
            if message["id"] == json!(self.last) {
                assert!(message.get("error").is_none(), "{command}: {message}");
                return message["result"].take();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, message: &Value) {
        match message["method"].as_str() {
            Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => {
                self.complaints.push(message["params"].to_string());
            }
            Some("Network.requestWillBeSent") => {
                self.requests.push(message["params"]["request"]["url"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The profile can be removed only when nobody writes to it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
