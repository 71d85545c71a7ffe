//! Finding the declarations with a wrapper mark in the text of a header.
//!
//! No include is followed and no macro is expanded: a header is read as it stands, as the generator
//! of a build has to. Every wrapper mark outside of directives and of code that is never compiled
//! results in a [`WrapperDeclaration`] or in a diagnostic.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use cowrap_base::diagnostic::TextDiagnostic;
use cowrap_csyntax::lex::{Kind, has_splice};

use crate::conditions::{Branches, CompiledToken, compiled};
use crate::declaration::parse_declaration;
use crate::items::{Token, items};
use crate::wrapper::{HeaderWrappers, WrapperDeclaration};

/// The names that a code base writes before its functions.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The marks that ask for a wrapper.
    pub wrappers: BTreeSet<String>,
    /// The other marks and specifiers, which are not part of a type.
    pub specifiers: BTreeSet<String>,
}

/// Reads a header. `header` is its index among all headers.
pub fn read_header(text: &str, header: usize, vocabulary: &Vocabulary) -> HeaderWrappers {
    let mut found = HeaderWrappers::default();
    // Most headers declare no wrapper. A mark may be written over two lines.
    if !vocabulary.wrappers.iter().any(|mark| text.contains(mark.as_str())) && !has_splice(text.as_bytes()) {
        return found;
    }
    let mut problems = Vec::new();
    let (items, unterminated) = items(text);
    if let Some(span) = unterminated {
        problems.push(Problem::new(span, "unterminated comment").label("it begins here").help("end it with `*/`"));
    }
    let (tokens, branches) = compiled(&items, &mut problems);
    let partners = partners(&tokens);
    let reader = Reader { header, vocabulary, branches: &branches };
    for declaration in external_declarations(&tokens, &partners) {
        let tokens = &tokens[declaration.range.clone()];
        match reader.wrapper(tokens, &declaration, &mut problems) {
            Ok(wrapper) => found.wrappers.extend(wrapper),
            Err(problem) => problems.push(problem),
        }
    }
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    found.diagnostics = problems.into_iter().map(|problem| problem.diagnostic(header)).collect();
    found
}

/// Why something in a header cannot be read or wrapped.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) span: Range<usize>,
    message: String,
    label: String,
    help: String,
}

impl Problem {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), label: String::new(), help: String::new() }
    }

    /// What to say at the span.
    pub(crate) fn label(self, label: impl Into<String>) -> Problem {
        Problem { label: label.into(), ..self }
    }

    /// What to do.
    pub(crate) fn help(self, help: impl Into<String>) -> Problem {
        Problem { help: help.into(), ..self }
    }

    fn diagnostic(self, header: usize) -> TextDiagnostic {
        let Problem { span, message, label, help } = self;
        TextDiagnostic { is_error: true, message, text: header, span: Some(span), label, other: None, help }
    }
}

/// Reads the declarations of one header.
struct Reader<'r> {
    header: usize,
    vocabulary: &'r Vocabulary,
    branches: &'r Branches,
}

/// The wrapper marks of a declaration, by the indices of their tokens.
#[derive(Default)]
struct Marks {
    /// Those outside of brackets.
    outer: Vec<usize>,
    /// Those inside of brackets.
    inner: Vec<usize>,
}

