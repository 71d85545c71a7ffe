//! One JSON document. `docs/json.md` describes it; `version` grows when a reader would have to
//! change.

use std::io::{self, Write};

use serde::Serialize;

use super::text::write_json;
use crate::{Finding, Problem, Report, Summary};

/// The version of the format.
const VERSION: u32 = 3;

/// The document. Its findings are left out where they are written in another way.
#[derive(Serialize)]
pub struct Document<'a> {
    version: u32,
    tool: Tool,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a [Finding]>,
    problems: &'a [Problem],
    summary: &'a Summary,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl<'a> Document<'a> {
    /// All of a report.
    pub fn whole(report: &'a Report) -> Self {
        Document { findings: Some(&report.findings), ..Document::without_findings(report) }
    }

    /// All of a report but its findings.
    pub fn without_findings(report: &'a Report) -> Self {
        Document {
            version: VERSION,
            tool: Tool { name: crate::PROGRAM, version: env!("CARGO_PKG_VERSION") },
            findings: None,
            problems: &report.problems,
            summary: &report.summary,
        }
    }
}

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_json(&Document::whole(report), true, out)?;
    writeln!(out)
}
