//! Values that look one way in text and another in MessagePack.
//!
//! Serde does not tell a value which format it is written in, and both of ours are human-readable. So such a value goes
//! as a newtype struct in a newtype struct, whose name means nothing to anybody but our MessagePack serializer; that one
//! says inside of the first that it is not human-readable, and inside of the second that it is. No other format changes
//! its mind, so whatever other format a value is written in, it is the text; and no state is shared behind serde's back.

use serde::Serializer;

#[cfg(feature = "messagepack")]
use {
    crate::{MessagePackError, messagepack::VERBATIM},
    serde::{Serialize, ser::Error},
    std::borrow::Cow,
};

pub(crate) trait Forms {
    /// Writes what everybody but MessagePack is given.
    fn text<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// One whole value of MessagePack.
    #[cfg(feature = "messagepack")]
    fn messagepack(&self) -> Result<Cow<'_, [u8]>, MessagePackError>;
}

#[cfg(not(feature = "messagepack"))]
pub(crate) fn serialize<F: Forms, S: Serializer>(
    value: &F,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.text(serializer)
}

#[cfg(feature = "messagepack")]
pub(crate) fn serialize<F: Forms, S: Serializer>(
    value: &F,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(VERBATIM, &First(value))
}

#[cfg(feature = "messagepack")]
struct First<'f, F>(&'f F);

#[cfg(feature = "messagepack")]
impl<F: Forms> Serialize for First<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.text(serializer)
        } else {
            serializer.serialize_newtype_struct(VERBATIM, &Second(self.0))
        }
    }
}

#[cfg(feature = "messagepack")]
struct Second<'f, F>(&'f F);

#[cfg(feature = "messagepack")]
impl<F: Forms> Serialize for Second<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_bytes(&self.0.messagepack().map_err(S::Error::custom)?)
        } else {
            self.0.text(serializer)
        }
    }
}
