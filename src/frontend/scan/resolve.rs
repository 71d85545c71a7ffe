//! Header search: which file an `#include` finds, and the paths that it looks up in vain.
//!
//! Facts about clang are from clang 19's `HeaderSearch.cpp`, `InitHeaderSearch.cpp`
//! (`RemoveDuplicates`) and `PPDirectives.cpp`.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::memo::Memo;
use super::search_path::SearchPath;
use super::{Include, IncludeKind, Name, Names, Scan};
use cowrap_base::files::normalize;

/// A path of a file or of a missing file: absolute, without `.` and `..`. Ids of one [`Resolver`]
/// are equal if the paths are. Their order means nothing, and differs from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A search path of one [`Resolver`]. Equal ones have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u32);

/// What one `#include` finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncludeTarget {
    /// The file; `None` if there is none, or if its name is computed.
    pub file: Option<PathBuf>,
    /// The missing paths that were looked up before, each cut after its first missing component; in
    /// the order of the search, each once.
    pub absent: Vec<PathBuf>,
    /// The paths at which the search came across something that is neither a file nor a directory.
    pub irregular: Vec<PathBuf>,
}

/// What all directives of a file find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// For each of [`Scan::includes`], the file.
    pub includes: Vec<Option<FileId>>,
    /// For each of [`Scan::probes`], the file.
    pub probes: Vec<Option<FileId>>,
    /// The missing paths of all of them, sorted, each once; see [`IncludeTarget::absent`].
    pub absent: Vec<FileId>,
    /// The paths at which a search came across something that is neither a file nor a directory,
    /// such as a pipe; sorted, each once. A compiler would open it.
    pub irregular: Vec<FileId>,
}

/// Finds headers. It looks at each path on disk once, so each run makes its own.
#[derive(Debug, Default)]
pub struct Resolver {
    /// Files that count as existing.
    texts: HashSet<PathBuf>,
    files: Mutex<FileTable>,
    /// The names of headers.
    names: Names,
    paths: Mutex<SearchPaths>,
    /// By paths as texts, which are quicker to compare.
    directories: Memo<OsString, Arc<Directory>>,
    besides: Memo<FileId, Arc<Beside>>,
    searched: Memo<SearchKey, Arc<Searched>>,
    resolved: Memo<(PathId, FileId), Arc<Resolved>>,
    has_irregular: AtomicBool,
}

#[derive(Debug, Default)]
struct FileTable {
    numbers: FxHashMap<OsString, u32>,
    paths: Vec<Arc<Path>>,
}

#[derive(Debug, Default)]
struct SearchPaths {
    numbers: FxHashMap<SearchPath, PathId>,
    known: Vec<Arc<Directories>>,
}

/// A search path as a compiler takes it.
#[derive(Debug)]
struct Directories {
    all: Vec<Arc<Directory>>,
    /// The number of directories for names in quotes only.
    quoted: usize,
}

/// For a file's directives, includes first: the part of the search that does not depend on the
/// search path.
#[derive(Debug)]
struct Beside(Vec<(Name, Searched)>);

/// A search path, where the search begins in it, and the name that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SearchKey {
    path: PathId,
    from: usize,
    name: Name,
}

/// The result of a search.
#[derive(Clone, Debug, Default)]
struct Searched {
    file: Option<FileId>,
    absent: Vec<FileId>,
    irregular: Vec<FileId>,
}

#[derive(Debug)]
struct Directory {
    /// The path in the names of its files: without `.` and `..`.
    path: PathBuf,
    content: Content,
    /// The device and the inode, if it exists.
    identity: Option<(u64, u64)>,
}

#[derive(Debug)]
enum Content {
    /// The directory is missing; the path to its first missing component.
    Absent(FileId),
    /// The names in it, and what each is.
    Names(FxHashMap<OsString, Entry>),
    /// It exists, but cannot be listed.
    Unlisted,
}

/// What a name in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    File,
    Directory,
    /// Neither.
    Irregular,
}

/// What is at a path.
enum At {
    File(FileId),
    /// Nothing; the path to the first missing component.
    Absent(FileId),
    /// A directory, which a search skips.
    Directory,
    /// Neither a file nor a directory.
    Irregular(FileId),
}

