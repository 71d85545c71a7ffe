//! Generating wrappers, from top to bottom: read the headers, tell the dialect, write.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;
use thiserror::Error;

use cowrap_base::diagnostic::TextDiagnostic;
use cowrap_base::files::{Written, write_whole};
use cowrap_packs::{Generator, PackError, Settings};
use cowrap_report::HeaderDiagnostics;
use cowrap_wrapgen::dialect::{self, DialectError};
use cowrap_wrapgen::{FileOptions, RenderError, WrapperDeclaration, read_header, render_file, vocabulary};

/// How wrappers are to be generated.
#[derive(Clone, Debug, Default)]
pub struct GenerateRequest {
    /// A built-in pack's name or a pack's file; QEMU's when there is none.
    pub pack: Option<PathBuf>,
    /// The tree's root, when it is not to be found out.
    pub root: Option<PathBuf>,
    /// The dialect's name, when it is not to be told from the tree.
    pub dialect: Option<String>,
    /// Headers that the generated file includes instead of those of the pack.
    pub includes: Vec<String>,
    /// Whether the generated file is meant to be included by another one.
    pub includable: bool,
}

/// One file to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The file; `None` for standard output.
    pub output: Option<PathBuf>,
    /// The headers, in their order.
    pub inputs: Vec<PathBuf>,
}

/// What came of a job.
#[derive(Debug)]
pub struct Generated {
    /// The text; `None` if there are errors.
    pub text: Option<String>,
    /// The headers, and what is wrong with them.
    pub diagnostics: HeaderDiagnostics,
    /// How many wrappers there are.
    pub wrappers: usize,
    /// What the text depends on, besides the headers.
    pub consulted: BTreeSet<PathBuf>,
    /// The dialect's name, and what told each feature.
    pub dialect: (String, Vec<(String, String)>),
}

