//! Patterns of paths, as packs, settings and options have them. `*` stays within a directory.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use thiserror::Error;

/// The length of a pattern, in bytes.
const LONGEST: usize = 4096;

/// How many alternatives in braces may begin in a pattern.
const MOST_ALTERNATIVES: usize = 64;

/// Why patterns cannot be used.
#[derive(Clone, Debug, Error)]
pub enum PatternError {
    /// A pattern is too long.
    #[error("a pattern has {length} bytes, more than {LONGEST}; use several patterns")]
    Long {
        /// Its length.
        length: usize,
    },
    /// A pattern has too many alternatives.
    #[error("a pattern has more than {MOST_ALTERNATIVES} braces; use several patterns")]
    Alternatives,
    /// A pattern has a mistake, or all of them together are too large.
    #[error(transparent)]
    Glob(#[from] globset::Error),
}

/// Patterns that are matched together.
pub fn path_patterns<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<GlobSet, PatternError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(path_pattern(pattern)?);
    }
    Ok(set.build()?)
}

/// Checks one pattern.
pub fn path_pattern(pattern: &str) -> Result<Glob, PatternError> {
    if pattern.len() > LONGEST {
        return Err(PatternError::Long { length: pattern.len() });
    }
    if pattern.bytes().filter(|byte| *byte == b'{').count() > MOST_ALTERNATIVES {
        return Err(PatternError::Alternatives);
    }
    Ok(GlobBuilder::new(pattern).literal_separator(true).build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_patterns_are_refused() {
        let error = |pattern: &str| path_patterns([pattern]).unwrap_err().to_string();
        assert!(error(&"*a".repeat(100_000)).contains("200000 bytes"), "{}", error(&"*a".repeat(100_000)));
        assert!(error(&"{".repeat(1000)).contains("64 braces"));
        assert!(path_patterns(["[a"]).is_err());
        let long = format!("{}/*.[ch]", "a/".repeat(1000));
        assert!(path_patterns([long.as_str(), "{a,b}/**/*.h"]).is_ok());
        // All of them together need too much memory, which is an error and not a panic.
        let several: Vec<String> = (0..3000).map(|number| format!("{}{number}", "*?{a,b}[c-z]".repeat(60))).collect();
        assert!(path_patterns(several.iter().map(String::as_str)).is_err());
    }
}
