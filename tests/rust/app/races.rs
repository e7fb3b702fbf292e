//! Requests of one client that overtake each other: whichever comes first opens the connection, and the other goes on with it.

use actix_web::web::Data;
use actix_web::{App, HttpRequest};
use awc::http::StatusCode;
use hubwire::prelude::*;
use serde_json::Value;
use tokio::sync::Barrier;

use crate::kit::{Chat, Outcome, Running, serve, within};

/// So often is a race run that is decided between two workers.
const ROUNDS: usize = 30;

const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// Holds back requests that say so until both of a race are there, when neither has found a connection.
async fn identify(request: HttpRequest, start: Data<Barrier>) -> Identity {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if header("x-race").is_some() {
        start.wait().await;
    }
    header("x-user").map_or_else(Identity::anonymous, Identity::user)
}

fn server(chat: &Hub<Chat>) -> Outcome<Running> {
    let start = Data::new(Barrier::new(2));
    let app = {
        let chat = chat.clone();
        move || App::new().app_data(start.clone()).service(chat.at("/chat").identity(identify))
    };
    Ok(serve!(chat, app()))
}

/// One round: the address of a connection that is not there yet, and requests to it.
struct Round {
    url: String,
    http: awc::Client,
}

impl Round {
    async fn negotiate(server: &Running) -> Outcome<Self> {
        // A client that keeps its sockets would send every round to the same worker.
        let http = awc::Client::new();
        let url = server.url("/chat/negotiate?negotiateVersion=1");
        let answer: Value = http.post(url).send().await?.json().await?;
        let token = answer["connectionToken"].as_str().ok_or("no token")?;
        Ok(Self { url: server.url(&format!("/chat?id={token}")), http })
    }

    async fn post(&self, user: &str) -> Outcome<StatusCode> {
        let post = self.http.post(&self.url).insert_header(("x-race", "1"));
        Ok(post.insert_header(("x-user", user)).send_body(HANDSHAKE).await?.status())
    }

    async fn get(&self, user: &str) -> Outcome<(StatusCode, Vec<u8>)> {
        let get = self.http.get(&self.url).insert_header(("x-race", "1"));
        let mut answer = get.insert_header(("x-user", user)).send().await?;
        Ok((answer.status(), answer.body().await?.to_vec()))
    }

    /// The status of a request that is in no race.
    async fn status(&self, request: awc::ClientRequest) -> Outcome<StatusCode> {
        Ok(request.insert_header(("x-user", "ada")).send_body(HANDSHAKE).await?.status())
    }
}

#[actix_web::test]
async fn a_post_and_a_poll_may_both_be_the_first() -> Outcome {
    let chat = Hub::new(Chat).build();
    let server = server(&chat)?;
    for _ in 0..ROUNDS {
        let round = Round::negotiate(&server).await?;
        let race = futures_util::future::try_join(round.post("ada"), round.get("ada"));
        let (posted, (polled, mut answer)) = within("a race", race).await??;
        assert_eq!((posted, polled), (StatusCode::OK, StatusCode::OK));
        if answer.is_empty() {
            answer = round
                .http
                .get(&round.url)
                .insert_header(("x-user", "ada"))
                .send()
                .await?
                .body()
                .await?
                .to_vec();
        }
        assert_eq!(answer, b"{}\x1e");
    }
    server.stop().await;
    Ok(())
}

#[actix_web::test]
async fn a_post_may_overtake_the_event_stream_of_its_connection() -> Outcome {
    let chat = Hub::new(Chat).build();
    let server = server(&chat)?;
    for _ in 0..ROUNDS {
        let round = Round::negotiate(&server).await?;
        let stream = round.http.get(&round.url).insert_header(("accept", "text/event-stream"));
        let stream = stream.insert_header(("x-race", "1")).insert_header(("x-user", "ada"));
        let stream = async { Ok::<_, Box<dyn std::error::Error>>(stream.send().await?) };
        let race = futures_util::future::try_join(round.post("ada"), stream);
        let (posted, stream) = within("a race", race).await??;
        // Where the POST comes first, it has opened a connection for polls. The stream is kept until here, or it would end its connection.
        let streamed = stream.status();
        assert!([StatusCode::OK, StatusCode::BAD_REQUEST].contains(&streamed), "{streamed}");
        assert_eq!(posted, StatusCode::OK);
    }
    server.stop().await;
    Ok(())
}

#[actix_web::test]
async fn who_loses_a_race_to_another_user_is_refused() -> Outcome {
    let chat = Hub::new(Chat).build();
    let server = server(&chat)?;
    for _ in 0..ROUNDS {
        let round = Round::negotiate(&server).await?;
        let race = futures_util::future::try_join(round.post("ada"), round.get("eve"));
        let (posted, (polled, _)) = within("a race", race).await??;
        let mut answers = [posted, polled];
        answers.sort();
        assert_eq!(answers, [StatusCode::OK, StatusCode::FORBIDDEN]);
    }
    server.stop().await;
    Ok(())
}

#[actix_web::test]
async fn a_number_that_is_none_opens_nothing() -> Outcome {
    let chat = Hub::new(Chat).build();
    let server = server(&chat)?;
    let round = Round::negotiate(&server).await?;
    for seq in ["x", "0", "-1"] {
        let post = round.http.post(format!("{}&seq={seq}", round.url));
        assert_eq!(round.status(post).await?, StatusCode::BAD_REQUEST, "{seq}");
    }
    let poll = round.http.get(format!("{}&ack=x", round.url));
    assert_eq!(round.status(poll).await?, StatusCode::BAD_REQUEST);
    let end = round.http.delete(&round.url);
    assert_eq!(round.status(end).await?, StatusCode::NOT_FOUND);
    server.stop().await;
    Ok(())
}
