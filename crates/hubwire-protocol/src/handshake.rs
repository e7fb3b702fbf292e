//! The exchange that opens a connection, in JSON whatever protocol follows (HubProtocol.md, "Overview").
//!
//! The client says which protocol and version it wants, the server answers `{}` or an error.
//! Both are framed like JSON messages: the frames come from a [`MessageReader`](crate::MessageReader), and what is
//! written here ends with the record separator.

use crate::{
    ParseError,
    json::{RECORD_SEPARATOR, object::read_object, write_text},
};

/// What a client asks for with its first message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HandshakeRequest {
    /// The name of the hub protocol, as the client spells it.
    pub protocol: String,
    /// The version of that protocol; may be any number at all.
    pub version: i64,
}

impl HandshakeRequest {
    /// Reads a request, given without its separator.
    ///
    /// # Errors
    ///
    /// When it is no JSON object with a `protocol` and a `version`.
    pub fn parse(frame: &[u8]) -> Result<Self, HandshakeError> {
        let (mut protocol, mut version) = (None, None);
        read_object(text(frame)?, |name, value| {
            match name {
                "protocol" => protocol = Some(value.text("protocol")?.into_string()),
                "version" => version = value.number_or_null("version")?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        let missing = |property| ParseError::MissingProperty { property };
        let protocol = protocol.ok_or_else(|| missing("protocol"))?;
        let version = version.ok_or_else(|| missing("version"))?;
        Ok(Self { protocol, version })
    }

    /// Appends the request with its separator.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"protocol\":");
        write_text(out, &self.protocol);
        out.extend_from_slice(format!(",\"version\":{}}}", self.version).as_bytes());
        out.push(RECORD_SEPARATOR);
    }
}

/// Appends the server's answer with its separator: the protocol is accepted, or what is wrong.
///
/// The text must not be empty: JavaScript clients take an empty error for none.
pub fn write_response(out: &mut Vec<u8>, error: Option<&str>) {
    out.push(b'{');
    if let Some(error) = error {
        out.extend_from_slice(b"\"error\":");
        write_text(out, error);
    }
    out.extend_from_slice(&[b'}', RECORD_SEPARATOR]);
}

/// What a server answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HandshakeResponse {
    /// What is wrong with the request; `None` when the connection is open.
    pub error: Option<String>,
}

impl HandshakeResponse {
    /// Reads an answer, given without its separator.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, or a hub message instead of the answer.
    pub fn parse(frame: &[u8]) -> Result<Self, HandshakeError> {
        let (mut error, mut has_type) = (None, false);
        read_object(text(frame)?, |name, value| {
            match name {
                "error" => error = Some(value.text("error")?.into_string()),
                "type" => {
                    has_type = true;
                    value.skip()?;
                }
                _ => value.skip()?,
            }
            Ok(())
        })?;
        if has_type {
            return Err(HandshakeError::NotAResponse);
        }
        Ok(Self { error })
    }
}

fn text(frame: &[u8]) -> Result<&str, ParseError> {
    str::from_utf8(frame).map_err(ParseError::not_utf8)
}

/// Why a handshake cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The frame breaks a rule that holds for hub messages too.
    #[error(transparent)]
    Message(#[from] ParseError),
    /// The frame has a `type`: a hub message came where the answer was due.
    #[error("Expected a handshake response from the server.")]
    NotAResponse,
}
