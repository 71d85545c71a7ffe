//! Generating wrappers: reads the headers, detects the dialect of the tree, and renders the C text.
//!
//! This needs no libclang and no program.

mod jobs;
mod output;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

use cowrap_base::diagnostic::TextDiagnostic;
use cowrap_base::files::{LONGEST_TEXT, NamedBy, Shown, WriteRefusal, is_below, normalize, read_source};
use cowrap_packs::{Generator, PackError};
use cowrap_report::HeaderDiagnostics;
use cowrap_wrapgen::dialect::{self, DetectedDialect, DialectError, Features};
use cowrap_wrapgen::{FileOptions, RenderError, WrapperDeclaration, read_header, render_file, vocabulary};

pub(crate) use jobs::INTROSPECTION;
pub(crate) use jobs::Introspection;
pub use jobs::{BuildJobs, Job, build_jobs, configured_jobs};
pub use output::output_place;

/// How to generate wrappers.
#[derive(Clone, Debug, Default)]
pub struct GenerateRequest {
    /// The packs: built-in names or files, of which the first with a generator counts; QEMU's if there is none.
    pub packs: Vec<PathBuf>,
    /// The root of the tree; detected if there is none.
    pub root: Option<PathBuf>,
    /// The name of the dialect; detected if there is none.
    pub dialect: Option<String>,
    /// Headers that the generated file includes instead of those of the pack.
    pub includes: Vec<String>,
    /// Whether another file includes the generated one.
    pub includable: bool,
}

/// The result of a job.
#[derive(Debug)]
pub struct Generated {
    /// The text; `None` if there are errors.
    pub text: Option<String>,
    /// The headers, and what is wrong with them.
    pub diagnostics: HeaderDiagnostics,
    /// The number of wrappers.
    pub wrappers: usize,
    /// The files that the text depends on, besides the headers.
    pub other_inputs: BTreeSet<PathBuf>,
    /// The name of the dialect, and how each feature was detected.
    pub dialect: (String, Vec<(String, String)>),
    /// The names of other generators whose files this one replaces.
    pub programs: Vec<String>,
}

/// Why a job has no result.
#[derive(Debug, Error)]
pub enum GenerateError {
    /// The pack cannot be used.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The dialect is unknown or cannot be detected.
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
    /// The output exists and was not generated.
    #[error("{path} is {what} and will not be overwritten; name the output before the headers")]
    NotGenerated {
        /// The output.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// The output must not be written where the tree wants it.
    #[error("{path} will not be written: {refusal}; name it on the command line, before the headers")]
    Refused {
        /// The output.
        path: String,
        /// Why.
        refusal: WriteRefusal,
    },
    /// A template of the pack has a mistake.
    #[error("the pack's template cannot be used: {0}")]
    Template(String),
    /// The tree names a header outside of the tree.
    #[error("{path} is outside of the tree; name the output and the headers on the command line")]
    ForeignHeader {
        /// The header.
        path: String,
    },
    /// A job without headers.
    #[error("no header to read; name at least one after the output")]
    NoHeader,
    /// Meson's introspection data cannot be read.
    #[error(
        "cannot read {path}: {source}\n  this file lists what the build generates; configure the build with meson, or \
         name output and headers"
    )]
    ReadIntrospection {
        /// The file.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// Meson's introspection data is damaged.
    #[error("{path}: {reason}; configure the build again")]
    BadIntrospection {
        /// The file.
        path: String,
        /// The reason.
        reason: String,
    },
}

/// Checks that the headers of a job are where those who name them may name them.
///
/// # Errors
///
/// The tree names a header outside of the tree.
pub fn require_own_headers(job: &Job, named_by: &NamedBy) -> Result<(), GenerateError> {
    let NamedBy::Tree(homes) = named_by else { return Ok(()) };
    match job.inputs.iter().find(|input| !is_below(input, homes)) {
        Some(input) => Err(GenerateError::ForeignHeader { path: input.shown().to_string() }),
        None => Ok(()),
    }
}

/// Generates one file's text.
pub fn generate(request: &GenerateRequest, job: &Job) -> Result<Generated, GenerateError> {
    generate_from(request, job, &|path| read_source(path, LONGEST_TEXT))
}

