//! Reading a tree in parts: shards, edges of ninja, and joining what they wrote. It must be what one process writes, to the byte.
//!
//! What needs ninja is not tested where there is none; `sh .ci/setup --tests` installs it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

const MARKS: &str = "\
#ifndef CO_H
#define CO_H
#define coroutine_fn
void coroutine_fn drain(void);
#endif
";

/// Reads `co.h` alone.
const PLAIN: &str = "#include \"co.h\"\nvoid plain(void);\nvoid plain(void) { drain(); }\n";

/// Reads `other.h` too.
const OTHER: &str = "#include \"co.h\"\n#include \"other.h\"\nvoid coroutine_fn work(void) { drain(); other(); }\n";

const OTHER_H: &str = "void other(void);\nvoid coroutine_fn work(void);\n";

// --- shards -----------------------------------------------------------------------------------------------------

#[test]
fn shards_make_what_one_process_makes() {
    let mixed = Tree::new();
    for (name, text) in [("a/plain.c", PLAIN), ("b/other.c", OTHER), ("broken.c", "int f(void) { return }\n")] {
        mixed.write(name, text);
    }
    let mut bad = entry("refused.c");
    bad["arguments"] = json!(["cc", "-fplugin=x.so", "-c", "refused.c"]);
    let mut foreign = entry("foreign.c");
    foreign["arguments"] = json!(["cc", "-Iinclude", "-march=of-another-compiler", "-c", "foreign.c"]);
    mixed.write("foreign.c", PLAIN);
    mixed.database(&[
        entry("broken.c"),
        entry("a/plain.c"),
        bad,
        entry("gone.c"),
        foreign,
        entry("b/other.c"),
        entry("x.cc"),
    ]);
    for tree in [Tree::copy("miniblock"), Tree::copy("miniblock-legacy"), mixed] {
        let incomplete = tree.index("one.index");
        for count in [1, 3, 7] {
            let mut parts: Vec<String> = (1..=count).map(|number| tree.shard(number, count)).collect();
            for turn in 0..3 {
                parts.reverse();
                parts.rotate_left(turn.min(count as usize - 1));
                let name = format!("{count}-{turn}.index");
                tree.link(&parts, &["-o", &name]).is(if incomplete { 2 } else { 0 });
                tree.same("one.index", &name);
            }
            tree.run(&["link", &format!("shards-{count}"), "-o", "of-directory.index", "--allow-incomplete"]).is(0);
            tree.same("one.index", "of-directory.index");
        }
    }
}

#[test]
fn shards_share_headers_or_not() {
    let tree = Tree::copy("miniblock");
    tree.index("one.index");
    let shard = |number, more: &str| {
        let name = format!("{number}.facts");
        tree.run(&["index", "--shard", &format!("{number}/2"), "-o", &name, more]).is(0);
        name
    };
    tree.link(&[shard(1, "--no-sharing"), shard(2, "--verify-sharing")], &["-o", "two.index"]).is(0);
    tree.same("one.index", "two.index");
}

#[test]
fn a_missing_shard_is_told_by_its_number() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER), ("third.c", PLAIN)]);
    let parts: Vec<String> = (1..=3).map(|number| tree.shard(number, 3)).collect();
    tree.write("out.index", "as it was");
    tree.link(&parts[..1], &["-o", "out.index"]).is(2).says("2 of 3 units").says("shard 2/3, shard 3/3");
    assert_eq!(tree.read("out.index"), b"as it was");
    let out = tree.link(&parts[..2], &["-o", "part.index", "--allow-incomplete"]).is(0);
    assert_eq!(out.stderr, "");
    let out = tree.run(&["check", "--index", "part.index"]).is(2);
    out.says("its facts are missing");
}

#[test]
fn a_shard_that_is_given_twice_is_told() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    let parts = [tree.shard(1, 2), tree.shard(2, 2), tree.shard(2, 2)];
    std::fs::copy(tree.path(&parts[1]), tree.path("copy.facts")).unwrap();
    let twice = [parts[0].clone(), parts[1].clone(), "copy.facts".to_owned()];
    tree.link(&twice, &["-o", "out"]).is(2).says(&parts[1]).says("copy.facts").says("both are shard 2/2");
    let all = [parts[0].clone(), parts[1].clone(), tree.shard(1, 1)];
    tree.link(&all, &["-o", "out"]).is(2).says("both contain ./");
}

