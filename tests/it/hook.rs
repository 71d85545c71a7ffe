//! The hooks of `.pre-commit-hooks.yaml`, run by the tools that people run them with, over commits that are made on the spot; and the
//! recipes of `docs/gate.md`.
//!
//! The tools are those that `sh .ci/setup --tests` installs, or those of the virtual environment that `COWRAP_HOOK_TOOLS` names.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Both do the same with the same files.
const RUNNERS: [&str; 2] = ["pre-commit", "prek"];

/// A function of its own, which breaks the rule by calling `bdrv_co_flush`, and does not by calling `bdrv_flush`.
fn function(name: &str, callee: &str) -> String {
    format!("\nint {name}(BlockDriverState *bs);\nint {name}(BlockDriverState *bs)\n{{\n    return {callee}(bs);\n}}\n")
}

fn breach(name: &str) -> String {
    format!("`coroutine_fn` `bdrv_co_flush` called from unmarked `{name}`")
}

// --- commits ----------------------------------------------------------------------------------------------------

#[test]
fn a_commit_that_breaks_the_rule_is_refused() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        tree.append("mini-img.c", &function("img_twice", "bdrv_co_flush"));
        tree.git(&["add", "mini-img.c"]);
        let said = tree.commit(&[]);
        said.is_refused();
        said.tells(&breach("img_twice"));
        said.tells("call the wrapper `bdrv_flush` instead");
        said.keeps_quiet_about("`img_sync`");
        // Repaired on the disk only.
        tree.replace("mini-img.c", "return bdrv_co_flush(bs);\n}\n\0", "return bdrv_flush(bs);\n}\n");
        tree.commit(&[]).is_refused();
        tree.git(&["add", "mini-img.c"]);
        tree.commit(&[]).is_let_through();
        // `--all` and names make an index for this commit alone.
        tree.append("mini-img.c", &function("img_thrice", "bdrv_co_flush"));
        tree.append("job.c", "/* fine */\n");
        let said = tree.commit(&["--all"]);
        said.is_refused();
        said.tells(&breach("img_thrice"));
        tree.commit(&["job.c"]).is_let_through();
        assert_eq!(tree.git(&["status", "--short"]), " M mini-img.c\n", "{runner}");
        tree.commit(&["mini-img.c"]).is_refused();
        tree.commit(&["--all", "--no-verify"]).is_let_through();
        // It is in HEAD now, and no news.
        tree.append("mini-img.c", "/* fine */\n");
        tree.commit(&["--all"]).is_let_through();
    }
}

#[test]
fn a_mark_is_refused_for_a_caller_that_nobody_touched() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        tree.append("block.c", &function("img_helper", "bdrv_flush"));
        tree.append("include/block/block-io.h", "int img_helper(BlockDriverState *bs);\n");
        tree.append("mini-img.c", &function("img_caller", "img_helper"));
        tree.git(&["add", "--all"]);
        tree.commit(&[]).is_let_through();
        tree.replace("include/block/block-io.h", "int img_helper", "int coroutine_fn img_helper");
        let said = tree.commit(&["--all"]);
        said.is_refused();
        said.tells("`coroutine_fn` `img_helper` called from unmarked `img_caller`");
        said.tells("mini-img.c:");
    }
}

#[test]
fn what_is_not_staged_neither_matters_nor_gets_lost() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        tree.append("mini-img.c", &function("img_twice", "bdrv_flush"));
        tree.append("new.c", "}\n");
        tree.git(&["add", "mini-img.c"]);
        tree.append("block.c", "/* this cannot be compiled");
        tree.append("mini-img.c", &function("img_thrice", "bdrv_co_flush"));
        let before = tree.read("mini-img.c");
        tree.commit(&[]).is_let_through();
        assert_eq!(tree.git(&["status", "--short"]), " M block.c\n M mini-img.c\n?? new.c\n", "{runner}");
        assert_eq!(tree.read("mini-img.c"), before, "{runner}");
        tree.git(&["add", "mini-img.c"]);
        let said = tree.commit(&[]);
        said.is_refused();
        said.tells(&breach("img_thrice"));
        said.keeps_quiet_about("unterminated");
        assert_eq!(tree.git(&["status", "--short"]), " M block.c\nM  mini-img.c\n?? new.c\n", "{runner}");
    }
}

