//! Serialises paths, for `#[serde(with)]`: a path need not be UTF-8.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path as it is stored. Almost all are text.
#[derive(Serialize, Deserialize)]
enum Stored {
    Text(String),
    Bytes(Vec<u8>),
}

/// Serialises paths.
pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| match path.to_str() {
        Some(text) => Stored::Text(text.to_owned()),
        None => Stored::Bytes(path.as_os_str().as_bytes().to_vec()),
    }))
}

/// Deserialises paths.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    let stored = Vec::<Stored>::deserialize(deserializer)?;
    Ok(stored
        .into_iter()
        .map(|path| match path {
            Stored::Text(text) => PathBuf::from(text),
            Stored::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes)),
        })
        .collect())
}
