//! Which headers units should share: sets of headers that stand on one another.
//!
//! Units that include much of the same are put together two by two, those that share most first. What a pair shares is
//! a node of a tree, whose inner nodes stand for headers that all units below them include; a node that is worth it
//! becomes a precompiled header on top of that of the next such node above it. This is hierarchical agglomerative
//! clustering with the weight of the intersection as likeness.

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// Puts a number into the set; whether it was not there.
    pub fn insert(&mut self, item: usize) -> bool {
        let (word, bit) = (item / 64, 1 << (item % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Whether there is nothing in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether a number is in the set.
    pub fn contains(&self, item: usize) -> bool {
        self.words.get(item / 64).is_some_and(|word| word & (1 << (item % 64)) != 0)
    }

    /// The numbers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(position, word)| bits(*word).map(move |bit| position * 64 + bit))
    }

    /// Adds what another set has.
    pub fn extend(&mut self, other: &BitSet) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Whether the sets have nothing in common.
    pub fn is_disjoint(&self, other: &BitSet) -> bool {
        self.words.iter().zip(&other.words).all(|(one, other)| one & other == 0)
    }

    /// What two sets have in common.
    pub fn intersection(&self, other: &BitSet) -> BitSet {
        let mut words: Vec<u64> = self.words.iter().zip(&other.words).map(|(one, other)| one & other).collect();
        while words.last() == Some(&0) {
            words.pop();
        }
        BitSet { words }
    }

    /// What is in this set and not in the other one.
    pub fn difference(&self, other: &BitSet) -> BitSet {
        let not_there = |(position, word): (usize, &u64)| word & !other.words.get(position).unwrap_or(&0);
        BitSet { words: self.words.iter().enumerate().map(not_there).collect() }
    }

    fn weight(&self, weights: &[u64]) -> u64 {
        self.iter().filter_map(|item| weights.get(item)).sum()
    }

    fn shared_weight(&self, other: &BitSet, weights: &[u64]) -> u64 {
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

/// What sharing costs and saves, in units of the weight of headers: what compiling a header of weight 1 costs.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// Making a precompiled header of something costs so many times as much as compiling it once.
    pub make: f64,
    /// What each precompiled header costs, whatever is in it.
    pub each: f64,
    /// What it costs each unit to have one more below it.
    pub load: f64,
}

/// Headers to precompile together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The position of the cluster that this one stands on; it comes earlier.
    pub below: Option<usize>,
    /// What it adds to the headers of those below it.
    pub items: BitSet,
    /// The members that use it, and none on top of it.
    pub members: Vec<usize>,
}

/// A node of the tree of pairs.
struct TreeNode {
    items: BitSet,
    /// Members, for a leaf; two nodes, for a pair.
    members: Vec<usize>,
    pair: Option<[usize; 2]>,
    /// How many members there are below it.
    count: usize,
}

/// Clusters for members of which each includes the headers of a set. Members that share with none are in no cluster.
pub fn clusters(members: &[BitSet], weights: &[u64], costs: Costs) -> Vec<Cluster> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|member| &members[*member]);
    let mut nodes: Vec<TreeNode> = Vec::new();
    for member in order {
        match nodes.last_mut().filter(|last| last.items == members[member]) {
            Some(last) => {
                last.members.push(member);
                last.count += 1;
            }
            None => {
                nodes.push(TreeNode { items: members[member].clone(), members: vec![member], pair: None, count: 1 });
            }
        }
    }
    let roots = pair_up(&mut nodes, weights);
    let mut found = Vec::new();
    for root in roots {
        keep(&nodes, root, None, &BitSet::default(), weights, costs, &mut found);
    }
    found
}

/// Puts together the two nodes that share most, until none share anything; the result are the roots of the trees.
fn pair_up(nodes: &mut Vec<TreeNode>, weights: &[u64]) -> Vec<usize> {
    let mut open: Vec<usize> = (0..nodes.len()).collect();
    // For each open node, the weight that it shares with the best of those behind it in `open`, and which that is.
    let best_behind = |nodes: &[TreeNode], open: &[usize], at: usize| {
        let one = &nodes[open[at]].items;
        let shared = (at + 1..open.len()).map(|other| (one.shared_weight(&nodes[open[other]].items, weights), other));
        shared.fold((0, usize::MAX), |best, next| if next.0 > best.0 { next } else { best })
    };
    let mut best: Vec<(u64, usize)> = (0..open.len()).map(|at| best_behind(nodes, &open, at)).collect();
    // The first of those that share most.
    let heaviest = |best: &[(u64, usize)]| {
        (0..best.len()).reduce(|one, other| if best[other].0 > best[one].0 { other } else { one })
    };
    while let Some(at) = heaviest(&best) {
        let (weight, other) = best[at];
        if weight == 0 {
            break;
        }
        let [one, two] = [open[at], open[other]];
        let items = nodes[one].items.intersection(&nodes[two].items);
        let count = nodes[one].count + nodes[two].count;
        nodes.push(TreeNode { items, members: Vec::new(), pair: Some([one, two]), count });
        // The pair takes the place of the first; the last takes that of the second.
        open[at] = nodes.len() - 1;
        open.swap_remove(other);
        best.swap_remove(other);
        let moved = open.len();
        for (position, known) in best.iter_mut().enumerate() {
            let is_stale = position == at || position == other || [at, other, moved].contains(&known.1);
            if is_stale {
                *known = best_behind(nodes, &open, position);
            }
        }
    }
    open
}

