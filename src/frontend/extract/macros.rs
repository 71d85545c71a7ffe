//! The macros that code comes from.
//!
//! libclang has no cursors for the uses of macros. But it says where text comes from: from which use, in which place of
//! a file, and from which definition. That names the outermost macro, the one in its argument, and the innermost.

use std::cell::LazyCell;
use std::rc::Rc;

use crate::clang::{Cursor, CursorKind, File, MacroLocation, Position};

use super::Extractor;
use super::cursor_tree::{CursorId, CursorTree};
use super::source_text::SourceCall;

/// The definition of a macro: its file, where its line begins, and the name.
pub(super) type Definition<'tu> = ((File<'tu>, usize), Rc<str>);

/// A macro that the beginning of some code comes from.
#[derive(Clone, Debug)]
pub(super) struct MacroUse {
    /// Its name.
    pub name: String,
    /// Whether all of the code comes from it.
    pub is_whole: bool,
    /// What is written between the parentheses, without blanks; `None` for a use in the definition of another macro.
    pub argument: Option<String>,
}

impl<'tu> Extractor<'_, 'tu> {
    /// The macros that the code of a node begins with, and whose names are wanted.
    pub(super) fn macro_uses(
        &mut self,
        tree: &CursorTree<'tu>,
        node: CursorId,
        is_wanted: impl Fn(&Self, &str) -> bool,
    ) -> Vec<MacroUse> {
        let mut found = Vec::new();
        let Some(start) = tree.cursor(node).start_in_macro() else { return found };
        // Most code comes from macros whose names nobody wants.
        let last = LazyCell::new(|| last_location(tree, node));
        let is_argument = start.spelled == Some(start.written);
        let written = Some(start.written).filter(|written| *written != start.used && !is_argument);
        for (number, at) in [Some(start.used), written].into_iter().enumerate() {
            let Some(at) = at else { continue };
            let contents = self.contents(at.file);
            let text = contents.get(at.offset as usize..).unwrap_or_default();
            let word = word(text);
            if !is_wanted(self, word) {
                continue;
            }
            let end = at.offset as usize + SourceCall::length(text);
            let is_inside =
                |last: Position<'tu>| last.file == at.file && last.offset >= at.offset && (last.offset as usize) < end;
            let is_whole = match number {
                0 => last.as_ref().is_some_and(|last| last.used == at),
                _ => last.as_ref().is_some_and(|last| is_inside(last.written)),
            };
            let SourceCall { word: name, argument } = SourceCall::read(text);
            found.push(MacroUse { name, is_whole, argument: Some(argument) });
        }
        if let (false, Some(spelled)) = (is_argument, start.spelled)
            && let Some((line, name)) = self.definition_around(spelled)
        {
            let is_new = !found.iter().any(|used| *used.name == *name);
            if is_new && is_wanted(self, &name) {
                let last = last.as_ref().and_then(|last| self.definition_around(last.spelled?));
                let is_whole = last.is_some_and(|last| last == (line, Rc::clone(&name)));
                found.push(MacroUse { name: name.to_string(), is_whole, argument: None });
            }
        }
        found
    }

    /// Whether an expression is a constant that is written as this name: that of a macro.
    pub(super) fn is_written_as(&mut self, tree: &CursorTree<'tu>, node: CursorId, name: &str) -> bool {
        self.macro_uses(tree, node, |_, word| word == name).iter().any(|used| used.is_whole)
    }

    /// The macro in whose definition a text is: where the definition's line begins, and the name.
    fn definition_around(&mut self, at: Position<'tu>) -> Option<Definition<'tu>> {
        if let Some(known) = self.definitions.get(&(at.file, at.offset)) {
            return known.clone();
        }
        let contents = self.contents(at.file);
        let found = definition_around(&contents, at.offset as usize);
        let found = found.map(|(line, name)| ((at.file, line), Rc::from(name)));
        self.definitions.insert((at.file, at.offset), found.clone());
        found
    }

    /// The number that a macro of the unit stands for.
    pub(super) fn number_of_macro(&mut self, name: &str) -> Option<i64> {
        if let Some(known) = self.macro_numbers.get(name) {
            return *known;
        }
        let mut number = None;
        let shared = self.before.into_iter().flat_map(|before| before.all_files());
        let shared = shared.filter_map(|file| defined_number(&self.paths.text(file), name)).collect::<Vec<i64>>();
        for other in shared.into_iter().chain(self.defined_numbers(name)) {
            // Which of several definitions is in force is unknown.
            if number.is_some_and(|number| number != other) {
                number = None;
                break;
            }
            number = Some(other);
        }
        self.macro_numbers.insert(name.to_owned(), number);
        number
    }

    /// The numbers that files of the unit define a name to be, without those of precompiled headers.
    pub(super) fn defined_numbers(&mut self, name: &str) -> Vec<i64> {
        let files = self.unit.files();
        files.into_iter().filter_map(|file| defined_number(&self.contents(file), name)).collect()
    }
}

