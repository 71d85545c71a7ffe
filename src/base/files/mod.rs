//! Files: identity, paths relative to the root, text and lines, digests, writing.
//!
//! It must never know C, clang or rules.

mod digest;
mod overlay;
mod display;
mod read;
mod texts;
mod tree;
mod write;

pub use digest::{Digest, Digester};
pub use display::{Columns, Source, Sources, is_deceptive};
pub use overlay::{ON_DISK, Overlay};
pub use read::{
    FileKind, LONGEST_DATA, LONGEST_TEXT, ReadRefusal, open_regular, read_regular, read_source, read_text, refusal,
};
pub use texts::{Texts, offset, place};
pub use tree::{Identities, Tree, normalize};
pub use write::{
    Staged, Written, is_abandoned, is_temporary, remove_abandoned, sync_directory, temporary_directory, write_whole,
};
