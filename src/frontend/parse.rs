//! Parsing with libclang: the arguments of a translation unit, texts in memory, and retries without
//! unknown arguments.
//!
//! It must never know facts, or what a parsed unit is used for.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use thiserror::Error;

use crate::clang::{Index, Library, ParseError, Purpose, Severity, TranslationUnit, UnsavedFile};
use crate::compdb::Unit;

/// Arguments that every unit is parsed with, in addition to its own.
///
/// cowrap shows no warnings. What newer compilers made errors by default is still a warning to the
/// gcc or clang that the tree is built with (clang's `DiagnosticSemaKinds.td`, `DefaultError`).
const OWN_ARGUMENTS: &[&str] = &[
    "-w",
    "-Wno-error",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=incompatible-function-pointer-types",
    "-Wno-error=incompatible-pointer-types",
    "-Wno-error=int-conversion",
    "-Wno-error=return-mismatch",
    "-Wno-error=return-type",
    "-Wno-unknown-warning-option",
    "-Wno-unused-command-line-argument",
    "--no-default-config",
];

/// The name of the overlay file.
const OVERLAY: &str = "overlay.json";

/// How often a unit is parsed again without an argument that its libclang does not know.
const MOST_RETRIES: usize = 16;

/// Why a unit could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// libclang made no translation unit.
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// A path or an argument contains a NUL byte, which cannot be passed to libclang.
    #[error("a path or an argument contains a NUL byte")]
    Nul,
    /// cowrap itself panicked.
    #[error("cowrap panicked while reading this file (please report this): {0}")]
    Panic(String),
}

/// What is parsed with a unit's arguments, and for which purpose.
pub(crate) struct Input<'a> {
    /// What the result is used for.
    pub purpose: Purpose,
    /// A precompiled header to start from.
    pub pch: Option<&'a CStr>,
    /// A file in memory that replaces the unit's own file.
    pub source: Option<(CString, UnsavedFile)>,
    /// Additional arguments.
    pub more: &'a [&'a str],
}

/// Parses the units of one tree.
#[derive(Debug)]
pub(crate) struct Parser {
    library: Library,
    texts: Vec<UnsavedFile>,
    /// The directory of the overlay file, if there is one.
    overlay: Option<TempDir>,
}

impl Parser {
    /// A parser that reads `texts` instead of the files on disk.
    pub fn new(library: Library, texts: Vec<UnsavedFile>) -> Parser {
        Parser { library, texts, overlay: None }
    }

    /// The directory of the compiler's own headers.
    pub fn resource_directory(&self) -> &Path {
        self.library.resource_directory()
    }

    /// The texts that replace files on disk.
    pub fn texts(&self) -> &[UnsavedFile] {
        &self.texts
    }

    /// Replaces the texts, some of which may stand for files that are not on disk.
    ///
    /// libclang matches a text in memory by one spelling of its path. It finds the text under
    /// another spelling only if there is a file. So files that do not exist are also listed in an
    /// overlay file (`-ivfsoverlay`).
    pub fn set_texts(&mut self, texts: Vec<UnsavedFile>) -> io::Result<()> {
        self.texts = texts;
        // What was added in an earlier snapshot is not there any more.
        self.overlay = None;
        let absent: Vec<&UnsavedFile> = self.texts.iter().filter(|text| !text.path().exists()).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let scratch = tempfile::tempdir()?;
        let mut roots = Vec::new();
        for (number, text) in absent.iter().enumerate() {
            let (contents, path) = (scratch.path().join(number.to_string()), text.path());
            std::fs::write(&contents, text.contents())?;
            let [directory, name] =
                [path.parent(), path.file_name().map(Path::new)].map(|part| part.and_then(Path::to_str));
            // The overlay file cannot name a path that is not UTF-8. Units that include it report a
            // missing file.
            let (Some(directory), Some(name)) = (directory, name) else { continue };
            let file = json!({ "name": name, "type": "file", "external-contents": contents });
            roots.push(json!({ "name": directory, "type": "directory", "contents": [file] }));
        }
        let overlay = json!({ "version": 0, "case-sensitive": "true", "use-external-names": "false", "roots": roots });
        std::fs::write(scratch.path().join(OVERLAY), overlay.to_string())?;
        self.overlay = Some(scratch);
        Ok(())
    }

