//! Reading one declaration of a function, without knowing what its words mean.
//!
//! Which names are types and which are macros is told by position and by spelling, since no include is read. Where
//! both are possible the declaration is refused; a wrong guess cannot pass in silence, because the compiler sees the
//! declaration and the generated definition together.

use std::ops::Range;

use super::declared::{Parameter, Type};
use cowrap_csyntax::lex::Kind;

use super::items::Token;
use super::read::Vocabulary;

/// A declaration of a function.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) name: String,
    pub(super) name_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) returns: Type,
    pub(super) result: Type,
    pub(super) is_void: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) is_static: bool,
}

/// Why a declaration cannot be wrapped.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

/// What stands in a declaration on the top level.
#[derive(Clone, Copy, Debug)]
enum Part<'t> {
    /// A word that belongs to a type by itself: `int`, `struct name`, `typeof(x)`.
    Core(&'t [&'t Token<'t>]),
    /// `const` and its kin.
    Qualifier(&'t [&'t Token<'t>]),
    /// A `*`.
    Star(&'t [&'t Token<'t>]),
    /// Any other name.
    Name(&'t [&'t Token<'t>]),
    /// What is between `(` and `)`, with them.
    Parentheses(&'t [&'t Token<'t>]),
    /// What is between `[` and `]`, with them.
    Brackets(&'t [&'t Token<'t>]),
    /// Anything else.
    Other(&'t [&'t Token<'t>]),
}

/// Reads a declaration, given without its `;`. `mark` is where the wrapper mark stands.
pub(super) fn parse(tokens: &[&Token<'_>], mark: usize, vocabulary: &Vocabulary) -> Result<Parsed, Refusal> {
    let whole = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
    let mark = tokens[mark];
    let not_a_function = |label: &str| {
        refuse(
            &mark.span,
            format!("`{}` does not stand on the declaration of a function", mark.text),
            label,
            "put the mark on the declaration of one function",
        )
    };
    if tokens.iter().any(|token| token.is_word("typedef")) {
        return Err(not_a_function("this is on a typedef"));
    }
    let parts = parts(tokens, vocabulary);
    // `int v[static 4]` says something else.
    let mut depth = 0;
    let is_static = tokens.iter().any(|token| {
        match token.kind {
            Kind::Punctuator("(" | "[" | "{") => depth += 1,
            Kind::Punctuator(")" | "]" | "}") => depth -= 1,
            _ => {}
        }
        depth == 0 && token.is_word("static")
    });
    if let Some(comma) = parts.iter().find(|part| part.is_punctuator(",")) {
        return Err(refuse(
            &comma.span(),
            format!("one declaration with `{}` declares several things", mark.text),
            "a second one follows",
            "declare each function by itself",
        ));
    }
    let Some(function) = find_function(&parts) else { return Err(not_a_function("this declares no function")) };
    let function = function?;

    let specifiers = &parts[..function.start];
    let base = return_specifiers(specifiers, &function, mark)?;
    let returns = Type { before: base.clone() + &function.before, after: function.after.clone() };
    let returns = returns.ready();
    let result = match function.before.is_empty() {
        true => Type { before: without_own_qualifiers(&base), after: String::new() },
        false => Type { before: base + &without_own_qualifiers(&function.before), after: function.after.clone() },
    };
    let result = result.ready();
    let is_void = result.text() == "void";
    let parameters = parameters(function.parameters, function.name, vocabulary)?;
    Ok(Parsed {
        name: function.name.text.to_string(),
        name_span: function.name.span.clone(),
        span: whole,
        returns,
        result,
        is_void,
        parameters,
        is_static,
    })
}

fn refuse(
    span: &Range<usize>,
    message: impl Into<String>,
    label: impl Into<String>,
    help: impl Into<String>,
) -> Refusal {
    Refusal { span: span.clone(), message: message.into(), label: label.into(), help: help.into() }
}

// --- parts ------------------------------------------------------------------------------------------------------

const CORES: &[&str] = &[
    "void",
    "char",
    "short",
    "int",
    "long",
    "float",
    "double",
    "signed",
    "unsigned",
    "_Bool",
    "bool",
    "_Complex",
    "__int128",
    "__signed__",
    "_Float16",
    "_Float32",
    "_Float64",
    "_Float128",
    "__float128",
];
const TAGS: &[&str] = &["struct", "union", "enum"];
const TYPE_OPERATORS: &[&str] = &["typeof", "__typeof__", "__typeof", "typeof_unqual", "_Atomic", "_BitInt"];
const QUALIFIERS: &[&str] =
    &["const", "volatile", "restrict", "__restrict", "__restrict__", "__const", "__volatile__", "_Atomic"];
/// Words that are dropped, alone.
const STORAGE: &[&str] = &[
    "extern",
    "static",
    "inline",
    "__inline",
    "__inline__",
    "_Noreturn",
    "noreturn",
    "register",
    "auto",
    "_Thread_local",
    "__extension__",
    "constexpr",
];
/// Words that are dropped with the parentheses behind them.
const ATTRIBUTES: &[&str] =
    &["__attribute__", "__attribute", "__declspec", "_Alignas", "alignas", "__asm__", "__asm", "asm"];

impl<'t> Part<'t> {
    fn tokens(&self) -> &'t [&'t Token<'t>] {
        match self {
            Part::Core(tokens)
            | Part::Qualifier(tokens)
            | Part::Star(tokens)
            | Part::Name(tokens)
            | Part::Parentheses(tokens)
            | Part::Brackets(tokens)
            | Part::Other(tokens) => tokens,
        }
    }

    fn span(&self) -> Range<usize> {
        let tokens = self.tokens();
        tokens[0].span.start..tokens[tokens.len() - 1].span.end
    }

    fn is_punctuator(&self, punctuator: &str) -> bool {
        matches!(self, Part::Other([token]) if token.is(punctuator))
    }

    /// The name, if it is one.
    fn name(&self) -> Option<&'t Token<'t>> {
        match self {
            Part::Name(tokens) => Some(tokens[0]),
            _ => None,
        }
    }

    /// What is within the parentheses or brackets.
    fn inside(&self) -> &'t [&'t Token<'t>] {
        let tokens = self.tokens();
        tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default()
    }
}

/// Takes tokens apart, and drops attributes, storage classes and the vocabulary's words.
fn parts<'t>(tokens: &'t [&'t Token<'t>], vocabulary: &Vocabulary) -> Vec<Part<'t>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        let word = token.text.as_ref();
        let group = |at: usize| tokens.get(at).filter(|next| next.is("(")).map(|_| group_end(tokens, at));
        let next = at + 1;
        match token.kind {
            Kind::Word if vocabulary.wrappers.contains(word) || STORAGE.contains(&word) => at = next,
            // A specifier of the code base may be a macro with arguments.
            Kind::Word if vocabulary.specifiers.contains(word) || ATTRIBUTES.contains(&word) => {
                at = group(next).unwrap_or(next);
            }
            Kind::Word if TAGS.contains(&word) => {
                let mut end = next;
                while tokens.get(end).is_some_and(|token| ATTRIBUTES.contains(&token.text.as_ref())) {
                    end = group(end + 1).unwrap_or(end + 1);
                }
                end += usize::from(tokens.get(end).is_some_and(|token| token.kind == Kind::Word));
                end = end.min(tokens.len());
                parts.push(Part::Core(&tokens[at..end]));
                at = end;
            }
            Kind::Word if TYPE_OPERATORS.contains(&word) && group(next).is_some() => {
                let end = group(next).unwrap_or(next);
                parts.push(Part::Core(&tokens[at..end]));
                at = end;
            }
            Kind::Word => {
                let own = &tokens[at..next];
                parts.push(match word {
                    _ if CORES.contains(&word) => Part::Core(own),
                    _ if QUALIFIERS.contains(&word) => Part::Qualifier(own),
                    _ => Part::Name(own),
                });
                at = next;
            }
            Kind::Punctuator("*") => {
                parts.push(Part::Star(&tokens[at..next]));
                at = next;
            }
            Kind::Punctuator("(") => {
                let end = group_end(tokens, at);
                parts.push(Part::Parentheses(&tokens[at..end]));
                at = end;
            }
            Kind::Punctuator("[") => {
                let end = group_end(tokens, at);
                // `[[attribute]]`
                if !tokens.get(next).is_some_and(|inner| inner.is("[")) {
                    parts.push(Part::Brackets(&tokens[at..end]));
                }
                at = end;
            }
            _ => {
                parts.push(Part::Other(&tokens[at..next]));
                at = next;
            }
        }
    }
    parts
}

/// Where the group that is opened at `at` ends, behind its closing bracket.
fn group_end(tokens: &[&Token<'_>], at: usize) -> usize {
    let mut depth = 0;
    for (number, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Punctuator("(" | "[" | "{") => depth += 1,
            Kind::Punctuator(")" | "]" | "}") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return number + 1;
        }
    }
    tokens.len()
}

/// Whether a name is spelt like a macro.
fn is_macro_like(name: &str) -> bool {
    name.starts_with("__") || !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

// --- the function -----------------------------------------------------------------------------------------------

/// Where a declaration names its function.
struct Function<'t> {
    name: &'t Token<'t>,
    /// The parameters' tokens, without the parentheses.
    parameters: &'t [&'t Token<'t>],
    /// The part that the declarator begins with.
    start: usize,
    /// Of a function that returns a pointer to a function or to an array: the text around the name with its
    /// parameters.
    before: String,
    after: String,
}

/// The function that a declaration declares; `None` when it declares none.
fn find_function<'t>(parts: &[Part<'t>]) -> Option<Result<Function<'t>, Refusal>> {
    let is_type = |part: &Part<'_>, next: Option<&Part<'_>>| match part {
        Part::Core(_) => true,
        Part::Name(_) => !matches!(next, Some(Part::Parentheses(_))),
        _ => false,
    };
    let mut has_type = false;
    let mut named = Vec::new();
    let mut nested = None;
    let mut untyped = None;
    for (at, part) in parts.iter().enumerate() {
        if let Part::Parentheses(_) = part {
            let before = at.checked_sub(1).map(|before| parts[before]);
            let begins_with_star = part.inside().first().is_some_and(|token| token.is("*"));
            let is_name = part.inside().len() == 1 && matches!(parts.get(at + 1), Some(Part::Parentheses(_)));
            match before {
                // `type (*name(parameters))(…)` and `type (name)(parameters)`, with a type that is a name.
                Some(Part::Name(_)) if (begins_with_star || is_name) && !has_type => {
                    has_type = true;
                    nested = nested.or(Some(at));
                }
                Some(Part::Name(_)) if has_type => named.push(at),
                Some(Part::Name(_)) => untyped = untyped.or(Some(at)),
                Some(Part::Core(_) | Part::Star(_) | Part::Qualifier(_)) if has_type => nested = nested.or(Some(at)),
                _ => {}
            }
        }
        has_type |= is_type(part, parts.get(at + 1));
    }
    let name_of = |at: usize| parts[at - 1].name();
    let likely: Vec<usize> =
        named.iter().copied().filter(|at| name_of(*at).is_some_and(|name| !is_macro_like(&name.text))).collect();
    let chosen = match (likely.as_slice(), nested, named.as_slice()) {
        ([one], ..) => *one,
        ([], Some(at), _) => return Some(nested_function(parts, at)),
        ([], None, [one]) => *one,
        // What is missing is its type, which is told later.
        ([], None, []) => untyped?,
        ([first, second, ..], ..) | ([], None, [first, second, ..]) => {
            let (first, second) = (name_of(*first)?, name_of(*second)?);
            return Some(Err(refuse(
                &second.span,
                format!("it cannot be told whether `{}` or `{}` is the function", first.text, second.text),
                "this may be the function, or a macro",
                "give macros a name in capitals, or name them among the `specifiers` of the pack",
            )));
        }
    };
    let name = name_of(chosen)?;
    if let Some(behind) = parts[chosen + 1..].iter().find(|part| !is_trailer(part)) {
        return Some(Err(refuse(
            &behind.span(),
            format!("what follows the parameters of `{}` cannot be read", name.text),
            "this",
            "leave nothing but attributes and macros behind the parameters",
        )));
    }
    let parameters = parts[chosen].inside();
    Some(Ok(Function { name, parameters, start: chosen - 1, before: String::new(), after: String::new() }))
}

