//! Finding the compilation database.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Error;

/// The name of a database in its directory.
pub const FILE_NAME: &str = "compile_commands.json";

/// Finds the database: at `explicit` (a directory with `compile_commands.json`, or the JSON file
/// itself under any name, relative to `start`); or in `start`, in its `build/`, or in the only one
/// of its `build*/` that has one.
///
/// Fails when there is none, and when several `build*/` have one.
pub fn find(start: &Path, explicit: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(explicit) = explicit {
        return find_at(start.join(explicit));
    }
    for candidate in [start.join(FILE_NAME), start.join("build").join(FILE_NAME)] {
        if is_there(&candidate) {
            return Ok(candidate);
        }
    }
    let mut candidates =
        in_build_directories(start).map_err(|source| Error::Unreadable { path: start.to_path_buf(), source })?;
    match (candidates.pop(), candidates.is_empty()) {
        (None, _) => Err(Error::NotFound { start: start.to_path_buf() }),
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            candidates.push(last);
            candidates.sort();
            Err(Error::Several { candidates })
        }
    }
}

fn find_at(path: PathBuf) -> Result<PathBuf, Error> {
    if path.is_dir() {
        let json = path.join(FILE_NAME);
        return if is_there(&json) { Ok(json) } else { Err(Error::NotInDirectory { directory: path }) };
    }
    if path.exists() { Ok(path) } else { Err(Error::NoSuchPath { path }) }
}

fn in_build_directories(start: &Path) -> io::Result<Vec<PathBuf>> {
    let mut candidates = Vec::new();
    for entry in start.read_dir()? {
        let entry = entry?;
        let json = entry.path().join(FILE_NAME);
        if is_build_name(&entry.file_name()) && is_there(&json) {
            candidates.push(json);
        }
    }
    Ok(candidates)
}

/// Whether something other than a directory is at a path. If it is no regular file, reading it says so.
fn is_there(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_dir())
}

/// Whether a directory may be that of a build, by its name.
pub fn is_build_name(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"build")
}
