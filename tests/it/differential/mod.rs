//! Random C programs, compiled and run, with every call recorded. Each call must be in cowrap's call graph or counted
//! as unknown, and each broken contract must be reported. What an editor shows of a line must include where it ran.
//!
//! The programs are the same in every run of the tests. `COWRAP_DIFFERENTIAL_PROGRAMS` is how many there are of each
//! kind, 100 when it is not set, and `COWRAP_DIFFERENTIAL_FIRST` the number of the first one. A failure shows the first
//! failing program without the lines that do not matter, or as many as `COWRAP_DIFFERENTIAL_REDUCE` says.

mod flow;
mod harness;
pub mod numbers;
mod pointers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use assert_cmd::Command;
use cowrap_report::{Finding, Level, Reach};
use flow::Family;
use harness::{Batch, CallGraph, Layout, Observed, Program, Spot, reduce};
use numbers::Numbers;

/// Programs in one batch: two translation units.
const BATCH: u64 = 50;

/// How often each program with pointers runs, and each with control flow.
const RUNS: usize = 50;
const TRIALS: usize = 4000;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The programs, in batches.
fn batches(program: impl Fn(u64, &str) -> Program) -> Vec<Vec<Program>> {
    let first = number("COWRAP_DIFFERENTIAL_FIRST", 0);
    let all: Vec<u64> = (first..first + number("COWRAP_DIFFERENTIAL_PROGRAMS", 100)).collect();
    all.chunks(BATCH as usize)
        .map(|seeds| seeds.iter().map(|seed| program(*seed, &format!("p{seed}"))).collect())
        .collect()
}

/// The program that a name belongs to.
fn program_of(name: &str) -> &str {
    let name = name.rsplit(':').next().unwrap_or(name);
    name.split('_').next().unwrap_or(name)
}

/// Fails with what is wrong, and with the programs in which it is, made small.
fn fail(programs: &[Program], wrong: &BTreeMap<String, Vec<String>>, still: &dyn Fn(&Program) -> bool) {
    if wrong.is_empty() {
        return;
    }
    let mut text = String::new();
    for (name, faults) in wrong {
        text.push_str(&format!("{name}: {}\n", faults.join("\n    ")));
    }
    let most = number("COWRAP_DIFFERENTIAL_REDUCE", 1) as usize;
    for program in programs.iter().filter(|program| wrong.contains_key(&program.name)).take(most) {
        let small = reduce(program, Duration::from_secs(60), still);
        let [a, b] = &small.units;
        text.push_str(&format!("\n--- {}\n{}--- a.c\n{a}--- b.c\n{b}", small.name, small.header));
    }
    panic!("\n{text}");
}

/// Whether a call is in the call graph, or counted as unknown.
fn is_covered(graph: &CallGraph, ran: &Observed) -> bool {
    graph
        .get(&(ran.caller.clone(), ran.at.clone()))
        .is_some_and(|line| line.unknown || line.named.contains(&ran.callee) || line.candidates.contains(&ran.callee))
}

/// The calls that ran and that cowrap misses.
fn missed(graph: &CallGraph, ran: &BTreeSet<Observed>) -> BTreeMap<String, Vec<String>> {
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ran in ran.iter().filter(|ran| !is_covered(graph, ran)) {
        let said = format!("{}:{}: {} called {}", ran.at.0, ran.at.1, ran.caller, ran.callee);
        wrong.entry(program_of(&ran.caller).to_owned()).or_default().push(said);
    }
    wrong
}

fn has_missed_calls(program: &Program) -> bool {
    let batch = Batch::new(pointers::TYPES, std::slice::from_ref(program), Layout::Together);
    let Ok(ran) = batch.run(RUNS) else { return false };
    batch.call_graph().is_ok_and(|graph| !missed(&graph, &ran).is_empty())
}

/// The lines that ran and have unknown calls.
fn unknown_lines(graph: &CallGraph, ran: &BTreeSet<Observed>) -> BTreeMap<String, Vec<String>> {
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let places: BTreeSet<(&String, &Spot)> = ran.iter().map(|ran| (&ran.caller, &ran.at)).collect();
    for (caller, at) in places {
        if graph.get(&(caller.clone(), at.clone())).is_some_and(|line| line.unknown) {
            let said = format!("{}:{}: unknown call in {caller}", at.0, at.1);
            unknown.entry(program_of(caller).to_owned()).or_default().push(said);
        }
    }
    unknown
}

