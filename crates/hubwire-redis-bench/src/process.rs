//! Servers in processes of their own, and what they cost by the kernel's account.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::servers::Kind;

/// A process that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts one, and waits for a line that says what `find` finds in it.
    fn start<T>(command: &mut Command, find: impl Fn(&str) -> Option<T>) -> io::Result<(Self, T)> {
        let mut process = Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
        let stdout = process.0.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some(found) = find(&line) {
                // What it says later is read, so that it never waits for that.
                thread::spawn(move || lines.for_each(drop));
                return Ok((process, found));
            }
        }
        Err(io::Error::other("a server ended before it was ready"))
    }

    /// A Redis that keeps nothing on disk, and its address.
    pub(crate) fn redis() -> io::Result<(Self, String)> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port().to_string();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let is_ready = |line: &str| line.contains("Ready to accept").then_some(());
        let (process, ()) = Self::start(&mut command, is_ready)?;
        Ok((process, format!("redis://127.0.0.1:{port}/?protocol=resp3")))
    }

    /// This same program as a server, and where it listens.
    pub(crate) fn server(kind: Kind, redis: &str) -> io::Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([kind.command(), redis]);
        Self::start(&mut command, |line| line.strip_prefix("http://")?.parse().ok())
    }

    /// Time that its threads have run so far.
    ///
    /// From the scheduler's own counter in nanoseconds: `utime` and `stime` count ticks of 10 ms.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let ran = text.split_whitespace().next().and_then(|ran| ran.parse::<u64>().ok());
            nanos += ran.ok_or_else(|| io::Error::other(format!("no schedstat in {text:?}")))?;
        }
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Process {
    /// Kills by pid and waits, so that nothing of it runs beside the next one.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
