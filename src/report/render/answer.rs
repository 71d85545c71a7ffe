//! Answers to queries, as text or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::{Answer, Direction, EdgeKind, Explanation, Paths, QueryResult, Related, Relation};

use super::text::{count, location, printable, wrap, write_json};
use super::witness::Witnesses;
use super::{Style, dot, graph_page};

/// The formats of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// Text, for people.
    Human,
    /// One JSON document, for programs.
    Json,
    /// A graph, for Graphviz.
    Dot,
    /// A graph, as a page for a browser.
    Html,
}

/// The version of the JSON.
const VERSION: u32 = 2;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    unread_units: usize,
    answer: &'a Answer,
}

/// Writes an answer. `style` matters to [`AnswerFormat::Human`] alone.
pub fn render_answer(result: &QueryResult, format: AnswerFormat, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if format == AnswerFormat::Json {
        return json(result, out);
    }
    let mut witnesses = Witnesses::new(&result.tree, style);
    match &result.answer {
        Answer::Why(explanations) => {
            explanations.iter().try_for_each(|explanation| why(explanation, &mut witnesses, style, out))
        }
        Answer::Related(functions) => functions.iter().try_for_each(|function| related(function, out)),
        Answer::Paths(found) => paths(found, &mut witnesses, out),
        Answer::Graph(graph) if format == AnswerFormat::Html => graph_page::render(graph, out),
        Answer::Graph(graph) => dot::render(graph, out),
    }
}

fn json(result: &QueryResult, out: &mut dyn Write) -> io::Result<()> {
    let document = Document { version: VERSION, unread_units: result.unread_units, answer: &result.answer };
    write_json(&document, true, out)?;
    writeln!(out)
}

fn why(explanation: &Explanation, witnesses: &mut Witnesses<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", printable(&explanation.function), printable(&explanation.requirement))?;
    for label in &explanation.declarations {
        writeln!(out, "  {}: {}", location(&label.at), printable(&label.text))?;
    }
    for inference in &explanation.inferences {
        writeln!(out, "\n* {}", wrap(&printable(&inference.text), style.width, "* ".len(), "  "))?;
        for witness in &inference.witnesses {
            witnesses.render(witness, out)?;
        }
        if inference.more > 0 {
            writeln!(out, "  and through {} (--all shows them)", count(inference.more, "other call"))?;
        }
    }
    writeln!(out)
}

fn related(related: &Related, out: &mut dyn Write) -> io::Result<()> {
    let direction = match related.direction {
        Direction::Callers => "callers",
        Direction::Callees => "callees",
    };
    let none = if related.relations.is_empty() { "no " } else { "" };
    writeln!(out, "{}: {none}{direction}", printable(&related.function))?;
    for relation in &related.relations {
        let Relation { distance, from, to, kind, at, context } = relation;
        let at = at.as_ref().map_or_else(|| "-".to_owned(), location);
        let verb = match kind {
            EdgeKind::Call => "calls",
            EdgeKind::Cleanup => "cleans up with",
            EdgeKind::Unresolved => "may call (unresolved)",
            EdgeKind::PointerCall => "calls through",
            EdgeKind::Candidate => "may point to",
        };
        let context = if context.is_empty() { String::new() } else { format!(", {context}") };
        let (from, to) = (printable(from), printable(to));
        writeln!(out, "{:indent$}{at}: `{from}` {verb} `{to}`{context}", "", indent = 2 * *distance as usize)?;
    }
    Ok(())
}

fn paths(found: &Paths, witnesses: &mut Witnesses<'_>, out: &mut dyn Write) -> io::Result<()> {
    for path in &found.paths {
        witnesses.render(path, out)?;
    }
    match (found.paths.len(), found.more) {
        (0, _) => writeln!(out, "no path found"),
        (shown, 0) => writeln!(out, "{}", count(shown, "path")),
        (shown, more) => writeln!(out, "{} and {more} more (--limit shows more)", count(shown, "path")),
    }
}
