//! PCH sharing: headers that many units include are compiled once, to precompiled headers that
//! stand on one another.
//!
//! It is a pipeline:
//!
//! 1. `plan`: which precompiled headers to make, and which units use which (with `headers`, the
//!    include graph, and `cluster`);
//! 2. `compile`: a source of includes becomes a precompiled header, and its headers' facts are
//!    extracted once;
//! 3. `certify`: named checks show that facts are those of a plain parse (with `interference`,
//!    `macros`, `order` and `name_uses`);
//! 4. use: a unit is parsed on top of its precompiled header, certified too, and completed with the
//!    headers' facts.
//!
//! What cannot be certified is refused with a [`Refusal`]: a precompiled header is made without
//! some headers or not at all, and a unit is parsed plainly. `store` has the precompiled headers of
//! earlier runs.
//!
//! It must never know threads, or what facts mean.

mod bit_set;
mod certify;
mod cluster;
mod compile;
mod headers;
mod interference;
mod macros;
mod name_uses;
mod order;
mod parsed;
mod plan;
mod refusal;
mod store;
#[cfg(test)]
mod testing;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use crate::clang::{Purpose, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::Paths;
use crate::failure::Failure;
use crate::sources::Sources;
use crate::unit_reader::{Input, UnitOutcome, UnitReader, with_headers};
use crate::worker::{Conversation, SharingInput};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Identities, TemporaryDirectory, Tree};
use cowrap_facts::{SharedFileFacts, UnitFacts};

use self::bit_set::BitSet;
use self::certify::{
    Certificate, Context, Rejection, SharedUnit, UnitRejection, certify_header, certify_unit, check_compilation,
    last_early_line,
};
pub(crate) use self::compile::Pch;
use self::compile::{Active, Candidate, Compiled, Skipped};
use self::headers::HeaderId;
use self::macros::Macros;
use self::name_uses::{WantedNames, referred_names};
use self::parsed::Parsed;
pub(crate) use self::plan::Node;
use self::plan::{Plan, UnitGroup};
pub use self::refusal::{Refusal, Refused};
use self::store::{NameUses, NewEntry, Store};

/// How often a precompiled header is tried, each time without the headers that an earlier try had
/// to leave out.
const MOST_TRIES: usize = 4;

/// The sharing of header work in one run.
#[derive(Debug)]
pub struct Sharing<'a> {
    plan: Plan,
    macros: Macros,
    sources: Arc<Sources>,
    /// The directory of precompiled headers that are not stored.
    scratch: TemporaryDirectory,
    store: Option<Store<'a>>,
    /// Whether every unit that shares is also parsed plainly.
    verify: bool,
    stats: Mutex<SharingStats>,
}

/// What sharing did in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingStats {
    /// Units whose facts come by way of precompiled headers.
    pub units: usize,
    /// Precompiled headers that were used.
    pub headers: usize,
    /// Those of them that an earlier run made.
    pub reused: usize,
    /// What was refused and why, and how often.
    pub refusals: BTreeMap<(Refused, Refusal), usize>,
    /// Units whose facts were not those of a plain parse, and the first file whose facts differ.
    /// Any such unit is a bug.
    pub differing: Vec<(PathBuf, PathBuf)>,
    /// Precompiled headers that could not be written, for instance because the disk is full.
    pub unsaved: usize,
}

/// The result of one try to make a precompiled header.
enum Tried {
    /// It is made.
    Made(Box<Pch>),
    /// It is not certified.
    Rejected(Rejection),
    /// It is not certified unless the compiler skips something.
    Unclear,
    /// Other headers left out would not help.
    Failed,
}

/// The result of one try to read a unit with its precompiled header.
enum Shared {
    /// Its facts.
    Read(UnitFacts),
    /// They are not certified.
    Refused(Refusal),
    /// They are not certified unless the compiler skips something in the precompiled headers.
    Unclear,
}

