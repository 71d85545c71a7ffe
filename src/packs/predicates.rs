//! What tells a body its context, and what changes it: predicates and changes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use cowrap_facts::Context;

use super::models::no_name;
use super::naming::{is_identifier, is_pattern};

/// What tells a body in which context it runs: a call of a function or a macro, perhaps compared with something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Predicate {
    /// The function or macro.
    pub name: String,
    /// What its result is compared with. Without it, the result itself is the answer.
    pub compared: Option<Compared>,
    /// The context if the answer is yes.
    pub context: Context,
}

/// What the result of a predicate is compared with: `current_thread() == main_thread()`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compared {
    /// The result of a function or macro without arguments.
    Call(String),
    /// A constant or variable, by name.
    Name(String),
    /// A number.
    Number(i64),
}

/// Functions or macros that change the context of the body that calls them: that take or drop a lock, or block signals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The functions and macros, by name.
    pub functions: Vec<String>,
    /// The context behind them.
    pub to: ContextName,
    /// The only context from which they come back: a lock cannot be taken by whoever holds it. From the other one, they
    /// never do. Without it, they change nothing there.
    pub from: Option<ContextName>,
    /// For functions that do not always change the context: what they return if they did. A lock that is tried is one.
    pub result: Option<ChangeResult>,
    /// Whether they are guards: the context is the earlier one again at the end of the block, or of the statement that
    /// follows the macro.
    #[serde(default)]
    pub guard: bool,
    /// An argument that must be a constant, for functions that do several things: `{ argument = 1, is = "SIG_BLOCK" }`.
    pub when: Option<When>,
}

impl Change {
    pub(super) fn validate(&self) -> Result<(), String> {
        let Some(first) = self.functions.first() else {
            return Err("a change names no `functions`; add those that change the context".to_owned());
        };
        if let Some(name) = self.functions.iter().find(|name| !is_pattern(name)) {
            return Err(no_name("a change", name));
        }
        if self.from == Some(self.to) {
            return Err(format!("the change by `{first}` has the same context in `from` and `to`; give the other one"));
        }
        if self.guard && self.result.is_some() {
            return Err(format!(
                "the change by `{first}` has `guard` and `result`; a guard always changes the context"
            ));
        }
        match &self.when {
            Some(When { argument: 0, .. }) => {
                Err(format!("the change by `{first}` has `argument = 0`; the first argument is 1"))
            }
            _ => Ok(()),
        }
    }
}

/// A function that changes to both contexts whenever it is called: the position of the later change, and the message.
pub(super) fn contrary_changes(changes: &[Change]) -> Option<(usize, String)> {
    let is_unconditional = |change: &Change| change.from.is_none() && change.result.is_none() && change.when.is_none();
    let mut known: HashMap<&str, ContextName> = HashMap::new();
    for (index, change) in changes.iter().enumerate().filter(|(_, change)| is_unconditional(change)) {
        for name in &change.functions {
            if known.insert(name, change.to).is_some_and(|to| to != change.to) {
                let message = format!(
                    "`{name}` changes to both contexts; say with `from`, `result` or `when` which change is made when"
                );
                return Some((index, message));
            }
        }
    }
    None
}

/// A predicate that is there with both answers: the position of the later one, and the message.
pub(super) fn contrary_predicates(predicates: &[Predicate]) -> Option<(usize, String)> {
    let mut known: HashMap<(&str, &Option<Compared>), Context> = HashMap::new();
    predicates.iter().enumerate().find_map(|(index, predicate)| {
        let earlier = known.insert((&predicate.name, &predicate.compared), predicate.context)?;
        (earlier != predicate.context).then(|| {
            (index, format!("the predicates have both `{predicate}` and its opposite; remove the one that is wrong"))
        })
    })
}

/// What a function returns if it changed the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeResult {
    /// Anything but 0.
    Nonzero,
    /// 0.
    Zero,
}

/// What an argument must be for a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Which argument, from 1.
    pub argument: u16,
    /// The name of a constant, or a number.
    pub is: String,
}

/// A context in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContextName {
    /// [`Context::Inside`].
    Inside,
    /// [`Context::Outside`].
    Outside,
}

impl From<ContextName> for Context {
    fn from(name: ContextName) -> Context {
        match name {
            ContextName::Inside => Context::Inside,
            ContextName::Outside => Context::Outside,
        }
    }
}

impl TryFrom<String> for Predicate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid = || {
            format!(
                "`{text}` is not a predicate; expected `name`, `!name`, or a comparison such as `name() == other()`"
            )
        };
        let comparison = text.split_once("==").map(|parts| (parts, Context::Inside));
        let comparison = comparison.or_else(|| text.split_once("!=").map(|parts| (parts, Context::Outside)));
        let without_parentheses = |call: &str| call.trim().strip_suffix("()").map(str::to_owned);
        if let Some(((left, right), context)) = comparison {
            let name = without_parentheses(left).filter(|name| is_identifier(name)).ok_or_else(invalid)?;
            let right = right.trim();
            let compared = match without_parentheses(right) {
                Some(call) if is_identifier(&call) => Compared::Call(call),
                _ if is_identifier(right) => Compared::Name(right.to_owned()),
                _ => Compared::Number(right.parse().map_err(|_| invalid())?),
            };
            return Ok(Predicate { name, compared: Some(compared), context });
        }
        let (name, context) = match text.strip_prefix('!') {
            Some(name) => (name, Context::Outside),
            None => (text.as_str(), Context::Inside),
        };
        let name = without_parentheses(name).unwrap_or_else(|| name.trim().to_owned());
        if !is_identifier(&name) {
            return Err(invalid());
        }
        Ok(Predicate { name, compared: None, context })
    }
}

impl From<Predicate> for String {
    fn from(predicate: Predicate) -> String {
        predicate.to_string()
    }
}

impl std::fmt::Display for Predicate {
    /// The expression that is true inside, as C writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Predicate { name, compared, context } = self;
        let is_inside = *context == Context::Inside;
        match compared {
            None if is_inside => write!(f, "{name}()"),
            None => write!(f, "!{name}()"),
            Some(compared) => {
                write!(f, "{name}() {} ", if is_inside { "==" } else { "!=" })?;
                match compared {
                    Compared::Call(call) => write!(f, "{call}()"),
                    Compared::Name(name) => write!(f, "{name}"),
                    Compared::Number(number) => write!(f, "{number}"),
                }
            }
        }
    }
}