/// Generates one file's text from headers that `read_file` reads.
pub(super) fn generate_from(
    request: &GenerateRequest,
    job: &Job,
    read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<Generated, GenerateError> {
    let generator = Generator::first_of(&request.packs)?;
    let headers = job.inputs.iter().map(|path| read_text(path, read_file)).collect::<Result<Vec<_>, _>>()?;
    let vocabulary = vocabulary(&generator);
    let contents: Vec<_> =
        headers.par_iter().enumerate().map(|(number, (_, text))| read_header(text, number, &vocabulary)).collect();
    let root = find_root(request, &generator, job.inputs.first())?;
    let detected = choose_dialect(request, &generator, root.as_deref())?;
    let mut other_inputs: BTreeSet<PathBuf> = generator.files.iter().cloned().collect();
    other_inputs.extend(detected.files);

    let mut declarations: Vec<WrapperDeclaration> = Vec::new();
    let mut diagnostics = Vec::new();
    for (number, content) in contents.into_iter().enumerate() {
        if content.wrappers.is_empty() && content.diagnostics.is_empty() {
            diagnostics.push(no_wrapper(number, &headers[number].0));
        }
        declarations.extend(content.wrappers);
        diagnostics.extend(content.diagnostics);
    }
    let options = FileOptions {
        inputs: job.inputs.iter().map(|input| shown_input(input, root.as_deref())).collect(),
        includes: request.includes.clone(),
        includable: request.includable,
    };
    let text = match render_file(&generator, &detected.features, &declarations, &options) {
        Ok(text) => diagnostics.iter().all(|diagnostic| !diagnostic.is_error).then_some(text),
        Err(RenderError::Refused(refused)) => {
            diagnostics.extend(refused);
            None
        }
        Err(RenderError::Template(message)) => return Err(GenerateError::Template(message)),
    };
    diagnostics.sort_by_key(|diagnostic| (diagnostic.text, diagnostic.span.clone().map(|span| span.start)));
    Ok(Generated {
        text,
        diagnostics: HeaderDiagnostics { headers, diagnostics },
        wrappers: declarations.len(),
        other_inputs,
        dialect: (detected.name, detected.reasons),
        programs: generator.programs,
    })
}

/// A header with its text.
fn read_text(
    path: &Path,
    read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<(PathBuf, String), GenerateError> {
    let bytes = read_file(path).map_err(|source| GenerateError::Read { path: path.shown().to_string(), source })?;
    let text = String::from_utf8(bytes).unwrap_or_else(|error| ascii_only(error.as_bytes()));
    Ok((path.to_path_buf(), text))
}

/// The root that the request names, or else that of the tree that a header belongs to. It may be
/// unknown if the request names the dialect.
fn find_root(
    request: &GenerateRequest,
    generator: &Generator,
    header: Option<&PathBuf>,
) -> Result<Option<PathBuf>, GenerateError> {
    let (None, Some(header)) = (&request.root, header) else { return Ok(request.root.clone()) };
    match dialect::root_of(generator, header) {
        Ok(root) => Ok(Some(root)),
        Err(_) if request.dialect.is_some() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The dialect of a job.
struct ChosenDialect {
    name: String,
    features: Features,
    reasons: Vec<(String, String)>,
    /// The files that it was detected from.
    files: BTreeSet<PathBuf>,
}

/// The dialect that the request names, or else that of the tree.
fn choose_dialect(
    request: &GenerateRequest,
    generator: &Generator,
    root: Option<&Path>,
) -> Result<ChosenDialect, GenerateError> {
    match (&request.dialect, root) {
        (None, Some(root)) => {
            let DetectedDialect { features, reasons, files } = dialect::detect(generator, root)?;
            let name = dialect::name_of(generator, &features).unwrap_or("between releases").to_owned();
            Ok(ChosenDialect { name, features, reasons, files })
        }
        (Some(name), _) => {
            let features = dialect::named(generator, name)?;
            let reasons = vec![("all".to_owned(), "--dialect".to_owned())];
            Ok(ChosenDialect { name: name.clone(), features, reasons, files: BTreeSet::new() })
        }
        (None, None) => Err(GenerateError::NoHeader),
    }
}

/// The warning that a header declares no wrapper.
fn no_wrapper(header: usize, path: &Path) -> TextDiagnostic {
    TextDiagnostic {
        is_error: false,
        message: format!("{} declares no wrapper", path.shown()),
        text: header,
        span: None,
        label: String::new(),
        other: None,
        help: "remove it from the headers that the generator reads".to_owned(),
    }
}

/// The name of an input in the generated file: the same wherever the tree is.
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
    normalize(&name).display().to_string().replace("*/", "* /").replace(['\n', '\r'], " ")
}

/// Text of an unknown encoding as ASCII. Other bytes, mostly in comments, become `?`, one for one,
/// so that offsets stay right.
fn ascii_only(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect()
}
