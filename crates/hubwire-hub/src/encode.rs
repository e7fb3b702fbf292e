//! Hub messages as outbox messages: encoded once per protocol, whoever receives them.

use std::convert::Infallible;
use std::sync::OnceLock;

use hubwire_protocol::{ArgumentList, EncodeError, HubProtocol, InvocationHead};
use hubwire_transport::{Message, TransferFormat};
use smallvec::SmallVec;

use crate::target::{Compressed, Target};

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

/// A Ping, which is the same for all clients of a protocol: none keeps one of its own.
pub(crate) fn ping(protocol: HubProtocol) -> Message {
    static PINGS: OnceLock<Vec<Message>> = OnceLock::new();
    let written = |protocol: HubProtocol| message(protocol, |out| protocol.write_ping(out));
    let pings = PINGS.get_or_init(|| HubProtocol::ALL.iter().copied().map(written).collect());
    let index = HubProtocol::ALL.iter().position(|listed| *listed == protocol);
    index.map_or_else(|| written(protocol), |index| pings[index].clone())
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

/// One call of clients in each protocol that receivers speak.
#[derive(Clone, Debug)]
pub struct Encodings {
    messages: SmallVec<[(HubProtocol, Message); 2]>,
    compression: Compressed,
}

impl Encodings {
    /// Encodes a call once for each of `protocols`.
    pub(crate) fn new<A: ArgumentList + ?Sized>(
        protocols: impl IntoIterator<Item = HubProtocol>,
        target: Target<'_>,
        arguments: &A,
    ) -> Result<Self, EncodeError> {
        Self::with_id(protocols, None, target, arguments)
    }

    /// The same of a call that is answered under this id.
    pub(crate) fn with_id<A: ArgumentList + ?Sized>(
        protocols: impl IntoIterator<Item = HubProtocol>,
        invocation_id: Option<&str>,
        target: Target<'_>,
        arguments: &A,
    ) -> Result<Self, EncodeError> {
        let mut encodings = Self::empty(target.compression);
        for protocol in protocols {
            if encodings.get(protocol).is_none() {
                let message = invocation(protocol, invocation_id, target, arguments)?;
                encodings.messages.push((protocol, message));
            }
        }
        Ok(encodings)
    }

    fn empty(compression: Compressed) -> Self {
        Self { messages: SmallVec::new(), compression }
    }

    /// What another server has encoded: the payload of one hub message for each protocol.
    pub fn from_payloads<'a>(
        compression: Compressed,
        payloads: impl IntoIterator<Item = (HubProtocol, &'a [u8])>,
    ) -> Self {
        let mut encodings = Self::empty(compression);
        for (protocol, payload) in payloads {
            let message = Message::copy_from(format_of(protocol), payload).counted();
            encodings.messages.push((protocol, compression.apply(message)));
        }
        encodings
    }

    /// The payload in each protocol.
    pub fn payloads(&self) -> impl ExactSizeIterator<Item = (HubProtocol, &[u8])> {
        self.messages.iter().map(|(protocol, message)| (*protocol, message.payload()))
    }

    /// Whether it may be compressed.
    pub fn compression(&self) -> Compressed {
        self.compression
    }

    pub(crate) fn get(&self, protocol: HubProtocol) -> Option<&Message> {
        self.messages
            .iter()
            .find_map(|(encoded, message)| (*encoded == protocol).then_some(message))
    }
}
