//! `cowrap link`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_session::{LinkRequest, Settings};

use super::fail;

#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  0  written\n  2  failed or incomplete")]
pub(super) struct Link {
    /// Facts files that `cowrap index` wrote with --shard or --unit, or directories of *.facts
    /// files
    #[arg(value_name = "FACTS", required = true)]
    facts: Vec<PathBuf>,

    /// Index to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Root of the tree, if it is not where the facts were read
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Packs that the facts were read with: built-in names or files, separated by commas [default:
    /// qemu]
    #[arg(long = "pack", value_name = "PACK", value_delimiter = ',')]
    packs: Vec<PathBuf>,

    /// Do not fail if translation units could not be read or their facts are missing
    #[arg(long)]
    allow_incomplete: bool,
}

impl Link {
    pub(super) fn run(self) -> ExitCode {
        let Link { facts, output, root, packs, allow_incomplete } = self;
        let settings = Settings::default();
        let index = match cowrap_session::link(&LinkRequest {
            facts,
            packs,
            settings,
            root,
            allow_missing: allow_incomplete,
        }) {
            Ok(index) => index,
            Err(error) => return fail(&error.to_string()),
        };
        let unread = index.problems.len();
        if let Err(error) = cowrap_session::save(index, &output) {
            return fail(&error.to_string());
        }
        if unread > 0 && !allow_incomplete {
            let output = output.display();
            let units = if unread == 1 { "translation unit" } else { "translation units" };
            return fail(&format!(
                "{unread} {units} could not be read; `cowrap check --index {output}` shows which and why"
            ));
        }
        ExitCode::SUCCESS
    }
}
