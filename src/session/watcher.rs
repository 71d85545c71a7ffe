//! Notices when files of a tree change on the disk: for `cowrap watch` and editors.
//!
//! What changed is found by comparing the tree with what is known of it, as always. So this says only that something
//! has changed, and says it too often rather than too rarely. Directories are watched, not files: most editors replace
//! a file when they save it.
//!
//! It must never know what is in the files.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use thiserror::Error;

use cowrap_base::files::Shown;
use cowrap_frontend::compdb::is_build_name;
use cowrap_frontend::sources::is_old;

/// A change is reported when nothing has changed for this time: saving a file is several changes.
const QUIET: Duration = Duration::from_millis(50);

/// File times that are this far ahead are not those of this machine's clock.
const CLOCK_STEP: Duration = Duration::from_millis(50);

/// A change is reported after this time at the latest: a build changes files for minutes.
const LONGEST: Duration = Duration::from_secs(2);

/// Files with these endings are not read, and builds and editors write many of them.
const UNREAD: &[&str] = &["a", "d", "log", "o", "pyc", "rlib", "rmeta", "so", "swp", "tmp"];

/// Watches the files of a tree until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    messages: Sender<Message>,
    /// The directories that [`Watcher::follow`] named last.
    followed: Mutex<BTreeSet<PathBuf>>,
}

/// What changed on the disk.
#[derive(Debug)]
pub enum DiskChange {
    /// Files that may be sources.
    Files,
    /// Files of the configuration: the tree has to be opened again.
    Configuration,
    /// More directories are there, and cannot be watched: from now on, changes may go unnoticed.
    Lost(WatchError),
}

/// Why files cannot be watched.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The system watches no more directories.
    #[error(
        "cannot watch all directories of {root}: the system allows no more; allow more, on Linux with `sysctl \
         fs.inotify.max_user_watches=1048576`"
    )]
    TooMany {
        /// The root of the tree.
        root: String,
    },
    /// The system does not let the program watch anything.
    #[error("cannot watch files: {0}; on Linux, `sysctl fs.inotify.max_user_instances=1024` allows more programs to")]
    Refused(notify::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

#[derive(Debug)]
enum Message {
    Noticed(notify::Result<notify::Event>),
    Follow(BTreeSet<PathBuf>),
    LookAgain,
    End,
}

/// What a message means for what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Nothing,
    /// Files of the configuration may have changed, and no others.
    PerhapsConfiguration,
    /// Any files may have changed.
    Change,
}

