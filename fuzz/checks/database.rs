//! The compilation database and the arguments in it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cowrap_frontend::compdb::{self, Unit};

/// A directory that is not there: no response file is read from it.
const NOWHERE: &str = "/nonexistent/build";

/// How many entries a database may have.
const MOST: usize = 100;

/// Whatever is in a database, units have options of the list only, and paths are absolute.
pub fn database(text: &[u8]) {
    let json = Path::new(NOWHERE).join("compile_commands.json");
    let database = match compdb::parse(text, &json, json.clone(), MOST) {
        Ok(database) => database,
        Err(error) => {
            assert!(error.to_string().starts_with(NOWHERE), "errors name the file: {error}");
            return;
        }
    };
    let mut before = None;
    for unit in &database.units {
        assert!(before < Some(unit.entry), "in the order of the file");
        before = Some(unit.entry);
        is_safe(unit);
    }
    for refused in &database.refused {
        assert!(refused.file.is_absolute() && !refused.reason.is_empty());
    }
}

/// However the words of a command are written, they become the same unit; and its arguments become themselves.
pub fn words(bytes: &[u8]) {
    let words: Vec<OsString> =
        bytes.split(|byte| *byte == b'\n').map(|word| OsStr::from_bytes(word).to_os_string()).collect();
    let (file, directory) = (Path::new("a.c"), Path::new(NOWHERE));
    let direct = compdb::single(file, directory, &words);
    if let Ok(unit) = &direct {
        is_safe(unit);
    }
    if bytes.contains(&0) || bytes.contains(&b'@') {
        return;
    }
    // As one string that a shell would split, and as a list.
    let command: Vec<u8> = words.iter().flat_map(|word| [b" ".as_slice(), &quoted(word.as_bytes())].concat()).collect();
    let listed: Vec<Vec<u8>> = words.iter().map(|word| in_json(word.as_bytes())).collect();
    let entry = |how: &str, value: &[u8]| {
        let head = format!("[{{\"directory\":\"{NOWHERE}\",\"file\":\"a.c\",\"{how}\":").into_bytes();
        [head.as_slice(), value, b"}]"].concat()
    };
    let command = entry("command", &in_json(&[b"cc".as_slice(), &command].concat()));
    let arguments = entry("arguments", &[b"[\"cc\",".as_slice(), &listed.join(&b','), b"]"].concat());
    let json = Path::new(NOWHERE).join("compile_commands.json");
    let read = |text: &[u8]| {
        let database = compdb::parse(text, &json, json.clone(), MOST).expect("it is a database");
        let refused: Vec<(String, String)> =
            database.refused.into_iter().map(|refused| (refused.argument, refused.reason)).collect();
        (database.units, refused, database.other_languages)
    };
    let by_command = read(&command);
    assert_eq!(by_command, read(&arguments), "a command and its words are the same");
    match (&direct, by_command.0.as_slice()) {
        (Ok(unit), [other]) => assert_eq!(unit.arguments, other.arguments),
        (Ok(_), _) => panic!("{by_command:?}"),
        (Err(_), units) => assert!(units.is_empty(), "{units:?}"),
    }
    in_response_file(&words, direct.ok().as_ref());
}

/// The same words in a response file are the same unit.
fn in_response_file(words: &[OsString], direct: Option<&Unit>) {
    thread_local! {
        static SCRATCH: tempfile::TempDir = tempfile::tempdir().expect("a scratch directory");
    }
    SCRATCH.with(|scratch| {
        let text: Vec<u8> =
            words.iter().flat_map(|word| [&escaped(word.as_bytes()), b" ".as_slice()].concat()).collect();
        std::fs::write(scratch.path().join("words"), text).expect("a file");
        let read = compdb::single(Path::new("a.c"), scratch.path(), &[OsString::from("@words")]);
        // Where the words name the file, its place matters.
        let names_file = words.iter().any(|word| word.as_bytes().contains(&b'/') || word == "a.c");
        if !names_file {
            assert_eq!(read.ok().map(|unit| unit.arguments), direct.map(|unit| unit.arguments.clone()));
        }
    });
}

/// What libclang gets has only options of the list: read again, everything in it is kept as it is.
fn is_safe(unit: &Unit) {
    assert!(unit.file.is_absolute() && unit.directory.is_absolute());
    assert!(unit.outputs.iter().all(|output| output.is_absolute()));
    let mut is_passed_on = false;
    for argument in unit.arguments.iter() {
        let bytes = argument.as_bytes();
        assert!(!bytes.contains(&0) && !bytes.starts_with(b"@"), "{argument:?}");
        // The front end gets one option, and the file that it includes.
        assert!(!is_passed_on || bytes == b"-include" || !bytes.starts_with(b"-"), "{:?}", unit.arguments);
        is_passed_on = bytes == b"-Xclang";
        let is_dangerous = DANGEROUS.iter().any(|beginning| bytes.starts_with(beginning.as_bytes()));
        assert!(!is_dangerous && bytes != b"-mllvm", "{argument:?} in {:?}", unit.arguments);
    }
    let again = compdb::single(&unit.file, &unit.directory, &unit.arguments);
    let again = again.unwrap_or_else(|refused| panic!("{:?} was kept: {refused:?}", unit.arguments));
    assert_eq!(again.arguments, unit.arguments, "what was kept is kept");
    let kept = |dropped: &&OsString| unit.arguments.contains(dropped) && *dropped != "-Xclang";
    assert_eq!(again.dropped.iter().filter(kept).collect::<Vec<_>>(), Vec::<&OsString>::new());
}

/// How options begin that load, run or write something, or take options from somewhere else.
const DANGEROUS: &[&str] = &[
    "-load",
    "-plugin",
    "-add-plugin",
    "-fplugin",
    "-fpass-plugin",
    "-B",
    "-o",
    "-M",
    "-save-temps",
    "--config",
    "-fmodule",
    "-fprofile",
    "-serialize",
    "--serialize",
    "-wrapper",
    "-specs",
    "-ivfsoverlay",
    "-resource-dir",
    "-working-directory",
    "-mllvm=",
    "-fcrash-diagnostics",
    "-include-pch",
    "-E",
    "-S",
    "-c",
];

/// A word in single quotes, as a shell reads it.
fn quoted(word: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = word.split(|byte| *byte == b'\'').collect();
    [b"'".as_slice(), &pieces.join(b"'\\''".as_slice()), b"'"].concat()
}

/// A word in a response file: each byte for itself.
fn escaped(word: &[u8]) -> Vec<u8> {
    if word.is_empty() {
        return b"\"\"".to_vec();
    }
    word.iter().flat_map(|byte| [b'\\', *byte]).collect()
}

/// A JSON string. Bytes beyond ASCII are written as they are.
fn in_json(word: &[u8]) -> Vec<u8> {
    let mut json = vec![b'"'];
    for byte in word {
        match byte {
            b'"' | b'\\' => json.extend([b'\\', *byte]),
            0..0x20 => json.extend(format!("\\u{byte:04x}").bytes()),
            _ => json.push(*byte),
        }
    }
    json.push(b'"');
    json
}