impl FileId {
    /// The number, for tables that are indexed by files: they count from 0 without gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl PathId {
    /// The number, for tables that are indexed by search paths: they count from 0 without gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Default for Content {
    fn default() -> Self {
        Content::Names(FxHashMap::default())
    }
}

impl Resolver {
    /// A resolver for which these files exist, whatever is on disk: the absolute paths of texts in
    /// memory.
    pub fn new(texts: impl IntoIterator<Item = PathBuf>) -> Resolver {
        Resolver { texts: texts.into_iter().collect(), ..Resolver::default() }
    }

    /// Whether a search came across something that is neither a file nor a directory.
    pub fn has_irregular(&self) -> bool {
        self.has_irregular.load(Ordering::Relaxed)
    }

    /// The id of a path, which should be absolute and normal.
    pub fn file(&self, path: &Path) -> FileId {
        let mut files = lock(&self.files);
        if let Some(number) = files.numbers.get(path.as_os_str()) {
            return FileId(*number);
        }
        let number = files.paths.len() as u32;
        files.paths.push(Arc::from(path));
        files.numbers.insert(path.as_os_str().to_owned(), number);
        FileId(number)
    }

    /// The path of an id; empty for one of another resolver.
    pub fn path_of(&self, file: FileId) -> Arc<Path> {
        let known = lock(&self.files).paths.get(file.index()).cloned();
        known.unwrap_or_else(|| Arc::from(Path::new("")))
    }

    /// The id of a search path.
    pub fn path(&self, path: &SearchPath) -> PathId {
        if let Some(id) = lock(&self.paths).numbers.get(path) {
            return *id;
        }
        let directories = Arc::new(self.directories_of(path));
        let mut paths = lock(&self.paths);
        let next = PathId(paths.known.len() as u32);
        let id = *paths.numbers.entry(path.clone()).or_insert(next);
        if id == next {
            paths.known.push(directories);
        }
        id
    }

    /// What an `#include` in the file `includer` finds. The includer's path is taken as it is.
    ///
    /// For `#include_next` the search begins behind the directory in which the includer was found.
    /// That is taken to be the directory in which the same name leads to the includer, or the first
    /// one above it. If there is none, the search is that of `#include`. A compiler knows the
    /// directory, and also searches so in a file that it found beside another one.
    pub fn resolve(&self, path: PathId, includer: &Path, include: &Include) -> IncludeTarget {
        let beside = self.beside(&self.directory(includer.parent().unwrap_or(Path::new("/"))), include);
        let Searched { file, absent, irregular } = self.search(path, includer, include, &beside, false);
        let path_of = |file: FileId| self.path_of(file).to_path_buf();
        let mut seen = HashSet::new();
        let absent = absent.into_iter().filter(|absent| seen.insert(*absent)).map(path_of).collect();
        let irregular = irregular.into_iter().map(path_of).collect();
        IncludeTarget { file: file.map(path_of), absent, irregular }
    }

    /// What all directives of a file find. `scan` is the file's scan.
    pub fn of_file(&self, path: PathId, file: FileId, scan: &Scan) -> Arc<Resolved> {
        self.resolved.get(&(path, file), || {
            let includer = self.path_of(file);
            let all = || scan.includes.iter().chain(&scan.probes);
            let besides = self.besides.get(&file, || {
                let directory = self.directory(includer.parent().unwrap_or(Path::new("/")));
                Arc::new(Beside(all().map(|include| self.beside(&directory, include)).collect()))
            });
            let (mut absent, mut irregular) = (Vec::new(), Vec::new());
            let mut found: Vec<Option<FileId>> = Vec::with_capacity(besides.0.len());
            for (include, beside) in all().zip(&besides.0) {
                let asks = found.len() >= scan.includes.len();
                let searched = self.search(path, &includer, include, beside, asks);
                absent.extend(searched.absent);
                irregular.extend(searched.irregular);
                found.push(searched.file);
            }
            absent.sort_unstable();
            absent.dedup();
            absent.shrink_to_fit();
            irregular.sort_unstable();
            irregular.dedup();
            let probes = found.split_off(scan.includes.len().min(found.len()));
            Arc::new(Resolved { includes: found, probes, absent, irregular })
        })
    }

