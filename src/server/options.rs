//! The options that a client passes when it starts the server.
//!
//! It must never know the command line.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What the client asks for with `initializationOptions`. It overrides the command line and `cowrap.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The build directory or `compile_commands.json`, relative to the workspace folder.
    pub build: Option<PathBuf>,
    /// The packs: built-in names or files.
    pub packs: Vec<PathBuf>,
    /// The opt-in rules to run.
    pub enable: Vec<String>,
    /// Whether functions have a lens that counts their callers by context.
    pub code_lens: bool,
    /// Whether unmarked functions have a hint with the mark that cowrap infers.
    pub inlay_hints: bool,
}

impl Options {
    /// Reads them from the parameters of `initialize`. The second part of the result says what is wrong with them;
    /// wrong ones have no effect.
    pub(crate) fn of(params: &Value) -> (Options, Vec<String>) {
        let mut wrong = Vec::new();
        let options = match params.get("initializationOptions") {
            None | Some(Value::Null) => return (Options::default(), wrong),
            // Some clients pass the options of all servers, by name.
            Some(Value::Object(options)) => match options.get("cowrap") {
                Some(Value::Object(own)) => own,
                _ => options,
            },
            Some(_) => {
                wrong.push("initializationOptions: expected an object".to_owned());
                return (Options::default(), wrong);
            }
        };
        let known = ["build", "packs", "enable", "codeLens", "inlayHints", "cowrap"];
        let unknown = options.keys().filter(|key| !known.contains(&key.as_str()));
        wrong.extend(unknown.map(|key| format!("initializationOptions: unknown option `{key}`")));
        let read = Options {
            build: value(options, "build", "a path", &mut wrong),
            packs: value(options, "packs", "a list of names or files", &mut wrong).unwrap_or_default(),
            enable: value(options, "enable", "a list of rules", &mut wrong).unwrap_or_default(),
            code_lens: value(options, "codeLens", "true or false", &mut wrong).unwrap_or_default(),
            inlay_hints: value(options, "inlayHints", "true or false", &mut wrong).unwrap_or_default(),
        };
        (read, wrong)
    }
}

/// The value of an option.
fn value<T: for<'d> Deserialize<'d>>(
    options: &Map<String, Value>,
    key: &str,
    expected: &str,
    wrong: &mut Vec<String>,
) -> Option<T> {
    let value = options.get(key).filter(|value| !value.is_null())?;
    let read = T::deserialize(value).ok();
    if read.is_none() {
        wrong.push(format!("initializationOptions: `{key}`: expected {expected}"));
    }
    read
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(options: Value) -> (Options, Vec<String>) {
        Options::of(&json!({ "initializationOptions": options }))
    }

    #[test]
    fn options_are_read_by_name() {
        let expected = Options {
            build: Some("build".into()),
            packs: vec!["qemu".into()],
            enable: vec!["eligible-mark".to_owned()],
            code_lens: true,
            inlay_hints: false,
        };
        let options = json!({ "build": "build", "packs": ["qemu"], "enable": ["eligible-mark"], "codeLens": true });
        assert_eq!(of(options.clone()), (expected.clone(), Vec::new()));
        assert_eq!(of(json!({ "cowrap": options, "clangd": 1 })), (expected, Vec::new()));
        assert_eq!(of(json!(null)), (Options::default(), Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_reported_and_has_no_effect() {
        let (options, wrong) = of(json!({ "build": 1, "pack": "qemu", "codeLens": true }));
        assert_eq!(options, Options { code_lens: true, ..Options::default() });
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert_eq!(of(json!("build")).1.len(), 1);
    }
}
