//! A search through a graph whose edges have the length 0 or 1, nearest nodes first.

use std::collections::VecDeque;
use std::hash::Hash;
use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

/// Visits the nodes that the starts lead to, each once, in the order of their distance from the nearest start, until
/// `visit` breaks. `edges` returns the neighbours of a node, each with whether the edge to it has the length 1. `visit`
/// gets a node, its distance, and the node before it on the shortest path; `None` for a start.
pub fn visit_nearest_first<N: Copy + Eq + Hash, I: IntoIterator<Item = (N, bool)>>(
    starts: impl IntoIterator<Item = N>,
    mut edges: impl FnMut(N) -> I,
    mut visit: impl FnMut(N, u32, Option<N>) -> ControlFlow<()>,
) {
    let mut open: VecDeque<(N, u32, Option<N>)> = starts.into_iter().map(|start| (start, 0, None)).collect();
    let mut visited: FxHashSet<N> = FxHashSet::default();
    while let Some((node, distance, before)) = open.pop_front() {
        if !visited.insert(node) {
            continue;
        }
        if visit(node, distance, before).is_break() {
            return;
        }
        for (next, has_length) in edges(node) {
            // Nodes at the same distance stay in front of those that are further away.
            match has_length {
                _ if visited.contains(&next) => {}
                true => open.push_back((next, distance + 1, Some(node))),
                false => open.push_front((next, distance, Some(node))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_in_the_order_of_their_distance() {
        // 0 → 1 → 2 → 3 with edges of the length 1, a shortcut 0 → 4 → 3 with one of them 0, and 9 → 2.
        let edges = |node: u32| match node {
            0 => vec![(1, true), (4, true)],
            1 => vec![(2, true)],
            4 => vec![(3, false)],
            9 => vec![(2, true)],
            2 => vec![(3, true), (0, false)],
            _ => vec![],
        };
        let visited = |starts: &[u32], most: u32| {
            let mut visited = Vec::new();
            visit_nearest_first(starts.iter().copied(), edges, |node, distance, before| {
                if distance > most {
                    return ControlFlow::Break(());
                }
                visited.push((node, distance, before));
                ControlFlow::Continue(())
            });
            visited
        };
        assert_eq!(
            visited(&[0], 9),
            [(0, 0, None), (1, 1, Some(0)), (4, 1, Some(0)), (3, 1, Some(4)), (2, 2, Some(1))]
        );
        assert_eq!(visited(&[0], 0), [(0, 0, None)]);
        assert_eq!(visited(&[9, 0], 1).len(), 6);
        assert_eq!(visited(&[2], 0), [(2, 0, None), (0, 0, Some(2))]);
    }
}
