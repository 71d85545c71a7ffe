//! Merges sorted lists.

use std::cmp::Ordering;

use super::super::{Id, IndexVec};

/// The new id of what is no longer there.
pub(super) const GONE: usize = u32::MAX as usize;

/// Whether everything that is still there has the id that it had.
pub(super) fn is_same_or_gone<I: Id>(ids: &IndexVec<I, I>) -> bool {
    ids.iter().enumerate().all(|(old, new)| new.index() == old || new.index() == GONE)
}

/// Whether something is no longer there.
pub(super) fn has_gone<I: Id>(ids: &IndexVec<I, I>) -> bool {
    ids.iter().any(|id| id.index() == GONE)
}

/// Removes from a sorted list what is not kept, and adds the items of another one, of which it has none. Returns the
/// list, and for each item of either list its position.
pub(super) fn merge<I: Id, T>(
    old: Vec<T>,
    mut is_kept: impl FnMut(&T) -> bool,
    fresh: Vec<T>,
    order: impl Fn(&T, &T) -> Ordering,
) -> (Vec<T>, IndexVec<I, I>, IndexVec<I, I>) {
    let (mut old_ids, mut fresh_ids) = (IndexVec::default(), IndexVec::default());
    let mut merged = Vec::with_capacity(old.len() + fresh.len());
    let mut fresh = fresh.into_iter().peekable();
    for item in old {
        if !is_kept(&item) {
            old_ids.push(I::from_index(GONE));
            continue;
        }
        while let Some(other) = fresh.next_if(|fresh| order(fresh, &item).is_lt()) {
            fresh_ids.push(I::from_index(merged.len()));
            merged.push(other);
        }
        old_ids.push(I::from_index(merged.len()));
        merged.push(item);
    }
    for other in fresh {
        fresh_ids.push(I::from_index(merged.len()));
        merged.push(other);
    }
    (merged, old_ids, fresh_ids)
}

#[cfg(test)]
mod tests {
    use super::super::super::FileId;
    use super::*;

    #[test]
    fn what_is_gone_has_no_id() {
        let (merged, old, fresh): (_, IndexVec<FileId, FileId>, _) =
            merge(vec![1, 3, 5], |item| *item != 3, vec![0, 4, 7], i32::cmp);
        assert_eq!(merged, [0, 1, 4, 5, 7]);
        let index = |ids: &IndexVec<FileId, FileId>| ids.iter().map(|id| id.index()).collect::<Vec<_>>();
        assert_eq!((index(&old), index(&fresh)), (vec![1, GONE, 3], vec![0, 2, 4]));
        assert!(!is_same_or_gone(&old));
    }
}