impl Watcher {
    /// Starts to watch the directories below the root, except hidden ones, and the files of the configuration.
    /// `on_change` is called by another thread, once for changes that follow each other closely.
    ///
    /// Everything was read after `since`, a time in the past: files of the configuration that have changed after it are
    /// reported as if they changed now.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub fn start(
        root: &Path,
        configuration: Vec<PathBuf>,
        since: SystemTime,
        on_change: impl FnMut(DiskChange) + Send + 'static,
    ) -> Result<Watcher, WatchError> {
        Watcher::start_tree(root, configuration, since, QUIET, on_change)
    }

    /// Starts to watch a folder that has no compilation database yet, the `build*` directories in it, and other
    /// directories. Those below them are not watched: the folder may be a whole disk.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub fn start_folder(
        folder: &Path,
        others: Vec<PathBuf>,
        on_change: impl FnMut(DiskChange) + Send + 'static,
    ) -> Result<Watcher, WatchError> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let builds = entries.filter(|entry| is_build_name(&entry.file_name())).map(|entry| entry.path());
        let mut directories: BTreeSet<PathBuf> = builds.filter(|path| path.is_dir()).chain(others).collect();
        directories.insert(folder.to_path_buf());
        let (scope, configuration, since) = (Scope::Folder, Vec::new(), SystemTime::now());
        Watcher::start_with(folder, scope, configuration, since, QUIET, on_change, |watching| {
            watching.follow(directories).map(|_| ())
        })
    }

    fn start_tree(
        root: &Path,
        configuration: Vec<PathBuf>,
        since: SystemTime,
        quiet: Duration,
        on_change: impl FnMut(DiskChange) + Send + 'static,
    ) -> Result<Watcher, WatchError> {
        Watcher::start_with(root, Scope::Tree, configuration, since, quiet, on_change, |watching| {
            watching.watch_tree(&watching.root.clone())?;
            // Some may be hidden.
            let homes = watching.configuration.iter().filter_map(|file| file.parent()).map(Path::to_path_buf);
            let homes: BTreeSet<PathBuf> = homes.collect();
            watching.watch_besides(homes)?;
            let mut files = watching.configuration.iter();
            watching.is_configuration_young = files.any(|file| is_young(file, since));
            Ok(())
        })
    }

    fn start_with<F: FnMut(DiskChange) + Send + 'static>(
        root: &Path,
        scope: Scope,
        configuration: Vec<PathBuf>,
        since: SystemTime,
        quiet: Duration,
        on_change: F,
        begin: impl FnOnce(&mut Watching<F>) -> Result<(), WatchError>,
    ) -> Result<Watcher, WatchError> {
        let (messages, received) = mpsc::channel();
        let noticed = messages.clone();
        let pass_on = move |event: notify::Result<notify::Event>| {
            // Reading a tree opens its files a million times.
            if !matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_))) {
                // The other side has gone if the watcher is about to end.
                let _ = noticed.send(Message::Noticed(event));
            }
        };
        let system = notify::recommended_watcher(pass_on).map_err(WatchError::Refused)?;
        let stamps = configuration.iter().map(|file| Stamp::of(file)).collect();
        let mut watching = Watching {
            root: root.to_path_buf(),
            scope,
            system,
            configuration,
            stamps,
            is_configuration_young: false,
            since,
            quiet,
            tree: BTreeSet::new(),
            besides: BTreeSet::new(),
            followed: BTreeSet::new(),
            on_change,
        };
        begin(&mut watching)?;
        let run = move || watching.run(&received);
        thread::Builder::new().name("watcher".to_owned()).spawn(run).map_err(WatchError::Thread)?;
        Ok(Watcher { messages, followed: Mutex::default() })
    }

    /// Watches these directories, too, as far as they are not watched: hidden ones, those of system headers, or of a
    /// build elsewhere. Some may not exist yet.
    pub fn follow(&self, directories: &BTreeSet<PathBuf>) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if *followed != *directories {
            followed.clone_from(directories);
            let _ = self.messages.send(Message::Follow(directories.clone()));
        }
    }

    /// Compares the files of the configuration with what they were, and reports a change as if it was noticed: not every
    /// file system lets changes be noticed.
    pub fn look_again(&self) {
        let _ = self.messages.send(Message::LookAgain);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::End);
    }
}

/// Which new directories are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Those in the tree.
    Tree,
    /// Those of builds in the root.
    Folder,
}

/// What the watcher's thread has.
struct Watching<F> {
    root: PathBuf,
    scope: Scope,
    system: RecommendedWatcher,
    configuration: Vec<PathBuf>,
    /// The files of the configuration as they were.
    stamps: Vec<Option<Stamp>>,
    /// Whether they changed before they were watched.
    is_configuration_young: bool,
    /// Everything was read after this time.
    since: SystemTime,
    /// A change is reported when nothing has changed for this time.
    quiet: Duration,
    /// The directories below the root, except hidden ones. All of them are watched.
    tree: BTreeSet<PathBuf>,
    /// The other directories that are watched, some only because others may appear in them.
    besides: BTreeSet<PathBuf>,
    /// The directories with files that are read, besides those of the tree: real paths. Some may not exist.
    followed: BTreeSet<PathBuf>,
    on_change: F,
}

impl<F: FnMut(DiskChange)> Watching<F> {
    fn run(mut self, received: &Receiver<Message>) {
        let mut meaning = match self.is_configuration_young {
            true => Meaning::PerhapsConfiguration,
            false => Meaning::Nothing,
        };
        loop {
            if meaning == Meaning::Nothing {
                let Ok(message) = received.recv() else { return };
                let Some(found) = self.take(message) else { return };
                meaning = found;
            }
            let latest = Instant::now() + LONGEST;
            while meaning != Meaning::Nothing && Instant::now() < latest {
                match received.recv_timeout(self.quiet) {
                    Ok(message) => match self.take(message) {
                        Some(another) => meaning = meaning.max(another),
                        None => return,
                    },
                    Err(_) => break,
                }
            }
            self.report(std::mem::replace(&mut meaning, Meaning::Nothing));
        }
    }

