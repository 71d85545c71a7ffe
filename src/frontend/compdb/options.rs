//! The list of options, and what is done with each.
//!
//! An option that is not listed is dropped, so a gap in the list costs meaning, never safety. Where
//! names of a kept and of a dropped option begin the same way, the longest matching name decides,
//! as in LLVM's option parser.

use std::collections::HashMap;
use std::sync::LazyLock;

use self::OptionForm::*;
use self::Verdict::*;

/// How an option and its value are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptionForm {
    /// The name alone.
    Alone,
    /// The value, which may be empty, follows in the same argument.
    Joined,
    /// The value is the next argument, whatever it looks like.
    Separate,
    /// The value follows in the same argument, or is the next one if nothing follows.
    Either,
}

/// What is done with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Kept as it is.
    Keep,
    /// Kept, with name and value as separate arguments.
    KeepValue,
    /// Kept under this name, which ends in `=`, with the value in the same argument.
    KeepAs(&'static str),
    /// Kept, but passed to clang's front end: see [`super::vet`].
    ForceInclude,
    /// Kept if it is an optimisation level.
    Optimise,
    /// Kept if it has the form of a target option.
    Machine,
    /// Kept unless it is for another language.
    Standard,
    /// Kept if it is the triple of a processor, otherwise refused.
    Target,
    /// Sets the language of the files after it.
    Language,
    /// Sets how the driver reads its arguments.
    DriverMode,
    /// Names the compiler's output; not kept.
    Output,
    /// Turns OpenMP on or off. Only the macro that says so is kept.
    OpenMp(bool),
    /// Left out, since the code means the same without it.
    Ignore,
    /// Left out, with its value.
    Drop,
    /// The next argument is an option for a later stage, in which the options of this list mean the
    /// same.
    Carry,
    /// The next argument is an option for something else. It is left out unless it is refused.
    CarryAway,
    /// The value is a list of arguments, separated by commas, each as if it followed the option
    /// named here.
    Split(&'static str),
}

/// Options written the same way and treated the same way.
pub(super) struct OptionGroup {
    pub(super) form: OptionForm,
    pub(super) verdict: Verdict,
    pub(super) names: &'static [&'static str],
}

/// Options that make clang load or run something, or that redirect which files it reads: how they
/// begin, without the first of two dashes, and why they are refused. They are looked for wherever
/// an option can stand, also behind `-Xclang` and similar options.
pub(super) const REFUSED: &[(&str, &str)] = &[
    // Plugins, of clang and of GCC.
    ("-add-plugin", LOADS),
    ("-fpass-plugin", LOADS),
    ("-fplugin", LOADS),
    ("-iplugindir", LOADS),
    ("-load", LOADS),
    ("-plugin", LOADS),
    // Programs. libclang 22 runs the one that `--nvptx-arch-tool` names to find out which GPU there
    // is, when it also gets `-fopenmp --offload-arch=native`.
    ("-amdgpu-arch-tool", RUNS),
    ("-fmodule-mapper", RUNS),
    ("-nvptx-arch-tool", RUNS),
    ("-offload-arch-tool", RUNS),
    ("-wrapper", RUNS),
    // Where the driver looks for programs and for its own parts.
    ("-B", RUNS),
    ("-ccc-", RUNS),
    ("-prefix", RUNS),
    ("-fopenmp-targets", RUNS),
    // Files with more options.
    ("-config", OPTIONS_FILE),
    ("-specs", OPTIONS_FILE),
    // The front end's own command line, on which the driver's options mean other things.
    ("-cc1", "it bypasses the compiler's driver"),
    // Other files in place of those that are named.
    ("-ivfsoverlay", REDIRECTS),
    ("-ivfsstatcache", REDIRECTS),
    ("-vfsoverlay", REDIRECTS),
    // Files that clang wrote earlier. clang trusts their content.
    ("-include-pch", PRECOMPILED),
    ("-fcxx-modules", PRECOMPILED),
    ("-fmodule", PRECOMPILED),
    ("-fprebuilt-", PRECOMPILED),
];

const LOADS: &str = "it makes the compiler load a plugin";
const RUNS: &str = "it makes the compiler run another program";
const OPTIONS_FILE: &str = "it makes the compiler read more options from a file";
const REDIRECTS: &str = "it makes the compiler read files other than those that are named";
const PRECOMPILED: &str = "it makes the compiler read or write precompiled files";

