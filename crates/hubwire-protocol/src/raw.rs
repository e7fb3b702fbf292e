use std::fmt;

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Visitor},
    ser::Error as _,
};
use serde_json::value::RawValue;

use crate::{
    EncodeError, HubProtocol,
    forms::{Forms, serialize},
    json,
};

#[cfg(feature = "messagepack")]
use {
    crate::{MessagePackError, messagepack, transcode::transcode},
    std::borrow::Cow,
};

/// How much of an undecoded value `Debug` shows: enough to recognise it, too little to flood a log.
const SHOWN: usize = 64;

/// One value that is not decoded yet: a slice of the frame it came in, and the protocol that it is encoded in.
///
/// Whoever knows the type decodes it; until then it costs a reference count.
///
/// It is a value itself: a parameter, a result, a field. So a method can take anything and hand it on. Where it goes out
/// in the protocol it came in, it goes as it is; in the other one it is translated: `bin` and base64, timestamps and their
/// texts, keys that are numbers and keys that are their digits. What has no form there is an error, an extension type of
/// MessagePack for example.
///
/// ```
/// use hubwire_protocol::{Raw, HubProtocol};
///
/// let anything: Raw = serde_json::from_str(r#"{"a": [1.50, null]}"#)?;
/// let list = Raw::new(HubProtocol::Json, &("as it came", &anything))?;
/// assert_eq!(list.as_bytes(), br#"["as it came",{"a": [1.50, null]}]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Serde reads some values twice, those of `#[serde(flatten)]`, `tag` and `untagged`: there a JSON value cannot be left
/// undecoded.
#[derive(Clone, Eq, PartialEq)]
pub struct Raw {
    pub(crate) protocol: HubProtocol,
    pub(crate) bytes: Bytes,
}

impl Raw {
    /// Encodes `value`.
    ///
    /// # Errors
    ///
    /// When `value` cannot be written in this protocol.
    pub fn new<T: Serialize + ?Sized>(
        protocol: HubProtocol,
        value: &T,
    ) -> Result<Self, EncodeError> {
        let mut bytes = Vec::new();
        write_value(protocol, &mut bytes, value)?;
        let bytes = bytes.into();
        Ok(Self { protocol, bytes })
    }

    /// The protocol that the value is encoded in.
    pub fn protocol(&self) -> HubProtocol {
        self.protocol
    }

    /// The value as it came, without the whitespace around it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same value in a buffer of its own. As it came in, it keeps the whole one that it was received in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { protocol: self.protocol, bytes: Bytes::copy_from_slice(&self.bytes) }
    }

    /// The value as a `T`.
    ///
    /// # Errors
    ///
    /// When it does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        decode(self.protocol, &self.bytes)
    }
}

/// Appends `value`.
pub(crate) fn write_value<T: Serialize + ?Sized>(
    protocol: HubProtocol,
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), EncodeError> {
    match protocol {
        HubProtocol::Json => json::to_writer(out, value).map_err(EncodeError::Json),
        #[cfg(feature = "messagepack")]
        HubProtocol::MessagePack => {
            messagepack::to_writer(out, value).map_err(EncodeError::MessagePack)
        }
    }
}

pub(crate) fn decode<T: DeserializeOwned>(
    protocol: HubProtocol,
    bytes: &[u8],
) -> Result<T, DecodeError> {
    match protocol {
        HubProtocol::Json => json::from_slice(bytes).map_err(DecodeError::Json),
        #[cfg(feature = "messagepack")]
        HubProtocol::MessagePack => {
            messagepack::from_slice(bytes).map_err(DecodeError::MessagePack)
        }
    }
}

impl Forms for Raw {
    fn text<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.protocol {
            HubProtocol::Json => {
                let raw: &RawValue =
                    serde_json::from_slice(&self.bytes).map_err(S::Error::custom)?;
                raw.serialize(serializer)
            }
            #[cfg(feature = "messagepack")]
            HubProtocol::MessagePack => {
                transcode(&mut messagepack::Deserializer::new(&self.bytes), serializer)
            }
        }
    }

    #[cfg(feature = "messagepack")]
    fn messagepack(&self) -> Result<Cow<'_, [u8]>, MessagePackError> {
        match self.protocol {
            HubProtocol::Json => {
                let mut out = Vec::new();
                messagepack::transcode_json(&mut out, &self.bytes)?;
                Ok(out.into())
            }
            HubProtocol::MessagePack => Ok(Cow::Borrowed(&self.bytes)),
        }
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(CAPTURE, Undecoded)
    }
}

/// The newtype struct that our MessagePack deserializer shows as the bytes that it is written in.
pub(crate) const CAPTURE: &str = "$hubwire_protocol::Raw";

struct Undecoded;

impl<'de> Visitor<'de> for Undecoded {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    /// What every other deserializer does with a newtype struct; of those only serde_json's leaves a value undecoded.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let bytes = Box::<str>::from(raw).into_string().into();
        Ok(Raw { protocol: HubProtocol::Json, bytes })
    }

    #[cfg(feature = "messagepack")]
    fn visit_borrowed_bytes<E: serde::de::Error>(self, bytes: &'de [u8]) -> Result<Raw, E> {
        let bytes = Bytes::copy_from_slice(bytes);
        Ok(Raw { protocol: HubProtocol::MessagePack, bytes })
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.bytes[..self.bytes.len().min(SHOWN)];
        write!(f, "{}({} bytes) ", self.protocol, self.bytes.len())?;
        match self.protocol {
            HubProtocol::Json => f.write_str(&String::from_utf8_lossy(shown))?,
            #[cfg(feature = "messagepack")]
            HubProtocol::MessagePack => write!(f, "{}", shown.escape_ascii())?,
        }
        f.write_str(if shown.len() < self.bytes.len() { "…" } else { "" })
    }
}

/// Why a value does not become the type that was asked for.
///
/// What to do about it depends on the value: a wrong argument ends the call, a wrong item its stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is no argument with this index.
    #[error("argument {index} was asked for, but the invocation has {len}")]
    Absent {
        /// The index, from 0.
        index: usize,
        /// How many arguments there are.
        len: usize,
    },
    /// The JSON is no such type.
    #[error("the JSON value does not fit the type that was asked for")]
    Json(#[source] serde_json::Error),
    /// The MessagePack is no such type.
    #[cfg(feature = "messagepack")]
    #[error("the MessagePack value does not fit the type that was asked for")]
    MessagePack(#[source] MessagePackError),
}

#[cfg(test)]
mod tests {
    use super::Raw;
    use crate::HubProtocol;

    #[test]
    fn debug_shows_a_whole_short_value_and_the_beginning_of_a_long_one() {
        let short = Raw::new(HubProtocol::Json, &[1, 2]).unwrap();
        assert_eq!(format!("{short:?}"), "json(5 bytes) [1,2]");
        let long = Raw::new(HubProtocol::Json, &"ä".repeat(1000)).unwrap();
        let shown = format!("{long:?}");
        assert!(shown.starts_with("json(2002 bytes) \"ää"), "{shown}");
        assert!(shown.ends_with('…') && shown.len() < 100, "{shown}");
    }

    #[test]
    fn null_decodes_to_unit_and_to_none() {
        let null = Raw::new(HubProtocol::Json, &()).unwrap();
        null.decode::<()>().unwrap();
        assert_eq!(null.decode::<Option<u8>>().unwrap(), None);
        assert!(null.decode::<u8>().is_err());
    }
}