    /// What an include finds in the directory of the includer, whether it looks there or not.
    fn beside(&self, directory: &Directory, include: &Include) -> (Name, Searched) {
        let mut searched = Searched::default();
        if is_name(include) {
            self.look_into(directory, Path::new(OsStr::from_bytes(&include.name)), &mut searched);
        }
        (self.names.intern(&include.name), searched)
    }

    /// What an include finds; `asks` is true for `__has_include`.
    fn search(
        &self,
        path: PathId,
        includer: &Path,
        include: &Include,
        (number, beside): &(Name, Searched),
        asks: bool,
    ) -> Searched {
        let directories = lock(&self.paths).known.get(path.0 as usize).cloned();
        let Some(directories) = directories.filter(|_| is_name(include)) else { return Searched::default() };
        let name = Path::new(OsStr::from_bytes(&include.name));
        if name.is_absolute() {
            return beside.clone();
        }
        let behind = if include.next { position(&directories, includer, name) } else { None };
        let quoted = include.kind == IncludeKind::Quoted;
        let mut searched = Searched::default();
        if quoted && behind.is_none() {
            searched = beside.clone();
            if searched.file.is_some() {
                return searched;
            }
        }
        let begin = if quoted { 0 } else { directories.quoted };
        let key = SearchKey { path, from: behind.map_or(begin, |position| position + 1), name: *number };
        let rest = self.searched.get(&key, || {
            let mut rest = Searched::default();
            self.look_through(&directories.all[key.from.min(directories.all.len())..], name, &mut rest);
            Arc::new(rest)
        });
        searched.file = rest.file;
        searched.absent.extend_from_slice(&rest.absent);
        searched.irregular.extend_from_slice(&rest.irregular);
        // A name in `<` and `>` that is only found as one in quotes is an error, but found (clang's
        // `Preprocessor::LookupHeaderIncludeOrImport`).
        if searched.file.is_none() && !quoted && behind.is_none() && !asks {
            searched.file = beside.file;
            searched.absent.extend_from_slice(&beside.absent);
            searched.irregular.extend_from_slice(&beside.irregular);
            if searched.file.is_none() {
                self.look_through(&directories.all[..directories.quoted], name, &mut searched);
            }
        }
        searched
    }

    /// Looks up a name in directories until it is found.
    fn look_through(&self, directories: &[Arc<Directory>], name: &Path, searched: &mut Searched) {
        for directory in directories {
            self.look_into(directory, name, searched);
            if searched.file.is_some() {
                return;
            }
        }
    }

    fn look_into(&self, directory: &Directory, name: &Path, searched: &mut Searched) {
        match self.at(directory, name) {
            At::File(file) => searched.file = Some(file),
            At::Absent(absent) => searched.absent.push(absent),
            At::Irregular(irregular) => {
                self.has_irregular.store(true, Ordering::Relaxed);
                searched.irregular.push(irregular);
            }
            At::Directory => {}
        }
    }

    /// What is at a name, which has a last component, in a directory.
    fn at(&self, directory: &Directory, name: &Path) -> At {
        if !self.texts.is_empty() {
            let path = normalize(&directory.path.join(name));
            if self.texts.contains(&path) {
                return At::File(self.file(&path));
            }
        }
        if name.is_absolute() {
            return self
                .at(&self.directory(name.parent().unwrap_or(name)), Path::new(name.file_name().unwrap_or_default()));
        }
        if let Content::Absent(absent) = &directory.content {
            return At::Absent(*absent);
        }
        let inner;
        let (directory, last) = match (name.parent(), name.file_name()) {
            (Some(parent), Some(last)) if !parent.as_os_str().is_empty() => {
                inner = self.directory(&directory.path.join(parent));
                (&*inner, last)
            }
            (_, last) => (directory, last.unwrap_or_default()),
        };
        let entry = match &directory.content {
            Content::Absent(absent) => return At::Absent(*absent),
            Content::Names(names) => names.get(last).copied(),
            Content::Unlisted => Entry::at(&directory.path.join(last)),
        };
        let file = |()| self.file(&directory.path.join(last));
        match entry {
            Some(Entry::File) => At::File(file(())),
            Some(Entry::Directory) => At::Directory,
            Some(Entry::Irregular) => At::Irregular(file(())),
            None => At::Absent(file(())),
        }
    }

