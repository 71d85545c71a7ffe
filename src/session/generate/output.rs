//! Writing generated files and their depfiles.

use std::io::Read;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Written, open_regular, write_whole};

use super::{GenerateError, Generated, Job};

impl Generated {
    /// Writes the text to the job's output, unless the file has this text already. The caller
    /// writes to standard output.
    ///
    /// # Errors
    ///
    /// The output cannot be written, or is a file that was not generated.
    pub fn store(&self, job: &Job) -> Result<Written, GenerateError> {
        let (Some(text), Some(output)) = (&self.text, &job.output) else { return Ok(Written::Same) };
        let path = output.display().to_string();
        let real = |path: &Path| path.canonicalize().ok();
        if let Some(own) = real(output)
            && job.inputs.iter().any(|input| real(input).as_ref() == Some(&own))
        {
            return Err(GenerateError::NotGenerated { path, what: "one of the headers" });
        }
        if is_handwritten(output) {
            return Err(GenerateError::NotGenerated { path, what: "not a generated file" });
        }
        write_whole(output, text.as_bytes()).map_err(|source| GenerateError::Write { path, source })
    }

    /// The depfile of the output, for make and ninja.
    pub fn depfile(&self, output: &Path) -> String {
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

/// Writes a depfile.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_depfile(path: &Path, text: &str) -> Result<(), GenerateError> {
    write_whole(path, text.as_bytes())
        .map(|_| ())
        .map_err(|source| GenerateError::Write { path: path.display().to_string(), source })
}

/// Whether a file seems to be written by hand: the first lines of generated files say that they are
/// generated.
fn is_handwritten(path: &Path) -> bool {
    // A pipe or a device, which the command line may name, must not be read.
    let Ok(file) = open_regular(path) else { return false };
    let mut bytes = Vec::new();
    if file.take(1024).read_to_end(&mut bytes).is_err() {
        return true;
    }
    let beginning = String::from_utf8_lossy(&bytes).to_lowercase();
    !beginning.trim().is_empty() && !beginning.contains("generated")
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
