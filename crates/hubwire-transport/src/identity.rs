//! Who connects.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::Extensions;
use serde_json::{Map, Value};

/// The user that a connection belongs to, as the application knows it; case-sensitive.
///
/// One user may have many connections, on several devices and tabs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for UserId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Into<Arc<str>>> From<T> for UserId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

/// What the application's identity hook found out about whoever connects.
///
/// ```
/// use hubwire_transport::Identity;
///
/// #[derive(Clone)]
/// struct Tenant(u32);
///
/// let identity = Identity::user("ada").claim("role", "admin").insert(Tenant(7));
/// assert_eq!(identity.user_id().unwrap().as_str(), "ada");
/// assert_eq!(identity.claims()["role"], "admin");
/// assert_eq!(identity.get::<Tenant>().unwrap().0, 7);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Identity {
    user_id: Option<UserId>,
    claims: Map<String, Value>,
    expires: Option<SystemTime>,
    extensions: Extensions,
}

impl Identity {
    /// Nobody in particular: no user id.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// The user with this id.
    pub fn user(id: impl Into<UserId>) -> Self {
        Self { user_id: Some(id.into()), ..Self::default() }
    }

    /// Adds a claim; a later one of the same name replaces it.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Sets when it expires: what a token says in `exp`.
    ///
    /// It matters where [`close_on_authentication_expiration`](crate::EndpointOptions::close_on_authentication_expiration) is set.
    ///
    /// ```
    /// use hubwire_transport::Identity;
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let exp = 1_790_000_000; // seconds since 1970, as in a JSON Web Token
    /// let identity = Identity::user("ada").expires(UNIX_EPOCH + Duration::from_secs(exp));
    /// # assert!(identity.expiry().is_some());
    /// ```
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// Adds a value of the application's own, found again by its type.
    #[must_use]
    pub fn insert<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// The user, if there is one.
    pub fn user_id(&self) -> Option<&UserId> {
        self.user_id.as_ref()
    }

    /// The claims by name.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// When it expires, if it does.
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expires
    }

    /// The application's own value of type `T`.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }
}