/// Whether a part may stand behind the parameters: macros, with or without arguments.
fn is_trailer(part: &Part<'_>) -> bool {
    matches!(part, Part::Name(_) | Part::Parentheses(_))
}

/// `(*name(parameters))(…)`, or a name that stands in parentheses alone.
fn nested_function<'t>(parts: &[Part<'t>], at: usize) -> Result<Function<'t>, Refusal> {
    let inside = parts[at].inside();
    let unreadable = |label: &str| {
        refuse(
            &parts[at].span(),
            "the declaration does not name a function in a way that can be read",
            label,
            "use a typedef for what it returns",
        )
    };
    let behind = &parts[at + 1..];
    let suffix = behind.iter().take_while(|part| matches!(part, Part::Parentheses(_) | Part::Brackets(_))).count();
    if let [name] = inside
        && name.kind == Kind::Word
    {
        let Some(Part::Parentheses(_)) = behind.first() else { return Err(unreadable("this is no function")) };
        let parameters = behind[0].inside();
        return Ok(Function { name, parameters, start: at, before: String::new(), after: String::new() });
    }
    let Some(open) = inside.iter().position(|token| token.is("(")) else {
        return Err(unreadable("this is a pointer to a function, and no function"));
    };
    let end = group_end(inside, open);
    let Some(name) = open.checked_sub(1).map(|before| inside[before]).filter(|token| token.kind == Kind::Word) else {
        return Err(unreadable("this is nested too deeply"));
    };
    if end != inside.len() || suffix == 0 {
        return Err(unreadable("this is nested too deeply"));
    }
    let before = format!("({}", joined(&inside[..open - 1]));
    let after: String = behind[..suffix].iter().map(|part| joined(part.tokens())).collect();
    let parameters = &inside[open + 1..end - 1];
    Ok(Function { name, parameters, start: at, before, after: format!("){after}") })
}

