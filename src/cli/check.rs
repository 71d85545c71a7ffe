//! `cowrap check`.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser};
use clap::{Args, ValueEnum};

use cowrap_base::files::write_whole;
use cowrap_report::Report;
use cowrap_report::render::{Format, render};
use cowrap_session::{BaselineRequest, Gate, Input, Request, Since};

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

    /// Report only what changed since HEAD and this revision parted: findings that were not there, and those on changed lines
    #[arg(long, value_name = "REV", conflicts_with = "staged")]
    diff_base: Option<String>,

    /// The same for what is staged: check that, whatever is on the disk, and report only what is not so in HEAD
    #[arg(long)]
    staged: bool,

    /// Do not report the findings in this file, which `cowrap baseline` wrote [default: .cowrap-baseline.json at the root of the
    /// tree, if it is there]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Report findings whether they are in the baseline or not
    #[arg(long, conflicts_with_all = ["baseline", "ratchet"])]
    no_baseline: bool,

    /// Fail when the baseline has findings that are not there any more
    #[arg(long)]
    ratchet: bool,

    /// The format of the report on standard output [default: human]
    #[arg(long, value_enum)]
    format: Option<FormatArgument>,

    /// Also write the report to a file, in any format; `-` is standard output; may be repeated
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = ValueParser::new(OsStringValueParser::new().try_map(output)))]
    outputs: Vec<(FormatArgument, PathBuf)>,

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
    /// A line of JSON for each finding, then one for the rest
    Jsonl,
    /// SARIF 2.1.0
    Sarif,
    /// GitLab's Code Quality report
    Gitlab,
    /// Workflow commands of GitHub, for annotations
    Github,
    /// JUnit's XML: a failed test for each finding
    Junit,
    /// Checkstyle's XML
    Checkstyle,
}

impl From<FormatArgument> for Format {
    fn from(format: FormatArgument) -> Self {
        match format {
            FormatArgument::Human => Format::Human,
            FormatArgument::Short => Format::Short,
            FormatArgument::Json => Format::Json,
            FormatArgument::Jsonl => Format::Jsonl,
            FormatArgument::Sarif => Format::Sarif,
            FormatArgument::Gitlab => Format::Gitlab,
            FormatArgument::Github => Format::Github,
            FormatArgument::Junit => Format::Junit,
            FormatArgument::Checkstyle => Format::Checkstyle,
        }
    }
}

/// Where the report goes.
struct Outputs {
    standard: Format,
    files: Vec<(Format, PathBuf)>,
}

/// Takes `FORMAT=FILE` apart.
fn output(argument: OsString) -> Result<(FormatArgument, PathBuf), String> {
    let bytes = argument.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=').ok_or("a format, `=` and a file are wanted")?;
    let (format, file) = (String::from_utf8_lossy(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]));
    if file.is_empty() {
        return Err("there is no file behind `=`".to_owned());
    }
    let formats = || FormatArgument::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let format = FormatArgument::from_str(&format, false).map_err(|_| {
        let known: Vec<String> = formats().map(|value| value.get_name().to_owned()).collect();
        format!("there is no format `{format}`; there are {}", known.join(", "))
    })?;
    Ok((format, PathBuf::from(file)))
}

impl Check {
    pub(super) fn run(self, has_flags: bool) -> ExitCode {
        let request = match self.request(has_flags) {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let outputs = match self.outputs() {
            Ok(outputs) => outputs,
            Err(message) => return fail(&message),
        };
        let progress = progress::Bar::new();
        let report = match cowrap_session::check(&request, &progress) {
            Ok(report) => report,
            Err(error) => return fail(&error.to_string()),
        };
        match self.write(&report, &outputs) {
            Ok(()) => self.status(&report),
            Err(message) => fail(&message),
        }
    }

    /// Where the report goes; an error when one place is named twice, or cannot be written to.
    fn outputs(&self) -> Result<Outputs, String> {
        let mut standard: Option<Format> = self.format.map(Format::from);
        let mut files: Vec<(Format, PathBuf)> = Vec::new();
        let mut known: Vec<PathBuf> = Vec::new();
        for (format, path) in &self.outputs {
            let format = Format::from(*format);
            if path == Path::new("-") {
                if standard.replace(format).is_some() {
                    return Err(
                        "standard output can have one format: name it with --format or with --output".to_owned()
                    );
                }
                continue;
            }
            // It would be a pity to find this out only when everything has been read.
            let identity = identity(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            if known.contains(&identity) {
                return Err(format!("{} is named twice with --output", path.display()));
            }
            known.push(identity);
            files.push((format, path.clone()));
        }
        Ok(Outputs { standard: standard.unwrap_or(Format::Human), files })
    }

    fn write(&self, report: &Report, outputs: &Outputs) -> Result<(), String> {
        for (format, path) in &outputs.files {
            let mut text = Vec::new();
            render(report, *format, false, self.verbose, &mut text)
                .and_then(|()| write_whole(path, &text))
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        let color = self.color.is_on(&io::stdout());
        match render(report, outputs.standard, color, self.verbose, &mut out).and_then(|()| out.flush()) {
            // Whoever reads has seen enough; the status still tells.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the report: {error}")),
            _ => Ok(()),
        }
    }

    fn request(&self, has_flags: bool) -> Result<Request, String> {
        let mut request = self.input.request()?;
        request.inputs = self.inputs.clone();
        request.enable.extend(self.enable.iter().cloned());
        request.gate = self.gate(request.gate);
        if has_flags {
            if self.input.is_given() {
                return Err("either a database (-p), an index (--index) or flags (after --)".to_owned());
            }
            if self.paths.is_empty() {
                return Err("name the C files to check before `--`".to_owned());
            }
            request.input = Input::Files { files: self.paths.clone(), flags: self.flags.clone() };
            request.report_on.clear();
        } else if !self.paths.is_empty() {
            request.report_on = self.paths.clone();
        }
        Ok(request)
    }

    /// What the report is compared with; `set` is what the tree's settings say.
    fn gate(&self, set: Gate) -> Gate {
        let baseline = match &self.baseline {
            Some(file) => BaselineRequest::File(file.clone()),
            None if self.no_baseline => BaselineRequest::No,
            None => set.baseline,
        };
        let since = match &self.diff_base {
            Some(revision) => Some(Since::Fork(revision.clone())),
            None => self.staged.then_some(Since::Staged),
        };
        Gate { baseline, ratchet: self.ratchet, since }
    }

    fn status(&self, report: &Report) -> ExitCode {
        let unsure = !report.details.sharing.differing.is_empty();
        if unsure || (!report.problems.is_empty() && !self.allow_incomplete) {
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::from(u8::from(report.summary.errors > 0))
    }
}

/// What tells whether two paths name the same file, which need not be there yet.
fn identity(path: &Path) -> io::Result<PathBuf> {
    if let Ok(found) = path.canonicalize() {
        return match found.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => Ok(found),
        };
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(directory.canonicalize()?.join(name))
}
