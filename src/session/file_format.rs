//! What all files have in common that are kept for another run: a first line that tells what it is and the version, a
//! checksum in the end, and the words of the pack that decided what was read.

use serde::{Deserialize, Serialize};

use cowrap_facts::SCHEMA;
use cowrap_packs::{Lock, Pack, Pair};

/// What a file is.
pub(super) struct FileFormat {
    /// What it begins with; the version follows.
    pub magic: &'static [u8],
    /// What people call it.
    pub name: &'static str,
}

impl FileFormat {
    /// The bytes of a file.
    pub fn encode(&self, body: Vec<u8>) -> Vec<u8> {
        let sum = crc32fast::hash(&body).to_le_bytes().to_vec();
        [self.header(), body, sum].concat()
    }

    /// What is in a file, or what is the matter with it.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Result<&'b [u8], String> {
        if !bytes.starts_with(self.magic) {
            return Err(format!("is no {}", self.name));
        }
        let Some(body) = bytes.strip_prefix(self.header().as_slice()) else {
            return Err("was made by another version of cowrap".to_owned());
        };
        let (body, sum) = body.split_last_chunk().ok_or_else(damaged)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
            return Err(damaged());
        }
        Ok(body)
    }

    /// The first line.
    fn header(&self) -> Vec<u8> {
        [self.magic, format!("{SCHEMA} {}\n", env!("CARGO_PKG_VERSION")).as_bytes()].concat()
    }
}

/// What is said of a file that is not as it was written.
pub(super) fn damaged() -> String {
    "is damaged".to_owned()
}

/// The words of a pack that decide what is read: the names of marks, in their order, of predicates, of what takes locks, of
/// regions, and of pairs. Facts that were read with others say something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PackNames {
    marks: Vec<String>,
    predicates: Vec<String>,
    locks: Vec<Lock>,
    regions: Vec<String>,
    pairs: Vec<Pair>,
}

impl PackNames {
    /// Those of a pack.
    pub fn of(pack: &Pack) -> PackNames {
        PackNames {
            marks: pack.marks.iter().map(|mark| mark.name.clone()).collect(),
            predicates: pack.predicates.clone(),
            locks: pack.locks.clone(),
            regions: pack.regions.clone(),
            pairs: pack.pairs.clone(),
        }
    }

    /// Says what is the matter when these are not the words of a pack.
    pub fn check(&self, pack: &Pack) -> Result<(), String> {
        match *self == PackNames::of(pack) {
            true => Ok(()),
            false => Err(format!("was made with another pack than `{}`", pack.name)),
        }
    }
}