/// The type words in front of the declarator.
fn return_specifiers(parts: &[Part<'_>], function: &Function<'_>, mark: &Token<'_>) -> Result<String, Refusal> {
    let first_star = parts.iter().position(|part| matches!(part, Part::Star(_))).unwrap_or(parts.len());
    let has_core = parts[..first_star].iter().any(|part| matches!(part, Part::Core(_)));
    let names: Vec<&Token<'_>> = (0..first_star)
        .filter(|at| !matches!(parts.get(at + 1), Some(Part::Parentheses(_))))
        .filter_map(|at| parts[at].name())
        .collect();
    let chosen = match names.as_slice() {
        _ if has_core => None,
        [] => {
            return Err(refuse(
                &function.name.span,
                format!("`{}` has no return type", function.name.text),
                "the type should stand in front of this",
                "write the type out",
            ));
        }
        [one] => Some(*one),
        several => {
            let likely: Vec<&&Token<'_>> = several.iter().filter(|name| !is_macro_like(&name.text)).collect();
            match likely.as_slice() {
                [one] => Some(**one),
                _ => {
                    let words: Vec<String> = several.iter().map(|name| format!("`{}`", name.text)).collect();
                    return Err(refuse(
                        &several[1].span,
                        format!("it cannot be told which of {} is the return type", words.join(", ")),
                        format!("`{}` is declared with this, too", function.name.text),
                        format!(
                            "name the others among the `specifiers` of the pack, as `{}` is among its marks",
                            mark.text
                        ),
                    ));
                }
            }
        }
    };
    let mut kept: Vec<&Token<'_>> = Vec::new();
    for part in parts {
        match part {
            Part::Core(tokens) | Part::Qualifier(tokens) | Part::Star(tokens) => kept.extend(*tokens),
            Part::Name(tokens) if chosen.is_some_and(|name| std::ptr::eq(name, tokens[0])) => kept.push(tokens[0]),
            _ => {}
        }
    }
    let mut text = joined(&kept);
    if !text.ends_with('*') && !function.before.is_empty() {
        text.push(' ');
    }
    Ok(text)
}

/// A type's text without the qualifiers of the whole: `char *const` becomes `char *`, `const int` becomes `int`.
fn without_own_qualifiers(text: &str) -> String {
    let is_qualifier = |word: &&str| QUALIFIERS.contains(word);
    let keep = |words: &str| words.split(' ').filter(|word| !is_qualifier(word)).collect::<Vec<_>>().join(" ");
    match text.rfind('*') {
        Some(star) => format!("{}{}", &text[..=star], keep(text[star + 1..].trim_end())),
        None => keep(text),
    }
}

impl Type {
    /// The type, such that a name can follow what is before it.
    fn ready(mut self) -> Type {
        if self.before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ')') {
            self.before.push(' ');
        }
        self
    }
}

