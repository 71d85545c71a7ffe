//! The run cache: if nothing that a report depends on has changed since an earlier run, it returns
//! the report of that run.
//!
//! A change of comments does not count, unless findings, fixes or suppressions depend on the file's
//! exact text.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use cowrap_base::cache::{Cache, EntryKind, PathState, SavedStatCache, StatCache};
use cowrap_base::files::{Digest, Digester, LONGEST_TEXT, Overlay, Texts, Tree, read_source};
use cowrap_base::limits::Limit;
use cowrap_csyntax::suppression::comments;
use cowrap_frontend::clang::Library;
use cowrap_frontend::marks::definitions;
use cowrap_frontend::sources::{is_old, normalized_digest};
use cowrap_frontend::{compdb, environment};
use cowrap_packs::PackSet;
use cowrap_report::{Details, Finding, Problem, Report, Summary};

use crate::caches::FilesRead;
use crate::inputs::packs_of;
use crate::request::{Input, Request, SharingRequest};
use crate::rule_names::rules_of;
use crate::session::{mark_detail, open_cache};
use crate::vocabulary::mark_headers;

/// The entries of the run cache for one kind of run: the same request with the same tools.
pub(super) struct RunCache {
    cache: Cache,
    key: Digest,
    /// The files that a run reads besides sources: database, pack, libclang, and meson's
    /// introspection data.
    other_files: Vec<PathBuf>,
    packs: PackSet,
    started: SystemTime,
}

/// A run, as it is stored. Its paths are absolute, because the stat cache is of use to one checkout
/// only.
#[derive(Serialize, Deserialize)]
struct StoredRun {
    root: PathBuf,
    build: Option<PathBuf>,
    stat_cache: SavedStatCache,
    /// The files that were read.
    files: Vec<(PathBuf, PathState)>,
    /// For each of these files, the digest of its text without comments, if the comments do not
    /// matter.
    normalized: Vec<Option<Digest>>,
    /// The files that were looked for and did not exist, by directory. They still do not exist
    /// while the directory has the same entries.
    absent: Vec<(PathBuf, PathState, Vec<PathBuf>)>,
    /// The symbolic links that were followed, with their targets.
    links: Vec<(PathBuf, PathBuf)>,
    findings: Vec<Finding>,
    problems: Vec<Problem>,
    summary: Summary,
    details: Details,
}

/// The findings of one snapshot, which is part of the key.
#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotFindings {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The units that could not be read.
    pub problems: Vec<Problem>,
}

impl RunCache {
    /// The entries for a request; `None` if such runs are not cached.
    pub(super) fn new(request: &Request) -> Option<RunCache> {
        let started = SystemTime::now();
        let Input::Database(explicit) = &request.input else { return None };
        // The patterns of `--only` are not part of the key. Those of the settings are: in the
        // settings' text.
        if request.is_partial || request.sharing == SharingRequest::Verify {
            return None;
        }
        let location = request.cache.as_ref()?;
        let database = compdb::find(&request.working_directory, explicit.as_deref()).ok()?.canonicalize().ok()?;
        let library = Library::first_candidate()?.canonicalize().ok()?;
        let packs = packs_of(&request.packs, &request.settings).ok()?;
        let cache = open_cache(request, location)?;
        let mut digester = Digester::new();
        for word in ["report", env!("COWRAP_BUILD"), env!("CARGO_PKG_VERSION")] {
            digester.update(word.as_bytes());
        }
        let mut paths = |paths: &[PathBuf]| {
            digester.update(&paths.len().to_le_bytes());
            paths.iter().for_each(|path| digester.update(path.as_os_str().as_bytes()));
        };
        paths(&[database.clone(), library.clone(), request.working_directory.clone()]);
        paths(request.root.as_slice());
        paths(&request.packs);
        paths(&request.inputs);
        // Paths in the settings start from the directory of their file.
        paths(request.settings.file.as_slice());
        paths(&request.settings.homes);
        // Which directory is too wide for a tree depends on where the user's files are.
        paths(&std::env::var_os("HOME").map(PathBuf::from).into_iter().collect::<Vec<_>>());
        digester.update(request.settings.text.as_bytes());
        environment::add_to(&mut digester);
        for limit in Limit::ALL {
            digester.update(&request.limits.get(limit).to_le_bytes());
        }
        request.enable.iter().for_each(|rule| digester.update(rule.as_bytes()));
        let build = database.parent()?;
        let meson = ["intro-targets.json", "meson-info.json"].map(|name| build.join("meson-info").join(name));
        let mut other_files = vec![database.clone(), library];
        let pack_files = packs.packs().iter().flat_map(|pack| &pack.files);
        other_files.extend(pack_files.map(|file| request.working_directory.join(file)));
        other_files.extend(meson);
        Some(RunCache { cache, key: digester.finish(), other_files, packs, started })
    }