impl<'a> Sharing<'a> {
    /// Plans for units. With `verify`, every unit that shares is also parsed plainly, the plain
    /// facts count, and the two are compared.
    ///
    /// # Errors
    ///
    /// No directory for precompiled headers can be made.
    pub(crate) fn new(
        units: &[Unit],
        tree: &Tree,
        identities: &Identities,
        sources: &Arc<Sources>,
        verify: bool,
    ) -> std::io::Result<Sharing<'a>> {
        let plan = plan::plan(units, tree, identities, sources);
        let mut macros = Macros::default();
        for group in &plan.groups {
            for id in 0..group.headers.count() {
                let header = group.headers.get(id);
                macros.add(&header.scan, header.own, sources.scans.names());
            }
        }
        macros.finish(units.iter().flat_map(|unit| &*unit.arguments), sources.scans.names());
        let scratch = TemporaryDirectory::make()?;
        let (sources, stats) = (Arc::clone(sources), Mutex::default());
        Ok(Sharing { plan, macros, sources, scratch, store: None, verify, stats })
    }

    /// The same with a persistent store; see [`Store::new`].
    pub(crate) fn with_store(
        self,
        cache: &'a Cache,
        base: Digest,
        places: &[&Path],
        texts: &[UnsavedFile],
    ) -> Sharing<'a> {
        Sharing { store: Some(Store::new(cache, base, places, texts)), ..self }
    }

    /// What sharing has done so far.
    pub fn stats(&self) -> SharingStats {
        let mut stats = self.stats.lock().map(|stats| stats.clone()).unwrap_or_default();
        stats.differing.sort();
        stats
    }

    /// The precompiled headers to make; each comes after the one below it.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.plan.nodes
    }

    /// Whether a unit uses a precompiled header.
    pub(crate) fn has_node(&self, unit: usize) -> bool {
        self.plan.units[unit].is_some()
    }

    /// Makes a precompiled header on top of another one; `None` when it cannot be certified.
    pub(crate) fn precompile(
        &self,
        reader: &UnitReader,
        units: &[Unit],
        node: usize,
        below: Option<&Arc<Pch>>,
    ) -> Option<Pch> {
        let maker = Maker { sharing: self, reader, unit: &units[self.plan.nodes[node].unit], node, below };
        let mut left_out = BitSet::default();
        let mut is_active = false;
        let mut tries = 0;
        while tries < MOST_TRIES {
            let tried = catch_unwind(AssertUnwindSafe(|| maker.try_without(&left_out, is_active))).ok()?;
            match tried {
                Tried::Made(pch) => {
                    self.note(|stats| stats.headers += 1);
                    return Some(*pch);
                }
                Tried::Unclear => {
                    if let Some(below) = below {
                        self.find_active(reader, units, below);
                    }
                    is_active = true;
                }
                Tried::Rejected(Rejection { refusals, leave_out }) => {
                    refusals.into_iter().for_each(|refusal| self.refuse(Refused::Header, refusal));
                    // Without a header to leave out, another try would end the same way.
                    if leave_out.is_empty() {
                        return None;
                    }
                    left_out.extend(&leave_out);
                    tries += 1;
                }
                Tried::Failed => return None,
            }
        }
        None
    }

    /// Finds what the compiler skips in the files of a precompiled header and of those below it.
    fn find_active(&self, reader: &UnitReader, units: &[Unit], pch: &Pch) {
        let levels: Vec<&Pch> = pch.chain().take_while(|level| level.active.get().is_none()).collect();
        for level in levels.into_iter().rev() {
            let node = &self.plan.nodes[level.node];
            let below = level.below.as_ref();
            let skipped = find_skipped(reader, &units[node.unit], below.map(|below| &**below), &level.source);
            let context = self.context(&self.plan.groups[node.group], &reader.paths);
            let active = certify::active(&context, level, &skipped.unwrap_or_default());
            // Another thread may have found the same.
            let _ = level.active.set(active);
        }
    }

    /// Reads a unit, with its precompiled header if there is one.
    pub(crate) fn read(&self, reader: &UnitReader, units: &[Unit], number: usize, pch: Option<&Pch>) -> UnitOutcome {
        let unit = &units[number];
        match pch.and_then(|pch| self.shared_facts(reader, units, number, pch)) {
            Some(Ok(facts)) => {
                self.note(|stats| stats.units += 1);
                if self.verify { self.verified(reader, unit, &facts) } else { UnitOutcome::Read(Box::new(facts)) }
            }
            Some(Err(failure)) => UnitOutcome::Failed(failure),
            None => reader.read(unit),
        }
    }

    /// The facts of a unit by way of precompiled headers, if they can be certified. A failure is one
    /// that a plain parse would not avoid.
    fn shared_facts(
        &self,
        reader: &UnitReader,
        units: &[Unit],
        number: usize,
        pch: &Pch,
    ) -> Option<Result<UnitFacts, Failure>> {
        let unit = &units[number];
        let member = self.plan.units[number].as_ref()?;
        let context = self.context(&self.plan.groups[member.group], &reader.paths);
        let read = |conversation: &mut Conversation<'_>| {
            pch.send_summaries(conversation)?;
            let early = Some(last_early_line(member, pch));
            let sharing = Some(SharingInput { below: Some(pch.number), keep: None, early });
            let input = Input { purpose: Purpose::WalkShared, pch: Some(&pch.file), source: None, more: &[], sharing };
            let (facts, output) = conversation.parse(reader.request(unit, input)?)?;
            let parsed = Parsed::new(facts, output, Some(Arc::clone(&pch.compiled.summary)))?;
            let Some(main) = parsed.facts.files.first() else { return Ok(None) };
            let certify = |skipped: &Skipped, conversation: &mut Conversation<'_>| {
                let refer = |wanted: &WantedNames| referred_names(conversation, context.headers, wanted);
                certify_unit(&context, &SharedUnit { member, pch, parsed: &parsed, main, skipped }, refer)
            };
            // What the compiler skipped seldom matters.
            let certified = match certify(&Skipped::new(), conversation) {
                Err(UnitRejection::Refused(refusal)) if refusal.is_about_texts() => {
                    certify(&conversation.skipped()?, conversation)
                }
                certified => certified,
            };
            Ok(match certified {
                Ok(()) => complete(parsed.facts, pch).map(Shared::Read),
                Err(UnitRejection::Failed(failure)) => return Err(failure),
                Err(UnitRejection::Refused(refusal)) if refusal.is_about_texts() && pch.active.get().is_none() => {
                    Some(Shared::Unclear)
                }
                Err(UnitRejection::Refused(refusal)) => Some(Shared::Refused(refusal)),
            })
        };
        loop {
            match catch_unwind(AssertUnwindSafe(|| reader.workers.with(read))).ok()? {
                Ok(Some(Shared::Read(facts))) => return Some(Ok(facts)),
                // From now on, no unit that uses it is unclear.
                Ok(Some(Shared::Unclear)) => self.find_active(reader, units, pch),
                Ok(Some(Shared::Refused(refusal))) => {
                    self.refuse(Refused::Unit, refusal);
                    return None;
                }
                Ok(None) => return None,
                // A plain parse shows what failed.
                Err(failure) if failure.may_be_passing() => return None,
                Err(failure) => return Some(Err(failure)),
            }
        }
    }

    /// A plain parse of a unit, and a comparison of its facts with the shared ones.
    fn verified(&self, reader: &UnitReader, unit: &Unit, shared: &UnitFacts) -> UnitOutcome {
        let outcome = reader.read(unit);
        let plain = match &outcome {
            UnitOutcome::Read(plain) => Some(&**plain),
            UnitOutcome::Failed(_) => None,
        };
        if plain != Some(shared) {
            let file = plain.and_then(|plain| first_difference(plain, shared)).unwrap_or_default();
            self.note(|stats| stats.differing.push((unit.file.clone(), file)));
        }
        outcome
    }

    fn context<'c>(&'c self, group: &'c UnitGroup, paths: &'c dyn Paths) -> Context<'c> {
        let UnitGroup { headers, first, .. } = group;
        Context { headers, first: *first, macros: &self.macros, sources: &self.sources, paths }
    }

    fn refuse(&self, refused: Refused, refusal: Refusal) {
        self.note(|stats| *stats.refusals.entry((refused, refusal)).or_default() += 1);
    }

    fn note(&self, note: impl FnOnce(&mut SharingStats)) {
        if let Ok(mut stats) = self.stats.lock() {
            note(&mut stats);
        }
    }
}

