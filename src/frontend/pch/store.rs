//! The persistent store: precompiled headers of earlier runs, and what came out of compiling them.
//!
//! The key of a precompiled header has everything that decides what is in it: its source, the
//! arguments, the precompiled header below it, and the files that it may read, with their texts and
//! what their includes find. Whether it may be used depends on more than that. So each run
//! certifies it again, from the record beside it.
//!
//! It must never know what makes a precompiled header trustworthy.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clang::UnsavedFile;
use crate::extract::{Paths, PchSummary};
use crate::scan::IncludeKind;
use crate::sources::{Sources, is_old};
use cowrap_base::cache::{Cache, EntryKind};
use cowrap_base::files::{Digest, Digester};
use cowrap_facts::SharedFileFacts;

use super::bit_set::BitSet;
use super::compile::{Candidate, Compiled, Included, Skipped};
use super::headers::{HeaderId, Oddity};
use super::name_uses::WantedNames;
use super::plan::UnitGroup;

/// Precompiled headers in a cache.
#[derive(Debug)]
pub struct Store<'a> {
    cache: &'a Cache,
    /// The digest of all that every precompiled header depends on.
    base: Digest,
}

/// Which names files refer to: those that were looked for, and those of them that were found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct NameUses {
    wanted: BTreeMap<PathBuf, BTreeSet<String>>,
    found: BTreeSet<(PathBuf, String)>,
}

/// A compilation to put into the store.
pub struct NewEntry<'a> {
    /// What was compiled.
    pub candidate: Candidate<'a>,
    /// Its group.
    pub group: &'a UnitGroup,
    /// What came out of it.
    pub compiled: &'a Compiled,
    /// The names that its files refer to.
    pub name_uses: NameUses,
    /// The texts.
    pub sources: &'a Sources,
    /// The paths that facts use.
    pub paths: &'a dyn Paths,
}

/// What is stored beside a precompiled header.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    skipped: Option<Skipped>,
    inclusions: Vec<Included>,
    summary: PchSummary,
    file_facts: Vec<Digest>,
    name_uses: NameUses,
}

/// The same, to be written.
#[derive(Serialize)]
struct RecordRef<'a> {
    skipped: &'a Option<Skipped>,
    inclusions: &'a [Included],
    summary: &'a PchSummary,
    file_facts: Vec<Digest>,
    name_uses: NameUses,
}

impl NameUses {
    /// The wanted names that were found.
    pub fn new(wanted: &WantedNames, found: &[(HeaderId, String)], group: &UnitGroup) -> NameUses {
        let path = |file: &HeaderId| group.headers.get(*file).path.clone();
        let wanted = wanted.iter().map(|(file, names)| (path(file), names.iter().cloned().collect()));
        let found = found.iter().map(|(file, name)| (path(file), name.clone()));
        NameUses { wanted: wanted.collect(), found: found.collect() }
    }

    /// Which of other wanted names files refer to; `None` when some of them were not looked for.
    pub fn answer(&self, wanted: &WantedNames, group: &UnitGroup) -> Option<Vec<(HeaderId, String)>> {
        let mut found = Vec::new();
        for (file, names) in wanted {
            let path = &group.headers.get(*file).path;
            let known = self.wanted.get(path)?;
            let names: BTreeSet<&String> = names.iter().collect();
            if names.iter().any(|name| !known.contains(*name)) {
                return None;
            }
            let is_found = |name: &&String| self.found.contains(&(path.clone(), (*name).clone()));
            found.extend(names.into_iter().filter(is_found).map(|name| (*file, name.clone())));
        }
        Some(found)
    }
}

