//! The `cowrap` program.

mod cli;

fn main() -> std::process::ExitCode {
    // cowrap starts itself with this argument alone, to read translation units. It is nothing for
    // people, so that help does not list it.
    let mut arguments = std::env::args_os().skip(1);
    let is_worker = arguments.next().is_some_and(|argument| argument == cowrap_session::WORKER_ARGUMENT);
    if is_worker && arguments.next().is_none() {
        return cowrap_session::run_worker();
    }
    cli::run()
}
