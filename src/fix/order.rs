//! The order in which changed files are written: what others use comes first.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use crate::Change;

/// The positions of changes in the order in which they are to be written: headers before what
/// includes them, then what the build reads, then sources. If some are missing, nothing uses what is
/// not declared yet.
pub(crate) fn order(changes: &[&Change]) -> Vec<usize> {
    let mut by_name: BTreeMap<&OsStr, Vec<usize>> = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
        by_name.entry(change.path.file_name().unwrap_or_default()).or_default().push(number);
    }
    let includes = |number: &usize| -> BTreeSet<usize> {
        let named = included(&changes[*number].new);
        let of = |name: &&Path| by_name.get(name.file_name().unwrap_or_default()).cloned().unwrap_or_default();
        let found = named.iter().flat_map(|name| of(name).into_iter().map(move |number| (name, number)));
        found.filter(|(name, number)| changes[*number].path.ends_with(name)).map(|(_, number)| number).collect()
    };
    let mut roots: Vec<usize> = (0..changes.len()).collect();
    roots.sort_by_key(|number| (rank(&changes[*number].path), *number));
    // A search in depth, without recursion: a file comes after those that it includes.
    let mut seen = vec![false; changes.len()];
    let mut ordered = Vec::with_capacity(changes.len());
    for root in roots {
        let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
        if !std::mem::replace(&mut seen[root], true) {
            open.push((root, includes(&root).into_iter().collect()));
        }
        while let Some((number, rest)) = open.last_mut() {
            match rest.pop() {
                Some(next) if !std::mem::replace(&mut seen[next], true) => {
                    open.push((next, includes(&next).into_iter().collect()));
                }
                Some(_) => {}
                None => {
                    ordered.push(*number);
                    open.pop();
                }
            }
        }
    }
    ordered
}

/// Headers before files of the build before sources.
fn rank(path: &Path) -> u8 {
    match path.extension().and_then(OsStr::to_str) {
        Some("h" | "inc" | "def") => 0,
        Some("c") => 2,
        _ => 1,
    }
}

/// What a C text includes.
fn included(text: &[u8]) -> BTreeSet<&Path> {
    use std::os::unix::ffi::OsStrExt;
    let directive = |line: &'_ [u8]| -> Option<(usize, usize)> {
        let rest = line.trim_ascii_start().strip_prefix(b"#")?.trim_ascii_start().strip_prefix(b"include")?;
        let rest = rest.trim_ascii_start();
        let end = match rest.first()? {
            b'"' => b'"',
            b'<' => b'>',
            _ => return None,
        };
        let start = line.len() - rest.len() + 1;
        Some((start, start + line[start..].iter().position(|byte| *byte == end)?))
    };
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| directive(line).map(|(start, end)| Path::new(OsStr::from_bytes(&line[start..end]))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(files: &[(&str, &str)]) -> Vec<String> {
        let changes: Vec<Change> = files
            .iter()
            .map(|(path, text)| Change { path: path.into(), old: Vec::new(), new: text.as_bytes().to_vec() })
            .collect();
        let order = order(&changes.iter().collect::<Vec<_>>());
        order.into_iter().map(|number| changes[number].path.display().to_string()).collect()
    }

    #[test]
    fn what_is_used_comes_first() {
        let files = [
            ("a.c", "#include \"b.h\"\n"),
            ("meson.build", ""),
            ("include/a.h", "#include \"deep/b.h\"\n"),
            ("include/deep/b.h", " #  include <c.h>\n#include \"none.h\"\n#include"),
            ("c.h", "#include \"include/a.h\" // a circle\n"),
            ("t.c.inc", ""),
        ];
        let expected = ["c.h", "include/deep/b.h", "include/a.h", "t.c.inc", "meson.build", "a.c"];
        assert_eq!(ordered(&files), expected);
        assert_eq!(ordered(&[("b.c", ""), ("a.c", "#include \"b.c\"\n")]), ["b.c", "a.c"]);
        assert_eq!(ordered(&[]), [] as [&str; 0]);
    }

    #[test]
    fn a_long_chain_of_includes_needs_no_deep_stack() {
        let files: Vec<(String, String)> =
            (0..20_000).map(|number| (format!("{number}.h"), format!("#include \"{}.h\"\n", number + 1))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let ordered = ordered(&files);
        assert_eq!(ordered.first().map(String::as_str), Some("19999.h"));
        assert_eq!(ordered.last().map(String::as_str), Some("0.h"));
    }
}
