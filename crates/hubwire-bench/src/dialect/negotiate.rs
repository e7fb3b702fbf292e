//! SignalR's negotiation, which both of its protocols begin with.

use serde::Deserialize;

use super::{DialectError, Step};
use crate::error::SwarmError;
use crate::http::Exchange;
use crate::link::Link;

/// The fields of an answer that matter here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Negotiated {
    #[serde(default)]
    connection_token: Option<String>,
    /// Servers before version 1 of negotiation have this only.
    connection_id: String,
}

/// Where a client of the hub at `hub` connects.
pub(super) fn path(hub: &str, link: Link, exchange: &mut Exchange) -> Result<String, SwarmError> {
    let acks = match link {
        Link::WebSocket | Link::Deflate => return Ok(hub.to_owned()),
        Link::Negotiated | Link::EventStream | Link::LongPolling => "",
        // Without, it is not told of.
        Link::ShortPolling => "&useAcks=true",
    };
    let question = format!("{hub}/negotiate?negotiateVersion=1{acks}");
    let answer = exchange.request("POST", &question, b"")?;
    let answer: Negotiated = serde_json::from_slice(&answer).map_err(DialectError::from)?;
    let token = answer.connection_token.unwrap_or(answer.connection_id);
    let transport = match link {
        Link::ShortPolling => "&transport=shortPolling",
        Link::WebSocket
        | Link::Deflate
        | Link::Negotiated
        | Link::EventStream
        | Link::LongPolling => "",
    };
    Ok(format!("{hub}?id={token}{transport}"))
}

/// The answer to either handshake is JSON.
pub(super) const SHAKEN: Step = Step::Hear(b"{}\x1e");

/// The first poll opens the connection, and its answer is empty.
pub(super) const OPENED: Step = Step::Hear(b"");
