//! How long `cowrap generate` takes: whole process against whole process.
//!
//!     COWRAP_BENCH_BUILD=/path/to/qemu/build cargo bench --bench generate
//!
//! * `COWRAP_BENCH_BUILD`: a configured build directory of meson; its own generator is run on the same headers, in
//!   turn with cowrap, and so is `true`. Without it, that part is skipped.
//! * `COWRAP_BENCH_RUNS`: how many rounds; 41 by default. The medians are what to quote.
//!
//! A made-up header of 10,000 declarations is measured in any case.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cowrap_session::{Job, build_jobs};

const COWRAP: &str = env!("CARGO_BIN_EXE_cowrap");

fn main() {
    let runs: usize = std::env::var("COWRAP_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(41).max(1);
    match std::env::var_os("COWRAP_BENCH_BUILD").map(PathBuf::from) {
        Some(build) => against_script(&build, runs),
        None => println!("skipped: set COWRAP_BENCH_BUILD to a build directory, to compare with its own generator"),
    }
    synthetic(runs.min(11));
}

/// The build's own generator, cowrap and `true`, in turn.
fn against_script(build: &Path, runs: usize) {
    let known = build_jobs(build, &[]).unwrap_or_else(|error| panic!("{error}"));
    let Some((job, command)) = known.jobs.iter().zip(&known.commands).next() else {
        panic!("{}: nothing is generated here", build.display());
    };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let time_script = || {
        let output = scratch.path().join("script.c");
        let arguments = command.iter().flat_map(|word| match word.as_str() {
            "@OUTPUT@" => vec![output.clone()],
            "@INPUT@" => job.inputs.clone(),
            word => vec![PathBuf::from(word)],
        });
        let words: Vec<PathBuf> = arguments.collect();
        time(Command::new(&words[0]).args(&words[1..]).current_dir(build))
    };
    let time_cowrap = |fresh: bool| {
        let output = scratch.path().join("cowrap.c");
        if fresh {
            std::fs::remove_file(&output).ok();
        }
        time(Command::new(COWRAP).arg("generate").arg(&output).args(&job.inputs).current_dir(build))
    };
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..runs {
        times[0].push(time(&mut Command::new("true")));
        times[1].push(time_script());
        times[2].push(time_cowrap(true));
        times[3].push(time_cowrap(false));
    }
    let [nothing, script, written, unchanged] = times.map(median);
    println!(
        "{} headers: `true` {nothing:.1} ms, the build's generator {script:.1} ms, cowrap {written:.1} ms, \
         {unchanged:.1} ms when nothing changed",
        job.inputs.len()
    );
    println!(
        "median ratio {:.3} of {runs} rounds, {:.3} when nothing changed (at most 0.200 is wanted, 0.100 aimed at)",
        written / script,
        unchanged / script
    );
}

/// Ten thousand declarations, of several shapes.
fn synthetic(runs: usize) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let header: String = (0..10_000)
        .map(|number| match number % 4 {
            0 => format!("int co_wrapper bdrv_f{number}(BlockDriverState *bs, int64_t offset, void *buf);\n"),
            1 => format!("const char *\nco_wrapper_mixed_bdrv_rdlock\nbdrv_f{number}(BdrvChild *child, int x[3]);\n"),
            2 => format!("void no_co_wrapper bdrv_co_f{number}(void (*cb)(void *, int), void *opaque);\n"),
            _ => format!("#ifdef CONFIG_F\nunsigned int co_wrapper_mixed bdrv_f{number}(unsigned flags);\n#endif\n"),
        })
        .collect();
    let path = scratch.path().join("synthetic.h");
    std::fs::write(&path, header).expect("a scratch file");
    let job = Job { output: Some(scratch.path().join("out.c")), inputs: vec![path] };
    let times = (0..runs).map(|_| {
        let output = job.output.as_ref().expect("it is a file");
        std::fs::remove_file(output).ok();
        time(Command::new(COWRAP).args(["generate", "--dialect", "9.0"]).arg(output).args(&job.inputs))
    });
    let times: Vec<Duration> = times.collect();
    println!("10,000 declarations: median {:.0} ms of {runs} runs (less than 1000 is wanted)", median(times));
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status().expect("it can be run");
    let time = start.elapsed();
    assert!(status.success(), "{command:?}");
    time
}

/// The median, in milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
