//! Small values in a log: segments that are only appended to, and removed as a whole.
//!
//! A segment is two files. `.data` holds values one after the other, each followed by its key;
//! `.index` holds a [`Record`] of fixed size for each, which says where it is. Only a record makes
//! a value exist: if the process was killed or the disk was full before the record was written, the
//! value is never seen. The later record of a key counts.
//!
//! A record is checked when the index is read, and a value when it is read. Since records have one
//! size, a damaged record does not hide those behind it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use rustc_hash::FxHashMap;

use crate::files::{Digest, Directory, read_from, refusal};

use super::EntryKind;
use super::names::{Item, Name, list};

/// The size of a record in bytes.
pub(super) const RECORD: usize = 40;

/// The most bytes of an index that are read; ours are much smaller.
const LARGEST_INDEX: u64 = 1 << 28;

/// How many segments that cannot be opened are skipped.
const MOST_SKIPPED: u32 = 16;

/// The key of a value.
pub(super) type Key = (EntryKind, Digest);

/// The position of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Its kind and its key.
    pub key: Key,
    /// The offset in the data at which it begins.
    pub offset: u64,
    /// Its size in bytes, without the key behind it.
    pub length: u32,
    /// The CRC-32 of value and key.
    pub sum: u32,
}

impl Record {
    /// The record of a value that begins at `offset`; `None` when it is too long to be stored.
    pub(super) fn of(key: Key, value: &[u8], offset: u64) -> Option<Record> {
        let length = u32::try_from(value.len()).ok()?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(value);
        hasher.update(key.1.bytes());
        Some(Record { key, offset, length, sum: hasher.finalize() })
    }

    /// The bytes of the record; the last four are their CRC-32.
    pub(super) fn write(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.sum.to_le_bytes());
        bytes[16..20].copy_from_slice(&(self.key.0 as u32).to_le_bytes());
        bytes[20..36].copy_from_slice(self.key.1.bytes());
        let sum = crc32fast::hash(&bytes[..36]);
        bytes[36..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The record with these bytes, if their checksum fits.
    pub(super) fn read(bytes: &[u8; RECORD]) -> Option<Record> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if crc32fast::hash(&bytes[..36]) != word(36) {
            return None;
        }
        let kind = EntryKind::ALL.into_iter().find(|kind| *kind as u32 == word(16))?;
        let mut key = [0; 16];
        key.copy_from_slice(&bytes[20..36]);
        let offset = u64::from(word(0)) | u64::from(word(4)) << 32;
        Some(Record { key: (kind, Digest::from_bytes(key)), offset, length: word(8), sum: word(12) })
    }

    /// The value, from its bytes and those of the key behind it; `None` when the checksum does not
    /// fit.
    pub(super) fn value(&self, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let length = self.length as usize;
        let whole =
            bytes.len() == length + 16 && bytes[length..] == *self.key.1.bytes() && crc32fast::hash(&bytes) == self.sum;
        bytes.truncate(length);
        whole.then_some(bytes)
    }
}

/// A segment, opened.
#[derive(Debug)]
pub(super) struct Segment {
    /// Its number; later segments have higher numbers.
    pub number: u32,
    /// Its data, which stays readable when another process removes the file.
    data: File,
    /// The size of its two files in bytes.
    pub size: u64,
    /// The time of the last write.
    pub time: SystemTime,
    /// Whether it will be removed soon, so that used values should be written again.
    pub is_old: bool,
}

/// The content of the log when it was read.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The segments, from the first to the last.
    pub segments: Vec<Segment>,
    /// The current record of each key, with the position of its segment in `segments`.
    pub records: FxHashMap<Key, (usize, Record)>,
}