    /// Takes a message. `None` is the end.
    fn take(&mut self, message: Message) -> Option<Meaning> {
        let is_change = match message {
            Message::Noticed(Ok(event)) => self.notice(&event),
            // Whatever it is, changes may have gone unnoticed.
            Message::Noticed(Err(_)) => true,
            Message::Follow(directories) => {
                let result = self.follow(directories);
                self.take_lost(result).unwrap_or(false)
            }
            Message::LookAgain => return Some(Meaning::PerhapsConfiguration),
            Message::End => return None,
        };
        Some(if is_change { Meaning::Change } else { Meaning::Nothing })
    }

    /// Whether an event may be a change of what is read. New directories are watched.
    fn notice(&mut self, event: &notify::Event) -> bool {
        // The system noticed more than it could keep.
        if event.need_rescan() {
            let (root, followed) = (self.root.clone(), self.followed.clone());
            let tree = if self.scope == Scope::Tree { self.watch_tree(&root) } else { Ok(()) };
            self.take_lost(tree);
            let result = self.follow(followed);
            self.take_lost(result);
            return true;
        }
        if event.kind.is_access() || matches!(event.kind, EventKind::Modify(ModifyKind::Metadata(_))) {
            return false;
        }
        let mut is_change = false;
        for path in &event.paths {
            if !self.is_configuration(path) && !self.is_read(path) && self.followed_below(path).is_empty() {
                continue;
            }
            is_change = true;
            if matches!(
                event.kind,
                EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
            ) {
                let result = self.replace(path);
                self.take_lost(result);
            }
        }
        is_change
    }

    /// Whether a file is one of the configuration. Links may lead to it.
    fn is_configuration(&self, path: &Path) -> bool {
        let name = path.file_name();
        name.is_some() && self.configuration.iter().any(|file| file.file_name() == name)
    }

    /// Whether a file may be one that is read, by its directory and its name.
    fn is_read(&self, path: &Path) -> bool {
        let is_home = |directory: &Path| self.tree.contains(directory) || self.followed.contains(directory);
        path.parent().is_some_and(is_home) && !is_unread(path)
    }

    /// The directories at a path and below it that are followed.
    fn followed_below(&self, path: &Path) -> BTreeSet<PathBuf> {
        below(&self.followed, path)
    }

    /// Something was created or removed, or has another name: watches the directories that are there now.
    fn replace(&mut self, path: &Path) -> Result<(), WatchError> {
        for watched in [&mut self.tree, &mut self.besides] {
            for gone in below(watched, path) {
                watched.remove(&gone);
            }
        }
        let mut followed = self.followed_below(path);
        if is_directory(path) && !is_hidden(path) {
            let is_build = || path.file_name().is_some_and(is_build_name);
            match self.scope {
                Scope::Tree if path.parent().is_some_and(|parent| self.tree.contains(parent)) => {
                    self.watch_tree(path)?;
                }
                Scope::Folder if path.parent() == Some(&self.root) && is_build() => {
                    followed.insert(path.to_path_buf());
                }
                _ => {}
            }
        }
        self.follow(followed).map(|_| ())
    }

    fn report(&mut self, meaning: Meaning) {
        if meaning == Meaning::Nothing {
            return;
        }
        let stamps: Vec<Option<Stamp>> = self.configuration.iter().map(|file| Stamp::of(file)).collect();
        let is_configuration = std::mem::take(&mut self.is_configuration_young) || stamps != self.stamps;
        self.stamps = stamps;
        if is_configuration {
            (self.on_change)(DiskChange::Configuration);
        } else if meaning == Meaning::Change {
            (self.on_change)(DiskChange::Files);
        }
    }

