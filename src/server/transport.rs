//! The connection with the client: messages on standard input and output.
//!
//! `lsp-server` has the types of the messages, and what a message looks like that is written. Reading is here: its
//! reader allocates what a header asks for, before a byte of the message is there, and ends at the first message that
//! is not JSON. It must never know what messages mean.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde_json::json;

/// The longest message that is read. A client sends the text of a file, of which JSON may double the length.
const LONGEST_MESSAGE: usize = 256 << 20;

/// The longest line of a message's header, and how many lines there may be.
const LONGEST_HEADER: u64 = 4096;
const MOST_HEADERS: usize = 32;

/// This much may wait for a client that does not read. One that reads nothing for so long never will.
const MOST_UNREAD: usize = 1 << 30;

/// How many messages may wait for the main thread. The client waits, too, while there are more.
const MOST_WAITING: usize = 64;

/// What the client sent.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message.
    Message(Message),
    /// Something that is no message, and why. The next message can be read.
    Malformed(String),
    /// What cannot be divided into messages any more, and why.
    Broken(String),
}

/// The way to the client. Sending never waits.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    queue: Sender<Vec<u8>>,
    unread: Arc<AtomicUsize>,
    /// The number of the next request of the server.
    next: Arc<AtomicUsize>,
}

/// Starts the threads that read and write. The receiver is disconnected when the client has closed its end.
pub(crate) fn start() -> io::Result<(Client, Receiver<Incoming>)> {
    let (sender, receiver) = bounded(MOST_WAITING);
    thread::Builder::new().name("reader".to_owned()).spawn(move || read_all(&mut io::stdin().lock(), &sender))?;
    let (client, written) = Client::new();
    let unread = Arc::clone(&client.unread);
    let write = move || {
        let mut out = io::stdout().lock();
        for message in written {
            // A client that has gone is noticed by the reader.
            let _ = out.write_all(&message).and_then(|()| out.flush());
            unread.fetch_sub(message.len(), Ordering::Relaxed);
        }
    };
    thread::Builder::new().name("writer".to_owned()).spawn(write)?;
    Ok((client, receiver))
}

fn read_all(input: &mut impl BufRead, sender: &Sender<Incoming>) {
    loop {
        let incoming = match read(input) {
            Ok(None) => return,
            Ok(Some(body)) => match serde_json::from_slice(&body) {
                Ok(message) => Incoming::Message(message),
                Err(error) => Incoming::Malformed(error.to_string()),
            },
            Err(error) => Incoming::Broken(error.to_string()),
        };
        let is_last = matches!(incoming, Incoming::Broken(_));
        if sender.send(incoming).is_err() || is_last {
            return;
        }
    }
}

/// Reads the body of a message; none at the end.
fn read(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let malformed = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut length: Option<usize> = None;
    let mut is_first = true;
    for _ in 0..MOST_HEADERS {
        let mut line = Vec::new();
        input.take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
        if line.is_empty() && is_first {
            return Ok(None);
        }
        is_first = false;
        let text = String::from_utf8_lossy(&line);
        let Some(text) = text.strip_suffix('\n') else {
            return Err(malformed("a header of a message is not complete, or too long".to_owned()));
        };
        let text = text.trim_end_matches('\r');
        if text.is_empty() {
            let length = length.ok_or_else(|| malformed("a message has no Content-Length".to_owned()))?;
            return read_body(input, length).map(Some);
        }
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let (name, value) = text
            .split_once(':')
            .filter(|(name, _)| is_name(name))
            .ok_or_else(|| malformed(format!("expected a header of a message, got {text:?}")))?;
        if name.eq_ignore_ascii_case("content-length") {
            let parsed = value.trim().parse().ok().filter(|length| *length <= LONGEST_MESSAGE);
            let refuse =
                || malformed(format!("Content-Length: {:?} is not a length up to {LONGEST_MESSAGE}", value.trim()));
            length = Some(parsed.ok_or_else(refuse)?);
        }
    }
    Err(malformed("a message has too many headers".to_owned()))
}

/// Reads a body. Memory is taken as the bytes come in, since a length may promise what never comes.
fn read_body(input: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    input.take(length as u64).read_to_end(&mut body)?;
    match body.len() == length {
        true => Ok(body),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the input ends within a message")),
    }
}

impl Client {
    fn new() -> (Client, Receiver<Vec<u8>>) {
        let (queue, written) = unbounded();
        (Client { queue, unread: Arc::default(), next: Arc::default() }, written)
    }

