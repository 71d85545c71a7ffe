//! What a replacement list pastes together with `##`.

use super::PastedForm;

/// An operand of `##`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A name or number that stands in the replacement list.
    Fixed(Vec<u8>),
    /// A parameter: what stands for it may be any text, of which the first or last token is pasted.
    Parameter,
    /// Anything else, such as the comma in `, ## __VA_ARGS__`: no name comes out of pasting it.
    Other,
}

/// The forms of the names that a sequence of operands, with `##` between each two, is pasted
/// together to.
///
/// If a parameter stands for several tokens, what is before and behind it are pasted to separate
/// names (C11 6.10.3.3).
pub(super) fn forms(operands: &[Operand]) -> Vec<PastedForm> {
    let mut found = Vec::new();
    for chain in operands.split(|operand| *operand == Operand::Other).filter(|chain| chain.len() > 1) {
        let fixed = |operand: &Operand| match operand {
            Operand::Fixed(text) => Some(text.clone()),
            _ => None,
        };
        let begin: Vec<u8> = chain.iter().map_while(fixed).flatten().collect();
        let mut end: Vec<Vec<u8>> = chain.iter().rev().map_while(fixed).collect();
        end.reverse();
        let is_parameter = |operand: &&Operand| **operand == Operand::Parameter;
        // All of it is in `begin` if there is no parameter.
        let end = if chain.iter().any(|operand| is_parameter(&operand)) { end.concat() } else { Vec::new() };
        let (begin, end, none) = (begin.as_slice(), end.as_slice(), &[][..]);
        // Parameters at which a name may end and another one begin.
        let cuts = chain[1..chain.len() - 1].iter().filter(is_parameter).count();
        let forms = [(begin, end, 0), (begin, none, 1), (none, end, 1), (none, none, 2)];
        for (begin, end, least) in forms {
            let form = PastedForm { begin: begin.to_vec(), end: end.to_vec() };
            if cuts >= least && !found.contains(&form) {
                found.push(form);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(operands: &str) -> Vec<(String, String)> {
        let operand = |text: &str| match text {
            "x" | "y" | "z" => Operand::Parameter,
            "," => Operand::Other,
            text => Operand::Fixed(text.into()),
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let operands: Vec<Operand> = operands.split(' ').map(operand).collect();
        forms(&operands).into_iter().map(|form| (text(form.begin), text(form.end))).collect()
    }

    #[test]
    fn names_begin_and_end_with_what_the_definition_has() {
        let pair = |begin: &str, end: &str| (begin.to_owned(), end.to_owned());
        assert_eq!(of("x _ENABLED"), [pair("", "_ENABLED")]);
        assert_eq!(of("_ x _DSTATE"), [pair("_", "_DSTATE"), pair("_", ""), pair("", "_DSTATE")]);
        assert_eq!(of("a b 1"), [pair("ab1", "")]);
        assert_eq!(of("x y"), [pair("", "")]);
        assert_eq!(of("a x y b"), [pair("a", "b"), pair("a", ""), pair("", "b"), pair("", "")]);
        assert_eq!(of(", x"), []);
        assert_eq!(of(", a x"), [pair("a", "")]);
    }

    #[test]
    fn a_form_fits_names_that_are_long_enough() {
        let form = PastedForm { begin: b"ab".to_vec(), end: b"bc".to_vec() };
        assert!(form.fits(b"abbc") && form.fits(b"ab_bc") && !form.fits(b"abc") && !form.fits(b"abb"));
    }
}