/// Makes clusters of the nodes of a tree that are worth it.
fn keep(
    nodes: &[TreeNode],
    root: usize,
    below: Option<usize>,
    known: &BitSet,
    weights: &[u64],
    costs: Costs,
    found: &mut Vec<Cluster>,
) {
    let mut open = vec![(root, below, known.clone())];
    while let Some((at, mut below, mut known)) = open.pop() {
        let node = &nodes[at];
        let added = node.items.difference(&known);
        let (weight, count) = (added.weight(weights) as f64, node.count as f64);
        let gain = (count - 1.0 - costs.make) * weight - costs.each - count * costs.load;
        if gain > 0.0 {
            found.push(Cluster { below, items: added, members: Vec::new() });
            below = Some(found.len() - 1);
            known = node.items.clone();
        }
        match node.pair {
            Some([one, two]) => {
                open.push((two, below, known.clone()));
                open.push((one, below, known));
            }
            None => {
                if let Some(cluster) = below {
                    found[cluster].members.extend(&node.members);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FREE: Costs = Costs { make: 0.5, each: 0.0, load: 0.0 };

    fn set(items: &[usize]) -> BitSet {
        items.iter().copied().collect()
    }

    #[test]
    fn what_all_share_is_below_what_some_share() {
        let members = [set(&[0, 1, 2]), set(&[0, 1, 3]), set(&[0, 4, 5]), set(&[0, 4, 5]), set(&[9])];
        let found = clusters(&members, &[10; 10], FREE);
        let base = found.iter().position(|cluster| cluster.items == set(&[0])).unwrap();
        assert_eq!(found[base].below, None);
        let of = |member: usize| found.iter().find(|cluster| cluster.members.contains(&member));
        for (member, items) in [(0, &[1][..]), (1, &[1]), (2, &[4, 5]), (3, &[4, 5])] {
            let cluster = of(member).unwrap();
            assert_eq!((cluster.below, &cluster.items), (Some(base), &set(items)), "{member}");
        }
        assert!(of(4).is_none());
    }

    #[test]
    fn what_is_not_worth_it_is_not_kept() {
        let members = [set(&[0, 1]), set(&[0, 1]), set(&[0])];
        let weights = [100, 1];
        let found = clusters(&members, &weights, Costs { make: 0.5, each: 10.0, load: 0.0 });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].items, set(&[0]));
        assert_eq!(found[0].members.len(), 3);
        assert!(clusters(&members, &weights, Costs { make: 0.5, each: 500.0, load: 0.0 }).is_empty());
    }

    proptest! {
        #[test]
        fn every_member_includes_what_it_is_given(
            members in prop::collection::vec(prop::collection::btree_set(0usize..40, 0..20), 0..30),
            weights in prop::collection::vec(1u64..100, 40),
        ) {
            let members: Vec<BitSet> = members.into_iter().map(|items| items.into_iter().collect()).collect();
            let found = clusters(&members, &weights, FREE);
            let mut seen = vec![0; members.len()];
            for (position, cluster) in found.iter().enumerate() {
                let mut all = BitSet::default();
                let mut at = Some(position);
                while let Some(cluster) = at {
                    prop_assert!(all.is_disjoint(&found[cluster].items));
                    all.extend(&found[cluster].items);
                    prop_assert!(found[cluster].below.is_none_or(|below| below < cluster));
                    at = found[cluster].below;
                }
                for member in &cluster.members {
                    seen[*member] += 1;
                    prop_assert_eq!(all.difference(&members[*member]).iter().count(), 0);
                }
            }
            prop_assert!(seen.iter().all(|times| *times <= 1));
        }

        #[test]
        fn a_set_is_a_set(one in prop::collection::btree_set(0usize..200, 0..50), two in prop::collection::btree_set(0usize..200, 0..50)) {
            let (a, b): (BitSet, BitSet) = (one.iter().copied().collect(), two.iter().copied().collect());
            prop_assert!(a.iter().eq(one.iter().copied()));
            prop_assert!(a.intersection(&b).iter().eq(one.intersection(&two).copied()));
            prop_assert!(a.difference(&b).iter().eq(one.difference(&two).copied()));
            prop_assert_eq!(a.is_disjoint(&b), one.is_disjoint(&two));
            let mut all = a.clone();
            all.extend(&b);
            prop_assert!(all.iter().eq(one.union(&two).copied()));
            prop_assert_eq!(a.shared_weight(&b, &[1; 200]), one.intersection(&two).count() as u64);
        }
    }
}
