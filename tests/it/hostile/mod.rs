//! Input from somebody who wants to stop, hang or misuse cowrap: it costs what is hostile, and
//! nothing else.

mod answers;
mod git;
mod isolation;
mod linear;
mod reading;
mod stored;
mod texts;
#[cfg(target_os = "linux")]
mod trace;
mod writing;
