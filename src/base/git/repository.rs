//! Looks at a repository before git does: which one it is, and whether git would read anything but
//! regular files of it.
//!
//! git reads the configuration before it knows any option that could switch a part of it off. A
//! pipe that it includes makes git wait for ever.

use std::io;
use std::path::{Path, PathBuf};

use super::GitError;
use super::config::{Entry, entries};
use crate::files::{normalize, read_regular, refusal};

/// The files of a git directory that git reads, besides references and objects.
const FILES: &[&str] = &[
    "HEAD",
    "commondir",
    "config",
    "config.worktree",
    "gitdir",
    "index",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    "info/sparse-checkout",
    "objects/info/alternates",
    "packed-refs",
    "shallow",
];

/// Where git searches for a reference with a short name.
const REFERENCES: &[&str] = &["", "refs", "refs/tags", "refs/heads", "refs/remotes"];

/// The length of the longest file that is read here, in bytes. Packed references are the longest.
const LONGEST: u64 = 64 << 20;

/// How deep included files and alternates may be nested. git has the same limits, or lower ones.
const DEEPEST: usize = 10;

/// What was found out about a repository without git.
#[derive(Debug, Default)]
pub(super) struct Repository {
    /// The directory with `.git`: absolute, without symbolic links.
    pub top: PathBuf,
    /// The git directory, and the one that linked worktrees share.
    directories: Vec<PathBuf>,
    /// Settings that name files outside of the repository, and that git must not follow.
    pub switched_off: Vec<&'static str>,
}

impl Repository {
    /// The repository that a directory is in.
    ///
    /// # Errors
    ///
    /// It does not exist, or git must not read it.
    pub(super) fn find(root: &Path) -> Result<Repository, GitError> {
        let real = root.canonicalize().map_err(|reason| GitError::Unreadable { path: root.to_path_buf(), reason })?;
        // Of the `.git` that are none: git searches on above them.
        let mut seen = None;
        for top in real.ancestors() {
            let path = top.join(".git");
            if path.symlink_metadata().is_ok() {
                let mut repository = Repository { top: top.to_path_buf(), ..Repository::default() };
                repository.open(&path)?;
                if repository.is_valid() {
                    return Ok(repository);
                }
                seen.get_or_insert(path);
            } else if is_git_directory(top) {
                let why = "is a git directory, not a working tree";
                return Err(refused(top, why, "name the root of the working tree with --root"));
            }
        }
        match seen {
            Some(path) => Err(refused(&path, "is not a git repository", "repair or remove it")),
            None => Err(GitError::NotARepository { root: root.to_path_buf() }),
        }
    }

    /// Looks at the repository that a `.git` leads to.
    fn open(&mut self, path: &Path) -> Result<(), GitError> {
        let found = path.metadata().map_err(|reason| GitError::Unreadable { path: path.to_path_buf(), reason })?;
        let directory = match found.is_dir() {
            true => path.to_path_buf(),
            false => {
                let text = read(path)?;
                let target = text.strip_prefix("gitdir: ").map(|target| target.trim_end_matches(['\n', '\r']));
                let Some(target) = target.filter(|target| !target.is_empty()) else {
                    return Err(refused(path, "is neither a git directory nor the name of one", "repair it"));
                };
                self.top.join(target)
            }
        };
        let common = read_if_any(&directory.join("commondir"))?;
        let common = common.map(|text| directory.join(text.trim_end_matches(['\n', '\r'])));
        self.directories = std::iter::once(directory).chain(common).collect();
        for directory in self.directories.clone() {
            for name in FILES {
                require_regular(&directory.join(name))?;
            }
            self.require_regular_indexes(&directory)?;
        }
        for directory in self.directories.clone() {
            for name in ["config", "config.worktree"] {
                self.vet_config(&directory.join(name), 0)?;
            }
            vet_alternates(&directory.join("objects"), 0)?;
            if let Some(head) = read_if_any(&directory.join("HEAD"))?
                && let Some(target) = head.trim_end().strip_prefix("ref:")
            {
                self.vet_reference(target.trim())?;
            }
        }
        Ok(())
    }

