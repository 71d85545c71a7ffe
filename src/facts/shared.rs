//! The facts of one file, shared by all units in which it says the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use cowrap_base::files::Digest;

use super::FileFacts;

/// The facts of one file, with their digest. Cheap to clone: all units with the same facts of a header share one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFileFacts {
    digest: Digest,
    /// The length of the encoded facts.
    length: u32,
    facts: Arc<FileFacts>,
}

/// The facts of one file in the form that caches store, with their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFacts {
    /// The digest.
    pub digest: Digest,
    /// What [`SharedFileFacts::from_bytes`] reads.
    pub bytes: Vec<u8>,
}

impl EncodedFacts {
    /// Encodes facts.
    pub fn new(facts: &FileFacts) -> EncodedFacts {
        // The serialisation of plain data to memory cannot fail.
        let bytes = postcard::to_stdvec(facts).unwrap_or_default();
        EncodedFacts { digest: Digest::of(&bytes), bytes }
    }
}

impl SharedFileFacts {
    /// Facts that do not change any more.
    pub fn new(facts: FileFacts) -> SharedFileFacts {
        let EncodedFacts { digest, bytes } = EncodedFacts::new(&facts);
        SharedFileFacts { digest, length: bytes.len() as u32, facts: Arc::new(facts) }
    }

    /// The facts in the form that caches store.
    pub fn to_bytes(&self) -> Vec<u8> {
        // As in `EncodedFacts::new`.
        postcard::to_stdvec(&*self.facts).unwrap_or_default()
    }

    /// The facts from [`SharedFileFacts::to_bytes`]; `None` if the bytes do not have this digest, or are no
    /// facts.
    pub fn from_bytes(digest: Digest, bytes: &[u8]) -> Option<SharedFileFacts> {
        if Digest::of(bytes) != digest {
            return None;
        }
        let length = bytes.len() as u32;
        let facts: FileFacts = postcard::from_bytes(bytes).ok()?;
        facts.are_consistent().then(|| SharedFileFacts { digest, length, facts: Arc::new(facts) })
    }

    /// The digest of the facts.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes [`SharedFileFacts::to_bytes`] gives.
    pub fn encoded_length(&self) -> u32 {
        self.length
    }

    /// The facts.
    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }
}
