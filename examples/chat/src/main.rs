//! A chat: rooms, who is here, who is typing, and the last messages for whoever comes late.
//!
//! `cargo run -p chat`, then open the printed address in two tabs.

mod hub;
mod rooms;

use std::io::IsTerminal;

use actix_web::{App, HttpResponse, HttpServer, web};
use hubwire::prelude::*;
use tracing_subscriber::EnvFilter;

use crate::hub::Chat;

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let host = std::env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("5100".to_owned());

    let chat = Hub::new(Chat::default()).build();
    let hub = chat.clone();
    let server = HttpServer::new(move || {
        App::new()
            .service(hub.at("/chat"))
            .service(hubwire::assets::client_js("/hubwire.js"))
            .route("/", file("text/html; charset=utf-8", include_str!("../page/index.html")))
            .route("/style.css", file("text/css; charset=utf-8", include_str!("../page/style.css")))
            .route(
                "/chat.js",
                file("text/javascript; charset=utf-8", include_str!("../page/chat.js")),
            )
    })
    .hubwire(&[&chat])
    .bind(format!("{host}:{port}"))?;
    for address in server.addrs() {
        println!("Hubwire chat: open http://{address} in two tabs");
    }
    server.run().await
}

/// A file of the page.
fn file(content_type: &'static str, body: &'static str) -> actix_web::Route {
    web::get().to(move || async move { HttpResponse::Ok().content_type(content_type).body(body) })
}
