//! The texts of a tree as a run finds them, and where its headers are.

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::compdb::Unit;
use crate::scan::{Names, Resolver, Scans, SearchPath, scan};
use cowrap_base::files::{Digest, normalize};

/// A file that was written so shortly before a run, or in it, is not believed to have been the same for all of it. Times of
/// files are as coarse as the kernel's clock: 10 ms at most.
const TOO_YOUNG: Duration = Duration::from_millis(20);

/// Whether a file was written so long before something started that it is the same since then.
pub fn is_old(metadata: &Metadata, started: SystemTime) -> bool {
    let time = |seconds: u64, nanoseconds: u32| UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds));
    let (seconds, nanoseconds) = (u64::try_from(metadata.ctime()), u32::try_from(metadata.ctime_nsec()));
    let changed = seconds.ok().zip(nanoseconds.ok()).and_then(|(seconds, nanoseconds)| time(seconds, nanoseconds));
    changed.and_then(|changed| started.duration_since(changed).ok()).is_some_and(|age| age > TOO_YOUNG)
}

/// The texts of a tree, each read once, and where headers are found. What it has seen of the disk it takes to be so from
/// then on: there is one for each run.
#[derive(Debug)]
pub struct Sources {
    /// The texts.
    pub scans: Scans,
    /// Where headers are found.
    pub resolver: Resolver,
    resource_directory: PathBuf,
    /// When nothing was looked at yet.
    pub(super) started: SystemTime,
}

/// The digest of what is left of a text without comments: texts of one form say the same at the same lines and columns.
pub fn normalized_digest(text: &[u8]) -> Digest {
    scan(text, &Names::default()).normalized
}

impl Sources {
    /// Those on the disk, but for texts that are given by their absolute paths.
    pub fn new(resource_directory: &Path, texts: HashMap<PathBuf, Arc<Vec<u8>>>) -> Sources {
        let resource_directory = resource_directory.to_path_buf();
        let started = SystemTime::now();
        Sources { scans: Scans::new(texts), resolver: Resolver::default(), resource_directory, started }
    }

    /// Where a unit's headers are looked for; `None` when that is not known.
    pub fn search_path(&self, unit: &Unit) -> Option<SearchPath> {
        SearchPath::new(&unit.arguments, &unit.directory, &self.resource_directory)
    }

    /// What a unit looked for in vain, when it read these files: absolute paths, each cut after its first component that is not
    /// there. `None` when it is not known.
    ///
    /// Also the paths by which files were found that are called otherwise, with what these files are called.
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
        // The unit itself may be found by way of a link, too.
        let main = normalize(&unit.directory.join(&unit.file));
        let links = links.chain([main]).filter(|link| !known.contains(link.as_path())).collect();
        Some(LookedFor { absent, links })
    }
}

/// What a unit looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedFor {
    /// What was not there.
    pub absent: Vec<PathBuf>,
    /// Paths that were there, and are none of the unit's files: symbolic links lead to these, or they were not read.
    pub links: Vec<PathBuf>,
}
