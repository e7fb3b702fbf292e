//! A request as an owned snapshot.

use actix_web::HttpRequest;
use hubwire_transport::{ConnectRequest, Identity, Transport};

/// What `request` looked like, without holding on to it.
pub(crate) fn snapshot(
    request: &HttpRequest,
    transport: Transport,
    identity: Identity,
) -> ConnectRequest {
    // actix-web stays on http 0.2, so names and values go over as bytes; both crates accept the same ones.
    let headers = request.headers().iter().filter_map(|(name, value)| {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        let value = http::HeaderValue::from_bytes(value.as_bytes()).ok()?;
        Some((name, value))
    });
    let mut snapshot = http::HeaderMap::with_capacity(request.headers().len());
    for (name, value) in headers {
        snapshot.append(name, value);
    }
    let mut opened = ConnectRequest::local(request.path(), transport);
    opened.method =
        http::Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or_default();
    request.query_string().clone_into(&mut opened.query);
    opened.headers = snapshot;
    opened.peer = request.peer_addr();
    opened.identity = identity;
    opened
}
