//! Marks made visible: in-memory copies of the headers that define them, with annotations that
//! libclang shows.
//!
//! A mark is a macro. In most trees and releases it expands to nothing, or to something that does
//! not say which mark was written. So libclang reads a copy of the header, in which each mark's
//! replacement list also has `__attribute__((annotate("cowrap:<mark>")))`. The disk is not changed,
//! and no line number moves, since the annotation goes into the `#define`'s own line. This module
//! must never know what a mark means.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobSet;
use rayon::prelude::*;

use crate::clang::UnsavedFile;
use crate::extract::ANNOTATION_PREFIX;
use cowrap_base::files::{LONGEST_TEXT, read_source};
use cowrap_facts::MarkId;

/// The definitions of marks in a tree, and the headers that make them visible.
#[derive(Debug, Default)]
pub struct VisibleMarks {
    /// The annotated headers, and all other texts in memory.
    pub headers: Vec<UnsavedFile>,
    /// Every definition of a mark, sorted by file and line.
    pub definitions: Vec<MarkDefinition>,
}

/// A `#define` of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkDefinition {
    /// The mark.
    pub mark: MarkId,
    /// The header.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// The macros that are marks, and the headers in which they may be defined.
#[derive(Clone, Debug, Default)]
pub struct MarkHeaders {
    /// The marks on declarations, by name.
    pub marks: HashMap<String, MarkId>,
    /// Match the headers, by their paths relative to the root.
    pub headers: Vec<GlobSet>,
    /// The directory that each pattern for headers begins with.
    pub directories: Vec<PathBuf>,
}

impl MarkHeaders {
    /// Whether marks may be defined in a file, given by its absolute path.
    fn may_define(&self, root: &Path, path: &Path) -> bool {
        path.strip_prefix(root).is_ok_and(|relative| self.headers.iter().any(|headers| headers.is_match(relative)))
    }

    /// Whether a directory, given relative to the root, may contain such files or leads to them.
    fn may_hold(&self, directory: &Path) -> bool {
        self.directories.iter().any(|wanted| wanted.starts_with(directory) || directory.starts_with(wanted))
    }
}

/// Searches the headers of a tree in which marks may be defined. `texts` replace files on disk, by
/// absolute path; all of them are among the headers of the result.
pub fn make_visible(root: &Path, marks: &MarkHeaders, texts: &HashMap<PathBuf, Arc<Vec<u8>>>) -> VisibleMarks {
    let mut headers: BTreeSet<PathBuf> = headers(root, marks).into_iter().collect();
    // Headers that are only in memory.
    headers.extend(texts.keys().filter(|path| marks.may_define(root, path)).cloned());
    let changed: Vec<(PathBuf, Vec<u8>, Vec<MarkDefinition>)> = headers
        .into_iter()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|path| {
            let text = texts.get(&path).cloned().or_else(|| read_source(&path, LONGEST_TEXT).ok().map(Arc::new))?;
            let (text, definitions) = annotate(&path, &text, marks)?;
            Some((path, text, definitions))
        })
        .collect();
    let mut visible = VisibleMarks::default();
    let mut others: Vec<&PathBuf> = texts.keys().collect();
    others.retain(|path| !changed.iter().any(|(known, ..)| known == *path));
    others.sort();
    for path in others {
        visible.headers.extend(UnsavedFile::new(path.clone(), texts[path].to_vec()));
    }
    for (path, text, definitions) in changed {
        visible.headers.extend(UnsavedFile::new(path, text));
        visible.definitions.extend(definitions);
    }
    visible
}

/// The definitions of marks in the text of a file, which is given by its absolute path.
pub fn definitions(root: &Path, path: &Path, text: &[u8], marks: &MarkHeaders) -> Vec<MarkDefinition> {
    let annotated = if marks.may_define(root, path) { annotate(path, text, marks) } else { None };
    annotated.map(|(_, definitions)| definitions).unwrap_or_default()
}

/// The headers in which marks may be defined, sorted.
fn headers(root: &Path, marks: &MarkHeaders) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(root)
        .standard_filters(false)
        .hidden(true)
        .filter_entry({
            let root = root.to_path_buf();
            let marks = marks.clone();
            move |entry| {
                let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
                let Ok(relative) = entry.path().strip_prefix(&root) else { return true };
                !is_directory || marks.may_hold(relative)
            }
        })
        .sort_by_file_path(Path::cmp)
        .build();
    walk.flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir()))
        .map(ignore::DirEntry::into_path)
        .filter(|path| marks.may_define(root, path))
        .collect()
}