    /// Whether the client has not read for so long that it never will.
    pub(crate) fn is_stuck(&self) -> bool {
        self.unread.load(Ordering::Relaxed) > MOST_UNREAD
    }

    /// Waits until everything has been written, but no longer than this.
    pub(crate) fn flush(&self, longest: Duration) {
        let deadline = Instant::now() + longest;
        while self.unread.load(Ordering::Relaxed) > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends a notification.
    pub(crate) fn notify<P: Serialize>(&self, method: &str, params: P) {
        let Ok(params) = serde_json::to_value(params) else { return };
        self.send(&Message::Notification(Notification { method: method.to_owned(), params }));
    }

    /// Sends a request. Nothing depends on its response.
    pub(crate) fn request<P: Serialize>(&self, method: &str, params: P) {
        let Ok(params) = serde_json::to_value(params) else { return };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = RequestId::from(format!("cowrap-{number}"));
        self.send(&Message::Request(Request { id, method: method.to_owned(), params }));
    }

    /// Answers a request.
    pub(crate) fn respond<R: Serialize>(&self, id: RequestId, result: R) {
        match serde_json::to_value(result) {
            Ok(result) => self.send(&Message::Response(Response { id, response_result: Ok(result) })),
            Err(error) => self.refuse(id, ErrorCode::InternalError, &error.to_string()),
        }
    }

    /// Answers a request with an error.
    pub(crate) fn refuse(&self, id: RequestId, code: ErrorCode, message: &str) {
        self.send(&Message::Response(Response::new_err(id, code as i32, message.to_owned())));
    }

    /// Answers something that is no message, and so has no known id.
    pub(crate) fn refuse_malformed(&self, message: &str) {
        let error = json!({ "code": ErrorCode::ParseError as i32, "message": message });
        let body = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
        self.queue(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
    }

    fn send(&self, message: &Message) {
        let mut bytes = Vec::new();
        if message.write(&mut bytes).is_ok() {
            self.queue(bytes);
        }
    }

    fn queue(&self, bytes: Vec<u8>) {
        self.unread.fetch_add(bytes.len(), Ordering::Relaxed);
        let _ = self.queue.send(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<Incoming> {
        let (sender, receiver) = unbounded();
        read_all(&mut &input[..], &sender);
        drop(sender);
        receiver.into_iter().collect()
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn messages_follow_each_other() {
        let one = framed(r#"{"jsonrpc":"2.0","id":1,"method":"shutdown"}"#);
        let other = one.replace("Content-Length: ", "content-type: x\r\nCONTENT-LENGTH:");
        let found = all(format!("{one}{other}").as_bytes());
        assert!(matches!(&found[..], [Incoming::Message(_), Incoming::Message(_)]), "{found:?}");
    }

    #[test]
    fn a_message_that_is_not_json_does_not_spoil_the_next() {
        let good = framed(r#"{"method":"exit"}"#);
        for bad in ["{", "[]", "null", "\u{0}", "{}", "1", r#"{"method":"\ud800"}"#] {
            let found = all(format!("{}{good}", framed(bad)).as_bytes());
            assert!(matches!(&found[..], [Incoming::Malformed(_), Incoming::Message(_)]), "{bad}: {found:?}");
        }
    }

    #[test]
    fn what_has_no_length_ends_reading() {
        let long = format!("Content-Length: {}\r\n\r\nx", LONGEST_MESSAGE + 1);
        for bad in [
            "Content-Type: x\r\n\r\n{}",
            "hello\r\n\r\n",
            "Content-Length: -1\r\n\r\n",
            "Content-Length: x\r\n\r\n",
            "Content-Length: 99999999999999999999999\r\n\r\n",
            "Content-Length: 5\r\n\r\n{}",
            "\r\n",
            "Content-Length: 2",
            &long,
            &"a".repeat(10_000),
            &"a: b\r\n".repeat(100),
        ] {
            assert!(matches!(&all(bad.as_bytes())[..], [Incoming::Broken(_)]), "{bad:.40}");
        }
        assert!(all(b"").is_empty());
    }

    #[test]
    fn a_promised_length_costs_nothing() {
        let promise = format!("Content-Length: {LONGEST_MESSAGE}\r\n\r\n{{}}");
        assert!(matches!(&all(promise.as_bytes())[..], [Incoming::Broken(_)]));
    }
}
