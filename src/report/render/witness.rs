//! Call chains with excerpts of all files that they go through, drawn by ariadne.
//!
//! ariadne keeps labels in the order in which they are given, across files, so that a reader can
//! follow the numbered calls; codespan-reporting, which `excerpt` uses for findings, sorts labels
//! by file and line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ariadne::{Color, Config, IndexType, Report, ReportKind};

use cowrap_base::files::{ON_DISK, Source, Sources, Tree};

use crate::{Label, Witness};

use super::Style;
use super::text::{location, printable, wrap};

/// Shows witnesses, with the sources as they are on the disk.
pub struct Witnesses<'a> {
    tree: &'a Tree,
    style: Style,
    sources: Sources<'a>,
}

/// The name of a file, and bytes of its text.
type Excerpt = (String, Range<usize>);

impl<'a> Witnesses<'a> {
    /// For witnesses in a tree.
    pub fn new(tree: &'a Tree, style: Style) -> Self {
        Witnesses { tree, style, sources: Sources::new(tree, &ON_DISK) }
    }

    /// Writes a witness: its calls, numbered, and what its last call rests on.
    pub fn render(&mut self, witness: &Witness, out: &mut dyn Write) -> io::Result<()> {
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
                None => notes.push(format!("{}: {text}", location(&label.at))),
            }
        }
        if !witness.remarks.is_empty() {
            let remarks = printable(&witness.remarks.join("; "));
            writeln!(out, "  {}", wrap(&remarks, self.style.width, "  ".len(), "  "))?;
        }
        if labels.is_empty() {
            return notes.iter().try_for_each(|note| writeln!(out, "  {note}"));
        }
        let config = Config::new().with_color(self.style.color).with_index_type(IndexType::Byte);
        // The report itself is about no source, so that each excerpt is headed by its own location.
        let nowhere = (String::new(), 0..0);
        let mut report = Report::build(ReportKind::Advice, nowhere).with_config(config);
        for (order, (excerpt, text, color)) in labels.into_iter().enumerate() {
            let label = ariadne::Label::new(excerpt).with_message(text);
            report.add_label(label.with_color(color).with_order(order as i32));
        }
        report.with_notes(notes);
        let texts = texts.iter().map(|(name, source)| (name.clone(), source.text().to_owned()));
        let mut text = Vec::new();
        report.finish().write(ariadne::sources(texts), &mut text)?;
        // The first line is the report's kind; blanks at the ends of lines would make diffs noisy.
        for line in String::from_utf8_lossy(&text).lines().skip(1) {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The word at a label's location, as bytes of a text that can be shown.
    fn excerpt(&mut self, label: &Label, texts: &mut BTreeMap<String, Arc<Source>>) -> Option<Excerpt> {
        let path: PathBuf = self.tree.root.join(&label.at.path);
        let source = self.sources.get(&path)?;
        let start = source.offset(label.at.line, label.at.column)?;
        let length = source.word_length(label.at.line, label.at.column).min(source.text().len() - start);
        let name = printable(&label.at.path.to_string_lossy());
        texts.insert(name.clone(), source);
        Some((name, start..start + length))
    }
}
