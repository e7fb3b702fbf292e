//! Tokens for clients that have no cookies: JSON Web Tokens, which live for an hour.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::cookie::Key;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, get_current_timestamp};
use serde::{Deserialize, Serialize};

use crate::users::SignIn;

/// How long a token is good for, in seconds.
pub const LIFETIME: u64 = 3600;

/// Writes tokens, and reads those that it wrote.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    #[serde(flatten)]
    sign_in: SignIn,
    exp: u64,
}

impl Tokens {
    pub fn new(key: &Key) -> Self {
        let secret = key.signing();
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    pub fn write(&self, sign_in: SignIn) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims { sign_in, exp: get_current_timestamp() + LIFETIME };
        jsonwebtoken::encode(&Header::default(), &claims, &self.encoding)
    }

    /// The sign-in that a token carries, and until when; whether it is still good only the database knows.
    pub fn read(&self, token: &str) -> Option<(SignIn, SystemTime)> {
        let token = jsonwebtoken::decode(token, &self.decoding, &Validation::default()).ok()?;
        let Claims { sign_in, exp } = token.claims;
        Some((sign_in, UNIX_EPOCH + Duration::from_secs(exp)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in() -> SignIn {
        SignIn { user: "ada".to_owned(), generation: 3 }
    }

    #[test]
    fn a_token_says_who_signed_in() {
        let tokens = Tokens::new(&Key::generate());
        let token = tokens.write(sign_in()).unwrap();
        let (read, expires) = tokens.read(&token).unwrap();
        assert_eq!(read, sign_in());
        let latest = UNIX_EPOCH + Duration::from_secs(get_current_timestamp() + LIFETIME);
        assert!(expires <= latest && expires > latest - Duration::from_secs(LIFETIME));
        assert_eq!(Tokens::new(&Key::generate()).read(&token), None);
        assert_eq!(tokens.read("made up"), None);
    }

    #[test]
    fn an_old_token_says_nothing() {
        let tokens = Tokens::new(&Key::generate());
        // Clocks of servers differ, and a minute is forgiven.
        let claims = Claims { sign_in: sign_in(), exp: get_current_timestamp() - 120 };
        let token = jsonwebtoken::encode(&Header::default(), &claims, &tokens.encoding).unwrap();
        assert_eq!(tokens.read(&token), None);
    }
}
