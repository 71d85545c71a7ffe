//! `cowrap server`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use cowrap_server::{Ending, Host, Options};
use cowrap_session::{BaselineRequest, Input, Request, Shown, remove_temporaries};

use super::input::InputArguments;
use super::messages::say;
use super::{INCOMPLETE, fail};

#[derive(Debug, Args)]
#[command(after_help = "Relative paths start from the workspace folder.\n\n\
    Exit status:\n  0  the client shut the server down\n  1  the client has gone\n  2  the server failed")]
pub(super) struct Server {
    /// Also run these opt-in rules, separated by commas; `cowrap rules` lists them
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    enable: Vec<String>,

    /// Do not report the findings in this baseline [default: .cowrap-baseline.json at the root, if
    /// present]
    #[arg(long, value_name = "FILE")]
    baseline: Option<std::path::PathBuf>,

    /// Report the findings in the baseline, too
    #[arg(long, conflicts_with = "baseline")]
    no_baseline: bool,

    /// Accepted, since some editors pass it; there is no other way to connect
    #[arg(long, hide = true)]
    stdio: bool,

    #[command(flatten)]
    input: InputArguments,
}

impl Server {
    pub(super) fn run(self) -> ExitCode {
        if self.input.has_index() {
            return fail("the server reads the tree; name the build directory with -p instead of --index");
        }
        let request = move |folder: &Path, options: &Options| self.request(folder, options);
        let status = match cowrap_server::run(Host { request: Arc::new(request), say }) {
            Ending::Orderly => 0,
            Ending::Abrupt => 1,
            Ending::Failed => i32::from(INCOMPLETE),
        };
        // The tree may still be read, in this process and in its workers.
        remove_temporaries();
        std::process::exit(status)
    }

    /// The request for the tree of a workspace folder: that of `cowrap check` in this directory.
    fn request(&self, folder: &Path, options: &Options) -> Result<Request, String> {
        std::env::set_current_dir(folder).map_err(|error| format!("cannot enter {}: {error}", folder.shown()))?;
        let mut request = self.input.request()?;
        request.enable.extend(self.enable.iter().chain(&options.enable).cloned());
        if let Some(build) = &options.build {
            request.input = Input::Database(Some(build.clone()));
        }
        if !options.packs.is_empty() {
            request.packs = options.packs.clone();
        }
        if let Some(baseline) = &self.baseline {
            request.gate.baseline = BaselineRequest::File(baseline.clone());
        } else if self.no_baseline {
            request.gate.baseline = BaselineRequest::No;
        }
        Ok(request)
    }
}
