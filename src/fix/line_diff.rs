//! Which lines of two texts are equal, in an order that both have.
//!
//! The shortest difference takes time in proportion to its length and that of the texts, so long texts are compared by
//! the lines that each has once, and between these. What is still too long is replaced as a whole. The result does not
//! depend on the time that there is.

use std::collections::HashMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// How many pairs of lines may be compared between two equal lines.
const MOST_PAIRS: usize = 200_000_000;

/// The operations that turn one text into another.
pub(crate) fn operations(old: &[&[u8]], new: &[&[u8]]) -> Vec<DiffOp> {
    within(old, new, MOST_PAIRS)
}

fn within(old: &[&[u8]], new: &[&[u8]], most_pairs: usize) -> Vec<DiffOp> {
    let (changed_old, changed_new) = changed(old, new, 0..old.len(), 0..new.len());
    if changed_old.len().saturating_mul(changed_new.len()) <= most_pairs {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    let mut found = Operations { list: Vec::new(), pairs: most_pairs };
    found.equal(0, 0, changed_old.start);
    let (mut from_old, mut from_new) = (changed_old.start, changed_new.start);
    for (anchor_old, anchor_new) in anchors(old, new, changed_old.clone(), changed_new.clone()) {
        // It may be among the equal lines behind the last one.
        if anchor_old < from_old || anchor_new < from_new {
            continue;
        }
        found.between(old, new, from_old..anchor_old, from_new..anchor_new);
        found.equal(anchor_old, anchor_new, 1);
        (from_old, from_new) = (anchor_old + 1, anchor_new + 1);
    }
    found.between(old, new, from_old..changed_old.end, from_new..changed_new.end);
    found.equal(changed_old.end, changed_new.end, old.len() - changed_old.end);
    found.list
}

/// The lines without those that are equal at both ends.
fn changed(old: &[&[u8]], new: &[&[u8]], in_old: Range<usize>, in_new: Range<usize>) -> (Range<usize>, Range<usize>) {
    let (old, new) = (&old[in_old.clone()], &new[in_new.clone()]);
    let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let behind = old[before..].iter().rev().zip(new[before..].iter().rev()).take_while(|(old, new)| old == new).count();
    (in_old.start + before..in_old.end - behind, in_new.start + before..in_new.end - behind)
}

/// The lines that both texts have once, as many as are in the same order in both: by their numbers.
fn anchors(old: &[&[u8]], new: &[&[u8]], in_old: Range<usize>, in_new: Range<usize>) -> Vec<(usize, usize)> {
    let mut places: HashMap<&[u8], [Option<usize>; 2]> = HashMap::new();
    let mut repeated: HashMap<&[u8], ()> = HashMap::new();
    for (side, (lines, range)) in [(old, in_old), (new, in_new)].into_iter().enumerate() {
        for number in range {
            let place = &mut places.entry(lines[number]).or_default()[side];
            if place.replace(number).is_some() {
                repeated.insert(lines[number], ());
            }
        }
    }
    let mut pairs: Vec<(usize, usize)> = places
        .into_iter()
        .filter(|(line, _)| !repeated.contains_key(line))
        .filter_map(|(_, [old, new])| Some((old?, new?)))
        .collect();
    pairs.sort_unstable();
    // The longest run of pairs that is sorted on both sides: for each length, the pair that ends a run lowest.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (number, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *new);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = number,
            None => ends.push(number),
        }
    }
    let mut run: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |number| before[*number]).map(|number| pairs[number]).collect();
    run.reverse();
    run
}

struct Operations {
    list: Vec<DiffOp>,
    /// How many pairs of lines may still be compared.
    pairs: usize,
}

impl Operations {
    fn equal(&mut self, old_index: usize, new_index: usize, len: usize) {
        match self.list.last_mut() {
            _ if len == 0 => {}
            Some(DiffOp::Equal { len: before, .. }) => *before += len,
            _ => self.list.push(DiffOp::Equal { old_index, new_index, len }),
        }
    }

