//! Parsing one translation unit, and what it says as a whole: diagnostics, files, inclusions.

use std::ffi::{CStr, CString, OsString};
use std::marker::PhantomData;
use std::os::raw::{c_char, c_int, c_uint};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use clang_sys::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::cursor::{Cursor, Location, expansion_location, text};
use super::library::Library;

/// What parsing needs (`CXIndex`). Must stay on the thread that made it.
#[derive(Debug)]
pub struct Index {
    raw: CXIndex,
}

/// A file whose contents in memory stand for those on disk (`CXUnsavedFile`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnsavedFile {
    path: CString,
    #[serde(with = "crate::bytes")]
    contents: Vec<u8>,
}

/// Why no translation unit came out of a parse at all (`CXErrorCode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ParseError {
    /// libclang failed without saying why; most often the driver did not accept the arguments.
    #[error("libclang could not make a translation unit from these arguments")]
    Failure,
    /// libclang crashed and recovered.
    #[error("libclang crashed while it parsed this file")]
    Crashed,
    /// The arguments were not usable.
    #[error("libclang did not accept the arguments")]
    InvalidArguments,
}

/// What a translation unit is parsed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To be walked. Parsing goes on after a fatal error (a missing header), so that the rest can
    /// be reported.
    Walk,
    /// To be walked, on top of a precompiled header. The compiler notes what it skipped.
    WalkShared,
    /// To be saved as a precompiled header. It need not be whole: what is only tentatively defined
    /// stays so.
    Precompile,
    /// To see what the compiler skips of what is precompiled. A precompiled header cannot have that
    /// itself: each one on top of it would have all of it twice.
    Preprocess,
}

/// A file that was entered by an inclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion<'tu> {
    /// The file.
    pub file: File<'tu>,
    /// The line of the main file, from 1, whose inclusion led to it; `None` for the main file
    /// itself, and for what the arguments include.
    pub line: Option<u32>,
    /// The file that included it, and the line there, from 1; `None` as for `line`.
    pub from: Option<(File<'tu>, u32)>,
}

/// How grave a diagnostic is (`CXDiagnosticSeverity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Severity {
    Ignored,
    Note,
    Warning,
    Error,
    Fatal,
}

/// One message of the compiler.
#[derive(Clone, Debug)]
pub struct Diagnostic<'tu> {
    /// How grave it is.
    pub severity: Severity,
    /// The compiler's text, without location and severity.
    pub message: String,
    /// Where; `None` for messages about arguments.
    pub location: Option<Location<'tu>>,
}

/// A file of a translation unit (`CXFile`). Equal when it is the same file of the same unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct File<'tu> {
    raw: CXFile,
    unit: PhantomData<&'tu ()>,
}

/// A parsed translation unit.
#[derive(Debug)]
pub struct TranslationUnit<'i> {
    raw: CXTranslationUnit,
    index: PhantomData<&'i Index>,
}

impl UnsavedFile {
    /// A file in memory; `None` when the path holds a NUL byte.
    pub fn new(path: PathBuf, contents: Vec<u8>) -> Option<Self> {
        Some(UnsavedFile { path: CString::new(path.into_os_string().into_vec()).ok()?, contents })
    }

    /// Its path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.path.to_bytes().to_vec()))
    }

    /// Whether this is its path.
    pub fn is_at(&self, path: &Path) -> bool {
        self.path.to_bytes() == path.as_os_str().as_bytes()
    }

    /// Its contents.
    pub fn contents(&self) -> &[u8] {
        &self.contents
    }
}

impl Index {
    /// Makes an index. The calling thread must have entered `library`.
    pub fn new(library: &Library) -> Self {
        library.enter();
        // Arguments: declarations from precompiled headers are left out when a unit is walked;
        // diagnostics are not printed.
        Index { raw: unsafe { clang_createIndex(1, 0) } }
    }

