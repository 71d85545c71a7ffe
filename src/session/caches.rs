//! The caches that reading a tree uses.
//!
//! * The stat cache has the digests of files by their metadata, for each checkout.
//! * The unit cache has the files that each unit read, and its facts, for each way of building a
//!   tree. Checkouts share it. It also knows of which states of the tree a report is stored.
//! * The program cache has a linked program, which is updated with the facts that differ.
//! * Small entries have what opening a tree finds out: its database, its marks, the libclang in use.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use cowrap_analysis::program::SavedProgram;
use cowrap_base::cache::{Cache, CacheLocation, EntryKind, PathState, SavedStatCache, StatCache};
use cowrap_base::files::{Digest, Digester, Tree, normalize};
use cowrap_facts::{SCHEMA, SharedFileFacts};
use cowrap_frontend::clang::Library;
use cowrap_frontend::compdb::{self, Database};
use cowrap_frontend::environment;
use cowrap_frontend::marks::{MarkHeaders, SavedSearch, VisibleMarks, make_visible_again};
use cowrap_frontend::sources::is_old;
use cowrap_frontend::unit_cache::SavedUnits;
use cowrap_frontend::worker::LibraryInfo;
use cowrap_packs::PackSet;

use crate::Error;
use crate::file_format::PackNames;
use crate::index_file::counts_of;
use crate::request::{Input, Request};
use crate::session::open_cache;

/// How many paths may have changed since the stat cache was stored as a whole.
const MOST_NEWS: usize = 1000;

/// A cache, and what it knows about the files of one checkout.
pub(crate) struct Checkout {
    pub(crate) cache: Cache,
    pub(crate) stat_cache: StatCache,
    /// A time before anything was read.
    pub(crate) started: SystemTime,
    key: Digest,
    /// The name of the stored stat cache.
    stored: Option<[u8; 16]>,
}

/// The caches of a tree.
pub(crate) struct Caches {
    pub(crate) checkout: Checkout,
    /// The digest of everything that facts depend on, except files and arguments.
    pub(crate) base: Digest,
    pub(crate) units: SavedUnits,
    /// Whether `units` has something that is not stored yet.
    pub(crate) has_news: bool,
    units_key: Digest,
    program_key: Digest,
    /// The facts that were loaded.
    facts: Mutex<HashMap<Digest, SharedFileFacts>>,
}

/// A libclang, and the state of the library in which it was found.
#[derive(Serialize, Deserialize)]
struct StoredLibrary {
    /// The state of the library that is tried first, which may be unusable, and of the one in use.
    states: [PathState; 2],
    library: LibraryInfo,
}

impl Checkout {
    /// Opens the cache of a request. `None` if there is none, or it cannot be used.
    pub(crate) fn open(request: &Request, location: &CacheLocation, started: SystemTime) -> Option<Checkout> {
        let cache = open_cache(request, location)?;
        let place = match &request.input {
            Input::Database(explicit) => compdb::find(&request.working_directory, explicit.as_deref()).ok(),
            Input::Files { .. } | Input::Index(_) => None,
        };
        let place = place.and_then(|place| place.canonicalize().ok()).unwrap_or(request.working_directory.clone());
        let key = key_of(&[b"stat cache", env!("COWRAP_BUILD").as_bytes(), place.as_os_str().as_bytes()]);
        let layers = cache.layers(&key);
        let stored = layers.as_ref().and_then(|layers| {
            let whole: SavedStatCache = postcard::from_bytes(layers.whole()).ok()?;
            let news = layers.change().and_then(|change| postcard::from_bytes(change).ok()).unwrap_or_default();
            Some((layers.name, StatCache::restore(whole, news)))
        });
        let (stored, stat_cache) = match stored {
            Some((name, stat_cache)) => (Some(name), stat_cache),
            None => (None, StatCache::default()),
        };
        Some(Checkout { cache, stat_cache, started, key, stored })
    }

    /// The libclang that an earlier run used, if the library is unchanged.
    pub(crate) fn library(&self) -> Option<LibraryInfo> {
        let path = Library::first_candidate()?.canonicalize().ok()?;
        let stored: StoredLibrary =
            postcard::from_bytes(&self.cache.get(EntryKind::Change, &library_key(&path))?).ok()?;
        (self.states_of(&path, &stored.library)? == stored.states).then_some(stored.library)
    }