#[test]
fn a_file_that_was_renamed_is_no_news() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        tree.git(&["mv", "block/stripe.c", "block/stripes.c"]);
        let said = tree.commit(&[]);
        said.is_refused();
        said.tells("block/stripe.c: not checked"); // the build does not know the new name
        tree.replace("build/compile_commands.json", "block/stripe.c", "block/stripes.c");
        tree.commit(&[]).is_let_through();
        tree.git(&["mv", "block/stripes.c", "stripes.c"]);
        tree.replace("build/compile_commands.json", "block/stripes.c", "stripes.c");
        tree.append("stripes.c", &function("stripe_more", "bdrv_co_flush"));
        let said = tree.commit(&["--all"]);
        said.is_refused();
        said.tells(&breach("stripe_more"));
        said.keeps_quiet_about("`stripe_sync`");
    }
}

#[test]
fn a_commit_without_c_asks_nothing() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        std::fs::remove_dir_all(tree.root().join("build")).unwrap();
        tree.append("VERSION", "\n");
        tree.commit(&["--all"]).is_let_through();
        // Without a build nothing can be said, and that is not let through.
        tree.append("block.c", "/* fine */\n");
        let said = tree.commit(&["--all"]);
        said.is_refused();
        said.tells("compile_commands.json");
    }
}

// --- the other hooks --------------------------------------------------------------------------------------------

#[test]
fn the_hook_for_files_reports_all_that_is_in_them() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        std::fs::remove_file(tree.root().join(".cowrap-baseline.json")).unwrap();
        let run = |arguments: &[&str]| tree.run(runner, &[&["run", "cowrap-files"], arguments].concat());
        let said = run(&["--files", "mini-img.c", "block/raw.c"]);
        said.is_refused();
        said.tells(&breach("img_sync"));
        said.tells("`raw_probe`");
        said.keeps_quiet_about("`stripe_sync`");
        run(&["--files", "util/async.c"]).is_let_through();
        let said = run(&["--all-files"]);
        said.is_refused();
        said.tells(&breach("stripe_sync"));
        // The rest of the tree is in no commit, so that there is nothing to say about it.
        tree.run(runner, &["run", "cowrap", "--all-files"]).is_let_through();
    }
}

#[test]
fn the_hook_that_fixes_loses_nothing() {
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        tree.append("block.c", "/* staged */\n");
        tree.git(&["add", "block.c"]);
        tree.append("job.c", "/* not staged */\n");
        let staged = tree.git(&["diff", "--cached"]);
        let said = tree.run(runner, &["run", "cowrap-fix", "--hook-stage", "manual"]);
        said.is_refused();
        said.tells("files were modified by this hook");
        said.tells("fixed: mark `zero_tail` as `coroutine_fn`");
        assert_eq!(tree.git(&["status", "--short"]), "MM block.c\n M job.c\n", "{runner}");
        assert_eq!(tree.git(&["diff", "--cached"]), staged, "{runner}");
        assert!(tree.read("job.c").ends_with("/* not staged */\n"), "{runner}");
        assert!(tree.git(&["diff"]).contains("+static int coroutine_fn zero_tail("), "{runner}");
        // It is not run with commits.
        tree.commit(&[]).is_let_through();
    }
}

// --- docs/gate.md -----------------------------------------------------------------------------------------------

