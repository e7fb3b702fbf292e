//! Pages of any site, with their cookies: what browsers need that load a test suite from elsewhere. No real server may do so.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::time::{Duration, OffsetDateTime};
use actix_web::cookie::{Cookie, CookieBuilder};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

/// A middleware that lets every page read every answer, and gives cookies to whoever negotiates.
pub async fn welcome(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = allowed(request.headers());
    if request.method() == Method::OPTIONS {
        let mut answer = request.into_response(HttpResponse::NoContent().finish());
        add(&mut answer, allowed);
        return Ok(answer);
    }
    let mut answer = next.call(request).await?.map_into_boxed_body();
    add(&mut answer, allowed);
    if answer.request().path().contains("/negotiate") {
        for cookie in cookies() {
            answer.response_mut().add_cookie(&cookie)?;
        }
    }
    Ok(answer)
}

/// The headers that let the page that asks do whatever it asks for.
fn allowed(asked: &HeaderMap) -> Vec<(header::HeaderName, HeaderValue)> {
    let Some(origin) = asked.get(header::ORIGIN) else { return Vec::new() };
    let mut allowed = vec![
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")),
    ];
    let echoes = [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ];
    for (wish, answer) in echoes {
        allowed.extend(asked.get(wish).map(|value| (answer, value.clone())));
    }
    allowed
}

fn add(answer: &mut ServiceResponse<BoxBody>, headers: Vec<(header::HeaderName, HeaderValue)>) {
    for (name, value) in headers {
        answer.headers_mut().insert(name, value);
    }
}

/// Two that stay and one that is over, which no client may send back.
fn cookies() -> [Cookie<'static>; 3] {
    let cookie = |name, value| -> CookieBuilder<'static> { Cookie::build(name, value).path("/") };
    let hour_ago = OffsetDateTime::now_utc() - Duration::HOUR;
    [
        cookie("testCookie", "testValue").finish(),
        cookie("testCookie2", "testValue2").finish(),
        cookie("expiredCookie", "doesntmatter").expires(hour_ago).finish(),
    ]
}
