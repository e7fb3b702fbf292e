//! Limits and times of an endpoint.

use std::time::Duration;

use crate::{AllowedOrigins, Compression, Transports};

/// Limits and times of one mounted endpoint, with the names of SignalR's `HttpConnectionDispatcherOptions`.
///
/// ```
/// use hubwire_transport::EndpointOptions;
/// use std::time::Duration;
///
/// let options = EndpointOptions::default().max_backlog(4 << 20).disconnect_timeout(Duration::from_secs(5));
/// assert!(options.validate().is_ok());
/// assert!(EndpointOptions::default().max_backlog(0).validate().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointOptions {
    /// Which web pages may talk to the endpoint.
    pub allowed_origins: AllowedOrigins,
    /// Whether clients may have connections that outlive their sockets.
    pub allow_stateful_reconnects: bool,
    /// Bytes received and not yet consumed at which reading from the client pauses.
    pub application_max_buffer_size: usize,
    /// Whether the identity hook has to name a user.
    pub authentication: Authentication,
    /// How the address of a client is known.
    pub client_address: ClientAddress,
    /// Whether a connection ends when the identity that it was opened with expires.
    pub close_on_authentication_expiration: bool,
    /// How long a WebSocket waits for the client's close frame.
    pub close_timeout: Duration,
    /// Who lets pages from elsewhere read answers.
    pub cors: Cors,
    /// How long a connection may be without a transport: after `negotiate`, between long polls, between sockets that follow one another, and in the middle of a POST.
    pub disconnect_timeout: Duration,
    /// For how long an event stream may say nothing.
    pub heartbeat_interval: Duration,
    /// Bytes waiting for a client at which it is closed as a slow consumer.
    pub max_backlog: usize,
    /// How many connections the endpoint may have.
    pub max_connections: Option<usize>,
    /// How many connections the clients of one address may have.
    pub max_connections_per_address: Option<usize>,
    /// The longest WebSocket message, summed over its fragments, and the longest POST body, in bytes.
    pub max_frame_size: usize,
    /// How many clients may have negotiated and not come back yet.
    pub max_pending_negotiations: Option<usize>,
    /// How many POSTs of one connection may wait for their turn.
    pub max_waiting_posts: usize,
    /// The lowest negotiate version that is answered.
    pub minimum_protocol_version: i64,
    /// How long a poll waits for something to answer with.
    pub poll_timeout: Duration,
    /// How long the body of a POST may take to arrive.
    pub post_timeout: Duration,
    /// How WebSockets are compressed, if they are.
    pub compression: Option<Compression>,
    /// How long a connection over short polling lives without a poll.
    pub short_polling_timeout: Duration,
    /// What may carry connections.
    pub transports: Transports,
    /// Bytes waiting for a client at which whoever produces for it alone waits.
    pub transport_max_buffer_size: usize,
    /// How long a client may take nothing of what waits for it.
    pub transport_send_timeout: Duration,
    /// How often a WebSocket is sent a Ping.
    pub web_socket_ping_interval: Option<Duration>,
    /// For how long the client may answer a Ping with nothing.
    pub web_socket_ping_timeout: Option<Duration>,
}

/// Whether the identity hook has to name a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Anybody may connect.
    #[default]
    Optional,
    /// Whoever is nobody in particular is answered 401.
    Required,
}

/// How the address of a client is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// From the last address of the `X-Forwarded-For` header, which the proxy in front of this server has to append; where there is none, from the socket.
    Forwarded,
    /// From the socket.
    #[default]
    Peer,
}

/// Who sends the headers that let a page from elsewhere read answers (CORS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cors {
    /// The endpoint, for the pages in [`EndpointOptions::allowed_origins`].
    #[default]
    Automatic,
    /// Something in front of it, such as `actix-cors`.
    Off,
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self {
            allowed_origins: AllowedOrigins::SameHost,
            allow_stateful_reconnects: false,
            application_max_buffer_size: 64 * 1024,
            authentication: Authentication::Optional,
            client_address: ClientAddress::Peer,
            close_on_authentication_expiration: false,
            close_timeout: Duration::from_secs(5),
            compression: None,
            cors: Cors::Automatic,
            disconnect_timeout: Duration::from_secs(15),
            heartbeat_interval: Duration::from_secs(15),
            max_backlog: 1024 * 1024,
            max_connections: None,
            max_connections_per_address: None,
            max_frame_size: 1024 * 1024,
            max_pending_negotiations: None,
            max_waiting_posts: 16,
            minimum_protocol_version: 0,
            poll_timeout: Duration::from_secs(50),
            post_timeout: Duration::from_secs(100),
            short_polling_timeout: Duration::from_secs(30),
            transports: Transports::ALL,
            transport_max_buffer_size: 64 * 1024,
            transport_send_timeout: Duration::from_secs(10),
            web_socket_ping_interval: None,
            web_socket_ping_timeout: None,
        }
    }
}

