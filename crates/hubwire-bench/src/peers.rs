//! The servers that are measured, each in a file that says how it is started and what it can.

mod actix_ws;
mod aspnet;
mod fastwebsockets;
mod hubwire;
mod socket_io;
mod socketioxide;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::{self, Command};
use std::thread;

use crate::child::WATCH;
use crate::dialect::Dialect;
use crate::link::Link;
use crate::order::Order;

/// All of them, in the order of the table.
pub(crate) const ALL: [&Peer; 6] = [
    &hubwire::PEER,
    &aspnet::PEER,
    &socketioxide::PEER,
    &socket_io::PEER,
    &actix_ws::PEER,
    &fastwebsockets::PEER,
];

/// A server.
#[derive(Debug)]
pub(crate) struct Peer {
    /// In tables.
    pub(crate) name: &'static str,
    /// On the command line.
    pub(crate) id: &'static str,
    pub(crate) kind: Kind,
    pub(crate) start: Start,
    pub(crate) links: &'static [Link],
    pub(crate) offers: &'static [Offer],
    /// In which order a client's calls are answered, and it is told what one client says.
    pub(crate) order: Order,
    pub(crate) text: &'static dyn Dialect,
    pub(crate) binary: Option<&'static dyn Dialect>,
}

/// What a server is to Hubwire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// It has calls, groups and transports too.
    Hub,
    /// A socket, and nothing around it.
    Raw,
}

/// How a server comes to run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// This program serves, until it is killed.
    Here(fn(Serve) -> io::Result<()>),
    /// Another program does, which prints its address first as the others do.
    Elsewhere(fn(Serve) -> io::Result<Command>),
}

/// What can be asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Calls,
    Broadcasts,
    Groups,
    Streams,
}

/// How a server is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serve {
    /// 0 takes a free one; the first line on stdout says which.
    pub(crate) port: u16,
    /// Threads that serve connections, where that can be chosen.
    pub(crate) workers: usize,
    pub(crate) compression: Compression,
}

/// Whether WebSockets are compressed for those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Off,
    On,
}

impl Peer {
    /// The subcommand that runs it, if this program does.
    pub(crate) fn command(&self) -> String {
        match self.kind {
            Kind::Ours => "serve".to_owned(),
            Kind::Hub | Kind::Raw => format!("serve-{}", self.id),
        }
    }
}

/// Ends this process when whoever started it is gone, if it was started for a measurement.
pub(crate) fn end_with_parent() {
    if std::env::var_os(WATCH).is_some() {
        thread::spawn(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            process::exit(0);
        });
    }
}

/// Says where a server is, to people and to [`Child`](crate::child::Child).
fn announce(addresses: &[SocketAddr]) -> io::Result<()> {
    let mut out = io::stdout();
    for address in addresses {
        writeln!(out, "http://{address}")?;
    }
    out.flush()
}

/// The runtime of peers that are not actix.
fn tokio_runtime(serve: Serve) -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(serve.workers)
        .enable_io()
        .enable_time()
        .build()
}
