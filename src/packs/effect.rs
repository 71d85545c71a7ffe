//! Requirements: what a function asks of its caller's context.

use serde::{Deserialize, Serialize};

use cowrap_facts::{Context, ContextSet};

/// What a function requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Requires the inside context.
    InsideOnly,
    /// Runs in either context.
    Mixed,
    /// Requires the outside context.
    OutsideOnly,
    /// Requires nothing, and starts inside: what cowrap cannot see, such as the kernel or a library, calls it there.
    Entry,
}

impl Effect {
    /// Whether what has this effect may run in a context.
    pub fn allows(self, context: Context) -> bool {
        match self {
            Effect::InsideOnly => context == Context::Inside,
            Effect::Mixed | Effect::Entry => true,
            Effect::OutsideOnly => context == Context::Outside,
        }
    }

    /// The contexts in which the body of what has this effect starts.
    pub fn contexts(self) -> ContextSet {
        match self {
            Effect::InsideOnly | Effect::Entry => ContextSet::INSIDE,
            Effect::Mixed => ContextSet::BOTH,
            Effect::OutsideOnly => ContextSet::OUTSIDE,
        }
    }

    /// All effects.
    pub const ALL: [Effect; 4] = [Effect::InsideOnly, Effect::OutsideOnly, Effect::Mixed, Effect::Entry];

    /// The general name, which every pack understands.
    pub fn name(self) -> &'static str {
        match self {
            Effect::InsideOnly => "inside-only",
            Effect::Mixed => "mixed",
            Effect::OutsideOnly => "outside-only",
            Effect::Entry => "entry",
        }
    }
}
