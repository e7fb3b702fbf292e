//! The pages, and the files that they are made of.

use actix_identity::Identity;
use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::web::{self, Data, Redirect, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder, Route};
use sqlx::SqlitePool;

use crate::failure::Failure;
use crate::sessions;

const BOARD: &str = include_str!("../page/board.html");
const SIGN_IN: &str = include_str!("../page/sign-in.html");
const STYLE: &str = include_str!("../page/style.css");
const SCRIPT: &str = include_str!("../page/board.js");

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(board))
        .route("/sign-in", web::get().to(async || page(StatusCode::OK, SIGN_IN.to_owned())))
        .route("/style.css", file("text/css; charset=utf-8", STYLE))
        .route("/board.js", file("text/javascript; charset=utf-8", SCRIPT))
        .service(hubwire::assets::client_js("/hubwire.js"));
}

/// The sign-in page once more, for whoever did not get in.
pub fn wrong_password() -> HttpResponse {
    page(StatusCode::UNAUTHORIZED, SIGN_IN.replace("id=\"error\" hidden", "id=\"error\""))
}

/// The board, for whoever is signed in; others are asked to.
async fn board(
    request: HttpRequest,
    identity: Option<Identity>,
    session: Session,
    db: Data<SqlitePool>,
) -> Result<HttpResponse, Failure> {
    if let Some(sign_in) = identity.and_then(|identity| sessions::read(&identity, &session))
        && sign_in.is_current(&db).await?
    {
        return Ok(page(StatusCode::OK, BOARD.to_owned()));
    }
    Ok(Redirect::to("/sign-in").see_other().respond_to(&request).map_into_boxed_body())
}

/// Kept by nobody: after signing out, the button "back" must not show the board.
fn page(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body)
}

fn file(content_type: &'static str, body: &'static str) -> Route {
    web::get().to(move || async move { HttpResponse::Ok().content_type(content_type).body(body) })
}
