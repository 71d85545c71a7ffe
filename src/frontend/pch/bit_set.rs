//! Sets of small numbers, as bits.

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// Adds a number; whether it is new.
    pub fn insert(&mut self, item: usize) -> bool {
        let (word, bit) = (item / 64, 1 << (item % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether a number is in the set.
    pub fn contains(&self, item: usize) -> bool {
        self.words.get(item / 64).is_some_and(|word| word & (1 << (item % 64)) != 0)
    }

    /// The numbers, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(position, word)| bits(*word).map(move |bit| position * 64 + bit))
    }

    /// Adds the numbers of another set.
    pub fn extend(&mut self, other: &BitSet) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// The numbers that both sets have.
    pub fn intersection(&self, other: &BitSet) -> BitSet {
        let mut words: Vec<u64> = self.words.iter().zip(&other.words).map(|(one, other)| one & other).collect();
        while words.last() == Some(&0) {
            words.pop();
        }
        BitSet { words }
    }

    /// The numbers of this set that the other one does not have.
    pub fn difference(&self, other: &BitSet) -> BitSet {
        let not_there = |(position, word): (usize, &u64)| word & !other.words.get(position).unwrap_or(&0);
        BitSet { words: self.words.iter().enumerate().map(not_there).collect() }
    }

    /// The sum of the weights of its numbers.
    pub fn weight(&self, weights: &[u64]) -> u64 {
        self.iter().filter_map(|item| weights.get(item)).sum()
    }

    /// The sum of the weights of the numbers that both sets have.
    pub fn shared_weight(&self, other: &BitSet, weights: &[u64]) -> u64 {
        let words = self.words.iter().zip(&other.words).enumerate();
        words
            .flat_map(|(position, (one, other))| bits(one & other).map(move |bit| position * 64 + bit))
            .filter_map(|item| weights.get(item))
            .sum()
    }
}

impl FromIterator<usize> for BitSet {
    fn from_iter<I: IntoIterator<Item = usize>>(items: I) -> Self {
        let mut set = BitSet::default();
        for item in items {
            set.insert(item);
        }
        set
    }
}

fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let bit = word.trailing_zeros() as usize;
            word &= word - 1;
            bit
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set(
            one in prop::collection::btree_set(0usize..200, 0..50),
            two in prop::collection::btree_set(0usize..200, 0..50),
        ) {
            let (one, two): (BTreeSet<usize>, BTreeSet<usize>) = (one, two);
            let (a, b): (BitSet, BitSet) = (one.iter().copied().collect(), two.iter().copied().collect());
            prop_assert!(a.iter().eq(one.iter().copied()));
            prop_assert!(a.intersection(&b).iter().eq(one.intersection(&two).copied()));
            prop_assert!(a.difference(&b).iter().eq(one.difference(&two).copied()));
            prop_assert_eq!(a.intersection(&b).is_empty(), one.is_disjoint(&two));
            let mut all = a.clone();
            all.extend(&b);
            prop_assert!(all.iter().eq(one.union(&two).copied()));
            prop_assert_eq!(a.shared_weight(&b, &[1; 200]), one.intersection(&two).count() as u64);
        }
    }
}
