//! Which web pages may talk to an endpoint.

/// The origins of web pages that may talk to an endpoint.
///
/// A browser tells the server which page a request comes from, and sends the server's cookies along whatever page that is.
/// An endpoint that did not look would serve any page that its user happens to visit, in the user's name.
/// Clients that are no browsers send no origin, and pass.
///
/// ```
/// use hubwire_transport::AllowedOrigins;
///
/// let own = AllowedOrigins::SameHost;
/// assert!(own.allow("https://example.com", Some("example.com")));
/// assert!(!own.allow("https://evil.example", Some("example.com")));
///
/// let listed = AllowedOrigins::list(["https://app.example.com"]);
/// assert!(listed.allow("https://app.example.com", Some("api.example.com")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowedOrigins {
    /// Any page. For endpoints that know nobody by a cookie.
    Any,
    /// Pages of the endpoint's own host, and of these origins.
    List(Vec<String>),
    /// Pages of the endpoint's own host and port, which is the default.
    #[default]
    SameHost,
}

impl AllowedOrigins {
    /// Pages of the endpoint's own host, and of these origins, each written as browsers do: `https://app.example.com`.
    pub fn list<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self::List(origins.into_iter().map(Into::into).collect())
    }

    /// Whether a page of `origin` may talk to the server that it knows as `host`.
    ///
    /// The opaque origin `null` of sandboxed pages and local files passes only where any does.
    pub fn allow(&self, origin: &str, host: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::List(origins) => {
                origins.iter().any(|listed| listed.eq_ignore_ascii_case(origin))
                    || is_own(origin, host)
            }
            Self::SameHost => is_own(origin, host),
        }
    }
}

/// Whether `origin` is a page of `host`, which leaves out its port where that is its scheme's own.
pub fn is_own(origin: &str, host: Option<&str>) -> bool {
    let (Some((scheme, authority)), Some(host)) = (origin.split_once("://"), host) else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |authority: &str| {
        authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase()
    };
    plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(origin: &str, host: &str, own: bool) {
        assert_eq!(is_own(origin, Some(host)), own, "{origin} at {host}");
    }

    #[test]
    fn a_page_is_of_its_own_host_and_port() {
        check("http://example.com", "example.com", true);
        check("http://example.com:80", "example.com", true);
        check("https://Example.com", "example.com:443", true);
        check("http://example.com:8080", "example.com:8080", true);
        check("http://[::1]:8080", "[::1]:8080", true);
        // Behind a proxy that speaks TLS, the server itself does not.
        check("https://example.com", "example.com", true);
        check("http://example.com:8080", "example.com", false);
        check("http://example.com", "example.com:443", false);
        check("http://evil.com", "example.com", false);
        check("http://example.com.evil.com", "example.com", false);
        check("http://example.com@evil.com", "example.com", false);
        check("null", "null", false);
        check("", "", false);
        check("file://", "", false);
        assert!(!is_own("http://example.com", None));
    }

    #[test]
    fn a_list_adds_to_the_own_host() {
        let listed = AllowedOrigins::list(["https://app.example.com"]);
        assert!(listed.allow("https://app.example.com", Some("api.example.com")));
        assert!(listed.allow("https://api.example.com", Some("api.example.com")));
        assert!(!listed.allow("http://app.example.com", Some("api.example.com")));
        assert!(!listed.allow("null", Some("api.example.com")));
        assert!(AllowedOrigins::Any.allow("null", None));
    }
}
