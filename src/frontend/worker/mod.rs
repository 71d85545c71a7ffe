//! Workers: processes that run libclang and extraction, so that whatever a unit does to them, it
//! costs that unit.
//!
//! A worker is this program itself, started with one hidden argument ([`ARGUMENT`]). It reads one
//! unit at a time and sends its facts over a socket. `protocol` has the messages, `serve` the
//! worker's side (with `evidence` for certification), `process` the other one, which watches the
//! worker: it kills a worker that exceeds a limit or waits for ever. `pool` hands out workers, and
//! replaces those that died.
//!
//! It must never know how units share precompiled headers, or what facts mean.

mod evidence;
mod pool;
mod process;
mod protocol;
mod serve;
mod watch;

pub(crate) use pool::Conversation;
pub use pool::{Cancellation, Isolation, StartError, StartingWorkers, Workers};
pub use protocol::LibraryInfo;
pub(crate) use protocol::{Bytes, InclusionOf, Parse, SharingInput, SharingOutput};
pub use serve::{ARGUMENT, run};
pub use watch::peak_memory;
