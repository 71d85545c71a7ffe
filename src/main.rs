//! The `cowrap` program.

fn main() -> std::process::ExitCode {
    cowrap::cli::run()
}
