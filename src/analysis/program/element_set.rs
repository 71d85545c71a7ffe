//! Sets of small numbers: the elements of points-to sets.
//!
//! A set is a sorted list of blocks of 64 numbers, each with a bit for every number in it. The solver numbers functions
//! in the order of the slots that they are stored in, so that what is in one set is mostly close together: a large set
//! takes two bits for each element, and is united with another 64 elements at a time. A small set is as small as a
//! list.
//!
//! Measured by copies among 40,000 slots into which 25,000 functions are stored, with few, more and many elements in
//! all sets together (130,000, 24 million and 177 million): sorted lists of elements took 6, 771 and 11,933 ms, bit
//! sets 239, 214 and 1,569 ms, lists that become bit sets when they grow 18, 1,109 and 8,978 ms, and these blocks 10,
//! 168 and 319 ms. With a million functions and 400,000 slots, bit sets took 24 s and 22 GB, and blocks 0.3 s and 17 MB.

/// Some of the numbers that a set may have: those from 64 times `index` on, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    index: u32,
    bits: u64,
}

impl Block {
    /// The block with only this number.
    pub(super) fn of(number: u32) -> Block {
        Block { index: number / 64, bits: 1 << (number % 64) }
    }

    /// The numbers in it.
    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |bit| self.bits & (1 << bit) != 0).map(move |bit| self.index * 64 + bit)
    }
}

/// A set.
#[derive(Clone, Debug, Default)]
pub(super) struct ElementSet {
    /// Sorted by index, one block for each, and none without bits.
    blocks: Vec<Block>,
}

impl ElementSet {
    /// Whether it has no numbers.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Its numbers, in blocks.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Its numbers, sorted.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.blocks.iter().flat_map(|block| block.numbers())
    }

    /// The numbers that both sets have.
    pub(super) fn intersection(&self, other: &ElementSet) -> ElementSet {
        let mut rest = other.blocks.iter().peekable();
        let blocks = self.blocks.iter().filter_map(|block| {
            while rest.next_if(|other| other.index < block.index).is_some() {}
            let same = rest.peek().filter(|other| other.index == block.index)?;
            let bits = block.bits & same.bits;
            (bits != 0).then_some(Block { bits, ..*block })
        });
        ElementSet { blocks: blocks.collect() }
    }

    /// Adds numbers, in blocks of any order. Returns those that it did not have.
    pub(super) fn add(&mut self, mut added: Vec<Block>) -> Vec<Block> {
        added.sort_unstable_by_key(|block| block.index);
        added.dedup_by(|next, block| {
            let is_same = next.index == block.index;
            block.bits |= if is_same { next.bits } else { 0 };
            is_same
        });
        let (mut at, mut more) = (0, 0);
        added.retain_mut(|block| {
            at += self.blocks[at..].partition_point(|known| known.index < block.index);
            match self.blocks.get_mut(at).filter(|known| known.index == block.index) {
                Some(known) => {
                    block.bits &= !known.bits;
                    known.bits |= block.bits;
                }
                None => more += 1,
            }
            block.bits != 0
        });
        self.insert(&added, more);
        added
    }

    /// Inserts those of the sorted blocks whose index is new. They are `more`.
    fn insert(&mut self, added: &[Block], more: usize) {
        let mut from = self.blocks.len();
        let mut to = from + more;
        self.blocks.resize(to, Block { index: 0, bits: 0 });
        for block in added.iter().rev() {
            // Move what is greater to its new position, from the end.
            while from > 0 && from < to && self.blocks[from - 1].index > block.index {
                (from, to) = (from - 1, to - 1);
                self.blocks[to] = self.blocks[from];
            }
            if from == to {
                break;
            }
            if from == 0 || self.blocks[from - 1].index != block.index {
                to -= 1;
                self.blocks[to] = *block;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn blocks(numbers: &[u32]) -> Vec<Block> {
        numbers.iter().map(|number| Block::of(*number)).collect()
    }

    proptest! {
        #[test]
        fn sets_are_sets(batches in prop::collection::vec(prop::collection::vec(0u32..500, 0..20), 0..8)) {
            let (mut set, mut expected) = (ElementSet::default(), BTreeSet::new());
            for batch in &batches {
                let new: Vec<u32> = set.add(blocks(batch)).into_iter().flat_map(Block::numbers).collect();
                let fresh: BTreeSet<u32> = batch.iter().copied().filter(|number| !expected.contains(number)).collect();
                prop_assert_eq!(new, fresh.iter().copied().collect::<Vec<_>>());
                expected.extend(fresh);
                prop_assert_eq!(set.numbers().collect::<Vec<_>>(), expected.iter().copied().collect::<Vec<_>>());
                let mut other = ElementSet::default();
                other.add(blocks(batch));
                let common: Vec<u32> = set.intersection(&other).numbers().collect();
                prop_assert_eq!(common, batch.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
            }
        }
    }
}
