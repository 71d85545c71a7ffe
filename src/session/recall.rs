//! Reading a tree by way of what earlier runs found out: only what changed is read again.
//!
//! Kept are, from the widest to the narrowest: what files looked like on disk (for each checkout), what each unit read and said
//! (for each way of building a tree, wherever it is), and the linked program (for what its units say).

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use cowrap_analysis::program::{Linker, Program};
use cowrap_base::cache::{Cache, EntryKind, StatCache};
use cowrap_base::files::{Digest, Digester, Identities, Overlay, Tree};
use cowrap_facts::{SCHEMA, UnitFacts};
use cowrap_frontend::marks::make_visible;
use cowrap_frontend::sources::Sources;
use cowrap_frontend::unit_cache::{CachedUnit, SavedUnits, UnitCache, UnitInputs};
use cowrap_frontend::unit_reader::UnitOutcome;
use cowrap_packs::Pack;

use super::stored::Words;
use super::{
    Coverage, Error, Index, Opened, Problem, Progress, Request, SharingRequest, mark_headers, read_unit, shared_summary,
};

/// So few units are parsed plainly: to plan what they share would cost more.
const FEW: usize = 6;

/// What is kept of a tree.
struct Memory<'a> {
    cache: &'a Cache,
    base: Digest,
    keys: Keys,
    stamps: StatCache,
    recall: UnitCache<'a>,
}

/// Facts that were read, with the numbers of their units.
type Fresh = Vec<(usize, UnitFacts)>;

/// A unit on its way into the program.
enum Part {
    /// What keeps it out.
    Problem(Problem),
    /// It is remembered.
    Remembered(CachedUnit),
    /// It was read.
    Read(UnitFacts),
}

/// Reads the units of a tree in some state, or remembers them, and links them. At most `most` units are read, if there is a
/// limit: else nothing is done. What is read and looked for is only told of the state on the disk, and only that is remembered.
///
/// The second result says what was read and looked for, with what is on the
/// disk, if that could be remembered.
pub(super) fn read_tree(
    request: &Request,
    mut opened: Opened,
    state: Reading<'_>,
    progress: &dyn Progress,
) -> Result<(Index, Option<(UnitInputs, StatCache)>), Error> {
    let Reading { overlay, .. } = state;
    let cache = match &request.cache {
        Some(place) if request.sharing != SharingRequest::Verify => Cache::open(&place.directory, place.limit).ok(),
        _ => None,
    };
    let sources = opened.indexer.sources(overlay);
    opened.turn_to(state)?;
    let tree = opened.tree.clone();
    let memory = cache.as_ref().map(|cache| Memory::open(cache, &opened, &tree, &sources, overlay));
    let (mut parts, found, fresh) = opened.parts(request, memory.as_ref(), &sources, state, progress)?;
    let key = program_key(&parts, memory.as_ref());
    let remembered = memory.as_ref().zip(key).and_then(|(memory, key)| load::<Program>(memory.cache, &key));
    let program = match remembered {
        Some(mut program) => {
            program.connect();
            program
        }
        None => {
            let lost = opened.recall_facts(&mut parts, memory.as_ref());
            // What was kept is damaged or gone: these are read after all.
            let (again, _) = opened.read(request, &lost, memory.as_ref(), &sources, overlay, progress);
            for (unit, outcome) in lost.into_iter().zip(again) {
                parts[unit] = opened.part(unit, outcome);
            }
            let program = link(&parts, &tree);
            if let Some((memory, key)) = memory.as_ref().zip(key) {
                memory.keep(key, &program);
            }
            program
        }
    };
    let memory = memory.filter(|_| overlay.is_empty());
    let consulted = memory.and_then(|memory| memory.learn(&opened, &found, &fresh, &sources));
    // What else says what there is to read is not looked at before a report is shown again.
    let consulted = consulted.filter(|_| !opened.inputs.may_be_indirect);
    let Opened { inputs, tree, pack, mut details, mut problems, .. } = opened;
    if let Some(error) = cache.and_then(|cache| cache.flush().err()) {
        details.cache_failure = Some(error.to_string());
    }
    problems.extend(parts.into_iter().filter_map(|part| match part {
        Part::Problem(problem) => Some(problem),
        _ => None,
    }));
    problems.sort();
    let units = inputs.units.len() + inputs.refused.len();
    let coverage = Coverage { units, other_languages: inputs.other_languages, is_whole: inputs.is_whole };
    Ok((Index { program, pack, tree, details, problems, coverage }, consulted))
}

