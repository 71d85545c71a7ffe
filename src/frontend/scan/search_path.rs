//! The header search path of a unit, as clang has it on Linux.
//!
//! Facts about clang are from clang 19's `Linux::AddClangSystemIncludeArgs`, `InitHeaderSearch.cpp`
//! and `HeaderSearch.cpp`. Where one of them may not hold, the path is not known.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The directories of a search path: absolute, as written, in order. Some may be missing, and some
/// may be listed twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SearchPath {
    /// For names in quotes only: `-iquote`.
    pub(super) quoted: Vec<PathBuf>,
    /// `-I`.
    pub(super) angled: Vec<PathBuf>,
    /// `-isystem`, the compiler's own and the system's; then `-idirafter`.
    pub(super) system: Vec<PathBuf>,
}

/// A processor by Rust's name, its header directory in Debian (clang's
/// `Linux::getMultiarchTriple`), and the loader of its GNU C library. With another C library, clang
/// searches elsewhere.
const HOSTS: &[(&str, &str, &str)] = &[
    ("x86_64", "x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2"),
    ("aarch64", "aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1"),
    ("riscv64", "riscv64-linux-gnu", "/lib/ld-linux-riscv64-lp64d.so.1"),
    ("s390x", "s390x-linux-gnu", "/lib/ld64.so.1"),
];

/// The names of GCC installations behind the processor, except for Debian's (clang's
/// `CollectLibDirsAndTriples`). For the installation that clang chooses, it searches
/// `/usr/<name>/include`, which hardly ever exists.
const VENDORS: &[&str] = &[
    "amazon-linux",
    "manbo-linux-gnu",
    "pc-linux-gnu",
    "redhat-linux",
    "redhat-linux6E",
    "slackware-linux",
    "suse-linux",
    "unknown-linux",
    "unknown-linux-gnu",
];

/// Environment variables that add directories.
const VARIABLES: &[&str] = &["CPATH", "C_INCLUDE_PATH"];

/// Options that change the search in ways that are not implemented here. Those that end in `=` have
/// a value behind it; `-m32` and similar options choose another system's headers.
const UNKNOWN: &[&str] = &[
    "--gcc-install-dir=",
    "--gcc-toolchain=",
    "--no-standard-includes",
    "--sysroot=",
    "-EB",
    "-EL",
    "-F",
    "-fms-compatibility",
    "-iframework",
    "-iframeworkwithsysroot",
    "-iprefix",
    "-isysroot",
    "-isystem-after",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-iwithsysroot",
    "-m16",
    "-m32",
    "-mabi=",
    "-mbig-endian",
    "-miamcu",
    "-mlittle-endian",
    "-mx32",
    "-nostdinc",
    "-nostdlibinc",
];

impl SearchPath {
    /// The search path of a unit, by its arguments and the compiler's resource directory; `None` if
    /// it is not known.
    ///
    /// Every argument that begins with `-` must be an option, and separate values must be the next
    /// argument, as in vetted arguments.
    pub fn new<S: AsRef<OsStr>>(arguments: &[S], directory: &Path, resource_directory: &Path) -> Option<SearchPath> {
        if VARIABLES.iter().any(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty())) {
            return None;
        }
        let mut path = SearchPath::default();
        let mut after = Vec::new();
        let mut words = arguments.iter().map(|word| word.as_ref().as_bytes());
        while let Some(word) = words.next() {
            let group = match word {
                b"-iquote" => &mut path.quoted,
                b"-I" | b"--include-directory" => &mut path.angled,
                b"-isystem" => &mut path.system,
                b"-idirafter" => &mut after,
                _ => {
                    if let Some(value) = word.strip_prefix(b"--include-directory=") {
                        path.angled.push(directory.join(OsStr::from_bytes(value)));
                    } else if is_unknown(word) {
                        return None;
                    }
                    continue;
                }
            };
            group.push(directory.join(OsStr::from_bytes(words.next()?)));
        }
        path.system.push(resource_directory.join("include"));
        path.system.extend(SYSTEM.as_ref()?.iter().cloned());
        path.system.append(&mut after);
        Some(path)
    }
}

