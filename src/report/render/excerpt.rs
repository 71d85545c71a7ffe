//! One diagnostic with excerpts of the sources that its labels are in, drawn by codespan-reporting.
//!
//! codespan-reporting draws what is about one place: findings and header diagnostics, whose labels
//! are few and which appear by the hundred. Call chains go through many files in an order that
//! matters; `witness` draws those with ariadne, which connects labels in the order of the calls and
//! numbers them. Neither does the other's job well.

use codespan_reporting::diagnostic::Diagnostic;
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

/// A diagnostic as text.
///
/// # Errors
///
/// The source cannot be shown: it changed, or a label does not fit into it.
pub(super) fn render_excerpt<'f, F: Files<'f, FileId = usize>>(
    files: &'f F,
    diagnostic: &Diagnostic<usize>,
    color: bool,
) -> Result<Vec<u8>, Error> {
    let config = Config { before_label_lines: 0, after_label_lines: 0, ..Config::default() };
    let styles = Styles::default();
    let mut text = Vec::new();
    if color {
        let mut writer = StylesWriter::new(Ansi::new(&mut text), &styles);
        emit_to_write_style(&mut writer, &config, files, diagnostic)?;
    } else {
        let mut writer = StylesWriter::new(NoColor::new(&mut text), &styles);
        emit_to_write_style(&mut writer, &config, files, diagnostic)?;
    }
    Ok(text)
}
