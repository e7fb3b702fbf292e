//! The first exchange of a connection: which hub protocol, and which version.

use std::future::poll_fn;
use std::sync::Arc;

use hubwire_protocol::handshake::{HandshakeRequest, write_response};
use hubwire_protocol::{FrameError, HubProtocol, MessageReader};
use hubwire_transport::{Connection, DisconnectReason, Event, Intake, Message, Opening, ticks};

use crate::encode::{format_of, message};
use crate::options::HubOptions;
use crate::reception::Reception;
use crate::texts::{self, Detail};

/// A connection that may speak.
#[derive(Debug)]
pub(crate) struct Shaken {
    pub(crate) protocol: HubProtocol,
    /// Holds what came right behind the handshake.
    pub(crate) reader: MessageReader,
    /// Where the connection outlives its sockets.
    pub(crate) reception: Option<Reception>,
}

/// What a good handshake leads to.
struct Accepted {
    protocol: HubProtocol,
    reception: Option<Reception>,
}

/// The version with which a client that negotiated stateful reconnect says that it has understood the answer.
const STATEFUL_VERSION: u8 = 2;

/// Why the handshake failed, and what the client is told, if it is told anything.
struct Refusal {
    reason: DisconnectReason,
    answer: Option<String>,
}

/// Waits for the client's handshake and answers it; on failure the connection is finished.
///
/// # Errors
///
/// Why there is no session.
pub(crate) async fn shake_hands(
    connection: &Connection,
    options: &HubOptions,
) -> Result<Shaken, DisconnectReason> {
    // The tick that ends the last whole second.
    connection.wake_at(connection.ticks() + ticks(options.handshake_timeout) + 1);
    let mut reader = MessageReader::new(options.maximum_receive_message_size);
    let refusal = loop {
        match poll_fn(|cx| connection.poll_event(cx, Intake::Everything)).await {
            Event::Closing(reason) => break Refusal { reason, answer: None },
            Event::Tick => break Refusal::canceled(DisconnectReason::HandshakeTimeout),
            Event::Payload(payload) => reader.push(payload.bytes),
            Event::Drained | Event::Resumed => {}
        }
        match reader.next_frame() {
            Ok(None) => {}
            Ok(Some(frame)) => match accept(&frame, connection, options) {
                Ok(accepted) => {
                    let Accepted { protocol, reception } = accepted;
                    reader.frame_by(protocol);
                    return Ok(Shaken { protocol, reader, reception });
                }
                Err(refusal) => break refusal,
            },
            Err(error) => break Refusal::canceled(too_big(&error, reader.buffered())),
        }
    };
    connection.close(refusal.reason.clone());
    // What came first counts, should the network have closed it in this moment.
    let reason = connection.disconnect_reason().unwrap_or(refusal.reason);
    connection.finish(refusal.answer.map(|text| response(HubProtocol::Json, Some(&text))));
    Err(reason)
}

fn accept(
    frame: &[u8],
    connection: &Connection,
    options: &HubOptions,
) -> Result<Accepted, Refusal> {
    let request = HandshakeRequest::parse(frame).map_err(|error| {
        let detail = Detail::internal("InvalidDataException", error.to_string());
        let answer = texts::with_detail(
            texts::HANDSHAKE_FAILED,
            Some(&detail),
            options.enable_detailed_errors,
        );
        Refusal {
            reason: DisconnectReason::BadMessage { detail: format!("handshake: {error}") },
            answer: Some(answer),
        }
    })?;
    let protocol = HubProtocol::from_name(&request.protocol)
        .filter(|protocol| options.supported_protocols.contains(protocol))
        .ok_or_else(|| Refusal::refused(texts::unsupported_protocol(&request.protocol)))?;
    if request.version > i64::from(HubProtocol::MAX_VERSION) {
        let text = texts::unsupported_version(request.version, &request.protocol);
        return Err(Refusal::refused(text));
    }
    if !connection.request().transport.carries(format_of(protocol)) {
        return Err(Refusal::refused(texts::unsupported_format(protocol)));
    }
    let buffer = options.stateful_reconnect_buffer_size;
    let is_stateful = request.version == i64::from(STATEFUL_VERSION)
        && connection.keep_unacknowledged(buffer, opening(protocol));
    connection.send(response(protocol, None));
    Ok(Accepted { protocol, reception: is_stateful.then(|| Reception::new(buffer)) })
}

/// What a socket begins with that takes over from another one.
fn opening(protocol: HubProtocol) -> Opening {
    Arc::new(move |number| message(protocol, |out| protocol.write_sequence(out, number)))
}

impl Refusal {
    fn canceled(reason: DisconnectReason) -> Self {
        Self { reason, answer: Some(texts::HANDSHAKE_CANCELED.to_owned()) }
    }

    fn refused(text: String) -> Self {
        Self { reason: DisconnectReason::Refused { detail: text.clone() }, answer: Some(text) }
    }
}

/// What a message over the limit ends with.
pub(crate) fn too_big(error: &FrameError, buffered: usize) -> DisconnectReason {
    match error {
        FrameError::TooLarge { limit } => {
            let size = buffered.max(limit.saturating_add(1)) as u64;
            DisconnectReason::MessageTooBig { size, limit: *limit }
        }
        broken => DisconnectReason::BadMessage { detail: broken.to_string() },
    }
}

fn response(protocol: HubProtocol, error: Option<&str>) -> Message {
    message(protocol, |out| write_response(out, error))
}
