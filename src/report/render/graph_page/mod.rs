//! A part of the call graph as a page for a browser.
//!
//! The page shows a function in the middle, its callers on the left and its callees on the right. It has more of the
//! graph than it shows: each box opens its own callers and callees. Without its script, the page is a table of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::editor::Reach;
use crate::{EdgeKind, GraphEdge, GraphNode, Span, Subgraph};

use super::browser::{Page, escape};
use super::text::{count, location, printable};

/// The parts of the page that the script fills.
const FRAME: &str = include_str!("frame.html");

const STYLE: &str = include_str!("style.css");

/// The parts of the script, in the order in which they use each other.
const SCRIPT: [&str; 5] = [
    include_str!("model.js"),
    include_str!("layout.js"),
    include_str!("drawing.js"),
    include_str!("details.js"),
    include_str!("main.js"),
];

/// How many calls the table has.
const MOST_ROWS: usize = 500;

/// The graph as the page's script reads it.
#[derive(Serialize)]
struct Graph<'g> {
    nodes: Vec<Node<'g>>,
    edges: Vec<Edge>,
    files: Vec<String>,
    starts: &'g [usize],
    left_out: usize,
    legend: Vec<(&'static str, String)>,
    contexts: Vec<(Reach, String)>,
}

#[derive(Serialize)]
struct Node<'g> {
    name: String,
    labels: Vec<String>,
    at: Option<Site>,
    requirement: String,
    context: Option<Reach>,
    requested: bool,
    effect: Option<&'static str>,
    beyond: &'g [usize; 2],
}

#[derive(Serialize)]
struct Edge {
    from: usize,
    to: usize,
    kind: EdgeKind,
    context: Option<Reach>,
    sites: Vec<Site>,
    rules: Vec<String>,
}

/// The number of a file, a line and a column.
type Site = (usize, u32, u32);

/// Writes a page that shows a graph.
pub fn render(subgraph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    let mut files = Files::default();
    let nodes = subgraph.nodes.iter().map(|node| shown_node(node, &mut files)).collect();
    let edges = subgraph.edges.iter().map(|edge| shown_edge(edge, &mut files)).collect();
    let graph = Graph {
        nodes,
        edges,
        files: files.list,
        starts: &subgraph.starts,
        left_out: subgraph.left_out,
        legend: subgraph.legend.iter().map(|(effect, word)| (*effect, printable(word))).collect(),
        contexts: subgraph.contexts.iter().map(|(reach, words)| (*reach, printable(words))).collect(),
    };
    let title = title(subgraph);
    let body = format!("{FRAME}\n{}", table(subgraph));
    Page { title: &title, styles: &[STYLE], scripts: &SCRIPT }.write(&body, &graph, out)
}

/// The title names the functions that were asked for.
fn title(subgraph: &Subgraph) -> String {
    let requested = subgraph.nodes.iter().filter(|node| node.requested).map(|node| printable(&node.name));
    let names: BTreeSet<String> = requested.collect();
    match names.is_empty() {
        true => "cowrap: call graph".to_owned(),
        false => format!("cowrap: call graph of {}", names.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

fn shown_node<'g>(node: &'g GraphNode, files: &mut Files<'g>) -> Node<'g> {
    Node {
        name: printable(&node.name),
        labels: node.labels.iter().map(|label| printable(label)).collect(),
        at: node.at.as_ref().map(|at| files.site(at)),
        requirement: printable(&node.requirement),
        context: node.context,
        requested: node.requested,
        effect: node.effect,
        beyond: &node.beyond,
    }
}

fn shown_edge<'g>(edge: &'g GraphEdge, files: &mut Files<'g>) -> Edge {
    Edge {
        from: edge.from,
        to: edge.to,
        kind: edge.kind,
        context: edge.context,
        sites: edge.sites.iter().map(|site| files.site(site)).collect(),
        rules: edge.rules.iter().map(|rule| printable(rule)).collect(),
    }
}

/// The names of files, each once.
#[derive(Default)]
struct Files<'g> {
    list: Vec<String>,
    numbers: BTreeMap<&'g Path, usize>,
}

impl<'g> Files<'g> {
    fn site(&mut self, span: &'g Span) -> Site {
        let next = self.list.len();
        let number = *self.numbers.entry(&span.path).or_insert(next);
        if number == next {
            self.list.push(printable(&span.path.to_string_lossy()));
        }
        (number, span.line, span.column)
    }
}

/// The calls as a table: those that violate rules first, then those of the functions that were asked for.
fn table(subgraph: &Subgraph) -> String {
    let is_near = |edge: &&GraphEdge| [edge.from, edge.to].iter().any(|node| subgraph.nodes[*node].requested);
    let (broken, others): (Vec<&GraphEdge>, Vec<&GraphEdge>) =
        subgraph.edges.iter().partition(|edge| !edge.rules.is_empty());
    let (near, others): (Vec<&GraphEdge>, Vec<&GraphEdge>) = others.into_iter().partition(is_near);
    let edges: Vec<&GraphEdge> = [broken, near, others].concat();
    let more = edges.len().saturating_sub(MOST_ROWS);
    let rows: String = edges.iter().take(MOST_ROWS).map(|edge| row(subgraph, edge)).collect();
    let more = match more {
        0 => String::new(),
        more => format!("<p>and {}</p>", count(more, "more call")),
    };
    format!(
        "<section id=\"plain\" aria-label=\"Calls\"><h2>Calls</h2>\n<p>With scripts enabled, this page draws the graph.\
         </p>\n<table><thead><tr><th scope=\"col\">From</th><th scope=\"col\">To</th><th scope=\"col\">How</th>\
         <th scope=\"col\">Location</th><th scope=\"col\">Violates</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\
         {more}</section>"
    )
}

fn row(subgraph: &Subgraph, edge: &GraphEdge) -> String {
    let name = |node: usize| subgraph.nodes.get(node).map_or("", |node| &node.name);
    let how = match edge.kind {
        EdgeKind::Call => "calls",
        EdgeKind::Cleanup => "cleans up with",
        EdgeKind::Unresolved => "may call (unresolved)",
        EdgeKind::PointerCall => "calls through",
        EdgeKind::Candidate => "may point to",
    };
    let at = edge.sites.first().map_or_else(String::new, location);
    let cells = [name(edge.from), name(edge.to), how, &at, &edge.rules.join(", ")];
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}
