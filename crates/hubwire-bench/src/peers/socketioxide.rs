//! Socket.IO by socketioxide over axum, as in its README.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use tokio::net::TcpListener;
use tokio::time;

use super::{Kind, Offer, Peer, Serve, Start, announce, tokio_runtime};
use crate::dialect;
use crate::link::Link;
use crate::order::Order;

pub(super) const PEER: Peer = Peer {
    name: "socketioxide",
    id: "socketioxide",
    kind: Kind::Hub,
    start: Start::Here(serve),
    links: &[Link::WebSocket, Link::LongPolling],
    offers: &[Offer::Calls, Offer::Broadcasts, Offer::Groups, Offer::Streams],
    order: Order::Loose,
    text: &dialect::SocketIo,
    binary: None,
};

async fn on_connect(socket: SocketRef) {
    socket.on("echo", async |Data::<String>(text), ack: AckSender| {
        ack.send(&text).ok();
    });
    socket.on("broadcast", async |io: SocketIo, Data::<String>(text)| {
        io.emit("message", &text).await.ok();
    });
    socket.on("join", async |socket: SocketRef, Data::<String>(group), ack: AckSender| {
        socket.join(group.clone());
        ack.send(&group).ok();
    });
    socket.on("to-group", async |io: SocketIo, Data::<(String, String)>((group, text))| {
        io.to(group).emit("message", &text).await.ok();
    });
    // It has no streams, so what follows one another is emitted one by one.
    socket.on("ticks", async |socket: SocketRef, Data::<u64>(items)| {
        let mut clock = time::interval(Duration::from_millis(100));
        for item in 0..items {
            clock.tick().await;
            socket.emit("tick", &item).ok();
        }
        socket.emit("end", "").ok();
    });
}

fn serve(serve: Serve) -> io::Result<()> {
    tokio_runtime(serve)?.block_on(async {
        let (layer, io) = SocketIo::new_layer();
        io.ns("/", on_connect);
        let app = Router::new().layer(layer);
        let listener = TcpListener::bind(("127.0.0.1", serve.port)).await?;
        announce(&[listener.local_addr()?])?;
        // As Hubwire has it.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        axum::serve(listener, app).await
    })
}
