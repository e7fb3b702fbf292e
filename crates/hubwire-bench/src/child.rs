//! A server in a process of its own.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{self, Command, Stdio};

use crate::peers::{Compression, Peer, Serve, Start};
use crate::process::{Process, malformed};

/// Set where a server ends when its input does, so that none is left behind by a run that is killed.
pub(crate) const WATCH: &str = "END_WITH_STDIN";

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    child: process::Child,
    /// What it costs.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Child {
    /// Starts a server on a port of its choice, and waits until it listens.
    pub(crate) fn start(peer: &Peer, serve: Serve) -> io::Result<Self> {
        let mut command = match peer.start {
            Start::Here(_) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(peer.command()).args(["--port", &serve.port.to_string()]);
                command.args(["--workers", &serve.workers.to_string()]);
                if serve.compression == Compression::On {
                    command.arg("--compression");
                }
                command
            }
            Start::Elsewhere(command) => command(serve)?,
        };
        let mut child =
            command.env(WATCH, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let address = listening(&mut child);
        match address {
            Ok(address) => Ok(Self { process: Process::new(child.id()), child, address }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        end(&mut self.child);
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