    /// Parses a C file. `arguments` are the compiler's, without its name and without the file.
    pub fn parse(
        &self,
        file: &CStr,
        arguments: &[CString],
        unsaved: &[UnsavedFile],
        purpose: Purpose,
    ) -> Result<TranslationUnit<'_>, ParseError> {
        let options = match purpose {
            Purpose::Walk => CXTranslationUnit_KeepGoing,
            // Only the detailed record of the preprocessor has the skipped lines.
            Purpose::WalkShared => CXTranslationUnit_KeepGoing | CXTranslationUnit_DetailedPreprocessingRecord,
            Purpose::Precompile => CXTranslationUnit_ForSerialization | CXTranslationUnit_Incomplete,
            Purpose::Preprocess => {
                CXTranslationUnit_Incomplete
                    | CXTranslationUnit_SkipFunctionBodies
                    | CXTranslationUnit_DetailedPreprocessingRecord
            }
        };
        let arguments: Vec<*const c_char> = arguments.iter().map(|argument| argument.as_ptr()).collect();
        let mut unsaved: Vec<CXUnsavedFile> = unsaved
            .iter()
            .map(|file| CXUnsavedFile {
                Filename: file.path.as_ptr(),
                Contents: file.contents.as_ptr().cast(),
                Length: file.contents.len() as std::os::raw::c_ulong,
            })
            .collect();
        let mut raw = std::ptr::null_mut();
        // SAFETY: every pointer is to memory that lives until the call returns; libclang copies
        // what it keeps.
        let code = unsafe {
            clang_parseTranslationUnit2(
                self.raw,
                file.as_ptr(),
                arguments.as_ptr(),
                arguments.len() as c_int,
                unsaved.as_mut_ptr(),
                unsaved.len() as c_uint,
                options,
                &mut raw,
            )
        };
        #[allow(non_upper_case_globals)]
        match code {
            CXError_Success if !raw.is_null() => Ok(TranslationUnit { raw, index: PhantomData }),
            CXError_Crashed => Err(ParseError::Crashed),
            CXError_InvalidArguments => Err(ParseError::InvalidArguments),
            _ => Err(ParseError::Failure),
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        unsafe { clang_disposeIndex(self.raw) }
    }
}

