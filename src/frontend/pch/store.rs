//! Precompiled headers that are kept for later runs, and what was found out when they were compiled.
//!
//! A precompiled header is what it is by its source, the arguments, what is below it, and the files that it may read: what these
//! say, and what they find where they include. All that is in its key. Whether it may be used depends on much more, and is decided
//! anew in each run, from what is kept beside it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clang::UnsavedFile;
use crate::extract::{Before, Paths};
use crate::scan::IncludeKind;
use crate::sources::{Sources, is_old};
use cowrap_base::cache::{Cache, EntryKind};
use cowrap_base::files::{Digest, Digester};
use cowrap_facts::SharedFileFacts;

use super::headers::{HeaderId, Oddity};
use super::name_uses::Wanted;
use super::plan::{Listed, UnitGroup};
use super::{Making, Precompiled};

/// Where precompiled headers are kept.
#[derive(Debug)]
pub struct Store<'a> {
    cache: &'a Cache,
    /// The digest of all that they depend on and that is the same for all of them.
    base: Digest,
}

/// What was compiled for a precompiled header. Nothing in it depends on what else is planned.
#[derive(Debug, Default)]
pub struct Compiled {
    /// The files that were included.
    pub inclusions: Vec<Included>,
    /// What the headers say, for what is compiled on top of them.
    pub before: Arc<Before>,
    /// What they say, as facts.
    pub pieces: Vec<SharedFileFacts>,
}

/// An inclusion. Paths are as facts tell them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Included {
    /// The file.
    pub file: PathBuf,
    /// The line of the source whose inclusion led to it.
    pub line: u32,
    /// What included it, and the line there.
    pub from: Option<(PathBuf, u32)>,
}

/// The names that files may refer to: those that were asked for, and of these, those that they do refer to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Referred {
    asked: BTreeMap<PathBuf, BTreeSet<String>>,
    found: BTreeSet<(PathBuf, String)>,
}

/// What is kept beside a precompiled header.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    inclusions: Vec<Included>,
    before: Before,
    pieces: Vec<Digest>,
    referred: Referred,
}

impl Referred {
    /// What was found out about files.
    pub fn new(wanted: &Wanted, found: &[(HeaderId, String)], group: &UnitGroup) -> Referred {
        let path = |number: &HeaderId| group.headers.get(*number).path.clone();
        let asked = wanted.iter().map(|(number, names)| (path(number), names.iter().cloned().collect()));
        let found = found.iter().map(|(number, name)| (path(number), name.clone()));
        Referred { asked: asked.collect(), found: found.collect() }
    }

    /// The wanted names that files refer to; `None` when that was not asked for all of them.
    pub fn answer(&self, wanted: &Wanted, group: &UnitGroup) -> Option<Vec<(HeaderId, String)>> {
        let mut found = Vec::new();
        for (number, names) in wanted {
            let path = &group.headers.get(*number).path;
            let asked = self.asked.get(path)?;
            let names: BTreeSet<&String> = names.iter().collect();
            if names.iter().any(|name| !asked.contains(*name)) {
                return None;
            }
            let is_found = |name: &&String| self.found.contains(&(path.clone(), (*name).clone()));
            found.extend(names.into_iter().filter(is_found).map(|name| (*number, name.clone())));
        }
        Some(found)
    }
}

