//! Attributes that libclang has no cursors for, read from what clang prints of a declaration.
//!
//! libclang shows that there is an attribute, and where it is written; its argument may come from a macro that pastes
//! names, so that the source does not show it. What clang prints has the argument as the compiler sees it.

use cowrap_facts::SymbolId;

use crate::clang::{Cursor, CursorKind};

use super::Extractor;

/// The argument of an attribute in a printed declaration: `f` in `__attribute__((cleanup(f)))` or
/// `[[gnu::cleanup(f)]]`. Only attributes of the declaration itself count, not those inside of parentheses or braces,
/// such as a parameter's.
fn argument<'t>(printed: &'t str, attribute: &str) -> Option<&'t str> {
    attributes(printed).find(|(name, _)| *name == attribute).and_then(|(_, argument)| argument)
}

/// Whether a printed declaration has an attribute.
fn has_attribute(printed: &str, attribute: &str) -> bool {
    attributes(printed).any(|(name, _)| name == attribute)
}

/// The attributes of a printed declaration, each with its arguments, without quotes around them.
fn attributes(printed: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut lists = Vec::new();
    let mut rest = printed;
    while let Some(start) = rest.find(['(', '{', '[', '"', '\'', '_']) {
        let at = &rest[start..];
        let is_word_start = !rest[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let opening = match at.strip_prefix("__attribute__((") {
            Some(list) if is_word_start => Some((list, "))")),
            _ => at.strip_prefix("[[").map(|list| (list, "]]")),
        };
        rest = match opening {
            Some((list, end)) => {
                let length = balanced(list, end);
                lists.push(&list[..length]);
                list[length..].strip_prefix(end).unwrap_or_default()
            }
            None => match at.as_bytes()[0] {
                b'_' => at.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'),
                _ => after_group(at),
            },
        };
    }
    lists.into_iter().flat_map(split_list)
}

/// The attributes of a list between the parentheses.
fn split_list(list: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ']);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
        let name = rest[..end].rsplit("::").next().unwrap_or_default();
        let name = name.strip_prefix("__").and_then(|name| name.strip_suffix("__")).unwrap_or(name);
        rest = &rest[end..];
        let mut argument = None;
        if let Some(inner) = rest.strip_prefix('(') {
            let length = balanced(inner, ")");
            let first = inner[..length].trim();
            argument = Some(first.trim_matches('"'));
            rest = inner[length..].strip_prefix(')').unwrap_or_default();
        }
        // Anything else that is printed there is not understood, and skipped.
        let next = rest.find(',').unwrap_or(rest.len());
        rest = &rest[next..];
        Some((name, argument))
    })
}

/// The length of a text up to `end` at the same nesting of parentheses.
fn balanced(text: &str, end: &str) -> usize {
    let mut rest = text;
    while !rest.starts_with(end) {
        let Some(c) = rest.chars().next() else { return text.len() };
        rest = match c {
            '(' | '[' | '{' | '"' | '\'' => after_group(rest),
            _ => &rest[c.len_utf8()..],
        };
    }
    text.len() - rest.len()
}

/// What follows a group in brackets or quotes at the start of a text.
fn after_group(text: &str) -> &str {
    let mut depth = 0usize;
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '"' | '\'' => {
                while let Some((_, inner)) = characters.next() {
                    match inner {
                        '\\' => drop(characters.next()),
                        _ if inner == c => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if depth == 0 {
            let end = characters.next().map_or(text.len(), |(next, _)| next);
            return if matches!(c, '"' | '\'') { &text[end.max(at + 1)..] } else { &text[at + c.len_utf8()..] };
        }
    }
    ""
}

/// Whether a declaration of a function is its definition. libclang would search all declarations of the function.
pub(super) fn is_definition(function: Cursor<'_>) -> bool {
    function.children().iter().any(|child| child.kind() == CursorKind::CompoundStmt)
}

/// Whether the attributes of a function's declaration say something about its identity, which later declarations
/// inherit.
pub(super) fn says_identity(function: Cursor<'_>) -> bool {
    if !function.has_attributes() {
        return false;
    }
    let is_label = |child: &Cursor<'_>| child.kind() == CursorKind::AsmLabelAttr;
    let printed = function.printed();
    ["weak", "weakref", "alias", "ifunc"].iter().any(|name| has_attribute(&printed, name))
        || function.children().iter().any(is_label)
}

/// Whether the first declaration of a function makes it weak.
pub(super) fn is_weak_from_the_start(function: Cursor<'_>) -> bool {
    let first = function.first_declaration().filter(|first| *first != function && first.has_attributes());
    first.is_some_and(|first| has_attribute(&first.printed(), "weak"))
}

/// What the attributes of a function's declaration say about its identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkAttributes {
    /// Whether it is weak.
    pub weak: bool,
    /// The name of the function that it is another name for.
    pub alias: Option<String>,
    /// The name of the function that chooses what it is, when the program is loaded.
    pub resolver: Option<String>,
    /// Whether something that cowrap does not see calls it: the start or the end of the program, or code that names it
    /// in a way of its own (`used`).
    pub is_entry: bool,
}

impl<'tu> Extractor<'_, 'tu> {
    /// The function that the `cleanup` attribute of a variable names.
    pub(super) fn cleanup_function(&mut self, variable: Cursor<'tu>) -> Option<SymbolId> {
        let is_attribute = |child: &Cursor<'_>| child.kind() == CursorKind::UnexposedAttr;
        if !variable.has_attributes() || !variable.children().iter().any(is_attribute) {
            return None;
        }
        let printed = variable.printed();
        let name = argument(&printed, "cleanup")?;
        Some(self.function_by_name(name))
    }

    /// What the attributes of a function's declaration say about its identity. `printed` is the declaration as clang
    /// prints it, if it has attributes.
    pub(super) fn link_attributes(&mut self, function: Cursor<'tu>, printed: Option<&str>) -> LinkAttributes {
        let Some(printed) = printed else { return LinkAttributes::default() };
        let label = function.children().into_iter().find(|child| child.kind() == CursorKind::AsmLabelAttr);
        let label = label.map(|label| label.spelling()).filter(|label| *label != function.spelling());
        // clang turns `weakref("f")` into an alias.
        let alias = argument(printed, "alias").or_else(|| argument(printed, "weakref"));
        let alias = alias.filter(|alias| !alias.is_empty()).map(str::to_owned);
        let mut found = LinkAttributes {
            weak: has_attribute(printed, "weak"),
            alias: alias.or(label).or_else(|| self.pragma_alias(function)),
            resolver: argument(printed, "ifunc").map(str::to_owned),
            is_entry: ["constructor", "destructor", "used"].iter().any(|name| has_attribute(printed, name)),
        };
        found.weak &= found.alias.is_none();
        found
    }

    /// The function that `#pragma weak name = other` says a function is. clang shows and prints nothing of it.
    fn pragma_alias(&mut self, function: Cursor<'tu>) -> Option<String> {
        let is_attribute = |child: &Cursor<'_>| {
            matches!(child.kind(), CursorKind::UnexposedAttr | CursorKind::AnnotateAttr | CursorKind::AsmLabelAttr)
        };
        let location = function.location()?;
        if function.children().iter().any(|child| child.kind() == CursorKind::CompoundStmt || is_attribute(child)) {
            return None;
        }
        let file = self.file(location.file);
        if !self.weak_pragmas.contains_key(&file) {
            let contents = self.contents(location.file);
            let pragmas = contents.split(|byte| *byte == b'\n').filter_map(weak_pragma).collect();
            self.weak_pragmas.insert(file, pragmas);
        }
        self.weak_pragmas.get(&file)?.get(&function.spelling()).cloned()
    }

    /// The number of a function in the current facts that is only known by name.
    pub(super) fn function_by_name(&mut self, name: &str) -> SymbolId {
        let file = match self.function_names.get(name) {
            Some(file) => *file,
            None => {
                let before = self.before.and_then(|before| before.function(name));
                if before.is_none() {
                    self.open.functions.insert(name.to_owned());
                }
                before.flatten().map(|path| self.file_of_path(path))
            }
        };
        self.symbol(name, file)
    }
}

