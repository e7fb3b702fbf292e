//! Three servers, one hub: a chat over a Redis and behind an nginx, all started by one command.
//!
//! `cargo run -p scaleout`, then open the printed address in several tabs, and kill a server while you chat.
//! It needs `redis-server` and `nginx` in the `PATH`.

mod hub;
mod processes;
mod server;

use std::io;

use crate::processes::Site;

#[actix_web::main]
async fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => Site::start().await?.run().await,
        // What the command starts three times.
        Some("server") => server::serve().await,
        Some(other) => Err(io::Error::other(format!("what is {other:?}? There is only `server`"))),
    }
}
