//! socketioxide with its adapter for Redis, as its documentation has it.

use std::error::Error;

use axum::Router;
use socketioxide::SocketIo;
use socketioxide::adapter::Emitter;
use socketioxide::extract::{Data, SocketRef};
use socketioxide_redis::drivers::redis::redis_client as redis;
use socketioxide_redis::{RedisAdapter, RedisAdapterConfig, RedisAdapterCtr};
use tokio::net::TcpListener;

use super::{ROOM, TEXT, announce};

/// Its buffers are bounded by numbers of messages, which a burst must fit in: what does not is dropped.
const BUFFER: usize = 100_000;

type Adapter = RedisAdapter<Emitter>;

async fn on_connect(socket: SocketRef<Adapter>) {
    socket.on("burst", burst);
    if socket.req_parts().uri.query().is_some_and(|query| query.contains("role=listener")) {
        socket.join(ROOM);
    }
    // Whoever connects may be gone again.
    let _ = socket.emit("ready", &());
}

async fn burst(socket: SocketRef<Adapter>, Data((sender, first, count)): Data<(u32, u64, u64)>) {
    for number in first..first + count {
        // A failure shows in what arrives.
        let _ = socket.within(ROOM).emit("message", &(sender, number, TEXT)).await;
    }
}

#[tokio::main(worker_threads = 1)]
pub(super) async fn serve(redis: &str) -> Result<(), Box<dyn Error>> {
    let client = redis::Client::open(redis)?;
    let config = RedisAdapterConfig::new().with_stream_buffer(BUFFER);
    let adapter = RedisAdapterCtr::new_with_redis_config(&client, config).await?;
    let (layer, io) =
        SocketIo::builder().max_buffer_size(BUFFER).with_adapter::<Adapter>(adapter).build_layer();
    io.ns("/", on_connect).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    announce(listener.local_addr()?)?;
    Ok(axum::serve(listener, Router::new().layer(layer)).await?)
}
