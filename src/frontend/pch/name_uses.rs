//! Checks "name uses" and "field uses": files must not use what they would not see declared in a
//! plain parse.
//!
//! In a precompiled header, or behind one, more is declared than in a plain parse. A file that uses
//! a name which only such additional declarations provide means something else in a plain parse, or
//! is an error there.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::failure::Failure;
use crate::scan::{Name, Scan};
use crate::worker::Conversation;

use super::headers::{HeaderId, Headers};
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

/// The wanted names that files refer to, as names of what is declared at file scope. The worker that
/// parsed them knows.
pub fn referred_names(
    conversation: &mut Conversation<'_>,
    headers: &Headers,
    wanted: &WantedNames,
) -> Result<Vec<(HeaderId, String)>, Failure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<HeaderId> = wanted.keys().copied().collect();
    let names = |(id, names): (&HeaderId, &HashSet<String>)| {
        (headers.get(*id).path.clone().into_os_string(), names.iter().cloned().collect())
    };
    let found = conversation.referred_names(wanted.iter().map(names).collect())?;
    Ok(found.into_iter().filter_map(|(position, name)| Some((*ids.get(position as usize)?, name))).collect())
}
