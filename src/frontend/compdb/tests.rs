//! Tests of the whole module: words in, units and refusals out.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::command_line::{self, RefusedWord};
use super::compiler::{self, Compiler, is_target};
use super::options::{self, GROUPS, OptionForm, OptionGroup, REFUSED, Verdict};
use super::vet::{Arguments, Vetted, vet};
use super::{Database, Error, Language, RefusedEntry, Unit, find, read, single};

// What the tests share.

fn bytes(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn texts(words: &[OsString]) -> Vec<String> {
    words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

fn vet_file(file: &str, words: &[&str]) -> Vetted {
    vet(Path::new(file), Path::new("/src"), Compiler::default(), bytes(words), &[])
}

fn arguments(words: &[&str]) -> Arguments {
    match vet_file("/src/a.c", words) {
        Vetted::Unit(arguments) => arguments,
        other => panic!("{words:?} became {other:?}"),
    }
}

fn kept(words: &[&str]) -> Vec<String> {
    texts(&arguments(words).kept)
}

/// The word that was refused.
fn refused(words: &[&str]) -> String {
    match vet_file("/src/a.c", words) {
        Vetted::Refused(RefusedWord { word, reason }) => {
            assert!(!reason.is_empty() && !reason.ends_with('.'), "{reason}");
            String::from_utf8(word).unwrap()
        }
        other => panic!("{words:?} became {other:?}"),
    }
}

fn language(file: &str, words: &[&str]) -> Language {
    match vet_file(file, words) {
        Vetted::Unit(_) => Language::C,
        Vetted::Other(language) => language,
        other => panic!("{other:?}"),
    }
}

/// A directory with `compile_commands.json` of this text.
fn database_directory(json: impl AsRef<[u8]>) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("compile_commands.json"), json).unwrap();
    directory
}

fn read_text(json: impl AsRef<[u8]>) -> Result<Database, Error> {
    read(&database_directory(json).path().join("compile_commands.json"), usize::MAX)
}

fn units(json: &str) -> Vec<Unit> {
    let database = read_text(json).unwrap();
    assert_eq!(database.refused, []);
    database.units
}

fn error(json: impl AsRef<[u8]>) -> String {
    read_text(json).unwrap_err().to_string()
}

/// A small generator of numbers (Knuth's MMIX constants), so that a failure can be had again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound
    }
}

// Splitting.

