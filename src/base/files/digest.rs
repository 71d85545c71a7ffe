//! Digests: short names for contents.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The first 16 bytes of a SHA-256. Different contents have different digests for all practical
/// purposes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 16]);

/// Makes one digest of several fields. Each field goes in with its length, so that the borders
/// between fields count.
#[derive(Clone, Debug, Default)]
pub struct Digester {
    hash: Sha256,
}

impl Digest {
    /// The digest of some bytes. A [`Digester`] with the same bytes as its only field gives another
    /// one.
    pub fn of(bytes: &[u8]) -> Digest {
        first_half(&Sha256::digest(bytes))
    }

    /// The digest with these bytes, which must come from [`Digest::bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Digest {
        Digest(bytes)
    }

    /// The bytes of the digest.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Digester {
    /// A digester without fields.
    pub fn new() -> Digester {
        Digester::default()
    }

    /// Adds a field.
    pub fn update(&mut self, field: &[u8]) {
        self.hash.update((field.len() as u64).to_le_bytes());
        self.hash.update(field);
    }

    /// The digest of all fields in their order.
    pub fn finish(self) -> Digest {
        first_half(&self.hash.finalize())
    }
}

fn first_half(hash: &[u8]) -> Digest {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(hash) {
        *to = *from;
    }
    Digest(half)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_first_half_of_sha_256() {
        // The test vector of FIPS 180-4.
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223");
        assert_eq!(format!("{digest:?}"), digest.to_string());
    }

    #[test]
    fn fields_do_not_run_together() {
        let digest = |fields: &[&str]| {
            let mut digester = Digester::new();
            fields.iter().for_each(|field| digester.update(field.as_bytes()));
            digester.finish()
        };
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab"]), digest(&["ab", ""]));
    }
}
