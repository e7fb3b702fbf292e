//! What tests look at and set off from outside of a connection.

use std::time::Duration;

use actix_web::error::{ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use hubwire::prelude::*;
use hubwire::{Close, InvokeError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::hubs::{Hubs, Place};
use crate::journal::Entry;
use crate::memory::Memory;

pub fn routes(app: &mut ServiceConfig) {
    app.route("/control/log/{id}", web::get().to(log))
        .route("/control/count/{hub}", web::get().to(count))
        .route("/control/broadcast", web::post().to(broadcast))
        .route("/control/close/{id}", web::post().to(close))
        .route("/control/ask/{id}", web::get().to(ask_client))
        .route("/clientresult/{id}", web::get().to(client_result))
        .route("/deployment", web::get().to(deployment));
}

async fn log(id: Path<String>, memory: Data<Memory>) -> actix_web::Result<Json<Vec<&'static str>>> {
    let entries = memory.logged(&ConnectionId::from(id.into_inner())).await;
    let entries = entries.map_err(ErrorInternalServerError)?;
    Ok(Json(entries.into_iter().map(Entry::name).collect()))
}

/// Live connections of a hub.
async fn count(name: Path<String>, hubs: Data<Hubs>) -> actix_web::Result<HttpResponse> {
    let count = hubs.count(&name).await.map_err(ErrorServiceUnavailable)?;
    Ok(match count {
        Some(count) => HttpResponse::Ok().body(count.to_string()),
        None => HttpResponse::NotFound().finish(),
    })
}

#[derive(Deserialize)]
struct What {
    msg: String,
}

async fn broadcast(what: Query<What>, hubs: Data<Hubs>) -> String {
    hubs.accept().clients().all().notify(&what.msg).receivers().to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Goodbye {
    #[serde(default)]
    allow_reconnect: bool,
    error: Option<String>,
}

async fn close(
    id: Path<String>,
    goodbye: Query<Goodbye>,
    hubs: Data<Hubs>,
) -> actix_web::Result<HttpResponse> {
    let Goodbye { allow_reconnect, error } = goodbye.into_inner();
    let id = ConnectionId::from(id.into_inner());
    let is_ended = match hubs.client(&id).await.map_err(ErrorServiceUnavailable)? {
        Place::Nowhere => false,
        Place::Here(client) => client.disconnect_with(Close { error, allow_reconnect }) > 0,
        Place::Elsewhere(client) => {
            client.disconnect_with(Close { error, allow_reconnect });
            true
        }
    };
    Ok(match is_ended {
        true => HttpResponse::Ok().finish(),
        false => HttpResponse::NotFound().finish(),
    })
}

/// The number that a client gives when it is asked for its `Result`, or why it gives none.
async fn client_result(id: Path<String>, hubs: Data<Hubs>) -> String {
    match ask::<i64>(&hubs, id.into_inner(), "Result", None).await {
        Ok(number) => number.to_string(),
        Err(error) => error,
    }
}

#[derive(Deserialize)]
struct Question {
    method: String,
    arg: Option<String>,
}

async fn ask_client(id: Path<String>, question: Query<Question>, hubs: Data<Hubs>) -> String {
    let Question { method, arg } = question.into_inner();
    match ask::<String>(&hubs, id.into_inner(), &method, arg).await {
        Ok(text) => format!("ok:{text}"),
        Err(error) => format!("err:{error}"),
    }
}

/// How long a client may take to give a result.
const PATIENCE: Duration = Duration::from_secs(10);

async fn ask<R: DeserializeOwned>(
    hubs: &Hubs,
    id: String,
    method: &str,
    argument: Option<String>,
) -> Result<R, String> {
    let id = ConnectionId::from(id);
    let client = match hubs.client(&id).await {
        Ok(Place::Here(client) | Place::Elsewhere(client)) => client,
        Ok(Place::Nowhere) => return Err(InvokeError::NotFound { connection_id: id }.to_string()),
        Err(error) => return Err(error.to_string()),
    };
    let result = match argument {
        Some(argument) => client.invoke(method, &(argument,)),
        None => client.invoke(method, &()),
    };
    result.timeout(PATIENCE).await.map_err(|error| error.to_string())
}

/// Which build it is: none that anybody would ask about.
async fn deployment() -> impl Responder {
    Json(json!({}))
}
