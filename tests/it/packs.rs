//! Several packs over one reading of a tree, starters for packs, and packs compared with trees.

use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures::testdata;

/// The tree `testdata/pond`, which has two packs of its own.
struct Pond {
    root: TempDir,
}

/// What a run printed, and its status.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Pond {
    fn new() -> Pond {
        let pond = Pond { root: TempDir::new().expect("a directory") };
        for entry in std::fs::read_dir(testdata().join("pond")).expect("the tree is there").flatten() {
            std::fs::copy(entry.path(), pond.path(&entry.file_name().to_string_lossy())).expect("copied");
        }
        let database = r#"[{"directory": ".", "file": "pond.c", "arguments": ["cc", "-c", "pond.c"]}]"#;
        pond.write("compile_commands.json", database);
        pond
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text")
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::cargo_bin("cowrap").expect("it is built");
        let output = command.current_dir(self.root.path()).env("COWRAP_CACHE_DIR", self.path(".cache")).args(arguments);
        let output = output.output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            status: output.status.code().expect("no signal"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The findings of a check without a cache, a line each.
    fn findings(&self, arguments: &[&str]) -> Vec<String> {
        let ran = self.run(&[&["check", "--no-cache", "--format", "short"], arguments].concat());
        assert!(ran.status < 2, "{}{}", ran.stdout, ran.stderr);
        ran.stdout.lines().filter(|line| line.starts_with("pond.c:")).map(str::to_owned).collect()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["check", "--no-cache", "--format", "json"], arguments].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
    }
}

impl Ran {
    fn is(self, status: i32) -> Ran {
        assert_eq!(self.status, status, "{}{}", self.stdout, self.stderr);
        self
    }

    fn says(self, text: &str) -> Ran {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "{}{}", self.stdout, self.stderr);
        self
    }
}

const BOTH: &str = "fiber.toml,irq.toml";

// --- several packs --------------------------------------------------------------------------------------------

#[test]
fn each_pack_finds_what_it_finds_alone() {
    let pond = Pond::new();
    let (fiber, irq) = (pond.findings(&["--pack", "fiber.toml"]), pond.findings(&["--pack", "irq.toml"]));
    assert_eq!((fiber.len(), irq.len()), (1, 1), "{fiber:?} {irq:?}");
    assert!(fiber[0].ends_with("[fiber-call]") && irq[0].ends_with("[outside-call]"), "{fiber:?} {irq:?}");
    let both = pond.findings(&["--pack", BOTH]);
    let expected = [fiber[0].replace("[fiber-call]", "[fiber/fiber-call]"), irq[0].replace('[', "[irq/")];
    assert_eq!(both, expected);
    assert_eq!(pond.findings(&["--pack", "irq.toml", "--pack", "fiber.toml"]), expected, "the order does not matter");
    assert_eq!(pond.findings(&["--pack", "fiber.toml,./fiber.toml"]), fiber, "the same pack twice is once");
}

#[test]
fn what_one_pack_calls_generated_changes_no_fix_of_another() {
    let pond = Pond::new();
    let added = "static void doze(void)\n{\n    fiber_pause();\n}\n\nvoid FIBER_FN doze_on(void);\n\
                 void FIBER_FN doze_on(void)\n{\n    doze();\n}\n";
    pond.write("pond.c", pond.read("pond.c") + added);
    let fixes = |packs: &str| {
        let found = pond.json(&["--pack", packs]);
        let findings = found["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["function"] == "doze").unwrap()["fixes"].clone()
    };
    let alone = fixes("fiber.toml");
    assert!(!alone.as_array().unwrap().is_empty(), "{alone}");
    let generated = |pack: &str| pond.write(pack, format!("generated = [\"pond.c\"]\n{}", pond.read(pack)));
    generated("irq.toml");
    assert_eq!(fixes(BOTH), alone);
    generated("fiber.toml");
    assert_ne!(fixes("fiber.toml"), alone);
}

#[test]
fn findings_and_the_summary_name_their_packs() {
    let pond = Pond::new();
    let (both, alone) = (pond.json(&["--pack", BOTH]), pond.json(&["--pack", "irq.toml"]));
    let finding = &both["findings"][1];
    assert_eq!((&finding["rule"], &finding["pack"]), (&"outside-call".into(), &"irq".into()));
    assert_eq!(*finding, alone["findings"][0], "its fingerprint, too");
    let names: Vec<&str> =
        both["summary"]["packs"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fiber", "irq"]);
    let sarif = pond.run(&["check", "--no-cache", "--pack", BOTH, "--format", "sarif"]).is(1);
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    let result = &sarif["runs"][0]["results"][1];
    assert_eq!((&result["ruleId"], &result["properties"]["pack"]), (&"irq/outside-call".into(), &"irq".into()));
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], "irq/outside-call");
    pond.run(&["check", "--no-cache", "--pack", BOTH, "--format", "short"]).is(1).says("\ncowrap: irq: ");
}

