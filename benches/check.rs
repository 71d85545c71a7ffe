//! How long `cowrap check` takes, compared with `clang -fsyntax-only -w` over the same units in the same run: a table for
//! `docs/performance.md`.
//!
//!     COWRAP_BENCH_BUILD=/path/to/qemu/build cargo bench --bench check
//!
//! * `COWRAP_BENCH_BUILD`: a build directory with a `compile_commands.json`; without it, nothing is measured.
//! * `COWRAP_BENCH_ONLY`: globs on paths below the root, as for `--only`, separated by commas; all units by default.
//! * `COWRAP_BENCH_RUNS`: how many runs; 5 by default. Medians are told.
//! * `COWRAP_BENCH_EDIT`: a `.c` and a header, separated by a comma and relative to the root, that may be changed for a moment;
//!   they are put back.
//! * `COWRAP_BENCH_TIDY`: also run this `clang-tidy`, with one trivial check, once.
//!
//! The clang is the one of the same version as the libclang in use. Machines are noisy, so all take turns, and only ratios
//! within a run mean something: of CPU time where there is work for all processors, of the wall clock where people wait.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cowrap_base::files::{Identities, Tree};
use cowrap_frontend::clang::Library;
use cowrap_frontend::compdb::{self, Unit};

/// A program that is run with the same arguments each time.
struct Bench {
    build: PathBuf,
    only: Vec<String>,
    library: Library,
    cache: tempfile::TempDir,
}

fn main() {
    // `cargo test --benches` and `cargo bench` pass arguments of their own.
    let Some(build) = std::env::var_os("COWRAP_BENCH_BUILD").map(PathBuf::from) else {
        println!("skipped: set COWRAP_BENCH_BUILD to a build directory with a compile_commands.json");
        return;
    };
    let runs = std::env::var("COWRAP_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(5).max(1);
    let only: Vec<String> = std::env::var("COWRAP_BENCH_ONLY")
        .map(|only| only.split(',').map(str::to_owned).collect())
        .unwrap_or_else(|_| vec!["**".to_owned()]);
    let library = Library::load().unwrap_or_else(|error| panic!("{error}"));
    let clang = clang_of(&library);
    let (units, root) = units(&build, &only);
    println!("{} units, {}, {}", units.len(), library.version(), clang.display());
    let cache = tempfile::tempdir().expect("a place for the cache");
    let bench = Bench { build, only, library, cache };

    let mut rows: Vec<(&str, Vec<f64>, bool)> = Vec::new();
    let mut row = |name: &'static str, value: f64, is_ratio: bool| match rows.iter_mut().find(|row| row.0 == name) {
        Some(row) => row.1.push(value),
        None => rows.push((name, vec![value], is_ratio)),
    };
    for run in 1..=runs {
        let by_clang = cpu_of(|| units.iter().for_each(|unit| syntax_only(&clang, unit)));
        row("clang, CPU seconds", by_clang, false);
        let mut ratio = |name, arguments: &[&str]| {
            let cpu = cpu_of(|| _ = bench.check(arguments));
            println!("run {run}: {name}: {cpu:.2} s, {:.3} of clang's {by_clang:.2} s", cpu / by_clang);
            row(name, cpu / by_clang, true);
        };
        ratio("each unit for itself, nothing kept", &["--no-cache", "--no-sharing"]);
        ratio("cold, nothing kept", &["--no-cache"]);
        let cached = ["--cache-dir", bench.cache.path().to_str().expect("a path of ASCII")];
        std::fs::remove_dir_all(bench.cache.path()).expect("the cache can be removed");
        ratio("cold, everything kept for the next run", &cached);
        row("peak memory of that, MiB", peak_of(bench.command(&["--no-cache"])) as f64, false);
        // Once more, so that what is young is old.
        bench.check(&cached);
        row("warm, nothing changed, ms", bench.check(&cached), false);
        if let Ok(files) = std::env::var("COWRAP_BENCH_EDIT") {
            let (unit, header) = files.split_once(',').expect("COWRAP_BENCH_EDIT is two paths");
            let unit_takes = edited(
                &root.join(unit),
                |text| format!("{text}void cowrap_bench{run}(void) {{}}\n"),
                || bench.check(&cached),
            );
            row("one .c changed, ms", unit_takes, false);
            bench.check(&cached);
            let comment = |text: &str| text.replacen(" */", &format!(" {run} */"), 1);
            let header_takes = edited(&root.join(header), comment, || bench.check(&cached));
            row("a header changed in a comment, ms", header_takes, false);
            bench.check(&cached);
        }
    }
    if let Ok(tidy) = std::env::var("COWRAP_BENCH_TIDY") {
        let by_clang = cpu_of(|| units.iter().for_each(|unit| syntax_only(&clang, unit)));
        let by_tidy = cpu_of(|| units.iter().for_each(|unit| tidied(Path::new(&tidy), unit)));
        row("clang-tidy with one check", by_tidy / by_clang, true);
    }
    println!("\n| | median | runs |\n|---|---|---|");
    for (name, mut values, is_ratio) in rows {
        values.sort_by(f64::total_cmp);
        let (median, count) = (values[values.len() / 2], values.len());
        let (low, high) = (values[0], values[count - 1]);
        match is_ratio {
            true => println!("| {name}, of clang's CPU | {median:.2} | {low:.2} to {high:.2} |"),
            false => println!("| {name} | {median:.0} | {low:.0} to {high:.0} |"),
        }
    }
}

