//! Which functions may suspend the coroutine that they run in.

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use crate::facts::CallKind;

use super::Effects;

/// For each function, whether it may suspend: it is one of the pack's suspending functions, calls one that
/// may, or does something that cannot be followed (a call through a slot, a body that is not in the program).
///
/// A function that is declared nowhere in the tree comes from a library, which knows no coroutines.
pub fn may_suspend(effects: &Effects<'_>) -> Vec<bool> {
    let program = effects.program;
    let mut may: Vec<bool> = program
        .functions
        .iter()
        .map(|function| {
            let unknown_body = function.bodies.is_empty() && !function.declarations.is_empty();
            let unknown_call = function.bodies.iter().any(|body| {
                let body = program.body(*body);
                !body.slot_calls.is_empty() || body.calls.iter().any(|call| call.kind == CallKind::Unresolved)
            });
            unknown_body || unknown_call || effects.pack.suspending.contains(&function.name)
        })
        .collect();
    let mut work: Vec<usize> = (0..may.len()).filter(|&function| may[function]).collect();
    while let Some(callee) = work.pop() {
        for edge in program.graph.edges_directed(NodeIndex::new(callee), Direction::Incoming) {
            let caller = edge.source().index();
            if !std::mem::replace(&mut may[caller], true) {
                work.push(caller);
            }
        }
    }
    may
}
