//! Microsoft's own, ASP.NET Core 3.1, which is the newest that a package registry has for everyone.

use std::borrow::Cow;
use std::io;
use std::process::Command;

use super::{Kind, Offer, Peer, Serve, Start};
use crate::dialect::Json;
use crate::install;
use crate::link::Link;
use crate::order::Order;

pub(super) const PEER: Peer = Peer {
    name: "ASP.NET Core 3.1",
    id: "aspnet",
    kind: Kind::Hub,
    start: Start::Elsewhere(command),
    // It has neither short polling nor compression, and its MessagePack is a package of another registry.
    links: &[Link::WebSocket, Link::Negotiated, Link::EventStream, Link::LongPolling],
    offers: &[Offer::Calls, Offer::Broadcasts, Offer::Groups, Offer::Streams],
    order: Order::Kept,
    text: &Json { path: Cow::Borrowed("/hub") },
    binary: None,
};

/// How it is installed and compiled is shared with the tests.
const BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/aspnet/build");

/// It has as many threads as it likes, whatever is asked for.
fn command(serve: Serve) -> io::Result<Command> {
    let folder = install::folder("aspnet", &[("bench.cs", include_str!("aspnet/bench.cs"))])?;
    install::run(Command::new(BUILD).arg(&folder).arg(folder.join("bench.cs")))?;
    let mut bench = Command::new(folder.join("bench"));
    bench.env("PORT", serve.port.to_string());
    Ok(bench)
}