#[test]
fn the_page_can_be_followed() {
    let settings = blocks("toml");
    let steps = blocks("sh").into_iter().find(|block| block.starts_with("cowrap baseline")).unwrap();
    let recipes: Vec<Value> = blocks("yaml").iter().map(|block| yaml(block)).collect();
    let [hooks, local, gitlab, shards, github] = recipes.as_slice() else { panic!("{} recipes", recipes.len()) };

    let tree = Tree::new();
    tree.git(&["add", "--all"]);
    tree.git(&["commit", "--quiet", "--message", "first"]);
    tree.run("cowrap", &["check", "-p", "build"]).is_refused();
    tree.write("cowrap.toml", &settings[0]);
    tree.sh(&[], &steps).is_let_through();
    assert_eq!(tree.git(&["status", "--short"]), "");

    // The hooks: of the published ones only the names can be looked at here.
    let published = yaml(&std::fs::read_to_string(Path::new(HERE).join(".pre-commit-hooks.yaml")).unwrap());
    let published: Vec<&Value> = published.as_array().unwrap().iter().map(|hook| &hook["id"]).collect();
    assert!(published.contains(&&hooks["repos"][0]["hooks"][0]["id"]));
    tree.write(".pre-commit-config.yaml", &hooks.to_string());
    for runner in RUNNERS {
        tree.run(runner, &["validate-config"]).is_let_through();
    }
    tree.write(".pre-commit-config.yaml", &local.to_string());
    tree.append(".gitignore", "/*.facts\n/*.index\n/*.json\n/*.sarif\n");
    tree.git(&["add", "--all"]);
    tree.git(&["commit", "--quiet", "--message", "hooks"]);

    // A default branch where all is well, and a branch that breaks a rule.
    let merge = [("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")];
    let pull = [("BASE", "main")];
    let number = shards["facts"]["parallel"].as_u64().unwrap();
    let in_shards = || {
        for index in 1..=number {
            let node = [("CI_NODE_INDEX", index.to_string()), ("CI_NODE_TOTAL", number.to_string())];
            let node = [(node[0].0, node[0].1.as_str()), (node[1].0, node[1].1.as_str())];
            tree.sh(&node, &script(&shards["facts"]["script"])).is_let_through();
        }
        tree.sh(&[], &script(&shards["cowrap"]["script"]))
    };
    let steps = github["jobs"]["cowrap"]["steps"].as_array().unwrap();
    let on_github = steps.iter().filter_map(|step| step["run"].as_str()).find(|run| run.starts_with("cowrap"));
    let on_github = on_github.unwrap();
    let gitlab_findings = || serde_json::from_str::<Vec<Value>>(&tree.read("gl-code-quality-report.json")).unwrap();
    let sarif_findings = || {
        let log: Value = serde_json::from_str(&tree.read("cowrap.sarif")).unwrap();
        log["runs"][0]["results"].as_array().unwrap().len()
    };
    tree.sh(&[], &script(&gitlab["cowrap"]["script"])).is_let_through();
    assert_eq!(gitlab_findings(), [] as [Value; 0]);
    in_shards().is_let_through();
    assert_eq!(gitlab_findings(), [] as [Value; 0]);
    tree.sh(&[], on_github).is_let_through();
    assert_eq!(sarif_findings(), 0);

    tree.git(&["remote", "add", "origin", "."]);
    tree.git(&["fetch", "--quiet", "origin"]);
    tree.git(&["switch", "--quiet", "--create", "topic"]);
    tree.append("mini-img.c", &function("img_twice", "bdrv_co_flush"));
    for runner in RUNNERS {
        tree.run(runner, &["install", "-f"]).is_let_through();
        tree.commit(&["--all"]).is_refused();
    }
    tree.commit(&["--all", "--no-verify"]).is_let_through();
    let on_merge = || tree.sh(&merge, &script(&gitlab["cowrap-merge-request"]["script"]));
    let on_main = || tree.sh(&[], &script(&gitlab["cowrap"]["script"]));
    for job in [&on_merge as &dyn Fn() -> Said, &on_main, &in_shards] {
        let said = job();
        said.is_refused();
        said.tells(&breach("img_twice"));
        let found = gitlab_findings();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["location"]["path"], "mini-img.c");
        std::fs::remove_file(tree.root().join("gl-code-quality-report.json")).unwrap();
    }
    for environment in [&pull[..], &[]] {
        let said = tree.sh(environment, on_github);
        said.is_refused();
        said.tells("::error file=mini-img.c");
        assert_eq!(sarif_findings(), 1);
    }

    // What the main branch gets wrong is not the topic's fault, and fixing takes a shorter baseline.
    tree.git(&["switch", "--quiet", "main"]);
    tree.git(&["merge", "--quiet", "topic"]);
    tree.git(&["switch", "--quiet", "--create", "fix"]);
    tree.replace("mini-img.c", "    return bdrv_co_flush(bs); /*", "    return bdrv_flush(bs); /*");
    let said = on_merge();
    said.is_refused();
    said.tells("stale-baseline");
    said.keeps_quiet_about("img_twice");
    tree.run("cowrap", &["baseline"]).is_let_through();
    on_merge().is_let_through();
}

