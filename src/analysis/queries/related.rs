//! Who calls a function, and whom it calls, with the locations of the calls.

use std::collections::{HashSet, VecDeque};

use crate::effects::Effects;
use crate::wording::span;
use cowrap_facts::ContextSet;
use cowrap_report::{Direction, EdgeKind, Related, Relation};

use super::links::{Link, Links, Vertex};
use super::{QueryError, find, full_name};

/// Tells the callers or callees of each function of a name; `transitive` goes on from these, `named` leaves out what
/// goes through slots. Each caller (or callee) is gone on from once.
///
/// # Errors
///
/// There is no function of the name.
pub fn related(
    effects: &Effects<'_>,
    wanted: &str,
    direction: Direction,
    transitive: bool,
    named: bool,
) -> Result<Vec<Related>, QueryError> {
    let functions = find(effects, wanted)?;
    let links = Links::new(effects);
    let tell = |function| {
        let start = Vertex::Function(function);
        let mut relations = Vec::new();
        let mut seen = HashSet::from([start]);
        let mut open = VecDeque::from([(start, 0)]);
        while let Some((vertex, distance)) = open.pop_front() {
            let mut near: Vec<Link> = match direction {
                Direction::Callers => links.incoming(vertex).copied().collect(),
                Direction::Callees => links.outgoing(vertex).to_vec(),
            };
            near.retain(|link| !named || !matches!(link.kind, EdgeKind::PointerCall | EdgeKind::Candidate));
            near.sort_by_key(|link| (link.location, *link));
            for link in near {
                let (next, through_slot) = match direction {
                    Direction::Callers => (link.from, matches!(link.kind, EdgeKind::Candidate)),
                    Direction::Callees => (link.to, matches!(link.kind, EdgeKind::PointerCall)),
                };
                relations.push(relation(effects, &links, distance + 1, &link));
                // A slot is on the way to who calls, and not who calls itself.
                if (transitive || through_slot) && seen.insert(next) {
                    open.push_back((next, distance + u32::from(!through_slot)));
                }
            }
        }
        relations.sort_by_key(|relation| relation.distance);
        Related { function: full_name(effects, function), direction, relations }
    };
    Ok(functions.into_iter().map(tell).collect())
}

fn relation(effects: &Effects<'_>, links: &Links<'_, '_>, distance: u32, link: &Link) -> Relation {
    let context = match (link.kind, link.contexts) {
        (EdgeKind::Candidate, _) => "",
        (_, ContextSet::COROUTINE) => "in a coroutine",
        (_, ContextSet::NON_COROUTINE) => "outside of coroutines",
        (_, ContextSet::BOTH) => "in either context",
        _ => "never reached",
    };
    Relation {
        distance,
        from: links.name(link.from),
        to: links.name(link.to),
        kind: link.kind,
        at: link.location.map(|location| span(effects, location)),
        context,
    }
}
