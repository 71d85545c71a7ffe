//! Writing generated files and their depfiles.

use std::io;
use std::path::{Path, PathBuf};

use cowrap_base::files::{LONGEST_TEXT, NamedBy, Place, Shown, WriteRefusal, Written, write_refusal};

use super::{GenerateError, Generated, Job};

/// How much of a file is read to see whether it is a generated one.
const BEGINNING: u64 = 1024;

/// The place of an output.
///
/// # Errors
///
/// Its directory cannot be opened, or it is outside of the tree although the tree names it.
pub fn output_place(output: &Path, named_by: &NamedBy) -> Result<Place, GenerateError> {
    Place::named(output, named_by).map_err(|error| not_written(output, error))
}

fn not_written(output: &Path, source: io::Error) -> GenerateError {
    let path = output.shown().to_string();
    match write_refusal(&source) {
        Some(WriteRefusal::Input(_) | WriteRefusal::Twice | WriteRefusal::Source | WriteRefusal::NotDepfile) | None => {
            GenerateError::Write { path, source }
        }
        Some(refusal) => GenerateError::Refused { path, refusal: refusal.clone() },
    }
}

impl Generated {
    /// Writes the text to the job's output, unless the file has this text already. The caller
    /// writes to standard output.
    ///
    /// # Errors
    ///
    /// The output cannot be written, or is a file that was not generated.
    pub fn store(&self, job: &Job, named_by: &NamedBy) -> Result<Written, GenerateError> {
        let (Some(text), Some(output)) = (&self.text, &job.output) else { return Ok(Written::Same) };
        let place = output_place(output, named_by)?;
        let failed = |error| not_written(output, error);
        let refused = |what| GenerateError::NotGenerated { path: output.shown().to_string(), what };
        place.refuse_inputs(&job.inputs).map_err(|error| match write_refusal(&error) {
            Some(_) => refused("one of the headers"),
            None => failed(error),
        })?;
        place.refuse_inputs(&self.other_inputs).map_err(failed)?;
        let old = place.beginning(BEGINNING).map_err(failed)?.unwrap_or_default();
        if !old.trim_ascii().is_empty() && !is_generated(&old, text, &self.programs) {
            return Err(refused("not a generated file"));
        }
        place.write(text.as_bytes()).map_err(failed)
    }

    /// The text that the job's output has now; empty if it does not exist.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is outside of the tree although the tree names it.
    pub fn stored(&self, output: &Path, named_by: &NamedBy) -> Result<Vec<u8>, GenerateError> {
        let failed = |source| GenerateError::Read { path: output.shown().to_string(), source };
        let place = match Place::named(output, named_by) {
            // The directory does not exist either.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(not_written(output, error)),
            Ok(place) => place,
        };
        place.read(LONGEST_TEXT).map_err(failed).map(Option::unwrap_or_default)
    }

    /// Writes the depfile of the output.
    ///
    /// # Errors
    ///
    /// The file cannot be written, is one of the job's other files, or is something else than a depfile.
    pub fn write_depfile(&self, depfile: &Path, job: &Job) -> Result<(), GenerateError> {
        let write = || {
            let place = Place::given(depfile)?;
            place.refuse_inputs(job.inputs.iter().chain(&self.other_inputs))?;
            place.refuse_source()?;
            let old = place.beginning(BEGINNING)?.unwrap_or_default();
            if !is_depfile(&old) {
                return Err(io::Error::other(WriteRefusal::NotDepfile));
            }
            if let Some(output) = &job.output {
                place.refuse_same(&Place::given(output)?)?;
            }
            let output = job.output.as_deref().unwrap_or(Path::new("-"));
            place.write(self.depfile(output).as_bytes()).map(|_| ())
        };
        write().map_err(|source| GenerateError::Write { path: depfile.shown().to_string(), source })
    }

