//! Locks of threads.

use serde::{Deserialize, Serialize};

/// A lock that belongs to a thread: code inside that holds it must not reach a primitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Its name in findings.
    pub name: String,
    /// Functions or macros that acquire it.
    #[serde(default)]
    pub acquire: Vec<String>,
    /// Functions or macros that release it. Their argument identifies the lock.
    #[serde(default)]
    pub release: Vec<String>,
    /// Macros that declare a variable whose cleanup releases it.
    #[serde(default)]
    pub guards: Vec<String>,
    /// For guards that select by the type of their argument: the types of this lock.
    #[serde(default)]
    pub types: Vec<String>,
    /// Whether it is another pack's, and only here so that all packs of a run count the same ([`PackSet`]).
    #[serde(skip)]
    pub is_foreign: bool,
}
