//! Response bodies that last: they only write, in chunks, until the connection ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// The most that is handed to the server at once: its buffer copies what it is given, and keeps it for as long as a client does not read.
pub(crate) const CHUNK: usize = 16 * 1024;

/// What writes to a client for as long as its connection lasts.
pub(crate) trait Chunks: Unpin {
    /// The next bytes, at most [`CHUNK`] of them; `None` at the end.
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>>;
}

/// A body of unknown length.
pub(crate) struct Lasting<C>(pub(crate) C);

impl<C: Chunks> MessageBody for Lasting<C> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.get_mut().0.poll_chunk(cx).map(|chunk| chunk.map(Ok))
    }
}
