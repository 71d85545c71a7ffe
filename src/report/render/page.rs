//! A graph as a page for a browser: one file, which asks nothing of the network.

use std::io::{self, Write};

use crate::Subgraph;

/// The page, with a place for the graph.
const PAGE: &str = include_str!("page.html");

/// What stands in the page for the graph.
const PLACE: &str = "/*GRAPH*/";

/// Writes a page that shows a graph.
pub fn render(subgraph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    let graph = serde_json::to_string(subgraph)?;
    // Inside of a script, what could end it must not be seen by the browser's parser.
    let graph = graph.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let (before, after) = PAGE.split_once(PLACE).unwrap_or((PAGE, ""));
    write!(out, "{before}{graph}{after}")
}