/// Makes one precompiled header.
#[derive(Clone, Copy)]
struct Maker<'a> {
    sharing: &'a Sharing<'a>,
    reader: &'a UnitReader,
    /// The unit that lends its arguments.
    unit: &'a Unit,
    node: usize,
    below: Option<&'a Arc<Pch>>,
}

impl Maker<'_> {
    /// Tries to make it without some headers. With `is_active`, what the compiler skips does not
    /// count.
    fn try_without(self, left_out: &BitSet, is_active: bool) -> Tried {
        let listed = compile::listed(&self.sharing.plan.nodes[self.node], left_out);
        if listed.is_empty() {
            return Tried::Failed;
        }
        let candidate = Candidate { below: self.below, listed: &listed };
        let path = self.sharing.scratch.path().join(format!("{}.h", self.node));
        let source = compile::source(path, candidate, &self.group().headers, self.sharing.sources.scans.names());
        let Some(source) = source else { return Tried::Failed };
        let entry = self.sharing.store.as_ref().and_then(|store| {
            let arguments = self.reader.input.arguments(self.unit).ok()?;
            Some((store, store.key(candidate, self.group(), &arguments, &source.1, &self.sharing.sources)?))
        });
        if let Some((store, key)) = &entry
            && let Some(tried) = self.try_stored(store, key, candidate, &source)
        {
            return tried;
        }
        let skipped = match is_active {
            true => find_skipped(self.reader, self.unit, self.below.map(|below| &**below), &source),
            false => None,
        };
        let make = |conversation: &mut Conversation<'_>| {
            if let Some(below) = self.below {
                below.send_summaries(conversation)?;
            }
            let number = self.reader.workers.number_summary();
            let below = self.below.map(|below| below.number);
            let input = Input {
                purpose: Purpose::Precompile,
                pch: self.below.map(|below| below.file.as_c_str()),
                source: Some(source.clone()),
                more: compile::ARGUMENTS,
                sharing: Some(SharingInput { below, keep: Some(number), early: None }),
            };
            let (facts, output) = conversation.parse(self.reader.request(self.unit, input)?)?;
            let parsed = Parsed::new(facts, output, Some(self.summary_below()))?;
            let skipped = is_active.then(|| skipped.clone().unwrap_or_default());
            self.finish(candidate, &source, (parsed, skipped), number, entry, conversation)
        };
        // If it fails, the headers are read with each unit, and a unit that fails too is reported.
        self.reader.workers.with(make).unwrap_or(Tried::Failed)
    }

    /// Certifies what was compiled, and saves it in the store or in the scratch directory.
    fn finish(
        self,
        candidate: Candidate<'_>,
        source: &(CString, UnsavedFile),
        (parsed, skipped): (Parsed, Option<Skipped>),
        number: u64,
        entry: Option<(&Store<'_>, Digest)>,
        conversation: &mut Conversation<'_>,
    ) -> Result<Tried, Failure> {
        let group = self.group();
        let context = self.sharing.context(group, &self.reader.paths);
        if let Err(rejection) = check_compilation(&context, candidate, &parsed) {
            return Ok(Tried::Rejected(rejection));
        }
        let compiled = compile::compiled(parsed, skipped);
        let mut name_uses = NameUses::default();
        let mut referred = Ok(());
        let refer = |wanted: &WantedNames| match referred_names(conversation, &group.headers, wanted) {
            Ok(found) => {
                name_uses = NameUses::new(wanted, &found, group);
                Some(found)
            }
            Err(failure) => {
                referred = Err(failure);
                None
            }
        };
        let certified = certify_header(&context, candidate, &compiled, refer);
        referred?;
        let Some(certified) = certified else { return Ok(Tried::Failed) };
        if is_unclear(&certified, &compiled) {
            return Ok(Tried::Unclear);
        }
        let conversation = RefCell::new(conversation);
        let save = |path: &CStr| conversation.borrow_mut().save(path).unwrap_or(false);
        let stored = entry.and_then(|(store, key)| {
            let (sources, paths) = (&self.sharing.sources, &self.reader.paths);
            let new = NewEntry { candidate, group, compiled: &compiled, name_uses, sources, paths };
            store.put(key, new, certified.is_ok().then_some(&save))
        });
        let certificate = match certified {
            Ok(certificate) => certificate,
            Err(rejection) => return Ok(Tried::Rejected(rejection)),
        };
        let file = match &stored {
            Some(path) => c_path(path),
            None => {
                let file = c_path(&self.sharing.scratch.path().join(format!("{}.pch", self.node)));
                let saved = file.filter(|file| save(file));
                if saved.is_none() {
                    self.sharing.note(|stats| stats.unsaved += 1);
                }
                saved
            }
        };
        Ok(match file {
            Some(file) => Tried::Made(Box::new(self.pch(file, stored, source, compiled, certificate, number))),
            None => Tried::Failed,
        })
    }

    fn pch(
        self,
        file: CString,
        stored: Option<PathBuf>,
        source: &(CString, UnsavedFile),
        compiled: Compiled,
        certificate: Certificate,
        number: u64,
    ) -> Pch {
        let active = match &compiled.skipped {
            Some(_) => {
                let (moved, included) = (Arc::clone(&certificate.moved), certificate.included.clone());
                OnceLock::from(Active { moved, included })
            }
            None => OnceLock::new(),
        };
        let (below, source, node) = (self.below.cloned(), source.clone(), self.node);
        Pch { file, stored, below, compiled, certificate, number, source, node, active }
    }

    /// What an earlier run made, or a new certification of what it could not certify.
    fn try_stored(
        self,
        store: &Store<'_>,
        key: &Digest,
        candidate: Candidate<'_>,
        source: &(CString, UnsavedFile),
    ) -> Option<Tried> {
        let (compiled, name_uses): (Compiled, NameUses) = store.get(key, Some(&self.summary_below()))?;
        let context = self.sharing.context(self.group(), &self.reader.paths);
        let number = self.reader.workers.number_summary();
        let refer =
            |wanted: &WantedNames| -> Option<Vec<(HeaderId, String)>> { name_uses.answer(wanted, self.group()) };
        match certify_header(&context, candidate, &compiled, refer)? {
            Ok(certificate) => {
                let path = store.file(key)?;
                let file = c_path(&path)?;
                self.sharing.note(|stats| stats.reused += 1);
                Some(Tried::Made(Box::new(self.pch(file, Some(path), source, compiled, certificate, number))))
            }
            certified if is_unclear(&certified, &compiled) => None,
            Err(rejection) => Some(Tried::Rejected(rejection)),
        }
    }

    fn group(&self) -> &UnitGroup {
        &self.sharing.plan.groups[self.sharing.plan.nodes[self.node].group]
    }

    /// What the precompiled headers below declare.
    fn summary_below(&self) -> Arc<crate::extract::PchSummary> {
        self.below.map(|below| Arc::clone(&below.compiled.summary)).unwrap_or_default()
    }
}