/// The blocks of the page in one language.
fn blocks(language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(HERE).join("docs/gate.md")).unwrap();
    let blocks = page.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.map(str::to_owned).collect()
}

/// The commands of a job.
fn script(lines: &Value) -> String {
    lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned() + "\n").collect()
}

// --- what is installed from a clone -----------------------------------------------------------------------------

#[test]
#[ignore = "compiles cowrap once for each tool, which takes minutes: cargo test --test it hook:: -- --ignored"]
fn a_clone_is_installed_and_run() {
    let revision = Command::new("git").current_dir(HERE).args(["rev-parse", "HEAD"]).output().unwrap();
    let revision = String::from_utf8(revision.stdout).unwrap();
    for runner in RUNNERS {
        let tree = Tree::with_hook(runner);
        let hooks = json!([{ "id": "cowrap" }]);
        let config = json!({ "repos": [{ "repo": HERE, "rev": revision.trim(), "hooks": hooks }] });
        tree.write(".pre-commit-config.yaml", &config.to_string());
        tree.git(&["commit", "--quiet", "--no-verify", "--all", "--message", "from a clone"]);
        tree.append("mini-img.c", &function("img_twice", "bdrv_co_flush"));
        let said = tree.commit(&["--all"]);
        said.is_refused();
        said.tells(&breach("img_twice"));
        tree.replace("mini-img.c", "return bdrv_co_flush(bs);\n}\n\0", "return bdrv_flush(bs);\n}\n");
        tree.commit(&["--all"]).is_let_through();
    }
}

// --- what they run in -------------------------------------------------------------------------------------------

/// All trees are much the same, and share what was found out about them; not with earlier runs.
static CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hook-cache");
    let _ = std::fs::remove_dir_all(&cache);
    cache
});

/// A tree with a build directory, settings, a baseline and hooks, all committed.
struct Tree {
    scratch: TempDir,
}

/// What a tool said.
struct Said {
    status: i32,
    text: String,
}

impl Tree {
    /// testdata/miniblock, as people have a tree: what is built is beside the sources, and not committed.
    fn new() -> Tree {
        let tree = Tree { scratch: tempfile::tempdir().unwrap() };
        copy_directory(&Path::new(HERE).join("testdata/miniblock"), &tree.root());
        let root = tree.root().canonicalize().unwrap();
        let database = tree.read("compile_commands.json");
        let database = database.replace("\"directory\": \".\"", &format!("\"directory\": \"{}\"", root.display()));
        std::fs::remove_file(root.join("compile_commands.json")).unwrap();
        tree.write("build/compile_commands.json", &database);
        tree.write(".gitignore", "/build/\n");
        tree.write("cowrap.toml", "build = \"build\"\n");
        tree.git(&["init", "--quiet", "--initial-branch=main"]);
        tree
    }

