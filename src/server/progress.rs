//! The progress of reading, as editors show it.
//!
//! Reading cannot be cancelled: without it, there is nothing to show. It must never know what is read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gen_lsp_types::{
    Notification as _, ProgressNotification, ProgressParams, ProgressToken, Request as _, WorkDoneProgressCreateParams,
    WorkDoneProgressCreateRequest,
};
use serde_json::{Value, json};

use cowrap_session::Progress;

use crate::transport::Client;

/// Progress appears after this time, so that it does not flicker with each edit.
const QUIET_FOR: Duration = Duration::from_millis(700);

/// Sends progress to the client.
pub(crate) struct Reporter<'c> {
    /// None if it does not show progress.
    client: Option<&'c Client>,
    reading: Mutex<Reading>,
    /// Called when reading starts, with the number of units.
    started: Box<dyn Fn(usize) + Sync + 'c>,
}

/// What is being read.
#[derive(Default)]
struct Reading {
    /// How many times something was read; a part of the token.
    number: usize,
    started: Option<Instant>,
    units: usize,
    done: usize,
    /// The percentage that the client has; none if it shows nothing yet.
    shown: Option<usize>,
}

impl<'c> Reporter<'c> {
    /// Progress for a client. `started` is called when reading starts, with the number of units.
    pub(crate) fn new(client: Option<&'c Client>, started: impl Fn(usize) + Sync + 'c) -> Reporter<'c> {
        Reporter { client, reading: Mutex::default(), started: Box::new(started) }
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Reporter<'_> {
    fn start(&self, units: usize) {
        (self.started)(units);
        let mut reading = self.lock();
        // Another may be shown if it was not finished because of an error.
        reading.end(self.client);
        *reading = Reading { number: reading.number + 1, started: Some(Instant::now()), units, done: 0, shown: None };
    }

    fn step(&self) {
        let mut reading = self.lock();
        reading.done += 1;
        reading.show(self.client);
    }

    fn finish(&self) {
        self.lock().end(self.client);
    }
}

impl Reading {
    /// Shows how much is done.
    fn show(&mut self, client: Option<&Client>) {
        let Some(client) = client else { return };
        if self.started.is_none_or(|started| started.elapsed() < QUIET_FOR) {
            return;
        }
        let percentage = (self.done * 100 / self.units.max(1)).min(100);
        let message = format!("{} of {} translation units", self.done, self.units);
        match self.shown {
            Some(shown) if shown == percentage => return,
            Some(_) => self.send(client, json!({ "kind": "report", "message": message, "percentage": percentage })),
            None => {
                let token = self.token();
                client.request(WorkDoneProgressCreateRequest::METHOD.as_str(), WorkDoneProgressCreateParams { token });
                let title = "cowrap reads the tree";
                let begin = json!({
                    "kind": "begin", "title": title, "message": message, "percentage": percentage, "cancellable": false,
                });
                self.send(client, begin);
            }
        }
        self.shown = Some(percentage);
    }

    fn end(&mut self, client: Option<&Client>) {
        if let (Some(client), Some(_)) = (client, self.shown.take()) {
            self.send(client, json!({ "kind": "end" }));
        }
    }

    fn send(&self, client: &Client, value: Value) {
        client.notify(ProgressNotification::METHOD.as_str(), ProgressParams { token: self.token(), value });
    }

    fn token(&self) -> ProgressToken {
        ProgressToken::String(format!("cowrap-reading-{}", self.number))
    }
}
