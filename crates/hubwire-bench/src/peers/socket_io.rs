//! Socket.IO in Node, installed where this program was built.

use std::io;
use std::process::Command;

use super::{Compression, Kind, Offer, Peer, Serve, Start};
use crate::dialect::SocketIo;
use crate::install;
use crate::link::Link;
use crate::order::Order;

pub(super) const PEER: Peer = Peer {
    name: "Socket.IO (node)",
    id: "socket-io",
    kind: Kind::Hub,
    start: Start::Elsewhere(command),
    links: &[Link::WebSocket, Link::Deflate, Link::LongPolling],
    offers: &[Offer::Calls, Offer::Broadcasts, Offer::Groups, Offer::Streams],
    order: Order::Kept,
    text: &SocketIo,
    binary: None,
};

const FILES: [(&str, &str); 2] = [
    ("package.json", include_str!("socket_io/package.json")),
    ("server.mjs", include_str!("socket_io/server.mjs")),
];

/// It has one thread, whatever is asked for.
fn command(serve: Serve) -> io::Result<Command> {
    let folder = install::folder("socket-io", &FILES)?;
    if !folder.join("node_modules/socket.io").exists() {
        let mut npm = Command::new("npm");
        install::run(npm.args(["install", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    }
    let mut node = Command::new("node");
    node.arg("server.mjs").current_dir(folder).env("PORT", serve.port.to_string());
    if serve.compression == Compression::On {
        node.env("COMPRESSION", "on");
    }
    Ok(node)
}
