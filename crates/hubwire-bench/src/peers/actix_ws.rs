//! The raw peer at `/echo`: sessions of actix-ws, kept and sent to as in its chat example.
//!
//! It has neither timeouts nor pings nor calls, so it is about the least that a WebSocket of actix-web can cost.

use std::io;
use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use actix_ws::{AggregatedMessage, Session};
use bytestring::ByteString;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Mutex;

use super::{Kind, Offer, Peer, Serve, Start, announce};
use crate::dialect::{Plain, TO_ALL};
use crate::link::Link;
use crate::order::Order;

pub(super) const PEER: Peer = Peer {
    name: "actix-ws",
    id: "actix-ws",
    kind: Kind::Raw,
    start: Start::Here(serve),
    links: &[Link::WebSocket],
    offers: &[Offer::Calls, Offer::Broadcasts],
    order: Order::Kept,
    text: &Plain,
    binary: None,
};

/// Everyone who is connected.
#[derive(Clone, Default)]
struct Everyone {
    sessions: Arc<Mutex<Vec<Session>>>,
}

impl Everyone {
    async fn insert(&self, session: Session) {
        self.sessions.lock().await.push(session);
    }

    /// Sends to all, and forgets those who have left.
    async fn send(&self, text: &ByteString) {
        let mut sessions = self.sessions.lock().await;
        let mut sends: FuturesUnordered<_> =
            sessions
                .drain(..)
                .map(|mut session| async move {
                    session.text(text.clone()).await.ok().map(|()| session)
                })
                .collect();
        while let Some(session) = sends.next().await {
            sessions.extend(session);
        }
    }
}

async fn echo(
    request: HttpRequest,
    body: web::Payload,
    everyone: web::Data<Everyone>,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, messages) = actix_ws::handle(&request, body)?;
    let mut messages = messages.aggregate_continuations();
    everyone.insert(session.clone()).await;
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.recv().await {
            match message {
                AggregatedMessage::Text(text) if text.as_bytes().first() == Some(&TO_ALL) => {
                    everyone.send(&text).await;
                }
                AggregatedMessage::Text(text) => {
                    if session.text(text).await.is_err() {
                        return;
                    }
                }
                AggregatedMessage::Ping(payload) => {
                    if session.pong(&payload).await.is_err() {
                        return;
                    }
                }
                AggregatedMessage::Close(reason) => {
                    let _ = session.close(reason).await;
                    return;
                }
                AggregatedMessage::Binary(_) | AggregatedMessage::Pong(_) => {}
            }
        }
        let _ = session.close(None).await;
    });
    Ok(response)
}

#[actix_web::main]
async fn serve(serve: Serve) -> io::Result<()> {
    let everyone = web::Data::new(Everyone::default());
    let server = HttpServer::new(move || {
        App::new().app_data(everyone.clone()).route("/echo", web::get().to(echo))
    })
    .workers(serve.workers)
    // As Hubwire has it: without, the two would wait for acknowledgements at different times.
    .tcp_nodelay(true)
    .bind(("127.0.0.1", serve.port))?;
    announce(&server.addrs())?;
    server.run().await
}