    fn states_of(&self, first: &Path, library: &LibraryInfo) -> Option<[PathState; 2]> {
        Some([self.stat_cache.state(first)?, self.stat_cache.state(&library.path().canonicalize().ok()?)?])
    }

    /// Stores the libclang in use.
    pub(crate) fn store_library(&self, library: &LibraryInfo) {
        let store = || {
            let path = Library::first_candidate()?.canonicalize().ok()?;
            let states = self.states_of(&path, library)?;
            let stored = StoredLibrary { states, library: library.clone() };
            let is_certain = self.is_old(&path) && self.is_old(library.path());
            is_certain.then(|| self.store(EntryKind::Change, library_key(&path), &stored))?;
            Some(())
        };
        store();
    }

    /// Reads a compilation database.
    ///
    /// # Errors
    ///
    /// Those of [`compdb::read`].
    pub(crate) fn database(&self, json: &Path, most: usize) -> Result<Database, Error> {
        let path = normalize(&std::path::absolute(json).unwrap_or_else(|_| json.to_path_buf()));
        let key = self.stat_cache.digest(&path).map(|content| {
            let (path, most) = (path.as_os_str().as_bytes(), most.to_le_bytes());
            key_of(&[b"database", env!("COWRAP_BUILD").as_bytes(), path, &most, content.bytes()])
        });
        if let Some(bytes) = key.and_then(|key| self.cache.get(EntryKind::Tree, &key))
            && let Some(database) = Database::from_bytes(path.clone(), &bytes)
        {
            return Ok(database);
        }
        let database = compdb::read(json, most)?;
        if let Some(key) = key.filter(|_| self.is_old(&path))
            && let Some(bytes) = database.to_bytes()
        {
            self.cache.put(EntryKind::Tree, key, bytes);
        }
        Ok(database)
    }

    /// Searches a tree for marks.
    pub(crate) fn make_visible(&self, tree: &Tree, marks: &MarkHeaders, packs: Digest) -> VisibleMarks {
        let key = key_of(&[b"marks", self.key.bytes(), tree.root.as_os_str().as_bytes(), packs.bytes()]);
        let earlier = self.load::<SavedSearch>(EntryKind::Tree, &key);
        let (visible, search) = make_visible_again(&tree.root, marks, earlier, &self.stat_cache, self.started);
        if let Some(search) = search {
            self.store(EntryKind::Tree, key, &search);
        }
        visible
    }

    /// The digest of everything in packs, and in the settings that are added to them.
    pub(crate) fn digest_of_packs(&self, packs: &PackSet, request: &Request) -> Digest {
        let mut digester = Digester::new();
        digester.update(env!("COWRAP_BUILD").as_bytes());
        digester.update(request.settings.text.as_bytes());
        for pack in packs.packs() {
            digester.update(pack.name.as_bytes());
            digester.update(pack.origin.as_os_str().as_bytes());
            for file in files_of(pack, request) {
                let digest = self.stat_cache.digest(&file);
                digester.update(digest.as_ref().map_or(&[], |digest| digest.bytes().as_slice()));
            }
        }
        digester.finish()
    }

    /// Looks at every path again when it is asked for next.
    pub(crate) fn look_again(&mut self) {
        self.started = SystemTime::now();
        self.stat_cache.look_again();
    }

    /// Whether a file has not been written since the run started.
    pub(crate) fn is_old(&self, file: &Path) -> bool {
        file.metadata().is_ok_and(|metadata| is_old(&metadata, self.started))
    }

    /// The key of the texts without comments for cowrap.
    pub(crate) fn key_of_comments(&self) -> Digest {
        key_of(&[b"texts without comments", self.key.bytes()])
    }

    /// Stores what the stat cache has learned.
    fn store_stat_cache(&mut self) {
        if !self.stat_cache.has_news() {
            return;
        }
        let news = self.stat_cache.save_news();
        match self.stored.filter(|_| news.len() <= MOST_NEWS) {
            Some(name) => {
                if let Ok(bytes) = postcard::to_stdvec(&news) {
                    self.cache.put_change(self.key, name, &bytes);
                    self.stat_cache.is_saved();
                }
            }
            None => {
                if let Ok(bytes) = postcard::to_stdvec(&self.stat_cache.save()) {
                    self.stored = Some(self.cache.put_whole(self.key, &bytes));
                    self.stat_cache.is_saved_whole();
                }
            }
        }
    }

