//! `paths`: the paths that match an expression, the shortest for each end.
//!
//! One breadth-first search visits pairs of a vertex and a state of the expression's automaton, each once. To list all
//! simple paths instead would take forever.

use std::collections::VecDeque;

use petgraph::visit::{Dfs, EdgeFiltered, EdgeRef, IntoNeighbors, Reversed, Visitable};
use regex::Regex;

use crate::effects::Effects;
use crate::program::{FunctionId, Id, Location, Node, Visited};
use crate::wording::{self, one_of, span};
use cowrap_facts::ContextSet;
use cowrap_packs::Effect;
use cowrap_report::{EdgeKind, Label, Paths, Witness};

use super::expression::{Automaton, Neighbours, Set, parse};
use super::links::{Link, Links, Vertex};
use super::{QueryError, similar};

/// A pair that the search visited.
struct Reached {
    vertex: usize,
    state: usize,
    /// The position of the previous pair, and the link from it; `None` for the first vertex of a path.
    from: Option<(usize, Link)>,
}

/// Finds the paths that match an expression, at most `limit`, each with another end.
///
/// # Errors
///
/// The syntax of the expression is wrong, or a name in it matches nothing.
pub fn paths(effects: &Effects<'_>, expression: &str, limit: usize) -> Result<Paths, QueryError> {
    let automaton = Automaton::new(parse(expression)?);
    let links = Links::new(effects);
    let mut members = Vec::new();
    for set in &automaton.sets {
        members.push(members_of(effects, &links, set)?);
    }
    let states = automaton.sets.len();
    let mut seen = vec![false; links.len() * states];
    let mut reached: Vec<Reached> = Vec::new();
    let mut open = VecDeque::new();
    for state in &automaton.first {
        for vertex in (0..links.len()).filter(|vertex| members[*state][*vertex]) {
            if !std::mem::replace(&mut seen[vertex * states + state], true) {
                open.push_back(reached.len());
                reached.push(Reached { vertex, state: *state, from: None });
            }
        }
    }
    let mut ended = vec![false; links.len()];
    let mut ends = Vec::new();
    while let Some(position) = open.pop_front() {
        let Reached { vertex, state, .. } = reached[position];
        if automaton.last.contains(&state) && !std::mem::replace(&mut ended[vertex], true) {
            ends.push(position);
        }
        for link in links.outgoing(links.vertex(vertex)).filter(|link| is_walked(link)) {
            let next = links.number(link.to);
            for state in &automaton.follow[state] {
                if members[*state][next] && !std::mem::replace(&mut seen[next * states + state], true) {
                    open.push_back(reached.len());
                    reached.push(Reached { vertex: next, state: *state, from: Some((position, *link)) });
                }
            }
        }
    }
    let shown = ends.len().min(limit);
    let paths = ends[..shown].iter().map(|end| witness(effects, &links, &reached, *end)).collect();
    Ok(Paths { paths, more: ends.len() - shown })
}

fn is_walked(link: &Link) -> bool {
    link.kind != EdgeKind::Unresolved && link.contexts != ContextSet::EMPTY
}

fn witness(effects: &Effects<'_>, links: &Links<'_, '_>, reached: &[Reached], end: usize) -> Witness {
    let mut way = Vec::new();
    let mut at = end;
    while let Some((from, link)) = reached[at].from {
        way.push(link);
        at = from;
    }
    way.reverse();
    let first = links.vertex(reached[at].vertex);
    let names: Vec<String> =
        std::iter::once(first).chain(way.iter().map(|link| link.to)).map(|vertex| links.name(vertex)).collect();
    let mut steps = Vec::new();
    let mut rest = way.as_slice();
    while let Some((link, after)) = rest.split_first() {
        rest = after;
        let (from, to) = (links.name(link.from), links.name(link.to));
        let mut origin = None;
        let (text, location) = match (link.to, rest.first()) {
            (Vertex::Slot(slot), Some(held)) => {
                rest = &rest[1..];
                origin = link.location.and_then(|location| links.origin(held, location.file));
                let function = links.name(held.to);
                let count = one_of(effects, slot);
                (format!("`{from}` calls through `{to}`, which may point to `{function}`: {count}"), link.location)
            }
            (Vertex::Slot(_), None) => (format!("`{from}` calls through `{to}`"), link.location),
            (Vertex::Function(function), _) if link.kind == EdgeKind::Candidate => {
                (format!("`{from}` may point to `{to}`"), links.location(link).or(home(effects, function)))
            }
            (Vertex::Function(_), _) => (format!("`{from}` calls `{to}`"), link.location),
        };
        let origin = origin.into_iter().flat_map(|origin| wording::origin(effects, &origin));
        let labels = location.map(|location| (location, text)).into_iter().chain(origin);
        steps.extend(labels.map(|(location, text)| Label { at: span(effects, location), text }));
    }
    Witness { remarks: vec![names.join(" → ")], steps, grounds: Vec::new() }
}

/// Where a function is defined, else where it is declared.
pub fn home(effects: &Effects<'_>, function: FunctionId) -> Option<Location> {
    let linked = effects.program.function(function);
    let defined = linked.bodies.first().map(|body| effects.program.body(*body).location);
    defined.or(linked.declarations.first().map(|declaration| declaration.location))
}