/// All options that are neither refused nor simply dropped.
pub(super) const GROUPS: &[OptionGroup] = &[
    // Macros. The long names are GCC's, which clang takes too.
    OptionGroup { form: Either, verdict: KeepValue, names: &["-D", "-U"] },
    OptionGroup { form: Separate, verdict: KeepValue, names: &["--define-macro", "--undefine-macro"] },
    OptionGroup { form: Joined, verdict: Keep, names: &["--define-macro=", "--undefine-macro="] },
    // The header search path.
    OptionGroup {
        form: Either,
        verdict: KeepValue,
        names: &[
            "-F",
            "-I",
            "-idirafter",
            "-iframework",
            "-iframeworkwithsysroot",
            "-iprefix",
            "-iquote",
            "-isysroot",
            "-isystem",
            "-isystem-after",
            "-iwithprefix",
            "-iwithprefixbefore",
            "-iwithsysroot",
        ],
    },
    OptionGroup { form: Separate, verdict: KeepValue, names: &["--include-directory"] },
    OptionGroup {
        form: Joined,
        verdict: Keep,
        names: &["--include-directory=", "--gcc-toolchain=", "--gcc-install-dir="],
    },
    OptionGroup { form: Separate, verdict: KeepAs("--sysroot="), names: &["--sysroot"] },
    OptionGroup { form: Joined, verdict: KeepAs("--sysroot="), names: &["--sysroot="] },
    OptionGroup { form: Alone, verdict: Keep, names: &["-nostdinc", "-nostdlibinc", "--no-standard-includes"] },
    // Files read before the C file. `-I-` splits the search path in old GCC; clang fails on it.
    OptionGroup { form: Either, verdict: ForceInclude, names: &["-include"] },
    OptionGroup { form: Separate, verdict: ForceInclude, names: &["--include"] },
    OptionGroup { form: Joined, verdict: ForceInclude, names: &["--include="] },
    OptionGroup { form: Either, verdict: KeepValue, names: &["-imacros"] },
    OptionGroup { form: Separate, verdict: KeepValue, names: &["--imacros"] },
    OptionGroup { form: Joined, verdict: Keep, names: &["--imacros="] },
    OptionGroup { form: Alone, verdict: Drop, names: &["-I-"] },
    // The language and its dialect.
    OptionGroup { form: Either, verdict: Language, names: &["-x"] },
    OptionGroup { form: Separate, verdict: Language, names: &["--language"] },
    OptionGroup { form: Joined, verdict: Language, names: &["--language="] },
    OptionGroup { form: Joined, verdict: DriverMode, names: &["--driver-mode="] },
    OptionGroup { form: Joined, verdict: Standard, names: &["-std=", "--std="] },
    OptionGroup {
        form: Alone,
        verdict: Keep,
        names: &[
            "-ansi",
            "--ansi",
            "-fasm",
            "-fno-asm",
            "-fblocks",
            "-fno-blocks",
            "-fbuiltin",
            "-fno-builtin",
            "-fdeclspec",
            "-fno-declspec",
            "-fdollars-in-identifiers",
            "-fno-dollars-in-identifiers",
            "-ffreestanding",
            "-fhosted",
            "-fgnu-keywords",
            "-fno-gnu-keywords",
            "-fgnu89-inline",
            "-fno-gnu89-inline",
            "-flax-vector-conversions",
            "-fno-lax-vector-conversions",
            "-fms-compatibility",
            "-fno-ms-compatibility",
            "-fms-extensions",
            "-fno-ms-extensions",
            "-ftrigraphs",
            "-fno-trigraphs",
            "-trigraphs",
            "--trigraphs",
            "-undef",
        ],
    },
    OptionGroup {
        form: Joined,
        verdict: Keep,
        names: &["-fno-builtin-", "-fbracket-depth=", "-fgnuc-version=", "-flax-vector-conversions="],
    },
    // The layout and the signs of types.
    OptionGroup {
        form: Alone,
        verdict: Keep,
        names: &[
            "-fpack-struct",
            "-fno-pack-struct",
            "-fshort-enums",
            "-fno-short-enums",
            "-fshort-wchar",
            "-fno-short-wchar",
            "-fsigned-bitfields",
            "-funsigned-bitfields",
            "-fsigned-char",
            "-fno-signed-char",
            "-funsigned-char",
            "-fno-unsigned-char",
        ],
    },
    OptionGroup { form: Joined, verdict: Keep, names: &["-fpack-struct="] },
    // Code generation that headers can see, by `__OPTIMIZE__`, `__PIC__`, `_REENTRANT`, `_OPENMP`,
    // `__SANITIZE_ADDRESS__` and `__EXCEPTIONS`.
    OptionGroup { form: Joined, verdict: Optimise, names: &["-O"] },
    OptionGroup {
        form: Alone,
        verdict: Keep,
        names: &[
            "-fPIC",
            "-fno-PIC",
            "-fpic",
            "-fno-pic",
            "-fPIE",
            "-fno-PIE",
            "-fpie",
            "-fno-pie",
            "-pthread",
            "-fexceptions",
            "-fno-exceptions",
        ],
    },
    OptionGroup { form: Joined, verdict: Keep, names: &["-fsanitize=", "-fno-sanitize="] },
    // libclang shows nothing of a region that OpenMP runs in parallel. Without the option, the code
    // is read as it is written.
    OptionGroup { form: Alone, verdict: OpenMp(true), names: &["-fopenmp"] },
    OptionGroup { form: Joined, verdict: OpenMp(true), names: &["-fopenmp="] },
    OptionGroup { form: Alone, verdict: OpenMp(false), names: &["-fno-openmp"] },
    OptionGroup { form: Alone, verdict: Ignore, names: &["-fopenmp-simd", "-fno-openmp-simd"] },
    OptionGroup { form: Joined, verdict: Ignore, names: &["-fopenmp-version="] },
    // The target. Options that begin with `-m` are too many to list; the exceptions are below.
    OptionGroup { form: Separate, verdict: Target, names: &["-target"] },
    OptionGroup { form: Joined, verdict: Target, names: &["--target="] },
    OptionGroup { form: Joined, verdict: Machine, names: &["-m"] },
    // Not target options, or with the value in the next word (clang 19's own list of options).
    OptionGroup {
        form: Separate,
        verdict: Drop,
        names: &["-meabi", "-mthread-model", "-module-dependency-dir", "-multiply_defined", "-multiply_defined_unused"],
    },
    OptionGroup {
        form: Joined,
        verdict: Drop,
        names: &["-main-file-name", "-migrate", "-mlink-", "-module-", "-mrelocation-model"],
    },
    // Target options of GCC that choose code and that clang does not know, or not for every target
    // (`gcc --help=target` of GCC 12, each tried with clang 19).
    OptionGroup {
        form: Joined,
        verdict: Drop,
        names: &[
            "-maddress-mode=",
            "-malign-data=",
            "-malign-functions=",
            "-malign-jumps=",
            "-malign-loops=",
            "-mbranch-cost=",
            "-mfentry-name=",
            "-mfentry-section=",
            "-mfunction-return=",
            "-mincoming-stack-boundary=",
            "-mindirect-branch",
            "-minstrument-return=",
            "-mmemcpy-strategy=",
            "-mmemset-strategy=",
            "-mmove-max=",
            "-mno-indirect-branch",
            "-mpreferred-stack-boundary=",
            "-mrecip=",
            "-mstore-max=",
            "-mstringop-strategy=",
            "-mtune-ctrl=",
            "-mveclibabi=",
        ],
    },
    OptionGroup {
        form: Alone,
        verdict: Drop,
        names: &[
            "-m8bit-idiv",
            "-mno-8bit-idiv",
            "-maccumulate-outgoing-args",
            "-mno-accumulate-outgoing-args",
            "-malign-stringops",
            "-mno-align-stringops",
            "-mavx256-split-unaligned-load",
            "-mno-avx256-split-unaligned-load",
            "-mavx256-split-unaligned-store",
            "-mno-avx256-split-unaligned-store",
            "-mcall-ms2sysv-xlogues",
            "-mno-call-ms2sysv-xlogues",
            "-mcet-switch",
            "-mno-cet-switch",
            "-mcld",
            "-mno-cld",
            "-mdirect-extern-access",
            "-mno-direct-extern-access",
            "-mdispatch-scheduler",
            "-mdump-tune-features",
            "-mno-default",
            "-mno-fancy-math-387",
            "-mno-fentry",
            "-mforce-drap",
            "-mno-force-drap",
            "-mforce-indirect-call",
            "-mno-force-indirect-call",
            "-mfp-ret-in-387",
            "-mno-fp-ret-in-387",
            "-mfused-madd",
            "-mno-fused-madd",
            "-minline-all-stringops",
            "-mno-inline-all-stringops",
            "-minline-stringops-dynamically",
            "-mno-inline-stringops-dynamically",
            "-mintel-syntax",
            "-mno-intel-syntax",
            "-mmanual-endbr",
            "-mno-manual-endbr",
            "-mmitigate-rop",
            "-mno-mitigate-rop",
            "-mneeded",
            "-mno-needed",
            "-mnop-mcount",
            "-mno-nop-mcount",
            "-mprefer-avx128",
            "-mno-prefer-avx128",
            "-mpush-args",
            "-mno-push-args",
            "-mno-recip",
            "-mrecord-mcount",
            "-mno-record-mcount",
            "-mrecord-return",
            "-mno-record-return",
            "-mrelax-cmpxchg-loop",
            "-mno-relax-cmpxchg-loop",
            "-mskip-rax-setup",
            "-mno-skip-rax-setup",
            "-msse2avx",
            "-mno-sse2avx",
            "-mstv",
            "-mno-stv",
            "-mvect8-ret-in-mem",
            "-mno-vect8-ret-in-mem",
        ],
    },
    // Options for another stage.
    OptionGroup { form: Separate, verdict: Carry, names: &["-Xclang", "-Xpreprocessor"] },
    OptionGroup { form: Joined, verdict: Split("-Xclang"), names: &["-Xclang="] },
    OptionGroup { form: Joined, verdict: Split("-Xpreprocessor"), names: &["-Wp,"] },
    OptionGroup { form: Separate, verdict: CarryAway, names: &["-mllvm", "-mmlir", "-Xanalyzer", "-Xopenmp-target"] },
    OptionGroup { form: Joined, verdict: CarryAway, names: &["-Xarch_", "-Xopenmp-target="] },
    OptionGroup { form: Joined, verdict: Split("-mllvm"), names: &["-mllvm="] },
    // The linker's and the assembler's: a linker's plugin is no business of a run that only parses.
    OptionGroup {
        form: Separate,
        verdict: Drop,
        names: &["-Xassembler", "-Xcuda-fatbinary", "-Xcuda-ptxas", "-Xlinker", "-Xoffload-linker"],
    },
    // The compiler's output.
    OptionGroup { form: Either, verdict: Output, names: &["-o"] },
    OptionGroup { form: Separate, verdict: Output, names: &["--output"] },
    OptionGroup { form: Joined, verdict: Output, names: &["--output="] },
    // Other options with a value in the next argument. They are listed so that the value is not
    // taken for an option.
    OptionGroup {
        form: Either,
        verdict: Drop,
        names: &[
            "-A",
            "-G",
            "-L",
            "-MF",
            "-MJ",
            "-MQ",
            "-MT",
            "-T",
            "-cxx-isystem",
            "-e",
            "-l",
            "-stdlib++-isystem",
            "-u",
            "-z",
        ],
    },
    OptionGroup {
        form: Separate,
        verdict: Drop,
        names: &[
            "--analyzer-output",
            "--assert",
            "--param",
            "--serialize-diagnostics",
            "-allowable_client",
            "-arch",
            "-aux-info",
            "-compatibility_version",
            "-current_version",
            "-darwin-target-variant",
            "-dependency-dot",
            "-dependency-file",
            "-dumpbase",
            "-dumpbase-ext",
            "-dumpdir",
            "-fdebug-compilation-dir",
            "-framework",
            "-gen-cdb-fragment-path",
            "-iapinotes-modules",
            "-imultilib",
            "-install_name",
            "-resource-dir",
            "-rpath",
            "-serialize-diagnostics",
            "-undefined",
            "-weak_framework",
            "-working-directory",
        ],
    },
];

