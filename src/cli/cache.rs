//! The cache's location and size, and `cowrap cache`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use cowrap_report::render::printable_lines;
use cowrap_session::cache::{self, CacheLocation, DEFAULT_LIMIT};

use super::{fail, print};
use cowrap_session::Shown;

/// The environment variable for the maximum size of the cache.
const SIZE_VARIABLE: &str = "COWRAP_CACHE_SIZE";

/// The error if neither an option nor the environment gives a directory.
const NO_PLACE: &str = "no cache directory: use --cache-dir, or set COWRAP_CACHE or HOME";

#[derive(Debug, Args)]
pub(super) struct PlaceArguments {
    /// Cache directory [default: $COWRAP_CACHE, or cowrap in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,

    /// Maximum size of the cache, in bytes or with K, M or G [default: $COWRAP_CACHE_SIZE, or 1G]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    cache_size: Option<u64>,
}

impl PlaceArguments {
    /// Where the cache is; none if neither an option nor the environment says so.
    pub(super) fn place(&self, working_directory: &Path) -> Result<Option<CacheLocation>, String> {
        let limit = match (self.cache_size, variable(SIZE_VARIABLE)) {
            (Some(size), _) => size,
            (None, None) => DEFAULT_LIMIT,
            (None, Some(text)) => {
                parse_size(&text.to_string_lossy()).map_err(|error| format!("{SIZE_VARIABLE}: {error}"))?
            }
        };
        let directory = self.cache_dir.clone().or_else(|| cache::default_directory(|name| std::env::var_os(name)));
        Ok(directory.map(|directory| CacheLocation { directory: working_directory.join(directory), limit }))
    }
}

/// An environment variable, unless it is empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = number.parse().ok().filter(|_| is_number);
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(0) => Err("the size must not be 0; use --no-cache to run without a cache".to_owned()),
        Some(size) => Ok(size),
        None => Err(format!("`{text}` is not a size: use a number of bytes, or a number followed by K, M or G")),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  0  done\n  2  failed")]
pub(super) struct Cache {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the cache's directory, size and contents
    Info(PlaceArguments),
    /// Remove cowrap's files from the cache directory
    Clean {
        /// Cache directory [default: $COWRAP_CACHE, or cowrap in the user's cache directory]
        #[arg(long, value_name = "DIR")]
        cache_dir: Option<PathBuf>,
    },
}

impl Cache {
    pub(super) fn run(self) -> ExitCode {
        match self.action.run() {
            Ok(text) => print(format!("{}\n", printable_lines(&text)).as_bytes()),
            Err(message) => fail(&message),
        }
    }
}

impl Action {
    /// Performs the action; the result is the text to print.
    fn run(self) -> Result<String, String> {
        let (arguments, is_info) = match self {
            Action::Info(arguments) => (arguments, true),
            Action::Clean { cache_dir } => (PlaceArguments { cache_dir, cache_size: Some(DEFAULT_LIMIT) }, false),
        };
        let working_directory =
            std::env::current_dir().map_err(|error| format!("cannot determine the working directory: {error}"))?;
        let place = arguments.place(&working_directory)?.ok_or(NO_PLACE)?;
        if is_info { info(&place) } else { clean(&place) }
    }
}

fn info(place: &CacheLocation) -> Result<String, String> {
    let info = cache::info(&place.directory).map_err(|error| error.to_string())?;
    let mut text = format!(
        "directory: {}\nsize: {} of {}\n",
        place.directory.shown(),
        shown_size(info.size),
        shown_size(place.limit)
    );
    for (what, count, size) in info.kinds {
        text += &format!("{what}: {count} ({})\n", shown_size(size));
    }
    Ok(text)
}

fn clean(place: &CacheLocation) -> Result<String, String> {
    let cleaned = cache::clean(&place.directory).map_err(|error| error.to_string())?;
    let files = if cleaned.files == 1 { "file" } else { "files" };
    let mut text = format!("removed {} {files}, {}\n", cleaned.files, shown_size(cleaned.size));
    if cleaned.is_left {
        text += &format!("kept {}: it has files that are not cowrap's\n", place.directory.shown());
    }
    Ok(text)
}

/// A number of bytes, for people.
fn shown_size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        // One decimal, rounded down: never more than there is.
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let read = |text| parse_size(text).ok();
        assert_eq!(read("1"), Some(1));
        assert_eq!(read("20K"), Some(20 << 10));
        assert_eq!(read("512m"), Some(512 << 20));
        assert_eq!(read("3G"), Some(3 << 30));
        for text in
            ["", "K", "0", "0G", "-1", "+1", "1.5G", "1T", "1 G", "1KB", "99999999999999999999", "99999999999G", "ü"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_shown() {
        let sizes = [(0, "0 B"), (1023, "1023 B"), (1 << 10, "1.0 KiB"), (1_600_000, "1.5 MiB"), (1 << 30, "1.0 GiB")];
        for (bytes, shown) in sizes {
            assert_eq!(shown_size(bytes), shown);
        }
        assert_eq!(shown_size(u64::MAX), "17179869183.9 GiB");
    }
}