#[test]
fn more_shards_than_units_are_no_error() {
    let tree = Tree::with(&[("plain.c", PLAIN)]);
    tree.index("one.index");
    let parts: Vec<String> = (1..=4).map(|number| tree.shard(number, 4)).collect();
    tree.link(&parts, &["-o", "four.index"]).is(0);
    tree.same("one.index", "four.index");
}

#[test]
fn facts_that_do_not_belong_together_are_told() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    let first = tree.shard(1, 2);
    // What was chosen is not the same.
    tree.run(&["index", "--shard", "2/2", "--only", "plain.c", "-o", "chosen.facts"]).is(0);
    let chosen = "chosen.facts".to_owned();
    tree.link(&[first.clone(), chosen], &["-o", "out"]).is(2).says("cannot be linked").says("database");
    // The database is not the same.
    let mut changed = entry("plain.c");
    changed["arguments"] = json!(["cc", "-Iinclude", "-DX", "-c", "plain.c"]);
    tree.database(&[changed, entry("other.c")]);
    tree.run(&["index", "--shard", "2/2", "-o", "changed.facts"]).is(0);
    tree.link(&[first.clone(), "changed.facts".to_owned()], &["-o", "out"]).is(2).says("database");
    // The tree is elsewhere.
    let elsewhere = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    let second = elsewhere.path(&elsewhere.shard(2, 2)).display().to_string();
    let out = tree.link(&[first, second], &["-o", "out"]).is(2);
    out.says(&elsewhere.root.display().to_string()).says("--root");
    assert!(!tree.path("out").exists());
}

#[test]
fn shards_of_two_checkouts_are_joined_at_a_third_place() {
    let [one, two, three] = [(), (), ()].map(|()| Tree::copy("miniblock"));
    // Paths in arguments tell where the tree is, in most databases.
    for tree in [&one, &two, &three] {
        let text = String::from_utf8(tree.read("compile_commands.json")).unwrap();
        tree.write("compile_commands.json", &text.replace("-Iinclude", &format!("-I{}/include", tree.root.display())));
    }
    let parts = [one.path(&one.shard(1, 2)), two.path(&two.shard(2, 2))].map(|path| path.display().to_string());
    three.index("one.index");
    three.link(&parts, &["-o", "joined.index", "--root", "."]).is(0);
    three.same("one.index", "joined.index");
}

#[test]
fn facts_that_cannot_be_used_are_told_with_the_reason() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    let shard = tree.shard(1, 1);
    let good = tree.read(&shard);
    let refuses = |bytes: &[u8], why: &str| {
        std::fs::write(tree.path("bad.facts"), bytes).unwrap();
        tree.run(&["link", "bad.facts", "-o", "out"]).is(2).says("bad.facts").says(why).says("cowrap index");
    };
    refuses(b"", "is not a facts file");
    tree.index("one.index");
    refuses(&tree.read("one.index"), "is not a facts file");
    refuses(b"cowrap facts 1 0.0.1\n", "another version");
    let header = good.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in [good.len() - 1, good.len() / 2, header] {
        refuses(&good[..cut], "is damaged");
    }
    for at in (header..good.len()).step_by(good.len() / 9) {
        let mut changed = good.clone();
        changed[at] ^= 0x20;
        refuses(&changed, "is damaged");
    }
    let pack = "name = \"mine\"\nextends = \"qemu\"\n[[mark]]\nname = \"IN_FIBER\"\neffect = \"either\"\n";
    tree.write("mine.toml", pack);
    tree.run(&["link", &shard, "-o", "out", "--pack", "mine.toml"]).is(2).says("another pack than `mine`");
    tree.run(&["link", "none.facts", "-o", "out"]).is(2).says("none.facts");
    tree.write("empty/readme", "");
    tree.run(&["link", "empty", "-o", "out"]).is(2).says("empty").says("no facts file");
    assert!(!tree.path("out").exists());
    tree.run(&["link", &shard, "-o", "no/such/out"]).is(2).says("no/such/out");
}

