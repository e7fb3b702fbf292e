//! The `negotiate` exchange as data: what a client asks for and what it is told.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::request::query_value;
use crate::token::Issued;
use crate::{Transport, Transports};

/// The highest negotiate version that exists.
pub const MAX_VERSION: i64 = 1;

/// How many characters of [`failures`] are kept: our client sends no more.
const MAX_FAILURES: usize = 500;

/// Why a negotiate request gets an `error` for an answer, with the text that the client shows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VersionError {
    /// `negotiateVersion` is no integer.
    #[error("The client requested a non-integer protocol version.")]
    NotAnInteger,
    /// `negotiateVersion` is below the endpoint's minimum.
    #[error(
        "The client requested version '{requested}', but the server does not support this version."
    )]
    TooLow {
        /// What the client asked for.
        requested: i64,
    },
}

/// The version that the client of this query gets: what it asks for, at most [`MAX_VERSION`], 0 if it does not say.
///
/// # Errors
///
/// When it asks for no integer, or for less than `minimum`.
pub fn version(query: &str, minimum: i64) -> Result<i64, VersionError> {
    let requested = match query_value(query, "negotiateVersion") {
        // 32 bits, as the official server reads it.
        Some(text) => text.trim().parse::<i32>().map_err(|_| VersionError::NotAnInteger)?.into(),
        None => 0,
    };
    if requested < minimum {
        return Err(VersionError::TooLow { requested });
    }
    Ok(requested.min(MAX_VERSION))
}

/// Whether the client of this query wants to acknowledge what it receives and to number what it sends.
pub fn wants_acks(query: &str) -> bool {
    query_value(query, "useAcks").is_some_and(|wish| wish.eq_ignore_ascii_case("true"))
}

/// Whether the client of this query wants its connection to outlive its sockets.
pub fn wants_stateful_reconnect(query: &str) -> bool {
    query_value(query, "useStatefulReconnect").is_some_and(|wish| wish.eq_ignore_ascii_case("true"))
}

/// Why other transports failed, as the client of this query tells it before it tries the next one.
///
/// The text is the client's: for a log, escaped. It is cut off after 500 characters.
pub fn failures(query: &str) -> Option<String> {
    let text = query_value(query, "failed")?;
    Some(text.trim().chars().take(MAX_FAILURES).collect())
}

/// Those of `transports` that the client of this query is told of.
///
/// Short polling is for clients that [ask for what SignalR lacks](wants_acks): some refuse an answer with a name that they do not know.
pub fn offered(query: &str, transports: Transports) -> Transports {
    let knows_all = wants_acks(query);
    let is_known = |transport: &Transport| match transport {
        Transport::ShortPolling => knows_all,
        Transport::LongPolling | Transport::ServerSentEvents | Transport::WebSockets => true,
    };
    Transports::from(transports.iter().filter(is_known))
}

/// The answer to a negotiate request, in the order that the official server writes.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NegotiateResponse {
    /// The version that both sides use from here on.
    pub negotiate_version: i64,
    /// The public id of the connection.
    pub connection_id: String,
    /// What the client shows to attach; absent in version 0, where the id serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_token: Option<String>,
    /// Whether the connection may outlive its sockets; absent unless the client asked, as [`wants_stateful_reconnect`] tells, and it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_stateful_reconnect: Option<bool>,
    /// Whether the client's `ack` and `seq` are looked at; absent unless it asked, as [`wants_acks`] tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_acks: Option<bool>,
    /// What the endpoint offers, best first.
    pub available_transports: Vec<AvailableTransport>,
}

/// A transport that the endpoint offers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailableTransport {
    transport: &'static str,
    transfer_formats: Vec<&'static str>,
}

impl From<Transport> for AvailableTransport {
    fn from(transport: Transport) -> Self {
        let formats = transport.transfer_formats().iter();
        Self {
            transport: transport.as_str(),
            transfer_formats: formats.map(|format| format.as_str()).collect(),
        }
    }
}

/// What an application makes of a negotiate request.
///
/// ```
/// use hubwire_transport::negotiate::Negotiation;
///
/// let elsewhere = Negotiation::Redirect {
///     url: "https://eu.example.com/chat".to_owned(),
///     access_token: None,
/// };
/// let full = Negotiation::Refuse { error: "all seats are taken".to_owned() };
/// # let _ = (elsewhere, full);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Negotiation {
    /// The client may connect here.
    #[default]
    Accept,
    /// The client shall negotiate at another address.
    Redirect {
        /// The address of the other endpoint, without `/negotiate`.
        url: String,
        /// The access token that the client uses from then on, instead of its own.
        access_token: Option<String>,
    },
    /// The client may not connect. It shows the text and does not try again by itself.
    Refuse {
        /// What the client shows.
        error: String,
    },
}

/// The answer that sends a client elsewhere.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NegotiateRedirect {
    /// The version that both sides use.
    pub negotiate_version: i64,
    /// Where to negotiate.
    pub url: String,
    /// What to show there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Nothing here.
    pub available_transports: [AvailableTransport; 0],
}

