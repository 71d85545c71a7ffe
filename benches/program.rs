//! How long the whole-program part takes: linking, effects, rules, and a question, on a program that nobody wrote.
//!
//!     cargo bench --bench program
//!
//! * `COWRAP_BENCH_FUNCTIONS`: how many functions; 1,000,000 by default, with five calls each.
//!
//! It is run for a tenth of them too: what is quoted is by how much the time grows, which should be tenfold. And it is
//! run with few mistakes, and with so many that some 100,000 findings have to be worded.

#[path = "../tests/it/support/synthetic.rs"]
mod synthetic;

use std::path::Path;
use std::time::Instant;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::Linker;
use cowrap_analysis::{queries, rules};
use cowrap_packs::Pack;
use synthetic::{Sketch, tree, unit};

/// Calls of each function.
const CALLS: usize = 5;

/// One function in so many calls through a slot, and one is stored into one.
const SLOT_SHARE: usize = 20;

/// Each slot may hold so many functions.
const CANDIDATES: usize = 30;

fn main() {
    // `cargo test --benches` passes arguments of its own, and `cargo bench` passes `--bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("skipped: run it with cargo bench");
        return;
    }
    let wanted = std::env::var("COWRAP_BENCH_FUNCTIONS").ok().and_then(|count| count.parse().ok());
    let count = wanted.unwrap_or(1_000_000usize).max(1000);
    for library in [Library::Polite, Library::Blocking] {
        let small = measure(count / 10, library);
        let large = measure(count, library);
        println!("{:.1} times the time for 10 times the functions", large / small);
    }
}

/// What the functions that all others use do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Library {
    /// They do not block.
    Polite,
    /// They may: nearly every coroutine is a finding, which has to be worded.
    Blocking,
}

/// Numbers that look random, the same in every run (Knuth's linear congruential generator for MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// A program whose own calls mostly keep to the rules, as in a real one: one module in ten runs in coroutines, and calls
/// within a module, or of the modules without marks that all others use.
fn sketches(count: usize, library: Library) -> Vec<Sketch> {
    const MODULE: usize = 500;
    let mut numbers = Numbers(1);
    let slots = (count / SLOT_SHARE / CANDIDATES).max(1);
    let kind_of = |function: usize| match function / MODULE % 10 {
        0 => Some("coroutine_fn"),
        1 | 2 => Some("no_coroutine_fn"),
        _ => None,
    };
    (0..count)
        .map(|function| {
            let kind = kind_of(function);
            let first = function - function % MODULE;
            let mut callee = |_| match numbers.below(10_000) {
                // A mistake, perhaps: QEMU 10.2.0 has some 60 findings in 268,262 calls.
                0..5 => {
                    let any = numbers.below(count);
                    let blocks = kind.is_none() && kind_of(any) == Some("no_coroutine_fn");
                    if blocks && library == Library::Polite { function } else { any }
                }
                5..3000 => {
                    let used = numbers.below(count);
                    if kind_of(used).is_none() { used } else { function }
                }
                _ => (first + numbers.below(MODULE)).min(count - 1),
            };
            let calls: Vec<usize> = (0..CALLS).map(&mut callee).collect();
            let mark = kind.filter(|kind| *kind == "coroutine_fn" || numbers.below(3) == 0);
            let has_slot = kind.is_none() && numbers.below(SLOT_SHARE) == 0;
            let slot_calls = if has_slot { vec![numbers.below(slots)] } else { Vec::new() };
            let stored = kind.is_none() && numbers.below(SLOT_SHARE) == 0;
            let stores = if stored { vec![(function, numbers.below(slots))] } else { Vec::new() };
            Sketch { mark, calls, slot_calls, stores }
        })
        .collect()
}

/// The seconds of everything but making the facts.
fn measure(count: usize, library: Library) -> f64 {
    let pack = Pack::qemu().unwrap_or_else(|error| panic!("{error}"));
    let facts = unit(&sketches(count, library), &pack);
    let start = Instant::now();
    let mut linker = Linker::default();
    linker.add(0, &facts);
    let program = linker.finish(Path::to_path_buf);
    let linked = start.elapsed();
    let tree = tree();
    let effects = Effects::new(&program, &pack, &tree);
    let findings = rules::check(&effects, &[]);
    let checked = start.elapsed();
    let paths = queries::paths(&effects, "[coroutine_fn] [unmarked]* [no_coroutine_fn]", 10);
    let asked = start.elapsed();
    println!(
        "{count} functions, {} calls: linked in {:.2} s, checked in {:.2} s ({} findings), paths in {:.2} s",
        program.bodies.iter().map(|body| body.calls.len()).sum::<usize>(),
        linked.as_secs_f64(),
        (checked - linked).as_secs_f64(),
        findings.len(),
        (asked - checked).as_secs_f64(),
    );
    assert!(paths.is_ok_and(|paths| !paths.paths.is_empty()));
    checked.as_secs_f64()
}
