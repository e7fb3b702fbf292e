//! A client of hubs, as small as it can be and still use every transport: what it asks for is seen to the letter.

use std::pin::Pin;

use actix_web::web::Bytes;
use awc::error::{PayloadError, WsClientError, WsProtocolError};
use awc::http::{Method, StatusCode, header};
use awc::{ClientRequest, ws};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde_json::{Value, json};

use crate::kit::{Outcome, within};

const END: char = '\u{1e}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    EventStream,
    LongPolling,
    WebSocket,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::WebSocket, Self::EventStream, Self::LongPolling];
}

/// Where a client connects, and what it says about itself.
#[derive(Clone, Debug, Default)]
pub struct Dial {
    pub url: String,
    /// Said in the query of every request, as browsers must for some.
    pub access_token: Option<String>,
    pub headers: Vec<(&'static str, String)>,
}

pub struct Client {
    dial: Dial,
    connection_token: String,
    http: awc::Client,
    link: Link,
    /// What was received and not read.
    received: String,
    /// Every request so far, as in its first line.
    pub requests: Vec<String>,
    /// The headers of every answer so far.
    pub answers: Vec<header::HeaderMap>,
    invocations: u32,
}

enum Link {
    None,
    Polls,
    Socket(Box<dyn Socket>),
    /// The stream, and what has come of a line.
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>, String),
}

/// What awc makes of a WebSocket.
trait Socket:
    Sink<ws::Message, Error = WsProtocolError>
    + Stream<Item = Result<ws::Frame, WsProtocolError>>
    + Unpin
{
}

impl<S> Socket for S where
    S: Sink<ws::Message, Error = WsProtocolError>
        + Stream<Item = Result<ws::Frame, WsProtocolError>>
        + Unpin
{
}

impl Client {
    /// Negotiates, attaches and shakes hands; an answer other than 200 is an error that begins with its status.
    pub async fn connect(dial: &Dial, transport: Transport) -> Outcome<Self> {
        let mut client = Self {
            dial: dial.clone(),
            connection_token: String::new(),
            http: awc::Client::new(),
            link: Link::None,
            received: String::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            invocations: 0,
        };
        let answer = client.ask(Method::POST, "/negotiate", "negotiateVersion=1", "").await?;
        let answer: Value = serde_json::from_str(&answer)?;
        let token = answer["connectionToken"].as_str();
        client.connection_token = token.ok_or("a connection token")?.to_owned();
        client.attach(transport).await?;
        client.send(&json!({ "protocol": "json", "version": 1 })).await?;
        let answer = client.next().await?;
        if answer != json!({}) {
            return Err(format!("the handshake was answered {answer}").into());
        }
        Ok(client)
    }

    pub fn connection_token(&self) -> &str {
        &self.connection_token
    }

    /// Calls a method; messages that come before its result are passed over.
    pub async fn invoke(&mut self, target: &str, arguments: Value) -> Outcome<Value> {
        self.invocations += 1;
        let id = self.invocations.to_string();
        let call =
            json!({ "type": 1, "invocationId": &id, "target": target, "arguments": arguments });
        self.send(&call).await?;
        loop {
            let mut message = self.next().await?;
            if message["type"] == 3 && message["invocationId"] == id {
                return match message.get("error") {
                    Some(error) => Err(error.to_string().into()),
                    None => Ok(message["result"].take()),
                };
            }
        }
    }

    /// The next message that is no ping.
    pub async fn next(&mut self) -> Outcome<Value> {
        loop {
            while let Some((message, rest)) = self.received.split_once(END) {
                let message: Value = serde_json::from_str(message)?;
                self.received = rest.to_owned();
                if message["type"] != 6 {
                    return Ok(message);
                }
            }
            let payload = self.receive().await?;
            self.received.push_str(&payload);
        }
    }

    /// Leaves, as clients do over each transport.
    pub async fn close(mut self) -> Outcome<Vec<String>> {
        match std::mem::replace(&mut self.link, Link::None) {
            Link::None | Link::Stream(..) => {}
            Link::Polls => {
                self.ask(Method::DELETE, "", "", "").await?;
            }
            Link::Socket(mut socket) => {
                socket.send(ws::Message::Close(None)).await?;
                let mut goodbye = None;
                while !matches!(goodbye, Some(ws::Frame::Close(_))) {
                    goodbye = Some(within("a goodbye", socket.next()).await?.ok_or("no goodbye")??);
                }
            }
        }
        Ok(self.requests)
    }

