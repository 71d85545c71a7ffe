//! What the main thread leaves for the analysis thread: the state to check, and what the client asks.
//!
//! The main thread never waits here. It must never know what a query is about or what a state means.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lsp_server::RequestId;

use crate::documents::OpenFiles;
use crate::queries::Query;

/// A query waits this long for an analysis. A client that needs longer has given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// This many queries may wait. A client has one of each kind for each document that it shows.
const MOST_QUERIES: usize = 1000;

/// What one thread leaves for the other.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    content: Mutex<Content>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    wanted: Wanted,
    /// Whether `wanted` has not been taken yet.
    is_new: bool,
    queries: VecDeque<Waiting>,
    /// What is answered now.
    answered: Answered,
    /// Whether the rest of the tree has been read, while an incomplete analysis is in use.
    rest_is_read: bool,
    has_ended: bool,
}

/// Which queries can be answered, now or after the next analysis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answered {
    /// All, as far as anybody knows before the tree is read.
    #[default]
    AllPerhaps,
    /// All.
    All,
    /// Those about findings: a part of the tree has been read, for the first time.
    AboutFindings,
    /// None: the tree is being read for the first time, or cannot be read.
    Nothing,
}

/// The state to check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The open documents.
    pub(crate) files: OpenFiles,
    /// Whether files on the disk may have changed since the last state that was taken.
    pub(crate) disk_changed: bool,
    /// Whether the tree must be opened anew: its configuration may have changed.
    pub(crate) reopen: bool,
}

/// A query that waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: RequestId,
    pub(crate) query: Query,
    /// The version of the document that it is about, when it came.
    pub(crate) version: Option<i32>,
    came: Instant,
}

/// What there is to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Check this state.
    Check(Wanted),
    /// Answer this query.
    Answer(Waiting),
    /// End.
    End,
}

impl Mailbox {
    /// The open documents have changed.
    pub(crate) fn change_files(&self, files: OpenFiles) {
        let mut content = self.lock();
        content.wanted.files = files;
        content.is_new = true;
        self.changed.notify_all();
    }

    /// Files on the disk may have changed, perhaps those that configure the tree.
    pub(crate) fn change_disk(&self, is_configuration: bool) {
        let mut content = self.lock();
        content.wanted.disk_changed = true;
        content.wanted.reopen |= is_configuration;
        content.is_new = true;
        self.changed.notify_all();
    }

    /// Leaves a query. It comes back if it cannot be answered soon.
    pub(crate) fn ask(&self, id: RequestId, query: Query, version: Option<i32>) -> Result<(), Waiting> {
        let mut content = self.lock();
        let waiting = Waiting { id, query, version, came: Instant::now() };
        let is_answered = match content.answered {
            Answered::All | Answered::AllPerhaps => true,
            Answered::AboutFindings => waiting.query.is_about_findings(),
            Answered::Nothing => false,
        };
        if !is_answered || content.queries.len() >= MOST_QUERIES {
            return Err(waiting);
        }
        content.queries.push_back(waiting);
        self.changed.notify_all();
        Ok(())
    }

    /// Takes a query back that nobody answers yet.
    pub(crate) fn cancel(&self, id: &RequestId) -> bool {
        let mut content = self.lock();
        let before = content.queries.len();
        content.queries.retain(|waiting| waiting.id != *id);
        content.queries.len() < before
    }

    /// Takes the queries back that have waited for too long.
    pub(crate) fn take_expired(&self) -> Vec<Waiting> {
        self.take_queries(|waiting| waiting.came.elapsed() > PATIENCE)
    }

    /// Says that there will be no analysis soon. The queries that wait come back, and so do those that come.
    pub(crate) fn close(&self) -> Vec<Waiting> {
        self.lock().close()
    }

    /// A tree is opened, which has no analysis yet.
    pub(crate) fn begin_tree(&self) {
        let mut content = self.lock();
        if content.answered != Answered::Nothing {
            content.answered = Answered::AllPerhaps;
        }
    }

    /// The same as [`Mailbox::close`], unless there was an analysis of the tree, which may be in use.
    pub(crate) fn close_before_analysis(&self) -> Vec<Waiting> {
        let mut content = self.lock();
        match content.answered {
            Answered::AllPerhaps => content.close(),
            _ => Vec::new(),
        }
    }

    /// Says what can be answered.
    pub(crate) fn open(&self, answered: Answered) {
        self.lock().answered = answered;
    }

    /// Says that the rest of the tree has been read, of which the analysis in use has only a part.
    pub(crate) fn finish_rest(&self) {
        self.lock().rest_is_read = true;
        self.changed.notify_all();
    }

    /// The reading of a state begins, perhaps again: what was said about its rest does not count any more.
    pub(crate) fn begin_reading(&self) {
        self.lock().rest_is_read = false;
    }

    /// Ends the analysis thread.
    pub(crate) fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Whether a newer state is waiting.
    pub(crate) fn is_outdated(&self) -> bool {
        let content = self.lock();
        content.is_new || content.has_ended
    }

    /// Takes the state to check, whether or not it is new.
    pub(crate) fn take_state(&self) -> Wanted {
        self.lock().take_state()
    }

