//! Connection tokens: what a client shows to attach to its connection, and nobody else can make.
//!
//! A token is signed and says what is needed to find its connection, so `negotiate` stores nothing: only a client that comes back with a transport costs memory.
//! It names the node that issued it, the kind of negotiation, the public id and the second at which it expires, and it is bound to its endpoint.
//! All of it is base64url, because the official JavaScript client puts it into a URL without escaping.
//!
//! ```text
//! version(1) kind(1) node(4) expiry(4, seconds since 1970) id(16) mac(16, HMAC-SHA256 cut)
//! ```

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

use crate::ConnectionId;

const VERSION: u8 = 1;
const ID: usize = 16;
/// Half of SHA-256's output: forging is still 2^128 work, and URLs stay short.
const MAC: usize = 16;
/// The kind of a [`TokenKind::Stateful`].
const STATEFUL: u8 = 2;
const SIGNED: usize = 1 + 1 + 4 + 4 + ID;

/// The secret that signs the connection tokens of a server.
///
/// Random by default, so tokens die with the process; servers that share a key accept each other's.
#[derive(Clone)]
pub struct TokenKey {
    mac: Hmac<Sha256>,
    node: u32,
}

/// How the client negotiated, which decides what its connection id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Version 0: the token is the connection id as well.
    IdIsToken,
    /// Version 1: the connection id is public and the token is secret.
    Secret,
    /// As [`Secret`](Self::Secret), and the client wants its connection to outlive its sockets (stateful reconnect).
    Stateful,
}

/// A token freshly issued.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issued {
    /// The public id of the connection to come.
    pub connection_id: ConnectionId,
    /// What the client shows to attach.
    pub token: String,
}

/// What a genuine token says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The public id of its connection.
    pub connection_id: ConnectionId,
    /// Seconds since 1970 after which it opens no new connection.
    pub expires: u32,
    /// Whether its client wants the connection to outlive its sockets.
    pub is_stateful: bool,
    /// The node that issued it.
    pub node: u32,
}

/// Why a token was refused; a client is told no more than that there is no such connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Signed by another key or for another endpoint, or not at all.
    #[error("token signature does not match")]
    Forged,
    /// Not a token of ours by its form.
    #[error("token is malformed")]
    Malformed,
}

impl TokenKey {
    /// A key of random bytes from the operating system.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give, without which no token is safe.
    pub fn random() -> Self {
        Self::from_secret(&random::<32>())
    }

    /// A key that several servers share.
    pub fn from_secret(secret: &[u8]) -> Self {
        let mac = Hmac::new_from_slice(secret).expect("HMAC takes keys of every length");
        Self { mac, node: u32::from_be_bytes(random()) }
    }

    /// A token for a new connection at `endpoint`, good until `expires` (seconds since 1970).
    pub fn issue(&self, endpoint: &str, kind: TokenKind, expires: u32) -> Issued {
        let id = random::<ID>();
        let mut bytes = [0; SIGNED + MAC];
        bytes[0] = VERSION;
        bytes[1] = match kind {
            TokenKind::IdIsToken => 0,
            TokenKind::Secret => 1,
            TokenKind::Stateful => STATEFUL,
        };
        bytes[2..6].copy_from_slice(&self.node.to_be_bytes());
        bytes[6..10].copy_from_slice(&expires.to_be_bytes());
        bytes[10..SIGNED].copy_from_slice(&id);
        let mac = self.sign(endpoint, &bytes[..SIGNED]).finalize().into_bytes();
        bytes[SIGNED..].copy_from_slice(&mac[..MAC]);
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let connection_id = match kind {
            TokenKind::IdIsToken => token.as_str().into(),
            TokenKind::Secret | TokenKind::Stateful => encode_id(id),
        };
        Issued { connection_id, token }
    }

    /// What `token` says, if it was issued with this key for `endpoint`; expired or not.
    ///
    /// # Errors
    ///
    /// When it is not a token, or not one of this key and endpoint.
    pub fn verify(&self, endpoint: &str, token: &str) -> Result<Claims, TokenError> {
        let bytes = decode(token).ok_or(TokenError::Malformed)?;
        self.sign(endpoint, &bytes[..SIGNED])
            .verify_truncated_left(&bytes[SIGNED..])
            .map_err(|_| TokenError::Forged)?;
        let [_, kind, n0, n1, n2, n3, e0, e1, e2, e3, id @ ..] = bytes;
        let connection_id = match kind {
            0 => token.into(),
            _ => encode_id(*id.first_chunk().ok_or(TokenError::Malformed)?),
        };
        let expires = u32::from_be_bytes([e0, e1, e2, e3]);
        let node = u32::from_be_bytes([n0, n1, n2, n3]);
        Ok(Claims { connection_id, expires, is_stateful: kind == STATEFUL, node })
    }

