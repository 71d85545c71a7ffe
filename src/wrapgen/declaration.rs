//! Reading one declaration of a function without knowing what its names mean.
//!
//! No include is read, so position and spelling decide which names are types and which are macros.
//! Where both are possible the declaration is refused. A wrong guess cannot go unnoticed: the
//! compiler sees the declaration together with the generated definition.

use std::collections::HashMap;
use std::ops::Range;

use cowrap_csyntax::lex::{Kind, is_word_byte};

use crate::header::{Problem, Vocabulary};
use crate::items::Token;
use crate::wrapper::{Parameter, Type};

/// A declaration of a function.
#[derive(Clone, Debug)]
pub(crate) struct ParsedDeclaration {
    pub(crate) name: String,
    pub(crate) name_span: Range<usize>,
    pub(crate) span: Range<usize>,
    pub(crate) returns: Type,
    pub(crate) result: Type,
    pub(crate) is_void: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) is_static: bool,
}

/// A part of a declaration, outside of brackets.
#[derive(Clone, Copy, Debug)]
enum Part<'t> {
    /// A type by itself: `int`, `struct name`, `typeof(x)`.
    Core(&'t [&'t Token<'t>]),
    /// `const` and the like.
    Qualifier(&'t [&'t Token<'t>]),
    /// A `*`.
    Star(&'t [&'t Token<'t>]),
    /// Any other name.
    Name(&'t [&'t Token<'t>]),
    /// `(` to `)`.
    Parentheses(&'t [&'t Token<'t>]),
    /// `[` to `]`.
    Brackets(&'t [&'t Token<'t>]),
    /// Anything else.
    Other(&'t [&'t Token<'t>]),
}

/// Reads a declaration, given without its `;`. `mark` is the index of the wrapper mark.
pub(crate) fn parse_declaration(
    tokens: &[&Token<'_>],
    mark: usize,
    vocabulary: &Vocabulary,
) -> Result<ParsedDeclaration, Problem> {
    let whole = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
    let mark = tokens[mark];
    let not_a_function = |label: &str| {
        Problem::new(mark.span.clone(), format!("`{}` is not on the declaration of a function", mark.text))
            .label(label)
            .help("put the mark on the declaration of one function")
    };
    if tokens.iter().any(|token| token.is_word("typedef")) {
        return Err(not_a_function("this is on a typedef"));
    }
    let parts = parts(tokens, vocabulary);
    if let Some(comma) = parts.iter().find(|part| part.is_punctuator(",")) {
        let message = format!("the declaration with `{}` declares several names", mark.text);
        return Err(Problem::new(comma.span(), message)
            .label("another one follows")
            .help("declare each function by itself"));
    }
    let Some(function) = find_function(&parts) else { return Err(not_a_function("this declares no function")) };
    let function = function?;

    let specifiers = &parts[..function.start];
    let base = return_specifiers(specifiers, &function)?;
    let returns = Type { before: base.clone() + &function.before, after: function.after.clone() };
    let returns = returns.ready();
    let result = match function.before.is_empty() {
        true => Type { before: without_own_qualifiers(&base), after: String::new() },
        false => Type { before: base + &without_own_qualifiers(&function.before), after: function.after.clone() },
    };
    let result = result.ready();
    let is_void = result.text() == "void";
    let parameters = parameters(function.parameters, function.name, vocabulary)?;
    Ok(ParsedDeclaration {
        name: function.name.text.to_string(),
        name_span: function.name.span.clone(),
        span: whole,
        returns,
        result,
        is_void,
        parameters,
        is_static: is_static(tokens),
    })
}

/// Whether a declaration has `static` outside of brackets: `int v[static 4]` is something else.
fn is_static(tokens: &[&Token<'_>]) -> bool {
    let mut depth = 0;
    tokens.iter().any(|token| {
        match token.kind {
            Kind::Punctuator("(" | "[" | "{") => depth += 1,
            Kind::Punctuator(")" | "]" | "}") => depth -= 1,
            _ => {}
        }
        depth == 0 && token.is_word("static")
    })
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
/// Words that are ignored.
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
/// Words that are ignored together with the parentheses behind them.
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

    /// The tokens between the parentheses or brackets.
    fn inside(&self) -> &'t [&'t Token<'t>] {
        let tokens = self.tokens();
        tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default()
    }
}

/// Splits a declaration into parts, without attributes, storage classes and the names of the
/// vocabulary.
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
            // A specifier may be a macro with arguments.
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

/// Where the brackets that open at `at` end: behind the closing one.
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

/// Whether a name is written like that of a macro.
fn is_macro_like(name: &str) -> bool {
    name.starts_with("__") || !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

// --- the function -----------------------------------------------------------------------------------------------

/// The function in a declaration.
struct Function<'t> {
    name: &'t Token<'t>,
    /// The tokens of its parameters, without the parentheses.
    parameters: &'t [&'t Token<'t>],
    /// The first part of the declarator.
    start: usize,
    /// If it returns a pointer to a function or to an array: the text around the name and the
    /// parameters.
    before: String,
    after: String,
}

/// The function in a declaration; `None` if there is none.
fn find_function<'t>(parts: &[Part<'t>]) -> Option<Result<Function<'t>, Problem>> {
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
                // `type (*name(parameters))(…)` and `type (name)(parameters)`, where the type is a name.
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
        // Its type is missing, which is reported later.
        ([], None, []) => untyped?,
        ([first, second, ..], ..) | ([], None, [first, second, ..]) => {
            let (first, second) = (name_of(*first)?, name_of(*second)?);
            let message = format!("cannot tell whether `{}` or `{}` is the function", first.text, second.text);
            return Some(Err(Problem::new(second.span.clone(), message)
                .label("this may be the function, or a macro")
                .help("name macros in capitals, or add them to the `specifiers` of the pack")));
        }
    };
    let name = name_of(chosen)?;
    if let Some(behind) = parts[chosen + 1..].iter().find(|part| !is_trailer(part)) {
        let message = format!("cannot read what follows the parameters of `{}`", name.text);
        return Some(Err(Problem::new(behind.span(), message)
            .label("unexpected here")
            .help("put only attributes and macros after the parameters")));
    }
    let parameters = parts[chosen].inside();
    Some(Ok(Function { name, parameters, start: chosen - 1, before: String::new(), after: String::new() }))
}

/// Whether a part may follow the parameters: macros, with or without arguments.
fn is_trailer(part: &Part<'_>) -> bool {
    matches!(part, Part::Name(_) | Part::Parentheses(_))
}

/// `(*name(parameters))(…)`, or a name in parentheses.
fn nested_function<'t>(parts: &[Part<'t>], at: usize) -> Result<Function<'t>, Problem> {
    let inside = parts[at].inside();
    let unreadable = |label: &str| {
        Problem::new(parts[at].span(), "cannot find the name of the function in the declaration")
            .label(label)
            .help("use a typedef for the return type")
    };
    let behind = &parts[at + 1..];
    let suffix = behind.iter().take_while(|part| matches!(part, Part::Parentheses(_) | Part::Brackets(_))).count();
    if let [name] = inside
        && name.kind == Kind::Word
    {
        let Some(Part::Parentheses(_)) = behind.first() else { return Err(unreadable("not a function")) };
        let parameters = behind[0].inside();
        return Ok(Function { name, parameters, start: at, before: String::new(), after: String::new() });
    }
    let Some(open) = inside.iter().position(|token| token.is("(")) else {
        return Err(unreadable("a pointer to a function, not a function"));
    };
    let end = group_end(inside, open);
    let Some(name) = open.checked_sub(1).map(|before| inside[before]).filter(|token| token.kind == Kind::Word) else {
        return Err(unreadable("nested too deeply"));
    };
    if end != inside.len() || suffix == 0 {
        return Err(unreadable("nested too deeply"));
    }
    let before = format!("({}", joined(&inside[..open - 1]));
    let after: String = behind[..suffix].iter().map(|part| joined(part.tokens())).collect();
    let parameters = &inside[open + 1..end - 1];
    Ok(Function { name, parameters, start: at, before, after: format!("){after}") })
}