#[test]
fn an_index_can_be_checked_with_any_of_its_packs() {
    let pond = Pond::new();
    pond.run(&["index", "--pack", BOTH, "-o", "saved"]).is(0);
    for packs in ["fiber.toml", "irq.toml", BOTH, "irq.toml,fiber.toml"] {
        let (direct, saved) = (pond.json(&["--pack", packs]), pond.json(&["--pack", packs, "--index", "saved"]));
        assert_eq!(direct["findings"], saved["findings"], "{packs}");
        assert_eq!(direct["summary"]["packs"], saved["summary"]["packs"], "{packs}");
    }
    pond.write("third.toml", "name = \"third\"\npredicates = [\"main\"]\n");
    pond.run(&["check", "--index", "saved", "--pack", "third.toml"]).is(2).says("not with `third`");
    pond.run(&["why", "feed", "--index", "saved", "--pack", BOTH]).is(0);
}

#[test]
fn the_run_cache_knows_the_packs() {
    let pond = Pond::new();
    let check =
        |packs: &str| pond.run(&["check", "--cache-dir", ".cache", "--format", "short", "--pack", packs]).stdout;
    let (both, one) = (check(BOTH), check("fiber.toml"));
    assert_ne!(both, one);
    assert_eq!((check(BOTH), check("fiber.toml")), (both.clone(), one));
    pond.write("irq.toml", pond.read("irq.toml").replace("log_line", "log_lines"));
    assert_ne!(check(BOTH), both, "a pack that changed is read again");
}

#[test]
fn levels_and_comments_can_be_about_one_pack() {
    let pond = Pond::new();
    pond.write("cowrap.toml", "packs = [\"fiber.toml\", \"irq.toml\"]\n[levels]\n\"irq/outside-call\" = \"note\"\n");
    let found = pond.findings(&[]);
    assert!(found.len() == 2 && found[1].contains(": note: "), "{found:?}");
    assert_eq!(pond.findings(&["--pack", "fiber.toml"]).len(), 1, "a narrower run knows the names of the tree's packs");
    for (level, message) in [
        ("\"irq/fiber-call\" = \"off\"", "no rule of the pack irq is named `fiber-call`"),
        ("\"irk/outside-call\" = \"off\"", "no pack is named `irk`; the packs are fiber, irq"),
        ("fibre-call = \"off\"", "did you mean `fiber-call`?"),
    ] {
        pond.write("cowrap.toml", format!("packs = [\"fiber.toml\", \"irq.toml\"]\n[levels]\n{level}\n"));
        pond.run(&["check"]).is(2).says("cowrap.toml:3: ").says(message);
    }
    std::fs::remove_file(pond.path("cowrap.toml")).unwrap();
    let source = pond.read("pond.c");
    let suppress = |rule: &str| {
        let comment = format!("    log_line(number); /* cowrap: allow({rule}) it is only a demo */");
        pond.write("pond.c", source.replace("    log_line(number);", &comment));
        pond.findings(&["--pack", BOTH])
    };
    for rule in ["outside-call", "irq/outside-call"] {
        let found = suppress(rule);
        assert!(found.len() == 1 && found[0].contains("[fiber/"), "{rule}: {found:?}");
    }
    let of_another = suppress("fiber/outside-call");
    assert!(of_another.len() == 3 && of_another[2].contains("[unused-suppression]"), "{of_another:?}");
    let unknown = suppress("irq/no-such-rule");
    assert!(unknown.iter().any(|line| line.contains("[malformed-suppression]")), "{unknown:?}");
    let built_in = suppress("signal/signal-unsafe-call");
    assert_eq!(built_in.len(), 2, "a rule of a pack that is not in use is neither unknown nor unused: {built_in:?}");
}

#[test]
fn a_baseline_is_about_its_packs() {
    let pond = Pond::new();
    pond.run(&["baseline", "--pack", BOTH]).is(0).says("2 findings");
    assert_eq!(pond.findings(&["--pack", BOTH]), Vec::<String>::new());
    // The entry of the other pack is not stale.
    let narrow = pond.run(&["check", "--no-cache", "--pack", "irq.toml", "--ratchet", "--format", "short"]).is(0);
    assert!(!narrow.stdout.contains("stale-baseline"), "{}", narrow.stdout);
}