    /// The depfile of the output, for make and ninja.
    fn depfile(&self, output: &Path) -> String {
        let mut text = format!("{}:", make_word(output));
        let headers = self.diagnostics.headers.iter().map(|(path, _)| path.as_path());
        for path in headers.chain(self.other_inputs.iter().map(PathBuf::as_path)) {
            text.push_str(" \\\n  ");
            text.push_str(&make_word(path));
        }
        text.push('\n');
        text
    }
}

/// Whether a file is one that a generator wrote: the first line of the comment that it begins with
/// says by which program, or is the same as in the new text.
fn is_generated(old: &[u8], new: &str, programs: &[String]) -> bool {
    let old = String::from_utf8_lossy(old);
    let Some(line) = first_line(&old) else { return false };
    let lower = line.to_ascii_lowercase();
    if first_line(new) == Some(line) && lower.contains("generated") {
        return true;
    }
    let Some((subject, by)) = lower.split_once("generated by ") else { return false };
    let Some(program) = by.split_ascii_whitespace().next() else { return false };
    let program = program.rsplit('/').next().unwrap_or(program);
    let names = programs.iter().filter_map(|program| program.split_ascii_whitespace().next());
    ["", "file is ", "this file is ", "this file was "].contains(&subject)
        && names.chain(["cowrap"]).any(|name| name.eq_ignore_ascii_case(program))
}

/// Whether a text begins as a depfile does, with a target and a colon, or is blank.
fn is_depfile(beginning: &[u8]) -> bool {
    let line = beginning.trim_ascii().split(|byte| *byte == b'\n').next().unwrap_or_default();
    // A configuration or a document can have a colon, too.
    let target = line.iter().position(|byte| *byte == b':').map(|colon| &line[..colon]);
    line.is_empty()
        || target.is_some_and(|target| !target.is_empty() && !target.iter().any(|byte| b"\"'[{=#".contains(byte)))
}

/// The first line with words of the comment that a C text begins with.
fn first_line(text: &str) -> Option<&str> {
    let comment = text.strip_prefix("/*").or_else(|| text.strip_prefix("//"))?;
    let words = |line: &'_ str| line.trim_matches(|c: char| c == '*' || c == '/' || c.is_whitespace()).len();
    let line = comment.lines().take(3).find(|line| words(line) > 0)?;
    Some(line.trim_matches(|c: char| c == '*' || c == '/' || c.is_whitespace()))
}

/// The name of a file in a rule of make.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depfile_begins_with_a_target() {
        for old in ["", "\n", "a.c: \\\n  b.h\n", "build/a.c:\n", "\na b.c : x\n", "C:/a.c: b.h"] {
            assert!(is_depfile(old.as_bytes()), "{old:?}");
        }
        for old in ["packs = [\"a\"]\n", "[{\"directory\": \"/\"}]", "# a: b\n", "9.0.0\n", "x\na: b\n", ": a"] {
            assert!(!is_depfile(old.as_bytes()), "{old:?}");
        }
    }

    #[test]
    fn only_the_first_line_of_the_first_comment_says_that_a_file_is_generated() {
        let programs = ["block-coroutine-wrapper.py".to_owned(), "cowrap generate".to_owned()];
        let is = |old: &str| is_generated(old.as_bytes(), "/*\n * Generated for the pond\n */\n", &programs);
        for old in [
            "/*\n * File is generated by scripts/block-coroutine-wrapper.py\n *\n",
            "/*\n * Generated by cowrap from the declarations with wrapper marks in\n",
            "/* Generated by cowrap */",
            "// This file is generated by cowrap\nint a;\n",
            "/* Generated for the pond */\n",
        ] {
            assert!(is(old), "{old}");
        }
        for old in [
            "int a; /* Generated by cowrap */",
            "/*\n * Copyright\n * Generated by cowrap\n */",
            "/* Wrappers are generated by cowrap */",
            "/* Generated by qapi-gen.py */",
            "/* The generated functions */",
            "#include <a.h>\n/* File is generated by cowrap */",
            "/*\n\n\n\n Generated by cowrap */",
            " /* Generated by cowrap */",
            "/* Generated by */",
            "",
        ] {
            assert!(!is(old), "{old}");
        }
    }
}
