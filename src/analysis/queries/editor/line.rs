//! The context at a line of a body.

use std::path::Path;

use crate::effects::Effects;
use crate::program::BodyId;
use crate::wording::name;
use cowrap_facts::{ContextSet, PathCondition};
use cowrap_report::{LineContext, Reach};

use super::super::why;
use super::in_contexts;
use crate::effects::Callee;

/// The context at a line of a body; `None` outside of bodies.
pub fn line_context(effects: &Effects<'_>, path: &Path, line: u32) -> Option<LineContext> {
    let program = effects.program;
    let file = program.file(path)?;
    let body: BodyId = program.bodies_in(file).filter(|body| program.body(*body).location.line <= line).max()?;
    let function = program.body(body).function;
    let contexts = effects.possible_at(body, PathCondition::always());
    let (reach, text) = match contexts {
        ContextSet::INSIDE => (Reach::Inside, format!("runs {}", in_contexts(effects, contexts))),
        ContextSet::OUTSIDE => (Reach::Outside, format!("runs {}", in_contexts(effects, contexts))),
        ContextSet::BOTH => (Reach::Both, format!("may run {}", in_contexts(effects, contexts))),
        _ => (Reach::Dead, "never runs".to_owned()),
    };
    Some(LineContext {
        function: name(effects, function).to_owned(),
        lines: (line, line),
        reach,
        text,
        guard: why::ground(effects, Callee::Function(function)),
    })
}
