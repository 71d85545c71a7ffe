//! Precompiled preambles: when a unit is read because somebody edited it, the headers at its beginning
//! are compiled to a precompiled header in the cache, and the next edit of the unit is read on top of
//! it.
//!
//! This differs from PCH sharing (`pch`): the precompiled header belongs to one unit, has its headers in
//! the unit's own order, and is used only if the text of the preamble and all files that it read are as
//! they were. So clang is in the state in which a plain parse would be, and nothing has to be shown about
//! the order of headers. What remains is to show that the facts of the headers do not depend on what
//! follows. The extraction notes what does ([`PchMismatch`](crate::extract::PchMismatch)), and the
//! facts are compared with those of a plain parse when the preamble is made.
//!
//! `text` says where a preamble ends, `record` what the cache has. Whatever is in doubt is [`Unfit`],
//! and the unit is parsed plainly.
//!
//! It must never know which units changed, or what facts mean.

mod record;
mod text;
mod unfit;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::clang::{Purpose, UnsavedFile};
use crate::compdb::Unit;
use crate::compiler_input::c_string;
use crate::extract::PchSummary;
use crate::failure::Failure;
use crate::sources::{Sources, included_by};
use crate::unit_reader::{Input, UnitOutcome, UnitReader, with_headers};
use crate::worker::{Bytes, Conversation, SharingInput, SharingOutput};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Digester, read_source};
use cowrap_facts::{SharedFileFacts, UnitFacts};

use self::record::{Compiled, Record, text_of};
use self::text::preamble_length;

pub use self::unfit::Unfit;

/// The length of headers that are worth a precompiled preamble, in bytes: reading fewer takes no time.
const WORTH_IT: u64 = 256 << 10;

/// Arguments with which a preamble is compiled. clang compares times otherwise when a header is included
/// again.
const ARGUMENTS: &[&str] = &["-x", "c-header", "-Xclang", "-fno-pch-timestamp"];

/// The precompiled preambles in a cache.
#[derive(Debug)]
pub struct Preambles<'a> {
    cache: &'a Cache,
    /// The digest of all that facts depend on, except files and arguments.
    base: Digest,
    worth_it: u64,
    stats: Mutex<PreambleStats>,
}

/// What became of precompiled preambles in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreambleStats {
    /// Units that were read on top of their preambles.
    pub used: usize,
    /// Preambles that were made.
    pub made: usize,
    /// Why units were parsed plainly, or no preamble was made for them, and how often.
    pub unfit: BTreeMap<Unfit, usize>,
}

/// What the cache has for a preamble.
enum Stored {
    /// A record, and the path of the precompiled header.
    Fit(Box<Record>, CString),
    /// That the preamble cannot be used.
    Unfit,
}

/// The preamble of a unit.
struct Preamble<'u> {
    unit: &'u Unit,
    /// The text of the preamble.
    text: Vec<u8>,
    /// Whether what follows may count.
    counts: bool,
    /// The key of the unit, and that of the preamble.
    unit_key: Digest,
    key: Digest,
}

impl<'a> Preambles<'a> {
    /// The preambles in a cache. `base` is the digest of all that facts depend on except files and
    /// arguments.
    pub fn new(cache: &'a Cache, base: Digest) -> Preambles<'a> {
        Preambles { cache, base, worth_it: WORTH_IT, stats: Mutex::default() }
    }

    /// The same for headers of any length.
    pub fn of_any_length(self) -> Preambles<'a> {
        Preambles { worth_it: 0, ..self }
    }