    /// With a baseline, and with this tool's hook for commits. The hooks are those that people get, but for how they are installed.
    fn with_hook(runner: &str) -> Tree {
        let tree = Tree::new();
        let mut hooks = yaml(&std::fs::read_to_string(Path::new(HERE).join(".pre-commit-hooks.yaml")).unwrap());
        for hook in hooks.as_array_mut().unwrap() {
            assert_eq!(hook["language"], "rust");
            hook["language"] = "system".into();
        }
        tree.write(".pre-commit-config.yaml", &json!({ "repos": [{ "repo": "local", "hooks": hooks }] }).to_string());
        tree.run("cowrap", &["baseline"]).is_let_through();
        tree.git(&["add", "--all"]);
        tree.git(&["commit", "--quiet", "--message", "first"]);
        tree.run(runner, &["install"]).is_let_through();
        tree
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("tree")
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn append(&self, path: &str, text: &str) {
        let before = std::fs::read_to_string(self.root().join(path)).unwrap_or_default();
        self.write(path, &(before + text));
    }

    /// A NUL at the end stands for the end of the file.
    fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        let changed = match old.strip_suffix('\0') {
            Some(old) => text.strip_suffix(old).map(|start| start.to_owned() + new).unwrap_or_default(),
            None => text.replace(old, new),
        };
        assert!(!changed.is_empty() && changed != text, "{path} has no {old:?}");
        self.write(path, &changed);
    }

    fn git(&self, arguments: &[&str]) -> String {
        let said = self.run("git", arguments);
        said.is_let_through();
        said.text
    }

    /// Runs commands as a job does: the first one that fails is the last one.
    fn sh(&self, environment: &[(&str, &str)], commands: &str) -> Said {
        let variables: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
        self.run("env", &[&variables[..], &["sh", "-ec", commands]].concat())
    }

    /// Commits, with the hook `cowrap` alone of those that run then.
    fn commit(&self, arguments: &[&str]) -> Said {
        self.run("env", &[&["SKIP=cowrap-files", "git", "commit", "--message", "a change"], arguments].concat())
    }

    /// Runs a tool as somebody would who has this cowrap installed, and nothing of their own configured.
    fn run(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["GIT_", "CI", "PRE_COMMIT", "PREK", "SKIP"].iter().any(|start| name.starts_with(start)) {
                command.env_remove(name);
            }
        }
        let cowrap = Path::new(env!("CARGO_BIN_EXE_cowrap")).parent().unwrap().to_path_buf();
        let path = std::env::var_os("PATH").unwrap();
        let path = [cowrap, tools().join("bin")].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.env("COWRAP_CACHE", &*CACHE);
        for name in ["PRE_COMMIT_HOME", "PREK_HOME"] {
            command.env(name, self.scratch.path().join(name));
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "a").env(format!("GIT_{role}_EMAIL"), "a@b");
        }
        let out = command.current_dir(self.root()).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        Said { status: out.status.code().unwrap_or(-1), text }
    }
}

impl Said {
    #[track_caller]
    fn is_let_through(&self) {
        assert_eq!(self.status, 0, "{}", self.text);
    }

    #[track_caller]
    fn is_refused(&self) {
        assert_eq!(self.status, 1, "{}", self.text);
    }

    #[track_caller]
    fn tells(&self, words: &str) {
        assert!(self.text.contains(words), "no {words:?} in\n{}", self.text);
    }

    #[track_caller]
    fn keeps_quiet_about(&self, words: &str) {
        assert!(!self.text.contains(words), "{words:?} in\n{}", self.text);
    }
}

/// The virtual environment with pre-commit, prek, and Python's reader of YAML.
fn tools() -> PathBuf {
    let tools =
        std::env::var_os("COWRAP_HOOK_TOOLS").map_or_else(|| Path::new(HERE).join("target/hook-tools"), PathBuf::from);
    for program in ["python", "pre-commit", "prek"] {
        let program = tools.join("bin").join(program);
        assert!(
            program.exists(),
            "there is no {}: `sh .ci/setup --tests` installs it; or let COWRAP_HOOK_TOOLS name a virtual environment \
             with `pip install pre-commit prek`",
            program.display()
        );
    }
    tools
}

/// A YAML document.
fn yaml(text: &str) -> Value {
    let program = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let mut python = Command::new(tools().join("bin/python"))
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = python.wait_with_output().unwrap();
    assert!(out.status.success(), "this is no YAML:\n{text}");
    serde_json::from_slice(&out.stdout).unwrap()
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
