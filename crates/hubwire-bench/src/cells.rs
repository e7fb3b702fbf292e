//! What is measured: one kind of load on a server that was started for it.

mod echo;
mod fanout;

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use self::echo::Echo;
use self::fanout::Fanout;
use crate::child::Child;
use crate::servers::Server;
use crate::swarm::{Conversation, Swarm, SwarmError};

/// A part of the load before the measured one, in which caches warm and buffers grow.
const WARM_UP: u64 = 10;
/// The texts of what is said beside the measured load.
const SHORT: usize = 32;

/// One load with its size.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    /// Every client calls, with so many calls in flight, and gets its text back.
    Echo { clients: usize, in_flight: u64, bytes: usize, calls: u64 },
    /// One client has everyone told a text, with so many on their way at once.
    Fanout { clients: usize, in_flight: u64, bytes: usize, broadcasts: u64 },
    /// Clients that connected and say nothing.
    Idle { clients: usize },
}

impl Cell {
    /// What its figure counts.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Echo { .. } => "µs CPU per call",
            Self::Fanout { .. } => "µs CPU per delivery",
            Self::Idle { .. } => "KiB per connection",
        }
    }

    /// Measures a server, which is started for this and ends with it.
    pub(crate) fn measure(self, server: Server, workers: usize) -> Result<f64, CellError> {
        let child = Child::start(server, workers)?;
        let connect =
            |clients| Swarm::connect(child.address, server.path(), server.dialect(), clients);
        match self {
            Self::Echo { clients, in_flight, bytes, calls } => {
                let mut swarm = connect(clients)?;
                // The same number for each client, so what is measured is exactly what was done.
                let each = (calls / clients as u64).max(1);
                let warm_up = (each / WARM_UP).max(in_flight);
                swarm.converse(&mut Echo::new(clients, 0..warm_up, in_flight, bytes))?;
                let end = warm_up + each;
                let mut echo = Echo::new(clients, warm_up..end, in_flight, bytes);
                let spent = spend(&child, &mut swarm, &mut echo)?;
                nothing_follows(&mut swarm, end)?;
                Ok(micros(spent) / (each * clients as u64) as f64)
            }
            Self::Fanout { clients, in_flight, bytes, broadcasts } => {
                let mut swarm = connect(clients)?;
                let warm_up = (broadcasts / WARM_UP).max(in_flight);
                swarm.converse(&mut Fanout::new(clients, 0..warm_up, in_flight, bytes))?;
                let end = warm_up + broadcasts;
                let mut fanout = Fanout::new(clients, warm_up..end, in_flight, bytes);
                let spent = spend(&child, &mut swarm, &mut fanout)?;
                nothing_follows(&mut swarm, end)?;
                Ok(micros(spent) / (broadcasts * clients as u64) as f64)
            }
            Self::Idle { clients } => {
                // What the first connection brings with it is not what each costs.
                let mut first = connect(1)?;
                nothing_follows(&mut first, 0)?;
                let before = child.resident()?;
                let mut swarm = connect(clients)?;
                let after = child.resident()?;
                // They all live: what was counted are connections and not what is left of them.
                nothing_follows(&mut swarm, 0)?;
                Ok(after.saturating_sub(before) as f64 / clients as f64)
            }
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo { clients, in_flight, bytes, .. } => {
                write!(f, "echo: {clients} clients × {in_flight} in flight, {bytes} B")
            }
            Self::Fanout { clients, in_flight, bytes, .. } => {
                write!(f, "fan-out: {clients} clients, {in_flight} in flight, {bytes} B")
            }
            Self::Idle { clients } => write!(f, "idle: {clients} clients"),
        }
    }
}

/// Why a cell has no figure.
#[derive(Debug, Error)]
pub(crate) enum CellError {
    #[error(transparent)]
    Server(#[from] io::Error),
    #[error(transparent)]
    Swarm(#[from] SwarmError),
}

/// What a server spends on a conversation.
fn spend(
    child: &Child,
    swarm: &mut Swarm,
    conversation: &mut impl Conversation,
) -> Result<Duration, CellError> {
    let before = child.cpu()?;
    swarm.converse(conversation)?;
    Ok(child.cpu()?.saturating_sub(before))
}

/// Has every client call once more: what it was sent too much comes before the answer, and is an error there.
fn nothing_follows(swarm: &mut Swarm, number: u64) -> Result<(), SwarmError> {
    swarm.converse(&mut Echo::new(swarm.len(), number..number + 1, 1, SHORT))
}

fn micros(spent: Duration) -> f64 {
    spent.as_nanos() as f64 / 1e3
}
