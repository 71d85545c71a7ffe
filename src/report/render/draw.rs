//! Drawing one diagnostic with codespan-reporting, the same for everything that has a place in a source.

use codespan_reporting::diagnostic::Diagnostic;
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

/// A diagnostic as text.
///
/// # Errors
///
/// The source cannot be drawn: it changed, or a label does not fit into it.
pub(super) fn draw<'f, F: Files<'f, FileId = usize>>(
    files: &'f F,
    diagnostic: &Diagnostic<usize>,
    color: bool,
) -> Result<Vec<u8>, Error> {
    let config = Config { before_label_lines: 0, after_label_lines: 0, ..Config::default() };
    let styles = Styles::default();
    let mut drawn = Vec::new();
    if color {
        let mut writer = StylesWriter::new(Ansi::new(&mut drawn), &styles);
        emit_to_write_style(&mut writer, &config, files, diagnostic)?;
    } else {
        let mut writer = StylesWriter::new(NoColor::new(&mut drawn), &styles);
        emit_to_write_style(&mut writer, &config, files, diagnostic)?;
    }
    Ok(drawn)
}
