//! Answers to questions, as text or as JSON. Witnesses are drawn by ariadne, across the files that they go through.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};
use serde::Serialize;

use crate::{Answer, EdgeKind, Explanation, Paths, QueryResult, Related, Relation, Witness};
use cowrap_base::files::{ON_DISK, Source, Sources};

use super::{at, count, dot, page, printable};

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
struct Document<'a, T> {
    version: u32,
    unread_units: usize,
    answer: &'a T,
}

/// Writes an answer.
pub fn render_answer(answered: &QueryResult, format: AnswerFormat, color: bool, out: &mut dyn Write) -> io::Result<()> {
    if format == AnswerFormat::Json {
        return match &answered.answer {
            Answer::Why(beliefs) => json(answered, beliefs, out),
            Answer::Related(related) => json(answered, related, out),
            Answer::Paths(paths) => json(answered, paths, out),
            Answer::Graph(drawing) => json(answered, drawing, out),
        };
    }
    match &answered.answer {
        Answer::Why(beliefs) => beliefs.iter().try_for_each(|belief| why(answered, belief, color, out)),
        Answer::Related(related) => related.iter().try_for_each(|related| relations(related, out)),
        Answer::Paths(found) => paths(answered, found, color, out),
        Answer::Graph(drawing) if format == AnswerFormat::Html => page::render(drawing, out),
        Answer::Graph(drawing) => dot::render(drawing, out),
    }
}

fn json<T: Serialize>(answered: &QueryResult, answer: &T, out: &mut dyn Write) -> io::Result<()> {
    let document = Document { version: VERSION, unread_units: answered.unread_units, answer };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn why(answered: &QueryResult, belief: &Explanation, color: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", printable(&belief.function), printable(&belief.requirement))?;
    for label in &belief.declarations {
        writeln!(out, "  {}: {}", at(&label.at), printable(&label.text))?;
    }
    let mut drawer = Drawer::new(answered, color);
    for inference in &belief.inferences {
        writeln!(out, "\n* {}", printable(&inference.text))?;
        for witness in &inference.witnesses {
            drawer.draw(witness, out)?;
        }
        if inference.more > 0 {
            writeln!(out, "  and by {} more; --all shows all", count(inference.more, "call"))?;
        }
    }
    writeln!(out)
}

fn relations(related: &Related, out: &mut dyn Write) -> io::Result<()> {
    let direction = match related.direction {
        crate::Direction::Callers => "callers",
        crate::Direction::Callees => "callees",
    };
    writeln!(
        out,
        "{}: {}",
        printable(&related.function),
        match related.relations.len() {
            0 => format!("no {direction}"),
            _ => direction.to_owned(),
        }
    )?;
    for relation in &related.relations {
        let Relation { distance, from, to, kind, at: place, context } = relation;
        let place = place.as_ref().map_or_else(|| "-".to_owned(), at);
        let verb = match kind {
            EdgeKind::Call => "calls",
            EdgeKind::Cleanup => "cleans up with",
            EdgeKind::Unresolved => "may call (unresolved)",
            EdgeKind::PointerCall => "calls through",
            EdgeKind::Candidate => "may point to",
        };
        let context = if context.is_empty() { String::new() } else { format!(", {context}") };
        let (from, to) = (printable(from), printable(to));
        writeln!(out, "{:indent$}{place}: `{from}` {verb} `{to}`{context}", "", indent = 2 * *distance as usize)?;
    }
    Ok(())
}

fn paths(answered: &QueryResult, found: &Paths, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut drawer = Drawer::new(answered, color);
    for path in &found.paths {
        drawer.draw(path, out)?;
    }
    match (found.paths.len(), found.more) {
        (0, _) => writeln!(out, "no path"),
        (shown, 0) => writeln!(out, "{}", count(shown, "path")),
        (shown, more) => writeln!(out, "{} and {more} more; --limit shows more", count(shown, "path")),
    }
}

/// Draws witnesses.
struct Drawer<'a> {
    answered: &'a QueryResult,
    color: bool,
    sources: Sources<'static>,
}

type Excerpt = (String, Range<usize>);

impl<'a> Drawer<'a> {
    fn new(answered: &'a QueryResult, color: bool) -> Self {
        Drawer { answered, color, sources: Sources::new(&ON_DISK) }
    }

    fn draw(&mut self, witness: &Witness, out: &mut dyn Write) -> io::Result<()> {
        let mut texts: BTreeMap<String, Arc<Source>> = BTreeMap::new();
        let mut labels: Vec<(Excerpt, String, Color)> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        let steps = witness
            .steps
            .iter()
            .enumerate()
            .map(|(position, step)| (step, format!("{}: {}", position + 1, printable(&step.text)), Color::Cyan));
        let grounds = witness.grounds.iter().map(|ground| (ground, printable(&ground.text), Color::Yellow));
        for (label, text, color) in steps.chain(grounds) {
            match self.excerpt(label, &mut texts) {
                Some(excerpt) => labels.push((excerpt, text, color)),
                None => notes.push(format!("{}: {text}", at(&label.at))),
            }
        }
        if !witness.remarks.is_empty() {
            writeln!(out, "  {}", printable(&witness.remarks.join("; ")))?;
        }
        if labels.is_empty() {
            return notes.iter().try_for_each(|note| writeln!(out, "  {note}"));
        }
        let config = Config::new().with_color(self.color).with_index_type(IndexType::Byte);
        // The report itself is about no source, so that each excerpt is headed by its own place.
        let nowhere = (String::new(), 0..0);
        let mut report = Report::build(ReportKind::Advice, nowhere).with_config(config);
        for (order, (excerpt, text, color)) in labels.into_iter().enumerate() {
            report.add_label(Label::new(excerpt).with_message(text).with_color(color).with_order(order as i32));
        }
        report.with_notes(notes);
        let texts = texts.iter().map(|(name, source)| (name.clone(), source.text().to_owned()));
        let mut drawn = Vec::new();
        report.finish().write(ariadne::sources(texts), &mut drawn)?;
        // The first line is the report's kind; blanks at the ends of lines would make diffs noisy.
        for line in String::from_utf8_lossy(&drawn).lines().skip(1) {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The word at a place, as bytes of a text that can be shown.
    fn excerpt(&mut self, label: &crate::Label, texts: &mut BTreeMap<String, Arc<Source>>) -> Option<Excerpt> {
        let path: PathBuf = self.answered.tree.root.join(&label.at.path);
        let source = self.sources.get(&path)?;
        let start = source.offset(label.at.line, label.at.column)?;
        let length = source.word_length(label.at.line, label.at.column).min(source.text().len() - start);
        let name = printable(&label.at.path.to_string_lossy());
        texts.insert(name.clone(), source);
        Some((name, start..start + length))
    }
}
