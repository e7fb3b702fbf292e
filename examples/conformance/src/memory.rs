//! What is remembered beside the connections: by this server alone, or in Redis by all that have the same `REDIS_URL`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::cookie::Key;
use hubwire::TokenKey;
use hubwire::prelude::*;
use redis::RedisResult;

use crate::journal::{Entry, Journal};
use crate::shared_memory::SharedMemory;

pub enum Memory {
    Own(Own),
    Shared(SharedMemory),
}

#[derive(Default)]
pub struct Own {
    journal: Journal,
    lists: Mutex<HashMap<ConnectionId, Vec<i32>>>,
    redirects: AtomicU64,
}

/// What signs tokens.
pub struct Keys {
    pub connection_tokens: TokenKey,
    pub web_tokens: Key,
}

impl Memory {
    pub fn own() -> Self {
        Self::Own(Own::default())
    }

    /// Random ones, so that tokens die with whoever has the memory.
    pub async fn keys(&self) -> RedisResult<Keys> {
        Ok(match self {
            Self::Own(_) => {
                Keys { connection_tokens: TokenKey::random(), web_tokens: Key::generate() }
            }
            Self::Shared(shared) => Keys {
                connection_tokens: TokenKey::from_secret(&shared.key("connection-tokens").await?),
                web_tokens: Key::from(&shared.key("web-tokens").await?),
            },
        })
    }

    /// Writes down what happens to a connection, in the order of the calls.
    pub fn log(&self, id: &ConnectionId, entry: Entry) {
        match self {
            Self::Own(own) => own.journal.write(id, entry),
            Self::Shared(shared) => shared.log(id, entry),
        }
    }

    pub async fn logged(&self, id: &ConnectionId) -> RedisResult<Vec<Entry>> {
        match self {
            Self::Own(own) => Ok(own.journal.of(id)),
            Self::Shared(shared) => shared.logged(id).await,
        }
    }

    /// Puts a number at the end of the connection's list.
    pub async fn append(&self, id: &ConnectionId, number: i32) -> RedisResult<()> {
        match self {
            Self::Own(own) => {
                own.lists().entry(id.clone()).or_default().push(number);
                Ok(())
            }
            Self::Shared(shared) => shared.append(id, number).await,
        }
    }

    pub async fn appended(&self, id: &ConnectionId) -> RedisResult<Vec<i32>> {
        match self {
            Self::Own(own) => Ok(own.lists().get(id).cloned().unwrap_or_default()),
            Self::Shared(shared) => shared.appended(id).await,
        }
    }

    /// Drops the connection's list.
    pub async fn forget(&self, id: &ConnectionId) -> RedisResult<()> {
        match self {
            Self::Own(own) => {
                own.lists().remove(id);
                Ok(())
            }
            Self::Shared(shared) => shared.forget(id).await,
        }
    }

    /// Counts one who is sent on, and says how many there were.
    pub async fn redirected(&self) -> RedisResult<u64> {
        match self {
            Self::Own(own) => Ok(own.redirects.fetch_add(1, Ordering::Relaxed) + 1),
            Self::Shared(shared) => shared.redirected().await,
        }
    }
}

impl Own {
    fn lists(&self) -> MutexGuard<'_, HashMap<ConnectionId, Vec<i32>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
