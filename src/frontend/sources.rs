//! The texts of a tree as one run finds them, and its header search.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::compdb::Unit;
use crate::scan::{FileId, Include, IncludeKind, Names, Resolver, Scans, SearchPath, scan};
use cowrap_base::files::{Digest, ReadRefusal, normalize};

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
    /// The preambles that were used, by their units.
    preambles: Mutex<HashMap<UnitName, Arc<KnownPreamble>>>,
    /// A time before anything was read.
    pub(super) started: SystemTime,
}

/// What tells a unit from others: its file, its directory and its arguments.
type UnitName = (PathBuf, PathBuf, Arc<[OsString]>);

/// What the preamble of a unit read, and what it looked for: absolute paths.
#[derive(Debug)]
struct KnownPreamble {
    files: HashSet<PathBuf>,
    looked_for: LookedFor,
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
        let (scans, resolver, preambles) = (Scans::new(texts), Resolver::default(), Mutex::default());
        Sources { scans, resolver, resource_directory, preambles, started }
    }

    /// The same, reading at most so many bytes of each file.
    pub fn with_limit(self, source_bytes: u64) -> Sources {
        Sources { scans: self.scans.with_limit(source_bytes), ..self }
    }

    /// A file that a unit may read although it must not: it is no regular file, or longer than the
    /// limit. The first one as far as the texts say.
    ///
    /// Conditions are not decided, so the unit may not read it after all. Names that are macros are
    /// not looked up, and if the search path is not known, only files of the command line are.
    pub fn refused(&self, unit: &Unit) -> Option<(PathBuf, ReadRefusal)> {
        self.refused_beside(unit, &HashSet::new())
    }

    /// The same without looking at some files.
    pub fn refused_beside(&self, unit: &Unit, known: &HashSet<PathBuf>) -> Option<(PathBuf, ReadRefusal)> {
        let main = normalize(&unit.directory.join(&unit.file));
        let Some(path) = self.search_path(unit).map(|path| self.resolver.path(&path)) else {
            return self.refusal(&main);
        };
        // The compiler looks up the files that options include as if a file in its directory included
        // them.
        let includer = unit.directory.join("<command line>");
        let mut open = Vec::new();
        for (position, option) in unit.arguments.iter().enumerate() {
            if let Some(name) = included_by(option.as_bytes(), unit.arguments.get(position + 1)) {
                let include = Include {
                    name: name.to_vec(),
                    kind: IncludeKind::Quoted,
                    next: false,
                    line: 0,
                    conditional: false,
                    leading: false,
                    inside: false,
                };
                let found = self.resolver.resolve(path, &includer, &include);
                if let Some(refused) = found.irregular.iter().find_map(|path| self.refusal(path)) {
                    return Some(refused);
                }
                open.extend(found.file.map(|file| self.resolver.file(&file)));
            }
        }
        open.push(self.resolver.file(&main));
        let mut seen: HashSet<_> = open.iter().copied().collect();
        // The last one is taken first, so that the files are followed in their order.
        open.reverse();
        while let Some(file) = open.pop() {
            let at = self.resolver.path_of(file);
            let Some(scan) = self.scans.get(&at) else {
                match self.refusal(&at) {
                    Some(refused) => return Some(refused),
                    None => continue,
                }
            };
            let found = self.resolver.of_file(path, file, &scan);
            if let Some(refused) = found.irregular.iter().find_map(|id| self.refusal(&self.resolver.path_of(*id))) {
                return Some(refused);
            }
            let mut is_new = |file: &FileId| seen.insert(*file) && !known.contains(&*self.resolver.path_of(*file));
            open.extend(found.includes.iter().rev().flatten().copied().filter(&mut is_new));
        }
        None
    }

    /// Whether anything was come across so far that must not be read.
    pub fn has_refusals(&self) -> bool {
        self.scans.has_refusals() || self.resolver.has_irregular()
    }

    /// Why a file must not be read, if so.
    fn refusal(&self, path: &Path) -> Option<(PathBuf, ReadRefusal)> {
        let why = match self.scans.get(path) {
            Some(_) => return None,
            None => self.scans.refusal(path),
        };
        Some((path.to_path_buf(), why?))
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
        let preamble = self.preambles.lock().ok().and_then(|preambles| preambles.get(&unit_name(unit)).cloned());
        let is_in_preamble = |file: &&PathBuf| preamble.as_ref().is_some_and(|preamble| preamble.files.contains(*file));
        for file in files.iter().filter(|file| !is_in_preamble(file)) {
            let scan = self.scans.get(file)?;
            let found = self.resolver.of_file(path, self.resolver.file(file), &scan);
            absent.extend(found.absent.iter().copied());
            links.extend(found.includes.iter().flatten().copied());
        }
        let mut absent: BTreeSet<PathBuf> =
            absent.into_iter().map(|id| self.resolver.path_of(id).to_path_buf()).collect();
        let mut links: BTreeSet<PathBuf> =
            links.into_iter().map(|id| self.resolver.path_of(id).to_path_buf()).collect();
        if let Some(preamble) = &preamble {
            absent.extend(preamble.looked_for.absent.iter().cloned());
            links.extend(preamble.looked_for.links.iter().cloned());
        }
        // The unit itself may be found through a symbolic link too.
        let main = normalize(&unit.directory.join(&unit.file));
        let links = links.into_iter().chain([main]).filter(|link| !known.contains(link.as_path())).collect();
        Some(LookedFor { absent: absent.into_iter().collect(), links })
    }

    /// Notes what the preamble of a unit read and looked for, as an earlier run found out, so that
    /// [`Sources::looked_for`] need not.
    pub(crate) fn note_preamble(&self, unit: &Unit, files: HashSet<PathBuf>, looked_for: LookedFor) {
        if let Ok(mut preambles) = self.preambles.lock() {
            preambles.insert(unit_name(unit), Arc::new(KnownPreamble { files, looked_for }));
        }
    }
}

