//! The least there is, at `/echo`: frames of fastwebsockets over hyper, as in its example of an echo server.

use std::io;

use fastwebsockets::upgrade::{self, UpgradeFut};
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{Kind, Offer, Peer, Serve, Start, announce, tokio_runtime};
use crate::dialect::Plain;
use crate::link::Link;
use crate::order::Order;

pub(super) const PEER: Peer = Peer {
    name: "fastwebsockets",
    id: "fastwebsockets",
    kind: Kind::Raw,
    start: Start::Here(serve),
    links: &[Link::WebSocket],
    offers: &[Offer::Calls],
    order: Order::Kept,
    text: &Plain,
    binary: None,
};

async fn echo(upgraded: UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            OpCode::Continuation | OpCode::Ping | OpCode::Pong => {}
        }
    }
}

async fn upgrade(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    // A client that leaves without a goodbye is an error, and none that anyone would want to hear of.
    tokio::spawn(async { drop(tokio::task::unconstrained(echo(upgraded)).await) });
    Ok(response)
}

fn serve(serve: Serve) -> io::Result<()> {
    tokio_runtime(serve)?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", serve.port)).await?;
        announce(&[listener.local_addr()?])?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service_fn(upgrade))
                    .with_upgrades(),
            );
        }
    })
}
