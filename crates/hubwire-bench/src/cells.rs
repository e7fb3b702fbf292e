//! What is measured: one kind of load on a server that was started for it, in a file of its own with its sizes.

mod connect;
mod echo;
mod fanout;
mod idle;
mod streams;

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use thiserror::Error;

use self::echo::EchoConversation;
use crate::child::Child;
use crate::dialect::Dialect;
use crate::error::SwarmError;
use crate::link::Link;
use crate::order::Order;
use crate::peers::{Compression, Offer, Peer, Serve};
use crate::swarm::{Conversation, Swarm};

/// A part of the load before the measured one, in which caches warm, buffers grow and other languages compile.
const WARM_UP: u64 = 4;
/// The texts of what is said beside the measured load.
const SHORT: usize = 32;
/// Bits of a connection's first memory belong to the first connections only.
const FIRST_CLIENTS: usize = 20;

/// Every cell, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Cell> {
    [echo::CELLS, fanout::CELLS, streams::CELLS, connect::CELLS, idle::CELLS].into_iter().flatten()
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Its family, a dash, and what tells it from the others of it; chosen by any beginning of it.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) link: Link,
    pub(crate) format: Format,
    pub(crate) needs: Offer,
    pub(crate) load: &'static dyn Load,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    CpuPerCall,
    CpuPerDelivery,
    CpuPerItem,
    CpuPerConnection,
    MemoryPerConnection,
}

/// Which of a peer's protocols is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Binary,
}

/// A load, and how its figure comes about.
pub(crate) trait Load: Debug + Sync {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError>;
}

/// A server that was started for one cell.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    child: &'a Child,
    link: Link,
    dialect: &'static dyn Dialect,
    order: Order,
    scale: f64,
}

/// Why a cell has no figure.
#[derive(Debug, Error)]
pub(crate) enum CellError {
    #[error(transparent)]
    Server(#[from] io::Error),
    #[error(transparent)]
    Swarm(#[from] SwarmError),
}

impl Unit {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::CpuPerCall => "µs CPU per call",
            Self::CpuPerDelivery => "µs CPU per delivery",
            Self::CpuPerItem => "µs CPU per item",
            Self::CpuPerConnection => "µs CPU per connection",
            Self::MemoryPerConnection => "KiB per connection",
        }
    }
}

impl Cell {
    /// How a peer is spoken to in it, if it can be.
    pub(crate) fn dialect(&self, peer: &Peer) -> Option<&'static dyn Dialect> {
        let can = peer.links.contains(&self.link) && peer.offers.contains(&self.needs);
        let dialect = match self.format {
            Format::Text => Some(peer.text),
            Format::Binary => peer.binary,
        };
        dialect.filter(|_| can)
    }

    /// Measures a peer that can do it, by a process that is started for this and ends with it.
    pub(crate) fn measure(
        &self,
        peer: &Peer,
        dialect: &'static dyn Dialect,
        workers: usize,
        scale: f64,
    ) -> Result<f64, CellError> {
        let compression = match self.link {
            Link::Deflate => Compression::On,
            Link::WebSocket
            | Link::Negotiated
            | Link::EventStream
            | Link::LongPolling
            | Link::ShortPolling => Compression::Off,
        };
        let child = Child::start(peer, Serve { port: 0, workers, compression })?;
        let Self { link, load, .. } = *self;
        load.measure(&Target { child: &child, link, dialect, order: peer.order, scale })
    }
}

impl Target<'_> {
    /// Clients of it.
    fn connect(&self, count: usize) -> Result<Swarm, SwarmError> {
        let mut swarm = Swarm::new(self.child.address, self.link, self.dialect)?;
        swarm.connect(count)?;
        Ok(swarm)
    }

    /// A size, smaller where everything is only tried.
    fn clients(&self, count: usize) -> usize {
        ((count as f64 * self.scale) as usize).max(2)
    }

    /// A number of operations, smaller where everything is only tried.
    fn times(&self, count: u64) -> u64 {
        ((count as f64 * self.scale) as u64).max(WARM_UP)
    }

    /// What the server spends on a conversation.
    fn spend(
        &self,
        swarm: &mut Swarm,
        conversation: &mut dyn Conversation,
    ) -> Result<Duration, CellError> {
        let before = self.child.process.cpu()?;
        swarm.converse(conversation)?;
        Ok(self.child.process.cpu()?.saturating_sub(before))
    }
}

/// Has every client call once more: what it was sent too much comes before the answer, and is an error there.
fn nothing_follows(swarm: &mut Swarm, number: u64) -> Result<(), SwarmError> {
    let clients = swarm.len();
    swarm.converse(&mut EchoConversation::new(clients, number..number + 1, 1, SHORT, Order::Kept))
}

fn micros(spent: Duration) -> f64 {
    spent.as_nanos() as f64 / 1e3
}
