//! `graph`: a part of the call graph, to be drawn.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use crate::effects::Effects;
use crate::program::{FunctionId, visit_nearest_first};
use crate::wording::{in_context, span};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;
use cowrap_report::{EdgeKind, Finding, GraphEdge, GraphNode, Reach, Span, Subgraph};

use super::links::{Link, Links, Vertex};
use super::paths::{effect_of, home, labels};
use super::{QueryError, editor, find, why};

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

/// Selects a part of the graph, of which it keeps the nearest functions and slots up to a limit. The findings tell which
/// edges violate rules.
///
/// # Errors
///
/// The program does not have one of the functions.
pub fn graph(
    effects: &Effects<'_>,
    selection: &Selection,
    limit: Option<usize>,
    findings: &[Finding],
) -> Result<Subgraph, QueryError> {
    let links = Links::new(effects);
    let broken = Broken::new(findings);
    let mut part = Part::new(effects, &links, selection)?;
    let left_out = limit.map_or(0, |limit| part.keep(effects, &links, &broken, limit));
    let mut subgraph = subgraph(effects, &links, &part, &broken);
    subgraph.left_out = left_out;
    Ok(subgraph)
}

/// The findings at each location.
struct Broken<'f> {
    findings: HashMap<&'f Span, Vec<&'f Finding>>,
}

impl<'f> Broken<'f> {
    fn new(all: &'f [Finding]) -> Self {
        let mut findings: HashMap<&Span, Vec<&Finding>> = HashMap::new();
        for finding in all {
            for label in finding.secondary.iter().chain([&finding.primary]) {
                findings.entry(&label.at).or_default().push(finding);
            }
        }
        Broken { findings }
    }

    /// The rules that a link violates at one of its locations. All calls of a macro's expansion are at one location, so
    /// the finding must name the function that is called.
    fn rules(&self, links: &Links<'_, '_>, link: &Link, site: &Span) -> impl Iterator<Item = &'f str> {
        let name = self.findings.contains_key(site).then(|| links.name(link.to));
        let is_meant = move |finding: &&&'f Finding| match link.to {
            Vertex::Function(_) => finding.names().any(|known| Some(known) == name.as_deref()),
            Vertex::Slot(_) => true,
        };
        self.findings.get(site).into_iter().flatten().filter(is_meant).map(|finding| finding.rule.as_str())
    }

    /// The functions and slots at the ends of links that violate rules.
    fn ends(&self, effects: &Effects<'_>, links: &Links<'_, '_>) -> HashSet<Vertex> {
        let is_broken = |link: &&Link| {
            let site = links.location(link).map(|location| span(effects, location));
            site.is_some_and(|site| self.rules(links, link, &site).next().is_some())
        };
        links.all().iter().filter(is_broken).flat_map(|link| [link.from, link.to]).collect()
    }
}

/// A part of the call graph.
struct Part {
    /// Its functions and slots, each with its distance from what was asked for.
    distances: HashMap<Vertex, u32>,
    /// The functions that the query names.
    requested: HashSet<Vertex>,
    /// Those of them where paths begin.
    starts: HashSet<Vertex>,
}

impl Part {
    fn new(effects: &Effects<'_>, links: &Links<'_, '_>, selection: &Selection) -> Result<Part, QueryError> {
        let vertices = |name: &str| -> Result<HashSet<Vertex>, QueryError> {
            Ok(find(effects, name)?.into_iter().map(Vertex::Function).collect())
        };
        Ok(match selection {
            Selection::Everything => {
                let distances = (0..links.len()).map(|number| (links.vertex(number), 0)).collect();
                Part { distances, requested: HashSet::new(), starts: HashSet::new() }
            }
            Selection::Around { function, depth } => {
                let requested = vertices(function)?;
                Part { distances: around(links, &requested, *depth), requested, starts: HashSet::new() }
            }
            Selection::Between { from, to, more } => {
                let (from, to) = (vertices(from)?, vertices(to)?);
                let forward = distances(links, &from, false, u32::MAX);
                let backward = distances(links, &to, true, u32::MAX);
                // The call through a slot is behind the slot for one search, and before it for the other.
                let through = |vertex: &Vertex| u32::from(matches!(vertex, Vertex::Slot(_)));
                let length = |vertex: &Vertex| Some(forward.get(vertex)? + backward.get(vertex)? + through(vertex));
                let shortest = to.iter().filter_map(length).min();
                let longest = shortest.map(|shortest| shortest.saturating_add(*more));
                let lengths = forward.keys().filter_map(|vertex| Some((*vertex, length(vertex)?)));
                let on_a_path = lengths.filter(|(_, length)| Some(*length) <= longest);
                let requested: HashSet<Vertex> = from.union(&to).copied().collect();
                let distances = requested.iter().map(|vertex| (*vertex, 0));
                Part { distances: on_a_path.chain(distances).collect(), requested, starts: from }
            }
        })
    }

