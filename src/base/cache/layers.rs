//! Large values with small changes on top, so that a run that changes little writes little.
//!
//! The large value, the *whole*, has a file of its own. What changed since it was stored is a small value, which each
//! run replaces. It names the whole that it belongs to: when another process has replaced that, it counts as missing.

use std::hash::{BuildHasher, RandomState};

use crate::files::Digest;

use super::{Cache, EntryKind};

/// The length of the name of a whole.
const NAME: usize = 16;

/// A value in two layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The name of the whole, for [`Cache::put_change`].
    pub name: [u8; NAME],
    /// The name and the whole.
    named: Vec<u8>,
    /// The name and what changed since then.
    change: Option<Vec<u8>>,
}

impl Layers {
    /// The whole as it was stored.
    pub fn whole(&self) -> &[u8] {
        &self.named[NAME..]
    }

    /// What changed since then.
    pub fn change(&self) -> Option<&[u8]> {
        self.change.as_deref().map(|change| &change[NAME..])
    }
}

impl Cache {
    /// The value in layers under a key.
    pub fn layers(&self, key: &Digest) -> Option<Layers> {
        let named = self.get(EntryKind::Tree, key)?;
        let name = *named.first_chunk::<NAME>()?;
        let change = self.get(EntryKind::Change, key).filter(|change| change.starts_with(&name));
        Some(Layers { name, named, change })
    }

    /// Stores a whole, without a change. Returns its name.
    pub fn put_whole(&self, key: Digest, whole: &[u8]) -> [u8; NAME] {
        // No two processes give the same name.
        let random = RandomState::new();
        let mut name = [0; NAME];
        name[..8].copy_from_slice(&random.hash_one(0).to_le_bytes());
        name[8..].copy_from_slice(&random.hash_one(1).to_le_bytes());
        self.put(EntryKind::Tree, key, [&name, whole].concat());
        name
    }

    /// Stores what changed since the whole with this name was stored.
    pub fn put_change(&self, key: Digest, name: [u8; NAME], change: &[u8]) {
        self.put(EntryKind::Change, key, [&name, change].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_belongs_to_one_whole() {
        let scratch = tempfile::tempdir().unwrap();
        let open = || Cache::open(scratch.path(), 1 << 20).unwrap();
        let key = Digest::of(b"key");
        let cache = open();
        assert_eq!(cache.layers(&key), None);
        cache.put_whole(key, b"one");
        let first = cache.layers(&key).unwrap();
        assert_eq!((first.whole(), first.change()), (&b"one"[..], None));
        cache.put_change(key, first.name, b"more");
        cache.flush().unwrap();
        let stored = open().layers(&key).unwrap();
        assert_eq!((stored.whole(), stored.change()), (&b"one"[..], Some(&b"more"[..])));
        cache.put_whole(key, b"two");
        assert_eq!(cache.layers(&key).unwrap().change(), None);
        // As when another process had read the first one.
        cache.put_change(key, first.name, b"late");
        assert_eq!(cache.layers(&key).unwrap().change(), None);
    }
}
