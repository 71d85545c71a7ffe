//! Identifiers as numbers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

/// An identifier. Names of one [`Names`] are equal if their bytes are. Their order means nothing,
/// and differs from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

/// The identifiers of all texts that were scanned with it. Threads share it.
#[derive(Debug, Default)]
pub struct Names {
    known: Mutex<Interned>,
}

#[derive(Debug, Default)]
struct Interned {
    numbers: FxHashMap<Arc<[u8]>, Name>,
    texts: Vec<Arc<[u8]>>,
}

impl Name {
    /// The number, for tables that are indexed by names: they count from 0 without gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The name with this number.
    pub fn from_index(index: usize) -> Name {
        Name(index as u32)
    }
}

impl Names {
    /// No names yet.
    pub fn new() -> Names {
        Names::default()
    }

    /// The name with these bytes.
    pub fn intern(&self, text: &[u8]) -> Name {
        self.lock().intern(text)
    }

    /// The names with these bytes each.
    pub(super) fn intern_all<'t>(&self, texts: impl Iterator<Item = &'t [u8]>) -> Vec<Name> {
        let mut known = self.lock();
        texts.map(|text| known.intern(text)).collect()
    }

    /// The name with these bytes, if any text had it.
    pub fn find(&self, text: &[u8]) -> Option<Name> {
        self.lock().numbers.get(text).copied()
    }

    /// Does something for which many names are found by their bytes. Nothing else can use the names
    /// meanwhile.
    pub fn with_find<T>(&self, work: impl FnOnce(&dyn Fn(&[u8]) -> Option<Name>) -> T) -> T {
        let known = self.lock();
        work(&|text| known.numbers.get(text).copied())
    }

    /// The bytes of a name; empty for a name of other `Names`.
    pub fn text(&self, name: Name) -> Arc<[u8]> {
        self.lock().texts.get(name.index()).cloned().unwrap_or_default()
    }

    /// How many names there are.
    pub fn count(&self) -> usize {
        self.lock().texts.len()
    }

    fn lock(&self) -> MutexGuard<'_, Interned> {
        // A panic under the lock leaves it consistent.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interned {
    fn intern(&mut self, text: &[u8]) -> Name {
        if let Some(name) = self.numbers.get(text) {
            return *name;
        }
        // There are never 2^32 distinct names in memory.
        let name = Name(self.texts.len() as u32);
        let text: Arc<[u8]> = Arc::from(text);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, name);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_bytes() {
        let names = Names::new();
        let (a, b) = (names.intern(b"a"), names.intern(b"b"));
        assert_ne!(a, b);
        assert_eq!(names.intern(b"a"), a);
        assert_eq!(names.find(b"b"), Some(b));
        assert_eq!(names.find(b"c"), None);
        assert_eq!(&*names.text(b), b"b");
        assert_eq!(names.count(), 2);
    }
}
