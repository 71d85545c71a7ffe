//! Queries about a program: `why`, `callers` and `callees`, `paths`, `graph`, and what editors ask.
//!
//! An answer is plain data with its wording. This module must never know how an answer is shown, or where the program
//! comes from.

mod why;
mod related;
mod paths;
mod graph;
mod expression;
mod links;
pub mod editor;

use std::path::PathBuf;

use thiserror::Error;

use crate::effects::Effects;
use crate::program::FunctionId;
use crate::wording;
use cowrap_base::files::Shown;

pub use graph::{Selection, graph};
pub use paths::paths;
pub use related::related;
pub use why::why;

/// Why a query has no answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The program has no function of this name.
    #[error("no function is named `{name}`{}", did_you_mean(.similar))]
    Unknown {
        /// The name.
        name: String,
        /// Similar names, the most similar first.
        similar: Vec<String>,
    },
    /// The syntax of an expression is wrong.
    #[error("{expression}\n{:>width$} {problem}", "^", width = .at + 1)]
    Expression {
        /// The expression.
        expression: String,
        /// The position of the problem, in characters from 0.
        at: usize,
        /// The problem.
        problem: String,
    },
    /// A name or label in an expression matches nothing.
    #[error("nothing matches `{what}`{}", did_you_mean(.similar))]
    Nothing {
        /// The part of the expression.
        what: String,
        /// Similar names, the most similar first.
        similar: Vec<String>,
    },
}

fn did_you_mean(similar: &[String]) -> String {
    let names: Vec<String> = similar.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [name] => format!("; did you mean {name}?"),
        [names @ .., last] => format!("; did you mean {} or {last}?", names.join(", ")),
    }
}

/// How many similar names an error suggests.
const MAX_SIMILAR: usize = 3;

/// How similar a suggestion must be, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.8;

/// The functions of a name: `name` is one function, or several `static` ones; `file.c:name` is the one of that file.
///
/// # Errors
///
/// The program has no function of the name.
pub fn find(effects: &Effects<'_>, wanted: &str) -> Result<Vec<FunctionId>, QueryError> {
    let (file, name) = match wanted.rsplit_once(':') {
        Some((file, name)) => (Some(PathBuf::from(file)), name),
        None => (None, wanted),
    };
    let program = effects.program;
    let is_in_file = |function: &FunctionId| {
        let Some(file) = &file else { return true };
        let defined = program.bodies_of(*function).map(|body| body.location.file);
        let mut files = defined.chain(program.function(*function).file);
        files.any(|known| effects.tree.relative(program.path(known)).ends_with(file))
    };
    let found: Vec<FunctionId> = program.named(name).filter(is_in_file).collect();
    if found.is_empty() {
        let names = program.functions.iter().map(|function| function.name.as_str());
        return Err(QueryError::Unknown { name: wanted.to_owned(), similar: similar(name, names) });
    }
    Ok(found)
}

/// The names that are most similar to one.
fn similar<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::normalized_damerau_levenshtein(wanted, name), name))
        .filter(|(score, _)| *score >= MIN_SIMILARITY)
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(MAX_SIMILAR).map(|(_, name)| name.to_owned()).collect()
}

/// A function's name, with its file if there are several functions of that name.
fn full_name(effects: &Effects<'_>, function: FunctionId) -> String {
    let name = wording::name(effects, function);
    match effects.program.function(function).file {
        Some(file) if effects.program.named(name).nth(1).is_some() => {
            format!("{}:{name}", effects.tree.relative(effects.program.path(file)).shown())
        }
        _ => name.to_owned(),
    }
}
