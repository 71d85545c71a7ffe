//! The same run again: when nothing changed of all that a report depends on, it is the report of the run before. Comments count
//! for nothing in files that units read and nobody else.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use cowrap_base::cache::{Cache, EntryKind, PathState, SavedStatCache, StatCache};
use cowrap_base::files::{Digest, Digester, Overlay, Texts, Tree};
use cowrap_csyntax::suppression::comments;
use cowrap_frontend::clang::Library;
use cowrap_frontend::compdb;
use cowrap_frontend::marks::definitions;
use cowrap_frontend::sources::{is_old, normalized_digest};
use cowrap_frontend::unit_cache::UnitInputs;
use cowrap_report::Finding;

use cowrap_report::{Details, Problem, Report, Summary};

use crate::check::rule_infos;
use crate::inputs::pack_of;
use crate::request::{Input, Request, SharingRequest};
use crate::session::mark_detail;
use crate::vocabulary::mark_headers;

/// A run that may have been before.
pub(super) struct RunCache {
    cache: Cache,
    key: Digest,
    /// What is read beside sources: the database, the pack, libclang, and what meson says of the build.
    also: Vec<PathBuf>,
    /// The pack's file, if it is not QEMU's.
    pack: Option<PathBuf>,
    started: SystemTime,
}

/// What is kept of a run. Its paths are absolute: what is known of files on disk is of use for one checkout alone.
#[derive(Serialize, Deserialize)]
struct Record {
    root: PathBuf,
    build: Option<PathBuf>,
    stamps: SavedStatCache,
    /// What was read.
    expected: Vec<(PathBuf, PathState)>,
    /// For each of these, the digest of its form, if nothing else of it matters.
    forms: Vec<Option<Digest>>,
    /// What was looked for in vain, by directory; it is still not there as long as the directory holds the same names.
    absent: Vec<(PathBuf, PathState, Vec<PathBuf>)>,
    /// Symbolic links, and what they led to.
    links: Vec<(PathBuf, PathBuf)>,
    findings: Vec<Finding>,
    problems: Vec<Problem>,
    summary: Summary,
    details: Details,
}

