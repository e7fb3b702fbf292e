//! What the hubs of a process and the thread that speaks to Redis have in common.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hubwire_hub::Listener;
use tokio::sync::Notify;

use crate::meter;
use crate::options::RedisOptions;
use crate::queue::Queue;
use crate::subscriptions::Subscriptions;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: RedisOptions,
    pub(crate) client: redis::Client,
    pub(crate) queue: Queue,
    pub(crate) subscriptions: Subscriptions,
    hubs: Mutex<HashMap<Box<str>, Listener>>,
    /// Seconds since the start.
    seconds: AtomicU64,
    /// The second until which servers that nobody listens for may only not have come back yet.
    doubtful_until: AtomicU64,
    gaps: AtomicU64,
    reconnects: AtomicU64,
    received: AtomicU64,
    unreadable: AtomicU64,
    /// Nobody wants anything of Redis any more.
    pub(crate) stop: Notify,
}

/// How a connection to Redis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whether this server hears others, and others hear it.
    pub is_connected: bool,
    /// How many messages wait for Redis now, and how many bytes they have.
    pub waiting: usize,
    /// See `waiting`.
    pub waiting_bytes: usize,
    /// How many messages of this server went to Redis.
    pub published: u64,
    /// How many messages came from Redis, its own included.
    pub received: u64,
    /// How many messages of this server did not go to Redis, or may not have.
    pub dropped: u64,
    /// How many times one of its two sockets was lost, that which publishes or that which hears. What others sent meanwhile was not heard.
    pub gaps: u64,
    /// How many times such a socket was connected again.
    pub reconnects: u64,
    /// How many messages of others could not be read.
    pub unreadable: u64,
}

/// How many seconds after a gap other servers may still be coming back.
const RETURN: u64 = 3;

impl Shared {
    pub(crate) fn new(options: RedisOptions, client: redis::Client) -> Self {
        let queue = Queue::new(options.queue_messages, options.queue_bytes, options.overflow);
        Self {
            options,
            client,
            queue,
            subscriptions: Subscriptions::default(),
            hubs: Mutex::default(),
            seconds: AtomicU64::new(0),
            doubtful_until: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            received: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            stop: Notify::new(),
        }
    }

    pub(crate) fn hubs(&self) -> MutexGuard<'_, HashMap<Box<str>, Listener>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A second has passed.
    pub(crate) fn tick(&self) {
        self.seconds.fetch_add(1, Ordering::Relaxed);
        let listeners: Vec<_> = self.hubs().values().cloned().collect();
        for listener in listeners {
            listener.tick();
        }
        meter::show(&self.options.prefix, &self.status());
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.seconds.load(Ordering::Relaxed)
    }

    /// A connection to Redis was lost.
    pub(crate) fn gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection to Redis was lost and is there again.
    pub(crate) fn returned(&self) {
        self.doubtful_until.store(self.seconds() + RETURN, Ordering::Relaxed);
    }

    /// A socket that was lost is connected again.
    pub(crate) fn reconnected(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
        self.returned();
    }

    /// A message came.
    pub(crate) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it means something that nobody listens to a channel.
    pub(crate) fn is_trusted(&self) -> bool {
        self.seconds() >= self.doubtful_until.load(Ordering::Relaxed)
    }

    /// A message could not be read; whether it is the first one.
    pub(crate) fn unreadable(&self) -> bool {
        self.unreadable.fetch_add(1, Ordering::Relaxed) == 0
    }

    pub(crate) fn status(&self) -> Status {
        let tally = self.queue.tally();
        Status {
            is_connected: tally.is_open && self.subscriptions.is_up(),
            waiting: tally.waiting,
            waiting_bytes: tally.waiting_bytes,
            published: tally.published,
            received: self.received.load(Ordering::Relaxed),
            dropped: tally.dropped,
            gaps: self.gaps.load(Ordering::Relaxed),
            reconnects: self.reconnects.load(Ordering::Relaxed),
            unreadable: self.unreadable.load(Ordering::Relaxed),
        }
    }
}
