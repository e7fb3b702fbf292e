//! Answers that are streams.

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::task::{Poll, ready};

use futures_util::Stream;
use hubwire_protocol::EncodeError;
use hubwire_transport::Message;
use serde::Serialize;

use crate::call::Call;
use crate::definition::HubDefinition;
use crate::encode::format_of;
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

/// What a stream may yield: a value that serde serializes, or a `Result` of one, whose error ends the stream.
#[diagnostic::on_unimplemented(
    message = "the stream of a hub method cannot yield `{Self}`",
    label = "not an item of a hub method's stream",
    note = "put `#[derive(serde::Serialize)]` on the type of the items, and on those inside it",
    note = "the error of a `Result` is `HubError` or implements `std::error::Error`"
)]
pub trait IntoItem<Marker>: Sized {
    /// What goes to the client.
    type Value: Serialize;

    /// The value, or what the stream ends with.
    ///
    /// # Errors
    ///
    /// What the stream ends with.
    fn value(marker: Marker, item: Self) -> HubResult<Self::Value>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> IntoItem<Value> for T {
    type Value = T;

    fn value(_: Value, item: Self) -> HubResult<T> {
        Ok(item)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, E: Into<HubError>> IntoItem<Fallible> for Result<T, E> {
    type Value = T;

    fn value(_: Fallible, item: Self) -> HubResult<T> {
        item.map_err(E::into)
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
    /// Answers with the items of a stream, as fast as the client takes them, until its end, its error or until nobody wants more.
    pub async fn stream<Marker: Copy, S>(&self, marker: Marker, items: S)
    where
        S: Stream,
        S::Item: IntoItem<Marker>,
    {
        let connection = &self.context.member().connection;
        let mut items = pin!(items);
        let mut cancelled = pin!(self.context.cancelled());
        loop {
            let next = poll_fn(|cx| {
                if cancelled.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                ready!(connection.poll_room(cx));
                items.as_mut().poll_next(cx)
            });
            let Some(item) = next.await else { return self.complete_stream() };
            let sent = IntoItem::value(marker, item)
                .and_then(|value| self.send_item(&value).map_err(HubError::from));
            if let Err(error) = sent {
                return self.fail_stream(&error);
            }
        }
    }

    fn send_item<T: Serialize>(&self, item: &T) -> Result<(), EncodeError> {
        let Some(id) = &self.head.invocation_id else { return Ok(()) };
        let protocol = self.context.member().protocol;
        let message = Message::build(format_of(protocol), |out| {
            protocol.write_stream_item(out, id.as_str(), item)
        })?;
        self.context.member().connection.send(self.method.compression.apply(message));
        Ok(())
    }

    fn complete_stream(&self) {
        let Some(id) = &self.head.invocation_id else { return };
        let member = self.context.member();
        let message = member.message(|protocol, out| protocol.write_completed(out, id.as_str()));
        member.connection.send(message);
    }
}
