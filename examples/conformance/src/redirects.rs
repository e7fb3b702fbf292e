//! Negotiations that lead elsewhere, or nowhere. They answer below their paths, whatever comes behind.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};

use crate::identity::Tokens;
use crate::memory::Memory;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    base_url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Redirect {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
}

#[derive(Serialize)]
struct Refusal {
    error: &'static str,
}

pub fn routes(app: &mut ServiceConfig) {
    app.route("/redirect{rest:.*}", web::to(redirect))
        .route("/tokenredirect{rest:.*}", web::to(redirect_with_token))
        .route("/echoredirect{rest:.*}", web::to(redirect_to_echo))
        .route("/bad-negotiate{rest:.*}", web::to(bad_negotiate))
        .route("/error-negotiate{rest:.*}", web::to(error_negotiate));
}

/// The capital letter is on purpose: paths match without regard to case.
async fn redirect(
    target: Query<Target>,
    memory: Data<Memory>,
) -> actix_web::Result<impl Responder> {
    let number = memory.redirected().await.map_err(actix_web::error::ErrorInternalServerError)?;
    let url = format!("{}/testHub?numRedirects={number}", target.base_url);
    Ok(web::Json(Redirect { url, access_token: None }))
}

async fn redirect_with_token(
    target: Query<Target>,
    tokens: Data<Tokens>,
) -> actix_web::Result<impl Responder> {
    let token = tokens.write("redirected".to_owned(), 60);
    let token = token.map_err(actix_web::error::ErrorInternalServerError)?;
    let url = format!("{}/authorizedhub", target.base_url);
    Ok(web::Json(Redirect { url, access_token: Some(token) }))
}

/// A redirect of HTTP, which clients follow without knowing.
async fn redirect_to_echo(request: HttpRequest) -> impl Responder {
    let location = request.uri().to_string().replacen("echoredirect", "echo", 1);
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, location)).finish()
}

async fn bad_negotiate() -> impl Responder {
    HttpResponse::BadRequest().body("Some response from server")
}

async fn error_negotiate() -> impl Responder {
    web::Json(Refusal { error: "no seats left" })
}