impl Log {
    /// Reads the index of each segment in a directory. Unreadable files count as missing.
    ///
    /// A segment is old when the files that were used after it are larger than half of `limit`.
    pub(super) fn load(directory: &Directory, items: &[Item], limit: u64) -> Log {
        let mut numbers: Vec<u32> = items.iter().filter_map(segment_number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut log = Log::default();
        for number in numbers {
            let Ok(data) = directory.open_file(&Name::Data(number).file()) else { continue };
            let index = directory.open_file(&Name::Index(number).file());
            let index = index.and_then(|file| read_from(&file, LARGEST_INDEX)).unwrap_or_default();
            let own = || items.iter().filter(|item| segment_number(item) == Some(number));
            let time = own().map(|item| item.time).max().unwrap_or(SystemTime::UNIX_EPOCH);
            let newer: u64 = items.iter().filter(|item| item.time > time).map(|item| item.size).sum();
            let (size, is_old) = (own().map(|item| item.size).sum(), newer > limit / 2);
            let place = log.segments.len();
            log.segments.push(Segment { number, data, size, time, is_old });
            let (records, _) = index.as_chunks();
            for record in records.iter().filter_map(Record::read) {
                log.records.insert(record.key, (place, record));
            }
        }
        log
    }

    /// Reads a value; `None` when it is damaged.
    pub(super) fn value(&self, segment: usize, record: &Record) -> Option<Vec<u8>> {
        let segment = self.segments.get(segment)?;
        // A valid record may point to lost data. No memory is allocated for that.
        if u64::from(record.length) > segment.data.metadata().ok()?.len() {
            return None;
        }
        let mut bytes = vec![0; record.length as usize + 16];
        segment.data.read_exact_at(&mut bytes, record.offset).ok()?;
        record.value(bytes)
    }
}

/// The number of the segment that a file belongs to.
fn segment_number(item: &Item) -> Option<u32> {
    match item.name {
        Name::Data(number) | Name::Index(number) => Some(number),
        _ => None,
    }
}

/// Appends values to the log. The caller holds the lock. A new segment begins when the last one has
/// `size` bytes of data.
///
/// # Errors
///
/// The file system reports an error. Nothing was added then, and the space is freed.
pub(super) fn append(directory: &Directory, values: &[(Key, Vec<u8>)], size: u64) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let (items, _) = list(directory);
    let last = items.iter().filter_map(segment_number).max();
    let is_full = |item: &Item| matches!(item.name, Name::Data(number) if Some(number) == last) && item.size >= size;
    let number = match last {
        Some(last) if items.iter().any(is_full) => last.saturating_add(1),
        Some(last) => last,
        None => 0,
    };
    let (data, index) = open_segment(directory, number)?;
    let (start, known) = (data.metadata()?.len(), index.metadata()?.len());
    // A killed process may have left a part of a record, which would shift the records behind it.
    let known = known - known % RECORD as u64;
    index.set_len(known)?;
    let written = write(&data, &index, values, start);
    if written.is_err() {
        // If this fails too, some bytes belong to no record.
        let _ = index.set_len(known);
        let _ = data.set_len(start);
    }
    written
}

/// Opens the two files of a segment, or of the next one that can be opened: what is no regular file
/// stays, and costs only its own segment.
fn open_segment(directory: &Directory, number: u32) -> io::Result<(File, File)> {
    let open = |name: Name| directory.append_to(&name.file(), 0o600);
    let mut numbers = number..=number.saturating_add(MOST_SKIPPED);
    loop {
        let Some(number) = numbers.next() else { return Err(io::ErrorKind::AlreadyExists.into()) };
        match open(Name::Data(number)).and_then(|data| Ok((data, open(Name::Index(number))?))) {
            Err(error) if refusal(&error).is_some() => {}
            other => return other,
        }
    }
}

/// Writes the data, and then the records.
fn write(data: &File, index: &File, values: &[(Key, Vec<u8>)], mut offset: u64) -> io::Result<()> {
    let mut data = BufWriter::with_capacity(1 << 20, data);
    let mut records = Vec::with_capacity(values.len() * RECORD);
    for (key, value) in values {
        let Some(record) = Record::of(*key, value, offset) else { continue };
        data.write_all(value)?;
        data.write_all(key.1.bytes())?;
        offset += value.len() as u64 + 16;
        records.extend(record.write());
    }
    data.flush()?;
    drop(data);
    let mut index = index;
    index.write_all(&records)
}
