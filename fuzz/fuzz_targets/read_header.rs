//! The reader of declarations on arbitrary text: it ends, panics never, and its places are in the text.

#![no_main]

use std::sync::LazyLock;

use cowrap_packs::Generator;
use cowrap_wrapgen::{Vocabulary, outline, read, vocabulary};
use libfuzzer_sys::fuzz_target;

static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| vocabulary(&Generator::read(None).expect("the built-in pack is valid")));

fuzz_target!(|text: &str| {
    let reading = read(text, 0, &WORDS);
    for declared in &reading.declared {
        assert!(text.get(declared.span.clone()).is_some() && text.get(declared.name_span.clone()).is_some());
    }
    for complaint in &reading.complaints {
        assert!(complaint.span.clone().is_none_or(|span| text.get(span).is_some()));
    }
    outline(text);
});
