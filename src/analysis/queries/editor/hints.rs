//! What cowrap infers about the unmarked functions of a file.

use std::path::Path;

use crate::effects::{Effects, Provenance};
use crate::program::FunctionId;
use crate::wording::span;
use cowrap_report::InlayHint;

use super::super::why;

/// What each unmarked function that a file defines requires, as far as something else than a mark says so.
pub fn inlay_hints(effects: &Effects<'_>, path: &Path) -> Vec<InlayHint> {
    let program = effects.program;
    let Some(file) = program.file(path) else { return Vec::new() };
    let mut found: Vec<InlayHint> = Vec::new();
    for body in program.bodies_in(file).map(|body| program.body(body)) {
        let at = span(effects, body.location);
        // A function can have several bodies at one location, in different units.
        if found.last().is_none_or(|last| last.at != at)
            && let Some(text) = inferred(effects, body.function)
        {
            found.push(InlayHint { at, text, reason: why::requirement(effects, body.function) });
        }
    }
    found
}

fn inferred(effects: &Effects<'_>, function: FunctionId) -> Option<String> {
    let requirement = effects.requirement(function);
    match requirement.provenance {
        Provenance::Marked(_) | Provenance::Contradictory(..) => None,
        Provenance::Unmarked => {
            effects.runs_only_inside(function).then(|| format!("runs {}", effects.pack.words.inside))
        }
        Provenance::Inferred(_) | Provenance::Modelled(_) | Provenance::Polling | Provenance::Installed => {
            requirement.effect.map(|effect| effects.pack.words.effect(effect).to_owned())
        }
    }
}
