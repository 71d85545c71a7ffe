//! Function-pointer slots without marks, and parameters whose function another thread runs.

use serde::{Deserialize, Serialize};

use super::Effect;
use super::naming::is_identifier;

/// What the pack says of a function-pointer slot without a mark. Its requirement can depend on a flag beside it: another
/// field of the record, or another argument of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotModel {
    /// The slot.
    pub slot: SlotName,
    /// What the slot requires of those who call through it, and so of what is stored there. What is stored in a slot
    /// with the effect [`Effect::Entry`] starts inside.
    pub effect: Option<Effect>,
    /// The flag: a field of the same record, or a parameter of the same function. Without one the requirement is
    /// unknown, and cowrap does not check stores into the slot.
    pub flag: Option<SlotName>,
    /// The constant that must be among the flag's bits, or the function whose result the flag must be, as in
    /// `main_context()`. Without one, any value but 0 sets the flag.
    pub constant: Option<String>,
    /// The slot's requirement if the flag is set.
    pub set: Option<Effect>,
    /// The slot's requirement if it is not.
    pub unset: Option<Effect>,
    /// For entries: which of their parameters are never 0, from 1. The kernel passes a signal's number, for example.
    #[serde(default)]
    pub nonzero: Vec<u16>,
    /// Whether call chains do not go through the slot: what decides which of its functions is called, such as a
    /// registration with an event loop, is not in the types.
    #[serde(default)]
    pub opaque: bool,
    /// Whether it is the parameter of a library's function: a function that the program defines under that name is
    /// another one, and its body says what it does with what it is passed.
    #[serde(default)]
    pub library: bool,
    /// The reason, for people.
    pub reason: Option<String>,
    /// As in [`Lock::is_foreign`].
    #[serde(skip)]
    pub is_foreign: bool,
}

/// The name of slots: `Record::field`, `function(2)` for the second parameter of a function, or `typedef Name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SlotName {
    /// A field of a record.
    Field {
        /// The record's name, without `struct`.
        record: String,
        /// The field's name.
        field: String,
    },
    /// A parameter of a function.
    Parameter {
        /// The function's name.
        function: String,
        /// Which parameter, from 0.
        position: u16,
    },
    /// Everything that is declared with a typedef.
    Typedef {
        /// The typedef's name.
        name: String,
    },
}

/// A parameter whose function runs in another thread: `function(2)` for the second parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ThreadParameter {
    /// The function's name.
    pub function: String,
    /// Which parameter, from 0.
    pub position: u16,
}

impl SlotModel {
    pub(super) fn validate(&self) -> Result<(), String> {
        let SlotModel { slot, effect, flag, constant, set, unset, nonzero, .. } = self;
        if nonzero.contains(&0) {
            return Err(format!("the model of `{slot}` has 0 in `nonzero`; the first parameter is 1"));
        }
        if !nonzero.is_empty() && [effect, set, unset].into_iter().all(|effect| *effect != Some(Effect::Entry)) {
            return Err(format!("the model of `{slot}` has `nonzero`, which is about entries; remove it"));
        }
        let Some(flag) = flag else {
            if constant.is_some() || set.is_some() || unset.is_some() {
                return Err(format!(
                    "the model of `{slot}` has no `flag`; add it, or remove `constant`, `set` and `unset`"
                ));
            }
            return Ok(());
        };
        if effect.is_some() {
            return Err(format!(
                "the model of `{slot}` has both `effect` and `flag`; use `set` and `unset` with a flag"
            ));
        }
        let beside = match (slot, flag) {
            (SlotName::Field { record, .. }, SlotName::Field { record: other, .. }) => record == other,
            (SlotName::Parameter { function, .. }, SlotName::Parameter { function: other, .. }) => function == other,
            _ => false,
        };
        if !beside || slot == flag {
            return Err(format!("`{flag}` and `{slot}` must be fields of one record, or parameters of one function"));
        }
        if set.is_none() && unset.is_none() {
            return Err(format!("the model of `{slot}` has neither `set` nor `unset`"));
        }
        Ok(())
    }

    /// What the slot requires with this value of the flag.
    pub fn effect(&self, set: bool) -> Option<Effect> {
        if set { self.set } else { self.unset }
    }
}

impl TryFrom<String> for SlotName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some((record, field)) = text.split_once("::")
            && is_identifier(record)
            && is_identifier(field)
        {
            return Ok(SlotName::Field { record: record.to_owned(), field: field.to_owned() });
        }
        let parameter = text.strip_suffix(')').and_then(|text| text.split_once('('));
        if let Some((function, position)) = parameter
            && is_identifier(function)
            && let Some(position) = position.parse::<u16>().ok().and_then(|position| position.checked_sub(1))
        {
            return Ok(SlotName::Parameter { function: function.to_owned(), position });
        }
        if let Some(name) = text.strip_prefix("typedef ")
            && is_identifier(name)
        {
            return Ok(SlotName::Typedef { name: name.to_owned() });
        }
        Err(format!(
            "`{text}` is not a slot; expected `Record::field`, `function(2)` for the second parameter, or `typedef Name`"
        ))
    }
}

impl TryFrom<String> for ThreadParameter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match SlotName::try_from(text.clone()) {
            Ok(SlotName::Parameter { function, position }) => Ok(ThreadParameter { function, position }),
            _ => Err(format!("`{text}` is not a parameter; expected `function(2)` for the second parameter")),
        }
    }
}

impl std::fmt::Display for ThreadParameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.function, self.position + 1)
    }
}

impl From<SlotName> for String {
    fn from(name: SlotName) -> String {
        name.to_string()
    }
}

impl std::fmt::Display for SlotName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SlotName::Field { record, field } => write!(f, "{record}::{field}"),
            SlotName::Parameter { function, position } => write!(f, "{function}({})", position + 1),
            SlotName::Typedef { name } => write!(f, "typedef {name}"),
        }
    }
}