/// Which state of a tree is read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// The state.
    pub overlay: &'a Overlay,
    /// Where files were that are somewhere else now: units are read where they were.
    pub moved: &'a BTreeMap<PathBuf, PathBuf>,
    /// How many units may be read that are not remembered, if there is a limit.
    pub most: Option<usize>,
}

impl<'a> Reading<'a> {
    /// A state in which every file is where it is on the disk, or not at all; any number of units may be read.
    pub fn of(overlay: &'a Overlay) -> Reading<'a> {
        static NOTHING_MOVED: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        Reading { overlay, moved: &NOTHING_MOVED, most: None }
    }
}

impl Opened {
    /// Turns to another state of the tree: marks are those that it defines, and files that it does not have are no units.
    fn turn_to(&mut self, state: Reading<'_>) -> Result<(), Error> {
        let overlay = state.overlay;
        if overlay.is_empty() {
            return Ok(());
        }
        let texts = overlay.texts().map(|(path, text)| (path.to_path_buf(), Arc::clone(text))).collect();
        let visible = make_visible(&self.tree.root, &mark_headers(&self.pack), &texts);
        self.indexer.set_state(visible.headers).map_err(Error::State)?;
        let identities = Identities::default();
        self.inputs.units.retain_mut(|unit| {
            let now = identities.identify(&unit.directory, &unit.file);
            if let Some(then) = state.moved.get(&now) {
                unit.file.clone_from(then);
            }
            state.moved.contains_key(&now) || !overlay.is_gone(&now)
        });
        Ok(())
    }

    /// Every unit, remembered or read; those that are remembered; and the facts of those that were read.
    fn parts(
        &mut self,
        request: &Request,
        memory: Option<&Memory<'_>>,
        sources: &Arc<Sources>,
        state: Reading<'_>,
        progress: &dyn Progress,
    ) -> Result<(Vec<Part>, Vec<CachedUnit>, Fresh), Error> {
        let units = &self.inputs.units;
        let found: Vec<Option<(CachedUnit, UnitFacts)>> = match memory {
            None => units.iter().map(|_| None).collect(),
            Some(Memory { recall, .. }) => self.indexer.install(|| {
                let find = |unit| recall.find(unit).and_then(|found| Some((found, recall.outline(unit, found)?)));
                units.par_iter().map(find).collect()
            }),
        };
        let missing: Vec<usize> = (0..units.len()).filter(|unit| found[*unit].is_none()).collect();
        if state.most.is_some_and(|most| missing.len() > most) {
            return Err(Error::TooMuch { units: missing.len() });
        }
        let (outcomes, fresh) = std::thread::scope(|scope| {
            // Most likely the program is another one and is linked anew. To get the other units' facts ready takes about as
            // long as to parse a unit, which keeps one processor busy.
            if let Some(Memory { recall, .. }) = memory
                && (1..=FEW).contains(&missing.len())
            {
                scope.spawn(|| found.iter().flatten().for_each(|(found, _)| recall.prepare(*found)));
            }
            self.read(request, &missing, memory, sources, state.overlay, progress)
        });
        let remembered = found.iter().flatten().map(|(found, _)| *found).collect();
        let mut outcomes = outcomes.into_iter();
        let mut parts = Vec::new();
        for (unit, found) in found.into_iter().enumerate() {
            let part = match found {
                // Its facts are only wanted when the program is not remembered as a whole.
                Some((found, outline)) => match self.part(unit, UnitOutcome::Read(Box::new(outline))) {
                    Part::Read(_) => Part::Remembered(found),
                    part => part,
                },
                None => match outcomes.next() {
                    Some(outcome) => self.part(unit, outcome),
                    None => continue,
                },
            };
            parts.push(part);
        }
        Ok((parts, remembered, fresh))
    }