    /// Parses a unit, or a header with the unit's arguments, and hands the result to `use_it`
    /// together with the arguments that libclang did not know.
    pub fn parse<T>(
        &self,
        unit: &Unit,
        input: Input<'_>,
        use_it: impl FnOnce(&TranslationUnit<'_>, Vec<String>) -> T,
    ) -> Result<T, Failure> {
        let index = Index::new(&self.library);
        let arguments = self.arguments_for(unit, &input)?;
        let file = match &input.source {
            Some((path, _)) => path.clone(),
            None => c_string(unit.file.as_os_str().as_bytes())?,
        };
        let with_source: Vec<UnsavedFile>;
        let texts = match input.source {
            Some((_, source)) => {
                with_source = self.texts.iter().cloned().chain([source]).collect();
                &with_source
            }
            None => &self.texts,
        };
        let (parsed, unknown) = parse_with_retries(&index, &file, arguments, texts, input.purpose)?;
        Ok(use_it(&parsed, unknown))
    }

    /// The arguments of a unit, with those that cowrap adds for every unit.
    pub fn arguments(&self, unit: &Unit) -> Result<Vec<CString>, Failure> {
        let mut arguments = Vec::new();
        for argument in &unit.arguments {
            arguments.push(c_string(argument.as_bytes())?);
        }
        for argument in OWN_ARGUMENTS {
            arguments.push(c_string(argument.as_bytes())?);
        }
        let mut working_directory = b"-working-directory=".to_vec();
        working_directory.extend_from_slice(unit.directory.as_os_str().as_bytes());
        arguments.push(c_string(&working_directory)?);
        arguments.push(c_string(b"-resource-dir")?);
        arguments.push(c_string(self.resource_directory().as_os_str().as_bytes())?);
        if let Some(overlay) = &self.overlay {
            arguments.push(c_string(b"-ivfsoverlay")?);
            arguments.push(c_string(overlay.path().join(OVERLAY).as_os_str().as_bytes())?);
        }
        Ok(arguments)
    }

    /// The same, with those that an input adds.
    fn arguments_for(&self, unit: &Unit, input: &Input<'_>) -> Result<Vec<CString>, Failure> {
        let mut arguments = self.arguments(unit)?;
        for argument in input.more {
            arguments.push(c_string(argument.as_bytes())?);
        }
        if let Some(pch) = input.pch {
            // The files in it were compared with the disk before, so clang need not compare their
            // times.
            for argument in ["-Xclang", "-fno-validate-pch", "-include-pch"] {
                arguments.push(c_string(argument.as_bytes())?);
            }
            arguments.push(pch.to_owned());
        }
        Ok(arguments)
    }
}

/// Parses a file, and again without each argument that libclang does not know; the result includes
/// these arguments.
fn parse_with_retries<'i>(
    index: &'i Index,
    file: &CStr,
    mut arguments: Vec<CString>,
    texts: &[UnsavedFile],
    purpose: Purpose,
) -> Result<(TranslationUnit<'i>, Vec<String>), Failure> {
    let mut unknown = Vec::new();
    loop {
        let parsed = match index.parse(file, &arguments, texts, purpose) {
            Ok(parsed) => parsed,
            // libclang does not say which argument made it fail. Processors and language versions
            // of another compiler do.
            Err(ParseError::Failure) => match foreign_values(&arguments) {
                foreign if foreign.is_empty() => return Err(ParseError::Failure.into()),
                foreign => {
                    arguments.retain(|argument| !foreign.contains(argument));
                    unknown.extend(foreign.iter().map(|argument| argument.to_string_lossy().into_owned()));
                    continue;
                }
            },
            Err(error) => return Err(error.into()),
        };
        match unknown_argument(&parsed, &arguments) {
            Some(position) if unknown.len() < MOST_RETRIES => {
                let removed = arguments.remove(position);
                unknown.push(removed.to_string_lossy().into_owned());
            }
            _ => return Ok((parsed, unknown)),
        }
    }
}

/// The position of an argument that the compiler's driver reports as unknown; it belongs to another
/// compiler.
///
/// The driver names it as a whole, or as a value and the option that it belongs to (clang's
/// `DiagnosticDriverKinds.td`).
fn unknown_argument(unit: &TranslationUnit<'_>, arguments: &[CString]) -> Option<usize> {
    let is_about_arguments = |message: &&String| {
        ["unknown argument", "unsupported option", "unsupported argument", "invalid value"]
            .iter()
            .any(|words| message.starts_with(words))
    };
    let diagnostics = unit.diagnostics();
    let messages = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity >= Severity::Error && diagnostic.location.is_none())
        .map(|diagnostic| &diagnostic.message);
    messages.filter(is_about_arguments).find_map(|message| {
        let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
        let named = |argument: &CString| {
            let argument = argument.to_string_lossy();
            match quoted.as_slice() {
                [whole] => argument == *whole,
                [one, other, ..] => {
                    argument == *one || argument == format!("{other}{one}") || argument == format!("{one}{other}")
                }
                [] => false,
            }
        };
        arguments.iter().position(named)
    })
}

/// The arguments whose values only some compilers know: those that choose a processor, or if there
/// are none, the language.
fn foreign_values(arguments: &[CString]) -> Vec<CString> {
    let starting = |prefix: &[u8]| -> Vec<CString> {
        arguments.iter().filter(|argument| argument.as_bytes().starts_with(prefix)).cloned().collect()
    };
    let processors = starting(b"-m");
    if processors.is_empty() { starting(b"-std=") } else { processors }
}

fn c_string(bytes: &[u8]) -> Result<CString, Failure> {
    CString::new(bytes).map_err(|_| Failure::Nul)
}
