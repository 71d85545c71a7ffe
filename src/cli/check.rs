//! `cowrap check`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use globset::{GlobBuilder, GlobSetBuilder};

use crate::driver::{self, Input, Report, Request};
use crate::render::{Format, render};

use super::{ColorArgument, INCOMPLETE, fail, progress};

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 clean, 1 findings at the level of an error, 2 the whole job could not be done.")]
pub(super) struct Check {
    /// Report findings only in these files and directories; before `--`, the C files to check
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The build directory or its compile_commands.json [default: ., build/ or the only build*/]
    #[arg(short = 'p', long = "build", value_name = "BUILD_DIR_OR_JSON")]
    build: Option<PathBuf>,

    /// The root of the tree, when it is not found by itself
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Index only units whose path below the root matches (`*` stays within a directory, `**` does not); may
    /// be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// What the code base calls things: a file, or the name of a built-in pack [default: qemu]
    #[arg(long, value_name = "PACK")]
    pack: Option<PathBuf>,

    /// The headers that the wrappers' generator reads, separated by commas, when the build does not tell; may be
    /// repeated
    #[arg(long = "inputs", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,

    /// The format of the report
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    /// Whether the report is coloured; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = ColorArgument::Auto)]
    color: ColorArgument,

    /// How many units are read at once [default: one for each processor]
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,

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
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot tell the working directory: {error}"))?;
        let mut only = GlobSetBuilder::new();
        for pattern in &self.only {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            only.add(glob.map_err(|error| format!("--only: {error}"))?);
        }
        let only = only.build().map_err(|error| format!("--only: {error}"))?;
        let (input, report_on) = if has_flags {
            if self.build.is_some() {
                return Err("either a database (-p) or flags (after --), not both".to_owned());
            }
            if self.paths.is_empty() {
                return Err("name the C files to check before `--`".to_owned());
            }
            (Input::Files { files: self.paths.clone(), flags: self.flags.clone() }, Vec::new())
        } else {
            (Input::Database(self.build.clone()), self.paths.clone())
        };
        Ok(Request {
            input,
            working_directory,
            root: self.root.clone(),
            report_on,
            only: (!self.only.is_empty()).then_some(only),
            pack: self.pack.clone(),
            inputs: self.inputs.clone(),
            jobs: self.jobs,
        })
    }

    fn status(&self, report: &Report) -> ExitCode {
        if !report.problems.is_empty() && !self.allow_incomplete {
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::from(u8::from(report.summary.errors > 0))
    }
}
