use std::fmt;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{EncodeError, HubProtocol};

/// How much of an undecoded value `Debug` shows: enough to recognise it, too little to flood a log.
const SHOWN: usize = 64;

/// One value that is not decoded yet: a slice of the frame it came in, and the protocol that it is encoded in.
///
/// Whoever knows the type decodes it; until then it costs a reference count.
#[derive(Clone, Eq, PartialEq)]
pub struct Encoded {
    pub(crate) protocol: HubProtocol,
    pub(crate) bytes: Bytes,
}

impl Encoded {
    /// Encodes `value`.
    ///
    /// # Errors
    ///
    /// When `value` cannot be written in this protocol.
    pub fn new<T: Serialize + ?Sized>(
        protocol: HubProtocol,
        value: &T,
    ) -> Result<Self, EncodeError> {
        let bytes = match protocol {
            HubProtocol::Json => serde_json::to_vec(value).map_err(EncodeError::Json)?.into(),
        };
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

    /// The value as a `T`.
    ///
    /// # Errors
    ///
    /// When it does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        decode(self.protocol, &self.bytes)
    }
}

pub(crate) fn decode<T: DeserializeOwned>(
    protocol: HubProtocol,
    bytes: &[u8],
) -> Result<T, DecodeError> {
    match protocol {
        HubProtocol::Json => serde_json::from_slice(bytes).map_err(DecodeError::Json),
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.bytes[..self.bytes.len().min(SHOWN)];
        write!(f, "{}({} bytes) ", self.protocol, self.bytes.len())?;
        f.write_str(&String::from_utf8_lossy(shown))?;
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
}

#[cfg(test)]
mod tests {
    use super::Encoded;
    use crate::HubProtocol;

    #[test]
    fn debug_shows_a_whole_short_value_and_the_beginning_of_a_long_one() {
        let short = Encoded::new(HubProtocol::Json, &[1, 2]).unwrap();
        assert_eq!(format!("{short:?}"), "json(5 bytes) [1,2]");
        let long = Encoded::new(HubProtocol::Json, &"ä".repeat(1000)).unwrap();
        let shown = format!("{long:?}");
        assert!(shown.starts_with("json(2002 bytes) \"ää"), "{shown}");
        assert!(shown.ends_with('…') && shown.len() < 100, "{shown}");
    }

    #[test]
    fn null_decodes_to_unit_and_to_none() {
        let null = Encoded::new(HubProtocol::Json, &()).unwrap();
        null.decode::<()>().unwrap();
        assert_eq!(null.decode::<Option<u8>>().unwrap(), None);
        assert!(null.decode::<u8>().is_err());
    }
}