    fn load<T: DeserializeOwned>(&self, kind: EntryKind, key: &Digest) -> Option<T> {
        postcard::from_bytes(&self.cache.get(kind, key)?).ok()
    }

    /// Stores a value as one entry. A value that cannot be encoded is not stored.
    fn store(&self, kind: EntryKind, key: Digest, value: &impl Serialize) {
        if let Ok(bytes) = postcard::to_stdvec(value) {
            self.cache.put(kind, key, bytes);
        }
    }
}

/// The unit cache of a tree, as it is stored.
pub(crate) struct LoadedUnits {
    base: Digest,
    key: Digest,
    program_key: Digest,
    units: SavedUnits,
}

impl LoadedUnits {
    /// Loads the unit cache of a tree.
    pub(crate) fn load(checkout: &Checkout, library: &LibraryInfo, packs: &PackSet, tree: &Tree) -> LoadedUnits {
        let base = base(&library.version, packs);
        let build = tree.build.as_deref().map(|build| tree.portable(build)).unwrap_or_default();
        let key = key_of(&[b"units", base.bytes(), build.as_os_str().as_bytes()]);
        let layers = checkout.cache.layers(&key);
        let units = layers.and_then(|layers| SavedUnits::load(&layers)).unwrap_or_default();
        // A program has absolute paths, so it belongs to one checkout. Its units and their facts do not tell which.
        let places = [Some(&tree.root), tree.build.as_ref()]
            .map(|place| place.map(|place| place.as_os_str().as_bytes()).unwrap_or_default());
        let program_key = key_of(&[b"program", key.bytes(), checkout.key.bytes(), places[0], places[1]]);
        LoadedUnits { base, key, program_key, units }
    }
}

impl Caches {
    /// The caches of a tree.
    pub(crate) fn new(checkout: Checkout, loaded: LoadedUnits) -> Caches {
        let LoadedUnits { base, key, program_key, units } = loaded;
        Caches { checkout, base, units, has_news: false, units_key: key, program_key, facts: Mutex::default() }
    }

    /// The facts of a file; `None` if the cache has lost them.
    pub(crate) fn facts(&self, digest: &Digest) -> Option<SharedFileFacts> {
        let known = |facts: &HashMap<Digest, SharedFileFacts>| facts.get(digest).cloned();
        if let Some(facts) = known(&self.facts.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Some(facts);
        }
        let bytes = self.checkout.cache.get(EntryKind::FileFacts, digest)?;
        let facts = SharedFileFacts::from_bytes(*digest, &bytes)?;
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).insert(*digest, facts.clone());
        Some(facts)
    }

    /// Frees the facts that were loaded.
    pub(crate) fn forget_facts(&mut self) {
        *self.facts.get_mut().unwrap_or_else(PoisonError::into_inner) = HashMap::new();
    }

    /// The stored program.
    pub(crate) fn program(&self, packs: &PackSet) -> Option<SavedProgram> {
        let program: SavedProgram = self.checkout.load(EntryKind::Tree, &self.program_key)?;
        program.is_consistent(counts_of(packs)).then_some(program)
    }

    /// Stores a program, for later runs to update.
    pub(crate) fn store_program(&self, program: &SavedProgram) {
        self.checkout.store(EntryKind::Tree, self.program_key, program);
    }

    /// Writes everything new to the disk. The result is the reason if that fails. A comparison with a snapshot stays
    /// valid.
    pub(crate) fn flush(&mut self) -> Option<String> {
        if std::mem::take(&mut self.has_news) {
            self.units.store(&self.checkout.cache, self.units_key);
        }
        self.checkout.store_stat_cache();
        self.checkout.cache.flush().err().map(|error| error.to_string())
    }
}

/// The files of a pack, absolute.
pub(crate) fn files_of<'p>(
    pack: &'p cowrap_packs::Pack,
    request: &'p Request,
) -> impl Iterator<Item = PathBuf> + use<'p> {
    pack.files.iter().map(|file| request.working_directory.join(file))
}

/// The key of the libclang that is found with this library first.
fn library_key(path: &Path) -> Digest {
    let mut digester = Digester::new();
    digester.update(b"library");
    digester.update(env!("COWRAP_BUILD").as_bytes());
    digester.update(path.as_os_str().as_bytes());
    environment::add_to(&mut digester);
    digester.finish()
}

fn key_of(parts: &[&[u8]]) -> Digest {
    let mut digester = Digester::new();
    parts.iter().for_each(|part| digester.update(part));
    digester.finish()
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
