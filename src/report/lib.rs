//! What a run reports: findings, problems, a summary; fingerprints and baselines; one file for each output format.
//!
//! It must never know the program, or how a finding was found.

#![warn(missing_docs)]

pub mod findings;
pub mod render;

mod answer;
mod header;
mod report;

pub use answer::{
    Answer, Answered, Belief, Conclusion, Direction, Drawing, Edge, Kind, Node, Paths, Related, Relation, Witness,
};
pub use header::{HeaderDiagnostic, HeaderDiagnostics};
pub use report::{Compared, Details, Problem, ProblemKind, Report, RuleInfo, Shared, Summary, Unknown};
