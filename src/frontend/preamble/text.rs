//! Where the preamble of a text ends.
//!
//! A preamble is the beginning of a text that has only comments and directives, up to the last
//! `#include` in it. What is not certain ends it early: a shorter preamble is a preamble, too.

/// The length of a text's preamble, which ends with a line; 0 if there is none.
///
/// It contains no `#pragma` and nothing else that changes how the compiler reads the rest, and all its
/// conditions are closed.
pub fn preamble_length(text: &[u8]) -> usize {
    let mut reader = Reader { text, at: 0 };
    let (mut depth, mut has_include, mut length) = (0usize, false, 0);
    while reader.skip_blanks() == Some(b'#') {
        let Some(directive) = reader.directive() else { break };
        match directive {
            b"include" => has_include = true,
            b"if" | b"ifdef" | b"ifndef" => depth += 1,
            b"endif" => match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => break,
            },
            b"define" | b"undef" | b"elif" | b"else" | b"" => {}
            _ => break,
        }
        if depth == 0 && std::mem::take(&mut has_include) {
            length = reader.at;
        }
    }
    length
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    /// Skips blanks, ends of lines and comments. The next byte, if there is one and it is certain that
    /// it is what it seems.
    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            match *self.text.get(self.at)? {
                b' ' | b'\t' | b'\n' => self.at += 1,
                b'/' => self.skip_comment()?,
                byte => return Some(byte),
            }
        }
    }

    /// Skips a comment, but not the end of the line behind `//`. `None` if there is none, or if it may
    /// end elsewhere.
    fn skip_comment(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let length = match rest.get(1)? {
            b'*' => rest[2..].windows(2).position(|two| two == b"*/")? + 4,
            b'/' => rest.iter().position(|byte| *byte == b'\n')?,
            _ => return None,
        };
        // A `\` may continue a line in a comment or in its end, and a trigraph may be a `\`.
        let is_plain = |byte: &u8| !matches!(byte, b'\\' | b'?' | b'\r' | 0);
        if rest[1] == b'/' && !rest[..length].iter().all(is_plain) || rest[..length].contains(&b'\\') {
            return None;
        }
        self.at += length;
        Some(())
    }

    /// Reads a directive with the end of its line. Returns its name; `None` if it is not certain where
    /// it ends, or what it means.
    fn directive(&mut self) -> Option<&'t [u8]> {
        self.at += 1;
        while matches!(self.text.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let name = &self.text[self.at..];
        let name = &name[..name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()];
        let start = self.at;
        self.at += name.len();
        loop {
            match *self.text.get(self.at)? {
                b'\n' => {
                    self.at += 1;
                    break;
                }
                b'\\' if self.text.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                // In `<a//b.h>` or `"a/*"`, these are no comments.
                b'/' if name == b"include" => match self.text.get(self.at + 1)? {
                    b'/' | b'*' if self.is_in_name(start) => return None,
                    b'/' | b'*' => self.skip_comment()?,
                    _ => self.at += 1,
                },
                b'/' if matches!(self.text.get(self.at + 1)?, b'/' | b'*') => self.skip_comment()?,
                quote @ (b'"' | b'\'') => self.skip_literal(quote)?,
                b'\\' | b'?' | b'\r' | 0 => return None,
                _ => self.at += 1,
            }
        }
        let line = &self.text[start..self.at];
        let has = |word: &[u8]| line.windows(word.len()).any(|found| found == word);
        let is_odd = has(b"_Pragma") || has(b"__pragma") || has(b"embed") || has(b"R\"");
        (!is_odd).then_some(name)
    }

    /// Whether a `<` without its `>` is before this in the directive.
    fn is_in_name(&self, start: usize) -> bool {
        let before = &self.text[start..self.at];
        let last = |byte: u8| before.iter().rposition(|found| *found == byte);
        last(b'<') > last(b'>')
    }

    /// Skips a literal; `None` if it does not end in this line, or has escapes at its end.
    fn skip_literal(&mut self, quote: u8) -> Option<()> {
        self.at += 1;
        loop {
            match *self.text.get(self.at)? {
                b'\\' => match self.text.get(self.at + 1)? {
                    b'\n' | b'\r' | b' ' | b'\t' => return None,
                    _ => self.at += 2,
                },
                b'\n' | b'\r' | b'?' | 0 => return None,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        return Some(());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The preamble of a text.
    fn of(text: &str) -> &str {
        &text[..preamble_length(text.as_bytes())]
    }

    #[test]
    fn a_preamble_ends_with_the_last_include_before_any_code() {
        let text = "/* one\n * two */\n#include \"a.h\"\n\n// three\n # include <b.h> // c\n";
        assert_eq!(of(&format!("{text}#define X 1\nint x;\n#include \"c.h\"\n")), text);
        assert_eq!(of(text), text);
        assert_eq!(
            of("#define X \\\n  1\n#undef X\n#include \"a.h\"\nint x;"),
            "#define X \\\n  1\n#undef X\n#include \"a.h\"\n"
        );
        assert_eq!(of("#include \"a.h\" /* one\n two */\n"), "#include \"a.h\" /* one\n two */\n");
    }

    #[test]
    fn a_preamble_closes_its_conditions() {
        let whole = "#ifdef A\n#include \"a.h\"\n#else\n#include \"b.h\"\n#endif\n";
        assert_eq!(of(whole), whole);
        assert_eq!(of("#include \"a.h\"\n#if A == 'x' && B\n#include \"b.h\"\n"), "#include \"a.h\"\n");
        assert_eq!(of("#include \"a.h\"\n#if A\n#include \"b.h\"\nint x;\n#endif\n"), "#include \"a.h\"\n");
        assert_eq!(of("#ifndef A_C\n#define A_C\n#include \"a.h\"\nint x;\n#endif\n"), "");
        assert_eq!(of("#include \"a.h\"\n#endif\n#include \"b.h\"\n"), "#include \"a.h\"\n");
    }

    #[test]
    fn what_is_not_certain_ends_a_preamble() {
        for odd in [
            "#pragma once",
            "#pragma pack(1)",
            "#import \"x.h\"",
            "#include_next <x.h>",
            "#line 7",
            "#error no",
            "#warning no",
            "#ident \"x\"",
            "#embed \"x\"",
            "#if __has_embed(\"x\")",
            "#define P _Pragma(\"once\")",
            "#define Q ??/",
            "#define R R\"(",
            "#define S \"",
            "#define T '\\",
            "%:define U",
            "#define V \\ ",
            "\u{feff}#define W",
            "// one ??/",
            "// one \\",
            "/* one *\\\n/",
            "/* one",
            "/ *",
            "\\\n#define X",
            "#define Y \r",
            "#define Z 1\0",
            "#include <a//b.h>",
            "__extension__",
        ] {
            let text = format!("#include \"a.h\"\n{odd}\n#include \"b.h\"\n");
            assert_eq!(of(&text), "#include \"a.h\"\n", "{odd}");
        }
        for fine in ["#define A '\\'' \"\\\"\" /* ? */", "#", "#if A / B\n#elif C\n#endif", "#define B a /* */ // x"] {
            let text = format!("#include \"a.h\"\n{fine}\n#include \"b.h\"\n");
            assert_eq!(of(&text), text, "{fine}");
        }
    }

    #[test]
    fn any_bytes_are_a_text() {
        let pieces: &[&[u8]] =
            &[b"#", b"include", b"\"", b"<", b"/", b"*", b"\\", b"\n", b"\r", b" ", b"'", b"\xff", b"if"];
        let mut state = 1u64;
        for _ in 0..20_000 {
            let mut text = Vec::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.extend_from_slice(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let length = preamble_length(&text);
            assert!(length == 0 || text[length - 1] == b'\n');
        }
    }
}
