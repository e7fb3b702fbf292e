//! One client: a WebSocket that hears a room, or speaks to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::dialect::{Heard, Unexpected};
use crate::room::Tally;
use crate::servers::Kind;

/// Why a run is worth nothing.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Socket(#[from] Box<tungstenite::Error>),
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
    #[error("the server closed the connection")]
    Closed,
    #[error("message {number} of sender {sender} came where {expected} was expected")]
    Order { sender: usize, number: u64, expected: u64 },
    #[error("a message came before the client was ready")]
    Early,
}

#[derive(Debug)]
pub(crate) struct Client {
    kind: Kind,
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects, and waits until the server has put it where it wants to be.
    pub(crate) async fn connect(
        kind: Kind,
        address: SocketAddr,
        role: &str,
    ) -> Result<Self, ClientError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}{}", kind.path(role));
        let (socket, _) = client_async(url, stream).await.map_err(Box::new)?;
        let mut client = Self { kind, socket };
        client.say(kind.hello()).await?;
        let mut is_ready = false;
        while !is_ready {
            let frame = client.frame().await?;
            let mut is_early = false;
            kind.read(&frame, |heard| match heard {
                Heard::Ready => is_ready = true,
                Heard::Message { .. } => is_early = true,
                Heard::Reply(_) => {}
            })?;
            if is_early {
                return Err(ClientError::Early);
            }
        }
        Ok(client)
    }

    pub(crate) async fn say(&mut self, text: &str) -> Result<(), ClientError> {
        Ok(self.socket.send(Message::text(text)).await.map_err(Box::new)?)
    }

    async fn frame(&mut self) -> Result<tungstenite::Utf8Bytes, ClientError> {
        loop {
            match self.socket.next().await.transpose().map_err(Box::new)? {
                Some(Message::Text(text)) => return Ok(text),
                Some(Message::Close(_)) | None => return Err(ClientError::Closed),
                // Pings are answered by the library.
                Some(
                    Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
                ) => {}
            }
        }
    }

    /// Hears the room for ever: every message of each sender once, in order.
    pub(crate) async fn listen(mut self, senders: usize, tally: Arc<Tally>) -> ClientError {
        let mut next = vec![0; senders];
        loop {
            if let Err(error) = self.listen_once(&mut next, &tally).await {
                return error;
            }
        }
    }

    async fn listen_once(&mut self, next: &mut [u64], tally: &Tally) -> Result<(), ClientError> {
        let frame = self.frame().await?;
        let (mut heard_here, mut wrong, mut reply) = (0, None, None);
        self.kind.read(&frame, |heard| match heard {
            Heard::Message { sender, number } => match next.get_mut(sender) {
                Some(next) if *next == number => {
                    *next += 1;
                    heard_here += 1;
                }
                expected => {
                    let expected = expected.map_or(0, |next| *next);
                    wrong = Some(ClientError::Order { sender, number, expected });
                }
            },
            Heard::Reply(text) => reply = Some(text),
            Heard::Ready => {}
        })?;
        if let Some(text) = reply {
            self.say(text).await?;
        }
        match wrong {
            Some(error) => Err(error),
            None => {
                tally.add(heard_here);
                Ok(())
            }
        }
    }
}