#[test]
fn facts_are_of_use_to_the_packs_that_they_were_read_with() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    tree.write("include/more.h", "#define other_fn\n");
    let pack = |name: &str, mark: &str, rest: &str| {
        tree.write(
            &format!("{name}.toml"),
            &format!("name = \"{name}\"\nheaders = [\"include/*.h\"]\n{rest}[[mark]]\nname = \"{mark}\"\neffect = \"mixed\"\n"),
        );
    };
    pack("one", "coroutine_fn", "noreturn = [\"drain\"]\n");
    pack("two", "other_fn", "predicates = [\"plain\"]\n");
    pack("three", "other_fn", "predicates = [\"plain\"]\n[[slot]]\nslot = \"other(1)\"\neffect = \"mixed\"\n");
    let both = "one.toml,two.toml";
    let shards = ["1", "2"].map(|number| format!("{number}.facts"));
    for (number, facts) in ["1/2", "2/2"].iter().zip(&shards) {
        tree.run(&["index", "--pack", both, "--shard", number, "-o", facts]).is(0);
    }
    tree.run(&["index", "--pack", both, "-o", "whole"]).is(0);
    let link = |packs: &str| tree.run(&["link", &shards[0], &shards[1], "-o", "linked", "--pack", packs]);
    link(both).is(0);
    tree.same("linked", "whole");
    tree.run(&["check", "--index", "whole", "--pack", both]).is(0);
    // Facts can be used with each of their packs, in any order.
    for packs in ["one.toml", "two.toml", "two.toml,one.toml"] {
        link(packs).is(0);
        tree.same("linked", "whole");
        tree.run(&["check", "--index", "whole", "--pack", packs]).is(0);
    }
    for packs in ["three.toml", "one.toml,three.toml", "one.toml,two.toml,three.toml"] {
        link(packs).is(2).says("was written with the packs `one`, `two`, not with `three`");
        tree.run(&["check", "--index", "whole", "--pack", packs]).is(2).says("not with `three`");
    }
    tree.run(&["index", "--pack", "one.toml", "-o", "narrow"]).is(0);
    tree.run(&["check", "--index", "narrow", "--pack", both]).is(2).says("another pack than `two`");
    tree.run(&["index", "--pack", "two.toml,one.toml", "--shard", "2/2", "-o", &shards[1]]).is(0);
    link(both).is(2).says("they were written with different packs");
}

#[test]
fn facts_of_two_libclangs_are_not_joined() {
    let found: Vec<&str> =
        ["/usr/lib/llvm-19/lib", "/usr/lib/llvm-22/lib"].into_iter().filter(|path| Path::new(path).is_dir()).collect();
    let &[old, new] = found.as_slice() else {
        println!("this needs libclang 19 and 22, and was not tested");
        return;
    };
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    for (number, libclang) in [("1/2", old), ("2/2", new)] {
        let name = format!("{}.facts", &number[..1]);
        let mut command = tree.command(&["index", "--shard", number, "-o", &name]);
        outcome(command.env("LIBCLANG_PATH", libclang)).is(0);
    }
    tree.run(&["link", "1.facts", "2.facts", "-o", "out"]).is(2).says("libclang").says("1.facts").says("2.facts");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let tree = Tree::with(&[("plain.c", PLAIN)]);
    for shard in ["0/2", "3/2", "1/0", "2", "a/b", "-1/2"] {
        tree.run(&["index", &format!("--shard={shard}"), "-o", "x"]).is(2).says("K/N");
    }
    tree.run(&["index", "--unit", "12", "-o", "x"]).is(2).says("32 hexadecimal digits");
    tree.run(&["index", "--unit", &"0".repeat(32), "-o", "x"]).is(2).says("no unit").says("--emit-ninja");
    tree.run(&["index", "--shard", "1/2", "--index", "y", "-o", "x"]).is(2).says("--index");
    tree.run(&["index", "--shard", "1/2"]).is(2).says("--output");
    tree.run(&["index", "--depfile", "d", "-o", "x"]).is(2).says("--unit");
    tree.run(&["index", "--facts-dir", "d", "-o", "x"]).is(2).says("--emit-ninja");
    tree.run(&["link", "-o", "x"]).is(2).says("FACTS");
    assert!(!tree.path("x").exists());
}

// --- ninja ------------------------------------------------------------------------------------------------------

#[test]
fn ninja_makes_what_one_process_makes() {
    for name in ["miniblock", "miniblock-legacy"] {
        let tree = Tree::copy(name);
        tree.index("one.index");
        tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index"]);
        let Some(ran) = tree.ninja() else { return };
        assert!(ran.contains("link"), "{ran:?}");
        tree.same("one.index", "n.index");
        assert_eq!(tree.ninja().unwrap(), BTreeSet::new());
        let emitted = tree.read("x.ninja");
        tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index"]);
        assert_eq!(tree.read("x.ninja"), emitted);
        assert_eq!(tree.ninja().unwrap(), BTreeSet::new());
    }
}

