//! What a process costs by the kernel's account.

use std::fs;
use std::io;
use std::time::Duration;

/// A process of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pid: u32,
}

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// Time that its threads have run so far.
    ///
    /// From the scheduler's own counter in nanoseconds: `utime` and `stime` count ticks of 10 ms.
    /// It is exact for threads that sleep, which those of an idle server do.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            // A thread may end while it is looked at; what it ran is lost then, and little.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let ran = text.split_whitespace().next().and_then(|ran| ran.parse::<u64>().ok());
            nanos += ran.ok_or_else(|| malformed("schedstat", &text))?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.ok_or_else(|| malformed("VmRSS", &text))
    }
}

/// What a text of another process lacks.
pub(crate) fn malformed(what: &str, text: &str) -> io::Error {
    io::Error::other(format!("no {what} in {text:?}"))
}
