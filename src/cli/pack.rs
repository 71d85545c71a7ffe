//! `cowrap pack new` and `cowrap pack check`.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use cowrap_report::PackCheck;
use cowrap_report::render::{printable_lines, render_pack_check, render_pack_check_json};
use cowrap_session::{HintSource, Input, NewPack, Place, Request, Shown, TreeHints};

use super::input::{InputArguments, settings};
use super::messages::{ask, say};
use super::{INCOMPLETE, fail, print, progress, warn};

#[derive(Debug, Args)]
pub(super) struct Pack {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one, and it is taken apart at once
enum Command {
    /// Write a commented starter for a pack
    New(New),
    /// Check a pack, and show what each of its names matches in a tree
    Check(Check),
}

#[derive(Debug, Args)]
#[command(after_help = "With a tree (-p, --root, or the build directory in cowrap.toml), the starter has \
    candidates in comments: macros that expand to nothing before declarations or as statements, functions that are \
    asserted, and parameters that functions are passed to, first those of signal, pthread_create and the like.\n\n\
    Exit status:\n  0  written\n  2  not written")]
struct New {
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Overwrite the file if it exists
    #[arg(long, requires = "output")]
    force: bool,

    /// Name of the pack [default: that of the file]
    #[arg(long)]
    name: Option<String>,

    /// Inside context, as in "called in a signal handler"
    #[arg(long, value_name = "TEXT")]
    inside: Option<String>,

    /// Outside context, as in "called outside of signal handlers"
    #[arg(long, value_name = "TEXT")]
    outside: Option<String>,

    /// Mark and what it requires: inside-only, outside-only, mixed or entry; NAME() for a statement
    #[arg(long = "mark", value_name = "NAME=EFFECT", value_parser = mark)]
    marks: Vec<(String, String)>,

    /// Functions that return whether they run inside, separated by commas; !NAME for outside
    #[arg(long = "predicate", value_name = "NAME", value_delimiter = ',')]
    predicates: Vec<String>,

    /// Functions that need the inside context themselves, separated by commas
    #[arg(long = "primitive", value_name = "NAME", value_delimiter = ',')]
    primitives: Vec<String>,

    /// Function pointers whose functions start inside, such as signal(2) or Record::field
    #[arg(long = "entry", value_name = "SLOT")]
    entries: Vec<String>,

    /// Functions that must not be called inside, separated by commas
    #[arg(long = "outside-only", value_name = "NAME", value_delimiter = ',')]
    outside_only: Vec<String>,

    /// Build directory or compile_commands.json of a tree to find candidates in
    #[arg(short = 'p', long = "build", value_name = "PATH", conflicts_with = "root")]
    build: Option<PathBuf>,

    /// Root of a tree to find candidates in, instead of a build directory
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArgument {
    /// One line per name
    Text,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  0  valid; with a tree, every name matches something\n  \
    1  a name matches nothing\n  2  invalid, or analysis failed or is incomplete")]
struct Check {
    /// Pack: built-in name or file
    pack: PathBuf,

    /// Single C files to compare with, before `--`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Compiler flags for single C files, instead of a compilation database
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,

    /// Format of the result
    #[arg(long, value_enum, default_value_t = FormatArgument::Text)]
    format: FormatArgument,

    /// Do not fail if translation units cannot be read
    #[arg(long)]
    allow_incomplete: bool,

    #[command(flatten)]
    input: InputArguments,
}

/// Parses `NAME=EFFECT`.
fn mark(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, effect)) if !name.is_empty() && !effect.is_empty() => Ok((name.to_owned(), effect.to_owned())),
        _ => Err("expected NAME=EFFECT, such as FIBER_FN=inside-only".to_owned()),
    }
}

impl Pack {
    pub(super) fn run(self, has_flags: bool) -> ExitCode {
        let result = match self.command {
            Command::New(new) => new.run(),
            Command::Check(check) => check.run(has_flags),
        };
        result.unwrap_or_else(|message| fail(&message))
    }
}

