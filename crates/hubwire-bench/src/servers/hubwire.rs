//! A hub as a user would write it, at `/hub`.

use std::io;

use actix_web::{App, HttpServer};
use hubwire::prelude::*;

use super::{Serve, announce};

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
}

#[actix_web::main]
pub(super) async fn serve(serve: Serve) -> io::Result<()> {
    let bench = Hub::new(Bench).build();
    let hub = bench.clone();
    let server = HttpServer::new(move || App::new().service(hub.at("/hub")))
        .workers(serve.workers)
        .hubwire(&[&bench])
        .bind(("127.0.0.1", serve.port))?;
    announce(&server.addrs())?;
    server.run().await
}
