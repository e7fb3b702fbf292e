//! The servers: each with a room, whose listeners are on all of them, and a call that sends to it.

mod hubwire;
mod socketioxide;

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;

/// What every message carries beside its sender and number.
const TEXT: &str = "A message of a chat, as long as one";

/// The room.
const ROOM: &str = "room";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hubwire,
    Socketioxide,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Hubwire, Self::Socketioxide];

    /// What starts it on the command line.
    pub(crate) const fn command(self) -> &'static str {
        match self {
            Self::Hubwire => "serve-hubwire",
            Self::Socketioxide => "serve-socketioxide",
        }
    }

    /// Serves on a free port of 127.0.0.1, with one worker.
    pub(crate) fn serve(self, redis: &str) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Hubwire => hubwire::serve(redis),
            Self::Socketioxide => socketioxide::serve(redis),
        }
    }
}

/// Says where it listens.
fn announce(address: SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "http://{address}")
}