fn has_unknown_calls(program: &Program) -> bool {
    let batch = Batch::new(pointers::TYPES, std::slice::from_ref(program), Layout::Together);
    let Ok(ran) = batch.run(RUNS) else { return false };
    batch.call_graph().is_ok_and(|graph| !unknown_lines(&graph, &ran).is_empty())
}

/// The calls of one program lead to no other, although all have the same types.
fn check_that_programs_are_apart(graph: &CallGraph) {
    for ((caller, at), line) in graph {
        let stranger = line.candidates.iter().find(|candidate| program_of(candidate) != program_of(caller));
        assert_eq!(stranger, None, "{caller}, {at:?}");
    }
}

/// Every call that ran is in the call graph, or counted as unknown. Since nothing is hidden, few are unknown, and the
/// points-to sets are small.
#[test]
fn calls_that_ran_are_in_the_call_graph() {
    let (mut pointer_calls, mut unknown, mut candidates, mut callees) = (0, 0, 0, 0);
    for programs in batches(|seed, name| pointers::program(seed, name, false)) {
        let batch = Batch::new(pointers::TYPES, &programs, Layout::Together);
        let ran = batch.run(RUNS).unwrap_or_else(|error| panic!("{error}"));
        let graph = batch.call_graph().unwrap_or_else(|error| panic!("{error}"));
        fail(&programs, &missed(&graph, &ran), &has_missed_calls);
        assert!(missed(&CallGraph::new(), &ran).len() == programs.len(), "each program makes calls");
        check_that_programs_are_apart(&graph);
        // A few are allowed, for now and then a cast is too much.
        let lines: BTreeSet<(&String, &Spot)> = ran.iter().map(|ran| (&ran.caller, &ran.at)).collect();
        let here = unknown_lines(&graph, &ran);
        if lines.len() > 500 && here.values().map(Vec::len).sum::<usize>() * 100 > lines.len() {
            fail(&programs, &here, &has_unknown_calls);
        }
        let mut by_line: BTreeMap<(String, Spot), BTreeSet<String>> = BTreeMap::new();
        for ran in ran {
            by_line.entry((ran.caller, ran.at)).or_default().insert(ran.callee);
        }
        for (place, called) in by_line {
            let line = &graph[&place];
            if line.unknown || !line.candidates.is_empty() {
                pointer_calls += 1;
                unknown += usize::from(line.unknown);
                candidates += line.candidates.len();
                callees += called.iter().filter(|callee| !line.named.contains(*callee)).count();
            }
        }
    }
    println!(
        "{pointer_calls} lines with calls through pointers: {unknown} unknown, {candidates} candidates, {callees} ran"
    );
    // One program alone may be odd.
    if pointer_calls < 500 {
        return;
    }
    assert!(
        unknown * 100 <= pointer_calls,
        "{unknown} of {pointer_calls} calls are unknown although nothing is hidden"
    );
    assert!(candidates <= callees * 4, "{candidates} candidates for {callees} functions that are called");
}

/// The same with pointers in integers, variable arguments, inline assembly, `void *` and bytes.
#[test]
fn hidden_pointers_are_followed_or_counted_as_unknown() {
    for programs in batches(|seed, name| pointers::program(seed + 1_000_000, name, true)) {
        let batch = Batch::new(pointers::TYPES, &programs, Layout::Together);
        let ran = batch.run(RUNS).unwrap_or_else(|error| panic!("{error}"));
        let graph = batch.call_graph().unwrap_or_else(|error| panic!("{error}"));
        fail(&programs, &missed(&graph, &ran), &has_missed_calls);
        check_that_programs_are_apart(&graph);
    }
}

/// What a report says of calls, by rule.
#[derive(Default)]
struct Findings {
    /// The labels of errors and warnings, by rule and location.
    labels: BTreeSet<(String, Spot)>,
    /// The functions of findings of `blocking-call`, with their callees.
    blocking: BTreeSet<(String, String)>,
}

impl Findings {
    fn new(report: &[Finding]) -> Findings {
        let mut findings = Findings::default();
        for finding in report.iter().filter(|finding| finding.level != Level::Note) {
            for label in finding.secondary.iter().chain([&finding.primary]) {
                let spot = (label.at.path.display().to_string(), label.at.line);
                findings.labels.insert((finding.rule.clone(), spot));
            }
            if finding.rule == "blocking-call" {
                let callees = finding.subjects.iter().map(|subject| subject.name.clone());
                findings.blocking.extend(callees.map(|callee| (finding.function.clone(), callee)));
            }
        }
        findings
    }

