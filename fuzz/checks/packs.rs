//! What people write in TOML: packs, settings, and texts with placeholders.

use std::borrow::Cow;
use std::path::Path;

use cowrap_packs::{Pack, Settings, Template};

use crate::program;

/// A pack is refused with its place, or can be used: its rules have names and pages, and a program can be checked.
pub fn pack(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if names_files(text) {
        return;
    }
    let origin = Path::new("a-pack.toml");
    let pack = match Pack::parse(text, origin) {
        Ok(pack) => pack,
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("a-pack.toml"), "errors name the file: {message}");
            return;
        }
    };
    for info in cowrap_analysis::rules::infos(&pack) {
        assert!(!info.name.is_empty() && !info.page.is_empty());
    }
    program::check(&program::small(&pack), &pack);
}

/// Whether reading a pack would read other files, which a check must not.
fn names_files(text: &str) -> bool {
    ["page", "template", "extends"].iter().any(|key| text.contains(key)) && !text.contains("extends = \"qemu\"")
}

/// Settings are refused with their line, or every question has an answer.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = Path::new("/tree/cowrap.toml");
    match Settings::parse(text, file) {
        Ok(settings) => {
            let _ = settings.check(&[]);
            for path in ["a.c", "block/a.c", "", "/", "../x", "a/b/c/d/e/f.h"] {
                let _ = settings.level(None, "coroutine-call", Path::new(path));
                let _ = settings.level(Some("qemu"), "coroutine-call", Path::new(path));
            }
            if let Ok(pack) = program::QEMU.clone().with(&settings) {
                program::check(&program::small(&pack), &pack);
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("cowrap.toml"), "errors name the file: {message}");
        }
    }
}

/// A text without placeholders is itself, and one with placeholders keeps everything else.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let template = match Template::parse(text, &["word", "other_word"]) {
        Ok(template) => template,
        Err(problem) => {
            assert!(text.is_char_boundary(problem.offset) && problem.offset <= text.len());
            assert!(!problem.message.is_empty());
            return;
        }
    };
    let filled = template.fill(|_| Some(Cow::Borrowed("value")));
    if !text.contains(['{', '}']) {
        assert_eq!(filled, text);
    }
    if !template.names("word") && !template.names("other_word") {
        assert_eq!(filled, text.replace("{{", "{").replace("}}", "}"));
    }
}
