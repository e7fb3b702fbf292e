//! Tokens in queries, kept from those who log requests.

use std::borrow::Cow;
use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::{Method, Uri, header};
use actix_web::{Error, HttpMessage, HttpRequest};
use hubwire_transport::query_value;
use hubwire_transport::token::is_well_formed;

use crate::{access_token, event_stream, handshake};

/// A middleware that keeps the tokens of hub clients out of logs, and shows their access tokens to whatever guards the application.
///
/// SignalR's clients put secrets into URLs: the access token of their user, because browsers set no headers on WebSockets and event streams, and the connection token, with which anybody may send and receive in a connection's place.
/// Without this middleware actix-web's `Logger`, `tracing-actix-web` and everything else that writes down a request's query writes down both.
///
/// It changes nothing but the requests of hub clients, which it knows by their form: they ask for a WebSocket or an event stream, are a POST to a path that ends in `/negotiate`, or carry a connection token.
/// In those,
///
/// - `access_token` goes from the query into an `Authorization: Bearer …` header, unless there is such a header already; so `actix-web-httpauth` and other middleware guard a hub as they guard the rest;
/// - the values of `access_token`, and of `id` where it is a connection token, are blanked in the query, and everything else stays as it is.
///
/// Endpoints and [`AccessToken`](crate::AccessToken) still find what was blanked.
/// Whoever else would read `access_token` from such a query, another WebSocket of the same application for one, finds it in the header or with that extractor.
///
/// It must be the outermost middleware, which is the last one that wraps the `App`: what is further out sees the tokens.
/// Proxies in front write logs of their own.
///
/// ```
/// use actix_web::{App, middleware::Logger};
/// use hubwire_actix::HideTokens;
///
/// let app = App::new()
///     // .service(chat.at("/chat"))
///     .wrap(Logger::default())
///     .wrap(HideTokens);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HideTokens;

/// What was blanked in a request's query, for those who need it.
pub(crate) struct Hidden {
    access_token: Option<String>,
    connection_token: Option<String>,
}

impl Hidden {
    pub(crate) fn access_token(request: &HttpRequest) -> Option<String> {
        request.extensions().get::<Self>()?.access_token.clone()
    }

    fn connection_token(request: &HttpRequest) -> Option<String> {
        request.extensions().get::<Self>()?.connection_token.clone()
    }
}

/// The connection token of a request, hidden or not.
pub(crate) fn connection_token(request: &HttpRequest) -> Option<Cow<'_, str>> {
    Hidden::connection_token(request)
        .map(Cow::Owned)
        .or_else(|| query_value(request.query_string(), "id"))
        .filter(|token| !token.is_empty())
}

impl<S, B> Transform<S, ServiceRequest> for HideTokens
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = Hiding<S>;
    type InitError = ();
    type Future = Ready<Result<Hiding<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Hiding { service }))
    }
}

/// [`HideTokens`] around a service.
#[expect(unnameable_types, reason = "only actix-web has to do with it, through `Transform`")]
pub struct Hiding<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for Hiding<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = S::Future;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        if is_from_hub_client(request.request()) {
            hide(&mut request);
        }
        self.service.call(request)
    }
}

impl<S> fmt::Debug for Hiding<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hiding").finish_non_exhaustive()
    }
}

fn is_from_hub_client(request: &HttpRequest) -> bool {
    handshake::is_wanted(request)
        || event_stream::is_wanted(request)
        || is_negotiation(request)
        || request.query_string().split('&').any(is_connection_token)
}

/// A negotiation, or a browser that asks whether its page may send one.
fn is_negotiation(request: &HttpRequest) -> bool {
    let path = request.path().trim_end_matches('/');
    let (_, last) = path.rsplit_once('/').unwrap_or_default();
    matches!(*request.method(), Method::POST | Method::OPTIONS)
        && last.eq_ignore_ascii_case("negotiate")
}

fn is_connection_token(pair: &str) -> bool {
    query_value(pair, "id").is_some_and(|id| is_well_formed(&id))
}

fn hide(request: &mut ServiceRequest) {
    let query = request.query_string();
    let blanked = blank(query);
    if blanked == query {
        return;
    }
    let Some(uri) = with_query(request.uri(), &blanked) else { return };
    let hidden = Hidden {
        access_token: access_token::in_query(query),
        // The first one counts, as it would in the query.
        connection_token: query_value(query, "id").filter(|id| is_well_formed(id)).map(Into::into),
    };
    let bearer = hidden.access_token.as_ref().map(|token| format!("Bearer {token}"));
    if let Some(Ok(mut bearer)) = bearer.map(header::HeaderValue::try_from) {
        bearer.set_sensitive(true);
        let headers = request.headers_mut();
        if !headers.contains_key(header::AUTHORIZATION) {
            headers.insert(header::AUTHORIZATION, bearer);
        }
    }
    request.extensions_mut().insert(hidden);
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}

