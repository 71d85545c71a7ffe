//! Rendering the wrappers with the templates of the pack.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error as TemplateError, ErrorKind, UndefinedBehavior, Value};
use rayon::prelude::*;
use serde::Serialize;

use cowrap_base::diagnostic::TextDiagnostic;
use cowrap_csyntax::lex::Kind;
use cowrap_packs::{Effect, Generator, LockMode, Wrapper};

use crate::dialect::Features;
use crate::items::{Item, items};
use crate::wrapper::{Type, WrapperDeclaration};

/// How many steps a template may take.
const MOST_STEPS: u64 = 1_000_000;

/// How many more the template of the file may take for each wrapper.
const MOST_STEPS_OF_WRAPPER: u64 = 1_000;

/// The line length of the generated file.
const WIDTH: usize = 80;

/// What the file has besides the wrappers.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// The names of the headers, for the comment at the top.
    pub inputs: Vec<String>,
    /// Headers that the file includes instead of those of the template.
    pub includes: Vec<String>,
    /// Whether another file includes it.
    pub includable: bool,
}

/// A wrapper as templates see it.
#[derive(Serialize)]
struct WrapperView<'d> {
    name: &'d str,
    target: String,
    mark: &'d str,
    /// `read`, `write`, or empty.
    lock: &'static str,
    /// Whether it may be called in both contexts.
    is_mixed: bool,
    /// Where it runs its target, as the pack names it; empty if the mark does not say.
    context: &'d str,
    is_static: bool,
    is_void: bool,
    returns: TypeView<'d>,
    result: TypeView<'d>,
    parameters: Vec<ParameterView>,
}

#[derive(Serialize)]
struct TypeView<'d> {
    before: &'d str,
    after: &'d str,
    text: String,
}

#[derive(Serialize)]
struct ParameterView {
    /// Its name in the definition: that of the declaration, unless the template uses that name.
    name: String,
    /// Its type without the name.
    r#type: String,
    /// Its declaration in the definition.
    declaration: String,
    /// A member that stores its value.
    member: String,
}

/// Why a template refuses a wrapper.
#[derive(Debug)]
struct TemplateRefusal {
    why: String,
    help: String,
}

impl fmt::Display for TemplateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for TemplateRefusal {}

/// Why there is no file.
#[derive(Debug)]
pub enum RenderError {
    /// These declarations cannot be wrapped.
    Refused(Vec<TextDiagnostic>),
    /// A template of the pack is wrong; the message says where and why.
    Template(String),
}

/// Renders the file for these declarations, which are sorted by header and offset.
///
/// # Errors
///
/// All declarations that cannot be wrapped, or one mistake in a template.
pub fn render_file(
    generator: &Generator,
    features: &Features,
    declarations: &[WrapperDeclaration],
    options: &FileOptions,
) -> Result<String, RenderError> {
    let mut environment = environment(generator, features).map_err(|error| RenderError::Template(shown(&error)))?;
    // The pack may be the tree's own, and loop without end.
    environment.set_fuel(Some(MOST_STEPS + MOST_STEPS_OF_WRAPPER * declarations.len() as u64));
    let reserved = reserved(generator, features);
    let (merged, mut diagnostics) = merge_declarations(generator, declarations, options.includable);
    let rendered: Vec<Result<String, RenderError>> = merged
        .par_iter()
        .map(|(declaration, conditions)| {
            let text = render(&environment, generator, &reserved, declaration)?;
            Ok(guarded(text.trim_end(), conditions))
        })
        .collect();
    let mut wrappers = Vec::with_capacity(rendered.len());
    for result in rendered {
        match result {
            Ok(text) => wrappers.push(text),
            Err(RenderError::Refused(own)) => diagnostics.extend(own),
            Err(error) => return Err(error),
        }
    }
    if !diagnostics.is_empty() {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.text, diagnostic.span.clone().map(|span| span.start)));
        return Err(RenderError::Refused(diagnostics));
    }
    let enters = merged
        .iter()
        .any(|(declaration, _)| spec(generator, declaration).is_some_and(|spec| spec.calls == Effect::InsideOnly));
    let context = minijinja::context! {
        inputs => Value::from(Serde(&options.inputs)),
        includes => Value::from(Serde(&options.includes)),
        includable => options.includable,
        enters,
        wrappers => wrappers,
    };
    let file = environment.get_template(&generator.file_template).and_then(|template| template.render(context));
    let mut text = file.map_err(|error| RenderError::Template(shown(&error)))?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

