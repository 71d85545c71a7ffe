//! The tree: its root, its build directory, and which files are its own.

use std::collections::HashMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use serde::Deserialize;
use thiserror::Error;

use super::Shown;
use super::boundary::{home_of, is_marked, is_too_wide};
use super::read::{LONGEST_TEXT, read_regular};

/// A source tree and its build directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The directory that shown paths are relative to; absolute, without symbolic links.
    pub root: PathBuf,
    /// The directory of the compilation database, if there is one. Generated files below it belong
    /// to the tree, wherever it is.
    pub build: Option<PathBuf>,
}

impl Tree {
    /// Finds the root of a tree with a compilation database in `build`.
    ///
    /// In this order: the source directory that meson recorded; `build` itself, if it contains all
    /// sources; the directory that contains all sources outside of `build`, or a directory above it
    /// with `.git` or `cowrap.toml`. If that contains the user's own files or the repository that the
    /// user works in, the root is what the working directory belongs to.
    ///
    /// # Errors
    ///
    /// What meson recorded cannot be read, although it exists.
    pub fn of_database(build: &Path, sources: &[&Path]) -> Result<Tree, MesonError> {
        let build = real(build);
        let root = meson_source_directory(&build)?.unwrap_or_else(|| {
            let outside: Vec<&Path> = sources.iter().filter(|source| !source.starts_with(&build)).copied().collect();
            match common_directory(&outside) {
                None => build.clone(),
                Some(directory) => {
                    directory.ancestors().find(|at| is_marked(at)).map(Path::to_path_buf).unwrap_or(directory)
                }
            }
        });
        let root = real(&root);
        // What the build directory says decides which files belong to the tree.
        let root = match is_too_wide(&root) {
            true => std::env::current_dir()
                .map_or_else(|_| build.clone(), |at| real(&home_of(&at.join("compile_commands.json")))),
            false => root,
        };
        Ok(Tree { root, build: Some(build) })
    }

    /// The tree that is built in `build`, if meson recorded its source directory: the result of
    /// [`Tree::of_database`] without reading the database.
    ///
    /// # Errors
    ///
    /// What meson recorded cannot be read, although it exists.
    pub fn of_meson(build: &Path) -> Result<Option<Tree>, MesonError> {
        let build = real(build);
        let root = meson_source_directory(&build)?.filter(|root| !is_too_wide(&real(root)));
        Ok(root.map(|root| Tree { root: real(&root), build: Some(build) }))
    }

    /// The tree of files on the command line: the working directory if it contains all of them.
    pub fn of_files(working_directory: &Path, files: &[PathBuf]) -> Tree {
        let working_directory = real(working_directory);
        let files: Vec<PathBuf> = files.iter().map(|file| real(file)).collect();
        let inside = files.iter().all(|file| file.starts_with(&working_directory));
        let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let root = if inside { None } else { common_directory(&paths) };
        Tree { root: root.unwrap_or(working_directory), build: None }
    }

    /// Whether a file, by its identity, belongs to the tree.
    pub fn is_own(&self, file: &Path) -> bool {
        file.starts_with(&self.root) || self.is_built(file)
    }

    /// Whether a file is in a build directory other than the root: a generator wrote it.
    pub fn is_built(&self, file: &Path) -> bool {
        self.build.as_ref().is_some_and(|build| *build != self.root && file.starts_with(build))
    }

    /// A path that does not depend on where the tree is: below the root it begins with `.`, and
    /// below a build directory elsewhere with `@`. Other paths stay absolute.
    pub fn portable(&self, file: &Path) -> PathBuf {
        if let Ok(relative) = file.strip_prefix(&self.root) {
            return Path::new(".").join(relative);
        }
        match self.build.as_ref().and_then(|build| file.strip_prefix(build).ok()) {
            Some(relative) => Path::new("@").join(relative),
            None => file.to_path_buf(),
        }
    }

    /// The absolute path of a portable one.
    pub fn absolute(&self, portable: &Path) -> PathBuf {
        if let Ok(relative) = portable.strip_prefix("@") {
            return self.build.as_ref().unwrap_or(&self.root).join(relative);
        }
        match portable.strip_prefix(".") {
            Ok(relative) => self.root.join(relative),
            Err(_) => portable.to_path_buf(),
        }
    }

    /// The path to show and to match: relative to the root if the file is below it.
    pub fn relative<'p>(&self, file: &'p Path) -> &'p Path {
        match file.strip_prefix(&self.root) {
            Ok(relative) if !relative.as_os_str().is_empty() => relative,
            _ => file,
        }
    }
}

/// Why it is unknown which tree meson builds.
#[derive(Debug, Error)]
#[error("cannot read {}: {source}; configure the build again", path.shown())]
pub struct MesonError {
    /// The file.
    path: PathBuf,
    /// The reason.
    source: io::Error,
}