    /// What became of preambles so far.
    pub fn stats(&self) -> PreambleStats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads a unit on top of its preamble if there is one, else with `read_plainly`. With `may_make`, a
    /// preamble is made meanwhile on another thread, for later runs. `send` takes the result as soon as it
    /// is there.
    pub(crate) fn read(
        &self,
        reader: &UnitReader,
        sources: &Sources,
        unit: &Unit,
        may_make: bool,
        read_plainly: impl Fn() -> UnitOutcome + Sync,
        send: impl Fn(UnitOutcome) + Sync,
    ) {
        let preamble = match Preamble::of(reader, self.base, unit) {
            Ok(preamble) => preamble,
            Err(unfit) => {
                self.note(unfit);
                return send(read_plainly());
            }
        };
        let unfit = match self.stored(reader, &preamble) {
            Some(Stored::Fit(record, pch)) => match self.read_on_top(reader, sources, &preamble, &record, &pch) {
                Ok(facts) => {
                    self.count(|stats| stats.used += 1);
                    return send(UnitOutcome::Read(Box::new(facts)));
                }
                Err(unfit) => unfit,
            },
            Some(Stored::Unfit) => Unfit::KnownUnfit,
            None if may_make => return self.make(reader, sources, &preamble, read_plainly, send),
            None => return send(read_plainly()),
        };
        self.note(unfit);
        send(read_plainly());
    }

    /// What the cache has for a preamble, if everything is as it was.
    fn stored(&self, reader: &UnitReader, preamble: &Preamble<'_>) -> Option<Stored> {
        let record = Record::load(self.cache, &preamble.key, reader)?;
        if !record.is_fit {
            return Some(Stored::Unfit);
        }
        let pch = c_path(&self.cache.file(&record.pch)?)?;
        Some(Stored::Fit(Box::new(record), pch))
    }

    /// Reads a unit on top of its preamble.
    fn read_on_top(
        &self,
        reader: &UnitReader,
        sources: &Sources,
        preamble: &Preamble<'_>,
        record: &Record,
        pch: &CStr,
    ) -> Result<UnitFacts, Unfit> {
        if preamble.counts {
            return Err(Unfit::Counted);
        }
        let known: HashSet<PathBuf> = record.files.iter().map(|file| reader.paths.tree.absolute(file)).collect();
        if sources.refused_beside(preamble.unit, &known).is_some() {
            return Err(Unfit::Refused);
        }
        let number = reader.workers.number_summary();
        let parse = || {
            reader.workers.with(|conversation| {
                conversation.send_summary(number, None, || record.summary.0.clone())?;
                preamble.parse_on_top(reader, conversation, number, pch)
            })
        };
        let (parsed, file_facts) = rayon::join(parse, || record.file_facts(self.cache));
        let (parsed, file_facts) = (parsed.map_err(|_| Unfit::Failed)?, file_facts.ok_or(Unfit::Lost)?);
        let is_behind = |file: &PathBuf| !known.contains(file) && *file != preamble.unit.file;
        let mut behind = parsed.0.files.iter().map(|file| reader.paths.tree.absolute(file)).filter(is_behind);
        if behind.any(|file| counts(&read(reader, &file).unwrap_or_default())) {
            return Err(Unfit::Counted);
        }
        let facts = preamble.complete(parsed, file_facts, &record.files)?;
        sources.note_preamble(preamble.unit, known, record.looked_for(&reader.paths.tree));
        Ok(facts)
    }

    /// Reads a unit plainly, and makes its preamble meanwhile.
    fn make(
        &self,
        reader: &UnitReader,
        sources: &Sources,
        preamble: &Preamble<'_>,
        read_plainly: impl Fn() -> UnitOutcome + Sync,
        send: impl Fn(UnitOutcome) + Sync,
    ) {
        let read = || {
            let outcome = read_plainly();
            let facts = match &outcome {
                UnitOutcome::Read(facts) => Some(facts.clone()),
                UnitOutcome::Failed(_) => None,
            };
            send(outcome);
            facts
        };
        let (plain, made) = rayon::join(read, || self.compile(reader, sources, preamble));
        let Some(plain) = plain.filter(|plain| plain.parse_status.errors == 0) else {
            // The next edit may mend it.
            if let Ok((record, ..)) = &made {
                self.cache.remove_file(&record.pch);
            }
            return self.note(Unfit::Errors);
        };
        let (mut record, compiled, facts) = match made {
            Ok(made) => made,
            Err(unfit) => return self.note(unfit),
        };
        match facts {
            Ok(facts) if facts == *plain => self.count(|stats| stats.made += 1),
            facts => {
                self.note(facts.err().unwrap_or(Unfit::Differing));
                record.is_fit = false;
            }
        }
        record.store(self.cache, preamble, &reader.paths.tree, &compiled.file_facts);
    }

