//! Signing in and out.

use actix_identity::Identity;
use actix_session::Session;
use actix_web::web::{self, Data, Form, Json, Redirect, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder, rt};
use hubwire::prelude::*;
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;

use crate::board::Board;
use crate::failure::Failure;
use crate::tokens::{self, Tokens};
use crate::{pages, sessions, users};

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

#[derive(Serialize)]
struct Issued {
    token: String,
    expires_in: u64,
}

/// For browsers: forms, and a session in a cookie.
pub fn forms(config: &mut ServiceConfig) {
    config.route("/sign-in", web::post().to(sign_in)).route("/sign-out", web::post().to(sign_out));
}

/// For clients without cookies.
pub fn api(config: &mut ServiceConfig) {
    config.route("/token", web::post().to(token));
}

async fn sign_in(
    request: HttpRequest,
    session: Session,
    db: Data<SqlitePool>,
    form: Form<Credentials>,
) -> Result<HttpResponse, Failure> {
    let Credentials { user, password } = form.into_inner();
    let signed_in = users::sign_in(&db, user, password).await?;
    let Some(signed_in) = signed_in else { return Ok(pages::wrong_password()) };
    sessions::write(&request, &session, signed_in)?;
    Ok(Redirect::to("/").see_other().respond_to(&request).map_into_boxed_body())
}

/// Ends every session of the user, and every connection: on this device and on all others.
async fn sign_out(
    identity: Option<Identity>,
    session: Session,
    db: Data<SqlitePool>,
    board: Data<Hub<Board>>,
) -> Result<Redirect, Failure> {
    let signed_out = Redirect::to("/sign-in").see_other();
    let Some(identity) = identity else { return Ok(signed_out) };
    // An old cookie must not be able to sign out whoever has signed in since.
    if let Some(sign_in) = sessions::read(&identity, &session)
        && sign_in.is_current(&db).await?
    {
        // Apart from the request, which stops where it is when the browser goes away.
        let ended = rt::spawn(async move {
            // In this order: who comes back at once is refused already.
            users::sign_out(&db, &sign_in.user).await?;
            board.clients().user(sign_in.user).disconnect();
            Ok::<_, sqlx::Error>(())
        });
        ended.await??;
    }
    identity.logout();
    Ok(signed_out)
}

async fn token(
    db: Data<SqlitePool>,
    tokens: Data<Tokens>,
    credentials: Json<Credentials>,
) -> Result<HttpResponse, Failure> {
    let Credentials { user, password } = credentials.into_inner();
    let signed_in = users::sign_in(&db, user, password).await?;
    let Some(signed_in) = signed_in else { return Ok(HttpResponse::Unauthorized().finish()) };
    let token = tokens.write(signed_in)?;
    Ok(HttpResponse::Ok().json(Issued { token, expires_in: tokens::LIFETIME }))
}