/// Changes a file while something is done, and puts it back.
fn edited(path: &Path, edit: impl FnOnce(&str) -> String, work: impl FnOnce() -> f64) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::fs::write(path, edit(&text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // What is younger than a run is not believed.
    std::thread::sleep(Duration::from_millis(100));
    let result = work();
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::thread::sleep(Duration::from_millis(100));
    result
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

fn units(build: &Path, only: &[String]) -> (Vec<Unit>, PathBuf) {
    let here = std::env::current_dir().expect("a working directory");
    let json = compdb::find(&here, Some(build)).unwrap_or_else(|error| panic!("{error}"));
    let database = compdb::read(&json, usize::MAX).unwrap_or_else(|error| panic!("{error}"));
    let sources: Vec<&Path> = database.units.iter().map(|unit| unit.file.as_path()).collect();
    let tree = Tree::of_database(json.parent().expect("a file has a directory"), &sources).unwrap();
    let mut globs = globset::GlobSetBuilder::new();
    for only in only {
        let glob = globset::GlobBuilder::new(only).literal_separator(true).build();
        globs.add(glob.expect("COWRAP_BENCH_ONLY is a list of globs"));
    }
    let globs = globs.build().expect("globs");
    let identities = Identities::default();
    let wanted = |unit: &Unit| globs.is_match(tree.relative(&identities.identify(&tree.root, &unit.file)));
    let units: Vec<Unit> = database.units.iter().filter(|unit| wanted(unit)).cloned().collect();
    assert!(!units.is_empty(), "no unit matches COWRAP_BENCH_ONLY");
    (units, tree.root)
}

fn syntax_only(clang: &Path, unit: &Unit) {
    let status = Command::new(clang)
        .args(["-fsyntax-only", "-w"])
        .args(&unit.arguments)
        .arg(&unit.file)
        .current_dir(&unit.directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap_or_else(|error| panic!("{}: {error}", clang.display()));
}

/// One check that finds nothing, over what clang has parsed.
fn tidied(tidy: &Path, unit: &Unit) {
    let status = Command::new(tidy)
        .args(["--quiet", "--checks=-*,bugprone-suspicious-semicolon"])
        .arg(&unit.file)
        .args(["--", "-w"])
        .args(&unit.arguments)
        .current_dir(&unit.directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap_or_else(|error| panic!("{}: {error}", tidy.display()));
}

impl Bench {
    /// Runs the program once; gives the milliseconds that it took.
    fn check(&self, arguments: &[&str]) -> f64 {
        let mut command = self.command(arguments);
        let start = Instant::now();
        command.status().expect("cowrap starts");
        start.elapsed().as_secs_f64() * 1000.0
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.args(["check", "--format", "short", "-p"]).arg(&self.build).args(arguments);
        if self.only != ["**"] {
            self.only.iter().for_each(|only| {
                command.args(["--only", only]);
            });
        }
        command.env("LIBCLANG_PATH", self.library.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// Runs a program; gives its peak memory in MiB.
fn peak_of(mut command: Command) -> u64 {
    let mut child = command.spawn().expect("cowrap starts");
    let status = format!("/proc/{}/status", child.id());
    let peak = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while let Some(kib) = std::fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark) {
                peak.store(kib, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        child.wait().expect("cowrap ends");
        let _ = watcher.join();
    });
    peak.load(Ordering::Relaxed) / 1024
}

/// `VmHWM` of `/proc/PID/status`, in KiB (proc(5)).
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The CPU seconds, user and system, of the processes that a closure starts and waits for.
fn cpu_of(work: impl FnOnce()) -> f64 {
    let before = children_ticks();
    work();
    (children_ticks() - before) as f64 / ticks_per_second()
}

/// `cutime` and `cstime` of this process (proc(5)): what its children took that it has waited for.
fn children_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has /proc/self/stat");
    let after_name = stat.rsplit(") ").next().expect("the name is in parentheses");
    // Field 3 is the first behind the name; cutime and cstime are fields 16 and 17.
    after_name.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum()
}

fn ticks_per_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    text.trim().parse().unwrap_or(100.0)
}
