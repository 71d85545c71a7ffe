//! A tree that stays open while its files are edited: for editors, and for `cowrap watch`.
//!
//! A [`LiveTree`] keeps what a run would load anew each time: the database, the unit cache, the linked program, and
//! libclang in its workers. Each [`LiveState`] of the tree is checked as `cowrap check` would check it, with the same
//! result.
//!
//! It must never know a protocol, a terminal, or when a state is due.

mod analysis;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cowrap_base::files::Digest;

use crate::comments::find_comments;
use crate::evaluate::{Evaluated, EvaluationInput, evaluate, texts_of};
use crate::index_file::Index;
use crate::readings::Readings;
use crate::request::{Progress, Request};
use crate::rule_names::require_rules;
use crate::session::{ProgramRead, Session};
use crate::snapshot::Snapshot;
use crate::{Error, compare, fix};

pub use analysis::Analysis;

/// A tree that stays open while its files are edited.
pub struct LiveTree<'r> {
    session: Session<'r>,
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
    /// and the complete analysis follows when this has returned.
    fn observe(&self, analysis: &Analysis<'_>);

    /// The rest of the tree has been read: [`Observer::observe`] should return. This comes from another thread.
    fn rest_is_read(&self) {}

    /// Whether a newer state is waiting, so that this one need not be checked.
    fn is_outdated(&self) -> bool {
        false
    }
}

impl<'r> LiveTree<'r> {
    /// Opens the tree of a request.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check).
    pub fn open(request: &'r Request) -> Result<LiveTree<'r>, Error> {
        let session = Session::open(request)?;
        require_rules(&request.enable, &session.packs)?;
        Ok(LiveTree { session })
    }

    /// The root of the tree: absolute.
    pub fn root(&self) -> &Path {
        &self.session.tree.root
    }

    /// The files of which a change means that the tree has to be opened again, absolute: the database, packs, settings
    /// and the baseline. Some may not exist.
    pub fn configuration(&self) -> Vec<PathBuf> {
        self.session.configuration()
    }

    /// Checks a state, and shows the observer what follows from it.
    ///
    /// # Errors
    ///
    /// Those of [`check`](crate::check). The tree can be checked again, in this state or another.
    pub fn check(
        &mut self,
        state: &LiveState,
        observer: &dyn Observer,
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        if state.disk_changed {
            self.session.look_again();
        }
        let snapshot = self.snapshot(state);
        let ProgramRead { index, .. } = self.session.program(&snapshot, None, progress)?;
        if observer.is_outdated() {
            return Ok(());
        }
        let Index { program, packs, readings, tree, details, problems, coverage, .. } = index;
        let (request, overlay) = (self.session.request, snapshot.overlay());
        let texts = texts_of(&snapshot, &tree);
        let checkout = self.session.checkout();
        let (programs, comments) = rayon::join(
            || Readings::of(&program, &packs, &readings),
            || find_comments(&program, &tree, &texts, checkout),
        );
        let input = EvaluationInput { request, program: &program, packs: &packs, tree: &tree, texts: &texts, overlay };
        let Evaluated { mut report, effects, introspection } =
            evaluate(&input, &programs, &comments, problems, &coverage, details);
        fix::plan_edits(&mut report.findings, &texts, &tree, &packs, request, introspection.as_ref());
        compare::apply_baseline(request, &mut report, &[])?;
        self.session.flush(&mut report.details);
        observer.observe(&Analysis { report, effects, is_complete: true });
        Ok(())
    }

    /// The snapshot of a state.
    fn snapshot(&self, state: &LiveState) -> Snapshot {
        let differs = |path: &Path, text: &[u8]| match self.session.digest_on_disk(path) {
            Some(on_disk) => on_disk != Digest::of(text),
            None => false,
        };
        let texts = state.texts.iter().filter(|(path, text)| differs(path, text));
        Snapshot::disk().with_texts(texts.map(|(path, text)| (path.clone(), Arc::clone(text))))
    }
}