    /// Reports an error, if it is one.
    fn take_lost<T>(&mut self, result: Result<T, WatchError>) -> Option<T> {
        result.map_err(|error| (self.on_change)(DiskChange::Lost(error))).ok()
    }

    /// Watches a directory of the tree and those below it, except hidden ones. Links are not followed.
    fn watch_tree(&mut self, directory: &Path) -> Result<(), WatchError> {
        let mut directories = vec![directory.to_path_buf()];
        let mut next = 0;
        while let Some(directory) = directories.get(next) {
            next += 1;
            // One that cannot be read has nothing that cowrap could read; and it may have gone.
            let Ok(entries) = fs::read_dir(directory) else { continue };
            let inner = entries.flatten().map(|entry| entry.path());
            directories.extend(inner.filter(|path| !is_hidden(path) && is_directory(path)).collect::<Vec<_>>());
        }
        self.watch(directories.iter())?;
        self.tree.extend(directories);
        Ok(())
    }

    /// Watches directories that are not in the tree, or the nearest ones above that exist. Whether something may have
    /// changed there since it was read.
    fn follow(&mut self, directories: BTreeSet<PathBuf>) -> Result<bool, WatchError> {
        let mut new = BTreeSet::new();
        let mut is_change = false;
        for directory in directories {
            let Some((existing, real)) = nearest(&directory) else { continue };
            if self.tree.contains(&real) {
                continue;
            }
            if !self.tree.contains(&existing) && !self.besides.contains(&existing) {
                new.insert(existing.clone());
            }
            let is_new = self.followed.insert(real.clone());
            is_change |= is_new && existing == real && has_young(&real, self.since);
        }
        self.watch_besides(new)?;
        Ok(is_change)
    }

    fn watch_besides(&mut self, directories: BTreeSet<PathBuf>) -> Result<(), WatchError> {
        self.watch(directories.iter())?;
        self.besides.extend(directories);
        Ok(())
    }

    fn watch<'d>(&mut self, directories: impl Iterator<Item = &'d PathBuf>) -> Result<(), WatchError> {
        let mut paths = self.system.paths_mut();
        for directory in directories {
            match paths.add(directory, RecursiveMode::NonRecursive) {
                Err(error) if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => {
                    return Err(WatchError::TooMany { root: self.root.shown().to_string() });
                }
                // It has gone, or cannot be read.
                _ => {}
            }
        }
        paths.commit().map_err(WatchError::Refused)
    }
}

/// Those of a set that are a path or below it.
fn below(directories: &BTreeSet<PathBuf>, path: &Path) -> BTreeSet<PathBuf> {
    let from = directories.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
    from.take_while(|directory| directory.starts_with(path)).cloned().collect()
}

/// The nearest directory above a path, or there, that exists, and the path from there: real paths.
fn nearest(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let existing =
        path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)).filter(|at| at.1.is_dir()));
    let (above, existing) = existing?;
    let real = match path.strip_prefix(above) {
        Ok(rest) if !rest.as_os_str().is_empty() => existing.join(rest),
        _ => existing.clone(),
    };
    Some((existing, real))
}

/// Whether a file, or one in a directory, may have changed after a time.
fn has_young(directory: &Path, since: SystemTime) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    is_young(directory, since) || entries.filter(|path| !is_unread(path)).any(|path| is_young(&path, since))
}

/// Whether a file may have changed after a time, but not after now: such a file would always seem to have just changed.
fn is_young(path: &Path, since: SystemTime) -> bool {
    let is_past = |metadata: &Metadata| is_old(metadata, SystemTime::now() + CLOCK_STEP);
    fs::metadata(path).is_ok_and(|metadata| !is_old(&metadata, since) && is_past(&metadata))
}

fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Whether no unit reads a file, by its name.
fn is_unread(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_backup = path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(b"~"));
    is_hidden(path) || is_backup || ending.is_some_and(|ending| UNREAD.contains(&ending))
}