    fn directory(&self, path: &Path) -> Arc<Directory> {
        self.directories.get(path.as_os_str(), || Arc::new(self.read_directory(path)))
    }

    fn read_directory(&self, written: &Path) -> Directory {
        let path = match without_parents(written) {
            Ok(path) => path,
            Err(absent) => {
                let content = Content::Absent(self.file(&absent));
                return Directory { path: normalize(written), content, identity: None };
            }
        };
        let identity = std::fs::metadata(&path).ok().map(|found| (found.dev(), found.ino()));
        let content = match std::fs::read_dir(&path) {
            Ok(entries) => Content::Names(entries.flatten().filter_map(|entry| named(&entry)).collect()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                // A file in place of a directory contains nothing.
                first_absent(&path).map_or_else(Content::default, |absent| Content::Absent(self.file(&absent)))
            }
            Err(_) => Content::Unlisted,
        };
        Directory { path, content, identity }
    }

    /// The directories as a compiler takes them: each once.
    fn directories_of(&self, path: &SearchPath) -> Directories {
        let read =
            |paths: &[PathBuf]| -> Vec<Arc<Directory>> { paths.iter().map(|path| self.directory(path)).collect() };
        let quoted = unique(read(&path.quoted), &[]);
        let system = unique(read(&path.system), &[]);
        // A directory that is a system directory too counts only as one.
        let angled = unique(read(&path.angled), &system);
        let count = quoted.len();
        Directories { all: [quoted, angled, system].concat(), quoted: count }
    }
}

/// Whether an include has a name that a file can have.
fn is_name(Include { name, kind, .. }: &Include) -> bool {
    let has_last = Path::new(OsStr::from_bytes(name)).file_name().is_some();
    let ends = name.ends_with(b"/") || name.ends_with(b"/.");
    *kind != IncludeKind::Computed && has_last && !ends && !name.contains(&0)
}

/// The directory of a search path that a file was found in, if it was.
fn position(directories: &Directories, file: &Path, name: &Path) -> Option<usize> {
    let by_name = directories.all.iter().position(|directory| normalize(&directory.path.join(name)) == file);
    by_name.or_else(|| directories.all.iter().position(|directory| file.starts_with(&directory.path)))
}

/// The directories without duplicates and without those among `others`.
fn unique(directories: Vec<Arc<Directory>>, others: &[Arc<Directory>]) -> Vec<Arc<Directory>> {
    // A missing directory is identified by its path.
    let key =
        |directory: &Directory| (directory.identity, directory.identity.is_none().then(|| directory.path.clone()));
    let mut seen: HashSet<_> = others.iter().map(|directory| key(directory)).collect();
    directories.into_iter().filter(|directory| seen.insert(key(directory))).collect()
}

/// The name of an entry, and what it is; `None` for a dangling symbolic link.
fn named(entry: &std::fs::DirEntry) -> Option<(OsString, Entry)> {
    let kind = match entry.file_type() {
        Ok(kind) if kind.is_file() => Entry::File,
        Ok(kind) if kind.is_dir() => Entry::Directory,
        _ => Entry::at(&entry.path())?,
    };
    Some((entry.file_name(), kind))
}

impl Entry {
    /// What is at a path, if anything is.
    fn at(path: &Path) -> Option<Entry> {
        let found = std::fs::metadata(path).ok()?;
        Some(match found.file_type() {
            kind if kind.is_file() => Entry::File,
            kind if kind.is_dir() => Entry::Directory,
            // A file without content.
            kind if kind.is_char_device() && path.canonicalize().is_ok_and(|real| real == Path::new("/dev/null")) => {
                Entry::File
            }
            _ => Entry::Irregular,
        })
    }
}

/// A path without `.` and `..` with the same target. The error is the path to the first missing
/// component.
fn without_parents(path: &Path) -> Result<PathBuf, PathBuf> {
    let normal = normalize(path);
    let components: Vec<Component<'_>> = path.components().collect();
    if !components.contains(&Component::ParentDir) {
        return Ok(normal);
    }
    // The system looks up every directory, also those that `..` leaves at once.
    for (number, component) in components.iter().enumerate() {
        let before: PathBuf = components[..number].iter().collect();
        if *component == Component::ParentDir && std::fs::metadata(&before).is_err() {
            return Err(first_absent(&before).unwrap_or(before));
        }
    }
    match (path.canonicalize(), normal.canonicalize()) {
        // A symbolic link was before a `..`.
        (Ok(real), other) if other.as_ref().ok() != Some(&real) => Ok(real),
        _ => Ok(normal),
    }
}

