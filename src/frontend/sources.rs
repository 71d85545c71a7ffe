//! The texts of a tree as one run finds them, and its header search.

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::compdb::Unit;
use crate::scan::{Names, Resolver, Scans, SearchPath, scan};
use cowrap_base::files::{Digest, normalize};

/// A file that was written so shortly before a run, or during it, may have been read in two states.
/// The times of files are as coarse as the kernel's clock: 10 ms at most.
const TOO_YOUNG: Duration = Duration::from_millis(20);

/// Whether a file was written long enough before `started` to be the same since then.
pub fn is_old(metadata: &Metadata, started: SystemTime) -> bool {
    let time = |seconds: u64, nanoseconds: u32| UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds));
    let (seconds, nanoseconds) = (u64::try_from(metadata.ctime()), u32::try_from(metadata.ctime_nsec()));
    let changed = seconds.ok().zip(nanoseconds.ok()).and_then(|(seconds, nanoseconds)| time(seconds, nanoseconds));
    changed.and_then(|changed| started.duration_since(changed).ok()).is_some_and(|age| age > TOO_YOUNG)
}

/// The texts of a tree, each read once, and its header search. Each run makes its own, since what
/// was seen of the disk is never looked at again.
#[derive(Debug)]
pub struct Sources {
    /// The texts.
    pub scans: Scans,
    /// Finds headers.
    pub resolver: Resolver,
    resource_directory: PathBuf,
    /// A time before anything was read.
    pub(super) started: SystemTime,
}

/// The digest of a text without comments. Texts with the same digest have the same tokens at the
/// same lines and columns.
pub fn normalized_digest(text: &[u8]) -> Digest {
    scan(text, &Names::default()).normalized
}

impl Sources {
    /// The texts on disk, except for those that are given by absolute path.
    pub fn new(resource_directory: &Path, texts: HashMap<PathBuf, Arc<Vec<u8>>>, started: SystemTime) -> Sources {
        let resource_directory = resource_directory.to_path_buf();
        Sources { scans: Scans::new(texts), resolver: Resolver::default(), resource_directory, started }
    }

    /// The header search path of a unit; `None` when it is not known.
    pub fn search_path(&self, unit: &Unit) -> Option<SearchPath> {
        SearchPath::new(&unit.arguments, &unit.directory, &self.resource_directory)
    }

    /// The paths that a unit with these files looks up in vain: absolute, each cut after its first
    /// missing component. `None` when they are not known. Also the paths that lead to files with
    /// another name.
    pub fn looked_for(&self, unit: &Unit, files: &[PathBuf]) -> Option<LookedFor> {
        let path = self.resolver.path(&self.search_path(unit)?);
        let known: BTreeSet<&Path> = files.iter().map(PathBuf::as_path).collect();
        let (mut absent, mut links) = (BTreeSet::new(), BTreeSet::new());
        for file in files {
            let scan = self.scans.get(file)?;
            let found = self.resolver.of_file(path, self.resolver.file(file), &scan);
            absent.extend(found.absent.iter().copied());
            links.extend(found.includes.iter().flatten().copied());
        }
        let absent = absent.into_iter().map(|id| self.resolver.path_of(id).to_path_buf()).collect();
        let links = links.into_iter().map(|id| self.resolver.path_of(id).to_path_buf());
        // The unit itself may be found through a symbolic link too.
        let main = normalize(&unit.directory.join(&unit.file));
        let links = links.chain([main]).filter(|link| !known.contains(link.as_path())).collect();
        Some(LookedFor { absent, links })
    }
}

/// The paths that a unit looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedFor {
    /// Missing paths.
    pub absent: Vec<PathBuf>,
    /// Existing paths that are none of the unit's files: symbolic links to these, or files that
    /// were not read.
    pub links: Vec<PathBuf>,
}
