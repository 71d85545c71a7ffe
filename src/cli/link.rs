//! `cowrap link`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_session::LinkRequest;

use super::{INCOMPLETE, fail};

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 written, 2 not written, or written without some of the units.")]
pub(super) struct Link {
    /// The facts files that `cowrap index --shard` or a ninja file wrote, in any order; of a directory, all files *.facts in it
    #[arg(value_name = "FACTS", required = true)]
    facts: Vec<PathBuf>,

    /// The index to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// The root of the tree, when it is not where the facts were read
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// What the code base calls things: the pack that the facts were read with [default: qemu]
    #[arg(long, value_name = "PACK")]
    pack: Option<PathBuf>,

    /// Do not fail because of units that could not be read, or whose facts are missing
    #[arg(long)]
    allow_incomplete: bool,
}

impl Link {
    pub(super) fn run(self) -> ExitCode {
        let Link { facts, output, root, pack, allow_incomplete } = self;
        let index = match cowrap_session::link(&LinkRequest { facts, pack, root, allow_missing: allow_incomplete }) {
            Ok(index) => index,
            Err(error) => return fail(&error.to_string()),
        };
        let unread = index.problems.len();
        if let Err(error) = cowrap_session::save(index, &output) {
            return fail(&error.to_string());
        }
        if unread > 0 && !allow_incomplete {
            let output = output.display();
            fail(&format!(
                "{unread} of the units could not be read; `cowrap check --index {output}` tells which and why"
            ));
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::SUCCESS
    }
}
