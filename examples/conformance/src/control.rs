//! What tests look at and set off from outside of a connection.

use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use hubwire::Close;
use hubwire::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::hubs::Hubs;
use crate::journal::{Entry, Journal};

pub fn routes(app: &mut ServiceConfig) {
    app.route("/control/log/{id}", web::get().to(log))
        .route("/control/count/{hub}", web::get().to(count))
        .route("/control/broadcast", web::post().to(broadcast))
        .route("/control/close/{id}", web::post().to(close))
        .route("/deployment", web::get().to(deployment));
}

async fn log(id: Path<String>, journal: Data<Journal>) -> Json<Vec<Entry>> {
    Json(journal.of(&ConnectionId::from(id.into_inner())))
}

/// Live connections of a hub.
async fn count(name: Path<String>, hubs: Data<Hubs>) -> impl Responder {
    match hubs.count(&name) {
        Some(count) => HttpResponse::Ok().body(count.to_string()),
        None => HttpResponse::NotFound().finish(),
    }
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

async fn close(id: Path<String>, goodbye: Query<Goodbye>, hubs: Data<Hubs>) -> impl Responder {
    let Goodbye { allow_reconnect, error } = goodbye.into_inner();
    let id = ConnectionId::from(id.into_inner());
    match hubs.disconnect(&id, &Close { error, allow_reconnect }) {
        0 => HttpResponse::NotFound().finish(),
        _ => HttpResponse::Ok().finish(),
    }
}

/// Which build it is: none that anybody would ask about.
async fn deployment() -> impl Responder {
    Json(json!({}))
}