    /// Compiles a preamble, and reads the unit on top of it.
    fn compile(
        &self,
        reader: &UnitReader,
        sources: &Sources,
        preamble: &Preamble<'_>,
    ) -> Result<(Record, Compiled, Result<UnitFacts, Unfit>), Unfit> {
        if sources.refused(preamble.unit).is_some() {
            return Err(Unfit::Refused);
        }
        let made = reader.workers.with(|conversation| {
            let compiled = match preamble.compile(reader, conversation)? {
                Ok(compiled) => compiled,
                Err(unfit) => return Ok(Err(unfit)),
            };
            if self.is_short(&compiled, reader) {
                return Ok(Err(Unfit::Short));
            }
            let record = match Record::new(&compiled, reader, sources, preamble) {
                Ok(record) => record,
                Err(unfit) => return Ok(Err(unfit)),
            };
            let conversation = RefCell::new(conversation);
            let save =
                |path: &Path| c_path(path).is_some_and(|path| conversation.borrow_mut().save(&path).unwrap_or(false));
            let Some(pch) = self.cache.put_file(record.pch, save).and_then(|path| c_path(&path)) else {
                return Ok(Err(Unfit::Lost));
            };
            let conversation = conversation.into_inner();
            let number = reader.workers.number_summary();
            conversation.send_summary(number, None, || compiled.summary.0.clone())?;
            let parsed = preamble.parse_on_top(reader, conversation, number, &pch)?;
            let facts = preamble.complete(parsed, compiled.file_facts.clone(), &compiled.files);
            Ok(Ok((record, compiled, facts)))
        });
        made.unwrap_or(Err(Unfit::Failed))
    }

    /// Whether the headers are too short to be worth a precompiled header.
    fn is_short(&self, compiled: &Compiled, reader: &UnitReader) -> bool {
        let length = |file: &PathBuf| reader.paths.tree.absolute(file).metadata().map_or(0, |found| found.len());
        compiled.files.iter().map(length).sum::<u64>() < self.worth_it
    }

    fn note(&self, unfit: Unfit) {
        self.count(|stats| *stats.unfit.entry(unfit).or_default() += 1);
    }

