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
mod plan;
mod refusal;
mod store;
#[cfg(test)]
mod testing;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::clang::{File, Purpose, TranslationUnit, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::{Extracted, Paths, extract};
use crate::parse::Input;
use crate::sources::Sources;
use crate::unit_reader::{UnitOutcome, UnitReader};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Identities, Tree};
use cowrap_facts::{SharedFileFacts, UnitFacts};

use self::bit_set::BitSet;
use self::certify::{Context, ParsedUnit, Rejection, certify_header, certify_unit, check_compilation};
pub(crate) use self::compile::Pch;
use self::compile::{Candidate, Compiled};
use self::headers::HeaderId;
use self::macros::Macros;
use self::name_uses::{WantedNames, referred_names};
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
    scratch: tempfile::TempDir,
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
}

/// The result of one try to make a precompiled header; `None` when other headers left out would not
/// help.
type Tried = Option<Result<Pch, Rejection>>;

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
        macros.finish(units.iter().flat_map(|unit| &unit.arguments), sources.scans.names());
        let scratch = tempfile::Builder::new().prefix("cowrap-").tempdir()?;
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
        for _ in 0..MOST_TRIES {
            let tried = catch_unwind(AssertUnwindSafe(|| maker.try_without(&left_out))).ok()??;
            match tried {
                Ok(pch) => {
                    self.note(|stats| stats.headers += 1);
                    return Some(pch);
                }
                Err(Rejection { refusals, leave_out }) => {
                    refusals.into_iter().for_each(|refusal| self.refuse(Refused::Header, refusal));
                    // Without a header to leave out, another try would end the same way.
                    if leave_out.is_empty() {
                        return None;
                    }
                    left_out.extend(&leave_out);
                }
            }
        }
        None
    }

    /// Reads a unit, with its precompiled header if there is one.
    pub(crate) fn read(&self, reader: &UnitReader, units: &[Unit], number: usize, pch: Option<&Pch>) -> UnitOutcome {
        let unit = &units[number];
        let shared = pch.and_then(|pch| self.shared_facts(reader, number, unit, pch));
        if shared.is_some() {
            self.note(|stats| stats.units += 1);
        }
        match shared {
            Some(facts) if self.verify => self.verified(reader, unit, &facts),
            Some(facts) => UnitOutcome::Read(Box::new(facts)),
            None => reader.read(unit),
        }
    }

    /// The facts of a unit by way of precompiled headers, if they can be certified.
    fn shared_facts(&self, reader: &UnitReader, number: usize, unit: &Unit, pch: &Pch) -> Option<UnitFacts> {
        let input = Input { purpose: Purpose::Walk, pch: Some(&pch.file), source: None, more: &[] };
        let UnitReader { parser, vocabulary, paths } = reader;
        let member = self.plan.units[number].as_ref()?;
        let read = || {
            parser.parse(unit, input, |parsed, unknown_arguments| {
                let extracted = extract(parsed, &unit.directory, paths, vocabulary, Some(&pch.compiled.summary));
                let main = extracted.facts.files.first()?;
                let directory = &unit.directory;
                let parsed_unit = ParsedUnit { directory, member, pch, parsed, extracted: &extracted, main };
                let context = self.context(&self.plan.groups[member.group], paths);
                if let Err(refusal) = certify_unit(&context, &parsed_unit) {
                    self.refuse(Refused::Unit, refusal);
                    return None;
                }
                let mut facts = complete(extracted, pch)?;
                facts.parse_status.unknown_arguments = unknown_arguments;
                Some(facts)
            })
        };
        // A plain parse tells what failed.
        catch_unwind(AssertUnwindSafe(read)).ok()?.ok()?
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
    /// Tries to make it without some headers.
    fn try_without(self, left_out: &BitSet) -> Tried {
        let listed = compile::listed(&self.sharing.plan.nodes[self.node], left_out);
        if listed.is_empty() {
            return None;
        }
        let candidate = Candidate { below: self.below, listed: &listed };
        let path = self.sharing.scratch.path().join(format!("{}.h", self.node));
        let source = compile::source(path, candidate, &self.group().headers, self.sharing.sources.scans.names())?;
        let entry = self.sharing.store.as_ref().and_then(|store| {
            let arguments = self.reader.parser.arguments(self.unit).ok()?;
            Some((store, store.key(candidate, self.group(), &arguments, &source.1, &self.sharing.sources)?))
        });
        if let Some((store, key)) = &entry
            && let Some(tried) = self.try_stored(store, key, candidate)
        {
            return Some(tried);
        }
        let input = Input {
            purpose: Purpose::Precompile,
            pch: self.below.map(|below| below.file.as_c_str()),
            source: Some(source),
            more: compile::ARGUMENTS,
        };
        self.reader.parser.parse(self.unit, input, |parsed, _| self.finish(candidate, parsed, entry)).ok()?
    }

    /// Certifies what was compiled, and saves it in the store or in the scratch directory.
    fn finish(
        self,
        candidate: Candidate<'_>,
        parsed: &TranslationUnit<'_>,
        entry: Option<(&Store<'_>, Digest)>,
    ) -> Tried {
        let UnitReader { vocabulary, paths, .. } = self.reader;
        let (directory, group) = (&self.unit.directory, self.group());
        let context = self.sharing.context(group, paths);
        let extracted = extract(parsed, directory, paths, vocabulary, Some(&self.summary_below()));
        if let Err(rejection) = check_compilation(&context, candidate, parsed, directory, &extracted) {
            return Some(Err(rejection));
        }
        let compiled = compile::compiled(parsed, directory, extracted, paths);
        let mut name_uses = NameUses::default();
        let id = |file: File<'_>| group.headers.find(&paths.absolute(&paths.identify(directory, &file.path())));
        let refer = |wanted: &WantedNames| {
            let found = referred_names(parsed, wanted, id, |_, _| true);
            name_uses = NameUses::new(wanted, &found, group);
            Some(found)
        };
        let certified = certify_header(&context, candidate, &compiled, refer)?;
        let save = |path: &CStr| parsed.save(path);
        let stored = entry.and_then(|(store, key)| {
            let sources = &self.sharing.sources;
            let new = NewEntry { candidate, group, compiled: &compiled, name_uses, sources, paths };
            store.put(key, new, certified.is_ok().then_some(&save))
        });
        let certificate = match certified {
            Ok(certificate) => certificate,
            Err(rejection) => return Some(Err(rejection)),
        };
        let file = match &stored {
            Some(path) => c_path(path)?,
            None => {
                let file = c_path(&self.sharing.scratch.path().join(format!("{}.pch", self.node)))?;
                parsed.save(&file).then_some(file)?
            }
        };
        Some(Ok(Pch { file, stored, below: self.below.cloned(), compiled, certificate }))
    }

    /// What an earlier run made, or a new certification of what it could not certify.
    fn try_stored(self, store: &Store<'_>, key: &Digest, candidate: Candidate<'_>) -> Tried {
        let (compiled, name_uses): (Compiled, NameUses) = store.get(key, Some(&self.summary_below()))?;
        let context = self.sharing.context(self.group(), &self.reader.paths);
        let refer =
            |wanted: &WantedNames| -> Option<Vec<(HeaderId, String)>> { name_uses.answer(wanted, self.group()) };
        match certify_header(&context, candidate, &compiled, refer)? {
            Ok(certificate) => {
                let path = store.file(key)?;
                let file = c_path(&path)?;
                self.sharing.note(|stats| stats.reused += 1);
                Some(Ok(Pch { file, stored: Some(path), below: self.below.cloned(), compiled, certificate }))
            }
            Err(rejection) => Some(Err(rejection)),
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

/// The facts of a unit, completed with those of its precompiled headers.
fn complete(extracted: Extracted, pch: &Pch) -> Option<UnitFacts> {
    let mut facts = extracted.facts;
    let main = facts.files.first()?.clone();
    for level in pch.chain() {
        facts.file_facts.extend(level.compiled.file_facts.iter().cloned());
        facts.files.extend(level.certificate.files.iter().cloned());
    }
    // As in a plain parse: the main file, and the others sorted.
    facts.files[1..].sort();
    facts.files.dedup();
    facts.file_facts.sort_by_key(|of_file| {
        let file = of_file.facts().files.first().cloned();
        (file.as_ref() != Some(&main), file)
    });
    Some(facts)
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
