//! Input from somebody who wants to stop, hang or misuse cowrap: it costs what is hostile, and
//! nothing else.

mod answers;
mod git;
mod isolation;
mod linear;
mod reading;
mod stored;
mod texts;
mod trace;
mod writing;
