//! Random edits of open documents and of files on the disk: after each of them, the diagnostics are those of a fresh
//! check of the same texts.
//!
//! `COWRAP_SERVER_EDITS` is the number of edits; CI makes few of them.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::client::{Client, capabilities, parameters, uri};
use super::{Tree, expected};

/// The documents that are edited.
const FILES: [&str; 6] =
    ["mini-img.c", "block.c", "job.c", "block/stripe.c", "include/block/block-io.h", "include/block/block_int.h"];

/// The files that are changed on the disk. Nobody opens them.
const OTHERS: [&str; 4] = ["block/raw.c", "block/commit-job.c", "include/block/graph-lock.h", "include/qemu/new.h"];

/// What replaces words and lines.
const WORDS: [&str; 12] = [
    "coroutine_fn",
    "no_coroutine_fn",
    "coroutine_mixed_fn",
    "",
    "bdrv_co_flush",
    "bdrv_flush",
    "bdrv_co_pread",
    "job_pause_point",
    "bs",
    "/* \u{e4}\u{1d11e} */",
    "\n",
    "qemu_in_coroutine()",
];

/// What somebody does in an editor.
#[derive(Clone, Debug)]
enum Edit {
    /// Replaces a word of a file.
    Word(usize, Index, usize),
    /// Inserts a word before another.
    Insert(usize, Index, usize),
    /// Deletes a line, or repeats it.
    Line(usize, Index, bool),
    /// Takes the last edit of a file back.
    Undo(usize),
    /// Saves a file.
    Save(usize),
    /// Closes a file without saving it, and opens it again.
    Reopen(usize),
    /// Something else writes an open file.
    Overwrite(usize),
    /// Something else changes a file that is not open.
    Disk(usize, Disk),
}

/// What happens to a file on the disk.
#[derive(Clone, Copy, Debug)]
enum Disk {
    /// It has the text that it had at first.
    Restore,
    /// It is written anew with a line more.
    Append,
    /// It is replaced by a file with a line more, as editors save.
    Replace,
    Remove,
    Rename,
}

