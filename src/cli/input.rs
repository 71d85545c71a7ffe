//! The arguments that say what is to be read: the same for all subcommands that read a tree.

use std::path::PathBuf;

use clap::Args;
use globset::{GlobBuilder, GlobSetBuilder};

use crate::driver::{Input, Request, SharingRequest};

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

impl InputArguments {
    /// Whether the arguments say where the units are.
    pub(super) fn is_given(&self) -> bool {
        self.build.is_some() || self.index.is_some()
    }

    pub(super) fn request(&self) -> Result<Request, String> {
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot tell the working directory: {error}"))?;
        let mut only = GlobSetBuilder::new();
        for pattern in &self.only {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            only.add(glob.map_err(|error| format!("--only: {error}"))?);
        }
        let only = only.build().map_err(|error| format!("--only: {error}"))?;
        let input = match &self.index {
            Some(index) => Input::Index(index.clone()),
            None => Input::Database(self.build.clone()),
        };
        let cache = if self.no_cache { None } else { self.place.place(&working_directory)? };
        Ok(Request {
            input,
            working_directory,
            root: self.root.clone(),
            report_on: Vec::new(),
            only: (!self.only.is_empty()).then_some(only),
            pack: self.pack.clone(),
            inputs: Vec::new(),
            enable: Vec::new(),
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
