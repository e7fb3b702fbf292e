//! A hub as a user would write it, at `/hub`.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use actix_web::rt::time;
use actix_web::{App, HttpServer};
use futures_util::stream;
use hubwire::prelude::*;
use hubwire::{EndpointOptions, GroupError};

use super::{Compression, Kind, Offer, Peer, Serve, Start, announce};
use crate::dialect::{Json, MessagePack};
use crate::link::Link;
use crate::order::Order;

pub(super) const PEER: Peer = Peer {
    name: "Hubwire",
    id: "hubwire",
    kind: Kind::Ours,
    start: Start::Here(serve),
    links: &[
        Link::WebSocket,
        Link::Negotiated,
        Link::Deflate,
        Link::EventStream,
        Link::LongPolling,
        Link::ShortPolling,
    ],
    offers: &[Offer::Calls, Offer::Broadcasts, Offer::Groups, Offer::Streams],
    order: Order::Kept,
    text: &Json { path: Cow::Borrowed("/hub") },
    binary: Some(&MessagePack),
};

#[hub_client]
trait Listener {
    #[hub(rename = "message")] // what load generators written for other servers listen to
    fn message(text: &str);
}

struct Bench;

#[hub(client = Listener)]
impl Bench {
    fn echo(&self, text: String) -> String {
        text
    }

    #[expect(clippy::needless_pass_by_value, reason = "a hub's method owns what it is called with")]
    fn broadcast(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().all().message(&text);
    }

    async fn join(&self, cx: &CallerContext<Self>, group: String) -> Result<String, GroupError> {
        cx.join_group(&group).await?;
        Ok(group)
    }

    #[expect(clippy::needless_pass_by_value, reason = "a hub's method owns what it is called with")]
    fn to_group(&self, cx: &CallerContext<Self>, group: String, text: String) {
        cx.clients().group(&group).message(&text);
    }

    fn ticks(&self, items: u64) -> impl Stream<Item = u64> {
        let clock = time::interval(Duration::from_millis(100));
        stream::unfold((clock, 0), move |(mut clock, item)| async move {
            if item == items {
                return None;
            }
            clock.tick().await;
            Some((item, (clock, item + 1)))
        })
    }
}

#[actix_web::main]
async fn serve(serve: Serve) -> io::Result<()> {
    let compression = match serve.compression {
        Compression::Off => None,
        Compression::On => Some(hubwire::Compression::default()),
    };
    let options = EndpointOptions::default().compression(compression);
    let bench = Hub::new(Bench).build();
    let hub = bench.clone();
    let server =
        HttpServer::new(move || App::new().service(hub.at("/hub").options(options.clone())))
            .workers(serve.workers)
            .hubwire(&[&bench])
            .bind(("127.0.0.1", serve.port))?;
    announce(&server.addrs())?;
    server.run().await
}
