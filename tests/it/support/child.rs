//! This test program as a child process, which can be killed or confined. A child runs one test and
//! no other.

use std::process::Command;

/// The full name of a test, for `--exact`. `module` is the `module_path!()` of the module that has
/// it.
pub fn test_name(module: &str, test: &str) -> String {
    // The name of the program comes first in a module's path, and is no part of a test's name.
    let (_program, module) = module.split_once("::").expect("tests are in modules");
    format!("{module}::{test}")
}

/// A command that runs one test of this program; a shell runs `before` first.
pub fn this_program(before: &str, module: &str, test: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{before} exec \"$0\" \"$@\"")).arg(std::env::current_exe().unwrap());
    command.args(["--exact", &test_name(module, test), "--nocapture"]);
    command
}