#[test]
fn what_settings_add_is_for_one_pack() {
    let pond = Pond::new();
    let cut = "[[model]]\nfunctions = [\"log_line\"]\neffect = \"mixed\"\nreason = \"it does not lock here\"\n";
    pond.write("cowrap.toml", format!("packs = [\"fiber.toml\", \"irq.toml\"]\n{cut}"));
    assert_eq!(pond.findings(&[]).len(), 2, "without a pack it is for the first");
    assert_eq!(pond.findings(&["--pack", "irq.toml"]).len(), 1, "also if the run uses another");
    pond.write("cowrap.toml", format!("packs = [\"fiber.toml\", \"irq.toml\"]\n{cut}pack = \"irq\"\n"));
    assert_eq!(pond.findings(&[]).len(), 1);
    let slot = "[[slot]]\npack = \"irq\"\nslot = \"irq_install(2)\"\neffect = \"entry\"\n";
    pond.write("irq.toml", pond.read("irq.toml").replace("slot = \"irq_install(2)\"", "slot = \"other(1)\""));
    pond.write("cowrap.toml", format!("packs = [\"fiber.toml\", \"irq.toml\"]\n{slot}"));
    assert_eq!(pond.findings(&[]).len(), 2);
}

#[test]
fn packs_that_cannot_find_anything_are_told() {
    let pond = Pond::new();
    pond.write("other.toml", "name = \"other\"\nheaders = [\"*.h\"]\n[[mark]]\nname = \"OTHER\"\neffect = \"mixed\"\n");
    pond.run(&["check", "--pack", "other.toml"]).is(2).says("no mark of the pack `other` is defined");
    let ran = pond.run(&["check", "--pack", "fiber.toml,other.toml", "--format", "short"]).is(1);
    ran.says("warning: other: the tree defines no mark of this pack: OTHER");
    pond.write("none.toml", "name = \"none\"\n");
    pond.run(&["check", "--pack", "none.toml"]).is(0).says("the pack `none` requires nothing of any function");
}

#[test]
fn a_pack_that_extends_another_repeats_nothing() {
    let pond = Pond::new();
    pond.write("more.toml", "name = \"more\"\nextends = \"fiber.toml\"\n");
    let found = pond.findings(&["--pack", "fiber.toml,more.toml"]);
    assert!(found.len() == 1 && found[0].contains("[fiber/"), "{found:?}");
    let found = pond.findings(&["--pack", "more.toml,fiber.toml"]);
    assert!(found.len() == 1 && found[0].contains("[more/"), "{found:?}");
}

#[test]
fn a_lock_of_one_pack_says_nothing_to_another() {
    let pond = Pond::new();
    let mark = "headers = [\"waits.c\"]\n[[mark]]\nname = \"N_\"\neffect = \"inside-only\"\n";
    let lock = "[[lock]]\nname = \"L\"\nacquire = [\"lock\"]\nrelease = [\"unlock\"]\n";
    pond.write("waits.toml", format!("name = \"waits\"\n{mark}"));
    pond.write("locks.toml", format!("name = \"locks\"\n{lock}"));
    pond.write("both.toml", format!("name = \"both\"\n{mark}{lock}"));
    let code = "#define N_\nvoid lock(void *), unlock(void *);\nN_ void n(void);\n\
                N_ void f(void);\nN_ void f(void) { lock(0); n(); unlock(0); }\n";
    pond.write("waits.c", code);
    let run = |packs| pond.run(&["check", "--no-config", "--no-cache", "--pack", packs, "waits.c", "--", "-I."]);
    run("both.toml").is(0).says("[lock-across-primitive]");
    let ran = run("waits.toml,locks.toml").is(0);
    assert!(!ran.stdout.contains("lock-across-primitive"), "{}", ran.stdout);
}

#[test]
fn packs_that_cannot_be_used_are_told() {
    let pond = Pond::new();
    pond.write("twin.toml", "name = \"fiber\"\n");
    pond.run(&["check", "--pack", "fiber.toml,twin.toml"]).is(2).says("two packs are named `fiber`");
    pond.write("cycle.toml", "name = \"cycle\"\nextends = \"cycle.toml\"\n");
    pond.write("bytes.toml", b"name = \"\xff\"\n");
    pond.write("slash.toml", "name = \"a/b\"\n");
    std::fs::create_dir(pond.path("directory.toml")).unwrap();
    for (pack, message) in [
        ("none.toml", "none.toml"),
        ("directory.toml", "directory.toml"),
        ("cycle.toml", "circular `extends`"),
        ("bytes.toml", "bytes.toml"),
        ("slash.toml", "neither `/` nor `,`"),
    ] {
        pond.run(&["check", "--pack", &format!("fiber.toml,{pack}")]).is(2).says(message);
        pond.run(&["pack", "check", pack]).is(2).says(message);
    }
}

