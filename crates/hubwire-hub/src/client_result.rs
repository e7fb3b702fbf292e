//! Values that the server asks a client for.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hubwire_protocol::{ArgumentList, DecodeError, EncodeError, Outcome};
use hubwire_transport::{ConnectionId, Room};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::encode;
use crate::hub::Core;
use crate::member::Member;

thread_local! {
    /// Set when a client result was polled and is not there yet: the session that polls a method learns so that it waits for a client.
    static AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `poll`, and tells whether a client result was awaited in it.
pub(crate) fn watch_awaited<T>(poll: impl FnOnce() -> T) -> (T, bool) {
    let outer = AWAITED.replace(false);
    let polled = poll();
    (polled, AWAITED.replace(outer))
}

/// Why a client gave no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The client answered with an error: its handler failed, or it has none.
    #[error("{0}")]
    Client(String),
    /// Its `on_connected` still runs, and until that returns nothing that it answers is read.
    #[error(
        "Client results inside on_connected are not allowed: client '{connection_id}' is not listened to yet."
    )]
    Connecting {
        /// Who was asked.
        connection_id: ConnectionId,
    },
    /// What it answered does not fit the type that was asked for.
    #[error("the client's result does not fit")]
    Decode(#[from] DecodeError),
    /// It was connected when it was asked, and then it was gone.
    #[error("Connection '{connection_id}' disconnected.")]
    Disconnected {
        /// Who was asked.
        connection_id: ConnectionId,
    },
    /// An argument cannot be written.
    #[error("an argument cannot be written")]
    Encode(#[from] EncodeError),
    /// There is no such connection.
    #[error("Connection '{connection_id}' does not exist.")]
    NotFound {
        /// Who was asked.
        connection_id: ConnectionId,
    },
}

/// A value that a client was asked for; await it.
///
/// The question is sent at once. While a hub method awaits it, the next call of its caller may run. Dropping this stops waiting; the client is not told.
#[must_use = "a client result does nothing for you unless it is awaited"]
pub struct ClientResult<R> {
    state: State,
    result: PhantomData<fn() -> R>,
}

enum State {
    /// It failed before it was asked; taken when told.
    Failed(Option<InvokeError>),
    Waiting {
        member: Arc<Member>,
        id: u64,
        answer: oneshot::Receiver<Outcome>,
    },
}

impl<R: DeserializeOwned> ClientResult<R> {
    pub(crate) fn ask<A: ArgumentList + ?Sized>(
        core: &Core,
        connection_id: &ConnectionId,
        target: &str,
        arguments: &A,
    ) -> Self {
        let state = match send_question(core, connection_id, target, arguments) {
            Ok(state) => state,
            Err(error) => State::Failed(Some(error)),
        };
        Self { state, result: PhantomData }
    }
}

fn send_question<A: ArgumentList + ?Sized>(
    core: &Core,
    connection_id: &ConnectionId,
    target: &str,
    arguments: &A,
) -> Result<State, InvokeError> {
    let member = core
        .registry
        .find(connection_id)
        .ok_or_else(|| InvokeError::NotFound { connection_id: connection_id.clone() })?;
    if member.is_connecting() {
        return Err(InvokeError::Connecting { connection_id: connection_id.clone() });
    }
    let gone = || InvokeError::Disconnected { connection_id: connection_id.clone() };
    let (id, answer) = member.ask().ok_or_else(gone)?;
    // From here on the guard in `ClientResult` forgets the question, whatever happens.
    let waiting = State::Waiting { member, id, answer };
    if let State::Waiting { member, .. } = &waiting {
        // The prefix keeps these ids apart from those that the client gives.
        let invocation_id = format!("s{id}");
        let message = encode::invocation(member.protocol, Some(&invocation_id), target, arguments)
            .inspect_err(|_| member.forget(id))?;
        if member.connection.send(message) == Room::Closed {
            member.forget(id);
            return Err(gone());
        }
    }
    Ok(waiting)
}

impl<R: DeserializeOwned> Future for ClientResult<R> {
    type Output = Result<R, InvokeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Failed(error) => Poll::Ready(Err(error
                .take()
                .expect("a client result is not polled again after it is ready"))),
            State::Waiting { member, answer, .. } => {
                let Poll::Ready(outcome) = Pin::new(answer).poll(cx) else {
                    AWAITED.set(true);
                    return Poll::Pending;
                };
                Poll::Ready(match outcome {
                    Ok(Outcome::Value(value)) => value.decode().map_err(Into::into),
                    Ok(Outcome::Error(error)) => Err(InvokeError::Client(error)),
                    // What the official clients say where they have no value to give.
                    Ok(Outcome::Void) => {
                        Err(InvokeError::Client("Client didn't provide a result.".to_owned()))
                    }
                    Err(_) => Err(InvokeError::Disconnected { connection_id: member.id().clone() }),
                })
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Self::Waiting { member, id, .. } = self {
            member.forget(*id);
        }
    }
}

impl<R> fmt::Debug for ClientResult<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientResult").finish_non_exhaustive()
    }
}
