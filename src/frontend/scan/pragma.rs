//! What a `#pragma` does to the state of the compiler.

/// The effect of a pragma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// No lasting one, except on warnings.
    Harmless,
    /// The file is read once only.
    Once,
    /// Identifiers are poisoned.
    Poison(Vec<Vec<u8>>),
    /// A state is pushed.
    Push(Stack),
    /// The last pushed state is restored.
    Pop(Stack),
    /// A state is changed.
    Set(Stack),
    /// Unknown.
    Other,
}

/// The states that can be pushed and popped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stack {
    /// The alignment of fields.
    Pack,
    /// Which symbols other libraries see.
    Visibility,
    /// How code is generated.
    Options,
    /// Attributes that declarations get.
    Attributes,
}

/// The depth of each stack.
pub(super) type Depths = [u32; 4];

impl Effect {
    /// Reads the text behind `#pragma`, without comments.
    pub(super) fn of(text: &[u8]) -> Effect {
        let tokens = tokens(text);
        match tokens.as_slice() {
            [b"once"] => Effect::Once,
            [b"message", ..] => Effect::Harmless,
            // For AIX and z/OS; for other targets, clang does not know these names.
            [b"alloca"] | [b"map", ..] => Effect::Harmless,
            // It is about the next declaration only, and about variants of it for vectors.
            [b"omp", b"declare", b"simd", ..] => Effect::Harmless,
            // They make uses of a macro a warning.
            [b"clang", b"deprecated" | b"final" | b"restrict_expansion", b"(", ..] => Effect::Harmless,
            [b"GCC" | b"clang", b"diagnostic" | b"system_header" | b"message" | b"warning" | b"error", ..] => {
                Effect::Harmless
            }
            [b"GCC" | b"clang", b"poison", names @ ..] => {
                Effect::Poison(names.iter().map(|name| name.to_vec()).collect())
            }
            [b"pack", b"(", b"push", b")"] => Effect::Push(Stack::Pack),
            [b"pack", b"(", b"push", b",", number, b")"] if is_number(number) => Effect::Push(Stack::Pack),
            [b"pack", b"(", b"pop", b")"] => Effect::Pop(Stack::Pack),
            [b"pack", b"(", b")"] => Effect::Set(Stack::Pack),
            [b"pack", b"(", number, b")"] if is_number(number) => Effect::Set(Stack::Pack),
            [b"GCC", b"visibility", b"push", b"(", _, b")"] => Effect::Push(Stack::Visibility),
            [b"GCC", b"visibility", b"pop"] => Effect::Pop(Stack::Visibility),
            [b"GCC", b"push_options"] => Effect::Push(Stack::Options),
            [b"GCC", b"pop_options"] => Effect::Pop(Stack::Options),
            [b"GCC", b"optimize" | b"target", ..] => Effect::Set(Stack::Options),
            [b"clang", b"attribute", b"push", ..] => Effect::Push(Stack::Attributes),
            [b"clang", b"attribute", b"pop"] => Effect::Pop(Stack::Attributes),
            _ => Effect::Other,
        }
    }

    /// Reads a pragma that a `_Pragma` has as a literal, with its quotes and prefix.
    pub(super) fn of_literal(literal: &[u8]) -> Effect {
        let quote = literal.iter().position(|byte| *byte == b'"');
        let text = quote.and_then(|quote| literal[quote + 1..].strip_suffix(b"\""));
        let Some(text) = text else { return Effect::Other };
        let mut plain = Vec::with_capacity(text.len());
        let mut bytes = text.iter().peekable();
        while let Some(&byte) = bytes.next() {
            let escaped = if byte == b'\\' { bytes.next_if(|next| matches!(next, b'"' | b'\\')) } else { None };
            plain.push(*escaped.unwrap_or(&byte));
        }
        Effect::of(&plain)
    }

    /// The depths behind the pragma; `None` if its effect lasts or is not known.
    pub(super) fn on(&self, mut depths: Depths) -> Option<Depths> {
        match self {
            Effect::Harmless | Effect::Once | Effect::Poison(_) => {}
            Effect::Push(stack) => depths[*stack as usize] += 1,
            Effect::Pop(stack) => depths[*stack as usize] = depths[*stack as usize].checked_sub(1)?,
            // The next pop ends it.
            Effect::Set(stack) if depths[*stack as usize] > 0 => {}
            Effect::Set(_) | Effect::Other => return None,
        }
        Some(depths)
    }
}

fn is_number(token: &[u8]) -> bool {
    !token.is_empty() && token.iter().all(u8::is_ascii_digit)
}

/// The tokens: words, and every other byte on its own, without blanks.
fn tokens(text: &[u8]) -> Vec<&[u8]> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let mut tokens = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let length = rest.iter().take_while(|byte| is_word(byte)).count().max(1);
        let (token, behind) = rest.split_at(length);
        tokens.push(token);
        rest = behind.trim_ascii_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pragmas_have_effects() {
        let of = |text: &str| Effect::of(text.as_bytes());
        assert_eq!(of(" once "), Effect::Once);
        assert_eq!(of("GCC diagnostic ignored \"-Wunused\""), Effect::Harmless);
        assert_eq!(of("GCC poison a  b"), Effect::Poison(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(of("pack ( push,1)"), Effect::Push(Stack::Pack));
        assert_eq!(of("pack(push, name, 1)"), Effect::Other);
        assert_eq!(of("pack(push, N)"), Effect::Other);
        assert_eq!(of("pack(pop)"), Effect::Pop(Stack::Pack));
        assert_eq!(of("pack(1)"), Effect::Set(Stack::Pack));
        assert_eq!(of("GCC visibility push(hidden)"), Effect::Push(Stack::Visibility));
        assert_eq!(of("clang attribute pop"), Effect::Pop(Stack::Attributes));
        assert_eq!(of("clang attribute NS.pop"), Effect::Other);
        assert_eq!(of("STDC FENV_ACCESS ON"), Effect::Other);
        assert_eq!(of(""), Effect::Other);
    }

    #[test]
    fn a_literal_holds_a_pragma() {
        let of = |text: &str| Effect::of_literal(text.as_bytes());
        assert_eq!(of(r#""GCC diagnostic ignored \"-Wx\"""#), Effect::Harmless);
        assert_eq!(of(r#"L"once""#), Effect::Once);
        assert_eq!(of(r#""once"#), Effect::Other);
        assert_eq!(of("\""), Effect::Other);
        assert_eq!(of("'x'"), Effect::Other);
    }

    #[test]
    fn what_is_set_lasts_unless_something_was_kept() {
        assert_eq!(Effect::of(b"pack(1)").on([0; 4]), None);
        assert_eq!(Effect::of(b"pack(1)").on([1, 0, 0, 0]), Some([1, 0, 0, 0]));
        assert_eq!(Effect::of(b"pack(pop)").on([0; 4]), None);
        assert_eq!(Effect::of(b"pack(pop)").on([1, 0, 0, 0]), Some([0; 4]));
        assert_eq!(Effect::of(b"GCC push_options").on([0; 4]), Some([0, 0, 1, 0]));
    }
}
