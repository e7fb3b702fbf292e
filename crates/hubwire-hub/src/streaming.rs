//! Answers that are streams.

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::task::{Poll, Waker, ready};

use futures_util::Stream;
use hubwire_protocol::EncodeError;
use serde::Serialize;

use crate::call::Call;
use crate::definition::HubDefinition;
use crate::encode::counted;
use crate::error::{HubError, HubResult};
use crate::reply::{Fallible, Value};

/// What a method with `impl Stream` in its signature may return: the stream, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "a streaming hub method cannot return `{Self}`",
    label = "neither a stream nor a `Result` of one",
    note = "return `impl Stream<Item = T>` or `HubResult<impl Stream<Item = T>>`"
)]
pub trait IntoStream<Marker>: Sized {
    /// The stream.
    type Items: Stream;

    /// The stream, or why there is none.
    ///
    /// # Errors
    ///
    /// When the method refused.
    fn items(marker: Marker, returned: Self) -> HubResult<Self::Items>;
}

#[diagnostic::do_not_recommend]
impl<S: Stream> IntoStream<Value> for S {
    type Items = S;

    fn items(_: Value, returned: Self) -> HubResult<S> {
        Ok(returned)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Stream, E: Into<HubError>> IntoStream<Fallible> for Result<S, E> {
    type Items = S;

    fn items(_: Fallible, returned: Self) -> HubResult<S> {
        returned.map_err(E::into)
    }
}

/// A stream that a call can be answered with: of values that serde serializes, or of `Result`s, whose error ends it.
#[diagnostic::on_unimplemented(
    message = "a hub method cannot answer with the stream `{Self}`",
    label = "its items do not serialize",
    note = "put `#[derive(serde::Serialize)]` on the type of the items, and on those inside it",
    note = "the error of an item that is a `Result` is `HubError` or implements `std::error::Error`"
)]
pub trait Answer<Marker, H: HubDefinition>: Sized {
    /// Answers the call with the items, as fast as the client takes them, until their end, an error, or until nobody wants
    /// more. The marker comes first, as in [`IntoReply`](crate::IntoReply).
    fn answer(marker: Marker, items: Self, call: &Call<H>) -> impl Future<Output = ()>;
}

#[diagnostic::do_not_recommend]
impl<S: Stream, H: HubDefinition> Answer<Value, H> for S
where
    S::Item: Serialize,
{
    async fn answer(_: Value, items: Self, call: &Call<H>) {
        call.stream(items, Ok).await;
    }
}

#[diagnostic::do_not_recommend]
impl<S: Stream<Item = Result<T, E>>, T: Serialize, E: Into<HubError>, H: HubDefinition>
    Answer<Fallible, H> for S
{
    async fn answer(_: Fallible, items: Self, call: &Call<H>) {
        call.stream(items, |item| item.map_err(E::into)).await;
    }
}

/// Tells whether the items of a stream are `Result`s, as [`Probe`](crate::Probe) does of what a method returned.
#[derive(Debug)]
pub struct ItemProbe<'a, S>(pub &'a S);

impl<S: Stream<Item = Result<T, E>>, T, E> ItemProbe<'_, S> {
    /// They are.
    pub fn reply_marker(&self) -> Fallible {
        Fallible
    }
}

impl<S> Deref for ItemProbe<'_, S> {
    type Target = Value;

    fn deref(&self) -> &Value {
        &Value
    }
}

impl<H: HubDefinition> Call<H> {
    async fn stream<S: Stream, T: Serialize>(
        &self,
        items: S,
        value: impl Fn(S::Item) -> HubResult<T>,
    ) {
        let connection = &self.context.member().connection;
        let mut items = pin!(items);
        let mut cancelled = pin!(self.context.cancelled());
        // Whom that wakes: asking it again for each item would take two locks each time.
        let mut woken: Option<Waker> = None;
        loop {
            let next = poll_fn(|cx| {
                let is_cancelled = if woken.as_ref().is_some_and(|it| it.will_wake(cx.waker())) {
                    self.context.is_told_to_stop()
                } else {
                    woken = Some(cx.waker().clone());
                    cancelled.as_mut().poll(cx).is_ready()
                };
                if is_cancelled {
                    return Poll::Ready(None);
                }
                ready!(connection.poll_room(cx));
                items.as_mut().poll_next(cx)
            });
            let Some(item) = next.await else { return self.complete_stream() };
            let sent = value(item).and_then(|value| self.send_item(&value).map_err(HubError::from));
            if let Err(error) = sent {
                return self.fail_stream(&error);
            }
        }
    }

    fn send_item<T: Serialize>(&self, item: &T) -> Result<(), EncodeError> {
        let Some(id) = &self.head().invocation_id else { return Ok(()) };
        let protocol = self.context.member().protocol;
        let write = |out: &mut Vec<u8>| protocol.write_stream_item(out, id.as_str(), item);
        let message = counted(protocol, write)?;
        self.context.member().connection.send(self.method.compression.apply(message));
        Ok(())
    }
}
