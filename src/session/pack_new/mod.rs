//! A starter for a pack: from what a user says, and with a tree from what its texts suggest.
//!
//! What a user says is in force. What the texts suggest is in comments: that a macro stands before
//! declarations does not tell what it demands.

mod hints;

use std::path::{Path, PathBuf};

use cowrap_base::files::{Shown, is_deceptive};
use cowrap_packs::{Pack, PackError, pack_name_problem};

use crate::Error;
use crate::request::Request;

pub use hints::{Hint, TreeHints, find_hints};

/// What a user says of a new pack.
#[derive(Clone, Debug, Default)]
pub struct NewPack {
    /// Its name.
    pub name: String,
    /// Where inside is, after a verb.
    pub inside: Option<String>,
    /// Where outside is, after a verb.
    pub outside: Option<String>,
    /// The marks: their names, with `()` behind those that are statements, and their effects.
    pub marks: Vec<(String, String)>,
    /// Functions that tell the context.
    pub predicates: Vec<String>,
    /// Functions that need the inside context themselves.
    pub primitives: Vec<String>,
    /// Slots whose functions start inside.
    pub entries: Vec<String>,
    /// Functions that must not be called inside.
    pub outside_only: Vec<String>,
}

/// Where the tree is that a new pack is for.
#[derive(Clone, Debug)]
pub enum HintSource {
    /// The root of the tree, without a compilation database.
    Root(PathBuf),
    /// The tree of a request.
    Request(Box<Request>),
}

/// How many candidates of a kind are written.
const MOST_SHOWN: usize = 12;

/// The text of a pack, which is valid.
///
/// # Errors
///
/// What the user says makes no pack, such as a mark with an unknown effect.
pub fn starter(new: &NewPack, hints: Option<&TreeHints>) -> Result<String, Error> {
    if let Some(problem) = pack_name_problem(&new.name) {
        return Err(PackError::Invalid { path: "--name".to_owned(), message: problem }.into());
    }
    let mut text = Text::default();
    text.all(new, hints);
    // The file does not exist yet; errors are about what was said.
    Pack::parse(&text.0, Path::new(&new.name))?;
    Ok(text.0)
}

/// A text that grows by lines.
#[derive(Default)]
struct Text(String);

