//! What is shown about a word or a line.
//!
//! It must never know how it was found out.

use std::path::Path;

use gen_lsp_types::{Contents, Hover, MarkupContent, MarkupKind, Position};

use cowrap_report::{Label, LineContext, Span};
use cowrap_session::Shown;
use cowrap_session::live::Analysis;

use crate::capabilities::Capabilities;
use crate::texts::FileTexts;
use crate::word_at::word_at;

/// What is shown at a position of a file: what holds of the function or slot there, and the context of the line.
pub(crate) fn hover(
    analysis: &Analysis<'_>,
    texts: &FileTexts<'_>,
    path: &Path,
    position: Position,
    capabilities: Capabilities,
) -> Option<Hover> {
    let text = texts.text(path);
    let offset = text.offset(position, texts.encoding);
    let writer = Writer { texts, is_markdown: capabilities.markdown };
    let found = word_at(&text, path, offset).map(|word| analysis.hover(&word)).unwrap_or_default();
    let mut parts: Vec<String> = Vec::new();
    for found in &found {
        let mut lines = vec![writer.title(&found.title), String::new()];
        for statement in &found.statements {
            lines.push(format!("- {}", writer.prose(&statement.text)));
            lines.extend(statement.witness.iter().map(|step| format!("  - {}", writer.step(step))));
        }
        parts.push(lines.join("\n").trim_end().to_owned());
    }
    let (line, _) = text.line_column(offset);
    parts.extend(analysis.line_context(path, line).iter().map(|context| writer.context(context, line)));
    if parts.is_empty() {
        return None;
    }
    let kind = if capabilities.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    let separator = if capabilities.markdown { "\n\n---\n\n" } else { "\n\n" };
    let contents = Contents::MarkupContent(MarkupContent { kind, value: parts.join(separator) });
    Some(Hover { contents, range: found.first().map(|found| texts.range(&found.at)) })
}

/// Writes what is shown.
struct Writer<'a> {
    texts: &'a FileTexts<'a>,
    is_markdown: bool,
}

impl Writer<'_> {
    fn title(&self, text: &str) -> String {
        match self.is_markdown {
            true => format!("**{}**", self.prose(text)),
            false => text.to_owned(),
        }
    }

    /// The context of a line, and what decided it.
    fn context(&self, context: &LineContext, line: u32) -> String {
        let function = self.prose(&format!("line {line} of `{}` {}", context.function, context.text));
        match &context.guard {
            Some(guard) => format!("{function}\n- {}", self.step(guard)),
            None => function,
        }
    }

    /// A location with what there is to say about it.
    fn step(&self, step: &Label) -> String {
        format!("{}: {}", self.place(&step.at), self.prose(&step.text))
    }

    /// A location; in Markdown, a link to it.
    fn place(&self, at: &Span) -> String {
        let shown = format!("{}:{}", at.path.shown(), at.line);
        match self.is_markdown {
            true => format!("[{}]({}#L{})", self.prose(&shown), self.texts.uri(&at.path), at.line),
            false => shown,
        }
    }

    /// Prose with code between backticks. What a tree names outside of them means nothing in Markdown.
    fn prose(&self, text: &str) -> String {
        match self.is_markdown {
            true => escaped(text),
            false => text.to_owned(),
        }
    }
}

/// A text that Markdown shows as it is, except for code between backticks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    // A backtick without another one is no code.
    let mut left = text.matches('`').count() / 2 * 2;
    for character in text.chars() {
        match character {
            '`' if left > 0 => {
                (is_code, left) = (!is_code, left - 1);
                escaped.push('`');
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '&' | '|' | '~' | '!' if !is_code => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_tree_are_not_markdown() {
        assert_eq!(escaped("`a_b` calls c_d in [x](y)"), "`a_b` calls c\\_d in \\[x\\](y)");
        assert_eq!(escaped("a ` <b>\n# c"), "a \\` \\<b\\> \\# c");
    }
}