/// The name of the function that a declaration wraps, if its own name says so.
fn target_of(generator: &Generator, declaration: &WrapperDeclaration) -> Option<String> {
    match spec(generator, declaration)?.calls {
        Effect::InsideOnly => generator.target_name(&declaration.name),
        Effect::Mixed | Effect::OutsideOnly | Effect::Entry => generator.wrapper_name(&declaration.name),
    }
}

fn spec<'g>(generator: &'g Generator, declaration: &WrapperDeclaration) -> Option<&'g Wrapper> {
    generator.mark(&declaration.mark)?.wrapper.as_ref()
}

// --- the wrappers --------------------------------------------------------------------------------------------

/// A declaration, and the sets of conditions under which it is repeated: one of them must be true;
/// an empty one always is.
type MergedDeclaration<'d> = (&'d WrapperDeclaration, Vec<Vec<&'d str>>);

/// Each wrapper once, and what cannot be wrapped.
fn merge_declarations<'d>(
    generator: &Generator,
    declarations: &'d [WrapperDeclaration],
    includable: bool,
) -> (Vec<MergedDeclaration<'d>>, Vec<TextDiagnostic>) {
    let mut merged: Vec<MergedDeclaration<'d>> = Vec::new();
    let mut diagnostics = Vec::new();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut all_conditions: HashSet<(usize, Vec<&str>)> = HashSet::new();
    for declaration in declarations {
        if let Some(diagnostic) = refusal(generator, declaration, includable) {
            diagnostics.push(diagnostic);
            continue;
        }
        let conditions: Vec<&str> =
            declaration.conditions.iter().map(|condition| condition.expression.as_str()).collect();
        let others = by_name.entry(&declaration.name).or_default();
        let mut repeats = false;
        for other in others.iter() {
            let (first, known) = &mut merged[*other];
            if first.excludes(declaration) && first.signature() != declaration.signature() {
                continue;
            }
            repeats = true;
            if first.signature() != declaration.signature() || first.mark != declaration.mark {
                diagnostics.push(differs(declaration, first));
            } else if all_conditions.insert((*other, conditions.clone())) {
                known.push(conditions.clone());
            }
            break;
        }
        if !repeats {
            others.push(merged.len());
            all_conditions.insert((merged.len(), conditions.clone()));
            merged.push((declaration, vec![conditions]));
        }
    }
    (merged, diagnostics)
}

/// An error at the name of a declaration.
fn error(declaration: &WrapperDeclaration, message: String, label: &str, help: &str) -> TextDiagnostic {
    TextDiagnostic {
        is_error: true,
        message,
        text: declaration.header,
        span: Some(declaration.name_span.clone()),
        label: label.to_owned(),
        other: None,
        help: help.to_owned(),
    }
}

/// Why a declaration cannot be wrapped, as far as its name and `static` tell.
fn refusal(generator: &Generator, declaration: &WrapperDeclaration, includable: bool) -> Option<TextDiagnostic> {
    let name = &declaration.name;
    if target_of(generator, declaration).is_none() {
        let infix = generator.infix.as_deref().unwrap_or_default();
        let leaves = spec(generator, declaration).is_some_and(|spec| spec.calls != Effect::InsideOnly);
        let help = match leaves {
            true => format!("name it `subsystem_{infix}_function`, to wrap `subsystem_function`"),
            false => format!("name it `subsystem_function`, to wrap `subsystem_{infix}_function`"),
        };
        return Some(error(
            declaration,
            format!("the name of the wrapper `{name}` does not say which function it wraps"),
            "no target follows from this name",
            &help,
        ));
    }
    if declaration.is_static && !includable {
        return Some(error(
            declaration,
            format!("the wrapper `{name}` is static"),
            "no file but the generated one could call it",
            "drop `static`, or generate a file to be included with --includable",
        ));
    }
    None
}

fn differs(declaration: &WrapperDeclaration, first: &WrapperDeclaration) -> TextDiagnostic {
    TextDiagnostic {
        other: Some((first.header, first.name_span.clone(), "first declared here".to_owned())),
        ..error(
            declaration,
            format!("the wrapper `{}` is declared twice, and differently", declaration.name),
            "this has another type or another mark",
            "declare it once, or the same way both times",
        )
    }
}

/// The text of a wrapper within the conditions of its declarations.
fn guarded(text: &str, conditions: &[Vec<&str>]) -> String {
    if conditions.iter().any(Vec::is_empty) {
        return format!("{text}\n");
    }
    match conditions {
        [one] => {
            let open: String = one.iter().map(|expression| format!("{}\n", opening(expression))).collect();
            let close: String =
                one.iter().rev().map(|expression| format!("#endif /* {} */\n", commented(expression))).collect();
            format!("{open}{text}\n{close}")
        }
        several => {
            let all = |set: &Vec<&str>| {
                let parts: Vec<String> = set.iter().map(|expression| format!("({expression})")).collect();
                parts.join(" && ")
            };
            let parts: Vec<String> = several.iter().map(all).collect();
            let expression = parts.join(" || ");
            format!("#if {expression}\n{text}\n#endif\n")
        }
    }
}

