//! How the connection is, through the `metrics` facade.

use metrics::{counter, gauge};

use crate::shared::Status;

/// Brings everything up to date.
#[expect(clippy::cast_precision_loss, reason = "a gauge has no exact numbers")]
pub(crate) fn show(prefix: &str, status: &Status) {
    let prefix = || prefix.to_owned();
    let connected = if status.is_connected { 1.0 } else { 0.0 };
    gauge!("hubwire.backplane.connected", "prefix" => prefix()).set(connected);
    gauge!("hubwire.backplane.waiting", "prefix" => prefix()).set(status.waiting as f64);
    gauge!("hubwire.backplane.waiting_bytes", "prefix" => prefix())
        .set(status.waiting_bytes as f64);
    counter!("hubwire.backplane.published", "prefix" => prefix()).absolute(status.published);
    counter!("hubwire.backplane.received", "prefix" => prefix()).absolute(status.received);
    counter!("hubwire.backplane.dropped", "prefix" => prefix()).absolute(status.dropped);
    counter!("hubwire.backplane.gaps", "prefix" => prefix()).absolute(status.gaps);
    counter!("hubwire.backplane.reconnects", "prefix" => prefix()).absolute(status.reconnects);
    counter!("hubwire.backplane.unreadable", "prefix" => prefix()).absolute(status.unreadable);
}
