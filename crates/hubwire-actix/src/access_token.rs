//! The access token of a request: in its header, or in its query where a browser cannot set one.

use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use hubwire_transport::query_value;
use thiserror::Error;

use crate::hide_tokens::Hidden;

/// The bearer token of a request: an extractor for identity hooks and other handlers.
///
/// It is what `Authorization: Bearer …` says, or else the query parameter `access_token`, where SignalR's clients put it because browsers set no headers on WebSockets and event streams.
/// What it is worth is for the application to say: nothing is checked here.
///
/// A request without one is answered 401; `Option<AccessToken>` lets it pass.
///
/// ```
/// use actix_web::{error::ErrorUnauthorized, web};
/// use hubwire_actix::AccessToken;
/// use hubwire_transport::Identity;
/// use std::collections::HashMap;
///
/// struct Tokens(HashMap<String, String>);
///
/// // For `chat.at("/chat").identity(identify)`.
/// async fn identify(token: AccessToken, tokens: web::Data<Tokens>) -> actix_web::Result<Identity> {
///     let user = tokens.0.get(token.as_str()).ok_or_else(|| ErrorUnauthorized("unknown token"))?;
///     Ok(Identity::user(user.as_str()))
/// }
/// ```
///
/// A query ends up in logs: [`HideTokens`](crate::HideTokens) keeps tokens out of them.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// A request carries no access token; the answer to it is 401 with `WWW-Authenticate: Bearer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("An access token is required")]
pub struct MissingAccessToken;

impl AccessToken {
    /// The token as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequest for AccessToken {
    type Error = MissingAccessToken;
    type Future = Ready<Result<Self, MissingAccessToken>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = in_header(request)
            .or_else(|| Hidden::access_token(request))
            .or_else(|| in_query(request.query_string()));
        ready(token.map(Self).ok_or(MissingAccessToken))
    }
}

/// Whoever prints a token gives it away.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccessToken").finish_non_exhaustive()
    }
}

impl ResponseError for MissingAccessToken {
    fn status_code(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
            .insert_header(header::ContentType::plaintext())
            .body(self.to_string())
    }
}

/// The first `access_token` in a query that is not empty.
pub(crate) fn in_query(query: &str) -> Option<String> {
    let mut values = query.split('&').filter_map(|pair| query_value(pair, "access_token"));
    values.find(|value| !value.is_empty()).map(Into::into)
}

/// A proxy may have added credentials of its own, so every header is looked at.
fn in_header(request: &HttpRequest) -> Option<String> {
    request.headers().get_all(header::AUTHORIZATION).find_map(|value| {
        let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[track_caller]
    fn check(uri: &str, authorization: &[&str], token: Option<&str>) {
        let mut request = TestRequest::with_uri(uri);
        for value in authorization {
            request = request.append_header((header::AUTHORIZATION, *value));
        }
        let found = AccessToken::from_request(&request.to_http_request(), &mut Payload::None);
        let expected = token.map(|token| AccessToken(token.to_owned())).ok_or(MissingAccessToken);
        assert_eq!(found.into_inner(), expected, "{uri} {authorization:?}");
    }

    #[test]
    fn the_header_comes_before_the_query() {
        check("/", &["Bearer a.b-c"], Some("a.b-c"));
        check("/", &["bEARER  a "], Some("a"));
        check("/?access_token=q", &["Bearer h"], Some("h"));
        check("/?access_token=q", &["Basic h"], Some("q"));
        check("/", &["Basic b", "Bearer h"], Some("h"));
        check("/", &["Bearer", "Bearer ", "Bearerh", ""], None);
    }

    #[test]
    fn the_query_is_read_as_browsers_write_it() {
        check("/?access_token=a%2Bb%3D", &[], Some("a+b="));
        check("/?x=1&Access%5FToken=a&y", &[], Some("a"));
        check("/?access_token=&access_token=a&access_token=b", &[], Some("a"));
        check("/?access_token", &[], None);
        check("/?token=a&xaccess_token=b", &[], None);
    }

    #[test]
    fn nobody_reads_it_by_accident() {
        assert_eq!(format!("{:?}", AccessToken("secret".to_owned())), "AccessToken(..)");
    }

    #[test]
    fn without_one_the_client_is_told_what_is_missing() {
        let response = MissingAccessToken.error_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers().get(header::WWW_AUTHENTICATE).unwrap(), "Bearer");
    }
}
