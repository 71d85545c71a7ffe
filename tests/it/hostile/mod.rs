//! Input from somebody who wants to stop, hang or misuse cowrap: it costs what is hostile, and
//! nothing else.

mod git;
mod isolation;
mod linear;
mod reading;
mod texts;
mod trace;
mod writing;
