//! The servers that are measured.

mod actix_ws;
mod hubwire;

use std::io::{self, Write as _};
use std::net::SocketAddr;

use crate::dialect::Dialect;

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Hubwire,
    ActixWs,
}

/// How a server is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serve {
    /// 0 takes a free one; the first line on stdout says which.
    pub(crate) port: u16,
    /// Threads that serve connections.
    pub(crate) workers: usize,
}

impl Server {
    pub(crate) const ALL: [Self; 2] = [Self::Hubwire, Self::ActixWs];

    /// The subcommand that runs it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Hubwire => "serve",
            Self::ActixWs => "serve-actix-ws",
        }
    }

    /// Where its WebSocket is.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Hubwire => "/hub",
            Self::ActixWs => "/echo",
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Hubwire => Dialect::Hub,
            Self::ActixWs => Dialect::Plain,
        }
    }

    /// Serves until it is killed.
    pub(crate) fn serve(self, serve: Serve) -> io::Result<()> {
        match self {
            Self::Hubwire => hubwire::serve(serve),
            Self::ActixWs => actix_ws::serve(serve),
        }
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
