//! Files of git's configuration, as far as it must be known before git reads them.
//!
//! The form is that of `git help config`. Where git would report an error, the reader goes on: it
//! finds at least what git finds.

/// One value. The name of the section has that of the subsection behind a dot, as written; the rest
/// is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section, and the subsection if there is one.
    pub section: String,
    /// The name of the value.
    pub key: String,
    /// The value; empty without a `=`.
    pub value: String,
}

/// All values of a file, in order.
pub fn entries(text: &[u8]) -> Vec<Entry> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    let mut reader = Reader { rest: text.chars().peekable() };
    let mut entries = Vec::new();
    let mut section = String::new();
    while let Some(c) = reader.rest.next() {
        match c {
            '#' | ';' => reader.skip_line(),
            '[' => section = reader.section(),
            c if c.is_whitespace() => {}
            c => {
                let key = reader.key(c);
                let value = reader.value();
                entries.push(Entry { section: section.clone(), key, value });
            }
        }
    }
    entries
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
}

impl Reader<'_> {
    fn skip_line(&mut self) {
        self.rest.by_ref().find(|c| *c == '\n');
    }

    /// The name of a section, behind its `[`.
    fn section(&mut self) -> String {
        let mut name = String::new();
        let mut is_quoted = false;
        while let Some(c) = self.rest.next() {
            match c {
                '\n' => break,
                ']' if !is_quoted => break,
                '"' => {
                    if !is_quoted && !name.ends_with('.') {
                        name.push('.');
                    }
                    is_quoted = !is_quoted;
                }
                '\\' if is_quoted => name.extend(self.rest.next()),
                c if is_quoted => name.push(c),
                c if c.is_whitespace() => {}
                c => name.extend(c.to_lowercase()),
            }
        }
        name
    }

    /// The name of a value, which begins with `first`.
    fn key(&mut self, first: char) -> String {
        let mut key = first.to_ascii_lowercase().to_string();
        while let Some(c) = self.rest.next_if(|c| *c != '\n' && *c != '=') {
            if !c.is_whitespace() {
                key.extend(c.to_lowercase());
            }
        }
        key
    }

    /// A value with its `=`, to the end of the line. Blanks count where git counts them: between quotes, and
    /// in the middle.
    fn value(&mut self) -> String {
        if self.rest.next() != Some('=') {
            return String::new();
        }
        let mut value = String::new();
        let mut is_quoted = false;
        // The length without blanks at the end.
        let mut length = 0;
        while let Some(c) = self.rest.next() {
            match c {
                '\n' => break,
                ' ' | '\t' | '\r' if !is_quoted => {
                    if !value.is_empty() {
                        value.push(c);
                    }
                    continue;
                }
                '#' | ';' if !is_quoted => {
                    self.skip_line();
                    break;
                }
                '"' => is_quoted = !is_quoted,
                '\\' => match self.rest.next() {
                    None | Some('\n') => {}
                    Some('t') => value.push('\t'),
                    Some('n') => value.push('\n'),
                    Some('b') => value.push('\u{8}'),
                    Some(c) => value.push(c),
                },
                c => value.push(c),
            }
            length = value.len();
        }
        value.truncate(length);
        // For git, this byte ends a text.
        value.truncate(value.find('\0').unwrap_or(length));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |entry: Entry| format!("{}.{}={}", entry.section, entry.key, entry.value);
        entries(text.as_bytes()).into_iter().map(shown).collect()
    }

    #[test]
    fn values_have_sections_and_keys() {
        let text = "\u{feff}; [include] path = no\n[Core] bare = false # no\n\tworkTree=\"a;b\" c\r\n[include]path= x\\\n y\n\
                    [includeIf \"gitdir:a]b\\\"\"]\nPATH = z\n[a][b \"C\"] d\n# [include]\n[remote \"o\"]\nurl = [include] path";
        assert_eq!(
            shown(text),
            [
                "core.bare=false",
                "core.worktree=a;b c",
                "include.path=x y",
                "includeif.gitdir:a]b\".path=z",
                "b.C.d=",
                "remote.o.url=[include] path"
            ]
        );
    }

    #[test]
    fn blanks_are_where_git_has_them() {
        let text =
            "[include]path = \" x\"\npath =  a  b  # c\npath = \"y \" ; d\npath = z \\\n  z\npath = w\\t\npath = v\0u";
        let values: Vec<String> = entries(text.as_bytes()).into_iter().map(|entry| entry.value).collect();
        assert_eq!(values, [" x", "a  b", "y ", "z   z", "w\t", "v"]);
    }

    #[test]
    fn broken_text_has_an_end() {
        for text in ["[", "[a \"", "a", "a = \"", "a = \\", "=", "[]=", "]", "\"\\"] {
            shown(text);
        }
    }
}
