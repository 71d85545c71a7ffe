//! `graph`: a part of the call graph, to be drawn.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use crate::effects::Effects;
use crate::program::visit_nearest_first;
use crate::wording::span;
use cowrap_packs::Effect;
use cowrap_report::{EdgeKind, Finding, GraphEdge, GraphNode, Span, Subgraph};

use super::links::{Link, Links, Vertex};
use super::paths::{effect_of, home, labels};
use super::{QueryError, find};

/// Which part of the call graph to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it.
    Everything,
    /// A function, with its callers and callees.
    Around {
        /// The function.
        function: String,
        /// How many calls they may be away.
        depth: u32,
    },
    /// The shortest paths from one function to another.
    Between {
        /// The first function.
        from: String,
        /// The last function.
        to: String,
        /// By how many calls a path may be longer than the shortest.
        more: u32,
    },
}

/// Selects a part of the graph. The findings tell which edges violate rules.
///
/// # Errors
///
/// The program does not have one of the functions.
pub fn graph(effects: &Effects<'_>, selection: &Selection, findings: &[Finding]) -> Result<Subgraph, QueryError> {
    let links = Links::new(effects);
    let vertices = |name: &str| -> Result<HashSet<Vertex>, QueryError> {
        Ok(find(effects, name)?.into_iter().map(Vertex::Function).collect())
    };
    let mut requested = HashSet::new();
    let chosen: HashSet<Vertex> = match selection {
        Selection::Everything => (0..links.len()).map(|number| links.vertex(number)).collect(),
        Selection::Around { function, depth } => {
            requested = vertices(function)?;
            let near = [false, true].map(|back| distances(&links, &requested, back, *depth));
            near.into_iter().flat_map(HashMap::into_keys).collect()
        }
        Selection::Between { from, to, more } => {
            let (from, to) = (vertices(from)?, vertices(to)?);
            let forward = distances(&links, &from, false, u32::MAX);
            let backward = distances(&links, &to, true, u32::MAX);
            requested = from.union(&to).copied().collect();
            let length = |vertex: &Vertex| Some(forward.get(vertex)? + backward.get(vertex)?);
            let shortest = to.iter().filter_map(length).min();
            let longest = shortest.map(|shortest| shortest.saturating_add(*more));
            let on_a_path =
                forward.keys().filter(|vertex| length(vertex).is_some_and(|length| Some(length) <= longest));
            on_a_path.copied().chain(requested.iter().copied()).collect()
        }
    };
    Ok(subgraph(effects, &links, &chosen, &requested, findings))
}

/// The vertices within `most` calls, each with the number of calls on the shortest path. The link from a slot to a
/// function is not a call of its own.
fn distances(links: &Links<'_, '_>, starts: &HashSet<Vertex>, back: bool, most: u32) -> HashMap<Vertex, u32> {
    let mut found: HashMap<Vertex, u32> = HashMap::new();
    // From a caller on, the call through a slot is what leads to the slot; from a callee back, the candidate.
    let between = if back { EdgeKind::Candidate } else { EdgeKind::PointerCall };
    let edges = |vertex: Vertex| {
        let near: Vec<&Link> = match back {
            true => links.incoming(vertex).collect(),
            false => links.outgoing(vertex).collect(),
        };
        let next = move |link: &Link| if back { link.from } else { link.to };
        near.into_iter().map(move |link| (next(link), link.kind != between))
    };
    visit_nearest_first(starts.iter().copied(), edges, |vertex, distance, _| {
        if distance > most {
            return ControlFlow::Break(());
        }
        found.insert(vertex, distance);
        ControlFlow::Continue(())
    });
    found
}

fn subgraph(
    effects: &Effects<'_>,
    links: &Links<'_, '_>,
    chosen: &HashSet<Vertex>,
    requested: &HashSet<Vertex>,
    findings: &[Finding],
) -> Subgraph {
    let mut sorted: Vec<Vertex> = chosen.iter().copied().collect();
    sorted.sort_unstable();
    let positions: HashMap<Vertex, usize> = sorted.iter().enumerate().map(|(at, vertex)| (*vertex, at)).collect();
    let mut broken: HashMap<&Span, Vec<&str>> = HashMap::new();
    for finding in findings {
        for label in finding.secondary.iter().chain([&finding.primary]) {
            broken.entry(&label.at).or_default().push(&finding.rule);
        }
    }
    let mut edges: BTreeMap<(usize, usize, EdgeKind), GraphEdge> = BTreeMap::new();
    for link in links.all() {
        let Link { from, to, kind, .. } = *link;
        let (Some(&from), Some(&to)) = (positions.get(&from), positions.get(&to)) else { continue };
        let empty = GraphEdge { from, to, kind, sites: Vec::new(), rules: Vec::new() };
        let edge = edges.entry((from, to, kind)).or_insert(empty);
        if let Some(site) = links.location(link).map(|location| span(effects, location)) {
            edge.rules.extend(broken.get(&site).into_iter().flatten().map(|rule| (*rule).to_owned()));
            edge.sites.push(site);
        }
        edge.rules.sort_unstable();
        edge.rules.dedup();
    }
    let nodes = sorted.iter().map(|vertex| GraphNode {
        name: links.name(*vertex),
        labels: labels(effects, *vertex).into_iter().map(str::to_owned).collect(),
        effect: effect_of(effects, *vertex).map(Effect::name),
        at: match vertex {
            Vertex::Function(function) => home(effects, *function).map(|location| span(effects, location)),
            Vertex::Slot(_) => None,
        },
        requested: requested.contains(vertex),
    });
    let nodes: Vec<GraphNode> = nodes.collect();
    let is_shown = |effect: &Effect| {
        *effect != Effect::Entry || nodes.iter().any(|node| node.effect == Some(Effect::Entry.name()))
    };
    let shown = Effect::ALL.into_iter().filter(is_shown);
    let legend = shown.map(|effect| (effect.name(), effects.pack.words.effect(effect).to_owned())).collect();
    Subgraph { nodes, edges: edges.into_values().collect(), legend }
}
