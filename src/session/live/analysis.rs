//! What follows from a state of a live tree.

use std::path::Path;
use std::sync::Arc;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::queries::editor::{self, Word};
use cowrap_base::files::Texts;
use cowrap_report::{CallItem, CallRelation, Hover, InlayHint, Lens, LineContext, Report, Target};

/// What follows from a state of a live tree: the report, and answers to what an editor asks.
///
/// Files are named by their absolute real paths. With several packs, answers are those of each pack in turn, and equal
/// ones are there once.
pub struct Analysis<'a> {
    /// The report, with the edits of fixes. Findings of the baseline are not in it.
    pub report: Report,
    /// Whether the whole tree was read. Otherwise the report has what can be said so far.
    pub is_complete: bool,
    /// The texts that the report was made from, once they were asked for.
    pub(super) texts: &'a Texts,
    /// What follows with each pack.
    pub(super) effects: Vec<Effects<'a>>,
}

impl Analysis<'_> {
    /// The text of a file, on which the edits of fixes were planned. `None` if it cannot be read.
    pub fn text(&self, file: &Path) -> Option<Arc<Vec<u8>>> {
        self.texts.text(file).ok()
    }

    /// What is known about the function or slot at a word.
    pub fn hover(&self, word: &Word<'_>) -> Vec<Hover> {
        self.ask(|effects| editor::hover(effects, word))
    }

    /// The context at a line, from 1; empty outside of bodies.
    pub fn line_context(&self, file: &Path, line: u32) -> Vec<LineContext> {
        self.ask(|effects| editor::line_context(effects, file, line))
    }

    /// The function or slot at a word, as an item of the call hierarchy.
    pub fn call_item(&self, word: &Word<'_>) -> Vec<CallItem> {
        self.ask(|effects| editor::call_item(effects, word))
    }

    /// The callers of an item; `None` if the program does not have the item any more.
    pub fn incoming(&self, item: &CallItem) -> Option<Vec<CallRelation>> {
        self.relations(|effects| editor::incoming(effects, item))
    }

    /// What an item calls, or may point to; `None` if the program does not have the item any more.
    pub fn outgoing(&self, item: &CallItem) -> Option<Vec<CallRelation>> {
        self.relations(|effects| editor::outgoing(effects, item))
    }

    /// The wrappers of the function at a word, what it wraps, or what the slot at the word may point to.
    pub fn targets(&self, word: &Word<'_>) -> Vec<Target> {
        self.ask(|effects| editor::targets(effects, word))
    }

    /// The callers by context of each function that a file defines.
    pub fn lenses(&self, file: &Path) -> Vec<Lens> {
        self.ask(|effects| editor::lenses(effects, file))
    }

    /// What the unmarked functions that a file defines require, as far as cowrap infers that they require something.
    pub fn inlay_hints(&self, file: &Path) -> Vec<InlayHint> {
        self.ask(|effects| editor::inlay_hints(effects, file))
    }

    /// The answers with all packs, each once.
    fn ask<T: PartialEq, I: IntoIterator<Item = T>>(&self, ask: impl Fn(&Effects<'_>) -> I) -> Vec<T> {
        let mut answers: Vec<T> = Vec::new();
        for answer in self.effects.iter().flat_map(ask) {
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
        answers
    }

    fn relations(&self, ask: impl Fn(&Effects<'_>) -> Option<Vec<CallRelation>>) -> Option<Vec<CallRelation>> {
        let answers: Vec<Vec<CallRelation>> = self.effects.iter().filter_map(ask).collect();
        let mut relations: Vec<CallRelation> = Vec::new();
        let is_known = !answers.is_empty();
        for relation in answers.into_iter().flatten() {
            if !relations.contains(&relation) {
                relations.push(relation);
            }
        }
        is_known.then_some(relations)
    }
}
