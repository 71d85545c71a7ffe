//! Requirements: what a function asks of its caller's context.

use serde::{Deserialize, Serialize};

use cowrap_facts::{Context, ContextSet};

/// What a function requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Requires the inside context.
    #[serde(alias = "coroutine-only")]
    InsideOnly,
    /// Runs in either context.
    #[serde(alias = "either")]
    Mixed,
    /// Requires the outside context.
    #[serde(alias = "non-coroutine-only")]
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

    /// The words that users read.
    pub fn describe(self) -> &'static str {
        match self {
            Effect::InsideOnly => "coroutine-only",
            Effect::Mixed => "mixed",
            Effect::OutsideOnly => "non-coroutine-only",
            Effect::Entry => "an entry",
        }
    }
}
