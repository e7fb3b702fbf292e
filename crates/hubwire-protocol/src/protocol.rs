use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::{ArgumentList, Close, EncodeError, HubMessage, InvocationHead, ParseError};

/// One encoding of hub messages, chosen by the client in its handshake.
///
/// Everything that depends on the encoding goes through this value, so that the code above it is the same for all.
/// The write methods append one whole message with its framing to `out`; when they fail, or when a value panics while it
/// is serialized, `out` is as long as it was before.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HubProtocol {
    /// One JSON object per message, each ended by the record separator U+001E.
    Json,
    /// One array per message, after its length: shorter, and bytes stay bytes.
    #[cfg(feature = "messagepack")]
    MessagePack,
}

/// Calls the codec of a protocol.
macro_rules! each {
    ($protocol:expr, $codec:ident => $call:expr) => {
        match $protocol {
            HubProtocol::Json => {
                use crate::json as $codec;
                $call
            }
            #[cfg(feature = "messagepack")]
            HubProtocol::MessagePack => {
                use crate::messagepack as $codec;
                $call
            }
        }
    };
}

impl HubProtocol {
    /// Every protocol of this build, in the order in which a server lists them.
    pub const ALL: &[Self] = &[
        Self::Json,
        #[cfg(feature = "messagepack")]
        Self::MessagePack,
    ];

    /// The highest version that a handshake may ask for: 2, which adds the messages of stateful reconnect.
    ///
    /// Lower versions, 0 included, are served as well: some clients say 0.
    pub const MAX_VERSION: u32 = 2;

    /// The name in the handshake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            #[cfg(feature = "messagepack")]
            Self::MessagePack => "messagepack",
        }
    }

    /// The protocol with this name, without regard to ASCII case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }

    /// What a transport must be able to carry for this protocol.
    pub fn transfer_format(self) -> TransferFormat {
        match self {
            Self::Json => TransferFormat::Text,
            #[cfg(feature = "messagepack")]
            Self::MessagePack => TransferFormat::Binary,
        }
    }

    /// Reads one message, given without its framing, as [`MessageReader`](crate::MessageReader) gives it.
    ///
    /// Arguments, items and results stay undecoded slices of `frame`.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke; the connection cannot go on.
    pub fn parse(self, frame: &Bytes) -> Result<HubMessage, ParseError> {
        each!(self, codec => codec::parse(frame))
    }

    /// Writes any message from its parsed form.
    ///
    /// # Errors
    ///
    /// When a value in it was encoded by another protocol and has no form in this one, or when it is
    /// [`HubMessage::Unknown`].
    pub fn write(self, out: &mut Vec<u8>, message: &HubMessage) -> Result<(), EncodeError> {
        each!(self, codec => codec::write(out, message))
    }

    /// Writes an acknowledgement: everything up to and including `sequence_id` has arrived.
    pub fn write_ack(self, out: &mut Vec<u8>, sequence_id: u64) {
        each!(self, codec => codec::write_ack(out, sequence_id));
    }

    /// Writes the wish that the stream `invocation_id` stops.
    pub fn write_cancel(self, out: &mut Vec<u8>, invocation_id: &str) {
        each!(self, codec => codec::write_cancel(out, invocation_id));
    }

    /// Writes the last message of a connection.
    pub fn write_close(self, out: &mut Vec<u8>, close: &Close) {
        each!(self, codec => codec::write_close(out, close));
    }

    /// Writes a completion with neither result nor error: the end of a stream.
    pub fn write_completed(self, out: &mut Vec<u8>, invocation_id: &str) {
        each!(self, codec => codec::write_completed(out, invocation_id));
    }

    /// Writes a completion with an error.
    pub fn write_error(self, out: &mut Vec<u8>, invocation_id: &str, error: &str) {
        each!(self, codec => codec::write_error(out, invocation_id, error));
    }

    /// Writes a call, or a send when the head has no invocation id.
    ///
    /// # Errors
    ///
    /// When an argument cannot be written in this protocol.
    pub fn write_invocation<A: ArgumentList + ?Sized>(
        self,
        out: &mut Vec<u8>,
        head: &InvocationHead<'_>,
        arguments: &A,
    ) -> Result<(), EncodeError> {
        each!(self, codec => codec::write_invocation(out, head, arguments))
    }

    /// Writes the message that only says "still here".
    pub fn write_ping(self, out: &mut Vec<u8>) {
        each!(self, codec => codec::write_ping(out));
    }

    /// Writes a completion with a value; `()` gives null, which is how a method without a value is answered.
    ///
    /// # Errors
    ///
    /// When `value` cannot be written in this protocol.
    pub fn write_result<T: Serialize + ?Sized>(
        self,
        out: &mut Vec<u8>,
        invocation_id: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        each!(self, codec => codec::write_result(out, invocation_id, value))
    }

    /// Writes the number of the first message that will follow, the opening of a stateful reconnect.
    pub fn write_sequence(self, out: &mut Vec<u8>, sequence_id: u64) {
        each!(self, codec => codec::write_sequence(out, sequence_id));
    }

    /// Writes a call of a method that answers with a stream; the head needs an invocation id, under which the items come.
    ///
    /// # Errors
    ///
    /// When an argument cannot be written in this protocol.
    pub fn write_stream_invocation<A: ArgumentList + ?Sized>(
        self,
        out: &mut Vec<u8>,
        head: &InvocationHead<'_>,
        arguments: &A,
    ) -> Result<(), EncodeError> {
        each!(self, codec => codec::write_stream_invocation(out, head, arguments))
    }

    /// Writes one item of a stream.
    ///
    /// # Errors
    ///
    /// When `item` cannot be written in this protocol.
    pub fn write_stream_item<T: Serialize + ?Sized>(
        self,
        out: &mut Vec<u8>,
        invocation_id: &str,
        item: &T,
    ) -> Result<(), EncodeError> {
        each!(self, codec => codec::write_stream_item(out, invocation_id, item))
    }
}

impl fmt::Display for HubProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a transport carries, as `negotiate` names it.
///
/// The two are all that SignalR has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TransferFormat {
    /// Any bytes.
    Binary,
    /// UTF-8 text.
    Text,
}

impl TransferFormat {
    /// The exact spelling on the wire: `Binary` or `Text`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "Binary",
            Self::Text => "Text",
        }
    }
}

impl fmt::Display for TransferFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{HubProtocol, TransferFormat};

    #[test]
    fn every_protocol_is_found_by_its_name() {
        for protocol in HubProtocol::ALL {
            assert_eq!(HubProtocol::from_name(protocol.name()), Some(*protocol));
            assert_eq!(HubProtocol::from_name(&protocol.name().to_uppercase()), Some(*protocol));
        }
        assert_eq!(HubProtocol::from_name(""), None);
        assert_eq!(HubProtocol::from_name("jsonx"), None);
        #[cfg(not(feature = "messagepack"))]
        assert_eq!(HubProtocol::from_name("messagepack"), None);
    }

    #[test]
    fn each_protocol_has_its_format() {
        assert_eq!(HubProtocol::Json.transfer_format(), TransferFormat::Text);
        #[cfg(feature = "messagepack")]
        assert_eq!(HubProtocol::MessagePack.transfer_format(), TransferFormat::Binary);
        assert_eq!(TransferFormat::Text.to_string(), "Text");
        assert_eq!(TransferFormat::Binary.to_string(), "Binary");
    }
}
