//! The files that a build generates: from the settings of a tree, or from meson's introspection
//! data.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use cowrap_base::files::{LONGEST_DATA, Shown, Tree, leads_out, read_regular};
use cowrap_packs::{Generator, GeneratorFiles, Settings};

use super::GenerateError;

/// Where meson says what a build generates, in the build directory.
pub(crate) const INTROSPECTION: &str = "meson-info/intro-targets.json";

/// One file to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The file; `None` for standard output.
    pub output: Option<PathBuf>,
    /// The headers, in their order.
    pub inputs: Vec<PathBuf>,
}

/// The jobs of a build directory.
#[derive(Clone, Debug, Default)]
pub struct BuildJobs {
    /// A job for each file that a generator of the pack writes.
    pub jobs: Vec<Job>,
    /// For each job, the command of the build, with meson's placeholders `@OUTPUT@` and `@INPUT@`.
    /// cowrap never runs it.
    pub commands: Vec<Vec<String>>,
    /// The names of the generators that were searched for.
    pub programs: Vec<String>,
    /// The directories that outputs may be in: the build directory, and the tree that it is in.
    pub roots: Vec<PathBuf>,
    /// The directories that headers may be in: these, and the source directory that meson recorded.
    pub homes: Vec<PathBuf>,
}

/// A target of the introspection data.
#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default)]
    filename: Vec<PathBuf>,
    #[serde(default)]
    target_sources: Vec<TargetSource>,
}

/// A command of a target, with its inputs.
#[derive(Debug, Deserialize)]
struct TargetSource {
    #[serde(default)]
    compiler: Vec<String>,
    #[serde(default)]
    sources: Vec<PathBuf>,
}

/// The jobs of a tree's settings.
pub fn configured_jobs(settings: &Settings) -> Vec<Job> {
    let job = |files: &GeneratorFiles| Job { output: Some(files.output.clone()), inputs: files.inputs.clone() };
    settings.generators.iter().map(job).collect()
}

/// The jobs of a build directory, by meson's introspection data ([`INTROSPECTION`]).
///
/// # Errors
///
/// A pack or the introspection data cannot be used.
pub fn build_jobs(build: &Path, packs: &[PathBuf]) -> Result<BuildJobs, GenerateError> {
    Introspection::new(build).jobs(packs)
}

/// Meson's introspection data of a build directory. It is read once, when jobs are asked for.
#[derive(Debug)]
pub(crate) struct Introspection {
    build: PathBuf,
    targets: OnceLock<Vec<Target>>,
}

impl Introspection {
    pub(crate) fn new(build: &Path) -> Introspection {
        Introspection { build: build.to_path_buf(), targets: OnceLock::new() }
    }

    /// The jobs of the build directory.
    ///
    /// # Errors
    ///
    /// As [`build_jobs`].
    pub(crate) fn jobs(&self, packs: &[PathBuf]) -> Result<BuildJobs, GenerateError> {
        let (build, generator) = (&self.build, Generator::first_of(packs)?);
        let is_generator = |source: &&TargetSource| {
            generator.programs.iter().any(|program| runs(&source.compiler, program)) && !source.sources.is_empty()
        };
        let mut jobs = Vec::new();
        for target in self.targets()? {
            let source = target.target_sources.iter().find(is_generator);
            if let (Some(source), [output]) = (source, target.filename.as_slice()) {
                let job = Job { output: Some(output.clone()), inputs: source.sources.clone() };
                jobs.push((job, source.compiler.clone()));
            }
        }
        jobs.sort_by(|(one, _), (other, _)| one.output.cmp(&other.output));
        let (jobs, commands) = jobs.into_iter().unzip();
        let roots: Vec<PathBuf> = std::iter::once(build.clone()).chain(tree_around(build, &generator)).collect();
        let recorded = Tree::of_meson(build).ok().flatten().map(|tree| tree.root);
        let homes = roots.iter().cloned().chain(recorded).collect();
        Ok(BuildJobs { jobs, commands, programs: generator.programs, roots, homes })
    }

    fn targets(&self) -> Result<&[Target], GenerateError> {
        if let Some(known) = self.targets.get() {
            return Ok(known);
        }
        let path = self.build.join(INTROSPECTION);
        let shown = path.shown().to_string();
        let bytes = read_regular(&path, LONGEST_DATA)
            .map_err(|source| GenerateError::ReadIntrospection { path: shown.clone(), source })?;
        let targets: Vec<Target> = serde_json::from_slice(&bytes).map_err(|error| {
            // The reader quotes values, which may be another file's.
            let reason = if leads_out(&path) { "not what meson writes".to_owned() } else { error.to_string() };
            GenerateError::BadIntrospection { path: shown, reason }
        })?;
        Ok(self.targets.get_or_init(|| targets))
    }
}

/// The root of the tree that a build directory is in. The introspection data is not asked, since it
/// names the outputs as well.
fn tree_around(build: &Path, generator: &Generator) -> Option<PathBuf> {
    let build = build.canonicalize().ok()?;
    let is_root = |directory: &&Path| {
        let has = |path: &Path| directory.join(path).symlink_metadata().is_ok();
        let is_of_pack = !generator.root.is_empty() && generator.root.iter().all(|file| has(file));
        is_of_pack || has(Path::new(".git")) || has(Path::new("cowrap.toml"))
    };
    build.ancestors().find(is_root).map(Path::to_path_buf)
}

/// Whether a command runs a program, which may have arguments. The directory of the program does
/// not matter.
fn runs(command: &[String], program: &str) -> bool {
    let words: Vec<&str> = program.split_whitespace().collect();
    let file_name = |word: &String| Path::new(word).file_name().map(|name| name.to_string_lossy().into_owned());
    command.windows(words.len().max(1)).any(|window| {
        let has_arguments = window.iter().zip(&words).skip(1).all(|(word, wanted)| word == wanted);
        has_arguments && file_name(&window[0]).as_deref() == words.first().copied()
    })
}