/// Why there is no result at all.
#[derive(Debug, Error)]
pub enum GenerateError {
    /// No usable pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The dialect is not known.
    #[error(transparent)]
    Dialect(#[from] DialectError),
    /// A header cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The header.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The output.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// The output would destroy what no generator wrote.
    #[error("{path} is {what}, and would be lost; the output is named first, the headers follow")]
    Precious {
        /// The output.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A template of the pack has a mistake.
    #[error("the pack's template cannot be used: {0}")]
    Template(String),
    /// The build directory does not say what it generates.
    #[error("{0}")]
    NoIntrospection(String),
}

/// Generates one file's text.
pub fn generate(request: &GenerateRequest, job: &Job) -> Result<Generated, GenerateError> {
    generate_from(request, job, &|path| std::fs::read(path))
}

/// Generates one file's text from headers that `read_file` reads.
pub(super) fn generate_from(
    request: &GenerateRequest,
    job: &Job,
    read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<Generated, GenerateError> {
    let generator = Generator::read(request.pack.as_deref())?;
    let read_text = |path: &PathBuf| -> Result<(PathBuf, String), GenerateError> {
        let bytes =
            read_file(path).map_err(|source| GenerateError::Read { path: path.display().to_string(), source })?;
        let text = String::from_utf8(bytes).unwrap_or_else(|error| ascii_only(error.as_bytes()));
        Ok((path.clone(), text))
    };
    let headers: Vec<(PathBuf, String)> = job.inputs.iter().map(read_text).collect::<Result<_, _>>()?;
    let vocabulary = vocabulary(&generator);
    let found: Vec<_> =
        headers.par_iter().enumerate().map(|(number, (_, text))| read_header(text, number, &vocabulary)).collect();

    let mut generated = Generated {
        text: None,
        diagnostics: HeaderDiagnostics { headers, diagnostics: Vec::new() },
        wrappers: 0,
        consulted: generator.files.iter().cloned().collect(),
        dialect: Default::default(),
    };
    let root = match (&request.root, job.inputs.first()) {
        (Some(root), _) => Some(root.clone()),
        (None, Some(header)) => match dialect::root_of(&generator, header) {
            Ok(root) => Some(root),
            Err(_) if request.dialect.is_some() => None,
            Err(error) => return Err(error.into()),
        },
        (None, None) => None,
    };
    let features = match (&request.dialect, &root) {
        (Some(name), _) => {
            generated.dialect = (name.clone(), vec![("all".to_owned(), "--dialect".to_owned())]);
            dialect::named(&generator, name)?
        }
        (None, Some(root)) => {
            let detected = dialect::detect(&generator, root)?;
            let name = dialect::name_of(&generator, &detected.features).unwrap_or("between releases");
            generated.dialect = (name.to_owned(), detected.reasons);
            generated.consulted.extend(detected.files);
            detected.features
        }
        (None, None) => return Err(GenerateError::NoIntrospection("no header to read".to_owned())),
    };

    let mut declarations: Vec<WrapperDeclaration> = Vec::new();
    let HeaderDiagnostics { headers, diagnostics } = &mut generated.diagnostics;
    for (number, header) in found.into_iter().enumerate() {
        if header.wrappers.is_empty() && header.diagnostics.is_empty() {
            diagnostics.push(no_wrapper(number, &headers[number].0));
        }
        declarations.extend(header.wrappers);
        diagnostics.extend(header.diagnostics);
    }
    generated.wrappers = declarations.len();
    let options = FileOptions {
        inputs: job.inputs.iter().map(|input| shown_input(input, root.as_deref())).collect(),
        includes: request.includes.clone(),
        includable: request.includable,
    };
    match render_file(&generator, &features, &declarations, &options) {
        Ok(text) if diagnostics.iter().all(|diagnostic| !diagnostic.is_error) => generated.text = Some(text),
        Ok(_) => {}
        Err(RenderError::Refused(refused)) => diagnostics.extend(refused),
        Err(RenderError::Template(message)) => return Err(GenerateError::Template(message)),
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.text, diagnostic.span.clone().map(|span| span.start)));
    Ok(generated)
}

impl Generated {
    /// Writes the text to the job's output, unless it is there already; standard output is the caller's.
    pub fn store(&self, job: &Job) -> Result<Written, GenerateError> {
        let (Some(text), Some(output)) = (&self.text, &job.output) else { return Ok(Written::Same) };
        let path = output.display().to_string();
        let real = |path: &Path| path.canonicalize().ok();
        if let Some(own) = real(output)
            && job.inputs.iter().any(|input| real(input).as_ref() == Some(&own))
        {
            return Err(GenerateError::Precious { path, what: "one of the headers" });
        }
        if is_precious(output) {
            return Err(GenerateError::Precious { path, what: "a file that no generator wrote" });
        }
        write_whole(output, text.as_bytes()).map_err(|source| GenerateError::Write { path, source })
    }

    /// The dependencies, as make and ninja read them.
    pub fn depfile(&self, output: &Path) -> String {
        let mut text = format!("{}:", make_word(output));
        let headers = self.diagnostics.headers.iter().map(|(path, _)| path.as_path());
        for path in headers.chain(self.consulted.iter().map(PathBuf::as_path)) {
            text.push_str(" \\\n  ");
            text.push_str(&make_word(path));
        }
        text.push('\n');
        text
    }
}

/// Writes a file of dependencies.
pub fn write_depfile(path: &Path, text: &str) -> Result<(), GenerateError> {
    write_whole(path, text.as_bytes())
        .map(|_| ())
        .map_err(|source| GenerateError::Write { path: path.display().to_string(), source })
}

/// Whether a file was written by hand, as far as it can be told: generators say in the first lines what they are.
fn is_precious(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return false };
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    !beginning.trim().is_empty() && !beginning.contains("generated")
}

fn no_wrapper(header: usize, path: &Path) -> TextDiagnostic {
    TextDiagnostic {
        is_error: false,
        message: format!("{} declares no wrapper", path.display()),
        text: header,
        span: None,
        label: String::new(),
        other: None,
        help: "remove it from the headers that the generator reads".to_owned(),
    }
}

/// An input as the generated file names it: the same wherever the tree lies.
fn shown_input(input: &Path, root: Option<&Path>) -> String {
    let relative = root.and_then(|root| {
        let absolute = std::path::absolute(input).ok()?;
        let direct = absolute.strip_prefix(std::path::absolute(root).ok()?).map(Path::to_path_buf);
        direct
            .or_else(|_| {
                input
                    .canonicalize()?
                    .strip_prefix(root.canonicalize()?)
                    .map(Path::to_path_buf)
                    .map_err(io::Error::other)
            })
            .ok()
    });
    let name = relative.or_else(|| input.file_name().map(PathBuf::from)).unwrap_or_else(|| input.to_path_buf());
    cowrap_base::files::normalize(&name).display().to_string().replace("*/", "* /").replace(['\n', '\r'], " ")
}

/// A file's name in a rule of make.
fn make_word(path: &Path) -> String {
    let mut word = String::new();
    for c in path.to_string_lossy().chars() {
        match c {
            ' ' | '#' | '\\' => word.extend(['\\', c]),
            '$' => word.push_str("$$"),
            _ => word.push(c),
        }
    }
    word
}

/// Text of an unknown encoding: what is not ASCII, in comments mostly, becomes one `?` for each byte, so that places stay
/// true.
fn ascii_only(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect()
}

// --- what a build generates -------------------------------------------------------------------------------------

/// What a build directory says of its generated files.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// One job for each file that a generator of the pack writes.
    pub jobs: Vec<Job>,
    /// For each job, the command that the build runs, with meson's placeholders `@OUTPUT@` and `@INPUT@`. It is never
    /// run by cowrap.
    pub commands: Vec<Vec<String>>,
    /// The names of programs that were looked for.
    pub programs: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    filename: Vec<PathBuf>,
    #[serde(default)]
    target_sources: Vec<TargetSource>,
}

