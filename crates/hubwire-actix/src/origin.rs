//! Which web pages may talk to an endpoint: the gate before every request, and CORS for those from elsewhere.

use std::future::Future;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use hubwire_transport::{Cors, is_own};

use crate::admission::Mounted;
use crate::negotiate::text;

/// How long a browser may remember what it was told about a page from elsewhere.
const MAX_AGE: &str = "600";

/// Answers a request unless its page may not ask, with the headers that let a page from elsewhere read the answer.
pub(crate) async fn guard(
    mounted: &Mounted,
    request: &HttpRequest,
    answer: impl Future<Output = actix_web::Result<HttpResponse>>,
) -> actix_web::Result<HttpResponse> {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return answer.await };
    let host = host(request);
    let allowed =
        origin.to_str().is_ok_and(|origin| mounted.options.allowed_origins.allow(origin, host));
    if !allowed {
        mounted.meter.refused("origin");
        tracing::warn!(
            hub = mounted.runner.name(),
            ?origin,
            host,
            "refused a page from elsewhere: add its origin to EndpointOptions::allowed_origins if it is yours"
        );
        return Ok(text(StatusCode::FORBIDDEN, "The origin of this page is not allowed"));
    }
    let is_foreign = !origin.to_str().is_ok_and(|origin| is_own(origin, host));
    if !is_foreign || mounted.options.cors == Cors::Off {
        return answer.await;
    }
    let mut response = match is_preflight(request) {
        true => preflight(request),
        // An error has to be readable too.
        false => answer.await.unwrap_or_else(HttpResponse::from_error),
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, header::HeaderValue::from_static("true"));
    headers.append(header::VARY, header::HeaderValue::from_static("Origin"));
    Ok(response)
}

/// The host that the browser asked for: a proxy in between says it in `X-Forwarded-Host`, which no page can set unasked; over HTTP/2 it is part of the address, and there is no `Host`.
fn host(request: &HttpRequest) -> Option<&str> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let forwarded = header("x-forwarded-host").and_then(|hosts| hosts.split(',').next());
    let authority = || request.uri().authority().map(|authority| authority.as_str());
    forwarded.map(str::trim).or_else(|| header("host")).or_else(authority)
}

fn is_preflight(request: &HttpRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a browser asks before it lets a page send something unusual. Whatever it asks for is granted, old WebKit's `origin` among it.
fn preflight(request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE, OPTIONS"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE));
    if let Some(asked) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone()));
    }
    response.finish()
}