    /// The report of an earlier run, if nothing that it depends on has changed.
    pub(super) fn report(&self) -> Option<Report> {
        let mut run: StoredRun = postcard::from_bytes(&self.cache.get(EntryKind::Tree, &self.key)?).ok()?;
        let tree = Tree { root: run.root.clone(), build: run.build.clone() };
        let stat_cache = StatCache::restore(run.stat_cache.clone(), &tree);
        let changed = stat_cache.changed(&run.files);
        if !changed.is_empty() {
            let now = self.changed_comments(&run, &changed, &stat_cache, &tree)?;
            for (position, state) in changed.into_iter().zip(now) {
                run.files[position].1 = state;
            }
        }
        let is_changed = |(directory, entries, absent): &(PathBuf, PathState, Vec<PathBuf>)| {
            stat_cache.state(directory).unwrap_or(PathState::Absent) != *entries
                && absent.iter().any(|path| !stat_cache.absent(path))
        };
        if run.absent.par_iter().any(is_changed) {
            return None;
        }
        if !run.links.iter().all(|(link, target)| link.canonicalize().is_ok_and(|now| now == *target)) {
            return None;
        }
        if stat_cache.has_news() {
            run.stat_cache = stat_cache.save(&tree);
            self.store(&run);
        }
        let StoredRun { findings, problems, summary, details, files, .. } = run;
        let overlay = Overlay::default();
        let files = files.into_iter().map(|(path, _)| path).collect();
        // Runs on a part of the tree are not cached.
        let is_partial = false;
        let rules = rules_of(&self.packs);
        Some(Report { findings, problems, summary, tree, details, is_partial, rules, overlay, files })
    }

    /// The findings of the disk with an overlay, if an earlier run checked that state, and another
    /// one the disk.
    ///
    /// A report depends on the texts of the files that were read, and on the absence of others. If
    /// both states read the same files, those of the other one are the files of the disk with the
    /// texts of the overlay. So its key follows without reading anything. If it read other files,
    /// it has another key, and is not found.
    pub(super) fn findings_in(&self, overlay: &Overlay) -> Option<SnapshotFindings> {
        let run: StoredRun = postcard::from_bytes(&self.cache.get(EntryKind::Tree, &self.key)?).ok()?;
        let tree = Tree { root: run.root.clone(), build: run.build.clone() };
        let is_current = StatCache::restore(run.stat_cache.clone(), &tree).changed(&run.files).is_empty();
        if !is_current || run.absent.iter().flat_map(|(.., absent)| absent).any(|path| overlay.is_there(path)) {
            return None;
        }
        let with_overlay = |(path, state): &(PathBuf, PathState)| {
            let state = match overlay.text(path) {
                Some(text) => PathState::File(Digest::of(text)),
                None if overlay.is_gone(path) => PathState::Absent,
                None => *state,
            };
            (path.clone(), state)
        };
        let files: Vec<(PathBuf, PathState)> = run.files.iter().map(with_overlay).collect();
        postcard::from_bytes(&self.cache.get(EntryKind::Tree, &self.snapshot_key(&files)?)?).ok()
    }

    /// The key of the findings of a snapshot, made of the files that were read.
    fn snapshot_key(&self, files: &[(PathBuf, PathState)]) -> Option<Digest> {
        let mut digester = Digester::new();
        digester.update(b"snapshot");
        digester.update(self.key.bytes());
        digester.update(&postcard::to_stdvec(files).ok()?);
        Some(digester.finish())
    }

