//! What people do wrong when they start a server: `MISUSE=inside` builds the hub inside the closure of `HttpServer::new`, `MISUSE=option` gives it an option that makes no sense.

use std::time::Duration;

use actix_web::{App, HttpServer};
use hubwire::prelude::*;

struct Lone;

#[hub]
impl Lone {
    fn nothing(&self) {}
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    if std::env::var("MISUSE").as_deref() == Ok("option") {
        let options = HubOptions::default().keep_alive_interval(Duration::ZERO);
        Hub::new(Lone).options(options).build();
    }
    let inside = || App::new().service(Hub::new(Lone).build().at("/lone"));
    let server = HttpServer::new(inside).workers(4).shutdown_timeout(0).bind(("127.0.0.1", 0))?;
    println!("listening on http://{}", server.addrs()[0]);
    server.run().await
}
