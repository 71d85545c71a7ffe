//! `cowrap index`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::driver;

use super::input::InputArguments;
use super::{INCOMPLETE, fail, progress};

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 written, 2 not written, or written without some of the units.")]
pub(super) struct Index {
    #[command(flatten)]
    input: InputArguments,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Do not fail because of units that could not be read
    #[arg(long)]
    allow_incomplete: bool,
}

impl Index {
    pub(super) fn run(self) -> ExitCode {
        let request = match self.input.request() {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let index = match driver::index(&request, &progress::Bar::new()) {
            Ok(index) => index,
            Err(error) => return fail(&error.to_string()),
        };
        let unread = index.problems.len();
        let shared = index.details.shared.clone();
        if let Err(error) = driver::save(index, &self.output) {
            return fail(&error.to_string());
        }
        for (unit, file) in &shared.differing {
            let (unit, file) = (unit.display(), file.display());
            fail(&format!("{unit} says something else with precompiled headers, in {file}; please report this"));
        }
        if !shared.differing.is_empty() {
            return ExitCode::from(INCOMPLETE);
        }
        if unread > 0 && !self.allow_incomplete {
            fail(&format!("could not read {unread} of the units; `cowrap check` tells which and why"));
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::SUCCESS
    }
}
