//! Arguments, subcommands, progress and exit statuses.
//!
//! It must never know how anything is analysed.

mod ask;
mod baseline;
mod cache;
mod check;
mod config;
mod fix;
mod generate;
mod help;
mod index;
mod input;
mod link;
mod progress;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use cowrap_report::Direction;
use cowrap_report::render::printable_lines;

/// The whole job could not be done.
const INCOMPLETE: u8 = 2;

/// Checks that functions which may only run in a coroutine are entered through generated wrappers, and generates
/// those.
#[derive(Debug, Parser)]
#[command(name = "cowrap", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one, and it is taken apart at once
enum Command {
    /// Check a C tree, from its compilation database or file by file
    Check(check::Check),
    /// Fix what can be fixed without a person writing it, and check the result before it is written
    Fix(fix::Fix),
    /// Read a C tree, and keep what was read in a file: for many checks and questions
    Index(index::Index),
    /// Join what several runs of `cowrap index` read of a tree, each a part of it, in one index
    Link(link::Link),
    /// Tell what is believed of a function, and why
    Why(ask::Why),
    /// Tell who calls a function
    Callers(ask::Related),
    /// Tell what a function calls
    Callees(ask::Related),
    /// Find paths through the call graph
    Paths(ask::Paths),
    /// Draw a part of the call graph
    Graph(ask::Graph),
    /// Generate the wrappers that headers ask for
    Generate(generate::Generate),
    /// Write down what is found today, so that `cowrap check` reports only what is new
    Baseline(baseline::Baseline),
    /// Tell what is in force for a tree, and where it is said
    Config(config::Config),
    /// List the rules
    Rules,
    /// Tell what a rule reports, why it matters, and what to do
    Explain(help::Explain),
    /// Write completions for a shell
    Completions(help::Completions),
    /// Write the manual pages
    Man(help::Man),
    /// Look after what earlier runs found out, which is kept on disk
    Cache(cache::Cache),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorArgument {
    Auto,
    Always,
    Never,
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A worker's panic costs one unit and is part of the report.
        let in_worker = std::thread::current().name().is_some_and(|name| name.starts_with(cowrap_session::WORKER));
        if !in_worker {
            print(panic);
        }
    }));
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let has_flags = arguments.iter().any(|argument| argument == "--");
    let cli = Cli::parse_from(arguments);
    match cli.command {
        Command::Check(check) => check.run(has_flags),
        Command::Fix(fix) => fix.run(has_flags),
        Command::Index(index) => index.run(),
        Command::Link(link) => link.run(),
        Command::Why(why) => why.run(),
        Command::Callers(related) => related.run(Direction::Callers),
        Command::Callees(related) => related.run(Direction::Callees),
        Command::Paths(paths) => paths.run(),
        Command::Graph(graph) => graph.run(),
        Command::Generate(generate) => generate.run(),
        Command::Baseline(baseline) => baseline.run(),
        Command::Config(config) => config.run(),
        Command::Rules => help::rules(),
        Command::Explain(explain) => explain.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Cache(cache) => cache.run(),
    }
}

impl ColorArgument {
    /// `NO_COLOR`, when it is not empty, turns colour off (no-color.org).
    fn is_on(self, stream: &impl IsTerminal) -> bool {
        match self {
            ColorArgument::Always => true,
            ColorArgument::Never => false,
            ColorArgument::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && stream.is_terminal()
            }
        }
    }
}

/// Writes to standard output; that somebody does not want to read on is no failure.
fn print(text: &[u8]) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            fail(&format!("cannot write the output: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("cowrap: error: {}", printable_lines(message));
    ExitCode::from(INCOMPLETE)
}