/// The text with every definition of a mark annotated; `None` when it has no such definition.
fn annotate(path: &Path, text: &[u8], marks: &MarkHeaders) -> Option<(Vec<u8>, Vec<MarkDefinition>)> {
    let mut annotated = Vec::with_capacity(text.len() + 256);
    let mut definitions = Vec::new();
    let mut continued = false;
    for (number, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let defined = if continued { None } else { defined_mark(line, marks) };
        match defined {
            Some((mark, name_end)) => {
                annotated.extend_from_slice(&line[..name_end]);
                let name_start = line[..name_end].iter().rposition(|byte| byte.is_ascii_whitespace()).unwrap_or(0);
                let name = line[name_start..name_end].trim_ascii();
                annotated.extend_from_slice(b" __attribute__((annotate(\"");
                annotated.extend_from_slice(ANNOTATION_PREFIX.as_bytes());
                annotated.extend_from_slice(name);
                annotated.extend_from_slice(b"\")))");
                annotated.extend_from_slice(&line[name_end..]);
                definitions.push(MarkDefinition { mark, path: path.to_path_buf(), line: number as u32 + 1 });
            }
            None => annotated.extend_from_slice(line),
        }
        let trimmed = line.trim_ascii_end();
        continued = trimmed.ends_with(b"\\");
    }
    (!definitions.is_empty()).then_some((annotated, definitions))
}

/// The mark that a line defines as a macro without parameters, and where its name ends in the line.
fn defined_mark(line: &[u8], marks: &MarkHeaders) -> Option<(MarkId, usize)> {
    let after_hash = line.trim_ascii_start().strip_prefix(b"#")?;
    let after_define = after_hash.trim_ascii_start().strip_prefix(b"define")?;
    if !after_define.first().is_some_and(|byte| byte.is_ascii_whitespace()) {
        return None;
    }
    let rest = after_define.trim_ascii_start();
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if rest.get(length) == Some(&b'(') {
        return None;
    }
    let mark = *marks.marks.get(std::str::from_utf8(&rest[..length]).ok()?)?;
    Some((mark, line.len() - rest.len() + length))
}

#[cfg(test)]
mod tests {
    use globset::{GlobBuilder, GlobSetBuilder};

    use super::*;

    fn marks() -> MarkHeaders {
        let ids = (0..).map(MarkId);
        let glob = |pattern| GlobBuilder::new(pattern).literal_separator(true).build().unwrap();
        MarkHeaders {
            marks: ["microtask_fn", "no_microtask_fn", "co_wrapper"].map(str::to_owned).into_iter().zip(ids).collect(),
            headers: vec![GlobSetBuilder::new().add(glob("include/**/*.h")).build().unwrap()],
            directories: vec![PathBuf::from("include")],
        }
    }

    fn annotated(text: &str) -> Option<(String, Vec<u32>)> {
        let (text, definitions) = annotate(Path::new("a.h"), text.as_bytes(), &marks())?;
        Some((String::from_utf8(text).unwrap(), definitions.iter().map(|d| d.line).collect()))
    }

    #[test]
    fn an_empty_definition_gets_an_annotation_on_its_own_line() {
        let (text, lines) = annotated("a\n#define microtask_fn\nb\n").unwrap();
        assert_eq!(text, "a\n#define microtask_fn __attribute__((annotate(\"cowrap:microtask_fn\")))\nb\n");
        assert_eq!(lines, [2]);
    }

    #[test]
    fn what_a_mark_already_expands_to_is_kept() {
        let (text, _) = annotated("#  define\tco_wrapper no_microtask_fn /* x */ \\\n  more\n").unwrap();
        assert_eq!(
            text,
            "#  define\tco_wrapper __attribute__((annotate(\"cowrap:co_wrapper\"))) no_microtask_fn /* x */ \\\n  more\n"
        );
    }

    #[test]
    fn other_macros_are_left_alone() {
        assert_eq!(annotated("#define microtask_fn_t int\n"), None);
        assert_eq!(annotated("#define my_microtask_fn\n"), None);
        assert_eq!(annotated("#define microtask_fn(x) x\n"), None);
        assert_eq!(annotated("#undef microtask_fn\n"), None);
        assert_eq!(annotated("#define A \\\n#define microtask_fn\n"), None);
    }

    #[test]
    fn every_definition_of_a_tree_is_found_where_they_may_be() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::fs::create_dir_all(root.join("include/qemu")).unwrap();
        std::fs::create_dir_all(root.join("docs")).unwrap();
        std::fs::write(root.join("include/qemu/b.h"), "#define microtask_fn\n").unwrap();
        std::fs::write(root.join("include/a.h"), "#define no_microtask_fn\n#define microtask_fn\n").unwrap();
        std::fs::write(root.join("docs/c.h"), "#define microtask_fn\n").unwrap();
        let visible = make_visible(root, &marks(), &HashMap::new());
        let found: Vec<(String, u32)> = visible
            .definitions
            .iter()
            .map(|d| (d.path.strip_prefix(root).unwrap().display().to_string(), d.line))
            .collect();
        assert_eq!(found, [("include/a.h".into(), 1), ("include/a.h".into(), 2), ("include/qemu/b.h".into(), 1)]);
        assert_eq!(visible.headers.len(), 2);
    }
}
