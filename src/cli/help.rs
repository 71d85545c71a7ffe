//! `cowrap rules`, `cowrap explain`, `cowrap completions` and `cowrap man`: documentation of the
//! program.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use cowrap_report::{Level, RuleInfo, Safety};
use cowrap_session::{Place, Shown, nearest};

use super::input::{packs, settings};
use super::{Cli, fail, print};

#[derive(Debug, Args)]
pub(super) struct Rules {
    /// Packs whose rules are listed, separated by commas [default: those of cowrap.toml, or qemu]
    #[arg(long = "pack", value_name = "PACK", value_delimiter = ',')]
    packs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Name of the rule, or PACK/RULE
    rule: String,

    /// Packs whose rule is meant, separated by commas [default: those of cowrap.toml, or qemu]
    #[arg(long = "pack", value_name = "PACK", value_delimiter = ',')]
    packs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to generate completions for
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write all pages to DIR, instead of the first to standard output
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Rules {
    /// Prints a line for each rule: its name, its highest level, whether it has fixes, and its summary.
    pub(super) fn run(self) -> ExitCode {
        match rules_of(&self.packs) {
            Ok(rules) => print(lines(&rules).as_bytes()),
            Err(message) => fail(&message),
        }
    }
}

/// A line for each rule. With several packs, names have the pack.
fn lines(rules: &[RuleInfo]) -> String {
    let packs: BTreeSet<&str> = rules.iter().filter_map(|rule| rule.pack.as_deref()).collect();
    let name = |rule: &RuleInfo| match &rule.pack {
        Some(pack) if packs.len() > 1 => format!("{pack}/{}", rule.name),
        _ => rule.name.clone(),
    };
    let width = rules.iter().map(|rule| name(rule).len()).max().unwrap_or(0);
    let line = |rule: &RuleInfo| {
        let level = match rule.level {
            _ if rule.opt_in => "opt-in",
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let fix = match rule.fixes {
            Some(Safety::Safe) => "fix",
            Some(Safety::Unsafe) => "unsafe fix",
            None => "-",
        };
        format!("{:width$}  {level:7}  {fix:10}  {}\n", name(rule), rule.summary)
    };
    rules.iter().map(line).collect()
}

/// The rules of packs that are given, or else of those of `cowrap.toml`.
fn rules_of(given: &[PathBuf]) -> Result<Vec<RuleInfo>, String> {
    let working_directory =
        std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
    let settings = settings(None, false, &working_directory)?;
    cowrap_session::rules(&packs(given, &settings)?).map_err(|error| error.to_string())
}

impl Explain {
    pub(super) fn run(self) -> ExitCode {
        let rules = match rules_of(&self.packs) {
            Ok(rules) => rules,
            Err(message) => return fail(&message),
        };
        let mut pages: Vec<String> = Vec::new();
        for rule in rules.iter().chain(&cowrap_session::builtin_rules()).filter(|rule| rule.is_named(&self.rule)) {
            // A rule that no pack of this run has may be one of a built-in pack.
            let is_elsewhere = !pages.is_empty() && !rules.contains(rule);
            if !is_elsewhere && !pages.contains(&rule.page) {
                pages.push(rule.page.clone());
            }
        }
        if !pages.is_empty() {
            return print(pages.join("\n").as_bytes());
        }
        let similar = nearest(&self.rule, rules.iter().map(|rule| rule.name.as_str()));
        let hint = match similar {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`cowrap rules` lists all rules".to_owned(),
        };
        fail(&format!("unknown rule `{}`; {hint}", self.rule))
    }
}

impl Completions {
    pub(super) fn run(self) -> ExitCode {
        let mut command = Cli::command();
        let name = command.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut text);
        print(&text)
    }
}

/// Writes the page of a command, and those of its subcommands.
fn write_pages(command: clap::Command, directory: &Path) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    // Subcommands get their full names.
    command.build();
    write_page(&command, directory)
}

fn write_page(command: &clap::Command, directory: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        write_page(subcommand, directory)?;
    }
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    Place::given(&directory.join(page.get_filename()))?.write(&text).map(|_| ())
}

impl Man {
    pub(super) fn run(self) -> ExitCode {
        let command = Cli::command();
        let Some(directory) = &self.output else {
            let mut text = Vec::new();
            return match clap_mangen::Man::new(command).render(&mut text) {
                Ok(()) => print(&text),
                Err(error) => fail(&format!("cannot generate the page: {error}")),
            };
        };
        match std::fs::create_dir_all(directory).and_then(|()| write_pages(command, directory)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&format!("cannot write to {}: {error}", directory.shown())),
        }
    }
}
