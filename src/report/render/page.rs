//! A part of the call graph as a page for a browser: one file, which uses no network.

use std::io::{self, Write};

use crate::Subgraph;

/// The page, with a placeholder for the graph.
const PAGE: &str = include_str!("page.html");

/// The placeholder.
const PLACE: &str = "/*GRAPH*/";

/// Writes a page that shows a graph.
pub fn render(subgraph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    let graph = serde_json::to_string(subgraph)?;
    // The browser's parser must not see anything in the graph that ends the script.
    let graph = graph.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let (before, after) = PAGE.split_once(PLACE).unwrap_or((PAGE, ""));
    write!(out, "{before}{graph}{after}")
}