    /// Waits for something to do. A new state comes before queries, whose answers would be about the old one.
    pub(crate) fn next(&self) -> Task {
        let mut content = self.lock();
        loop {
            if let Some(task) = content.task() {
                return task;
            }
            content = self.changed.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same, but waits no longer than this.
    pub(crate) fn next_within(&self, time: Duration) -> Option<Task> {
        let deadline = Instant::now() + time;
        let mut content = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(task) = content.task() {
                return Some(task);
            }
            if left.is_zero() {
                return None;
            }
            content = self.changed.wait_timeout(content, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a query about an analysis. There is none if another analysis is wanted or, in place of an incomplete
    /// one, can be had.
    pub(crate) fn next_query(&self, is_complete: bool) -> Option<Waiting> {
        let mut content = self.lock();
        loop {
            if content.has_ended || content.is_new || (content.rest_is_read && !is_complete) {
                return None;
            }
            if let Some(waiting) = content.queries.pop_front() {
                return Some(waiting);
            }
            content = self.changed.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take_queries(&self, is_meant: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut content = self.lock();
        let (taken, left): (VecDeque<Waiting>, _) = content.queries.drain(..).partition(is_meant);
        content.queries = left;
        taken.into()
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn task(&mut self) -> Option<Task> {
        if self.has_ended {
            Some(Task::End)
        } else if self.is_new {
            Some(Task::Check(self.take_state()))
        } else {
            self.queries.pop_front().map(Task::Answer)
        }
    }

    fn close(&mut self) -> Vec<Waiting> {
        self.answered = Answered::Nothing;
        self.queries.drain(..).collect()
    }

    fn take_state(&mut self) -> Wanted {
        (self.is_new, self.rest_is_read) = (false, false);
        let taken = self.wanted.clone();
        (self.wanted.disk_changed, self.wanted.reopen) = (false, false);
        taken
    }
}

#[cfg(test)]
mod tests {
    use gen_lsp_types::{Position, Range, Uri};

    use super::*;

    fn hover() -> Query {
        Query::Hover(Uri::from("file:///a.c"), Position::default())
    }

    fn actions() -> Query {
        Query::Actions(Uri::from("file:///a.c"), Range::default(), None)
    }

    fn id(number: i32) -> RequestId {
        RequestId::from(number)
    }

    #[test]
    fn a_new_state_comes_before_queries() {
        let mailbox = Mailbox::default();
        mailbox.ask(id(1), hover(), None).unwrap();
        mailbox.change_disk(false);
        assert!(mailbox.is_outdated());
        assert!(mailbox.next_query(true).is_none(), "the analysis is about an older state");
        assert!(matches!(mailbox.next(), Task::Check(Wanted { disk_changed: true, reopen: false, .. })));
        assert!(!mailbox.is_outdated());
        assert!(matches!(mailbox.next(), Task::Answer(waiting) if waiting.id == id(1)));
        mailbox.end();
        assert!(mailbox.is_outdated() && matches!(mailbox.next(), Task::End));
    }

    #[test]
    fn changes_add_up_until_they_are_taken() {
        let mailbox = Mailbox::default();
        mailbox.change_disk(true);
        mailbox.change_disk(false);
        mailbox.change_files(OpenFiles::default());
        let Wanted { disk_changed, reopen, .. } = mailbox.take_state();
        assert!(disk_changed && reopen && !mailbox.is_outdated());
        let Wanted { disk_changed, reopen, .. } = mailbox.take_state();
        assert!(!disk_changed && !reopen);
    }

    #[test]
    fn an_incomplete_analysis_is_in_use_until_the_rest_is_read() {
        let mailbox = Mailbox::default();
        mailbox.ask(id(1), hover(), None).unwrap();
        mailbox.finish_rest();
        assert!(mailbox.next_query(false).is_none());
        mailbox.begin_reading();
        assert!(mailbox.next_query(false).is_some());
        mailbox.ask(id(1), hover(), None).unwrap();
        mailbox.finish_rest();
        assert!(mailbox.next_query(false).is_none());
        assert!(mailbox.next_query(true).is_some());
        mailbox.take_state();
        mailbox.ask(id(2), hover(), None).unwrap();
        assert!(mailbox.next_query(false).is_some(), "what was said about an earlier state does not count");
    }

    #[test]
    fn queries_that_cannot_be_answered_come_back() {
        let mailbox = Mailbox::default();
        mailbox.ask(id(1), hover(), Some(7)).unwrap();
        assert!(mailbox.cancel(&id(1)) && !mailbox.cancel(&id(1)));
        mailbox.ask(id(2), hover(), None).unwrap();
        assert!(mailbox.take_expired().is_empty());
        assert_eq!(mailbox.close().len(), 1);
        assert_eq!(mailbox.ask(id(3), actions(), Some(7)).unwrap_err().version, Some(7));
        mailbox.begin_tree();
        assert!(mailbox.ask(id(3), hover(), None).is_err(), "nothing is known of the tree");
        mailbox.open(Answered::AboutFindings);
        assert!(mailbox.close_before_analysis().is_empty());
        assert!(mailbox.ask(id(4), hover(), None).is_err());
        mailbox.ask(id(5), actions(), None).unwrap();
        mailbox.open(Answered::All);
        assert!(mailbox.close_before_analysis().is_empty() && mailbox.ask(id(6), hover(), None).is_ok());
        mailbox.begin_tree();
        assert_eq!(mailbox.close_before_analysis().len(), 2);
        mailbox.open(Answered::All);
        assert!((0..=MOST_QUERIES as i32).any(|number| mailbox.ask(id(number), hover(), None).is_err()));
    }
}