impl<'i> TranslationUnit<'i> {
    /// The cursor above all others.
    pub fn cursor(&self) -> Option<Cursor<'_>> {
        Cursor::new(unsafe { clang_getTranslationUnitCursor(self.raw) })
    }

    /// The main file.
    pub fn main_file(&self) -> Option<File<'_>> {
        let name = unsafe { clang_getTranslationUnitSpelling(self.raw) };
        let name = CString::new(text(name)).ok()?;
        File::new(unsafe { clang_getFile(self.raw, name.as_ptr()) })
    }

    /// What the compiler had to say, in its order.
    pub fn diagnostics(&self) -> Vec<Diagnostic<'_>> {
        let count = unsafe { clang_getNumDiagnostics(self.raw) };
        (0..count)
            .map(|number| {
                // SAFETY: the number is below the count, and the diagnostic is disposed of exactly
                // once.
                unsafe {
                    let raw = clang_getDiagnostic(self.raw, number);
                    let diagnostic = Diagnostic {
                        severity: severity(clang_getDiagnosticSeverity(raw)),
                        message: text(clang_getDiagnosticSpelling(raw)),
                        location: expansion_location(clang_getDiagnosticLocation(raw)),
                    };
                    clang_disposeDiagnostic(raw);
                    diagnostic
                }
            })
            .collect()
    }

    /// Every file that was read, in the order of first inclusion; the main file is the first. What
    /// a precompiled header read is not among them.
    pub fn files(&self) -> Vec<File<'_>> {
        let mut seen = std::collections::HashSet::new();
        let inclusions = self.inclusions().into_iter().map(|inclusion| inclusion.file);
        inclusions.filter(|file| seen.insert(file.raw)).collect()
    }

    /// Every time that a file was entered, in order; the main file is the first. What a precompiled
    /// header entered is not among them.
    pub fn inclusions(&self) -> Vec<Inclusion<'_>> {
        extern "C" fn step(file: CXFile, stack: *mut CXSourceLocation, length: c_uint, data: CXClientData) {
            // SAFETY: `data` is the vector that `inclusions` passes below and outlives the call;
            // `stack` holds `length` locations, that of the nearest file first and that of the main
            // file last.
            let found = unsafe { &mut *(data as *mut Vec<(CXFile, Option<[CXSourceLocation; 2]>)>) };
            let ends = length.checked_sub(1).map(|last| unsafe { [*stack, *stack.add(last as usize)] });
            found.push((file, ends));
        }
        let mut found: Vec<(CXFile, Option<[CXSourceLocation; 2]>)> = Vec::new();
        unsafe { clang_getInclusions(self.raw, step, (&raw mut found).cast()) };
        let inclusion = |(file, ends): (CXFile, Option<[CXSourceLocation; 2]>)| {
            let [from, main] = ends.map_or([None, None], |ends| ends.map(expansion_location));
            let line = main.map(|location: Location<'_>| location.line);
            Some(Inclusion { file: File::new(file)?, line, from: from.map(|location| (location.file, location.line)) })
        };
        found.into_iter().filter_map(inclusion).collect()
    }

    /// The lines that the compiler skipped, since the condition around them was false: a file, and
    /// the first and the last line, which are directives. Only a unit that is parsed for this has
    /// them.
    pub fn skipped(&self) -> Vec<(File<'_>, u32, u32)> {
        let mut found = Vec::new();
        // SAFETY: the list has `count` ranges, lives until it is disposed of, and is disposed of
        // exactly once.
        unsafe {
            let list = clang_getAllSkippedRanges(self.raw);
            if list.is_null() {
                return found;
            }
            let count = if (*list).ranges.is_null() { 0 } else { (*list).count as usize };
            for number in 0..count {
                let range = *(*list).ranges.add(number);
                let start: Option<Location<'_>> = expansion_location(clang_getRangeStart(range));
                let end: Option<Location<'_>> = expansion_location(clang_getRangeEnd(range));
                if let (Some(start), Some(end)) = (start, end)
                    && start.file == end.file
                {
                    found.push((start.file, start.line, end.line));
                }
            }
            clang_disposeSourceRangeList(list);
        }
        found
    }

    /// Writes the unit, which must have been parsed for that, to a precompiled header; whether that
    /// succeeded.
    pub fn save(&self, path: &CStr) -> bool {
        // SAFETY: the unit and the path live until the call returns. `CXSaveError_None` is 0.
        unsafe { clang_saveTranslationUnit(self.raw, path.as_ptr(), clang_defaultSaveOptions(self.raw)) == 0 }
    }

    /// The contents of a file as the compiler saw it; empty when it has none.
    pub fn contents(&self, file: File<'_>) -> &[u8] {
        let mut length = 0;
        // SAFETY: libclang owns the buffer, which lives as long as the unit.
        unsafe {
            let contents = clang_getFileContents(self.raw, file.raw, &mut length);
            if contents.is_null() { &[] } else { std::slice::from_raw_parts(contents.cast(), length) }
        }
    }
}

impl Drop for TranslationUnit<'_> {
    fn drop(&mut self) {
        unsafe { clang_disposeTranslationUnit(self.raw) }
    }
}

impl File<'_> {
    pub(super) fn new(raw: CXFile) -> Option<Self> {
        (!raw.is_null()).then_some(File { raw, unit: PhantomData })
    }

    /// The path as the compiler opened it: relative to the unit's directory, or absolute.
    pub fn path(self) -> PathBuf {
        // SAFETY: as in `text`, but the bytes are kept as they are, since they are a path.
        unsafe {
            let string = clang_getFileName(self.raw);
            let characters = clang_getCString(string);
            let bytes = if characters.is_null() { Vec::new() } else { CStr::from_ptr(characters).to_bytes().to_vec() };
            clang_disposeString(string);
            PathBuf::from(OsString::from_vec(bytes))
        }
    }
}

fn severity(raw: CXDiagnosticSeverity) -> Severity {
    #[allow(non_upper_case_globals)]
    match raw {
        CXDiagnostic_Ignored => Severity::Ignored,
        CXDiagnostic_Note => Severity::Note,
        CXDiagnostic_Warning => Severity::Warning,
        CXDiagnostic_Error => Severity::Error,
        _ => Severity::Fatal,
    }
}
