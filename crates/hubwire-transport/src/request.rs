//! What a connection was opened with.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use http::{HeaderMap, Method};

use crate::{Identity, Transport, UserId};

/// An owned snapshot of the request that opened a connection.
///
/// It is `Send` and holds nothing of the HTTP server: a live request would pin the server's pools for as long as the connection lasts, and later polls are other requests anyway.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// The request's method, `GET` for every transport.
    pub method: Method,
    /// The path as the client sent it.
    pub path: String,
    /// The query without its question mark, as the client sent it.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The other end of the socket; behind a proxy, the proxy.
    pub peer: Option<SocketAddr>,
    /// What the connection came over.
    pub transport: Transport,
    /// What the identity hook said.
    pub identity: Identity,
}

impl ConnectRequest {
    /// A request without query, headers or identity, for tests and connections inside a process.
    pub fn local(path: &str, transport: Transport) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            peer: None,
            transport,
            identity: Identity::anonymous(),
        }
    }

    /// The first value of a query parameter, decoded; names match without regard to case, as in ASP.NET Core.
    ///
    /// ```
    /// use hubwire_transport::{ConnectRequest, Transport};
    ///
    /// let mut request = ConnectRequest::local("/chat", Transport::WebSockets);
    /// request.query = "room=caf%C3%A9&x=1".to_owned();
    /// assert_eq!(request.query("Room").as_deref(), Some("café"));
    /// assert_eq!(request.query("y"), None);
    /// ```
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.query, name)
    }

    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The value of a cookie, as the client sent it.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(http::header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The user, if the identity hook named one.
    pub fn user_id(&self) -> Option<&UserId> {
        self.identity.user_id()
    }
}

/// Without query and headers, which hold what must not be logged.
impl fmt::Debug for ConnectRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("peer", &self.peer)
            .field("transport", &self.transport)
            .field("user_id", &self.user_id())
            .finish_non_exhaustive()
    }
}

/// The first value of `name` in a query, decoded; names match without regard to ASCII case.
pub fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    // Queries are asked for several names and carry long tokens: nothing is decoded that need not be.
    let is_plain = |text: &str| !text.bytes().any(|byte| matches!(byte, b'%' | b'+'));
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if is_plain(key) {
            if !key.eq_ignore_ascii_case(name) {
                return None;
            }
            if is_plain(value) {
                return Some(Cow::Borrowed(value));
            }
        }
        form_urlencoded::parse(pair.as_bytes())
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_forms_are_written() {
        #[track_caller]
        fn check(query: &str, value: Option<&str>) {
            assert_eq!(query_value(query, "a b").as_deref(), value, "{query}");
        }
        check("", None);
        check("a", None);
        check("a+b", Some(""));
        check("a+b=1=2", Some("1=2"));
        check("=1&A%20B=x%20y+z&a+b=2", Some("x y z"));
        check("&&c=a+b&a b=1", Some("1"));
        check("c=1;a+b=2", None);
        assert_eq!(query_value("id=1&ID=2", "Id").as_deref(), Some("1"));
    }

    #[test]
    fn cookies_are_found_over_several_headers() {
        let mut request = ConnectRequest::local("/", Transport::WebSockets);
        request.headers.append("cookie", "a=1; b=2=3".parse().unwrap());
        request.headers.append("cookie", "c=".parse().unwrap());
        assert_eq!(request.cookie("a"), Some("1"));
        assert_eq!(request.cookie("b"), Some("2=3"));
        assert_eq!(request.cookie("c"), Some(""));
        assert_eq!(request.cookie("d"), None);
    }
}