/// The normalised path to the first missing component of a path.
fn first_absent(path: &Path) -> Option<PathBuf> {
    let above: Vec<&Path> = path.ancestors().collect();
    let absent = above.into_iter().rev().find(|above| std::fs::metadata(above).is_err());
    absent.map(normalize)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data under these locks stays consistent after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Names, scan};

    /// A tree of files, in a directory of its own.
    struct Tree {
        resolver: Resolver,
        root: PathBuf,
        _scratch: tempfile::TempDir,
    }

    impl Tree {
        fn new(files: &[&str]) -> Tree {
            let scratch = tempfile::tempdir().unwrap();
            let root = scratch.path().canonicalize().unwrap();
            for file in files {
                let file = root.join(file);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, "").unwrap();
            }
            Tree { resolver: Resolver::new([root.join("memory/m.h")]), root, _scratch: scratch }
        }

        fn path(&self, quoted: &[&str], angled: &[&str], system: &[&str]) -> PathId {
            let all = |paths: &[&str]| paths.iter().map(|path| self.root.join(path)).collect();
            self.resolver.path(&SearchPath { quoted: all(quoted), angled: all(angled), system: all(system) })
        }

        /// The file that a directive finds, and the absent paths, relative to the root.
        fn found(&self, path: PathId, includer: &str, directive: &str) -> (String, Vec<String>) {
            let scan = scan(directive.as_bytes(), &Names::new());
            let include = scan.includes.first().unwrap();
            let found = self.resolver.resolve(path, &self.root.join(includer), include);
            let shown = |path: &Path| path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
            let file = found.file.as_deref().map_or("none".to_owned(), shown);
            (file, found.absent.iter().map(|path| shown(path)).collect())
        }
    }

    fn pair(file: &str, absent: &[&str]) -> (String, Vec<String>) {
        (file.to_owned(), absent.iter().map(|path| (*path).to_owned()).collect())
    }

    #[test]
    fn quotes_are_looked_for_beside_the_file_first() {
        let files = Tree::new(&["src/a.h", "q/a.h", "q/b.h", "i/c.h", "s/d.h"]);
        let path = files.path(&["q"], &["i"], &["s"]);
        let found = |directive: &str| files.found(path, "src/x.c", directive);
        assert_eq!(found("#include \"a.h\""), pair("src/a.h", &[]));
        assert_eq!(found("#include \"b.h\""), pair("q/b.h", &["src/b.h"]));
        assert_eq!(found("#include \"d.h\""), pair("s/d.h", &["src/d.h", "q/d.h", "i/d.h"]));
        assert_eq!(found("#include <d.h>"), pair("s/d.h", &["i/d.h"]));
        // Found, though that is an error.
        assert_eq!(found("#include <b.h>"), pair("q/b.h", &["i/b.h", "s/b.h", "src/b.h"]));
        assert_eq!(found("#include A").0, "none");
        assert_eq!(found("#include \"\"").0, "none");
        assert_eq!(found("#include \"a.h/\"").0, "none");
    }

    #[test]
    fn absent_paths_end_where_nothing_is() {
        let files = Tree::new(&["src/x.c", "i/qemu/a.h", "i/file"]);
        let path = files.path(&[], &["none/deep", "i"], &["i/file"]);
        let found = |directive: &str| files.found(path, "src/x.c", directive);
        assert_eq!(found("#include \"qemu/a.h\""), pair("i/qemu/a.h", &["src/qemu", "none"]));
        assert_eq!(found("#include <qemu/b.h>"), pair("none", &["none", "i/qemu/b.h", "i/file/qemu", "src/qemu"]));
        assert_eq!(found("#include <file/b.h>").1, ["none", "i/file/b.h", "i/file/file", "src/file"]);
        // A directory is no file.
        assert_eq!(found("#include <qemu>"), pair("none", &["none", "i/file/qemu", "src/qemu"]));
    }

    #[test]
    fn the_next_is_behind_where_the_file_is() {
        let files = Tree::new(&["i/a.h", "s/a.h", "s/t/a.h"]);
        let path = files.path(&[], &["i"], &["s/t", "s"]);
        let found = |includer: &str| files.found(path, includer, "#include_next <a.h>").0;
        assert_eq!(found("i/a.h"), "s/t/a.h");
        assert_eq!(found("s/t/a.h"), "s/a.h");
        assert_eq!(found("s/a.h"), "none");
        assert_eq!(found("s/t/other.h"), "s/a.h");
        assert_eq!(found("elsewhere.h"), "i/a.h");
        let quoted = files.found(path, "i/a.h", "#include_next \"a.h\"");
        assert_eq!(quoted, pair("s/t/a.h", &[]));
    }

    #[test]
    fn directories_are_searched_once() {
        let files = Tree::new(&["i/a.h", "s/b.h"]);
        std::os::unix::fs::symlink(files.root.join("i"), files.root.join("link")).unwrap();
        let path = files.path(&[], &["i", "link", "s", "none", "none"], &["s", "s"]);
        assert_eq!(files.found(path, "x.c", "#include <b.h>"), pair("s/b.h", &["i/b.h", "none"]));
        // The user's directory goes when the system has it too.
        let path = files.path(&[], &["s", "i"], &["link", "s"]);
        assert_eq!(files.found(path, "x.c", "#include <b.h>"), pair("s/b.h", &["link/b.h"]));
        assert_eq!(path, files.path(&[], &["s", "i"], &["link", "s"]));
        assert_ne!(path, files.path(&[], &["s", "i"], &["link"]));
    }

    #[test]
    fn parents_are_those_of_the_disk() {
        let files = Tree::new(&["a/b/x.h", "a/y.h", "y.h"]);
        std::os::unix::fs::symlink(files.root.join("a/b"), files.root.join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", files.root.join("gone.h")).unwrap();
        let path = files.path(&[], &["a/b/../", "none/../a"], &[]);
        let found = |directive: &str| files.found(path, "x.c", directive);
        assert_eq!(found("#include <y.h>"), pair("a/y.h", &[]));
        assert_eq!(found("#include <z.h>").1, ["a/z.h", "none", "z.h"]);
        assert_eq!(found("#include \"link/../y.h\""), pair("a/y.h", &[]));
        assert_eq!(found("#include \"a/../y.h\""), pair("y.h", &[]));
        assert_eq!(found("#include \"none/../y.h\""), pair("none", &["none", "a/none"]));
        assert_eq!(found("#include \"./gone.h\"").1, ["gone.h", "a/gone.h", "none"]);
    }

    #[test]
    fn texts_in_memory_are_there() {
        let files = Tree::new(&["i/a.h"]);
        let path = files.path(&[], &["memory", "i"], &[]);
        assert_eq!(files.found(path, "x.c", "#include <m.h>"), pair("memory/m.h", &[]));
        assert_eq!(files.found(path, "x.c", "#include <a.h>"), pair("i/a.h", &["memory"]));
        let absolute = format!("#include \"{}\"", files.root.join("i/a.h").display());
        assert_eq!(files.found(path, "x.c", &absolute), pair("i/a.h", &[]));
        let absolute = format!("#include <{}>", files.root.join("j/a.h").display());
        assert_eq!(files.found(path, "x.c", &absolute), pair("none", &["j"]));
    }

    #[test]
    fn questions_are_answered() {
        let files = Tree::new(&["i/a.h"]);
        let path = files.path(&[], &["i"], &[]);
        let text = "#if __has_include(<a.h>) || __has_include(<b.h>)\n#endif";
        let resolved = files.resolver.of_file(
            path,
            files.resolver.file(&files.root.join("x.c")),
            &scan(text.as_bytes(), &Names::new()),
        );
        let path_of = |file: FileId| files.resolver.path_of(file).to_path_buf();
        let probes: Vec<_> = resolved.probes.iter().map(|file| file.map(path_of)).collect();
        assert_eq!(probes, [Some(files.root.join("i/a.h")), None]);
        let absent: Vec<_> = resolved.absent.iter().map(|file| path_of(*file)).collect();
        assert_eq!(absent, [files.root.join("i/b.h")]);
    }
}