/// A query without the values that are secrets.
fn blank(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(pair) => &pair[..=name.len()],
        _ => pair,
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn is_secret(pair: &str) -> bool {
    query_value(pair, "access_token").is_some() || is_connection_token(pair)
}

/// None of the characters is new, so there is always one.
fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use hubwire_transport::token::{TokenKey, TokenKind};

    use super::*;

    fn token() -> String {
        TokenKey::random().issue("chat", TokenKind::Secret, 0).token
    }

    /// What is left of a query, and what it hides: `[access token, connection token, Authorization]`.
    fn hidden(request: TestRequest) -> (String, [Option<String>; 3]) {
        let mut request = request.to_srv_request();
        if is_from_hub_client(request.request()) {
            hide(&mut request);
        }
        assert_eq!(request.match_info().get_ref().uri(), request.uri());
        let header = request.headers().get(header::AUTHORIZATION);
        let secrets = [
            Hidden::access_token(request.request()),
            Hidden::connection_token(request.request()),
            header.map(|value| value.to_str().unwrap().to_owned()),
        ];
        (request.query_string().to_owned(), secrets)
    }

    fn socket(query: &str) -> TestRequest {
        TestRequest::with_uri(&format!("/chat?{query}"))
            .insert_header((header::UPGRADE, "websocket"))
    }

    fn some(values: [&str; 3]) -> [Option<String>; 3] {
        values.map(|value| (!value.is_empty()).then(|| value.to_owned()))
    }

    #[test]
    fn only_secrets_are_blanked() {
        let id = token();
        let check = |query: &str, left: &str, secrets| {
            assert_eq!(hidden(socket(query)), (left.to_owned(), some(secrets)), "{query}");
        };
        check(
            &format!("id={id}&access_token=a%2Eb"),
            "id=&access_token=",
            ["a.b", &id, "Bearer a.b"],
        );
        check(
            &format!("x=%41+b&ACCESS%5Ftoken=a&&I%44={id}&y&z=="),
            "x=%41+b&ACCESS%5Ftoken=&&I%44=&y&z==",
            ["a", &id, "Bearer a"],
        );
        check(
            "access_token=&access_token=a&access_token=b",
            "access_token=&access_token=&access_token=",
            ["a", "", "Bearer a"],
        );
        // An id of the application's own stays, and is still the first.
        check(&format!("id=5&id={id}"), "id=5&id=", ["", "", ""]);
        check(&format!("id={id}&id=5"), "id=&id=5", ["", &id, ""]);
        check(
            "id=&access_token&access_token=&x=1",
            "id=&access_token&access_token=&x=1",
            ["", "", ""],
        );
        // No header can hold it.
        check("access_token=a%0Ab", "access_token=", ["a\nb", "", ""]);
    }

    #[test]
    fn a_header_of_the_client_stays() {
        let request = socket("access_token=a").insert_header((header::AUTHORIZATION, "Basic b"));
        assert_eq!(hidden(request), ("access_token=".to_owned(), some(["a", "", "Basic b"])));
    }

    #[test]
    fn the_rest_of_a_uri_stays() {
        for start in ["/caf%C3%A9//x/", "http://example.com:8080/chat", "http://example.com/"] {
            let uri = format!("{start}?access_token=a");
            let request = TestRequest::with_uri(&uri).insert_header((header::UPGRADE, "websocket"));
            let mut request = request.to_srv_request();
            hide(&mut request);
            assert_eq!(request.uri().to_string(), format!("{start}?access_token="));
        }
    }

    #[test]
    fn hub_clients_are_known_by_their_form() {
        let id = token();
        let to = |uri: &str| TestRequest::with_uri(uri);
        let is_touched = |request: TestRequest| hidden(request).1[0].is_some();
        let polled = format!("/chat?access_token=a&id={id}");
        assert!(is_touched(to(&polled)));
        assert!(is_touched(to(&polled).method(Method::POST)));
        assert!(is_touched(to(&polled).method(Method::DELETE)));
        assert!(is_touched(to("/chat/Negotiate?access_token=a").method(Method::POST)));
        assert!(is_touched(to("/chat/negotiate?access_token=a").method(Method::OPTIONS)));
        assert!(is_touched(to("/chat/negotiate/?access_token=a").method(Method::POST)));
        assert!(is_touched(
            to("/?access_token=a").insert_header((header::ACCEPT, "text/event-stream"))
        ));
        assert!(is_touched(socket("access_token=a")));

        assert!(!is_touched(to("/chat/negotiate?access_token=a")));
        assert!(!is_touched(to("/chat/renegotiate?access_token=a").method(Method::POST)));
        assert!(!is_touched(to("/report?id=5&access_token=a")));
        assert!(!is_touched(to("/report?access_token=a").method(Method::POST)));
    }

    #[test]
    fn what_was_hidden_once_is_not_lost_by_hiding_again() {
        let mut request = socket("access_token=a").to_srv_request();
        hide(&mut request);
        hide(&mut request);
        assert_eq!(Hidden::access_token(request.request()).as_deref(), Some("a"));
    }
}
