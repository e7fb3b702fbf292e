//! A team's task board: Hubwire inside an app with a database, sessions, tokens and middleware.
//!
//! `cargo run -p app`, then open the printed address in two browsers and sign in as two people.
//! `HOST`, `PORT` and `DATABASE_URL` (`sqlite:board.db`; by default the board lives in memory) come from the environment, and `HTTPS=1` when TLS ends before this server.

mod accounts;
mod board;
mod database;
mod failure;
mod identity;
mod pages;
mod reminders;
mod sessions;
mod tasks;
mod tokens;
mod users;

use std::error::Error;

use actix_identity::IdentityMiddleware;
use actix_web::cookie::Key;
use actix_web::middleware::{Compress, Logger, NormalizePath};
use actix_web::{App, HttpServer, web};
use hubwire::HideTokens;
use hubwire::prelude::*;

use crate::board::Board;
use crate::identity::identify;
use crate::tokens::Tokens;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    let setting = |name, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let address = format!("{}:{}", setting("HOST", "127.0.0.1"), setting("PORT", "5200"));
    let is_https = setting("HTTPS", "0") == "1";
    // Made anew, so that a restart signs everybody out. An app that is in use keeps its keys with its other secrets.
    let session_key = Key::generate();
    let tokens = web::Data::new(Tokens::new(&Key::generate()));

    let (db, _kept) = database::open(&setting("DATABASE_URL", "sqlite::memory:")).await?;
    let board = Hub::new(Board::new(db.clone())).build(); // outside the closure: one hub for all workers
    let reminders = actix_web::rt::spawn(reminders::run(board.clone(), db.clone()));

    let hub = web::Data::new(board.clone());
    let data = web::Data::new(db.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(hub.clone())
            .app_data(tokens.clone())
            // From the inside out: what comes last sees a request first.
            .wrap(IdentityMiddleware::default())
            .wrap(sessions::middleware(session_key.clone(), is_https))
            .wrap(NormalizePath::trim())
            .wrap(Compress::default())
            .wrap(Logger::default())
            .wrap(HideTokens)
            .configure(pages::routes)
            .configure(accounts::forms)
            .service(
                web::scope("/api")
                    .service(hub.at("/live").options(live()).identity(identify))
                    .configure(accounts::api),
            )
    })
    .hubwire(&[&board])
    .bind(address)?;
    for address in server.addrs() {
        println!("Team board: open http://{address}");
    }
    server.run().await?;
    reminders.abort();
    db.close().await;
    Ok(())
}

/// A connection that was opened with a token ends with it; its client gets another one and comes back.
fn live() -> EndpointOptions {
    EndpointOptions::default().close_on_authentication_expiration(true)
}