impl Text {
    fn all(&mut self, new: &NewPack, hints: Option<&TreeHints>) {
        self.line("# A pack: what cowrap has to know of a code base. docs/pack-reference.md describes all keys.");
        self.line("# `cowrap pack check` says what each name here matches in a tree.");
        self.line("");
        self.line(&format!("name = {}", quoted(&new.name)));
        self.headers(new, hints);
        self.line("");
        self.line("# Functions that return whether the caller runs inside; `!name` for outside.");
        self.candidates(hints.map(|hints| hints.predicates.as_slice()), &new.predicates);
        self.list("predicates", &new.predicates);
        self.line("");
        self.line("# Functions that need the inside context themselves. All others need it to call these.");
        self.list("primitives", &new.primitives);
        self.words(new);
        self.marks(new, hints);
        self.entries(new, hints);
        self.models(new);
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// The headers that define marks.
    fn headers(&mut self, new: &NewPack, hints: Option<&TreeHints>) {
        let marks = new.marks.iter();
        let defined = marks.flat_map(|(name, _)| hints.into_iter().flat_map(|hints| hints.definitions(plain(name))));
        let mut headers: Vec<String> = defined.map(|path| escaped(&path.to_string_lossy())).collect();
        headers.sort();
        headers.dedup();
        self.line("");
        self.line("# The headers that define marks, as patterns of paths relative to the root of the tree.");
        match (new.marks.is_empty(), headers.is_empty()) {
            (_, false) => self.line(&format!("headers = {}", list(&headers))),
            (false, true) => self.line("headers = [\"**/*.h\"]"),
            (true, true) => self.line("# headers = [\"include/**/*.h\"]"),
        }
    }

    /// A list of names.
    fn list(&mut self, key: &str, names: &[String]) {
        match names.is_empty() {
            true => self.line(&format!("# {key} = [\"name\"]")),
            false => self.line(&format!("{key} = {}", list(names))),
        }
    }

    /// What the tree suggests, without what the user says.
    fn candidates(&mut self, hints: Option<&[Hint]>, said: &[String]) {
        let is_new = |hint: &&Hint| !said.iter().any(|name| name.trim_start_matches('!') == hint.name);
        for hint in hints.into_iter().flatten().filter(is_new).take(MOST_SHOWN) {
            self.line(&format!("# candidate: {}", shown(hint)));
        }
    }

    fn words(&mut self, new: &NewPack) {
        self.line("");
        self.line("# What messages call the two contexts, as in \"called in a signal handler\".");
        self.line("[words]");
        let mut word = |key: &str, word: &Option<String>, example: &str| match word {
            Some(word) => self.line(&format!("{key} = {}", quoted(word))),
            None => self.line(&format!("# {key} = {}", quoted(example))),
        };
        word("inside", &new.inside, "in a signal handler");
        word("outside", &new.outside, "outside of signal handlers");
        word("inside_only", &None, "handler-only");
        word("outside_only", &None, "signal-unsafe");
    }

    fn marks(&mut self, new: &NewPack, hints: Option<&TreeHints>) {
        self.line("");
        self.line("# Marks: macros on declarations, or statements in bodies, that say what a function requires of");
        self.line("# its callers: \"inside-only\", \"outside-only\", or \"mixed\" for both contexts. The body of an \"entry\"");
        self.line("# starts inside, whoever calls it.");
        for (name, effect) in &new.marks {
            self.line("");
            self.line("[[mark]]");
            self.line(&format!("name = {}", quoted(plain(name))));
            self.line(&format!("effect = {}", quoted(effect)));
            if is_statement(name, hints) {
                self.line("statement = true");
            }
        }
        let is_new = |hint: &&Hint| !new.marks.iter().any(|(name, _)| plain(name) == hint.name);
        for hint in hints.into_iter().flat_map(|hints| &hints.marks).filter(is_new).take(MOST_SHOWN) {
            self.line("");
            self.line(&format!("# candidate: {}", shown(hint)));
            self.line("# [[mark]]");
            self.line(&format!("# name = {}", quoted(&hint.name)));
            self.line("# effect = \"inside-only\"");
            if hint.is_statement {
                self.line("# statement = true");
            }
        }
    }

    fn entries(&mut self, new: &NewPack, hints: Option<&TreeHints>) {
        self.line("");
        self.line("# Function pointers: what is stored in a slot with the effect \"entry\" starts inside, and owes");
        self.line("# nothing to its callers. A slot is `Record::field`, `function(2)`, or `typedef Name`.");
        for entry in &new.entries {
            self.line("");
            self.line("[[slot]]");
            self.line(&format!("slot = {}", quoted(entry)));
            self.line("effect = \"entry\"");
        }
        let is_new = |hint: &&Hint| !new.entries.contains(&hint.name);
        let slots = hints.into_iter().flat_map(|hints| hints.entries.iter().chain(&hints.callbacks));
        for hint in slots.filter(is_new).take(MOST_SHOWN) {
            self.line("");
            self.line(&format!("# candidate: {}", shown(hint)));
            self.line("# [[slot]]");
            self.line(&format!("# slot = {}", quoted(&hint.name)));
            self.line("# effect = \"entry\"");
        }
    }

    fn models(&mut self, new: &NewPack) {
        self.line("");
        self.line("# What functions without marks require. `*` stands for any characters, as in \"*_from_isr\".");
        let (comment, functions) = match new.outside_only.is_empty() {
            true => ("# ", list(&["name".to_owned()])),
            false => ("", list(&new.outside_only)),
        };
        let outside = new.outside.as_deref().unwrap_or("in the outside context");
        self.line("");
        self.line(&format!("{comment}[[model]]"));
        self.line(&format!("{comment}functions = {functions}"));
        self.line(&format!("{comment}effect = \"outside-only\""));
        self.line(&format!("{comment}reason = {}", quoted(&format!("it may only be called {outside}"))));
    }
}

/// The pattern that matches one path.
fn escaped(path: &str) -> String {
    path.chars().map(|c| if "*?[]{}!\\".contains(c) { format!("[{c}]") } else { c.to_string() }).collect()
}

/// The name of a mark without `()`.
fn plain(name: &str) -> &str {
    name.strip_suffix("()").unwrap_or(name)
}

/// Whether a mark is a statement: because the user says so, or because of how the tree uses it.
fn is_statement(name: &str, hints: Option<&TreeHints>) -> bool {
    name.ends_with("()") || hints.is_some_and(|hints| hints.is_statement(name))
}

/// A candidate with its number and an example, in one line.
fn shown(hint: &Hint) -> String {
    let Hint { name, what, count, path, line, .. } = hint;
    let plural = if *count == 1 { "" } else { "s" };
    let text = format!("`{name}`, {count} {what}{plural}, first at {}:{line}", path.shown());
    text.chars().map(|c| if is_deceptive(c) { '?' } else { c }).collect()
}

/// A text of TOML. JSON's escapes are valid there.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}