impl EndpointOptions {
    /// Sets which web pages may talk to the endpoint; others are answered 403, over every transport.
    ///
    /// Default: pages of the endpoint's own host and port, also behind a proxy that says `X-Forwarded-Host`.
    /// Clients that send no origin, as those that are no browsers, pass.
    #[must_use]
    pub fn allowed_origins(mut self, origins: AllowedOrigins) -> Self {
        self.allowed_origins = origins;
        self
    }

    /// Sets whether clients that ask for it may have connections that outlive their WebSockets (stateful reconnect): a
    /// client whose socket is lost comes back with another one within [`disconnect_timeout`](Self::disconnect_timeout),
    /// and neither end loses a message.
    ///
    /// Default `false`, as in SignalR: what is sent is kept until it is acknowledged, up to the hub's
    /// `stateful_reconnect_buffer_size` bytes per connection.
    #[must_use]
    pub fn allow_stateful_reconnects(mut self, allow: bool) -> Self {
        self.allow_stateful_reconnects = allow;
        self
    }

    /// Sets how many bytes may be received and not yet consumed before reading pauses.
    ///
    /// Default 65,536, as in ASP.NET Core. One payload may overshoot.
    #[must_use]
    pub fn application_max_buffer_size(mut self, bytes: usize) -> Self {
        self.application_max_buffer_size = bytes;
        self
    }

    /// Sets whether the identity hook has to name a user: whoever it does not is answered 401, over every transport and before anything else is looked at.
    ///
    /// Default: no.
    #[must_use]
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Sets how the address of a client is known, for [`max_connections_per_address`](Self::max_connections_per_address).
    ///
    /// Default: from its socket, which behind a proxy is the proxy's.
    #[must_use]
    pub fn client_address(mut self, address: ClientAddress) -> Self {
        self.client_address = address;
        self
    }

    /// Sets whether a connection ends when the [identity](crate::Identity::expires) that it was opened with expires; its client may come back with a new one.
    ///
    /// Default: no, as in ASP.NET Core, where a WebSocket outlives its token. A later poll or POST with another expiry moves it.
    #[must_use]
    pub fn close_on_authentication_expiration(mut self, close: bool) -> Self {
        self.close_on_authentication_expiration = close;
        self
    }

    /// Sets how long a WebSocket waits for the client's close frame before it is cut.
    ///
    /// Default 5 s, as in ASP.NET Core. Counted in whole seconds.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Sets how WebSockets are compressed (permessage-deflate, RFC 7692) where a client offers it; needs the feature `deflate`.
    ///
    /// Default: not at all, as in ASP.NET Core, because compression costs CPU and memory, and because the length of what is compressed tells of its content:
    /// where a message holds a secret and something that an attacker chose, the attacker may learn the secret byte by byte (CRIME, BREACH). [`Message::uncompressed`](crate::Message::uncompressed) exempts a message.
    #[must_use]
    pub fn compression(mut self, compression: impl Into<Option<Compression>>) -> Self {
        self.compression = compression.into();
        self
    }

    /// Sets who lets allowed pages from elsewhere read answers.
    ///
    /// Default: the endpoint does. Switch it off where `actix-cors` wraps the endpoint.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }

    /// Sets how long a connection without a transport lives: after `negotiate`, between polls, and between sockets where they may follow one another.
    ///
    /// Default 15 s, as in ASP.NET Core. Counted in whole seconds.
    #[must_use]
    pub fn disconnect_timeout(mut self, timeout: Duration) -> Self {
        self.disconnect_timeout = timeout;
        self
    }

