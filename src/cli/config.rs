//! `cowrap config`: the effective settings, and where each comes from.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_report::render::printable_lines;
use cowrap_session::{BASELINE, Cut, Limit, Limits, Valued};

use super::input::InputArguments;
use super::{fail, print};

#[derive(Debug, Args)]
pub(super) struct Config {
    /// Print the JSON schema of cowrap.toml, for editors
    #[arg(long)]
    schema: bool,

    #[command(flatten)]
    input: InputArguments,
}

/// The schema of `cowrap.toml`; a test of the packs checks that it is up to date.
const SCHEMA: &str = include_str!("../../docs/cowrap.schema.json");

/// A setting: its name, its value, and where the value comes from.
type Line = (String, String, String);

impl Config {
    pub(super) fn run(self) -> ExitCode {
        if self.schema {
            return print(SCHEMA.as_bytes());
        }
        match self.lines() {
            Ok(lines) => {
                let line = |(name, value, origin): &Line| format!("{name} = {value}  # {origin}\n");
                let text = printable_lines(&lines.iter().map(line).collect::<String>());
                print(format!("{text}\n").as_bytes())
            }
            Err(message) => fail(&message),
        }
    }

    fn lines(&self) -> Result<Vec<Line>, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
        let settings = self.input.settings(&working_directory)?;
        // Invalid arguments are errors here, too.
        self.input.request()?;
        let file = settings.file.as_deref();
        let shown = file.map(|file| file.strip_prefix(&working_directory).unwrap_or(file).display().to_string());
        let place = |line: u32| format!("{}:{line}", shown.as_deref().unwrap_or_default());
        let given = self.input.given();
        let mut lines = Vec::new();
        let mut add = |name: &str, option: Option<String>, set: Option<(String, u32)>, default: &str| {
            let (value, origin) = match (option, set) {
                (Some(value), _) => (value, format!("--{name}")),
                (None, Some((value, line))) => (value, place(line)),
                (None, None) => (default.to_owned(), "default".to_owned()),
            };
            lines.push((name.to_owned(), value, origin));
        };
        let path =
            |setting: &Option<Valued<PathBuf>>| setting.as_ref().map(|set| (quoted(set.value.display()), set.line));
        let words = |setting: &Option<Valued<Vec<String>>>| setting.as_ref().map(|set| (list(&set.value), set.line));
        let packs = |packs: &[PathBuf]| match packs {
            [one] => quoted(one.display()),
            several => list(&several.iter().map(|pack| pack.display().to_string()).collect::<Vec<_>>()),
        };
        let set = settings.packs.as_ref().map(|set| (packs(&set.value), set.line));
        add("pack", (!given.packs.is_empty()).then(|| packs(given.packs)), set, "\"qemu\"");
        let build = given.build.map(|build| quoted(build.display()));
        add("build", build, path(&settings.build), "detected: ., build/ or the only build*/");
        let only = (!given.only.is_empty()).then(|| list(given.only));
        add("only", only, words(&settings.only), "[]");
        let paths = |set: &Valued<Vec<PathBuf>>| {
            (list(&set.value.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()), set.line)
        };
        add("paths", None, settings.paths.as_ref().map(paths), "[]");
        add("exclude", None, words(&settings.exclude), "[]");
        add("enable", None, words(&settings.enable), "[]");
        add("baseline", None, path(&settings.baseline), &format!("\"{BASELINE}\" at the root, if present"));
        for limit in Limit::ALL {
            let option = given.limits.given().find(|(given, _)| *given == limit).map(|(_, value)| value.to_string());
            let set = settings.limits.iter().find(|set| set.limit == limit);
            let set = set.map(|set| (set.value.to_string(), set.line));
            let (value, origin) = match (option, set) {
                (Some(value), _) => (value, limit.option().to_owned()),
                (None, Some((value, line))) => (value, place(line)),
                (None, None) => (Limits::default().get(limit).to_string(), "default".to_owned()),
            };
            lines.push((format!("limits.{}", limit.key()), value, origin));
        }
        for level in &settings.levels {
            let rule = match &level.pack {
                Some(pack) => quoted(format!("{pack}/{}", level.rule)),
                None => level.rule.clone(),
            };
            let name = match &level.files {
                Some(files) => format!("levels.{}.{rule}", quoted(files)),
                None => format!("levels.{rule}"),
            };
            lines.push((name, quoted(level.level), place(level.line)));
        }
        let origin = shown.clone().unwrap_or_default();
        for files in &settings.generators {
            let inputs: Vec<String> = files.inputs.iter().map(|input| input.display().to_string()).collect();
            lines.push((format!("generator.{}", quoted(files.output.display())), list(&inputs), origin.clone()));
        }
        for model in &settings.models {
            lines.push(("model".to_owned(), list(&model.functions), origin.clone()));
        }
        for cut in &settings.cuts {
            let Cut { caller, callee, .. } = &cut.cut;
            lines.push(("cut".to_owned(), list(&[caller.clone(), callee.clone()]), origin.clone()));
        }
        for slot in &settings.slots {
            lines.push(("slot".to_owned(), quoted(&slot.slot.value), origin.clone()));
        }
        Ok(lines)
    }
}

/// A value as TOML has it.
fn quoted(value: impl Display) -> String {
    format!("{:?}", value.to_string())
}

fn list(words: &[String]) -> String {
    format!("{words:?}")
}
