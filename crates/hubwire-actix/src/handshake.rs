//! The opening handshake of a WebSocket (RFC 6455 section 4.2), and what is said to those who get it wrong.

use std::rc::Rc;
use std::sync::Once;

use actix_http::ws::{self, HandshakeError};
use actix_http::{ConnectionType, ResponseBuilder};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Version};
use actix_web::{HttpRequest, HttpResponse};

use crate::admission::Mounted;
use crate::negotiate::text;

/// The two halves of the key that drafts before RFC 6455 had (Hixie-76), which old browsers still send.
const OLD_KEYS: [HeaderName; 2] =
    [HeaderName::from_static("sec-websocket-key1"), HeaderName::from_static("sec-websocket-key2")];

/// Picks one of the subprotocols that a client offers.
pub(crate) type SubProtocol = Rc<dyn for<'a> Fn(&[&'a str]) -> Option<&'a str>>;

/// Whether a request wants a WebSocket, rightly or not.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
        || is_old_draft(request)
        || is_websocket(request)
}

/// The answer to a request for a WebSocket that is not as it should be.
pub(crate) fn refusal(mounted: &Mounted, request: &HttpRequest) -> Option<HttpResponse> {
    if is_old_draft(request) {
        return Some(refuse(mounted, "This is a WebSocket of a draft before RFC 6455"));
    }
    if !request.headers().contains_key(header::UPGRADE) {
        return Some(refuse_lost_upgrade(mounted));
    }
    if request.version() < Version::HTTP_11 {
        return Some(refuse(mounted, "A WebSocket needs HTTP/1.1"));
    }
    // Its bytes would be the frames, and the server would read them as chunks.
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Some(refuse(
            mounted,
            "A WebSocket is asked for without a body: leave out Transfer-Encoding",
        ));
    }
    // actix-http looks for the word anywhere in the header, but hands on the bytes behind the request only where it stands alone.
    let verified = match is_websocket(request) {
        true => ws::verify_handshake(request.head()),
        false => Err(HandshakeError::NoWebsocketUpgrade),
    };
    Some(match verified {
        Ok(()) => return None,
        Err(HandshakeError::BadWebsocketKey) => {
            refuse(mounted, "Sec-WebSocket-Key is missing, or not 16 bytes in base64")
        }
        Err(HandshakeError::GetMethodRequired) => {
            let mut response =
                text(StatusCode::METHOD_NOT_ALLOWED, "A WebSocket is asked for by GET");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
            refuse_with(mounted, response)
        }
        Err(HandshakeError::NoConnectionUpgrade) => {
            refuse(mounted, "Connection does not say Upgrade")
        }
        Err(HandshakeError::NoVersionHeader) => refuse(mounted, "Sec-WebSocket-Version is missing"),
        Err(HandshakeError::NoWebsocketUpgrade) => refuse(mounted, "Upgrade is not websocket"),
        Err(HandshakeError::UnsupportedVersion) => {
            let mut response =
                text(StatusCode::UPGRADE_REQUIRED, "Sec-WebSocket-Version is not 13");
            let headers = response.headers_mut();
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            refuse_with(mounted, response)
        }
    })
}

/// The 101 that opens a WebSocket.
pub(crate) fn response(mounted: &Mounted, request: &HttpRequest) -> ResponseBuilder {
    let mut response = ws::handshake_response(request.head());
    if let Some(protocol) = sub_protocol(mounted, request) {
        response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, protocol));
    }
    response
}

fn is_websocket(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

fn is_old_draft(request: &HttpRequest) -> bool {
    let headers = request.headers();
    !headers.contains_key(header::SEC_WEBSOCKET_KEY)
        && OLD_KEYS.iter().any(|name| headers.contains_key(name))
}

fn refuse(mounted: &Mounted, why: &'static str) -> HttpResponse {
    refuse_with(mounted, text(StatusCode::BAD_REQUEST, why))
}

/// Whoever asked for a WebSocket may have sent what belongs to one behind the request, so its socket is of no further use.
fn refuse_with(mounted: &Mounted, mut response: HttpResponse) -> HttpResponse {
    mounted.meter.refused("handshake");
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// The answer to a WebSocket request whose `Upgrade` header got lost on its way; without it it must not be taken for a poll.
fn refuse_lost_upgrade(mounted: &Mounted) -> HttpResponse {
    mounted.meter.refused("lost_upgrade");
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            hub = mounted.runner.name(),
            "a proxy in front of this server keeps the Upgrade header of WebSockets to itself, so clients fall back to slower transports; for nginx add `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`"
        );
    });
    let mut response = text(
        StatusCode::UPGRADE_REQUIRED,
        "A proxy between the client and this server removed the Upgrade header.",
    );
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// The subprotocol that the endpoint's hook picks of those that are offered, over all headers that do.
fn sub_protocol<'a>(mounted: &Mounted, request: &'a HttpRequest) -> Option<&'a str> {
    let select = mounted.sub_protocol.as_ref()?;
    let headers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let offered: Vec<&str> = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if offered.is_empty() {
        return None;
    }
    let selected = select(&offered)?;
    // A client fails a handshake that names what it did not offer (RFC 6455 section 4.1).
    let is_offered = offered.contains(&selected);
    if !is_offered {
        tracing::error!(
            hub = mounted.runner.name(),
            selected,
            "a subprotocol was selected that the client does not offer, so none is"
        );
    }
    is_offered.then_some(selected)
}
