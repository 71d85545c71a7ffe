//! Finding, loading and identifying the libclang shared library and its resource directory.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cowrap_base::files::Shown;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The oldest libclang that tells operators apart (`clang_getCursorBinaryOperatorKind`), which
/// guards need.
pub const OLDEST_MAJOR: u32 = 17;

/// The versions that the search looks for in versioned directories, newest first.
const MAJORS: std::ops::RangeInclusive<u32> = 10..=40;

/// Why no usable libclang could be loaded. Each message names what to install or set.
#[derive(Clone, Debug, Error, Serialize, Deserialize)]
pub enum LoadError {
    /// Nothing that looks like libclang was found.
    #[error(
        "no libclang found\n  looked in {looked_in}\n  install libclang {OLDEST_MAJOR} or later (Debian: `apt-get \
         install libclang1-19 libclang-common-19-dev`; Fedora: `dnf install clang-libs clang-resource-filesystem`), \
         or set LIBCLANG_PATH to the library or its directory"
    )]
    NotFound {
        /// The places that were searched, for the message.
        looked_in: String,
    },
    /// Libraries were found, none of them usable.
    #[error(
        "no usable libclang\n{tried}\n  install libclang {OLDEST_MAJOR} or later (Debian: `apt-get install \
         libclang1-19 libclang-common-19-dev`), or set LIBCLANG_PATH to one"
    )]
    Unusable {
        /// One line for each library that was tried, with the reason.
        tried: String,
    },
    /// The library was found, but not the headers that belong to it (`stddef.h` …).
    #[error(
        "{library} (version {major}) was found, but not its resource headers (stddef.h)\n  looked in {looked_in}\n  \
         install them (Debian: `apt-get install libclang-common-{major}-dev`), or set COWRAP_RESOURCE_DIR"
    )]
    NoResourceDirectory {
        /// The library's path.
        library: String,
        /// Its major version.
        major: u32,
        /// The places that were searched.
        looked_in: String,
    },
}

/// A loaded libclang. Cheap to clone; every thread that uses libclang calls [`Library::enter`]
/// first.
#[derive(Clone, Debug)]
pub struct Library {
    shared: Arc<clang_sys::SharedLibrary>,
    path: PathBuf,
    major: u32,
    version: String,
    resource_directory: PathBuf,
}

impl Library {
    /// Finds and loads the newest usable libclang: `LIBCLANG_PATH` if it is set, else the usual
    /// places.
    ///
    /// A process loads one library; later calls give the same. The first call must not run while
    /// another thread uses the environment through C (`getenv`), since clang-sys takes the path
    /// from there.
    pub fn load() -> Result<Library, LoadError> {
        static LOADED: Mutex<Option<Library>> = Mutex::new(None);
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = loaded.as_ref() {
            library.enter();
            return Ok(library.clone());
        }
        let library = Library::load_first()?;
        *loaded = Some(library.clone());
        Ok(library)
    }

    fn load_first() -> Result<Library, LoadError> {
        let (candidates, looked_in) = candidates();
        if candidates.is_empty() {
            return Err(LoadError::NotFound { looked_in });
        }
        let mut tried = Vec::new();
        for path in candidates {
            match open(&path) {
                Ok((shared, version, major)) => {
                    let resource_directory = resource_directory(&path, major)?;
                    return Ok(Library { shared, path, major, version, resource_directory });
                }
                Err(reason) => tried.push(format!("  {}: {reason}", path.shown())),
            }
        }
        Err(LoadError::Unusable { tried: tried.join("\n") })
    }

    /// The library that [`Library::load`] tries first, without loading it.
    pub fn first_candidate() -> Option<PathBuf> {
        candidates().0.into_iter().next()
    }

    /// Makes the library available to the calling thread; clang-sys keeps one per thread.
    pub fn enter(&self) {
        clang_sys::set_library(Some(self.shared.clone()));
    }

    /// The library's path, as found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The major version, for instance 19.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The version as libclang words it (`clang_getClangVersion`).
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The directory whose `include` holds the compiler's own headers; passed as `-resource-dir`.
    pub fn resource_directory(&self) -> &Path {
        &self.resource_directory
    }
}

/// Loads one library and asks for its version; the error is the reason it cannot be used.
fn open(path: &Path) -> Result<(Arc<clang_sys::SharedLibrary>, String, u32), String> {
    let given = std::env::var_os("LIBCLANG_PATH");
    // clang-sys takes an exact path only through this variable; without it, it would run
    // `llvm-config`. SAFETY: `Library::load` is documented not to run while C code reads the
    // environment, and holds a lock against itself. The variable is put back as it was.
    let shared = unsafe {
        std::env::set_var("LIBCLANG_PATH", path);
        let shared = clang_sys::load_manually();
        match given {
            Some(given) => std::env::set_var("LIBCLANG_PATH", given),
            None => std::env::remove_var("LIBCLANG_PATH"),
        }
        Arc::new(shared?)
    };
    clang_sys::set_library(Some(shared.clone()));
    if shared.functions.clang_getCursorBinaryOperatorKind.is_none() {
        return Err(format!("older than version {OLDEST_MAJOR}"));
    }
    let version = super::cursor::text(unsafe { clang_sys::clang_getClangVersion() });
    let major = major_version(&version).ok_or_else(|| format!("cannot read its version from `{version}`"))?;
    if major < OLDEST_MAJOR {
        return Err(format!("version {major} is older than {OLDEST_MAJOR}"));
    }
    Ok((shared, version, major))
}