impl<'a> Store<'a> {
    /// A store in a cache. `base` is the digest of all that facts depend on except files and
    /// arguments, `places` are the directories of the tree and of the compiler's own headers, and
    /// `texts` replace files on disk.
    pub fn new(cache: &'a Cache, base: Digest, places: &[&Path], texts: &[UnsavedFile]) -> Store<'a> {
        let mut digester = Digester::new();
        digester.update(b"precompiled");
        digester.update(base.bytes());
        // clang writes absolute paths into precompiled headers.
        places.iter().for_each(|place| digester.update(place.as_os_str().as_bytes()));
        for text in texts {
            digester.update(text.path().as_os_str().as_bytes());
            digester.update(text.contents());
        }
        Store { cache, base: digester.finish() }
    }

    /// The key of a candidate; `None` for a candidate that cannot be stored, since its files are
    /// not known.
    pub fn key(
        &self,
        candidate: Candidate<'_>,
        group: &UnitGroup,
        arguments: &[CString],
        source: &UnsavedFile,
        sources: &Sources,
    ) -> Option<Digest> {
        let mut digester = Digester::new();
        digester.update(self.base.bytes());
        arguments.iter().for_each(|argument| digester.update(argument.as_bytes()));
        digester.update(source.contents());
        if let Some(below) = candidate.below {
            // Its name has a checksum of its content. clang also compares its time.
            let path = below.stored.as_ref()?;
            digester.update(path.as_os_str().as_bytes());
            digester.update(&path.metadata().ok()?.mtime().to_le_bytes());
        }
        let read = group.headers.closure(candidate.listed.iter().map(|listed| listed.id));
        if includes_by_a_defined_name(candidate, group, &read, arguments, sources) {
            return None;
        }
        // Ids differ from plan to plan.
        let mut files: Vec<Digest> = read.iter().map(|id| file_digest(group, id, sources)).collect::<Option<_>>()?;
        files.sort_unstable();
        files.iter().for_each(|file| digester.update(file.bytes()));
        Some(digester.finish())
    }

    /// The compilation that is stored under a key, on top of what is below it, and the names that
    /// its files refer to.
    pub fn get(&self, key: &Digest, below: Option<&Arc<PchSummary>>) -> Option<(Compiled, NameUses)> {
        let record: Record = postcard::from_bytes(&self.cache.get(EntryKind::Precompiled, key)?).ok()?;
        let Record { skipped, inclusions, summary, file_facts, name_uses } = record;
        let load = |digest| SharedFileFacts::from_bytes(digest, &self.cache.get(EntryKind::FileFacts, &digest)?);
        let file_facts = file_facts.into_iter().map(load).collect::<Option<_>>()?;
        let summary = Arc::new(summary.on(below.cloned()));
        Some((Compiled { inclusions, summary, file_facts, skipped }, name_uses))
    }

    /// The file of the precompiled header that is stored under a key.
    pub fn file(&self, key: &Digest) -> Option<PathBuf> {
        self.cache.file(key)
    }

    /// Stores a compilation, unless it read something that its key does not have. `save` writes the
    /// file. Without `save`, the record alone tells later runs that the candidate cannot be
    /// certified. Returns the path of the file.
    pub fn put(&self, key: Digest, entry: NewEntry<'_>, save: Option<&dyn Fn(&CStr) -> bool>) -> Option<PathBuf> {
        if !entry.is_foreseen() {
            return None;
        }
        let NewEntry { compiled, name_uses, .. } = entry;
        let file_facts = compiled.file_facts.iter().map(SharedFileFacts::digest).collect();
        let Compiled { inclusions, summary, skipped, .. } = compiled;
        let record = RecordRef { skipped, inclusions, summary, file_facts, name_uses };
        // Paths that are not UTF-8 cannot be written; such a header is not stored.
        let bytes = postcard::to_stdvec(&record).ok()?;
        let write = |path: &Path| {
            let path = CString::new(path.as_os_str().as_bytes()).ok();
            save.zip(path).is_some_and(|(save, path)| save(&path))
        };
        let path = match save {
            Some(_) => Some(self.cache.put_file(key, write)?),
            None => None,
        };
        for facts in &compiled.file_facts {
            if self.cache.get(EntryKind::FileFacts, &facts.digest()).is_none() {
                self.cache.put(EntryKind::FileFacts, facts.digest(), facts.to_bytes());
            }
        }
        self.cache.put(EntryKind::Precompiled, key, bytes);
        path
    }
}

impl NewEntry<'_> {
    /// Whether the plan knows every file that was read, and no file was written since the run
    /// began.
    fn is_foreseen(&self) -> bool {
        let NewEntry { candidate: Candidate { listed, .. }, group, compiled, sources, paths, .. } = self;
        let headers = &group.headers;
        let may_read = headers.closure(listed.iter().map(|listed| listed.id));
        let find = |path: &Path| headers.find(&paths.absolute(path));
        let mut known: HashSet<HeaderId> = HashSet::new();
        let mut is_unchanged = |file: HeaderId| {
            let is_old = || headers.get(file).path.metadata().is_ok_and(|found| is_old(&found, sources.started));
            !known.insert(file) || is_old()
        };
        compiled.inclusions.iter().all(|Included { file, line, from }| {
            let Some(read) = find(file).filter(|read| may_read.contains(*read)) else { return false };
            let is_planned = match from.as_ref().and_then(|(from, line)| Some((find(from)?, line))) {
                Some((from, line)) => headers.get(from).edges.iter().any(|edge| edge.to == read && edge.line == *line),
                None => listed.get((*line as usize).saturating_sub(1)).is_some_and(|listed| listed.id == read),
            };
            is_planned && is_unchanged(read)
        })
    }
}

