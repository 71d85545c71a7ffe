//! Checks "name uses" and "field uses": files must not use what they would not see declared in a
//! plain parse.
//!
//! In a precompiled header, or behind one, more is declared than in a plain parse. A file that uses
//! a name which only such additional declarations provide means something else in a plain parse, or
//! is an error there.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::clang::{Cursor, CursorKind, File, TranslationUnit, Visit};
use crate::scan::{Name, Scan};

use super::headers::HeaderId;
use super::order::Order;

/// Declarations at file scope: for each name, the files and lines.
pub type Declarations = HashMap<Name, Vec<(HeaderId, u32)>>;

/// For files, names that they may refer to.
pub type WantedNames = BTreeMap<HeaderId, HashSet<String>>;

/// The names in a text that precompiled headers declare, and only in files that may not have been
/// read when the name is used; each with one of these files. `more` are other declarations.
///
/// The scan does not tell whether the text refers to what they declare; [`referred_names`] does.
pub fn undeclared_names(
    scan: &Scan,
    file: Option<HeaderId>,
    precompiled: &[&Declarations],
    more: &Declarations,
    order: &Order<'_>,
) -> Vec<(Name, HeaderId)> {
    let missing = |(word, line): &(Name, u32)| {
        let declarations = || precompiled.iter().filter_map(|declared| declared.get(word)).flatten();
        let (first, _) = *declarations().next()?;
        let is_declared =
            |(declarer, _): &(HeaderId, u32)| file.is_some_and(|file| order.is_read_before(*declarer, file, *line));
        let mut all = declarations().chain(more.get(word).into_iter().flatten());
        (!all.any(is_declared)).then_some((*word, first))
    };
    scan.words.iter().filter_map(missing).collect()
}

/// The wanted names that files refer to, as names of what is declared at file scope. `id`
/// identifies a file, and `counts` says whether a declaration in a line of a file counts.
///
/// libclang does not show the names in attributes.
pub fn referred_names(
    unit: &TranslationUnit<'_>,
    wanted: &WantedNames,
    id: impl Fn(File<'_>) -> Option<HeaderId>,
    counts: impl Fn(HeaderId, u32) -> bool,
) -> Vec<(HeaderId, String)> {
    let mut found = Vec::new();
    let Some(root) = unit.cursor().filter(|_| !wanted.is_empty()) else { return found };
    let mut ids: HashMap<File<'_>, Option<HeaderId>> = HashMap::new();
    root.visit(|cursor, _| {
        let Some(location) = cursor.location() else { return Visit::Skip };
        let id = *ids.entry(location.file).or_insert_with(|| id(location.file));
        let id = id.filter(|id| counts(*id, location.line));
        if let Some((id, names)) = id.and_then(|id| wanted.get_key_value(&id)) {
            cursor.visit(|inner, _| {
                if let Some(name) = referred_name(inner).filter(|name| names.contains(name)) {
                    found.push((*id, name));
                }
                Visit::Recurse
            });
        }
        Visit::Skip
    });
    found
}

/// The name of what a cursor refers to, if that is declared at file scope.
fn referred_name(cursor: Cursor<'_>) -> Option<String> {
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