/// The two names in a line `#pragma weak name = other` or `_Pragma("weak name = other")`.
fn weak_pragma(line: &[u8]) -> Option<(String, String)> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let line = std::str::from_utf8(line).ok()?.trim_start_matches(BLANKS);
    let words = match line.strip_prefix('#') {
        Some(directive) => directive.trim_start_matches(BLANKS).strip_prefix("pragma")?,
        None => line.strip_prefix("_Pragma")?.trim_start_matches([' ', '\t', '(']).strip_prefix('"')?,
    };
    let (this, other) = words.trim_start_matches(BLANKS).strip_prefix("weak")?.split_once('=')?;
    let other: String = other.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (this.starts_with(BLANKS) && !other.is_empty()).then(|| (this.trim().to_owned(), other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleanup_is_read_from_attributes_alone() {
        let cleanup = |printed| argument(printed, "cleanup");
        assert_eq!(cleanup("int x __attribute__((cleanup(done)))"), Some("done"));
        assert_eq!(cleanup("int x __attribute__((aligned(8))) __attribute__((cleanup(done)))"), Some("done"));
        assert_eq!(cleanup("int x __attribute__((aligned(8), cleanup(done)))"), Some("done"));
        assert_eq!(cleanup("[[gnu::cleanup(done)]] int x"), Some("done"));
        assert_eq!(cleanup("__attribute__((__cleanup__(done))) int x"), Some("done"));
        assert_eq!(cleanup("int x __attribute__((unused)) = add_cleanup(done)"), None);
        assert_eq!(cleanup("int x = cleanup(done)"), None);
        assert_eq!(cleanup("char x __attribute__((section(\"cleanup(done)\")))"), None);
        assert_eq!(cleanup("typeof (({ int y __attribute__((cleanup(done))); y; })) x"), None);
        assert_eq!(cleanup("int x__attribute__((cleanup(done)))"), None);
    }

    #[test]
    fn names_in_attributes_lose_their_quotes() {
        assert_eq!(argument("int f(void) __attribute__((alias(\"g\")))", "alias"), Some("g"));
        assert_eq!(argument("int f(int (*h)(void) __attribute__((alias(\"g\"))))", "alias"), None);
        assert!(has_attribute("__attribute__((weak)) int f(void)", "weak"));
        assert!(!has_attribute("__attribute__((weakref(\"g\"))) int f(void)", "weak"));
    }

    #[test]
    fn broken_text_does_not_hang() {
        for text in ["__attribute__((", "[[", "(((", "\"", "__attribute__((cleanup(", "'", "\\", "a \u{e9} [[\u{e9}]]"]
        {
            let _ = attributes(text).count();
        }
    }

    #[test]
    fn weak_pragmas_name_another_function() {
        let names = |line: &str| weak_pragma(line.as_bytes());
        let expected = Some(("f".to_owned(), "g".to_owned()));
        assert_eq!(names("#pragma weak f = g"), expected);
        assert_eq!(names("  #  pragma  weak f=g /* why */"), expected);
        assert_eq!(names("_Pragma(\"weak f=g\")"), expected);
        assert_eq!(names("#pragma weak f"), None);
        assert_eq!(names("// #pragma weak f = g"), None);
        assert_eq!(names("#pragma weakly f = g"), None);
    }
}
