//! What a finding is about, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that a finding is about: its part in it, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its part.
    pub role: Role,
    /// Its name, as the sources spell it: no quotes and no other words.
    pub name: String,
}

/// The part that a subject has in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The function that calls.
    Caller,
    /// The function that is called.
    Callee,
    /// The function that a call chain leads to.
    Reached,
    /// The function that the inside context starts with.
    Entry,
    /// A function that neither calls nor is called in this finding.
    Function,
    /// A function-pointer slot: `Struct::field`, a variable, `function(1)` for a parameter,
    /// `function()` for a result.
    Slot,
    /// A generated wrapper, or one to be generated.
    Wrapper,
    /// The function that a wrapper wraps.
    Target,
    /// A mark.
    Mark,
    /// A lock, by its name in the pack.
    Lock,
    /// A rule that is named in a comment or a baseline.
    Rule,
    /// A rule that is named in a comment, and that does not exist.
    UnknownRule,
    /// A file, by its path relative to the root.
    File,
    /// A baseline entry, by its fingerprint.
    BaselineEntry,
}

impl Role {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Role::Caller => "caller",
            Role::Callee => "callee",
            Role::Reached => "reached",
            Role::Entry => "entry",
            Role::Function => "function",
            Role::Slot => "slot",
            Role::Wrapper => "wrapper",
            Role::Target => "target",
            Role::Mark => "mark",
            Role::Lock => "lock",
            Role::Rule => "rule",
            Role::UnknownRule => "unknown-rule",
            Role::File => "file",
            Role::BaselineEntry => "baseline-entry",
        }
    }

    /// The subject that has this role.
    pub fn of(self, name: impl Into<String>) -> Subject {
        Subject { role: self, name: name.into() }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_the_names_that_json_has() {
        let roles = [
            Role::Caller,
            Role::Callee,
            Role::Reached,
            Role::Entry,
            Role::Function,
            Role::Slot,
            Role::Wrapper,
            Role::Target,
            Role::Mark,
            Role::Lock,
            Role::Rule,
            Role::UnknownRule,
            Role::File,
            Role::BaselineEntry,
        ];
        for role in roles {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
    }
}
