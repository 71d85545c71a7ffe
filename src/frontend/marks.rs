//! Marks made visible: in-memory copies of the headers that define them, with annotations that
//! libclang shows.
//!
//! A mark is a macro. In most trees and releases it expands to nothing, or to something that does
//! not say which mark was written. So libclang reads a copy of the header, in which each mark's
//! replacement list also has `__attribute__((annotate("cowrap:<mark>")))`. The disk is not changed,
//! and no line number moves, since the annotation goes into the `#define`'s own line. This module
//! must never know what a mark means.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use globset::GlobSet;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clang::UnsavedFile;
use crate::extract::ANNOTATION_PREFIX;
use crate::sources::is_old;
use cowrap_base::cache::{PathState, StatCache};
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

/// An earlier search for marks. As long as the directories are as they were, only changed headers are searched again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSearch {
    /// The directories that were searched, by path relative to the root, with their states.
    directories: Vec<(PathBuf, PathState)>,
    /// The headers in which marks may be defined, sorted by path relative to the root; whether they define some, and
    /// their states.
    headers: Vec<(PathBuf, bool, PathState)>,
}

impl SavedSearch {
    /// Whether no directory has changed.
    fn has_all_headers(&self, root: &Path, stat_cache: &StatCache) -> bool {
        let is_same = |(path, state): &(PathBuf, PathState)| stat_cache.state(&root.join(path)) == Some(*state);
        !self.directories.is_empty() && self.directories.par_iter().with_min_len(16).all(is_same)
    }
}

/// Searches the headers of a tree in which marks may be defined. `texts` replace files on disk, by
/// absolute path; all of them are among the headers of the result.
pub fn make_visible(root: &Path, marks: &MarkHeaders, texts: &HashMap<PathBuf, Arc<Vec<u8>>>) -> VisibleMarks {
    let (_, mut headers) = search(root, marks);
    // Headers that are only in memory.
    headers.extend(texts.keys().filter(|path| marks.may_define(root, path)).cloned());
    headers.sort();
    headers.dedup();
    let text = |path: &Path| texts.get(path).cloned().or_else(|| read(path));
    annotated(headers, text, texts, marks)
}

/// As [`make_visible`], for texts of files that exist on the disk; `on_disk` is the result for the disk alone.
pub fn make_visible_in(
    on_disk: &VisibleMarks,
    root: &Path,
    marks: &MarkHeaders,
    texts: &HashMap<PathBuf, Arc<Vec<u8>>>,
) -> VisibleMarks {
    let changed = texts.keys().filter(|path| marks.may_define(root, path)).cloned().collect();
    let mut visible = annotated(changed, |path| texts.get(path).cloned(), texts, marks);
    visible.headers.extend(on_disk.headers.iter().filter(|header| !texts.contains_key(&header.path())).cloned());
    let others = on_disk.definitions.iter().filter(|definition| !texts.contains_key(&definition.path));
    visible.definitions.extend(others.cloned());
    visible.definitions.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    visible
}

