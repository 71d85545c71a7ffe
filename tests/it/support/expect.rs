//! Expected texts that a run can rewrite: with `UPDATE_EXPECT=1` in the environment, to be read in
//! the diff.

use std::path::Path;

/// Whether expectations are rewritten instead of compared.
pub fn is_update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

/// Fails unless a file has exactly this text.
pub fn file(path: &Path, actual: &str) {
    if is_update() {
        std::fs::write(path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs; UPDATE_EXPECT=1 rewrites it\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
}