/// Whether something is not certified although it could be if the compiler skipped something.
fn is_unclear(certified: &Result<Certificate, Rejection>, compiled: &Compiled) -> bool {
    let is_about_texts = |rejection: &Rejection| rejection.refusals.iter().any(Refusal::is_about_texts);
    compiled.skipped.is_none() && certified.as_ref().is_err_and(is_about_texts)
}

/// What the compiler skips of the source of a precompiled header; `None` if that cannot be found.
fn find_skipped(
    reader: &UnitReader,
    unit: &Unit,
    below: Option<&Pch>,
    source: &(CString, UnsavedFile),
) -> Option<Skipped> {
    let find = |conversation: &mut Conversation<'_>| {
        let input = Input {
            purpose: Purpose::Preprocess,
            pch: below.map(|below| below.file.as_c_str()),
            source: Some(source.clone()),
            more: compile::ARGUMENTS,
            sharing: None,
        };
        conversation.find_skipped(reader.request(unit, input)?)
    };
    reader.workers.with(find).ok()
}

/// The facts of a unit, completed with those of its precompiled headers.
fn complete(facts: UnitFacts, pch: &Pch) -> Option<UnitFacts> {
    let file_facts = pch.chain().flat_map(|level| level.compiled.file_facts.iter().cloned());
    let files = pch.chain().flat_map(|level| level.certificate.files.iter().cloned());
    with_headers(facts, file_facts, files)
}

/// The first file that only one of two units reads, or whose facts differ.
fn first_difference(one: &UnitFacts, other: &UnitFacts) -> Option<PathBuf> {
    let files = |facts: &UnitFacts| facts.files.iter().cloned().collect::<BTreeSet<PathBuf>>();
    let (these, those) = (files(one), files(other));
    if let Some(file) = these.symmetric_difference(&those).next() {
        return Some(file.clone());
    }
    let digests = |facts: &UnitFacts| -> BTreeMap<PathBuf, Digest> {
        let named = |of_file: &SharedFileFacts| Some((of_file.facts().files.first()?.clone(), of_file.digest()));
        facts.file_facts.iter().filter_map(named).collect()
    };
    let (these, those) = (digests(one), digests(other));
    let files: BTreeSet<&PathBuf> = these.keys().chain(those.keys()).collect();
    files.into_iter().find(|file| these.get(*file) != those.get(*file)).cloned()
}

fn c_path(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}
