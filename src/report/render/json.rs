//! One JSON document. `docs/json.md` describes it; `version` grows when a reader would have to change.

use std::io::{self, Write};

use serde::Serialize;

use crate::Finding;
use crate::{Problem, Report, Summary};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    findings: &'a [Finding],
    problems: &'a [Problem],
    summary: &'a Summary,
}

/// The document without its findings.
#[derive(Serialize)]
pub struct Rest<'a> {
    version: u32,
    tool: Tool,
    problems: &'a [Problem],
    summary: &'a Summary,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// This program.
const TOOL: Tool = Tool { name: crate::PROGRAM, version: env!("CARGO_PKG_VERSION") };

impl<'a> Rest<'a> {
    /// Of a report.
    pub fn of(report: &'a Report) -> Self {
        Rest { version: VERSION, tool: TOOL, problems: &report.problems, summary: &report.summary }
    }
}

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        tool: TOOL,
        findings: &report.findings,
        problems: &report.problems,
        summary: &report.summary,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