fn unit_name(unit: &Unit) -> UnitName {
    (unit.file.clone(), unit.directory.clone(), Arc::clone(&unit.arguments))
}

/// The name of the file that an option includes; `next` is the argument behind the option.
pub(crate) fn included_by<'a>(option: &'a [u8], next: Option<&'a OsString>) -> Option<&'a [u8]> {
    let next = next.map(|next| next.as_bytes());
    match option {
        b"-include" | b"--include" | b"-imacros" | b"--imacros" => next,
        _ => {
            let joined: [&[u8]; 4] = [b"--include=", b"--imacros=", b"-include", b"-imacros"];
            joined.iter().find_map(|prefix| option.strip_prefix(*prefix))
        }
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

#[cfg(test)]
mod tests {
    use cowrap_base::files::FileKind;

    use super::*;

    #[test]
    fn what_a_unit_must_not_read_is_found() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        std::fs::create_dir(root.join("directory.h")).unwrap();
        link("/dev/zero", "zero.h");
        link("/dev/null", "null.h");
        let refused = |text: &str, arguments: &[&str]| {
            std::fs::write(root.join("a.c"), text).unwrap();
            let sources = Sources::new(Path::new("/none"), HashMap::new(), SystemTime::now()).with_limit(90);
            let mut unit = crate::compdb::single(Path::new("a.c"), &root, &[]).unwrap();
            unit.arguments = arguments.iter().map(Into::into).collect();
            let (path, why) = sources.refused(&unit)?;
            Some((path.strip_prefix(&root).unwrap().display().to_string(), why))
        };
        let device = Some(("zero.h".to_owned(), ReadRefusal::NotRegular(FileKind::Device)));
        std::fs::write(root.join("b.h"), "#include \"zero.h\"\n").unwrap();
        std::fs::write(root.join("c.h"), [b'\n'; 91]).unwrap();
        assert_eq!(refused("#include \"null.h\"\n#include \"directory.h\"\n#include \"none.h\"\n", &[]), None);
        assert_eq!(refused("#include \"b.h\"\n", &[]), device);
        assert_eq!(refused("", &["-include", "b.h"]), device);
        assert_eq!(refused("", &["-include", "zero.h"]), device);
        assert_eq!(refused("#if __has_include(\"zero.h\")\n#endif\n", &[]), device);
        assert_eq!(
            refused("#include \"c.h\"\n#include \"b.h\"\n", &[]),
            Some(("c.h".to_owned(), ReadRefusal::TooLarge { most: 90 }))
        );
    }

    #[test]
    fn options_include_files_in_every_spelling() {
        let included = |option: &str, next: &str| {
            included_by(option.as_bytes(), Some(&OsString::from(next))).map(|name| String::from_utf8_lossy(name).into())
        };
        for option in ["-include", "--include", "-imacros", "--imacros"] {
            assert_eq!(included(option, "a.h"), Some("a.h".to_owned()), "{option}");
        }
        for option in ["-includea.h", "--include=a.h", "-imacrosa.h", "--imacros=a.h"] {
            assert_eq!(included(option, "b.h"), Some("a.h".to_owned()), "{option}");
        }
        for option in ["-I", "-isystem", "-iquote", "a.h"] {
            assert_eq!(included(option, "a.h"), None, "{option}");
        }
        assert_eq!(included_by(b"-include", None), None);
    }
}