/// An option's group and its name.
pub(super) type Named = (&'static OptionGroup, &'static str);

/// The longest listed name that an argument begins with, and its group.
pub(super) fn look_up(word: &[u8]) -> Option<Named> {
    let fits = |group: &OptionGroup, name: &str| match group.form {
        Alone | Separate => word == name.as_bytes(),
        Joined | Either => word.starts_with(name.as_bytes()),
    };
    let candidates = BY_LETTER.get(&word.get(1).copied())?.iter();
    candidates.filter(|(group, name)| fits(group, name)).max_by_key(|(_, name)| name.len()).copied()
}

/// The names by the character after the first dash: the database of QEMU has 200,000 arguments.
static BY_LETTER: LazyLock<HashMap<Option<u8>, Vec<Named>>> = LazyLock::new(|| {
    let mut by_letter: HashMap<_, Vec<Named>> = HashMap::new();
    for group in GROUPS {
        for name in group.names {
            by_letter.entry(name.as_bytes().get(1).copied()).or_default().push((group, *name));
        }
    }
    by_letter
});

/// Why an argument is refused, if it is.
pub(super) fn refusal(word: &[u8]) -> Option<&'static str> {
    // clang writes some options with one dash and some with two, and LLVM's options (`-mllvm`) may
    // have either.
    let option = if word.starts_with(b"--") { word.get(1..).unwrap_or_default() } else { word };
    REFUSED.iter().find(|(beginning, _)| option.starts_with(beginning.as_bytes())).map(|(_, reason)| *reason)
}
