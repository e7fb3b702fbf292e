//! The connection to Redis that subscribes, and hands what comes to the hubs.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use redis::aio::{PubSub, PubSubSink};
use redis::{ErrorKind, Msg, RedisError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::publishing::{connected, display, lost};
use crate::shared::Shared;
use crate::subscriptions::Changes;
use crate::wire;

/// How many channels one command names.
const CHANNELS: usize = 1000;

/// Hears what hubs have subscribed to, for ever; connects and subscribes again when the connection is lost.
pub(crate) async fn listen(shared: Arc<Shared>) {
    loop {
        let connection = connected(&shared, "subscribing", || connect(&shared)).await;
        let Err(error) = run(&shared, connection).await;
        shared.gap();
        shared.subscriptions.lose();
        let error = display(&error);
        tracing::warn!(error, "lost the connection to Redis: this server hears nothing of others");
        lost(&shared, "subscribing").await;
    }
}

pub(crate) async fn connect(shared: &Shared) -> Result<PubSub, RedisError> {
    let connection = shared.client.get_async_pubsub();
    timeout(shared.options.timeout, connection).await.unwrap_or_else(|_| Err(late()))
}

fn late() -> RedisError {
    (ErrorKind::Io, "Redis did not answer in time").into()
}

/// What Redis is being told.
type Telling = Pin<Box<dyn Future<Output = Result<Option<Changes>, RedisError>> + Send>>;

async fn run(shared: &Arc<Shared>, connection: PubSub) -> Result<Never, RedisError> {
    let (sink, mut messages) = connection.split();
    let mut telling: Option<Telling> =
        Some(tell(shared.clone(), sink.clone(), shared.subscriptions.begin()));
    let mut pings = interval(shared.options.timeout);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => receive(shared, &message),
                None => return Err((ErrorKind::Io, "Redis closed the connection").into()),
            },
            told = poll(&mut telling) => {
                telling = None;
                if let Some(changes) = told? {
                    let was_up = shared.subscriptions.is_up();
                    shared.subscriptions.confirm(&changes);
                    if !was_up && shared.status().gaps > 0 {
                        shared.reconnected();
                    }
                }
            },
            changes = shared.subscriptions.changes(), if telling.is_none() => {
                telling = Some(tell(shared.clone(), sink.clone(), changes));
            }
            _ = pings.tick(), if telling.is_none() => {
                // A connection that is lost without a word is missed.
                telling = Some(ping(shared.clone(), sink.clone()));
            }
        }
    }
}

/// There is none: a connection is used until it fails.
enum Never {}

async fn poll(telling: &mut Option<Telling>) -> Result<Option<Changes>, RedisError> {
    match telling {
        Some(telling) => telling.await,
        None => pending().await,
    }
}

fn tell(shared: Arc<Shared>, mut sink: PubSubSink, changes: Changes) -> Telling {
    Box::pin(async move {
        let limit = shared.options.timeout;
        for channels in changes.subscribe.chunks(CHANNELS) {
            let channels: Vec<&str> = channels.iter().map(AsRef::as_ref).collect();
            timeout(limit, sink.subscribe(channels)).await.unwrap_or_else(|_| Err(late()))?;
        }
        for channels in changes.unsubscribe.chunks(CHANNELS) {
            let channels: Vec<&str> = channels.iter().map(AsRef::as_ref).collect();
            timeout(limit, sink.unsubscribe(channels)).await.unwrap_or_else(|_| Err(late()))?;
        }
        Ok(Some(changes))
    })
}

fn ping(shared: Arc<Shared>, mut sink: PubSubSink) -> Telling {
    Box::pin(async move {
        let pong = timeout(shared.options.timeout, sink.ping::<redis::Value>()).await;
        pong.unwrap_or_else(|_| Err(late())).map(|_| None)
    })
}

fn receive(shared: &Shared, message: &Msg) {
    shared.received();
    // Whoever has unsubscribed a moment ago hears it no more.
    let Some(subscriber) = shared.subscriptions.find(message.get_channel_name()) else { return };
    match wire::decode(message.get_payload_bytes(), &subscriber.server) {
        Ok(Some(notice)) => {
            if let Some(left) = subscriber.listener.receive(&subscriber.topic, notice) {
                tokio::spawn(left);
            }
        }
        Ok(None) => {}
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            if shared.unreadable() {
                tracing::warn!(error, topic = ?subscriber.topic, "cannot read a message of another server; further ones are counted");
            } else {
                tracing::debug!(error, topic = ?subscriber.topic, "cannot read a message of another server");
            }
        }
    }
}