/// `Debian clang version 19.1.7 (3~deb12u1)` gives 19.
fn major_version(version: &str) -> Option<u32> {
    let after = version.split("version ").nth(1)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The libraries to try, best first, and a description of where they were looked for.
fn candidates() -> (Vec<PathBuf>, String) {
    if let Some(given) = std::env::var_os("LIBCLANG_PATH").filter(|v| !v.is_empty()) {
        let given = PathBuf::from(given);
        let found = if given.is_dir() { libraries_in(&given) } else { vec![given.clone()] };
        let found = found.into_iter().filter(|p| p.exists()).collect();
        return (found, format!("LIBCLANG_PATH={}", given.shown()));
    }
    let mut directories: Vec<PathBuf> = Vec::new();
    for major in MAJORS.rev() {
        directories.push(format!("/usr/lib/llvm-{major}/lib").into());
        directories.push(format!("/usr/lib/llvm{major}/lib").into());
        directories.push(format!("/usr/lib64/llvm{major}/lib").into());
        directories.push(format!("/usr/local/llvm{major}/lib").into());
        directories.push(format!("/opt/homebrew/opt/llvm@{major}/lib").into());
    }
    for plain in [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
        "/opt/homebrew/opt/llvm/lib",
        "/usr/local/opt/llvm/lib",
        "/Library/Developer/CommandLineTools/usr/lib",
    ] {
        directories.push(plain.into());
    }
    if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
        directories.extend(std::env::split_paths(&paths));
    }
    let mut found: Vec<PathBuf> = directories.iter().flat_map(|d| libraries_in(d)).collect();
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    found.sort_by_key(|path| Reverse(number_in(path)));
    (found, "/usr/lib/llvm-*/lib, the system's library directories and LD_LIBRARY_PATH".to_owned())
}

/// The files of one directory that are called like libclang, sorted by name.
fn libraries_in(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_libclang(path.file_name())).collect();
    found.sort();
    found
}

/// `libclang.so`, `libclang.so.19`, `libclang-19.so.1`, `libclang.dylib`; never `libclang-cpp`.
fn is_libclang(name: Option<&OsStr>) -> bool {
    let Some(name) = name.and_then(OsStr::to_str) else { return false };
    let shared = name.contains(".so") || name.ends_with(".dylib");
    shared && (name.starts_with("libclang.") || name.starts_with("libclang-")) && !name.contains("-cpp")
}

/// The version number in a path such as `/usr/lib/llvm-19/lib/libclang-19.so.1`; 0 when there is
/// none.
fn number_in(path: &Path) -> u32 {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let text = real.to_string_lossy().into_owned();
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .filter(|number| MAJORS.contains(number))
        .max()
        .unwrap_or(0)
}

/// The resource directory that belongs to a library.
///
/// The version's number and the place beside the library are how clang's driver finds it
/// (`Driver::GetResourcesPath`); distributions also keep it below `/usr/lib/clang`.
fn resource_directory(library: &Path, major: u32) -> Result<PathBuf, LoadError> {
    let mut places = Vec::new();
    if let Some(given) = std::env::var_os("COWRAP_RESOURCE_DIR") {
        places.push(PathBuf::from(given));
    }
    let real = library.canonicalize().unwrap_or_else(|_| library.to_path_buf());
    for path in [real.as_path(), library] {
        if let Some(directory) = path.parent() {
            places.push(directory.join(format!("clang/{major}")));
            if let Some(above) = directory.parent() {
                places.push(above.join(format!("lib/clang/{major}")));
                places.push(above.join(format!("clang/{major}")));
            }
        }
    }
    places.push(format!("/usr/lib/llvm-{major}/lib/clang/{major}").into());
    places.push(format!("/usr/lib/clang/{major}").into());
    places.push(format!("/usr/lib64/clang/{major}").into());
    match places.iter().find(|place| place.join("include/stddef.h").is_file()) {
        // Debian's `/usr/lib/clang/19/include` is a link. Headers are known by where links lead,
        // and `#include_next` goes on behind the directory that a header is in.
        Some(place) => {
            let include = place.join("include").canonicalize().ok().filter(|include| include.ends_with("include"));
            Ok(include.as_deref().and_then(Path::parent).unwrap_or(place).to_path_buf())
        }
        None => {
            let mut looked_in: Vec<String> = places.iter().map(|p| p.shown().to_string()).collect();
            looked_in.dedup();
            Err(LoadError::NoResourceDirectory {
                library: library.shown().to_string(),
                major,
                looked_in: looked_in.join(", "),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_wording() {
        assert_eq!(major_version("Debian clang version 19.1.7 (3~deb12u1)"), Some(19));
        assert_eq!(major_version("clang version 22.1.0-rc2"), Some(22));
        assert_eq!(major_version("Apple clang version 17.0.0 (clang-1700.0.13.5)"), Some(17));
        assert_eq!(major_version("something else"), None);
    }

    #[test]
    fn only_the_c_interface_is_taken_for_libclang() {
        for name in ["libclang.so", "libclang.so.19", "libclang-19.so.19", "libclang.dylib"] {
            assert!(is_libclang(Some(OsStr::new(name))), "{name}");
        }
        for name in ["libclang-cpp.so.19.1", "libclangAST.a", "libclang_rt.so", "libLLVM.so"] {
            assert!(!is_libclang(Some(OsStr::new(name))), "{name}");
        }
    }

    #[test]
    fn newer_libraries_come_first() {
        assert!(number_in(Path::new("/none/llvm-22/lib/libclang.so")) > number_in(Path::new("/none/libclang-19.so.1")));
        assert_eq!(number_in(Path::new("/none/libclang.so")), 0);
    }
}
