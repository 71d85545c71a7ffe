//! How fast texts are scanned: every `.h` below the directories that `COWRAP_BENCH_HEADERS` names, separated by colons.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cowrap_frontend::scan::{Names, scan};

fn main() {
    let Some(directories) = std::env::var_os("COWRAP_BENCH_HEADERS") else {
        println!("set COWRAP_BENCH_HEADERS to directories with headers");
        return;
    };
    let mut texts = Vec::new();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&directories).collect();
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(path),
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "h") => {
                    texts.extend(std::fs::read(path));
                }
                _ => {}
            }
        }
    }
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let (start, names) = (Instant::now(), Names::new());
        let words: usize = texts.iter().map(|text| scan(text, &names).words.len()).sum();
        best = best.min(start.elapsed());
        std::hint::black_box(words);
    }
    let speed = bytes as f64 / 1e6 / best.as_secs_f64();
    println!("{} texts, {:.1} MB: {best:.2?}, {speed:.0} MB/s", texts.len(), bytes as f64 / 1e6);
}
