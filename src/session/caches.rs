//! The caches that reading a tree uses.
//!
//! * The stat cache has the digests of files by their metadata, for each checkout.
//! * The unit cache has the files that each unit read, and its facts, for each way of building a
//!   tree. Checkouts share it.
//! * The program cache has the linked program, for the facts of its units.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use cowrap_base::cache::{Cache, EntryKind, StatCache};
use cowrap_base::files::{Digest, Digester, Tree};
use cowrap_facts::{SCHEMA, SharedFileFacts, UnitFacts};
use cowrap_frontend::compdb::Unit;
use cowrap_frontend::environment;
use cowrap_frontend::unit_cache::{CachedUnit, SavedUnits, UnitCache, UnitInputs};
use cowrap_packs::PackSet;

use crate::file_format::PackNames;
use crate::session::Session;
use crate::units::{Origin, UnitResult};

/// The caches of a tree, compared with a snapshot.
pub(crate) struct Caches<'s> {
    pub(crate) cache: &'s Cache,
    /// The digest of everything that facts depend on, except files and arguments.
    pub(crate) base: Digest,
    session: &'s Session<'s>,
    keys: Keys,
    stat_cache: StatCache,
    units: UnitCache<'s>,
}

/// The files that a program was made from.
pub(crate) struct FilesRead {
    /// The files that its units read and looked for.
    pub(crate) inputs: UnitInputs,
    /// The digests of these files.
    pub(crate) stat_cache: StatCache,
}

