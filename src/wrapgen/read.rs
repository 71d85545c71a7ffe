//! Finding the declarations with a wrapper mark in the text of a header.
//!
//! No include is followed and no macro is expanded: a header is read as it stands, as the generator in a build must
//! read it. Every wrapper mark outside of directives and of code that is never compiled ends in a [`Declared`] or in
//! a [`Complaint`].

use std::collections::BTreeSet;
use std::ops::Range;

use cowrap_csyntax::lex::{Kind, has_splice};

use super::declaration;
use super::declared::{Complaint, Condition, Declared, Reading, negation};
use super::items::{Item, Token, items};

/// The words that a code base writes in front of its functions.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The marks that ask for a wrapper.
    pub wrappers: BTreeSet<String>,
    /// The other marks and specifiers: they are no part of a type.
    pub specifiers: BTreeSet<String>,
}

/// Reads a header. `header` is its number among all, for places.
pub fn read(text: &str, header: usize, vocabulary: &Vocabulary) -> Reading {
    let mut reading = Reading::default();
    // Most bytes of most headers are not worth a token.
    if !vocabulary.wrappers.iter().any(|mark| text.contains(mark.as_str())) && !has_splice(text.as_bytes()) {
        return reading;
    }
    let (items, unterminated) = items(text);
    let mut complain = |span: Range<usize>, message: &str, label: &str, help: &str| {
        reading.complaints.push(Complaint {
            is_fatal: true,
            message: message.to_owned(),
            header,
            span: Some(span),
            label: label.to_owned(),
            other: None,
            help: help.to_owned(),
        });
    };
    if let Some(span) = unterminated {
        complain(span, "a comment does not end", "it begins here", "end it with `*/`");
    }
    let (tokens, branches) = compiled(&items, &mut complain);
    let partners = partners(&tokens);
    for chunk in chunks(&tokens, &partners) {
        read_chunk(&tokens[chunk.range.clone()], &chunk, &branches, header, vocabulary, &mut reading);
    }
    reading.complaints.sort_by_key(|complaint| complaint.span.clone().map(|span| (span.start, span.end)));
    reading
}

/// A token that some configuration compiles.
#[derive(Clone, Debug)]
pub(super) struct Live<'s> {
    pub(super) token: Token<'s>,
    /// The branch that it is in.
    branch: BranchId,
}

type Complain<'c> = dyn FnMut(Range<usize>, &str, &str, &str) + 'c;

// --- conditions -------------------------------------------------------------------------------------------------

/// An index into [`Branches`].
type BranchId = usize;

/// The branches of all `#if`s: each with the one around it, and what it depends on. The first is the header itself.
type Branches = Vec<(BranchId, Option<Condition>)>;

/// The conditions around what is in a branch, outermost first.
fn conditions(branches: &Branches, mut id: BranchId) -> Vec<Condition> {
    let mut conditions = Vec::new();
    while id != 0 {
        let (outer, condition) = &branches[id];
        conditions.extend(condition.clone());
        id = *outer;
    }
    conditions.reverse();
    conditions
}

/// An `#if` that is not yet ended.
struct Open {
    chain: u32,
    branch: u32,
    /// The conditions of the branches before this one, each as it is written.
    before: Vec<String>,
    /// The condition of this branch, as it is written.
    own: Truth,
    /// Whether an earlier branch is always taken.
    settled: bool,
    /// What this branch depends on.
    current: Truth,
    has_else: bool,
    span: Range<usize>,
    /// The branch around the `#if`, and whether that may be compiled.
    outer: BranchId,
    outer_is_live: bool,
    /// This branch.
    id: BranchId,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Truth {
    Always,
    Never,
    If(String),
}

/// The tokens that may be compiled, and the branches that they refer to.
fn compiled<'s>(items: &[Item<'s>], complain: &mut Complain<'_>) -> (Vec<Live<'s>>, Branches) {
    let mut open: Vec<Open> = Vec::new();
    let mut chains = 0;
    let mut branches: Branches = vec![(0, None)];
    let mut live: Vec<Live<'s>> = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let (outer, is_live) = open.last().map_or((0, true), |branch| (branch.id, branch.is_live()));
        let (tokens, span) = match item {
            Item::Token(token) => {
                if is_live {
                    live.push(Live { token: token.clone(), branch: outer });
                }
                continue;
            }
            Item::Directive(tokens, span) => (tokens, span),
        };
        let Some((name, rest)) = tokens.split_first() else { continue };
        match name.text.as_ref() {
            "if" | "ifdef" | "ifndef" => {
                let is_guard = live.is_empty() && open.is_empty() && guards(name, rest, items.get(number + 1));
                let truth = if is_guard { Truth::Always } else { truth(&name.text, rest) };
                let mut branch = Open {
                    chain: chains,
                    branch: 0,
                    before: Vec::new(),
                    own: truth.clone(),
                    settled: false,
                    current: truth,
                    has_else: false,
                    span: span.clone(),
                    outer,
                    outer_is_live: is_live,
                    id: 0,
                };
                branch.register(&mut branches);
                open.push(branch);
                chains += 1;
            }
            word @ ("elif" | "elifdef" | "elifndef" | "else") => match open.last_mut() {
                Some(branch) if !branch.has_else => {
                    branch.next(word, rest);
                    branch.register(&mut branches);
                }
                _ => complain(
                    span.clone(),
                    &format!("`#{word}` has no `#if`"),
                    "nothing is open here",
                    "pair every `#if` with one `#endif` within the header",
                ),
            },
            "endif" => match open.pop() {
                Some(_) => {}
                None => complain(
                    span.clone(),
                    "`#endif` has no `#if`",
                    "nothing is open here",
                    "pair every `#if` with one `#endif` within the header",
                ),
            },
            _ => {}
        }
    }
    for branch in open {
        complain(branch.span, "an `#if` does not end", "it begins here", "end it with `#endif`");
    }
    (live, branches)
}