impl SearchPath {
    /// The same without `-I` directories that hold no headers, by the names in them: build systems
    /// give each target a directory for its objects. The same headers are found.
    pub fn without_empty(mut self) -> SearchPath {
        let is_object = |entry: &std::fs::DirEntry| {
            let is_named =
                |path: &Path| path.extension().is_some_and(|end| matches!(end.as_bytes(), b"o" | b"d" | b"a"));
            is_named(&entry.path()) && entry.file_type().is_ok_and(|kind| kind.is_file())
        };
        self.angled.retain(|directory| {
            let Ok(entries) = std::fs::read_dir(directory) else { return directory.exists() };
            entries.into_iter().any(|entry| entry.is_ok_and(|entry| !is_object(&entry)))
        });
        self
    }
}

/// Whether an option makes the search path unknown.
fn is_unknown(word: &[u8]) -> bool {
    if let Some(target) = word.strip_prefix(b"--target=") {
        return !is_host(target);
    }
    let fits = |option: &&str| match option.ends_with('=') {
        true => word.starts_with(option.as_bytes()),
        false => word == option.as_bytes(),
    };
    UNKNOWN.iter().any(fits)
}

fn host() -> Option<&'static (&'static str, &'static str, &'static str)> {
    let is_linux = std::env::consts::OS == "linux";
    HOSTS.iter().find(|(arch, ..)| is_linux && *arch == std::env::consts::ARCH)
}

/// Whether a target is this machine's, with the GNU C library: `x86_64-linux-gnu`, or the same with
/// a vendor.
fn is_host(target: &[u8]) -> bool {
    let Some((arch, ..)) = host() else { return false };
    let rest = target.strip_prefix(arch.as_bytes()).and_then(|rest| rest.strip_suffix(b"-linux-gnu"));
    rest.is_some_and(|vendor| matches!(vendor, b"" | b"-pc" | b"-unknown"))
}

/// The system's directories, behind the compiler's own.
static SYSTEM: LazyLock<Option<Vec<PathBuf>>> = LazyLock::new(|| {
    let (arch, multiarch, loader) = host()?;
    let usr = Path::new("/usr");
    let has_other = VENDORS.iter().any(|vendor| usr.join(format!("{arch}-{vendor}/include")).exists());
    if has_other || !Path::new(loader).exists() || !usr.join("include").is_dir() {
        return None;
    }
    Some(vec![
        usr.join("local/include"),
        usr.join(multiarch).join("include"),
        usr.join("include").join(multiarch),
        PathBuf::from("/include"),
        usr.join("include"),
    ])
});

#[cfg(test)]
mod tests {
    use super::*;

    fn path(arguments: &[&str]) -> Option<SearchPath> {
        SearchPath::new(arguments, Path::new("/build"), Path::new("/resource"))
    }

    #[test]
    fn directories_are_in_the_order_of_their_groups() {
        if host().is_none() {
            return;
        }
        let arguments =
            ["-I", "a", "-isystem", "/s", "-D", "I", "-idirafter", "z", "-iquote", "q", "-I", "../b", "-m64"];
        let found = path(&arguments).unwrap();
        assert_eq!(found.quoted, [Path::new("/build/q")]);
        assert_eq!(found.angled, [Path::new("/build/a"), Path::new("/build/../b")]);
        let first: Vec<&Path> = found.system.iter().map(PathBuf::as_path).take(3).collect();
        assert_eq!(first, [Path::new("/s"), Path::new("/resource/include"), Path::new("/usr/local/include")]);
        assert_eq!(found.system.last().unwrap(), Path::new("/build/z"));
        assert_eq!(path(&["--include-directory=x"]).unwrap().angled, [Path::new("/build/x")]);
    }

    #[test]
    fn what_is_not_followed_makes_it_unknown() {
        for unknown in ["--sysroot=/x", "-isysroot", "-nostdinc", "-m32", "--target=sparc-linux-gnu", "-F", "-mabi=x"] {
            assert_eq!(path(&[unknown, "x"]), None, "{unknown}");
        }
        assert_eq!(path(&["-I"]), None);
    }
}