    fn count(&self, count: impl FnOnce(&mut PreambleStats)) {
        count(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<'u> Preamble<'u> {
    /// The preamble of a unit, as its text is now.
    fn of(reader: &UnitReader, base: Digest, unit: &'u Unit) -> Result<Preamble<'u>, Unfit> {
        let includes = |(at, option): (usize, &std::ffi::OsString)| {
            included_by(option.as_bytes(), unit.arguments.get(at + 1)).is_some()
        };
        if unit.arguments.iter().enumerate().any(includes) || reader.input.has_overlay() {
            return Err(Unfit::Arguments);
        }
        let mut text = read(reader, &unit.file).ok_or(Unfit::NoPreamble)?;
        let length = preamble_length(&text);
        if length == 0 {
            return Err(Unfit::NoPreamble);
        }
        let counts = counts(&text[length..]);
        text.truncate(length);
        let mut digester = Digester::new();
        digester.update(b"preamble");
        digester.update(base.bytes());
        let tree = &reader.paths.tree;
        // clang writes absolute paths into precompiled headers.
        for path in [&tree.root, tree.build.as_ref().unwrap_or(&tree.root), &unit.file, &unit.directory] {
            digester.update(path.as_os_str().as_bytes());
        }
        for argument in reader.input.arguments(unit).map_err(|_| Unfit::Arguments)? {
            digester.update(argument.as_bytes());
        }
        let unit_key = digester.clone().finish();
        digester.update(&text);
        Ok(Preamble { unit, text, counts, unit_key, key: digester.finish() })
    }

    /// The number of its lines.
    fn lines(&self) -> u32 {
        self.text.iter().filter(|byte| **byte == b'\n').count() as u32
    }

    /// Compiles it. The worker holds the result, so that it can be saved.
    fn compile(
        &self,
        reader: &UnitReader,
        conversation: &mut Conversation<'_>,
    ) -> Result<Result<Compiled, Unfit>, Failure> {
        let file = c_string(self.unit.file.as_os_str().as_bytes())?;
        let text = UnsavedFile::new(self.unit.file.clone(), self.text.clone()).ok_or(Failure::Nul)?;
        let input = Input {
            purpose: Purpose::Precompile,
            pch: None,
            source: Some((file, text)),
            more: ARGUMENTS,
            sharing: Some(SharingInput { below: None, keep: None, early: None }),
        };
        let (facts, output) = conversation.parse(reader.request(self.unit, input)?)?;
        let SharingOutput { summary, mismatch, inclusions, .. } = output.ok_or(Failure::Damaged)?;
        if facts.parse_status.errors > 0 || !facts.parse_status.unknown_arguments.is_empty() {
            return Ok(Err(Unfit::Errors));
        }
        if let Some(mismatch) = mismatch {
            return Ok(Err(Unfit::Mismatch(mismatch)));
        }
        // The unit's own file is the first one.
        let main = inclusions.first().map(|inclusion| inclusion.file);
        if inclusions.iter().skip(1).any(|inclusion| Some(inclusion.file) == main) {
            return Ok(Err(Unfit::IncludesUnit));
        }
        let summary: PchSummary = postcard::from_bytes(&summary.0).map_err(|_| Failure::Damaged)?;
        let summary = Bytes(postcard::to_stdvec(&summary.of_preamble()).map_err(|_| Failure::Damaged)?);
        let files = facts.files.into_iter().skip(1).collect();
        Ok(Ok(Compiled { files, file_facts: facts.file_facts, summary }))
    }

    /// Parses the unit on top of a precompiled preamble, whose summary has a number.
    fn parse_on_top(
        &self,
        reader: &UnitReader,
        conversation: &mut Conversation<'_>,
        number: u64,
        pch: &CStr,
    ) -> Result<(UnitFacts, SharingOutput), Failure> {
        let bytes = format!("-preamble-bytes={},1", self.text.len());
        let input = Input {
            purpose: Purpose::Walk,
            pch: Some(pch),
            source: None,
            more: &["-Xclang", &bytes],
            sharing: Some(SharingInput { below: Some(number), keep: None, early: Some(self.lines()) }),
        };
        let (facts, output) = conversation.parse(reader.request(self.unit, input)?)?;
        Ok((facts, output.ok_or(Failure::Damaged)?))
    }

    /// The facts of the unit, with those of the headers.
    fn complete(
        &self,
        parsed: (UnitFacts, SharingOutput),
        file_facts: Vec<SharedFileFacts>,
        files: &[PathBuf],
    ) -> Result<UnitFacts, Unfit> {
        let (facts, SharingOutput { summary, mismatch, text, .. }) = parsed;
        if facts.parse_status.errors > 0 || !facts.parse_status.unknown_arguments.is_empty() {
            return Err(Unfit::Errors);
        }
        if let Some(mismatch) = mismatch {
            return Err(Unfit::Mismatch(mismatch));
        }
        if text.0 != self.text {
            return Err(Unfit::OtherText);
        }
        let summary: PchSummary = postcard::from_bytes(&summary.0).map_err(|_| Unfit::Failed)?;
        // What the preamble declares has its name already. What is read again and declares something is
        // a mismatch.
        if summary.files_with_pasted_names().any(|file| files.iter().all(|of_preamble| of_preamble != file)) {
            return Err(Unfit::Counted);
        }
        with_headers(facts, file_facts, files.to_vec()).ok_or(Unfit::Failed)
    }
}

/// The text of a file as the compiler gets it.
fn read(reader: &UnitReader, file: &Path) -> Option<Vec<u8>> {
    match text_of(file, reader.input.texts()) {
        Some(text) => Some(text.to_vec()),
        None => read_source(file, reader.workers.limits().source_bytes).ok(),
    }
}

/// Whether a text uses `__COUNTER__` itself. Precompiled headers do not tell how far they have counted.
fn counts(text: &[u8]) -> bool {
    const COUNTER: &[u8] = b"__COUNTER__";
    text.windows(COUNTER.len()).any(|found| found == COUNTER)
}

fn c_path(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}
