//! The journal of a change of many files: what a later run needs to finish it or to undo it.
//!
//! It is in the root of the tree while files are replaced. A tree may come from a stranger, who could
//! have put a journal there. So it counts only if the user's own program can have made it, and even
//! then it exchanges nothing but files inside of the tree whose texts it knows by digest.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use cowrap_base::files::{Digest, Directory, Staged, is_maker_running, is_of_git, is_part_of_change};

/// The name of the journal.
pub const JOURNAL: &str = ".cowrap-fix.journal";

/// What a journal begins with.
const MAGIC: &[u8] = b"cowrap fix journal 1\n";

/// The most bytes that a journal may have.
const LONGEST: u64 = 64 << 20;

/// How long a change takes at most, for one of another machine whose processes are not known here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path, relative to the root, without links.
    pub(crate) path: PathBuf,
    /// The name of the file with the other text, in the same directory.
    pub(crate) temporary: OsString,
    /// The digest of its text before.
    pub(crate) old: Digest,
    /// The digest of its text after.
    pub(crate) new: Digest,
}

/// An entry as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredEntry {
    path: Vec<u8>,
    temporary: Vec<u8>,
    old: [u8; 16],
    new: [u8; 16],
}

/// Whether a change is unfinished.
#[derive(Debug)]
pub(crate) enum Found {
    /// No change is unfinished.
    Nothing,
    /// A process is making one now.
    Running,
    /// A run ended in the middle of one.
    Unfinished(Vec<Entry>),
    /// Something is there that cowrap did not make, or is damaged.
    Foreign,
}

impl Entry {
    /// The directory and the name of the file.
    pub(crate) fn parts(&self) -> (&Path, &OsStr) {
        split(&self.path)
    }

    /// The name that the old text may have where two files cannot be exchanged.
    pub(crate) fn second(&self) -> OsString {
        let mut name = self.temporary.clone();
        name.push("0");
        name
    }

    fn read(stored: StoredEntry) -> Option<Entry> {
        let path = PathBuf::from(OsString::from_vec(stored.path));
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let temporary = OsString::from_vec(stored.temporary);
        let is_ours = temporary.to_str().is_some_and(|name| is_part_of_change(name) && !name.contains('/'));
        let named = path.file_name().is_some_and(|name| name.to_str() != Some(JOURNAL));
        let (old, new) = (Digest::from_bytes(stored.old), Digest::from_bytes(stored.new));
        (is_plain && is_ours && named && !is_of_git(&path)).then_some(Entry { path, temporary, old, new })
    }

    fn stored(&self) -> StoredEntry {
        StoredEntry {
            path: self.path.as_os_str().as_bytes().to_vec(),
            temporary: self.temporary.as_bytes().to_vec(),
            old: *self.old.bytes(),
            new: *self.new.bytes(),
        }
    }
}

/// The directory and the name of a file.
pub(crate) fn split(path: &Path) -> (&Path, &OsStr) {
    (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default())
}

/// Reads the journal of a tree.
pub(crate) fn read(root: &Directory) -> io::Result<Found> {
    let Some(entry) = root.entry(JOURNAL.as_ref())? else { return Ok(Found::Nothing) };
    // What git or an archive puts there is readable by others, or belongs to another user.
    if !entry.is_regular() || entry.user != geteuid().as_raw() || entry.mode & 0o777 != 0o600 || entry.size > LONGEST {
        return Ok(Found::Foreign);
    }
    let mut bytes = Vec::new();
    root.open_file(JOURNAL.as_ref())?.take(LONGEST).read_to_end(&mut bytes)?;
    let Some(entries) = parse(&bytes) else { return Ok(Found::Foreign) };
    let is_running = |first: &Entry| match is_maker_running(first.temporary.to_str()?) {
        Some(is_running) => Some(is_running),
        None => Some(SystemTime::now().duration_since(entry.modified).is_ok_and(|age| age < PATIENCE)),
    };
    match entries.first().and_then(is_running) {
        Some(true) => Ok(Found::Running),
        _ => Ok(Found::Unfinished(entries)),
    }
}

fn parse(bytes: &[u8]) -> Option<Vec<Entry>> {
    let (digest, body) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<16>()?;
    if Digest::of(body).bytes() != digest {
        return None;
    }
    let stored: Vec<StoredEntry> = postcard::from_bytes(body).ok()?;
    let entries: Vec<Entry> = stored.into_iter().map(Entry::read).collect::<Option<_>>()?;
    // A change replaces each file once. Else a small journal could make a run read a large file for ever.
    let paths: BTreeSet<&Path> = entries.iter().map(|entry| entry.path.as_path()).collect();
    (paths.len() == entries.len()).then_some(entries)
}

/// Writes the journal and waits until the disk has it. There must be none.
pub(crate) fn write(root: &Directory, entries: &[Entry]) -> io::Result<()> {
    let stored: Vec<StoredEntry> = entries.iter().map(Entry::stored).collect();
    let body = postcard::to_stdvec(&stored).map_err(io::Error::other)?;
    let bytes = [MAGIC, Digest::of(&body).bytes(), &body].concat();
    Staged::sync_in(root, JOURNAL.as_ref(), &bytes)?.put_new_in(root)?;
    root.sync()
}

/// Removes the journal.
pub(crate) fn remove(root: &Directory) -> io::Result<()> {
    root.remove(JOURNAL.as_ref())?;
    root.sync()
}
