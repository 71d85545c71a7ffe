//! The program with what calls through pointers do to the context of their caller.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use crate::program::{FunctionId, PointsTo, Program};
use cowrap_packs::Pack;

use super::names::functions_named;

/// The program, as the pack reads it, where calls through slots change the context if what they may call does.
pub fn changed_through_pointers<'p>(program: Cow<'p, Program>, pack: &Pack, points_to: &PointsTo) -> Cow<'p, Program> {
    let own = pack.changes.iter().flat_map(|change| &change.functions);
    let changing: FxHashSet<FunctionId> = own.flat_map(|name| functions_named(&program, name)).collect();
    if changing.is_empty() && !program.bodies.iter().any(|body| body.exit.changes()) {
        return program;
    }
    let mut program = program;
    program.to_mut().connect_through(points_to, &changing);
    program
}
