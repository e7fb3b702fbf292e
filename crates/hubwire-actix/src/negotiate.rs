//! `POST {path}/negotiate`: which transports there are, and a token to come back with.

use std::borrow::Cow;
use std::sync::Once;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use hubwire_transport::negotiate::{
    self, NegotiateError, NegotiateRedirect, NegotiateResponse, Negotiation, OldSignalR,
};
use hubwire_transport::token::TokenKind;
use hubwire_transport::{EndpointOptions, Full, ticks};
use serde::Serialize;

use crate::admission::Mounted;
use crate::clock::unix_seconds;

/// Answers a negotiate request; nothing is stored until the client comes back with its token.
pub(crate) async fn negotiate(
    mounted: &Mounted,
    request: &HttpRequest,
) -> actix_web::Result<HttpResponse> {
    mounted.authenticate(request).await?;
    if OldSignalR::is(request.query_string()) {
        warn_about_old_client(mounted);
        return Ok(json(&OldSignalR::answer()));
    }
    if request.method() != Method::POST {
        return Ok(text(StatusCode::METHOD_NOT_ALLOWED, ""));
    }
    mounted.identify(request).await?;
    if let Some(refusal) = mounted.refuse_newcomer() {
        return Ok(refusal);
    }
    let minimum = mounted.options.minimum_protocol_version;
    let version = match negotiate::version(request.query_string(), minimum) {
        Ok(version) => version,
        Err(error) => {
            tracing::debug!(hub = mounted.runner.name(), %error, "negotiate refused");
            return Ok(json(&NegotiateError { error: error.to_string() }));
        }
    };
    if let Some(failures) = negotiate::failures(request.query_string()) {
        // Written as Debug, for a line end of the client's must not begin a line of the log's.
        tracing::info!(hub = mounted.runner.name(), ?failures, "client falls back");
    }
    let negotiation = match &mounted.negotiation {
        Some(hook) => hook.ask(request).await?,
        None => Negotiation::Accept,
    };
    Ok(match negotiation {
        Negotiation::Accept => match accept(mounted, request, version) {
            Ok(answer) => json(&answer),
            Err(full) => mounted.refuse_full(full),
        },
        Negotiation::Redirect { url, access_token } => {
            json(&NegotiateRedirect::new(version, url, access_token))
        }
        Negotiation::Refuse { error } => json(&NegotiateError { error }),
    })
}

fn accept(
    mounted: &Mounted,
    request: &HttpRequest,
    version: i64,
) -> Result<NegotiateResponse, Full> {
    let query = request.query_string();
    let is_stateful =
        mounted.options.allow_stateful_reconnects && negotiate::wants_stateful_reconnect(query);
    let kind = match version {
        // Its clients know nothing of it.
        0 => TokenKind::IdIsToken,
        _ if is_stateful => TokenKind::Stateful,
        _ => TokenKind::Secret,
    };
    let lifetime = u32::try_from(ticks(mounted.options.disconnect_timeout)).unwrap_or(u32::MAX);
    let now = unix_seconds();
    let expires = now.saturating_add(lifetime);
    let EndpointOptions { max_connections, max_pending_negotiations, .. } = *mounted.options;
    if let Some(limit) = max_connections.filter(|limit| mounted.census.seated() >= *limit) {
        return Err(Full::Connections { limit });
    }
    mounted.census.await_client(expires, now, max_pending_negotiations)?;
    let issued = mounted.runner.connections().issue(&mounted.endpoint, kind, expires);
    let offered = negotiate::offered(query, mounted.options.transports);
    let mut answer = NegotiateResponse::new(version, issued, offered);
    answer.use_acks = negotiate::wants_acks(query).then_some(true);
    answer.use_stateful_reconnect = (kind == TokenKind::Stateful).then_some(true);
    Ok(answer)
}

/// Says once that clients come which cannot work.
fn warn_about_old_client(mounted: &Mounted) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            hub = mounted.runner.name(),
            "a client of ASP.NET SignalR 2 asks, which speaks another protocol: use @microsoft/signalr instead of the package signalr"
        );
    });
}

fn json(answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(answer)
}

/// A short answer in plain text, as the official server gives them.
pub(crate) fn text(status: StatusCode, body: impl Into<Cow<'static, str>>) -> HttpResponse {
    let plain = HeaderValue::from_static("text/plain");
    HttpResponse::build(status).insert_header((header::CONTENT_TYPE, plain)).body(body.into())
}
