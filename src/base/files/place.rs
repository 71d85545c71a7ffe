//! Places to write to, and who names them.
//!
//! The user may write anywhere. A tree may come from a stranger, so what it names is written only
//! inside of it. In both cases a link is not followed but replaced or refused: where it leads is the
//! tree's choice. The directory of a place stays open from the check to the end of the write.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use super::Shown;
use super::directory::{Directory, Entry};
use super::read::{FileKind, ReadRefusal};
use super::tree::normalize;
use super::write::{Staged, remove_abandoned_in};

/// Why a file is not written although the system permits it. It is the inner error of an
/// [`io::Error`]; see [`write_refusal`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WriteRefusal {
    /// The tree names a place outside of the tree.
    #[error("it leads to {}, outside of the tree", .0.shown())]
    Outside(PathBuf),
    /// The tree names a place in git's own directory.
    #[error("it is in git's own directory")]
    GitDirectory,
    /// The tree names a link or something else that is no regular file.
    #[error("it is {0}, not a regular file")]
    NotRegular(FileKind),
    /// The run reads the file.
    #[error("it is one of the files that are read, {}; name another file", .0.shown())]
    Input(PathBuf),
    /// The file is a part of a program.
    #[error("it is a C file; name another file")]
    Source,
    /// The user names it for a depfile, and it is something else.
    #[error("it is not a depfile; remove it, or name another file")]
    NotDepfile,
    /// Another output of the run has the same place.
    #[error("it is named twice; name another file")]
    Twice,
}

/// Who names a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The user, on the command line.
    CommandLine,
    /// The tree, which may name places below these directories; paths are relative to the first.
    Tree(Vec<PathBuf>),
}

/// Why a file is not written although the system permits it, if that is what the error says.
pub fn write_refusal(error: &io::Error) -> Option<&WriteRefusal> {
    error.get_ref()?.downcast_ref()
}

/// What writing did to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was written.
    Changed,
    /// It had the text already, and was not touched.
    Same,
}

/// A place for a file, whose directory is open.
#[derive(Debug)]
pub struct Place {
    directory: Directory,
    name: OsString,
    path: PathBuf,
    /// Whether the path is one that the system gives to an open file, such as `/dev/stdout`.
    is_of_system: bool,
}

impl Place {
    /// The place that a path names; see [`Place::given`] and [`Place::inside`].
    ///
    /// # Errors
    ///
    /// As those.
    pub fn named(path: &Path, by: &NamedBy) -> io::Result<Place> {
        match by {
            NamedBy::CommandLine => Place::given(path),
            NamedBy::Tree(roots) => {
                let roots: Vec<&Path> = roots.iter().map(PathBuf::as_path).collect();
                Place::inside(path, &roots)
            }
        }
    }

    /// The place that the command line names. Links in the path to its directory are followed. A link
    /// at the place itself is replaced. A pipe or a device is written to, also behind the links that
    /// the system makes, such as `/dev/stdout`.
    ///
    /// # Errors
    ///
    /// The directory cannot be opened, or the path names a directory.
    pub fn given(path: &Path) -> io::Result<Place> {
        let name = last_name(path)?;
        let directory = Directory::open(parent(path))?;
        let is_of_system = is_of_system(&normalize(&std::path::absolute(path)?));
        let place = Place { directory, name: name.to_owned(), path: path.to_path_buf(), is_of_system };
        match place.entry()? {
            Some(entry) if entry.is_directory() => Err(io::ErrorKind::IsADirectory.into()),
            _ => Ok(place),
        }
    }

    /// The place that the tree names, relative to the first of `roots`. It must be below one of them
    /// after all links are resolved, must not be in a `.git`, and there must be nothing or a regular
    /// file.
    ///
    /// # Errors
    ///
    /// The place is refused ([`WriteRefusal`]), or its directory cannot be opened.
    pub fn inside(path: &Path, roots: &[&Path]) -> io::Result<Place> {
        let refuse = |refusal| Err(io::Error::other(refusal));
        let Some(first) = roots.first() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let path = first.join(path);
        let name = last_name(&path)?;
        let real = parent(&path).canonicalize()?;
        let mut found = None;
        for root in roots {
            // A directory that does not exist holds nothing.
            let Ok(root) = root.canonicalize() else { continue };
            if let Ok(relative) = real.strip_prefix(&root) {
                found = Some((root, relative.to_path_buf()));
                break;
            }
        }
        let Some((root, relative)) = found else { return refuse(WriteRefusal::Outside(real.join(name))) };
        if is_of_git(&relative.join(name)) {
            return refuse(WriteRefusal::GitDirectory);
        }
        let directory = Directory::open(&root)?.below(&relative)?;
        let place = Place { directory, name: name.to_owned(), path, is_of_system: false };
        match place.entry()?.and_then(|entry| entry.kind) {
            Some(kind) => refuse(WriteRefusal::NotRegular(kind)),
            None => Ok(place),
        }
    }

