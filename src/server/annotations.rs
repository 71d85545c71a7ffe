//! What is shown in the text, if the client asks for it: code lenses and inlay hints.
//!
//! It must never know how it was found out.

use std::path::Path;

use gen_lsp_types::{CodeLens, Command, InlayHint, Label, Range, Tooltip};

use cowrap_session::live::Analysis;

use crate::texts::FileTexts;

/// How many callers each function of a file has in which context.
pub(crate) fn lenses(analysis: &Analysis<'_>, texts: &FileTexts<'_>, path: &Path) -> Vec<CodeLens> {
    let lenses = analysis.lenses(path).into_iter().map(|lens| CodeLens {
        range: texts.range(&lens.at),
        // A lens is a command; one without a name does nothing.
        command: Some(Command { title: lens.text, ..Command::default() }),
        data: None,
    });
    lenses.collect()
}

/// What unmarked functions in a part of a file require, beside their names.
pub(crate) fn hints(analysis: &Analysis<'_>, texts: &FileTexts<'_>, path: &Path, within: Range) -> Vec<InlayHint> {
    let hints = analysis.inlay_hints(path).into_iter().map(|hint| InlayHint {
        position: texts.range(&hint.at).start,
        label: Label::String(hint.text),
        kind: None,
        text_edits: None,
        tooltip: Some(Tooltip::String(hint.reason)),
        padding_left: None,
        padding_right: Some(true),
        data: None,
    });
    hints.filter(|hint| within.start <= hint.position && hint.position <= within.end).collect()
}
