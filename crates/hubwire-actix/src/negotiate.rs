//! `POST {path}/negotiate`: which transports there are, and a token to come back with.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, mime};
use hubwire_transport::negotiate::{self, NegotiateError, NegotiateResponse};
use hubwire_transport::ticks;
use hubwire_transport::token::TokenKind;
use serde::Serialize;

use crate::clock::unix_seconds;
use crate::endpoint::Mounted;

/// Answers a negotiate request; nothing is stored until the client comes back with its token.
pub(crate) fn negotiate(mounted: &Mounted, request: &HttpRequest) -> HttpResponse {
    if mounted.runner.connections().is_draining() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down");
    }
    let minimum = mounted.options.minimum_protocol_version;
    let version = match negotiate::version(request.query_string(), minimum) {
        Ok(version) => version,
        Err(error) => {
            tracing::debug!(hub = mounted.runner.name(), %error, "negotiate refused");
            return json(&NegotiateError { error: error.to_string() });
        }
    };
    let kind = if version == 0 { TokenKind::IdIsToken } else { TokenKind::Secret };
    let lifetime = u32::try_from(ticks(mounted.options.disconnect_timeout)).unwrap_or(u32::MAX);
    let expires = unix_seconds().saturating_add(lifetime);
    let issued = mounted.runner.connections().issue(&mounted.endpoint, kind, expires);
    let transports = mounted.options.transports;
    let mut answer =
        NegotiateResponse::new(version, &issued.connection_id, &issued.token, transports);
    answer.use_acks = negotiate::wants_acks(request.query_string()).then_some(true);
    json(&answer)
}

fn json(answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(answer)
}

/// A short answer in plain text, as the official server gives them.
pub(crate) fn text(status: StatusCode, body: impl Into<Cow<'static, str>>) -> HttpResponse {
    HttpResponse::build(status).insert_header(ContentType(mime::TEXT_PLAIN)).body(body.into())
}