#[test]
fn ninja_reads_again_what_changed_and_no_more() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER), ("third.c", PLAIN)]);
    tree.emit(&["--emit-ninja", "x.ninja", "--facts-dir", "facts", "-o", "n.index"]);
    let Some(ran) = tree.ninja() else { return };
    assert_eq!(ran, set(&["plain.c", "other.c", "third.c", "link"]));
    // What one unit alone reads.
    tree.write("include/other.h", &format!("\n{OTHER_H}"));
    assert_eq!(tree.ninja().unwrap(), set(&["other.c", "link"]));
    // Its facts are as they were.
    tree.write("include/other.h", &format!("\n{OTHER_H}"));
    assert_eq!(tree.ninja().unwrap(), set(&["other.c"]));
    assert_eq!(tree.ninja().unwrap(), set(&[]));
    // What all read, and what tells where marks are defined.
    tree.write("include/co.h", &format!("\n{MARKS}"));
    assert_eq!(tree.ninja().unwrap(), set(&["units", "plain.c", "other.c", "third.c", "link"]));
    tree.is_as_one_process("n.index");
    // The database.
    let mut changed = entry("third.c");
    changed["arguments"] = json!(["cc", "-Iinclude", "-DX", "-c", "third.c"]);
    tree.database(&[entry("other.c"), entry("plain.c"), changed.clone()]);
    assert_eq!(tree.ninja().unwrap(), set(&["units", "third.c", "link"]));
    tree.is_as_one_process("n.index");
    let count = || std::fs::read_dir(tree.path("facts")).unwrap().count();
    let before = count();
    tree.write("facts/mine", "");
    tree.write("new.c", PLAIN);
    tree.database(&[changed, entry("new.c"), entry("other.c")]);
    assert_eq!(tree.ninja().unwrap(), set(&["units", "new.c", "link"]));
    tree.is_as_one_process("n.index");
    assert_eq!(count(), before + 1, "facts of units that are gone are removed, and nothing else");
    // A database that only looks new.
    tree.write("compile_commands.json", &String::from_utf8(tree.read("compile_commands.json")).unwrap());
    assert_eq!(tree.ninja().unwrap(), set(&["units"]));
    assert_eq!(tree.ninja().unwrap(), set(&[]));
}

#[test]
fn ninja_goes_on_behind_units_that_cannot_be_read_and_tries_them_again() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("needs.c", "#include \"made.h\"\nint f(void);\n")]);
    tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index", "--allow-incomplete"]);
    let Some(ran) = tree.ninja() else { return };
    assert_eq!(ran, set(&["plain.c", "needs.c", "link"]));
    tree.is_as_one_process("n.index");
    assert_eq!(tree.ninja().unwrap(), set(&["needs.c"]));
    tree.write("include/made.h", "");
    assert_eq!(tree.ninja().unwrap(), set(&["needs.c", "link"]));
    assert_eq!(tree.ninja().unwrap(), set(&[]));
    tree.is_as_one_process("n.index");
    // Without the option, such an index is an error, and written all the same.
    tree.remove("include/made.h");
    tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index"]);
    let out = outcome(&mut tree.ninja_command()).is(1);
    out.says("1 translation unit could not be read");
    tree.is_as_one_process("n.index");
}

#[test]
fn names_do_no_harm() {
    let names = [
        "a b.c",
        "it's.c",
        "\"quoted\".c",
        "$(touch pwned).c",
        "`touch pwned`.c",
        "; touch pwned #.c",
        "$in $out ${command} $.c",
        "back\\slash.c",
        "a:b|c.c",
        "line\n  command = touch pwned\n#.c",
        "build pwned: x\r\n.c",
        "ü\u{202e}.c",
    ];
    let tree = Tree::below("$(touch pwned) a tree: #1");
    for name in names {
        tree.write(name, PLAIN);
    }
    let mut entries: Vec<Value> = names.iter().map(|name| entry(name)).collect();
    entries[0]["arguments"] = json!(["cc", "-Iinclude", "-DX='$(touch pwned)\n'", "-c", names[0]]);
    tree.database(&entries);
    tree.emit(&["--emit-ninja", "x.ninja", "--facts-dir", "the $facts: here #2", "-o", "an $index.x"]);
    let Some(ran) = tree.ninja() else { return };
    assert_eq!(ran.len(), names.len() + 1, "{ran:?}");
    tree.is_as_one_process("an $index.x");
    // A name that a depfile cannot hold costs time and nothing else.
    let again = tree.ninja().unwrap();
    let unnameable = names.iter().filter(|name| name.contains(['\\', '|', '\n', '`', ';', '\'', '"'])).count();
    assert_eq!(again.len(), unnameable, "{again:?}");
    let emitted = tree.read("x.ninja");
    assert!(!emitted.windows(12).any(|text| text == b"-DX='$(touch"), "no word of the database is in a command");
    for directory in [tree.root.clone(), tree.root.parent().unwrap().to_owned(), tree.path("the $facts: here #2")] {
        assert!(!directory.join("pwned").exists());
    }
}

