//! Asking a question about a tree, or an index that was saved.

use thiserror::Error;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::queries::{self, QueryError, Selection};
use cowrap_analysis::rules;
use cowrap_report::{Answer, Direction, QueryResult};

use crate::Error as ReadError;
use crate::index_file::Index;
use crate::request::{Progress, Request};
use crate::session::index;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// What is believed of a function, and why.
    Why {
        /// The function.
        function: String,
        /// What it must lead to, instead of anything that its context does not allow.
        to: Option<String>,
        /// Whether to tell every witness.
        all: bool,
    },
    /// Who calls a function, or whom it calls.
    Related {
        /// The function.
        function: String,
        /// Callers or callees.
        direction: Direction,
        /// Whether to go on from those.
        transitive: bool,
        /// Whether to leave out what goes through slots.
        named: bool,
    },
    /// The paths that an expression describes.
    Paths {
        /// The expression.
        expression: String,
        /// The most that are told.
        limit: usize,
    },
    /// A part of the call graph.
    Graph(Selection),
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The tree could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The question cannot be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Answers a question.
pub fn ask(request: &Request, question: &Query, progress: &dyn Progress) -> Result<QueryResult, AskError> {
    let Index { program, pack, tree, problems, .. } = index(request, progress)?;
    let effects = Effects::new(&program, &pack, &tree);
    let answer = match question {
        Query::Why { function, to, all } => Answer::Why(queries::why(&effects, function, to.as_deref(), *all)?),
        Query::Related { function, direction, transitive, named } => {
            Answer::Related(queries::related(&effects, function, *direction, *transitive, *named)?)
        }
        Query::Paths { expression, limit } => Answer::Paths(queries::paths(&effects, expression, *limit)?),
        Query::Graph(selection) => {
            Answer::Graph(queries::graph(&effects, selection, &rules::check(&effects, &request.enable))?)
        }
    };
    Ok(QueryResult { answer, tree, unread_units: problems.len() })
}
