//! The run cache: if nothing that a report depends on has changed since an earlier run, it returns
//! the report of that run. Reports of several states are kept, so that going back to one costs nothing.
//!
//! A change of comments does not count, unless findings, fixes or suppressions depend on the file's
//! exact text.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use cowrap_base::cache::{EntryKind, PathState};
use cowrap_base::files::{Digest, Digester, LONGEST_TEXT, Texts, read_source};
use cowrap_base::limits::Limit;
use cowrap_csyntax::suppression::comments;
use cowrap_frontend::environment;
use cowrap_frontend::unit_cache::{CachedUnit, RunRecord};
use cowrap_report::{Details, Finding, Problem, Report, Summary};

use crate::caches::files_of;
use crate::generate::INTROSPECTION;
use crate::request::{Input, SharingRequest};
use crate::rule_names::rules_of;
use crate::session::Session;

/// Where meson says of itself what it built, relative to the build directory.
const MESON: &str = "meson-info/meson-info.json";

/// What is kept of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The report, with the edits of fixes.
    Report,
    /// What a comparison needs: the findings without edits, and the problems.
    Findings,
}

/// A report, as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredReport {
    findings: Vec<Finding>,
    problems: Vec<Problem>,
    summary: Summary,
    details: Details,
}

impl Session<'_> {
    /// The report on the current snapshot, if an earlier run has made it.
    pub(crate) fn earlier_report(&mut self, kept: Kept) -> Option<Report> {
        let key = self.run_key(kept)?;
        self.compare();
        let (caches, compared) = (self.caches.as_mut()?, self.current.compared.as_mut()?);
        let overlay = self.current.snapshot.overlay();
        // Suppressions are in comments.
        let may_differ = |now: &Digest, path: &Path| match overlay.text(path) {
            Some(text) => comments(text).is_empty(),
            // It may have changed since it was compared.
            None => read_source(path, LONGEST_TEXT)
                .is_ok_and(|text| Digest::of(&text) == *now && comments(&text).is_empty()),
        };
        let found = caches.units.find_run(&key, compared, &self.tree, may_differ)?;
        let stored = caches.checkout.cache.get(EntryKind::Report, &found.report)?;
        let StoredReport { findings, problems, summary, details } = postcard::from_bytes(&stored).ok()?;
        caches.has_news |= caches.units.note_listed(compared);
        if found.has_new_comments {
            caches.units.repeat_run(&found, compared);
            caches.has_news = true;
        }
        // If the cache cannot be written, the next run is only slower.
        caches.flush();
        Some(Report {
            findings,
            problems,
            summary,
            tree: self.tree.clone(),
            details,
            is_partial: !self.inputs.is_whole,
            rules: rules_of(&self.packs),
            overlay: overlay.clone(),
            files: found.files.into_iter().collect(),
        })
    }

    /// Stores the report on the current snapshot, which was made of these units and texts.
    pub(crate) fn store_report(&mut self, report: &Report, kept: Kept, units: &[CachedUnit], texts: &Texts) {
        let Some((record, bytes)) = self.record_of(report, kept, texts) else { return };
        let (Some(caches), Some(compared)) = (self.caches.as_mut(), self.current.compared.as_mut()) else { return };
        caches.checkout.cache.put(EntryKind::Report, record.report, bytes);
        let dependencies = caches.units.dependencies(units);
        caches.units.record_run(dependencies, record, compared, &self.tree);
        caches.has_news = true;
    }

    /// What a report depends on besides its units, and its bytes. `None` if such reports are not kept, or it may be about
    /// an old text of a file.
    fn record_of(&self, report: &Report, kept: Kept, texts: &Texts) -> Option<(RunRecord, Vec<u8>)> {
        let checkout = &self.caches.as_ref()?.checkout;
        let key = self.run_key(kept)?;
        let packs = self.packs.packs().iter().flat_map(|pack| files_of(pack, self.request));
        let mut others = packs.chain(self.files_of_build());
        if !others.all(|file| checkout.stat_cache.absent(&file) || checkout.is_old(&file)) {
            return None;
        }
        let exact = texts.consulted().into_iter().map(|path| match checkout.stat_cache.digest_of_identity(&path) {
            Some(content) if checkout.is_old(&path) => Some((path, Some(content))),
            None if checkout.stat_cache.absent(&path) => Some((path, None)),
            _ => None,
        });
        let mut exact = exact.collect::<Option<Vec<_>>>()?;
        let overlay = self.current.snapshot.overlay().texts();
        exact.extend(overlay.map(|(path, text)| (path.to_path_buf(), Some(Digest::of(text)))));
        let stored = StoredReport {
            findings: report.findings.clone(),
            problems: report.problems.clone(),
            summary: report.summary.clone(),
            // That this run could not write the cache says nothing of later ones.
            details: Details { cache_failure: None, ..report.details.clone() },
        };
        let bytes = postcard::to_stdvec(&stored).ok()?;
        let files = report.files.iter().cloned().collect();
        Some((RunRecord { key, exact, files, report: Digest::of(&bytes) }, bytes))
    }

    /// The key of the current request and of all that its report depends on besides sources; `None` if such reports are
    /// not kept.
    fn run_key(&self, kept: Kept) -> Option<Digest> {
        let (request, checkout) = (self.request, &self.caches.as_ref()?.checkout);
        // The patterns of `--only` are not part of the key. Those of the settings are: in the
        // settings' text.
        if !matches!(request.input, Input::Database(_))
            || request.is_partial
            || request.sharing == SharingRequest::Verify
            // Response files are not compared.
            || self.inputs.may_be_indirect
        {
            return None;
        }
        let mut digester = Digester::new();
        let mut bytes = |bytes: &[u8]| digester.update(bytes);
        bytes(if kept == Kept::Report { b"report" } else { b"findings" });
        for word in [env!("COWRAP_BUILD"), env!("CARGO_PKG_VERSION")] {
            bytes(word.as_bytes());
        }
        // Paths in the settings start from the directory of their file.
        let homes = [request.settings.file.as_slice(), &request.settings.homes];
        let lists: [&[PathBuf]; 6] = [
            std::slice::from_ref(&request.working_directory),
            std::slice::from_ref(&self.tree.root),
            self.tree.build.as_slice(),
            &request.packs,
            &request.inputs,
            &homes.concat(),
        ];
        for paths in lists {
            bytes(&paths.len().to_le_bytes());
            paths.iter().for_each(|path| bytes(path.as_os_str().as_encoded_bytes()));
        }
        bytes(checkout.digest_of_packs(&self.packs, request).bytes());
        for limit in Limit::ALL {
            bytes(&request.limits.get(limit).to_le_bytes());
        }
        bytes(&request.enable.len().to_le_bytes());
        request.enable.iter().for_each(|rule| bytes(rule.as_bytes()));
        let build: Option<Vec<PathState>> =
            self.files_of_build().map(|file| checkout.stat_cache.state(&file)).collect();
        bytes(&postcard::to_stdvec(&(build?, &self.refused, &self.details.parsing)).ok()?);
        bytes(&postcard::to_stdvec(&(&self.current.keys, &self.inputs.other_languages, self.inputs.is_whole)).ok()?);
        environment::add_to(&mut digester);
        Some(digester.finish())
    }

    /// The files of a build directory that say what is generated.
    fn files_of_build(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let files = self.tree.build.as_ref().map(|build| [INTROSPECTION, MESON].map(|name| build.join(name)));
        files.into_iter().flatten()
    }
}
