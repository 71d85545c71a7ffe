//! Advice that is peculiar to a context: the help texts that a pack can write itself.

use std::collections::BTreeMap;

use super::template::Template;
use super::words::{KEYS, Words};

/// A help text that a pack can have in `[help]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Help {
    /// A call that is only right inside, from what has a requirement of its own, with a predicate.
    Guard,
    /// The same without a predicate.
    OnlyInside,
    /// Calls that are only right inside, from a function that is called in both contexts, with a predicate.
    GuardOrSplit,
    /// The same without a predicate.
    Split,
    /// A call that is only right inside, from a function that another thread runs.
    LeaveThread,
    /// A direct call inside that is only right outside.
    MoveOut,
    /// A call inside that leads to one that is only right outside.
    MoveOutOfChain,
    /// A function pointer through which calls inside lead to something that is only right outside, with a mark.
    MoveOutOfSlot,
    /// A call that may reach a primitive while a lock is held.
    ReleaseLock,
    /// A store into a slot whose flag is wrong.
    SetFlag,
    /// A store into a slot that is called inside.
    StoreInside,
    /// A store into a parameter that another thread runs.
    PassOutside,
    /// Code that enters the context by hand, with a mark for wrappers.
    OneFunctionWithMark,
    /// The same without one.
    OneFunction,
}

/// A help text: its key, its general form, and the placeholders that it can have besides words. Those in `required`
/// must be in the text.
struct Spec {
    help: Help,
    key: &'static str,
    text: &'static str,
    placeholders: &'static [&'static str],
    required: &'static [&'static str],
}

const fn spec(
    help: Help,
    key: &'static str,
    text: &'static str,
    placeholders: &'static [&'static str],
    required: &'static [&'static str],
) -> Spec {
    Spec { help, key, text, placeholders, required }
}

/// All help texts.
const ALL: &[Spec] = &[
    spec(
        Help::Guard,
        "guard",
        "guard the call with `if ({predicate})`",
        &["caller", "callee", "call", "predicate"],
        &["predicate"],
    ),
    spec(Help::OnlyInside, "only_inside", "make the call {inside} only", &["caller", "callee", "call"], &[]),
    spec(
        Help::GuardOrSplit,
        "guard_or_split",
        "`{caller}` is called in both contexts: guard the calls with `if ({predicate})`, or split the function",
        &["caller", "predicate"],
        &["predicate"],
    ),
    spec(Help::Split, "split", "`{caller}` is called in both contexts: split the function", &["caller"], &[]),
    spec(
        Help::LeaveThread,
        "leave_thread",
        "move the {call} out of `{caller}`",
        &["caller", "callee", "call"],
        &["call"],
    ),
    spec(
        Help::MoveOut,
        "move_out",
        "move the {call} out of {inside_context}",
        &["caller", "callee", "call"],
        &["call"],
    ),
    spec(
        Help::MoveOutOfChain,
        "move_out_of_chain",
        "move the {call} out of {inside_context}",
        &["caller", "callee", "call", "reached"],
        &[],
    ),
    spec(
        Help::MoveOutOfSlot,
        "move_out_of_slot",
        "mark {slot} as `{mark}` if it is never called {inside}; otherwise move the call out of {inside_context}",
        &["slot", "mark", "reached"],
        &["slot", "mark"],
    ),
    spec(Help::ReleaseLock, "release_lock", "release the lock before the call", &["caller", "call", "lock"], &[]),
    spec(
        Help::SetFlag,
        "set_flag",
        "set the flag if the function is then called {inside}, or store another function",
        &["slot", "value"],
        &[],
    ),
    spec(Help::StoreInside, "store_inside", "store a function that may run {inside}", &["slot", "value"], &[]),
    spec(
        Help::PassOutside,
        "pass_outside",
        "pass a function that does not require {inside_context}",
        &["slot", "value"],
        &[],
    ),
    spec(
        Help::OneFunctionWithMark,
        "one_function_with_mark",
        "move the code that runs {entered} into one function, and declare its wrapper with `{mark}`",
        &["caller", "mark"],
        &["mark"],
    ),
    spec(
        Help::OneFunction,
        "one_function",
        "move the code that runs {entered} into one function, and generate its wrapper",
        &["caller"],
        &[],
    ),
];

/// The help texts of a pack.
#[derive(Clone, Debug)]
pub(super) struct HelpTexts(BTreeMap<Help, Template>);

impl HelpTexts {
    /// The texts of a pack that has some of its own, by their keys. They were checked.
    pub(super) fn new(own: &BTreeMap<String, String>) -> HelpTexts {
        let template = |spec: &Spec| {
            let texts = own.get(spec.key).map(String::as_str).into_iter().chain([spec.text]);
            let template = texts.filter_map(|text| spec.parse(text).ok()).next();
            template.map(|template| (spec.help, template))
        };
        HelpTexts(ALL.iter().filter_map(template).collect())
    }

    /// A help text with its values.
    pub(super) fn fill(&self, help: Help, words: &Words, values: &[(&str, &str)]) -> String {
        self.0.get(&help).map(|template| words.fill_template(template, values)).unwrap_or_default()
    }
}

impl Spec {
    /// Parses a text of this kind. A problem has its offset in the text.
    fn parse(&self, text: &str) -> Result<Template, (usize, String)> {
        let known: Vec<&str> = self.placeholders.iter().chain(KEYS).copied().collect();
        let template = Template::parse(text, &known).map_err(|problem| (problem.offset, problem.message))?;
        match self.required.iter().find(|name| !template.names(name)) {
            Some(missing) => {
                Err((0, format!("the help text `{}` must have the placeholder `{{{missing}}}`", self.key)))
            }
            None => Ok(template),
        }
    }
}

/// What is wrong with a help text, and where in the text; `None` for the offset if it is the key.
pub(super) fn problem(key: &str, text: &str) -> Option<(Option<usize>, String)> {
    let Some(spec) = ALL.iter().find(|spec| spec.key == key) else {
        let keys: Vec<String> = ALL.iter().map(|spec| format!("`{}`", spec.key)).collect();
        return Some((None, format!("unknown help text `{key}`; known are {}", keys.join(", "))));
    };
    super::words::form_problem(text).map(|message| (Some(0), message)).or_else(|| {
        let (offset, message) = spec.parse(text).err()?;
        Some((Some(offset), message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_help_text_has_a_general_form() {
        let (words, texts) = (Words::new(&BTreeMap::new()), HelpTexts::new(&BTreeMap::new()));
        for spec in ALL {
            assert!(spec.parse(spec.text).is_ok(), "{}", spec.key);
            let values: Vec<(&str, &str)> = spec.placeholders.iter().map(|name| (*name, "x")).collect();
            let text = texts.fill(spec.help, &words, &values);
            assert!(!text.is_empty() && !text.contains('{') && !text.ends_with('.'), "{text}");
        }
    }
}
