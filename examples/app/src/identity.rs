//! Who connects to the hub.

use actix_session::Session;
use actix_web::error::ErrorUnauthorized;
use actix_web::web;
use hubwire::AccessToken;
use hubwire::prelude::*;
use sqlx::SqlitePool;

use crate::failure::Failure;
use crate::sessions;
use crate::tokens::Tokens;

/// Lets in whoever is signed in, by a token or by the cookie of a session, and nobody else.
///
/// It is asked for every request that a connection begins with or is carried by.
pub async fn identify(
    token: Option<AccessToken>,
    cookie: Option<actix_identity::Identity>,
    session: Session,
    db: web::Data<SqlitePool>,
    tokens: web::Data<Tokens>,
) -> actix_web::Result<Identity> {
    let sign_in = match token {
        Some(token) => tokens.read(token.as_str()).map(|(sign_in, at)| (sign_in, Some(at))),
        // A session lasts until its browser is closed.
        None => cookie.and_then(|cookie| Some((sessions::read(&cookie, &session)?, None))),
    };
    let (sign_in, expires) = sign_in.ok_or_else(|| ErrorUnauthorized("sign in first"))?;
    if !sign_in.is_current(&db).await.map_err(Failure::from)? {
        return Err(ErrorUnauthorized("you have signed out"));
    }
    let identity = Identity::user(sign_in.user.as_str()).insert(sign_in);
    Ok(match expires {
        Some(at) => identity.expires(at),
        None => identity,
    })
}
