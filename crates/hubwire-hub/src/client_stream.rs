//! Streams that a client sends to a method.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use hubwire_protocol::{DecodeError, Outcome, Raw};
use hubwire_transport::Connection;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// What an item costs beside its bytes.
const ITEM_COST: usize = size_of::<Raw>();

/// A stream that the client sends: a parameter of a hub method, at any place among the others.
///
/// It yields `Ok` for each item, and ends after an error. A wrong item is an error of this stream alone. When the method
/// returns, the stream is over, also where it was moved elsewhere; what the client still sends is dropped.
///
/// Items wait until they are read. They count against the connection's `application_max_buffer_size`: once that is
/// reached, nothing more is read from the client, and a stream that is left unread for `upload_stall_timeout` fails.
///
/// ```
/// use futures_util::StreamExt;
/// use hubwire_hub::{ClientStream, HubResult};
///
/// async fn sum(mut numbers: ClientStream<i64>) -> HubResult<i64> {
///     let mut sum = 0;
///     while let Some(number) = numbers.next().await {
///         sum += number?; // what the client ended its stream with goes back to it
///     }
///     Ok(sum)
/// }
/// ```
#[must_use = "a stream does nothing unless it is read"]
pub struct ClientStream<T> {
    upload: Arc<Upload>,
    item: PhantomData<fn() -> T>,
}

/// Why a client's stream ended before its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientStreamError {
    /// The client ended it with this error.
    #[error("{0}")]
    Client(String),
    /// The method that it belongs to has returned.
    #[error("the method that the stream was sent to has returned")]
    Closed,
    /// An item does not fit the type of the stream.
    #[error("an item of the stream does not fit")]
    Decode(#[from] DecodeError),
    /// The client is gone.
    #[error("the client of the stream is gone")]
    Disconnected,
    /// It was not read, and held up its connection for longer than `upload_stall_timeout`.
    #[error("the stream was not read for {seconds} s while it held up its connection")]
    Stalled {
        /// `upload_stall_timeout`.
        seconds: u64,
    },
}

/// One stream on its way from the session to the method.
pub(crate) struct Upload {
    connection: Connection,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Raw>,
    /// What comes after the items.
    end: Option<Result<(), ClientStreamError>>,
    is_over: bool,
    reader: Option<Waker>,
    /// Ticks in which it held up its connection and nobody read it.
    stalled: u64,
}

impl Upload {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an item; what comes after the end is dropped.
    pub(crate) fn push(&self, item: Raw) {
        let cost = cost(&item);
        // Before the reader can see it and give it back.
        self.connection.hold(cost);
        let taken = {
            let mut state = self.lock();
            if state.is_over || state.end.is_some() {
                None
            } else {
                state.items.push_back(item);
                Some(state.reader.take())
            }
        };
        match taken {
            Some(reader) => wake(reader),
            None => self.connection.release(cost),
        }
    }

    /// The client has sent all that it will.
    pub(crate) fn complete(&self, outcome: Outcome) {
        let end = match outcome {
            Outcome::Error(error) => Err(ClientStreamError::Client(error)),
            Outcome::Value(_) | Outcome::Void => Ok(()),
        };
        let reader = {
            let mut state = self.lock();
            state.end.get_or_insert(end);
            state.reader.take()
        };
        wake(reader);
    }

    /// Ends it now, whatever waits.
    pub(crate) fn fail(&self, error: ClientStreamError) {
        let (reader, held) = {
            let mut state = self.lock();
            // A client that has sent everything and left has still sent everything.
            if matches!((&error, &state.end), (ClientStreamError::Disconnected, Some(_))) {
                return;
            }
            let items = std::mem::take(&mut state.items);
            state.end = Some(Err(error));
            (state.reader.take(), items.iter().map(cost).sum())
        };
        self.connection.release(held);
        wake(reader);
    }

    /// Counts a second in which the connection was not read; whether there have been `limit` without a look at this stream.
    pub(crate) fn stall(&self, limit: u64) -> bool {
        let mut state = self.lock();
        if state.items.is_empty() {
            return false;
        }
        state.stalled += 1;
        state.stalled > limit
    }

    /// The connection is read again: what came before is forgiven.
    pub(crate) fn relieve(&self) {
        self.lock().stalled = 0;
    }

    /// The next item, not decoded yet.
    fn poll(&self, cx: &Context<'_>) -> Poll<Option<Result<Raw, ClientStreamError>>> {
        let item = {
            let mut state = self.lock();
            state.stalled = 0;
            if state.is_over {
                return Poll::Ready(None);
            }
            let Some(item) = state.items.pop_front() else {
                return match state.end.take() {
                    None => {
                        state.reader = Some(cx.waker().clone());
                        Poll::Pending
                    }
                    Some(end) => {
                        state.is_over = true;
                        Poll::Ready(end.err().map(Err))
                    }
                };
            };
            item
        };
        self.connection.release(cost(&item));
        Poll::Ready(Some(Ok(item)))
    }

    /// Nobody reads it any more.
    fn abandon(&self) {
        let held = {
            let mut state = self.lock();
            state.is_over = true;
            std::mem::take(&mut state.items).iter().map(cost).sum()
        };
        self.connection.release(held);
    }
}

fn cost(item: &Raw) -> usize {
    item.as_bytes().len() + ITEM_COST
}

fn wake(reader: Option<Waker>) {
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl<T> ClientStream<T> {
    pub(crate) fn new(upload: Arc<Upload>) -> Self {
        Self { upload, item: PhantomData }
    }
}

impl<T: DeserializeOwned> Stream for ClientStream<T> {
    type Item = Result<T, ClientStreamError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.upload.poll(cx).map(|item| {
            let decoded = item?.and_then(|item| item.decode().map_err(ClientStreamError::Decode));
            if decoded.is_err() {
                self.upload.abandon();
            }
            Some(decoded)
        })
    }
}

impl<T> Drop for ClientStream<T> {
    fn drop(&mut self) {
        self.upload.abandon();
    }
}

impl<T> fmt::Debug for ClientStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream").finish_non_exhaustive()
    }
}