/// As [`make_visible`], for the disk, with the help of an earlier search. The second result is this search, if it
/// should replace that one. `started` is when nothing had been read yet.
pub fn make_visible_again(
    root: &Path,
    marks: &MarkHeaders,
    earlier: Option<SavedSearch>,
    stat_cache: &StatCache,
    started: SystemTime,
) -> (VisibleMarks, Option<SavedSearch>) {
    let state = |path: &Path| stat_cache.state(path);
    // What changes meanwhile may have been read in another state than the stat cache has.
    let is_old = |path: &Path| path.metadata().is_ok_and(|metadata| is_old(&metadata, started));
    let texts = HashMap::new();
    if let Some(mut earlier) = earlier.filter(|earlier| earlier.has_all_headers(root, stat_cache)) {
        // The search does not follow what has become a directory, or a link to one.
        let now: Option<Vec<PathState>> = earlier
            .headers
            .par_iter()
            .with_min_len(64)
            .map(|(path, ..)| state(&root.join(path)).filter(|now| matches!(now, PathState::File(_))))
            .collect();
        if let Some(now) = now {
            let known = earlier.headers.iter().zip(&now);
            let changed = known.filter(|((_, defines, known), now)| *defines || known != *now);
            let visible = annotated(changed.map(|((path, ..), _)| root.join(path)).collect(), read, &texts, marks);
            let changed = earlier.headers.iter().zip(&now).filter(|((.., known), now)| known != *now);
            let mut changed = changed.map(|((path, ..), _)| root.join(path)).peekable();
            let is_news = changed.peek().is_some() && changed.all(|path| is_old(&path));
            if is_news {
                let defining: HashSet<&Path> = visible.definitions.iter().map(|found| found.path.as_path()).collect();
                for ((path, defines, known), now) in earlier.headers.iter_mut().zip(now) {
                    (*defines, *known) = (defining.contains(root.join(&*path).as_path()), now);
                }
            }
            return (visible, is_news.then_some(earlier));
        }
    }
    let (directories, headers) = search(root, marks);
    let visible = annotated(headers.clone(), read, &texts, marks);
    let defining: HashSet<&Path> = visible.definitions.iter().map(|found| found.path.as_path()).collect();
    let relative = |path: &Path| path.strip_prefix(root).ok().map(Path::to_path_buf).filter(|_| is_old(path));
    // The state first: if the path is old after that, it is the state that was searched.
    let directories = directories.par_iter().map(|path| {
        let state = state(path)?;
        Some((relative(path)?, state))
    });
    let headers = headers.par_iter().map(|path| {
        let state = state(path)?;
        Some((relative(path)?, defining.contains(path.as_path()), state))
    });
    let (directories, headers) = (directories.collect::<Option<Vec<_>>>(), headers.collect::<Option<Vec<_>>>());
    let search = directories.zip(headers).map(|(directories, headers)| SavedSearch { directories, headers });
    (visible, search)
}

/// The text of a header.
fn read(path: &Path) -> Option<Arc<Vec<u8>>> {
    read_source(path, LONGEST_TEXT).ok().map(Arc::new)
}

/// The headers that define marks, annotated, and all other texts in memory.
fn annotated(
    headers: Vec<PathBuf>,
    text: impl Fn(&Path) -> Option<Arc<Vec<u8>>> + Sync,
    texts: &HashMap<PathBuf, Arc<Vec<u8>>>,
    marks: &MarkHeaders,
) -> VisibleMarks {
    let changed: Vec<(PathBuf, Vec<u8>, Vec<MarkDefinition>)> = headers
        .into_par_iter()
        .filter_map(|path| {
            let (text, definitions) = annotate(&path, &text(&path)?, marks)?;
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

/// The directories of a tree in which marks may be defined, and the headers in them, sorted.
fn search(root: &Path, marks: &MarkHeaders) -> (Vec<PathBuf>, Vec<PathBuf>) {
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
    let entries = walk.flatten().map(|entry| (entry.file_type().is_some_and(|kind| kind.is_dir()), entry.into_path()));
    let (directories, others): (Vec<_>, Vec<_>) = entries.partition(|(is_directory, _)| *is_directory);
    let mut headers: Vec<PathBuf> = others.into_iter().map(|(_, path)| path).collect();
    headers.retain(|path| marks.may_define(root, path));
    headers.sort();
    (directories.into_iter().map(|(_, path)| path).collect(), headers)
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

    #[test]
    fn texts_in_memory_change_what_the_disk_defines() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::fs::create_dir_all(root.join("include")).unwrap();
        let texts = [("include/a.h", "#define microtask_fn\n"), ("include/b.h", "#define co_wrapper\n"), ("c.c", "")];
        texts.iter().for_each(|(path, text)| std::fs::write(root.join(path), text).unwrap());
        std::fs::write(root.join("include/none.h"), "int x;\n").unwrap();
        let on_disk = make_visible(root, &marks(), &HashMap::new());
        let texts = [
            ("include/a.h", "int y;\n"),
            ("include/none.h", "\n#define no_microtask_fn\n"),
            ("c.c", "#define microtask_fn\n"),
        ];
        let texts = texts.map(|(path, text)| (root.join(path), Arc::new(text.as_bytes().to_vec()))).into();
        let of = |visible: VisibleMarks| {
            let mut headers: Vec<(PathBuf, Vec<u8>)> = visible
                .headers
                .iter()
                .map(|header| (header.path().to_path_buf(), header.contents().to_vec()))
                .collect();
            headers.sort();
            (headers, visible.definitions)
        };
        let (again, whole) =
            (of(make_visible_in(&on_disk, root, &marks(), &texts)), of(make_visible(root, &marks(), &texts)));
        assert_eq!(again, whole);
        assert_eq!(again.1.len(), 2);
    }
}
