//! Files: identity, paths relative to the root, text and lines, digests, writing.
//!
//! It must never know C, clang or rules.

mod boundary;
mod digest;
mod directory;
mod overlay;
mod display;
mod place;
mod read;
mod texts;
mod tree;
mod write;

pub use boundary::{home_of, is_below, leads_out};
pub use digest::{Digest, Digester};
pub use directory::{Directory, Entry};
pub use display::{
    Columns, CountedCharacters, Shown, ShownPath, Source, Sources, is_deceptive, without_commands, without_deceptive,
};
pub use overlay::{ON_DISK, Overlay};
pub use place::{NamedBy, Place, WriteRefusal, Written, is_of_git, write_refusal, write_whole};
pub use read::{
    FileKind, LONGEST_DATA, LONGEST_TEXT, ReadRefusal, open_regular, read_from, read_regular, read_source, read_text,
    refusal,
};
pub use texts::{Texts, offset, place};
pub use tree::{Identities, MesonError, Tree, normalize};
pub use write::{
    Staged, TemporaryDirectory, is_maker_running, is_part_of_change, is_temporary, remove_abandoned,
    remove_abandoned_directories_in, remove_abandoned_in, remove_abandoned_parts_in, remove_temporaries, uninterrupted,
};
