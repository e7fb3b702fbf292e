//! Connections without a hub: whatever arrives is sent back.

use actix_web::web::ServiceConfig;
use hubwire::prelude::*;
use hubwire::{Application, Connection, Connections, Mount, Payload, TokenKey, Transport};

use crate::hubs::endpoint;

/// Both echoes.
#[derive(Clone)]
pub struct Raw {
    raw: Connections<Echo>,
    echo: Connections<Echo>,
}

impl Raw {
    pub fn new(key: &TokenKey) -> Self {
        let build = |echo, name| Connections::new(echo).name(name).token_key(key.clone()).build();
        Self { raw: build(Echo::ForAnybody, "raw"), echo: build(Echo::WithCookie, "echo") }
    }

    pub fn all(&self) -> [&dyn Mount; 2] {
        [&self.raw, &self.echo]
    }

    pub fn mount(&self, app: &mut ServiceConfig) {
        for connections in [&self.raw, &self.echo] {
            app.service(connections.at(connections.name()).options(endpoint()));
        }
    }
}

/// Whom it answers.
enum Echo {
    ForAnybody,
    /// Browsers give cookies to every WebSocket; elsewhere a page that says so leaves them at home.
    WithCookie,
}

impl Application for Echo {
    async fn connected(&self, connection: &Connection) {
        let request = connection.request();
        let is_welcome = match self {
            Self::ForAnybody => true,
            Self::WithCookie => {
                request.transport == Transport::WebSockets || request.cookie("testCookie").is_some()
            }
        };
        if !is_welcome {
            connection.close(DisconnectReason::Kicked);
        }
    }

    async fn payload(&self, connection: &Connection, payload: Payload) {
        // Nothing more is read from a client that does not take its echo.
        connection.room().await;
        connection.send(payload.into());
    }
}
