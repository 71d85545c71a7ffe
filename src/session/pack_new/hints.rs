//! What the texts of a tree suggest for a pack. No compiler is needed, and nothing here is certain.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use rayon::iter::Either;
use rayon::prelude::*;

use cowrap_base::files::{LONGEST_TEXT, Shown, read_source};
use cowrap_csyntax::lex::{Kind, Lines, Token, lex};

use crate::Error;
use crate::inputs::inputs;

use super::HintSource;

/// Something that a pack may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The name, as packs write it.
    pub name: String,
    /// What is counted, in the singular.
    pub what: &'static str,
    /// How often it occurs.
    pub count: usize,
    /// The file of the first occurrence, relative to the root.
    pub path: PathBuf,
    /// Its line.
    pub line: u32,
    /// For a mark, whether it is a statement.
    pub is_statement: bool,
}

/// What the texts of a tree suggest.
#[derive(Clone, Debug, Default)]
pub struct TreeHints {
    /// Macros that may be marks, the most frequent first.
    pub marks: Vec<Hint>,
    /// Functions without arguments that are asserted on.
    pub predicates: Vec<Hint>,
    /// Slots of which known functions say that what is stored there is called by others.
    pub entries: Vec<Hint>,
    /// Parameters of all other functions to which the tree passes functions of its own.
    pub callbacks: Vec<Hint>,
    /// The files that could not be read, relative to the root, and why.
    pub unread: Vec<(PathBuf, String)>,
    /// The macros that expand to nothing or to an assertion, with the files that define them.
    macros: BTreeMap<String, Macro>,
}

/// A macro, by all of its definitions.
#[derive(Clone, Debug, Default)]
struct Macro {
    files: BTreeSet<PathBuf>,
    has_parameters: bool,
    /// Whether some definition is an assertion.
    asserts: bool,
    /// Whether some definition is something else than nothing or an assertion.
    is_other: bool,
}

impl Macro {
    fn is_statement(&self) -> bool {
        self.has_parameters || self.asserts
    }
}

impl TreeHints {
    /// The files that define a macro, relative to the root.
    pub(super) fn definitions(&self, name: &str) -> impl Iterator<Item = &PathBuf> {
        self.macros.get(name).into_iter().flat_map(|defined| &defined.files)
    }

    /// Whether a macro takes parameters or asserts, and so is no mark on declarations.
    pub(super) fn is_statement(&self, name: &str) -> bool {
        self.macros.get(name).is_some_and(Macro::is_statement)
    }
}

/// Functions that call one of their parameters later, or elsewhere: the name and the position, from 1. They are those of
/// libraries, which no pack needs to know.
const INSTALLERS: &[(&str, usize)] = &[
    ("signal", 2),
    ("bsd_signal", 2),
    ("sigset", 2),
    ("pthread_create", 3),
    ("thrd_create", 2),
    ("g_thread_new", 2),
    ("g_thread_try_new", 2),
    ("g_thread_pool_new", 1),
    ("kthread_run", 1),
    ("kthread_create", 1),
    ("atexit", 1),
];

/// Fields that hold signal handlers.
const HANDLER_FIELDS: &[(&str, &str)] =
    &[("sa_handler", "sigaction::sa_handler"), ("sa_sigaction", "sigaction::sa_sigaction")];

/// Parts of the names of functions that give work to a pool of threads.
const POOL_VERBS: &[&str] = &["submit", "queue", "add", "push", "spawn", "run"];

/// Reads the sources of a tree.
///
/// # Errors
///
/// The tree cannot be found.
pub fn find_hints(source: &HintSource) -> Result<TreeHints, Error> {
    let (root, build) = match source {
        HintSource::Root(root) => {
            let known = root.canonicalize().ok().filter(|root| root.is_dir());
            (known.ok_or_else(|| Error::NoSuchPath { path: root.shown().to_string() })?, None)
        }
        HintSource::Request(request) => {
            let (_, tree) = inputs(request, None)?;
            (tree.root, tree.build)
        }
    };
    let mut files = Vec::new();
    add_files(&root, build.as_deref().filter(|build| *build != root), &mut files);
    files.sort();
    let read = files.into_par_iter().map(|path| {
        let relative = path.strip_prefix(&root).unwrap_or(&path).to_path_buf();
        match read_source(&path, LONGEST_TEXT) {
            Ok(text) => Ok((relative, text)),
            Err(error) => Err((relative, error.to_string())),
        }
    });
    let (texts, unread): (Vec<_>, Vec<_>) = read.partition_map(|read| match read {
        Ok(read) => Either::Left(read),
        Err(unread) => Either::Right(unread),
    });
    let definitions: Vec<BTreeMap<String, Macro>> =
        texts.par_iter().map(|(path, text)| macros_in(path, text)).collect();
    let mut hints = TreeHints { unread, ..TreeHints::default() };
    for (name, defined) in definitions.into_iter().flatten() {
        let known = hints.macros.entry(name).or_default();
        known.files.extend(defined.files);
        known.has_parameters |= defined.has_parameters;
        known.asserts |= defined.asserts;
        known.is_other |= defined.is_other;
    }
    hints.macros.retain(|_, defined| !defined.is_other);
    let functions: Vec<HashSet<String>> = texts.par_iter().map(|(_, text)| functions_in(text)).collect();
    let functions: HashSet<String> = functions.into_iter().flatten().collect();
    let uses: Vec<Uses> =
        texts.par_iter().map(|(path, text)| Uses::of(path, text, &hints.macros, &functions)).collect();
    let mut all = Uses::default();
    uses.into_iter().for_each(|uses| all.extend(uses));
    hints.marks = all.marks.into_hints();
    hints.predicates = all.predicates.into_hints();
    hints.entries = all.entries.into_hints();
    hints.callbacks = all.callbacks.into_hints();
    Ok(hints)
}