    /// Reads units, in their order; the second result are the facts of those of which there are some, for [`Memory::learn`].
    fn read(
        &mut self,
        request: &Request,
        numbers: &[usize],
        memory: Option<&Memory<'_>>,
        sources: &Arc<Sources>,
        overlay: &Overlay,
        progress: &dyn Progress,
    ) -> (Vec<UnitOutcome>, Fresh) {
        let units: Vec<_> = numbers.iter().map(|number| self.inputs.units[*number].clone()).collect();
        if units.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let sharing = match request.sharing {
            SharingRequest::No => None,
            // Where headers are is looked up on the disk.
            _ if !overlay.is_empty() => None,
            SharingRequest::Yes if units.len() <= FEW => None,
            SharingRequest::Yes => self.indexer.share(&units, sources, false),
            SharingRequest::Verify => self.indexer.share(&units, sources, true),
        };
        let sharing = match (sharing, memory) {
            // Clang knows texts in memory by other times than those on the disk.
            (Some(sharing), Some(memory)) if overlay.is_empty() => {
                Some(self.indexer.keep(sharing, memory.cache, memory.base))
            }
            (sharing, _) => sharing,
        };
        let (mut outcomes, mut facts) = (Vec::new(), Vec::new());
        progress.start(units.len());
        self.indexer.run(&units, sharing.as_ref(), |position, outcome| {
            progress.step();
            let outcome = match outcome {
                UnitOutcome::Read(read) => {
                    // Which files a unit read is a long list, and of use only where it is remembered, or to say where an error is.
                    let files = if read.parse_status.errors > 0 { read.files.clone() } else { Vec::new() };
                    let outline = UnitFacts {
                        files,
                        file_facts: read.file_facts.clone(),
                        parse_status: read.parse_status.clone(),
                    };
                    if memory.is_some() {
                        facts.push((numbers[position], *read));
                    }
                    UnitOutcome::Read(Box::new(outline))
                }
                failed => failed,
            };
            outcomes.push(outcome);
        });
        progress.finish();
        if let Some(sharing) = sharing {
            self.details.sharing = shared_summary(sharing.shared());
        }
        (outcomes, facts)
    }

    fn part(&mut self, unit: usize, outcome: UnitOutcome) -> Part {
        match read_unit(outcome, &self.inputs.units[unit].file, &self.tree, &mut self.details) {
            Ok(facts) => Part::Read(facts),
            Err(problem) => Part::Problem(problem),
        }
    }

    /// Puts facts in place of what is remembered; the result are the units of which they are lost.
    fn recall_facts(&self, parts: &mut [Part], memory: Option<&Memory<'_>>) -> Vec<usize> {
        let Some(Memory { recall, .. }) = memory else { return Vec::new() };
        let units = &self.inputs.units;
        let lost = |(number, part): (usize, &mut Part)| {
            let Part::Remembered(found) = part else { return None };
            match recall.facts(&units[number], *found) {
                Some(facts) => {
                    *part = Part::Read(facts);
                    None
                }
                None => Some(number),
            }
        };
        self.indexer.install(|| parts.par_iter_mut().enumerate().filter_map(lost).collect())
    }
}

fn link(parts: &[Part], tree: &Tree) -> Program {
    let mut linker = Linker::default();
    for (number, part) in parts.iter().enumerate() {
        if let Part::Read(facts) = part {
            facts.file_facts.iter().for_each(|piece| linker.add(number as u32, piece));
        }
    }
    linker.finish(|path| tree.absolute(path))
}

/// What tells a program from all others, by what its units say; `None` when nothing is remembered.
fn program_key(parts: &[Part], memory: Option<&Memory<'_>>) -> Option<Digest> {
    let memory = memory?;
    let mut digester = Digester::new();
    digester.update(memory.keys.known.bytes());
    // A program knows where its files are.
    digester.update(memory.keys.stamps.bytes());
    for part in parts {
        let digests = match part {
            Part::Problem(_) => Vec::new(),
            Part::Remembered(found) => memory.recall.digests(*found)?,
            Part::Read(facts) => facts.file_facts.iter().map(|piece| piece.digest()).collect(),
        };
        digester.update(&digests.iter().flat_map(|digest| *digest.bytes()).collect::<Vec<u8>>());
    }
    Some(digester.finish())
}

/// The keys of what is kept whole.
struct Keys {
    /// What files looked like, for a checkout.
    stamps: Digest,
    /// What is known of units, for a way of building, a pack, a libclang and a cowrap.
    known: Digest,
}

impl<'a> Memory<'a> {
    fn open(cache: &'a Cache, opened: &Opened, tree: &'a Tree, sources: &Sources, overlay: &Overlay) -> Memory<'a> {
        let base = base(&opened.clang, &opened.pack);
        let keys = Keys::new(base, tree);
        let (stamps, known) = rayon::join(
            || load(cache, &keys.stamps).map(|saved| StatCache::restore(saved, tree)).unwrap_or_default(),
            || load::<SavedUnits>(cache, &keys.known).unwrap_or_default(),
        );
        let recall = opened.indexer.install(|| UnitCache::new(known, base, cache, tree, &stamps, sources, overlay));
        Memory { cache, base, keys, stamps, recall }
    }

