//! What a run reports: findings, problems, a summary; fingerprints and baselines; one file for each
//! output format.
//!
//! It must never know the program, or how a finding was found.

#![warn(missing_docs)]

mod findings;
mod report;
mod changes;

mod answer;
mod editor;
mod pack_check;
mod header;

pub mod render;

pub use answer::{
    Answer, Direction, EdgeKind, Explanation, GraphEdge, GraphNode, Inference, Paths, QueryResult, Related, Relation,
    Subgraph, Witness,
};
pub use changes::{Changes, Reported};
pub use editor::{CallItem, CallRelation, Hover, InlayHint, Lens, LineContext, Reach, Statement, Target, TargetKind};
pub use findings::{
    Action, Baseline, BaselineEntry, BaselineError, BaselineState, Edit, Finding, Fingerprints, Fix, Label, Level,
    Note, Role, Safety, Span, Subject, UNNAMED_PACK, sort_findings,
};
pub use header::HeaderDiagnostics;
pub use pack_check::{CheckedEntry, MatchCount, PackCheck};
pub use report::{
    Comparison, Details, MarkLocation, MemoryUse, PackSummary, ParseDetails, Problem, ProblemKind, Report, RuleInfo,
    SharingStats, Summary, SummaryWords, Unknown, UnmatchedCut, UnmatchedEntries, Upgrade,
};

/// The program's name, as reports state it.
const PROGRAM: &str = "cowrap";