#[test]
fn rules_are_those_of_the_packs() {
    let pond = Pond::new();
    let rules = pond.run(&["rules", "--pack", BOTH]).is(0);
    let has = |name: &str| rules.stdout.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(has("fiber/fiber-call") && has("irq/inside-call") && has("stale-baseline"), "{}", rules.stdout);
    pond.run(&["rules", "--pack", "fiber.toml"]).is(0).says("\nfiber-call ");
    pond.run(&["explain", "fiber/fiber-call", "--pack", BOTH]).is(0).says("# fiber-call");
    pond.run(&["explain", "signal-unsafe-call"]).is(0).says("# signal-unsafe-call");
    pond.run(&["explain", "irq/fiber-call", "--pack", BOTH]).is(2).says("unknown rule");
}

// --- cowrap pack ----------------------------------------------------------------------------------------------

#[test]
fn a_starter_works_unchanged() {
    let pond = Pond::new();
    pond.run(&["pack", "new", "-p", ".", "-o", "mine.toml"]).is(0).says("mine.toml: written");
    let text = pond.read("mine.toml");
    for candidate in ["`FIBER_FN`, 1 declaration, first at pond.h:9", "`IRQ_SAFE`"] {
        assert!(text.contains(candidate), "{candidate} in {text}");
    }
    assert!(text.contains("name = \"mine\"") && !text.contains("POND_H"), "{text}");
    pond.run(&["pack", "check", "mine.toml", "-p", "."]).is(0);
    pond.run(&["check", "--pack", "mine.toml"]).is(0);
    // What is said is in force.
    let said = [
        "pack",
        "new",
        "--root",
        ".",
        "-o",
        "mine.toml",
        "--force",
        "--name",
        "pond",
        "--inside",
        "in a fiber",
        "--mark",
        "FIBER_FN=inside-only",
        "--predicate",
        "fiber_running",
        "--entry",
        "irq_install(2)",
        "--outside-only",
        "log_line",
    ];
    pond.run(&said).is(0);
    pond.run(&["pack", "check", "mine.toml", "-p", "."]).is(0).says("mark.name `FIBER_FN`: 1 definition, 1 function");
    let found = pond.findings(&["--pack", "mine.toml"]);
    assert!(found.iter().any(|line| line.contains("[inside-call]")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("[outside-call]")), "{found:?}");
}

#[test]
fn a_starter_overwrites_nothing_and_refuses_what_is_no_pack() {
    let pond = Pond::new();
    pond.write("mine.toml", "mine");
    pond.run(&["pack", "new", "-o", "mine.toml"]).is(2).says("mine.toml exists").says("--force");
    assert_eq!(pond.read("mine.toml"), "mine");
    for (arguments, message) in [
        (["--mark", "A=sometimes"], "sometimes"),
        (["--mark", "A"], "NAME=EFFECT"),
        (["--entry", "a b"], "is not a slot"),
        (["--predicate", "a-b"], "is not a predicate"),
        (["--name", "a/b"], "neither `/` nor `,`"),
        (["--root", "nowhere"], "nowhere"),
        (["-p", "nowhere"], "nowhere"),
    ] {
        let ran = pond.run(&[&["pack", "new", "-o", "new.toml"], arguments.as_slice()].concat()).is(2);
        ran.says(message);
        assert!(!pond.path("new.toml").exists(), "{arguments:?}");
    }
    pond.run(&["pack", "new", "-o", "no/such/new.toml"]).is(2).says("no/such/new.toml");
    pond.run(&["pack", "new"]).is(0).says("name = \"mine\"");
}