/// What was found in a state of the tree, by which it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct KnownFindings {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl RunCache {
    /// The run that a request asks for; `None` for one that is not remembered.
    pub(super) fn new(request: &Request) -> Option<RunCache> {
        let started = SystemTime::now();
        let Input::Database(explicit) = &request.input else { return None };
        // A set of patterns does not tell what it was made of; those of the settings are in their text.
        if request.is_partial || request.sharing == SharingRequest::Verify {
            return None;
        }
        let place = request.cache.as_ref()?;
        let database = compdb::find(&request.working_directory, explicit.as_deref()).ok()?.canonicalize().ok()?;
        let library = Library::first_candidate()?.canonicalize().ok()?;
        let cache = Cache::open(&place.directory, place.limit).ok()?;
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
        paths(request.pack.as_slice());
        paths(&request.inputs);
        digester.update(request.settings.text.as_bytes());
        request.enable.iter().for_each(|rule| digester.update(rule.as_bytes()));
        let build = database.parent()?;
        let meson = ["intro-targets.json", "meson-info.json"].map(|name| build.join("meson-info").join(name));
        let mut also = vec![database.clone(), library];
        also.extend(request.pack.iter().map(|pack| request.working_directory.join(pack)));
        also.extend(meson);
        Some(RunCache { cache, key: digester.finish(), also, pack: request.pack.clone(), started })
    }

    /// The report, if nothing changed since it was made.
    pub(super) fn report(&self) -> Option<Report> {
        let mut record: Record = postcard::from_bytes(&self.cache.get(EntryKind::Tree, &self.key)?).ok()?;
        let tree = Tree { root: record.root.clone(), build: record.build.clone() };
        let stamps = StatCache::restore(record.stamps.clone(), &tree);
        let changed = stamps.changed(&record.expected);
        if !changed.is_empty() {
            let now = self.reworded(&record, &changed, &stamps, &tree)?;
            for (place, seen) in changed.into_iter().zip(now) {
                record.expected[place].1 = seen;
            }
        }
        let is_changed = |(directory, names, absent): &(PathBuf, PathState, Vec<PathBuf>)| {
            stamps.state(directory).unwrap_or(PathState::Absent) != *names
                && absent.iter().any(|path| !stamps.absent(path))
        };
        if record.absent.par_iter().any(is_changed) {
            return None;
        }
        if !record.links.iter().all(|(link, target)| link.canonicalize().is_ok_and(|now| now == *target)) {
            return None;
        }
        if stamps.has_news() {
            record.stamps = stamps.save(&tree);
            self.put(&record);
        }
        let Record { findings, problems, summary, details, expected, .. } = record;
        let overlay = Overlay::default();
        let files = expected.into_iter().map(|(path, _)| path).collect();
        // Runs on a part of the tree are not remembered.
        let is_partial = false;
        let rules = rule_infos();
        Some(Report { findings, problems, summary, tree, details, is_partial, rules, overlay, files })
    }

    /// What a run over another state of the tree found, if it is remembered, and so is what the state on the disk depends on.
    ///
    /// A report depends on what is in the files that were read for it, and on what was not there. When both states read the same
    /// files, the other one's are those of the disk with what the overlay says: so its name is known without reading anything.
    /// When it read others, it has another name.
    pub(super) fn findings_in(&self, overlay: &Overlay) -> Option<KnownFindings> {
        let record: Record = postcard::from_bytes(&self.cache.get(EntryKind::Tree, &self.key)?).ok()?;
        let tree = Tree { root: record.root.clone(), build: record.build.clone() };
        let is_now = StatCache::restore(record.stamps.clone(), &tree).changed(&record.expected).is_empty();
        if !is_now || record.absent.iter().flat_map(|(.., absent)| absent).any(|path| overlay.is_there(path)) {
            return None;
        }
        let then = |(path, seen): &(PathBuf, PathState)| {
            let seen = match overlay.text(path) {
                Some(text) => PathState::File(Digest::of(text)),
                None if overlay.is_gone(path) => PathState::Absent,
                None => *seen,
            };
            (path.clone(), seen)
        };
        let expected: Vec<(PathBuf, PathState)> = record.expected.iter().map(then).collect();
        postcard::from_bytes(&self.cache.get(EntryKind::Tree, &self.state(&expected)?)?).ok()
    }

    /// The name of a state of the tree, by what is in the files that are read; none when it cannot be written down.
    fn state(&self, expected: &[(PathBuf, PathState)]) -> Option<Digest> {
        let mut digester = Digester::new();
        digester.update(b"state");
        digester.update(self.key.bytes());
        digester.update(&postcard::to_stdvec(expected).ok()?);
        Some(digester.finish())
    }

    /// What is now in files that changed, if nothing but their comments did, and nobody looks at these.
    ///
    /// Then units say the same at the same places, so that the program is the same, and so is what is found in it. Texts that
    /// findings and fixes were made from are not among these files: an edit is known by offsets, which comments move. The one
    /// thing that is read in comments, too, are definitions of marks.
    fn reworded(&self, record: &Record, changed: &[usize], stamps: &StatCache, tree: &Tree) -> Option<Vec<PathState>> {
        let wanted = changed.iter().map(|place| Some((record.expected.get(*place)?, (*record.forms.get(*place)?)?)));
        let wanted = wanted.collect::<Option<Vec<_>>>()?;
        let pack = pack_of(self.pack.as_deref()).ok()?;
        let marks = mark_headers(&pack);
        let now = wanted.par_iter().map(|((file, _), expected)| {
            let seen = stamps.state(file)?;
            let text = std::fs::read(file).ok()?;
            // A comment that is meant for this program is no comment like others.
            let has_words = !comments(&text).is_empty();
            if has_words || seen != PathState::File(Digest::of(&text)) || normalized_digest(&text) != *expected {
                return None;
            }
            let defined = definitions(&tree.root, file, &text, &marks);
            let defined = defined.iter().map(|definition| mark_detail(definition, &pack, tree));
            let known = record.details.parsing.marks.iter().filter(|known| known.path == tree.relative(file));
            defined.eq(known.cloned()).then_some(seen)
        });
        now.collect()
    }

    /// Keeps a report, and what it depends on.
    pub(super) fn keep(&self, report: &Report, consulted: UnitInputs, stamps: &StatCache, texts: &Texts) {
        let mut whole = texts.consulted();
        whole.extend(self.also.iter().cloned());
        let mut files: BTreeMap<PathBuf, Option<Digest>> =
            consulted.files.into_iter().map(|(file, form)| (file, Some(form))).collect();
        files.extend(whole.into_iter().map(|file| (file, None)));
        let (files, forms): (Vec<PathBuf>, Vec<Option<Digest>>) = files.into_iter().unzip();
        let mut by_directory: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for path in consulted.absent {
            let directory = path.parent().unwrap_or(Path::new("/")).to_path_buf();
            by_directory.entry(directory).or_default().push(path);
        }
        let expected = files.par_iter().map(|file| {
            let seen = if stamps.absent(file) { PathState::Absent } else { stamps.state(file)? };
            (seen == PathState::Absent || self.is_old(file)).then(|| (file.clone(), seen))
        });
        // What changed in the meantime, or may have, cannot be told from what the report is about.
        let Some(expected) = expected.collect::<Option<Vec<_>>>() else { return };
        let names = |(directory, absent): (PathBuf, Vec<PathBuf>)| {
            let names = stamps.state(&directory).unwrap_or(PathState::Absent);
            (directory, names, absent)
        };
        let absent: Vec<_> = by_directory.into_par_iter().map(names).collect();
        if absent.par_iter().any(|(.., absent)| absent.iter().any(|path| !stamps.absent(path))) {
            return;
        }
        self.put(&Record {
            root: report.tree.root.clone(),
            build: report.tree.build.clone(),
            stamps: stamps.save(&report.tree),
            expected,
            forms,
            absent,
            links: consulted.links.into_iter().collect(),
            findings: report.findings.clone(),
            problems: report.problems.clone(),
            summary: report.summary.clone(),
            details: report.details.clone(),
        });
    }

    fn is_old(&self, file: &Path) -> bool {
        file.metadata().is_ok_and(|metadata| is_old(&metadata, self.started))
    }

    fn put(&self, record: &Record) {
        // What cannot be written is not kept; the next run is only slower for that.
        if let Ok(bytes) = postcard::to_stdvec(record) {
            self.cache.put(EntryKind::Tree, self.key, bytes);
            let found = KnownFindings { findings: record.findings.clone(), problems: record.problems.clone() };
            if let Some((state, bytes)) = self.state(&record.expected).zip(postcard::to_stdvec(&found).ok()) {
                self.cache.put(EntryKind::Tree, state, bytes);
            }
            let _ = self.cache.flush();
        }
    }
}
