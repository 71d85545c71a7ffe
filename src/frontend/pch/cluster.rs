//! Which headers units should share: hierarchical agglomerative clustering, with the weight of the
//! intersection as similarity.
//!
//! The two units (or pairs) that share most are put together, again and again. This gives a tree
//! whose inner nodes are the headers that all units below them include. A node that saves more than
//! it costs becomes a precompiled header, on top of the next such node towards the root.
//!
//! It must never know what the numbers and weights stand for.

use super::bit_set::BitSet;

/// What sharing costs. The unit is the cost of compiling a header of weight 1.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// How many times as much as one compilation it costs to make a precompiled header.
    pub make: f64,
    /// The fixed cost of each precompiled header.
    pub each: f64,
    /// What one more precompiled header costs each unit that loads it.
    pub load: f64,
}

/// Headers to precompile together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The position of the cluster that this one stands on, which is smaller than its own.
    pub below: Option<usize>,
    /// The headers that it adds to those of the clusters below it.
    pub items: BitSet,
    /// The members that use it and no cluster on top of it.
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

/// Clusters members, each of which includes a set of headers. A member that shares with no other is
/// in no cluster.
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
        select(&nodes, root, None, &BitSet::default(), weights, costs, &mut found);
    }
    found
}

/// Pairs the two nodes that share most, until no two share anything. Returns the roots of the
/// trees.
fn pair_up(nodes: &mut Vec<TreeNode>, weights: &[u64]) -> Vec<usize> {
    let mut open: Vec<usize> = (0..nodes.len()).collect();
    // For each open node, the weight that it shares with the best of those behind it in `open`, and
    // which that is.
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

/// Makes a cluster of each node of a tree that saves more than it costs.
fn select(
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
    fn headers_of_all_members_are_below_headers_of_some() {
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
    fn a_node_that_costs_more_than_it_saves_is_no_cluster() {
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
        fn every_member_includes_the_headers_of_its_clusters(
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
                    prop_assert!(all.intersection(&found[cluster].items).is_empty());
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
    }
}
