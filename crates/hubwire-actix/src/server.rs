//! An `HttpServer` fit for connections that last.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use actix_http::{Request, Response};
#[cfg(all(target_os = "linux", feature = "rustls-0_23"))]
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Service, ServiceFactory};
#[cfg(target_os = "linux")]
use actix_web::rt::net::TcpStream;
use actix_web::{Error, HttpServer};
use hubwire_transport::{Mount, ticks};

use crate::shutdown::{ShutdownOptions, Signals, drain_when_asked};

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
    /// - A client that left is noticed (`h1_allow_half_closed(false)`), and one that stopped acknowledging is cut by the operating system after 15 s (`TCP_USER_TIMEOUT`, on Linux; on TLS sockets with the feature `rustls-0_23`).
    /// - A WebSocket's TCP connection ends with its close handshake (`client_disconnect_timeout(Duration::ZERO)`) and not a second later, for which browsers would hold back their `close` event.
    ///   actix-web waits that second so that clients which are answered before they have sent all of a request can take the answer. Endpoints of hubs see to that themselves; where other routes of the application refuse uploads early, set it again, behind this call.
    /// - Up to a million connections per worker are accepted instead of 25,600.
    /// - On SIGTERM and SIGINT the connections of `hubs` are told to reconnect elsewhere and closed, within 5 s; requests that are under way then have as long again (`shutdown_timeout`). [`hubwire_with`](Self::hubwire_with) sets the times.
    ///
    /// Call it before `bind`: a hook for new sockets that comes later is not used.
    ///
    /// It uses the server's `on_connect` and `shutdown_signal` hooks and its `shutdown_timeout`; a later call of yours to one of them replaces what is set here.
    #[must_use]
    fn hubwire(self, hubs: &[&dyn Mount]) -> Self
    where
        Self: Sized,
    {
        self.hubwire_with(hubs, ShutdownOptions::default())
    }

    /// As [`hubwire`](Self::hubwire), with other times for the end.
    ///
    /// # Panics
    ///
    /// When the options make no sense.
    #[must_use]
    fn hubwire_with(self, hubs: &[&dyn Mount], shutdown: ShutdownOptions) -> Self;
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
    fn hubwire_with(self, hubs: &[&dyn Mount], shutdown: ShutdownOptions) -> Self {
        shutdown.check();
        let tables = hubs.iter().map(|hub| hub.runner().connections().clone()).collect();
        self.tcp_nodelay(true)
            .h1_allow_half_closed(false)
            .client_disconnect_timeout(Duration::ZERO)
            .max_connections(CONNECTIONS_PER_WORKER)
            .on_connect(|io, data| {
                data.insert(Tuned);
                cut_dead_peers(io);
            })
            // What is under way when the connections have ended: requests of others, and sockets that take nothing.
            .shutdown_timeout(ticks(shutdown.timeout))
            .shutdown_signal(drain_when_asked(tables, shutdown, Signals::listen()))
    }
}

/// Marks a socket of a server that was set up here.
pub(crate) struct Tuned;

/// Has the kernel give up a peer that does not acknowledge, which a server that only writes would not notice for minutes.
fn cut_dead_peers(io: &dyn Any) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = tcp(io) {
        let set = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
        if let Err(error) = set {
            tracing::debug!(%error, "TCP_USER_TIMEOUT was not set");
        }
    }
}

/// The TCP socket under what a server's `on_connect` is shown.
#[cfg(target_os = "linux")]
fn tcp(io: &dyn Any) -> Option<&TcpStream> {
    #[cfg(feature = "rustls-0_23")]
    if let Some(encrypted) = io.downcast_ref::<TlsStream<TcpStream>>() {
        return Some(encrypted.get_ref().0);
    }
    io.downcast_ref()
}