#[test]
fn a_tree_that_no_depfile_can_name_is_read_every_time() {
    let tree = Tree::below("it's `touch pwned` ;touch pwned; \"x\"");
    tree.write("plain.c", PLAIN);
    tree.database(&[entry("plain.c")]);
    let elsewhere = tempfile::tempdir().unwrap();
    let facts = elsewhere.path().to_str().unwrap();
    tree.run(&["index", "--emit-ninja", "x.ninja", "-o", "n.index"]).is(2).says("a depfile cannot contain the path");
    tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index", "--facts-dir", facts]);
    if tree.ninja().is_none() {
        return;
    }
    tree.is_as_one_process("n.index");
    assert_eq!(tree.ninja().unwrap(), set(&["units", "plain.c"]));
    assert!(!tree.path("pwned").exists());
}

#[test]
fn names_that_are_not_utf_8_are_bytes() {
    let tree = Tree::new();
    let name = OsStr::from_bytes(b"caf\xe9.c");
    std::fs::write(tree.root.join(name), PLAIN).unwrap();
    let text = b"[{\"directory\": \".\", \"file\": \"caf\xe9.c\", \"arguments\": [\"cc\", \"-Iinclude\", \"-c\", \"caf\xe9.c\"]}]";
    std::fs::write(tree.path("compile_commands.json"), text).unwrap();
    tree.index("one.index");
    let shard = tree.shard(1, 1);
    tree.link(&[shard], &["-o", "shard.index"]).is(0);
    tree.same("one.index", "shard.index");
    tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index"]);
    if tree.ninja().is_some() {
        tree.same("one.index", "n.index");
        assert_eq!(tree.ninja().unwrap(), BTreeSet::new());
    }
}

#[test]
fn what_ninja_cannot_name_is_refused() {
    let tree = Tree::with(&[("plain.c", PLAIN)]);
    for (file, facts, index) in
        [("x\ny.ninja", "f", "i"), ("x.ninja", "f\ng", "i"), ("x.ninja", "f|g", "i"), ("x.ninja", "f", "i\nj")]
    {
        let out = tree.run(&["index", "--emit-ninja", file, "--facts-dir", facts, "-o", index]).is(2);
        out.says("cannot contain the path");
        assert!(!tree.path(file).exists());
    }
    tree.run(&["index", "--emit-ninja", "no/such/x.ninja", "-o", "i"]).is(2).says("no/such");
}

#[test]
fn the_list_of_units_is_needed() {
    let tree = Tree::with(&[("plain.c", PLAIN), ("other.c", OTHER)]);
    tree.emit(&["--emit-ninja", "x.ninja", "-o", "n.index"]);
    if tree.ninja().is_none() {
        return;
    }
    tree.run(&["link", "x.ninja.facts", "-o", "out"]).is(0);
    let facts = std::fs::read_dir(tree.path("x.ninja.facts")).unwrap().map(|entry| entry.unwrap().path());
    let mut facts: Vec<PathBuf> = facts.filter(|path| path.extension().is_some_and(|end| end == "facts")).collect();
    facts.sort();
    let list = facts.iter().position(|path| path.ends_with("units.facts")).unwrap();
    std::fs::remove_file(facts.remove(list)).unwrap();
    tree.run(&["link", "x.ninja.facts", "-o", "out"]).is(2).says("units.facts");
    // A unit's facts go with a shard's list as well, if it is of the same database.
    tree.run(&["index", "--shard", "1/9", "-o", "list.facts"]).is(0);
    tree.database(&[entry("other.c")]);
    tree.run(&["index", "--shard", "1/9", "-o", "less.facts"]).is(0);
    tree.run(&["link", "x.ninja.facts", "list.facts", "-o", "all.index"]).is(0);
    tree.same("n.index", "all.index");
    tree.run(&["link", "x.ninja.facts", "less.facts", "-o", "out"])
        .is(2)
        .says("less.facts cannot be linked: the first has units that the list of the second does not have");
    // Without one, it is told which.
    std::fs::remove_file(&facts[0]).unwrap();
    tree.run(&["link", "x.ninja.facts", "list.facts", "-o", "out"]).is(2).says("1 of 2 units");
}

