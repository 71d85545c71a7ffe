//! A tree that stays open while its files are edited: for editors, and for `cowrap watch`.
//!
//! A [`LiveTree`] keeps what a run would load anew each time: the database, the unit cache, the linked program, and
//! libclang in its workers. Each [`LiveState`] of the tree is checked as `cowrap check` would check it, with the same
//! result.
//!
//! If many units have to be read, what an editor shows is read first, and analysed together with what the other units
//! said before ([`provisional`]). The others are read while that analysis is in use.
//!
//! It must never know a protocol, a terminal, or when a state is due.

mod analysis;
mod provisional;
mod reading;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cowrap_analysis::program::SavedProgram;
use cowrap_base::cache::{CacheLocation, DEFAULT_LIMIT};
use cowrap_base::files::TemporaryDirectory;
use cowrap_report::Problem;

use crate::Error;
use crate::inputs::identify_paths;
use crate::request::{Progress, Request};
use crate::rule_names::require_rules;
use crate::session::Session;
use crate::snapshot::Snapshot;
use crate::units::{Purpose, UnitResult, count_unknown_arguments};

use reading::{StateRead, record};
use view::View;

pub use analysis::Analysis;
pub use cowrap_analysis::queries::editor::Word;

/// A tree that stays open while its files are edited.
pub struct LiveTree<'r> {
    session: Session<'r>,
    /// A time before anything was read.
    opened: SystemTime,
    /// The program of the last state that was shown, if any was, and its snapshot.
    saved: Option<SavedProgram>,
    shown: Snapshot,
    /// The problems of the units in that state.
    problems: Vec<Option<Problem>>,
    /// The results of units that no cache takes, by their numbers: they hold as long as nothing changes.
    unrecorded: BTreeMap<usize, UnitResult>,
    /// The cache of a tree that has no other.
    _cache: Option<TemporaryDirectory>,
}

/// A state of a live tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveState {
    /// The texts of open files, by their absolute real paths. A text that the disk has as well makes no difference, and
    /// neither does one of a file that is not on the disk.
    pub texts: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    /// The files whose findings are wanted first, by their absolute real paths.
    pub first: Vec<PathBuf>,
    /// Whether files on the disk may have changed since the last state.
    pub disk_changed: bool,
}

/// Whoever wants to know what follows from the states of a live tree.
pub trait Observer: Sync {
    /// Takes the analysis of a state. It stays valid until this returns.
    ///
    /// If it is not complete, the rest of the tree is read meanwhile. [`Observer::rest_is_read`] says when that is done,
    /// and the complete analysis follows when this has returned. If this returns earlier, the rest is not wanted any
    /// more.
    fn observe(&self, analysis: &Analysis<'_>);

    /// The rest of the tree has been read: [`Observer::observe`] should return. This comes from another thread.
    fn rest_is_read(&self);

    /// Whether a newer state is waiting, so that this one need not be checked.
    fn is_outdated(&self) -> bool;

    /// The reading of a state begins, perhaps again: what [`Observer::rest_is_read`] said before does not count.
    fn begin(&self) {}

    /// A complete state was read. These are the directories in which units of this or an earlier state read files, or
    /// looked for some: absolute. Some may not exist. This comes from another thread, while the analysis is in use.
    fn directories(&self, _directories: &BTreeSet<PathBuf>) {}
}

impl<'r> LiveTree<'r> {
    /// Opens the tree of a request. If it has no cache that can be used, what one state has in common with the next is in
    /// a temporary one.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check()), or no temporary directory can be made.
    pub fn open(request: &'r Request) -> Result<LiveTree<'r>, Error> {
        let opened = SystemTime::now();
        identify_paths(request, &request.report_on)?;
        identify_paths(request, &request.inputs)?;
        let mut session = Session::open(request)?;
        require_rules(&request.enable, &session.packs)?;
        let mut cache = None;
        if session.caches.is_none() {
            let directory = TemporaryDirectory::make().map_err(Error::Snapshot)?;
            let location = CacheLocation { directory: directory.path().join("cache"), limit: DEFAULT_LIMIT };
            session = session.with_cache(location)?;
            cache = Some(directory);
        }
        let (shown, problems, unrecorded) = (Snapshot::disk(), Vec::new(), BTreeMap::new());
        Ok(LiveTree { session, opened, saved: None, shown, problems, unrecorded, _cache: cache })
    }

    /// The root of the tree: absolute.
    pub fn root(&self) -> &Path {
        &self.session.tree.root
    }

    /// A time before anything of the tree was read. What changed since then may have been read or not.
    pub fn opened(&self) -> SystemTime {
        self.opened
    }

    /// The files of which a change means that the tree has to be opened again, absolute: the database, packs, settings
    /// and the baseline. Some may not exist.
    pub fn configuration(&self) -> Vec<PathBuf> {
        self.session.configuration()
    }

    /// Checks a state, and shows the observer what follows from it. No file is changed outside of the cache.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check()). The tree can be checked again, in this state or another.
    pub fn check(
        &mut self,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        let read = match self.read(state, observer, progress) {
            Err(Error::LibraryReplaced) => {
                self.open_again()?;
                self.read(state, observer, progress)?
            }
            read => read?,
        };
        match read.units.iter().all(Option::is_some) && !observer.is_outdated() {
            true => self.show(read, state, observer, progress),
            false => {
                // What was read is not lost.
                self.unrecorded = record(&mut self.session, read);
                Ok(())
            }
        }
    }

    /// Opens the tree again, with the libclang that is there now. The program of the last state stays: units are in the
    /// same order as long as the database is the same, and otherwise all that differs is linked anew.
    fn open_again(&mut self) -> Result<(), Error> {
        self.session = self.session.open_again()?;
        self.unrecorded.clear();
        self.problems.clear();
        Ok(())
    }

    /// Shows what follows from a state of which all units were read.
    fn show(
        &mut self,
        read: StateRead,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        self.problems = read.units.iter().map(|unit| unit.as_ref()?.facts.as_ref().err().cloned()).collect();
        let problems = self.problems(&read);
        let StateRead { units, mut details } = read;
        let mut units: Vec<UnitResult> = units.into_iter().flatten().collect();
        let before = self.saved.take().or_else(|| self.session.caches.as_ref()?.program(&self.session.packs));
        let updated = before.and_then(|before| self.session.update(before, &units));
        let saved = match updated {
            Some(saved) => saved,
            None => {
                let all: Vec<usize> = (0..units.len()).collect();
                self.session.link(&all, &mut units, Purpose::default(), &mut details, progress)?
            }
        };
        count_unknown_arguments(&units, &mut details);
        let program = self.saved.insert(saved).to_program();
        self.shown = self.session.current.snapshot.clone();
        let view = View::of(&self.session, &state.texts, true);
        let (programs, comments) = view.prepare(&program, self.session.checkout());
        let analysis = view.analyse(&program, &programs, &comments, problems, details.clone());
        let (session, unrecorded) = (&mut self.session, &mut self.unrecorded);
        let read = StateRead { units: units.into_iter().map(Some).collect(), details };
        std::thread::scope(|scope| {
            // Nobody waits for that, unless the next state comes at once.
            scope.spawn(|| {
                *unrecorded = record(session, read);
                observer.directories(&session.directories());
            });
            analysis.map(|analysis| observer.observe(&analysis))
        })
    }
}
