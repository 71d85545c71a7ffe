//! The caches that serve reading a tree, from the widest to the narrowest: what files looked like on the disk (for each checkout),
//! what each unit read and said (for each way of building a tree, wherever it is), and the linked program (for what its units
//! say).

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use cowrap_base::cache::{Cache, EntryKind, StatCache};
use cowrap_base::files::{Digest, Digester, Tree};
use cowrap_facts::{SCHEMA, SharedFileFacts, UnitFacts};
use cowrap_frontend::compdb::Unit;
use cowrap_frontend::unit_cache::{CachedUnit, SavedUnits, UnitCache, UnitInputs};
use cowrap_packs::Pack;

use crate::file_format::Words;
use crate::reading::{Origin, UnitReading};
use crate::session::Session;

/// What the cache has of a tree, compared with a snapshot.
pub(crate) struct Caches<'s> {
    pub(crate) cache: &'s Cache,
    /// The digest of all that facts depend on beside files and arguments.
    pub(crate) base: Digest,
    session: &'s Session<'s>,
    keys: Keys,
    stamps: StatCache,
    units: UnitCache<'s>,
}

impl<'s> Caches<'s> {
    /// Compares what is cached with the snapshot that a session has entered.
    pub(crate) fn open(cache: &'s Cache, session: &'s Session<'_>) -> Caches<'s> {
        let base = base(&session.clang, &session.pack);
        let keys = Keys::new(base, &session.tree);
        let (stamps, known) = rayon::join(
            || load(cache, &keys.stamps).map(|saved| StatCache::restore(saved, &session.tree)).unwrap_or_default(),
            || load::<SavedUnits>(cache, &keys.known).unwrap_or_default(),
        );
        let (sources, overlay) = (&session.entered.sources, session.entered.snapshot.overlay());
        let units =
            session.indexer.install(|| UnitCache::new(known, base, cache, &session.tree, &stamps, sources, overlay));
        Caches { cache, base, session, keys, stamps, units }
    }

    /// A unit that is cached as it is in the snapshot, and its facts without what its files say.
    pub(crate) fn find(&self, unit: &Unit) -> Option<(CachedUnit, UnitFacts)> {
        let found = self.units.find(unit)?;
        Some((found, self.units.outline(unit, found)?))
    }

    /// Decodes a cached unit's facts, for [`Caches::facts`].
    pub(crate) fn decode(&self, found: CachedUnit) {
        self.units.prepare(found);
    }

    /// The facts of a cached unit; `None` when they are lost.
    pub(crate) fn facts(&self, unit: &Unit, found: CachedUnit) -> Option<Vec<SharedFileFacts>> {
        Some(self.units.facts(unit, found)?.file_facts)
    }

    /// The files that a cached unit read, as facts name them.
    pub(crate) fn files(&self, found: CachedUnit) -> Vec<PathBuf> {
        self.units.files(found)
    }

    /// What tells the program of these units from all others; `None` when what the cache says of them is damaged.
    pub(crate) fn program_key(&self, readings: &[UnitReading]) -> Option<Digest> {
        let mut digester = Digester::new();
        digester.update(self.keys.known.bytes());
        // A program knows where its files are.
        digester.update(self.keys.stamps.bytes());
        for reading in readings {
            let digests = match (&reading.facts, &reading.origin) {
                (Err(_), _) => Vec::new(),
                (Ok(None), Origin::Cache(found)) => self.units.digests(*found)?,
                (Ok(pieces), _) => pieces.iter().flatten().map(SharedFileFacts::digest).collect(),
            };
            digester.update(&digests.iter().flat_map(|digest| *digest.bytes()).collect::<Vec<u8>>());
        }
        Some(digester.finish())
    }

    /// A value that was cached as a whole.
    pub(crate) fn load<T: DeserializeOwned>(&self, key: &Digest) -> Option<T> {
        load(self.cache, key)
    }

    /// Caches a value as a whole. What cannot be encoded is not cached.
    pub(crate) fn keep(&self, key: Digest, value: &impl Serialize) {
        if let Ok(bytes) = postcard::to_stdvec(value) {
            self.cache.put(EntryKind::Tree, key, bytes);
        }
    }

    /// Caches what was parsed. The result is all that was read and looked for, if all of it is known.
    ///
    /// Where headers are is looked up on the disk, so that a snapshot with files in other places teaches nothing.
    pub(crate) fn learn(self, numbers: &[usize], readings: &[UnitReading]) -> Option<(UnitInputs, StatCache)> {
        let Caches { cache, session, keys, stamps, units, .. } = self;
        if !session.entered.snapshot.has_disk_layout() {
            return None;
        }
        let (mut found, mut parsed) = (Vec::new(), Vec::new());
        for (number, reading) in numbers.iter().zip(readings) {
            match &reading.origin {
                Origin::Cache(cached) => found.push(*cached),
                Origin::Parser(Some(facts)) => parsed.push((&session.entered.units[*number], &**facts)),
                Origin::Parser(None) | Origin::Nowhere => {}
            }
        }
        let is_whole = found.len() + parsed.len() == session.entered.units.len();
        let mut consulted = is_whole.then(|| units.consulted(&found));
        if !parsed.is_empty() {
            let (sources, overlay) = (&session.entered.sources, session.entered.snapshot.overlay());
            let (known, more) = session.indexer.install(|| units.record(&parsed, &stamps, sources, overlay));
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
            && let Ok(bytes) = postcard::to_stdvec(&stamps.save(&session.tree))
        {
            cache.put(EntryKind::Tree, keys.stamps, bytes);
        }
        Some((consulted?, stamps))
    }
}

/// The keys of what is cached as a whole.
struct Keys {
    /// What files looked like, for a checkout.
    stamps: Digest,
    /// What is known of units, for a way of building, a pack, a libclang and a cowrap.
    known: Digest,
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
    // What cannot be encoded is as good as nothing: then all packs are one, and no pack has such words.
    digester.update(&postcard::to_stdvec(&Words::of(pack)).unwrap_or_default());
    digester.finish()
}
