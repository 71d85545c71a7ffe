//! Patches as mails, in the form that `git am` reads.

use std::path::Path;

use cowrap_base::files::without_deceptive;

use crate::Change;
use crate::diff::{added_and_removed, quoted, unified_diff};

/// What the mail of a patch says besides the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchHeader {
    /// The author's name.
    pub name: String,
    /// The author's address, without brackets.
    pub address: String,
    /// When it was made, as mails write it: `Thu, 1 Jan 2026 12:00:00 +0000`.
    pub date: String,
    /// What it does, in one line and without `[PATCH]`.
    pub subject: String,
    /// Why, in lines of at most 75 characters if possible; may be empty.
    pub body: String,
    /// Which patch of its series it is, from 1.
    pub number: usize,
    /// How many patches the series has.
    pub count: usize,
}

/// A patch as a mail, of which `git am` makes a commit. Nothing depends on the time or the machine.
///
/// For files with carriage returns at the ends of lines, git needs an option: `git am --keep-cr`.
pub fn patch_mail(header: &PatchHeader, changes: &[Change]) -> Vec<u8> {
    let mut text = format!("From {} Mon Sep 17 00:00:00 2001\n", "0".repeat(40));
    text.push_str(&format!("From: {} <{}>\n", phrase(&one_line(&header.name)), one_line(&header.address)));
    text.push_str(&format!("Date: {}\n", one_line(&header.date)));
    let digits = header.count.to_string().len();
    let tag = match header.count {
        0 | 1 => "[PATCH]".to_owned(),
        count => format!("[PATCH {:0digits$}/{count}]", header.number),
    };
    text.push_str(&format!("Subject: {tag} {}\n", unstructured(&one_line(&header.subject))));
    // Diffs and bodies have bytes beyond ASCII; without this, each reader guesses the encoding.
    text.push_str("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
    for line in header.body.trim_end().lines() {
        if has_meaning(line) {
            text.push(' ');
        }
        // It has words of the tree, and no line may be more than one.
        text.push_str(&without_deceptive(line.trim_end()));
        text.push('\n');
    }
    text.push_str("---\n");
    text.push_str(&diffstat(changes));
    text.push('\n');

    let mut out = text.into_bytes();
    for change in changes {
        out.extend(unified_diff(&change.path, &change.old, &change.new));
    }
    out.extend(format!("-- \ncowrap {}\n\n", env!("CARGO_PKG_VERSION")).bytes());
    out
}

/// The file name of a patch in its series: `0001-block-mark-foo.patch`, at most 64 characters of
/// ASCII.
pub fn patch_name(number: usize, subject: &str) -> String {
    const LONGEST: usize = 64;
    const END: &str = ".patch";
    let mut name = format!("{number:04}");
    let words = subject.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    for word in words.map(|word| word.trim_matches('.')).filter(|word| !word.is_empty()) {
        name.push('-');
        name.push_str(word);
    }
    name.truncate(LONGEST - END.len());
    name.truncate(name.trim_end_matches(['-', '.']).len());
    name + END
}

/// Whether git would take a line of the body for something else: the end of the message, the next
/// mail, a header.
fn has_meaning(line: &str) -> bool {
    let start = line.trim_start_matches('>').to_ascii_lowercase();
    let marks = ["---", "diff -", "index: ", "from ", "from:", "date:", "subject:", "[patch"];
    marks.iter().any(|mark| start.starts_with(mark)) || line.contains(">8") || line.contains("8<")
}

/// A text in one line: a line end in it would begin another header.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// A name in front of an address.
fn phrase(name: &str) -> String {
    if !name.is_ascii() {
        return encoded(name);
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c);
    if name.chars().all(is_plain) && !name.contains("=?") {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The value of a header that is meant for people.
fn unstructured(text: &str) -> String {
    if text.is_ascii() && !text.contains("=?") { text.to_owned() } else { encoded(text) }
}

/// A text as encoded words (RFC 2047), each short enough and of whole characters.
fn encoded(text: &str) -> String {
    const BEGIN: &str = "=?UTF-8?q?";
    const END: &str = "?=";
    let mut words = vec![String::new()];
    for c in text.chars() {
        let mut buffer = [0; 4];
        let mut letter = String::new();
        for byte in c.encode_utf8(&mut buffer).bytes() {
            match byte {
                b' ' => letter.push('_'),
                _ if byte.is_ascii_alphanumeric() => letter.push(char::from(byte)),
                _ => letter.push_str(&format!("={byte:02X}")),
            }
        }
        let full = |word: &String| BEGIN.len() + word.len() + letter.len() + END.len() > 75;
        if words.last().is_none_or(full) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push_str(&letter);
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("{BEGIN}{word}{END}")).collect();
    words.join("\n ")
}

/// How much of each file changes, as git draws it.
fn diffstat(changes: &[Change]) -> String {
    const NAME: usize = 48;
    const BAR: usize = 20;
    struct Row {
        name: String,
        added: usize,
        removed: usize,
    }
    let row = |change: &Change| {
        let (added, removed) = added_and_removed(&change.old, &change.new);
        (added + removed > 0).then(|| Row { name: shortened(&change.path, NAME), added, removed })
    };
    let rows: Vec<Row> = changes.iter().filter_map(row).collect();
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let most = rows.iter().map(|row| row.added + row.removed).max().unwrap_or(0);
    let digits = most.to_string().len();
    // One sign for each line; if these are too many, in proportion, and at least one unless the count
    // is zero.
    let signs = |count: usize| if most <= BAR { count } else { (count * BAR).div_ceil(most) };
    let mut text = String::new();
    for row in &rows {
        let bar = "+".repeat(signs(row.added)) + &"-".repeat(signs(row.removed));
        text.push_str(&format!(" {:width$} | {:digits$} {bar}\n", row.name, row.added + row.removed));
    }
    let (added, removed) = (rows.iter().map(|row| row.added).sum(), rows.iter().map(|row| row.removed).sum());
    let plural = |count: usize, one: &str| if count == 1 { one.to_owned() } else { format!("{one}s") };
    text.push_str(&format!(" {} {} changed", rows.len(), plural(rows.len(), "file")));
    if added > 0 {
        text.push_str(&format!(", {added} {}(+)", plural(added, "insertion")));
    }
    if removed > 0 {
        text.push_str(&format!(", {removed} {}(-)", plural(removed, "deletion")));
    }
    text + "\n"
}

/// A path of at most so many characters; of a longer one, its end.
fn shortened(path: &Path, longest: usize) -> String {
    let name = quoted("", path);
    let length = name.chars().count();
    if length <= longest {
        return name;
    }
    let end: String = name.chars().skip(length - (longest - 3)).collect();
    format!("...{end}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn header() -> PatchHeader {
        PatchHeader {
            name: "A Person".to_owned(),
            address: "a@example.org".to_owned(),
            date: "Thu, 1 Jan 2026 12:00:00 +0000".to_owned(),
            subject: "block: mark foo".to_owned(),
            body: "It calls bar,\nwhich is marked.\n".to_owned(),
            number: 1,
            count: 12,
        }
    }

    fn change(path: &str, old: &str, new: &str) -> Change {
        Change { path: PathBuf::from(path), old: old.into(), new: new.into() }
    }

    fn written(header: &PatchHeader, changes: &[Change]) -> String {
        String::from_utf8(patch_mail(header, changes)).unwrap()
    }

    #[test]
    fn a_mail_is_complete() {
        let text = written(&header(), &[change("a.c", "x\n", "y\n"), change("dir/b.c", "", "1\n2\n")]);
        let expected = "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n\
                        From: A Person <a@example.org>\n\
                        Date: Thu, 1 Jan 2026 12:00:00 +0000\n\
                        Subject: [PATCH 01/12] block: mark foo\n\
                        MIME-Version: 1.0\n\
                        Content-Type: text/plain; charset=UTF-8\n\
                        Content-Transfer-Encoding: 8bit\n\n\
                        It calls bar,\nwhich is marked.\n---\n \
                        a.c     | 2 +-\n \
                        dir/b.c | 2 ++\n \
                        2 files changed, 3 insertions(+), 1 deletion(-)\n\n\
                        diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-x\n+y\n\
                        diff --git a/dir/b.c b/dir/b.c\n--- a/dir/b.c\n+++ b/dir/b.c\n@@ -0,0 +1,2 @@\n+1\n+2\n\
                        -- \ncowrap ";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn headers_encode_any_text() {
        let strange = PatchHeader {
            name: "O. \"Q\" Person".to_owned(),
            subject: "größer\nX-Header: no, ".to_owned() + &"ü".repeat(40),
            body: String::new(),
            count: 1,
            ..header()
        };
        let text = written(&strange, &[]);
        assert!(text.contains("From: \"O. \\\"Q\\\" Person\" <a@example.org>\n"), "{text}");
        assert!(text.contains("Subject: [PATCH] =?UTF-8?q?gr=C3=B6=C3=9Fer_X=2DHeader=3A_no=2C_"), "{text}");
        assert!(text.contains("?=\n =?UTF-8?q?") && !text.contains("\nX-Header"), "{text}");
        assert!(text.lines().all(|line| line.len() < 80 + 18), "{text}");
    }

    #[test]
    fn lines_of_the_body_are_not_taken_for_headers_or_diffs() {
        let body = "From: somebody\n---\ndiff --git a/x b/x\nFrom here on\nfine\n".to_owned();
        let text = written(&PatchHeader { body, ..header() }, &[]);
        assert!(text.contains("\n\n From: somebody\n ---\n diff --git a/x b/x\n From here on\nfine\n---\n"), "{text}");
    }

    #[test]
    fn long_bars_and_names_are_shortened() {
        let many: String = (0..1000).map(|number| format!("{number}\n")).collect();
        let long = format!("{}/end.c", "d".repeat(80));
        let stat = diffstat(&[change(&long, &many, "one\n"), change("a.c", "", "x\n")]);
        assert!(stat.lines().all(|line| line.chars().count() <= 80), "{stat}");
        assert!(stat.contains("d/end.c | 1001 +-") && stat.contains("|    1 +\n"), "{stat}");
    }

    #[test]
    fn file_names_are_plain_ascii() {
        assert_eq!(patch_name(1, "block: mark foo"), "0001-block-mark-foo.patch");
        assert_eq!(patch_name(12, "../../etc/passwd .. ü"), "0012-etc-passwd.patch");
        assert_eq!(patch_name(3, "util/a.c: x_y"), "0003-util-a.c-x_y.patch");
        assert_eq!(patch_name(4, ""), "0004.patch");
        let long = patch_name(5, &"word ".repeat(40));
        assert!(long.len() == 64 && long.ends_with("-wor.patch"), "{long}");
    }
}