/// The C files below a directory. Symbolic links, directories that begin with a dot and the build directory are left out.
fn add_files(directory: &Path, build: Option<&Path>, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (Ok(kind), path) = (entry.file_type(), entry.path()) else { continue };
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !is_hidden && build != Some(&path) {
            add_files(&path, build, files);
        } else if kind.is_file()
            && path.extension().is_some_and(|end| ["c", "h", "inc"].iter().any(|known| end == *known))
        {
            files.push(path);
        }
    }
}

/// A token that counts, with its spelling.
struct Word<'t> {
    text: std::borrow::Cow<'t, str>,
    kind: Kind,
    start: usize,
}

fn words(text: &[u8], wanted: impl Fn(&Token) -> bool) -> Vec<Word<'_>> {
    let tokens =
        lex(text).into_iter().filter(|token| !token.kind.is_space() && !token.kind.is_comment() && wanted(token));
    let word = |token: Token| {
        let text = String::from_utf8_lossy(&text[token.span.clone()]);
        Word { text, kind: token.kind, start: token.span.start }
    };
    tokens.map(word).collect()
}

/// The macros that a file defines, of which those that expand to nothing or to an assertion are of interest.
fn macros_in(path: &Path, text: &[u8]) -> BTreeMap<String, Macro> {
    let mut macros: BTreeMap<String, Macro> = BTreeMap::new();
    let tokens: Vec<Token> = lex(text).into_iter().filter(|token| !token.kind.is_comment()).collect();
    let spelling = |token: &Token| String::from_utf8_lossy(&token.spelling(text)).into_owned();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        at += 1;
        if tokens[start].kind != Kind::Directive {
            continue;
        }
        let length =
            tokens[at..].iter().take_while(|token| token.in_directive && token.kind != Kind::Directive).count();
        let line = &tokens[at..at + length];
        at += length;
        let solid: Vec<&Token> = line.iter().filter(|token| !token.kind.is_space()).collect();
        let [define, name, body @ ..] = solid.as_slice() else { continue };
        if spelling(define) != "define" || name.kind != Kind::Word {
            continue;
        }
        let has_parameters =
            body.first().is_some_and(|next| next.kind == Kind::Punctuator("(") && next.span.start == name.span.end);
        let body: Vec<String> = match has_parameters {
            true => body
                .iter()
                .skip_while(|token| token.kind != Kind::Punctuator(")"))
                .skip(1)
                .map(|t| spelling(t))
                .collect(),
            false => body.iter().map(|token| spelling(token)).collect(),
        };
        let asserts = body.iter().any(|word| is_assertion(word));
        let known = macros.entry(spelling(name)).or_default();
        known.files.insert(path.to_path_buf());
        known.has_parameters |= has_parameters;
        known.asserts |= asserts;
        known.is_other |= !body.is_empty() && !asserts;
    }
    macros
}

fn is_assertion(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.ends_with("assert") || ["BUG_ON", "WARN_ON", "ASSERT_EQ", "VERIFY"].contains(&word)
}

/// The names of the functions that a file defines, as far as its text tells.
fn functions_in(text: &[u8]) -> HashSet<String> {
    let words = words(text, |token| !token.in_directive);
    let mut functions = HashSet::new();
    let (mut depth, mut at) = (0usize, 0);
    while at < words.len() {
        match words[at].kind {
            Kind::Punctuator("{") => depth += 1,
            Kind::Punctuator("}") => depth = depth.saturating_sub(1),
            Kind::Punctuator("(") if depth == 0 && at > 0 && words[at - 1].kind == Kind::Word => {
                if let Some(end) = closing(&words, at)
                    && words.get(end + 1).is_some_and(|next| next.kind == Kind::Punctuator("{"))
                {
                    functions.insert(words[at - 1].text.to_string());
                    at = end;
                }
            }
            _ => {}
        }
        at += 1;
    }
    functions
}

