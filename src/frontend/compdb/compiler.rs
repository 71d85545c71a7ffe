//! The compiler's name in a command, and what it implies.
//!
//! The name is read, never run.

/// What a compiler's name implies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compiler {
    /// The target triple in the name of a cross compiler.
    pub(super) target: Option<String>,
    /// Whether it compiles C as C++, like `g++`.
    pub(super) cxx: bool,
}

/// Programs that run the compiler that follows them; their own options come before it.
const LAUNCHERS: &[&str] =
    &["buildcache", "ccache", "distcc", "env", "gomacc", "icecc", "libtool", "nice", "sccache", "time"];

const C_COMPILERS: &[&str] =
    &["c11", "c17", "c89", "c99", "cc", "clang", "egcc", "gcc", "icc", "icx", "pcc", "tcc", "xlc"];

const CXX_COMPILERS: &[&str] = &["c++", "clang++", "g++", "icpc", "icpx"];

/// How the names of processor architectures begin that libclang supports.
///
/// For a GPU, the driver runs a program to find out which one the machine has (`amdgpu-arch`,
/// `nvptx-arch`: seen in libclang 19 with `--target=amdgcn-amd-amdhsa -mcpu=native`). So this is a
/// list of what is allowed.
const ARCHITECTURES: &[&str] = &[
    "aarch64",
    "arm",
    "avr",
    "bpf",
    "hexagon",
    "i386",
    "i486",
    "i586",
    "i686",
    "loongarch",
    "mips",
    "msp430",
    "powerpc",
    "ppc",
    "riscv",
    "s390x",
    "sparc",
    "thumb",
    "wasm",
    "x86_64",
];

/// Splits a command into what the compiler's name implies and the arguments after the name.
///
/// Launchers (`ccache gcc …`), assignments (`FOO=bar gcc …`) and unknown wrappers (`wrapper gcc …`)
/// before the compiler are skipped. If no word looks like a compiler, the first that is no launcher
/// counts as the compiler.
pub(super) fn split_off(words: &[Vec<u8>]) -> (Compiler, &[Vec<u8>]) {
    let mut rest = words;
    let mut launched = false;
    while let Some((word, after)) = rest.split_first() {
        let launches = is_assignment(word) || LAUNCHERS.iter().any(|name| name.as_bytes() == base_name(word));
        let is_option_of_launcher = launched && word.starts_with(b"-");
        if !launches && !is_option_of_launcher {
            break;
        }
        launched = true;
        rest = after;
    }
    // An option ends the search, so that a value named `cc` is not taken for the compiler.
    let mut ahead = rest;
    while let Some((word, after)) = ahead.split_first()
        && !word.starts_with(b"-")
    {
        if let Some(compiler) = recognise(base_name(word)) {
            return (compiler, after);
        }
        ahead = after;
    }
    match rest.split_first() {
        Some((word, after)) if !word.starts_with(b"-") => (Compiler::default(), after),
        _ => (Compiler::default(), rest),
    }
}

/// Whether libclang may get this target.
///
/// The characters matter: libclang 19 and 22 open `<target>-clang.cfg` and read options from it, so
/// `--target=../evil` would load a file of the tree under review.
pub(super) fn is_target(triple: &[u8]) -> bool {
    ARCHITECTURES.iter().any(|architecture| triple.starts_with(architecture.as_bytes()))
        && triple.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_assignment(word: &[u8]) -> bool {
    let Some(equals) = word.iter().position(|byte| *byte == b'=') else { return false };
    let name = word.get(..equals).unwrap_or_default();
    !name.is_empty() && !name.starts_with(b"-") && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn base_name(word: &[u8]) -> &[u8] {
    word.rsplit(|byte| *byte == b'/').next().unwrap_or(word)
}

/// What a file name such as `aarch64-linux-gnu-gcc-12` implies; `None` if it is not a compiler's.
fn recognise(name: &[u8]) -> Option<Compiler> {
    let mut name = str::from_utf8(name).ok()?;
    // `-12` is a version; `-posix` and `-win32` are the threads of mingw compilers.
    for suffix in [".exe", "-posix", "-win32"] {
        name = name.strip_suffix(suffix).unwrap_or(name);
    }
    if let Some((before, version)) = name.rsplit_once('-')
        && is_version(version)
    {
        name = before;
    }
    let (prefix, base) = name.rsplit_once('-').unwrap_or(("", name));
    // FreeBSD's packages are named `gcc13` and `clang19`; `c99` is a name of its own.
    let unversioned = base.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_one_of = |names: &[&str]| names.contains(&base) || names.contains(&unversioned);
    let cxx = is_one_of(CXX_COMPILERS);
    if !cxx && !is_one_of(C_COMPILERS) {
        return None;
    }
    let target = is_target(prefix.as_bytes()).then(|| prefix.to_owned());
    Some(Compiler { target, cxx })
}

fn is_version(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_digit() || character == '.')
}
