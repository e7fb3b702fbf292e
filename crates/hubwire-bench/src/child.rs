//! A server in a process of its own, and what it costs by the kernel's account.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{self, Command, Stdio};
use std::time::Duration;

use crate::servers::Server;

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    process: process::Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Child {
    /// Starts this same program as a server on a free port, and waits until it listens.
    pub(crate) fn start(server: Server, workers: usize) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([server.command(), "--port", "0", "--workers", &workers.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let address = listening(&mut process);
        match address {
            Ok(address) => Ok(Self { process, address }),
            Err(error) => {
                end(&mut process);
                Err(error)
            }
        }
    }

    /// Time that its threads have run so far.
    ///
    /// From the scheduler's own counter in nanoseconds: `utime` and `stime` count ticks of 10 ms.
    /// It is exact for threads that sleep, which those of an idle server do.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let ran = text.split_whitespace().next().and_then(|ran| ran.parse::<u64>().ok());
            nanos += ran.ok_or_else(|| malformed("schedstat", &text))?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.ok_or_else(|| malformed("VmRSS", &text))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Kills by pid and waits, so that nothing of it runs beside the next server.
fn end(process: &mut process::Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// The address that a server prints first.
fn listening(process: &mut process::Child) -> io::Result<SocketAddr> {
    let mut line = String::new();
    if let Some(stdout) = process.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let address = line.trim().strip_prefix("http://").and_then(|address| address.parse().ok());
    address.ok_or_else(|| malformed("address", &line))
}

fn malformed(what: &str, text: &str) -> io::Error {
    io::Error::other(format!("no {what} in {text:?}"))
}