fn disk() -> impl Strategy<Value = Disk> {
    prop_oneof![
        4 => Just(Disk::Restore),
        1 => Just(Disk::Append),
        1 => Just(Disk::Replace),
        1 => Just(Disk::Remove),
        1 => Just(Disk::Rename),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let (file, any, word) = (|| 0..FILES.len(), any::<Index>, || 0..WORDS.len());
    prop_oneof![
        5 => (file(), any(), word()).prop_map(|(file, at, word)| Edit::Word(file, at, word)),
        3 => (file(), any(), word()).prop_map(|(file, at, word)| Edit::Insert(file, at, word)),
        3 => (file(), any(), proptest::bool::ANY).prop_map(|(file, at, twice)| Edit::Line(file, at, twice)),
        6 => file().prop_map(Edit::Undo),
        1 => file().prop_map(Edit::Save),
        1 => file().prop_map(Edit::Reopen),
        1 => file().prop_map(Edit::Overwrite),
        5 => (0..OTHERS.len(), disk()).prop_map(|(file, what)| Edit::Disk(file, what)),
    ]
}

/// An open document.
struct Document {
    text: String,
    saved: String,
    before: Vec<String>,
    version: i32,
}

#[test]
fn after_random_edits_the_diagnostics_are_those_of_a_fresh_check() {
    let edits = std::env::var("COWRAP_SERVER_EDITS").ok().and_then(|edits| edits.parse().ok()).unwrap_or(25);
    let seed = std::env::var("COWRAP_SERVER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1u8);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // What is checked afresh: the texts that the editor has.
    let (tree, shadow) = (Tree::miniblock(), Tree::miniblock());
    let mut client_can = capabilities();
    client_can["general"]["positionEncodings"] = json!(["utf-16"]);
    let mut client = Client::start_with(&tree.root, &[], parameters(&[&tree.root], client_can));
    let mut documents: BTreeMap<usize, Document> = BTreeMap::new();
    for (number, file) in FILES.iter().enumerate() {
        let text = client.open(file);
        documents.insert(number, Document { saved: text.clone(), text, before: Vec::new(), version: 1 });
    }
    for number in 0..edits {
        let edit = edit().new_tree(&mut runner).unwrap().current();
        match &edit {
            Edit::Disk(file, what) => [&tree, &shadow].iter().for_each(|tree| change(tree, OTHERS[*file], *what)),
            _ => make(&edit, &mut client, &mut documents, &tree),
        }
        for (number, document) in &documents {
            shadow.write(FILES[*number], &document.text);
        }
        // Units that cannot be read are diagnostics, but no findings.
        let expected = expected(&shadow.root);
        let what = format!("the findings after edit {number}, {edit:?}: {expected:#?}");
        client.until(&what, |client| findings(client) == expected);
    }
    // They stay, also after the rest of the tree has been read.
    client.listen(std::time::Duration::from_secs(2));
    assert_eq!(findings(&client), expected(&shadow.root));
    let (status, stderr) = client.shut_down();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

/// The findings that the client shows.
fn findings(client: &Client) -> Vec<(String, u64, u64, String, String)> {
    let mut found = client.summary();
    found.retain(|(.., code, _)| !["parse", "failed", "refused"].contains(&code.as_str()));
    found
}

/// Changes a file on the disk.
fn change(tree: &Tree, file: &str, what: Disk) {
    let (path, other) = (tree.path(file), tree.path(&format!("{file}.other")));
    let text = std::fs::read_to_string(&path).unwrap_or_default() + "void bdrv_new(void);\n";
    match what {
        Disk::Restore => {
            let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock").join(file);
            match std::fs::read(original) {
                Ok(text) => tree.write(file, text),
                Err(_) => drop(std::fs::remove_file(path)),
            }
        }
        Disk::Append => tree.write(file, text),
        Disk::Replace => {
            std::fs::write(&other, text).unwrap();
            std::fs::rename(other, path).unwrap();
        }
        // It may be away already.
        Disk::Remove => drop(std::fs::remove_file(path)),
        Disk::Rename => drop(std::fs::rename(path, other)),
    }
}

/// Makes an edit of an open document.
fn make(edit: &Edit, client: &mut Client, documents: &mut BTreeMap<usize, Document>, tree: &Tree) {
    let (Edit::Word(file, ..)
    | Edit::Insert(file, ..)
    | Edit::Line(file, ..)
    | Edit::Undo(file)
    | Edit::Save(file)
    | Edit::Reopen(file)
    | Edit::Overwrite(file)
    | Edit::Disk(file, _)) = edit;
    let document = documents.get_mut(file).unwrap();
    let text = document.text.clone();
    let (start, end, new) = match edit {
        Edit::Word(_, at, word) => {
            let words = words(&text);
            let (start, end) = *at.get(&words);
            (start, end, WORDS[*word].to_owned())
        }
        Edit::Insert(_, at, word) => {
            let words = words(&text);
            let (start, _) = *at.get(&words);
            (start, start, format!("{} ", WORDS[*word]))
        }
        Edit::Line(_, at, twice) => {
            let lines: Vec<(usize, &str)> = text
                .split_inclusive('\n')
                .scan(0, |start, line| {
                    *start += line.len();
                    Some((*start - line.len(), line))
                })
                .collect();
            let (start, line) = *at.get(&lines);
            match twice {
                true => (start, start, line.to_owned()),
                false => (start, start + line.len(), String::new()),
            }
        }
        Edit::Undo(_) => match document.before.pop() {
            Some(before) => (0, text.len(), before),
            None => return,
        },
        Edit::Save(_) => {
            tree.write(FILES[*file], &text);
            document.saved = text;
            return;
        }
        Edit::Overwrite(_) => {
            // The document in memory counts.
            document.saved = format!("{}void bdrv_other(void);\n", document.saved);
            tree.write(FILES[*file], &document.saved);
            return;
        }
        Edit::Disk(..) => return,
        Edit::Reopen(_) => {
            client.close(FILES[*file]);
            client.open_as(&uri(&tree.path(FILES[*file])), &document.saved);
            (document.text, document.version) = (document.saved.clone(), 1);
            document.before.clear();
            return;
        }
    };
    if !matches!(edit, Edit::Undo(_)) {
        document.before.push(text.clone());
    }
    document.text.replace_range(start..end, &new);
    document.version += 1;
    // An editor sends what changed, by lines and UTF-16.
    let position = |offset: usize| -> Value {
        let before = &text[..offset];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let character: usize = before[start..].chars().map(char::len_utf16).sum();
        json!({ "line": before.matches('\n').count(), "character": character })
    };
    let change = json!({ "range": { "start": position(start), "end": position(end) }, "text": new });
    let name = json!({ "uri": uri(&tree.path(FILES[*file])), "version": document.version });
    client.notify("textDocument/didChange", json!({ "textDocument": name, "contentChanges": [change] }));
}

/// The words of a text: where each begins and ends.
fn words(text: &str) -> Vec<(usize, usize)> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        match (start, is_word(character)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                words.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    // Some text is always left.
    if words.is_empty() {
        words.push((0, 0));
    }
    words
}
