//! Hub messages as outbox messages: encoded once per protocol, whoever receives them.

use std::convert::Infallible;

use hubwire_protocol::{ArgumentList, EncodeError, HubProtocol, InvocationHead};
use hubwire_transport::{Message, TransferFormat};
use smallvec::SmallVec;

use crate::target::Target;

pub(crate) fn format_of(protocol: HubProtocol) -> TransferFormat {
    match protocol.transfer_format() {
        hubwire_protocol::TransferFormat::Binary => TransferFormat::Binary,
        hubwire_protocol::TransferFormat::Text => TransferFormat::Text,
    }
}

/// A message that cannot fail to be written, and that does not count.
pub(crate) fn message(protocol: HubProtocol, write: impl FnOnce(&mut Vec<u8>)) -> Message {
    let Ok(message) = Message::build(format_of(protocol), |out| {
        write(out);
        Ok::<_, Infallible>(())
    });
    message
}

/// A message that counts where connections outlive their sockets: all but Ping, Close, Ack and Sequence do.
pub(crate) fn counted<E>(
    protocol: HubProtocol,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Message, E> {
    Message::build(format_of(protocol), write).map(Message::counted)
}

/// A call of `target` on clients.
pub(crate) fn invocation<A: ArgumentList + ?Sized>(
    protocol: HubProtocol,
    invocation_id: Option<&str>,
    target: Target<'_>,
    arguments: &A,
) -> Result<Message, EncodeError> {
    let head = InvocationHead { invocation_id, ..InvocationHead::new(target.name) };
    let write = |out: &mut Vec<u8>| protocol.write_invocation(out, &head, arguments);
    Ok(target.compression.apply(counted(protocol, write)?))
}

/// One message in each protocol that receivers speak.
#[derive(Debug, Default)]
pub(crate) struct Encodings(SmallVec<[(HubProtocol, Message); 2]>);

impl Encodings {
    /// Encodes a call once for each of `protocols`.
    pub(crate) fn new<A: ArgumentList + ?Sized>(
        protocols: impl IntoIterator<Item = HubProtocol>,
        target: Target<'_>,
        arguments: &A,
    ) -> Result<Self, EncodeError> {
        let mut encodings = Self::default();
        for protocol in protocols {
            if encodings.get(protocol).is_none() {
                let message = invocation(protocol, None, target, arguments)?;
                encodings.0.push((protocol, message));
            }
        }
        Ok(encodings)
    }

    pub(crate) fn get(&self, protocol: HubProtocol) -> Option<&Message> {
        self.0.iter().find_map(|(encoded, message)| (*encoded == protocol).then_some(message))
    }
}