/// What distinguishes versions of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// That of the file that a path leads to, if there is one.
    fn of(path: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(path).ok()?;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Some(Stamp { device: metadata.dev(), inode: metadata.ino(), size: metadata.size(), modified })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::RecvTimeoutError;

    use super::*;

    /// Writes that are one change are less than this apart, even on a busy machine.
    const LONG_QUIET: Duration = Duration::from_millis(400);

    /// A watched tree.
    struct Watched {
        directory: tempfile::TempDir,
        changes: Receiver<DiskChange>,
        watcher: Watcher,
    }

    impl Watched {
        fn new(files: &[&str]) -> Watched {
            let directory = tempfile::tempdir().unwrap();
            for file in files {
                write(&directory.path().join(file));
            }
            let root = directory.path().canonicalize().unwrap();
            let configuration = vec![root.join("cowrap.toml"), root.join("build/compile_commands.json")];
            let since = SystemTime::now() + 2 * CLOCK_STEP;
            Watched::start(directory, configuration, since)
        }

        fn start(directory: tempfile::TempDir, configuration: Vec<PathBuf>, since: SystemTime) -> Watched {
            let root = directory.path().canonicalize().unwrap();
            let (changed, changes) = mpsc::channel();
            let on_change = move |change| changed.send(change).unwrap();
            let watcher = Watcher::start_tree(&root, configuration, since, LONG_QUIET, on_change).unwrap();
            Watched { directory, changes, watcher }
        }

        fn path(&self, file: &str) -> PathBuf {
            self.directory.path().canonicalize().unwrap().join(file)
        }

        fn assert_change(&self) {
            let change = self.changes.recv_timeout(Duration::from_secs(10)).unwrap();
            assert!(matches!(change, DiskChange::Files), "{change:?}");
        }

        fn assert_configuration(&self) {
            let change = self.changes.recv_timeout(Duration::from_secs(10)).unwrap();
            assert!(matches!(change, DiskChange::Configuration), "{change:?}");
        }

        fn assert_quiet(&self) {
            assert_eq!(self.changes.recv_timeout(3 * LONG_QUIET).unwrap_err(), RecvTimeoutError::Timeout);
        }
    }

    fn write(file: &Path) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "text\n").unwrap();
    }

    #[test]
    fn changes_that_follow_each_other_are_one() {
        let watched = Watched::new(&["a.c", "include/a.h"]);
        watched.assert_quiet();
        write(&watched.path("include/a.h"));
        write(&watched.path("a.c"));
        watched.assert_change();
        watched.assert_quiet();
        // As most editors save.
        write(&watched.path("a.c.new"));
        fs::rename(watched.path("a.c.new"), watched.path("a.c")).unwrap();
        watched.assert_change();
        watched.assert_quiet();
        fs::remove_file(watched.path("a.c")).unwrap();
        watched.assert_change();
    }

    #[test]
    fn what_nobody_reads_is_no_change() {
        let watched = Watched::new(&["a.c", "build/a.o", ".git/index"]);
        for file in ["build/a.o", ".a.c.swp", "a.c~", ".git/index", ".git/objects/a.c"] {
            write(&watched.path(file));
        }
        let _ = fs::read(watched.path("a.c"));
        watched.assert_quiet();
    }

    #[test]
    fn new_directories_are_watched() {
        let watched = Watched::new(&["a.c"]);
        write(&watched.path("new/inner/a.h"));
        watched.assert_change();
        watched.assert_quiet();
        write(&watched.path("new/inner/a.h"));
        watched.assert_change();
        fs::rename(watched.path("new"), watched.path("other")).unwrap();
        watched.assert_change();
        write(&watched.path("other/inner/a.h"));
        watched.assert_change();
        fs::remove_dir_all(watched.path("other")).unwrap();
        watched.assert_change();
        watched.assert_quiet();
        write(&watched.path("other/inner/a.h"));
        watched.assert_change();
        watched.assert_quiet();
        write(&watched.path("other/inner/a.h"));
        watched.assert_change();
    }

    #[test]
    fn files_of_the_configuration_are_known_by_what_they_are() {
        let watched = Watched::new(&["a.c", "build/compile_commands.json"]);
        write(&watched.path("build/compile_commands.json"));
        watched.assert_configuration();
        write(&watched.path("cowrap.toml"));
        watched.assert_configuration();
        write(&watched.path("elsewhere/cowrap.toml"));
        watched.assert_change();
        fs::remove_file(watched.path("cowrap.toml")).unwrap();
        watched.assert_configuration();
    }

    #[test]
    fn a_link_of_the_configuration_may_change_behind() {
        let watched = Watched::new(&["one.json", "build/a.h"]);
        std::os::unix::fs::symlink(watched.path("one.json"), watched.path("build/compile_commands.json")).unwrap();
        watched.assert_configuration();
        write(&watched.path("one.json"));
        watched.assert_configuration();
    }

    #[test]
    fn many_changes_are_one() {
        let watched = Watched::new(&["a.c"]);
        for number in 0..300 {
            write(&watched.path(&format!("new{number}.c")));
        }
        watched.assert_change();
        watched.assert_quiet();
    }

    #[test]
    fn files_elsewhere_are_watched_if_they_are_read() {
        let watched = Watched::new(&["a.c"]);
        let elsewhere = tempfile::tempdir().unwrap();
        let elsewhere = elsewhere.path().canonicalize().unwrap();
        watched.assert_quiet();
        write(&elsewhere.join("a.h"));
        let hidden = watched.path(".build/generated");
        let directories = BTreeSet::from([elsewhere.clone(), watched.path(""), hidden.clone(), elsewhere.join("x/y")]);
        watched.watcher.follow(&directories);
        // What was written after the tree was read is a change.
        watched.assert_change();
        watched.assert_quiet();
        // The same directories again are no change.
        watched.watcher.follow(&directories);
        watched.assert_quiet();
        for file in [elsewhere.join("a.h"), hidden.join("b.h"), hidden.join("b.h"), elsewhere.join("x/y/c.h")] {
            write(&file);
            watched.assert_change();
            watched.assert_quiet();
        }
        fs::remove_dir_all(watched.path(".build")).unwrap();
        watched.assert_change();
        watched.assert_quiet();
        for _ in 0..2 {
            write(&hidden.join("b.h"));
            watched.assert_change();
            watched.assert_quiet();
        }
        // Nobody reads these.
        write(&elsewhere.join("x/c.h"));
        write(&watched.path(".build/c.h"));
        watched.assert_quiet();
        drop(watched.watcher);
        assert_eq!(watched.changes.recv_timeout(Duration::from_secs(10)).unwrap_err(), RecvTimeoutError::Disconnected);
    }

    #[test]
    fn what_changed_before_it_was_watched_is_reported_once() {
        let directory = tempfile::tempdir().unwrap();
        let since = SystemTime::now();
        let file = directory.path().join("cowrap.toml");
        write(&file);
        let watched = Watched::start(directory, vec![file.clone()], since);
        watched.assert_configuration();
        watched.assert_quiet();
        let now = SystemTime::now();
        let Watched { directory, .. } = watched;
        let watched = Watched::start(directory, vec![file.clone()], now);
        watched.assert_quiet();
        watched.watcher.look_again();
        watched.assert_quiet();
    }

    #[test]
    fn of_a_folder_without_a_database_only_builds_are_watched() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for file in ["build/a.c", "src/deep/a.c"] {
            write(&root.join(file));
        }
        let (changed, changes) = mpsc::channel();
        let on_change = move |change| changed.send(change).unwrap();
        let watcher = Watcher::start_folder(&root, vec![root.join("src/out")], on_change).unwrap();
        let watched = Watched { directory, changes, watcher };
        for file in ["src/a.c", "src/deep/a.c"] {
            write(&root.join(file));
        }
        watched.assert_quiet();
        for file in ["build/a.c", "build-new/a.c", "build-new/a.c", "src/out/a.c"] {
            write(&root.join(file));
            watched.assert_change();
            watched.assert_quiet();
        }
    }

    #[test]
    fn a_long_change_is_reported_while_it_goes_on() {
        let watched = Watched::new(&["a.c"]);
        let started = Instant::now();
        while started.elapsed() < 3 * LONGEST && watched.changes.try_recv().is_err() {
            write(&watched.path("a.c"));
            thread::sleep(LONG_QUIET / 20);
        }
        assert!(started.elapsed() < 3 * LONGEST, "nothing was reported");
    }
}
