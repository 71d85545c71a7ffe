//! Things that are found out once, for all threads.

use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashMap};

/// How many maps share the keys: enough that threads seldom wait for each other.
const SHARDS: usize = 32;

/// A map that is filled as it is asked. Values must be cheap to clone.
#[derive(Debug)]
pub(super) struct Memo<K, V> {
    shards: Vec<Mutex<FxHashMap<K, V>>>,
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// The value of a key; it is made if there is none yet. Two threads may make it at the same
    /// time: both get the first.
    pub(super) fn get<Q>(&self, key: &Q, make: impl FnOnce() -> V) -> V
    where
        Q: Eq + Hash + ?Sized + ToOwned<Owned = K>,
        K: std::borrow::Borrow<Q>,
    {
        // The high bits: the maps themselves go by the low ones.
        let shard = &self.shards[(FxBuildHasher.hash_one(key) >> 32) as usize % SHARDS];
        if let Some(value) = shard.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return value.clone();
        }
        let value = make();
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(key.to_owned()).or_insert(value).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once() {
        let memo: Memo<String, u32> = Memo::default();
        assert_eq!(memo.get("a", || 1), 1);
        assert_eq!(memo.get("a", || 2), 1);
        assert_eq!(memo.get("b", || 3), 3);
    }
}
