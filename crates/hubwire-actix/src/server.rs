//! An `HttpServer` fit for connections that last.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use actix_http::{Request, Response};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Service, ServiceFactory};
use actix_web::rt::net::TcpStream;
use actix_web::{Error, HttpServer};
use hubwire_transport::{ConnectionTable, Mount};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long connections may take to end when the server goes down, as in ASP.NET Core.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);

/// Connections per worker. actix's default of 25,600 is meant for requests that come and go; the operating system's limit on open files is the real one.
const CONNECTIONS_PER_WORKER: usize = 1_000_000;

/// How long a peer may not acknowledge what was sent before the kernel gives it up.
///
/// Longer than the default `transport_send_timeout`, after which a client that takes nothing is closed: so its end has that reason, and the kernel only clears away the socket.
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);

/// Settings for a server that hubs are mounted on.
pub trait ServerExt {
    /// Makes the server fit for connections that last, and ends them in good order when it goes down.
    ///
    /// - Small messages leave at once (`tcp_nodelay`).
    /// - A client that left is noticed (`h1_allow_half_closed(false)`), and one that stopped acknowledging is cut by the operating system after 15 s (`TCP_USER_TIMEOUT`, on Linux).
    /// - Up to a million connections per worker are accepted instead of 25,600.
    /// - On SIGTERM and SIGINT the connections of `hubs` are told to reconnect elsewhere and closed, within 5 s; then the server stops as usual.
    ///
    /// Call it before `bind`: a hook for new sockets that comes later is not used.
    ///
    /// It uses the server's `on_connect` and `shutdown_signal` hooks; a later call of yours to either replaces what is set here.
    #[must_use]
    fn hubwire(self, hubs: &[&dyn Mount]) -> Self;
}

impl<F, I, S, B> ServerExt for HttpServer<F, I, S, B>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: actix_service::IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    fn hubwire(self, hubs: &[&dyn Mount]) -> Self {
        let tables = hubs.iter().map(|hub| hub.runner().connections().clone()).collect();
        self.tcp_nodelay(true)
            .h1_allow_half_closed(false)
            .max_connections(CONNECTIONS_PER_WORKER)
            .on_connect(|io, data| {
                data.insert(Tuned);
                cut_dead_peers(io);
            })
            .shutdown_signal(drain_when_asked(tables, Signals::listen()))
    }
}

/// Marks a socket of a server that was set up here.
pub(crate) struct Tuned;

/// Has the kernel give up a peer that does not acknowledge, which a server that only writes would not notice for minutes.
fn cut_dead_peers(io: &dyn Any) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = io.downcast_ref::<TcpStream>() {
        let set = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
        if let Err(error) = set {
            tracing::debug!(%error, "TCP_USER_TIMEOUT was not set");
        }
    }
}

async fn drain_when_asked(tables: Vec<ConnectionTable>, mut signals: Signals) {
    signals.asked_to_stop().await;
    let connections = || tables.iter().map(ConnectionTable::len).sum::<usize>();
    tracing::info!(connections = connections(), "shutting down: closing connections");
    for table in &tables {
        table.drain();
    }
    let emptied = async {
        for table in &tables {
            table.emptied().await;
        }
    };
    tokio::select! {
        () = emptied => return,
        () = tokio::time::sleep(SHUTDOWN_WAIT) => {}
        // Whoever asks twice does not want to wait.
        () = signals.asked_to_stop() => {}
    }
    tracing::warn!(connections = connections(), "shutting down while methods still run");
}

/// The signals that ask a server to stop.
///
/// Inside a runtime they are listened to from the moment this is made: one that comes before the server runs is not lost, and does not kill.
#[cfg(unix)]
struct Signals(Option<std::io::Result<[Signal; 2]>>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
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
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn asked_to_stop(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
