//! The order of the search: least ambiguous first, then shortest.

use std::collections::BTreeMap;

use super::Ambiguity;

/// What the search has found and not yet settled. Items of one ambiguity and length come in their own order.
///
/// An added item always comes after the one that was taken last. So all items of one ambiguity and length are there
/// when the first of them is taken, and can be sorted at once.
#[derive(Debug)]
pub(super) struct Worklist<T> {
    later: BTreeMap<(Ambiguity, u32), Vec<T>>,
    now: (Ambiguity, u32),
    /// The items of `now`, in reverse order.
    rest: Vec<T>,
}

impl<T: Ord> Worklist<T> {
    pub(super) fn new() -> Self {
        Worklist { later: BTreeMap::new(), now: (Ambiguity::NONE, 0), rest: Vec::new() }
    }

    pub(super) fn push(&mut self, ambiguity: Ambiguity, length: u32, item: T) {
        debug_assert!((ambiguity, length) > self.now, "items are settled in order");
        self.later.entry((ambiguity, length)).or_default().push(item);
    }

    pub(super) fn pop(&mut self) -> Option<(Ambiguity, u32, T)> {
        if self.rest.is_empty() {
            (self.now, self.rest) = self.later.pop_first()?;
            self.rest.sort_unstable_by(|one, other| other.cmp(one));
        }
        let (ambiguity, length) = self.now;
        self.rest.pop().map(|item| (ambiguity, length, item))
    }
}
