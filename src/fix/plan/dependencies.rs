//! Which fixes need which others. A fix that marks a function also marks what the mark obliges,
//! and so contains what other fixes do. Fixes that contain each other are made together or not at
//! all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use cowrap_report::{Action, Fix};

/// The fixes of a plan as a graph: each has edges to those whose first action it contains.
pub struct Dependencies<K> {
    graph: DiGraph<K, ()>,
    nodes: BTreeMap<K, NodeIndex>,
}

impl<K: Copy + Ord> Dependencies<K> {
    /// Finds which of these fixes contain which.
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
        Dependencies { graph, nodes }
    }

    /// These fixes, and all that need one of them, also through others: none of them can be made
    /// if these cannot.
    pub fn dependents(&self, fixes: impl Iterator<Item = K>) -> BTreeSet<K> {
        let mut reversed = self.graph.clone();
        reversed.reverse();
        let mut found = BTreeSet::new();
        let mut search = Dfs::empty(&reversed);
        for start in fixes.filter_map(|fix| self.nodes.get(&fix)) {
            // What was found before is not searched again.
            search.move_to(*start);
            while let Some(node) = search.next(&reversed) {
                found.insert(reversed[node]);
            }
        }
        found
    }

    /// The fixes, those that contain each other together; what a fix needs comes before it.
    pub fn in_order(&self) -> Vec<Vec<K>> {
        // Tarjan's algorithm yields a component before those with an edge to it.
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
            mark: "microtask_fn".to_owned(),
            at: Vec::new(),
        };
        let actions = names.iter().map(mark).collect();
        Fix { title: names[0].to_owned(), safety: Safety::Safe, actions, edits: Vec::new(), obstacle: None }
    }

    fn dependencies(fixes: &[Fix]) -> Dependencies<usize> {
        Dependencies::new(fixes.iter().enumerate())
    }

    #[test]
    fn dependents_are_found_through_others() {
        // `a` needs `b`, and `b` needs `c`; `d` needs none.
        let fixes = dependencies(&[fix(&["a", "b", "c"]), fix(&["b", "c"]), fix(&["c"]), fix(&["d"])]);
        assert_eq!(fixes.dependents([2].into_iter()), BTreeSet::from([0, 1, 2]));
        assert_eq!(fixes.dependents([0].into_iter()), BTreeSet::from([0]));
        assert_eq!(fixes.dependents([3].into_iter()), BTreeSet::from([3]));
        assert_eq!(fixes.dependents([9].into_iter()), BTreeSet::new());
    }

    #[test]
    fn fixes_that_need_each_other_come_together_after_what_they_need() {
        let fixes = dependencies(&[fix(&["a", "b", "c"]), fix(&["b", "a", "c"]), fix(&["c"])]);
        assert_eq!(fixes.in_order(), [vec![2], vec![0, 1]]);
        assert_eq!(fixes.dependents([1].into_iter()), BTreeSet::from([0, 1]));
    }
}
