//! The server that the scenarios in Node talk to: hubs over every option that matters to them, and plain routes that show what the hubs saw.

mod hub;
mod limited;
mod tls;

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::{App, Error, HttpResponse, HttpServer, Responder, middleware, web};
use cap::Cap;
use hubwire::prelude::*;
use hubwire::{AllowedOrigins, ConnectionId, Connections, Negotiation, Transport};
use hubwire_redis::Redis;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;

use crate::hub::{Log, Refusing, Scenario};
use crate::limited::Wiki;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Hubs of one type under several names and options.
struct Hubs {
    hub: Hub<Scenario>,
    detailed: Hub<Scenario>,
    fast: Hub<Scenario>,
    big: Hub<Scenario>,
    refusing: Hub<Refusing>,
    wiki: Hub<Wiki>,
    log: Log,
}

impl Hubs {
    /// Hubs of this server alone, or of all that have the same `REDIS_URL`.
    async fn new() -> std::io::Result<Self> {
        let redis = match std::env::var("REDIS_URL") {
            Ok(url) => Some(Redis::connect(url).await.map_err(std::io::Error::other)?),
            Err(_) => None,
        };
        let log = Log::default();
        let build = |name: &str, options: HubOptions| {
            let hub = Hub::new(Scenario::new(log.clone())).name(name).options(options);
            match &redis {
                Some(redis) => hub.backplane(redis).build(),
                None => hub.build(),
            }
        };
        let defaults = HubOptions::default;
        let fast = defaults()
            .keep_alive_interval(Duration::from_secs(1))
            .client_timeout_interval(Duration::from_secs(3))
            .handshake_timeout(Duration::from_secs(2));
        Ok(Self {
            hub: build("hub", defaults()),
            detailed: build("detailed", defaults().enable_detailed_errors(true)),
            fast: build("fast", fast),
            big: build("big", defaults().maximum_receive_message_size(Some(4 << 20))),
            refusing: Hub::new(Refusing).build(),
            wiki: Hub::new(Wiki).build(),
            log,
        })
    }

    fn find(&self, name: &str) -> Option<&Hub<Scenario>> {
        [&self.hub, &self.detailed, &self.fast, &self.big]
            .into_iter()
            .find(|hub| hub.name() == name)
    }
}

#[derive(Deserialize)]
struct Who {
    user: Option<String>,
}

#[derive(Deserialize)]
struct What {
    msg: String,
}

async fn identify(who: web::Query<Who>) -> Identity {
    who.into_inner().user.map_or_else(Identity::anonymous, Identity::user)
}

/// What the client's query asks for.
#[derive(Deserialize)]
struct Wish {
    redirect: Option<String>,
    token: Option<String>,
    refuse: Option<String>,
}

async fn negotiate(wish: web::Query<Wish>) -> Result<Negotiation, Error> {
    let Wish { redirect, token, refuse } = wish.into_inner();
    match (redirect, refuse.as_deref()) {
        (Some(url), _) => Ok(Negotiation::Redirect { url, access_token: token }),
        (None, Some("teapot")) => {
            let error = InternalError::new("a teapot", StatusCode::IM_A_TEAPOT);
            Err(error.into())
        }
        (None, Some(error)) => Ok(Negotiation::Refuse { error: error.to_owned() }),
        (None, None) => Ok(Negotiation::Accept),
    }
}

async fn count(hubs: web::Data<Hubs>, name: web::Path<String>) -> impl Responder {
    match hubs.find(&name) {
        Some(hub) => HttpResponse::Ok().body(hub.connection_count().to_string()),
        None => HttpResponse::NotFound().finish(),
    }
}

/// The numbers that a client of `big` has had appended.
async fn appended(hubs: web::Data<Hubs>, id: web::Path<String>) -> impl Responder {
    web::Json(hubs.big.definition().appended_by(&ConnectionId::from(id.into_inner())))
}

async fn log(hubs: web::Data<Hubs>, id: web::Path<String>) -> impl Responder {
    web::Json(hubs.log.of(&ConnectionId::from(id.into_inner())))
}

/// Bytes that are allocated now.
async fn memory() -> String {
    HEAP.allocated().to_string()
}

async fn broadcast(hubs: web::Data<Hubs>, what: web::Query<What>) -> impl Responder {
    let delivery = hubs.hub.clients().all().notify(&what.msg);
    HttpResponse::Ok().body(delivery.receivers().to_string())
}

