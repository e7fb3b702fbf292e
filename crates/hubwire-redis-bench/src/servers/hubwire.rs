//! A hub as a user would write it, at `/hub`.

use std::error::Error;

use actix_web::{App, HttpServer};
use hubwire::prelude::*;
use hubwire_redis::Redis;

use super::{ROOM, TEXT, announce};

#[hub_client]
trait Listener {
    #[hub(rename = "ready")]
    fn ready();
    #[hub(rename = "message")]
    fn message(sender: u32, number: u64, text: &str);
}

struct Bench;

#[hub(client = Listener)]
impl Bench {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        if cx.request().query("role").as_deref() == Some("listener") {
            cx.join_group(ROOM).await?;
        }
        cx.clients().caller().ready();
        Ok(())
    }

    async fn burst(
        &self,
        cx: &CallerContext<Self>,
        sender: u32,
        first: u64,
        count: u64,
    ) -> HubResult<()> {
        for number in first..first + count {
            cx.clients().group(ROOM).message(sender, number, TEXT).await?;
        }
        Ok(())
    }
}

#[actix_web::main]
pub(super) async fn serve(redis: &str) -> Result<(), Box<dyn Error>> {
    let redis = Redis::connect(redis).await?;
    let bench = Hub::new(Bench).backplane(&redis).build();
    let hub = bench.clone();
    let server = HttpServer::new(move || App::new().service(hub.at("/hub")))
        .workers(1)
        .hubwire(&[&bench])
        .bind(("127.0.0.1", 0))?;
    for address in server.addrs() {
        announce(address)?;
    }
    Ok(server.run().await?)
}
