//! How much CPU time large initialisers take: `cowrap check` beside `clang -fsyntax-only -w` over the same file.
//!
//!     cargo bench --bench tables
//!
//! * `COWRAP_BENCH_ROWS`: how many functions the first table has; 32,000 by default. The others have half as many
//!   records.
//! * `COWRAP_BENCH_RUNS`: how many runs; 5 by default. Medians are shown.
//!
//! Each is also measured with half as many elements: cowrap's time should halve. The clang is the one of the same
//! version as the libclang in use.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cowrap_frontend::clang::Library;

fn main() {
    // `cargo test --benches` passes arguments of its own, and `cargo bench` passes `--bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("skipped: run it with cargo bench");
        return;
    }
    let number = |variable: &str, default: usize| {
        std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default).max(2)
    };
    let (rows, runs) = (number("COWRAP_BENCH_ROWS", 32_000), number("COWRAP_BENCH_RUNS", 5));
    let library = Library::load().unwrap_or_else(|error| panic!("{error}"));
    let clang = clang_of(&library);
    println!("{}, {}", library.version(), clang.display());
    println!("\n| table | elements | clang, CPU ms | cowrap, CPU ms | ratio |\n|---|---|---|---|---|");
    let tables: [Table; 4] = [
        ("functions", functions, rows),
        ("records by designators", |count| records(count, Style::Designated), rows / 2),
        ("records by position", |count| records(count, Style::Positional), rows / 2),
        ("records without inner braces", |count| records(count, Style::Elided), rows / 2),
    ];
    for (name, text, rows) in tables {
        for count in [rows / 2, rows] {
            let scratch = tempfile::tempdir().expect("a scratch directory");
            let file = scratch.path().join("table.c");
            std::fs::write(&file, text(count)).expect("a file");
            std::fs::create_dir(scratch.path().join("include")).expect("a directory");
            std::fs::write(scratch.path().join("include/marks.h"), MARKS).expect("a file");
            let (mut by_clang, mut by_cowrap) = (Vec::new(), Vec::new());
            for _ in 0..runs {
                by_clang.push(time(Command::new(&clang).args(["-fsyntax-only", "-w"]).arg(&file)));
                let mut cowrap = Command::new(env!("CARGO_BIN_EXE_cowrap"));
                cowrap.env("LIBCLANG_PATH", library.path()).args(["check", "--no-cache", "--format", "short"]);
                by_cowrap.push(time(cowrap.arg(&file).args(["--", "-w"]).current_dir(scratch.path())));
            }
            let (by_clang, by_cowrap) = (median(by_clang), median(by_cowrap));
            println!("| {name} | {count} | {by_clang:.0} | {by_cowrap:.0} | {:.2} |", by_cowrap / by_clang);
        }
    }
}

/// The name of a table, its text for a number of elements, and this number.
type Table = (&'static str, fn(usize) -> String, usize);

/// How the records of a table are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Designated,
    Positional,
    Elided,
}

/// The only header. Without marks, there is nothing to check.
const MARKS: &str = "#define coroutine_fn\n#define no_coroutine_fn\n";
const INCLUDE: &str = "#include \"include/marks.h\"\n";

/// A table with a function of its own in each element.
fn functions(count: usize) -> String {
    let mut text = INCLUDE.to_owned();
    for number in 0..count {
        let _ = writeln!(text, "static void f{number}(void) {{ }}");
    }
    text.push_str("static void (*const table[])(void) = {\n");
    for number in 0..count {
        let _ = writeln!(text, "    f{number},");
    }
    text.push_str("};\nvoid run(int i) { table[i](); }\n");
    text
}

/// A table of records with a few functions, as the commands of a monitor or the instructions of a processor are.
fn records(count: usize, style: Style) -> String {
    let mut text = INCLUDE.to_owned();
    for number in 0..64 {
        let _ = writeln!(text, "static void f{number}(void) {{ }}");
    }
    text.push_str(
        "struct entry {\n    const char *name;\n    int code;\n    \
         struct { void (*run)(void), (*stop)(void); } in;\n    void (*help)(void);\n};\n\
         static const struct entry table[] = {\n",
    );
    for number in 0..count {
        let [run, stop, help] = [number % 64, number / 64 % 64, number * 7 % 64];
        let _ = match style {
            Style::Designated => writeln!(
                text,
                "    {{ .name = \"n{number}\", .code = {number}, .in.run = f{run}, .in.stop = f{stop}, \
                 .help = f{help} }},"
            ),
            Style::Positional => {
                writeln!(text, "    {{ \"n{number}\", {number}, {{ f{run}, f{stop} }}, f{help} }},")
            }
            Style::Elided => writeln!(text, "    \"n{number}\", {number}, f{run}, f{stop}, f{help},"),
        };
    }
    text.push_str("};\nvoid run(int i) { table[i].in.run(); table[i].help(); }\n");
    text
}

/// The compiler of the same version, from beside the library or by its usual name.
fn clang_of(library: &Library) -> PathBuf {
    let real = library.path().canonicalize().unwrap_or_else(|_| library.path().to_path_buf());
    let beside = real.parent().and_then(Path::parent).map(|directory| directory.join("bin/clang"));
    match beside {
        Some(path) if path.exists() => path,
        _ => PathBuf::from(format!("clang-{}", library.major())),
    }
}

/// The CPU milliseconds, user and system, that a program takes.
fn time(command: &mut Command) -> f64 {
    let before = children_ticks();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
    (children_ticks() - before) as f64 * 1000.0 / TICKS_PER_SECOND
}

/// What `getconf CLK_TCK` says on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// `cutime` and `cstime` of this process (proc(5)): what its children took that it has waited for.
fn children_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has /proc/self/stat");
    let after_name = stat.rsplit(") ").next().expect("the name is in parentheses");
    // Field 3 is the first behind the name; cutime and cstime are fields 16 and 17.
    after_name.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