    /// The new states of files that changed, if only their comments changed and these do not
    /// matter.
    ///
    /// Then the facts are the same at the same lines and columns, so the program and its findings
    /// are the same. Files whose texts were used for findings and fixes have no normalized digest
    /// here: an edit has byte offsets, which comments move. Definitions of marks are searched for
    /// in comments, too, so they are compared.
    fn changed_comments(
        &self,
        run: &StoredRun,
        changed: &[usize],
        stat_cache: &StatCache,
        tree: &Tree,
    ) -> Option<Vec<PathState>> {
        let files = changed.iter().map(|position| {
            let (file, _) = run.files.get(*position)?;
            Some((file, (*run.normalized.get(*position)?)?))
        });
        let files = files.collect::<Option<Vec<_>>>()?;
        let marks = mark_headers(&self.packs);
        let states = files.par_iter().map(|(file, normalized)| {
            let state = stat_cache.state(file)?;
            let text = read_source(file, LONGEST_TEXT).ok()?;
            let has_suppressions = !comments(&text).is_empty();
            if has_suppressions
                || state != PathState::File(Digest::of(&text))
                || normalized_digest(&text) != *normalized
            {
                return None;
            }
            let now = definitions(&tree.root, file, &text, &marks);
            let now = now.iter().map(|definition| mark_detail(definition, self.packs.first(), tree));
            let before = run.details.parsing.marks.iter().filter(|mark| mark.path == tree.relative(file));
            now.eq(before.cloned()).then_some(state)
        });
        states.collect()
    }

    /// Stores a report with the files that it depends on.
    pub(super) fn record(&self, report: &Report, files_read: FilesRead, texts: &Texts) {
        let FilesRead { inputs, stat_cache } = files_read;
        let mut exact = texts.consulted();
        exact.extend(self.other_files.iter().cloned());
        let mut files: BTreeMap<PathBuf, Option<Digest>> =
            inputs.files.into_iter().map(|(file, normalized)| (file, Some(normalized))).collect();
        files.extend(exact.into_iter().map(|file| (file, None)));
        let (files, normalized): (Vec<PathBuf>, Vec<Option<Digest>>) = files.into_iter().unzip();
        let mut by_directory: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for path in inputs.absent {
            let directory = path.parent().unwrap_or(Path::new("/")).to_path_buf();
            by_directory.entry(directory).or_default().push(path);
        }
        let files = files.par_iter().map(|file| {
            let state = if stat_cache.absent(file) { PathState::Absent } else { stat_cache.state(file)? };
            (state == PathState::Absent || self.is_old(file)).then(|| (file.clone(), state))
        });
        // If a file may have changed since the run started, the report may be about its old text.
        let Some(files) = files.collect::<Option<Vec<_>>>() else { return };
        let with_entries = |(directory, absent): (PathBuf, Vec<PathBuf>)| {
            let entries = stat_cache.state(&directory).unwrap_or(PathState::Absent);
            (directory, entries, absent)
        };
        let absent: Vec<_> = by_directory.into_par_iter().map(with_entries).collect();
        if absent.par_iter().any(|(.., absent)| absent.iter().any(|path| !stat_cache.absent(path))) {
            return;
        }
        self.store(&StoredRun {
            root: report.tree.root.clone(),
            build: report.tree.build.clone(),
            stat_cache: stat_cache.save(&report.tree),
            files,
            normalized,
            absent,
            links: inputs.links.into_iter().collect(),
            findings: report.findings.clone(),
            problems: report.problems.clone(),
            summary: report.summary.clone(),
            details: report.details.clone(),
        });
    }

    /// Whether a file has not been written since the run started.
    fn is_old(&self, file: &Path) -> bool {
        file.metadata().is_ok_and(|metadata| is_old(&metadata, self.started))
    }

    fn store(&self, run: &StoredRun) {
        let Ok(bytes) = postcard::to_stdvec(run) else { return };
        self.cache.put(EntryKind::Tree, self.key, bytes);
        let findings = SnapshotFindings { findings: run.findings.clone(), problems: run.problems.clone() };
        if let Some((key, bytes)) = self.snapshot_key(&run.files).zip(postcard::to_stdvec(&findings).ok()) {
            self.cache.put(EntryKind::Tree, key, bytes);
        }
        // If the cache cannot be written, the next run is only slower.
        let _ = self.cache.flush();
    }
}
