//! A room on three servers: who speaks, who hears, and whether everything arrived.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Client, ClientError};
use crate::servers::Kind;

/// How many clients speak at once, all to the first server. Each sends one message after another.
pub(crate) const SENDERS: usize = 8;

/// How many messages of each sender are on their way at once at most: fewer than any server drops.
const BURST: u64 = 125;

/// How long nothing may come while something is awaited. Far longer than any message takes, on a loaded machine too.
const SILENCE: Duration = Duration::from_secs(20);

/// How much was heard, by all together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    heard: AtomicU64,
    changed: Notify,
}

/// Why a run is worth nothing.
#[derive(Debug, Error)]
pub(crate) enum RoomError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{heard} of {expected} messages arrived, and then nothing for {SILENCE:?}")]
    Lost { heard: u64, expected: u64 },
    #[error("{heard} messages arrived where {expected} were sent")]
    Surplus { heard: u64, expected: u64 },
}

#[derive(Debug)]
pub(crate) struct Room {
    kind: Kind,
    senders: Vec<Client>,
    listeners: JoinSet<ClientError>,
    tally: Arc<Tally>,
    /// How many messages each sender has sent.
    sent: u64,
}

impl Tally {
    pub(crate) fn add(&self, messages: u64) {
        self.heard.fetch_add(messages, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

impl Room {
    /// So many listeners on each server, and the senders on the first.
    pub(crate) async fn open(
        kind: Kind,
        servers: &[SocketAddr],
        clients: usize,
    ) -> Result<Self, RoomError> {
        let tally = Arc::new(Tally::default());
        let mut listeners = JoinSet::new();
        for server in servers {
            for _ in 0..clients {
                let client = Client::connect(kind, *server, "listener").await?;
                listeners.spawn(client.listen(SENDERS, tally.clone()));
            }
        }
        let mut senders = Vec::new();
        for _ in 0..SENDERS {
            senders.push(Client::connect(kind, servers[0], "sender").await?);
        }
        Ok(Self { kind, senders, listeners, tally, sent: 0 })
    }

    /// Sends so many messages, a burst at a time; returns once all of them have arrived everywhere. How many it were.
    pub(crate) async fn send(&mut self, messages: u64) -> Result<u64, RoomError> {
        let senders = SENDERS as u64;
        let from = self.sent;
        let upto = from + messages.div_ceil(senders);
        while self.sent < upto {
            let count = BURST.min(upto - self.sent);
            for (sender, client) in self.senders.iter_mut().enumerate() {
                client.say(&self.kind.burst(sender, self.sent, count)).await?;
            }
            self.sent += count;
            self.arrived().await?;
        }
        Ok((self.sent - from) * senders)
    }

    async fn arrived(&mut self) -> Result<(), RoomError> {
        let expected = self.sent * (SENDERS * self.listeners.len()) as u64;
        loop {
            let heard = self.tally.heard.load(Ordering::Relaxed);
            if heard == expected {
                return Ok(());
            }
            if heard > expected {
                return Err(RoomError::Surplus { heard, expected });
            }
            tokio::select! {
                changed = timeout(SILENCE, self.tally.changed.notified()) => {
                    changed.map_err(|_| RoomError::Lost { heard, expected })?;
                }
                Some(Ok(error)) = self.listeners.join_next() => return Err(error.into()),
            }
        }
    }
}
