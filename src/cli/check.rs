//! `cowrap check`.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser};
use clap::{Args, ValueEnum};

use cowrap_report::render::{Format, Style, render};
use cowrap_report::{Comparison, Report, Upgrade};
use cowrap_session::{BaselineRequest, Gate, Place, Request, Shown, Since, refuse_inputs, refuse_read};

use super::input::InputArguments;
use super::{ColorArgument, INCOMPLETE, fail, progress, warn};

#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  0  no errors\n  1  errors found\n  2  analysis failed or is incomplete")]
pub(super) struct Check {
    /// Report findings in these files and directories only; before `--`: the C files to check
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Compiler flags for single C files, instead of a compilation database
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,

    #[command(flatten)]
    selection: SelectionArguments,

    #[command(flatten)]
    report: ReportArguments,

    #[command(flatten)]
    input: InputArguments,

    /// Headers that the wrapper generator reads, separated by commas [default: found in the build]
    #[arg(long = "inputs", help_heading = "Input", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,
}

/// What is reported.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to report")]
struct SelectionArguments {
    /// Also run these opt-in rules, separated by commas; `cowrap rules` lists them
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    enable: Vec<String>,

    /// Report only findings that changes since REV introduced
    ///
    /// cowrap compares with the merge base of REV and HEAD. It reports findings that the merge base
    /// does not have, and findings on changed lines.
    #[arg(long, value_name = "REV", conflicts_with = "staged")]
    diff_base: Option<String>,

    /// Check what is staged in git, and report only findings that HEAD does not have
    #[arg(long)]
    staged: bool,

    /// Do not report the findings in this baseline [default: .cowrap-baseline.json at the root, if
    /// present]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Report the findings in the baseline, too
    #[arg(long, conflicts_with_all = ["baseline", "ratchet"])]
    no_baseline: bool,

    /// Fail if the baseline lists findings that no longer exist
    #[arg(long)]
    ratchet: bool,

    /// Do not fail if translation units cannot be read
    #[arg(long)]
    allow_incomplete: bool,
}

/// How it is reported.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct ReportArguments {
    /// Format of the report on standard output [default: human]
    #[arg(long, value_enum)]
    format: Option<FormatArgument>,

    /// Also write the report to FILE, or with `-` to standard output; may be repeated
    #[arg(long = "output", value_name = "FORMAT=FILE")]
    #[arg(value_parser = ValueParser::new(OsStringValueParser::new().try_map(output)))]
    outputs: Vec<(FormatArgument, PathBuf)>,

    /// When to use colors
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArgument::Auto)]
    color: ColorArgument,

    /// Also show libclang, the root, mark definitions and every translation unit that cannot be
    /// read
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArgument {
    /// Source excerpts, for people
    Human,
    /// One line per finding
    Short,
    /// One JSON document
    Json,
    /// JSON Lines: one line per finding, then one for the rest
    Jsonl,
    /// SARIF 2.1.0
    Sarif,
    /// GitLab Code Quality report
    Gitlab,
    /// GitHub workflow commands, for annotations
    Github,
    /// JUnit XML: one failed test per finding
    Junit,
    /// Checkstyle XML
    Checkstyle,
    /// A page for a browser, with sources, search and filters
    Html,
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
            FormatArgument::Html => Format::Html,
        }
    }
}

/// Where the report goes.
struct Outputs {
    standard: Format,
    files: Vec<(Format, Place)>,
}

/// Parses `FORMAT=FILE`.
fn output(argument: OsString) -> Result<(FormatArgument, PathBuf), String> {
    let bytes = argument.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=').ok_or("expected FORMAT=FILE")?;
    let (format, file) = (String::from_utf8_lossy(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]));
    if file.is_empty() {
        return Err("expected a file name after `=`".to_owned());
    }
    let formats = || FormatArgument::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let format = FormatArgument::from_str(&format, false).map_err(|_| {
        let known: Vec<String> = formats().map(|value| value.get_name().to_owned()).collect();
        format!("unknown format `{format}`; use one of {}", known.join(", "))
    })?;
    Ok((format, PathBuf::from(file)))
}