fn opening(expression: &str) -> String {
    let name = |text: &str| -> Option<String> {
        let name = text.strip_prefix("defined(")?.strip_suffix(')')?;
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| name.to_owned())
    };
    match (name(expression), expression.strip_prefix('!').and_then(name)) {
        (Some(name), _) => format!("#ifdef {name}"),
        (None, Some(name)) => format!("#ifndef {name}"),
        (None, None) => format!("#if {expression}"),
    }
}

/// An expression within a comment; it must not end the comment.
fn commented(expression: &str) -> String {
    expression.replace("*/", "* /")
}

fn render(
    environment: &Environment<'_>,
    generator: &Generator,
    reserved: &BTreeSet<String>,
    declaration: &WrapperDeclaration,
) -> Result<String, RenderError> {
    let (Some(spec), Some(target)) = (spec(generator, declaration), target_of(generator, declaration)) else {
        // `merge_declarations` has refused such declarations.
        return Err(RenderError::Template(format!("`{}` has no target", declaration.mark)));
    };
    let is_mixed = generator.mark(&declaration.mark).is_some_and(|mark| mark.effect == Some(Effect::Mixed));
    let names = safe_names(declaration, &target, reserved);
    let view = WrapperView {
        name: &declaration.name,
        lock: match spec.lock {
            None => "",
            Some(LockMode::Read) => "read",
            Some(LockMode::Write) => "write",
        },
        mark: &declaration.mark,
        is_mixed,
        context: spec.context.as_deref().unwrap_or_default(),
        is_static: declaration.is_static,
        is_void: declaration.is_void,
        returns: TypeView::of(&declaration.returns),
        result: TypeView::of(&declaration.result),
        parameters: declaration
            .parameters
            .iter()
            .zip(&names)
            .map(|(parameter, name)| ParameterView {
                name: name.clone(),
                r#type: parameter.value.text(),
                declaration: around(name, &parameter.declared),
                member: around(name, &parameter.value),
            })
            .collect(),
        target,
    };
    let template = match spec.calls {
        Effect::InsideOnly => &generator.enter_template,
        Effect::Mixed | Effect::OutsideOnly | Effect::Entry => &generator.leave_template,
    };
    let rendered = environment
        .get_template(template)
        .and_then(|template| template.render(minijinja::context! { wrapper => Value::from(Serde(&view)) }));
    rendered.map_err(|failure| match refused(&failure) {
        Some(TemplateRefusal { why, help }) => RenderError::Refused(vec![error(
            declaration,
            format!("`{}` cannot be wrapped: {why}", declaration.name),
            &format!("marked `{}`", declaration.mark),
            help,
        )]),
        None => RenderError::Template(shown(&failure)),
    })
}

impl<'d> TypeView<'d> {
    fn of(own: &'d Type) -> Self {
        TypeView { before: &own.before, after: &own.after, text: own.text() }
    }
}

fn around(name: &str, own: &Type) -> String {
    format!("{}{name}{}", own.before, own.after)
}

/// Names for the parameters that mean nothing else in the templates.
fn safe_names(declaration: &WrapperDeclaration, target: &str, reserved: &BTreeSet<String>) -> Vec<String> {
    // Templates derive names from the target: `bdrv_co_foo_entry`.
    let derived = |name: &str| name.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let taken = |name: &str| reserved.contains(name) || name == declaration.name;
    let mut names: Vec<String> = Vec::new();
    let declared: HashSet<&str> = declaration.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut given: HashSet<String> = HashSet::new();
    for parameter in &declaration.parameters {
        let mut name = match derived(&parameter.name) {
            true => format!("arg_{}", parameter.name),
            false => parameter.name.clone(),
        };
        let is_other = |name: &String| given.contains(name) || declared.contains(name.as_str());
        while taken(&name) || (name != parameter.name && is_other(&name)) {
            name.push('_');
        }
        given.insert(name.clone());
        names.push(name);
    }
    names
}

// --- templates --------------------------------------------------------------------------------------------------

