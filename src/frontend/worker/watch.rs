//! What a worker uses: processor time and memory, as the kernel says in `/proc`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the kernel says about a process. The files stay open, so that they cannot be those of
/// another process that got the same number.
#[derive(Debug)]
pub struct Watch {
    stat: File,
    statm: File,
    status: File,
    threads: PathBuf,
    ticks_per_second: u64,
    page_bytes: u64,
}

impl Watch {
    /// Watches a process; `None` where there is no `/proc`.
    pub fn new(process: u32) -> Option<Watch> {
        let directory = PathBuf::from(format!("/proc/{process}"));
        let open = |name: &str| open(&directory.join(name));
        Some(Watch {
            stat: open("stat")?,
            statm: open("statm")?,
            status: open("status")?,
            threads: directory.join("task"),
            ticks_per_second: rustix::param::clock_ticks_per_second(),
            page_bytes: rustix::param::page_size() as u64,
        })
    }

    /// The processor time that the process has used.
    pub fn processor_time(&self) -> Option<Duration> {
        let text = read(&self.stat)?;
        // The name, in parentheses, may contain anything; `utime` and `stime` are fields 14 and 15.
        let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().skip(11);
        let [user, system] = [fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?];
        Some(Duration::from_millis((user + system) * 1000 / self.ticks_per_second.max(1)))
    }

    /// The memory that the process uses, in bytes.
    pub fn memory(&self) -> Option<u64> {
        let text = read(&self.statm)?;
        Some(text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()? * self.page_bytes)
    }

    /// The most memory that the process has used so far, in bytes.
    pub fn peak(&self) -> Option<u64> {
        peak_in(&read(&self.status)?)
    }

    /// Whether all threads of the process sleep, so that they wait for something other than a disk.
    pub fn sleeps(&self) -> bool {
        let Ok(threads) = std::fs::read_dir(&self.threads) else { return false };
        let sleeps = |stat: PathBuf| {
            let text = open(&stat).and_then(|stat| read(&stat)).unwrap_or_default();
            text.rfind(')').and_then(|end| text.get(end + 1..)).is_some_and(|rest| rest.trim_start().starts_with('S'))
        };
        threads.flatten().all(|thread| sleeps(thread.path().join("stat")))
    }
}

/// The most memory that this process has used so far, in bytes.
pub fn peak_memory() -> Option<u64> {
    peak_in(&read(&open(Path::new("/proc/self/status"))?)?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn open(path: &Path) -> Option<File> {
    File::open(path).ok()
}

fn read(file: &File) -> Option<String> {
    let mut text = [0; 4096];
    let length = file.read_at(&mut text, 0).ok()?;
    Some(String::from_utf8_lossy(&text[..length]).into_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_what_a_process_uses() {
        let watch = Watch::new(std::process::id()).unwrap();
        let before = watch.processor_time().unwrap();
        let start = std::time::Instant::now();
        while watch.processor_time().unwrap() == before && start.elapsed() < Duration::from_secs(60) {}
        assert!(watch.processor_time().unwrap() > before);
        assert!(watch.memory().unwrap() > 1 << 20 && watch.peak().unwrap() >= watch.memory().unwrap() / 2);
        assert!(peak_memory().is_some() && !watch.sleeps());
    }

    #[test]
    fn a_process_that_waits_sleeps() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let watch = Watch::new(child.id()).unwrap();
        let start = std::time::Instant::now();
        while !watch.sleeps() && start.elapsed() < Duration::from_secs(60) {}
        assert!(watch.sleeps());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(watch.processor_time(), None);
    }
}
