//! `cowrap index`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use cowrap_report::SharingStats;
use cowrap_session::{Digest, FactsError, NinjaRequest, Place, Request, Shard, Shown, UnitSelection, refuse_inputs};

use super::input::InputArguments;
use super::{INCOMPLETE, fail, progress};

#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  0  written\n  2  failed or incomplete\n\n\
    With --shard or --unit, translation units that cannot be read do not change the status: the \
    facts file records them, and `cowrap link` reports them.")]
pub(super) struct Index {
    /// File to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "emit_ninja")]
    output: Option<PathBuf>,

    /// Do not fail if translation units cannot be read
    #[arg(long)]
    allow_incomplete: bool,

    #[command(flatten)]
    input: InputArguments,

    /// Read only the K-th of N parts of the tree, and write its facts for `cowrap link`
    #[arg(help_heading = "Several machines or processes")]
    #[arg(long, value_name = "K/N", conflicts_with_all = ["index", "unit", "emit_ninja"])]
    shard: Option<Shard>,

    /// Write a ninja file that reads each translation unit separately and links the facts to the
    /// index
    #[arg(help_heading = "Several machines or processes")]
    #[arg(long, value_name = "FILE", conflicts_with = "index")]
    emit_ninja: Option<PathBuf>,

    /// Directory for the facts, with --emit-ninja; nothing else may use it [default: FILE.facts]
    #[arg(help_heading = "Several machines or processes")]
    #[arg(long, value_name = "DIR", requires = "emit_ninja")]
    facts_dir: Option<PathBuf>,

    /// Read only one translation unit, and write its facts; used by ninja files of --emit-ninja
    #[arg(help_heading = "Several machines or processes")]
    #[arg(long, value_name = "DIGEST", value_parser = digest, conflicts_with_all = ["index", "emit_ninja"])]
    unit: Option<Digest>,

    /// Write a dependency file for ninja, with --unit
    #[arg(help_heading = "Several machines or processes")]
    #[arg(long, value_name = "FILE", requires = "unit")]
    depfile: Option<PathBuf>,
}

fn digest(text: &str) -> Result<Digest, String> {
    let byte = |at: usize| text.get(2 * at..2 * at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let mut bytes = [0; 16];
    for (at, to) in bytes.iter_mut().enumerate() {
        *to = byte(at).ok_or("expected 32 hexadecimal digits")?;
    }
    let digest = Digest::from_bytes(bytes);
    if digest.to_string() == text { Ok(digest) } else { Err("expected 32 hexadecimal digits".to_owned()) }
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
        let Some(output) = &self.output else { return fail("name the file to write with --output") };
        let place = match output_place(output, &request) {
            Ok(place) => place,
            Err(message) => return fail(&message),
        };
        let part = self.shard.map(UnitSelection::Shard).or(self.unit.map(UnitSelection::Unit));
        match part {
            Some(part) => match self.extract(&request, part, &place) {
                Ok(status) => status,
                Err(message) => fail(&message),
            },
            None => self.index(&request, &place),
        }
    }

    fn index(&self, request: &Request, output: &Place) -> ExitCode {
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
            let units = if unread == 1 { "translation unit" } else { "translation units" };
            return fail(&format!("{unread} {units} could not be read; `cowrap check` shows which and why"));
        }
        ExitCode::SUCCESS
    }

    fn extract(&self, request: &Request, part: UnitSelection, output: &Place) -> Result<ExitCode, String> {
        let depfile = self.depfile.as_deref().map(|path| output_place(path, request)).transpose()?;
        if let Some(depfile) = &depfile {
            depfile.refuse_same(output).map_err(|error| not_written(depfile.path(), &error))?;
        }
        let failed = |error: FactsError| error.to_string();
        let facts = cowrap_session::extract(request, part, &progress::Bar::new()).map_err(failed)?;
        if let Some(depfile) = &depfile {
            facts.save_depfile(depfile, output.path()).map_err(failed)?;
        }
        facts.save(output).map_err(failed)?;
        Ok(if differs(&facts.sharing) { ExitCode::from(INCOMPLETE) } else { ExitCode::SUCCESS })
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

/// The place of an output that no file of the request is at.
fn output_place(path: &Path, request: &Request) -> Result<Place, String> {
    let checked = |place: Place| refuse_inputs(&place, request).map(|()| place);
    Place::given(path).and_then(checked).map_err(|error| not_written(path, &error))
}

fn not_written(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.shown())
}

/// Reports the units whose facts differ with precompiled headers; whether there are any.
fn differs(shared: &SharingStats) -> bool {
    for (unit, file) in &shared.differing {
        let (unit, file) = (unit.shown(), file.shown());
        fail(&format!("{unit}: precompiled headers change what is read in {file}; please report this bug"));
    }
    !shared.differing.is_empty()
}
