//! Reading headers with arbitrary text: it ends, does not panic, and all spans are in the text.

#![no_main]

use std::sync::LazyLock;

use cowrap_packs::Generator;
use cowrap_wrapgen::{Vocabulary, defined_functions, read_header, vocabulary};
use libfuzzer_sys::fuzz_target;

static QEMU: LazyLock<Vocabulary> =
    LazyLock::new(|| vocabulary(&Generator::read(None).expect("the built-in pack is valid")));

fuzz_target!(|text: &str| {
    let header = read_header(text, 0, &QEMU);
    for wrapper in &header.wrappers {
        assert!(text.get(wrapper.span.clone()).is_some() && text.get(wrapper.name_span.clone()).is_some());
    }
    for diagnostic in &header.diagnostics {
        assert!(diagnostic.span.clone().is_none_or(|span| text.get(span).is_some()));
    }
    defined_functions(text);
});