    fn has(&self, rule: &str, at: &Spot) -> bool {
        self.labels.contains(&(rule.to_owned(), at.clone()))
    }
}

/// The marks of the functions of programs, by name.
fn marks(programs: &[Program]) -> BTreeMap<&str, &'static str> {
    let mut marks = BTreeMap::from([("co_leaf", "coroutine_fn"), ("block_leaf", "no_coroutine_fn")]);
    for line in programs.iter().flat_map(|program| program.units[0].lines()).filter(|line| line.contains("ENTER_AS")) {
        let words = || line.split([' ', '(']);
        let mark = ["coroutine_fn", "no_coroutine_fn", "coroutine_mixed_fn"];
        let mark = mark.into_iter().find(|mark| words().any(|word| word == *mark));
        let name = words().find(|word| word.starts_with('p') && word.contains('_'));
        if let (Some(mark), Some(name)) = (mark, name) {
            marks.insert(name, mark);
        }
    }
    marks
}

/// Calls that broke a contract in a run, and are not reported; and locks that are said to be held and were not.
fn unreported(programs: &[Program], ran: &BTreeSet<Observed>, report: &[Finding]) -> BTreeMap<String, Vec<String>> {
    let (findings, marks) = (Findings::new(report), marks(programs));
    let mark = |name: &str| marks.get(name).copied().unwrap_or("");
    // A function between may be coroutine-only, too, by what it asserts.
    let is_on_chain = |ran: &Observed| {
        let callees = ran.chain.iter().skip(1).chain([&ran.callee]);
        let mut calls = ran.chain.iter().zip(callees).map(|(caller, callee)| (caller.clone(), callee.clone()));
        findings.has("blocking-call", &ran.at) || calls.any(|call| findings.blocking.contains(&call))
    };
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ran in ran.iter().filter(|ran| ran.returned) {
        let fault = match (mark(&ran.callee), ran.inside) {
            _ if ran.excused => None,
            ("coroutine_fn", false) if !findings.has("coroutine-call", &ran.at) => Some("outside of coroutines"),
            ("no_coroutine_fn", true) => match mark(&ran.caller) {
                "coroutine_fn" | "coroutine_mixed_fn" if !findings.has("blocking-call", &ran.at) => {
                    Some("in a coroutine")
                }
                "" if !ran.chain.is_empty() && !is_on_chain(ran) => Some("in a coroutine, by a chain"),
                _ => None,
            },
            _ => None,
        };
        let fault = match fault {
            None if !ran.held && findings.has("lock-across-yield", &ran.at) && ran.callee == "co_leaf" => {
                Some("without the lock that is said to be held")
            }
            other => other,
        };
        if let Some(how) = fault {
            let said = format!("{}:{}: {} called {} {how}", ran.at.0, ran.at.1, ran.caller, ran.callee);
            wrong.entry(program_of(&ran.caller).to_owned()).or_default().push(said);
        }
    }
    wrong
}

/// Calls that ran where an editor says that their line does not run, and how many lines it says run in one context only.
fn elsewhere(batch: &Batch, ran: &BTreeSet<Observed>) -> Result<(BTreeMap<String, Vec<String>>, usize), String> {
    let ran = || ran.iter().filter(|ran| ran.returned && !ran.excused);
    let lines = batch.lines(ran().map(|ran| &ran.at))?;
    let is_shown = |ran: &&Observed| match lines.get(&ran.at) {
        Some(Reach::Both) => true,
        Some(Reach::Inside) => ran.inside,
        Some(Reach::Outside) => !ran.inside,
        Some(Reach::Dead) | None => false,
    };
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ran in ran().filter(|ran| !is_shown(ran)) {
        let (line, inside) = (lines.get(&ran.at), if ran.inside { "inside" } else { "outside" });
        let said = format!("{}:{}: ran {inside}, and is shown as {line:?}", ran.at.0, ran.at.1);
        wrong.entry(program_of(&ran.caller).to_owned()).or_default().push(said);
    }
    Ok((wrong, lines.values().filter(|reach| **reach != Reach::Both).count()))
}

