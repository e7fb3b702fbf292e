//! The end of a server: its clients are sent away in good order.
//!
//! # Theory of operation
//!
//! From the signal on nobody new comes in.
//! The connections are told to come back, one after another over a window, because thousands that come back at the same instant hit whatever takes over; the order is the table's, which is random.
//! What each had waiting goes out first, and a poll is answered.
//! The server stops when all are gone; at the deadline the rest is cut.

use std::time::Duration;

use hubwire_transport::{Connection, ConnectionTable, DisconnectReason};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How a server that goes down takes leave of its clients.
///
/// ```
/// use hubwire_actix::ShutdownOptions;
/// use std::time::Duration;
///
/// let patient = ShutdownOptions::default()
///     .window(Duration::from_secs(20))
///     .timeout(Duration::from_secs(25));
/// # let _ = patient;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownOptions {
    /// Over how long connections are closed, at most.
    pub window: Duration,
    /// How long connections may take to end.
    pub timeout: Duration,
}

impl Default for ShutdownOptions {
    fn default() -> Self {
        Self { window: Duration::from_secs(3), timeout: Duration::from_secs(5) }
    }
}

impl ShutdownOptions {
    /// Sets over how long connections are closed, at most.
    ///
    /// Default 3 s. No more than a millisecond is spent per connection, so that a server with few clients goes down at once.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how long connections may take to end, from the signal on; then the server stops without them.
    ///
    /// Default 5 s, as in ASP.NET Core. The window is part of it and has to leave the last ones some time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// # Panics
    ///
    /// When the window leaves no time.
    pub(crate) fn check(&self) {
        let Self { window, timeout } = self;
        assert!(
            window < timeout,
            "shutdown option `window` is {window:?}: it must be shorter than `timeout`, which is {timeout:?}"
        );
    }
}

/// Connections are closed in batches of this rhythm.
const STEP: Duration = Duration::from_millis(20);

/// The most that the window has for each connection.
const PER_CONNECTION: Duration = Duration::from_millis(1);

/// Waits for a signal and then ends all connections; the server stops when this returns.
pub(crate) async fn drain_when_asked(
    tables: Vec<ConnectionTable>,
    options: ShutdownOptions,
    mut signals: Signals,
) {
    signals.asked_to_stop().await;
    let connections: Vec<_> = tables.iter().flat_map(ConnectionTable::drain).collect();
    tracing::info!(connections = connections.len(), "shutting down: closing connections");
    let emptied = async {
        close_over(connections, options.window).await;
        for table in &tables {
            table.emptied().await;
        }
    };
    tokio::select! {
        () = emptied => return,
        () = tokio::time::sleep(options.timeout) => {}
        // Whoever asks twice does not want to wait.
        () = signals.asked_to_stop() => {}
    }
    let left: Vec<_> = tables.iter().flat_map(ConnectionTable::drain).collect();
    tracing::warn!(connections = left.len(), "shutting down while connections remain");
    close_all(&left);
    left.iter().for_each(Connection::cut);
}

async fn close_over(connections: Vec<Connection>, window: Duration) {
    let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
    let steps = window.min(PER_CONNECTION * count).as_millis() / STEP.as_millis();
    let batch = connections.len().div_ceil(usize::try_from(steps).unwrap_or(usize::MAX).max(1));
    let mut batches = connections.chunks(batch.max(1)).peekable();
    while let Some(batch) = batches.next() {
        close_all(batch);
        if batches.peek().is_some() {
            tokio::time::sleep(STEP).await;
        }
    }
}

fn close_all(connections: &[Connection]) {
    for connection in connections {
        connection.close(DisconnectReason::Shutdown);
    }
}

/// The signals that ask a server to stop.
///
/// Inside a runtime they are listened to from the moment this is made: one that comes before the server runs is not lost, and does not kill.
#[cfg(unix)]
pub(crate) struct Signals(Option<std::io::Result<[Signal; 2]>>);

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> Self {
        Self(tokio::runtime::Handle::try_current().is_ok().then(listen))
    }

    async fn asked_to_stop(&mut self) {
        match self.0.get_or_insert_with(listen) {
            Ok([terminate, interrupt]) => tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            },
            Err(error) => {
                tracing::error!(%error, "signals cannot be heard: connections will not be closed in good order");
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(unix)]
fn listen() -> std::io::Result<[Signal; 2]> {
    let [terminate, interrupt] = [SignalKind::terminate(), SignalKind::interrupt()];
    Ok([signal(terminate)?, signal(interrupt)?])
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Self {
        Self
    }

    async fn asked_to_stop(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
