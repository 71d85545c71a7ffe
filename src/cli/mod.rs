//! Arguments, subcommands, progress and exit statuses.
//!
//! It must never know how anything is analysed.

mod ask;
mod baseline;
mod cache;
mod check;
mod config;
mod ending;
mod fix;
mod generate;
mod help;
mod index;
mod input;
mod link;
mod messages;
mod pack;
mod progress;
mod server;
mod watch;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use terminal_size::{Width, terminal_size_of};

use cowrap_report::Direction;
use cowrap_report::render::Style;

use ending::{guarded, handle_signals};
use messages::{fail, print, warn};

/// The exit status if analysis failed or is incomplete.
const INCOMPLETE: u8 = 2;

/// Check that functions run only in contexts that they allow, over a whole C tree
///
/// cowrap reads a C tree such as QEMU's with libclang, builds its call graph, and reports calls in
/// a context that the called function does not allow, by its mark or by the pack. It also
/// generates the wrappers through which code calls functions that require another context.
#[derive(Debug, Parser)]
#[command(name = "cowrap", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one, and it is taken apart at once
enum Command {
    /// Check a C tree, or single C files
    Check(check::Check),
    /// Check a C tree after each change, and print what appeared and what is gone
    Watch(watch::Watch),
    /// Apply fixes, and check the result before writing it
    Fix(fix::Fix),
    /// Record current findings as a baseline
    Baseline(baseline::Baseline),
    /// Explain what cowrap infers about a function, and why
    Why(ask::Why),
    /// List the callers of a function
    Callers(ask::Related),
    /// List the functions that a function calls
    Callees(ask::Related),
    /// Search the call graph for paths
    Paths(ask::Paths),
    /// Write the call graph, or a part of it, for Graphviz, a browser or a program
    Graph(ask::Graph),
    /// Read a C tree and save the result for checks and queries
    Index(index::Index),
    /// Combine facts files of several `cowrap index` runs into one index
    Link(link::Link),
    /// Generate the wrappers that headers declare
    Generate(generate::Generate),
    /// Serve editors over the Language Server Protocol, on standard input and output
    Server(server::Server),
    /// Show the effective settings and where each comes from
    Config(config::Config),
    /// Write a new pack, or check what a pack matches in a tree
    Pack(pack::Pack),
    /// List the rules
    Rules(help::Rules),
    /// Explain a rule: what it reports, why it matters, how to fix it
    Explain(help::Explain),
    /// Inspect or clear the cache
    Cache(cache::Cache),
    /// Generate completions for a shell
    Completions(help::Completions),
    /// Generate the manual pages
    Man(help::Man),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorArgument {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    guarded(|| {
        handle_signals();
        run_command()
    })
}

fn run_command() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let has_flags = arguments.iter().any(|argument| argument == "--");
    let cli = Cli::parse_from(arguments);
    match cli.command {
        Command::Check(check) => check.run(has_flags),
        Command::Watch(watch) => watch.run(has_flags),
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
        Command::Pack(pack) => pack.run(has_flags),
        Command::Server(server) => server.run(),
        Command::Config(config) => config.run(),
        Command::Rules(rules) => rules.run(),
        Command::Explain(explain) => explain.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Cache(cache) => cache.run(),
    }
}

impl ColorArgument {
    /// How text for people looks on a stream.
    fn style<S: IsTerminal + AsFd>(self, stream: &S) -> Style {
        Style { color: self.is_on(stream), width: width(stream) }
    }

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

/// Prose is not wrapped more narrowly, whatever the terminal says.
const LEAST_WIDTH: usize = 40;

/// The width of text on a stream: what `COLUMNS` says, or else the terminal's.
fn width(stream: &impl AsFd) -> usize {
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let width = given.or_else(|| terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns)));
    width.map_or(Style::DEFAULT_WIDTH, |width| width.max(LEAST_WIDTH))
}