/// The position of the parenthesis that closes the one at a position.
fn closing(words: &[Word<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (position, word) in words.iter().enumerate().skip(open) {
        match word.kind {
            Kind::Punctuator("(") => depth += 1,
            Kind::Punctuator(")") => {
                depth -= 1;
                if depth == 0 {
                    return Some(position);
                }
            }
            // A declaration or a statement does not go on behind these.
            Kind::Punctuator(";") if depth == 1 && open + 200 < position => return None,
            _ => {}
        }
    }
    None
}

/// What occurs how often, and where first.
#[derive(Clone, Debug, Default)]
struct Occurrences(BTreeMap<String, Hint>);

impl Occurrences {
    fn add(&mut self, name: &str, what: &'static str, is_statement: bool, path: &Path, line: u32) {
        let hint = self.0.entry(name.to_owned()).or_insert_with(|| Hint {
            name: name.to_owned(),
            what,
            count: 0,
            path: path.to_path_buf(),
            line,
            is_statement,
        });
        hint.count += 1;
    }

    fn extend(&mut self, other: Occurrences) {
        for (name, hint) in other.0 {
            self.0.entry(name).and_modify(|known| known.count += hint.count).or_insert(hint);
        }
    }

    /// The most frequent first.
    fn into_hints(self) -> Vec<Hint> {
        let mut hints: Vec<Hint> = self.0.into_values().collect();
        hints.sort_by(|one, other| other.count.cmp(&one.count).then(one.name.cmp(&other.name)));
        hints
    }
}

/// What a file uses.
#[derive(Default)]
struct Uses {
    marks: Occurrences,
    predicates: Occurrences,
    entries: Occurrences,
    callbacks: Occurrences,
}

impl Uses {
    fn of(path: &Path, text: &[u8], macros: &BTreeMap<String, Macro>, functions: &HashSet<String>) -> Uses {
        let mut uses = Uses::default();
        let lines = Lines::new(text);
        let words = words(text, |token| !token.in_directive);
        let (mut depth, mut parentheses) = (0usize, 0usize);
        for (at, word) in words.iter().enumerate() {
            let line = || lines.line(word.start);
            match word.kind {
                Kind::Punctuator("{") => depth += 1,
                Kind::Punctuator("}") => depth = depth.saturating_sub(1),
                Kind::Punctuator("(") => parentheses += 1,
                Kind::Punctuator(")") => parentheses = parentheses.saturating_sub(1),
                Kind::Word => {
                    let name = word.text.as_ref();
                    if let Some(defined) = macros.get(name) {
                        let is_free = parentheses == 0;
                        if depth > 0 && is_free && is_statement(&words, at) {
                            uses.marks.add(name, "function", true, path, line());
                        } else if depth == 0 && is_free && !defined.is_statement() && is_before_function(&words, at) {
                            uses.marks.add(name, "declaration", false, path, line());
                        }
                    }
                    if let Some(predicate) = asserted(&words, at) {
                        uses.predicates.add(predicate, "assertion", false, path, line());
                    }
                    if let Some(slot) = installed(&words, at, functions) {
                        uses.entries.add(&slot, "use", false, path, line());
                    } else if depth > 0
                        && let Some(slot) = passed(&words, at, functions)
                    {
                        uses.callbacks.add(&slot, "use", false, path, line());
                    }
                }
                _ => {}
            }
        }
        uses.add_asserting_macros(path, text, &lines);
        uses
    }

    /// The predicates that macros assert, as in `#define TASK_ONLY() assert(!in_irq())`.
    fn add_asserting_macros(&mut self, path: &Path, text: &[u8], lines: &Lines) {
        let words = words(text, |token| token.in_directive);
        for at in 0..words.len() {
            if let Some(predicate) = asserted(&words, at) {
                self.predicates.add(predicate, "assertion", false, path, lines.line(words[at].start));
            }
        }
    }

    fn extend(&mut self, other: Uses) {
        self.marks.extend(other.marks);
        self.predicates.extend(other.predicates);
        self.entries.extend(other.entries);
        self.callbacks.extend(other.callbacks);
    }
}

fn is(words: &[Word<'_>], at: usize, punctuator: &'static str) -> bool {
    words.get(at).is_some_and(|word| word.kind == Kind::Punctuator(punctuator))
}

/// Whether a word is a statement of its own: `WORD;` or `WORD();`.
fn is_statement(words: &[Word<'_>], at: usize) -> bool {
    let starts = at > 0 && ["{", "}", ";"].into_iter().any(|before| is(words, at - 1, before));
    starts && (is(words, at + 1, ";") || (is(words, at + 1, "(") && is(words, at + 2, ")") && is(words, at + 3, ";")))
}

/// Whether a word stands before the name of a function in a declaration.
fn is_before_function(words: &[Word<'_>], at: usize) -> bool {
    let is_part = |word: &Word<'_>| word.kind == Kind::Word || word.kind == Kind::Punctuator("*");
    let between = words[at + 1..].iter().take_while(|word| is_part(word)).count();
    between > 0 && is(words, at + 1 + between, "(") && words[at + between].kind == Kind::Word
}

/// The function without arguments that an assertion at a position asserts: `assert(!running())`.
fn asserted<'w>(words: &'w [Word<'_>], at: usize) -> Option<&'w str> {
    if !is_assertion(&words[at].text) || !is(words, at + 1, "(") {
        return None;
    }
    let name = at + 2 + usize::from(is(words, at + 2, "!"));
    let is_call = is(words, name + 1, "(") && is(words, name + 2, ")") && is(words, name + 3, ")");
    (words.get(name)?.kind == Kind::Word && is_call).then(|| words[name].text.as_ref())
}

/// The slot that a function of the tree is stored in at a position, if it is known that others call it there.
fn installed(words: &[Word<'_>], at: usize, functions: &HashSet<String>) -> Option<String> {
    let name = words[at].text.as_ref();
    let is_function = |at: usize| words.get(at).is_some_and(|word| functions.contains(word.text.as_ref()));
    if let Some((_, slot)) = HANDLER_FIELDS.iter().find(|(field, _)| *field == name) {
        let value = at + 2 + usize::from(is(words, at + 2, "&"));
        return (is(words, at + 1, "=") && is_function(value)).then(|| (*slot).to_owned());
    }
    if !is(words, at + 1, "(") {
        return None;
    }
    let known = INSTALLERS.iter().find(|(installer, _)| *installer == name).map(|(_, position)| *position);
    let lower = name.to_ascii_lowercase();
    let is_pool = lower.contains("pool") && POOL_VERBS.iter().any(|verb| lower.contains(verb));
    if known.is_none() && !is_pool {
        return None;
    }
    parameter_with_function(words, at, functions, known)
}

/// The parameter that a function of the tree is passed to in a call at a position.
fn passed(words: &[Word<'_>], at: usize, functions: &HashSet<String>) -> Option<String> {
    let name = words[at].text.as_ref();
    // The parameter of a field's function has no name that packs could use.
    let is_field = at > 0 && (is(words, at - 1, ".") || is(words, at - 1, "->"));
    let is_call = is(words, at + 1, "(") && !is_field && !NO_CALLS.contains(&name) && !is_assertion(name);
    is_call.then(|| parameter_with_function(words, at, functions, None)).flatten()
}

/// Words that a parenthesis follows, and that call nothing.
const NO_CALLS: &[&str] = &["if", "while", "for", "switch", "return", "sizeof", "typeof", "__typeof__", "defined"];

/// The first parameter with a function of the tree in a call at a position; only this one, if it is known which.
fn parameter_with_function(
    words: &[Word<'_>],
    at: usize,
    functions: &HashSet<String>,
    known: Option<usize>,
) -> Option<String> {
    let is_function = |at: usize| words.get(at).is_some_and(|word| functions.contains(word.text.as_ref()));
    let position = (1..).zip(arguments(words, at + 1)).find(|(position, argument)| {
        let is_wanted = known.is_none_or(|known| known == *position);
        let first = argument.start + usize::from(is(words, argument.start, "&"));
        is_wanted && first + 1 == argument.end && is_function(first)
    });
    position.map(|(position, _)| format!("{}({position})", words[at].text))
}

/// The positions of the arguments of a call, without commas and the outer parentheses.
fn arguments(words: &[Word<'_>], open: usize) -> Vec<std::ops::Range<usize>> {
    let Some(end) = closing(words, open) else { return Vec::new() };
    let (mut arguments, mut start, mut depth) = (Vec::new(), open + 1, 0usize);
    for (position, word) in words.iter().enumerate().take(end).skip(open + 1) {
        match word.kind {
            Kind::Punctuator("(" | "[" | "{") => depth += 1,
            Kind::Punctuator(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Kind::Punctuator(",") if depth == 0 => {
                arguments.push(start..position);
                start = position + 1;
            }
            _ => {}
        }
    }
    arguments.push(start..end);
    arguments
}
