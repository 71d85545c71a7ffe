//! What a unit is parsed with: its arguments and those that every unit gets, and texts in memory.
//!
//! It must never know libclang, or what a parsed unit is used for.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use cowrap_base::files::{TemporaryDirectory, write_whole};

use crate::clang::UnsavedFile;
use crate::compdb::Unit;
use crate::failure::Failure;

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

/// What units are parsed with, in addition to their own arguments.
#[derive(Debug)]
pub(crate) struct CompilerInput {
    resource_directory: PathBuf,
    texts: Vec<UnsavedFile>,
    /// The directory of the overlay file, if there is one.
    overlay: Option<TemporaryDirectory>,
}

impl CompilerInput {
    /// Input with `texts` instead of the files on disk.
    pub fn new(resource_directory: PathBuf, texts: Vec<UnsavedFile>) -> CompilerInput {
        CompilerInput { resource_directory, texts, overlay: None }
    }

    /// The directory of the compiler's own headers.
    pub fn resource_directory(&self) -> &Path {
        &self.resource_directory
    }

    /// The texts that replace files on disk.
    pub fn texts(&self) -> &[UnsavedFile] {
        &self.texts
    }

    /// Whether a text stands for a file that does not exist.
    pub fn has_overlay(&self) -> bool {
        self.overlay.is_some()
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
        let scratch = TemporaryDirectory::make()?;
        let mut roots = Vec::new();
        for (number, text) in absent.iter().enumerate() {
            let (contents, path) = (scratch.path().join(number.to_string()), text.path());
            write_whole(&contents, text.contents())?;
            let [directory, name] =
                [path.parent(), path.file_name().map(Path::new)].map(|part| part.and_then(Path::to_str));
            // The overlay file cannot name a path that is not UTF-8. Units that include it report a
            // missing file.
            let (Some(directory), Some(name)) = (directory, name) else { continue };
            let file = json!({ "name": name, "type": "file", "external-contents": contents });
            roots.push(json!({ "name": directory, "type": "directory", "contents": [file] }));
        }
        let overlay = json!({ "version": 0, "case-sensitive": "true", "use-external-names": "false", "roots": roots });
        write_whole(&scratch.path().join(OVERLAY), overlay.to_string().as_bytes())?;
        self.overlay = Some(scratch);
        Ok(())
    }

    /// The arguments of a unit, with those that cowrap adds for every unit.
    pub fn arguments(&self, unit: &Unit) -> Result<Vec<CString>, Failure> {
        let mut arguments = Vec::new();
        for argument in unit.arguments.iter() {
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

    /// The same for a unit that starts from a precompiled header, with some more arguments.
    pub fn arguments_with(&self, unit: &Unit, pch: Option<&CStr>, more: &[&str]) -> Result<Vec<CString>, Failure> {
        let mut arguments = self.arguments(unit)?;
        for argument in more {
            arguments.push(c_string(argument.as_bytes())?);
        }
        if let Some(pch) = pch {
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

pub(crate) fn c_string(bytes: &[u8]) -> Result<CString, Failure> {
    CString::new(bytes).map_err(|_| Failure::Nul)
}
