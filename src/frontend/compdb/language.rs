//! Which language a file is compiled as.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The language of an entry, as far as reports of unchecked entries need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Language {
    C,
    /// A header compiled on its own, which makes a precompiled header and no object.
    CHeader,
    Cxx,
    ObjectiveC,
    ObjectiveCxx,
    Assembler,
    Rust,
    Fortran,
    D,
    Cuda,
    Unknown,
}

/// The names of languages for `-x` (clang's `Types.def`; GCC's "Overall Options").
const NAMES: &[(&str, Language)] = &[
    ("c", Language::C),
    ("cpp-output", Language::C),
    ("c-header", Language::CHeader),
    ("c++", Language::Cxx),
    ("c++-header", Language::Cxx),
    ("c++-cpp-output", Language::Cxx),
    ("objective-c", Language::ObjectiveC),
    ("objective-c++", Language::ObjectiveCxx),
    ("assembler", Language::Assembler),
    ("assembler-with-cpp", Language::Assembler),
    ("rust", Language::Rust),
    ("f77", Language::Fortran),
    ("f95", Language::Fortran),
    ("d", Language::D),
    ("cuda", Language::Cuda),
];

/// The name for `-x` of the language of each file extension.
const EXTENSIONS: &[(&str, &str)] = &[
    ("c", "c"),
    ("i", "cpp-output"),
    ("h", "c-header"),
    ("C", "c++"),
    ("CPP", "c++"),
    ("c++", "c++"),
    ("cc", "c++"),
    ("cp", "c++"),
    ("cpp", "c++"),
    ("cxx", "c++"),
    ("ii", "c++-cpp-output"),
    ("hh", "c++-header"),
    ("hpp", "c++-header"),
    ("m", "objective-c"),
    ("mm", "objective-c++"),
    ("M", "objective-c++"),
    ("s", "assembler"),
    ("asm", "assembler"),
    ("S", "assembler-with-cpp"),
    ("rs", "rust"),
    ("f", "f77"),
    ("F", "f77"),
    ("f90", "f95"),
    ("F90", "f95"),
    ("d", "d"),
    ("cu", "cuda"),
];

/// The name for `-x` of the language of a file, by its extension; `none` for an unknown one.
///
/// `cxx_driver`: whether the compiler is one such as `g++`, which takes C for C++.
pub(super) fn name_of_file(file: &Path, cxx_driver: bool) -> &'static str {
    let extension = file.extension().map(OsStrExt::as_bytes).unwrap_or_default();
    let name = EXTENSIONS.iter().find(|(known, _)| known.as_bytes() == extension).map_or("none", |(_, name)| name);
    match name {
        "c" if cxx_driver => "c++",
        "cpp-output" if cxx_driver => "c++-cpp-output",
        "c-header" if cxx_driver => "c++-header",
        name => name,
    }
}

/// The language with this name for `-x`.
pub(super) fn by_name(name: &[u8]) -> Language {
    NAMES.iter().find(|(known, _)| known.as_bytes() == name).map_or(Language::Unknown, |(_, language)| *language)
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Language::C => "C",
            Language::CHeader => "C header",
            Language::Cxx => "C++",
            Language::ObjectiveC => "Objective-C",
            Language::ObjectiveCxx => "Objective-C++",
            Language::Assembler => "assembler",
            Language::Rust => "Rust",
            Language::Fortran => "Fortran",
            Language::D => "D",
            Language::Cuda => "CUDA",
            Language::Unknown => "unknown",
        })
    }
}
