//! What a hub method may fail with.

use std::any::Any;
use std::error::Error;
use std::fmt;

use crate::client_result::InvokeError;
use crate::client_stream::ClientStreamError;
use crate::texts::Detail;

/// What a hub method returns when it may fail.
pub type HubResult<T> = Result<T, HubError>;

/// Why a hub method failed: either a text for the client, or an error of the server's own.
///
/// It is SignalR's `HubException` and its opposite in one type.
/// Only what [`HubError::new`] is given reaches the client.
/// Every other error converts with `?`, is logged with its sources, and the client gets a fixed sentence, unless detailed errors are switched on.
///
/// ```
/// use hubwire_hub::{HubError, HubResult};
///
/// fn parse(port: &str) -> HubResult<u16> {
///     if port.is_empty() {
///         return Err(HubError::new("name a port"));   // the client reads this
///     }
///     Ok(port.parse()?)                               // the client reads a fixed sentence
/// }
///
/// assert_eq!(parse("").unwrap_err().message(), Some("name a port"));
/// assert_eq!(parse("x").unwrap_err().message(), None);
/// ```
pub struct HubError(Kind);

enum Kind {
    /// For the client.
    Public(String),
    /// For the log.
    Internal { error: Box<dyn Error + Send + Sync>, type_name: &'static str },
    /// A whole sentence of the official server's. What there is to log about it is logged.
    Refusal(Box<Refusal>),
}

/// An answer that is an error, in the words of the official server.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) sentence: String,
    pub(crate) detail: Option<Detail>,
}

impl HubError {
    /// An error whose text the client is meant to read.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Kind::Public(message.into()))
    }

    /// The text for the client, if this is an error for clients.
    pub fn message(&self) -> Option<&str> {
        match &self.0 {
            Kind::Public(message) => Some(message),
            Kind::Internal { .. } | Kind::Refusal(_) => None,
        }
    }

    pub(crate) fn refusal(sentence: String, detail: Option<Detail>) -> Self {
        Self(Kind::Refusal(Box::new(Refusal { sentence, detail })))
    }

    /// The sentence that it is, if it is one.
    pub(crate) fn as_refusal(&self) -> Option<&Refusal> {
        match &self.0 {
            Kind::Refusal(refusal) => Some(refusal),
            Kind::Internal { .. } | Kind::Public(_) => None,
        }
    }

    /// The error behind it, if this is an error of the server's own.
    pub fn as_internal(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.0 {
            Kind::Public(_) | Kind::Refusal(_) => None,
            Kind::Internal { error, .. } => Some(&**error),
        }
    }

    /// What clients know this kind of error as: `HubException`, or the name of the Rust type.
    pub(crate) fn kind(&self) -> &str {
        match self.0 {
            Kind::Public(_) | Kind::Refusal(_) => "HubException",
            Kind::Internal { type_name, .. } => short_type_name(type_name),
        }
    }
}

/// `std::num::ParseIntError` without its path; what stands between angle brackets stays as it is.
fn short_type_name(type_name: &'static str) -> &'static str {
    let head = type_name.split('<').next().unwrap_or(type_name);
    head.rfind("::").map_or(type_name, |at| &type_name[at + 2..])
}

/// Any error becomes one of the server's own, which the client does not get to read.
///
/// The exceptions are errors that a client gave, as the answer to a client result or as the end of a stream that it sends: they go on to the caller, as in SignalR.
impl<E: Error + Send + Sync + 'static> From<E> for HubError {
    fn from(error: E) -> Self {
        let error_of_any_type: &dyn Any = &error;
        if let Some(InvokeError::Client(message)) = error_of_any_type.downcast_ref() {
            return Self::new(message.as_str());
        }
        if let Some(ClientStreamError::Client(message)) = error_of_any_type.downcast_ref() {
            return Self::new(message.as_str());
        }
        let type_name = std::any::type_name::<E>();
        Self(Kind::Internal { error: Box::new(error), type_name })
    }
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Public(message) => f.write_str(message),
            Kind::Internal { error, .. } => error.fmt(f),
            Kind::Refusal(refusal) => f.write_str(&refusal.sentence),
        }
    }
}

impl fmt::Debug for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Public(message) => f.debug_tuple("HubError").field(message).finish(),
            Kind::Internal { error, .. } => f.debug_tuple("HubError").field(error).finish(),
            Kind::Refusal(refusal) => f.debug_tuple("HubError").field(refusal).finish(),
        }
    }
}

/// An error with all its sources, for one log line.
pub(crate) fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_type_without_its_path() {
        assert_eq!(HubError::from("x".parse::<u8>().unwrap_err()).kind(), "ParseIntError");
        assert_eq!(HubError::new("x").kind(), "HubException");
        assert_eq!(short_type_name("a::B<c::D>"), "B<c::D>");
        assert_eq!(short_type_name("B"), "B");
    }

    #[test]
    fn the_error_of_a_client_goes_on_to_the_caller() {
        let error = HubError::from(InvokeError::Client("no".to_owned()));
        assert_eq!(error.message(), Some("no"));
        let error = HubError::from(ClientStreamError::Client("enough".to_owned()));
        assert_eq!(error.message(), Some("enough"));
        assert_eq!(HubError::from(ClientStreamError::Disconnected).message(), None);
    }
}
