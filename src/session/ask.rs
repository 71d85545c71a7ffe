//! Asking a question about a tree, or an index that was saved.

use thiserror::Error;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::questions::{self, QuestionError, Selection};
use cowrap_analysis::rules;
use cowrap_report::{Answer, Answered, Direction};

use super::{Error as ReadError, Index, Progress, Request, index};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
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
    Question(#[from] QuestionError),
}

/// Answers a question.
pub fn ask(request: &Request, question: &Question, progress: &dyn Progress) -> Result<Answered, AskError> {
    let Index { program, pack, tree, problems, .. } = index(request, progress)?;
    let effects = Effects::new(&program, &pack, &tree);
    let answer = match question {
        Question::Why { function, to, all } => Answer::Why(questions::why(&effects, function, to.as_deref(), *all)?),
        Question::Related { function, direction, transitive, named } => {
            Answer::Related(questions::related(&effects, function, *direction, *transitive, *named)?)
        }
        Question::Paths { expression, limit } => Answer::Paths(questions::paths(&effects, expression, *limit)?),
        Question::Graph(selection) => {
            Answer::Graph(questions::graph(&effects, selection, &rules::check(&effects, &request.enable))?)
        }
    };
    Ok(Answered { answer, tree, unread: problems.len() })
}