/// The labels of a vertex: its marks, its requirement, and what it is.
pub fn labels<'e>(effects: &Effects<'e>, vertex: Vertex) -> Vec<&'e str> {
    let mut labels: Vec<&'e str> = Vec::new();
    match vertex {
        Vertex::Function(function) => {
            let linked = effects.program.function(function);
            let marks = linked.declarations.iter().flat_map(|declaration| &declaration.marks);
            labels.extend(effects.mark_names(marks));
            labels.push(if linked.bodies.is_empty() { "external" } else { "defined" });
        }
        Vertex::Slot(slot) => {
            let marks = &effects.program.slot(slot).marks;
            labels.extend(effects.mark_names(marks));
            labels.push("function_pointer");
        }
    }
    labels.push(effect_of(effects, vertex).map_or("unmarked", |effect| effects.pack.words.effect(effect)));
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// What a vertex requires.
pub fn effect_of(effects: &Effects<'_>, vertex: Vertex) -> Option<Effect> {
    match vertex {
        Vertex::Function(function) => effects.requirement(function).effect,
        Vertex::Slot(slot) => effects.slot_effect(slot),
    }
}

/// The labels besides marks and effects.
const LABELS: &[&str] = &["defined", "external", "function_pointer", "unmarked"];

/// The labels that a query may name: marks, the pack's words for effects, their general names, and others.
fn known_labels<'e>(effects: &Effects<'e>) -> impl Iterator<Item = &'e str> {
    let words = Effect::ALL.into_iter().flat_map(|effect| [effects.pack.words.effect(effect), effect.name()]);
    effects
        .pack
        .marks
        .iter()
        .filter(|mark| !mark.is_foreign)
        .map(|mark| mark.name.as_str())
        .chain(LABELS.iter().copied())
        .chain(words)
}

/// For each vertex, whether it is in a set.
fn members_of(effects: &Effects<'_>, links: &Links<'_, '_>, set: &Set) -> Result<Vec<bool>, QueryError> {
    let select = |wanted: &dyn Fn(Vertex) -> bool| -> Vec<bool> {
        (0..links.len()).map(|number| wanted(links.vertex(number))).collect()
    };
    let join = |sets: &[Set], start: bool, join: fn(bool, bool) -> bool| {
        let mut members = vec![start; links.len()];
        for set in sets {
            let other = members_of(effects, links, set)?;
            members.iter_mut().zip(other).for_each(|(member, other)| *member = join(*member, other));
        }
        Ok(members)
    };
    match set {
        Set::All => Ok(vec![true; links.len()]),
        Set::Name(name) => {
            let found = select(&|vertex| links.is_named(vertex, name));
            if !found.contains(&true) {
                let names: Vec<String> = (0..links.len()).map(|number| links.name(links.vertex(number))).collect();
                let similar = similar(name, names.iter().map(String::as_str));
                return Err(QueryError::Nothing { what: name.clone(), similar });
            }
            Ok(found)
        }
        Set::Matching(pattern) => Ok(select(&|vertex| Regex::is_match(pattern, &links.name(vertex)))),
        Set::Label(label) => {
            let effect = effects.pack.words.effect_of(label);
            if effect.is_none() && !known_labels(effects).any(|known| known == label) {
                let similar = similar(label, known_labels(effects));
                return Err(QueryError::Nothing { what: format!("[{label}]"), similar });
            }
            let label = effect.map_or(label.as_str(), |effect| effects.pack.words.effect(effect));
            Ok(select(&|vertex| labels(effects, vertex).contains(&label)))
        }
        Set::Not(set) => Ok(members_of(effects, links, set)?.into_iter().map(|member| !member).collect()),
        Set::And(sets) => join(sets, true, |one, other| one && other),
        Set::Or(sets) => join(sets, false, |one, other| one || other),
        Set::Near(set, relation) => Ok(near(links, &members_of(effects, links, set)?, *relation)),
    }
}

fn near(links: &Links<'_, '_>, members: &[bool], relation: Neighbours) -> Vec<bool> {
    let walked = EdgeFiltered::from_fn(links.graph(), |edge| is_walked(&links.all()[*edge.weight() as usize]));
    match relation.callers {
        true => reached(Reversed(&walked), members, relation.all),
        false => reached(&walked, members, relation.all),
    }
}

/// The nodes that are one edge away from these, or any number of edges from one on.
fn reached<G>(graph: G, members: &[bool], all: bool) -> Vec<bool>
where
    G: IntoNeighbors<NodeId = Node> + Visitable<Map = Visited>,
{
    let mut found = vec![false; members.len()];
    let starts = (0..members.len()).filter(|number| members[*number]);
    let near: Vec<Node> = starts.flat_map(|number| graph.neighbors(Node(number as u32))).collect();
    near.iter().for_each(|node| found[node.index()] = true);
    if all {
        let mut search = Dfs::from_parts(near, graph.visit_map());
        while let Some(node) = search.next(graph) {
            found[node.index()] = true;
        }
    }
    found
}
