//! What pages for a browser share. A page is one file: it loads nothing, and its own policy forbids the browser to.
//!
//! A page's text may come from an attacker: names of files, messages, sources. It is escaped where it is HTML; the
//! script gets it as JSON and never makes HTML of it.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::text::{printable, write_json};

/// Colors, buttons and dialogs.
const STYLE: &str = include_str!("shared.css");

/// How scripts make elements, and what each page can do.
const SCRIPT: &str = include_str!("shared.js");

/// A page without its content.
#[derive(Debug)]
pub struct Page<'p> {
    /// Its title.
    pub title: &'p str,
    /// Its own style sheets.
    pub styles: &'p [&'p str],
    /// The parts of its script, in their order.
    pub scripts: &'p [&'p str],
}

impl Page<'_> {
    /// Writes the page. `body` is HTML in which all text is escaped; the script reads `data`.
    pub fn write(&self, body: &str, data: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        let style = [&[STYLE], self.styles].concat().join("\n");
        let script = [&[SCRIPT], self.scripts].concat().join("\n");
        // Only this script and this style sheet; and the script cannot make HTML of text.
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'",
            hash(&script),
            hash(&style)
        );
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{style}</style>\n<script>{script}</script>\n</head>\n<body>\n{body}\n\
             <script type=\"application/json\" id=\"data\">{}</script>\n</body>\n</html>\n",
            escape(self.title),
            json(data)?
        )
    }
}

/// What a policy calls a script or a style sheet.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)))
}

/// A value as JSON in which nothing ends a script.
fn json(value: &impl Serialize) -> io::Result<String> {
    let mut text = Vec::new();
    write_json(value, false, &mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok(text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

/// Text as HTML, also in an attribute.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// Prose as HTML: what is between backticks is code.
pub fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Backticks that are no pair are text.
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(position, part): (usize, &&str)| match position % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a href='\"&\">\u{202e}"), "&lt;a href=&#39;&quot;&amp;&quot;&gt;\\u{202e}");
        assert_eq!(prose("call `<f>` & `g`"), "call <code>&lt;f&gt;</code> &amp; <code>g</code>");
        assert_eq!(prose("a ` b"), "a ` b");
        assert_eq!(json(&["</script><!--\u{2028}"]).unwrap(), "[\"\\u003c/script>\\u003c!--\\u2028\"]");
    }
}