    fn push(&mut self, op: DiffOp) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => self.equal(old_index, new_index, len),
            op => self.list.push(op),
        }
    }

    /// Compares the lines between two equal ones.
    fn between(&mut self, old: &[&[u8]], new: &[&[u8]], in_old: Range<usize>, in_new: Range<usize>) {
        let (changed_old, changed_new) = changed(old, new, in_old.clone(), in_new.clone());
        self.equal(in_old.start, in_new.start, changed_old.start - in_old.start);
        let (old_index, old_len) = (changed_old.start, changed_old.len());
        let (new_index, new_len) = (changed_new.start, changed_new.len());
        let pairs = old_len.saturating_mul(new_len);
        match (old_len, new_len) {
            (0, 0) => {}
            (0, _) => self.push(DiffOp::Insert { old_index, new_index, new_len }),
            (_, 0) => self.push(DiffOp::Delete { old_index, old_len, new_index }),
            _ if pairs > self.pairs => self.push(DiffOp::Replace { old_index, old_len, new_index, new_len }),
            _ => {
                self.pairs -= pairs;
                let ops = capture_diff_slices(Algorithm::Myers, &old[changed_old.clone()], &new[changed_new]);
                ops.into_iter().for_each(|op| self.push(moved(op, old_index, new_index)));
            }
        }
        self.equal(changed_old.end, in_new.end - (in_old.end - changed_old.end), in_old.end - changed_old.end);
    }
}

/// An operation of parts as one of the whole texts.
fn moved(op: DiffOp, old: usize, new: usize) -> DiffOp {
    match op {
        DiffOp::Equal { old_index, new_index, len } => {
            DiffOp::Equal { old_index: old_index + old, new_index: new_index + new, len }
        }
        DiffOp::Delete { old_index, old_len, new_index } => {
            DiffOp::Delete { old_index: old_index + old, old_len, new_index: new_index + new }
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            DiffOp::Insert { old_index: old_index + old, new_index: new_index + new, new_len }
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            DiffOp::Replace { old_index: old_index + old, old_len, new_index: new_index + new, new_len }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The new text, made from the old one by the operations.
    fn applied<'t>(ops: &[DiffOp], old: &[&'t [u8]], new: &[&'t [u8]]) -> Vec<&'t [u8]> {
        let (mut at, mut made) = (0, Vec::new());
        for op in ops {
            assert_eq!((op.old_range().start, op.new_range().start), (at, made.len()), "{ops:?}");
            match op {
                DiffOp::Equal { .. } => made.extend_from_slice(&old[op.old_range()]),
                _ => made.extend_from_slice(&new[op.new_range()]),
            }
            at = op.old_range().end;
        }
        assert_eq!(at, old.len(), "{ops:?}");
        made
    }

    proptest! {
        #[test]
        fn the_operations_make_the_new_text(
            old in proptest::collection::vec(0..12u8, 0..40),
            new in proptest::collection::vec(0..12u8, 0..40),
            most_pairs in 0..400usize,
        ) {
            let lines = |text: &'static [[u8; 1]; 12], chosen: &[u8]| -> Vec<&[u8]> {
                chosen.iter().map(|line| &text[usize::from(*line)][..]).collect()
            };
            static TEXT: [[u8; 1]; 12] = [[0], [1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11]];
            let (old, new) = (lines(&TEXT, &old), lines(&TEXT, &new));
            prop_assert_eq!(applied(&within(&old, &new, most_pairs), &old, &new), new);
        }
    }

    #[test]
    fn long_texts_are_compared() {
        let number = |line: usize| format!("{line}\n").into_bytes();
        let old: Vec<Vec<u8>> = (0..200_000).map(number).collect();
        let mut changed = old.clone();
        changed.iter_mut().step_by(10).for_each(|line| line.push(b'x'));
        let slices = |lines: &'_ [Vec<u8>]| -> Vec<&'static [u8]> {
            lines.iter().map(|line| &*Box::leak(line.clone().into_boxed_slice())).collect()
        };
        let (old, changed) = (slices(&old), slices(&changed));
        let ops = operations(&old, &changed);
        assert_eq!(ops.len(), 40_000);
        assert_eq!(applied(&ops, &old, &changed), changed);
        let same: Vec<&[u8]> = vec![b"x\n"; 300_000];
        assert_eq!(applied(&operations(&same, &old), &same, &old), old);
    }
}