/// The identities of files: absolute paths without symbolic links. Each path is looked up once.
#[derive(Debug, Default)]
pub struct Identities {
    known: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Identities {
    /// The identity of the file that `path` names in `directory`.
    pub fn identify(&self, directory: &Path, path: &Path) -> PathBuf {
        let absolute = normalize(&directory.join(path));
        let Ok(mut known) = self.known.lock() else { return real(&absolute) };
        if let Some(identity) = known.get(&absolute) {
            return identity.clone();
        }
        let identity = real(&absolute);
        known.insert(absolute, identity.clone());
        identity
    }
}

/// Removes `.` and `..` from a path, without looking at the disk.
pub fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                let can_go_up = matches!(normal.components().next_back(), Some(Component::Normal(_)));
                let at_root = matches!(normal.components().next_back(), Some(Component::RootDir));
                if can_go_up {
                    normal.pop();
                } else if !at_root {
                    normal.push("..");
                }
            }
            other => normal.push(other),
        }
    }
    if normal.as_os_str().is_empty() { PathBuf::from(".") } else { normal }
}

/// The path without symbolic links; for a missing file, the path itself.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| normalize(path))
}

/// The deepest directory that contains all files; `None` for no file, or if it would be `/`.
fn common_directory(files: &[&Path]) -> Option<PathBuf> {
    let mut directories = files.iter().filter_map(|file| file.parent());
    let mut common = directories.next()?.to_path_buf();
    for directory in directories {
        while !directory.starts_with(&common) {
            common.pop();
        }
    }
    common.parent().is_some().then(|| real(&common))
}

/// The source directory in meson's `meson-info/meson-info.json`, if both exist on this machine.
fn meson_source_directory(build: &Path) -> Result<Option<PathBuf>, MesonError> {
    #[derive(Deserialize)]
    struct Info {
        directories: Directories,
    }
    #[derive(Deserialize)]
    struct Directories {
        source: PathBuf,
    }
    let path = build.join("meson-info/meson-info.json");
    let text = match read_regular(&path, LONGEST_TEXT) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(MesonError { path, source }),
    };
    match serde_json::from_slice::<Info>(&text) {
        Ok(info) => Ok(Some(info.directories.source).filter(|source| source.is_dir())),
        // Other versions may have another form.
        Err(error) if error.is_data() => Ok(None),
        // It does not quote the text, which may be another file's.
        Err(error) => {
            let at = format!("it is not JSON at line {}, column {}", error.line(), error.column());
            Err(MesonError { path, source: io::Error::new(io::ErrorKind::InvalidData, at) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_without_the_disk() {
        let normal = |path: &str| normalize(Path::new(path)).display().to_string();
        assert_eq!(normal("/a/./b/../c"), "/a/c");
        assert_eq!(normal("/../a"), "/a");
        assert_eq!(normal("../a/.."), "..");
        assert_eq!(normal("a/.."), ".");
    }

    #[test]
    fn the_root_is_what_holds_the_sources_outside_of_the_build() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        for directory in ["src/a", "src/b", "src/build", "elsewhere"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        let (a, b) = (root.join("src/a/x.c"), root.join("src/b/y.c"));
        let generated = root.join("src/build/gen.c");
        let sources = [a.as_path(), b.as_path(), generated.as_path()];

        let inside = Tree::of_database(&root.join("src/build"), &sources).unwrap();
        assert_eq!(inside.root, root.join("src"));
        assert!(inside.is_built(&generated) && !inside.is_built(&a));

        let outside = Tree::of_database(&root.join("elsewhere"), &sources).unwrap();
        assert_eq!(outside.root, root.join("src"));
        assert!(outside.is_own(&root.join("elsewhere/gen.c")));

        let at_root = Tree::of_database(&root.join("src"), &sources).unwrap();
        assert_eq!(at_root.root, root.join("src"));
        assert!(!at_root.is_built(&a));

        std::fs::write(root.join("cowrap.toml"), "").unwrap();
        assert_eq!(Tree::of_database(&root.join("elsewhere"), &sources).unwrap().root, root);
    }

    #[test]
    fn a_portable_path_comes_back() {
        let tree = Tree { root: PathBuf::from("/src"), build: Some(PathBuf::from("/build")) };
        for (path, portable) in [("/src/a/b.c", "./a/b.c"), ("/build/x.h", "@/x.h"), ("/usr/c.h", "/usr/c.h")] {
            assert_eq!(tree.portable(Path::new(path)), Path::new(portable));
            assert_eq!(tree.absolute(Path::new(portable)), Path::new(path));
        }
        // Names that look like those that are put before a path.
        for path in ["/src/@/a.c", "/src/./b.c", "/build/@/x.h", "/@/c.h"] {
            assert_eq!(tree.absolute(&tree.portable(Path::new(path))), Path::new(path));
        }
    }

    #[test]
    fn a_file_has_one_identity_whatever_leads_to_it() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::fs::write(root.join("real/a.h"), "").unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        let identities = Identities::default();
        let by_link = identities.identify(&root, Path::new("link/a.h"));
        assert_eq!(by_link, root.join("real/a.h"));
        assert_eq!(identities.identify(&root.join("real"), Path::new("../real/./a.h")), by_link);
        assert_eq!(identities.identify(&root, Path::new("none/../gone.h")), root.join("gone.h"));
    }
}
