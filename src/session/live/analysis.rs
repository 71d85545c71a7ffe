//! What follows from a state of a live tree.

use cowrap_analysis::effects::Effects;
use cowrap_report::Report;

/// What follows from a state of a live tree: the report, and answers to what an editor asks.
pub struct Analysis<'a> {
    /// The report, with the edits of fixes. Findings of the baseline are not in it.
    pub report: Report,
    /// Whether the whole tree was read. Otherwise the report has what can be said so far.
    pub is_complete: bool,
    /// What follows with each pack.
    pub(super) effects: Vec<Effects<'a>>,
}