/// Whether a file includes by a name that an argument, a text or the compiler may define. Without a
/// definition, such an include is an error, unless it is in a false branch.
fn includes_by_a_defined_name(
    candidate: Candidate<'_>,
    group: &UnitGroup,
    read: &BitSet,
    arguments: &[CString],
    sources: &Sources,
) -> bool {
    let headers = &group.headers;
    let is_defined = |name: &[u8]| {
        let is_plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let is_given = |argument: &CString| argument.as_bytes().windows(name.len()).any(|words| words == name);
        if !is_plain || name.is_empty() || name.starts_with(b"_") || arguments.iter().any(is_given) {
            return true;
        }
        let Some(name) = sources.scans.names().find(name) else { return false };
        let mut here = read.iter().flat_map(|file| &headers.get(file).scan.defines).map(|(name, _)| *name);
        here.any(|defined| defined == name)
            || candidate.chain_below().any(|below| below.certificate.defined.contains(&name))
    };
    let computed = |file| {
        let scan = &headers.get(file).scan;
        let computed = scan.includes.iter().chain(&scan.probes);
        computed.filter(|include| include.kind == IncludeKind::Computed).map(|include| include.name.as_slice())
    };
    read.iter().flat_map(computed).any(is_defined)
}

/// The digest of a file and of what its includes find; `None` when that is not known.
///
/// It has size and time, since clang records these in a precompiled header, to know the file again
/// without reading it.
fn file_digest(group: &UnitGroup, file: HeaderId, sources: &Sources) -> Option<Digest> {
    let header = group.headers.get(file);
    if header.oddity == Some(Oddity::SymbolicallyLinked) {
        return None;
    }
    let metadata = header.path.metadata().ok()?;
    let mut digester = Digester::new();
    digester.update(header.path.as_os_str().as_bytes());
    digester.update(header.scan.content.bytes());
    digester.update(&metadata.len().to_le_bytes());
    digester.update(&metadata.mtime().to_le_bytes());
    let resolver = &sources.resolver;
    let found = resolver.of_file(group.path, resolver.file(&header.path), &header.scan);
    for found in found.includes.iter().chain(&found.probes) {
        let path = found.map(|found| resolver.path_of(found));
        digester.update(path.as_deref().map_or(OsStr::new(""), Path::as_os_str).as_bytes());
    }
    // The files that symbolic links lead to.
    for edge in &header.edges {
        digester.update(group.headers.get(edge.to).path.as_os_str().as_bytes());
    }
    Some(digester.finish())
}
