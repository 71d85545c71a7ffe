//! Notices when files of a tree change on the disk: for `cowrap watch` and editors.
//!
//! What changed is found by comparing the tree with what is known of it, as always. So this says only that something
//! has changed, and says it too often rather than too rarely. Directories are watched, not files: most editors replace
//! a file when they save it.
//!
//! It must never know what is in the files.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use thiserror::Error;

use cowrap_base::files::Shown;

/// A change is reported when nothing has changed for this time: saving a file is several changes.
const QUIET: Duration = Duration::from_millis(50);

/// A change is reported after this time at the latest: a build changes files for minutes.
const LONGEST: Duration = Duration::from_secs(2);

/// Files with these endings are not read, and builds and editors write many of them.
const UNREAD: &[&str] = &["a", "d", "log", "o", "pyc", "rlib", "rmeta", "so", "swp", "tmp"];

/// Watches the files of a tree until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    messages: Sender<Message>,
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
    Follow(Vec<PathBuf>),
    End,
}

impl Watcher {
    /// Starts to watch the directories below the root, except hidden ones, and the files of the configuration.
    /// `on_change` is called by another thread, once for changes that follow each other closely.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub fn start(
        root: &Path,
        configuration: Vec<PathBuf>,
        on_change: impl FnMut(DiskChange) + Send + 'static,
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
        let mut watching =
            Watching { root: root.to_path_buf(), system, configuration, stamps, followed: HashSet::new(), on_change };
        watching.watch_tree(root)?;
        // Some may be hidden.
        let homes = watching.configuration.iter().filter_map(|file| file.parent()).map(Path::to_path_buf);
        let homes: Vec<PathBuf> = homes.collect();
        watching.watch(&homes)?;
        let run = move || watching.run(&received);
        thread::Builder::new().name("watcher".to_owned()).spawn(run).map_err(WatchError::Thread)?;
        Ok(Watcher { messages })
    }

    /// Watches the directories of files outside of the root, too: those of system headers, or of a build elsewhere.
    pub fn follow<'f>(&self, files: impl IntoIterator<Item = &'f PathBuf>) {
        let homes: HashSet<&Path> = files.into_iter().filter_map(|file| file.parent()).collect();
        let _ = self.messages.send(Message::Follow(homes.into_iter().map(Path::to_path_buf).collect()));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::End);
    }
}

/// What the watcher's thread has.
struct Watching<F> {
    root: PathBuf,
    system: RecommendedWatcher,
    configuration: Vec<PathBuf>,
    /// The files of the configuration as they were.
    stamps: Vec<Option<Stamp>>,
    /// The directories outside of the root that are watched.
    followed: HashSet<PathBuf>,
    on_change: F,
}

impl<F: FnMut(DiskChange)> Watching<F> {
    fn run(mut self, received: &Receiver<Message>) {
        while let Ok(message) = received.recv() {
            let Some(mut is_change) = self.take(message) else { return };
            let latest = Instant::now() + LONGEST;
            while is_change && Instant::now() < latest {
                match received.recv_timeout(QUIET) {
                    Ok(message) => match self.take(message) {
                        Some(another) => is_change |= another,
                        None => return,
                    },
                    Err(_) => break,
                }
            }
            if is_change {
                self.report();
            }
        }
    }

    /// Takes a message. The result says whether something may have changed; `None` is the end.
    fn take(&mut self, message: Message) -> Option<bool> {
        match message {
            Message::Noticed(Ok(event)) => Some(self.notice(&event)),
            // Whatever it is, changes may have gone unnoticed.
            Message::Noticed(Err(_)) => Some(true),
            Message::Follow(directories) => {
                let result = self.follow(directories);
                self.report_lost(result);
                Some(false)
            }
            Message::End => None,
        }
    }

    /// Whether an event may be a change of what is read. New directories are watched.
    fn notice(&mut self, event: &notify::Event) -> bool {
        // The system noticed more than it could keep.
        if event.need_rescan() {
            let root = self.root.clone();
            let result = self.watch_tree(&root);
            self.report_lost(result);
            return true;
        }
        if event.kind.is_access() || matches!(event.kind, EventKind::Modify(ModifyKind::Metadata(_))) {
            return false;
        }
        let mut is_change = false;
        for path in &event.paths {
            let is_configuration = path.file_name().is_some_and(|name| {
                // Links may lead to the file.
                self.configuration.iter().any(|file| file.file_name() == Some(name))
            });
            if !is_configuration && (!path.starts_with(&self.root) && !self.is_followed(path) || is_unread(path)) {
                continue;
            }
            is_change = true;
            let is_new = matches!(event.kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)));
            if is_new && path.starts_with(&self.root) && is_directory(path) {
                let result = self.watch_tree(path);
                self.report_lost(result);
            }
        }
        is_change
    }

    fn is_followed(&self, path: &Path) -> bool {
        path.parent().is_some_and(|parent| self.followed.contains(parent))
    }

    fn report(&mut self) {
        let stamps: Vec<Option<Stamp>> = self.configuration.iter().map(|file| Stamp::of(file)).collect();
        let is_configuration = stamps != self.stamps;
        self.stamps = stamps;
        (self.on_change)(if is_configuration { DiskChange::Configuration } else { DiskChange::Files });
    }

    fn report_lost(&mut self, result: Result<(), WatchError>) {
        if let Err(error) = result {
            (self.on_change)(DiskChange::Lost(error));
        }
    }

    /// Watches a directory and those below it, except hidden ones. Links are not followed.
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
        self.watch(&directories)
    }

    /// Watches directories outside of the root.
    fn follow(&mut self, directories: Vec<PathBuf>) -> Result<(), WatchError> {
        let is_new = |directory: &PathBuf| !directory.starts_with(&self.root) && !self.followed.contains(directory);
        let directories: Vec<PathBuf> = directories.into_iter().filter(is_new).collect();
        self.followed.extend(directories.iter().cloned());
        self.watch(&directories)
    }

    fn watch(&mut self, directories: &[PathBuf]) -> Result<(), WatchError> {
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
            let (changed, changes) = mpsc::channel();
            let root = directory.path().canonicalize().unwrap();
            let configuration = vec![root.join("cowrap.toml"), root.join("build/compile_commands.json")];
            let watcher = Watcher::start(&root, configuration, move |change| changed.send(change).unwrap()).unwrap();
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
            assert_eq!(self.changes.recv_timeout(6 * QUIET).unwrap_err(), RecvTimeoutError::Timeout);
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
    fn files_elsewhere_are_watched_if_they_are_read() {
        let watched = Watched::new(&["a.c"]);
        let elsewhere = tempfile::tempdir().unwrap();
        let header = elsewhere.path().canonicalize().unwrap().join("a.h");
        write(&header);
        watched.assert_quiet();
        watched.watcher.follow([&header, &watched.path("a.c")]);
        // The watcher does this on its own thread.
        thread::sleep(4 * QUIET);
        write(&header);
        watched.assert_change();
        drop(watched.watcher);
        assert_eq!(watched.changes.recv_timeout(Duration::from_secs(10)).unwrap_err(), RecvTimeoutError::Disconnected);
    }

    #[test]
    fn a_long_change_is_reported_while_it_goes_on() {
        let watched = Watched::new(&["a.c"]);
        let started = Instant::now();
        while started.elapsed() < LONGEST + 10 * QUIET && watched.changes.try_recv().is_err() {
            write(&watched.path("a.c"));
            thread::sleep(QUIET / 5);
        }
        assert!(started.elapsed() < LONGEST + 10 * QUIET, "nothing was reported");
    }
}
