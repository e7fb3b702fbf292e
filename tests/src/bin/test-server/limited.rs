//! Endpoints that keep clients out, each for a reason of its own, one that compresses, and raw ones with short times.

use std::time::{Duration, SystemTime};

use actix_web::web;
use hubwire::prelude::*;
use hubwire::{Application, Authentication, Compression, Connection, Connections, Payload};
use serde::Deserialize;

use crate::{hub::Scenario, identify};

/// Sends back whatever arrives.
pub struct Echo;

impl Application for Echo {
    async fn payload(&self, connection: &Connection, payload: Payload) {
        connection.send(payload.into());
    }
}

/// What only editors may do, and only those who are somebody may ask for.
pub struct Wiki;

#[hub(authorize(roles = "reader, editor"))]
impl Wiki {
    fn read(&self) -> &'static str {
        "text"
    }

    #[hub(authorize(roles = "editor"))]
    fn write(&self) {}
}

#[derive(Deserialize)]
struct Person {
    user: Option<String>,
    role: Option<String>,
}

async fn person(who: web::Query<Person>) -> Identity {
    let Person { user, role } = who.into_inner();
    let identity = user.map_or_else(Identity::anonymous, Identity::user);
    role.into_iter().fold(identity, Identity::role)
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    ttl: u64,
}

/// A user whose identity is good for `ttl` seconds.
async fn expiring(who: web::Query<Credentials>) -> Identity {
    let Credentials { user, ttl } = who.into_inner();
    Identity::user(user).expires(SystemTime::now() + Duration::from_secs(ttl))
}

/// The second of two versions, and nonsense where it is asked for.
fn newest<'a>(offered: &[&'a str]) -> Option<&'a str> {
    match offered {
        ["impossible"] => Some("chat.v3"),
        _ => offered.iter().copied().find(|name| *name == "chat.v2"),
    }
}

pub fn mount(
    app: &mut web::ServiceConfig,
    hub: &Hub<Scenario>,
    wiki: &Hub<Wiki>,
    echo: &Connections<Echo>,
) {
    let options = EndpointOptions::default;
    let short =
        options().heartbeat_interval(Duration::from_secs(1)).post_timeout(Duration::from_secs(1));
    let members = options().authentication(Authentication::Required);
    let forgetful =
        options().close_on_authentication_expiration(true).poll_timeout(Duration::from_secs(1));
    let pinged = options()
        .web_socket_ping_interval(Duration::from_secs(1))
        .web_socket_ping_timeout(Duration::from_secs(2));
    app.service(hub.at("/limited").options(options().max_connections(2)))
        .service(hub.at("/crowded").options(options().max_pending_negotiations(2)))
        .service(hub.at("/neighbours").options(options().max_connections_per_address(2)))
        .service(hub.at("/members").options(members).identity(identify))
        .service(wiki.at("/wiki").identity(person))
        .service(hub.at("/expiring").options(forgetful).identity(expiring))
        .service(hub.at("/compressed").options(options().compression(Compression::default())))
        .service(hub.at("/pinged").options(pinged.clone()))
        .service(echo.at("/raw").options(short))
        .service(echo.at("/raw-pinged").options(pinged).sub_protocol(newest));
}