impl<'a> Store<'a> {
    /// Keeps them in a cache. `base` is the digest of all that facts depend on beside files and arguments, `places` are where the
    /// tree and the compiler's own headers are, and `texts` stand for files on disk.
    pub fn new(cache: &'a Cache, base: Digest, places: &[&Path], texts: &[UnsavedFile]) -> Store<'a> {
        let mut digester = Digester::new();
        digester.update(b"precompiled");
        digester.update(base.bytes());
        // Clang's files tell absolute paths.
        places.iter().for_each(|place| digester.update(place.as_os_str().as_bytes()));
        for text in texts {
            digester.update(text.path().as_os_str().as_bytes());
            digester.update(text.contents());
        }
        Store { cache, base: digester.finish() }
    }

    /// What tells what is to be made from all else; `None` when that is not known.
    pub fn key(
        &self,
        making: Making<'_>,
        group: &UnitGroup,
        arguments: &[CString],
        source: &UnsavedFile,
        sources: &Sources,
    ) -> Option<Digest> {
        let mut digester = Digester::new();
        digester.update(self.base.bytes());
        arguments.iter().for_each(|argument| digester.update(argument.as_bytes()));
        digester.update(source.contents());
        if let Some(below) = making.below {
            // Its name has a checksum. Clang compares the time, too.
            let path = below.lasting.as_ref()?;
            digester.update(path.as_os_str().as_bytes());
            digester.update(&path.metadata().ok()?.mtime().to_le_bytes());
        }
        let read = group.headers.closure(making.listed.iter().map(|listed| listed.number));
        // Where a name is computed, nothing may say what it is: then it is an error, unless it is in a false branch.
        let names = sources.scans.names();
        let is_defined = |name: &[u8]| {
            let is_plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            let is_given = |argument: &CString| argument.as_bytes().windows(name.len()).any(|words| words == name);
            if !is_plain || name.is_empty() || name.starts_with(b"_") || arguments.iter().any(is_given) {
                return true;
            }
            let Some(name) = names.find(name) else { return false };
            let here = read.iter().flat_map(|number| &group.headers.get(number).scan.defines).map(|(name, _)| *name);
            let below = || making.below.into_iter().flat_map(|below| below.all());
            here.into_iter().any(|defined| defined == name) || below().any(|below| below.defined.contains(&name))
        };
        let asks = |number| {
            let scan = &group.headers.get(number).scan;
            let computed = scan.includes.iter().chain(&scan.probes);
            computed.filter(|include| include.kind == IncludeKind::Computed).map(|include| include.name.as_slice())
        };
        if read.iter().flat_map(asks).any(is_defined) {
            return None;
        }
        // Numbers are another plan's.
        let mut files: Vec<Digest> = read.iter().map(|number| file(group, number, sources)).collect::<Option<_>>()?;
        files.sort_unstable();
        files.iter().for_each(|file| digester.update(file.bytes()));
        Some(digester.finish())
    }

    /// What was compiled for this key, on top of something, and what is known of it.
    pub fn find(&self, key: &Digest, below: Option<&Arc<Before>>) -> Option<(Compiled, Referred)> {
        let kept: Kept = postcard::from_bytes(&self.cache.get(EntryKind::Precompiled, key)?).ok()?;
        let Kept { inclusions, before, pieces, referred } = kept;
        let piece = |digest| SharedFileFacts::from_bytes(digest, &self.cache.get(EntryKind::FileFacts, &digest)?);
        let pieces = pieces.into_iter().map(piece).collect::<Option<_>>()?;
        let before = Arc::new(before.on(below.cloned()));
        Some((Compiled { inclusions, before, pieces }, referred))
    }

    /// The file that was kept under a key.
    pub fn file(&self, key: &Digest) -> Option<PathBuf> {
        self.cache.file(key)
    }

    /// Keeps what was compiled, if all of it was foreseen: then the key tells it. `save` writes the file; without it, what is known
    /// suffices to tell that there is no use in it. The result is where the file is.
    pub fn keep(
        &self,
        key: Digest,
        plan: (Making<'_>, &UnitGroup),
        (compiled, referred): (&Compiled, Referred),
        places: (&Sources, &dyn Paths),
        save: Option<&dyn Fn(&CStr) -> bool>,
    ) -> Option<PathBuf> {
        let (making, group) = plan;
        if !is_foreseen(&compiled.inclusions, making.listed, group, places) {
            return None;
        }
        let pieces = compiled.pieces.iter().map(SharedFileFacts::digest).collect();
        let kept = KeptRef { inclusions: &compiled.inclusions, before: &compiled.before, pieces, referred };
        // What cannot be written down is not kept.
        let bytes = postcard::to_stdvec(&kept).ok()?;
        let write = |path: &Path| {
            let path = CString::new(path.as_os_str().as_bytes()).ok();
            save.zip(path).is_some_and(|(save, path)| save(&path))
        };
        let path = match save {
            Some(_) => Some(self.cache.put_file(key, write)?),
            None => None,
        };
        for piece in &compiled.pieces {
            if self.cache.get(EntryKind::FileFacts, &piece.digest()).is_none() {
                self.cache.put(EntryKind::FileFacts, piece.digest(), piece.to_bytes());
            }
        }
        self.cache.put(EntryKind::Precompiled, key, bytes);
        path
    }
}

/// [`Kept`], to be written.
#[derive(Serialize)]
struct KeptRef<'a> {
    inclusions: &'a [Included],
    before: &'a Before,
    pieces: Vec<Digest>,
    referred: Referred,
}

/// The digest of a file and of what it finds; `None` when that is not known.
///
/// Clang knows by size and time that a file was read, and does not read it again.
fn file(group: &UnitGroup, number: HeaderId, sources: &Sources) -> Option<Digest> {
    let header = group.headers.get(number);
    if header.oddity == Some(Oddity::Linked) {
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
    // By these names, links lead to files that are called otherwise.
    for edge in &header.edges {
        digester.update(group.headers.get(edge.to).path.as_os_str().as_bytes());
    }
    Some(digester.finish())
}

/// Whether what was read is what the plan knows, and nothing was written meanwhile.
fn is_foreseen(
    inclusions: &[Included],
    listed: &[&Listed],
    group: &UnitGroup,
    (sources, paths): (&Sources, &dyn Paths),
) -> bool {
    let headers = &group.headers;
    let may_read = headers.closure(listed.iter().map(|listed| listed.number));
    let find = |path: &Path| headers.find(&paths.absolute(path));
    let mut known: HashSet<HeaderId> = HashSet::new();
    let mut is_known = |number: HeaderId| {
        let is_same = || headers.get(number).path.metadata().is_ok_and(|found| is_old(&found, sources.started));
        !known.insert(number) || is_same()
    };
    inclusions.iter().all(|Included { file, line, from }| {
        let Some(read) = find(file).filter(|read| may_read.contains(*read)) else { return false };
        let is_direct = match from.as_ref().and_then(|(from, line)| Some((find(from)?, line))) {
            Some((from, line)) => headers.get(from).edges.iter().any(|edge| edge.to == read && edge.line == *line),
            None => listed.get((*line as usize).saturating_sub(1)).is_some_and(|listed| listed.number == read),
        };
        is_direct && is_known(read)
    })
}

impl Precompiled {
    /// The same, in a file that lasts.
    pub fn in_file(self, path: PathBuf) -> Option<Precompiled> {
        let file = CString::new(path.as_os_str().as_bytes()).ok()?;
        Some(Precompiled { file, lasting: Some(path), ..self })
    }
}