#[derive(Deserialize)]
struct TargetSource {
    #[serde(default)]
    compiler: Vec<String>,
    #[serde(default)]
    sources: Vec<PathBuf>,
}

/// What a tree's settings say that a generator writes.
pub fn set_jobs(settings: &Settings) -> Vec<Job> {
    let job =
        |files: &cowrap_packs::GeneratorFiles| Job { output: Some(files.output.clone()), inputs: files.inputs.clone() };
    settings.generators.iter().map(job).collect()
}

/// What meson's introspection data says that a generator of the pack writes (`meson-info/intro-targets.json`).
pub fn known_jobs(build: &Path, pack: Option<&Path>) -> Result<Known, GenerateError> {
    let generator = Generator::read(pack)?;
    let path = build.join("meson-info/intro-targets.json");
    let bytes = std::fs::read(&path).map_err(|error| {
        GenerateError::NoIntrospection(format!(
            "cannot read {}: {error}\n  it tells what the build generates; configure the build with meson, or name \
             output and headers",
            path.display()
        ))
    })?;
    let targets: Vec<Target> = serde_json::from_slice(&bytes).map_err(|error| {
        GenerateError::NoIntrospection(format!("{}: {error}; configure the build again", path.display()))
    })?;
    let runs = |command: &[String], program: &str| {
        let words: Vec<&str> = program.split_whitespace().collect();
        let name = |word: &String| Path::new(word).file_name().map(|name| name.to_string_lossy().into_owned());
        command.windows(words.len().max(1)).any(|window| {
            let rest = window.iter().zip(&words).skip(1).all(|(word, wanted)| word == wanted);
            rest && name(&window[0]).as_deref() == words.first().copied()
        })
    };
    let is_generator = |source: &&TargetSource| {
        generator.programs.iter().any(|program| runs(&source.compiler, program)) && !source.sources.is_empty()
    };
    let mut found = Vec::new();
    for target in targets {
        let source = target.target_sources.iter().find(is_generator);
        if let (Some(source), [output]) = (source, target.filename.as_slice()) {
            let job = Job { output: Some(output.clone()), inputs: source.sources.clone() };
            found.push((job, source.compiler.clone()));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.output.cmp(&b.output));
    let (jobs, commands) = found.into_iter().unzip();
    Ok(Known { jobs, commands, programs: generator.programs })
}