/// The names that the C of the templates uses. A parameter with such a name is renamed.
fn reserved(generator: &Generator, features: &Features) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for (_, text) in &generator.templates {
        // What is between the brackets of the template engine is not C, but literals in it may be.
        let mut rest = text.as_str();
        while let Some(open) = opening_bracket(rest) {
            add_words(&rest[..open], &mut words);
            let close = match &rest[open..open + 2] {
                "{{" => "}}",
                "{%" => "%}",
                _ => "#}",
            };
            let inside = &rest[open + 2..];
            let end = inside.find(close).unwrap_or(inside.len());
            if close != "#}" {
                let literals = inside[..end].split('"').skip(1).step_by(2);
                literals.filter(|literal| is_code(literal)).for_each(|literal| add_words(literal, &mut words));
            }
            rest = inside.get(end + 2..).unwrap_or_default();
        }
        add_words(rest, &mut words);
    }
    features.values().filter(|value| is_code(value)).for_each(|value| add_words(value, &mut words));
    words
}

/// Where the next `{{`, `{%` or `{#` of the template engine is.
fn opening_bracket(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// Whether a literal of a template is C, and not a value of a feature.
fn is_code(literal: &str) -> bool {
    literal.contains(['(', '=', ';'])
}

/// Adds the words of some C, except members of structures.
fn add_words(text: &str, words: &mut BTreeSet<String>) {
    let mut is_member = false;
    for item in items(text).0 {
        let Item::Token(token) = item else { continue };
        if token.kind == Kind::Word && !is_member {
            words.insert(token.text.to_string());
        }
        is_member = token.is(".") || token.is("->");
    }
}

fn environment<'g>(generator: &'g Generator, features: &Features) -> Result<Environment<'g>, TemplateError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_global("feature", Value::from(Serde(features)));
    environment.add_function("prototype", prototype);
    environment.add_function("arguments", arguments);
    environment.add_function("refuse", refuse);
    for (name, text) in &generator.templates {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// `prototype(wrapper, "specifier")`: the first lines of the definition of the wrapper.
fn prototype(wrapper: &Value, specifier: Option<String>) -> Result<String, TemplateError> {
    let text = |value: Value| value.to_string();
    let returns = wrapper.get_attr("returns")?;
    let mut head = String::new();
    if wrapper.get_attr("is_static")?.is_true() {
        head.push_str("static ");
    }
    head.push_str(&text(returns.get_attr("before")?));
    if let Some(specifier) = specifier {
        // The text before the name ends in a blank or in a `*`; the specifier follows like a name.
        let blank = if head.ends_with([' ', '*']) { "" } else { " " };
        head = format!("{head}{blank}{specifier} ");
    }
    head.push_str(&text(wrapper.get_attr("name")?));
    head.push('(');
    let parameters: Result<Vec<String>, TemplateError> = wrapper
        .get_attr("parameters")?
        .try_iter()?
        .map(|parameter| Ok(text(parameter.get_attr("declaration")?)))
        .collect();
    let mut parameters = parameters?;
    if parameters.is_empty() {
        parameters.push("void".to_owned());
    }
    let indent = if head.len() < WIDTH / 2 { head.len() } else { 8 };
    let mut column = head.len();
    let last = parameters.len() - 1;
    for (number, parameter) in parameters.iter().enumerate() {
        if number > 0 && column + parameter.len() + 2 > WIDTH {
            head.truncate(head.trim_end().len());
            head.push('\n');
            head.push_str(&" ".repeat(indent));
            column = indent;
        }
        head.push_str(parameter);
        head.push_str(if number == last { ")" } else { ", " });
        column += parameter.len() + 2;
    }
    head.push_str(&text(returns.get_attr("after")?));
    Ok(head)
}

/// `arguments(wrapper, "object")`: the names of the parameters; with an object, as its members.
fn arguments(wrapper: &Value, object: Option<String>) -> Result<String, TemplateError> {
    let object = object.unwrap_or_default();
    let names: Result<Vec<String>, TemplateError> = wrapper
        .get_attr("parameters")?
        .try_iter()?
        .map(|parameter| Ok(format!("{object}{}", parameter.get_attr("name")?)))
        .collect();
    Ok(names?.join(", "))
}

/// `refuse(why, help)`: the wrapper cannot be generated.
fn refuse(why: String, help: String) -> Result<Value, TemplateError> {
    Err(TemplateError::new(ErrorKind::InvalidOperation, why.clone()).with_source(TemplateRefusal { why, help }))
}

/// The refusal that caused an error of the template engine.
fn refused(error: &TemplateError) -> Option<&TemplateRefusal> {
    let mut source = std::error::Error::source(error);
    while let Some(current) = source {
        if let Some(refused) = current.downcast_ref() {
            return Some(refused);
        }
        source = current.source();
    }
    None
}

/// An error of the template engine with its location.
fn shown(error: &TemplateError) -> String {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("{name}:{line}: "),
        (Some(name), None) => format!("{name}: "),
        _ => String::new(),
    };
    format!("{place}{error}")
}
