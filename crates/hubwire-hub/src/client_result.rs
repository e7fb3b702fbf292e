//! Values that the server asks a client for.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hubwire_protocol::{ArgumentList, DecodeError, EncodeError, Outcome};
use hubwire_transport::{ConnectionId, Room, ticks};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::backplane::BackplaneError;
use crate::elsewhere::Elsewhere;
use crate::encode;
use crate::hub::Core;
use crate::member::{Member, Reply};
use crate::progress::{OpenQuestion, Progress};
use crate::target::Target;

thread_local! {
    /// The call that is being polled: it counts the client results that it waits for, and while there are any, it gives its turn back.
    static CALL: RefCell<Option<Arc<Progress>>> = const { RefCell::new(None) };
}

/// Polls a call, whose client results are counted in `progress`.
pub(crate) fn poll_call<T>(progress: &Arc<Progress>, poll: impl FnOnce() -> T) -> T {
    let outer = CALL.replace(Some(progress.clone()));
    let polled = poll();
    CALL.set(outer);
    polled
}

/// Why a client gave no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The server that the client is connected to was not reached, or did not answer.
    #[error(transparent)]
    Backplane(#[from] BackplaneError),
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
    /// It did not answer in time.
    #[error("Connection '{connection_id}' gave no result in time.")]
    TimedOut {
        /// Who was asked.
        connection_id: ConnectionId,
    },
}

/// A value that a client was asked for; await it.
///
/// The question is sent at once. While a hub method awaits it, the next call of its caller may run. Dropping this stops waiting; the client is not told.
///
/// It waits as long as the client is connected, unless [`timeout`](Self::timeout) or
/// [`HubOptions::client_result_timeout`](crate::HubOptions::client_result_timeout) sets a limit.
///
/// ```
/// # use hubwire_hub::{ClientProxy, InvokeError, One};
/// # use std::time::Duration;
/// # async fn example(player: ClientProxy<One>) -> Result<(), InvokeError> {
/// let column: u8 = player.invoke("ChooseColumn", &()).timeout(Duration::from_secs(30)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a client result does nothing for you unless it is awaited"]
pub struct ClientResult<R> {
    state: State,
    result: PhantomData<fn() -> R>,
}

enum State {
    /// It failed before it was asked; taken when told.
    Failed(Option<InvokeError>),
    Waiting(Question),
    /// The client is connected to another server.
    Elsewhere(Elsewhere),
}

/// A question that was sent; forgotten when nobody waits for its answer any more.
struct Question {
    member: Arc<Member>,
    id: u64,
    answer: oneshot::Receiver<Reply>,
    /// The call that waits for it, once it does.
    call: Option<OpenQuestion>,
}

impl<R: DeserializeOwned> ClientResult<R> {
    pub(crate) fn ask<A: ArgumentList + ?Sized>(
        core: &Arc<Core>,
        connection_id: &ConnectionId,
        target: Target<'_>,
        arguments: &A,
    ) -> Self {
        let state = match core.registry.find(connection_id) {
            Some(member) => Question::send(member, target, arguments).map(State::Waiting),
            None => Elsewhere::send(core, connection_id, target, arguments).map(State::Elsewhere),
        };
        let state = state.unwrap_or_else(|error| State::Failed(Some(error)));
        let result = Self { state, result: PhantomData };
        match core.options.client_result_timeout {
            Some(timeout) => result.timeout(timeout),
            None => result,
        }
    }

    /// Sets how long the client may take, from now; then the result is [`InvokeError::TimedOut`].
    ///
    /// Counted in whole seconds, so it may be one more. What the client answers later is dropped.
    pub fn timeout(self, timeout: Duration) -> Self {
        match &self.state {
            State::Elsewhere(question) => question.limit(ticks(timeout)),
            State::Failed(_) => {}
            State::Waiting(Question { member, id, .. }) => member.limit(*id, ticks(timeout)),
        }
        self
    }
}

impl Question {
    fn send<A: ArgumentList + ?Sized>(
        member: Arc<Member>,
        target: Target<'_>,
        arguments: &A,
    ) -> Result<Self, InvokeError> {
        let connection_id = member.id().clone();
        if member.is_connecting() {
            return Err(InvokeError::Connecting { connection_id });
        }
        let gone = || InvokeError::Disconnected { connection_id: connection_id.clone() };
        let (id, answer) = member.ask().ok_or_else(gone)?;
        let question = Self { member, id, answer, call: None };
        // The prefix keeps these ids apart from those that the client gives.
        let invocation_id = format!("s{id}");
        let protocol = question.member.protocol;
        let message = encode::invocation(protocol, Some(&invocation_id), target, arguments)?;
        match question.member.connection.send(message) {
            Room::Available | Room::Exhausted => Ok(question),
            Room::Closed => Err(gone()),
        }
    }
}

impl<R: DeserializeOwned> Future for ClientResult<R> {
    type Output = Result<R, InvokeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Failed(error) => Poll::Ready(Err(error
                .take()
                .expect("a client result is not polled again after it is ready"))),
            State::Elsewhere(question) => match question.poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(outcome.and_then(decode)),
                Poll::Pending => {
                    await_it(&mut question.call);
                    Poll::Pending
                }
            },
            State::Waiting(Question { member, answer, call, .. }) => {
                let Poll::Ready(outcome) = Pin::new(answer).poll(cx) else {
                    await_it(call);
                    return Poll::Pending;
                };
                *call = None;
                let connection_id = || member.id().clone();
                Poll::Ready(match outcome {
                    Ok(Reply::Answer(outcome)) => decode(outcome),
                    Ok(Reply::TimedOut) => {
                        Err(InvokeError::TimedOut { connection_id: connection_id() })
                    }
                    Err(_) => Err(InvokeError::Disconnected { connection_id: connection_id() }),
                })
            }
        }
    }
}

/// Counts a question among those that the running call waits for.
fn await_it(call: &mut Option<OpenQuestion>) {
    if call.is_none() {
        *call = CALL.with_borrow(Clone::clone).map(Progress::ask);
    }
}

fn decode<R: DeserializeOwned>(outcome: Outcome) -> Result<R, InvokeError> {
    match outcome {
        Outcome::Error(error) => Err(InvokeError::Client(error)),
        Outcome::Value(value) => value.decode().map_err(Into::into),
        // What the official clients say where they have no value to give.
        Outcome::Void => Err(InvokeError::Client("Client didn't provide a result.".to_owned())),
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.member.forget(self.id);
    }
}

impl<R> fmt::Debug for ClientResult<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientResult").finish_non_exhaustive()
    }
}