/// The part of the return type before the declarator.
fn return_specifiers(parts: &[Part<'_>], function: &Function<'_>) -> Result<String, Problem> {
    let first_star = parts.iter().position(|part| matches!(part, Part::Star(_))).unwrap_or(parts.len());
    let has_core = parts[..first_star].iter().any(|part| matches!(part, Part::Core(_)));
    let names: Vec<&Token<'_>> = (0..first_star)
        .filter(|at| !matches!(parts.get(at + 1), Some(Part::Parentheses(_))))
        .filter_map(|at| parts[at].name())
        .collect();
    let chosen = match names.as_slice() {
        _ if has_core => None,
        [] => {
            return Err(Problem::new(
                function.name.span.clone(),
                format!("`{}` has no return type", function.name.text),
            )
            .label("the type should be before this name")
            .help("write the type"));
        }
        [one] => Some(*one),
        several => {
            let likely: Vec<&&Token<'_>> = several.iter().filter(|name| !is_macro_like(&name.text)).collect();
            match likely.as_slice() {
                [one] => Some(**one),
                _ => {
                    let words: Vec<String> = several.iter().map(|name| format!("`{}`", name.text)).collect();
                    let message = format!("cannot tell which of {} is the return type", words.join(", "));
                    return Err(Problem::new(several[1].span.clone(), message)
                        .label("this may be the type, or a macro")
                        .help("name macros in capitals, or add them to the `specifiers` of the pack"));
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

/// A type without its outermost qualifiers: `char *const` becomes `char *`, `const int` becomes
/// `int`.
fn without_own_qualifiers(text: &str) -> String {
    let is_qualifier = |word: &&str| QUALIFIERS.contains(word);
    let keep = |words: &str| words.split(' ').filter(|word| !is_qualifier(word)).collect::<Vec<_>>().join(" ");
    match text.rfind('*') {
        Some(star) => format!("{}{}", &text[..=star], keep(text[star + 1..].trim_end())),
        None => keep(text),
    }
}

impl Type {
    /// The type, with a blank before the name if one is needed.
    fn ready(mut self) -> Type {
        if self.before.bytes().last().is_some_and(|last| is_word_byte(last) || last == b')') {
            self.before.push(' ');
        }
        self
    }
}

/// Tokens as text, with blanks as C is usually written.
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

/// Words with a blank between them and a parenthesis.
const TYPE_WORDS: &[&str] = &["void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool"];

// --- parameters -------------------------------------------------------------------------------------------------

/// The first punctuator of this kind that is not between braces, as those in the members of a `struct` are.
fn outside_of_braces<'t>(tokens: &[&'t Token<'t>], punctuator: &str) -> Option<&'t Token<'t>> {
    let mut depth = 0;
    tokens.iter().copied().find(|token| {
        depth += i32::from(token.is("{")) - i32::from(token.is("}"));
        depth == 0 && token.is(punctuator)
    })
}

fn parameters(tokens: &[&Token<'_>], function: &Token<'_>, vocabulary: &Vocabulary) -> Result<Vec<Parameter>, Problem> {
    match tokens {
        [] => {
            return Err(Problem::new(
                function.span.clone(),
                format!("the declaration of `{}` has empty parentheses", function.text),
            )
            .label("this does not say which parameters it has")
            .help("write `(void)` if it has none"));
        }
        [only] if only.is_word("void") => return Ok(Vec::new()),
        _ => {}
    }
    if let Some(semicolon) = outside_of_braces(tokens, ";") {
        return Err(Problem::new(
            semicolon.span.clone(),
            format!("the parameters of `{}` have a `;` among them", function.text),
        )
        .label("a wrapper cannot repeat this")
        .help("write parameters that need no forward declarations"));
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
                return Err(Problem::new(
                    function.span.clone(),
                    format!("a parameter of `{}` is empty", function.text),
                )
                .label("its parameters have one comma too many")
                .help("remove the comma"));
            }
            parameters.push(parameter(own, function, vocabulary)?);
            start = at + 1;
        }
    }
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for (number, own) in parameters.iter().enumerate() {
        positions.entry(&own.name).or_insert(number);
    }
    for (number, own) in parameters.iter().enumerate() {
        if positions[own.name.as_str()] < number {
            return Err(Problem::new(
                own.span.clone(),
                format!("two parameters of `{}` are named `{}`", function.text, own.name),
            )
            .label("the second one")
            .help("give each parameter its own name"));
        }
        let depends = words(&own.value.after).filter_map(|word| positions.get(word)).min().map(|at| &parameters[*at]);
        if let Some(other) = depends {
            return Err(Problem::new(
                own.span.clone(),
                format!("the type of `{}` depends on the parameter `{}`", own.name, other.name),
            )
            .label("the wrapper cannot store this in a structure")
            .help("declare it as a pointer to its first element"));
        }
    }
    Ok(parameters)
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !is_word_byte(c as u8))
}

fn parameter(tokens: &[&Token<'_>], function: &Token<'_>, vocabulary: &Vocabulary) -> Result<Parameter, Problem> {
    let span = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
    if tokens.iter().all(|token| token.is("...") || token.is(".")) {
        return Err(Problem::new(span, format!("`{}` takes a variable number of arguments", function.text))
            .label("a wrapper cannot pass these on")
            .help("write the wrapper by hand, around a function that takes a `va_list` or an array"));
    }
    let unnamed = || {
        Problem::new(span.clone(), format!("a parameter of `{}` has no name", function.text))
            .label("the wrapper passes parameters by name")
            .help("name it")
    };
    let all = parts(tokens, vocabulary);
    if let Some(list) = all.iter().filter_map(Part::name).find(|name| name.text.ends_with("va_list")) {
        return Err(Problem::new(list.span.clone(), format!("`{}` takes a `{}`", function.text, list.text))
            .label("this may be an array, which the wrapper cannot store")
            .help("write the wrapper by hand"));
    }
    if let Some(part) = all.iter().find(|part| matches!(part, Part::Other(_))) {
        return Err(Problem::new(part.span(), format!("cannot read a parameter of `{}`", function.text))
            .label("unexpected here")
            .help("use a typedef for its type"));
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
    // Unless something else is the type, the first name is.
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
    unnamed: impl Fn() -> Problem,
) -> Result<Declarator<'t>, Problem> {
    let text = |parts: &[Part<'t>]| {
        let tokens: Vec<&Token<'_>> = parts.iter().flat_map(|part| part.tokens().iter().copied()).collect();
        joined(&tokens)
    };
    let tail = || -> String { parts[at + 1..].iter().map(|part| joined(part.tokens())).collect() };
    let has_type = parts[..at.saturating_sub(1)].iter().any(|part| matches!(part, Part::Core(_) | Part::Name(_)));
    // A function as a parameter is a pointer to it.
    if let Some(name) = at.checked_sub(1).and_then(|before| parts[before].name())
        && has_type
    {
        let after = joined(parts[at].tokens()) + &tail();
        return Ok(Declarator { name, before: text(&parts[..at - 1]), after });
    }
    let inside = parts[at].inside();
    // The innermost name: behind the last `(` of `(*(*name)(int))` and its stars.
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

/// The type of the value of a parameter: arrays and functions are pointers.
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