    fn sign(&self, endpoint: &str, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // The fixed length of `bytes` keeps the two inputs apart.
        mac.update(bytes);
        mac.update(endpoint.as_bytes());
        mac
    }
}

/// Whether `token` has the form of a connection token, whoever signed it.
///
/// It tells where a secret is, say in a query that is about to be logged; only [`TokenKey::verify`] tells what it is worth.
///
/// ```
/// use hubwire_transport::token::{TokenKey, TokenKind, is_well_formed};
///
/// let issued = TokenKey::random().issue("chat", TokenKind::Secret, 0);
/// assert!(is_well_formed(&issued.token));
/// assert!(!is_well_formed("42"));
/// ```
pub fn is_well_formed(token: &str) -> bool {
    decode(token).is_some()
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("node", &self.node).finish_non_exhaustive()
    }
}

/// Whoever prints a token gives it away.
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl ConnectionId {
    /// A new random id: 16 bytes as 22 characters of base64url, as SignalR's.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give.
    pub fn random() -> Self {
        encode_id(random())
    }
}

fn decode(token: &str) -> Option<[u8; SIGNED + MAC]> {
    let mut bytes = [0; SIGNED + MAC];
    let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
    (length == bytes.len() && bytes[0] == VERSION).then_some(bytes)
}

fn encode_id(id: [u8; ID]) -> ConnectionId {
    let mut text = [0; 22];
    let length = URL_SAFE_NO_PAD.encode_slice(id, &mut text).unwrap_or(0);
    let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
    ConnectionId::from(Arc::from(text))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_connection() {
        let key = TokenKey::random();
        let issued = key.issue("/chat", TokenKind::Secret, 42);
        assert_eq!(issued.connection_id.as_str().len(), 22);
        assert!(issued.token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let claims = key.verify("/chat", &issued.token).unwrap();
        assert_eq!(claims.connection_id, issued.connection_id);
        assert_eq!((claims.expires, claims.node), (42, key.node));
    }

    #[test]
    fn a_token_tells_what_its_client_negotiated() {
        let key = TokenKey::random();
        for (kind, is_stateful) in
            [(TokenKind::IdIsToken, false), (TokenKind::Secret, false), (TokenKind::Stateful, true)]
        {
            let issued = key.issue("/chat", kind, 42);
            let claims = key.verify("/chat", &issued.token).unwrap();
            assert_eq!(claims.is_stateful, is_stateful, "{kind:?}");
            assert_eq!(claims.connection_id, issued.connection_id);
        }
    }

    #[test]
    fn version_zero_shows_the_token_as_its_id() {
        let key = TokenKey::random();
        let issued = key.issue("/chat", TokenKind::IdIsToken, 42);
        assert_eq!(issued.connection_id.as_str(), issued.token);
        assert_eq!(key.verify("/chat", &issued.token).unwrap().connection_id, issued.connection_id);
    }

    #[test]
    fn a_token_is_good_for_its_key_and_endpoint_only() {
        let key = TokenKey::from_secret(b"secret");
        let token = key.issue("/chat", TokenKind::Secret, 42).token;
        assert_eq!(key.verify("/other", &token), Err(TokenError::Forged));
        assert_eq!(TokenKey::random().verify("/chat", &token), Err(TokenError::Forged));
        assert!(TokenKey::from_secret(b"secret").verify("/chat", &token).is_ok());
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let key = TokenKey::random();
        let token = key.issue("/chat", TokenKind::Secret, 42).token;
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(key.verify("/chat", &forged).is_err(), "{at}");
        }
        for malformed in ["", "x", "%%%", &token[1..], &format!("{token}A"), &"A".repeat(9999)] {
            assert_eq!(key.verify("/chat", malformed), Err(TokenError::Malformed), "{malformed}");
            assert!(!is_well_formed(malformed), "{malformed}");
        }
    }
}
