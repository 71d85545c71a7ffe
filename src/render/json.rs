//! One JSON document. `docs/json.md` describes it; `version` grows when a reader would have to change.

use std::io::{self, Write};

use serde::Serialize;

use crate::driver::{Problem, Report, Summary};
use crate::findings::Finding;

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

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        findings: &report.findings,
        problems: &report.problems,
        summary: &report.summary,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