impl Reader<'_> {
    /// The wrapper that a declaration asks for; `None` if it asks for none.
    fn wrapper(
        &self,
        tokens: &[CompiledToken<'_>],
        declaration: &ExternalDeclaration,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<WrapperDeclaration>, Problem> {
        let marks = self.marks(tokens);
        let Some(first) = marks.outer.iter().chain(&marks.inner).min() else { return Ok(None) };
        let text_of = |at: usize| &tokens[at].token.text;
        let span_of = |at: usize| tokens[at].token.span.clone();
        if let Ending::Unbalanced(at) = declaration.ending {
            let message = format!("unbalanced brackets in the declaration with `{}`", text_of(*first));
            return Err(Problem::new(span_of(at), message).label("this has no partner").help("close every bracket"));
        }
        problems.extend(marks.inner.iter().map(|at| {
            Problem::new(span_of(*at), format!("`{}` is not on a function at the top level", text_of(*at)))
                .label("no wrapper can be generated for this")
                .help("put the mark on the declaration of a function, at the top level of the header")
        }));
        let Some(mark) = marks.outer.first().copied() else { return Ok(None) };
        self.check_marks(tokens, &marks.outer)?;
        self.check_conditions(tokens)?;
        match declaration.ending {
            Ending::Body => {
                Err(Problem::new(span_of(mark), format!("`{}` is on a function with a body", text_of(mark)))
                    .label("this asks for a generated body")
                    .help("remove the mark, or the body: the body of a wrapper is generated"))
            }
            Ending::Unfinished => {
                let message = format!("the declaration with `{}` does not end", text_of(mark));
                Err(Problem::new(span_of(mark), message).label("no `;` follows").help("end it with `;`"))
            }
            Ending::Semicolon | Ending::Unbalanced(_) => self.parse(tokens, mark).map(Some),
        }
    }

    /// The wrapper marks, and outside of brackets also names that look like one.
    fn marks(&self, tokens: &[CompiledToken<'_>]) -> Marks {
        let mut depth = 0;
        let mut marks = Marks::default();
        for (at, compiled) in tokens.iter().enumerate() {
            match compiled.token.kind {
                Kind::Punctuator("(" | "[" | "{") => depth += 1,
                Kind::Punctuator(")" | "]" | "}") => depth -= 1,
                Kind::Word if self.vocabulary.wrappers.contains(compiled.token.text.as_ref()) => {
                    if depth == 0 { &mut marks.outer } else { &mut marks.inner }.push(at);
                }
                Kind::Word if depth == 0 && is_variant(tokens, at, self.vocabulary) => marks.outer.push(at),
                _ => {}
            }
        }
        marks
    }

    /// Fails unless there is one mark, and it is known.
    fn check_marks(&self, tokens: &[CompiledToken<'_>], marks: &[usize]) -> Result<(), Problem> {
        let text_of = |at: usize| &tokens[at].token.text;
        let span_of = |at: usize| tokens[at].token.span.clone();
        let wrappers = &self.vocabulary.wrappers;
        if let Some(unknown) = marks.iter().find(|at| !wrappers.contains(text_of(**at).as_ref())) {
            let known: Vec<&str> = wrappers.iter().map(String::as_str).collect();
            return Err(Problem::new(span_of(*unknown), format!("unknown wrapper mark `{}`", text_of(*unknown)))
                .label("the pack does not say what to generate")
                .help(format!("use one of {}", known.join(", "))));
        }
        match marks {
            [first, second, ..] => {
                let (first, name) = (text_of(*first), text_of(*second));
                let message = format!("a declaration has two wrapper marks, `{first}` and `{name}`");
                Err(Problem::new(span_of(*second), message).label("the second one").help("keep one of them"))
            }
            _ => Ok(()),
        }
    }

    /// Fails unless the whole declaration is compiled under the same conditions.
    fn check_conditions(&self, tokens: &[CompiledToken<'_>]) -> Result<(), Problem> {
        let branch = tokens[0].branch;
        if self.branches.are_too_long(branch) {
            let message = "too many preprocessor conditions around a declaration with a wrapper mark";
            return Err(Problem::new(tokens[0].token.span.clone(), message)
                .label("the generated file would repeat all of them")
                .help("put the declaration outside of most of them"));
        }
        let differs = |token: &&CompiledToken<'_>| !self.branches.have_same_conditions(token.branch, branch);
        match tokens.iter().find(differs) {
            None => Ok(()),
            Some(other) => {
                let message = "a preprocessor condition splits a declaration with a wrapper mark";
                Err(Problem::new(other.token.span.clone(), message)
                    .label("from here on another condition applies")
                    .help("put the condition around the whole declaration"))
            }
        }
    }

    fn parse(&self, tokens: &[CompiledToken<'_>], mark: usize) -> Result<WrapperDeclaration, Problem> {
        let plain: Vec<&Token<'_>> = tokens.iter().map(|compiled| &compiled.token).collect();
        let parsed = parse_declaration(&plain, mark, self.vocabulary)?;
        Ok(WrapperDeclaration {
            name: parsed.name,
            mark: plain[mark].text.to_string(),
            returns: parsed.returns,
            result: parsed.result,
            is_void: parsed.is_void,
            parameters: parsed.parameters,
            is_static: parsed.is_static,
            conditions: self.branches.conditions(tokens[0].branch),
            header: self.header,
            span: parsed.span,
            name_span: parsed.name_span,
        })
    }
}

/// Whether a word looks like a variant of a wrapper mark: it begins with one, and is where a mark
/// would be.
fn is_variant(tokens: &[CompiledToken<'_>], at: usize, vocabulary: &Vocabulary) -> bool {
    let word = tokens[at].token.text.as_ref();
    let is_like = |mark: &String| word.as_bytes().get(mark.len()) == Some(&b'_') && word.starts_with(mark.as_str());
    let goes_on = tokens.get(at + 1).is_some_and(|next| next.token.kind == Kind::Word || next.token.is("*"));
    goes_on && !vocabulary.specifiers.contains(word) && vocabulary.wrappers.iter().any(is_like)
}

/// An external declaration.
struct ExternalDeclaration {
    /// Its tokens, without the `;`.
    range: Range<usize>,
    ending: Ending,
}

/// How a declaration ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// With a `;`.
    Semicolon,
    /// With the body of a function.
    Body,
    /// Never: the bracket at this token has no partner.
    Unbalanced(usize),
    /// Where the header or the block around it ends.
    Unfinished,
}

/// For each bracket the one that closes it, or that it closes.
fn partners(tokens: &[CompiledToken<'_>]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (at, compiled) in tokens.iter().enumerate() {
        let Kind::Punctuator(bracket) = compiled.token.kind else { continue };
        let closes = match bracket {
            "(" | "[" | "{" => {
                open.push((bracket, at));
                *counts.entry(bracket).or_default() += 1;
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        if counts.get(closes).is_none_or(|count| *count == 0) {
            continue;
        }
        // A bracket of another kind between them is never closed.
        while let Some((bracket, opened)) = open.pop() {
            *counts.entry(bracket).or_default() -= 1;
            if bracket == closes {
                partners[opened] = Some(at);
                partners[at] = Some(opened);
                break;
            }
        }
    }
    partners
}

fn is_bracket(compiled: &CompiledToken<'_>) -> bool {
    matches!(compiled.token.kind, Kind::Punctuator("(" | ")" | "[" | "]" | "{" | "}"))
}

/// Splits the tokens of a header into declarations.
fn external_declarations(tokens: &[CompiledToken<'_>], partners: &[Option<usize>]) -> Vec<ExternalDeclaration> {
    let mut declarations = Vec::new();
    let mut start = 0;
    let mut at = 0;
    // What stands outside of brackets in the declaration so far.
    let (mut declared, mut has_parameters, mut has_value) = (0, false, false);
    while at < tokens.len() {
        if std::mem::replace(&mut declared, start) != start {
            (has_parameters, has_value) = (false, false);
        }
        let Kind::Punctuator(current) = tokens[at].token.kind else {
            at += 1;
            continue;
        };
        match current {
            ";" => {
                declarations.push(ExternalDeclaration { range: start..at, ending: Ending::Semicolon });
                start = at + 1;
            }
            // The declarations in `extern "C" { }` are like those outside.
            "{" if at == start + 2
                && tokens[start].token.is_word("extern")
                && tokens[start + 1].token.kind == Kind::String =>
            {
                start = at + 1;
            }
            "}" => {
                declarations.push(ExternalDeclaration { range: start..at, ending: Ending::Unfinished });
                start = at + 1;
            }
            "(" | "[" | "{" => match partners[at] {
                None => {
                    declarations.push(ExternalDeclaration {
                        range: start..tokens.len(),
                        ending: Ending::Unbalanced(at - start),
                    });
                    return declarations;
                }
                Some(close) => {
                    let is_alone = |at: &usize| is_bracket(&tokens[*at]) && partners[*at].is_none();
                    // In a body, branches of a condition may have brackets for each other.
                    if current != "{"
                        && let Some(alone) = (at + 1..close).find(is_alone)
                    {
                        let (range, ending) = (start..tokens.len(), Ending::Unbalanced(alone - start));
                        declarations.push(ExternalDeclaration { range, ending });
                        return declarations;
                    }
                    let may_be_body = current == "{" && has_parameters && !has_value;
                    has_parameters |= current == "(";
                    if may_be_body && !is_tagged(&tokens[start..at]) {
                        declarations.push(ExternalDeclaration { range: start..close + 1, ending: Ending::Body });
                        start = close + 1;
                        if tokens.get(start).is_some_and(|compiled| compiled.token.is(";")) {
                            start += 1;
                        }
                        at = start;
                        continue;
                    }
                    at = close;
                }
            },
            _ => has_value |= current.ends_with('='),
        }
        at += 1;
    }
    if start < tokens.len() {
        declarations.push(ExternalDeclaration { range: start..tokens.len(), ending: Ending::Unfinished });
    }
    declarations
}

/// Whether a `{` after these tokens begins the members of a `struct`, `union` or `enum`.
fn is_tagged(before: &[CompiledToken<'_>]) -> bool {
    // Between `struct` and its members may be attributes like `packed(8)`, and a name.
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
    end > 0 && is_tag(end - 1)
}

/// The `(` of the parentheses that end right before `end`.
fn group_before(tokens: &[CompiledToken<'_>], end: usize) -> Option<usize> {
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
