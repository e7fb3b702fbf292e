//! One load, and what it costs.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::room::Room;
use crate::servers::Kind;

/// A room with so many clients on each server, that so many messages are sent to from the first one.
#[derive(Debug)]
pub(crate) struct Cell {
    servers: usize,
    clients: usize,
    messages: u64,
}

/// What it costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// µs that all servers together ran, for each client of another server that got a message.
    pub(crate) servers: f64,
    /// µs that Redis ran, for each message.
    pub(crate) redis: f64,
    /// Messages a second, each to everyone.
    pub(crate) rate: f64,
}

impl Cell {
    /// One client on each server, which is the way between servers and nothing else; and as many as share its cost.
    pub(crate) fn all(servers: usize, messages: u64) -> [Self; 2] {
        let fewer = messages.div_ceil(10);
        [Self { servers, clients: 1, messages }, Self { servers, clients: 50, messages: fewer }]
    }

    /// Starts a Redis and its servers, and sends; a tenth goes ahead and is not counted.
    pub(crate) async fn measure(&self, kind: Kind) -> Result<Figures, Box<dyn Error>> {
        let (redis, url) = Process::redis()?;
        let started: Result<Vec<_>, _> =
            (0..self.servers).map(|_| Process::server(kind, &url)).collect();
        let (servers, addresses): (Vec<_>, Vec<_>) = started?.into_iter().unzip();
        let mut room = Room::open(kind, &addresses, self.clients).await?;
        room.send(self.messages.div_ceil(10)).await?;
        let (servers_before, redis_before) = (total(&servers)?, redis.cpu()?);
        let start = Instant::now();
        let sent = room.send(self.messages).await?;
        let elapsed = start.elapsed();
        let servers = total(&servers)? - servers_before;
        let redis = redis.cpu()? - redis_before;
        let deliveries = sent * ((self.servers - 1) * self.clients) as u64;
        Ok(Figures {
            servers: each(servers, deliveries),
            redis: each(redis, sent),
            rate: 1e6 / each(elapsed, sent),
        })
    }
}

fn total(servers: &[Process]) -> std::io::Result<Duration> {
    servers.iter().map(Process::cpu).sum()
}

/// µs for each of so many.
#[expect(clippy::cast_precision_loss, reason = "a mean needs no more")]
fn each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

impl Figures {
    /// The best of both: what disturbs a run only ever makes it worse.
    pub(crate) fn best(self, other: Self) -> Self {
        Self {
            servers: self.servers.min(other.servers),
            redis: self.redis.min(other.redis),
            rate: self.rate.max(other.rate),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, clients, .. } = self;
        let plural = if *clients == 1 { "" } else { "s" };
        write!(f, "{servers} servers × {clients} client{plural}")
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, redis, rate } = self;
        write!(f, "{servers:.2} µs per delivery, Redis {redis:.2} µs, {rate:.0} messages/s")
    }
}