impl<'s> Caches<'s> {
    /// Opens the caches for the current snapshot of a session.
    pub(crate) fn open(cache: &'s Cache, session: &'s Session<'_>) -> Caches<'s> {
        let base = base(&session.library.version, &session.packs);
        let keys = Keys::new(base, &session.tree);
        let (stat_cache, saved) = rayon::join(
            || load(cache, &keys.stat_cache).map(|saved| StatCache::restore(saved, &session.tree)).unwrap_or_default(),
            || load::<SavedUnits>(cache, &keys.units).unwrap_or_default(),
        );
        let (sources, overlay) = (&session.current.sources, session.current.snapshot.overlay());
        let units = session
            .indexer
            .install(|| UnitCache::new(saved, base, cache, &session.tree, &stat_cache, sources, overlay));
        Caches { cache, base, session, keys, stat_cache, units }
    }

    /// A unit whose files are in the snapshot as they were when it was cached, and its facts
    /// without those of its files.
    pub(crate) fn find(&self, unit: &Unit) -> Option<(CachedUnit, UnitFacts)> {
        let cached = self.units.find(unit)?;
        Some((cached, self.units.outline(unit, cached)?))
    }

    /// Decodes a cached unit's facts, so that [`Caches::facts`] is fast.
    pub(crate) fn decode(&self, cached: CachedUnit) {
        self.units.prepare(cached);
    }

    /// The facts of a cached unit; `None` if the cache has lost them.
    pub(crate) fn facts(&self, unit: &Unit, cached: CachedUnit) -> Option<Vec<SharedFileFacts>> {
        Some(self.units.facts(unit, cached)?.file_facts)
    }

    /// The files that a cached unit read, as facts name them.
    pub(crate) fn files(&self, cached: CachedUnit) -> Vec<PathBuf> {
        self.units.files(cached)
    }

    /// The key of the program of these units; `None` if the cache is damaged.
    pub(crate) fn program_key(&self, results: &[UnitResult]) -> Option<Digest> {
        let mut digester = Digester::new();
        digester.update(self.keys.units.bytes());
        // A program has absolute paths, so it belongs to one checkout.
        digester.update(self.keys.stat_cache.bytes());
        for result in results {
            let digests = match (&result.facts, &result.origin) {
                (Err(_), _) => Vec::new(),
                (Ok(None), Origin::Cache(cached)) => self.units.digests(*cached)?,
                (Ok(facts), _) => facts.iter().flatten().map(SharedFileFacts::digest).collect(),
            };
            digester.update(&digests.iter().flat_map(|digest| *digest.bytes()).collect::<Vec<u8>>());
        }
        Some(digester.finish())
    }

    /// Loads a value that [`Caches::store`] stored.
    pub(crate) fn load<T: DeserializeOwned>(&self, key: &Digest) -> Option<T> {
        load(self.cache, key)
    }

    /// Stores a value as one entry. A value that cannot be encoded is not stored.
    pub(crate) fn store(&self, key: Digest, value: &impl Serialize) {
        if let Ok(bytes) = postcard::to_stdvec(value) {
            self.cache.put(EntryKind::Tree, key, bytes);
        }
    }

    /// Stores the units that were parsed. The result is the files that all units read, if they are
    /// known.
    ///
    /// Headers are looked up on the disk. So units of a snapshot that has other files than the disk
    /// are not stored.
    pub(crate) fn record(self, numbers: &[usize], results: &[UnitResult]) -> Option<FilesRead> {
        let Caches { cache, session, keys, stat_cache, units, .. } = self;
        if !session.current.snapshot.has_disk_layout() {
            return None;
        }
        let (mut cached, mut parsed) = (Vec::new(), Vec::new());
        for (number, result) in numbers.iter().zip(results) {
            match &result.origin {
                Origin::Cache(unit) => cached.push(*unit),
                Origin::Parser(Some(facts)) => parsed.push((&session.current.units[*number], &**facts)),
                Origin::Parser(None) | Origin::Nowhere => {}
            }
        }
        let is_whole = cached.len() + parsed.len() == session.current.units.len();
        let mut inputs = is_whole.then(|| units.consulted(&cached));
        if !parsed.is_empty() {
            let (sources, overlay) = (&session.current.sources, session.current.snapshot.overlay());
            let (saved, more) = session.indexer.install(|| units.record(&parsed, &stat_cache, sources, overlay));
            inputs = inputs.zip(more).map(|(mut all, more)| {
                all.files.extend(more.files);
                all.absent.extend(more.absent);
                all.links.extend(more.links);
                all
            });
            if let Ok(bytes) = postcard::to_stdvec(&saved) {
                cache.put(EntryKind::Tree, keys.units, bytes);
            }
        }
        if stat_cache.has_news()
            && let Ok(bytes) = postcard::to_stdvec(&stat_cache.save(&session.tree))
        {
            cache.put(EntryKind::Tree, keys.stat_cache, bytes);
        }
        Some(FilesRead { inputs: inputs?, stat_cache })
    }
}

/// The keys of a tree's entries.
struct Keys {
    /// The stat cache of a checkout.
    stat_cache: Digest,
    /// The unit cache, for a build directory, packs, a libclang and a build of cowrap.
    units: Digest,
}

impl Keys {
    fn new(base: Digest, tree: &Tree) -> Keys {
        let key = |parts: &[&[u8]]| {
            let mut digester = Digester::new();
            parts.iter().for_each(|part| digester.update(part));
            digester.finish()
        };
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let build = tree.build.as_deref();
        let relative = build.map(|build| bytes(&tree.portable(build))).unwrap_or_default();
        let (root, absolute) = (bytes(&tree.root), build.map(bytes).unwrap_or_default());
        Keys { stat_cache: key(&[b"stat cache", &root, &absolute]), units: key(&[b"units", base.bytes(), &relative]) }
    }
}

fn load<T: DeserializeOwned>(cache: &Cache, key: &Digest) -> Option<T> {
    postcard::from_bytes(&cache.get(EntryKind::Tree, key)?).ok()
}

/// The digest of everything that facts depend on, except files and arguments.
fn base(clang: &str, packs: &PackSet) -> Digest {
    let mut digester = Digester::new();
    for part in [env!("COWRAP_BUILD"), env!("CARGO_PKG_VERSION"), &SCHEMA.to_string(), clang] {
        digester.update(part.as_bytes());
    }
    environment::add_to(&mut digester);
    // Names of packs can always be encoded.
    digester.update(&postcard::to_stdvec(&PackNames::of(packs)).unwrap_or_default());
    digester.finish()
}
