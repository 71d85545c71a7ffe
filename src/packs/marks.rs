//! Marks, wrapper marks and lock marks.

use serde::{Deserialize, Serialize};

use super::Effect;
use super::naming::is_identifier;

/// A mark of the code base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkSpec {
    /// The macro's name.
    pub name: String,
    /// What a function with this mark requires of its caller; `None` for a lock mark.
    pub effect: Option<Effect>,
    /// For a wrapper mark, the wrapper to generate.
    pub wrapper: Option<Wrapper>,
    /// For a lock mark, how the lock must be held.
    pub lock: Option<LockMode>,
    /// Whether the mark is a statement in the body of a function, as in `IO_CODE();`, and not on declarations.
    #[serde(default)]
    pub statement: bool,
    /// As in [`Lock::is_foreign`]. It says nothing then.
    #[serde(skip)]
    pub is_foreign: bool,
}

/// What a wrapper mark says about the generated function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapper {
    /// What the wrapper's target requires.
    pub calls: Effect,
    /// The lock that the wrapper takes around the call.
    pub lock: Option<LockMode>,
    /// For the pack's templates: where a wrapper that leaves the inside context runs its target. Without this the
    /// template decides.
    pub context: Option<String>,
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Shared with other readers.
    Read,
    /// Held alone.
    Write,
}

impl MarkSpec {
    pub(super) fn validate(&self) -> Result<(), String> {
        let MarkSpec { name, effect, wrapper, lock, .. } = self;
        match () {
            () if !is_identifier(name) => {
                Err(format!("the mark `{name}` is not a C identifier; write the macro's name"))
            }
            () if wrapper.as_ref().is_some_and(|wrapper| wrapper.calls == Effect::Entry) => Err(format!(
                "the wrapper mark `{name}` calls an entry, which nobody calls; write what the target requires"
            )),
            () if effect.is_none() && lock.is_none() => {
                Err(format!("the mark `{name}` has neither `effect` nor `lock`; add what it says"))
            }
            () => Ok(()),
        }
    }
}