/// Tokens as text, with blanks where C is written with blanks.
fn joined(tokens: &[&Token<'_>]) -> String {
    let mut text = String::new();
    for (number, token) in tokens.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| tokens[before]);
        let is_text =
            |token: &Token<'_>| matches!(token.kind, Kind::Word | Kind::Number | Kind::String | Kind::Character);
        let blank = before.is_some_and(|before| {
            (is_text(before) && is_text(token))
                || (is_text(before) && token.is("*"))
                || before.is(",")
                || (before.is(")") && is_text(token))
                || (is_text(before) && token.is("(") && TYPE_WORDS.contains(&before.text.as_ref()))
        });
        if blank {
            text.push(' ');
        }
        text.push_str(&token.text);
    }
    text
}

/// Words that stand apart from a parenthesis behind them.
const TYPE_WORDS: &[&str] = &["void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool"];

// --- parameters -------------------------------------------------------------------------------------------------

fn parameters(tokens: &[&Token<'_>], function: &Token<'_>, vocabulary: &Vocabulary) -> Result<Vec<Parameter>, Refusal> {
    match tokens {
        [] => {
            return Err(refuse(
                &function.span,
                format!("`{}` does not say which parameters it has", function.text),
                "its parentheses are empty",
                "write `(void)` when it has none",
            ));
        }
        [only] if only.is_word("void") => return Ok(Vec::new()),
        _ => {}
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut start = 0;
    let mut depth = 0;
    for at in 0..=tokens.len() {
        let ends = match tokens.get(at).map(|token| token.kind) {
            None => true,
            Some(Kind::Punctuator("(" | "[" | "{")) => {
                depth += 1;
                false
            }
            Some(Kind::Punctuator(")" | "]" | "}")) => {
                depth -= 1;
                false
            }
            Some(Kind::Punctuator(",")) => depth == 0,
            _ => false,
        };
        if ends {
            let own = &tokens[start..at];
            if own.is_empty() {
                return Err(refuse(
                    &function.span,
                    format!("a parameter of `{}` is empty", function.text),
                    "there is a comma too many in its list",
                    "take the comma away",
                ));
            }
            parameters.push(parameter(own, function, vocabulary)?);
            start = at + 1;
        }
    }
    for (number, own) in parameters.iter().enumerate() {
        if parameters[..number].iter().any(|other| other.name == own.name) {
            return Err(refuse(
                &own.span,
                format!("two parameters of `{}` are called `{}`", function.text, own.name),
                "this is the second",
                "give each a name of its own",
            ));
        }
        let depends = parameters.iter().find(|other| uses_word(&own.value.after, &other.name));
        if let Some(other) = depends {
            return Err(refuse(
                &own.span,
                format!("the type of `{}` depends on the parameter `{}`, and cannot be kept", own.name, other.name),
                "this would be a member of a structure",
                "declare it as a pointer to its first element",
            ));
        }
    }
    Ok(parameters)
}

/// Whether a text has a name in it, as a whole word.
fn uses_word(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

fn parameter(tokens: &[&Token<'_>], function: &Token<'_>, vocabulary: &Vocabulary) -> Result<Parameter, Refusal> {
    let span = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
    if tokens.iter().all(|token| token.is("...") || token.is(".")) {
        return Err(refuse(
            &span,
            format!("`{}` takes a variable number of arguments, which cannot be passed on", function.text),
            "these would be lost",
            "wrap a function that takes a `va_list`, or an array, by hand",
        ));
    }
    let unnamed = || {
        refuse(
            &span,
            format!("a parameter of `{}` has no name", function.text),
            "the wrapper passes parameters on by name",
            "give it a name",
        )
    };
    let all = parts(tokens, vocabulary);
    if let Some(list) = all.iter().filter_map(Part::name).find(|name| name.text.ends_with("va_list")) {
        return Err(refuse(
            &list.span,
            format!("`{}` takes a `{}`, which cannot be kept for later", function.text, list.text),
            "this may be an array",
            "wrap it by hand",
        ));
    }
    if let Some(part) = all.iter().find(|part| matches!(part, Part::Other(_))) {
        return Err(refuse(
            &part.span(),
            format!("a parameter of `{}` cannot be read", function.text),
            "this is no part of a declaration that is known",
            "use a typedef for its type",
        ));
    }
    let declared = match all.iter().position(|part| matches!(part, Part::Parentheses(_))) {
        Some(at) => nested_parameter(&all, at, unnamed)?,
        None => plain_parameter(&all).ok_or_else(unnamed)?,
    };
    let Declarator { name, before, after } = declared;
    let declared = Type { before, after }.ready();
    let value = value_of(&declared);
    Ok(Parameter { name: name.text.to_string(), declared, value, span })
}

/// A name with the text around it.
struct Declarator<'t> {
    name: &'t Token<'t>,
    before: String,
    after: String,
}

/// `type *name[…]`.
fn plain_parameter<'t>(parts: &[Part<'t>]) -> Option<Declarator<'t>> {
    let last_star = parts.iter().rposition(|part| matches!(part, Part::Star(_)));
    let has_type = last_star.is_some() || parts.iter().any(|part| matches!(part, Part::Core(_)));
    let brackets = parts.iter().position(|part| matches!(part, Part::Brackets(_)));
    let from = last_star.map_or(0, |star| star + 1);
    let to = brackets.unwrap_or(parts.len());
    let names: Vec<usize> = (from..to).filter(|at| parts[*at].name().is_some()).collect();
    // Without any other word of a type, the first name is the type.
    let mut candidates = if has_type { names.as_slice() } else { names.get(1..)? };
    let is_macro = |at: &usize| parts[*at].name().is_some_and(|name| is_macro_like(&name.text));
    while let [earlier @ .., last] = candidates
        && brackets.is_none()
        && is_macro(last)
        && earlier.iter().any(|at| !is_macro(at))
    {
        candidates = earlier;
    }
    let at = *candidates.last()?;
    let name = parts[at].name()?;
    let before: Vec<&Token<'_>> = parts[..at].iter().flat_map(|part| part.tokens().iter().copied()).collect();
    let dimensions = parts[at + 1..].iter().filter(|part| matches!(part, Part::Brackets(_)));
    let after: String = dimensions.map(|part| joined(part.tokens())).collect();
    Some(Declarator { name, before: joined(&before), after })
}

