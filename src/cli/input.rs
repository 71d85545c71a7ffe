//! The arguments that say what is to be read: the same for all subcommands that read a tree.

use std::path::{Path, PathBuf};

use clap::Args;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use cowrap_packs::{Settings, Valued};
use cowrap_session::{BaselineRequest, Gate, Input, Request, SharingRequest, rule_infos};

use super::cache::PlaceArguments;

#[derive(Debug, Args)]
pub(super) struct InputArguments {
    /// The build directory or its compile_commands.json [default: ., build/ or the only build*/]
    #[arg(short = 'p', long = "build", value_name = "BUILD_DIR_OR_JSON")]
    build: Option<PathBuf>,

    /// Read nothing, and take what `cowrap index` wrote to this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["build", "root", "only"])]
    index: Option<PathBuf>,

    /// The root of the tree, when it is not found by itself
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// What the tree wants to be checked like [default: cowrap.toml, here or in a directory above, up to the top of the
    /// working tree]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read no cowrap.toml
    #[arg(long, conflicts_with = "config")]
    no_config: bool,

    /// Index only units whose path below the root matches (`*` stays within a directory, `**` does not); may
    /// be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// What the code base calls things: a file, or the name of a built-in pack [default: qemu]
    #[arg(long, value_name = "PACK")]
    pack: Option<PathBuf>,

    /// How many units are read at once [default: one for each processor]
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,

    /// Parse each unit for itself: nothing is shared by way of precompiled headers
    #[arg(long)]
    no_sharing: bool,

    /// Parse each unit twice, with what units share and for itself, and compare what comes out
    #[arg(long, conflicts_with = "no_sharing")]
    verify_sharing: bool,

    #[command(flatten)]
    place: PlaceArguments,

    /// Read everything anew, and keep nothing for the next run
    #[arg(long, conflicts_with_all = ["cache_dir", "cache_size"])]
    no_cache: bool,
}

/// Arguments that can be in the tree's own file, too.
pub(super) struct Given<'a> {
    pub(super) build: Option<&'a Path>,
    pub(super) pack: Option<&'a Path>,
    pub(super) only: &'a [String],
}

impl InputArguments {
    /// Whether the arguments say where the units are.
    pub(super) fn is_given(&self) -> bool {
        self.build.is_some() || self.index.is_some()
    }

    /// What is given of all that the tree's own file can say, too.
    pub(super) fn given(&self) -> Given<'_> {
        Given { build: self.build.as_deref(), pack: self.pack.as_deref(), only: &self.only }
    }

    /// What the tree's own file says.
    pub(super) fn settings(&self, working_directory: &Path) -> Result<Settings, String> {
        settings(self.config.as_deref(), self.no_config, working_directory)
    }

    pub(super) fn request(&self) -> Result<Request, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot tell the working directory: {error}"))?;
        let settings = self.settings(&working_directory)?;
        let of = |setting: &Option<Valued<PathBuf>>| setting.as_ref().map(|setting| setting.value.clone());
        let patterns = match &settings.only {
            _ if self.index.is_some() => Vec::new(),
            Some(only) if self.only.is_empty() => only.value.clone(),
            _ => self.only.clone(),
        };
        let only = globs(&patterns).map_err(|error| format!("--only: {error}"))?;
        let exclude = settings.exclude.as_ref().map(|exclude| globs(&exclude.value));
        let exclude = exclude.transpose().map_err(|error| format!("exclude: {error}"))?;
        let input = match &self.index {
            Some(index) => Input::Index(index.clone()),
            None => Input::Database(self.build.clone().or_else(|| of(&settings.build))),
        };
        let baseline = of(&settings.baseline).map_or(BaselineRequest::IfThere, BaselineRequest::File);
        let cache = if self.no_cache { None } else { self.place.place(&working_directory)? };
        Ok(Request {
            input,
            working_directory,
            root: self.root.clone(),
            report_on: settings.paths.as_ref().map(|paths| paths.value.clone()).unwrap_or_default(),
            only: (!patterns.is_empty()).then_some(only),
            exclude: exclude.filter(|_| self.index.is_none()),
            is_partial: !self.only.is_empty(),
            pack: self.pack.clone().or_else(|| of(&settings.pack)),
            inputs: Vec::new(),
            enable: settings.enable.as_ref().map(|enable| enable.value.clone()).unwrap_or_default(),
            settings,
            gate: Gate { baseline, ..Gate::default() },
            jobs: self.jobs,
            sharing: match (self.no_sharing, self.verify_sharing) {
                (true, _) => SharingRequest::No,
                (_, true) => SharingRequest::Verify,
                _ => SharingRequest::Yes,
            },
            cache,
        })
    }
}

/// What a tree's own file says: one that is named, or the one that counts in a directory.
pub(super) fn settings(file: Option<&Path>, none: bool, working_directory: &Path) -> Result<Settings, String> {
    let file = match file {
        Some(file) => Some(working_directory.join(file)),
        None if none => None,
        None => Settings::find(working_directory),
    };
    let rules: Vec<&str> = rule_infos().iter().map(|rule| rule.name).collect();
    let settings = file.map(|file| Settings::read(&file, &rules)).transpose();
    settings.map(Option::unwrap_or_default).map_err(|error| error.to_string())
}

/// Patterns, in which `*` stays within a directory.
fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
    }
    set.build()
}