#[test]
fn hints_are_found_in_any_text() {
    let pond = Pond::new();
    pond.write("odd.c", b"#define X\\\n\n#define \nX \xff\xfe /* unterminated");
    pond.write(
        "hints.c",
        "#define SAFE()\n#define IN_MAIN() assert(in_main())\n#define NOT_HERE assert(!here())\nvoid run(int n);\n\
         void run(int n)\n{\n    IN_MAIN();\n    assert(!on_cpu());\n}\nvoid go(void)\n{\n    NOT_HERE;\n    \
         later(0, run);\n    api->start(run);\n    if (run) { }\n    struct sigaction a = { .sa_handler = run };\n    \
         signal(2, run);\n    my_pool_submit(1, run, 0);\n    signal(2, SIG_DFL);\n}\n",
    );
    pond.write("..\u{1b}[31m.h", "#define ODD\nODD int odd(void);\n");
    let text = pond.run(&["pack", "new", "--root", "."]).is(0).stdout;
    for candidate in [
        "`IN_MAIN`, 1 function",
        "`NOT_HERE`, 1 function",
        "`on_cpu`",
        "`in_main`",
        "`here`",
        "`signal(2)`, 1 use",
        "`sigaction::sa_handler`",
        "`my_pool_submit(2)`",
        "`later(2)`, 1 use",
    ] {
        assert!(text.contains(candidate), "{candidate} in {text}");
    }
    assert!(!text.contains("`start(1)`") && !text.contains("`if(1)`"), "{text}");
    let said = pond.run(&["pack", "new", "--root", ".", "--mark", "NOT_HERE=outside-only"]).is(0).stdout;
    assert!(said.contains("name = \"NOT_HERE\"\neffect = \"outside-only\"\nstatement = true"), "{said}");
    assert!(said.contains("headers = [\"hints.c\"]"), "{said}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn each_name_of_a_pack_is_compared_with_the_tree() {
    let pond = Pond::new();
    pond.run(&["pack", "check", "fiber.toml"]).is(0).says("fiber.toml: pack `fiber` with 5 names");
    pond.write("cowrap.toml", "build = \".\"\npacks = [\"later.toml\"]\n");
    let ran = pond.run(&["pack", "new", "-o", "later.toml"]).is(0).says("`cowrap pack check later.toml` shows");
    assert!(pond.read("later.toml").contains("`FIBER_FN`, 1 declaration"), "{}", ran.stderr);
    pond.run(&["pack", "check", "fiber.toml"]).is(0).says("fiber.toml:4: primitives `fiber_pause`: 1 function");
    pond.run(&["pack", "check", "fiber.toml", "--no-config"]).is(0).says("fiber.toml: pack `fiber` with 5 names");
    pond.run(&["pack", "check", "fiber.toml", "-p", "."])
        .is(0)
        .says("fiber.toml:4: primitives `fiber_pause`: 1 function");
    let ran = pond.run(&["pack", "check", "irq.toml", "pond.c", "--", "-I."]).is(0);
    ran.says("irq.toml:14: slot.slot `irq_install(2)`: 1 function pointer, 2 stored functions, first at pond.c:31:20");
    let text =
        pond.read("fiber.toml").replace("\"fiber_pause\"", "\"fiber_pauze\"").replace("\"FIBER_FN\"", "\"FIBRE_FN\"");
    pond.write(
        "wrong.toml",
        text + "[[cut]]\ncaller = \"feed\"\ncallee = \"log_lin\"\nreason = \"r\"\n[[model]]\n\
                                     functions = [\"strtok\"]\neffect = \"mixed\"\nreason = \"r\"\nlibrary = true\n",
    );
    let ran = pond.run(&["pack", "check", "wrong.toml", "-p", "."]).is(1);
    let ran = ran.says("wrong.toml:4: warning: primitives `fiber_pauze` matches nothing; did you mean `fiber_pause`?");
    let ran = ran.says("mark.name `FIBRE_FN` matches nothing; did you mean `FIBER_FN`?");
    let ran = ran.says("cut.caller `feed` matches nothing; did you mean `log_line`?");
    ran.says("model.functions `strtok`: not in this tree").says("of which 3 match nothing");
    let json = pond.run(&["pack", "check", "wrong.toml", "-p", ".", "--format", "json"]).is(1);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["version"], &json["pack"], &json["with_tree"]), (&1.into(), &"fiber".into(), &true.into()));
    let entry = &json["entries"][2];
    assert_eq!((&entry["key"], &entry["line"]), (&"primitives".into(), &4.into()));
    assert_eq!((&entry["similar"], entry["matches"].as_array().unwrap().len()), (&"fiber_pause".into(), 0));
    pond.write("pond.c", "#include \"none.h\"\n");
    pond.run(&["pack", "check", "fiber.toml", "-p", "."]).is(2).says("could not be read");
    pond.run(&["pack", "check", "fiber.toml", "-p", ".", "--pack", "irq.toml"]).is(2).says("without --pack");
}
