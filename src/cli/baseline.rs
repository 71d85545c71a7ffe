//! `cowrap baseline`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_report::render::printable_lines;
use cowrap_session::{BaselineRequest, Gate};

use super::input::InputArguments;
use super::{fail, progress};

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 written, 2 not written.\n\
    Findings in the baseline are not reported by `cowrap check`, whatever line they move to; what is new is. \
    `cowrap check --ratchet` fails when one of them is gone: then the baseline is written anew, and gets shorter.")]
pub(super) struct Baseline {
    #[command(flatten)]
    input: InputArguments,

    /// The file to write [default: .cowrap-baseline.json at the root of the tree]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The headers that the wrappers' generator reads, separated by commas, when the build does not tell; may be
    /// repeated
    #[arg(long = "inputs", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,

    /// Also run this rule, which runs only when it is asked for; may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    enable: Vec<String>,

    /// Write it although units could not be read, of which nothing will be in it
    #[arg(long)]
    allow_incomplete: bool,
}

impl Baseline {
    pub(super) fn run(self) -> ExitCode {
        match self.write() {
            Ok(status) => status,
            Err(message) => fail(&message),
        }
    }

    fn write(&self) -> Result<ExitCode, String> {
        let mut request = self.input.request()?;
        request.inputs = self.inputs.clone();
        request.enable.extend(self.enable.iter().cloned());
        // Everything that is found is to be in it, wherever it is.
        request.report_on.clear();
        let gate = std::mem::take(&mut request.gate);
        request.gate.baseline = BaselineRequest::No;
        let report = cowrap_session::check(&request, &progress::Bar::new()).map_err(|error| error.to_string())?;
        if let Some(problem) = report.problems.first().filter(|_| !self.allow_incomplete) {
            let (file, message) = (problem.file.display(), &problem.message);
            return Err(format!(
                "nothing was written, since {} of {} units could not be read; the first is {file}: {message}\n  \
                 --allow-incomplete writes what is found in the others",
                report.summary.failed_units, report.summary.units
            ));
        }
        let baseline = self.output.clone().map_or(gate.baseline, BaselineRequest::File);
        request.gate = Gate { baseline, ..Gate::default() };
        let (file, findings) = cowrap_session::write_baseline(&report, &request).map_err(|error| error.to_string())?;
        eprintln!(
            "{}: {findings} finding{}",
            printable_lines(&file.display().to_string()),
            if findings == 1 { "" } else { "s" }
        );
        Ok(ExitCode::SUCCESS)
    }
}
