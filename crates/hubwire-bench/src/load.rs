//! A user's own hub under load: more and more clients, which call and pause, and what their calls took.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crate::dialect::{Any, Heard, Say};
use crate::error::SwarmError;
use crate::link::Link;
use crate::process::Process;
use crate::swarm::{Conversation, Outgoing, Swarm};

/// What is called, and by how many.
#[derive(Debug)]
pub(crate) struct Load {
    /// `http://host:port/path` of the hub.
    pub(crate) url: String,
    pub(crate) link: Link,
    pub(crate) target: String,
    /// An array as JSON.
    pub(crate) arguments: String,
    pub(crate) clients: usize,
    /// In how many steps they come.
    pub(crate) steps: usize,
    /// How long each step is watched.
    pub(crate) watch: Duration,
    /// From an answer to the next call of a client.
    pub(crate) pause: Duration,
    /// The server, where it runs on this machine.
    pub(crate) pid: Option<u32>,
}

/// Runs it, and prints a line for every step.
pub(crate) fn run(load: Load) -> Result<(), Box<dyn Error>> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let (address, path) = address(&load.url)?;
    // As long as the program runs.
    let dialect: &'static Any =
        Box::leak(Box::new(Any { path, target: load.target, arguments: load.arguments }));
    let mut swarm = Swarm::new(address, load.link, dialect)?;
    let server = load.pid.map(Process::new);
    let mut out = io::stdout();
    writeln!(
        out,
        "| clients | calls/s | p50 ms | p99 ms | most ms | told/s | CPU µs/call | RSS MiB |"
    )?;
    writeln!(out, "|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for step in 1..=load.steps {
        swarm.connect(load.clients * step / load.steps - swarm.len())?;
        let before = server.as_ref().map(Process::cpu).transpose()?;
        let started = Instant::now();
        let mut calls = Calls::new(swarm.len(), load.pause, started + load.watch);
        swarm.converse(&mut calls)?;
        let took = started.elapsed().as_secs_f64();
        let Calls { mut latencies, told, .. } = calls;
        latencies.sort_unstable();
        let at = |share: f64| {
            let index = ((latencies.len() as f64 * share) as usize).min(latencies.len() - 1);
            latencies[index].as_secs_f64() * 1e3
        };
        write!(
            out,
            "| {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.0} |",
            swarm.len(),
            latencies.len() as f64 / took,
            at(0.5),
            at(0.99),
            at(1.0),
            told as f64 / took
        )?;
        match server.as_ref().zip(before) {
            Some((server, before)) => {
                let spent = server.cpu()?.saturating_sub(before).as_secs_f64() * 1e6;
                let resident = server.resident()? as f64 / 1024.0;
                writeln!(out, " {:.2} | {resident:.1} |", spent / latencies.len() as f64)?;
            }
            None => writeln!(out, " – | – |")?,
        }
    }
    Ok(())
}

/// Of `http://host:port/path`.
fn address(url: &str) -> Result<(SocketAddr, String), Box<dyn Error>> {
    let rest = url.strip_prefix("http://").ok_or("the address begins with http://")?;
    let (host, path) = rest.split_once('/').ok_or("the address has the path of the hub")?;
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = host.to_socket_addrs()?.next().ok_or("the host has no address")?;
    Ok((address, format!("/{path}")))
}

/// Every client calls, pauses when it is answered, and calls again, up to a point in time.
#[derive(Debug)]
struct Calls {
    pause: Duration,
    until: Instant,
    /// By client, the number of its call and when it was said.
    said: Vec<Option<(u64, Instant)>>,
    /// Who calls next, and when, in order.
    due: VecDeque<(Instant, usize)>,
    number: u64,
    in_flight: usize,
    latencies: Vec<Duration>,
    told: u64,
}

impl Calls {
    fn new(clients: usize, pause: Duration, until: Instant) -> Self {
        // Their first calls are spread over a pause, so that they do not come in waves.
        let now = Instant::now();
        let due = (0..clients)
            .map(|client| (now + pause.mul_f64(client as f64 / clients as f64), client))
            .collect();
        let said = vec![None; clients];
        let latencies = Vec::new();
        Self { pause, until, said, due, number: 0, in_flight: 0, latencies, told: 0 }
    }
}

impl Conversation for Calls {
    fn begin(&mut self, out: &mut Outgoing) {
        self.wake(out);
    }

    fn wake(&mut self, out: &mut Outgoing) -> Option<Duration> {
        let now = Instant::now();
        while let Some((due, client)) = self.due.front().copied() {
            if now >= self.until {
                self.due.clear();
                return None;
            }
            if due > now {
                return Some(due.min(self.until) - now);
            }
            self.due.pop_front();
            self.said[client] = Some((self.number, now));
            out.say(client, Say::Call { number: self.number, text: "" });
            self.number += 1;
            self.in_flight += 1;
        }
        None
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        _: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        match (heard, self.said[client]) {
            (Heard::Told { .. }, _) => self.told += 1,
            (Heard::Answer { number: Some(answered), .. }, Some((number, since)))
                if *answered == number =>
            {
                let now = Instant::now();
                self.said[client] = None;
                self.in_flight -= 1;
                self.latencies.push(now - since);
                self.due.push_back((now + self.pause, client));
            }
            _ => return Err(SwarmError::wrong(client, "the answer to its call", heard)),
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.due.is_empty() && self.in_flight == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_path() {
        let (address, path) = address("http://127.0.0.1:5000/chat").unwrap();
        assert_eq!((address.port(), path.as_str()), (5000, "/chat"));
        for wrong in ["127.0.0.1/chat", "http://127.0.0.1", "https://127.0.0.1/chat"] {
            assert!(super::address(wrong).is_err(), "{wrong}");
        }
    }
}
