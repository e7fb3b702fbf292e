//! Sessions of browsers, in a cookie that only this server can read or write.

use actix_identity::Identity;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, SameSite};
use actix_web::{HttpMessage, HttpRequest};

use crate::failure::Failure;
use crate::users::SignIn;

const GENERATION: &str = "generation";

/// The middleware that reads and writes the cookie.
pub fn middleware(key: Key, is_https: bool) -> SessionMiddleware<CookieSessionStore> {
    SessionMiddleware::builder(CookieSessionStore::default(), key)
        .cookie_name("session".to_owned())
        .cookie_secure(is_https)
        // No form and no script of another site gets to use it; a link from there does. The hub sees to pages of other sites itself.
        .cookie_same_site(SameSite::Lax)
        .build()
}

/// Puts a sign-in into a session.
pub fn write(request: &HttpRequest, session: &Session, sign_in: SignIn) -> Result<(), Failure> {
    session.insert(GENERATION, sign_in.generation)?;
    Identity::login(&request.extensions(), sign_in.user)?;
    Ok(())
}

/// The sign-in that a session holds; whether it is still good only the database knows.
pub fn read(identity: &Identity, session: &Session) -> Option<SignIn> {
    let generation = session.get(GENERATION).ok()??;
    Some(SignIn { user: identity.id().ok()?, generation })
}
