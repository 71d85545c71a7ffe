//! What the cache has beside a precompiled preamble: what shows that it can still be used, and what
//! came out of compiling it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clang::UnsavedFile;
use crate::sources::{LookedFor, Sources, is_old};
use crate::unit_reader::UnitReader;
use crate::worker::Bytes;
use cowrap_base::cache::{Cache, EntryKind, Listing, SavedStatCache, StatCache, list_directory};
use cowrap_base::files::{Digest, Digester, Tree};
use cowrap_facts::SharedFileFacts;

use super::{Preamble, Unfit};

/// How many preambles a cache has for one tree. Each takes some megabytes.
const MOST_PREAMBLES: usize = 12;

/// What is stored beside a precompiled preamble. The paths are those that facts use.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// Whether the preamble can be used. If not, this says so to later runs.
    pub is_fit: bool,
    /// The key of the precompiled header.
    pub pch: Digest,
    /// The files that it read, without the unit's own, and the digests of their contents.
    #[serde(with = "cowrap_facts::paths")]
    pub files: Vec<PathBuf>,
    digests: Vec<Digest>,
    /// Shows which of them are unchanged on disk without reading them.
    stamps: SavedStatCache,
    /// Where headers were looked up in vain.
    #[serde(with = "cowrap_facts::paths")]
    absent: Vec<PathBuf>,
    /// Symbolic links and files that were found and not read, and where they lead.
    #[serde(with = "cowrap_facts::paths")]
    links: Vec<PathBuf>,
    #[serde(with = "cowrap_facts::paths")]
    targets: Vec<PathBuf>,
    /// The facts of the files.
    file_facts: Vec<Digest>,
    /// The [`PchSummary`](crate::extract::PchSummary), encoded.
    pub summary: Bytes,
}

/// What came out of compiling a preamble.
pub struct Compiled {
    /// The files that it read, without the unit's own, as facts name them.
    pub files: Vec<PathBuf>,
    /// Their facts.
    pub file_facts: Vec<SharedFileFacts>,
    /// The summary, encoded.
    pub summary: Bytes,
}

/// The precompiled headers that a cache has for a tree, the one that was made last first: the key of
/// its unit, and its own.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept(Vec<(Digest, Digest)>);

impl Record {
    /// A record of a preamble that was just compiled. It refuses files that may have been written since
    /// the run began, and what leaves the compiler in another state.
    pub fn new(
        compiled: &Compiled,
        reader: &UnitReader,
        sources: &Sources,
        preamble: &Preamble<'_>,
    ) -> Result<Record, Unfit> {
        let unit = preamble.unit;
        let tree = &reader.paths.tree;
        let texts = reader.input.texts();
        let absolute: Vec<PathBuf> = compiled.files.iter().map(|file| tree.absolute(file)).collect();
        for file in &absolute {
            let scan = sources.scans.get(file).ok_or_else(|| Unfit::Changed { file: file.clone() })?;
            if scan.leaks || scan.embeds || scan.open {
                return Err(Unfit::CompilerState { file: file.clone() });
            }
        }
        let stamps = StatCache::default();
        let digests: Vec<Option<Digest>> = absolute.par_iter().map(|file| digest(file, texts, &stamps)).collect();
        for (file, digest) in absolute.iter().zip(&digests) {
            let is_unchanged = || file.metadata().is_ok_and(|found| is_old(&found, sources.started));
            if digest.is_none() || text_of(file, texts).is_none() && !is_unchanged() {
                return Err(Unfit::Changed { file: file.clone() });
            }
        }
        let all: Vec<PathBuf> = absolute.iter().chain([&unit.file]).cloned().collect();
        let LookedFor { absent, links } = sources.looked_for(unit, &all).ok_or(Unfit::UnknownSearchPath)?;
        let (links, targets): (Vec<PathBuf>, Vec<PathBuf>) =
            links.into_iter().filter_map(|link| link.canonicalize().ok().map(|target| (link, target))).unzip();
        let digests: Vec<Digest> = digests.into_iter().flatten().collect();
        let mut digester = Digester::new();
        [&preamble.key].into_iter().chain(&digests).for_each(|digest| digester.update(digest.bytes()));
        let portable = |paths: Vec<PathBuf>| paths.iter().map(|path| tree.portable(path)).collect();
        Ok(Record {
            is_fit: true,
            pch: digester.finish(),
            files: compiled.files.clone(),
            digests,
            stamps: stamps.save(),
            absent: portable(absent),
            links: portable(links),
            targets: portable(targets),
            file_facts: compiled.file_facts.iter().map(SharedFileFacts::digest).collect(),
            summary: compiled.summary.clone(),
        })
    }

    /// The record under a key, if everything is as it was when the preamble was made.
    pub fn load(cache: &Cache, key: &Digest, reader: &UnitReader) -> Option<Record> {
        let record: Record = postcard::from_bytes(&cache.get(EntryKind::Precompiled, key)?).ok()?;
        record.is_current(reader).then_some(record)
    }

