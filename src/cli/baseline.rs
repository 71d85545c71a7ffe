//! `cowrap baseline`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_report::render::printable_lines;
use cowrap_session::{BaselineRequest, Gate, Shown};

use super::input::InputArguments;
use super::messages::say;
use super::{fail, progress};

#[derive(Debug, Args)]
#[command(after_help = "`cowrap check` does not report findings in the baseline, even if their code moves. \
    `cowrap check --ratchet` fails if the baseline lists findings that no longer exist; run `cowrap baseline` again to \
    remove them.\n\nExit status:\n  0  written\n  2  not written")]
pub(super) struct Baseline {
    /// File to write [default: .cowrap-baseline.json at the root of the tree]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Also run these opt-in rules, separated by commas; `cowrap rules` lists them
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    enable: Vec<String>,

    /// Write the baseline even if translation units cannot be read; it lacks their findings
    #[arg(long)]
    allow_incomplete: bool,

    #[command(flatten)]
    input: InputArguments,

    /// Headers that the wrapper generator reads, separated by commas [default: found in the build]
    #[arg(long = "inputs", help_heading = "Input", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,
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
        // A baseline has all findings, wherever they are.
        request.report_on.clear();
        let gate = std::mem::take(&mut request.gate);
        request.gate.baseline = BaselineRequest::No;
        let report = cowrap_session::check(&request, &progress::Bar::new()).map_err(|error| error.to_string())?;
        if let Some(problem) = report.problems.first().filter(|_| !self.allow_incomplete) {
            let (file, message) = (problem.file.shown(), &problem.message);
            return Err(format!(
                "no baseline written: {} of {} translation units cannot be read, the first is {file}: {message}\n  \
                 use --allow-incomplete to record the findings in the others",
                report.summary.failed_units, report.summary.units
            ));
        }
        let baseline = self.output.clone().map_or(gate.baseline, BaselineRequest::File);
        request.gate = Gate { baseline, ..Gate::default() };
        let (file, findings) = cowrap_session::write_baseline(&report, &request).map_err(|error| error.to_string())?;
        let shown = printable_lines(&file.shown().to_string());
        say(&format!("{shown}: {findings} finding{}", if findings == 1 { "" } else { "s" }));
        Ok(ExitCode::SUCCESS)
    }
}