    /// The path as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is at the place now; `None` if nothing is.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn entry(&self) -> io::Result<Option<Entry>> {
        self.directory.entry(&self.name)
    }

    /// The beginning of the regular file at the place, at most `most` bytes; `None` if there is no
    /// such file. A pipe or a device is not read.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn beginning(&self, most: u64) -> io::Result<Option<Vec<u8>>> {
        match self.entry()? {
            Some(entry) if entry.is_regular() => {
                let mut bytes = Vec::new();
                self.directory.open_file(&self.name)?.take(most).read_to_end(&mut bytes)?;
                Ok(Some(bytes))
            }
            _ => Ok(None),
        }
    }

    /// Reads the whole regular file at the place; `None` if nothing is there.
    ///
    /// # Errors
    ///
    /// The file has more than `most` bytes ([`ReadRefusal`]), or cannot be read.
    pub fn read(&self, most: u64) -> io::Result<Option<Vec<u8>>> {
        match self.beginning(most.saturating_add(1))? {
            Some(bytes) if bytes.len() as u64 > most => Err(io::Error::other(ReadRefusal::TooLarge { most })),
            other => Ok(other),
        }
    }

    /// Refuses the place if one of the files that the run reads is there, under whatever name.
    ///
    /// # Errors
    ///
    /// The place is refused ([`WriteRefusal::Input`]), or cannot be looked at.
    pub fn refuse_inputs<P: AsRef<Path>>(&self, inputs: impl IntoIterator<Item = P>) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        let own = match self.entry()? {
            Some(entry) if entry.is_regular() => entry.identity,
            // Writing through what the system calls `/dev/stdout` changes the file behind it.
            Some(entry) if entry.is_link() && self.is_of_system => match std::fs::metadata(&self.path) {
                Ok(found) if found.is_file() => (found.dev(), found.ino()),
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        for input in inputs {
            let input = input.as_ref();
            if std::fs::metadata(input).is_ok_and(|found| (found.dev(), found.ino()) == own) {
                return Err(io::Error::other(WriteRefusal::Input(input.to_path_buf())));
            }
        }
        Ok(())
    }

    /// Refuses the place if a C file is there, by its name: no report takes its place, whether the
    /// run reads it or not.
    ///
    /// # Errors
    ///
    /// The place is refused ([`WriteRefusal::Source`]), or cannot be looked at.
    pub fn refuse_source(&self) -> io::Result<()> {
        let is_source = Path::new(&self.name).extension().is_some_and(|end| end == "c" || end == "h" || end == "inc");
        match self.entry()? {
            Some(entry) if is_source && entry.is_regular() && entry.size > 0 => {
                Err(io::Error::other(WriteRefusal::Source))
            }
            _ => Ok(()),
        }
    }

    /// Refuses the place if another output is written there.
    ///
    /// # Errors
    ///
    /// The place is refused ([`WriteRefusal::Twice`]).
    pub fn refuse_same(&self, other: &Place) -> io::Result<()> {
        if self.is_same(other) { Err(io::Error::other(WriteRefusal::Twice)) } else { Ok(()) }
    }

    /// Whether two places are the same.
    pub fn is_same(&self, other: &Place) -> bool {
        let identity = |place: &Place| place.directory.own_entry().map(|entry| entry.identity).ok();
        self.name == other.name && identity(self).is_some_and(|own| identity(other) == Some(own))
    }

    /// Gives the file at the place this text. Others see the old text or the new one, even if the
    /// program is killed. A file that already has the text keeps its time, so that no build step runs
    /// again. A pipe or a device is written to.
    ///
    /// # Errors
    ///
    /// The file system reports an error; the file is unchanged then.
    pub fn write(&self, text: &[u8]) -> io::Result<Written> {
        match self.entry()? {
            Some(entry) if entry.is_directory() => return Err(io::ErrorKind::IsADirectory.into()),
            Some(entry) if entry.is_link() && self.is_of_system => {
                write_to_open_file(&self.path, text)?;
                return Ok(Written::Changed);
            }
            Some(entry) if entry.is_regular() && entry.size == text.len() as u64 && self.has(text) => {
                return Ok(Written::Same);
            }
            Some(entry) if !entry.is_link() && !entry.is_regular() => {
                self.directory.open_special(&self.name)?.write_all(text)?;
                return Ok(Written::Changed);
            }
            _ => {}
        }
        remove_abandoned_in(&self.directory);
        Staged::write_in(&self.directory, &self.name, text)?.put_in(&self.directory)?;
        Ok(Written::Changed)
    }

    fn has(&self, text: &[u8]) -> bool {
        self.beginning(text.len() as u64 + 1).is_ok_and(|old| old.as_deref() == Some(text))
    }
}

