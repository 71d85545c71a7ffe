//! The questions that people ask about a program: why, who calls, which paths, and a picture.
//!
//! An answer is plain data with all its words; it must never know how it will be shown, or where the program came from.

mod expression;
mod graph;
mod links;
mod paths;
mod related;
mod why;

use std::path::PathBuf;

use thiserror::Error;

use crate::effects::Effects;
use crate::program::FunctionId;
use crate::wording;

pub use graph::{Selection, graph};
pub use paths::paths;
pub use related::related;
pub use why::why;

/// Why a question cannot be answered.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// Nothing in the program has this name.
    #[error("there is no function `{name}`{}", did_you_mean(.similar))]
    Unknown {
        /// The name.
        name: String,
        /// Names that are like it, the most similar first.
        similar: Vec<String>,
    },
    /// An expression cannot be parsed.
    #[error("{expression}\n{:>width$} {problem}", "^", width = .at + 1)]
    Expression {
        /// The expression.
        expression: String,
        /// Where it goes wrong, in characters from 0.
        at: usize,
        /// What is wrong there.
        problem: String,
    },
    /// An expression names what is not there.
    #[error("nothing matches `{what}`{}", did_you_mean(.similar))]
    Nothing {
        /// The part of the expression.
        what: String,
        /// Names that are like it.
        similar: Vec<String>,
    },
}

fn did_you_mean(similar: &[String]) -> String {
    match similar {
        [] => String::new(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("; there is {}", names.join(", "))
        }
    }
}

/// How many similar names are told.
const MOST_SIMILAR: usize = 3;

/// How similar a name must be to be told, from 0 to 1.
const LEAST_SIMILARITY: f64 = 0.8;

/// The functions that a name means: `name`, which may be several when they are `static`, or `file.c:name` for one of
/// them.
///
/// # Errors
///
/// There is none; the error tells names that are like it.
pub fn find(effects: &Effects<'_>, wanted: &str) -> Result<Vec<FunctionId>, QueryError> {
    let (file, name) = match wanted.rsplit_once(':') {
        Some((file, name)) => (Some(PathBuf::from(file)), name),
        None => (None, wanted),
    };
    let program = effects.program;
    let in_file = |function: &FunctionId| {
        let Some(file) = &file else { return true };
        let linked = program.function(*function);
        let defined = linked.bodies.iter().map(|body| program.body(*body).location.file);
        defined.chain(linked.file).any(|known| effects.tree.relative(program.path(known)).ends_with(file))
    };
    let found: Vec<FunctionId> = program.named(name).filter(in_file).collect();
    if found.is_empty() {
        let names = program.functions.iter().map(|function| function.name.as_str());
        return Err(QueryError::Unknown { name: wanted.to_owned(), similar: similar(name, names) });
    }
    Ok(found)
}

/// The names that are most like one.
fn similar<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::normalized_damerau_levenshtein(wanted, name), name))
        .filter(|(score, _)| *score >= LEAST_SIMILARITY)
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(MOST_SIMILAR).map(|(_, name)| name.to_owned()).collect()
}

/// A function's name, with its file when there are several of that name.
fn full_name(effects: &Effects<'_>, function: FunctionId) -> String {
    let name = wording::name(effects, function);
    match effects.program.function(function).file {
        Some(file) if effects.program.named(name).nth(1).is_some() => {
            format!("{}:{name}", effects.tree.relative(effects.program.path(file)).display())
        }
        _ => name.to_owned(),
    }
}