impl Check {
    pub(super) fn run(self, has_flags: bool) -> ExitCode {
        let request = match self.request(has_flags) {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let outputs = match self.outputs(&request) {
            Ok(outputs) => outputs,
            Err(message) => return fail(&message),
        };
        let progress = progress::Bar::new();
        let report = match cowrap_session::check(&request, &progress) {
            Ok(report) => report,
            Err(error) => return fail(&error.to_string()),
        };
        if let Some(notice) = report.summary.compared.as_ref().and_then(baseline_notice) {
            warn(&notice);
        }
        match self.write(&request, &report, &outputs) {
            Ok(()) => self.status(&report),
            Err(message) => fail(&message),
        }
    }

    /// Where the report goes.
    ///
    /// # Errors
    ///
    /// A destination is named twice, or cannot be written to.
    fn outputs(&self, request: &Request) -> Result<Outputs, String> {
        let mut standard: Option<Format> = self.report.format.map(Format::from);
        let mut files: Vec<(Format, Place)> = Vec::new();
        let mut known: Vec<PathBuf> = Vec::new();
        for (format, path) in &self.report.outputs {
            let format = Format::from(*format);
            if path == Path::new("-") {
                if standard.replace(format).is_some() {
                    return Err(
                        "standard output takes one format: use either --format or one --output FORMAT=-".to_owned()
                    );
                }
                continue;
            }
            // Better found out before the tree is read than after.
            let failed = |error: io::Error| format!("cannot write {}: {error}", path.shown());
            let identity = identity(path).map_err(failed)?;
            if known.contains(&identity) {
                return Err(format!("--output names {} twice", path.shown()));
            }
            known.push(identity);
            let place = Place::given(path).map_err(failed)?;
            refuse_inputs(&place, request).map_err(failed)?;
            files.push((format, place));
        }
        Ok(Outputs { standard: standard.unwrap_or(Format::Human), files })
    }

    fn write(&self, request: &Request, report: &Report, outputs: &Outputs) -> Result<(), String> {
        for (format, place) in &outputs.files {
            let mut text = Vec::new();
            refuse_read(place, request, report)
                .and_then(|()| render(report, *format, Style::PLAIN, self.report.verbose, &mut text))
                .and_then(|()| place.write(&text))
                .map_err(|error| format!("cannot write {}: {error}", place.path().shown()))?;
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        let style = self.report.color.style(&io::stdout());
        match render(report, outputs.standard, style, self.report.verbose, &mut out).and_then(|()| out.flush()) {
            // The reader stopped early; the exit status still counts.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the report: {error}")),
            _ => Ok(()),
        }
    }

    fn request(&self, has_flags: bool) -> Result<Request, String> {
        let mut request = self.input.request_on(&self.paths, &self.flags, has_flags)?;
        request.inputs = self.inputs.clone();
        request.enable.extend(self.selection.enable.iter().cloned());
        request.gate = self.gate(request.gate);
        Ok(request)
    }

    /// What the report is compared with; `set` comes from the settings.
    fn gate(&self, set: Gate) -> Gate {
        let baseline = match &self.selection.baseline {
            Some(file) => BaselineRequest::File(file.clone()),
            None if self.selection.no_baseline => BaselineRequest::No,
            None => set.baseline,
        };
        let since = match &self.selection.diff_base {
            Some(revision) => Some(Since::Fork(revision.clone())),
            None => self.selection.staged.then_some(Since::Staged),
        };
        Gate { baseline, ratchet: self.selection.ratchet, since }
    }

    fn status(&self, report: &Report) -> ExitCode {
        let differs = !report.details.sharing.differing.is_empty();
        if differs || (!report.problems.is_empty() && !self.selection.allow_incomplete) {
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::from(u8::from(report.summary.errors > 0))
    }
}

/// What there is to do about a baseline in the previous version of its format.
fn baseline_notice(compared: &Comparison) -> Option<String> {
    let (file, _) = compared.baseline.as_ref()?;
    Some(match compared.upgrade? {
        Upgrade::Rewritten => format!(
            "{file} was in the previous baseline format: its entries were matched by rule, file and \
             function, and it was rewritten; review and commit it"
        ),
        Upgrade::Pending => format!(
            "{file} is in the previous baseline format and was not rewritten: an entry matches no finding or \
             several, or the file cannot be written now; fix what is new first, then run `cowrap baseline`, which \
             records all findings that are left"
        ),
    })
}

/// The identity of a file that need not exist yet: equal for two paths that name the same file.
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
