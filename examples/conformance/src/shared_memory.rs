//! What several of these servers remember together, as keys of Redis that begin with `conformance:`.

use actix_web::cookie::Key;
use actix_web::rt;
use hubwire::prelude::*;
use redis::aio::ConnectionManager;
use redis::{AsyncTypedCommands, Client, RedisResult};
use tokio::sync::mpsc;

use crate::journal::Entry;

/// The beginning of all keys, and of the channels of the hubs.
pub const PREFIX: &str = "conformance";

/// How long a log or a list is kept after its last entry, in seconds.
const KEPT: i64 = 3600;

/// The index of the last entry that is kept of a connection.
const LAST_ENTRY: isize = 999;

/// How many log entries wait for Redis at most; further ones are dropped, with a word.
const WAITING_MAX: usize = 10_000;

pub struct SharedMemory {
    redis: ConnectionManager,
    log: mpsc::Sender<(ConnectionId, Entry)>,
}

impl SharedMemory {
    pub async fn connect(url: &str) -> RedisResult<Self> {
        let redis = Client::open(url)?.get_connection_manager().await?;
        let (log, entries) = mpsc::channel(WAITING_MAX);
        // One writes them all, so that they stay in order.
        rt::spawn(write(redis.clone(), entries));
        Ok(Self { redis, log })
    }

    /// A secret that the first server makes up.
    pub async fn key(&self, name: &str) -> RedisResult<Vec<u8>> {
        let key = format!("{PREFIX}:key:{name}");
        let mut redis = self.redis.clone();
        redis.set_nx(&key, Key::generate().master()).await?;
        redis::cmd("GET").arg(&key).query_async(&mut redis).await
    }

    pub fn log(&self, id: &ConnectionId, entry: Entry) {
        if self.log.try_send((id.clone(), entry)).is_err() {
            tracing::warn!(%id, ?entry, "not logged: Redis does not keep up");
        }
    }

    pub async fn logged(&self, id: &ConnectionId) -> RedisResult<Vec<Entry>> {
        let names = self.redis.clone().lrange(log_of(id), 0, -1).await?;
        Ok(names.iter().filter_map(|name| Entry::named(name)).collect())
    }

    pub async fn append(&self, id: &ConnectionId, number: i32) -> RedisResult<()> {
        let list = list_of(id);
        let mut pipeline = redis::pipe();
        pipeline.atomic().rpush(&list, number).expire(&list, KEPT);
        pipeline.exec_async(&mut self.redis.clone()).await
    }

    pub async fn appended(&self, id: &ConnectionId) -> RedisResult<Vec<i32>> {
        let list = list_of(id);
        redis::cmd("LRANGE").arg(list).arg(0).arg(-1).query_async(&mut self.redis.clone()).await
    }

    pub async fn forget(&self, id: &ConnectionId) -> RedisResult<()> {
        self.redis.clone().del(list_of(id)).await.map(drop)
    }

    pub async fn redirected(&self) -> RedisResult<u64> {
        redis::cmd("INCR")
            .arg(format!("{PREFIX}:redirects"))
            .query_async(&mut self.redis.clone())
            .await
    }
}

fn log_of(id: &ConnectionId) -> String {
    format!("{PREFIX}:log:{id}")
}

fn list_of(id: &ConnectionId) -> String {
    format!("{PREFIX}:list:{id}")
}

async fn write(mut redis: ConnectionManager, mut entries: mpsc::Receiver<(ConnectionId, Entry)>) {
    while let Some((id, entry)) = entries.recv().await {
        let log = log_of(&id);
        let mut pipeline = redis::pipe();
        pipeline.atomic().rpush(&log, entry.name()).ltrim(&log, 0, LAST_ENTRY).expire(&log, KEPT);
        if let Err(error) = pipeline.exec_async(&mut redis).await {
            tracing::warn!(%error, %id, ?entry, "not logged");
        }
    }
}
