//! A part of the call graph, for Graphviz.

use std::io::{self, Write};

use crate::{EdgeKind, Subgraph};

/// Writes a graph in DOT.
pub fn render(subgraph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph cowrap {{")?;
    writeln!(out, "    rankdir=LR;")?;
    writeln!(out, "    node [shape=box, style=\"filled,rounded\", fillcolor=white, fontname=\"monospace\"];")?;
    for (position, node) in subgraph.nodes.iter().enumerate() {
        let fill = match node.effect {
            Some("inside-only" | "entry") => "lightblue",
            Some("outside-only") => "moccasin",
            Some("mixed") => "palegreen",
            _ => "white",
        };
        let shape = if node.labels.iter().any(|label| label == "function_pointer") { ", shape=ellipse" } else { "" };
        let width = if node.requested { ", penwidth=3" } else { "" };
        writeln!(out, "    n{position} [label={}, fillcolor={fill}{shape}{width}];", quoted(&node.name))?;
    }
    for edge in &subgraph.edges {
        let mut attributes = Vec::new();
        match edge.kind {
            EdgeKind::Candidate => attributes.push("style=dashed".to_owned()),
            EdgeKind::Unresolved => attributes.push("style=dotted".to_owned()),
            _ => {}
        }
        if !edge.rules.is_empty() {
            attributes.push(format!("color=red, penwidth=2, label={}", quoted(&edge.rules.join(", "))));
        }
        if let Some(site) = edge.sites.first() {
            attributes.push(format!("tooltip={}", quoted(&super::text::location(site))));
        }
        writeln!(out, "    n{} -> n{} [{}];", edge.from, edge.to, attributes.join(", "))?;
    }
    writeln!(out, "}}")
}

/// A string of DOT, in which only the quote and the backslash are special.
fn quoted(text: &str) -> String {
    format!("\"{}\"", super::text::printable(text).replace('\\', "\\\\").replace('"', "\\\""))
}