    async fn attach(&mut self, transport: Transport) -> Outcome {
        match transport {
            Transport::EventStream => {
                let (request, _) = self.request(Method::GET, "", "");
                let request = request.insert_header((header::ACCEPT, "text/event-stream"));
                let stream = within("an event stream", request.send()).await??;
                self.answers.push(stream.headers().clone());
                refused(stream.status(), StatusCode::OK)?;
                self.link = Link::Stream(Box::pin(stream), String::new());
            }
            Transport::LongPolling => {
                self.ask(Method::GET, "", "", "").await?;
                self.link = Link::Polls;
            }
            Transport::WebSocket => {
                let url = self.url("", "");
                self.requests.push(first_line(&Method::GET, &url));
                let mut request = self.http.ws(url);
                for (name, value) in &self.dial.headers {
                    request = request.header(*name, value.as_str());
                }
                let (answer, socket) = match within("a WebSocket", request.connect()).await? {
                    Ok(connected) => connected,
                    Err(WsClientError::InvalidResponseStatus(status)) => {
                        return refused(status, StatusCode::SWITCHING_PROTOCOLS);
                    }
                    Err(error) => return Err(error.to_string().into()),
                };
                self.answers.push(answer.headers().clone());
                self.link = Link::Socket(Box::new(socket));
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: &Value) -> Outcome {
        let payload = format!("{message}{END}");
        if let Link::Socket(socket) = &mut self.link {
            return Ok(socket.send(ws::Message::Text(payload.into())).await?);
        }
        self.ask(Method::POST, "", "", &payload).await.map(drop)
    }

    async fn receive(&mut self) -> Outcome<String> {
        match &mut self.link {
            Link::None => Err("not connected".into()),
            Link::Polls => self.ask(Method::GET, "", "", "").await,
            Link::Socket(socket) => match within("a frame", socket.next()).await? {
                Some(Ok(ws::Frame::Text(text))) => Ok(String::from_utf8(text.to_vec())?),
                other => Err(format!("a frame that carries nothing: {other:?}").into()),
            },
            Link::Stream(stream, rest) => loop {
                if let Some(end) = rest.find("\r\n") {
                    let line: String = rest.drain(..end + 2).collect();
                    if let Some(data) = line.trim_end().strip_prefix("data: ") {
                        return Ok(data.to_owned());
                    }
                    continue;
                }
                let chunk =
                    within("an event", stream.next()).await?.ok_or("the stream ended")??;
                rest.push_str(std::str::from_utf8(&chunk)?);
            },
        }
    }

    /// The body of an answer with status 200 or 202.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        query: &str,
        body: &str,
    ) -> Outcome<String> {
        let (request, line) = self.request(method, path, query);
        let mut answer = within(&line, request.send_body(body.to_owned())).await??;
        self.answers.push(answer.headers().clone());
        if answer.status() != StatusCode::ACCEPTED {
            refused(answer.status(), StatusCode::OK)?;
        }
        Ok(String::from_utf8(within(&line, answer.body()).await??.to_vec())?)
    }

    fn request(&mut self, method: Method, path: &str, query: &str) -> (ClientRequest, String) {
        let url = self.url(path, query);
        let line = first_line(&method, &url);
        self.requests.push(line.clone());
        let mut request = self.http.request(method, url);
        for header in &self.dial.headers {
            request = request.insert_header((header.0, header.1.as_str()));
        }
        (request, line)
    }

    fn url(&self, path: &str, query: &str) -> String {
        // Clients negotiate below the path that they were given, whether or not it ends in a slash.
        let base = match path {
            "" => &self.dial.url,
            _ => self.dial.url.trim_end_matches('/'),
        };
        let mut url = format!("{base}{path}?{query}");
        for (name, value) in [
            ("id", Some(&self.connection_token).filter(|token| !token.is_empty())),
            ("access_token", self.dial.access_token.as_ref()),
        ] {
            if let Some(value) = value {
                let and = if url.ends_with('?') { "" } else { "&" };
                url.push_str(&format!("{and}{name}={value}"));
            }
        }
        url
    }
}

fn first_line(method: &Method, url: &str) -> String {
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    format!("{method} /{path} HTTP/1.1")
}

fn refused(status: StatusCode, expected: StatusCode) -> Outcome {
    if status == expected { Ok(()) } else { Err(status.to_string().into()) }
}
