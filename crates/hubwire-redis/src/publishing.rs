//! The connection to Redis that publishes.

use std::sync::Arc;
use std::time::Duration;

use hubwire_hub::BackplaneError;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use tokio::time::{sleep, timeout};

use crate::queue::Entry;
use crate::shared::Shared;

/// The pause after the first attempt to connect that fails; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// Publishes what waits, for ever; connects again when the connection is lost.
pub(crate) async fn publish(shared: Arc<Shared>) {
    loop {
        let connection = connected(&shared, "publishing", || connect(&shared)).await;
        shared.queue.open();
        let error = run(&shared, connection).await;
        shared.gap();
        shared.queue.close();
        let error = display(&error);
        tracing::warn!(
            error,
            "lost the connection to Redis: other servers hear nothing of this one"
        );
        lost(&shared, "publishing").await;
    }
}

/// Connects, however often it has to try.
pub(crate) async fn connected<T, F: Future<Output = Result<T, RedisError>>>(
    shared: &Shared,
    purpose: &str,
    mut connect: impl FnMut() -> F,
) -> T {
    let mut delay = FIRST_DELAY;
    let from = shared.seconds();
    let mut attempts = 0_u32;
    loop {
        match connect().await {
            Ok(connection) => {
                if attempts > 0 {
                    let seconds = shared.seconds() - from;
                    tracing::info!(purpose, attempts, seconds, "connected to Redis");
                }
                return connection;
            }
            Err(error) => {
                attempts += 1;
                let error = display(&error);
                if attempts == 1 {
                    tracing::warn!(purpose, error, "cannot connect to Redis, and tries again");
                } else {
                    tracing::debug!(purpose, attempts, error, "cannot connect to Redis");
                }
            }
        }
        sleep(delay.min(shared.options.reconnect_delay)).await;
        delay = delay.saturating_mul(2);
    }
}

/// A pause, so that a Redis that accepts and closes is not asked all the time.
pub(crate) async fn lost(shared: &Shared, purpose: &str) {
    shared.returned();
    tracing::debug!(purpose, "connects to Redis again");
    sleep(FIRST_DELAY).await;
}

pub(crate) async fn connect(shared: &Shared) -> Result<MultiplexedConnection, RedisError> {
    let limit = Some(shared.options.timeout);
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(limit).set_response_timeout(limit);
    shared.client.get_multiplexed_async_connection_with_config(&config).await
}

async fn run(shared: &Shared, mut connection: MultiplexedConnection) -> RedisError {
    // Once more here, since a server that was away is counted from its return.
    if shared.status().gaps > 0 {
        shared.reconnected();
    }
    loop {
        let Ok(mut batch) = timeout(shared.options.timeout, shared.queue.take()).await else {
            // A connection that is lost while nothing is sent is missed before something is.
            match redis::cmd("PING").query_async::<()>(&mut connection).await {
                Ok(()) => continue,
                Err(error) => return error,
            }
        };
        let mut pipeline = redis::pipe();
        for Entry { channel, payload, .. } in &batch {
            pipeline.cmd("PUBLISH").arg(channel).arg(&payload[..]);
        }
        let reached: Result<Vec<usize>, _> = pipeline.query_async(&mut connection).await;
        match reached {
            Ok(reached) => {
                shared.queue.landed(0);
                for (entry, reached) in batch.drain(..).zip(reached) {
                    let Some(reply) = entry.reply else { continue };
                    let is_doubtful = reached == 0 && !shared.is_trusted();
                    let reach =
                        if is_doubtful { Err(BackplaneError::Unavailable) } else { Ok(reached) };
                    // Whoever asked may have stopped waiting in this moment.
                    drop(reply.send(reach));
                }
            }
            Err(error) => {
                // Redis may have published them all the same; nobody knows.
                shared.queue.landed(batch.len());
                return error;
            }
        }
    }
}

pub(crate) fn display(error: &RedisError) -> String {
    error.to_string()
}