    /// Checks that git can open the files of a reference by its name in a command.
    pub(super) fn vet_reference(&self, name: &str) -> Result<(), GitError> {
        // The name comes before the first of these characters.
        let name = name.split(['^', '~', ':', '@']).next().unwrap_or(name);
        if name.is_empty() || Path::new(name).is_absolute() || name.split('/').any(|part| part == "..") {
            return Ok(());
        }
        for directory in &self.directories {
            for group in REFERENCES {
                let path = directory.join(group).join(name);
                // Part of a longer name.
                for path in [path.join("HEAD"), path] {
                    if !path.is_dir() {
                        require_regular(&path)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a reference exists, be it broken or not, as far as its files say.
    pub(super) fn has_reference(&self, name: &str) -> Result<bool, GitError> {
        for directory in &self.directories {
            let packed = read_if_any(&directory.join("packed-refs"))?.unwrap_or_default();
            let is_packed = packed.lines().any(|line| line.split_once(' ').is_some_and(|(_, packed)| packed == name));
            if is_packed || directory.join(name).symlink_metadata().is_ok_and(|found| !found.is_dir()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The index may be split into several files.
    fn require_regular_indexes(&self, directory: &Path) -> Result<(), GitError> {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b"sharedindex.") {
                require_regular(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Whether git takes it for a repository.
    fn is_valid(&self) -> bool {
        let has = |name: &str| self.directories.iter().any(|directory| directory.join(name).is_dir());
        let has_head =
            self.directories.first().is_some_and(|directory| directory.join("HEAD").symlink_metadata().is_ok());
        has_head && has("objects") && has("refs")
    }

    /// Checks that a file of settings, and what it includes, are regular files of the repository.
    fn vet_config(&mut self, path: &Path, depth: usize) -> Result<(), GitError> {
        let Some(text) = read_if_any(path)? else { return Ok(()) };
        if depth > DEEPEST {
            return Err(refused(path, "is included too deeply", "remove `include.path` from it"));
        }
        for Entry { section, key, value } in entries(text.as_bytes()) {
            match (section.as_str(), key.as_str()) {
                (section, "path") if section == "include" || section.starts_with("includeif.") => {
                    if value.contains(char::REPLACEMENT_CHARACTER) {
                        let why = format!("includes `{value}`, which is not UTF-8");
                        return Err(refused(path, &why, "rename that file"));
                    }
                    let target = path.parent().unwrap_or(Path::new("/")).join(&value);
                    if !self.is_own(&target) {
                        let why = format!("includes `{value}`, which is outside of the repository");
                        return Err(refused(path, &why, "include it in your own configuration (git config --global)"));
                    }
                    self.vet_config(&target, depth + 1)?;
                }
                ("core", "excludesfile") => self.switched_off.push("core.excludesFile="),
                ("core", "attributesfile") => self.switched_off.push("core.attributesFile="),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a path leads to something in the repository: below the working tree or a git directory.
    /// What does not exist counts by its name.
    fn is_own(&self, path: &Path) -> bool {
        // git replaces these beginnings.
        let has_beginning = path.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"~"))
            || path.components().any(|part| part.as_os_str() == "%(prefix)");
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| normalize(path));
        let target = real(path);
        let mut homes = self.directories.iter().chain([&self.top]);
        !has_beginning && homes.any(|home| target.starts_with(real(home)))
    }
}

/// Whether a directory has what each git directory has.
fn is_git_directory(path: &Path) -> bool {
    path.join("HEAD").symlink_metadata().is_ok() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

/// Checks that the other directories of objects that a repository names can be read.
fn vet_alternates(objects: &Path, depth: usize) -> Result<(), GitError> {
    let list = objects.join("info/alternates");
    let Some(text) = read_if_any(&list)? else { return Ok(()) };
    // git follows fewer.
    if depth > DEEPEST {
        return Ok(());
    }
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // git would take off the quotation marks.
        if line.starts_with('"') || line.contains(char::REPLACEMENT_CHARACTER) {
            return Err(refused(
                &list,
                &format!("names `{line}`, which is quoted or not UTF-8"),
                "rename that directory",
            ));
        }
        let other = objects.join(line);
        if other.exists() && !other.is_dir() {
            return Err(refused(&list, &format!("names `{line}`, which is not a directory"), "repair it"));
        }
        vet_alternates(&other, depth + 1)?;
    }
    Ok(())
}

/// Checks that a path leads to a regular file, or to nothing.
fn require_regular(path: &Path) -> Result<(), GitError> {
    match crate::files::open_regular(path) {
        Err(reason) if refusal(&reason).is_some() => Err(GitError::Unreadable { path: path.to_path_buf(), reason }),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Result<String, GitError> {
    let bytes =
        read_regular(path, LONGEST).map_err(|reason| GitError::Unreadable { path: path.to_path_buf(), reason })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_if_any(path: &Path) -> Result<Option<String>, GitError> {
    match read(path) {
        Err(GitError::Unreadable { reason, .. })
            if matches!(reason.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        read => read.map(Some),
    }
}

fn refused(path: &Path, why: &str, help: &'static str) -> GitError {
    GitError::Refused { path: path.to_path_buf(), why: why.to_owned(), help }
}