    fn is_current(&self, reader: &UnitReader) -> bool {
        let (tree, texts) = (&reader.paths.tree, reader.input.texts());
        let stamps = StatCache::restore(self.stamps.clone(), SavedStatCache::default());
        let is_same =
            |(file, known): (&PathBuf, &Digest)| digest(&tree.absolute(file), texts, &stamps).as_ref() == Some(known);
        let leads_there = |(link, target): (&PathBuf, &PathBuf)| {
            tree.absolute(link).canonicalize().is_ok_and(|found| found == tree.absolute(target))
        };
        self.files.len() == self.digests.len()
            && self.links.len() == self.targets.len()
            && self.files.par_iter().zip(&self.digests).with_min_len(64).all(is_same)
            && self.links.par_iter().zip(&self.targets).with_min_len(64).all(leads_there)
            && are_no_links(&self.files, tree)
            && are_absent(&self.absent, tree)
    }

    /// What the unit looked for when the preamble was made.
    pub fn looked_for(&self, tree: &Tree) -> LookedFor {
        let absolute = |paths: &[PathBuf]| paths.iter().map(|path| tree.absolute(path)).collect();
        LookedFor { absent: absolute(&self.absent), links: absolute(&self.links) }
    }

    /// The facts of the files; `None` if the cache has lost some.
    pub fn file_facts(&self, cache: &Cache) -> Option<Vec<SharedFileFacts>> {
        let load = |digest: &Digest| SharedFileFacts::from_bytes(*digest, &cache.get(EntryKind::FileFacts, digest)?);
        self.file_facts.iter().map(load).collect()
    }

    /// Stores this, with the facts if the cache does not have them. Of too many precompiled headers, the
    /// oldest are removed.
    pub fn store(&self, cache: &Cache, preamble: &Preamble<'_>, tree: &Tree, file_facts: &[SharedFileFacts]) {
        let Ok(bytes) = postcard::to_stdvec(self) else { return };
        cache.put(EntryKind::Precompiled, preamble.key, bytes);
        for facts in file_facts {
            if cache.get(EntryKind::FileFacts, &facts.digest()).is_none() {
                cache.put(EntryKind::FileFacts, facts.digest(), facts.to_bytes());
            }
        }
        let list = list_key(tree);
        let known =
            cache.get(EntryKind::Precompiled, &list).and_then(|bytes| postcard::from_bytes::<Kept>(&bytes).ok());
        let mut kept = known.unwrap_or_default().0;
        // An older one of the same unit is of no more use.
        let mut removed: Vec<Digest> =
            kept.extract_if(.., |(unit, _)| *unit == preamble.unit_key).map(|(_, pch)| pch).collect();
        match self.is_fit {
            true => kept.insert(0, (preamble.unit_key, self.pch)),
            false => removed.push(self.pch),
        }
        removed.retain(|pch| !self.is_fit || *pch != self.pch);
        removed.extend(kept.drain(MOST_PREAMBLES.min(kept.len())..).map(|(_, pch)| pch));
        removed.iter().for_each(|pch| cache.remove_file(pch));
        if let Ok(bytes) = postcard::to_stdvec(&Kept(kept)) {
            cache.put(EntryKind::Precompiled, list, bytes);
        }
    }
}

/// The key of the list of preambles of a tree.
fn list_key(tree: &Tree) -> Digest {
    let mut digester = Digester::new();
    digester.update(b"preambles");
    digester.update(tree.root.as_os_str().as_bytes());
    digester.finish()
}

/// Whether no directory of these files is a symbolic link, or below one: then the files have other
/// identities.
fn are_no_links(files: &[PathBuf], tree: &Tree) -> bool {
    let directories: BTreeSet<PathBuf> =
        files.iter().filter_map(|file| Some(tree.absolute(file).parent()?.to_path_buf())).collect();
    let is_identity = |directory: &PathBuf| directory.canonicalize().is_ok_and(|found| found == *directory);
    directories.into_iter().all(|directory| is_identity(&directory))
}

/// Whether there is nothing at any of some paths. Each directory is listed once.
fn are_absent(paths: &[PathBuf], tree: &Tree) -> bool {
    let mut directories: BTreeMap<PathBuf, Vec<&OsStr>> = BTreeMap::new();
    let absolute: Vec<PathBuf> = paths.iter().map(|path| tree.absolute(path)).collect();
    for path in &absolute {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return false };
        directories.entry(directory.to_path_buf()).or_default().push(name);
    }
    directories.into_par_iter().all(|(directory, names)| match list_directory(&directory) {
        Ok(Listing { names: found, .. }) => !names.into_iter().any(|name| found.contains(name)),
        Err(_) => names.into_iter().all(|name| directory.join(name).symlink_metadata().is_err()),
    })
}

/// The text in memory that stands for a file.
pub fn text_of<'t>(file: &Path, texts: &'t [UnsavedFile]) -> Option<&'t [u8]> {
    texts.iter().find(|text| text.is_at(file)).map(UnsavedFile::contents)
}

/// The digest of what the compiler gets for a file.
fn digest(file: &Path, texts: &[UnsavedFile], stamps: &StatCache) -> Option<Digest> {
    match text_of(file, texts) {
        Some(text) => Some(Digest::of(text)),
        None => stamps.digest_of_identity(file),
    }
}
