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

/// The claims that name roles: ours first, then what others write.
const ROLE_CLAIMS: [&str; 3] =
    ["role", "roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"];

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

    /// Adds a role: one more text in the claim `role`.
    ///
    /// ```
    /// use hubwire_transport::Identity;
    ///
    /// let identity = Identity::user("ada").role("author").role("editor");
    /// assert!(identity.is_in_role("editor") && !identity.is_in_role("admin"));
    /// ```
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        let role = Value::String(role.into());
        match self.claims.get_mut(ROLE_CLAIMS[0]) {
            Some(Value::Array(roles)) => roles.push(role),
            Some(one) => *one = Value::Array(vec![one.take(), role]),
            None => {
                self.claims.insert(ROLE_CLAIMS[0].to_owned(), role);
            }
        }
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

    /// Whether it has a role: by the claims `role` and `roles`, and the one that ASP.NET Core writes.
    ///
    /// Their value is a text or a list of them; roles are compared exactly.
    pub fn is_in_role(&self, role: &str) -> bool {
        ROLE_CLAIMS.iter().any(|name| self.has_claim(name, Some(role)))
    }

    /// Whether it has a claim of this name, with this value where one is given: a text, a number or a truth value, or one of a list of them.
    pub fn has_claim(&self, name: &str, value: Option<&str>) -> bool {
        let is = |claim: &Value, value: &str| match claim {
            Value::String(text) => text == value,
            Value::Bool(truth) => truth.to_string() == value,
            Value::Number(number) => number.to_string() == value,
            Value::Array(_) | Value::Null | Value::Object(_) => false,
        };
        match (self.claims.get(name), value) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(Value::Array(claims)), Some(value)) => claims.iter().any(|c| is(c, value)),
            (Some(claim), Some(value)) => is(claim, value),
        }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Identity;

    #[track_caller]
    fn check(claim: serde_json::Value, value: Option<&str>, expected: bool) {
        let identity = Identity::user("ada").claim("x", claim);
        assert_eq!(identity.has_claim("x", value), expected);
    }

    #[test]
    fn claims_are_compared_as_texts() {
        check(json!("a"), None, true);
        check(json!("a"), Some("a"), true);
        check(json!("a"), Some("A"), false);
        check(json!(["a", "b"]), Some("b"), true);
        check(json!(["a", "b"]), Some("c"), false);
        check(json!(7), Some("7"), true);
        check(json!(true), Some("true"), true);
        check(json!([1, 2]), Some("2"), true);
        check(json!({"a": "b"}), Some("b"), false);
        check(json!(null), Some("null"), false);
        assert!(!Identity::user("ada").has_claim("x", None));
    }

    #[test]
    fn roles_come_from_whatever_wrote_the_claims() {
        let microsoft = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
        for (name, claim) in [
            ("role", json!("admin")),
            ("roles", json!(["x", "admin"])),
            (microsoft, json!("admin")),
        ] {
            let identity = Identity::user("ada").claim(name, claim);
            assert!(identity.is_in_role("admin") && !identity.is_in_role("adm"));
        }
        let many = Identity::user("ada").role("a").role("b").role("c");
        assert!(["a", "b", "c"].iter().all(|role| many.is_in_role(role)));
    }
}
