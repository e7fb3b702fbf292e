//! A server for other people's clients and their test suites: every feature over known routes, hubs and methods.
//!
//! `cargo run -p conformance`; README.md lists what it serves. `HOST`, `PORT`, `STATIC_DIR` and `REDIS_URL` come from the environment.
//! It lets every page of every site in, and so is for tests only.

mod accept_hub;
mod authorized_hub;
mod control;
mod failure;
mod hubs;
mod identity;
mod journal;
mod memory;
mod pages;
mod raw;
mod redirects;
mod shared_memory;
mod test_hub;
mod uncreatable_hub;
mod values;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use actix_files::Files;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use hubwire::Mount;
use hubwire::prelude::*;
use hubwire_redis::{Redis, RedisOptions};
use tracing_subscriber::EnvFilter;

use crate::hubs::Hubs;
use crate::identity::Tokens;
use crate::memory::{Keys, Memory};
use crate::raw::Raw;
use crate::shared_memory::{PREFIX, SharedMemory};

/// Whatever a client's test provokes is not worth a line: failing calls and unknown methods are what it is about.
const QUIET: &str = "warn,hubwire_hub::answers=off,hubwire_hub::call=off";

#[actix_web::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET)),
        )
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let host = std::env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("5199".to_owned());
    let static_dir = std::env::var("STATIC_DIR").ok();

    let (memory, redis) = match std::env::var("REDIS_URL") {
        Ok(url) => {
            let (memory, redis) = join(&url).await.map_err(io::Error::other)?;
            (Arc::new(memory), Some(redis))
        }
        Err(_) => (Arc::new(Memory::own()), None),
    };
    let Keys { connection_tokens, web_tokens } = memory.keys().await.map_err(io::Error::other)?;
    let hubs = web::Data::new(Hubs::new(&memory, &connection_tokens, redis.as_ref()));
    let tokens = web::Data::new(Tokens::new(&web_tokens));
    let raw = Raw::new(&connection_tokens);
    let mounts: Vec<&dyn Mount> = hubs.all().into_iter().chain(raw.all()).collect();

    let (served, echoed) = (hubs.clone(), raw.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(memory.clone()))
            .app_data(served.clone())
            .app_data(tokens.clone())
            .wrap(from_fn(pages::welcome))
            .configure(|app| served.mount(app))
            .configure(|app| echoed.mount(app))
            .configure(control::routes)
            .configure(identity::routes)
            .configure(redirects::routes)
            .configure(|app| {
                if let Some(directory) = &static_dir {
                    app.service(Files::new("/lib", directory));
                }
            })
    })
    .hubwire(&mounts)
    .bind(format!("{host}:{port}"))?;
    for address in server.addrs() {
        println!("Hubwire conformance: http://{address}");
    }
    server.run().await
}

/// Makes this server one of those that have the same Redis.
async fn join(url: &str) -> Result<(Memory, Redis), Box<dyn Error + Send + Sync>> {
    let redis = Redis::connect(RedisOptions::new(url).prefix(PREFIX)).await?;
    Ok((Memory::Shared(SharedMemory::connect(url).await?), redis))
}
