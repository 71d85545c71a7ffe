//! A part of the call graph as a page for a browser: one file, which uses no network.

use std::io::{self, Write};

use serde::Serialize;

use crate::{GraphEdge, GraphNode, Subgraph};

/// The page, with a placeholder for the graph.
const PAGE: &str = include_str!("page.html");

/// The placeholder.
const PLACE: &str = "/*GRAPH*/";

/// The graph as the page's script reads it.
#[derive(Serialize)]
struct Graph<'g> {
    nodes: Vec<Node<'g>>,
    edges: &'g [GraphEdge],
    legend: &'g [(&'static str, String)],
}

#[derive(Serialize)]
struct Node<'g> {
    #[serde(flatten)]
    node: &'g GraphNode,
    effect: Option<&'static str>,
}

/// Writes a page that shows a graph.
pub fn render(subgraph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    let nodes = subgraph.nodes.iter().map(|node| Node { node, effect: node.effect }).collect();
    let graph = serde_json::to_string(&Graph { nodes, edges: &subgraph.edges, legend: &subgraph.legend })?;
    // The browser's parser must not see anything in the graph that ends the script.
    let graph = graph.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let (before, after) = PAGE.split_once(PLACE).unwrap_or((PAGE, ""));
    write!(out, "{before}{graph}{after}")
}