    /// Sets for how long an event stream may say nothing before a comment is sent.
    ///
    /// Default 15 s. It keeps proxies from taking the stream for dead, and shows a client that has vanished, most of all over HTTP/2.
    /// A hub's pings, [`keep_alive_interval`](https://docs.rs/hubwire/latest/hubwire/struct.HubOptions.html), do the same. Counted in whole seconds.
    #[must_use]
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.heartbeat_interval = interval;
        self
    }

    /// Sets how many bytes may wait for a client before a further message closes it as a slow consumer.
    ///
    /// Default 1 MiB: sends never wait, so this bounds what a client that stopped reading costs.
    /// One message may overshoot, so that a larger reply to a client that reads passes.
    /// ASP.NET Core has no such bound; there a send waits for the slowest client.
    #[must_use]
    pub fn max_backlog(mut self, bytes: usize) -> Self {
        self.max_backlog = bytes;
        self
    }

    /// Sets the longest WebSocket message and POST body that is accepted; a WebSocket message is judged by its frame headers.
    ///
    /// Default 1 MiB; a hub with a larger message limit raises it to that.
    /// It is far over the hub's own limit because a client may send several hub messages in one frame (the .NET client batches up to 64 KiB and a message); the hub limits each of them.
    #[must_use]
    pub fn max_frame_size(mut self, bytes: usize) -> Self {
        self.max_frame_size = bytes;
        self
    }

    /// Sets how many connections the endpoint may have, on this server; whoever comes then is answered 503.
    ///
    /// Default: any number; the operating system's limit on open files remains.
    #[must_use]
    pub fn max_connections(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.max_connections = connections.into();
        self
    }

    /// Sets how many connections the clients of one address may have; whoever comes then is answered 429.
    ///
    /// Default: any number, since many people share the address of their company or carrier.
    /// Behind a proxy set [`client_address`](Self::client_address) too.
    #[must_use]
    pub fn max_connections_per_address(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.max_connections_per_address = connections.into();
        self
    }

    /// Sets how many clients may have negotiated and not come back yet; whoever negotiates then is answered 503.
    ///
    /// Default: any number. A negotiation costs no memory; this bounds how many clients can come at once.
    #[must_use]
    pub fn max_pending_negotiations(mut self, negotiations: impl Into<Option<usize>>) -> Self {
        self.max_pending_negotiations = negotiations.into();
        self
    }

    /// Sets how many POSTs of one connection may wait for their turn before a further one is answered 429.
    ///
    /// Default 16. The official clients have one under way at a time.
    #[must_use]
    pub fn max_waiting_posts(mut self, posts: usize) -> Self {
        self.max_waiting_posts = posts;
        self
    }

    /// Sets the lowest negotiate version that is answered.
    ///
    /// Default 0, as in ASP.NET Core; 1 refuses clients that send their public id as their secret.
    #[must_use]
    pub fn minimum_protocol_version(mut self, version: i64) -> Self {
        self.minimum_protocol_version = version;
        self
    }

    /// Sets how long a poll waits for something to answer with.
    ///
    /// Default 50 s: many proxies cut a request that takes 60. ASP.NET Core's default is 90 s.
    /// Over HTTP/2, where actix-web does not tell that a request was left, a client that vanished during a poll is missed after this time and [`disconnect_timeout`](Self::disconnect_timeout) together.
    #[must_use]
    pub fn poll_timeout(mut self, timeout: Duration) -> Self {
        self.poll_timeout = timeout;
        self
    }

    /// Sets how long the body of a POST may take to arrive before it is answered 408.
    ///
    /// Default 100 s, for which the official JavaScript client waits. Meanwhile only the POSTs of the same connection wait.
    #[must_use]
    pub fn post_timeout(mut self, timeout: Duration) -> Self {
        self.post_timeout = timeout;
        self
    }

    /// Sets how long a connection over short polling lives without a poll.
    ///
    /// Default 30 s: such a client polls in a rhythm of its own, slower while nothing happens.
    /// [`disconnect_timeout`](Self::disconnect_timeout) is the same for long polling. Counted in whole seconds.
    #[must_use]
    pub fn short_polling_timeout(mut self, timeout: Duration) -> Self {
        self.short_polling_timeout = timeout;
        self
    }

    /// Sets what may carry connections; `negotiate` offers it, and a request over anything else is answered 404.
    ///
    /// Default: all. ASP.NET Core's `Transports`.
    ///
    /// ```
    /// use hubwire_transport::{EndpointOptions, Transport};
    ///
    /// let options = EndpointOptions::default().transports([Transport::WebSockets, Transport::LongPolling]);
    /// # assert!(options.validate().is_ok());
    /// ```
    #[must_use]
    pub fn transports(mut self, transports: impl Into<Transports>) -> Self {
        self.transports = transports.into();
        self
    }

    /// Sets how many bytes may wait for a client before whoever awaits room for it waits.
    ///
    /// Default 65,536, as in ASP.NET Core.
    #[must_use]
    pub fn transport_max_buffer_size(mut self, bytes: usize) -> Self {
        self.transport_max_buffer_size = bytes;
        self
    }

    /// Sets how long a client may take nothing of what waits for it before it is closed as a slow consumer.
    ///
    /// Default 10 s, as in ASP.NET Core. Counted in whole seconds.
    #[must_use]
    pub fn transport_send_timeout(mut self, timeout: Duration) -> Self {
        self.transport_send_timeout = timeout;
        self
    }

    /// Sets how often a WebSocket is sent a Ping of RFC 6455, which every client answers by itself, also one whose program hangs.
    ///
    /// Default: never for a hub, whose own pings show the program to be alive; every [`heartbeat_interval`](Self::heartbeat_interval) for other applications, so that a proxy does not take a quiet socket for dead and a client that vanished is noticed.
    /// ASP.NET Core's `WebSocketOptions.KeepAliveInterval`. Counted in whole seconds.
    #[must_use]
    pub fn web_socket_ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.web_socket_ping_interval = interval.into();
        self
    }

    /// Sets for how long after a Ping nothing at all may come from the client before it is closed, with [`DisconnectReason::ClientTimeout`](crate::DisconnectReason::ClientTimeout).
    ///
    /// Default: for any time. It needs [`web_socket_ping_interval`](Self::web_socket_ping_interval); a client that vanished is missed after both together.
    /// The time stands still while something that the client sent has not been read. It should exceed what a slow client needs to take what is on its way to it, since a Ping goes behind that.
    /// ASP.NET Core's `WebSocketOptions.KeepAliveTimeout`. Counted in whole seconds.
    #[must_use]
    pub fn web_socket_ping_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.web_socket_ping_timeout = timeout.into();
        self
    }
}
