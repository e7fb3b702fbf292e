//! Bytes: base64 text in JSON, `bin` in MessagePack.

use std::{fmt, ops::Deref};

use base64::{
    alphabet::STANDARD,
    engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

/// What is written has its padding; what is read need not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The most that is allocated for an array of numbers before the numbers are there.
const CAUTIOUS: usize = 4096;

/// Bytes as an argument, a result or a field: base64 text in JSON, `bin` in MessagePack.
///
/// That is what the official clients have for a `byte[]` (.NET) and, in MessagePack, for a `Uint8Array` (JavaScript); a
/// `Vec<u8>` is an array of numbers to serde. Cloning shares the bytes. For fields of other types there is
/// [`#[serde(with = "…::binary")]`](crate::binary).
///
/// ```
/// use hubwire_protocol::{Binary, Raw, HubProtocol};
///
/// let sent = Binary::from(vec![1, 2, 3]);
/// let json = Raw::new(HubProtocol::Json, &sent)?;
/// assert_eq!(json.as_bytes(), b"\"AQID\"");
/// assert_eq!(json.decode::<Binary>()?, sent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Binary(pub Bytes);

impl Deref for Binary {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Bytes> for Binary {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Binary> for Bytes {
    fn from(binary: Binary) -> Self {
        binary.0
    }
}

impl From<Binary> for Vec<u8> {
    fn from(binary: Binary) -> Self {
        binary.0.into()
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize::<Vec<u8>, D>(deserializer).map(Self::from)
    }
}

/// Writes `bytes`, for `#[serde(serialize_with)]` and `#[serde(with)]`.
///
/// # Errors
///
/// Those of the format.
pub fn serialize<S: Serializer>(
    bytes: &(impl AsRef<[u8]> + ?Sized),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes.as_ref())
}

/// Reads bytes, base64 text or an array of numbers, for `#[serde(deserialize_with)]` and `#[serde(with)]`.
///
/// # Errors
///
/// When it is none of them.
pub fn deserialize<'de, T: From<Vec<u8>>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    // Not `deserialize_bytes`: to serde_json that means the bytes of a text, and not what it says in base64.
    deserializer.deserialize_any(AnyForm).map(T::from)
}

struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes, or base64")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        BASE64.decode(text).map_err(|error| E::custom(format_args!("no base64: {error}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(CAUTIOUS));
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde::{Deserialize, Serialize};

    use super::Binary;
    use crate::{HubProtocol, Raw};

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Fields {
        #[serde(with = "super")]
        vec: Vec<u8>,
        #[serde(with = "super")]
        bytes: Bytes,
        newtype: Option<Binary>,
    }

    #[test]
    fn bytes_come_back_in_every_protocol() {
        for len in [0, 1, 2, 3, 255, 256, 100_000] {
            let bytes: Vec<u8> = (0..len).map(|n: u32| (n % 251) as u8).collect();
            let fields = Fields {
                vec: bytes.clone(),
                bytes: bytes.clone().into(),
                newtype: Some(bytes.into()),
            };
            for protocol in HubProtocol::ALL {
                let raw = Raw::new(*protocol, &fields).unwrap();
                assert_eq!(raw.decode::<Fields>().unwrap(), fields, "{protocol}");
            }
        }
    }

    #[test]
    fn json_is_base64_and_an_array_is_read_too() {
        let read = |text: &str| serde_json::from_str::<Binary>(text).map(Vec::from);
        assert_eq!(read(r#""AQI=""#).unwrap(), [1, 2]);
        assert_eq!(read(r#""AQI""#).unwrap(), [1, 2]);
        assert_eq!(read("[1,2]").unwrap(), [1, 2]);
        for wrong in [r#""A""#, r#""_-==""#, "[256]", "1", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(r#""A""#).unwrap_err().to_string().starts_with("no base64: "));
    }
}
