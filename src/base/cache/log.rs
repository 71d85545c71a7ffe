//! Small values, in a log: segments that are only ever appended to, and removed as a whole.
//!
//! A segment is two files. `.data` has values one after the other, each followed by its key; `.index` has a [`Record`] of
//! fixed size for each, which says where it is. The records alone say what there is: a value that was written and whose record
//! was not, since the process was killed or the disk was full, is never seen. The later record of a key counts.
//!
//! Records are checked when an index is read, values when they are. Since records have one size, a damaged one does not
//! hide those behind it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use rustc_hash::FxHashMap;

use crate::files::Digest;

use super::EntryKind;
use super::names::{Item, Name, list};

/// How many bytes a record has.
pub(super) const RECORD: usize = 40;

/// What a kept value is found under.
pub(super) type Key = (EntryKind, Digest);

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Its kind and its key.
    pub key: Key,
    /// Where in the data it begins.
    pub offset: u64,
    /// How many bytes it has, without the key behind it.
    pub length: u32,
    /// The CRC-32 of value and key.
    pub sum: u32,
}

impl Record {
    /// The record of a value that begins at `offset`; none when it is too long to be kept.
    pub(super) fn of(key: Key, value: &[u8], offset: u64) -> Option<Record> {
        let length = u32::try_from(value.len()).ok()?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(value);
        hasher.update(key.1.bytes());
        Some(Record { key, offset, length, sum: hasher.finalize() })
    }

    /// The bytes of the record, the last four their CRC-32.
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

    /// The record that has these bytes, if they are one.
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

    /// The value, from the bytes that are in its place: value and key. None when they are not what was written.
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
    /// Its number; later ones have higher numbers.
    pub number: u32,
    /// Its data. It stays readable when another process removes the file.
    data: File,
    /// How many bytes its two files have.
    pub size: u64,
    /// When something was added.
    pub time: SystemTime,
    /// Whether it will be removed before long, so that what is used of it is better added again.
    pub is_old: bool,
}

/// What was in the log when it was looked at.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The segments, from the first to the last.
    pub segments: Vec<Segment>,
    /// The records that count, with the place of their segment in `segments`.
    pub records: FxHashMap<Key, (usize, Record)>,
}

impl Log {
    /// Reads the index of each segment in a directory. What cannot be read is not there.
    ///
    /// A segment is old when the cache's files that were used after it have more than half of `limit`.
    pub(super) fn load(directory: &Path, items: &[Item], limit: u64) -> Log {
        let mut numbers: Vec<u32> = items.iter().filter_map(segment_number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut log = Log::default();
        for number in numbers {
            let path = |name: Name| directory.join(name.to_string());
            let Ok(data) = File::open(path(Name::Data(number))) else { continue };
            let index = std::fs::read(path(Name::Index(number))).unwrap_or_default();
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

    /// Reads a value; none when it is damaged.
    pub(super) fn value(&self, segment: usize, record: &Record) -> Option<Vec<u8>> {
        let segment = self.segments.get(segment)?;
        // A record can be whole and its data lost. No memory is taken for what is not there.
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

/// Adds values at the end of the log. The lock must be held. A new segment begins when the last one has `size` bytes of data.
///
/// # Errors
///
/// Those of the file system; nothing was added then, and the space is given back.
pub(super) fn append(directory: &Path, values: &[(Key, Vec<u8>)], size: u64) -> io::Result<()> {
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
    let open = |name: Name| OpenOptions::new().append(true).create(true).open(directory.join(name.to_string()));
    let (data, index) = (open(Name::Data(number))?, open(Name::Index(number))?);
    let (start, known) = (data.metadata()?.len(), index.metadata()?.len());
    // A process that was killed may have left a part of a record, which would shift those behind it.
    let known = known - known % RECORD as u64;
    index.set_len(known)?;
    let written = write(&data, &index, values, start);
    if written.is_err() {
        // If this fails too, there are bytes that no record speaks of.
        let _ = index.set_len(known);
        let _ = data.set_len(start);
    }
    written
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