impl Open {
    /// Goes on to the branch that a directive begins.
    fn next(&mut self, directive: &str, rest: &[Token<'_>]) {
        match &self.own {
            Truth::Always => self.settled = true,
            Truth::Never => {}
            Truth::If(expression) => self.before.push(expression.clone()),
        }
        self.branch += 1;
        let own = match directive {
            "else" => {
                self.has_else = true;
                Truth::Always
            }
            other => truth(other.trim_start_matches("el"), rest),
        };
        self.own = own.clone();
        self.current = match own {
            _ if self.settled => Truth::Never,
            Truth::Never => Truth::Never,
            Truth::Always if self.before.is_empty() => Truth::Always,
            own => {
                let mut parts: Vec<String> = self.before.iter().map(|before| negation(before)).collect();
                if let Truth::If(expression) = own {
                    parts.push(operand(&expression));
                }
                Truth::If(parts.join(" && "))
            }
        };
    }

    /// Whether what is in this branch may be compiled.
    fn is_live(&self) -> bool {
        self.outer_is_live && self.current != Truth::Never
    }

    /// Adds this branch to those that there are.
    fn register(&mut self, branches: &mut Branches) {
        self.id = branches.len();
        branches.push((self.outer, self.condition()));
    }

    fn condition(&self) -> Option<Condition> {
        match &self.current {
            Truth::If(expression) => {
                Some(Condition { expression: expression.clone(), chain: self.chain, branch: self.branch })
            }
            _ => None,
        }
    }
}

/// An expression that may stand beside `&&`.
fn operand(expression: &str) -> String {
    let needs = expression.contains("||") || expression.contains('?') || expression.contains("&&");
    if needs { format!("({expression})") } else { expression.to_owned() }
}

/// What a condition depends on. What is generated is C, so `__cplusplus` is not defined.
fn truth(directive: &str, rest: &[Token<'_>]) -> Truth {
    let expression = match (directive, rest) {
        ("ifdef", [name, ..]) => format!("defined({})", name.text),
        ("ifndef", [name, ..]) => format!("!defined({})", name.text),
        _ => normal(rest),
    };
    match expression.as_str() {
        "0" | "defined(__cplusplus)" => Truth::Never,
        "1" | "!defined(__cplusplus)" => Truth::Always,
        _ => Truth::If(expression),
    }
}

/// An expression as text: one blank where there were blanks, and `defined X` as `defined(X)`.
fn normal(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut closing = false;
    for (number, token) in tokens.iter().enumerate() {
        let previous = number.checked_sub(1).map(|before| &tokens[before]);
        let is_operand = previous.is_some_and(|before| before.is_word("defined")) && token.kind == Kind::Word;
        if is_operand {
            text.push('(');
            closing = true;
        } else if previous.is_some_and(|before| before.span.end < token.span.start) {
            text.push(' ');
        }
        text.push_str(&token.text);
        if std::mem::take(&mut closing) {
            text.push(')');
        }
    }
    text.replace("defined (", "defined(")
}

/// Whether a condition at the beginning of a header is its guard.
fn guards(directive: &Token<'_>, rest: &[Token<'_>], next: Option<&Item<'_>>) -> bool {
    let name = match directive.text.as_ref() {
        "ifndef" => rest.first().map(|token| token.text.to_string()),
        "if" => normal(rest).strip_prefix("!defined(").and_then(|rest| rest.strip_suffix(')')).map(str::to_owned),
        _ => None,
    };
    let Some(Item::Directive(tokens, _)) = next else { return false };
    let [define, defined, ..] = tokens.as_slice() else { return false };
    define.is_word("define") && name.as_deref() == Some(&defined.text)
}

// --- declarations -----------------------------------------------------------------------------------------------

/// A run of tokens that is one external declaration.
struct Chunk {
    /// Its tokens, without the `;`.
    range: Range<usize>,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// A `;`.
    Declaration,
    /// The body of a function.
    Body,
    /// The bracket at this token is not closed.
    Unbalanced(usize),
    /// What is around it ends: the header, or a `{`.
    Unfinished,
}

/// For every opening bracket, where its closing one is.
fn partners(tokens: &[Live<'_>]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (at, live) in tokens.iter().enumerate() {
        let Kind::Punctuator(bracket) = live.token.kind else { continue };
        let closes = match bracket {
            "(" | "[" | "{" => {
                open.push((bracket, at));
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        // A bracket of another kind in between is never closed.
        if let Some(position) = open.iter().rposition(|(bracket, _)| *bracket == closes) {
            partners[open[position].1] = Some(at);
            open.truncate(position);
        }
    }
    partners
}

fn chunks(tokens: &[Live<'_>], partners: &[Option<usize>]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < tokens.len() {
        let Kind::Punctuator(current) = tokens[at].token.kind else {
            at += 1;
            continue;
        };
        match current {
            ";" => {
                chunks.push(Chunk { range: start..at, ending: Ending::Declaration });
                start = at + 1;
            }
            // `extern "C" {` and its end are transparent.
            "{" if at == start + 2
                && tokens[start].token.is_word("extern")
                && tokens[start + 1].token.kind == Kind::String =>
            {
                start = at + 1;
            }
            "}" => {
                chunks.push(Chunk { range: start..at, ending: Ending::Unfinished });
                start = at + 1;
            }
            "(" | "[" | "{" => match partners[at] {
                None => {
                    chunks.push(Chunk { range: start..tokens.len(), ending: Ending::Unbalanced(at - start) });
                    return chunks;
                }
                Some(close) => {
                    if current == "{" && is_body(&tokens[start..at]) {
                        chunks.push(Chunk { range: start..close + 1, ending: Ending::Body });
                        start = close + 1;
                        if tokens.get(start).is_some_and(|live| live.token.is(";")) {
                            start += 1;
                        }
                        at = start;
                        continue;
                    }
                    at = close;
                }
            },
            _ => {}
        }
        at += 1;
    }
    if start < tokens.len() {
        chunks.push(Chunk { range: start..tokens.len(), ending: Ending::Unfinished });
    }
    chunks
}

/// Whether a `{` behind these tokens begins a function's body, and not the members of a tag or an initialiser.
fn is_body(before: &[Live<'_>]) -> bool {
    let mut depth = 0;
    let mut has_parameters = false;
    for live in before {
        match live.token.kind {
            Kind::Punctuator("(" | "[" | "{") => {
                has_parameters |= live.token.is("(") && depth == 0;
                depth += 1;
            }
            Kind::Punctuator(")" | "]" | "}") => depth -= 1,
            Kind::Punctuator("=") if depth == 0 => return false,
            _ => {}
        }
    }
    // The members of a tag follow `struct`, attributes like `packed(8)`, and the tag's name.
    let is_tag = |at: usize| ["struct", "union", "enum"].iter().any(|word| before[at].token.is_word(word));
    let mut end = before.len();
    if end > 0 && before[end - 1].token.kind == Kind::Word && !is_tag(end - 1) {
        end -= 1;
    }
    while let Some(open) = group_before(before, end)
        && open > 0
        && before[open - 1].token.kind == Kind::Word
    {
        end = open - 1;
    }
    has_parameters && (end == 0 || !is_tag(end - 1))
}

/// Where the parenthesis that is closed right before `end` is opened.
fn group_before(tokens: &[Live<'_>], end: usize) -> Option<usize> {
    let mut depth = 0;
    for at in (0..end).rev() {
        match tokens[at].token.kind {
            Kind::Punctuator(")") => depth += 1,
            Kind::Punctuator("(") => depth -= 1,
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn read_chunk(
    tokens: &[Live<'_>],
    chunk: &Chunk,
    branches: &Branches,
    header: usize,
    vocabulary: &Vocabulary,
    reading: &mut Reading,
) {
    let mut depth = 0;
    let mut outer = Vec::new();
    let mut inner = Vec::new();
    for (at, live) in tokens.iter().enumerate() {
        match live.token.kind {
            Kind::Punctuator("(" | "[" | "{") => depth += 1,
            Kind::Punctuator(")" | "]" | "}") => depth -= 1,
            Kind::Word if vocabulary.wrappers.contains(live.token.text.as_ref()) => {
                if depth == 0 { &mut outer } else { &mut inner }.push(at);
            }
            Kind::Word if depth == 0 && is_variant(tokens, at, vocabulary) => outer.push(at),
            _ => {}
        }
    }
    if outer.is_empty() && inner.is_empty() {
        return;
    }
    let span_of = |at: usize| tokens[at].token.span.clone();
    let mut refuse = |span: Range<usize>, message: String, label: &str, help: &str| {
        reading.complaints.push(Complaint {
            is_fatal: true,
            message,
            header,
            span: Some(span),
            label: label.to_owned(),
            other: None,
            help: help.to_owned(),
        });
    };
    if let Ending::Unbalanced(at) = chunk.ending {
        let first = outer.iter().chain(&inner).min().map(|at| tokens[*at].token.text.to_string()).unwrap_or_default();
        let message = format!("brackets do not pair up, so that the declaration with `{first}` cannot be read");
        refuse(span_of(at), message, "this is never closed", "pair every bracket");
        return;
    }
    for at in &inner {
        let message = format!("`{}` stands on something else than a function at the top level", tokens[*at].token.text);
        refuse(
            span_of(*at),
            message,
            "this asks for no wrapper",
            "put the mark on the declaration of a function, at the top level of the header",
        );
    }
    let Some(first) = outer.first().copied() else { return };
    for at in &outer {
        if !vocabulary.wrappers.contains(tokens[*at].token.text.as_ref()) {
            let known: Vec<&str> = vocabulary.wrappers.iter().map(String::as_str).collect();
            let message = format!("`{}` is no wrapper mark that is known", tokens[*at].token.text);
            refuse(span_of(*at), message, "nothing says what to generate", &format!("use one of {}", known.join(", ")));
            return;
        }
    }
    if let Some(second) = outer.get(1) {
        let message = format!(
            "a declaration bears two wrapper marks, `{}` and `{}`",
            tokens[first].token.text, tokens[*second].token.text
        );
        refuse(span_of(*second), message, "this is the second", "keep one of them");
        return;
    }
    let branch = tokens[0].branch;
    let own_conditions = conditions(branches, branch);
    let differs = |live: &&Live<'_>| live.branch != branch && conditions(branches, live.branch) != own_conditions;
    if let Some(live) = tokens.iter().find(differs) {
        let message = "a preprocessor condition stands within a declaration with a wrapper mark".to_owned();
        let span = live.token.span.clone();
        refuse(span, message, "from here on another condition holds", "put the condition around the whole declaration");
        return;
    }
    let plain: Vec<&Token<'_>> = tokens.iter().map(|live| &live.token).collect();
    let parsed = match chunk.ending {
        Ending::Body => {
            let message = format!("a function with `{}` has a body here", tokens[first].token.text);
            let help = "take the mark away, or the body: a wrapper's body is generated";
            refuse(span_of(first), message, "this asks for a body", help);
            return;
        }
        Ending::Unfinished => {
            let message = format!("the declaration with `{}` does not end", tokens[first].token.text);
            refuse(span_of(first), message, "it has no `;`", "end it with `;`");
            return;
        }
        _ => declaration::parse(&plain, first, vocabulary),
    };
    match parsed {
        Ok(parsed) => reading.declared.push(Declared {
            name: parsed.name,
            mark: tokens[first].token.text.to_string(),
            returns: parsed.returns,
            result: parsed.result,
            is_void: parsed.is_void,
            parameters: parsed.parameters,
            is_static: parsed.is_static,
            conditions: own_conditions,
            header,
            span: parsed.span,
            name_span: parsed.name_span,
        }),
        Err(refusal) => refuse(refusal.span, refusal.message, &refusal.label, &refusal.help),
    }
}

/// Whether a word is written like a variant of a wrapper mark, where a mark would stand.
fn is_variant(tokens: &[Live<'_>], at: usize, vocabulary: &Vocabulary) -> bool {
    let word = tokens[at].token.text.as_ref();
    let is_like = |mark: &String| word.as_bytes().get(mark.len()) == Some(&b'_') && word.starts_with(mark.as_str());
    let goes_on = tokens.get(at + 1).is_some_and(|next| next.token.kind == Kind::Word || next.token.is("*"));
    goes_on && !vocabulary.specifiers.contains(word) && vocabulary.wrappers.iter().any(is_like)
}
