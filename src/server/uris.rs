//! URIs of files, and which file they mean.
//!
//! It must never know documents or what is in a file.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use gen_lsp_types::Uri;

/// The path that a URI names; none if it names no file of this machine, such as `untitled:new`.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let text = uri.as_ref();
    let (scheme, rest) = text.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/')?;
            let host = &rest[..at];
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                return None;
            }
            &rest[at..]
        }
        None => rest,
    };
    let path = PathBuf::from(OsString::from_vec(decoded(path)?));
    // No file has a name with NUL, and functions of the system refuse it.
    (path.is_absolute() && !path.as_os_str().as_bytes().contains(&0)).then_some(path)
}

/// The URI of a path, which is absolute.
pub(crate) fn uri_of(path: &Path) -> Uri {
    let mut text = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(*byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    Uri(text)
}

/// The identity of a file, which need not exist: its path without symbolic links.
pub(crate) fn identity(path: &Path) -> PathBuf {
    let mut missing: Vec<Component<'_>> = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            let mut identity = found;
            for component in missing.iter().rev() {
                match component {
                    Component::Normal(name) => identity.push(name),
                    Component::ParentDir => {
                        identity.pop();
                    }
                    _ => {}
                }
            }
            return identity;
        }
        missing.extend(ancestor.components().next_back());
    }
    path.to_path_buf()
}

/// A text without percent encoding; none if it is malformed.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let value = |digit: u8| char::from(digit).to_digit(16);
        bytes.push((value(digits[0])? * 16 + value(digits[1])?) as u8);
        rest = behind;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> Option<PathBuf> {
        path_of(&Uri::from(uri))
    }

    #[test]
    fn a_path_has_a_uri() {
        for name in ["/a/b.c", "/a b/ä#?%.c", "/a/\u{1f600}"] {
            assert_eq!(path_of(&uri_of(Path::new(name))), Some(PathBuf::from(name)));
        }
        let bytes = PathBuf::from(OsString::from_vec(b"/a\xff.c".to_vec()));
        assert_eq!(uri_of(&bytes).as_ref(), "file:///a%FF.c");
        assert_eq!(path_of(&uri_of(&bytes)), Some(bytes));
    }

    #[test]
    fn clients_write_uris_in_several_ways() {
        for uri in ["file:///a/b%20c", "FILE:///a/b c", "file://localhost/a/b%20c", "file:/a/b%20c"] {
            assert_eq!(path(uri), Some(PathBuf::from("/a/b c")), "{uri}");
        }
    }

    #[test]
    fn a_uri_that_names_no_file_here_has_no_path() {
        for uri in [
            "untitled:new",
            "file://host/a",
            "file://",
            "file:a",
            "",
            "a",
            "file:///%",
            "file:///%4",
            "file:///%zz",
            "file:///a%00b",
            "git:/a/b.c?x",
            "file:///%+1",
        ] {
            assert_eq!(path(uri), None, "{uri}");
        }
    }

    #[test]
    fn an_identity_has_no_links() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::fs::write(root.join("real/a.c"), "").unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        assert_eq!(identity(&root.join("link/a.c")), root.join("real/a.c"));
        assert_eq!(identity(&root.join("link/new/b.c")), root.join("real/new/b.c"));
        assert_eq!(identity(&root.join("link/none/../b.c")), root.join("real/b.c"));
    }
}