    fn keep(&self, key: Digest, value: &impl Serialize) {
        // What cannot be written down is not kept.
        if let Ok(bytes) = postcard::to_stdvec(value) {
            self.cache.put(EntryKind::Tree, key, bytes);
        }
    }

    /// Remembers what was read. The result are all files, if they are all known.
    fn learn(
        self,
        opened: &Opened,
        found: &[CachedUnit],
        fresh: &[(usize, UnitFacts)],
        sources: &Sources,
    ) -> Option<(UnitInputs, StatCache)> {
        let Memory { cache, keys, stamps, recall, .. } = self;
        let mut consulted = (found.len() + fresh.len() == opened.inputs.units.len()).then(|| recall.consulted(found));
        if !fresh.is_empty() {
            let units: Vec<_> = fresh.iter().map(|(unit, facts)| (&opened.inputs.units[*unit], facts)).collect();
            let (known, more) = opened.indexer.install(|| recall.record(&units, &stamps, sources));
            consulted = consulted.zip(more).map(|(mut all, more)| {
                all.files.extend(more.files);
                all.absent.extend(more.absent);
                all.links.extend(more.links);
                all
            });
            if let Ok(bytes) = postcard::to_stdvec(&known) {
                cache.put(EntryKind::Tree, keys.known, bytes);
            }
        }
        if stamps.has_news()
            && let Ok(bytes) = postcard::to_stdvec(&stamps.save(&opened.tree))
        {
            cache.put(EntryKind::Tree, keys.stamps, bytes);
        }
        Some((consulted?, stamps))
    }
}

impl Keys {
    fn new(base: Digest, tree: &Tree) -> Keys {
        let key = |parts: &[&[u8]]| {
            let mut digester = Digester::new();
            parts.iter().for_each(|part| digester.update(part));
            digester.finish()
        };
        let bytes = |path: &std::path::Path| path.as_os_str().as_bytes().to_vec();
        let build = tree.build.as_deref();
        let place = build.map(|build| bytes(&tree.portable(build))).unwrap_or_default();
        let (root, absolute) = (bytes(&tree.root), build.map(bytes).unwrap_or_default());
        Keys { stamps: key(&[b"stamps", &root, &absolute]), known: key(&[b"known", base.bytes(), &place]) }
    }
}

fn load<T: DeserializeOwned>(cache: &Cache, key: &Digest) -> Option<T> {
    postcard::from_bytes(&cache.get(EntryKind::Tree, key)?).ok()
}

/// The digest of all that facts depend on beside files and arguments.
fn base(clang: &str, pack: &Pack) -> Digest {
    let mut digester = Digester::new();
    for part in [env!("COWRAP_BUILD"), env!("CARGO_PKG_VERSION"), &SCHEMA.to_string(), clang] {
        digester.update(part.as_bytes());
    }
    // What cannot be written down is as good as nothing: then all packs are one, and no pack has such words.
    digester.update(&postcard::to_stdvec(&Words::of(pack)).unwrap_or_default());
    digester.finish()
}
