//! Asking a question about a tree, or an index that was saved.

use thiserror::Error;

use crate::effects::Effects;
use crate::program::Program;
use crate::questions::{self, Belief, Direction, Drawing, Paths, QuestionError, Related, Selection};
use crate::rules;
use crate::source::Tree;

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

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Why`].
    Why(Vec<Belief>),
    /// To [`Question::Related`].
    Related(Vec<Related>),
    /// To [`Question::Paths`].
    Paths(Paths),
    /// To [`Question::Graph`].
    Graph(Drawing),
}

/// An answer, with what is needed to show it.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The tree, for reading sources.
    pub tree: Tree,
    /// How many units the answer knows nothing of.
    pub unread: usize,
    /// The program that was asked about.
    pub program: Program,
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
    Ok(Answered { answer, tree, unread: problems.len(), program })
}
