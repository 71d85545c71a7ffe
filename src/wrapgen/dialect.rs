//! The dialect of a tree: what its wrappers have to do, as values of the features of the pack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use thiserror::Error;

use cowrap_base::files::{LONGEST_TEXT, Shown, is_below, read_source, refusal};
use cowrap_packs::{Generator, Probe};

/// The values of all features.
pub type Features = BTreeMap<String, String>;

/// The dialect that was detected in a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectedDialect {
    /// The values.
    pub features: Features,
    /// What each value was detected from: the name of the feature and a text for people.
    pub reasons: Vec<(String, String)>,
    /// The files that were read: the generated file depends on them.
    pub files: BTreeSet<PathBuf>,
}

/// Why the dialect is unknown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DialectError {
    /// `--dialect` has an unknown name.
    #[error("unknown dialect `{name}`; the pack `{pack}` has {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The pack.
        pack: String,
        /// The dialects of the pack.
        known: String,
    },
    /// No directory above the headers is the root of a tree.
    #[error(
        "cannot detect the dialect: no directory above {header} has {wanted}\n  name the root of the tree with --root, \
         or the dialect with --dialect: {known}"
    )]
    NoRoot {
        /// A header.
        header: String,
        /// The files that a root has.
        wanted: String,
        /// The dialects of the pack.
        known: String,
    },
    /// No probe of a feature succeeds.
    #[error("cannot detect the feature `{feature}` in {root}; name the dialect with --dialect: {known}")]
    Undetected {
        /// The root.
        root: String,
        /// The feature.
        feature: String,
        /// The dialects of the pack.
        known: String,
    },
    /// A file that decides the dialect is no regular file, too large, or outside of the tree.
    #[error("cannot read {path}: {why}; name the dialect with --dialect")]
    Refused {
        /// The file.
        path: String,
        /// The reason.
        why: String,
    },
}

/// The features of a dialect by its name.
pub fn named(generator: &Generator, name: &str) -> Result<Features, DialectError> {
    match generator.dialects.iter().find(|dialect| dialect.name == name) {
        Some(dialect) => Ok(dialect.features.clone()),
        None => Err(DialectError::Unknown {
            name: name.to_owned(),
            pack: generator.pack.clone(),
            known: dialects(generator),
        }),
    }
}

/// The name of the dialect that has these features.
pub fn name_of<'g>(generator: &'g Generator, features: &Features) -> Option<&'g str> {
    generator.dialects.iter().find(|dialect| dialect.features == *features).map(|dialect| dialect.name.as_str())
}

/// The root of the tree that a header belongs to: the nearest directory above it with all files
/// that a root has.
pub fn root_of(generator: &Generator, header: &Path) -> Result<PathBuf, DialectError> {
    let absolute = std::path::absolute(header).unwrap_or_else(|_| header.to_path_buf());
    let real = absolute.canonicalize();
    let above = |path: &Path| {
        let holds_all = |directory: &&Path| generator.root.iter().all(|file| directory.join(file).is_file());
        path.ancestors().skip(1).find(holds_all).map(Path::to_path_buf)
    };
    // A symbolic link may lead to the header, in either direction.
    above(&absolute).or_else(|| above(&real.ok()?)).ok_or_else(|| DialectError::NoRoot {
        header: header.shown().to_string(),
        wanted: generator.root.iter().map(|file| file.shown().to_string()).collect::<Vec<_>>().join(" and "),
        known: dialects(generator),
    })
}

/// Detects the values of all features in a tree.
pub fn detect(generator: &Generator, root: &Path) -> Result<DetectedDialect, DialectError> {
    let mut detected = DetectedDialect::default();
    let mut texts: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    // What exists and must not be read is no answer.
    let mut refused = None;
    let mut read = |file: &Path| -> Option<String> {
        let path = root.join(file);
        // The pack may be the tree's.
        if !is_below(&path, &[root]) {
            let why = "it is outside of the tree".to_owned();
            refused.get_or_insert(DialectError::Refused { path: path.shown().to_string(), why });
            return None;
        }
        let text = texts.entry(path).or_insert_with_key(|path| match read_source(path, LONGEST_TEXT) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                if let (Some(why), None) = (refusal(&error), &refused) {
                    refused = Some(DialectError::Refused { path: path.shown().to_string(), why: why.to_string() });
                }
                None
            }
        });
        text.clone()
    };
    let version = generator.version.as_deref().and_then(|file| Some((file, version_of(&read(file)?)?)));
    for feature in &generator.features {
        let holds = |probe: &Probe, read: &mut dyn FnMut(&Path) -> Option<String>| -> Option<String> {
            let mut reason = String::new();
            if let Some(file) = &probe.file {
                let text = read(file)?;
                reason = match &probe.has {
                    Some(wanted) if !text.contains(wanted.as_str()) => return None,
                    Some(wanted) => format!("`{wanted}` in {}", file.shown()),
                    None => format!("what {} lacks", file.shown()),
                };
            }
            if let Some(lowest) = &probe.version {
                let (file, own) = version.as_ref()?;
                if *own < version_of(lowest)? {
                    return None;
                }
                if reason.is_empty() {
                    reason = format!("the version in {}, at least {lowest}", file.shown());
                }
            }
            Some(reason)
        };
        let found = feature.probes.iter().find_map(|probe| Some((probe, holds(probe, &mut read)?)));
        let Some((probe, reason)) = found else {
            return Err(DialectError::Undetected {
                root: root.shown().to_string(),
                feature: feature.name.clone(),
                known: dialects(generator),
            });
        };
        detected.features.insert(feature.name.clone(), probe.value.clone());
        detected.reasons.push((feature.name.clone(), reason));
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    detected.files = texts.into_iter().filter(|(_, text)| text.is_some()).map(|(path, _)| path).collect();
    Ok(detected)
}

fn dialects(generator: &Generator) -> String {
    let shown = generator.dialects.iter().map(|dialect| format!("`{}` ({})", dialect.name, dialect.releases));
    shown.collect::<Vec<_>>().join(", ")
}

/// The numbers of a version, for comparing.
fn version_of(text: &str) -> Option<Vec<u32>> {
    let leading = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    text.trim().split(['.', '-']).map(leading).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let version = |text: &str| version_of(text).unwrap();
        assert!(version("10.0.2\n") > version("9.2.0"));
        assert!(version("8.2.50") > version("8.2.0"));
        assert!(version("9.0.0") > version("8.2.50"));
        assert!(version("5.2.0") > version("0"));
        assert!(version("10.0.0-rc2") >= version("10.0.0"));
        assert_eq!(version_of("none"), None);
    }

    #[test]
    fn each_dialect_has_its_own_features() {
        let generator = Generator::read(None).unwrap();
        for dialect in &generator.dialects {
            assert_eq!(name_of(&generator, &dialect.features), Some(dialect.name.as_str()));
        }
        let error = named(&generator, "4.2").unwrap_err().to_string();
        assert!(error.contains("`4.2`") && error.contains("`9.0` (9.0 and later)"), "{error}");
    }
}