    /// Keeps the nearest functions and slots, and of those at one distance the ones that violate rules first. Without
    /// functions to be near to, those that violate rules are. Returns how many are left out.
    fn keep(&mut self, effects: &Effects<'_>, links: &Links<'_, '_>, broken: &Broken<'_>, limit: usize) -> usize {
        let all = self.distances.len();
        if all <= limit {
            return 0;
        }
        let violating = broken.ends(effects, links);
        if self.requested.is_empty() {
            let near = around(links, &violating, u32::MAX);
            let distance = |vertex: &Vertex| near.get(vertex).copied().unwrap_or(u32::MAX);
            self.distances.iter_mut().for_each(|(vertex, known)| *known = distance(vertex));
        }
        let rank = |(vertex, distance): (&Vertex, &u32)| {
            (*distance, !self.requested.contains(vertex), !violating.contains(vertex), *vertex)
        };
        let mut sorted: Vec<(u32, bool, bool, Vertex)> = self.distances.iter().map(rank).collect();
        sorted.sort_unstable();
        sorted.truncate(limit.max(self.requested.len()));
        self.distances = sorted.into_iter().map(|(distance, .., vertex)| (vertex, distance)).collect();
        all - self.distances.len()
    }
}

/// The vertices within `most` calls in either direction, each with the number of calls.
fn around(links: &Links<'_, '_>, starts: &HashSet<Vertex>, most: u32) -> HashMap<Vertex, u32> {
    let mut found = distances(links, starts, false, most);
    for (vertex, distance) in distances(links, starts, true, most) {
        found.entry(vertex).and_modify(|known| *known = distance.min(*known)).or_insert(distance);
    }
    found
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

fn subgraph(effects: &Effects<'_>, links: &Links<'_, '_>, part: &Part, broken: &Broken<'_>) -> Subgraph {
    let mut sorted: Vec<Vertex> = part.distances.keys().copied().collect();
    sorted.sort_unstable();
    let positions: HashMap<Vertex, usize> = sorted.iter().enumerate().map(|(at, vertex)| (*vertex, at)).collect();
    let contexts = contexts_of_calls(effects, &sorted);
    let mut edges: BTreeMap<(usize, usize, EdgeKind), GraphEdge> = BTreeMap::new();
    let mut beyond: Vec<[HashSet<Vertex>; 2]> = vec![Default::default(); sorted.len()];
    for link in links.all() {
        let (from, to) = match (positions.get(&link.from), positions.get(&link.to)) {
            (Some(from), Some(to)) => (*from, *to),
            (Some(from), None) => {
                beyond[*from][1].insert(link.to);
                continue;
            }
            (None, Some(to)) => {
                beyond[*to][0].insert(link.from);
                continue;
            }
            (None, None) => continue,
        };
        let context = contexts.get(&(link.from, link.to)).map(|contexts| reach(*contexts));
        let empty = GraphEdge { from, to, kind: link.kind, sites: Vec::new(), context, rules: Vec::new() };
        let edge = edges.entry((from, to, link.kind)).or_insert(empty);
        if let Some(site) = links.location(link).map(|location| span(effects, location)) {
            edge.rules.extend(broken.rules(links, link, &site).map(str::to_owned));
            edge.sites.push(site);
        }
        edge.rules.sort_unstable();
        edge.rules.dedup();
    }
    let nodes: Vec<GraphNode> = sorted
        .iter()
        .zip(&beyond)
        .map(|(vertex, beyond)| GraphNode {
            beyond: [0, 1].map(|side| beyond[side].len()),
            requested: part.requested.contains(vertex),
            ..node(effects, links, *vertex)
        })
        .collect();
    let is_shown = |effect: &Effect| {
        *effect != Effect::Entry || nodes.iter().any(|node| node.effect == Some(Effect::Entry.name()))
    };
    let shown = Effect::ALL.into_iter().filter(is_shown);
    Subgraph {
        legend: shown.map(|effect| (effect.name(), effects.pack.words.effect(effect).to_owned())).collect(),
        contexts: contexts_in_words(effects),
        starts: (0..sorted.len()).filter(|position| part.starts.contains(&sorted[*position])).collect(),
        nodes,
        edges: edges.into_values().collect(),
        left_out: 0,
    }
}

/// A function or slot, whatever the part of the graph.
fn node(effects: &Effects<'_>, links: &Links<'_, '_>, vertex: Vertex) -> GraphNode {
    let (at, requirement, context) = match vertex {
        Vertex::Function(function) => {
            let context = reach(contexts_of(effects, function));
            (home(effects, function), why::requirement(effects, function), Some(context))
        }
        Vertex::Slot(slot) => {
            let requirement =
                effects.slot_effect(slot).map_or("no requirement", |effect| effects.pack.words.effect(effect));
            (editor::slot_home(effects, slot), requirement.to_owned(), None)
        }
    };
    GraphNode {
        name: links.name(vertex),
        labels: labels(effects, vertex).into_iter().map(str::to_owned).collect(),
        at: at.map(|location| span(effects, location)),
        requirement,
        context,
        requested: false,
        effect: effect_of(effects, vertex).map(Effect::name),
        beyond: [0, 0],
    }
}

/// The contexts in which a function may be entered: of those that it allows, the ones in which somebody calls it. If
/// cowrap knows no caller, all that it allows.
fn contexts_of(effects: &Effects<'_>, function: FunctionId) -> ContextSet {
    let allowed = effects.start(function);
    let entered = allowed.and(effects.entry_contexts().possible.contexts(function));
    if entered.is_empty() { allowed } else { entered }
}

/// The contexts in which the calls of functions may run, by caller and callee.
fn contexts_of_calls(effects: &Effects<'_>, callers: &[Vertex]) -> HashMap<(Vertex, Vertex), ContextSet> {
    let mut contexts: HashMap<(Vertex, Vertex), ContextSet> = HashMap::new();
    for caller in callers {
        let Vertex::Function(function) = caller else { continue };
        for body in &effects.program.function(*function).bodies {
            let outline = effects.program.body(*body);
            let calls = outline.calls.iter().map(|call| (Vertex::Function(call.callee), call.condition));
            let slots = outline.slot_calls.iter().filter_map(|call| Some((Vertex::Slot(call.slot?), call.condition)));
            for (callee, condition) in calls.chain(slots) {
                let known = contexts.entry((*caller, callee)).or_insert(ContextSet::EMPTY);
                *known = known.or(effects.possible_at(*body, condition));
            }
        }
    }
    contexts
}

fn reach(contexts: ContextSet) -> Reach {
    match contexts.only() {
        Some(Context::Inside) => Reach::Inside,
        Some(Context::Outside) => Reach::Outside,
        None if contexts.is_empty() => Reach::Dead,
        None => Reach::Both,
    }
}

fn contexts_in_words(effects: &Effects<'_>) -> Vec<(Reach, String)> {
    let words = |context: Context| in_context(effects, context).to_owned();
    vec![
        (Reach::Inside, words(Context::Inside)),
        (Reach::Outside, words(Context::Outside)),
        (Reach::Both, "in both contexts".to_owned()),
        (Reach::Dead, "never".to_owned()),
    ]
}