#[test]
fn a_command_is_split_as_a_shell_would() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("  cc\t-c\n a.c ", &["cc", "-c", "a.c"]),
        (r#"cc -D'X="a b"'"#, &["cc", r#"-DX="a b""#]),
        (r#"cc "-DX=\"a b\"""#, &["cc", r#"-DX="a b""#]),
        (r#"cc -DX=\"a\ b\""#, &["cc", r#"-DX="a b""#]),
        (r#"cc "a\nb" 'a\nb' a\nb"#, &["cc", r"a\nb", r"a\nb", "anb"]),
        (r#"cc "" '' x"#, &["cc", "", "", "x"]),
        (r#"cc $HOME `id` $(id) * ~"#, &["cc", "$HOME", "`id`", "$(id)", "*", "~"]),
        ("cc a\\\nb", &["cc", "ab"]),
        ("cc -DX=#1", &["cc", "-DX=#1"]),
    ];
    for (command, expected) in cases {
        assert_eq!(command_line::split(command.as_bytes()), Some(bytes(expected)), "{command}");
    }
    for command in ["cc 'a", "cc \"a", "cc a\\", "cc \"a\\\""] {
        assert_eq!(command_line::split(command.as_bytes()), None, "{command}");
    }
}

#[test]
fn splitting_gives_back_what_was_quoted() {
    let mut numbers = Numbers(1);
    let alphabet = b"ab \t\n'\"\\$`#*@-=!;&|<>(){}[]~\x80\xff\xc3";
    for _ in 0..2000 {
        let words: Vec<Vec<u8>> = (0..numbers.below(6))
            .map(|_| (0..numbers.below(8)).map(|_| alphabet[numbers.below(alphabet.len())]).collect())
            .collect();
        // The plainest quoting there is, independent of the crate that splits.
        let mut command = Vec::new();
        for word in &words {
            command.push(b'\'');
            for byte in word {
                match byte {
                    b'\'' => command.extend(br"'\''"),
                    byte => command.push(*byte),
                }
            }
            command.extend(b"' ");
        }
        assert_eq!(command_line::split(&command), Some(words), "{}", String::from_utf8_lossy(&command));
    }
}

// Compilers.

#[test]
fn the_compiler_is_found_behind_launchers() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["cc", "-c"], &["-c"]),
        (&["/usr/bin/gcc-12", "-c"], &["-c"]),
        (&["ccache", "gcc", "-c"], &["-c"]),
        (&["/usr/bin/ccache", "distcc", "/usr/bin/cc", "-c"], &["-c"]),
        (&["sccache", "clang-19", "-c"], &["-c"]),
        (&["icecc", "c99", "-c"], &["-c"]),
        (&["FOO=bar", "cc", "-c"], &["-c"]),
        (&["env", "-i", "FOO=bar", "BAZ=", "cc", "-c"], &["-c"]),
        (&["env", "-u", "FOO", "cc", "-c"], &["-c"]),
        (&["libtool", "--mode=compile", "--tag=CC", "gcc", "-c"], &["-c"]),
        (&["./wrapper", "gcc", "-c"], &["-c"]),
        // A name like a launcher's is only a launcher in front.
        (&["cc", "-I", "ccache", "gcc"], &["-I", "ccache", "gcc"]),
        // A compiler of unknown name, and a value that is called as a compiler is.
        (&["mycc", "-I", "cc", "-c"], &["-I", "cc", "-c"]),
        (&["mycc", "-I", "FOO=bar", "-c"], &["-I", "FOO=bar", "-c"]),
        // No compiler at all.
        (&["-DX", "a.c"], &["-DX", "a.c"]),
        (&["ccache"], &[]),
    ];
    for (words, expected) in cases {
        assert_eq!(compiler::split_off(&bytes(words)).1, bytes(expected), "{words:?}");
    }
}

#[test]
fn a_cross_compiler_names_the_target() {
    let cases = [
        ("aarch64-linux-gnu-gcc", Some("aarch64-linux-gnu")),
        ("/opt/bin/aarch64-linux-gnu-gcc-12.3", Some("aarch64-linux-gnu")),
        ("x86_64-w64-mingw32-gcc-12-posix", Some("x86_64-w64-mingw32")),
        ("arm-none-eabi-gcc.exe", Some("arm-none-eabi")),
        ("armv7a-linux-androideabi21-clang", Some("armv7a-linux-androideabi21")),
        ("gcc", None),
        ("gcc-12", None),
        ("clang19", None),
        ("afl-gcc", None),
        ("tricore-elf-gcc", None),
        ("amdgcn-amd-amdhsa-clang", None),
    ];
    for (name, expected) in cases {
        let words = bytes(&[name, "-c"]);
        let (compiler, rest) = compiler::split_off(&words);
        assert_eq!(compiler.target.as_deref(), expected, "{name}");
        assert_eq!(rest, bytes(&["-c"]), "{name}");
    }

    let vetted = |words: &[&str]| {
        let compiler = Compiler { target: Some("aarch64-linux-gnu".to_owned()), cxx: false };
        match vet(Path::new("/src/a.c"), Path::new("/src"), compiler, bytes(words), &[]) {
            Vetted::Unit(arguments) => texts(&arguments.kept),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(vetted(&["-DX"]), ["--target=aarch64-linux-gnu", "-D", "X"]);
    assert_eq!(vetted(&["-target", "arm-linux"]), ["--target=arm-linux"]);
    assert_eq!(vetted(&["--target=arm-linux"]), ["--target=arm-linux"]);
    // This is not a target for the driver.
    assert_eq!(vetted(&["-Xclang", "--target=arm-linux"]), ["--target=aarch64-linux-gnu"]);
}

// Languages.

#[test]
fn the_language_is_by_extension() {
    let cases = [
        ("a.c", Language::C),
        ("a.i", Language::C),
        ("a.h", Language::CHeader),
        ("a.C", Language::Cxx),
        ("a.cc", Language::Cxx),
        ("a.cpp", Language::Cxx),
        ("a.cxx", Language::Cxx),
        ("a.c++", Language::Cxx),
        ("a.m", Language::ObjectiveC),
        ("a.mm", Language::ObjectiveCxx),
        ("a.s", Language::Assembler),
        ("a.S", Language::Assembler),
        ("a.asm", Language::Assembler),
        ("a.rs", Language::Rust),
        ("a.f", Language::Fortran),
        ("a.f90", Language::Fortran),
        ("a.d", Language::D),
        ("a.cu", Language::Cuda),
        ("a.c.in", Language::Unknown),
        ("c", Language::Unknown),
    ];
    for (name, expected) in cases {
        assert_eq!(language(&format!("/src/{name}"), &[name]), expected, "{name}");
    }
}

#[test]
fn the_language_is_by_the_option_in_force_at_the_file() {
    let cases: &[(&str, &[&str], Language)] = &[
        ("/src/a.c", &["-x", "c++", "a.c"], Language::Cxx),
        ("/src/a.c", &["-xc++", "a.c"], Language::Cxx),
        ("/src/a.c", &["--language=c++", "a.c"], Language::Cxx),
        ("/src/a.c", &["--language", "objective-c", "a.c"], Language::ObjectiveC),
        ("/src/a.cc", &["-x", "c", "a.cc"], Language::C),
        ("/src/a.c", &["a.c", "-x", "c++", "b.c"], Language::C),
        ("/src/a.c", &["-x", "c++", "b.c", "-x", "none", "a.c"], Language::C),
        ("/src/a.c", &["-x", "c++", "--", "a.c"], Language::Cxx),
        ("/src/a.c", &["-x", "c++", "sub/../a.c", "-x", "c"], Language::Cxx),
        // The file is not among the words, or the option is not for the driver.
        ("/src/a.c", &["-x", "c++"], Language::Cxx),
        ("/src/a.c", &["-Xclang", "-x", "-Xclang", "c++", "a.c"], Language::C),
        ("/src/a.c", &["-x", "ir", "a.c"], Language::Unknown),
        ("/src/a.c", &["-x", "c-header", "a.c"], Language::CHeader),
        ("/src/a.c", &["--driver-mode=g++", "a.c"], Language::Cxx),
        ("/src/a.c", &["--driver-mode=gcc", "a.c"], Language::C),
    ];
    for (file, words, expected) in cases {
        assert_eq!(language(file, words), *expected, "{words:?}");
    }
    assert_eq!(refused(&["--driver-mode=cl", "a.c"]), "--driver-mode=cl");
}

#[test]
fn libclang_is_told_the_language_only_when_the_name_does_not() {
    let kept = |file, words: &[&str]| match vet_file(file, words) {
        Vetted::Unit(arguments) => texts(&arguments.kept),
        other => panic!("{other:?}"),
    };
    assert_eq!(kept("/src/a.c", &["-x", "c", "a.c"]), [""; 0]);
    assert_eq!(kept("/src/a.cc", &["-xc", "a.cc"]), ["-x", "c"]);
    assert_eq!(kept("/src/a.i", &["a.i"]), [""; 0]);
    assert_eq!(kept("/src/a.c", &["-x", "cpp-output", "a.c"]), ["-x", "cpp-output"]);
}

#[test]
fn a_cxx_driver_takes_c_for_cxx() {
    let database = r#"[{"file": "a.c", "arguments": ["g++", "-c", "a.c"]},
        {"file": "b.c", "arguments": ["clang++-19", "-x", "c", "b.c"]}]"#;
    let database = read_text(database).unwrap();
    assert_eq!(database.other_languages.into_iter().collect::<Vec<_>>(), [(Language::Cxx, 1)]);
    assert_eq!(database.units.len(), 1);
}

// Vetting.

#[test]
fn what_changes_the_meaning_is_kept() {
    // Words, and what becomes of them.
    let cases: &[(&[&str], &[&str])] = &[
        (&["-DX=1", "-D", "Y", "-UZ", "-U", "W"], &["-D", "X=1", "-D", "Y", "-U", "Z", "-U", "W"]),
        (&["-DX=\"a b\""], &["-D", "X=\"a b\""]),
        (&["-Iinc", "-I", "../inc"], &["-I", "inc", "-I", "../inc"]),
        (&["-isystem", "/a", "-isystem/b"], &["-isystem", "/a", "-isystem", "/b"]),
        (&["-isystem-after", "/a"], &["-isystem-after", "/a"]),
        (&["-iquote", "a", "-idirafterb"], &["-iquote", "a", "-idirafter", "b"]),
        (
            &["-iprefix", "p", "-iwithprefix", "a", "-iwithprefixbefore", "b"],
            &["-iprefix", "p", "-iwithprefix", "a", "-iwithprefixbefore", "b"],
        ),
        (&["-isysroot", "/s", "--sysroot=/t", "--sysroot", "/u"], &["-isysroot", "/s", "--sysroot=/t", "--sysroot=/u"]),
        (&["-imacros", "m.h", "-imacrosn.h"], &["-imacros", "m.h", "-imacros", "n.h"]),
        (&["-nostdinc", "-nostdlibinc", "-undef"], &["-nostdinc", "-nostdlibinc", "-undef"]),
        (&["-ansi", "-std=gnu11", "--std=c99", "-trigraphs"], &["-ansi", "-std=gnu11", "--std=c99", "-trigraphs"]),
        (&["-pthread", "-O", "-O2", "-Os", "-Ofast", "-Og"], &["-pthread", "-O", "-O2", "-Os", "-Ofast", "-Og"]),
        (&["-m64", "-mavx2", "-mcx16", "-msse4.1"], &["-m64", "-mavx2", "-mcx16", "-msse4.1"]),
        (&["-march=armv8-a+crc", "-mcpu=native"], &["-march=armv8-a+crc", "-mcpu=native"]),
        (&["-target", "arm-none-eabi"], &["--target=arm-none-eabi"]),
        (&["--gcc-toolchain=/opt/gcc"], &["--gcc-toolchain=/opt/gcc"]),
        (&["-fshort-enums", "-fshort-wchar"], &["-fshort-enums", "-fshort-wchar"]),
        (&["-funsigned-char", "-fno-signed-char"], &["-funsigned-char", "-fno-signed-char"]),
        (&["-fpack-struct=4", "-fms-extensions", "-fblocks"], &["-fpack-struct=4", "-fms-extensions", "-fblocks"]),
        (
            &["-fno-builtin", "-fno-builtin-memcpy", "-ffreestanding", "-fhosted", "-fgnu89-inline"],
            &["-fno-builtin", "-fno-builtin-memcpy", "-ffreestanding", "-fhosted", "-fgnu89-inline"],
        ),
        (&["-O2", "-fopenmp", "-fopenmp-simd"], &["-D", "_OPENMP=201511", "-O2"]),
        (&["-fopenmp=libomp", "-fno-openmp", "-fopenmp-version=51"], &[]),
        (&["-fPIC", "-fpie", "-fno-pic"], &["-fPIC", "-fpie", "-fno-pic"]),
        (&["-fsanitize=address,undefined", "-fexceptions"], &["-fsanitize=address,undefined", "-fexceptions"]),
        (&["-fno-sanitize=all", "-fno-exceptions"], &["-fno-sanitize=all", "-fno-exceptions"]),
    ];
    for (words, expected) in cases {
        assert_eq!(kept(words), *expected, "{words:?}");
        assert_eq!(arguments(words).dropped, [""; 0], "{words:?}");
    }
}

#[test]
fn a_forced_include_does_not_become_a_precompiled_header() {
    // The driver would look for `f.h.pch` and `f.h.gch`.
    let expected = ["-Xclang", "-include", "-Xclang", "f.h"];
    for words in [
        &["-include", "f.h"][..],
        &["-includef.h"],
        &["--include", "f.h"],
        &["--include=f.h"],
        &["-Xclang", "-include", "-Xclang", "f.h"],
        &["-Wp,-include,f.h"],
        &["-Xpreprocessor", "-include", "-Xpreprocessor", "f.h"],
    ] {
        assert_eq!(kept(words), expected, "{words:?}");
    }
}

#[test]
fn what_does_not_change_the_meaning_is_dropped() {
    let words = [
        "-Wall",
        "-Wno-unused",
        "-Werror=vla",
        "-Wa,-v",
        "-Wl,-plugin,x.so",
        "-g",
        "-g3",
        "-ggdb",
        "-gdwarf-4",
        "-c",
        "-S",
        "-E",
        "-M",
        "-MD",
        "-MMD",
        "-MP",
        "-s",
        "-static",
        "-shared",
        "-pipe",
        "-v",
        "-###",
        "-save-temps",
        "-save-temps=obj",
        "-fno-strict-aliasing",
        "-fstrict-aliasing",
        "-fstack-protector-strong",
        "-fvisibility=x",
        "-ftime-trace=x",
        "-fuse-ld=lld",
        "-flto",
        "-fcrash-diagnostics-dir=x",
        "-fsanitize-ignorelist=x",
        "-lfoo",
        "-Lfoo",
        "--coverage",
        "-Qunused-arguments",
        "-Tx.ld",
        "-mindirect-branch=thunk-extern",
        "-mrecord-mcount",
        "-mpreferred-stack-boundary=4",
        "-mno-fp-ret-in-387",
        "-mfunction-return=thunk-extern",
        "-mskip-rax-setup",
        "-mindirect-branch-register",
        "-ObjC",
        "-w",
        "-pedantic",
        "-std=c++17",
        "-std=gnu++20",
        "-I-",
        "-unknown",
        "--unknown=x",
        "--no-default-config",
        "-m../x",
        "-m",
        "-emit-llvm",
        "--offload-arch=native",
        "--rsp-quoting=windows",
        "-",
        "other.c",
        "other.o",
        "",
    ];
    let arguments = arguments(&words);
    assert_eq!(texts(&arguments.kept), [""; 0]);
    assert_eq!(texts(&arguments.dropped), words);
}

#[test]
fn a_dropped_option_takes_its_value_along() {
    // Were the values not taken along, `-DX` would be kept and `-fplugin=x` refused.
    for option in [
        "-MF",
        "-MT",
        "-MQ",
        "-MJ",
        "-o",
        "-l",
        "-L",
        "-T",
        "-u",
        "-z",
        "-e",
        "-A",
        "-G",
        "--param",
        "-Xlinker",
        "-Xassembler",
        "--serialize-diagnostics",
        "-serialize-diagnostics",
        "-aux-info",
        "-dumpbase",
        "-arch",
        "-framework",
        "-resource-dir",
        "-working-directory",
        "-mthread-model",
        "-meabi",
        "-module-dependency-dir",
    ] {
        for value in ["-DX", "-fplugin=x"] {
            assert_eq!(kept(&[option, value, "-DY"]), ["-D", "Y"], "{option} {value}");
        }
    }
}

#[test]
fn options_for_a_preprocessor_are_vetted_one_by_one() {
    assert_eq!(kept(&["-Wp,-MD,a.d", "-DX"]), ["-D", "X"]);
    assert_eq!(kept(&["-Wp,-DX,-UY,-I,inc,-undef"]), ["-D", "X", "-U", "Y", "-I", "inc", "-undef"]);
    assert_eq!(kept(&["-Wp,-D,X"]), ["-D", "X"]);
    assert_eq!(kept(&["-Xpreprocessor", "-D", "-Xpreprocessor", "X"]), ["-D", "X"]);
    assert_eq!(kept(&["-Wp,-D_FORTIFY_SOURCE=2", "-Wp,"]), ["-D", "_FORTIFY_SOURCE=2"]);
    // The value is not taken from beyond the preprocessor's words, as GCC does not either.
    assert_eq!(kept(&["-Wp,-D", "-DX"]), ["-D", "X"]);
    assert_eq!(kept(&["-Xpreprocessor", "-D", "-UX"]), ["-U", "X"]);
    // What is no option there is no input file and no end of options either.
    assert_eq!(kept(&["-Wp,--,a.c", "-DX"]), ["-D", "X"]);
    assert_eq!(kept(&["-Xpreprocessor"]), [""; 0]);
}

#[test]
fn options_for_the_front_end_are_dropped_unless_they_mean_the_same() {
    let words = ["-Xclang", "-fno-something", "-Xclang", "-main-file-name", "-Xclang", "x", "-DX"];
    assert_eq!(kept(&words), ["-D", "X"]);
    assert_eq!(kept(&["-Xclang", "-D", "-Xclang", "X"]), ["-D", "X"]);
    assert_eq!(kept(&["-Xclang", "-mfoo", "-Xclang", "-O2", "-Xclang", "-std=c99"]), [""; 0]);
    assert_eq!(kept(&["-mllvm", "-DX", "-DY"]), ["-D", "Y"]);
    assert_eq!(kept(&["-mllvm", "--inline-threshold=1"]), [""; 0]);
    assert_eq!(kept(&["-Xarch_x86_64", "-DX"]), [""; 0]);
}

#[test]
fn what_loads_runs_or_redirects_is_refused() {
    let words = [
        "-fplugin=x.so",
        "-fplugin=",
        "-fplugin-arg-x-y",
        "-fpass-plugin=x.so",
        "-load",
        "-load=x.so",
        "-plugin",
        "-add-plugin",
        "-plugin-arg-x",
        "-wrapper",
        "--config",
        "--config=x",
        "--config-system-dir=x",
        "--config-user-dir=x",
        "-B",
        "-Bx",
        "--prefix=x",
        "--prefix",
        "-specs=x",
        "--specs=x",
        "-specs",
        "--specs",
        "-ivfsoverlay",
        "-ivfsoverlayx",
        "--vfsoverlay",
        "-vfsoverlay",
        "-ivfsstatcache",
        "-include-pch",
        "-include-pchx",
        "-fmodule-file=x",
        "-fmodules",
        "-fmodules-cache-path=x",
        "-fmodule-map-file=x",
        "-fprebuilt-module-path=x",
        "-fmodule-mapper=|x",
        "-ccc-gcc-name",
        "-ccc-install-dir",
        "-cc1",
        "-cc1as",
        "-iplugindir=x",
        "--nvptx-arch-tool=x",
        "--amdgpu-arch-tool=x",
        "--offload-arch-tool=x",
        "-fopenmp-targets=amdgcn-amd-amdhsa",
    ];
    for word in words {
        assert_eq!(refused(&["-DX", word, "x", "a.c"]), word);
        // However it gets to clang.
        for carrier in ["-Xclang", "-Xpreprocessor", "-mllvm", "-Xarch_x86_64", "-Xopenmp-target", "-Xanalyzer"] {
            let expected = format!("{carrier} {word}");
            assert_eq!(refused(&[carrier, word]), expected);
            assert!(refused(&["-Xclang", carrier, "-Xclang", word]).ends_with(word), "{carrier}");
        }
        for carrier in ["-Wp,", "-Wp,-D,X,", "-Wp,-Wp,", "-Xclang=", "-mllvm="] {
            let whole = format!("{carrier}{word}");
            assert_eq!(refused(&[&whole]), whole);
        }
        assert_eq!(refused(&["-Xclang=-Xclang", "-Xclang", word]), format!("-Xclang {word}"));
    }
}

#[test]
fn every_beginning_that_is_refused_is_refused_with_either_dash() {
    for (beginning, _) in REFUSED {
        assert_eq!(refused(&[beginning]), *beginning);
        assert_eq!(refused(&[&format!("-{beginning}")]), format!("-{beginning}"));
    }
}

#[test]
fn a_value_or_an_input_is_not_refused() {
    assert_eq!(kept(&["-o", "-fplugin=x", "--", "-fplugin=x", "-DX"]), [""; 0]);
    assert_eq!(kept(&["-DX=-fplugin=x"]), ["-D", "X=-fplugin=x"]);
    assert_eq!(kept(&["-Xlinker", "-plugin", "-Xlinker", "x.so"]), [""; 0]);
    assert_eq!(kept(&["plugin", "load", "Bx"]), [""; 0]);
}

#[test]
fn a_target_is_a_processor_and_no_path() {
    for triple in ["x86_64-linux-gnu", "aarch64-apple-macos11.0", "riscv64", "thumbv7em-none-eabi"] {
        assert!(is_target(triple.as_bytes()), "{triple}");
        assert_eq!(kept(&["-target", triple]), [format!("--target={triple}")]);
    }
    // libclang reads `evil-clang.cfg` for the first, and runs `amdgpu-arch` for the GPU.
    for triple in ["../evil", "x86_64-../evil", "evil", "amdgcn-amd-amdhsa", "nvptx64-nvidia-cuda", "spirv64"] {
        assert!(!is_target(triple.as_bytes()), "{triple}");
        assert_eq!(refused(&[&format!("--target={triple}")]), format!("--target={triple}"));
        assert_eq!(refused(&["-target", triple]), format!("-target {triple}"));
    }
}

#[test]
fn a_value_cannot_become_an_option() {
    // An empty value would make the next word the value, and the word after that an option.
    assert_eq!(kept(&["-D", "", "-include", "-fplugin=x", "-DX"]), ["-D", "X"]);
    assert_eq!(kept(&["-I", "", "-DX"]), ["-D", "X"]);
    // A retry without the unknown `-mfoo` would shift what follows.
    assert_eq!(kept(&["-D", "-mfoo", "-D", "-fplugin=x", "-mfoo"]), ["-mfoo"]);
    assert_eq!(kept(&["-I", "-fplugin=x", "-DX"]), ["-D", "X"]);
    assert_eq!(kept(&["-include", "-fplugin=x", "-DX"]), ["-D", "X"]);
    assert_eq!(kept(&["-Xclang", "-include", "-Xclang", "-load", "-DX"]), ["-D", "X"]);
    // A value that is missing would be the next argument, whoever adds it.
    for option in ["-D", "-I", "-include", "-isystem", "--sysroot", "-target", "-x", "-Xclang", "-Xpreprocessor"] {
        assert_eq!(kept(&["-DX", option]), ["-D", "X"], "{option}");
    }
    // A response file behind an option is one nevertheless, as for GCC; one that is made later is
    // none.
    assert_eq!(refused(&["-include", "@x"]), "@x");
    assert_eq!(kept(&["-Wp,@x", "-Wp,-D,@x", "-Xclang=@x"]), [""; 0]);
}

#[test]
fn whatever_the_words_only_vetted_options_come_out() {
    let mut vocabulary: Vec<String> = [
        "",
        "-",
        "--",
        "@x",
        "X",
        "a.c",
        "-fplugin=x",
        "-load",
        "-Wp,-D",
        "-Wp,-D,X",
        "-Wp,-include,-load",
        "-Xclang=-include,x",
        "-mfoo",
        "-mllvm=-x",
        "-O3",
        "-std=c99",
        "-std=c++11",
        "--target=arm",
        "-DX",
        "-Ix",
    ]
    .map(str::to_owned)
    .to_vec();
    vocabulary.extend(GROUPS.iter().flat_map(|group| group.names).map(|name| (*name).to_owned()));
    let mut numbers = Numbers(2);
    let mut unit_count = 0;
    for _ in 0..20_000 {
        let words: Vec<&str> = (0..numbers.below(12)).map(|_| &*vocabulary[numbers.below(vocabulary.len())]).collect();
        let Vetted::Unit(Arguments { kept, .. }) = vet_file("/src/a.c", &words) else { continue };
        unit_count += 1;
        for word in kept.iter().map(|word| word.as_bytes()) {
            assert!(!word.starts_with(b"@") && !word.is_empty(), "{words:?} became {kept:?}");
            if word.starts_with(b"-") {
                assert_eq!(options::refusal(word), None, "{words:?} became {kept:?}");
                let is_kept = options::look_up(word).is_some_and(|(group, _)| may_be_kept(group));
                assert!(is_kept, "{words:?} became {kept:?}");
            }
        }
        // Read again, it says the same.
        let again: Vec<&str> = kept.iter().map(|word| word.to_str().unwrap()).collect();
        match vet_file("/src/a.c", &again) {
            Vetted::Unit(second) => assert_eq!(second.kept, kept, "{words:?}"),
            other => panic!("{words:?} became {kept:?} and then {other:?}"),
        }
    }
    assert!(unit_count > 5_000, "{unit_count}");
}

fn may_be_kept(group: &OptionGroup) -> bool {
    !matches!(
        group.verdict,
        Verdict::Drop | Verdict::CarryAway | Verdict::Split(_) | Verdict::Output | Verdict::DriverMode
    )
}

#[test]
fn the_list_of_options_is_in_order() {
    let names: Vec<&str> = GROUPS.iter().flat_map(|group| group.names).copied().collect();
    for (index, name) in names.iter().enumerate() {
        assert!(name.starts_with('-'), "{name}");
        assert_eq!(options::refusal(name.as_bytes()), None, "{name} is refused");
        assert!(!names[..index].contains(name), "{name} is listed twice");
    }
    for group in GROUPS {
        if matches!(group.verdict, Verdict::KeepValue) {
            assert!(matches!(group.form, OptionForm::Separate | OptionForm::Either), "{:?}", group.names);
        }
        if matches!(group.verdict, Verdict::Carry | Verdict::Split(_)) {
            assert!(matches!(group.form, OptionForm::Separate | OptionForm::Joined), "{:?}", group.names);
        }
    }
}

#[test]
fn words_with_nul_are_refused() {
    assert_eq!(refused(&["-DX\0-fplugin=x"]), "-DX\0-fplugin=x");
    let database = read_text(r#"[{"file": "a\u0000.c", "command": "cc -c a.c"}]"#).unwrap();
    assert_eq!(database.units, []);
    assert_eq!(database.refused.len(), 1);
}

#[test]
fn an_entry_of_another_language_is_not_refused() {
    assert_eq!(language("/src/a.cc", &["-fplugin=x", "a.cc"]), Language::Cxx);
    assert_eq!(language("/src/a.cc", &["@missing", "a.cc"]), Language::Cxx);
}

// Response files.

/// Vets `/…/build/a.c`, with `build` as the only root and as the directory.
fn vet_in(root: &Path, words: &[&str]) -> Vetted {
    let build = root.join("build").canonicalize().unwrap();
    vet(&build.join("a.c"), &build, Compiler::default(), bytes(words), std::slice::from_ref(&build))
}

fn response_files(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("build")).unwrap();
    for (name, text) in files {
        fs::write(root.path().join(name), text).unwrap();
    }
    root
}

fn refused_in(root: &Path, words: &[&str]) -> (String, String) {
    match vet_in(root, words) {
        Vetted::Refused(RefusedWord { word, reason }) => (String::from_utf8(word).unwrap(), reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn response_files_are_expanded_in_place() {
    let root = response_files(&[
        ("build/one", "-DA -I 'x y'\n\"-DB=\\\"1\\\"\" -DC\\ D '-DE\\'F' '' @two -x c++"),
        ("build/two", "-DG a.c"),
    ]);
    match vet_in(root.path(), &["-DX", "@one", "-DY"]) {
        Vetted::Unit(arguments) => {
            let expected =
                ["-D", "X", "-D", "A", "-I", "x y", "-D", "B=\"1\"", "-D", "C D", "-D", "E'F", "-D", "G", "-D", "Y"];
            assert_eq!(texts(&arguments.kept), expected);
        }
        other => panic!("{other:?}"),
    }
    // The language in a response file counts.
    assert_eq!(vet_in(root.path(), &["@one", "a.cc"]).language(), Language::C);
    fs::write(root.path().join("build/three"), "-x c++").unwrap();
    assert_eq!(vet_in(root.path(), &["@three", "a.c"]).language(), Language::Cxx);
}

impl Vetted {
    fn language(&self) -> Language {
        match self {
            Vetted::Other(language) => *language,
            _ => Language::C,
        }
    }
}

#[test]
fn response_files_are_vetted() {
    let root = response_files(&[("build/one", "-Xclang"), ("build/two", "-load -Xclang x.so")]);
    assert_eq!(refused_in(root.path(), &["@one", "@two"]).0, "-Xclang -load");
}

#[test]
fn response_files_outside_are_refused() {
    let root = response_files(&[("outside", "-DX"), ("build-outside", "-DX")]);
    symlink(root.path().join("outside"), root.path().join("build/link")).unwrap();
    let absolute = format!("@{}", root.path().join("outside").display());
    for word in ["@../outside", "@link", &absolute, "@/etc/hostname", "@../build-outside"] {
        let (argument, reason) = refused_in(root.path(), &["-DX", word]);
        assert_eq!(argument, word);
        assert!(reason.starts_with("the response file is not below "), "{reason}");
    }
}

#[test]
fn response_files_that_cannot_be_read_are_refused() {
    let root = response_files(&[]);
    for word in ["@missing", "@", "@."] {
        let (argument, reason) = refused_in(root.path(), &[word]);
        assert_eq!(argument, word);
        assert!(reason.contains("cannot be read") || reason.contains("regular file"), "{reason}");
    }
}

#[test]
fn response_files_end() {
    let root = response_files(&[("build/self", "-DX @self"), ("build/a", "@b"), ("build/b", "@a")]);
    assert_eq!(refused_in(root.path(), &["@self"]).1, "the response file includes itself");
    assert_eq!(refused_in(root.path(), &["@a"]), ("@a".to_owned(), "the response file includes itself".to_owned()));

    for depth in 0..20 {
        fs::write(root.path().join(format!("build/deep{depth}")), format!("@deep{}", depth + 1)).unwrap();
    }
    fs::write(root.path().join("build/deep20"), "-DX").unwrap();
    assert_eq!(refused_in(root.path(), &["@deep0"]).1, "response files are nested too deeply");
    assert!(matches!(vet_in(root.path(), &["@deep16"]), Vetted::Unit(_)));
    // The same file twice is no circle.
    assert!(matches!(vet_in(root.path(), &["@deep16", "@deep16"]), Vetted::Unit(_)));

    fs::write(root.path().join("build/large"), " ".repeat(1 << 20)).unwrap();
    assert!(matches!(vet_in(root.path(), &["@large"; 4]), Vetted::Unit(_)));
    assert_eq!(refused_in(root.path(), &["@large"; 5]).1, "the response files of this entry are too large");
}

#[test]
fn response_files_of_a_database_are_relative_to_the_entry() {
    let directory = database_directory(
        r#"[{"directory": "sub", "file": "a.c", "command": "cc @x a.c"},
            {"directory": "/etc", "file": "b.c", "command": "cc @hostname b.c"}]"#,
    );
    fs::create_dir(directory.path().join("sub")).unwrap();
    fs::write(directory.path().join("sub/x"), "-DX").unwrap();
    let database = read(&directory.path().join("compile_commands.json"), usize::MAX).unwrap();
    assert_eq!(texts(&database.units[0].arguments), ["-D", "X"]);
    assert_eq!(database.refused[0].argument, "@hostname");
}

// Databases.

#[test]
fn an_entry_becomes_a_unit() {
    let units = units(
        r#"[{"directory": "/b/./x/..", "file": "../s/a.c", "output": "a.o", "comment": [1, {"x": null}],
            "command": "ccache aarch64-linux-gnu-gcc -Iinc -Wall -o b.o -c ../s/a.c"}]"#,
    );
    let expected = Unit {
        file: "/s/a.c".into(),
        directory: "/b".into(),
        arguments: ["--target=aarch64-linux-gnu", "-I", "inc"].map(OsString::from).into(),
        outputs: vec!["/b/a.o".into()],
        entry: 0,
        dropped: ["-Wall", "-c"].map(OsString::from).into(),
    };
    assert_eq!(units, [expected]);
}

#[test]
fn the_file_is_no_argument_however_it_is_spelled() {
    for spelling in ["a.c", "./a.c", "../s/a.c", "/s/a.c", "/s/./x/../a.c", ".//a.c"] {
        let json = format!(r#"[{{"directory": "/s", "file": "a.c", "arguments": ["cc", "-c", "{spelling}"]}}]"#);
        assert_eq!(texts(&units(&json)[0].dropped), ["-c"], "{spelling}");
    }
}

#[test]
fn arguments_are_preferred_to_a_command() {
    let units = units(r#"[{"file": "a.c", "command": "cc 'unbalanced", "arguments": ["cc", "-DX=a b", "a.c"]}]"#);
    assert_eq!(texts(&units[0].arguments), ["-D", "X=a b"]);
}

/// What caches store has the same units again, but for dropped arguments.
#[test]
fn a_saved_database_comes_back() {
    let text = r#"[
        {"directory": "/b", "file": "a.c", "command": "ccache aarch64-linux-gnu-gcc -Iinc -Wall -o b.o -c a.c"},
        {"directory": "/b", "file": "b.c", "command": "gcc -DX -fopenmp -include c.h -Xclang -DY -std=gnu11 -O2 b.c"},
        {"directory": "/b", "file": "c.c", "command": "gcc -m32 -march=native -mtune=generic -isystem d -Wp,-DZ c.c"},
        {"directory": "/b", "file": "d.cc", "command": "g++ -x c d.cc"},
        {"directory": "/b", "file": "e.c", "command": "cc -fplugin=x.so e.c"},
        {"directory": "/b", "file": "f.cc", "command": "g++ f.cc"},
        {"directory": "/b", "file": "g.c", "command": "cc -DX -c g.c -o 1.o"},
        {"directory": "/b", "file": "g.c", "command": "cc -DX -c g.c -o 2.o"}]"#;
    let mut database = read_text(text).unwrap();
    assert_eq!((database.units.len(), database.refused.len(), database.other_languages.len()), (5, 1, 1));
    let bytes = database.to_bytes().unwrap();
    database.units.iter_mut().for_each(|unit| unit.dropped.clear());
    let back = Database::from_bytes(database.path.clone(), &bytes).unwrap();
    assert_eq!((&back.units, &back.refused), (&database.units, &database.refused));
    assert_eq!(back.other_languages, database.other_languages);
    // Response files may change.
    assert_eq!(
        read_text(r#"[{"directory": "/b", "file": "a.c", "command": "cc -DX=@ a.c"}]"#).unwrap().to_bytes(),
        None
    );
}

/// As when somebody else can write to the cache.
#[test]
fn a_saved_database_with_arguments_that_no_database_has_is_refused() {
    let database = read_text(r#"[{"directory": "/b", "file": "a.c", "command": "cc -DX a.c"}]"#).unwrap();
    let lists: [&[&str]; 6] = [
        &["-Xclang", "-load", "-Xclang", "x.so"],
        &["-fplugin=x.so"],
        &["-DX"],
        &["-D", "-fplugin=x.so"],
        &["@x"],
        &["-x", "c++"],
    ];
    for arguments in lists {
        let mut changed = database.clone();
        changed.units[0].arguments = arguments.iter().map(OsString::from).collect();
        assert!(Database::from_bytes("/b".into(), &changed.to_bytes().unwrap()).is_none(), "{arguments:?}");
    }
    for file in ["a.c", "/b/../a.c", "/b/a.S", "-fplugin=x.so"] {
        let mut changed = database.clone();
        changed.units[0].file = file.into();
        assert!(Database::from_bytes("/b".into(), &changed.to_bytes().unwrap()).is_none(), "{file}");
    }
}

#[test]
fn a_directory_is_relative_to_the_database() {
    let directory = database_directory(
        r#"[{"file": "a.c", "command": "cc a.c"}, {"directory": "sub", "file": "a.c", "command": "cc a.c"}]"#,
    );
    let units = read(&directory.path().join("./compile_commands.json"), usize::MAX).unwrap().units;
    assert_eq!(units[0].directory, directory.path());
    assert_eq!(units[0].file, directory.path().join("a.c"));
    assert_eq!(units[1].directory, directory.path().join("sub"));
    assert_eq!(units[1].file, directory.path().join("sub/a.c"));
}

#[test]
fn the_output_is_taken_from_the_command_if_the_entry_names_none() {
    let units = units(r#"[{"directory": "/b", "file": "a.c", "command": "cc -ob.o a.c -o x/../c.o"}]"#);
    assert_eq!(units[0].outputs, [Path::new("/b/c.o")]);
}

#[test]
fn entries_that_are_the_same_after_vetting_are_one_unit() {
    let units = units(
        r#"[{"directory": "/b", "file": "a.c", "command": "cc -DX -Wall -c a.c -o 1.o"},
            {"directory": "/b", "file": "b.c", "command": "cc -DX -c b.c -o 2.o"},
            {"directory": "/b", "file": "./a.c", "command": "gcc -D X -c /b/a.c -o 3.o"},
            {"directory": "/b", "file": "a.c", "command": "cc -DX a.c", "output": "3.o"},
            {"directory": "/b", "file": "a.c", "command": "cc -DY -c a.c -o 4.o"},
            {"directory": "/c", "file": "/b/a.c", "command": "cc -DX -c /b/a.c -o 5.o"}]"#,
    );
    let summary: Vec<(usize, Vec<&str>)> = units
        .iter()
        .map(|unit| (unit.entry, unit.outputs.iter().map(|output| output.to_str().unwrap()).collect()))
        .collect();
    let expected = [(0, vec!["/b/1.o", "/b/3.o"]), (1, vec!["/b/2.o"]), (4, vec!["/b/4.o"]), (5, vec!["/c/5.o"])];
    assert_eq!(summary, expected);
}

#[test]
fn other_languages_are_counted_and_refusals_listed() {
    let database = read_text(
        r#"[{"file": "a.cc", "command": "c++ a.cc"}, {"file": "b.cc", "command": "c++ b.cc"},
            {"file": "/x/c.c", "command": "cc -DX -fplugin=evil.so c.c"}, {"file": "d.rs", "command": "rustc d.rs"}]"#,
    )
    .unwrap();
    assert_eq!(database.units, []);
    let counts: Vec<(String, usize)> =
        database.other_languages.iter().map(|(language, count)| (language.to_string(), *count)).collect();
    assert_eq!(counts, [("C++".to_owned(), 2), ("Rust".to_owned(), 1)]);
    let expected = RefusedEntry {
        entry: 2,
        file: "/x/c.c".into(),
        argument: "-fplugin=evil.so".to_owned(),
        reason: "it makes the compiler load a plugin".to_owned(),
    };
    assert_eq!(database.refused, [expected]);
}

#[test]
fn an_empty_database_is_fine() {
    let database = read_text(" [ ] ").unwrap();
    assert_eq!((database.units.len(), database.refused.len(), database.other_languages.len()), (0, 0, 0));
}

#[test]
fn bytes_that_are_not_utf8_are_kept() {
    let json = b"[{\"\x64irectory\": \"/b\xff\", \"file\": \"\xe9\\u00e9.c\", \"comment\": \"\xff\",
        \"command\": \"cc -DX=\xfe -c \xe9\xc3\xa9.c -o \xfd.o\"}]";
    let units = read_text(json).unwrap().units;
    let os = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    assert_eq!(units[0].directory, os(b"/b\xff"));
    assert_eq!(units[0].file, os(b"/b\xff/\xe9\xc3\xa9.c"));
    assert_eq!(*units[0].arguments, [os(b"-D"), os(b"X=\xfe")]);
    assert_eq!(units[0].outputs, [PathBuf::from(os(b"/b\xff/\xfd.o"))]);
    assert_eq!(units[0].dropped, [os(b"-c")]);
}

#[test]
fn errors_say_where_and_what_to_do() {
    let cases = [
        ("[{", ":1:2: not a compilation database: EOF while parsing an object"),
        ("[\n {\"file\": 3}]", ":2:11: not a compilation database: invalid type: integer `3`, expected a string"),
        ("{}", ":1:0: not a compilation database: invalid type: map, expected a sequence"),
        ("", ":1:0: not a compilation database: EOF while parsing a value"),
        (r#"[{"file": "a.c", "command": "cc"}, {"command": "cc"}]"#, ": entry 1 (counted from 0) has no `file`"),
        (r#"[{"file": "", "command": "cc"}]"#, ": entry 0 (counted from 0) has no `file`"),
        (r#"[{"file": "x/a.c"}]"#, ": entry 0 (counted from 0, x/a.c) has neither `command` nor `arguments`"),
        (r#"[{"file": "a.c", "arguments": []}]"#, ": entry 0 (counted from 0, a.c) has neither `command` nor"),
        (r#"[{"file": "a.c", "command": " "}]"#, ": entry 0 (counted from 0, a.c) has neither `command` nor"),
        (r#"[{"file": "a.c", "command": "cc 'x"}]"#, ": entry 0 (counted from 0, a.c) has a `command` with an unbal"),
    ];
    for (json, expected) in cases {
        let error = error(json);
        assert!(error.contains(&format!("compile_commands.json{expected}")), "{error}");
        assert!(error.ends_with("\n  configure the build again"), "{error}");
    }
    let missing = read(Path::new("/nowhere/compile_commands.json"), usize::MAX).unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/compile_commands.json: cannot read the compilation database: "), "{missing}");
}

#[test]
fn a_database_has_at_most_as_many_entries_as_the_limit() {
    let directory = database_directory(r#"[{"file": "a.c", "command": "cc"}, {"file": "b.c", "command": "cc"}]"#);
    let read = |most| read(&directory.path().join("compile_commands.json"), most);
    assert_eq!(read(2).unwrap().units.len(), 2);
    let error = read(1).unwrap_err().to_string();
    assert!(error.ends_with("compile_commands.json: 2 entries, which exceeds --limit-entries 1"), "{error}");
    assert!(matches!(read(0), Err(Error::TooManyEntries { entries: 2, .. })));
}

// Finding.

/// A directory with these (empty) databases below it.
fn tree(directories: &[&str]) -> TempDir {
    let root = TempDir::new().unwrap();
    for directory in directories {
        fs::create_dir_all(root.path().join(directory)).unwrap();
        fs::write(root.path().join(directory).join("compile_commands.json"), "[]").unwrap();
    }
    root
}

#[test]
fn a_database_is_found_in_the_usual_places() {
    let cases: &[(&[&str], &str)] = &[
        (&[".", "build", "build-a"], "compile_commands.json"),
        (&["build", "build-a", "build-b"], "build/compile_commands.json"),
        (&["build-a", "other"], "build-a/compile_commands.json"),
    ];
    for (directories, expected) in cases {
        let root = tree(directories);
        assert_eq!(find(root.path(), None).unwrap(), root.path().join(expected), "{directories:?}");
    }
}

#[test]
fn a_database_that_is_not_there_or_not_the_only_one_is_an_error() {
    let root = tree(&["build-b", "build-a", "other"]);
    fs::create_dir(root.path().join("build-empty")).unwrap();
    let message = find(root.path(), None).unwrap_err().to_string();
    let list = format!(
        "several compilation databases found\n  {0}/build-a/compile_commands.json\n  \
         {0}/build-b/compile_commands.json\n  pass -p",
        root.path().display()
    );
    assert!(message.starts_with(&list), "{message}");

    let root = tree(&["other", "other/build", "rebuild"]);
    let message = find(root.path(), None).unwrap_err().to_string();
    let start = format!("no compile_commands.json found\n  looked in {}, its build/", root.path().display());
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn an_explicit_path_is_a_directory_or_a_file() {
    let root = tree(&["build", "other"]);
    fs::write(root.path().join("my.json"), "[]").unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    let at = |path: &str| find(root.path(), Some(Path::new(path)));
    assert_eq!(at("other").unwrap(), root.path().join("other/compile_commands.json"));
    assert_eq!(at("my.json").unwrap(), root.path().join("my.json"));
    assert_eq!(find(Path::new("/"), Some(root.path())).unwrap_err().to_string().lines().count(), 2);
    assert!(matches!(at("empty"), Err(Error::NotInDirectory { directory }) if directory.ends_with("empty")));
    assert!(matches!(at("missing"), Err(Error::NoSuchPath { path }) if path.ends_with("missing")));
}

// One file.

#[test]
fn one_file_is_vetted_in_the_same_way() {
    let flags = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let unit = single(Path::new("x/../a.c"), Path::new("/src/."), &flags(&["-DX", "-Wall", "-Iinc"])).unwrap();
    assert_eq!((unit.file.as_path(), unit.directory.as_path()), (Path::new("/src/a.c"), Path::new("/src")));
    assert_eq!(texts(&unit.arguments), ["-D", "X", "-I", "inc"]);
    assert_eq!(texts(&unit.dropped), ["-Wall"]);

    let refusal = single(Path::new("a.c"), Path::new("/src"), &flags(&["-fplugin=x"])).unwrap_err();
    assert_eq!((refusal.argument.as_str(), refusal.file.as_path()), ("-fplugin=x", Path::new("/src/a.c")));
    let refusal = single(Path::new("a.cc"), Path::new("/src"), &[]).unwrap_err();
    assert_eq!(refusal.reason, "it is compiled as C++, but cowrap reads only C; pass `-x c` if it is C");
    assert!(single(Path::new("a.cc"), Path::new("/src"), &flags(&["-xc"])).is_ok());
    assert_eq!(
        single(Path::new("a.c"), Path::new("/src"), &[OsStr::from_bytes(b"-DX=\xff").into()]).unwrap().arguments.len(),
        2
    );
}
