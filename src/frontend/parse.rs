//! Parsing with libclang, and retries without unknown arguments.
//!
//! It must never know facts, or what a parsed unit is used for.

use std::ffi::{CStr, CString};

use crate::clang::{Index, ParseError, Purpose, Severity, TranslationUnit, UnsavedFile};

/// How often a unit is parsed again without an argument that its libclang does not know.
const MOST_RETRIES: usize = 16;

/// Parses a file, and again without each argument that libclang does not know; the result includes
/// these arguments.
pub(crate) fn parse_with_retries<'i>(
    index: &'i Index,
    file: &CStr,
    mut arguments: Vec<CString>,
    texts: &[UnsavedFile],
    purpose: Purpose,
) -> Result<(TranslationUnit<'i>, Vec<String>), ParseError> {
    let mut unknown = Vec::new();
    loop {
        let parsed = match index.parse(file, &arguments, texts, purpose) {
            Ok(parsed) => parsed,
            // libclang does not say which argument made it fail. Processors and language versions
            // of another compiler do.
            Err(ParseError::Failure) => match foreign_values(&arguments) {
                foreign if foreign.is_empty() => return Err(ParseError::Failure),
                foreign => {
                    arguments.retain(|argument| !foreign.contains(argument));
                    unknown.extend(foreign.iter().map(|argument| argument.to_string_lossy().into_owned()));
                    continue;
                }
            },
            Err(error) => return Err(error),
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
