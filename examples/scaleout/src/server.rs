//! One of the servers.

use std::io;

use actix_web::{App, HttpResponse, HttpServer, web};
use hubwire::TokenKey;
use hubwire::prelude::*;
use hubwire_redis::Redis;
use tracing_subscriber::EnvFilter;

use crate::hub::Chat;

/// Serves until it is told to stop: `NAME`, `PORT`, `REDIS_URL` and `TOKEN_SECRET` say how.
pub async fn serve() -> io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let option = |name: &str| {
        std::env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
    };
    let port = option("PORT")?.parse().map_err(io::Error::other)?;
    let redis = Redis::connect(option("REDIS_URL")?).await.map_err(io::Error::other)?;
    let chat = Hub::new(Chat { server: option("NAME")? })
        // One key for all: a client negotiates at one server and may open its connection at another.
        .token_key(TokenKey::from_secret(option("TOKEN_SECRET")?.as_bytes()))
        .backplane(&redis)
        .build();
    let hub = chat.clone();
    HttpServer::new(move || {
        App::new()
            .service(hub.at("/chat"))
            .service(hubwire::assets::client_js("/hubwire.js"))
            .route("/", web::get().to(page))
    })
    .hubwire(&[&chat])
    .workers(1)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(include_str!("../page/index.html"))
}
