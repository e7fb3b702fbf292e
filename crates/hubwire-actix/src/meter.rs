//! What is counted, through the `metrics` facade: nothing is recorded until the application installs a recorder.
//!
//! Names and tags of SignalR's server where it has them, ours below `hubwire.`; the table is in the docs of the `hubwire` crate.

use std::sync::Arc;

use hubwire_transport::{DisconnectReason, Transport, Transports};
use metrics::{Counter, counter, gauge, histogram};

/// The counters of one endpoint on one worker.
#[derive(Clone)]
pub(crate) struct Meter {
    hub: Arc<str>,
    offered: Transports,
}

/// The bytes of one connection.
#[derive(Clone)]
pub(crate) struct Traffic {
    received: Counter,
    sent: Counter,
}

impl Meter {
    pub(crate) fn new(hub: &str, offered: Transports) -> Self {
        Self { hub: hub.into(), offered }
    }

    fn hub(&self) -> String {
        self.hub.to_string()
    }

    /// A connection was opened; one that is not over the best transport that is offered has fallen back.
    pub(crate) fn opened(&self, transport: Transport) {
        gauge!("signalr.server.active_connections", "hub" => self.hub(), "signalr.transport" => tag(transport)).increment(1);
        if self.offered.iter().next() != Some(transport) {
            counter!("hubwire.fallbacks", "hub" => self.hub(), "signalr.transport" => tag(transport)).increment(1);
        }
    }

    pub(crate) fn closed(&self, transport: Transport, reason: &DisconnectReason, seconds: u64) {
        let transport = tag(transport);
        gauge!("signalr.server.active_connections", "hub" => self.hub(), "signalr.transport" => transport).decrement(1);
        #[expect(clippy::cast_precision_loss, reason = "a histogram has no exact seconds")]
        histogram!(
            "signalr.server.connection.duration",
            "hub" => self.hub(), "signalr.transport" => transport, "signalr.connection.status" => status(reason)
        )
        .record(seconds as f64);
        counter!("hubwire.disconnects", "hub" => self.hub(), "signalr.transport" => transport, "reason" => reason.label())
            .increment(1);
    }

    /// A request was refused.
    pub(crate) fn refused(&self, why: &'static str) {
        counter!("hubwire.refusals", "hub" => self.hub(), "reason" => why).increment(1);
    }

    pub(crate) fn traffic(&self, transport: Transport) -> Traffic {
        let transport = tag(transport);
        Traffic {
            received: counter!("hubwire.received_bytes", "hub" => self.hub(), "signalr.transport" => transport),
            sent: counter!("hubwire.sent_bytes", "hub" => self.hub(), "signalr.transport" => transport),
        }
    }
}

impl Traffic {
    pub(crate) fn received(&self, bytes: usize) {
        self.received.increment(bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.increment(bytes as u64);
    }
}

/// Bytes that wait for the clients of this worker.
pub(crate) fn backlog(bytes: impl FnOnce() -> usize) {
    let worker = std::thread::current().name().unwrap_or_default().to_owned();
    #[expect(clippy::cast_precision_loss, reason = "a gauge has no exact bytes")]
    gauge!("hubwire.backlog_bytes", "worker" => worker).set(bytes() as f64);
}

/// SignalR's names for transports in metrics.
const fn tag(transport: Transport) -> &'static str {
    match transport {
        Transport::LongPolling => "long_polling",
        Transport::ServerSentEvents => "server_sent_events",
        Transport::ShortPolling => "short_polling",
        Transport::WebSockets => "web_sockets",
    }
}

/// SignalR's names for the ends of connections.
const fn status(reason: &DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::Shutdown => "app_shutdown",
        DisconnectReason::ClientTimeout | DisconnectReason::HandshakeTimeout => "timeout",
        DisconnectReason::BadMessage { .. }
        | DisconnectReason::ClientClosed { .. }
        | DisconnectReason::Kicked
        | DisconnectReason::MessageTooBig { .. }
        | DisconnectReason::NetworkLost
        | DisconnectReason::Refused { .. }
        | DisconnectReason::SlowConsumer { .. }
        | DisconnectReason::TokenExpired => "normal_closure",
    }
}