// --- helpers ----------------------------------------------------------------------------------------------------

/// A tree that is gone at the end of the test.
struct Tree {
    scratch: TempDir,
    root: PathBuf,
}

impl Tree {
    fn new() -> Tree {
        Tree::below("tree")
    }

    fn below(name: &str) -> Tree {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join(name);
        let tree = Tree { scratch, root };
        tree.write("include/co.h", MARKS);
        tree.write("include/other.h", OTHER_H);
        tree
    }

    fn with(files: &[(&str, &str)]) -> Tree {
        let tree = Tree::new();
        for (name, text) in files {
            tree.write(name, text);
        }
        tree.database(&files.iter().map(|(name, _)| entry(name)).collect::<Vec<_>>());
        tree
    }

    /// A copy of one of `testdata`.
    fn copy(name: &str) -> Tree {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("tree");
        copy_directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name), &root);
        Tree { scratch, root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    fn database(&self, entries: &[Value]) {
        self.write("compile_commands.json", &serde_json::to_string_pretty(entries).unwrap());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.args(arguments).current_dir(&self.root).env("COWRAP_CACHE", self.scratch.path().join("cache"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(&mut self.command(arguments))
    }

    /// Reads the tree in one process; whether units could not be read.
    fn index(&self, output: &str) -> bool {
        let out = self.run(&["index", "-o", output]);
        assert!(self.path(output).exists(), "{out:?}");
        out.status != Some(0)
    }

    /// Reads a shard; the name of its facts.
    fn shard(&self, number: u32, count: u32) -> String {
        let name = format!("shards-{count}/{number}.facts");
        std::fs::create_dir_all(self.path(&name).parent().unwrap()).unwrap();
        self.run(&["index", "--shard", &format!("{number}/{count}"), "-o", &name]).is(0);
        name
    }

    fn link(&self, facts: &[String], more: &[&str]) -> Outcome {
        let facts = facts.iter().map(String::as_str);
        self.run(&["link"].into_iter().chain(facts).chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn emit(&self, arguments: &[&str]) {
        self.run(&["index"].iter().chain(arguments).copied().collect::<Vec<_>>()).is(0);
    }

    fn ninja_command(&self) -> Command {
        let mut command = Command::new("ninja");
        command.args(["-f", "x.ninja"]).current_dir(&self.root).env("NINJA_STATUS", "@");
        // What the file says counts, and nothing else.
        command.env_remove("LIBCLANG_PATH");
        command
    }

    /// Runs ninja; the names of the files that it read, `link`, and `units` when it listed them. `None` where there is no ninja.
    fn ninja(&self) -> Option<BTreeSet<String>> {
        if Command::new("ninja").arg("--version").output().is_err() {
            println!("there is no ninja, and so this was not tested");
            return None;
        }
        let out = outcome(&mut self.ninja_command()).is(0);
        let ran = out.stdout.lines().filter_map(|line| {
            let line = line.strip_prefix('@')?;
            match line.strip_prefix("read ") {
                Some(file) => Some(file.to_owned()),
                None if line == "list the translation units" => Some("units".to_owned()),
                None => line.starts_with("link ").then(|| "link".to_owned()),
            }
        });
        Some(ran.collect())
    }

    fn same(&self, one: &str, other: &str) {
        assert!(self.read(one) == self.read(other), "{one} and {other} differ");
    }

    fn is_as_one_process(&self, index: &str) {
        // With what ninja's commands use, libclang is told in the same words.
        self.index("one.index");
        self.same("one.index", index);
    }
}

#[derive(Debug)]
struct Outcome {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn is(self, status: i32) -> Outcome {
        assert_eq!(self.status, Some(status), "{}\n{}", self.stdout, self.stderr);
        self
    }

    fn says(&self, text: &str) -> &Outcome {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "`{text}` is not in\n{}\n{}", self.stdout, self.stderr);
        self
    }
}

fn outcome(command: &mut Command) -> Outcome {
    let out = command.output().expect("started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert!(!stderr.contains("panicked"), "{stderr}");
    Outcome { status: out.status.code(), stdout, stderr }
}

fn entry(file: &str) -> Value {
    json!({"directory": ".", "file": file, "arguments": ["cc", "-Iinclude", "-c", file]})
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_directory(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
