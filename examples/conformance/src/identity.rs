//! Who connects: JSON Web Tokens that this server writes itself.

use actix_web::cookie::Key;
use actix_web::web::{self, Data, Query, ServiceConfig};
use hubwire::AccessToken;
use hubwire::prelude::*;
use jsonwebtoken::errors::Result;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, get_current_timestamp,
};
use serde::{Deserialize, Serialize};

/// Writes tokens, and reads those that it wrote.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    nameid: String,
    exp: u64,
}

impl Tokens {
    /// Those that are signed with this key.
    pub fn new(key: &Key) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Tests wait for the end of a token; it is over in the very second that it names.
        validation.leeway = 0;
        validation.reject_tokens_expiring_in_less_than = 1;
        Self {
            encoding: EncodingKey::from_secret(key.signing()),
            decoding: DecodingKey::from_secret(key.signing()),
            validation,
        }
    }

    /// A token of `user` that is good for so many seconds, or was until so many seconds ago.
    pub fn write(&self, user: String, seconds: i64) -> Result<String> {
        let exp = get_current_timestamp().saturating_add_signed(seconds);
        let header = Header::new(Algorithm::HS256);
        jsonwebtoken::encode(&header, &Claims { nameid: user, exp }, &self.encoding)
    }

    fn read(&self, token: &str) -> Option<String> {
        let token = jsonwebtoken::decode(token, &self.decoding, &self.validation).ok()?;
        let Claims { nameid, .. } = token.claims;
        Some(nameid)
    }
}

/// For every hub: whoever brings no good token is nobody in particular.
pub async fn identify(token: Option<AccessToken>, tokens: Data<Tokens>) -> Identity {
    let user = token.and_then(|token| tokens.read(token.as_str()));
    user.map_or_else(Identity::anonymous, Identity::user)
}

pub fn routes(app: &mut ServiceConfig) {
    app.route("/generateJwtToken", web::get().to(generate));
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default = "test_user")]
    user: String,
    #[serde(default = "five_seconds")]
    ttl: i64,
}

fn test_user() -> String {
    "testuser".to_owned()
}

fn five_seconds() -> i64 {
    5
}

async fn generate(wish: Query<Wish>, tokens: Data<Tokens>) -> actix_web::Result<String> {
    let Wish { user, ttl } = wish.into_inner();
    tokens.write(user, ttl).map_err(actix_web::error::ErrorInternalServerError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_user_until_it_expires() {
        let tokens = Tokens::new(&Key::generate());
        let read = |seconds| tokens.read(&tokens.write("ada".to_owned(), seconds).unwrap());
        assert_eq!(read(60).as_deref(), Some("ada"));
        assert_eq!(read(0), None);
        assert_eq!(read(-60), None);
    }

    #[test]
    fn tokens_of_others_and_of_other_algorithms_are_not_believed() {
        let tokens = Tokens::new(&Key::generate());
        assert_eq!(
            tokens.read(&Tokens::new(&Key::generate()).write("ada".to_owned(), 60).unwrap()),
            None
        );
        let claims = Claims { nameid: "ada".to_owned(), exp: get_current_timestamp() + 60 };
        let header = Header::new(Algorithm::HS512);
        let other = jsonwebtoken::encode(&header, &claims, &tokens.encoding).unwrap();
        assert_eq!(tokens.read(&other), None);
    }
}
