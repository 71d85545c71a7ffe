//! `cowrap index`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use cowrap_base::files::Digest;
use cowrap_report::SharingStats;
use cowrap_session::{FactsError, NinjaRequest, Part, Request, Shard};

use super::input::InputArguments;
use super::{INCOMPLETE, fail, progress};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 written, 2 not written, or written without some of the units. Facts tell themselves \
                        which units could not be read; that is no error before `cowrap link` joins them."
)]
pub(super) struct Index {
    #[command(flatten)]
    input: InputArguments,

    /// The file to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "emit_ninja")]
    output: Option<PathBuf>,

    /// Do not fail because of units that could not be read
    #[arg(long)]
    allow_incomplete: bool,

    /// Read the K-th of N parts of the units, and write its facts; `cowrap link` joins those of all parts
    #[arg(long, value_name = "K/N", conflicts_with_all = ["index", "unit", "emit_ninja"])]
    shard: Option<Shard>,

    /// Read one unit, and write its facts: an edge of a file that --emit-ninja wrote
    #[arg(long, value_name = "DIGEST", value_parser = digest, conflicts_with_all = ["index", "emit_ninja"])]
    unit: Option<Digest>,

    /// With --unit: write what the facts depend on, as a rule for ninja
    #[arg(long, value_name = "FILE", requires = "unit")]
    depfile: Option<PathBuf>,

    /// Read nothing, and write a file for ninja that reads each unit by itself, and joins them in the output, if there is one
    #[arg(long, value_name = "FILE", conflicts_with = "index")]
    emit_ninja: Option<PathBuf>,

    /// With --emit-ninja: the directory of the units' facts, which nothing else may use [default: FILE.facts]
    #[arg(long, value_name = "DIR", requires = "emit_ninja")]
    facts_dir: Option<PathBuf>,
}

fn digest(text: &str) -> Result<Digest, String> {
    let byte = |at: usize| text.get(2 * at..2 * at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let mut bytes = [0; 16];
    for (at, to) in bytes.iter_mut().enumerate() {
        *to = byte(at).ok_or("32 hexadecimal digits are wanted")?;
    }
    let digest = Digest::from_bytes(bytes);
    if digest.to_string() == text { Ok(digest) } else { Err("32 hexadecimal digits are wanted".to_owned()) }
}

impl Index {
    pub(super) fn run(self) -> ExitCode {
        let request = match self.input.request() {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        if let Some(file) = &self.emit_ninja {
            return match self.emit(&request, file) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error.to_string()),
            };
        }
        // The arguments demand it.
        let Some(output) = &self.output else { return fail("name the file to write with -o") };
        let part = self.shard.map(Part::Shard).or(self.unit.map(Part::Unit));
        match part {
            Some(part) => match self.extract(&request, part, output) {
                Ok(status) => status,
                Err(error) => fail(&error.to_string()),
            },
            None => self.index(&request, output),
        }
    }

    fn index(&self, request: &Request, output: &Path) -> ExitCode {
        let index = match cowrap_session::index(request, &progress::Bar::new()) {
            Ok(index) => index,
            Err(error) => return fail(&error.to_string()),
        };
        let unread = index.problems.len();
        let shared = index.details.sharing.clone();
        if let Err(error) = cowrap_session::save(index, output) {
            return fail(&error.to_string());
        }
        if differs(&shared) {
            return ExitCode::from(INCOMPLETE);
        }
        if unread > 0 && !self.allow_incomplete {
            fail(&format!("could not read {unread} of the units; `cowrap check` tells which and why"));
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::SUCCESS
    }

    fn extract(&self, request: &Request, part: Part, output: &Path) -> Result<ExitCode, FactsError> {
        let facts = cowrap_session::extract(request, part, &progress::Bar::new())?;
        if let Some(depfile) = &self.depfile {
            facts.save_depfile(depfile, output)?;
        }
        facts.save(output)?;
        Ok(if differs(&facts.shared) { ExitCode::from(INCOMPLETE) } else { ExitCode::SUCCESS })
    }

    fn emit(&self, request: &Request, file: &Path) -> Result<(), FactsError> {
        let beside = || {
            let mut name = file.as_os_str().to_owned();
            name.push(".facts");
            PathBuf::from(name)
        };
        let program = std::env::current_exe().map(PathBuf::into_os_string);
        let mut command: Vec<_> = std::env::args_os().collect();
        // The shell that ninja starts may look elsewhere for it.
        if let (Ok(program), Some(first)) = (program, command.first_mut()) {
            *first = program;
        }
        let ninja = NinjaRequest {
            file: file.to_path_buf(),
            facts: self.facts_dir.clone().unwrap_or_else(beside),
            index: self.output.clone(),
            allow_incomplete: self.allow_incomplete,
            command,
        };
        cowrap_session::emit_ninja(request, &ninja)
    }
}

/// Tells which units said something else when they shared headers; whether there are any.
fn differs(shared: &SharingStats) -> bool {
    for (unit, file) in &shared.differing {
        let (unit, file) = (unit.display(), file.display());
        fail(&format!("{unit} says something else with precompiled headers, in {file}; please report this"));
    }
    !shared.differing.is_empty()
}