fn check_flow(family: Family) {
    let (mut reported, mut happened) = (0, 0);
    let still = |program: &Program| {
        let batch = Batch::new(flow::TYPES, std::slice::from_ref(program), Layout::Together);
        let Ok(ran) = batch.run(TRIALS) else { return false };
        batch.report().is_ok_and(|report| !unreported(std::slice::from_ref(program), &ran, &report.findings).is_empty())
            || elsewhere(&batch, &ran).is_ok_and(|(wrong, _)| !wrong.is_empty())
    };
    let offset = if family == Family::All { 1_000_000 } else { 0 };
    for programs in batches(|seed, name| flow::program(seed + offset, name, family)) {
        let batch = Batch::new(flow::TYPES, &programs, Layout::Together);
        let ran = batch.run(TRIALS).unwrap_or_else(|error| panic!("{error}"));
        let report = batch.report().unwrap_or_else(|error| panic!("{error}"));
        fail(&programs, &unreported(&programs, &ran, &report.findings), &still);
        let (wrong, narrow) = elsewhere(&batch, &ran).unwrap_or_else(|error| panic!("{error}"));
        fail(&programs, &wrong, &still);
        assert!(narrow > 100, "{narrow} lines run in one context only");
        assert!(!unreported(&programs, &ran, &[]).is_empty(), "some programs break contracts");
        let outside: BTreeSet<&Spot> = ran.iter().filter(|ran| !ran.inside).map(|ran| &ran.at).collect();
        // Whoever is never called can show nothing.
        let entered: BTreeSet<&str> = ran.iter().filter(|ran| !ran.inside).map(|ran| ran.callee.as_str()).collect();
        let can_show = |function: &str| function.contains("_f") || entered.contains(function);
        let about_calls = report.findings.iter().filter(|finding| finding.rule == "coroutine-call");
        for finding in about_calls.filter(|finding| can_show(&finding.function)) {
            let at = (finding.primary.at.path.display().to_string(), finding.primary.at.line);
            reported += 1;
            happened += usize::from(outside.contains(&at));
            if !outside.contains(&at) && std::env::var_os("COWRAP_DIFFERENTIAL_SHOW").is_some() {
                println!("did not happen: {}:{}: {}", at.0, at.1, finding.message);
            }
        }
    }
    println!("{reported} findings, {happened} of them happened");
    assert!((reported - happened) * 10 <= reported, "{happened} of {reported} findings happened");
}

/// A contract that a run breaks is reported, and nearly everything that is reported can happen.
#[test]
fn guards_are_followed_exactly() {
    check_flow(Family::Exact);
}

/// The same with jumps, loops that assign variables, and predicates that nobody follows: nothing is missed.
#[test]
fn jumps_and_loops_hide_nothing() {
    check_flow(Family::All);
}

/// Reports and graphs are the same bytes for any order of the units and any number of threads.
#[test]
fn order_and_threads_do_not_matter() {
    let mut programs: Vec<Program> = (0..12).map(|seed| pointers::program(seed, &format!("p{seed}"), true)).collect();
    // So that there is something to report.
    for Program { name, header, .. } in &mut programs {
        for (function, mark) in [("t0", "coroutine_fn"), ("t1", "no_coroutine_fn"), ("k0", "coroutine_fn")] {
            *header = header.replace(&format!(" {name}_{function};"), &format!(" {mark} {name}_{function};"));
        }
    }
    let batch = Batch::new(pointers::TYPES, &programs, Layout::Apart);
    let ask = |arguments: &[&str], jobs: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.args(arguments).args(["-j", jobs, "--no-cache"]).current_dir(batch.root());
        let command = command.output().expect("it runs");
        assert_ne!(command.status.code(), Some(2), "{}", String::from_utf8_lossy(&command.stderr));
        String::from_utf8(command.stdout).expect("text")
    };
    let questions = [["check", "--format", "json"], ["graph", "--format", "json"]];
    let mut sources = batch.sources().to_vec();
    let expected = questions.map(|question| ask(&question, "1"));
    for rule in ["coroutine-call", "blocking-call", "pointer-loses-mark"] {
        assert!(expected[0].contains(rule), "{rule}");
    }
    let mut numbers = Numbers::new(19);
    for _ in 0..3 {
        numbers.shuffle(&mut sources);
        batch.write_database(&sources);
        for jobs in ["1", "4"] {
            for (question, expected) in questions.iter().zip(&expected) {
                assert!(ask(question, jobs) == *expected, "{question:?}, {jobs} threads, {sources:?}");
            }
        }
    }
}
