//! Functions that crash the program: what they do on the way does not matter, and call chains do not go through them.

use rustc_hash::FxHashSet;

use crate::program::{FunctionId, Program};
use cowrap_facts::{CallKind, NameSet};
use cowrap_packs::Pack;

use super::names::functions_named;

/// The functions that crash the program, if the pack says what a crash is: those that it lists, and all that never
/// return and call one of these.
///
/// Such a function can also end the program in another way, as one does that tests whether to leave a core file. It
/// still is there for bugs of the program itself.
pub(super) fn crashing(program: &Program, pack: &Pack) -> FxHashSet<FunctionId> {
    let listed = pack.crashes.iter().flatten().flat_map(|name| functions_named(program, name));
    let noreturn: NameSet = pack.noreturn.iter().collect();
    let mut open: Vec<FunctionId> = listed.collect();
    let mut crashing = FxHashSet::default();
    while let Some(function) = open.pop() {
        if crashing.insert(function) {
            let sites = program.sites_of(function).filter(|(site, _)| program.call(*site).kind == CallKind::Written);
            open.extend(sites.map(|(_, caller)| caller).filter(|caller| never_returns(program, &noreturn, *caller)));
        }
    }
    crashing
}

/// Whether a function never returns, by one of its declarations or by the pack.
fn never_returns(program: &Program, noreturn: &NameSet, function: FunctionId) -> bool {
    let linked = program.function(function);
    linked.declarations.iter().any(|declaration| declaration.never_returns) || noreturn.contains(&linked.name)
}