async fn broadcast_thread(hubs: web::Data<Hubs>, what: web::Query<What>) -> impl Responder {
    let hub = hubs.hub.clone();
    let thread = std::thread::spawn(move || hub.clients().all().notify(&what.msg).receivers());
    // The thread only pushes into outboxes, so joining it does not block for long.
    match thread.join() {
        Ok(receivers) => HttpResponse::Ok().body(receivers.to_string()),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn one_transport(transport: Transport) -> EndpointOptions {
    EndpointOptions::default().transports([transport])
}

/// How long `/stateful-fast` waits, for sockets and for those who do not read.
const SHORT: Duration = Duration::from_secs(1);

/// Times that a test can wait for.
fn impatient() -> EndpointOptions {
    stateful()
        .disconnect_timeout(Duration::from_secs(4))
        .poll_timeout(Duration::from_secs(2))
        .short_polling_timeout(Duration::from_secs(4))
}

fn stateful() -> EndpointOptions {
    EndpointOptions::default().allow_stateful_reconnects(true)
}

fn listed() -> EndpointOptions {
    EndpointOptions::default().allowed_origins(AllowedOrigins::list(["https://app.example"]))
}

/// What was counted, as Prometheus reads it.
async fn metrics(recorder: web::Data<PrometheusHandle>) -> String {
    recorder.render()
}

async fn serve() -> std::io::Result<()> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let recorder = PrometheusBuilder::new().install_recorder().map_err(std::io::Error::other)?;
    let recorder = web::Data::new(recorder);
    let hubs = Arc::new(Hubs::new().await?);
    let data = web::Data::from(hubs.clone());
    let echo = Connections::new(limited::Echo).build();
    let raw = echo.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(recorder.clone())
            .service(data.hub.at("/hub").options(impatient()).identity(identify))
            .service(data.detailed.at("/detailed").options(listed()).identity(identify))
            .service(data.fast.at("/fast").options(impatient()).identity(identify))
            .service(data.big.at("/big").identity(identify))
            .service(data.refusing.at("/refusing"))
            .service(data.big.at("/elsewhere").negotiation(negotiate))
            .service(
                data.big.at("/stream-only").options(one_transport(Transport::ServerSentEvents)),
            )
            .service(data.big.at("/poll-only").options(one_transport(Transport::LongPolling)))
            .service(data.big.at("/stateful").options(stateful()).identity(identify))
            .service(
                data.big
                    .at("/stateful-fast")
                    .options(stateful().disconnect_timeout(SHORT).transport_send_timeout(SHORT)),
            )
            .configure(|app| limited::mount(app, &data.big, &data.wiki, &raw))
            .service(
                web::scope("/nested/{tenant}")
                    .wrap(middleware::NormalizePath::trim())
                    .service(data.big.at("/v1.0/hub").identity(identify)),
            )
            .route("/ready", data.hub.readiness())
            .route("/count/{hub}", web::get().to(count))
            .route("/appended/{id}", web::get().to(appended))
            .route("/log/{id}", web::get().to(log))
            .route("/metrics", web::get().to(metrics))
            .route("/memory", web::get().to(memory))
            .route("/broadcast", web::post().to(broadcast))
            .route("/broadcast-thread", web::post().to(broadcast_thread))
    })
    .hubwire(&[&hubs.hub, &hubs.detailed, &hubs.fast, &hubs.big, &hubs.refusing, &hubs.wiki, &echo])
    .workers(2)
    .bind(("127.0.0.1", port()))?;
    let server = match std::env::var_os("TLS") {
        Some(_) => server.bind_rustls_0_23(("127.0.0.1", 0), tls::config()?)?,
        None => server,
    };
    for (address, scheme) in server.addrs_with_scheme() {
        println!("listening on {scheme}://{address}");
    }
    server.run().await
}

fn port() -> u16 {
    std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0)
}

/// Hubs run under either runtime: `RUNTIME=tokio` takes the one without an actix system.
fn main() -> std::io::Result<()> {
    match std::env::var("RUNTIME").as_deref() {
        Ok("tokio") => tokio_main(),
        _ => actix_main(),
    }
}

#[actix_web::main]
async fn actix_main() -> std::io::Result<()> {
    serve().await
}

#[tokio::main]
async fn tokio_main() -> std::io::Result<()> {
    serve().await
}
