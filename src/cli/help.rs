//! `cowrap rules`, `cowrap explain`, `cowrap completions` and `cowrap man`: documentation of the
//! program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use cowrap_report::{Level, RuleInfo, Safety};
use cowrap_session::nearest;

use super::{Cli, fail, print};

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Name of the rule
    rule: String,
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

/// Prints a line for each rule: its name, its highest level, whether it has fixes, and its summary.
pub(super) fn rules() -> ExitCode {
    let rules = match cowrap_session::rules(&[]) {
        Ok(rules) => rules,
        Err(error) => return fail(&error.to_string()),
    };
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
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
        format!("{:width$}  {level:7}  {fix:10}  {}\n", rule.name, rule.summary)
    };
    print(rules.iter().map(line).collect::<String>().as_bytes())
}

impl Explain {
    pub(super) fn run(self) -> ExitCode {
        let rules = match cowrap_session::rules(&[]) {
            Ok(rules) => rules,
            Err(error) => return fail(&error.to_string()),
        };
        match rules.iter().find(|rule| rule.name == self.rule) {
            Some(rule) => print(rule.page.as_bytes()),
            None => {
                let similar = nearest(&self.rule, rules.iter().map(|rule| rule.name.as_str()));
                let hint = match similar {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "`cowrap rules` lists all rules".to_owned(),
                };
                fail(&format!("unknown rule `{}`; {hint}", self.rule))
            }
        }
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
        let written = std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(command, directory));
        match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&format!("cannot write to {}: {error}", directory.display())),
        }
    }
}
