//! Models of functions without marks, and cuts of call chains.

use serde::{Deserialize, Serialize};

use super::Effect;
use super::naming::is_pattern;

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

impl Model {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.functions.is_empty() {
            return Err("a model names no `functions`; add those that it is about".to_owned());
        }
        if let Some(name) = self.functions.iter().find(|name| !is_pattern(name)) {
            return Err(no_name("a model", name));
        }
        if self.reason.trim().is_empty() {
            return Err(format!("the model of {:?} has no reason; state why it is correct", self.functions));
        }
        Ok(())
    }
}

/// The message about what is no name of functions.
pub(super) fn no_name(whose: &str, name: &str) -> String {
    format!("{whose} names `{}`, which is no function; expected a name, perhaps with `*`", name.escape_debug())
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