impl NegotiateRedirect {
    /// The answer for a version, an address and a token to show there.
    pub fn new(version: i64, url: String, access_token: Option<String>) -> Self {
        Self { negotiate_version: version, url, access_token, available_transports: [] }
    }
}

/// The answer to a client of ASP.NET SignalR, which came before ASP.NET Core and speaks another protocol.
///
/// Its own fields make such a client say what is wrong: the newest by `availableTransports`, older ones by `ProtocolVersion`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct OldSignalR {
    #[serde(rename = "availableTransports")]
    available_transports: [AvailableTransport; 0],
    protocol_version: &'static str,
    error: &'static str,
}

impl OldSignalR {
    /// Whether a negotiate request comes from such a client.
    pub fn is(query: &str) -> bool {
        query_value(query, "clientProtocol").is_some()
    }

    /// The answer.
    pub const fn answer() -> Self {
        Self {
            available_transports: [],
            protocol_version: "ASP.NET Core",
            error: "This server speaks ASP.NET Core SignalR. Use the package @microsoft/signalr instead of signalr.",
        }
    }
}

/// A refusal, which carries nothing else.
#[derive(Clone, Debug, Serialize)]
pub struct NegotiateError {
    /// What the client shows.
    pub error: String,
}

impl NegotiateResponse {
    /// The answer for a version and what was issued for it.
    pub fn new(version: i64, issued: Issued, transports: Transports) -> Self {
        Self {
            negotiate_version: version,
            connection_id: issued.connection_id.to_string(),
            connection_token: (version > 0).then_some(issued.token),
            use_stateful_reconnect: None,
            use_acks: None,
            available_transports: transports.iter().map(Into::into).collect(),
        }
    }
}

// Whoever prints a token gives it away.
impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept => f.write_str("Accept"),
            Self::Redirect { url, .. } => {
                f.debug_struct("Redirect").field("url", url).finish_non_exhaustive()
            }
            Self::Refuse { error } => f.debug_struct("Refuse").field("error", error).finish(),
        }
    }
}

impl fmt::Debug for NegotiateRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegotiateRedirect").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for NegotiateResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegotiateResponse")
            .field("negotiate_version", &self.negotiate_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_the_official_server() {
        assert_eq!(version("", 0), Ok(0));
        assert_eq!(version("negotiateVersion=1", 0), Ok(1));
        assert_eq!(version("NegotiateVersion=1&x=2", 0), Ok(1));
        assert_eq!(version("negotiateVersion=99", 0), Ok(1));
        assert_eq!(version("negotiateVersion=x", 0), Err(VersionError::NotAnInteger));
        assert_eq!(version("", 1), Err(VersionError::TooLow { requested: 0 }));
        assert_eq!(version("negotiateVersion=-1", 0), Err(VersionError::TooLow { requested: -1 }));
    }

    #[test]
    fn failures_are_bounded() {
        assert_eq!(failures("useAcks=true"), None);
        assert_eq!(failures("failed=+WebSockets%3A%20no%0A").as_deref(), Some("WebSockets: no"));
        let long = failures(&format!("failed={}", "%C3%A4".repeat(600)));
        assert_eq!(long, Some("ä".repeat(500)));
    }

    #[test]
    fn short_polling_is_offered_to_those_who_know_it() {
        let names = |query| offered(query, Transports::ALL).to_string();
        assert_eq!(names("useAcks=true"), Transports::ALL.to_string());
        assert_eq!(names(""), "WebSockets, ServerSentEvents, LongPolling");
        assert!(offered("", [Transport::ShortPolling].into()).is_empty());
    }

    #[test]
    fn the_answer_has_the_official_order() {
        let json = |version| {
            let issued = Issued { connection_id: "id".into(), token: "token".to_owned() };
            let transports = [Transport::WebSockets].into();
            let response = NegotiateResponse::new(version, issued, transports);
            serde_json::to_string(&response).unwrap()
        };
        let transports = r#""availableTransports":[{"transport":"WebSockets","transferFormats":["Text","Binary"]}]}"#;
        assert_eq!(
            json(1),
            format!(
                r#"{{"negotiateVersion":1,"connectionId":"id","connectionToken":"token",{transports}"#
            )
        );
        assert_eq!(json(0), format!(r#"{{"negotiateVersion":0,"connectionId":"id",{transports}"#));
    }

    #[test]
    fn a_redirect_has_the_official_order() {
        let json = |token: Option<&str>| {
            let redirect = NegotiateRedirect::new(1, "u".to_owned(), token.map(str::to_owned));
            serde_json::to_string(&redirect).unwrap()
        };
        assert_eq!(json(None), r#"{"negotiateVersion":1,"url":"u","availableTransports":[]}"#);
        assert_eq!(
            json(Some("t")),
            r#"{"negotiateVersion":1,"url":"u","accessToken":"t","availableTransports":[]}"#
        );
    }
}
