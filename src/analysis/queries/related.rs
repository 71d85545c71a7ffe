//! `callers` and `callees`, with the locations of the calls.

use std::collections::{HashSet, VecDeque};

use crate::effects::Effects;
use crate::wording::{in_context, span};
use cowrap_facts::{Context, ContextSet};
use cowrap_report::{Direction, EdgeKind, Related, Relation};

use super::links::{Link, Links, Vertex};
use super::{QueryError, find, full_name};

/// The callers or callees of each function of a name. `transitive` also lists the callers of these, and so on, each
/// once. `named` leaves out calls through slots.
///
/// # Errors
///
/// The program has no function of the name.
pub fn related(
    effects: &Effects<'_>,
    wanted: &str,
    direction: Direction,
    transitive: bool,
    named: bool,
) -> Result<Vec<Related>, QueryError> {
    let functions = find(effects, wanted)?;
    let links = Links::new(effects);
    let relations_of = |function| {
        let start = Vertex::Function(function);
        let mut relations = Vec::new();
        let mut seen = HashSet::from([start]);
        let mut open = VecDeque::from([(start, 0)]);
        while let Some((vertex, distance)) = open.pop_front() {
            let mut near: Vec<Link> = match direction {
                Direction::Callers => links.incoming(vertex).copied().collect(),
                Direction::Callees => links.outgoing(vertex).copied().collect(),
            };
            near.retain(|link| !named || !matches!(link.kind, EdgeKind::PointerCall | EdgeKind::Candidate));
            near.sort_by_cached_key(|link| (links.location(link), *link));
            for link in near {
                let (next, is_slot) = match direction {
                    Direction::Callers => (link.from, matches!(link.kind, EdgeKind::Candidate)),
                    Direction::Callees => (link.to, matches!(link.kind, EdgeKind::PointerCall)),
                };
                relations.push(relation(effects, &links, distance + 1, &link));
                // A slot is between caller and callee. It does not count as a call.
                if (transitive || is_slot) && seen.insert(next) {
                    open.push_back((next, distance + u32::from(!is_slot)));
                }
            }
        }
        relations.sort_by_key(|relation| relation.distance);
        Related { function: full_name(effects, function), direction, relations }
    };
    Ok(functions.into_iter().map(relations_of).collect())
}

fn relation(effects: &Effects<'_>, links: &Links<'_, '_>, distance: u32, link: &Link) -> Relation {
    let context = match (link.kind, link.contexts) {
        (EdgeKind::Candidate, _) => "",
        (_, ContextSet::INSIDE) => in_context(effects, Context::Inside),
        (_, ContextSet::OUTSIDE) => in_context(effects, Context::Outside),
        (_, ContextSet::BOTH) => "in both contexts",
        _ => "unreachable",
    };
    Relation {
        distance,
        from: links.name(link.from),
        to: links.name(link.to),
        kind: link.kind,
        at: links.location(link).map(|location| span(effects, location)),
        context: context.to_owned(),
    }
}
