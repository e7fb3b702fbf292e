//! An echo without the hub protocol: whatever arrives goes back, text as text and bytes as bytes, over every transport.
//!
//! `cargo run -p echo`, then open the printed address; a bare `new WebSocket('ws://…/echo')` is answered as well.

use std::io::{self, IsTerminal};

use actix_web::{App, HttpResponse, HttpServer, web};
use hubwire::prelude::*;
use hubwire::{Application, Compression, Connection, Connections, Payload};
use tracing_subscriber::EnvFilter;

struct Echo;

impl Application for Echo {
    async fn payload(&self, connection: &Connection, payload: Payload) {
        // Nothing more is read from this client meanwhile, so one that takes slowly also sends slowly, and is never closed for what waits.
        connection.room().await;
        connection.send(payload.into());
    }
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let host = std::env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("5300".to_owned());
    let options = options()?;

    let echo = Connections::new(Echo).build();
    let connections = echo.clone();
    let server = HttpServer::new(move || {
        App::new()
            .service(connections.at("/echo").options(options.clone()))
            .route("/", file("text/html; charset=utf-8", include_str!("../page/index.html")))
            .route("/style.css", file("text/css; charset=utf-8", include_str!("../page/style.css")))
            .route("/raw.js", script(include_str!("../page/raw.js")))
            .route("/page.js", script(include_str!("../page/page.js")))
    })
    .hubwire(&[&echo])
    .bind(format!("{host}:{port}"))?;
    for address in server.addrs() {
        println!("Hubwire echo: open http://{address}");
    }
    server.run().await
}

/// How long a message may be (`MAX_MESSAGE_SIZE`, in bytes) is the one limit that an echo has to know: it takes the next only when there is room for it.
/// `COMPRESSION=on` compresses WebSockets for clients that offer it.
fn options() -> io::Result<EndpointOptions> {
    let invalid = |name: &str, value: &str, why: String| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{name}={value}: {why}"))
    };
    let mut options = EndpointOptions::default();
    if let Ok(bytes) = std::env::var("MAX_MESSAGE_SIZE") {
        let refuse = |why: String| invalid("MAX_MESSAGE_SIZE", &bytes, why);
        options =
            options.max_frame_size(bytes.parse().map_err(|error| refuse(format!("{error}")))?);
        options.validate().map_err(|error| refuse(error.to_string()))?;
    }
    match std::env::var("COMPRESSION").as_deref() {
        Ok("on") => Ok(options.compression(Compression::default())),
        Err(_) | Ok("" | "off") => Ok(options),
        Ok(other) => Err(invalid("COMPRESSION", other, "it must be on or off".to_owned())),
    }
}

/// A file of the page.
fn file(content_type: &'static str, body: &'static str) -> actix_web::Route {
    web::get().to(move || async move { HttpResponse::Ok().content_type(content_type).body(body) })
}

fn script(body: &'static str) -> actix_web::Route {
    file("text/javascript; charset=utf-8", body)
}
