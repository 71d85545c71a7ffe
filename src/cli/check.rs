//! `cowrap check`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::driver::{self, Input, Report, Request};
use crate::render::{Format, render};

use super::input::InputArguments;
use super::{ColorArgument, INCOMPLETE, fail, progress};

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 clean, 1 findings at the level of an error, 2 the whole job could not be done.")]
pub(super) struct Check {
    /// Report findings only in these files and directories; before `--`, the C files to check
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    input: InputArguments,

    /// The headers that the wrappers' generator reads, separated by commas, when the build does not tell; may be
    /// repeated
    #[arg(long = "inputs", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,

    /// Also run this rule, which reports what can be better and not what is wrong: eligible-mark, superfluous-mark,
    /// hand-written-wrapper; may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    enable: Vec<String>,

    /// The format of the report
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    /// Whether the report is coloured; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = ColorArgument::Auto)]
    color: ColorArgument,

    /// Do not fail because of units that could not be read
    #[arg(long)]
    allow_incomplete: bool,

    /// Also tell which marks were found where, and every unit that could not be read
    #[arg(short, long)]
    verbose: bool,

    /// Without a database: the compiler's flags for the files
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArgument {
    /// Excerpts of the source, for people
    Human,
    /// One line for each finding
    Short,
    /// One JSON document
    Json,
}

impl Check {
    pub(super) fn run(self, has_flags: bool) -> ExitCode {
        let request = match self.request(has_flags) {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let progress = progress::Bar::new();
        let report = match driver::check(&request, &progress) {
            Ok(report) => report,
            Err(error) => return fail(&error.to_string()),
        };
        let format = match self.format {
            FormatArgument::Human => Format::Human,
            FormatArgument::Short => Format::Short,
            FormatArgument::Json => Format::Json,
        };
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let written = render(&report, format, self.color.is_on(&std::io::stdout()), self.verbose, &mut out)
            .and_then(|()| out.flush());
        match written {
            Ok(()) => {}
            // Whoever reads has seen enough; the status still tells.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => return fail(&format!("cannot write the report: {error}")),
        }
        self.status(&report)
    }

    fn request(&self, has_flags: bool) -> Result<Request, String> {
        let mut request = self.input.request()?;
        request.inputs = self.inputs.clone();
        request.enable = self.enable.clone();
        if has_flags {
            if self.input.is_given() {
                return Err("either a database (-p), an index (--index) or flags (after --)".to_owned());
            }
            if self.paths.is_empty() {
                return Err("name the C files to check before `--`".to_owned());
            }
            request.input = Input::Files { files: self.paths.clone(), flags: self.flags.clone() };
        } else {
            request.report_on = self.paths.clone();
        }
        Ok(request)
    }

    fn status(&self, report: &Report) -> ExitCode {
        if !report.problems.is_empty() && !self.allow_incomplete {
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::from(u8::from(report.summary.errors > 0))
    }
}
