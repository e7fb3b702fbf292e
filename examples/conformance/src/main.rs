//! A server for other people's clients and their test suites: every feature over known routes, hubs and methods.
//!
//! `cargo run -p conformance`; README.md lists what it serves. `HOST`, `PORT` and `STATIC_DIR` come from the environment.
//! It lets every page of every site in, and so is for tests only.

mod accept_hub;
mod authorized_hub;
mod control;
mod failure;
mod hubs;
mod identity;
mod journal;
mod pages;
mod raw;
mod redirects;
mod test_hub;
mod uncreatable_hub;
mod values;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use actix_files::Files;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use hubwire::Mount;
use hubwire::prelude::*;
use tracing_subscriber::EnvFilter;

use crate::hubs::Hubs;
use crate::identity::Tokens;
use crate::journal::Journal;
use crate::raw::Raw;
use crate::redirects::Redirects;

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

    let journal = Arc::new(Journal::default());
    let hubs = web::Data::new(Hubs::new(&journal));
    let tokens = web::Data::new(Tokens::random());
    let redirects = web::Data::new(Redirects::default());
    let raw = Raw::new();
    let mounts: Vec<&dyn Mount> = hubs.all().into_iter().chain(raw.all()).collect();

    let (served, echoed) = (hubs.clone(), raw.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(journal.clone()))
            .app_data(served.clone())
            .app_data(tokens.clone())
            .app_data(redirects.clone())
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