impl New {
    fn run(mut self) -> Result<ExitCode, String> {
        let exists = |file: &PathBuf| file.symlink_metadata().is_ok();
        if let Some(file) = self.output.as_ref().filter(|file| !self.force && exists(file)) {
            return Err(format!("{} exists; overwrite it with --force", file.shown()));
        }
        self.ask()?;
        let hints = self.hints()?;
        let of_file = || self.output.as_ref().and_then(|file| Some(file.file_stem()?.to_string_lossy().into_owned()));
        let name = self.name.clone().or_else(of_file).unwrap_or_else(|| "mine".to_owned());
        let new = NewPack {
            name,
            inside: self.inside,
            outside: self.outside,
            marks: self.marks,
            predicates: self.predicates,
            primitives: self.primitives,
            entries: self.entries,
            outside_only: self.outside_only,
        };
        let text = cowrap_session::starter(&new, hints.as_ref()).map_err(|error| error.to_string())?;
        let Some(file) = self.output else { return Ok(print(text.as_bytes())) };
        Place::given(&file)
            .and_then(|place| place.refuse_source().and_then(|()| place.write(text.as_bytes())))
            .map_err(|error| format!("cannot write {}: {error}", file.shown()))?;
        let shown = printable_lines(&file.shown().to_string());
        let build = match (&self.build, hints.is_some()) {
            (Some(build), _) => format!(" -p {}", printable_lines(&build.shown().to_string())),
            (None, true) if self.root.is_none() => String::new(),
            (None, _) => " -p BUILD".to_owned(),
        };
        say(&format!("{shown}: written; `cowrap pack check {shown}{build}` shows what it matches"));
        Ok(ExitCode::SUCCESS)
    }

    /// Asks what was not said, if somebody is there to answer.
    fn ask(&mut self) -> Result<(), String> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(());
        }
        // The name of a file is a name for its pack.
        let is_named = self.name.is_some() || self.output.is_some();
        let questions = [
            (&mut self.name, "Name of the pack"),
            (&mut self.inside, "Inside context, as in \"called in a signal handler\""),
            (&mut self.outside, "Outside context, as in \"called outside of signal handlers\""),
        ];
        let asked = questions.into_iter().skip(usize::from(is_named));
        for (answer, question) in asked.filter(|(answer, _)| answer.is_none()) {
            let mut line = String::new();
            ask(&format!("{question} (empty: decide later): "))
                .and_then(|()| io::stdin().lock().read_line(&mut line))
                .map_err(|error| error.to_string())?;
            *answer = Some(line.trim().to_owned()).filter(|line| !line.is_empty());
        }
        Ok(())
    }

    /// What the tree suggests, if there is one.
    fn hints(&self) -> Result<Option<TreeHints>, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
        let of_settings = || Ok::<_, String>(settings(None, false, &working_directory)?.build.map(|build| build.value));
        let source = match (&self.build, &self.root) {
            (_, Some(root)) => HintSource::Root(root.clone()),
            (build, None) => {
                let Some(build) = build.clone().map_or_else(of_settings, |build| Ok(Some(build)))? else {
                    return Ok(None);
                };
                let input = Input::Database(Some(build));
                HintSource::Request(Box::new(Request::new(input, working_directory)))
            }
        };
        let hints = cowrap_session::find_hints(&source).map_err(|error| error.to_string())?;
        for (path, why) in &hints.unread {
            warn(&format!("cannot read {}: {why}; the candidates lack it", path.shown()));
        }
        Ok(Some(hints))
    }
}

impl Check {
    fn run(self, has_flags: bool) -> Result<ExitCode, String> {
        let check = match self.request(has_flags)? {
            Some(request) => cowrap_session::check_pack(&self.pack, &request, &progress::Bar::new()),
            None => cowrap_session::read_pack(&self.pack),
        };
        let check = check.map_err(|error| error.to_string())?;
        if check.unread_units > 0 {
            let units = if check.unread_units == 1 { "translation unit" } else { "translation units" };
            warn(&format!("{} {units} could not be read; the result lacks them", check.unread_units));
        }
        let mut text = Vec::new();
        let written = match self.format {
            FormatArgument::Text => render_pack_check(&check, &mut text),
            FormatArgument::Json => render_pack_check_json(&check, &mut text),
        };
        written.map_err(|error| format!("cannot write the result: {error}"))?;
        let printed = print(&text);
        Ok(if printed == ExitCode::SUCCESS { self.status(&check) } else { printed })
    }

    fn status(&self, check: &PackCheck) -> ExitCode {
        if check.unread_units > 0 && !self.allow_incomplete {
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::from(u8::from(check.unmatched().next().is_some()))
    }

    /// The tree to compare with, if one is named.
    fn request(&self, has_flags: bool) -> Result<Option<Request>, String> {
        if !self.input.given().packs.is_empty() {
            return Err("name the pack as an argument, without --pack".to_owned());
        }
        if !has_flags && !self.files.is_empty() {
            return Err(format!("{}: name C files before `--`, and flags after it", self.files[0].shown()));
        }
        if !has_flags && !self.input.is_known()? {
            return Ok(None);
        }
        let mut request = self.input.request()?;
        request.report_on.clear();
        if has_flags {
            if self.input.is_given() {
                return Err("use only one of -p, --index and compiler flags after `--`".to_owned());
            }
            if self.files.is_empty() {
                return Err("name the C files to read before `--`".to_owned());
            }
            request.input = Input::Files { files: self.files.clone(), flags: self.flags.clone() };
        }
        Ok(Some(request))
    }
}
