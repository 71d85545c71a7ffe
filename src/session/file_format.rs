//! What the files that cowrap reads again have in common: a first line with the format and its
//! version, a checksum at the end, and the names of the pack that facts depend on.

use serde::{Deserialize, Serialize};

use cowrap_facts::{ReadingId, SCHEMA};

use cowrap_packs::{Change, Lock, Numbering, Pack, PackSet, Predicate, SlotModel};

use crate::vocabulary::vocabulary;

/// The format of a file.
pub(super) struct FileFormat {
    /// The first bytes; the version follows.
    pub magic: &'static [u8],
    /// Its name in messages, with an article.
    pub name: &'static str,
}

impl FileFormat {
    /// The bytes of a file with a content.
    pub fn encode(&self, content: Vec<u8>) -> Vec<u8> {
        let sum = crc32fast::hash(&content).to_le_bytes().to_vec();
        [self.header(), content, sum].concat()
    }

    /// The content of a file, or what is wrong with the file.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Result<&'b [u8], String> {
        if !bytes.starts_with(self.magic) {
            return Err(format!("is not {}", self.name));
        }
        let Some(rest) = bytes.strip_prefix(self.header().as_slice()) else {
            return Err("was written by another version of cowrap".to_owned());
        };
        let (content, sum) = rest.split_last_chunk().ok_or_else(damaged)?;
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return Err(damaged());
        }
        Ok(content)
    }

    /// The first line.
    fn header(&self) -> Vec<u8> {
        [self.magic, format!("{SCHEMA} {}\n", env!("CARGO_PKG_VERSION")).as_bytes()].concat()
    }
}

/// The problem of a file that is not as it was written.
pub(super) fn damaged() -> String {
    "is damaged".to_owned()
}

/// What the front end takes from a pack ([`vocabulary`](crate::vocabulary::vocabulary)). Facts that were extracted with
/// something else differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PackNames {
    /// The marks, with whether they are statements.
    marks: Vec<(String, bool)>,
    predicates: Vec<Predicate>,
    changes: Vec<Change>,
    locks: Vec<Lock>,
    regions: Vec<String>,
    leaves: Vec<String>,
    crashes: Option<Vec<String>>,
    noreturn: Vec<String>,
    slots: Vec<SlotModel>,
}

impl PackNames {
    /// The names of each pack: without those that are only there so that all packs count the same. They are the names of
    /// another one.
    pub fn of(packs: &PackSet) -> Vec<PackNames> {
        let of = |pack: &Pack| PackNames {
            marks: pack
                .marks
                .iter()
                .filter(|mark| !mark.is_foreign)
                .map(|mark| (mark.name.clone(), mark.statement))
                .collect(),
            predicates: pack.predicates.clone(),
            changes: pack.changes.clone(),
            locks: pack.locks.iter().filter(|lock| !lock.is_foreign).cloned().collect(),
            regions: pack.regions.clone(),
            leaves: pack.leaves.clone(),
            crashes: pack.crashes.clone(),
            noreturn: pack.noreturn.clone(),
            slots: pack.slots.iter().filter(|slot| !slot.is_foreign).cloned().collect(),
        };
        packs.packs().iter().map(of).collect()
    }
}

/// The packs that facts were read with. They can be used with any of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadWith {
    /// The names of the packs, for messages.
    packs: Vec<String>,
    names: Vec<PackNames>,
    /// How each pack reads bodies.
    readings: Vec<ReadingId>,
    numbering: Numbering,
}

impl ReadWith {
    /// The packs of a run that reads facts.
    pub fn of(packs: &PackSet) -> ReadWith {
        ReadWith {
            packs: packs.packs().iter().map(|pack| pack.name.clone()).collect(),
            names: PackNames::of(packs),
            readings: vocabulary(packs.packs()).1,
            numbering: packs.numbering(),
        }
    }

    /// How each of these packs reads bodies, with the numbers that the facts use.
    ///
    /// # Errors
    ///
    /// What is wrong with a file that has these facts: they were read without one of the packs.
    pub fn select(&self, packs: PackSet) -> Result<(PackSet, Vec<ReadingId>), String> {
        let mut readings = Vec::new();
        for (pack, names) in packs.packs().iter().zip(PackNames::of(&packs)) {
            let known = self.names.iter().zip(&self.readings).find(|(known, _)| **known == names);
            let Some((_, reading)) = known else {
                return Err(match self.packs.as_slice() {
                    [_] => format!("was written with another pack than `{}`", pack.name),
                    several => {
                        format!("was written with the packs `{}`, not with `{}`", several.join("`, `"), pack.name)
                    }
                });
            };
            readings.push(*reading);
        }
        Ok((packs.renumbered(self.numbering.clone()), readings))
    }
}
