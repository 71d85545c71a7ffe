//! Which fixes rest on which others: a fix that marks something marks all that this obliges, and so contains what other fixes
//! do. Those that oblige one another are done together or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use cowrap_report::{Action, Fix};

/// The fixes of a plan as a graph: from each to those whose first action it contains.
pub struct Order<K> {
    graph: DiGraph<K, ()>,
    nodes: BTreeMap<K, NodeIndex>,
}

impl<K: Copy + Ord> Order<K> {
    /// Finds out which of these fixes contain which.
    pub fn new<'f>(fixes: impl Iterator<Item = (K, &'f Fix)> + Clone) -> Self {
        let mut graph = DiGraph::new();
        let nodes: BTreeMap<K, NodeIndex> = fixes.clone().map(|(key, _)| (key, graph.add_node(key))).collect();
        let mut beginning: HashMap<&Action, Vec<NodeIndex>> = HashMap::new();
        for (key, fix) in fixes.clone() {
            fix.actions.first().into_iter().for_each(|first| beginning.entry(first).or_default().push(nodes[&key]));
        }
        for (key, fix) in fixes {
            for contained in fix.actions.iter().flat_map(|action| beginning.get(action)).flatten() {
                if *contained != nodes[&key] {
                    graph.update_edge(nodes[&key], *contained, ());
                }
            }
        }
        Order { graph, nodes }
    }

    /// The fixes that cannot be done when these cannot: those that contain one of them, in turn, and these themselves.
    pub fn resting_on(&self, fixes: impl Iterator<Item = K>) -> BTreeSet<K> {
        let mut reversed = self.graph.clone();
        reversed.reverse();
        let mut found = BTreeSet::new();
        for start in fixes.filter_map(|fix| self.nodes.get(&fix)) {
            let mut walk = Dfs::new(&reversed, *start);
            while let Some(node) = walk.next(&reversed) {
                found.insert(reversed[node]);
            }
        }
        found
    }

    /// The fixes in groups that contain one another; what a group rests on comes before it.
    pub fn groups(&self) -> Vec<Vec<K>> {
        // Tarjan's algorithm gives a component before those that lead to it.
        let components = tarjan_scc(&self.graph).into_iter();
        let keys = components.map(|nodes| {
            let mut keys: Vec<K> = nodes.into_iter().map(|node| self.graph[node]).collect();
            keys.sort_unstable();
            keys
        });
        keys.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cowrap_report::Safety;

    fn fix(names: &[&str]) -> Fix {
        let mark = |name: &&str| Action::MarkFunction {
            name: (*name).to_owned(),
            mark: "coroutine_fn".to_owned(),
            at: Vec::new(),
        };
        let actions = names.iter().map(mark).collect();
        Fix { title: names[0].to_owned(), safety: Safety::Safe, actions, edits: Vec::new(), obstacle: None }
    }

    fn order(fixes: &[Fix]) -> Order<usize> {
        Order::new(fixes.iter().enumerate())
    }

    #[test]
    fn what_obliges_a_fix_goes_with_it() {
        // `a` obliges `b`, and `b` obliges `c`; `d` is apart.
        let order = order(&[fix(&["a", "b", "c"]), fix(&["b", "c"]), fix(&["c"]), fix(&["d"])]);
        assert_eq!(order.resting_on([2].into_iter()), BTreeSet::from([0, 1, 2]));
        assert_eq!(order.resting_on([0].into_iter()), BTreeSet::from([0]));
        assert_eq!(order.resting_on([3].into_iter()), BTreeSet::from([3]));
        assert_eq!(order.resting_on([9].into_iter()), BTreeSet::new());
    }

    #[test]
    fn a_circle_of_obligations_is_one_group_behind_what_it_rests_on() {
        let order = order(&[fix(&["a", "b", "c"]), fix(&["b", "a", "c"]), fix(&["c"])]);
        assert_eq!(order.groups(), [vec![2], vec![0, 1]]);
        assert_eq!(order.resting_on([1].into_iter()), BTreeSet::from([0, 1]));
    }
}