/// Gives a file that the program itself names, or the command line, this text; see [`Place::given`]
/// and [`Place::write`].
///
/// # Errors
///
/// As those.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<Written> {
    Place::given(path)?.write(text)
}

/// Whether a path leads into git's own directory, on any file system.
pub fn is_of_git(relative: &Path) -> bool {
    let is_git = |component: Component<'_>| match component {
        // Some file systems ignore case, trailing dots and blanks, or characters that are not shown.
        Component::Normal(name) => {
            let name: String = name.to_string_lossy().chars().filter(char::is_ascii).collect();
            let name = name.trim_end_matches(['.', ' ']).to_ascii_lowercase();
            name == ".git" || name == "git~1" || name.starts_with(".git:")
        }
        _ => false,
    };
    relative.components().any(is_git)
}

/// Whether a path is one by which the system names a file that is open, such as `/dev/stdout`.
fn is_of_system(absolute: &Path) -> bool {
    let standard = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];
    standard.iter().any(|path| absolute == Path::new(path))
        || ["/dev/fd", "/proc"].iter().any(|directory| absolute.starts_with(directory))
}

/// Writes to a file that is open already, by the name that the system gives it.
fn write_to_open_file(path: &Path, text: &[u8]) -> io::Result<()> {
    let is = |names: &[&str]| names.iter().any(|name| path == Path::new(name));
    // Opening it again would begin at another offset.
    if is(&["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]) {
        let mut out = io::stdout().lock();
        out.write_all(text)?;
        return out.flush();
    }
    if is(&["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"]) {
        return io::stderr().lock().write_all(text);
    }
    let mut file: File = OpenOptions::new().append(true).open(path)?;
    file.write_all(text)
}

/// The last part of a path, if it is a name.
fn last_name(path: &Path) -> io::Result<&OsStr> {
    use std::os::unix::ffi::OsStrExt;
    // `Path` ignores what ends these.
    let bytes = path.as_os_str().as_bytes();
    let names_directory = [&b"/"[..], b"/.", b"/.."].iter().any(|end| bytes.ends_with(end));
    match path.file_name() {
        Some(name) if !names_directory => Ok(name),
        _ => Err(io::ErrorKind::IsADirectory.into()),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        assert_eq!(write_whole(&path, b"one").unwrap(), Written::Changed);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let time = || std::fs::metadata(&path).unwrap().modified().unwrap();
        let before = time();
        assert_eq!(write_whole(&path, b"one").unwrap(), Written::Same);
        assert_eq!(time(), before);
        assert_eq!(write_whole(&path, b"two").unwrap(), Written::Changed);
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_link_is_replaced_and_where_it_leads_is_not_touched() {
        let scratch = tempfile::tempdir().unwrap();
        let (real, link) = (scratch.path().join("real.c"), scratch.path().join("link.c"));
        for to in ["real.c", "none", ".", "/dev/null"] {
            std::fs::write(&real, "old").unwrap();
            symlink(to, &link).unwrap();
            write_whole(&link, b"new").unwrap();
            assert!(link.symlink_metadata().unwrap().is_file(), "{to}");
            assert_eq!(std::fs::read(&real).unwrap(), b"old");
            assert!(!scratch.path().join("none").exists());
            std::fs::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn without_the_directory_nothing_is_written() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(write_whole(&scratch.path().join("none/a.c"), b"x").is_err());
        assert!(!scratch.path().join("none").exists());
        for path in ["", "/", "d", "d/", "d/..", "d/."] {
            std::fs::create_dir_all(scratch.path().join("d")).unwrap();
            assert!(write_whole(&scratch.path().join(path), b"x").is_err(), "{path}");
        }
    }

    #[test]
    fn the_tree_writes_only_inside_of_it() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |path: &str| scratch.path().join(path);
        for directory in ["tree/d", "tree/.git/hooks", "tree/sub/.GIT", "build", "out"] {
            std::fs::create_dir_all(at(directory)).unwrap();
        }
        std::fs::write(at("out/file"), "").unwrap();
        std::fs::write(at("tree/d/file"), "old").unwrap();
        for (to, link) in [
            ("../out", "tree/out"),
            ("d", "tree/inside"),
            ("../out/file", "tree/link"),
            ("d/file", "tree/near"),
            ("../build", "tree/build"),
            (".git", "tree/git"),
        ] {
            symlink(to, at(link)).unwrap();
        }
        let (root, build) = (at("tree"), at("build"));
        let write = |path: &str| Place::inside(Path::new(path), &[&root, &build])?.write(b"new");
        let good = ["new", "d/new", "d/file", "./d/../d/x", "inside/y", "build/z", "../build/w", ".gitignore", "git.c"];
        for path in good {
            assert_eq!(write(path).unwrap(), Written::Changed, "{path}");
        }
        assert_eq!(std::fs::read(at("tree/d/y")).unwrap(), b"new");
        assert_eq!(std::fs::read(at("build/z")).unwrap(), b"new");
        assert!(Place::inside(&at("tree/d/absolute"), &[&root]).is_ok());
        let outside = ["../out/new", "out/new", "d/../../out/new", "../new", "out/../new", "/new"];
        for path in outside {
            let error = write(path).unwrap_err();
            assert!(matches!(write_refusal(&error), Some(WriteRefusal::Outside(_))), "{path}: {error}");
        }
        for path in [".git/config", ".git/hooks/x", "git/config", "sub/.GIT/x", ".git"] {
            let error = write(path).unwrap_err();
            assert!(matches!(write_refusal(&error), Some(WriteRefusal::GitDirectory)), "{path}: {error}");
        }
        for path in ["link", "near", "d", "inside"] {
            let error = write(path).unwrap_err();
            assert!(matches!(write_refusal(&error), Some(WriteRefusal::NotRegular(_))), "{path}: {error}");
        }
        assert!(write("none/new").is_err() && write("d/").is_err());
        assert_eq!(std::fs::read_dir(at("out")).unwrap().count(), 1);
        assert_eq!(std::fs::read(at("out/file")).unwrap(), b"");
    }

    #[test]
    fn a_link_that_comes_later_is_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |path: &str| scratch.path().join(path);
        std::fs::create_dir_all(at("tree/d")).unwrap();
        std::fs::create_dir(at("out")).unwrap();
        let place = Place::inside(Path::new("d/new"), &[&at("tree")]).unwrap();
        std::fs::rename(at("tree/d"), at("tree/moved")).unwrap();
        symlink("../out", at("tree/d")).unwrap();
        symlink("../../out/new", at("tree/moved/new")).unwrap();
        place.write(b"new").unwrap();
        assert_eq!(std::fs::read_dir(at("out")).unwrap().count(), 0);
        assert!(at("tree/moved/new").symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn what_the_run_reads_is_not_written() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |path: &str| scratch.path().join(path);
        for name in ["a.c", "b.c"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::fs::hard_link(at("a.c"), at("other")).unwrap();
        symlink("a.c", at("link")).unwrap();
        let refuses = |path: &str| Place::given(&at(path)).unwrap().refuse_inputs([at("a.c"), at("none")]).is_err();
        assert!(refuses("a.c") && refuses("other"));
        // A link is replaced, and what it leads to is not written.
        assert!(!refuses("b.c") && !refuses("new") && !refuses("link"));
        let place = |path: &str| Place::given(&at(path)).unwrap();
        assert!(place("a.c").is_same(&place("./a.c")) && !place("a.c").is_same(&place("b.c")));
    }
}
