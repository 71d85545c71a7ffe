//! What certification asks of a unit that was parsed for sharing: inclusions, messages, and which
//! names files refer to.
//!
//! It must never know what is certified.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;

use super::protocol::{Bytes, InclusionOf, SharingInput, SharingOutput};
use crate::clang::{Cursor, CursorKind, File, Purpose, Severity, TranslationUnit, Visit};
use crate::scan::SkippedLines;

/// What certification needs to know of a unit, apart from what extraction found.
pub fn evidence<'tu>(
    unit: &'tu TranslationUnit<'_>,
    wanted: SharingInput,
    purpose: Purpose,
    identify: impl Fn(File<'tu>) -> PathBuf,
) -> SharingOutput {
    let mut numbers: HashMap<File<'tu>, u32> = HashMap::new();
    let mut paths = Vec::new();
    let mut number = |file: File<'tu>| {
        *numbers.entry(file).or_insert_with(|| {
            paths.push(identify(file));
            paths.len() as u32 - 1
        })
    };
    let mut inclusions = Vec::new();
    for inclusion in unit.inclusions() {
        if wanted.early.is_none_or(|early| inclusion.line.is_some_and(|line| line <= early)) {
            let from = inclusion.from.map(|(file, line)| (number(file), line));
            inclusions.push(InclusionOf { file: number(inclusion.file), line: inclusion.line, from });
        }
    }
    // A unit to walk has its errors in its parse status, and warnings are off.
    let diagnostics = if purpose == Purpose::Precompile { unit.diagnostics() } else { Vec::new() };
    let reported = diagnostics.into_iter().find(|diagnostic| diagnostic.severity >= Severity::Warning);
    let message = reported.map(|reported| (reported.message, reported.location.map(|location| number(location.file))));
    let main = || unit.main_file().map(|main| unit.contents(main)).unwrap_or_default();
    let text = wanted.early.map(|early| first_lines(main(), early)).unwrap_or_default();
    SharingOutput { paths, inclusions, message, text: Bytes(text.to_vec()), ..SharingOutput::default() }
}

/// The first lines of a text.
fn first_lines(text: &[u8], count: u32) -> &[u8] {
    let length = text.split_inclusive(|byte| *byte == b'\n').take(count as usize).map(<[u8]>::len).sum();
    &text[..length]
}

/// The lines that the compiler skipped in the files that it read once, by the absolute paths of
/// these files. Lines that it skips at one time it may read at another.
pub fn skipped<'tu>(
    unit: &'tu TranslationUnit<'_>,
    path: impl Fn(File<'tu>) -> PathBuf,
) -> Vec<(OsString, Vec<SkippedLines>)> {
    let mut known: HashMap<File<'tu>, PathBuf> = HashMap::new();
    let mut times: HashMap<PathBuf, u32> = HashMap::new();
    for inclusion in unit.inclusions() {
        let path = known.entry(inclusion.file).or_insert_with(|| path(inclusion.file));
        *times.entry(path.clone()).or_default() += 1;
    }
    let once = times.iter().filter(|(_, times)| **times == 1);
    let mut found: BTreeMap<&PathBuf, Vec<SkippedLines>> = once.map(|(path, _)| (path, Vec::new())).collect();
    for (file, first, last) in unit.skipped() {
        if let Some(lines) = known.get(&file).and_then(|path| found.get_mut(path)) {
            lines.push((first, last));
        }
    }
    found.into_iter().map(|(path, lines)| (path.clone().into(), lines)).collect()
}

/// The wanted names that files refer to, as names of what is declared at file scope: each with the
/// position of its file. In the main file, only lines up to `early` count.
///
/// libclang does not show the names in attributes.
pub fn referred_names<'tu>(
    unit: &'tu TranslationUnit<'_>,
    wanted: &[(OsString, Vec<String>)],
    early: Option<u32>,
    path: impl Fn(File<'tu>) -> PathBuf,
) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let Some(root) = unit.cursor().filter(|_| !wanted.is_empty()) else { return found };
    let names = |(number, (file, names)): (usize, &'_ (OsString, Vec<String>))| {
        (PathBuf::from(file), (number as u32, names.iter().cloned().collect::<HashSet<String>>()))
    };
    let wanted: HashMap<PathBuf, (u32, HashSet<String>)> = wanted.iter().enumerate().map(names).collect();
    let main = unit.main_file().and_then(|main| wanted.get(&path(main))).map(|(number, _)| *number);
    let mut of_file: HashMap<File<'tu>, Option<&(u32, HashSet<String>)>> = HashMap::new();
    root.visit(|cursor, _| {
        let Some(location) = cursor.location() else { return Visit::Skip };
        let names = *of_file.entry(location.file).or_insert_with(|| wanted.get(&path(location.file)));
        let counts = |number: u32| Some(number) != main || early.is_none_or(|early| location.line <= early);
        if let Some((number, names)) = names.filter(|(number, _)| counts(*number)) {
            cursor.visit(|inner, _| {
                if let Some(name) = referred_name(inner).filter(|name| names.contains(name)) {
                    found.push((*number, name));
                }
                Visit::Recurse
            });
        }
        Visit::Skip
    });
    found
}

/// The name of what a cursor refers to, if that is declared at file scope.
fn referred_name(cursor: Cursor<'_>) -> Option<String> {
    use CursorKind::*;
    if !matches!(cursor.kind(), TypeRef | DeclRefExpr) {
        return None;
    }
    let referenced = cursor.referenced()?;
    let is_global = match referenced.kind() {
        ParmDecl | FieldDecl => false,
        VarDecl => referenced.semantic_parent().is_some_and(|parent| parent.kind() == TranslationUnit),
        _ => true,
    };
    is_global.then(|| referenced.spelling())
}
