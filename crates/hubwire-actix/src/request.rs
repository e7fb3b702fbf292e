//! A request as an owned snapshot.

use actix_web::HttpRequest;
use bytes::BytesMut;
use hubwire_transport::{ConnectRequest, Identity, Transport};

/// What `request` looked like, without holding on to it.
pub(crate) fn snapshot(
    request: &HttpRequest,
    transport: Transport,
    identity: Identity,
) -> ConnectRequest {
    let mut opened = ConnectRequest::local(request.path(), transport);
    opened.method =
        http::Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or_default();
    request.query_string().clone_into(&mut opened.query);
    opened.headers = headers(request);
    opened.peer = request.peer_addr();
    opened.identity = identity;
    opened
}

/// The headers as slices of one buffer: a connection keeps them, and memory of its own for each would cost more than what they say.
fn headers(request: &HttpRequest) -> http::HeaderMap {
    let headers = request.headers();
    let length = headers.iter().map(|(_, value)| value.len()).sum();
    let mut values = BytesMut::with_capacity(length);
    let mut copy = http::HeaderMap::with_capacity(headers.len());
    // actix-web stays on http 0.2, so names and values go over as bytes; both crates accept the same ones.
    for (name, value) in headers {
        values.extend_from_slice(value.as_bytes());
        let value = http::HeaderValue::from_maybe_shared(values.split().freeze());
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            copy.append(name, value);
        }
    }
    copy
}
