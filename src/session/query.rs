//! Answers a query about a tree or a saved index.

use std::borrow::Cow;
use std::sync::Arc;

use thiserror::Error;

use cowrap_analysis::effects::{Effects, changed_through_pointers};
use cowrap_analysis::program::PointsTo;
use cowrap_analysis::queries::{self, QueryError, Selection};
use cowrap_analysis::rules;
use cowrap_base::files::Texts;
use cowrap_report::{Answer, Direction, QueryResult};

use crate::Error as ReadError;
use crate::index_file::Index;
use crate::problems::note_unread_units;
use crate::request::{Progress, Request};
use crate::session::index;

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// What cowrap infers about a function, and why.
    Why {
        /// The function.
        function: String,
        /// The function that call chains must lead to, instead of any that the context does not
        /// allow.
        to: Option<String>,
        /// Whether to show all witnesses.
        all: bool,
    },
    /// The callers or callees of a function.
    Related {
        /// The function.
        function: String,
        /// Callers or callees.
        direction: Direction,
        /// Whether to include their callers or callees, too.
        transitive: bool,
        /// Whether to leave out calls through function-pointer slots.
        named: bool,
    },
    /// The paths in the call graph that match an expression.
    Paths {
        /// The expression.
        expression: String,
        /// The most paths to show.
        limit: usize,
    },
    /// A part of the call graph.
    Graph {
        /// The part.
        selection: Selection,
        /// The most functions and slots to include, if there is a limit.
        limit: Option<usize>,
    },
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The tree cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The query cannot be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Answers a query.
///
/// # Errors
///
/// The tree cannot be read, or the query names something that the program does not have.
pub fn ask(request: &Request, query: &Query, progress: &dyn Progress) -> Result<QueryResult, AskError> {
    let Index { program, packs, readings, tree, problems, .. } = index(request, progress)?;
    // A query is about one pack, the first.
    let program = readings.first().map_or(Cow::Borrowed(&program), |reading| program.read_as(*reading));
    let points_to = Arc::new(PointsTo::new(&program));
    let program = changed_through_pointers(program, packs.first(), &points_to);
    let mut effects = Effects::with_points_to(&program, packs.first(), &tree, points_to);
    note_unread_units(&mut effects, &problems, &Texts::new(&tree.root, None));
    let answer = match query {
        Query::Why { function, to, all } => Answer::Why(queries::why(&effects, function, to.as_deref(), *all)?),
        Query::Related { function, direction, transitive, named } => {
            Answer::Related(queries::related(&effects, function, *direction, *transitive, *named)?)
        }
        Query::Paths { expression, limit } => Answer::Paths(queries::paths(&effects, expression, *limit)?),
        Query::Graph { selection, limit } => {
            let findings = rules::check(&effects, &request.enable);
            Answer::Graph(queries::graph(&effects, selection, *limit, &findings)?)
        }
    };
    Ok(QueryResult { answer, tree, unread_units: problems.len() })
}
