//! `cowrap link`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_session::{LinkRequest, Place, Shown, refuse_facts};

use super::fail;
use super::input::{packs, settings};

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
    /// those of cowrap.toml, or qemu]
    #[arg(long = "pack", value_name = "PACK", value_delimiter = ',')]
    packs: Vec<PathBuf>,

    /// Settings file [default: cowrap.toml, here or in a parent directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Ignore cowrap.toml
    #[arg(long, conflicts_with = "config")]
    no_config: bool,

    /// Do not fail if translation units could not be read or their facts are missing
    #[arg(long)]
    allow_incomplete: bool,
}

impl Link {
    pub(super) fn run(self) -> ExitCode {
        let Link { output, allow_incomplete, .. } = &self;
        let request = match self.request() {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let place = Place::given(output).and_then(|place| refuse_facts(&place, &request).map(|()| place));
        let place = match place {
            Ok(place) => place,
            Err(error) => return fail(&format!("cannot write {}: {error}", output.shown())),
        };
        let index = match cowrap_session::link(&request) {
            Ok(index) => index,
            Err(error) => return fail(&error.to_string()),
        };
        let unread = index.problems.len();
        if let Err(error) = cowrap_session::save(index, &place) {
            return fail(&error.to_string());
        }
        if unread > 0 && !*allow_incomplete {
            let output = output.shown();
            let units = if unread == 1 { "translation unit" } else { "translation units" };
            return fail(&format!(
                "{unread} {units} could not be read; `cowrap check --index {output}` shows which and why"
            ));
        }
        ExitCode::SUCCESS
    }

    fn request(&self) -> Result<LinkRequest, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
        let settings = settings(self.config.as_deref(), self.no_config, &working_directory)?;
        Ok(LinkRequest {
            facts: self.facts.clone(),
            packs: packs(&self.packs, &settings)?,
            settings,
            root: self.root.clone(),
            allow_missing: self.allow_incomplete,
        })
    }
}
