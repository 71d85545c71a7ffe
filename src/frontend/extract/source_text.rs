//! The source text of a call: the word at its location, and the text between its parentheses.
//!
//! For a call from a macro, these are the outermost macro's name and its argument. libclang has no
//! cursor for them.

/// The text of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceCall {
    /// The word at the location; empty if there is none.
    pub word: String,
    /// The text between the parentheses behind it, without blanks; empty if there are none.
    pub argument: String,
}

/// How far to look for the end of a word and for the closing parenthesis, in bytes.
const LONGEST: usize = 4096;

impl SourceCall {
    /// Reads the beginning of a text.
    pub fn read(text: &[u8]) -> SourceCall {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = text.iter().take(LONGEST).take_while(|byte| is_word(byte)).count();
        let word = String::from_utf8_lossy(&text[..length]).into_owned();
        SourceCall { word, argument: between_parentheses(&text[length..]).unwrap_or_default().0 }
    }

    /// The length of the call at the beginning of a text: of the word, and of the parentheses if there are any.
    pub fn length(text: &[u8]) -> usize {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let word = text.iter().take(LONGEST).take_while(is_word).count();
        word + between_parentheses(&text[word..]).map_or(0, |(_, length)| length)
    }

    /// The arguments.
    pub fn arguments(argument: &str) -> Vec<&str> {
        let mut depth = 0usize;
        let is_end = |c: char| {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        };
        argument.split(is_end).collect()
    }
}

/// The text between the parentheses at the beginning, without blanks, and the length with the parentheses.
fn between_parentheses(text: &[u8]) -> Option<(String, usize)> {
    let mut depth = 0usize;
    let mut found = Vec::new();
    let text = &text[..text.len().min(LONGEST)];
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let comment = comment(&text[at..]);
        if comment > 0 || byte.is_ascii_whitespace() {
            at += comment.max(1);
            continue;
        }
        at += 1;
        match byte {
            b'(' => depth += 1,
            _ if depth == 0 => break,
            b')' if depth == 1 => return Some((String::from_utf8_lossy(&found).into_owned(), at)),
            b')' => depth -= 1,
            _ => {}
        }
        if depth > 1 || byte != b'(' {
            found.push(byte);
        }
    }
    None
}

/// The length of the comment at the beginning of a text; 0 if there is none.
fn comment(text: &[u8]) -> usize {
    let behind = |start: usize, end: &[u8]| text[start..].windows(end.len()).position(|window| window == end);
    match text {
        [b'/', b'*', ..] => behind(2, b"*/").map_or(text.len(), |length| length + 4),
        [b'/', b'/', ..] => behind(2, b"\n").map_or(text.len(), |length| length + 2),
        _ => 0,
    }
}

/// The last name in an argument, such as the field's in `&s->lock`; empty if there is none.
pub fn last_name(argument: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = argument.trim_end_matches(|c| !is_name(c));
    end.rsplit(|c| !is_name(c)).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_and_its_argument_are_read() {
        let read = |text: &str| {
            let SourceCall { word, argument } = SourceCall::read(text.as_bytes());
            (word, argument)
        };
        let pair = |word: &str, argument: &str| (word.to_owned(), argument.to_owned());
        assert_eq!(read("lock(&s->lock); next(x);"), pair("lock", "&s->lock"));
        assert_eq!(read("lock ( & s -> lock )"), pair("lock", "&s->lock"));
        assert_eq!(read("lock((&(m)), 1)"), pair("lock", "(&(m)),1"));
        assert_eq!(read("lock()"), pair("lock", ""));
        assert_eq!(read("lock /* ( */ (/* the */ &s->lock) // )"), pair("lock", "&s->lock"));
        assert_eq!(read("lock(a / b, // )\n c)"), pair("lock", "a/b,c"));
        assert_eq!(read("lock; f(x)"), pair("lock", ""));
        assert_eq!(read("lock(never"), pair("lock", ""));
        assert_eq!(read("(*f)(x)"), pair("", "*f"));
        assert_eq!(read(")"), pair("", ""));
        assert_eq!(read(""), pair("", ""));
        assert_eq!(["f(a, b) c", "f c", "f ("].map(|text| SourceCall::length(text.as_bytes())), [7, 1, 1]);
        assert_eq!(SourceCall::arguments("f(a,b),c,"), ["f(a,b)", "c", ""]);
    }

    #[test]
    fn the_last_name_of_an_argument_is_the_fields() {
        let names = ["&s->lock", "&q,&bs->reqs_lock", "&locks[i]", "(&(m))", ""].map(last_name);
        assert_eq!(names, ["lock", "reqs_lock", "i", "m", ""]);
    }
}
