//! Whether files speak of what others declare.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::clang::{Cursor, CursorKind, File, TranslationUnit, Visit};

use super::headers::HeaderId;

/// For files, names that they may refer to.
pub type Wanted = BTreeMap<HeaderId, HashSet<String>>;

/// The wanted names that files refer to, as to what is declared at file scope. `number` tells which file it is, and `counts` whether
/// a declaration in a line of a file counts.
///
/// What an attribute names libclang does not show.
pub fn reference(
    unit: &TranslationUnit<'_>,
    wanted: &Wanted,
    number: impl Fn(File<'_>) -> Option<HeaderId>,
    counts: impl Fn(HeaderId, u32) -> bool,
) -> Vec<(HeaderId, String)> {
    let mut found = Vec::new();
    let Some(root) = unit.cursor().filter(|_| !wanted.is_empty()) else { return found };
    let mut numbers: HashMap<File<'_>, Option<HeaderId>> = HashMap::new();
    root.visit(|cursor, _| {
        let Some(place) = cursor.location() else { return Visit::Skip };
        let number = *numbers.entry(place.file).or_insert_with(|| number(place.file));
        let number = number.filter(|number| counts(*number, place.line));
        if let Some((number, names)) = number.and_then(|number| wanted.get_key_value(&number)) {
            cursor.visit(|inner, _| {
                if let Some(name) = referred(inner).filter(|name| names.contains(name)) {
                    found.push((*number, name));
                }
                Visit::Recurse
            });
        }
        Visit::Skip
    });
    found
}

/// The name of what a cursor refers to, if that is declared at file scope.
fn referred(cursor: Cursor<'_>) -> Option<String> {
    use CursorKind::*;
    if !matches!(cursor.kind(), TypeRef | DeclRefExpr) {
        return None;
    }
    let referenced = cursor.referenced()?;
    let is_global = match referenced.kind() {
        ParmDecl | FieldDecl => false,
        VarDecl => referenced.semantic_parent().is_some_and(|parent| parent.kind() == TranslationUnit),
        _ => true,
    };
    is_global.then(|| referenced.spelling())
}
