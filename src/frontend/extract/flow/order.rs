//! The order of sites: which site control certainly passed before it came to another, and behind which sites it never
//! returns.

use std::collections::HashSet;

use petgraph::Direction;
use petgraph::algo::dominators;
use petgraph::visit::{DfsPostOrder, EdgeFiltered, EdgeRef};

use super::graph::{BlockId, FlowGraph, Step};
use super::tree::Site;

/// Bodies with more blocks are not ordered: the search for dominators can be quadratic. People do not write them.
const MOST_BLOCKS: usize = 50_000;

/// The edges that control can take in some entry state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feasible(pub Vec<bool>);

/// The order of the sites of a body.
#[derive(Debug, Default)]
pub struct SiteOrder {
    /// For each site, whether it is reached, and the nearest landmark on every path to it.
    before: Vec<Option<Option<Site>>>,
    /// How many landmarks are before each site, one behind the other.
    depth: Vec<u32>,
    /// The nearest landmark on every path to the end of the body.
    end: Option<Site>,
    /// For each site, whether every path from it comes to a call that ends the program.
    ends: Vec<bool>,
}

impl SiteOrder {
    /// Orders the sites of a body. Only landmarks can be nearest.
    pub fn new(graph: &FlowGraph, feasible: &Feasible, landmarks: &HashSet<Site>) -> SiteOrder {
        let mut found = SiteOrder {
            before: vec![None; graph.site_count],
            depth: vec![0; graph.site_count],
            end: None,
            ends: vec![false; graph.site_count],
        };
        if graph.order.len() > MOST_BLOCKS {
            return found;
        }
        let taken = EdgeFiltered::from_fn(&graph.blocks, |edge: petgraph::graph::EdgeReference<'_, _>| {
            feasible.0[edge.id().index()]
        });
        let dominators = dominators::simple_fast(&taken, graph.entry);
        let ends = found_ends(graph, feasible);
        // The nearest landmark at the end of each block. In reverse postorder, a block comes behind its dominator.
        let mut nearest: Vec<Option<Site>> = vec![None; graph.blocks.node_count()];
        let mut postorder = Vec::new();
        let mut walk = DfsPostOrder::new(&taken, graph.entry);
        while let Some(block) = walk.next(&taken) {
            postorder.push(block);
        }
        for block in postorder.into_iter().rev() {
            let mut last = dominators.immediate_dominator(block).and_then(|dominator| nearest[dominator.index()]);
            if block == graph.exit {
                found.end = last;
            }
            // The body of the last call decides what it does before it ends the program.
            let is_call = |step: &&Step| matches!(step, Step::Call(..));
            let last_call = graph.blocks[block].steps.iter().rfind(is_call).filter(|_| graph.blocks[block].stops);
            for step in &graph.blocks[block].steps {
                let Step::Call(site, _) = step else { continue };
                let number = site.0 as usize;
                found.before[number] = Some(last);
                found.depth[number] = last.map_or(0, |last| found.depth[last.0 as usize] + 1);
                found.ends[number] = ends[block.index()] && !last_call.is_some_and(|last| std::ptr::eq(last, step));
                if landmarks.contains(site) {
                    last = Some(*site);
                }
            }
            nearest[block.index()] = last;
        }
        found
    }

    /// The nearest landmark on every path to each of these sites.
    pub fn before(&self, sites: &[Site]) -> Option<Site> {
        let mut reached = sites.iter().filter_map(|site| self.before[site.0 as usize]);
        let first = reached.next()?;
        reached.fold(first, |one, other| self.common(one, other))
    }

    /// The nearest landmark on every path to the end of the body.
    pub fn before_end(&self) -> Option<Site> {
        self.end
    }

    /// Whether the program ends behind each of these sites.
    pub fn ends(&self, sites: &[Site]) -> bool {
        let mut reached = sites.iter().filter(|site| self.before[site.0 as usize].is_some()).peekable();
        reached.peek().is_some() && reached.all(|site| self.ends[site.0 as usize])
    }

    /// The nearest landmark that is before both, or one of them.
    fn common(&self, mut one: Option<Site>, mut other: Option<Site>) -> Option<Site> {
        while one != other {
            let (Some(first), Some(second)) = (one, other) else { return None };
            if self.depth[first.0 as usize] >= self.depth[second.0 as usize] {
                one = self.before[first.0 as usize].flatten();
            } else {
                other = self.before[second.0 as usize].flatten();
            }
        }
        one
    }
}

/// The blocks from which the program ends: wherever control goes from there, it can still come to a call that ends it.
/// So it comes neither to the end of the body, nor to a call that leaves the body in another way, nor to a loop without
/// end. Of a loop that can end, it is taken that it does.
fn found_ends(graph: &FlowGraph, feasible: &Feasible) -> Vec<bool> {
    let ending = graph.order.iter().copied().filter(|block| graph.blocks[*block].ends).collect();
    let can_end = leading_to(graph, feasible, ending);
    let others = graph.order.iter().copied().chain([graph.exit]).filter(|block| !can_end[block.index()]).collect();
    leading_to(graph, feasible, others).into_iter().map(|goes_on| !goes_on).collect()
}

/// The blocks from which control can come to one of these.
fn leading_to(graph: &FlowGraph, feasible: &Feasible, mut open: Vec<BlockId>) -> Vec<bool> {
    let mut found = vec![false; graph.blocks.node_count()];
    while let Some(block) = open.pop() {
        if !std::mem::replace(&mut found[block.index()], true) {
            let incoming = graph.blocks.edges_directed(block, Direction::Incoming);
            open.extend(incoming.filter(|edge| feasible.0[edge.id().index()]).map(|edge| edge.source()));
        }
    }
    found
}
