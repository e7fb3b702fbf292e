//! A stock market that never closes: prices move ten times a second, and each page watches them through one stream.
//!
//! `cargo run -p ticker`, then open the printed address.

mod hub;
mod market;

use std::{io::IsTerminal, sync::Arc, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use hubwire::prelude::*;
use tracing_subscriber::EnvFilter;

use crate::{hub::Ticker, market::Market};

const TICK: Duration = Duration::from_millis(100);

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let host = std::env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("5400".to_owned());

    let market = Arc::new(Market::open());
    rt::spawn(run(market.clone()));
    let ticker = Hub::new(Ticker::new(market)).build();
    let hub = ticker.clone();
    let server = HttpServer::new(move || {
        App::new()
            .service(hub.at("/ticker"))
            .service(hubwire::assets::client_js("/hubwire.js"))
            .route("/", file("text/html; charset=utf-8", include_str!("../page/index.html")))
            .route("/style.css", file("text/css; charset=utf-8", include_str!("../page/style.css")))
            .route(
                "/chart.js",
                file("text/javascript; charset=utf-8", include_str!("../page/chart.js")),
            )
            .route(
                "/ticker.js",
                file("text/javascript; charset=utf-8", include_str!("../page/ticker.js")),
            )
    })
    .hubwire(&[&ticker])
    .bind(format!("{host}:{port}"))?;
    for address in server.addrs() {
        println!("Hubwire ticker: open http://{address}");
    }
    server.run().await
}

async fn run(market: Arc<Market>) {
    let mut clock = rt::time::interval(TICK);
    loop {
        clock.tick().await;
        market.tick();
    }
}

/// A file of the page.
fn file(content_type: &'static str, body: &'static str) -> actix_web::Route {
    web::get().to(move || async move { HttpResponse::Ok().content_type(content_type).body(body) })
}