/// `type (*name)(…)`, `type name(…)`, `type (*name)[…]`.
fn nested_parameter<'t>(
    parts: &[Part<'t>],
    at: usize,
    unnamed: impl Fn() -> Refusal,
) -> Result<Declarator<'t>, Refusal> {
    let text = |parts: &[Part<'t>]| {
        let tokens: Vec<&Token<'_>> = parts.iter().flat_map(|part| part.tokens().iter().copied()).collect();
        joined(&tokens)
    };
    let tail = || -> String { parts[at + 1..].iter().map(|part| joined(part.tokens())).collect() };
    let has_type = parts[..at.saturating_sub(1)].iter().any(|part| matches!(part, Part::Core(_) | Part::Name(_)));
    // A function, which as a parameter is a pointer to one.
    if let Some(name) = at.checked_sub(1).and_then(|before| parts[before].name())
        && has_type
    {
        let after = joined(parts[at].tokens()) + &tail();
        return Ok(Declarator { name, before: text(&parts[..at - 1]), after });
    }
    let inside = parts[at].inside();
    // The name is the innermost: what stands behind the last opening parenthesis of `(*(*name)(int))` and its stars.
    let mut name = None;
    for (number, token) in inside.iter().enumerate() {
        match token.kind {
            Kind::Punctuator("*" | "(") if name.is_none() => {}
            Kind::Word if !QUALIFIERS.contains(&token.text.as_ref()) => name = Some(number),
            Kind::Word => {}
            _ => break,
        }
    }
    let name = name.ok_or_else(unnamed)?;
    let base = text(&parts[..at]);
    let blank = if base.ends_with('*') { "" } else { " " };
    let before = format!("{base}{blank}({}", joined(&inside[..name]));
    let after = format!("{}){}", joined(&inside[name + 1..]), tail());
    Ok(Declarator { name: inside[name], before, after })
}

/// The type of a parameter's value: arrays and functions are pointers.
fn value_of(declared: &Type) -> Type {
    let pointer = |after: &str| match after.is_empty() {
        true => Type { before: format!("{}*", declared.before), after: String::new() },
        false => Type { before: format!("{}(*", declared.before), after: format!("){after}") },
    };
    match declared.after.chars().next() {
        Some('[') => {
            let end = declared.after.find(']').map_or(declared.after.len(), |end| end + 1);
            pointer(&declared.after[end..])
        }
        Some('(') => Type { before: format!("{}(*", declared.before), after: format!("){}", declared.after) },
        _ => declared.clone(),
    }
}