/// Where the last token of a node comes from that has a cursor, if it comes from a macro.
fn last_location<'tu>(tree: &CursorTree<'tu>, mut node: CursorId) -> Option<MacroLocation<'tu>> {
    let own = |cursor: Cursor<'tu>| cursor.own_in_macro();
    loop {
        match tree.children(node).last() {
            // The member's name stands behind the object.
            _ if tree.kind(node) == CursorKind::MemberRefExpr => return own(tree.cursor(node)),
            Some(&last) => node = last,
            None => return tree.cursor(node).start_in_macro(),
        }
    }
}

/// Longer words are no names that anybody wants, in bytes.
const LONGEST_WORD: usize = 4096;

/// The word at the beginning of a text.
fn word(text: &[u8]) -> &str {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let length = text.iter().take(LONGEST_WORD).take_while(is_word).count();
    std::str::from_utf8(&text[..length]).unwrap_or_default()
}

/// How far to look for the beginning of a definition, in bytes.
const LONGEST_DEFINITION: usize = 1 << 16;

/// Where the line of the definition around an offset begins, and the macro's name.
fn definition_around(text: &[u8], offset: usize) -> Option<(usize, &str)> {
    let before = text.get(..offset)?;
    let mut start = offset;
    loop {
        let near = offset.saturating_sub(LONGEST_DEFINITION + 1).min(start);
        let line = match before[near..start].iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => near + newline + 1,
            None if near == 0 => 0,
            None => return None,
        };
        let above = before[..line].strip_suffix(b"\n").map(|above| above.strip_suffix(b"\r").unwrap_or(above));
        match above {
            Some([.., b'\\']) => start = line - 1,
            _ => return Some((line, defined_name(&text[line..])?.0)),
        }
    }
}

/// The name that a line defines, and what stands behind it.
fn defined_name(line: &[u8]) -> Option<(&str, &[u8])> {
    let line = line.trim_ascii_start().strip_prefix(b"#")?.trim_ascii_start();
    let line = line.strip_prefix(b"define")?;
    let rest = line.trim_ascii_start();
    let name = word(rest);
    (rest.len() < line.len() && !name.is_empty()).then(|| (name, &rest[name.len()..]))
}

/// The number that a file defines a name to be; `None` if there is no such definition, or several.
fn defined_number(text: &[u8], name: &str) -> Option<i64> {
    let mut found = None;
    for line in text.split(|byte| *byte == b'\n') {
        let Some((_, value)) = defined_name(line).filter(|(defined, _)| *defined == name) else { continue };
        let value = std::str::from_utf8(value).ok().and_then(number)?;
        if found.is_some_and(|found| found != value) {
            return None;
        }
        found = Some(value);
    }
    found
}

/// The number that a text is, perhaps in parentheses or before a comment.
pub(super) fn number(text: &str) -> Option<i64> {
    let mut text = text.split("/*").next()?.split("//").next()?.trim();
    let mut is_negative = false;
    loop {
        if let Some(inner) = text.strip_prefix('(') {
            text = inner.strip_suffix(')')?.trim();
        } else if let Some(inner) = text.strip_prefix('-') {
            (text, is_negative) = (inner.trim(), !is_negative);
        } else {
            break;
        }
    }
    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8).ok(),
        None => digits.parse().ok(),
    }?;
    if is_negative { number.checked_neg() } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_around_a_text_is_found_over_its_lines() {
        let text = "int x;\n #  define A(x) \\\n  do { \\\r\n y; } while (0)\ny;\n#defined B\n#define C c";
        let around = |word: &str| definition_around(text.as_bytes(), text.rfind(word)?).map(|(_, name)| name);
        assert_eq!(["int", "do {", "while", "d B", "c"].map(around), [None, Some("A"), Some("A"), None, Some("C")]);
        assert_eq!(definition_around(text.as_bytes(), text.find("y; }").unwrap_or_default()), Some((7, "A")));
    }

    #[test]
    fn the_numbers_of_macros_are_read() {
        let numbers = ["0", " (1) /* one */", "-0x10UL", "010", "1 + 2", "x", "f(1)", "-(-(-3))"].map(number);
        assert_eq!(numbers, [Some(0), Some(1), Some(-16), Some(8), None, None, None, Some(-3)]);
        let nested = format!("{}1{}", "-(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(number(&nested), Some(1));
        let text = b"#define A 1\n#define AB 2\n#define B 3\n#define B 4\n#define C c\n";
        assert_eq!(
            ["A", "AB", "B", "C", "D"].map(|name| defined_number(text, name)),
            [Some(1), Some(2), None, None, None]
        );
    }
}
