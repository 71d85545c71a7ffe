//! Models of functions without marks, and cuts of call chains.

use serde::{Deserialize, Serialize};

use super::Effect;

/// What functions without marks require of their callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The functions, by name. `*` stands for any characters, as in `*_from_isr`.
    pub functions: Vec<String>,
    /// What they require of their callers.
    pub effect: Effect,
    /// The reason, for people.
    pub reason: String,
    /// The gravest level of findings about these functions; the rule's without it.
    pub level: Option<cowrap_report::Level>,
    /// Whether these are functions of a library: one that the program defines under such a name is another function.
    #[serde(default)]
    pub library: bool,
}

/// A call that call chains do not follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The caller, by name.
    pub caller: String,
    /// The callee, by name; also if it is called through a pointer.
    pub callee: String,
    /// The reason, for people.
    pub reason: String,
}
