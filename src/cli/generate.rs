//! `cowrap generate`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use cowrap_report::render::render_header_diagnostics;
use cowrap_session::{
    GenerateRequest, Generated, Job, NamedBy, Shown, build_jobs, configured_jobs, generate, plain_diff,
    require_own_headers,
};

use super::input::{generator_roots, settings};
use super::messages::{say, write};
use super::{ColorArgument, fail};

#[derive(Debug, Args)]
#[command(
    override_usage = "cowrap generate [OPTIONS] <OUT> <HEADER>...\n       \
                      cowrap generate --all [-p <BUILD_DIR>] [OPTIONS]",
    after_help = "Exit status:\n  0  written or up to date\n  1  a declaration cannot be wrapped \
                  or, with --check, a file is stale\n  2  failed"
)]
pub(super) struct Generate {
    /// File to write (`-`: standard output), then the headers that declare wrappers, in the order
    /// of the output
    #[arg(value_name = "OUT HEADER", required_unless_present = "all", conflicts_with = "all", num_args = 2..)]
    files: Vec<PathBuf>,

    /// Generate all files that cowrap.toml lists or, if it lists none, that the meson build
    /// generates
    #[arg(long)]
    all: bool,

    /// Build directory, for --all
    #[arg(short = 'p', long = "build", value_name = "BUILD_DIR", requires = "all", default_value = ".")]
    build: PathBuf,

    /// Write nothing; print a diff and exit with status 1 if a file is stale
    #[arg(long)]
    check: bool,

    /// Write a dependency file for make or ninja
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all", "check"])]
    depfile: Option<PathBuf>,

    /// Dialect of the wrappers [default: detected from the tree]
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,

    /// Root of the tree [default: detected]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Packs: built-in names or files, separated by commas, of which the first with a generator
    /// counts [default: qemu]
    #[arg(long = "pack", value_name = "PACK", value_delimiter = ',')]
    packs: Vec<PathBuf>,

    /// Header that the output includes, instead of the pack's; may be repeated
    #[arg(long = "include", value_name = "HEADER")]
    includes: Vec<String>,

    /// Write a file to be included: without #include lines, static wrappers allowed
    #[arg(long)]
    includable: bool,

    /// When to use colors in messages
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArgument::Auto)]
    color: ColorArgument,

    /// Show the dialect, how it was detected, and the number of wrappers in each file
    #[arg(short, long)]
    verbose: bool,
}

/// The jobs of a run, and who names their files.
struct Jobs {
    jobs: Vec<Job>,
    outputs: NamedBy,
    headers: NamedBy,
}

/// How a job ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Done,
    RefusedOrStale,
}

impl Generate {
    pub(super) fn run(self) -> ExitCode {
        match self.run_jobs() {
            Ok(End::Done) => ExitCode::SUCCESS,
            Ok(End::RefusedOrStale) => ExitCode::from(1),
            Err(message) => fail(&message),
        }
    }

    fn run_jobs(&self) -> Result<End, String> {
        let request = GenerateRequest {
            packs: self.packs.clone(),
            root: self.root.clone(),
            dialect: self.dialect.clone(),
            includes: self.includes.clone(),
            includable: self.includable,
        };
        let mut worst = End::Done;
        let Jobs { jobs, outputs: named_by, headers } = self.jobs()?;
        for job in jobs {
            require_own_headers(&job, &headers).map_err(|error| error.to_string())?;
            let generated = generate(&request, &job).map_err(|error| error.to_string())?;
            let mut stderr = io::stderr().lock();
            let style = self.color.style(&stderr);
            // If this cannot be printed, the exit status says that something is wrong.
            let _ = render_header_diagnostics(&generated.diagnostics, style, &mut stderr);
            drop(stderr);
            let end = match &generated.text {
                None => End::RefusedOrStale,
                Some(text) if self.check => check(&job, &named_by, &generated, text)?,
                Some(text) => self.store(&job, &named_by, &generated, text)?,
            };
            if self.verbose {
                print_details(&job, &generated);
            }
            worst = worst.max(end);
        }
        Ok(worst)
    }

    /// The jobs, and who names their files.
    fn jobs(&self) -> Result<Jobs, String> {
        if self.all {
            let working_directory =
                std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
            let settings = settings(None, false, &working_directory)?;
            let configured = configured_jobs(&settings);
            if !configured.is_empty() {
                let roots = NamedBy::Tree(generator_roots(&settings, &self.build));
                return Ok(Jobs { jobs: configured, outputs: roots.clone(), headers: roots });
            }
            let build = build_jobs(&self.build, &self.packs).map_err(|error| error.to_string())?;
            if build.jobs.is_empty() {
                let directory = self.build.shown();
                let programs = build.programs.join(", ");
                return Err(format!("{directory}: the build runs no wrapper generator; cowrap looked for {programs}"));
            }
            let (outputs, headers) = (NamedBy::Tree(build.roots), NamedBy::Tree(build.homes));
            return Ok(Jobs { jobs: build.jobs, outputs, headers });
        }
        match self.files.split_first() {
            Some((output, inputs)) if !inputs.is_empty() => {
                let output = (output != Path::new("-")).then(|| output.clone());
                let jobs = vec![Job { output, inputs: inputs.to_vec() }];
                Ok(Jobs { jobs, outputs: NamedBy::CommandLine, headers: NamedBy::CommandLine })
            }
            _ => Err("name the output and at least one header".to_owned()),
        }
    }

    fn store(&self, job: &Job, named_by: &NamedBy, generated: &Generated, text: &str) -> Result<End, String> {
        match &job.output {
            Some(_) => {
                generated.store(job, named_by).map_err(|error| error.to_string())?;
            }
            None => print(text)?,
        }
        if let Some(depfile) = &self.depfile {
            generated.write_depfile(depfile, job).map_err(|error| error.to_string())?;
        }
        Ok(End::Done)
    }
}

/// Prints how the file differs from what would be generated.
fn check(job: &Job, named_by: &NamedBy, generated: &Generated, text: &str) -> Result<End, String> {
    let Some(output) = &job.output else { return Err("--check needs an output file, not `-`".to_owned()) };
    let old = generated.stored(output, named_by).map_err(|error| error.to_string())?;
    let old = String::from_utf8_lossy(&old).into_owned();
    if old == text {
        return Ok(End::Done);
    }
    let name = output.display().to_string();
    print(&String::from_utf8_lossy(&plain_diff(&name, old.as_bytes(), text.as_bytes())))?;
    Ok(End::RefusedOrStale)
}

fn print(text: &str) -> Result<(), String> {
    write(&mut io::stdout().lock(), text.as_bytes())
}

fn print_details(job: &Job, generated: &Generated) {
    let (dialect, reasons) = &generated.dialect;
    let output = job.output.as_ref().map_or_else(|| "-".to_owned(), |output| output.shown().to_string());
    let count = generated.wrappers;
    say(&format!("{output}: {count} wrapper{}, dialect {dialect}", if count == 1 { "" } else { "s" }));
    for (feature, reason) in reasons {
        say(&format!("  {feature}: detected from {reason}"));
    }
}
