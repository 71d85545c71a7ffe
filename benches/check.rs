//! How much CPU `cowrap check` takes, as a share of `clang -fsyntax-only -w` over the same units in the same run.
//!
//!     COWRAP_BENCH_BUILD=/path/to/qemu/build cargo bench --bench check
//!
//! * `COWRAP_BENCH_BUILD`: a build directory with a `compile_commands.json`; without it, nothing is measured.
//! * `COWRAP_BENCH_ONLY`: a glob on paths below the root, as for `--only`; all units by default.
//! * `COWRAP_BENCH_RUNS`: how many pairs; 3 by default. The median is what to quote.
//!
//! The clang is the one of the same version as the libclang in use. Machines are noisy, so the two run in turn,
//! and only ratios within a pair mean something.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cowrap::clang::Library;
use cowrap::compdb::{self, Unit};
use cowrap::source::{Identities, Tree};

fn main() {
    // `cargo test --benches` and `cargo bench` pass arguments of their own.
    let Some(build) = std::env::var_os("COWRAP_BENCH_BUILD").map(PathBuf::from) else {
        println!("skipped: set COWRAP_BENCH_BUILD to a build directory with a compile_commands.json");
        return;
    };
    let runs = std::env::var("COWRAP_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3).max(1);
    let only = std::env::var("COWRAP_BENCH_ONLY").unwrap_or_else(|_| "**".to_owned());
    let library = Library::load().unwrap_or_else(|error| panic!("{error}"));
    let clang = clang_of(&library);
    let units = units(&build, &only);
    println!("{} units, {}, {}", units.len(), library.version(), clang.display());

    let mut ratios = Vec::new();
    for run in 1..=runs {
        let by_clang = cpu_of(|| {
            for unit in &units {
                syntax_only(&clang, unit);
            }
        });
        let mut peak = 0;
        let by_cowrap = cpu_of(|| peak = check(&build, &only, &library));
        let ratio = by_cowrap / by_clang;
        println!("run {run}: clang {by_clang:.2} s, cowrap {by_cowrap:.2} s, ratio {ratio:.2}, peak {peak} MiB");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} of {runs} runs (at most 1.30 is wanted)", ratios[ratios.len() / 2]);
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

fn units(build: &Path, only: &str) -> Vec<Unit> {
    let here = std::env::current_dir().expect("a working directory");
    let json = compdb::find(&here, Some(build)).unwrap_or_else(|error| panic!("{error}"));
    let database = compdb::read(&json).unwrap_or_else(|error| panic!("{error}"));
    let sources: Vec<&Path> = database.units.iter().map(|unit| unit.file.as_path()).collect();
    let tree = Tree::of_database(json.parent().expect("a file has a directory"), &sources);
    let glob = globset::GlobBuilder::new(only).literal_separator(true).build().expect("COWRAP_BENCH_ONLY is a glob");
    let glob = glob.compile_matcher();
    let identities = Identities::default();
    let wanted = |unit: &Unit| glob.is_match(tree.relative(&identities.identify(&tree.root, &unit.file)));
    let units: Vec<Unit> = database.units.iter().filter(|unit| wanted(unit)).cloned().collect();
    assert!(!units.is_empty(), "no unit matches COWRAP_BENCH_ONLY");
    units
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

/// Runs the program once; gives its peak memory in MiB.
fn check(build: &Path, only: &str, library: &Library) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .args(["check", "--format", "short", "--only", only, "-p"])
        .arg(build)
        .env("LIBCLANG_PATH", library.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("cowrap starts");
    let status = format!("/proc/{}/status", child.id());
    let peak = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while let Some(kib) = std::fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark) {
                peak.store(kib, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
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
