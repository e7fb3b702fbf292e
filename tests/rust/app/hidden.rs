//! Tokens stay out of what others write down, and reach those who need them.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use actix_web::dev::ServiceRequest;
use actix_web::middleware::{Condition, Logger};
use actix_web::{App, Error, HttpMessage, error, web};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use actix_web_httpauth::middleware::HttpAuthentication;
use hubwire::prelude::*;
use hubwire::{AccessToken, HideTokens};
use serde_json::json;
use tracing_actix_web::TracingLogger;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::client::{Client, Dial, Transport};
use crate::kit::{Chat, Outcome, Running, serve, until};

/// All that this process logs, through `log` and through `tracing`.
struct Written;

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn listen() {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            env_logger::builder()
                .parse_filters("info")
                .target(env_logger::Target::Pipe(Box::new(Self)))
                .init();
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_span_events(FmtSpan::NEW)
                .with_writer(|| Self)
                .init();
        });
    }

    fn text() -> String {
        let written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }
}

async fn identify(token: AccessToken) -> Identity {
    Identity::user(token.as_str())
}

/// A hub below two loggers.
fn logged(path: &'static str, is_hidden: bool) -> Outcome<Running> {
    Written::listen();
    let chat = Hub::new(Chat).build();
    Ok(serve!(
        chat,
        App::new()
            .service(chat.at(path).identity(identify))
            .wrap(Logger::new("by log: %r"))
            .wrap(TracingLogger::default())
            .wrap(Condition::new(is_hidden, HideTokens))
    ))
}

/// Waits until both loggers have told of a request so many times.
async fn told(request: &str, times: usize) -> Outcome {
    let target = request.split(' ').nth(1).unwrap_or_default();
    let lines = [format!("by log: {request}\n"), format!("http.target={target} ")];
    let is_told = || {
        let text = Written::text();
        lines.iter().all(|line| text.matches(line).count() >= times)
    };
    let error = match until(format!("{lines:?}, {times} times"), is_told).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    Err(format!("{error}, in\n{}", Written::text()).into())
}

/// Connects, calls and leaves over a transport, with every kind of request that it has; returns the requests and both tokens.
async fn talk(url: String, transport: Transport) -> Outcome<(Vec<String>, [String; 2])> {
    let name = url.rsplit('/').next().unwrap_or_default();
    let access_token = format!("secret.of-{name}-{transport:?}");
    let dial = Dial { url, access_token: Some(access_token.clone()), ..Dial::default() };
    let mut client = Client::connect(&dial, transport).await?;
    let connection_token = client.connection_token().to_owned();
    assert_eq!(client.invoke("WhoAmI", json!([])).await?, json!(access_token));
    Ok((client.close().await?, [access_token, connection_token]))
}

#[actix_web::test]
async fn loggers_see_no_tokens() -> Outcome {
    let server = logged("/hidden", true)?;
    let mut all = Vec::new();
    let mut tokens = Vec::new();
    for transport in Transport::ALL {
        let (requests, secrets) = talk(server.url("/hidden"), transport).await?;
        for request in requests {
            all.push(secrets.iter().fold(request, |request, secret| request.replace(secret, "")));
        }
        tokens.extend(secrets);
    }
    for method in ["GET", "POST", "DELETE"] {
        assert!(all.iter().any(|request| request.starts_with(method)), "{method}");
    }
    for request in &all {
        assert!(request.contains("access_token= ") || request.contains("access_token=&"));
        let times = all.iter().filter(|other| *other == request).count();
        told(request, times).await?;
    }
    server.stop().await;
    let written = Written::text();
    for token in tokens {
        let lines: Vec<_> = written.lines().filter(|line| line.contains(&token)).collect();
        assert!(lines.is_empty(), "{lines:?}");
    }
    Ok(())
}

#[actix_web::test]
async fn loggers_see_tokens_that_nobody_hides() -> Outcome {
    let server = logged("/open", false)?;
    for transport in Transport::ALL {
        let (requests, [access_token, connection_token]) =
            talk(server.url("/open"), transport).await?;
        assert!(requests.iter().all(|request| request.contains(&access_token)));
        assert!(requests[1..].iter().all(|request| request.contains(&connection_token)));
        for request in requests {
            told(&request, 1).await?;
        }
    }
    server.stop().await;
    Ok(())
}

#[derive(Clone)]
struct Member(String);

async fn check(
    request: ServiceRequest,
    bearer: BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    match bearer.token().strip_prefix("key-of-") {
        Some(name) => {
            let member = Member(name.to_owned());
            request.extensions_mut().insert(member);
            Ok(request)
        }
        None => Err((error::ErrorForbidden("no such key"), request)),
    }
}

async fn member(member: web::ReqData<Member>) -> Identity {
    Identity::user(member.into_inner().0)
}

/// A hub in a scope that actix-web-httpauth guards.
fn guarded(is_hidden: bool) -> Outcome<Running> {
    let chat = Hub::new(Chat).build();
    Ok(serve!(
        chat,
        App::new()
            .service(
                web::scope("/api")
                    .wrap(HttpAuthentication::bearer(check))
                    .service(chat.at("/chat").identity(member)),
            )
            .wrap(Condition::new(is_hidden, HideTokens))
    ))
}

async fn refusal(dial: &Dial, transport: Transport) -> Outcome<String> {
    match Client::connect(dial, transport).await {
        Ok(_) => Err(format!("{dial:?} was let in").into()),
        Err(error) => Ok(error.to_string()),
    }
}

#[actix_web::test]
async fn middleware_finds_the_token_of_a_query_in_the_header() -> Outcome {
    let server = guarded(true)?;
    let dial = |token: Option<&str>| Dial {
        url: server.url("/api/chat"),
        access_token: token.map(ToOwned::to_owned),
        ..Dial::default()
    };
    for transport in Transport::ALL {
        let mut ann = Client::connect(&dial(Some("key-of-ann")), transport).await?;
        let mut bob = Client::connect(&dial(Some("key-of-bob")), transport).await?;
        assert_eq!(ann.invoke("WhoAmI", json!([])).await?, "ann");
        ann.invoke("Say", json!(["hello"])).await?;
        assert_eq!(bob.next().await?["arguments"], json!(["ann", "hello"]));
        ann.close().await?;
        bob.close().await?;
        assert_eq!(refusal(&dial(Some("none")), transport).await?, "403 Forbidden");
        assert_eq!(refusal(&dial(None), transport).await?, "401 Unauthorized");
    }
    server.stop().await;
    Ok(())
}

#[actix_web::test]
async fn middleware_does_not_look_into_queries_by_itself() -> Outcome {
    let server = guarded(false)?;
    let url = server.url("/api/chat");
    let access_token = Some("key-of-ann".to_owned());
    let dial = Dial { url, access_token, ..Dial::default() };
    assert_eq!(refusal(&dial, Transport::WebSocket).await?, "401 Unauthorized");
    server.stop().await;
    Ok(())
}
